// Package lenstest checks the five laws of package lens for a declaration, from
// the declaration alone plus samples of what the server answers:
//
//	lenstest.Laws(t, codec, lenstest.Wire(`{"identifier":"svc", …}`))
//
// It makes random valid objects from the schema (honouring enumerations, bounds,
// patterns and rules between attributes), changes and removes every place of
// every sample, respells JSON, reverses what has no order, and feeds nonsense.
package lenstest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// Sample is something [Laws] is to know about a declaration.
type Sample func(*laws)

// Wire is a body as the server answers it, as JSON text. Together the samples
// should hold every key the declaration knows.
func Wire(text string) Sample {
	return func(l *laws) {
		body, err := jsonv.DecodeObject([]byte(text))
		if err != nil {
			l.broken = append(l.broken, fmt.Sprintf("sample: %v", err))
			return
		}
		l.wire = append(l.wire, body)
	}
}

// Except names a place, as a JSON pointer with * for any key, that the server
// owns although it lies inside what the declaration models. An exception that no
// sample needs fails.
func Except(pointer, because string) Sample {
	return func(l *laws) {
		l.except = append(l.except, &exception{steps: jsonv.ParsePointer(pointer), because: because})
	}
}

// Texts makes random texts for the attribute at a path such as "rules.level",
// where the schema does not say what is valid.
func Texts(attribute string, make func(*Random) string) Sample {
	return func(l *laws) { l.texts[attribute] = make }
}

type exception struct {
	steps   []string
	because string
	used    bool
}

func (e *exception) covers(at []string) bool {
	if len(at) < len(e.steps) {
		return false
	}
	for i, s := range e.steps {
		if s != "*" && s != at[i] {
			return false
		}
	}
	return true
}

type laws struct {
	codec  *lens.Codec
	wire   []lens.Body
	except []*exception
	texts  map[string]func(*Random) string
	broken []string
	null   tftypes.Value
}

// Laws checks the laws L1 to L5, and that [lens.Codec.Settle], Overlay and
// AttrPath agree with them.
func Laws(t *testing.T, codec *lens.Codec, samples ...Sample) {
	t.Helper()
	for _, failure := range Check(codec, samples...) {
		t.Error(failure)
	}
}

// Check is [Laws] as a function: it returns what is broken, law by law.
func Check(codec *lens.Codec, samples ...Sample) []string {
	l := &laws{codec: codec, texts: map[string]func(*Random) string{}, null: tftypes.NewValue(codec.Type(), nil)}
	for _, s := range samples {
		s(l)
	}
	if len(l.broken) == 0 {
		l.samples()
		l.random()
	}
	seen := map[string]bool{}
	var out []string
	for _, b := range l.broken {
		if !seen[b] && len(out) < 25 {
			out = append(out, b)
		}
		seen[b] = true
	}
	return out
}

func (l *laws) fail(law, format string, args ...any) {
	l.broken = append(l.broken, law+": "+fmt.Sprintf(format, args...))
}

// get decodes what the wire would carry.
func (l *laws) get(body any, prior tftypes.Value) (tftypes.Value, error) {
	b, ok := body.(lens.Body)
	if !ok {
		return tftypes.Value{}, fmt.Errorf("not an object")
	}
	v, err := l.codec.Get(b, prior)
	if err == nil {
		l.typed(lens.Path{}, v, l.codec.Type())
	}
	return v, err
}

// typed checks that a value and all in it have the declared types: decoding does
// not, since it would cost more than the decoding.
func (l *laws) typed(at lens.Path, v tftypes.Value, want tftypes.Type) {
	if v.Type() == nil || !v.Type().Equal(want) {
		l.fail("types", "%s is %s, declared is %s", lens.PathString(at.Attribute()), v.Type(), want)
		return
	}
	switch t := want.(type) {
	case tftypes.Object:
		for name, e := range lens.AsObj(v) {
			l.typed(at.Name(name), e, t.AttributeTypes[name])
		}
	case tftypes.Map:
		for key, e := range lens.AsObj(v) {
			l.typed(at.Key(key), e, t.ElementType)
		}
	case tftypes.List:
		for i, e := range lens.AsList(v) {
			l.typed(at.Index(i), e, t.ElementType)
		}
	case tftypes.Set:
		for _, e := range lens.AsList(v) {
			l.typed(at.Elem(e), e, t.ElementType)
		}
	}
}

func (l *laws) samples() {
	if len(l.wire) == 0 {
		l.fail("samples", "there are none")
	}
	for i, j := range l.wire {
		l.sample(fmt.Sprintf("sample %d", i+1), j)
	}
	for _, p := range l.codec.OwnedKeys() {
		if !slices.ContainsFunc(l.wire, func(j lens.Body) bool { _, ok := jsonv.Get(j, p...); return ok }) {
			l.fail("samples", "no sample has the owned key %s", jsonv.Pointer(p...))
		}
	}
	for _, e := range l.except {
		if !e.used {
			l.fail("L3", "the exception %s (%s) is superfluous", jsonv.Pointer(e.steps...), e.because)
		}
	}
}

func (l *laws) sample(name string, j lens.Body) {
	v, err := l.get(j, l.null)
	if err != nil {
		l.fail("L2", "%s: %v", name, err)
		return
	}
	if again, err := l.get(j, v); err != nil || !lens.Equal(again, v) {
		l.fail("L4", "%s: reading it again changes the value: %s", name, difference(v, again, err))
	}
	body, err := l.codec.Put(v, l.null)
	if err != nil {
		l.fail("L2", "%s: what was read cannot be sent: %v", name, err)
		return
	}
	if again, err := l.get(l.served(body, j), v); err != nil || !lens.Equal(again, v) {
		l.fail("L1", "%s: get(put(v), v) differs from v: %s", name, difference(v, again, err))
	}
	l.nothingLost(name, j, v, body)
	l.driftShows(name, j, v)
	l.overlays(name, j, body)
	l.paths(name, body, v)
	l.total(name, j, v)
}

// served is a body as the server would answer it: with the keys that only it
// sets.
func (l *laws) served(body, from lens.Body) lens.Body {
	out := jsonv.CloneObject(body)
	for _, p := range append(l.codec.ReadOnlyKeys(), l.codec.OwnedKeys()...) {
		if _, sent := jsonv.Get(body, p...); sent {
			continue
		}
		if v, ok := jsonv.Get(from, p...); ok && len(p) == 1 {
			out[p[0]] = v
		}
	}
	return out
}

// serverOwned reports whether a place belongs to the server by declaration.
func (l *laws) serverOwned(at []string) bool {
	return under(at, l.codec.ReadOnlyKeys()) || under(at, l.codec.OwnedKeys())
}

func (l *laws) excepted(at []string) bool {
	for _, e := range l.except {
		if e.covers(at) {
			e.used = true
			return true
		}
	}
	return false
}

// nothingLost is L2: every leaf that was read is sent again.
func (l *laws) nothingLost(name string, j lens.Body, v tftypes.Value, body lens.Body) {
	for _, at := range pointers(j) {
		was, _ := jsonv.Get(j, at...)
		if isContainer(was) && !vacant(was) || vacant(was) || l.serverOwned(at) {
			continue
		}
		if got, ok := jsonv.Get(body, at...); ok && jsonv.Equal(got, was) {
			continue
		}
		if l.inUnordered(at, body, j) || l.meansAbsent(j, v, at) || l.excepted(at) {
			continue
		}
		l.fail("L2", "%s: %s = %s is read and not sent again", name, jsonv.Pointer(at...), jsonv.Encode(was))
	}
}

// inUnordered reports whether a leaf lies in an array that holds the same
// elements in another order.
func (l *laws) inUnordered(at []string, body, j lens.Body) bool {
	for n := len(at) - 1; n > 0; n-- {
		a, okA := jsonv.Get(j, at[:n]...)
		b, okB := jsonv.Get(body, at[:n]...)
		x, isA := a.([]any)
		y, isB := b.([]any)
		if okA && okB && isA && isB && sameElements(x, y) {
			return true
		}
	}
	return false
}

func sameElements(x, y []any) bool {
	if len(x) != len(y) {
		return false
	}
	used := make([]bool, len(y))
	for _, a := range x {
		found := false
		for i, b := range y {
			if !used[i] && jsonv.Equal(a, b) {
				used[i], found = true, true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// meansAbsent reports whether a leaf says the same as no leaf by declaration: it
// is modelled, since another value shows, yet without it the same is read.
func (l *laws) meansAbsent(j lens.Body, v tftypes.Value, at []string) bool {
	was, _ := jsonv.Get(j, at...)
	quiet := false
	for n := len(at); n > 0 && !quiet; n-- {
		gone, err := l.get(removed(j, at[:n]), l.null)
		quiet = err == nil && lens.Equal(gone, v)
	}
	if !quiet {
		return false
	}
	for _, o := range others(was) {
		if got, err := l.get(replaced(j, at, o), v); err == nil && !lens.Equal(got, v) {
			return true
		}
	}
	return false
}

// driftShows is L3: another value at any place is another value in Terraform.
func (l *laws) driftShows(name string, j lens.Body, v tftypes.Value) {
	for _, at := range pointers(j) {
		if under(at, l.codec.OwnedKeys()) {
			if got, err := l.get(removed(j, at), v); err != nil || !lens.Equal(got, v) {
				l.fail("L3", "%s: %s is declared as owned by the server, yet it shows", name, jsonv.Pointer(at...))
			}
			continue
		}
		was, _ := jsonv.Get(j, at...)
		for _, o := range others(was) {
			got, err := l.get(replaced(j, at, o), v)
			if err == nil && lens.Equal(got, v) && !l.excepted(at) {
				l.fail("L3", "%s: %s changed from %s to %s does not show", name, jsonv.Pointer(at...), jsonv.Encode(was), jsonv.Encode(o))
			}
		}
		if saysNothing(was) {
			continue
		}
		got, err := l.get(removed(j, at), v)
		if err != nil || !lens.Equal(got, v) || l.excepted(at) {
			continue
		}
		// Quiet is right only where absence means the same by itself, not because
		// the prior value was kept.
		if fresh, err := l.get(removed(j, at), l.null); err != nil || !lens.Equal(fresh, v) {
			l.fail("L3", "%s: %s = %s taken away does not show", name, jsonv.Pointer(at...), jsonv.Encode(was))
		}
	}
}

// overlays checks that a full update loses nothing and resurrects nothing.
func (l *laws) overlays(name string, j, body lens.Body) {
	over := l.codec.Overlay(j, body)
	for _, p := range l.codec.OwnedKeys() {
		want, ok := jsonv.Get(j, p...)
		if got, _ := jsonv.Get(over, p...); ok && !jsonv.Equal(want, got) {
			l.fail("overlay", "%s: %s is not carried over", name, jsonv.Pointer(p...))
		}
	}
	if again := l.codec.Overlay(lens.Body{}, body); !jsonv.Equal(again, body) {
		l.fail("overlay", "%s: with nothing on the server the body changes", name)
	}
}

// paths checks that pointers lead to attributes that are there.
func (l *laws) paths(name string, body lens.Body, v tftypes.Value) {
	for _, at := range pointers(body) {
		path, ok := l.codec.AttrPath(at, v)
		if !ok {
			continue
		}
		if _, _, err := tftypes.WalkAttributePath(v, path); err != nil {
			l.fail("paths", "%s: %s leads to %s, which is not there: %v", name, jsonv.Pointer(at...), lens.PathString(path), err)
		}
	}
}

func difference(want, got tftypes.Value, err error) string {
	if err != nil {
		return err.Error()
	}
	diffs, err := want.Diff(got)
	if err != nil {
		return err.Error()
	}
	var lines []string
	for _, d := range diffs {
		if len(lines) == 4 {
			lines = append(lines, "…")
			break
		}
		lines = append(lines, fmt.Sprintf("%s: want %s, got %s", lens.PathString(d.Path), side(d.Value1), side(d.Value2)))
	}
	// The most telling difference is the deepest.
	slices.Reverse(lines)
	return strings.Join(lines, "; ")
}

func side(v *tftypes.Value) string {
	if v == nil {
		return "nothing"
	}
	s := v.String()
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	return s
}
