package portapi

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func headers(limit, remaining, reset any) map[string]string {
	return map[string]string{
		"X-Ratelimit-Limit": fmt.Sprint(limit), "X-Ratelimit-Remaining": fmt.Sprint(remaining), "X-Ratelimit-Reset": fmt.Sprint(reset),
	}
}

// secondCallWaits returns how long the call after one with these headers waits.
func secondCallWaits(t *testing.T, off bool, h func() map[string]string) (waited time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{{status: 200, body: fine, header: h()}}}
		c := client(t, Options{Transport: s, Anonymous: true, NoRateLimit: off, jitter: func() float64 { return 0.5 }})
		for range 2 {
			if _, err := c.Call(t.Context(), opGet); err != nil {
				t.Fatal(err)
			}
		}
		waited = s.got[1].at.Sub(s.got[0].at)
	})
	return waited
}

// rows: L4
func TestTheRateLimitHeadersAreReadAsTheReferenceSays(t *testing.T) {
	t.Parallel()
	now := func(d time.Duration) func() map[string]string {
		return func() map[string]string { return headers(100, 0, time.Now().Add(d).Unix()) }
	}
	fixed := func(limit, remaining, reset any) func() map[string]string {
		return func() map[string]string { return headers(limit, remaining, reset) }
	}
	for _, c := range []struct {
		name string
		h    func() map[string]string
		want time.Duration
	}{
		{"none", func() map[string]string { return nil }, 0},
		{"something left", fixed(100, 1, 60), 0},
		{"used up, with jitter", fixed(100, 0, 60), 63 * time.Second},
		{"overdrawn", fixed(100, -3, 60), 63 * time.Second},
		{"reset now", fixed(100, 0, 0), 0},
		{"negative reset", fixed(100, 0, -60), 0},
		{"no limit", fixed(0, 0, 60), 0},
		{"epoch", now(60 * time.Second), 63 * time.Second},
		{"epoch in the past", now(-60 * time.Second), 0},
		{"epoch in milliseconds", func() map[string]string {
			return headers(100, 0, time.Now().Add(60*time.Second).UnixMilli())
		}, 63 * time.Second},
		{"capped", fixed(100, 0, 86400), 315 * time.Second},
		{"epoch capped", now(24 * time.Hour), 315 * time.Second},
		{"fraction: all ignored", fixed(100, 0, "60.5"), 0},
		{"text: all ignored", fixed("many", 0, 60), 0},
		{"missing: all ignored", fixed(100, "", 60), 0},
		{"overflow: all ignored", fixed(100, 0, "99999999999999999999999"), 0},
	} {
		if got := secondCallWaits(t, false, c.h); got != c.want {
			t.Errorf("%s: waited %s, want %s", c.name, got, c.want)
		}
		if got := secondCallWaits(t, true, c.h); got != 0 {
			t.Errorf("%s, switched off: waited %s", c.name, got)
		}
	}
}

// window is a server that lets size requests through in each period and
// refuses the rest, as reference/catalog.md §6.1 has it.
type window struct {
	mu       sync.Mutex
	size     int
	period   time.Duration
	start    time.Time
	used     int
	refused  int
	arrivals []time.Time
	closed   bool // refuses for as long as it is set
}

func (w *window) RoundTrip(*http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if now.Sub(w.start) >= w.period {
		w.start, w.used = now, 0
	}
	w.used++
	w.arrivals = append(w.arrivals, now)
	left := int((w.period - now.Sub(w.start) + time.Second - 1) / time.Second)
	h := headers(w.size, max(0, w.size-w.used), left)
	s := script{steps: []step{{status: 200, body: fine, header: h}}}
	if w.used > w.size || w.closed {
		w.refused++
		h["Retry-After"] = fmt.Sprint(left)
		s.steps[0] = step{status: 429, body: `{"ok":false,"error":"too_many_requests"}`, header: h}
	}
	r, err := http.NewRequest(http.MethodGet, "http://port.test/v1/x", nil)
	if err != nil {
		return nil, err
	}
	return s.RoundTrip(r)
}

func TestManyCallersStayWithinTheLimitAndDoNotWakeAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &window{size: 50, period: 30 * time.Second}
		c := client(t, Options{Transport: w, Anonymous: true})
		work := make(chan struct{})
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				for range work {
					if _, err := c.Call(t.Context(), opPost); err != nil {
						t.Error(err)
					}
				}
			})
		}
		start := time.Now()
		for range 220 {
			work <- struct{}{}
		}
		close(work)
		wg.Wait()
		if w.refused != 0 {
			t.Errorf("%d of %d requests were refused", w.refused, len(w.arrivals))
		}
		if took := time.Since(start); took < 4*30*time.Second || took > 4*34*time.Second {
			t.Errorf("220 requests at 50 in 30 s took %s", took)
		}
	})
}

func TestARefusalHoldsEverybodyBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &window{size: 1000, period: 20 * time.Second, closed: true}
		c := client(t, Options{Transport: w, Anonymous: true})
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if _, err := c.Call(t.Context(), opPost); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(time.Second)
		w.mu.Lock()
		w.closed = false
		first := len(w.arrivals)
		w.mu.Unlock()
		late := time.Now()
		if _, err := c.Call(t.Context(), opGet); err != nil {
			t.Error(err)
		}
		if waited := time.Since(late); waited < 18*time.Second {
			t.Errorf("a new call went out %s after the refusals", waited)
		}
		wg.Wait()
		// Whoever was already under way may have been refused, nobody else.
		w.mu.Lock()
		defer w.mu.Unlock()
		if first > 50 || len(w.arrivals) != first+51 {
			t.Errorf("%d requests before, %d in all", first, len(w.arrivals))
		}
		at := map[time.Time]int{}
		for _, a := range w.arrivals[first:] {
			at[a]++
		}
		if most := at[w.arrivals[first]]; most != 1 {
			t.Errorf("%d requests at once after the wait", most)
		}
	})
}

func TestNothingIsPacedWithoutHeaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{answered(200, fine)}}
		c := client(t, Options{Transport: s, Anonymous: true})
		start := time.Now()
		for range 500 {
			if _, err := c.Call(t.Context(), opGet); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("500 calls waited %s", took)
		}
	})
}

func TestOvertakingAnswersDoNotRefillTheBucket(t *testing.T) {
	t.Parallel()
	l := newLimiter(Options{Clock: systemClock{}, jitter: func() float64 { return 0 }})
	now := time.Now()
	l.learn(now, 100, 7, time.Minute)
	l.learn(now, 100, 9, time.Minute) // sent earlier, answered later
	if diff := cmp.Diff(7, l.left); diff != "" {
		t.Error(diff)
	}
	l.learn(now.Add(time.Minute), 100, 99, time.Minute)
	if diff := cmp.Diff(99, l.left); diff != "" {
		t.Error(diff)
	}
}
