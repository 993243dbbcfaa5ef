package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// refreshEntities reads the entities that the state lists, or all of the
// blueprint on an import that names none.
func refreshEntities(ctx context.Context, s *session, prior tftypes.Value) (jsonv.Object, error) {
	blueprint, _ := text(lens.AsObj(prior)["blueprint"])
	var ids []string // nil stands for all
	switch listed := lens.AsObj(prior)["entities"]; {
	case !importing(prior):
		ids = slices.AppendSeq([]string{}, maps.Keys(elements(prior)))
	case !lens.Nothing(listed):
		ids = slices.AppendSeq([]string{}, maps.Keys(lens.AsObj(listed)))
	}
	slices.Sort(ids)
	for _, id := range ids {
		s.managesEntity(blueprint, id)
	}
	if ids != nil && len(ids) == 0 {
		// No search says that the blueprint is still there.
		_, err := s.api.ReadBlueprint(ctx, blueprint)
		return entitiesDocument(blueprint, nil), err
	}
	found, err := s.api.FindEntities(ctx, blueprint, ids)
	if err != nil {
		return nil, err
	}
	if unexplained(found, elements(prior)) {
		if err := s.api.WithoutCalculated(ctx, blueprint, found); err != nil {
			return nil, err
		}
	}
	if err := s.withOwnTeams(ctx, blueprint, found, elements(prior)); err != nil {
		return nil, err
	}
	return entitiesDocument(blueprint, found), nil
}

// withOwnTeams takes from entities the teams that they inherit; the blueprint is
// asked only when one has teams that the state does not hold.
func (s *session) withOwnTeams(ctx context.Context, blueprint string, found map[string]jsonv.Object, prior lens.Obj) error {
	var strange []string
	for id, e := range found {
		if lens.Nothing(lens.AsObj(prior[id])["teams"]) && len(jsonv.List(e, "team")) > 0 {
			strange = append(strange, id)
		}
	}
	if len(strange) == 0 {
		return nil
	}
	document, err := s.api.ReadBlueprint(ctx, blueprint)
	if err != nil {
		return err
	}
	for _, id := range strange {
		found[id] = ownTeams(document, found[id])
	}
	return nil
}

// importing reports whether a state is what an import made: every other state
// holds the default of the setting. The null elements of an imported state are
// entities to read.
func importing(prior tftypes.Value) bool {
	return lens.Nothing(lens.AsObj(prior)["create_missing_related_entities"])
}

// entitiesDocument is the document of a group as the codec knows it.
func entitiesDocument(blueprint string, entities map[string]jsonv.Object) jsonv.Object {
	all := make(jsonv.Object, len(entities))
	for id, e := range entities {
		all[id] = e
	}
	return jsonv.Object{"blueprint": blueprint, "entities": all}
}

// unexplained reports whether entities hold a property that the prior state does
// not: only then it may be one that the blueprint computes.
func unexplained(found map[string]jsonv.Object, prior lens.Obj) bool {
	for id, e := range found {
		held := entityMaps(lens.AsObj(prior[id])["properties"])
		for key := range jsonv.Map(e, "properties") {
			if !slices.ContainsFunc(held, func(m lens.Obj) bool { _, ok := m[key]; return ok }) {
				return true
			}
		}
	}
	return false
}

// entityMaps are the maps below the attribute properties.
func entityMaps(properties tftypes.Value) []lens.Obj {
	var out []lens.Obj
	for name, group := range lens.AsObj(properties) {
		if name != "array_props" {
			out = append(out, lens.AsObj(group))
			continue
		}
		for _, inner := range lens.AsObj(group) {
			out = append(out, lens.AsObj(inner))
		}
	}
	return out
}

// decodeEntities tells the codec what the blueprint knows, as decodeEntity does;
// the blueprint is the same for all. It is asked only for values that neither
// their JSON kind nor the prior state explains.
func decodeEntities(ctx context.Context, s *session, body jsonv.Object, prior tftypes.Value) *decoding {
	d := &decoding{}
	var properties, relations jsonv.Object
	loaded := false
	load := func() {
		if loaded {
			return
		}
		loaded = true
		document, err := s.api.ReadBlueprint(ctx, jsonv.String(body, "blueprint"))
		d.err = err
		properties, relations = valueTypes(document), jsonv.Map(document, "relations")
	}
	d.options.Hint = func(key string) (string, string) {
		load()
		typ, items := jsonv.String(properties, key, "type"), jsonv.String(properties, key, "items", "type")
		if _, related := relations[key]; related && typ == "array" {
			return "", "" // a relation of the same name must not become a list
		}
		return typ, items
	}
	if !importing(prior) {
		d.options.Default = func(key string) (any, bool) {
			load()
			return jsonv.Get(properties, key, "default")
		}
	}
	return d
}

// importEntities makes the state of an import ID: the blueprint alone, or with
// the entities to read as null elements. Identifiers of both kinds may hold
// colons, so the shortest blueprint that exists and has the entities is meant.
func importEntities(ctx context.Context, k *kind, s *session, id string) (tftypes.Value, error) {
	for i := range len(id) {
		if id[i] != ':' || i == 0 || i == len(id)-1 {
			continue
		}
		ids := strings.Split(id[i+1:], ",")
		for j := range ids {
			ids[j] = strings.TrimSpace(ids[j])
		}
		if slices.Contains(ids, "") {
			continue
		}
		found, err := s.api.FindEntities(ctx, id[:i], ids)
		if portapi.IsNotFound(err) {
			continue
		}
		if err != nil {
			return k.null, err
		}
		if len(found) == 0 && strings.Contains(id[i+1:], ":") {
			continue
		}
		missing := slices.DeleteFunc(ids, func(id string) bool { return found[id] != nil })
		if len(missing) > 0 {
			return k.null, fmt.Errorf("blueprint %s has no entity %s", id[:i], enumerate(missing, 10))
		}
		return k.entitiesToRead(id[:i], found), nil
	}
	if id == "" {
		return k.null, fmt.Errorf("invalid import ID %q: want %s", id, k.decl.importID())
	}
	if _, err := s.api.ReadBlueprint(ctx, id); portapi.IsNotFound(err) {
		return k.null, fmt.Errorf("there is no blueprint %q: want an import ID of the form %s", id, k.decl.importID())
	} else if err != nil {
		return k.null, err
	}
	return k.stateOf([]string{id}), nil
}

// entitiesToRead is a state that holds nothing but which entities are meant.
func (k *kind) entitiesToRead(blueprint string, found map[string]jsonv.Object) tftypes.Value {
	t := k.typ.AttributeTypes["entities"]
	of := lens.Obj{}
	if m, ok := t.(tftypes.Map); ok {
		for id := range found {
			of[id] = lens.Null(m.ElementType)
		}
	}
	return with(k.stateOf([]string{blueprint}), lens.Obj{"entities": tftypes.NewValue(t, of)})
}

// enumerate writes names as a sentence does, the first few of them.
func enumerate(names []string, most int) string {
	names = slices.Sorted(slices.Values(names))
	if rest := len(names) - most; rest > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), rest)
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
