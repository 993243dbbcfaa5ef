package store_test

import (
	"testing"

	"github.com/portlens/terraform-provider-port/internal/portal/store"
	"github.com/portlens/terraform-provider-port/internal/portal/store/pgtest"
	"github.com/portlens/terraform-provider-port/internal/portal/store/storetest"
)

func openPostgres(t testing.TB) store.Store {
	t.Helper()
	return openDatabase(t, pgtest.URL(t))
}

func openDatabase(t testing.TB, url string) store.Store {
	t.Helper()
	s, err := store.OpenPostgres(t.Context(), url, store.PostgresOptions{Indexes: storetest.Indexes()})
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

func TestPostgresConformsLong(t *testing.T) {
	t.Parallel()
	storetest.Run(t, openPostgres)
}
