package portal_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

const messageSecret = "port-secret-for-tests-0123456789abcdef"

// message is what the backend was sent last.
func message(t *testing.T, p *portaltest.Portal) jsonv.Object {
	t.Helper()
	p.Settle()
	calls := p.Webhooks()
	if len(calls) == 0 {
		t.Fatal("the backend was not called")
	}
	body, err := jsonv.DecodeObject([]byte(calls[len(calls)-1].Body))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// Backends of actions in the older format receive the standard run message and not a
// key more, however the action was written and whoever runs it
// (reference/actions.md §1.7, §3.6).
func TestBackendsReceiveExactlyTheStandardRunMessage(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t, portaltest.Options{ClientID: portaltest.ClientID, ClientSecret: messageSecret, Seed: `{
		"blueprints": [{"identifier": "service", "title": "Service", "schema": {"properties": {"tier": {"type": "string"}}, "required": []}}],
		"entities": [{"identifier": "svc-1", "blueprint": "service", "title": "One", "properties": {"tier": "1"}}]}`})
	const inputs = `{"properties": {"replicas": {"type": "number", "default": 3}, "left": {"type": "string"}, "token": {"type": "string", "encryption": "aes256-gcm"},
		"with": {"type": "string", "format": "entity", "blueprint": "service"}}}`
	document := func(id, trigger string) any {
		return decodeJSON(t, `{"identifier": "`+id+`", "trigger": "`+trigger+`", "userInputs": `+inputs+`, "invocationMethod": {"type": "WEBHOOK", "url": "https://example.com"}}`)
	}
	p.Must(http.MethodPost, "/v1/blueprints/service/actions", document("scale", "DAY-2"))
	p.Must(http.MethodPost, "/v1/blueprints/service/actions", document("make", "CREATE"))
	p.Must(http.MethodPost, "/v1/actions", document("free", "CREATE"))
	p.Must(http.MethodPost, "/v1/actions", decodeJSON(t, `{"identifier": "current", "trigger": {"type": "self-service", "operation": "DAY-2", "blueprintIdentifier": "service", "userInputs": `+inputs+`},
		"invocationMethod": {"type": "WEBHOOK", "url": "https://example.com"}}`))
	p.As(portaltest.User{Email: "ann@x.io"})
	entity := jsonv.CloneObject(jsonv.Map(p.Must(http.MethodGet, "/v1/blueprints/service/entities/svc-1", nil), "entity"))
	entity["icon"], entity["scorecards"] = nil, jsonv.Object{}

	for name, c := range map[string]struct {
		path, posted, action, operation string
		properties                      jsonv.Object
		blueprint, entity               any
		user                            bool
		hidden                          bool
	}{
		"on an entity":             {"/v1/blueprints/service/entities/svc-1/actions/scale/runs", `{"properties": {}}`, "scale", "DAY-2", decodeJSON(t, `{"replicas": 3}`), "service", entity, false, false},
		"for a user":               {"/v1/blueprints/service/entities/svc-1/actions/scale/runs?run_as=ann@x.io", `{"properties": {"replicas": 1}}`, "scale", "DAY-2", decodeJSON(t, `{"replicas": 1}`), "service", entity, true, false},
		"by the current route":     {"/v1/actions/service_scale/runs", `{"properties": {"with": "svc-1"}, "entity": "svc-1"}`, "scale", "DAY-2", decodeJSON(t, `{"replicas": 3, "with": "svc-1"}`), "service", entity, false, false},
		"of a creation":            {"/v1/blueprints/service/actions/make/runs", `{"properties": {"left": null, "token": "hunter2"}}`, "make", "CREATE", decodeJSON(t, `{"replicas": 3, "left": null}`), "service", nil, false, true},
		"of no blueprint":          {"/v1/actions/free/runs", `{"properties": {}}`, "free", "CREATE", decodeJSON(t, `{"replicas": 3}`), nil, nil, false, false},
		"of the current format":    {"/v1/actions/current/runs", `{"properties": {"with": "svc-1"}, "entity": "svc-1"}`, "current", "DAY-2", decodeJSON(t, `{"replicas": 3, "with": "svc-1"}`), "service", entity, false, false},
		"of it, on an older route": {"/v1/blueprints/service/entities/svc-1/actions/current/runs", `{"properties": {}}`, "current", "DAY-2", decodeJSON(t, `{"replicas": 3}`), "service", entity, false, false},
	} {
		run := jsonv.Map(p.Must(http.MethodPost, c.path, decodeJSON(t, c.posted)), "run")
		got := message(t, p)
		by, _ := jsonv.Get(got, "trigger", "by")
		by = jsonv.Clone(by)
		user := jsonv.Map(by, "user")
		want := jsonv.Object{}
		if c.user {
			want = jsonv.Object{"email": "ann@x.io", "id": run["createdBy"]}
			keys := []string{"createdAt", "email", "firstName", "id", "lastName", "phoneNumber", "picture", "providers", "status", "updatedAt"}
			if diff := cmp.Diff(keys, slices.Sorted(maps.Keys(user))); diff != "" {
				t.Errorf("%s: the user (-want +got): %s", name, diff)
			}
			user = jsonv.Object{"email": user["email"], "id": user["id"]}
		}
		if diff := cmp.Diff(want, user); diff != "" {
			t.Errorf("%s: the user (-want +got): %s", name, diff)
		}
		censored := []any{}
		censored = append(censored, "token")
		properties := jsonv.Map(got, "payload", "properties")
		if cipher, given := properties["token"]; given != c.hidden || given && (cipher == "hunter2" || len(jsonv.String(properties, "token")) < 40) {
			t.Errorf("%s: a secret input was sent as %v", name, cipher)
		}
		delete(properties, "token")
		wanted := jsonv.Object{
			"action": c.action, "resourceType": "run", "status": "TRIGGERED",
			"trigger": jsonv.Object{"by": by, "origin": "API", "at": "2024-01-01T00:00:00.000Z"},
			"context": jsonv.Object{"entity": nil, "blueprint": c.blueprint, "runId": run["id"]},
			"payload": jsonv.Object{
				"entity": c.entity, "properties": c.properties, "censoredProperties": censored,
				"action": jsonv.Object{"trigger": c.operation, "invocationMethod": jsonv.Object{"type": "WEBHOOK", "url": "https://example.com"}},
			},
		}
		if c.entity != nil {
			jsonv.Map(wanted, "context")["entity"] = "svc-1"
		}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Errorf("%s: (-want +got): %s", name, diff)
		}
		if org := jsonv.String(by, "orgId"); org != p.Organization() || jsonv.String(by, "userId") != jsonv.String(run, "createdBy") {
			t.Errorf("%s: sent by %v", name, by)
		}
	}
	if strings.Contains(p.Dump(), "hunter2") {
		t.Error("a secret input is kept in the plain")
	}
}

func decodeJSON(t *testing.T, text string) jsonv.Object {
	t.Helper()
	o, err := jsonv.DecodeObject([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return o
}
