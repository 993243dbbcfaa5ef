package runs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// A run may go on for ever, unless the setting runs.timeout is given
// (reference/actions.md §4.4): then one that has been in progress, or has waited for
// its approval, for that long fails. Since when it has is written down beside the
// run, so that a portal that was not there finds what fell due, and one that is given
// another timeout counts from the same moment.

// KindOpen are the runs that have not ended, in the order in which they fall due. The
// kind is only kept where there is a timeout.
const KindOpen store.Kind = "run-open"

// since is when a run began to be what it is.
func (k *kept) since() string {
	if s := jsonv.String(k.hidden, hiddenSince); s != "" {
		return s
	}
	return jsonv.String(k.run, "createdAt")
}

// watch follows a run that was stored.
func (r *Runs) watch(tx store.Tx, org string, k *kept) (changed bool, err error) {
	if r.deps.Timeout <= 0 {
		return false, nil
	}
	doc, err := tx.Get(KindOpen, org, k.id())
	known := !errors.Is(err, store.ErrNotFound)
	switch {
	case err != nil && known:
		return false, err
	case ended(k.status()):
		if known {
			err = tx.Delete(KindOpen, org, k.id())
		}
		return known, ignoreMissing(err)
	case known && jsonv.String(doc, "createdAt") == k.since():
		return false, nil
	}
	if at, ok := jsonv.ParseTime(k.since()); ok && r.deps.Wake != nil {
		r.deps.Wake(at.Add(r.deps.Timeout))
	}
	return true, tx.Put(KindOpen, store.Doc{"createdAt": k.since()}, org, k.id())
}

func ignoreMissing(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// watchBatch and expiryBatch are how many runs one transaction is about.
const (
	watchBatch  = 1000
	expiryBatch = 100
)

// Watch follows the runs of before there was a timeout, some at a time.
func (r *Runs) Watch(tx store.Tx, org string) (more bool, err error) {
	n := 0
	for row, err := range tx.Scan(KindRun, equal{conditions: []store.Equal{is(indexActive, "1")}}, store.Page{}, org) {
		if err != nil {
			return false, err
		}
		k := keptOf(row.Doc)
		if ended(k.status()) {
			continue
		}
		changed, err := r.watch(tx, org, k)
		if err != nil {
			return false, err
		}
		if changed {
			n++
		}
		if n == watchBatch {
			return true, nil
		}
	}
	return false, nil
}

// Expire fails the runs that are open for too long, some at a time, and tells when
// the next one falls due; zero is never.
func (r *Runs) Expire(_ context.Context, tx store.Tx, org string) (next time.Time, err error) {
	now := r.deps.Clock.Now().UTC()
	var due []string
	for row, err := range tx.Scan(KindOpen, nil, store.Page{Limit: expiryBatch + 1}, org) {
		if err != nil {
			return next, err
		}
		since, ok := jsonv.ParseTime(jsonv.String(row.Doc, "createdAt"))
		if at := since.Add(r.deps.Timeout); ok && at.After(now) || len(due) == expiryBatch {
			next = at
			break
		}
		due = append(due, row.Key[len(row.Key)-1])
	}
	for _, id := range due {
		if err := r.timeOut(tx, org, id); err != nil {
			return next, err
		}
	}
	return next, nil
}

func (r *Runs) timeOut(tx store.Tx, org, id string) error {
	k, err := get(tx, org, id)
	if fault.IsNotFound(err) || err == nil && ended(k.status()) {
		return ignoreMissing(tx.Delete(KindOpen, org, id)) // from when there was no timeout
	}
	if err != nil {
		return err
	}
	if since, ok := jsonv.ParseTime(k.since()); ok && since.Add(r.deps.Timeout).After(r.deps.Clock.Now()) {
		_, err := r.watch(tx, org, k)
		return err
	}
	why := "The run did not end within %s"
	if k.status() == Waiting {
		why = "Nobody decided about the run within %s"
	}
	if _, err := r.addLog(tx, org, jsonv.String(k.run, "createdBy"), id, fmt.Sprintf(why, r.deps.Timeout)); err != nil {
		return err
	}
	return r.change(tx, r.portal(org, k), k, jsonv.Object{"status": Failure})
}

// begins notes that a run that waited is in progress from now on.
func (k *kept) begins(now time.Time) { k.hidden[hiddenSince] = clock.Stamp(now) }
