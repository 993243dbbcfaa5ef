package catalog_test

import (
	"strings"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
)

// Values that the index leaves out must be found all the same.
func TestSearchFindsWhatTheIndexLeavesOut(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		w.createBlueprint(`{"identifier":"a","title":"A","schema":{"properties":{"s":{"type":"string"},"n":{"type":"number"},"b":{"type":"boolean"},"at":{"type":"string","format":"date-time"},"l":{"type":"array"}}},"relations":{"r":{"target":"a"}}}`).ok()
		long := strings.Repeat("é", 100)
		for id, properties := range map[string]string{
			"long": `"s":"` + long + `x"`, "longer": `"s":"` + long + `y"`, "moment": `"s":"2024-01-01T00:00:00Z","at":"2024-01-01T01:00:00+01:00"`,
			"yes": `"b":true`, "no": `"b":false`, "big": `"n":1e2`, "list": `"l":["` + long + `",true,5]`,
		} {
			w.post("a", `{"identifier":"`+id+`","properties":{`+properties+`}}`).ok()
		}
		for rule, want := range map[string]string{
			`"property":"s","operator":"=","value":"` + long + `x"`:            "long ",
			`"property":"s","operator":"=","value":"2024-01-01T00:00:00Z"`:     "moment ",
			`"property":"at","operator":"=","value":"2024-01-01T00:00:00.00Z"`: "moment ",
			`"property":"b","operator":"=","value":true`:                       "yes ",
			`"property":"n","operator":"=","value":100.0`:                      "big ",
			`"property":"l","operator":"=","value":5`:                          "list ",
			`"property":"l","operator":"containsAny","value":["` + long + `"]`: "list ",
		} {
			if got := w.searchIn("a", `{"query":{"combinator":"and","rules":[{`+rule+`}]}}`).found(); got != want {
				t.Errorf("%s finds %q, want %q", rule, got, want)
			}
		}
		id := strings.Repeat("x", 1000)
		w.post("a", `{"identifier":"`+id+`"}`).ok()
		w.put("a", "yes", `{"relations":{"r":"`+id+`"}}`).ok()
		w.delete("a", id, catalog.DeleteOptions{}).ok()
		w.get("a", "yes").is(`{"r":null}`, "relations")
	})
}

func TestIndexesTellTypesApart(t *testing.T) {
	t.Parallel()
	doc, err := jsonv.DecodeObject([]byte(`{"title":"T","team":["x","x"],"properties":{"n":1.0,"s":"1","b":true,"l":["1",1,"1",null],"o":{}},"relations":{"r":"1","m":["1"],"z":null}}`))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, e := range catalog.Indexes()[catalog.KindEntity](doc) {
		got[e.Path+"="+e.Value]++
	}
	for _, want := range []string{"p.n=n1", "p.s=s1", "p.l=s1", "p.l=n1", "r.r=s1", "r.m=s1", "m.$team=sx", "m.$title=sT"} {
		if got[want] != 1 {
			t.Errorf("%s is there %d times", want, got[want])
		}
		delete(got, want)
	}
	if len(got) > 0 {
		t.Errorf("also %v", got)
	}
}
