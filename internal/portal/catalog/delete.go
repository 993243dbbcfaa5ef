package catalog

import (
	"context"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// DeleteEntity deletes an entity.
func (c *Catalog) DeleteEntity(ctx context.Context, tx store.Tx, actor Actor, blueprint, id string, o DeleteOptions) error {
	s := c.begin(ctx, tx, actor)
	if _, err := s.openBlueprint(blueprint, o.RunID); err != nil {
		return err
	}
	id, err := s.spelled(blueprint, id)
	if err != nil {
		return err
	}
	d, err := s.entity(entityKey{blueprint, id})
	if err != nil {
		return err
	}
	if d == nil {
		return fault.NotFound("Entity", id).With("blueprint", blueprint)
	}
	if err := s.mayDelete(entityKey{blueprint, id}); err != nil {
		return err
	}
	if blueprint == ruleResults {
		return protectedEntity("deleted")
	}
	del := s.deletion(o.Dependents)
	del.add(entityKey{blueprint, id})
	return del.run()
}

// maxBulkDelete is the most identifiers of one bulk delete.
const maxBulkDelete = 100

// BulkDelete deletes up to 100 entities, all or none, and returns the identifiers
// really deleted; unknown ones are skipped (§4.9).
func (c *Catalog) BulkDelete(ctx context.Context, tx store.Tx, actor Actor, blueprint string, body any, o DeleteOptions) ([]any, error) {
	ids, err := readBulkDelete(body)
	if err != nil {
		return nil, err
	}
	s := c.begin(ctx, tx, actor)
	if _, err := s.openBlueprint(blueprint, o.RunID); err != nil {
		return nil, err
	}
	deleted := []any{}
	del := s.deletion(o.Dependents)
	for _, id := range ids {
		if id, err = s.spelled(blueprint, id); err != nil {
			return nil, err
		}
		k := entityKey{blueprint, id}
		d, err := s.entity(k)
		if err != nil {
			return nil, err
		}
		if d == nil || !del.add(k) {
			continue
		}
		if err := s.mayDelete(k); err != nil {
			return nil, err
		}
		deleted = append(deleted, id)
	}
	if blueprint == ruleResults {
		return nil, protectedEntity("deleted")
	}
	return deleted, del.run()
}

func readBulkDelete(body any) ([]string, error) {
	r := &reader{}
	in := r.object(body)
	if body == nil {
		r.add(nil, "want an object, got null")
	}
	r.closed(in, nil, "entities")
	at := []string{"entities"}
	list, ok := in["entities"].([]any)
	if !ok {
		r.add(at, "want an array of identifiers")
	} else if len(list) < 1 || len(list) > maxBulkDelete {
		r.add(at, "takes 1 to %d identifiers, got %d", maxBulkDelete, len(list))
	}
	for i, e := range list {
		if _, ok := e.(string); !ok {
			r.add(below(at, string(jsonv.Int(i))), "want a string, got %s", jsonv.KindOf(e))
		}
	}
	return jsonv.Strings(list), r.problems.Invalid()
}

// deletion collects what goes together.
type deletion struct {
	s          *session
	dependents bool
	order      []entityKey
	going      map[entityKey]bool
}

func (s *session) deletion(dependents bool) *deletion {
	return &deletion{s: s, dependents: dependents, going: map[entityKey]bool{}}
}

// add takes an entity in and reports whether it was new.
func (d *deletion) add(k entityKey) bool {
	if d.going[k] {
		return false
	}
	d.going[k] = true
	d.order = append(d.order, k)
	return true
}

// loose is an optional relation that will lose a value.
type loose struct {
	from entityKey
	ref  reference
	id   string
}

// run checks what depends on the collected entities, then deletes them, and with
// them what requires them when that was asked for (D2–D5). Dependents go first.
func (d *deletion) run() error { return d.s.together(d.perform) }

func (d *deletion) perform() error {
	var optional []loose
	for i := 0; i < len(d.order); i++ {
		k := d.order[i]
		if err := d.admit(k); err != nil {
			return err
		}
		err := d.s.eachReferrer(k, func(r reference, from entityKey) error {
			switch {
			case d.going[from]:
			case r.isResultTarget():
				d.add(from) // the results of an entity go with it
			case !r.required:
				optional = append(optional, loose{from, r, k.id})
			case ownsChildren(k.blueprint):
				d.add(from) // whoever may delete a scorecard deletes its rules
			case d.dependents:
				d.add(from)
				return d.s.mayDelete(from)
			default:
				return fault.HasDependents("entity %q of blueprint %q is required by relation %q of entity %q of blueprint %q: has_dependents; use delete_dependents=true to delete the dependents too",
					k.id, k.blueprint, r.key, from.id, from.blueprint)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := d.leaveTeams(); err != nil {
		return err
	}
	for _, l := range optional {
		if !d.going[l.from] {
			if err := d.s.loosen(l); err != nil {
				return err
			}
		}
	}
	scored, err := d.scored()
	if err != nil {
		return err
	}
	for i := len(d.order) - 1; i >= 0; i-- {
		k := d.order[i]
		if err := d.s.change("DELETE", k, k, func() error { return d.s.dropEntity(k) }); err != nil {
			return err
		}
	}
	if err := d.s.withdrawTargets(scored); err != nil {
		return err
	}
	return d.s.settle()
}

// admit asks the keeper of accounts whether a user or a team may go.
func (d *deletion) admit(k entityKey) error {
	accounts := d.s.accounts(k.blueprint)
	if accounts == nil {
		return nil
	}
	doc, err := d.s.entity(k)
	if err != nil || doc == nil {
		return err
	}
	return accounts.AdmitDeletion(d.s.tx, d.s.actor, doc)
}

// loosen takes an identifier out of an optional relation; the holder's
// updatedAt stays (D4).
func (s *session) loosen(l loose) error {
	doc, err := s.entity(l.from)
	if err != nil || doc == nil {
		return err
	}
	e := &edit{doc: doc}
	value, _ := jsonv.Get(doc, "relations", l.ref.key)
	switch value := value.(type) {
	case string:
		e.part("relations")[l.ref.key] = nil
	case []any:
		kept := make([]any, 0, len(value))
		for _, id := range value {
			if id != l.id {
				kept = append(kept, id)
			}
		}
		e.part("relations")[l.ref.key] = kept
	default:
		return nil
	}
	if err := s.follows(l.from, l.from); err != nil {
		return err
	}
	return s.putEntity(l.from, e.result)
}
