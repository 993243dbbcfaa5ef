// Package shape checks JSON bodies against declarations: which keys an object takes
// and what each may hold. It collects everything that is wrong, each under the keyword
// of JSON Schema that it offends (reference/actions.md §0), and never repeats a value,
// which may be a secret.
package shape

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
)

// Checker collects what is wrong with a body.
type Checker struct{ Problems fault.Problems }

// Check looks at the value at a place, the steps to which begin at the body.
type Check func(c *Checker, v any, at []string)

// Takes are the keys of an object and how the value of each is looked at.
type Takes map[string]Check

// Body checks a whole body, a closed object, and returns it; everything that is wrong
// with it is one 422 (V3).
func Body(body any, takes Takes, required ...string) (jsonv.Object, error) {
	var c Checker
	o := c.Closed(body, nil, takes, required...)
	return o, c.Problems.Invalid()
}

// Add notes what is wrong at a place.
func (c *Checker) Add(keyword string, at []string, format string, args ...any) {
	c.Problems = append(c.Problems, fault.Problem{Path: jsonv.Pointer(at...), Keyword: keyword, Message: fmt.Sprintf(format, args...)})
}

// Wrong notes a value of another type than the wanted one.
func (c *Checker) Wrong(at []string, want string, got any) {
	c.Add("type", at, "must be %s, got %s", want, jsonv.KindOf(got))
}

// Closed checks an object by its keys, of which it takes no others, and returns it;
// nil when it is none.
func (c *Checker) Closed(v any, at []string, takes Takes, required ...string) jsonv.Object {
	o := c.Open(v, at, takes, required...)
	for _, key := range Keys(o) {
		if _, ok := takes[key]; !ok {
			c.Add("additionalProperties", Below(at, key), "%s", fault.UnknownKey(key, Keys(takes)...))
		}
	}
	return o
}

// Open is [Checker.Closed] for an object that may have further keys.
func (c *Checker) Open(v any, at []string, takes Takes, required ...string) jsonv.Object {
	o := c.Object(v, at)
	if o == nil {
		return nil
	}
	for _, key := range required {
		if _, ok := o[key]; !ok {
			c.Add("required", Below(at, key), "must have required property '%s'", key)
		}
	}
	for _, key := range Keys(o) {
		if look := takes[key]; look != nil {
			look(c, o[key], Below(at, key))
		}
	}
	return o
}

// Object checks that a value is an object, and returns it.
func (c *Checker) Object(v any, at []string) jsonv.Object {
	o, ok := v.(jsonv.Object)
	if !ok {
		c.Wrong(at, "object", v)
	}
	return o
}

// Take adds what another parser found wrong.
func (c *Checker) Take(problems fault.Problems) {
	for _, p := range problems {
		if p.Keyword == "" {
			p.Keyword = keywordOf(p.Message)
		}
		c.Problems = append(c.Problems, p)
	}
}

// keywordOf is the keyword that the message of another parser speaks of, one of
// queries or of the definitions of properties.
func keywordOf(message string) string {
	for _, k := range []struct{ part, keyword string }{
		{"additional propert", "additionalProperties"}, {"is required", "required"}, {"one of", "enum"}, {"pattern", "pattern"},
		{"of format", "format"}, {`want "`, "enum"}, {"unknown operator", "enum"}, {"fewer than 1 items", "minItems"},
		{"fewer than", "minLength"}, {"more than", "maxLength"}, {"at least 0", "minimum"}, {"want a", "type"}, {"does not fit", "type"},
	} {
		if strings.Contains(message, k.part) {
			return k.keyword
		}
	}
	return "format"
}

// Below is the place of something inside what is at a place.
func Below(at []string, steps ...string) []string { return append(slices.Clip(at), steps...) }

// Keys lists the keys of a map in order.
func Keys[V any, M ~map[string]V](m M) []string { return slices.Sorted(maps.Keys(m)) }
