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

// aggregated is a domain with the services that belong to it.
const aggregated = `{"blueprints": [
  {"identifier": "domain", "title": "Domain", "description": "d", "schema": {"properties": {"tier": {"type": "string", "deprecated": true}}, "required": ["tier"]}},
  {"identifier": "service", "title": "Service", "schema": {"properties": {"cost": {"type": "number"}, "born": {"type": "string", "format": "date-time"}, "lang": {"type": "string"}}},
   "relations": {"domain": {"target": "domain"}}}]}`

const wholeAggregation = `resource "port_aggregation_properties" "this" {
  blueprint_identifier = "domain"
  properties = {
    services = {
      title = "Services", icon = "Microservice", description = "How many there are"
      target_blueprint_identifier = "service"
      method                      = { count_entities = true }
      query                       = jsonencode({ combinator = "and", rules = [{ property = "lang", operator = "=", value = "go" }] })
      path_filter                 = [{ from_blueprint = "service", path = ["domain"] }]
    }
    rate = { target_blueprint_identifier = "service", method = { average_entities = {} }, path_filter = [] }
    pace = { target_blueprint_identifier = "service", method = { average_entities = { average_of = "month", measure_time_by = "born" } } }
    mean = { target_blueprint_identifier = "service", method = { average_by_property = { average_of = "total", measure_time_by = "$updatedAt", property = "cost" } } }
    most = { target_blueprint_identifier = "service", query = "", method = { aggregate_by_property = { func = "max", property = "cost" } } }
  }
}
`

func TestAggregationPropertiesLiveAWholeLifeBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		t.Helper()
		a := open(t, change)
		a.Seed(aggregated)
		const at = "port_aggregation_properties.this"
		updated := strings.Replace(wholeAggregation, `"How many there are"`, `"All of them"`, 1)
		a.run(
			resource.TestStep{
				Config: wholeAggregation,
				Check:  resource.TestCheckResourceAttr(at, "id", "domain"),
			},
			resource.TestStep{Config: wholeAggregation, ConfigPlanChecks: emptyPlan},
			resource.TestStep{Config: updated, ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{only{at, "properties"}}}},
			resource.TestStep{Config: updated, ConfigPlanChecks: emptyPlan},
			resource.TestStep{
				ResourceName: at, ImportState: true, ImportStateId: "domain", ImportStateVerify: true,
				// What says nothing is imported as nothing.
				ImportStateVerifyIgnore: []string{"properties.rate.path_filter.#", "properties.rate.path_filter", "properties.most.query"},
			},
			// The rest of the blueprint is as it was.
			resource.TestStep{Config: updated, Check: func(*terraform.State) error {
				got := jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/domain", nil), "blueprint")
				if !jsonv.Bool(got, "schema", "properties", "tier", "deprecated") || jsonv.String(got, "description") != "d" || len(jsonv.List(got, "schema", "required")) != 1 {
					return fmt.Errorf("lost something: %s", jsonv.Encode(got))
				}
				return nil
			}},
			// Gone with its blueprint: destroying succeeds (O5).
			resource.TestStep{PreConfig: func() {
				a.Must(http.MethodPut, "/v1/blueprints/domain", jsonv.Object{"identifier": "domain", "title": "D", "schema": jsonv.Object{"properties": jsonv.Object{}}})
				a.Must(http.MethodDelete, "/v1/blueprints/service", nil)
				a.Must(http.MethodDelete, "/v1/blueprints/domain", nil)
			}, Config: updated, Destroy: true},
		)
	})
}

func TestAggregationPropertiesAreRemovedOnDestroy(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(aggregated)
	before := a.Must(http.MethodGet, "/v1/blueprints/domain", nil)["blueprint"]
	a.run(
		resource.TestStep{Config: wholeAggregation},
		resource.TestStep{Config: wholeAggregation, Destroy: true},
	)
	after := a.Must(http.MethodGet, "/v1/blueprints/domain", nil)["blueprint"]
	if diff := cmp.Diff(without(before, "updatedAt", "updatedBy"), without(after, "updatedAt", "updatedBy")); diff != "" {
		t.Error(diff)
	}
}

func without(v any, keys ...string) any {
	out := jsonv.CloneObject(jsonv.Map(v))
	for _, k := range keys {
		delete(out, k)
	}
	return out
}

// Each leaf of the definitions, changed by hand, is exactly that drift.
func TestAggregationPropertiesShowEveryChangeMadeByHandLong(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(aggregated)
	steps := []resource.TestStep{{Config: wholeAggregation}}
	count := jsonv.Object{"calculationBy": "entities", "func": "count"}
	for name, edit := range map[string]func(jsonv.Object){
		"title":             set("x", "services", "title"),
		"icon gone":         drop("services", "icon"),
		"description":       set("", "services", "description"),
		"target":            func(d jsonv.Object) { set("domain", "services", "target")(d); drop("services", "pathFilter")(d) },
		"query":             set(jsonv.Object{"combinator": "or", "rules": []any{}}, "services", "query"),
		"query gone":        drop("services", "query"),
		"query more":        set(jsonv.Object{"combinator": "or", "rules": []any{}}, "most", "query"),
		"path filter gone":  drop("services", "pathFilter"),
		"path filter more":  set([]any{jsonv.Object{"fromBlueprint": "service", "path": []any{"domain"}}}, "rate", "pathFilter"),
		"another unit":      set("hour", "rate", "calculationSpec", "averageOf"),
		"another time":      set("$createdAt", "pace", "calculationSpec", "measureTimeBy"),
		"another function":  set("min", "most", "calculationSpec", "func"),
		"another method":    set(count, "mean", "calculationSpec"),
		"a method of rates": set(jsonv.Object{"calculationBy": "entities", "func": "average", "averageOf": "total"}, "services", "calculationSpec"),
		"one gone":          drop("most"),
		"one more":          set(jsonv.Object{"title": "X", "target": "service", "calculationSpec": count}, "extra"),
		"all gone": func(d jsonv.Object) {
			for key := range d {
				delete(d, key)
			}
		},
	} {
		if enough(steps) {
			break
		}
		steps = append(steps, resource.TestStep{
			PreConfig: func() {
				document := jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/domain", nil), "blueprint")
				edit(jsonv.Map(document, "aggregationProperties"))
				a.Must(http.MethodPut, "/v1/blueprints/domain", document)
			},
			Config:           wholeAggregation,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{named{name, only{"port_aggregation_properties.this", "properties"}}}},
		})
	}
	steps = append(steps, resource.TestStep{Config: wholeAggregation, ConfigPlanChecks: emptyPlan})
	a.run(steps...)
}

// What is there belongs to somebody: it is neither taken over nor removed.
func TestAggregationPropertiesThatExistAreNotTakenOver(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(aggregated)
	a.Must(http.MethodPatch, "/v1/blueprints/domain", jsonv.Object{"aggregationProperties": jsonv.Object{
		"services": jsonv.Object{"title": "Mine", "target": "service", "calculationSpec": jsonv.Object{"calculationBy": "entities", "func": "count"}},
	}})
	config := func(key string) string {
		return fmt.Sprintf(`resource "port_aggregation_properties" "this" {
  blueprint_identifier = "domain"
  properties           = { %s = { title = "Mine", target_blueprint_identifier = "service", method = { count_entities = true } } }
}`, key)
	}
	a.run(
		resource.TestStep{Config: config("services"), PlanOnly: true, ExpectError: match("Aggregation property services already exists")},
		resource.TestStep{Config: config("other"), PlanOnly: true, ExpectError: match("already has other aggregation properties")},
		resource.TestStep{
			Config:           "import {\n  to = port_aggregation_properties.this\n  id = \"domain\"\n}\n" + config("services"),
			ConfigPlanChecks: emptyPlan,
		},
	)
}

// Another blueprint is another resource: the old one loses its properties.
func TestAggregationPropertiesMoveToAnotherBlueprint(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(aggregated)
	config := func(blueprint string) string {
		return fmt.Sprintf(`resource "port_aggregation_properties" "this" {
  blueprint_identifier = %q
  properties           = { n = { target_blueprint_identifier = "service", method = { count_entities = true } } }
}`, blueprint)
	}
	a.run(
		resource.TestStep{Config: config("domain")},
		resource.TestStep{
			Config: config("service"),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("port_aggregation_properties.this", plancheck.ResourceActionReplace),
			}},
			Check: func(*terraform.State) error {
				for blueprint, want := range map[string]int{"domain": 0, "service": 1} {
					got := jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/"+blueprint, nil), "blueprint", "aggregationProperties")
					if len(got) != want {
						return fmt.Errorf("%s has %d", blueprint, len(got))
					}
				}
				return nil
			},
		},
	)
}

func TestAggregationMistakesAreFoundWhilePlanning(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(aggregated)
	for name, c := range map[string]struct{ property, want string }{
		"false count":    {`target_blueprint_identifier = "service", method = { count_entities = false }`, "true"},
		"no method":      {`target_blueprint_identifier = "service", method = {}`, "exactly one of these attributes must be set"},
		"two methods":    {`target_blueprint_identifier = "service", method = { count_entities = true, average_entities = {} }`, "exactly one of these attributes can be set"},
		"function":       {`target_blueprint_identifier = "service", method = { aggregate_by_property = { func = "avg", property = "cost" } }`, "want one of"},
		"unit":           {`target_blueprint_identifier = "service", method = { average_entities = { average_of = "total" } }`, "want one of"},
		"query no JSON":  {`target_blueprint_identifier = "service", method = { count_entities = true }, query = "nope"`, "invalid JSON"},
		"query no map":   {`target_blueprint_identifier = "service", method = { count_entities = true }, query = "[]"`, "want the text of a JSON object"},
		"path of none":   {`target_blueprint_identifier = "service", method = { count_entities = true }, path_filter = [{ path = [] }]`, "at least 1 elements"},
		"several paths":  {`target_blueprint_identifier = "service", method = { count_entities = true }, path_filter = [{ path = ["a"] }, { path = ["b"] }]`, "at most 1 elements"},
		"empty property": {`target_blueprint_identifier = "service", method = { aggregate_by_property = { func = "sum", property = "" } }`, "must not be empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := *a
			b.t = t
			b.run(resource.TestStep{
				Config:   fmt.Sprintf("resource \"port_aggregation_properties\" \"this\" {\n  blueprint_identifier = \"domain\"\n  properties = { x = { %s } }\n}", c.property),
				PlanOnly: true, ExpectError: match(c.want),
			})
		})
	}
}

// A system blueprint's own aggregations are neither shown nor in the way.
func TestAggregationPropertiesLeaveBuiltInOnesAlone(t *testing.T) {
	t.Parallel()
	a := open(t)
	config := `resource "port_aggregation_properties" "this" {
  blueprint_identifier = "_team"
  properties           = { members = { title = "Members", target_blueprint_identifier = "_user", method = { count_entities = true } } }
}`
	a.run(
		resource.TestStep{Config: config},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan},
		resource.TestStep{ResourceName: "port_aggregation_properties.this", ImportState: true, ImportStateId: "_team", ImportStateVerify: true},
		resource.TestStep{Config: config, Destroy: true},
	)
	got := jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/_team", nil), "blueprint", "aggregationProperties")
	if len(got) != 1 || got["size"] == nil {
		t.Errorf("left are %s", jsonv.Encode(got))
	}
}
