package events_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/events"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// replay is what the records alone say the catalog holds.
type replay map[string]any

func nameOf(resource string, doc any) string {
	return resource + " " + jsonv.String(doc, "blueprint") + "/" + jsonv.String(doc, "identifier")
}

// apply follows one record and tells when it does not fit what came before it.
func (r replay) apply(record any) error {
	resource := jsonv.String(record, "resourceType")
	if jsonv.String(record, "status") == "FAILURE" {
		return nil
	}
	if before, _ := jsonv.Get(record, "diff", "before"); before != nil {
		name := nameOf(resource, before)
		if diff := cmp.Diff(r[name], before); diff != "" {
			return fmt.Errorf("%s was not what the record says (-was +said):\n%s", name, diff)
		}
		delete(r, name)
	}
	if after, _ := jsonv.Get(record, "diff", "after"); after != nil {
		r[nameOf(resource, after)] = after
	}
	return nil
}

// current is what the catalog really holds, without the system blueprints.
func (w *world) current() replay {
	w.t.Helper()
	out := replay{}
	err := w.store.View(w.t.Context(), func(tx store.Tx) error {
		blueprints, err := w.cat.ListBlueprints(w.t.Context(), tx, w.actor)
		if err != nil {
			return err
		}
		for _, b := range blueprints {
			id := jsonv.String(b, "identifier")
			if id[0] == '_' {
				continue
			}
			out[nameOf("blueprint", b)] = b
			entities, err := w.cat.ListEntities(w.t.Context(), tx, w.actor, id, catalog.ReadOptions{})
			if err != nil {
				return err
			}
			for _, e := range jsonv.List(entities, "entities") {
				out[nameOf("entity", e)] = e
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// step does something at random; what the catalog refuses is no matter.
func (w *world) step(tx store.Tx, r *rand.Rand) error {
	ctx := w.t.Context()
	bp := []string{"p", "c", "q"}[r.IntN(3)]
	id := fmt.Sprint("e", r.IntN(6))
	body := func() string {
		text := fmt.Sprintf(`{"identifier":%q,"properties":{"n":%d}`, id, r.IntN(4))
		if bp == "c" {
			text += fmt.Sprintf(`,"relations":{"must":"e%d","may":"e%d","set":["e%d","e%d"]}`, r.IntN(6), r.IntN(6), r.IntN(6), r.IntN(6))
		}
		return text + "}"
	}
	var err error
	switch r.IntN(16) {
	case 0, 1, 2, 3, 4:
		_, _, err = w.cat.CreateEntity(ctx, tx, w.actor, bp, object(w.t, body()), catalog.WriteOptions{Upsert: true, Merge: r.IntN(2) == 0, CreateMissing: r.IntN(2) == 0})
	case 5, 6, 7:
		_, err = w.cat.BulkUpsert(ctx, tx, w.actor, bp, jsonv.Object{"entities": []any{object(w.t, body()), object(w.t, `{"identifier":"`+id+`x","properties":{"m":1}}`)}}, catalog.WriteOptions{Upsert: true, CreateMissing: true})
	case 8, 9:
		_, err = w.cat.PatchEntity(ctx, tx, w.actor, bp, id, object(w.t, fmt.Sprintf(`{"identifier":"e%d"}`, r.IntN(6))), catalog.WriteOptions{})
	case 10, 11:
		err = w.cat.DeleteEntity(ctx, tx, w.actor, bp, id, catalog.DeleteOptions{Dependents: r.IntN(2) == 0})
	case 12:
		_, err = w.cat.BulkDelete(ctx, tx, w.actor, bp, object(w.t, `{"entities":["e1","e2","e1x","nobody"]}`), catalog.DeleteOptions{Dependents: true})
	case 13:
		if _, err = w.cat.RenameProperty(ctx, tx, w.actor, "p", "m", object(w.t, `{"newPropertyName":"k"}`)); err != nil {
			_, err = w.cat.RenameProperty(ctx, tx, w.actor, "p", "k", object(w.t, `{"newPropertyName":"m"}`))
		}
	case 14:
		// A blueprint that is dropped and made anew, and one that is called differently for a while.
		next := map[bool]string{true: "q", false: "qq"}[r.IntN(2) == 0]
		for _, was := range []string{"q", "qq"} {
			_, err = w.cat.PutBlueprint(ctx, tx, w.actor, was, object(w.t, fmt.Sprintf(
				`{"identifier":%q,"title":"Q","schema":{"properties":{"n":{"type":"number"},"m":{"type":"number"}}},"relations":{"p%d":{"target":"p"}}}`, next, r.IntN(2))))
		}
	default:
		_, err = w.cat.DeleteAllEntities(ctx, tx, w.actor, bp, catalog.DeleteAllOptions{})
	}
	return err
}

// errRefused ends a transaction that a fault ended.
var errRefused = errors.New("refused")

func TestRandomChangesCanBeReplayedFromTheirRecords(t *testing.T) {
	t.Parallel()
	rounds := 400
	if os.Getenv("PORT_LONG") != "" {
		rounds = 10_000
	}
	everyStore(t, func(t *testing.T, w *world) {
		w.blueprint(`{"identifier":"p","title":"P","schema":{"properties":{"n":{"type":"number"},"m":{"type":"number","default":7}}}}`)
		w.blueprint(`{"identifier":"q","title":"Q","schema":{"properties":{"n":{"type":"number"},"m":{"type":"number"}}},"relations":{"p0":{"target":"p"}}}`)
		w.blueprint(`{"identifier":"c","title":"C","schema":{"properties":{"n":{"type":"number"}}},"relations":{
			"must":{"target":"p","required":true},"may":{"target":"c"},"set":{"target":"p","many":true},"q":{"target":"q"}}}`)
		rounds := rounds
		if strings.HasSuffix(t.Name(), "/postgres") {
			rounds = min(rounds, 400)
		}
		told, r := replay{}, rand.New(rand.NewPCG(3, 4))
		follow := func() {
			t.Helper()
			now := clock.Stamp(w.clock.Now())
			records := w.list(events.Filter{From: now, To: now})
			slices.Reverse(records)
			for _, record := range records {
				if err := told.apply(record); err != nil {
					t.Fatal(err)
				}
			}
		}
		follow()
		applied := 0
		for i := range rounds {
			w.clock.Advance(time.Millisecond)
			err := w.store.Update(t.Context(), func(tx store.Tx) error {
				err := w.step(tx, r)
				var f *fault.Fault
				if errors.As(err, &f) {
					return errRefused
				}
				return err
			})
			if err != nil && !errors.Is(err, errRefused) {
				t.Fatal(err)
			}
			if err == nil {
				applied++
			}
			follow()
			if i%20 == 0 {
				if diff := cmp.Diff(w.current(), told); diff != "" {
					t.Fatalf("step %d (-catalog +records):\n%s", i, diff)
				}
			}
		}
		if applied < rounds/4 {
			t.Errorf("only %d of %d steps did anything", applied, rounds)
		}
	})
}
