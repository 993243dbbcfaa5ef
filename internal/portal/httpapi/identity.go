package httpapi

import (
	"net/http"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// permissions tells callers what they may do (reference/identity.md §1.8).
func (c *Call) permissions() (any, error) {
	permissions := []any{}
	for _, scope := range c.Who.User.Scopes() {
		permissions = append(permissions, string(scope))
	}
	executable, err := c.api.actions.Scopes(c.Tx, c.caller())
	return jsonv.Object{"permissions": append(permissions, jsonv.FromStrings(executable)...)}, err
}

func (c *Call) rotateCredentials() (any, error) {
	credentials, err := c.api.identity.RotateCredentials(c.Tx, c.Who, c.params[0])
	return jsonv.Object{"credentials": credentials}, err
}

func (c *Call) readOrganization() (any, error) {
	organization, err := c.api.identity.ReadOrganization(c.Tx, c.Who)
	return jsonv.Object{"organization": organization}, err
}

func (c *Call) putOrganization() (any, error) {
	return nil, c.api.identity.PutOrganization(c.Tx, c.Who, c.Body)
}

func (c *Call) patchOrganization() (any, error) {
	err := c.api.identity.PatchOrganization(c.Tx, c.Who, c.Body)
	if _, relay := jsonv.Get(c.Body, "settings", "portAgentStreamerName"); err == nil && relay {
		c.deliver()
		err = c.api.runs.Reroute(c.ctx, c.Tx, c.Who.Org)
	}
	return nil, err
}

func (c *Call) listSecrets() (any, error) {
	secrets, err := c.api.identity.ListSecrets(c.Tx, c.Who)
	return jsonv.Object{"secrets": secrets}, err
}

func (c *Call) createSecret() (any, error) {
	c.status = http.StatusCreated
	secret, err := c.api.identity.CreateSecret(c.Tx, c.Who, c.Body)
	return jsonv.Object{"secret": secret}, err
}

func (c *Call) readSecret() (any, error) {
	secret, err := c.api.identity.ReadSecret(c.Tx, c.Who, c.params[0])
	return jsonv.Object{"secret": secret}, err
}

func (c *Call) patchSecret() (any, error) {
	secret, err := c.api.identity.PatchSecret(c.Tx, c.Who, c.params[0], c.Body)
	return jsonv.Object{"secret": secret}, err
}

func (c *Call) deleteSecret() (any, error) {
	return nil, c.api.identity.DeleteSecret(c.Tx, c.Who, c.params[0])
}

func (c *Call) listApps() (any, error) {
	apps, err := c.api.identity.ListApps(c.Tx, c.Who, c.list("fields"))
	return jsonv.Object{"apps": apps}, err
}

func (c *Call) createApp() (any, error) {
	app, err := c.api.identity.CreateApp(c.Tx, c.Who, c.Body)
	return jsonv.Object{"app": app}, err
}

func (c *Call) renameApp() (any, error) {
	app, err := c.api.identity.RenameApp(c.Tx, c.Who, c.params[0], c.Body)
	return jsonv.Object{"app": app}, err
}

func (c *Call) deleteApp() (any, error) {
	return nil, c.api.identity.DeleteApp(c.Tx, c.Who, c.params[0])
}

func (c *Call) rotateApp() (any, error) {
	app, err := c.api.identity.RotateApp(c.Tx, c.Who, c.params[0])
	return jsonv.Object{"app": app}, err
}
