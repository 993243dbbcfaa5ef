package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
	"github.com/portlens/terraform-provider-port/internal/portal/store/pgtest"
)

// world is a catalog on a store of its own.
type world struct {
	t     testing.TB
	ctx   context.Context
	store store.Store
	cat   *catalog.Catalog
	clock *clock.Fake
	actor catalog.Actor
	read  catalog.ReadOptions
}

var start = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

func newWorld(t testing.TB, s store.Store) *world {
	t.Helper()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	c := clock.NewFake(start)
	return &world{
		t: t, ctx: context.Background(), store: s, clock: c,
		cat:   catalog.New(catalog.Deps{Clock: c, IDs: ident.Seeded(1)}),
		actor: catalog.Actor{Org: "org_1", ID: "client", UserAgent: "test/1"},
	}
}

func memory(t testing.TB) *world {
	t.Helper()
	return newWorld(t, store.NewMemory(catalog.Indexes()))
}

// everyStore runs a test on each implementation of the store.
func everyStore(t *testing.T, f func(*testing.T, *world)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		f(t, memory(t))
	})
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		s, err := store.OpenSQLite(context.Background(), filepath.Join(t.TempDir(), "portal.db"), store.SQLiteOptions{Indexes: catalog.Indexes()})
		if err != nil {
			t.Fatal(err)
		}
		f(t, newWorld(t, s))
	})
	if !pgtest.Wanted() {
		return
	}
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		s, err := store.OpenPostgres(context.Background(), pgtest.URL(t), store.PostgresOptions{Indexes: catalog.Indexes()})
		if err != nil {
			t.Fatal(err)
		}
		f(t, newWorld(t, s))
	})
}

func value(t testing.TB, text string) any {
	t.Helper()
	v, err := jsonv.Decode([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// result is what an operation gave.
type result struct {
	t   testing.TB
	doc any
	err error
}

func (w *world) update(f func(store.Tx) (any, error)) result {
	w.t.Helper()
	w.clock.Advance(time.Millisecond)
	var out any
	err := w.store.Update(w.ctx, func(tx store.Tx) error {
		var err error
		out, err = f(tx)
		return err
	})
	return result{w.t, out, err}
}

func (w *world) view(f func(store.Tx) (any, error)) result {
	w.t.Helper()
	var out any
	err := w.store.View(w.ctx, func(tx store.Tx) error {
		var err error
		out, err = f(tx)
		return err
	})
	return result{w.t, out, err}
}

func (w *world) createBlueprint(body string) result {
	w.t.Helper()
	return w.update(func(tx store.Tx) (any, error) { return w.cat.CreateBlueprint(w.ctx, tx, w.actor, value(w.t, body)) })
}

func (w *world) putBlueprint(id, body string) result {
	w.t.Helper()
	return w.update(func(tx store.Tx) (any, error) {
		return w.cat.PutBlueprint(w.ctx, tx, w.actor, id, value(w.t, body))
	})
}

func (w *world) patchBlueprint(id, body string) result {
	w.t.Helper()
	return w.update(func(tx store.Tx) (any, error) {
		return w.cat.PatchBlueprint(w.ctx, tx, w.actor, id, value(w.t, body))
	})
}

func (w *world) renameProperty(blueprint, was, is string) result {
	w.t.Helper()
	return w.update(func(tx store.Tx) (any, error) {
		return w.cat.RenameProperty(w.ctx, tx, w.actor, blueprint, was, jsonv.Object{"newPropertyName": is})
	})
}

func (w *world) blueprint(id string) result {
	w.t.Helper()
	return w.view(func(tx store.Tx) (any, error) { return w.cat.ReadBlueprint(w.ctx, tx, w.actor, id) })
}

func (w *world) deleteBlueprint(id string) result {
	w.t.Helper()
	return w.update(func(tx store.Tx) (any, error) { return nil, w.cat.DeleteBlueprint(w.ctx, tx, w.actor, id, false) })
}

func (w *world) create(blueprint, body string, o catalog.WriteOptions) result {
	w.t.Helper()
	run := w.update
	if o.ValidationOnly {
		run = w.view
	}
	return run(func(tx store.Tx) (any, error) {
		e, _, err := w.cat.CreateEntity(w.ctx, tx, w.actor, blueprint, value(w.t, body), o)
		return e, err
	})
}

func (w *world) post(blueprint, body string) result {
	w.t.Helper()
	return w.create(blueprint, body, catalog.WriteOptions{})
}

func (w *world) put(blueprint, id, body string) result {
	w.t.Helper()
	return w.update(func(tx store.Tx) (any, error) {
		return w.cat.PutEntity(w.ctx, tx, w.actor, blueprint, id, value(w.t, body), catalog.WriteOptions{})
	})
}

func (w *world) patch(blueprint, id, body string) result {
	w.t.Helper()
	return w.update(func(tx store.Tx) (any, error) {
		return w.cat.PatchEntity(w.ctx, tx, w.actor, blueprint, id, value(w.t, body), catalog.WriteOptions{})
	})
}

func (w *world) get(blueprint, id string) result {
	w.t.Helper()
	return w.view(func(tx store.Tx) (any, error) { return w.cat.ReadEntity(w.ctx, tx, w.actor, blueprint, id, w.read) })
}

func (w *world) list(blueprint string) result {
	w.t.Helper()
	return w.view(func(tx store.Tx) (any, error) { return w.cat.ListEntities(w.ctx, tx, w.actor, blueprint, w.read) })
}

func (w *world) delete(blueprint, id string, o catalog.DeleteOptions) result {
	w.t.Helper()
	return w.update(func(tx store.Tx) (any, error) {
		return nil, w.cat.DeleteEntity(w.ctx, tx, w.actor, blueprint, id, o)
	})
}

func (w *world) bulk(blueprint, body string, o catalog.WriteOptions) result {
	w.t.Helper()
	return w.update(func(tx store.Tx) (any, error) {
		return w.cat.BulkUpsert(w.ctx, tx, w.actor, blueprint, value(w.t, body), o)
	})
}

func (w *world) bulkDelete(blueprint, body string, o catalog.DeleteOptions) result {
	w.t.Helper()
	return w.update(func(tx store.Tx) (any, error) {
		return w.cat.BulkDelete(w.ctx, tx, w.actor, blueprint, value(w.t, body), o)
	})
}

func (w *world) deleteAll(blueprint string, o catalog.DeleteAllOptions) result {
	w.t.Helper()
	return w.update(func(tx store.Tx) (any, error) { return w.cat.DeleteAllEntities(w.ctx, tx, w.actor, blueprint, o) })
}

func (w *world) search(body string) result {
	w.t.Helper()
	return w.view(func(tx store.Tx) (any, error) { return w.cat.Search(w.ctx, tx, w.actor, value(w.t, body), w.read) })
}

func (w *world) searchIn(blueprint, body string) result {
	w.t.Helper()
	return w.view(func(tx store.Tx) (any, error) {
		return w.cat.SearchBlueprint(w.ctx, tx, w.actor, blueprint, value(w.t, body), w.read)
	})
}

// found lists the identifiers of a search's entities.
func (r result) found() string {
	r.t.Helper()
	r.ok()
	ids := ""
	for _, e := range jsonv.List(r.doc, "entities") {
		ids += jsonv.String(e, "identifier") + " "
	}
	return ids
}

func (r result) ok() result {
	r.t.Helper()
	if r.err != nil {
		r.t.Fatalf("want success, got %v", r.err)
	}
	return r
}

// fails wants a fault, given as "404 not_found".
func (r result) fails(want string) refusal {
	r.t.Helper()
	var f *fault.Fault
	if !errors.As(r.err, &f) {
		r.t.Fatalf("want %s, got %v and %s", want, r.err, jsonv.Encode(r.doc))
	}
	if got := fmt.Sprint(f.Status, " ", f.Code); got != want {
		r.t.Fatalf("want %s, got %s: %s", want, got, f.Message)
	}
	return refusal{f.Message, f.Details}
}

// refusal is what a fault says beyond its status and code.
type refusal struct {
	Message string
	Details jsonv.Object
}

// is wants the JSON at a path; "absent" wants nothing there.
func (r result) is(want string, path ...string) result {
	r.t.Helper()
	r.ok()
	got, ok := jsonv.Get(r.doc, path...)
	text := "absent"
	if ok {
		text = string(jsonv.Encode(got))
	}
	if want != "absent" {
		want = string(jsonv.Encode(value(r.t, want)))
	}
	if diff := cmp.Diff(want, text); diff != "" {
		r.t.Errorf("at %v (-want +got):\n%s", path, diff)
	}
	return r
}

// asFault returns the fault in err, or nil.
func asFault(err error) *fault.Fault {
	var f *fault.Fault
	if errors.As(err, &f) {
		return f
	}
	return nil
}

func (w *world) listBlueprints(tx store.Tx) (any, error) {
	return w.cat.ListBlueprints(w.ctx, tx, w.actor)
}
