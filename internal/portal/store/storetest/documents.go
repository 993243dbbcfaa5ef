package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

func comesBack(t *testing.T, s store.Store) {
	text := `{"a":[1,"two",null,true,{"b":{}}],"c":[],"d":"quote \" slash \\ < > & line\nend \u2028 \u0000 \ud83d\ude00","":"empty key","createdAt":"2024-01-01T00:00:00.000Z"}`
	d, err := jsonv.DecodeObject([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, plain, jsonv.CloneObject(d), "o", "x")
	same(t, d, get(t, s, plain, "o", "x"))
	rows := scan(t, s, plain, nil, store.Page{}, "o")
	same(t, []store.Row{{Key: []string{"o", "x"}, Doc: d}}, rows)
	put(t, s, plain, store.Doc{}, "o", "empty")
	same(t, store.Doc{}, get(t, s, plain, "o", "empty"))
}

func exactNumbers(t *testing.T, s store.Store) {
	list := []any{}
	for _, n := range []string{"9007199254740993", "0.1", "1.0", "1e400", "-0", "123456789012345678901234567890.5", "1E+2", "0.10000000000000000001"} {
		list = append(list, json.Number(n))
	}
	put(t, s, plain, store.Doc{"n": list}, "o", "x")
	same(t, store.Doc{"n": list}, get(t, s, plain, "o", "x"))
}

func largeDocument(t *testing.T, s store.Store) {
	d := store.Doc{"text": strings.Repeat("größe ", 1<<20)}
	list := make([]any, 100_000)
	for i := range list {
		list[i] = jsonv.Int(i)
	}
	d["list"] = list
	put(t, s, plain, d, "o", "x")
	if got := get(t, s, plain, "o", "x"); !jsonv.Equal(got, d) {
		t.Error("the document changed")
	}
}

func refusesOthers(t *testing.T, s store.Store) {
	for name, d := range map[string]store.Doc{
		"nil":            nil,
		"a Go int":       {"a": 1},
		"a float":        {"a": []any{1.5}},
		"no number":      {"a": json.Number("1.")},
		"empty number":   {"a": json.Number("")},
		"leading zero":   {"a": json.Number("01")},
		"broken text":    {"a": "\xff"},
		"broken key":     {"\xff": true},
		"a nested thing": {"a": map[string]any{"b": struct{}{}}},
	} {
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Put(plain, d, "o", "x") }); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for name, key := range map[string][]string{"no parts": {}, "broken text": {"o", "\xff"}, "too long": {"o", strings.Repeat("x", 1<<17)}} {
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Put(plain, store.Doc{}, key...) }); err == nil {
			t.Errorf("key with %s: no error", name)
		}
	}
	same(t, []string{}, lastParts(scan(t, s, plain, nil, store.Page{}, "o")))
}

func notFound(t *testing.T, s store.Store) {
	put(t, s, plain, store.Doc{}, "o", "a", "b")
	for _, key := range [][]string{{"o"}, {"o", "a"}, {"o", "a", "b", "c"}, {"o", "a", "B"}, {"o", "a", "\xff"}, {"o", "a", ""}} {
		view(t, s, func(tx store.Tx) error {
			if _, err := tx.Get(plain, key...); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("get %q: %v", key, err)
			}
			return nil
		})
		update(t, s, func(tx store.Tx) error {
			if err := tx.Delete(plain, key...); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("delete %q: %v", key, err)
			}
			return nil
		})
	}
	if d := get(t, s, "other", "o", "a", "b"); d != nil {
		t.Errorf("another kind has it too: %v", d)
	}
	update(t, s, func(tx store.Tx) error {
		if err := tx.Delete(plain, "o", "a", "b"); err != nil {
			return err
		}
		if err := tx.Delete(plain, "o", "a", "b"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("second delete: %v", err)
		}
		return nil
	})
	if d := get(t, s, plain, "o", "a", "b"); d != nil {
		t.Errorf("deleted, but there is %v", d)
	}
}

func replaces(t *testing.T, s store.Store) {
	put(t, s, plain, store.Doc{"a": "1", "b": "1"}, "o", "x")
	put(t, s, plain, store.Doc{"a": "2"}, "o", "x")
	same(t, store.Doc{"a": "2"}, get(t, s, plain, "o", "x"))
	same(t, []string{"x"}, lastParts(scan(t, s, plain, nil, store.Page{}, "o")))
}

// trickyParts are key parts that a careless joining of parts would mix up.
var trickyParts = []string{"", "\x00", "\x00\x01", "\x01", "\x01\x01", "\x02", "\x02\x03", "\x03", "a", "a\x00", "a\x01b", "a/b", "a:b", "a|b", "aa", "b", "%", "_", "ü", "\U0010ffff", "\U0001f600"}

func keyParts(t *testing.T, s store.Store) {
	trickyParts := slices.Sorted(slices.Values(trickyParts))
	n := 0
	put2 := func(tx store.Tx, key ...string) error {
		n++
		return tx.Put(plain, store.Doc{"n": jsonv.Int(n)}, key...)
	}
	update(t, s, func(tx store.Tx) error {
		for _, a := range trickyParts {
			for _, b := range trickyParts {
				if err := errors.Join(put2(tx, "o", a, b), put2(tx, "o2", a+b)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	seen := map[string]bool{}
	for _, a := range trickyParts {
		rows := scan(t, s, plain, nil, store.Page{}, "o", a)
		same(t, trickyParts, lastParts(rows))
		for i, r := range rows {
			same(t, []string{"o", a, trickyParts[i]}, r.Key)
			same(t, r.Doc, get(t, s, plain, r.Key...))
			seen[fmt.Sprint(r.Doc["n"])] = true
		}
	}
	if want := len(trickyParts) * len(trickyParts); len(seen) != want {
		t.Errorf("%d different documents, want %d", len(seen), want)
	}
	same(t, []string{}, lastParts(scan(t, s, plain, nil, store.Page{}, "o", "\xff")))
}

var errWanted = errors.New("wanted")

func errorUndoes(t *testing.T, s store.Store) {
	undone(t, s, func(do func(store.Tx) error) {
		err := s.Update(t.Context(), func(tx store.Tx) error { return errors.Join(do(tx), errWanted) })
		if !errors.Is(err, errWanted) {
			t.Errorf("got %v", err)
		}
	})
}

func panicUndoes(t *testing.T, s store.Store) {
	undone(t, s, func(do func(store.Tx) error) {
		defer func() {
			if p := recover(); p != "wanted" {
				t.Errorf("recovered %v", p)
			}
		}()
		_ = s.Update(t.Context(), func(tx store.Tx) error { // panics
			if err := do(tx); err != nil {
				t.Error(err)
			}
			panic("wanted")
		})
		t.Error("the panic was swallowed")
	})
	defer func() {
		if p := recover(); p != "in a view" {
			t.Errorf("recovered %v", p)
		}
		put(t, s, plain, store.Doc{}, "o", "afterwards")
	}()
	_ = s.View(t.Context(), func(store.Tx) error { panic("in a view") }) // panics
}

func goexitUndoes(t *testing.T, s store.Store) {
	undone(t, s, func(do func(store.Tx) error) {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = s.Update(context.Background(), func(tx store.Tx) error { // does not return
				if err := do(tx); err != nil {
					t.Error(err)
				}
				runtime.Goexit()
				return nil
			})
		}()
		<-ended
	})
}

// undone checks that a transaction that run spoils leaves nothing behind, alone
// and among others.
func undone(t *testing.T, s store.Store, run func(do func(store.Tx) error)) {
	t.Helper()
	update(t, s, func(tx store.Tx) error {
		return errors.Join(
			tx.Put(Indexed, store.Doc{"a": "old", "createdAt": "1"}, "o", "changed"),
			tx.Put(Indexed, store.Doc{"a": "old", "createdAt": "2"}, "o", "deleted"))
	})
	before := scan(t, s, Indexed, nil, store.Page{}, "o")
	stop, started, stopped := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if i == 1 {
				close(started)
			}
			if err := s.Update(context.Background(), func(tx store.Tx) error {
				return tx.Put(plain, store.Doc{"i": jsonv.Int(i)}, "o", "noise", fmt.Sprint(i))
			}); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	<-started
	for range 20 {
		run(func(tx store.Tx) error {
			return errors.Join(
				tx.Put(Indexed, store.Doc{"a": "new", "createdAt": "3"}, "o", "changed"),
				tx.Delete(Indexed, "o", "deleted"),
				tx.Put(Indexed, store.Doc{"a": "new"}, "o", "added"))
		})
	}
	close(stop)
	<-stopped
	same(t, before, scan(t, s, Indexed, nil, store.Page{}, "o"))
	same(t, before, scan(t, s, Indexed, equal("a", "old"), store.Page{}, "o"))
	same(t, []string{}, lastParts(scan(t, s, Indexed, equal("a", "new"), store.Page{}, "o")))
	if get(t, s, plain, "o", "noise", "0") == nil {
		t.Error("an update beside it was undone too")
	}
}

func errorUnchanged(t *testing.T, s store.Store) {
	for name, run := range map[string]func(context.Context, func(store.Tx) error) error{"view": s.View, "update": s.Update} {
		if err := run(t.Context(), func(store.Tx) error { return errWanted }); err != errWanted {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func viewRefuses(t *testing.T, s store.Store) {
	put(t, s, plain, store.Doc{}, "o", "x")
	view(t, s, func(tx store.Tx) error {
		if err := tx.Put(plain, store.Doc{}, "o", "y"); !errors.Is(err, store.ErrView) {
			t.Errorf("put: %v", err)
		}
		if err := tx.Delete(plain, "o", "x"); !errors.Is(err, store.ErrView) {
			t.Errorf("delete: %v", err)
		}
		return nil
	})
	same(t, []string{"x"}, lastParts(scan(t, s, plain, nil, store.Page{}, "o")))
}

func finishedRefuses(t *testing.T, s store.Store) {
	var kept store.Tx
	keep := func(tx store.Tx) error { kept = tx; return nil }
	for name, run := range map[string]func(context.Context, func(store.Tx) error) error{"view": s.View, "update": s.Update} {
		if err := run(t.Context(), keep); err != nil {
			t.Fatal(err)
		}
		_, err := kept.Get(plain, "o", "x")
		_, serr := collect(kept, plain, nil, store.Page{}, "o")
		for what, err := range map[string]error{
			"get": err, "put": kept.Put(plain, store.Doc{}, "o", "x"), "delete": kept.Delete(plain, "o", "x"), "scan": serr,
		} {
			if !errors.Is(err, store.ErrDone) {
				t.Errorf("%s after %s: %v", what, name, err)
			}
		}
	}
}

func contextStops(t *testing.T, s store.Store) {
	for i := range 50 {
		put(t, s, plain, store.Doc{}, "o", fmt.Sprint(i))
	}
	for name, run := range map[string]func(context.Context, func(store.Tx) error) error{"view": s.View, "update": s.Update} {
		ctx, cancel := context.WithCancel(t.Context())
		seen := 0
		err := run(ctx, func(tx store.Tx) error {
			for _, err := range tx.Scan(plain, nil, store.Page{}, "o") {
				if err != nil {
					return err
				}
				if seen++; seen == 10 {
					cancel()
				}
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) || seen != 10 {
			t.Errorf("%s: %v after %d rows", name, err, seen)
		}
		if err := run(ctx, func(store.Tx) error { t.Error("ran"); return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
