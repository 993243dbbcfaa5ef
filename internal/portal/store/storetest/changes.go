package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// changed asks for the changes since a mark and fails the test when they are unknown.
func changed(t testing.TB, tx store.Tx, since store.Mark, kinds ...store.Kind) (names []string, now store.Mark) {
	t.Helper()
	list, now, known, err := tx.Changed(since, kinds...)
	if err != nil || !known {
		t.Fatalf("changes since %q: known %v, %v", since, known, err)
	}
	return namesOf(list), now
}

func namesOf(list []store.Change) []string {
	names := []string{}
	for _, c := range list {
		names = append(names, string(c.Kind)+" "+strings.Join(c.Key, "/"))
	}
	slices.Sort(names)
	return names
}

// markOf is the mark of what a view sees now.
func markOf(t testing.TB, s store.Store) (now store.Mark) {
	t.Helper()
	view(t, s, func(tx store.Tx) (err error) {
		_, now, _, err = tx.Changed("")
		return err
	})
	if now == "" {
		t.Fatal("a state without a mark")
	}
	return now
}

func changedSince(t testing.TB, s store.Store, since store.Mark, kinds ...store.Kind) (names []string, now store.Mark) {
	t.Helper()
	view(t, s, func(tx store.Tx) error {
		names, now = changed(t, tx, since, kinds...)
		return nil
	})
	return names, now
}

func changesAreNamed(t *testing.T, s store.Store) {
	const other store.Kind = "other"
	put(t, s, plain, store.Doc{"n": jsonv.Int(1)}, "o", "old")
	start := markOf(t, s)
	none, _ := changedSince(t, s, start)
	same(t, []string{}, none)
	put(t, s, plain, store.Doc{}, "o", "a")
	put(t, s, other, store.Doc{}, "o", "a", "deep \x01")
	first, middle := changedSince(t, s, start)
	same(t, []string{"other o/a/deep \x01", "plain o/a"}, first)
	put(t, s, plain, store.Doc{"n": jsonv.Int(2)}, "o", "a")
	update(t, s, func(tx store.Tx) error {
		return errors.Join(tx.Delete(plain, "o", "old"), tx.Put(Indexed, store.Doc{"a": "x"}, "o", "i"), tx.Put(Indexed, store.Doc{"a": "y"}, "o", "i"))
	})
	since := func(mark store.Mark, kinds ...store.Kind) []string {
		names, _ := changedSince(t, s, mark, kinds...)
		return names
	}
	same(t, []string{"indexed o/i", "other o/a/deep \x01", "plain o/a", "plain o/old"}, since(start))
	same(t, []string{"plain o/a", "plain o/old"}, since(start, plain))
	same(t, []string{"indexed o/i", "other o/a/deep \x01"}, since(start, other, Indexed))
	same(t, []string{"indexed o/i", "plain o/a", "plain o/old"}, since(middle))
	same(t, []string{}, since(middle, other))
	same(t, []string{}, since(markOf(t, s)))
	// What was undone is no change.
	now := markOf(t, s)
	err := s.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.Put(plain, store.Doc{}, "o", "undone"), errWanted)
	})
	if !errors.Is(err, errWanted) {
		t.Error(err)
	}
	same(t, []string{}, since(now))
}

func ownWritesAreNoChange(t *testing.T, s store.Store) {
	start := markOf(t, s)
	put(t, s, plain, store.Doc{}, "o", "before")
	var inside store.Mark
	update(t, s, func(tx store.Tx) error {
		if err := tx.Put(plain, store.Doc{}, "o", "own"); err != nil {
			return err
		}
		var names []string
		names, inside = changed(t, tx, start)
		same(t, []string{"plain o/before"}, names)
		again, _ := changed(t, tx, inside)
		same(t, []string{}, again)
		return nil
	})
	after, _ := changedSince(t, s, inside)
	same(t, []string{"plain o/own"}, after)
}

func unknownMarks(t *testing.T, s store.Store) {
	elsewhere := store.NewMemory(nil)
	put(t, elsewhere, plain, store.Doc{}, "o", "a")
	foreign := markOf(t, elsewhere)
	put(t, s, plain, store.Doc{}, "o", "a")
	refuse := func(tx store.Tx, since store.Mark) {
		t.Helper()
		changes, now, known, err := tx.Changed(since)
		if known || err != nil || len(changes) > 0 || now == "" {
			t.Errorf("changes since %q: %v, now %q, known %v, %v", since, changes, now, known, err)
		}
	}
	view(t, s, func(tx store.Tx) error {
		for _, m := range []store.Mark{"", "1", ":", "x:y", ":1", foreign, foreign + "0"} {
			refuse(tx, m)
		}
		_, old, _, err := tx.Changed("")
		if err != nil {
			return err
		}
		put(t, s, plain, store.Doc{}, "o", "b")
		// A mark from the future of this view.
		refuse(tx, markOf(t, s))
		names, now := changed(t, tx, old)
		same(t, []string{}, names)
		same(t, old, now)
		return nil
	})
	update(t, s, func(tx store.Tx) error {
		refuse(tx, "")
		return nil
	})
}

// longAgo: a store may forget, but must then say so.
func longAgo(t *testing.T, s store.Store) {
	start := markOf(t, s)
	const total, each = 3000, 500
	want := []string{}
	for from := 0; from < total; from += each {
		update(t, s, func(tx store.Tx) error {
			for i := from; i < from+each; i++ {
				name := fmt.Sprint(i)
				want = append(want, "plain o/"+name)
				if err := tx.Put(plain, store.Doc{}, "o", name); err != nil {
					return err
				}
			}
			return nil
		})
	}
	slices.Sort(want)
	want = slices.Compact(want)
	view(t, s, func(tx store.Tx) error {
		changes, _, known, err := tx.Changed(start)
		if known {
			same(t, want, namesOf(changes))
		}
		return err
	})
	now := markOf(t, s)
	put(t, s, plain, store.Doc{}, "o", "last")
	names, _ := changedSince(t, s, now)
	same(t, []string{"plain o/last"}, names)
}

// mirror copies a store and follows it by its changes alone.
type mirror struct {
	docs    map[string]store.Doc
	mark    store.Mark
	unknown int
}

func (m *mirror) follow(tx store.Tx) error {
	changes, now, known, err := tx.Changed(m.mark, plain)
	if err != nil {
		return err
	}
	if !known {
		m.unknown++
		m.docs = map[string]store.Doc{}
		rows, err := collect(tx, plain, nil, store.Page{}, "o")
		for _, r := range rows {
			m.docs[r.Key[1]] = r.Doc
		}
		m.mark = now
		return err
	}
	for _, c := range changes {
		d, err := tx.Get(plain, c.Key...)
		switch {
		case errors.Is(err, store.ErrNotFound):
			delete(m.docs, c.Key[1])
		case err != nil:
			return err
		default:
			m.docs[c.Key[1]] = d
		}
	}
	m.mark = now
	return nil
}

// check compares the mirror with what the transaction sees.
func (m *mirror) check(t testing.TB, tx store.Tx) error {
	rows, err := collect(tx, plain, nil, store.Page{}, "o")
	docs := map[string]store.Doc{}
	for _, r := range rows {
		docs[r.Key[1]] = r.Doc
	}
	if err == nil {
		same(t, docs, m.docs)
	}
	return err
}

// changesMakeAMirror: while others write, whoever follows the changes has every
// state that it sees, in views and in updates, some of which fail.
func changesMakeAMirror(t *testing.T, s store.Store) { Mirror(t, s) }

// Mirror is that check for any number of handles on one store.
func Mirror(t *testing.T, handles ...store.Store) {
	t.Helper()
	const rounds, width = 40, 12
	write := func(tx store.Tx, d *dice, round int) error {
		for range 1 + d.IntN(3) {
			name := fmt.Sprint(d.IntN(width))
			if d.IntN(3) == 0 {
				if err := tx.Delete(plain, "o", name); err != nil && !errors.Is(err, store.ErrNotFound) {
					return err
				}
			} else if err := tx.Put(plain, store.Doc{"n": jsonv.Int(int64(round))}, "o", name); err != nil {
				return err
			}
		}
		if d.IntN(6) == 0 {
			return errWanted
		}
		return nil
	}
	together(8, func(worker int) {
		m, d, s := mirror{}, newDice(uint64(worker)), handles[worker%len(handles)]
		for round := range rounds {
			var err error
			switch worker % 4 {
			case 0, 1:
				err = s.Update(t.Context(), func(tx store.Tx) error { return write(tx, d, round*8+worker) })
			case 2:
				err = s.View(t.Context(), func(tx store.Tx) error {
					return errors.Join(m.follow(tx), m.check(t, tx))
				})
			case 3:
				// A function that is run again has a mirror of a state that never came
				// to be, and its mark must not be taken for one that did.
				err = s.Update(t.Context(), func(tx store.Tx) error {
					if err := errors.Join(m.follow(tx), m.check(t, tx)); err != nil {
						return err
					}
					return write(tx, d, round*8+worker)
				})
			}
			if err != nil && !errors.Is(err, errWanted) {
				t.Error(err)
			}
		}
		if m.unknown > rounds/4 {
			t.Errorf("worker %d: the changes were unknown %d times of %d", worker, m.unknown, rounds)
		}
	})
}

func tellsOwnWrites(t *testing.T, s store.Store) {
	put(t, s, plain, store.Doc{}, "o", "a")
	view(t, s, func(tx store.Tx) error {
		if store.Wrote(tx) {
			t.Error("a view has written")
		}
		return nil
	})
	update(t, s, func(tx store.Tx) error {
		if store.Wrote(tx) {
			t.Error("an update has written before it did")
		}
		if err := tx.Put(plain, store.Doc{}, "o", "b"); err != nil {
			return err
		}
		if !store.Wrote(tx) {
			t.Error("a put is no write")
		}
		return nil
	})
	update(t, s, func(tx store.Tx) error {
		if err := tx.Delete(plain, "o", "b"); err != nil {
			return err
		}
		if !store.Wrote(tx) {
			t.Error("a deletion is no write")
		}
		return nil
	})
}
