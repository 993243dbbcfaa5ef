package catalog

import (
	"context"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// datasourceKey is where a stored entity keeps its last writer's User-Agent.
const datasourceKey = "$datasource"

// Outcome is what came of a write.
type Outcome struct {
	Entity jsonv.Object
	// Created is false when an existing entity was written.
	Created bool
	// Additional is told beside the entity and never again; nil when there is
	// nothing (see [Accounts.Written]).
	Additional jsonv.Object
}

// CreateEntity is [Catalog.WriteEntity] for callers who are not interested in more
// than the entity.
func (c *Catalog) CreateEntity(ctx context.Context, tx store.Tx, actor Actor, blueprint string, body any, o WriteOptions) (entity jsonv.Object, created bool, err error) {
	out, err := c.WriteEntity(ctx, tx, actor, blueprint, body, o)
	return out.Entity, out.Created, err
}

// WriteEntity creates or, by the options, overrides or merges an entity. With
// ValidationOnly a read-only transaction is enough.
func (c *Catalog) WriteEntity(ctx context.Context, tx store.Tx, actor Actor, blueprint string, body any, o WriteOptions) (Outcome, error) {
	r := &reader{}
	in := r.entityBody(body, false)
	if err := r.problems.Invalid(); err != nil {
		return Outcome{}, err
	}
	s := c.begin(ctx, tx, actor)
	s.dry = o.ValidationOnly
	bp, err := s.openBlueprint(blueprint, o.RunID)
	if err != nil {
		return Outcome{}, err
	}
	w, err := s.upsert(bp, in, o)
	if err != nil {
		return Outcome{}, err
	}
	entity, err := s.written(w)
	return Outcome{entity, w.existing == nil, s.additional[entityKey{bp.id, w.id}]}, err
}

// PutEntity overrides an existing entity.
func (c *Catalog) PutEntity(ctx context.Context, tx store.Tx, actor Actor, blueprint, id string, body any, o WriteOptions) (jsonv.Object, error) {
	return c.changeEntity(ctx, tx, actor, blueprint, id, body, false, o)
}

// PatchEntity merges body into an existing entity.
func (c *Catalog) PatchEntity(ctx context.Context, tx store.Tx, actor Actor, blueprint, id string, body any, o WriteOptions) (jsonv.Object, error) {
	return c.changeEntity(ctx, tx, actor, blueprint, id, body, true, o)
}

func (c *Catalog) changeEntity(ctx context.Context, tx store.Tx, actor Actor, blueprint, id string, body any, merge bool, o WriteOptions) (jsonv.Object, error) {
	r := &reader{}
	in := r.entityBody(body, merge)
	if err := r.problems.Invalid(); err != nil {
		return nil, err
	}
	s := c.begin(ctx, tx, actor)
	s.dry = o.ValidationOnly
	bp, err := s.openBlueprint(blueprint, o.RunID)
	if err != nil {
		return nil, err
	}
	if id, err = s.spelled(blueprint, id); err != nil {
		return nil, err
	}
	existing, err := s.entity(entityKey{blueprint, id})
	if err != nil {
		return nil, err
	}
	if existing == nil {
		return nil, fault.NotFound("Entity", id).With("blueprint", blueprint)
	}
	if in.idQuery != nil {
		if in.id, err = s.selectOne(bp, in.idQuery); err != nil {
			return nil, err
		}
	}
	w := &write{s: s, bp: bp, in: in, existing: existing, merge: merge, createMissing: o.CreateMissing, id: id}
	if in.id != "" {
		w.id = in.id
	}
	if err := w.permit(); err != nil {
		return nil, err
	}
	if err := w.plan(); err != nil {
		return nil, err
	}
	if w.id != id {
		taken, err := s.entity(entityKey{blueprint, w.id})
		if err != nil {
			return nil, err
		}
		if taken != nil {
			return nil, fault.Taken("Entity", w.id)
		}
	}
	if err := w.apply(); err != nil {
		return nil, err
	}
	return s.written(w)
}

// openBlueprint finds the blueprint of an entity write and checks its run.
func (s *session) openBlueprint(id, runID string) (*blueprint, error) {
	bp, err := s.needBlueprint(id)
	if err != nil {
		return nil, err
	}
	return bp, s.checkRun(runID)
}

// upsert plans and applies a POST (reference/catalog.md §4.4).
func (s *session) upsert(bp *blueprint, in entityBody, o WriteOptions) (*write, error) {
	var err error
	id := in.id
	if in.idQuery != nil {
		if id, err = s.selectOne(bp, in.idQuery); err != nil {
			return nil, err
		}
	}
	if id == "" {
		id = s.cat.deps.IDs.Entity()
	}
	if id, err = s.spelled(bp.id, id); err != nil {
		return nil, err
	}
	existing, err := s.entity(entityKey{bp.id, id})
	if err != nil {
		return nil, err
	}
	w := &write{s: s, bp: bp, in: in, id: id, createMissing: o.CreateMissing}
	if o.Upsert {
		w.existing, w.merge = existing, existing != nil && o.Merge
	}
	if err := w.permit(); err != nil {
		return nil, err
	}
	if bp.id == ruleResults {
		return nil, protectedEntity("created")
	}
	if err := w.plan(); err != nil {
		return nil, err
	}
	if existing != nil && !o.Upsert {
		return nil, fault.Taken("Entity", id).With("blueprint", bp.id)
	}
	return w, w.apply()
}

// written is the answer to a write.
func (s *session) written(w *write) (jsonv.Object, error) {
	// What was written is shown to whoever wrote it; what lies behind its mirrors is not.
	r := s.reader()
	out, err := r.render(r.viewOf(w.bp, w.doc), projection{})
	if err != nil || !w.unseen {
		return out, err
	}
	w.blind(out)
	return out, nil
}

// blind takes out of an answer what the caller did not give: the right to change an
// entity is none to read the rest of it.
func (w *write) blind(out jsonv.Object) {
	for part, given := range map[string]jsonv.Object{PartProperties: w.in.properties, PartRelations: w.in.relations} {
		shown := jsonv.Object{}
		for key, value := range jsonv.Map(out, part) {
			if _, own := given[key]; own {
				shown[key] = value
			}
		}
		out[part] = shown
	}
	for key, given := range map[string]bool{"title": w.in.hasTitle, "icon": w.in.hasIcon, "team": w.in.hasTeam} {
		if !given {
			delete(out, key)
		}
	}
}
