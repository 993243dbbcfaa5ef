package portal

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/portlens/terraform-provider-port/internal/portal/automations"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/httpapi"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
	"github.com/portlens/terraform-provider-port/internal/portal/invoke"
	"github.com/portlens/terraform-provider-port/internal/portal/runs"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

const (
	// dispatchBatch is how many events are handled in one transaction.
	dispatchBatch = 20
	// dispatchTries is how often an event is tried alone before it is given up.
	dispatchTries = 3
)

// automator hands events to automations after the transactions in which they
// happened, oldest first and one after the other: that is their order for every
// entity. It keeps nothing that is not in the store.
type automator struct {
	store       store.Store
	automations *automations.Automations
	deliveries  *deliveries
	clock       clock.Clock
	log         *slog.Logger
	org         string
	// watch is [timers.look]: whether others write to the same store.
	watch time.Duration

	ctx    context.Context //nolint:containedctx // ends the evaluation under way when the portal closes
	cancel context.CancelFunc

	mu     sync.Mutex
	idle   *sync.Cond // of looks
	looks  bool
	again  bool
	begun  bool
	closed bool
	timer  clock.Timer
	// turns counts the times that it was at work.
	turns int
	works sync.WaitGroup
	// failed counts the failures of the oldest event.
	failed int
}

func (a *automator) ready() *automator {
	a.ctx, a.cancel = context.WithCancel(context.Background())
	a.idle = sync.NewCond(&a.mu)
	return a
}

func (a *automator) begin() {
	a.mu.Lock()
	a.begun = true
	a.mu.Unlock()
	a.wake()
}

// wake asks for a look; it never waits.
func (a *automator) wake() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || a.looks || !a.begun {
		a.again = true
		return
	}
	a.looks = true
	a.turns++
	a.works.Go(a.look)
}

// look handles events until there are none.
func (a *automator) look() {
	for {
		more, err := a.handle()
		a.deliveries.Wake()
		a.mu.Lock()
		more = (more || a.again) && err == nil && !a.closed
		a.again = false
		if !more {
			switch {
			case a.closed:
			case err != nil:
				a.log.Error("automations", "error", err)
				a.wakeAt(deliveryRepeat)
			case a.watch > 0:
				a.wakeAt(a.watch)
			}
			a.looks = false
			a.idle.Broadcast()
			a.mu.Unlock()
			return
		}
		a.mu.Unlock()
	}
}

// wakeAt looks again after a while. The caller holds mu.
func (a *automator) wakeAt(after time.Duration) {
	if a.timer != nil {
		a.timer.Stop()
	}
	a.timer = a.clock.AfterFunc(after, a.wake)
}

// handle matches and dispatches some events; more says that there may be others.
// After a failure they are taken alone, so that one cannot hold up the rest for good.
func (a *automator) handle() (more bool, err error) {
	batch := dispatchBatch
	if a.failed > 0 {
		batch = 1
	}
	var list []*automations.Occurrence
	err = a.store.View(a.ctx, func(tx store.Tx) (err error) {
		list, err = a.automations.Look(tx, a.org, batch)
		return err
	})
	if err != nil || len(list) == 0 {
		return false, err
	}
	if err := a.attempt(list); err != nil {
		if a.ctx.Err() != nil {
			return false, err
		}
		a.failed++
		if a.failed <= dispatchTries || len(list) > 1 {
			return false, err
		}
		a.log.Error("automations", "error", err, "given up", true)
		err := a.store.Update(a.ctx, func(tx store.Tx) error {
			return a.automations.Drop(tx, list[0], "automations could not be run")
		})
		if err != nil {
			return false, err
		}
	}
	a.failed = 0
	return true, nil
}

func (a *automator) attempt(list []*automations.Occurrence) (err error) {
	defer func() {
		if p := recover(); p != nil {
			a.log.Error("panic", "automations", a.org, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	for _, o := range list {
		if err := a.automations.Match(a.ctx, o); err != nil {
			return err
		}
	}
	err = a.store.View(a.ctx, func(tx store.Tx) error {
		for _, o := range list {
			if err := a.automations.Plan(tx, o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, o := range list {
		if err := a.automations.Evaluate(a.ctx, o); err != nil {
			return err
		}
	}
	return a.store.Update(a.ctx, func(tx store.Tx) error {
		for _, o := range list {
			if err := a.automations.Dispatch(a.ctx, tx, o); err != nil {
				return err
			}
		}
		return nil
	})
}

// settle waits until nothing is under way, and tells how often anything was.
func (a *automator) settle() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.looks {
		a.idle.Wait()
	}
	return a.turns
}

// close ends the evaluation under way and begins no other.
func (a *automator) close() {
	a.mu.Lock()
	a.closed = true
	if a.timer != nil {
		a.timer.Stop()
	}
	a.mu.Unlock()
	a.cancel()
	a.works.Wait()
}

// reacting is a store after whose updates the automator looks at what they left.
type reacting struct {
	store.Store
	written func() int64
	wake    func()
}

// Update implements [store.Store].
func (s *reacting) Update(ctx context.Context, f func(store.Tx) error) error {
	if s.written == nil {
		return s.Store.Update(ctx, f)
	}
	before := s.written()
	err := s.Store.Update(ctx, f)
	if err == nil && s.written() != before {
		s.wake()
	}
	return err
}

// selfCalls carries the calls that backends of runs make to the portal's own API.
type selfCalls struct{ transport }

// RoundTrip implements [http.RoundTripper].
func (s selfCalls) RoundTrip(r *http.Request) (*http.Response, error) {
	cause, via := httpapi.Cause{}, s.transport
	if d, ok := invoke.DeliveryOf(r.Context()); ok {
		cause.Run = d.Run
		if d.Automation {
			cause.Origin = runs.OriginAutomation
		}
		if d.As != "" && !via.token {
			var err error
			if via.user, err = s.portal.active(r.Context(), d.As); err != nil {
				return nil, refuse(r, err)
			}
			via.token = via.user == nil
		}
	}
	return via.RoundTrip(r.WithContext(httpapi.Caused(r.Context(), cause)))
}

// active is a user who may use the portal, nil for anybody else.
func (p *Portal) active(ctx context.Context, email string) (who *identity.Principal, err error) {
	err = p.store.View(ctx, func(tx store.Tx) error {
		u, active, err := p.identity.Known(tx, email)
		if err == nil && active {
			who = &identity.Principal{Org: p.identity.Org(), ID: u.ID, User: u}
		}
		return err
	})
	return who, err
}
