package template

import (
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// object is a part with pairs in the order in which they were written.
type object []pair

// pair is a key and its value; the key of a spread pair is nil.
type pair struct {
	written string
	key     node
	value   node
}

// spread is the key whose value's pairs take its place (K2).
var spread = regexp.MustCompile(`^\s*\{\{\s*spreadValue\s*\(\s*\)\s*\}\}\s*$`)

func (n object) eval(e *evaluation) (any, bool, error) {
	out := make(jsonv.Object, len(n))
	for _, p := range n {
		e.path = append(e.path, p.written)
		err := p.eval(e, out)
		e.path = e.path[:len(e.path)-1]
		if err != nil {
			return nil, false, err
		}
	}
	return out, true, nil
}

// eval adds what the pair stands for.
func (p pair) eval(e *evaluation, out jsonv.Object) error {
	if p.key == nil {
		return p.spread(e, out)
	}
	key, _, err := p.key.eval(e)
	if err != nil {
		return err
	}
	name, isText := key.(string)
	if key != nil && !isText {
		return e.fail("a key must be text, got " + jsonv.KindOf(key))
	}
	if name == "" {
		return nil // K1
	}
	value, some, err := p.value.eval(e)
	if err == nil && some {
		out[name] = value
	}
	return err
}

// spread adds the pairs of the value; those of an array are its elements by their
// index.
func (p pair) spread(e *evaluation, out jsonv.Object) error {
	value, some, err := p.value.eval(e)
	if err != nil {
		return err
	}
	switch value := value.(type) {
	case jsonv.Object:
		maps.Copy(out, value)
		return nil
	case []any:
		for i, element := range value {
			out[strconv.Itoa(i)] = element
		}
		return nil
	}
	if !some {
		return e.fail("spreadValue() needs an object, got nothing")
	}
	return e.fail("spreadValue() needs an object, got " + jsonv.KindOf(value))
}

// compiler reads a value; path is where it stands.
type compiler struct {
	order  Order
	path   []string
	faults []*Error
}

func (c *compiler) value(v any) node {
	switch v := v.(type) {
	case string:
		return c.text(v)
	case []any:
		return c.list(v)
	case jsonv.Object:
		return c.object(v)
	}
	return fixed{v}
}

func (c *compiler) list(v []any) node {
	out, plain := make(list, len(v)), true
	for i, element := range v {
		c.path = append(c.path, strconv.Itoa(i))
		out[i] = c.value(element)
		c.path = c.path[:len(c.path)-1]
		_, ok := out[i].(fixed)
		plain = plain && ok
	}
	if plain {
		return fixed{v}
	}
	return out
}

func (c *compiler) object(v jsonv.Object) node {
	out, plain := make(object, 0, len(v)), true
	for _, key := range c.keys(v) {
		c.path = append(c.path, key)
		p := pair{written: key}
		if !spread.MatchString(key) {
			p.key = c.text(key)
		}
		p.value = c.value(v[key])
		c.path = c.path[:len(c.path)-1]
		_, plainKey := p.key.(fixed)
		_, plainValue := p.value.(fixed)
		plain = plain && plainKey && plainValue && key != ""
		out = append(out, p)
	}
	if plain {
		return fixed{v}
	}
	return out
}

// keys lists the keys of an object as they were written.
func (c *compiler) keys(v jsonv.Object) []string {
	keys := make([]string, 0, len(v))
	for _, key := range c.order[jsonv.Pointer(c.path...)] {
		if _, ok := v[key]; ok {
			keys = append(keys, key)
		}
	}
	if len(keys) == len(v) {
		return keys
	}
	return slices.Sorted(maps.Keys(v))
}
