package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	lib "modernc.org/sqlite/lib"
)

func openInternal(t *testing.T, options SQLiteOptions) *SQLite {
	t.Helper()
	opened, err := OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "data.db"), options)
	if err != nil {
		t.Fatal(err)
	}
	s, ok := opened.(*SQLite)
	if !ok {
		t.Fatalf("%T", opened)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// limitPages makes the disk full at n pages, and runs alone while it does.
func limitPages(t *testing.T, s *SQLite, n int) {
	t.Helper()
	err := s.Update(t.Context(), func(Tx) error {
		return s.writer.run(fmt.Sprintf("PRAGMA max_page_count = %d", n))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, s Store) (n int) {
	t.Helper()
	err := s.View(t.Context(), func(tx Tx) error {
		for _, err := range tx.Scan("k", nil, Page{}, "o") {
			if err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAFullDiskFailsOnlyWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	s := openInternal(t, SQLiteOptions{})
	limitPages(t, s, 120)
	const writers, each = 8, 30
	var (
		all            sync.WaitGroup
		mu             sync.Mutex
		kept, full     int
		swallow, other = errors.New("swallowed"), []error{}
	)
	for w := range writers {
		all.Go(func() {
			for i := range each {
				// Half of the writers are small and always fit.
				size := 10
				if w%2 == 0 {
					size = 20_000
				}
				err := s.Update(t.Context(), func(tx Tx) error {
					err := tx.Put("k", Doc{"text": strings.Repeat("x", size)}, "o", fmt.Sprint(w), fmt.Sprint(i))
					if w == 2 && err != nil {
						// A careless function goes on as if nothing had happened.
						if again := tx.Put("k", Doc{}, "o", "careless"); again == nil {
							return swallow
						}
						return nil
					}
					return err
				})
				mu.Lock()
				var access *FileAccessError
				switch {
				case err == nil:
					kept++
				case errors.As(err, &access) && code(err) == lib.SQLITE_FULL:
					full++
				default:
					other = append(other, err)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(other) > 0 {
		t.Error(other)
	}
	if full == 0 || kept < writers/2*each {
		t.Errorf("%d updates met a full disk, %d were kept", full, kept)
	}
	if got := count(t, s); got != kept {
		t.Errorf("%d documents, %d were acknowledged", got, kept)
	}
	limitPages(t, s, 1_000_000)
	if err := s.Update(t.Context(), func(tx Tx) error {
		return tx.Put("k", Doc{"text": strings.Repeat("x", 20_000)}, "o", "afterwards")
	}); err != nil {
		t.Error(err)
	}
}

func TestTheLogIsEmptiedAlthoughThereIsAlwaysAView(t *testing.T) {
	t.Parallel()
	s := openInternal(t, SQLiteOptions{})
	s.walLimit = 1 << 20
	// Views overlap, so that at every moment one of them reads from the log.
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				err := s.View(t.Context(), func(tx Tx) error {
					if _, err := tx.Get("k", "o", "none"); !errors.Is(err, ErrNotFound) {
						return err
					}
					<-s.clock.After(2 * time.Millisecond) // as a slow client would
					return nil
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	largest := int64(0)
	for i := range 600 {
		err := s.Update(t.Context(), func(tx Tx) error {
			return tx.Put("k", Doc{"text": strings.Repeat("x", 20_000)}, "o", fmt.Sprint(i%50))
		})
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(s.path + "-wal"); err == nil {
			largest = max(largest, info.Size())
		}
	}
	close(stop)
	readers.Wait()
	// 600 updates write about 18 MB; without care nothing bounds the log.
	if largest > 5<<20 {
		t.Errorf("the log grew to %d bytes", largest)
	}
}

func TestConcurrentUpdatesShareCommits(t *testing.T) {
	t.Parallel()
	s := openInternal(t, SQLiteOptions{})
	// The first update holds the writer until the others wait in the queue.
	const others = 40
	inside, leave := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	put := func(tx Tx, i int) error { return tx.Put("k", Doc{}, "o", fmt.Sprint(i)) }
	all.Go(func() {
		err := s.Update(t.Context(), func(tx Tx) error {
			close(inside)
			<-leave
			return put(tx, others)
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-inside
	for i := range others {
		all.Go(func() {
			if err := s.Update(t.Context(), func(tx Tx) error { return put(tx, i) }); err != nil {
				t.Error(err)
			}
		})
	}
	for len(s.queue) < others {
		<-s.clock.After(pollInterval)
	}
	before, err := os.Stat(s.path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	close(leave)
	all.Wait()
	after, err := os.Stat(s.path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	// A commit writes each changed page once; 41 commits would write over 200.
	if pages := (after.Size() - before.Size()) / 4096; pages > 60 {
		t.Errorf("%d updates wrote %d pages", others+1, pages)
	}
	if got := count(t, s); got != others+1 {
		t.Errorf("%d documents", got)
	}
}

func TestAScanGivesTheSameWhateverIsInTheCache(t *testing.T) {
	t.Parallel()
	s := openInternal(t, SQLiteOptions{CacheBytes: 2000})
	const n = 200
	err := s.Update(t.Context(), func(tx Tx) error {
		for i := range n {
			// Two documents share each moment, so that the key decides.
			d := Doc{"n": fmt.Sprint(i), "createdAt": fmt.Sprintf("%03d", i/2)}
			if err := tx.Put("k", d, "o", fmt.Sprintf("%03d", i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for round := range 40 {
		if round%10 == 9 {
			s.cache = newCache(2000)
		}
		err := s.View(t.Context(), func(tx Tx) error {
			// Some reads decide what is found in the cache.
			for i := range round {
				if _, err := tx.Get("k", "o", fmt.Sprintf("%03d", (i*37+round)%n)); err != nil {
					return err
				}
			}
			next, after := 0, ""
			for next < n {
				from := next
				for row, err := range tx.Scan("k", nil, Page{After: after, Limit: 1 + round*7}, "o") {
					if err != nil {
						return err
					}
					if want := fmt.Sprint(next); row.Doc["n"] != want || row.Key[1] != fmt.Sprintf("%03d", next) {
						return fmt.Errorf("round %d: got %v at %v, want %s", round, row.Doc, row.Key, want)
					}
					next++
					after = Cursor(row)
				}
				if next == from {
					return fmt.Errorf("round %d: the scan ends after %d", round, next)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAViewKeepsItsMomentWhateverIsRemembered(t *testing.T) {
	t.Parallel()
	s := openInternal(t, SQLiteOptions{})
	set := func(value string) {
		err := s.Update(t.Context(), func(tx Tx) error {
			return errors.Join(tx.Put("k", Doc{"v": value}, "o", "a"), tx.Put("k", Doc{"v": value}, "o", "b"))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	read := func(tx Tx) (seen []string) {
		for _, key := range []string{"a", "b"} {
			d, err := tx.Get("k", "o", key)
			if err != nil {
				t.Fatal(err)
			}
			seen = append(seen, fmt.Sprint(d["v"]))
		}
		for row, err := range tx.Scan("k", nil, Page{}, "o") {
			if err != nil {
				t.Fatal(err)
			}
			seen = append(seen, fmt.Sprint(row.Doc["v"]))
		}
		return seen
	}
	view := func(f func(Tx)) {
		if err := s.View(t.Context(), func(tx Tx) error { f(tx); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	set("1")
	for round := range 3 {
		s.recent.forget()
		old, later := fmt.Sprint(round+1), fmt.Sprint(round+2)
		view(func(before Tx) {
			if round == 1 {
				read(before) // with and without having read before
			}
			set(later)
			view(func(after Tx) {
				read(after) // the second scan may go over what the first has found
				if got := fmt.Sprint(read(after)); got != fmt.Sprint([]string{later, later, later, later}) {
					t.Errorf("round %d: a view that began later sees %s", round, got)
				}
			})
			if got := fmt.Sprint(read(before)); got != fmt.Sprint([]string{old, old, old, old}) {
				t.Errorf("round %d: a view that began earlier sees %s", round, got)
			}
			if got := fmt.Sprint(read(before)); got != fmt.Sprint([]string{old, old, old, old}) {
				t.Errorf("round %d: a view that began earlier sees %s at its second scan", round, got)
			}
		})
	}
}

func TestWhatFailsIsNotRemembered(t *testing.T) {
	t.Parallel()
	s := openInternal(t, SQLiteOptions{})
	put := func(tx Tx, value string) error { return tx.Put("k", Doc{"v": value}, "o", "a") }
	if err := s.Update(t.Context(), func(tx Tx) error { return put(tx, "good") }); err != nil {
		t.Fatal(err)
	}
	refused := errors.New("refused")
	// Many at a time, so that failing and succeeding updates share commits.
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			err := s.Update(t.Context(), func(tx Tx) error {
				if d, err := tx.Get("k", "o", "a"); err != nil || d["v"] != "good" {
					return fmt.Errorf("%v, %w", d, err)
				}
				if i%3 == 0 {
					return errors.Join(put(tx, "bad"), tx.Delete("k", "o", "a"), refused)
				}
				return tx.Put("k", Doc{}, "o", fmt.Sprint("x", i))
			})
			if i%3 == 0 != errors.Is(err, refused) || i%3 != 0 && err != nil {
				t.Errorf("update %d: %v", i, err)
			}
			err = s.View(t.Context(), func(tx Tx) error {
				d, err := tx.Get("k", "o", "a")
				if err != nil || d["v"] != "good" {
					t.Errorf("%v %v", d, err)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestALaterScanGoesOverWhatAnEarlierOneFound(t *testing.T) {
	t.Parallel()
	s := openInternal(t, SQLiteOptions{})
	put := func(key string) {
		if err := s.Update(t.Context(), func(tx Tx) error { return tx.Put("k", Doc{"createdAt": key}, "o", key) }); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		put(fmt.Sprintf("%02d", i))
	}
	for round := range 3 {
		if got, want := count(t, s), 20+round; got != want {
			t.Fatalf("%d documents, want %d", got, want)
		}
		found := s.walks.Load()
		if found == nil || len(found.found) != 1 {
			t.Fatalf("nothing was kept: %v", found)
		}
		if got, want := count(t, s), 20+round; got != want || s.walks.Load() != found {
			t.Fatalf("%d documents, want %d", got, want)
		}
		err := s.View(t.Context(), func(tx Tx) error {
			for at := range 20 + round {
				after := Cursor(Row{Key: []string{"o", fmt.Sprintf("%02d", at)}, Doc: Doc{"createdAt": fmt.Sprintf("%02d", at)}})
				n := 0
				for row, err := range tx.Scan("k", nil, Page{After: after}, "o") {
					if n++; err != nil || row.Key[1] != fmt.Sprintf("%02d", at+n) {
						return fmt.Errorf("after %d: row %d is %v, %w", at, n, row.Key, err)
					}
				}
				if n != 19+round-at {
					return fmt.Errorf("after %d: %d rows", at, n)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		put(fmt.Sprintf("%02d", 20+round))
	}
}
