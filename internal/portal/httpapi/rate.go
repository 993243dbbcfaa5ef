package httpapi

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
)

// Limits bound what a caller may send. The zero value is right for local use: no
// rate limit, bodies up to 1 MiB.
type Limits struct {
	// Requests an organization may make in a Window; 0 is no limit.
	Requests int
	// Window defaults to 300 seconds.
	Window time.Duration
	// Body is the largest request body in bytes; it defaults to [MaxBody].
	Body int64
}

func (l Limits) orDefault() Limits {
	if l.Window < time.Second {
		l.Window = 300 * time.Second
	}
	if l.Body <= 0 {
		l.Body = MaxBody
	}
	return l
}

// shown is the limit that headers carry while there is none: the hosted default
// (reference/catalog.md §6.1 L3), of which nothing is ever used up.
const shown = 1000

// rate counts requests per organization in fixed windows. A window begins with
// the first request after the one before ended.
type rate struct {
	clock  clock.Clock
	limit  int
	window time.Duration
	mu     sync.Mutex
	counts map[string]*window
}

type window struct {
	ends time.Time
	used int
}

// quota is what the four headers say; reset is in seconds from now, because the
// official client sleeps that long (reference/catalog.md §6.1).
type quota struct{ limit, period, remaining, reset int }

func newRate(c clock.Clock, l Limits) *rate {
	return &rate{clock: c, limit: l.Requests, window: l.Window, counts: map[string]*window{}}
}

// admit counts a request, or refuses it before anything is done
// (reference/catalog.md §6.1 L5).
func (r *rate) admit(who identity.Principal, route *route) error {
	if r.limit <= 0 || route.open {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.current(who.Org)
	if w.used >= r.limit {
		return fault.New(http.StatusTooManyRequests, "too_many_requests",
			"The organization may make %d requests in %d seconds: wait as long as the header Retry-After says", r.limit, int(r.window/time.Second))
	}
	w.used++
	return nil
}

func (r *rate) current(org string) *window {
	now := r.clock.Now()
	w := r.counts[org]
	if w == nil || !now.Before(w.ends) {
		w = &window{ends: now.Add(r.window)}
		r.counts[org] = w
	}
	return w
}

func (r *rate) state(who identity.Principal) quota {
	q := quota{limit: shown, period: int(r.window / time.Second), remaining: shown, reset: int(r.window / time.Second)}
	if r.limit <= 0 {
		return q
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	q.limit, q.remaining = r.limit, r.limit
	if w, ok := r.counts[who.Org]; ok {
		if left := w.ends.Sub(r.clock.Now()); left > 0 {
			q.remaining = r.limit - w.used
			q.reset = int((left + time.Second - 1) / time.Second)
		}
	}
	return q
}

func (q quota) headers(h http.Header) {
	h.Set("X-Ratelimit-Limit", strconv.Itoa(q.limit))
	h.Set("X-Ratelimit-Period", strconv.Itoa(q.period))
	h.Set("X-Ratelimit-Remaining", strconv.Itoa(q.remaining))
	h.Set("X-Ratelimit-Reset", strconv.Itoa(q.reset))
}
