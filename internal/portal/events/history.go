package events

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// History tells the values of an entity's properties over time
// (reference/catalog.md §4.11): in every interval the last ones, which are those
// of the interval before where nothing was written. It reaches back as far as the
// log does.
func (l *Log) History(ctx context.Context, tx store.Tx, cat *catalog.Catalog, actor catalog.Actor, body any) (jsonv.Object, error) {
	in, err := catalog.ReadHistoryRequest(body)
	if err != nil {
		return nil, err
	}
	now, err := cat.ReadEntity(ctx, tx, actor, in.Blueprint, in.Entity, catalog.ReadOptions{})
	if err != nil {
		return nil, err
	}
	axis := in.Axis.At(l.clock.Now(), l.oldest())
	h := history{tx: tx, org: actor.Org, sight: cat.Sight(ctx, tx, actor)}
	past, err := h.states(in.Blueprint, in.Entity, now, axis.From)
	if err != nil {
		return nil, err
	}
	return catalog.AxisResult(axis, historyOf(axis, l.clock.Now(), past, in.Properties)), nil
}

// state is how an entity read from a moment on; nil is before there was one.
type state struct {
	from time.Time
	doc  jsonv.Object
}

// history reads the records of one entity, as far as a caller may see them.
type history struct {
	tx    store.Tx
	org   string
	sight *catalog.Sight
}

// states lists an entity's states, newest first, back to the one it was in at a
// moment. The records are followed backward, so that the entity is found under
// whatever it was called then.
func (h history) states(blueprint, entity string, now jsonv.Object, since time.Time) ([]state, error) {
	// Records from before there was this entity are of another one of its name.
	born, _, err := h.sight.Entity(blueprint, entity)
	if err != nil {
		return nil, err
	}
	var out []state
	doc, end := now, place{endOfTime, math.MaxInt64}
	for {
		moved := false
		w := &wanted{Filter: Filter{Entity: entity, Blueprint: blueprint, Status: "SUCCESS", Resources: []string{"entity"}}, from: since, to: end.at}
		for row, err := range h.tx.Scan(KindRecord, w, w.page(h.org), w.prefix(h.org)...) {
			if err != nil {
				return nil, err
			}
			if placeOf(row.Doc).at.Before(since) {
				break
			}
			for _, r := range recordsOf(row) {
				if !r.before(end) || !w.admits(r.doc) || !r.changes() || r.at.Before(born) {
					continue
				}
				was := earlierOf(r.doc)
				after, err := h.sight.Shown(blueprint, laterOf(r.doc))
				if err != nil {
					return nil, err
				}
				out = append(out, state{r.at, after})
				if doc, err = h.sight.Shown(blueprint, was); err != nil {
					return nil, err
				}
				if was != nil && (jsonv.String(was, "identifier") != entity || jsonv.String(was, "blueprint") != blueprint) {
					// Before this it went by another name.
					blueprint, entity, end = jsonv.String(was, "blueprint"), jsonv.String(was, "identifier"), r.place
					moved = true
					break
				}
			}
			if moved {
				break
			}
		}
		if !moved {
			return append(out, state{time.Time{}, doc}), nil
		}
	}
}

// historyOf reads the states at the end of every interval that has begun.
func historyOf(axis query.Axis, now time.Time, past []state, properties []string) []any {
	slices.Reverse(past)
	out := []any{}
	current := 0
	for i, start := range axis.Starts {
		row := jsonv.Object{}
		if !start.After(now) {
			for current+1 < len(past) && !past[current+1].from.After(axis.End(i)) {
				current++
			}
			values := jsonv.Map(past[current].doc, "properties")
			for _, name := range properties {
				if value, ok := values[name]; ok {
					row[name] = value
				}
			}
		}
		row["date"] = jsonv.Int(start.UnixMilli())
		out = append(out, row)
	}
	return out
}
