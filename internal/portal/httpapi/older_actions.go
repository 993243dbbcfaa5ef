package httpapi

import "github.com/portlens/terraform-provider-port/internal/jsonv"

// The routes of a blueprint's actions (reference/actions.md §9.1).

func (c *Call) listActionsOf() (any, error) {
	list, err := c.api.actions.ListOf(c.Tx, c.caller(), c.params[0])
	return jsonv.Object{"actions": list}, err
}

func (c *Call) createActionOf() (any, error) {
	action, err := c.api.actions.CreateOf(c.Tx, c.caller(), c.params[0], c.Body)
	return jsonv.Object{"action": action}, err
}

func (c *Call) putActionsOf() (any, error) {
	list, err := c.api.actions.PutAllOf(c.Tx, c.caller(), c.params[0], c.Body)
	return jsonv.Object{"actions": list}, err
}

func (c *Call) readActionOf() (any, error) {
	action, err := c.api.actions.ReadOf(c.Tx, c.caller(), c.params[0], c.params[1])
	return jsonv.Object{"action": action}, err
}

func (c *Call) putActionOf() (any, error) {
	action, err := c.api.actions.PutOf(c.Tx, c.caller(), c.params[0], c.params[1], c.Body)
	return jsonv.Object{"action": action}, err
}

func (c *Call) deleteActionOf() (any, error) {
	kept, err := c.api.actions.Kept(c.Tx, c.caller(), c.params[0], c.params[1])
	if err != nil {
		return nil, err
	}
	return nil, c.api.actions.Delete(c.Tx, c.caller(), kept)
}

func (c *Call) actionPermissionsOf() (any, error) {
	kept, err := c.api.actions.Kept(c.Tx, c.caller(), c.params[0], c.params[1])
	if err != nil {
		return nil, err
	}
	permissions, err := c.api.actions.Permissions(c.Tx, c.caller(), kept)
	return jsonv.Object{"permissions": permissions}, err
}

func (c *Call) patchActionPermissionsOf() (any, error) {
	permissions, err := c.api.actions.PatchPermissionsOf(c.Tx, c.caller(), c.params[0], c.params[1], c.Body)
	return jsonv.Object{"permissions": permissions}, err
}
