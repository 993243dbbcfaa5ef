package access

import (
	"maps"
	"net/http"
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// ReadBlueprint returns the permission document of a blueprint
// (reference/identity.md §7.4).
func (a *Access) ReadBlueprint(tx store.Tx, actor catalog.Actor, blueprint string) (jsonv.Object, error) {
	definition, entities, err := held(tx, actor.Org, blueprint)
	if err != nil {
		return nil, err
	}
	return a.shown(definition, entities), nil
}

// PatchBlueprint changes the permission document of a blueprint by what a body
// names and returns it whole.
func (a *Access) PatchBlueprint(tx store.Tx, actor catalog.Actor, blueprint string, body any) (jsonv.Object, error) {
	var c shape.Checker
	blueprintDocument(&c, body, nil)
	if err := c.Problems.Invalid(); err != nil {
		return nil, err
	}
	definition, entities, err := held(tx, actor.Org, blueprint)
	if err != nil {
		return nil, err
	}
	if err := mayManage(actor, blueprint); err != nil {
		return nil, err
	}
	next, err := a.patched(tx, actor.Org, definition, entities, patchOf(body))
	if err != nil {
		return nil, err
	}
	if !jsonv.Equal(entities, next) {
		if err := put(tx, actor.Org, blueprint, next); err != nil {
			return nil, err
		}
		if err := a.note(tx, actor, KindBlueprintPermissions, blueprint, entities, next); err != nil {
			return nil, err
		}
	}
	return a.shown(definition, next), nil
}

// held returns a blueprint and what its document holds.
func held(tx store.Tx, org, blueprint string) (definition store.Doc, entities jsonv.Object, err error) {
	definition, err = catalog.Definition(tx, org, blueprint)
	if err != nil {
		return nil, nil, err
	}
	if definition == nil {
		return nil, nil, fault.NotFound("Blueprint", blueprint)
	}
	doc, err := stored(tx, org, blueprint)
	if err != nil {
		return nil, nil, err
	}
	if doc == nil {
		return definition, defaultEntities(blueprint), nil
	}
	return definition, jsonv.Map(doc, entitiesKey), nil
}

// mayManage refuses callers who are no moderators of the blueprint (§7.3 rows 26, 27).
func mayManage(actor catalog.Actor, blueprint string) error {
	if actor.Rights == nil || actor.Rights.Manages(blueprint) {
		return nil
	}
	return fault.MissingPermissions("the permissions of blueprint %q are for its moderators and administrators", blueprint)
}

// shown is a document as callers see it. Properties and relations that nobody gave
// rights of their own are left out, so that what was configured reads back as such
// (B6).
func (a *Access) shown(definition store.Doc, entities jsonv.Object) jsonv.Object {
	entities = jsonv.CloneObject(entities)
	if a.deps.ListAllFields {
		id := jsonv.String(definition, "identifier")
		for part, fields := range fieldsOf(definition) {
			blocks := jsonv.Map(entities, part)
			for key := range fields {
				if _, listed := blocks[key]; !listed {
					blocks[key] = defaultBlock(id)
				}
			}
		}
	}
	return jsonv.Object{entitiesKey: entities}
}

// fieldsOf are the properties and relations of a blueprint, by the part of a
// document that their rights stand in.
func fieldsOf(definition store.Doc) map[string]jsonv.Object {
	return map[string]jsonv.Object{
		updatePropertiesKey: jsonv.Map(definition, "schema", "properties"),
		updateRelationsKey:  jsonv.Map(definition, "relations"),
	}
}

// patched is what a document holds once a checked patch is laid over it, leaf by
// leaf (B3).
func (a *Access) patched(tx store.Tx, org string, definition store.Doc, entities jsonv.Object, patch blueprintPatch) (jsonv.Object, error) {
	if err := knownFields(definition, patch); err != nil {
		return nil, err
	}
	if a.deps.Strict {
		if err := knownAssignees(tx, org, patch); err != nil {
			return nil, err
		}
	}
	next := jsonv.CloneObject(entities)
	for key, given := range patch {
		if key != updatePropertiesKey && key != updateRelationsKey {
			lay(jsonv.Map(next, key), jsonv.Map(patch, key))
			continue
		}
		blocks, fields := jsonv.Map(next, key), jsonv.Map(given)
		if key == updateRelationsKey && len(fields) == 0 {
			clear(blocks) // how a client says that it has none any more
		}
		for field, over := range fields {
			if over == nil {
				unlist(blocks, field)
				continue
			}
			if _, listed := blocks[field]; !listed {
				blocks[field] = defaultBlock(jsonv.String(definition, "identifier"))
			}
			lay(jsonv.Map(blocks, field), jsonv.Map(over))
		}
	}
	return next, nil
}

// unlist takes the rights of a field away. The "$" fields always have some.
func unlist(blocks jsonv.Object, field string) {
	if !slices.Contains(metaFields, field) {
		delete(blocks, field)
	}
}

// lay puts the given keys of a block over another.
func lay(b, over jsonv.Object) {
	maps.Copy(b, over)
	if b[policyKey] == nil {
		delete(b, policyKey)
	}
}

// knownFields refuses rights to what the blueprint does not have (B4).
func knownFields(definition store.Doc, patch jsonv.Object) error {
	unknown := map[string][]string{}
	for part, fields := range fieldsOf(definition) {
		for key := range jsonv.Map(patch, part) {
			_, known := fields[key]
			if !known && (part != updatePropertiesKey || !slices.Contains(metaFields, key)) {
				unknown[part] = append(unknown[part], key)
			}
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	properties, relations := sorted(unknown[updatePropertiesKey]), sorted(unknown[updateRelationsKey])
	return fault.New(http.StatusUnprocessableEntity, "invalid_permissions", "blueprint %q has no such fields: properties %s, relations %s",
		jsonv.String(definition, "identifier"), jsonv.Encode(properties), jsonv.Encode(relations)).
		With("invalidProperties", properties).With("invalidRelations", relations)
}

// knownAssignees refuses users and teams that do not exist (B8).
func knownAssignees(tx store.Tx, org string, patch jsonv.Object) error {
	for _, kind := range []struct{ list, blueprint, noun string }{{"users", "_user", "User"}, {"teams", "_team", "Team"}} {
		for _, name := range namesIn(patch, kind.list) {
			id := name
			if kind.list == "users" {
				id = ident.Email(name) // how e-mail addresses are kept
			}
			there, err := catalog.EntityExists(tx, org, kind.blueprint, id)
			if err != nil {
				return err
			}
			if !there {
				return fault.NotFound(kind.noun, name)
			}
		}
	}
	return nil
}

// namesIn collects the lists under key, wherever they stand.
func namesIn(o jsonv.Object, key string) (names []string) {
	for k, v := range o {
		switch v := v.(type) {
		case jsonv.Object:
			if k != policyKey {
				names = append(names, namesIn(v, key)...)
			}
		case []any:
			if k == key {
				names = append(names, jsonv.Strings(v)...)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
