package catalog

import (
	"net/http"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// maxSelected is how many entities a query in a body can name (reference/catalog.md §4.7).
const maxSelected = 100

// find returns the identifiers of a blueprint's entities that match, in list
// order, at most limit of them (0: all).
func (s *session) find(bp *blueprint, q *query.Query, limit int) ([]string, error) {
	var out []string
	err := s.search(bp, q, store.Page{Few: limit}, func(v *view, _ store.Row) (bool, error) {
		out = append(out, v.key.id)
		return limit == 0 || len(out) < limit, nil
	})
	return out, err
}

// selectOne resolves an identifier that was given as a query.
func (s *session) selectOne(bp *blueprint, q *query.Query) (string, error) {
	if err := selectable(bp, q, "/identifier", func(string) bool { return false }); err != nil {
		return "", err
	}
	found, err := s.reader().find(bp, q, 2)
	if err != nil {
		return "", err
	}
	switch len(found) {
	case 0:
		return "", fault.New(http.StatusNotFound, "not_found", "Entity of blueprint %q matching the identifier query was not found", bp.id).With("resource", "Entity")
	case 1:
		return found[0], nil
	}
	return "", invalid("/identifier", "the query matches several entities of blueprint %q", bp.id)
}

// selectable refuses a query in a body that looks at computed properties, but for
// those that admitted names.
func selectable(bp *blueprint, q *query.Query, at string, admitted func(name string) bool) error {
	names, _ := q.Names()
	for _, name := range names {
		if bp.computed(name) != notComputed && !admitted(name) {
			return invalid(at, "property %q of blueprint %q is computed and cannot be used here", name, bp.id)
		}
	}
	return nil
}

// nearMirror tells whether name is a mirror through one single relation.
func (b *blueprint) nearMirror(name string) bool {
	m, ok := b.mirrors[name]
	if !ok || len(m.hops) != 1 {
		return false
	}
	r, ok := b.relations[m.hops[0]]
	return ok && !r.many
}

// resolveQueries turns relations and teams given by query into identifiers.
func (w *write) resolveQueries() error {
	if len(w.in.relationQueries) > 0 {
		given := make(jsonv.Object, len(w.in.relations)+len(w.in.relationQueries))
		for key, value := range w.in.relations {
			given[key] = value
		}
		for _, key := range sortedKeys(w.in.relationQueries) {
			value, err := w.resolveRelation(key)
			if err != nil {
				return err
			}
			given[key] = value
		}
		w.in.relations, w.in.relationQueries = given, nil
	}
	return w.resolveTeam()
}

// resolveTeam turns teams given by query into identifiers, once.
func (w *write) resolveTeam() error {
	if w.in.teamQuery == nil {
		return nil
	}
	teams, err := w.s.needBlueprint(sysTeam)
	if err != nil {
		return err
	}
	if w.in.team, err = w.s.reader().find(teams, w.in.teamQuery, maxSelected); err != nil {
		return err
	}
	w.in.teamQuery = nil
	return nil
}

func (w *write) resolveRelation(key string) (any, error) {
	r, ok := w.bp.relations[key]
	if !ok {
		return nil, nil // the stage of relation keys reports it
	}
	target, err := w.s.needBlueprint(r.target)
	if err != nil {
		return nil, err
	}
	if err := selectable(target, w.in.relationQueries[key], jsonv.Pointer("relations", key), target.nearMirror); err != nil {
		return nil, err
	}
	found, err := w.s.reader().find(target, w.in.relationQueries[key], maxSelected)
	if err != nil {
		return nil, err
	}
	if r.many {
		return jsonv.FromStrings(found), nil
	}
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return found[0], nil
	}
	return nil, fault.New(http.StatusUnprocessableEntity, "relation_many_violation",
		"the query for relation %q matches several entities of blueprint %q", key, r.target).With("relation", key)
}

// teamID translates a team's title to its identifier; what is neither stays as it
// is (reference/catalog.md §4.5 V14).
func (s *session) teamID(name string) (string, error) {
	d, err := s.entity(entityKey{"_team", name})
	if err != nil || d != nil {
		return name, err
	}
	where := indexed{
		equals: equalTo(indexMeta+"$title", name),
		match:  func(d store.Doc) bool { return d["title"] == name },
	}
	for row, err := range s.entitiesOf("_team", where, store.Page{Limit: 1}) {
		if err != nil {
			return "", err
		}
		return jsonv.String(row.Doc, "identifier"), nil
	}
	return name, nil
}
