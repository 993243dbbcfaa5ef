package jq

import (
	"errors"
	"slices"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// A definition that calls a function which the prelude replaces only further down
// would get the interpreter's own, which is not measured.
func TestPreludeCallsNothingThatIsReplacedFurtherDown(t *testing.T) {
	t.Parallel()
	defs, err := prelude()
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range defs {
		own := signature(d.def.Name, len(d.def.Args))
		for _, later := range defs[i+1:] {
			name := signature(later.def.Name, len(later.def.Args))
			if d.calls[name] && name != own && !slices.Contains(d.def.Args, later.def.Name) {
				t.Errorf("%s calls %s, which is replaced after it", own, name)
			}
		}
	}
}

func TestPreludeFunctionsThatShareANameAgree(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]any{
		`"aXbx" | [scan("x")] | length`:                   jsonv.Int(1),
		`"aXbx" | [scan("x"; "i")] | length`:              jsonv.Int(2),
		`"foo" | sub("(?<l>o)"; "0", "1")`:                "f0o",
		`"foo" | [sub("(?<l>o)"; "0", "1")] | join(",")`:  "f0o,f1o",
		`"foo" | [gsub("(?<l>o)"; "0", "1")] | join(",")`: "f00,f11",
		`jn(1; 0), yn(1; 1)`:                              jsonv.Int(0),
		`[-5, 5, 0] | map(abs) | add`:                     jsonv.Int(10),
		`try ([1, 2] | abs) catch .`:                      "array has no absolute value",
		`"日本" | sub("本"; "x")`:                            "日x",
		`"abc" | [scan("(a)(b)")] | tojson`:               `[["a","b"]]`,
		`"a1b2" | [splits("[0-9]")] | join("-")`:          "a-b-",
	} {
		p, err := Compile(src)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		got, _, err := p.First(t.Context(), nil, Limits{})
		if err != nil || got != want {
			t.Errorf("%s = %v, %v, want %v", src, got, err, want)
		}
	}
}

func TestProgramsCannotCallWhatIsInside(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		`_match("."; null; false)`, `_multiply(.; 2)`, `_p_error(1)`, `_modify(.a; 1)`, `_range(0; 1; 1)`, `_tohtml`, `.a | map(_plus)`,
	} {
		var syntax *SyntaxError
		if _, err := Compile(src); !errors.As(err, &syntax) {
			t.Errorf("%s compiles: %v", src, err)
		}
	}
	for _, src := range []string{`def _f: 1; _f`, `def f(_g): _g; f(1)`, `1 as $_x | $_x`, `._a // 1`, `{_a: 1} | ._a`} {
		if _, err := Compile(src); err != nil {
			t.Errorf("%s: %v", src, err)
		}
	}
}
