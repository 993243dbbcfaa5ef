package actions

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
)

// checker looks at a body and collects what is wrong with it, each under the
// keyword of JSON Schema that it offends (reference/actions.md §0).
type checker struct{ problems fault.Problems }

func (c *checker) add(keyword string, at []string, format string, args ...any) {
	c.problems = append(c.problems, fault.Problem{Path: jsonv.Pointer(at...), Keyword: keyword, Message: fmt.Sprintf(format, args...)})
}

func below(at []string, steps ...string) []string { return append(slices.Clip(at), steps...) }

// check looks at the value at a place.
type check func(c *checker, v any, at []string)

// closed checks an object by its keys, of which it takes no others, and returns it;
// nil when it is none.
func (c *checker) closed(v any, at []string, takes map[string]check, required ...string) jsonv.Object {
	o := c.object(v, at)
	if o == nil {
		return nil
	}
	for _, key := range required {
		if _, ok := o[key]; !ok {
			c.add("required", below(at, key), "must have required property '%s'", key)
		}
	}
	for _, key := range keysOf(o) {
		if look, ok := takes[key]; !ok {
			c.add("additionalProperties", below(at, key), "%s", fault.UnknownKey(key, keysOf(takes)...))
		} else if look != nil {
			look(c, o[key], below(at, key))
		}
	}
	return o
}

func (c *checker) object(v any, at []string) jsonv.Object {
	o, ok := v.(jsonv.Object)
	if !ok {
		c.wrong(at, "object", v)
	}
	return o
}

func (c *checker) wrong(at []string, want string, got any) {
	c.add("type", at, "must be %s, got %s", want, jsonv.KindOf(got))
}

// The checks of single values. anything takes any.
func text(c *checker, v any, at []string) {
	if _, ok := v.(string); !ok {
		c.wrong(at, "string", v)
	}
}

// label is a text that may be null, which counts as not given.
func label(c *checker, v any, at []string) {
	if v != nil {
		text(c, v, at)
	}
}

func filled(c *checker, v any, at []string) {
	text(c, v, at)
	if v == "" {
		c.add("minLength", at, "must NOT have fewer than 1 characters")
	}
}

func boolean(c *checker, v any, at []string) {
	if _, ok := v.(bool); !ok {
		c.wrong(at, "boolean", v)
	}
}

// keysOf lists the keys of a map in order.
func keysOf[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func mapping(c *checker, v any, at []string) { c.object(v, at) }

func anything(*checker, any, []string) {}

// boolOrTemplate takes any text: what it evaluates to counts.
func boolOrTemplate(c *checker, v any, at []string) {
	switch v.(type) {
	case bool, string:
	default:
		c.wrong(at, "boolean or string", v)
	}
}

func objectOrArray(c *checker, v any, at []string) {
	switch v.(type) {
	case jsonv.Object, []any:
	default:
		c.wrong(at, "object or array", v)
	}
}

func textOrTexts(c *checker, v any, at []string) {
	if list, ok := v.([]any); ok {
		texts(c, list, at)
		return
	}
	if _, ok := v.(string); !ok {
		c.wrong(at, "string or array", v)
	}
}

func texts(c *checker, v any, at []string) {
	list, ok := v.([]any)
	if !ok {
		c.wrong(at, "array", v)
	}
	for i, e := range list {
		text(c, e, below(at, strconv.Itoa(i)))
	}
}

// mapOf is an object whose values are all looked at in one way.
func mapOf(each check) check {
	return func(c *checker, v any, at []string) {
		o := c.object(v, at)
		for _, key := range keysOf(o) {
			each(c, o[key], below(at, key))
		}
	}
}

func oneOf(allowed ...string) check {
	return func(c *checker, v any, at []string) {
		if s, ok := v.(string); !ok || !slices.Contains(allowed, s) {
			c.add("enum", at, "must be equal to one of the allowed values: %s", strings.Join(allowed, ", "))
		}
	}
}

var identifierForm = regexp.MustCompile(`^[\p{L}0-9@_.+:=-]+$`)

// identifier is the name of an action. One name would be taken for the route of
// runs.
func identifier(c *checker, v any, at []string) {
	switch id, ok := v.(string); {
	case !ok:
		c.wrong(at, "string", v)
	case id == "." || id == ".." || !identifierForm.MatchString(id):
		c.add("pattern", at, `must match pattern "^(?!\.{1,2}$)[\p{L}0-9@_.+:=-]+$"`)
	case id == "runs":
		c.add("pattern", at, `must NOT be "runs", which is a route of its own`)
	}
}

var buttonForm = regexp.MustCompile(`^[^\s].*[^\s]$`)

// buttonMax is the most characters of a button.
const buttonMax = 15

func button(c *checker, v any, at []string) {
	s, ok := v.(string)
	switch n := utf8.RuneCountInString(s); {
	case !ok:
		c.wrong(at, "string", v)
	case n < 1:
		c.add("minLength", at, "must NOT have fewer than 1 characters")
	case n > buttonMax:
		c.add("maxLength", at, "must NOT have more than %d characters", buttonMax)
	case !buttonForm.MatchString(s):
		c.add("pattern", at, `must match pattern "^[^\s].*[^\s]$"`)
	}
}

// take adds the problems that another package found.
func (c *checker) take(problems fault.Problems) {
	for _, p := range problems {
		if p.Keyword == "" {
			p.Keyword = keywordOf(p.Message)
		}
		c.problems = append(c.problems, p)
	}
}

// keywordOf is the keyword that a message of another package speaks of.
func keywordOf(message string) string {
	for _, k := range []struct{ part, keyword string }{
		{"additional propert", "additionalProperties"}, {"is required", "required"}, {"one of", "enum"}, {"pattern", "pattern"},
		{"fewer than", "minLength"}, {"more than", "maxLength"}, {"want a", "type"}, {"must be", "type"},
	} {
		if strings.Contains(message, k.part) {
			return k.keyword
		}
	}
	return "format"
}
