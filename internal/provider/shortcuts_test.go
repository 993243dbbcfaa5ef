package provider

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// planned plans a configuration over a prior state the way Terraform core does,
// and returns the outcome as text.
func (p protocol) planned(k *kind, config, prior tftypes.Value) string {
	p.t.Helper()
	resp, err := p.PlanResourceChange(context.Background(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: k.decl.typeName(), Config: p.dynamic(k.typ, config), PriorState: p.dynamic(k.typ, prior),
		ProposedNewState: p.dynamic(k.typ, proposed(k, config, prior)),
	})
	if err != nil {
		p.t.Fatal(err)
	}
	out := say(resp.Diagnostics)
	if resp.PlannedState != nil {
		v, err := resp.PlannedState.Unmarshal(k.typ)
		if err != nil {
			p.t.Fatal(err)
		}
		out += v.String()
	}
	return out
}

// proposed merges a configuration with the prior state as Terraform core does, at
// the top level: what is computed and not configured stays.
func proposed(k *kind, config, prior tftypes.Value) tftypes.Value {
	c, was, out := lens.AsObj(config), lens.AsObj(prior), lens.Obj{}
	for _, a := range k.attrs {
		out[a.Name] = c[a.Name]
		if serverMay(a) && lens.Nothing(c[a.Name]) && was != nil {
			out[a.Name] = was[a.Name]
		}
	}
	return tftypes.NewValue(k.typ, out)
}

// The shortcuts answer what the framework answers.
func TestShortcutsChangeNoAnswer(t *testing.T) {
	t.Parallel()
	p := crowded(t, 1)
	fast, slow := connect(t, p), connect(t, p, func(o *Options) { o.WithoutShortcuts = true })
	blueprint, entity := kindOf(t, "blueprint"), kindOf(t, "entity")
	found, _ := fast.read(entity, entity.stateOf([]string{"service", "s/0:x=@"}))
	service, _ := fast.read(blueprint, blueprint.stateOf([]string{"service"}))
	for name, c := range map[string]struct {
		k      *kind
		config string
		prior  tftypes.Value
	}{
		"entity unchanged": {entity, `{"blueprint": "service", "identifier": "s/0:x=@", "title": "S 0", "icon": "i", "teams": ["a", "b"],
			"properties": {"string_props": {"lang": "go<", "tier": "silver"}, "number_props": {"load": 0.25}, "boolean_props": {"live": true}, "object_props": {"meta": "{\"a\":\"\\u003c\",\"b\":[1.50,null]}"},
			"array_props": {"string_items": {"tags": []}}}, "relations": {"single_relations": {"peer": null}, "many_relations": {"peers": []}}}`, found},
		"entity changed":   {entity, `{"blueprint": "service", "identifier": "s/0:x=@", "title": "other"}`, found},
		"entity respelled": {entity, `{"blueprint": "service", "identifier": "s/0:x=@", "title": "S 0", "properties": {"object_props": {"meta": "{\"a\": 1}"}}}`, found},
		"setting":          {entity, `{"blueprint": "service", "identifier": "s/0:x=@", "title": "S 0", "create_missing_related_entities": true}`, found},
		// What is not in the configuration any more falls back to its default,
		// although the proposed state equals the prior one.
		"default comes back": {blueprint, `{"identifier": "service", "title": "Service"}`, with(service, lens.Obj{"force_delete_entities": lens.Flag(true)})},
		"create":             {blueprint, `{"identifier": "new", "title": "New"}`, blueprint.null},
		"wrong":              {blueprint, `{"identifier": "a b", "title": "", "ownership": {"type": "Inherited"}}`, blueprint.null},
		"deprecated":         {blueprint, `{"identifier": "a", "title": "A", "team_inheritance": {"path": "x"}}`, blueprint.null},
		"fraction":           {blueprint, `{"identifier": "a", "title": "A", "properties": {"string_props": {"s": {"min_length": 1.5}}}}`, blueprint.null},
		"negative":           {blueprint, `{"identifier": "a", "title": "A", "properties": {"string_props": {"s": {"min_length": -1}}}}`, blueprint.null},
	} {
		v := config(t, c.k, c.config)
		validated := func(s protocol) string {
			resp, err := s.ValidateResourceConfig(context.Background(), &tfprotov6.ValidateResourceConfigRequest{TypeName: c.k.decl.typeName(), Config: s.dynamic(c.k.typ, v)})
			if err != nil {
				t.Fatal(err)
			}
			return say(resp.Diagnostics)
		}
		// The framework calls a fraction our mistake on top.
		theirs, _, _ := strings.Cut(validated(slow), "\nERROR: Configuration Read Error")
		if diff := cmp.Diff(theirs, validated(fast)); diff != "" {
			t.Errorf("%s: validation: %s", name, diff)
		}
		if strings.Contains(validated(slow), "ERROR") {
			continue // Terraform plans nothing then
		}
		if diff := cmp.Diff(slow.planned(c.k, v, c.prior), fast.planned(c.k, v, c.prior)); diff != "" {
			t.Errorf("%s: plan: %s", name, diff)
		}
	}
}

// State of the current version is handed back, and means what the framework would
// make of it.
func TestStoredStateIsReadAsTheFrameworkDoes(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	fast, slow := connect(t, p), connect(t, p, func(o *Options) { o.WithoutShortcuts = true })
	k := kindOf(t, "blueprint")
	for _, state := range []string{officialBlueprint, `{"id": "a", "identifier": "a", "title": "A"}`} {
		upgraded := func(s protocol) string {
			resp, err := s.UpgradeResourceState(context.Background(), &tfprotov6.UpgradeResourceStateRequest{
				TypeName: "port_blueprint", RawState: &tfprotov6.RawState{JSON: []byte(state)},
			})
			if err != nil || len(resp.Diagnostics) > 0 {
				t.Fatalf("%v %s", err, say(resp.Diagnostics))
			}
			if len(resp.UpgradedState.JSON) > 0 {
				// Terraform fills in what the JSON leaves out.
				given, err := jsonv.DecodeObject(resp.UpgradedState.JSON)
				if err != nil {
					t.Fatal(err)
				}
				return config(t, k, string(jsonv.Encode(given))).String()
			}
			v, err := resp.UpgradedState.Unmarshal(k.typ)
			if err != nil {
				t.Fatal(err)
			}
			return v.String()
		}
		if diff := cmp.Diff(upgraded(slow), upgraded(fast)); diff != "" {
			t.Error(diff)
		}
	}
}

// officialBlueprint is a state as the official provider writes it
// (reference/provider-catalog.md §15.3).
const officialBlueprint = `{"id":"a","identifier":"a","title":"A","icon":null,"description":null,"kafka_changelog_destination":{},"webhook_changelog_destination":null,
"relations":{"r":{"target":"a","many":false,"required":false,"title":null,"description":null}},"mirror_properties":null,"calculation_properties":null,"ownership":null,"team_inheritance":null,
"properties":{"array_props":{"l":{"title":null,"icon":null,"description":null,"required":false,"min_items":null,"max_items":null,
"string_items":{"default":null,"enum":null,"enum_colors":null,"format":null,"pattern":null},"number_items":null,"boolean_items":null,"object_items":null}},
"string_props":null,"number_props":null,"boolean_props":null,"object_props":null},
"force_delete_entities":false,"create_catalog_page":true,"include_in_global_search":null,
"created_at":"2024-01-01 00:00:00 +0000 UTC","created_by":"x","updated_at":"2024-01-01 00:00:00 +0000 UTC","updated_by":"x"}`

func TestIdentityImportsAndFollowsARename(t *testing.T) {
	t.Parallel()
	p := crowded(t, 1)
	server, k := connect(t, p), kindOf(t, "entity")
	identity := server.dynamic(k.identityType, k.identity([]string{"service", "s/0:x=@"}))
	resp, err := server.ImportResourceState(context.Background(), &tfprotov6.ImportResourceStateRequest{
		TypeName: "port_entity", Identity: &tfprotov6.ResourceIdentityData{IdentityData: identity},
	})
	if err != nil || len(resp.Diagnostics) > 0 || len(resp.ImportedResources) != 1 {
		t.Fatalf("%v %+v", err, resp)
	}
	state, err := resp.ImportedResources[0].State.Unmarshal(k.typ)
	if err != nil {
		t.Fatal(err)
	}
	read, text := server.read(k, state)
	if want := k.identity([]string{"service", "s/0:x=@"}).String(); text != want {
		t.Errorf("identity %s, want %s", text, want)
	}
	plan := with(read, lens.Obj{"identifier": lens.Str("new"), "id": lens.Str("service:new"), "updated_at": unknownOf(tftypes.String), "updated_by": unknownOf(tftypes.String)})
	applied, err := server.ApplyResourceChange(context.Background(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: "port_entity", PriorState: server.dynamic(k.typ, read), PlannedState: server.dynamic(k.typ, plan), Config: server.dynamic(k.typ, plan),
		PlannedIdentity: &tfprotov6.ResourceIdentityData{IdentityData: identity},
	})
	if err != nil || len(applied.Diagnostics) > 0 {
		t.Fatalf("%v %s", err, say(applied.Diagnostics))
	}
	now, err := applied.NewIdentity.IdentityData.Unmarshal(k.identityType)
	if err != nil {
		t.Fatal(err)
	}
	if want := k.identity([]string{"service", "new"}); !now.Equal(want) {
		t.Errorf("identity after the rename: %s", now)
	}
}

// What the server refuses is shown at the attribute it names.
func TestFaultsBecomeAttributeErrors(t *testing.T) {
	t.Parallel()
	blueprint, entity := kindOf(t, "blueprint"), kindOf(t, "entity")
	fault := func(details string) error {
		d, err := jsonv.DecodeObject([]byte(details))
		if err != nil {
			t.Fatal(err)
		}
		return &portapi.Fault{Status: 422, Code: "invalid_request", Message: "no", Details: d, Method: "PUT", Path: "/v1/x", RequestID: "t1"}
	}
	b := config(t, blueprint, `{"identifier": "a", "title": "A", "properties": {"string_props": {"s": {"default": "x"}}, "array_props": {"l": {"string_items": {"default": ["x"]}}}}, "relations": {"r": {"target": "zz"}}}`)
	e := config(t, entity, `{"blueprint": "a", "identifier": "e", "title": "E", "properties": {"number_props": {"n": 1}}, "relations": {"single_relations": {"r": "x"}}}`)
	for _, c := range []struct {
		k       *kind
		v       tftypes.Value
		details string
		want    string
	}{
		{blueprint, b, `{"errors": [{"path": "/schema/properties/s/default", "message": "bad"}]}`, `properties.string_props["s"].default`},
		{blueprint, b, `{"errors": [{"path": "/schema/properties/l/default/0", "message": "bad"}]}`, `properties.array_props["l"].string_items.default[0]`},
		{blueprint, b, `{"errors": [{"path": "/relations/r/target", "message": "bad"}]}`, `relations["r"].target`},
		{blueprint, b, `{"property": "s"}`, `properties.string_props["s"]`},
		{blueprint, b, `{"missingRelation": "r"}`, `relations["r"]`},
		{blueprint, b, `{"errors": [{"path": "/nonsense", "message": "bad"}]}`, ``},
		{entity, e, `{"errors": [{"path": "/properties/n", "property": "n", "message": "bad"}]}`, `properties.number_props["n"]`},
		{entity, e, `{"errors": [{"property": "n", "message": "bad"}]}`, `properties.number_props["n"]`},
		{entity, e, `{"relation": "r"}`, `relations.single_relations["r"]`},
		{entity, e, `{"errors": [{"path": "/team", "message": "bad"}]}`, `teams`},
	} {
		diags := protocolDiagnostics(c.k.failure("update", []string{"a"}, fault(c.details), c.v))
		if len(diags) != 1 {
			t.Errorf("%s: %s", c.details, say(diags))
			continue
		}
		if got := lens.PathString(diags[0].Attribute); got != c.want {
			t.Errorf("%s: at %q, want %q", c.details, got, c.want)
		}
		if d := diags[0]; d.Summary != "Could not update "+c.k.decl.noun()+" a" || !strings.Contains(d.Detail, "invalid_request") || !strings.Contains(d.Detail, "t1") {
			t.Errorf("%s: %s", c.details, say(diags))
		}
	}
}

// An interrupt ends a call that waits for the server, on either way.
func TestStopInterruptsWhatWaits(t *testing.T) {
	t.Parallel()
	for _, without := range []bool{false, true} {
		p := crowded(t, 1)
		server, k := connect(t, p, func(o *Options) { o.WithoutShortcuts = without }), kindOf(t, "blueprint")
		waiting := make(chan struct{})
		p.Before(portaltest.Match{Method: http.MethodGet, Path: "/v1/blueprints/service"}, func() { close(waiting) })
		p.Fail(portaltest.Match{Method: http.MethodGet, Path: "/v1/blueprints/service"}, portaltest.Forever, portaltest.Failure{Hang: true})
		go func() {
			<-waiting
			if _, err := server.StopProvider(context.Background(), &tfprotov6.StopProviderRequest{}); err != nil {
				t.Error(err)
			}
		}()
		done := make(chan string, 1)
		go func() {
			resp, err := server.ReadResource(context.Background(), &tfprotov6.ReadResourceRequest{
				TypeName: "port_blueprint", CurrentState: server.dynamic(k.typ, k.stateOf([]string{"service"})),
			})
			if err != nil {
				done <- err.Error()
				return
			}
			done <- say(resp.Diagnostics)
		}()
		select {
		case got := <-done:
			if !strings.Contains(got, "Could not read blueprint service") {
				t.Errorf("without shortcuts %v: %s", without, got)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("without shortcuts %v: the call was not interrupted", without)
		}
	}
}
