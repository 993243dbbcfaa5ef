package portal_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

const serviceAlone = `{"blueprints": [{"identifier": "service", "title": "Service", "schema": {"properties": {}, "required": []}}]}`

// The document of the requirement is accepted on both routes and read back on the
// blueprint's as it was sent, key by key; beside it stands only what the server sets
// (reference/actions.md §1.6, §1.8).
//
// rows: act §10 26
func TestTheDocumentOfTheRequirementIsReadBackUnchanged(t *testing.T) {
	t.Parallel()
	const document = `{"identifier": "unique_id", "title": "Title", "icon": "Icon",
		"userInputs": {"properties": {"p1": {"type": "string", "title": "P1", "default": "x"}, "p2": {"type": "number", "title": "P2", "default": 5}},
		               "required": [], "order": ["p1", "p2"]},
		"invocationMethod": {"type": "WEBHOOK", "url": "https://example.com"},
		"trigger": "CREATE", "description": "…", "requiredApproval": false, "approvalNotification": {"type": "email"}}`
	unchanged := func(p *portaltest.Portal, path string) {
		t.Helper()
		got := jsonv.CloneObject(jsonv.Map(p.Must(http.MethodGet, path, nil), "action"))
		for _, key := range []string{"id", "blueprint", "createdAt", "createdBy", "updatedAt", "updatedBy"} {
			if jsonv.String(got, key) == "" {
				t.Errorf("%s: no %s", path, key)
			}
			delete(got, key)
		}
		if diff := cmp.Diff(decodeJSON(t, document), got); diff != "" {
			t.Errorf("%s (-sent +read): %s", path, diff)
		}
	}
	const path = "/v1/blueprints/service/actions"
	byBlueprint := portaltest.Start(t, portaltest.Options{Seed: serviceAlone})
	byBlueprint.Must(http.MethodPost, path, decodeJSON(t, document))
	unchanged(byBlueprint, path+"/unique_id")
	byBlueprint.Must(http.MethodPut, path+"/unique_id", decodeJSON(t, document))
	unchanged(byBlueprint, path+"/unique_id")
	byBlueprint.Must(http.MethodPut, path, []any{decodeJSON(t, document)})
	unchanged(byBlueprint, path+"/unique_id")

	current := portaltest.Start(t, portaltest.Options{Seed: serviceAlone})
	named := decodeJSON(t, document)
	named["blueprint"] = "service"
	current.Must(http.MethodPost, "/v1/actions", named)
	unchanged(current, path+"/unique_id")
	current.Must(http.MethodPut, "/v1/actions/unique_id", named)
	unchanged(current, path+"/unique_id")
}

// Logs are read in the order in which they were written, in pages of at most fifty,
// while the run goes on (reference/actions.md §4.5).
//
// rows: act §10 23
func TestLogsAreReadLiveInPages(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	p.Must(http.MethodPost, "/v1/actions", decodeJSON(t, `{"identifier": "a", "trigger": {"type": "self-service", "operation": "CREATE", "userInputs": {"properties": {}}}, "invocationMethod": {"type": "WEBHOOK", "url": "https://example.com"}}`))
	path := "/v1/actions/runs/" + jsonv.String(p.Must(http.MethodPost, "/v1/actions/a/runs", decodeJSON(t, `{"properties": {}}`)), "run", "id") + "/logs"
	const lines = 120
	reader := p.As(portaltest.User{Email: "m@x.io"})
	for i := range lines {
		p.Must(http.MethodPost, path, jsonv.Object{"message": fmt.Sprint("line ", i)})
		// What was written last is there at once, for everybody who sees the run.
		last := jsonv.List(p.CallAs(reader, http.MethodGet, fmt.Sprintf("%s?offset=%d", path, i), nil).Body, "runLogs")
		if len(last) != 1 || jsonv.String(last[0], "message") != fmt.Sprint("line ", i) {
			t.Fatalf("after line %d: %s", i, jsonv.Encode(last))
		}
	}
	var got []string
	for _, query := range []string{"", "?offset=50", "?offset=100&limit=50", "?offset=120"} {
		page := jsonv.List(p.CallAs(reader, http.MethodGet, path+query, nil).Body, "runLogs")
		if want := map[string]int{"": 50, "?offset=50": 50, "?offset=100&limit=50": 20}[query]; len(page) != want {
			t.Errorf("%q gives %d lines, want %d", query, len(page), want)
		}
		for _, line := range page {
			got = append(got, jsonv.String(line, "message"))
		}
	}
	for i, message := range got {
		if message != fmt.Sprint("line ", i) {
			t.Fatalf("line %d is %q", i, message)
		}
	}
	if len(got) != lines {
		t.Errorf("%d lines were read, want %d", len(got), lines)
	}
}
