package propschema

import (
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
)

func compileCalculation(definition jsonv.Object, at []string) (*Property, fault.Problems) {
	c := &compiler{definition: definition, at: at}
	c.closed("title", "description", "icon", "calculation", "type", "format", "spec", "specAuthentication", "colorized", "colors", "items", "dateFormat")
	c.annotations()
	if _, ok := c.definition["calculation"]; !ok {
		c.add("is required: a jq program", "calculation")
	}
	c.text("calculation")
	p := &Property{Type: c.oneOf("type", types), Format: c.oneOf("format", calculationFormats), Spec: c.oneOf("spec", specs)}
	if _, ok := c.definition["type"]; !ok {
		c.add("a property needs a type: one of "+list(types), "type")
	}
	c.specAuthentication("embedded-url")
	c.boolean("colorized")
	c.enumColors("colors")
	c.text("dateFormat")
	if raw, ok := c.definition["items"]; ok {
		p.Items = c.calculationItems(raw)
	}
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	return p, nil
}

// calculationItems reads {type, format}. Items and formats describe the result
// and are not enforced (K8), so it does not matter whether they fit the type.
func (c *compiler) calculationItems(raw any) *Property {
	o, ok := raw.(jsonv.Object)
	if !ok {
		c.add("want an object, got "+jsonv.KindOf(raw), "items")
		return nil
	}
	sub := &compiler{definition: o, at: c.below("items")}
	sub.closed("type", "format")
	item := &Property{Type: sub.oneOf("type", types), Format: sub.oneOf("format", calculationItemFormats)}
	c.problems = append(c.problems, sub.problems...)
	return item
}

// HasType reports whether value is of the property's type, the only thing that
// the result of a calculation must fulfil (K8).
func (p *Property) HasType(value any) bool { return jsonv.KindOf(value) == p.Type }
