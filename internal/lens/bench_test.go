package lens_test

import (
	"fmt"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// bigBlueprint is a blueprint of 60 properties as the server answers it.
func bigBlueprint(tb testing.TB) lens.Body {
	tb.Helper()
	body, err := jsonv.DecodeObject([]byte(`{"identifier":"svc","title":"Service","icon":"Micro","schema":{"properties":{},"required":["p0","p5"]},
	 "relations":{"r":{"target":"t","many":true,"required":false}},"mirrorProperties":{},"calculationProperties":{},"aggregationProperties":{},
	 "createdAt":"2024-01-02T03:04:05.678Z","createdBy":"me","updatedAt":"2024-01-02T03:04:05Z","updatedBy":"you"}`))
	if err != nil {
		tb.Fatal(err)
	}
	kinds := []string{
		`{"type":"string","title":"Language","enum":["go","js"],"enumColors":{"go":"blue","js":"yellow"}}`,
		`{"type":"string","title":"Link","format":"url","description":"A link."}`,
		`{"type":"number","title":"Count","minimum":0,"maximum":100,"default":5}`,
		`{"type":"boolean","title":"On","default":false}`,
		`{"type":"array","title":"List","items":{"type":"string","format":"user"},"default":["x"]}`,
		`{"type":"object","title":"Config","spec":"open-api"}`,
	}
	properties := jsonv.Map(body, "schema", "properties")
	for i := range 60 {
		p, err := jsonv.DecodeObject([]byte(kinds[i%len(kinds)]))
		if err != nil {
			tb.Fatal(err)
		}
		if i%30 == 5 {
			p["default"] = lens.Body{"a": "<b>", "c": []any{true}}
		}
		properties[fmt.Sprintf("p%d", i)] = p
	}
	return body
}

// A round trip is what a plan of an unchanged blueprint costs: the state is
// encoded, and an equal body is decoded over it.
func BenchmarkBlueprintRoundTrip(b *testing.B) {
	body := bigBlueprint(b)
	state, err := blueprint.Get(body, lens.Null(blueprint.Type()))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := blueprint.Put(state, lens.Null(blueprint.Type())); err != nil {
			b.Fatal(err)
		}
		if _, err := blueprint.Get(body, state); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "roundtrips/s")
}

// An import decodes everything anew.
func BenchmarkBlueprintImport(b *testing.B) {
	body := bigBlueprint(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := blueprint.Get(body, lens.Null(blueprint.Type())); err != nil {
			b.Fatal(err)
		}
	}
}
