package template_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/template"
)

func decode(t testing.TB, text string) any {
	t.Helper()
	v, err := jsonv.Decode([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

const document = `{"inputs": {"name": "svc", "n": 5, "tags": ["a", "b"], "o": {"k": 1}}, "run": {"id": "r_1"}}`

const (
	nothing = "nothing"
	fault   = "error"
)

// The vectors of reference/actions.md §3.3, and what its rules say beyond them.
// want is JSON text, or nothing, or fault.
var vectors = []struct{ rule, template, want string }{
	{"table", `"plain"`, `"plain"`},
	{"table", `"  {{ .inputs.n }}  "`, `5`},
	{"table", `"{{ .inputs.tags }}"`, `["a","b"]`},
	{"table", `"n={{ .inputs.n }}/{{ .inputs.name }}"`, `"n=5/svc"`},
	{"table", `"t={{ .inputs.tags }}"`, `"t=[\"a\",\"b\"]"`},
	{"table", `"{{ .inputs.missing }}"`, `null`},
	{"table", `"v={{ .inputs.missing }}"`, `"v=null"`},
	{"table", `"{{ .inputs.tags[] }}"`, `"a"`},
	{"table", `"{{ .inputs.name | }}"`, `null`},
	{"table", `"{{ 'a' + .inputs.name }}"`, `"asvc"`},
	{"table", `"{{ .inputs.name }}{{ .inputs.n }}"`, `"svc5"`},
	{"table", `"{{ {a: .inputs.n} }}"`, `{"a":5}`},
	{"table", `"{{{a:1}}}"`, `null`},
	{"table", `"{{ .inputs.name"`, fault},
	{"table", `"a }} b"`, fault},
	{"table", `"{{ {{ .x }} }}"`, fault},
	{"table", `{"{{ .inputs.name }}": 1, "{{ .inputs.missing }}": 2}`, `{"svc":1}`},
	{"table", `{"a": 1, "{{ spreadValue() }}": "{{ .inputs.o }}"}`, `{"a":1,"k":1}`},
	{"table", `{"{{ spreadValue() }}": "{{ .inputs.tags }}"}`, `{"0":"a","1":"b"}`},
	{"table", `{"{{ spreadValue() }}": "{{ .inputs.n }}"}`, fault},
	{"table", `{"x": "{{ empty }}", "y": ["{{ empty }}"]}`, `{"y":[null]}`},
	{"table", `{"{{ .inputs.n }}": 1}`, fault},

	{"T1", `"  plain  "`, `"  plain  "`},
	{"T1", `"a { b } c"`, `"a { b } c"`},
	{"T1", `[1, true, null, 2.50, {"a": "b"}]`, `[1,true,null,2.5,{"a":"b"}]`},
	{"T2", `"{{ \"a}}b\" }}"`, `"a}}b"`},
	{"T2", `"{{ \"a{{b\" }}"`, `"a{{b"`},
	{"T2", `"{{ \"a\\\"}}b\" }}"`, `"a\"}}b"`},
	{"T2", `"{{ \"it's }} here\" }}"`, `"it's }} here"`},
	{"T2", `"{{ '}}' }}"`, `"}}"`},
	{"T2", `"say \"{{ .inputs.n }}\" and 'x'"`, `"say \"5\" and 'x'"`},
	{"T3", `"{{ \"unclosed }}"`, fault},
	{"T3", `"{{ .a }} }}"`, fault},
	{"T3", `"{{ .inputs.n }} and {{"`, fault},
	{"T3", `"{{{{ .a }}"`, fault},
	{"T3", `{"deep": [{"x": "}}"}]}`, fault},
	{"T3", `{"{{ .a": 1}`, fault},
	{"T4", `"{{ {a:{b:1} } }}"`, `{"a":{"b":1}}`},
	{"T4", `"{{ {a:{b:1}} }}"`, fault},
	{"T4", `"{{{a:1} }}"`, `{"a":1}`},
	{"T4", `"x{{{a:1}}}y"`, `"xnull}y"`},
	{"T4", `"{{ .inputs.n }}}}"`, fault},
	{"T5", `"\n\t{{ true }}\r\n"`, `true`},
	{"T5", `"{{ .inputs.o }}"`, `{"k":1}`},
	{"T5", `"{{.inputs.n}}"`, `5`},
	{"T6", `" {{ .inputs.n }} x"`, `" 5 x"`},
	{"T6", `" {{ .inputs.name }} {{ .inputs.name }} "`, `" svc svc "`},
	{"T6", `"{{ .inputs.o }}!"`, `"{\"k\":1}!"`},
	{"T6", `"{{ true }}/{{ null }}"`, `"true/null"`},
	{"T7", `"{{ empty }}"`, nothing},
	{"T7", `"a{{ empty }}b"`, `"anullb"`},
	{"T7", `{"a": "{{ .inputs.tags[] }}", "b": "{{ .inputs.tags[] }}!"}`, `{"a":"a","b":"a!"}`},
	{"T8", `"{{ error(\"x\") }}"`, `null`},
	{"T8", `"{{ .inputs.name.deeper }}"`, `null`},
	{"T8", `"a {{ ) }} b"`, `"a null b"`},
	{"T9", `"{{ .inputs.name + ' x' }}"`, `"svc x"`},
	{"T9a", `"{{ ' a' }}"`, `" a"`},
	{"T9a", `"{{ .inputs['name'] }}"`, `"svc"`},
	{"T9a", `"{{ .inputs | has('name') }}"`, `true`},
	{"T9a", `"{{ \"don't\" + ('x') }}"`, `null`},
	{"T10", `"{{ env }}{{ $ENV }}"`, `"{}{}"`},
	{"T10", `"{{ $ENV.PATH }}"`, `null`},
	{"T10", `"{{ input }}"`, `null`},
	{"T10", `"{{ [inputs] }}"`, `null`},
	{"T10", `"{{ import \"a\" as a; 1 }}"`, `null`},
	{"T10", `"{{ include \"a\"; 1 }}"`, `null`},
	{"K1", `{"a {{ .inputs.n }}": 1}`, `{"a 5":1}`},
	{"K1", `{"{{ empty }}": 1, "{{ \"\" }}": 2, "": 3, "{{ null }}": 4}`, `{}`},
	{"K1", `{"{{ true }}": 1}`, fault},
	{"K1", `{"{{ .inputs.tags }}": 1}`, fault},
	{"K1", `{"{{ .inputs.missing }}": "{{ .inputs"}`, fault},
	{"K2", `{"{{spreadValue()}}": {"b": "{{ .inputs.n }}"}}`, `{"b":5}`},
	{"K2", `{"  {{  spreadValue(  )  }}": "{{ .inputs.o }}"}`, `{"k":1}`},
	{"K2", `{"{{ spreadValue() }}": {}}`, `{}`},
	{"K2", `{"{{ spreadValue() }}": "text"}`, fault},
	{"K2", `{"{{ spreadValue() }}": "{{ empty }}"}`, fault},
	{"K2", `{"{{ spreadValue() }}": "{{ .inputs.missing }}"}`, fault},
	{"K2", `{"n": {"{{ spreadValue() }}": {"{{ spreadValue() }}": "{{ .inputs.o }}", "z": 1}}}`, `{"n":{"k":1,"z":1}}`},
}

// rows: act T1-10, act K1-2
func TestTemplatesGiveWhatTheReferenceSays(t *testing.T) {
	t.Parallel()
	on := decode(t, document)
	for _, v := range vectors {
		t.Run(v.rule+" "+v.template, func(t *testing.T) {
			t.Parallel()
			value, some, err := template.Compile(decode(t, v.template), nil).Eval(t.Context(), on, template.Options{})
			got := nothing
			var problem *template.Error
			switch {
			case errors.As(err, &problem):
				got = fault
			case err != nil:
				t.Fatal(err)
			case some:
				got = string(jsonv.Encode(value))
			}
			want := v.want
			if want != nothing && want != fault {
				want = string(jsonv.Encode(decode(t, want)))
			}
			if got == want {
				return
			}
			if want == nothing || want == fault || got == nothing || got == fault || !jsonv.Equal(decode(t, got), decode(t, want)) {
				t.Errorf("got %s, want %s (%v)", got, want, err)
			}
		})
	}
}

// rows: act K3
func TestTheLaterOfTwoKeysThatComeOutTheSameWins(t *testing.T) {
	t.Parallel()
	on := decode(t, document)
	for name, c := range map[string]struct {
		tree  string
		order template.Order
		want  string
	}{
		"as written":             {`{"{{ .inputs.name }}": 1, "svc": 2}`, template.Order{"": {"{{ .inputs.name }}", "svc"}}, `{"svc":2}`},
		"the other way round":    {`{"{{ .inputs.name }}": 1, "svc": 2}`, template.Order{"": {"svc", "{{ .inputs.name }}"}}, `{"svc":1}`},
		"a spread before":        {`{"{{ spreadValue() }}": "{{ .inputs.o }}", "k": 2}`, template.Order{"": {"{{ spreadValue() }}", "k"}}, `{"k":2}`},
		"a spread after":         {`{"{{ spreadValue() }}": "{{ .inputs.o }}", "k": 2}`, template.Order{"": {"k", "{{ spreadValue() }}"}}, `{"k":1}`},
		"deeper":                 {`{"a": [{"{{ .inputs.name }}": 1, "svc": 2}]}`, template.Order{"/a/0": {"{{ .inputs.name }}", "svc"}}, `{"a":[{"svc":2}]}`},
		"an order of other keys": {`{"{{ .inputs.name }}": 1, "svc": 2}`, template.Order{"": {"x"}}, `{"svc":1}`},
		"an order that is short": {`{"{{ .inputs.name }}": 1, "svc": 2}`, template.Order{"": {"{{ .inputs.name }}"}}, `{"svc":1}`},
		"an order with repeats":  {`{"{{ .inputs.name }}": 1, "svc": 2}`, template.Order{"": {"svc", "svc", "{{ .inputs.name }}"}}, `{"svc":1}`},
		"no order":               {`{"{{ .inputs.name }}": 1, "svc": 2}`, nil, `{"svc":1}`},
	} {
		got, _, err := template.Compile(decode(t, c.tree), c.order).Eval(t.Context(), on, template.Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(decode(t, c.want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAnErrorNamesThePlace(t *testing.T) {
	t.Parallel()
	for tree, path := range map[string]string{
		`"}}"`:                            "",
		`{"body": {"a": ["x", "{{ .a"]}}`: "/body/a/1",
		`{"body": {"{{ 1 }}": 1}}`:        "/body/{{ 1 }}",
		`{"b": [{"{{ spreadValue() }}": "{{ 1 }}"}]}`: "/b/0/{{ spreadValue() }}",
		`{"a/b": "}}"}`: "/a~1b",
	} {
		_, _, err := template.Compile(decode(t, tree), nil).Eval(t.Context(), nil, template.Options{})
		var problem *template.Error
		if !errors.As(err, &problem) || problem.Path != path {
			t.Errorf("%s: %v, want one at %q", tree, err, path)
		}
	}
	faults := template.Compile(decode(t, `{"a": "}}", "b": ["{{", "{{ 1 }}"]}`), nil).Faults()
	if len(faults) != 2 || faults[0].Path != "/a" || faults[1].Path != "/b/0" {
		t.Errorf("faults are %v", faults)
	}
}

func TestATemplateIsBounded(t *testing.T) {
	t.Parallel()
	slow := template.Compile(decode(t, `{"a": "{{ last(range(1e12)) }}", "b": "{{ .x }}"}`), nil)
	value, _, err := slow.Eval(t.Context(), decode(t, `{"x": 1}`), template.Options{Time: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decode(t, `{"a": null, "b": 1}`), value); diff != "" {
		t.Errorf("an expression without an end (-want +got):\n%s", diff)
	}
	large := template.Compile(decode(t, `["{{ \"x\" * 600 }}", "{{ \"x\" * 600 }}"]`), nil)
	_, _, err = large.Eval(t.Context(), nil, template.Options{Bytes: 1000})
	var problem *template.Error
	if !errors.As(err, &problem) || problem.Path != "/1" {
		t.Errorf("results beyond the bound: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := slow.Eval(ctx, nil, template.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a request that ended: %v", err)
	}
}

func TestNowIsTheGivenClock(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC)
	got, _, err := template.Compile("{{ now + 86400 | todate }}", nil).
		Eval(t.Context(), nil, template.Options{Now: func() time.Time { return at }})
	if err != nil || got != "2024-05-02T10:00:00Z" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestEvaluationLeavesTemplateAndDocumentAlone(t *testing.T) {
	t.Parallel()
	tree := decode(t, `{"a": {"{{ spreadValue() }}": "{{ .inputs.o }}", "k": 2}, "b": ["{{ .inputs.tags }}"]}`)
	on := decode(t, document)
	treeBefore, documentBefore := jsonv.Clone(tree), jsonv.Clone(on)
	compiled := template.Compile(tree, nil)
	first, _, err := compiled.Eval(t.Context(), on, template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := compiled.Eval(t.Context(), on, template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]any{
		"the template": {treeBefore, tree}, "the document": {documentBefore, on}, "another evaluation": {first, again},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", what, diff)
		}
	}
}

func TestHas(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"": false, "a { b }": false, "{{ .a }}": true, "x {{ .a }}": true, "{{": true, "}}": true} {
		if got := template.Has(text); got != want {
			t.Errorf("Has(%q) = %v", text, got)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.template)
	}
	on := decode(f, document)
	f.Fuzz(func(t *testing.T, text string) {
		tree, err := jsonv.Decode([]byte(text))
		if err != nil {
			tree = text
		}
		compiled := template.Compile(tree, nil)
		o := template.Options{Time: 50 * time.Millisecond, Total: 100 * time.Millisecond, Bytes: 1 << 16}
		value, some, err := compiled.Eval(t.Context(), on, o)
		var problem *template.Error
		switch {
		case errors.As(err, &problem):
			return
		case err != nil:
			t.Fatal(err)
		case len(compiled.Faults()) > 0:
			t.Fatalf("evaluated in spite of %v", compiled.Faults())
		case some:
			if _, err := jsonv.Decode(jsonv.Encode(value)); err != nil {
				t.Fatalf("%#v is no JSON value: %v", value, err)
			}
		}
		if s, ok := tree.(string); ok && !strings.Contains(s, "{{") && !strings.Contains(s, "}}") && value != s {
			t.Fatalf("text without templates became %#v", value)
		}
	})
}

func TestTheOrderOfComputedKeysIsReadFromText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]template.Order{
		`{"m": {"b": 1, "a": 2}}`:                                          nil,
		`{"m": {"z": "{{ .a }}", "b": 1}}`:                                 nil,
		`{"m": {"z": 1, "{{ .a }}": 2, "b": 3}}`:                           {"": {"z", "{{ .a }}", "b"}},
		`{"{{ .a }}": 1, "m": 2}`:                                          nil,
		`{"n": {"{{ .a }}": 1}, "m": {"x": [1, {"{{ .a }}": 1, "b": 2}]}}`: {"/x/1": {"{{ .a }}", "b"}},
		`{"m": {"a": 1, "{{ .a }}": 2, "a": 3}}`:                           {"": {"{{ .a }}", "a"}},
		`{"m": {"{{ .a }}": 1`:                                             nil,
		`no json {{`:                                                       nil,
	} {
		if diff := cmp.Diff(want, template.OrderOf([]byte(text), "m")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// A body may have as many keys as fit into it. Each used to be looked for among all
// before it, which took a minute for these.
func TestManyKeysAreReadAtOnce(t *testing.T) {
	t.Parallel()
	const keys = 100_000
	var text strings.Builder
	text.WriteString(`{"{{ .a }}": 0`)
	for n := range keys {
		fmt.Fprintf(&text, `,"k%d":1`, n)
	}
	text.WriteString("}")
	value, err := jsonv.Decode([]byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	template.Compile(value, template.OrderOf([]byte(text.String())))
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("took %s", took)
	}
}
