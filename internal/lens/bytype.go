package lens

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// GroupOf is one map attribute of a [ByType]: the elements of one type.
type GroupOf struct {
	attr Attr
	tag  string
	sent any // the tag, boxed once
	of   *ObjectKind
	typ  tftypes.Map
}

// Group declares the map attribute that holds the elements whose type is tag.
func Group(attr, tag, doc string, parts ...Part) *GroupOf {
	return &GroupOf{attr: Attr{Name: attr, Mode: Opt, Doc: doc}, tag: tag, sent: tag, of: Object(parts...)}
}

// ByTypePart splits one JSON map into a map attribute per type.
type ByTypePart struct {
	path     []string
	groups   []*GroupOf
	required []string
	flag     *Attr
	other    *Attr
	sparse   bool
}

// ByType declares map attributes over one JSON map at path whose elements carry
// their type under "type". An id in two groups is a plan-time error, an element
// of an unknown type is reported by [Codec.Unmodelled] and kept by
// [Codec.Overlay]. The key is sent even when there are no elements.
func ByType(path string, groups ...*GroupOf) *ByTypePart {
	p := &ByTypePart{path: strings.Split(path, "."), groups: groups}
	p.shape()
	return p
}

// Required gives every element a flag "required" that stands for membership in
// the sorted list at path: false when left out and not a member.
func (p *ByTypePart) Required(path string) *ByTypePart {
	d := Flag(false)
	p.required = strings.Split(path, ".")
	p.flag = &Attr{Name: "required", Type: tftypes.Bool, Mode: OptComputed, Default: &d, Doc: "Whether a value must be given."}
	p.shape()
	return p
}

// RequiredTrue is [ByTypePart.Required] with a flag that can only be true: left
// out it stays null.
func (p *ByTypePart) RequiredTrue(path string) *ByTypePart {
	p.required = strings.Split(path, ".")
	p.flag = &Attr{Name: "required", Type: tftypes.Bool, Mode: Opt, Checks: []Check{MustBeTrue()}, Doc: "Whether a value must be given."}
	p.shape()
	return p
}

// Sparse leaves the key out when there are no elements.
func (p *ByTypePart) Sparse() *ByTypePart { p.sparse = true; return p }

// Other adds a computed map of JSON texts with the elements of unknown types.
func (p *ByTypePart) Other(attr, doc string) *ByTypePart {
	p.other = &Attr{Name: attr, Type: tftypes.Map{ElementType: tftypes.String}, Mode: Computed, Text: JSONText, Doc: doc}
	return p
}

func (p *ByTypePart) shape() {
	for _, g := range p.groups {
		o := g.of
		parts := slices.DeleteFunc(slices.Clone(o.parts), func(q Part) bool { _, ok := q.(flagPart); return ok })
		if p.flag != nil {
			parts = append(parts, flagPart{*p.flag})
		}
		g.of = Object(parts...)
		g.typ = tftypes.Map{ElementType: g.of.Type()}
		g.attr.Type = g.typ
		g.attr.Nesting, g.attr.Nested, g.attr.Choices = InMap, g.of.attrs, g.of.choices
	}
}

// flagPart puts the required flag into the schema of an element; the value is the
// business of the whole map.
type flagPart struct{ attr Attr }

func (f flagPart) Attrs() []Attr            { return []Attr{f.attr} }
func (flagPart) Keys() [][]string           { return nil }
func (flagPart) Put(*Run, Obj, Body) error  { return nil }
func (flagPart) Settle(*Run, Obj, Obj, Obj) {}

func (f flagPart) Get(_ *Run, _ Body, _, to Obj) error {
	to[f.attr.Name] = Null(f.attr.Type)
	return nil
}

func (f flagPart) Problems(in Path, from Obj) []Problem {
	var out []Problem
	for _, c := range f.attr.Checks {
		out = append(out, c.run(in.Name(f.attr.Name), from[f.attr.Name])...)
	}
	return out
}

// Attrs implements [Part].
func (p *ByTypePart) Attrs() []Attr {
	out := make([]Attr, 0, len(p.groups)+1)
	for _, g := range p.groups {
		out = append(out, g.attr)
	}
	if p.other != nil {
		out = append(out, *p.other)
	}
	return out
}

// Keys implements [Part].
func (p *ByTypePart) Keys() [][]string {
	if p.required == nil {
		return [][]string{p.path}
	}
	return [][]string{p.path, p.required}
}

func (p *ByTypePart) nested() []*ObjectKind {
	out := make([]*ObjectKind, len(p.groups))
	for i, g := range p.groups {
		out[i] = g.of
	}
	return out
}

func (p *ByTypePart) fault() error {
	for i, g := range p.groups {
		for _, k := range p.groups[:i] {
			if k.tag == g.tag {
				return fmt.Errorf("two groups have the type %q", g.tag)
			}
		}
		for _, k := range g.of.parts {
			for _, path := range k.Keys() {
				if path[0] == "type" {
					return fmt.Errorf("group %q: the key type is the group's own", g.attr.Name)
				}
			}
		}
	}
	return nil
}

// Put implements [Part].
func (p *ByTypePart) Put(r *Run, from Obj, to Body) error {
	size := 0
	for _, g := range p.groups {
		size += len(r.obj(from[g.attr.Name]))
	}
	out := make(Body, size)
	var must []string
	var c collected
	for _, g := range p.groups {
		v := from[g.attr.Name]
		if Nothing(v) {
			continue
		}
		if !v.IsKnown() {
			return at(ErrUnknown, tftypes.AttributeName(g.attr.Name), p.path...)
		}
		for id, e := range r.obj(v) {
			if Nothing(e) {
				continue
			}
			if err := p.putElement(r, g, id, e, out); err != nil {
				c.add(at(err, tftypes.ElementKeyString(id), id), tftypes.AttributeName(g.attr.Name), p.path...)
				continue
			}
			if p.flag == nil {
				continue
			}
			switch f := r.obj(e)[p.flag.Name]; {
			case !Nothing(f) && !f.IsKnown():
				c.add(at(ErrUnknown, tftypes.ElementKeyString(id)), tftypes.AttributeName(g.attr.Name), p.required...)
			case p.flagTrue(r, f):
				must = append(must, id)
			}
		}
	}
	if err := c.err(); err != nil {
		return err
	}
	if len(out) > 0 || !p.sparse {
		place(to, p.path, out)
	}
	if len(must) > 0 {
		slices.Sort(must)
		place(to, p.required, jsonv.FromStrings(slices.Compact(must)))
	}
	return nil
}

func (p *ByTypePart) putElement(r *Run, g *GroupOf, id string, e tftypes.Value, out Body) error {
	if !e.IsKnown() {
		return ErrUnknown
	}
	elem := make(Body, 8)
	r.depth++
	err := g.of.put(r, r.obj(e), elem)
	r.depth--
	if err != nil {
		return err
	}
	elem["type"] = g.sent
	out[id] = elem
	return nil
}

// Get implements [Part].
func (p *ByTypePart) Get(r *Run, from Body, prior, to Obj) error {
	j, err := lookup(from, p.path)
	if err != nil {
		return at(err, tftypes.AttributeName(p.groups[0].attr.Name))
	}
	elems, ok := j.(Body)
	if !ok && j != nil {
		return at(wrongKind("an object", j), tftypes.AttributeName(p.groups[0].attr.Name), p.path...)
	}
	must := p.members(from)
	var c collected
	for _, g := range p.groups {
		v, err := p.getGroup(r, g, elems, must, prior[g.attr.Name])
		if err != nil {
			c.add(err, tftypes.AttributeName(g.attr.Name), p.path...)
			continue
		}
		to[g.attr.Name] = v
	}
	for _, id := range sortedKeys(elems) {
		if _, ok := elems[id].(Body); !ok {
			c.add(wrongKind("an object", elems[id]), tftypes.AttributeName(p.groups[0].attr.Name), append(slices.Clone(p.path), id)...)
		}
	}
	if p.other != nil {
		to[p.other.Name] = p.others(r, elems)
	}
	return c.err()
}

// members are the ids in the required list; a jq expression there names none.
func (p *ByTypePart) members(from Body) map[string]bool {
	if p.required == nil {
		return nil
	}
	j, err := lookup(from, p.required)
	if err != nil {
		return nil
	}
	out := map[string]bool{}
	for _, id := range jsonv.Strings(j) {
		out[id] = true
	}
	return out
}

func (p *ByTypePart) getGroup(r *Run, g *GroupOf, elems Body, must map[string]bool, was tftypes.Value) (tftypes.Value, error) {
	old := AsObj(was)
	v, m := filledMap(g.typ, len(old))
	same := true
	var c collected
	for id, j := range elems {
		elem, ok := j.(Body)
		if !ok || elem["type"] != g.tag {
			continue
		}
		e, kept, err := p.getElement(r, g, elem, old[id], must[id])
		if err != nil {
			c.add(err, tftypes.ElementKeyString(id), id)
			continue
		}
		m[id] = e
		same = same && kept
	}
	if err := c.err(); err != nil {
		return tftypes.Value{}, err
	}
	for id, e := range old {
		if _, there := elems[id]; !there && Nothing(e) {
			m[id] = e
		}
	}
	switch {
	case old != nil && same && len(m) == len(old):
		return was, nil
	case len(m) == 0 && (old == nil || !hollow(was, false)):
		return Null(g.typ), nil
	}
	return v, nil
}

// getElement decodes one element; kept says it is the prior value itself.
func (p *ByTypePart) getElement(r *Run, g *GroupOf, elem Body, was tftypes.Value, must bool) (tftypes.Value, bool, error) {
	if p.keepsElement(r, g, elem, was, must) {
		return was, true, nil
	}
	old := AsObj(was)
	obj, err := g.of.get(r, elem, old)
	if err != nil {
		return tftypes.Value{}, false, err
	}
	if p.flag != nil {
		obj[p.flag.Name] = p.flagValue(must, old[p.flag.Name])
	}
	v, err := g.of.wrap(obj)
	return v, false, err
}

func (p *ByTypePart) flagValue(must bool, was tftypes.Value) tftypes.Value {
	switch {
	case must:
		return Flag(true)
	case Known(was) && !AsBool(was):
		return was
	case p.flag.Default != nil:
		return *p.flag.Default
	}
	return Null(tftypes.Bool)
}

func (p *ByTypePart) known(tag string) bool {
	return slices.ContainsFunc(p.groups, func(g *GroupOf) bool { return g.tag == tag })
}

func (p *ByTypePart) others(r *Run, elems Body) tftypes.Value {
	v, m := filledMap(tftypes.Map{ElementType: tftypes.String}, 0)
	for id, j := range elems {
		if !p.known(jsonv.String(j, "type")) {
			m[id] = Str(canonical(r, j))
		}
	}
	return v
}

// Problems implements [Checker].
func (p *ByTypePart) Problems(in Path, from Obj) []Problem {
	var out []Problem
	first := map[string]string{}
	for _, g := range p.groups {
		m := AsObj(from[g.attr.Name])
		for _, id := range sortedKeys(m) {
			if Nothing(m[id]) {
				continue
			}
			here := in.Name(g.attr.Name).Key(id)
			if other, twice := first[id]; twice {
				out = append(out, here.problem(titleCombination,
					fmt.Sprintf("%q is in `%s` and in `%s`; an identifier has one type", id, other, g.attr.Name)))
			} else {
				first[id] = g.attr.Name
			}
			out = append(out, g.of.Problems(here, m[id])...)
		}
	}
	return out
}

// Settle implements [Settler].
func (p *ByTypePart) Settle(r *Run, plan, prior, to Obj) {
	settleEach(r, p, plan, prior, to)
	for _, g := range p.groups {
		v, was := to[g.attr.Name], prior[g.attr.Name]
		if Known(v) && Known(was) && !Equal(v, was) {
			to[g.attr.Name] = settleMap(r, g.typ, g.of, v, was)
		}
	}
}

// Locate implements [Locator].
func (p *ByTypePart) Locate(pointer []string, v Obj) ([]tftypes.AttributePathStep, bool) {
	if p.required != nil && hasPrefix(pointer, p.required) {
		return p.locateMember(pointer[len(p.required):], v)
	}
	if !hasPrefix(pointer, p.path) || len(pointer) == len(p.path) {
		return nil, false
	}
	id, rest := pointer[len(p.path)], pointer[len(p.path)+1:]
	for _, g := range p.groups {
		e, ok := AsObj(v[g.attr.Name])[id]
		if !ok {
			continue
		}
		steps := []tftypes.AttributePathStep{tftypes.AttributeName(g.attr.Name), tftypes.ElementKeyString(id)}
		return append(steps, g.of.Locate(rest, e)...), true
	}
	return nil, false
}

// locateMember finds the flag of an element that the required list names by its
// place, in the order in which it is sent.
func (p *ByTypePart) locateMember(at []string, v Obj) ([]tftypes.AttributePathStep, bool) {
	if p.flag == nil || len(at) != 1 {
		return nil, false
	}
	groups := map[string]string{}
	for _, g := range p.groups {
		for id, e := range AsObj(v[g.attr.Name]) {
			if AsBool(AsObj(e)[p.flag.Name]) {
				groups[id] = g.attr.Name
			}
		}
	}
	must := sortedKeys(groups)
	i, err := strconv.Atoi(at[0])
	if err != nil || i < 0 || i >= len(must) {
		return nil, false
	}
	return []tftypes.AttributePathStep{tftypes.AttributeName(groups[must[i]]), tftypes.ElementKeyString(must[i]), tftypes.AttributeName(p.flag.Name)}, true
}

// Overlay implements [Overlayer]: elements of unknown types stay, and known ones
// keep their unknown keys as long as the type is the same.
func (p *ByTypePart) Overlay(remote, mine Body) {
	theirs, err := lookup(remote, p.path)
	elems, ok := theirs.(Body)
	if err != nil || !ok {
		return
	}
	j, err := lookup(mine, p.path)
	if err != nil {
		return
	}
	ours, ok := j.(Body)
	if !ok {
		ours = Body{}
	}
	must := p.members(remote)
	var keep []string
	for _, id := range sortedKeys(elems) {
		elem, _ := elems[id].(Body)
		tag := jsonv.String(elem, "type")
		own, have := ours[id].(Body)
		switch {
		case !have && elem != nil && !p.known(tag):
			ours[id] = jsonv.CloneObject(elem)
			if must[id] {
				keep = append(keep, id)
			}
		case have && jsonv.String(own, "type") == tag:
			for _, g := range p.groups {
				if g.tag == tag {
					rest := jsonv.CloneObject(elem)
					delete(rest, "type")
					g.of.Overlay(rest, own)
				}
			}
		}
	}
	if len(ours) > 0 {
		place(mine, p.path, ours)
	}
	if len(keep) > 0 {
		j, err := lookup(mine, p.required)
		if _, jq := j.(Body); err == nil && !jq {
			all := append(jsonv.Strings(j), keep...)
			slices.Sort(all)
			place(mine, p.required, jsonv.FromStrings(slices.Compact(all)))
		}
	}
}

// Unmodelled implements [Finder].
func (p *ByTypePart) Unmodelled(in Path, from Body) []Problem {
	j, err := lookup(from, p.path)
	elems, ok := j.(Body)
	if err != nil || !ok {
		return nil
	}
	var out []Problem
	for _, id := range sortedKeys(elems) {
		tag := jsonv.String(elems[id], "type")
		if !p.known(tag) {
			out = append(out, Problem{Path: in.Attribute(), Warning: true, Summary: "Value not shown",
				Detail: fmt.Sprintf("%q has the type %q, which this version does not know; it is left as it is.", id, tag)})
			continue
		}
		for _, g := range p.groups {
			if g.tag == tag {
				out = append(out, g.of.Unmodelled(in.Name(g.attr.Name).Key(id), elems[id])...)
			}
		}
	}
	return out
}
