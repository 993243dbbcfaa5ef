package catalog

import (
	"cmp"
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
	return compareIn(jsonv.String(a.doc, "createdAt"), a.key.id, jsonv.String(b.doc, "createdAt"), b.key.id)
}

func compareIn(createdA, a, createdB, b string) int {
	return cmp.Or(strings.Compare(createdA, createdB), strings.Compare(a, b))
}

// search yields a blueprint's entities that match, in list order, until f says
// that it has enough. An index narrows what is looked at; the query alone decides.
func (s *session) search(bp *blueprint, q *query.Query, page store.Page, f func(*view, store.Row) (more bool, err error)) error {
	n, err := s.narrow(bp, q)
	if err != nil || n.nothing {
		return err
	}
	if page.After == "" {
		page.After = n.after
	}
	var where store.Where
	if len(n.equals) > 0 {
		where = indexed{equals: n.equals}
	}
	m := s.matcher()
	scratch := s.viewOf(bp, nil)
	for row, err := range s.entitiesOf(bp.id, where, page) {
		if err != nil {
			return err
		}
		if n.last != "" && jsonv.String(row.Doc, "createdAt") > n.last {
			return nil
		}
		*scratch = view{s: s, bp: bp, doc: row.Doc, key: entityKey{bp.id, row.Key[len(row.Key)-1]}}
		ok, err := m.match(q, scratch)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		// A match keeps its view; those that do not match share one.
		v := scratch
		scratch = s.viewOf(bp, nil)
		if more, err := f(v, row); err != nil || !more {
			return err
		}
	}
	return nil
}
