package provider_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
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

func TestEntitiesLiveAWholeLifeBothWays(t *testing.T) {
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

func TestEntitiesShowTheLeafThatWasChangedByHandLong(t *testing.T) {
	t.Parallel()
	long(t)
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
func TestEntitiesKeepWhatWorkedBothWays(t *testing.T) {
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

// nodes is a blueprint whose entities relate to each other.
const nodes = `{"blueprints": [{"identifier": "node", "title": "Node", "schema": {"properties": {"n": {"type": "number"}}}, "relations": {
  "next": {"target": "node"}, "all": {"target": "node", "many": true}, "parent": {"target": "node", "required": %v}}}]}`

// Entities of a group may relate to each other in any order and in circles, and
// are destroyed in one run though some require others.
func TestEntitiesRelateToEachOtherLong(t *testing.T) {
	t.Parallel()
	long(t)
	a := open(t)
	a.Seed(fmt.Sprintf(nodes, false))
	const config = `locals { n = 45 }
resource "port_entities" "ring" {
  blueprint = "node"
  entities = { for i in range(local.n) : "n${i}" => {
    title = "Node ${i}"
    relations = {
      single_relations = { next = "n${(i + 1) % local.n}", parent = i == 0 ? null : "n${i - 1}" }
      many_relations   = { all = ["n${(i + 7) % local.n}", "n${i}", "n${(i + 19) % local.n}"] }
    }
  } }
}`
	a.run(
		resource.TestStep{Config: config},
		resource.TestStep{Config: config, PlanOnly: true},
	)

	required := open(t)
	required.Seed(fmt.Sprintf(nodes, true))
	// The root is its own parent; 150 entities take two calls to delete.
	tree := strings.ReplaceAll(strings.ReplaceAll(config, "45", "150"), `i == 0 ? null : "n${i - 1}"`, `"n${floor(i / 2)}"`)
	required.run(
		resource.TestStep{Config: tree},
		resource.TestStep{Config: tree, PlanOnly: true},
		resource.TestStep{PreConfig: required.Forget, Config: tree, Destroy: true, Check: required.sent("POST /v1/blueprints/node/bulk/entities/delete", "POST /v1/blueprints/node/bulk/entities/delete")},
	)
	if err := required.has("node")(nil); err != nil {
		t.Error(err)
	}
}

// A deletion that something outside blocks names the entity and what is in the
// way; the other entities go.
func TestEntitiesSayWhatBlocksADeletion(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(`{"blueprints": [{"identifier": "env", "title": "Env", "schema": {"properties": {}}},
	  {"identifier": "app", "title": "App", "schema": {"properties": {}}, "relations": {"env": {"target": "env", "required": true}}}]}`)
	config := func(ids ...string) string {
		return fmt.Sprintf(`resource "port_entities" "this" {
  blueprint = "env"
  entities  = { for id in %s : id => { title = id } }
}`, jsonv.Encode(jsonv.FromStrings(ids)))
	}
	use := func() {
		a.Must(http.MethodPost, "/v1/blueprints/app/entities", jsonv.Object{"identifier": "shop", "title": "Shop", "relations": jsonv.Object{"env": "b"}})
	}
	a.run(
		resource.TestStep{Config: config("a", "b", "c", "d")},
		resource.TestStep{PreConfig: use, Config: config("a"), ExpectError: regexp.MustCompile(`(?s)Could not delete entity env:b.*"shop"`)},
		resource.TestStep{
			Config:             config("a"),
			PlanOnly:           true,
			ExpectNonEmptyPlan: true,
			ConfigPlanChecks:   resource.ConfigPlanChecks{PostApplyPostRefresh: []plancheck.PlanCheck{elementChanges{"port_entities.this", []string{"b"}}}},
		},
		resource.TestStep{
			PreConfig: func() {
				if err := a.has("env", "a", "b")(nil); err != nil {
					t.Error(err)
				}
				a.Must(http.MethodDelete, "/v1/blueprints/app/entities/shop", nil)
			},
			Config: config("a"), Check: a.has("env", "a"),
		},
	)
}

func TestEntitiesAdoptOrRefuseWhatExists(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(catalogSeed)
	a.Must(http.MethodPost, "/v1/blueprints/service/entities", jsonv.Object{"identifier": "a", "title": "Theirs"})
	config := func(mode, ids string) string {
		return fmt.Sprintf(`provider "port" {
  on_existing = %q
}
resource "port_entities" "this" {
  blueprint = "service"
  entities  = { for id in [%s] : id => { title = "Mine" } }
}`, mode, ids)
	}
	appear := func() {
		a.Before(once(http.MethodPost, entitiesRoute), func() {
			a.Must(http.MethodPost, "/v1/blueprints/service/entities", jsonv.Object{"identifier": "c", "title": "Theirs"})
		})
	}
	a.run(
		resource.TestStep{Config: config("fail", `"a", "b"`), ExpectError: regexp.MustCompile(`(?s)service:a already exists.*import \{.*id = "service:a"`)},
		// What appears after the plan is refused too, and the others are made.
		resource.TestStep{PreConfig: appear, Config: config("fail", `"b", "c"`), ExpectError: match("service:c already exists")},
		resource.TestStep{Config: config("fail", `"b"`), Check: a.has("service", "a", "b", "c")},
		resource.TestStep{Config: config("adopt", `"a", "b", "c"`), Check: func(*terraform.State) error {
			if got := jsonv.String(a.Must(http.MethodGet, "/v1/blueprints/service/entities/c", nil), "entity", "title"); got != "Mine" {
				return fmt.Errorf("title is %q", got)
			}
			return nil
		}},
		resource.TestStep{Config: config("adopt", `"a", "b", "c"`), PlanOnly: true},
	)
}

// Entities move between resources in one apply without being lost, and a group is
// replaced without deleting what stays in it.
func TestEntitiesMoveBetweenResourcesLong(t *testing.T) {
	t.Parallel()
	long(t)
	a := open(t)
	a.Seed(catalogSeed)
	const one = `resource "port_entities" "one" {
  blueprint = "service"
  entities  = { a = { title = "A" }, b = { title = "B" } }
}
resource "port_entities" "two" {
  blueprint = "service"
  entities  = { c = { title = "C" } }
}`
	const other = `resource "port_entities" "one" {
  blueprint = "service"
  entities  = { a = { title = "A" } }
}
resource "port_entities" "two" {
  blueprint  = "service"
  entities   = { c = { title = "C" } }
  depends_on = [port_entity.b]
  lifecycle {
    create_before_destroy = true
  }
}
resource "port_entity" "b" {
  blueprint  = "service"
  identifier = "b"
  title      = "B"
}`
	made := func() string {
		return jsonv.String(a.Must(http.MethodGet, "/v1/blueprints/service/entities/c", nil), "entity", "createdAt")
	}
	before := ""
	a.run(
		resource.TestStep{Config: one},
		resource.TestStep{Config: other},
		resource.TestStep{Config: other, Check: a.has("service", "a", "b", "c")},
		resource.TestStep{
			PreConfig: func() { before = made(); a.Advance(3_600_000_000_000) },
			Taint:     []string{"port_entities.two"}, Config: other,
			Check: resource.ComposeTestCheckFunc(a.has("service", "a", "b", "c"), func(*terraform.State) error {
				if now := made(); now != before {
					return fmt.Errorf("c was made anew at %s", now)
				}
				return nil
			}),
		},
		resource.TestStep{Config: other, PlanOnly: true},
	)
}

// Another blueprint is another group: the old entities go.
func TestEntitiesAreReplacedInAnotherBlueprint(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(catalogSeed)
	config := func(blueprint string) string {
		return fmt.Sprintf(`resource "port_entities" "this" {
  blueprint = %q
  entities  = { a = { title = "A" }, b = { title = "B" } }
}`, blueprint)
	}
	a.run(
		resource.TestStep{Config: config("service")},
		resource.TestStep{
			Config: config("other"),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("port_entities.this", plancheck.ResourceActionReplace),
			}},
			Check: resource.ComposeTestCheckFunc(a.has("service"), a.has("other", "a", "b")),
		},
	)
}

// A value that the blueprint's default filled in is neither drift nor lost when
// the entity changes.
func TestEntitiesLeaveDefaultsOfTheBlueprintAlone(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(catalogSeed)
	config := func(title string) string {
		return fmt.Sprintf(`resource "port_entities" "this" {
  blueprint = "service"
  entities  = { a = { title = %q }, gone = null }
}`, title)
	}
	a.run(
		resource.TestStep{Config: config("A")},
		resource.TestStep{Config: config("A"), PlanOnly: true},
		resource.TestStep{Config: config("B"), Check: func(*terraform.State) error {
			if got := jsonv.String(a.Must(http.MethodGet, "/v1/blueprints/service/entities/a", nil), "entity", "properties", "tier"); got != "silver" {
				return fmt.Errorf("tier is %q", got)
			}
			return nil
		}},
		resource.TestStep{Config: config("B"), PlanOnly: true},
	)
}

func TestEntitiesMistakesAreFoundWhilePlanning(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"identifier with a blank": {`entities = { "a b" = { title = "A" } }`, `a b`},
		"no title":                {`entities = { a = {} }`, `title`},
		"broken JSON":             {`entities = { a = { title = "A", properties = { object_props = { k = "{" } } } }`, `line 1`},
		"two values":              {`entities = { a = { title = "A", properties = { string_props = { k = "x" }, number_props = { k = 1 } } } }`, `can have one value`},
		"no entities":             {``, `entities`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: servers(provider.Options{Transport: unreachable{}, Getenv: environment(map[string]string{
					"PORT_CLIENT_ID": "x", "PORT_CLIENT_SECRET": "x", "PORT_BASE_URL": portaltest.Embedded,
				})}),
				Steps: []resource.TestStep{{
					Config:   "resource \"port_entities\" \"this\" {\n  blueprint = \"service\"\n  " + c.body + "\n}",
					PlanOnly: true, ExpectError: match(c.want),
				}},
			})
		})
	}
}
