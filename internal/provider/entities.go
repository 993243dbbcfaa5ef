package provider

import (
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/lens"
)

// entitiesDeclaration is port_entities: many entities of one blueprint as one
// resource, read by searches and written by the bulk routes
// (reference/catalog.md §4.9 and §4.10). Its document is
// {"blueprint": …, "entities": {identifier: entity}}.
//
// The group has no name on the server, so id is the blueprint's identifier, which
// several groups may share. Entities carry no stamps of time and author: thousands
// of values that are unknown after each change would hide the change.
func entitiesDeclaration() *Declaration {
	return &Declaration{
		Name: "entities",
		Doc: "Entities: many entities of one blueprint as one resource, written 20 in a request and read 1,000 in a request. " +
			"Only the entities that are listed are managed: others of the blueprint, and other `port_entities` of the same blueprint, are left alone. " +
			"What Port refuses is reported entity by entity, and the others are kept.",
		Key:      []string{"blueprint"},
		ImportID: "<blueprint_id> for all of its entities, or <blueprint_id>:<entity_id>,<entity_id>,… for some",
		API: API{
			Refresh: refreshEntities, Create: writeEntities, Update: writeEntities, Delete: deleteEntities,
			Import: importEntities, Succeed: succeedEntities, Decode: decodeEntities, Plan: planEntities,
		},
		Parts: []lens.Part{
			lens.Field("blueprint", lens.String, lens.Req, "Identifier of the blueprint of all the entities.").Check(notEmpty()).Replace(),
			lens.Field("entities", lens.Map(lens.Object(entityContent())), lens.Req, "Entities by identifier. They may relate to each other in any way.").
				Check(entityKeysCheck()),
			entitySettings(),
		},
	}
}

// entityKeysCheck is the grammar of entity identifiers, for the keys of a map.
func entityKeysCheck() lens.Check {
	one := identifierCheck("=", 1000)
	return lens.Test(one.Title, "each key: "+one.Doc, func(v tftypes.Value) string {
		for _, key := range slices.Sorted(maps.Keys(lens.AsObj(v))) {
			if wrong := one.Test(lens.Str(key)); wrong != "" {
				return wrong
			}
		}
		return ""
	})
}

// elements are the entities of a port_entities object that say something; null
// ones count as left out.
func elements(v tftypes.Value) lens.Obj {
	all := lens.AsObj(lens.AsObj(v)["entities"])
	out := make(lens.Obj, len(all))
	for id, e := range all {
		if !lens.Nothing(e) {
			out[id] = e
		}
	}
	return out
}
