package access

import (
	"maps"
	"slices"
	"strconv"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
)

// shape checks the body of a PATCH of permissions and collects what is wrong.
type shape struct{ problems fault.Problems }

func (s *shape) add(at []string, format string, args ...any) {
	s.problems.Add(jsonv.Pointer(at...), format, args...)
}

func below(at []string, steps ...string) []string { return append(slices.Clip(at), steps...) }

// closed checks that a value is an object that takes only some keys, and returns
// it; nil when it is none.
func (s *shape) closed(v any, at []string, keys ...string) jsonv.Object {
	o, ok := v.(jsonv.Object)
	if !ok {
		s.add(at, "must be object, got %s", jsonv.KindOf(v))
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(keys, key) {
			s.add(below(at, key), "%s", fault.UnknownKey(key, keys...))
		}
	}
	return o
}

// required reports the keys that an object lacks.
func (s *shape) required(o jsonv.Object, at []string, keys ...string) {
	for _, key := range keys {
		if _, ok := o[key]; o != nil && !ok {
			s.add(below(at, key), "must have required property '%s'", key)
		}
	}
}

// lists are the keys of a block that hold names.
var lists = []string{"users", "roles", "teams"}

// block reads what a PATCH says about a block with the given keys: lists become as
// they are kept, and null counts as not given except for a policy, which it takes
// away (reference/identity.md §7.4 B3).
func (s *shape) block(v any, at []string, keys ...string) jsonv.Object {
	out := jsonv.Object{}
	for key, value := range s.closed(v, at, keys...) {
		where := below(at, key)
		switch {
		case !slices.Contains(keys, key):
		case key == policyKey:
			if value != nil {
				s.policy(value, where)
			}
			out[key] = value
		case value == nil:
		case slices.Contains(lists, key):
			out[key] = s.names(value, where)
		default:
			if _, ok := value.(bool); !ok {
				s.add(where, "must be boolean, got %s", jsonv.KindOf(value))
			}
			out[key] = value
		}
	}
	return out
}

func (s *shape) names(v any, at []string) []any {
	list, ok := v.([]any)
	if !ok {
		s.add(at, "must be array, got %s", jsonv.KindOf(v))
	}
	for i, e := range list {
		if _, ok := e.(string); !ok {
			s.add(below(at, strconv.Itoa(i)), "must be string, got %s", jsonv.KindOf(e))
		}
	}
	return sorted(jsonv.Strings(v))
}

// policy checks a policy's form (reference/actions.md §5.1 D2). Neither queries nor
// conditions are read further: one that makes no sense counts for nothing when the
// policy is evaluated, and what a query asks for may be known only then.
func (s *shape) policy(v any, at []string) {
	o := s.closed(v, at, queriesKey, conditionsKey)
	s.required(o, at, queriesKey, conditionsKey)
	if raw, ok := o[queriesKey]; ok {
		s.queries(raw, below(at, queriesKey))
	}
	if raw, ok := o[conditionsKey]; ok {
		s.conditions(raw, below(at, conditionsKey))
	}
}

// The parts of a policy of an action.
const (
	queriesKey    = "queries"
	conditionsKey = "conditions"
)

func (s *shape) queries(raw any, at []string) {
	queries, ok := raw.(jsonv.Object)
	if !ok {
		s.add(at, "must be object, got %s", jsonv.KindOf(raw))
		return
	}
	if len(queries) == 0 {
		s.add(at, "must NOT have fewer than 1 properties")
	}
	for name, raw := range queries {
		where := below(at, name)
		q := s.closed(raw, where, "combinator", "rules")
		s.required(q, where, "combinator", "rules")
		if c, ok := q["combinator"]; ok && c != "and" && c != "or" {
			s.add(below(where, "combinator"), `must be equal to one of the allowed values: "and", "or"`)
		}
		rules, isList := q["rules"].([]any)
		if _, ok := q["rules"]; ok && !isList {
			s.add(below(where, "rules"), "must be array, got %s", jsonv.KindOf(q["rules"]))
		}
		for i, rule := range rules {
			if _, ok := rule.(jsonv.Object); !ok {
				s.add(below(where, "rules", strconv.Itoa(i)), "must be object, got %s", jsonv.KindOf(rule))
			}
		}
	}
}

func (s *shape) conditions(raw any, at []string) {
	conditions, ok := raw.([]any)
	if !ok {
		s.add(at, "must be array, got %s", jsonv.KindOf(raw))
		return
	}
	if len(conditions) == 0 {
		s.add(at, "must NOT have fewer than 1 items")
	}
	for i, c := range conditions {
		switch text, ok := c.(string); {
		case !ok:
			s.add(below(at, strconv.Itoa(i)), "must be string, got %s", jsonv.KindOf(c))
		case text == "":
			s.add(below(at, strconv.Itoa(i)), "must NOT have fewer than 1 characters")
		}
	}
}
