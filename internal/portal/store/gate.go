package store

import (
	"context"
	"sync"
)

// gate counts running transactions and lets none in once it is closed.
type gate struct {
	mu      sync.Mutex
	running sync.WaitGroup
	closed  bool
}

func (g *gate) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return ErrClosed
	}
	g.running.Add(1)
	return nil
}

func (g *gate) leave() { g.running.Done() }

// close waits for what runs and reports whether it was the first to close.
func (g *gate) close() bool {
	g.mu.Lock()
	first := !g.closed
	g.closed = true
	g.mu.Unlock()
	g.running.Wait()
	return first
}
