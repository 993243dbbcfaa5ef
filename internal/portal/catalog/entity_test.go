package catalog_test

import (
	"strings"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// shop has a domain, and services that need one.
func shop(w *world) {
	w.t.Helper()
	w.createBlueprint(`{"identifier":"domain","title":"Domain","schema":{"properties":{"area":{"type":"string"}}}}`).ok()
	w.createBlueprint(`{"identifier":"svc","title":"Service","schema":{"required":["tier"],"properties":{
			"tier":{"type":"string","enum":["gold","silver"]},"size":{"type":"number","minimum":1},"owner":{"type":"string","format":"user","default":"a@b.c"},"tags":{"type":"array","items":{"type":"string"}},"conf":{"type":"object"}}},
		"mirrorProperties":{"area":{"path":"domain.area"}},"calculationProperties":{"slug":{"type":"string","calculation":".identifier"}},
		"relations":{"domain":{"target":"domain","required":true},"next":{"target":"svc"},"uses":{"target":"svc","many":true}}}`).ok()
	w.post("domain", `{"identifier":"shop","title":"Shop","properties":{"area":"north"}}`).ok()
}

const full = `"properties":{"tier":"gold"},"relations":{"domain":"shop"}`

func TestEntityBodiesAreRefused(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ body, want, at string }{
		"no object":                          {`[]`, "422 invalid_request", ""},
		"identifier with a blank":            {`{"identifier":"a b"}`, "422 invalid_request", "/identifier"},
		"identifier too long":                {`{"identifier":"` + strings.Repeat("x", 1001) + `"}`, "422 invalid_request", "/identifier"},
		"identifier of another type":         {`{"identifier":5}`, "422 invalid_request", "/identifier"},
		"title of another type":              {`{"title":5}`, "422 invalid_request", "/title"},
		"icon of another type":               {`{"icon":5}`, "422 invalid_request", "/icon"},
		"team of another type":               {`{"team":5}`, "422 invalid_request", "/team"},
		"team with another type":             {`{"team":["x",5]}`, "422 invalid_request", "/team/1"},
		"properties that are a list":         {`{"properties":[]}`, "422 invalid_request", "/properties"},
		"property key with a blank":          {`{"properties":{"a b":1}}`, "422 invalid_request", "/properties/a b"},
		"relation of another type":           {`{"relations":{"domain":5}}`, "422 invalid_request", "/relations/domain"},
		"relation with a blank":              {`{"relations":{"domain":"a b"}}`, "422 invalid_request", "/relations/domain"},
		"relation with another type":         {`{"relations":{"uses":["a",1]}}`, "422 invalid_request", "/relations/uses/1"},
		"relation query of another grammar":  {`{"relations":{"uses":{"combinator":"and","rules":[{"property":"x","operator":">","value":1}]}}}`, "422 invalid_request", "/relations/uses/rules/0/operator"},
		"unknown property":                   {`{"properties":{"tier":"gold","nope":1},"relations":{"domain":"shop"}}`, "422 blueprint_schema_mismatch", "/properties/nope"},
		"value outside the enum":             {`{"properties":{"tier":"bronze"},"relations":{"domain":"shop"}}`, "422 blueprint_schema_mismatch", "/properties/tier"},
		"value of another type":              {`{"properties":{"tier":"gold","size":"5"},"relations":{"domain":"shop"}}`, "422 blueprint_schema_mismatch", "/properties/size"},
		"value out of range":                 {`{"properties":{"tier":"gold","size":0},"relations":{"domain":"shop"}}`, "422 blueprint_schema_mismatch", "/properties/size"},
		"item of another type":               {`{"properties":{"tier":"gold","tags":["x",1]},"relations":{"domain":"shop"}}`, "422 blueprint_schema_mismatch", "/properties/tags/1"},
		"required property absent":           {`{"relations":{"domain":"shop"}}`, "422 blueprint_schema_mismatch", "/properties/tier"},
		"required property null":             {`{"properties":{"tier":null},"relations":{"domain":"shop"}}`, "422 blueprint_schema_mismatch", "/properties/tier"},
		"required relation absent":           {`{"properties":{"tier":"gold"}}`, "422 required_relation", "/relations/domain"},
		"required relation null":             {`{"properties":{"tier":"gold"},"relations":{"domain":null}}`, "422 required_relation", "/relations/domain"},
		"unknown relation":                   {`{"properties":{"tier":"gold"},"relations":{"domain":"shop","nope":"x"}}`, "404 not_found", ""},
		"array for one":                      {`{"properties":{"tier":"gold"},"relations":{"domain":"shop","next":["x"]}}`, "422 relation_many_violation", "/relations/next"},
		"one for many":                       {`{"properties":{"tier":"gold"},"relations":{"domain":"shop","uses":"x"}}`, "422 relation_many_violation", "/relations/uses"},
		"target that is missing":             {`{"properties":{"tier":"gold"},"relations":{"domain":"none"}}`, "404 not_found", ""},
		"types before required":              {`{"properties":{"size":"5"}}`, "422 blueprint_schema_mismatch", "/properties/size"},
		"required before relation keys":      {`{"relations":{"nope":"x"}}`, "422 blueprint_schema_mismatch", "/properties/tier"},
		"cardinality before targets":         {`{"properties":{"tier":"gold"},"relations":{"domain":"none","next":[]}}`, "422 relation_many_violation", "/relations/next"},
		"targets before the taken identity":  {`{"identifier":"there","properties":{"tier":"gold"},"relations":{"domain":"none"}}`, "404 not_found", ""},
		"identifier that is taken":           {`{"identifier":"there",` + full + `}`, "409 identifier_taken", ""},
		"identifier query that finds none":   {`{"identifier":{"combinator":"and","rules":[{"property":"$title","operator":"=","value":"zz"}]},` + full + `}`, "404 not_found", ""},
		"identifier query that finds two":    {`{"identifier":{"combinator":"or","rules":[]},` + full + `}`, "422 invalid_request", "/identifier"},
		"one-relation query that finds many": {`{"properties":{"tier":"gold"},"relations":{"domain":"shop","next":{"combinator":"and","rules":[]}}}`, "422 relation_many_violation", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := memory(t)
			shop(w)
			w.post("svc", `{"identifier":"there",`+full+`}`).ok()
			w.post("svc", `{"identifier":"too",`+full+`}`).ok()
			f := w.post("svc", row.body).fails(row.want)
			at := ""
			for _, e := range jsonv.List(f.Details, "errors") {
				at += jsonv.String(e, "path") + " "
			}
			if row.at != "" && !strings.Contains(at, row.at+" ") {
				t.Errorf("problems at %q, want one at %q", at, row.at)
			}
			if got := w.searchIn("svc", `{}`).found(); got != "there too " {
				t.Errorf("entities %q", got)
			}
		})
	}
}

func TestFaultsSayWhatIsMissing(t *testing.T) {
	t.Parallel()
	w := memory(t)
	shop(w)
	for body, want := range map[string]string{
		`{"relations":{"domain":"shop"}}`:                              `{"errors":[{"message":"is required","path":"/properties/tier","property":"tier","reason":"missing_required_property"}],"property":"tier","reason":"missing_required_property"}`,
		`{"properties":{"tier":"gold"}}`:                               `{"errors":[{"message":"is required","path":"/relations/domain","relation":"domain"}],"relation":"domain"}`,
		`{"properties":{"tier":"gold"},"relations":{"domain":"none"}}`: `{"blueprint":"domain","identifier":"none","relation":"domain","resource":"Entity"}`,
	} {
		f := asFault(w.post("svc", body).err)
		if f == nil {
			t.Fatalf("%s: no fault", body)
		}
		if got := string(jsonv.Encode(f.Details)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", body, got, want)
		}
	}
}

func TestWriteModesKeepAndDrop(t *testing.T) {
	t.Parallel()
	const rich = `{"identifier":"e","title":"E","icon":"I","team":["t","u","t"],"properties":{"tier":"gold","conf":{"a":1,"b":2},"tags":["x"]},"relations":{"domain":"shop","uses":["there","e","there"]}}`
	for name, row := range map[string]struct {
		write func(w *world, body string) result
		body  string
		want  map[string]string
	}{
		"put drops what is absent": {
			func(w *world, body string) result { return w.put("svc", "e", body) }, `{` + full + `}`,
			map[string]string{"title": `"e"`, "icon": "absent", "team": `[]`, "properties": `{"tier":"gold","slug":"e","area":"north"}`, "relations": `{"domain":"shop"}`},
		},
		"upsert overrides": {
			func(w *world, body string) result {
				return w.create("svc", body, catalog.WriteOptions{Upsert: true})
			}, `{"identifier":"e","title":"",` + full + `}`,
			map[string]string{"title": `""`, "icon": "absent", "team": `[]`, "relations": `{"domain":"shop"}`},
		},
		"patch keeps what is absent": {
			func(w *world, body string) result { return w.patch("svc", "e", body) }, `{"properties":{"conf":{"c":3},"size":null},"relations":{"uses":null}}`,
			map[string]string{"title": `"E"`, "icon": `"I"`, "team": `["t","u"]`,
				"properties": `{"tier":"gold","conf":{"c":3},"tags":["x"],"size":null,"owner":"a@b.c","slug":"e","area":"north"}`, "relations": `{"domain":"shop","uses":[]}`},
		},
		"merge keeps what is absent": {
			func(w *world, body string) result {
				return w.create("svc", body, catalog.WriteOptions{Upsert: true, Merge: true})
			}, `{"identifier":"e","team":["z"],"relations":{"next":"e"}}`,
			map[string]string{"title": `"E"`, "team": `["z"]`, "relations": `{"domain":"shop","uses":["there","e"],"next":"e"}`},
		},
		"patch empties": {
			func(w *world, body string) result { return w.patch("svc", "e", body) }, `{"title":null,"icon":null,"team":null,"createdAt":"1999-01-01T00:00:00.000Z","blueprint":"other"}`,
			map[string]string{"title": `"e"`, "icon": "absent", "team": `[]`, "createdAt": `"2024-01-01T00:00:00.005Z"`, "updatedAt": `"2024-01-01T00:00:00.006Z"`, "blueprint": `"svc"`},
		},
		"computed keys are ignored": {
			func(w *world, body string) result { return w.put("svc", "e", body) }, `{"properties":{"tier":"gold","slug":"mine","area":5},"relations":{"domain":"shop"},"scorecards":{},"id":"x"}`,
			map[string]string{"properties": `{"tier":"gold","slug":"e","area":"north"}`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everyStore(t, func(_ *testing.T, w *world) {
				shop(w)
				w.post("svc", `{"identifier":"there",`+full+`}`).is(`"a@b.c"`, "properties", "owner")
				w.post("svc", rich).is(`["there","e"]`, "relations", "uses")
				answer := row.write(w, row.body).ok()
				for path, want := range row.want {
					answer.is(want, path)
					w.get("svc", "e").is(want, path)
				}
			})
		})
	}
}

func TestPatchBodiesAreClosed(t *testing.T) {
	t.Parallel()
	w := memory(t)
	shop(w)
	w.post("svc", `{"identifier":"e",`+full+`}`).ok()
	w.patch("svc", "e", `{"scorecards":{}}`).fails("422 invalid_request")
	w.patch("svc", "e", `{"id":"e"}`).fails("422 invalid_request")
	w.patch("svc", "e", `{"relations":{"domain":null}}`).fails("403 required_relation")
	w.patch("svc", "zz", `{}`).fails("404 not_found")
	w.patch("zz", "e", `{}`).fails("404 not_found")
}

func TestRenamingAnEntityTakesReferencesAlong(t *testing.T) {
	t.Parallel()
	everyStore(t, func(_ *testing.T, w *world) {
		shop(w)
		w.post("svc", `{"identifier":"e","properties":{"tier":"gold"},"relations":{"domain":"shop","next":"e"}}`).ok()
		w.post("svc", `{"identifier":"f","properties":{"tier":"gold"},"relations":{"domain":"shop","next":"e","uses":["f","e"]}}`).ok()
		w.put("svc", "f", `{"identifier":"e",`+full+`}`).fails("409 identifier_taken")
		w.patch("svc", "e", `{"identifier":"g"}`).is(`"g"`, "relations", "next")
		w.get("svc", "e").fails("404 not_found")
		w.get("svc", "f").is(`{"domain":"shop","next":"g","uses":["f","g"]}`, "relations")
		w.patch("domain", "shop", `{"identifier":"mall"}`).ok()
		w.get("svc", "g").is(`{"domain":"mall","next":"g"}`, "relations").is(`"north"`, "properties", "area")
	})
}

func TestCreateMissingMakesBareEntities(t *testing.T) {
	t.Parallel()
	w := memory(t)
	shop(w)
	o := catalog.WriteOptions{CreateMissing: true}
	w.create("svc", `{"identifier":"e","properties":{"tier":"gold"},"relations":{"domain":"new","uses":["u","e"]}}`, o).ok()
	w.get("domain", "new").is(`"new"`, "title").is(`{}`, "properties").is(`{}`, "relations")
	w.get("svc", "u").is(`{"owner":"a@b.c","area":null,"slug":"u"}`, "properties")
	w.patchBlueprint("svc", `{"relations":{"team":{"target":"_team"}}}`).ok()
	w.create("svc", `{"identifier":"f","properties":{"tier":"gold"},"relations":{"domain":"x","team":"none"}}`, o).fails("404 not_found")
	w.get("domain", "x").fails("404 not_found")
}

func TestValidationOnlyWritesNothing(t *testing.T) {
	t.Parallel()
	everyStore(t, func(_ *testing.T, w *world) {
		shop(w)
		o := catalog.WriteOptions{ValidationOnly: true, CreateMissing: true, Upsert: true}
		w.create("svc", `{"identifier":"e","properties":{"tier":"gold"},"relations":{"domain":"new"}}`, o).is(`{"tier":"gold","owner":"a@b.c","slug":"e","area":null}`, "properties")
		w.create("svc", `{"identifier":"e"}`, o).fails("422 blueprint_schema_mismatch")
		w.bulk("svc", `{"entities":[{"identifier":"e",`+full+`},{"identifier":"f","properties":{"tier":"gold"},"relations":{"domain":"shop","next":"e"}}]}`, o).is(`[]`, "errors")
		w.get("svc", "e").fails("404 not_found")
		w.get("domain", "new").fails("404 not_found")
	})
}

func TestRunsAreUnknownWithoutActions(t *testing.T) {
	t.Parallel()
	w := memory(t)
	shop(w)
	w.create("domain", `{}`, catalog.WriteOptions{RunID: "r_1"}).fails("404 not_found")
	w.delete("domain", "shop", catalog.DeleteOptions{RunID: "r_1"}).fails("404 not_found")
	w.bulkDelete("domain", `{"entities":["shop"]}`, catalog.DeleteOptions{RunID: "r_1"}).fails("404 not_found")
	w.deleteAll("domain", catalog.DeleteAllOptions{RunID: "r_1"}).fails("404 not_found")
	w.get("domain", "shop").ok()
}

func TestDeletionFollowsRequiredRelationsOnly(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		const cycle = `"schema":{"properties":{}},"relations":{"x":{"target":"%","required":true}}`
		w.createBlueprint(`{"identifier":"b","title":"B","schema":{"properties":{}}}`).ok()
		w.createBlueprint(`{"identifier":"a","title":"A",` + strings.Replace(cycle, "%", "b", 1) + `}`).ok()
		w.patchBlueprint("b", `{`+strings.Replace(cycle, "%", "a", 1)+`}`).ok()
		w.create("b", `{"identifier":"1","relations":{"x":"1"}}`, catalog.WriteOptions{CreateMissing: true}).ok()
		w.put("a", "1", `{"relations":{"x":"1"}}`).ok()
		w.delete("b", "1", catalog.DeleteOptions{}).fails("403 has_dependents")
		w.delete("b", "1", catalog.DeleteOptions{Dependents: true}).ok()
		for _, bp := range []string{"a", "b"} {
			if got := w.searchIn(bp, `{}`).found(); got != "" {
				t.Errorf("%s still has %q", bp, got)
			}
		}
		w.createBlueprint(`{"identifier":"self","title":"S","schema":{"properties":{}},"relations":{"r":{"target":"self","required":true}}}`).ok()
		w.post("self", `{"identifier":"1","relations":{"r":"1"}}`).ok()
		w.delete("self", "1", catalog.DeleteOptions{}).ok()
		w.delete("self", "1", catalog.DeleteOptions{}).fails("404 not_found")
	})
}

func TestBulkDeleteIsAllOrNothing(t *testing.T) {
	t.Parallel()
	everyStore(t, func(_ *testing.T, w *world) {
		shop(w)
		w.post("domain", `{"identifier":"free"}`).ok()
		w.post("svc", `{"identifier":"e",`+full+`}`).ok()
		w.post("svc", `{"identifier":"f","properties":{"tier":"gold"},"relations":{"domain":"shop","next":"e"}}`).ok()
		w.bulkDelete("domain", `{"entities":["free","shop"]}`, catalog.DeleteOptions{}).fails("403 has_dependents")
		w.get("domain", "free").ok()
		w.bulkDelete("domain", `{"entities":["free","none","free"]}`, catalog.DeleteOptions{}).is(`["free"]`)
		w.bulkDelete("svc", `{"entities":["e","f"]}`, catalog.DeleteOptions{}).is(`["e","f"]`)
		w.bulkDelete("none", `{"entities":["e"]}`, catalog.DeleteOptions{}).fails("404 not_found")
		w.bulkDelete("svc", `{"entities":[5]}`, catalog.DeleteOptions{}).fails("422 invalid_request")
		w.bulkDelete("svc", `{"entities":["e"],"x":1}`, catalog.DeleteOptions{}).fails("422 invalid_request")
	})
}

func TestBulkUpsertGoesItemByItem(t *testing.T) {
	t.Parallel()
	everyStore(t, func(_ *testing.T, w *world) {
		shop(w)
		r := w.bulk("svc", `{"entities":[
			{"identifier":"a",`+full+`},
			{"identifier":"b","properties":{"tier":"gold"},"relations":{"domain":"shop","next":"a"}},
			{"identifier":"a",`+full+`},
			{"identifier":{"combinator":"and","rules":[{"property":"$title","operator":"=","value":"zz"}]}},
			{"identifier":"c","properties":{"tier":"gold"},"relations":{"domain":"none"}},
			{`+full+`}]}`, catalog.WriteOptions{})
		r.is(`409`, "errors", "0", "statusCode").is(`2`, "errors", "0", "index").
			is(`"unknown"`, "errors", "1", "identifier").is(`404`, "errors", "1", "statusCode").
			is(`"c"`, "errors", "2", "identifier").is(`"not_found"`, "errors", "2", "error").is(`5`, "entities", "2", "index").is("absent", "errors", "3").is("absent", "entities", "3")
		w.get("svc", "b").is(`"a"`, "relations", "next")
		w.bulk("svc", `{"entities":[{"identifier":"a",`+full+`},{"identifier":5}]}`, catalog.WriteOptions{Upsert: true}).fails("422 invalid_request")
		w.bulk("svc", `{"entities":[{"identifier":"a",`+full+`}]}`, catalog.WriteOptions{Upsert: true}).is(`[{"identifier":"a","index":0,"created":false}]`, "entities")
		w.bulk("none", `{"entities":[{}]}`, catalog.WriteOptions{}).fails("404 not_found")
	})
}

func TestDeletingAllEntities(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		shop(w)
		w.createBlueprint(`{"identifier":"pod","title":"P","schema":{"properties":{}},"relations":{"svc":{"target":"svc"},"svcs":{"target":"svc","many":true}}}`).ok()
		w.post("svc", `{"identifier":"e",`+full+`}`).ok()
		w.post("pod", `{"identifier":"p","relations":{"svc":"e","svcs":["e"]}}`).ok()
		w.deleteAll("domain", catalog.DeleteAllOptions{}).fails("403 has_dependents")
		w.deleteAll("svc", catalog.DeleteAllOptions{Blueprint: true}).fails("403 has_dependents")
		w.deleteAll("none", catalog.DeleteAllOptions{}).fails("404 not_found")
		w.deleteAll("svc", catalog.DeleteAllOptions{}).ok()
		w.get("pod", "p").is(`{"svc":null,"svcs":[]}`, "relations")
		w.blueprint("svc").ok()
		w.deleteAll("svc", catalog.DeleteAllOptions{}).ok()
		list := func(f catalog.MigrationFilter) int {
			r := w.view(func(tx store.Tx) (any, error) { return w.cat.ListMigrations(w.ctx, tx, w.actor, f) }).ok()
			l, _ := r.doc.([]any)
			return len(l)
		}
		for want, f := range map[int]catalog.MigrationFilter{
			2: {Status: []string{"RUNNING", "COMPLETED"}, Actor: "client", Blueprint: "svc"},
			0: {Blueprint: "domain"},
		} {
			if got := list(f); got != want {
				t.Errorf("%+v lists %d, want %d", f, got, want)
			}
		}
		w.view(func(tx store.Tx) (any, error) { return w.cat.ReadMigration(w.ctx, tx, w.actor, "m_none") }).fails("404 not_found")
		w.view(func(tx store.Tx) (any, error) {
			return w.cat.ListMigrations(w.ctx, tx, w.actor, catalog.MigrationFilter{Status: []string{"x"}})
		}).fails("422 invalid_request")
	})
}

func TestRuleResultsAreProtected(t *testing.T) {
	t.Parallel()
	w := memory(t)
	w.post("_rule_result", `{"identifier":"x"}`).fails("403 protected_entity")
	w.deleteAll("_rule_result", catalog.DeleteAllOptions{}).fails("403 protected_entity")
	w.bulk("_rule_result", `{"entities":[{"identifier":"x"}]}`, catalog.WriteOptions{Upsert: true}).is(`403`, "errors", "0", "statusCode").is(`"protected_entity"`, "errors", "0", "error")
	w.post("_scorecard", `{"identifier":"s","properties":{"blueprint":"_user","levels":[{"title":"Gold","color":"gold"}]}}`).is(`{"blueprint":"_user","levels":[{"title":"Gold","color":"gold"}],"rules_tested":0,"rules_passed":0,"of_rules_passed":null}`, "properties")
	w.post("_rule", `{"identifier":"r","properties":{"level":"Gold","query":{}},"relations":{"scorecard":"s"}}`).ok()
	w.delete("_scorecard", "s", catalog.DeleteOptions{}).ok()
	w.get("_rule", "r").fails("404 not_found")
}

// The old and the new identifier may stand beside each other in a relation.
func TestARenameLeavesNoTargetTwice(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		w.createBlueprint(`{"identifier":"a","title":"A","schema":{"properties":{}},"relations":{"to":{"target":"a","many":true}}}`).ok()
		w.post("a", `{"identifier":"x"}`).ok()
		w.patch("a", "x", `{"identifier":"y","relations":{"to":["x","y"]}}`).ok().is(`["y"]`, "relations", "to")
	})
}
