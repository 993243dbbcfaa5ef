package query_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
)

const conditionTable = `
text | "a"      | = "a"                 | true
text | "A"      | = "a"                 | false
text | -        | = "a"                 | false
num  | 5        | = "5"                 | false
num  | 5        | = 5.0                 | true
list | ["a","b"]| = ["a","b"]           | true
list | ["b","a"]| = ["a","b"]           | false
list | ["a"]    | = "a"                 | false
text | -        | != "a"                | true
text | "a"      | != "a"                | false
num  | 5        | > 4                   | true
num  | 5        | > "4"                 | false
text | "b"      | > "a"                 | true
text | "2024-01-01T00:00:00Z" | < "2024-01-01T00:00:00-01:00" | true
text | -        | <= "a"                | false
text | "foobar" | contains "oba"        | true
num  | 123      | contains "2"          | true
list | ["a","b"]| contains "b"          | true
list | ["a","b"]| contains ["a","b"]    | true
text | -        | contains "a"          | false
text | -        | doesNotContains "a"   | true
text | "foobar" | beginsWith "foo"      | true
num  | 123      | beginsWith "12"       | true
num  | 123      | endsWith 3            | true
text | -        | beginsWith "f"        | false
text | -        | doesNotEndsWith "f"   | true
list | ["a","b"]| containsAny ["b","c"] | true
text | "a"      | containsAny ["a"]     | true
text | "a"      | in ["a","b"]          | true
list | ["a"]    | in ["a","b"]          | true
text | -        | in ["a"]              | false
text | -        | isEmpty               | true
text | ""       | isEmpty               | true
list | []       | isEmpty               | true
obj  | {}       | isEmpty               | true
num  | 0        | isEmpty               | false
flag | false    | isEmpty               | false
text | "a"      | isNotEmpty            | true
list | []       | isNotEmpty            | false
date | "2024-02-29T00:00:00Z" | = {"preset":"today"}          | true
date | "2024-02-22T12:00:00Z" | between {"preset":"lastWeek"} | true
date | "2024-01-29T12:00:00Z" | between {"preset":"lastMonth"}| true
date | "2024-01-29T11:59:59Z" | between {"preset":"lastMonth"}| false
date | "2023-02-28T12:00:00Z" | between {"preset":"last12Months"} | true
date | "2023-02-28T11:59:59Z" | between {"preset":"last12Months"} | false
date | -        | between {"preset":"lastWeek"}    | false
date | -        | notBetween {"preset":"lastWeek"} | true
rel  | "shop"   | = "shop"              | true
rels | ["a"]    | contains "a"          | true
rels | []       | isEmpty               | true
`

func TestConditionsOfScorecardsAnswerAsTheirTableSays(t *testing.T) {
	t.Parallel()
	for line := range strings.Lines(conditionTable) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 4 {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		e := entity{blueprint: "service", id: "cart", values: jsonv.Object{}, fields: fieldKinds}
		if cells[1] != "-" {
			e.values[cells[0]] = decode(t, cells[1])
		}
		key := "property"
		if strings.HasPrefix(cells[0], "rel") {
			key = "relation"
		}
		op, x, has := strings.Cut(cells[2], " ")
		text := fmt.Sprintf(`{%q:%q,"operator":%q`, key, cells[0], op)
		if has {
			text += `,"value":` + x
		}
		for _, combinator := range []string{"and", "or"} {
			q, err := query.ParseConditions(decode(t, `{"combinator":"`+combinator+`","conditions":[`+text+`}]}`))
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if got := fmt.Sprint(q.Match(&query.Env{Now: now}, e)); got != cells[3] {
				t.Errorf("%s: %s", strings.TrimSpace(line), got)
			}
		}
	}
}

func TestNotTurnsEmptinessRound(t *testing.T) {
	t.Parallel()
	e := entity{values: jsonv.Object{"text": ""}, fields: fieldKinds}
	for text, want := range map[string]bool{
		`{"property":"text","operator":"isEmpty","not":true}`:    false,
		`{"property":"text","operator":"isEmpty","not":false}`:   true,
		`{"property":"text","operator":"isNotEmpty","not":true}`: true,
	} {
		q, err := query.ParseConditions(decode(t, `{"combinator":"and","conditions":[`+text+`]}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := q.Match(&query.Env{Now: now}, e); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestConditionsThatDoNotFitAreRefusedAtTheirPlace(t *testing.T) {
	t.Parallel()
	one := func(text string) string { return `{"combinator":"and","conditions":[` + text + `]}` }
	for text, want := range map[string][]string{
		`5`:  {""},
		`{}`: {"/combinator", "/conditions"},
		`{"combinator":"xor","conditions":[],"rules":[]}`: {"/combinator", "/conditions", "/rules"},
		one(`5`):                               {"/conditions/0"},
		one(`{"combinator":"and","rules":[]}`): {"/conditions/0/operator"},
		one(`{"property":"a","operator":"like","value":1}`):                              {"/conditions/0/operator"},
		one(`{"property":"a","operator":"relatedTo","value":1}`):                         {"/conditions/0/operator"},
		one(`{"property":"a","operator":"notIn","value":["a"]}`):                         {"/conditions/0/operator"},
		one(`{"property":"a","operator":"="}`):                                           {"/conditions/0/value"},
		one(`{"property":"a","operator":"=","value":null}`):                              {"/conditions/0/value"},
		one(`{"property":"a","operator":"=","value":1,"not":true}`):                      {"/conditions/0/not"},
		one(`{"property":"a","operator":"in","value":"x"}`):                              {"/conditions/0/value"},
		one(`{"property":"a","operator":"containsAny","value":["x",1]}`):                 {"/conditions/0/value/1"},
		one(`{"property":"a","operator":"isEmpty","value":1}`):                           {"/conditions/0/value"},
		one(`{"property":"a","operator":"isEmpty","not":1}`):                             {"/conditions/0/not"},
		one(`{"property":"a","operator":"between","value":"x"}`):                         {"/conditions/0/value"},
		one(`{"property":"a","operator":"between","value":{"preset":"x"}}`):              {"/conditions/0/value/preset"},
		one(`{"relation":"a","operator":"between","value":{"preset":"today"}}`):          {"/conditions/0/operator"},
		one(`{"property":"a","operator":"=","value":{"context":"user","property":"b"}}`): {"/conditions/0/value"},
	} {
		_, err := query.ParseConditions(decode(t, text), "filter")
		var f *fault.Fault
		if !errors.As(err, &f) {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []string
		for _, e := range jsonv.List(f.Details, "errors") {
			got = append(got, strings.TrimPrefix(jsonv.String(e, "path"), "/filter"))
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
	}
}
