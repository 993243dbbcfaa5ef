package portapi

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// loading returns the load of a whole blueprint that a read is to wait for, or
// nil when the blueprint is not, or not yet, worth it. The caller holds r.mu.
func (r *reader) loading(ctx context.Context, blueprint string, s *shelf) *flight[byID] {
	if s.load != nil && s.load.join() {
		return s.load
	}
	if s.noLoad || !s.worthLoading(r.c.opts.Batch) {
		return nil
	}
	s.load = launch(ctx, func(ctx context.Context) (byID, error) {
		all, err := r.loadAll(ctx, blueprint, s)
		r.mu.Lock()
		defer r.mu.Unlock()
		if all == nil {
			s.load = nil // too large so far, or failed: searches go on
			s.noLoad = err != nil && ctx.Err() == nil
		}
		return all, err
	})
	return s.load
}

// worthLoading weighs a few large requests against the searches to come.
func (s *shelf) worthLoading(mode BatchMode) bool {
	if mode == BatchForced {
		return s.searches > 0
	}
	return s.reads > loadAfter && (s.count < 0 || small(s.count, s.reads))
}

func small(count, reads int) bool { return count <= loadSmall || count <= loadRatio*reads }

// loadAll pages through a blueprint, or returns nil when it turns out to be
// too large.
func (r *reader) loadAll(ctx context.Context, blueprint string, s *shelf) (byID, error) {
	if r.c.opts.Batch != BatchForced {
		count, err := r.count(ctx, blueprint, s)
		if err != nil {
			return nil, err
		}
		r.mu.Lock()
		s.count = count
		worth := small(count, s.reads)
		r.mu.Unlock()
		if !worth {
			return nil, nil
		}
	}
	all := byID{}
	body := jsonv.Object{"limit": jsonInt(pageSize)}
	for pages := 1; ; pages++ {
		page, next, err := r.search(ctx, blueprint, body)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, page)
		if next == "" {
			logBatch(ctx, blueprint, "read all entities", fields{"pages": pages, "entities": len(all)})
			return all, nil
		}
		if next == body["from"] {
			return nil, fmt.Errorf("search of blueprint %q: page %d points to itself", blueprint, pages)
		}
		body = jsonv.Object{"limit": jsonInt(pageSize), "from": next}
	}
}

// count asks how many entities there are, once for each shelf.
func (r *reader) count(ctx context.Context, blueprint string, s *shelf) (int, error) {
	r.mu.Lock()
	known := s.count
	r.mu.Unlock()
	if known >= 0 {
		return known, nil
	}
	answer, err := r.c.send(ctx, Op{Method: http.MethodGet, Path: []string{"blueprints", blueprint, "entities-count"}})
	if err != nil {
		return 0, err
	}
	n, ok := answer["count"].(json.Number)
	if !ok {
		return 0, fmt.Errorf("count of blueprint %q: want a number, got %s", blueprint, jsonv.KindOf(answer["count"]))
	}
	f, err := n.Float64()
	if err != nil || f < 0 || f > 1e12 {
		return 0, fmt.Errorf("count of blueprint %q: got %s", blueprint, n)
	}
	return int(f), nil
}
