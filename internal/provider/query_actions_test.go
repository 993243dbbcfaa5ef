package provider_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// automated is a yard with automations beside its actions scale and ask, one of
// them not published, and a policy on one of the actions.
func automated(t *testing.T) *yard {
	t.Helper()
	y := startYard(t)
	for i, a := range []jsonv.Object{
		{"identifier": "watch", "publish": true, "trigger": jsonv.Object{"type": "automation", "event": jsonv.Object{"type": "ENTITY_UPDATED", "blueprintIdentifier": "service"}}},
		{"identifier": "follow", "publish": false, "trigger": jsonv.Object{"type": "automation", "event": jsonv.Object{"type": "RUN_UPDATED", "actionIdentifier": "scale"}}},
		{"identifier": "make", "title": "Make", "icon": "Go", "description": "d", "requiredApproval": jsonv.Object{"type": "ALL"}, "allowAnyoneToViewRuns": false,
			"trigger": jsonv.Object{"type": "self-service", "operation": "CREATE", "userInputs": jsonv.Object{"properties": jsonv.Object{"name": jsonv.Object{"type": "string", "title": "<N>"}}, "required": []any{"name"}}}},
	} {
		y.Advance(time.Second) // they are listed by age
		a["invocationMethod"] = jsonv.Object{"type": "KAFKA", "payload": jsonv.Object{"n": jsonv.Int(i)}}
		y.Must(http.MethodPost, "/v1/actions", a)
	}
	y.Must(http.MethodPatch, "/v1/actions/make/permissions", jsonv.Object{
		"execute": jsonv.Object{"roles": []any{"Member"}, "ownedByTeam": true},
		"approve": jsonv.Object{"users": []any{"boss@x.io"}, "policy": jsonv.Object{
			"queries":    jsonv.Object{"all": jsonv.Object{"combinator": "and", "rules": []any{jsonv.Object{"property": "$blueprint", "operator": "=", "value": "service"}}}},
			"conditions": []any{".results.all.entities | length > 0"},
		}},
	})
	return y
}

func TestActionsAreFoundByWhatTheyAre(t *testing.T) {
	t.Parallel()
	y := automated(t)
	var config strings.Builder
	var checks []statecheck.StateCheck
	for name, c := range map[string]struct{ arguments, want string }{
		"all":         {``, "ask scale watch follow make"},
		"named":       {`identifiers = ["nobody", "make"]`, "make"},
		"among_many":  {`identifiers = concat(["make", "ask"], [for i in range(300) : "no${i}"])`, "ask make"},
		"none":        {`identifiers = []`, ""},
		"blueprint":   {`blueprints = ["service", "nothing"]`, "ask scale watch"},
		"operation":   {`operations = ["CREATE", "DELETE"]`, "make"},
		"published":   {`published = true`, "watch"},
		"unpublished": {`published = false`, "follow"},
		"forms":       {`trigger_type = "self-service"`, "ask scale make"},
		"automations": {`trigger_type = "automation"`, "watch follow"},
		"event":       {`trigger_events = ["ENTITY_UPDATED", "ENTITY_DELETED"]`, "watch"},
		"runs_of":     {`event_actions = ["scale"]`, "follow"},
		"all_at_once": {"trigger_type = \"automation\"\npublished = true\nblueprints = [\"service\"]\ntrigger_events = [\"ENTITY_UPDATED\"]", "watch"},
	} {
		fmt.Fprintf(&config, "data \"port_actions\" %q {\n  %s\n}\noutput %q {\n  value = join(\" \", data.port_actions.%s.actions[*].identifier)\n}\n", name, c.arguments, name, name)
		checks = append(checks, statecheck.ExpectKnownOutputValue(name, knownvalue.StringExact(c.want)))
	}
	const later = "resource \"port_action\" \"new\" {\n  identifier = \"new\"\n  self_service_trigger = { operation = \"CREATE\" }\n  kafka_method = {}\n}\n" +
		"data \"port_actions\" \"later\" {\n  identifiers = [port_action.new.id]\n}\n" +
		"data \"port_action\" \"later\" {\n  identifier = port_action.new.id\n}\n" +
		"data \"port_action_permissions\" \"later\" {\n  action_identifier = port_action.new.id\n}\n"
	y.account.run(
		resource.TestStep{Config: config.String(), ConfigStateChecks: checks},
		// What is not known when planning is asked when it is.
		resource.TestStep{Config: later, Check: resource.ComposeTestCheckFunc(
			resource.TestCheckResourceAttr("data.port_actions.later", "actions.0.identifier", "new"), resource.TestCheckResourceAttr("data.port_action.later", "publish", "true"),
			resource.TestCheckResourceAttr("data.port_action_permissions.later", "permissions.approve.roles.0", "Admin"),
		)},
		resource.TestStep{Config: data("port_actions", `operations = ["UPDATE"]`), ExpectError: match("DAY-2")},
		resource.TestStep{Config: data("port_action", `identifier = "nothing"`), ExpectError: match("Could not find action nothing")},
		resource.TestStep{Config: data("port_action_permissions", `action_identifier = "nothing"`), ExpectError: match("Could not find action permissions nothing")},
	)
}

func data(typ, body string) string { return fmt.Sprintf("data %q \"this\" {\n  %s\n}\n", typ, body) }

func TestActionsAreShownWhole(t *testing.T) {
	t.Parallel()
	y := automated(t)
	attribute := resource.TestCheckResourceAttr
	y.account.run(resource.TestStep{
		Config: data("port_actions", `identifiers = ["make", "follow", "watch"]`) + data("port_action", `identifier = "make"`) + data("port_action_permissions", `action_identifier = "make"`) +
			"data \"port_action\" \"watch\" {\n  identifier = \"watch\"\n}\n" +
			"output \"method\" {\n  value = [for a in data.port_actions.this.actions : jsondecode(a.document).invocationMethod.payload.n]\n}\n" +
			"output \"title\" {\n  value = jsondecode(data.port_actions.this.actions[2].document).trigger.userInputs.properties.name.title\n}\n" +
			"output \"policy\" {\n  value = jsondecode(data.port_action_permissions.this.permissions.approve.policy).conditions[0]\n}\n",
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownOutputValue("method", knownvalue.ListExact([]knownvalue.Check{knownvalue.Int64Exact(0), knownvalue.Int64Exact(1), knownvalue.Int64Exact(2)})),
			statecheck.ExpectKnownOutputValue("title", knownvalue.StringExact("<N>")),
			statecheck.ExpectKnownOutputValue("policy", knownvalue.StringExact(".results.all.entities | length > 0")),
		},
		Check: resource.ComposeTestCheckFunc(
			everything("data.port_actions.this", map[string]string{
				"actions.#": "3", "actions.0.id": "watch", "actions.0.trigger_type": "automation", "actions.0.trigger_event": "ENTITY_UPDATED", "actions.0.blueprint": "service",
				"actions.0.publish": "true", "actions.1.trigger_event": "RUN_UPDATED", "actions.1.event_action": "scale", "actions.1.publish": "false",
				"actions.2.title": "Make", "actions.2.icon": "Go", "actions.2.description": "d", "actions.2.required_approval": "ALL", "actions.2.allow_anyone_to_view_runs": "false",
				"actions.2.trigger_type": "self-service", "actions.2.operation": "CREATE", "actions.2.method_type": "KAFKA",
				"actions.2.created_by": y.ClientID, "actions.2.updated_by": y.ClientID, "actions.2.created_at": "2024-01-01 00:00:03 +0000 UTC",
			}),
			resource.TestCheckNoResourceAttr("data.port_actions.this", "actions.1.blueprint"), resource.TestCheckNoResourceAttr("data.port_actions.this", "actions.0.operation"),
			everything("data.port_action.this", map[string]string{
				"id": "make", "title": "Make", "icon": "Go", "description": "d", "required_approval": "ALL", "publish": "true", "allow_anyone_to_view_runs": "false",
				"self_service_trigger.operation": "CREATE", "self_service_trigger.user_properties.string_props.name.title": "<N>",
				"self_service_trigger.user_properties.string_props.name.required": "true", "kafka_method.payload": `{"n":2}`,
			}),
			everything("data.port_action.watch", map[string]string{"automation_trigger.entity_updated_event.blueprint_identifier": "service"}),
			everything("data.port_action_permissions.this", map[string]string{
				"id": "make", "permissions.execute.roles.0": "Member", "permissions.execute.owned_by_team": "true", "permissions.approve.users.0": "boss@x.io",
			}),
			attribute("data.port_action_permissions.this", "permissions.execute.users.#", "0"), resource.TestCheckNoResourceAttr("data.port_action_permissions.this", "permissions.execute.policy"),
			resource.TestCheckNoResourceAttr("data.port_action.this", "blueprint"),
		),
	})
}

// everything wants attributes of one resource.
func everything(at string, want map[string]string) resource.TestCheckFunc {
	var checks []resource.TestCheckFunc
	for name, v := range want {
		checks = append(checks, resource.TestCheckResourceAttr(at, name, v))
	}
	return resource.ComposeAggregateTestCheckFunc(checks...)
}
