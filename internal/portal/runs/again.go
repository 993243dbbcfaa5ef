package runs

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Again says that a delivery is not over: it is written down anew, in the
// transaction that keeps what came of it so far, and goes on when it is due. Nobody
// waits meanwhile, so it survives whatever happens to the portal.
type Again struct {
	// Kind and Lane replace the delivery's; "" keeps them. In another lane it stands
	// behind those that are there.
	Kind, Lane string
	// Due is when it goes on; zero is at once.
	Due time.Time
	// Payload replaces what [Runs.Payload] gives, and Search what the delivery looks
	// for; nil keeps both.
	Payload jsonv.Object
	Search  Search
}

// Search is what a delivery looks for: the backend's run that has come of a request.
// The zero value is that it looks for nothing.
type Search struct {
	// Among names the runs of which it may be one, and Since is when it was asked for.
	Among string
	Since time.Time
	// ID is the delivery's.
	ID string
}

// set writes down what a delivery looks for.
func (s Search) set(doc store.Doc) {
	delete(doc, "search")
	if s.Among != "" {
		doc["search"] = jsonv.Object{"among": s.Among, "since": clock.Stamp(s.Since)}
	}
}

func indexDelivery(d store.Doc) []store.Entry {
	if among := jsonv.String(d, "search", "among"); among != "" {
		return []store.Entry{{Path: indexSearch, Value: among}}
	}
	return nil
}

// Postponed tells that a delivery was begun before and goes on now.
func (d Delivery) Postponed() bool { return !d.due.IsZero() }

// again writes down what is left of a delivery that was taken out of the outbox.
func (r *Runs) again(tx store.Tx, org string, d Delivery, doc store.Doc, a *Again) error {
	kind, lane := d.Kind, d.Lane
	if a.Kind != "" {
		kind = a.Kind
	}
	if a.Lane != "" {
		lane = a.Lane
	}
	sealed := jsonv.String(doc, "sealed")
	if a.Payload != nil {
		var err error
		if sealed, err = r.deps.Vault.Seal(string(jsonv.Encode(a.Payload)), d.Run); err != nil {
			return err
		}
	}
	due := a.Due
	if now := r.deps.Clock.Now(); due.Before(now) {
		due = now
	}
	due = due.UTC()
	if lane != d.Lane {
		return r.send(tx, org, Delivery{Kind: kind, Run: d.Run, Lane: lane, Method: d.Method, Automation: d.Automation, As: d.As, Sealed: sealed, due: due, search: a.Search})
	}
	doc = jsonv.CloneObject(doc)
	doc["kind"], doc["sealed"] = kind, sealed
	if a.Payload != nil {
		a.Search.set(doc)
	}
	r.hold(doc, due)
	return tx.Put(KindDelivery, doc, org, d.ID)
}

// hold makes a delivery this portal's until it was due for a while.
func (r *Runs) hold(doc store.Doc, due time.Time) {
	until := r.deps.Clock.Now().UTC().Add(Lease)
	if !due.IsZero() {
		doc["due"] = clock.Stamp(due)
		if due.Add(Lease).After(until) {
			until = due.Add(Lease)
		}
	}
	doc["by"], doc["until"] = r.deps.Portal, clock.Stamp(until)
}

// Note replaces the payload of a delivery that is under way: what it is about to do
// is known to whoever takes it up after a crash.
func (r *Runs) Note(tx store.Tx, org string, d Delivery, payload jsonv.Object, search Search) error {
	doc, err := tx.Get(KindDelivery, org, d.ID)
	if errors.Is(err, store.ErrNotFound) || err == nil && jsonv.String(doc, "by") != r.deps.Portal {
		return fmt.Errorf("the delivery of run %s is another portal's by now", d.Run)
	}
	if err != nil {
		return err
	}
	sealed, err := r.deps.Vault.Seal(string(jsonv.Encode(payload)), d.Run)
	if err != nil {
		return err
	}
	doc = jsonv.CloneObject(doc)
	doc["sealed"] = sealed
	search.set(doc)
	r.hold(doc, r.deps.Clock.Now().UTC())
	return tx.Put(KindDelivery, doc, org, d.ID)
}

// Over tells that a run has ended or is gone, so that nothing more is to be done for
// it.
func (r *Runs) Over(tx store.Tx, org, run string) (bool, error) {
	k, err := get(tx, org, run)
	if fault.IsNotFound(err) {
		return true, nil
	}
	return err == nil && ended(k.status()), err
}

// Searches are the deliveries that look for one of some runs of a backend, in the
// order in which they asked for it.
func (r *Runs) Searches(tx store.Tx, org, among string) ([]Search, error) {
	where := equal{conditions: []store.Equal{is(indexSearch, among)}, match: func(d store.Doc) bool {
		return jsonv.String(d, "search", "among") == among
	}}
	var out []Search
	for row, err := range tx.Scan(KindDelivery, where, store.Page{}, org) {
		if err != nil {
			return nil, err
		}
		s := Search{Among: among, ID: row.Key[len(row.Key)-1]}
		s.Since, _ = jsonv.ParseTime(jsonv.String(row.Doc, "search", "since"))
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Search) int {
		return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.ID, b.ID))
	})
	return out, nil
}

// Claimed tells which runs of backends, by their ids there, belong to runs.
func (r *Runs) Claimed(tx store.Tx, org string, ids []string) (map[string]bool, error) {
	out := map[string]bool{}
	for _, id := range ids {
		owner, err := r.claimant(tx, org, id)
		if err != nil {
			return nil, err
		}
		out[id] = owner != ""
	}
	return out, nil
}

// claimant is the run to which a run of a backend belongs, "" for none.
func (r *Runs) claimant(tx store.Tx, org, id string) (string, error) {
	where := equal{conditions: []store.Equal{is(indexWorkflow, id)}, match: func(d store.Doc) bool {
		return jsonv.String(d, "hidden", hiddenWorkflow) == id
	}}
	for row, err := range tx.Scan(KindRun, where, store.Page{Limit: 1}, org) {
		if err != nil {
			return "", err
		}
		return row.Key[len(row.Key)-1], nil
	}
	return "", nil
}

// claim makes the run of a backend that of a run; false says that it is another's.
func (r *Runs) claim(tx store.Tx, org string, k *kept, o Outcome) (bool, error) {
	owner, err := r.claimant(tx, org, o.Workflow)
	if err != nil || owner != "" && owner != k.id() && !o.Sure {
		return false, err
	}
	k.hidden[hiddenWorkflow] = o.Workflow
	return true, nil
}
