package portapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// BatchMode says how reads of entities, blueprints, teams and actions are merged.
// Results do not depend on it.
type BatchMode int

const (
	// BatchOn merges reads that come together and pages through a blueprint
	// that is read often.
	BatchOn BatchMode = iota
	// BatchOff sends one GET for each read and caches nothing.
	BatchOff
	// BatchForced merges even single reads and pages from the second search
	// on, however large the blueprint: for tests of the merged path.
	BatchForced
)

const (
	// gatherWindow is how long a read waits for company.
	gatherWindow = 20 * time.Millisecond
	// gatherMost sends a search before the window is over. Terraform walks ten
	// resources at a time, so with ten at hand nobody else is coming.
	gatherMost = 10
	// loadAfter is the number of reads of one blueprint after which it pays to
	// ask how many entities there are.
	loadAfter = 30
	// loadSmall and loadRatio say which blueprints are then read whole.
	loadSmall = 5000
	loadRatio = 20
	// listAfter is the number of blueprints, teams or actions read one by one after
	// which the list of all of them is asked for instead.
	listAfter = 10
	// pageSize is the API's maximum; reference/catalog.md §5.2.
	pageSize = 1000
)

// ReadEntity returns one entity as GET …?exclude_calculated_properties=true
// gives it, out of its envelope. A missing one is a fault that [IsNotFound].
// The object is the caller's to change.
func (c *Client) ReadEntity(ctx context.Context, blueprint, identifier string) (jsonv.Object, error) {
	ctx = withLog(ctx, c)
	if blueprint == "" || identifier == "" {
		return nil, errors.New("read of an entity: want a blueprint and an identifier")
	}
	if c.opts.Batch == BatchOff {
		return c.getEntity(ctx, blueprint, identifier)
	}
	return c.reads.entity(ctx, blueprint, identifier)
}

// ReadBlueprint returns one blueprint out of its envelope, from memory when it
// was read before and nothing was written since. Use [Client.Call] for the read
// of a read-modify-write. The object is the caller's to change.
func (c *Client) ReadBlueprint(ctx context.Context, identifier string) (jsonv.Object, error) {
	ctx = withLog(ctx, c)
	if c.opts.Batch == BatchOff {
		return c.getBlueprint(ctx, identifier)
	}
	b, err := c.reads.blueprint(ctx, identifier)
	return jsonv.CloneObject(b), err
}

func withoutCalculated() url.Values {
	return url.Values{"exclude_calculated_properties": {"true"}}
}

func (c *Client) getEntity(ctx context.Context, blueprint, identifier string) (jsonv.Object, error) {
	return c.getOne(ctx, "entity", "blueprints", blueprint, "entities", identifier)
}

func (c *Client) getBlueprint(ctx context.Context, identifier string) (jsonv.Object, error) {
	return c.getOne(ctx, "blueprint", "blueprints", identifier)
}

func (c *Client) getOne(ctx context.Context, key string, path ...string) (jsonv.Object, error) {
	answer, err := c.send(ctx, Op{Method: http.MethodGet, Path: path, Query: withoutCalculated()})
	if err != nil {
		return nil, err
	}
	o, ok := answer[key].(jsonv.Object)
	if !ok {
		return nil, fmt.Errorf("GET /v1/%s %q: want %q in the answer, got %s",
			path[0], path[len(path)-1], key, jsonv.KindOf(answer[key]))
	}
	return o, nil
}

// reader merges reads. What it knows is thrown away whole at every write: one
// entity's change reaches others through relations, renames and deletions.
type reader struct {
	c *Client

	mu      sync.Mutex
	shelves map[string]*shelf // by blueprint
	index   *index
	rosters map[string]*roster // by kind
}

// byID holds entities by identifier.
type byID = map[string]jsonv.Object

// shelf is what was learnt of one blueprint's entities since the last write.
// Replacing a shelf is what invalidates it: work under way ends up on the old
// one, where only those who came before the write wait for it.
type shelf struct {
	reads    int
	searches int
	count    int // of the blueprint's entities; -1 while unknown
	pending  *gathering
	load     *flight[byID] // pages through the blueprint; nil result: too large
	single   map[string]*flight[jsonv.Object]
	// The server refused these here; single GETs serve as well.
	noSearch, noLoad bool
}

// gathering is a search that still takes identifiers.
type gathering struct {
	*flight[haul]
	ids  map[string]bool
	full chan struct{}
}

// haul is what a gathering brought. A final error is a GET's own verdict.
type haul struct {
	found byID
	final error
}

func newReader(c *Client) *reader {
	r := &reader{c: c}
	r.drop(false)
	return r
}

// drop forgets entities, and blueprints unless they are known to be untouched.
func (r *reader) drop(entitiesOnly bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shelves = map[string]*shelf{}
	delete(r.rosters, teamRoster) // teams and their members are entities, too
	if !entitiesOnly {
		r.rosters = map[string]*roster{}
		r.index = &index{one: map[string]*flight[jsonv.Object]{}}
	}
}

func (r *reader) entity(ctx context.Context, blueprint, id string) (jsonv.Object, error) {
	r.mu.Lock()
	s := r.shelves[blueprint]
	if s == nil {
		s = &shelf{count: -1, single: map[string]*flight[jsonv.Object]{}}
		r.shelves[blueprint] = s
	}
	s.reads++
	if load := r.loading(ctx, blueprint, s); load != nil {
		r.mu.Unlock()
		all, err := load.wait(ctx)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err == nil && all != nil {
			if e, ok := all[id]; ok {
				return jsonv.CloneObject(e), nil
			}
			return r.get(ctx, s, blueprint, id)
		}
		r.mu.Lock()
	}
	if s.noSearch {
		r.mu.Unlock()
		return r.get(ctx, s, blueprint, id)
	}
	g := r.gather(ctx, blueprint, s, id)
	r.mu.Unlock()
	h, err := g.wait(ctx)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if h.final != nil {
		return nil, h.final
	}
	if e, ok := h.found[id]; ok && err == nil {
		return jsonv.CloneObject(e), nil
	}
	// Not found, or the search was refused: only a GET says for sure.
	return r.get(ctx, s, blueprint, id)
}

// get reads one entity by itself; equal reads at one time share a request.
func (r *reader) get(ctx context.Context, s *shelf, blueprint, id string) (jsonv.Object, error) {
	r.mu.Lock()
	f := s.single[id]
	if f == nil || !f.join() {
		f = launch(ctx, func(ctx context.Context) (jsonv.Object, error) {
			e, err := r.c.getEntity(ctx, blueprint, id)
			r.mu.Lock()
			defer r.mu.Unlock()
			delete(s.single, id)
			return e, err
		})
		s.single[id] = f
	}
	r.mu.Unlock()
	e, err := f.wait(ctx)
	return jsonv.CloneObject(e), err
}

// gather puts id into the search that is being collected. The caller holds
// r.mu and waits for the result.
func (r *reader) gather(ctx context.Context, blueprint string, s *shelf, id string) *gathering {
	g := s.pending
	if g == nil || !g.join() {
		g = &gathering{ids: map[string]bool{}, full: make(chan struct{})}
		g.flight = launch(ctx, func(ctx context.Context) (haul, error) {
			return r.gathered(ctx, blueprint, s, g)
		})
		s.pending = g
	}
	g.ids[id] = true
	if len(g.ids) >= gatherMost {
		s.pending = nil
		close(g.full)
	}
	return g
}

// gathered waits for the window to close and searches for what was collected.
func (r *reader) gathered(ctx context.Context, blueprint string, s *shelf, g *gathering) (haul, error) {
	select {
	case <-r.c.clock.After(gatherWindow):
	case <-g.full:
	case <-ctx.Done():
	}
	r.mu.Lock()
	if s.pending == g {
		s.pending = nil
	}
	ids := make([]string, 0, len(g.ids))
	for id := range g.ids {
		ids = append(ids, id)
	}
	s.searches++
	r.mu.Unlock()
	if err := context.Cause(ctx); err != nil {
		return haul{}, err
	}
	if len(ids) == 1 && r.c.opts.Batch != BatchForced {
		e, err := r.c.getEntity(ctx, blueprint, ids[0])
		return haul{found: byID{ids[0]: e}, final: err}, nil
	}
	slices.Sort(ids)
	found, _, err := r.search(ctx, blueprint, jsonv.Object{
		"query": jsonv.Object{"combinator": "and", "rules": []any{
			jsonv.Object{"property": "$identifier", "operator": "in", "value": anys(ids)},
		}},
		"limit": jsonInt(len(ids)),
	})
	logBatch(ctx, blueprint, "merged reads", fields{"reads": len(ids), "found": len(found)})
	if refused(err) {
		r.mu.Lock()
		defer r.mu.Unlock()
		s.noSearch = true
	}
	return haul{found: found}, err
}

// refused reports an answer that will not differ next time.
func refused(err error) bool {
	f, ok := AsFault(err)
	return ok && f.Status < 500 && f.Status != http.StatusTooManyRequests
}

// search runs one scoped search. The published schema of this route knows no
// exclude_calculated_properties, so values a server sends all the same are
// taken out by the blueprint's definition.
func (r *reader) search(ctx context.Context, blueprint string, body jsonv.Object) (byID, string, error) {
	definition, err := r.blueprint(ctx, blueprint)
	if err != nil {
		return nil, "", err
	}
	answer, err := r.c.send(ctx, Op{
		Method: http.MethodPost, Path: []string{"blueprints", blueprint, "entities", "search"},
		Query: withoutCalculated(), Body: body,
	})
	if err != nil {
		return nil, "", err
	}
	found, next, err := pageOf(blueprint, answer)
	for _, e := range found {
		stripCalculated(e, definition)
	}
	return found, next, err
}

// pageOf reads the answer of a scoped search.
func pageOf(blueprint string, answer jsonv.Object) (byID, string, error) {
	list, ok := answer["entities"].([]any)
	if !ok {
		return nil, "", fmt.Errorf("search of blueprint %q: want a list of entities, got %s", blueprint, jsonv.KindOf(answer["entities"]))
	}
	found := make(byID, len(list))
	for _, v := range list {
		e, ok := v.(jsonv.Object)
		if !ok {
			continue
		}
		if id := text(e, "identifier"); id != "" {
			found[id] = e
		}
	}
	return found, text(answer, "next"), nil
}

func stripCalculated(entity, blueprint jsonv.Object) {
	properties, ok := entity["properties"].(jsonv.Object)
	if !ok {
		return
	}
	for _, kind := range []string{"mirrorProperties", "calculationProperties", "aggregationProperties"} {
		definitions, ok := blueprint[kind].(jsonv.Object)
		if !ok {
			continue
		}
		for key := range definitions {
			delete(properties, key)
		}
	}
}

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

func jsonInt(n int) json.Number { return json.Number(strconv.Itoa(n)) }
