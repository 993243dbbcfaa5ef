package lenstest_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/lens/lenstest"
)

// A law that nothing can break is no law: each of these parts breaks one, the
// way providers do.

// bad is a string attribute "a" under the key "a" with one fault.
type bad struct {
	put func(s string) any
	get func(j any, prior tftypes.Value) tftypes.Value
}

func (bad) Attrs() []lens.Attr {
	return []lens.Attr{{Name: "a", Type: tftypes.String, Mode: lens.Opt, Doc: "A."}}
}
func (bad) Keys() [][]string { return [][]string{{"a"}} }

func (b bad) Put(_ *lens.Run, from lens.Obj, to lens.Body) error {
	if v := from["a"]; lens.Known(v) {
		to["a"] = lens.AsText(v)
		if b.put != nil {
			to["a"] = b.put(lens.AsText(v))
		}
	}
	return nil
}

func (b bad) Get(_ *lens.Run, from lens.Body, prior, to lens.Obj) error {
	if b.get != nil {
		to["a"] = b.get(from["a"], prior["a"])
		return nil
	}
	to["a"] = lens.Null(tftypes.String)
	if s, ok := from["a"].(string); ok {
		to["a"] = lens.Str(s)
	}
	return nil
}

// mistyped is an attribute that is declared as a map of texts and read as one of
// numbers.
type mistyped struct{}

func (mistyped) Attrs() []lens.Attr {
	return []lens.Attr{{Name: "m", Type: tftypes.Map{ElementType: tftypes.String}, Mode: lens.Opt, Doc: "M."}}
}
func (mistyped) Keys() [][]string                         { return nil }
func (mistyped) Put(*lens.Run, lens.Obj, lens.Body) error { return nil }

func (mistyped) Get(_ *lens.Run, _ lens.Body, _, to lens.Obj) error {
	to["m"] = lens.Null(tftypes.Map{ElementType: tftypes.Number})
	return nil
}

func plain(j any) tftypes.Value {
	if s, ok := j.(string); ok {
		return lens.Str(s)
	}
	return lens.Null(tftypes.String)
}

func TestEachLawFindsItsFault(t *testing.T) {
	t.Parallel()
	sample := lenstest.Wire(`{"a":"x"}`)
	for name, c := range map[string]struct {
		parts   []lens.Part
		samples []lenstest.Sample
		want    string
	}{
		"a sound part":            {[]lens.Part{bad{}}, []lenstest.Sample{sample}, ""},
		"text changed on the way": {[]lens.Part{bad{put: func(s string) any { return strings.ToUpper(s) }}}, []lenstest.Sample{sample}, "L1"},
		"a key that is not sent":  {[]lens.Part{bad{put: func(string) any { return nil }}}, []lenstest.Sample{sample}, "L2"},
		"prior kept when gone": {[]lens.Part{bad{get: func(j any, prior tftypes.Value) tftypes.Value {
			if j == nil && lens.Known(prior) {
				return prior
			}
			return plain(j)
		}}}, []lenstest.Sample{sample}, "L3"},
		"prior always kept": {[]lens.Part{bad{get: func(j any, prior tftypes.Value) tftypes.Value {
			if lens.Known(prior) {
				return prior
			}
			return plain(j)
		}}}, []lenstest.Sample{sample}, "L3"},
		"empty text read as null": {[]lens.Part{bad{get: func(j any, _ tftypes.Value) tftypes.Value {
			if j == "" {
				return lens.Null(tftypes.String)
			}
			return plain(j)
		}}}, []lenstest.Sample{sample}, "L1"},
		"a panic on another kind": {[]lens.Part{bad{get: func(j any, _ tftypes.Value) tftypes.Value {
			if j == nil {
				return lens.Null(tftypes.String)
			}
			return lens.Str(j.(string)) // the fault
		}}}, []lenstest.Sample{sample}, "L5"},
		"a value of another type":     {[]lens.Part{bad{}, mistyped{}}, []lenstest.Sample{sample}, "types: m is "},
		"a key nobody models":         {[]lens.Part{bad{}}, []lenstest.Sample{lenstest.Wire(`{"a":"x","b":"y"}`)}, "L2"},
		"an exception nobody needs":   {[]lens.Part{bad{}}, []lenstest.Sample{sample, lenstest.Except("/a", "why")}, "superfluous"},
		"an exception that is needed": {[]lens.Part{bad{}}, []lenstest.Sample{lenstest.Wire(`{"a":"x","b":"y"}`), lenstest.Except("/b", "why")}, ""},
		"an owned key without sample": {[]lens.Part{bad{}, lens.Owned("o")}, []lenstest.Sample{sample}, "owned key /o"},
		"an owned key":                {[]lens.Part{bad{}, lens.Owned("o")}, []lenstest.Sample{lenstest.Wire(`{"a":"x","o":{"p":1}}`)}, ""},
		"no samples":                  {[]lens.Part{bad{}}, nil, "there are none"},
		"a sample that is no JSON":    {[]lens.Part{bad{}}, []lenstest.Sample{lenstest.Wire(`{`)}, "sample"},
		"checks nothing can pass": {[]lens.Part{lens.Field("a", lens.String, lens.Req, "A.").Check(lens.Test("T", "", func(tftypes.Value) string { return "no" }))},
			[]lenstest.Sample{sample}, "generator"},
	} {
		codec, err := lens.Compile(c.parts...)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(lenstest.Check(codec, c.samples...), "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: want %q, got %q", name, c.want, got)
		}
	}
}

func TestRandomObjectsAreTheSameEverywhere(t *testing.T) {
	t.Parallel()
	a, b := lenstest.NewRandom(7), lenstest.NewRandom(7)
	for range 100 {
		if x, y := a.N(1000), b.N(1000); x != y || x < 0 || x >= 1000 {
			t.Fatal(x, y)
		}
	}
}

func TestSurvivesTellsErrorsFromPanics(t *testing.T) {
	t.Parallel()
	codec := lens.MustCompile(lens.Field("a", lens.String, lens.Opt, "A."))
	for _, text := range []string{`{"a":5}`, `{"a":"x"}`, `[]`, `nope`} {
		if got := lenstest.Survives(codec, tftypes.Value{}, []byte(text)); got != "" {
			t.Errorf("%s: %s", text, got)
		}
	}
	broken := lens.MustCompile(bad{get: func(j any, _ tftypes.Value) tftypes.Value {
		o, _ := j.(jsonv.Object)
		return lens.Str(o["x"].(string)) // the fault
	}})
	if got := lenstest.Survives(broken, tftypes.Value{}, []byte(`{"a":{}}`)); !strings.Contains(got, "panic") {
		t.Errorf("got %q", got)
	}
}
