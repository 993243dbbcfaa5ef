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

// planBlueprint refuses, or announces, changes of a property's type
// (reference/provider-catalog.md §4.6, O15).
func planBlueprint(_ context.Context, c *change) diag.Diagnostics {
	if c.session == nil || c.prior.IsNull() {
		return nil
	}
	was, now := propertyTypes(lens.AsObj(c.prior)), propertyTypes(lens.AsObj(c.plan))
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
