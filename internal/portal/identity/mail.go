package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// KindMail is the outbox: what is to be told to people outside, written in the
// transaction of its cause and sent after it. {"id", "to", "orgId", "kind", "at",
// "sent", "createdAt"}, under organization and id. Entries stay for a year.
const KindMail store.Kind = "mail"

// mailInvite asks somebody to join the organization (reference/identity.md §2.3 U9).
const mailInvite = "invite"

// Mail is an entry of the outbox.
type Mail struct {
	// ID is the same each time that an entry is sent: after a crash it may be sent
	// again.
	ID   string
	To   string
	Org  string
	Kind string
	At   time.Time
	// Subject and Text are "" where the kind says all.
	Subject, Text string
}

// outgoing are the entries that this process has written and not yet sent.
type outgoing struct {
	written atomic.Uint32
	sending sync.Mutex
	mu      sync.Mutex
	entries []outgoingMail
}

type outgoingMail struct {
	id    string
	since time.Time
}

// mailPatience is how long an entry may be missing from the store, because its
// transaction runs still, before it is taken for one that never came about.
const mailPatience = time.Minute

func (i *Identity) mail(tx store.Tx, to, kind string) error { return i.Post(tx, to, kind, "", "") }

// Post writes an entry to the outbox.
func (i *Identity) Post(tx store.Tx, to, kind, subject, text string) error {
	now := i.clock.Now()
	// What one process writes at one moment stays in order.
	id, at := fmt.Sprintf("mail_%08x%s", i.outgoing.written.Add(1), i.ids.Alphanumeric(8)), clock.Stamp(now)
	doc := store.Doc{"id": id, "to": to, "orgId": i.org, "kind": kind, "at": at, "createdAt": at, "sent": false}
	if subject != "" {
		doc["subject"], doc["text"] = subject, text
	}
	if err := tx.Put(KindMail, doc, i.org, id); err != nil {
		return err
	}
	i.outgoing.add(outgoingMail{id, now})
	return i.forget(tx, KindMail, i.org, clock.Stamp(now.Add(-noteRetention)))
}

func (o *outgoing) add(entries ...outgoingMail) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.entries = append(o.entries, entries...)
}

func (o *outgoing) take() []outgoingMail {
	o.mu.Lock()
	defer o.mu.Unlock()
	entries := o.entries
	o.entries = nil
	return entries
}

// SendMail passes on what was written to the outbox by transactions that are over,
// in their order, each entry at least once. What cannot be sent is tried again with
// the next call.
func (i *Identity) SendMail(ctx context.Context, send func(context.Context, Mail) error) error {
	i.outgoing.sending.Lock()
	defer i.outgoing.sending.Unlock()
	var failed error
	for _, entry := range i.outgoing.take() {
		done, err := i.sendMail(ctx, entry, send)
		if !done {
			i.outgoing.add(entry)
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

func (i *Identity) sendMail(ctx context.Context, entry outgoingMail, send func(context.Context, Mail) error) (done bool, err error) {
	var doc store.Doc
	err = i.store.View(ctx, func(tx store.Tx) (err error) {
		doc, err = tx.Get(KindMail, i.org, entry.id)
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return i.clock.Now().Sub(entry.since) >= mailPatience, nil
	case err != nil:
		return false, err
	case jsonv.Bool(doc, "sent"):
		return true, nil
	}
	if err := send(ctx, mailOf(doc)); err != nil {
		return false, err
	}
	err = i.store.Update(ctx, func(tx store.Tx) error {
		doc = jsonv.CloneObject(doc)
		doc["sent"] = true
		return tx.Put(KindMail, doc, i.org, entry.id)
	})
	return true, err
}

// FindMail looks for what was written to the outbox by processes that ended before
// they sent it; [Identity.SendMail] sends it.
func (i *Identity) FindMail(ctx context.Context) error {
	return i.store.View(ctx, func(tx store.Tx) error {
		for row, err := range tx.Scan(KindMail, nil, store.Page{}, i.org) {
			if err != nil {
				return err
			}
			if !jsonv.Bool(row.Doc, "sent") {
				i.outgoing.add(outgoingMail{jsonv.String(row.Doc, "id"), i.clock.Now()})
			}
		}
		return nil
	})
}

// Outbox lists the entries that were sent or are about to be, oldest first.
func (i *Identity) Outbox(ctx context.Context) (out []Mail, err error) {
	err = i.store.View(ctx, func(tx store.Tx) error {
		out = nil
		for row, err := range tx.Scan(KindMail, nil, store.Page{}, i.org) {
			if err != nil {
				return err
			}
			out = append(out, mailOf(row.Doc))
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b Mail) int { return a.At.Compare(b.At) })
	return out, err
}

func mailOf(doc store.Doc) Mail {
	at, _ := jsonv.ParseTime(jsonv.String(doc, "at"))
	return Mail{jsonv.String(doc, "id"), jsonv.String(doc, "to"), jsonv.String(doc, "orgId"), jsonv.String(doc, "kind"), at, jsonv.String(doc, "subject"), jsonv.String(doc, "text")}
}
