package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// chained is a chain of blueprints: deployment → service → domain.
const chained = `{"blueprints": [
  {"identifier": "domain", "title": "D", "schema": {"properties": {"tier": {"type": "string"}}}},
  {"identifier": "service", "title": "S", "schema": {"properties": {"cost": {"type": "number"}, "lang": {"type": "string", "format": "url"}, "born": {"type": "string", "format": "date-time"}}},
   "relations": {"domain": {"target": "domain"}}, "mirrorProperties": {"tier": {"path": "domain.tier"}},
   "calculationProperties": {"twice": {"calculation": ".properties.cost * 2", "type": "number"}, "word": {"calculation": ".title", "type": "string"}}},
  {"identifier": "deployment", "title": "P", "schema": {"properties": {}}, "relations": {"service": {"target": "service"}}}]}`

func aggregating(t *testing.T, k *kind, property string) tftypes.Value {
	t.Helper()
	return config(t, k, fmt.Sprintf(`{"blueprint_identifier": "domain", "properties": {"x": %s}}`, property))
}

// What Port would refuse of an aggregation is announced while planning, and
// nothing else is.
func TestAggregationsThatLeadNowhereAreAnnounced(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	p.Seed(chained)
	server := connect(t, p)
	k := kindOf(t, "aggregation_properties")
	of := func(method, more string) string {
		return `{"target_blueprint_identifier": "service", "method": ` + method + more + `}`
	}
	sum := func(property string) string {
		return of(`{"aggregate_by_property": {"func": "sum", "property": "`+property+`"}}`, "")
	}
	by := func(property string) string {
		return of(`{"average_entities": {"average_of": "day", "measure_time_by": "`+property+`"}}`, "")
	}
	path := func(filter string) string { return of(`{"count_entities": true}`, `, "path_filter": [`+filter+`]`) }
	for name, c := range map[string]struct{ property, want string }{
		"a number":                {sum("cost"), ""},
		"a calculated number":     {sum("twice"), ""},
		"a mirror":                {sum("tier"), ""},
		"a text":                  {sum("lang"), "Property lang is no number"},
		"a calculated text":       {sum("word"), "Property word is no number"},
		"no property":             {sum("nope"), "Unknown property nope"},
		"time of creation":        {by("$createdAt"), ""},
		"a time":                  {by("born"), ""},
		"no time":                 {by("lang"), "Property lang is no time"},
		"unknown time":            {by("nope"), "Unknown property nope"},
		"no target":               {`{"target_blueprint_identifier": "nope", "method": {"count_entities": true}}`, "aggregates no blueprint"},
		"path from the target":    {path(`{"from_blueprint": "service", "path": ["domain"]}`), ""},
		"path of nothing":         {path(`{"from_blueprint": "service", "path": ["nope"]}`), "blueprint service has no relation nope"},
		"path the wrong way":      {path(`{"path": ["domain"]}`), "blueprint domain has no relation domain"},
		"path that ends too soon": {path(`{"from_blueprint": "deployment", "path": ["service"]}`), "ends at blueprint service, and it has to end at domain"},
		"path of two steps":       {path(`{"from_blueprint": "deployment", "path": ["service", "domain"]}`), ""},
	} {
		got := server.planned(k, aggregating(t, k, c.property), k.null)
		if c.want == "" && strings.Contains(got, "WARNING") || !strings.Contains(got, c.want) {
			t.Errorf("%s: want %q, got %.400s", name, c.want, got)
		}
	}
	taken := config(t, k, `{"blueprint_identifier": "domain", "properties": {"tier": `+sum("cost")+`}}`)
	if got := server.planned(k, taken, k.null); !strings.Contains(got, "Key used twice") {
		t.Errorf("a key of the blueprint: %.300s", got)
	}
	// What does not change is not looked at.
	if got := server.planned(k, aggregating(t, k, sum("nope")), aggregating(t, k, sum("nope"))); strings.Contains(got, "WARNING") {
		t.Errorf("no change: %.300s", got)
	}
}

// A blueprint counts as the run will leave it, not as it is.
func TestPlansLookAtBlueprintsAsTheyWillBe(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	p.Seed(chained)
	server := connect(t, p)
	k, blueprint := kindOf(t, "aggregation_properties"), kindOf(t, "blueprint")
	sum := `{"target_blueprint_identifier": "service", "method": {"aggregate_by_property": {"func": "sum", "property": "%s"}}}`
	planned := func(property string) string {
		return server.planned(k, aggregating(t, k, fmt.Sprintf(sum, property)), k.null)
	}
	if got := planned("fresh"); !strings.Contains(got, "Unknown property fresh") {
		t.Errorf("before: %.300s", got)
	}
	server.planned(blueprint, config(t, blueprint, `{"identifier": "service", "title": "S", "properties": {"number_props": {"fresh": {"required": false}}}}`), blueprint.null)
	if got := planned("fresh"); strings.Contains(got, "WARNING") {
		t.Errorf("a property that is planned: %.300s", got)
	}
	if got := planned("cost"); !strings.Contains(got, "Unknown property cost") {
		t.Errorf("a property that goes: %.300s", got)
	}
	made := `{"target_blueprint_identifier": "soon", "method": {"count_entities": true}}`
	server.planned(blueprint, config(t, blueprint, `{"identifier": "soon", "title": "S"}`), blueprint.null)
	if got := server.planned(k, aggregating(t, k, made), k.null); strings.Contains(got, "WARNING") {
		t.Errorf("a target that is planned: %.300s", got)
	}
}
