package identity

import (
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

var _ access.People = (*Identity)(nil)

// Account implements [access.People].
func (i *Identity) Account(tx store.Tx, _, email string) (jsonv.Object, error) {
	return i.account(tx, email)
}

// Provider implements [access.People].
func (i *Identity) Provider(tx store.Tx, org, id string) (string, error) {
	t, ok, err := i.teamByID(tx, org, id)
	if err != nil || !ok {
		return madeInPort, err
	}
	return t.provider, nil
}
