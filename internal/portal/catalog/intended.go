package catalog

import (
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// intended is the entity as a write would store it, before anything about its
// content was checked: what rights are asked about. Values that will be refused
// for what they are stand in it as they were given.
func (w *write) intended() (store.Doc, error) {
	doc := store.Doc{
		"identifier": w.id, "blueprint": w.bp.id, "title": w.title(), "icon": w.icon(),
		"properties": w.base("properties"), "relations": w.base("relations"),
		"createdAt": w.s.stamp, "createdBy": w.s.actor.ID, "updatedAt": w.s.stamp, "updatedBy": w.s.actor.ID,
	}
	properties, relations := jsonv.Map(doc, "properties"), jsonv.Map(doc, "relations")
	for key, value := range w.in.properties {
		if w.bp.computed(key) == notComputed {
			properties[key] = value
		}
	}
	if w.existing == nil {
		w.bp.applyDefaults(properties)
	} else {
		doc["createdAt"], doc["createdBy"] = w.existing["createdAt"], w.existing["createdBy"]
	}
	for key, value := range w.in.relations {
		relations[key] = distinct(value)
		if r, known := w.bp.relations[key]; known && value == nil {
			relations[key] = emptyOf(r)
		}
	}
	for key := range w.in.relationQueries {
		relations[key] = jsonv.Object{} // not resolved, so that it is like nothing stored
	}
	team, err := w.intendedTeam()
	if err != nil {
		return nil, err
	}
	doc["team"] = team
	w.keepManaged(doc)
	return doc, nil
}

// distinct is a relation's value without what is in it twice.
func distinct(value any) any {
	list, ok := value.([]any)
	if !ok {
		return value
	}
	unique := make([]any, 0, len(list))
	for _, id := range list {
		if !slices.Contains(unique, id) {
			unique = append(unique, id)
		}
	}
	return unique
}

func (w *write) intendedTeam() ([]any, error) {
	team := []any{}
	switch {
	case !w.in.hasTeam:
		if w.merge {
			team = append(team, jsonv.List(w.existing, "team")...)
		}
		return team, nil
	case w.bp.ownership.kind != directOwnership:
		return append(team, jsonv.FromStrings(w.in.team)...), nil
	}
	for _, name := range w.in.team {
		id, err := w.s.teamID(name)
		if err != nil {
			return nil, err
		}
		if !holds(team, id) {
			team = append(team, id)
		}
	}
	return team, nil
}

// keepManaged puts back what an override of an entity of a system blueprint leaves
// as it is when it is not given (reference/identity.md §4.3, reference/catalog.md
// §3.3).
func (w *write) keepManaged(doc store.Doc) {
	if w.existing == nil || w.merge || !slices.Contains([]string{sysUser, sysTeam, ruleResults}, w.bp.id) {
		return
	}
	keep := func(part string, at []string) {
		for key, value := range jsonv.Map(w.existing, part) {
			if _, given := jsonv.Get(doc, part, key); !given && isManaged(w.bp.id, at, key) {
				jsonv.Map(doc, part)[key] = value
			}
		}
	}
	keep("properties", propertyKey.at)
	keep("relations", relationKey.at)
	if !w.in.hasTeam {
		doc["team"] = w.existing["team"]
	}
	if !w.in.hasTitle || w.in.title == nil || w.in.title == "" {
		doc["title"] = w.existing["title"]
	}
	if !w.in.hasIcon && w.bp.id == ruleResults {
		doc["icon"] = w.existing["icon"]
	}
}

// supplied are the fields that a new entity was given. A null, or no team, is not
// given, unless it stands in the way of a default. Identifier and title come with
// the right to register (reference/identity.md §7.5).
func (w *write) supplied(properties jsonv.Object) (out []Field) {
	if w.in.hasIcon && w.in.icon != nil {
		out = append(out, Field{Key: "$icon"})
	}
	if w.in.hasTeam && (len(w.in.team) > 0 || w.in.teamQuery != nil) {
		out = append(out, Field{Key: "$team"})
	}
	for _, key := range sortedKeys(properties) {
		p := w.bp.props[key]
		if w.bp.computed(key) == notComputed && (properties[key] != nil || p != nil && p.hasDefault) {
			out = append(out, Field{PartProperties, key})
		}
	}
	for _, key := range sortedKeys(w.in.relations) {
		if _, unresolved := w.in.relationQueries[key]; !unresolved && len(identifiersOf(w.in.relations[key])) > 0 {
			out = append(out, Field{PartRelations, key})
		}
	}
	for _, key := range sortedKeys(w.in.relationQueries) {
		out = append(out, Field{PartRelations, key})
	}
	return out
}

// changed are the fields in which the existing entity and doc differ.
func (w *write) changed(doc store.Doc) (out []Field, err error) {
	for _, meta := range []string{"$identifier", "$title", "$icon"} {
		if key := metaNames[meta]; !jsonv.Equal(w.existing[key], doc[key]) {
			out = append(out, Field{Key: meta})
		}
	}
	inherits, err := w.s.inherits(w.bp)
	if err != nil {
		return nil, err
	}
	// An inherited team is computed; what was given is for the rules of ownership to
	// refuse.
	if !inherits && (w.in.teamQuery != nil || !jsonv.Equal(listed(w.existing["team"]), listed(doc["team"]))) {
		out = append(out, Field{Key: "$team"})
	}
	for _, part := range []string{PartProperties, PartRelations} {
		was, is := jsonv.Map(w.existing, part), jsonv.Map(doc, part)
		keys := sortedKeys(is)
		for _, key := range sortedKeys(was) {
			if _, both := is[key]; !both {
				keys = append(keys, key)
			}
		}
		for _, key := range keys {
			a, b := was[key], is[key]
			if part == PartRelations {
				a, b = blank(a), blank(b)
			}
			if !jsonv.Equal(a, b) {
				out = append(out, Field{part, key})
			}
		}
	}
	return out, nil
}

// blank makes no value and an empty list alike.
func blank(v any) any {
	if l, ok := v.([]any); ok && len(l) == 0 {
		return nil
	}
	return v
}

func listed(v any) []any {
	l, ok := v.([]any)
	if !ok {
		return []any{}
	}
	return l
}
