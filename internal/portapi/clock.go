package portapi

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"time"
)

// Clock is the time a client lives in: token renewal, back-off and batching
// windows all ask it. The portal's clocks fit.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

type systemClock struct{}

func (systemClock) Now() time.Time {
	return time.Now() //nolint:forbidigo // this is the clock that gets injected
}

func (systemClock) After(d time.Duration) <-chan time.Time {
	return time.After(d) //nolint:forbidigo // this is the clock that gets injected
}

// wait sleeps for d or until ctx ends, whichever comes first.
func wait(ctx context.Context, clock Clock, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	select {
	case <-clock.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// randomFraction returns a number in [0, 1) for jitter.
func randomFraction() float64 {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0.5
	}
	return float64(binary.LittleEndian.Uint64(b[:])>>11) / (1 << 53)
}

// Pause waits for something that the server does a little later, by the client's
// clock.
func (c *Client) Pause(ctx context.Context, d time.Duration) error { return wait(ctx, c.clock, d) }

// Now is the time by the client's clock.
func (c *Client) Now() time.Time { return c.clock.Now() }
