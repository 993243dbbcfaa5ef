package lens

import (
	"sort"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// ListKind is a JSON array whose order counts.
type ListKind struct {
	of        Kind
	typ       tftypes.List
	skipNulls bool
	unordered bool
	id        []string
}

// List declares an ordered array.
func List(of Kind) *ListKind { return &ListKind{of: of, typ: tftypes.List{ElementType: of.Type()}} }

// Unordered is a list attribute over an array without order: the prior's order
// stays while both hold the same elements.
func Unordered(of Kind) *ListKind {
	l := List(of)
	l.unordered = true
	return l
}

// Keyed is a list of objects that have an identity: the wire keys in id. The
// server may reorder them; elements are matched by id and keep the prior's
// order, unknown ones follow.
func Keyed(of *ObjectKind, id ...string) *ListKind {
	l := List(of)
	l.id = id
	return l
}

// SkipNulls leaves null elements out instead of refusing them.
func (k *ListKind) SkipNulls() *ListKind {
	c := *k
	c.skipNulls = true
	return &c
}

func (k *ListKind) elem() Kind { return k.of }

// Type implements [Kind].
func (k *ListKind) Type() tftypes.Type { return k.typ }

// Shape implements [Kind].
func (k *ListKind) Shape(a *Attr) {
	shapeCollection(a, k.of, InList)
	a.Unordered = k.unordered || len(k.id) > 0
}

// shapeCollection makes a nested attribute out of a collection of objects, and
// hands an element's checks to the attribute of a flat one.
func shapeCollection(a *Attr, of Kind, nesting Nesting) {
	var e Attr
	of.Shape(&e)
	if e.Nesting == Single {
		a.Nesting, a.Nested, a.Choices = nesting, e.Nested, e.Choices
		return
	}
	a.ElemChecks = append(a.ElemChecks, e.Checks...)
	a.ElemChecks = append(a.ElemChecks, e.ElemChecks...)
	a.Text, a.Number = e.Text, e.Number
}

// Put implements [Kind].
func (k *ListKind) Put(r *Run, v tftypes.Value) (any, error) {
	return putElements(r, k.of, r.list(v), k.skipNulls)
}

func putElements(r *Run, of Kind, vs []tftypes.Value, skipNulls bool) (any, error) {
	out := make([]any, 0, len(vs))
	var c collected
	for i, e := range vs {
		if Nothing(e) {
			if !skipNulls {
				out = append(out, nil)
			}
			continue
		}
		if !e.IsKnown() {
			return nil, at(ErrUnknown, tftypes.ElementKeyInt(i), index(i))
		}
		j, err := of.Put(r, e)
		if _, none := j.(omitted); none {
			j = nil
		}
		if err != nil {
			c.add(err, tftypes.ElementKeyInt(i), index(i))
		}
		out = append(out, j)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	return out, nil
}

// Get implements [Kind].
func (k *ListKind) Get(r *Run, j any, prior tftypes.Value) (tftypes.Value, error) {
	js, ok := j.([]any)
	if !ok {
		return tftypes.Value{}, wrongKind("an array", j)
	}
	was := AsList(prior)
	switch {
	case len(k.id) > 0:
		js, was = k.byID(r, js, was)
	case k.unordered:
		js, was = sameOrder(r, k.of, js, was)
	}
	vs, err := getElements(r, k.of, js, was)
	if err != nil {
		return tftypes.Value{}, err
	}
	if k.skipNulls {
		vs = restoreNulls(vs, AsList(prior))
	}
	return tftypes.NewValue(k.typ, vs), nil
}

func getElements(r *Run, of Kind, js []any, was []tftypes.Value) ([]tftypes.Value, error) {
	vs := make([]tftypes.Value, len(js))
	var c collected
	for i, j := range js {
		var prior tftypes.Value
		if i < len(was) {
			prior = was[i]
		}
		v, err := getElement(r, of, j, prior)
		if err != nil {
			c.add(err, tftypes.ElementKeyInt(i), index(i))
			continue
		}
		vs[i] = v
	}
	return vs, c.err()
}

// getElement decodes an element; what says the same keeps the prior's spelling.
func getElement(r *Run, of Kind, j any, prior tftypes.Value) (tftypes.Value, error) {
	if j == nil {
		return Null(of.Type()), nil
	}
	if Known(prior) && sameValue(r, of, prior, j) {
		return prior, nil
	}
	return of.Get(r, j, prior)
}

// sameOrder brings wire elements into the order of the prior ones that are still
// there and pairs them up; new elements follow in wire order.
func sameOrder(r *Run, of Kind, js []any, was []tftypes.Value) ([]any, []tftypes.Value) {
	left := map[string]int{}
	for _, j := range js {
		left[fingerprint(j)]++
	}
	var outJ []any
	var outV []tftypes.Value
	for _, v := range was {
		if !Known(v) {
			continue
		}
		j, err := of.Put(r, v)
		if err != nil {
			continue
		}
		if f := fingerprint(j); left[f] > 0 {
			left[f]--
			outJ, outV = append(outJ, j), append(outV, v)
		}
	}
	for _, j := range js {
		if f := fingerprint(j); left[f] > 0 {
			left[f]--
			outJ = append(outJ, j)
		}
	}
	return outJ, outV
}

// fingerprint is the same for values that are the same JSON, numbers included.
func fingerprint(j any) string { return string(jsonv.Encode(respell(j))) }

// byID orders wire elements as the prior ones and pairs them up.
func (k *ListKind) byID(r *Run, js []any, was []tftypes.Value) ([]any, []tftypes.Value) {
	waiting := map[string][]any{}
	for _, j := range js {
		id := k.idOf(j)
		waiting[id] = append(waiting[id], j)
	}
	var outJ []any
	var outV []tftypes.Value
	take := func(id string, v tftypes.Value) {
		if q := waiting[id]; len(q) > 0 {
			waiting[id] = q[1:]
			outJ, outV = append(outJ, q[0]), append(outV, v)
		}
	}
	for _, v := range was {
		if !Known(v) {
			continue
		}
		if j, err := k.of.Put(r, v); err == nil {
			take(k.idOf(j), v)
		}
	}
	for _, j := range js {
		take(k.idOf(j), tftypes.Value{})
	}
	return outJ, outV
}

func (k *ListKind) idOf(j any) string {
	parts := make([]any, len(k.id))
	for i, key := range k.id {
		parts[i], _ = jsonv.Get(j, key)
	}
	return fingerprint(parts)
}

// restoreNulls puts back the null elements a prior list had, when that is all
// that differs.
func restoreNulls(vs, was []tftypes.Value) []tftypes.Value {
	var kept []tftypes.Value
	for _, v := range was {
		if !Nothing(v) {
			kept = append(kept, v)
		}
	}
	if len(kept) == len(was) || len(kept) != len(vs) {
		return vs
	}
	for i := range kept {
		if !Equal(kept[i], vs[i]) {
			return vs
		}
	}
	return was
}

// Problems checks the elements.
func (k *ListKind) Problems(at Path, v tftypes.Value) []Problem {
	c, checks := k.of.(kindChecker)
	var out []Problem
	seen := map[string]bool{}
	for i, e := range AsList(v) {
		if Nothing(e) {
			if !k.skipNulls {
				out = append(out, at.Index(i).problem(titleValue, "an element of the list is null"))
			}
			continue
		}
		if !e.IsKnown() {
			continue
		}
		if checks {
			out = append(out, c.Problems(at.Index(i), e)...)
		}
		if len(k.id) > 0 && e.IsFullyKnown() {
			if j, err := k.of.Put(&Run{}, e); err == nil {
				id := k.idOf(j)
				if seen[id] {
					out = append(out, at.Index(i).problem(titleValue, "another element has the same "+joinWords(k.id)+": "+id))
				}
				seen[id] = true
			}
		}
	}
	return out
}

// Settle goes into nested objects; a flat list is one attribute and only changes
// as a whole.
func (k *ListKind) Settle(r *Run, plan, prior tftypes.Value) tftypes.Value {
	p, was := AsList(plan), AsList(prior)
	if k.unordered && len(p) == len(was) {
		a, errA := k.Put(r, plan)
		b, errB := k.Put(r, prior)
		if errA == nil && errB == nil && sameSet(a, b) {
			return prior
		}
	}
	s, ok := k.of.(*ObjectKind)
	if !ok || s.flat {
		return plan
	}
	vs := append([]tftypes.Value(nil), p...)
	for i := range vs {
		if i < len(was) && Known(vs[i]) && Known(was[i]) {
			vs[i] = s.Settle(r, vs[i], was[i])
		}
	}
	return tftypes.NewValue(k.typ, vs)
}

func sameSet(a, b any) bool {
	x, okX := a.([]any)
	y, okY := b.([]any)
	return okX && okY && jsonv.Equal(sorted(x), sorted(y))
}

// sorted orders elements by their canonical text.
func sorted(js []any) []any {
	type keyed struct {
		key string
		j   any
	}
	ks := make([]keyed, len(js))
	for i, j := range js {
		ks[i] = keyed{fingerprint(j), j}
	}
	sort.SliceStable(ks, func(i, j int) bool { return ks[i].key < ks[j].key })
	out := make([]any, len(ks))
	for i := range ks {
		out[i] = ks[i].j
	}
	return out
}

// Locate follows an index.
func (k *ListKind) Locate(pointer []string, v tftypes.Value) []tftypes.AttributePathStep {
	return locateIndex(k.of, pointer, AsList(v), k.skipNulls)
}

// Overlay carries over inside elements of the same identity.
func (k *ListKind) Overlay(remote, mine any) any {
	o, ok := k.of.(*ObjectKind)
	theirs, okR := remote.([]any)
	ours, okM := mine.([]any)
	if !ok || len(k.id) == 0 || !okR || !okM {
		return mine
	}
	byID := map[string]any{}
	for _, j := range theirs {
		byID[k.idOf(j)] = j
	}
	for _, j := range ours {
		if r, ok := byID[k.idOf(j)]; ok {
			o.Overlay(r, j)
		}
	}
	return mine
}

// Unmodelled looks into the elements.
func (k *ListKind) Unmodelled(in Path, j any) []Problem {
	f, ok := k.of.(kindFinder)
	js, okJ := j.([]any)
	if !ok || !okJ {
		return nil
	}
	var out []Problem
	for i, e := range js {
		out = append(out, f.Unmodelled(in.Index(i), e)...)
	}
	return out
}
