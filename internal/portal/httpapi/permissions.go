package httpapi

import (
	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

func (c *Call) readBlueprintPermissions() (any, error) {
	permissions, err := c.api.access.ReadBlueprint(c.Tx, c.Actor, c.params[0])
	return jsonv.Object{"permissions": permissions}, err
}

func (c *Call) patchBlueprintPermissions() (any, error) {
	permissions, err := c.api.access.PatchBlueprint(c.Tx, c.Actor, c.params[0], c.Body)
	return jsonv.Object{"permissions": permissions}, err
}

func (c *Call) simulatePermissions() (any, error) {
	entities, err := c.api.access.Simulate(c.ctx, c.Tx, c.Actor, c.api.catalog, c.api.identity.Subject, c.params[0], c.Body)
	return jsonv.Object{"entities": list(entities)}, err
}
