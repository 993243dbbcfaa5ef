package catalog

import (
	"slices"
	"strings"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// maxTraced is the most entities through which a condition is traced back along
// relations; beyond it, looking at every candidate is no worse.
const maxTraced = 5_000

// maxOwned is the same for the owners of what inherits them. Permissions ask for
// these on every search, pages of a few entities included: what cannot be found
// cheaply is rather looked at one by one.
const maxOwned = 500

// narrowed is what a store can be told about the matches in one blueprint.
type narrowed struct {
	equals []store.Equal
	// first and last are the createdAt before and after which there is no match, ""
	// for no limit.
	first, last string
	// nothing is set when no entity of the blueprint can match.
	nothing bool
}

// narrow turns what every match fulfils into conditions for the store.
func (s *session) narrow(m *matcher, bp *blueprint, q *query.Query) (n narrowed, err error) {
	first, last := q.Created(m.env)
	n.first, n.last = stampOf(first), stampOf(last)
	bounds := q.Bounds(m.env)
	if m.err != nil {
		return n, m.err
	}
	for _, b := range bounds {
		e, known, err := s.alternatives(bp, b)
		if err != nil {
			return n, err
		}
		if !known {
			continue
		}
		if len(e.Or) == 0 {
			return narrowed{nothing: true}, nil
		}
		n.equals = append(n.equals, e)
	}
	return n, nil
}

// narrowed adds what every entity fulfils that the caller may read.
func (s *session) narrowed(bp *blueprint, n narrowed, may *query.Query) (narrowed, error) {
	more, err := s.whole.narrow(s.whole.policies(), bp, may)
	if err != nil || more.nothing {
		return more, err
	}
	n.equals = append(n.equals, more.equals...)
	n.first = max(n.first, more.first)
	if n.last == "" || more.last != "" && more.last < n.last {
		n.last = more.last
	}
	return n, nil
}

// stampOf spells a moment so that it compares with createdAt; "" for none.
func stampOf(at time.Time) string {
	at = at.UTC()
	if at.IsZero() || at.Year() < 1000 || at.Year() > 9999 {
		return ""
	}
	return at.Format(timeFormat)
}

// alternatives turns a bound into one condition, of which known is false when it
// has to be ignored. Without an alternative no entity of bp matches.
func (s *session) alternatives(bp *blueprint, bound query.Bound) (all store.Equal, known bool, err error) {
	for _, term := range bound {
		found, known, err := s.lookup(bp, term)
		if err != nil || !known {
			return all, false, err
		}
		for _, e := range found {
			if len(e.Values) > 0 {
				all.Or = append(all.Or, e)
			}
		}
	}
	return all, true, nil
}

// lookup says where the entities of bp are found for which a term may hold.
func (s *session) lookup(bp *blueprint, term query.Term) (found []store.Equal, known bool, err error) {
	switch {
	case term.Nodes != nil:
		return keys(term.Nodes[bp.id]), true, nil
	case term.Paths != nil:
		return s.lookupPaths(bp, term)
	case term.Fits != nil:
		for _, key := range sortedKeys(bp.props) {
			if !term.Fits(fieldOf(bp.props[key].def)) {
				continue
			}
			e, ok := entries(indexProperty+key, term.Values)
			if !ok {
				return nil, false, nil
			}
			found = append(found, e)
		}
		return found, true, nil
	case term.Relation:
		if term.Titles {
			return s.lookupTitles(bp, term)
		}
		return only(entries(indexRelation+term.Name, term.Values))
	case term.Name == "$blueprint":
		// True of every entity of the blueprint, or of none.
		return nil, !slices.Contains(term.Values, any(bp.id)), nil
	case term.Name == "$identifier":
		return keys(jsonv.Strings(term.Values)), true, nil
	}
	if m, ok := bp.mirrors[term.Name]; ok {
		if _, own := bp.props[term.Name]; !own {
			return s.lookupMirror(bp, m, term)
		}
	}
	if term.Name == "$team" {
		return s.lookupTeam(bp, term)
	}
	path, err := s.indexPath(bp, term.Name)
	if err != nil || path == "" {
		return nil, false, err
	}
	return only(entries(path, term.Values))
}

func only(e store.Equal, ok bool) ([]store.Equal, bool, error) { return []store.Equal{e}, ok, nil }

func keys(ids []string) []store.Equal { return []store.Equal{{Path: store.KeyPath, Values: ids}} }

// entries is the condition that an index entry has one of the values; false when
// the index does not know all of them.
func entries(path string, values []any) (store.Equal, bool) {
	texts := make([]string, 0, len(values))
	for _, v := range values {
		text, ok := indexText(v)
		if !ok {
			return store.Equal{}, false
		}
		texts = append(texts, text)
	}
	return store.Equal{Path: path, Values: texts}, true
}

// indexPath names the index that knows every value of name, "" when none does:
// computed values and inherited teams are not stored, and moments are equal to
// ones spelled otherwise.
func (s *session) indexPath(bp *blueprint, name string) (string, error) {
	switch name {
	case "$title":
		return indexMeta + name, nil
	case "$team":
		inherits, err := s.inherits(bp)
		if err != nil || inherits {
			return "", err
		}
		return indexMeta + name, nil
	}
	if strings.HasPrefix(name, "$") {
		return "", nil
	}
	if p, ok := bp.props[name]; ok {
		if f := fieldOf(p.def); f.Format == "date-time" || f.Format == "timer" {
			return "", nil
		}
		return indexProperty + name, nil
	}
	if bp.computed(name) != notComputed {
		return "", nil
	}
	// A relation, or a key that the blueprint does not have and no entity either.
	return indexRelation + name, nil
}

// lookupTeam finds the entities that one of the teams owns: by their own teams or,
// where these are inherited, by those at the end of the path.
func (s *session) lookupTeam(bp *blueprint, term query.Term) ([]store.Equal, bool, error) {
	inherits, err := s.inherits(bp)
	if err != nil {
		return nil, false, err
	}
	const path = indexMeta + "$team"
	if !inherits {
		return only(entries(path, term.Values))
	}
	end, _, err := s.walkBlueprints(s.blueprint, bp, bp.ownership.path)
	if err != nil || end == nil {
		return nil, false, err
	}
	if inherits, err = s.inherits(end); err != nil || inherits {
		return nil, false, err
	}
	return s.lookupEnds(bp, bp.ownership.path, end, path, term.Values, maxOwned)
}

// lookupMirror finds the entities whose mirror shows one of the values, from the
// ones that have it.
func (s *session) lookupMirror(bp *blueprint, m mirror, term query.Term) ([]store.Equal, bool, error) {
	end, _, err := s.walkBlueprints(s.blueprint, bp, m.hops)
	if err != nil || end == nil || m.leaf == "$team" {
		return nil, false, err
	}
	if m.leaf == "$identifier" {
		return s.lookupBack(bp, m.hops, jsonv.Strings(term.Values), maxTraced)
	}
	path, err := s.indexPath(end, m.leaf)
	if err != nil || path == "" {
		return nil, false, err
	}
	return s.lookupEnds(bp, m.hops, end, path, term.Values, maxTraced)
}

// lookupTitles finds the entities that a relation leads from to one of the titles.
func (s *session) lookupTitles(bp *blueprint, term query.Term) ([]store.Equal, bool, error) {
	r, ok := bp.relations[term.Name]
	if !ok {
		return nil, true, nil
	}
	target, err := s.blueprint(r.target)
	if err != nil || target == nil {
		return nil, false, err
	}
	return s.lookupEnds(bp, []string{term.Name}, target, indexMeta+"$title", term.Values, maxTraced)
}

// lookupEnds finds the entities of bp from which hops lead to one of end that has
// one of the values at an index path, unless there are more than most.
func (s *session) lookupEnds(bp *blueprint, hops []string, end *blueprint, path string, values []any, most int) ([]store.Equal, bool, error) {
	e, ok := entries(path, values)
	if !ok {
		return nil, false, nil
	}
	ids, ok, err := s.having(end, e, most)
	if err != nil || !ok {
		return nil, false, err
	}
	return s.lookupBack(bp, hops, ids, most)
}

// lookupPaths finds the entities of bp from which one of the paths leads to one of
// the identifiers.
func (s *session) lookupPaths(bp *blueprint, term query.Term) (found []store.Equal, known bool, err error) {
	for _, path := range term.Paths {
		more, known, err := s.lookupBack(bp, path, jsonv.Strings(term.Values), maxTraced)
		if err != nil || !known {
			return nil, false, err
		}
		found = append(found, more...)
	}
	return found, true, nil
}

// lookupBack walks hops backward from the entities with the identifiers, to the
// condition for those of bp.
func (s *session) lookupBack(bp *blueprint, hops, ids []string, most int) ([]store.Equal, bool, error) {
	chain := []*blueprint{bp}
	for _, hop := range hops {
		next, _, err := s.walkBlueprints(s.blueprint, chain[len(chain)-1], []string{hop})
		if err != nil {
			return nil, false, err
		}
		if next == nil {
			return nil, true, nil // the path leads nowhere (H6)
		}
		chain = append(chain, next)
	}
	for i := len(hops) - 1; i >= 0; i-- {
		e, ok, err := s.stepBack(chain[i], hops[i], ids)
		if err != nil || !ok {
			return nil, false, err
		}
		if i == 0 {
			return []store.Equal{e}, true, nil
		}
		if ids, ok, err = s.having(chain[i], e, most); err != nil || !ok {
			return nil, false, err
		}
	}
	return keys(ids), true, nil
}

// stepBack is the condition that one hop leads from an entity of bp to one of the
// identifiers.
func (s *session) stepBack(bp *blueprint, hop string, ids []string) (store.Equal, bool, error) {
	path := indexRelation + hop
	if hop == "$team" {
		inherits, err := s.inherits(bp)
		if err != nil || inherits {
			return store.Equal{}, false, err
		}
		path = indexMeta + hop
	}
	e, ok := entries(path, jsonv.FromStrings(ids))
	return e, ok, nil
}

// having lists the entities of bp that an index entry names; ok is false when they
// are too many to go on with.
func (s *session) having(bp *blueprint, e store.Equal, most int) (ids []string, ok bool, err error) {
	if len(e.Values) == 0 {
		return nil, true, nil
	}
	wanted := make(map[string]bool, len(e.Values))
	for _, v := range e.Values {
		wanted[v] = true
	}
	where := indexed{equals: []store.Equal{e}, match: func(d store.Doc) bool {
		values, many := indexedValue(d, e.Path).([]any)
		if !many {
			values = []any{indexedValue(d, e.Path)}
		}
		return slices.ContainsFunc(values, func(v any) bool {
			text, ok := indexText(v)
			return ok && wanted[text]
		})
	}}
	for row, err := range s.entitiesOf(bp.id, where, store.Page{Few: most + 1}) {
		if err != nil {
			return nil, false, err
		}
		if len(ids) == most {
			return nil, false, nil
		}
		ids = append(ids, row.Key[len(row.Key)-1])
	}
	return ids, true, nil
}

// indexedValue is what an index path of an entity is about.
func indexedValue(d store.Doc, path string) any {
	if key, ok := strings.CutPrefix(path, indexProperty); ok {
		return jsonv.Map(d, "properties")[key]
	}
	if key, ok := strings.CutPrefix(path, indexRelation); ok {
		return jsonv.Map(d, "relations")[key]
	}
	return d[metaNames[strings.TrimPrefix(path, indexMeta)]]
}
