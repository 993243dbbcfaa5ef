package lens

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Rules are parts without attributes that relate the attributes beside them.

// AtMostOne refuses more than one of the named attributes.
func AtMostOne(names ...string) Part { return countRule{names: names, most: true} }

// ExactlyOne wants exactly one of the named attributes.
func ExactlyOne(names ...string) Part { return countRule{names: names, least: true, most: true} }

// AtLeastOne wants one or more of the named attributes.
func AtLeastOne(names ...string) Part { return countRule{names: names, least: true} }

// Needs wants all the others where the first attribute is set.
func Needs(name string, others ...string) Part { return needsRule{name, others} }

// Rule is a condition of one's own over the attributes of one object. It must
// leave alone whatever depends on an unknown value.
func Rule(check func(at Path, from Obj) []Problem) Part { return funcRule(check) }

// Finding makes an error for [Rule].
func (p Path) Finding(summary, detail string) Problem { return p.problem(summary, detail) }

type noWire struct{}

func (noWire) Attrs() []Attr                  { return nil }
func (noWire) Keys() [][]string               { return nil }
func (noWire) Put(*Run, Obj, Body) error      { return nil }
func (noWire) Get(*Run, Body, Obj, Obj) error { return nil }

type countRule struct {
	noWire
	names       []string
	least, most bool
}

func (c countRule) refers() []string { return c.names }

func (c countRule) Problems(at Path, from Obj) []Problem {
	var set []string
	for _, n := range c.names {
		v := from[n]
		if v.Type() != nil && !v.IsKnown() {
			return nil
		}
		if Known(v) {
			set = append(set, n)
		}
	}
	all := "`" + strings.Join(c.names, "`, `") + "`"
	switch {
	case c.least && len(set) == 0:
		how := "exactly one"
		if !c.most {
			how = "at least one"
		}
		return []Problem{at.problem(titleCombination, fmt.Sprintf("%s of these attributes must be set: %s", how, all))}
	case c.most && len(set) > 1:
		how := "at most one"
		if c.least {
			how = "exactly one"
		}
		return []Problem{at.Name(set[1]).problem(titleCombination,
			fmt.Sprintf("%s of these attributes can be set: %s; set are `%s`", how, all, strings.Join(set, "`, `")))}
	}
	return nil
}

type needsRule struct {
	name   string
	others []string
}

func (needsRule) Attrs() []Attr                  { return nil }
func (needsRule) Keys() [][]string               { return nil }
func (needsRule) Put(*Run, Obj, Body) error      { return nil }
func (needsRule) Get(*Run, Body, Obj, Obj) error { return nil }

func (n needsRule) refers() []string { return append([]string{n.name}, n.others...) }

func (n needsRule) Problems(at Path, from Obj) []Problem {
	if !Known(from[n.name]) {
		return nil
	}
	var out []Problem
	for _, o := range n.others {
		if Nothing(from[o]) {
			out = append(out, at.Name(n.name).problem(titleCombination,
				fmt.Sprintf("`%s` must be set when `%s` is", o, n.name)))
		}
	}
	return out
}

type funcRule func(at Path, from Obj) []Problem

func (funcRule) Attrs() []Attr                  { return nil }
func (funcRule) Keys() [][]string               { return nil }
func (funcRule) Put(*Run, Obj, Body) error      { return nil }
func (funcRule) Get(*Run, Body, Obj, Obj) error { return nil }

func (f funcRule) Problems(at Path, from Obj) []Problem { return f(at, from) }

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
	err := p.of.put(r, AsObj(v), to)
	r.depth--
	return at(err, tftypes.AttributeName(p.attr.Name))
}

// Get implements [Part]. The object is null when everything in it is, unless the
// prior was an object that said nothing either.
func (p *InlinePart) Get(r *Run, from Body, prior, to Obj) error {
	was := prior[p.attr.Name]
	obj, err := p.of.get(r, from, AsObj(was))
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
	if to[p.attr.Name].Equal(was) {
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
