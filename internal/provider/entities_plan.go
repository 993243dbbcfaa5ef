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
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// planEntities says of the entities that are new or change what planning says of
// a single one: that Port will refuse a value, and that something stands there
// already. Entities with the same trouble share a warning.
func planEntities(ctx context.Context, c *change) diag.Diagnostics {
	blueprint, known := text(lens.AsObj(c.plan)["blueprint"])
	if c.session == nil || !known || !c.sends() {
		return nil
	}
	prior := elements(c.prior)
	if len(c.was) > 0 && c.was[0] != blueprint {
		prior = nil // a replacement in another blueprint
	}
	var fresh, touched []string
	planned := elements(c.plan)
	for id, e := range planned {
		was, there := prior[id]
		if there {
			c.managesEntity(blueprint, id)
		}
		if !there || !lens.Equal(was, e) {
			touched = append(touched, id)
		}
		if !there && !c.isManagedEntity(blueprint, id) {
			fresh = append(fresh, id)
		}
	}
	if len(touched) == 0 {
		return nil
	}
	slices.Sort(fresh)
	slices.Sort(touched)
	definition := c.plannedBlueprint(ctx, blueprint)
	if definition == nil {
		return nil // nothing can be there, or nobody can say
	}
	diags := mistypedAmong(definition, blueprint, touched, planned)
	diags.Append(c.announceEntities(ctx, blueprint, fresh)...)
	return diags
}

// mistypedAmong warns once for each property and pair of types.
func mistypedAmong(definition jsonv.Object, blueprint string, ids []string, planned lens.Obj) diag.Diagnostics {
	type trouble struct{ key, want, got string }
	first, others := map[trouble]mistyping{}, map[trouble][]string{}
	var order []trouble
	for _, id := range ids {
		for _, m := range mistyped(definition, lens.AsObj(planned[id])["properties"]) {
			t := trouble{m.key, m.want, m.got}
			if _, seen := first[t]; seen {
				others[t] = append(others[t], id)
				continue
			}
			m.steps = append([]tftypes.AttributePathStep{tftypes.AttributeName("entities"), tftypes.ElementKeyString(id)}, m.steps...)
			first[t], order = m, append(order, t)
		}
	}
	var diags diag.Diagnostics
	for _, t := range order {
		detail := first[t].detail(blueprint)
		if also := others[t]; len(also) > 0 {
			detail += " The same holds for " + enumerate(also, 10) + "."
		}
		addAt(&diags, diag.SeverityWarning, tftypes.NewAttributePathWithSteps(first[t].steps), first[t].summary(), detail)
	}
	return diags
}

// announceEntities is what [kind.announce] is for one object.
func (c *change) announceEntities(ctx context.Context, blueprint string, fresh []string) diag.Diagnostics {
	found, err := c.standing(ctx, blueprint, fresh)
	if err != nil || len(found) == 0 {
		return nil // a server that cannot be asked is no obstacle
	}
	ids := slices.Sorted(maps.Keys(found))
	at := tftypes.NewAttributePath().WithAttributeName("entities").WithElementKeyString(ids[0])
	var diags diag.Diagnostics
	if !c.adopt {
		addAt(&diags, diag.SeverityError, at, existingSummary(blueprint, ids), c.existsAdvice(ids))
		return diags
	}
	detail := "Creating them takes them over and replaces their content. " + c.whatChanges(ctx, blueprint, found) +
		"\n\nTo leave existing objects alone, set on_existing = \"fail\" in the provider block."
	addAt(&diags, diag.SeverityWarning, at, existingSummary(blueprint, ids), detail)
	return diags
}

// countFirst is from how many new entities on it is worth a request to ask
// whether the blueprint has any at all.
const countFirst = 1000

// standing finds those of some entities that exist.
func (c *change) standing(ctx context.Context, blueprint string, ids []string) (map[string]jsonv.Object, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if len(ids) > countFirst {
		if n, err := c.api.CountEntities(ctx, blueprint); err == nil && n == 0 {
			return nil, nil
		}
	}
	found, err := c.api.FindEntities(ctx, blueprint, ids)
	if portapi.IsNotFound(err) {
		return nil, nil
	}
	return found, err
}

// whatChanges names the attributes that taking entities over changes.
func (c *change) whatChanges(ctx context.Context, blueprint string, found map[string]jsonv.Object) string {
	if err := c.api.WithoutCalculated(ctx, blueprint, found); err != nil {
		return enumerate(slices.Collect(maps.Keys(found)), 10) + "."
	}
	got, err := c.kind.decode(ctx, c.session, entitiesDocument(blueprint, found), c.plan)
	if err != nil {
		return enumerate(slices.Collect(maps.Keys(found)), 10) + "."
	}
	planned, there := elements(c.plan), elements(got)
	var changed, same []string
	for _, id := range slices.Sorted(maps.Keys(there)) {
		var names []string
		now := lens.AsObj(planned[id])
		for name, was := range lens.AsObj(there[id]) {
			if v := now[name]; v.Type() != nil && v.IsFullyKnown() && !lens.Equal(v, was) {
				names = append(names, name)
			}
		}
		if len(names) == 0 {
			same = append(same, id)
			continue
		}
		changed = append(changed, fmt.Sprintf("%s (%s)", id, enumerate(names, 5)))
	}
	out := ""
	if len(changed) > 0 {
		out = "What changes: " + enumerate(changed, 10) + "."
	}
	if len(same) > 0 {
		if out != "" {
			out += " "
		}
		out += "As configured already: " + enumerate(same, 10) + "."
	}
	return out
}
