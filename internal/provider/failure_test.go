package provider_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portapi"
	"github.com/portlens/terraform-provider-port/internal/provider"
)

// impatient sends every call once and gives up soon, so that one ordered failure
// is one failed call.
func impatient(o *provider.Options) {
	o.Client = func(c *portapi.Options) { c.Attempts, c.Timeout = 1, 300*time.Millisecond }
}

// Each call of each resource fails once in each way. The state stays true: what
// was not made is made by the next apply, what was made is not forgotten, and in
// the end the plan is empty.
func TestStateStaysTrueWhenCallsFail(t *testing.T) {
	t.Parallel()
	resources := map[string]struct {
		config                 func(title string) string
		collection, one, write string
	}{
		"blueprint": {
			config: func(title string) string {
				return fmt.Sprintf(`resource "port_blueprint" "this" {
  identifier = "a"
  title      = %q
}`, title)
			},
			collection: "/v1/blueprints", one: "/v1/blueprints/a",
		},
		"entity": {
			config: func(title string) string {
				return fmt.Sprintf(`resource "port_entity" "this" {
  blueprint  = "service"
  identifier = "a"
  title      = %q
}`, title)
			},
			collection: "/v1/blueprints/service/entities", one: "/v1/blueprints/service/entities/a",
		},
	}
	failures := map[string]struct {
		portaltest.Failure
		took bool
	}{
		"500":      {Failure: portaltest.Failure{Status: 500, Code: "internal_error", Message: "broken"}},
		"429":      {Failure: portaltest.Failure{Status: 429, Code: "too_many_requests", Message: "slow down"}},
		"no reply": {Failure: portaltest.Failure{Hang: true}},
		"lost":     {Failure: portaltest.Failure{Drop: true, After: true}, took: true},
	}
	for name, r := range resources {
		for how, f := range failures {
			t.Run(name+" "+how, func(t *testing.T) {
				t.Parallel()
				a := open(t, impatient)
				a.Seed(catalogSeed)
				at := "port_" + name + ".this"
				fail := func(method, path string) func() {
					return func() { a.Fail(once(method, path), 1, f.Failure) }
				}
				wants := func(action plancheck.ResourceActionType) resource.ConfigPlanChecks {
					return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(at, action)}}
				}
				after := func(took, not plancheck.ResourceActionType) resource.ConfigPlanChecks {
					if f.took {
						return wants(took)
					}
					return wants(not)
				}
				a.run(
					resource.TestStep{PreConfig: fail(http.MethodPost, r.collection), Config: r.config("A"), ExpectError: match("Could not create " + name)},
					// What took effect unheard is adopted.
					resource.TestStep{Config: r.config("A"), ConfigPlanChecks: wants(plancheck.ResourceActionCreate)},
					resource.TestStep{PreConfig: fail(http.MethodGet, r.one), Config: r.config("A"), PlanOnly: true, ExpectError: match("Could not read " + name)},
					resource.TestStep{Config: r.config("A"), PlanOnly: true},
					resource.TestStep{PreConfig: fail(http.MethodPut, r.one), Config: r.config("B"), ExpectError: match("Could not update " + name)},
					resource.TestStep{Config: r.config("B"), ConfigPlanChecks: after(plancheck.ResourceActionNoop, plancheck.ResourceActionUpdate)},
					resource.TestStep{Config: r.config("B"), PlanOnly: true},
					resource.TestStep{PreConfig: fail(http.MethodDelete, r.one), Config: r.config("B"), Destroy: true, ExpectError: match("Could not delete " + name)},
					resource.TestStep{Config: r.config("B"), ConfigPlanChecks: after(plancheck.ResourceActionCreate, plancheck.ResourceActionNoop)},
					resource.TestStep{Config: r.config("B"), PlanOnly: true},
				)
			})
		}
	}
}

// When the second of the two PUTs of a type change fails, the state says that the
// property is gone.
func TestTypeChangeThatFailsHalfwayIsTold(t *testing.T) {
	t.Parallel()
	a := open(t, impatient)
	config := func(group string) string {
		return fmt.Sprintf(`provider "port" {
  blueprint_property_type_change_protection = false
}
resource "port_blueprint" "this" {
  identifier = "a"
  title      = "A"
  properties = { %s = { p = {} } }
}`, group)
	}
	a.run(
		resource.TestStep{Config: config("string_props")},
		resource.TestStep{
			PreConfig: func() {
				a.Before(once(http.MethodPut, "/v1/blueprints/a"), func() {
					// Ordered once the first PUT is under way, this hits the second.
					a.Before(once(http.MethodPut, "/v1/blueprints/a"), func() { a.Fail(once(http.MethodPut, "/v1/blueprints/a"), 1, refused) })
				})
			},
			Config:      config("number_props"),
			ExpectError: match("missing_permissions"),
		},
		// -refresh=false would show the same: the plan adds the property.
		resource.TestStep{Config: config("number_props"), ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
			changes{"port_blueprint.this", []string{"properties"}},
		}}},
		resource.TestStep{Config: config("number_props"), PlanOnly: true},
	)
}
