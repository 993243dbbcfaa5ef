package catalog

import (
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// projection says which parts of an entity an answer carries (reference/catalog.md
// §4.8). The zero value is everything.
type projection struct {
	noCalculated bool
	attachTitles bool
	attachMirror bool
	// always are the keys that include cannot take away.
	always  []string
	include *paths
	exclude *paths
}

// paths is a set of entity JSON paths: whole top-level keys, and single keys
// below properties, relations and scorecards.
type paths struct {
	top  map[string]bool
	keys map[string]map[string]bool
	// bare are names that stand for a property or a relation of that key
	// (blueprint-scoped search, J6).
	bare map[string]bool
}

// Typed clients read some keys unconditionally, whatever they include: these of
// every entity (J1), and more of what the catalog-wide search finds
// (reference/provider-catalog.md §10 "Wire").
var (
	alwaysThere = []string{"identifier", "blueprint"}
	alwaysFound = []string{"identifier", "title", "blueprint", "createdAt", "createdBy", "updatedAt", "updatedBy"}
)

// pathsOf parses include or exclude; nil when the list is empty. With bareNames a
// name without "$" is a property or relation key.
func pathsOf(list []string, bareNames bool) *paths {
	if len(list) == 0 {
		return nil
	}
	p := &paths{top: map[string]bool{}, keys: map[string]map[string]bool{}, bare: map[string]bool{}}
	for _, path := range list {
		name, meta := strings.CutPrefix(path, "$")
		head, key, nested := strings.Cut(name, ".")
		if bareNames && !meta && !nested {
			p.bare[name] = true
			continue
		}
		if !nested {
			p.top[head] = true
			continue
		}
		if p.keys[head] == nil {
			p.keys[head] = map[string]bool{}
		}
		p.keys[head][key] = true
	}
	return p
}

func (o ReadOptions) projection() projection {
	return projection{
		always: alwaysThere, noCalculated: o.ExcludeCalculated, attachTitles: o.AttachTitles, attachMirror: o.AttachMirrorIdentifiers,
		include: pathsOf(o.Include, false), exclude: pathsOf(o.Exclude, false),
	}
}

// top tells whether a top-level key of an entity is shown.
func (p projection) top(key string) bool {
	if p.exclude != nil && p.exclude.top[key] {
		return false
	}
	if p.include == nil || slices.Contains(p.always, key) || p.include.top[key] || len(p.include.keys[key]) > 0 {
		return true
	}
	return (key == "properties" || key == "relations") && len(p.include.bare) > 0
}

// below tells whether a key of properties, relations or scorecards is shown.
func (p projection) below(part, key string) bool {
	if p.exclude != nil && (p.exclude.keys[part][key] || p.exclude.bare[key]) {
		return false
	}
	return p.include == nil || p.include.top[part] || p.include.keys[part][key] || p.include.bare[key]
}

// render is an entity as callers see it. Computed values are evaluated only when
// the projection shows them.
func (s *session) render(v *view, p projection) (jsonv.Object, error) {
	out := make(jsonv.Object, 12)
	for _, key := range []string{"identifier", "title", "icon", "blueprint", "createdAt", "createdBy", "updatedAt", "updatedBy"} {
		if value, ok := v.doc[key]; ok && p.top(key) {
			out[key] = value
		}
	}
	if p.top("team") {
		team, err := v.team()
		if err != nil {
			return nil, err
		}
		out["team"] = team
	}
	if p.top("scorecards") {
		out["scorecards"] = jsonv.Object{}
	}
	if p.top("properties") {
		properties, err := s.renderProperties(v, p)
		if err != nil {
			return nil, err
		}
		out["properties"] = properties
	}
	if p.top("relations") {
		relations, err := s.renderRelations(v, p)
		if err != nil {
			return nil, err
		}
		out["relations"] = relations
	}
	return out, nil
}

func (s *session) renderProperties(v *view, p projection) (jsonv.Object, error) {
	own := jsonv.Map(v.doc, "properties")
	out := make(jsonv.Object, len(own))
	for key, value := range own {
		if p.below("properties", key) {
			out[key] = value
		}
	}
	if p.noCalculated {
		return out, nil
	}
	for key, m := range v.bp.mirrors {
		if !p.below("properties", key) {
			continue
		}
		var err error
		if p.attachMirror && m.leaf == "$title" {
			out[key], err = v.mirrorTitles(m)
		} else {
			out[key], err = v.property(key)
		}
		if err != nil {
			return nil, err
		}
	}
	for key := range v.bp.calcs {
		if !p.below("properties", key) {
			continue
		}
		value, err := v.property(key)
		if err != nil {
			return nil, err
		}
		out[key] = value
	}
	for key := range v.bp.aggs {
		if !p.below("properties", key) {
			continue
		}
		value, err := v.property(key)
		if err != nil {
			return nil, err
		}
		out[key] = value
	}
	return out, nil
}

// relationsOf returns the relations of a stored entity, never nil.
func relationsOf(d store.Doc) jsonv.Object {
	if r := jsonv.Map(d, "relations"); r != nil {
		return r
	}
	return jsonv.Object{}
}

func (s *session) renderRelations(v *view, p projection) (jsonv.Object, error) {
	stored := relationsOf(v.doc)
	out := make(jsonv.Object, len(stored))
	for key, value := range stored {
		if !p.below("relations", key) {
			continue
		}
		if p.attachTitles {
			titled, err := s.titledRelation(v.bp.relations[key], value)
			if err != nil {
				return nil, err
			}
			value = titled
		}
		out[key] = value
	}
	return out, nil
}

// titledRelation is a relation's value as {"identifier","title"} (J5).
func (s *session) titledRelation(r relation, value any) (any, error) {
	one := func(id string) (any, error) {
		d, err := s.shown(entityKey{r.target, id})
		if err != nil {
			return nil, err
		}
		o := jsonv.Object{"identifier": id, "title": nil}
		if d != nil {
			o["title"] = d["title"]
		}
		return o, nil
	}
	if id, ok := value.(string); ok {
		return one(id)
	}
	list, ok := value.([]any)
	if !ok {
		return value, nil
	}
	out := make([]any, 0, len(list))
	for _, id := range jsonv.Strings(list) {
		o, err := one(id)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}
