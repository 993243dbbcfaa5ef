package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// permitted is a configuration of permissions with some blocks besides the
// required ones, as JSON.
func permitted(t testing.TB, k *kind, blueprint, blocks string) tftypes.Value {
	t.Helper()
	required := `"register": {}, "unregister": {}, "update_metadata_properties": {"icon": {}, "title": {}, "team": {}, "identifier": {}}`
	if !strings.Contains(blocks, `"update":`) {
		required += `, "update": {}`
	}
	if blocks != "" {
		required += ", "
	}
	return config(t, k, `{"blueprint_identifier": "`+blueprint+`", "entities": {`+required+blocks+`}}`)
}

func TestPlansOfPermissionsSayWhatHasNoEffect(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	p.Seed(`{"blueprints": [
	  {"identifier": "bare", "title": "Bare", "schema": {"properties": {}}},
	  {"identifier": "svc", "title": "Service", "ownership": {"type": "Direct"}, "schema": {"properties": {"lang": {"type": "string"}}}, "relations": {"peer": {"target": "svc"}},
	   "mirrorProperties": {"mirror": {"path": "peer.$title"}}, "calculationProperties": {"shout": {"calculation": ".title", "type": "string"}}}]}`)
	k := kindOf(t, "blueprint_permissions")
	for name, c := range map[string]struct {
		blueprint, blocks, want string
	}{
		"nothing":                       {"svc", "", ""},
		"what is there":                 {"svc", `"update_properties": {"lang": {}}, "update_relations": {"peer": {}}`, ""},
		"a property that is not there":  {"svc", `"update_properties": {"nope": {}}`, `entities.update_properties["nope"]: blueprint svc has no property nope`},
		"a relation that is not there":  {"svc", `"update_relations": {"lang": {}}`, `entities.update_relations["lang"]: blueprint svc has no relation lang`},
		"a property that is mirrored":   {"svc", `"update_properties": {"mirror": {}}`, "mirror of blueprint svc is computed"},
		"a property that is calculated": {"svc", `"update_properties": {"shout": {}}`, "shout of blueprint svc is computed"},
		"owners of owned entities":      {"svc", `"update": {"owned_by_team": true}`, ""},
		"owners of what nobody owns":    {"bare", `"update": {"owned_by_team": true}`, "Blueprint bare has no ownership"},
		"owners of fields nobody owns":  {"bare", `"update_relations": {"r": {"owned_by_team": true}}`, "Blueprint bare has no ownership"},
		"a blueprint that is not there": {"none", "", "There is no blueprint none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := connect(t, p).planned(k, permitted(t, k, c.blueprint, c.blocks), k.null)
			warned := strings.Contains(got, "WARNING")
			if warned != (c.want != "") || !strings.Contains(got, c.want) || strings.Contains(got, "ERROR") {
				t.Errorf("want %q in %.500s", c.want, got)
			}
		})
	}
}

// Whatever the run is about to make of a blueprint counts, not what it is now.
func TestPlansOfPermissionsKnowWhatBlueprintsWillBe(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	k, blueprint, relation := kindOf(t, "blueprint_permissions"), kindOf(t, "blueprint"), kindOf(t, "blueprint_relation")
	server := connect(t, p)
	server.planned(blueprint, config(t, blueprint, `{"identifier": "svc", "title": "Service", "ownership": {"type": "Direct"}, "properties": {"string_props": {"lang": {}}}}`), blueprint.null)
	server.planned(relation, config(t, relation, `{"blueprint_identifier": "svc", "identifier": "peer", "target": "svc"}`), relation.null)
	blocks := `"update": {"owned_by_team": true}, "update_properties": {"lang": {}}, "update_relations": {"peer": {}}`
	if got := server.planned(k, permitted(t, k, "svc", blocks), k.null); strings.Contains(got, "WARNING") {
		t.Errorf("%.500s", got)
	}
	if got := server.planned(k, permitted(t, k, "svc", `"update_properties": {"other": {}}`), k.null); !strings.Contains(got, "has no property other") {
		t.Errorf("%.500s", got)
	}
}

func TestPermissionsThatAdmitNobodyAreWarnings(t *testing.T) {
	t.Parallel()
	k := kindOf(t, "blueprint_permissions")
	for blocks, want := range map[string]string{
		`"update": {"roles": ["Admin", "member", "svc-Moderator", "Moderator"]}`:                  "",
		`"update": {"roles": ["Viewer"]}`:                                                         `nobody has a role "Viewer"`,
		`"update_properties": {"lang": {"roles": ["Owner"]}}`:                                     `nobody has a role "Owner"`,
		`"update": {"policy": "{\"rules\": []}"}`:                                                 "a search query has a combinator",
		`"update": {"owned_by_team": true, "policy": "{\"combinator\": \"and\", \"rules\": []}"}`: "Port ignores a policy where owned_by_team is true",
		`"update": {"policy": "{\"combinator\": \"and\", \"rules\": []}"}`:                        "",
	} {
		diags := k.validate(permitted(t, k, "svc", blocks))
		said := ""
		for _, d := range diags.Warnings() {
			said += d.Detail()
		}
		if diags.HasError() || (said != "") != (want != "") || !strings.Contains(said, want) {
			t.Errorf("%s: %v", blocks, diags)
		}
	}
}
