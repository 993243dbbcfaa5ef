package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

func TestMemoryPutsGetsScans(t *testing.T) {
	t.Parallel()
	s := store.NewMemory(nil)
	err := s.Update(context.Background(), func(tx store.Tx) error {
		return errors.Join(
			tx.Put("k", store.Doc{"createdAt": "2"}, "o", "a", "1"),
			tx.Put("k", store.Doc{"createdAt": "1"}, "o", "a", "2"),
			tx.Put("k", store.Doc{"createdAt": "1"}, "o", "ab", "3"),
			tx.Put("k", store.Doc{"createdAt": "1"}, "o", "a"),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	err = s.View(context.Background(), func(tx store.Tx) error {
		for r, err := range tx.Scan("k", nil, store.Page{}, "o", "a") {
			if err != nil {
				return err
			}
			got += r.Key[len(r.Key)-1]
		}
		return nil
	})
	if err != nil || got != "a21" {
		t.Error(got, err)
	}
}
