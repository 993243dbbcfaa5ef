package provider_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// The literal documents of the requirement (reference/actions.md §1.1 and §1.6), and
// the same in Terraform.
const (
	currentSample = `{
  "identifier": "scale_service", "title": "Scale", "icon": "Microservice", "description": "Change replica count",
  "trigger": {
    "type": "self-service", "operation": "DAY-2", "blueprintIdentifier": "service",
    "userInputs": {
      "properties": {"replicas": {"type": "number", "title": "Replicas", "default": 2, "minimum": 1, "maximum": 20}},
      "required": ["replicas"], "order": ["replicas"]
    },
    "condition": {"type": "SEARCH", "combinator": "and", "rules": [{"property": "tier", "operator": "=", "value": "1"}]},
    "actionCardButtonText": "Open", "executeActionButtonText": "Scale"
  },
  "invocationMethod": {"type": "WEBHOOK", "url": "https://ops.example.com/scale", "method": "POST", "synchronized": false,
                       "headers": {"RUN_ID": "{{ .run.id }}"}, "body": {"n": "{{ .inputs.replicas }}", "svc": "{{ .entity.identifier }}"}},
  "requiredApproval": {"type": "ANY"}, "approvalNotification": {"type": "webhook", "url": "https://chat.example.com/h", "format": "slack"},
  "publish": true, "allowAnyoneToViewRuns": true
}`
	olderPath   = "/v1/blueprints/service/actions"
	olderSample = `{"identifier": "unique_id", "title": "Title", "icon": "Icon",
 "userInputs": {"properties": {"p1": {"type": "string", "title": "P1", "default": "x"}, "p2": {"type": "number", "title": "P2", "default": 5}},
                "required": [], "order": ["p1", "p2"]},
 "invocationMethod": {"type": "WEBHOOK", "url": "https://example.com"},
 "trigger": "CREATE", "description": "…", "requiredApproval": false, "approvalNotification": {"type": "email"}}`
	bothInTerraform = `
resource "port_action" "current" {
  identifier  = "scale_service"
  title       = "Scale"
  icon        = "Microservice"
  description = "Change replica count"

  self_service_trigger = {
    operation            = "DAY-2"
    blueprint_identifier = "service"
    user_properties = {
      number_props = { replicas = { title = "Replicas", default = 2, minimum = 1, maximum = 20, required = true } }
    }
    order_properties           = ["replicas"]
    condition                  = jsonencode({ type = "SEARCH", combinator = "and", rules = [{ property = "tier", operator = "=", value = "1" }] })
    action_card_button_text    = "Open"
    execute_action_button_text = "Scale"
  }

  webhook_method = {
    url          = "https://ops.example.com/scale"
    method       = "POST"
    synchronized = "false"
    headers      = { RUN_ID = "{{ .run.id }}" }
    body         = jsonencode({ n = "{{ .inputs.replicas }}", svc = "{{ .entity.identifier }}" })
  }

  required_approval             = "ANY"
  approval_webhook_notification = { url = "https://chat.example.com/h", format = "slack" }
  publish                       = true
  allow_anyone_to_view_runs     = true
}

# What was made on the blueprint's route has the blueprint before its identifier, and
# the message that its backend was always sent.
resource "port_action" "older" {
  identifier  = "service_unique_id"
  title       = "Title"
  icon        = "Icon"
  description = "…"

  self_service_trigger = {
    operation            = "CREATE"
    blueprint_identifier = "service"
    user_properties = {
      string_props = { p1 = { title = "P1", default = "x" } }
      number_props = { p2 = { title = "P2", default = 5 } }
    }
    order_properties = ["p1", "p2"]
  }

  webhook_method = {
    url = "https://example.com"
    body = jsonencode({
      action       = "{{ .action.identifier[(\"service_\"|length):] }}"
      resourceType = "run"
      status       = "TRIGGERED"
      trigger      = "{{ .trigger | {by, origin, at} }}"
      context      = { entity = "{{ .entity.identifier }}", blueprint = "{{ .action.blueprint }}", runId = "{{ .run.id }}" }
      payload = {
        entity = "{{ (if .entity == {} then null else .entity end) }}"
        action = { invocationMethod = { type = "WEBHOOK", url = "https://example.com" }, trigger = "{{ .trigger.operation }}" }
        properties = {
          "{{ if (.inputs | has(\"p1\")) then \"p1\" else null end }}" = "{{ .inputs.\"p1\" }}"
          "{{ if (.inputs | has(\"p2\")) then \"p2\" else null end }}" = "{{ .inputs.\"p2\" }}"
        }
        censoredProperties = "{{ .action.encryptedProperties }}"
      }
    })
  }

  required_approval           = "false"
  approval_email_notification = {}
}
`
	// The other documents that the reference writes out (§1.3, §2.1, §3.1), with what an
	// action needs around them.
	otherSamples = `{"actions": [
  {"identifier": "watch", "trigger": {"type": "automation",
 "event": {"type": "ENTITY_UPDATED", "blueprintIdentifier": "service"},
 "condition": {"type": "JQ", "expressions": [".diff.after.properties.tier == \"1\""], "combinator": "and"}}, "invocationMethod": {"type": "KAFKA"}},
  {"identifier": "form", "invocationMethod": {"type": "WEBHOOK", "url": "https://ops.example.com/form"}, "trigger": {"type": "self-service", "operation": "CREATE", "blueprintIdentifier": "service", "userInputs":
{"properties": {
   "name": {"type": "string", "title": "Name", "pattern": "^[a-z][a-z0-9-]+$", "minLength": 3, "maxLength": 40},
   "lang": {"type": "string", "enum": ["go", "python"], "enumColors": {"go": "blue", "python": "green"}, "default": "go"},
   "owner": {"type": "string", "format": "user", "default": {"jqQuery": ".user.email"}},
   "domain": {"type": "string", "format": "entity", "blueprint": "domain", "sort": {"property": "$updatedAt", "order": "DESC"},
              "dataset": {"combinator": "and", "rules": [{"property": "$team", "operator": "containsAny", "value": {"jqQuery": ".user.team"}}]}},
   "system": {"type": "string", "format": "entity", "blueprint": "system", "dependsOn": ["domain"],
              "dataset": {"combinator": "and", "rules": [{"property": "$identifier", "operator": "in", "value": {"jqQuery": ".form.domain.relations.systems"}}]}},
   "ports": {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": {"jqQuery": "if .form.lang == \"go\" then 1 else 3 end"}},
   "token": {"type": "string", "encryption": "aes256-gcm", "visible": {"jqQuery": ".form.lang == \"python\""}}},
 "required": {"jqQuery": "if .form.lang == \"python\" then [\"name\", \"token\"] else [\"name\"] end"},
 "titles": {"net": {"title": "Network", "description": "Ports", "visible": true}},
 "steps": [{"title": "Basics", "order": ["name", "lang", "owner", "domain", "system"]}, {"title": "Details", "order": ["net", "ports", "token"], "visible": true}]}}},
  {"identifier": "upsert", "trigger": {"type": "self-service", "operation": "DAY-2", "blueprintIdentifier": "service", "userInputs": {"properties": {"name": {"type": "string"}, "size": {"type": "number"}}}}, "invocationMethod":
{"type": "UPSERT_ENTITY", "blueprintIdentifier": "devenv",
 "mapping": {"identifier": "{{ .inputs.name }}", "title": "{{ .inputs.name }}", "team": ["core"], "icon": "Cloud",
             "properties": {"ttl": "{{ now + 86400 | todate }}", "size": "{{ .inputs.size }}"}, "relations": {"service": "{{ .entity.identifier }}"}}}},
  {"identifier": "integrated", "trigger": {"type": "self-service", "operation": "CREATE", "blueprintIdentifier": "service", "userInputs": {"properties": {"name": {"type": "string"}}}}, "invocationMethod":
{"type": "INTEGRATION_ACTION", "installationId": "gh-1", "integrationActionType": "dispatch_workflow",
 "integrationActionExecutionProperties": {"org": "acme", "repo": "infra", "workflow": "create.yml", "workflowInputs": {"name": "{{ .inputs.name }}", "port_run_id": "{{ .run.id }}"}, "reportWorkflowStatus": true}}}
]}`
	seedCatalog = `{"blueprints": [{"identifier": "service", "title": "Service", "schema": {"properties": {
	  "tier": {"type": "string"}, "tag": {"type": "string"}, "replicas": {"type": "number"}, "ttl": {"type": "string", "format": "timer"}}, "required": []}},
	  {"identifier": "devenv", "title": "Environment", "ownership": {"type": "Direct"}, "schema": {"properties": {"ttl": {"type": "string", "format": "timer"}, "size": {"type": "number"}}, "required": []}, "relations": {"service": {"target": "service"}}}],
	  "entities": [{"identifier": "core", "blueprint": "_team", "title": "Core"}, {"identifier": "cart", "blueprint": "service", "title": "Cart", "properties": {"tier": "1", "tag": "v2", "replicas": 2}}]}`
)

// The document made by the people who click, by the API on either route, and by
// Terraform is one document, on every route that shows it, and a backend cannot tell
// which way it came. What the API made, Terraform takes over as it is.
//
// rows: act §10 17
func TestActionsAreTheSameByUIAndAPIAndTerraform(t *testing.T) {
	t.Parallel()
	ways := map[string]*portaltest.Portal{}
	for _, way := range []string{"API", "the other route", "UI", "Terraform"} {
		ways[way] = portaltest.Start(t, portaltest.Options{Seed: seedCatalog})
	}
	uses := documentsOfUses(t)
	var others []jsonv.Object
	var imported []string
	for _, document := range jsonv.List(parsed(t, otherSamples), "actions") {
		document, _ := document.(jsonv.Object)
		others, imported = append(others, document), append(imported, jsonv.String(document, "identifier"))
	}
	for _, document := range uses {
		imported = append(imported, "service_"+jsonv.String(document, "identifier"))
	}
	api, ui, managed := ways["API"], ways["UI"], ways["Terraform"]
	ui.As(portaltest.User{Email: "root@x.io", Role: "Admin"})
	click, err := ui.Login(t.Context(), identity.Login{Email: "root@x.io", FirstName: "Root", Provider: "okta"})
	if err != nil {
		t.Fatal(err)
	}
	create := func(p *portaltest.Portal, token, path string, document jsonv.Object) {
		t.Helper()
		if answer := p.CallAs(token, http.MethodPost, path, document); answer.Status > 299 {
			t.Fatalf("%s: %d %s", path, answer.Status, answer.Text)
		}
	}
	for way, token := range map[string]string{"API": api.Token(), "UI": click, "the other route": ways["the other route"].Token()} {
		for _, document := range append(slices.Clone(uses), parsed(t, olderSample)) {
			if way != "the other route" {
				create(ways[way], token, olderPath, document)
				continue
			}
			named := jsonv.CloneObject(document)
			named["blueprint"] = "service"
			create(ways[way], token, "/v1/actions", named)
		}
		for _, document := range append(slices.Clone(others), parsed(t, currentSample)) {
			create(ways[way], token, "/v1/actions", document)
		}
	}

	imports := ""
	for i, id := range imported {
		imports += fmt.Sprintf("import {\n  to = port_action.imported%d\n  id = %q\n}\n", i, id)
	}
	reader := newTerminal(t, source+imports, online(api)...)
	reader.must(0, "plan", "-generate-config-out=generated.tf", "-input=false", "-no-color")
	if out := reader.must(0, "apply", "-auto-approve", "-input=false", "-no-color"); !strings.Contains(out, fmt.Sprintf("%d imported, 0 added, 0 changed, 0 destroyed", len(imported))) {
		t.Errorf("Terraform does not take over what there is:\n%s", out)
	}
	generated, err := os.ReadFile(filepath.Join(reader.Dir, "generated.tf"))
	if err != nil {
		t.Fatal(err)
	}
	writer := newTerminal(t, source+bothInTerraform, online(managed)...)
	writer.write("generated.tf", string(generated))
	writer.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	writer.must(0, "plan", "-detailed-exitcode", "-input=false", "-no-color")

	for _, path := range []string{olderPath, "/v1/actions", "/v1/actions?version=v1"} {
		want := shown(t, api, path)
		if len(want) < len(uses)+len(others)+1 { // the older routes know no automations
			t.Errorf("%s shows %d actions", path, len(want))
		}
		for way, p := range ways {
			// That route keeps identifiers as they are (reference/actions.md §1.7).
			if way == "the other route" && path == "/v1/actions" {
				continue
			}
			if diff := cmp.Diff(want, shown(t, p, path)); diff != "" {
				t.Errorf("%s: by the API (-) and by %s (+): %s", path, way, diff)
			}
		}
	}
	for _, id := range []string{"scale_service", "service_unique_id"} {
		if diff := cmp.Diff(shown(t, api, "/v1/actions")[id], stripped(jsonv.Map(managed.Must(http.MethodGet, "/v1/actions/"+id, nil), "action"))); diff != "" {
			t.Errorf("%s: by the API (-) and by Terraform (+): %s", id, diff)
		}
	}
	want := carriedOut(t, api)
	for way, p := range ways {
		if diff := cmp.Diff(want, carriedOut(t, p)); way != "API" && diff != "" {
			t.Errorf("what a backend is sent of actions by the API (-) and by %s (+): %s", way, diff)
		}
	}
}

func parsed(t *testing.T, text string) jsonv.Object {
	t.Helper()
	o, err := jsonv.DecodeObject([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return o
}

// documentsOfUses are the documents of the common uses of actions, in the older
// format, as the portal's scenarios try them.
func documentsOfUses(t *testing.T) []jsonv.Object {
	t.Helper()
	text, err := os.ReadFile("../portal/testdata/scenarios/uses_actions.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Scenarios []struct {
			Rows  []string
			Steps []struct {
				Do   string
				Body any
			}
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	var out []jsonv.Object
	for _, s := range file.Scenarios {
		for _, step := range s.Steps {
			if _, path, _ := strings.Cut(step.Do, " "); path != "/v1/blueprints/service/actions" || len(s.Rows) == 0 {
				continue
			}
			list, many := step.Body.([]any)
			if !many {
				list = []any{step.Body}
			}
			for _, one := range list {
				document, err := json.Marshal(one)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, parsed(t, string(document)))
			}
		}
	}
	if len(out) != 9 {
		t.Fatalf("%d documents of uses, want 9", len(out))
	}
	return out
}

// stripped is an action without what only the server sets, and without what says
// nothing: an empty list of required inputs (reference/actions.md §1.5), and that a
// title or a step can be seen, which is so when nothing is said.
func stripped(action jsonv.Object) jsonv.Object {
	out := jsonv.CloneObject(action)
	for _, key := range []string{"id", "createdAt", "createdBy", "updatedAt", "updatedBy"} {
		delete(out, key)
	}
	for _, form := range []jsonv.Object{jsonv.Map(out, "userInputs"), jsonv.Map(out, "trigger", "userInputs")} {
		if required, isList := form["required"].([]any); isList && len(required) == 0 {
			delete(form, "required")
		}
		parts := slices.Clone(jsonv.List(form, "steps"))
		for _, title := range jsonv.Map(form, "titles") {
			parts = append(parts, title)
		}
		for _, part := range parts {
			if part, ok := part.(jsonv.Object); ok && part["visible"] == true {
				delete(part, "visible")
			}
		}
	}
	return out
}

// shown are the actions of a list by their identifiers.
func shown(t *testing.T, p *portaltest.Portal, path string) map[string]jsonv.Object {
	t.Helper()
	out := map[string]jsonv.Object{}
	for _, action := range jsonv.List(p.Must(http.MethodGet, path, nil), "actions") {
		document, _ := action.(jsonv.Object)
		out[jsonv.String(document, "identifier")] = stripped(document)
	}
	return out
}

// carriedOut runs every action there is to its end and returns what its backend was
// sent, without what no two runs share.
func carriedOut(t *testing.T, p *portaltest.Portal) []string {
	t.Helper()
	inputs := map[string]string{
		"scaffold_service": `{"name": "wallet"}`, "terraform_pr": `{"bucket": "b", "region": "eu-west-1"}`, "cloud_resource": `{"kind": "s3"}`,
		"package": `{"name": "p", "deps": ["a"]}`, "environment": `{"ttl": "2024-01-01T01:00:00Z"}`, "rollback": `{"tag": "v1"}`, "scale_service": `{"replicas": 3}`,
		"form": `{"name": "svc-1", "owner": "a@b.c", "ports": [80]}`, "upsert": `{"name": "mine", "size": 3}`, "integrated": `{"name": "svc-1"}`,
	}
	var sent []string
	all := shown(t, p, olderPath)
	for _, id := range slices.Sorted(maps.Keys(all)) {
		body := jsonv.Object{"properties": jsonv.Object{}}
		if text, ok := inputs[id]; ok {
			body["properties"] = parsed(t, text)
		}
		path := olderPath + "/" + id + "/runs"
		if jsonv.String(all[id], "trigger") != "CREATE" {
			path = "/v1/blueprints/service/entities/cart/actions/" + id + "/runs"
		}
		before := len(p.Webhooks())
		run := jsonv.Map(p.Must(http.MethodPost, path, body), "run")
		path = "/v1/actions/runs/" + jsonv.String(run, "id")
		p.Settle() // whoever is to approve hears of it before the backend does
		if jsonv.String(run, "status") == "WAITING_FOR_APPROVAL" {
			p.Must(http.MethodPatch, path+"/approval", jsonv.Object{"status": "APPROVE"})
		}
		p.Settle()
		run = jsonv.Map(p.Must(http.MethodGet, path, nil), "run")
		if run["payload"] == nil {
			t.Errorf("%s: nothing was sent", id)
		}
		lines := []string{id + " " + string(jsonv.Encode(run["payload"]))}
		for _, call := range p.Webhooks()[before:] {
			lines = append(lines, id+" "+call.Method+" "+call.URL+" "+call.Body)
		}
		for _, line := range lines {
			sent = append(sent, strings.NewReplacer(jsonv.String(run, "id"), "<run>", p.Organization(), "<organization>").Replace(line))
		}
		if jsonv.String(run, "status") == "IN_PROGRESS" {
			run = jsonv.Map(p.Must(http.MethodPatch, path, jsonv.Object{"status": "SUCCESS"}), "run")
		}
		if jsonv.String(run, "endedAt") == "" {
			t.Errorf("%s: the run has not ended: %s", id, jsonv.Encode(run))
		}
	}
	return sent
}
