package shape

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// Anything takes any value.
func Anything(*Checker, any, []string) {}

// Text takes strings.
func Text(c *Checker, v any, at []string) {
	if _, ok := v.(string); !ok {
		c.Wrong(at, "string", v)
	}
}

// Filled takes strings that are not empty.
func Filled(c *Checker, v any, at []string) { Length(1, 0)(c, v, at) }

// Length takes strings of so many characters; longest 0 is no bound.
func Length(shortest, longest int) Check {
	return func(c *Checker, v any, at []string) {
		s, ok := v.(string)
		switch n := utf8.RuneCountInString(s); {
		case !ok:
			c.Wrong(at, "string", v)
		case n < shortest:
			c.Add("minLength", at, "must NOT have fewer than %d characters", shortest)
		case longest > 0 && n > longest:
			c.Add("maxLength", at, "must NOT have more than %d characters", longest)
		}
	}
}

// URI takes absolute addresses.
func URI(c *Checker, v any, at []string) {
	s, ok := v.(string)
	if !ok {
		c.Wrong(at, "string", v)
		return
	}
	if u, err := url.Parse(s); err != nil || u.Scheme == "" || u.Host == "" && u.Opaque == "" {
		c.Add("format", at, `must match format "uri"`)
	}
}

// Boolean takes true and false.
func Boolean(c *Checker, v any, at []string) {
	if _, ok := v.(bool); !ok {
		c.Wrong(at, "boolean", v)
	}
}

// Integer takes whole numbers within bounds.
func Integer(least, most int64) Check {
	return func(c *Checker, v any, at []string) {
		n, ok := v.(json.Number)
		if !ok || !jsonv.IsInteger(n) {
			c.Wrong(at, "integer", v)
			return
		}
		switch {
		case jsonv.CompareNumbers(n, jsonv.Int(least)) < 0:
			c.Add("minimum", at, "must be >= %d", least)
		case jsonv.CompareNumbers(n, jsonv.Int(most)) > 0:
			c.Add("maximum", at, "must be <= %d", most)
		}
	}
}

// Mapping takes objects.
func Mapping(c *Checker, v any, at []string) { c.Object(v, at) }

// MapOf takes objects whose values are all looked at in one way.
func MapOf(each Check) Check {
	return func(c *Checker, v any, at []string) {
		o := c.Object(v, at)
		for _, key := range Keys(o) {
			each(c, o[key], Below(at, key))
		}
	}
}

// List takes arrays.
func List(c *Checker, v any, at []string) {
	if _, ok := v.([]any); !ok {
		c.Wrong(at, "array", v)
	}
}

// ListOf takes arrays whose elements are all looked at in one way.
func ListOf(each Check) Check {
	return func(c *Checker, v any, at []string) {
		List(c, v, at)
		list, _ := v.([]any)
		for i, e := range list {
			each(c, e, Below(at, strconv.Itoa(i)))
		}
	}
}

// Texts takes arrays of strings.
func Texts(c *Checker, v any, at []string) { ListOf(Text)(c, v, at) }

// NotEmpty takes what another check does when it is an array or an object that holds
// something.
func NotEmpty(look Check) Check {
	return func(c *Checker, v any, at []string) {
		found := len(c.Problems)
		if look(c, v, at); len(c.Problems) > found {
			return
		}
		switch v := v.(type) {
		case []any:
			if len(v) == 0 {
				c.Add("minItems", at, "must NOT have fewer than 1 items")
			}
		case jsonv.Object:
			if len(v) == 0 {
				c.Add("minProperties", at, "must NOT have fewer than 1 properties")
			}
		}
	}
}

// TextOrTexts takes a string or several.
func TextOrTexts(c *Checker, v any, at []string) {
	switch v.(type) {
	case []any:
		Texts(c, v, at)
	case string:
	default:
		c.Wrong(at, "string or array", v)
	}
}

// ObjectOrArray takes what its name says.
func ObjectOrArray(c *Checker, v any, at []string) {
	switch v.(type) {
	case jsonv.Object, []any:
	default:
		c.Wrong(at, "object or array", v)
	}
}

// OneOf takes some strings only.
func OneOf(allowed ...string) Check {
	return func(c *Checker, v any, at []string) {
		if s, ok := v.(string); !ok || !slices.Contains(allowed, s) {
			c.Add("enum", at, "must be equal to one of the allowed values: %s", strings.Join(allowed, ", "))
		}
	}
}

// OrNull takes null as well, which counts as not given.
func OrNull(look Check) Check {
	return func(c *Checker, v any, at []string) {
		if v != nil {
			look(c, v, at)
		}
	}
}

// Closed takes objects with some keys only.
func Closed(takes Takes, required ...string) Check {
	return func(c *Checker, v any, at []string) { c.Closed(v, at, takes, required...) }
}

// Open takes objects that may have further keys.
func Open(takes Takes, required ...string) Check {
	return func(c *Checker, v any, at []string) { c.Open(v, at, takes, required...) }
}
