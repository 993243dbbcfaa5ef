package lens

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// Alt is one reading of a key that several attributes share.
type Alt struct {
	Name string
	Kind Kind
	Doc  string
	// Accepts picks the reading for a JSON value; nil takes what the others leave.
	Accepts func(j any) bool
	Checks  []Check
}

// AlternatesPart is a key that several attributes share, one at a time.
type AlternatesPart struct {
	path   []string
	alts   []Alt
	fields []*FieldPart
}

// Alternates declares attributes that share one key; at most one may be set, and
// reading sets exactly one.
func Alternates(path string, alts ...Alt) *AlternatesPart {
	p := &AlternatesPart{path: strings.Split(path, "."), alts: alts}
	for _, a := range alts {
		p.fields = append(p.fields, Field(a.Name, a.Kind, Opt, a.Doc).At(path).Check(a.Checks...))
	}
	return p
}

// OrJQ declares name and name_jq_query, which share a key: a literal value, or
// {"jqQuery": "…"} for a jq expression evaluated when it is needed.
func OrJQ(name string, kind Kind, doc string, checks ...Check) *AlternatesPart {
	return Alternates(Camel(name),
		Alt{Name: name, Kind: kind, Doc: doc, Checks: checks, Accepts: func(j any) bool { return !IsJQ(j) }},
		Alt{Name: name + "_jq_query", Kind: JQ, Doc: "jq expression that gives `" + name + "`; excludes `" + name + "`.", Accepts: IsJQ})
}

// At sets the wire path.
func (p *AlternatesPart) At(path string) *AlternatesPart {
	p.path = strings.Split(path, ".")
	for _, f := range p.fields {
		f.At(path)
	}
	return p
}

// Each refines the fields behind the attributes, in order of declaration.
func (p *AlternatesPart) Each(refine func(i int, f *FieldPart)) *AlternatesPart {
	for i, f := range p.fields {
		refine(i, f)
	}
	return p
}

// JQ is text sent as {"jqQuery": text}.
var JQ Kind = jqKind{}

type jqKind struct{}

// IsJQ reports whether j is {"jqQuery": …}.
func IsJQ(j any) bool {
	o, ok := j.(Body)
	if !ok {
		return false
	}
	_, ok = o["jqQuery"]
	return ok
}

func (jqKind) Type() tftypes.Type { return tftypes.String }
func (jqKind) Shape(*Attr)        {}

func (jqKind) Put(_ *Run, v tftypes.Value) (any, error) {
	s, ok := asString(v)
	if !ok {
		return nil, notKnown(v, "a jq expression")
	}
	return Body{"jqQuery": s}, nil
}

func (jqKind) Get(_ *Run, j any, _ tftypes.Value) (tftypes.Value, error) {
	o, ok := j.(Body)
	if !ok {
		return tftypes.Value{}, wrongKind(`an object with "jqQuery"`, j)
	}
	s, ok := o["jqQuery"].(string)
	if !ok {
		return tftypes.Value{}, at(wrongKind("a string", o["jqQuery"]), nil, "jqQuery")
	}
	return Str(s), nil
}

// Attrs implements [Part].
func (p *AlternatesPart) Attrs() []Attr {
	var out []Attr
	for _, f := range p.fields {
		out = append(out, f.attr)
	}
	return out
}

// Keys implements [Part].
func (p *AlternatesPart) Keys() [][]string { return [][]string{p.path} }

// Put implements [Part]. Should several be set the last wins.
func (p *AlternatesPart) Put(r *Run, from Obj, to Body) error {
	var c collected
	for _, f := range p.fields {
		c.add(f.Put(r, from, to), nil)
	}
	return c.err()
}

// Get implements [Part].
func (p *AlternatesPart) Get(r *Run, from Body, prior, to Obj) error {
	j, err := lookup(from, p.path)
	if err != nil {
		return at(err, tftypes.AttributeName(p.fields[0].attr.Name))
	}
	chosen := p.choose(j)
	var c collected
	for i, f := range p.fields {
		value := any(nil)
		if i == chosen {
			value = j
		}
		was := prior[f.attr.Name]
		if j != nil && i != chosen {
			was = tftypes.Value{} // another reading took over
		}
		v, err := f.decode(r, value, was, prior != nil && Nothing(was))
		if err != nil {
			c.add(err, tftypes.AttributeName(f.attr.Name), p.path...)
			continue
		}
		to[f.attr.Name] = v
	}
	return c.err()
}

func (p *AlternatesPart) choose(j any) int {
	if j == nil {
		return -1
	}
	rest := -1
	for i, a := range p.alts {
		if a.Accepts == nil {
			rest = i
			continue
		}
		if a.Accepts(j) {
			return i
		}
	}
	return rest
}

// Problems implements [Checker].
func (p *AlternatesPart) Problems(in Path, from Obj) []Problem {
	names := make([]string, len(p.fields))
	var out []Problem
	for i, f := range p.fields {
		names[i] = f.attr.Name
		out = append(out, f.Problems(in, from)...)
	}
	return append(out, countRule{names: names, most: true}.Problems(in, from)...)
}

// Locate implements [Locator].
func (p *AlternatesPart) Locate(pointer []string, v Obj) ([]tftypes.AttributePathStep, bool) {
	for _, f := range p.fields {
		if Known(v[f.attr.Name]) {
			return f.Locate(pointer, v)
		}
	}
	return p.fields[0].Locate(pointer, v)
}

// Overlay implements [Overlayer]: what lies below belongs to the reading in use,
// so it is carried over only while that stays.
func (p *AlternatesPart) Overlay(remote, mine Body) {
	theirs, err := lookup(remote, p.path)
	ours, errOurs := lookup(mine, p.path)
	if err != nil || errOurs != nil || theirs == nil || ours == nil {
		return
	}
	if i := p.choose(ours); i >= 0 && i == p.choose(theirs) {
		p.fields[i].Overlay(remote, mine)
	}
}

// Unmodelled implements [Finder].
func (p *AlternatesPart) Unmodelled(in Path, from Body) []Problem {
	j, err := lookup(from, p.path)
	if err != nil || j == nil || p.choose(j) >= 0 {
		return nil
	}
	return []Problem{{Path: in.Attribute(), Warning: true, Summary: "Value not shown",
		Detail: "The value of " + jsonv.Pointer(p.path...) + " has a form this version does not know; it is left as it is."}}
}

func (p *AlternatesPart) choices() []Choice {
	names := make([]string, len(p.fields))
	for i, f := range p.fields {
		names[i] = f.attr.Name
	}
	return []Choice{{Names: names, Most: true}}
}

func (p *AlternatesPart) fault() error {
	for _, f := range p.fields {
		if err := f.fault(); err != nil {
			return err
		}
	}
	return nil
}

func (p *AlternatesPart) nested() []*ObjectKind {
	var out []*ObjectKind
	for _, f := range p.fields {
		out = append(out, f.nested()...)
	}
	return out
}
