package catalog

import (
	"context"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// ListBlueprints returns all blueprints, system ones included.
func (c *Catalog) ListBlueprints(ctx context.Context, tx store.Tx, actor Actor) ([]any, error) {
	all, err := c.begin(ctx, tx, actor).allBlueprints()
	if err != nil {
		return nil, err
	}
	out := make([]any, len(all))
	for i, b := range all {
		out[i] = public(b.doc)
	}
	return out, nil
}

// ReadBlueprint returns one blueprint.
func (c *Catalog) ReadBlueprint(ctx context.Context, tx store.Tx, actor Actor, id string) (jsonv.Object, error) {
	b, err := c.begin(ctx, tx, actor).needBlueprint(id)
	if err != nil {
		return nil, err
	}
	return public(b.doc), nil
}

// CreateBlueprint creates a blueprint from a full body.
func (c *Catalog) CreateBlueprint(ctx context.Context, tx store.Tx, actor Actor, body any) (jsonv.Object, error) {
	def, problems := readDefinition(body, true)
	if err := problems.Invalid(); err != nil {
		return nil, err
	}
	s := c.begin(ctx, tx, actor)
	id := jsonv.String(def, "identifier")
	existing, err := s.blueprint(id)
	if err != nil {
		return nil, err
	}
	if existing != nil {
		return nil, fault.Taken("Blueprint", id)
	}
	def["createdAt"], def["createdBy"] = s.stamp, actor.ID
	return s.writeBlueprint(def, nil)
}

// PutBlueprint replaces a blueprint; a new identifier in the body renames it.
func (c *Catalog) PutBlueprint(ctx context.Context, tx store.Tx, actor Actor, id string, body any) (jsonv.Object, error) {
	def, problems := readDefinition(body, false)
	if err := problems.Invalid(); err != nil {
		return nil, err
	}
	s := c.begin(ctx, tx, actor)
	old, err := s.needBlueprint(id)
	if err != nil {
		return nil, err
	}
	if err := s.mayManage(id); err != nil {
		return nil, err
	}
	return s.replaceBlueprint(old, def)
}

// PatchBlueprint merges body into a blueprint (reference/catalog.md §2.12).
func (c *Catalog) PatchBlueprint(ctx context.Context, tx store.Tx, actor Actor, id string, body any) (jsonv.Object, error) {
	patch, ok := body.(jsonv.Object)
	if !ok {
		return nil, invalid("", "want an object, got %s", jsonv.KindOf(body))
	}
	s := c.begin(ctx, tx, actor)
	old, err := s.needBlueprint(id)
	if err != nil {
		return nil, err
	}
	if err := s.mayManage(id); err != nil {
		return nil, err
	}
	merged := patched(public(old.doc), patch)
	if isSystem(old.id) {
		if err := refusePatch(old, patch, merged); err != nil {
			return nil, err
		}
	}
	def, problems := readDefinition(merged, false)
	if err := problems.Invalid(); err != nil {
		return nil, err
	}
	return s.replaceBlueprint(old, def)
}

// replaceBlueprint writes a checked definition over old.
func (s *session) replaceBlueprint(old *blueprint, def jsonv.Object) (jsonv.Object, error) {
	if _, ok := def["identifier"]; !ok {
		def["identifier"] = old.id
	}
	id := jsonv.String(def, "identifier")
	if isSystem(old.id) {
		if id != old.id {
			return nil, protected(old.id, "blueprint %q is a system blueprint and cannot be renamed", old.id)
		}
		if err := keepManaged(old, def); err != nil {
			return nil, err
		}
	}
	if id != old.id {
		taken, err := s.blueprint(id)
		if err != nil {
			return nil, err
		}
		if taken != nil {
			return nil, fault.Taken("Blueprint", id)
		}
		redirect(def, old.id, id)
	}
	def["createdAt"], def["createdBy"] = old.doc["createdAt"], old.doc["createdBy"]
	return s.writeBlueprint(def, old)
}

// writeBlueprint checks a definition against the rest of the catalog, brings the
// entities along, and stores it.
func (s *session) writeBlueprint(def jsonv.Object, old *blueprint) (jsonv.Object, error) {
	def["updatedAt"], def["updatedBy"] = s.stamp, s.actor.ID
	next := compileBlueprint(def)
	if err := (&linker{s: s, next: next, old: old}).check(); err != nil {
		return nil, err
	}
	if old != nil {
		if err := s.bringAlong(old, next); err != nil {
			return nil, err
		}
	}
	if err := s.putBlueprint(def); err != nil {
		return nil, err
	}
	if old != nil && old.id != next.id {
		if err := s.renameBlueprint(old, next); err != nil {
			return nil, err
		}
	}
	action, before := "CREATE", store.Doc(nil)
	if old != nil {
		action, before = "UPDATE", old.doc
		if err := s.retime(old, next); err != nil {
			return nil, err
		}
	}
	if err := s.changedBlueprint(action, next.id, before, def); err != nil {
		return nil, err
	}
	return public(def), s.settle()
}

// bringAlong makes the entities fit the new definition; with a new identifier all
// of them change.
func (s *session) bringAlong(old, next *blueprint) error {
	if old.id != next.id && s.listening() {
		docs, err := s.stored(old.id)
		if err != nil {
			return err
		}
		if err := s.allFollow(old.id, next.id, docs); err != nil {
			return err
		}
	}
	return s.evolve(old, next)
}

// patched merges a PATCH body into a definition: maps entry by entry, entries key
// by key, null removes.
func patched(def, patch jsonv.Object) jsonv.Object {
	out := jsonv.CloneObject(def)
	for key, given := range patch {
		switch key {
		case "schema":
			in, ok := given.(jsonv.Object)
			if !ok {
				out[key] = given
				if given == nil {
					out[key] = false // null is no schema: let the reader say so
				}
				continue
			}
			schema := jsonv.CloneObject(jsonv.Map(def, "schema"))
			for k, v := range in {
				switch {
				case k == "properties" && v != nil:
					schema[k] = patchedEntries(schema[k], v)
				case k == "properties":
				default:
					schema[k] = v
				}
			}
			out[key] = schema
		case "mirrorProperties", "calculationProperties", "aggregationProperties", "relations":
			out[key] = patchedEntries(out[key], given)
		default:
			if given == nil {
				delete(out, key)
				continue
			}
			out[key] = given
		}
	}
	return out
}

func patchedEntries(was, given any) any {
	if given == nil {
		return jsonv.Object{}
	}
	in, ok := given.(jsonv.Object)
	entries, isMap := was.(jsonv.Object)
	if !ok || !isMap {
		return given
	}
	out := jsonv.CloneObject(entries)
	for key, value := range in {
		if value == nil {
			delete(out, key)
			continue
		}
		fields, ok := value.(jsonv.Object)
		entry, exists := out[key].(jsonv.Object)
		if !ok || !exists {
			out[key] = value
			continue
		}
		for k, v := range fields {
			if v == nil {
				delete(entry, k)
				continue
			}
			entry[k] = v
		}
	}
	return out
}

// DeleteBlueprint deletes a blueprint that nothing depends on; deleteActions
// takes its self-service actions along (reference/catalog.md §2.15).
func (c *Catalog) DeleteBlueprint(ctx context.Context, tx store.Tx, actor Actor, id string, deleteActions bool) error {
	s := c.begin(ctx, tx, actor)
	b, err := s.needBlueprint(id)
	if err != nil {
		return err
	}
	if err := s.mayManage(id); err != nil {
		return err
	}
	if isSystem(id) {
		return protected(id, "blueprint %q is a system blueprint and cannot be deleted", id)
	}
	for _, err := range s.entitiesOf(id, nil, store.Page{Limit: 1}) {
		if err != nil {
			return err
		}
		return fault.HasDependents("blueprint %q has entities: has_dependents; delete them first", id)
	}
	if err := s.refuseTargeted(id); err != nil {
		return err
	}
	if a := c.deps.Actions; a != nil {
		actions, err := a.Of(tx, actor.Org, id)
		if err != nil {
			return err
		}
		if len(actions) > 0 && !deleteActions {
			return fault.HasDependents("blueprint %q has actions: has_dependents; use delete_actions=true to delete them too", id)
		}
		if err := a.DeleteOf(tx, actor, id); err != nil {
			return err
		}
	}
	return s.removeBlueprint(b)
}

// removeBlueprint drops a blueprint that has no entities, and what was made for
// it: its scorecards and its mention in lists of blueprints.
func (s *session) removeBlueprint(b *blueprint) error {
	if err := s.dropScorecards(b.id); err != nil {
		return err
	}
	if err := s.dropBlueprint(b.id); err != nil {
		return err
	}
	if err := s.changedBlueprint("DELETE", b.id, b.doc, nil); err != nil {
		return err
	}
	if f := s.cat.deps.Follower; f != nil {
		if err := f.BlueprintDeleted(s.tx, s.actor.Org, b.id); err != nil {
			return err
		}
	}
	if err := s.forgetInValues(b.id); err != nil {
		return err
	}
	return s.settle()
}

// refuseTargeted refuses to delete a blueprint that a relation of another one
// points at.
func (s *session) refuseTargeted(id string) error {
	refs, err := s.references(id)
	if err != nil {
		return err
	}
	var others []string
	for _, r := range refs {
		if r.blueprint != id && !r.isResultTarget() {
			others = append(others, r.blueprint+"."+r.key)
		}
	}
	if len(others) > 0 {
		return fault.HasDependents("blueprint %q is the target of relations: has_dependents: %s", id, joined(others))
	}
	return nil
}

// CountEntities counts the entities of a blueprint that the caller may read.
func (c *Catalog) CountEntities(ctx context.Context, tx store.Tx, actor Actor, blueprint string) (int, error) {
	s := c.begin(ctx, tx, actor).reader()
	bp, err := s.needBlueprint(blueprint)
	if err != nil {
		return 0, err
	}
	return s.count(bp, query.All())
}
