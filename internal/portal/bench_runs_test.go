package portal_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store/pgtest"
)

// The load of BenchmarkRuns: runs of eight actions, and beside them other requests.
const (
	runsPerSecond = 200
	runsFor       = 30 * time.Second
	runKinds      = 8
	// besideEvery is the pause between two of the other requests of a kind.
	besideEvery = 20 * time.Millisecond
)

// BenchmarkRuns executes 200 runs a second for 30 seconds through a webhook on
// loopback, while others read, list, create and change entities. An operation is one
// such load. It fails when a delivery is lost or doubled, or one run comes before an older one of
// its action. Reported are the answers to requests for runs and to all others.
func BenchmarkRuns(b *testing.B) {
	for _, storage := range pgtest.Stores() {
		b.Run(storage, func(b *testing.B) {
			x := newBench(b, storage)
			x.fill(1000)
			l := newRunLoad(b, x)
			b.ResetTimer()
			for range b.N {
				stop := l.beside()
				began := time.Now()
				var wg sync.WaitGroup
				for n := range int(runsFor.Seconds() * runsPerSecond) {
					// By the clock and not by a ticker, which would wait for us to keep up.
					<-time.After(time.Until(began.Add(time.Duration(n) * time.Second / runsPerSecond)))
					wg.Go(func() { l.run(n) })
				}
				wg.Wait()
				stop()
				x.portal.Settle()
			}
			b.StopTimer()
			l.report()
		})
	}
}

// runLoad is what was asked for and what came of it.
type runLoad struct {
	*bench
	mu sync.Mutex
	// came are the runs by action in the order of their coming; made are their
	// places in the order of their making.
	came map[string][]string
	made map[string]string
	// answers are how long requests took, by kind.
	answers map[string][]time.Duration
	count   atomic.Int64
}

func newRunLoad(b *testing.B, x *bench) *runLoad {
	b.Helper()
	l := &runLoad{bench: x, came: map[string][]string{}, made: map[string]string{}, answers: map[string][]time.Duration{}}
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.came[r.URL.Path] = append(l.came[r.URL.Path], r.Header.Get("X-Port-Run-Id"))
	}))
	b.Cleanup(backend.Close)
	for n := range runKinds {
		x.do(http.MethodPost, "/v1/actions", fmt.Sprintf(`{"identifier":"a%d","trigger":{"type":"self-service","operation":"CREATE","userInputs":{"properties":{"n":{"type":"number"},"twice":{"type":"number","default":{"jqQuery":".form.n * 2"}}}}},
			"invocationMethod":{"type":"WEBHOOK","url":"%s/a%d","body":{"n":"{{ .inputs.n }}","twice":"{{ .inputs.twice }}","run":"{{ .run.id }}"}}}`, n, backend.URL, n), http.StatusCreated)
	}
	return l
}

// timed makes a request and notes how long it took.
func (l *runLoad) timed(kind, method, path, body string, status int) []byte {
	began := time.Now()
	text := l.do(method, path, body, status)
	took := time.Since(began)
	l.mu.Lock()
	l.answers[kind] = append(l.answers[kind], took)
	l.mu.Unlock()
	return text
}

func (l *runLoad) run(n int) {
	text := l.timed("run", http.MethodPost, fmt.Sprintf("/v1/actions/a%d/runs", n%runKinds), fmt.Sprintf(`{"properties":{"n":%d}}`, n), http.StatusAccepted)
	if answer, err := jsonv.DecodeObject(text); err == nil {
		l.mu.Lock()
		l.made[jsonv.String(answer, "run", "id")] = jsonv.String(answer, "run", "createdAt")
		l.mu.Unlock()
	}
}

// beside makes other requests until stop is called.
func (l *runLoad) beside() (stop func()) {
	var wg sync.WaitGroup
	over := make(chan struct{})
	every := func(do func(n int64)) {
		wg.Go(func() {
			tick := time.NewTicker(besideEvery)
			defer tick.Stop()
			for {
				select {
				case <-over:
					return
				case <-tick.C:
					do(l.count.Add(1))
				}
			}
		})
	}
	every(func(n int64) {
		l.timed("read", http.MethodGet, fmt.Sprintf("/v1/blueprints/service/entities/s%d", n%1000), "", http.StatusOK)
	})
	every(func(int64) {
		l.timed("list", http.MethodGet, "/v1/actions/runs?limit=10", "", http.StatusOK)
	})
	every(func(n int64) {
		l.timed("create", http.MethodPost, "/v1/blueprints/service/entities", strings.ReplaceAll(entity(n), fmt.Sprintf(`"s%d"`, n), fmt.Sprintf(`"x%d"`, n)), http.StatusCreated)
	})
	every(func(n int64) {
		l.timed("change", http.MethodPatch, fmt.Sprintf("/v1/blueprints/service/entities/s%d", n%1000), fmt.Sprintf(`{"properties":{"n":%d}}`, n), http.StatusOK)
	})
	return func() {
		close(over)
		wg.Wait()
	}
}

func (l *runLoad) report() {
	b := l.b
	times, disordered := map[string]int{}, 0
	for _, list := range l.came {
		last := ""
		for _, run := range list {
			if times[run]++; l.made[run] < last {
				disordered++
			}
			last = max(last, l.made[run])
		}
	}
	lost, doubled := 0, 0
	for run := range l.made {
		switch n := times[run]; {
		case n == 0:
			lost++
		case n > 1:
			doubled++
		}
	}
	if want := b.N * int(runsFor.Seconds()) * runsPerSecond; lost+doubled+disordered > 0 || len(l.made) != want {
		b.Errorf("%d of %d runs accepted, %d deliveries lost, %d doubled, %d out of order", len(l.made), want, lost, doubled, disordered)
	}
	b.ReportMetric(float64(len(times))/b.Elapsed().Seconds(), "deliveries/s")
	b.ReportMetric(float64(lost), "lost")
	b.ReportMetric(float64(doubled), "doubled")
	var others []time.Duration
	for kind, took := range l.answers {
		slices.Sort(took)
		b.ReportMetric(milliseconds(took[len(took)/2]), kind+"-ms-median")
		if kind != "run" {
			others = append(others, took...)
		}
	}
	runs := l.answers["run"]
	b.ReportMetric(milliseconds(runs[len(runs)*99/100]), "run-ms-p99")
	slices.Sort(others)
	b.ReportMetric(milliseconds(others[len(others)*99/100]), "others-ms-p99")
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
