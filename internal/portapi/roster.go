package portapi

import (
	"context"
	"fmt"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// The kinds of objects that have a list of all of them, whose elements are as
// whole as what a GET of one gives.
const (
	teamRoster   = "team"
	actionRoster = "action"
)

// roster is what was learnt of the objects of a kind since the last write that may
// concern them. Like a [shelf] it is replaced, never changed back.
type roster struct {
	reads  int
	all    *flight[byID]
	noList bool
}

// listed returns an object out of the list of its kind, nil while reads are few and
// when the list does not have it: only a GET says that it is gone, or finds it by
// another of its names. The object is the caller's to change.
func (r *reader) listed(ctx context.Context, kind, id string, fetch func(context.Context) (byID, error)) jsonv.Object {
	r.mu.Lock()
	x := r.rosters[kind]
	if x == nil {
		x = &roster{}
		r.rosters[kind] = x
	}
	x.reads++
	list := r.calling(ctx, x, fetch)
	r.mu.Unlock()
	if list == nil {
		return nil
	}
	all, err := list.wait(ctx)
	if err != nil {
		return nil
	}
	return jsonv.CloneObject(all[id])
}

// calling returns the list that a read is to wait for, nil for none. The caller
// holds r.mu.
func (r *reader) calling(ctx context.Context, x *roster, fetch func(context.Context) (byID, error)) *flight[byID] {
	if x.all != nil && x.all.join() {
		return x.all
	}
	after := listAfter
	if r.c.opts.Batch == BatchForced {
		after = 1
	}
	if x.noList || x.reads <= after {
		return nil
	}
	x.all = launch(ctx, func(ctx context.Context) (byID, error) {
		all, err := fetch(ctx)
		if err != nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			x.all, x.noList = nil, ctx.Err() == nil
			return nil, err
		}
		return all, nil
	})
	return x.all
}

// objectsIn returns the list of objects that an answer has under a key.
func objectsIn(answer jsonv.Object, key string) ([]jsonv.Object, error) {
	list, ok := answer[key].([]any)
	if !ok {
		return nil, fmt.Errorf("list of %s: want a list of %s, got %s", key, key, jsonv.KindOf(answer[key]))
	}
	out := make([]jsonv.Object, 0, len(list))
	for _, v := range list {
		o, ok := v.(jsonv.Object)
		if !ok {
			return nil, fmt.Errorf("list of %s: want %s, got %s in it", key, key, jsonv.KindOf(v))
		}
		out = append(out, o)
	}
	return out, nil
}
