package cli_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store/pgtest"
)

// TestKillLosesNothingAcknowledged ends a portal with SIGKILL while many clients
// write, again and again on one file. Every write that was answered is there
// afterwards, and a bulk call is there as a whole or not at all.
func TestKillLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	rounds := 4
	if os.Getenv("PORT_LONG") != "" {
		rounds = 60
	}
	killAgainAndAgain(t, rounds, "--data", filepath.Join(t.TempDir(), "portal.db"))
}

// TestKillLosesNothingAcknowledgedByADatabase is the same on PostgreSQL, where
// what the killed portal had asked for may still be under way.
func TestKillLosesNothingAcknowledgedByADatabase(t *testing.T) {
	t.Parallel()
	killAgainAndAgain(t, 8, "--database-url", pgtest.URL(t))
}

func killAgainAndAgain(t *testing.T, rounds int, args ...string) {
	t.Helper()
	env := []string{"PORT_CLIENT_ID=me", "PORT_CLIENT_SECRET=mine"}
	random := rand.New(rand.NewPCG(1, 2))
	w := &writes{acknowledged: map[string]bool{}}
	for round := range rounds {
		p := launch(t, env, args...)
		c := newClient(t, p.url, "me", "mine")
		if round == 0 {
			c.must(http.MethodPost, "/v1/blueprints", `{"identifier":"item","title":"Item","schema":{"properties":{}}}`)
		}
		w.check(t, c)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for worker := range 8 {
			wg.Go(func() { w.write(ctx, t, c, fmt.Sprintf("r%d-w%d", round, worker)) })
		}
		// The kill falls at a random count of writes, so that it does not depend on
		// how fast the machine is, and a random moment later.
		w.await(ctx, 20+random.IntN(200))
		<-time.After(time.Duration(random.IntN(3000)) * time.Microsecond)
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = p.cmd.Wait()
		cancel()
		wg.Wait()
	}
	p := launch(t, env, args...)
	w.check(t, newClient(t, p.url, "me", "mine"))
	if len(w.acknowledged) < rounds*20 {
		t.Errorf("only %d writes in %d rounds", len(w.acknowledged), rounds)
	}
}

const batch = 5

// writes remembers what was answered.
type writes struct {
	mu           sync.Mutex
	acknowledged map[string]bool
	fresh        int
	reached      chan struct{}
	target       int
}

func (w *writes) note(ids ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		w.acknowledged[id] = true
	}
	w.fresh++
	if w.reached != nil && w.fresh >= w.target {
		close(w.reached)
		w.reached = nil
	}
}

func (w *writes) await(ctx context.Context, n int) {
	reached := make(chan struct{})
	w.mu.Lock()
	w.fresh, w.target, w.reached = 0, n, reached
	w.mu.Unlock()
	select {
	case <-reached:
	case <-ctx.Done():
	}
}

// write creates single entities and batches until the portal is gone.
func (w *writes) write(ctx context.Context, t *testing.T, c *client, prefix string) {
	for n := 0; ; n++ {
		id := fmt.Sprintf("%s-%d", prefix, n)
		if n%4 != 0 {
			status, answer, err := c.do(ctx, http.MethodPost, "/v1/blueprints/item/entities", `{"identifier":"`+id+`"}`)
			if err != nil {
				return
			}
			if status != http.StatusCreated {
				t.Errorf("%s: %d %v", id, status, answer)
				return
			}
			w.note(id)
			continue
		}
		var rows []any
		var ids []string
		for i := range batch {
			ids = append(ids, fmt.Sprintf("batch-%s-%d", id, i))
			rows = append(rows, jsonv.Object{"identifier": ids[i]})
		}
		status, answer, err := c.do(ctx, http.MethodPost, "/v1/blueprints/item/entities/bulk", string(jsonv.Encode(jsonv.Object{"entities": rows})))
		if err != nil {
			return
		}
		if status != http.StatusOK {
			t.Errorf("%s: %d %v", id, status, answer)
			return
		}
		w.note(ids...)
	}
}

func (w *writes) check(t *testing.T, c *client) {
	t.Helper()
	stored := map[string]bool{}
	batches := map[string]int{}
	created := map[string]string{}
	for _, e := range jsonv.List(c.must(http.MethodGet, "/v1/blueprints/item/entities?include=identifier&include=createdAt", ""), "entities") {
		id := jsonv.String(e, "identifier")
		stored[id] = true
		created[id] = jsonv.String(e, "createdAt")
		if len(id) > 6 && id[:6] == "batch-" {
			batches[id[:len(id)-2]]++
		}
	}
	for id := range w.acknowledged {
		if !stored[id] {
			t.Errorf("%s was acknowledged and is lost", id)
		}
	}
	w.checkRecords(t, c, created)
	for id, n := range batches {
		if n != batch {
			t.Errorf("%s: %d of %d rows", id, n, batch)
		}
	}
}

// checkRecords wants a record of every entity as far back as one list of records
// reaches, and an entity for every record.
func (w *writes) checkRecords(t *testing.T, c *client, created map[string]string) {
	t.Helper()
	records := jsonv.List(c.must(http.MethodGet, "/v1/audit-log?blueprint=item&resources=entity", ""), "audits")
	recorded := map[string]int{}
	since := ""
	for _, r := range records {
		id := jsonv.String(r, "context", "entity")
		if since = jsonv.String(r, "trigger", "at"); created[id] != since {
			t.Errorf("%s was recorded at %s and created at %q", id, since, created[id])
		}
		recorded[id]++
	}
	if len(records) < 1000 {
		since = ""
	}
	for id, at := range created {
		if at > since && recorded[id] != 1 {
			t.Errorf("%s has %d records", id, recorded[id])
		}
	}
}

// TestKillLosesNoTimer ends a portal with SIGKILL while timers expire. The next one
// goes on: each of them expires once.
func TestKillLosesNoTimer(t *testing.T) {
	t.Parallel()
	const many, rounds = 300, 3
	env := []string{"PORT_CLIENT_ID=me", "PORT_CLIENT_SECRET=mine"}
	args := []string{"--data", filepath.Join(t.TempDir(), "portal.db")}
	p := launch(t, env, args...)
	c := newClient(t, p.url, "me", "mine")
	c.must(http.MethodPost, "/v1/blueprints", `{"identifier":"item","title":"Item","schema":{"properties":{"until":{"type":"string","format":"timer"}}}}`)
	first := time.Now().Add(time.Second)
	var rows []any
	for n := range many {
		at := first.Add(time.Duration(n) * 5 * time.Millisecond).UTC().Format(time.RFC3339Nano)
		rows = append(rows, jsonv.Object{"identifier": fmt.Sprint("e", n), "properties": jsonv.Object{"until": at}})
		if len(rows) == 20 {
			c.must(http.MethodPost, "/v1/blueprints/item/entities/bulk", string(jsonv.Encode(jsonv.Object{"entities": rows})))
			rows = nil
		}
	}
	expired := map[string]int{}
	reach := func(n int) {
		t.Helper()
		for len(expired) < n {
			<-time.After(10 * time.Millisecond)
			clear(expired)
			for _, r := range jsonv.List(c.must(http.MethodGet, "/v1/audit-log?action=TIMER_EXPIRED", ""), "audits") {
				expired[jsonv.String(r, "context", "entity")]++
			}
			if time.Since(first) > time.Minute {
				t.Fatalf("only %d of %d timers expired", len(expired), n)
			}
		}
	}
	for round := range rounds {
		reach(many * (round + 1) / (rounds + 1))
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = p.cmd.Wait()
		p = launch(t, env, args...)
		c = newClient(t, p.url, "me", "mine")
	}
	reach(many)
	for id, n := range expired {
		if n != 1 {
			t.Errorf("%s expired %d times", id, n)
		}
	}
}
