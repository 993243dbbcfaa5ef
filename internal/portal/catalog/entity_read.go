package catalog

import (
	"context"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// ReadEntity returns one entity.
func (c *Catalog) ReadEntity(ctx context.Context, tx store.Tx, actor Actor, blueprint, id string, o ReadOptions) (jsonv.Object, error) {
	s := c.begin(ctx, tx, actor).reader()
	if _, err := s.needBlueprint(blueprint); err != nil {
		return nil, err
	}
	id, err := s.spelled(blueprint, id)
	if err != nil {
		return nil, err
	}
	v, err := s.view(entityKey{blueprint, id})
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, fault.NotFound("Entity", id).With("blueprint", blueprint)
	}
	return s.render(v, o.projection())
}

// ListEntities returns the answer's parts: "entities" and, with AllowPartial,
// "failedBlueprints".
func (c *Catalog) ListEntities(ctx context.Context, tx store.Tx, actor Actor, blueprint string, o ReadOptions) (jsonv.Object, error) {
	s := c.begin(ctx, tx, actor).reader()
	bp, err := s.needBlueprint(blueprint)
	if err != nil {
		return nil, err
	}
	entities := []any{}
	p := o.projection()
	err = s.search(bp, query.All(), store.Page{}, func(v *view, _ store.Row) (bool, error) {
		e, err := s.render(v, p)
		entities = append(entities, e)
		return true, err
	})
	if err != nil {
		return nil, err
	}
	out := jsonv.Object{"entities": entities}
	if o.AllowPartial {
		out["failedBlueprints"] = []any{}
	}
	return out, nil
}
