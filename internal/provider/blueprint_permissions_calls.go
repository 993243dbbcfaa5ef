package provider

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// The calls of port_blueprint_permissions. Port knows what every entity has under
// keys with a dollar sign among the properties; the codec's document has them
// apart. Here "permissions" are what Port holds under entities, and "document" is
// the codec's.

const (
	propertiesBlock = "updateProperties"
	relationsBlock  = "updateRelations"
	metadataBlock   = "updateMetadataProperties"
)

// scopes are the blocks that may have a policy; fieldBlocks hold one block for
// each property or relation.
var (
	scopes      = []string{"read", "register", "unregister", "update"}
	fieldBlocks = []string{propertiesBlock, relationsBlock}
)

// getPermissions reads the permissions of a blueprint.
func getPermissions(ctx context.Context, s *session, id string) (jsonv.Object, error) {
	answer, err := s.api.Call(ctx, portapi.Op{Method: http.MethodGet, Path: []string{"blueprints", id, "permissions"}})
	if err != nil {
		return nil, err
	}
	return permissionsIn(answer)
}

func permissionsIn(answer jsonv.Object) (jsonv.Object, error) {
	permissions, err := envelope(answer, "permissions")
	if err != nil {
		return nil, err
	}
	return envelope(permissions, "entities")
}

// patchPermissions changes what patch names and returns what is there then.
func patchPermissions(ctx context.Context, s *session, id string, patch jsonv.Object) (jsonv.Object, error) {
	answer, err := s.api.Call(ctx, portapi.Op{
		Method: http.MethodPatch, Path: []string{"blueprints", id, "permissions"}, Body: jsonv.Object{"entities": patch}, Repeat: portapi.RepeatSafe,
	})
	if err != nil {
		return nil, err
	}
	if now, err := permissionsIn(answer); err == nil {
		return now, nil
	}
	return getPermissions(ctx, s, id)
}

// documentOf makes the codec's document of permissions. A blueprint without blocks
// of its own for properties or relations has no such key.
func documentOf(id string, permissions jsonv.Object) jsonv.Object {
	entities := maps.Clone(permissions)
	delete(entities, propertiesBlock)
	delete(entities, relationsBlock)
	if all, ok := permissions[propertiesBlock].(jsonv.Object); ok {
		metadata, own := jsonv.Object{}, jsonv.Object{}
		for key, block := range all {
			if strings.HasPrefix(key, "$") {
				metadata[key] = block
			} else {
				own[key] = block
			}
		}
		entities[metadataBlock] = metadata
		if len(own) > 0 {
			entities[propertiesBlock] = own
		}
	}
	if relations := jsonv.Map(permissions, relationsBlock); len(relations) > 0 {
		entities[relationsBlock] = relations
	}
	return jsonv.Object{"blueprintIdentifier": id, "entities": entities}
}

// permissionsOf is the inverse of [documentOf] as far as a document says anything.
func permissionsOf(document jsonv.Object) jsonv.Object {
	entities := jsonv.Map(document, "entities")
	out := jsonv.Object{}
	for _, name := range append(slices.Clone(scopes), relationsBlock) {
		if block, ok := entities[name]; ok {
			out[name] = block
		}
	}
	properties := jsonv.Object{}
	maps.Copy(properties, jsonv.Map(entities, metadataBlock))
	maps.Copy(properties, jsonv.Map(entities, propertiesBlock))
	if len(properties) > 0 {
		out[propertiesBlock] = properties
	}
	return out
}

// relocateBlueprintPermissions leads from a place in the permissions to the one in
// the codec's document.
func relocateBlueprintPermissions(pointer []string) []string {
	if len(pointer) > 2 && pointer[0] == "entities" && pointer[1] == propertiesBlock && strings.HasPrefix(pointer[2], "$") {
		pointer = slices.Clone(pointer)
		pointer[1] = metadataBlock
	}
	return pointer
}

func readBlueprintPermissions(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
	permissions, err := getPermissions(ctx, s, key[0])
	if err != nil {
		return nil, err
	}
	return documentOf(key[0], permissions), nil
}

// refreshBlueprintPermissions reads for a resource. An import leaves out who may
// read where that is as Port has it by default: most configurations do not say it.
func refreshBlueprintPermissions(ctx context.Context, s *session, prior tftypes.Value) (jsonv.Object, error) {
	was := lens.AsObj(prior)
	id := lens.AsText(was["blueprint_identifier"])
	document, err := readBlueprintPermissions(ctx, s, []string{id})
	if err != nil || !lens.Nothing(was["entities"]) {
		return document, err
	}
	if entities := jsonv.Map(document, "entities"); sameBlock(entities["read"], defaultBlock(id, "read")) {
		delete(entities, "read")
	}
	return document, nil
}

// siftBlueprintPermissions leaves out what the resource never said anything about.
func siftBlueprintPermissions(_ *kind, document jsonv.Object, held ...tftypes.Value) jsonv.Object {
	entities := maps.Clone(jsonv.Map(document, "entities"))
	says := func(name string) bool {
		return slices.ContainsFunc(held, func(v tftypes.Value) bool { return !lens.Nothing(lens.AsObj(lens.AsObj(v)["entities"])[name]) })
	}
	if !says("read") {
		delete(entities, "read")
	}
	for attribute, name := range map[string]string{"update_properties": propertiesBlock, "update_relations": relationsBlock} {
		mine := jsonv.Object{}
		for _, v := range held {
			for key := range lens.AsObj(lens.AsObj(lens.AsObj(v)["entities"])[attribute]) {
				if block, ok := jsonv.Get(entities, name, key); ok {
					mine[key] = block
				}
			}
		}
		if delete(entities, name); len(mine) > 0 {
			entities[name] = mine
		}
	}
	out := maps.Clone(document)
	out["entities"] = entities
	return out
}

// defaultBlock is a block of a new blueprint (reference/identity.md §7.4), which
// also says who may change a property that has no block.
func defaultBlock(id, name string) jsonv.Object {
	roles := []string{"Admin", id + "-moderator"}
	if name == "read" {
		roles = []string{"Admin", "Member", id + "-moderator"}
	}
	return jsonv.Object{"users": []any{}, "roles": jsonv.FromStrings(roles), "teams": []any{}, "ownedByTeam": false}
}

// sameBlock compares two blocks of permissions, whose lists have no order.
func sameBlock(a, b any) bool {
	for _, list := range []string{"users", "roles", "teams"} {
		x, y := jsonv.Strings(jsonv.List(a, list)), jsonv.Strings(jsonv.List(b, list))
		for _, names := range [][]string{x, y} {
			for i, name := range names {
				if list == "users" {
					names[i] = strings.ToLower(name)
				}
			}
		}
		slices.Sort(x)
		slices.Sort(y)
		if !slices.Equal(slices.Compact(x), slices.Compact(y)) {
			return false
		}
	}
	p, _ := jsonv.Get(a, "policy")
	q, _ := jsonv.Get(b, "policy")
	return jsonv.Bool(a, "ownedByTeam") == jsonv.Bool(b, "ownedByTeam") && jsonv.Equal(p, q)
}

// createBlueprintPermissions notes what is there before it replaces it.
func createBlueprintPermissions(ctx context.Context, c *change) (jsonv.Object, error) {
	id := c.key[0]
	former, err := getPermissions(ctx, c.session, id)
	if err != nil {
		return nil, lacking(id, err)
	}
	patch := permissionsOf(c.body)
	endPolicies(patch, former)
	now, err := settlePermissions(ctx, c, id, patch)
	if err != nil {
		return nil, err
	}
	document := documentOf(id, now)
	document["previous"] = former
	return document, nil
}

// updateBlueprintPermissions also gives back what the plan lets go of. By now a
// blueprint that is renamed in the same run has its new name.
func updateBlueprintPermissions(ctx context.Context, c *change) (jsonv.Object, error) {
	id := c.key[0]
	patch := permissionsOf(c.body)
	before := permissionsOf(c.before)
	if released := without(before, patch); len(released) > 0 {
		back, err := givenBack(ctx, c, id, released)
		if err != nil {
			return nil, lacking(id, err)
		}
		merge(patch, back)
	}
	endPolicies(patch, before)
	now, err := settlePermissions(ctx, c, id, patch)
	if err != nil {
		return nil, lacking(id, err)
	}
	document := documentOf(id, now)
	if former := previousPermissions(c, id); former != nil {
		document["previous"] = former
	}
	return document, nil
}

// renamedPermissions names what a renaming of the blueprint changes: the name of
// its moderators is in what was there before.
func renamedPermissions(was, now lens.Obj) []string {
	if was["blueprint_identifier"].Equal(now["blueprint_identifier"]) || lens.Nothing(was["previous"]) {
		return nil
	}
	return []string{"previous"}
}

// previousPermissions are those before the resource took over, nil when they are
// not known. Port renames moderators along with the blueprint.
func previousPermissions(c *change, id string) jsonv.Object {
	former, err := jsonv.DecodeObject([]byte(lens.AsText(lens.AsObj(c.prior)["previous"])))
	if err != nil {
		return nil
	}
	if id != c.was[0] {
		renameRole(former, c.was[0]+"-moderator", id+"-moderator")
	}
	return former
}

// renameRole gives a role another name in every block of permissions.
func renameRole(permissions jsonv.Object, was, now string) {
	in := func(block any) {
		roles := jsonv.List(block, "roles")
		for i, role := range roles {
			if role == was {
				roles[i] = now
			}
		}
	}
	for _, name := range scopes {
		in(permissions[name])
	}
	for _, name := range fieldBlocks {
		for _, block := range jsonv.Map(permissions, name) {
			in(block)
		}
	}
}

// deleteBlueprintPermissions gives back all that the state holds, unless it is to
// stay.
func deleteBlueprintPermissions(ctx context.Context, c *change) error {
	if lens.AsText(lens.AsObj(c.prior)["on_destroy"]) == onDestroyKeep {
		return nil
	}
	id := c.was[0]
	back, err := givenBack(ctx, c, id, permissionsOf(c.before))
	if err != nil {
		return err // a 404 included: gone with its blueprint
	}
	_, err = patchPermissions(ctx, c.session, id, back)
	return err
}

// settlePermissions patches and sees to it that policies are gone that are not in
// patch: one that nobody knew of is removed with a second request.
func settlePermissions(ctx context.Context, c *change, id string, patch jsonv.Object) (jsonv.Object, error) {
	now, err := patchPermissions(ctx, c.session, id, patch)
	if err != nil {
		return nil, err
	}
	left := jsonv.Object{}
	for _, name := range unwantedPolicies(patch, now) {
		left[name] = jsonv.Object{"policy": nil}
	}
	if len(left) == 0 {
		return now, nil
	}
	c.save(documentOf(id, now))
	if now, err = patchPermissions(ctx, c.session, id, left); err != nil {
		return nil, err
	}
	if kept := unwantedPolicies(patch, now); len(kept) > 0 {
		return nil, fmt.Errorf("blueprint %s keeps the policy of %s, although it was removed", id, strings.Join(kept, ", "))
	}
	return now, nil
}

// unwantedPolicies names the blocks of patch that want no policy and have one.
func unwantedPolicies(patch, now jsonv.Object) []string {
	var out []string
	for _, name := range scopes {
		if _, said := patch[name]; said && len(jsonv.Map(patch, name, "policy")) == 0 && len(jsonv.Map(now, name, "policy")) > 0 {
			out = append(out, name)
		}
	}
	return out
}

// endPolicies says explicitly that a policy goes: one left out stays
// (reference/identity.md §7.4 B3).
func endPolicies(patch, before jsonv.Object) {
	for _, name := range unwantedPolicies(patch, before) {
		block := maps.Clone(jsonv.Map(patch, name))
		block["policy"] = nil
		patch[name] = block
	}
}

// without is what before says and patch does not, whatever they say.
func without(before, patch jsonv.Object) jsonv.Object {
	out := jsonv.Object{}
	for _, name := range scopes {
		if _, still := patch[name]; before[name] != nil && !still {
			out[name] = before[name]
		}
	}
	for _, name := range fieldBlocks {
		blocks := jsonv.Object{}
		for key, block := range jsonv.Map(before, name) {
			if _, still := jsonv.Get(patch, name, key); !still {
				blocks[key] = block
			}
		}
		if len(blocks) > 0 {
			out[name] = blocks
		}
	}
	return out
}

// merge adds blocks to a patch.
func merge(patch, more jsonv.Object) {
	for _, name := range scopes {
		if block, ok := more[name]; ok {
			patch[name] = block
		}
	}
	for _, name := range fieldBlocks {
		if blocks := jsonv.Map(more, name); len(blocks) > 0 {
			all := jsonv.Object{}
			maps.Copy(all, jsonv.Map(patch, name))
			maps.Copy(all, blocks)
			patch[name] = all
		}
	}
}

// givenBack are the blocks that undo what a resource said, as they were before it
// took over. Of properties and relations that are gone there is nothing to undo.
func givenBack(ctx context.Context, c *change, id string, said jsonv.Object) (jsonv.Object, error) {
	now, err := getPermissions(ctx, c.session, id)
	if err != nil {
		return nil, err
	}
	former := previousPermissions(c, id)
	block := func(name string, path ...string) jsonv.Object {
		if was := jsonv.Map(former, path...); was != nil {
			return was
		}
		return defaultBlock(id, name)
	}
	out := jsonv.Object{}
	for _, name := range scopes {
		if _, ok := said[name]; ok {
			out[name] = block(name, name)
		}
	}
	for _, name := range fieldBlocks {
		blocks := jsonv.Object{}
		for key := range jsonv.Map(said, name) {
			if _, there := jsonv.Get(now, name, key); there {
				blocks[key] = block(name, name, key)
			}
		}
		if len(blocks) > 0 {
			out[name] = blocks
		}
	}
	endPolicies(out, now)
	return out, nil
}
