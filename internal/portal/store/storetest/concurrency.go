package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// together runs f n times at once and waits.
func together(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

func waitingObeys(t *testing.T, s store.Store) {
	inside, leave := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		update(t, s, func(store.Tx) error { close(inside); <-leave; return nil })
	})
	<-inside
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	go func() {
		result <- s.Update(ctx, func(store.Tx) error { t.Error("ran"); return nil })
	}()
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(leave)
	all.Wait()
	put(t, s, plain, store.Doc{}, "o", "x")
}

func closeWaits(t *testing.T, s store.Store) {
	inside, leave := make(chan struct{}, 2), make(chan struct{})
	var all sync.WaitGroup
	run := func(f func(context.Context, func(store.Tx) error) error, ended *bool) {
		all.Go(func() {
			err := f(t.Context(), func(tx store.Tx) error {
				inside <- struct{}{}
				<-leave
				if _, err := tx.Get(plain, "o", "x"); !errors.Is(err, store.ErrNotFound) {
					return err
				}
				*ended = true
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	var viewed, updated bool
	run(s.View, &viewed)
	run(s.Update, &updated)
	<-inside
	<-inside
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	select {
	case err := <-closed:
		t.Errorf("Close did not wait: %v", err)
	default:
	}
	close(leave)
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if !viewed || !updated {
		t.Errorf("after Close: view ended %v, update ended %v", viewed, updated)
	}
	all.Wait()
	if err := s.View(t.Context(), func(store.Tx) error { return nil }); !errors.Is(err, store.ErrClosed) {
		t.Errorf("view: %v", err)
	}
	if err := s.Update(t.Context(), func(store.Tx) error { return nil }); !errors.Is(err, store.ErrClosed) {
		t.Errorf("update: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func viewSnapshot(t *testing.T, s store.Store) {
	put(t, s, plain, store.Doc{"v": jsonv.Int(1)}, "o", "a")
	put(t, s, plain, store.Doc{"v": jsonv.Int(1)}, "o", "b")
	view(t, s, func(tx store.Tx) error {
		a, err := tx.Get(plain, "o", "a")
		if err != nil {
			return err
		}
		update(t, s, func(tx store.Tx) error {
			return errors.Join(
				tx.Put(plain, store.Doc{"v": jsonv.Int(2)}, "o", "a"),
				tx.Put(plain, store.Doc{"v": jsonv.Int(2)}, "o", "b"),
				tx.Put(plain, store.Doc{"v": jsonv.Int(2)}, "o", "c"))
		})
		b, err := tx.Get(plain, "o", "b")
		if err != nil {
			return err
		}
		if number(a, "v") != 1 || number(b, "v") != 1 {
			t.Errorf("saw %v and %v", a, b)
		}
		rows, err := collect(tx, plain, nil, store.Page{}, "o")
		same(t, []string{"a", "b"}, lastParts(rows))
		return err
	})
	same(t, []string{"a", "b", "c"}, lastParts(scan(t, s, plain, nil, store.Page{}, "o")))
}

func ownWrites(t *testing.T, s store.Store) {
	put(t, s, plain, store.Doc{"v": jsonv.Int(1)}, "o", "gone")
	update(t, s, func(tx store.Tx) error {
		if err := errors.Join(tx.Put(plain, store.Doc{"v": jsonv.Int(1)}, "o", "x"), tx.Delete(plain, "o", "gone")); err != nil {
			return err
		}
		d, err := tx.Get(plain, "o", "x")
		if err != nil || number(d, "v") != 1 {
			t.Errorf("first: %v, %v", d, err)
		}
		if err := tx.Put(plain, store.Doc{"v": jsonv.Int(2)}, "o", "x"); err != nil {
			return err
		}
		d, err = tx.Get(plain, "o", "x")
		if err != nil || number(d, "v") != 2 {
			t.Errorf("second: %v, %v", d, err)
		}
		if _, err := tx.Get(plain, "o", "gone"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("deleted: %v", err)
		}
		rows, err := collect(tx, plain, nil, store.Page{}, "o")
		same(t, []string{"x"}, lastParts(rows))
		return err
	})
}

func invisibleBefore(t *testing.T, s store.Store) {
	update(t, s, func(tx store.Tx) error {
		if err := tx.Put(plain, store.Doc{}, "o", "x"); err != nil {
			return err
		}
		if d := get(t, s, plain, "o", "x"); d != nil {
			t.Errorf("a view sees %v already", d)
		}
		return nil
	})
	if get(t, s, plain, "o", "x") == nil {
		t.Error("not there after the commit")
	}
}

func counters(t *testing.T, s store.Store) {
	const workers, rounds = 8, 50
	together(workers, func(int) {
		for range rounds {
			err := s.Update(t.Context(), func(tx store.Tx) error {
				d, err := tx.Get(plain, "o", "counter")
				if err != nil && !errors.Is(err, store.ErrNotFound) {
					return err
				}
				return tx.Put(plain, store.Doc{"n": jsonv.Int(number(d, "n") + 1)}, "o", "counter")
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
	if got := number(get(t, s, plain, "o", "counter"), "n"); got != workers*rounds {
		t.Errorf("counted %d, want %d", got, workers*rounds)
	}
}

func transfers(t *testing.T, s store.Store) {
	const accounts, total = 5, 500
	for i := range accounts {
		put(t, s, plain, store.Doc{"n": jsonv.Int(total / accounts)}, "o", fmt.Sprint(i))
	}
	sum := func(tx store.Tx) (int, error) {
		rows, err := collect(tx, plain, nil, store.Page{}, "o")
		n := 0
		for _, r := range rows {
			n += number(r.Doc, "n")
		}
		return n, err
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				view(t, s, func(tx store.Tx) error {
					n, err := sum(tx)
					if n != total {
						t.Errorf("a view sees a sum of %d", n)
					}
					return err
				})
			}
		})
	}
	together(4, func(worker int) {
		for i := range 50 {
			from, to := fmt.Sprint((worker+i)%accounts), fmt.Sprint((worker*3+i*7+1)%accounts)
			if from == to {
				continue
			}
			err := s.Update(t.Context(), func(tx store.Tx) error {
				a, err := tx.Get(plain, "o", from)
				if err != nil {
					return err
				}
				b, err := tx.Get(plain, "o", to)
				if err != nil {
					return err
				}
				if err := tx.Put(plain, store.Doc{"n": jsonv.Int(number(a, "n") - 1)}, "o", from); err != nil {
					return err
				}
				if i%5 == 0 {
					return errWanted // between the two writes
				}
				return tx.Put(plain, store.Doc{"n": jsonv.Int(number(b, "n") + 1)}, "o", to)
			})
			if err != nil && !errors.Is(err, errWanted) {
				t.Error(err)
			}
		}
	})
	close(stop)
	readers.Wait()
}

// writeSkew: everybody may go off call as long as somebody else is on call.
func writeSkew(t *testing.T, s store.Store) {
	for round := range 20 {
		org := fmt.Sprint(round)
		const doctors = 4
		for i := range doctors {
			put(t, s, Indexed, store.Doc{"a": "on call"}, org, fmt.Sprint(i))
		}
		together(doctors, func(i int) {
			err := s.Update(t.Context(), func(tx store.Tx) error {
				rows, err := collect(tx, Indexed, equal("a", "on call"), store.Page{}, org)
				if err != nil || len(rows) < 2 {
					return err
				}
				return tx.Put(Indexed, store.Doc{"a": "off"}, org, fmt.Sprint(i))
			})
			if err != nil {
				t.Error(err)
			}
		})
		if rows := scan(t, s, Indexed, equal("a", "on call"), store.Page{}, org); len(rows) != 1 {
			t.Fatalf("round %d: %d are on call, want 1", round, len(rows))
		}
	}
}

func nestedViews(t *testing.T, s store.Store) {
	put(t, s, plain, store.Doc{"n": jsonv.Int(1)}, "o", "x")
	together(16, func(int) {
		view(t, s, func(store.Tx) error {
			if number(get(t, s, plain, "o", "x"), "n") != 1 {
				t.Error("a view in a view sees nothing")
			}
			return nil
		})
		update(t, s, func(store.Tx) error {
			if number(get(t, s, plain, "o", "x"), "n") != 1 {
				t.Error("a view in an update sees nothing")
			}
			return nil
		})
	})
}

func manyViews(t *testing.T, s store.Store) {
	put(t, s, plain, store.Doc{"n": jsonv.Int(1)}, "o", "x")
	const many = 64
	var inside sync.WaitGroup
	inside.Add(many)
	together(many, func(int) {
		view(t, s, func(tx store.Tx) error {
			inside.Done()
			inside.Wait() // all are inside at once
			_, err := tx.Get(plain, "o", "x")
			return err
		})
	})
}
