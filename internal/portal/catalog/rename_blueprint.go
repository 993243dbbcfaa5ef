package catalog

import (
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// redirect points what a definition says about blueprint old at next: relation
// targets and the targets and paths of aggregations. It changes def and reports
// whether anything was there to change.
func redirect(def jsonv.Object, old, next string) bool {
	changed := false
	swap := func(o jsonv.Object, key string) {
		if o != nil && jsonv.String(o, key) == old {
			o[key] = next
			changed = true
		}
	}
	for _, r := range jsonv.Map(def, "relations") {
		swap(jsonv.Map(r), "target")
	}
	for _, a := range jsonv.Map(def, "aggregationProperties") {
		swap(jsonv.Map(a), "target")
		swap(jsonv.Map(a, "pathFilter", "0"), "fromBlueprint")
	}
	return changed
}

// renameBlueprint carries everything that names the blueprint over to its new
// identifier (reference/catalog.md §2.12). next is already stored.
func (s *session) renameBlueprint(old, next *blueprint) error {
	if err := s.dropBlueprint(old.id); err != nil {
		return err
	}
	all, err := s.allBlueprints()
	if err != nil {
		return err
	}
	for _, b := range all {
		if b.id == next.id {
			continue
		}
		def := jsonv.CloneObject(b.doc)
		if redirect(def, old.id, next.id) {
			if err := s.putBlueprint(def); err != nil {
				return err
			}
			if err := s.changedBlueprint("UPDATE", b.id, b.doc, def); err != nil {
				return err
			}
		}
		if isSystem(b.id) {
			if err := s.renameInValues(b, old.id, next.id); err != nil {
				return err
			}
		}
	}
	docs, err := s.stored(old.id)
	if err != nil {
		return err
	}
	for _, d := range docs {
		id := jsonv.String(d, "identifier")
		e := &edit{doc: d}
		e.set("blueprint", next.id)
		err := s.carrying(func() error {
			if err := s.dropEntity(entityKey{old.id, id}); err != nil {
				return err
			}
			return s.putEntity(entityKey{next.id, id}, e.result)
		})
		if err != nil {
			return err
		}
	}
	if len(old.timers) > 0 {
		rename := func(k entityKey, property string) (entityKey, string) { return entityKey{next.id, k.id}, property }
		if err := s.carryTimers(rename, old.id); err != nil {
			return err
		}
	}
	if a := s.cat.deps.Actions; a != nil {
		if err := a.BlueprintRenamed(s.tx, s.actor.Org, old.id, next.id); err != nil {
			return err
		}
	}
	if f := s.cat.deps.Follower; f != nil {
		if err := f.BlueprintRenamed(s.tx, s.actor.Org, old.id, next.id); err != nil {
			return err
		}
	}
	return s.renameInMigrations(old.id, next.id)
}

// stored lists the entities of a blueprint.
func (s *session) stored(blueprint string) (docs []store.Doc, err error) {
	for row, err := range s.entitiesOf(blueprint, nil, store.Page{}) {
		if err != nil {
			return nil, err
		}
		docs = append(docs, row.Doc)
	}
	return docs, nil
}

// renameInValues rewrites the properties of system blueprints that hold
// blueprint identifiers, such as _scorecard.blueprint.
func (s *session) renameInValues(b *blueprint, old, next string) error {
	return s.editMentions(b, old, func(e *edit, key string, value any) {
		if list, ok := value.([]any); ok {
			e.part("properties")[key] = replaced(list, old, next)
		} else {
			e.part("properties")[key] = next
		}
	})
}

// forgetInValues takes a deleted blueprint out of the lists of blueprints that
// entities of system blueprints hold, such as _user.moderated_blueprints
// (reference/identity.md §4.2).
func (s *session) forgetInValues(id string) error {
	for _, system := range systemIdentifiers() {
		b, err := s.blueprint(system)
		if err != nil {
			return err
		}
		err = s.editMentions(b, id, func(e *edit, key string, value any) {
			if list, ok := value.([]any); ok {
				e.part("properties")[key] = without(list, id)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// editMentions changes the entities of b whose properties of format "blueprints"
// hold id.
func (s *session) editMentions(b *blueprint, id string, change func(e *edit, key string, value any)) error {
	for _, key := range sortedKeys(b.props) {
		if f := fieldOf(b.props[key].def); f.Format != "blueprints" && f.ItemFormat != "blueprints" {
			continue
		}
		where := indexed{equals: equalTo(indexProperty+key, id), match: func(d store.Doc) bool {
			value, _ := jsonv.Get(d, "properties", key)
			return holds(value, id)
		}}
		var changed []store.Doc
		for row, err := range s.entitiesOf(b.id, where, store.Page{}) {
			if err != nil {
				return err
			}
			e := &edit{doc: row.Doc}
			change(e, key, jsonv.Map(row.Doc, "properties")[key])
			if e.result != nil {
				changed = append(changed, e.result)
			}
		}
		if err := s.putFollowers(b.id, changed); err != nil {
			return err
		}
	}
	return nil
}

// without returns list without an element.
func without(list []any, element string) []any {
	out := make([]any, 0, len(list))
	for _, e := range list {
		if e != element {
			out = append(out, e)
		}
	}
	return out
}

// replaced returns list with every old exchanged for next.
func replaced(list []any, old, next string) []any {
	out := make([]any, 0, len(list))
	for _, e := range list {
		if e == old {
			e = next
		}
		// The new name may be in the list already, put there by the same request.
		if e != next || !holds(out, next) {
			out = append(out, e)
		}
	}
	return out
}
