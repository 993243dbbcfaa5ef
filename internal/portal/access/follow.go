package access

import (
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Assignee is a kind of name that permission documents list.
type Assignee string

// The assignees that come and go. Roles come and go with their blueprints.
const (
	AssigneeUser Assignee = "users"
	AssigneeTeam Assignee = "teams"

	assigneeRole Assignee = "roles"
)

// listing are the kinds of documents that list assignees, keyed by organization
// first. What stands below "policy" is a query and lists nobody.
var listing = []store.Kind{KindBlueprintPermissions, KindActionPermissions, KindPagePermissions}

// Forget takes a user (by e-mail) or a team (by identifier) that is deleted out of
// every permission document (reference/identity.md §2.6, §4.3).
func (a *Access) Forget(tx store.Tx, org string, what Assignee, id string) error {
	return a.replace(tx, org, what, id, "")
}

// Renamed lets every permission document follow a team's new identifier.
func (a *Access) Renamed(tx store.Tx, org string, what Assignee, was, is string) error {
	return a.replace(tx, org, what, was, is)
}

// replace exchanges a name in every list of its kind; "" takes it out.
func (a *Access) replace(tx store.Tx, org string, what Assignee, was, is string) error {
	same := func(name string) bool { return name == was }
	if what != AssigneeTeam {
		same = func(name string) bool { return ident.SameEmail(name, was) }
	}
	for _, kind := range listing {
		var changed []store.Row
		for row, err := range tx.Scan(kind, nil, store.Page{}, org) {
			if err != nil {
				return err
			}
			doc := jsonv.CloneObject(row.Doc)
			if exchange(doc, string(what), same, is) {
				changed = append(changed, store.Row{Key: slices.Clone(row.Key), Doc: doc})
			}
		}
		for _, row := range changed {
			if err := a.putRow(tx, kind, row); err != nil {
				return err
			}
		}
	}
	return nil
}

// putRow stores a document of one of the listing kinds.
func (a *Access) putRow(tx store.Tx, kind store.Kind, row store.Row) error {
	if kind == KindBlueprintPermissions {
		return put(tx, row.Key[0], row.Key[1], jsonv.Map(row.Doc, entitiesKey))
	}
	return tx.Put(kind, row.Doc, row.Key...)
}

// exchange replaces a name in every list under key, wherever it stands, and
// reports whether there was one.
func exchange(o jsonv.Object, key string, same func(string) bool, is string) bool {
	found := false
	for k, v := range o {
		switch v := v.(type) {
		case jsonv.Object:
			if k != policyKey {
				found = exchange(v, key, same, is) || found
			}
		case []any:
			names := jsonv.Strings(v)
			if k != key || !slices.ContainsFunc(names, same) {
				continue
			}
			names = slices.DeleteFunc(names, same)
			if is != "" {
				names = append(names, is)
			}
			o[k], found = sorted(names), true
		}
	}
	return found
}

// sorted is a list without duplicates in the order of documents (B7).
func sorted(names []string) []any {
	names = slices.Clone(names)
	slices.Sort(names)
	return jsonv.FromStrings(slices.Compact(names))
}

// BlueprintRenamed implements [catalog.Follower].
func (a *Access) BlueprintRenamed(tx store.Tx, org, was, is string) error {
	doc, err := stored(tx, org, was)
	if err != nil {
		return err
	}
	if doc != nil {
		if err := tx.Delete(KindBlueprintPermissions, org, was); err != nil {
			return err
		}
		if err := put(tx, org, is, jsonv.Map(doc, entitiesKey)); err != nil {
			return err
		}
	}
	return a.replace(tx, org, assigneeRole, ModeratorOf(was), ModeratorOf(is))
}

// BlueprintDeleted implements [catalog.Follower].
func (a *Access) BlueprintDeleted(tx store.Tx, org, blueprint string) error {
	doc, err := stored(tx, org, blueprint)
	if err != nil {
		return err
	}
	if doc != nil {
		if err := tx.Delete(KindBlueprintPermissions, org, blueprint); err != nil {
			return err
		}
	}
	return a.replace(tx, org, assigneeRole, ModeratorOf(blueprint), "")
}

// FieldRenamed implements [catalog.Follower].
func (a *Access) FieldRenamed(tx store.Tx, org, blueprint string, was catalog.Field, is string) error {
	return editField(tx, org, blueprint, was, func(blocks jsonv.Object, b any) { blocks[is] = b })
}

// FieldDeleted implements [catalog.Follower].
func (a *Access) FieldDeleted(tx store.Tx, org, blueprint string, field catalog.Field) error {
	return editField(tx, org, blueprint, field, func(jsonv.Object, any) {})
}

// editField takes the block of a field out of a document and hands it on (B9).
func editField(tx store.Tx, org, blueprint string, f catalog.Field, then func(blocks jsonv.Object, b any)) error {
	doc, err := stored(tx, org, blueprint)
	if err != nil || doc == nil {
		return err
	}
	part := updatePropertiesKey
	if f.Part == catalog.PartRelations {
		part = updateRelationsKey
	}
	entities := jsonv.CloneObject(jsonv.Map(doc, entitiesKey))
	blocks := jsonv.Map(entities, part)
	b, listed := blocks[f.Key]
	if !listed {
		return nil
	}
	delete(blocks, f.Key)
	then(blocks, b)
	return put(tx, org, blueprint, entities)
}
