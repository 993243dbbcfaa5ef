package query_test

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
)

// now is a Thursday noon in UTC.
var now = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

// entity is a candidate written as JSON: {"$title": …, "key": …}.
type entity struct {
	blueprint, id string
	values        jsonv.Object
	fields        map[string]query.Field
	cards         map[string]query.Scorecard
}

func (e entity) Node() query.Node { return query.Node{Blueprint: e.blueprint, Identifier: e.id} }

func (e entity) Value(name string) any {
	switch name {
	case "$identifier":
		return e.id
	case "$blueprint":
		return e.blueprint
	}
	return e.values[name]
}

func (e entity) Related(relation string) any {
	if _, ok := e.values["related "+relation]; ok {
		return e.values["related "+relation]
	}
	return e.values[relation]
}

func (e entity) Field(name string) query.Field { return e.fields[name] }

func (e entity) Own() iter.Seq2[string, query.Field] {
	return func(yield func(string, query.Field) bool) {
		for key, f := range e.fields {
			if !f.Relation && !yield(key, f) {
				return
			}
		}
	}
}

func (e entity) Scorecard(id string) (query.Scorecard, bool) {
	c, ok := e.cards[id]
	return c, ok
}

func decode(t testing.TB, text string) any {
	t.Helper()
	v, err := jsonv.Decode([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func parse(t testing.TB, text string, scope query.Scope) *query.Query {
	t.Helper()
	q, err := query.Parse(decode(t, text), query.Options{Scope: scope})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return q
}

// rule wraps one rule as a query.
func rule(text string) string { return `{"combinator":"and","rules":[` + text + `]}` }

var fieldKinds = map[string]query.Field{
	"text": {Type: "string"}, "date": {Type: "string", Format: "date-time"}, "timer": {Type: "string", Format: "timer"},
	"dates": {Type: "array", ItemType: "string", ItemFormat: "date-time"},
	"num":   {Type: "number"}, "flag": {Type: "boolean"}, "list": {Type: "array", ItemType: "string"}, "obj": {Type: "object"},
	"url": {Type: "string", Format: "url"},
	"rel": {Relation: true}, "rels": {Relation: true},
}

// Each line is an entity's value, a rule and the outcome; "-" is a value that was
// never written. The lines follow reference/catalog.md §5.4.
func TestOperatorsAnswerAsTheTableSays(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSpace(operatorTable), "\n")
	for _, line := range lines {
		cells := strings.Split(line, "|")
		if strings.HasPrefix(line, "#") || len(cells) != 4 {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		key, value, test, want := cells[0], cells[1], cells[2], cells[3]
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			e := entity{blueprint: "service", id: "cart", values: jsonv.Object{}, fields: fieldKinds}
			if value != "-" {
				e.values[key] = decode(t, value)
			}
			op, x, has := strings.Cut(test, " ")
			text := fmt.Sprintf(`{"property":%q,"operator":%q`, key, op)
			if has {
				text += `,"value":` + x
			}
			q := parse(t, rule(text+"}"), query.CatalogWide)
			if got := fmt.Sprint(q.Match(&query.Env{Now: now}, e)); got != want {
				t.Errorf("%s: got %s", line, got)
			}
		})
	}
}

const operatorTable = `
# = equal value of the same type; null only for null; arrays
text  | "a"          | = "a"                | true
text  | "a"          | = "A"                | false
text  | "a"          | = null               | false
text  | null         | = null               | true
text  | -            | = null               | true
text  | -            | = "a"                | false
none  | -            | = null               | true
none  | -            | = "x"                | false
num   | 5            | = 5.0                | true
num   | 5            | = "5"                | false
text  | "5"          | = 5                  | false
num   | 9007199254740993 | = 9007199254740992 | false
flag  | true         | = true               | true
flag  | true         | = "true"             | false
flag  | false        | = null               | false
list  | ["a","b"]    | = "b"                | true
list  | ["a","b"]    | = ["a","b"]          | true
list  | ["a","b"]    | = ["b","a"]          | false
list  | ["a","b"]    | = "c"                | false
list  | []           | = null               | false
text  | "a"          | = ["a"]              | false
date  | "2024-01-01T00:00:00Z" | = "2024-01-01T02:00:00+02:00" | true
timer | "2024-01-01T00:00:00Z" | = "2024-01-01T00:00:00.000Z"  | true
text  | "2024-01-01T00:00:00Z" | = "2024-01-01T00:00:00.000Z"  | false
text  | "2024-01-01T00:00:00Z" | = "2024-01-01T00:00:00Z"      | true
$createdAt | "2024-01-01T00:00:00.000Z" | = "2024-01-01T00:00:00Z" | true
$title | "2024-01-01T00:00:00.000Z" | = "2024-01-01T00:00:00Z"  | false
dates | ["2024-01-01T00:00:00Z"] | = "2024-01-01T00:00:00.0Z"   | true
date  | "2024-02-29T01:00:00Z" | = {"preset":"today"}          | true
date  | "2024-02-28T23:59:59Z" | = {"preset":"today"}          | false
date  | -            | = {"preset":"today"} | false
# !=
text  | "a"          | != "a"               | false
text  | "a"          | != "b"               | true
text  | -            | != "a"               | true
text  | -            | != null              | false
text  | "a"          | != null              | true
flag  | -            | != true              | true
flag  | false        | != true              | true
flag  | true         | != true              | false
list  | ["a"]        | != "a"               | false
num   | 5            | != "5"               | true
# order
num   | 5            | > 4                  | true
num   | 5            | > 5                  | false
num   | 5            | >= 5.0               | true
num   | 5            | < 10                 | true
num   | 5            | <= 4.999             | false
num   | 10           | > 9                  | true
num   | -            | < 4                  | false
num   | null         | >= 0                 | false
text  | "b"          | > 5                  | false
text  | "5"          | > 4                  | false
date  | "2024-01-02T00:00:00Z" | > "2024-01-01T23:00:00-02:00" | false
date  | "2024-01-02T01:00:01Z" | > "2024-01-01T23:00:00-02:00" | true
text  | "2024-01-02T00:00:00Z" | > "2024-01-01T00:00:00Z"      | true
num   | 5            | > "2024-01-01T00:00:00Z" | false
list  | [5]          | > 4                  | false
# contains
text  | "Foobar"     | contains "BAR"       | true
text  | "Foobar"     | contains "x"         | false
text  | "straße"     | contains "ASSE"      | false
text  | "ÉCOLE"      | contains "école"     | true
text  | -            | contains "a"         | false
text  | "a"          | contains null        | false
list  | ["Foo"]      | contains "Foo"       | true
list  | ["Foo"]      | contains "foo"       | false
list  | ["Foo"]      | contains "Fo"        | false
list  | ["a","b","c"]| contains ["c","a"]   | true
list  | ["a"]        | contains ["a","b"]   | false
list  | []           | contains "a"         | false
num   | 1234         | contains "23"        | true
num   | 1234         | contains 34          | true
num   | 1234.0       | contains ".0"        | false
num   | 1234         | doesNotContains "23" | false
flag  | true         | contains "tru"       | false
text  | "Foobar"     | doesNotContains "bar"| false
text  | -            | doesNotContains "a"  | true
list  | ["a"]        | doesNotContains "a"  | false
list  | ["a"]        | doesNotContains "b"  | true
# containsAny
list  | ["a","b"]    | containsAny ["x","b"]| true
list  | ["a","b"]    | containsAny ["A"]    | false
list  | ["a","b"]    | containsAny "a"      | true
text  | "a"          | containsAny ["a","b"]| true
text  | "ab"         | containsAny ["a"]    | false
text  | -            | containsAny ["a"]    | false
text  | -            | containsAny [null]   | false
# beginsWith, endsWith
text  | "Foobar"     | beginsWith "foo"     | true
text  | "Foobar"     | beginsWith "bar"     | false
text  | "Foobar"     | endsWith "BAR"       | true
text  | -            | beginsWith "a"       | false
text  | -            | endsWith "a"         | false
list  | ["foo"]      | beginsWith "foo"     | false
list  | ["foo"]      | endsWith "foo"       | false
text  | "Foobar"     | doesNotBeginsWith "f"| false
text  | -            | doesNotBeginsWith "f"| true
list  | ["f"]        | doesNotBeginsWith "f"| true
text  | "Foobar"     | doesNotEndsWith "r"  | false
text  | -            | doesNotEndsWith "r"  | true
# in, notIn
text  | "a"          | in ["a","b"]         | true
text  | "A"          | in ["a","b"]         | false
text  | "a"          | in []                | false
text  | -            | in ["a"]             | false
text  | -            | in ["a",null]        | true
num   | 5            | in [5.0,6]           | true
num   | 5            | in ["5"]             | false
flag  | true         | in [true]            | true
list  | ["a","b"]    | in ["b","c"]         | true
list  | ["a"]        | in ["b"]             | false
text  | "a"          | in "a"               | true
text  | "a"          | notIn ["a"]          | false
text  | "a"          | notIn ["b"]          | true
text  | -            | notIn ["a"]          | true
text  | -            | notIn [null]         | false
date  | "2024-01-01T00:00:00Z" | in ["2024-01-01T01:00:00+01:00"] | true
# isEmpty
text  | -            | isEmpty              | true
text  | null         | isEmpty              | true
text  | ""           | isEmpty              | false
list  | []           | isEmpty              | false
obj   | {}           | isEmpty              | false
rels  | []           | isEmpty              | true
rels  | ["a"]        | isEmpty              | false
rel   | null         | isEmpty              | true
$team | []           | isEmpty              | true
$team | ["a"]        | isEmpty              | false
flag  | false        | isEmpty              | false
num   | 0            | isEmpty              | false
text  | -            | isNotEmpty           | false
text  | ""           | isNotEmpty           | true
rels  | []           | isNotEmpty           | false
text  | "a"          | isEmpty "ignored"    | false
# between
date  | "2024-01-01T00:00:00Z" | between {"from":"2024-01-01T00:00:00Z","to":"2024-01-02T00:00:00Z"} | true
date  | "2024-01-02T00:00:00Z" | between {"from":"2024-01-01T00:00:00Z","to":"2024-01-02T00:00:00Z"} | true
date  | "2024-01-02T00:00:00.001Z" | between {"from":"2024-01-01T00:00:00Z","to":"2024-01-02T00:00:00Z"} | false
date  | "2023-12-31T23:30:00-01:00" | between {"from":"2024-01-01T00:00:00Z","to":"2024-01-02T00:00:00Z"} | true
date  | -            | between {"from":"2024-01-01T00:00:00Z","to":"2024-01-02T00:00:00Z"} | false
dates | ["2024-01-01T00:00:00Z"] | between {"from":"2024-01-01T00:00:00Z","to":"2024-01-02T00:00:00Z"} | false
text  | "no date"    | between {"preset":"lastWeek"} | false
date  | "2024-01-01T00:00:00Z" | notBetween {"from":"2024-01-01T00:00:00Z","to":"2024-01-02T00:00:00Z"} | false
date  | "2025-01-01T00:00:00Z" | notBetween {"from":"2024-01-01T00:00:00Z","to":"2024-01-02T00:00:00Z"} | true
date  | -            | notBetween {"preset":"lastWeek"} | true
text  | "no date"    | notBetween {"preset":"lastWeek"} | false
# timers
timer | "2024-02-29T11:59:59Z" | isExpired  | true
timer | "2024-02-29T12:00:00Z" | isExpired  | false
timer | "2024-02-29T12:00:00Z" | isNotExpired | true
timer | "2024-02-29T11:59:59Z" | isNotExpired | false
timer | -            | isExpired            | false
timer | -            | isNotExpired         | false
text  | "x"          | isExpired            | false
# matchAny on a plain property
rel   | "a"          | matchAny ["a","b"]   | true
rels  | ["x","b"]    | matchAny "b"         | true
rels  | ["x"]        | matchAny "X"         | false
rel   | -            | matchAny ["a"]       | false
# any letter case of an operator
list  | ["a"]        | ContainsAny ["a"]    | true
text  | "a"          | BEGINSWITH "a"       | true
# relations and meta names
rel   | "shop"       | = "shop"             | true
rels  | ["a","b"]    | contains "b"         | true
$identifier | -      | = "cart"             | true
$blueprint  | -      | in ["service"]       | true
$team | ["Core"]     | containsAny ["Core"] | true
$team | ["Core"]     | containsAny ["My Teams"] | false
`

func TestPresetsCoverTheirWindow(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for preset, window := range map[string][2]time.Time{
		"today":        {at("2024-02-29T00:00:00Z"), at("2024-02-29T23:59:59.999999999Z")},
		"tomorrow":     {at("2024-03-01T00:00:00Z"), at("2024-03-01T23:59:59.999999999Z")},
		"yesterday":    {at("2024-02-28T00:00:00Z"), at("2024-02-28T23:59:59.999999999Z")},
		"lastDay":      {now.Add(-day), now},
		"lastWeek":     {now.Add(-7 * day), now},
		"last2Weeks":   {now.Add(-14 * day), now},
		"lastMonth":    {now.Add(-30 * day), now},
		"last3Months":  {now.Add(-90 * day), now},
		"last6Months":  {now.Add(-180 * day), now},
		"last12Months": {now.Add(-365 * day), now},
		"last2Years":   {now.Add(-730 * day), now},
		"last3Years":   {now.Add(-1095 * day), now},
		"nextDay":      {now, now.Add(day)},
		"nextWeek":     {now, now.Add(7 * day)},
		"next2Weeks":   {now, now.Add(14 * day)},
		"nextMonth":    {now, now.Add(30 * day)},
		"next3Months":  {now, now.Add(90 * day)},
		"next6Months":  {now, now.Add(180 * day)},
		"next12Months": {now, now.Add(365 * day)},
	} {
		for _, scope := range []query.Scope{query.CatalogWide, query.OneBlueprint} {
			q := parse(t, rule(`{"property":"date","operator":"between","value":{"preset":"`+preset+`"}}`), scope)
			for when, want := range map[time.Time]bool{
				window[0]: true, window[1]: true, window[0].Add(-1): false, window[1].Add(1): false,
			} {
				e := entity{fields: fieldKinds, values: jsonv.Object{"date": when.Format(time.RFC3339Nano)}}
				if got := q.Match(&query.Env{Now: now}, e); got != want {
					t.Errorf("%s of %s at %s: %v", preset, now, when, got)
				}
			}
		}
	}
}

func TestDaysAreThoseOfTheTimeZone(t *testing.T) {
	t.Parallel()
	tokyo := time.FixedZone("JST", 9*3600)
	q := parse(t, rule(`{"property":"date","operator":"=","value":{"preset":"today"}}`), query.CatalogWide)
	e := entity{fields: fieldKinds, values: jsonv.Object{"date": "2024-02-28T15:30:00Z"}}
	if !q.Match(&query.Env{Now: now, Location: tokyo}, e) {
		t.Error("00:30 in Tokyo is not today there")
	}
	if q.Match(&query.Env{Now: now}, e) {
		t.Error("15:30 of yesterday is today in UTC")
	}
}

func TestGroupsCombine(t *testing.T) {
	t.Parallel()
	e := entity{id: "cart", values: jsonv.Object{"num": jsonv.Int(5)}, fields: fieldKinds}
	yes, no := `{"property":"num","operator":"=","value":5}`, `{"property":"num","operator":"=","value":6}`
	for text, want := range map[string]bool{
		`{"combinator":"and","rules":[]}`:                                                     true,
		`{"combinator":"or","rules":[]}`:                                                      true,
		`{"combinator":"and","rules":[` + yes + `,` + no + `]}`:                               false,
		`{"combinator":"or","rules":[` + no + `,` + yes + `]}`:                                true,
		`{"combinator":"or","rules":[` + no + `]}`:                                            false,
		`{"combinator":"and","not":true,"rules":[` + yes + `]}`:                               false,
		`{"combinator":"or","not":true,"rules":[` + no + `]}`:                                 true,
		`{"combinator":"and","rules":[` + yes + `,` + rule(yes) + `]}`:                        true,
		`{"combinator":"and","rules":[{"combinator":"or","rules":[` + no + `,` + yes + `]}]}`: true,
	} {
		if got := parse(t, text, query.CatalogWide).Match(&query.Env{Now: now}, e); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	if !query.All().Match(&query.Env{}, e) {
		t.Error("All does not match")
	}
}

func TestTextsMeanBooleansWhereAskedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule   string
		truths bool
		value  any
		want   bool
	}{
		{`{"property":"p","operator":"=","value":"true"}`, true, true, true},
		{`{"property":"p","operator":"=","value":"true"}`, true, false, false},
		{`{"property":"p","operator":"=","value":"true"}`, true, "true", true},
		{`{"property":"p","operator":"=","value":"false"}`, true, false, true},
		{`{"property":"p","operator":"=","value":"false"}`, true, nil, false},
		{`{"property":"p","operator":"!=","value":"true"}`, true, true, false},
		{`{"property":"p","operator":"!=","value":"true"}`, true, nil, true},
		{`{"property":"p","operator":"in","value":["x","true"]}`, true, true, true},
		{`{"property":"p","operator":"=","value":"True"}`, true, true, false},
		{`{"property":"p","operator":"=","value":"true"}`, false, true, false},
	} {
		raw, err := jsonv.Decode([]byte(`{"combinator":"and","rules":[` + c.rule + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		q, err := query.Parse(raw, query.Options{TextBooleans: c.truths})
		if err != nil {
			t.Fatal(err)
		}
		if got := q.Match(&query.Env{}, entity{values: jsonv.Object{"p": c.value}}); got != c.want {
			t.Errorf("%s with texts as booleans %t on %v: %t, want %t", c.rule, c.truths, c.value, got, c.want)
		}
		for _, b := range q.Bounds(&query.Env{}) {
			if c.want && !slices.ContainsFunc(b[0].Values, func(v any) bool { return v == c.value }) {
				t.Errorf("%s: the bound %v leaves out %v", c.rule, b, c.value)
			}
		}
	}
}
