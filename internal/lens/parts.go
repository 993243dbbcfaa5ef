package lens

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// Owned declares a wire key that the server or another resource owns: it has no
// attribute, and [Codec.Overlay] carries its current value into a full update.
func Owned(path string) Part { return &ownedPart{strings.Split(path, ".")} }

type ownedPart struct{ path []string }

func (*ownedPart) Attrs() []Attr                  { return nil }
func (p *ownedPart) Keys() [][]string             { return [][]string{p.path} }
func (*ownedPart) Put(*Run, Obj, Body) error      { return nil }
func (*ownedPart) Get(*Run, Body, Obj, Obj) error { return nil }

func (p *ownedPart) Overlay(remote, mine Body) {
	theirs, err := lookup(remote, p.path)
	if err != nil || theirs == nil {
		return
	}
	if ours, err := lookup(mine, p.path); err == nil && ours == nil {
		place(mine, p.path, jsonv.Clone(theirs))
	}
}

// Const sends a fixed JSON value under a key and ignores what comes back.
func Const(path string, v any) Part { return &constPart{strings.Split(path, "."), v} }

type constPart struct {
	path []string
	v    any
}

func (*constPart) Attrs() []Attr      { return nil }
func (p *constPart) Keys() [][]string { return [][]string{p.path} }

func (p *constPart) Put(_ *Run, _ Obj, to Body) error {
	place(to, p.path, jsonv.Clone(p.v))
	return nil
}

func (*constPart) Get(*Run, Body, Obj, Obj) error { return nil }

// ReadOnly declares an attribute only the server sets. It is never sent.
func ReadOnly(name string, kind Kind, doc string) *FieldPart { return Field(name, kind, Computed, doc) }

// Audit declares who made and last changed the object, and when. created_* keep
// the state's value in a plan, updated_* are unknown once the body changes.
func Audit() Part {
	return Parts(
		ReadOnly("created_at", Stamp, "Time the object was made.").Keep(),
		ReadOnly("created_by", String, "Identifier of the user or credentials that made the object.").ReadsAs("").Keep(),
		ReadOnly("updated_at", Stamp, "Time of the last change.").Volatile(),
		ReadOnly("updated_by", String, "Identifier of the user or credentials behind the last change.").ReadsAs("").Volatile(),
	)
}

// Parts joins several parts into one.
func Parts(parts ...Part) Part { return group(parts) }

type group []Part

func (g group) Attrs() []Attr {
	var out []Attr
	for _, p := range g {
		out = append(out, p.Attrs()...)
	}
	return out
}

func (g group) Keys() [][]string {
	var out [][]string
	for _, p := range g {
		out = append(out, p.Keys()...)
	}
	return out
}

func (g group) Put(r *Run, from Obj, to Body) error { return Object(g...).put(r, from, to) }

func (g group) Get(r *Run, from Body, prior, to Obj) error {
	var c collected
	for _, p := range g {
		c.add(p.Get(r, from, prior, to), nil)
	}
	return c.err()
}

// Derived declares a computed text made from the body, such as an id of two
// parts. of reports false when the body does not hold what it needs.
func Derived(name, doc string, of func(Body) (string, bool)) *DerivedPart {
	return &DerivedPart{Attr{Name: name, Type: tftypes.String, Mode: Computed, Doc: doc}, of}
}

// ID is the computed attribute id, derived from wire keys joined by colons.
func ID(doc string, keys ...string) *DerivedPart {
	return Derived("id", doc, func(b Body) (string, bool) {
		texts := make([]string, len(keys))
		for i, k := range keys {
			s, ok := b[k].(string)
			if !ok {
				return "", false
			}
			texts[i] = s
		}
		return strings.Join(texts, ":"), true
	})
}

// DerivedPart is the part made by [Derived].
type DerivedPart struct {
	attr Attr
	of   func(Body) (string, bool)
}

// Attrs implements [Part].
func (p *DerivedPart) Attrs() []Attr { return []Attr{p.attr} }

// Keys implements [Part].
func (*DerivedPart) Keys() [][]string { return nil }

// Put implements [Part].
func (*DerivedPart) Put(*Run, Obj, Body) error { return nil }

// Get implements [Part]. Without the keys it needs it keeps the prior value.
func (p *DerivedPart) Get(_ *Run, from Body, prior, to Obj) error {
	if s, ok := p.of(from); ok {
		to[p.attr.Name] = Str(s)
		return nil
	}
	to[p.attr.Name] = keepOr(prior[p.attr.Name], Null(tftypes.String))
	return nil
}

func keepOr(v, otherwise tftypes.Value) tftypes.Value {
	if Known(v) {
		return v
	}
	return otherwise
}

// Setting declares a setting of the provider that never reaches the wire: reading
// keeps the prior value, or gives the default. Changing only settings makes no
// call.
func Setting(name string, kind Kind, mode Mode, doc string) *SettingPart {
	s := &SettingPart{field: Field(name, kind, mode, doc)}
	s.field.attr.Client = true
	return s
}

// SettingPart is the part made by [Setting].
type SettingPart struct{ field *FieldPart }

// Default gives the setting a default.
func (s *SettingPart) Default(v any) *SettingPart { s.field.Default(v); return s }

// Check adds conditions on the value.
func (s *SettingPart) Check(checks ...Check) *SettingPart { s.field.Check(checks...); return s }

// Sensitive hides the value in Terraform's output.
func (s *SettingPart) Sensitive() *SettingPart { s.field.Sensitive(); return s }

// Deprecated warns whoever sets the attribute.
func (s *SettingPart) Deprecated(text string) *SettingPart { s.field.Deprecated(text); return s }

// Replace makes a change replace the resource.
func (s *SettingPart) Replace() *SettingPart { s.field.Replace(); return s }

// Remembered makes the state hold on to the last value that was configured, so
// that leaving the setting out later is no change.
func (s *SettingPart) Remembered() *SettingPart { s.field.attr.Mode = OptComputed; return s }

// Trigger makes a change an update although the body stays the same.
func (s *SettingPart) Trigger() *SettingPart { s.field.attr.Plan |= Trigger; return s }

// Attrs implements [Part].
func (s *SettingPart) Attrs() []Attr { return s.field.Attrs() }

// Keys implements [Part].
func (*SettingPart) Keys() [][]string { return nil }

// Put implements [Part].
func (*SettingPart) Put(*Run, Obj, Body) error { return nil }

// Get implements [Part].
func (s *SettingPart) Get(_ *Run, _ Body, prior, to Obj) error {
	a := s.field.attr
	otherwise := Null(a.Type)
	if a.Default != nil {
		otherwise = *a.Default
	}
	to[a.Name] = keepOr(prior[a.Name], otherwise)
	return nil
}

// Problems implements [Checker].
func (s *SettingPart) Problems(in Path, from Obj) []Problem { return s.field.Problems(in, from) }

// Settle implements [Settler]: a setting stays as planned.
func (*SettingPart) Settle(*Run, Obj, Obj, Obj) {}

func (s *SettingPart) fault() error { return s.field.fault() }

// WriteOnly declares a secret that is read from the configuration and never
// planned or stored, and beside it name_version, a number whose change sends the
// secret again. It belongs at the top level of a resource.
func WriteOnly(name, doc string) *WriteOnlyPart {
	p := &WriteOnlyPart{
		field: Field(name, String, Opt, doc),
		version: Setting(name+"_version", Int, Opt,
			"Version of `"+name+"`; a change sends the value again, since Terraform cannot see a change of the value itself.").Trigger(),
	}
	p.field.attr.WriteOnly, p.field.attr.Sensitive = true, true
	return p
}

// WriteOnlyPart is the part made by [WriteOnly].
type WriteOnlyPart struct {
	field   *FieldPart
	version *SettingPart
}

// At sets the wire path.
func (p *WriteOnlyPart) At(path string) *WriteOnlyPart { p.field.At(path); return p }

// Check adds conditions on the value.
func (p *WriteOnlyPart) Check(checks ...Check) *WriteOnlyPart { p.field.Check(checks...); return p }

// Beside says that the stored attribute of the same secret uses the same key.
func (p *WriteOnlyPart) Beside() *WriteOnlyPart { p.field.shared = true; return p }

// Attrs implements [Part].
func (p *WriteOnlyPart) Attrs() []Attr {
	return append(p.field.Attrs(), p.version.Attrs()...)
}

// Keys implements [Part].
func (p *WriteOnlyPart) Keys() [][]string {
	if p.field.shared {
		return nil
	}
	return p.field.Keys()
}

// Put implements [Part]: the value comes from the configuration.
func (p *WriteOnlyPart) Put(r *Run, _ Obj, to Body) error {
	if r.depth > 0 || r.config == nil {
		return nil
	}
	return p.field.Put(r, Obj{p.field.attr.Name: r.config[p.field.attr.Name]}, to)
}

// Get implements [Part]: the value never reaches a state.
func (p *WriteOnlyPart) Get(r *Run, from Body, prior, to Obj) error {
	to[p.field.attr.Name] = Null(tftypes.String)
	return p.version.Get(r, from, prior, to)
}

// Problems implements [Checker].
func (p *WriteOnlyPart) Problems(in Path, from Obj) []Problem {
	out := p.field.Problems(in, from)
	secret, version := from[p.field.attr.Name], from[p.version.field.attr.Name]
	if Nothing(secret) && Known(version) {
		out = append(out, in.Name(p.version.field.attr.Name).problem(titleCombination,
			"`"+p.version.field.attr.Name+"` needs `"+p.field.attr.Name+"`"))
	}
	return out
}

// Settle implements [Settler]: nothing here is ever compared.
func (*WriteOnlyPart) Settle(*Run, Obj, Obj, Obj) {}

// Locate implements [Locator].
func (p *WriteOnlyPart) Locate(pointer []string, v Obj) ([]tftypes.AttributePathStep, bool) {
	return p.field.Locate(pointer, v)
}

func (p *WriteOnlyPart) fault() error { return p.field.fault() }
