package lens

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// CasePart is one case of a [Union]: an attribute that is set when the
// discriminator has its value.
type CasePart struct {
	attr     Attr
	of       *ObjectKind
	tag      any
	consts   []*constPart
	when     func(Body) bool
	fallback bool
	flag     bool
}

// Case declares a case with a nested object. Its parts are relative to the body
// the union is in.
func Case(attr string, tag any, doc string, parts ...Part) *CasePart {
	o := Object(parts...)
	c := &CasePart{attr: Attr{Name: attr, Mode: Opt, Doc: doc, Type: o.Type()}, of: o, tag: tag}
	o.Shape(&c.attr)
	return c
}

// EmptyCase declares a case that says everything by being there: an object
// without attributes, written = {}.
func EmptyCase(attr string, tag any, doc string) *CasePart {
	o := EmptyObject()
	return &CasePart{attr: Attr{Name: attr, Mode: Opt, Doc: doc, Type: o.Type()}, of: o, tag: tag}
}

// FlagCase declares a case that is a boolean which can only be true.
func FlagCase(attr string, tag any, doc string) *CasePart {
	return &CasePart{attr: Attr{Name: attr, Mode: Opt, Doc: doc, Type: tftypes.Bool, Checks: []Check{MustBeTrue()}},
		of: Object(), tag: tag, flag: true}
}

// And adds a constant the case sends besides the discriminator, and is
// recognised by.
func (c *CasePart) And(path string, v any) *CasePart {
	c.consts = append(c.consts, &constPart{strings.Split(path, "."), v})
	return c
}

// Fallback takes every object whose discriminator no other case has.
func (c *CasePart) Fallback() *CasePart { c.fallback = true; return c }

// When recognises the case by a test of its own instead of the constants.
func (c *CasePart) When(test func(Body) bool) *CasePart { c.when = test; return c }

// Deprecated warns whoever sets the attribute.
func (c *CasePart) Deprecated(text string) *CasePart { c.attr.Deprecated = text; return c }

// UnionPart is several attributes over one object with a discriminator.
type UnionPart struct {
	tag      []string
	in       []string
	cases    []*CasePart
	required bool
	clear    bool
}

// Union declares attributes of which at most one is set; the wire has one object
// whose discriminator, at the path tag, says which. With tag "items.type" the
// object is the enclosing one and the cases' parts may reach outside items.
func Union(tag string, cases ...*CasePart) *UnionPart {
	return &UnionPart{tag: strings.Split(tag, "."), cases: cases}
}

// In moves the union into an object below the given path.
func (u *UnionPart) In(path string) *UnionPart { u.in = strings.Split(path, "."); return u }

// Required wants exactly one case.
func (u *UnionPart) Required() *UnionPart { u.required = true; return u }

// NullOnClear sends an explicit null when no case is set; it needs [UnionPart.In].
func (u *UnionPart) NullOnClear() *UnionPart { u.clear = true; return u }

// Block renders the cases as HCL blocks.
func (u *UnionPart) Block() *UnionPart {
	for _, c := range u.cases {
		c.attr.Block = true
	}
	return u
}

// Attrs implements [Part].
func (u *UnionPart) Attrs() []Attr {
	out := make([]Attr, len(u.cases))
	for i, c := range u.cases {
		out[i] = c.attr
	}
	return out
}

// Keys implements [Part]: each path once, though several cases may share it.
func (u *UnionPart) Keys() [][]string {
	if len(u.in) > 0 {
		return [][]string{u.in}
	}
	return u.inner()
}

func (u *UnionPart) inner() [][]string {
	out := [][]string{u.tag}
	add := func(path []string) {
		for _, have := range out {
			if slices.Equal(have, path) {
				return
			}
		}
		out = append(out, path)
	}
	for _, c := range u.cases {
		for _, k := range c.consts {
			add(k.path)
		}
		for _, p := range c.of.parts {
			for _, k := range p.Keys() {
				add(k)
			}
		}
	}
	return out
}

func (u *UnionPart) tagPaths() [][]string {
	if len(u.in) > 0 {
		return nil
	}
	return [][]string{u.tag}
}

func (u *UnionPart) nested() []*ObjectKind {
	var out []*ObjectKind
	for _, c := range u.cases {
		out = append(out, c.of)
	}
	return out
}

func (u *UnionPart) choices() []Choice {
	names := make([]string, len(u.cases))
	for i, c := range u.cases {
		names[i] = c.attr.Name
	}
	return []Choice{{Names: names, Least: u.required, Most: true}}
}

func (u *UnionPart) fault() error {
	if len(u.cases) == 0 {
		return fmt.Errorf("union on %v has no cases", u.tag)
	}
	if u.clear && len(u.in) == 0 {
		return fmt.Errorf("union on %v cannot be cleared: it has no object of its own", u.tag)
	}
	tree := &keyTree{}
	for _, k := range u.inner() {
		if err := tree.add(k); err != nil {
			return fmt.Errorf("union on %v: %w", u.tag, err)
		}
	}
	fallbacks := 0
	for _, c := range u.cases {
		if c.fallback {
			fallbacks++
		}
	}
	if fallbacks > 1 {
		return fmt.Errorf("union on %v has %d fallbacks", u.tag, fallbacks)
	}
	return nil
}

// Put implements [Part]. Should several cases be set the first wins.
func (u *UnionPart) Put(r *Run, from Obj, to Body) error {
	for _, c := range u.cases {
		v := from[c.attr.Name]
		if Nothing(v) {
			continue
		}
		if !v.IsKnown() {
			return at(ErrUnknown, tftypes.AttributeName(c.attr.Name), u.in...)
		}
		body := to
		if len(u.in) > 0 {
			body = Body{}
		}
		r.depth++
		err := c.of.put(r, r.obj(v), body)
		r.depth--
		if err != nil {
			return at(err, tftypes.AttributeName(c.attr.Name), u.in...)
		}
		if c.tag != nil {
			place(body, u.tag, jsonv.Clone(c.tag))
		}
		for _, k := range c.consts {
			place(body, k.path, jsonv.Clone(k.v))
		}
		if len(u.in) > 0 {
			place(to, u.in, body)
		}
		return nil
	}
	if u.clear {
		place(to, u.in, nil)
	}
	return nil
}

// region is the body the cases are in; nil when it is absent.
func (u *UnionPart) region(from Body) (Body, error) {
	if len(u.in) == 0 {
		return from, nil
	}
	j, err := lookup(from, u.in)
	if err != nil || j == nil {
		return nil, err
	}
	body, ok := j.(Body)
	if !ok {
		return nil, at(wrongKind("an object", j), nil, u.in...)
	}
	return body, nil
}

// find picks the case of a body; -1 for none. known says that there is no
// discriminator at all or that a case has it.
func (u *UnionPart) find(body Body) (found int, known bool, err error) {
	tag, err := lookup(body, u.tag)
	if err != nil {
		return -1, false, err
	}
	fallback := -1
	for i, c := range u.cases {
		switch {
		case c.fallback:
			fallback = i
		case c.when != nil:
			if c.when(body) {
				return i, true, nil
			}
			continue
		}
		if c.tag == nil || tag == nil || !jsonv.Equal(tag, c.tag) || !c.hasConsts(body) {
			continue
		}
		return i, true, nil
	}
	if tag == nil {
		return -1, true, nil
	}
	return fallback, fallback >= 0, nil
}

func (c *CasePart) hasConsts(body Body) bool {
	for _, k := range c.consts {
		if j, err := lookup(body, k.path); err != nil || !jsonv.Equal(j, k.v) {
			return false
		}
	}
	return true
}

// Get implements [Part].
func (u *UnionPart) Get(r *Run, from Body, prior, to Obj) error {
	body, err := u.region(from)
	found := -1
	if err == nil && body != nil {
		found, _, err = u.find(body)
	}
	if err != nil {
		return at(err, tftypes.AttributeName(u.cases[0].attr.Name))
	}
	for i, c := range u.cases {
		if i != found {
			to[c.attr.Name] = Null(c.attr.Type)
			continue
		}
		if c.flag {
			to[c.attr.Name] = Flag(true)
			continue
		}
		was := prior[c.attr.Name]
		obj, err := c.of.get(r, body, AsObj(was))
		if err != nil {
			return at(err, tftypes.AttributeName(c.attr.Name), u.in...)
		}
		v, err := c.of.wrap(obj)
		if err != nil {
			return at(err, tftypes.AttributeName(c.attr.Name), u.in...)
		}
		to[c.attr.Name] = v
	}
	return nil
}

// Problems implements [Checker].
func (u *UnionPart) Problems(in Path, from Obj) []Problem {
	names := make([]string, len(u.cases))
	var out []Problem
	for i, c := range u.cases {
		names[i] = c.attr.Name
		v := from[c.attr.Name]
		if !Known(v) {
			continue
		}
		for _, check := range c.attr.Checks {
			out = append(out, check.run(in.Name(c.attr.Name), v)...)
		}
		if !c.flag {
			out = append(out, c.of.Problems(in.Name(c.attr.Name), v)...)
		}
	}
	return append(out, countRule{names: names, least: u.required, most: true}.Problems(in, from)...)
}

// Settle implements [Settler].
func (u *UnionPart) Settle(r *Run, plan, prior, to Obj) {
	settleEach(r, u, plan, prior, to)
	for _, c := range u.cases {
		p, was := to[c.attr.Name], prior[c.attr.Name]
		if Known(p) && Known(was) && !c.flag && !Equal(p, was) {
			to[c.attr.Name] = c.of.Settle(r, p, was)
		}
	}
}

// Locate implements [Locator].
func (u *UnionPart) Locate(pointer []string, v Obj) ([]tftypes.AttributePathStep, bool) {
	if !hasPrefix(pointer, u.in) {
		return nil, false
	}
	rest := pointer[len(u.in):]
	for _, c := range u.cases {
		if !Known(v[c.attr.Name]) {
			continue
		}
		steps := c.of.Locate(rest, v[c.attr.Name])
		if len(steps) == 0 && len(u.in) == 0 && !hasPrefix(rest, u.tag[:1]) {
			return nil, false
		}
		return append([]tftypes.AttributePathStep{tftypes.AttributeName(c.attr.Name)}, steps...), true
	}
	return nil, false
}

// Overlay implements [Overlayer]. While the case stays its unknown keys are
// carried over; what no case describes is kept when no case is set.
func (u *UnionPart) Overlay(remote, mine Body) {
	theirs, err := u.region(remote)
	if err != nil || theirs == nil {
		return
	}
	was, _, err := u.find(theirs)
	if err != nil {
		return
	}
	ours, err := u.region(mine)
	if err != nil {
		return
	}
	now := -1
	if ours != nil {
		if now, _, err = u.find(ours); err != nil {
			return
		}
	}
	switch {
	case now < 0 && was < 0:
		u.keep(remote, mine)
	case now >= 0 && now == was:
		if len(u.in) > 0 {
			tree := &keyTree{}
			for _, k := range u.inner() {
				if tree.add(k) != nil {
					return
				}
			}
			u.cases[now].of.carry(tree, nil, theirs, ours)
		}
		for _, p := range u.cases[now].of.parts {
			if ov, ok := p.(Overlayer); ok {
				ov.Overlay(theirs, ours)
			}
		}
	}
}

// keep copies what no case describes: an object whose discriminator is unknown,
// or keys that only mean something to a case where there is none.
func (u *UnionPart) keep(remote, mine Body) {
	paths := [][]string{u.in}
	if len(u.in) == 0 {
		paths = u.inner()
		if len(u.tag) > 1 {
			paths = append([][]string{u.tag[:len(u.tag)-1]}, paths...)
		}
	}
	for _, path := range paths {
		theirs, err := lookup(remote, path)
		ours, errOurs := lookup(mine, path)
		if err == nil && errOurs == nil && theirs != nil && ours == nil {
			place(mine, path, jsonv.Clone(theirs))
		}
	}
}

// Unmodelled implements [Finder].
func (u *UnionPart) Unmodelled(in Path, from Body) []Problem {
	body, err := u.region(from)
	if err != nil || body == nil {
		return nil
	}
	found, known, err := u.find(body)
	if err != nil || known && found < 0 {
		return nil
	}
	if !known {
		tag, _ := lookup(body, u.tag) // find has looked there
		where := append(slices.Clone(u.in), u.tag...)
		return []Problem{{Path: in.Attribute(), Warning: true, Summary: "Value not shown",
			Detail: fmt.Sprintf("%s is %s, which this version does not know; the value is left as it is.", strings.Join(where, "."), describe(tag))}}
	}
	c := u.cases[found]
	return c.of.Unmodelled(in.Name(c.attr.Name), body)
}
