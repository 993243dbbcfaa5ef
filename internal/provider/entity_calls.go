package provider

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// The calls of port_entity, reference/provider-catalog.md §8.2 and §8.3.

func readEntity(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
	return s.api.ReadEntity(ctx, key[0], key[1])
}

// refreshEntity reads for a resource: teams that the entity inherits are none of
// its own, and nobody could write them (reference/identity.md §6.2).
func refreshEntity(ctx context.Context, s *session, prior tftypes.Value) (jsonv.Object, error) {
	was := lens.AsObj(prior)
	blueprint, identifier := lens.AsText(was["blueprint"]), lens.AsText(was["identifier"])
	entity, err := s.api.ReadEntity(ctx, blueprint, identifier)
	if err != nil || !lens.Nothing(was["teams"]) || len(jsonv.List(entity, "team")) == 0 {
		return entity, err
	}
	document, err := s.api.ReadBlueprint(ctx, blueprint)
	if err != nil {
		return nil, err
	}
	return ownTeams(document, entity), nil
}

// ownTeams is the entity without the teams that it inherits.
func ownTeams(blueprint, entity jsonv.Object) jsonv.Object {
	if jsonv.String(blueprint, "ownership", "type") != "Inherited" {
		return entity
	}
	out := maps.Clone(entity)
	delete(out, "team")
	return out
}

// showEntity reads the entity with its mirror, calculation and aggregation
// properties.
func showEntity(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
	answer, err := s.api.Call(ctx, portapi.Op{Method: http.MethodGet, Path: entityPath(key)})
	if err != nil {
		return nil, err
	}
	return envelope(answer, "entity")
}

func createEntity(ctx context.Context, c *change) (jsonv.Object, error) {
	blueprint, _ := text(lens.AsObj(c.plan)["blueprint"])
	query := entityQuery(c)
	if c.adopt {
		query.Set("upsert", "true")
	}
	op := portapi.Op{Method: http.MethodPost, Path: []string{"blueprints", blueprint, "entities"}, Query: query, Body: c.body}
	if _, named := c.body["identifier"]; named && c.adopt {
		op.Repeat = portapi.RepeatSafe
	}
	answer, made, err := c.api.Create(ctx, op)
	if portapi.IsConflict(err) && !c.adopt {
		return nil, c.kind.errExists(c.key)
	}
	if err != nil {
		return nil, err
	}
	entity, err := envelope(answer, "entity")
	if err == nil {
		c.writes(blueprint, jsonv.String(entity, "identifier"))
	}
	if err == nil && !made && len(c.key) > 0 {
		c.warn(c.kind.existsSummary(c.key), "It was taken over and its content replaced.")
	}
	return entity, err
}

// updateEntity replaces the entity. One that moves to another blueprint is made
// there first, so that a failure in between loses nothing.
func updateEntity(ctx context.Context, c *change) (jsonv.Object, error) {
	blueprint, _ := text(lens.AsObj(c.plan)["blueprint"])
	if blueprint == c.was[0] {
		return replaceEntity(ctx, c, c.was)
	}
	followed, err := c.followed(ctx, blueprint)
	if err != nil {
		return nil, err
	}
	if followed {
		return replaceEntity(ctx, c, []string{blueprint, c.was[1]})
	}
	entity, err := createEntity(ctx, c)
	if err != nil {
		return nil, err
	}
	c.save(entity)
	if err := deleteEntity(ctx, c); err != nil && !portapi.IsNotFound(err) {
		return nil, &advised{fmt.Sprintf("The entity was created as %s:%s, but the one it replaces, %s, could not be deleted: delete it by hand.",
			blueprint, jsonv.String(entity, "identifier"), joinID(c.was)), err}
	}
	return entity, nil
}

// followed reports whether the entity stands in the other blueprint already:
// renaming a blueprint takes its entities along. Then it is gone where it was,
// and the one under its old identifier is as old as it.
func (c *change) followed(ctx context.Context, blueprint string) (bool, error) {
	if _, err := getEntity(ctx, c.session, c.was); !portapi.IsNotFound(err) {
		return false, err
	}
	there, err := getEntity(ctx, c.session, []string{blueprint, c.was[1]})
	if portapi.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	was, _ := text(lens.AsObj(c.prior)["created_at"])
	got, err := c.kind.decode(ctx, c.session, there, c.prior)
	if err != nil {
		return false, err
	}
	now, _ := text(lens.AsObj(got)["created_at"])
	return was == "" || was == now, nil
}

// replaceEntity puts the entity that stands under a key.
func replaceEntity(ctx context.Context, c *change, at []string) (jsonv.Object, error) {
	body, err := c.withDefaults(ctx, at)
	if err != nil {
		return nil, err
	}
	op := portapi.Op{Method: http.MethodPut, Path: entityPath(at), Query: entityQuery(c), Body: body}
	if name, ok := body["identifier"].(string); ok && name != at[1] {
		op.Repeat = portapi.RepeatNever // the old name is gone once it worked
	}
	answer, err := c.api.Call(ctx, op)
	if err != nil {
		return nil, err
	}
	return envelope(answer, "entity")
}

// withDefaults is the body to put, with the properties that the blueprint's
// defaults filled in and that the state therefore does not show: a replacement
// without them would drop them unannounced. The entity is read only when its
// blueprint has such defaults.
func (c *change) withDefaults(ctx context.Context, at []string) (jsonv.Object, error) {
	blueprint, err := c.api.ReadBlueprint(ctx, at[0])
	if err != nil {
		return nil, err
	}
	silent := silentDefaults(blueprint, c.body, c.before)
	if len(silent) == 0 {
		return c.body, nil
	}
	entity, err := getEntity(ctx, c.session, at)
	if err != nil {
		return nil, err
	}
	return withSilent(c.body, entity, silent), nil
}

// silentDefaults are the defaults of properties that neither the body to put nor
// the one put before names.
func silentDefaults(blueprint, body, before jsonv.Object) jsonv.Object {
	mine, held := jsonv.Map(body, "properties"), jsonv.Map(before, "properties")
	silent := jsonv.Object{}
	for key, property := range jsonv.Map(blueprint, "schema", "properties") {
		_, written := mine[key]
		_, shown := held[key]
		if value, ok := jsonv.Get(property, "default"); ok && !written && !shown {
			silent[key] = value
		}
	}
	return silent
}

// withSilent is the body with those defaults that the entity does hold.
func withSilent(body, entity, silent jsonv.Object) jsonv.Object {
	out, properties := maps.Clone(body), maps.Clone(jsonv.Map(body, "properties"))
	if properties == nil {
		properties = jsonv.Object{}
	}
	for key, value := range silent {
		if got, ok := jsonv.Get(entity, "properties", key); ok && jsonv.Equal(got, value) {
			properties[key] = value
		}
	}
	out["properties"] = properties
	return out
}

// getEntity reads one entity as it is now.
func getEntity(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
	answer, err := s.api.Call(ctx, portapi.Op{
		Method: http.MethodGet, Path: entityPath(key), Query: url.Values{"exclude_calculated_properties": {"true"}},
	})
	if err != nil {
		return nil, err
	}
	return envelope(answer, "entity")
}

func entityPath(key []string) []string { return []string{"blueprints", key[0], "entities", key[1]} }

func deleteEntity(ctx context.Context, c *change) error {
	if c.wrote(c.was[0], c.was[1]) {
		return nil // it is another resource's by now
	}
	_, err := c.api.Call(ctx, portapi.Op{Method: http.MethodDelete, Path: entityPath(c.was)})
	return err
}

// valueTypes holds the definitions under which an entity's values are typed:
// the blueprint's own properties and those it computes. What a mirror property
// shows is typed elsewhere; its values speak for themselves.
func valueTypes(blueprint jsonv.Object) jsonv.Object {
	types := jsonv.Object{}
	for key := range jsonv.Map(blueprint, "aggregationProperties") {
		types[key] = jsonv.Object{"type": "number"}
	}
	maps.Copy(types, jsonv.Map(blueprint, "calculationProperties"))
	maps.Copy(types, jsonv.Map(blueprint, "schema", "properties"))
	return types
}

// entityQuery holds what travels beside the body.
func entityQuery(c *change) url.Values {
	plan, query := lens.AsObj(c.plan), url.Values{}
	if run, ok := text(plan["run_id"]); ok && run != "" {
		query.Set("run_id", run)
	}
	if lens.AsBool(plan["create_missing_related_entities"]) {
		query.Set("create_missing_related_entities", "true")
	}
	return query
}

// splitEntityID finds the key in an import id. Both halves may hold colons, so
// with several the entity that exists decides, shortest blueprint first.
func splitEntityID(ctx context.Context, s *session, id string) ([]string, error) {
	var first []string
	for i := range len(id) {
		if id[i] != ':' || i == 0 || i == len(id)-1 {
			continue
		}
		key := []string{id[:i], id[i+1:]}
		if first == nil {
			if !strings.Contains(key[1], ":") {
				return key, nil
			}
			first = key
		}
		_, err := s.api.ReadEntity(ctx, key[0], key[1])
		if err == nil {
			return key, nil
		}
		if !portapi.IsNotFound(err) {
			return nil, err
		}
	}
	return first, nil
}

// decodeEntity tells the codec what the blueprint knows: the types of values that
// JSON cannot tell, and the defaults that the server fills in. The blueprint is
// asked only when the entity holds something the prior state does not explain.
func decodeEntity(ctx context.Context, s *session, body jsonv.Object, prior tftypes.Value) *decoding {
	// On import everything is shown: there is no configuration to compare with.
	return typedDecoding(ctx, s, body, prior, lens.AsObj(prior)["title"].IsNull())
}

func typedDecoding(ctx context.Context, s *session, body jsonv.Object, prior tftypes.Value, all bool) *decoding {
	d := &decoding{}
	var properties jsonv.Object
	loaded := false
	load := func() jsonv.Object {
		if !loaded {
			loaded = true
			document, err := s.api.ReadBlueprint(ctx, jsonv.String(body, "blueprint"))
			d.err = err
			properties = valueTypes(document)
		}
		return properties
	}
	own, related := jsonv.Map(body, "properties"), jsonv.Map(body, "relations")
	arrays := lens.AsObj(lens.AsObj(lens.AsObj(prior)["properties"])["array_props"])
	d.options.Hint = func(key string) (string, string) {
		v, mine := own[key]
		switch v.(type) {
		case nil:
			if _, theirs := related[key]; theirs || !mine {
				return "", "" // a relation: one name space of its own
			}
		case []any:
			for _, group := range arrays {
				if _, held := lens.AsObj(group)[key]; held {
					return "", ""
				}
			}
		default:
			return "", "" // its JSON kind says it all
		}
		p := load()
		return jsonv.String(p, key, "type"), jsonv.String(p, key, "items", "type")
	}
	if !all {
		d.options.Default = func(key string) (any, bool) { return jsonv.Get(load(), key, "default") }
	}
	return d
}
