package runs

import (
	"errors"
	"slices"
	"time"

	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Outbox remembers which deliveries are in the store, so that a look costs what has
// changed since the last one and not what is waiting: behind a slow backend that may
// be thousands. One goroutine at a time may use it.
type Outbox struct {
	runs *Runs
	org  string
	mark store.Mark
	// waiting are the deliveries of each lane in the order of their IDs, which is
	// that of their writing. Their texts stay in the store.
	waiting map[string][]Delivery
	lanes   map[string]string // by ID
}

// Outbox makes an outbox of an organization.
func (r *Runs) Outbox(org string) *Outbox { return &Outbox{runs: r, org: org} }

// Due is what a portal may send.
type Due struct {
	// Now are deliveries to be sent, each the first of its lane.
	Now []Delivery
	// Later is when to look again for what others have not sent; zero is never.
	Later time.Time
}

// Due lists what is to be sent, oldest first, of lanes that are not busy, up to a
// limit.
func (o *Outbox) Due(tx store.Tx, busy map[string]bool, limit int) (Due, error) {
	var due Due
	if err := o.refresh(tx); err != nil {
		return due, err
	}
	now := o.runs.deps.Clock.Now().UTC()
	var heads []Delivery
	later := func(at time.Time) {
		if due.Later.IsZero() || at.Before(due.Later) {
			due.Later = at
		}
	}
	following := 0
	for lane, waiting := range o.waiting {
		switch d := waiting[0]; {
		case busy[lane]:
			if d.Kind == DeliverFollow {
				following++
			}
		case o.runs.others(d, now):
			later(d.until)
		case d.due.After(now):
			later(d.due)
		default:
			heads = append(heads, d)
		}
	}
	slices.SortFunc(heads, byID)
	heads = slices.DeleteFunc(heads, func(d Delivery) bool {
		if d.Kind != DeliverFollow {
			return false
		}
		following++
		return following > mostFollowing
	})
	for _, d := range heads[:min(len(heads), max(limit, 0))] {
		doc, err := tx.Get(KindDelivery, o.org, d.ID)
		if err != nil {
			return due, err
		}
		due.Now = append(due.Now, deliveryOf(store.Row{Key: []string{o.org, d.ID}, Doc: doc}))
	}
	return due, nil
}

// mostFollowing is how many deliveries of [DeliverFollow] go on at a time: they can
// wait, and others must not wait for them. The end of each asks for another look.
const mostFollowing = 8

func byID(a, b Delivery) int {
	if a.ID < b.ID {
		return -1
	}
	if a.ID > b.ID {
		return 1
	}
	return 0
}

// refresh follows the store.
func (o *Outbox) refresh(tx store.Tx) error {
	changes, now, known, err := tx.Changed(o.mark, KindDelivery)
	if err != nil {
		return err
	}
	o.mark = "" // an error on the way makes the next look begin anew
	if !known {
		o.waiting, o.lanes = map[string][]Delivery{}, map[string]string{}
		for row, err := range tx.Scan(KindDelivery, nil, store.Page{}, o.org) {
			if err != nil {
				return err
			}
			o.put(deliveryOf(row))
		}
	}
	for _, c := range changes {
		if !known || c.Key[0] != o.org {
			continue
		}
		id := c.Key[len(c.Key)-1]
		doc, err := tx.Get(KindDelivery, c.Key...)
		switch {
		case errors.Is(err, store.ErrNotFound):
			o.drop(id)
		case err != nil:
			return err
		default:
			o.put(deliveryOf(store.Row{Key: c.Key, Doc: doc}))
		}
	}
	o.mark = now
	return nil
}

func (o *Outbox) put(d Delivery) {
	d.Sealed = ""
	o.lanes[d.ID] = d.Lane
	waiting := o.waiting[d.Lane]
	at, found := slices.BinarySearchFunc(waiting, d, byID)
	if found {
		waiting[at] = d
		return
	}
	o.waiting[d.Lane] = slices.Insert(waiting, at, d)
}

func (o *Outbox) drop(id string) {
	lane, known := o.lanes[id]
	if !known {
		return
	}
	delete(o.lanes, id)
	waiting := o.waiting[lane]
	if at, found := slices.BinarySearchFunc(waiting, Delivery{ID: id}, byID); found {
		if at == 0 { // as a rule: a long lane is not moved for it
			waiting[0] = Delivery{}
			waiting = waiting[1:]
		} else {
			waiting = slices.Delete(waiting, at, at+1)
		}
		if len(waiting) > 0 {
			o.waiting[lane] = waiting
		} else {
			delete(o.waiting, lane)
		}
	}
}
