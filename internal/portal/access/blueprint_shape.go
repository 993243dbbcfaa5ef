package access

import (
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
)

// blueprintPatch is what the body of a PATCH says, checked, by the keys under
// "entities". A null block of a field asks for it to be taken off the document.
type blueprintPatch = jsonv.Object

// The keys of the blocks of fields and of those that may have a policy, a search query.
var (
	fieldKeys = append([]string{ownedKey}, lists...)
	scopeKeys = append([]string{policyKey, ownedKey}, lists...)
)

// blueprintDocument is the body of a PATCH of a blueprint's permissions
// (reference/identity.md §7.4 B1, B2). What else stands in the blocks of fields is let
// through, as the published schema has it, and means nothing. Nor does what once stood
// there about actions, which have documents of their own (reference/actions.md §9.1).
var blueprintDocument = shape.Closed(shape.Takes{entitiesKey: shape.Closed(entitiesTakes()), "actions": shape.Anything})

func entitiesTakes() shape.Takes {
	fields := shape.MapOf(shape.OrNull(shape.Open(blockTakes(nil, fieldKeys))))
	takes := shape.Takes{updatePropertiesKey: fields, updateRelationsKey: fields}
	for _, verb := range scopes {
		takes[string(verb)] = shape.Closed(blockTakes(searchPolicy, scopeKeys))
	}
	return takes
}

func searchPolicy(c *shape.Checker, v any, at []string) {
	_, err := parsePolicy(v, at...)
	c.Take(fault.ProblemsOf(err, jsonv.Pointer(at...)))
}

// patchOf is what a body that was checked says.
func patchOf(body any) blueprintPatch {
	out := blueprintPatch{}
	for key, value := range jsonv.Map(body, entitiesKey) {
		block, _ := value.(jsonv.Object)
		if key == updatePropertiesKey || key == updateRelationsKey {
			out[key] = fieldsSaid(block)
		} else {
			out[key] = said(block, scopeKeys)
		}
	}
	return out
}

func fieldsSaid(blocks jsonv.Object) jsonv.Object {
	out := jsonv.Object{}
	for field, value := range blocks {
		if block, given := value.(jsonv.Object); given {
			out[field] = said(block, fieldKeys)
		} else {
			out[field] = nil
		}
	}
	return out
}

// simulated is the body of a simulation.
var simulated = shape.Takes{"user": shape.Text, "operation": shape.OneOf(verbs()...), "permissions": shape.OrNull(blueprintDocument)}

func verbs() []string {
	var out []string
	for _, verb := range scopes {
		out = append(out, string(verb))
	}
	return slices.Clip(out)
}

func simulationBody(body any) (email string, verb catalog.Verb, patch blueprintPatch, err error) {
	o, err := shape.Body(body, simulated, "user", "operation")
	return jsonv.String(o, "user"), catalog.Verb(jsonv.String(o, "operation")), patchOf(o["permissions"]), err
}
