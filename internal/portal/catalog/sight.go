package catalog

import (
	"context"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Sight says what a caller may see of what was recorded about the catalog
// (reference/identity.md §7.3 rows 63 and 64). A nil one sees everything.
type Sight struct {
	s *session
	// wide is set when the caller may read every entity there is, nil while nobody
	// has asked.
	wide *bool
	// plain are the computed properties of blueprints that were asked about.
	plain map[busyKey]bool
}

// Sight is what an actor sees, in a transaction.
func (c *Catalog) Sight(ctx context.Context, tx store.Tx, actor Actor) *Sight {
	if actor.Rights == nil {
		return nil
	}
	return &Sight{s: c.begin(ctx, tx, actor).reader(), plain: map[busyKey]bool{}}
}

// Entity tells whether the caller may read an entity, and since when there has been
// one: what was recorded under its name before is about another.
func (x *Sight) Entity(blueprint, id string) (since time.Time, ok bool, err error) {
	if x == nil {
		return since, true, nil
	}
	v, err := x.s.view(entityKey{blueprint, id})
	if err != nil || v == nil {
		return since, false, err
	}
	since, ok = jsonv.ParseTime(jsonv.String(v.doc, "createdAt"))
	return since, ok, nil
}

// Run tells whether the caller may see an action run.
func (x *Sight) Run(id string) (bool, error) {
	if x == nil || x.s.cat.deps.Runs == nil {
		return x == nil, nil
	}
	return x.s.cat.deps.Runs.Visible(x.s.tx, x.s.actor, id)
}

// Shown is the recorded document of an entity that the caller may read, as far as
// they may know it. Records hold computed properties as the organization had them
// at the time: those that could have come from entities that the caller may not read
// are left out, since nobody knows any more where they did come from.
func (x *Sight) Shown(blueprint string, doc jsonv.Object) (jsonv.Object, error) {
	properties := jsonv.Map(doc, "properties")
	if x == nil || len(properties) == 0 {
		return doc, nil
	}
	if wide, err := x.seesAll(); err != nil || wide {
		return doc, err
	}
	bp, err := x.s.blueprint(blueprint)
	if err != nil || bp == nil {
		return nil, err
	}
	kept := make(jsonv.Object, len(properties))
	for key, value := range properties {
		plain, err := x.shows(bp, key, 0)
		if err != nil {
			return nil, err
		}
		if plain {
			kept[key] = value
		}
	}
	if len(kept) == len(properties) {
		return doc, nil
	}
	out := make(jsonv.Object, len(doc))
	for key, value := range doc {
		out[key] = value
	}
	out["properties"] = kept
	return out, nil
}

// seesAll tells whether no entity is hidden from the caller.
func (x *Sight) seesAll() (bool, error) {
	if x.wide != nil {
		return *x.wide, nil
	}
	all, err := x.s.allBlueprints()
	if err != nil {
		return false, err
	}
	wide := true
	for _, bp := range all {
		g, err := x.s.grant(bp.id)
		if err != nil {
			return false, err
		}
		wide = wide && g.All
	}
	x.wide = &wide
	return wide, nil
}

// shows tells whether whoever may read an entity may know what a property of it
// once was. A property that the blueprint no longer has could have been any kind.
func (x *Sight) shows(bp *blueprint, key string, depth int) (plain bool, err error) {
	if bp.computed(key) == notComputed {
		_, own := bp.props[key]
		return own || isMeta(key) || bp.relations[key].target != "", nil
	}
	at := busyKey{entityKey{bp.id, ""}, key}
	if known, ok := x.plain[at]; ok {
		return known, nil
	}
	x.plain[at] = false // of those that lead to each other, none is
	if depth > maxMirrorDepth {
		return false, nil
	}
	switch bp.computed(key) {
	case isAggregation:
		plain = true
	case isMirror:
		plain, err = x.showsMirror(bp, bp.mirrors[key], depth+1)
	case isCalculation:
		plain = true
		for _, name := range sortedKeys(bp.mirrors) {
			if plain, err = x.shows(bp, name, depth+1); err != nil || !plain {
				break
			}
		}
	case notComputed:
	}
	x.plain[at] = plain
	return plain, err
}

// showsMirror wants all entities on a mirror's way to be readable.
func (x *Sight) showsMirror(bp *blueprint, m mirror, depth int) (bool, error) {
	for _, hop := range m.hops {
		next, _, err := x.s.walkBlueprints(x.s.blueprint, bp, []string{hop})
		if err != nil || next == nil {
			return false, err
		}
		if g, err := x.s.grant(next.id); err != nil || !g.All {
			return false, err
		}
		bp = next
	}
	return x.shows(bp, m.leaf, depth)
}
