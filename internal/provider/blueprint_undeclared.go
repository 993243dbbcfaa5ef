package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// Who owns a relation. A blueprint's document holds the relations that
// port_blueprint declares in its map, those of port_blueprint_relation, and those
// that somebody added elsewhere. When a blueprint is read and planned, nothing says
// which is which: the resources that refer to a blueprint are read after it, by
// plans of a single resource not at all, and plan and apply are different
// processes. A mark on the relation itself would have to be a value that Port does
// not document, and one that Port dropped would look like somebody else's
// relation. So the rule goes by what the blueprint's own state knows for certain:
//
//   - A relation is the blueprint's when its state holds it: it was declared when
//     the blueprint was last applied, or it was there when it was imported. It is
//     compared leaf by leaf, and removed when the configuration drops it.
//   - Any other relation is left alone, by plans and by PUTs: removing one that
//     port_blueprint_relation manages would lose its values in every entity. When
//     somebody else than the last applier changed the blueprint, a warning names
//     the ones that the run does not know.
//   - undeclared_relations decides otherwise. "remove" makes the blueprint's map
//     the whole truth: others show as drift and are removed. "keep" never removes
//     any, so that dropping one from the map hands it over.
//
// port_system_blueprint goes the other way: it has no stamp that tells who changed
// the blueprint last, so nothing would name what somebody added, and by
// reference/provider-catalog.md §5.3 everything that is not built in is its own.
// There "remove" is what is left out means, and "keep" is for who declares
// relations elsewhere.
//
// What would lose values all the same, a plan in which a blueprint drops a relation
// that port_blueprint_relation manages, is an error where the run can see it.

const (
	undeclaredKeep   = "keep"
	undeclaredRemove = "remove"
)

func undeclaredRelations() lens.Part {
	return undeclaredSetting("Left out, those that `relations` declared before are removed, and all others are left alone: those of `port_blueprint_relation`, " +
		"and those added in Port, which a warning names where somebody else changed the blueprint last. " +
		"`keep` removes none, which lets a relation move from `relations` to `port_blueprint_relation` without loss; " +
		"`remove` shows all others as changes and removes them, also those added by hand.")
}

func systemUndeclaredRelations() lens.Part {
	return undeclaredSetting("Left out, or `remove`, they show as changes and are removed, also those added by hand. " +
		"`keep` leaves them alone, such as those that `port_blueprint_relation` adds to the same blueprint.")
}

func undeclaredSetting(meaning string) lens.Part {
	return lens.Setting("undeclared_relations", lens.Enum(undeclaredKeep, undeclaredRemove), lens.Opt,
		"What becomes of relations that Port has and `relations` does not declare. "+meaning).Trigger()
}

// undeclared is what a resource of the kind does with relations that it does not
// declare: [undeclaredKeep], [undeclaredRemove] or "", which keeps those that it
// never had.
func (k *kind) undeclared(v lens.Obj) string {
	mode, _ := text(v["undeclared_relations"])
	if mode == "" && k.decl.Name == systemBlueprintName {
		return undeclaredRemove
	}
	return mode
}

// siftRelations hides the relations that are not the blueprint's.
func siftRelations(k *kind, document jsonv.Object, held ...tftypes.Value) jsonv.Object {
	own := map[string]bool{}
	for _, v := range held {
		m := lens.AsObj(v)
		if k.undeclared(m) == undeclaredRemove {
			return document
		}
		for key := range lens.AsObj(m["relations"]) {
			own[key] = true
		}
	}
	relations := jsonv.Map(document, "relations")
	out := jsonv.Object{}
	for key, v := range relations {
		if own[key] {
			out[key] = v
		}
	}
	if len(out) == len(relations) {
		return document
	}
	document = maps.Clone(document)
	document["relations"] = out
	return document
}

// noticeRelations names relations that nobody in this run has been heard to
// manage, after somebody else changed the blueprint.
func noticeRelations(s *session, k *kind, document jsonv.Object, prior tftypes.Value) diag.Diagnostics {
	was := lens.AsObj(prior)
	last, _ := text(was["updated_by"])
	if by := jsonv.String(document, "updatedBy"); k.undeclared(was) != "" || last == "" || by == last {
		return nil
	}
	id := jsonv.String(document, "identifier")
	declared := jsonv.Map(siftRelations(k, document, prior), "relations")
	var unknown []string
	for _, key := range slices.Sorted(maps.Keys(jsonv.Map(document, "relations"))) {
		if _, own := declared[key]; !own && !s.expects(blueprintRelation, id, key) {
			unknown = append(unknown, key)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic(
		fmt.Sprintf("Blueprint %s has relations that it does not declare", id),
		fmt.Sprintf("%s changed the blueprint outside of this configuration, and its relations %s are not declared in it. They are left alone. "+
			"If port_blueprint_relation manages them, there is nothing to do; to remove what is not declared, set undeclared_relations = \"remove\".",
			jsonv.String(document, "updatedBy"), strings.Join(unknown, ", ")))}
}

// keepRelations puts the relations into body that the remote document has, the
// plan does not declare, and nobody asked to remove.
func keepRelations(c *change, remote, body jsonv.Object) jsonv.Object {
	mode := c.kind.undeclared(lens.AsObj(c.plan))
	if mode == undeclaredRemove {
		return body
	}
	mine, own := jsonv.Map(body, "relations"), jsonv.Map(c.before, "relations")
	if mine == nil {
		mine = jsonv.Object{}
	}
	for key, v := range jsonv.Map(remote, "relations") {
		_, declared := mine[key]
		if _, before := own[key]; !declared && (mode == undeclaredKeep || !before) {
			mine[key] = jsonv.Clone(v)
		}
	}
	body["relations"] = mine
	return body
}

// drops lists the relations that an update of a blueprint takes away because its
// map does not declare them any more.
func (k *kind) drops(prior, plan lens.Obj) []string {
	now := plan["relations"]
	if k.undeclared(plan) == undeclaredKeep || prior == nil || now.Type() != nil && !now.IsKnown() {
		return nil
	}
	declared, gone := lens.AsObj(now), map[string]bool{}
	for key := range lens.AsObj(prior["relations"]) {
		if _, ok := declared[key]; !ok {
			gone[key] = true
		}
	}
	for _, r := range renamings(prior, plan) {
		if r.of.route == "relations" {
			delete(gone, r.from)
		}
	}
	return slices.Sorted(maps.Keys(gone))
}

// planUndeclared tells the run what the blueprint does with its relations, and
// refuses to take away what port_blueprint_relation manages.
func planUndeclared(ctx context.Context, c *change) diag.Diagnostics {
	if len(c.was) == 0 || len(c.key) == 0 {
		return nil
	}
	if c.was[0] != c.key[0] {
		c.renames("blueprint", c.was[0], c.key[0])
	}
	was, now := lens.AsObj(c.prior), lens.AsObj(c.plan)
	id, gone := c.was[0], c.kind.drops(was, now)
	others := c.others(ctx)
	c.drops(id, slices.Concat(gone, others))
	var diags diag.Diagnostics
	if len(others) > 0 {
		addAt(&diags, diag.SeverityWarning, tftypes.NewAttributePath().WithAttributeName("undeclared_relations"),
			fmt.Sprintf("Blueprint %s loses relations that it does not declare", id),
			fmt.Sprintf("Removing what is not declared takes away %s, and its values in every entity. To keep what others declare, set undeclared_relations = \"keep\".", strings.Join(others, ", ")))
		gone = slices.Concat(gone, others)
	}
	for _, key := range gone {
		// One that is only in the state may go too, or asks when it is planned.
		if _, planned, _ := c.intention(blueprintRelation, joinID([]string{id, key})); planned {
			diags.Append(dropped(id, key))
		}
	}
	return diags
}

// foreseeBlueprintRelation is the same from the relation's side, which mostly is
// planned later.
func foreseeBlueprintRelation(s *session, key []string) diag.Diagnostics {
	if s.isDropped(key[0], key[1]) {
		return diag.Diagnostics{dropped(key[0], key[1])}
	}
	return nil
}

// others lists the relations that beginning to remove what is not declared takes
// away, beside those that the state holds.
func (c *change) others(ctx context.Context) []string {
	was, now := lens.AsObj(c.prior), lens.AsObj(c.plan)
	if c.kind.undeclared(now) != undeclaredRemove || c.kind.undeclared(was) == undeclaredRemove {
		return nil
	}
	remote := jsonv.Map(c.plannedBlueprint(ctx, c.was[0]), "relations")
	structure, err := c.builtIn(ctx, c.was[0])
	if err != nil {
		return nil // what is built in cannot be told now
	}
	var out []string
	for _, key := range slices.Sorted(maps.Keys(remote)) {
		_, held := lens.AsObj(was["relations"])[key]
		_, shipped := jsonv.Map(structure, "relations")[key]
		if _, declared := lens.AsObj(now["relations"])[key]; !held && !declared && !shipped && jsonv.String(remote[key], "type") != resultTarget {
			out = append(out, key)
		}
	}
	return out
}

func dropped(blueprint, key string) diag.Diagnostic {
	owner := "port_blueprint"
	if strings.HasPrefix(blueprint, systemPrefix) {
		owner = "port_" + systemBlueprintName
	}
	return diag.NewErrorDiagnostic(fmt.Sprintf("Relation %s of blueprint %s would lose its values", key, blueprint),
		fmt.Sprintf("A port_blueprint_relation manages the relation %s, and in the same plan the %s %s drops it, which removes it from every entity. "+
			"To hand it over, set undeclared_relations = \"keep\" in the %[2]s; to be rid of it, leave the port_blueprint_relation out too.", key, owner, blueprint))
}
