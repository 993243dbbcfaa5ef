package lens_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

func TestSettleTakesThePriorsSpellingWhereBothMeanTheSame(t *testing.T) {
	t.Parallel()
	prior := value(t, blueprint.Type(), `{"identifier":"a","title":"A","icon":null,"properties":{
	  "string_props":{"s":{"title":"old","required":false}},
	  "object_props":{"o":{"default":"{\"a\":1,\"b\":2}","required":false},"p":{"default":"{\"a\":1}","title":"x","required":false}},
	  "array_props":{"l":{"object_items":{"default":["{\"a\":1}","{\"b\":1}"]},"required":false}}},"relations":{}}`)
	plan := value(t, blueprint.Type(), `{"identifier":"a","title":"A","icon":null,"properties":{
	  "string_props":{"s":{"title":"new","required":false}},
	  "object_props":{"o":{"default":"{ \"b\": 2, \"a\": 1.0 }","required":false},"p":{"default":"{ \"a\": 1 }","title":"y","required":false}},
	  "array_props":{"l":{"object_items":{"default":["{ \"a\":1}","{\"b\":2}"]},"required":false}}},"relations":null}`)
	want := value(t, blueprint.Type(), `{"identifier":"a","title":"A","icon":null,"properties":{
	  "string_props":{"s":{"title":"new","required":false}},
	  "object_props":{"o":{"default":"{\"a\":1,\"b\":2}","required":false},"p":{"default":"{\"a\":1}","title":"y","required":false}},
	  "array_props":{"l":{"object_items":{"default":["{ \"a\":1}","{\"b\":2}"]},"required":false}}},"relations":null}`)
	equal(t, want, blueprint.Settle(plan, prior))
}

func TestSettleLeavesUnknownsAndSettingsAlone(t *testing.T) {
	t.Parallel()
	prior := value(t, blueprint.Type(), `{"id":"a","identifier":"a","title":"A","updated_at":"x","force_delete_entities":false,"properties":{"string_props":{"s":{"required":false}}}}`)
	plan := value(t, blueprint.Type(), `{"id":"?","identifier":"?","title":"A","updated_at":"?","force_delete_entities":true,"properties":{"string_props":"?"}}`)
	equal(t, plan, blueprint.Settle(plan, prior))
	equal(t, plan, blueprint.Settle(plan, lens.Null(blueprint.Type())))
}

func TestSettleTakesReorderedListsWithoutOrder(t *testing.T) {
	t.Parallel()
	c := lens.MustCompile(
		lens.Field("users", lens.Unordered(lens.String), lens.Opt, "Users."),
		lens.Field("steps", lens.List(lens.String), lens.Opt, "Steps."))
	prior := value(t, c.Type(), `{"users":["a","b"],"steps":["a","b"]}`)
	plan := value(t, c.Type(), `{"users":["b","a"],"steps":["b","a"]}`)
	equal(t, value(t, c.Type(), `{"users":["a","b"],"steps":["b","a"]}`), c.Settle(plan, prior))
}

func found(ps []lens.Problem) []string {
	var out []string
	for _, p := range ps {
		kind := "error"
		if p.Warning {
			kind = "warning"
		}
		out = append(out, kind+" "+lens.PathString(p.Path)+": "+p.Summary)
	}
	return out
}

func TestProblemsAreFoundAtPlanTime(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		codec  *lens.Codec
		config string
		want   []string
	}{
		"nothing wrong": {blueprint, `{"identifier":"a","title":"A","properties":{"string_props":{"a":{"enum":["x"]}}}}`, nil},
		"one key in two maps": {blueprint, `{"identifier":"a","title":"A","properties":{"string_props":{"x":{}},"number_props":{"x":{}}}}`,
			[]string{`error properties.number_props["x"]: Invalid Attribute Combination`}},
		"two kinds of items": {blueprint, `{"identifier":"a","title":"A","properties":{"array_props":{"x":{"string_items":{},"number_items":{}}}}}`,
			[]string{`error properties.array_props["x"].number_items: Invalid Attribute Combination`}},
		"both changelogs": {blueprint, `{"identifier":"a","title":"A","webhook_changelog_destination":{"url":"u"},"kafka_changelog_destination":{}}`,
			[]string{`error kafka_changelog_destination: Invalid Attribute Combination`}},
		"enum, bounds, doubles": {blueprint, `{"identifier":"a","title":"A","ownership":{"type":"direct"},"properties":{"string_props":{"a":{"min_length":-1,"enum":[]},"b":{"enum":["x","x"]}}}}`,
			[]string{`error properties.string_props["a"].min_length: Invalid Attribute Value`, `error properties.string_props["a"].enum: Invalid Attribute Value`,
				`error properties.string_props["b"].enum: Invalid Attribute Value`, `error ownership.type: Invalid Attribute Value Match`}},
		"bad JSON": {blueprint, `{"identifier":"a","title":"A","properties":{"object_props":{"a":{"default":"{\n  x}"},"b":{"default":"[]"}}}}`,
			[]string{`error properties.object_props["a"].default: Invalid JSON`, `error properties.object_props["b"].default: Invalid JSON`}},
		"one value twice": {entity, `{"title":"t","blueprint":"b","properties":{"string_props":{"a":"x"},"array_props":{"string_items":{"a":["x"]}}}}`,
			[]string{`error properties.array_props.string_items["a"]: Invalid Attribute Combination`}},
		"bad JSON in a map": {entity, `{"title":"t","blueprint":"b","properties":{"object_props":{"a":"nope"}}}`,
			[]string{`error properties.object_props["a"]: Invalid JSON`}},
		"literal and jq": {action, `{"identifier":"a","kafka_method":{},"self_service_trigger":{"operation":"CREATE","user_properties":{"string_props":{"a":{"visible":true,"visible_jq_query":"."}}}}}`,
			[]string{`error self_service_trigger.user_properties.string_props["a"].visible_jq_query: Invalid Attribute Combination`}},
		"no method": {action, `{"identifier":"a","automation_trigger":{"run_created_event":{"action_identifier":"x"}}}`,
			[]string{`error : Invalid Attribute Combination`}},
		"required is only true": {action, `{"identifier":"a","kafka_method":{},"self_service_trigger":{"operation":"CREATE","user_properties":{"string_props":{"a":{"required":false}}}}}`,
			[]string{`error self_service_trigger.user_properties.string_props["a"].required: Invalid Attribute Value Match`}},
		"template or flag": {action, `{"identifier":"a","webhook_method":{"url":"u","agent":"yes"},"automation_trigger":{"run_created_event":{"action_identifier":"x"}}}`,
			[]string{`error webhook_method.agent: Invalid Attribute Value Match`}},
		"two nodes of one name": {workflow, `{"identifier":"w","node":[{"identifier":"a","condition":{}},{"identifier":"a","condition":{}}]}`,
			[]string{`error node[1]: Invalid Attribute Value`}},
		"a null element": {scorecard, `{"identifier":"s","rules":[],"levels":[null],"filter":{"combinator":"and","conditions":["{}",null]}}`,
			[]string{`error levels[0]: Invalid Attribute Value`}},
		"a flag that is false": {assorted, `{"name":"n","count_entities":false}`,
			[]string{`error count_entities: Invalid Attribute Value Match`}},
		"unknown values are left alone": {action, `{"identifier":"?","kafka_method":"?","webhook_method":"?","self_service_trigger":{"operation":"?","user_properties":{"string_props":"?","object_props":{"a":"?"}}}}`, nil},
		"unknown inside":                {blueprint, `{"identifier":"a","title":"A","kafka_changelog_destination":"?","webhook_changelog_destination":{"url":"?"},"properties":{"string_props":{"a":{"enum":["?","?"]}},"object_props":{"o":{"default":"?"}}}}`, nil},
	} {
		if diff := cmp.Diff(x.want, found(x.codec.Problems(value(t, x.codec.Type(), x.config)))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestBadJSONIsPlacedByLineAndColumn(t *testing.T) {
	t.Parallel()
	v := value(t, blueprint.Type(), `{"identifier":"a","title":"A","properties":{"object_props":{"a":{"default":"{\n  x}"}}}}`)
	if p := blueprint.Problems(v); len(p) != 1 || !strings.Contains(p[0].Detail, "line 2, column 3") {
		t.Error(p)
	}
}

func TestPointersLeadToAttributes(t *testing.T) {
	t.Parallel()
	b := value(t, blueprint.Type(), `{"identifier":"a","title":"A","properties":{"string_props":{"x":{"default":"d","enum":["a","b"]}},
	  "array_props":{"l":{"string_items":{"format":"f","default":["q"]}}}},"relations":{"r":{"target":"t"}},"webhook_changelog_destination":{"url":"u"}}`)
	s := value(t, scorecard.Type(), `{"identifier":"s","rules":[{"identifier":"a","level":"x"}],"filter":{"combinator":"and","conditions":[null,"{}"]}}`)
	e := value(t, entity.Type(), `{"title":"t","blueprint":"b","teams":["x"],"properties":{"array_props":{"string_items":{"a":["x","y"]}}},"relations":{"many_relations":{"m":["x"]}}}`)
	for _, x := range []struct {
		codec         *lens.Codec
		v             tftypes.Value
		pointer, want string
	}{
		{blueprint, b, "/identifier", "identifier"},
		{blueprint, b, "/schema/properties/x/default", `properties.string_props["x"].default`},
		{blueprint, b, "/schema/properties/x/enum/1", `properties.string_props["x"].enum[1]`},
		{blueprint, b, "/schema/properties/x/nonsense", `properties.string_props["x"]`},
		{blueprint, b, "/schema/properties/x", `properties.string_props["x"]`},
		{blueprint, b, "/schema/properties/l/items/format", `properties.array_props["l"].string_items.format`},
		{blueprint, b, "/schema/properties/l/default/0", `properties.array_props["l"].string_items.default[0]`},
		{blueprint, b, "/relations/r/target", `relations["r"].target`},
		{blueprint, b, "/relations/nope/target", `relations`},
		{blueprint, b, "/changelogDestination/url", `webhook_changelog_destination.url`},
		{blueprint, b, "/schema/properties/gone/title", ``},
		{blueprint, b, "/nothing", ``},
		{blueprint, b, "", ``},
		{scorecard, s, "/rules/0/level", "rules[0].level"},
		{scorecard, s, "/filter/conditions/0/x", "filter.conditions[1]"},
		{entity, e, "/properties/a/1", `properties.array_props.string_items["a"][1]`},
		{entity, e, "/relations/m", `relations.many_relations["m"]`},
		{entity, e, "/team/0", `teams`},
	} {
		got, ok := x.codec.AttrPath(jsonv.ParsePointer(x.pointer), x.v)
		if lens.PathString(got) != x.want || ok != (x.want != "") {
			t.Errorf("%s: got %q, want %q", x.pointer, lens.PathString(got), x.want)
		}
	}
}

func TestOverlayCarriesOverWhatIsNotModelled(t *testing.T) {
	t.Parallel()
	remote := `{"identifier":"a","title":"A","icon":"gone","other":1,"aggregationProperties":{"x":{}},
	 "schema":{"properties":{
	   "s":{"type":"string","deprecated":true,"title":"old","pattern":"gone"},
	   "l":{"type":"array","items":{"type":"string","minLength":3,"format":"gone"},"uniqueItems":true},
	   "m":{"type":"array","items":{"type":"string","minLength":3}},
	   "n":{"type":"array","items":{"type":"array","of":1}},
	   "c":{"type":"number","deprecated":true},
	   "d":{"type":"array","default":[1]},
	   "gone":{"type":"string","deprecated":true},
	   "odd":{"type":"geo","zoom":1}},"required":["odd","s"]},
	 "relations":{"r":{"target":"t","type":"special"},"q":{"target":"x","type":"special"}}}`
	mine := `{"identifier":"a","title":"A","relations":{"r":{"target":"u","many":false}},
	 "schema":{"properties":{"s":{"type":"string","title":"new"},"l":{"type":"array","items":{"type":"string"}},"m":{"type":"array","items":{"type":"number"}},
	   "n":{"type":"array"},"c":{"type":"string"},"d":{"type":"array"}},"required":["s"]}}`
	want := `{"aggregationProperties":{"x":{}},"identifier":"a","relations":{"r":{"many":false,"target":"u","type":"special"}},` +
		`"schema":{"properties":{"c":{"type":"string"},"d":{"default":[1],"type":"array"},"l":{"items":{"minLength":3,"type":"string"},"type":"array","uniqueItems":true},` +
		`"m":{"items":{"type":"number"},"type":"array"},"n":{"items":{"of":1,"type":"array"},"type":"array"},` +
		`"odd":{"type":"geo","zoom":1},"s":{"deprecated":true,"title":"new","type":"string"}},"required":["odd","s"]},"title":"A"}`
	r, m := object(t, remote), object(t, mine)
	got := blueprint.Overlay(r, m)
	if diff := cmp.Diff(want, string(jsonv.Encode(got))); diff != "" {
		t.Error(diff)
	}
	if !jsonv.Equal(r, object(t, remote)) || !jsonv.Equal(m, object(t, mine)) {
		t.Error("an argument changed")
	}
}

func TestUnmodelledElementsAreReported(t *testing.T) {
	t.Parallel()
	got := found(blueprint.Unmodelled(object(t, `{"schema":{"properties":{"odd":{"type":"geo"},"n":{"type":"array","items":{"type":"array"}}}},"changelogDestination":{"type":"X"}}`)))
	want := []string{`warning properties.array_props["n"]: Value not shown`, `warning properties: Value not shown`, `warning : Value not shown`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLenientJSONWarnsAndStillTravels(t *testing.T) {
	t.Parallel()
	c := lens.MustCompile(lens.Field("items", lens.List(lens.JSONObject.Lenient()), lens.Opt, "Items."))
	v := get(t, c, `{"items":["a",1,{"b":"<"}]}`, tftypes.Value{})
	if diff := cmp.Diff(`{"items":["a",1,{"b":"<"}]}`, put(t, c, v)); diff != "" {
		t.Error(diff)
	}
	want := []string{"warning items[0]: Invalid JSON", "warning items[1]: Invalid JSON", "error items[2]: Invalid JSON"}
	if diff := cmp.Diff(want, found(c.Problems(value(t, c.Type(), `{"items":["\"a\"","1","{"]}`)))); diff != "" {
		t.Error(diff)
	}
}

func TestKeyedListsKeepThePriorsOrder(t *testing.T) {
	t.Parallel()
	prior := value(t, scorecard.Type(), `{"id":null,"identifier":"s","rules":[{"identifier":"b","level":"x"},{"identifier":"gone","level":"x"},{"identifier":"a","level":"x"}]}`)
	got := get(t, scorecard, `{"identifier":"s","rules":[{"identifier":"new","level":"x"},{"identifier":"a","level":"y"},{"identifier":"b","level":"x"}]}`, prior)
	equal(t, value(t, scorecard.Type(), `{"id":null,"identifier":"s","rules":[{"identifier":"b","level":"x"},{"identifier":"a","level":"y"},{"identifier":"new","level":"x"}]}`), got)
}

func TestDocumentationSaysWhatIsAllowed(t *testing.T) {
	t.Parallel()
	c := lens.MustCompile(
		lens.Field("a", lens.Enum("x", "y"), lens.Opt, "Mode").Default("x"),
		lens.Field("b", lens.JSONObject, lens.Opt, "Config."),
		lens.Field("c", lens.List(lens.String), lens.Opt, "Users.").Default([]string{"a"}).Check(lens.Size(0, 3)).CheckEach(lens.Length(1, 5)))
	var got []string
	for _, a := range c.Attrs() {
		got = append(got, a.Documentation())
	}
	want := []string{"Mode. One of `x`, `y`. Default: `\"x\"`.", "Config. Text of a JSON object; write it with `jsonencode`.",
		"Users. At most 3 elements. Each element: 1 to 5 characters. Default: `[\"a\"]`."}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
