package catalog

import (
	"context"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// DeleteAllEntities empties a blueprint and returns the id of the migration that
// did it. The work is done when it returns, so that the first poll sees COMPLETED
// (reference/catalog.md §2.16 X7).
func (c *Catalog) DeleteAllEntities(ctx context.Context, tx store.Tx, actor Actor, id string, o DeleteAllOptions) (string, error) {
	s := c.begin(ctx, tx, actor)
	s.job = true
	b, err := s.needBlueprint(id)
	if err != nil {
		return "", err
	}
	if err := s.checkRun(o.RunID); err != nil {
		return "", err
	}
	if err := s.mayManage(id); err != nil {
		return "", err
	}
	if o.Blueprint && isSystem(id) {
		return "", protected(id, "blueprint %q is a system blueprint and cannot be deleted", id)
	}
	if id == ruleResults {
		return "", protectedEntity("deleted")
	}
	refs, err := s.references(id)
	if err != nil {
		return "", err
	}
	if err := refuseEmptying(b, refs, o.Blueprint); err != nil {
		return "", err
	}
	count, err := s.deleteEverything(b, refs)
	if err != nil {
		return "", err
	}
	if o.Blueprint {
		if a := c.deps.Actions; a != nil {
			if err := a.DeleteOf(tx, actor, id); err != nil {
				return "", err
			}
		}
		if err := s.removeBlueprint(b); err != nil {
			return "", err
		}
	}
	record := s.newMigration(id, jsonv.Object{}, stateCompleted)
	record["deleteEntities"], record["deleteBlueprint"] = true, o.Blueprint
	record["successCount"] = jsonv.Int(count)
	return jsonv.String(record, "id"), s.putMigration(record)
}

// refuseEmptying checks X3 and X4.
func refuseEmptying(b *blueprint, refs []reference, withBlueprint bool) error {
	var required, any []string
	for _, r := range refs {
		if r.blueprint == b.id || r.isResultTarget() {
			continue
		}
		any = append(any, r.blueprint+"."+r.key)
		if r.required {
			required = append(required, r.blueprint+"."+r.key)
		}
	}
	// Children of scorecards and rules go with them instead of protecting them.
	if len(required) > 0 && !ownsChildren(b.id) {
		return fault.HasDependents("required relations point at blueprint %q: has_dependents: %s", b.id, joined(required))
	}
	if withBlueprint && len(any) > 0 {
		return fault.HasDependents("blueprint %q is the target of relations: has_dependents: %s", b.id, joined(any))
	}
	return nil
}

// deleteEverything deletes all entities of b and empties the relations that
// pointed at them.
func (s *session) deleteEverything(b *blueprint, refs []reference) (n int, err error) {
	err = s.together(func() error {
		n, err = s.deleteEach(b, refs)
		return err
	})
	return n, err
}

func (s *session) deleteEach(b *blueprint, refs []reference) (int, error) {
	var ids []string
	for row, err := range s.entitiesOf(b.id, nil, store.Page{}) {
		if err != nil {
			return 0, err
		}
		ids = append(ids, jsonv.String(row.Doc, "identifier"))
	}
	if s.deletesMore(b.id, refs) {
		d := s.deletion(ownsChildren(b.id))
		for _, id := range ids {
			d.add(entityKey{b.id, id})
		}
		return len(ids), d.run()
	}
	for _, id := range ids {
		k := entityKey{b.id, id}
		if err := s.change("DELETE", k, k, func() error { return s.dropEntity(k) }); err != nil {
			return 0, err
		}
	}
	for _, r := range refs {
		if r.blueprint == b.id {
			continue
		}
		if err := s.emptyRelation(r); err != nil {
			return 0, err
		}
	}
	return len(ids), s.settle()
}

// emptyRelation clears a relation on every entity that has a value in it.
func (s *session) emptyRelation(r reference) error {
	var changed []store.Doc
	for row, err := range s.entitiesOf(r.blueprint, nil, store.Page{}) {
		if err != nil {
			return err
		}
		value, _ := jsonv.Get(row.Doc, "relations", r.key)
		if len(identifiersOf(value)) == 0 {
			continue
		}
		e := &edit{doc: row.Doc}
		e.part("relations")[r.key] = emptyOf(r.relation)
		changed = append(changed, e.result)
	}
	return s.putFollowers(r.blueprint, changed)
}

// emptyOf is the value of a cleared relation.
func emptyOf(r relation) any {
	if r.many {
		return []any{}
	}
	return nil
}
