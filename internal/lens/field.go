package lens

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// FieldPart is one attribute under one key. Its methods refine it and return it;
// they are for declarations only.
type FieldPart struct {
	attr Attr
	kind Kind
	path []string

	always, clear, omitEmpty, emptyNull, shared bool
	only                                        func(j any) bool
	// readsAs is the value of an absent key; fills is the wire value that means
	// the same as an absent key.
	readsAs *tftypes.Value
	fills   any
	// absent is readsAs on the wire.
	absent any
	broken error
}

// Field declares an attribute. Its key is the camelCase of the name until
// [FieldPart.At] says otherwise. Null means the key is absent, both ways; any
// other value is sent, including "", 0 and false.
func Field(name string, kind Kind, mode Mode, doc string) *FieldPart {
	f := &FieldPart{attr: Attr{Name: name, Mode: mode, Doc: doc}, kind: kind, path: []string{Camel(name)}}
	if kind == nil {
		f.broken = fmt.Errorf("attribute %q has no kind", name)
		return f
	}
	f.attr.Type = kind.Type()
	kind.Shape(&f.attr)
	return f
}

// Camel is the wire spelling of an attribute name: max_length is maxLength.
func Camel(name string) string {
	words := strings.Split(name, "_")
	for i, w := range words[1:] {
		if w != "" {
			words[i+1] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, "")
}

// At sets the wire path; dots separate keys, as in "schema.properties".
func (f *FieldPart) At(path string) *FieldPart {
	f.path = strings.Split(path, ".")
	return f
}

// Default makes the attribute optional with a default, which is always sent and
// which an absent key stands for. v is a string, bool, int, []string or
// tftypes.Value.
func (f *FieldPart) Default(v any) *FieldPart {
	d, err := goValue(f.attr.Type, v)
	if err != nil {
		f.broken = fmt.Errorf("default of %q: %w", f.attr.Name, err)
		return f
	}
	f.attr.Mode = OptComputed
	f.attr.Default = &d
	return f.ReadsAs(d)
}

// ReadsAs is the value an absent or null key stands for.
func (f *FieldPart) ReadsAs(v any) *FieldPart {
	d, err := goValue(f.attr.Type, v)
	if err == nil {
		f.absent, err = f.kind.Put(&Run{}, d)
	}
	if err != nil {
		f.broken = fmt.Errorf("value of the absent %q: %w", f.attr.Name, err)
		return f
	}
	f.readsAs = &d
	return f
}

// AbsentMeans names the value the server itself fills in when the key is left
// out: an attribute left out stays null when the server answers with it. j is a
// JSON value.
func (f *FieldPart) AbsentMeans(j any) *FieldPart {
	f.fills = j
	return f
}

// NullOnClear sends an explicit null for a null attribute.
func (f *FieldPart) NullOnClear() *FieldPart { f.clear = true; return f }

// OmitEmpty sends nothing for "", [] and {}, and reads them as null unless the
// prior value says the same in its own way.
func (f *FieldPart) OmitEmpty() *FieldPart { f.omitEmpty, f.emptyNull = true, true; return f }

// EmptyIsNull reads [] and {} as null where no prior value says otherwise.
func (f *FieldPart) EmptyIsNull() *FieldPart { f.emptyNull = true; return f }

// EmptyShows reads [] and {} as such where there is no prior value, also of a
// field that is sent always.
func (f *FieldPart) EmptyShows() *FieldPart { f.emptyNull = false; return f }

// Always sends the key even when the attribute is null, as [] or {}.
func (f *FieldPart) Always() *FieldPart { f.always, f.emptyNull = true, true; return f }

// Sensitive hides the value in Terraform's output.
func (f *FieldPart) Sensitive() *FieldPart { f.attr.Sensitive = true; return f }

// Unread is for values that the server takes, or gives in the answer to a write,
// and never again: reading keeps the state.
func (f *FieldPart) Unread() *FieldPart { f.attr.Unread = true; return f }

// Unshown leaves the attribute out of data sources, which have no use for it.
func (f *FieldPart) Unshown() *FieldPart { f.attr.Unshown = true; return f }

// Replace makes a change replace the resource.
func (f *FieldPart) Replace() *FieldPart { f.attr.Plan |= Replace; return f }

// Keep keeps a computed value through updates.
func (f *FieldPart) Keep() *FieldPart { f.attr.Plan |= Keep; return f }

// Volatile makes a computed value unknown whenever the body changes.
func (f *FieldPart) Volatile() *FieldPart { f.attr.Plan |= Volatile; return f }

// Deprecated warns whoever sets the attribute.
func (f *FieldPart) Deprecated(text string) *FieldPart { f.attr.Deprecated = text; return f }

// Check adds conditions on the value.
func (f *FieldPart) Check(checks ...Check) *FieldPart {
	f.attr.Checks = append(f.attr.Checks, checks...)
	return f
}

// CheckEach adds conditions on each element of a flat collection.
func (f *FieldPart) CheckEach(checks ...Check) *FieldPart {
	f.attr.ElemChecks = append(f.attr.ElemChecks, checks...)
	return f
}

// Block renders the nested objects as an HCL block instead of an attribute.
func (f *FieldPart) Block() *FieldPart { f.attr.Block = true; return f }

// Only reads the key where accepts holds and takes anything else for absent: for
// a key that other parts read in their own way.
func (f *FieldPart) Only(accepts func(j any) bool) *FieldPart {
	f.only, f.shared = accepts, true
	return f
}

// Shared says that another part deliberately uses the same wire key.
func (f *FieldPart) Shared() *FieldPart { f.shared = true; return f }

// Attrs implements [Part].
func (f *FieldPart) Attrs() []Attr { return []Attr{f.attr} }

// Keys implements [Part].
func (f *FieldPart) Keys() [][]string { return [][]string{f.path} }

// Put implements [Part].
func (f *FieldPart) Put(r *Run, from Obj, to Body) error {
	v := from[f.attr.Name]
	if f.attr.Mode == Computed {
		return nil
	}
	if Nothing(v) {
		switch {
		case f.always:
			place(to, f.path, emptyOf(f.attr.Type))
		case f.clear:
			place(to, f.path, nil)
		}
		return nil
	}
	return f.send(r, v, to)
}

// send writes a value that is not null.
func (f *FieldPart) send(r *Run, v tftypes.Value, to Body) error {
	if f.attr.Mode == Computed {
		return nil
	}
	if !v.IsKnown() {
		if f.attr.Mode == OptComputed && f.attr.Default == nil {
			return nil // the server's to choose
		}
		return at(ErrUnknown, tftypes.AttributeName(f.attr.Name), f.path...)
	}
	j, err := f.kind.Put(r, v)
	if err != nil {
		return at(err, tftypes.AttributeName(f.attr.Name), f.path...)
	}
	if f.omitEmpty && vacant(j) {
		switch {
		case f.always:
			place(to, f.path, emptyOf(f.attr.Type))
		case f.clear:
			place(to, f.path, nil)
		}
		return nil
	}
	if _, skip := j.(omitted); skip {
		return nil
	}
	place(to, f.path, j)
	return nil
}

// omitted is what a kind's Put gives for a value that stands for no key at all.
type omitted struct{}

// Get implements [Part].
func (f *FieldPart) Get(r *Run, from Body, prior, to Obj) error {
	was := prior[f.attr.Name]
	if f.attr.Unread && (Known(was) || f.attr.Mode != Computed) {
		to[f.attr.Name] = Null(f.attr.Type)
		if Known(was) {
			to[f.attr.Name] = was
		}
		return nil
	}
	j, err := lookup(from, f.path)
	if err != nil {
		return at(err, tftypes.AttributeName(f.attr.Name))
	}
	if f.only != nil && j != nil && !f.only(j) {
		j = nil
	}
	v, err := f.decode(r, j, was, prior != nil && Nothing(was))
	if err != nil {
		return at(err, tftypes.AttributeName(f.attr.Name), f.path...)
	}
	to[f.attr.Name] = v
	return nil
}

// decode gives the value for j. unset says that the prior object exists and has
// null here.
func (f *FieldPart) decode(r *Run, j any, was tftypes.Value, unset bool) (tftypes.Value, error) {
	has := Known(was)
	if j == nil {
		switch {
		case f.readsAs != nil:
			if has && f.means(r, was, f.absent) {
				return was, nil
			}
			if unset && f.attr.Mode == Opt {
				return Null(f.attr.Type), nil
			}
			return *f.readsAs, nil
		case has && f.standsForAbsent(r, was):
			return was, nil
		}
		return Null(f.attr.Type), nil
	}
	if has && f.means(r, was, j) {
		return was, nil
	}
	if !has {
		if f.fills != nil && jsonv.Equal(f.fills, j) {
			return Null(f.attr.Type), nil
		}
		if vacantCollection(j) && (unset || f.emptyNull) && !presence(f.attr) {
			return Null(f.attr.Type), nil
		}
	}
	if f.omitEmpty && vacant(j) {
		if has && hollow(was, true) {
			return was, nil
		}
		return Null(f.attr.Type), nil
	}
	v, err := f.kind.Get(r, j, was)
	if err != nil {
		return tftypes.Value{}, err
	}
	if f.emptyNull && f.attr.Nesting == Single && hollow(v, false) {
		if has && hollow(was, true) {
			return was, nil
		}
		return Null(f.attr.Type), nil
	}
	if f.emptyNull && has && hollow(was, true) && hollow(v, f.omitEmpty) {
		return was, nil
	}
	return v, nil
}

// standsForAbsent reports whether a prior value and an absent key say the same.
func (f *FieldPart) standsForAbsent(r *Run, was tftypes.Value) bool {
	if f.fills != nil && f.means(r, was, f.fills) {
		return true
	}
	if f.attr.Nesting == Single || presence(f.attr) {
		return (f.always || f.omitEmpty) && hollow(was, true)
	}
	if hollow(was, f.omitEmpty) {
		return true
	}
	j, err := f.kind.Put(r, was)
	_, skip := j.(omitted)
	return err == nil && (skip || j == nil)
}

// presence reports whether an attribute says something by being there at all: an
// object without attributes.
func presence(a Attr) bool {
	o, ok := a.Type.(tftypes.Object)
	return ok && len(o.AttributeTypes) == 0
}

// means reports whether v is j on the wire.
func (f *FieldPart) means(r *Run, v tftypes.Value, j any) bool { return sameValue(r, f.kind, v, j) }

func emptyOf(t tftypes.Type) any {
	switch t.(type) {
	case tftypes.List, tftypes.Set:
		return []any{}
	case tftypes.Map, tftypes.Object:
		return Body{}
	}
	return nil
}

// Problems implements [Checker].
func (f *FieldPart) Problems(in Path, from Obj) []Problem {
	v := from[f.attr.Name]
	if f.attr.Mode == Computed || !Known(v) {
		return nil
	}
	here := in.Name(f.attr.Name)
	var out []Problem
	for _, c := range f.attr.Checks {
		out = append(out, c.run(here, v)...)
	}
	if len(f.attr.ElemChecks) > 0 {
		eachElement(here, v, func(at Path, e tftypes.Value) {
			for _, c := range f.attr.ElemChecks {
				out = append(out, c.run(at, e)...)
			}
		})
	}
	if k, ok := f.kind.(kindChecker); ok {
		out = append(out, k.Problems(here, v)...)
	}
	return out
}

func eachElement(at Path, v tftypes.Value, visit func(Path, tftypes.Value)) {
	switch v.Type().(type) {
	case tftypes.List:
		for i, e := range AsList(v) {
			visit(at.Index(i), e)
		}
	case tftypes.Set:
		for _, e := range AsList(v) {
			visit(at.Elem(e), e)
		}
	case tftypes.Map:
		for _, k := range sortedKeys(AsObj(v)) {
			visit(at.Key(k), AsObj(v)[k])
		}
	}
}

// Settle implements [Settler].
func (f *FieldPart) Settle(r *Run, plan, prior, to Obj) {
	p, was := plan[f.attr.Name], prior[f.attr.Name]
	if f.attr.Mode == Computed || !Known(p) || !Known(was) {
		return
	}
	a, errA := f.kind.Put(r, p)
	b, errB := f.kind.Put(r, was)
	if errA == nil && errB == nil && jsonv.Equal(a, b) && sameSettings(f.attr, p, was) {
		to[f.attr.Name] = was
		return
	}
	if s, ok := f.kind.(kindSettler); ok {
		to[f.attr.Name] = s.Settle(r, p, was)
	}
}

// Locate implements [Locator].
func (f *FieldPart) Locate(pointer []string, v Obj) ([]tftypes.AttributePathStep, bool) {
	if !hasPrefix(pointer, f.path) || f.only != nil && Nothing(v[f.attr.Name]) {
		return nil, false // what another part says there is not this one's
	}
	steps := []tftypes.AttributePathStep{tftypes.AttributeName(f.attr.Name)}
	if l, ok := f.kind.(kindLocator); ok {
		steps = append(steps, l.Locate(pointer[len(f.path):], v[f.attr.Name])...)
	}
	return steps, true
}

// Overlay implements [Overlayer].
func (f *FieldPart) Overlay(remote, mine Body) {
	k, ok := f.kind.(kindOverlayer)
	if !ok {
		return
	}
	theirs, err := lookup(remote, f.path)
	ours, errOurs := lookup(mine, f.path)
	if err != nil || errOurs != nil || theirs == nil || ours == nil {
		return
	}
	place(mine, f.path, k.Overlay(theirs, ours))
}

// Unmodelled implements [Finder].
func (f *FieldPart) Unmodelled(in Path, from Body) []Problem {
	k, ok := f.kind.(kindFinder)
	if !ok {
		return nil
	}
	j, err := lookup(from, f.path)
	if err != nil || j == nil {
		return nil
	}
	return k.Unmodelled(in.Name(f.attr.Name), j)
}

func (f *FieldPart) fault() error {
	switch {
	case f.broken != nil:
		return f.broken
	case f.always && emptyOf(f.attr.Type) == nil:
		return fmt.Errorf("attribute %q: only collections and objects can be sent always", f.attr.Name)
	case f.attr.Block && f.attr.Nesting == Flat:
		return fmt.Errorf("attribute %q: only nested objects can be a block", f.attr.Name)
	case f.attr.Mode == Computed && f.attr.Default != nil:
		return fmt.Errorf("attribute %q is computed and has a default", f.attr.Name)
	}
	return nil
}
