package portal

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// timerRepeat is the longest wait after an error, and timerLook how long a timer of
// a portal that is gone may wait for another one on the same database.
const (
	timerRepeat = time.Minute
	timerLook   = time.Minute
)

// timers does what falls due at some moment: it records the values of timer properties
// that expire (reference/catalog.md §7 U4), or ends runs that take too long. It sleeps
// until the next one is due and knows nothing but that moment: which timers run
// stands in the store, so that none is lost with the portal and none expires twice.
type timers struct {
	store store.Store
	clock clock.Clock
	log   *slog.Logger
	org   string
	// due does what is due, or some of it, and tells when to look again.
	due func(ctx context.Context, tx store.Tx, org string) (next time.Time, err error)
	// look is how often to see whether others have set timers on the same store; 0
	// is never.
	look time.Duration

	mu    sync.Mutex
	timer clock.Timer
	// at is when timer goes off; zero when it is not set.
	at time.Time
	// wait is the pause after the last error.
	wait   time.Duration
	begun  bool
	closed bool
	busy   sync.WaitGroup
}

// wake asks for a look at a moment; it implements [catalog.Deps.Wake]. The look is
// an update: it waits for the one that asks for it.
func (t *timers) wake(at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.begun {
		t.set(at)
	}
}

// set makes the timer go off at a moment unless it will before.
func (t *timers) set(at time.Time) {
	if t.closed || at.IsZero() || !t.at.IsZero() && !at.Before(t.at) {
		return
	}
	if t.timer != nil {
		t.timer.Stop()
	}
	t.at = at
	t.timer = t.clock.AfterFunc(at.Sub(t.clock.Now()), t.run)
}

// begin catches up on what fell due while no portal ran.
func (t *timers) begin() {
	t.mu.Lock()
	t.begun = true
	t.mu.Unlock()
	t.run()
}

func (t *timers) run() {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return
	}
	t.at = time.Time{}
	t.busy.Add(1)
	t.mu.Unlock()
	defer t.busy.Done()
	next, err := t.expire()
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	if err != nil {
		t.wait = min(max(2*t.wait, time.Second), timerRepeat)
		t.log.Error("timers", "error", err, "again", t.wait)
		next = now.Add(t.wait)
	} else {
		t.wait = 0
	}
	t.set(next)
	if t.look > 0 {
		t.set(now.Add(t.look))
	}
}

func (t *timers) expire() (next time.Time, err error) {
	defer func() {
		if p := recover(); p != nil {
			t.log.Error("panic", "timers", t.org, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	ctx := context.Background()
	err = t.store.Update(ctx, func(tx store.Tx) error {
		var err error
		next, err = t.due(ctx, tx, t.org)
		return err
	})
	return next, err
}

// close waits for the batch at work and begins no other.
func (t *timers) close() {
	t.mu.Lock()
	t.closed = true
	if t.timer != nil {
		t.timer.Stop()
	}
	t.mu.Unlock()
	t.busy.Wait()
}
