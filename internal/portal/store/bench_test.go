package store_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
	"github.com/portlens/terraform-provider-port/internal/portal/store/storetest"
)

var implementations = []struct {
	name string
	open func(testing.TB) store.Store
}{{"memory", openMemory}, {"sqlite", openSQLite}}

// entity is a document of about 700 bytes, as the catalog stores them.
func entity(i int) store.Doc {
	return store.Doc{
		"identifier": fmt.Sprintf("service-%d", i), "title": fmt.Sprintf("Service %d", i), "blueprint": "service",
		"a": fmt.Sprint(i % 1000), "createdAt": fmt.Sprintf("2024-01-01T00:00:%09d", i), "updatedAt": "2024-01-01T00:00:00.000Z",
		"createdBy": "b8b1c1b0-1c1d-4b5e-8d1e-1f1a1b1c1d1e", "team": []any{"platform", "payments"}, "icon": "Service",
		"properties": store.Doc{
			"language": "go", "tier": "mission-critical", "replicas": jsonv.Int(i), "url": "https://example.com/services/" + fmt.Sprint(i),
			"readme": strings.Repeat("lorem ipsum ", 15), "onCall": true, "tags": []any{"a", "b", "c"}, "owner": store.Doc{"name": "x", "mail": "x@example.com"},
		},
		"relations": store.Doc{"system": fmt.Sprint(i % 50), "environments": []any{"prod", "stage"}},
	}
}

func fill(b *testing.B, s store.Store, n int) {
	b.Helper()
	const batch = 1000
	for from := 0; from < n; from += batch {
		errFatal(b, s.Update(b.Context(), func(tx store.Tx) error {
			for i := from; i < min(from+batch, n); i++ {
				if err := tx.Put(storetest.Indexed, entity(i), "org", "service", fmt.Sprint(i)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

// perSecond reports a rate next to the time per operation.
func perSecond(b *testing.B) { b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s") }

// BenchmarkCreate measures acknowledged creations, one document a transaction.
func BenchmarkCreate(b *testing.B) {
	for _, impl := range implementations {
		for _, writers := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("%s/writers=%d", impl.name, writers), func(b *testing.B) {
				s := impl.open(b)
				var count atomic.Int64
				b.ResetTimer()
				var all sync.WaitGroup
				for range writers {
					all.Go(func() {
						for {
							i := int(count.Add(1))
							if i > b.N {
								return
							}
							if err := s.Update(b.Context(), func(tx store.Tx) error {
								return tx.Put(storetest.Indexed, entity(i), "org", "service", fmt.Sprint(i))
							}); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				all.Wait()
				perSecond(b)
			})
		}
	}
}

// BenchmarkGet measures views of one document out of 10,000.
func BenchmarkGet(b *testing.B) {
	for _, impl := range implementations {
		for _, hot := range []int{100, 10_000} {
			b.Run(fmt.Sprintf("%s/of=%d", impl.name, hot), func(b *testing.B) {
				s := impl.open(b)
				fill(b, s, 10_000)
				var count atomic.Int64
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						i := int(count.Add(1)) * 7919 % hot
						if err := s.View(b.Context(), func(tx store.Tx) error {
							_, err := tx.Get(storetest.Indexed, "org", "service", fmt.Sprint(i))
							return err
						}); err != nil {
							b.Error(err)
							return
						}
					}
				})
				perSecond(b)
			})
		}
	}
}

// BenchmarkScan looks for about n/1000 documents of n, with and without a
// condition that the index can answer, and reads a page of 50.
func BenchmarkScan(b *testing.B) {
	for _, impl := range implementations {
		for _, n := range []int{10_000, 100_000} {
			s := impl.open(b)
			fill(b, s, n)
			match := func(d store.Doc) bool { return d["a"] == "7" }
			for name, c := range map[string]struct {
				where store.Where
				page  store.Page
			}{
				"index": {filter{match, []store.Equal{{Path: "a", Values: []string{"7"}}}}, store.Page{}},
				"whole": {filter{match, nil}, store.Page{}},
				"page":  {nil, store.Page{Limit: 50}},
			} {
				b.Run(fmt.Sprintf("%s/n=%d/%s", impl.name, n, name), func(b *testing.B) {
					for b.Loop() {
						rows := 0
						errFatal(b, s.View(b.Context(), func(tx store.Tx) error {
							for _, err := range tx.Scan(storetest.Indexed, c.where, c.page, "org", "service") {
								if err != nil {
									return err
								}
								rows++
							}
							return nil
						}))
						want := n / 1000
						if c.where == nil {
							want = c.page.Limit
						}
						if rows != want {
							b.Fatalf("%d rows, want %d", rows, want)
						}
					}
				})
			}
		}
	}
}

type filter struct {
	match  func(store.Doc) bool
	equals []store.Equal
}

func (f filter) Match(d store.Doc) bool { return f.match(d) }

func (f filter) Equals() []store.Equal { return f.equals }
