package portal_test

import (
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portal/runs"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

func TestTheTimeoutOfRunsHoldsAcrossRestartsAndForRunsOfBefore(t *testing.T) {
	t.Parallel()
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	o := portaltest.Options{DataFile: filepath.Join(t.TempDir(), "portal.db"), Start: start}
	open := func(timeout, after time.Duration) *portaltest.Portal {
		t.Helper()
		o.RunTimeout, o.Start = timeout, start.Add(after)
		return portaltest.Start(t, o)
	}
	end := func(p *portaltest.Portal) {
		t.Helper()
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	status := func(p *portaltest.Portal, id string) string {
		t.Helper()
		return jsonv.String(p.Must(http.MethodGet, "/v1/actions/runs/"+id, nil), "run", "status")
	}
	expect := func(p *portaltest.Portal, when, id, want string) {
		t.Helper()
		if got := status(p, id); got != want {
			t.Errorf("%s: the run is %s, want %s", when, got, want)
		}
	}
	p := open(0, 0)
	relayAction(p, "a", "https://internal/x", nil)
	old := runRelayed(p, "a")
	end(p)
	p = open(2*time.Hour, time.Hour)
	expect(p, "with the timeout turned on", old, "IN_PROGRESS")
	made, done := runRelayed(p, "a"), runRelayed(p, "a")
	p.Must(http.MethodPatch, "/v1/actions/runs/"+done, jsonv.Object{"status": "SUCCESS"})
	p.Advance(59 * time.Minute)
	expect(p, "two hours are not over", old, "IN_PROGRESS")
	end(p)
	p = open(2*time.Hour, 2*time.Hour+time.Minute)
	expect(p, "while there was no portal", old, "FAILURE")
	expect(p, "it is one hour old", made, "IN_PROGRESS")
	end(p)
	p = open(0, 24*time.Hour)
	expect(p, "with the timeout turned off", made, "IN_PROGRESS")
	relayAction(p, "b", "https://internal/x", nil) // test portals mint the same ids after each start
	last := runRelayed(p, "b")
	p.Must(http.MethodPatch, "/v1/actions/runs/"+made, jsonv.Object{"status": "SUCCESS"})
	end(p)
	p = open(time.Hour, 24*time.Hour)
	p.Advance(time.Hour)
	expect(p, "another timeout", last, "FAILURE")
	expect(p, "it ended in time", made, "SUCCESS")
	expect(p, "it ended long ago", done, "SUCCESS")
	err := p.Store().View(t.Context(), func(tx store.Tx) error {
		for row, err := range tx.Scan(runs.KindOpen, nil, store.Page{}) {
			if err != nil {
				return err
			}
			t.Errorf("%v is still watched", row.Key)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestMoreRunsThanOneTransactionEndsTimeOut(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t, portaltest.Options{RunTimeout: time.Hour, Unchecked: true})
	relayAction(p, "a", "https://internal/x", nil)
	const many = 250
	for range many {
		runRelayed(p, "a")
	}
	p.Advance(time.Hour)
	p.Settle()
	list := jsonv.List(p.Must(http.MethodGet, "/v1/actions/runs?active=true", nil), "runs")
	if len(list) != 0 {
		t.Errorf("%d of %d runs go on", len(list), many)
	}
}
