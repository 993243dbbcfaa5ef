package provider

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// port_blueprint_relation is one relation of one blueprint, so that blueprints
// that relate to each other are made in one apply. On the wire it is an entry of
// the blueprint's document; the codec sees that entry with its key beside it. How
// it gets along with port_blueprint is in blueprint_undeclared.go.

const blueprintRelation = "blueprint_relation"

func blueprintRelationDeclaration() *Declaration {
	return &Declaration{
		Name: blueprintRelation,
		Doc: "Relation of a blueprint to another, managed by itself. Blueprints that relate to each other in a circle can be made in one apply this way. " +
			"A `port_blueprint` leaves alone the relations it does not declare, so declare each relation in one place only. " +
			"To move a relation here from the `relations` of a `port_blueprint`, set `undeclared_relations = \"keep\"` there, and import it here; " +
			"to move it back, declare it there and use a `removed` block with `destroy = false` here. Destroying the relation takes its values from every entity.",
		DataDoc: "Relation of a blueprint to another, found by its blueprint and key.",
		Key:     []string{"blueprint_identifier", "identifier"},
		Refuses: true,
		API: API{
			Read: readBlueprintRelation, Create: createBlueprintRelation, Update: updateBlueprintRelation, Delete: deleteBlueprintRelation,
			Peek: peekBlueprintRelation, SplitID: splitRelationID, Plan: planBlueprintRelation, Foresee: foreseeBlueprintRelation,
			Check: checkBlueprintRelation, Replaces: replacesWithBlueprint, Relocate: relocateRelation,
		},
		Parts: []lens.Part{
			lens.Field("blueprint_identifier", lens.String, lens.Req, "Identifier of the blueprint that has the relation. "+
				"Changing it makes the relation anew, unless the blueprint itself is renamed in the same apply.").At("blueprint_identifier").Check(notEmpty()),
			lens.Field("identifier", lens.String, lens.Req, "Key of the relation, unique in the blueprint. Changing it renames the relation, and entities keep their values.").
				Check(lens.Test("Invalid key", "", func(v tftypes.Value) string { return wrongKey(lens.AsText(v)) })),
			lens.Field("target", lens.String, lens.Req, "Identifier of the blueprint that the relation leads to.").Check(notEmpty()),
			lens.Field("title", lens.String, lens.Opt, "Title shown to people.").Check(lens.Length(0, 100)),
			lens.Field("description", lens.String, lens.Opt, "Description of the relation."),
			lens.Field("many", lens.Bool, lens.Opt, "Whether an entity may have several targets.").Default(false),
			lens.Field("required", lens.Bool, lens.Opt, "Whether every entity must have a target. Not together with `many`.").Default(false),
		},
	}
}

// relationDocument is what the codec reads: a relation of a blueprint's document
// with its key.
func relationDocument(blueprint jsonv.Object, key []string) (jsonv.Object, error) {
	entry, ok := jsonv.Map(blueprint, "relations")[key[1]].(jsonv.Object)
	if !ok {
		return nil, portapi.NotFound(fmt.Sprintf("Blueprint %s has no relation %s", key[0], key[1]))
	}
	out := jsonv.CloneObject(entry)
	out["blueprint_identifier"], out["identifier"] = key[0], key[1]
	return out, nil
}

// relationEntry is the inverse of relationDocument: what stands under the key.
func relationEntry(body jsonv.Object) jsonv.Object {
	out := jsonv.CloneObject(body)
	delete(out, "blueprint_identifier")
	delete(out, "identifier")
	return out
}

func readBlueprintRelation(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
	blueprint, err := s.api.ReadBlueprint(ctx, key[0])
	if err != nil {
		return nil, err
	}
	return relationDocument(blueprint, key)
}

// peekBlueprintRelation looks for a relation that a create would run into.
func peekBlueprintRelation(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
	found, err := relationDocument(s.plannedBlueprint(ctx, key[0]), key)
	if portapi.IsNotFound(err) {
		return nil, nil
	}
	return found, err
}

func createBlueprintRelation(ctx context.Context, c *change) (jsonv.Object, error) {
	unlock := c.api.Lock(c.key[0])
	defer unlock()
	blueprint, err := getBlueprint(ctx, c.session, c.key[0])
	if err != nil {
		return nil, err
	}
	if _, taken := jsonv.Map(blueprint, "relations")[c.key[1]]; taken {
		return nil, c.kind.errExists(c.key)
	}
	return patchRelation(ctx, c, relationEntry(c.body))
}

// patchRelation merges an entry into the blueprint; nothing else is touched.
func patchRelation(ctx context.Context, c *change, entry jsonv.Object) (jsonv.Object, error) {
	answer, err := c.api.Call(ctx, portapi.Op{
		Method: http.MethodPatch, Path: []string{"blueprints", c.key[0]}, Repeat: portapi.RepeatSafe,
		Body: jsonv.Object{"relations": jsonv.Object{c.key[1]: entry}},
	})
	if err != nil {
		return nil, err
	}
	blueprint, err := envelope(answer, "blueprint")
	if err != nil {
		return nil, err
	}
	return relationDocument(blueprint, c.key)
}

// updateBlueprintRelation renames the relation where its key changes, and brings
// its entry to the plan. PATCH cannot take a title or description away, since it
// merges entries; only then the whole blueprint is put.
func updateBlueprintRelation(ctx context.Context, c *change) (jsonv.Object, error) {
	id := c.key[0]
	unlock := c.api.Lock(id)
	defer unlock()
	blueprint, err := getBlueprint(ctx, c.session, id)
	if err != nil {
		return nil, err
	}
	if blueprint, err = renameRelation(ctx, c, blueprint); err != nil {
		return nil, err
	}
	entry := relationEntry(c.body)
	was, _ := jsonv.Map(blueprint, "relations")[c.key[1]].(jsonv.Object)
	cleared := false
	for _, name := range []string{"title", "description"} {
		_, had := was[name]
		_, has := entry[name]
		cleared = cleared || had && !has
	}
	if !cleared {
		return patchRelation(ctx, c, entry)
	}
	body := writable(blueprint)
	merged := jsonv.CloneObject(was)
	delete(merged, "title")
	delete(merged, "description")
	maps.Copy(merged, entry)
	jsonv.Map(body, "relations")[c.key[1]] = merged
	if blueprint, err = putBlueprint(ctx, c.session, id, body); err != nil {
		return nil, err
	}
	return relationDocument(blueprint, c.key)
}

func renameRelation(ctx context.Context, c *change, blueprint jsonv.Object) (jsonv.Object, error) {
	from, to, relations := c.was[1], c.key[1], jsonv.Map(blueprint, "relations")
	if _, there := relations[from]; from == to || !there {
		return blueprint, nil
	}
	if _, taken := relations[to]; taken {
		return nil, c.kind.errExists(c.key)
	}
	answer, err := c.api.Call(ctx, portapi.Op{
		Method: http.MethodPatch, Path: []string{"blueprints", c.key[0], "relations", from, "rename"},
		Body: jsonv.Object{"newRelationIdentifier": to}, Repeat: portapi.RepeatNever,
	})
	if err != nil {
		return nil, err
	}
	if blueprint, err = envelope(answer, "blueprint"); err != nil {
		return nil, err
	}
	if document, err := relationDocument(blueprint, c.key); err == nil {
		c.save(document)
	}
	return blueprint, nil
}

// deleteBlueprintRelation removes the relation and nothing else. A 404 may also
// say that a path of the blueprint still begins with it, so it is looked up.
func deleteBlueprintRelation(ctx context.Context, c *change) error {
	id, key := c.was[0], c.was[1]
	unlock := c.api.Lock(id)
	defer unlock()
	_, refusal := c.api.Call(ctx, portapi.Op{
		Method: http.MethodPatch, Path: []string{"blueprints", id}, Body: jsonv.Object{"relations": jsonv.Object{key: nil}}, Repeat: portapi.RepeatSafe,
	})
	f, answered := portapi.AsFault(refusal)
	if refusal != nil && (!answered || f.Status != http.StatusNotFound && f.Status != http.StatusUnprocessableEntity && f.Status != http.StatusBadRequest) {
		return refusal
	}
	blueprint, err := getBlueprint(ctx, c.session, id)
	if err != nil {
		return err
	}
	if _, there := jsonv.Map(blueprint, "relations")[key]; !there {
		return nil
	}
	if refusal != nil && portapi.IsNotFound(refusal) {
		// Not as an error that wraps the fault: a 404 would pass for success.
		return fmt.Errorf("something still needs the relation: take it out of the blueprint's mirror properties and ownership first.\n\n%s", refusal.Error())
	}
	// The answer did not take the null for a removal.
	body := writable(blueprint)
	delete(jsonv.Map(body, "relations"), key)
	_, err = putBlueprint(ctx, c.session, id, body)
	return err
}

// splitRelationID splits at the last colon: keys of relations have none,
// identifiers of blueprints may.
func splitRelationID(_ context.Context, _ *session, id string) ([]string, error) {
	i := strings.LastIndexByte(id, ':')
	if i <= 0 || i == len(id)-1 {
		return nil, fmt.Errorf("want <blueprint_identifier>:<identifier>, got %q", id)
	}
	return []string{id[:i], id[i+1:]}, nil
}

// relocateRelation turns a place in the blueprint's document into one in the
// relation's.
func relocateRelation(pointer []string) []string {
	switch {
	case len(pointer) > 2 && pointer[0] == "relations":
		return pointer[2:]
	case len(pointer) == 2 && pointer[0] == "relations":
		return []string{"identifier"}
	}
	return pointer
}

func checkBlueprintRelation(config tftypes.Value) []lens.Problem {
	relation := lens.AsObj(config)
	if !lens.AsBool(relation["many"]) || !lens.AsBool(relation["required"]) {
		return nil
	}
	return []lens.Problem{{
		Path: tftypes.NewAttributePath().WithAttributeName("required"), Summary: "Invalid Attribute Combination",
		Detail: "A relation to many entities cannot be required: set either many or required.",
	}}
}

// replacesWithBlueprint makes what belongs to a blueprint anew for another one; one
// that is the same blueprint under a new name has it already.
func replacesWithBlueprint(s *session, prior, planned lens.Obj) []string {
	was, _ := text(prior["blueprint_identifier"])
	now, known := text(planned["blueprint_identifier"])
	if was == now && known || known && s.renamedTo("blueprint", was) == now {
		return nil
	}
	return []string{"blueprint_identifier"}
}

func planBlueprintRelation(ctx context.Context, c *change) diag.Diagnostics {
	if c.session == nil {
		return nil
	}
	var diags diag.Diagnostics
	if len(c.key) > 0 {
		diags.Append(foreseeBlueprintRelation(c.session, c.key)...)
	}
	now, was := lens.AsObj(c.plan), lens.AsObj(c.prior)
	target, known := text(now["target"])
	before, _ := text(was["target"])
	key, _ := text(now["identifier"])
	if known && target != before {
		diags.Append(c.planTarget(ctx, tftypes.NewAttributePath().WithAttributeName("target"), key, target)...)
	}
	return diags
}
