package runs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// The kinds of deliveries.
const (
	// DeliverRun takes an evaluated method to its backend; its outcome is told to
	// [Runs.Delivered].
	DeliverRun = "run"
	// DeliverRelay takes an evaluated method to the topic that the relay reads.
	DeliverRelay = "relay"
	// DeliverNotice tells approvers of a run that waits for them.
	DeliverNotice = "notice"
	// DeliverFollow goes after what a backend makes of a run that it has taken.
	DeliverFollow = "follow"
	// DeliverChange tells the destination of a blueprint's change log of a change; it
	// belongs to no run.
	DeliverChange = "change"
)

// Delivery is something that the portal is to send, written down in the
// transaction that decided it. It is gone once it was sent, so what a crash
// interrupts is sent again: at least once, with the same ID.
type Delivery struct {
	ID   string
	Kind string
	// Run is whom it belongs to.
	Run string
	// Lane orders: deliveries of one lane are made one after the other.
	Lane string
	// Method is the type of the invocation.
	Method string
	// Automation says that the run is an automation's.
	Automation bool
	// As is whose rights calls to the portal itself have (reference/actions.md §3.2
	// "Calls to Port itself"): "" is the organization's, [Nobody] are none, and anything
	// else is the e-mail of a user.
	As string
	// Sealed is the text of the evaluated method or notice, encrypted.
	Sealed string

	// by is the portal that is to send it until then.
	by    string
	until time.Time
	// due is when it goes on, zero unless it was begun before; see [Again].
	due time.Time
	// search is written down only.
	search Search
}

// Lease is how long what a portal has written down is its own to send. It is longer
// than a call may take: what is left over after that is somebody's who has gone.
const Lease = 60 * time.Second

// send writes a delivery down.
func (r *Runs) send(tx store.Tx, org string, d Delivery) error {
	now := r.deps.Clock.Now().UTC()
	count := r.count.Add(1)
	id := fmt.Sprintf("%019d.%019d.%s", now.UnixNano(), count, r.deps.IDs.Alphanumeric(4))
	doc := store.Doc{
		"createdAt": fmt.Sprintf("%s.%019d", clock.Stamp(now), count),
		"kind":      d.Kind, "run": d.Run, "lane": d.Lane, "method": d.Method, "sealed": d.Sealed,
	}
	r.hold(doc, d.due)
	d.search.set(doc)
	if d.As != "" {
		doc["as"] = d.As
	}
	if d.Automation {
		doc["automation"] = true
	}
	return tx.Put(KindDelivery, doc, org, id)
}

func deliveryOf(row store.Row) Delivery {
	d := Delivery{
		ID: row.Key[len(row.Key)-1], Kind: jsonv.String(row.Doc, "kind"), Run: jsonv.String(row.Doc, "run"), Lane: jsonv.String(row.Doc, "lane"),
		Method: jsonv.String(row.Doc, "method"), Sealed: jsonv.String(row.Doc, "sealed"), by: jsonv.String(row.Doc, "by"), Automation: jsonv.Bool(row.Doc, "automation"),
		As: jsonv.String(row.Doc, "as"),
	}
	d.until, _ = jsonv.ParseTime(jsonv.String(row.Doc, "until"))
	d.due, _ = jsonv.ParseTime(jsonv.String(row.Doc, "due"))
	return d
}

// Mine tells whether a delivery can be sent without [Runs.Take]: it is this
// portal's, and long enough for a call. Messages for the relay are always taken:
// which way it wants them, and whether it still does, may have changed.
func (r *Runs) Mine(d Delivery, call time.Duration) bool {
	return d.Kind != DeliverRelay && d.by == r.deps.Portal && d.until.After(r.deps.Clock.Now().Add(call))
}

// Inherit frees what portals hold of which is known that they are gone, all but this
// one: it is sent at once. It writes nothing, as much as there may be.
func (r *Runs) Inherit(tx store.Tx, org string) error {
	gone := map[string]bool{}
	for row, err := range tx.Scan(KindDelivery, nil, store.Page{}, org) {
		if err != nil {
			return err
		}
		if by := jsonv.String(row.Doc, "by"); by != r.deps.Portal {
			gone[by] = true
		}
	}
	r.gone.Store(&gone)
	return nil
}

// others tells that another portal has a delivery, and will for some time.
func (r *Runs) others(d Delivery, now time.Time) bool {
	if gone := r.gone.Load(); gone != nil && (*gone)[d.by] {
		return false
	}
	return d.by != r.deps.Portal && d.until.After(now)
}

// Take makes a delivery this portal's for another while; false says that somebody
// else has it or that it is gone.
func (r *Runs) Take(tx store.Tx, org string, d Delivery) (bool, error) {
	doc, err := tx.Get(KindDelivery, org, d.ID)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	now := r.deps.Clock.Now().UTC()
	held := deliveryOf(store.Row{Key: []string{org, d.ID}, Doc: doc})
	if r.others(held, now) {
		return false, nil
	}
	if d.Kind == DeliverRelay {
		if still, err := r.still(tx, org, d); err != nil || !still {
			return false, err
		}
	}
	doc = jsonv.CloneObject(doc)
	r.hold(doc, held.due)
	return true, tx.Put(KindDelivery, doc, org, d.ID)
}

// Payload is the evaluated method of a delivery, or the notice, with what is secret.
func (r *Runs) Payload(d Delivery) (jsonv.Object, error) {
	text, err := r.deps.Vault.Open(d.Sealed, d.Run)
	if err != nil {
		return nil, err
	}
	return jsonv.DecodeObject([]byte(text))
}

// Outcome is what became of a delivery.
type Outcome struct {
	// Log is a line for the run's log, "" for none.
	Log string
	// Status ends the run with SUCCESS or FAILURE; "" leaves it in progress.
	Status string
	// Response is the backend's answer, kept when Answered.
	Response any
	Answered bool
	// Stored says that a message for the relay is on its topic.
	Stored bool
	// Link and ExternalRunID tell of the backend's own run. They fill what nobody has
	// reported yet.
	Link, ExternalRunID string
	// Workflow is the id of the backend's own run, which belongs to one run only: when
	// it is another's already, nothing else of the outcome counts and the delivery goes
	// on soon; unless this one is Sure to be the owner.
	Workflow string
	Sure     bool
	// Again is given when the delivery is not over.
	Again *Again
}

// claimRepeat is the wait after something was claimed that is another's by now.
const claimRepeat = 5 * time.Second

// Delivered takes a delivery out of the outbox together with what became of it. One
// that is no longer there was delivered by somebody else, whose outcome counts.
func (r *Runs) Delivered(_ context.Context, tx store.Tx, org string, d Delivery, o Outcome) error {
	doc, err := tx.Get(KindDelivery, org, d.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := tx.Delete(KindDelivery, org, d.ID); err != nil {
		return err
	}
	k, err := get(tx, org, d.Run)
	if fault.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	over := ended(k.status())
	if d.Kind == DeliverFollow && over {
		return nil // somebody has said what became of it
	}
	if o.Workflow != "" && !over {
		mine, err := r.claim(tx, org, k, o)
		if err != nil {
			return err
		}
		if !mine {
			return r.again(tx, org, d, doc, &Again{Due: r.deps.Clock.Now().Add(claimRepeat)})
		}
	}
	if o.Log != "" {
		secrets, err := r.deps.Vault.Secrets(tx, org)
		if err != nil {
			return err
		}
		if _, err := r.addLog(tx, org, jsonv.String(k.run, "createdBy"), d.Run, hide(o.Log, secrets)); err != nil {
			return err
		}
	}
	if d.Kind == DeliverRelay {
		return r.handed(tx, org, k, o)
	}
	if over || d.Kind == DeliverNotice {
		return nil // the backend was faster, or nothing of the run changes
	}
	if o.Again != nil {
		if err := r.again(tx, org, d, doc, o.Again); err != nil {
			return err
		}
	}
	if o.Answered {
		if o.Response, err = r.discreet(tx, org, d.Run, d.Sealed, o.Response); err != nil {
			return err
		}
	}
	changes := o.changes(k)
	switch {
	case len(changes) > 0:
		return r.change(tx, r.portal(org, k), k, changes)
	case o.Workflow != "":
		return put(tx, org, k)
	}
	return nil
}

// changes are what an outcome changes of a run.
func (o Outcome) changes(k *kept) jsonv.Object {
	changes := jsonv.Object{}
	if o.Answered {
		changes["response"] = o.Response
	}
	if o.Status != "" {
		changes["status"] = o.Status
	}
	if o.Link != "" && len(jsonv.List(k.run, "link")) == 0 {
		changes["link"] = []any{o.Link}
	}
	if o.ExternalRunID != "" && jsonv.String(k.run, "externalRunId") == "" {
		changes["externalRunId"] = o.ExternalRunID
	}
	return changes
}

// portal is the caller when the portal itself changes a run.
func (r *Runs) portal(org string, k *kept) Caller {
	return Caller{Subject: access.Subject{Org: org, ID: jsonv.String(k.run, "createdBy")}, Source: jsonv.String(k.run, "source")}
}

// validHeader tells whether a name and a text can be sent as a header.
func validHeader(name, text string) bool {
	return httpguts.ValidHeaderFieldName(name) && httpguts.ValidHeaderFieldValue(text)
}

// expiry is when what somebody claimed may be claimed again.
func expiry(now time.Time, milliseconds int64) string {
	return clock.Stamp(now.Add(time.Duration(milliseconds) * time.Millisecond))
}
