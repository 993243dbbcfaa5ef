package inputs

import (
	"maps"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
)

// The limits of reference/actions.md §2.1.
const (
	titleMax       = 140
	descriptionMax = 1000
)

// compiler reads a form and collects what is wrong with it.
type compiler struct{ problems fault.Problems }

func (c *compiler) add(at []string, format string, args ...any) {
	c.problems.Add(jsonv.Pointer(at...), format, args...)
}

func below(at []string, steps ...string) []string { return append(slices.Clip(at), steps...) }

func (c *compiler) object(v any, at []string) jsonv.Object {
	o, ok := v.(jsonv.Object)
	if !ok {
		c.add(at, "want an object, got %s", jsonv.KindOf(v))
	}
	return o
}

func (c *compiler) closed(o jsonv.Object, at []string, keys ...string) {
	for _, key := range sortedKeys(o) {
		if !slices.Contains(keys, key) {
			c.add(below(at, key), "%s", fault.UnknownKey(key, keys...))
		}
	}
}

func sortedKeys(o jsonv.Object) []string { return slices.Sorted(maps.Keys(o)) }

func (c *compiler) form(definition any, at []string) *Form {
	o := c.object(definition, at)
	if o == nil {
		return nil
	}
	c.closed(o, at, "properties", "titles", "required", "order", "steps")
	f := &Form{inputs: map[string]*input{}}
	properties, ok := o["properties"]
	if !ok {
		c.add(below(at, "properties"), "is required")
	} else if inputs := c.object(properties, below(at, "properties")); inputs != nil {
		for _, id := range sortedKeys(inputs) {
			here := below(at, "properties", id)
			c.id(id, here)
			if i := c.input(id, inputs[id], here); i != nil {
				f.inputs[id] = i
			}
		}
	}
	c.titles(o["titles"], below(at, "titles"))
	f.required = c.required(o, at)
	shown := c.order(o, f, at)
	f.sortInputs(shown)
	return f
}

var identifier = regexp.MustCompile(`^[A-Za-z0-9@_=\\-]+$`)

// id checks the identifier of an input or a title, which may be of any length.
func (c *compiler) id(id string, at []string) {
	if !identifier.MatchString(id) {
		c.add(at, "an identifier here must match pattern %q", identifier)
	}
}

func (c *compiler) required(o jsonv.Object, at []string) dynamic {
	v, ok := o["required"]
	if !ok || v == nil {
		return dynamic{}
	}
	if _, ok := asQuery(v); !ok {
		c.strings(v, below(at, "required"), "want an array of identifiers or {\"jqQuery\"}")
	}
	return dynamicOf(o, "required")
}

func (c *compiler) strings(v any, at []string, want string) []string {
	list, ok := v.([]any)
	if !ok {
		c.add(at, "%s, got %s", want, jsonv.KindOf(v))
		return nil
	}
	out := make([]string, 0, len(list))
	for n, e := range list {
		s, ok := e.(string)
		if !ok {
			c.add(below(at, itoa(n)), "want a string, got %s", jsonv.KindOf(e))
			continue
		}
		out = append(out, s)
	}
	return out
}

func (c *compiler) titles(v any, at []string) {
	if v == nil {
		return
	}
	titles := c.object(v, at)
	for _, id := range sortedKeys(titles) {
		here := below(at, id)
		c.id(id, here)
		o := c.object(titles[id], here)
		if o == nil {
			continue
		}
		c.text(o, "title", 1, titleMax, here)
		c.text(o, "description", 0, descriptionMax, here)
		c.flag(o, "visible", here)
	}
}

// text checks an optional string.
func (c *compiler) text(o jsonv.Object, key string, shortest, longest int, at []string) string {
	v, ok := o[key]
	if !ok || v == nil {
		return ""
	}
	s, ok := v.(string)
	n := utf8.RuneCountInString(s)
	switch {
	case !ok:
		c.add(below(at, key), "want a string, got %s", jsonv.KindOf(v))
	case n < shortest:
		c.add(below(at, key), "must NOT have fewer than %d characters", shortest)
	case longest > 0 && n > longest:
		c.add(below(at, key), "must NOT have more than %d characters", longest)
	}
	return s
}

// flag checks an optional boolean that may be computed.
func (c *compiler) flag(o jsonv.Object, key string, at []string) dynamic {
	v, ok := o[key]
	if !ok || v == nil {
		return dynamic{}
	}
	_, isBool := v.(bool)
	if _, isQuery := asQuery(v); !isBool && !isQuery {
		c.add(below(at, key), "want a boolean or {\"jqQuery\"}, got %s", jsonv.KindOf(v))
	}
	return dynamicOf(o, key)
}

// order reads "order" and "steps", of which a form has one at most, and returns the
// inputs in the order in which they are shown.
func (c *compiler) order(o jsonv.Object, f *Form, at []string) []string {
	order, hasOrder := o["order"]
	list, hasSteps := o["steps"]
	if hasOrder && hasSteps {
		c.add(below(at, "steps"), "a form has either an order or steps, not both")
		return nil
	}
	if hasOrder {
		return c.strings(order, below(at, "order"), "want an array of identifiers")
	}
	if !hasSteps {
		return nil
	}
	steps, ok := list.([]any)
	if !ok {
		c.add(below(at, "steps"), "want an array, got %s", jsonv.KindOf(list))
		return nil
	}
	var shown []string
	for n, v := range steps {
		here := below(at, "steps", itoa(n))
		s := c.object(v, here)
		if s == nil {
			continue
		}
		c.closed(s, here, "title", "order", "visible")
		for _, key := range []string{"title", "order"} {
			if _, ok := s[key]; !ok {
				c.add(below(here, key), "is required")
			}
		}
		c.text(s, "title", 0, 0, here)
		if v, ok := s["title"]; ok && v == nil {
			c.add(below(here, "title"), "want a string, got null")
		}
		this := step{visible: c.flag(s, "visible", here)}
		if v, ok := s["order"]; ok {
			this.inputs = c.strings(v, below(here, "order"), "want an array of identifiers")
		}
		f.steps = append(f.steps, this)
		shown = append(shown, this.inputs...)
	}
	return shown
}
