package query_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
)

// spelled writes bounds as text: terms joined by |.
func spelled(bounds []query.Bound) string {
	out := []string{}
	for _, b := range bounds {
		terms := []string{}
		for _, t := range b {
			text := fmt.Sprint(t.Name, t.Values)
			switch {
			case t.Nodes != nil:
				text = fmt.Sprint("nodes", t.Nodes)
			case t.Paths != nil:
				text = fmt.Sprint(t.Paths, t.Values)
			case t.Fits != nil:
				text = fmt.Sprint("*", t.Values)
			case t.Titles:
				text = "titles of " + text
			case t.Relation:
				text = "relation " + text
			}
			terms = append(terms, text)
		}
		out = append(out, strings.Join(terms, " | "))
	}
	return strings.Join(out, " & ")
}

func TestBoundsNameWhatEveryMatchFulfils(t *testing.T) {
	t.Parallel()
	id := `{"property":"$identifier","operator":"=","value":"a"}`
	bp := `{"property":"$blueprint","operator":"in","value":["x","y"]}`
	tier := `{"property":"tier","operator":"containsAny","value":["gold"]}`
	or := func(rules ...string) string {
		return `{"combinator":"or","rules":[` + strings.Join(rules, ",") + `]}`
	}
	w := newWorld("a/1 r b/1\nb/1 r c/1")
	for text, want := range map[string]string{
		rule(id):                                 `$identifier[a]`,
		rule(id + "," + bp):                      `$identifier[a] & $blueprint[x y]`,
		or(id, bp):                               `$identifier[a] | $blueprint[x y]`,
		or(rule(id+","+tier), rule(bp)):          `$identifier[a] | $blueprint[x y] & tier[gold] | $blueprint[x y]`,
		or(rule(id+","+tier), rule(bp+","+tier)): `$identifier[a] | $blueprint[x y] & $identifier[a] | tier[gold] & tier[gold] | $blueprint[x y] & tier[gold] | tier[gold]`,
		or(id, `{"property":"a","operator":"isEmpty"}`):                                                         ``,
		`{"combinator":"and","not":true,"rules":[` + id + `]}`:                                                  ``,
		rule(tier + `,` + rule(bp)):                                                                             `tier[gold] & $blueprint[x y]`,
		rule(tier + `,` + or(id, bp)):                                                                           `tier[gold] & $identifier[a] | $blueprint[x y]`,
		rule(`{"property":"a","operator":"!=","value":"x"}`):                                                    ``,
		rule(`{"property":"a","operator":"=","value":null}`):                                                    ``,
		rule(`{"property":"a","operator":"in","value":["x",null]}`):                                             ``,
		rule(`{"property":"a","operator":"=","value":["x"]}`):                                                   ``,
		rule(`{"property":"a","operator":"=","value":"2024-01-01T00:00:00Z"}`):                                  ``,
		rule(`{"property":"$identifier","operator":"=","value":"2024-01-01T00:00:00Z"}`):                        `$identifier[2024-01-01T00:00:00Z]`,
		rule(`{"property":"$team","operator":"in","value":["My Teams"]}`):                                       `$team[core web]`,
		rule(`{"property":"a","operator":"=","value":{"context":"user","property":"team"}}`):                    ``,
		rule(`{"property":"a","operator":"in","value":{"context":"userTeams","property":"$identifier"}}`):       `a[core web]`,
		rule(tier + `,{"property":{"context":"user","property":"skills"},"operator":"contains","value":"go"}`):  `tier[gold]`,
		rule(tier + `,{"property":{"context":"user","property":"skills"},"operator":"contains","value":"ada"}`): `tier[gold] & `,
		or(tier, `{"property":{"context":"user","property":"skills"},"operator":"contains","value":"ada"}`):     `tier[gold]`,
		or(tier, `{"property":{"context":"user","property":"skills"},"operator":"contains","value":"go"}`):      ``,
		rule(`{"property":"a","operator":"contains","value":"x"}`):                                              ``,
		rule(`{"relation":"domain","operator":"=","value":"shop"}`):                                             `relation domain[shop]`,
		rule(`{"relation":"domain","targetProperty":"$title","operator":"=","value":"shop"}`):                   `titles of domain[shop]`,
		rule(`{"property":"n","operator":"=","value":5}`):                                                       `n[5]`,
		rule(`{"property":"a","operator":"in","value":[]}`):                                                     `a[]`,
		rule(`{"propertySchema":{"type":"string"},"operator":"=","value":"x"}`):                                 `*[x]`,
		rule(`{"propertySchema":{"type":"string"},"operator":"!=","value":"x"}`):                                ``,
		rule(`{"operator":"relatedTo","blueprint":"a","value":"1"}`):                                            `nodesmap[b:[1] c:[1]]`,
		rule(`{"property":{"path":["r","r"],"fromBlueprint":"a"},"operator":"matchAny","value":"1"}`):           `nodesmap[c:[1]]`,
		rule(`{"property":{"path":["r","s"]},"operator":"matchAny","value":"1"}`):                               `[[r s]] [1]`,
		rule(`{"property":{"path":["r",{"relation":"s","maxHops":2},"t"]},"operator":"matchAny","value":"1"}`):  `[[r t] [r s t] [r s s t]] [1]`,
		rule(`{"property":{"path":[{"relation":"s","maxHops":2}]},"operator":"matchAny","value":"1"}`):          `[[s] [s s]] [1]`,
		nested(1): ``,
	} {
		env := &query.Env{Now: now, Graph: w, Caller: person{}}
		if diff := cmp.Diff(want, spelled(parse(t, text, query.OneBlueprint).Bounds(env))); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
	}
}

func TestWideQueriesKeepFewBounds(t *testing.T) {
	t.Parallel()
	branch := func(i int) string {
		rules := make([]string, 40)
		for j := range rules {
			rules[j] = fmt.Sprintf(`{"property":"p%d","operator":"=","value":"%d"}`, j, i)
		}
		return rule(strings.Join(rules, ","))
	}
	for _, n := range []int{3, 300} {
		branches := make([]string, n)
		for i := range branches {
			branches[i] = branch(i)
		}
		bounds := parse(t, `{"combinator":"or","rules":[`+strings.Join(branches, ",")+`]}`, query.OneBlueprint).Bounds(&query.Env{Now: now})
		if len(bounds) == 0 || len(bounds) > 32 || len(bounds[0]) != n {
			t.Errorf("%d alternatives: %d bounds", n, len(bounds))
		}
	}
}

func TestCreatedSaysWhenMatchesCanBegin(t *testing.T) {
	t.Parallel()
	at := func(op, x string) string {
		return `{"property":"$createdAt","operator":"` + op + `","value":` + x + `}`
	}
	day := func(n int) string { return fmt.Sprintf(`"2024-01-%02dT00:00:00Z"`, n) }
	or := func(rules string) string { return `{"combinator":"or","rules":[` + rules + `]}` }
	for text, want := range map[string]string{
		rule(at(">", day(2))):                                                   "2 -",
		rule(at("<=", day(2))):                                                  "- 2",
		rule(at("=", day(2))):                                                   "2 2",
		rule(at("!=", day(2))):                                                  "- -",
		rule(at(">", day(2)) + "," + at(">", day(3))):                           "3 -",
		rule(at("<", day(2)) + "," + at("<", day(3))):                           "- 2",
		rule(at("between", `{"from":`+day(2)+`,"to":`+day(5)+`}`)):              "2 5",
		or(at(">", day(2)) + "," + at("=", day(3))):                             "2 -",
		or(at("=", day(2)) + "," + at("=", day(3))):                             "2 3",
		or(at("=", day(2)) + `,{"property":"a","operator":"isEmpty"}`):          "- -",
		rule(at(">", day(2)) + `,{"property":"a","operator":"isEmpty"}`):        "2 -",
		`{"combinator":"and","not":true,"rules":[` + at(">", day(2)) + `]}`:     "- -",
		rule(at("between", `{"preset":"lastWeek"}`)):                            "22 29",
		rule(`{"property":"$updatedAt","operator":">","value":` + day(2) + `}`): "- -",
	} {
		first, last := parse(t, text, query.CatalogWide).Created(&query.Env{Now: now})
		show := func(at time.Time) string {
			if at.IsZero() {
				return "-"
			}
			return fmt.Sprint(at.Day())
		}
		if diff := cmp.Diff(want, show(first)+" "+show(last)); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
	}
}

// generator makes random rules and entities over a few names and values, so that
// they meet often.
type generator struct{ r *rand.Rand }

var (
	genNames = []string{"$identifier", "$blueprint", "text", "date", "list", "num", "rel", "rels", "none"}
	genTexts = []string{"a", "b", "A", "ab", "2024-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00", "My Teams", ""}
	genOps   = []string{"=", "=", "=", "in", "in", "containsAny", "!=", "contains", "doesNotContains", "containsAny", "beginsWith", "doesNotBeginsWith", "endsWith", "doesNotEndsWith", "in", "notIn", "matchAny"}
)

func (g generator) scalar() any {
	switch g.r.IntN(6) {
	case 0:
		return nil
	case 1:
		return []any{jsonv.Int(1), jsonv.Int(5)}[g.r.IntN(2)]
	case 2:
		return g.r.IntN(2) == 0
	}
	return genTexts[g.r.IntN(len(genTexts))]
}

func (g generator) list() []any {
	out := make([]any, g.r.IntN(3))
	for i := range out {
		out[i] = g.scalar()
	}
	return out
}

func (g generator) value() any {
	if g.r.IntN(3) == 0 {
		return g.list()
	}
	return g.scalar()
}

func (g generator) rule(depth int) any {
	if depth > 0 && g.r.IntN(3) == 0 {
		return g.group(depth - 1)
	}
	op := genOps[g.r.IntN(len(genOps))]
	value := g.value()
	if op == "matchAny" {
		value = genTexts[g.r.IntN(len(genTexts))]
	}
	return jsonv.Object{"property": genNames[g.r.IntN(len(genNames))], "operator": op, "value": value}
}

func (g generator) group(depth int) any {
	rules := make([]any, g.r.IntN(3))
	for i := range rules {
		rules[i] = g.rule(depth)
	}
	o := jsonv.Object{"combinator": []string{"and", "or"}[g.r.IntN(2)], "rules": rules}
	if g.r.IntN(5) == 0 {
		o["not"] = g.r.IntN(2) == 0
	}
	return o
}

func (g generator) entity() entity {
	e := entity{blueprint: genTexts[g.r.IntN(2)], id: genTexts[g.r.IntN(3)], fields: fieldKinds, values: jsonv.Object{}}
	for _, name := range genNames[2:] {
		if g.r.IntN(4) > 0 {
			e.values[name] = g.value()
		}
	}
	return e
}

// fulfils decides a bound the way an index does.
func fulfils(e entity, bound query.Bound) bool {
	return slices.ContainsFunc(bound, func(want query.Term) bool {
		switch {
		case want.Nodes != nil:
			return slices.Contains(want.Nodes[e.blueprint], e.id)
		case want.Paths != nil, want.Titles:
			return true // not decided by the entity alone
		case want.Fits != nil:
			for key, f := range e.fields {
				if want.Fits(f) && holds(e.Value(key), want.Values) {
					return true
				}
			}
			return false
		}
		return holds(e.Value(want.Name), want.Values)
	})
}

func holds(value any, some []any) bool {
	values, many := value.([]any)
	if !many {
		values = []any{value}
	}
	for _, v := range values {
		if slices.ContainsFunc(some, func(w any) bool { return jsonv.Equal(v, w) }) {
			return true
		}
	}
	return false
}

func TestNoMatchEscapesTheBounds(t *testing.T) {
	t.Parallel()
	g := generator{rand.New(rand.NewPCG(1, 2))}
	matches, bounded := 0, 0
	for range 40_000 {
		raw := g.group(2)
		q, err := query.Parse(raw, query.Options{})
		if err != nil {
			t.Fatalf("%s: %v", jsonv.Encode(raw), err)
		}
		env := &query.Env{Now: now, Caller: person{}}
		bounds := q.Bounds(env)
		for range 5 {
			e := g.entity()
			if !q.Match(env, e) {
				continue
			}
			matches++
			for _, b := range bounds {
				bounded++
				if !fulfils(e, b) {
					t.Fatalf("%s matches %s %v, but not its bound %v", jsonv.Encode(raw), e.id, e.values, b)
				}
			}
		}
	}
	if matches < 1000 || bounded < 1000 {
		t.Errorf("only %d matches and %d bounds were tried", matches, bounded)
	}
}

func TestNegationsAreExactOpposites(t *testing.T) {
	t.Parallel()
	g := generator{rand.New(rand.NewPCG(3, 4))}
	for positive, negative := range map[string]string{"=": "!=", "contains": "doesNotContains", "beginsWith": "doesNotBeginsWith", "endsWith": "doesNotEndsWith", "in": "notIn", "isEmpty": "isNotEmpty"} {
		for range 1000 {
			e, name, value := g.entity(), genNames[g.r.IntN(len(genNames))], g.value()
			ask := func(op string) bool {
				q, err := query.Parse(jsonv.Object{"combinator": "and", "rules": []any{jsonv.Object{"property": name, "operator": op, "value": value}}}, query.Options{})
				if err != nil {
					t.Fatal(err)
				}
				return q.Match(&query.Env{Now: now}, e)
			}
			if ask(positive) == ask(negative) {
				t.Fatalf("%s and %s agree on %v %v", positive, negative, e.values[name], value)
			}
		}
	}
}

func TestNamesTellWhatAQueryLooksAt(t *testing.T) {
	t.Parallel()
	q := parse(t, rule(`{"property":"a","operator":"isEmpty"},{"property":"a","operator":"=","value":1},{"relation":"r","operator":"isEmpty"},{"property":{"path":["p","q"]},"operator":"matchAny","value":"x"}`), query.OneBlueprint)
	names, any := q.Names()
	if diff := cmp.Diff("[a r p] false", fmt.Sprint(names, any)); diff != "" {
		t.Error(diff)
	}
	_, any = parse(t, rule(`{"propertySchema":{"type":"string"},"operator":"isEmpty"}`), query.OneBlueprint).Names()
	if !any {
		t.Error("a propertySchema rule looks at any property")
	}
}

func FuzzParse(f *testing.F) {
	for _, line := range strings.Split(operatorTable, "\n") {
		if cells := strings.Split(line, "|"); len(cells) == 4 {
			op, x, has := strings.Cut(strings.TrimSpace(cells[2]), " ")
			text := fmt.Sprintf(`{"property":"text","operator":%q`, op)
			if has {
				text += `,"value":` + x
			}
			f.Add(rule(text+"}"), 0)
		}
	}
	f.Add(nested(40), 1)
	f.Add(rule(`{"property":{"path":[{"relation":"b","maxHops":1e9}]},"operator":"matchAny","value":"a"}`), 1)
	f.Add(rule(`{"scorecard":"a","scorecardRule":"b","operator":"=","value":"SUCCESS"}`), 1)
	f.Add(rule(`{"relation":"rel","targetProperty":"$title","operator":"in","value":["a"]}`), 1)
	f.Add(rule(`{"propertySchema":{"type":"array","items":{"type":"string"}},"operator":"contains","value":"x"}`), 0)
	f.Add(rule(`{"operator":"relatedTo","blueprint":"a","value":["1"],"required":true}`), 2)
	w := newWorld(`a/1 rel b/1`)
	f.Fuzz(func(t *testing.T, text string, scope int) {
		raw, err := jsonv.Decode([]byte(text))
		if err != nil {
			return
		}
		q, err := query.Parse(raw, query.Options{Scope: query.Scope(((scope % 4) + 4) % 4)})
		if err != nil {
			return
		}
		g := generator{rand.New(rand.NewPCG(uint64(len(text)), 1))}
		env := &query.Env{Now: now, Graph: w, Caller: person{}}
		for range 5 {
			e := g.entity()
			if q.Match(env, e) {
				for _, bound := range q.Bounds(env) {
					if !fulfils(e, bound) && !strings.Contains(text, "elation") {
						t.Fatalf("%s: bound %v does not hold for %v", text, bound, e.values)
					}
				}
			}
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	entities := make([]entity, 100_000)
	for i := range entities {
		entities[i] = entity{blueprint: "service", id: fmt.Sprint("e", i), fields: fieldKinds, values: jsonv.Object{
			"text": fmt.Sprint("value ", i%1000), "num": jsonv.Int(i), "list": []any{"a", fmt.Sprint(i % 100)},
			"date": now.Add(-time.Duration(i) * time.Minute).Format(time.RFC3339), "rel": fmt.Sprint("d", i%50),
		}}
	}
	for name, text := range map[string]string{
		"equal":    `{"property":"text","operator":"=","value":"value 7"}`,
		"contains": `{"property":"text","operator":"contains","value":"99"}`,
		"list":     `{"property":"list","operator":"containsAny","value":["7","8"]}`,
		"order":    `{"property":"num","operator":">","value":99000}`,
		"date":     `{"property":"date","operator":"between","value":{"preset":"lastWeek"}}`,
		"three":    `{"property":"$blueprint","operator":"=","value":"service"},{"property":"rel","operator":"=","value":"d7"},{"property":"text","operator":"beginsWith","value":"value 1"}`,
	} {
		q := parse(b, rule(text), query.CatalogWide)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				env := &query.Env{Now: now}
				for i := range entities {
					q.Match(env, &entities[i])
				}
			}
		})
	}
}
