package lens

import "github.com/hashicorp/terraform-plugin-go/tftypes"

// Inline declares a nested attribute without a key of its own: its parts read and
// write the body of the parts beside it.
func Inline(name string, mode Mode, doc string, parts ...Part) *InlinePart {
	o := Object(parts...)
	a := Attr{Name: name, Mode: mode, Doc: doc, Type: o.Type()}
	o.Shape(&a)
	return &InlinePart{attr: a, of: o}
}

// InlinePart is the part made by [Inline].
type InlinePart struct {
	attr Attr
	of   *ObjectKind
}

// Deprecated warns whoever sets the attribute.
func (p *InlinePart) Deprecated(text string) *InlinePart { p.attr.Deprecated = text; return p }

// Block renders the attribute as an HCL block.
func (p *InlinePart) Block() *InlinePart { p.attr.Block = true; return p }

// Attrs implements [Part].
func (p *InlinePart) Attrs() []Attr { return []Attr{p.attr} }

// Keys implements [Part].
func (p *InlinePart) Keys() [][]string {
	var out [][]string
	for _, q := range p.of.parts {
		if f, ok := q.(*FieldPart); ok && f.shared {
			continue
		}
		out = append(out, q.Keys()...)
	}
	return out
}

func (p *InlinePart) tagPaths() [][]string  { return p.of.tags }
func (p *InlinePart) nested() []*ObjectKind { return []*ObjectKind{p.of} }

// Put implements [Part].
func (p *InlinePart) Put(r *Run, from Obj, to Body) error {
	v := from[p.attr.Name]
	if v.Type() != nil && !v.IsKnown() {
		return at(ErrUnknown, tftypes.AttributeName(p.attr.Name))
	}
	r.depth++
	err := p.of.put(r, r.obj(v), to)
	r.depth--
	return at(err, tftypes.AttributeName(p.attr.Name))
}

// Get implements [Part]. The object is null when everything in it is, unless the
// prior was an object that said nothing either.
func (p *InlinePart) Get(r *Run, from Body, prior, to Obj) error {
	was := prior[p.attr.Name]
	if prior != nil && p.keeps(r, from, prior) {
		to[p.attr.Name] = was
		return nil
	}
	inner := AsObj(was)
	if inner == nil && prior != nil && Nothing(was) {
		inner = Obj{} // left out, which is not the same as never seen
	}
	obj, err := p.of.get(r, from, inner)
	if err != nil {
		return at(err, tftypes.AttributeName(p.attr.Name))
	}
	empty := true
	for _, v := range obj {
		empty = empty && Nothing(v)
	}
	switch {
	case empty && !Known(was):
		to[p.attr.Name] = Null(p.attr.Type)
	case empty && !hollow(was, true):
		to[p.attr.Name] = Null(p.attr.Type)
	default:
		v, err := p.of.wrap(obj)
		if err != nil {
			return at(err, tftypes.AttributeName(p.attr.Name))
		}
		to[p.attr.Name] = v
	}
	return nil
}

// Problems implements [Checker].
func (p *InlinePart) Problems(in Path, from Obj) []Problem {
	return p.of.Problems(in.Name(p.attr.Name), from[p.attr.Name])
}

// Settle implements [Settler].
func (p *InlinePart) Settle(r *Run, plan, prior, to Obj) {
	v, was := plan[p.attr.Name], prior[p.attr.Name]
	if !Known(v) || !Known(was) {
		return
	}
	settleEach(r, p, plan, prior, to)
	if Equal(to[p.attr.Name], was) {
		return
	}
	to[p.attr.Name] = p.of.Settle(r, v, was)
}

// Locate implements [Locator].
func (p *InlinePart) Locate(pointer []string, v Obj) ([]tftypes.AttributePathStep, bool) {
	steps := p.of.Locate(pointer, v[p.attr.Name])
	if len(steps) == 0 {
		return nil, false
	}
	return append([]tftypes.AttributePathStep{tftypes.AttributeName(p.attr.Name)}, steps...), true
}

// Overlay implements [Overlayer]: unknown keys beside its own are the enclosing
// object's to carry.
func (p *InlinePart) Overlay(remote, mine Body) {
	for _, q := range p.of.parts {
		if ov, ok := q.(Overlayer); ok {
			ov.Overlay(remote, mine)
		}
	}
}

// Unmodelled implements [Finder].
func (p *InlinePart) Unmodelled(in Path, from Body) []Problem {
	return p.of.Unmodelled(in.Name(p.attr.Name), from)
}
