package catalog

import (
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// apply stores a planned write.
func (w *write) apply() error {
	for _, k := range w.missing {
		if err := w.s.createBare(k); err != nil {
			return err
		}
	}
	k := entityKey{w.bp.id, w.id}
	if w.existing == nil {
		if err := w.s.change("CREATE", k, k, func() error { return w.s.putEntity(k, w.doc) }); err != nil {
			return err
		}
		return w.systemEffects()
	}
	was := entityKey{w.bp.id, jsonv.String(w.existing, "identifier")}
	err := w.s.change("UPDATE", was, k, func() error {
		if was != k {
			return w.rename(was, k)
		}
		return w.s.putEntity(k, w.doc)
	})
	if err != nil {
		return err
	}
	if err := w.systemEffects(); err != nil {
		return err
	}
	return w.s.settle()
}

// createBare makes the target of a relation that names nothing yet: its
// identifier, its defaults and nothing else (reference/catalog.md §4.6).
func (s *session) createBare(k entityKey) error {
	existing, err := s.entity(k)
	if err != nil || existing != nil {
		return err
	}
	bp, err := s.needBlueprint(k.blueprint)
	if err != nil {
		return err
	}
	d := s.bare(bp, k)
	return s.change("CREATE", k, k, func() error { return s.putEntity(k, d) })
}

func (s *session) bare(bp *blueprint, k entityKey) store.Doc {
	properties := jsonv.Object{}
	bp.applyDefaults(properties)
	d := store.Doc{
		"identifier": k.id, "blueprint": k.blueprint, "title": k.id, "team": []any{},
		"properties": properties, "relations": jsonv.Object{},
		"createdAt": s.stamp, "createdBy": s.actor.ID, "updatedAt": s.stamp, "updatedBy": s.actor.ID,
	}
	if s.actor.UserAgent != "" {
		d[datasourceKey] = s.actor.UserAgent
	}
	return d
}

// rename stores the entity under its new identifier; whoever points at the old
// one follows (reference/catalog.md §4.3).
func (w *write) rename(was, is entityKey) error {
	own := &edit{doc: w.doc}
	var followers []entityKey
	refs, err := w.s.references(was.blueprint)
	if err != nil {
		return err
	}
	for _, r := range refs {
		if r.blueprint == was.blueprint {
			redirectRelation(own, r.key, was.id, is.id)
		}
	}
	w.doc = own.current()
	edits := map[entityKey]*edit{}
	err = w.s.eachReferrer(was, func(r reference, from entityKey) error {
		if from == was {
			return nil
		}
		e := edits[from]
		if e == nil {
			d, err := w.s.entity(from)
			if err != nil {
				return err
			}
			e = &edit{doc: d}
			edits[from] = e
			followers = append(followers, from)
			if err := w.s.follows(from, from); err != nil {
				return err
			}
		}
		redirectRelation(e, r.key, was.id, is.id)
		return nil
	})
	if err != nil {
		return err
	}
	if err := w.s.renameEntity(was, is, w.doc); err != nil {
		return err
	}
	for _, f := range followers {
		if e := edits[f]; e.result != nil {
			if err := w.s.putEntity(f, e.result); err != nil {
				return err
			}
		}
	}
	if was.blueprint == sysTeam {
		return w.s.renameOwner(was.id, is.id)
	}
	return nil
}

// renameEntity moves an entity that may change on the way.
func (s *session) renameEntity(was, is entityKey, d store.Doc) error {
	before, err := s.entity(was)
	if err != nil {
		return err
	}
	err = s.carrying(func() error {
		if err := s.dropEntity(was); err != nil {
			return err
		}
		return s.putEntity(is, d)
	})
	if err != nil {
		return err
	}
	if err := s.accountWritten(is, before, d); err != nil {
		return err
	}
	bp, err := s.blueprint(is.blueprint)
	if err != nil || bp == nil || len(bp.timers) == 0 {
		return err
	}
	rename := func(_ entityKey, property string) (entityKey, string) { return is, property }
	if err := s.carryTimers(rename, was.blueprint, was.id); err != nil {
		return err
	}
	return s.followTimers(is, before, d)
}

// redirectRelation exchanges one identifier in a relation.
func redirectRelation(e *edit, key, was, is string) {
	value, _ := jsonv.Get(e.current(), "relations", key)
	switch value := value.(type) {
	case string:
		if value == was {
			e.part("relations")[key] = is
		}
	case []any:
		if holds(value, was) {
			e.part("relations")[key] = replaced(value, was, is)
		}
	}
}
