package cli_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// backend is a slow receiver of runs that remembers what it was sent.
type backend struct {
	*httptest.Server
	delay time.Duration

	mu sync.Mutex
	// runs are the ids that came, by action, each time that they came.
	runs map[string][]string
	news chan struct{}
}

func newBackend(t *testing.T, delay time.Duration) *backend {
	t.Helper()
	b := &backend{delay: delay, runs: map[string][]string{}, news: make(chan struct{}, 1)}
	b.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		action := strings.Trim(r.URL.Path, "/")
		b.runs[action] = append(b.runs[action], r.Header.Get("X-Port-Run-Id"))
		b.mu.Unlock()
		select {
		case b.news <- struct{}{}:
		default:
		}
		<-time.After(b.delay)
	}))
	t.Cleanup(b.Close)
	return b
}

// got are the runs of an action in the order of their first coming, and how often
// each came.
func (b *backend) got(action string) (order []string, times map[string]int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	times = map[string]int{}
	for _, run := range b.runs[action] {
		if times[run]++; times[run] == 1 {
			order = append(order, run)
		}
	}
	return order, times
}

// await waits until so many different runs came.
func (b *backend) await(t *testing.T, n int, actions ...string) {
	t.Helper()
	late := time.After(time.Minute)
	for {
		have := 0
		for _, action := range actions {
			order, _ := b.got(action)
			have += len(order)
		}
		if have >= n {
			return
		}
		select {
		case <-b.news:
		case <-time.After(100 * time.Millisecond):
		case <-late:
			t.Fatalf("only %d of %d runs came", have, n)
		}
	}
}

func makeActions(c *client, url string, names ...string) {
	for _, name := range names {
		c.must(http.MethodPost, "/v1/actions", `{"identifier":"`+name+`","trigger":{"type":"self-service","operation":"CREATE","userInputs":{"properties":{}}},
			"invocationMethod":{"type":"WEBHOOK","url":"`+url+"/"+name+`"}}`)
	}
}

// TestKillLosesNoRun ends a portal with SIGKILL while it delivers runs to a slow
// backend. Whatever was accepted comes, first of all in the order in which the runs
// of an action were made, and only what was under way at a kill may come twice.
func TestKillLosesNoRun(t *testing.T) {
	t.Parallel()
	rounds, each := 2, 40
	if os.Getenv("PORT_LONG") != "" {
		rounds, each = 6, 150
	}
	env := []string{"PORT_CLIENT_ID=me", "PORT_CLIENT_SECRET=mine"}
	args := []string{"--data", filepath.Join(t.TempDir(), "portal.db")}
	b := newBackend(t, 3*time.Millisecond)
	actions := []string{"one", "two", "three"}
	accepted := map[string][]string{}
	total := 0
	for round := range rounds {
		p := launch(t, env, args...)
		c := newClient(t, p.url, "me", "mine")
		if round == 0 {
			makeActions(c, b.URL, actions...)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		for _, action := range actions {
			wg.Go(func() {
				for range each {
					answer := c.must(http.MethodPost, "/v1/actions/"+action+"/runs", `{"properties":{}}`)
					mu.Lock()
					accepted[action] = append(accepted[action], jsonv.String(answer, "run", "id"))
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		total += each * len(actions)
		b.await(t, total-each*len(actions)/2, actions...)
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = p.cmd.Wait()
	}
	launch(t, env, args...)
	b.await(t, total, actions...)
	for _, action := range actions {
		order, times := b.got(action)
		if !slices.Equal(order, accepted[action]) {
			t.Errorf("%s: %d runs were accepted, %d came, or in another order", action, len(accepted[action]), len(order))
		}
		twice := 0
		for _, n := range times {
			twice += n - 1
		}
		if twice > rounds { // of a lane one is under way at a time
			t.Errorf("%s: %d runs came twice with %d kills", action, twice, rounds)
		}
	}
}

// TestTwoPortalsOnOneFileDeliverEachRunOnce lets both accept runs of the same actions.
func TestTwoPortalsOnOneFileDeliverEachRunOnce(t *testing.T) {
	t.Parallel()
	env := []string{"PORT_CLIENT_ID=me", "PORT_CLIENT_SECRET=mine"}
	args := []string{"--data", filepath.Join(t.TempDir(), "portal.db")}
	b := newBackend(t, time.Millisecond)
	const each = 40
	clients := []*client{}
	for range 2 {
		p := launch(t, env, args...)
		clients = append(clients, newClient(t, p.url, "me", "mine"))
	}
	makeActions(clients[0], b.URL, "one", "two")
	var wg sync.WaitGroup
	for n, c := range clients {
		for range each {
			wg.Go(func() {
				c.must(http.MethodPost, "/v1/actions/"+[]string{"one", "two"}[n]+"/runs", `{"properties":{}}`)
			})
		}
	}
	wg.Wait()
	b.await(t, 2*each, "one", "two")
	for _, action := range []string{"one", "two"} {
		if _, times := b.got(action); len(times) != each {
			t.Errorf("%s: %d runs came", action, len(times))
		} else {
			for run, n := range times {
				if n != 1 {
					t.Errorf("%s came %d times", run, n)
				}
			}
		}
	}
}

// TestPrivateAddressesAreCalledFromLoopbackOrWhenAllowed runs an action whose backend
// is on loopback at portals that others could reach, too.
func TestPrivateAddressesAreCalledFromLoopbackOrWhenAllowed(t *testing.T) {
	t.Parallel()
	env := []string{"PORT_CLIENT_ID=me", "PORT_CLIENT_SECRET=mine"}
	for name, test := range map[string]struct {
		args   []string
		called bool
	}{
		"on loopback":            {nil, true},
		"on all addresses":       {[]string{"--listen", "0.0.0.0:0"}, false},
		"on all, but allowed to": {[]string{"--listen", "0.0.0.0:0", "--allow-private-calls"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBackend(t, 0)
			p := launch(t, env, test.args...)
			c := newClient(t, p.url, "me", "mine")
			metadata := "http://169.254.169.254/"
			for name, url := range map[string]string{"near": b.URL + "/near", "metadata": metadata} {
				c.must(http.MethodPost, "/v1/actions", `{"identifier":"`+name+`","trigger":{"type":"self-service","operation":"CREATE","userInputs":{"properties":{}}},
					"invocationMethod":{"type":"WEBHOOK","synchronized":true,"url":"`+url+`"}}`)
				run := jsonv.String(c.must(http.MethodPost, "/v1/actions/"+name+"/runs", `{"properties":{}}`), "run", "id")
				want := "FAILURE"
				if name == "near" && test.called {
					want = "SUCCESS"
				}
				if got := c.ended(run); got != want {
					t.Errorf("%s: %s, want %s: %v", name, got, want, c.must(http.MethodGet, "/v1/actions/runs/"+run+"/logs", ""))
				}
				if want == "FAILURE" && !strings.Contains(fmt.Sprint(c.must(http.MethodGet, "/v1/actions/runs/"+run+"/logs", "")), "must not be called") {
					t.Errorf("%s: the log does not say why it was not called", name)
				}
			}
			if order, _ := b.got("near"); (len(order) == 1) != test.called {
				t.Errorf("the backend was called %d times", len(order))
			}
		})
	}
}

// ended waits for the end of a run and returns its status.
func (c *client) ended(run string) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	for {
		status := jsonv.String(c.must(http.MethodGet, "/v1/actions/runs/"+run, ""), "run", "status")
		if status != "IN_PROGRESS" {
			return status
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			c.t.Fatalf("run %s goes on", run)
		}
	}
}

// TestAnInterruptLetsCallsUnderWayEnd: what a portal is delivering when it is told to
// end is delivered once.
func TestAnInterruptLetsCallsUnderWayEnd(t *testing.T) {
	t.Parallel()
	env := []string{"PORT_CLIENT_ID=me", "PORT_CLIENT_SECRET=mine"}
	args := []string{"--data", filepath.Join(t.TempDir(), "portal.db")}
	b := newBackend(t, 200*time.Millisecond)
	p := launch(t, env, args...)
	c := newClient(t, p.url, "me", "mine")
	makeActions(c, b.URL, "one")
	c.must(http.MethodPost, "/v1/actions/one/runs", `{"properties":{}}`)
	c.must(http.MethodPost, "/v1/actions/one/runs", `{"properties":{}}`)
	b.await(t, 1, "one")
	if code := p.stop(t, os.Interrupt); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	launch(t, env, args...)
	b.await(t, 2, "one")
	if _, times := b.got("one"); len(times) != 2 {
		t.Errorf("%v", times)
	} else {
		for run, n := range times {
			if n != 1 {
				t.Errorf("%s came %d times", run, n)
			}
		}
	}
}
