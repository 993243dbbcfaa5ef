package jq

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// Rehearsal lets whoever holds a lock use the results of slow programs without
// waiting for them there. What needs the lock is first done with it, and only quick
// programs run ([Rehearsal.Perform]). If that was not enough ([Rehearsal.TooSlow]) it
// is given up and done once without the lock and without effect, however long its
// programs take within the bound of all of them ([Rehearsal.Rehearse]); their results
// are kept. Then it is done with the lock again: a program that is given the input of
// before is not run but answers as before. One goroutine at a time may use it.
type Rehearsal struct {
	total, quick *Budget
	performing   bool
	tooSlow      bool
	results      map[rehearsed]known
}

// rehearsed names a run: what ran and a digest of what it was given.
type rehearsed struct {
	program string
	input   [sha256.Size]byte
}

// known is how a run ended.
type known struct {
	out  any
	some bool
	err  error
	took time.Duration
	cut  bool
	// now says that the program asked for the time: whoever gives it may want to know.
	now bool
}

// NewRehearsal bounds what all programs may take together when they are rehearsed.
func NewRehearsal(total time.Duration) *Rehearsal {
	return &Rehearsal{total: NewBudget(total), results: map[rehearsed]known{}}
}

// ErrTooSlow is what [Program.First] returns for the rest of a performance that is to
// be given up.
var ErrTooSlow = fmt.Errorf("%w: it is to be rehearsed", ErrLimit)

type rehearsalKey struct{}

// In makes the runs with a context part of the rehearsal.
func (r *Rehearsal) In(ctx context.Context) context.Context {
	return context.WithValue(ctx, rehearsalKey{}, r)
}

// Apart takes the runs with a context out of its rehearsal: those whose results
// cannot be had without the lock.
func Apart(ctx context.Context) context.Context {
	if of(ctx) == nil {
		return ctx
	}
	return context.WithValue(ctx, rehearsalKey{}, (*Rehearsal)(nil))
}

func of(ctx context.Context) *Rehearsal {
	r, _ := ctx.Value(rehearsalKey{}).(*Rehearsal)
	return r
}

// Rehearse begins a run without the lock.
func (r *Rehearsal) Rehearse() { r.performing = false }

// Perform begins a run with the lock, in which programs that were not rehearsed may
// take so long together.
func (r *Rehearsal) Perform(quick time.Duration) {
	r.performing, r.tooSlow, r.quick = true, false, NewBudget(quick)
}

// TooSlow tells whether a program had to be stopped since [Rehearsal.Perform]: what
// was done since is to be given up, whatever came of it.
func (r *Rehearsal) TooSlow() bool { return r.tooSlow }

// budget is what bounds a run now beside its own limits.
func (r *Rehearsal) budget() *Budget {
	switch {
	case r == nil:
		return nil
	case r.performing:
		return r.quick
	}
	return r.total
}

// recall finds the result of a run that was rehearsed.
func (r *Rehearsal) recall(p *Program, input any, limits Limits) (k known, found bool) {
	if r == nil || len(r.results) == 0 || !r.performing {
		return known{}, false
	}
	if k, found = r.results[rehearsed{p.src, digest(input)}]; found && k.now && limits.Now != nil {
		limits.Now()
	}
	if found && limits.Budget != nil {
		limits.Budget.spend(k.took)
		limits.Budget.cut = limits.Budget.cut || k.cut
	}
	return k, found
}

// keep notes the result of a run that took notice of the time: what others of its
// kind take is as good as nothing.
func (r *Rehearsal) keep(p *Program, input any, k known) {
	if r == nil {
		return
	}
	if !r.performing {
		r.results[rehearsed{p.src, digest(input)}] = k
		return
	}
	r.tooSlow = r.tooSlow || k.cut && errors.Is(k.err, ErrLimit)
}

func digest(input any) [sha256.Size]byte { return sha256.Sum256(jsonv.Encode(input)) }
