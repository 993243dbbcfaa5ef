package query

import (
	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// node is a group or a rule.
type node interface {
	match(env *Env, e Entity) bool
	bounds(env *Env) []Bound
	created(env *Env) moments
	// names calls visit with every name looked at, "" for any.
	names(visit func(string))
}

type group struct {
	or, not bool
	rules   []node
}

func (g *group) match(env *Env, e Entity) bool { return g.holds(env, e) != g.not }

func (g *group) holds(env *Env, e Entity) bool {
	for _, rule := range g.rules {
		if rule.match(env, e) == g.or {
			return g.or
		}
	}
	// Without rules everything matches, whatever the combinator (§5.3).
	return !g.or || len(g.rules) == 0
}

func (g *group) names(visit func(string)) {
	for _, rule := range g.rules {
		rule.names(visit)
	}
}

// reference is a contextual value: a property of the caller (§5.8). Without a
// caller a rule that has one is true of nothing, whatever its operator
// (reference/identity.md §6.7): "no user" is not a value that entities could share.
type reference struct {
	teams    bool
	property string
}

func (r *reference) resolve(env *Env) any {
	switch {
	case env.Caller == nil:
		return nil
	case r.teams:
		values := env.Caller.UserTeams(r.property)
		if values == nil {
			values = []any{}
		}
		return flatten(values)
	}
	return env.Caller.User(r.property)
}

// missing tells that the caller is asked for and there is none.
func (r *reference) missing(env *Env) bool { return r != nil && env.Caller == nil }

// side is the value side of a rule: read from the rule, or asked of the caller.
type side struct {
	fixed wanted
	ref   *reference
	// mine is set when the value holds "My Teams" for $team (§5.4).
	mine bool
}

// get returns the value for this evaluation, computed once for an env.
func (s *side) get(env *Env) *wanted {
	if s.ref == nil && !s.mine && (s.fixed.span == nil || s.fixed.span.preset == nil || env.Location == nil) {
		return &s.fixed
	}
	return memo(env, s, func() *wanted {
		w := s.fixed
		switch {
		case s.ref != nil:
			w = want(s.ref.resolve(env))
			w.span = spanOf(w.raw)
		case s.mine:
			w = want(myTeams(s.fixed.elements(), env))
		}
		if w.span != nil {
			zoned := *w.span
			zoned.location = env.Location
			w.span = &zoned
		}
		return &w
	})
}

// flatten opens lists inside a list by one level: the teams' values of an array
// property are one list.
func flatten(v any) any {
	list, ok := v.([]any)
	if !ok {
		return v
	}
	flat := make([]any, 0, len(list))
	for _, e := range list {
		if inner, ok := e.([]any); ok {
			flat = append(flat, inner...)
			continue
		}
		flat = append(flat, e)
	}
	return flat
}

// spanOf reads a window out of a contextual value.
func spanOf(v any) *span {
	o, ok := v.(jsonv.Object)
	if !ok {
		return nil
	}
	from, okFrom := jsonv.ParseTime(jsonv.String(o, "from"))
	to, okTo := jsonv.ParseTime(jsonv.String(o, "to"))
	if !okFrom || !okTo {
		return nil
	}
	return &span{from: from, to: to}
}

const callersTeams = "My Teams"

func myTeams(elements []wanted, env *Env) []any {
	out := []any{}
	for _, e := range elements {
		if e.raw != callersTeams {
			out = append(out, e.raw)
			continue
		}
		if env.Caller != nil {
			out = append(out, jsonv.FromStrings(env.Caller.Teams())...)
		}
	}
	return out
}

// memo remembers a value for the life of an env.
func memo[T any](env *Env, key any, make func() T) T {
	if v, ok := env.memo[key].(T); ok {
		return v
	}
	v := make()
	if env.memo == nil {
		env.memo = map[any]any{}
	}
	env.memo[key] = v
	return v
}

// propertyRule is every rule on a property, relation key, meta name or
// contextual property.
type propertyRule struct {
	property string
	ref      *reference
	op       operator
	value    side
}

func (r *propertyRule) match(env *Env, e Entity) bool {
	if r.ref != nil {
		return r.ofCaller(env)
	}
	if r.value.ref.missing(env) {
		return false
	}
	s := subject{now: env.Now, value: e.Value(r.property)}
	r.describe(&s, e)
	return test(r.op, &s, r.value.get(env))
}

// ofCaller decides a rule on the caller, which is the same for every entity.
func (r *propertyRule) ofCaller(env *Env) bool {
	return memo(env, r, func() bool {
		if r.ref.missing(env) || r.value.ref.missing(env) {
			return false
		}
		s := subject{now: env.Now, value: r.ref.resolve(env), listed: r.ref.teams || r.ref.property == "$team"}
		return test(r.op, &s, r.value.get(env))
	})
}

// describe asks for the type of the property where the outcome depends on it.
func (r *propertyRule) describe(s *subject, e Entity) {
	switch r.op {
	case "=", "!=", "in", "notIn", "contains", "doesNotContains", "containsAny", "matchAny":
		if s.value == nil {
			return
		}
		s.dated = isDated(r.property, e)
	case "isEmpty", "isNotEmpty":
		if _, list := s.value.([]any); list {
			s.listed = r.property == "$team" || e.Field(r.property).Relation
		}
	}
}

func isDated(property string, e Entity) bool {
	switch property {
	case "$createdAt", "$updatedAt":
		return true
	case "$identifier", "$title", "$icon", "$team", "$blueprint", "$createdBy", "$updatedBy", "$datasource":
		return false
	}
	return e.Field(property).dated()
}

func (f Field) dated() bool { return isDate(f.Format) || isDate(f.ItemFormat) }

func isDate(format string) bool { return format == "date-time" || format == "timer" }

func (r *propertyRule) names(visit func(string)) {
	if r.ref == nil {
		visit(r.property)
	}
}

// schemaRule asks all own properties of a type (§5.9).
type schemaRule struct {
	field     Field
	anyFormat bool
	anyItems  bool
	anyItem   bool // items without a format
	op        operator
	value     side
}

func (r *schemaRule) match(env *Env, e Entity) bool {
	if r.value.ref.missing(env) {
		return false
	}
	op, negated := r.op, false
	if positive, ok := negations[r.op]; ok && r.op != "isNotEmpty" {
		op, negated = positive, true
	}
	w := r.value.get(env)
	for key, field := range e.Own() {
		if !r.fits(field) {
			continue
		}
		s := subject{now: env.Now, value: e.Value(key), dated: field.dated()}
		if test(op, &s, w) {
			return !negated
		}
	}
	return negated
}

func (r *schemaRule) fits(f Field) bool {
	return f.Type == r.field.Type &&
		(r.anyFormat || f.Format == r.field.Format) &&
		(r.anyItems || f.ItemType == r.field.ItemType && (r.anyItem || f.ItemFormat == r.field.ItemFormat))
}

func (r *schemaRule) names(visit func(string)) { visit("") }

// relationRule compares what a relation leads to (§5.3, blueprint-scoped).
type relationRule struct {
	relation string
	titles   bool
	op       operator
	value    side
}

func (r *relationRule) match(env *Env, e Entity) bool {
	if r.value.ref.missing(env) {
		return false
	}
	s := subject{now: env.Now, listed: true, value: r.related(env, e)}
	return test(r.op, &s, r.value.get(env))
}

// related is what the relation leads to: identifiers or titles, a list when there
// can be several.
func (r *relationRule) related(env *Env, e Entity) any {
	value := e.Related(r.relation)
	if !r.titles || value == nil {
		return value
	}
	titles := []any{}
	if env.Graph != nil {
		for _, end := range env.Graph.Follow(e.Node(), r.relation) {
			titles = append(titles, env.Graph.Title(end))
		}
	}
	_, many := value.([]any)
	switch {
	case many:
		return titles
	case len(titles) == 0:
		return nil
	}
	return titles[0]
}

func (r *relationRule) names(visit func(string)) { visit(r.relation) }

// scorecardRule compares the level of a scorecard or the outcome of one of its
// rules.
type scorecardRule struct {
	scorecard, rule string
	op              operator
	value           side
}

func (r *scorecardRule) match(env *Env, e Entity) bool {
	if r.value.ref.missing(env) {
		return false
	}
	s := subject{now: env.Now, listed: true, value: r.outcome(e)}
	return test(r.op, &s, r.value.get(env))
}

// outcome is the level; or of a rule the status and, when it passed, its level
// as well, of which one has to fit.
func (r *scorecardRule) outcome(e Entity) any {
	card, ok := e.Scorecard(r.scorecard)
	if !ok {
		return nil
	}
	if r.rule == "" {
		if card.Level == "" {
			return nil
		}
		return card.Level
	}
	for _, rule := range card.Rules {
		if rule.Identifier != r.rule {
			continue
		}
		if rule.Status == "SUCCESS" && rule.Level != "" {
			return []any{rule.Status, rule.Level}
		}
		return rule.Status
	}
	return nil
}

func (r *scorecardRule) names(func(string)) {}
