package catalog_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// body is a blueprint "a" with further parts.
func body(parts string) string {
	if parts != "" {
		parts = "," + parts
	}
	if !strings.Contains(parts, `"schema"`) {
		parts += `,"schema":{"properties":{"n":{"type":"number"},"s":{"type":"string"},"at":{"type":"string","format":"date-time"}}}`
	}
	return `{"identifier":"a","title":"A"` + parts + `}`
}

func TestDefinitionsAreRefused(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 101)
	for name, row := range map[string]struct{ parts, want, at string }{
		"title too long":                    {`"title":"` + long + `"`, "422 invalid_request", "/title"},
		"title empty":                       {`"title":""`, "422 invalid_request", "/title"},
		"title absent":                      {`"title":null`, "422 invalid_request", "/title"},
		"description too long":              {`"description":"` + long + long + `"`, "422 invalid_request", "/description"},
		"identifier with a sign":            {`"identifier":"a=b"`, "422 invalid_request", "/identifier"},
		"identifier too long":               {`"identifier":"` + long + `"`, "422 invalid_request", "/identifier"},
		"identifier is two dots":            {`"identifier":".."`, "422 invalid_request", "/identifier"},
		"identifier absent":                 {`"identifier":null`, "422 invalid_request", "/identifier"},
		"schema absent":                     {`"schema":null`, "422 invalid_request", "/schema"},
		"schema without properties":         {`"schema":{}`, "422 invalid_request", "/schema/properties"},
		"schema with another key":           {`"schema":{"properties":{},"x":1}`, "422 invalid_request", "/schema/x"},
		"property without type":             {`"schema":{"properties":{"x":{}}}`, "422 invalid_request", "/schema/properties/x/type"},
		"property of no type":               {`"schema":{"properties":{"x":{"type":"text"}}}`, "422 invalid_request", "/schema/properties/x/type"},
		"property key with a blank":         {`"schema":{"properties":{"x y":{"type":"string"}}}`, "422 invalid_request", "/schema/properties/x y"},
		"property with no format":           {`"schema":{"properties":{"x":{"type":"string","format":"secret"}}}`, "422 invalid_request", "/schema/properties/x/format"},
		"property with a wrong default":     {`"schema":{"properties":{"x":{"type":"string","default":5}}}`, "422 invalid_request", "/schema/properties/x/default"},
		"relation with another key":         {`"relations":{"r":{"target":"a","x":1}}`, "422 invalid_request", "/relations/r/x"},
		"relation without target":           {`"relations":{"r":{}}`, "422 invalid_request", "/relations/r/target"},
		"relation many and required":        {`"relations":{"r":{"target":"a","many":true,"required":true}}`, "422 invalid_request", "/relations/r"},
		"relation to nothing":               {`"relations":{"r":{"target":"zz"}}`, "404 not_found", ""},
		"mirror without a hop":              {`"mirrorProperties":{"m":{"path":"x"}}`, "422 invalid_request", "/mirrorProperties/m/path"},
		"mirror with another key":           {`"mirrorProperties":{"m":{"path":"r.x","y":1}}`, "422 invalid_request", "/mirrorProperties/m/y"},
		"mirror along no relation":          {`"mirrorProperties":{"m":{"path":"r.x"}}`, "404 not_found", ""},
		"mirror of no property":             {`"relations":{"r":{"target":"a"}},"mirrorProperties":{"m":{"path":"r.zz"}}`, "404 not_found", ""},
		"mirror of no meta":                 {`"relations":{"r":{"target":"a"}},"mirrorProperties":{"m":{"path":"r.$zz"}}`, "404 not_found", ""},
		"calculation without program":       {`"calculationProperties":{"c":{"type":"string"}}`, "422 invalid_request", "/calculationProperties/c/calculation"},
		"calculation with timer":            {`"calculationProperties":{"c":{"type":"string","format":"timer","calculation":"1"}}`, "422 invalid_request", "/calculationProperties/c/format"},
		"one key in two maps":               {`"calculationProperties":{"n":{"type":"string","calculation":"1"}}`, "422 invalid_request", "/calculationProperties/n"},
		"aggregation without target":        {`"aggregationProperties":{"g":{"calculationSpec":{"calculationBy":"entities","func":"count"}}}`, "422 invalid_request", "/aggregationProperties/g/target"},
		"aggregation of no blueprint":       {`"aggregationProperties":{"g":{"target":"zz","calculationSpec":{"calculationBy":"entities","func":"count"}}}`, "404 not_found", ""},
		"aggregation of another type":       {`"aggregationProperties":{"g":{"type":"string","target":"a","calculationSpec":{"calculationBy":"entities","func":"count"}}}`, "422 invalid_request", "/aggregationProperties/g/type"},
		"aggregation with no function":      {`"aggregationProperties":{"g":{"target":"a","calculationSpec":{"calculationBy":"entities","func":"sum"}}}`, "422 invalid_request", "/aggregationProperties/g/calculationSpec/func"},
		"aggregation spec is closed":        {`"aggregationProperties":{"g":{"target":"a","calculationSpec":{"calculationBy":"entities","func":"count","property":"n"}}}`, "422 invalid_request", "/aggregationProperties/g/calculationSpec/property"},
		"aggregation without property":      {`"aggregationProperties":{"g":{"target":"a","calculationSpec":{"calculationBy":"property","func":"sum"}}}`, "422 invalid_request", "/aggregationProperties/g/calculationSpec/property"},
		"aggregation of a text":             {`"aggregationProperties":{"g":{"target":"a","calculationSpec":{"calculationBy":"property","func":"sum","property":"s"}}}`, "422 invalid_request", "/aggregationProperties/g/calculationSpec/property"},
		"aggregation of no property":        {`"aggregationProperties":{"g":{"target":"a","calculationSpec":{"calculationBy":"property","func":"sum","property":"zz"}}}`, "404 not_found", ""},
		"aggregation measured by a text":    {`"aggregationProperties":{"g":{"target":"a","calculationSpec":{"calculationBy":"entities","func":"average","averageOf":"day","measureTimeBy":"s"}}}`, "422 invalid_request", "/aggregationProperties/g/calculationSpec/measureTimeBy"},
		"aggregation over no unit":          {`"aggregationProperties":{"g":{"target":"a","calculationSpec":{"calculationBy":"entities","func":"average","averageOf":"year"}}}`, "422 invalid_request", "/aggregationProperties/g/calculationSpec/averageOf"},
		"aggregation with null query":       {`"aggregationProperties":{"g":{"target":"a","query":null,"calculationSpec":{"calculationBy":"entities","func":"count"}}}`, "422 invalid_request", "/aggregationProperties/g/query"},
		"aggregation with two paths":        {`"aggregationProperties":{"g":{"target":"a","pathFilter":[{"path":["r"]},{"path":["r"]}],"calculationSpec":{"calculationBy":"entities","func":"count"}}}`, "422 invalid_request", "/aggregationProperties/g/pathFilter"},
		"aggregation with an empty path":    {`"aggregationProperties":{"g":{"target":"a","pathFilter":[{"path":[]}],"calculationSpec":{"calculationBy":"entities","func":"count"}}}`, "422 invalid_request", "/aggregationProperties/g/pathFilter/0/path"},
		"aggregation along nothing":         {`"aggregationProperties":{"g":{"target":"a","pathFilter":[{"path":["zz"]}],"calculationSpec":{"calculationBy":"entities","func":"count"}}}`, "404 not_found", ""},
		"aggregation path to elsewhere":     {`"relations":{"r":{"target":"_team"}},"aggregationProperties":{"g":{"target":"a","pathFilter":[{"path":["r"]}],"calculationSpec":{"calculationBy":"entities","func":"count"}}}`, "422 invalid_request", "/aggregationProperties/g/pathFilter/0/path"},
		"ownership of no type":              {`"ownership":{"type":"direct"}`, "422 invalid_request", "/ownership/type"},
		"ownership with another key":        {`"ownership":{"type":"Direct","x":1}`, "422 invalid_request", "/ownership/x"},
		"direct ownership with a path":      {`"ownership":{"type":"Direct","path":"r"}`, "422 invalid_request", "/ownership/path"},
		"inherited ownership without path":  {`"ownership":{"type":"Inherited"}`, "422 invalid_request", "/ownership/path"},
		"inherited along nothing":           {`"ownership":{"type":"Inherited","path":"r.x"}`, "422 invalid_inherited_ownership_path", ""},
		"inherited from who has none":       {`"relations":{"r":{"target":"_team"}},"ownership":{"type":"Inherited","path":"r"}`, "422 invalid_inherited_ownership_path", ""},
		"changelog to nowhere":              {`"changelogDestination":{"type":"WEBHOOK"}`, "422 invalid_request", "/changelogDestination/url"},
		"changelog to no URL":               {`"changelogDestination":{"type":"WEBHOOK","url":"nowhere"}`, "422 invalid_request", "/changelogDestination/url"},
		"changelog to Kafka with a URL":     {`"changelogDestination":{"type":"KAFKA","url":"https://x.io"}`, "422 invalid_request", "/changelogDestination/url"},
		"changelog to another place":        {`"changelogDestination":{"type":"SMS"}`, "422 invalid_request", "/changelogDestination/type"},
		"global search that is no boolean":  {`"includeInGlobalSearch":"yes"`, "422 invalid_request", "/includeInGlobalSearch"},
		"team inheritance without its path": {`"teamInheritance":{}`, "422 invalid_request", "/teamInheritance/path"},
		"a map that is a list":              {`"relations":[]`, "422 invalid_request", "/relations"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := memory(t)
			def, _ := value(t, body("")).(jsonv.Object)
			parts, _ := value(t, "{"+row.parts+"}").(jsonv.Object)
			maps.Copy(def, parts)
			f := w.createBlueprint(string(jsonv.Encode(def))).fails(row.want)
			at := ""
			for _, e := range jsonv.List(f.Details, "errors") {
				at += jsonv.String(e, "path") + " "
			}
			if row.at != "" && !strings.Contains(at, row.at+" ") {
				t.Errorf("problems at %q, want one at %q", at, row.at)
			}
			if strings.HasPrefix(row.want, "404") && !strings.Contains(f.Message, "was not found") {
				t.Errorf("message %q", f.Message)
			}
			w.blueprint("a").fails("404 not_found")
		})
	}
}

func TestAllViolationsAreReported(t *testing.T) {
	t.Parallel()
	f := memory(t).createBlueprint(`{"identifier":"a b","title":"","schema":{"properties":{"x":{"type":"t"}}},"relations":{"r":{}}}`).fails("422 invalid_request")
	if n := len(jsonv.List(f.Details, "errors")); n != 4 {
		t.Errorf("%d violations: %s", n, f.Message)
	}
}

func TestDefinitionsRoundTrip(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		sent := body(`"icon":null,"ownership":{"type":"Direct"},"includeInGlobalSearch":false,
			"schema":{"properties":{"n":{"type":"number","default":9007199254740993,"enum":[9007199254740993,0.1]},"d":{"type":"string","description":""}},"required":["n","n","gone"]},
			"relations":{"self":{"target":"a"},"team":{"target":"_team","many":true,"title":"T"}},
			"mirrorProperties":{"up":{"path":"self.n"}},
			"calculationProperties":{"c":{"calculation":"this is no jq","type":"string","dateFormat":"relative"}},
			"aggregationProperties":{"g":{"target":"a","query":{"rules":[],"combinator":"or"},"calculationSpec":{"calculationBy":"entities","func":"average","averageOf":"day"}}},
			"changelogDestination":{"type":"WEBHOOK","url":"https://x.io/a"},"teamInheritance":{"path":"nowhere"},
			"actions":[],"createdAt":"1999-01-01T00:00:00.000Z","createdBy":"me","somethingElse":1`)
		w.createBlueprint(sent).ok()
		r := w.blueprint("a")
		r.is(`null`, "icon").is(`{"type":"Direct"}`, "ownership").is(`false`, "includeInGlobalSearch").
			is(`["n"]`, "schema", "required").is(`9007199254740993`, "schema", "properties", "n", "default").
			is(`{"target":"a","required":false,"many":false}`, "relations", "self").
			is(`{"type":"number","target":"a","query":{"rules":[],"combinator":"or"},"calculationSpec":{"calculationBy":"entities","func":"average","averageOf":"day"}}`, "aggregationProperties", "g").
			is(`{"type":"WEBHOOK","url":"https://x.io/a"}`, "changelogDestination").is(`{"path":"nowhere"}`, "teamInheritance").
			is("absent", "description").is("absent", "somethingElse").is("absent", "actions").is("absent", "$version").
			is(`"2024-01-01T00:00:00.001Z"`, "createdAt").is(`"client"`, "createdBy")
		w.putBlueprint("a", body("")).is("absent", "icon").is("absent", "ownership").is("absent", "includeInGlobalSearch").
			is("absent", "changelogDestination").is("absent", "teamInheritance").is(`{}`, "relations").is(`{}`, "mirrorProperties").
			is(`[]`, "schema", "required").is(`"2024-01-01T00:00:00.001Z"`, "createdAt").is(`"2024-01-01T00:00:00.002Z"`, "updatedAt")
	})
}

func TestPatchMergesEntryByEntry(t *testing.T) {
	t.Parallel()
	w := memory(t)
	w.createBlueprint(body(`"description":"d","schema":{"properties":{"n":{"type":"number","title":"N"},"s":{"type":"string"}},"required":["n"]},"relations":{"r":{"target":"a","title":"R"}}`)).ok()
	w.patchBlueprint("a", `{"schema":{"properties":{"n":{"title":"M"},"s":null}},"relations":{"r":{"many":true},"q":{"target":"a"}}}`).
		is(`{"n":{"type":"number","title":"M"}}`, "schema", "properties").is(`["n"]`, "schema", "required").
		is(`{"r":{"target":"a","title":"R","many":true,"required":false},"q":{"target":"a","many":false,"required":false}}`, "relations").is(`"d"`, "description")
	w.patchBlueprint("a", `{"description":null,"title":"B","schema":{"required":[]}}`).is("absent", "description").is(`"B"`, "title").is(`[]`, "schema", "required")
	w.patchBlueprint("a", `{"schema":{"properties":{"new":{"title":"no type"}}}}`).fails("422 invalid_request")
	w.patchBlueprint("a", `{"schema":null}`).fails("422 invalid_request")
	w.patchBlueprint("a", `{"relations":{"r":{"unknown":1}}}`).fails("422 invalid_request")
	w.patchBlueprint("zz", `{}`).fails("404 not_found")
}

func TestEvolutionOfEntities(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]func(w *world){
		"a removed property loses its values for good": func(w *world) {
			w.post("a", `{"identifier":"e","properties":{"s":"v"}}`).ok()
			w.patchBlueprint("a", `{"schema":{"properties":{"s":null}}}`).ok()
			w.patchBlueprint("a", `{"schema":{"properties":{"s":{"type":"string"}}}}`).ok()
			w.get("a", "e").is(`{}`, "properties")
		},
		"a new default is not applied to old entities": func(w *world) {
			w.post("a", `{"identifier":"e"}`).ok()
			w.patchBlueprint("a", `{"schema":{"properties":{"z":{"type":"string","default":"d"}},"required":["z"]}}`).ok()
			w.get("a", "e").is(`{}`, "properties")
			w.post("a", `{"identifier":"f"}`).is(`{"z":"d"}`, "properties")
			w.put("a", "f", `{}`).fails("422 blueprint_schema_mismatch")
		},
		"labelled links stay labelled links": func(w *world) {
			w.patchBlueprint("a", `{"schema":{"properties":{"l":{"type":"object","format":"labeled-url"}}}}`).ok()
			f := w.patchBlueprint("a", `{"schema":{"properties":{"l":{"format":null}}}}`).fails("422 forbidden_format_change")
			if f.Details["property"] != "l" {
				w.t.Error(f.Details)
			}
		},
		"a format must fit the stored values": func(w *world) {
			w.post("a", `{"identifier":"e","properties":{"s":"no url"}}`).ok()
			w.patchBlueprint("a", `{"schema":{"properties":{"s":{"format":"url"}}}}`).fails("422 forbidden_format_change")
			w.put("a", "e", `{"properties":{"s":"https://x.io"}}`).ok()
			w.patchBlueprint("a", `{"schema":{"properties":{"s":{"format":"url"}}}}`).ok()
		},
		"an item type changes only without values": func(w *world) {
			w.patchBlueprint("a", `{"schema":{"properties":{"l":{"type":"array","items":{"type":"string"}}}}}`).ok()
			w.post("a", `{"identifier":"e","properties":{"l":["x"]}}`).ok()
			w.patchBlueprint("a", `{"schema":{"properties":{"l":{"items":{"type":"number"}}}}}`).fails("422 forbidden_type_change")
			w.put("a", "e", `{}`).ok()
			w.patchBlueprint("a", `{"schema":{"properties":{"l":{"items":{"type":"number"}}}}}`).ok()
		},
		"an enum does not look back": func(w *world) {
			w.post("a", `{"identifier":"e","properties":{"s":"v"}}`).ok()
			w.patchBlueprint("a", `{"schema":{"properties":{"s":{"enum":["x"]}}}}`).ok()
			w.get("a", "e").is(`"v"`, "properties", "s")
			w.patch("a", "e", `{"properties":{"n":1}}`).ok()
			w.put("a", "e", `{"properties":{"s":"v"}}`).fails("422 blueprint_schema_mismatch")
		},
		"a removed relation loses its values": func(w *world) {
			w.post("a", `{"identifier":"e","relations":{"one":"e"}}`).ok()
			w.patchBlueprint("a", `{"relations":{"one":null}}`).ok()
			w.get("a", "e").is(`{}`, "relations")
		},
		"one becomes many": func(w *world) {
			w.post("a", `{"identifier":"e","relations":{"one":"e"}}`).ok()
			w.post("a", `{"identifier":"f","relations":{"one":null}}`).ok()
			w.patchBlueprint("a", `{"relations":{"one":{"many":true}}}`).ok()
			w.get("a", "e").is(`{"one":["e"]}`, "relations")
			w.get("a", "f").is(`{"one":[]}`, "relations")
		},
		"many becomes one where there is one": func(w *world) {
			w.post("a", `{"identifier":"e","relations":{"many":["e"]}}`).ok()
			w.post("a", `{"identifier":"f","relations":{"many":[]}}`).ok()
			w.patchBlueprint("a", `{"relations":{"many":{"many":false}}}`).ok()
			w.get("a", "e").is(`{"many":"e"}`, "relations")
			w.get("a", "f").is(`{"many":null}`, "relations")
			w.patchBlueprint("a", `{"relations":{"many":{"many":true}}}`).ok()
			w.put("a", "e", `{"relations":{"many":["e","f"]}}`).ok()
			w.patchBlueprint("a", `{"relations":{"many":{"many":false}}}`).fails("422 relation_many_violation")
			w.get("a", "f").is(`{"many":[]}`, "relations")
		},
		"a new target keeps what exists there": func(w *world) {
			w.createBlueprint(strings.Replace(body(""), `"a"`, `"b"`, 1)).ok()
			w.post("b", `{"identifier":"e"}`).ok()
			w.post("a", `{"identifier":"e","relations":{"one":"e"}}`).ok()
			w.post("a", `{"identifier":"f","relations":{"one":"f","many":["e","f"]}}`).ok()
			w.patchBlueprint("a", `{"relations":{"one":{"target":"b"},"many":{"target":"b"}}}`).ok()
			w.get("a", "e").is(`{"one":"e"}`, "relations")
			w.get("a", "f").is(`{"one":null,"many":["e"]}`, "relations")
		},
		"what is used elsewhere may go": func(w *world) {
			w.createBlueprint(`{"identifier":"b","title":"B","schema":{"properties":{}},"relations":{"a":{"target":"a"}},"mirrorProperties":{"m":{"path":"a.s"},"o":{"path":"a.one.s"}}}`).ok()
			w.post("a", `{"identifier":"e","properties":{"s":"v"}}`).ok()
			w.post("b", `{"identifier":"e","relations":{"a":"e"}}`).is(`"v"`, "properties", "m")
			w.patchBlueprint("a", `{"schema":{"properties":{"s":null}},"relations":{"one":null}}`).ok()
			w.get("b", "e").is(`null`, "properties", "m").is(`null`, "properties", "o")
			w.patchBlueprint("b", `{"title":"BB"}`).ok()
		},
		"the first hop stays": func(w *world) {
			w.patchBlueprint("a", `{"mirrorProperties":{"m":{"path":"one.s"}}}`).ok()
			w.patchBlueprint("a", `{"relations":{"one":null}}`).fails("404 not_found")
		},
		"the first step of inherited ownership stays": func(w *world) {
			w.createBlueprint(`{"identifier":"b","title":"B","schema":{"properties":{}},"ownership":{"type":"Inherited","path":"a"},"relations":{"a":{"target":"a"}}}`).ok()
			f := w.patchBlueprint("b", `{"relations":{"a":null}}`).fails("422 invalid_inherited_ownership_path")
			if f.Details["missingRelation"] != "a" || !strings.Contains(f.Message, "path entered") {
				w.t.Error(f.Message, f.Details)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everyStore(t, func(_ *testing.T, w *world) {
				w.createBlueprint(body(`"ownership":{"type":"Direct"},"relations":{"one":{"target":"a"},"many":{"target":"a","many":true}}`)).ok()
				row(w)
			})
		})
	}
}

func TestRenamingABlueprintTakesEverythingAlong(t *testing.T) {
	t.Parallel()
	everyStore(t, func(_ *testing.T, w *world) {
		w.createBlueprint(body(`"relations":{"self":{"target":"a"}}`)).ok()
		w.createBlueprint(`{"identifier":"b","title":"B","schema":{"properties":{}},"relations":{"a":{"target":"a"}},"mirrorProperties":{"m":{"path":"a.s"}},
			"aggregationProperties":{"g":{"target":"a","calculationSpec":{"calculationBy":"entities","func":"count"}}}}`).ok()
		w.post("a", `{"identifier":"e","properties":{"s":"v"},"relations":{"self":"e"}}`).ok()
		w.post("b", `{"identifier":"e","relations":{"a":"e"}}`).ok()
		w.post("_scorecard", `{"identifier":"ready","properties":{"blueprint":"a","levels":[]}}`).ok()
		w.patchBlueprint("a", `{"identifier":"b"}`).fails("409 identifier_taken")
		w.patchBlueprint("a", `{"identifier":"c"}`).is(`"c"`, "relations", "self", "target")
		w.blueprint("b").is(`"c"`, "relations", "a", "target").is(`"c"`, "aggregationProperties", "g", "target")
		w.get("b", "e").is(`{"m":"v","g":1}`, "properties")
		w.get("c", "e").is(`{"self":"e"}`, "relations").is(`"c"`, "blueprint")
		w.get("a", "e").fails("404 not_found")
		w.get("_scorecard", "ready").is(`"c"`, "properties", "blueprint")
		w.delete("c", "e", catalog.DeleteOptions{}).ok()
		w.get("b", "e").is(`null`, "relations", "a")
	})
}

func TestRenamingKeys(t *testing.T) {
	t.Parallel()
	everyStore(t, func(_ *testing.T, w *world) {
		rename := func(f func(tx store.Tx) (jsonv.Object, error)) result {
			return w.update(func(tx store.Tx) (any, error) { return f(tx) })
		}
		property := func(bp, key, to string) result {
			return rename(func(tx store.Tx) (jsonv.Object, error) {
				return w.cat.RenameProperty(w.ctx, tx, w.actor, bp, key, value(w.t, to))
			})
		}
		w.createBlueprint(body(`"schema":{"properties":{"n":{"type":"number"}},"required":["n"]},"ownership":{"type":"Direct"},"relations":{"up":{"target":"a"}},"mirrorProperties":{"m":{"path":"up.up.n"}}`)).ok()
		w.createBlueprint(`{"identifier":"b","title":"B","schema":{"properties":{"n":{"type":"number"}}},"relations":{"n":{"target":"a"}},
			"ownership":{"type":"Inherited","path":"n.up"},"mirrorProperties":{"m":{"path":"n.n"},"mm":{"path":"n.m"},"r":{"path":"n.up"}},
			"aggregationProperties":{"g":{"target":"a","calculationSpec":{"calculationBy":"property","func":"sum","property":"n"},"pathFilter":[{"path":["n","up"]}]}}}`).ok()
		w.post("a", `{"identifier":"e","properties":{"n":1},"relations":{"up":"e"}}`).ok()
		w.post("b", `{"identifier":"e","properties":{"n":2},"relations":{"n":"e"}}`).ok()
		const values = `{"n":2,"m":1,"mm":1,"r":"e","g":1}`
		w.get("b", "e").is(values, "properties")

		property("a", "zz", `{"newPropertyName":"x"}`).fails("404 not_found")
		property("zz", "n", `{"newPropertyName":"x"}`).fails("404 not_found")
		property("a", "n", `{"newPropertyName":"m"}`).fails("409 identifier_taken")
		property("a", "n", `{"newPropertyName":"x y"}`).fails("422 invalid_request")
		property("a", "n", `{}`).fails("422 invalid_request")
		property("_user", "status", `{"newPropertyName":"x"}`).fails("403 protected_blueprint_violation")
		property("a", "n", `{"newPropertyName":"n"}`).is(`["n"]`, "schema", "required")
		property("a", "n", `{"newPropertyName":"x"}`).is(`["x"]`, "schema", "required").is(`"up.up.x"`, "mirrorProperties", "m", "path")
		w.get("a", "e").is(`{"x":1,"m":1}`, "properties")
		w.blueprint("b").is(`"n.x"`, "mirrorProperties", "m", "path").is(`"x"`, "aggregationProperties", "g", "calculationSpec", "property").is(`"number"`, "schema", "properties", "n", "type")
		w.get("b", "e").is(values, "properties")

		rename(func(tx store.Tx) (jsonv.Object, error) {
			return w.cat.RenameMirror(w.ctx, tx, w.actor, "a", "m", value(w.t, `{"newMirrorName":"mirror"}`))
		}).is(`{"mirror":{"path":"up.up.x"}}`, "mirrorProperties")
		w.blueprint("b").is(`"n.mirror"`, "mirrorProperties", "mm", "path")

		rename(func(tx store.Tx) (jsonv.Object, error) {
			return w.cat.RenameRelation(w.ctx, tx, w.actor, "a", "up", value(w.t, `{"newRelationIdentifier":"over"}`))
		}).is(`"over.over.x"`, "mirrorProperties", "mirror", "path")
		w.blueprint("b").is(`"n.over"`, "ownership", "path").is(`"n.over"`, "mirrorProperties", "r", "path").is(`["n","over"]`, "aggregationProperties", "g", "pathFilter", "0", "path")
		w.get("a", "e").is(`{"over":"e"}`, "relations")
		w.get("b", "e").is(values, "properties")
	})
}
