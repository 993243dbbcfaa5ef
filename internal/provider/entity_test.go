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
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/provider"
)

// catalogSeed is a blueprint with a property of every kind and two relations.
const catalogSeed = `{
  "blueprints": [
    {"identifier": "env", "title": "Env", "schema": {"properties": {}}},
    {"identifier": "service", "title": "Service", "schema": {"properties": {
      "lang": {"type": "string"}, "note": {"type": "string"}, "load": {"type": "number"}, "live": {"type": "boolean"},
      "meta": {"type": "object"}, "tags": {"type": "array", "items": {"type": "string"}}, "ports": {"type": "array", "items": {"type": "number"}},
      "flags": {"type": "array", "items": {"type": "boolean"}}, "links": {"type": "array", "items": {"type": "object"}}, "any": {"type": "array"},
      "tier": {"type": "string", "default": "silver"}
    }}, "relations": {"env": {"target": "env"}, "peers": {"target": "env", "many": true}},
    "calculationProperties": {"slug": {"calculation": ".identifier", "type": "string"}}},
    {"identifier": "other", "title": "Other", "schema": {"properties": {"lang": {"type": "string"}}}}
  ],
  "entities": [
    {"blueprint": "env", "identifier": "prod", "title": "Prod"},
    {"blueprint": "env", "identifier": "dev", "title": "Dev"}
  ]
}`

const wholeEntity = `
resource "port_entity" "this" {
  blueprint  = "service"
  identifier = "a/b:c@d"
  title      = "A service"
  icon       = "Microservice"
  teams      = ["zeta", "alpha"]
  create_missing_related_entities = true
  properties = {
    string_props  = { lang = "go", note = "" }
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
`

const entityPath = "/v1/blueprints/service/entities/a%2Fb:c@d"

func TestEntityLivesAWholeLifeBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, entityLivesAWholeLife)
}

func entityLivesAWholeLife(t *testing.T, change func(*provider.Options)) {
	t.Helper()
	a := open(t, change)
	a.Seed(catalogSeed)
	// An import shows what defaults fill in, so nothing is left to them here.
	created := strings.Replace(wholeEntity, `note = ""`, `note = "", tier = "bronze"`, 1)
	a.live(life{
		at:      "port_entity.this",
		created: created,
		updated: strings.Replace(created, `"A service"`, `"One service"`, 1),
		path:    entityPath, importID: "service:a/b:c@d",
		ignore: []string{"create_missing_related_entities", "properties.object_props.meta"},
		drift: func() {
			a.Must(http.MethodPatch, entityPath, jsonv.Object{"properties": jsonv.Object{"load": jsonv.Int(1)}})
		},
		shows: []string{"properties"},
	})
}

func TestEntityShowsEveryChangeMadeByHandLong(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(catalogSeed)
	steps := []resource.TestStep{{Config: wholeEntity}}
	for name, c := range map[string]struct {
		edit  func(jsonv.Object)
		shows string
	}{
		"title":             {set("x", "title"), "title"},
		"icon gone":         {drop("icon"), "icon"},
		"teams gone":        {drop("team"), "teams"},
		"a team less":       {set([]any{"alpha"}, "team"), "teams"},
		"text":              {set("rust", "properties", "lang"), "properties"},
		"empty text gone":   {drop("properties", "note"), "properties"},
		"number":            {set(jsonv.Int(1), "properties", "load"), "properties"},
		"boolean gone":      {drop("properties", "live"), "properties"},
		"object":            {set(jsonv.Object{"a": "<"}, "properties", "meta"), "properties"},
		"list order":        {set([]any{"a", "b"}, "properties", "tags"), "properties"},
		"untyped list":      {set([]any{"x"}, "properties", "any"), "properties"},
		"object list":       {set([]any{}, "properties", "links"), "properties"},
		"one more":          {set("gold", "properties", "tier"), "properties"},
		"all gone":          {set(jsonv.Object{}, "properties"), "properties"},
		"relation":          {set("dev", "relations", "env"), "relations"},
		"relation null":     {set(nil, "relations", "env"), "relations"},
		"relation order":    {set([]any{"dev", "prod"}, "relations", "peers"), "relations"},
		"all relations off": {set(jsonv.Object{}, "relations"), "relations"},
	} {
		if enough(steps) {
			break
		}
		steps = append(steps, resource.TestStep{
			PreConfig: func() {
				document := jsonv.Map(a.Must(http.MethodGet, entityPath+"?exclude_calculated_properties=true", nil), "entity")
				delete(document, "scorecards")
				c.edit(document)
				a.Must(http.MethodPut, entityPath, document)
			},
			Config:           wholeEntity,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{named{name, changes{"port_entity.this", []string{c.shows}}}}},
		})
	}
	steps = append(steps, resource.TestStep{Config: wholeEntity, PlanOnly: true})
	a.run(steps...)
}

// A value that the blueprint's default filled in is not drift, unless someone
// changes it.
func TestEntityLeavesDefaultsOfTheBlueprintAloneBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, entityLeavesDefaultsOfTheBlueprintAlone)
}

func entityLeavesDefaultsOfTheBlueprintAlone(t *testing.T, change func(*provider.Options)) {
	t.Helper()
	a := open(t, change)
	a.Seed(catalogSeed)
	config := `resource "port_entity" "this" {
  blueprint  = "service"
  identifier = "a"
  title      = "A"
}`
	a.run(
		resource.TestStep{Config: config},
		resource.TestStep{Config: config, PlanOnly: true},
		resource.TestStep{
			PreConfig: func() {
				if got := jsonv.String(a.Must(http.MethodGet, "/v1/blueprints/service/entities/a", nil), "entity", "properties", "tier"); got != "silver" {
					t.Errorf("the server filled in %q", got)
				}
				a.Must(http.MethodPatch, "/v1/blueprints/service/entities/a", jsonv.Object{"properties": jsonv.Object{"tier": "gold"}})
			},
			Config: config, ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{changes{"port_entity.this", []string{"properties"}}}},
		},
		resource.TestStep{Config: config, PlanOnly: true},
	)
}

// What the official provider shows for ever as a change is none here.
func TestEntityIsQuietAboutSpelling(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no teams":           `teams = []`,
		"no properties":      `properties = {}`,
		"no relations":       `relations = {}`,
		"empty maps":         `properties = { string_props = {}, array_props = { string_items = {} } }`,
		"a null property":    `properties = { string_props = { lang = null } }`,
		"a blank relation":   `relations = { single_relations = { env = null } }`,
		"no icon":            `icon = ""`,
		"no many":            `relations = { many_relations = { peers = [] } }`,
		"text with spaces":   `properties = { object_props = { meta = "{ \"b\" : 1e0,\n \"a\":\"\\u003c\" }" } }`,
		"list in its map":    `properties = { array_props = { number_items = { any = [1] } } }`,
		"empty list":         `properties = { array_props = { boolean_items = { any = [] } } }`,
		"untouched integers": `properties = { number_props = { load = 12345678901234567890 } }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := open(t)
			a.Seed(catalogSeed)
			config := fmt.Sprintf("resource \"port_entity\" \"this\" {\n  blueprint = \"service\"\n  identifier = \"a\"\n  title = \"\"\n  %s\n}", body)
			a.run(
				resource.TestStep{Config: config},
				resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan},
				resource.TestStep{Config: config, PlanOnly: true},
			)
		})
	}
}

func TestEntityGetsAnIdentifierAndKeepsIt(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(catalogSeed)
	config := func(title string) string {
		return fmt.Sprintf(`resource "port_entity" "this" {
  blueprint = "service"
  title     = %q
}`, title)
	}
	pattern := regexp.MustCompile(`^e_[A-Za-z0-9]{16}$`)
	a.run(
		resource.TestStep{
			Config: config("A"),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue("port_entity.this", tfjsonpath.New("identifier"), knownvalue.StringRegexp(pattern)),
				statecheck.ExpectKnownValue("port_entity.this", tfjsonpath.New("id"), knownvalue.StringRegexp(regexp.MustCompile(`^service:e_`))),
			},
		},
		resource.TestStep{Config: config("B"), ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{changes{"port_entity.this", []string{"title"}}}}},
		resource.TestStep{Config: config("B"), PlanOnly: true},
	)
}

func TestEntityRenamesAndMovesBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, entityRenamesAndMoves)
}

func entityRenamesAndMoves(t *testing.T, change func(*provider.Options)) {
	t.Helper()
	a := open(t, change)
	a.Seed(catalogSeed)
	config := func(blueprint, id string) string {
		return fmt.Sprintf(`resource "port_entity" "this" {
  blueprint  = %q
  identifier = %q
  title      = "A"
  properties = { string_props = { lang = "go" } }
}`, blueprint, id)
	}
	gone := func(path string) resource.TestCheckFunc {
		return func(*terraform.State) error {
			if got := a.Call(http.MethodGet, path, nil).Status; got != http.StatusNotFound {
				return fmt.Errorf("%s answers %d", path, got)
			}
			return nil
		}
	}
	a.run(
		resource.TestStep{Config: config("service", "a")},
		resource.TestStep{
			Config: config("service", "b"),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("port_entity.this", plancheck.ResourceActionUpdate),
				changes{"port_entity.this", []string{"id", "identifier"}},
			}},
			Check: gone("/v1/blueprints/service/entities/a"),
		},
		resource.TestStep{
			Config: config("other", "b"),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("port_entity.this", plancheck.ResourceActionUpdate),
				changes{"port_entity.this", []string{"id", "blueprint", "created_at", "created_by"}},
			}},
			Check: gone("/v1/blueprints/service/entities/b"),
		},
		resource.TestStep{Config: config("other", "b"), PlanOnly: true},
	)
}

// When only the deletion of the old entity fails, the state holds the new one.
func TestEntityMoveKeepsTheNewEntityWhenTheOldStays(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(catalogSeed)
	config := func(blueprint string) string {
		return fmt.Sprintf(`resource "port_entity" "this" {
  blueprint  = %q
  identifier = "a"
  title      = "A"
}`, blueprint)
	}
	a.run(
		resource.TestStep{Config: config("service")},
		resource.TestStep{
			PreConfig:   func() { a.Fail(once(http.MethodDelete, "/v1/blueprints/service/entities/a"), 1, refused) },
			Config:      config("other"),
			ExpectError: match("service:a, could not be deleted"),
		},
		resource.TestStep{Config: config("other"), ConfigPlanChecks: emptyPlan},
	)
}

func TestEntityAdoptsOrRefusesWhatExists(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(catalogSeed)
	a.Must(http.MethodPost, "/v1/blueprints/service/entities", jsonv.Object{"identifier": "a", "title": "Theirs"})
	config := func(mode string) string {
		return fmt.Sprintf(`provider "port" {
  on_existing = %q
}
resource "port_entity" "this" {
  blueprint  = "service"
  identifier = "a"
  title      = "Mine"
}`, mode)
	}
	a.run(
		resource.TestStep{Config: config("fail"), ExpectError: regexp.MustCompile(`(?s)already exists.*import \{.*id = "service:a"`)},
		resource.TestStep{Config: config("adopt")},
		resource.TestStep{Config: config("adopt"), PlanOnly: true},
	)
}

// With the setting the race between plan and apply is closed too.
func TestEntityRefusesWhatAppearsAfterThePlan(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(catalogSeed)
	a.Before(once(http.MethodPost, "/v1/blueprints/service/entities"), func() {
		a.Must(http.MethodPost, "/v1/blueprints/service/entities", jsonv.Object{"identifier": "a", "title": "Theirs"})
	})
	a.run(resource.TestStep{
		Config: `provider "port" {
  on_existing = "fail"
}
resource "port_entity" "this" {
  blueprint  = "service"
  identifier = "a"
  title      = "Mine"
}`,
		ExpectError: regexp.MustCompile(`(?s)already exists.*import`),
	})
	if got := jsonv.String(a.Must(http.MethodGet, "/v1/blueprints/service/entities/a", nil), "entity", "title"); got != "Theirs" {
		t.Errorf("title is %q", got)
	}
}

func TestEntitySendsRunAndMissingRelations(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(catalogSeed)
	a.run(resource.TestStep{
		Config: `resource "port_entity" "this" {
  blueprint  = "service"
  identifier = "a"
  title      = "A"
  create_missing_related_entities = true
  relations  = { single_relations = { env = "stage" } }
}`,
		Check: func(*terraform.State) error {
			if got := a.Call(http.MethodGet, "/v1/blueprints/env/entities/stage", nil).Status; got != http.StatusOK {
				return fmt.Errorf("the related entity answers %d", got)
			}
			for _, r := range a.Requests() {
				if r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/entities") && !strings.Contains(r.Query, "upsert=true") {
					return fmt.Errorf("created with %q", r.Query)
				}
			}
			return nil
		},
	})
}

// rows: F10
func TestEntityImportFindsKeysWithColons(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(`{"blueprints": [{"identifier": "a", "title": "A", "schema": {"properties": {}}}, {"identifier": "a:b", "title": "AB", "schema": {"properties": {}}}],
	  "entities": [{"blueprint": "a:b", "identifier": "c:d", "title": "ABCD"}, {"blueprint": "a", "identifier": "x:y", "title": "AXY"}]}`)
	config := `resource "port_entity" "one" {
  blueprint  = "a:b"
  identifier = "c:d"
  title      = "ABCD"
}
resource "port_entity" "two" {
  blueprint  = "a"
  identifier = "x:y"
  title      = "AXY"
}`
	a.run(
		resource.TestStep{Config: config},
		resource.TestStep{ResourceName: "port_entity.one", ImportState: true, ImportStateId: "a:b:c:d", ImportStateVerify: true},
		resource.TestStep{ResourceName: "port_entity.two", ImportState: true, ImportStateId: "a:x:y", ImportStateVerify: true},
		resource.TestStep{ResourceName: "port_entity.two", ImportState: true, ImportStateId: "nothing", ExpectError: match("import ID")},
		resource.TestStep{ResourceName: "port_entity.two", ImportState: true, ImportStateId: "nothing", ExpectError: match("<blueprint_id>:<entity_id>")},
		resource.TestStep{ResourceName: "port_entity.two", ImportState: true, ImportStateId: "a:gone", ExpectError: match("non-existent remote object")},
	)
}

func TestEntityFaultsPointAtTheAttribute(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(catalogSeed)
	a.run(resource.TestStep{
		Config: `resource "port_entity" "this" {
  blueprint  = "service"
  identifier = "a"
  title      = "A"
  properties = { string_props = { load = "much" } }
}`,
		ExpectError: regexp.MustCompile(`(?s)Could not create entity service:a.*load.*blueprint_schema_mismatch|(?s)blueprint_schema_mismatch`),
	})
}

func TestDataSourcesReadByKey(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(catalogSeed)
	a.Must(http.MethodPost, "/v1/blueprints/service/entities", jsonv.Object{
		"identifier": "a", "title": "A", "properties": jsonv.Object{"ports": []any{jsonv.Int(80)}, "tags": []any{}}, "relations": jsonv.Object{"env": "prod"},
	})
	a.Must(http.MethodPatch, "/v1/blueprints/service", jsonv.Object{"calculationProperties": jsonv.Object{
		"doubled": jsonv.Object{"type": "array", "items": jsonv.Object{"type": "number"}, "calculation": "[.properties.ports[] * 2]"},
		"nothing": jsonv.Object{"type": "boolean", "calculation": "null"},
	}})
	config := `data "port_entity" "this" {
  blueprint  = "service"
  identifier = "a"
}
data "port_blueprint" "this" {
  identifier = "service"
}`
	a.run(
		resource.TestStep{Config: config, ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue("data.port_entity.this", tfjsonpath.New("title"), knownvalue.StringExact("A")),
			statecheck.ExpectKnownValue("data.port_entity.this", tfjsonpath.New("properties").AtMapKey("string_props").AtMapKey("tier"), knownvalue.StringExact("silver")),
			statecheck.ExpectKnownValue("data.port_entity.this", tfjsonpath.New("properties").AtMapKey("array_props").AtMapKey("number_items").AtMapKey("ports"),
				knownvalue.ListExact([]knownvalue.Check{knownvalue.Int64Exact(80)})),
			// What the portal computes is shown, typed by its declaration where it says nothing itself.
			statecheck.ExpectKnownValue("data.port_entity.this", tfjsonpath.New("properties").AtMapKey("array_props").AtMapKey("number_items").AtMapKey("doubled"),
				knownvalue.ListExact([]knownvalue.Check{knownvalue.Int64Exact(160)})),
			statecheck.ExpectKnownValue("data.port_entity.this", tfjsonpath.New("properties").AtMapKey("boolean_props").AtMapKey("nothing"), knownvalue.Null()),
			statecheck.ExpectKnownValue("data.port_entity.this", tfjsonpath.New("relations").AtMapKey("single_relations").AtMapKey("env"), knownvalue.StringExact("prod")),
			statecheck.ExpectKnownValue("data.port_blueprint.this", tfjsonpath.New("relations").AtMapKey("peers").AtMapKey("many"), knownvalue.Bool(true)),
			statecheck.ExpectKnownValue("data.port_blueprint.this", tfjsonpath.New("properties").AtMapKey("string_props").AtMapKey("tier").AtMapKey("default"), knownvalue.StringExact("silver")),
		}},
		resource.TestStep{Config: strings.Replace(config, `"a"`, `"gone"`, 1), ExpectError: match("Could not find entity service:gone")},
	)
}
