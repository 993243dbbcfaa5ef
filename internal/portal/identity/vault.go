package identity

import (
	"errors"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// SecretValues are the organization's secrets by name, for templates of invocations
// (reference/actions.md §3.4).
func (i *Identity) SecretValues(tx store.Tx, org string) (map[string]string, error) {
	out := map[string]string{}
	for row, err := range tx.Scan(KindSecret, nil, store.Page{}, org) {
		if err != nil {
			return nil, err
		}
		name := row.Key[len(row.Key)-1]
		value, err := i.open(jsonv.String(row.Doc, "value"), sealedSecret(name))
		if err != nil {
			return nil, err
		}
		out[name] = value
	}
	return out, nil
}

// ClientSecret is the secret of the organization's first set of machine
// credentials, which signs what the portal sends and encrypts secret inputs
// (reference/actions.md §3.7, §3.8).
func (i *Identity) ClientSecret(tx store.Tx) (string, error) {
	for row, err := range tx.Scan(KindCredentials, nil, store.Page{}, i.org) {
		if err != nil {
			return "", err
		}
		if jsonv.String(row.Doc, "owner") == "" {
			return i.open(jsonv.String(row.Doc, "secret"), sealedCredentials(jsonv.String(row.Doc, "id")))
		}
	}
	return "", errors.New("the organization has no machine credentials to sign with")
}

// Seal encrypts a text that is kept for an owner; [Identity.Unseal] of the same
// owner gives it back.
func (i *Identity) Seal(text, owner string) (string, error) { return i.seal(text, "kept "+owner) }

// Unseal gives back what [Identity.Seal] encrypted.
func (i *Identity) Unseal(sealed, owner string) (string, error) { return i.open(sealed, "kept "+owner) }
