package lens

import (
	"strconv"
	"strings"

	"encoding/json"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// SetKind is a set attribute over a JSON array.
type SetKind struct {
	of  Kind
	typ tftypes.Set
}

// Set declares an unordered array without duplicates. It is sent in the order of
// the elements' JSON text, so equal sets give equal bodies.
func Set(of Kind) *SetKind { return &SetKind{of, tftypes.Set{ElementType: of.Type()}} }

func (k *SetKind) elem() Kind { return k.of }

// Type implements [Kind].
func (k *SetKind) Type() tftypes.Type { return k.typ }

// Shape implements [Kind].
func (k *SetKind) Shape(a *Attr) { shapeCollection(a, k.of, InSet) }

// Put implements [Kind].
func (k *SetKind) Put(r *Run, v tftypes.Value) (any, error) {
	j, err := putElements(r, k.of, r.list(v), true)
	if err != nil {
		return nil, err
	}
	js, _ := j.([]any)
	return unique(sorted(js)), nil
}

// unique drops neighbours that are equal.
func unique(js []any) []any {
	out := js[:0]
	for _, j := range js {
		if len(out) == 0 || !jsonv.Equal(out[len(out)-1], j) {
			out = append(out, j)
		}
	}
	return out
}

// Get implements [Kind].
func (k *SetKind) Get(r *Run, j any, prior tftypes.Value) (tftypes.Value, error) {
	js, ok := j.([]any)
	if !ok {
		return tftypes.Value{}, wrongKind("an array", j)
	}
	js = unique(sorted(js))
	if Known(prior) {
		if was, err := k.Put(r, prior); err == nil && jsonv.Equal(was, js) {
			return prior, nil
		}
	}
	js, was := sameOrder(r, k.of, js, AsList(prior))
	var kept []any
	for _, e := range js {
		if e != nil {
			kept = append(kept, e)
		}
	}
	vs, err := getElements(r, k.of, kept, was)
	if err != nil {
		return tftypes.Value{}, err
	}
	return tftypes.NewValue(k.typ, vs), nil
}

// Problems checks the elements.
func (k *SetKind) Problems(at Path, v tftypes.Value) []Problem {
	c, ok := k.of.(kindChecker)
	if !ok {
		return nil
	}
	var out []Problem
	for _, e := range AsList(v) {
		if Known(e) {
			out = append(out, c.Problems(at.Elem(e), e)...)
		}
	}
	return out
}

// MapKind is a map attribute over a JSON object with free keys.
type MapKind struct {
	of        Kind
	typ       tftypes.Map
	sendNulls bool
}

// Map declares an object with free keys. A null element means the same as no
// element.
func Map(of Kind) *MapKind { return &MapKind{of: of, typ: tftypes.Map{ElementType: of.Type()}} }

// SendNulls sends null elements as JSON nulls.
func (k *MapKind) SendNulls() *MapKind {
	c := *k
	c.sendNulls = true
	return &c
}

func (k *MapKind) elem() Kind { return k.of }

// Type implements [Kind].
func (k *MapKind) Type() tftypes.Type { return k.typ }

// Shape implements [Kind].
func (k *MapKind) Shape(a *Attr) { shapeCollection(a, k.of, InMap) }

// Put implements [Kind].
func (k *MapKind) Put(r *Run, v tftypes.Value) (any, error) {
	m := r.obj(v)
	out := make(Body, len(m))
	var c collected
	for key, e := range m {
		if Nothing(e) {
			if k.sendNulls {
				out[key] = nil
			}
			continue
		}
		if !e.IsKnown() {
			return nil, at(ErrUnknown, tftypes.ElementKeyString(key), key)
		}
		j, err := k.of.Put(r, e)
		if err != nil {
			c.add(err, tftypes.ElementKeyString(key), key)
			continue
		}
		if _, none := j.(omitted); !none {
			out[key] = j
		}
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	return out, nil
}

// Get implements [Kind].
func (k *MapKind) Get(r *Run, j any, prior tftypes.Value) (tftypes.Value, error) {
	body, ok := j.(Body)
	if !ok {
		return tftypes.Value{}, wrongKind("an object", j)
	}
	was := AsObj(prior)
	v, m := filledMap(k.typ, len(body))
	var c collected
	for key, e := range body {
		old, had := was[key]
		if e == nil && !k.sendNulls && (!had || was == nil) {
			continue
		}
		got, err := getElement(r, k.of, e, old)
		if err != nil {
			c.add(err, tftypes.ElementKeyString(key), key)
			continue
		}
		m[key] = got
	}
	for key, old := range was {
		if _, there := body[key]; !there && Nothing(old) {
			m[key] = old
		}
	}
	return v, c.err()
}

// Problems checks the elements.
func (k *MapKind) Problems(at Path, v tftypes.Value) []Problem {
	c, ok := k.of.(kindChecker)
	if !ok {
		return nil
	}
	m := AsObj(v)
	var out []Problem
	for _, key := range sortedKeys(m) {
		if Known(m[key]) {
			out = append(out, c.Problems(at.Key(key), m[key])...)
		}
	}
	return out
}

// Settle goes into nested objects; a flat map is one attribute and only changes
// as a whole.
func (k *MapKind) Settle(r *Run, plan, prior tftypes.Value) tftypes.Value {
	s, ok := k.of.(*ObjectKind)
	if !ok || s.flat {
		return plan
	}
	return settleMap(r, k.typ, s, plan, prior)
}

func settleMap(r *Run, t tftypes.Map, of *ObjectKind, plan, prior tftypes.Value) tftypes.Value {
	p, was := AsObj(plan), AsObj(prior)
	v, m := filledMap(t, len(p))
	for key, e := range p {
		if old, ok := was[key]; ok && Known(e) && Known(old) {
			e = of.Settle(r, e, old)
		}
		m[key] = e
	}
	return v
}

// Locate follows a key.
func (k *MapKind) Locate(pointer []string, v tftypes.Value) []tftypes.AttributePathStep {
	if len(pointer) == 0 {
		return nil
	}
	e, ok := AsObj(v)[pointer[0]]
	if !ok {
		return nil
	}
	return append([]tftypes.AttributePathStep{tftypes.ElementKeyString(pointer[0])}, locateIn(k.of, pointer[1:], e)...)
}

// Overlay carries over inside elements both sides have.
func (k *MapKind) Overlay(remote, mine any) any {
	o, ok := k.of.(kindOverlayer)
	theirs, okR := remote.(Body)
	ours, okM := mine.(Body)
	if !ok || !okR || !okM {
		return mine
	}
	for key, e := range ours {
		if r, ok := theirs[key]; ok {
			ours[key] = o.Overlay(r, e)
		}
	}
	return ours
}

// Unmodelled looks into the elements.
func (k *MapKind) Unmodelled(in Path, j any) []Problem {
	f, ok := k.of.(kindFinder)
	body, okJ := j.(Body)
	if !ok || !okJ {
		return nil
	}
	var out []Problem
	for _, key := range sortedKeys(body) {
		out = append(out, f.Unmodelled(in.Key(key), body[key])...)
	}
	return out
}

func locateIn(of Kind, pointer []string, v tftypes.Value) []tftypes.AttributePathStep {
	if l, ok := of.(kindLocator); ok {
		return l.Locate(pointer, v)
	}
	return nil
}

// locateIndex follows an array index; with nulls left out on the wire it counts
// the others only.
func locateIndex(of Kind, pointer []string, vs []tftypes.Value, skipNulls bool) []tftypes.AttributePathStep {
	if len(pointer) == 0 {
		return nil
	}
	want, err := strconv.Atoi(pointer[0])
	if err != nil {
		return nil
	}
	for i, v := range vs {
		if skipNulls && Nothing(v) {
			continue
		}
		if want == 0 {
			return append([]tftypes.AttributePathStep{tftypes.ElementKeyInt(i)}, locateIn(of, pointer[1:], v)...)
		}
		want--
	}
	return nil
}

func index(i int) string { return strconv.Itoa(i) }

func joinWords(words []string) string { return strings.Join(words, ", ") }

// respell gives every number in j the spelling all equal numbers share.
func respell(j any) any {
	switch j := j.(type) {
	case json.Number:
		if !jsonNumber(string(j)) {
			return string(j)
		}
		return jsonv.CanonicalNumber(j)
	case []any:
		out := make([]any, len(j))
		for i := range j {
			out[i] = respell(j[i])
		}
		return out
	case Body:
		out := make(Body, len(j))
		for k := range j {
			out[k] = respell(j[k])
		}
		return out
	}
	return j
}
