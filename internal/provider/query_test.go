package provider_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/provider"
)

// fleet has services in two domains, with a value of every kind.
const fleet = `{"blueprints": [
  {"identifier": "domain", "title": "Domain", "schema": {"properties": {}}},
  {"identifier": "service", "title": "Service", "schema": {"properties": {
     "lang": {"type": "string"}, "cost": {"type": "number"}, "live": {"type": "boolean"}, "spec": {"type": "object"},
     "tags": {"type": "array"}, "ports": {"type": "array", "items": {"type": "number"}}, "born": {"type": "string", "format": "date-time"}}},
   "relations": {"domain": {"target": "domain"}, "peers": {"target": "service", "many": true}},
   "mirrorProperties": {"domain_title": {"path": "domain.$title"}},
   "calculationProperties": {"slug": {"calculation": ".title | ascii_downcase", "type": "string"}}}],
 "entities": [
  {"blueprint": "domain", "identifier": "shop", "title": "Shop"},
  {"blueprint": "service", "identifier": "a", "title": "A", "icon": "Go", "team": ["x"],
   "properties": {"lang": "go", "cost": 5, "live": true, "spec": {"k": "<"}, "tags": ["t"], "ports": [80, 443], "born": "2024-01-01T00:00:00.000Z"},
   "relations": {"domain": "shop"}},
  {"blueprint": "service", "identifier": "b", "title": "B", "properties": {"lang": "rust", "cost": 7, "live": false, "ports": [], "spec": null}, "relations": {"domain": null, "peers": ["a"]}},
  {"blueprint": "service", "identifier": "c", "title": "C"}]}`

func queryOf(rules string) string {
	return `jsonencode({ combinator = "and", rules = [` + rules + `] })`
}

const services = `{ property = "$blueprint", operator = "=", value = "service" }`

func TestSearchShowsEntitiesOfTheWholeCatalogBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, searchShowsEntitiesOfTheWholeCatalog)
}

func searchShowsEntitiesOfTheWholeCatalog(t *testing.T, change func(*provider.Options)) {
	t.Helper()
	a := open(t, change)
	a.Seed(fleet)
	at := func(path ...any) tfjsonpath.Path {
		p := tfjsonpath.New("entities")
		for _, step := range path {
			switch step := step.(type) {
			case int:
				p = p.AtSliceIndex(step)
			case string:
				p = p.AtMapKey(step)
			}
		}
		return p
	}
	is := func(p tfjsonpath.Path, v knownvalue.Check) statecheck.StateCheck {
		return statecheck.ExpectKnownValue("data.port_search.this", p, v)
	}
	text := knownvalue.StringExact
	a.run(resource.TestStep{
		Config: `data "port_search" "this" {
  query                         = ` + queryOf(services) + `
  exclude_calculated_properties = true
  attach_title_to_relation      = true
}`,
		ConfigStateChecks: []statecheck.StateCheck{
			is(tfjsonpath.New("matching_blueprints"), knownvalue.ListExact([]knownvalue.Check{text("service")})),
			// SHA-256 of the query's text, then "true", then "true".
			is(tfjsonpath.New("id"), text("10dc1fff945381f6d264aacc9db0829a0165a3f3520068522bef82d4bdedbd6f")),
			is(tfjsonpath.New("entities"), knownvalue.ListSizeExact(3)),
			is(at(0, "identifier"), text("a")),
			is(at(0, "icon"), text("Go")),
			is(at(0, "run_id"), knownvalue.Null()),
			is(at(0, "teams"), knownvalue.SetExact([]knownvalue.Check{text("x")})),
			is(at(0, "created_at"), text("2024-01-01 00:00:00 +0000 UTC")),
			is(at(0, "properties", "string_props"), knownvalue.MapExact(map[string]knownvalue.Check{"lang": text("go"), "born": text("2024-01-01T00:00:00.000Z")})),
			is(at(0, "properties", "object_props", "spec"), text(`{"k":"\u003c"}`)),
			is(at(0, "properties", "array_props", "string_items", "tags"), knownvalue.ListExact([]knownvalue.Check{text("t")})),
			is(at(0, "relations", "single_relations"), knownvalue.MapExact(map[string]knownvalue.Check{"domain": text("shop")})),
			is(at(0, "relations", "many_relations"), knownvalue.MapExact(map[string]knownvalue.Check{})),
			is(at(1, "properties", "array_props", "number_items", "ports"), knownvalue.ListExact([]knownvalue.Check{})),
			is(at(1, "relations", "single_relations"), knownvalue.MapExact(map[string]knownvalue.Check{})),
			is(at(1, "relations", "many_relations", "peers"), knownvalue.ListExact([]knownvalue.Check{text("a")})),
			is(at(2, "relations"), knownvalue.Null()),
			is(at(2, "properties"), knownvalue.Null()),
			is(at(2, "teams"), knownvalue.Null()),
			is(at(2, "scorecards"), knownvalue.Null()),
		},
		Check: func(*terraform.State) error {
			for _, r := range a.Requests() {
				if strings.HasSuffix(r.Path, "/entities/search") && r.Query != "attach_title_to_relation=true&exclude_calculated_properties=true" {
					return fmt.Errorf("asked with %s", r.Query)
				}
			}
			return nil
		},
	})
}

func TestSearchWithoutMatchesIsAnEmptyList(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.run(resource.TestStep{
		Config: `data "port_search" "this" {
  query = ` + queryOf(`{ property = "$identifier", operator = "=", value = "nobody" }`) + `
}`,
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue("data.port_search.this", tfjsonpath.New("entities"), knownvalue.ListExact([]knownvalue.Check{})),
			statecheck.ExpectKnownValue("data.port_search.this", tfjsonpath.New("matching_blueprints"), knownvalue.ListExact([]knownvalue.Check{})),
		},
	})
}

// One value that no attribute can hold hides neither its entity nor the others,
// and a blueprint that cannot be read only costs what it knows of types.
func TestSearchToleratesWhatItCannotShow(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(fleet)
	a.Must(http.MethodPatch, "/v1/blueprints/service/entities/a", jsonv.Object{"properties": jsonv.Object{"tags": []any{"t", jsonv.Int(1)}}})
	a.Fail(once(http.MethodGet, "/v1/blueprints/service"), 100, refused)
	a.run(resource.TestStep{
		Config: `data "port_search" "this" {
  query   = ` + queryOf(services) + `
  include = ["properties.tags", "properties.lang"]
  exclude = ["properties.spec"]
}
output "languages" {
  value = [for e in data.port_search.this.entities : try(e.properties.string_props.lang, "none")]
}`,
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownOutputValue("languages", knownvalue.ListExact([]knownvalue.Check{
				knownvalue.StringExact("go"), knownvalue.StringExact("rust"), knownvalue.StringExact("none"),
			})),
		},
	})
}

func TestEntitiesAreFilteredByPortLong(t *testing.T) {
	t.Parallel()
	long(t)
	a := open(t)
	a.Seed(fleet)
	for name, c := range map[string]struct{ arguments, want string }{
		"all":            {``, "a,b,c"},
		"text":           {`rules = [{ property = "lang", operator = "=", value = "go" }]`, "a"},
		"a number":       {`rules = [{ property = "cost", operator = ">", value = 6 }]`, "b"},
		"equal number":   {`rules = [{ property = "cost", operator = "=", value = "5" }]`, "a"},
		"a flag":         {`rules = [{ property = "live", operator = "=", value = true }]`, "a"},
		"several":        {`rules = [{ property = "$identifier", operator = "in", values = ["c", "a"] }]`, "a,c"},
		"some numbers":   {`rules = [{ property = "cost", operator = "in", values = [5, 6] }]`, "a"},
		"other numbers":  {`rules = [{ property = "cost", operator = "notIn", values = [5, 6] }]`, "b,c"},
		"no flags":       {`rules = [{ property = "live", operator = "notIn", values = [true, false] }]`, "c"},
		"in numbers":     {`rules = [{ property = "ports", operator = "contains", value = 80 }]`, "a"},
		"among numbers":  {`rules = [{ property = "ports", operator = "containsAny", values = [1, 443] }]`, "a"},
		"nothing there":  {`rules = [{ property = "lang", operator = "isEmpty" }]`, "c"},
		"or":             {"combinator = \"or\"\nrules = [{ property = \"lang\", operator = \"=\", value = \"go\" }, { property = \"$title\", operator = \"=\", value = \"C\" }]", "a,c"},
		"a period":       {`rules = [{ property = "born", operator = "between", period = { from = "2023-12-31T00:00:00Z", to = "2024-01-02T00:00:00Z" } }]`, "a"},
		"a relation":     {`rules = [{ relation = "domain", operator = "=", value = "shop" }]`, "a"},
		"related":        {`rules = [{ blueprint = "domain", operator = "relatedTo", value = "shop", direction = "downstream" }]`, "a,b"},
		"raw":            {`query = ` + queryOf(`{ combinator = "or", rules = [{ property = "cost", operator = "<", value = 6 }] }`), "a"},
		"limited":        {`limit = 2`, "a,b"},
		"none":           {`rules = [{ property = "lang", operator = "=", value = "cobol" }]`, ""},
		"only some keys": {`include = ["lang"]`, "a,b,c"},
		"all but some":   {`exclude = ["lang", "$identifier"]`, "a,b,c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := *a
			b.t = t
			b.run(resource.TestStep{
				Config: fmt.Sprintf("data \"port_entities\" \"this\" {\n  blueprint = \"service\"\n  %s\n}\noutput \"found\" {\n  value = join(\",\", data.port_entities.this.identifiers)\n}", c.arguments),
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownOutputValue("found", knownvalue.StringExact(c.want)),
				},
			})
		})
	}
}

func TestEntitiesShowWhatPortComputes(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(fleet)
	config := func(more string) string {
		return fmt.Sprintf("data \"port_entities\" \"this\" {\n  blueprint = \"service\"\n  limit = 1\n  %s\n}", more)
	}
	first := tfjsonpath.New("entities").AtSliceIndex(0)
	text := knownvalue.StringExact
	a.run(
		resource.TestStep{Config: config(""), ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue("data.port_entities.this", first.AtMapKey("properties").AtMapKey("string_props"), knownvalue.MapExact(map[string]knownvalue.Check{
				"lang": text("go"), "born": text("2024-01-01T00:00:00.000Z"), "slug": text("a"), "domain_title": text("Shop"),
			})),
			statecheck.ExpectKnownValue("data.port_entities.this", first.AtMapKey("id"), text("service:a")),
			statecheck.ExpectKnownValue("data.port_entities.this", first.AtMapKey("title"), text("A")),
		}},
		resource.TestStep{Config: config("exclude_calculated_properties = true"), ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue("data.port_entities.this", first.AtMapKey("properties").AtMapKey("string_props"), knownvalue.MapExact(map[string]knownvalue.Check{
				"lang": text("go"), "born": text("2024-01-01T00:00:00.000Z"),
			})),
		}},
	)
}

func TestQueryMistakesAreFoundByValidation(t *testing.T) {
	t.Parallel()
	a := open(t)
	for name, c := range map[string]struct{ config, want string }{
		"blank query":     {`data "port_search" "this" { query = "" }`, "invalid JSON"},
		"list query":      {`data "port_search" "this" { query = "[]" }`, "want the text of a JSON object"},
		"both queries":    {`data "port_entities" "this" {` + "\n blueprint = \"a\"\n query = jsonencode({ combinator = \"and\", rules = [] })\n rules = []\n}", "at most one of these attributes"},
		"operator":        {`data "port_entities" "this" {` + "\n blueprint = \"a\"\n rules = [{ property = \"p\", operator = \"is\" }]\n}", "want one of"},
		"no subject":      {`data "port_entities" "this" {` + "\n blueprint = \"a\"\n rules = [{ operator = \"=\" }]\n}", "exactly one of these attributes must be set"},
		"two values":      {`data "port_entities" "this" {` + "\n blueprint = \"a\"\n rules = [{ property = \"p\", operator = \"=\", value = \"x\", values = [\"y\"] }]\n}", "value"},
		"limit of none":   {`data "port_entities" "this" {` + "\n blueprint = \"a\"\n limit = 0\n}", "at least 1"},
		"combinator only": {`data "port_entities" "this" {` + "\n blueprint = \"a\"\n combinator = \"or\"\n}", "must be set"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := *a
			b.t = t
			b.run(resource.TestStep{Config: c.config, PlanOnly: true, ExpectError: match(c.want)})
		})
	}
}

// Thousands of entities cost a request for each thousand, and one for their types.
func TestEntitiesAreReadPageByPageLong(t *testing.T) {
	t.Parallel()
	long(t)
	a := open(t)
	a.Seed(`{"blueprints": [{"identifier": "item", "title": "Item", "schema": {"properties": {"n": {"type": "number"}}}}]}`)
	const many = 1200
	list := make([]any, many)
	for i := range list {
		list[i] = jsonv.Object{"blueprint": "item", "identifier": "i" + strconv.Itoa(i), "title": "I", "properties": jsonv.Object{"n": json.Number(strconv.Itoa(i))}}
	}
	a.Seed(string(jsonv.Encode(jsonv.Object{"entities": list})))
	a.Forget()
	a.run(resource.TestStep{
		Config: `data "port_entities" "this" { blueprint = "item" }
output "sum" {
  value = sum([for e in data.port_entities.this.entities : e.properties.number_props.n])
}`,
		ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectKnownOutputValue("sum", knownvalue.Int64Exact(many*(many-1)/2))},
		Check: func(*terraform.State) error {
			var asked []portaltest.Request
			for _, r := range a.Requests() {
				if !strings.HasSuffix(r.Path, "/access_token") {
					asked = append(asked, r)
				}
			}
			// The test harness reads once to apply and once to look at the plan, at least.
			if n := len(asked); n == 0 || n%3 != 0 {
				return fmt.Errorf("%d requests", n)
			}
			return nil
		},
	})
}

func TestBlueprintsAreListed(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(fleet)
	a.run(resource.TestStep{
		Config: `data "port_blueprints" "all" {}
data "port_blueprints" "own" { exclude_system = true }
data "port_blueprints" "some" { identifiers = ["service", "nope", "_team"] }
data "port_blueprints" "none" { identifiers = [] }
output "found" {
  value = [for d in [data.port_blueprints.own, data.port_blueprints.some, data.port_blueprints.none] : d.blueprints[*].identifier]
}
output "system" {
  value = contains(data.port_blueprints.all.blueprints[*].id, "_user")
}
output "types" {
  value = keys({ for b in data.port_blueprints.own.blueprints : b.id => b }["service"].properties.number_props)
}`,
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownOutputValue("found", knownvalue.TupleExact([]knownvalue.Check{
				knownvalue.ListExact([]knownvalue.Check{knownvalue.StringExact("domain"), knownvalue.StringExact("service")}),
				knownvalue.ListExact([]knownvalue.Check{knownvalue.StringExact("_team"), knownvalue.StringExact("service")}),
				knownvalue.ListExact([]knownvalue.Check{}),
			})),
			statecheck.ExpectKnownOutputValue("system", knownvalue.Bool(true)),
			statecheck.ExpectKnownOutputValue("types", knownvalue.ListExact([]knownvalue.Check{knownvalue.StringExact("cost")})),
		},
	})
}
