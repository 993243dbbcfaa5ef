package provider

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// Renaming without loss. A PUT that drops one key and adds another loses the
// values of the first (reference/catalog.md §2.14 N6), so an element that says
// renamed_from is renamed by Port's own operation before the PUT.
//
// A renaming is pending while the state does not hold the same renamed_from under
// the new key: the state remembers what was done, and the server's document says
// whether it still has to be. Both are needed: after a and b have swapped, the
// document alone looks as it did before.

// renamable is a name space of a blueprint whose keys Port can rename.
type renamable struct {
	noun, route, field string
	wire               []string
	attributes         [][]string
}

var renamables = []renamable{
	{
		noun: "property", route: "properties", field: "newPropertyName", wire: []string{"schema", "properties"},
		attributes: [][]string{{"properties", "string_props"}, {"properties", "number_props"}, {"properties", "boolean_props"}, {"properties", "array_props"}, {"properties", "object_props"}},
	},
	{noun: "relation", route: "relations", field: "newRelationIdentifier", wire: []string{"relations"}, attributes: [][]string{{"relations"}}},
	{noun: "mirror property", route: "mirror", field: "newMirrorName", wire: []string{"mirrorProperties"}, attributes: [][]string{{"mirror_properties"}}},
}

// renaming is one key that takes over the values of another.
type renaming struct {
	of       renamable
	at       *tftypes.AttributePath
	from, to string
}

// elements visits the elements of a name space, sorted by key within each
// attribute.
func (w renamable) elements(blueprint lens.Obj, visit func(at *tftypes.AttributePath, key string, element lens.Obj)) {
	for _, names := range w.attributes {
		at, v := tftypes.NewAttributePath(), blueprint
		for _, name := range names {
			at, v = at.WithAttributeName(name), lens.AsObj(v[name])
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			visit(at.WithElementKeyString(key), key, lens.AsObj(v[key]))
		}
	}
}

// renamings lists what a plan asks for and the prior state does not know done.
func renamings(prior, plan lens.Obj) []renaming {
	var out []renaming
	for _, w := range renamables {
		done := map[string]string{}
		w.elements(prior, func(_ *tftypes.AttributePath, key string, element lens.Obj) {
			done[key], _ = text(element["renamed_from"])
		})
		w.elements(plan, func(at *tftypes.AttributePath, key string, element lens.Obj) {
			if from, ok := text(element["renamed_from"]); ok && from != "" && from != done[key] {
				out = append(out, renaming{w, at.WithAttributeName("renamed_from"), from, key})
			}
		})
	}
	return out
}

// swaps reports whether a plan renames a key that the prior state holds.
func swaps(prior, plan lens.Obj) bool {
	return slices.ContainsFunc(renamings(prior, plan), func(r renaming) bool {
		held := false
		r.of.elements(prior, func(_ *tftypes.AttributePath, key string, _ lens.Obj) { held = held || key == r.from })
		return held
	})
}

// aside is where a key waits while others move, when renamings form a circle. It
// says whose it is, so that an interrupted apply can be taken up again.
func (r renaming) aside() string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(r.from + "." + r.to))
	return fmt.Sprintf("renaming-%016x", h.Sum64())
}

// outstanding sorts renamings by what a document says of them: those still to do, those
// that cannot be done, and, left out, those that are done.
func outstanding(remote jsonv.Object, asked []renaming) (todo []renaming, wrong diag.Diagnostics) {
	done := map[*renaming]bool{}
	has := func(r renaming, key string) bool { _, ok := jsonv.Map(remote, r.of.wire...)[key]; return ok }
	// The document's key may be the new holder of a name: then the old one is gone.
	vacant := func(r renaming) bool {
		if has(r, r.aside()) {
			return false
		}
		taken := false
		for i := range asked {
			taken = taken || done[&asked[i]] && asked[i].of.route == r.of.route && asked[i].to == r.from
		}
		return taken || !has(r, r.from)
	}
	for again := true; again; {
		again = false
		for i := range asked {
			if r := &asked[i]; !done[r] && has(*r, r.to) && vacant(*r) {
				done[r], again = true, true
			}
		}
	}
	leaving := map[string]bool{}
	for i := range asked {
		if r := &asked[i]; !done[r] {
			leaving[r.of.route+"/"+r.from] = true
		}
	}
	for i := range asked {
		switch r := asked[i]; {
		case done[&asked[i]]:
		case vacant(r):
			addAt(&wrong, diag.SeverityError, r.at, fmt.Sprintf("Nothing to rename to %s", r.to),
				fmt.Sprintf("Attribute %s: the blueprint has no %s %s, and none called %s either. Correct renamed_from, or leave it out to add an empty one.",
					lens.PathString(r.at), r.of.noun, r.from, r.to))
		case has(r, r.to) && !leaving[r.of.route+"/"+r.to]:
			addAt(&wrong, diag.SeverityError, r.at, fmt.Sprintf("Both %s and %s exist", r.from, r.to),
				fmt.Sprintf("Attribute %s: the blueprint has a %s %s already, so %s cannot become it without losing values. "+
					"Remove one of the two in Port first, or leave renamed_from out and declare both.", lens.PathString(r.at), r.of.noun, r.to, r.from))
		default:
			todo = append(todo, r)
		}
	}
	return todo, wrong
}

// planRenamings says what will be renamed, and refuses what cannot be.
func planRenamings(ctx context.Context, c *change) diag.Diagnostics {
	if c.session == nil || c.prior.IsNull() || len(c.was) == 0 {
		return nil
	}
	asked := renamings(lens.AsObj(c.prior), lens.AsObj(c.plan))
	if len(asked) == 0 {
		return nil
	}
	remote := c.plannedBlueprint(ctx, c.was[0])
	if remote == nil {
		return nil
	}
	todo, diags := outstanding(remote, asked)
	for _, r := range todo {
		noun := strings.ToUpper(r.of.noun[:1]) + r.of.noun[1:]
		addAt(&diags, diag.SeverityWarning, r.at, fmt.Sprintf("%s %s is renamed to %s", noun, r.from, r.to),
			fmt.Sprintf("Blueprint %s: the key changes and values stay. Port updates mirror paths, aggregations, ownership paths and scorecards that name it; jq programs it does not.", c.was[0]))
	}
	return diags
}

// rename brings a document's keys to the names the plan gives them and returns
// the document that results.
func rename(ctx context.Context, c *change, remote jsonv.Object) (jsonv.Object, error) {
	asked := renamings(lens.AsObj(c.prior), lens.AsObj(c.plan))
	if len(asked) == 0 {
		return remote, nil
	}
	todo, wrong := outstanding(remote, asked)
	if wrong.HasError() && !c.prior.IsNull() {
		return nil, &diagnosed{wrong}
	}
	moved := false
	for len(todo) > 0 {
		// What waits aside goes first, then whoever's new name is free; in a
		// circle nobody's is, so that one steps aside.
		next, to := 0, todo[0].aside()
		for i, r := range todo {
			if _, taken := jsonv.Map(remote, r.of.wire...)[r.to]; !taken {
				next, to = i, r.to
				break
			}
		}
		r := todo[next]
		from := r.from
		if _, waits := jsonv.Map(remote, r.of.wire...)[r.aside()]; waits {
			from = r.aside()
		}
		answer, err := c.api.Call(ctx, portapi.Op{
			Method: http.MethodPatch, Path: []string{"blueprints", jsonv.String(remote, "identifier"), r.of.route, from, "rename"},
			Body: jsonv.Object{r.of.field: to}, Repeat: portapi.RepeatNever,
		})
		if err != nil {
			return nil, &advised{fmt.Sprintf("Wanted to rename %s %s to %s.", r.of.noun, r.from, r.to), err}
		}
		if remote, err = envelope(answer, "blueprint"); err != nil {
			return nil, err
		}
		if to == r.to {
			todo = slices.Delete(todo, next, next+1)
		}
		moved = true
	}
	if moved {
		c.save(remote)
	}
	return remote, nil
}

// checkRenamings refuses keys that two elements claim to come from, and those
// that come from themselves.
func checkRenamings(blueprint lens.Obj) []lens.Problem {
	var out []lens.Problem
	for _, w := range renamables {
		first := map[string]string{}
		w.elements(blueprint, func(at *tftypes.AttributePath, key string, element lens.Obj) {
			from, ok := text(element["renamed_from"])
			if !ok {
				return
			}
			at = at.WithAttributeName("renamed_from")
			switch other, taken := first[from]; {
			case from == key:
				out = append(out, lens.Problem{Path: at, Summary: "Renamed from itself", Detail: fmt.Sprintf("The former key of %s %s cannot be the same key.", w.noun, key)})
			case taken:
				out = append(out, lens.Problem{Path: at, Summary: "Renamed twice", Detail: fmt.Sprintf("%s says that it was called %q before, and %s says so too: only one can take over the values.", key, from, other)})
			default:
				first[from] = key
			}
		})
	}
	return out
}
