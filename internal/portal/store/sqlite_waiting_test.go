package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	lib "modernc.org/sqlite/lib"
)

// inOneGroup runs updates as the members of one group, in order, and returns how
// each ended. An update that holds the writer goes before them.
func inOneGroup(t *testing.T, s *SQLite, updates ...func(Tx) error) []error {
	t.Helper()
	inside, leave := make(chan struct{}), make(chan struct{})
	type end struct {
		member int
		err    error
	}
	ends := make(chan end, len(updates)+1)
	start := func(member int, f func(Tx) error) {
		go func() { ends <- end{member, s.Update(t.Context(), f)} }()
	}
	// The first update too runs again when its group fails.
	enter := sync.OnceFunc(func() { close(inside) })
	start(-1, func(tx Tx) error {
		enter()
		<-leave
		return nil
	})
	<-inside
	for i, f := range updates {
		start(i, f)
		for len(s.queue) <= i {
			<-s.clock.After(pollInterval)
		}
	}
	close(leave)
	out := make([]error, len(updates))
	for range len(updates) + 1 {
		if e := <-ends; e.member >= 0 {
			out[e.member] = e.err
		}
	}
	return out
}

// contents lists the keys and values that a scan sees.
func contents(tx Tx) (out []string, err error) {
	for row, err := range tx.Scan("k", nil, Page{}, "o") {
		if err != nil {
			return nil, err
		}
		out = append(out, fmt.Sprint(row.Key[1], "=", row.Doc["v"]))
	}
	slices.Sort(out)
	return out, nil
}

func TestAMemberThatFailsTakesNothingOfTheOthersAlong(t *testing.T) {
	t.Parallel()
	index := Indexes{"k": func(d Doc) []Entry {
		v, _ := d["v"].(string)
		return []Entry{{"v", v}}
	}}
	s := openInternal(t, SQLiteOptions{Indexes: index})
	put := func(tx Tx, key, v string) error { return tx.Put("k", Doc{"v": v}, "o", key) }
	if err := s.Update(t.Context(), func(tx Tx) error {
		return errors.Join(put(tx, "old", "0"), put(tx, "gone", "0"))
	}); err != nil {
		t.Fatal(err)
	}
	refused := errors.New("refused")
	var seen [][]string
	look := func(tx Tx) error {
		found, err := contents(tx)
		seen = append(seen, found)
		return err
	}
	got := inOneGroup(t, s,
		func(tx Tx) error {
			return errors.Join(put(tx, "a", "1"), put(tx, "old", "1"), tx.Delete("k", "o", "gone"))
		},
		func(tx Tx) error { // fails before anything of it is in the file
			return errors.Join(put(tx, "a", "2"), put(tx, "gone", "2"), tx.Delete("k", "o", "old"), refused)
		},
		func(tx Tx) error { // fails after some of it is in the file
			err := errors.Join(put(tx, "a", "3"), put(tx, "b", "3"), look(tx))
			return errors.Join(err, put(tx, "b", "4"), tx.Delete("k", "o", "a"), put(tx, "c", "4"), look(tx), put(tx, "d", "4"), refused)
		},
		func(tx Tx) error {
			err := errors.Join(look(tx), put(tx, "e", "5"), tx.Delete("k", "o", "e"), put(tx, "e", "6"), tx.Delete("k", "o", "a"))
			if again := tx.Delete("k", "o", "a"); !errors.Is(again, ErrNotFound) {
				err = errors.Join(err, fmt.Errorf("deleting it again: %w", again))
			}
			return err
		},
	)
	for i, want := range []error{nil, refused, refused, nil} {
		if !errors.Is(got[i], want) {
			t.Errorf("member %d ended with %v", i, got[i])
		}
	}
	if err := s.View(t.Context(), look); err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"a=3", "b=3", "old=1"},
		{"b=4", "c=4", "old=1"},
		{"a=1", "old=1"},
		{"e=6", "old=1"},
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
	lookups := map[string]int64{
		"SELECT count(*) FROM doc": 2, "SELECT count(*) FROM position": 2, "SELECT count(*) FROM entry": 2,
	}
	c, err := s.readers.take(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { s.readers.give(c, nil) }()
	for text, want := range lookups {
		if n, err := c.number(text); err != nil || n != want {
			t.Errorf("%s: %d, %v; want %d", text, n, err, want)
		}
	}
}

func TestAWriteThatDoesNotFitFailsOnlyItsOwnUpdate(t *testing.T) {
	t.Parallel()
	s := openInternal(t, SQLiteOptions{})
	if err := s.Update(t.Context(), func(tx Tx) error { return tx.Put("k", Doc{}, "o", "first") }); err != nil {
		t.Fatal(err)
	}
	limitPages(t, s, 40)
	put := func(key string, size int) func(Tx) error {
		return func(tx Tx) error { return tx.Put("k", Doc{"v": strings.Repeat("x", size)}, "o", key) }
	}
	then := func(f, g func(Tx) error) func(Tx) error {
		return func(tx Tx) error { return errors.Join(f(tx), g(tx)) }
	}
	scan := func(tx Tx) error {
		_, err := contents(tx)
		return err
	}
	// The large one waits until another member's scan writes it down.
	got := inOneGroup(t, s, put("a", 1), put("large", 400_000), then(put("b", 1), scan), put("c", 1), then(put("larger", 500_000), scan))
	for i, err := range got {
		var access *FileAccessError
		fits := i != 1 && i != 4
		if fits && err != nil || !fits && (!errors.As(err, &access) || code(err) != lib.SQLITE_FULL) {
			t.Errorf("member %d ended with %v", i, err)
		}
	}
	if got := count(t, s); got != 4 {
		t.Errorf("%d documents", got)
	}
}

func TestManyWritesOfOneUpdateDoNotAllWaitInMemory(t *testing.T) {
	t.Parallel()
	s := openInternal(t, SQLiteOptions{})
	text := strings.Repeat("x", 1<<20)
	const n = 12
	if err := s.Update(t.Context(), func(tx Tx) error {
		for i := range n {
			if err := tx.Put("k", Doc{"v": text}, "o", fmt.Sprint(i)); err != nil {
				return err
			}
			if inner, ok := tx.(*sqliteTx); !ok || inner.group.queue.size > maxWaiting {
				return errors.New("too much waits")
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := count(t, s); got != n {
		t.Errorf("%d documents", got)
	}
}
