package cli

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The portal inside the provider takes GitHub from the environment: it has no flags.
func TestTheEmbeddedPortalDispatchesWorkflows(t *testing.T) {
	t.Parallel()
	got := make(chan string, 4)
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- r.Method + " " + r.URL.Path + " " + r.Header.Get("Authorization") + " " + r.Header.Get("User-Agent")
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(hub.Close)
	e := Env{Version: "1.2.3", Getenv: func(name string) string {
		return map[string]string{"PORT_GITHUB_TOKEN": "the-token", "PORT_GITHUB_URL": hub.URL}[name]
	}}
	transport, closer, err := e.openEmbedded(t.Context(), filepath.Join(t.TempDir(), "portal.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := closer.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, call := range [][2]string{
		{"/v1/actions", `{"identifier":"a","trigger":{"type":"self-service","operation":"CREATE","userInputs":{"properties":{}}},
			"invocationMethod":{"type":"GITHUB","org":"acme","repo":"infra","workflow":"w.yml","workflowInputs":{"ref":"r"},"reportWorkflowStatus":false}}`},
		{"/v1/actions/a/runs", `{"properties":{}}`},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://portal.test"+call[0], strings.NewReader(call[1]))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil || answer.StatusCode > 299 {
			t.Fatalf("%s: %s %v", call[0], answer.Status, err)
		}
	}
	select {
	case call := <-got:
		if call != "POST /repos/acme/infra/actions/workflows/w.yml/dispatches Bearer the-token port-reference-server/1.2.3" {
			t.Error(call)
		}
	case <-time.After(30 * time.Second):
		t.Error("nothing is dispatched")
	}
}
