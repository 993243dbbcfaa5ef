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
	entity, err := i.user(tx, email)
	if err != nil {
		return nil, err
	}
	if entity == nil {
		return nil, fault.NotFound("User", email)
	}
	account, err := i.account(tx, jsonv.String(entity, "identifier"))
	if err != nil {
		return nil, err
	}
	return caller(entity, jsonv.String(account, "id")), nil
}
