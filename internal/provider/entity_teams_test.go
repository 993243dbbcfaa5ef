package provider_test

import (
	"net/http"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// Teams that an entity inherits are none of its own: a configuration without them
// plans empty and imports alike, also when the owner changes hands.
func TestInheritedTeamsAreNoDrift(t *testing.T) {
	t.Parallel()
	a := open(t)
	for _, team := range []string{"one", "two"} {
		a.Must(http.MethodPost, "/v1/blueprints/_team/entities", jsonv.Object{"identifier": team, "title": team})
	}
	a.Seed(`{"blueprints": [
	  {"identifier": "domain", "title": "D", "ownership": {"type": "Direct"}, "schema": {"properties": {}}},
	  {"identifier": "service", "title": "S", "ownership": {"type": "Inherited", "path": "domain"}, "schema": {"properties": {}}, "relations": {"domain": {"target": "domain"}}}],
	 "entities": [{"blueprint": "domain", "identifier": "d", "title": "D", "team": ["one"]}]}`)
	for _, c := range []struct{ at, id, config string }{
		{"port_entity.this", "service:a", `resource "port_entity" "this" {
  blueprint  = "service"
  identifier = "a"
  title      = "A"
  relations  = { single_relations = { domain = "d" } }
}
data "port_entity" "this" {
  blueprint  = "service"
  identifier = port_entity.this.identifier
}`},
		{"port_entities.this", "service", `resource "port_entities" "this" {
  blueprint = "service"
  entities  = { a = { title = "A", relations = { single_relations = { domain = "d" } } } }
}
data "port_entity" "this" {
  blueprint  = "service"
  identifier = "a"
  depends_on = [port_entities.this]
}`},
	} {
		a.run(
			resource.TestStep{Config: c.config, Check: resource.TestCheckTypeSetElemAttr("data.port_entity.this", "teams.*", "one")},
			resource.TestStep{Config: c.config, ConfigPlanChecks: emptyPlan},
			resource.TestStep{ResourceName: c.at, ImportState: true, ImportStateId: c.id, ImportStateVerify: true},
			resource.TestStep{
				PreConfig: func() {
					a.Must(http.MethodPatch, "/v1/blueprints/domain/entities/d", jsonv.Object{"team": []any{"two"}})
				}, Config: c.config, Check: resource.TestCheckTypeSetElemAttr("data.port_entity.this", "teams.*", "two"), ExpectNonEmptyPlan: false,
			},
			resource.TestStep{Config: c.config, Destroy: true},
		)
		a.Must(http.MethodPatch, "/v1/blueprints/domain/entities/d", jsonv.Object{"team": []any{"one"}})
	}
}
