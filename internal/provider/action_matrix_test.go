package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

const actable = `{"blueprints": [{"identifier": "service", "title": "Service",
  "schema": {"properties": {"tier": {"type": "string"}, "expires": {"type": "string", "format": "timer"}}}}]}`

// life drives one resource as Terraform drives it, and complains as it does.
type life struct {
	protocol
	k *kind
}

// plan is what is planned over a prior state.
func (l life) plan(config, prior tftypes.Value) (*tfprotov6.PlanResourceChangeResponse, tftypes.Value, string) {
	l.t.Helper()
	resp, err := l.PlanResourceChange(context.Background(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: l.k.decl.typeName(), Config: l.dynamic(l.k.typ, config), PriorState: l.dynamic(l.k.typ, prior), ProposedNewState: l.dynamic(l.k.typ, proposed(l.k, config, prior)),
	})
	if err != nil {
		l.t.Fatal(err)
	}
	planned, err := resp.PlannedState.Unmarshal(l.k.typ)
	if err != nil {
		l.t.Fatal(err)
	}
	return resp, planned, faultsOf(resp.Diagnostics)
}

// faultsOf are the errors among diagnostics.
func faultsOf(diags []*tfprotov6.Diagnostic) string {
	var out []*tfprotov6.Diagnostic
	for _, d := range diags {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			out = append(out, d)
		}
	}
	return say(out)
}

func (l life) validate(config tftypes.Value) []*tfprotov6.Diagnostic {
	l.t.Helper()
	resp, err := l.ValidateResourceConfig(context.Background(), &tfprotov6.ValidateResourceConfigRequest{TypeName: l.k.decl.typeName(), Config: l.dynamic(l.k.typ, config)})
	if err != nil {
		l.t.Fatal(err)
	}
	return resp.Diagnostics
}

// apply brings a state to a configuration; what is wrong with it is the error.
func (l life) apply(config, prior tftypes.Value) (tftypes.Value, error) {
	l.t.Helper()
	if wrong := faultsOf(l.validate(config)); wrong != "" {
		return prior, fmt.Errorf("validation: %s", wrong)
	}
	resp, planned, wrong := l.plan(config, prior)
	if wrong != "" {
		return prior, fmt.Errorf("plan: %s", wrong)
	}
	if err := legitimate(l.k.attrs, tftypes.NewAttributePath(), config, prior, planned); err != nil {
		return prior, err
	}
	applied, err := l.ApplyResourceChange(context.Background(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: l.k.decl.typeName(), Config: l.dynamic(l.k.typ, config), PriorState: l.dynamic(l.k.typ, prior),
		PlannedState: resp.PlannedState, PlannedPrivate: resp.PlannedPrivate, PlannedIdentity: resp.PlannedIdentity,
	})
	if err != nil {
		l.t.Fatal(err)
	}
	state, err := applied.NewState.Unmarshal(l.k.typ)
	if err != nil {
		l.t.Fatal(err)
	}
	if wrong := faultsOf(applied.Diagnostics); wrong != "" {
		return state, fmt.Errorf("apply: %s", wrong)
	}
	return state, consistent(tftypes.NewAttributePath(), planned, state)
}

// force applies a plan that nobody made, such as one of values that were not known
// when they were checked, or a deletion.
func (l life) force(config, prior, planned tftypes.Value) (tftypes.Value, []*tfprotov6.Diagnostic) {
	l.t.Helper()
	applied, err := l.ApplyResourceChange(context.Background(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: l.k.decl.typeName(), Config: l.dynamic(l.k.typ, config), PriorState: l.dynamic(l.k.typ, prior), PlannedState: l.dynamic(l.k.typ, planned),
	})
	if err != nil {
		l.t.Fatal(err)
	}
	state, err := applied.NewState.Unmarshal(l.k.typ)
	if err != nil {
		l.t.Fatal(err)
	}
	return state, applied.Diagnostics
}

// settled reports what a plan over a state would change.
func (l life) settled(config, state tftypes.Value) error {
	l.t.Helper()
	resp, planned, wrong := l.plan(config, state)
	if wrong != "" {
		return fmt.Errorf("plan: %s", wrong)
	}
	if err := legitimate(l.k.attrs, tftypes.NewAttributePath(), config, state, planned); err != nil {
		return err
	}
	if len(resp.RequiresReplace) > 0 {
		return fmt.Errorf("replaces: %v", resp.RequiresReplace)
	}
	diffs, err := state.Diff(planned)
	if err != nil || len(diffs) > 0 {
		return fmt.Errorf("changes: %v %v", err, innermost(diffs))
	}
	return nil
}

func innermost(diffs []tftypes.ValueDiff) string {
	var out []string
	for _, d := range diffs {
		if len(out) < 6 {
			out = append([]string{fmt.Sprintf("%s: %v -> %v", lens.PathString(d.Path), shortened(d.Value1), shortened(d.Value2))}, out...)
		}
	}
	return strings.Join(out, "\n")
}

func shortened(v *tftypes.Value) string {
	if v == nil {
		return "nothing"
	}
	if s := v.String(); len(s) < 200 {
		return s
	}
	return v.String()[:200] + "…"
}

// legitimate is Terraform's rule for plans: an attribute is planned as configured,
// or stays as it was, or is computed and not configured.
func legitimate(attrs []lens.Attr, at *tftypes.AttributePath, config, prior, planned tftypes.Value) error {
	c, was, now := lens.AsObj(config), lens.AsObj(prior), lens.AsObj(planned)
	for _, a := range attrs {
		here := at.WithAttributeName(a.Name)
		v, before := now[a.Name], was[a.Name]
		if v.Equal(c[a.Name]) || before.Type() != nil && !before.IsNull() && !c[a.Name].IsNull() && v.Equal(before) || serverMay(a) && c[a.Name].IsNull() {
			continue
		}
		if len(a.Nested) == 0 || !c[a.Name].IsKnown() || c[a.Name].IsNull() || v.IsNull() || !v.IsKnown() {
			return fmt.Errorf("%s is planned as %s, configured as %s", lens.PathString(here), shortened(&v), shortened(new(c[a.Name])))
		}
		var err error
		switch a.Nesting {
		case lens.Single:
			err = legitimate(a.Nested, here, c[a.Name], before, v)
		case lens.InMap:
			if len(lens.AsObj(v)) != len(lens.AsObj(c[a.Name])) {
				return fmt.Errorf("%s: other keys than configured", lens.PathString(here))
			}
			for key, e := range lens.AsObj(c[a.Name]) {
				if err == nil {
					err = legitimate(a.Nested, here.WithElementKeyString(key), e, lens.AsObj(before)[key], lens.AsObj(v)[key])
				}
			}
		default:
			mine, old := lens.AsList(c[a.Name]), lens.AsList(before)
			for i, e := range lens.AsList(v) {
				var b tftypes.Value
				if i < len(old) {
					b = old[i]
				}
				if err == nil && i < len(mine) {
					err = legitimate(a.Nested, here.WithElementKeyInt(i), mine[i], b, e)
				}
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// consistent is Terraform's rule for results: whatever was planned is there.
func consistent(at *tftypes.AttributePath, planned, state tftypes.Value) error {
	diffs, err := planned.Diff(state)
	if err != nil {
		return err
	}
	for _, d := range diffs {
		if d.Value1 != nil && d.Value1.IsFullyKnown() {
			return fmt.Errorf("inconsistent result after apply: %s: %s became %s", lens.PathString(d.Path), shortened(d.Value1), shortened(d.Value2))
		}
	}
	return nil
}

// rounds is how many random configurations are tried.
func rounds(few, many int) int {
	if os.Getenv("PORT_LONG") != "" {
		return many
	}
	return few
}

// Whatever is written, in whatever spelling, applies, plans empty, refreshes to
// what it was, and plans empty after it was imported.
func TestRandomActionsConverge(t *testing.T) {
	t.Parallel()
	for _, without := range []bool{false, true} {
		t.Run(fmt.Sprintf("without shortcuts %v", without), func(t *testing.T) {
			t.Parallel()
			p := portaltest.Start(t)
			p.Seed(actable)
			l := life{connect(t, p, func(o *Options) { o.WithoutShortcuts = without }), kindOf(t, "action")}
			identifier := fmt.Sprintf("a%v", without)
			state := l.k.null
			tries := rounds(12, 300)
			if without {
				tries = rounds(1, 20) // the framework's way takes ten times as long
			}
			for seed := range tries {
				text := draw{rand.New(rand.NewPCG(uint64(seed), 7))}.action(identifier) //nolint:gosec // not a secret
				c := config(t, l.k, text)
				before := state
				var err error
				if state, err = l.apply(c, before); err != nil {
					t.Fatalf("seed %d: %v\n%s", seed, err, text)
				}
				complain := func(when string, err error) {
					if err != nil {
						t.Errorf("seed %d: %s: %v\n%s", seed, when, err, text)
					}
				}
				complain("after the apply", l.settled(c, state))
				fresh, _ := l.read(l.k, state)
				if diffs, err := state.Diff(fresh); err != nil || len(diffs) > 0 {
					t.Errorf("seed %d: the refresh changes the state: %v %s\n%s", seed, err, innermost(diffs), text)
				}
				complain("after the refresh", l.settled(c, fresh))
				imported, _ := l.read(l.k, l.k.stateOf([]string{identifier}))
				// What says what Port takes anyway is not in an imported state: it comes into
				// it without a change of the action.
				complain("after an import", onlyFills(l, c, imported))
				held := document(p, identifier)
				filled, err := l.apply(c, imported)
				complain("after an import", err)
				complain("after the first apply of an import", l.settled(c, filled))
				if diff := cmp.Diff(held, document(p, identifier)); diff != "" {
					t.Errorf("seed %d: an import changes the action: %s\n%s", seed, diff, text)
				}
				if t.Failed() {
					return
				}
			}
		})
	}
}

// onlyFills wants a plan to change nothing that has a value.
func onlyFills(l life, config, state tftypes.Value) error {
	_, planned, wrong := l.plan(config, state)
	if wrong != "" {
		return fmt.Errorf("plan: %s", wrong)
	}
	diffs, err := state.Diff(planned)
	for _, d := range diffs {
		if was, _, err := tftypes.WalkAttributePath(planned, d.Path); err == nil && d.Value1 != nil && !d.Value1.IsNull() {
			if v, ok := was.(tftypes.Value); ok && len(lens.AsObj(v))+len(lens.AsList(v)) == 0 {
				return fmt.Errorf("%s", innermost(diffs))
			}
		}
	}
	return err
}

// document is an action as Port holds it, without what only the server sets.
func document(p *portaltest.Portal, identifier string) jsonv.Object {
	d := jsonv.Map(p.Must(http.MethodGet, "/v1/actions/"+identifier, nil), "action")
	for _, key := range []string{"id", "createdAt", "createdBy", "updatedAt", "updatedBy"} {
		delete(d, key)
	}
	return d
}

// A change of the title makes nothing unknown, a renaming ends with the new id, and
// what is gone already can be destroyed.
func TestActionPlansAreQuiet(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	p.Seed(actable)
	l := life{connect(t, p), kindOf(t, "action")}
	text := func(id, title string) string {
		return `{"identifier": "` + id + `", "title": "` + title + `", "kafka_method": {"payload": "{\"n\": 12345678901234567890}"}, "self_service_trigger": {"operation": "CREATE", "user_properties": {"string_props": {"s": {"sort": {"property": "p"}}}}}}`
	}
	state, err := l.apply(config(t, l.k, text("a", "A")), l.k.null)
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []tftypes.Value{config(t, l.k, text("a", "B")), config(t, l.k, text("b", "B"))} {
		_, planned, wrong := l.plan(to, state)
		if wrong != "" || !planned.IsFullyKnown() {
			t.Errorf("%s: unknown: %v", wrong, planned)
		}
		if state, err = l.apply(to, state); err != nil {
			t.Fatal(err)
		}
	}
	if id := lens.AsText(lens.AsObj(state)["id"]); id != "b" {
		t.Errorf("id after a renaming: %s", id)
	}
	if n, _ := jsonv.Get(document(p, "b"), "invocationMethod", "payload", "n"); n != json.Number("12345678901234567890") {
		t.Errorf("a great number became %v", n)
	}
	for range 2 {
		if _, said := l.force(l.k.null, state, l.k.null); len(said) > 0 {
			t.Errorf("destroying: %s", say(said))
		}
	}
	if fresh, _ := l.refreshed(state); !fresh.IsNull() {
		t.Error("an action that is gone stays in the state")
	}
}
