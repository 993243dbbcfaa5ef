package portapi

import (
	"context"
	"sync"
)

// flight is work that several callers wait for. It runs apart from any one of
// them, so that a cancelled caller does not fail the others, and is cancelled
// itself when the last one has left.
type flight[T any] struct {
	done   chan struct{}
	cancel context.CancelFunc
	value  T // both are set before done is closed
	err    error

	mu        sync.Mutex
	waiters   int
	abandoned bool
}

// launch starts work for its first caller, who must call wait. The log and
// other values of ctx go along, its cancellation does not.
func launch[T any](ctx context.Context, work func(context.Context) (T, error)) *flight[T] {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight[T]{done: make(chan struct{}), cancel: cancel, waiters: 1}
	go func() {
		defer cancel()
		defer close(f.done)
		f.value, f.err = work(own)
	}()
	return f
}

// join adds a caller, who must then call wait. It fails when everybody had
// left already; the caller then launches anew.
func (f *flight[T]) join() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.abandoned {
		return false
	}
	f.waiters++
	return true
}

// wait returns the result, or an error of its own when ctx ends first.
func (f *flight[T]) wait(ctx context.Context) (T, error) {
	defer f.part()
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		var zero T
		return zero, context.Cause(ctx)
	}
}

func (f *flight[T]) part() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiters--
	select {
	case <-f.done:
		return // a result stays good for whoever comes
	default:
	}
	if f.waiters == 0 {
		f.abandoned = true
		f.cancel()
	}
}
