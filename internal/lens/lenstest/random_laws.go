package lenstest

import (
	"fmt"
	"runtime/debug"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// rounds is how many random objects are tried.
const rounds = 200

// random checks the laws on generated objects.
func (l *laws) random() {
	var last tftypes.Value
	for round := range rounds {
		g := &generator{Random: NewRandom(uint64(round + 1)), codec: l.codec, texts: l.texts} // small
		v, err := g.object()
		if err != nil {
			l.fail("generator", "%v", err)
			return
		}
		l.object(fmt.Sprintf("round %d", round+1), g.Random, v, last)
		last = v
		if len(l.broken) > 25 {
			return
		}
	}
}

func (l *laws) object(name string, r *Random, v, other tftypes.Value) {
	body, err := l.codec.Put(v, l.null)
	if err != nil {
		l.fail("L1", "%s: a valid object cannot be sent: %v\n%s", name, err, v)
		return
	}
	answer, err := jsonv.DecodeObject(jsonv.Encode(body))
	if err != nil {
		l.fail("L1", "%s: the body is no JSON: %v", name, err)
		return
	}
	// What only the server sets reads as it would from an answer without it.
	v = l.completed(v, answer)
	l.quiet("L1", name+": get(put(v), v)", answer, v)
	l.quiet("L4", name+": numbers respelled", respelledNumbers(answer), v)
	l.emptiesGone(name, answer, v)
	l.reordered(name, answer, v)

	fresh, err := l.get(answer, l.null)
	if err != nil {
		l.fail("L2", "%s: %v", name, err)
		return
	}
	again, err := l.codec.Put(fresh, l.null)
	if err != nil {
		l.fail("L2", "%s: what was read cannot be sent: %v\n%s", name, err, clipped(answer))
		return
	}
	l.nothingLost(name, answer, fresh, again)
	l.quiet("L2", name+": get(put(get(j, ∅)))", l.served(again, answer), fresh)
	l.settles(name, v, fresh)
	if lens.Known(other) {
		l.settles(name, v, other)
		if b, err := l.codec.Put(other, l.null); err == nil {
			if over := l.codec.Overlay(b, body); !jsonv.Equal(over, body) {
				l.fail("overlay", "%s: carries over what the declaration models\nremote: %s\nmine:   %s\ngot:    %s",
					name, clipped(b), clipped(body), clipped(over))
			}
		}
	}
	l.paths(name, body, v)
	l.nonsense(name, r, answer, v)
}

// completed puts the server's own attributes, as read from the answer, into v.
func (l *laws) completed(v tftypes.Value, answer lens.Body) tftypes.Value {
	got, err := l.get(answer, v)
	if err != nil {
		return v
	}
	out := lens.Obj{}
	read := lens.AsObj(got)
	for name, e := range lens.AsObj(v) {
		out[name] = e
	}
	for _, a := range l.codec.Attrs() {
		if a.Mode == lens.Computed {
			out[a.Name] = read[a.Name]
		}
	}
	return tftypes.NewValue(l.codec.Type(), out)
}

// clipped is JSON for a message.
func clipped(j any) string {
	s := string(jsonv.Encode(j))
	if len(s) > 400 {
		s = s[:400] + "…"
	}
	return s
}

func (l *laws) quiet(law, what string, body any, v tftypes.Value) {
	got, err := l.get(body, v)
	if err != nil || !lens.Equal(got, v) {
		l.fail(law, "%s differs from v: %s\nbody: %s", what, difference(v, got, err), clipped(body))
	}
}

// emptiesGone is the part of L4 that says [] and {} are nothing.
func (l *laws) emptiesGone(name string, answer lens.Body, v tftypes.Value) {
	for _, at := range pointers(answer) {
		e, _ := jsonv.Get(answer, at...)
		path, ok := l.codec.AttrPath(at, v)
		if !isContainer(e) || !vacant(e) || !ok || !l.isCollection(path, v) {
			continue
		}
		l.quiet("L4", name+": "+jsonv.Pointer(at...)+" left out", removed(answer, at), v)
	}
}

// isCollection reports whether a path leads to an attribute that is a list, set
// or map, not an element of one.
func (l *laws) isCollection(path *tftypes.AttributePath, v tftypes.Value) bool {
	steps := path.Steps()
	if _, named := steps[len(steps)-1].(tftypes.AttributeName); !named {
		return false
	}
	got, _, err := tftypes.WalkAttributePath(v, path)
	e, ok := got.(tftypes.Value)
	if err != nil || !ok {
		return false
	}
	switch e.Type().(type) {
	case tftypes.List, tftypes.Set, tftypes.Map:
		return true
	}
	return false
}

// reordered is the part of L4 about arrays without order.
func (l *laws) reordered(name string, answer lens.Body, v tftypes.Value) {
	for _, at := range pointers(answer) {
		e, _ := jsonv.Get(answer, at...)
		list, ok := e.([]any)
		if !ok || len(list) < 2 {
			continue
		}
		path, ok := l.codec.AttrPath(at, v)
		if !ok || !l.hasNoOrder(path) {
			continue
		}
		l.quiet("L4", name+": "+jsonv.Pointer(at...)+" reversed", replaced(answer, at, reversed(list)), v)
	}
}

func (l *laws) hasNoOrder(path *tftypes.AttributePath) bool {
	steps := path.Steps()
	if _, named := steps[len(steps)-1].(tftypes.AttributeName); !named {
		return false
	}
	a := attrAt(l.codec.Attrs(), path)
	if a == nil {
		return false
	}
	_, set := a.Type.(tftypes.Set)
	return set || a.Unordered
}

// unordered gives the body the array order of the other where both hold the same
// elements.
func (l *laws) unordered(body, like lens.Body) lens.Body {
	out := any(body)
	for _, at := range pointers(body) {
		x, _ := jsonv.Get(out, at...)
		y, ok := jsonv.Get(like, at...)
		a, isA := x.([]any)
		b, isB := y.([]any)
		if ok && isA && isB && sameElements(a, b) {
			out = replaced(out, at, b)
		}
	}
	o, _ := out.(lens.Body)
	return o
}

// settles checks that taking over a prior's spelling never changes what is sent.
func (l *laws) settles(name string, plan, prior tftypes.Value) {
	got := l.codec.Settle(plan, prior)
	a, errA := l.codec.Put(plan, l.null)
	b, errB := l.codec.Put(got, l.null)
	if errA != nil || errB != nil || !jsonv.Equal(l.unordered(a, b), b) {
		l.fail("settle", "%s: settling changes what is sent: %v %v\nbefore: %s\nafter:  %s", name, errA, errB, clipped(a), clipped(b))
	}
}

// total is L5 on a sample: every place is replaced by values of every kind.
func (l *laws) total(name string, j lens.Body, v tftypes.Value) {
	nonsense := []any{nil, true, "x", jsonv.Int(1), []any{}, lens.Body{}, []any{nil}, lens.Body{"type": "x", "x": nil}, []any{[]any{lens.Body{}}}}
	for _, at := range pointers(j) {
		for _, n := range nonsense {
			l.survives(name+" with "+jsonv.Pointer(at...)+" = "+string(jsonv.Encode(n)), replaced(j, at, n), v)
		}
	}
}

// nonsense is L5 on a random body.
func (l *laws) nonsense(name string, r *Random, answer lens.Body, v tftypes.Value) {
	places := pointers(answer)
	if len(places) == 0 {
		return
	}
	for range 5 {
		at := pick(r, places)
		with := pick(r, []any{nil, false, "", jsonv.Int(3), []any{"x", nil}, lens.Body{"type": nil}})
		l.survives(name+" with nonsense at "+jsonv.Pointer(at...), replaced(answer, at, with), v)
	}
}

// survives checks that a body gives a value or an error with a path, and panics
// nowhere.
func (l *laws) survives(name string, body any, v tftypes.Value) {
	defer func() {
		if p := recover(); p != nil {
			l.fail("L5", "%s: panic: %v\n%s", name, p, debug.Stack())
		}
	}()
	b, ok := body.(lens.Body)
	if !ok {
		return
	}
	for _, prior := range []tftypes.Value{l.null, v} {
		got, err := l.codec.Get(b, prior)
		if err != nil {
			for _, e := range lens.AllErrors(err) {
				if e.Attr == nil || len(e.Attr.Steps()) == 0 && len(e.Key) == 0 {
					l.fail("L5", "%s: the error has no path: %v", name, err)
				}
			}
			continue
		}
		if _, err := l.codec.Put(got, l.null); err != nil {
			l.fail("L5", "%s: what was read cannot be sent: %v", name, err)
		}
		l.codec.Problems(got)
		l.codec.Settle(got, v)
	}
	l.codec.Unmodelled(b)
	l.codec.Overlay(b, lens.Body{})
	if mine, err := l.codec.Put(v, l.null); err == nil {
		l.codec.Overlay(b, mine)
	}
	for _, at := range pointers(b) {
		l.codec.AttrPath(at, v)
	}
}

// Survives reports how a codec breaks on a body of arbitrary JSON text, or "".
// It is the body of a fuzz target; text that is no JSON object passes.
func Survives(codec *lens.Codec, prior tftypes.Value, text []byte) string {
	body, err := jsonv.DecodeObject(text)
	if err != nil {
		return ""
	}
	l := &laws{codec: codec, null: tftypes.NewValue(codec.Type(), nil)}
	if prior.Type() == nil {
		prior = l.null
	}
	l.survives("body", body, prior)
	if len(l.broken) > 0 {
		return l.broken[0]
	}
	return ""
}
