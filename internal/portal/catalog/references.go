package catalog

import (
	"encoding/json"
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// The names of index entries. Values of properties and relations are told apart
// by the prefix, so that a key that is used for both stays unambiguous.
const (
	indexProperty = "p."
	indexRelation = "r."
	indexMeta     = "m."
	indexTarget   = "target"
)

// maxIndexed bounds an index entry; longer texts are found without an index.
const maxIndexed = 128

// Indexes are the indexes that a store needs for the catalog's documents: the
// targets of relations, scalar property values, titles and owning teams, and for
// blueprints what their relations point at.
func Indexes() store.Indexes {
	return store.Indexes{KindEntity: indexEntity, KindBlueprint: indexBlueprint}
}

func indexBlueprint(d store.Doc) []store.Entry {
	var out []store.Entry
	for _, r := range jsonv.Map(d, "relations") {
		e := store.Entry{Path: indexTarget, Value: jsonv.String(r, "target")}
		if !slices.Contains(out, e) {
			out = append(out, e)
		}
	}
	return out
}

func indexEntity(d store.Doc) []store.Entry {
	properties, relations, team := jsonv.Map(d, "properties"), jsonv.Map(d, "relations"), jsonv.List(d, "team")
	out := make([]store.Entry, 0, len(properties)+len(relations)+len(team)+1)
	add := func(path string, value any) {
		if text, ok := indexText(value); ok {
			out = append(out, store.Entry{Path: path, Value: text})
		}
	}
	addAll := func(path string, value any) {
		list, ok := value.([]any)
		if !ok {
			add(path, value)
			return
		}
		start := len(out)
		for _, element := range list {
			if text, ok := indexText(element); ok && !slices.Contains(out[start:], store.Entry{Path: path, Value: text}) {
				out = append(out, store.Entry{Path: path, Value: text})
			}
		}
	}
	for key, value := range properties {
		addAll(indexProperty+key, value)
	}
	for key, value := range relations {
		addAll(indexRelation+key, value)
	}
	addAll(indexMeta+"$team", team)
	add(indexMeta+"$title", d["title"])
	return out
}

// indexText spells a scalar so that equal values have equal texts and values of
// different types never do. It reports false for what is not worth its entry:
// booleans, long texts, and moments, which are equal to ones spelled otherwise. A
// condition on such a value must do without the index.
func indexText(value any) (string, bool) {
	switch value := value.(type) {
	case string:
		return "s" + value, len(value) < maxIndexed && !isMoment(value)
	case json.Number:
		text := "n" + string(jsonv.CanonicalNumber(value))
		return text, len(text) <= maxIndexed
	}
	return "", false
}

// isMoment tells texts that begin like a date-time.
func isMoment(s string) bool {
	return len(s) >= len("2024-01-01T00:00:00Z") && s[4] == '-' && s[7] == '-' && (s[10] == 'T' || s[10] == 't' || s[10] == ' ')
}

// equalTo is the index condition that path has value, none when the index does
// not know the value.
func equalTo(path string, value any) []store.Equal {
	text, ok := indexText(value)
	if !ok {
		return nil
	}
	return []store.Equal{{Path: path, Values: []string{text}}}
}

// indexed is a scan condition that an index can answer.
type indexed struct {
	equals []store.Equal
	match  func(store.Doc) bool
}

func (w indexed) Match(d store.Doc) bool { return w.match == nil || w.match(d) }
func (w indexed) Equals() []store.Equal  { return w.equals }

// reference is a relation that points at a blueprint.
type reference struct {
	blueprint string
	key       string
	relation
}

// references lists the relations, of every blueprint, whose target is id.
func (s *session) references(id string) ([]reference, error) {
	if refs, ok := s.referrers[id]; ok {
		return refs, nil
	}
	var refs []reference
	seen := map[string]bool{}
	add := func(b *blueprint) {
		seen[b.id] = true
		for _, key := range b.relationKeys {
			if r := b.relations[key]; r.target == id {
				refs = append(refs, reference{blueprint: b.id, key: key, relation: r})
			}
		}
	}
	where := indexed{equals: []store.Equal{{Path: indexTarget, Values: []string{id}}}, match: func(d store.Doc) bool {
		for _, r := range jsonv.Map(d, "relations") {
			if jsonv.String(r, "target") == id {
				return true
			}
		}
		return false
	}}
	for row, err := range s.tx.Scan(KindBlueprint, where, store.Page{}, s.actor.Org) {
		if err != nil {
			return nil, err
		}
		add(s.cat.cache.get(s.actor.Org, row.Doc))
	}
	for _, system := range systemIdentifiers() {
		if seen[system] {
			continue
		}
		b, err := s.blueprint(system)
		if err != nil {
			return nil, err
		}
		if b != nil {
			add(b)
		}
	}
	s.referrers[id] = refs
	return refs, nil
}

// holders returns the keys of the entities whose relation r holds id.
func (s *session) holders(r reference, id string) ([]entityKey, error) {
	s.trace.beyond()
	where := indexed{equals: equalTo(indexRelation+r.key, id), match: func(d store.Doc) bool {
		value, _ := jsonv.Get(d, "relations", r.key)
		return holds(value, id)
	}}
	var out []entityKey
	for row, err := range s.entitiesOf(r.blueprint, where, store.Page{}) {
		if err != nil {
			return nil, err
		}
		k := entityKey{r.blueprint, jsonv.String(row.Doc, "identifier")}
		if _, ok := s.entities[k]; !ok {
			s.entities[k] = row.Doc // whoever asks for holders looks at them next
		}
		out = append(out, k)
	}
	return out, nil
}

// holds tells whether a relation's value contains id.
func holds(value any, id string) bool {
	switch value := value.(type) {
	case string:
		return value == id
	case []any:
		for _, element := range value {
			if element == id {
				return true
			}
		}
	}
	return false
}

// eachReferrer calls f for every entity that points at k, through whichever
// relation, in a repeatable order.
func (s *session) eachReferrer(k entityKey, f func(reference, entityKey) error) error {
	refs, err := s.references(k.blueprint)
	if err != nil {
		return err
	}
	for _, r := range refs {
		keys, err := s.holders(r, k.id)
		if err != nil {
			return err
		}
		if s.pretends(r, k.id) {
			keys = append(keys, s.pretended)
		}
		for _, from := range keys {
			if err := f(r, from); err != nil {
				return err
			}
		}
	}
	return nil
}
