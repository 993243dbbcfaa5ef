package httpapi

import (
	"net/http"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/actions"
	"github.com/portlens/terraform-provider-port/internal/portal/template"
)

func (c *Call) caller() actions.Caller { return actions.Caller{Actor: c.Actor, User: c.Who.User} }

func (c *Call) actionDocument() actions.Document {
	return actions.Document{Body: c.Body, Order: template.OrderOf(c.sent, "invocationMethod"), Version: c.text("version")}
}

func (c *Call) listActions() (any, error) {
	published := strings.ToLower(c.text("published"))
	if published != "true" && published != "false" {
		published = ""
	}
	list, err := c.api.actions.List(c.Tx, c.caller(), actions.Filter{
		Identifiers: c.list("action_identifier"), Blueprints: c.list("blueprint_identifier"), Operations: c.list("operation"),
		Published: published, Trigger: c.text("trigger_type"), Events: c.list("trigger_event"),
		EventActions: c.list("trigger_event_action_identifier"), Version: c.text("version"),
	})
	return jsonv.Object{"actions": list}, err
}

func (c *Call) createAction() (any, error) {
	c.status = http.StatusCreated
	action, err := c.api.actions.Create(c.Tx, c.caller(), c.actionDocument())
	return jsonv.Object{"action": action}, err
}

func (c *Call) readAction() (any, error) {
	action, err := c.api.actions.Read(c.Tx, c.caller(), c.params[0], c.text("version"))
	return jsonv.Object{"action": action}, err
}

func (c *Call) putAction() (any, error) {
	action, err := c.api.actions.Put(c.Tx, c.caller(), c.params[0], c.actionDocument())
	return jsonv.Object{"action": action}, err
}

func (c *Call) deleteAction() (any, error) {
	return nil, c.api.actions.Delete(c.Tx, c.caller(), c.params[0])
}

func (c *Call) actionPermissions() (any, error) {
	permissions, err := c.api.actions.Permissions(c.Tx, c.caller(), c.params[0])
	return jsonv.Object{"permissions": permissions}, err
}

func (c *Call) patchActionPermissions() (any, error) {
	permissions, err := c.api.actions.PatchPermissions(c.Tx, c.caller(), c.params[0], c.Body)
	return jsonv.Object{"permissions": permissions}, err
}
