package jsonv

import (
	"strconv"
	"strings"
)

// Get walks v along object keys and array indexes in decimal text. It reports
// false when a step is missing.
func Get(v any, path ...string) (any, bool) {
	for _, step := range path {
		switch c := v.(type) {
		case Object:
			next, ok := c[step]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(c) {
				return nil, false
			}
			v = c[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// String returns the string at path, or "" when there is none.
func String(v any, path ...string) string {
	got, _ := Get(v, path...)
	s, _ := got.(string)
	return s
}

// Bool returns the boolean at path, or false when there is none.
func Bool(v any, path ...string) bool {
	got, _ := Get(v, path...)
	b, _ := got.(bool)
	return b
}

// Map returns the object at path, or nil when there is none.
func Map(v any, path ...string) Object {
	got, _ := Get(v, path...)
	o, _ := got.(Object)
	return o
}

// List returns the array at path, or nil when there is none.
func List(v any, path ...string) []any {
	got, _ := Get(v, path...)
	l, _ := got.([]any)
	return l
}

// Strings returns the strings of the array v, leaving out everything else.
func Strings(v any) []string {
	l, _ := v.([]any)
	out := make([]string, 0, len(l))
	for _, e := range l {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// FromStrings makes a JSON array.
func FromStrings(s []string) []any {
	out := make([]any, len(s))
	for i := range s {
		out[i] = s[i]
	}
	return out
}

// Pointer spells path as an RFC 6901 pointer.
func Pointer(path ...string) string {
	var b strings.Builder
	for _, step := range path {
		b.WriteByte('/')
		b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(step))
	}
	return b.String()
}

// ParsePointer splits an RFC 6901 pointer into its steps; "" is the whole value.
func ParsePointer(p string) []string {
	if p == "" {
		return nil
	}
	steps := strings.Split(strings.TrimPrefix(p, "/"), "/")
	for i := range steps {
		steps[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(steps[i])
	}
	return steps
}

// OrNull is an object as a JSON value: a nil one is null.
func OrNull(o Object) any {
	if o == nil {
		return nil
	}
	return o
}

// OrEmpty is an object, an empty one in the place of nil.
func OrEmpty(o Object) Object {
	if o == nil {
		return Object{}
	}
	return o
}
