package provider_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/provider"
)

// wholeBlueprint uses every attribute there is. team is needed by a relation.
const wholeBlueprint = `
resource "port_blueprint" "domain" {
  identifier = "domain"
  title      = "Domain"
  ownership  = { type = "Direct" }
  properties = { string_props = { tier = {} } }
}
resource "port_blueprint" "this" {
  identifier  = "service"
  title       = "Service"
  icon        = "Microservice"
  description = "A deployable unit"
  properties = {
    string_props = {
      lang = {
        title = "Language", icon = "Code", description = "", required = true
        default = "go", enum = ["go", "rust"], enum_colors = { go = "blue", rust = "orange" }
      }
      link  = { format = "url", spec = "embedded-url", spec_authentication = { client_id = "c", token_url = "https://t.example", authorization_url = "https://a.example" } }
      code  = { pattern = "^[a-z]+$", min_length = 0, max_length = 12 }
      since = { format = "date-time", date_format = "relative" }
    }
    number_props = {
      load = { default = 0.1, minimum = 0, maximum = 9007199254740993 }
      size = { enum = [1, 2.5], enum_colors = { "1" = "red" } }
    }
    boolean_props = { live = { default = false } }
    array_props = {
      any     = {}
      names   = { min_items = 0, max_items = 5, string_items = { format = "email", enum = ["a@b.c"], default = ["a@b.c"], enum_colors = {} } }
      counts  = { number_items = { default = [1, 2.5] } }
      flags   = { boolean_items = { default = [true] } }
      objects = { object_items = { default = [jsonencode({ b = 1, a = "<" })] } }
    }
    object_props = { spec = { default = jsonencode({ z = 1, a = [true, null] }), spec = "open-api" } }
  }
  relations = {
    domain = { target = port_blueprint.domain.identifier, title = "Domain", description = "Where it belongs", required = true }
    peers  = { target = "service", many = true }
  }
  mirror_properties = { domain_tier = { path = "domain.tier", title = "Tier" }, plain = { path = "domain.$title" } }
  calculation_properties = {
    slug = {
      calculation = ".identifier | ascii_downcase", type = "string", title = "Slug", description = "Text", icon = "Text"
      format = "markdown", colorized = true, colors = { a = "green" }
    }
    quoted = { calculation = ".properties.lang == 'go'", type = "boolean" }
  }
  ownership                     = { type = "Inherited", path = "domain", title = "Owners" }
  webhook_changelog_destination = { url = "https://hook.example/x", agent = false }
  create_catalog_page           = false
  force_delete_entities         = true
  include_in_global_search      = false
}
`

func TestBlueprintLivesAWholeLifeBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, blueprintLivesAWholeLife)
}

func blueprintLivesAWholeLife(t *testing.T, change func(*provider.Options)) {
	t.Helper()
	a := open(t, change)
	a.live(life{
		at:      "port_blueprint.this",
		created: wholeBlueprint,
		updated: strings.Replace(wholeBlueprint, `"A deployable unit"`, `"Something that runs"`, 1),
		path:    "/v1/blueprints/service", importID: "service",
		ignore: []string{"create_catalog_page", "force_delete_entities"},
		drift: func() {
			a.Must(http.MethodPatch, "/v1/blueprints/service", jsonv.Object{"title": "By hand"})
		},
		shows: []string{"title"},
	})
}

// Each leaf of the document, changed by hand, is exactly that drift.
func TestBlueprintShowsEveryChangeMadeByHandLong(t *testing.T) {
	t.Parallel()
	a := open(t)
	steps := []resource.TestStep{{Config: wholeBlueprint}}
	for name, c := range map[string]struct {
		edit  func(document jsonv.Object)
		shows string
	}{
		"title":               {set("x", "title"), "title"},
		"icon gone":           {drop("icon"), "icon"},
		"description":         {set("x", "description"), "description"},
		"property title":      {set("x", "schema", "properties", "lang", "title"), "properties"},
		"enum order":          {set([]any{"rust", "go"}, "schema", "properties", "lang", "enum"), "properties"},
		"default":             {set("rust", "schema", "properties", "lang", "default"), "properties"},
		"number default":      {set(jsonv.Int(7), "schema", "properties", "load", "default"), "properties"},
		"object default":      {set(jsonv.Object{"z": jsonv.Int(2)}, "schema", "properties", "spec", "default"), "properties"},
		"items default":       {set([]any{}, "schema", "properties", "objects", "default"), "properties"},
		"required":            {set([]any{}, "schema", "required"), "properties"},
		"a property gone":     {drop("schema", "properties", "code"), "properties"},
		"all properties gone": {func(d jsonv.Object) { d["schema"] = jsonv.Object{"properties": jsonv.Object{}} }, "properties"},
		"a property more":     {set(jsonv.Object{"type": "string"}, "schema", "properties", "extra"), "properties"},
		"relation title":      {set("x", "relations", "domain", "title"), "relations"},
		"relation many":       {set(false, "relations", "peers", "many"), "relations"},
		"relation gone":       {drop("relations", "peers"), "relations"},
		"mirror path":         {set("domain.$identifier", "mirrorProperties", "plain", "path"), "mirror_properties"},
		"all mirrors gone":    {set(jsonv.Object{}, "mirrorProperties"), "mirror_properties"},
		"calculation":         {set(".title", "calculationProperties", "slug", "calculation"), "calculation_properties"},
		"colours":             {set(jsonv.Object{"a": "red"}, "calculationProperties", "slug", "colors"), "calculation_properties"},
		"calculations gone":   {set(jsonv.Object{}, "calculationProperties"), "calculation_properties"},
		"ownership":           {set("x", "ownership", "title"), "ownership"},
		"ownership gone":      {drop("ownership"), "ownership"},
		"changelog url":       {set("https://other.example", "changelogDestination", "url"), "webhook_changelog_destination"},
		"changelog gone":      {drop("changelogDestination"), "webhook_changelog_destination"},
		"global search":       {set(true, "includeInGlobalSearch"), "include_in_global_search"},
	} {
		if enough(steps) {
			break
		}
		steps = append(steps, resource.TestStep{
			PreConfig: func() {
				document := jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/service", nil), "blueprint")
				c.edit(document)
				a.Must(http.MethodPut, "/v1/blueprints/service", document)
			},
			Config:           wholeBlueprint,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{named{name, changes{"port_blueprint.this", []string{c.shows}}}}},
		})
	}
	steps = append(steps, resource.TestStep{Config: wholeBlueprint, PlanOnly: true})
	a.run(steps...)
}

// Relations gone by hand is the one removal that the mirrors and the ownership
// of the whole blueprint would forbid.
func TestBlueprintShowsRelationsRemovedByHand(t *testing.T) {
	t.Parallel()
	a := open(t)
	config := `resource "port_blueprint" "this" {
  identifier = "a"
  title      = "A"
  relations  = { self = { target = "a" } }
}`
	a.run(
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig: func() {
				a.Must(http.MethodPut, "/v1/blueprints/a", jsonv.Object{"identifier": "a", "title": "A", "schema": jsonv.Object{"properties": jsonv.Object{}}})
			},
			Config:           config,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{changes{"port_blueprint.this", []string{"relations"}}}},
		},
		resource.TestStep{Config: config, PlanOnly: true},
	)
}

func set(v any, path ...string) func(jsonv.Object) {
	return func(d jsonv.Object) {
		o := jsonv.Map(d, path[:len(path)-1]...)
		o[path[len(path)-1]] = v
	}
}

func drop(path ...string) func(jsonv.Object) {
	return func(d jsonv.Object) { delete(jsonv.Map(d, path[:len(path)-1]...), path[len(path)-1]) }
}

// What says the same in other words is no change, on either side.
func TestBlueprintIsQuietAboutSpellingBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, blueprintIsQuietAboutSpelling)
}

func blueprintIsQuietAboutSpelling(t *testing.T, change func(*provider.Options)) {
	t.Helper()
	a := open(t, change)
	config := func(text string) string {
		return fmt.Sprintf(`resource "port_blueprint" "this" {
  identifier = "a"
  title      = "A"
  properties = {
    object_props = { o = { default = %s } }
    array_props  = { l = { object_items = { default = [%s] } } }
    string_props = {}
  }
  relations         = {}
  mirror_properties = {}
}`, text, text)
	}
	steps := []resource.TestStep{}
	for i, text := range []string{
		`"{\"a\": 1.0, \"b\":\"<\"}"`, `jsonencode({b="<", a=1})`, `"{\"b\":\"\\u003c\",\"a\":1e0}"`, "<<EOT\n{\n  \"b\" : \"<\",\n  \"a\" : 1\n}\nEOT\n",
	} {
		step := resource.TestStep{Config: config(text)}
		if i > 0 {
			step.ConfigPlanChecks = emptyPlan
		}
		steps = append(steps, step, resource.TestStep{Config: config(text), PlanOnly: true})
	}
	a.run(steps...)
}

func TestBlueprintPlansOnlyWhatChangesBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, blueprintPlansOnlyWhatChanges)
}

func blueprintPlansOnlyWhatChanges(t *testing.T, change func(*provider.Options)) {
	t.Helper()
	a := open(t, change)
	config := func(title, extra string) string {
		return fmt.Sprintf(`resource "port_blueprint" "this" {
  identifier = "a"
  title      = %q
  %s
}
resource "port_entity" "e" {
  blueprint  = port_blueprint.this.id
  identifier = "e"
  title      = "E"
}`, title, extra)
	}
	a.run(
		resource.TestStep{Config: config("A", "")},
		resource.TestStep{
			Config: config("B", ""),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				changes{"port_blueprint.this", []string{"title"}},
				plancheck.ExpectKnownValue("port_blueprint.this", tfjsonpath.New("id"), knownvalue.StringExact("a")),
				// What refers to id does not ripple.
				plancheck.ExpectResourceAction("port_entity.e", plancheck.ResourceActionNoop),
			}},
		},
		// A client-side setting is an update without a call and without unknown values.
		resource.TestStep{
			PreConfig: a.Forget,
			Config:    config("B", "force_delete_entities = true"),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				only{"port_blueprint.this", "force_delete_entities"},
			}},
			Check: a.sent(),
		},
		resource.TestStep{Config: config("B", "force_delete_entities = true"), PlanOnly: true},
	)
}

func TestBlueprintRenamesInPlace(t *testing.T) {
	t.Parallel()
	a := open(t)
	config := func(id string) string {
		return fmt.Sprintf(`resource "port_blueprint" "this" {
  identifier = %q
  title      = "A"
}`, id)
	}
	a.run(
		resource.TestStep{Config: config("a")},
		resource.TestStep{
			Config: config("b"),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("port_blueprint.this", plancheck.ResourceActionUpdate),
				changes{"port_blueprint.this", []string{"identifier", "id"}},
			}},
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue("port_blueprint.this", tfjsonpath.New("id"), knownvalue.StringExact("b")),
			},
		},
		resource.TestStep{Config: config("b"), PlanOnly: true},
	)
	if got := a.Call(http.MethodGet, "/v1/blueprints/a", nil).Status; got != http.StatusNotFound {
		t.Errorf("the old name answers %d", got)
	}
}

// What other resources and the schema's blind spots own survives an update.
func TestBlueprintCarriesOverWhatItDoesNotModel(t *testing.T) {
	t.Parallel()
	a := open(t)
	config := func(title string) string {
		return fmt.Sprintf(`resource "port_blueprint" "this" {
  identifier = "a"
  title      = %q
  properties = {
    string_props = { s = { title = %q } }
    array_props  = { l = { string_items = {} } }
  }
}`, title, title)
	}
	a.run(
		resource.TestStep{Config: config("A")},
		resource.TestStep{PreConfig: func() {
			document := jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/a", nil), "blueprint")
			set(true, "schema", "properties", "s", "deprecated")(document)
			set(jsonv.Int(2), "schema", "properties", "l", "items", "minLength")(document)
			set(jsonv.Object{"title": "N", "type": "number", "target": "a", "calculationSpec": jsonv.Object{"calculationBy": "entities", "func": "count"}},
				"aggregationProperties", "n")(document)
			a.Must(http.MethodPut, "/v1/blueprints/a", document)
		}, Config: config("A"), ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: config("B")},
	)
	// The test case destroys at its end, so look at the last PUT.
	var last jsonv.Object
	for _, r := range a.Requests() {
		if r.Method == http.MethodPut {
			body, err := jsonv.DecodeObject([]byte(r.Body))
			if err != nil {
				t.Fatal(err)
			}
			last = body
		}
	}
	if !jsonv.Bool(last, "schema", "properties", "s", "deprecated") ||
		fmt.Sprint(jsonv.Map(last, "schema", "properties", "l", "items")["minLength"]) != "2" ||
		jsonv.String(last, "aggregationProperties", "n", "target") != "a" ||
		jsonv.String(last, "schema", "properties", "s", "title") != "B" {
		t.Errorf("last PUT: %s", jsonv.Encode(last))
	}
}

func TestBlueprintTypeChangeIsRefusedWhilePlanning(t *testing.T) {
	t.Parallel()
	a := open(t)
	config := func(group string, block string) string {
		return fmt.Sprintf(`%s
resource "port_blueprint" "this" {
  identifier = "a"
  title      = "A"
  properties = { %s = { p = { required = true } } }
}`, block, group)
	}
	off := `provider "port" {
  blueprint_property_type_change_protection = false
}`
	a.run(
		resource.TestStep{Config: config("string_props", "")},
		resource.TestStep{
			Config: config("number_props", ""), PlanOnly: true,
			ExpectError: regexp.MustCompile(`(?s)type changed.*properties.*number_props.*blueprint_property_type_change_protection|(?s)type changed.*protection`),
		},
		resource.TestStep{
			PreConfig: a.Forget,
			Config:    config("number_props", off),
			Check:     a.sent("PUT /v1/blueprints/a", "PUT /v1/blueprints/a"),
		},
		resource.TestStep{Config: config("number_props", off), PlanOnly: true},
	)
}

func TestBlueprintDestroyNamesTheWayOut(t *testing.T) {
	t.Parallel()
	a := open(t)
	config := func(force bool) string {
		return fmt.Sprintf(`resource "port_blueprint" "this" {
  identifier            = "a"
  title                 = "A"
  force_delete_entities = %v
}`, force)
	}
	a.run(
		resource.TestStep{Config: config(false)},
		resource.TestStep{
			PreConfig: func() {
				a.Must(http.MethodPost, "/v1/blueprints/a/entities", jsonv.Object{"identifier": "e", "title": "E"})
			},
			Config: config(false), Destroy: true,
			ExpectError: regexp.MustCompile(`(?s)force_delete_entities.*has_dependents`),
		},
		resource.TestStep{Config: config(true)},
	)
	if got := a.Call(http.MethodGet, "/v1/blueprints/a", nil).Status; got != http.StatusNotFound {
		t.Errorf("after the forced destroy the blueprint answers %d", got)
	}
}

func TestBlueprintAdoptsOrRefusesWhatExists(t *testing.T) {
	t.Parallel()
	a := open(t)
	config := func(mode string) string {
		return fmt.Sprintf(`provider "port" {
  on_existing = %q
}
resource "port_blueprint" "this" {
  identifier = "a"
  title      = "Mine"
}`, mode)
	}
	a.Must(http.MethodPost, "/v1/blueprints", jsonv.Object{"identifier": "a", "title": "Theirs", "schema": jsonv.Object{"properties": jsonv.Object{}}})
	a.run(
		resource.TestStep{Config: config("fail"), ExpectError: regexp.MustCompile(`(?s)already exists.*import \{.*id = "a"`)},
		resource.TestStep{Config: config("adopt")},
		resource.TestStep{Config: config("adopt"), PlanOnly: true},
		// A replacement of what is ours is no adoption.
		resource.TestStep{Config: config("fail"), Taint: []string{"port_blueprint.this"}},
	)
}

func TestBlueprintIsAppliedWithJQThatDoesNotParse(t *testing.T) {
	t.Parallel()
	a := open(t)
	// A warning does not stop anything: the apply goes through.
	config := `resource "port_blueprint" "this" {
  identifier             = "a"
  title                  = "A"
  calculation_properties = { k = { calculation = ".a |", type = "string" } }
}`
	a.run(resource.TestStep{Config: config}, resource.TestStep{Config: config, PlanOnly: true})
}
