package query_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
)

func TestHintsNameWhatEveryMatchFulfils(t *testing.T) {
	t.Parallel()
	id := `{"property":"$identifier","operator":"=","value":"a"}`
	bp := `{"property":"$blueprint","operator":"in","value":["x","y"]}`
	tier := `{"property":"tier","operator":"containsAny","value":["gold"]}`
	for text, want := range map[string]string{
		rule(id):            `[{$identifier [a]}]`,
		rule(id + "," + bp): `[{$identifier [a]} {$blueprint [x y]}]`,
		`{"combinator":"or","rules":[` + id + `,` + bp + `]}`:                                            `[]`,
		`{"combinator":"or","rules":[` + id + `,{"property":"$identifier","operator":"=","value":"b"}]}`: `[{$identifier [a b]}]`,
		`{"combinator":"or","rules":[` + rule(id+","+tier) + `,` + rule(tier) + `]}`:                     `[{tier [gold]}]`,
		`{"combinator":"and","not":true,"rules":[` + id + `]}`:                                           `[]`,
		rule(tier + `,` + rule(bp)):                                                           `[{tier [gold]} {$blueprint [x y]}]`,
		rule(`{"property":"a","operator":"!=","value":"x"}`):                                  `[]`,
		rule(`{"property":"a","operator":"=","value":null}`):                                  `[]`,
		rule(`{"property":"a","operator":"in","value":["x",null]}`):                           `[]`,
		rule(`{"property":"a","operator":"=","value":["x"]}`):                                 `[]`,
		rule(`{"property":"a","operator":"=","value":"2024-01-01T00:00:00Z"}`):                `[]`,
		rule(`{"property":"$identifier","operator":"=","value":"2024-01-01T00:00:00Z"}`):      `[{$identifier [2024-01-01T00:00:00Z]}]`,
		rule(`{"property":"$team","operator":"in","value":["My Teams"]}`):                     `[]`,
		rule(`{"property":"a","operator":"=","value":{"context":"user","property":"b"}}`):     `[]`,
		rule(`{"property":"a","operator":"contains","value":"x"}`):                            `[]`,
		rule(`{"relation":"domain","operator":"=","value":"shop"}`):                           `[{domain [shop]}]`,
		rule(`{"relation":"domain","targetProperty":"$title","operator":"=","value":"shop"}`): `[]`,
		rule(`{"property":"n","operator":"=","value":5}`):                                     `[{n [5]}]`,
		rule(`{"property":"a","operator":"in","value":[]}`):                                   `[{a []}]`,
		nested(1): `[]`,
	} {
		if diff := cmp.Diff(want, fmt.Sprint(parse(t, text, query.OneBlueprint).Equals())); diff != "" {
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

// fulfils decides an Equal the way an index does.
func fulfils(e entity, want query.Equal) bool {
	values, many := e.Value(want.Name).([]any)
	if !many {
		values = []any{e.Value(want.Name)}
	}
	for _, v := range values {
		for _, w := range want.Values {
			if jsonv.Equal(v, w) {
				return true
			}
		}
	}
	return false
}

func TestNoMatchEscapesTheHints(t *testing.T) {
	t.Parallel()
	g := generator{rand.New(rand.NewPCG(1, 2))}
	matches, hinted := 0, 0
	for range 40_000 {
		raw := g.group(2)
		q, err := query.Parse(raw, query.Options{})
		if err != nil {
			t.Fatalf("%s: %v", jsonv.Encode(raw), err)
		}
		hints := q.Equals()
		env := &query.Env{Now: now, Caller: person{}}
		for range 5 {
			e := g.entity()
			if !q.Match(env, e) {
				continue
			}
			matches++
			for _, h := range hints {
				hinted++
				if !fulfils(e, h) {
					t.Fatalf("%s matches %s %v, but not its hint %v", jsonv.Encode(raw), e.id, e.values, h)
				}
			}
		}
	}
	if matches < 1000 || hinted < 1000 {
		t.Errorf("only %d matches and %d hints were tried", matches, hinted)
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
				for _, h := range q.Equals() {
					if _, isRelation := e.fields[h.Name]; isRelation && !fulfils(e, h) && !strings.Contains(text, "relation") {
						t.Fatalf("%s: hint %v does not hold for %v", text, h, e.values)
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
