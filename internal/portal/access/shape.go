package access

import (
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
)

// lists are the keys of a block that hold names.
var lists = []string{"users", "roles", "teams"}

// The parts of a policy of an action.
const (
	queriesKey    = "queries"
	conditionsKey = "conditions"
)

// actionPolicy is the form of a policy (reference/actions.md §5.1 D2). Neither queries
// nor conditions are read further: one that makes no sense counts for nothing when the
// policy is evaluated, and what a query asks for may be known only then.
var actionPolicy = shape.Closed(shape.Takes{
	queriesKey: shape.NotEmpty(shape.MapOf(shape.Closed(shape.Takes{
		"combinator": shape.OneOf("and", "or"), "rules": shape.ListOf(shape.Mapping),
	}, "combinator", "rules"))),
	conditionsKey: shape.NotEmpty(shape.ListOf(shape.Filled)),
}, queriesKey, conditionsKey)

// blockTakes is what a block with the given keys takes; null counts as not given,
// except for a policy, which it takes away (reference/identity.md §7.4 B3).
func blockTakes(policy shape.Check, keys []string) shape.Takes {
	takes := shape.Takes{}
	for _, key := range keys {
		switch key {
		case policyKey:
			takes[key] = shape.OrNull(policy)
		case ownedKey:
			takes[key] = shape.OrNull(shape.Boolean)
		default:
			takes[key] = shape.OrNull(shape.Texts)
		}
	}
	return takes
}

// said is what a block that was checked says, its lists as they are kept.
func said(block jsonv.Object, keys []string) jsonv.Object {
	out := jsonv.Object{}
	for _, key := range keys {
		switch v, given := block[key]; {
		case !given, v == nil && key != policyKey:
		case slices.Contains(lists, key):
			out[key] = sorted(jsonv.Strings(v))
		default:
			out[key] = v
		}
	}
	return out
}
