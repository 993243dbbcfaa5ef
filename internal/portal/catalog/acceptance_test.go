package catalog_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// The rows of reference/catalog.md §8 that do not need HTTP.
func TestAcceptanceScenarios(t *testing.T) {
	t.Parallel()
	const plain = `{"identifier":"a","title":"A","schema":{"properties":{"x":{"type":"string"},"y":{"type":"number"}}}}`
	domain := func(w *world) {
		w.createBlueprint(`{"identifier":"domain","title":"D","schema":{"properties":{}}}`).ok()
		w.createBlueprint(`{"identifier":"svc","title":"S","schema":{"properties":{"tier":{"type":"string"}}},
			"relations":{"domain":{"target":"domain"},"parts":{"target":"domain","many":true}}}`).ok()
	}
	for name, row := range map[string]func(t *testing.T, w *world){
		"1 a blueprint's identifier can be taken once": func(_ *testing.T, w *world) {
			w.createBlueprint(plain).is(`"a"`, "identifier")
			w.createBlueprint(plain).fails("409 identifier_taken")
		},
		"2 a relation to nothing is not found": func(t *testing.T, w *world) {
			f := w.createBlueprint(`{"identifier":"a","title":"A","schema":{"properties":{}},"relations":{"r":{"target":"zz"}}}`).fails("404 not_found")
			if !strings.Contains(f.Message, "zz") || !strings.Contains(f.Message, "was not found") {
				t.Error(f.Message)
			}
		},
		"3 a relation is not many and required": func(_ *testing.T, w *world) {
			w.createBlueprint(`{"identifier":"a","title":"A","schema":{"properties":{}},"relations":{"r":{"target":"a","many":true,"required":true}}}`).fails("422 invalid_request")
		},
		"4 PUT without aggregations clears them": func(_ *testing.T, w *world) {
			w.createBlueprint(plain).ok()
			w.patchBlueprint("a", `{"aggregationProperties":{"n":{"title":"N","target":"a","calculationSpec":{"calculationBy":"entities","func":"count"}}}}`).
				is(`"number"`, "aggregationProperties", "n", "type")
			w.putBlueprint("a", plain).ok()
			w.blueprint("a").is(`{}`, "aggregationProperties")
		},
		"5 PATCH leaves other properties": func(_ *testing.T, w *world) {
			w.createBlueprint(plain).ok()
			w.patchBlueprint("a", `{"schema":{"properties":{"z":{"type":"boolean"}}}}`).
				is(`{"x":{"type":"string"},"y":{"type":"number"},"z":{"type":"boolean"}}`, "schema", "properties")
		},
		"6 PUT of what GET gave changes nothing": func(t *testing.T, w *world) {
			w.createBlueprint(plain).ok()
			before := w.blueprint("a").ok()
			w.putBlueprint("a", string(jsonv.Encode(before.doc))).ok()
			after := w.blueprint("a").ok()
			for _, doc := range []any{before.doc, after.doc} {
				delete(doc.(jsonv.Object), "updatedAt")
			}
			if !jsonv.Equal(before.doc, after.doc) {
				t.Errorf("got %s, want %s", jsonv.Encode(after.doc), jsonv.Encode(before.doc))
			}
		},
		"7 a type changes only by removing the property": func(_ *testing.T, w *world) {
			w.createBlueprint(plain).ok()
			w.post("a", `{"identifier":"e","properties":{"x":"v","y":1}}`).ok()
			f := w.putBlueprint("a", strings.Replace(plain, `"x":{"type":"string"}`, `"x":{"type":"number"}`, 1)).fails("422 forbidden_type_change")
			if f.Details["property"] != "x" {
				w.t.Error(f.Details)
			}
			w.putBlueprint("a", `{"identifier":"a","title":"A","schema":{"properties":{"y":{"type":"number"}},"required":["x"]}}`).is(`[]`, "schema", "required")
			w.putBlueprint("a", strings.Replace(plain, `"x":{"type":"string"}`, `"x":{"type":"number"}`, 1)).ok()
			w.get("a", "e").is(`{"y":1}`, "properties")
		},
		"8 PUT with another identifier renames": func(_ *testing.T, w *world) {
			w.createBlueprint(plain).ok()
			w.post("a", `{"identifier":"e"}`).ok()
			w.putBlueprint("a", strings.Replace(plain, `"a"`, `"b"`, 1)).ok()
			w.blueprint("a").fails("404 not_found")
			w.get("b", "e").is(`"b"`, "blueprint")
		},
		"9 unknown property keys round-trip": func(_ *testing.T, w *world) {
			w.createBlueprint(`{"identifier":"a","title":"A","schema":{"properties":{"x":{"type":"string","x-foo":1}}}}`).ok()
			w.blueprint("a").is(`1`, "schema", "properties", "x", "x-foo")
		},
		"10 an empty entity gets an identifier": func(t *testing.T, w *world) {
			w.createBlueprint(plain).ok()
			r := w.post("a", `{}`).is(`[]`, "team")
			if id := jsonv.String(r.doc, "identifier"); !regexp.MustCompile(`^e_[A-Za-z0-9]{16}$`).MatchString(id) {
				t.Error(id)
			}
		},
		"11 POST, upsert and merge": func(_ *testing.T, w *world) {
			w.createBlueprint(plain).ok()
			w.post("a", `{"identifier":"e","properties":{"x":"1"}}`).ok()
			w.post("a", `{"identifier":"e"}`).fails("409 identifier_taken")
			w.create("a", `{"identifier":"e"}`, catalog.WriteOptions{Merge: true}).fails("409 identifier_taken")
			w.create("a", `{"identifier":"e","properties":{"y":2}}`, catalog.WriteOptions{Upsert: true}).is(`{"y":2}`, "properties")
			w.create("a", `{"identifier":"e","properties":{"x":"3"}}`, catalog.WriteOptions{Upsert: true, Merge: true}).is(`{"x":"3","y":2}`, "properties")
		},
		"12 PUT never creates": func(_ *testing.T, w *world) {
			w.createBlueprint(plain).ok()
			w.put("a", "e", `{}`).fails("404 not_found")
			w.get("a", "e").fails("404 not_found")
		},
		"13 entity identifiers hold signs": func(_ *testing.T, w *world) {
			w.createBlueprint(plain).ok()
			w.post("a", `{"identifier":"a/b:c=d@e"}`).ok()
			w.get("a", "a/b:c=d@e").is(`"a/b:c=d@e"`, "title")
		},
		"14 an unknown relation is not found": func(_ *testing.T, w *world) {
			domain(w)
			w.post("svc", `{"identifier":"e","relations":{"nope":"x"}}`).fails("404 not_found")
		},
		"15 missing targets fail or are made": func(_ *testing.T, w *world) {
			domain(w)
			w.post("svc", `{"identifier":"e","relations":{"domain":"x"}}`).fails("404 not_found")
			w.create("svc", `{"identifier":"e","relations":{"domain":"x","parts":["y","x"]}}`, catalog.WriteOptions{CreateMissing: true}).ok()
			w.get("domain", "x").is(`"x"`, "title")
			w.get("domain", "y").is(`"y"`, "title")
		},
		"16 cardinality": func(_ *testing.T, w *world) {
			domain(w)
			w.post("domain", `{"identifier":"x"}`).ok()
			f := w.post("svc", `{"identifier":"e","relations":{"domain":["x"]}}`).fails("422 relation_many_violation")
			if f.Details["relation"] != "domain" {
				w.t.Error(f.Details)
			}
			w.post("svc", `{"identifier":"e","relations":{"parts":"x"}}`).fails("422 relation_many_violation")
		},
		"17 what is required goes with its dependents": func(_ *testing.T, w *world) {
			domain(w)
			w.createBlueprint(`{"identifier":"pod","title":"P","schema":{"properties":{}},"relations":{"svc":{"target":"svc","required":true}}}`).ok()
			w.post("svc", `{"identifier":"s"}`).ok()
			w.post("pod", `{"identifier":"p","relations":{"svc":"s"}}`).ok()
			w.delete("svc", "s", catalog.DeleteOptions{}).fails("403 has_dependents")
			w.get("svc", "s").ok()
			w.delete("svc", "s", catalog.DeleteOptions{Dependents: true}).ok()
			w.get("svc", "s").fails("404 not_found")
			w.get("pod", "p").fails("404 not_found")
		},
		"18 optional references are emptied": func(_ *testing.T, w *world) {
			domain(w)
			for _, id := range []string{"x", "y"} {
				w.post("domain", `{"identifier":"`+id+`"}`).ok()
			}
			stamp := w.post("svc", `{"identifier":"s","relations":{"domain":"x","parts":["x","y"]}}`).ok()
			w.delete("domain", "x", catalog.DeleteOptions{}).ok()
			w.get("svc", "s").is(`{"domain":null,"parts":["y"]}`, "relations").
				is(`"`+jsonv.String(stamp.doc, "updatedAt")+`"`, "updatedAt")
		},
		"19 a blueprint with entities stays": func(t *testing.T, w *world) {
			w.createBlueprint(plain).ok()
			w.post("a", `{}`).ok()
			if f := w.deleteBlueprint("a").fails("403 has_dependents"); !strings.Contains(f.Message, "has_dependents") {
				t.Error(f.Message)
			}
		},
		"20 all entities go with their blueprint": func(_ *testing.T, w *world) {
			w.createBlueprint(plain).ok()
			w.post("a", `{}`).ok()
			w.post("a", `{}`).ok()
			id := w.deleteAll("a", catalog.DeleteAllOptions{Blueprint: true}).ok().doc.(string)
			w.view(func(tx store.Tx) (any, error) { return w.cat.ReadMigration(w.ctx, tx, w.actor, id) }).
				is(`"COMPLETED"`, "status").is(`2`, "successCount").is(`{}`, "mapping").is(`true`, "deleteBlueprint").is(`"`+id+`"`, "identifier")
			w.blueprint("a").fails("404 not_found")
		},
		"21 bulk reports item by item": func(_ *testing.T, w *world) {
			w.createBlueprint(plain).ok()
			w.bulk("a", `{"entities":[{"identifier":"1"},{"identifier":"2","properties":{"y":"no"}},{"identifier":"3"}]}`, catalog.WriteOptions{}).
				is(`[{"identifier":"1","index":0,"created":true},{"identifier":"3","index":2,"created":true}]`, "entities").
				is(`422`, "errors", "0", "statusCode").is(`1`, "errors", "0", "index").is(`"blueprint_schema_mismatch"`, "errors", "0", "error").is(`"2"`, "errors", "0", "identifier")
		},
		"22 bulk limits": func(_ *testing.T, w *world) {
			w.createBlueprint(plain).ok()
			w.bulk("a", `{"entities":[`+strings.Repeat(`{},`, 20)+`{}]}`, catalog.WriteOptions{}).fails("422 invalid_request")
			w.bulk("a", `{"entities":[]}`, catalog.WriteOptions{}).fails("422 invalid_request")
			w.bulkDelete("a", `{"entities":[`+strings.Repeat(`"x",`, 100)+`"x"]}`, catalog.DeleteOptions{}).fails("422 invalid_request")
		},
		"23 calculations": func(_ *testing.T, w *world) {
			w.createBlueprint(`{"identifier":"a","title":"A","schema":{"properties":{"x":{"type":"string"}}},"calculationProperties":{
				"bad":{"calculation":"1/0","type":"number"},"same":{"calculation":".properties.x == 'y'","type":"boolean"},"none":{"calculation":"][","type":"string"}}}`).ok()
			w.post("a", `{"identifier":"e","properties":{"x":"y"}}`).is(`{"x":"y","bad":null,"same":true,"none":null}`, "properties")
		},
		"24 mirrors through many relations": func(_ *testing.T, w *world) {
			domain(w)
			w.patchBlueprint("svc", `{"mirrorProperties":{"titles":{"path":"parts.$title"},"one":{"path":"domain.$title"}}}`).ok()
			w.post("domain", `{"identifier":"x","title":"X"}`).ok()
			w.post("domain", `{"identifier":"y","title":"Y"}`).ok()
			w.post("svc", `{"identifier":"s","relations":{"parts":["y","x"]}}`).is(`{"titles":["Y","X"],"one":null}`, "properties")
		},
		"27 unknown properties are null": func(t *testing.T, w *world) {
			w.createBlueprint(plain).ok()
			w.post("a", `{"identifier":"1"}`).ok()
			w.post("a", `{"identifier":"2"}`).ok()
			for op, want := range map[string]string{`null`: "1 2 ", `"x"`: ""} {
				got := w.search(`{"combinator":"and","rules":[{"property":"zzz","operator":"=","value":` + op + `}]}`).found()
				if got != want {
					t.Errorf("= %s finds %q, want %q", op, got, want)
				}
			}
		},
		"28 unknown operators are refused": func(_ *testing.T, w *world) {
			w.search(`{"combinator":"and","rules":[{"property":"x","operator":"~","value":1}]}`).fails("422 invalid_request")
		},
		"29 pages": func(t *testing.T, w *world) {
			w.createBlueprint(plain).ok()
			for _, id := range []string{"5", "1", "4", "2", "3"} {
				w.post("a", `{"identifier":"`+id+`"}`).ok()
			}
			from, pages := "", ""
			for range 4 {
				r := w.searchIn("a", `{"limit":2`+from+`}`)
				pages += r.found() + "| "
				next := jsonv.String(r.doc, "next")
				if next == "" {
					break
				}
				from = `,"from":"` + next + `"`
			}
			if pages != "5 1 | 4 2 | 3 | " {
				t.Errorf("pages %q", pages)
			}
			w.searchIn("a", `{"from":"made up"}`).fails("422 invalid_request")
			w.searchIn("a", `{"limit":0}`).fails("422 invalid_request")
			w.searchIn("a", `{"limit":1001}`).fails("422 invalid_request")
			w.searchIn("a", `{"from":5}`).fails("422 invalid_request")
			w.searchIn("none", `{}`).fails("404 not_found")
		},
		"30 the structure is part of the blueprint": func(t *testing.T, w *world) {
			for _, id := range []string{"_user", "_team", "_scorecard", "_rule", "_rule_result"} {
				s := w.view(func(tx store.Tx) (any, error) { return w.cat.SystemStructure(w.ctx, tx, w.actor, id) }).ok()
				b := w.blueprint(id).ok()
				if !jsonv.Equal(jsonv.Map(s.doc, "schema"), jsonv.Map(b.doc, "schema")) {
					t.Errorf("%s differs from its structure", id)
				}
			}
			w.view(func(tx store.Tx) (any, error) { return w.cat.SystemStructure(w.ctx, tx, w.actor, "a") }).fails("404 not_found")
		},
		"31 system blueprints keep what is theirs": func(_ *testing.T, w *world) {
			w.putBlueprint("_user", `{"identifier":"_user","title":"User","schema":{"properties":{"age":{"type":"number"}},"required":["age"]}}`).
				is(`["age"]`, "schema", "required").is(`{"type":"Direct"}`, "ownership").is(`"User"`, "icon")
			w.blueprint("_user").is(`"string"`, "schema", "properties", "status", "type").is(`"number"`, "schema", "properties", "age", "type")
		},
		"32 system blueprints stay": func(_ *testing.T, w *world) {
			w.deleteBlueprint("_team").fails("403 protected_blueprint_violation")
			w.putBlueprint("_team", `{"identifier":"x","title":"T","schema":{"properties":{}}}`).fails("403 protected_blueprint_violation")
			w.createBlueprint(`{"identifier":"_team","title":"T","schema":{"properties":{}}}`).fails("409 identifier_taken")
			w.deleteAll("_team", catalog.DeleteAllOptions{Blueprint: true}).fails("403 protected_blueprint_violation")
		},
		"36 what was never written is absent": func(_ *testing.T, w *world) {
			domain(w)
			w.post("svc", `{"identifier":"s"}`).ok()
			w.get("svc", "s").is(`{}`, "properties").is(`{}`, "relations").is("absent", "icon")
			w.put("svc", "s", `{"properties":{"tier":null},"relations":{"domain":null,"parts":null}}`).ok()
			w.get("svc", "s").is(`{"tier":null}`, "properties").is(`{"domain":null,"parts":[]}`, "relations")
		},
		"37 PUT without team empties it": func(_ *testing.T, w *world) {
			w.createBlueprint(plain).ok()
			w.post("a", `{"identifier":"e","team":"x"}`).is(`["x"]`, "team")
			w.put("a", "e", `{}`).is(`[]`, "team")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everyStore(t, row)
		})
	}
}
