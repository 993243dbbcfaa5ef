package propschema

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
)

// countMax is where counts stop mattering; larger ones act as this one.
const countMax = 1 << 40

func (c *compiler) below(steps ...string) []string { return append(slices.Clone(c.at), steps...) }

func (c *compiler) add(message string, steps ...string) {
	c.problems.Add(jsonv.Pointer(c.below(steps...)...), "%s", message)
}

func (c *compiler) text(key string) (string, bool) {
	raw, ok := c.definition[key]
	if !ok {
		return "", false
	}
	s, ok := raw.(string)
	if !ok {
		c.add("want a string, got "+jsonv.KindOf(raw), key)
	}
	return s, ok
}

func (c *compiler) oneOf(key string, allowed []string) string {
	s, ok := c.text(key)
	if ok && !slices.Contains(allowed, s) {
		c.add("want one of "+list(allowed)+", got "+show(s), key)
		return ""
	}
	return s
}

func (c *compiler) boolean(key string) bool {
	raw, ok := c.definition[key]
	if !ok {
		return false
	}
	b, ok := raw.(bool)
	if !ok {
		c.add("want a boolean, got "+jsonv.KindOf(raw), key)
	}
	return b
}

func (c *compiler) number(key string) *json.Number {
	raw, ok := c.definition[key]
	if !ok {
		return nil
	}
	n, ok := raw.(json.Number)
	if !ok {
		c.add("want a number, got "+jsonv.KindOf(raw), key)
		return nil
	}
	return &n
}

// count reads an integer of at least zero.
func (c *compiler) count(key string) *int {
	n := c.number(key)
	if n == nil {
		return nil
	}
	if !jsonv.IsInteger(*n) || jsonv.CompareNumbers(*n, "0") < 0 {
		c.add("want an integer of at least 0, got "+string(*n), key)
		return nil
	}
	i := countMax
	if jsonv.CompareNumbers(*n, jsonv.Int(countMax)) < 0 {
		// The value fits, so the canonical text is plain digits.
		i, _ = strconv.Atoi(string(jsonv.CanonicalNumber(*n)))
	}
	return &i
}

func (c *compiler) regex(key string) *Regexp {
	s, ok := c.text(key)
	if !ok {
		return nil
	}
	re, err := CompileRegexp(s)
	if err != nil {
		c.add("is not a regular expression: "+err.Error(), key)
		return nil
	}
	return re
}

// closed reports keys other than these.
func (c *compiler) closed(keys ...string) {
	for key := range c.definition {
		if !slices.Contains(keys, key) {
			c.add(fault.UnknownKey(key), key)
		}
	}
}

func list(values []string) string { return strings.Join(values, ", ") }

func quote(s string) string { return strconv.Quote(s) }

func itoa(i int) string { return strconv.Itoa(i) }

// show spells a value for a message, shortened.
func show(v any) string {
	const most = 80
	text := []rune(fmt.Sprint(string(jsonv.Encode(v))))
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}
