package lens

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// ObjectKind is a JSON object described by parts.
type ObjectKind struct {
	parts []Part
	attrs []Attr
	typ   tftypes.Object
	kind  tftypes.Type // typ as an interface
	deep  []string     // the attributes of no primitive type
	keys  *keyTree
	// tags are wire paths whose value must stay the same for unknown keys
	// beside them to be carried over.
	tags    [][]string
	walk    walk
	flat    bool
	choices []Choice
}

// Object declares nested attributes under one key.
func Object(parts ...Part) *ObjectKind {
	o := &ObjectKind{keys: &keyTree{}}
	types := map[string]tftypes.Type{}
	for _, p := range flatten(parts) {
		o.parts = append(o.parts, p)
		for _, a := range p.Attrs() {
			o.attrs = append(o.attrs, a)
			types[a.Name] = a.Type
		}
		if c, ok := p.(interface{ choices() []Choice }); ok {
			o.choices = append(o.choices, c.choices()...)
		}
		if t, ok := p.(interface{ tagPaths() [][]string }); ok {
			o.tags = append(o.tags, t.tagPaths()...)
		}
		for _, k := range p.Keys() {
			// Duplicates are reported by check; shared keys add nothing.
			_ = o.keys.add(k)
		}
	}
	o.typ = tftypes.Object{AttributeTypes: types}
	o.kind = o.typ
	for _, a := range o.attrs {
		if !primitive(a.Type) {
			o.deep = append(o.deep, a.Name)
		}
	}
	o.walk = newWalk(o.parts)
	return o
}

// flatten takes groups apart and leaves nil parts out.
func flatten(parts []Part) []Part {
	var out []Part
	for _, p := range parts {
		switch p := p.(type) {
		case nil:
		case group:
			out = append(out, flatten(p)...)
		default:
			out = append(out, p)
		}
	}
	return out
}

// Plain renders the object as an attribute of object type instead of nested
// attributes, where users' state has that type.
func (o *ObjectKind) Plain() *ObjectKind {
	c := *o
	c.flat = true
	return &c
}

// EmptyObject is an object without attributes: its presence is its value.
func EmptyObject() *ObjectKind { return Object().Plain() }

// check reports what is wrong with the declaration.
func (o *ObjectKind) check() error {
	names := map[string]bool{}
	for _, a := range o.attrs {
		if a.Name == "" {
			return fmt.Errorf("an attribute has no name")
		}
		if names[a.Name] {
			return fmt.Errorf("attribute %q is declared twice", a.Name)
		}
		names[a.Name] = true
	}
	tree := &keyTree{}
	for _, p := range o.parts {
		if f, ok := p.(interface{ fault() error }); ok {
			if err := f.fault(); err != nil {
				return err
			}
		}
		if n, ok := p.(interface{ nested() []*ObjectKind }); ok {
			for _, k := range n.nested() {
				if err := k.check(); err != nil {
					return err
				}
			}
		}
		if r, ok := p.(interface{ refers() []string }); ok {
			for _, name := range r.refers() {
				if !names[name] {
					return fmt.Errorf("a rule names the attribute %q, which is not there", name)
				}
			}
		}
		if f, ok := p.(*FieldPart); ok && f.shared {
			continue
		}
		for _, k := range p.Keys() {
			if err := tree.add(k); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *FieldPart) nested() []*ObjectKind { return objectsIn(f.kind) }

// objectsIn finds the objects a kind is made of.
func objectsIn(k Kind) []*ObjectKind {
	switch k := k.(type) {
	case *ObjectKind:
		return []*ObjectKind{k}
	case interface{ elem() Kind }:
		return objectsIn(k.elem())
	}
	return nil
}

// Type implements [Kind].
func (o *ObjectKind) Type() tftypes.Type { return o.kind }

// Shape implements [Kind].
func (o *ObjectKind) Shape(a *Attr) {
	if o.flat {
		return
	}
	a.Nesting, a.Nested, a.Choices = Single, o.attrs, o.choices
}

// Put implements [Kind].
func (o *ObjectKind) Put(r *Run, v tftypes.Value) (any, error) {
	body := make(Body, min(len(o.parts), 8))
	r.depth++
	err := o.put(r, r.obj(v), body)
	r.depth--
	if err != nil {
		return nil, err
	}
	return body, nil
}

// Get implements [Kind].
func (o *ObjectKind) Get(r *Run, j any, prior tftypes.Value) (tftypes.Value, error) {
	body, ok := j.(Body)
	if !ok {
		return tftypes.Value{}, wrongKind("an object", j)
	}
	obj, err := o.get(r, body, AsObj(prior))
	if err != nil {
		return tftypes.Value{}, err
	}
	return o.wrap(obj)
}

func (o *ObjectKind) get(r *Run, body Body, prior Obj) (Obj, error) {
	var c collected
	to := make(Obj, len(o.attrs))
	for _, p := range o.parts {
		if err := p.Get(r, body, prior, to); err != nil {
			c.add(err, nil)
		}
	}
	return to, c.err()
}

// wrap makes the object value. Every part fills its attributes with values of
// their declared types (lenstest sees to that), so the constructor cannot refuse,
// and need not compare the whole tree of types each time: while it looks, the
// attributes that have a tree are not there.
func (o *ObjectKind) wrap(obj Obj) (tftypes.Value, error) {
	if len(obj) != len(o.attrs) {
		return tftypes.Value{}, fmt.Errorf("decoded %d of %d attributes", len(obj), len(o.attrs))
	}
	held := make([]tftypes.Value, 0, 8)
	for _, name := range o.deep {
		held = append(held, obj[name])
		obj[name] = anything
	}
	v := tftypes.NewValue(o.kind, obj)
	for i, name := range o.deep {
		obj[name] = held[i]
	}
	return v, nil
}

// Problems implements the check of a kind.
func (o *ObjectKind) Problems(at Path, v tftypes.Value) []Problem {
	if !Known(v) {
		return nil
	}
	from := AsObj(v)
	var out []Problem
	for _, p := range o.parts {
		if c, ok := p.(Checker); ok {
			out = append(out, c.Problems(at, from)...)
		}
	}
	return out
}

// Settle swaps what means the same attribute by attribute.
func (o *ObjectKind) Settle(r *Run, plan, prior tftypes.Value) tftypes.Value {
	p, was := AsObj(plan), AsObj(prior)
	if p == nil || was == nil || o.flat {
		return plan
	}
	to := maps.Clone(p)
	for _, part := range o.parts {
		if s, ok := part.(Settler); ok {
			s.Settle(r, p, was, to)
			continue
		}
		settleEach(r, part, p, was, to)
	}
	v, err := o.wrap(to)
	if err != nil {
		return plan
	}
	return v
}

// settleEach compares the attributes of a part one at a time, as if the others
// were null.
func settleEach(r *Run, part Part, plan, prior, to Obj) {
	for _, a := range part.Attrs() {
		p, was := plan[a.Name], prior[a.Name]
		if a.Mode == Computed || a.Client || a.WriteOnly || !Known(p) || !Known(was) {
			continue
		}
		x, y := Body{}, Body{}
		if part.Put(r, Obj{a.Name: p}, x) == nil && part.Put(r, Obj{a.Name: was}, y) == nil && jsonv.Equal(x, y) && sameSettings(a, p, was) {
			to[a.Name] = was
		}
	}
}

// sameSettings reports whether two values of a nested attribute agree in the
// settings below it, which no body shows.
func sameSettings(a Attr, v, was tftypes.Value) bool {
	if !hasSettings(a.Nested) {
		return true
	}
	same := func(v, was Obj) bool {
		for _, n := range a.Nested {
			if n.Client && !Equal(v[n.Name], was[n.Name]) || len(n.Nested) > 0 && !sameSettings(n, v[n.Name], was[n.Name]) {
				return false
			}
		}
		return true
	}
	switch a.Nesting {
	case Single:
		return same(AsObj(v), AsObj(was))
	case InMap:
		theirs := AsObj(was)
		for key, e := range AsObj(v) {
			if !same(AsObj(e), AsObj(theirs[key])) {
				return false
			}
		}
		return true
	}
	return Equal(v, was) // elements without a key to find them by
}

func hasSettings(attrs []Attr) bool {
	return slices.ContainsFunc(attrs, func(a Attr) bool { return a.Client || hasSettings(a.Nested) })
}

// Locate follows a pointer to the attribute it leads to.
func (o *ObjectKind) Locate(pointer []string, v tftypes.Value) []tftypes.AttributePathStep {
	from := AsObj(v)
	var best []tftypes.AttributePathStep
	for _, p := range o.parts {
		l, ok := p.(Locator)
		if !ok {
			continue
		}
		if steps, ok := l.Locate(pointer, from); ok && len(steps) > len(best) {
			best = steps
		}
	}
	return best
}

// Overlay carries over what the object does not model.
func (o *ObjectKind) Overlay(remote, mine any) any {
	r, ok := remote.(Body)
	m, okMine := mine.(Body)
	if ok && okMine {
		o.overlay(r, m, false)
	}
	return mine
}

func (o *ObjectKind) overlay(remote, mine Body, top bool) {
	if !top {
		o.carry(o.keys, nil, remote, mine)
	}
	for _, p := range o.parts {
		if ov, ok := p.(Overlayer); ok {
			ov.Overlay(remote, mine)
		}
	}
}

// carry copies keys that are in no part's paths. Below a tag that changed
// nothing is copied: what stands beside it described the old type.
func (o *ObjectKind) carry(tree *keyTree, path []string, remote, mine Body) {
	for k, theirs := range remote {
		sub, modelled := tree.kids[k]
		if !modelled {
			if _, have := mine[k]; !have && o.sameTags(path, remote, mine) {
				mine[k] = jsonv.Clone(theirs)
			}
			continue
		}
		if sub.leaf {
			continue
		}
		a, ok := theirs.(Body)
		b, okMine := mine[k].(Body)
		if ok && okMine {
			o.carry(sub, append(slices.Clone(path), k), a, b)
		}
	}
}

func (o *ObjectKind) sameTags(path []string, remote, mine Body) bool {
	for _, tag := range o.tags {
		if !slices.Equal(tag[:len(tag)-1], path) {
			continue
		}
		if k := tag[len(tag)-1]; !jsonv.Equal(remote[k], mine[k]) {
			return false
		}
	}
	return true
}

// Unmodelled looks into every part.
func (o *ObjectKind) Unmodelled(in Path, j any) []Problem {
	body, ok := j.(Body)
	if !ok {
		return nil
	}
	var out []Problem
	for _, p := range o.parts {
		if f, ok := p.(Finder); ok {
			out = append(out, f.Unmodelled(in, body)...)
		}
	}
	return out
}

func cloneBody(b Body) Body {
	if b == nil {
		return Body{}
	}
	return jsonv.CloneObject(b)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
