package catalog

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/propschema"
)

// reader checks the shape of a body and collects every violation.
type reader struct{ problems fault.Problems }

func (r *reader) add(at []string, format string, args ...any) {
	r.problems.Add(jsonv.Pointer(at...), format, args...)
}

// below appends steps to a path without touching its backing array.
func below(at []string, steps ...string) []string {
	return append(slices.Clip(at), steps...)
}

// object reads an object; a missing or null one is nil and no violation.
func (r *reader) object(v any, at ...string) jsonv.Object {
	o, ok := v.(jsonv.Object)
	if !ok && v != nil {
		r.add(at, "want an object, got %s", jsonv.KindOf(v))
	}
	return o
}

// body is object for a whole body, which must be there.
func (r *reader) body(v any) jsonv.Object {
	if v == nil {
		r.add(nil, "want an object, got null")
	}
	return r.object(v)
}

// closed reports the keys of o that are none of keys.
func (r *reader) closed(o jsonv.Object, at []string, keys ...string) {
	for _, k := range sortedKeys(o) {
		if !slices.Contains(keys, k) {
			r.add(below(at, k), "%s", fault.UnknownKey(k, keys...))
		}
	}
}

// text checks an optional string of at most limit code points (0: any length).
// Null counts as absent and the key is dropped from o.
func (r *reader) text(o jsonv.Object, key string, limit int, at ...string) (string, bool) {
	v, ok := o[key]
	if !ok {
		return "", false
	}
	if v == nil {
		delete(o, key)
		return "", false
	}
	s, ok := v.(string)
	if !ok {
		r.add(below(at, key), "want a string, got %s", jsonv.KindOf(v))
		return "", false
	}
	if limit > 0 && utf8.RuneCountInString(s) > limit {
		r.add(below(at, key), "must not be longer than %d characters", limit)
	}
	return s, true
}

// needText is text for a key that must be there and not be empty.
func (r *reader) needText(o jsonv.Object, key string, limit int, at ...string) string {
	v, present := o[key]
	if !present || v == nil {
		r.add(below(at, key), "is required")
		return ""
	}
	s, ok := r.text(o, key, limit, at...)
	if ok && s == "" {
		r.add(below(at, key), "must not be empty")
	}
	return s
}

// oneOf checks that the string at key is one of the allowed ones.
func (r *reader) oneOf(o jsonv.Object, key string, allowed []string, at ...string) string {
	s := jsonv.String(o, key)
	if !slices.Contains(allowed, s) {
		r.add(below(at, key), "must be one of %s", strings.Join(allowed, ", "))
	}
	return s
}

// flag checks an optional boolean; null counts as absent and is dropped.
func (r *reader) flag(o jsonv.Object, key string, at ...string) bool {
	v, ok := o[key]
	if !ok {
		return false
	}
	if v == nil {
		delete(o, key)
		return false
	}
	b, ok := v.(bool)
	if !ok {
		r.add(below(at, key), "want a boolean, got %s", jsonv.KindOf(v))
	}
	return b
}

// name checks a string against a grammar of reference/catalog.md §1.3.
func (r *reader) name(s string, g propschema.Grammar, at ...string) {
	if why := g.Fault(s); why != "" {
		r.add(at, "%s %s", g.What, why)
	}
}

// invalid is the 422 invalid_request with a single violation.
func invalid(pointer, format string, args ...any) error {
	var p fault.Problems
	p.Add(pointer, format, args...)
	return p.Invalid()
}
