package catalog

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Search is the catalog-wide search; it returns the answer's parts
// "matchingBlueprints", "entities" and, with AllowPartial, "failedBlueprints"
// (reference/catalog.md §5.1).
func (c *Catalog) Search(ctx context.Context, tx store.Tx, actor Actor, body any, o ReadOptions) (jsonv.Object, error) {
	q, err := query.Parse(body, query.Options{Scope: query.CatalogWide})
	if err != nil {
		return nil, err
	}
	s := c.begin(ctx, tx, actor)
	all, err := s.allBlueprints()
	if err != nil {
		return nil, err
	}
	var found []*view
	failed := []any{}
	for _, bp := range all {
		before := len(found)
		err := s.search(bp, q, store.Page{}, func(v *view, _ store.Row) (bool, error) {
			found = append(found, v)
			return true, nil
		})
		var f *fault.Fault
		if o.AllowPartial && errors.As(err, &f) {
			found, failed = found[:before], append(failed, bp.id)
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(found, compareViews)
	entities, blueprints := []any{}, []any{}
	seen := map[string]bool{}
	p := o.projection()
	p.always = alwaysFound
	for _, v := range found {
		if !seen[v.bp.id] {
			seen[v.bp.id] = true
			blueprints = append(blueprints, v.bp.id)
		}
		e, err := s.render(v, p)
		if err != nil {
			return nil, err
		}
		entities = append(entities, e)
	}
	out := jsonv.Object{"matchingBlueprints": blueprints, "entities": entities}
	if o.AllowPartial {
		out["failedBlueprints"] = failed
	}
	return out, nil
}

// compareViews is the order of every list: creation time, then identifier.
func compareViews(a, b *view) int {
	if c := strings.Compare(jsonv.String(a.doc, "createdAt"), jsonv.String(b.doc, "createdAt")); c != 0 {
		return c
	}
	return strings.Compare(a.key.id, b.key.id)
}

// search yields a blueprint's entities that match, in list order, until f says
// that it has enough. An index narrows what is looked at; the query alone decides.
func (s *session) search(bp *blueprint, q *query.Query, page store.Page, f func(*view, store.Row) (more bool, err error)) error {
	narrowed, ids, empty, err := s.narrow(bp, q)
	if err != nil || empty {
		return err
	}
	m := s.matcher()
	scratch := s.viewOf(bp, nil)
	try := func(row store.Row) (bool, error) {
		*scratch = view{s: s, bp: bp, doc: row.Doc, key: entityKey{bp.id, row.Key[len(row.Key)-1]}}
		ok, err := m.match(q, scratch)
		if err != nil || !ok {
			return true, err
		}
		// A match keeps its view; those that do not match share one.
		v := scratch
		scratch = s.viewOf(bp, nil)
		return f(v, row)
	}
	if ids != nil && page.After == "" {
		return s.eachNamed(bp, ids, try)
	}
	var where store.Where
	if len(narrowed) > 0 {
		where = indexed{equals: narrowed}
	}
	for row, err := range s.entitiesOf(bp.id, where, page) {
		if err != nil {
			return err
		}
		more, err := try(row)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// eachNamed visits entities by identifier, in list order.
func (s *session) eachNamed(bp *blueprint, ids []string, try func(store.Row) (bool, error)) error {
	var found []*view
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		d, err := s.entity(entityKey{bp.id, id})
		if err != nil {
			return err
		}
		if d != nil {
			found = append(found, s.viewOf(bp, d))
		}
	}
	slices.SortStableFunc(found, compareViews)
	for _, v := range found {
		more, err := try(store.Row{Key: []string{s.actor.Org, bp.id, v.key.id}, Doc: v.doc})
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// narrow turns what every match fulfils into index conditions, or into the only
// identifiers that can match. empty is set when nothing of the blueprint can.
func (s *session) narrow(bp *blueprint, q *query.Query) (equals []store.Equal, ids []string, empty bool, err error) {
	for _, e := range q.Equals() {
		switch e.Name {
		case "$blueprint":
			if !slices.Contains(e.Values, any(bp.id)) {
				return nil, nil, true, nil
			}
			continue
		case "$identifier":
			if ids == nil {
				ids = []string{}
				for _, v := range e.Values {
					if id, ok := v.(string); ok {
						ids = append(ids, id)
					}
				}
			}
			continue
		}
		path, err := s.indexPath(bp, e.Name)
		if err != nil {
			return nil, nil, false, err
		}
		if path == "" {
			continue
		}
		values := make([]string, 0, len(e.Values))
		for _, v := range e.Values {
			text, ok := indexText(v)
			if !ok {
				path = ""
				break
			}
			values = append(values, text)
		}
		if path != "" {
			equals = append(equals, store.Equal{Path: path, Values: values})
		}
	}
	return equals, ids, false, nil
}

// indexPath names the index that knows every value of name, "" when none does:
// computed values and inherited teams are not stored.
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
	if strings.HasPrefix(name, "$") || bp.computed(name) != notComputed {
		return "", nil
	}
	if p, ok := bp.props[name]; ok {
		if f := fieldOf(p.def); f.Format == "date-time" || f.Format == "timer" {
			return "", nil
		}
		return indexProperty + name, nil
	}
	if _, ok := bp.relations[name]; ok {
		return indexRelation + name, nil
	}
	return "", nil
}
