package store_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/portal/store"
	"github.com/portlens/terraform-provider-port/internal/portal/store/storetest"
)

// The test binary is also the process that writes to a data file while a test
// kills it or runs another one beside it. These variables say so.
const (
	childFile  = "STORE_TEST_FILE"
	childName  = "STORE_TEST_NAME"
	childCount = "STORE_TEST_COUNT"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childFile); path != "" {
		if err := writeAsChild(path, os.Getenv(childName), os.Getenv(childCount)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// long reports whether the slow variants of the tests should run.
func long() bool { return os.Getenv("PORT_LONG") != "" }

const (
	workers = 8
	parts   = 3
)

// writeAsChild writes from several goroutines, count transactions each (without
// end if it is 0), and prints the name of each transaction once it is
// acknowledged.
func writeAsChild(path, name, count string) error {
	limit, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	ctx := context.Background()
	s, err := store.OpenSQLite(ctx, path, store.SQLiteOptions{Indexes: storetest.Indexes()})
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	errs := make(chan error, workers)
	for w := range workers {
		all.Go(func() {
			for i := 0; limit == 0 || i < limit; i++ {
				id := fmt.Sprintf("%s-%d-%d", name, w, i)
				err := s.Update(ctx, func(tx store.Tx) error {
					for part := range parts {
						d := store.Doc{"a": id, "createdAt": strconv.Itoa(i), "text": strings.Repeat(id, 20)}
						if err := tx.Put(storetest.Indexed, d, "o", id, strconv.Itoa(part)); err != nil {
							return err
						}
					}
					d, err := tx.Get("counter", "o")
					if err != nil && !errors.Is(err, store.ErrNotFound) {
						return err
					}
					return tx.Put("counter", store.Doc{"n": next(d)}, "o")
				})
				if err == nil {
					_, err = os.Stdout.WriteString(id + "\n")
				}
				if err != nil {
					errs <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(errs)
	return errors.Join(<-errs, s.Close())
}

// child starts the test binary as a writer and passes each acknowledged name on.
func child(t *testing.T, path, name string, count int, acknowledged func(string)) (command *exec.Cmd, ended <-chan struct{}) {
	t.Helper()
	self, err := os.Executable()
	errFatal(t, err)
	command = exec.Command(self)
	command.Env = append(os.Environ(), childFile+"="+path, childName+"="+name, childCount+"="+strconv.Itoa(count))
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	errFatal(t, err)
	errFatal(t, command.Start())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r := bufio.NewReader(out)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return // a line without its end was not told completely
			}
			acknowledged(strings.TrimSuffix(line, "\n"))
		}
	}()
	return command, done
}

// verify checks that all acknowledged transactions are in the file and all that
// are in it are whole, and returns how many there are.
func verify(t *testing.T, path string, acknowledged map[string]bool) int {
	t.Helper()
	s, err := store.OpenSQLite(t.Context(), path, store.SQLiteOptions{Indexes: storetest.Indexes()})
	errFatal(t, err)
	found := map[string]int{}
	counter := 0
	errFatal(t, s.View(t.Context(), func(tx store.Tx) error {
		for r, err := range tx.Scan(storetest.Indexed, nil, store.Page{}, "o") {
			if err != nil {
				return err
			}
			found[r.Key[1]]++
		}
		checked := 0
		for id, n := range found {
			if n != parts {
				t.Errorf("transaction %s: %d of %d documents", id, n, parts)
			}
			if checked++; checked > 50 {
				continue // the index of a few is enough
			}
			n = 0
			for _, err := range tx.Scan(storetest.Indexed, hint{"a", id}, store.Page{}, "o") {
				if err != nil {
					return err
				}
				n++
			}
			if n != parts {
				t.Errorf("transaction %s: %d of %d documents by the index", id, n, parts)
			}
		}
		d, err := tx.Get("counter", "o")
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		counter, _ = strconv.Atoi(fmt.Sprint(d["n"])) // absent counts as 0
		return err
	}))
	errFatal(t, s.Close())
	for id := range acknowledged {
		if found[id] == 0 {
			t.Errorf("transaction %s was acknowledged and is lost", id)
		}
	}
	if counter != len(found) {
		t.Errorf("the counter says %d, there are %d transactions", counter, len(found))
	}
	return len(found)
}

func checkIntegrity(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	errFatal(t, err)
	for query, want := range map[string]string{
		"PRAGMA integrity_check": "ok",
		// Every document stands at each of its positions and entries, and nothing else does.
		"SELECT count(*) = (SELECT count(*) FROM doc WHERE kind = 'indexed') * 2 FROM position":                                          "1",
		"SELECT count(*) = (SELECT count(*) FROM doc WHERE kind = 'indexed') FROM entry":                                                 "1",
		"SELECT count(*) FROM position p LEFT JOIN doc d ON d.id = p.doc AND d.key = p.key AND d.created = p.created WHERE d.id IS NULL": "0",
		"SELECT count(*) FROM entry e LEFT JOIN doc d ON d.id = e.doc AND d.key = e.key AND d.created = e.created WHERE d.id IS NULL":    "0",
		"SELECT max(revision) <= (SELECT revision FROM meta) AND count(DISTINCT revision) = count(*) FROM doc":                           "1",
	} {
		var got string
		errFatal(t, db.QueryRow(query).Scan(&got))
		if got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	errFatal(t, db.Close())
}

func TestKilledProcessesLoseNothingAcknowledged(t *testing.T) {
	t.Parallel()
	rounds := 6
	if long() {
		rounds = 120
	}
	path := filepath.Join(t.TempDir(), "data.db")
	acknowledged := map[string]bool{}
	rng := rand.New(rand.NewPCG(5, 6))
	total := 0
	for round := range rounds {
		enough := make(chan struct{})
		// Some rounds end while the file is opened, others after some work.
		work := 1 + rng.IntN(300)
		command, ended := child(t, path, strconv.Itoa(round), 0, func(id string) {
			acknowledged[id] = true
			if work--; work == 0 {
				close(enough)
			}
		})
		if round%5 == 4 {
			timer := time.NewTimer(time.Duration(rng.IntN(40)) * time.Millisecond)
			<-timer.C
		} else {
			select {
			case <-enough:
			case <-ended:
				t.Error("the writer ended by itself")
			}
		}
		errFatal(t, command.Process.Kill())
		<-ended
		_ = command.Wait() // killed
		total = verify(t, path, acknowledged)
	}
	checkIntegrity(t, path)
	if len(acknowledged) < rounds || total < len(acknowledged) {
		t.Errorf("%d rounds, %d transactions acknowledged, %d found", rounds, len(acknowledged), total)
	}
}

func TestAFileKilledWhileItIsCreatedOpensAgain(t *testing.T) {
	t.Parallel()
	rounds := 10
	if long() {
		rounds = 150
	}
	rng := rand.New(rand.NewPCG(7, 8))
	for round := range rounds {
		path := filepath.Join(t.TempDir(), "data.db")
		var mu sync.Mutex
		acknowledged := map[string]bool{}
		command, ended := child(t, path, "x", 0, func(id string) {
			mu.Lock()
			defer mu.Unlock()
			acknowledged[id] = true
		})
		// Watch the file appear, then strike within the time its tables take.
		for {
			if _, err := os.Stat(path); err == nil {
				break
			}
			select {
			case <-ended:
				t.Fatal("the writer ended by itself")
			case <-time.After(100 * time.Microsecond):
			}
		}
		<-time.After(time.Duration(rng.IntN(3000)) * time.Microsecond)
		errFatal(t, command.Process.Kill())
		<-ended
		_ = command.Wait() // killed
		verify(t, path, acknowledged)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
}

func TestTwoProcessesLoadingOneFileLoseNothingAndBothMoveOn(t *testing.T) {
	t.Parallel()
	each := 40
	if long() {
		each = 1000
	}
	path := filepath.Join(t.TempDir(), "data.db")
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	counts, bothBegan := map[string]int{}, map[string]int(nil)
	var atFirstEnd map[string]int
	note := func(name string) func(string) {
		return func(id string) {
			mu.Lock()
			defer mu.Unlock()
			acknowledged[id] = true
			counts[name]++
			if len(counts) == 2 && bothBegan == nil {
				bothBegan = maps.Clone(counts)
			}
			if counts[name] == each*workers && atFirstEnd == nil {
				atFirstEnd = maps.Clone(counts)
			}
		}
	}
	a, endA := child(t, path, "a", each, note("a"))
	b, endB := child(t, path, "b", each, note("b"))
	<-endA
	<-endB
	errFatal(t, errors.Join(a.Wait(), b.Wait()))
	if got := verify(t, path, acknowledged); got != 2*workers*each || len(acknowledged) != got {
		t.Errorf("%d transactions, %d acknowledged, want %d", got, len(acknowledged), 2*workers*each)
	}
	checkIntegrity(t, path)
	// From the moment both were there, neither may have waited for the other to
	// be through.
	if max(bothBegan["a"], bothBegan["b"]) > each*workers/2 {
		t.Skipf("the two hardly ran at the same time: %v", bothBegan)
	}
	for name, n := range atFirstEnd {
		if n < each*workers/10 {
			t.Errorf("process %s had done %d of %d when the other one was through: %v", name, n, each*workers, atFirstEnd)
		}
	}
}
