package runs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// The kinds of deliveries.
const (
	// DeliverRun takes an evaluated method to its backend; its outcome is told to
	// [Runs.Delivered].
	DeliverRun = "run"
	// DeliverNotice tells approvers of a run that waits for them.
	DeliverNotice = "notice"
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
	// Sealed is the text of the evaluated method or notice, encrypted.
	Sealed string

	// by is the portal that is to send it until then.
	by    string
	until time.Time
}

// Lease is how long what a portal has written down is its own to send. It is longer
// than a call may take: what is left over after that is somebody's who has gone.
const Lease = 45 * time.Second

// send writes a delivery down.
func (r *Runs) send(tx store.Tx, org string, d Delivery) error {
	now := r.deps.Clock.Now().UTC()
	count := r.count.Add(1)
	id := fmt.Sprintf("%019d.%019d.%s", now.UnixNano(), count, r.deps.IDs.Alphanumeric(4))
	doc := store.Doc{
		"createdAt": fmt.Sprintf("%s.%019d", clock.Stamp(now), count),
		"by":        r.deps.Portal, "until": clock.Stamp(now.Add(Lease)),
		"kind": d.Kind, "run": d.Run, "lane": d.Lane, "method": d.Method, "sealed": d.Sealed,
	}
	return tx.Put(KindDelivery, doc, org, id)
}

// Due is what a portal may send.
type Due struct {
	// Now are deliveries to be sent, each the first of its lane.
	Now []Delivery
	// Later is when to look again for what others have not sent; zero is never.
	Later time.Time
}

// Deliveries lists what is to be sent, oldest first, of lanes that are not busy, up
// to a limit.
func (r *Runs) Deliveries(tx store.Tx, org string, busy map[string]bool, limit int) (Due, error) {
	var due Due
	now := r.deps.Clock.Now().UTC()
	taken := map[string]bool{}
	for row, err := range tx.Scan(KindDelivery, nil, store.Page{}, org) {
		if err != nil {
			return due, err
		}
		d := deliveryOf(row)
		if busy[d.Lane] || taken[d.Lane] {
			continue
		}
		taken[d.Lane] = true
		switch {
		case d.by != r.deps.Portal && d.until.After(now):
			if due.Later.IsZero() || d.until.Before(due.Later) {
				due.Later = d.until
			}
		case len(due.Now) < limit:
			due.Now = append(due.Now, d)
		}
	}
	return due, nil
}

func deliveryOf(row store.Row) Delivery {
	d := Delivery{
		ID: row.Key[len(row.Key)-1], Kind: jsonv.String(row.Doc, "kind"), Run: jsonv.String(row.Doc, "run"), Lane: jsonv.String(row.Doc, "lane"),
		Method: jsonv.String(row.Doc, "method"), Sealed: jsonv.String(row.Doc, "sealed"), by: jsonv.String(row.Doc, "by"),
	}
	d.until, _ = jsonv.ParseTime(jsonv.String(row.Doc, "until"))
	return d
}

// Mine tells whether a delivery can be sent without [Runs.Take]: it is this
// portal's, and long enough for a call.
func (r *Runs) Mine(d Delivery, call time.Duration) bool {
	return d.by == r.deps.Portal && d.until.After(r.deps.Clock.Now().Add(call))
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
	if held.by != r.deps.Portal && held.until.After(now) {
		return false, nil
	}
	doc = jsonv.CloneObject(doc)
	doc["by"], doc["until"] = r.deps.Portal, clock.Stamp(now.Add(Lease))
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
	// Link and ExternalRunID tell of the backend's own run.
	Link, ExternalRunID string
}

// Delivered takes a delivery out of the outbox together with what became of it. One
// that is no longer there was delivered by somebody else, whose outcome counts.
func (r *Runs) Delivered(_ context.Context, tx store.Tx, org string, d Delivery, o Outcome) error {
	if _, err := tx.Get(KindDelivery, org, d.ID); errors.Is(err, store.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	if err := tx.Delete(KindDelivery, org, d.ID); err != nil {
		return err
	}
	k, err := get(tx, org, d.Run)
	if notFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	by := jsonv.String(k.run, "createdBy")
	if o.Log != "" {
		if _, err := r.addLog(tx, org, by, d.Run, o.Log); err != nil {
			return err
		}
	}
	if d.Kind != DeliverRun || ended(k.status()) {
		return nil // the backend was faster, or nothing of the run changes
	}
	changes := jsonv.Object{}
	if o.Answered {
		changes["response"] = o.Response
	}
	if o.Status != "" {
		changes["status"] = o.Status
	}
	if o.Link != "" {
		changes["link"] = []any{o.Link}
	}
	if o.ExternalRunID != "" {
		changes["externalRunId"] = o.ExternalRunID
	}
	if len(changes) == 0 {
		return nil
	}
	return r.change(tx, r.portal(org, k), k, changes)
}

// portal is the caller when the portal itself changes a run.
func (r *Runs) portal(org string, k *kept) Caller {
	return Caller{Subject: access.Subject{Org: org, ID: jsonv.String(k.run, "createdBy")}, Source: jsonv.String(k.run, "source")}
}

// validHeader tells whether a name and a text can be sent as a header.
func validHeader(name, text string) bool {
	return httpguts.ValidHeaderFieldName(name) && httpguts.ValidHeaderFieldValue(text)
}

// notify writes down whom to tell that a run waits for approval, and how
// (reference/actions.md §4.7).
func (r *Runs) notify(tx store.Tx, org string, k *kept, action jsonv.Object) error {
	how := jsonv.Map(action, "approvalNotification")
	link := r.deps.PageURL + "/organization/run?runId=" + k.id()
	email := jsonv.String(k.hidden, hiddenCreator)
	title := orElse(jsonv.String(action, "title"), jsonv.String(action, "identifier"))
	text := orElse(email, jsonv.String(k.run, "createdBy")) + " asks to run " + title
	lines := []string{}
	for _, id := range sortedKeys(jsonv.Map(k.run, "rawProperties")) {
		lines = append(lines, id+": "+textOf(jsonv.Map(k.run, "rawProperties")[id]))
	}
	if jsonv.String(how, "type") != "webhook" {
		return r.mail(tx, k, "Approval required: "+title, strings.Join(slices.Concat([]string{text}, lines, []string{link}), "\n"))
	}
	notice := jsonv.Object{"url": how["url"], "body": jsonv.Object{
		"type": "APPROVAL_REQUEST", "run": k.run, "action": jsonv.Object{"identifier": action["identifier"], "title": action["title"]},
		"requestedBy": jsonv.Object{"email": email, "id": k.run["createdBy"]}, "approvers": jsonv.List(k.hidden, hiddenApprovers), "link": link,
	}}
	if jsonv.String(how, "format") == "slack" {
		notice["body"] = slack(text, lines, link)
	}
	sealed, err := r.deps.Vault.Seal(string(jsonv.Encode(notice)), k.id())
	if err != nil {
		return err
	}
	return r.send(tx, org, Delivery{Kind: DeliverNotice, Run: k.id(), Lane: "notice " + k.id(), Sealed: sealed})
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// mail tells the approvers that lists name; whom a policy names gets none.
func (r *Runs) mail(tx store.Tx, k *kept, subject, text string) error {
	if jsonv.Bool(k.hidden, hiddenPolicy) || r.deps.Mail == nil {
		return nil
	}
	for _, to := range jsonv.Strings(k.hidden[hiddenApprovers]) {
		if err := r.deps.Mail(tx, to, subject, text); err != nil {
			return err
		}
	}
	return nil
}

func slack(text string, lines []string, link string) jsonv.Object {
	details := strings.Join(append([]string{text}, lines...), "\n")
	return jsonv.Object{"text": text, "blocks": []any{
		jsonv.Object{"type": "section", "text": jsonv.Object{"type": "mrkdwn", "text": details}},
		jsonv.Object{"type": "actions", "elements": []any{
			jsonv.Object{"type": "button", "text": jsonv.Object{"type": "plain_text", "text": "Review"}, "url": link},
		}},
	}}
}

// expiry is when what somebody claimed may be claimed again.
func expiry(now time.Time, milliseconds int64) string {
	return clock.Stamp(now.Add(time.Duration(milliseconds) * time.Millisecond))
}
