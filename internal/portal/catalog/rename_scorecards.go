package catalog

import (
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// scorecardQueries lets the filters of the renamed key's blueprint's scorecards,
// and the queries of their rules, follow (reference/catalog.md §2.14 N4).
func (rw *rewriter) scorecardQueries() error {
	ids, err := rw.s.scorecardsOf(rw.bp.id, 0)
	if err != nil {
		return err
	}
	for _, id := range ids {
		card, err := rw.s.entity(entityKey{sysScorecard, id})
		if err != nil {
			return err
		}
		if err := rw.queryOf(sysScorecard, "filter", []store.Doc{card}); err != nil {
			return err
		}
		keys, err := rw.s.holders(reference{blueprint: sysRule, key: "scorecard"}, id)
		if err != nil {
			return err
		}
		docs := make([]store.Doc, len(keys))
		for i, k := range keys {
			if docs[i], err = rw.s.entity(k); err != nil {
				return err
			}
		}
		if err := rw.queryOf(sysRule, "query", docs); err != nil {
			return err
		}
	}
	return nil
}

// queryOf rewrites one property of entities that holds a query.
func (rw *rewriter) queryOf(blueprint, key string, docs []store.Doc) error {
	var changed []store.Doc
	for _, d := range docs {
		query := jsonv.Clone(jsonv.Map(d, "properties")[key])
		rw.changed = false
		rw.conditions(query)
		if rw.changed {
			e := &edit{doc: d}
			e.part("properties")[key] = query
			changed = append(changed, e.result)
		}
	}
	return rw.s.putFollowers(blueprint, changed)
}

// conditions rewrites the names in a query and in the groups below it.
func (rw *rewriter) conditions(query any) {
	group, ok := query.(jsonv.Object)
	if !ok {
		return
	}
	if name, ok := group["property"].(string); ok {
		group["property"] = rw.leaf(rw.bp, name)
	}
	if name, ok := group["relation"].(string); ok && name == rw.was && rw.kind.what == relationKey.what {
		group["relation"] = rw.is
		rw.changed = true
	}
	for _, list := range []string{"conditions", "rules"} {
		for _, condition := range jsonv.List(group, list) {
			rw.conditions(condition)
		}
	}
}
