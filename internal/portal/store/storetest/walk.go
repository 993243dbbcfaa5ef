package storetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// model is the store as one would explain it: a map from keys to documents.
type model map[string]modelRow

type modelRow struct {
	kind store.Kind
	row  store.Row
}

func modelKey(k store.Kind, key []string) string { return fmt.Sprintf("%q %q", k, key) }

// scan is the contract of a scan, spelled out.
func (m model) scan(k store.Kind, where store.Where, page store.Page, prefix []string) []store.Row {
	out := []store.Row{}
	for _, r := range m {
		if r.kind != k || len(r.row.Key) < len(prefix) || !slices.Equal(r.row.Key[:len(prefix)], prefix) {
			continue
		}
		if where == nil || where.Match(r.row.Doc) {
			out = append(out, r.row)
		}
	}
	slices.SortFunc(out, compareRows)
	if page.After != "" {
		i := 0
		for i < len(out) && store.Cursor(out[i]) != page.After {
			i++
		}
		out = out[min(i+1, len(out)):]
	}
	if page.Limit > 0 {
		out = out[:min(page.Limit, len(out))]
	}
	return out
}

func compareRows(a, b store.Row) int {
	if c := strings.Compare(jsonv.String(a.Doc, "createdAt"), jsonv.String(b.Doc, "createdAt")); c != 0 {
		return c
	}
	return slices.Compare(a.Key, b.Key)
}

// Walk applies random operations to the store and to a naive model and compares
// what both say. Sometimes it asks for the store to be opened again, which
// reopen does, or returns it as it is.
func Walk(t *testing.T, s store.Store, reopen func(store.Store) store.Store, seed uint64, steps int) {
	t.Helper()
	w := walk{T: t, rng: newDice(seed), store: s, model: model{}}
	for step := range steps {
		switch n := w.rng.IntN(200); {
		case n == 0:
			w.store = reopen(w.store)
		case n < 120:
			w.update()
		default:
			w.view()
		}
		if t.Failed() {
			t.Fatalf("seed %d, step %d", seed, step)
		}
	}
	if len(w.model) == 0 {
		t.Error("the walk left nothing behind")
	}
}

type walk struct {
	*testing.T
	rng   *dice
	store store.Store
	model model
}

func pick[E any](rng *dice, from ...E) E { return from[rng.IntN(len(from))] }

func (w *walk) kind() store.Kind { return pick(w.rng, plain, Indexed) }

func (w *walk) key() []string {
	parts := []string{"o", "p", "", "o\x00", "\x01", "ö"}
	key := []string{pick(w.rng, parts...)}
	for range w.rng.IntN(3) {
		key = append(key, pick(w.rng, append(parts, fmt.Sprint(w.rng.IntN(10)))...))
	}
	return key
}

func (w *walk) doc() store.Doc {
	d := store.Doc{"n": jsonv.Int(w.rng.IntN(1000))}
	if w.rng.IntN(5) > 0 {
		d["createdAt"] = fmt.Sprint(w.rng.IntN(6))
	}
	if w.rng.IntN(3) > 0 {
		d["a"] = w.value()
	}
	tags := []any{}
	for range w.rng.IntN(4) {
		tags = append(tags, w.value())
	}
	d["tags"] = tags
	if w.rng.IntN(50) == 0 {
		d["text"] = strings.Repeat("long ", w.rng.IntN(5000))
	}
	return d
}

func (w *walk) value() string { return pick(w.rng, "", "x", "y", "z", strings.Repeat("v", 500)) }

func (w *walk) update() {
	next := maps.Clone(w.model)
	undo := w.rng.IntN(5) == 0
	err := w.store.Update(w.Context(), func(tx store.Tx) error {
		for range 1 + w.rng.IntN(6) {
			k, key := w.kind(), w.key()
			id := modelKey(k, key)
			switch w.rng.IntN(8) {
			case 0, 1, 2, 3:
				d := w.doc()
				if err := tx.Put(k, d, key...); err != nil {
					return err
				}
				next[id] = modelRow{k, store.Row{Key: key, Doc: d}}
			case 4, 5:
				_, there := next[id]
				if err := tx.Delete(k, key...); there && err != nil || !there && !errors.Is(err, store.ErrNotFound) {
					w.Errorf("delete %s: %v, in the model: %v", id, err, there)
				}
				delete(next, id)
			case 6:
				w.get(tx, next)
			default:
				w.scan(tx, next)
			}
		}
		if undo {
			return errWanted
		}
		return nil
	})
	switch {
	case undo && !errors.Is(err, errWanted), !undo && err != nil:
		w.Errorf("update: %v", err)
	case !undo:
		w.model = next
	}
}

func (w *walk) view() {
	err := w.store.View(w.Context(), func(tx store.Tx) error {
		for range 1 + w.rng.IntN(4) {
			if w.rng.IntN(2) == 0 {
				w.get(tx, w.model)
			} else {
				w.scan(tx, w.model)
			}
		}
		return nil
	})
	if err != nil {
		w.Errorf("view: %v", err)
	}
}

func (w *walk) get(tx store.Tx, m model) {
	k, key := w.kind(), w.key()
	want, there := m[modelKey(k, key)]
	got, err := tx.Get(k, key...)
	if !there {
		if !errors.Is(err, store.ErrNotFound) {
			w.Errorf("get %q: %v, %v, want nothing", key, got, err)
		}
		return
	}
	if err != nil {
		w.Errorf("get %q: %v", key, err)
	}
	same(w.T, want.row.Doc, got)
}

func (w *walk) scan(tx store.Tx, m model) {
	k, prefix := w.kind(), w.key()
	prefix = prefix[:w.rng.IntN(len(prefix)+1)]
	var where store.Where
	switch w.rng.IntN(4) {
	case 0:
		where = equal("a", w.value(), w.value())
	case 1:
		where = equal("tags", w.value())
	case 2:
		tags, a := equal("tags", w.value(), w.value()), equal("a", w.value())
		where = when{func(d store.Doc) bool { return tags.match(d) && a.match(d) }, append(tags.equals, a.equals...)}
	}
	page := store.Page{Limit: pick(w.rng, 0, 1, 3, 10)}
	if all := m.scan(k, where, store.Page{}, prefix); len(all) > 0 && w.rng.IntN(2) == 0 {
		page.After = store.Cursor(pick(w.rng, all...))
	}
	got, err := collect(tx, k, where, page, prefix...)
	if err != nil {
		w.Errorf("scan: %v", err)
	}
	if got == nil {
		got = []store.Row{}
	}
	same(w.T, m.scan(k, where, page, prefix), got)
}
