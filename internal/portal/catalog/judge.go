package catalog

import (
	"context"
	"errors"

	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Judged is what was found about an entity: Matches tells of each query whether
// it does.
type Judged struct {
	Identifier string
	Matches    []bool
}

// Judge matches the first entities of a blueprint, in list order, with queries about
// rights as they would be asked for a user.
func (c *Catalog) Judge(ctx context.Context, tx store.Tx, org, user, blueprint string, limit int, queries ...*query.Query) ([]Judged, error) {
	s := c.begin(ctx, tx, Actor{Org: org, User: user})
	bp, err := s.needBlueprint(blueprint)
	if err != nil {
		return nil, err
	}
	var out []Judged
	for row, err := range s.entitiesOf(blueprint, nil, store.Page{Limit: limit}) {
		if err != nil {
			return nil, err
		}
		v := s.viewOf(bp, row.Doc)
		j := Judged{Identifier: v.key.id, Matches: make([]bool, len(queries))}
		for i, q := range queries {
			if j.Matches[i], err = s.policies().match(q, v); err != nil {
				return nil, err
			}
		}
		out = append(out, j)
	}
	return out, nil
}

// EntityExists tells whether a blueprint has an entity.
func EntityExists(tx store.Tx, org, blueprint, id string) (bool, error) {
	_, err := tx.Get(KindEntity, org, blueprint, id)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
