package provider

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// applied plans a configuration over a prior state, runs between and applies; it
// returns the new state and the apply's diagnostics.
func (p protocol) applied(k *kind, config, prior tftypes.Value, between func()) (tftypes.Value, string) {
	p.t.Helper()
	plan, err := p.PlanResourceChange(context.Background(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: k.decl.typeName(), Config: p.dynamic(k.typ, config), PriorState: p.dynamic(k.typ, prior),
		ProposedNewState: p.dynamic(k.typ, proposed(k, config, prior)),
	})
	if err != nil {
		p.t.Fatal(err)
	}
	if between != nil {
		between()
	}
	resp, err := p.ApplyResourceChange(context.Background(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: k.decl.typeName(), Config: p.dynamic(k.typ, config), PriorState: p.dynamic(k.typ, prior),
		PlannedState: plan.PlannedState, PlannedPrivate: plan.PlannedPrivate, PlannedIdentity: plan.PlannedIdentity,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	v, err := resp.NewState.Unmarshal(k.typ)
	if err != nil {
		p.t.Fatal(err)
	}
	return v, say(resp.Diagnostics)
}

// What appears between plan and apply is taken over with a warning, however
// young it is; what the apply made itself is none of it, however slow that was.
func TestApplyWarnsOfWhatItTookOver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind, config string
		appear       func(*portaltest.Portal)
	}{
		"entity": {"entity", `{"blueprint": "service", "identifier": "a", "title": "Mine"}`, func(p *portaltest.Portal) {
			p.Must(http.MethodPost, "/v1/blueprints/service/entities", jsonv.Object{"identifier": "a", "title": "Theirs"})
		}},
		"blueprint": {"blueprint", `{"identifier": "a", "title": "Mine"}`, func(p *portaltest.Portal) {
			p.Must(http.MethodPost, "/v1/blueprints", jsonv.Object{"identifier": "a", "title": "Theirs", "schema": jsonv.Object{"properties": jsonv.Object{}}})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, taken := range []bool{true, false} {
				p := crowded(t, 0)
				server, k := connect(t, p), kindOf(t, c.kind)
				_, said := server.applied(k, config(t, k, c.config), k.null, func() {
					if taken {
						c.appear(p)
					}
				})
				if got := strings.Contains(said, "already exists") && strings.Contains(said, "taken over"); got != taken {
					t.Errorf("taken over %v: %q", taken, said)
				}
			}
		})
	}
}

// An interrupt during a write leaves a state that holds what the server made,
// whole, also when the blueprint can no longer be asked about its types.
func TestInterruptedWritesAreInTheState(t *testing.T) {
	t.Parallel()
	p := crowded(t, 0)
	server, k := connect(t, p), kindOf(t, "entity")
	p.Before(portaltest.Match{Method: http.MethodPost, Path: "/v1/blueprints/service/entities"}, func() {
		if _, err := server.StopProvider(context.Background(), &tfprotov6.StopProviderRequest{}); err != nil {
			t.Error(err)
		}
	})
	state, said := server.applied(k, config(t, k, `{"blueprint": "service", "title": "Mine"}`), k.null, nil)
	if said != "" {
		t.Errorf("diagnostics: %s", said)
	}
	m := lens.AsObj(state)
	for _, name := range []string{"id", "identifier", "created_at", "created_by"} {
		if s, ok := text(m[name]); !ok || s == "" {
			t.Errorf("%s is missing in the state: %s", name, state)
		}
	}
	key, _ := k.key(state)
	if len(key) == 2 {
		p.Must(http.MethodGet, "/v1/blueprints/service/entities/"+key[1], nil)
	}
}

// A relation that leads nowhere is announced, unless the run makes its target or
// nobody can say.
func TestRelationsToNothingAreAnnounced(t *testing.T) {
	t.Parallel()
	p := crowded(t, 0)
	k := kindOf(t, "blueprint")
	related := func(target string) tftypes.Value {
		return config(t, k, `{"identifier": "a", "title": "A", "relations": {"r": {"target": "`+target+`", "many": false, "required": false}}}`)
	}
	const words = "leads to no blueprint"
	server := connect(t, p)
	p.Forget()
	for range 3 {
		if got := server.planned(k, related("nope"), k.null); !strings.Contains(got, "WARNING: Relation r "+words) || !strings.Contains(got, "depends_on") {
			t.Errorf("nothing is said of a target that does not exist: %.300s", got)
		}
	}
	asked := 0
	for _, r := range p.Requests() {
		if r.Path == "/v1/blueprints/nope" {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("the target was asked for %d times", asked)
	}
	if got := server.planned(k, related("nope"), related("nope")); strings.Contains(got, words) {
		t.Errorf("a relation that does not change is looked at: %.300s", got)
	}
	for _, target := range []string{"service", "a"} {
		if got := server.planned(k, related(target), k.null); strings.Contains(got, words) {
			t.Errorf("%s: %.300s", target, got)
		}
	}
	server.planned(k, config(t, k, `{"identifier": "soon", "title": "S"}`), k.null)
	if got := server.planned(k, related("soon"), k.null); strings.Contains(got, words) {
		t.Errorf("a target that is planned: %.300s", got)
	}
	silent := connect(t, p)
	p.Fail(portaltest.Match{Method: http.MethodGet, Path: "/v1/blueprints/nope"}, 1, portaltest.Failure{Status: http.StatusForbidden, Code: "missing_permissions", Message: "no"})
	if got := silent.planned(k, related("nope"), k.null); strings.Contains(got, words) {
		t.Errorf("a target nobody can tell about: %.300s", got)
	}
}

// Importing with an empty ID says what an ID looks like.
func TestAnEmptyImportIDIsAnswered(t *testing.T) {
	t.Parallel()
	server := connect(t, portaltest.Start(t))
	k := kindOf(t, "entity")
	nothing := tftypes.NewValue(k.identityType, lens.Obj{"blueprint": lens.Null(tftypes.String), "identifier": lens.Null(tftypes.String)})
	for _, identity := range []*tfprotov6.ResourceIdentityData{nil, {IdentityData: server.dynamic(k.identityType, nothing)}} {
		resp, err := server.ImportResourceState(context.Background(), &tfprotov6.ImportResourceStateRequest{TypeName: "port_entity", Identity: identity})
		if err != nil {
			t.Fatal(err)
		}
		if got := say(resp.Diagnostics); !strings.Contains(got, "import ID") || !strings.Contains(got, "<blueprint_id>:<entity_id>") {
			t.Errorf("%q", got)
		}
	}
}
