package identity

import (
	"errors"

	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// found reads a document that a path names.
func found(tx store.Tx, kind store.Kind, noun, org, id string) (store.Doc, error) {
	doc, err := tx.Get(kind, org, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.NotFound(noun, id)
	}
	return doc, err
}

// knownFields checks the keys that a caller wants to see.
func knownFields(fields, all []string) error {
	var c shape.Checker
	for _, field := range fields {
		shape.OneOf(all...)(&c, field, []string{"query", "fields"})
	}
	return c.Problems.Invalid()
}
