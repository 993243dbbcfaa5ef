package catalog

import (
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// A caller who may not read everything sees the catalog through a session of their
// own, [session.reader], laid over one that sees the organization as it is
// (reference/identity.md §7.5):
//
//   - An entity that they may not read is not there: lists and searches leave it
//     out, reading it is a 404. What they may read of a blueprint is a query, joined
//     to theirs, so that a search stays one scan that both can narrow.
//   - A relation to it still shows its identifier, and rules on relations compare
//     that; its title, mirrors through it, and every path beyond it show nothing.
//     Rules of the caller (relatedTo, matchAny, mirrors) walk no further than they
//     could by reading entity after entity: what they find tells nothing else.
//   - A calculation is computed from the mirrors that the caller sees.
//   - Aggregations and inherited teams are the organization's: everybody who may
//     read the entity reads the same value.
//   - A policy, which somebody else wrote, is decided on the organization as it is:
//     it may look where the caller may not. It knows the caller.
//
// Without rights and without a user there is only the one session and nothing of
// this costs anything.

// reader is the session as its caller sees it.
func (s *session) reader() *session {
	if s.whole != nil || s.actor.Rights == nil && s.actor.User == "" {
		return s
	}
	if s.own == nil {
		s.own = &session{
			cat: s.cat, ctx: s.ctx, tx: s.tx, actor: s.actor, now: s.now, stamp: s.stamp, dry: s.dry, runID: s.runID,
			blueprints: s.blueprints, entities: s.entities, referrers: s.referrers, calculations: s.calculations,
			views:    map[entityKey]*view{},
			busy:     map[busyKey]bool{},
			closures: map[closureKey][]entityKey{},
			tie:      tie{off: true},
			whole:    s,
			grants:   map[string]Grant{},
		}
	}
	return s.own
}

// grant says what the session's caller may read of a blueprint.
func (s *session) grant(blueprint string) (Grant, error) {
	if s.whole == nil || s.actor.Rights == nil {
		return Grant{All: true}, nil
	}
	if g, ok := s.grants[blueprint]; ok {
		return g, nil
	}
	g, err := s.actor.Rights.Entities(s.tx, blueprint, VerbRead)
	if err == nil {
		s.grants[blueprint] = g
	}
	return g, err
}

// readable tells whether the session's caller may read an entity.
func (s *session) readable(v *view) (bool, error) {
	g, err := s.grant(v.bp.id)
	if err != nil || g.All || g.None() {
		return g.All, err
	}
	return s.whole.policies().match(g.Among, v.behind())
}

// sees tells whether the caller of a session that writes may read an entity.
func (s *session) sees(v *view) (bool, error) {
	r := s.reader()
	if r == s {
		return true, nil
	}
	return r.readable(r.viewOf(v.bp, v.doc))
}

// policies decides what the caller may do, in a session that sees everything.
func (s *session) policies() *matcher {
	if s.policing == nil {
		s.policing = s.newMatcher(true)
	}
	return s.policing
}

// shown is the stored entity, nil when there is none that the caller may read.
func (s *session) shown(k entityKey) (store.Doc, error) {
	if s.whole == nil {
		return s.entity(k)
	}
	v, err := s.view(k)
	if err != nil || v == nil {
		return nil, err
	}
	return v.doc, nil
}

// behind is the entity as the organization knows it.
func (v *view) behind() *view {
	if v.s.whole == nil {
		return v
	}
	if v.twin == nil {
		v.twin = &view{s: v.s.whole, bp: v.bp, doc: v.doc, key: v.key}
	}
	return v.twin
}

// named lists where a step leads, entities included that the caller may not read:
// the entity shows their identifiers, and nothing leads on from them.
func (g *graph) named(v *view, step string) (out []query.Node) {
	target, ids, _, _, err := v.leads(step)
	if err != nil {
		g.m.fail(err)
	}
	for _, id := range ids {
		d, err := v.s.entity(entityKey{target, id})
		if err != nil {
			g.m.fail(err)
		}
		if d != nil {
			out = append(out, query.Node{Blueprint: target, Identifier: id})
		}
	}
	return out
}

// caller answers for contextual values (reference/catalog.md §5.8): who asks is an
// entity of _user, and so are their teams of _team. Both are read as the
// organization knows them, and no value that is kept rests on them.
type caller struct{ m *matcher }

var _ query.Caller = (*caller)(nil)

// Value of the caller's entity, or of one of their teams.
func (c *caller) value(k entityKey, name string) (value any) {
	v := c.view(k)
	if v == nil {
		return nil
	}
	err := v.s.untraced(func() (err error) {
		value, err = v.leaf(name)
		return err
	})
	if err != nil {
		c.m.fail(err)
	}
	return value
}

func (c *caller) view(k entityKey) (v *view) {
	s := c.m.s
	if s.whole != nil {
		s = s.whole
	}
	err := s.untraced(func() (err error) {
		v, err = s.view(k)
		return err
	})
	if err != nil {
		c.m.fail(err)
	}
	return v
}

func (c *caller) key() entityKey { return entityKey{sysUser, c.m.s.actor.User} }

func (c *caller) User(name string) any { return c.value(c.key(), name) }

func (c *caller) Teams() []string {
	list, _ := c.value(c.key(), "$team").([]any)
	return jsonv.Strings(list)
}

func (c *caller) UserTeams(name string) []any {
	out := []any{}
	for _, id := range c.Teams() {
		if value := c.value(entityKey{sysTeam, id}, name); value != nil {
			out = append(out, value)
		}
	}
	return out
}
