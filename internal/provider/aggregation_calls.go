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
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// The calls of port_aggregation_properties, reference/provider-catalog.md §6.
// All change the blueprint as Port holds it, so that nothing else of it is lost.

const aggregationsKey = "aggregationProperties"

// decodeAggregations hides what is built into a system blueprint, unless the
// state holds it: it is nobody's to manage.
func decodeAggregations(ctx context.Context, s *session, body jsonv.Object, prior tftypes.Value) *decoding {
	own, err := ownAggregations(ctx, s, body, lens.AsObj(lens.AsObj(prior)["properties"]))
	document := jsonv.Object{"identifier": body["identifier"], aggregationsKey: own}
	return &decoding{document: document, err: err}
}

// ownAggregations are a blueprint's aggregation properties less the built-in
// ones; held are shown all the same.
func ownAggregations(ctx context.Context, s *session, blueprint jsonv.Object, held lens.Obj) (jsonv.Object, error) {
	structure, err := s.builtIn(ctx, jsonv.String(blueprint, "identifier"))
	if err != nil {
		return nil, err
	}
	own := maps.Clone(jsonv.Map(blueprint, aggregationsKey))
	for key := range jsonv.Map(structure, aggregationsKey) {
		if _, mine := held[key]; !mine {
			delete(own, key)
		}
	}
	if own == nil {
		own = jsonv.Object{}
	}
	return own, nil
}

// createAggregations adds properties to a blueprint that has none: those it has
// belong to somebody else.
func createAggregations(ctx context.Context, c *change) (jsonv.Object, error) {
	id := c.key[0]
	unlock := c.api.Lock(id)
	defer unlock()
	remote, err := getBlueprint(ctx, c.session, id)
	if err != nil {
		return nil, lacking(id, err)
	}
	taken, err := ownAggregations(ctx, c.session, remote, nil)
	if err != nil {
		return nil, err
	}
	if len(taken) > 0 {
		return nil, &diagnosed{takenAggregations(c, taken)}
	}
	return putAggregations(ctx, c, remote)
}

func updateAggregations(ctx context.Context, c *change) (jsonv.Object, error) {
	id := c.was[0]
	unlock := c.api.Lock(id)
	defer unlock()
	remote, err := getBlueprint(ctx, c.session, id)
	if err != nil {
		return nil, lacking(id, err)
	}
	return putAggregations(ctx, c, remote)
}

// putAggregations replaces the blueprint's aggregation properties; built-in ones
// that the plan says nothing about stay.
func putAggregations(ctx context.Context, c *change, remote jsonv.Object) (jsonv.Object, error) {
	id := jsonv.String(remote, "identifier")
	structure, err := c.builtIn(ctx, id)
	if err != nil {
		return nil, err
	}
	planned := jsonv.Map(c.kind.codec.Overlay(remote, c.body), aggregationsKey)
	for key := range jsonv.Map(structure, aggregationsKey) {
		if theirs, ok := jsonv.Get(remote, aggregationsKey, key); ok && planned[key] == nil {
			planned[key] = theirs
		}
	}
	body := writable(remote)
	body[aggregationsKey] = planned
	return putBlueprint(ctx, c.session, id, body)
}

// deleteAggregations takes away what the state holds. A blueprint without any is
// put without the key.
func deleteAggregations(ctx context.Context, c *change) error {
	id := c.was[0]
	unlock := c.api.Lock(id)
	defer unlock()
	remote, err := getBlueprint(ctx, c.session, id)
	if err != nil {
		return err // a 404 included: gone with its blueprint
	}
	structure, err := c.builtIn(ctx, id)
	if err != nil {
		return err
	}
	body := writable(remote)
	left := jsonv.Map(body, aggregationsKey)
	before := len(left)
	for key := range jsonv.Map(c.before, aggregationsKey) {
		if shipped, ok := jsonv.Get(structure, aggregationsKey, key); ok {
			left[key] = shipped
			continue
		}
		delete(left, key)
	}
	if len(left) == before && jsonv.Equal(left, jsonv.Map(remote, aggregationsKey)) {
		return nil
	}
	if len(left) == 0 {
		delete(body, aggregationsKey)
	}
	_, err = putBlueprint(ctx, c.session, id, body)
	return err
}

// lacking explains that there is no blueprint to add to.
func lacking(id string, err error) error {
	if !portapi.IsNotFound(err) {
		return err
	}
	return &advised{fmt.Sprintf("There is no blueprint %s. If this configuration makes it, refer to it (blueprint_identifier = port_blueprint.<name>.identifier), "+
		"so that it is made first.", id), err}
}

// takenAggregations refuses to take over aggregation properties, or to remove
// those that the plan does not have.
func takenAggregations(c *change, taken jsonv.Object) diag.Diagnostics {
	id := c.key[0]
	advice := fmt.Sprintf("This resource manages all aggregation properties of a blueprint. To manage those that are there, import them:\n\n"+
		"  import {\n    to = %s.<name>\n    id = %q\n  }", c.kind.decl.typeName(), id)
	planned := lens.AsObj(lens.AsObj(c.plan)["properties"])
	var diags diag.Diagnostics
	var others []string
	for _, key := range slices.Sorted(maps.Keys(taken)) {
		if _, mine := planned[key]; !mine {
			others = append(others, key)
			continue
		}
		addAt(&diags, diag.SeverityError, tftypes.NewAttributePath().WithAttributeName("properties").WithElementKeyString(key),
			fmt.Sprintf("Aggregation property %s already exists", key), fmt.Sprintf("Blueprint %s has an aggregation property %s. %s", id, key, advice))
	}
	if len(others) > 0 {
		addAt(&diags, diag.SeverityError, tftypes.NewAttributePath().WithAttributeName("properties"),
			fmt.Sprintf("Blueprint %s already has other aggregation properties", id),
			fmt.Sprintf("Creating this resource would remove %s from blueprint %s. %s", strings.Join(others, ", "), id, advice))
	}
	return diags
}
