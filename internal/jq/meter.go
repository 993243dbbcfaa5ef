package jq

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/metrics"
	"time"
)

// meter bounds one run. The interpreter asks its context at every instruction
// whether it is done; the meter is that context and counts. Functions that do
// much work in one instruction charge for it beforehand.
type meter struct {
	parent context.Context
	timed  context.Context
	cancel context.CancelFunc
	limits Limits
	input  any

	used, next, most int64
	// big makes the checks frequent: values are large, or the run is long, so
	// that single instructions may take long.
	big bool
	// bound is the budget of the rehearsal, if there is one; short says that a
	// budget, not the limit, sets the time.
	bound *Budget
	short bool
	over  error
	slots chan struct{}
	heavy bool
	// heap is what was in use when the run became heavy, heapAt the work done
	// when it was last looked at.
	heap   uint64
	heapAt int64

	patterns map[pattern]*matcher
}

const (
	workMax = 100_000_000
	// stepMax is the largest value that one instruction may walk through, and
	// stepWork the most it may do.
	stepMax  = 4_000_000
	stepWork = 20_000_000
	// checkEvery is how much work passes between looks at the time.
	checkEvery    = 256
	checkEveryBig = 4
	// checkHeapEvery is how much work passes between looks at the memory.
	checkHeapEvery = 2048
	// bigWork and bigValue are where a run or a value counts as big.
	bigWork  = 200_000
	bigValue = 32 << 10
	heapMax  = 128 << 20
	// textMax and listMax bound values that a single instruction can make.
	textMax  = 2 << 20
	listMax  = 1 << 20
	depthMax = 10_000
	// freeTime is what a run may take without touching the budget.
	freeTime = time.Millisecond
	// freeWork is what a run may do when the budget is used up: enough for a
	// simple program, so that it does not suffer from others.
	freeWork = 2000
)

func (m *meter) start(ctx context.Context, input any, limits Limits) {
	*m = meter{parent: ctx, input: input, limits: limits, next: checkEvery, slots: m.slots, patterns: m.patterns}
	if m.limits.Time <= 0 {
		m.limits.Time = defaultTime
	}
	if m.limits.OutputBytes <= 0 {
		m.limits.OutputBytes = defaultOutputBytes
	}
	m.most, m.bound = workMax, of(ctx).budget()
	for _, b := range []*Budget{m.limits.Budget, m.bound} {
		if b != nil && m.most != freeWork && b.left < m.limits.Time {
			m.limits.Time, m.short = b.left, true
			if b.left < freeTime {
				m.limits.Time, m.most = 10*freeTime, freeWork
			}
		}
	}
}

// stop ends the run, and tells what it took if that was worth a look at the time.
func (m *meter) stop() (took time.Duration, looked bool) {
	if m.timed != nil {
		// What the run took is what is missing until its deadline.
		deadline, _ := m.timed.Deadline()
		took, looked = m.limits.Time-time.Until(deadline), true
		for _, b := range []*Budget{m.limits.Budget, m.bound} {
			if b != nil {
				b.spend(took)
				b.cut = b.cut || m.short && m.over != nil
			}
		}
	}
	if m.cancel != nil {
		m.cancel()
	}
	if m.heavy {
		<-m.slots
	}
	m.parent, m.timed, m.input, m.bound, m.heavy = nil, nil, nil, nil, false
	return took, looked
}

// Deadline, Err and Value make the meter a context; nobody but the interpreter
// sees it.
func (*meter) Deadline() (time.Time, bool) { return time.Time{}, false }

// Err says why the run is over, nil while it is not.
func (m *meter) Err() error { return m.over }

// Value knows nothing.
func (*meter) Value(any) any { return nil }

// Done counts one instruction.
func (m *meter) Done() <-chan struct{} {
	if m.used++; m.used >= m.next {
		m.check()
	}
	if m.over != nil {
		return closed
	}
	return nil
}

var closed = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// charge counts work that one instruction is about to do.
func (m *meter) charge(work int) error {
	if work > bigValue {
		m.big = true
	}
	if m.used += int64(work); m.used >= m.next {
		m.check()
	}
	return m.over
}

func (m *meter) check() {
	if m.over != nil {
		return
	}
	if m.timed == nil {
		m.timed, m.cancel = context.WithTimeout(m.parent, m.limits.Time)
		if w := weigh(m.input, bigValue); w.over {
			m.big = true
		}
	}
	if m.used > bigWork {
		m.big = true
		if !m.heavy {
			m.becomeHeavy()
		}
	}
	m.next = m.used + checkEvery
	if m.big {
		m.next = m.used + checkEveryBig
	}
	switch {
	case m.over != nil:
	case m.parent.Err() != nil:
		m.over = m.parent.Err()
	case m.timed.Err() != nil:
		m.over = fmt.Errorf("%w: it ran longer than %s", ErrLimit, m.limits.Time)
	case m.used > m.most:
		m.over = fmt.Errorf("%w: too many steps", ErrLimit)
	case m.heavy && m.used-m.heapAt > checkHeapEvery:
		m.heapAt = m.used
		if heapInUse() > m.heap+heapMax {
			m.over = fmt.Errorf("%w: too much memory", ErrLimit)
		}
	}
}

// becomeHeavy waits for one of the few places for long runs, so that several
// hostile programs together need no more memory than some.
func (m *meter) becomeHeavy() {
	select {
	case m.slots <- struct{}{}:
		m.heavy = true
		m.heap = heapInUse()
	case <-m.timed.Done():
	}
}

func heapInUse() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}

// weight is the size of a value when it is written out as a tree. Values that
// share parts can be tiny in memory and endless as trees.
type weight struct {
	nodes, bytes int
	over         bool
}

func weigh(v any, most int) weight {
	w := weight{}
	w.add(v, most, 0)
	return w
}

func (w *weight) add(v any, most, depth int) {
	w.nodes++
	switch v := v.(type) {
	case string:
		w.bytes += len(v)
	case json.Number:
		w.bytes += len(v)
	case []any:
		for _, e := range v {
			if w.over {
				return
			}
			w.add(e, most, depth+1)
		}
	case map[string]any:
		for k, e := range v {
			if w.over {
				return
			}
			w.bytes += len(k)
			w.add(e, most, depth+1)
		}
	default:
		w.bytes += 8
	}
	if w.nodes+w.bytes/16 > most || depth > depthMax {
		w.over = true
	}
}

// chargeFor charges for walking through the values times times.
func (m *meter) chargeFor(times int, values ...any) error {
	total := 0
	for _, v := range values {
		switch v := v.(type) {
		case nil, bool, int, float64, json.Number:
			total++
			continue
		case string:
			total += 1 + len(v)/16
			continue
		}
		w := weigh(v, stepMax)
		if w.over {
			m.over = fmt.Errorf("%w: a value is too large", ErrLimit)
			return m.over
		}
		total += w.nodes + w.bytes/16
	}
	if total > 0 && times > stepWork/total {
		m.over = fmt.Errorf("%w: too much work in one step", ErrLimit)
		return m.over
	}
	return m.charge(total * times)
}
