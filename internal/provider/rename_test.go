package provider_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// Renaming a blueprint takes its entities along. One that refers to the
// blueprint, and may be renamed itself in the same apply, is that same object
// afterwards: no second one stands beside it, whatever the provider does about
// what exists.
func TestEntitiesFollowARenamedBlueprintLong(t *testing.T) {
	t.Parallel()
	long(t)
	for _, mode := range []string{"adopt", "fail"} {
		for _, id := range []string{"a:b", "renamed"} {
			t.Run(mode+" "+id, func(t *testing.T) {
				t.Parallel()
				a := open(t)
				config := func(blueprint, id string) string {
					return fmt.Sprintf(`provider "port" {
  on_existing = %q
}
resource "port_blueprint" "b" {
  identifier = %q
  title      = "B"
  properties = { string_props = { p = {} } }
}
resource "port_entity" "e" {
  blueprint  = port_blueprint.b.identifier
  identifier = %q
  title      = "E"
  properties = { string_props = { p = "x" } }
}`, mode, blueprint, id)
				}
				var before jsonv.Object
				a.run(
					resource.TestStep{Config: config("one", "a:b")},
					resource.TestStep{
						PreConfig: func() { before = jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/one/entities/a:b", nil), "entity") },
						Config:    config("two/x", id),
						Check: func(*terraform.State) error {
							all := jsonv.List(a.Must(http.MethodGet, "/v1/blueprints/two%2Fx/entities", nil), "entities")
							if len(all) != 1 || jsonv.String(all[0], "identifier") != id {
								return fmt.Errorf("entities after the rename: %v", all)
							}
							if diff := cmp.Diff(before["createdAt"], jsonv.Map(all[0])["createdAt"]); diff != "" {
								return fmt.Errorf("createdAt: %s", diff)
							}
							return nil
						},
					},
					resource.TestStep{Config: config("two/x", id), ConfigPlanChecks: emptyPlan},
				)
			})
		}
	}
}

// An entity that only shares its identifier with one that is gone is a stranger.
func TestAMoveDoesNotTakeAStrangerForTheEntity(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(catalogSeed)
	config := func(blueprint, id string) string {
		return fmt.Sprintf(`resource "port_entity" "this" {
  blueprint  = %q
  identifier = %q
  title      = "Mine"
}`, blueprint, id)
	}
	a.run(
		resource.TestStep{Config: config("service", "a")},
		resource.TestStep{
			PreConfig: func() {
				a.Before(once(http.MethodGet, "/v1/blueprints/service/entities/a"), func() {
					// After the refresh, while the plan is applied.
					a.Before(once(http.MethodGet, "/v1/blueprints/service/entities/a"), func() {
						a.Advance(1e9)
						a.Must(http.MethodDelete, "/v1/blueprints/service/entities/a", nil)
						a.Must(http.MethodPost, "/v1/blueprints/other/entities", jsonv.Object{"identifier": "a", "title": "Theirs"})
					})
				})
			},
			Config: config("other", "b"),
		},
	)
	if got := jsonv.String(a.Must(http.MethodGet, "/v1/blueprints/other/entities/a", nil), "entity", "title"); got != "Theirs" {
		t.Errorf("the stranger's title is %q", got)
	}
}

// An update replaces the entity; what the blueprint's defaults filled in, and no
// state shows, stays.
func TestEntityUpdateKeepsWhatDefaultsFilledIn(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(catalogSeed)
	config := func(properties string) string {
		return fmt.Sprintf(`resource "port_entity" "this" {
  blueprint  = "service"
  identifier = "a"
  title      = "A"
  properties = { string_props = { %s } }
}`, properties)
	}
	holds := func(want jsonv.Object) resource.TestCheckFunc {
		return func(*terraform.State) error {
			got := jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/service/entities/a?exclude_calculated_properties=true", nil), "entity", "properties")
			if diff := cmp.Diff(want, got); diff != "" {
				return fmt.Errorf("properties: %s", diff)
			}
			return nil
		}
	}
	a.run(
		resource.TestStep{Config: config(`lang = "go"`), Check: holds(jsonv.Object{"lang": "go", "tier": "silver"})},
		resource.TestStep{Config: config(`lang = "rust"`), Check: holds(jsonv.Object{"lang": "rust", "tier": "silver"})},
		resource.TestStep{Config: config(`lang = "rust", tier = "gold"`), Check: holds(jsonv.Object{"lang": "rust", "tier": "gold"})},
		// What the configuration held and drops is dropped.
		resource.TestStep{Config: config(`lang = "rust", tier = "silver"`), Check: holds(jsonv.Object{"lang": "rust", "tier": "silver"})},
		resource.TestStep{Config: config(`lang = "rust"`), Check: holds(jsonv.Object{"lang": "rust"})},
	)
}

// An entity that is destroyed while its blueprint is renamed is gone under either
// name.
func TestAnEntityIsDestroyedWhileItsBlueprintIsRenamed(t *testing.T) {
	t.Parallel()
	a := open(t)
	blueprint := func(id string) string {
		return fmt.Sprintf(`resource "port_blueprint" "b" {
  identifier = %q
  title      = "B"
}
`, id)
	}
	a.run(
		resource.TestStep{Config: blueprint("one") + `resource "port_entity" "e" {
  blueprint  = port_blueprint.b.identifier
  identifier = "e"
  title      = "E"
}`},
		resource.TestStep{Config: blueprint("two"), Check: func(*terraform.State) error {
			if all := jsonv.List(a.Must(http.MethodGet, "/v1/blueprints/two/entities", nil), "entities"); len(all) != 0 {
				return fmt.Errorf("entities after the rename: %v", all)
			}
			return nil
		}},
	)
}
