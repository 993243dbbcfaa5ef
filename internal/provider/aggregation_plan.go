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

// planAggregations refuses to take over what exists and announces what Port will
// refuse. The latter are warnings: the blueprints concerned may be about to
// change in ways that a plan cannot see.
func planAggregations(ctx context.Context, c *change) diag.Diagnostics {
	if c.session == nil || len(c.key) == 0 {
		return nil
	}
	source := c.key[0]
	var diags diag.Diagnostics
	if c.prior.IsNull() && !c.isManaged(c.kind, c.key) {
		if remote := c.plannedBlueprint(ctx, source); remote != nil {
			if taken, err := ownAggregations(ctx, c.session, remote, nil); err == nil && len(taken) > 0 {
				return takenAggregations(c, taken)
			}
		}
	}
	if c.absent(ctx, source) {
		addAt(&diags, diag.SeverityWarning, tftypes.NewAttributePath().WithAttributeName("blueprint_identifier"), "There is no blueprint "+source,
			"Port has no blueprint "+source+", and applying fails without it. "+madeFirst("blueprint_identifier"))
	}
	was, now := lens.AsObj(lens.AsObj(c.prior)["properties"]), lens.AsObj(lens.AsObj(c.plan)["properties"])
	for _, key := range slices.Sorted(maps.Keys(now)) {
		if old, had := was[key]; !lens.Known(now[key]) || had && old.Equal(now[key]) {
			continue
		}
		a := &aggregationPlan{change: c, source: source, key: key, of: lens.AsObj(now[key]), diags: &diags}
		a.check(ctx)
	}
	return diags
}

// absent reports whether a blueprint neither exists nor is known to be made.
func (s *session) absent(ctx context.Context, blueprint string) bool {
	return blueprint != "" && !s.expects("blueprint", blueprint) && s.lacksBlueprint(ctx, blueprint)
}

// madeFirst is the advice of a reference to what may not exist yet.
func madeFirst(attribute string) string {
	return "If this configuration makes it, refer to it (" + attribute + " = port_blueprint.<name>.identifier) " +
		"or name it in depends_on, so that it is made first."
}

// aggregationPlan is one property that is new or changes.
type aggregationPlan struct {
	*change
	source, key string
	of          lens.Obj
	diags       *diag.Diagnostics
}

func (a *aggregationPlan) say(summary, detail string, steps ...string) {
	at := tftypes.NewAttributePath().WithAttributeName("properties").WithElementKeyString(a.key)
	for _, s := range steps {
		at = at.WithAttributeName(s)
	}
	addAt(a.diags, diag.SeverityWarning, at, summary, "Attribute "+lens.PathString(at)+": "+detail)
}

func (a *aggregationPlan) check(ctx context.Context) {
	if document := a.futureBlueprint(ctx, a.source); document != nil {
		for _, c := range collections {
			if _, taken := jsonv.Get(document, append(slices.Clone(c.path), a.key)...); taken && c.attribute != "relations" {
				a.say("Key used twice", fmt.Sprintf("blueprint %s has the key %s in %s already; both share one name space.", a.source, a.key, c.attribute))
			}
		}
	}
	target, ok := text(a.of["target_blueprint_identifier"])
	if !ok {
		return
	}
	if a.absent(ctx, target) {
		a.say(fmt.Sprintf("Aggregation property %s aggregates no blueprint", a.key),
			"there is no blueprint "+target+" in Port, and applying fails without it. "+madeFirst("target_blueprint_identifier"), "target_blueprint_identifier")
		return
	}
	a.checkPath(ctx, target)
	a.checkMethod(ctx, target)
}

// checkMethod wants the aggregated property to be a number of the target, and
// the measured one a time (reference/catalog.md §2.9 A7, A8).
func (a *aggregationPlan) checkMethod(ctx context.Context, target string) {
	document := a.futureBlueprint(ctx, target)
	if document == nil {
		return
	}
	method := lens.AsObj(a.of["method"])
	for _, name := range []string{"average_entities", "average_by_property", "aggregate_by_property"} {
		member := lens.AsObj(method[name])
		if property, ok := text(member["property"]); ok {
			switch typ, found := a.typeOf(document, target, property); {
			case !found:
				a.say("Unknown property "+property, fmt.Sprintf("blueprint %s has no property %s to aggregate.", target, property), "method", name, "property")
			case typ != "" && typ != "number":
				a.say("Property "+property+" is no number", fmt.Sprintf("blueprint %s declares %s as %s, and only numbers can be aggregated.", target, property, typ), "method", name, "property")
			}
		}
		if by, ok := text(member["measure_time_by"]); ok && by != "$createdAt" && by != "$updatedAt" {
			typ, found := a.typeOf(document, target, by)
			format := jsonv.String(document, "schema", "properties", by, "format")
			switch {
			case !found:
				a.say("Unknown property "+by, fmt.Sprintf("blueprint %s has no property %s to measure time by.", target, by), "method", name, "measure_time_by")
			case typ != "" && (typ != "string" || format != "" && format != "date-time"):
				a.say("Property "+by+" is no time", fmt.Sprintf("time is measured by `$createdAt`, `$updatedAt` or a date-time property, and %s of blueprint %s is none.", by, target), "method", name, "measure_time_by")
			}
		}
	}
}

// typeOf finds the type of a property of a blueprint, "" when it cannot be told.
func (a *aggregationPlan) typeOf(document jsonv.Object, blueprint, property string) (typ string, found bool) {
	for _, path := range [][]string{{"schema", "properties"}, {"calculationProperties"}} {
		if _, ok := jsonv.Get(document, append(slices.Clone(path), property)...); ok {
			return jsonv.String(document, append(slices.Clone(path), property, "type")...), true
		}
	}
	if _, ok := jsonv.Get(document, "mirrorProperties", property); ok {
		return "", true
	}
	if _, ok := jsonv.Get(document, aggregationsKey, property); ok {
		return "number", true
	}
	return "", a.expects(a.kind.decl.Name, blueprint) // another such resource may add it
}

// checkPath follows the relations of a path from where it begins to where it has
// to end (reference/catalog.md §2.9 A5, A6).
func (a *aggregationPlan) checkPath(ctx context.Context, target string) {
	for i, f := range lens.AsList(a.of["path_filter"]) {
		filter := lens.AsObj(f)
		at, end := a.source, target
		if v := filter["from_blueprint"]; !lens.Nothing(v) {
			from, ok := text(v)
			if !ok {
				return
			}
			if from != "" {
				at, end = from, a.source
			}
		}
		where := lens.PathString(tftypes.NewAttributePath().WithAttributeName("path_filter").WithElementKeyInt(i).WithAttributeName("path"))
		path := []string{}
		for _, step := range lens.AsList(filter["path"]) {
			relation, ok := text(step)
			if !ok {
				return
			}
			path = append(path, relation)
			if relation == "$team" {
				at = "_team"
				continue
			}
			next, known := a.relationTarget(ctx, at, relation)
			if !known {
				return
			}
			if next == "" {
				a.say("Path leads nowhere", fmt.Sprintf("%s: blueprint %s has no relation %s.", where, at, relation), "path_filter")
				return
			}
			at = next
		}
		if len(path) > 0 && at != end {
			a.say("Path leads elsewhere", fmt.Sprintf("%s: the path %s ends at blueprint %s, and it has to end at %s.", where, strings.Join(path, "."), at, end), "path_filter")
		}
	}
}
