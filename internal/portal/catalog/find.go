package catalog

import (
	"context"
	"slices"

	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Find lists the first entities, at most limit, that match a query in the whole
// catalog. What contextual values say is about actor.User.
func (c *Catalog) Find(ctx context.Context, tx store.Tx, actor Actor, body any, limit int) ([]any, error) {
	q, err := query.Parse(body, query.Options{Scope: query.CatalogWide})
	if err != nil {
		return nil, err
	}
	s := c.begin(ctx, tx, actor).reader()
	all, err := s.allBlueprints()
	if err != nil {
		return nil, err
	}
	var found []*view
	for _, bp := range all {
		n := 0
		err := s.search(bp, q, store.Page{Few: limit}, func(v *view, _ store.Row) (bool, error) {
			found = append(found, v)
			n++
			return n < limit, nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(found, compareViews)
	entities := []any{}
	p := ReadOptions{}.projection()
	for _, v := range found[:min(limit, len(found))] {
		e, err := s.render(v, p)
		if err != nil {
			return nil, err
		}
		entities = append(entities, e)
	}
	return entities, nil
}
