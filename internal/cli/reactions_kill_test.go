package cli_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
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
	"github.com/portlens/terraform-provider-port/internal/portal/store/pgtest"
)

// message is what a backend was sent.
type message struct {
	run  string
	body jsonv.Object
}

// recorder remembers by path what it was sent, in order. What is broken off counts as
// not sent.
type recorder struct {
	*httptest.Server
	mu   sync.Mutex
	sent map[string][]message
}

func newRecorder(t *testing.T) *recorder {
	t.Helper()
	b := &recorder{sent: map[string][]message{}}
	b.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return // the portal was killed on its way
		}
		body, err := jsonv.DecodeObject(text)
		if err != nil {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		select {
		case <-time.After(3 * time.Millisecond): // so that kills find something under way
		case <-r.Context().Done():
			return // the portal was killed before it had an answer
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		path := strings.Trim(r.URL.Path, "/")
		b.sent[path] = append(b.sent[path], message{r.Header.Get("X-Port-Run-Id"), body})
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *recorder) got(path string) []message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.sent[path])
}

// TestKillLosesNoReaction ends a portal with SIGKILL again and again while people run
// actions, ask for approvals and write entities to which automations react: through a
// webhook, with an entity, and to that entity again. All that was accepted or committed
// has its consequences in the end.
func TestKillLosesNoReaction(t *testing.T) {
	t.Parallel()
	rounds := 2
	if os.Getenv("PORT_LONG") != "" {
		rounds = 8
	}
	killReactions(t, rounds, time.Minute, "--data", filepath.Join(t.TempDir(), "portal.db"))
}

// TestKillLosesNoReactionOfADatabase is the same on PostgreSQL, where the others must
// wait until the time of what a killed portal had in its hands is over.
func TestKillLosesNoReactionOfADatabase(t *testing.T) {
	t.Parallel()
	killReactions(t, 3, 3*time.Minute, "--database-url", pgtest.URL(t))
}

func killReactions(t *testing.T, rounds int, patience time.Duration, args ...string) {
	t.Helper()
	env := []string{"PORT_CLIENT_ID=me", "PORT_CLIENT_SECRET=mine"}
	random := rand.New(rand.NewPCG(3, 4))
	r := &reactions{backend: newRecorder(t), accepted: map[string][]string{}, written: map[string]bool{}}
	for round := range rounds {
		p := launch(t, env, args...)
		c := newClient(t, p.url, "me", "mine")
		if round == 0 {
			r.prepare(c)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, action := range []string{"one", "two", "ask"} {
			wg.Go(func() { r.execute(ctx, t, c, action) })
		}
		for worker := range 2 {
			wg.Go(func() { r.write(ctx, t, c, fmt.Sprintf("r%d-w%d", round, worker)) })
		}
		r.await(t, 30+random.IntN(60))
		<-time.After(time.Duration(random.IntN(5000)) * time.Microsecond)
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = p.cmd.Wait()
		cancel()
		wg.Wait()
	}
	p := launch(t, env, args...)
	c := newClient(t, p.url, "me", "mine")
	late := time.Now().Add(patience)
	for {
		missing := r.missing(c)
		if len(missing) == 0 {
			break
		}
		if time.Now().After(late) {
			t.Fatalf("%d consequences are missing, e.g. %s", len(missing), missing[0])
		}
		<-time.After(100 * time.Millisecond)
	}
	r.check(t, c, rounds)
}

// reactions is what people did and what their portal was seen to do about it.
type reactions struct {
	backend *recorder
	mu      sync.Mutex
	// accepted are the runs of each action that were answered, in order; written are
	// entities, true when their creation was answered.
	accepted map[string][]string
	written  map[string]bool
	count    int
}

// prepare makes the blueprints, actions and automations.
func (r *reactions) prepare(c *client) {
	url := r.backend.URL
	c.must(http.MethodPost, "/v1/blueprints", `{"identifier":"copy","title":"Copy","schema":{"properties":{"of":{"type":"string"}}}}`)
	c.must(http.MethodPost, "/v1/blueprints", `{"identifier":"item","title":"Item","schema":{"properties":{"until":{"type":"string","format":"timer"}}},
		"changelogDestination":{"type":"WEBHOOK","url":"`+url+`/changes"}}`)
	action := func(id, trigger, method, more string) {
		c.must(http.MethodPost, "/v1/actions", `{"identifier":"`+id+`","trigger":`+trigger+`,"invocationMethod":`+method+more+`}`)
	}
	manual := `{"type":"self-service","operation":"CREATE","userInputs":{"properties":{}}}`
	on := func(event, blueprint, more string) string {
		return `{"type":"automation","event":{"type":"` + event + `","blueprintIdentifier":"` + blueprint + `"` + more + `}}`
	}
	webhook := func(path, body string) string {
		return `{"type":"WEBHOOK","url":"` + url + `/` + path + `","body":` + body + `}`
	}
	action("one", manual, webhook("one", `{"run":"{{ .run.id }}"}`), "")
	action("two", manual, webhook("two", `{"run":"{{ .run.id }}"}`), "")
	action("ask", manual, webhook("never", `{}`), `,"requiredApproval":true,"approvalNotification":{"type":"webhook","url":"`+url+`/notice"}`)
	entity := `{"e":"{{ .event.context.entityIdentifier }}","run":"{{ .run.id }}"}`
	action("hook", on("ENTITY_CREATED", "item", ""), webhook("hook", entity), `,"publish":true`)
	action("copies", on("ENTITY_CREATED", "item", ""), `{"type":"UPSERT_ENTITY","blueprintIdentifier":"copy","mapping":{
		"identifier":"{{ .event.context.entityIdentifier }}","properties":{"of":"{{ .event.context.entityIdentifier }}"}}}`, `,"publish":true`)
	action("chain", on("ENTITY_CREATED", "copy", ""), webhook("chain", entity), `,"publish":true`)
	action("expired", on("TIMER_PROPERTY_EXPIRED", "item", `,"propertyIdentifier":"until"`), webhook("expired", entity), `,"publish":true`)
}

func (r *reactions) execute(ctx context.Context, t *testing.T, c *client, action string) {
	for {
		status, answer, err := c.do(ctx, http.MethodPost, "/v1/actions/"+action+"/runs", `{"properties":{}}`)
		if err != nil {
			return // the portal is gone
		}
		if status != http.StatusAccepted {
			t.Errorf("%s: %d %v", action, status, answer)
			return
		}
		r.mu.Lock()
		r.accepted[action] = append(r.accepted[action], jsonv.String(answer, "run", "id"))
		r.count++
		r.mu.Unlock()
	}
}

// write creates entities with timers that expire in the course of the test.
func (r *reactions) write(ctx context.Context, t *testing.T, c *client, prefix string) {
	for n := 0; ; n++ {
		id := fmt.Sprintf("%s-%d", prefix, n)
		until := time.Now().Add(time.Duration(50+40*(n%10)) * time.Millisecond).UTC().Format(time.RFC3339Nano)
		r.mu.Lock()
		r.written[id] = false
		r.mu.Unlock()
		status, answer, err := c.do(ctx, http.MethodPost, "/v1/blueprints/item/entities", `{"identifier":"`+id+`","properties":{"until":"`+until+`"}}`)
		if err != nil {
			return
		}
		if status != http.StatusCreated {
			t.Errorf("%s: %d %v", id, status, answer)
			return
		}
		r.mu.Lock()
		r.written[id] = true
		r.count++
		r.mu.Unlock()
	}
}

// await waits until so much more was answered.
func (r *reactions) await(t *testing.T, n int) {
	t.Helper()
	late := time.Now().Add(time.Minute)
	from := -1
	for {
		r.mu.Lock()
		count := r.count
		r.mu.Unlock()
		if from < 0 {
			from = count
		}
		if count >= from+n {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("only %d answers", count-from)
		}
		<-time.After(time.Millisecond)
	}
}

// entities are the identifiers of the entities of a blueprint.
func (r *reactions) entities(c *client, blueprint string) (ids []string) {
	for _, e := range jsonv.List(c.must(http.MethodGet, "/v1/blueprints/"+blueprint+"/entities?include=identifier", ""), "entities") {
		ids = append(ids, jsonv.String(e, "identifier"))
	}
	slices.Sort(ids)
	return ids
}

// by counts messages by what names them.
func by(list []message, name func(message) string) map[string]int {
	out := map[string]int{}
	for _, m := range list {
		out[name(m)]++
	}
	return out
}

func ofEntity(m message) string { return jsonv.String(m.body, "e") }
func ofRun(m message) string    { return m.run }
func ofChange(m message) string {
	return jsonv.String(m.body, "action") + " " + jsonv.String(m.body, "context", "entity")
}

// missing lists what has not come yet.
func (r *reactions) missing(c *client) (missing []string) {
	for _, action := range []string{"one", "two", "ask"} {
		path := strings.Replace(action, "ask", "notice", 1)
		came := by(r.backend.got(path), ofRun)
		for _, run := range r.accepted[action] {
			if came[run] == 0 {
				missing = append(missing, path+" of run "+run)
			}
		}
	}
	changes := by(r.backend.got("changes"), ofChange)
	items := r.entities(c, "item")
	for _, path := range []string{"hook", "chain", "expired"} {
		came := by(r.backend.got(path), ofEntity)
		for _, id := range items {
			if came[id] == 0 {
				missing = append(missing, path+" of "+id)
			}
		}
	}
	for _, id := range items {
		for _, action := range []string{"CREATE ", "TIMER_EXPIRED "} {
			if changes[action+id] == 0 {
				missing = append(missing, "change "+action+id)
			}
		}
	}
	return missing
}

// check wants nothing but what was to come, in order, and repeated only by a kill.
func (r *reactions) check(t *testing.T, c *client, kills int) {
	t.Helper()
	items := r.entities(c, "item")
	if copies := r.entities(c, "copy"); !slices.Equal(items, copies) {
		t.Errorf("%d items have %d copies", len(items), len(copies))
	}
	for id, answered := range r.written {
		if _, stored := slices.BinarySearch(items, id); answered && !stored {
			t.Errorf("%s was acknowledged and is lost", id)
		}
	}
	for _, action := range []string{"one", "two"} {
		var order []string
		for _, m := range r.backend.got(action) {
			if jsonv.String(m.body, "run") != m.run {
				t.Errorf("%s: the body is of run %q, the header of %q", action, jsonv.String(m.body, "run"), m.run)
			}
			if !slices.Contains(order, m.run) && slices.Contains(r.accepted[action], m.run) {
				order = append(order, m.run)
			}
		}
		if !slices.Equal(order, r.accepted[action]) {
			t.Errorf("%s: runs were delivered in another order than they were made", action)
		}
		if twice := len(r.backend.got(action)) - len(by(r.backend.got(action), ofRun)); twice > kills {
			t.Errorf("%s: %d deliveries were repeated in %d kills", action, twice, kills)
		}
	}
	// Of each event an automation makes one run, however often that is delivered.
	for _, path := range []string{"hook", "chain", "expired"} {
		runs := map[string]string{}
		for _, m := range r.backend.got(path) {
			if run := runs[ofEntity(m)]; run != "" && run != m.run {
				t.Errorf("%s: %s was told of in runs %s and %s", path, ofEntity(m), run, m.run)
			}
			runs[ofEntity(m)] = m.run
		}
		if len(runs) != len(items) {
			t.Errorf("%s: told of %d items, there are %d", path, len(runs), len(items))
		}
	}
	expired := map[string]int{}
	for _, record := range jsonv.List(c.must(http.MethodGet, "/v1/audit-log?action=TIMER_EXPIRED", ""), "audits") {
		expired[jsonv.String(record, "context", "entity")]++
	}
	created := map[string]bool{}
	for _, m := range r.backend.got("changes") {
		id := jsonv.String(m.body, "context", "entity")
		switch m.body["action"] {
		case "CREATE":
			created[id] = true
		case "TIMER_EXPIRED":
			if !created[id] {
				t.Errorf("%s expired in the change log before it was made", id)
			}
		}
	}
	for _, id := range items {
		if expired[id] != 1 {
			t.Errorf("%s expired %d times", id, expired[id])
		}
	}
	t.Logf("%d runs, %d items, %d change messages", len(r.accepted["one"])+len(r.accepted["two"])+len(r.accepted["ask"]), len(items), len(r.backend.got("changes")))
}
