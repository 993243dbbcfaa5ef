package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/lens"
)

// propertyMaps pairs the attributes of properties with the API's types.
var propertyMaps = []struct{ attribute, typ string }{
	{"string_props", "string"},
	{"number_props", "number"},
	{"boolean_props", "boolean"},
	{"array_props", "array"},
	{"object_props", "object"},
}

// planBlueprint says what the server would refuse, or what cannot be undone.
func planBlueprint(ctx context.Context, c *change) diag.Diagnostics {
	if c.session == nil {
		return nil
	}
	return slices.Concat(planUndeclared(ctx, c), planRenamings(ctx, c), planTypes(c), planTargets(ctx, c))
}

// planTargets warns of relations to blueprints that neither exist nor are known
// to be made. It is no more than a warning: one that is made in the same apply
// may be planned later. Only targets that change are looked at.
func planTargets(ctx context.Context, c *change) diag.Diagnostics {
	was, now := lens.AsObj(lens.AsObj(c.prior)["relations"]), lens.AsObj(lens.AsObj(c.plan)["relations"])
	var diags diag.Diagnostics
	for _, key := range slices.Sorted(maps.Keys(now)) {
		target, known := text(lens.AsObj(now[key])["target"])
		before, _ := text(lens.AsObj(was[key])["target"])
		if known && target != before {
			at := tftypes.NewAttributePath().WithAttributeName("relations").WithElementKeyString(key).WithAttributeName("target")
			diags.Append(c.planTarget(ctx, at, key, target)...)
		}
	}
	return diags
}

// planTarget warns when a relation leads to a blueprint that neither exists nor
// is known to be made.
func (c *change) planTarget(ctx context.Context, at *tftypes.AttributePath, key, target string) diag.Diagnostics {
	var diags diag.Diagnostics
	if target != "" && c.absent(ctx, target) {
		addAt(&diags, diag.SeverityWarning, at, fmt.Sprintf("Relation %s leads to no blueprint", key),
			fmt.Sprintf("Attribute %s: there is no blueprint %s in Port, and applying fails without it. %s "+
				"Blueprints that need each other can be made in one apply with port_blueprint_relation.", lens.PathString(at), target, madeFirst("target")))
	}
	return diags
}

// planTypes refuses, or announces, changes of a property's type
// (reference/provider-catalog.md §4.6, O15).
func planTypes(c *change) diag.Diagnostics {
	if c.prior.IsNull() {
		return nil
	}
	was, now := propertyTypes(lens.AsObj(c.prior)), propertyTypes(lens.AsObj(c.plan))
	for _, r := range renamings(lens.AsObj(c.prior), lens.AsObj(c.plan)) {
		// A type that changes along with the name loses the values all the same.
		if typ, ok := was[r.from]; ok && r.of.route == "properties" {
			was[r.to] = typ
		}
	}
	var changed []retyping
	for _, key := range slices.Sorted(maps.Keys(now)) {
		if from, ok := was[key]; ok && from != now[key] {
			changed = append(changed, retyping{key, from, now[key]})
		}
	}
	if c.typeProtection {
		return retypedDiagnostics(joinID(c.was), changed)
	}
	var diags diag.Diagnostics
	for _, r := range changed {
		addAt(&diags, diag.SeverityWarning, propertyPath(r), fmt.Sprintf("Property %s loses its values", r.key),
			fmt.Sprintf("Its type changes from %s to %s, so Port deletes its value in every entity of blueprint %s.", r.from, r.to, joinID(c.was)))
	}
	return diags
}

// propertyTypes lists the types of a blueprint's properties by key; properties
// in a map that is not known yet are left out.
func propertyTypes(blueprint lens.Obj) map[string]string {
	out := map[string]string{}
	properties := lens.AsObj(blueprint["properties"])
	for _, m := range propertyMaps {
		for key := range lens.AsObj(properties[m.attribute]) {
			out[key] = m.typ
		}
	}
	return out
}

// retypedDiagnostics refuses changes of type, one error for each property.
func retypedDiagnostics(blueprint string, changed []retyping) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, r := range changed {
		addAt(&diags, diag.SeverityError, propertyPath(r), fmt.Sprintf("Property type changed: %s of blueprint %s", r.key, blueprint),
			fmt.Sprintf("The type changed from %s to %s. Port cannot convert values, so every entity would lose its value of %s, and the protection against that is on. "+
				"To go ahead, set blueprint_property_type_change_protection = false in the provider block; to keep the values, add a property under another name.",
				r.from, r.to, r.key))
	}
	return diags
}

func propertyPath(r retyping) *tftypes.AttributePath {
	at := tftypes.NewAttributePath().WithAttributeName("properties")
	for _, m := range propertyMaps {
		if m.typ == r.to {
			at = at.WithAttributeName(m.attribute).WithElementKeyString(r.key)
		}
	}
	return at
}
