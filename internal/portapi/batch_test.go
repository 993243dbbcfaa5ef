package portapi

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// readAll reads ids with as many workers at a time, as Terraform's walk does,
// and returns what each gave: the entity, or the text "missing".
func readAll(ctx context.Context, t testing.TB, c *Client, workers int, bp string, ids []string) map[string]any {
	t.Helper()
	work := make(chan string)
	out := map[string]any{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for id := range work {
				var got any
				e, err := c.ReadEntity(ctx, bp, id)
				switch {
				case IsNotFound(err):
					got = "missing"
				case err != nil:
					got = "error: " + err.Error()
				default:
					got = e
				}
				mu.Lock()
				out[id] = got
				mu.Unlock()
			}
		})
	}
	for _, id := range ids {
		work <- id
	}
	close(work)
	wg.Wait()
	return out
}

var oddIdentifiers = []string{
	"a/b", "x:y:z", "ünï", `back\slash`, "p+q", "k=v", "@me", "..dots", "CASE", "case", "search", strings.Repeat("l", 1000),
}

func populated(n int) (*fakePort, []string) {
	p := newFakePort()
	p.blueprint("svc")
	p.blueprint("other")
	var ids []string
	for i := range n {
		id := fmt.Sprintf("e-%04d", i)
		if i < len(oddIdentifiers) {
			id = oddIdentifiers[i]
		}
		p.put("svc", id, i)
		ids = append(ids, id)
	}
	return p, ids
}

func TestManyEntitiesOfABlueprintTakeFewRequests(t *testing.T) {
	t.Parallel()
	p, ids := populated(1500)
	server := httptest.NewServer(p)
	defer server.Close()
	c := client(t, Options{BaseURL: server.URL})
	got := readAll(t.Context(), t, c, 10, "svc", ids)
	if n := len(p.requests()); n > 20 {
		t.Errorf("%d requests: %v", n, p.requests())
	}
	off := client(t, Options{Transport: p, Batch: BatchOff})
	if diff := cmp.Diff(readAll(t.Context(), t, off, 10, "svc", ids), got); diff != "" {
		t.Error(diff)
	}
	if len(got) != 1500 {
		t.Errorf("%d results", len(got))
	}
}

// The stages are counted in a bubble, where the workers are in step.
func TestReadsGoThroughSearchesThenPages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, ids := populated(1500)
		readAll(t.Context(), t, client(t, Options{Transport: p}), 10, "svc", ids)
		count := map[string]int{}
		for _, r := range p.requests() {
			count[r]++
		}
		want := map[string]int{
			"POST auth/*":                       1,
			"GET blueprints/*":                  1,
			"POST blueprints/*/entities/search": 5, // three searches, two pages
			"GET blueprints/*/entities-count":   1,
		}
		if diff := cmp.Diff(want, count); diff != "" {
			t.Error(diff)
		}
	})
}

func TestResultsDoNotDependOnTheMode(t *testing.T) {
	t.Parallel()
	for _, literal := range []bool{false, true} {
		for _, workers := range []int{1, 10, 200} {
			t.Run(fmt.Sprintf("literal=%v,workers=%d", literal, workers), func(t *testing.T) {
				t.Parallel()
				var results []map[string]any
				for _, mode := range []BatchMode{BatchOff, BatchOn, BatchForced} {
					synctest.Test(t, func(t *testing.T) {
						p, ids := populated(150)
						p.literal = literal
						c := client(t, Options{Transport: p, Batch: mode})
						all := append(slices.Clone(ids), "never-was", "neither/was")
						first := readAll(t.Context(), t, c, workers, "svc", all)
						write := func(method, id string) {
							if _, err := c.Call(t.Context(), Op{
								Method: method, Path: []string{"blueprints", "svc", "entities", id}, Body: jsonv.Object{},
							}); err != nil {
								t.Error(err)
							}
						}
						write(http.MethodPut, ids[0])
						write(http.MethodPut, "never-was")
						write(http.MethodDelete, ids[1])
						second := readAll(t.Context(), t, c, workers, "svc", all)
						write(http.MethodDelete, ids[120])
						third := readAll(t.Context(), t, c, workers, "svc", append(all, ids[:50]...))
						elsewhere := readAll(t.Context(), t, c, workers, "no-such-blueprint", ids[:40])
						merged := map[string]any{}
						for i, m := range []map[string]any{first, second, third, elsewhere} {
							for id, v := range m {
								merged[fmt.Sprint(i, " ", id)] = v
							}
						}
						results = append(results, merged)
					})
				}
				off := results[0]
				if off["1 "+oddIdentifiers[1]] != "missing" || off["0 never-was"] != "missing" || off["3 CASE"] != "missing" {
					t.Fatal("the reference results are wrong")
				}
				if diff := cmp.Diff(off, results[1]); diff != "" {
					t.Errorf("on: %s", diff)
				}
				if diff := cmp.Diff(off, results[2]); diff != "" {
					t.Errorf("forced: %s", diff)
				}
			})
		}
	}
}

func TestASingleReadIsAPlainGet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, ids := populated(20)
		c := client(t, Options{Transport: p, Anonymous: true})
		if _, err := c.ReadEntity(t.Context(), "svc", ids[3]); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"GET blueprints/*/entities/*"}, p.requests()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEqualReadsAtOnceShareARequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, ids := populated(20)
		c := client(t, Options{Transport: p, Anonymous: true})
		var wg sync.WaitGroup
		got := make([]jsonv.Object, 8)
		for i := range got {
			wg.Go(func() {
				e, err := c.ReadEntity(t.Context(), "svc", ids[3])
				if err != nil {
					t.Error(err)
				}
				got[i] = e
			})
		}
		wg.Wait()
		if diff := cmp.Diff([]string{"GET blueprints/*/entities/*"}, p.requests()); diff != "" {
			t.Error(diff)
		}
		got[0]["title"] = "changed by its owner"
		if cmp.Diff(got[0], got[1]) == "" {
			t.Error("two callers share one object")
		}
	})
}

func TestLargeBlueprintsAreNotReadWhole(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, ids := populated(6000)
		c := client(t, Options{Transport: p, Anonymous: true})
		readAll(t.Context(), t, c, 10, "svc", ids[:100])
		pages, counts := 0, 0
		for _, r := range p.requests() {
			if strings.HasSuffix(r, "entities-count") {
				counts++
			}
			if strings.HasSuffix(r, "search") {
				pages++
			}
		}
		if counts != 1 || pages != 10 {
			t.Errorf("%d counts and %d searches, want 1 and 10", counts, pages)
		}
		// At 300 reads it pays: 6,000 entities are no more than 20 for each.
		readAll(t.Context(), t, c, 10, "svc", ids[100:400])
		if n := len(p.requests()); n != 1+1+30+6 {
			t.Errorf("%d requests in all: blueprint, count, 30 searches and 6 pages make 38", n)
		}
	})
}

func TestReadsServeWithoutTheSearchRoute(t *testing.T) {
	t.Parallel()
	for _, status := range []int{403, 404, 422, 500} {
		synctest.Test(t, func(t *testing.T) {
			p, ids := populated(60)
			p.refuse = func(route string) int {
				if route == "POST blueprints/*/entities/search" || strings.HasSuffix(route, "count") {
					return status
				}
				return 0
			}
			got := readAll(t.Context(), t, client(t, Options{Transport: p}), 10, "svc", append(ids, "gone"))
			p.refuse = nil
			want := readAll(t.Context(), t, client(t, Options{Transport: p, Batch: BatchOff}), 10, "svc", append(ids, "gone"))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%d: %s", status, diff)
			}
		})
	}
}

func TestOnlyAGetSaysThatAnEntityIsGone(t *testing.T) {
	t.Parallel()
	for _, mode := range []BatchMode{BatchOff, BatchOn, BatchForced} {
		synctest.Test(t, func(t *testing.T) {
			p, ids := populated(60)
			p.refuse = func(route string) int {
				if route == "GET blueprints/*/entities/*" {
					return 403
				}
				return 0
			}
			c := client(t, Options{Transport: p, Batch: mode})
			for id, v := range readAll(t.Context(), t, c, 10, "svc", append(ids, "gone-1", "gone-2")) {
				if v == "missing" {
					t.Errorf("mode %d: %s counts as gone after a 403", mode, id)
				}
			}
		})
	}
}

func TestLockSerializesOneBlueprintAndLeavesOthersFree(t *testing.T) {
	t.Parallel()
	c := client(t, Options{Transport: newFakePort()})
	var inside, most int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			unlock := c.Lock("svc")
			defer unlock()
			mu.Lock()
			inside++
			most = max(most, inside)
			mu.Unlock()
			c.Lock("other")()
			mu.Lock()
			inside--
			mu.Unlock()
		})
	}
	wg.Wait()
	if most != 1 || len(c.locks) != 0 {
		t.Errorf("%d inside at once, %d locks left", most, len(c.locks))
	}
}

func BenchmarkRead1500(b *testing.B) {
	for name, mode := range map[string]BatchMode{"off": BatchOff, "on": BatchOn} {
		b.Run(name, func(b *testing.B) {
			p, ids := populated(1500)
			server := httptest.NewServer(p)
			defer server.Close()
			requests := 0
			for b.Loop() {
				before := len(p.requests())
				c := client(b, Options{BaseURL: server.URL, Batch: mode})
				readAll(b.Context(), b, c, 10, "svc", ids)
				requests += len(p.requests()) - before
			}
			b.ReportMetric(float64(requests)/float64(b.N), "requests/op")
		})
	}
}
