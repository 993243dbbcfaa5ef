package catalog

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// GlobalQuery are the query parameters of GET /v1/search (reference/catalog.md
// §4.14) and what the organization says about it.
type GlobalQuery struct {
	Index, Text, Size string
	// Included tells whether blueprints that do not say so take part (§2.11).
	Included bool
}

// maxGlobal is the most results, and how many there are when nobody asks for fewer.
const maxGlobal = 100

// SearchGlobally finds the entities whose identifier, title or stored property
// values contain a text, in list order. Without a text it finds nothing.
func (c *Catalog) SearchGlobally(ctx context.Context, tx store.Tx, actor Actor, in GlobalQuery) ([]any, error) {
	size, err := in.check()
	if err != nil {
		return nil, err
	}
	results := []any{}
	wanted := strings.ToLower(in.Text)
	if wanted == "" {
		return results, nil
	}
	s := c.begin(ctx, tx, actor).reader()
	all, err := s.allBlueprints()
	if err != nil {
		return nil, err
	}
	var found []*view
	for _, bp := range all {
		if !bp.globallySearched(in.Included) {
			continue
		}
		n := 0
		err := s.search(bp, query.All(), store.Page{Few: size}, func(v *view, _ store.Row) (bool, error) {
			if mentions(v.doc, wanted) {
				found = append(found, v)
				n++
			}
			return n < size, nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(found, compareViews)
	for _, v := range found[:min(len(found), size)] {
		e, err := s.render(v, projection{noCalculated: true})
		if err != nil {
			return nil, err
		}
		results = append(results, e)
	}
	return results, nil
}

func (g *GlobalQuery) check() (size int, err error) {
	var p fault.Problems
	if g.Index != "" && g.Index != "properties" {
		p.Add("/index", "must be properties")
	}
	size = maxGlobal
	if g.Size != "" {
		n, err := strconv.Atoi(g.Size)
		if err != nil || n < 1 || n > maxGlobal {
			p.Add("/size", "want an integer from 1 to %d", maxGlobal)
		} else {
			size = n
		}
	}
	return size, p.Invalid()
}

// globallySearched tells whether the blueprint's entities are found; rule results
// never are.
func (b *blueprint) globallySearched(included bool) bool {
	if b.id == "_rule_result" {
		return false
	}
	if own, ok := b.doc["includeInGlobalSearch"].(bool); ok {
		return own
	}
	return included
}

// mentions tells whether a text in lower case is part of an entity.
func mentions(d store.Doc, wanted string) bool {
	return holdsText(d["identifier"], wanted) || holdsText(d["title"], wanted) || holdsText(d["properties"], wanted)
}

func holdsText(value any, wanted string) bool {
	switch value := value.(type) {
	case string:
		return strings.Contains(strings.ToLower(value), wanted)
	case json.Number:
		return strings.Contains(string(jsonv.CanonicalNumber(value)), wanted)
	case []any:
		return slices.ContainsFunc(value, func(e any) bool { return holdsText(e, wanted) })
	case jsonv.Object:
		for _, e := range value {
			if holdsText(e, wanted) {
				return true
			}
		}
	}
	return false
}
