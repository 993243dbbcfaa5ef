package propschema

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
)

// checker walks one value and collects what is wrong with it.
type checker struct {
	// keywords: problems name what they violate.
	keywords bool
	patience *Patience
	base     []string
	problems fault.Problems
}

func (c *checker) add(path []string, keyword, format string, args ...any) {
	p := fault.Problem{Path: jsonv.Pointer(path...), Message: fmt.Sprintf(format, args...)}
	if c.keywords {
		p.Keyword = keyword
	}
	if len(c.base) > 0 {
		p.Property = c.base[len(c.base)-1]
	}
	c.problems = append(c.problems, p)
}

func (c *checker) check(p *Property, path []string, value any) {
	if c.base == nil {
		c.base = path
	}
	switch v := value.(type) {
	case string:
		if p.Type == "string" {
			c.text(p, path, v)
			return
		}
	case json.Number:
		if p.Type == "number" {
			c.number(p, path, v)
			return
		}
	case bool:
		if p.Type == "boolean" {
			return
		}
	case jsonv.Object:
		if p.Type == "object" {
			c.object(p, path, v)
			return
		}
	case []any:
		if p.Type == "array" {
			c.array(p, path, v)
			return
		}
	}
	if p.Type != "" { // Items may leave the type out.
		c.add(path, "type", "want %s, got %s", article(p.Type), show(value))
	}
}

func article(kind string) string {
	if kind == "object" || kind == "array" {
		return "an " + kind
	}
	return "a " + kind
}

func (c *checker) text(p *Property, path []string, s string) {
	if p.minLength != nil || p.maxLength != nil {
		n := utf8.RuneCountInString(s)
		if p.minLength != nil && n < *p.minLength {
			c.add(path, "minLength", "must not be shorter than %d characters, has %d", *p.minLength, n)
		}
		if p.maxLength != nil && n > *p.maxLength {
			c.add(path, "maxLength", "must not be longer than %d characters, has %d", *p.maxLength, n)
		}
	}
	if p.pattern != nil && !c.patience.Match(p.pattern, s) {
		c.add(path, "pattern", "must match pattern %q, got %s", p.pattern.String(), show(s))
	}
	if p.accepts != nil && !p.accepts(s) {
		c.add(path, "format", "must be of format %q, got %s", p.Format, show(s))
	}
	c.enum(p, path, s)
}

func (c *checker) number(p *Property, path []string, n json.Number) {
	for _, limit := range []struct {
		bound   *json.Number
		ok      func(order int) bool
		text    string
		keyword string
	}{
		{p.minimum, func(o int) bool { return o >= 0 }, "at least", "minimum"},
		{p.maximum, func(o int) bool { return o <= 0 }, "at most", "maximum"},
		{p.exclusiveMin, func(o int) bool { return o > 0 }, "more than", "exclusiveMinimum"},
		{p.exclusiveM, func(o int) bool { return o < 0 }, "less than", "exclusiveMaximum"},
	} {
		if limit.bound != nil && !limit.ok(jsonv.CompareNumbers(n, *limit.bound)) {
			c.add(path, limit.keyword, "must be %s %s, got %s", limit.text, *limit.bound, n)
		}
	}
	c.enum(p, path, n)
}

func (c *checker) enum(p *Property, path []string, v any) {
	if p.enum != nil && !slices.ContainsFunc(p.enum, func(e any) bool { return jsonv.Equal(e, v) }) {
		c.add(path, "enum", "must be one of %s, got %s", show(p.enum), show(v))
	}
}

func (c *checker) array(p *Property, path []string, values []any) {
	if p.minItems != nil && len(values) < *p.minItems {
		c.add(path, "minItems", "must have at least %d items, has %d", *p.minItems, len(values))
	}
	if p.maxItems != nil && len(values) > *p.maxItems {
		c.add(path, "maxItems", "must have at most %d items, has %d", *p.maxItems, len(values))
	}
	if p.uniqueItems {
		seen := make(map[string]int, len(values))
		for i, v := range values {
			key := string(jsonv.Encode(canonical(v)))
			if first, ok := seen[key]; ok {
				c.add(path, "uniqueItems", "items must differ, %d and %d are equal", first, i)
				break
			}
			seen[key] = i
		}
	}
	if p.Items == nil {
		return
	}
	at := append(slices.Clone(path), "")
	for i, v := range values {
		at[len(path)] = strconv.Itoa(i)
		c.check(p.Items, at, v)
	}
}

func (c *checker) object(p *Property, path []string, o jsonv.Object) {
	if p.Format == "labeled-url" {
		c.link(path, o)
	}
	if p.object != nil {
		p.object.check(o, func(below []string, keyword, message string) {
			c.add(append(slices.Clone(path), below...), keyword, "%s", message)
		})
	}
}

// link checks {"url", "displayText"}; other keys are tolerated (§2.4).
func (c *checker) link(path []string, o jsonv.Object) {
	switch url, ok := o["url"].(string); {
	case !ok && o["url"] == nil:
		c.add(path, "format", "a labeled url needs a \"url\"")
	case !ok:
		c.add(append(slices.Clone(path), "url"), "format", "want a string, got %s", show(o["url"]))
	case !isURI(url):
		c.add(append(slices.Clone(path), "url"), "format", "must be of format \"url\", got %s", show(url))
	}
	if text, there := o["displayText"]; there && text != nil {
		if _, ok := text.(string); !ok {
			c.add(append(slices.Clone(path), "displayText"), "format", "want a string, got %s", show(text))
		}
	}
}

// canonical spells numbers the one way all equal ones share.
func canonical(v any) any { return jsonv.MapNumbers(v, jsonv.CanonicalNumber) }
