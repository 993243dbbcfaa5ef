package portapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

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

func TestACancelledReadDoesNotFailItsCompany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, ids := populated(20)
		c := client(t, Options{Transport: p, Anonymous: true})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.ReadEntity(ctx, "svc", ids[0]); !errors.Is(err, context.Canceled) {
				t.Errorf("the cancelled one got %v", err)
			}
		})
		synctest.Wait() // it opened the window
		wg.Go(func() {
			if _, err := c.ReadEntity(t.Context(), "svc", ids[1]); err != nil {
				t.Errorf("the other one got %v", err)
			}
		})
		synctest.Wait()
		time.Sleep(gatherWindow / 2)
		cancel()
		wg.Wait()
	})
}

func TestAnAbandonedWindowSendsNothingAndTheNextReadWorks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, ids := populated(20)
		c := client(t, Options{Transport: p, Anonymous: true})
		ctx, cancel := context.WithTimeout(t.Context(), gatherWindow/2)
		defer cancel()
		if _, err := c.ReadEntity(ctx, "svc", ids[0]); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		if n := len(p.requests()); n != 0 {
			t.Errorf("%d requests for nobody", n)
		}
		if _, err := c.ReadEntity(t.Context(), "svc", ids[0]); err != nil {
			t.Error(err)
		}
	})
}

// gate holds the first request of a route until it is opened.
type gate struct {
	http.RoundTripper
	route string
	open  chan struct{}
	once  sync.Once
	held  chan struct{}
}

func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	// The answer is made before the wait: it is what a slow network delivers.
	answer, err := g.RoundTripper.RoundTrip(r)
	if r.Method+" "+r.URL.Path == g.route {
		g.once.Do(func() {
			close(g.held)
			<-g.open
		})
	}
	return answer, err
}

func TestALoadOverlappingAWriteIsNotServedToLaterReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, ids := populated(100)
		slow := &gate{
			RoundTripper: p, route: "GET /v1/blueprints/svc/entities-count",
			open: make(chan struct{}), held: make(chan struct{}),
		}
		c := client(t, Options{Transport: slow, Anonymous: true})
		var wg sync.WaitGroup
		wg.Go(func() { readAll(t.Context(), t, c, 10, "svc", ids) })
		<-slow.held
		if _, err := c.Call(t.Context(), Op{Method: http.MethodPut, Path: []string{"blueprints", "svc", "entities", ids[99]}}); err != nil {
			t.Fatal(err)
		}
		p.mu.Lock()
		p.put("svc", ids[98], 999) // seen only by loads that begin from here on
		p.mu.Unlock()
		e, err := c.ReadEntity(t.Context(), "svc", ids[99])
		if err != nil {
			t.Fatal(err)
		}
		if properties, ok := e["properties"].(jsonv.Object); !ok || fmt.Sprint(properties["n"]) != "999" {
			t.Errorf("read the value from before the write: %v", e)
		}
		close(slow.open)
		wg.Wait()
	})
}

func TestWritesDropWhatTheyMayHaveChanged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name               string
		op                 Op
		entities, bluprint bool
	}{
		{"entity", Op{Method: http.MethodPut, Path: []string{"blueprints", "other", "entities", "x"}}, true, false},
		{"system entity", Op{Method: http.MethodPut, Path: []string{"blueprints", "_team", "entities", "x"}}, true, true},
		{"blueprint", Op{Method: http.MethodPatch, Path: []string{"blueprints", "other"}}, true, true},
		{"team", Op{Method: http.MethodPost, Path: []string{"teams"}}, true, true},
		{"search", Op{Method: http.MethodPost, Path: []string{"blueprints", "svc", "entities", "search"}, Body: jsonv.Object{}}, false, false},
		{"read", Op{Method: http.MethodGet, Path: []string{"blueprints", "svc"}}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, ids := populated(100)
				client := client(t, Options{Transport: p, Anonymous: true})
				look := func() (entity, blueprint bool) {
					before := len(p.requests())
					if _, err := client.ReadBlueprint(t.Context(), "svc"); err != nil {
						t.Fatal(err)
					}
					blueprint = len(p.requests()) > before
					before = len(p.requests())
					if _, err := client.ReadEntity(t.Context(), "svc", ids[5]); err != nil {
						t.Fatal(err)
					}
					return len(p.requests()) > before, blueprint
				}
				readAll(t.Context(), t, client, 10, "svc", ids)
				if e, b := look(); e || b {
					t.Fatalf("nothing was written, and yet: entity %v, blueprint %v read again", e, b)
				}
				if _, err := client.Call(t.Context(), c.op); err != nil && !IsNotFound(err) {
					t.Fatal(err)
				}
				if e, b := look(); e != c.entities || b != c.bluprint {
					t.Errorf("read again: entity %v, blueprint %v", e, b)
				}
			})
		})
	}
}

func TestChangedDropsTheCache(t *testing.T) {
	t.Parallel()
	p, _ := populated(1)
	c := client(t, Options{Transport: p, Anonymous: true})
	for range 3 {
		if _, err := c.ReadBlueprint(t.Context(), "svc"); err != nil {
			t.Fatal(err)
		}
	}
	c.Changed("svc")
	b, err := c.ReadBlueprint(t.Context(), "svc")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(p.requests()); n != 2 {
		t.Errorf("%d requests", n)
	}
	b["title"] = "mine"
	again, err := c.ReadBlueprint(t.Context(), "svc")
	if err != nil || again["title"] == "mine" {
		t.Errorf("the cache holds the caller's change; %v", err)
	}
}

func TestAFailedBlueprintReadIsNotRemembered(t *testing.T) {
	t.Parallel()
	p := newFakePort()
	c := client(t, Options{Transport: p, Anonymous: true})
	if _, err := c.ReadBlueprint(t.Context(), "svc"); !IsNotFound(err) {
		t.Fatalf("got %v", err)
	}
	p.mu.Lock()
	p.blueprint("svc")
	p.mu.Unlock()
	if _, err := c.ReadBlueprint(t.Context(), "svc"); err != nil {
		t.Error(err)
	}
}

func TestManyBlueprintsComeFromTheList(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		mode   BatchMode
		refuse int
		most   int
	}{
		{"off", BatchOff, 0, 202},
		{"on", BatchOn, 0, 13},
		{"forced", BatchForced, 0, 4},
		{"no list", BatchOn, 403, 203},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newFakePort()
			for i := range 200 {
				p.blueprint(fmt.Sprintf("b/%d", i))
			}
			p.refuse = func(route string) int {
				if route == "GET blueprints" {
					return c.refuse
				}
				return 0
			}
			client := client(t, Options{Transport: p, Anonymous: true, Batch: c.mode})
			for i := range 202 { // the last two do not exist
				id := fmt.Sprintf("b/%d", i)
				b, err := client.ReadBlueprint(t.Context(), id)
				if i >= 200 {
					if !IsNotFound(err) {
						t.Errorf("%s: %s gives %v", c.name, id, err)
					}
					continue
				}
				if diff := cmp.Diff(p.blueprints[id], b); err != nil || diff != "" {
					t.Errorf("%s: %s: %v %s", c.name, id, err, diff)
				}
			}
			if n := len(p.requests()); n != c.most {
				t.Errorf("%s: %d requests, want %d", c.name, n, c.most)
			}
		})
	}
}

func TestManyLongIdentifiersKeepBodiesSmall(t *testing.T) {
	t.Parallel()
	p := newFakePort()
	p.blueprint("svc")
	var ids []string
	for i := range 2000 {
		id := fmt.Sprintf("%s%04d", strings.Repeat(`\ü`, 498), i)
		p.put("svc", id, i)
		ids = append(ids, id)
	}
	c := client(t, Options{Transport: p})
	got := readAll(t.Context(), t, c, 2000, "svc", ids)
	for id, v := range got {
		if _, ok := v.(jsonv.Object); !ok {
			t.Fatalf("%s: %v", id[len(id)-4:], v)
		}
	}
	if p.largest >= 1<<20 || p.largest == 0 {
		t.Errorf("a body of %d bytes", p.largest)
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
