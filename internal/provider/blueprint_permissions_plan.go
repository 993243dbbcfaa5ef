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

// planBlueprintPermissions says what is taken over, and what Port will refuse or
// what has no effect. The latter are warnings: the blueprint may be about to
// change in ways that a plan cannot see.
func planBlueprintPermissions(ctx context.Context, c *change) diag.Diagnostics {
	if c.session == nil || len(c.key) == 0 {
		return nil
	}
	id := c.key[0]
	var diags diag.Diagnostics
	if c.absent(ctx, id) {
		addAt(&diags, diag.SeverityWarning, tftypes.NewAttributePath().WithAttributeName("blueprint_identifier"), "There is no blueprint "+id,
			"Port has no blueprint "+id+", and applying fails without it. "+madeFirst("blueprint_identifier"))
		return diags
	}
	if c.prior.IsNull() && !c.isManaged(c.kind, c.key) && c.plannedBlueprint(ctx, id) != nil {
		if now, err := getPermissions(ctx, c.session, id); err == nil {
			diags.Append(takenPermissions(c, id, now)...)
		}
	}
	document := c.futureBlueprint(ctx, id)
	if document == nil {
		return diags
	}
	diags.Append(unknownFields(ctx, c, document)...)
	diags.Append(unownedBlueprint(c, document)...)
	return diags
}

// takenPermissions says that permissions which somebody changed are replaced, or
// refuses to when the provider is told to leave existing objects alone.
func takenPermissions(c *change, id string, now jsonv.Object) diag.Diagnostics {
	mine := permissionsOf(c.body)
	var lost []string
	look := func(name, place string, path ...string) {
		theirs := jsonv.Map(now, path...)
		planned, said := jsonv.Get(mine, path...)
		switch {
		case theirs == nil || sameBlock(theirs, defaultBlock(id, name)):
		case c.body == nil && name != "read" || said && !sameBlock(theirs, planned):
			lost = append(lost, place)
		}
	}
	for _, name := range scopes {
		look(name, name, name)
	}
	for _, name := range fieldBlocks {
		for _, key := range slices.Sorted(maps.Keys(jsonv.Map(now, name))) {
			look(name, name+"."+key, name, key)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	summary := "Permissions of blueprint " + id + " were changed before"
	detail := "They are not what Port gives a new blueprint, and the configuration says something else of " + strings.Join(lost, ", ") + ". "
	if !c.adopt {
		return diag.Diagnostics{diag.NewErrorDiagnostic(summary, detail+c.kind.existsDetail(c.key))}
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic(summary, detail+
		"Creating this resource replaces them; destroying it gives them back. To leave existing objects alone, set on_existing = \"fail\" in the provider block.")}
}

// unknownFields warns of properties and relations that the blueprint will not
// have, for which Port refuses the whole (reference/identity.md §7.4 B4).
func unknownFields(ctx context.Context, c *change, document jsonv.Object) diag.Diagnostics {
	id := c.key[0]
	was, now := lens.AsObj(lens.AsObj(c.prior)["entities"]), lens.AsObj(lens.AsObj(c.plan)["entities"])
	var diags diag.Diagnostics
	say := func(attribute, key, why string) {
		addAt(&diags, diag.SeverityWarning, tftypes.NewAttributePath().WithAttributeName("entities").WithAttributeName(attribute).WithElementKeyString(key),
			fmt.Sprintf("Blueprint %s has no such field", id), fmt.Sprintf("Attribute entities.%s[%q]: %s Port refuses the permissions because of it.", attribute, key, why))
	}
	fresh := func(attribute string) []string {
		old := lens.AsObj(was[attribute])
		return slices.DeleteFunc(slices.Sorted(maps.Keys(lens.AsObj(now[attribute]))), func(key string) bool { _, had := old[key]; return had })
	}
	for _, key := range fresh("update_properties") {
		if _, ok := jsonv.Get(document, "schema", "properties", key); ok {
			continue
		}
		why := fmt.Sprintf("blueprint %s has no property %s.", id, key)
		for _, computed := range []string{"mirrorProperties", "calculationProperties", aggregationsKey} {
			if _, ok := jsonv.Get(document, computed, key); ok {
				why = fmt.Sprintf("property %s of blueprint %s is computed, and nobody can change it.", key, id)
			}
		}
		say("update_properties", key, why)
	}
	for _, key := range fresh("update_relations") {
		if target, known := c.relationTarget(ctx, id, key); known && target == "" {
			say("update_relations", key, fmt.Sprintf("blueprint %s has no relation %s.", id, key))
		}
	}
	return diags
}

// unownedBlueprint warns of rights by ownership where no entity has an owner
// (reference/identity.md §6.3).
func unownedBlueprint(c *change, document jsonv.Object) diag.Diagnostics {
	id := c.key[0]
	if _, owned := document["ownership"]; owned || c.body == nil || !c.sends() || strings.HasPrefix(id, systemPrefix) {
		return nil
	}
	said := permissionsOf(c.body)
	owning := slices.ContainsFunc(scopes, func(name string) bool { return jsonv.Bool(said, name, "ownedByTeam") })
	for _, name := range fieldBlocks {
		for key := range jsonv.Map(said, name) {
			owning = owning || jsonv.Bool(said, name, key, "ownedByTeam")
		}
	}
	if !owning {
		return nil
	}
	var diags diag.Diagnostics
	addAt(&diags, diag.SeverityWarning, tftypes.NewAttributePath().WithAttributeName("entities"), "Blueprint "+id+" has no ownership",
		"owned_by_team admits nobody to entities of a blueprint without ownership. Set ownership on the blueprint.")
	return diags
}

// destroyBlueprintPermissions reminds of rights that stay.
func destroyBlueprintPermissions(_ context.Context, c *change) diag.Diagnostics {
	if lens.AsText(lens.AsObj(c.prior)["on_destroy"]) != onDestroyKeep {
		return nil
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic(fmt.Sprintf("Permissions of blueprint %s stay", c.was[0]),
		"They are left as they are, because of on_destroy = \"keep\".")}
}
