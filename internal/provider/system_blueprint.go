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

const systemBlueprintName = "system_blueprint"

// systemBlueprintDeclaration is port_system_blueprint,
// reference/provider-catalog.md §5.
func systemBlueprintDeclaration() *Declaration {
	return &Declaration{
		Name: systemBlueprintName,
		Doc: "Additions to a system blueprint such as `_user`, `_team` or `_rule`: properties, relations, mirror properties and calculation properties beside the built-in ones. " +
			"Creating the resource takes the blueprint over as it is; the plan says which additions made elsewhere it would remove. " +
			"Destroying it removes the additions it manages, and with them their values in every entity; the blueprint itself and its built-in parts stay.",
		DataDoc:  "Additions to a system blueprint such as `_user`, `_team` or `_rule`, without its built-in parts.",
		Key:      []string{"identifier"},
		Foreseen: true,
		API: API{
			Read: readBlueprint, Create: createSystemBlueprint, Update: updateSystemBlueprint, Delete: deleteSystemBlueprint,
			Decode: decodeSystemBlueprint, Plan: planSystemBlueprint, Check: checkSystemBlueprint, Sift: siftRelations,
		},
		Parts: []lens.Part{
			lens.Field("identifier", lens.String, lens.Req, "Identifier of the system blueprint, such as `_user`.").Check(notEmpty()).Replace(),
			properties(),
			relations(),
			mirrorProperties(),
			calculationProperties(),
			systemUndeclaredRelations(),
			lens.Field("include_in_global_search", lens.Bool, lens.Opt, "Whether global search finds the blueprint's entities."),
		},
	}
}

// checkSystemBlueprint finds what is wrong with the additions by themselves.
func checkSystemBlueprint(config tftypes.Value) []lens.Problem {
	return checkContents(lens.AsObj(config))
}

// planSystemBlueprint says what goes away, and what Port would refuse or ignore.
func planSystemBlueprint(ctx context.Context, c *change) diag.Diagnostics {
	if c.session == nil || len(c.key) == 0 {
		return nil
	}
	diags := slices.Concat(planUndeclared(ctx, c), planRenamings(ctx, c), planTypes(c), planTargets(ctx, c))
	id := c.key[0]
	remote := c.plannedBlueprint(ctx, id)
	if remote == nil {
		if c.lacksBlueprint(ctx, id) {
			addAt(&diags, diag.SeverityError, tftypes.NewAttributePath().WithAttributeName("identifier"), noSystemBlueprint(id), createUnsupported(id))
		}
		return diags
	}
	structure, err := c.builtIn(ctx, id)
	switch {
	case err != nil:
		return diags // the server cannot be asked now
	case structure == nil:
		addAt(&diags, diag.SeverityError, tftypes.NewAttributePath().WithAttributeName("identifier"), noSystemBlueprint(id), createUnsupported(id))
		return diags
	}
	if c.prior.IsNull() && !c.isManaged(c.kind, c.key) {
		diags.Append(planAdoption(c, additions(remote, structure, c.plan))...)
	}
	diags.Append(planAdditions(c, remote, structure)...)
	return diags
}

func noSystemBlueprint(id string) string { return id + " is no system blueprint of this account" }

// createUnsupported explains that there is nothing to extend.
func createUnsupported(id string) string {
	return fmt.Sprintf("port_system_blueprint does not support creation of blueprints: it extends those that Port ships, and %s is none of them. "+
		"For a blueprint of your own use port_blueprint; to take one over that is there, import it.", id)
}

// planAdoption announces which additions made elsewhere creating the resource
// removes.
func planAdoption(c *change, remote jsonv.Object) diag.Diagnostics {
	mine := lens.AsObj(c.plan)
	taken := map[string]bool{} // under a new name
	for _, r := range renamings(nil, mine) {
		taken[r.of.wire[len(r.of.wire)-1]+"/"+r.from] = true
	}
	var lost []string
	for _, at := range collections {
		if at.attribute == "relations" && c.kind.undeclared(mine) == undeclaredKeep {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(jsonv.Map(remote, at.path...))) {
			if !holds(mine, at.attribute, key) && !taken[at.path[len(at.path)-1]+"/"+key] {
				lost = append(lost, at.attribute+"."+key)
			}
		}
	}
	if len(lost) == 0 {
		return nil
	}
	id := c.key[0]
	summary := "System blueprint " + id + " has additions already"
	if !c.adopt {
		return diag.Diagnostics{diag.NewErrorDiagnostic(summary, "They are not in the configuration: "+strings.Join(lost, ", ")+". "+c.kind.existsDetail(c.key))}
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic(summary, "Creating this resource removes what is not in the configuration, along with its values in every entity: "+
		strings.Join(lost, ", ")+".\n\nTo keep them, add them to the configuration, or import the blueprint first and look at the plan:\n\n"+
		fmt.Sprintf("  import {\n    to = %s.<name>\n    id = %q\n  }", c.kind.decl.typeName(), id))}
}

// planAdditions wants additions to be optional and paths to begin with a
// relation, and says which overrides of built-in parts Port will not take over.
func planAdditions(c *change, remote, structure jsonv.Object) diag.Diagnostics {
	plan := lens.AsObj(c.plan)
	var diags diag.Diagnostics
	root := tftypes.NewAttributePath()
	mine := lens.AsObj(plan["relations"])
	for _, key := range slices.Sorted(maps.Keys(mine)) {
		_, shipped := jsonv.Get(structure, "relations", key)
		if !shipped && lens.AsBool(lens.AsObj(mine[key])["required"]) {
			addAt(&diags, diag.SeverityError, root.WithAttributeName("relations").WithElementKeyString(key).WithAttributeName("required"),
				"Relation "+key+" cannot be required", "A relation that is added to a system blueprint cannot be required.")
		}
	}
	if v := plan["relations"]; v.Type() != nil && v.IsKnown() {
		mirrors := lens.AsObj(plan["mirror_properties"])
		for _, key := range slices.Sorted(maps.Keys(mirrors)) {
			path, _ := text(lens.AsObj(mirrors[key])["path"])
			first, _, _ := strings.Cut(path, ".")
			_, here := mine[first]
			_, there := jsonv.Get(remote, "relations", first)
			if first != "" && !here && !there && !strings.HasPrefix(first, "$") {
				addAt(&diags, diag.SeverityWarning, root.WithAttributeName("mirror_properties").WithElementKeyString(key).WithAttributeName("path"),
					"Path without a relation", fmt.Sprintf("The path begins with %q, and blueprint %s has no such relation.", first, c.key[0]))
			}
		}
	}
	if c.body == nil || !c.sends() {
		return diags
	}
	merged := c.kind.codec.Overlay(structure, c.body)
	for _, at := range collections {
		entries := jsonv.Map(merged, at.path...)
		for _, key := range slices.Sorted(maps.Keys(jsonv.Map(structure, at.path...))) {
			shipped := jsonv.Map(structure, at.path...)[key]
			if entries[key] == nil || !holds(plan, at.attribute, key) || jsonv.Equal(entries[key], shipped) {
				continue
			}
			addAt(&diags, diag.SeverityWarning, root.WithAttributeName(at.attribute), fmt.Sprintf("%s is built into %s", key, c.key[0]),
				fmt.Sprintf("The configuration changes %s in %s, which is part of the system blueprint. Port may keep its own definition, and then the difference shows again in the next plan.",
					key, at.attribute))
		}
	}
	return diags
}
