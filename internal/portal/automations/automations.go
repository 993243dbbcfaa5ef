// Package automations reacts to what happens: it starts the runs of automations and
// writes down what the change logs of blueprints are told (reference/actions.md §6).
//
// It stands between whoever changes something and the audit log. In the transaction
// of a change it only writes down that something happened to which automations
// listen, with these as they are at that moment ([KindOccurrence]); a change to
// which nobody listens costs one look into an index. Conditions and templates are
// somebody else's program and may be slow or wrong: they are evaluated after the
// commit and outside of transactions ([Automations.Look], [Automations.Match],
// [Automations.Plan], [Automations.Evaluate], [Automations.Dispatch]), so that they
// neither hold up nor fail the change or others, and what an automation writes is a
// change of its own, in a transaction of its own. An occurrence goes with the transaction that makes its
// runs: none is lost to a crash, and none makes its runs twice.
package automations

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/actions"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/runs"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// KindOccurrence are events that automations have still to be matched with.
const KindOccurrence store.Kind = "occurrence"

// DefaultDepth is how far events may stand from a request of somebody outside
// (reference/actions.md §6.5).
const DefaultDepth = 16

// Clock tells the time.
type Clock interface{ Now() time.Time }

// IDs mints identifiers.
type IDs interface{ Alphanumeric(n int) string }

// Deps are what automations need.
type Deps struct {
	Clock Clock
	IDs   IDs
	// Log is told of everything first.
	Log     catalog.Recorder
	Actions *actions.Actions
	Runs    *runs.Runs
	// Machine is the creator of runs that nobody caused, as when a timer expires.
	Machine string
	// Depth is the greatest depth of events; 0 is [DefaultDepth].
	Depth int
}

// Automations is the recorder of a portal. It is safe for concurrent use; several
// processes may share a store.
type Automations struct {
	deps Deps
	// count numbers what is written at one moment, written all that was written.
	count atomic.Int64
	// allowances keep one automation from holding up the others.
	allowances allowances
	written    atomic.Int64
}

var _ catalog.Recorder = (*Automations)(nil)

// New makes the automations of a portal; [Automations.Join] completes them.
func New(d Deps) *Automations {
	if d.Depth <= 0 {
		d.Depth = DefaultDepth
	}
	return &Automations{deps: d}
}

// Join gives the automations what tells them of its changes.
func (a *Automations) Join(x *actions.Actions, r *runs.Runs) { a.deps.Actions, a.deps.Runs = x, r }

// Written counts what was written down, whether or not it was committed: a
// transaction after which it stands where it did has left nothing to do.
func (a *Automations) Written() int64 { return a.written.Load() }

// Record implements [catalog.Recorder].
func (a *Automations) Record(tx store.Tx, events ...catalog.Event) error {
	if err := a.deps.Log.Record(tx, events...); err != nil {
		return err
	}
	if a.deps.Runs == nil {
		return nil // what a portal does before it is put together
	}
	heard := hearing{}
	for _, e := range events {
		if e.Failed {
			continue
		}
		if err := a.tell(tx, e); err != nil {
			return err
		}
		if err := a.hear(tx, e, heard); err != nil {
			return err
		}
	}
	return nil
}

// hearing is who listens to the sources of some events of one transaction.
type hearing map[string][]store.Doc

// hear writes an event down if automations listen to it.
func (a *Automations) hear(tx store.Tx, e catalog.Event, heard hearing) error {
	kinds := kindsOf(e)
	if kinds == nil {
		return nil
	}
	source, told := actions.OfBlueprint(e.Blueprint), (*runs.Told)(nil)
	if e.Resource == "run" {
		t, err := a.deps.Runs.Tell(tx, e, "")
		if err != nil {
			return err
		}
		source, told = actions.OfAction(t.Name), &t
	}
	all, known := heard[source]
	if !known {
		var err error
		if all, err = a.deps.Actions.Listening(tx, e.Actor.Org, source); err != nil {
			return err
		}
		heard[source] = all
	}
	listeners := []any{}
	for _, doc := range all {
		if listens(doc, kinds, e) {
			listeners = append(listeners, doc)
		}
	}
	if len(listeners) == 0 {
		return nil
	}
	if e.Resource == "entity" && e.Action == "UPDATE" {
		changed, err := changesEntity(tx, e)
		if err != nil || !changed {
			return err
		}
	}
	depth, err := a.depth(tx, e)
	if err != nil {
		return err
	}
	return a.note(tx, e, store.Doc{"event": a.document(e, told), "depth": jsonv.Int(depth), "automations": listeners})
}

// note writes an occurrence down, behind those that came before.
func (a *Automations) note(tx store.Tx, e catalog.Event, doc store.Doc) error {
	a.written.Add(1)
	now, count := a.deps.Clock.Now().UTC(), a.count.Add(1)
	doc["createdAt"] = fmt.Sprintf("%s.%019d", clock.Stamp(now), count)
	doc["blueprint"], doc["entity"], doc["run"], doc["resource"], doc["action"], doc["by"] = e.Blueprint, e.Entity, e.RunID, e.Resource, e.Action, e.Actor.ID
	return tx.Put(KindOccurrence, doc, e.Actor.Org, fmt.Sprintf("%019d.%019d.%s", now.UnixNano(), count, a.deps.IDs.Alphanumeric(4)))
}

// depth is the depth of an event: that of the run that made it.
func (a *Automations) depth(tx store.Tx, e catalog.Event) (int, error) {
	deepest := 0
	for _, run := range []string{e.RunID, e.Cause, e.Actor.Cause} {
		depth, err := a.deps.Runs.Depth(tx, e.Actor.Org, run)
		if err != nil {
			return 0, err
		}
		deepest = max(deepest, depth)
	}
	return deepest, nil
}
