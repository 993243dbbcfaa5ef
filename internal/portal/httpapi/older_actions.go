package httpapi

import (
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/runs"
)

// olderActions are the routes of a blueprint's actions (reference/actions.md §9.1).
func olderActions() []route {
	return []route{
		{method: get, pattern: "/v1/blueprints/{blueprint}/actions", scope: access.ReadActions, tx: reads, older: true, handler: (*Call).listActionsOf},
		{method: post, pattern: "/v1/blueprints/{blueprint}/actions", scope: access.CreateActions, tx: writes, body: true, older: true, handler: (*Call).createActionOf},
		{method: put, pattern: "/v1/blueprints/{blueprint}/actions", scope: access.UpdateActions, tx: writes, body: true, older: true, handler: (*Call).putActionsOf},
		{method: get, pattern: "/v1/blueprints/{blueprint}/actions/{action}", scope: access.ReadActions, tx: reads, older: true, handler: (*Call).readActionOf},
		{method: put, pattern: "/v1/blueprints/{blueprint}/actions/{action}", scope: access.UpdateActions, tx: writes, body: true, older: true, handler: (*Call).putActionOf},
		{method: remove, pattern: "/v1/blueprints/{blueprint}/actions/{action}", scope: access.DeleteActions, tx: writes, older: true, handler: (*Call).deleteActionOf},
		{method: get, pattern: "/v1/blueprints/{blueprint}/actions/{action}/permissions", scope: access.ReadActions, tx: reads, older: true, handler: (*Call).actionPermissionsOf},
		{method: patch, pattern: "/v1/blueprints/{blueprint}/actions/{action}/permissions", tx: writes, body: true, older: true, handler: (*Call).patchActionPermissionsOf},
		{method: post, pattern: "/v1/blueprints/{blueprint}/actions/{action}/runs", tx: writes, body: true, older: true, programs: true, handler: (*Call).executeActionOf},
		{method: post, pattern: "/v1/blueprints/{blueprint}/entities/{entity}/actions/{action}/runs", tx: writes, body: true, older: true, programs: true, handler: (*Call).executeActionOn},
	}
}

// withoutOlder makes the older routes answer as a server that has dropped them.
func withoutOlder(routes []route) []route {
	for i, r := range routes {
		if r.older {
			routes[i] = route{method: r.method, pattern: r.pattern, gone: true}
		}
	}
	return routes
}

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

func (c *Call) executeActionOf() (any, error) {
	return c.executeOlder(c.params[1], runs.Target{Blueprint: c.params[0]})
}

func (c *Call) executeActionOn() (any, error) {
	return c.executeOlder(c.params[2], runs.Target{Blueprint: c.params[0], Entity: c.params[1]})
}

func (c *Call) executeOlder(action string, of runs.Target) (any, error) {
	c.deliver()
	return run(c.api.runs.Execute(c.ctx, c.Tx, runs.Order{Caller: c.runner(), Action: action, Body: c.Body, RunAs: c.text("run_as"), Of: &of, Draft: c.draft}))
}
