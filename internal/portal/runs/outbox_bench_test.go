package runs

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// BenchmarkOutboxOf100000 is what waiting deliveries cost: the first look after a
// start, the memory that they take, and a look after each that was sent.
func BenchmarkOutboxOf100000(b *testing.B) {
	const many = 100_000
	for _, lanes := range []int{1, 1000} {
		for _, storage := range []string{"memory", "sqlite"} {
			b.Run(fmt.Sprintf("%d-lanes/%s", lanes, storage), func(b *testing.B) {
				s := store.NewMemory(Indexes())
				if storage == "sqlite" {
					var err error
					if s, err = store.OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "portal.db"), store.SQLiteOptions{Indexes: Indexes(), IndexVersion: "x"}); err != nil {
						b.Fatal(err)
					}
				}
				b.Cleanup(func() { _ = s.Close() })
				r := New(Deps{Clock: clock.Real(), IDs: ident.Random(), Portal: "gone"})
				fill(b, s, r, many, lanes)

				next := New(Deps{Clock: clock.Real(), IDs: ident.Random(), Portal: "here"})
				before := heap()
				began := time.Now()
				if err := s.View(b.Context(), func(tx store.Tx) error { return next.Inherit(tx, "org") }); err != nil {
					b.Fatal(err)
				}
				outbox := next.Outbox("org")
				due := look(b, s, outbox)
				start := time.Since(began)
				// The store's own cache comes and goes; what the outbox keeps is not there.
				grown := max(heap()-before, 0)
				b.ResetTimer()
				sent := 0
				for range b.N {
					if len(due.Now) == 0 {
						b.Fatal("nothing is due")
					}
					err := s.Update(b.Context(), func(tx store.Tx) error { return tx.Delete(KindDelivery, "org", due.Now[0].ID) })
					if err != nil {
						b.Fatal(err)
					}
					due = look(b, s, outbox)
					sent++
				}
				b.ReportMetric(float64(start.Milliseconds()), "start-ms")
				b.ReportMetric(float64(grown)/(1<<20), "MiB")
				runtime.KeepAlive(outbox)
			})
		}
	}
}

func fill(b *testing.B, s store.Store, r *Runs, many, lanes int) {
	b.Helper()
	const batch = 10_000
	sealed := strings.Repeat("x", 500)
	for from := 0; from < many; from += batch {
		err := s.Update(b.Context(), func(tx store.Tx) error {
			for n := from; n < from+batch; n++ {
				d := Delivery{Kind: DeliverRun, Run: fmt.Sprintf("r_%016d", n), Lane: fmt.Sprintf("action_%016d", n%lanes), Method: "WEBHOOK", Sealed: sealed}
				if err := r.send(tx, "org", d); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func look(b *testing.B, s store.Store, o *Outbox) (due Due) {
	b.Helper()
	err := s.View(b.Context(), func(tx store.Tx) (err error) {
		due, err = o.Due(tx, nil, 16)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return due
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
