package catalog_test

import (
	"strings"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// chain is org ← svc ← pod, with optional and required relations.
func chain(w *world) {
	w.t.Helper()
	w.createBlueprint(`{"identifier":"org","title":"O","ownership":{"type":"Direct"},"schema":{"properties":{"name":{"type":"string"}}}}`).ok()
	w.createBlueprint(`{"identifier":"svc","title":"S","schema":{"properties":{"n":{"type":"number"},"tags":{"type":"array"},"link":{"type":"string","format":"url"},"at":{"type":"string","format":"date-time"}}},
		"relations":{"org":{"target":"org","required":true},"peer":{"target":"svc"}},"mirrorProperties":{"name":{"path":"org.name"},"orgTitle":{"path":"org.$title"}},
		"calculationProperties":{"twice":{"type":"number","calculation":".properties.n * 2"}}}`).ok()
	w.createBlueprint(`{"identifier":"pod","title":"P","schema":{"properties":{"n":{"type":"string"}}},"relations":{"svcs":{"target":"svc","many":true}},"mirrorProperties":{"titles":{"path":"svcs.$title"}}}`).ok()
	w.post("org", `{"identifier":"o1","title":"First","team":["t1"],"properties":{"name":"one"}}`).ok()
	w.post("org", `{"identifier":"o2","team":["t2"],"properties":{"name":"two"}}`).ok()
	w.post("svc", `{"identifier":"s1","title":"One","properties":{"n":1,"tags":["a","b"],"link":"https://x.io/1"},"relations":{"org":"o1","peer":"s1"}}`).ok()
	w.post("svc", `{"identifier":"s2","title":"Two","properties":{"n":2.0,"tags":["b"]},"relations":{"org":"o2","peer":"s1"}}`).ok()
	w.post("svc", `{"identifier":"s3","properties":{"n":3},"relations":{"org":"o2"}}`).ok()
	w.post("pod", `{"identifier":"p1","properties":{"n":"1"},"relations":{"svcs":["s2","s1"]}}`).ok()
	w.post("pod", `{"identifier":"p2","relations":{"svcs":["s3"]}}`).ok()
}

func TestSearches(t *testing.T) {
	t.Parallel()
	rule := func(r string) string { return `{"combinator":"and","rules":[` + r + `]}` }
	for name, row := range map[string]struct{ query, in, all string }{
		"everything":                 {`{"combinator":"and","rules":[]}`, "s1 s2 s3 ", "o1 o2 s1 s2 s3 p1 p2 "},
		"by identifier":              {rule(`{"property":"$identifier","operator":"in","value":["s3","s1","o1","zz"]}`), "s1 s3 ", "o1 s1 s3 "},
		"by blueprint":               {rule(`{"property":"$blueprint","operator":"=","value":"svc"},{"property":"$title","operator":"=","value":"Two"}`), "s2 ", "s2 "},
		"by number in any spelling":  {rule(`{"property":"n","operator":"=","value":2}`), "s2 ", "s2 "},
		"by text":                    {rule(`{"property":"n","operator":"=","value":"1"}`), "", "p1 "},
		"by element":                 {rule(`{"property":"tags","operator":"=","value":"a"}`), "s1 ", "s1 "},
		"by own property and mirror": {rule(`{"property":"name","operator":"=","value":"two"}`), "s2 s3 ", "o2 s2 s3 "},
		"by calculation":             {rule(`{"property":"twice","operator":">=","value":4}`), "s2 s3 ", "s2 s3 "},
		"by relation":                {rule(`{"property":"org","operator":"=","value":"o2"}`), "s2 s3 ", "s2 s3 "},
		"by team":                    {rule(`{"property":"$team","operator":"containsAny","value":["t1"]}`), "", "o1 "},
		"by datasource":              {rule(`{"property":"$datasource","operator":"contains","value":"test"},{"property":"$identifier","operator":"beginsWith","value":"s"}`), "s1 s2 s3 ", "s1 s2 s3 "},
		"either":                     {`{"combinator":"or","rules":[{"property":"$identifier","operator":"=","value":"s3"},{"property":"n","operator":"=","value":1}]}`, "s1 s3 ", "s1 s3 "},
		"what o2 needs":              {rule(`{"operator":"relatedTo","blueprint":"org","value":"o2","direction":"upstream"}`), "", ""},
		"what needs o2":              {rule(`{"operator":"relatedTo","blueprint":"org","value":"o2","direction":"downstream"}`), "s2 s3 ", "s2 s3 p1 p2 "},
		"what must have o2":          {rule(`{"operator":"relatedTo","blueprint":"org","value":"o2","direction":"downstream","required":true}`), "s2 s3 ", "s2 s3 "},
		"a cycle ends":               {rule(`{"operator":"relatedTo","blueprint":"svc","value":"s1"}`), "s1 s2 ", "o1 s1 s2 p1 "},
		"related to what is not":     {rule(`{"operator":"relatedTo","blueprint":"zz","value":"s1"}`), "", ""},
		"along a path":               {rule(`{"property":{"path":["org"]},"operator":"matchAny","value":"o1"}`), "s1 ", "s1 "},
		"along a path from below":    {rule(`{"property":{"path":["svcs","org"],"fromBlueprint":"pod"},"operator":"matchAny","value":["p1"]}`), "", "o1 o2 "},
		"along teams":                {rule(`{"property":{"path":["org","$team"]},"operator":"matchAny","value":["t1"]}`), "", ""},
		"by schema":                  {rule(`{"propertySchema":{"type":"string","format":"url"},"operator":"=","value":"https://x.io/1"}`), "s1 ", "s1 "},
		"empty relation":             {rule(`{"property":"peer","operator":"isEmpty"},{"property":"$blueprint","operator":"=","value":"svc"}`), "s3 ", "s3 "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everyStore(t, func(t *testing.T, w *world) {
				chain(w)
				if got := w.search(row.query).found(); got != row.all {
					t.Errorf("catalog-wide: %q, want %q", got, row.all)
				}
				if got := w.searchIn("svc", `{"query":`+row.query+`}`).found(); got != row.in {
					t.Errorf("in one blueprint: %q, want %q", got, row.in)
				}
				n := w.view(func(tx store.Tx) (any, error) {
					n, err := w.cat.CountSearch(w.ctx, tx, w.actor, "svc", value(t, `{"query":`+row.query+`}`))
					return jsonv.Int(n), err
				})
				n.is(string(jsonv.Int(len(row.in) / 3)))
			})
		})
	}
}

func TestTheAnswerOfACatalogWideSearch(t *testing.T) {
	t.Parallel()
	w := memory(t)
	chain(w)
	const all = `{"combinator":"and","rules":[]}`
	w.search(all).is(`["org","svc","pod"]`, "matchingBlueprints").is("absent", "failedBlueprints")
	w.read.AllowPartial = true
	w.search(all).is(`[]`, "failedBlueprints")
	w.search(`{"combinator":"and"}`).fails("422 invalid_request")
	w.search(`{"combinator":"and","rules":[],"limit":1}`).fails("422 invalid_request")
	w.searchIn("svc", `{"rules":[]}`).fails("422 invalid_request")
	w.searchIn("svc", `{"query":{"combinator":"and","rules":[{"relation":"org","targetProperty":"$title","operator":"=","value":"First"}]}}`).is(`"s1"`, "entities", "0", "identifier")
}

func TestProjections(t *testing.T) {
	t.Parallel()
	w := memory(t)
	chain(w)
	const stamps = `"title":"One","createdAt":"2024-01-01T00:00:00.006Z","updatedAt":"2024-01-01T00:00:00.006Z","createdBy":"client","updatedBy":"client"`
	const lean = `{"identifier":"s1","blueprint":"svc"`
	const base = lean + `,` + stamps
	const own = `"n":1,"tags":["a","b"],"link":"https://x.io/1"`
	const computed = `"name":"one","orgTitle":"First","twice":2`
	for name, row := range map[string]struct {
		o    catalog.ReadOptions
		want string
	}{
		"everything":       {catalog.ReadOptions{}, base + `,"team":[],"scorecards":{},"relations":{"org":"o1","peer":"s1"},"properties":{` + own + `,` + computed + `}}`},
		"no computed":      {catalog.ReadOptions{ExcludeCalculated: true}, base + `,"team":[],"scorecards":{},"relations":{"org":"o1","peer":"s1"},"properties":{` + own + `}}`},
		"include":          {catalog.ReadOptions{Include: []string{"identifier", "properties.twice", "relations.org", "unknown"}}, lean + `,"properties":{"twice":2},"relations":{"org":"o1"}}`},
		"include with $":   {catalog.ReadOptions{Include: []string{"$team"}}, lean + `,"team":[]}`},
		"include objects":  {catalog.ReadOptions{Include: []string{"scorecards", "relations"}}, lean + `,"scorecards":{},"relations":{"org":"o1","peer":"s1"}}`},
		"exclude":          {catalog.ReadOptions{Exclude: []string{"properties", "relations.peer", "team", "scorecards"}}, base + `,"relations":{"org":"o1"}}`},
		"include, exclude": {catalog.ReadOptions{Include: []string{"properties"}, Exclude: []string{"properties.tags", "properties.twice", "createdAt", "createdBy", "updatedAt", "updatedBy", "title"}}, `{"identifier":"s1","blueprint":"svc","properties":{"n":1,"link":"https://x.io/1","name":"one","orgTitle":"First"}}`},
		"titles":           {catalog.ReadOptions{Include: []string{"relations"}, AttachTitles: true}, lean + `,"relations":{"org":{"identifier":"o1","title":"First"},"peer":{"identifier":"s1","title":"One"}}}`},
		"mirror titles":    {catalog.ReadOptions{Include: []string{"properties.orgTitle", "properties.name"}, AttachMirrorIdentifiers: true}, lean + `,"properties":{"orgTitle":{"identifier":"o1","title":"First"},"name":"one"}}`},
	} {
		t.Run(name, func(_ *testing.T) {
			w.read = row.o
			w.get("svc", "s1").is(row.want)
			w.list("svc").is(row.want, "entities", "0")
			found := row.want
			if row.o.Include != nil && row.o.Exclude == nil {
				found = strings.Replace(found, lean, base, 1) // provider-catalog.md §10
			}
			w.search(`{"combinator":"and","rules":[{"property":"$identifier","operator":"=","value":"s1"}]}`).is(found, "entities", "0")
		})
	}
	w.read = catalog.ReadOptions{AttachTitles: true, AttachMirrorIdentifiers: true}
	w.get("pod", "p1").is(`{"svcs":[{"identifier":"s2","title":"Two"},{"identifier":"s1","title":"One"}]}`, "relations").
		is(`[{"identifier":"s2","title":"Two"},{"identifier":"s1","title":"One"}]`, "properties", "titles")
	w.read = catalog.ReadOptions{}
	w.searchIn("svc", `{"include":["n","org","$team"],"limit":1}`).is(lean+`,"team":[],"properties":{"n":1},"relations":{"org":"o1"}}`, "entities", "0")
	w.searchIn("svc", `{"exclude":["n","tags","link","name","orgTitle","org","$title","$team"],"limit":1}`).
		is(`{"twice":2}`, "entities", "0", "properties").is(`{"peer":"s1"}`, "entities", "0", "relations").is("absent", "entities", "0", "title").is("absent", "entities", "0", "team")
	w.searchIn("svc", `{"include":"n"}`).fails("422 invalid_request")
	w.searchIn("svc", `{"include":[1]}`).fails("422 invalid_request")
	w.get("svc", "zz").fails("404 not_found")
	w.get("zz", "s1").fails("404 not_found")
	w.list("zz").fails("404 not_found")
}

func TestDatasourceSearch(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		chain(w)
		w.actor.UserAgent = "port-ocean/jira/1.0.0/my-jira/exporter"
		w.patch("org", "o1", `{}`).ok()
		w.patch("pod", "p1", `{}`).ok()
		w.patch("svc", "s3", `{}`).ok()
		find := func(body string) result {
			return w.view(func(tx store.Tx) (any, error) {
				return w.cat.DatasourceEntities(w.ctx, tx, w.actor, value(t, body))
			})
		}
		const source = `"datasource_prefix":"port-ocean/jira/","datasource_suffix":"/my-jira/exporter"`
		if got := find(`{`+source+`}`).is(`null`, "next").found(); got != "o1 s3 p1 " {
			t.Errorf("found %q", got)
		}
		first := find(`{` + source + `,"limit":2}`)
		if got := first.found(); got != "o1 s3 " {
			t.Errorf("first page %q", got)
		}
		if got := find(`{`+source+`,"limit":2,"from":"`+jsonv.String(first.doc, "next")+`"}`).is(`null`, "next").found(); got != "p1 " {
			t.Errorf("second page %q", got)
		}
		if got := find(`{` + source + `,"before":"2024-01-01T00:00:00.012Z"}`).found(); got != "o1 " {
			t.Errorf("before: %q", got)
		}
		find(`{"limit":5001}`).fails("422 invalid_request")
		find(`{"before":"yesterday"}`).fails("422 invalid_request")
		if got := w.search(`{"combinator":"and","rules":[{"property":"$datasource","operator":"contains","value":"/my-jira/exporter"}]}`).found(); got != "o1 s3 p1 " {
			t.Errorf("search: %q", got)
		}
		w.get("org", "o1").is("absent", "$datasource")
	})
}

func TestValuesGivenByQuery(t *testing.T) {
	t.Parallel()
	everyStore(t, func(_ *testing.T, w *world) {
		chain(w)
		w.post("_team", `{"identifier":"t1","title":"Team"}`).ok()
		byTitle := func(title string) string {
			return `{"combinator":"and","rules":[{"property":"$title","operator":"=","value":"` + title + `"}]}`
		}
		w.create("svc", `{"identifier":`+byTitle("Two")+`,"title":"New","relations":{"org":`+byTitle("First")+`,"peer":`+byTitle("zz")+`}}`, catalog.WriteOptions{Upsert: true, Merge: true}).
			is(`"s2"`, "identifier").is(`{"org":"o1","peer":null}`, "relations")
		w.post("pod", `{"identifier":"p3","relations":{"svcs":{"combinator":"or","rules":[{"property":"$identifier","operator":"in","value":["s1","s3"]},{"property":"name","operator":"=","value":"none"}]}}}`).
			is(`["s1","s3"]`, "relations", "svcs")
		w.post("org", `{"identifier":"o3","team":`+byTitle("Team")+`}`).is(`["t1"]`, "team")
		w.post("svc", `{"identifier":"s9","relations":{"org":`+byTitle("none")+`}}`).fails("422 required_relation")
		by := func(name string) string {
			return `{"combinator":"and","rules":[{"property":"` + name + `","operator":"=","value":"one"}]}`
		}
		w.post("svc", `{"identifier":`+by("name")+`}`).fails("422 invalid_request")
		w.post("pod", `{"identifier":"p4","relations":{"svcs":`+by("name")+`}}`).is(`["s1","s2"]`, "relations", "svcs")
		w.post("pod", `{"identifier":"p5","relations":{"svcs":`+by("twice")+`}}`).fails("422 invalid_request")
	})
}

func TestPagesStayStableWhileEntitiesAreAdded(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		chain(w)
		const q = `"query":{"combinator":"and","rules":[{"property":"n","operator":">","value":1}]}`
		first := w.searchIn("svc", `{"limit":1,`+q+`}`)
		w.post("svc", `{"identifier":"s0","properties":{"n":9},"relations":{"org":"o1"}}`).ok()
		w.delete("svc", "s1", catalog.DeleteOptions{}).ok()
		second := w.searchIn("svc", `{"limit":2,"from":"`+jsonv.String(first.doc, "next")+`",`+q+`}`)
		if got := first.found() + second.is("absent", "next").found(); got != "s2 s3 s0 " {
			t.Errorf("pages %q", got)
		}
		w.searchIn("pod", `{"from":"`+jsonv.String(first.doc, "next")+`"}`).fails("422 invalid_request")
	})
}

func TestACursorThatWasNotIssuedIsRefused(t *testing.T) {
	t.Parallel()
	w := memory(t)
	chain(w)
	ask := func(f func(store.Tx, any) (jsonv.Object, error), body string) result {
		return w.view(func(tx store.Tx) (any, error) { return f(tx, value(t, body)) })
	}
	for name, page := range map[string]func(from string) result{
		"search": func(from string) result { return w.searchIn("svc", `{"limit":1`+from+`}`) },
		"top search": func(from string) result {
			return ask(func(tx store.Tx, body any) (jsonv.Object, error) {
				return w.cat.TopSearch(w.ctx, tx, w.actor, "svc", body, w.read)
			}, `{"limit":1,"sort":[{"property":"n","order":"desc"}]`+from+`}`)
		},
		"datasources": func(from string) result {
			return ask(func(tx store.Tx, body any) (jsonv.Object, error) {
				return w.cat.DatasourceEntities(w.ctx, tx, w.actor, body)
			}, `{"limit":1,"datasource_prefix":"test"`+from+`}`)
		},
	} {
		next := jsonv.String(page("").ok().doc, "next")
		page(`,"from":"` + next + `"`).ok()
		for i := range next {
			other := "A"
			if next[i] == 'A' {
				other = "B"
			}
			for _, forged := range []string{next[:i] + other + next[i+1:], next[:i] + next[i+1:], next[:i] + `\n` + next[i:]} {
				if r := page(`,"from":"` + forged + `"`); r.err == nil {
					t.Errorf("%s: %q is taken for %q", name, forged, next)
				}
			}
		}
	}
}
