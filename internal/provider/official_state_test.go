package provider_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// Extensions of blueprints in the official provider's states plan empty with
// their configurations.
func TestOfficialStatesOfExtensionsPlanEmpty(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	p.Seed(aggregated)
	user := jsonv.Map(p.Must(http.MethodGet, "/v1/blueprints/_user", nil), "blueprint")
	set(jsonv.Object{"type": "string"}, "schema", "properties", "phone")(user)
	set(jsonv.Object{"target": "domain"}, "relations", "home")(user)
	p.Must(http.MethodPut, "/v1/blueprints/_user", user)
	p.Must(http.MethodPatch, "/v1/blueprints/domain", jsonv.Object{"aggregationProperties": jsonv.Object{"n": jsonv.Object{
		"target": "service", "calculationSpec": jsonv.Object{"calculationBy": "entities", "func": "average", "averageOf": "day", "measureTimeBy": "$createdAt"},
		"query": jsonv.Object{"combinator": "and", "rules": []any{jsonv.Object{"property": "lang", "operator": "=", "value": "<"}}},
	}}})
	phone := jsonv.Object{"title": nil, "icon": nil, "description": nil, "required": false, "default": nil, "format": nil, "date_format": nil, "min_length": nil, "max_length": nil,
		"pattern": nil, "spec": nil, "spec_authentication": nil, "enum": nil, "enum_colors": nil}
	for name, c := range map[string]struct {
		config, typ string
		state       jsonv.Object
	}{
		"system blueprint": {`resource "port_system_blueprint" "this" {
  identifier = "_user"
  properties = { string_props = { phone = {} } }
  relations  = { home = { target = "domain" } }
}`, "port_system_blueprint", jsonv.Object{
			"id": "_user", "identifier": "_user", "mirror_properties": nil, "calculation_properties": nil, "include_in_global_search": nil,
			"properties": jsonv.Object{"string_props": jsonv.Object{"phone": phone}, "number_props": nil, "boolean_props": nil, "array_props": nil, "object_props": nil},
			"relations":  jsonv.Object{"home": jsonv.Object{"target": "domain", "title": nil, "description": nil, "many": false, "required": false}},
		}},
		"aggregations": {`resource "port_aggregation_properties" "this" {
  blueprint_identifier = "domain"
  properties = { n = {
    target_blueprint_identifier = "service"
    method                      = { average_entities = {} }
    query                       = jsonencode({ combinator = "and", rules = [{ property = "lang", operator = "=", value = "<" }] })
  } }
}`, "port_aggregation_properties", jsonv.Object{
			"id": "domain", "blueprint_identifier": "domain",
			"properties": jsonv.Object{"n": jsonv.Object{
				"title": nil, "icon": nil, "description": nil, "target_blueprint_identifier": "service", "path_filter": nil,
				"query": `{"combinator":"and","rules":[{"operator":"=","property":"lang","value":"\u003c"}]}`,
				"method": jsonv.Object{"count_entities": nil, "average_by_property": nil, "aggregate_by_property": nil,
					"average_entities": jsonv.Object{"average_of": "day", "measure_time_by": "$createdAt"}},
			}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newTerminal(t, strings.Replace(source, "portlens/port", "port-labs/port-labs", 1)+c.config, online(p)...)
			u.write("terraform.tfstate", stateFile("port-labs/port-labs", c.typ, "this", c.state))
			if out := u.must(0, "plan", "-detailed-exitcode", "-input=false", "-no-color"); strings.Contains(out, "Objects have changed") {
				t.Errorf("the refresh changes the official state:\n%s", out)
			}
		})
	}
}
