package catalog_test

import (
	"fmt"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// crowd is a thousand services in ten domains of two groups, owned by teams, and
// two hundred pods.
func crowd(w *world) {
	w.t.Helper()
	w.createBlueprint(`{"identifier":"group","title":"G","schema":{"properties":{}}}`).ok()
	w.createBlueprint(`{"identifier":"domain","title":"D","schema":{"properties":{"area":{"type":"string"}}},"relations":{"group":{"target":"group"}}}`).ok()
	w.createBlueprint(`{"identifier":"service","title":"S","ownership":{"type":"Direct"},"schema":{"properties":{"n":{"type":"number"},"even":{"type":"string"},"url":{"type":"string","format":"url"},"both":{"type":"string"}}},
		"relations":{"domain":{"target":"domain"},"both":{"target":"domain"},"parent":{"target":"service"}},
		"mirrorProperties":{"area":{"path":"domain.area"},"domainTitle":{"path":"domain.$title"},"groupID":{"path":"domain.group.$identifier"}}}`).ok()
	w.createBlueprint(`{"identifier":"pod","title":"P","schema":{"properties":{}},"relations":{"services":{"target":"service","many":true}}}`).ok()
	w.post("_team", `{"identifier":"t7","title":"Seven"}`).ok()
	w.post("group", `{"identifier":"g0"}`).ok()
	w.post("group", `{"identifier":"g1"}`).ok()
	for i := range 10 {
		w.post("domain", fmt.Sprintf(`{"identifier":"d%d","title":"Domain %d","properties":{"area":"a%d"},"relations":{"group":"g%d"}}`, i, i, i, i%2)).ok()
	}
	for i := range 1000 {
		team, parent := `[]`, ``
		if i%100 == 7 {
			team = `["t7"]`
		}
		if i%10 > 0 && i < 100 {
			parent = fmt.Sprintf(`,"parent":"s%d"`, i-1)
		}
		w.post("service", fmt.Sprintf(`{"identifier":"s%d","title":"Service %d","team":%s,"properties":{"n":%d,"even":"%d","url":"https://x.io/%d","both":"x%d"},"relations":{"domain":"d%d","both":"d%d"%s}}`,
			i, i, team, i, i%2, i, i, i%10, i%10, parent)).ok()
	}
	for i := range 200 {
		w.post("pod", fmt.Sprintf(`{"identifier":"p%d","relations":{"services":["s%d","s%d"]}}`, i, i, i+1)).ok()
	}
}

func TestSelectiveQueriesLookAtFewEntities(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		crowd(w)
		stats, ok := w.store.(store.Stats)
		if !ok {
			t.Fatal("the store does not count")
		}
		const wide = `{"property":"even","operator":"=","value":"1"}`
		one := func(n int) string { return fmt.Sprintf(`{"property":"n","operator":"=","value":%d}`, n) }
		group := func(combinator, rules string) string {
			return `{"combinator":"` + combinator + `","rules":[` + rules + `]}`
		}
		for name, c := range map[string]struct {
			rule  string
			found int
			most  int64
			in    bool // only when searching one blueprint
		}{
			"an equality":                       {one(5), 1, 1, false},
			"in":                                {`{"property":"both","operator":"in","value":["x5","x6","x7"]}`, 3, 3, false},
			"a relation":                        {`{"property":"domain","operator":"=","value":"d3"}`, 100, 100, false},
			"a relation's value":                {`{"relation":"domain","operator":"=","value":"d3"}`, 100, 100, true},
			"a relation that a property hides":  {`{"relation":"both","operator":"=","value":"d3"}`, 100, 100, true},
			"the property that hides it":        {`{"property":"both","operator":"=","value":"x3"}`, 1, 1, false},
			"a relation's title":                {`{"relation":"domain","targetProperty":"$title","operator":"=","value":"Domain 3"}`, 100, 101, true},
			"an identifier":                     {`{"property":"$identifier","operator":"in","value":["s1","s2","zz"]}`, 2, 2, false},
			"a title":                           {`{"property":"$title","operator":"=","value":"Service 9"}`, 1, 1, false},
			"a team":                            {`{"property":"$team","operator":"containsAny","value":["t7"]}`, 10, 10, false},
			"a mirror":                          {`{"property":"area","operator":"=","value":"a3"}`, 100, 110, false},
			"a mirrored title":                  {`{"property":"domainTitle","operator":"=","value":"Domain 3"}`, 100, 110, false},
			"a mirrored identifier":             {`{"property":"groupID","operator":"=","value":"g1"},` + one(5), 1, 10, false},
			"a property of a type":              {`{"propertySchema":{"type":"string","format":"url"},"operator":"=","value":"https://x.io/5"}`, 1, 1, false},
			"the better of two":                 {wide + "," + one(5), 1, 1, false},
			"an alternative":                    {group("or", one(5)+","+one(6)), 2, 2, false},
			"an alternative in a wide group":    {wide + "," + group("or", one(5)+`,{"property":"$identifier","operator":"=","value":"s7"}`), 2, 2, false},
			"alternatives of groups":            {group("or", group("and", wide+","+one(5))+","+group("and", wide+","+one(6))), 1, 2, false},
			"another blueprint's alternative":   {group("or", group("and", `{"property":"$blueprint","operator":"=","value":"service"},`+one(5))+","+group("and", `{"property":"$blueprint","operator":"=","value":"pod"},`+wide)), 1, 1, false},
			"what depends on it":                {`{"operator":"relatedTo","blueprint":"service","value":"s9","direction":"upstream"},{"property":"$blueprint","operator":"=","value":"service"}`, 9, 30, false},
			"what it depends on":                {`{"operator":"relatedTo","blueprint":"service","value":"s8","direction":"downstream"},{"property":"$blueprint","operator":"=","value":"service"}`, 1, 30, false},
			"a path from":                       {`{"property":{"path":["services"],"fromBlueprint":"pod"},"operator":"matchAny","value":"p3"}`, 2, 5, false},
			"a path of one":                     {`{"property":{"path":["domain"]},"operator":"matchAny","value":"d3"}`, 100, 200, false},
			"a path of two":                     {`{"property":{"path":["domain","group"]},"operator":"matchAny","value":"g1"},` + one(5), 1, 20, false},
			"a repeated path":                   {`{"property":{"path":[{"relation":"parent","maxHops":3}]},"operator":"matchAny","value":"s0"}`, 3, 30, false},
			"a path to a team":                  {`{"property":{"path":["$team"]},"operator":"matchAny","value":"t7"}`, 10, 20, false},
			"a path that is not there":          {`{"property":{"path":["nope"]},"operator":"matchAny","value":"t7"}`, 0, 0, false},
			"a key that is not there":           {`{"property":"nope","operator":"=","value":"t7"}`, 0, 0, false},
			"a moment of creation":              {`{"property":"$createdAt","operator":"between","value":{"from":"2024-01-01T00:00:00.117Z","to":"2024-01-01T00:00:00.120Z"}}`, 4, 6, true},
			"creation in an alternative":        {group("or", `{"property":"$createdAt","operator":"<","value":"2024-01-01T00:00:00.020Z"},{"property":"$createdAt","operator":"=","value":"2024-01-01T00:00:00.030Z"}`), 3, 16, true},
			"nobody's team, for lack of a user": {`{"property":"$team","operator":"in","value":["My Teams"]}`, 0, 0, false},
		} {
			looked := func(run func() result) (found int, n int64) {
				before := stats.Examined()
				found = len(jsonv.List(run().ok().doc, "entities"))
				return found, stats.Examined() - before
			}
			query := group("and", c.rule)
			found, n := looked(func() result { return w.searchIn("service", `{"limit":1000,"query":`+query+`}`) })
			if found != c.found || n > c.most {
				t.Errorf("%s: looked at %d entities for %d, want at most %d for %d", name, n, found, c.most, c.found)
			}
			if c.in {
				continue
			}
			// Beyond the blueprints themselves nothing more is looked at.
			every := int64(len(jsonv.List(w.view(func(tx store.Tx) (any, error) {
				all, err := w.listBlueprints(tx)
				return jsonv.Object{"all": all}, err
			}).ok().doc, "all")))
			w.read = catalog.ReadOptions{}
			if _, n := looked(func() result { return w.search(query) }); n > c.most+every+20 {
				t.Errorf("%s: looked at %d entities in the whole catalog, want at most %d", name, n, c.most+every)
			}
		}
	})
}

func TestAPageOfAWideConditionIsReadInOrder(t *testing.T) {
	t.Parallel()
	w := memory(t)
	crowd(w)
	stats, ok := w.store.(store.Stats)
	if !ok {
		t.Fatal("memory counts")
	}
	before := stats.Examined()
	w.searchIn("service", `{"limit":5,"query":{"combinator":"and","rules":[{"property":"$title","operator":"contains","value":"service"}]}}`).ok()
	if n := stats.Examined() - before; n > 8 {
		t.Errorf("looked at %d entities for a page of five", n)
	}
}
