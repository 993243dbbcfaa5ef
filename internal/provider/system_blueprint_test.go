package provider_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/provider"
)

const wholeSystemBlueprint = `resource "port_blueprint" "office" {
  identifier = "office"
  title      = "Office"
  properties = { string_props = { city = {} } }
}
resource "port_system_blueprint" "this" {
  identifier = "_user"
  properties = {
    string_props  = {
      phone = { title = "Phone", icon = "Phone", description = "How to call", required = true, pattern = "^[0-9+ ]+$", enum = ["1", "2"], enum_colors = { "1" = "red" } }
      since = { format = "date-time", date_format = "relative" }
    }
    number_props  = { level = { default = 0.5, minimum = 0, maximum = 9 } }
    boolean_props = { remote = { default = false } }
    array_props   = { skills = { max_items = 9, string_items = { default = ["go"] } } }
    object_props  = { prefs = { default = jsonencode({ b = 1, a = "<" }), spec = "open-api" } }
  }
  relations              = { office = { target = port_blueprint.office.identifier, title = "Office", description = "Where", many = false } }
  mirror_properties      = { city = { path = "office.city", title = "City" } }
  calculation_properties = { short = {
    calculation = ".title", type = "string", title = "Short", description = "d", icon = "User", format = "url", colorized = true, colors = { a = "green" }
    spec = "embedded-url", spec_authentication = { client_id = "c", token_url = "https://t.example", authorization_url = "https://a.example" }
  } }
  include_in_global_search = true
}
`

const theUser = "port_system_blueprint.this"

// rows: §3.4 1-5
func TestSystemBlueprintLivesAWholeLifeBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		t.Helper()
		a := open(t, change)
		shipped := a.Must(http.MethodGet, "/v1/blueprints/_user", nil)["blueprint"]
		updated := strings.Replace(wholeSystemBlueprint, `"How to call"`, `"Where to call"`, 1)
		a.run(
			resource.TestStep{
				Config: wholeSystemBlueprint,
				Check: func(*terraform.State) error {
					got := jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/_user", nil), "blueprint")
					if _, ok := jsonv.Get(got, "schema", "properties", "status"); !ok || fmt.Sprint(jsonv.List(got, "schema", "required")) != "[phone]" || !jsonv.Bool(got, "includeInGlobalSearch") {
						return fmt.Errorf("Port has %s", jsonv.Encode(got))
					}
					return nil
				},
			},
			resource.TestStep{Config: wholeSystemBlueprint, ConfigPlanChecks: emptyPlan},
			resource.TestStep{Config: updated, ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{only{theUser, "properties"}}}},
			resource.TestStep{Config: updated, ConfigPlanChecks: emptyPlan},
			resource.TestStep{ResourceName: theUser, ImportState: true, ImportStateId: "_user", ImportStateVerify: true},
			resource.TestStep{Config: updated, Destroy: true},
		)
		left := a.Must(http.MethodGet, "/v1/blueprints/_user", nil)["blueprint"]
		stamps := []string{"createdAt", "createdBy", "updatedAt", "updatedBy"}
		if diff := cmp.Diff(without(shipped, stamps...), without(left, stamps...)); diff != "" {
			t.Errorf("destroying leaves: %s", diff)
		}
	})
}

// Each leaf of the additions, changed by hand, is exactly that drift.
func TestSystemBlueprintShowsEveryChangeMadeByHandLong(t *testing.T) {
	t.Parallel()
	a := open(t)
	steps := []resource.TestStep{{Config: wholeSystemBlueprint}}
	for name, c := range map[string]struct {
		edit  func(document jsonv.Object)
		shows string
	}{
		"property title":  {set("x", "schema", "properties", "phone", "title"), "properties"},
		"pattern gone":    {drop("schema", "properties", "phone", "pattern"), "properties"},
		"required":        {set([]any{}, "schema", "required"), "properties"},
		"more required":   {set([]any{"phone", "since"}, "schema", "required"), "properties"},
		"number default":  {set(jsonv.Int(1), "schema", "properties", "level", "default"), "properties"},
		"object default":  {set(jsonv.Object{}, "schema", "properties", "prefs", "default"), "properties"},
		"items":           {set([]any{"c"}, "schema", "properties", "skills", "default"), "properties"},
		"a property gone": {drop("schema", "properties", "remote"), "properties"},
		"a property more": {set(jsonv.Object{"type": "string"}, "schema", "properties", "extra"), "properties"},
		"all gone":        {func(d jsonv.Object) { d["schema"] = jsonv.Object{"properties": jsonv.Object{}} }, "properties"},
		"relation title":  {set("x", "relations", "office", "title"), "relations"},
		"relation more":   {set(jsonv.Object{"target": "_team"}, "relations", "squad"), "relations"},
		"mirror path":     {set("office.$title", "mirrorProperties", "city", "path"), "mirror_properties"},
		"mirrors gone":    {set(jsonv.Object{}, "mirrorProperties"), "mirror_properties"},
		"calculation":     {set(".identifier", "calculationProperties", "short", "calculation"), "calculation_properties"},
		"spec gone": {func(d jsonv.Object) {
			drop("calculationProperties", "short", "spec")(d)
			drop("calculationProperties", "short", "specAuthentication")(d)
		}, "calculation_properties"},
		"client":            {set("x", "calculationProperties", "short", "specAuthentication", "clientId"), "calculation_properties"},
		"calculations gone": {set(jsonv.Object{}, "calculationProperties"), "calculation_properties"},
		"global search":     {set(false, "includeInGlobalSearch"), "include_in_global_search"},
	} {
		if enough(steps) {
			break
		}
		steps = append(steps, resource.TestStep{
			PreConfig: func() {
				document := jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/_user", nil), "blueprint")
				c.edit(document)
				a.Must(http.MethodPut, "/v1/blueprints/_user", document)
			},
			Config:           wholeSystemBlueprint,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{named{name, only{theUser, c.shows}}}},
		})
	}
	steps = append(steps, resource.TestStep{Config: wholeSystemBlueprint, ConfigPlanChecks: emptyPlan})
	a.run(steps...)
}

// Relations gone by hand is what the mirrors of the whole one would forbid.
func TestSystemBlueprintShowsRelationsRemovedByHandLong(t *testing.T) {
	t.Parallel()
	long(t)
	a := open(t)
	config := `resource "port_system_blueprint" "this" {
  identifier = "_user"
  relations  = { squad = { target = "_team" } }
}`
	a.run(
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig: func() {
				document := jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/_user", nil), "blueprint")
				delete(document, "relations")
				a.Must(http.MethodPut, "/v1/blueprints/_user", document)
			},
			Config:           config,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{only{theUser, "relations"}}},
		},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan},
	)
}

// Without any addition there is nothing to make, to show or to lose.
func TestSystemBlueprintMayBeBare(t *testing.T) {
	t.Parallel()
	a := open(t)
	config := `resource "port_system_blueprint" "this" {
  identifier = "_team"
  properties = {}
  relations  = {}
}`
	a.run(
		resource.TestStep{Config: config},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan},
	)
}

// Additions made elsewhere are kept until a plan has shown that they go.
func TestSystemBlueprintAnnouncesWhatItRemovesLong(t *testing.T) {
	t.Parallel()
	long(t)
	a := open(t)
	extend := func() {
		document := jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/_user", nil), "blueprint")
		set(jsonv.Object{"type": "string"}, "schema", "properties", "by_hand")(document)
		a.Must(http.MethodPut, "/v1/blueprints/_user", document)
	}
	extend()
	config := func(more string) string {
		return fmt.Sprintf("resource \"port_system_blueprint\" \"this\" {\n  identifier = \"_user\"\n  properties = { string_props = { phone = {} %s } }\n}", more)
	}
	fails := "provider \"port\" {\n  on_existing = \"fail\"\n}\n"
	a.run(
		resource.TestStep{Config: fails + config(""), PlanOnly: true, ExpectError: match("properties.by_hand")},
		resource.TestStep{Config: fails + config(", by_hand = {}")},
		resource.TestStep{Config: config(""), ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{only{theUser, "properties"}}}},
		resource.TestStep{
			PreConfig: extend, Config: config(""),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{only{theUser, "properties"}}},
		},
		resource.TestStep{Config: config(""), ConfigPlanChecks: emptyPlan},
	)
}

func TestSystemBlueprintMistakesAreFoundWhilePlanning(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(aggregated)
	for name, c := range map[string]struct{ config, want string }{
		"no such blueprint": {`identifier = "_nope"`, "does not support creation"},
		"an ordinary one":   {`identifier = "domain"`, "does not support creation"},
		"required relation": {"identifier = \"_user\"\nrelations = { r = { target = \"domain\", required = true } }", "cannot be required"},
		"key twice":         {"identifier = \"_user\"\nproperties = { string_props = { a = {} } }\ncalculation_properties = { a = { calculation = \".\", type = \"string\" } }", "Key used twice"},
		"bad key":           {"identifier = \"_user\"\nrelations = { \"a b\" = { target = \"domain\" } }", "want letters"},
		"no JSON":           {"identifier = \"_user\"\nproperties = { object_props = { a = { default = \"x\" } } }", "invalid JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := *a
			b.t = t
			b.run(resource.TestStep{Config: "resource \"port_system_blueprint\" \"this\" {\n" + c.config + "\n}", PlanOnly: true, ExpectError: match(c.want)})
		})
	}
}

// A changed type needs the protection off, as with any blueprint.
func TestSystemBlueprintProtectsTypesLong(t *testing.T) {
	t.Parallel()
	long(t)
	a := open(t)
	config := func(provider, group string) string {
		return fmt.Sprintf("%s\nresource \"port_system_blueprint\" \"this\" {\n  identifier = \"_user\"\n  properties = { %s = { level = { required = true } } }\n}", provider, group)
	}
	off := "provider \"port\" {\n  blueprint_property_type_change_protection = false\n}"
	a.run(
		resource.TestStep{Config: config("", "string_props")},
		resource.TestStep{Config: config("", "number_props"), PlanOnly: true, ExpectError: match("blueprint_property_type_change_protection")},
		resource.TestStep{Config: config(off, "number_props")},
		resource.TestStep{Config: config(off, "number_props"), ConfigPlanChecks: emptyPlan},
	)
}

// The relations that scorecards give rule results are neither shown nor lost.
func TestSystemBlueprintKeepsResultTargetsLong(t *testing.T) {
	t.Parallel()
	long(t)
	a := open(t)
	a.Seed(aggregated)
	document := jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/_rule_result", nil), "blueprint")
	set(jsonv.Object{"target": "service", "required": false, "many": false, "type": "rule_result_target"}, "relations", "service")(document)
	a.Must(http.MethodPut, "/v1/blueprints/_rule_result", document)
	config := "resource \"port_system_blueprint\" \"this\" {\n  identifier = \"_rule_result\"\n  properties = { string_props = { note = {} } }\n}"
	a.run(
		resource.TestStep{Config: config},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan},
		resource.TestStep{ResourceName: theUser, ImportState: true, ImportStateId: "_rule_result", ImportStateVerify: true},
		resource.TestStep{Config: config, Destroy: true},
	)
	if got := jsonv.String(a.Must(http.MethodGet, "/v1/blueprints/_rule_result", nil), "blueprint", "relations", "service", "type"); got != "rule_result_target" {
		t.Errorf("the relation is now of type %q", got)
	}
}

// A key that says what it was called before keeps the values.
func TestSystemBlueprintRenamesWithoutLossLong(t *testing.T) {
	t.Parallel()
	long(t)
	a := open(t)
	config := func(property string) string {
		return "resource \"port_system_blueprint\" \"this\" {\n  identifier = \"_team\"\n  properties = { string_props = { " + property + " } }\n}"
	}
	a.run(
		resource.TestStep{Config: config(`floor = {}`)},
		resource.TestStep{
			PreConfig: func() {
				a.Must(http.MethodPost, "/v1/blueprints/_team/entities", jsonv.Object{"identifier": "t", "title": "T", "properties": jsonv.Object{"floor": "3"}})
			},
			Config: config(`storey = { renamed_from = "floor" }`),
			Check: func(*terraform.State) error {
				if got := jsonv.String(a.Must(http.MethodGet, "/v1/blueprints/_team/entities/t", nil), "entity", "properties", "storey"); got != "3" {
					return fmt.Errorf("the value is %q", got)
				}
				return nil
			},
		},
		resource.TestStep{Config: config(`storey = {}`), ConfigPlanChecks: emptyPlan},
	)
}

// A built-in part that the configuration repeats is compared with what Port has.
func TestSystemBlueprintComparesOverridesOfBuiltInPartsLong(t *testing.T) {
	t.Parallel()
	long(t)
	a := open(t)
	config := func(title string) string {
		return fmt.Sprintf("resource \"port_system_blueprint\" \"this\" {\n  identifier = \"_team\"\n  properties = { string_props = { description = { title = %q }, extra = {} } }\n}", title)
	}
	a.run(
		resource.TestStep{Config: config("Description")},
		resource.TestStep{Config: config("Description"), ConfigPlanChecks: emptyPlan},
		// Port lets nobody define it otherwise.
		resource.TestStep{Config: config("Mine"), ExpectError: match("protected_blueprint_violation")},
	)
}
