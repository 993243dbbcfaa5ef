package httpapi

import (
	"maps"
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
	// Requests an organization may make in a Window, and each of its service accounts
	// beside it; 0 is no limit.
	Requests int
	// Window defaults to 300 seconds.
	Window time.Duration
	// FailedLogins is how often a client id may be used with a wrong secret in a
	// minute, from one address, before it has to wait; 0 is no limit.
	FailedLogins int
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

// rate counts requests in fixed windows, in a bucket for the organization and one
// for each of its service accounts (reference/identity.md §1.9). A window begins
// with the first request after the one before ended.
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
	bucket, whose := bucketOf(who)
	w := r.current(bucket)
	if w.used >= r.limit {
		return fault.New(http.StatusTooManyRequests, identity.TooManyRequests,
			"%s may make %d requests in %d seconds: wait as long as the header Retry-After says", whose, r.limit, int(r.window/time.Second))
	}
	w.used++
	return nil
}

// bucketOf tells where a principal's requests are counted, and whose they are.
func bucketOf(who identity.Principal) (bucket, whose string) {
	if who.User != nil && who.User.ServiceAccount {
		return who.Org + " " + who.ID, "The service account"
	}
	return who.Org, "The organization"
}

// manyBuckets is when buckets whose window is over are thrown away.
const manyBuckets = 1000

func (r *rate) current(bucket string) *window {
	now := r.clock.Now()
	w := r.counts[bucket]
	if w != nil && now.Before(w.ends) {
		return w
	}
	if len(r.counts) >= manyBuckets {
		maps.DeleteFunc(r.counts, func(_ string, w *window) bool { return !now.Before(w.ends) })
	}
	w = &window{ends: now.Add(r.window)}
	r.counts[bucket] = w
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
	bucket, _ := bucketOf(who)
	if w, ok := r.counts[bucket]; ok {
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
