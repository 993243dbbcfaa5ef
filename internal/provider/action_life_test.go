package provider_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/provider"
)

const (
	actionAt   = "port_action.this"
	actionPath = "/v1/actions/scale"
	// acted is a catalog for actions.
	acted = `{"blueprints": [{"identifier": "service", "title": "Service",
	  "schema": {"properties": {"tier": {"type": "string"}, "expires": {"type": "string", "format": "timer"}}}}]}`
	scaled = `self_service_trigger = { operation = "CREATE" }`
)

// action writes an action over what every one has.
func action(blocks ...string) string {
	return "resource \"port_action\" \"this\" {\n  identifier = \"scale\"\n  " + strings.Join(blocks, "\n  ") + "\n}\n"
}

// stored is the action as Port holds it, without what only the server sets.
func (a *account) storedAction() jsonv.Object {
	a.t.Helper()
	document := jsonv.Map(a.Must(http.MethodGet, actionPath, nil), "action")
	for _, key := range []string{"id", "createdAt", "createdBy", "updatedAt", "updatedBy"} {
		delete(document, key)
	}
	return document
}

// holds checks a part of the stored action, written as JSON.
func (a *account) holds(want string, path ...string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		got, _ := jsonv.Get(a.storedAction(), path...)
		expected, err := jsonv.Decode([]byte(want))
		if err != nil {
			return err
		}
		if diff := cmp.Diff(expected, got); diff != "" {
			return fmt.Errorf("%v: %s", path, diff)
		}
		return nil
	}
}

// wholeForm has every attribute of a self-service trigger that Port's rules let
// stand together.
const wholeForm = `title = "Scale"
  icon = "Microservice"
  description = "Change the replica count"
  publish = false
  allow_anyone_to_view_runs = false
  required_approval = "ALL"
  approval_webhook_notification = { url = "https://chat.example.com/h", format = "slack" }
  self_service_trigger = {
    operation = "DAY-2"
    blueprint_identifier = "service"
    action_card_button_text = "Open it"
    execute_action_button_text = "Scale it"
    condition = <<-EOT
      { "type": "SEARCH", "rules": [ {"operator":"=" , "property": "tier", "value": "1"} ],
        "combinator": "and" }
    EOT
    titles = { net = { title = "Network", description = "Ports", visible_jq_query = ".form.name != null" }, more = { title = "More", visible = false } }
    steps = [
      { title = "Basics", order = ["name", "lang", "replicas"] },
      { title = "Network", order = ["net", "ports", "flag"], visible_jq_query = ".form.lang == \"go\"" },
      { title = "Rest", order = ["more", "options", "names", "flags", "objects", "token", "home"], visible = true },
    ]
    user_properties = {
      string_props = {
        name = { title = "Name", icon = "Box", description = "d", required = true, pattern = "^[a-z]+$", min_length = 2, max_length = 20, default = "svc", visible = true, disabled = false }
        lang = { enum = ["go", "python"], enum_colors = { go = "blue", python = "green" }, default = "go", depends_on = ["name"], disabled_jq_query = ".entity != null" }
        token = { encryption = "aes256-gcm", format = "multi-line", visible_jq_query = ".form.lang == \"python\"" }
        pin = { client_side_encryption = { algorithm = "client-side", key = "K" }, pattern_jq_query = "\"^a\"", enum_jq_query = "[\"a\"]", default_jq_query = "\"a\"" }
        home = {
          format = "entity"
          blueprint = "service"
          sort = { property = "$updatedAt", order = "DESC" }
          dataset = {
            combinator = "and"
            rules = [
              { property = "$team", operator = "containsAny", value = { jq_query = ".user.team" } },
              { property = "tier", operator = "=", value_json = jsonencode("1") },
              { combinator = "or", rules = [{ property = "tier", operator = "isEmpty" }, { blueprint = "service", operator = "relatedTo", value = { jq_query = "\"x\"" } }] },
            ]
          }
        }
      }
      number_props = {
        replicas = { required = true, default = 2.5, minimum = 1, maximum = 20, enum = [1, 2.5] }
        limit = { default_jq_query = ".form.replicas", enum_jq_query = "[1]", enum_colors = {} }
      }
      boolean_props = { flag = { default = false, title = "Flag" }, other = { default_jq_query = "true" } }
      object_props = {
        options = { default = jsonencode({ b = "<x>", a = [1, null] }), encryption = "aes256-gcm" }
        settings = { default_jq_query = "{}", client_side_encryption = { algorithm = "client-side", key = "K" } }
      }
      array_props = {
        ports = { min_items = 1, max_items_jq_query = "3", number_items = { default = [80, 443], enum = [80, 443, 8080] } }
        names = { sort = { property = "$title" }, string_items = { format = "entity", blueprint = "service", default = ["a"], enum_jq_query = "[\"a\"]", dataset = jsonencode({ combinator = "and", rules = [{ property = "tier", operator = "=", value = "1" }] }) } }
        flags = { boolean_items = { default = [true, false] }, required = true }
        objects = { object_items = { default = [{ a = "b" }] } }
        any = { default_jq_query = "[]", min_items_jq_query = "0", max_items = 4 }
      }
    }
  }
  webhook_method = {
    url = "https://ops.example.com/{{ .inputs.name }}"
    agent = "{{ .inputs.flag }}"
    synchronized = "true"
    method = "PATCH"
    headers = { RUN_ID = "{{ .run.id }}" }
    body = <<-EOT
      { "n": "{{ .inputs.replicas }}",   "big": 12345678901234567890, "html": "\u003c<" }
    EOT
  }`

// One action with everything goes, attribute by attribute, down to one with
// nothing, and back; it is imported whole, and every way of drift shows.
func TestActionLivesAWholeLifeBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		t.Helper()
		a := open(t, change)
		a.Seed(acted)
		bare := action(scaled, "kafka_method = {}")
		whole := action(wholeForm)
		a.run(
			resource.TestStep{PreConfig: a.Forget, Config: bare, Check: resource.ComposeTestCheckFunc(a.sent("POST /v1/actions"),
				resource.TestCheckResourceAttr(actionAt, "id", "scale"), resource.TestCheckNoResourceAttr(actionAt, "title"),
				a.holds(`{"identifier": "scale", "publish": true, "invocationMethod": {"type": "KAFKA"},
				  "trigger": {"type": "self-service", "operation": "CREATE", "userInputs": {"properties": {}}}}`))},
			resource.TestStep{Config: bare, ConfigPlanChecks: emptyPlan},
			resource.TestStep{ResourceName: actionAt, ImportState: true, ImportStateId: "scale", ImportStateVerify: true},
			resource.TestStep{PreConfig: a.Forget, Config: whole, Check: resource.ComposeTestCheckFunc(a.sent("PUT "+actionPath),
				a.holds(`["flags", "name", "replicas"]`, "trigger", "userInputs", "required"), a.holds(`"{{ .inputs.flag }}"`, "invocationMethod", "agent"),
				a.holds(`12345678901234567890`, "invocationMethod", "body", "big"), a.holds(`"1"`, "trigger", "userInputs", "properties", "home", "dataset", "rules", "1", "value"))},
			resource.TestStep{Config: whole, ConfigPlanChecks: emptyPlan},
			// Somebody changes a leaf deep in the form, and what is around it.
			resource.TestStep{
				PreConfig: func() {
					document := a.storedAction()
					jsonv.Map(document, "trigger", "userInputs", "properties", "lang")["enum"] = []any{"go", "rust"}
					a.Must(http.MethodPut, actionPath, document)
				},
				Config: whole, ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{only{actionAt, "self_service_trigger"}}},
				Check: a.holds(`["go", "python"]`, "trigger", "userInputs", "properties", "lang", "enum"),
			},
			resource.TestStep{
				PreConfig: func() {
					document := a.storedAction()
					for _, key := range []string{"requiredApproval", "approvalNotification", "title"} {
						delete(document, key)
					}
					a.Must(http.MethodPut, actionPath, document)
				},
				Config: whole, ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(actionAt, plancheck.ResourceActionUpdate)}},
				Check: resource.ComposeTestCheckFunc(a.holds(`"Scale"`, "title"), a.holds(`{"type": "ALL"}`, "requiredApproval"), a.holds(`"slack"`, "approvalNotification", "format")),
			},
			// Everything that was said is taken back.
			resource.TestStep{Config: bare, Check: a.holds(`{"identifier": "scale", "publish": true, "invocationMethod": {"type": "KAFKA"},
			  "trigger": {"type": "self-service", "operation": "CREATE", "userInputs": {"properties": {}}}}`)},
			resource.TestStep{Config: bare, ConfigPlanChecks: emptyPlan},
			// Another method, by hand: the plan shows it and puts it right.
			resource.TestStep{
				PreConfig: func() {
					document := a.storedAction()
					document["invocationMethod"] = jsonv.Object{"type": "WEBHOOK", "url": "https://elsewhere.example.com"}
					a.Must(http.MethodPut, actionPath, document)
				},
				Config: bare, ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(actionAt, plancheck.ResourceActionUpdate)}},
				Check: resource.ComposeTestCheckFunc(a.holds(`{"type": "KAFKA"}`, "invocationMethod"), resource.TestCheckNoResourceAttr(actionAt, "webhook_method.url")),
			},
			// Deleted by hand: the plan wants it back; destroying what is gone succeeds.
			resource.TestStep{PreConfig: func() { a.Must(http.MethodDelete, actionPath, nil) }, Config: bare,
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(actionAt, plancheck.ResourceActionCreate)}}},
			resource.TestStep{PreConfig: func() { a.Must(http.MethodDelete, actionPath, nil) }, Config: bare, Destroy: true},
		)
	})
}

// Each method and each trigger is made, plans empty, is imported as it stands, and
// gives way to the next in place.
func TestActionOfEveryKindConvergesLong(t *testing.T) {
	t.Parallel()
	workflow := `org = "acme", repo = "infra", workflow = "x.yml", workflow_inputs = jsonencode({ name = "{{ .inputs.name }}" }), report_workflow_status = "false"`
	methods := []string{
		`kafka_method = { payload = jsonencode([1, "{{ .run.id }}"]) }`,
		`webhook_method = { url = "https://x.example.com", agent = "true", synchronized = "false", headers = {} }`,
		`github_method = { ` + workflow + ` }`,
		`github_method = { org = "acme", repo = "infra", workflow = "y.yml", workflow_inputs = "{}" }`,
		`gitlab_method = { project_name = "p", group_name = "g", default_ref = "main", pipeline_variables = jsonencode({ a = 1 }) }`,
		`azure_method = { org = "acme", webhook = "hook", payload = jsonencode({ a = null }) }`,
		`upsert_entity_method = { blueprint_identifier = "service", title = "{{ .inputs.name }}", mapping = { identifier = "x", icon = "Box", teams = ["b", "a"], properties = jsonencode({ tier = "1" }), relations = "{}" } }`,
		`upsert_entity_method = { blueprint_identifier = "service", mapping = { teams_jq = "{{ .inputs.team }}" } }`,
		`upsert_entity_method = { blueprint_identifier = "service", title = "T" }`,
		`upsert_entity_method = { blueprint_identifier = "service", mapping = {} }`,
		`integration_method = { installation_id = "gh", integration_action_type = "dispatch_workflow", integration_action_execution_properties = { ` + workflow + ` } }`,
	}
	event := func(name, of string) string { return `automation_trigger = { ` + name + ` = { ` + of + ` } }` }
	const blueprint, run = `blueprint_identifier = "service"`, `action_identifier = "other"`
	triggers := []string{
		scaled, `self_service_trigger = { operation = "DELETE", blueprint_identifier = "service", user_properties = {}, required_jq_query = "[]" }`,
		`self_service_trigger = { operation = "CREATE", user_properties = { string_props = { a = {} }, number_props = {} }, titles = {}, steps = [] }`,
		event("entity_created_event", blueprint), event("entity_updated_event", blueprint), event("entity_deleted_event", blueprint), event("any_entity_change_event", blueprint),
		event("timer_property_expired_event", blueprint+`, property_identifier = "expires"`), event("run_created_event", run), event("run_updated_event", run),
		`automation_trigger = { any_run_change_event = { ` + run + ` }, jq_condition = { expressions = [".diff != null"], combinator = "or" } }`,
		`automation_trigger = { any_run_change_event = { ` + run + ` }, jq_condition = {} }`,
	}
	var kinds []string
	for _, m := range methods {
		kinds = append(kinds, action(scaled, m, "approval_email_notification = {}"))
	}
	for i, trigger := range triggers {
		kinds = append(kinds, action(trigger, methods[i%2], []string{`required_approval = "false"`, `required_approval = "true"`, `blueprint = ""`}[i%3]))
	}
	a := open(t)
	a.Seed(acted)
	var steps []resource.TestStep
	rand.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	for i, config := range kinds {
		if enough(steps) {
			break
		}
		expect := plancheck.ResourceActionUpdate
		if i == 0 {
			expect = plancheck.ResourceActionCreate
		}
		steps = append(steps,
			resource.TestStep{Config: config, ConfigPlanChecks: resource.ConfigPlanChecks{
				PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(actionAt, expect)}, PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}})
	}
	a.run(steps...)
}

// A renaming keeps the action: its runs, its permissions, its place.
func TestActionIsRenamedInPlace(t *testing.T) {
	t.Parallel()
	a := open(t)
	renamed := strings.Replace(action(scaled, "kafka_method = {}"), `"scale"`, `"scaled"`, 1)
	var id string
	a.run(
		resource.TestStep{Config: action(scaled, "kafka_method = {}"), Check: func(*terraform.State) error {
			id = jsonv.String(a.Must(http.MethodGet, actionPath, nil), "action", "id")
			return nil
		}},
		resource.TestStep{PreConfig: a.Forget, Config: renamed, Check: resource.ComposeTestCheckFunc(a.sent("PUT "+actionPath), resource.TestCheckResourceAttr(actionAt, "id", "scaled"),
			func(*terraform.State) error {
				if got := jsonv.String(a.Must(http.MethodGet, "/v1/actions/scaled", nil), "action", "id"); got != id {
					return fmt.Errorf("id %q, was %q", got, id)
				}
				return nil
			})},
		resource.TestStep{Config: renamed, ConfigPlanChecks: emptyPlan},
	)
}

// What the resource cannot say stays in Port: inputs and keys that it does not
// know.
func TestActionKeepsWhatItCannotSay(t *testing.T) {
	t.Parallel()
	a := open(t)
	config := func(title string) string {
		return action("title = \""+title+"\"", `self_service_trigger = { operation = "CREATE", user_properties = { string_props = { s = {} } } }`, "kafka_method = {}")
	}
	a.run(
		resource.TestStep{Config: config("A")},
		resource.TestStep{PreConfig: func() {
			document := a.storedAction()
			jsonv.Map(document, "trigger", "userInputs", "properties", "s")["spec"] = "open-api"
			a.Must(http.MethodPut, actionPath, document)
		}, Config: config("A"), ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: config("B"), Check: resource.ComposeTestCheckFunc(a.holds(`"B"`, "title"), a.holds(`"open-api"`, "trigger", "userInputs", "properties", "s", "spec"))},
	)
}

// An action that exists is announced and taken over, or left alone.
func TestActionThatExistsIsTakenOver(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Must(http.MethodPost, "/v1/actions", jsonv.Object{"identifier": "scale", "title": "Theirs", "invocationMethod": jsonv.Object{"type": "KAFKA"},
		"trigger": jsonv.Object{"type": "self-service", "operation": "CREATE", "userInputs": jsonv.Object{"properties": jsonv.Object{}}}})
	a.run(
		resource.TestStep{Config: "provider \"port\" {\n on_existing = \"fail\"\n}\n" + action(scaled, "kafka_method = {}"), ExpectError: match("Action scale already exists")},
		resource.TestStep{Config: action(scaled, "kafka_method = {}"), Check: func(*terraform.State) error {
			if title, there := a.storedAction()["title"]; there {
				return fmt.Errorf("the title stays: %v", title)
			}
			return nil
		}},
	)
}

// What Port refuses is shown at the attribute that it is about.
func TestActionFaultsPointAtTheAttribute(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(acted)
	for config, want := range map[string]string{
		action(`self_service_trigger = { operation = "CREATE", user_properties = { string_props = { s = { format = "holiday" } } } }`, "kafka_method = {}"):       `self_service_trigger.user_properties.string_props\["s"\].format`,
		action(`automation_trigger = { timer_property_expired_event = { blueprint_identifier = "service", property_identifier = "tier" } }`, "kafka_method = {}"): `automation_trigger.timer_property_expired_event.property_identifier`,
		action(scaled, "kafka_method = {}", `approval_webhook_notification = { url = "no address" }`):                                                             `approval_webhook_notification.url`,
		action(`self_service_trigger = { operation = "CREATE", blueprint_identifier = "nothing" }`, "kafka_method = {}"):                                          `nothing`,
	} {
		a.run(resource.TestStep{Config: config, ExpectError: regexp.MustCompile(`(?s)` + want)})
	}
}

// Mistakes are found without a server.
func TestActionMistakesAreFoundOffline(t *testing.T) {
	t.Parallel()
	form := func(inputs string) string {
		return `self_service_trigger = { operation = "CREATE", user_properties = { ` + inputs + ` } }, kafka_method = {}`
	}
	with := func(method string) string { return scaled + ", " + method }
	for name, c := range map[string]struct{ body, want string }{
		"no trigger":                 {`kafka_method = {}`, `self_service_trigger`},
		"two triggers":               {scaled + `, automation_trigger = { run_created_event = { action_identifier = "a" } }, kafka_method = {}`, `exactly one`},
		"no method":                  {scaled, `kafka_method`},
		"two methods":                {with(`kafka_method = {}, webhook_method = { url = "u" }`), `exactly one`},
		"no event":                   {`automation_trigger = {}, kafka_method = {}`, `entity_created_event`},
		"two notifications":          {with(`kafka_method = {}, approval_email_notification = {}, approval_webhook_notification = { url = "u" }`), `at most one`},
		"approval":                   {with(`kafka_method = {}, required_approval = "yes"`), `ANY`},
		"former blueprint":           {with(`kafka_method = {}, blueprint = "b"`), `blueprint`},
		"operation":                  {`self_service_trigger = { operation = "DAY2" }, kafka_method = {}`, `DAY-2`},
		"a key in two maps":          {form(`string_props = { k = {} }, number_props = { k = {} }`), `"k"`},
		"a key with a blank":         {form(`string_props = { "a b" = {} }`), `a b`},
		"two kinds of items":         {form(`array_props = { k = { string_items = {}, number_items = {} } }`), `at most one`},
		"two defaults":               {form(`string_props = { k = { default = "a", default_jq_query = ".a" } }`), `at most one`},
		"two defaults of a list":     {form(`array_props = { k = { default_jq_query = ".a", string_items = { default = [] } } }`), `default_jq_query`},
		"two encryptions":            {form(`string_props = { k = { encryption = "aes256-gcm", client_side_encryption = { algorithm = "client-side", key = "K" } } }`), `at most one`},
		"required is false":          {form(`string_props = { k = { required = false } }`), `must be true`},
		"required twice":             {`self_service_trigger = { operation = "CREATE", required_jq_query = "[]", user_properties = { array_props = { k = { required = true } } } }, kafka_method = {}`, `array_props\["k"\].required`},
		"order and steps":            {`self_service_trigger = { operation = "CREATE", order_properties = [], steps = [] }, kafka_method = {}`, `order_properties`},
		"long step":                  {`self_service_trigger = { operation = "CREATE", steps = [{ title = "abcdefghijklmnopqrstuvwxyz", order = [] }] }, kafka_method = {}`, `25`},
		"default not in enum":        {form(`string_props = { k = { enum = ["a"], default = "b" } }`), `not in enum`},
		"number not in enum":         {form(`number_props = { k = { enum = [1], default = 2 } }`), `not in enum`},
		"item not in enum":           {form(`array_props = { k = { number_items = { enum = [1], default = [1, 2] } } }`), `default\[1\]`},
		"default beside pattern":     {form(`string_props = { k = { default = "ab", pattern = "^b" } }`), `does not match the pattern`},
		"great default":              {form(`number_props = { k = { default = 2, maximum = 1.5 } }`), `2, and maximum is 1.5`},
		"too few items":              {form(`array_props = { k = { min_items = 2, string_items = { default = ["a"] } } }`), `1 items, and min_items is 2`},
		"object default":             {form(`object_props = { k = { default = "[]" } }`), `JSON object`},
		"bad pattern":                {form(`string_props = { k = { pattern = "(" } }`), `regular expression`},
		"no enum":                    {form(`string_props = { k = { enum = [] } }`), `at least 1`},
		"enum twice":                 {form(`number_props = { k = { enum = [1, 1] } }`), `duplicate`},
		"entity of nothing":          {form(`string_props = { k = { format = "entity" } }`), `needs the blueprint`},
		"entities of nothing":        {form(`array_props = { k = { string_items = { format = "entity" } } }`), `needs the blueprint`},
		"group with a property":      {form(`string_props = { k = { dataset = { combinator = "and", rules = [{ combinator = "or", property = "p", rules = [] }] } } }`), `is a group`},
		"rules without a combinator": {form(`string_props = { k = { dataset = { combinator = "and", rules = [{ rules = [{ property = "p" }] }] } } }`), `needs a combinator`},
		"rule with two values":       {form(`string_props = { k = { dataset = { combinator = "and", rules = [{ property = "p", operator = "=", value = { jq_query = "." }, value_json = "1" }] } } }`), `excludes`},
		"combinator":                 {form(`string_props = { k = { dataset = { combinator = "xor", rules = [] } } }`), `combinator`},
		"short button":               {`self_service_trigger = { operation = "CREATE", execute_action_button_text = "x" }, kafka_method = {}`, `execute_action_button_text`},
		"condition":                  {`self_service_trigger = { operation = "DAY-2", blueprint_identifier = "b", condition = "{" }, kafka_method = {}`, `condition`},
		"flag":                       {with(`webhook_method = { url = "u", agent = "yes" }`), `true`},
		"no address":                 {with(`webhook_method = { url = "" }`), `must not be empty`},
		"method":                     {with(`webhook_method = { url = "u", method = "FETCH" }`), `PATCH`},
		"open template":              {with(`webhook_method = { url = "u", body = jsonencode({ a = ["{{ .x"] }) }`), `has no "}}" after it`},
		"template in a template":     {with(`webhook_method = { url = "{{ {{ .x }} }}" }`), `inside of another`},
		"braces in a key":            {with(`kafka_method = { payload = jsonencode({ "a }}" = 1 }) }`), `before it`},
		"payload":                    {with(`kafka_method = { payload = "1" }`), `object or array`},
		"inputs of a workflow":       {with(`github_method = { org = "o", repo = "r", workflow = "w", workflow_inputs = "[]" }`), `JSON object`},
		"variables":                  {with(`gitlab_method = { project_name = "p", group_name = "g", pipeline_variables = "\"x\"" }`), `JSON object`},
		"bad text":                   {with(`azure_method = { org = "o", webhook = "w", payload = "{" }`), `line 1`},
		"two teams":                  {with(`upsert_entity_method = { blueprint_identifier = "b", mapping = { teams = [], teams_jq = "x" } }`), `at most one`},
		"properties":                 {with(`upsert_entity_method = { blueprint_identifier = "b", mapping = { properties = "[]" } }`), `JSON object`},
		"identifier":                 {with(`kafka_method = {}, title = "T", identifier = "a/b"`), `Invalid identifier`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := c.body
			if !strings.Contains(body, "identifier = \"a/b\"") {
				body = `identifier = "a", ` + body
			}
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: servers(provider.Options{Transport: unreachable{}, Getenv: environment(map[string]string{
					"PORT_CLIENT_ID": "x", "PORT_CLIENT_SECRET": "x", "PORT_BASE_URL": portaltest.Embedded,
				})}),
				Steps: []resource.TestStep{{
					Config: "resource \"port_action\" \"this\" {\n  " + lines(body) + "\n}", PlanOnly: true,
					ExpectError: regexp.MustCompile(`(?s)` + strings.ReplaceAll(c.want, " ", `[\s│]+`)),
				}},
			})
		})
	}
}
