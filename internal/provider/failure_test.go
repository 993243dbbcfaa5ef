package provider_test

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
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
func TestStateStaysTrueWhenCallsFailLong(t *testing.T) {
	t.Parallel()
	long(t)
	resources := map[string]struct {
		config func(title string) string
		// The calls that create, read, update and delete it.
		create, read, update, remove portaltest.Match
		// says maps a verb to what failing says, where it is not "Could not <verb> <name>".
		says map[string]string
		// refuses says that it takes over nothing: what was made unheard has to be
		// removed by hand.
		refuses bool
		// stays says that the resource is there even with nothing in it.
		stays bool
	}{
		"blueprint": {
			config: func(title string) string {
				return fmt.Sprintf(`resource "port_blueprint" "this" {
  identifier = "a"
  title      = %q
}`, title)
			},
			create: once(http.MethodPost, "/v1/blueprints"), read: once(http.MethodGet, "/v1/blueprints/a"),
			update: once(http.MethodPut, "/v1/blueprints/a"), remove: once(http.MethodDelete, "/v1/blueprints/a"),
		},
		"entity": {
			config: func(title string) string {
				return fmt.Sprintf(`resource "port_entity" "this" {
  blueprint  = "service"
  identifier = "a"
  title      = %q
}`, title)
			},
			create: once(http.MethodPost, "/v1/blueprints/service/entities"), read: once(http.MethodGet, "/v1/blueprints/service/entities/a"),
			update: once(http.MethodPut, "/v1/blueprints/service/entities/a"), remove: once(http.MethodDelete, "/v1/blueprints/service/entities/a"),
		},
		"team": {
			config: func(title string) string {
				return fmt.Sprintf("resource \"port_team\" \"this\" {\n  name = \"Core\"\n  description = %q\n}", title)
			},
			create: once(http.MethodPost, "/v1/teams"), read: once(http.MethodGet, "/v1/teams/Core"),
			update: once(http.MethodPatch, "/v1/teams/Core"), remove: once(http.MethodDelete, "/v1/teams/Core"),
		},
		"user": {
			config: func(title string) string {
				return fmt.Sprintf("resource \"port_user\" \"this\" {\n  email = \"ann@x.io\"\n  name = %q\n}", title)
			},
			create: once(http.MethodPost, people), read: once(http.MethodGet, ann), update: once(http.MethodPatch, ann), remove: once(http.MethodDelete, ann),
		},
		"service_account": {
			config: func(title string) string {
				return fmt.Sprintf("resource \"port_service_account\" \"this\" {\n  identifier = \"bot\"\n  title = %q\n}", title)
			},
			create: once(http.MethodPost, people), read: once(http.MethodGet, botPath), update: once(http.MethodPatch, botPath), remove: once(http.MethodDelete, botPath),
			says: map[string]string{
				"create": "Could not create service account", "read": "Could not read service account",
				"update": "Could not update service account", "delete": "Could not delete service account",
			},
		},
		"blueprint_relation": {
			config: func(title string) string {
				return fmt.Sprintf(`resource "port_blueprint_relation" "this" {
  blueprint_identifier = "service"
  identifier           = "a"
  target               = "env"
  title                = %q
}`, title)
			},
			create: once(http.MethodPatch, "/v1/blueprints/service"), read: once(http.MethodGet, "/v1/blueprints/service"),
			update: once(http.MethodPatch, "/v1/blueprints/service"), remove: once(http.MethodPatch, "/v1/blueprints/service"),
			says: map[string]string{
				"create": "Could not create blueprint relation", "read": "Could not read blueprint relation",
				"update": "Could not update blueprint relation", "delete": "Could not delete blueprint relation",
			},
			refuses: true,
		},
		"entities": {
			config: func(title string) string {
				return fmt.Sprintf(`resource "port_entities" "this" {
  blueprint = "service"
  entities  = { a = { title = %q } }
}`, title)
			},
			create: once(http.MethodPost, "/v1/blueprints/service/entities/bulk"), read: once(http.MethodPost, "/v1/blueprints/service/entities/search"),
			update: once(http.MethodPost, "/v1/blueprints/service/entities/bulk"), remove: once(http.MethodPost, "/v1/blueprints/service/bulk/entities/delete"),
			says:  map[string]string{"create": "Could not write the entities", "update": "Could not write the entities", "delete": "Could not write the entities"},
			stays: true,
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
				refusal := func(verb string) *regexp.Regexp {
					if words, ok := r.says[verb]; ok {
						return match(words)
					}
					return match("Could not " + verb + " " + name)
				}
				fail := func(call portaltest.Match) func() {
					return func() { a.Fail(call, 1, f.Failure) }
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
				gone := plancheck.ResourceActionCreate
				if r.stays {
					gone = plancheck.ResourceActionUpdate
				}
				steps := []resource.TestStep{{PreConfig: fail(r.create), Config: r.config("A"), ExpectError: refusal("create")}}
				again := func() {}
				if r.refuses && f.took {
					steps = append(steps, resource.TestStep{Config: r.config("A"), ExpectError: match("already exists")})
					again = func() {
						a.Must(http.MethodPatch, "/v1/blueprints/service", jsonv.Object{"relations": jsonv.Object{"a": nil}})
					}
				}
				a.run(append(steps,
					// What took effect unheard is adopted.
					resource.TestStep{PreConfig: again, Config: r.config("A"), ConfigPlanChecks: wants(plancheck.ResourceActionCreate)},
					resource.TestStep{PreConfig: fail(r.read), Config: r.config("A"), PlanOnly: true, ExpectError: refusal("read")},
					resource.TestStep{Config: r.config("A"), PlanOnly: true},
					resource.TestStep{PreConfig: fail(r.update), Config: r.config("B"), ExpectError: refusal("update")},
					resource.TestStep{Config: r.config("B"), ConfigPlanChecks: after(plancheck.ResourceActionNoop, plancheck.ResourceActionUpdate)},
					resource.TestStep{Config: r.config("B"), PlanOnly: true},
					resource.TestStep{PreConfig: fail(r.remove), Config: r.config("B"), Destroy: true, ExpectError: refusal("delete")},
					resource.TestStep{Config: r.config("B"), ConfigPlanChecks: after(gone, plancheck.ResourceActionNoop)},
					resource.TestStep{Config: r.config("B"), PlanOnly: true},
				)...)
			})
		}
	}
}

// When the second of the two PUTs of a type change fails, the state says that the
// property is gone.
func TestTypeChangeThatFailsHalfwayIsToldLong(t *testing.T) {
	t.Parallel()
	long(t)
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
