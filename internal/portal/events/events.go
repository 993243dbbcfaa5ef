// Package events is the portal's memory of what happened: the audit log
// (reference/catalog.md §7) and what is read out of it, the history of properties
// (§4.11). Records are written by whoever changes something, in the transaction of
// the change, through [Log.Record]; so a change and its record are there together
// or not at all. It sends nothing to anybody.
//
// A record stands under organization, blueprint and its identifier, and where a
// store keeps the time of creation it has its place from the end of time: every
// scan, of the whole organization or of one blueprint, begins with what is newest
// and may begin at any moment (see [place]). Everything else that few records have
// in common is found by an index. A write pays for every one of these ways, so
// there are no more.
package events

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// KindRecord are the records of the audit log.
const KindRecord store.Kind = "audit"

// Retention is how far back the log reaches (reference/catalog.md §4.11).
const Retention = 365 * 24 * time.Hour

// Clock tells the time.
type Clock interface{ Now() time.Time }

// IDs mints the part of an identifier that tells processes apart.
type IDs interface{ Alphanumeric(n int) string }

// Options are what [Open] needs.
type Options struct {
	Store store.Store
	Clock Clock
	IDs   IDs
	// Org is the organization that this process serves.
	Org string
}

// Log is the audit log of a store. It is safe for concurrent use; several
// processes may write to one store.
type Log struct {
	clock Clock
	salt  string
	// count numbers the records of this process. Records of one moment are
	// ordered by it.
	count atomic.Int64
	// rests is until when nothing outdated is looked for, in nanoseconds of the epoch.
	rests atomic.Int64
}

var _ catalog.Recorder = (*Log)(nil)

// Open makes a log that goes on counting where the newest record of the store
// stands: clocks of tests stand still, and may begin anew with the next process.
func Open(ctx context.Context, o Options) (*Log, error) {
	l := &Log{clock: o.Clock, salt: o.IDs.Alphanumeric(saltLength)}
	err := o.Store.View(ctx, func(tx store.Tx) error {
		for row, err := range tx.Scan(KindRecord, nil, store.Page{Limit: 1}, o.Org) {
			if err != nil {
				return err
			}
			l.count.Store(placeOf(row.Doc).count)
		}
		return nil
	})
	return l, err
}

// Every pruneEvery-th record takes up to pruneBatch outdated documents away, which is
// fast enough to keep up with whatever rate of writes there once was. Once none are
// left it rests, for looking is not free: a scan makes a store write what could have
// waited for the commit, and portals on one database conflict over what they scan.
const (
	pruneEvery = 64
	pruneBatch = 256
	pruneRest  = time.Hour
)

// Record writes what happened; it implements [catalog.Recorder]. The events'
// documents are shared with the records.
func (l *Log) Record(tx store.Tx, events ...catalog.Event) error {
	for len(events) > 0 {
		n := 1
		for n < len(events) && n < maxTogether && together(events[0], events[n]) {
			n++
		}
		if err := l.write(tx, events[:n]); err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}

// maxTogether is the most records of one document. Those of one moment and one
// blueprint, such as those of a bulk, share one: a store pays by the document.
const maxTogether = 50

func together(a, b catalog.Event) bool {
	return a.Actor.Org == b.Actor.Org && named(a.Blueprint) == named(b.Blueprint) && a.At.Equal(b.At)
}

// write stores events that stand together.
func (l *Log) write(tx store.Tx, events []catalog.Event) error {
	first := events[0]
	// The last one is the newest and names the place.
	p := place{first.At.UTC(), l.count.Add(int64(len(events)))}
	d := store.Doc{}
	if len(events) == 1 {
		d = stored(first)
	} else {
		list := make([]any, len(events))
		for i, e := range events {
			list[i] = stored(e)
		}
		d[listKey] = list
	}
	d[placeKey] = p.text()
	err := tx.Put(KindRecord, d, first.Actor.Org, named(first.Blueprint), p.identifier(l.salt))
	if err != nil || p.count/pruneEvery == (p.count-int64(len(events)))/pruneEvery || l.clock.Now().UnixNano() < l.rests.Load() {
		return err
	}
	return l.prune(tx, first.Actor.Org)
}

// maxName bounds what a refused request may call an entity or a blueprint.
const maxName = 4096

// named drops names that nothing can have.
func named(name string) string {
	if len(name) > maxName {
		return ""
	}
	return name
}

// prune deletes some of the records that are older than the retention.
func (l *Log) prune(tx store.Tx, org string) error {
	var old []store.Row
	page := store.Page{After: cursor(org, l.oldest()), Limit: pruneBatch}
	for row, err := range tx.Scan(KindRecord, nil, page, org) {
		if err != nil {
			return err
		}
		old = append(old, row)
	}
	for _, row := range old {
		if err := tx.Delete(KindRecord, row.Key...); err != nil {
			return err
		}
	}
	if len(old) < pruneBatch {
		l.rests.Store(l.clock.Now().Add(pruneRest).UnixNano())
	}
	return nil
}

// oldest is the first moment that the log still tells of.
func (l *Log) oldest() time.Time { return l.clock.Now().Add(-Retention) }
