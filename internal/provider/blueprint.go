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
		DataDoc:  "Blueprint that exists in the account, found by its identifier.",
		Key:      []string{"identifier"},
		Foreseen: true,
		API: API{
			Read: readBlueprint, Create: createBlueprint, Update: updateBlueprint, Delete: deleteBlueprint,
			Peek: peekBlueprint, Plan: planBlueprint, Check: checkBlueprint,
			Destroy: destroyBlueprint, Sift: siftRelations, Notice: noticeRelations,
		},
		Parts: []lens.Part{
			lens.Field("identifier", lens.String, lens.Req, "Identifier, unique in the account. Changing it renames the blueprint.").
				Check(identifierCheck("", 100)),
			lens.Field("title", lens.String, lens.Req, "Title shown to people.").Check(lens.Length(1, 100)),
			lens.Field("icon", lens.String, lens.Opt, "Icon of the blueprint."),
			lens.Field("description", lens.String, lens.Opt, "Description of what its entities are.").Check(lens.Length(0, 200)),
			properties(),
			relations(),
			mirrorProperties(),
			calculationProperties(),
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
			deletionProtection(),
			undeclaredRelations(),
			lens.Setting("create_catalog_page", lens.Bool, lens.Opt,
				"Whether creating the blueprint creates its page in the catalog. It has no effect later.").Default(true),
			lens.Field("include_in_global_search", lens.Bool, lens.Opt, "Whether global search finds the blueprint's entities."),
			lens.Audit(),
		},
	}
}
