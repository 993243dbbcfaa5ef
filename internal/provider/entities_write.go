package provider

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// groupWrite is one create, update or delete of a port_entities under way.
type groupWrite struct {
	*change
	blueprint string
	want, had jsonv.Object // bodies by identifier
	held      lens.Obj     // what the bodies of had are in the state
	relations jsonv.Object // of the blueprint
	needs     needs        // among the entities that are written
	later     map[string]jsonv.Object

	mu      sync.Mutex
	done    map[string]jsonv.Object // what was written, by identifier
	failed  map[string]error
	gone    map[string]bool
	adopted []string
	stop    error // why no more was sent
}

// writeEntities creates or updates a group: it sends the entities that differ
// from the prior state and deletes those that are not listed any more. What
// worked is kept also when something failed.
func writeEntities(ctx context.Context, c *change) (jsonv.Object, error) {
	w := newGroupWrite(c)
	if c.prior.IsNull() {
		w.inherit()
	}
	if err := w.upsert(ctx); err != nil {
		return nil, err
	}
	if w.stop == nil {
		w.remove(ctx, w.removed())
	}
	w.tellAdopted()
	if len(w.failed) == 0 && w.stop == nil {
		return c.body, nil
	}
	c.keep(w.state())
	return nil, &diagnosed{w.diagnose()}
}

// deleteEntities deletes the entities of a group, those that require others of it
// first.
func deleteEntities(ctx context.Context, c *change) error {
	w := newGroupWrite(c)
	if err := w.handOver(); err != nil {
		return err
	}
	w.remove(ctx, w.removed())
	if len(w.failed) == 0 && w.stop == nil {
		return nil
	}
	return &diagnosed{w.diagnose()}
}

func newGroupWrite(c *change) *groupWrite {
	w := &groupWrite{
		change: c, want: jsonv.Map(c.body, "entities"), had: jsonv.Object{}, held: elements(c.prior),
		needs: needs{}, later: map[string]jsonv.Object{},
		done: map[string]jsonv.Object{}, failed: map[string]error{}, gone: map[string]bool{},
	}
	maps.Copy(w.had, jsonv.Map(c.before, "entities"))
	w.blueprint = jsonv.String(c.before, "blueprint")
	if c.body != nil {
		w.blueprint = jsonv.String(c.body, "blueprint")
	}
	return w
}

// changed are the entities to send, sorted.
func (w *groupWrite) changed() []string {
	var out []string
	for id, body := range w.want {
		if was, ok := w.had[id]; !ok || !jsonv.Equal(was, body) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// removed are the entities to delete, sorted.
func (w *groupWrite) removed() []string {
	var out []string
	for id := range w.had {
		if _, stays := w.want[id]; !stays && !w.wrote(w.blueprint, id) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// upsert writes what changed. Relations to entities that come later, which only
// circles have, are left out first and sent once all are there.
func (w *groupWrite) upsert(ctx context.Context) error {
	changed := w.changed()
	if len(changed) == 0 {
		return nil
	}
	definition, err := w.api.ReadBlueprint(ctx, w.blueprint)
	if err != nil {
		return err
	}
	w.relations = jsonv.Map(definition, "relations")
	bodies, err := w.bodies(ctx, definition, changed)
	if err != nil {
		return err
	}
	w.relate(changed)
	order := ordered(changed, w.needs)
	along := w.withhold(order, bodies)
	for _, phase := range w.phases(order, along) {
		w.send(ctx, phase, bodies)
	}
	if w.stop == nil && len(w.later) > 0 {
		ids := slices.DeleteFunc(slices.Sorted(maps.Keys(w.later)), func(id string) bool { return w.done[id] == nil })
		w.send(ctx, phase{ids: ids, upsert: true, again: true}, w.later)
	}
	return nil
}

// bodies are what is sent for each entity: its body with the identifier and, for
// entities that are replaced, the defaults that are in force without being
// listed.
func (w *groupWrite) bodies(ctx context.Context, definition jsonv.Object, changed []string) (map[string]jsonv.Object, error) {
	out, silent := map[string]jsonv.Object{}, map[string]jsonv.Object{}
	for _, id := range changed {
		body := maps.Clone(jsonv.Map(w.want, id))
		body["identifier"] = id
		out[id] = body
		if was := jsonv.Map(w.had, id); was != nil {
			if s := silentDefaults(definition, body, was); len(s) > 0 {
				silent[id] = s
			}
		}
	}
	if len(silent) == 0 {
		return out, nil
	}
	found, err := w.api.FindEntities(ctx, w.blueprint, slices.Sorted(maps.Keys(silent)))
	if err != nil {
		return nil, err
	}
	for id, s := range silent {
		out[id] = withSilent(out[id], found[id], s)
	}
	return out, nil
}

// relate finds out which of the entities relate to others that are not there yet.
func (w *groupWrite) relate(changed []string) {
	for _, id := range changed {
		for key := range jsonv.Map(w.want, id, "relations") {
			for _, other := range w.related(w.want, id, key) {
				_, listed := w.want[other]
				if _, there := w.had[other]; there || !listed || other == id {
					continue
				}
				if w.needs[id] == nil {
					w.needs[id] = map[string]bool{}
				}
				w.needs[id][other] = w.needs[id][other] || w.required(key)
			}
		}
	}
}

// related are the entities of the same blueprint that a relation names.
func (w *groupWrite) related(bodies jsonv.Object, id, key string) []string {
	if jsonv.String(w.relations, key, "target") != w.blueprint {
		return nil
	}
	value, _ := jsonv.Get(bodies, id, "relations", key)
	if one, ok := value.(string); ok {
		return []string{one}
	}
	return jsonv.Strings(value)
}

func (w *groupWrite) required(key string) bool { return jsonv.Bool(w.relations, key, "required") }

// withhold takes optional relations to entities that come later out of bodies and
// remembers the whole bodies. It returns the entities that come into being along
// with others that require them.
func (w *groupWrite) withhold(order []string, bodies map[string]jsonv.Object) (along map[string]bool) {
	place := make(map[string]int, len(order))
	for i, id := range order {
		place[id] = i
	}
	along = map[string]bool{}
	creates := lens.AsBool(lens.AsObj(w.plan)["create_missing_related_entities"])
	for i, id := range order {
		if len(w.needs[id]) == 0 {
			continue
		}
		comesLater := func(other string) bool {
			at, ok := place[other]
			_, need := w.needs[id][other]
			return ok && need && at > i
		}
		relations := maps.Clone(jsonv.Map(bodies[id], "relations"))
		cut := false
		for key := range jsonv.Map(bodies[id], "relations") {
			others := w.related(w.want, id, key)
			if !slices.ContainsFunc(others, comesLater) {
				continue
			}
			if w.required(key) {
				for _, other := range others {
					along[other] = along[other] || creates && comesLater(other)
				}
				continue
			}
			cut = true
			if _, single := relations[key].(string); single {
				delete(relations, key)
			} else {
				relations[key] = jsonv.FromStrings(slices.DeleteFunc(slices.Clone(others), comesLater))
			}
		}
		if cut {
			w.later[id] = bodies[id]
			less := maps.Clone(bodies[id])
			less["relations"] = relations
			bodies[id] = less
		}
	}
	return along
}

// phase is a number of entities that are sent the same way.
type phase struct {
	ids    []string
	upsert bool
	// again marks entities that this write made or replaced already.
	again bool
}

// phases divides the entities when existing ones must not be taken over: those
// that are new go first, without upsert.
func (w *groupWrite) phases(order []string, along map[string]bool) []phase {
	if w.adopt {
		return []phase{{ids: order, upsert: true}}
	}
	var fresh, known []string
	for _, id := range order {
		if _, there := w.had[id]; there || along[id] {
			known = append(known, id)
		} else {
			fresh = append(fresh, id)
		}
	}
	return []phase{{ids: fresh}, {ids: known, upsert: true}}
}

// send writes entities in batches. Entities that failed for want of others which
// are there by now are sent again: not every server keeps to the order of a call.
func (w *groupWrite) send(ctx context.Context, p phase, bodies map[string]jsonv.Object) {
	query := w.query()
	if p.upsert {
		query.Set("upsert", "true")
	}
	for ids := p.ids; len(ids) > 0 && w.stop == nil; {
		inParallel(ctx, inBatches(ids, portapi.BulkUpsertMost), w.needs, func(batch []string) bool {
			return w.call(ctx, p, batch, bodies, query)
		})
		if w.stop == nil && ctx.Err() != nil {
			w.stop = context.Cause(ctx)
		}
		again := w.orphans(ids)
		if len(again) == len(ids) {
			return
		}
		ids = again
	}
}

// query is what travels beside every call.
func (w *groupWrite) query() url.Values { return entityQuery(w.change) }

// call sends one batch and notes what became of it.
func (w *groupWrite) call(ctx context.Context, p phase, batch []string, bodies map[string]jsonv.Object, query url.Values) bool {
	list := make([]jsonv.Object, len(batch))
	for i, id := range batch {
		list[i] = bodies[id]
	}
	items, err := w.api.UpsertEntities(ctx, w.blueprint, list, query)
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, id := range batch {
		switch item := items[i]; {
		case !item.Done:
		case item.Err != nil:
			w.failed[id] = item.Err
		default:
			delete(w.failed, id)
			_, known := w.had[id]
			if !known && !p.again && !item.Created {
				w.adopted = append(w.adopted, id)
			}
			w.done[id] = bodies[id]
			w.writes(w.blueprint, id)
		}
	}
	if err != nil && w.stop == nil {
		w.stop = err
	}
	return err == nil
}

// orphans are the entities that failed because another was missing which has been
// written since.
func (w *groupWrite) orphans(ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		f, ok := portapi.AsFault(w.failed[id])
		if !ok || f.Status != http.StatusNotFound {
			return true
		}
		for other := range w.needs[id] {
			if w.done[other] != nil {
				return false
			}
		}
		return true
	})
}

// tellAdopted warns of entities that appeared since the plan and were taken over.
func (w *groupWrite) tellAdopted() {
	if len(w.adopted) > 0 {
		w.warn(existingSummary(w.blueprint, w.adopted), "They were taken over and their content replaced: "+enumerate(w.adopted, 10)+".")
	}
}

// remove deletes entities. What requires others among them goes before these.
func (w *groupWrite) remove(ctx context.Context, ids []string) {
	if len(ids) == 0 {
		return
	}
	n, err := w.departure(ctx, ids)
	if portapi.IsNotFound(err) {
		return // the blueprint is gone, and they with it
	}
	if err != nil {
		w.stop = err
		return
	}
	query := w.query()
	query.Del("create_missing_related_entities")
	for todo := ordered(ids, n); len(todo) > 0; {
		inParallel(ctx, inBatches(todo, portapi.BulkDeleteMost), n, func(batch []string) bool {
			stay, err := w.api.DeleteEntities(ctx, w.blueprint, batch, query)
			w.mu.Lock()
			defer w.mu.Unlock()
			for _, id := range batch {
				if stay[id] != nil {
					w.failed[id] = stay[id]
				} else if err == nil {
					delete(w.failed, id)
					w.gone[id] = true
				}
			}
			if err != nil && w.stop == nil {
				w.stop = err
			}
			return err == nil
		})
		if w.stop == nil && ctx.Err() != nil {
			w.stop = context.Cause(ctx)
		}
		stayed := slices.DeleteFunc(slices.Clone(todo), func(id string) bool { return w.failed[id] == nil })
		if w.stop != nil || len(stayed) == len(todo) {
			return
		}
		todo = stayed // others went since, which may have been in the way
	}
}

// departure says for each entity which others require it and must go first. The
// blueprint is asked only when one names another.
func (w *groupWrite) departure(ctx context.Context, ids []string) (needs, error) {
	leaving, n := map[string]bool{}, needs{}
	for _, id := range ids {
		leaving[id] = true
	}
	for _, id := range ids {
		for key, value := range jsonv.Map(w.had, id, "relations") {
			named := jsonv.Strings(value)
			if one, ok := value.(string); ok {
				named = []string{one}
			}
			if !slices.ContainsFunc(named, func(other string) bool { return other != id && leaving[other] }) {
				continue
			}
			if w.relations == nil {
				definition, err := w.api.ReadBlueprint(ctx, w.blueprint)
				if err != nil {
					return nil, err
				}
				w.relations = jsonv.Map(definition, "relations")
			}
			if !w.required(key) {
				continue
			}
			for _, other := range w.related(w.had, id, key) {
				if other == id || !leaving[other] {
					continue
				}
				if n[other] == nil {
					n[other] = map[string]bool{}
				}
				n[other][id] = true
			}
		}
	}
	return n, nil
}

// state is what is known to be there after a write that did not come through:
// the planned entities that were written, the others as they were before.
func (w *groupWrite) state() tftypes.Value {
	out := lens.Obj{}
	anything := !w.prior.IsNull() || len(w.held) > 0
	for id, planned := range lens.AsObj(lens.AsObj(w.plan)["entities"]) {
		was, there := w.held[id]
		switch {
		case lens.Nothing(planned):
			out[id] = planned
		case w.done[id] != nil:
			anything = true
			out[id] = w.written(id, planned)
		case there:
			out[id] = was
			if jsonv.Equal(w.had[id], w.want[id]) {
				out[id] = planned // another spelling of what is there
			}
		}
	}
	for _, id := range w.removed() {
		if was, there := w.held[id]; there && !w.gone[id] {
			out[id] = was
		}
	}
	if !anything {
		return w.kind.null
	}
	return with(w.plan, lens.Obj{"entities": tftypes.NewValue(w.kind.typ.AttributeTypes["entities"], out)})
}

// written is the state of an entity that was written: the planned one, less the
// relations that were to follow and did not.
func (w *groupWrite) written(id string, planned tftypes.Value) tftypes.Value {
	if whole := w.later[id]; whole == nil || jsonv.Equal(w.done[id], whole) {
		return planned
	}
	body := maps.Clone(w.done[id])
	delete(body, "identifier")
	got, err := w.kind.codec.Get(entitiesDocument(w.blueprint, map[string]jsonv.Object{id: body}), w.plan)
	if e, ok := lens.AsObj(lens.AsObj(got)["entities"])[id]; ok && err == nil {
		return e
	}
	return planned
}

// existingSummary says that entities stand where new ones were to be made.
func existingSummary(blueprint string, ids []string) string {
	if len(ids) == 1 {
		return "Entity " + joinID([]string{blueprint, ids[0]}) + " already exists"
	}
	return fmt.Sprintf("%d entities of blueprint %s already exist", len(ids), blueprint)
}
