// Package events is the portal's memory of what happened: the audit log
// (reference/catalog.md §7) and what is read out of it, the history of properties
// (§4.11). Records are written by whoever changes something, in the transaction of
// the change, through [Log.Record]; so a change and its record are there together
// or not at all. It sends nothing to anybody.
//
// A record stands under organization, blueprint, entity and its identifier, and
// where a store keeps the time of creation it has its place from the end of time:
// every scan, of the whole organization, of one blueprint or of one entity, begins
// with what is newest and may begin at any moment (see [place]).
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

// Every pruneEvery-th record takes up to pruneBatch outdated ones away, which is
// fast enough to keep up with whatever rate of writes there once was.
const (
	pruneEvery = 64
	pruneBatch = 256
)

// Record writes what happened; it implements [catalog.Recorder]. The event's
// documents are shared with the record.
func (l *Log) Record(tx store.Tx, e catalog.Event) error {
	p := place{e.At.UTC(), l.count.Add(1)}
	blueprint, entity := named(e.Blueprint), named(e.Entity)
	err := tx.Put(KindRecord, stored(e, p), e.Actor.Org, blueprint, entity, p.identifier(l.salt))
	if err != nil || p.count%pruneEvery != 0 {
		return err
	}
	return l.prune(tx, e.Actor.Org)
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
	return nil
}

// oldest is the first moment that the log still tells of.
func (l *Log) oldest() time.Time { return l.clock.Now().Add(-Retention) }
