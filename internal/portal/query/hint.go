package query

import (
	"encoding/json"
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

func (g *group) equals() []Equal {
	switch {
	case g.not || len(g.rules) == 0:
		return nil
	case g.or:
		return either(g.rules)
	}
	var all []Equal
	for _, rule := range g.rules {
		all = append(all, rule.equals()...)
	}
	return all
}

// either keeps the names that every branch restricts, with the values of all.
func either(rules []node) []Equal {
	common := rules[0].equals()
	for _, rule := range rules[1:] {
		other := rule.equals()
		var next []Equal
		for _, a := range common {
			i := slices.IndexFunc(other, func(b Equal) bool { return b.Name == a.Name })
			if i < 0 {
				continue
			}
			next = append(next, Equal{a.Name, union(a.Values, other[i].Values)})
		}
		common = next
	}
	return common
}

func union(a, b []any) []any {
	out := slices.Clone(a)
	for _, v := range b {
		if !slices.ContainsFunc(out, func(o any) bool { return jsonv.Equal(o, v) }) {
			out = append(out, v)
		}
	}
	return out
}

func (r *propertyRule) equals() []Equal {
	if r.ref != nil {
		return nil
	}
	return hint(r.property, r.op, &r.value)
}

func (r *relationRule) equals() []Equal {
	if r.titles {
		return nil
	}
	return hint(r.relation, r.op, &r.value)
}

// hint says what "name op value" asks of an index, nil when it cannot be said:
// null is not indexed, and a date-time may be equal to one spelled otherwise.
func hint(name string, op operator, s *side) []Equal {
	if s.ref != nil || s.mine || s.fixed.span != nil {
		return nil
	}
	values := s.fixed.elements()
	switch op {
	case "=":
		if _, whole := s.fixed.raw.([]any); whole {
			return nil
		}
	case "in", "containsAny", "matchAny":
	default:
		return nil
	}
	out := make([]any, 0, len(values))
	for _, v := range values {
		switch x := v.raw.(type) {
		case string:
			if v.isTime && name != "$identifier" && name != "$blueprint" && name != "$title" {
				return nil
			}
			out = append(out, x)
		case json.Number, bool:
			out = append(out, x)
		default:
			return nil
		}
	}
	return []Equal{{name, out}}
}

func (*schemaRule) equals() []Equal    { return nil }
func (*scorecardRule) equals() []Equal { return nil }
func (*relatedRule) equals() []Equal   { return nil }
func (*pathRule) equals() []Equal      { return nil }
