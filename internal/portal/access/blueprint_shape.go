package access

import (
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
)

// blueprintPatch is what the body of a PATCH says, checked, by the keys under
// "entities". A null block of a field asks for it to be taken off the document.
type blueprintPatch = jsonv.Object

// blueprint reads the body of a PATCH of a blueprint's permissions
// (reference/identity.md §7.4 B1, B2).
func (s *shape) blueprint(body any, at ...string) blueprintPatch {
	out := blueprintPatch{}
	in := s.closed(body, at, entitiesKey)
	given, there := in[entitiesKey]
	if !there {
		return out
	}
	at = below(at, entitiesKey)
	keys := []string{updatePropertiesKey, updateRelationsKey}
	for _, verb := range scopes {
		keys = append(keys, string(verb))
	}
	for key, value := range s.closed(given, at, keys...) {
		switch where := below(at, key); {
		case key == updatePropertiesKey || key == updateRelationsKey:
			out[key] = s.fields(value, where)
		case slices.Contains(keys, key):
			out[key] = s.scope(value, where)
		}
	}
	return out
}

// scope reads a block that may have a policy, a search query.
func (s *shape) scope(v any, at []string) jsonv.Object {
	o, _ := v.(jsonv.Object)
	policy, given := o[policyKey]
	if !given {
		return s.block(v, at, append([]string{ownedKey}, lists...)...)
	}
	rest := jsonv.Object{}
	for key, value := range o {
		if key != policyKey {
			rest[key] = value
		}
	}
	out := s.block(rest, at, append([]string{ownedKey}, lists...)...)
	if policy != nil {
		_, err := parsePolicy(policy, below(at, policyKey)...)
		s.adopt(err, below(at, policyKey))
	}
	out[policyKey] = policy
	return out
}

// fields reads the blocks of fields. What else stands in them is let through, as
// the published schema has it, and means nothing.
func (s *shape) fields(v any, at []string) jsonv.Object {
	out := jsonv.Object{}
	o, ok := v.(jsonv.Object)
	if !ok {
		s.add(at, "must be object, got %s", jsonv.KindOf(v))
	}
	keys := append([]string{ownedKey}, lists...)
	for field, value := range o {
		if value == nil {
			out[field] = nil
			continue
		}
		if b, ok := value.(jsonv.Object); ok {
			known := jsonv.Object{}
			for _, key := range keys {
				if given, there := b[key]; there {
					known[key] = given
				}
			}
			value = known
		}
		out[field] = s.block(value, below(at, field), keys...)
	}
	return out
}

// adopt takes over what a parser found wrong.
func (s *shape) adopt(err error, at []string) {
	if err == nil {
		return
	}
	f, ok := err.(*fault.Fault) //nolint:errorlint // parsers return the fault itself
	if !ok {
		s.add(at, "%s", err.Error())
		return
	}
	for _, e := range jsonv.List(f.Details, "errors") {
		s.problems = append(s.problems, fault.Problem{Path: jsonv.String(e, "path"), Message: jsonv.String(e, "message")})
	}
}

// simulation reads the body of a simulation.
func (s *shape) simulation(body any) (email string, verb catalog.Verb, patch blueprintPatch) {
	in := s.closed(body, nil, "user", "operation", "permissions")
	s.required(in, nil, "user", "operation")
	email, isText := in["user"].(string)
	if _, given := in["user"]; given && !isText {
		s.add([]string{"user"}, "must be string, got %s", jsonv.KindOf(in["user"]))
	}
	operation, _ := in["operation"].(string)
	verb = catalog.Verb(operation)
	if _, given := in["operation"]; given && !slices.Contains(scopes, verb) {
		s.add([]string{"operation"}, `must be equal to one of the allowed values: "read", "register", "update", "unregister"`)
	}
	if pending := in["permissions"]; pending != nil {
		patch = s.blueprint(pending, "permissions")
	}
	return email, verb, patch
}
