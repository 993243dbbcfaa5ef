package catalog_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

func TestMirrorsFollowPaths(t *testing.T) {
	t.Parallel()
	everyStore(t, func(_ *testing.T, w *world) {
		w.createBlueprint(`{"identifier":"a","title":"A","ownership":{"type":"Direct"},"schema":{"properties":{"n":{"type":"number"},"l":{"type":"array"}}},"relations":{"up":{"target":"a"},"all":{"target":"a","many":true}},
			"calculationProperties":{"double":{"type":"number","calculation":".properties.n * 2"}},
			"mirrorProperties":{
				"n1":{"path":"up.n"},"n2":{"path":"up.up.n"},"ns":{"path":"all.n"},"ls":{"path":"all.l"},"of":{"path":"up.n1"},"calc":{"path":"up.double"},
				"ids":{"path":"up.all"},"id":{"path":"up.up"},"team":{"path":"up.$team"},"teams":{"path":"all.$team.$title"},"own":{"path":"$team.$identifier"},"bp":{"path":"up.$blueprint"},"by":{"path":"up.$createdBy"}}}`).ok()
		w.post("_team", `{"identifier":"t","title":"T"}`).ok()
		w.post("a", `{"identifier":"1","team":["t","ghost"],"properties":{"n":1,"l":[1,null,2]},"relations":{"all":["1"]}}`).ok()
		w.post("a", `{"identifier":"2","team":"t","properties":{"l":[1,[3]]},"relations":{"up":"1","all":["1"]}}`).ok()
		w.post("a", `{"identifier":"3","properties":{"n":3},"relations":{"up":"2","all":["2","1","3"]}}`).ok()
		w.get("a", "3").is(`{"n":3,"double":6,"n1":null,"n2":1,"ns":[1,3],"ls":[1,[3],1,2],"of":1,"calc":null,"ids":["1"],"id":"1","team":["t"],"teams":["T","T"],"own":[],"bp":"a","by":"client"}`, "properties")
		w.get("a", "1").is(`null`, "properties", "n1").is(`["t"]`, "properties", "own").is(`null`, "properties", "team")
		w.patch("a", "1", `{"properties":{"n":7}}`).ok()
		w.get("a", "3").is(`7`, "properties", "n2").is(`[7,3]`, "properties", "ns")
		w.get("a", "2").is(`14`, "properties", "calc")
		w.read.ExcludeCalculated = true
		w.get("a", "3").is(`{"n":3}`, "properties")
	})
}

func TestCyclesOfMirrorsEnd(t *testing.T) {
	t.Parallel()
	w := memory(t)
	w.createBlueprint(`{"identifier":"a","title":"A","schema":{"properties":{}},"relations":{"up":{"target":"a"}},"mirrorProperties":{"m":{"path":"up.$title"}}}`).ok()
	w.patchBlueprint("a", `{"mirrorProperties":{"m":{"path":"up.m"}}}`).ok()
	w.create("a", `{"identifier":"1","relations":{"up":"2"}}`, catalog.WriteOptions{CreateMissing: true}).ok()
	w.put("a", "2", `{"relations":{"up":"1"}}`).ok()
	w.get("a", "1").is(`null`, "properties", "m")
}

func TestCalculationsSeeTheEntity(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ kind, program, want string }{
		"meta":                 {"string", `.identifier + .title + .blueprint + .createdBy + .createdAt`, `"eEaclient2024-01-01T00:00:00.002Z"`},
		"icon and team":        {"array", `[.icon, .team]`, `[null,["t"]]`},
		"own properties":       {"number", `.properties.n + 1`, `6`},
		"odd keys":             {"number", `.properties["odd-key"]`, `1`},
		"mirror properties":    {"number", `.properties.m`, `5`},
		"aggregations":         {"number", `.properties.g`, `1`},
		"no calculations":      {"boolean", `.properties | has("other")`, `false`},
		"plain relations":      {"string", `.relations.self`, `"e"`},
		"scorecards":           {"object", `.scorecards`, `{}`},
		"first output only":    {"number", `1, 2`, `1`},
		"no output":            {"number", `empty`, `null`},
		"runtime error":        {"number", `error("x")`, `null`},
		"another type":         {"number", `"5"`, `null`},
		"no environment":       {"object", `env`, `{}`},
		"now is the request's": {"number", `now | floor`, `1704067200`},
		"single quotes":        {"boolean", `.title == 'E'`, `true`},
		"exact numbers":        {"number", `.properties.big`, `9007199254740993`},
		"endless":              {"number", `def f: f; f`, `null`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := memory(t)
			w.createBlueprint(`{"identifier":"a","title":"A","schema":{"properties":{"n":{"type":"number"},"odd-key":{"type":"number"},"big":{"type":"number"}}},"relations":{"self":{"target":"a"}},
				"mirrorProperties":{"m":{"path":"self.n"}},"aggregationProperties":{"g":{"target":"a","pathFilter":[{"path":["self"]}],"calculationSpec":{"calculationBy":"entities","func":"count"}}},
				"calculationProperties":{"other":{"type":"number","calculation":"1"},"c":{"type":"` + row.kind + `","calculation":` + string(jsonv.Encode(row.program)) + `}}}`).ok()
			w.post("a", `{"identifier":"e","title":"E","team":"t","properties":{"n":5,"odd-key":1,"big":9007199254740993},"relations":{"self":"e"}}`).ok()
			w.get("a", "e").is(row.want, "properties", "c")
		})
	}
}

func TestACancelledRequestIsNoNull(t *testing.T) {
	t.Parallel()
	w := memory(t)
	w.createBlueprint(`{"identifier":"a","title":"A","schema":{"properties":{}},"calculationProperties":{"c":{"type":"number","calculation":"1"}}}`).ok()
	w.post("a", `{"identifier":"e"}`).ok()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := w.store.View(context.Background(), func(tx store.Tx) error {
		_, err := w.cat.ReadEntity(ctx, tx, w.actor, "a", "e", catalog.ReadOptions{})
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAggregations(t *testing.T) {
	t.Parallel()
	const entities = `"calculationSpec":{"calculationBy":"entities","func":`
	const property = `"calculationSpec":{"calculationBy":"property","property":"n","func":`
	for name, row := range map[string]struct{ spec, want string }{
		"related either way":        {`"target":"bug",` + entities + `"count"}`, `4`},
		"upstream too":              {`"target":"org",` + entities + `"count"}`, `1`},
		"of its own kind":           {`"target":"svc",` + entities + `"count"}`, `0`},
		"unrelated":                 {`"target":"_user",` + entities + `"count"}`, `0`},
		"filtered":                  {`"target":"bug","query":{"combinator":"and","rules":[{"property":"n","operator":">","value":1}]},` + entities + `"count"}`, `2`},
		"sloppy operator":           {`"target":"bug","query":{"combinator":"and","rules":[{"property":"n","operator":"IN","value":[2.0]}]},` + entities + `"count"}`, `1`},
		"forward path":              {`"target":"org","pathFilter":[{"path":["org"]}],` + entities + `"count"}`, `1`},
		"backward path":             {`"target":"bug","pathFilter":[{"path":["pod","svc"],"fromBlueprint":"bug"}],` + entities + `"count"}`, `4`},
		"sum":                       {`"target":"bug",` + property + `"sum"}`, `5.3`},
		"min":                       {`"target":"bug",` + property + `"min"}`, `0.1`},
		"max":                       {`"target":"bug",` + property + `"max"}`, `3.2`},
		"median of odd":             {`"target":"bug",` + property + `"median"}`, `2.0`},
		"median of even":            {`"target":"bug","query":{"combinator":"and","rules":[{"property":"n","operator":">","value":1}]},` + property + `"median"}`, `2.6`},
		"average in total":          {`"target":"bug","query":{"combinator":"and","rules":[{"property":"n","operator":">","value":1}]},` + property + `"average","averageOf":"total"}`, `2.6`},
		"average by day":            {`"target":"bug",` + property + `"average","averageOf":"day"}`, `1.7666666666666666`},
		"entities by day":           {`"target":"bug",` + entities + `"average","averageOf":"day"}`, `1.3333333333333333`},
		"entities by total":         {`"target":"bug",` + entities + `"average","averageOf":"total"}`, `4`},
		"entities by measured time": {`"target":"bug",` + entities + `"average","averageOf":"hour","measureTimeBy":"at"}`, `0.018867924528301886`},
		"empty count":               {`"target":"_user",` + entities + `"count"}`, `0`},
		"empty average":             {`"target":"_user",` + entities + `"average","averageOf":"day"}`, `0`},
		"empty sum":                 {`"target":"bug","query":{"combinator":"and","rules":[{"property":"n","operator":">","value":99}]},` + property + `"sum"}`, `0`},
		"empty min":                 {`"target":"bug","query":{"combinator":"and","rules":[{"property":"n","operator":">","value":99}]},` + property + `"min"}`, `null`},
		"empty property average":    {`"target":"bug","query":{"combinator":"and","rules":[{"property":"n","operator":">","value":99}]},` + property + `"average","averageOf":"day"}`, `null`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everyStore(t, func(_ *testing.T, w *world) {
				w.createBlueprint(`{"identifier":"org","title":"O","schema":{"properties":{}}}`).ok()
				w.createBlueprint(`{"identifier":"svc","title":"S","schema":{"properties":{}},"relations":{"org":{"target":"org"}}}`).ok()
				w.createBlueprint(`{"identifier":"pod","title":"P","schema":{"properties":{}},"relations":{"svc":{"target":"svc"}}}`).ok()
				w.createBlueprint(`{"identifier":"bug","title":"B","schema":{"properties":{"n":{"type":"number"},"at":{"type":"string","format":"date-time"}}},"relations":{"pod":{"target":"pod"},"svc":{"target":"svc"}}}`).ok()
				w.patchBlueprint("svc", `{"aggregationProperties":{"g":{`+row.spec+`}}}`).ok()
				w.post("org", `{"identifier":"o"}`).ok()
				w.post("svc", `{"identifier":"s","relations":{"org":"o"}}`).ok()
				w.post("svc", `{"identifier":"other","relations":{"org":"o"}}`).ok()
				w.post("pod", `{"identifier":"p","relations":{"svc":"s"}}`).ok()
				w.post("pod", `{"identifier":"q","relations":{"svc":"other"}}`).ok()
				for id, n := range map[string]string{"1": "0.1", "2": "2.0", "3": "3.2", "4": "null"} {
					at := ""
					if id == "3" {
						at = `,"at":"2023-12-31T22:10:00Z"`
					}
					w.post("bug", `{"identifier":"`+id+`","properties":{"n":`+n+at+`},"relations":{"pod":"p","svc":"s"}}`).ok()
				}
				w.post("bug", `{"identifier":"elsewhere","properties":{"n":100},"relations":{"pod":"q"}}`).ok()
				w.clock.Advance(50*time.Hour + 10*time.Minute)
				w.get("svc", "s").is(row.want, "properties", "g")
			})
		})
	}
}

func TestTeamSizeCountsItsUsers(t *testing.T) {
	t.Parallel()
	w := memory(t)
	w.post("_team", `{"identifier":"t","title":"Team"}`).is(`{"size":0}`, "properties")
	w.post("_user", `{"identifier":"a@b.c","team":["t"]}`).ok()
	w.post("_user", `{"identifier":"d@b.c","team":["Team"]}`).is(`["t"]`, "team")
	w.post("_user", `{"identifier":"e@b.c","team":["unknown"]}`).is(`["unknown"]`, "team")
	w.get("_team", "t").is(`{"size":2}`, "properties")
}

func TestOwnershipIsInherited(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		w.createBlueprint(`{"identifier":"top","title":"T","schema":{"properties":{}},"ownership":{"type":"Direct","title":"Owners"}}`).ok()
		w.createBlueprint(`{"identifier":"mid","title":"M","schema":{"properties":{}},"relations":{"top":{"target":"top"}}}`).ok()
		w.createBlueprint(`{"identifier":"low","title":"L","schema":{"properties":{}},"relations":{"mid":{"target":"mid","many":true}},"ownership":{"type":"Inherited","path":"mid.top"}}`).ok()
		w.post("top", `{"identifier":"1","team":["x","y"]}`).ok()
		w.post("top", `{"identifier":"2","team":["z","x"]}`).ok()
		w.post("mid", `{"identifier":"1","relations":{"top":"1"}}`).ok()
		w.post("mid", `{"identifier":"2","relations":{"top":"2"}}`).ok()
		const e = `{"identifier":"e","relations":{"mid":["2","1"]}`
		w.post("low", e+`,"team":["q"]}`).fails("422 inherited_ownership_enabled")
		w.post("low", e+`,"team":[]}`).is(`["z","x","y"]`, "team")
		w.put("low", "e", e+`,"team":["x","y","z"]}`).is(`["z","x","y"]`, "team")
		w.patch("top", "1", `{"team":["new"]}`).ok()
		w.get("low", "e").is(`["z","x","new"]`, "team")
		if got := w.search(`{"combinator":"and","rules":[{"property":"$team","operator":"containsAny","value":["new"]}]}`).found(); got != "1 e " {
			t.Errorf("found %q", got)
		}
		w.patchBlueprint("top", `{"ownership":null}`).ok()
		w.get("top", "2").is(`["z","x"]`, "team")
	})
}

func TestLegacyInheritanceWorksWhileItResolves(t *testing.T) {
	t.Parallel()
	w := memory(t)
	w.createBlueprint(`{"identifier":"top","title":"T","schema":{"properties":{}},"ownership":{"type":"Direct"}}`).ok()
	w.createBlueprint(`{"identifier":"low","title":"L","schema":{"properties":{}},"relations":{"top":{"target":"top"}},"teamInheritance":{"path":"top.$team"}}`).ok()
	w.post("top", `{"identifier":"1","team":["x"]}`).ok()
	w.post("low", `{"identifier":"e","team":["y"],"relations":{"top":"1"}}`).fails("422 team_inheritance_enabled")
	w.post("low", `{"identifier":"e","relations":{"top":"1"}}`).is(`["x"]`, "team")
	w.patchBlueprint("low", `{"teamInheritance":{"path":"nowhere"}}`).ok()
	w.post("low", `{"identifier":"f","team":["y"]}`).is(`["y"]`, "team")
	w.patchBlueprint("low", `{"ownership":{"type":"Direct"},"teamInheritance":{"path":"top"}}`).ok()
	w.post("low", `{"identifier":"g","team":["y"],"relations":{"top":"1"}}`).is(`["y"]`, "team")
}

func TestBlueprintsThatInheritFromEachOtherHaveNoTeam(t *testing.T) {
	t.Parallel()
	w := memory(t)
	w.createBlueprint(`{"identifier":"a","title":"A","schema":{"properties":{}},"relations":{"x":{"target":"a"}},"ownership":{"type":"Direct"}}`).ok()
	w.patchBlueprint("a", `{"ownership":{"type":"Inherited","path":"x"}}`).ok()
	w.post("a", `{"identifier":"1","relations":{"x":"1"}}`).is(`[]`, "team")
}
