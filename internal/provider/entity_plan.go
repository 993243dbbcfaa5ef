package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// entityGroups says which attribute holds which type of property; the four below
// array_props hold arrays by the type of their items.
var entityGroups = []struct {
	path       []string
	typ, items string
}{
	{[]string{"string_props"}, "string", ""},
	{[]string{"number_props"}, "number", ""},
	{[]string{"boolean_props"}, "boolean", ""},
	{[]string{"object_props"}, "object", ""},
	{[]string{"array_props", "string_items"}, "array", "string"},
	{[]string{"array_props", "number_items"}, "array", "number"},
	{[]string{"array_props", "boolean_items"}, "array", "boolean"},
	{[]string{"array_props", "object_items"}, "array", "object"},
}

// planEntity warns about properties that stand in the map of another type than
// the blueprint declares: Port will refuse them. It is no error, because the
// blueprint may be about to change in the same apply
// (reference/provider-catalog.md §8.4).
func planEntity(ctx context.Context, c *change) diag.Diagnostics {
	blueprint, known := text(lens.AsObj(c.plan)["blueprint"])
	if c.session == nil || !known || !c.sends() {
		return nil
	}
	return c.mistypings(ctx, blueprint)
}

// mistypings are the warnings about planned properties of an entity.
func (c *change) mistypings(ctx context.Context, blueprint string) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, m := range mistyped(c.plannedBlueprint(ctx, blueprint), lens.AsObj(c.plan)["properties"]) {
		addAt(&diags, diag.SeverityWarning, tftypes.NewAttributePathWithSteps(m.steps), m.summary(), m.detail(blueprint))
	}
	return diags
}

// mistyping is a property in the map of another type than the blueprint declares.
type mistyping struct {
	key       string
	steps     []tftypes.AttributePathStep // from the entity
	want, got string
}

func (m mistyping) summary() string {
	return "Property " + m.key + " has another type in the blueprint"
}

func (m mistyping) detail(blueprint string) string {
	return fmt.Sprintf("Blueprint %s declares %s as %s, and here it is %s: Port will refuse it unless the blueprint changes first.",
		blueprint, m.key, m.want, m.got)
}

// mistyped compares an entity's properties with what the blueprint declares.
func mistyped(blueprint jsonv.Object, properties tftypes.Value) []mistyping {
	declared := jsonv.Map(blueprint, "schema", "properties")
	if declared == nil {
		return nil
	}
	var out []mistyping
	for _, g := range entityGroups {
		group, steps := properties, []tftypes.AttributePathStep{tftypes.AttributeName("properties")}
		for _, name := range g.path {
			group, steps = lens.AsObj(group)[name], append(steps, tftypes.AttributeName(name))
		}
		values := lens.AsObj(group)
		for _, key := range slices.Sorted(maps.Keys(values)) {
			property, ok := declared[key]
			if !ok || values[key].IsNull() {
				continue
			}
			want, items := jsonv.String(property, "type"), jsonv.String(property, "items", "type")
			if want == g.typ && (g.items == "" || items == "" || items == g.items) {
				continue
			}
			out = append(out, mistyping{key, append(slices.Clone(steps), tftypes.ElementKeyString(key)), typePhrase(want, items), typePhrase(g.typ, g.items)})
		}
	}
	return out
}

func typePhrase(typ, items string) string {
	if typ == "array" && items != "" {
		return "array of " + items + "s"
	}
	return typ
}
