package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
)

func changesOf(t *testing.T, s Store, since Mark, kinds ...Kind) (names []string, now Mark, known bool) {
	t.Helper()
	err := s.View(t.Context(), func(tx Tx) error {
		changes, mark, ok, err := tx.Changed(since, kinds...)
		for _, c := range changes {
			names = append(names, string(c.Kind)+" "+c.Key[len(c.Key)-1])
		}
		now, known = mark, ok
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names, now, known
}

func putOne(t *testing.T, s Store, k Kind, name string) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx Tx) error { return tx.Put(k, Doc{}, "o", name) }); err != nil {
		t.Fatal(err)
	}
}

func TestAChangeLogIsBoundedKindByKind(t *testing.T) {
	t.Parallel()
	m, ok := NewMemory(nil).(*Memory)
	if !ok {
		t.Fatal("another store")
	}
	m.log.limit = 4
	_, start, _ := changesOf(t, m, "")
	putOne(t, m, "rare", "x")
	var marks []Mark
	for i := range 100 {
		_, now, _ := changesOf(t, m, "")
		marks = append(marks, now)
		putOne(t, m, "frequent", fmt.Sprint(i))
	}
	if held := len(m.log.kinds["frequent"].changes); held > 8 {
		t.Errorf("%d changes are held, want at most 8", held)
	}
	if names, _, known := changesOf(t, m, start, "rare"); !known || len(names) != 1 {
		t.Errorf("the rare kind: %v, known %v", names, known)
	}
	if _, _, known := changesOf(t, m, start); known {
		t.Error("all kinds since the start are known, though some were forgotten")
	}
	for i, mark := range marks {
		names, _, known := changesOf(t, m, mark, "frequent")
		if known && len(names) != 100-i {
			t.Errorf("since %d: %v", i, names)
		}
		if want := i >= 96; want && !known {
			t.Errorf("since %d: forgotten within the limit", i)
		}
		if i < 92 && known {
			t.Errorf("since %d: known beyond the limit", i)
		}
	}
}

func TestChangesOfAnotherHandleAreNeverMissed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	a, b := openNamed(t, path), openNamed(t, path)
	putOne(t, a, "k", "1")
	_, mark, _ := changesOf(t, a, "")
	putOne(t, b, "k", "2")
	if names, _, known := changesOf(t, a, mark); known {
		t.Errorf("a's changes are %v, but b wrote as well", names)
	}
	putOne(t, a, "k", "3")
	if names, _, known := changesOf(t, a, mark); known {
		t.Errorf("a's changes are %v, but b wrote in between", names)
	}
	_, mark, _ = changesOf(t, a, "")
	if _, _, known := changesOf(t, b, mark); known {
		t.Error("b knows what a's mark means")
	}
	putOne(t, a, "k", "4")
	if names, _, known := changesOf(t, a, mark); !known || len(names) != 1 {
		t.Errorf("once a is alone again: %v, known %v", names, known)
	}
}

func openNamed(t *testing.T, path string) *SQLite {
	t.Helper()
	s, err := OpenSQLite(t.Context(), path, SQLiteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	file, ok := s.(*SQLite)
	if !ok {
		t.Fatal("another store")
	}
	return file
}

func TestAFailedCommitMakesItsMarksUnknown(t *testing.T) {
	t.Parallel()
	l := newChangeLog()
	ctx := context.Background()
	own := []change{{kind: "k", key: "o\x01a\x01", revision: 6}}
	_, inside, _, err := l.since(ctx, "", 5, own, nil)
	if err != nil {
		t.Fatal(err)
	}
	l.begin(5, 7)
	waiting := make(chan bool)
	go func() {
		// This view may see what the commit made, or a commit of another process.
		_, _, known, err := l.since(ctx, inside, 7, nil, nil)
		waiting <- known && err == nil
	}()
	l.end(false, nil)
	if <-waiting {
		t.Error("the state of a failed commit has a meaning to a view")
	}
	l.begin(5, 7)
	l.end(true, []change{{kind: "k", key: "o\x01b\x01", revision: 6}, {kind: "k", key: "o\x01c\x01", revision: 7}})
	if changes, _, known, _ := l.since(ctx, inside, 7, nil, nil); known {
		t.Errorf("since a state that never was: %v", changes)
	}
	ctx, cancel := context.WithCancel(ctx)
	l.begin(7, 8)
	cancel()
	if _, _, _, err := l.since(ctx, inside, 8, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for a commit: %v", err)
	}
}
