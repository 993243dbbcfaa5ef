package provider

import (
	"context"
	"maps"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// What a plan says about other objects can only be as good as what is known of
// them: what Port holds, unless this run is about to change it.

// intent is what a run will leave of an object.
type intent struct {
	// body is what it will put; nil when that is not known yet.
	body jsonv.Object
	// same says that nothing changes.
	same bool
}

// plans remembers that the run will leave such an object behind. A nil body is
// not known yet; it is kept only where other plans look at it.
func (s *session) plans(k *kind, key []string, body jsonv.Object) {
	if !k.decl.Foreseen {
		body = nil
	}
	s.intend(k, key, intent{body: body})
}

// leaves remembers that the run will leave such an object as it is.
func (s *session) leaves(k *kind, key []string) { s.intend(k, key, intent{same: true}) }

func (s *session) intend(k *kind, key []string, i intent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.planned[k.decl.Name+":"+joinID(key)] = i
}

// expects reports whether the run manages an object of the declaration name,
// or is about to make it.
func (s *session) expects(name string, key ...string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := name + ":" + joinID(key)
	_, planned := s.planned[at]
	return planned || s.managed[at]
}

func (s *session) intention(name, key string) (i intent, planned, managed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, planned = s.planned[name+":"+key]
	return i, planned, s.managed[name+":"+key]
}

// futureBlueprint is the blueprint as it will be once this run is over, as far as
// that can be told by now; nil when it cannot, or when there will be none.
func (s *session) futureBlueprint(ctx context.Context, id string) jsonv.Object {
	own, planned, managed := s.intention("blueprint", id)
	if (planned && own.body == nil && !own.same) || (managed && !planned) {
		return nil
	}
	added, extended, extends := s.intention("system_blueprint", id)
	if (extended && added.body == nil && !added.same) || (extends && !extended) {
		return nil
	}
	remote := s.plannedBlueprint(ctx, id)
	switch {
	case own.body != nil:
		out := maps.Clone(own.body)
		out[aggregationsKey] = jsonv.Map(remote, aggregationsKey)
		relations := jsonv.Object{}
		maps.Copy(relations, jsonv.Map(out, "relations"))
		for key, v := range jsonv.Map(remote, "relations") {
			if _, declared := relations[key]; !declared && !s.isDropped(id, key) {
				relations[key] = v // left alone: somebody else's
			}
		}
		out["relations"] = relations
		return out
	case added.body != nil && remote != nil:
		// What goes is not looked at: the structure stays, and more is not known.
		out := maps.Clone(remote)
		for _, c := range collections {
			entries := maps.Clone(jsonv.Map(remote, c.path...))
			if entries == nil {
				entries = jsonv.Object{}
			}
			maps.Copy(entries, jsonv.Map(added.body, c.path...))
			setMap(out, c.path, entries)
		}
		return out
	}
	return remote
}

// relationTarget is the blueprint that a relation will lead to. known is false
// when that cannot be told, and then the relation may be there or not.
func (s *session) relationTarget(ctx context.Context, blueprint, relation string) (target string, known bool) {
	document := s.futureBlueprint(ctx, blueprint)
	if target := jsonv.String(document, "relations", relation, "target"); target != "" {
		return target, true
	}
	if document == nil || s.expects("blueprint_relation", blueprint, relation) {
		return "", false
	}
	return "", true
}
