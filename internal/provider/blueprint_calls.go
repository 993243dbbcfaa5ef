package provider

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// The calls of port_blueprint, reference/provider-catalog.md §4.3 to §4.7.

func readBlueprint(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
	return s.api.ReadBlueprint(ctx, key[0])
}

func createBlueprint(ctx context.Context, c *change) (jsonv.Object, error) {
	unlock := c.api.Lock(c.key[0])
	defer unlock()
	answer, err := c.api.Call(ctx, portapi.Op{
		Method: http.MethodPost, Path: []string{"blueprints"}, Body: c.body,
		Query: url.Values{"create_catalog_page": {strconv.FormatBool(lens.AsBool(lens.AsObj(c.plan)["create_catalog_page"]))}},
	})
	switch {
	case err == nil:
		return envelope(answer, "blueprint")
	case !portapi.IsConflict(err):
		return nil, err
	case !c.adopt:
		return nil, c.kind.errExists(c.key)
	}
	c.warn(c.kind.existsSummary(c.key), "It was taken over and its content replaced.")
	return replaceBlueprint(ctx, c, c.key[0])
}

func updateBlueprint(ctx context.Context, c *change) (jsonv.Object, error) {
	unlock := c.api.Lock(c.was[0])
	defer unlock()
	return replaceBlueprint(ctx, c, c.was[0])
}

// replaceBlueprint is the read-modify-write of a blueprint: PUT replaces the
// whole document, so what other resources own is read and sent back.
func replaceBlueprint(ctx context.Context, c *change, id string) (jsonv.Object, error) {
	remote, err := getBlueprint(ctx, c.session, id)
	if err != nil {
		return nil, err
	}
	return putTyped(ctx, c, remote, func(remote jsonv.Object) jsonv.Object {
		return keepRelations(c, remote, c.kind.codec.Overlay(remote, c.body))
	})
}

// getBlueprint reads a blueprint as it is now, for a read-modify-write.
func getBlueprint(ctx context.Context, s *session, id string) (jsonv.Object, error) {
	answer, err := s.api.Call(ctx, portapi.Op{
		Method: http.MethodGet, Path: []string{"blueprints", id}, Query: url.Values{"exclude_calculated_properties": {"true"}},
	})
	if err != nil {
		return nil, err
	}
	return envelope(answer, "blueprint")
}

// putBlueprint replaces the blueprint id, which body may rename.
func putBlueprint(ctx context.Context, s *session, id string, body jsonv.Object) (jsonv.Object, error) {
	op := portapi.Op{Method: http.MethodPut, Path: []string{"blueprints", id}, Body: body}
	if jsonv.String(body, "identifier") != id {
		op.Repeat = portapi.RepeatNever // the old name is gone once it worked
	}
	answer, err := s.api.Call(ctx, op)
	if err != nil {
		return nil, reformatted(err)
	}
	return envelope(answer, "blueprint")
}

// putTyped replaces the blueprint remote by what merge makes of it, after the
// renamings that the plan asks for. Types that change need two PUTs, because Port
// refuses to change them in one.
func putTyped(ctx context.Context, c *change, remote jsonv.Object, merge func(remote jsonv.Object) jsonv.Object) (jsonv.Object, error) {
	remote, err := rename(ctx, c, remote)
	if err != nil {
		return nil, err
	}
	id, body := jsonv.String(remote, "identifier"), merge(remote)
	if changed := retyped(remote, body); len(changed) > 0 {
		if c.typeProtection {
			return nil, &diagnosed{retypedDiagnostics(id, changed)}
		}
		partial, err := putBlueprint(ctx, c.session, id, withoutProperties(remote, changed))
		if err != nil {
			return nil, err
		}
		c.save(partial)
		body = merge(partial)
	}
	return putBlueprint(ctx, c.session, id, body)
}

// updatedFirst is the advice where a blueprint goes in the same apply in which a
// relation to it changes or is left out of a map: Terraform destroys before it
// updates what depended on it.
const updatedFirst = "Where the same apply changes a relation so that it no longer leads here, Terraform destroys first: " +
	"set lifecycle { create_before_destroy = true } on the blueprint, which turns the order round, or change the relation in an apply of its own."

// reformatted explains that Port keeps the format of values that are there.
func reformatted(err error) error {
	if !portapi.HasCode(err, "forbidden_format_change") {
		return err
	}
	return &advised{"Port does not change the format of a property whose values may not fit. To keep the values, add a property with the new format under another name; " +
		"to go ahead without them, leave the property out, apply, and add it again.", err}
}

func deleteBlueprint(ctx context.Context, c *change) error {
	if p := c.protected(); p != nil {
		return p
	}
	id := c.was[0]
	unlock := c.api.Lock(id)
	defer unlock()
	if !lens.AsBool(lens.AsObj(c.prior)["force_delete_entities"]) {
		_, err := c.api.Call(ctx, portapi.Op{Method: http.MethodDelete, Path: []string{"blueprints", id}})
		if portapi.HasCode(err, "has_dependents") {
			return &advised{fmt.Sprintf("Something depends on blueprint %s: it has entities, or another blueprint refers to it. "+
				"To delete its entities along with it, set force_delete_entities = true, apply, and destroy again. %s", id, updatedFirst), err}
		}
		return err
	}
	answer, err := c.api.Call(ctx, portapi.Op{
		Method: http.MethodDelete, Path: []string{"blueprints", id, "all-entities"},
		Query: url.Values{"delete_blueprint": {"true"}},
	})
	if err != nil {
		return err
	}
	migration := jsonv.String(answer, "migrationId")
	if migration == "" {
		return fmt.Errorf("deleting the entities of blueprint %s: the answer names no migration to wait for", id)
	}
	_, err = c.api.AwaitMigration(ctx, migration)
	return err
}

// envelope takes the document out of an answer.
func envelope(answer jsonv.Object, name string) (jsonv.Object, error) {
	body := jsonv.Map(answer, name)
	if body == nil {
		return nil, fmt.Errorf("the answer holds no %s", name)
	}
	return body, nil
}

// retyping is a property whose type changes.
type retyping struct{ key, from, to string }

// retyped lists the properties that both documents have with different types,
// sorted by key.
func retyped(before, after jsonv.Object) []retyping {
	old, now := jsonv.Map(before, "schema", "properties"), jsonv.Map(after, "schema", "properties")
	var out []retyping
	for _, key := range slices.Sorted(maps.Keys(now)) {
		from, to := jsonv.String(old, key, "type"), jsonv.String(now, key, "type")
		if from != "" && to != "" && from != to {
			out = append(out, retyping{key, from, to})
		}
	}
	return out
}

// writable is a copy of a document that was read, less what only the server
// sets.
func writable(document jsonv.Object) jsonv.Object {
	out := jsonv.CloneObject(document)
	for _, k := range []string{"id", "organization", "createdAt", "createdBy", "updatedAt", "updatedBy"} {
		delete(out, k)
	}
	return out
}

// withoutProperties is a document that PUT accepts, less some properties and
// their places in required.
func withoutProperties(document jsonv.Object, drop []retyping) jsonv.Object {
	out := writable(document)
	gone := map[string]bool{}
	for _, d := range drop {
		gone[d.key] = true
	}
	maps.DeleteFunc(jsonv.Map(out, "schema", "properties"), func(key string, _ any) bool { return gone[key] })
	if schema := jsonv.Map(out, "schema"); schema != nil {
		required := slices.DeleteFunc(jsonv.Strings(schema["required"]), func(key string) bool { return gone[key] })
		sort.Strings(required)
		schema["required"] = jsonv.FromStrings(required)
	}
	return out
}
