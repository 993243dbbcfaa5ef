package propschema_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/propschema"
)

func object(t testing.TB, text string) jsonv.Object {
	t.Helper()
	o, err := jsonv.DecodeObject([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return o
}

func value(t testing.TB, text string) any {
	t.Helper()
	v, err := jsonv.Decode([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func paths(problems fault.Problems) []string {
	var out []string
	for _, p := range problems {
		out = append(out, p.Path)
	}
	slices.Sort(out)
	return out
}

func TestDefinitionsAreRefusedAtTheirFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		`{}`:                   {"/type"},
		`{"type":"text"}`:      {"/type"},
		`{"type":5,"title":5}`: {"/title", "/type"},
		`{"type":"string","title":"` + strings.Repeat("é", 101) + `"}`: {"/title"},
		`{"type":"string","description":5,"icon":5}`:                   {"/description", "/icon"},
		`{"type":"string","format":"entity"}`:                          {"/format"},
		`{"type":"string","format":"labeled-url"}`:                     {"/format"},
		`{"type":"number","format":"url"}`:                             {"/format"},
		`{"type":"array","format":"url"}`:                              {"/format"},
		`{"type":"object","format":"yaml"}`:                            {"/format"},
		`{"type":"string","spec":"swagger"}`:                           {"/spec"},
		`{"type":"number","spec":"open-api"}`:                          {"/spec"},
		`{"type":"boolean","spec":"open-api"}`:                         {"/spec"},
		`{"type":"array","spec":"open-api"}`:                           {"/spec"},
		`{"type":"string","specAuthentication":{"clientId":"a","authorizationUrl":"https://a","tokenUrl":"https://b"}}`: {"/specAuthentication"},
		`{"type":"string","spec":"embedded-url","specAuthentication":{"authorizationUrl":"x","tokenUrl":5,"authorizationScope":["a",1],"y":1}}`: {
			"/specAuthentication/authorizationScope", "/specAuthentication/authorizationUrl", "/specAuthentication/clientId", "/specAuthentication/tokenUrl", "/specAuthentication/y"},
		`{"type":"string","enum":[]}`:                                    {"/enum"},
		`{"type":"string","enum":"a"}`:                                   {"/enum"},
		`{"type":"string","enum":["a","b","a",5]}`:                       {"/enum/2", "/enum/3"},
		`{"type":"number","enum":[1,1.0,"2"]}`:                           {"/enum/1", "/enum/2"},
		`{"type":"string","enumColors":{"a":"blue","b":"mauve","c":5}}`:  {"/enumColors/b", "/enumColors/c"},
		`{"type":"string","enumColors":[]}`:                              {"/enumColors"},
		`{"type":"string","pattern":"("}`:                                {"/pattern"},
		`{"type":"string","pattern":5}`:                                  {"/pattern"},
		`{"type":"string","minLength":-1,"maxLength":1.5}`:               {"/maxLength", "/minLength"},
		`{"type":"number","minimum":"1","exclusiveMaximum":true}`:        {"/exclusiveMaximum", "/minimum"},
		`{"type":"array","minItems":-1,"maxItems":"x","uniqueItems":1}`:  {"/maxItems", "/minItems", "/uniqueItems"},
		`{"type":"array","items":[]}`:                                    {"/items"},
		`{"type":"array","items":{"type":"strin","format":"x"}}`:         {"/items/format", "/items/type"},
		`{"type":"array","items":{"type":"number","enum":["a"]}}`:        {"/items/enum/0"},
		`{"type":"array","items":{"type":"string","pattern":"["}}`:       {"/items/pattern"},
		`{"type":"string","$ref":"#/a"}`:                                 {"/$ref"},
		`{"type":"object","properties":{"a":{"$ref":"#/properties/b"}}}`: {"/properties/a/$ref"},
		`{"type":"object","properties":{"a":{"type":"text"}}}`:           {"/properties/a/type"},
		`{"type":"object","required":true}`:                              {"/required"},
		`{"type":"object","minProperties":-1}`:                           {"/minProperties"},
		`{"type":"object","patternProperties":{"(":{}}}`:                 {"/patternProperties/("},
		`{"type":"object","properties":{"a":{"minimum":1e999999999}}}`:   {"/properties/a/minimum"},
		`{"type":"string","default":5}`:                                  {"/default"},
		`{"type":"string","enum":["a"],"default":"b"}`:                   {"/default"},
		`{"type":"array","items":{"type":"string"},"default":["a",1]}`:   {"/default"},
		`{"type":"array","items":{"type":"string","default":5}}`:         {"/items/default"},
		`{"type":"string","format":"date-time","default":"2024-01-01"}`:  {"/default"},
	} {
		p, problems := propschema.Compile(object(t, text), "schema", "properties", "k")
		for i := range problems {
			problems[i].Path = strings.TrimPrefix(problems[i].Path, "/schema/properties/k")
		}
		if diff := cmp.Diff(want, paths(problems)); diff != "" || p != nil {
			t.Errorf("%s: %v\n%s", text, problems, diff)
		}
	}
}

func TestDefinitionsAreOpenAndCombineFreely(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"type":"string","x-foo":1,"readOnly":true,"examples":["a"],"blueprint":"b","dateFormat":"whatever"}`,
		`{"type":"string","icon":null,"enumColors":{"not there":"paleBlue"}}`,
		`{"type":"string","format":"url","spec":"embedded-url","specAuthentication":{"clientId":"a","authorizationUrl":"https://a/b","tokenUrl":"https://b","authorizationScope":["openid"]}}`,
		`{"type":"string","format":"yaml","spec":"async-api"}`,
		`{"type":"object","spec":"open-api"}`,
		`{"type":"object","format":"labeled-url"}`,
		`{"type":"object","properties":{"$ref":{"type":"string"}},"required":["$ref"]}`,
		`{"type":"number","enum":[1.5,2]}`,
		`{"type":"array"}`, `{"type":"array","items":{}}`, `{"type":"array","items":{"type":"object","required":["a"]}}`,
		`{"type":"array","items":{"format":"url"},"uniqueItems":true,"minItems":0,"maxItems":1e3}`,
		`{"type":"string","default":null}`, `{"type":"boolean","enum":["nonsense"],"default":false}`,
		`{"type":"string","minLength":0,"maxLength":1e300,"pattern":"^(?!x)"}`,
	} {
		if _, problems := propschema.Compile(object(t, text)); len(problems) > 0 {
			t.Errorf("%s: %v", text, problems)
		}
	}
	for _, format := range []string{"date-time", "url", "email", "idn-email", "ipv4", "ipv6", "markdown", "yaml", "user", "blueprints", "team", "timer", "proto"} {
		for _, text := range []string{`{"type":"string","format":"` + format + `"}`, `{"type":"array","items":{"type":"string","format":"` + format + `"}}`} {
			if _, problems := propschema.Compile(object(t, text)); len(problems) > 0 {
				t.Errorf("%s: %v", text, problems)
			}
		}
	}
}

// Each line is a definition, a value, and where it is refused; nothing means that
// the value is accepted.
func TestValuesAreCheckedAgainstTheDefinition(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ definition, value, at string }{
		{`{"type":"string"}`, `""`, ""},
		{`{"type":"string"}`, `5`, "/"},
		{`{"type":"string"}`, `null`, "/"},
		{`{"type":"string"}`, `["a"]`, "/"},
		{`{"type":"number"}`, `"5"`, "/"},
		{`{"type":"number"}`, `1.5e3`, ""},
		{`{"type":"boolean"}`, `"true"`, "/"},
		{`{"type":"boolean"}`, `false`, ""},
		{`{"type":"object"}`, `[]`, "/"},
		{`{"type":"object"}`, `{"a":{"b":[1]}}`, ""},
		{`{"type":"array"}`, `"a"`, "/"},
		{`{"type":"array"}`, `[1,"a",null,{}]`, ""},

		{`{"type":"string","format":"url"}`, `"https://example.com/a?b=c#d"`, ""},
		{`{"type":"string","format":"url"}`, `"http://localhost:3000"`, ""},
		{`{"type":"string","format":"url"}`, `"mailto:a@b.c"`, ""},
		{`{"type":"string","format":"url"}`, `"http://[::1]:80/a"`, ""},
		{`{"type":"string","format":"url"}`, `"git+ssh://host/a%20b"`, ""},
		{`{"type":"string","format":"url"}`, `"not a url"`, "/"},
		{`{"type":"string","format":"url"}`, `"example.com"`, "/"},
		{`{"type":"string","format":"url"}`, `"/path"`, "/"},
		{`{"type":"string","format":"url"}`, `"https://a b"`, "/"},
		{`{"type":"string","format":"url"}`, `"https://a/%zz"`, "/"},
		{`{"type":"string","format":"url"}`, `"https://a/{x}"`, "/"},
		{`{"type":"string","format":"url"}`, `"https://a/[x]"`, "/"},
		{`{"type":"string","format":"url"}`, `"https://host:port"`, "/"},
		{`{"type":"string","format":"url"}`, `"1http://a"`, "/"},
		{`{"type":"string","format":"url"}`, `"https:"`, "/"},
		{`{"type":"string","format":"url"}`, `""`, "/"},
		{`{"type":"string","format":"email"}`, `"a.b+c@example.com"`, ""},
		{`{"type":"string","format":"email"}`, `"\"a b\"@example.com"`, ""},
		{`{"type":"string","format":"email"}`, `"a@[127.0.0.1]"`, ""},
		{`{"type":"string","format":"email"}`, `"x"`, "/"},
		{`{"type":"string","format":"email"}`, `"@x"`, "/"},
		{`{"type":"string","format":"email"}`, `"a@"`, "/"},
		{`{"type":"string","format":"email"}`, `"a..b@x.com"`, "/"},
		{`{"type":"string","format":"email"}`, `"a b@x.com"`, "/"},
		{`{"type":"string","format":"email"}`, `"é@x.com"`, "/"},
		{`{"type":"string","format":"email"}`, `"a@-x.com"`, "/"},
		{`{"type":"string","format":"idn-email"}`, `"é@ü.com"`, ""},
		{`{"type":"string","format":"idn-email"}`, `"é ü@x.com"`, "/"},
		{`{"type":"string","format":"user"}`, `"anything@"`, ""},
		{`{"type":"string","format":"user"}`, `"ann"`, "/"},
		{`{"type":"string","format":"team"}`, `"any text"`, ""},
		{`{"type":"string","format":"blueprints"}`, `"nosuch"`, ""},
		{`{"type":"string","format":"markdown"}`, `"# a"`, ""},
		{`{"type":"string","format":"yaml"}`, `"a: [b"`, ""},
		{`{"type":"string","format":"proto"}`, `"x"`, ""},
		{`{"type":"string","format":"date-time"}`, `"2022-04-23T18:25:43.511Z"`, ""},
		{`{"type":"string","format":"date-time"}`, `"2022-04-23T18:25:43+02:00"`, ""},
		{`{"type":"string","format":"date-time"}`, `"2024-01-01"`, "/"},
		{`{"type":"string","format":"timer"}`, `"2022-04-23T18:25:43Z"`, ""},
		{`{"type":"string","format":"timer"}`, `"tomorrow"`, "/"},
		{`{"type":"string","format":"ipv4"}`, `"127.0.0.1"`, ""},
		{`{"type":"string","format":"ipv4"}`, `"999.1.1.1"`, "/"},
		{`{"type":"string","format":"ipv4"}`, `"::1"`, "/"},
		{`{"type":"string","format":"ipv6"}`, `"2001:db8::1"`, ""},
		{`{"type":"string","format":"ipv6"}`, `"fe80::1%eth0"`, "/"},
		{`{"type":"string","format":"ipv6"}`, `"127.0.0.1"`, "/"},

		{`{"type":"string","enum":["a","b"]}`, `"b"`, ""},
		{`{"type":"string","enum":["a","b"]}`, `"B"`, "/"},
		{`{"type":"number","enum":[1,2.5]}`, `2.50`, ""},
		{`{"type":"number","enum":[1,2.5]}`, `2`, "/"},
		{`{"type":"string","pattern":"b+"}`, `"abc"`, ""},
		{`{"type":"string","pattern":"^b"}`, `"abc"`, "/"},
		{`{"type":"string","minLength":2,"maxLength":2}`, `"😀😀"`, ""},
		{`{"type":"string","minLength":2}`, `"😀"`, "/"},
		{`{"type":"string","maxLength":1}`, `"ab"`, "/"},
		{`{"type":"number","minimum":1,"maximum":2}`, `1.0`, ""},
		{`{"type":"number","minimum":1}`, `0.99999999999999999999`, "/"},
		{`{"type":"number","maximum":9007199254740992}`, `9007199254740993`, "/"},
		{`{"type":"number","exclusiveMinimum":1}`, `1.00`, "/"},
		{`{"type":"number","exclusiveMinimum":1}`, `1.00000000000000000001`, ""},
		{`{"type":"number","exclusiveMaximum":1}`, `1`, "/"},
		{`{"type":"number","maximum":1}`, `1e99999999999`, "/"},

		{`{"type":"array","minItems":1,"maxItems":2}`, `[1]`, ""},
		{`{"type":"array","minItems":1}`, `[]`, "/"},
		{`{"type":"array","maxItems":1}`, `[1,2]`, "/"},
		{`{"type":"array","uniqueItems":true}`, `[1,"1",{"a":1},{"a":2}]`, ""},
		{`{"type":"array","uniqueItems":true}`, `[1,1.0]`, "/"},
		{`{"type":"array","uniqueItems":true}`, `[{"a":[1]},{"a":[1e0]}]`, "/"},
		{`{"type":"array","items":{"type":"string","maxLength":1}}`, `["a",5,"bb"]`, "/1 /2"},
		{`{"type":"array","items":{"type":"string","format":"url"}}`, `["https://a","b"]`, "/1"},
		{`{"type":"array","items":{"type":"array","items":{"type":"number"}}}`, `[[1],["a"]]`, "/1/0"},
		{`{"type":"array","items":{"type":"string"}}`, `[null]`, "/0"},

		{`{"type":"object","format":"labeled-url"}`, `{"url":"https://a","displayText":"A","label":"x"}`, ""},
		{`{"type":"object","format":"labeled-url"}`, `{}`, "/"},
		{`{"type":"object","format":"labeled-url"}`, `{"url":"a b"}`, "/url"},
		{`{"type":"object","format":"labeled-url"}`, `{"url":5,"displayText":5}`, "/displayText /url"},
		{`{"type":"object","properties":{"a":{"type":"integer"}},"required":["b"]}`, `{"a":1.5}`, "/ /a"},
		{`{"type":"object","properties":{"a":{"type":"integer"}}}`, `{"a":2.0,"c":1}`, ""},
		{`{"type":"object","additionalProperties":false,"properties":{"a":{}}}`, `{"b":1}`, "/"},
		{`{"type":"object","additionalProperties":{"type":"string"}}`, `{"b":1}`, "/b"},
		{`{"type":"object","patternProperties":{"^x(?!y)":{"type":"number"}}}`, `{"xa":"s","xy":"s"}`, "/xa"},
		{`{"type":"object","minProperties":1}`, `{}`, "/"},
		{`{"type":"object","maxProperties":1}`, `{"a":1,"b":1}`, "/"},
		{`{"type":"object","propertyNames":{"pattern":"^a"}}`, `{"b":1}`, "/"},
		{`{"type":"object","properties":{"a":{"maximum":5}}}`, `{"a":1e999999999}`, "/a"},
		{`{"type":"object","properties":{"x/y":{"type":"string"}}}`, `{"x/y":1}`, "/x~1y"},
	} {
		t.Run(c.definition+c.value, func(t *testing.T) {
			t.Parallel()
			p, problems := propschema.Compile(object(t, c.definition))
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			found := p.Check([]string{"properties", "k"}, value(t, c.value))
			var want []string
			for at := range strings.FieldsSeq(c.at) {
				want = append(want, strings.TrimSuffix("/properties/k"+at, "/"))
			}
			if diff := cmp.Diff(want, paths(found)); diff != "" {
				t.Errorf("%v\n%s", found, diff)
			}
			for _, f := range found {
				if f.Property != "k" || f.Message == "" {
					t.Errorf("the problem is not told: %+v", f)
				}
			}
		})
	}
}

func TestDefaultsFitThePattern(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		`{"type":"string","pattern":"^a+$","default":"aa"}`:                                   0,
		`{"type":"string","pattern":"^a+$","default":"b"}`:                                    1,
		`{"type":"array","items":{"type":"string","pattern":"^a+$"},"default":["a","b","c"]}`: 2,
	} {
		o, err := jsonv.DecodeObject([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, problems := propschema.Compile(o); len(problems) != want {
			t.Errorf("%s: %v", text, problems)
		}
	}
}

func TestDefaultsAreKept(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]any{
		`{"type":"array","default":["a"]}`:   []any{"a"},
		`{"type":"boolean","default":false}`: false,
		`{"type":"string"}`:                  nil,
		`{"type":"string","default":null}`:   nil,
	} {
		p, problems := propschema.Compile(object(t, text))
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		got, has := p.Default()
		if diff := cmp.Diff(want, got); diff != "" || has != (want != nil) {
			t.Errorf("%s: %v %s", text, has, diff)
		}
	}
}

func TestCalculationsAreClosed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		`{"calculation":".a","type":"string"}`: nil,
		`{"title":"T","description":"D","icon":"I","calculation":"broken (","type":"array","items":{"type":"string","format":"timer"},"colorized":true,"colors":{"a":"lime"},"dateFormat":"x"}`: nil,
		`{"calculation":".a","type":"string","format":"url","spec":"embedded-url","specAuthentication":{"clientId":"a","authorizationUrl":"https://a","tokenUrl":"https://b"}}`:                 nil,
		`{}`:                              {"/calculation", "/type"},
		`{"calculation":5,"type":"text"}`: {"/calculation", "/type"},
		`{"calculation":".","type":"string","enum":["a"],"default":"a"}`:                          {"/default", "/enum"},
		`{"calculation":".","type":"string","format":"timer"}`:                                    {"/format"},
		`{"calculation":".","type":"string","format":"blueprints"}`:                               {"/format"},
		`{"calculation":".","type":"array","items":{"type":"x","format":"blueprints","enum":[]}}`: {"/items/enum", "/items/format", "/items/type"},
		`{"calculation":".","type":"string","colorized":"yes","colors":{"a":"mauve"}}`:            {"/colorized", "/colors/a"},
	} {
		p, problems := propschema.CompileCalculation(object(t, text))
		if diff := cmp.Diff(want, paths(problems)); diff != "" || (p == nil) != (len(want) > 0) {
			t.Errorf("%s: %v\n%s", text, problems, diff)
		}
	}
	p, _ := propschema.CompileCalculation(object(t, `{"calculation":".","type":"number","format":"url"}`))
	if !p.HasType(jsonv.Int(1)) || p.HasType("1") || p.HasType(nil) {
		t.Error("a result is of the type when its JSON kind is")
	}
}

func TestNamesFollowTheirGrammar(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("é", n) }
	for _, c := range []struct {
		grammar   propschema.Grammar
		good, bad []string
	}{
		{propschema.BlueprintID, []string{"a", "_user", `a\b/c`, "a..b", "...", "é.ж:1+2@3", long(100)}, []string{"", ".", "..", "a=b", "a b", "a$", "a\n", "٣", long(101), "a\xff", "😀"}},
		{propschema.EntityID, []string{"a=b", "a/b:c=d@e", "a//b", "a/./b", `\`, long(1000)}, []string{"", ".", "..", "a b", "a#b", "a%b", "$a", long(1001)}},
		{propschema.Key, []string{"a", "_a", "my-key", "a@b=c", `a\b`, strings.Repeat("a", 100)}, []string{"", "a.b", "é", "a b", "a/b", "$a", strings.Repeat("a", 101)}},
		{propschema.MirrorPath, []string{"domain.$title", "a.b.c", "$team.$title", "a.$team.$identifier", "a.b-c"}, []string{"", "a", ".a", "a.", "a b.c", "a..", "$title"}},
	} {
		for _, s := range c.good {
			if f := c.grammar.Fault(s); f != "" || !c.grammar.Valid(s) {
				t.Errorf("%s %.40q: %s", c.grammar.What, s, f)
			}
		}
		for _, s := range c.bad {
			if c.grammar.Fault(s) == "" || c.grammar.Valid(s) {
				t.Errorf("%s %.40q is accepted", c.grammar.What, s)
			}
		}
	}
}

func BenchmarkCheckFifteenProperties(b *testing.B) {
	definitions := []string{
		`{"type":"string"}`, `{"type":"string","format":"url"}`, `{"type":"string","format":"email"}`, `{"type":"string","enum":["a","b","c"]}`,
		`{"type":"string","format":"date-time"}`, `{"type":"string","minLength":1,"maxLength":50}`, `{"type":"number"}`, `{"type":"number","minimum":0,"maximum":100}`,
		`{"type":"boolean"}`, `{"type":"object"}`, `{"type":"array","items":{"type":"string"}}`, `{"type":"array","items":{"type":"number"}}`,
		`{"type":"string","format":"markdown"}`, `{"type":"string","format":"user"}`, `{"type":"string","format":"ipv4"}`,
	}
	values := []string{
		`"text"`, `"https://example.com/a/b?c=d"`, `"ann@example.com"`, `"c"`, `"2024-01-01T00:00:00Z"`, `"some text"`, `5`, `42.5`, `true`, `{"a":1}`,
		`["a","b"]`, `[1,2,3]`, `"# title"`, `"ann@example.com"`, `"10.0.0.1"`,
	}
	var props []*propschema.Property
	var vals []any
	for i := range definitions {
		p, problems := propschema.Compile(object(b, definitions[i]))
		if len(problems) > 0 {
			b.Fatal(problems)
		}
		props, vals = append(props, p), append(vals, value(b, values[i]))
	}
	path := []string{"properties", "k"}
	b.ReportAllocs()
	for b.Loop() {
		for i, p := range props {
			if problems := p.Check(path, vals[i]); problems != nil {
				b.Fatal(problems)
			}
		}
	}
}

func FuzzCompileAndCheck(f *testing.F) {
	f.Add(`{"type":"object","properties":{"a":{"$ref":"#"}}}`, `{"a":1}`)
	f.Add(`{"type":"string","pattern":"^(a+)+$","enum":["a"]}`, `"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"`)
	f.Add(`{"type":"array","items":{"type":"array","items":{"type":"number","minimum":1e400}},"uniqueItems":true}`, `[[1],[1.0]]`)
	f.Add(`{"type":"object","format":"labeled-url","patternProperties":{"^\\p{L}":{"type":"integer"}}}`, `{"url":"https://x","é":1e300}`)
	f.Add(`{"type":"object","propertyNames":{"maxLength":3},"additionalProperties":{"anyOf":[{"type":"null"},true]}}`, `{"long":null}`)
	f.Fuzz(func(t *testing.T, definition, text string) {
		o, err := jsonv.DecodeObject([]byte(definition))
		if err != nil {
			return
		}
		p, problems := propschema.Compile(o)
		if (p == nil) != (len(problems) > 0) {
			t.Fatalf("%s: %v and %v", definition, p, problems)
		}
		v, err := jsonv.Decode([]byte(text))
		if p == nil || err != nil {
			return
		}
		for _, problem := range p.Check([]string{"properties", "k"}, v) {
			if !strings.HasPrefix(problem.Path, "/properties/k") {
				t.Fatalf("%s does not stand below the property", problem.Path)
			}
		}
	})
}
