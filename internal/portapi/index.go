package portapi

import (
	"context"
	"fmt"
	"net/http"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// index is what was learnt of blueprints since the last write that may concern
// them. Like a [shelf] it is replaced, never changed back.
type index struct {
	one    map[string]*flight[jsonv.Object] // by identifier
	all    *flight[byID]                    // the list, whose elements are whole documents
	noList bool
}

// blueprint returns the shared document, which must not be changed.
func (r *reader) blueprint(ctx context.Context, identifier string) (jsonv.Object, error) {
	r.mu.Lock()
	x := r.index
	f := x.one[identifier]
	if f != nil && f.join() {
		r.mu.Unlock()
		return f.wait(ctx)
	}
	if list := r.listing(ctx, x); list != nil {
		r.mu.Unlock()
		all, err := list.wait(ctx)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if b, ok := all[identifier]; ok && err == nil {
			return b, nil
		}
		// Not in the list: only a GET says that it is gone.
		r.mu.Lock()
	}
	if f = x.one[identifier]; f == nil || !f.join() {
		f = launch(ctx, func(ctx context.Context) (jsonv.Object, error) {
			b, err := r.c.getBlueprint(ctx, identifier)
			if err != nil {
				r.mu.Lock()
				defer r.mu.Unlock()
				delete(x.one, identifier)
			}
			return b, err
		})
		x.one[identifier] = f
	}
	r.mu.Unlock()
	return f.wait(ctx)
}

// listing returns the list that a read is to wait for, or nil while reads are
// few. The caller holds r.mu.
func (r *reader) listing(ctx context.Context, x *index) *flight[byID] {
	if x.all != nil && x.all.join() {
		return x.all
	}
	after := listAfter
	if r.c.opts.Batch == BatchForced {
		after = 1
	}
	if x.noList || len(x.one) < after {
		return nil
	}
	x.all = launch(ctx, func(ctx context.Context) (byID, error) {
		all, err := r.listBlueprints(ctx)
		if err != nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			x.all, x.noList = nil, ctx.Err() == nil
		}
		return all, err
	})
	return x.all
}

func (r *reader) listBlueprints(ctx context.Context) (byID, error) {
	answer, err := r.c.send(ctx, Op{Method: http.MethodGet, Path: []string{"blueprints"}, Query: withoutCalculated()})
	if err != nil {
		return nil, err
	}
	list, ok := answer["blueprints"].([]any)
	if !ok {
		return nil, fmt.Errorf("list of blueprints: got %s", jsonv.KindOf(answer["blueprints"]))
	}
	all := make(byID, len(list))
	for _, v := range list {
		if b, ok := v.(jsonv.Object); ok {
			all[text(b, "identifier")] = b
		}
	}
	return all, nil
}
