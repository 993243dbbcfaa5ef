package catalog

import (
	"iter"
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
)

// matcher evaluates queries on entities of one session. A query cannot report a
// failing store, so the first failure is kept here and asked for at the end.
type matcher struct {
	s   *session
	env *query.Env
	err error
	// candidate is the entity being matched, one for all to spare the garbage.
	candidate *candidate
}

// matcher is shared by the whole session, so that what a query finds out once,
// such as everything related to an entity, holds for every blueprint searched.
// Only what a caller asks knows who asks: the queries of aggregation properties
// are evaluated in a session without one, whoever reads their values.
func (s *session) matcher() *matcher {
	if s.matching == nil {
		s.matching = s.newMatcher(s.whole != nil)
	}
	return s.matching
}

func (s *session) newMatcher(asks bool) *matcher {
	m := &matcher{s: s}
	m.env = &query.Env{Now: s.now, Graph: &graph{m}}
	if asks && s.actor.User != "" {
		m.env.Caller = &caller{m}
	}
	m.candidate = &candidate{m: m}
	return m
}

// forget drops what was derived from documents that have now changed.
func (s *session) forget() {
	clear(s.closures)
	s.matching, s.policing, s.own = nil, nil, nil
	if len(s.views) > 0 {
		s.views = map[entityKey]*view{} // any of them may mirror what changed
	}
}

// match decides whether v fulfils q.
func (m *matcher) match(q *query.Query, v *view) (bool, error) {
	// Matching may lead to an aggregation that matches in turn: put back what was.
	was := m.candidate.v
	m.candidate.v = v
	ok := q.Match(m.env, m.candidate)
	m.candidate.v = was
	return ok, m.err
}

// lasts tells for which moments what was decided about v holds.
func (m *matcher) lasts(q *query.Query, v *view) (query.Period, error) {
	was := m.candidate.v
	m.candidate.v = v
	p := q.Lasts(m.env, m.candidate)
	m.candidate.v = was
	return p, m.err
}

func (m *matcher) fail(err error) {
	if m.err == nil {
		m.err = err
	}
}

// candidate shows an entity to a query.
type candidate struct {
	m *matcher
	v *view
}

func (c *candidate) Node() query.Node { return nodeOf(c.v.key) }

func nodeOf(k entityKey) query.Node { return query.Node{Blueprint: k.blueprint, Identifier: k.id} }

func (c *candidate) Value(name string) any {
	value, err := c.v.leaf(name)
	if err != nil {
		c.m.fail(err)
	}
	return value
}

func (c *candidate) Related(relation string) any { return c.v.relation(relation) }

func (c *candidate) Field(name string) query.Field {
	f, err := c.m.s.field(c.v.bp, name, 0)
	if err != nil {
		c.m.fail(err)
	}
	return f
}

func (c *candidate) Own() iter.Seq2[string, query.Field] {
	return func(yield func(string, query.Field) bool) {
		for key, p := range c.v.bp.props {
			if !yield(key, fieldOf(p.def)) {
				return
			}
		}
	}
}

// Scorecard knows none yet: no entity takes part in one.
func (*candidate) Scorecard(string) (query.Scorecard, bool) { return query.Scorecard{}, false }

func fieldOf(def jsonv.Object) query.Field {
	return query.Field{
		Type: jsonv.String(def, "type"), Format: jsonv.String(def, "format"),
		ItemType: jsonv.String(def, "items", "type"), ItemFormat: jsonv.String(def, "items", "format"),
	}
}

// maxMirrorDepth ends chains of mirrors that mirror mirrors.
const maxMirrorDepth = 16

// field describes a key of a blueprint; a mirror is described by what it mirrors
// (reference/catalog.md §2.7 M4).
func (s *session) field(bp *blueprint, name string, depth int) (query.Field, error) {
	if p, ok := bp.props[name]; ok {
		return fieldOf(p.def), nil
	}
	switch bp.computed(name) {
	case isCalculation:
		return fieldOf(jsonv.Map(bp.doc, "calculationProperties", name)), nil
	case isAggregation:
		return query.Field{Type: "number"}, nil
	case isMirror:
		m := bp.mirrors[name]
		end, _, err := s.walkBlueprints(s.blueprint, bp, m.hops)
		if err != nil || end == nil || depth > maxMirrorDepth {
			return query.Field{}, err
		}
		switch m.leaf {
		case "$createdAt", "$updatedAt":
			return query.Field{Type: "string", Format: "date-time"}, nil
		}
		if _, ok := metaNames[m.leaf]; ok {
			return query.Field{Type: "string"}, nil
		}
		return s.field(end, m.leaf, depth+1)
	case notComputed:
	}
	if _, ok := bp.relations[name]; ok {
		return query.Field{Relation: true}, nil
	}
	return query.Field{}, nil
}

// graph lets a query walk relations.
type graph struct{ m *matcher }

func (g *graph) view(n query.Node) *view {
	v, err := g.m.s.view(entityKey{n.Blueprint, n.Identifier})
	if err != nil {
		g.m.fail(err)
	}
	return v
}

func (g *graph) Title(n query.Node) any {
	v := g.view(n)
	if v == nil {
		return nil
	}
	return v.doc["title"]
}

func (g *graph) Follow(n query.Node, step string) []query.Node {
	v := g.view(n)
	if v == nil {
		return nil
	}
	if g.m.s.whole != nil {
		return g.named(v, step)
	}
	next, _, _, err := v.hop(step)
	if err != nil {
		g.m.fail(err)
	}
	out := make([]query.Node, len(next))
	for i, w := range next {
		out[i] = query.Node{Blueprint: w.key.blueprint, Identifier: w.key.id}
	}
	return out
}

func (g *graph) Edges(n query.Node, forward bool) []query.Edge {
	if !forward {
		return g.arriving(n)
	}
	v := g.view(n)
	if v == nil {
		return nil
	}
	var out []query.Edge
	for _, key := range v.bp.relationKeys {
		r := v.bp.relations[key]
		for _, id := range v.related(key) {
			out = append(out, query.Edge{Relation: key, Required: r.required, Other: query.Node{Blueprint: r.target, Identifier: id}})
		}
	}
	return out
}

func (g *graph) arriving(n query.Node) []query.Edge {
	if g.m.s.whole != nil && g.view(n) == nil {
		return nil
	}
	var out []query.Edge
	err := g.m.s.eachReferrer(entityKey{n.Blueprint, n.Identifier}, func(r reference, from entityKey) error {
		out = append(out, query.Edge{Relation: r.key, Required: r.required, Other: query.Node{Blueprint: from.blueprint, Identifier: from.id}})
		return nil
	})
	if err != nil {
		g.m.fail(err)
	}
	return out
}

// isMeta tells whether name is a "$" name that every entity has.
func isMeta(name string) bool {
	_, ok := metaNames[name]
	return ok
}

// sortedKeys lists the keys of m in text order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
