package provider

import (
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// entityDeclaration is port_entity, reference/provider-catalog.md §8.
func entityDeclaration() *Declaration {
	return &Declaration{
		Name:     "entity",
		Doc:      "Entity: one object of the catalog, such as a service, with the properties and relations its blueprint declares.",
		DataDoc:  "Entity that exists in the account, found by its blueprint and identifier.",
		Key:      []string{"blueprint", "identifier"},
		ImportID: "<blueprint_id>:<entity_id>",
		Moves:    []string{"blueprint"},
		API: API{
			Read: readEntity, Refresh: refreshEntity, Create: createEntity, Update: updateEntity, Delete: deleteEntity,
			Show: showEntity, Peek: peekEntity, SplitID: splitEntityID, Decode: decodeEntity, Plan: planEntity, Destroy: destroyEntity,
		},
		Parts: []lens.Part{
			lens.Field("identifier", lens.String, lens.OptComputed, "Identifier, unique in the blueprint. Left out, Port makes one; changing it renames the entity.").
				Check(identifierCheck("=", 1000)).Keep(),
			lens.Field("blueprint", lens.String, lens.Req, "Identifier of the blueprint. Changing it makes the entity anew in the other blueprint and deletes the old one.").Check(notEmpty()),
			entitySettings(),
			entityContent(),
			lens.Audit(),
		},
	}
}

// entitySettings is what travels beside an entity, or beside many.
func entitySettings() lens.Part {
	return lens.Parts(
		lens.Setting("run_id", lens.String, lens.Opt, "ID of the action run that the change belongs to."),
		lens.Setting("create_missing_related_entities", lens.Bool, lens.Opt,
			"Whether related entities that do not exist are created, with nothing but an identifier.").Default(false),
	)
}

// entityContent is what an entity says apart from where it stands.
func entityContent() lens.Part {
	return lens.Parts(
		lens.Field("title", lens.String, lens.Req, "Title shown to people.").ReadsAs(""),
		lens.Field("icon", lens.String, lens.Opt, "Icon of the entity.").OmitEmpty(),
		lens.Field("teams", lens.Set(lens.String), lens.Opt, "Teams that own the entity.").At("team").OmitEmpty(),
		entityValues("Values of the entity's properties, by type and key.", "Related entities, by relation."),
	)
}

// entityValues are the values of what a blueprint declares.
func entityValues(properties, relations string) lens.Part {
	return lens.Parts(
		lens.Inline("properties", lens.Opt, properties,
			lens.ByValue("properties",
				lens.Values("string_props", "string", lens.String, "Text values, by property."),
				lens.Values("number_props", "number", lens.Float, "Number values, by property."),
				lens.Values("boolean_props", "boolean", lens.Bool, "Values that are true or false, by property."),
				lens.Values("object_props", "object", lens.JSONObject, "JSON object values, by property."),
			).Arrays("array_props", "List values, by type of the items and property.",
				lens.Values("string_items", "string", lens.String, "Lists of text, by property."),
				lens.Values("number_items", "number", lens.Float, "Lists of numbers, by property."),
				lens.Values("boolean_items", "boolean", lens.Bool, "Lists of true or false, by property."),
				lens.Values("object_items", "object", lens.JSONObject, "Lists of JSON objects, by property."),
			),
		),
		lens.Inline("relations", lens.Opt, relations,
			lens.ByValue("relations",
				lens.Values("single_relations", "string", lens.String, "Related entity of relations to one, by relation; `null` for none.").SendNulls().BlankIsNull(),
				lens.Values("many_relations", "array", lens.List(lens.String), "Related entities of relations to many, by relation."),
			),
		),
	)
}
