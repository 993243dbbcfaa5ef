package provider_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// A relation to nothing reads back as the null it was written as, also by an
// import, which has no configuration to go by.
func TestEntityImportsRelationsToNothing(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(catalogSeed)
	a.Must(http.MethodPost, "/v1/blueprints/service/entities", jsonv.Object{"identifier": "a", "title": "A", "relations": jsonv.Object{"env": nil}})
	a.run(resource.TestStep{
		Config: `import {
  to = port_entity.this
  id = "service:a"
}
resource "port_entity" "this" {
  blueprint  = "service"
  identifier = "a"
  title      = "A"
  properties = { string_props = { tier = "silver" } }
  relations  = { single_relations = { env = null } }
}`,
		ConfigPlanChecks: emptyPlan,
		Check:            a.sent("POST /v1/blueprints/service/entities"),
	})
}

// "" names no entity: it is sent as the null it stands for, and stays as it is
// written.
func TestEntityRelationToABlankIsNoneLong(t *testing.T) {
	t.Parallel()
	long(t)
	a := open(t)
	a.Seed(catalogSeed)
	config := func(env string) string {
		return fmt.Sprintf(`resource "port_entity" "this" {
  blueprint  = "service"
  identifier = "a"
  title      = "A"
  relations  = { single_relations = { env = %s } }
}`, env)
	}
	a.run(
		resource.TestStep{Config: config(`"prod"`)},
		resource.TestStep{Config: config(`""`)},
		resource.TestStep{Config: config(`""`), ConfigPlanChecks: emptyPlan},
		// Another word for the same.
		resource.TestStep{PreConfig: a.Forget, Config: config(`null`), Check: a.sent()},
		resource.TestStep{Config: config(`null`), ConfigPlanChecks: emptyPlan, Check: func(*terraform.State) error {
			v, ok := jsonv.Get(a.Must(http.MethodGet, "/v1/blueprints/service/entities/a", nil), "entity", "relations", "env")
			if !ok || v != nil {
				return fmt.Errorf("the relation is %v", v)
			}
			return nil
		}},
	)
}
