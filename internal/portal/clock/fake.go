package clock

import (
	"container/heap"
	"sync"
	"time"
)

// Fake is a clock that stands still until [Fake.Advance] moves it. It is safe
// for concurrent use.
type Fake struct {
	advancing sync.Mutex // one Advance at a time
	mu        sync.Mutex
	now       time.Time
	seq       int
	pending   queue
}

// NewFake starts a fake clock.
func NewFake(start time.Time) *Fake { return &Fake{now: start.UTC()} }

// Now is the time the clock was moved to. While Advance fires a timer it is the
// moment that timer was set for.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// NewTimer implements [Clock].
func (f *Fake) NewTimer(d time.Duration) Timer {
	return f.start(&fakeTimer{clock: f, index: idle, c: make(chan time.Time, 1)}, d)
}

// After implements [Clock].
func (f *Fake) After(d time.Duration) <-chan time.Time { return f.NewTimer(d).C() }

// AfterFunc implements [Clock]; run is called by Advance.
func (f *Fake) AfterFunc(d time.Duration, run func()) Timer {
	return f.start(&fakeTimer{clock: f, index: idle, run: run}, d)
}

// Advance moves the clock by d and fires what falls due on the way, earliest
// first and in order of creation among equals; timers that are started
// meanwhile and fall due fire too. Functions of AfterFunc have returned when
// Advance returns. It must not be called from such a function.
func (f *Fake) Advance(d time.Duration) {
	f.advancing.Lock()
	defer f.advancing.Unlock()
	f.mu.Lock()
	end := f.now.Add(d)
	for len(f.pending) > 0 && !f.pending[0].when.After(end) {
		t, ok := heap.Pop(&f.pending).(*fakeTimer)
		if !ok {
			break
		}
		if t.when.After(f.now) {
			f.now = t.when
		}
		f.mu.Unlock()
		t.fire()
		f.mu.Lock()
	}
	f.now = end
	f.mu.Unlock()
}

// Pending counts the timers that have not fired.
func (f *Fake) Pending() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.pending)
}

// start arms t; a channel timer that is already due fires at once, a function
// waits for the next Advance so that it never runs inside its creator.
func (f *Fake) start(t *fakeTimer, d time.Duration) Timer {
	f.mu.Lock()
	t.when = f.now.Add(max(d, 0))
	if d <= 0 && t.run == nil {
		f.mu.Unlock()
		t.fire()
		return t
	}
	f.seq++
	t.seq = f.seq
	heap.Push(&f.pending, t)
	f.mu.Unlock()
	return t
}

const idle = -1

type fakeTimer struct {
	clock *Fake
	when  time.Time
	seq   int
	index int // in the queue, idle when not pending
	c     chan time.Time
	run   func()
}

func (t *fakeTimer) C() <-chan time.Time { return t.c }

func (t *fakeTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	if t.index == idle {
		return false
	}
	heap.Remove(&t.clock.pending, t.index)
	return true
}

func (t *fakeTimer) Reset(d time.Duration) bool {
	was := t.Stop()
	if t.c != nil {
		select {
		case <-t.c:
		default:
		}
	}
	t.clock.start(t, d)
	return was
}

func (t *fakeTimer) fire() {
	if t.run != nil {
		t.run()
		return
	}
	select {
	case t.c <- t.when:
	default:
	}
}

type queue []*fakeTimer

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	if !q[i].when.Equal(q[j].when) {
		return q[i].when.Before(q[j].when)
	}
	return q[i].seq < q[j].seq
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *queue) Push(x any) {
	if t, ok := x.(*fakeTimer); ok {
		t.index = len(*q)
		*q = append(*q, t)
	}
}

func (q *queue) Pop() any {
	last := len(*q) - 1
	t := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	t.index = idle
	return t
}
