package query

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// ParseConditions reads the conditions of a scorecard, {combinator, conditions}
// (reference/portal.md §1.4). They look like rules but mean other things: nothing
// nests, emptiness is wider, and null equals nothing. The error is a 422
// invalid_request fault with pointers below at.
func ParseConditions(raw any, at ...string) (*Query, error) {
	p := &parser{scope: OneBlueprint, at: append([]string(nil), at...)}
	g := p.conditions(raw)
	if err := p.problems.Invalid(); err != nil {
		return nil, err
	}
	return &Query{root: g}, nil
}

func (p *parser) conditions(raw any) *group {
	g := &group{}
	o, ok := raw.(jsonv.Object)
	if !ok {
		p.add("want an object with combinator and conditions, got " + jsonv.KindOf(raw))
		return g
	}
	p.closed(o, []string{"combinator", "conditions"})
	if c, there := o["combinator"]; there && c != "and" && c != "or" {
		p.add(`want "and" or "or", got `+show(c), "combinator")
	}
	g.or = o["combinator"] == "or"
	raws, there := o["conditions"]
	list, ok := raws.([]any)
	if there && (!ok || len(list) == 0) {
		p.add("want an array with at least one condition, got "+show(raws), "conditions")
	}
	for i, raw := range list {
		p.in(func() {
			if c := p.condition(raw); c != nil {
				g.rules = append(g.rules, c)
			}
		}, "conditions", strconv.Itoa(i))
	}
	return g
}

// condition is one rule of a scorecard.
type condition struct {
	propertyRule
	relation bool
	not      bool
}

func (p *parser) condition(raw any) node {
	o, ok := raw.(jsonv.Object)
	if !ok {
		p.add("want a condition object, got " + jsonv.KindOf(raw))
		return nil
	}
	op, ok := p.operator(o)
	if !ok {
		return nil
	}
	c := &condition{}
	c.op = op
	key := "property"
	if _, c.relation = o["relation"]; c.relation {
		key = "relation"
	}
	c.property = p.text(o, key)
	switch {
	case contains(emptyOperators, op):
		p.closed(o, []string{key, "operator"}, "not")
		if raw, there := o["not"]; there {
			if c.not, ok = raw.(bool); !ok {
				p.add("want a boolean, got "+jsonv.KindOf(raw), "not")
			}
		}
		return c
	case contains(textOperators, op) && op != "notIn", contains(orderOperators, op), contains(rangeOperators, op) && !c.relation:
		p.closed(o, []string{key, "operator", "value"})
	default:
		p.add("cannot be used here: "+string(op), "operator")
		return nil
	}
	if raw, there := o["value"]; there {
		p.in(func() { c.value = p.conditionValue(raw, op, c.relation) }, "value")
	}
	return c
}

func (p *parser) conditionValue(raw any, op operator, relation bool) side {
	list, isList := raw.([]any)
	switch {
	case isObject(raw) && !relation && (op == "=" || contains(rangeOperators, op)):
		s := p.objectValue(raw, op)
		if s.ref != nil {
			p.add("values are fixed here")
		}
		return s
	case contains(rangeOperators, op):
		p.add("want {from, to} or {preset}, got " + show(raw))
	case (op == "containsAny" || op == "in") && !isList:
		p.add("want an array of strings, got " + show(raw))
	case isList:
		for i, e := range list {
			if _, ok := e.(string); !ok {
				p.add("want a string, got "+show(e), strconv.Itoa(i))
			}
		}
	case raw == nil || isObject(raw):
		p.add("want a string, a number, a boolean or an array of strings, got " + show(raw))
	}
	return side{fixed: want(raw)}
}

func (c *condition) match(env *Env, e Entity) bool {
	s := subject{now: env.Now}
	if c.relation {
		s.value = (&relationRule{relation: c.property}).related(env, e)
	} else {
		s.value = e.Value(c.property)
	}
	return c.holds(c.op, &s, c.value.get(env)) != c.not
}

func (c *condition) holds(op operator, s *subject, w *wanted) bool {
	if positive, ok := negations[op]; ok {
		return !c.holds(positive, s, w)
	}
	switch op {
	case "isEmpty":
		return isBlank(s.value)
	case "notBetween":
		return !c.holds("between", s, w)
	}
	if s.value == nil {
		return false
	}
	switch op {
	case "=":
		if w.span != nil {
			return s.during(w.span)
		}
		return jsonv.Equal(s.value, w.raw)
	case "between":
		return w.span != nil && s.during(w.span)
	case ">", ">=", "<", "<=":
		order, ok := s.conditionOrder(w)
		return ok && (order > 0 && op[0] == '>' || order < 0 && op[0] == '<' || order == 0 && len(op) == 2)
	case "beginsWith", "endsWith":
		text := s
		if n, ok := textOf(s.value); ok {
			text = &subject{value: n}
		}
		return text.affix(op, w)
	}
	return test(op, s, w)
}

// isBlank is emptiness in scorecards: 0 and false are not empty.
func isBlank(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case jsonv.Object:
		return len(v) == 0
	}
	return false
}

// conditionOrder also orders texts that are no date-times.
func (s *subject) conditionOrder(w *wanted) (int, bool) {
	if order, ok := s.order(w); ok {
		return order, true
	}
	if _, isNumber := s.value.(json.Number); isNumber {
		return 0, false
	}
	a, okA := s.value.(string)
	b, okB := w.raw.(string)
	return strings.Compare(a, b), okA && okB
}

// during is within, with months of the calendar.
func (s *subject) during(sp *span) bool {
	t, ok := s.instant()
	if !ok {
		return false
	}
	if sp.preset == nil || sp.preset.months == 0 {
		return sp.holds(t, s.now)
	}
	from := monthsBefore(s.now, sp.preset.months)
	return !t.Before(from) && !t.After(s.now)
}

// monthsBefore goes back by months of the calendar; a day that the month does not
// have is its last.
func monthsBefore(t time.Time, months int) time.Time {
	back := t.AddDate(0, -months, 0)
	if back.Day() != t.Day() {
		back = back.AddDate(0, 0, -back.Day())
	}
	return back
}
