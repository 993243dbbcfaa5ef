package events_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/events"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
	"github.com/portlens/terraform-provider-port/internal/portal/store/pgtest"
)

const org = "org_1"

// world is a log and a catalog that tells it, on a store of its own.
type world struct {
	t     testing.TB
	store store.Store
	clock *clock.Fake
	log   *events.Log
	cat   *catalog.Catalog
	actor catalog.Actor
}

var start = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

func indexes() store.Indexes {
	all := catalog.Indexes()
	for kind, index := range events.Indexes() {
		all[kind] = index
	}
	return all
}

// openRuns lets every run be written to and shows it to everybody, but for "r_2".
type openRuns struct{}

func (openRuns) Check(store.Tx, string, string) error { return nil }

func (openRuns) Visible(_ store.Tx, _ catalog.Actor, run string) (bool, error) {
	return run != "r_2", nil
}

func newWorld(t testing.TB, s store.Store) *world {
	t.Helper()
	w := &world{t: t, store: s, clock: clock.NewFake(start), actor: catalog.Actor{Org: org, ID: "client"}}
	var err error
	if w.log, err = events.Open(t.Context(), events.Options{Store: s, Clock: w.clock, IDs: ident.Seeded(1), Org: org}); err != nil {
		t.Fatal(err)
	}
	w.cat = catalog.New(catalog.Deps{Clock: w.clock, IDs: ident.Seeded(2), Recorder: w.log, Runs: openRuns{}})
	return w
}

func everyStore(t *testing.T, f func(*testing.T, *world)) {
	t.Helper()
	for _, name := range pgtest.Stores() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := store.NewMemory(indexes())
			var err error
			switch name {
			case "sqlite":
				s, err = store.OpenSQLite(context.Background(), filepath.Join(t.TempDir(), "portal.db"), store.SQLiteOptions{Indexes: indexes()})
			case "postgres":
				s, err = store.OpenPostgres(context.Background(), pgtest.URL(t), store.PostgresOptions{Indexes: indexes()})
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			f(t, newWorld(t, s))
		})
	}
}

func object(t testing.TB, text string) jsonv.Object {
	t.Helper()
	o, err := jsonv.DecodeObject([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return o
}

func (w *world) update(f func(store.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) blueprint(text string) {
	w.t.Helper()
	w.update(func(tx store.Tx) error {
		_, err := w.cat.CreateBlueprint(w.t.Context(), tx, w.actor, object(w.t, text))
		return err
	})
}

func (w *world) upsert(tx store.Tx, blueprint, text string) error {
	_, _, err := w.cat.CreateEntity(w.t.Context(), tx, w.actor, blueprint, object(w.t, text), catalog.WriteOptions{Upsert: true})
	return err
}

func (w *world) list(f events.Filter) []any {
	w.t.Helper()
	var out []any
	err := w.store.View(w.t.Context(), func(tx store.Tx) (err error) {
		out, err = w.log.List(tx, org, nil, f)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// record writes events directly.
func (w *world) record(list ...catalog.Event) {
	w.t.Helper()
	w.update(func(tx store.Tx) error { return w.log.Record(tx, list...) })
}

func (w *world) event(n int) catalog.Event {
	return catalog.Event{
		Action: "UPDATE", Resource: "entity", Actor: w.actor, At: w.clock.Now(), Blueprint: "b" + strconv.Itoa(n%3), Entity: "e" + strconv.Itoa(n),
		Before: jsonv.Object{"n": jsonv.Int(n)}, After: jsonv.Object{"n": jsonv.Int(n + 1)},
	}
}

func entitiesOf(audits []any) string {
	out := []string{}
	for _, a := range audits {
		out = append(out, jsonv.String(a, "context", "entity"))
	}
	return strings.Join(out, " ")
}

func TestAWriteThatIsRolledBackLeavesNoRecord(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		w.blueprint(`{"identifier":"a","title":"A","schema":{"properties":{}}}`)
		stop := errors.New("stop")
		err := w.store.Update(t.Context(), func(tx store.Tx) error {
			if err := w.upsert(tx, "a", `{"identifier":"1"}`); err != nil {
				return err
			}
			if got, err := w.log.List(tx, org, nil, events.Filter{Entity: "1"}); err != nil || len(got) != 1 {
				t.Errorf("the transaction sees %d records: %v", len(got), err)
			}
			return stop
		})
		if !errors.Is(err, stop) {
			t.Fatal(err)
		}
		if got := w.list(events.Filter{}); entitiesOf(got) != "" || len(got) != 1 {
			t.Errorf("%d records: %s", len(got), entitiesOf(got))
		}
	})
}

// brokenRecorder fails after it has recorded.
type brokenRecorder struct{ log *events.Log }

var errBroken = errors.New("broken")

func (b brokenRecorder) Record(tx store.Tx, list ...catalog.Event) error {
	return errors.Join(b.log.Record(tx, list...), errBroken)
}

func TestAChangeWithoutItsRecordDoesNotHappen(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		w.blueprint(`{"identifier":"a","title":"A","schema":{"properties":{}}}`)
		w.cat = catalog.New(catalog.Deps{Clock: w.clock, IDs: ident.Seeded(2), Recorder: brokenRecorder{w.log}})
		err := w.store.Update(t.Context(), func(tx store.Tx) error { return w.upsert(tx, "a", `{"identifier":"1"}`) })
		if !errors.Is(err, errBroken) {
			t.Fatalf("got %v", err)
		}
		err = w.store.View(t.Context(), func(tx store.Tx) error {
			_, err := w.cat.ReadEntity(t.Context(), tx, w.actor, "a", "1", catalog.ReadOptions{})
			return err
		})
		var f *fault.Fault
		if !errors.As(err, &f) || f.Status != 404 {
			t.Errorf("the entity is there: %v", err)
		}
		if got := w.list(events.Filter{Entity: "1"}); len(got) != 0 {
			t.Errorf("%d records", len(got))
		}
	})
}

func TestRecordsOfOneMomentAreInTheOrderOfWriting(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		var want []string
		next := 0
		for _, size := range []int{1, 5, 1, 120, 2} {
			var list []catalog.Event
			for range size {
				e := w.event(next)
				if size > 1 {
					e.Blueprint = "same"
				}
				list = append(list, e)
				want = append(want, "e"+strconv.Itoa(next))
				next++
			}
			w.record(list...)
		}
		slices.Reverse(want)
		if diff := cmp.Diff(strings.Join(want, " "), entitiesOf(w.list(events.Filter{}))); diff != "" {
			t.Error(diff)
		}
		for limit, n := range map[string]int{"": next, "5000": next, "7": 7} {
			err := w.store.View(t.Context(), func(tx store.Tx) error {
				out, err := w.log.List(tx, org, nil, events.Filter{Limit: limit})
				if len(out) != n {
					t.Errorf("%d records with limit %q, want %d", len(out), limit, n)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
		// A new process goes on counting, on a clock that stands still.
		again := newWorld(t, w.store)
		again.record(again.event(next))
		if got := entitiesOf(again.list(events.Filter{Limit: "2"})); got != fmt.Sprintf("e%d e%d", next, next-1) {
			t.Errorf("after a restart: %s", got)
		}
		seen := map[string]bool{}
		for _, a := range w.list(events.Filter{}) {
			id := jsonv.String(a, "identifier")
			if seen[id] {
				t.Errorf("%s is there twice", id)
			}
			seen[id] = true
			found := w.list(events.Filter{Identifier: id})
			if len(found) != 1 || !jsonv.Equal(found[0], a) {
				t.Errorf("%s finds %s, want %s", id, jsonv.Encode(found), jsonv.Encode(a))
			}
		}
		if len(seen) != next+1 {
			t.Errorf("%d records, want %d", len(seen), next+1)
		}
	})
}

func TestDocumentsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		docs := []string{
			`{}`, `{"a":1}`, `{"a":{"b":{"c":{"d":{"e":1,"f":[1]}}}}}`, `{"a":{"b":{"c":{"d":{"e":2}}}},"x":null}`,
			`{"a":null}`, `{"a":{}}`, `{"a":[{"b":1}],"set":1,"gone":["a"],"in":{}}`, `{"properties":{"n":1,"m":null},"team":[]}`, `{"properties":{"n":1.5},"team":["x"]}`,
		}
		for _, from := range docs {
			for _, to := range docs {
				e := w.event(0)
				e.Before, e.After = object(t, from), object(t, to)
				w.record(e)
				got := w.list(events.Filter{Limit: "1"})[0]
				want := object(t, `{"before":`+from+`,"after":`+to+`}`)
				if diff, _ := jsonv.Get(got, "diff"); !jsonv.Equal(want, diff) {
					t.Errorf("from %s to %s came back as %s", from, to, jsonv.Encode(diff))
				}
			}
		}
	})
}

// rows: U2, U3, §7 4-5, §7 13-14.
func TestEveryFilterFindsWhatItNames(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		for n := range 9 {
			e := w.event(n)
			switch n {
			case 1:
				e.RunID = "r_1"
			case 2:
				e.Resource, e.Context = "run", jsonv.Object{"action": "deploy"}
				e.Additional = jsonv.Object{"actionType": "automation"}
			case 3:
				e.Action, e.ByPort = "TIMER_EXPIRED", true
			case 4:
				e.Additional = jsonv.Object{"webhookId": "w", "webhookEventId": "w1"}
			case 5:
				e.Actor.Origin, e.Actor.Installation = events.OriginOf("port-ocean/jira/1/main/exporter")
			case 6:
				e.Actor.Origin = "UI"
			case 7:
				e.Failed, e.Message, e.After = true, "no", nil
			}
			w.record(e)
		}
		for _, c := range []struct {
			f    events.Filter
			want string
		}{
			{events.Filter{Run: "r_1"}, "e1"},
			{events.Filter{Resources: []string{"run"}}, "e2"},
			{events.Filter{Resources: []string{"run", "entity"}, Limit: "2"}, "e8 e7"},
			{events.Filter{ActionType: "automation"}, "e2"},
			{events.Filter{ActionType: "self-service"}, ""},
			{events.Filter{Action: "TIMER_EXPIRED"}, "e3"},
			{events.Filter{Webhook: "w"}, "e4"},
			{events.Filter{Webhook: "w", WebhookEvent: "w1"}, "e4"},
			{events.Filter{Webhook: "w", WebhookEvent: "w2"}, ""},
			{events.Filter{Installation: "main"}, "e5"},
			{events.Filter{Origins: []string{"jira"}}, "e5"},
			{events.Filter{Origins: []string{"port-ocean/jira/2/main"}}, "e5"},
			{events.Filter{Origins: []string{"UI", "jira/main"}}, "e6 e5"},
			{events.Filter{Origins: []string{"UI", "API"}, Blueprint: "b0"}, "e6 e3 e0"},
			{events.Filter{Status: "FAILURE"}, "e7"},
			{events.Filter{Status: "SUCCESS", Blueprint: "b1"}, "e4 e1"},
			{events.Filter{Blueprint: "b1", Entity: "e4"}, "e4"},
			{events.Filter{Blueprint: "b2", Entity: "e4"}, ""},
			{events.Filter{Entity: "e4"}, "e4"},
		} {
			if got := entitiesOf(w.list(c.f)); got != c.want {
				t.Errorf("%+v finds %q, want %q", c.f, got, c.want)
			}
		}
		timer := w.list(events.Filter{Action: "TIMER_EXPIRED"})[0]
		if by, _ := jsonv.Get(timer, "trigger", "by"); !jsonv.Equal(by, jsonv.Object{"byPort": true, "orgId": org}) {
			t.Errorf("a timer is by %s", jsonv.Encode(by))
		}
		run := w.list(events.Filter{Entity: "e2"})[0]
		if got := jsonv.String(run, "context", "action") + jsonv.String(run, "additionalData", "actionType"); got != "deployautomation" {
			t.Errorf("a run says %s", jsonv.Encode(run))
		}
		withRun := w.list(events.Filter{Run: "r_1"})[0]
		if jsonv.String(withRun, "context", "runId") != "r_1" {
			t.Errorf("the run is not told: %s", jsonv.Encode(withRun))
		}
	})
}

func TestTheNewestRecordsAreFoundWithoutTheOthers(t *testing.T) {
	t.Parallel()
	total := 5_000
	if os.Getenv("PORT_LONG") != "" {
		total = 100_000
	}
	everyStore(t, func(t *testing.T, w *world) {
		for n := 0; n < total; n += 50 {
			w.clock.Advance(time.Second)
			var list []catalog.Event
			for i := range 50 {
				e := w.event(n + i)
				e.Entity = "e" + strconv.Itoa((n+i)%(total/10))
				if n+i == 77 {
					e.RunID, e.Failed = "r_1", true
				}
				list = append(list, e)
			}
			w.record(list...)
		}
		stats, ok := w.store.(store.Stats)
		if !ok {
			t.Fatal("the store does not count")
		}
		id := jsonv.String(w.list(events.Filter{Run: "r_1"})[0], "identifier")
		moment := clock.Stamp(start.Add(50 * time.Second))
		for name, c := range map[string]struct {
			f          events.Filter
			rows, most int
		}{
			"of everything":  {events.Filter{Limit: "10"}, 10, 20},
			"a hundred":      {events.Filter{Limit: "100"}, 100, 150},
			"of a blueprint": {events.Filter{Blueprint: "b1", Limit: "10"}, 10, 20},
			"of an entity":   {events.Filter{Entity: "e7"}, 10, 20},
			"of a run":       {events.Filter{Run: "r_1"}, 1, 1},
			"failures":       {events.Filter{Status: "FAILURE"}, 1, 1},
			"an identifier":  {events.Filter{Identifier: id}, 1, 60},
			"of a second":    {events.Filter{From: moment, To: moment}, 50, 60},
			"of nobody":      {events.Filter{Origins: []string{"UI"}}, 0, 0},
		} {
			before := stats.Examined()
			rows := len(w.list(c.f))
			if looked := int(stats.Examined() - before); looked > c.most || rows != c.rows {
				t.Errorf("%s: looked at %d documents for %d records, want at most %d for %d", name, looked, rows, c.most, c.rows)
			}
		}
	})
}

func TestOutdatedRecordsGoAwayWhileOthersAreWritten(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		count := func() (n int) {
			err := w.store.View(t.Context(), func(tx store.Tx) error {
				for _, err := range tx.Scan(events.KindRecord, nil, store.Page{}, org) {
					if err != nil {
						return err
					}
					n++
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		for n := range 100 {
			w.record(w.event(n))
		}
		w.clock.Advance(events.Retention)
		w.record(w.event(100))
		if got := len(w.list(events.Filter{})); got != 101 {
			t.Errorf("%d records on the last day", got)
		}
		w.clock.Advance(time.Millisecond)
		if got := len(w.list(events.Filter{})); got != 1 {
			t.Errorf("%d records after a year", got)
		}
		for n := range 64 {
			w.record(w.event(n))
		}
		if got := count(); got != 65 {
			t.Errorf("%d documents are kept, want 65", got)
		}
	})
}

// scanning counts the scans of a transaction.
type scanning struct {
	store.Tx
	scans *int
}

func (s scanning) Scan(k store.Kind, where store.Where, page store.Page, prefix ...string) iter.Seq2[store.Row, error] {
	*s.scans++
	return s.Tx.Scan(k, where, page, prefix...)
}

// A scan makes a store write what waits for the commit, so writes must rarely scan.
func TestOutdatedRecordsAreLookedForOnceAnHourUnlessSomeAreLeft(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		scans := 0
		write := func(records int) {
			w.update(func(tx store.Tx) error {
				for n := range records {
					if err := w.log.Record(scanning{tx, &scans}, w.event(n)); err != nil {
						return err
					}
				}
				return nil
			})
		}
		looked := func(when string, want int) {
			t.Helper()
			if scans != want {
				t.Errorf("%s: %d scans, want %d", when, scans, want)
			}
			scans = 0
		}
		write(640)
		looked("within the first hour", 1)
		w.clock.Advance(time.Hour)
		write(128)
		looked("an hour later", 1)
		w.clock.Advance(events.Retention + time.Millisecond)
		write(448)
		looked("with 768 to take away by 256", 4)
	})
}

func TestOriginsAreToldFromTheUserAgent(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]string{
		"":                                       "API ",
		"terraform-provider-port-labs/2.0":       "API ",
		"port-agent":                             "API ",
		"port-ocean/jira/1.0.0/my-jira/exporter": "jira/my-jira my-jira",
		"port-ocean/jira/1.0.0/my-jira":          "jira/my-jira my-jira",
		"port-ocean/jira/1.0.0/my-jira/gitops":   "jira/my-jira my-jira",
		"port-ocean/jira":                        "API ",
		"port-k8s-exporter/^0.3.4 (statekey/k)":  "port-k8s-exporter/k k",
	} {
		origin, installation := events.OriginOf(agent)
		if got := origin + " " + installation; got != want {
			t.Errorf("%q is %q, want %q", agent, got, want)
		}
	}
}
