package portal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/invoke"
	"github.com/portlens/terraform-provider-port/internal/portal/outbound"
	"github.com/portlens/terraform-provider-port/internal/portal/runs"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

const (
	// mostDeliveries is how many are under way at a time, of different lanes. Most of
	// them may wait for their turn at a slow host ([outbound.Limits.PerHost]): it
	// must not be what others wait for.
	mostDeliveries = 1024
	// callTime is what a call takes at most, with the wait for its turn.
	callTime = 36 * time.Second
	// deliveryRepeat is the wait after an error of the store.
	deliveryRepeat = time.Second
	// shortestRest and longestRest bound the pause of a lane whose host was too busy.
	// It grows with each time.
	shortestRest = 250 * time.Millisecond
	longestRest  = 8 * time.Second
)

// rest is a pause of a lane.
type rest struct {
	length time.Duration
	until  time.Time
}

// deliveries sends what runs have written down, and writes down what came of it.
// It keeps nothing that is not in the store: what it was about to send when it was
// killed is sent by the next portal that opens the data.
type deliveries struct {
	store  store.Store
	runs   *runs.Runs
	outbox *runs.Outbox
	sender *invoke.Sender
	secret func(store.Tx) (string, error)
	clock  clock.Clock
	log    *slog.Logger
	org    string

	ctx    context.Context //nolint:containedctx // ends the calls under way when the portal closes
	cancel context.CancelFunc

	mu     sync.Mutex
	idle   *sync.Cond // of busy and looking
	busy   map[string]bool
	rests  map[string]rest // of lanes whose hosts were busy
	again  bool            // somebody asked for a look during the one under way
	looks  bool
	timer  clock.Timer
	begun  bool
	closed bool
	works  sync.WaitGroup
}

// ready prepares for [deliveries.begin], before which nothing is sent.
func (d *deliveries) ready() *deliveries {
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.idle, d.busy = sync.NewCond(&d.mu), map[string]bool{}
	d.rests = map[string]rest{}
	return d
}

func (d *deliveries) begin() {
	d.mu.Lock()
	d.begun = true
	d.mu.Unlock()
	d.Wake()
}

// Wake implements [httpapi.Deliveries].
func (d *deliveries) Wake() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wake()
}

// wake is [deliveries.Wake] for who holds mu.
func (d *deliveries) wake() {
	if d.closed || d.looks || !d.begun {
		d.again = true
		return
	}
	d.looks = true
	d.works.Go(d.look)
}

// look starts whatever is due, until nobody asks any more.
func (d *deliveries) look() {
	for {
		due, secret, err := d.due()
		d.mu.Lock()
		switch {
		case err != nil && !d.closed:
			d.log.Error("deliveries", "error", err)
			d.wakeAt(d.clock.Now().Add(deliveryRepeat))
		case !due.Later.IsZero():
			d.wakeAt(due.Later)
		}
		for _, one := range due.Now {
			if !d.closed && !d.busy[one.Lane] {
				d.busy[one.Lane] = true
				d.works.Go(func() { d.deliver(one, secret) })
			}
		}
		if !d.again || d.closed {
			d.looks = false
			d.idle.Broadcast()
			d.mu.Unlock()
			return
		}
		d.again = false
		d.mu.Unlock()
	}
}

// due asks the outbox, one look at a time.
func (d *deliveries) due() (due runs.Due, secret string, err error) {
	d.mu.Lock()
	busy, now, awake := make(map[string]bool, len(d.busy)), d.clock.Now(), time.Time{}
	for lane := range d.busy {
		busy[lane] = true
	}
	for lane, r := range d.rests {
		if !busy[lane] && r.until.After(now) {
			busy[lane] = true
			if awake.IsZero() || r.until.Before(awake) {
				awake = r.until
			}
		}
	}
	free := mostDeliveries - len(d.busy)
	d.mu.Unlock()
	err = d.store.View(d.ctx, func(tx store.Tx) error {
		var err error
		due, err = d.outbox.Due(tx, busy, free)
		if !awake.IsZero() && (due.Later.IsZero() || awake.Before(due.Later)) {
			due.Later = awake
		}
		if err != nil || len(due.Now) == 0 {
			return err
		}
		secret, err = d.secret(tx)
		return err
	})
	return due, secret, err
}

// wakeAt looks again at a moment. The caller holds mu.
func (d *deliveries) wakeAt(at time.Time) {
	if d.timer != nil {
		d.timer.Stop()
	}
	d.timer = d.clock.AfterFunc(max(at.Sub(d.clock.Now()), time.Millisecond), d.Wake)
}

// deliver sends one and frees its lane.
func (d *deliveries) deliver(one runs.Delivery, secret string) {
	err := d.attempt(one, secret)
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.idle.Broadcast()
	delete(d.busy, one.Lane)
	if errors.Is(err, outbound.ErrBusy) {
		// Others have their turn meanwhile: were it begun again at once, those who wait
		// for a slow host could take up all places.
		length := min(max(2*d.rests[one.Lane].length, shortestRest), longestRest)
		d.rests[one.Lane] = rest{length, d.clock.Now().Add(length)}
		err = nil
	} else {
		delete(d.rests, one.Lane)
	}
	switch {
	case err == nil:
		d.wake() // before anybody sees that nothing is under way: its lane may go on
	case !d.closed:
		d.log.Error("delivery", "run", one.Run, "error", err)
		d.wakeAt(d.clock.Now().Add(deliveryRepeat))
	}
}

func (d *deliveries) attempt(one runs.Delivery, secret string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			d.log.Error("panic", "delivery", one.Run, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = d.finish(one, runs.Outcome{Log: "The portal failed while it delivered the run", Status: runs.Failure})
		}
	}()
	if !d.runs.Mine(one, callTime) {
		taken := false
		err := d.store.Update(d.ctx, func(tx store.Tx) (err error) {
			taken, err = d.runs.Take(tx, d.org, one)
			return err
		})
		if err != nil || !taken {
			return err
		}
	}
	if one.Postponed() {
		over, err := d.over(one.Run)
		if err != nil || over {
			return errors.Join(err, d.finish(one, runs.Outcome{}))
		}
	}
	payload, err := d.runs.Payload(one)
	if err != nil {
		return d.finish(one, runs.Outcome{Log: "What is to be delivered cannot be decrypted: " + err.Error(), Status: runs.Failure})
	}
	outcome, err := d.sender.Send(d.ctx, secret, one, payload)
	if err != nil {
		return err
	}
	if one.Kind == runs.DeliverChange && outcome.Log != "" {
		d.log.Warn("change log", "to", one.Method, "lane", one.Lane, "problem", outcome.Log)
	}
	return d.finish(one, outcome)
}

// finish is not broken off when the portal closes: what is known is kept.
func (d *deliveries) finish(one runs.Delivery, outcome runs.Outcome) error {
	ctx := context.WithoutCancel(d.ctx)
	return d.store.Update(ctx, func(tx store.Tx) error {
		return d.runs.Delivered(ctx, tx, d.org, one, outcome)
	})
}

// settle waits until nothing is under way.
func (d *deliveries) settle() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.looks || len(d.busy) > 0 {
		d.idle.Wait()
	}
}

// closeGrace is how long calls under way may take once the portal closes.
const closeGrace = 3 * time.Second

// close lets calls under way come to their end, but not for long; what was broken off
// is sent when the data is opened again.
func (d *deliveries) close() {
	d.mu.Lock()
	d.closed = true
	if d.timer != nil {
		d.timer.Stop()
	}
	d.mu.Unlock()
	done := make(chan struct{})
	go func() { d.works.Wait(); close(done) }()
	grace, cancel := context.WithTimeout(d.ctx, closeGrace)
	defer cancel()
	select {
	case <-done:
	case <-grace.Done():
	}
	d.cancel()
	<-done
}

// vault gives runs what identity keeps secret.
type vault struct{ portal *Portal }

func (v vault) Secrets(tx store.Tx, org string) (map[string]string, error) {
	return v.portal.identity.SecretValues(tx, org)
}

func (v vault) ClientSecret(tx store.Tx, _ string) (string, error) {
	return v.portal.identity.ClientSecret(tx)
}

func (v vault) Seal(text, owner string) (string, error) { return v.portal.identity.Seal(text, owner) }

func (v vault) Open(sealed, owner string) (string, error) {
	return v.portal.identity.Unseal(sealed, owner)
}

// people tells runs about users.
type people struct{ portal *Portal }

func (p people) Subject(tx store.Tx, org, email string) (*access.Subject, bool, error) {
	u, active, err := p.portal.identity.Known(tx, email)
	if err != nil || u == nil {
		return nil, false, err
	}
	return &access.Subject{Org: org, ID: u.ID, User: u}, active, nil
}

// Settle waits until every event was handled and everything is sent that was due.
func (p *Portal) Settle() {
	for turns := -1; ; {
		now := p.automator.settle()
		if now == turns {
			return // nothing came of what was sent since
		}
		turns = now
		p.deliveries.settle()
	}
}

// mailApproval is the kind of mail that asks for an approval.
const mailApproval = "approval"
