package provider

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/lens/lenstest"
)

// An action with every key that a form may have.
const wireForm = `{"identifier": "a", "title": "A", "icon": "i", "description": "", "publish": false, "allowAnyoneToViewRuns": false,
  "trigger": {"type": "self-service", "operation": "DAY-2", "blueprintIdentifier": "svc",
    "condition": {"type": "SEARCH", "combinator": "and", "rules": [{"property": "p", "operator": "=", "value": 1}], "extra": []},
    "actionCardButtonText": "Open it", "executeActionButtonText": "Do it",
    "userInputs": {"order": ["s", "n"], "required": ["n", "s"], "titles": {"t": {"title": "T", "description": "d", "visible": false}, "u": {"title": "U", "visible": {"jqQuery": ".v"}}},
      "properties": {
        "s": {"type": "string", "title": "S", "icon": "i", "description": "d", "default": "aa", "format": "entity", "blueprint": "b", "minLength": 0, "maxLength": 5, "pattern": "^a",
          "enum": ["aa", "b"], "enumColors": {"aa": "red"}, "dependsOn": ["n"], "visible": false, "disabled": true, "encryption": "aes256-gcm", "sort": {"property": "$title", "order": "DESC"},
          "dataset": {"combinator": "and", "rules": [{"property": "p", "operator": "=", "value": {"jqQuery": ".x"}}, {"property": "q", "operator": "in", "value": ["a", 1, null]},
            {"property": "z", "operator": "=", "value": null}, {"blueprint": "b", "operator": "relatedTo", "value": "x"},
            {"combinator": "or", "rules": [{"combinator": "and", "rules": [{"property": "deep", "operator": "isEmpty"}]}]}]}},
        "t": {"type": "string", "default": {"jqQuery": ".d"}, "pattern": {"jqQuery": ".p"}, "enum": {"jqQuery": "[1]"}, "visible": {"jqQuery": ".v"}, "disabled": {"jqQuery": ".w"},
          "encryption": {"algorithm": "client-side", "key": "K"}},
        "n": {"type": "number", "default": 0.1, "minimum": 0, "maximum": 9007199254740993, "enum": [0.1, 2], "enumColors": {"2": "blue"}},
        "m": {"type": "number", "default": {"jqQuery": ".d"}, "enum": {"jqQuery": ".e"}},
        "b": {"type": "boolean", "title": "B", "default": false},
        "c": {"type": "boolean", "default": {"jqQuery": ".d"}},
        "o": {"type": "object", "default": {"a": [1, "<"]}, "encryption": "aes256-gcm"},
        "p": {"type": "object", "default": {"jqQuery": ".d"}, "encryption": {"algorithm": "client-side", "key": "K"}},
        "l": {"type": "array", "default": {"jqQuery": ".y"}, "minItems": {"jqQuery": ".x"}, "maxItems": 3},
        "ls": {"type": "array", "default": ["x"], "minItems": 0, "maxItems": {"jqQuery": ".z"}, "sort": {"property": "p", "order": "ASC"},
          "items": {"type": "string", "format": "entity", "blueprint": "b", "enum": ["x", "y"], "dataset": {"combinator": "and", "rules": [{"property": "p", "operator": "=", "value": 1}]}}},
        "ln": {"type": "array", "default": [1, 2.5], "items": {"type": "number", "enum": {"jqQuery": ".e"}}},
        "lb": {"type": "array", "default": [true], "items": {"type": "boolean"}},
        "lo": {"type": "array", "default": [{"a": "b"}], "items": {"type": "object"}}
      }}},
  "requiredApproval": {"type": "ALL"}, "approvalNotification": {"type": "webhook", "url": "https://x", "format": "slack"},
  "invocationMethod": {"type": "WEBHOOK", "url": "u", "agent": true, "synchronized": "{{ .inputs.s }}", "method": "PUT", "headers": {"H": "{{ .run.id }}"}, "body": {"x": "<", "n": 12345678901234567890}}}`

const (
	wireSteps = `{"identifier": "a", "publish": true, "requiredApproval": true, "approvalNotification": {"type": "email"},
	  "trigger": {"type": "self-service", "operation": "DELETE", "userInputs": {"properties": {}, "required": {"jqQuery": "[]"},
	    "steps": [{"title": "one", "order": [], "visible": false}, {"title": "two", "order": ["x"], "visible": {"jqQuery": ".v"}}]}}, "invocationMethod": METHOD}`
	wireEvent = `{"identifier": "a", "publish": true, "trigger": {"type": "automation", "event": EVENT,
	    "condition": {"type": "JQ", "expressions": [".a"], "combinator": "or"}}, "invocationMethod": {"type": "KAFKA"}}`
)

var wireMethods = []string{
	`{"type": "KAFKA", "payload": [1, "{{ .x }}"]}`,
	`{"type": "WEBHOOK", "url": "u"}`,
	`{"type": "GITHUB", "org": "o", "repo": "r", "workflow": "w", "workflowInputs": {"a": "{{ .b }}"}, "reportWorkflowStatus": false}`,
	`{"type": "GITLAB", "projectName": "p", "groupName": "g", "defaultRef": "main", "pipelineVariables": {"a": 1}}`,
	`{"type": "AZURE_DEVOPS", "org": "o", "webhook": "w", "payload": {"a": null}}`,
	`{"type": "UPSERT_ENTITY", "blueprintIdentifier": "b", "mapping": {"title": "t", "identifier": "i", "icon": "c", "team": ["b", "a"], "properties": {"x": 1}, "relations": {"r": null}}}`,
	`{"type": "UPSERT_ENTITY", "blueprintIdentifier": "b", "mapping": {"team": "{{ .x }}"}}`,
	`{"type": "UPSERT_ENTITY", "blueprintIdentifier": "b", "mapping": {}}`,
	`{"type": "INTEGRATION_ACTION", "installationId": "i", "integrationActionType": "dispatch_workflow",
	  "integrationActionExecutionProperties": {"org": "o", "repo": "r", "workflow": "w", "workflowInputs": {"a": "b"}, "reportWorkflowStatus": "{{ .x }}"}}`,
}

var wireEvents = []string{
	`{"type": "ENTITY_CREATED", "blueprintIdentifier": "b"}`, `{"type": "ENTITY_UPDATED", "blueprintIdentifier": "b"}`, `{"type": "ENTITY_DELETED", "blueprintIdentifier": "b"}`,
	`{"type": "ANY_ENTITY_CHANGE", "blueprintIdentifier": "b"}`, `{"type": "TIMER_PROPERTY_EXPIRED", "blueprintIdentifier": "b", "propertyIdentifier": "p"}`,
	`{"type": "RUN_CREATED", "actionIdentifier": "b"}`, `{"type": "RUN_UPDATED", "actionIdentifier": "b"}`, `{"type": "ANY_RUN_CHANGE", "actionIdentifier": "b"}`,
}

func TestActionObeysTheLaws(t *testing.T) {
	t.Parallel()
	samples := []lenstest.Sample{lenstest.Wire(wireForm), lenstest.Except("/trigger/condition/type", "conditions of automations are of one type")}
	for _, m := range wireMethods {
		samples = append(samples, lenstest.Wire(strings.Replace(wireSteps, "METHOD", m, 1)))
	}
	for _, e := range wireEvents {
		samples = append(samples, lenstest.Wire(strings.Replace(wireEvent, "EVENT", e, 1)))
	}
	lenstest.Laws(t, kindOf(t, "action").codec, samples...)
}

// What the official provider sends, byte for byte but for the order of keys
// (reference/provider-actions.md §12), and what it reads back.
func TestActionSendsTheGoldenVectors(t *testing.T) {
	t.Parallel()
	k := kindOf(t, "action")
	const form = `"self_service_trigger": {"operation": "CREATE"`
	sent := func(inputs string) string {
		return `{"identifier": "a", "publish": true, "invocationMethod": {"type": "KAFKA"}, "trigger": {"type": "self-service", "operation": "CREATE", "userInputs": ` + inputs + `}}`
	}
	method := func(m string) string {
		return `{"identifier": "a", "publish": true, "invocationMethod": ` + m + `, "trigger": {"type": "self-service", "operation": "CREATE", "userInputs": {"properties": {}}}}`
	}
	for name, c := range map[string]struct{ config, want string }{
		"1 bare":           {form + `}, "kafka_method": {}`, sent(`{"properties": {}}`)},
		"2 required by jq": {form + `, "required_jq_query": ".x"}, "kafka_method": {}`, sent(`{"properties": {}, "required": {"jqQuery": ".x"}}`)},
		"3 text input": {
			form + `, "user_properties": {"string_props": {"s": {"required": true, "enum": ["a"], "visible_jq_query": ".v", "sort": {"property": "$title", "order": "ASC"}}}}}, "kafka_method": {}`,
			sent(`{"properties": {"s": {"type": "string", "enum": ["a"], "visible": {"jqQuery": ".v"}, "sort": {"property": "$title", "order": "ASC"}}}, "required": ["s"]}`),
		},
		"4 dataset": {
			form + `, "user_properties": {"string_props": {"s": {"dataset": {"combinator": "and", "rules": [{"operator": "=", "property": "$identifier", "value": {"jq_query": ".a"}},
			  {"combinator": "or", "rules": [{"operator": "isEmpty", "property": "p"}]}]}}}}}, "kafka_method": {}`,
			sent(`{"properties": {"s": {"type": "string", "dataset": {"combinator": "and", "rules": [{"property": "$identifier", "operator": "=", "value": {"jqQuery": ".a"}},
			  {"combinator": "or", "rules": [{"property": "p", "operator": "isEmpty"}]}]}}}}`),
		},
		"5 list with jq": {
			form + `, "user_properties": {"array_props": {"a": {"min_items_jq_query": ".x", "max_items": 3, "default_jq_query": ".y"}}}}, "kafka_method": {}`,
			sent(`{"properties": {"a": {"type": "array", "default": {"jqQuery": ".y"}, "minItems": {"jqQuery": ".x"}, "maxItems": 3}}}`),
		},
		"6 list of objects": {
			form + `, "user_properties": {"array_props": {"a": {"object_items": {"default": [{"a": "b"}]}}}}}, "kafka_method": {}`,
			sent(`{"properties": {"a": {"type": "array", "items": {"type": "object"}, "default": [{"a": "b"}]}}}`),
		},
		"7 steps": {
			form + `, "steps": [{"title": "one", "order": ["s"], "visible": false}]}, "kafka_method": {}`,
			sent(`{"properties": {}, "steps": [{"title": "one", "order": ["s"], "visible": false}]}`),
		},
		"8 encryption": {
			form + `, "user_properties": {"string_props": {"s": {"client_side_encryption": {"algorithm": "client-side", "key": "K"}}}}}, "kafka_method": {}`,
			sent(`{"properties": {"s": {"type": "string", "encryption": {"algorithm": "client-side", "key": "K"}}}}`),
		},
		"9 webhook": {
			form + `}, "webhook_method": {"url": "u", "agent": "true", "synchronized": "false", "headers": {}}`,
			method(`{"type": "WEBHOOK", "url": "u", "agent": true, "synchronized": false}`),
		},
		"9a template for a flag": {
			form + `}, "webhook_method": {"url": "u", "agent": "{{ .inputs.a }}"}`, method(`{"type": "WEBHOOK", "url": "u", "agent": "{{ .inputs.a }}"}`),
		},
		"10 entity": {
			form + `}, "upsert_entity_method": {"blueprint_identifier": "b", "title": "T", "mapping": {"teams": []}}`,
			method(`{"type": "UPSERT_ENTITY", "blueprintIdentifier": "b", "mapping": {"title": "T", "team": []}}`),
		},
		"10a entity without mapping": {
			form + `}, "upsert_entity_method": {"blueprint_identifier": "b"}`, method(`{"type": "UPSERT_ENTITY", "blueprintIdentifier": "b", "mapping": {}}`),
		},
		"10b title without mapping": {
			form + `}, "upsert_entity_method": {"blueprint_identifier": "b", "title": "T"}`, method(`{"type": "UPSERT_ENTITY", "blueprintIdentifier": "b", "mapping": {"title": "T"}}`),
		},
		"11 condition": {
			`"automation_trigger": {"run_created_event": {"action_identifier": "x"}, "jq_condition": {"expressions": [".a"], "combinator": "and"}}, "kafka_method": {}`,
			`{"identifier": "a", "publish": true, "invocationMethod": {"type": "KAFKA"}, "trigger": {"type": "automation", "event": {"type": "RUN_CREATED", "actionIdentifier": "x"},
			  "condition": {"type": "JQ", "expressions": [".a"], "combinator": "and"}}}`,
		},
		"11a condition without expressions": {
			`"automation_trigger": {"run_created_event": {"action_identifier": "x"}, "jq_condition": {"expressions": [], "combinator": "and"}}, "kafka_method": {}`,
			`{"identifier": "a", "publish": true, "invocationMethod": {"type": "KAFKA"}, "trigger": {"type": "automation", "event": {"type": "RUN_CREATED", "actionIdentifier": "x"}}}`,
		},
		"12 approval": {
			form + `}, "kafka_method": {}, "required_approval": "ANY", "approval_webhook_notification": {"url": "https://x", "format": "slack"}`,
			strings.Replace(sent(`{"properties": {}}`), `"publish"`, `"requiredApproval": {"type": "ANY"}, "approvalNotification": {"type": "webhook", "url": "https://x", "format": "slack"}, "publish"`, 1),
		},
		"nothing but empties": {
			form + `, "titles": {}, "steps": [], "user_properties": {"string_props": {}, "number_props": {"n": {"depends_on": [], "enum_colors": {}}}}},
			  "kafka_method": {}, "approval_email_notification": {}`,
			strings.Replace(sent(`{"properties": {"n": {"type": "number"}}}`), `"publish"`, `"approvalNotification": {"type": "email"}, "publish"`, 1),
		},
		"texts of JSON as they are": {
			form + `, "condition": "{ \"rules\": [],\n \"type\": \"SEARCH\", \"combinator\": \"and\" }"}, "kafka_method": {"payload": "[ 12345678901234567890, 1.0, \"\\u003c\" ]"}`,
			`{"identifier": "a", "publish": true, "invocationMethod": {"type": "KAFKA", "payload": [12345678901234567890, 1.0, "<"]},
			  "trigger": {"type": "self-service", "operation": "CREATE", "condition": {"type": "SEARCH", "combinator": "and", "rules": []}, "userInputs": {"properties": {}}}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := config(t, k, `{"identifier": "a", "id": "a", "publish": true, `+c.config+`}`)
			if diags := k.validate(v); diags.HasError() {
				t.Fatal(diags)
			}
			body, err := k.codec.Put(v, k.null)
			if err != nil {
				t.Fatal(err)
			}
			want, err := jsonv.DecodeObject([]byte(c.want))
			if err != nil {
				t.Fatal(err)
			}
			if !jsonv.Equal(body, want) {
				t.Errorf("sent:\n%s\nwant:\n%s", jsonv.Encode(body), jsonv.Encode(want))
			}
			got, err := k.codec.Get(want, v)
			if err != nil {
				t.Fatal(err)
			}
			if diffs, err := v.Diff(got); err != nil || len(diffs) > 0 {
				t.Errorf("read back: %v %v", err, diffs)
			}
		})
	}
}

// What Port fills in, or how the official provider wrote it down, is no change.
func TestActionKeepsWhatMeansTheSame(t *testing.T) {
	t.Parallel()
	k := kindOf(t, "action")
	const frame = `{"identifier": "a", "id": "a", "publish": true, "kafka_method": {}, "self_service_trigger": {"operation": "CREATE", "user_properties": `
	for name, c := range map[string]struct{ state, inputs string }{
		"defaults of Port": {
			frame + `{"string_props": {"s": {}}}}}`,
			`{"properties": {"s": {"type": "string", "dependsOn": [], "enumColors": {}, "visible": true, "disabled": false}}, "titles": {}, "required": [], "order": []}`,
		},
		"defaults of numbers along with the items": {
			frame + `{"array_props": {"n": {"number_items": {"default": [1, 2]}}, "b": {"boolean_items": {"default": [true]}}}}}}`,
			`{"properties": {"n": {"type": "array", "items": {"type": "number", "default": [1, 2]}}, "b": {"type": "array", "items": {"type": "boolean", "default": [true]}}}}`,
		},
		"flags without a default": {frame + `{"array_props": {"b": {"boolean_items": {}}}}}}`, `{"properties": {"b": {"type": "array", "items": {"type": "boolean"}}}}`},
		"literal values of rules as text": {
			frame + `{"string_props": {"s": {"dataset": {"combinator": "and", "rules": [{"property": "p", "operator": "=", "value": {"jq_query": "active"}}, {"property": "p", "operator": "in", "value": {"jq_query": "[1,2]"}},
			  {"property": "q", "operator": ""}]}}}}}}`,
			`{"properties": {"s": {"type": "string", "dataset": {"combinator": "and", "rules": [{"property": "p", "operator": "=", "value": "active"}, {"property": "p", "operator": "in", "value": [1, 2]}, {"property": "q"}]}}}}`,
		},
		"objects of other values as text": {
			frame + `{"array_props": {"o": {"object_items": {"default": [{"n": "1", "b": "true", "l": "[1]"}]}}}}}}`,
			`{"properties": {"o": {"type": "array", "items": {"type": "object"}, "default": [{"n": 1, "b": true, "l": [1]}]}}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := config(t, k, c.state)
			got, err := k.codec.Get(decoded(t, `{"identifier": "a", "publish": true, "requiredApproval": false, "allowAnyoneToViewRuns": true, "invocationMethod": {"type": "KAFKA"},
			  "trigger": {"type": "self-service", "operation": "CREATE", "userInputs": `+c.inputs+`}}`), v)
			if err != nil {
				t.Fatal(err)
			}
			if diffs, err := v.Diff(got); err != nil || len(diffs) > 0 {
				t.Errorf("%v %v", err, diffs)
			}
		})
	}
}

// A method or a trigger that somebody changed shows as such: there is never more
// than one in the state.
func TestActionHasOneTriggerAndOneMethod(t *testing.T) {
	t.Parallel()
	k := kindOf(t, "action")
	v := config(t, k, `{"identifier": "a", "id": "a", "publish": true, "kafka_method": {}, "self_service_trigger": {"operation": "CREATE"}, "approval_email_notification": {}, "required_approval": "ANY"}`)
	got, err := k.codec.Get(decoded(t, strings.Replace(strings.Replace(wireEvent, "EVENT", wireEvents[0], 1), `{"type": "KAFKA"}`, `{"type": "WEBHOOK", "url": "u"}`, 1)), v)
	if err != nil {
		t.Fatal(err)
	}
	state := lens.AsObj(got)
	for name, there := range map[string]bool{
		"kafka_method": false, "webhook_method": true, "self_service_trigger": false, "automation_trigger": true,
		"approval_email_notification": false, "approval_webhook_notification": false, "required_approval": false,
	} {
		if lens.Nothing(state[name]) == there {
			t.Errorf("%s: %v", name, state[name])
		}
	}
}

// No answer of a server makes the provider crash.
func TestActionSurvivesHalfAnAnswer(t *testing.T) {
	t.Parallel()
	k := kindOf(t, "action")
	for _, text := range []string{
		`{}`, `{"identifier": "a"}`, `{"trigger": {}}`, `{"trigger": {"type": "self-service"}}`, `{"trigger": {"type": "automation"}}`, `{"invocationMethod": {}}`, `{"invocationMethod": {"type": "GITHUB"}}`,
		`{"invocationMethod": {"type": "INTEGRATION_ACTION"}}`, `{"invocationMethod": {"type": "UPSERT_ENTITY"}}`, `{"trigger": {"type": "self-service", "userInputs": {"properties": {"a": {"type": "string", "default": {"jqQuery": 5}, "enum": {"a": 1}}}}}}`,
		`{"trigger": {"type": "self-service", "userInputs": {"properties": {"a": {"type": "file"}, "b": {"type": "string", "default": 5}}}}}`,
	} {
		if _, err := k.codec.Get(decoded(t, text), k.null); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Literal values that the state shows as text are sent as they were read.
func TestActionSendsLiteralsAsTheyWere(t *testing.T) {
	t.Parallel()
	of := func(title, first, second, initial string) jsonv.Object {
		return decoded(t, `{"title": "`+title+`", "trigger": {"userInputs": {"properties": {
		  "s": {"type": "string", "dataset": {"combinator": "and", "rules": [{"property": "p", "operator": "=", "value": `+first+`}, {"combinator": "or", "rules": [{"property": "q", "operator": "=", "value": `+second+`}]}]}},
		  "o": {"type": "array", "items": {"type": "object"}, "default": `+initial+`}}}}}`)
	}
	body := of("new", `{"jqQuery": "active"}`, `{"jqQuery": "changed"}`, `[{"n": "1"}]`)
	before := of("old", `{"jqQuery": "active"}`, `{"jqQuery": "5"}`, `[{"n": "1"}]`)
	keepLiterals(body, before, of("old", `"active"`, `5`, `[{"n": 1}]`))
	if diff := cmp.Diff(of("new", `"active"`, `{"jqQuery": "changed"}`, `[{"n": 1}]`), body); diff != "" {
		t.Error(diff)
	}
}

func TestActionPermissionsObeyTheLaws(t *testing.T) {
	t.Parallel()
	const policy = `{"queries": {"q": {"combinator": "and", "rules": []}}, "conditions": [".a"]}`
	texts := func(*lenstest.Random) string { return policy }
	lenstest.Laws(t, kindOf(t, "action_permissions").codec,
		lenstest.Wire(`{"actionIdentifier": "a", "permissions": {"execute": {"users": ["u"], "roles": ["Admin", "Member"], "teams": ["t"], "ownedByTeam": false, "policy": `+policy+`},
		  "approve": {"users": ["u"], "roles": ["Admin"], "teams": ["t"], "policy": `+policy+`}}}`),
		lenstest.Wire(`{"actionIdentifier": "a", "permissions": {"execute": {"users": [], "roles": [], "teams": [], "ownedByTeam": true, "policy": null},
		  "approve": {"users": [], "roles": [], "teams": [], "policy": null}}}`),
		lenstest.Texts("permissions.execute.policy", texts), lenstest.Texts("permissions.approve.policy", texts))
}

// States of the official provider need no upgrade: of before identifiers were
// unique, with two methods, with a template in quotes.
func TestActionReadsFormerStates(t *testing.T) {
	t.Parallel()
	k := kindOf(t, "action")
	v := config(t, k, `{"identifier": "scale", "id": "scale", "blueprint": "svc", "publish": true, "kafka_method": {},
	  "webhook_method": {"url": "u", "agent": "\"{{ .x }}\""}, "self_service_trigger": {"operation": "CREATE"}}`)
	if id := formerID(lens.AsObj(v), "blueprint", "identifier"); id != "svc_scale" {
		t.Errorf("looked for as %q", id)
	}
	if _, err := k.codec.Put(v, k.null); err != nil {
		t.Error(err)
	}
	got, err := k.codec.Get(decoded(t, `{"identifier": "svc_scale", "publish": true, "invocationMethod": {"type": "WEBHOOK", "url": "u", "agent": "{{ .x }}"},
	  "trigger": {"type": "self-service", "operation": "CREATE", "userInputs": {"properties": {}}}}`), v)
	if err != nil {
		t.Fatal(err)
	}
	want := config(t, k, `{"identifier": "svc_scale", "id": "svc_scale", "publish": true, "webhook_method": {"url": "u", "agent": "{{ .x }}"}, "self_service_trigger": {"operation": "CREATE"}}`)
	if diffs, err := want.Diff(got); err != nil || len(diffs) > 0 {
		t.Errorf("%v %v", err, diffs)
	}
}
