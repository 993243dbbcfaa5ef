package provider

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// choices are the ways to write an attribute, as JSON text; "" leaves it out.
type choices map[string][]string

// formula, as an alternative to each attribute that has one, is added by [alternatives].
const someJQ = `".form.x | length > 0"`

var (
	everyInput = choices{
		"title": {`""`, `"T"`}, "icon": {`"Box"`}, "description": {`"d"`, `""`}, "required": {`true`}, "depends_on": {`[]`, `["dep"]`},
		"visible": {`true`, `false`}, "disabled": {`true`, `false`},
	}
	texts = choices{
		"default": {`"aa"`}, "min_length": {`0`, `2`}, "max_length": {`9`}, "pattern": {`"^a"`, `""`}, "enum": {`["aa", "b"]`}, "enum_colors": {`{}`, `{"aa": "red"}`},
		"sort":    {`{"property": "$title"}`, `{"property": "p", "order": "DESC"}`, `{"property": "p", "order": "ASC"}`},
		"format":  {`"multi-line"`, `"markdown"`, `"yaml"`, `"user"`, `"team"`, `"proto"`},
		"dataset": {`{"combinator": "and", "rules": []}`, someDataset, deepDataset(10)},
	}
	numbers = choices{"default": {`2`, `2.5`}, "minimum": {`0`, `-1.5`, `1e-7`}, "maximum": {`9007199254740993`, `10`}, "enum": {`[2, 2.5]`}, "enum_colors": {`{}`, `{"2": "blue"}`}}
	flags   = choices{"default": {`true`, `false`}}
	objects = choices{"default": {`"{}"`, `"{ \"b\": 1.0, \"a\":\"<&>\" }"`, `"{\"n\":12345678901234567890}"`}}
	lists   = choices{"min_items": {`0`, `1`}, "max_items": {`3`}, "sort": {`{"property": "$title"}`}}
	items   = []string{
		``, `"string_items": {}`, `"string_items": {"default": [], "enum": ["a", "b"]}`, `"string_items": {"default": ["a"], "format": "entity", "blueprint": "service", "enum_jq_query": "[1]",
		  "dataset": "{ \"rules\": [{\"value\": 5, \"operator\":\"=\",\"property\":\"p\"}], \"combinator\":\"and\"}"}`,
		`"number_items": {}`, `"number_items": {"default": [1, 2.5], "enum": [1, 2.5]}`, `"number_items": {"enum_jq_query": ".e"}`,
		`"boolean_items": {}`, `"boolean_items": {"default": [true, false]}`, `"object_items": {}`, `"object_items": {"default": [{"a": "b"}, {}]}`, `"default_jq_query": ".d"`,
	}
	withQuery  = []string{"visible", "disabled", "default", "pattern", "enum", "min_items", "max_items"}
	conditions = []string{
		`{"type":"SEARCH","combinator":"and","rules":[]}`, `{ "rules": [ {"operator":"=", "property":"tier", "value":"\u003c"} ], "type": "SEARCH",
		  "combinator": "or" }`,
	}
	payloads = []string{`"{}"`, `"[]"`, `"[ 1, \"{{ .run.id }}\", 1.0 ]"`, `"{\"b\":null,\"a\":12345678901234567890}"`, `"{\"x\": \"\\u003cb\\u003e\"}"`}
	bodies   = append(slices.Clone(payloads), `"\"{{ .inputs }}\""`, `"5"`)
	mappings = []string{`"{}"`, `"{ \"a\": \"{{ .inputs.a }}\" }"`, `"{\"b\":1,\"a\":[1.50]}"`}
	targets  = []string{`"{}"`, `"{ \"r\": \"{{ .inputs.a }}\", \"m\":[\"x\"], \"n\": null }"`}
	switches = []string{`"true"`, `"false"`, `"{{ .inputs.a }}"`, `"\n {{ .inputs.a }} \n"`}
	words    = []string{`"w"`, `"{{ .inputs.a }}"`}
)

const someDataset = `{"combinator": "or", "rules": [{"property": "p", "operator": "=", "value": {"jq_query": ".form.a"}}, {"property": "p", "operator": "=", "value_json": "null"},
  {"property": "p", "operator": "in", "value_json": "[ 1, \"a\"]"}, {"property": "p", "operator": "isEmpty"}, {"blueprint": "service", "operator": "relatedTo", "value": {"jq_query": "\"x\""}},
  {"combinator": "and", "rules": []}, {"combinator": "and", "rules": [{"property": "$team", "operator": "containsAny", "value": {"jq_query": ".user.team"}}]}]}`

func deepDataset(depth int) string {
	rules := `[{"property": "p", "operator": "isEmpty"}]`
	for range depth {
		rules = `[{"combinator": "and", "rules": ` + rules + `}]`
	}
	return `{"combinator": "and", "rules": ` + rules + `}`
}

// draw writes actions at random.
type draw struct{ *rand.Rand }

func (d draw) one(of []string) string { return of[d.IntN(len(of))] }

func (d draw) maybe(of ...string) string {
	if d.IntN(2) == 0 {
		return ""
	}
	return d.one(of)
}

// object writes the attributes of all, or a few; each that has one in jq in either
// way.
func (d draw) object(own string, all ...choices) string {
	var out []string
	if own != "" {
		out = append(out, own)
	}
	density := 1 + d.IntN(4)
	for _, c := range all {
		for _, name := range slices.Sorted(maps.Keys(c)) {
			if d.IntN(density) > 0 {
				continue
			}
			value := d.one(c[name])
			if slices.Contains(withQuery, name) && d.IntN(3) == 0 {
				name, value = name+"_jq_query", someJQ
			}
			if name == "required" && strings.Contains(own, "unrequired") {
				continue
			}
			out = append(out, `"`+name+`": `+value)
		}
	}
	return "{" + strings.Join(out, ", ") + "}"
}

// inputs writes user_properties.
func (d draw) inputs(byQuery bool) string {
	mark := ""
	if byQuery {
		mark = `"unrequired": 1`
	}
	group := func(name string, each func() string) string {
		switch d.IntN(4) {
		case 0:
			return ""
		case 1:
			if d.IntN(3) == 0 {
				return `"` + name + `": {}`
			}
		}
		var all []string
		for i := range 1 + d.IntN(3) {
			all = append(all, fmt.Sprintf(`"%s%d": %s`, name[:1], i, each()))
		}
		return `"` + name + `": {` + strings.Join(all, ", ") + `}`
	}
	secret := choices{"x": {`"encryption": "aes256-gcm"`, `"client_side_encryption": {"algorithm": "client-side", "key": "K"}`}}
	with := func(own string) string { return strings.Trim(mark+", "+own, ", ") }
	groups := []string{
		group("string_props", func() string {
			own := d.maybe(append(secret["x"], `"format": "entity", "blueprint": "service"`)...)
			c := choices{}
			for k, v := range texts {
				if !strings.Contains(own, `"format"`) || k != "format" {
					c[k] = v
				}
			}
			return d.object(with(own), everyInput, c)
		}),
		group("number_props", func() string { return d.object(mark, everyInput, numbers) }),
		group("boolean_props", func() string { return d.object(mark, everyInput, flags) }),
		group("object_props", func() string { return d.object(with(d.maybe(secret["x"]...)), everyInput, objects) }),
		group("array_props", func() string {
			own := d.one(items)
			c := lists
			if strings.Contains(own, `"default": []`) {
				c = choices{"max_items": lists["max_items"]}
			}
			return d.object(with(own), everyInput, c)
		}),
	}
	return joined(groups...)
}

func joined(parts ...string) string {
	return "{" + strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ") + "}"
}

func (d draw) field(name string, of []string) string {
	if v := d.maybe(of...); v != "" {
		return `"` + name + `": ` + v
	}
	return ""
}

func quoted(all []string) []string {
	var out []string
	for _, s := range all {
		out = append(out, string(jsonv.Encode(s)))
	}
	return out
}

func (d draw) trigger() string {
	if d.IntN(4) == 0 {
		event := d.one([]string{"entity_created", "entity_updated", "entity_deleted", "any_entity_change", "timer_property_expired", "run_created", "run_updated", "any_run_change"})
		of := `"blueprint_identifier": "service"`
		if strings.Contains(event, "run") {
			of = `"action_identifier": "other"`
		} else if strings.Contains(event, "timer") {
			of += `, "property_identifier": "expires"`
		}
		return `"automation_trigger": ` + joined(`"`+event+`_event": {`+of+`}`,
			d.field("jq_condition", []string{`{}`, `{"expressions": []}`, `{"expressions": [], "combinator": "or"}`, `{"expressions": [".a", ".b"]}`, `{"expressions": [".a"], "combinator": "or"}`}))
	}
	byQuery := d.IntN(3) == 0
	parts := []string{}
	operation := d.one([]string{"CREATE", "DAY-2", "DELETE"})
	parts = append(parts, `"operation": "`+operation+`"`)
	if operation != "CREATE" {
		parts = append(parts, `"blueprint_identifier": "service"`, d.field("condition", quoted(conditions)))
	}
	if d.IntN(5) > 0 {
		parts = append(parts, `"user_properties": `+d.inputs(byQuery))
	}
	if byQuery {
		parts = append(parts, `"required_jq_query": `+someJQ)
	}
	parts = append(parts, d.field("titles", []string{`{}`, `{"t": {"title": "T"}}`, `{"t": {"title": "T", "description": "", "visible": true}, "u": {"title": "U", "description": "d", "visible_jq_query": ".form.a"}}`}))
	if d.IntN(2) == 0 {
		parts = append(parts, d.field("order_properties", []string{`[]`, `["t", "s0"]`, `["s0", "s0", "nothing"]`}))
	} else {
		parts = append(parts, d.field("steps", []string{`[]`, `[{"title": "", "order": []}]`, `[{"title": "one", "order": ["s0"], "visible": false}, {"title": "two", "order": ["t"], "visible_jq_query": ".form.a"}]`}))
	}
	parts = append(parts, d.field("action_card_button_text", []string{`"Go"`, `"Run  it"`}), d.field("execute_action_button_text", []string{`"éà"`, `"123456789012345"`}))
	return `"self_service_trigger": ` + joined(parts...)
}

func (d draw) method() string {
	workflow := func() string {
		return joined(`"org": "o"`, `"repo": "{{ .inputs.r }}"`, `"workflow": "w.yml"`, d.field("workflow_inputs", mappings), d.field("report_workflow_status", switches))
	}
	switch d.IntN(7) {
	case 0:
		return `"kafka_method": ` + joined(d.field("payload", payloads))
	case 1:
		return `"webhook_method": ` + joined(`"url": "https://x.example.com/{{ .inputs.a }}"`, d.field("agent", switches), d.field("synchronized", switches),
			d.field("method", []string{`"POST"`, `"GET"`, `"{{ .inputs.m }}"`}), d.field("headers", []string{`{}`, `{"A": "", "b-c": "{{ .run.id }}"}`}), d.field("body", bodies))
	case 2:
		return `"github_method": ` + workflow()
	case 3:
		return `"gitlab_method": ` + joined(`"project_name": "p"`, `"group_name": "g/h"`, d.field("default_ref", words), d.field("pipeline_variables", mappings))
	case 4:
		return `"azure_method": ` + joined(`"org": "o"`, `"webhook": "w"`, d.field("payload", payloads))
	case 5:
		mapping := d.maybe(`{}`, joined(d.field("identifier", words), d.maybe(`"teams": []`, `"teams": ["b", "a"]`, `"teams_jq": "{{ .user.team }}"`), d.field("icon", words), d.field("properties", mappings), d.field("relations", targets)))
		if mapping != "" {
			mapping = `"mapping": ` + mapping
		}
		return `"upsert_entity_method": ` + joined(`"blueprint_identifier": "service"`, d.field("title", append(words, `""`)), mapping)
	}
	return `"integration_method": {"installation_id": "i", "integration_action_type": "dispatch_workflow", "integration_action_execution_properties": ` + workflow() + `}`
}

// action writes a whole configuration.
func (d draw) action(identifier string) string {
	return joined(`"identifier": "`+identifier+`"`, d.field("title", []string{`"T"`, `""`}), d.field("icon", words), d.field("description", []string{`""`, `"a <b> & c"`}),
		d.trigger(), d.method(), d.field("required_approval", []string{`"true"`, `"false"`, `"ANY"`, `"ALL"`}),
		d.maybe(`"approval_email_notification": {}`, `"approval_webhook_notification": {"url": "https://x.example.com"}`, `"approval_webhook_notification": {"url": "https://x.example.com", "format": "slack"}`),
		d.field("publish", []string{`true`, `false`}), d.field("allow_anyone_to_view_runs", []string{`true`, `false`}), d.field("blueprint", []string{`""`}))
}

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
