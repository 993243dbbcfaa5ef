package jq

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/itchyny/gojq"
)

// engine keeps compiled programs. It remembers nothing of their runs but that
// one went over its limits.
type engine struct {
	mu      sync.Mutex
	entries map[string]*list.Element
	recent  *list.List
	source  int // bytes
	slots   chan struct{}
}

type entry struct {
	src     string
	program *Program
	err     error
}

// programsMax is how many programs are kept, among them the several of each input of
// large forms, and sourceMax how long their texts are together: what a program takes in
// memory grows with its text.
const (
	programsMax = 4096
	sourceMax   = 2 << 20
)

var shared = newEngine()

func newEngine() *engine {
	return &engine{
		entries: map[string]*list.Element{},
		recent:  list.New(),
		slots:   make(chan struct{}, max(1, runtime.GOMAXPROCS(0))),
	}
}

func (e *engine) Compile(src string) (*Program, error) {
	if len(src) > maxSourceBytes {
		return compile(src, e.slots) // which refuses it: not worth keeping
	}
	e.mu.Lock()
	if el, ok := e.entries[src]; ok {
		e.recent.MoveToFront(el)
		e.mu.Unlock()
		return result(el)
	}
	e.mu.Unlock()
	p, err := compile(src, e.slots)
	e.mu.Lock()
	defer e.mu.Unlock()
	if el, ok := e.entries[src]; ok {
		return result(el)
	}
	el := e.recent.PushFront(&entry{src, p, err})
	e.entries[src] = el
	for e.source += len(src); e.recent.Len() > programsMax || e.source > sourceMax; {
		if oldest, ok := e.recent.Remove(e.recent.Back()).(*entry); ok {
			delete(e.entries, oldest.src)
			e.source -= len(oldest.src)
		}
	}
	return result(el)
}

func result(el *list.Element) (*Program, error) {
	en, ok := el.Value.(*entry)
	if !ok {
		return nil, errors.New("jq: broken cache")
	}
	return en.program, en.err
}

// Program is a compiled jq program, safe for concurrent use.
type Program struct {
	src   string
	query *gojq.Query
	uses  map[string]bool // primitives it calls
	slots chan struct{}
	idle  sync.Pool // of *machine

	overruns atomic.Int32
	resting  atomic.Pointer[rest]
}

// machine is one compiled copy of a program with the meter its primitives use. A
// run has it for itself.
type machine struct {
	code  *gojq.Code
	meter *meter
}

// rest is a pause of a program that went over its limits again and again: without
// it a list of 1,000 entities with such a calculation would take 1,000 seconds.
type rest struct {
	ctx  context.Context
	stop context.CancelFunc
}

const (
	overrunsMax = 2
	restTime    = 30 * time.Second
)

func (e *SyntaxError) Error() string {
	if e.Line == 0 {
		return "jq: " + e.Message
	}
	return fmt.Sprintf("jq: line %d, column %d: %s", e.Line, e.Column, e.Message)
}

func (p *Program) machine() (*machine, error) {
	if m, ok := p.idle.Get().(*machine); ok {
		return m, nil
	}
	m := &machine{meter: &meter{slots: p.slots, patterns: map[pattern]*matcher{}}}
	code, err := gojq.Compile(p.query, m.meter.options(p.uses)...)
	m.code = code
	return m, err
}

func (p *Program) first(ctx context.Context, input any, limits Limits) (out any, some bool, err error) {
	r := of(ctx)
	if k, found := r.recall(p, input, limits); found {
		return k.out, k.some, k.err
	}
	if r != nil && r.performing && r.tooSlow {
		return nil, false, ErrTooSlow
	}
	if pause := p.resting.Load(); pause != nil && pause.ctx.Err() == nil {
		return nil, false, fmt.Errorf("%w: it has run too long before", ErrLimit)
	}
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	m, err := p.machine()
	if err != nil {
		return nil, false, err
	}
	given, asked := short(input), false
	if now := limits.Now; r != nil && now != nil {
		limits.Now = func() time.Time { asked = true; return now() }
	}
	m.meter.start(ctx, given, limits)
	out, some, err = m.run(ctx, given)
	limit, cut := m.meter.limits, m.meter.short
	took, looked := m.meter.stop()
	if broken := recovered(nil); !errors.As(err, &broken) {
		// A machine that panicked is in an unknown state and is left behind.
		p.idle.Put(m)
	}
	if !cut {
		p.remember(err)
	}
	if err != nil || !some {
		out, some = nil, false
	} else {
		out, err = plain(out, limit.OutputBytes)
		some = err == nil
	}
	if looked && ctx.Err() == nil {
		r.keep(p, input, known{out, some, err, took, cut && errors.Is(err, ErrLimit), asked})
	}
	return out, some, err
}

// remember lets a program rest that overran twice without a success in between.
func (p *Program) remember(err error) {
	switch {
	case err == nil:
		if p.overruns.Load() != 0 {
			p.overruns.Store(0)
		}
	case errors.Is(err, ErrLimit):
		if p.overruns.Add(1) >= overrunsMax {
			p.overruns.Store(overrunsMax - 1)
			r := &rest{}
			r.ctx, r.stop = context.WithTimeout(context.Background(), restTime)
			if old := p.resting.Swap(r); old != nil {
				old.stop()
			}
		}
	}
}

type recovered func() string

func (r recovered) Error() string { return r() }

func (m *machine) run(ctx context.Context, input any) (out any, some bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, some, err = nil, false, recovered(func() string { return fmt.Sprintf("jq: internal error: %v", r) })
		}
	}()
	v, ok := m.code.RunWithContext(m.meter, input).Next()
	if m.meter.over != nil {
		if ctxErr := ctx.Err(); ctxErr != nil {
			return nil, false, ctxErr
		}
		return nil, false, m.meter.over
	}
	if !ok {
		return nil, false, nil
	}
	if e, failed := v.(error); failed {
		var halt *gojq.HaltError
		if errors.As(e, &halt) && halt.ExitCode() == 0 && halt.Value() == nil {
			return nil, false, nil
		}
		return nil, false, runError(e)
	}
	return v, true, nil
}

// RunError is an error of the program itself.
type RunError struct{ Message string }

func (e *RunError) Error() string { return "jq: " + e.Message }

func runError(err error) error {
	const most = 1000
	text := []rune(err.Error())
	if len(text) > most {
		text = append(text[:most], '…')
	}
	return &RunError{string(text)}
}
