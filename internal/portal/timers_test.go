package portal_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
	"github.com/portlens/terraform-provider-port/internal/portal/store/pgtest"
)

const withTimer = `{"blueprints":[{"identifier":"env","title":"E","schema":{"properties":{"until":{"type":"string","format":"timer"}}}},
	{"identifier":"plain","title":"P","schema":{"properties":{"until":{"type":"string","format":"date-time"}}}}]}`

func setTimer(p *portaltest.Portal, id, until string) {
	p.Must("POST", "/v1/blueprints/env/entities?upsert=true", jsonv.Object{"identifier": id, "properties": jsonv.Object{"until": until}})
}

// expired lists what has expired, newest first: "entity@moment".
func expired(p *portaltest.Portal) string {
	var out []string
	for _, a := range jsonv.List(p.Must("GET", "/v1/audit-log?action=TIMER_EXPIRED", nil), "audits") {
		at, _ := strings.CutSuffix(jsonv.String(a, "trigger", "at"), ":00.000Z")
		out = append(out, jsonv.String(a, "context", "entity")+"@"+at)
	}
	return strings.Join(out, " ")
}

func wantExpired(t *testing.T, p *portaltest.Portal, want string) {
	t.Helper()
	if diff := cmp.Diff(want, expired(p)); diff != "" {
		t.Errorf("expired (-want +got):\n%s", diff)
	}
}

// rows: U4.
func TestTimersThatFellDueWhileNoPortalRanExpireAtTheNextStart(t *testing.T) {
	t.Parallel()
	for _, storage := range pgtest.Stores()[1:] {
		t.Run(storage, func(t *testing.T) {
			t.Parallel()
			o := portaltest.Options{DataFile: filepath.Join(t.TempDir(), "portal.db")}
			if storage == "postgres" {
				o = portaltest.Options{DatabaseURL: pgtest.URL(t)}
			}
			run := func(at string, f func(*portaltest.Portal)) {
				t.Helper()
				o.Start, _ = jsonv.ParseTime("2024-01-01T" + at + ":00Z")
				p := portaltest.Start(t, o)
				f(p)
				if err := p.Close(); err != nil {
					t.Fatal(err)
				}
			}
			run("00:00", func(p *portaltest.Portal) {
				p.Seed(withTimer)
				setTimer(p, "before", "2024-01-01T01:00:00Z")
				setTimer(p, "later", "2024-01-01T03:00:00Z")
				setTimer(p, "missed", "2024-01-01T02:00:00Z")
				setTimer(p, "last", "2024-01-01T05:00:00Z")
				p.Advance(90 * time.Minute)
				wantExpired(t, p, "before@2024-01-01T01:00")
			})
			run("04:00", func(p *portaltest.Portal) {
				wantExpired(t, p, "later@2024-01-01T03:00 missed@2024-01-01T02:00 before@2024-01-01T01:00")
				p.Advance(time.Minute)
			})
			run("04:30", func(p *portaltest.Portal) {
				wantExpired(t, p, "later@2024-01-01T03:00 missed@2024-01-01T02:00 before@2024-01-01T01:00")
				p.Advance(time.Hour)
				wantExpired(t, p, "last@2024-01-01T05:00 later@2024-01-01T03:00 missed@2024-01-01T02:00 before@2024-01-01T01:00")
			})
		})
	}
}

// rows: U4.
func TestSeveralPortalsOnOneStoreLetATimerExpireOnce(t *testing.T) {
	t.Parallel()
	const many = 350
	for _, storage := range pgtest.Stores() {
		t.Run(storage, func(t *testing.T) {
			t.Parallel()
			o := portaltest.Options{DatabaseURL: ""}
			switch storage {
			case "memory":
				o.Store = counted(store.NewMemory(portal.Indexes()))
			case "sqlite":
				s, err := store.OpenSQLite(context.Background(), filepath.Join(t.TempDir(), "portal.db"), store.SQLiteOptions{Indexes: portal.Indexes()})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = s.Close() })
				o.Store = counted(s)
			case "postgres":
				o.DatabaseURL = pgtest.URL(t)
			}
			first := portaltest.Start(t, o)
			first.Seed(withTimer)
			var list []any
			for i := range many {
				at := time.Date(2024, 1, 1, 1, 0, i/10, 0, time.UTC).Format(time.RFC3339)
				list = append(list, jsonv.Object{"identifier": fmt.Sprint("e", i), "properties": jsonv.Object{"until": at}})
				if len(list) == 10 {
					first.Must("POST", "/v1/blueprints/env/entities/bulk", jsonv.Object{"entities": list})
					list = nil
				}
			}
			portals := []*portaltest.Portal{first, portaltest.Start(t, o), portaltest.Start(t, o)}
			var wg sync.WaitGroup
			for _, p := range portals {
				wg.Go(func() { p.Advance(2 * time.Hour) })
			}
			wg.Wait()
			seen := map[string]int{}
			for _, a := range jsonv.List(first.Must("GET", "/v1/audit-log?action=TIMER_EXPIRED", nil), "audits") {
				seen[jsonv.String(a, "context", "entity")]++
			}
			for id, n := range seen {
				if n != 1 {
					t.Errorf("%s expired %d times", id, n)
				}
			}
			if len(seen) != many {
				t.Errorf("%d of %d expired", len(seen), many)
			}
			if c, ok := o.Store.(*countingStore); ok && c.expired.Load() != many {
				t.Errorf("%d expiries were written for %d timers", c.expired.Load(), many)
			}
		})
	}
}

// countingStore counts the timers that went in transactions that were committed,
// and refuses some transactions that take one away.
type countingStore struct {
	store.Store
	expired atomic.Int64
	refuse  atomic.Int64
	// refusePut is how many transactions that set a timer to refuse.
	refusePut atomic.Int64
}

func counted(s store.Store) *countingStore { return &countingStore{Store: s} }

var errRefusedByTest = errors.New("the disk is full")

func (c *countingStore) Update(ctx context.Context, f func(store.Tx) error) error {
	var n int64
	err := c.Store.Update(ctx, func(tx store.Tx) error {
		counting := &countingTx{Tx: tx}
		if err := f(counting); err != nil {
			return err
		}
		if n = counting.deleted; n > 0 && c.refuse.Add(-1) >= 0 {
			return errRefusedByTest
		}
		if counting.put && c.refusePut.Add(-1) >= 0 {
			return errRefusedByTest
		}
		return nil
	})
	if err == nil {
		c.expired.Add(n)
	}
	return err
}

type countingTx struct {
	store.Tx
	deleted int64
	put     bool
}

func (c *countingTx) Put(k store.Kind, d store.Doc, key ...string) error {
	c.put = c.put || k == catalog.KindTimer
	return c.Tx.Put(k, d, key...)
}

func (c *countingTx) Delete(k store.Kind, key ...string) error {
	err := c.Tx.Delete(k, key...)
	if err == nil && k == catalog.KindTimer {
		c.deleted++
	}
	return err
}

func TestATimerThatCannotBeRecordedIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := counted(store.NewMemory(portal.Indexes()))
	p := portaltest.Start(t, portaltest.Options{Store: s, Seed: withTimer})
	setTimer(p, "a", "2024-01-01T01:00:00Z")
	setTimer(p, "b", "2024-01-01T01:00:00Z")
	s.refuse.Store(3)
	p.Advance(time.Hour)
	wantExpired(t, p, "")
	p.Advance(time.Minute)
	wantExpired(t, p, "b@2024-01-01T01:00 a@2024-01-01T01:00")
	p.Advance(24 * time.Hour)
	wantExpired(t, p, "b@2024-01-01T01:00 a@2024-01-01T01:00")
}

func TestAPortalSleepsUntilTheNextTimerAndWithoutOneForever(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t, portaltest.Options{Seed: withTimer})
	pending := func(want int) {
		t.Helper()
		if got := p.Clock().Pending(); got != want {
			t.Errorf("%d timers of the clock, want %d", got, want)
		}
	}
	p.Must("POST", "/v1/blueprints/plain/entities", value(t, `{"identifier":"p","properties":{"until":"2024-01-01T00:30:00Z"}}`))
	pending(0)
	for _, hour := range []string{"05", "03", "04"} {
		setTimer(p, "e"+hour, "2024-01-01T"+hour+":00:00Z")
		pending(1)
	}
	p.Advance(4 * time.Hour)
	pending(1)
	p.Advance(time.Hour)
	pending(0)
	wantExpired(t, p, "e05@2024-01-01T05:00 e04@2024-01-01T04:00 e03@2024-01-01T03:00")
}

func TestTheNextTimerIsFoundWithoutLookingAtTheOthers(t *testing.T) {
	t.Parallel()
	s, err := store.OpenSQLite(context.Background(), filepath.Join(t.TempDir(), "portal.db"), store.SQLiteOptions{Indexes: portal.Indexes()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	stats, ok := any(s).(store.Stats)
	if !ok {
		t.Fatal("the store tells nothing")
	}
	p := portaltest.Start(t, portaltest.Options{Store: s, Seed: withTimer})
	for b := range 10 {
		var list []any
		for i := range 20 {
			at := time.Date(2024, 1, 2, b, i, 0, 0, time.UTC).Format(time.RFC3339)
			list = append(list, jsonv.Object{"identifier": fmt.Sprint("e", b, "-", i), "properties": jsonv.Object{"until": at}})
		}
		p.Must("POST", "/v1/blueprints/env/entities/bulk", jsonv.Object{"entities": list})
	}
	before := stats.Examined()
	p.Advance(24 * time.Hour)
	wantExpired(t, p, "e0-0@2024-01-02T00:00")
	if n := stats.Examined() - before; n > 110 {
		t.Errorf("looked at %d documents of 200 to let one timer expire", n)
	}
}

func TestATimerOfARefusedWriteDoesNotExpire(t *testing.T) {
	t.Parallel()
	s := counted(store.NewMemory(portal.Indexes()))
	p := portaltest.Start(t, portaltest.Options{Store: s, Seed: withTimer, Unchecked: true})
	s.refusePut.Store(1)
	body := jsonv.Object{"identifier": "a", "properties": jsonv.Object{"until": "2024-01-01T01:00:00Z"}}
	if a := p.Call("POST", "/v1/blueprints/env/entities", body); a.Status != 500 {
		t.Fatalf("%d %s", a.Status, a.Text)
	}
	setTimer(p, "b", "2024-01-01T02:00:00Z")
	p.Advance(5 * time.Hour)
	wantExpired(t, p, "b@2024-01-01T02:00")
}

func TestAPortalFindsTheTimersOfOneThatIsGone(t *testing.T) {
	t.Parallel()
	s := store.NewMemory(portal.Indexes())
	gone := portaltest.Start(t, portaltest.Options{Store: s, Seed: withTimer})
	now := clock.NewFake(gone.Clock().Now())
	o := portal.Options{Store: s, Clock: now, IDs: ident.Seeded(2)}
	o.Look(time.Minute)
	other, err := portal.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	setTimer(gone, "a", "2024-01-01T01:00:00Z")
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	now.Advance(time.Hour - time.Second)
	wantExpired(t, portaltest.Start(t, portaltest.Options{Store: s}), "")
	now.Advance(time.Second)
	wantExpired(t, portaltest.Start(t, portaltest.Options{Store: s}), "a@2024-01-01T01:00")
}
