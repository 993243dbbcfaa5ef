package catalog

import (
	"context"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/propschema"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// keyKind is one of the three things that have a rename route (reference/catalog.md §2.14).
type keyKind struct {
	what string
	// body is the key of the new name in the request.
	body string
	// at is where the definitions stand in a blueprint.
	at []string
	// values is where entities keep the values, "" when they keep none.
	values string
}

var (
	propertyKey = keyKind{"Property", "newPropertyName", []string{"schema", "properties"}, "properties"}
	mirrorKey   = keyKind{"Mirror property", "newMirrorName", []string{"mirrorProperties"}, ""}
	relationKey = keyKind{"Relation", "newRelationIdentifier", []string{"relations"}, "relations"}
)

// RenameProperty renames a property (body newPropertyName).
func (c *Catalog) RenameProperty(ctx context.Context, tx store.Tx, actor Actor, id, key string, body any) (jsonv.Object, error) {
	return c.begin(ctx, tx, actor).renameKey(propertyKey, id, key, body)
}

// RenameMirror renames a mirror property (body newMirrorName).
func (c *Catalog) RenameMirror(ctx context.Context, tx store.Tx, actor Actor, id, key string, body any) (jsonv.Object, error) {
	return c.begin(ctx, tx, actor).renameKey(mirrorKey, id, key, body)
}

// RenameRelation renames a relation (body newRelationIdentifier).
func (c *Catalog) RenameRelation(ctx context.Context, tx store.Tx, actor Actor, id, key string, body any) (jsonv.Object, error) {
	return c.begin(ctx, tx, actor).renameKey(relationKey, id, key, body)
}

func (s *session) renameKey(kind keyKind, id, key string, body any) (jsonv.Object, error) {
	r := &reader{}
	in := r.object(body)
	next := r.needText(in, kind.body, 0)
	if next != "" {
		r.name(next, propschema.Key, kind.body)
	}
	if err := r.problems.Invalid(); err != nil {
		return nil, err
	}
	bp, err := s.needBlueprint(id)
	if err != nil {
		return nil, err
	}
	entries := jsonv.Map(bp.doc, kind.at...)
	if _, ok := entries[key]; !ok {
		return nil, fault.NotFound(kind.what, key).With("blueprint", id)
	}
	if err := s.mayManage(id); err != nil {
		return nil, err
	}
	if next == key {
		return public(bp.doc), nil
	}
	if isManaged(id, kind.at, key) || kind.what == relationKey.what && bp.relations[key].isResultTarget() && id == ruleResults {
		return nil, protected(id, "%q of system blueprint %q is managed and cannot be renamed", key, id)
	}
	if _, taken := bp.relations[next]; taken && kind.what == relationKey.what {
		return nil, fault.Taken(kind.what, next)
	}
	if _, own := bp.props[next]; kind.what != relationKey.what && (own || bp.computed(next) != notComputed) {
		return nil, fault.Taken(kind.what, next)
	}
	return s.applyRename(bp, kind, key, next)
}

// applyRename moves the definition, what refers to it (N3, N4) and the values (N2).
func (s *session) applyRename(bp *blueprint, kind keyKind, was, is string) (jsonv.Object, error) {
	all, err := s.allBlueprints()
	if err != nil {
		return nil, err
	}
	known := make(map[string]*blueprint, len(all))
	for _, b := range all {
		known[b.id] = b
	}
	moved, err := s.movedValues(bp.id, kind.values, was, is)
	if err != nil {
		return nil, err
	}
	if err := s.allFollow(bp.id, bp.id, moved); err != nil {
		return nil, err
	}
	rw := &rewriter{bp: bp, kind: kind, was: was, is: is, find: func(id string) (*blueprint, error) { return known[id], nil }, s: s}
	var answer jsonv.Object
	for _, b := range all {
		def := jsonv.CloneObject(b.doc)
		if err := rw.definition(b, def); err != nil {
			return nil, err
		}
		if b.id == bp.id {
			entries := jsonv.Map(def, kind.at...)
			entries[is] = entries[was]
			delete(entries, was)
			if kind.what == propertyKey.what {
				jsonv.Map(def, "schema")["required"] = replaced(jsonv.List(def, "schema", "required"), was, is)
			}
			def["updatedAt"], def["updatedBy"] = s.stamp, s.actor.ID
			answer = public(def)
		} else if !rw.changed {
			continue
		}
		if err := s.putBlueprint(def); err != nil {
			return nil, err
		}
		if err := s.changedBlueprint("UPDATE", b.id, b.doc, def); err != nil {
			return nil, err
		}
	}
	if err := s.carrying(func() error { return s.putFollowers(bp.id, moved) }); err != nil {
		return nil, err
	}
	if kind.what == propertyKey.what && slices.Contains(bp.timers, was) {
		rename := func(k entityKey, property string) (entityKey, string) {
			if property == was {
				property = is
			}
			return k, property
		}
		if err := s.carryTimers(rename, bp.id); err != nil {
			return nil, err
		}
	}
	if err := rw.scorecardQueries(); err != nil {
		return nil, err
	}
	if f := s.cat.deps.Follower; f != nil && kind.values != "" {
		if err := f.FieldRenamed(s.tx, s.actor.Org, bp.id, Field{kind.values, was}, is); err != nil {
			return nil, err
		}
	}
	return answer, s.settle()
}

// movedValues are the entities of a blueprint that hold a value under a key,
// changed to hold it under another.
func (s *session) movedValues(blueprint, part, was, is string) ([]store.Doc, error) {
	if part == "" {
		return nil, nil
	}
	var changed []store.Doc
	for row, err := range s.entitiesOf(blueprint, nil, store.Page{}) {
		if err != nil {
			return nil, err
		}
		value, ok := jsonv.Get(row.Doc, part, was)
		if !ok {
			continue
		}
		e := &edit{doc: row.Doc}
		values := e.part(part)
		values[is] = value
		delete(values, was)
		changed = append(changed, e.result)
	}
	return changed, nil
}

// rewriter follows paths through the definitions as they were and exchanges the
// renamed key wherever a step means it.
type rewriter struct {
	s       *session
	bp      *blueprint
	kind    keyKind
	was, is string
	find    func(string) (*blueprint, error)
	changed bool
}

// definition rewrites one blueprint's mirrors, aggregations and ownership.
func (rw *rewriter) definition(b *blueprint, def jsonv.Object) error {
	rw.changed = false
	for key, m := range b.mirrors {
		end, steps, err := rw.steps(b, m.hops)
		if err != nil {
			return err
		}
		steps = append(steps, rw.leaf(end, m.leaf))
		jsonv.Map(def, "mirrorProperties", key)["path"] = strings.Join(steps, ".")
	}
	for key, a := range b.aggs {
		entry := jsonv.Map(def, "aggregationProperties", key)
		target, err := rw.find(a.target)
		if err != nil {
			return err
		}
		spec := jsonv.Map(entry, "calculationSpec")
		for _, name := range []string{"property", "measureTimeBy"} {
			if text := jsonv.String(spec, name); text != "" {
				spec[name] = rw.leaf(target, text)
			}
		}
		if len(a.path) == 0 {
			continue
		}
		start := b
		if a.from != "" {
			if start, err = rw.find(a.from); err != nil {
				return err
			}
		}
		_, steps, err := rw.steps(start, a.path)
		if err != nil {
			return err
		}
		jsonv.Map(entry, "pathFilter", "0")["path"] = jsonv.FromStrings(steps)
	}
	for _, key := range []string{"ownership", "teamInheritance"} {
		path := jsonv.String(def, key, "path")
		if path == "" {
			continue
		}
		_, steps, err := rw.steps(b, strings.Split(path, "."))
		if err != nil {
			return err
		}
		jsonv.Map(def, key)["path"] = strings.Join(steps, ".")
	}
	return nil
}

// steps rewrites a chain of relations and returns the blueprint it ends at, nil
// when it does not resolve; the rest of such a chain stays as it is.
func (rw *rewriter) steps(from *blueprint, path []string) (end *blueprint, out []string, err error) {
	end = from
	for _, step := range path {
		if end == nil {
			out = append(out, step)
			continue
		}
		if end.id == rw.bp.id && step == rw.was && rw.kind.what == relationKey.what {
			out = append(out, rw.is)
			rw.changed = true
		} else {
			out = append(out, step)
		}
		if end, _, err = rw.s.walkBlueprints(rw.find, end, []string{step}); err != nil {
			return nil, nil, err
		}
	}
	return end, out, nil
}

// leaf rewrites the name at a path's end, which means a property before it means
// a relation.
func (rw *rewriter) leaf(end *blueprint, name string) string {
	if end == nil || end.id != rw.bp.id || name != rw.was {
		return name
	}
	_, own := end.props[name]
	isProperty := own || end.computed(name) != notComputed
	if isProperty == (rw.kind.what == relationKey.what) {
		return name
	}
	rw.changed = true
	return rw.is
}
