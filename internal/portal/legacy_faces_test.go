package portal_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// olderDocument makes up a document in the older format.
func olderDocument(r *rand.Rand, id string) string {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	var properties, order []string
	for i := range r.IntN(4) {
		name := fmt.Sprintf("p%d", i)
		properties = append(properties, fmt.Sprintf("%q: %s", name, pick(
			`{"type": "string", "default": "x"}`, `{"type": "number", "default": 2.50, "minimum": 1}`, `{"type": "boolean", "visible": {"jqQuery": "true"}}`,
			`{"type": "array", "items": {"type": "string", "format": "entity", "blueprint": "service"}}`, `{"type": "object"}`,
			`{"type": "string", "format": "entity", "blueprint": "service", "dataset": {"combinator": "and", "rules": [{"property": "$team", "operator": "=", "value": {"jqQuery": ".user.team"}}]}}`,
			`{"type": "string", "format": "user", "default": {"jqQuery": ".user.email"}}`, `{"type": "string", "encryption": "aes256-gcm"}`)))
		order = append(order, fmt.Sprintf("%q", name))
	}
	form := `"properties": {` + strings.Join(properties, ", ") + "}"
	form += pick("", `, "required": []`, `, "required": {"jqQuery": "[]"}`, `, "required": [`+strings.Join(order, ", ")+`]`)
	form += pick("", `, "order": [`+strings.Join(order, ", ")+`]`)
	return `{"identifier": "` + id + `", "trigger": "` + pick("CREATE", "DAY-2", "DELETE") + `", "userInputs": {` + form + `}, "invocationMethod": ` + pick(
		`{"type": "WEBHOOK", "url": "https://a.b/{{ .inputs.p0 }}"}`, `{"type": "WEBHOOK", "url": "https://a.b", "agent": true, "synchronized": false, "method": "PUT"}`,
		`{"type": "KAFKA"}`, `{"type": "AZURE-DEVOPS", "org": "o", "webhook": "w"}`,
		`{"type": "GITHUB", "org": "o", "repo": "r", "workflow": "w.yml"}`, `{"type": "GITHUB", "org": "o", "repo": "r", "workflow": "w.yml", "omitPayload": true, "reportWorkflowStatus": true}`,
		`{"type": "GITHUB", "org": "o", "repo": "r", "workflow": "w.yml", "omitUserInputs": true}`, `{"type": "GITHUB", "org": "o", "repo": "r", "workflow": "w.yml", "omitPayload": true, "omitUserInputs": false}`,
		`{"type": "GITLAB", "projectName": "p", "groupName": "g", "agent": true, "defaultRef": "main"}`, `{"type": "GITLAB", "projectName": "p", "groupName": "g", "agent": true}`, `{"type": "GITLAB", "projectName": "p", "groupName": "g", "agent": true, "omitPayload": true, "omitUserInputs": true}`,
	) + pick("", `, "title": "T", "icon": ""`, `, "description": "d"`) + pick("", `, "requiredApproval": true`, `, "requiredApproval": {"type": "ALL"}, "approvalNotification": {"type": "webhook", "url": "https://c.d"}`) + `}`
}

// What the older routes write, the current ones read, write back and leave as it was;
// and the reverse (reference/actions.md §9.1).
func TestBothFacesOfRandomActionsAgree(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t, portaltest.Options{Seed: `{"blueprints": [{"identifier": "service", "title": "Service", "schema": {"properties": {}, "required": []}}]}`})
	r := rand.New(rand.NewPCG(1, 2))
	audit := []string{"id", "createdAt", "createdBy", "updatedAt", "updatedBy"}
	without := func(o jsonv.Object, keys ...string) jsonv.Object {
		o = jsonv.CloneObject(o)
		for _, key := range keys {
			delete(o, key)
		}
		return o
	}
	for i := range 60 {
		id := fmt.Sprintf("a%d", i)
		sent := decodeJSON(t, olderDocument(r, id))
		text := string(jsonv.Encode(sent))
		older, current := "/v1/blueprints/service/actions/"+id, "/v1/actions/service_"+id
		action := func(method, path string, body any) jsonv.Object {
			t.Helper()
			return jsonv.Map(p.Must(method, path, body), "action")
		}
		made := action(http.MethodPost, "/v1/blueprints/service/actions", sent)
		sent["blueprint"] = "service"
		if diff := cmp.Diff(sent, without(made, audit...)); diff != "" {
			t.Errorf("%s reads otherwise (-sent +read): %s", text, diff)
		}
		now := action(http.MethodGet, current, nil)
		again := action(http.MethodPut, current, now)
		if diff := cmp.Diff(without(now, "updatedAt"), without(again, "updatedAt")); diff != "" {
			t.Errorf("%s changes when the current route writes it back: %s", text, diff)
		}
		back := action(http.MethodGet, older, nil)
		if diff := cmp.Diff(made, back); diff != "" {
			t.Errorf("%s was changed by the current route: %s", text, diff)
		}
		action(http.MethodPut, older, back)
		if diff := cmp.Diff(now, action(http.MethodGet, current, nil)); diff != "" {
			t.Errorf("%s changes when the older route writes it back: %s", text, diff)
		}
		listed := jsonv.Map(p.Must(http.MethodGet, "/v1/actions?version=v1&action_identifier="+url.QueryEscape("service_"+id), nil))
		if diff := cmp.Diff([]any{any(made)}, jsonv.List(listed, "actions")); diff != "" {
			t.Errorf("%s is listed otherwise: %s", text, diff)
		}
		if i%3 == 0 {
			p.Must(http.MethodDelete, current, nil)
			if got := p.Call(http.MethodGet, older, nil); got.Status != http.StatusNotFound {
				t.Errorf("%s is still there: %s", id, got.Text)
			}
		}
	}
}

// What counts as not given in the older format is not given in the current one, which
// takes no null.
func TestNullsOfTheOlderFormatAreLeftOut(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	p.Must(http.MethodPost, "/v1/actions", decodeJSON(t, `{"identifier": "a", "title": null, "trigger": "CREATE", "userInputs": {"properties": {}},
		"invocationMethod": {"type": "WEBHOOK", "url": "https://a.b", "agent": null, "synchronized": null, "method": null}}`))
	now := jsonv.Map(p.Must(http.MethodGet, "/v1/actions/a", nil), "action")
	p.Must(http.MethodPut, "/v1/actions/a", now)
	method := jsonv.Map(now, "invocationMethod")
	for _, key := range []string{"agent", "synchronized", "method"} {
		if v, ok := method[key]; ok {
			t.Errorf("%s is %v", key, v)
		}
	}
}
