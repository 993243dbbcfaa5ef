package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// What a destruction takes along is said while planning it: a plan shows one
// object, and Port deletes, or refuses because of, things that no plan shows. Not
// to know is no obstacle: then nothing is said, and Port has the last word.

const (
	// dependentLookups bounds the searches for entities that need another one.
	dependentLookups = 20
	// dependentsCounted is how many of them are counted.
	dependentsCounted = 100
)

// planDestroy says what destroying an object means.
func (k *kind) planDestroy(ctx context.Context, s *session, prior tftypes.Value) diag.Diagnostics {
	key, ok := k.key(prior)
	if s == nil || k.decl.API.Destroy == nil || !ok {
		return nil
	}
	return k.decl.API.Destroy(ctx, &change{session: s, kind: k, plan: k.null, prior: prior, was: key, save: func(jsonv.Object) {}})
}

// planRecreate does so for the creation that is the second half of a replacement:
// of a tainted object, or one that -replace names, the first half is not planned.
// Terraform shows errors of both, warnings only of a tainted one.
func (k *kind) planRecreate(ctx context.Context, c *change) diag.Diagnostics {
	if c.session == nil || k.decl.API.Destroy == nil || len(c.key) == 0 || !c.isManaged(k, c.key) || k.decl.API.Peek == nil {
		return nil
	}
	if found, err := k.decl.API.Peek(ctx, c.session, c.key); err != nil || found == nil {
		return nil // it is gone already
	}
	return k.planDestroy(ctx, c.session, c.plan)
}

func deletionProtection() lens.Part {
	return lens.Setting("deletion_protection", lens.Bool, lens.Opt,
		"Whether destroying or replacing the blueprint is refused, in the plan and when applying. To destroy it after all, set it to `false` and apply first. "+
			"Left out, the `deletion_protection` of the provider block holds.")
}

// protected is the error that refuses to destroy a blueprint, nil when nothing
// protects it. The state decides: what the configuration says counts once it is
// applied.
func (c *change) protected() *diagnosed {
	own := lens.AsObj(c.prior)["deletion_protection"]
	where := "It has deletion_protection = true. Set it to false and apply"
	switch {
	case lens.Known(own) && !lens.AsBool(own), !lens.Known(own) && !c.protects:
		return nil
	case !lens.Known(own):
		where = "The provider block has deletion_protection = true, and the blueprint says nothing else. Set deletion_protection = false on the blueprint and apply"
	}
	return &diagnosed{diag.Diagnostics{diag.NewErrorDiagnostic(
		fmt.Sprintf("Blueprint %s is protected from deletion", c.was[0]),
		where+"; then it can be destroyed or replaced. To stop managing it and leave it in Port, use a removed block with destroy = false.")}}
}

// destroyBlueprint counts the entities that go, or are in the way, and names what
// refers to the blueprint.
func destroyBlueprint(ctx context.Context, c *change) diag.Diagnostics {
	if p := c.protected(); p != nil {
		return p.diags
	}
	id := c.was[0]
	force := lens.AsBool(lens.AsObj(c.prior)["force_delete_entities"])
	var takes, blocks []string
	hint := ""
	switch n := c.countEntities(ctx, id); {
	case n > 0 && force:
		takes = append(takes, fmt.Sprintf("%s of the blueprint, which force_delete_entities deletes", plural(n, "entity", "entities")))
	case n > 0:
		blocks = append(blocks, fmt.Sprintf("%s of the blueprint; to delete all of them along with it, set force_delete_entities = true and apply first", plural(n, "entity", "entities")))
	}
	relations, aggregations := c.referrers(ctx, id)
	if len(relations) > 0 {
		blocks = append(blocks, "relations of other blueprints: "+strings.Join(relations, ", "))
		hint = "\n\n" + updatedFirst
	}
	if len(aggregations) > 0 {
		takes = append(takes, "what aggregation properties of other blueprints count: "+strings.Join(aggregations, ", "))
	}
	var diags diag.Diagnostics
	if len(takes) > 0 {
		diags.AddWarning(fmt.Sprintf("Destroying blueprint %s takes more along", id), "With it go:\n  - "+strings.Join(takes, "\n  - "))
	}
	if len(blocks) > 0 {
		diags.AddWarning(fmt.Sprintf("Blueprint %s is in use", id),
			"Port deletes it only once these are gone, and those that this configuration destroys too go first:\n  - "+strings.Join(blocks, "\n  - ")+hint)
	}
	return diags
}

// destroyEntity counts the entities that cannot be without this one.
func destroyEntity(ctx context.Context, c *change) diag.Diagnostics {
	var blocks []string
	for _, r := range c.blueprints(ctx) {
		for _, key := range sortedNames(jsonv.Map(r, "relations")) {
			relation := jsonv.Map(r, "relations", key)
			if jsonv.String(relation, "target") != c.was[0] || !jsonv.Bool(relation, "required") {
				continue
			}
			if n, more := c.countDependents(ctx, jsonv.String(r, "identifier"), key); n > 0 {
				count := plural(n, "entity", "entities")
				if more {
					count = "at least " + count
				}
				blocks = append(blocks, fmt.Sprintf("%s of blueprint %s, by the required relation %s", count, jsonv.String(r, "identifier"), key))
			}
		}
	}
	if len(blocks) == 0 {
		return nil
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic(fmt.Sprintf("Entity %s is needed by others", joinID(c.was)),
		"Port deletes it only once these are gone or lead elsewhere, and those that this configuration destroys too go first:\n  - "+strings.Join(blocks, "\n  - "))}
}

// countEntities is 0 when it cannot be told.
func (s *session) countEntities(ctx context.Context, blueprint string) int64 {
	answer, err := s.api.Call(ctx, portapi.Op{Method: http.MethodGet, Path: []string{"blueprints", blueprint, "entities-count"}})
	if err != nil {
		return 0
	}
	count, _ := answer["count"].(json.Number)
	n, err := count.Int64()
	if err != nil {
		return 0
	}
	return n
}

// countDependents counts the entities whose relation leads to the one that goes.
func (c *change) countDependents(ctx context.Context, blueprint, relation string) (n int64, more bool) {
	c.mu.Lock()
	c.lookups++
	spent := c.lookups > dependentLookups
	c.mu.Unlock()
	if spent {
		return 0, false
	}
	answer, err := c.api.Call(ctx, portapi.Op{Method: http.MethodPost, Path: []string{"blueprints", blueprint, "entities", "search"}, Body: jsonv.Object{
		"limit": jsonv.Int(dependentsCounted), "include": []any{"$identifier"},
		"query": jsonv.Object{"combinator": "and", "rules": []any{jsonv.Object{"relation": relation, "operator": "=", "value": c.was[1]}}},
	}})
	if err != nil {
		return 0, false
	}
	for _, e := range jsonv.List(answer, "entities") {
		if blueprint != c.was[0] || jsonv.String(e, "identifier") != c.was[1] {
			n++
		}
	}
	return n, jsonv.String(answer, "next") != ""
}

// referrers names the relations and aggregation properties of other blueprints
// that lead to one, as blueprint.key.
func (s *session) referrers(ctx context.Context, id string) (relations, aggregations []string) {
	for _, b := range s.blueprints(ctx) {
		from := jsonv.String(b, "identifier")
		if from == id {
			continue
		}
		for _, key := range sortedNames(jsonv.Map(b, "relations")) {
			if jsonv.String(b, "relations", key, "target") == id {
				relations = append(relations, from+"."+key)
			}
		}
		for _, key := range sortedNames(jsonv.Map(b, aggregationsKey)) {
			if jsonv.String(b, aggregationsKey, key, "target") == id {
				aggregations = append(aggregations, from+"."+key)
			}
		}
	}
	return relations, aggregations
}

// blueprints are all of the account's, asked for once; none when that fails.
func (s *session) blueprints(ctx context.Context) []any {
	s.listing.mu.Lock()
	defer s.listing.mu.Unlock()
	if !s.listing.asked {
		answer, err := s.api.Call(ctx, portapi.Op{Method: http.MethodGet, Path: []string{"blueprints"}})
		if err == nil {
			s.listing.all = jsonv.List(answer, "blueprints")
		}
		s.listing.asked = ctx.Err() == nil
	}
	return s.listing.all
}

func sortedNames(m jsonv.Object) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
