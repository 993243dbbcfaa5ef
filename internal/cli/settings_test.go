package cli_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// reference/actions.md §2.5 step 4, §4.4, §6.5.
func TestTheSettingsOfRunsReachThePortal(t *testing.T) {
	t.Parallel()
	p := launch(t, []string{"PORT_CLIENT_ID=me", "PORT_CLIENT_SECRET=mine"}, "--run-timeout", "10ms", "--allow-unknown-inputs", "--automation-depth", "1")
	c := newClient(t, p.url, "me", "mine")
	c.must(http.MethodPost, "/v1/actions", `{"identifier":"a","trigger":{"type":"self-service","operation":"CREATE","userInputs":{"properties":{}}},"invocationMethod":{"type":"KAFKA"}}`)
	run := jsonv.String(c.must(http.MethodPost, "/v1/actions/a/runs", `{"properties":{"more":1}}`), "run", "id")
	if got := c.ended(run); got != "FAILURE" {
		t.Errorf("the run ended with %s", got)
	}
	c.must(http.MethodPost, "/v1/blueprints", `{"identifier":"b","title":"B","schema":{"properties":{"n":{"type":"number"}}}}`)
	c.must(http.MethodPost, "/v1/actions", `{"identifier":"loop","trigger":{"type":"automation","event":{"type":"ANY_ENTITY_CHANGE","blueprintIdentifier":"b"}},
		"invocationMethod":{"type":"UPSERT_ENTITY","blueprintIdentifier":"b","mapping":{"identifier":"x","properties":{"n":"{{ .event.diff.after.properties.n + 1 }}"}}}}`)
	c.must(http.MethodPost, "/v1/blueprints/b/entities", `{"identifier":"x","properties":{"n":0}}`)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for len(jsonv.List(c.must(http.MethodGet, "/v1/audit-log?status=FAILURE", ""), "audits")) == 0 {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			t.Fatal("the loop goes on")
		}
	}
	if n, _ := jsonv.Get(c.must(http.MethodGet, "/v1/blueprints/b/entities/x", ""), "entity", "properties", "n"); n != jsonv.Int(2) {
		t.Errorf("the loop came to %v", n)
	}
}
