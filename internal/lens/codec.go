package lens

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Codec is a compiled declaration.
type Codec struct {
	root *ObjectKind
	opts Options
}

// Compile checks a declaration and prepares it. Duplicate attribute names,
// overlapping wire keys and contradictory options are errors.
func Compile(parts ...Part) (*Codec, error) {
	root := Object(parts...)
	if err := root.check(); err != nil {
		return nil, err
	}
	return &Codec{root: root, opts: Options{EscapeHTML: true}}, nil
}

// MustCompile is [Compile] for declarations in package variables.
func MustCompile(parts ...Part) *Codec {
	c, err := Compile(parts...)
	if err != nil {
		panic("lens: " + err.Error())
	}
	return c
}

// With is the same codec with other options.
func (c *Codec) With(o Options) *Codec { return &Codec{c.root, o} }

// Options are the options in force.
func (c *Codec) Options() Options { return c.opts }

// Attrs lists the attributes in the order of the declaration.
func (c *Codec) Attrs() []Attr { return c.root.attrs }

// Choices are the rules on how many of some top-level attributes may be set.
func (c *Codec) Choices() []Choice { return c.root.choices }

// Type is the type of the whole object.
func (c *Codec) Type() tftypes.Object { return c.root.typ }

// Put encodes a plan or a state. config may be the zero value; only write-only
// attributes read it. When a value the body needs is unknown, errors.Is(err,
// ErrUnknown) holds.
func (c *Codec) Put(plan, config tftypes.Value) (Body, error) {
	if !Known(plan) {
		return nil, errors.New("nothing to encode: the value is null or unknown")
	}
	r := &Run{Options: c.opts, config: AsObj(config), texts: &shelf{}}
	body := Body{}
	if err := c.root.put(r, AsObj(plan), body); err != nil {
		return nil, err
	}
	return body, nil
}

// Get decodes a body. Where the prior value means the same as the body, the
// prior's spelling is kept; prior may be null.
func (c *Codec) Get(body Body, prior tftypes.Value) (tftypes.Value, error) {
	r := &Run{Options: c.opts}
	obj, err := c.root.get(r, body, AsObj(prior))
	if err != nil {
		return tftypes.Value{}, err
	}
	return c.root.wrap(obj)
}

// Settle gives plan with the spelling of prior wherever both mean the same on
// the wire. It only swaps values that are known and non-null on both sides, and
// below an attribute only inside nested attributes, so Terraform accepts the
// result as a plan.
func (c *Codec) Settle(plan, prior tftypes.Value) tftypes.Value {
	if !Known(plan) || !Known(prior) {
		return plan
	}
	return c.root.Settle(&Run{Options: c.opts}, plan, prior)
}

// Problems runs every check of the declaration that needs no server. Unknown
// values are skipped.
func (c *Codec) Problems(config tftypes.Value) []Problem {
	if !Known(config) {
		return nil
	}
	return c.root.Problems(Path{}, config)
}

// AttrPath finds the attribute behind a JSON pointer into the body; v is the
// value the body was made from. It goes as deep as the declaration knows and
// reports false when not even the first step leads anywhere.
func (c *Codec) AttrPath(pointer []string, v tftypes.Value) (*tftypes.AttributePath, bool) {
	steps := c.root.Locate(pointer, v)
	if len(steps) == 0 {
		return nil, false
	}
	return tftypes.NewAttributePathWithSteps(steps), true
}

// Overlay returns mine with everything remote holds that the declaration does
// not model: [Owned] keys, and unknown keys and unknown element types inside
// what it does model, as long as the element keeps its type. Modelled keys that
// mine leaves out stay out. Neither argument changes.
func (c *Codec) Overlay(remote, mine Body) Body {
	out := cloneBody(mine)
	c.root.overlay(remote, out, true)
	return out
}

// Unmodelled reports, as warnings, elements of a body that the declaration
// cannot show, such as a property of a type that has no group.
func (c *Codec) Unmodelled(body Body) []Problem { return c.root.Unmodelled(Path{}, body) }

// OwnedKeys lists the top-level wire paths that have no attribute because the
// server or another resource owns them.
func (c *Codec) OwnedKeys() [][]string {
	return c.keysOf(func(p Part) bool { _, ok := p.(*ownedPart); return ok })
}

// ReadOnlyKeys lists the top-level wire paths that are read and never sent.
func (c *Codec) ReadOnlyKeys() [][]string {
	return c.keysOf(func(p Part) bool { f, ok := p.(*FieldPart); return ok && f.attr.Mode == Computed })
}

func (c *Codec) keysOf(match func(Part) bool) [][]string {
	var out [][]string
	for _, p := range c.root.parts {
		if match(p) {
			out = append(out, p.Keys()...)
		}
	}
	return out
}

// Project narrows an object to the attributes a narrower type has, at every
// depth, for data sources that leave settings out.
func Project(v tftypes.Value, to tftypes.Object) (tftypes.Value, error) {
	if !Known(v) {
		return Null(to), nil
	}
	return project(v, to)
}

func project(v tftypes.Value, to tftypes.Type) (tftypes.Value, error) {
	switch {
	case v.Type().Equal(to):
		return v, nil
	case !v.IsKnown():
		return tftypes.NewValue(to, tftypes.UnknownValue), nil
	case v.IsNull():
		return Null(to), nil
	}
	switch t := to.(type) {
	case tftypes.Object:
		from, out := AsObj(v), make(Obj, len(t.AttributeTypes))
		for name, typ := range t.AttributeTypes {
			got, ok := from[name]
			if !ok {
				return tftypes.Value{}, fmt.Errorf("no attribute %q", name)
			}
			var err error
			if out[name], err = project(got, typ); err != nil {
				return tftypes.Value{}, err
			}
		}
		return newValue(to, out)
	case tftypes.Map:
		from := AsObj(v)
		out := make(Obj, len(from))
		for key, e := range from {
			var err error
			if out[key], err = project(e, t.ElementType); err != nil {
				return tftypes.Value{}, err
			}
		}
		return newValue(to, out)
	case tftypes.List:
		return projectElements(v, to, t.ElementType)
	case tftypes.Set:
		return projectElements(v, to, t.ElementType)
	}
	return newValue(to, v)
}

func projectElements(v tftypes.Value, to, of tftypes.Type) (tftypes.Value, error) {
	from := AsList(v)
	out := make([]tftypes.Value, len(from))
	for i, e := range from {
		var err error
		if out[i], err = project(e, of); err != nil {
			return tftypes.Value{}, err
		}
	}
	return newValue(to, out)
}

func newValue(t tftypes.Type, v any) (tftypes.Value, error) {
	if err := tftypes.ValidateValue(t, v); err != nil {
		return tftypes.Value{}, err
	}
	return tftypes.NewValue(t, v), nil
}

// keyTree is the set of wire paths of an object.
type keyTree struct {
	leaf bool
	kids map[string]*keyTree
}

func (t *keyTree) add(path []string) error {
	for i, k := range path {
		if t.leaf {
			return fmt.Errorf("wire key %v lies inside the modelled key %v", path, path[:i])
		}
		if t.kids == nil {
			t.kids = map[string]*keyTree{}
		}
		next := t.kids[k]
		if next == nil {
			next = &keyTree{}
			t.kids[k] = next
		}
		t = next
	}
	if t.leaf {
		return fmt.Errorf("wire key %v is declared twice", path)
	}
	if len(t.kids) > 0 {
		return fmt.Errorf("wire key %v has other modelled keys inside", path)
	}
	t.leaf = true
	return nil
}

func hasPrefix(pointer, path []string) bool {
	return len(pointer) >= len(path) && slices.Equal(pointer[:len(path)], path)
}
