package lens

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// ValuesOf is one map attribute of a [ByValue]: the values of one JSON kind.
type ValuesOf struct {
	name      string
	doc       string
	kind      string // of the value: string, number, boolean, object, array
	items     string // declared type of an array's elements
	of        Kind
	typ       tftypes.Map
	attr      Attr
	inside    string // attribute the map is nested in, "" for none
	sendNulls bool
	blankNull bool
}

// Values declares the map attribute for values of one JSON kind: "string",
// "number", "boolean", "object" or "array".
func Values(attr, kind string, of Kind, doc string) *ValuesOf {
	v := &ValuesOf{name: attr, doc: doc, kind: kind, of: of}
	v.shape(Opt)
	return v
}

func (v *ValuesOf) shape(mode Mode) {
	m := Map(v.of)
	v.typ = m.typ
	v.attr = Attr{Name: v.name, Mode: mode, Doc: v.doc, Type: m.typ}
	m.Shape(&v.attr)
}

// SendNulls sends a null element as a JSON null, and takes every null of unknown
// type.
func (v *ValuesOf) SendNulls() *ValuesOf { v.sendNulls = true; return v }

// BlankIsNull sends "" as a null, and keeps it when the server answers null or
// nothing.
func (v *ValuesOf) BlankIsNull() *ValuesOf { v.blankNull = true; return v }

// ByValuePart splits one JSON map with free keys by the kind of each value.
type ByValuePart struct {
	path       []string
	groups     []*ValuesOf
	containers []*Attr
	sparse     bool
}

// ByValue declares map attributes over one JSON map at path whose values carry no
// type. A value goes to the map of its JSON kind. Arrays go to the map that held
// the key before, else to that of [Options.Hint], else to the first that can
// hold them; nulls likewise. The key is sent even when empty.
func ByValue(path string, groups ...*ValuesOf) *ByValuePart {
	return &ByValuePart{path: strings.Split(path, "."), groups: groups}
}

// Arrays adds a nested attribute with one map per type of array element. Each
// group's kind is that of the elements.
func (p *ByValuePart) Arrays(attr, doc string, groups ...*ValuesOf) *ByValuePart {
	types := map[string]tftypes.Type{}
	c := &Attr{Name: attr, Mode: Opt, Doc: doc, Nesting: Single}
	for _, g := range groups {
		g.inside, g.items, g.kind, g.of = attr, g.kind, "array", List(g.of)
		g.shape(Opt)
		types[g.attr.Name] = g.attr.Type
		c.Nested = append(c.Nested, g.attr)
	}
	c.Type = tftypes.Object{AttributeTypes: types}
	p.containers = append(p.containers, c)
	p.groups = append(p.groups, groups...)
	return p
}

// Attrs implements [Part].
func (p *ByValuePart) Attrs() []Attr {
	var out []Attr
	for _, g := range p.groups {
		if g.inside == "" {
			out = append(out, g.attr)
		}
	}
	for _, c := range p.containers {
		out = append(out, *c)
	}
	return out
}

// Keys implements [Part].
func (p *ByValuePart) Keys() [][]string { return [][]string{p.path} }

// holder finds the map of a group in an object.
func (g *ValuesOf) holder(from Obj) tftypes.Value {
	if g.inside == "" {
		return from[g.name]
	}
	return AsObj(from[g.inside])[g.name]
}

func (g *ValuesOf) steps(key string) []tftypes.AttributePathStep {
	var out []tftypes.AttributePathStep
	if g.inside != "" {
		out = append(out, tftypes.AttributeName(g.inside))
	}
	out = append(out, tftypes.AttributeName(g.name))
	if key != "" {
		out = append(out, tftypes.ElementKeyString(key))
	}
	return out
}

func (g *ValuesOf) errorAt(err error, key string, path []string) error {
	keys := append([]string(nil), path...)
	if key != "" {
		keys = append(keys, key)
	}
	steps := g.steps(key)
	for i := len(steps) - 1; i > 0; i-- {
		err = at(err, steps[i])
	}
	return at(err, steps[0], keys...)
}

// Put implements [Part].
func (p *ByValuePart) Put(r *Run, from Obj, to Body) error {
	out := Body{}
	var c collected
	for _, a := range p.containers {
		if v := from[a.Name]; v.Type() != nil && !v.IsKnown() {
			return at(ErrUnknown, tftypes.AttributeName(a.Name), p.path...)
		}
	}
	for _, g := range p.groups {
		v := g.holder(from)
		if Nothing(v) {
			continue
		}
		if !v.IsKnown() {
			return g.errorAt(ErrUnknown, "", p.path)
		}
		for key, e := range AsObj(v) {
			if Nothing(e) {
				if g.sendNulls {
					out[key] = nil
				}
				continue
			}
			if !e.IsKnown() {
				return g.errorAt(ErrUnknown, key, p.path)
			}
			j, err := g.of.Put(r, e)
			if _, none := j.(omitted); none {
				continue
			}
			if j == "" && g.blankNull {
				j = nil
			}
			if err != nil {
				c.add(g.errorAt(err, key, p.path), nil)
				continue
			}
			out[key] = j
		}
	}
	if err := c.err(); err != nil {
		return err
	}
	if len(out) > 0 || !p.sparse {
		place(to, p.path, out)
	}
	return nil
}

// errDropped marks a value that has no place and says nothing.
var errDropped = errors.New("nothing to show")

// Get implements [Part].
func (p *ByValuePart) Get(r *Run, from Body, prior, to Obj) error {
	j, err := lookup(from, p.path)
	values, ok := j.(Body)
	if err == nil && !ok && j != nil {
		err = at(wrongKind("an object", j), nil, p.path...)
	}
	if err != nil {
		return at(err, p.groups[0].steps("")[0])
	}
	held := make([]map[string]tftypes.Value, len(p.groups)) // prior elements
	got := make([]map[string]tftypes.Value, len(p.groups))
	for i, g := range p.groups {
		held[i] = AsObj(g.holder(prior))
		got[i] = map[string]tftypes.Value{}
	}
	var c collected
	for key, v := range values {
		i, e, err := p.place(r, key, v, held, prior != nil)
		if errors.Is(err, errDropped) {
			continue
		}
		if err != nil {
			c.add(p.groups[i].errorAt(err, key, p.path), nil)
			continue
		}
		got[i][key] = e
	}
	if err := c.err(); err != nil {
		return err
	}
	inner := map[string]Obj{}
	for i, g := range p.groups {
		for key, was := range held[i] {
			if _, there := values[key]; !there && (Nothing(was) || g.blankNull && AsText(was) == "") {
				got[i][key] = was
			}
		}
		was := g.holder(prior)
		v := wholeOrNew(g.typ, got[i], held[i], was)
		if g.inside == "" {
			to[g.name] = v
			continue
		}
		if inner[g.inside] == nil {
			inner[g.inside] = Obj{}
		}
		inner[g.inside][g.name] = v
	}
	for _, a := range p.containers {
		to[a.Name] = objectOrNull(a.Type, inner[a.Name], prior[a.Name])
	}
	return nil
}

// wholeOrNew gives the prior map when every element is the prior one, null when
// there is nothing, else a new map.
func wholeOrNew(t tftypes.Map, got, held map[string]tftypes.Value, was tftypes.Value) tftypes.Value {
	if held != nil && len(got) == len(held) {
		same := true
		for key, e := range got {
			old, ok := held[key]
			same = same && ok && Equal(e, old)
		}
		if same {
			return was
		}
	}
	if len(got) == 0 && (held == nil || !hollow(was, true)) {
		return Null(t)
	}
	v, m := filledMap(t, len(got))
	for key, e := range got {
		m[key] = e
	}
	return v
}

func objectOrNull(t tftypes.Type, obj Obj, was tftypes.Value) tftypes.Value {
	for _, v := range obj {
		if !Nothing(v) {
			return tftypes.NewValue(t, obj)
		}
	}
	if Known(was) && hollow(was, true) {
		return was
	}
	return Null(t)
}

// place picks the group for a value and decodes it there.
func (p *ByValuePart) place(r *Run, key string, j any, held []map[string]tftypes.Value, hadPrior bool) (int, tftypes.Value, error) {
	holder := -1
	for i := range p.groups {
		if _, ok := held[i][key]; ok {
			holder = i
			break
		}
	}
	if j == "" && slices.ContainsFunc(p.groups, func(g *ValuesOf) bool { return g.blankNull }) {
		if j = nil; holder < 0 {
			return 0, tftypes.Value{}, errDropped
		}
	}
	if j == nil {
		i := holder
		if i < 0 && !hadPrior {
			i = p.hinted(r, key)
		}
		if i < 0 {
			return 0, tftypes.Value{}, errDropped
		}
		if old := held[i][key]; p.groups[i].blankNull && Known(old) && AsText(old) == "" {
			return i, old, nil
		}
		return i, Null(p.groups[i].of.Type()), nil
	}
	if holder < 0 && hadPrior && r.Default != nil {
		if d, ok := r.Default(key); ok && jsonv.Equal(d, j) {
			return 0, tftypes.Value{}, errDropped
		}
	}
	var order []int
	if holder >= 0 {
		order = append(order, holder)
	}
	if i := p.hinted(r, key); i >= 0 {
		order = append(order, i)
	}
	for i := range p.groups {
		order = append(order, i)
	}
	first, firstErr := -1, error(nil)
	for _, i := range order {
		g := p.groups[i]
		if g.kind != jsonv.KindOf(j) {
			continue
		}
		v, err := getElement(r, g.of, j, held[i][key])
		if err == nil {
			return i, v, nil
		}
		if first < 0 {
			first, firstErr = i, err
		}
	}
	if first < 0 {
		return 0, tftypes.Value{}, fmt.Errorf("no attribute can hold %s", describe(j))
	}
	return first, tftypes.Value{}, firstErr
}

// hinted is the group the declared type points to, -1 for none.
func (p *ByValuePart) hinted(r *Run, key string) int {
	typ, items := "", ""
	if r.Hint != nil {
		typ, items = r.Hint(key)
	}
	for i, g := range p.groups {
		switch {
		case typ == "" && g.sendNulls:
			return i
		case typ == "" || g.kind != typ:
		case g.inside == "" || g.items == items || items == "" && g.items == "string":
			return i
		}
	}
	return -1
}

// Problems implements [Checker].
func (p *ByValuePart) Problems(in Path, from Obj) []Problem {
	var out []Problem
	first := map[string]*ValuesOf{}
	for _, g := range p.groups {
		here := in
		if g.inside != "" {
			here = here.Name(g.inside)
		}
		here = here.Name(g.name)
		m := AsObj(g.holder(from))
		k, checks := g.of.(kindChecker)
		for _, key := range sortedKeys(m) {
			e := m[key]
			if Nothing(e) {
				continue
			}
			if other := first[key]; other != nil {
				out = append(out, here.Key(key).problem(titleCombination,
					fmt.Sprintf("%q is in `%s` and in `%s`; it can have one value", key, other.name, g.name)))
			} else {
				first[key] = g
			}
			if checks && e.IsKnown() {
				out = append(out, k.Problems(here.Key(key), e)...)
			}
		}
	}
	return out
}

// Locate implements [Locator].
func (p *ByValuePart) Locate(pointer []string, v Obj) ([]tftypes.AttributePathStep, bool) {
	if !hasPrefix(pointer, p.path) || len(pointer) == len(p.path) {
		return nil, false
	}
	key, rest := pointer[len(p.path)], pointer[len(p.path)+1:]
	for _, g := range p.groups {
		if e, ok := AsObj(g.holder(v))[key]; ok {
			return append(g.steps(key), locateIn(g.of, rest, e)...), true
		}
	}
	return nil, false
}

func (p *ByValuePart) fault() error {
	if len(p.groups) == 0 {
		return fmt.Errorf("the values at %v have no groups", p.path)
	}
	return nil
}
