package store_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/portal/store"
	"github.com/portlens/terraform-provider-port/internal/portal/store/pgtest"
	"github.com/portlens/terraform-provider-port/internal/portal/store/storetest"
)

func openMemory(testing.TB) store.Store { return store.NewMemory(storetest.Indexes()) }

func openSQLite(t testing.TB) store.Store {
	t.Helper()
	return openFile(t, filepath.Join(t.TempDir(), "portal data.db"))
}

func openFile(t testing.TB, path string) store.Store {
	t.Helper()
	s, err := store.OpenSQLite(t.Context(), path, store.SQLiteOptions{Indexes: storetest.Indexes()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestMemoryConforms(t *testing.T) {
	t.Parallel()
	storetest.Run(t, openMemory)
}

func TestSQLiteConforms(t *testing.T) {
	t.Parallel()
	storetest.Run(t, openSQLite)
}

func TestRandomOperationsAgreeWithANaiveModel(t *testing.T) {
	t.Parallel()
	seeds, steps := uint64(3), 600
	if long() {
		seeds, steps = 10, 2500
	}
	for seed := range seeds {
		t.Run(fmt.Sprintf("memory %d", seed), func(t *testing.T) {
			t.Parallel()
			storetest.Walk(t, openMemory(t), func(s store.Store) store.Store { return s }, seed, steps)
		})
		t.Run(fmt.Sprintf("sqlite %d", seed), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "data.db")
			storetest.Walk(t, openFile(t, path), func(s store.Store) store.Store {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				return openFile(t, path)
			}, seed, steps)
		})
		t.Run(fmt.Sprintf("postgres %d", seed), func(t *testing.T) {
			t.Parallel()
			url := pgtest.URL(t)
			storetest.Walk(t, openDatabase(t, url), func(s store.Store) store.Store {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				return openDatabase(t, url)
			}, seed, steps)
		})
	}
}
