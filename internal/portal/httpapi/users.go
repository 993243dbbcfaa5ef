package httpapi

import (
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

func (c *Call) listUsers() (any, error) {
	users, err := c.api.identity.ListUsers(c.Tx, c.list("fields"))
	return jsonv.Object{"users": users}, err
}

func (c *Call) readUser() (any, error) {
	user, err := c.api.identity.ReadUser(c.Tx, c.params[0])
	return jsonv.Object{"user": user}, err
}

func (c *Call) inviteUser() (any, error) {
	return nil, c.api.identity.InviteUser(c.ctx, c.Tx, c.Actor, c.Body, c.unlessFalse("notify"))
}

func (c *Call) patchUser() (any, error) {
	return c.api.identity.PatchUser(c.ctx, c.Tx, c.Actor, c.params[0], c.Body)
}

func (c *Call) deleteUser() (any, error) {
	return nil, c.api.identity.DeleteUser(c.ctx, c.Tx, c.Actor, c.params[0], c.deleteOptions())
}

// unlessFalse is [Call.flag] for a parameter that is true when it is absent.
func (c *Call) unlessFalse(name string) bool {
	return !strings.EqualFold(strings.TrimSpace(c.query.Get(name)), "false")
}
