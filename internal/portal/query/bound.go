package query

import (
	"encoding/json"
	"slices"
	"time"
)

// Bound is a condition that every match fulfils: at least one of its terms holds.
// Without a term nothing matches.
type Bound []Term

// Term is one alternative of a [Bound]: that the value of Name, or one element of
// it, is one of Values; or what one of the other fields says. Values are strings,
// numbers and booleans; numbers are equal by decimal value. Name is what a rule
// calls its property: a meta name, a property key or, where no property has it, a
// relation key.
type Term struct {
	Name   string
	Values []any
	// Relation says that Name is a relation even where a property has that key,
	// and Titles that the titles of its targets are compared.
	Relation, Titles bool
	// Fits stands for every own property that it admits, instead of Name.
	Fits func(Field) bool
	// Paths lead along relations, from the entity, to one with an identifier in
	// Values: one of them has to.
	Paths [][]string
	// Nodes, when not nil, are the identifiers of the entities that remain, by
	// blueprint.
	Nodes map[string][]string
}

// Bounds limit what a store with an index has to look at. They say less than the
// query: candidates found by them must still be matched. Whoever cannot look up a
// term must ignore its bound.
func (q *Query) Bounds(env *Env) []Bound { return q.root.bounds(env) }

// Created returns the first and last moment at which a match can have been
// created; zero for no limit.
func (q *Query) Created(env *Env) (first, last time.Time) {
	r := q.root.created(env)
	return r.first, r.last
}

// maxBounds is how many bounds are kept. One selective bound is enough; of a wide
// query the first ones have to do.
const maxBounds = 32

func (g *group) bounds(env *Env) []Bound {
	if g.not || len(g.rules) == 0 {
		return nil
	}
	if g.or {
		return either(g.rules, env)
	}
	var all []Bound
	for _, rule := range g.rules {
		all = append(all, rule.bounds(env)...)
		if len(all) >= maxBounds {
			return all[:maxBounds]
		}
	}
	return all
}

// either joins the bounds of alternatives: (a and b) or c is (a or c) and (b or c).
func either(rules []node, env *Env) []Bound {
	most := maxBounds
	if len(rules) > maxBounds {
		most = 1 // many alternatives are mostly alike
	}
	all := []Bound{nil}
	for _, rule := range rules {
		branch := rule.bounds(env)
		if len(branch) == 0 {
			return nil
		}
		if most == 1 {
			all[0] = append(all[0], branch[0]...)
			continue
		}
		next := make([]Bound, 0, len(all)*len(branch))
		for _, a := range all {
			for _, b := range branch {
				next = append(next, slices.Concat(a, b))
			}
		}
		all = next[:min(len(next), most)]
	}
	return all
}

func (r *propertyRule) bounds(env *Env) []Bound {
	if r.ref != nil {
		return constant(r.ofCaller(env))
	}
	if r.value.ref.missing(env) {
		return constant(false)
	}
	values, ok := listed(r.op, r.value.get(env), textual(r.property))
	if !ok {
		return nil
	}
	return []Bound{{{Name: r.property, Values: values}}}
}

// constant bounds what is true of every entity or of none.
func constant(holds bool) []Bound {
	if holds {
		return nil
	}
	return []Bound{{}}
}

func (r *relationRule) bounds(env *Env) []Bound {
	if r.value.ref.missing(env) {
		return constant(false)
	}
	values, ok := listed(r.op, r.value.get(env), true)
	if !ok {
		return nil
	}
	return []Bound{{{Name: r.relation, Values: values, Relation: true, Titles: r.titles}}}
}

func (r *schemaRule) bounds(env *Env) []Bound {
	if r.value.ref.missing(env) {
		return constant(false)
	}
	values, ok := listed(r.op, r.value.get(env), false)
	if !ok {
		return nil
	}
	return []Bound{{{Fits: r.fits, Values: values}}}
}

func (*scorecardRule) bounds(*Env) []Bound { return nil }

func (r *relatedRule) bounds(env *Env) []Bound {
	if env.Graph == nil {
		return []Bound{{}}
	}
	return []Bound{{{Nodes: r.reached(env).byBlueprint}}}
}

func (r *pathRule) bounds(env *Env) []Bound {
	switch {
	case env.Graph == nil:
		return []Bound{{}}
	case r.from != "":
		return []Bound{{{Nodes: r.reached(env).byBlueprint}}}
	}
	var values []any
	for id := range r.wanted(env) {
		values = append(values, id)
	}
	return []Bound{{{Paths: r.plain(), Values: values}}}
}

// plain lists the paths without repetitions that r stands for (H4, H5).
func (r *pathRule) plain() [][]string {
	paths := [][]string{nil}
	for i, h := range r.hops {
		if h.repeat == 0 {
			for j := range paths {
				paths[j] = append(paths[j], h.relation)
			}
			continue
		}
		stem, times := paths[0], 0 // a path repeats once, so there is one stem
		if i == 0 {
			times = 1
		}
		paths = nil
		for ; times <= h.repeat; times++ {
			paths = append(paths, slices.Concat(stem, slices.Repeat([]string{h.relation}, times)))
		}
	}
	return paths
}

// textual names are compared as texts even when they look like a date-time.
func textual(name string) bool { return isMeta[name] && name != "$createdAt" && name != "$updatedAt" }

var isMeta = map[string]bool{
	"$identifier": true, "$title": true, "$icon": true, "$team": true, "$blueprint": true,
	"$createdAt": true, "$updatedAt": true, "$createdBy": true, "$updatedBy": true, "$datasource": true,
}

// listed gives the values of which one has to be there for "op w" to hold; ok is
// false when that cannot be said: null is not indexed, and a date-time may be
// equal to one spelled otherwise.
func listed(op operator, w *wanted, text bool) (values []any, ok bool) {
	_, many := w.raw.([]any)
	switch op {
	case "=":
		if many || w.span != nil {
			return nil, false
		}
	case "in", "containsAny", "matchAny":
	default:
		return nil, false
	}
	values = []any{}
	for _, v := range w.elements() {
		switch x := v.raw.(type) {
		case string:
			if v.isTime && !text {
				return nil, false
			}
			if values = append(values, x); v.truth != nil {
				values = append(values, v.truth)
			}
		case json.Number, bool:
			values = append(values, x)
		default:
			return nil, false
		}
	}
	return values, true
}

// moments is a stretch of time; a zero end is open.
type moments struct{ first, last time.Time }

func (g *group) created(env *Env) moments {
	if g.not || len(g.rules) == 0 {
		return moments{}
	}
	all := g.rules[0].created(env)
	for _, rule := range g.rules[1:] {
		next := rule.created(env)
		if g.or {
			all = moments{outer(all.first, next.first, -1), outer(all.last, next.last, +1)}
		} else {
			all = moments{inner(all.first, next.first, +1), inner(all.last, next.last, -1)}
		}
	}
	return all
}

// outer is the wider of two ends, open if one is; inner the narrower.
func outer(a, b time.Time, side int) time.Time {
	if a.IsZero() || b.IsZero() {
		return time.Time{}
	}
	return inner(a, b, side)
}

func inner(a, b time.Time, side int) time.Time {
	if b.IsZero() || !a.IsZero() && a.Compare(b) == side {
		return a
	}
	return b
}

func (r *propertyRule) created(env *Env) moments {
	if r.ref != nil || r.property != "$createdAt" {
		return moments{}
	}
	w := r.value.get(env)
	switch {
	case (r.op == "=" || r.op == "between") && w.span != nil:
		first, last := w.span.window(env.Now)
		return moments{first, last}
	case !w.isTime:
	case r.op == "=":
		return moments{w.time, w.time}
	case r.op == ">" || r.op == ">=":
		return moments{first: w.time}
	case r.op == "<" || r.op == "<=":
		return moments{last: w.time}
	}
	return moments{}
}

func (*relationRule) created(*Env) moments  { return moments{} }
func (*schemaRule) created(*Env) moments    { return moments{} }
func (*scorecardRule) created(*Env) moments { return moments{} }
func (*relatedRule) created(*Env) moments   { return moments{} }
func (*pathRule) created(*Env) moments      { return moments{} }
