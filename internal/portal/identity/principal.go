package identity

import (
	"errors"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Principal is who makes a request.
type Principal struct {
	// Org is the organization's id and the first part of its store keys.
	Org string
	// ID is what createdBy shows: for a machine the client id, for a user the
	// user's id.
	ID string
	// User is nil for machine credentials. It says what held when the request was
	// checked and is not to be changed.
	User *access.User
	// Login tells that the token was got by logging in: what its bearer does is of
	// origin UI (reference/identity.md §8.6).
	Login bool
}

// IsUser tells whether the principal is the user of an e-mail address.
func (p Principal) IsUser(email string) bool {
	return p.User != nil && ident.SameEmail(p.User.Email, email)
}

var (
	errExpired = fault.Unauthorized("The access token has expired")
	errRevoked = fault.Unauthorized("The access token was revoked")
)

// Check decides by what is stored now whether the bearer of a token is somebody:
// its credentials must still exist, be enabled, and hold this very token; if they
// are a user's, the user must be Active. What a user may do is read with it, so that
// a change of it counts from the next request on (reference/identity.md §1.3).
func (i *Identity) Check(tx store.Tx, c Claims) (Principal, error) {
	if c.org != i.org || c.subject == "" {
		return Principal{}, fault.Unauthorized("The access token belongs to another organization")
	}
	if c.login {
		return i.checkLogin(tx, c)
	}
	doc, err := tx.Get(KindCredentials, i.org, c.subject)
	if errors.Is(err, store.ErrNotFound) || (err == nil && (!jsonv.Bool(doc, "enabled") || jsonv.String(doc, "token", "jti") != c.id)) {
		return Principal{}, errRevoked
	}
	if err != nil {
		return Principal{}, err
	}
	if owner := jsonv.String(doc, "owner"); owner != "" {
		return i.userPrincipal(tx, owner)
	}
	return Principal{Org: i.org, ID: c.subject}, nil
}

// userPrincipal is a user as who makes a request.
func (i *Identity) userPrincipal(tx store.Tx, email string) (Principal, error) {
	entity, err := i.user(tx, email)
	if err != nil {
		return Principal{}, err
	}
	if !active(entity) {
		return Principal{}, fault.Unauthorized("The user of the access token is not active")
	}
	account, err := i.account(tx, jsonv.String(entity, "identifier"))
	if err != nil {
		return Principal{}, err
	}
	id := jsonv.String(account, "id")
	return Principal{Org: i.org, ID: id, User: caller(entity, id)}, nil
}

func active(entity store.Doc) bool {
	return jsonv.String(entity, "properties", "status") == "Active"
}

func isServiceAccount(entity store.Doc) bool {
	return jsonv.String(entity, "properties", "port_type") == "Service Account"
}

func caller(entity store.Doc, id string) *access.User {
	u := &access.User{
		ID: id, Email: jsonv.String(entity, "identifier"), Role: jsonv.String(entity, "properties", "port_role"),
		Teams: jsonv.Strings(entity["team"]), ServiceAccount: isServiceAccount(entity),
	}
	if u.Role == "" {
		u.Role = access.RoleMember
	}
	if moderates, ok := jsonv.Get(entity, "properties", "moderated_blueprints"); ok {
		u.Moderates = jsonv.Strings(moderates)
	}
	return u
}
