package provider_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/provider"
)

const wholeEntities = `
resource "port_entities" "this" {
  blueprint = "service"
  entities = {
    "a/b:c@d" = {
      title = "A service"
      icon  = "Microservice"
      teams = ["zeta", "alpha"]
      properties = {
        string_props  = { lang = "go", note = "", tier = "bronze" }
        number_props  = { load = 9007199254740993 }
        boolean_props = { live = false }
        object_props  = { meta = "{\"b\": 1.0, \"a\":\"<\"}" }
        array_props = {
          string_items  = { tags = ["b", "a"], any = [] }
          number_items  = { ports = [0.1, 2] }
          boolean_items = { flags = [true, false] }
          object_items  = { links = [jsonencode({ url = "https://x" })] }
        }
      }
      relations = {
        single_relations = { env = "prod" }
        many_relations   = { peers = ["prod", "dev"] }
      }
    }
    other = {
      title      = "Other"
      properties = { string_props = { tier = "silver" } }
    }
  }
}
`

const entitiesRoute = "/v1/blueprints/service/entities/bulk"

func TestEntitiesLiveAWholeLife(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		t.Helper()
		a := open(t, change)
		a.Seed(catalogSeed)
		const at = "port_entities.this"
		updated := strings.Replace(wholeEntities, `"A service"`, `"One service"`, 1)
		gone := func() { a.Must(http.MethodDelete, "/v1/blueprints/service/entities/other", nil) }
		a.run(
			resource.TestStep{Config: wholeEntities},
			resource.TestStep{Config: wholeEntities, PlanOnly: true},
			resource.TestStep{
				PreConfig: a.Forget, Config: updated,
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectResourceAction(at, plancheck.ResourceActionUpdate), only{at, "entities"},
				}},
				Check: a.sent("POST " + entitiesRoute),
			},
			resource.TestStep{Config: updated, PlanOnly: true},
			resource.TestStep{
				ResourceName: at, ImportState: true, ImportStateId: "service:other,a/b:c@d",
				ImportStateVerify: true, ImportStateVerifyIgnore: []string{"create_missing_related_entities", "entities.a/b:c@d.properties.object_props.meta"},
			},
			resource.TestStep{
				ResourceName: at, ImportState: true, ImportStateId: "service",
				ImportStateVerify: true, ImportStateVerifyIgnore: []string{"create_missing_related_entities", "entities.a/b:c@d.properties.object_props.meta"},
			},
			resource.TestStep{ResourceName: at, ImportState: true, ImportStateId: "service:nope", ExpectError: match("has no entity nope")},
			resource.TestStep{ResourceName: at, ImportState: true, ImportStateId: "nope", ExpectError: match("<blueprint_id>:<entity_id>")},
			// Deleted by hand: the plan wants it back, and nothing else.
			resource.TestStep{
				PreConfig: gone, Config: updated,
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectResourceAction(at, plancheck.ResourceActionUpdate), elementChanges{at, []string{"other"}},
				}},
				Check: a.has("service", "a/b:c@d", "other"),
			},
			resource.TestStep{PreConfig: gone, Config: updated, Destroy: true},
		)
		if found := jsonv.List(a.Must(http.MethodGet, "/v1/blueprints/service/entities", nil), "entities"); len(found) > 0 {
			t.Errorf("left behind: %v", found)
		}
	})
}

func TestEntitiesShowTheLeafThatWasChangedByHand(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(catalogSeed)
	steps := []resource.TestStep{{Config: wholeEntities}}
	for name, edit := range map[string]func(jsonv.Object){
		"title":           set("x", "title"),
		"icon gone":       drop("icon"),
		"teams gone":      drop("team"),
		"text":            set("rust", "properties", "lang"),
		"empty text gone": drop("properties", "note"),
		"number":          set(jsonv.Int(1), "properties", "load"),
		"object":          set(jsonv.Object{"a": "<"}, "properties", "meta"),
		"list order":      set([]any{"a", "b"}, "properties", "tags"),
		"relation null":   set(nil, "relations", "env"),
		"relation order":  set([]any{"dev", "prod"}, "relations", "peers"),
	} {
		steps = append(steps, resource.TestStep{
			PreConfig: func() {
				document := jsonv.Map(a.Must(http.MethodGet, entityPath+"?exclude_calculated_properties=true", nil), "entity")
				delete(document, "scorecards")
				edit(document)
				a.Must(http.MethodPut, entityPath, document)
			},
			Config:           wholeEntities,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{named{name, elementChanges{"port_entities.this", []string{"a/b:c@d"}}}}},
		})
	}
	a.run(append(steps, resource.TestStep{Config: wholeEntities, PlanOnly: true})...)
}

// What fails is told entity by entity; what worked stays, also after a creation,
// and the next apply sends the rest alone.
func TestEntitiesKeepWhatWorked(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		t.Helper()
		a := open(t, change)
		a.Seed(catalogSeed)
		config := func(load, env string) string {
			return fmt.Sprintf(`resource "port_entities" "this" {
  blueprint = "service"
  entities = {
    good = { title = "Good", properties = { string_props = { lang = "go" } } }
    bad  = { title = "Bad", properties = { %s } }
    lost = { title = "Lost", relations = { single_relations = { env = %q } } }
    fine = { title = "Fine" }
  }
}`, load, env)
		}
		wrong := config(`string_props = { load = "much" }`, "nowhere")
		a.run(
			resource.TestStep{Config: wrong, ExpectError: regexp.MustCompile(`(?s)service:bad.*properties.*load`)},
			resource.TestStep{Config: wrong, PlanOnly: true, ExpectNonEmptyPlan: true},
			resource.TestStep{
				PreConfig: a.Forget, Config: config(`number_props = { load = 1 }`, "prod"),
				Check: resource.ComposeTestCheckFunc(a.has("service", "good", "bad", "lost", "fine"), a.sent("POST "+entitiesRoute), a.wrote("bad", "lost")),
			},
			resource.TestStep{Config: config(`number_props = { load = 1 }`, "prod"), PlanOnly: true},
			resource.TestStep{Config: wrong, ExpectError: regexp.MustCompile(`(?s)service:lost.*nowhere`)},
			resource.TestStep{
				PreConfig: a.Forget, Config: wrong,
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{elementChanges{"port_entities.this", []string{"bad", "lost"}}}},
				ExpectError:      match("Could not write entity service:bad"),
			},
			resource.TestStep{Config: config(`number_props = { load = 1 }`, "prod"), PlanOnly: true},
		)
	})
}
