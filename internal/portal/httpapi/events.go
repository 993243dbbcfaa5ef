package httpapi

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/events"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

func (c *Call) auditLog() (any, error) {
	audits, err := c.api.events.List(c.Tx, c.Who.Org, c.api.catalog.Sight(c.ctx, c.Tx, c.Actor), events.Filter{
		Identifier: c.text("identifier"), Entity: c.text("entity"), Blueprint: c.text("blueprint"), Run: c.text("run_id"),
		Webhook: c.text("webhookId"), WebhookEvent: c.text("webhookEventId"), Installation: c.text("InstallationId"),
		From: c.text("from"), To: c.text("to"), Action: c.text("action"), Status: c.text("status"), ActionType: c.text("actionType"),
		Limit: c.text("limit"), Origins: c.list("origin"), Resources: c.list("resources"), Includes: c.list("includes"),
		DeletedEntities: c.flag("include_deleted_entities"),
	})
	return jsonv.Object{"audits": audits}, err
}

// recordRefusal makes a record of a write that was refused
// (reference/catalog.md §7 U5). The write's transaction is gone, so this takes one
// of its own. A validation writes nothing, whatever it finds.
func (x *exchange) recordRefusal(err error) {
	var f *fault.Fault
	resource := x.route.resource()
	if x.route.tx != writes || resource == "" || x.call.flag("validation_only") || !errors.As(err, &f) ||
		f.Status >= http.StatusInternalServerError || f.Status == http.StatusUnauthorized || f.Status == http.StatusTooManyRequests {
		return
	}
	e := catalog.Event{
		Action: x.route.change(), Resource: resource, Blueprint: x.param("{blueprint}"), Entity: x.param("{entity}"),
		RunID: x.call.text("run_id"), Message: f.Message,
	}
	if user := x.param("{user}"); user != "" || strings.HasPrefix(x.route.pattern, "/v1/users") {
		// Users are entities, by whichever route they are written.
		e.Blueprint, e.Entity = "_user", ident.Email(cmp.Or(user, jsonv.String(x.call.Body, "invitee", "email")))
	}
	if action := x.param("{action}"); resource == "run" && action != "" {
		e.Entity = cmp.Or(e.Entity, jsonv.String(x.call.Body, "entity"))
		e.Context, e.Additional = jsonv.Object{"action": action}, jsonv.Object{"actionType": "self-service"}
	} else if e.Action == "CREATE" {
		switch name := jsonv.String(x.call.Body, "identifier"); {
		case resource == "blueprint":
			e.Blueprint = name
		case e.Entity == "":
			e.Entity = name
		}
	}
	ctx := context.WithoutCancel(x.call.ctx)
	err = x.api.store.Update(ctx, func(tx store.Tx) error {
		return x.api.catalog.Refused(ctx, tx, x.call.Actor, e, x.call.flag("upsert"))
	})
	if err != nil {
		x.api.log.Error("a refused write is not recorded", "trace", x.trace, "error", err.Error())
	}
}

// param is the value of a path parameter, "" when the route has none of the name.
func (x *exchange) param(name string) string {
	at := 0
	for _, segment := range x.route.segments {
		if !isParam(segment) {
			continue
		}
		if segment == name {
			return x.call.params[at]
		}
		at++
	}
	return ""
}

// resource is what a route writes, as audit records call it; "" is nothing that
// they tell of.
func (r *route) resource() string {
	parts := strings.Split(strings.TrimPrefix(r.pattern, "/v1/"), "/")
	has := func(names ...string) bool {
		for _, part := range parts {
			for _, name := range names {
				if part == name {
					return true
				}
			}
		}
		return false
	}
	switch {
	case parts[0] == "users":
		return "entity"
	case has("permissions", "users", "teams", "apps", "system"):
		return ""
	case has("runs"):
		return "run"
	case has("actions"):
		return "action"
	case has("scorecards"):
		return "scorecard"
	case has("entities", "all-entities"):
		return "entity"
	}
	return map[string]string{"blueprints": "blueprint", "webhooks": "webhook", "integration": "integration"}[parts[0]]
}

// change is what a route does to its resource.
func (r *route) change() string {
	switch {
	case r.method == remove, strings.HasSuffix(r.pattern, "/delete"):
		return "DELETE"
	case r.method == post:
		return "CREATE"
	}
	return "UPDATE"
}

func (c *Call) aggregateOverTime() (any, error) {
	result, err := c.api.catalog.AggregateOverTime(c.ctx, c.Tx, c.Actor, c.Body)
	return jsonv.Object{"result": result}, err
}

func (c *Call) propertiesHistory() (any, error) {
	result, err := c.api.events.History(c.ctx, c.Tx, c.api.catalog, c.Actor, c.Body)
	return jsonv.Object{"result": result}, err
}
