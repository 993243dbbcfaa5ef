package events_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/events"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// gold are the rights of somebody who may read what is called "shown" or "other" and
// every entity of other blueprints than "domain".
type gold struct{}

func (gold) Manages(string) bool { return false }

func (gold) Entities(_ store.Tx, blueprint string, _ catalog.Verb) (catalog.Grant, error) {
	if blueprint != "domain" {
		return catalog.Grant{All: true}, nil
	}
	return catalog.Grant{Among: query.All().Among([]string{"shown", "other"})}, nil
}

func (gold) Field(store.Tx, string, catalog.Field) (catalog.Grant, error) {
	return catalog.Grant{}, nil
}

// everything are the rights of a user from whom nothing is hidden.
type everything struct{ gold }

func (everything) Entities(store.Tx, string, catalog.Verb) (catalog.Grant, error) {
	return catalog.Grant{All: true}, nil
}

// seen lists what a caller with rights is told, as "ACTION entity".
func (w *world) seen(rights catalog.Rights, f events.Filter) (out []string, err error) {
	w.t.Helper()
	actor := w.actor
	actor.Rights = rights
	err = w.store.View(w.t.Context(), func(tx store.Tx) error {
		list, err := w.log.List(tx, org, w.cat.Sight(w.t.Context(), tx, actor), f)
		out = []string{}
		for _, r := range list {
			out = append(out, fmt.Sprint(jsonv.String(r, "action"), " ", jsonv.String(r, "context", "entity")))
		}
		return err
	})
	return out, err
}

func (w *world) post(blueprint, text string) {
	w.t.Helper()
	w.clock.Advance(time.Second)
	w.update(func(tx store.Tx) error { return w.upsert(tx, blueprint, text) })
}

func (w *world) remove(blueprint, id string) {
	w.t.Helper()
	w.clock.Advance(time.Second)
	w.update(func(tx store.Tx) error {
		return w.cat.DeleteEntity(w.t.Context(), tx, w.actor, blueprint, id, catalog.DeleteOptions{})
	})
}

func domains(w *world) {
	w.t.Helper()
	w.blueprint(`{"identifier":"domain","title":"D","schema":{"properties":{"tier":{"type":"string"}}}}`)
	w.blueprint(`{"identifier":"service","title":"S","schema":{"properties":{"n":{"type":"number"}}},"relations":{"domain":{"target":"domain"},"next":{"target":"service"}},
		"mirrorProperties":{"tier":{"path":"domain.tier"},"after":{"path":"next.n"},"later":{"path":"next.tier"}},
		"calculationProperties":{"twice":{"type":"number","calculation":".properties.n * 2"}}}`)
	w.post("domain", `{"identifier":"shown","properties":{"tier":"gold"}}`)
	w.post("domain", `{"identifier":"hidden","properties":{"tier":"black"}}`)
	w.post("domain", `{"identifier":"other"}`)
	w.remove("domain", "other")
}

func TestWhoIsNoAdministratorHasToSayWhatItIsAbout(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		domains(w)
		deleted := events.Filter{Entity: "other", Blueprint: "domain", Status: "SUCCESS", From: "2024-01-01T00:00:00Z", To: "2024-01-01T12:00:00Z", DeletedEntities: true}
		for _, c := range []struct {
			f    events.Filter
			want string
		}{
			{events.Filter{}, "403 missing_permissions"}, {events.Filter{Blueprint: "domain"}, "403 missing_permissions"},
			{events.Filter{Action: "CREATE", Status: "SUCCESS"}, "403 missing_permissions"}, {deleted, "403 missing_permissions"},
			{events.Filter{Status: "maybe"}, "422 invalid_request"}, {events.Filter{Entity: "shown", DeletedEntities: true}, "422 invalid_request"},
			{events.Filter{Entity: "e1"}, ""}, {events.Filter{Run: "r_1"}, ""}, {events.Filter{Identifier: "event_1"}, ""},
		} {
			for _, rights := range []catalog.Rights{gold{}, everything{}} {
				_, err := w.seen(rights, c.f)
				got := ""
				if f := (*fault.Fault)(nil); errors.As(err, &f) {
					got = fmt.Sprint(f.Status, " ", f.Code)
				}
				if got != c.want {
					t.Errorf("%+v: %q, want %q: %v", c.f, got, c.want, err)
				}
			}
		}
		if got, err := w.seen(nil, deleted); err != nil || len(got) != 2 {
			t.Errorf("without limits: %v %v", got, err)
		}
	})
}

func TestRecordsAreOfWhatTheCallerMayRead(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		domains(w)
		for n, run := range []string{"r_1", "r_2"} {
			e := w.event(n)
			e.RunID, e.Resource, e.Blueprint, e.Entity = run, "run", "", ""
			w.record(e)
			e.Resource, e.Blueprint, e.Entity = "entity", "domain", "hidden"
			w.record(e)
		}
		check := func(rights catalog.Rights, f events.Filter, want ...string) {
			t.Helper()
			got, err := w.seen(rights, f)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
				t.Errorf("%+v (-want +got):\n%s", f, diff)
			}
		}
		check(gold{}, events.Filter{Entity: "shown"}, "CREATE shown")
		check(gold{}, events.Filter{Entity: "hidden"})
		check(gold{}, events.Filter{Entity: "hidden", Blueprint: "domain", Limit: "1"})
		check(gold{}, events.Filter{Entity: "other"})
		check(everything{}, events.Filter{Entity: "other"})
		check(nil, events.Filter{Entity: "other"}, "DELETE other", "CREATE other")
		// Of a run that may be seen, entities that may not be read stay hidden.
		check(gold{}, events.Filter{Run: "r_1"}, "UPDATE ")
		check(gold{}, events.Filter{Run: "r_2"})
		check(nil, events.Filter{Run: "r_2"}, "UPDATE hidden", "UPDATE ")
		// What is newly called so does not tell what went by that name before.
		w.post("domain", `{"identifier":"other"}`)
		check(gold{}, events.Filter{Entity: "other"}, "CREATE other")
		check(nil, events.Filter{Entity: "other"}, "CREATE other", "DELETE other", "CREATE other")
		// A record's own identifier says no more.
		for _, r := range w.list(events.Filter{}) {
			want := []string{jsonv.String(r, "action") + " " + jsonv.String(r, "context", "entity")}
			about, at := jsonv.String(r, "context", "entity"), jsonv.String(r, "trigger", "at")
			if about == "hidden" || about == "other" && at < "2024-01-01T00:00:05" || jsonv.String(r, "context", "runId") == "r_2" {
				want = nil
			}
			check(gold{}, events.Filter{Identifier: jsonv.String(r, "identifier")}, want...)
		}
	})
}

func TestRecordsLeaveOutWhatMayHaveComeFromHiddenEntities(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		domains(w)
		w.post("service", `{"identifier":"end","properties":{"n":7},"relations":{"domain":"hidden"}}`)
		w.post("service", `{"identifier":"cart","properties":{"n":1},"relations":{"domain":"hidden","next":"end"}}`)
		w.post("service", `{"identifier":"cart","properties":{"n":2},"relations":{"domain":"shown"}}`)
		last := func(rights catalog.Rights) (after any) {
			actor := w.actor
			actor.Rights = rights
			err := w.store.View(t.Context(), func(tx store.Tx) error {
				list, err := w.log.List(tx, org, w.cat.Sight(t.Context(), tx, actor), events.Filter{Entity: "cart", Limit: "1"})
				if err == nil {
					after, _ = jsonv.Get(list[0], "diff", "before", "properties")
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return after
		}
		full := object(t, `{"n":1,"tier":"black","after":7,"later":"black","twice":2}`)
		for _, rights := range []catalog.Rights{nil, everything{}} {
			if diff := cmp.Diff(any(full), last(rights)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		if diff := cmp.Diff(any(object(t, `{"n":1,"after":7}`)), last(gold{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}

		history := func(rights catalog.Rights) (out any, err error) {
			actor := w.actor
			actor.Rights = rights
			err = w.store.View(t.Context(), func(tx store.Tx) error {
				result, err := w.log.History(t.Context(), tx, w.cat, actor, object(t, `{"blueprintIdentifier":"service","entityIdentifier":"cart","propertyNames":["n","tier"],"timeInterval":"day","timeRange":{"preset":"today","timeZone":"UTC"}}`))
				out, _ = jsonv.Get(result, "data", "0")
				return err
			})
			return out, err
		}
		for _, c := range []struct {
			rights catalog.Rights
			want   string
		}{{nil, `{"n":2,"tier":"gold"}`}, {everything{}, `{"n":2,"tier":"gold"}`}, {gold{}, `{"n":2}`}} {
			got, err := history(c.rights)
			row, _ := got.(jsonv.Object)
			delete(row, "date")
			if diff := cmp.Diff(object(t, c.want), row); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		}
	})
}

func TestHistoryIsThatOfTheEntityThatMayBeRead(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		domains(w)
		w.post("domain", `{"identifier":"other","properties":{"tier":"old"}}`)
		w.clock.Advance(24 * time.Hour)
		w.remove("domain", "other")
		w.clock.Advance(24 * time.Hour)
		w.post("domain", `{"identifier":"other","properties":{"tier":"new"}}`)
		tiers := func(rights catalog.Rights, entity string) (out []string, err error) {
			actor := w.actor
			actor.Rights = rights
			err = w.store.View(t.Context(), func(tx store.Tx) error {
				result, err := w.log.History(t.Context(), tx, w.cat, actor, object(t, `{"blueprintIdentifier":"domain","entityIdentifier":"`+entity+`","propertyNames":["tier"],"timeInterval":"day","timeRange":{"preset":"lastWeek","timeZone":"UTC"}}`))
				for _, row := range jsonv.List(result, "data") {
					if tier := jsonv.String(row, "tier"); tier != "" {
						out = append(out, tier)
					}
				}
				return err
			})
			return out, err
		}
		if got, err := tiers(nil, "other"); err != nil || fmt.Sprint(got) != "[old new]" {
			t.Errorf("without limits: %v %v", got, err)
		}
		if got, err := tiers(gold{}, "other"); err != nil || fmt.Sprint(got) != "[new]" {
			t.Errorf("with limits: %v %v", got, err)
		}
		_, err := tiers(gold{}, "hidden")
		if f := (*fault.Fault)(nil); !errors.As(err, &f) || f.Status != 404 {
			t.Errorf("of a hidden entity: %v", err)
		}
	})
}
