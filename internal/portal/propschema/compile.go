package propschema

import (
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
)

// Property is a compiled property definition. It is immutable.
type Property struct {
	// Type is string, number, boolean, object or array; Format and Spec are ""
	// when not given.
	Type, Format, Spec string
	// Items describes the elements of an array, nil when anything goes.
	Items *Property

	fallback    any
	hasFallback bool

	enum                     []any
	pattern                  *Regexp
	minLength, maxLength     *int
	minimum, maximum         *json.Number
	exclusiveMin, exclusiveM *json.Number
	minItems, maxItems       *int
	uniqueItems              bool
	object                   *objectSchema
	accepts                  func(string) bool
}

const titleMax = 100

var (
	types = []string{"string", "number", "boolean", "object", "array"}
	// Formats of a blueprint property (§2.4) and of a calculation, where timer
	// is for items only (§2.8).
	propertyFormats        = []string{"date-time", "url", "email", "idn-email", "ipv4", "ipv6", "markdown", "yaml", "user", "blueprints", "team", "timer", "proto", "labeled-url"}
	calculationFormats     = []string{"date-time", "url", "email", "idn-email", "ipv4", "ipv6", "markdown", "yaml", "user", "team", "proto", "labeled-url"}
	calculationItemFormats = append(slices.Clone(calculationFormats), "timer")
	specs                  = []string{"open-api", "async-api", "embedded-url"}
	// Colours is the closed list of colour names (§2.5).
	Colours = []string{"blue", "turquoise", "orange", "purple", "pink", "yellow", "green", "red", "gold", "silver", "paleBlue", "darkGray", "lightGray", "bronze", "lime", "olive", "brown"}
)

// compiler reads one definition and collects what is wrong with it.
type compiler struct {
	definition jsonv.Object
	at         []string
	problems   fault.Problems
}

func compileProperty(definition jsonv.Object, at []string) (*Property, fault.Problems) {
	c := &compiler{definition: definition, at: at}
	p := c.property(propertyFormats)
	if _, ok := definition["type"]; !ok {
		c.add("a property needs a type: one of "+list(types), "type")
	}
	c.annotations()
	c.specAuthentication(p.Spec)
	c.enumColors("enumColors")
	c.fallback(p)
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	return p, nil
}

// property reads what properties and array items have in common.
func (c *compiler) property(formats []string) *Property {
	p := &Property{}
	p.Type = c.oneOf("type", types)
	p.Format = c.oneOf("format", formats)
	p.Spec = c.oneOf("spec", specs)
	c.interactions(p)
	p.accepts = formatCheck(p.Type, p.Format)
	if _, ok := c.definition["$ref"]; ok {
		c.add("references are not supported", "$ref")
	}
	switch p.Type {
	case "string":
		p.minLength, p.maxLength = c.count("minLength"), c.count("maxLength")
		p.pattern = c.regex("pattern")
		p.enum = c.enumOf(p)
	case "number":
		p.minimum, p.maximum = c.number("minimum"), c.number("maximum")
		p.exclusiveMin, p.exclusiveM = c.number("exclusiveMinimum"), c.number("exclusiveMaximum")
		p.enum = c.enumOf(p)
	case "object":
		p.object = c.objectSchema(p.Format)
	case "array":
		p.minItems, p.maxItems = c.count("minItems"), c.count("maxItems")
		p.uniqueItems = c.boolean("uniqueItems")
		p.Items = c.items(formats)
	}
	return p
}

// interactions checks that format and spec go with the type (§2.4).
func (c *compiler) interactions(p *Property) {
	if p.Format != "" && p.Type != "" {
		want := "string"
		if p.Format == "labeled-url" {
			want = "object"
		}
		if p.Type != want {
			c.add("format "+quote(p.Format)+" is for "+want+" properties, not "+p.Type, "format")
		}
	}
	if p.Spec != "" && p.Type != "" && p.Type != "string" && p.Type != "object" {
		c.add("a spec is for string and object properties, not "+p.Type, "spec")
	}
}

func (c *compiler) items(formats []string) *Property {
	raw, ok := c.definition["items"]
	if !ok {
		return nil
	}
	o, ok := raw.(jsonv.Object)
	if !ok {
		c.add("want an object, got "+jsonv.KindOf(raw), "items")
		return nil
	}
	if len(o) == 0 {
		return nil
	}
	sub := &compiler{definition: o, at: c.below("items")}
	item := sub.property(formats)
	sub.enumColors("enumColors")
	sub.fallback(item)
	c.problems = append(c.problems, sub.problems...)
	return item
}

func (c *compiler) annotations() {
	if s, ok := c.text("title"); ok && utf8.RuneCountInString(s) > titleMax {
		c.add("must not be longer than 100 characters", "title")
	}
	c.text("description")
	if c.definition["icon"] != nil {
		c.text("icon")
	}
}

func (c *compiler) fallback(p *Property) {
	v, ok := c.definition["default"]
	// A null default says the same as none.
	if !ok || v == nil || p.Type == "" || len(c.problems) > 0 {
		return
	}
	p.fallback, p.hasFallback = v, true
	check := checker{patience: &Patience{}}
	check.check(p, c.below("default"), v)
	for _, problem := range check.problems {
		c.add("the default does not fit the property: "+problem.Message, "default")
	}
}

func (c *compiler) enumOf(p *Property) []any {
	raw, ok := c.definition["enum"]
	if !ok {
		return nil
	}
	values, ok := raw.([]any)
	if !ok {
		c.add("want an array, got "+jsonv.KindOf(raw), "enum")
		return nil
	}
	if len(values) == 0 {
		c.add("must have at least one value", "enum")
	}
	for i, v := range values {
		if kind := jsonv.KindOf(v); kind != p.Type {
			c.add("want a "+p.Type+", got "+kind, "enum", strconv.Itoa(i))
			continue
		}
		for _, earlier := range values[:i] {
			if jsonv.Equal(v, earlier) {
				c.add("is there twice: "+show(v), "enum", strconv.Itoa(i))
				break
			}
		}
	}
	return values
}

// enumColors checks a map from value to colour; keys that are no value of the
// enum are accepted (§2.4).
func (c *compiler) enumColors(key string) {
	raw, ok := c.definition[key]
	if !ok || raw == nil {
		return
	}
	colors, ok := raw.(jsonv.Object)
	if !ok {
		c.add("want an object, got "+jsonv.KindOf(raw), key)
		return
	}
	for value, raw := range colors {
		if colour, _ := raw.(string); !slices.Contains(Colours, colour) {
			c.add("want one of "+list(Colours)+", got "+show(raw), key, value)
		}
	}
}

func (c *compiler) specAuthentication(spec string) {
	raw, ok := c.definition["specAuthentication"]
	if !ok || raw == nil {
		return
	}
	if spec != "embedded-url" {
		c.add("needs the spec \"embedded-url\"", "specAuthentication")
	}
	o, ok := raw.(jsonv.Object)
	if !ok {
		c.add("want an object, got "+jsonv.KindOf(raw), "specAuthentication")
		return
	}
	sub := &compiler{definition: o, at: c.below("specAuthentication")}
	sub.closed("clientId", "authorizationUrl", "tokenUrl", "authorizationScope")
	for _, key := range []string{"clientId", "authorizationUrl", "tokenUrl"} {
		s, ok := sub.text(key)
		if _, there := o[key]; !there {
			sub.add("is required", key)
		}
		if ok && key != "clientId" && !isURI(s) {
			sub.add("want a URI, got "+show(s), key)
		}
	}
	if raw, ok := o["authorizationScope"]; ok {
		scopes, ok := raw.([]any)
		if !ok || len(jsonv.Strings(raw)) != len(scopes) {
			sub.add("want an array of strings", "authorizationScope")
		}
	}
	c.problems = append(c.problems, sub.problems...)
}
