package lens_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// value builds a Terraform value of a type from JSON text; what is left out is
// null, and the text "?" is unknown.
func value(t *testing.T, typ tftypes.Type, text string) tftypes.Value {
	t.Helper()
	j, err := jsonv.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return build(t, typ, j)
}

func build(t *testing.T, typ tftypes.Type, j any) tftypes.Value {
	t.Helper()
	if j == nil {
		return lens.Null(typ)
	}
	if j == "?" {
		return tftypes.NewValue(typ, tftypes.UnknownValue)
	}
	switch typ := typ.(type) {
	case tftypes.Object:
		obj := lens.Obj{}
		for name, at := range typ.AttributeTypes {
			obj[name] = build(t, at, jsonv.Map(j)[name])
		}
		for name := range jsonv.Map(j) {
			if _, ok := typ.AttributeTypes[name]; !ok {
				t.Fatalf("no attribute %q", name)
			}
		}
		return tftypes.NewValue(typ, obj)
	case tftypes.Map:
		m := map[string]tftypes.Value{}
		for k, e := range jsonv.Map(j) {
			m[k] = build(t, typ.ElementType, e)
		}
		return tftypes.NewValue(typ, m)
	case tftypes.List:
		vs := []tftypes.Value{}
		for _, e := range jsonv.List(j) {
			vs = append(vs, build(t, typ.ElementType, e))
		}
		return tftypes.NewValue(typ, vs)
	case tftypes.Set:
		vs := []tftypes.Value{}
		for _, e := range jsonv.List(j) {
			vs = append(vs, build(t, typ.ElementType, e))
		}
		return tftypes.NewValue(typ, vs)
	}
	switch j := j.(type) {
	case string:
		return lens.Str(j)
	case bool:
		return lens.Flag(j)
	}
	f, _, err := big.ParseFloat(string(jsonv.Encode(j)), 10, 512, big.ToNearestEven)
	if err != nil {
		t.Fatal(err)
	}
	return tftypes.NewValue(tftypes.Number, f)
}

func object(t *testing.T, text string) lens.Body {
	t.Helper()
	o, err := jsonv.DecodeObject([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func get(t *testing.T, c *lens.Codec, body string, prior tftypes.Value) tftypes.Value {
	t.Helper()
	if prior.Type() == nil {
		prior = lens.Null(c.Type())
	}
	v, err := c.Get(object(t, body), prior)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func put(t *testing.T, c *lens.Codec, v tftypes.Value) string {
	t.Helper()
	b, err := c.Put(v, lens.Null(c.Type()))
	if err != nil {
		t.Fatal(err)
	}
	return string(jsonv.Encode(b))
}

func equal(t *testing.T, want, got tftypes.Value) {
	t.Helper()
	if !lens.Equal(want, got) {
		diffs, err := want.Diff(got)
		t.Errorf("values differ: %v %v", diffs, err)
	}
}

func TestBlueprintBodyIsWhatTheServerWants(t *testing.T) {
	t.Parallel()
	v := value(t, blueprint.Type(), `{"identifier":"svc","title":"Service","force_delete_entities":true,"create_catalog_page":true,
	 "properties":{"string_props":{"k":{"title":"","required":true,"enum_colors":{}}},"array_props":{"a":{"required":false},
	   "l":{"string_items":{"enum_colors":{},"default":[]},"required":false}},
	   "object_props":{"o":{"default":"{ \"b\": 1, \"a\": 2 }","required":true}}},
	 "relations":{"r":{"target":"t","many":false,"required":false}},"kafka_changelog_destination":{}}`)
	want := `{"calculationProperties":{},"changelogDestination":{"type":"KAFKA"},"identifier":"svc","mirrorProperties":{},` +
		`"relations":{"r":{"many":false,"required":false,"target":"t"}},` +
		`"schema":{"properties":{"a":{"type":"array"},"k":{"title":"","type":"string"},` +
		`"l":{"default":[],"items":{"enumColors":{},"type":"string"},"type":"array"},` +
		`"o":{"default":{"a":2,"b":1},"type":"object"}},"required":["k","o"]},"title":"Service"}`
	if diff := cmp.Diff(want, put(t, blueprint, v)); diff != "" {
		t.Error(diff)
	}
}

func TestBlueprintWithoutPropertiesStillSendsTheCollections(t *testing.T) {
	t.Parallel()
	want := `{"calculationProperties":{},"identifier":"a","mirrorProperties":{},"relations":{},"schema":{"properties":{}},"title":"A"}`
	for _, text := range []string{`{"identifier":"a","title":"A"}`, `{"identifier":"a","title":"A","properties":{},"relations":{}}`,
		`{"identifier":"a","title":"A","properties":{"string_props":{}},"relations":{}}`} {
		v := value(t, blueprint.Type(), text)
		if diff := cmp.Diff(want, put(t, blueprint, v)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestStampsHaveTheFormStatesHold(t *testing.T) {
	t.Parallel()
	c := lens.MustCompile(lens.Audit())
	got := get(t, c, `{"createdAt":"2024-01-02T03:04:05.678Z","updatedAt":"2024-01-02T05:04:05.000+02:00"}`, tftypes.Value{})
	equal(t, value(t, c.Type(), `{"created_at":"2024-01-02 03:04:05.678 +0000 UTC","created_by":"","updated_at":"2024-01-02 03:04:05 +0000 UTC","updated_by":""}`), got)
	equal(t, value(t, c.Type(), `{"created_at":null,"created_by":"","updated_at":"soon","updated_by":""}`), get(t, c, `{"updatedAt":"soon"}`, tftypes.Value{}))
}

func TestEmptyAndAbsentCollectionsKeepThePriorsSpelling(t *testing.T) {
	t.Parallel()
	c := lens.MustCompile(
		lens.Field("plain", lens.List(lens.String), lens.Opt, "Plain."),
		lens.Field("always", lens.Map(lens.String), lens.Opt, "Always.").Always(),
		lens.Field("omitted", lens.Set(lens.String), lens.Opt, "Omitted.").OmitEmpty(),
		lens.Field("text", lens.String, lens.Opt, "Text.").OmitEmpty(),
		lens.Field("security", lens.Object(lens.Field("secret", lens.String, lens.Opt, "Secret.")), lens.Opt, "Security.").Always())
	empty := `{"plain":[],"always":{},"omitted":[],"text":"","security":{}}`
	for name, x := range map[string]struct{ body, prior, want string }{
		"absent over empty":   {`{}`, empty, empty},
		"empty over empty":    {empty, empty, empty},
		"empty over null":     {empty, `{}`, `{}`},
		"absent over null":    {`{}`, `{}`, `{}`},
		"nulls over null":     {`{"security":{"secret":null}}`, `{}`, `{}`},
		"absent over full":    {`{}`, `{"plain":["a"],"always":{"a":"b"},"omitted":["a"],"text":"a","security":{"secret":"a"}}`, `{}`},
		"empty text over set": {`{"text":""}`, `{"text":"a"}`, `{}`},
	} {
		got := get(t, c, x.body, value(t, c.Type(), x.prior))
		if want := value(t, c.Type(), x.want); !lens.Equal(want, got) {
			t.Errorf("%s: got %s", name, got)
		}
	}
	// An import shows what says something by itself.
	equal(t, value(t, c.Type(), `{"plain":[]}`), get(t, c, empty, tftypes.Value{}))
}

func TestUnknownValuesStopPutUnlessTheServerChooses(t *testing.T) {
	t.Parallel()
	v := value(t, entity.Type(), `{"identifier":"?","title":"A","blueprint":"b","properties":{"string_props":{"a":"x"}},"create_missing_related_entities":false}`)
	if diff := cmp.Diff(`{"blueprint":"b","properties":{"a":"x"},"relations":{},"title":"A"}`, put(t, entity, v)); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{`{"title":"?","blueprint":"b"}`, `{"title":"t","blueprint":"b","properties":"?"}`,
		`{"title":"t","blueprint":"b","properties":{"string_props":{"a":"?"}}}`, `{"title":"t","blueprint":"b","properties":{"array_props":{"string_items":{"a":["?"]}}}}`,
		`{"title":"t","blueprint":"b","teams":["?"]}`} {
		_, err := entity.Put(value(t, entity.Type(), text), lens.Null(entity.Type()))
		if !errors.Is(err, lens.ErrUnknown) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestWriteOnlyComesFromTheConfigurationAlone(t *testing.T) {
	t.Parallel()
	c := lens.MustCompile(
		lens.Field("name", lens.String, lens.Req, "Name."),
		lens.Field("value", lens.String, lens.Opt, "Value.").Sensitive().Unread(),
		lens.WriteOnly("value_wo", "Value.").At("value").Beside())
	config := value(t, c.Type(), `{"name":"n","value_wo":"secret","value_wo_version":1}`)
	plan := value(t, c.Type(), `{"name":"n","value_wo_version":1}`)
	body, err := c.Put(plan, config)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"name":"n","value":"secret"}`, string(jsonv.Encode(body))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(`{"name":"n"}`, put(t, c, plan)); diff != "" {
		t.Error(diff)
	}
	equal(t, plan, get(t, c, `{"name":"n","value":"secret"}`, plan))
	stored := value(t, c.Type(), `{"name":"n","value":"s"}`)
	equal(t, stored, get(t, c, `{"name":"n"}`, stored))
	if p := c.Problems(plan); len(p) != 1 || !strings.Contains(p[0].Detail, "value_wo") {
		t.Errorf("a version alone: %v", p)
	}
}

func TestWhatOnlyAWriteAnswersIsKept(t *testing.T) {
	t.Parallel()
	c := lens.MustCompile(lens.Field("name", lens.String, lens.Req, "Name."), lens.ReadOnly("secret", lens.String, "Secret.").Keep().Unread())
	equal(t, value(t, c.Type(), `{"name":"n","secret":"s"}`), get(t, c, `{"name":"n","secret":"s"}`, value(t, c.Type(), `{"name":"n"}`)))
	held := value(t, c.Type(), `{"name":"n","secret":"s"}`)
	equal(t, held, get(t, c, `{"name":"n"}`, held))
	equal(t, value(t, c.Type(), `{"name":"n"}`), get(t, c, `{"name":"n"}`, lens.Null(c.Type())))
}

func TestEmptyCollectionsThatAreSentAlwaysMayShow(t *testing.T) {
	t.Parallel()
	c := lens.MustCompile(lens.Field("name", lens.String, lens.Req, "Name."), lens.Field("teams", lens.Set(lens.String), lens.Opt, "Teams.").Always().EmptyShows())
	unset, empty := value(t, c.Type(), `{"name":"n"}`), value(t, c.Type(), `{"name":"n","teams":[]}`)
	for _, v := range []tftypes.Value{unset, empty} {
		if diff := cmp.Diff(`{"name":"n","teams":[]}`, put(t, c, v)); diff != "" {
			t.Error(diff)
		}
		equal(t, v, get(t, c, `{"name":"n","teams":[]}`, v))
	}
	equal(t, empty, get(t, c, `{"name":"n","teams":[]}`, lens.Null(c.Type())))
}

func TestEntityValuesGoWhereTheyBelong(t *testing.T) {
	t.Parallel()
	hints := map[string][2]string{"count": {"number", ""}, "names": {"array", "number"}, "text": {"string", ""}}
	c := entity.With(lens.Options{EscapeHTML: true, Hint: func(key string) (string, string) { return hints[key][0], hints[key][1] },
		Default: func(key string) (any, bool) { return "dflt", key == "text" }})
	base := `"identifier":"i","title":"t","blueprint":"b","created_by":"","updated_by":"","id":"b:i","create_missing_related_entities":false`
	for name, x := range map[string]struct{ body, prior, want string }{
		"import: by kind and hint": {`{"properties":{"n":1,"count":null,"names":[],"unknown":null,"mixed":["a",1],"nums":[1]}}`, ``,
			`"properties":{"number_props":{"n":1,"count":null},"array_props":{"number_items":{"names":[],"nums":[1]},"object_items":{"mixed":["\"a\"","1"]}}}`},
		"the prior map decides for arrays": {`{"properties":{"names":[],"o":["x"]}}`, `"properties":{"array_props":{"boolean_items":{"names":[]},"object_items":{"o":[" \"x\" "]}}}`,
			`"properties":{"array_props":{"boolean_items":{"names":[]},"object_items":{"o":[" \"x\" "]}}}`},
		"a null element and no element are the same": {`{"properties":{"b":null}}`, `"properties":{"string_props":{"a":null}}`, `"properties":{"string_props":{"a":null}}`},
		"a value that became null shows":             {`{"properties":{"a":null}}`, `"properties":{"string_props":{"a":"x"}}`, `"properties":{"string_props":{"a":null}}`},
		"another kind moves to another map":          {`{"properties":{"a":5}}`, `"properties":{"string_props":{"a":"5"}}`, `"properties":{"number_props":{"a":5}}`},
		"a default nobody asked for stays out":       {`{"properties":{"text":"dflt"}}`, ``, `"properties":{"string_props":{"text":"dflt"}}`},
		"a default over a prior without it":          {`{"properties":{"text":"dflt","a":"x"}}`, `"properties":{"string_props":{"a":"x"}}`, `"properties":{"string_props":{"a":"x"}}`},
		"a default over a prior without properties":  {`{"properties":{"text":"dflt"}}`, `"icon":null`, `"icon":null`},
		"a default somebody wrote stays":             {`{"properties":{"text":"dflt"}}`, `"properties":{"string_props":{"text":"x"}}`, `"properties":{"string_props":{"text":"dflt"}}`},
		"empty maps stay":                            {`{"properties":{},"relations":{}}`, `"properties":{"string_props":{}},"relations":{}`, `"properties":{"string_props":{}},"relations":{}`},
		"import: a blank relation is none":           {`{"relations":{"a":"","b":null}}`, ``, `"relations":{"single_relations":{"b":null}}`},
		"a relation that became blank shows":         {`{"relations":{"a":""}}`, `"relations":{"single_relations":{"a":"x"}}`, `"relations":{"single_relations":{"a":null}}`},
		"relations: null, blank and gone": {`{"relations":{"a":null,"c":"x"}}`, `"relations":{"single_relations":{"a":"","b":null,"c":"x"}}`,
			`"relations":{"single_relations":{"a":"","b":null,"c":"x"}}`},
	} {
		prior := lens.Null(entity.Type())
		if x.prior != "" {
			prior = value(t, entity.Type(), "{"+base+","+x.prior+"}")
		}
		body := object(t, x.body)
		body["identifier"], body["title"], body["blueprint"] = "i", "t", "b"
		got, err := c.Get(body, prior)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want := value(t, entity.Type(), "{"+base+","+x.want+"}"); !lens.Equal(want, got) {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, want)
		}
	}
}

func TestDecodingErrorsNameAttributeAndKey(t *testing.T) {
	t.Parallel()
	_, err := blueprint.Get(object(t, `{"identifier":5,"title":"t","schema":{"properties":{"a":{"type":"string","minLength":1.5},"b":{"type":"array","items":{"type":"object"},"default":[1]}}}}`),
		lens.Null(blueprint.Type()))
	var got []string
	for _, e := range lens.AllErrors(err) {
		got = append(got, lens.PathString(e.Attr)+" "+jsonv.Pointer(e.Key...))
	}
	want := []string{`identifier /identifier`, `properties.string_props["a"].min_length /schema/properties/a/minLength`,
		`properties.array_props["b"].object_items.default[0] /schema/properties/b/default/0`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestHTMLEscapesFollowTheOption(t *testing.T) {
	t.Parallel()
	c := lens.MustCompile(lens.Field("j", lens.JSON, lens.Opt, "J."))
	body := object(t, `{"j":{"b":"<&>","a":1.0}}`)
	for html, want := range map[bool]string{true: `{"a":1.0,"b":"\u003c\u0026\u003e"}`, false: `{"a":1.0,"b":"<&>"}`} {
		v, err := c.With(lens.Options{EscapeHTML: html}).Get(body, lens.Null(c.Type()))
		if err != nil {
			t.Fatal(err)
		}
		if got := lens.AsText(lens.AsObj(v)["j"]); got != want {
			t.Errorf("html %v: %s", html, got)
		}
	}
}

func TestBrokenDeclarationsAreRefused(t *testing.T) {
	t.Parallel()
	field := func(name string) *lens.FieldPart { return lens.Field(name, lens.String, lens.Opt, "Text.") }
	for name, parts := range map[string][]lens.Part{
		"attribute twice":       {field("a"), field("a").At("b")},
		"key twice":             {field("a"), field("b").At("a")},
		"key inside a key":      {field("a"), field("b").At("a.b")},
		"key around a key":      {field("b").At("a.b"), field("a")},
		"default of wrong kind": {field("a").Default(5)},
		"always on a scalar":    {field("a").Always()},
		"block on a scalar":     {field("a").Block()},
		"two groups of a type":  {lens.ByType("p", lens.Group("x", "string", "X."), lens.Group("y", "string", "Y."))},
		"type key in a group":   {lens.ByType("p", lens.Group("x", "string", "X.", field("type")))},
		"inside a map":          {lens.Field("m", lens.Map(lens.Object(field("a"), field("a"))), lens.Opt, "M.")},
		"rule about nothing":    {field("a"), lens.AtMostOne("a", "b")},
		"two fallbacks":         {lens.Union("t", lens.Case("x", "x", "X.").Fallback(), lens.Case("y", "y", "Y.").Fallback())},
		"no kind":               {lens.Field("a", nil, lens.Opt, "A.")},
	} {
		if _, err := lens.Compile(parts...); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestCodecIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	body := bigBlueprint(t)
	state, err := blueprint.Get(body, lens.Null(blueprint.Type()))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	for range 4 {
		go func() {
			for range 20 {
				if _, err := blueprint.Put(state, state); err != nil {
					done <- err
					return
				}
				if got, err := blueprint.Get(body, state); err != nil || !lens.Equal(got, state) {
					done <- errors.Join(err, errors.New("another value"))
					return
				}
			}
			done <- nil
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
