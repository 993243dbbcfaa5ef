// Package lens turns one declaration of a resource into its Terraform schema,
// its encoding to JSON, its decoding from JSON and its documentation, so that
// the four cannot disagree.
//
// A declaration is a list of parts ([Field], [ByType], [Union], …). A part maps
// some attributes to some JSON keys, both ways; a kind ([String], [List],
// [Object], …) is a value under one key. [Compile] checks a declaration once and
// gives a [Codec], which is immutable and safe for concurrent use.
//
// For every codec five laws hold; package lenstest checks them from the
// declaration alone:
//
//   - L1 round trip: Get(Put(v), v) = v.
//   - L2 nothing lost: Put(Get(j, ∅)) = j, less what the server owns.
//   - L3 drift shows: change one leaf of j and Get(j, v) ≠ v.
//   - L4 quiet: when Put(v) = j as JSON, Get(j, v) = v, verbatim.
//   - L5 total: Get never panics; it gives a value or an error with a path.
//
// The package speaks tftypes and JSON. It knows neither Port nor the plugin
// framework (lensfw adapts schemas to that), makes no calls and keeps no state.
package lens

import (
	"math/big"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// Body is a JSON object on the wire.
type Body = jsonv.Object

// Obj holds the attributes of one Terraform object by name.
type Obj = map[string]tftypes.Value

// Part maps some attributes of an object to some keys of a body.
type Part interface {
	// Attrs lists the attributes the part adds to its object.
	Attrs() []Attr
	// Keys lists the wire paths the part reads or writes.
	Keys() [][]string
	// Put writes what the attributes say. An attribute missing from from is null.
	Put(r *Run, from Obj, to Body) error
	// Get fills to with a value for each attribute. prior is nil where nothing
	// is known of an earlier value (import, a new map element).
	Get(r *Run, from Body, prior, to Obj) error
}

// Kind is a value under one key. Put sees neither null nor unknown at its top
// level; Get never sees a JSON null.
type Kind interface {
	// Type is the Terraform type of the value.
	Type() tftypes.Type
	// Shape completes the attribute that has this kind: nesting, checks, text.
	Shape(a *Attr)
	Put(r *Run, v tftypes.Value) (any, error)
	Get(r *Run, j any, prior tftypes.Value) (tftypes.Value, error)
}

// Options are what decoding depends on apart from the body: settings of the
// provider and facts about the object at hand.
type Options struct {
	// EscapeHTML writes <, > and & as \u003c, \u003e and \u0026 in JSON text
	// made from the wire, as Terraform's jsonencode does.
	EscapeHTML bool
	// Hint tells the declared type, and for arrays the type of the items, of
	// the value under a free key; [ByValue] asks it where JSON alone cannot
	// tell (null, empty arrays). Either answer may be "".
	Hint func(key string) (typ, items string)
	// Default tells the value the server itself fills in under a free key.
	// [ByValue] leaves such a value out when the prior state does not hold it.
	Default func(key string) (any, bool)
}

// Run is what one Put or Get carries along.
type Run struct {
	Options
	// config holds the top-level configuration; write-only attributes are only
	// there.
	config Obj
	depth  int
	texts  *shelf // nil where too little is encoded to repeat itself
	taken  scratch
}

// scratch receives what [tftypes.Value.As] gives; a local variable would be one
// allocation for each leaf.
type scratch struct {
	text  string
	flag  bool
	obj   map[string]tftypes.Value
	list  []tftypes.Value
	float big.Float
}

// Problem is a finding about a configuration that needs no server.
type Problem struct {
	Path    *tftypes.AttributePath
	Warning bool
	Summary string
	Detail  string
}

// Optional abilities of parts. A part without one gets the plain behaviour:
// attributes settle one by one, a pointer leads to no attribute, nothing below
// its keys is carried over, nothing is checked.
type (
	// Checker finds problems in configured attributes; it skips unknown values.
	Checker interface {
		Problems(at Path, from Obj) []Problem
	}
	// Settler replaces planned values by the prior's spelling where both mean
	// the same; to starts as a copy of plan.
	Settler interface {
		Settle(r *Run, plan, prior, to Obj)
	}
	// Locator follows a JSON pointer below its keys to the attribute behind it.
	Locator interface {
		Locate(pointer []string, v Obj) ([]tftypes.AttributePathStep, bool)
	}
	// Overlayer carries what it does not model from remote to mine.
	Overlayer interface {
		Overlay(remote, mine Body)
	}
	// Finder reports what a body holds that the part cannot show.
	Finder interface {
		Unmodelled(at Path, from Body) []Problem
	}
)

// The same abilities for kinds.
type (
	kindChecker interface {
		Problems(at Path, v tftypes.Value) []Problem
	}
	kindSettler interface {
		Settle(r *Run, plan, prior tftypes.Value) tftypes.Value
	}
	kindLocator interface {
		Locate(pointer []string, v tftypes.Value) []tftypes.AttributePathStep
	}
	kindOverlayer interface {
		Overlay(remote, mine any) any
	}
	kindFinder interface {
		Unmodelled(at Path, j any) []Problem
	}
)
