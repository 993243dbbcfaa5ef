package store_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/portal/store"
	"github.com/portlens/terraform-provider-port/internal/portal/store/storetest"
)

// A scan that has been done before is carried on over what changed since, by this
// handle of the file or another.
func TestRepeatedScansSeeEveryChange(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	open := func() store.Store {
		s, err := store.OpenSQLite(t.Context(), path, store.SQLiteOptions{Indexes: storetest.Indexes()})
		errFatal(t, err)
		t.Cleanup(func() { errFatal(t, s.Close()) })
		return s
	}
	file, other, model := open(), open(), store.NewMemory(storetest.Indexes())
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		writer := file
		if r.IntN(10) == 0 {
			writer = other
		}
		seed := r.Uint64()
		for _, s := range []store.Store{writer, model} {
			errFatal(t, s.Update(t.Context(), func(tx store.Tx) error {
				r := rand.New(rand.NewPCG(seed, 0))
				for range 1 + r.IntN(4) {
					key := []string{"org", fmt.Sprint("bp", r.IntN(2)), fmt.Sprint(r.IntN(30))}
					if r.IntN(4) == 0 {
						_ = tx.Delete(storetest.Indexed, key...) // it may not be there
						continue
					}
					d := store.Doc{"createdAt": fmt.Sprint(r.IntN(5)), "a": fmt.Sprint(n)}
					if err := tx.Put(storetest.Indexed, d, key...); err != nil {
						return err
					}
				}
				return nil
			}))
		}
		for _, prefix := range [][]string{{"org"}, {"org", "bp1"}} {
			// The second time the documents are known.
			for range 2 {
				if diff := cmp.Diff(scanned(t, model, prefix), scanned(t, file, prefix)); diff != "" {
					t.Fatalf("after %d updates (-memory +file):\n%s", n, diff)
				}
			}
		}
	}
}

func scanned(t *testing.T, s store.Store, prefix []string) (rows []store.Row) {
	t.Helper()
	errFatal(t, s.View(t.Context(), func(tx store.Tx) error {
		for row, err := range tx.Scan(storetest.Indexed, nil, store.Page{}, prefix...) {
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return nil
	}))
	return rows
}
