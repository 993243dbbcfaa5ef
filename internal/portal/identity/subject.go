package identity

import (
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Subject returns a user, active or not, as rights are asked about; a 404 when
// there is none.
func (i *Identity) Subject(tx store.Tx, email string) (*access.User, error) {
	u, _, err := i.Known(tx, email)
	if err == nil && u == nil {
		return nil, fault.NotFound("User", email)
	}
	return u, err
}

// Known is a user, nil when there is none, and whether the status is Active.
func (i *Identity) Known(tx store.Tx, email string) (u *access.User, isActive bool, err error) {
	entity, err := i.user(tx, email)
	if err != nil || entity == nil {
		return nil, false, err
	}
	account, err := i.account(tx, jsonv.String(entity, "identifier"))
	if err != nil {
		return nil, false, err
	}
	return caller(entity, jsonv.String(account, "id")), active(entity), nil
}
