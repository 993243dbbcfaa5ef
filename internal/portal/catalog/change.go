package catalog

import (
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Recorder is told of every change of a blueprint or an entity in the transaction
// that makes it; the audit log and everything that reacts to changes hang on it
// (reference/catalog.md §7).
type Recorder interface {
	Record(tx store.Tx, e Event) error
}

// Event is one change. Before is nil for CREATE and After for DELETE; both are
// full documents, entities with computed properties (U1).
type Event struct {
	Action string
	// Resource is "blueprint" or "entity"; Entity is empty for a blueprint.
	Resource  string
	Actor     Actor
	At        string
	Blueprint string
	Entity    string
	RunID     string
	Before    jsonv.Object
	After     jsonv.Object
}

// change makes one change of an entity and records it. Documents are computed
// only when somebody listens, since a listener costs two reads per write.
func (s *session) change(action string, was, is entityKey, do func() error) error {
	recorder := s.cat.deps.Recorder
	if recorder == nil || s.dry {
		return do()
	}
	e := Event{Action: action, Resource: "entity", Actor: s.actor, At: s.stamp, Blueprint: is.blueprint, Entity: is.id, RunID: s.runID}
	var err error
	if action != "CREATE" {
		if e.Before, err = s.snapshot(was); err != nil {
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	if action != "DELETE" {
		if e.After, err = s.snapshot(is); err != nil {
			return err
		}
	}
	return recorder.Record(s.tx, e)
}

// changedBlueprint records one change of a blueprint; before or after is nil.
func (s *session) changedBlueprint(action, id string, before, after store.Doc) error {
	recorder := s.cat.deps.Recorder
	if recorder == nil {
		return nil
	}
	e := Event{Action: action, Resource: "blueprint", Actor: s.actor, At: s.stamp, Blueprint: id, RunID: s.runID}
	if before != nil {
		e.Before = public(before)
	}
	if after != nil {
		e.After = public(after)
	}
	return recorder.Record(s.tx, e)
}

// snapshot is the entity as it reads now.
func (s *session) snapshot(k entityKey) (jsonv.Object, error) {
	v, err := s.view(k)
	if err != nil || v == nil {
		return nil, err
	}
	return s.render(v, projection{})
}
