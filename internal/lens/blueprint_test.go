package lens_test

import (
	"testing"

	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/lens/lenstest"
)

// The shape of a blueprint and an entity: the oddest of the catalog
// (reference/provider-catalog.md §3, §4, §8).

func common(parts ...lens.Part) []lens.Part {
	return append([]lens.Part{
		lens.Field("title", lens.String, lens.Opt, "Title."),
		lens.Field("icon", lens.String, lens.Opt, "Icon."),
		lens.Field("description", lens.String, lens.Opt, "Description."),
	}, parts...)
}

func specAuthentication() lens.Part {
	return lens.Field("spec_authentication", lens.Object(
		lens.Field("client_id", lens.String, lens.Req, "Client.").ReadsAs(""),
		lens.Field("token_url", lens.String, lens.Req, "Token URL.").ReadsAs(""),
		lens.Field("authorization_url", lens.String, lens.Req, "Authorization URL.").ReadsAs(""),
	), lens.Opt, "Authentication.")
}

func properties() lens.Part {
	return lens.Inline("properties", lens.Opt, "Properties.",
		lens.ByType("schema.properties",
			lens.Group("string_props", "string", "Texts.", common(
				lens.Field("default", lens.String, lens.Opt, "Default."),
				lens.Field("format", lens.String, lens.Opt, "Format."),
				lens.Field("date_format", lens.String, lens.Opt, "Date format."),
				lens.Field("min_length", lens.Int, lens.Opt, "Least length.").Check(lens.AtLeast(0)),
				lens.Field("max_length", lens.Int, lens.Opt, "Most length.").Check(lens.AtLeast(0)),
				lens.Field("pattern", lens.String, lens.Opt, "Pattern."),
				lens.Field("spec", lens.Enum("open-api", "async-api", "embedded-url"), lens.Opt, "Spec."),
				specAuthentication(),
				lens.Field("enum", lens.List(lens.String), lens.Opt, "Values.").Check(lens.Size(1, -1), lens.Unique()),
				lens.Field("enum_colors", lens.Map(lens.String), lens.Opt, "Colours.").OmitEmpty(),
			)...),
			lens.Group("number_props", "number", "Numbers.", common(
				lens.Field("default", lens.Float, lens.Opt, "Default."),
				lens.Field("minimum", lens.Float, lens.Opt, "Least."),
				lens.Field("maximum", lens.Float, lens.Opt, "Most."),
				lens.Field("enum", lens.List(lens.Float), lens.Opt, "Values.").Check(lens.Size(1, -1), lens.Unique()),
				lens.Field("enum_colors", lens.Map(lens.String), lens.Opt, "Colours.").OmitEmpty(),
			)...),
			lens.Group("boolean_props", "boolean", "Flags.", common(
				lens.Field("default", lens.Bool, lens.Opt, "Default."),
			)...),
			lens.Group("array_props", "array", "Arrays.", common(
				lens.Field("min_items", lens.Int, lens.Opt, "Least.").Check(lens.AtLeast(0)),
				lens.Field("max_items", lens.Int, lens.Opt, "Most.").Check(lens.AtLeast(0)),
				lens.Union("items.type",
					lens.Case("string_items", "string", "Texts.",
						lens.Field("format", lens.String, lens.Opt, "Format.").At("items.format"),
						lens.Field("enum", lens.List(lens.String), lens.Opt, "Values.").At("items.enum").Check(lens.Size(1, -1), lens.Unique()),
						lens.Field("enum_colors", lens.Map(lens.String), lens.Opt, "Colours.").At("items.enumColors"),
						lens.Field("default", lens.List(lens.String), lens.Opt, "Default.")),
					lens.Case("number_items", "number", "Numbers.",
						lens.Field("default", lens.List(lens.Float), lens.Opt, "Default.")),
					lens.Case("boolean_items", "boolean", "Flags.",
						lens.Field("default", lens.List(lens.Bool), lens.Opt, "Default.")),
					lens.Case("object_items", "object", "Objects.",
						lens.Field("format", lens.String, lens.Opt, "Format.").At("items.format"),
						lens.Field("default", lens.List(lens.JSONObject), lens.Opt, "Default."))),
			)...),
			lens.Group("object_props", "object", "Objects.", common(
				lens.Field("default", lens.JSONObject, lens.Opt, "Default."),
				lens.Field("spec", lens.Enum("open-api", "async-api"), lens.Opt, "Spec."),
				lens.Field("format", lens.String, lens.Opt, "Format."),
			)...),
		).Required("schema.required"))
}

var blueprint = lens.MustCompile(
	lens.ID("Same as identifier.", "identifier"),
	lens.Field("identifier", lens.String, lens.Req, "Identifier."),
	lens.Field("title", lens.String, lens.Req, "Title."),
	lens.Field("icon", lens.String, lens.Opt, "Icon."),
	lens.Field("description", lens.String, lens.Opt, "Description."),
	properties(),
	lens.Field("relations", lens.Map(lens.Object(
		lens.Field("target", lens.String, lens.Req, "Target."),
		lens.Field("title", lens.String, lens.Opt, "Title."),
		lens.Field("description", lens.String, lens.Opt, "Description."),
		lens.Field("many", lens.Bool, lens.Opt, "Many.").Default(false),
		lens.Field("required", lens.Bool, lens.Opt, "Required.").Default(false),
	)), lens.Opt, "Relations.").Always(),
	lens.Field("mirror_properties", lens.Map(lens.Object(
		lens.Field("path", lens.String, lens.Req, "Path."),
		lens.Field("title", lens.String, lens.Opt, "Title."),
	)), lens.Opt, "Mirrors.").Always(),
	lens.Field("calculation_properties", lens.Map(lens.Object(
		lens.Field("calculation", lens.String, lens.Req, "jq."),
		lens.Field("type", lens.String, lens.Req, "Type."),
		lens.Field("colorized", lens.Bool, lens.Opt, "Colorized."),
		lens.Field("colors", lens.Map(lens.String), lens.Opt, "Colours.").OmitEmpty(),
		specAuthentication(),
	)), lens.Opt, "Calculations.").Always(),
	lens.Field("ownership", lens.Object(
		lens.Field("type", lens.Enum("Inherited", "Direct"), lens.Req, "Type."),
		lens.Field("path", lens.String, lens.Opt, "Path."),
		lens.Field("title", lens.String, lens.Opt, "Title."),
	), lens.Opt, "Ownership."),
	lens.Field("team_inheritance", lens.Object(
		lens.Field("path", lens.String, lens.Req, "Path."),
	), lens.Opt, "Inheritance.").Deprecated("use ownership"),
	lens.Union("type",
		lens.Case("webhook_changelog_destination", "WEBHOOK", "Webhook.",
			lens.Field("url", lens.String, lens.Req, "URL.").ReadsAs(""),
			lens.Field("agent", lens.Bool, lens.Opt, "Agent.")),
		lens.EmptyCase("kafka_changelog_destination", "KAFKA", "Kafka."),
	).In("changelogDestination"),
	lens.Owned("aggregationProperties"),
	lens.Setting("force_delete_entities", lens.Bool, lens.Opt, "Force.").Default(false),
	lens.Setting("create_catalog_page", lens.Bool, lens.Opt, "Page.").Default(true),
	lens.Field("include_in_global_search", lens.Bool, lens.Opt, "Search."),
	lens.Audit(),
)

const blueprintWire = `{
 "identifier":"svc","title":"Service","icon":"Micro","description":"d",
 "schema":{"properties":{
   "lang":{"type":"string","title":"Language","icon":"i","description":"","default":"","format":"url","dateFormat":"relative","minLength":0,"maxLength":9,
     "pattern":"^a","spec":"embedded-url","specAuthentication":{"clientId":"c","tokenUrl":"t","authorizationUrl":"a"},"enum":["b","a"],"enumColors":{"a":"red"}},
   "n":{"type":"number","default":0.1,"minimum":-9007199254740993,"maximum":1e30,"enum":[1,2.5],"enumColors":{"1":"red"}},
   "b":{"type":"boolean","default":false},
   "l":{"type":"array","minItems":1,"maxItems":3,"items":{"type":"string","format":"user","enum":["x"],"enumColors":{"x":"red"}},"default":["x","y"]},
   "ln":{"type":"array","items":{"type":"number"},"default":[1,0.5]},
   "lb":{"type":"array","items":{"type":"boolean"},"default":[true,false]},
   "lo":{"type":"array","items":{"type":"object","format":"labeled-url"},"default":[{"b":1,"a":"<"}]},
   "la":{"type":"array"},
   "o":{"type":"object","default":{"z":1,"a":[1,2]},"spec":"open-api","format":"proto"}
 },"required":["b","lang"]},
 "relations":{"r":{"target":"t","title":"R","description":"d","many":true,"required":false}},
 "mirrorProperties":{"m":{"path":"r.x","title":"M"}},
 "calculationProperties":{"c":{"calculation":".x","type":"string","colorized":true,"colors":{"a":"red"},
   "specAuthentication":{"clientId":"c","tokenUrl":"t","authorizationUrl":"a"}}},
 "aggregationProperties":{"agg":{"target":"x"}},
 "ownership":{"type":"Inherited","path":"r","title":"O"},
 "teamInheritance":{"path":"r"},
 "changelogDestination":{"type":"WEBHOOK","url":"https://x","agent":true},
 "includeInGlobalSearch":true,
 "createdAt":"2024-01-02T03:04:05.678Z","createdBy":"me","updatedAt":"2024-01-02T03:04:05Z","updatedBy":"you"}`

func TestBlueprintObeysTheLaws(t *testing.T) {
	t.Parallel()
	lenstest.Laws(t, blueprint,
		lenstest.Wire(blueprintWire),
		lenstest.Wire(`{"identifier":"k","title":"K","schema":{"properties":{}},"relations":{},"changelogDestination":{"type":"KAFKA"}}`))
}

var entity = lens.MustCompile(
	lens.ID("Blueprint and identifier.", "blueprint", "identifier"),
	lens.Field("identifier", lens.String, lens.OptComputed, "Identifier.").Keep(),
	lens.Field("title", lens.String, lens.Req, "Title.").ReadsAs(""),
	lens.Field("icon", lens.String, lens.Opt, "Icon.").OmitEmpty(),
	lens.Field("blueprint", lens.String, lens.Req, "Blueprint."),
	lens.Setting("run_id", lens.String, lens.Opt, "Run."),
	lens.Setting("create_missing_related_entities", lens.Bool, lens.Opt, "Create.").Default(false),
	lens.Field("teams", lens.Set(lens.String), lens.Opt, "Teams.").At("team").OmitEmpty(),
	lens.Inline("properties", lens.Opt, "Properties.",
		lens.ByValue("properties",
			lens.Values("string_props", "string", lens.String, "Texts."),
			lens.Values("number_props", "number", lens.Float, "Numbers."),
			lens.Values("boolean_props", "boolean", lens.Bool, "Flags."),
			lens.Values("object_props", "object", lens.JSONObject, "Objects."),
		).Arrays("array_props", "Arrays.",
			lens.Values("string_items", "string", lens.String, "Texts."),
			lens.Values("number_items", "number", lens.Float, "Numbers."),
			lens.Values("boolean_items", "boolean", lens.Bool, "Flags."),
			lens.Values("object_items", "object", lens.JSONObject.Lenient(), "Objects."),
		)),
	lens.Inline("relations", lens.Opt, "Relations.",
		lens.ByValue("relations",
			lens.Values("single_relations", "string", lens.String, "One.").SendNulls().BlankIsNull(),
			lens.Values("many_relations", "array", lens.List(lens.String), "Many."),
		)),
	lens.Audit(),
)

const entityWire = `{"identifier":"a:b","title":"A","icon":"i","blueprint":"svc","team":["t2","t1"],
 "properties":{"s":"x","n":0.1,"big":9007199254740993,"b":false,"o":{"b":1,"a":"<"},"ls":["a","b"],"ln":[1,2.5],"lb":[true,false],"lo":[{"x":1}],"le":[]},
 "relations":{"one":"x","many":["b","a"],"none":[]},
 "createdAt":"2024-01-02T03:04:05.678Z","createdBy":"me","updatedAt":"2024-01-02T03:04:05Z","updatedBy":"you"}`

func TestEntityObeysTheLaws(t *testing.T) {
	t.Parallel()
	lenstest.Laws(t, entity, lenstest.Wire(entityWire), lenstest.Wire(`{"identifier":"x","title":"","blueprint":"b","properties":{},"relations":{"r":null}}`))
}
