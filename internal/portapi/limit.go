package portapi

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// epochFrom is the x-ratelimit-reset from which on it is read as a moment
	// and no longer as seconds to go; reference/provider-catalog.md §2.4.
	epochFrom = 100_000_000
	// restartGap spaces the requests that waited, and after a window's end all
	// requests until an answer tells how much the new one holds: they must not
	// wake at once.
	restartGap = 50 * time.Millisecond
)

// limiter is a token bucket that the server's headers fill. Without headers it
// lets everything through.
type limiter struct {
	off     bool
	verbose bool
	clock   Clock
	jitter  func() float64

	turn chan struct{} // holds one element while a caller waits; the others queue

	mu      sync.Mutex
	size    int       // requests in a window; 0 while no headers were seen
	left    int       // of them, as far as is known here
	flying  int       // admitted and not yet landed
	reset   time.Time // end of the window; zero: unknown
	wake    time.Time // reset, with jitter
	blocked time.Time // nothing goes before, the server said so
	restart bool      // the window is over and no answer told of the next
	last    time.Time // last admission
}

func newLimiter(o Options) *limiter {
	return &limiter{
		off: o.NoRateLimit, verbose: o.RateLimitLog,
		clock: o.Clock, jitter: o.jitter,
		turn: make(chan struct{}, 1),
	}
}

// admit waits until a request may go, or ctx ends.
func (l *limiter) admit(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if d := l.take(false); d <= 0 {
		return nil
	}
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for {
		d := l.take(true)
		if d <= 0 {
			return nil
		}
		logPacing(ctx, l.verbose, d)
		if err := wait(ctx, l.clock, d); err != nil {
			return err
		}
	}
}

// take uses up one request of the window and returns 0, or returns how long to
// wait before asking again. Callers from the queue are kept apart.
func (l *limiter) take(queued bool) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.off {
		l.flying++
		return 0
	}
	now := l.clock.Now()
	if now.Before(l.blocked) {
		return l.blocked.Sub(now)
	}
	if l.size > 0 && l.left <= 0 && !l.reset.IsZero() {
		if now.Before(l.wake) {
			return l.wake.Sub(now)
		}
		l.left, l.reset, l.restart = l.size, time.Time{}, true
	}
	if queued || l.restart {
		if next := l.last.Add(restartGap); now.Before(next) {
			return next.Sub(now)
		}
	}
	l.left--
	l.flying++
	l.last = now
	return 0
}

// land ends what a successful admit began.
func (l *limiter) land() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flying--
}

// observe learns from an answer. The three headers count only together and as
// integers; a 429 holds everybody back, not just the call that got it.
func (l *limiter) observe(ctx context.Context, status int, h http.Header) {
	if l.off {
		return
	}
	now := l.clock.Now()
	size, ok1 := headerInt(h, "X-Ratelimit-Limit")
	left, ok2 := headerInt(h, "X-Ratelimit-Remaining")
	seconds, ok3 := headerInt(h, "X-Ratelimit-Reset")
	known := ok1 && ok2 && ok3

	l.mu.Lock()
	defer l.mu.Unlock()
	l.restart = false
	if known {
		l.learn(now, size, left, untilReset(now, seconds))
	}
	if status == http.StatusTooManyRequests {
		pause, ok := retryAfter(h, now)
		if !ok && known && left <= 0 {
			pause = untilReset(now, seconds)
		}
		if until := now.Add(pause); until.After(l.blocked) {
			l.blocked = until
		}
		l.restart = true
	}
	if known && l.verbose {
		logLimit(ctx, size, left, seconds)
	}
}

func (l *limiter) learn(now time.Time, size, left int, until time.Duration) {
	if size <= 0 {
		l.size = 0
		return
	}
	end := now.Add(until)
	if until == 0 {
		end = time.Time{} // the window ends now: no reason to wait
	}
	// Answers overtake each other. Within one window what is left only
	// shrinks, and requests under way are counted here already.
	sameWindow := l.size == size && !l.reset.IsZero() && !end.IsZero() && end.Sub(l.reset).Abs() <= 2*time.Second
	if sameWindow {
		l.left = min(l.left, left)
		return
	}
	// What is under way, but for the call that got this answer, may not have
	// reached the server yet.
	l.size, l.left, l.reset = size, left-max(0, l.flying-1), end
	l.wake = end.Add(time.Duration(float64(until) * l.jitter() / 10))
}

func untilReset(now time.Time, seconds int) time.Duration {
	if seconds > epochFrom {
		at := time.Unix(int64(seconds), 0)
		if seconds > epochFrom*1000 {
			at = time.UnixMilli(int64(seconds))
		}
		return min(max(0, at.Sub(now)), longestWait)
	}
	return time.Duration(min(max(0, seconds), int(longestWait.Seconds()))) * time.Second
}

func headerInt(h http.Header, name string) (int, bool) {
	n, err := strconv.Atoi(strings.TrimSpace(h.Get(name)))
	return n, err == nil
}
