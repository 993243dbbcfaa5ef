// Package inputs knows the forms of self-service actions (reference/actions.md §2):
// what a form may be ([Compile]), what is filled in for whoever runs the action
// ([Form.Resolve]), and which answers are valid ([Resolved.Check]). Parts of a form
// may be computed by jq from what is known so far; a program that fails never fails
// the form, it restricts nothing (§2.4). It neither stores actions nor decides who
// may run them; entities are read through [World].
package inputs

import (
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/propschema"
)

// Form is a compiled "userInputs" object. It is immutable and may be shared.
type Form struct {
	inputs   map[string]*input
	order    []string // in which defaults are computed
	required dynamic
	steps    []step
}

// step hides its inputs together.
type step struct {
	visible dynamic
	inputs  []string
}

// input is one field of a form.
type input struct {
	id     string
	kind   string // the JSON type
	format string
	// blueprint is where an entity input finds its entities; itemBlueprint is that
	// of an array's items.
	blueprint, itemBlueprint string
	encryption               encryption
	dependsOn                []string

	fallback, enum, itemEnum, visible, pattern, minItems, maxItems dynamic

	// static checks what is fixed, nil for entity inputs.
	static     *propschema.Property
	itemFormat string
}

type encryption int

const (
	plain encryption = iota
	byServer
	byClient
)

// dynamic is a part of a form that stands there or is computed by jq. The zero
// dynamic is absent.
type dynamic struct {
	given   bool
	literal any
	// computed parts have a program in jq in the place of the literal. One without
	// text yields nothing.
	computed bool
	program  string
}

func dynamicOf(o jsonv.Object, key string) dynamic {
	v, ok := o[key]
	if !ok || v == nil {
		return dynamic{}
	}
	if q, ok := asQuery(v); ok {
		return dynamic{given: true, computed: true, program: q}
	}
	return dynamic{given: true, literal: v}
}

// asQuery returns the program of {"jqQuery": program}.
func asQuery(v any) (string, bool) {
	o, ok := v.(jsonv.Object)
	if !ok || len(o) != 1 {
		return "", false
	}
	q, ok := o["jqQuery"].(string)
	return q, ok
}

// Encrypted lists the inputs whose values nobody may read, in order.
func (f *Form) Encrypted() []string {
	var out []string
	for _, id := range f.order {
		if f.inputs[id].encryption != plain {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// Entities lists the inputs that name entities, in order.
func (f *Form) Entities() []string {
	var out []string
	for _, id := range f.order {
		if i := f.inputs[id]; i.format == formatEntity || i.itemFormat == formatEntity {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// EncryptedByServer tells whether the portal is to encrypt an input on receipt
// (§3.8); others that [Form.Encrypted] lists come encrypted.
func (f *Form) EncryptedByServer(id string) bool {
	i := f.inputs[id]
	return i != nil && i.encryption == byServer
}

// sortInputs is the order in which defaults are computed: what an input depends on
// comes first, then what stands first in the form, then by id (§2.5 step 2). In a
// circle the one that is met first comes first.
func (f *Form) sortInputs(shown []string) {
	ids := make([]string, 0, len(f.inputs))
	for id := range f.inputs {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	done := map[string]bool{}
	var visit func(id string)
	visit = func(id string) {
		i := f.inputs[id]
		if i == nil || done[id] {
			return
		}
		done[id] = true
		for _, on := range i.dependsOn {
			visit(on)
		}
		f.order = append(f.order, id)
	}
	for _, id := range append(slices.Clone(shown), ids...) {
		visit(id)
	}
}
