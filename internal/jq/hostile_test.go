package jq

import (
	"context"
	"errors"
	"fmt"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// hostile programs want endless time or memory, many of them in one instruction.
var hostile = []string{
	`def f: f; f`,
	`def f: 1 + f; f`,
	`def f: [f]; f`,
	`def f: f, f; f`,
	`[range(1e12)]`,
	`[range(1e12) | {a: .}]`,
	`[range(1e12) | tostring]`,
	`last(range(1e12))`,
	`[repeat(1)]`,
	`reduce range(1e12) as $i (0; . + 1)`,
	`until(false; .)`,
	`[limit(1e12; repeat("x"))] | length`,
	`"x" * 1e9`,
	`"x" * 1e300`,
	`[range(3000) | "x" * 1000000]`,
	`reduce range(60) as $i ("x"; . + .)`,
	`reduce range(60) as $i ("x"; "\(.)\(.)")`,
	`reduce range(60) as $i ("x"; [., .] | join(""))`,
	`reduce range(60) as $i ("x"; [., .] | add)`,
	`reduce range(60) as $i ("x"; . * 2)`,
	`reduce range(60) as $i ("x"; @base64)`,
	`reduce range(60) as $i ("<"; @html)`,
	`reduce range(60) as $i ("\""; tojson)`,
	`reduce range(60) as $i ("x"; gsub("x"; "xx"))`,
	`reduce range(60) as $i ([1]; . + .)`,
	`reduce range(60) as $i ([1]; [.[], .[]])`,
	`reduce range(60) as $i ([1]; [., .] | add)`,
	`reduce range(100) as $i (1; [., .]) | tojson`,
	`reduce range(100) as $i (1; [., .]) | tostring`,
	`reduce range(100) as $i (1; [., .]) | "\(.)"`,
	`reduce range(100) as $i (1; [., .]) | @base64`,
	`reduce range(100) as $i (1; [., .]) | [., .] | @sh`,
	`reduce range(100) as $i (1; [., .]) | . == (reduce range(100) as $i (1; [., .]))`,
	`reduce range(100) as $i (1; [., .]) | [., .] | sort`,
	`reduce range(100) as $i (1; [., .]) | [., .] | unique`,
	`reduce range(100) as $i (1; [., .]) | [., .] | max`,
	`reduce range(100) as $i (1; [., .]) | flatten`,
	`reduce range(100) as $i (1; [., .]) | . as $x | contains($x)`,
	`reduce range(100) as $i (1; [., .]) | . as $x | [$x] | index([$x])`,
	`reduce range(100) as $i (1; [., .]) | . as $x | [[$x]] | .[[[$x]]]`,
	`reduce range(100) as $i (1; [., .]) | . as $x | [$x] - [$x]`,
	`reduce range(100) as $i (1; [., .]) | [..] | length`,
	`reduce range(100) as $i (1; [., .]) | walk(.)`,
	`reduce range(100) as $i (1; [., .]) | error(.)`,
	`reduce range(100) as $i (1; [., .]) | .`,
	`reduce range(100) as $i ({}; {a: ., b: .}) | . * .`,
	`reduce range(100) as $i ({}; {a: ., b: .}) | del(.a.b.a.b) | tojson`,
	`reduce range(1e6) as $i (1; [.]) | tojson`,
	`reduce range(1e6) as $i (1; [.])`,
	`[range(200000)] as $a | $a | index($a[0:100000] + [-1])`,
	`[range(200000) | 0] as $a | $a | .[$a[0:100000]]`,
	`[range(200000) | 0] as $a | $a - $a[0:100000] | $a - ($a | map(. + 1))`,
	`[range(100000)] as $a | [$a[] | [$a]] | transpose | map(transpose)`,
	`[range(30000)] as $a | [$a[] | $a] | transpose`,
	`[range(300000)] as $a | def f: $a | .[] | f; f`,
	`.[500000000] = 1`,
	`setpath([500000000]; 1)`,
	`.[500000000] |= 1`,
	`pick(.[500000000])`,
	`fromstream([[500000000], 1], [[500000000]])`,
	`reduce range(1e9) as $i (null; .[$i] = $i)`,
	`reduce range(1e9) as $i ({}; .["k\($i)"] = $i)`,
	`[range(300000) | {key: tostring, value: 1}] | from_entries | until(false; with_entries(.))`,
	`[range(300000) | {key: tostring, value: 1}] | from_entries | until(false; [.[]] | length)`,
	`"x" * 1000000 | [limit(1000; repeat(explode))] | length`,
	`"x" * 1000000 | [limit(100000; repeat(.[0:999999] | ascii_downcase))] | length`,
	`"x" * 1000000 | until(false; length)`,
	`"x" * 1000000 | until(false; .[1:] + "x")`,
	`"a" * 30000 | test("(a*)*b")`,
	`"a" * 30000 | test("(?=(a+)+$)(a+)+b")`,
	`"a" * 30000 + "!" | test("(a|aa)+$(?!x)")`,
	`"a" * 30000 | until(false; test("(?!x)(a*)*b"))`,
	`[limit(1000; repeat("a" * 1000 | match("(?!x)(a|a)*b"; "g")))]`,
	`[range(2000000)] | implode | until(false; test("x{1000}"))`,
	`reduce range(1e6) as $i (2; . * .) | tojson | length | until(false; .)`,
	`[range(1e6)] | combinations(20)`,
	`[[range(1e3)], [range(1e3)], [range(1e3)], [range(1e3)]] | [combinations]`,
	`path(repeat(.a))`,
	`[recurse([., .])]`,
	`try (def f: f; f) catch "caught"`,
	`(def f: f; f) // 1`,
	`[.[]?, (label $x | repeat(1))]`,
	`limit(1; def f: f; f)`,
	`first(range(1e12) | select(. < 0))`,
	`[range(1e5)] | sort_by([range(1e3)])`,
	`[range(1e5)] | group_by([range(1e3)])`,
	`now | until(false; strftime("%Y" * 10000))`,
	`"\("x" * 1000000)" as $s | [range(10000) | $s] | join("")`,
	`[range(100000) | "x" * 100] | until(false; join(","))`,
	`input_line_number | until(false; gsub("";"x"))`,
	`$__loc__ | until(false; .)`,
	`[splits("a")] | until(false; .)`,
	`"x" * 500000 | [scan(".")] | length`,
	`"x" * 500000 | sub("x"; "y"; "g") | gsub("."; "z") | sub("z$"; "") | length`,
	`"x" * 2000000 | [scan("x?")] | length`,
	`"x" * 2000000 | gsub(""; "y") | length`,
	`"x" * 500000 | [match("(.)(.)"; "g")] | length`,
	`jn(1000000000; 1e15), yn(1000000000; 1e15), jn(-1e15; 2)`,
	`jn(20000000; 1e15) | until(false; jn(20000000; 1e15))`,
	`"9" * 2000000 | tonumber`,
	`"9" * 2000000 | fromjson | floor`,
	`"[" + "9" * 2000000 + "]" | fromjson | .[0] % 7`,
	`. as $n | "9" * 1000000 + ".5" | tonumber == $n`,
}

const (
	hostileTime = 200 * time.Millisecond
	// A run may end late by one long instruction, and these machines are slow.
	hostileLate   = 4 * time.Second
	hostileMemory = 1 << 30
)

func TestHostileProgramsEndInTimeAndMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	for i, src := range hostile {
		t.Run(fmt.Sprintf("%02d", i), func(t *testing.T) {
			e := newEngine()
			p, err := e.Compile(src)
			if err != nil {
				t.Fatalf("%s: %v", src, err)
			}
			before := totalMemory()
			start := time.Now()
			_, _, err = p.First(context.Background(), nil, Limits{Time: hostileTime, Now: time.Now})
			took := time.Since(start)
			grown := totalMemory() - before
			if took > hostileTime+hostileLate {
				t.Errorf("%s took %s", src, took)
			}
			if grown > hostileMemory {
				t.Errorf("%s: the process grew by %d MiB", src, grown>>20)
			}
			t.Logf("%-70s %8s %5d MiB %v", src, took.Round(time.Millisecond), grown>>20, err)
		})
	}
}

// totalMemory is what the process has ever asked of the system.
func totalMemory() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}

func TestTheLimitCannotBeCaught(t *testing.T) {
	t.Parallel()
	for _, src := range []string{`try (def f: f; f) catch "caught"`, `(def f: f; f) // 1`, `[.[]?, (def f: f; f)?]`, `isvalid(repeat(1) | select(false))`} {
		p, err := newEngine().Compile(src)
		if err != nil {
			t.Fatal(err)
		}
		v, _, err := p.First(context.Background(), nil, Limits{Time: 20 * time.Millisecond})
		if !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v, %v", src, v, err)
		}
	}
}

func TestAProgramThatOverrunsAgainRests(t *testing.T) {
	t.Parallel()
	p, err := newEngine().Compile(`if . == 1 then 1 else (def f: f; f) end`)
	if err != nil {
		t.Fatal(err)
	}
	limits := Limits{Time: 50 * time.Millisecond}
	first := func(in any) error {
		_, _, err := p.First(context.Background(), in, limits)
		return err
	}
	// One bad entity does not hide the others.
	if err := first(nil); !errors.Is(err, ErrLimit) {
		t.Fatal(err)
	}
	if err := first(jsonv.Int(1)); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	for range 1000 {
		if err := first(nil); !errors.Is(err, ErrLimit) {
			t.Fatal(err)
		}
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("a list of 1,000 entities took %s", took)
	}
}

func TestABudgetBoundsManyRunsTogether(t *testing.T) {
	t.Parallel()
	e := newEngine()
	budget := NewBudget(150 * time.Millisecond)
	start := time.Now()
	for i := range 20 {
		p, err := e.Compile(fmt.Sprintf(`%d | def f: f; f`, i))
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if _, _, err := p.First(context.Background(), nil, Limits{Time: 100 * time.Millisecond, Budget: budget}); !errors.Is(err, ErrLimit) {
				t.Fatal(err)
			}
		}
	}
	simple, err := e.Compile(`.a | ascii_downcase`)
	if err != nil {
		t.Fatal(err)
	}
	if v, _, err := simple.First(context.Background(), jsonv.Object{"a": "X"}, Limits{Budget: budget}); err != nil || v != "x" {
		t.Errorf("a simple program on an empty budget: %v, %v", v, err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("400 endless runs took %s", took)
	}
}

func TestShortRunsNeverUseUpABudget(t *testing.T) {
	t.Parallel()
	p, err := newEngine().Compile(`.a | ascii_downcase`)
	if err != nil {
		t.Fatal(err)
	}
	budget := NewBudget(time.Millisecond)
	for range 10_000 {
		if _, _, err := p.First(context.Background(), jsonv.Object{"a": "X"}, Limits{Budget: budget}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestManyHostileProgramsTogetherLeaveRoomForOthers(t *testing.T) {
	t.Parallel()
	e := newEngine()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			p, err := e.Compile(fmt.Sprintf(`%d | [range(1e12) | {a: .}]`, i))
			if err != nil {
				t.Error(err)
				return
			}
			if _, _, err := p.First(context.Background(), nil, Limits{Time: 300 * time.Millisecond}); !errors.Is(err, ErrLimit) {
				t.Errorf("%v", err)
			}
		})
	}
	good, err := e.Compile(`.a | ascii_downcase`)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if v, _, err := good.First(context.Background(), jsonv.Object{"a": "X"}, Limits{}); err != nil || v != "x" {
			t.Fatalf("%v %v", v, err)
		}
	}
	wg.Wait()
}

func TestTheCacheForgetsTheOldest(t *testing.T) {
	t.Parallel()
	e := newEngine()
	long := strings.Repeat(" ", maxSourceBytes-10)
	for i := range 2 * sourceMax / len(long) {
		_, _ = e.Compile(fmt.Sprint(i) + long)
		if e.source > sourceMax {
			t.Fatalf("%d bytes of programs are kept", e.source)
		}
	}
	if _, err := e.Compile(strings.Repeat(" ", 2*sourceMax)); err == nil {
		t.Error("a program without bound")
	}
	for i := range programsMax + 10 {
		if _, err := e.Compile(fmt.Sprintf(".a%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if n := e.recent.Len(); n != programsMax || len(e.entries) != n {
		t.Errorf("%d programs kept, %d named", n, len(e.entries))
	}
	if _, ok := e.entries[".a0"]; ok {
		t.Error("the oldest is still there")
	}
}

func TestLongAndDeepProgramsAreRefused(t *testing.T) {
	t.Parallel()
	for name, src := range map[string]string{
		"long":     strings.Repeat(" ", maxSourceBytes) + ".",
		"brackets": strings.Repeat("(", 20_000) + "." + strings.Repeat(")", 20_000),
		"arrays":   strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000),
		"negative": strings.Repeat("-", 20_000) + "1",
		"pipes":    strings.Repeat(".a|", 20_000) + ".",
		"objects":  strings.Repeat("{a:", 10_000) + "1" + strings.Repeat("}", 10_000),
		"patterns": ". as " + strings.Repeat("[", 20_000) + "$a" + strings.Repeat("]", 20_000) + " | 1",
	} {
		if _, err := newEngine().Compile(src); err == nil {
			t.Errorf("%s compiles", name)
		}
	}
}

func TestEveryDefinitionOfThePreludeCompiles(t *testing.T) {
	t.Parallel()
	defs, err := prelude()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, d := range defs {
		args := make([]string, len(d.def.Args))
		for i := range args {
			args[i] = "."
		}
		src := d.def.Name
		if len(args) > 0 {
			src += "(" + strings.Join(args, ";") + ")"
		}
		// Programs reach those that begin with "_" by formats and assignments.
		reach := map[string]string{"_assign": ". = .", "_modify": ". |= ."}
		if name, ok := strings.CutPrefix(d.def.Name, "_to"); ok {
			src = "@" + name
		} else if assignment, ok := reach[d.def.Name]; ok {
			src = assignment
		}
		if _, err := newEngine().Compile(src); err != nil {
			t.Errorf("%s: %v", src, err)
		}
		for call := range d.calls {
			used[call] = true
		}
	}
	for op := range operatorPrimitives {
		used[signature(operatorPrimitives[op], 2)] = true
	}
	used["_p_key/0"], used["_p_path/0"] = true, true
	for name, p := range primitives {
		if !used[signature(name, p.args)] {
			t.Errorf("nothing uses %s with %d arguments", name, p.args)
		}
	}
}

func FuzzPrograms(f *testing.F) {
	for _, src := range hostile {
		f.Add(src, `{"a":[1,"x",null]}`)
	}
	for _, src := range []string{`.a |= map(.)`, `del(..)`, `to_entries`, `@sh`, `sub("(?<a>x)";.a)`, `. as [$a,{b:$c}] ?// $a | $a`, `{"a\(1)":2}`, `try error catch .`, `.[1:-1]`, `limit(3;..)`, `getpath(["a",[1]])`} {
		f.Add(src, `{"a":[1,"x",null],"b":{"c":"d"}}`)
	}
	f.Fuzz(func(t *testing.T, src, input string) {
		in, err := jsonv.Decode([]byte(input))
		if err != nil {
			return
		}
		before := string(jsonv.Encode(in))
		watch := time.AfterFunc(20*time.Second, func() { panic(fmt.Sprintf("%q on %q does not end", src, input)) })
		defer watch.Stop()
		p, err := newEngine().Compile(src)
		if err != nil {
			return
		}
		var r recovered
		if _, _, err := p.First(context.Background(), in, Limits{Time: 50 * time.Millisecond}); errors.As(err, &r) {
			t.Fatalf("%s on %s: %v", src, input, err)
		}
		if after := string(jsonv.Encode(in)); after != before {
			t.Fatalf("%s changed %s to %s", src, before, after)
		}
	})
}

func BenchmarkCalculation(b *testing.B) {
	in := jsonv.Object{"identifier": "Cart", "properties": jsonv.Object{"tier": "gold", "n": jsonv.Int(5)}, "relations": jsonv.Object{"domain": "shop"}}
	for name, src := range map[string]string{
		"field":  `.identifier | ascii_downcase`,
		"text":   `"https://x/\(.identifier)/\(.properties.tier)"`,
		"choice": `if .properties.tier == "gold" then .properties.n * 2 + 1 else 0 end`,
	} {
		p, err := newEngine().Compile(src)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := p.First(context.Background(), in, Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("compile", func(b *testing.B) {
		for b.Loop() {
			if _, err := newEngine().Compile(`if .properties.tier == "gold" then .properties.n * 2 + 1 else 0 end`); err != nil {
				b.Fatal(err)
			}
		}
	})
}
