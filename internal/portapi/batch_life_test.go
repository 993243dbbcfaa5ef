package portapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

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
