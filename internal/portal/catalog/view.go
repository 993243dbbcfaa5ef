package catalog

import (
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// view is an entity as it is read: what is stored and, computed when somebody
// asks, what follows from it.
type view struct {
	s     *session
	key   entityKey
	bp    *blueprint
	doc   store.Doc
	memo  map[string]cell
	teams []any
	// teamsOn is what teams rest on.
	teamsOn *trace
	// twin is the same entity in the session that sees the whole organization.
	twin *view
}

// view returns the entity's view, or nil when it does not exist or the caller may
// not read it. Views are kept for the session, so that a mirrored target is
// evaluated once.
func (s *session) view(k entityKey) (*view, error) {
	s.trace.read(k)
	if v, ok := s.views[k]; ok {
		return v, nil
	}
	doc, err := s.entity(k)
	if err != nil || doc == nil {
		return nil, err
	}
	bp, err := s.blueprint(k.blueprint)
	if err != nil || bp == nil {
		return nil, err
	}
	v := s.viewOf(bp, doc)
	if readable, err := s.readable(v); err != nil {
		return nil, err
	} else if !readable {
		v = nil
	}
	s.views[k] = v
	return v, nil
}

// viewOf makes a view that the session does not keep.
func (s *session) viewOf(bp *blueprint, doc store.Doc) *view {
	return &view{s: s, bp: bp, doc: doc, key: entityKey{bp.id, jsonv.String(doc, "identifier")}}
}

// property returns the value of an own or computed property; it is nil for an own
// one that was never written and for a key the blueprint does not have.
func (v *view) property(key string) (any, error) {
	kind := v.bp.computed(key)
	if kind == notComputed {
		value, _ := jsonv.Get(v.doc, "properties", key)
		return value, nil
	}
	if kind == isAggregation && v.s.whole != nil {
		return v.behind().property(key)
	}
	if c, ok := v.memo[key]; ok {
		v.s.trace.absorb(c.on)
		return c.value, nil
	}
	busy := busyKey{v.key, key}
	if v.s.busy[busy] {
		v.s.trace.cut()
		return nil, nil
	}
	v.s.busy[busy] = true
	var value any
	on, err := v.s.traced(func() (err error) {
		switch kind {
		case isMirror:
			value, err = v.mirror(v.bp.mirrors[key])
		case isCalculation:
			value, err = v.calculate(v.bp.calcs[key])
		case isAggregation:
			value, err = v.aggregate(key, v.bp.aggs[key])
		case notComputed:
		}
		return err
	})
	delete(v.s.busy, busy)
	if err != nil {
		return nil, err
	}
	v.remember(key, cell{value, on})
	v.s.unwind(place{v, key}, on)
	return value, nil
}

func (v *view) remember(key string, c cell) {
	if v.memo == nil {
		v.memo = map[string]cell{}
	}
	v.memo[key] = c
}

// relation returns the stored value of a relation: nil, a string or an array.
func (v *view) relation(key string) any {
	value, _ := jsonv.Get(v.doc, "relations", key)
	return value
}

// related lists the identifiers that a relation holds.
func (v *view) related(key string) []string { return identifiersOf(v.relation(key)) }

// identifiersOf lists the identifiers in a relation's value.
func identifiersOf(value any) []string {
	switch value := value.(type) {
	case string:
		return []string{value}
	case []any:
		return jsonv.Strings(value)
	}
	return nil
}

// metaNames are the "$" names of reference/catalog.md §5.3 and the keys they read.
var metaNames = map[string]string{
	"$identifier": "identifier", "$title": "title", "$icon": "icon", "$team": "team", "$blueprint": "blueprint",
	"$createdAt": "createdAt", "$updatedAt": "updatedAt", "$createdBy": "createdBy", "$updatedBy": "updatedBy",
	"$datasource": datasourceKey,
}

// meta returns the value of a "$" name; ok is false for an unknown one.
func (v *view) meta(name string) (value any, ok bool, err error) {
	key, ok := metaNames[name]
	if !ok {
		return nil, false, nil
	}
	if name == "$team" {
		teams, err := v.team()
		return teams, true, err
	}
	return v.doc[key], true, nil
}

// leaf returns what a path or a query means by name: a "$" name, a property, or
// the identifiers of a relation.
func (v *view) leaf(name string) (any, error) {
	if strings.HasPrefix(name, "$") {
		value, _, err := v.meta(name)
		return value, err
	}
	if _, own := v.bp.props[name]; !own && v.bp.computed(name) == notComputed {
		return v.relation(name), nil
	}
	return v.property(name)
}

// hop returns the entities one step further: along a relation, or to the owning
// teams for "$team". known is false when the blueprint has no such step.
func (v *view) hop(step string) (next []*view, many, known bool, err error) {
	target, ids, many, known, err := v.leads(step)
	if err != nil || !known {
		return nil, false, false, err
	}
	for _, id := range ids {
		w, err := v.s.view(entityKey{target, id})
		if err != nil {
			return nil, false, false, err
		}
		if w != nil {
			next = append(next, w)
		}
	}
	return next, many, true, nil
}

// leads names what [view.hop] leads to.
func (v *view) leads(step string) (target string, ids []string, many, known bool, err error) {
	if step == "$team" {
		teams, err := v.team()
		return "_team", jsonv.Strings(teams), true, err == nil, err
	}
	r, ok := v.bp.relations[step]
	if !ok {
		return "", nil, false, false, nil
	}
	return r.target, v.related(step), r.many, true, nil
}

// walk follows steps from v. known is false when a step does not exist on the
// way; many tells that some step may lead to several entities.
func (v *view) walk(steps []string) (ends []*view, many, known bool, err error) {
	ends = []*view{v}
	for _, step := range steps {
		var next []*view
		for _, e := range ends {
			ts, isMany, ok, err := e.hop(step)
			if err != nil {
				return nil, false, false, err
			}
			if !ok {
				return nil, false, false, nil
			}
			many = many || isMany
			next = append(next, ts...)
		}
		ends = next
	}
	return ends, many, true, nil
}
