package lens

import (
	"encoding/json"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// Most reads find what the state already holds. The methods here answer "would
// decoding give exactly the prior value?" without building anything. False is
// always a safe answer: decoding then does the work leaf by leaf and keeps the
// prior's spelling where it can.

// keeper is a part that can tell that Get would give what prior holds.
type keeper interface {
	keeps(r *Run, from Body, prior Obj) bool
}

// samer is a kind that can tell that v is what Get would give for j.
type samer interface {
	same(r *Run, v tftypes.Value, j any) bool
}

// samerOf is the kind itself, or else compares what it would send.
func samerOf(k Kind) samer {
	if c, ok := k.(checked); ok {
		return samerOf(c.Kind)
	}
	if s, ok := k.(samer); ok {
		return s
	}
	return sent{k}
}

type sent struct{ of Kind }

func (s sent) same(r *Run, v tftypes.Value, j any) bool {
	got, err := s.of.Put(r, v)
	return err == nil && jsonv.Equal(got, j)
}

func sameValue(r *Run, k Kind, v tftypes.Value, j any) bool { return samerOf(k).same(r, v, j) }

func (stringKind) same(r *Run, v tftypes.Value, j any) bool {
	want, ok := j.(string)
	if !ok {
		return false
	}
	got, ok := r.text(v)
	return ok && got == want
}

func (stampKind) same(r *Run, v tftypes.Value, j any) bool {
	s, ok := j.(string)
	got, known := r.text(v)
	return ok && known && restamp(s, time.RFC3339Nano, stampLayout) == got
}

func (boolKind) same(r *Run, v tftypes.Value, j any) bool {
	want, ok := j.(bool)
	got, known := r.flag(v)
	return ok && known && got == want
}

func (k numberKind) same(r *Run, v tftypes.Value, j any) bool {
	want, ok := j.(json.Number)
	if !ok {
		return false
	}
	f, ok := r.float(v)
	if !ok {
		return false
	}
	if i, small := smallNumber(f); small && smallNumbers[i].text == want {
		return true
	}
	if k.fits(f) != nil {
		return false
	}
	got := numberText(f)
	return got == want || jsonNumber(string(want)) && jsonv.CompareNumbers(got, want) == 0
}

func (o *ObjectKind) same(r *Run, v tftypes.Value, j any) bool {
	body, ok := j.(Body)
	obj := r.obj(v)
	return ok && obj != nil && o.keepsAll(r, body, obj, 0)
}

func (k *ListKind) same(r *Run, v tftypes.Value, j any) bool {
	js, ok := j.([]any)
	vs := r.list(v)
	if !ok || !Known(v) || len(vs) != len(js) {
		return false
	}
	of := samerOf(k.of)
	for i := range vs {
		if js[i] == nil || !Known(vs[i]) || !of.same(r, vs[i], js[i]) {
			return false
		}
	}
	return true
}

func (k *MapKind) same(r *Run, v tftypes.Value, j any) bool {
	body, ok := j.(Body)
	m := r.obj(v)
	if !ok || m == nil || len(m) != len(body) {
		return false
	}
	of := samerOf(k.of)
	for key, e := range m {
		b := body[key]
		if b == nil || !Known(e) || !of.same(r, e, b) {
			return false
		}
	}
	return true
}

func (f *FieldPart) keeps(r *Run, from Body, prior Obj) bool {
	was := prior[f.attr.Name]
	var j any
	if len(f.path) == 1 {
		j = from[f.path[0]]
	} else {
		found, err := lookup(from, f.path)
		if err != nil {
			return false
		}
		j = found
	}
	if j == nil || f.only != nil && !f.only(j) {
		return was.Type() != nil && was.IsNull() && (f.readsAs == nil || f.attr.Mode == Opt) && !f.attr.Unread
	}
	return Known(was) && !f.attr.Unread && sameValue(r, f.kind, was, j)
}

func (*constPart) keeps(*Run, Body, Obj) bool { return true }
func (*ownedPart) keeps(*Run, Body, Obj) bool { return true }
func (countRule) keeps(*Run, Body, Obj) bool  { return true }
func (needsRule) keeps(*Run, Body, Obj) bool  { return true }
func (funcRule) keeps(*Run, Body, Obj) bool   { return true }

func (s *SettingPart) keeps(_ *Run, _ Body, prior Obj) bool {
	was := prior[s.field.attr.Name]
	return Known(was) || was.Type() != nil && was.IsNull() && s.field.attr.Default == nil
}

// The flag's value is compared by the whole map.
func (flagPart) keeps(*Run, Body, Obj) bool { return true }

func (p *AlternatesPart) keeps(r *Run, from Body, prior Obj) bool {
	j, err := lookup(from, p.path)
	if err != nil {
		return false
	}
	chosen := p.choose(j)
	for i, f := range p.fields {
		was := prior[f.attr.Name]
		if i == chosen {
			if !Known(was) || !sameValue(r, f.kind, was, j) {
				return false
			}
			continue
		}
		if was.Type() == nil || !was.IsNull() || f.readsAs != nil {
			return false
		}
	}
	return true
}

func (u *UnionPart) keeps(r *Run, from Body, prior Obj) bool {
	body, err := u.region(from)
	found := -1
	if err == nil && body != nil {
		found, _, err = u.find(body)
	}
	if err != nil {
		return false
	}
	for i, c := range u.cases {
		was := prior[c.attr.Name]
		switch {
		case i != found:
			if was.Type() == nil || !was.IsNull() {
				return false
			}
		case c.flag:
			if b, _ := r.flag(was); !b {
				return false
			}
		default:
			obj := r.obj(was)
			if obj == nil || !c.of.keepsAll(r, body, obj, 0) {
				return false
			}
		}
	}
	return true
}

func (p *InlinePart) keeps(r *Run, from Body, prior Obj) bool {
	obj := r.obj(prior[p.attr.Name])
	if obj == nil || !p.of.keepsAll(r, from, obj, 0) {
		return false
	}
	// An object of nulls is kept by Get only where it was empty before.
	for _, v := range obj {
		if !Nothing(v) {
			return true
		}
	}
	return false
}

func (p *ByTypePart) keeps(r *Run, from Body, prior Obj) bool {
	if p.other != nil {
		return false
	}
	j, err := lookup(from, p.path)
	elems, ok := j.(Body)
	if err != nil || !ok {
		return false
	}
	must := p.members(from)
	count := 0
	for _, g := range p.groups {
		v := prior[g.attr.Name]
		if v.Type() == nil || !v.IsNull() && !v.IsKnown() {
			return false
		}
		for id, e := range r.obj(v) {
			elem, ok := elems[id].(Body)
			if !ok || elem["type"] != g.tag || !p.keepsElement(r, g, elem, e, must[id]) {
				return false
			}
			count++
		}
	}
	return count == len(elems)
}

// keepsElement reports whether an element would decode to the prior value.
func (p *ByTypePart) keepsElement(r *Run, g *GroupOf, elem Body, was tftypes.Value, must bool) bool {
	obj := r.obj(was)
	if obj == nil {
		return false
	}
	if p.flag != nil {
		f := obj[p.flag.Name]
		if p.flagTrue(r, f) != must || !Known(f) && p.flag.Default != nil {
			return false
		}
	}
	return g.of.keepsAll(r, elem, obj, 1) // the type is the group's
}

func (*ByTypePart) flagTrue(r *Run, v tftypes.Value) bool {
	b, _ := r.flag(v)
	return b
}
