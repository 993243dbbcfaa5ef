package provider

import (
	"regexp"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/lens"
)

// properties is the codec of a blueprint's own properties,
// reference/provider-catalog.md §3.
func properties() lens.Part {
	oneLine := lens.Match(regexp.MustCompile(`^.*$`), "a pattern on one line")
	enumOf := func(k lens.Kind) lens.Part {
		return lens.Field("enum", lens.List(k), lens.Opt, "Allowed values, in the order they are shown.").Check(lens.Size(1, -1), lens.Unique())
	}
	colors := func() *lens.FieldPart {
		return lens.Field("enum_colors", lens.Map(lens.Checked(lens.String, lens.OneOf(colours...))), lens.Opt, "Colour of each allowed value.")
	}
	defaultOf := func(k lens.Kind) lens.Part {
		return lens.Field("default", lens.List(k), lens.Opt, "Value of entities that are created without one.").At("default")
	}
	return lens.Inline("properties", lens.Opt, "Properties of the blueprint's entities, by type and key.",
		lens.ByType("schema.properties",
			lens.Group("string_props", "string", "Text properties, by key.", property(
				lens.Field("default", lens.String, lens.Opt, "Value of entities that are created without one."),
				lens.Field("format", lens.String, lens.Opt, "Format of the text, such as `url`, `email`, `date-time`, `markdown`, `user` or `team`."),
				lens.Field("date_format", lens.String, lens.Opt, "How a `date-time` is shown, such as `relative` or `24-hour`."),
				lens.Field("min_length", lens.Int, lens.Opt, "Least number of characters.").Check(lens.AtLeast(0)),
				lens.Field("max_length", lens.Int, lens.Opt, "Greatest number of characters.").Check(lens.AtLeast(0)),
				lens.Field("pattern", lens.String, lens.Opt, "Pattern the text must match.").Check(patternCheck()),
				specField("open-api", "async-api", "embedded-url"),
				specAuthentication(),
				enumOf(lens.String),
				colors().OmitEmpty(),
			)...),
			lens.Group("number_props", "number", "Number properties, by key.", property(
				lens.Field("default", lens.Float, lens.Opt, "Value of entities that are created without one."),
				lens.Field("minimum", lens.Float, lens.Opt, "Least value."),
				lens.Field("maximum", lens.Float, lens.Opt, "Greatest value."),
				enumOf(lens.Float),
				colors().OmitEmpty(),
			)...),
			lens.Group("boolean_props", "boolean", "Properties that are true or false, by key.", property(
				lens.Field("default", lens.Bool, lens.Opt, "Value of entities that are created without one."),
			)...),
			lens.Group("array_props", "array", "List properties, by key.", property(
				lens.Field("min_items", lens.Int, lens.Opt, "Least number of items.").Check(lens.AtLeast(0)),
				lens.Field("max_items", lens.Int, lens.Opt, "Greatest number of items.").Check(lens.AtLeast(0)),
				lens.Union("items.type",
					lens.Case("string_items", "string", "Items that are text.",
						lens.Field("format", lens.String, lens.Opt, "Format of the items.").At("items.format"),
						lens.Field("pattern", lens.String, lens.Opt, "Pattern that items must match.").At("items.pattern").Check(oneLine, patternCheck()),
						lens.Field("enum", lens.List(lens.String), lens.Opt, "Allowed items, in the order they are shown.").At("items.enum").
							Check(lens.Size(1, -1), lens.Unique()),
						colors().At("items.enumColors"),
						defaultOf(lens.String),
					),
					lens.Case("number_items", "number", "Items that are numbers.", defaultOf(lens.Float)),
					lens.Case("boolean_items", "boolean", "Items that are true or false.", defaultOf(lens.Bool)),
					lens.Case("object_items", "object", "Items that are JSON objects.",
						lens.Field("format", lens.String, lens.Opt, "Format of the items.").At("items.format"),
						defaultOf(lens.JSONObject),
					),
				),
			)...),
			lens.Group("object_props", "object", "JSON object properties, by key.", property(
				lens.Field("default", lens.JSONObject, lens.Opt, "Value of entities that are created without one."),
				specField("async-api", "open-api"),
				lens.Field("format", lens.String, lens.Opt, "Format of the object, such as `labeled-url`."),
			)...),
		).Required("schema.required"),
	)
}

// property adds what every property has to the attributes of its type.
func property(own ...lens.Part) []lens.Part {
	return append([]lens.Part{
		lens.Field("title", lens.String, lens.Opt, "Title shown to people."),
		lens.Field("icon", lens.String, lens.Opt, "Icon of the property."),
		lens.Field("description", lens.String, lens.Opt, "Description of the property."),
		renamedFrom("property"),
	}, own...)
}

// renamedFrom is how a configuration says that a key is the new name of an old
// one, so that values survive; see blueprint_rename.go.
func renamedFrom(what string) lens.Part {
	return lens.Setting("renamed_from", lens.String, lens.Opt,
		"Former key of the "+what+". Where Port still has it under that key, it is renamed and entities keep their values. "+
			"It may stay after the renaming, or be left out then.").
		Check(lens.Test("Invalid key", "", func(v tftypes.Value) string { return wrongKey(lens.AsText(v)) })).Remembered()
}

func specField(allowed ...string) lens.Part {
	return lens.Field("spec", lens.Enum(allowed...), lens.Opt, "Specification that the value holds or embeds.")
}

func specAuthentication() lens.Part {
	member := func(name, doc string) lens.Part {
		return lens.Field(name, lens.String, lens.Req, doc).OmitEmpty().ReadsAs("")
	}
	return lens.Field("spec_authentication", lens.Object(
		member("client_id", "Client ID to log in with."),
		member("token_url", "URL that gives tokens."),
		member("authorization_url", "URL that people log in at."),
	), lens.Opt, "Login of an embedded URL.")
}

// changelogDestination is where changes of the blueprint's entities are sent.
func changelogDestination() lens.Part {
	return lens.Union("type",
		lens.Case("webhook_changelog_destination", "WEBHOOK", "Webhook that gets every change of an entity.",
			lens.Field("url", lens.String, lens.Req, "URL that is called.").Check(notEmpty()),
			lens.Field("agent", lens.Bool, lens.Opt, "Whether the call goes through the agent in your network."),
		),
		lens.EmptyCase("kafka_changelog_destination", "KAFKA", "Kafka topic of the account, which gets every change of an entity. Write `{}`."),
	).In("changelogDestination")
}

// relations is the codec of relations to other blueprints.
func relations() lens.Part {
	return lens.Field("relations", lens.Map(lens.Object(
		lens.Field("target", lens.String, lens.Req, "Identifier of the blueprint that the relation leads to.").Check(notEmpty()),
		lens.Field("title", lens.String, lens.Opt, "Title shown to people.").Check(lens.Length(0, 100)),
		lens.Field("description", lens.String, lens.Opt, "Description of the relation."),
		lens.Field("many", lens.Bool, lens.Opt, "Whether an entity may have several targets.").Default(false),
		lens.Field("required", lens.Bool, lens.Opt, "Whether every entity must have a target. Not together with `many`.").Default(false),
		renamedFrom("relation"),
	)), lens.Opt, "Relations to other blueprints, by key.").Always().Check(keysCheck())
}

// mirrorProperties is the codec of values shown from related entities.
func mirrorProperties() lens.Part {
	return lens.Field("mirror_properties", lens.Map(lens.Object(
		lens.Field("path", lens.String, lens.Req, "Relations joined by dots, ending in a property of the last blueprint or a meta property such as `$title`.").
			Check(lens.Match(mirrorPath, "at least one relation, a dot and a property")),
		lens.Field("title", lens.String, lens.Opt, "Title shown to people.").Check(lens.Length(0, 100)),
		renamedFrom("mirror property"),
	)), lens.Opt, "Properties that show a value of a related entity, by key.").Always().Check(keysCheck())
}

// calculationProperties is the codec of values that jq computes.
func calculationProperties() lens.Part {
	return lens.Field("calculation_properties", lens.Map(lens.Object(
		lens.Field("calculation", lens.String, lens.Req, "Program in jq that computes the value from the entity.").Check(jqCheck()),
		lens.Field("type", lens.Enum("string", "number", "boolean", "object", "array"), lens.Req, "Type of the result; anything else the program gives becomes null."),
		lens.Field("title", lens.String, lens.Opt, "Title shown to people."),
		lens.Field("description", lens.String, lens.Opt, "Description of the property."),
		lens.Field("icon", lens.String, lens.Opt, "Icon of the property."),
		lens.Field("format", lens.String, lens.Opt, "Format of the result, such as `url` or `date-time`."),
		lens.Field("date_format", lens.String, lens.Opt, "How dates are shown, such as `relative` or `24-hour`."),
		lens.Field("colorized", lens.Bool, lens.Opt, "Whether values are shown in colours."),
		lens.Field("colors", lens.Map(lens.Checked(lens.String, lens.OneOf(colours...))), lens.Opt, "Colour of each value.").OmitEmpty(),
		specField("open-api", "async-api", "embedded-url"),
		specAuthentication(),
	)), lens.Opt, "Properties whose value is computed by jq, by key.").Always().Check(keysCheck())
}
