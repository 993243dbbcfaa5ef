package jq_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jq"
	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

var noon = time.Date(2024, 2, 29, 12, 0, 0, 500_000_000, time.UTC)

func run(t *testing.T, src string, input string) (string, error) {
	t.Helper()
	p, err := jq.Compile(src)
	if err != nil {
		return "", err
	}
	in, err := jsonv.Decode([]byte(input))
	if err != nil {
		t.Fatal(err)
	}
	out, ok, err := p.First(context.Background(), in, jq.Limits{Now: func() time.Time { return noon }})
	if err != nil {
		return "", err
	}
	if again := string(jsonv.Encode(in)); again != string(jsonv.Encode(mustDecode(t, input))) {
		t.Errorf("%s changed its input to %s", src, again)
	}
	if !ok {
		return "empty", nil
	}
	return string(jsonv.Encode(out)), nil
}

func mustDecode(t *testing.T, s string) any {
	t.Helper()
	v, err := jsonv.Decode([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Every line is what C jq 1.7 answers, apart from NaN and infinities.
func TestProgramsGiveWhatJqGives(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ src, in, want string }{
		{`.`, `{"a":[1,2.50,null,true,"x"]}`, `{"a":[1,2.50,null,true,"x"]}`},
		{`.identifier | ascii_downcase`, `{"identifier":"Cart"}`, `"cart"`},
		{`.a + 1`, `{"a":9007199254740993}`, `9007199254740992`},
		{`.`, `9007199254740993`, `9007199254740993`},
		{`1/3`, `null`, `0.3333333333333333`},
		{`6/2`, `null`, `3`},
		{`10 % 3, 1`, `null`, `1`},
		{`1e3`, `null`, `1000`},
		{`nan`, `null`, `null`},
		{`[infinite, -infinite, nan]`, `null`, `[1.7976931348623157e308,-1.7976931348623157e308,null]`},
		{`"a" * 3`, `null`, `"aaa"`},
		{`"a" * 0`, `null`, `null`},
		{`{a:{b:1}} * {a:{c:2}}`, `null`, `{"a":{"b":1,"c":2}}`},
		{`"a,b" / ","`, `null`, `["a","b"]`},
		{`[1,2,3,2] - [2]`, `null`, `[1,3]`},
		{`{a:1} + {b:2}`, `null`, `{"a":1,"b":2}`},
		{`null + 1`, `null`, `1`},
		{`[(1,2) + (10,20)]`, `null`, `[11,12,21,22]`},
		{`empty`, `null`, `empty`},
		{`"n=\(.a) \(.b)"`, `{"a":1,"b":{"c":"d"}}`, `"n=1 {\"c\":\"d\"}"`},
		{`@base64 "x\(.)y"`, `"hi"`, `"xaGk=y"`},
		{`@base64`, `"héllo"`, `"aMOpbGxv"`},
		{`@base64d`, `"aGk="`, `"hi"`},
		{`@base32`, `"hello"`, `"NBSWY3DP"`},
		{`@base32d`, `"NBSWY3DP"`, `"hello"`},
		{`@html`, `"<a href='x'>\"&"`, `"&lt;a href=&#39;x&#39;&gt;&quot;&amp;"`},
		{`@uri`, `"a b/ü~"`, `"a%20b%2F%C3%BC~"`},
		{`@csv`, `[1,"a\"b",null,true]`, `"1,\"a\"\"b\",,true"`},
		{`@tsv`, `["a\tb",2]`, `"a\\tb\t2"`},
		{`@sh "echo \(.)"`, `"it's"`, `"echo 'it'\\''s'"`},
		{`@json`, `{"b":1,"a":[1.0]}`, `"{\"a\":[1.0],\"b\":1}"`},
		{`@text`, `[1]`, `"[1]"`},
		{`tojson | fromjson`, `{"a":1}`, `{"a":1}`},
		{`now`, `null`, `1709208000.5`},
		{`now | todate`, `null`, `"2024-02-29T12:00:00Z"`},
		{`now + 86400 | todate`, `null`, `"2024-03-01T12:00:00Z"`},
		{`now | strftime("%Y-%m-%d %A")`, `null`, `"2024-02-29 Thursday"`},
		{`now | strflocaltime("%H:%M %Z")`, `null`, `"12:00 UTC"`},
		{`fromdate`, `"2015-03-05T23:51:47Z"`, `1425599507`},
		{`strptime("%Y-%m-%dT%H:%M:%SZ")`, `"2015-03-05T23:51:47Z"`, `[2015,2,5,23,51,47,4,63]`},
		{`strptime("%Y-%m-%dT%H:%M:%SZ") | mktime`, `"2015-03-05T23:51:47Z"`, `1425599507`},
		{`gmtime | mktime`, `1425599621`, `1425599621`},
		{`dateadd("seconds"; 10)`, `5`, `15`},
		{`ltrimstr("a")`, `"ab"`, `"b"`},
		{`ltrimstr("a")`, `5`, `5`},
		{`rtrimstr(1)`, `"ab"`, `"ab"`},
		{`trim, 1`, `"  a "`, `"a"`},
		{`ascii`, `65`, `"A"`},
		{`explode | implode`, `"aé😀"`, `"aé😀"`},
		{`toboolean`, `"true"`, `true`},
		{`tonumber`, `"12.50"`, `12.5`},
		{`tostring`, `12`, `"12"`},
		{`length`, `"aé😀"`, `3`},
		{`utf8bytelength`, `"é"`, `2`},
		{`test("B";"i")`, `"abc"`, `true`},
		{`test("a.c";"x")`, `"abc"`, `true`},
		{`test("^(?!.*foo)")`, `"a foo"`, `false`},
		{`test("(?<=a)b")`, `"ab"`, `true`},
		{`test("(a)\\1")`, `"aa"`, `true`},
		{`test("^\\h+$")`, `"09af"`, `true`},
		{`test("[[:upper:]]\\w")`, `"Éa"`, `true`},
		{`test("b$")`, `"ab\n"`, `true`},
		{`[match("a";"g").offset]`, `"éaba"`, `[1,3]`},
		{`match("(?<x>b)(z)?")`, `"ab"`, `{"captures":[{"length":1,"name":"x","offset":1,"string":"b"},{"length":0,"name":null,"offset":-1,"string":null}],"length":1,"offset":1,"string":"b"}`},
		{`capture("(?<y>\\d+)-(?<m>\\d+)")`, `"2024-05"`, `{"m":"05","y":"2024"}`},
		{`[scan("[a-z]+")]`, `"ab 1 cd"`, `["ab","cd"]`},
		{`[scan("([a-z])(\\d)")]`, `"a1b2"`, `[["a","1"],["b","2"]]`},
		{`split(", *"; null)`, `"a, b,c"`, `["a","b","c"]`},
		{`[splits("-")]`, `"a-b"`, `["a","b"]`},
		{`sub("(?<x>[a-z])"; "<\(.x)>")`, `"ab"`, `"<a>b"`},
		{`gsub("\\s+"; "-")`, `"a  b c"`, `"a-b-c"`},
		{`gsub("";"-")`, `"ab"`, `"-a-b-"`},
		{`[gsub("a";"b","c")]`, `"aa"`, `["bb","cc"]`},
		{`gsub("é";"e")`, `"één"`, `"een"`},
		{`gsub("^";"x")`, `"a"`, `"xa"`},
		{`index(",")`, `"aé,b,c"`, `2`},
		{`rindex(",")`, `"a,b,c"`, `3`},
		{`indices([1,2])`, `[0,1,2,1,2]`, `[1,3]`},
		{`.[[1,2]]`, `[0,1,2,1,2]`, `[1,3]`},
		{`indices(1)`, `[1,2,1]`, `[0,2]`},
		{`contains("bar")`, `"foobar"`, `true`},
		{`contains({a:["x"]})`, `{"a":["xy","z"],"b":1}`, `true`},
		{`inside([1,2])`, `[1]`, `true`},
		{`flatten`, `[1,[2,[3]]]`, `[1,2,3]`},
		{`flatten(1)`, `[1,[2,[3]]]`, `[1,2,[3]]`},
		{`sort`, `[3,"a",null,true,{"a":1},[0]]`, `[null,true,3,"a",[0],{"a":1}]`},
		{`sort_by(.a)`, `[{"a":2},{"a":1}]`, `[{"a":1},{"a":2}]`},
		{`group_by(.a) | map(length)`, `[{"a":2},{"a":1},{"a":2}]`, `[1,2]`},
		{`unique`, `[2,1,2]`, `[1,2]`},
		{`unique_by(length)`, `["a","b","cc"]`, `["a","cc"]`},
		{`[min, max]`, `[2,5,1]`, `[1,5]`},
		{`min_by(.a).b`, `[{"a":2,"b":1},{"a":1,"b":2}]`, `2`},
		{`add`, `[1,2,3]`, `6`},
		{`add`, `["a","b"]`, `"ab"`},
		{`add`, `[[1],[2]]`, `[1,2]`},
		{`add`, `[null,{"a":1},{"b":2}]`, `{"a":1,"b":2}`},
		{`add`, `[]`, `null`},
		{`add(.[].a)`, `[{"a":1},{"a":2}]`, `3`},
		{`join(", ")`, `["a",1,null,true]`, `"a, 1, , true"`},
		{`reverse`, `"abc"`, `"cba"`},
		{`reverse`, `[1,2]`, `[2,1]`},
		{`transpose`, `[[1],[2,3]]`, `[[1,2],[null,3]]`},
		{`to_entries`, `{"a":1}`, `[{"key":"a","value":1}]`},
		{`from_entries`, `[{"name":"a","value":1},{"k":"b","v":2},{"key":null,"value":3},{"key":false,"value":4}]`, `{"a":1,"b":2,"false":4,"null":3}`},
		{`with_entries(.value += 1)`, `{"a":1,"b":2}`, `{"a":2,"b":3}`},
		{`with_entries(select(.key != "a"))`, `{"a":1,"b":2}`, `{"b":2}`},
		{`map_values(. + 1)`, `{"a":1}`, `{"a":2}`},
		{`map_values(empty)`, `{"a":1}`, `{}`},
		{`map_values(select(. > 1))`, `[1,2,3]`, `[2,3]`},
		{`walk(if type == "number" then . + 1 else . end)`, `{"a":[1,{"b":2}]}`, `{"a":[2,{"b":3}]}`},
		{`del(.a, .b.c)`, `{"a":1,"b":{"c":2,"d":3}}`, `{"b":{"d":3}}`},
		{`del(.[0,2])`, `[1,2,3]`, `[2]`},
		{`del(.[1:])`, `[1,2,3]`, `[1]`},
		{`del(.[] | select(. == 2))`, `[1,2,2,3]`, `[1,3]`},
		{`delpaths([["a"],["b","c"]])`, `{"a":1,"b":{"c":1}}`, `{"b":{}}`},
		{`del(.x.y)`, `{"a":1}`, `{"a":1}`},
		{`to_entries | map(.key)`, `{"b":1,"a":2}`, `["a","b"]`},
		{`keys`, `{"b":1,"a":2}`, `["a","b"]`},
		{`.a = 5`, `{}`, `{"a":5}`},
		{`.a.b[1] = 5`, `null`, `{"a":{"b":[null,5]}}`},
		{`.a |= . + 1`, `{"a":1}`, `{"a":2}`},
		{`.a |= empty`, `{"a":1,"b":2}`, `{"b":2}`},
		{`.[] |= select(. > 1)`, `[1,2,3]`, `[2,3]`},
		{`.a += 1`, `{"a":1}`, `{"a":2}`},
		{`.a -= 1 | .a *= 4 | .a /= 2 | .a %= 3`, `{"a":6}`, `{"a":1}`},
		{`.a //= 3`, `{"a":null}`, `{"a":3}`},
		{`.[1:3] = ["x"]`, `[1,2,3,4]`, `[1,"x",4]`},
		{`.a[.b] = 1`, `{"b":1}`, `{"a":[null,1],"b":1}`},
		{`pick(.a.b)`, `{"a":{"b":1,"c":2}}`, `{"a":{"b":1}}`},
		{`getpath(["a",0])`, `{"a":[7]}`, `7`},
		{`path(getpath(["a","b"]))`, `null`, `["a","b"]`},
		{`[paths]`, `{"a":[1]}`, `[["a"],["a",0]]`},
		{`[leaf_paths]`, `{"a":[1]}`, `[["a",0]]`},
		{`[limit(2;.[])]`, `[1,2,3]`, `[1,2]`},
		{`[limit(0;1,2)]`, `null`, `[]`},
		{`first(range(10;0;-3)), 1`, `null`, `10`},
		{`[range(0;1;0.5)]`, `null`, `[0,0.5]`},
		{`reduce .[] as $x (0; . + $x)`, `[1,2,3]`, `6`},
		{`[foreach .[] as [$a,$b] (0; . + $a; [., $b])]`, `[[1,"x"],[2,"y"]]`, `[[1,"x"],[3,"y"]]`},
		{`. as {a:$x, b:[$y]} | [$x,$y]`, `{"a":1,"b":[2]}`, `[1,2]`},
		{`.[] as [$a] ?// $a | $a`, `[[3]]`, `3`},
		{`try error("x") catch .`, `null`, `"x"`},
		{`try error({a:1}) catch .a`, `null`, `1`},
		{`try (1/0) catch "div"`, `null`, `"div"`},
		{`[.[] | try tonumber catch "no"]`, `["1","x"]`, `[1,"no"]`},
		{`.a?`, `1`, `empty`},
		{`label $f | 1, break $f, 2`, `null`, `1`},
		{`env, $ENV`, `null`, `{}`},
		{`$ENV.PATH`, `null`, `null`},
		{`$__loc__`, `null`, `{"file":"<top-level>","line":1}`},
		{"1 |\n$__loc__.line", `null`, `2`},
		{`input_line_number`, `null`, `0`},
		{`debug`, `1`, `1`},
		{`debug("x")`, `1`, `1`},
		{`halt`, `1`, `empty`},
		{`have_literal_numbers`, `null`, `true`},
		{`splits("a")`, `"xay"`, `"x"`},
		{`ascii_upcase`, `"aé"`, `"Aé"`},
		{`INDEX(.id)`, `[{"id":1}]`, `{"1":{"id":1}}`},
		{`IN(1,2)`, `2`, `true`},
		{`any(. > 2)`, `[1,3]`, `true`},
		{`all`, `[true,false]`, `false`},
		{`isvalid(.a)`, `1`, `false`},
		{`[.[] | if . > 1 then "big" elif . == 1 then "one" else "small" end]`, `[0,1,2]`, `["small","one","big"]`},
		{`if . then 1 end`, `false`, `false`},
		{`[combinations]`, `[[1,2],[3]]`, `[[1,3],[2,3]]`},
		{`fromstream(tostream)`, `{"a":[1,{"b":2}]}`, `{"a":[1,{"b":2}]}`},
		{`[.[] | tojson]`, `[1, 1.5, "a"]`, `["1","1.5","\"a\""]`},
		{`def f(x): x * 2; f(.a)`, `{"a":4}`, `8`},
		{`def map(f): "mine"; map(.)`, `[1]`, `"mine"`},
		{`def tojson: "mine"; [tojson, @text]`, `1`, `["mine","1"]`},
		{`.["a","b"]`, `{"a":1}`, `1`},
		{`."a-b"`, `{"a-b":1}`, `1`},
		{`.properties["my-key"]`, `{"properties":{"my-key":2}}`, `2`},
		{`{a, "b": .b, (.c): 1, "x\(.a)": 2, @base64: 3}`, `{"a":1,"b":2,"c":"k"}`, ``},
		{`{$__loc__, a: 1}`, `null`, `{"__loc__":{"file":"<top-level>","line":1},"a":1}`},
		{`[.[] | abs]`, `[-1, 2]`, `[1,2]`},
		{`toarray`, `1`, `[1]`},
		{`[1,2] == [1,2.0]`, `null`, `true`},
		{`{a:1} < {a:2}`, `null`, `true`},
		{`"a" < "b" and 1 <= 1 and 2 > 1 and 2 >= 2 and 1 != 2`, `null`, `true`},
		{`splits`, `null`, ``},
		{`bsearch(2)`, `[1,2,3]`, `1`},
		{`ltrimstr("x") | rtrimstr("y") | length`, `"xay"`, `1`},
		{`significand`, `8`, `1`},
		{`[.[] | floor, sqrt]`, `[4.5]`, `[4,2.1213203435596424]`},
		{`pow(2;10)`, `null`, `1024`},
		{`getpath(["a"]) |= 3`, `{"a":1}`, `{"a":3}`},
		{`error(null)`, `null`, ``},
		{`@foo`, `1`, ``},
	} {
		t.Run(c.src, func(t *testing.T) {
			t.Parallel()
			got, err := run(t, c.src, c.in)
			if c.want == "" {
				if err == nil {
					t.Fatalf("got %s, want an error", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestProgramsSeeNoMachine(t *testing.T) {
	t.Parallel()
	for _, src := range []string{`input`, `[inputs]`, `import "a" as a; .`, `include "a"; .`, `"x" | modulemeta`, `$__prog_args`} {
		if _, err := run(t, src, `null`); err == nil {
			t.Errorf("%s is answered", src)
		}
	}
}

func TestSyntaxErrorsSayWhere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		src          string
		line, column int
	}{
		{`.a |`, 1, 5},
		{"{a: 1,\n b: }", 2, 5},
		{`select(.x=='a')`, 1, 12},
		{`nosuch(1)`, 0, 0},
	} {
		err := jq.Check(c.src)
		var syntax *jq.SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("Check(%q) = %v", c.src, err)
			continue
		}
		if syntax.Line != c.line || syntax.Column != c.column || syntax.Message == "" {
			t.Errorf("Check(%q): %d:%d %s, want %d:%d", c.src, syntax.Line, syntax.Column, syntax.Message, c.line, c.column)
		}
	}
	if err := jq.Check(`.a | length`); err != nil {
		t.Error(err)
	}
}

func TestSingleQuotesThatDelimitBecomeDouble(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		`.properties.x == 'a'`:          `.properties.x == "a"`,
		`select(.x=='a')`:               `select(.x=='a')`,
		`"it's"`:                        `"it's"`,
		`'a' + .b`:                      `"a" + .b`,
		`'a b' + 'c'`:                   `"a b" + "c"`,
		`if .x == 'y' then 'z' else ''`: `if .x == "y" then "z" else ""`,
		`"'x'"`:                         `"'x'"`,
		`''`:                            `""`,
		`no quotes`:                     `no quotes`,
	} {
		if got := jq.DoubleQuotes(src); got != want {
			t.Errorf("DoubleQuotes(%s) = %s, want %s", src, got, want)
		}
	}
}

func TestOneProgramRunsInManyGoroutinesOnOneInput(t *testing.T) {
	t.Parallel()
	p, err := jq.Compile(`del(.properties.a) | .properties |= map_values(tostring) | {z: {y: 1}, x: 2} as $c | .extra = ($c | del(.x)) | .list |= map(select(. > 1))`)
	if err != nil {
		t.Fatal(err)
	}
	in := mustDecode(t, `{"properties":{"a":1,"b":2,"c":{"d":[1]}},"list":[1,2,3]}`)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 50 {
				out, ok, err := p.First(context.Background(), in, jq.Limits{})
				if err != nil || !ok {
					t.Errorf("%v %v", ok, err)
					return
				}
				if diff := cmp.Diff(`{"extra":{"z":{"y":1}},"list":[2,3],"properties":{"b":"2","c":"{\"d\":[1]}"}}`, string(jsonv.Encode(out))); diff != "" {
					t.Error(diff)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestResultsAreBounded(t *testing.T) {
	t.Parallel()
	p, err := jq.Compile(`"x" * 2000`)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.First(context.Background(), nil, jq.Limits{OutputBytes: 1000}); !errors.Is(err, jq.ErrLimit) {
		t.Errorf("a result over the limit: %v", err)
	}
	if out, _, err := p.First(context.Background(), nil, jq.Limits{}); err != nil || out != strings.Repeat("x", 2000) {
		t.Errorf("a result within the limit: %v", err)
	}
}

func TestACancelledContextEndsTheRun(t *testing.T) {
	t.Parallel()
	p, err := jq.Compile(`def f: f; f`)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := p.First(ctx, nil, jq.Limits{}); !errors.Is(err, context.Canceled) || errors.Is(err, jq.ErrLimit) {
		t.Errorf("got %v", err)
	}
}
