package provider

import (
	"context"
	"maps"
	"slices"
	"sort"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// The calls of port_system_blueprint, reference/provider-catalog.md §5.

const (
	globalSearchKey = "includeInGlobalSearch"
	// resultTarget is the type of the relations that scorecards add to
	// _rule_result: nobody's to manage (reference/catalog.md §3.1 Y9).
	resultTarget = "rule_result_target"
)

// decodeSystemBlueprint shows what was added to the structure. A built-in part
// is shown only where the state holds it, so that an override is compared.
func decodeSystemBlueprint(ctx context.Context, s *session, body jsonv.Object, prior tftypes.Value) *decoding {
	structure, err := s.structure(ctx, jsonv.String(body, "identifier"))
	if err != nil {
		return &decoding{err: unextendable(jsonv.String(body, "identifier"), err)}
	}
	return &decoding{document: additions(body, structure, prior)}
}

// unextendable explains that a blueprint has no structure.
func unextendable(id string, err error) error {
	if !portapi.IsNotFound(err) {
		return err
	}
	return &advised{createUnsupported(id), err}
}

// additions is the part of a system blueprint that is not built in, and what of
// the rest the resource held holds.
func additions(blueprint, structure jsonv.Object, held tftypes.Value) jsonv.Object {
	out := jsonv.Object{"identifier": blueprint["identifier"]}
	if v, ok := blueprint[globalSearchKey]; ok {
		out[globalSearchKey] = v
	}
	mine := lens.AsObj(held)
	for _, c := range collections {
		shipped := jsonv.Map(structure, c.path...)
		entries := jsonv.Object{}
		for key, entry := range jsonv.Map(blueprint, c.path...) {
			_, builtIn := shipped[key]
			if holds(mine, c.attribute, key) || !builtIn && jsonv.String(entry, "type") != resultTarget {
				entries[key] = entry
			}
		}
		setMap(out, c.path, entries)
	}
	required := []string{}
	for _, key := range jsonv.Strings(jsonv.List(blueprint, "schema", "required")) {
		if _, ok := jsonv.Get(out, "schema", "properties", key); ok {
			required = append(required, key)
		}
	}
	schema := jsonv.Map(out, "schema")
	schema["required"] = jsonv.FromStrings(required)
	return out
}

// holds reports whether a resource has an element in one of its collections.
func holds(blueprint lens.Obj, attribute, key string) bool {
	if attribute != "properties" {
		_, ok := lens.AsObj(blueprint[attribute])[key]
		return ok
	}
	_, ok := propertyTypes(blueprint)[key]
	return ok
}

// createSystemBlueprint adopts: the blueprint is there, only the additions are
// made.
func createSystemBlueprint(ctx context.Context, c *change) (jsonv.Object, error) {
	return extendSystemBlueprint(ctx, c, c.key[0])
}

func updateSystemBlueprint(ctx context.Context, c *change) (jsonv.Object, error) {
	return extendSystemBlueprint(ctx, c, c.was[0])
}

// extendSystemBlueprint is the read-modify-write of a system blueprint: the
// structure with the planned additions, and everything else as it is.
func extendSystemBlueprint(ctx context.Context, c *change, id string) (jsonv.Object, error) {
	unlock := c.api.Lock(id)
	defer unlock()
	remote, err := getBlueprint(ctx, c.session, id)
	if err != nil {
		return nil, unextendable(id, err)
	}
	structure, err := c.structure(ctx, id)
	if err != nil {
		return nil, unextendable(id, err)
	}
	if c.prior.IsNull() && !c.adopt {
		if found := planAdoption(c, additions(remote, structure, c.plan)); found.HasError() {
			return nil, &diagnosed{found}
		}
	}
	return putTyped(ctx, c, remote, func(remote jsonv.Object) jsonv.Object {
		return keepRelations(c, remote, extended(remote, structure, c.kind.codec.Overlay(remote, c.body)))
	})
}

// extended is the document remote with the structure and the additions mine, and
// no others (reference/provider-catalog.md §5.2).
func extended(remote, structure, mine jsonv.Object) jsonv.Object {
	out := writable(remote)
	for _, c := range collections {
		entries := jsonv.Object{}
		for key, entry := range jsonv.Map(remote, c.path...) {
			if jsonv.String(entry, "type") == resultTarget {
				entries[key] = entry
			}
		}
		maps.Copy(entries, jsonv.Map(structure, c.path...))
		maps.Copy(entries, jsonv.Map(mine, c.path...))
		setMap(out, c.path, entries)
	}
	require(out, jsonv.List(structure, "schema", "required"), jsonv.List(mine, "schema", "required"))
	settle(out, structure, mine)
	return out
}

// require sets the list of required properties to the union of lists, without
// properties that are not there.
func require(document jsonv.Object, lists ...[]any) {
	var all []string
	for _, key := range jsonv.Strings(slices.Concat(lists...)) {
		if _, ok := jsonv.Get(document, "schema", "properties", key); ok && !slices.Contains(all, key) {
			all = append(all, key)
		}
	}
	sort.Strings(all)
	schema := maps.Clone(jsonv.Map(document, "schema"))
	schema["required"] = jsonv.FromStrings(all)
	document["schema"] = schema
}

// settle says whether global search finds the entities: as mine says, else as
// Port ships it.
func settle(document, structure, mine jsonv.Object) {
	delete(document, globalSearchKey)
	for _, from := range []jsonv.Object{mine, structure} {
		if v, ok := from[globalSearchKey]; ok && v != nil {
			document[globalSearchKey] = v
			return
		}
	}
}

// deleteSystemBlueprint removes the additions that the state holds. What others
// added meanwhile stays, and so does the blueprint.
func deleteSystemBlueprint(ctx context.Context, c *change) error {
	id := c.was[0]
	unlock := c.api.Lock(id)
	defer unlock()
	remote, err := getBlueprint(ctx, c.session, id)
	if err != nil {
		return err
	}
	structure, err := c.structure(ctx, id)
	if err != nil {
		return err
	}
	out := writable(remote)
	for _, at := range collections {
		entries, shipped := maps.Clone(jsonv.Map(remote, at.path...)), jsonv.Map(structure, at.path...)
		for key := range jsonv.Map(c.before, at.path...) {
			if entries == nil {
				break
			}
			delete(entries, key)
			if entry, ok := shipped[key]; ok {
				entries[key] = entry
			}
		}
		if entries != nil {
			setMap(out, at.path, entries)
		}
	}
	require(out, jsonv.List(structure, "schema", "required"), jsonv.List(remote, "schema", "required"))
	if _, mine := c.before[globalSearchKey]; mine {
		settle(out, structure, nil)
	}
	_, err = putBlueprint(ctx, c.session, id, out)
	return err
}
