package inputs_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/inputs"
)

func decode(t testing.TB, text string) jsonv.Object {
	t.Helper()
	o, err := jsonv.DecodeObject([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return o
}

func compile(t testing.TB, text string) *inputs.Form {
	t.Helper()
	f, problems := inputs.Compile(decode(t, text))
	if len(problems) > 0 {
		t.Fatalf("%s: %v", text, problems)
	}
	return f
}

// world has the entities service/cart and service/shop.
type world struct{ broken error }

func (w world) Entity(blueprint, id string) (jsonv.Object, error) {
	if w.broken != nil || blueprint != "service" || id != "cart" && id != "shop" {
		return nil, w.broken
	}
	return jsonv.Object{"identifier": id, "title": strings.ToUpper(id), "blueprint": blueprint, "properties": jsonv.Object{"tier": id + "-tier"}}, nil
}

func resolve(t testing.TB, f *inputs.Form, posted string) *inputs.Resolved {
	t.Helper()
	r, err := f.Resolve(t.Context(), inputs.Asked{
		Posted: decode(t, posted), Entity: jsonv.Object{"identifier": "on"}, World: world{},
		User: jsonv.Object{"email": "a@b.c"}, Trigger: jsonv.Object{"operation": "DAY-2"}, Now: func() time.Time { return time.Unix(0, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func problems(r *inputs.Resolved) string {
	return told(r.Check())
}

func told(problems fault.Problems) string {
	var out []string
	for _, p := range problems {
		out = append(out, p.Path+" "+p.Keyword)
	}
	return strings.Join(out, "; ")
}

// Each type and format of reference/actions.md §2.3, with values that it takes and
// values that it does not, and why.
// rows: act §10 6
func TestEveryKindOfInputTakesWhatItShould(t *testing.T) {
	t.Parallel()
	long := `"` + strings.Repeat("QUFB", 100) + `"`
	for _, c := range []struct{ input, good, bad, keywords string }{
		{`{"type":"string"}`, `"" "x"`, `1 true [] {}`, "type"},
		{`{"type":"string","minLength":2,"maxLength":3}`, `"ab" "äöü"`, `"a"`, "minLength"},
		{`{"type":"string","maxLength":3}`, `""`, `"abcd"`, "maxLength"},
		{`{"type":"string","pattern":"b+"}`, `"abbc" "b"`, `"ac"`, "pattern"},
		{`{"type":"string","enum":["a","b"]}`, `"a"`, `"c" "A"`, "enum"},
		{`{"type":"string","format":"multi-line"}`, `"a\nb"`, `1`, "type"},
		{`{"type":"string","format":"yaml"}`, `"{"`, `{}`, "type"},
		{`{"type":"string","format":"markdown"}`, `"#"`, `1`, "type"},
		{`{"type":"string","format":"proto"}`, `"x"`, `1`, "type"},
		{`{"type":"string","format":"url"}`, `"https://a.b/c?d"`, `"a b" "nope"`, "format"},
		{`{"type":"string","format":"email"}`, `"a@b.c"`, `"a" "@"`, "format"},
		{`{"type":"string","format":"ipv4"}`, `"1.2.3.4"`, `"1.2.3" "::1"`, "format"},
		{`{"type":"string","format":"ipv6"}`, `"::1"`, `"1.2.3.4"`, "format"},
		{`{"type":"string","format":"date-time"}`, `"2024-05-01T10:00:00Z"`, `"2024-05-01"`, "format"},
		{`{"type":"string","format":"user"}`, `"nobody@b.c"`, `"nobody"`, "format"},
		{`{"type":"string","format":"team"}`, `"core"`, `""`, "format"},
		{`{"type":"string","format":"entity","blueprint":"service"}`, `"cart" {"identifier":"shop"}`, `"gone" {"identifier":"gone"}`, "notFound"},
		{`{"type":"string","format":"entity","blueprint":"service"}`, `"cart"`, `1 {} {"identifier":2}`, "type"},
		{`{"type":"string","format":"url","spec":"embedded-url","specAuthentication":{"clientId":"c","authorizationUrl":"https://a.b","tokenUrl":"https://a.b"}}`, `"https://a.b"`, `1`, "type"},
		{`{"type":"string","spec":"open-api"}`, `"openapi: 3.1.0"`, `{}`, "type"},
		{`{"type":"string","encryption":"aes256-gcm","minLength":3}`, `"abc"`, `"ab"`, "minLength"},
		{`{"type":"string","encryption":{"algorithm":"client-side","key":"PEM"}}`, long, `"plain" 1`, "format"},
		{`{"type":"number"}`, `1 1.5 9007199254740993`, `"1" true`, "type"},
		{`{"type":"number","minimum":1,"maximum":3}`, `1 3 2.5`, `0.999`, "minimum"},
		{`{"type":"number","maximum":3}`, `3`, `3.0001`, "maximum"},
		{`{"type":"number","exclusiveMinimum":1}`, `1.1`, `1`, "exclusiveMinimum"},
		{`{"type":"number","exclusiveMaximum":3}`, `2.9`, `3`, "exclusiveMaximum"},
		{`{"type":"number","enum":[1,2]}`, `1 1.0`, `3`, "enum"},
		{`{"type":"boolean"}`, `true false`, `"true" 0`, "type"},
		{`{"type":"object"}`, `{} {"a":[1]}`, `[] "x"`, "type"},
		{`{"type":"object","enum":[{"a":1}]}`, `{"a":1.0}`, `{"a":2}`, "enum"},
		{`{"type":"object","properties":{"a":{"type":"number"}},"required":["a"]}`, `{"a":1,"b":2}`, `{}`, "required"},
		{`{"type":"object","additionalProperties":false,"patternProperties":{"^x":{}}}`, `{"x1":1}`, `{"y":1}`, "additionalProperties"},
		{`{"type":"object","format":"labeled-url"}`, `{"url":"https://a.b","displayText":"x"} {"url":"any text","more":1}`, `{"url":1} {"url":"https://a.b","displayText":1} "https://a.b"`, "type"},
		{`{"type":"object","format":"labeled-url"}`, `{"url":""}`, `{} {"displayText":"x"}`, "required"},
		{`{"type":"array"}`, `[] [1,"a",null]`, `{} "x"`, "type"},
		{`{"type":"array","minItems":1}`, `[1]`, `[]`, "minItems"},
		{`{"type":"array","maxItems":1}`, `[]`, `[1,2]`, "maxItems"},
		{`{"type":"array","uniqueItems":true}`, `[1,2]`, `[1,1.0]`, "uniqueItems"},
		{`{"type":"array","items":{"type":"string","maxLength":1}}`, `["a"]`, `["ab"]`, "maxLength"},
		{`{"type":"array","items":{"type":"number"}}`, `[1]`, `["1"]`, "type"},
		{`{"type":"array","items":{"type":"string","enum":["a"]}}`, `["a"]`, `["b"]`, "enum"},
		{`{"type":"array","items":{"type":"string","format":"entity","blueprint":"service"}}`, `["cart",{"identifier":"shop"}] []`, `["cart","gone"]`, "notFound"},
		{`{"type":"array","items":{"type":"string","format":"user"}}`, `["a@b.c"]`, `["a"]`, "format"},
		{`{"type":"array","items":{"type":"string","format":"team"}}`, `["core"]`, `[""]`, "format"},
	} {
		f := compile(t, `{"properties":{"x":`+c.input+`}}`)
		for _, v := range values(t, c.good) {
			if got := problems(resolve(t, f, `{"x":`+v+`}`)); got != "" {
				t.Errorf("%s does not take %s: %s", c.input, v, got)
			}
		}
		for _, v := range values(t, c.bad) {
			if got := problems(resolve(t, f, `{"x":`+v+`}`)); !strings.HasSuffix(got, " "+c.keywords) || !strings.HasPrefix(got, "/properties/x") {
				t.Errorf("%s and %s: %q, want %s", c.input, v, got, c.keywords)
			}
		}
		if got := problems(resolve(t, f, `{"x":null}`)); got != "" {
			t.Errorf("%s does not take null: %s", c.input, got)
		}
	}
}

// values splits JSON values that stand side by side.
func values(t *testing.T, text string) []string {
	t.Helper()
	var out []string
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		end := 0
		for n := 1; n <= len(text); n++ {
			if _, err := jsonv.Decode([]byte(text[:n])); err == nil && (n == len(text) || text[n] == ' ') {
				end = n
				break
			}
		}
		if end == 0 {
			t.Fatalf("no JSON: %s", text)
		}
		out, text = append(out, text[:end]), text[end:]
	}
	return out
}

func TestProblemsInsideOfAValueSayWhere(t *testing.T) {
	t.Parallel()
	f := compile(t, `{"properties":{"xs":{"type":"array","items":{"type":"string","format":"entity","blueprint":"service"}},"o":{"type":"object","properties":{"a":{"type":"number"}}}}}`)
	if got := problems(resolve(t, f, `{"xs":["cart","gone",3],"o":{"a":"1"},"what":1}`)); got != "/properties/what additionalProperties; /properties/o type; /properties/xs/2 type; /properties/xs/1 notFound" {
		t.Error(got)
	}
}

// Steps 1 and 2 of reference/actions.md §2.5.
func TestDefaultsAreFilledInInTheOrderOfDependence(t *testing.T) {
	t.Parallel()
	f := compile(t, `{"properties":{
		"a":{"type":"string","default":{"jqQuery":".form.b + \"a\""},"dependsOn":["b"]},
		"b":{"type":"string","default":{"jqQuery":".form.c + \"b\""},"dependsOn":["c"]},
		"c":{"type":"string","default":"c"},
		"owner":{"type":"string","default":{"jqQuery":".user.email"}},
		"on":{"type":"string","default":{"jqQuery":".entity.identifier + .trigger.operation"}},
		"svc":{"type":"string","format":"entity","blueprint":"service","default":"cart"},
		"tier":{"type":"string","default":{"jqQuery":".form.svc.properties.tier"}},
		"list":{"type":"array","items":{"type":"number","default":[1,2]}},
		"zero":{"type":"number","default":0},
		"off":{"type":"boolean","default":false},
		"posted":{"type":"string","default":"x"},
		"nothing":{"type":"string","default":"x"},
		"wrong":{"type":"string","default":{"jqQuery":"1"}},
		"fails":{"type":"string","default":{"jqQuery":"error"}},
		"broken":{"type":"string","default":{"jqQuery":"|"}},
		"void":{"type":"string","default":{"jqQuery":"empty"}},
		"null":{"type":"string","default":{"jqQuery":"null"}}},
		"order":["tier","svc"]}`)
	r := resolve(t, f, `{"posted":"y","nothing":null}`)
	want := decode(t, `{"a":"cba","b":"cb","c":"c","owner":"a@b.c","on":"onDAY-2","svc":"cart","tier":"cart-tier","list":[1,2],"zero":0,"off":false,"posted":"y","nothing":null}`)
	if diff := cmp.Diff(want, r.Values); diff != "" {
		t.Error(diff)
	}
	if got := jsonv.String(r.Expanded, "svc", "title"); got != "CART" {
		t.Errorf("expanded %q", got)
	}
	if got := problems(r); got != "" {
		t.Error(got)
	}
	circle := compile(t, `{"properties":{"a":{"type":"string","default":{"jqQuery":"\"a\" + (.form.b // \"\")"},"dependsOn":["b"]},"b":{"type":"string","default":{"jqQuery":"\"b\" + (.form.a // \"\")"},"dependsOn":["a"]}}}`)
	if diff := cmp.Diff(decode(t, `{"a":"ab","b":"b"}`), resolve(t, circle, `{}`).Values); diff != "" {
		t.Error(diff)
	}
}

// Steps 3 and 4.
func TestWhatIsRequiredAndVisibleMustBeThere(t *testing.T) {
	t.Parallel()
	f := compile(t, `{"properties":{
		"lang":{"type":"string"},
		"name":{"type":"string"},
		"hidden":{"type":"string","visible":false},
		"maybe":{"type":"string","visible":{"jqQuery":".form.lang == \"python\""}},
		"odd":{"type":"string","visible":{"jqQuery":"\"no\""}},
		"later":{"type":"string"}},
		"required":{"jqQuery":"if .form.lang then [\"name\",\"hidden\",\"maybe\",\"odd\",\"later\",\"no input\"] else [] end"},
		"steps":[{"title":"One","order":["lang","name"]},{"title":"Two","order":["later"],"visible":{"jqQuery":".form.lang == \"go\""}}]}`)
	for posted, want := range map[string]string{
		`{}`:                "",
		`{"lang":"go"}`:     "/properties/later required; /properties/name required; /properties/odd required",
		`{"lang":"python"}`: "/properties/maybe required; /properties/name required; /properties/odd required",
		`{"lang":"python","name":null,"maybe":"x","odd":"x"}`: "/properties/name required",
	} {
		r := resolve(t, f, posted)
		var got []string
		for _, p := range r.Check() {
			got = append(got, p.Path+" "+p.Keyword)
		}
		if diff := cmp.Diff(want, strings.Join(sorted(got), "; ")); diff != "" {
			t.Errorf("%s: %s", posted, diff)
		}
	}
}

func sorted(s []string) []string {
	for i := range s {
		for j := i; j > 0 && s[j] < s[j-1]; j-- {
			s[j], s[j-1] = s[j-1], s[j]
		}
	}
	return s
}

// What jq computes restricts; what it cannot compute does not (§2.4).
func TestComputedLimitsRestrictAndBrokenOnesDoNot(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ input, value, want string }{
		{`{"type":"string","enum":{"jqQuery":"[\"a\"]"}}`, `"b"`, "enum"},
		{`{"type":"string","enum":{"jqQuery":"[]"}}`, `"b"`, "enum"},
		{`{"type":"string","enum":{"jqQuery":"\"a\""}}`, `"b"`, ""},
		{`{"type":"string","enum":{"jqQuery":"error"}}`, `"b"`, ""},
		{`{"type":"string","enum":{"jqQuery":"|||"}}`, `"b"`, ""},
		{`{"type":"array","items":{"type":"string","enum":{"jqQuery":"[\"a\"]"}}}`, `["b"]`, "enum"},
		{`{"type":"string","pattern":{"jqQuery":"\"^a\""}}`, `"ba"`, "pattern"},
		{`{"type":"string","pattern":{"jqQuery":"[\"a\"]"}}`, `"b"`, "pattern"},
		{`{"type":"string","pattern":{"jqQuery":"[\"b\"]"}}`, `"b"`, ""},
		{`{"type":"string","pattern":{"jqQuery":"\"(\""}}`, `"b"`, ""},
		{`{"type":"string","pattern":{"jqQuery":"7"}}`, `"b"`, ""},
		{`{"type":"array","minItems":{"jqQuery":"2"}}`, `[1]`, "minItems"},
		{`{"type":"array","maxItems":{"jqQuery":"0"}}`, `[1]`, "maxItems"},
		{`{"type":"array","maxItems":{"jqQuery":"0.5"}}`, `[1]`, ""},
		{`{"type":"array","maxItems":{"jqQuery":"empty"}}`, `[1]`, ""},
	} {
		got := problems(resolve(t, compile(t, `{"properties":{"x":`+c.input+`}}`), `{"x":`+c.value+`}`))
		if _, keyword, _ := strings.Cut(got, " "); keyword != c.want {
			t.Errorf("%s and %s: %q, want %q", c.input, c.value, got, c.want)
		}
	}
}

func TestAFailingWorldIsAnErrorOfItsOwn(t *testing.T) {
	t.Parallel()
	broken := errors.New("store is gone")
	f := compile(t, `{"properties":{"x":{"type":"string","format":"entity","blueprint":"service"}}}`)
	if _, err := f.Resolve(t.Context(), inputs.Asked{Posted: jsonv.Object{"x": "cart"}, World: world{broken}}); !errors.Is(err, broken) {
		t.Error(err)
	}
}

// The values allowed are told at each item that is none of them: whoever runs an action
// may post as many as fit into a body.
func TestManyItemsThatAreNoneOfManyValuesAreToldShortly(t *testing.T) {
	t.Parallel()
	values := strings.Repeat(`"a value of some length",`, 5000) + `"b"`
	f := compile(t, `{"properties":{"x":{"type":"array","items":{"type":"string","enum":[`+values+`]}}}}`)
	size := 0
	for _, p := range resolve(t, f, `{"x":[`+strings.Repeat(`"",`, 999)+`""]}`).Check() {
		size += len(p.Message)
	}
	if size < 1000 || size > 2_000_000 {
		t.Errorf("%d bytes", size)
	}
}

func TestEncryptedInputsAreNamed(t *testing.T) {
	t.Parallel()
	f := compile(t, `{"properties":{"b":{"type":"object","encryption":"aes256-gcm"},"a":{"type":"string","encryption":{"algorithm":"client-side","key":"PEM"}},"c":{"type":"string"}}}`)
	if diff := cmp.Diff([]string{"a", "b"}, f.Encrypted()); diff != "" {
		t.Error(diff)
	}
	if f.EncryptedByServer("a") || !f.EncryptedByServer("b") || f.EncryptedByServer("c") || f.EncryptedByServer("d") {
		t.Error("who encrypts")
	}
}

// Every rule of reference/actions.md §2.1, §2.2 and §2.6 about the form itself.
func TestFormsThatAreNoneAreRefusedWithEveryFault(t *testing.T) {
	t.Parallel()
	for form, want := range map[string]string{
		`{}`:                          "/properties required",
		`{"properties":{},"extra":1}`: "/extra additionalProperties",
		`{"properties":{},"order":[],"steps":[]}`:                                                                       "/steps additionalProperties",
		`{"properties":{},"order":[1]}`:                                                                                 "/order/0 type",
		`{"properties":{},"required":"a"}`:                                                                              "/required type",
		`{"properties":{},"required":{"jqQuery":1}}`:                                                                    "/required type",
		`{"properties":{"x":{"type":null}}}`:                                                                            "/properties/x/type enum",
		`{"properties":{"x":{"type":"string","enumColors":{"a":1}}}}`:                                                   "/properties/x/enumColors/a type",
		`{"properties":{"x":{"type":"array","items":{"type":"string","enumColors":[]}}}}`:                               "/properties/x/items/enumColors type",
		`{"properties":{},"steps":[{"title":null,"order":[]}]}`:                                                         "/steps/0/title type",
		`{"properties":{},"steps":[{"title":"a"}]}`:                                                                     "/steps/0/order required",
		`{"properties":{},"steps":[{"order":[]}]}`:                                                                      "/steps/0/title required",
		`{"properties":{},"steps":[{"title":"a","order":[],"x":1}]}`:                                                    "/steps/0/x additionalProperties",
		`{"properties":{},"steps":[{"title":"a","order":[],"visible":"yes"}]}`:                                          "/steps/0/visible type",
		`{"properties":{},"titles":{"a b":{"title":"x"}}}`:                                                              "/titles/a b pattern",
		`{"properties":{},"titles":{"a":{"title":""}}}`:                                                                 "/titles/a/title minLength",
		`{"properties":{},"titles":{"a":{"title":"` + strings.Repeat("x", 141) + `"}}}`:                                 "/titles/a/title maxLength",
		`{"properties":{},"titles":{"a":{"description":"` + strings.Repeat("x", 1001) + `"}}}`:                          "/titles/a/description maxLength",
		`{"properties":{"a b":{"type":"string"}}}`:                                                                      "/properties/a b pattern",
		`{"properties":{"a":{}}}`:                                                                                       "/properties/a/type required",
		`{"properties":{"a":{"type":"file"}}}`:                                                                          "/properties/a/type enum",
		`{"properties":{"a":{"type":"string","format":"timer"}}}`:                                                       "/properties/a/format enum",
		`{"properties":{"a":{"type":"string","format":"entity"}}}`:                                                      "/properties/a/blueprint required",
		`{"properties":{"a":{"type":"array","items":{"type":"string","format":"entity"}}}}`:                             "/properties/a/items/blueprint required",
		`{"properties":{"a":{"type":"array","items":{"type":"array"}}}}`:                                                "/properties/a/items/type enum",
		`{"properties":{"a":{"type":"string","visible":"yes"}}}`:                                                        "/properties/a/visible type",
		`{"properties":{"a":{"type":"string","disabled":1}}}`:                                                           "/properties/a/disabled type",
		`{"properties":{"a":{"type":"string","enum":"a"}}}`:                                                             "/properties/a/enum type",
		`{"properties":{"a":{"type":"string","jqQuery":"."}}}`:                                                          "/properties/a/jqQuery type",
		`{"properties":{"a":{"type":"string","minLength":-1}}}`:                                                         "/properties/a/minLength minimum",
		`{"properties":{"a":{"type":"string","pattern":"("}}}`:                                                          "/properties/a/pattern format",
		`{"properties":{"a":{"type":"number","encryption":"aes256-gcm"}}}`:                                              "/properties/a/encryption additionalProperties",
		`{"properties":{"a":{"type":"string","encryption":"rot13"}}}`:                                                   "/properties/a/encryption enum",
		`{"properties":{"a":{"type":"string","encryption":{"algorithm":"client-side"}}}}`:                               "/properties/a/encryption/key required",
		`{"properties":{"a":{"type":"string","dependsOn":"b"}}}`:                                                        "/properties/a/dependsOn type",
		`{"properties":{"a":{"type":"string","format":"entity","blueprint":"b","sort":{"property":"p"}}}}`:              "/properties/a/sort/order required",
		`{"properties":{"a":{"type":"string","format":"entity","blueprint":"b","sort":{"property":"p","order":"UP"}}}}`: "/properties/a/sort/order enum",
		`{"properties":{"a":{"type":"string","format":"entity","blueprint":"b","dataset":{"rules":[]}}}}`:               "/properties/a/dataset/combinator required",
		`{"properties":{"a":{"type":"string","format":"entity","blueprint":"b","dataset":{"combinator":"and","rules":[{"property":"p","operator":"like","value":"x"}]}}}}`: "/properties/a/dataset/rules/0/operator enum",
	} {
		_, found := inputs.Compile(decode(t, form))
		if got := told(found); got != want {
			t.Errorf("%s: %s, want %s", form, got, want)
		}
	}
	_, many := inputs.Compile(decode(t, `{"properties":{"a":{},"b":{"type":"string","format":"x"}},"extra":1}`), "trigger", "userInputs")
	if len(many) != 3 {
		t.Errorf("not every fault is told: %v", many)
	}
	for _, p := range many {
		if !strings.HasPrefix(p.Path, "/trigger/userInputs/") {
			t.Error(p.Path)
		}
	}
}

// The example of reference/actions.md §2.1, every feature at once.
const example = `{"properties":{
	"name":{"type":"string","title":"Name","pattern":"^[a-z][a-z0-9-]+$","minLength":3,"maxLength":40},
	"lang":{"type":"string","enum":["go","python"],"enumColors":{"go":"blue"},"default":"go"},
	"owner":{"type":"string","format":"user","default":{"jqQuery":".user.email"}},
	"domain":{"type":"string","format":"entity","blueprint":"domain","sort":{"property":"$updatedAt","order":"DESC"},
		"dataset":{"combinator":"and","rules":[{"property":"$team","operator":"containsAny","value":{"jqQuery":".user.team"}}]}},
	"system":{"type":"string","format":"entity","blueprint":"system","dependsOn":["domain"],
		"dataset":{"combinator":"and","rules":[{"combinator":"or","rules":[{"property":"$identifier","operator":"in","value":{"jqQuery":".form.domain.relations.systems"}}]}]}},
	"ports":{"type":"array","items":{"type":"number"},"minItems":1,"maxItems":{"jqQuery":"if .form.lang == \"go\" then 1 else 3 end"}},
	"token":{"type":"string","encryption":"aes256-gcm","visible":{"jqQuery":".form.lang == \"python\""}}},
	"required":{"jqQuery":"if .form.lang == \"python\" then [\"name\",\"token\"] else [\"name\"] end"},
	"titles":{"net":{"title":"Network","description":"Ports","visible":true}},
	"steps":[{"title":"Basics","order":["name","lang","owner","domain","system"]},{"title":"Details","order":["net","ports","token"],"visible":true}]}`

func TestAFormWithEverythingWorks(t *testing.T) {
	t.Parallel()
	f := compile(t, example)
	for posted, want := range map[string]string{
		`{"name":"svc","ports":[1]}`:                   "",
		`{"name":"svc","ports":[1,2]}`:                 "/properties/ports maxItems",
		`{"name":"svc","ports":[1,2],"lang":"python"}`: "/properties/token required",
		`{"ports":[]}`:                                 "/properties/name required; /properties/ports minItems",
	} {
		if got := problems(resolve(t, f, posted)); got != want {
			t.Errorf("%s: %s", posted, got)
		}
	}
}

func BenchmarkFormOf200InputsWithProgramsEverywhere(b *testing.B) {
	var s strings.Builder
	for n := range 200 {
		if n > 0 {
			s.WriteByte(',')
		}
		fmt.Fprintf(&s, `"i%d":{"type":"string","default":{"jqQuery":".user.email + \"%d\""},"visible":{"jqQuery":".form.i0 != \"%d\""},"enum":{"jqQuery":"[.form.i%d]"},"pattern":{"jqQuery":"\"^a|%d\""}}`, n, n, n, n, n)
	}
	f := compile(b, `{"properties":{`+s.String()+`},"required":{"jqQuery":".form | keys"}}`)
	b.ReportAllocs()
	for b.Loop() {
		if got := problems(resolve(b, f, `{}`)); got != "" {
			b.Fatal(got)
		}
	}
}

// large is a world of one large entity, which counts how often it is asked.
type large struct{ asked *int }

func (w large) Entity(_, id string) (jsonv.Object, error) {
	if *w.asked++; id != "big" {
		return nil, nil
	}
	return jsonv.Object{"identifier": id, "properties": jsonv.Object{"s": strings.Repeat("x", 1<<20)}}, nil
}

// TestNamesOfEntitiesDoNotMakeARunLarge: a name takes a few bytes, what stands for it in
// the run may take a million.
func TestNamesOfEntitiesDoNotMakeARunLarge(t *testing.T) {
	t.Parallel()
	f := compile(t, `{"properties": {"l": {"type": "array", "items": {"type": "string", "format": "entity", "blueprint": "b"}}, "one": {"type": "string", "format": "entity", "blueprint": "b"}}, "order": ["l", "one"]}`)
	for name, c := range map[string]struct {
		id    string
		n     int
		asked int
		want  string
	}{
		"some":      {"big", 4, 4, ""},
		"too large": {"big", 1000, 4, "/properties/l size"},
		"too many":  {"none", 20000, 10000, "/properties/l size"},
	} {
		asked := 0
		list := make([]any, c.n)
		for i := range list {
			list[i] = c.id
		}
		r, err := f.Resolve(t.Context(), inputs.Asked{Posted: jsonv.Object{"l": list}, World: large{&asked}})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, p := range r.Check() {
			if p.Keyword != "notFound" {
				got += p.Path + " " + p.Keyword
			}
		}
		if got != c.want || asked != c.asked {
			t.Errorf("%s: %q, and %d entities were read; want %q and %d", name, got, asked, c.want, c.asked)
		}
	}
}

// TestPatternsThatAreLongInTheSearchAreNotSearchedForEver: of the values that make them so
// there may be thousands in one request, and nobody can write meanwhile.
func TestPatternsThatAreLongInTheSearchAreNotSearchedForEver(t *testing.T) {
	t.Parallel()
	const slow = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"
	f := compile(t, `{"properties": {"l": {"type": "array", "items": {"type": "string", "pattern": "^(a+)+$"}}, "c": {"type": "string", "pattern": {"jqQuery": "\"^(a+)+$\""}}}, "order": ["l", "c"]}`)
	list := make([]any, 1000)
	for i := range list {
		list[i] = slow
	}
	r, err := f.Resolve(t.Context(), inputs.Asked{Posted: jsonv.Object{"l": list, "c": slow}})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if got := len(r.Check()); got != 1001 {
		t.Errorf("%d values are refused", got)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
	for _, p := range resolve(t, f, `{"l": ["aaaa"], "c": "a"}`).Check() {
		t.Errorf("%s: %s", p.Path, p.Message)
	}
}
