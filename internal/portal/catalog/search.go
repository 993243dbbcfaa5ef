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
	s := c.begin(ctx, tx, actor).reader()
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

// search yields a blueprint's entities that match and that the caller may read, in
// list order, until f says that it has enough. An index narrows what is looked at,
// by what either of the two asks for; they alone decide.
func (s *session) search(bp *blueprint, q *query.Query, page store.Page, f func(*view, store.Row) (more bool, err error)) error {
	may, err := s.grant(bp.id)
	if err != nil || may.None() {
		return err
	}
	n, err := s.narrow(s.matcher(), bp, q)
	if err != nil || n.nothing {
		return err
	}
	if !may.All {
		if n, err = s.narrowed(bp, n, may.Among); err != nil || n.nothing {
			return err
		}
	}
	if page.After == "" && n.first != "" {
		// No key is as short as this one, so it stands before all of that moment.
		page.After = store.Cursor(store.Row{Key: []string{""}, Doc: store.Doc{"createdAt": n.first}})
	}
	var where store.Where
	if len(n.equals) > 0 {
		where = indexed{equals: n.equals}
	}
	m := s.matcher()
	scratch, twin := s.viewOf(bp, nil), (*view)(nil)
	if !may.All {
		twin = &view{}
	}
	for row, err := range s.entitiesOf(bp.id, where, page) {
		if err != nil {
			return err
		}
		if n.last != "" && jsonv.String(row.Doc, "createdAt") > n.last {
			return nil
		}
		*scratch = view{s: s, bp: bp, doc: row.Doc, key: entityKey{bp.id, row.Key[len(row.Key)-1]}, twin: twin}
		if !may.All {
			*twin = view{s: s.whole, bp: bp, doc: row.Doc, key: scratch.key}
			if ok, err := s.whole.policies().match(may.Among, twin); err != nil {
				return err
			} else if !ok {
				continue
			}
		}
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
		if !may.All {
			twin = &view{}
		}
		if more, err := f(v, row); err != nil || !more {
			return err
		}
	}
	return nil
}
