package provider

import (
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// blueprintDeclaration is port_blueprint, reference/provider-catalog.md §4.
func blueprintDeclaration() *Declaration {
	return &Declaration{
		Name: "blueprint",
		Doc: "Blueprint: the schema of one kind of entity in the catalog, with its properties, its relations to other blueprints, " +
			"and the properties that are mirrored or calculated.",
		DataDoc: "Blueprint that exists in the account, found by its identifier.",
		Key:     []string{"identifier"},
		API: API{
			Read: readBlueprint, Create: createBlueprint, Update: updateBlueprint, Delete: deleteBlueprint,
			Peek: peekBlueprint, Plan: planBlueprint, Check: checkBlueprint,
		},
		Parts: []lens.Part{
			lens.Field("identifier", lens.String, lens.Req, "Identifier, unique in the account. Changing it renames the blueprint.").
				Check(identifierCheck("", 100)),
			lens.Field("title", lens.String, lens.Req, "Title shown to people.").Check(lens.Length(1, 100)),
			lens.Field("icon", lens.String, lens.Opt, "Icon of the blueprint."),
			lens.Field("description", lens.String, lens.Opt, "Description of what its entities are.").Check(lens.Length(0, 200)),
			properties(),
			lens.Field("relations", lens.Map(lens.Object(
				lens.Field("target", lens.String, lens.Req, "Identifier of the blueprint that the relation leads to.").Check(notEmpty()),
				lens.Field("title", lens.String, lens.Opt, "Title shown to people.").Check(lens.Length(0, 100)),
				lens.Field("description", lens.String, lens.Opt, "Description of the relation."),
				lens.Field("many", lens.Bool, lens.Opt, "Whether an entity may have several targets.").Default(false),
				lens.Field("required", lens.Bool, lens.Opt, "Whether every entity must have a target. Not together with `many`.").Default(false),
			)), lens.Opt, "Relations to other blueprints, by key.").Always().Check(keysCheck()),
			lens.Field("mirror_properties", lens.Map(lens.Object(
				lens.Field("path", lens.String, lens.Req, "Relations joined by dots, ending in a property of the last blueprint or a meta property such as `$title`.").
					Check(lens.Match(mirrorPath, "at least one relation, a dot and a property")),
				lens.Field("title", lens.String, lens.Opt, "Title shown to people.").Check(lens.Length(0, 100)),
			)), lens.Opt, "Properties that show a value of a related entity, by key.").Always().Check(keysCheck()),
			lens.Field("calculation_properties", lens.Map(lens.Object(
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
			)), lens.Opt, "Properties whose value is computed by jq, by key.").Always().Check(keysCheck()),
			lens.Field("ownership", lens.Object(
				lens.Field("type", lens.Enum("Inherited", "Direct"), lens.Req, "How entities get their owning teams: set on each (`Direct`) or taken from a related entity (`Inherited`)."),
				lens.Field("path", lens.String, lens.Opt, "Relations joined by dots that lead to the entity whose teams are inherited. Required with `Inherited`."),
				lens.Field("title", lens.String, lens.Opt, "Title shown to people.").Check(lens.Length(0, 100)),
			), lens.Opt, "Ownership of the blueprint's entities."),
			lens.Field("team_inheritance", lens.Object(
				lens.Field("path", lens.String, lens.Req, "Relations joined by dots that lead to the entity whose teams are inherited."),
			), lens.Opt, "Inheritance of teams from a related entity, in accounts without ownership.").
				Deprecated("Use ownership instead, which supersedes team_inheritance after the migration of users and teams."),
			changelogDestination(),
			lens.Owned("aggregationProperties"),
			lens.Setting("force_delete_entities", lens.Bool, lens.Opt,
				"Whether destroying the blueprint deletes its entities along with it. It must be applied before destroying.").Default(false),
			lens.Setting("create_catalog_page", lens.Bool, lens.Opt,
				"Whether creating the blueprint creates its page in the catalog. It has no effect later.").Default(true),
			lens.Field("include_in_global_search", lens.Bool, lens.Opt, "Whether global search finds the blueprint's entities."),
			lens.Audit(),
		},
	}
}
