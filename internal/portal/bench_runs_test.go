package portal_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store/pgtest"
)

// BenchmarkRuns executes 200 runs a second, of eight actions, through a webhook on
// loopback: for 5 seconds, or 30 in the long suite. An operation is one such load. It
// fails when a delivery is lost or doubled.
func BenchmarkRuns(b *testing.B) {
	const perSecond, kinds = 200, 8
	seconds := 5
	if os.Getenv("PORT_LONG") != "" {
		seconds = 30
	}
	for _, storage := range pgtest.Stores() {
		b.Run(storage, func(b *testing.B) {
			var mu sync.Mutex
			came := map[string]int{}
			backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				came[r.Header.Get("X-Port-Run-Id")]++
			}))
			defer backend.Close()
			x := newBench(b, storage)
			for n := range kinds {
				x.do(http.MethodPost, "/v1/actions", fmt.Sprintf(`{"identifier":"a%d","trigger":{"type":"self-service","operation":"CREATE","userInputs":{"properties":{"n":{"type":"number"}}}},
					"invocationMethod":{"type":"WEBHOOK","url":"%s/a","body":{"n":"{{ .inputs.n }}"}}}`, n, backend.URL), http.StatusCreated)
			}
			var took []time.Duration
			accepted := map[string]bool{}
			b.ResetTimer()
			for range b.N {
				var wg sync.WaitGroup
				tick := time.NewTicker(time.Second / perSecond)
				for n := range perSecond * seconds {
					<-tick.C
					wg.Go(func() {
						began := time.Now()
						text := x.do(http.MethodPost, fmt.Sprintf("/v1/actions/a%d/runs", n%kinds), fmt.Sprintf(`{"properties":{"n":%d}}`, n), http.StatusAccepted)
						end := time.Since(began)
						answer, err := jsonv.DecodeObject(text)
						mu.Lock()
						defer mu.Unlock()
						if took = append(took, end); err == nil {
							accepted[jsonv.String(answer, "run", "id")] = true
						}
					})
				}
				tick.Stop()
				wg.Wait()
				x.portal.Settle()
			}
			b.StopTimer()
			lost, doubled := 0, 0
			for run := range accepted {
				switch n := came[run]; {
				case n == 0:
					lost++
				case n > 1:
					doubled++
				}
			}
			if lost+doubled > 0 || len(accepted) != b.N*perSecond*seconds {
				b.Errorf("%d runs accepted, %d deliveries lost, %d doubled", len(accepted), lost, doubled)
			}
			slices.Sort(took)
			b.ReportMetric(float64(len(came))/b.Elapsed().Seconds(), "deliveries/s")
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-median")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
			b.ReportMetric(float64(lost), "lost")
			b.ReportMetric(float64(doubled), "doubled")
		})
	}
}
