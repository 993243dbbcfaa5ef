package catalog

import (
	"context"
	"errors"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// maxBulk is the most entities of one bulk upsert.
const maxBulk = 20

// BulkUpsert writes up to 20 entities and returns the answer's parts "entities"
// and "errors", both always arrays; the status is 207 when "errors" is not empty
// (reference/catalog.md §4.10).
func (c *Catalog) BulkUpsert(ctx context.Context, tx store.Tx, actor Actor, blueprint string, body any, o WriteOptions) (jsonv.Object, error) {
	items, err := readBulk(body)
	if err != nil {
		return nil, err
	}
	s := c.begin(ctx, tx, actor)
	s.dry = o.ValidationOnly
	bp, err := s.openBlueprint(blueprint, o.RunID)
	if err != nil {
		return nil, err
	}
	var out jsonv.Object
	err = s.together(func() (err error) {
		out, err = s.bulkItems(bp, items, o)
		return err
	})
	return out, err
}

func (s *session) bulkItems(bp *blueprint, items []entityBody, o WriteOptions) (jsonv.Object, error) {
	entities, failures := []any{}, []any{}
	for i, in := range items {
		w, id, err := s.bulkItem(bp, in, o)
		var f *fault.Fault
		switch {
		case err == nil:
			entry := jsonv.Object{"identifier": w.id, "index": jsonv.Int(i), "created": w.existing == nil}
			if additional := s.additional[entityKey{bp.id, w.id}]; additional != nil && w.existing == nil {
				entry["additionalData"] = additional
			}
			entities = append(entities, entry)
		case errors.As(err, &f):
			failures = append(failures, jsonv.Object{
				"identifier": id, "index": jsonv.Int(i), "statusCode": jsonv.Int(f.Status), "error": f.Code, "message": f.Message,
			})
			if in.idQuery != nil && id == unknownItem {
				id = "" // nothing is called so
			}
			if err := s.refused(bp, id, o.Upsert, f.Message); err != nil {
				return nil, err
			}
		default:
			return nil, err
		}
	}
	return jsonv.Object{"entities": entities, "errors": failures}, nil
}

// unknownItem is what an item is called whose identifier query found nothing (B5).
const unknownItem = "unknown"

// bulkItem writes one item and says what to call it when it fails (B5).
func (s *session) bulkItem(bp *blueprint, in entityBody, o WriteOptions) (*write, string, error) {
	var err error
	switch {
	case in.idQuery != nil:
		if in.id, err = s.selectOne(bp, in.idQuery); err != nil {
			return nil, unknownItem, err
		}
		in.idQuery = nil
	case in.id == "":
		in.id = s.cat.deps.IDs.Entity()
	}
	w, err := s.upsert(bp, in, o)
	return w, in.id, err
}

// readBulk checks the whole body; one misshapen item fails the call (B7).
func readBulk(body any) ([]entityBody, error) {
	r := &reader{}
	in := r.object(body)
	if body == nil {
		r.add(nil, "want an object, got null")
	}
	r.closed(in, nil, "entities")
	list, ok := in["entities"].([]any)
	if !ok {
		r.add([]string{"entities"}, "want an array of entities")
	} else if len(list) < 1 || len(list) > maxBulk {
		r.add([]string{"entities"}, "takes 1 to %d entities, got %d", maxBulk, len(list))
		return nil, r.problems.Invalid()
	}
	items := make([]entityBody, len(list))
	for i, e := range list {
		items[i] = r.entityBody(e, false, "entities", string(jsonv.Int(i)))
	}
	return items, r.problems.Invalid()
}
