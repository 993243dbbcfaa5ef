package catalog

import (
	"context"
	_ "embed"
	"net/http"
	"slices"
	"sync"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// systemText declares the managed parts of the system blueprints
// (reference/catalog.md §3.2).
//
//go:embed system.json
var systemText []byte

// A system blueprint that nobody has changed is not stored. It is dated before
// anything an organization makes itself.
const (
	systemCreatedAt = "2022-01-01T00:00:00.000Z"
	systemCreatedBy = "port"
)

// systemTable is read once and never changes.
var systemTable = sync.OnceValue(func() map[string]*blueprint {
	text, err := jsonv.Decode(systemText)
	list, ok := text.([]any)
	if err != nil || !ok {
		panic("catalog: system.json is not a list of blueprints")
	}
	table := map[string]*blueprint{}
	for _, entry := range list {
		def, problems := readDefinition(entry, true)
		if err := problems.Invalid(); err != nil {
			panic("catalog: system.json: " + err.Error())
		}
		def["createdAt"], def["updatedAt"] = systemCreatedAt, systemCreatedAt
		def["createdBy"], def["updatedBy"] = systemCreatedBy, systemCreatedBy
		b := compileBlueprint(sealed(def))
		table[b.id] = b
	}
	return table
})

// systemBlueprint returns the shipped definition, nil when id is no system blueprint.
func systemBlueprint(id string) *blueprint { return systemTable()[id] }

func systemIdentifiers() []string { return sortedKeys(systemTable()) }

func isSystem(id string) bool { return systemBlueprint(id) != nil }

// IsSystem tells whether a blueprint is there in every organization
// (reference/catalog.md §3).
func IsSystem(id string) bool { return isSystem(id) }

// SystemStructure returns the managed part of a system blueprint (Y8).
func (c *Catalog) SystemStructure(_ context.Context, _ store.Tx, _ Actor, id string) (jsonv.Object, error) {
	b := systemBlueprint(id)
	if b == nil {
		return nil, fault.NotFound("System blueprint", id)
	}
	return public(b.doc), nil
}

// protected refuses to change what a system blueprint is shipped with. For users and
// teams the answer has a name of its own (reference/identity.md §4.4); its text
// holds the general one, by which one client knows such answers.
func protected(id, format string, args ...any) *fault.Fault {
	if !isAccounts(id) {
		return fault.Protected(format, args...)
	}
	return fault.New(http.StatusForbidden, "protected_blueprint_violation", "protected_resource: "+format, args...)
}

// isAccounts tells whether a blueprint is the other face of users or teams.
func isAccounts(id string) bool { return id == sysUser || id == sysTeam }

// alteredAccounts refuses a definition that says something else of what users and
// teams are shipped with. Who leaves something out has only merged imperfectly.
func alteredAccounts(old *blueprint, def jsonv.Object) error {
	if !isAccounts(old.id) {
		return nil
	}
	managed := systemBlueprint(old.id).doc
	for _, key := range []string{"title", "icon", "ownership"} {
		if is := def[key]; is != nil && managed[key] != nil && !jsonv.Equal(is, managed[key]) && !jsonv.Equal(is, old.doc[key]) {
			return protected(old.id, "the %s of system blueprint %q is managed and cannot be changed", key, old.id)
		}
	}
	for _, path := range managedParts {
		given := jsonv.Map(def, path...)
		for _, key := range sortedKeys(given) {
			was, ok := jsonv.Get(managed, append(slices.Clone(path), key)...)
			if ok && says(jsonv.Map(given, key), was) {
				return protected(old.id, "%q of system blueprint %q is managed and cannot be changed", key, old.id).With("property", key)
			}
		}
	}
	for _, key := range jsonv.Strings(jsonv.List(def, "schema", "required")) {
		if _, ok := jsonv.Get(managed, "schema", "properties", key); ok {
			return protected(old.id, "%q of system blueprint %q is managed and cannot be required", key, old.id).With("property", key)
		}
	}
	return nil
}

// says tells whether an entry holds what the managed one does not.
func says(is jsonv.Object, managed any) bool {
	for key, v := range is {
		if was, _ := jsonv.Get(managed, key); !jsonv.Equal(v, was) {
			return true
		}
	}
	return false
}

// keepManaged puts the managed parts of a system blueprint back into a definition
// that is about to replace old (Y3–Y7, Y9). Omissions and small differences are
// repaired; only another type is refused, since the caller would lose its meaning.
func keepManaged(old *blueprint, def jsonv.Object) error {
	managed := systemBlueprint(old.id).doc
	for _, check := range []func() error{
		func() error { return retypedManaged(old.id, def) },
		func() error { return alteredAccounts(old, def) },
	} {
		if err := check(); err != nil {
			return err
		}
	}
	for _, key := range []string{"icon", "description"} {
		if _, ok := def[key]; !ok && old.doc[key] != nil {
			def[key] = old.doc[key]
		}
	}
	if o, ok := managed["ownership"]; ok {
		if given := def["ownership"]; given != nil && jsonv.String(given, "type") != jsonv.String(o, "type") {
			return protected(old.id, "the ownership of system blueprint %q is managed and cannot be changed", old.id)
		}
		def["ownership"] = jsonv.Clone(o)
	} else if _, ok := def["ownership"]; ok && old.id == "_team" {
		return protected(old.id, "teams own other entities: system blueprint %q cannot have ownership itself", old.id)
	}
	for _, path := range managedParts {
		entries := jsonv.Map(def, path...)
		for key, entry := range jsonv.Map(managed, path...) {
			entries[key] = jsonv.Clone(entry)
		}
	}
	if err := movedManaged(old.id, def); err != nil {
		return err
	}
	relations := jsonv.Map(def, "relations")
	keepResultTargets(old, relations)
	for _, key := range sortedKeys(relations) {
		if _, ok := jsonv.Get(managed, "relations", key); !ok && jsonv.Bool(relations[key], "required") {
			return invalid(jsonv.Pointer("relations", key), "a relation added to a system blueprint cannot be required")
		}
	}
	required := slices.Clone(jsonv.List(managed, "schema", "required"))
	for _, key := range jsonv.List(def, "schema", "required") {
		name, _ := key.(string)
		if _, shipped := jsonv.Get(managed, "schema", "properties", name); !shipped && !slices.Contains(required, key) {
			required = append(required, key)
		}
	}
	jsonv.Map(def, "schema")["required"] = required
	return nil
}

// managedParts are where a definition keeps what a system blueprint may manage.
var managedParts = [][]string{{"schema", "properties"}, {"mirrorProperties"}, {"calculationProperties"}, {"aggregationProperties"}, {"relations"}}

// isManaged tells whether a system blueprint is shipped with a key.
func isManaged(id string, part []string, key string) bool {
	b := systemBlueprint(id)
	if b == nil {
		return false
	}
	_, ok := jsonv.Get(b.doc, append(slices.Clone(part), key)...)
	return ok
}

// refusePatch refuses a PATCH of a system blueprint that takes a managed part
// away or alters it. A PUT of the same would only be repaired: whoever sends the
// whole may have read it long ago or elsewhere, whereas a PATCH says what it means
// (reference/portal.md §1.7, reference/identity.md §4.4).
func refusePatch(old *blueprint, patch, merged jsonv.Object) error {
	if given, ok := patch["ownership"]; ok && given == nil && systemBlueprint(old.id).doc["ownership"] != nil {
		return protected(old.id, "the ownership of system blueprint %q is managed and cannot be removed", old.id)
	}
	for _, part := range managedParts {
		for _, key := range sortedKeys(jsonv.Map(patch, part...)) {
			at := append(slices.Clone(part), key)
			was, ok := jsonv.Get(systemBlueprint(old.id).doc, at...)
			if r := old.relations[key]; !ok && part[0] == "relations" && r.marker == resultTarget {
				was, ok = jsonv.Get(old.doc, at...)
			}
			if is, _ := jsonv.Get(merged, at...); ok && !jsonv.Equal(was, is) {
				return protected(old.id, "%q of system blueprint %q is managed and cannot be changed or removed", key, old.id).With("property", key)
			}
		}
	}
	return nil
}

// retypedManaged refuses a definition that gives a managed property another type.
func retypedManaged(id string, def jsonv.Object) error {
	managed := systemBlueprint(id).doc
	for _, path := range managedParts[:4] {
		given := jsonv.Map(def, path...)
		for _, key := range sortedKeys(jsonv.Map(managed, path...)) {
			is, ok := given[key].(jsonv.Object)
			was, _ := jsonv.Get(managed, append(slices.Clone(path), key)...)
			if ok && jsonv.String(is, "type") != jsonv.String(was, "type") {
				return protected(id, "%q of system blueprint %q is managed and its type cannot be changed", key, id).With("property", key)
			}
		}
	}
	return nil
}

// movedManaged refuses a definition that uses a managed key for another kind of
// property.
func movedManaged(id string, def jsonv.Object) error {
	r := &reader{}
	r.nameSpace(def)
	if len(r.problems) == 0 {
		return nil
	}
	return protected(id, "system blueprint %q: %s: %s", id, r.problems[0].Path, r.problems[0].Message)
}
