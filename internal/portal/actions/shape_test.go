package actions

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
)

// minimal is the smallest self-service action; patches change it.
const minimal = `{"identifier": "a", "trigger": {"type": "self-service", "operation": "CREATE", "userInputs": {"properties": {}}},
	"invocationMethod": {"type": "KAFKA"}}`

func decode(t testing.TB, text string) any {
	t.Helper()
	v, err := jsonv.Decode([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// with sets the values at the pointers of an object, {"/a/b": 1}; "<absent>" takes
// a value away.
func with(t testing.TB, document, changes string) any {
	t.Helper()
	out := decode(t, document)
	given, _ := decode(t, changes).(jsonv.Object)
	for _, pointer := range shape.Keys(given) {
		steps := jsonv.ParsePointer(pointer)
		last := len(steps) - 1
		parent, ok := jsonv.Get(out, steps[:last]...)
		o, isObject := parent.(jsonv.Object)
		if !ok || !isObject {
			t.Fatalf("%s: no place for %s", document, pointer)
		}
		if given[pointer] == "<absent>" {
			delete(o, steps[last])
		} else {
			o[steps[last]] = given[pointer]
		}
	}
	return out
}

func problemsOf(body any) []string {
	c := &shape.Checker{}
	document(c, body, "")
	var out []string
	for _, p := range c.Problems {
		out = append(out, p.Path+" "+p.Keyword)
	}
	return out
}

func TestDocumentsThatAreActions(t *testing.T) {
	t.Parallel()
	for name, changes := range map[string]string{
		"the smallest":                 `{}`,
		"empty texts":                  `{"/title": "", "/icon": "", "/description": ""}`,
		"null texts":                   `{"/title": null, "/icon": null, "/description": null}`,
		"any letter in an identifier":  `{"/identifier": "Ünïcode_9@.+:=-"}`,
		"three dots":                   `{"/identifier": "..."}`,
		"runs beside others":           `{"/identifier": "runs2"}`,
		"approval":                     `{"/requiredApproval": true}`,
		"no approval":                  `{"/requiredApproval": false}`,
		"approval of any":              `{"/requiredApproval": {"type": "ANY"}}`,
		"approval of all":              `{"/requiredApproval": {"type": "ALL"}}`,
		"e-mail":                       `{"/approvalNotification": {"type": "email"}}`,
		"e-mail without saying so":     `{"/approvalNotification": {}}`,
		"a webhook":                    `{"/approvalNotification": {"type": "webhook", "url": "https://x.io/h", "format": "slack"}}`,
		"a webhook without a format":   `{"/approvalNotification": {"type": "webhook", "url": "https://x.io/h"}}`,
		"flags":                        `{"/publish": false, "/allowAnyoneToViewRuns": true}`,
		"a blueprint":                  `{"/trigger/blueprintIdentifier": "service"}`,
		"buttons":                      `{"/trigger/actionCardButtonText": "Go", "/trigger/executeActionButtonText": "exactly 15 char"}`,
		"a condition":                  `{"/trigger/operation": "DAY-2", "/trigger/blueprintIdentifier": "b", "/trigger/condition": {"type": "SEARCH", "combinator": "and", "rules": [{"property": "tier", "operator": "=", "value": "1"}, {"combinator": "or", "rules": [{"property": "$team", "operator": "containsAny", "value": {"context": "userTeams", "property": "$identifier"}}]}]}}`,
		"a condition of a deletion":    `{"/trigger/operation": "DELETE", "/trigger/blueprintIdentifier": "b", "/trigger/condition": {"type": "SEARCH", "combinator": "or", "rules": []}}`,
		"jq that is none":              `{"/trigger/userInputs": {"properties": {"x": {"type": "string", "default": {"jqQuery": ".a |"}}}, "required": {"jqQuery": "("}}}`,
		"unknown ids in a form":        `{"/trigger/userInputs": {"properties": {}, "required": ["y"], "order": ["z"]}}`,
		"an entity event":              `{"/trigger": {"type": "automation", "event": {"type": "ENTITY_CREATED", "blueprintIdentifier": "b"}}}`,
		"an entity that changed":       `{"/trigger": {"type": "automation", "event": {"type": "ENTITY_UPDATED", "blueprintIdentifier": "b"}, "condition": {"type": "JQ", "expressions": [".a |"], "combinator": "or"}}}`,
		"a condition without anything": `{"/trigger": {"type": "automation", "event": {"type": "ENTITY_DELETED", "blueprintIdentifier": "b"}, "condition": {"type": "JQ", "expressions": []}}}`,
		"any entity event":             `{"/trigger": {"type": "automation", "event": {"type": "ANY_ENTITY_CHANGE", "blueprintIdentifier": "b"}}}`,
		"a timer":                      `{"/trigger": {"type": "automation", "event": {"type": "TIMER_PROPERTY_EXPIRED", "blueprintIdentifier": "b", "propertyIdentifier": "p"}}}`,
		"a run":                        `{"/trigger": {"type": "automation", "event": {"type": "RUN_CREATED", "actionIdentifier": "x"}}}`,
		"a run that changed":           `{"/trigger": {"type": "automation", "event": {"type": "RUN_UPDATED", "actionIdentifier": "x"}}}`,
		"any run":                      `{"/trigger": {"type": "automation", "event": {"type": "ANY_RUN_CHANGE", "actionIdentifier": "x"}}}`,
		"a webhook method":             `{"/invocationMethod": {"type": "WEBHOOK", "url": "{{ .inputs.url }}", "agent": "{{ true }}", "synchronized": false, "method": "GET", "headers": {"A": "b"}, "body": {"a": 1}}}`,
		"a body of another kind":       `{"/invocationMethod": {"type": "WEBHOOK", "url": "x", "body": "text", "method": "{{ .inputs.m }}"}}`,
		"a list of payloads":           `{"/invocationMethod": {"type": "KAFKA", "payload": [1]}}`,
		"a workflow":                   `{"/invocationMethod": {"type": "GITHUB", "org": "o", "repo": "r", "workflow": "w.yml", "workflowInputs": {"a": 1}, "reportWorkflowStatus": "{{ false }}"}}`,
		"a pipeline":                   `{"/invocationMethod": {"type": "GITLAB", "projectName": "p", "groupName": "g", "defaultRef": "main", "pipelineVariables": {"a": "b"}}}`,
		"a service connection":         `{"/invocationMethod": {"type": "AZURE_DEVOPS", "org": "o", "webhook": "w", "payload": {}}}`,
		"an entity to write":           `{"/invocationMethod": {"type": "UPSERT_ENTITY", "blueprintIdentifier": "b", "mapping": {"identifier": "x", "title": "t", "icon": "i", "team": ["a"], "properties": {"n": 1}, "relations": {"a": "x", "b": ["x"], "c": null}}}}`,
		"an entity with one team":      `{"/invocationMethod": {"type": "UPSERT_ENTITY", "blueprintIdentifier": "b", "mapping": {"team": "{{ .inputs.team }}", "more": 1}}}`,
		"an entity with nothing":       `{"/invocationMethod": {"type": "UPSERT_ENTITY", "blueprintIdentifier": "b", "mapping": {}}}`,
		"an integration":               `{"/invocationMethod": {"type": "INTEGRATION_ACTION", "installationId": "i", "integrationActionType": "create_agent", "integrationActionExecutionProperties": {"any": [1]}}}`,
		"braces that do not fit":       `{"/invocationMethod": {"type": "WEBHOOK", "url": "{{ .a"}}`,
	} {
		if got := problemsOf(with(t, minimal, changes)); got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestDocumentsThatAreNoActions(t *testing.T) {
	t.Parallel()
	const webhook = `"/invocationMethod": {"type": "WEBHOOK", "url": "x"`
	for changes, want := range map[string]string{
		`{"/identifier": "<absent>", "/trigger": "<absent>", "/invocationMethod": "<absent>"}`: "/identifier required, /invocationMethod required, /trigger required",
		`{"/x": 1}`:                                                  "/x additionalProperties",
		`{"/blueprint": "b"}`:                                        "/blueprint additionalProperties",
		`{"/userInputs": {"properties": {}}}`:                        "/userInputs additionalProperties",
		`{"/identifier": ""}`:                                        "/identifier pattern",
		`{"/identifier": "a b"}`:                                     "/identifier pattern",
		`{"/identifier": "a/b"}`:                                     "/identifier pattern",
		`{"/identifier": "a\\b"}`:                                    "/identifier pattern",
		`{"/identifier": "."}`:                                       "/identifier pattern",
		`{"/identifier": ".."}`:                                      "/identifier pattern",
		`{"/identifier": "runs"}`:                                    "/identifier pattern",
		`{"/identifier": 1}`:                                         "/identifier type",
		`{"/identifier": null}`:                                      "/identifier type",
		`{"/title": 1, "/icon": [], "/description": {}}`:             "/description type, /icon type, /title type",
		`{"/publish": "true"}`:                                       "/publish type",
		`{"/publish": null}`:                                         "/publish type",
		`{"/allowAnyoneToViewRuns": 1}`:                              "/allowAnyoneToViewRuns type",
		`{"/requiredApproval": "true"}`:                              "/requiredApproval type",
		`{"/requiredApproval": {"type": "SOME"}}`:                    "/requiredApproval/type enum",
		`{"/requiredApproval": {"type": "ANY", "n": 2}}`:             "/requiredApproval/n additionalProperties",
		`{"/requiredApproval": {}}`:                                  "/requiredApproval/type required",
		`{"/approvalNotification": {"type": "sms"}}`:                 "/approvalNotification/type enum",
		`{"/approvalNotification": {"type": "webhook"}}`:             "/approvalNotification/url required",
		`{"/approvalNotification": {"type": "webhook", "url": "x"}}`: "/approvalNotification/url format",
		`{"/approvalNotification": {"type": "webhook", "url": "https://x.io", "format": "teams"}}`: "/approvalNotification/format enum",
		`{"/approvalNotification": {"type": "email", "url": "https://x.io"}}`:                      "/approvalNotification/url additionalProperties",
		`{"/approvalNotification": "email"}`:                                                       "/approvalNotification type",

		`{"/trigger": {}}`:                 "/trigger/type required",
		`{"/trigger": []}`:                 "/trigger type",
		`{"/trigger": "CREATE"}`:           "/trigger type",
		`{"/trigger/type": "manual"}`:      "/trigger/type enum",
		`{"/trigger/operation": "UPDATE"}`: "/trigger/operation enum",
		`{"/trigger/operation": "<absent>", "/trigger/userInputs": "<absent>"}`: "/trigger/operation required, /trigger/userInputs required",
		`{"/trigger/event": {}}`:                                                "/trigger/event additionalProperties",
		`{"/trigger/blueprintIdentifier": 1}`:                                   "/trigger/blueprintIdentifier type",
		`{"/trigger/actionCardButtonText": ""}`:                                 "/trigger/actionCardButtonText minLength",
		`{"/trigger/actionCardButtonText": "a"}`:                                "/trigger/actionCardButtonText pattern",
		`{"/trigger/actionCardButtonText": " ab"}`:                              "/trigger/actionCardButtonText pattern",
		`{"/trigger/actionCardButtonText": "ab\u00a0"}`:                         "/trigger/actionCardButtonText pattern",
		`{"/trigger/executeActionButtonText": "ab "}`:                           "/trigger/executeActionButtonText pattern",
		`{"/trigger/executeActionButtonText": "exactly 16 chars"}`:              "/trigger/executeActionButtonText maxLength",
		`{"/trigger/executeActionButtonText": null}`:                            "/trigger/executeActionButtonText type",
		`{"/trigger/userInputs": {}}`:                                           "/trigger/userInputs/properties required",
		`{"/trigger/userInputs": {"properties": {"x": {"type": "file"}}}}`:      "/trigger/userInputs/properties/x/type enum",
		`{"/trigger/userInputs": {"properties": {}, "order": [], "steps": []}}`: "/trigger/userInputs/steps additionalProperties",
		`{"/trigger/condition": {"type": "SEARCH", "combinator": "and", "rules": []}, "/trigger/blueprintIdentifier": "b"}`:                                                                                             "/trigger/condition additionalProperties",
		`{"/trigger/condition": {"type": "SEARCH", "combinator": "and", "rules": []}, "/trigger/operation": "DAY-2"}`:                                                                                                   "/trigger/condition dependencies",
		`{"/trigger/condition": {"type": "JQ"}, "/trigger/operation": "DAY-2", "/trigger/blueprintIdentifier": "b"}`:                                                                                                    "/trigger/condition/combinator required, /trigger/condition/rules required, /trigger/condition/type enum",
		`{"/trigger/condition": {"type": "SEARCH", "combinator": "and", "rules": [{"property": "x", "operator": "=", "value": {"jqQuery": "1"}}]}, "/trigger/operation": "DAY-2", "/trigger/blueprintIdentifier": "b"}`: "/trigger/condition/rules/0/value type",

		`{"/trigger": {"type": "automation"}}`: "/trigger/event required",
		`{"/trigger": {"type": "automation", "event": {"type": "ENTITY_CREATED"}, "operation": "CREATE"}}`:                                                                          "/trigger/event/blueprintIdentifier required, /trigger/operation additionalProperties",
		`{"/trigger": {"type": "automation", "event": {"type": "X"}}}`:                                                                                                              "/trigger/event/type enum",
		`{"/trigger": {"type": "automation", "event": {}}}`:                                                                                                                         "/trigger/event/type required",
		`{"/trigger": {"type": "automation", "event": []}}`:                                                                                                                         "/trigger/event type",
		`{"/trigger": {"type": "automation", "event": {"type": "RUN_CREATED", "blueprintIdentifier": "b"}}}`:                                                                        "/trigger/event/actionIdentifier required, /trigger/event/blueprintIdentifier additionalProperties",
		`{"/trigger": {"type": "automation", "event": {"type": "TIMER_PROPERTY_EXPIRED", "blueprintIdentifier": "b"}}}`:                                                             "/trigger/event/propertyIdentifier required",
		`{"/trigger": {"type": "automation", "event": {"type": "RUN_CREATED", "actionIdentifier": "a"}, "condition": {"type": "SEARCH", "expressions": "x", "combinator": "xor"}}}`: "/trigger/condition/combinator enum, /trigger/condition/expressions type, /trigger/condition/type enum",
		`{"/trigger": {"type": "automation", "event": {"type": "RUN_CREATED", "actionIdentifier": "a"}, "condition": {"type": "JQ"}}}`:                                              "/trigger/condition/expressions required",
		`{"/trigger": {"type": "automation", "event": {"type": "RUN_CREATED", "actionIdentifier": "a"}, "condition": {"type": "JQ", "expressions": [1]}}}`:                          "/trigger/condition/expressions/0 type",

		`{"/invocationMethod": {}}`:                                                                        "/invocationMethod/type required",
		`{"/invocationMethod": null}`:                                                                      "/invocationMethod type",
		`{"/invocationMethod": {"type": "MOCK"}}`:                                                          "/invocationMethod/type enum",
		`{"/invocationMethod": {"type": "AZURE-DEVOPS", "org": "o", "webhook": "w"}}`:                      "/invocationMethod/type enum",
		`{"/invocationMethod": {"type": "WEBHOOK"}}`:                                                       "/invocationMethod/url required",
		`{"/invocationMethod": {"type": "WEBHOOK", "url": 1}}`:                                             "/invocationMethod/url type",
		`{` + webhook + `, "agent": 1}}`:                                                                   "/invocationMethod/agent type",
		`{` + webhook + `, "synchronized": null}}`:                                                         "/invocationMethod/synchronized type",
		`{` + webhook + `, "method": "HEAD"}}`:                                                             "/invocationMethod/method enum",
		`{` + webhook + `, "headers": {"A": 1}}}`:                                                          "/invocationMethod/headers/A type",
		`{` + webhook + `, "headers": []}}`:                                                                "/invocationMethod/headers type",
		`{` + webhook + `, "payload": {}}}`:                                                                "/invocationMethod/payload additionalProperties",
		`{"/invocationMethod": {"type": "KAFKA", "payload": "x"}}`:                                         "/invocationMethod/payload type",
		`{"/invocationMethod": {"type": "GITHUB", "org": "o", "workflowInputs": [], "omitPayload": true}}`: "/invocationMethod/omitPayload additionalProperties, /invocationMethod/repo required, /invocationMethod/workflow required, /invocationMethod/workflowInputs type",
		`{"/invocationMethod": {"type": "GITLAB", "agent": true}}`:                                         "/invocationMethod/agent additionalProperties, /invocationMethod/groupName required, /invocationMethod/projectName required",
		`{"/invocationMethod": {"type": "AZURE_DEVOPS", "payload": 1}}`:                                    "/invocationMethod/org required, /invocationMethod/payload type, /invocationMethod/webhook required",
		`{"/invocationMethod": {"type": "UPSERT_ENTITY"}}`:                                                 "/invocationMethod/blueprintIdentifier required, /invocationMethod/mapping required",
		`{"/invocationMethod": {"type": "UPSERT_ENTITY", "blueprintIdentifier": "b", "mapping": {"identifier": 1, "team": {}, "properties": "x", "relations": {"a": 1, "b": [2]}}}}`: "/invocationMethod/mapping/identifier type, /invocationMethod/mapping/properties type, /invocationMethod/mapping/relations/a type, /invocationMethod/mapping/relations/b/0 type, /invocationMethod/mapping/team type",
		`{"/invocationMethod": {"type": "INTEGRATION_ACTION", "installationId": "i", "integrationActionType": "", "integrationActionExecutionProperties": []}}`:                      "/invocationMethod/integrationActionExecutionProperties type, /invocationMethod/integrationActionType minLength",
	} {
		err := func() error { _, err := read(Document{Body: with(t, minimal, changes)}, ""); return err }()
		if err == nil {
			t.Errorf("%s was taken", changes)
			continue
		}
		got := problemsOf(with(t, minimal, changes))
		seen := map[string]bool{}
		for _, p := range got {
			seen[p] = true
		}
		if diff := cmp.Diff(strings.Split(want, ", "), shape.Keys(seen)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", changes, diff)
		}
	}
	for _, body := range []any{nil, []any{}, "x", true} {
		if got := problemsOf(body); len(got) != 1 || got[0] != " type" {
			t.Errorf("%v: %v", body, got)
		}
	}
}

func TestWhatIsStoredIsWhatWasSent(t *testing.T) {
	t.Parallel()
	sent := with(t, minimal, `{"/id": "action_1", "/_id": 1, "/createdAt": "x", "/createdBy": null, "/updatedAt": "x", "/updatedBy": "x", "/title": null, "/icon": "", "/requiredApproval": false, "/invocationMethod": {"type": "WEBHOOK", "url": "x", "agent": "{{ true }}", "body": {"n": 2.50, "o": {}}}}`)
	doc, err := read(Document{Body: sent}, "")
	if err != nil {
		t.Fatal(err)
	}
	want := with(t, minimal, `{"/icon": "", "/publish": true, "/requiredApproval": false, "/invocationMethod": {"type": "WEBHOOK", "url": "x", "agent": "{{ true }}", "body": {"n": 2.50, "o": {}}}}`)
	if diff := cmp.Diff(want, any(doc)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
