package cli_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

const workflowRun = `{"id":7,"event":"workflow_dispatch","head_branch":"main","status":"completed","conclusion":"success","html_url":"https://github.example/runs/7","created_at":`

// TestKillDoublesNoWorkflow ends a portal with SIGKILL while GitHub has dispatched a
// workflow and not answered yet. The next portal finds what has come of it. That
// GitHub is at a private address is what the portal was told, not what an action says:
// it is called, although others can reach the portal.
func TestKillDoublesNoWorkflow(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var created time.Time
	dispatches, begun := 0, make(chan struct{}, 4)
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer the-token" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.Method == http.MethodPost {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				t.Error(err)
			}
			mu.Lock()
			dispatches++
			created = time.Now()
			mu.Unlock()
			begun <- struct{}{}
			<-r.Context().Done() // GitHub never answers
			return
		}
		mu.Lock()
		defer mu.Unlock()
		text := `{"default_branch":"main"}`
		if strings.HasSuffix(r.URL.Path, "/api/v3/repos/acme/infra/actions/workflows/w.yml/runs") {
			text = `{"workflow_runs":[` + workflowRun + `"` + created.UTC().Format(time.RFC3339) + `"}]}`
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Log(err)
		}
	}))
	t.Cleanup(hub.Close)
	env := []string{"PORT_CLIENT_ID=me", "PORT_CLIENT_SECRET=mine", "PORT_GITHUB_TOKEN=the-token", "PORT_GITHUB_URL=" + hub.URL + "/wrong"}
	args := []string{"--data", filepath.Join(t.TempDir(), "portal.db"), "--listen", "0.0.0.0:0", "--github-url", hub.URL + "/api/v3"}
	p := launch(t, env, args...)
	c := newClient(t, p.url, "me", "mine")
	c.must(http.MethodPost, "/v1/actions", `{"identifier":"a","trigger":{"type":"self-service","operation":"CREATE","userInputs":{"properties":{}}},
		"invocationMethod":{"type":"GITHUB","org":"acme","repo":"infra","workflow":"w.yml"}}`)
	run := jsonv.String(c.must(http.MethodPost, "/v1/actions/a/runs", `{"properties":{}}`), "run", "id")
	<-begun
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait()
	p = launch(t, env, args...)
	c = newClient(t, p.url, "me", "mine")
	if got := c.ended(run); got != "SUCCESS" {
		t.Errorf("the run is %s: %v", got, c.must(http.MethodGet, "/v1/actions/runs/"+run+"/logs", ""))
	}
	answer := c.must(http.MethodGet, "/v1/actions/runs/"+run, "")
	if links := jsonv.Strings(jsonv.List(answer, "run", "link")); len(links) != 1 || links[0] != "https://github.example/runs/7" || jsonv.String(answer, "run", "externalRunId") != "7" {
		t.Errorf("the run is %v", answer)
	}
	p.stop(t, os.Interrupt)
	mu.Lock()
	defer mu.Unlock()
	if dispatches != 1 {
		t.Errorf("%d dispatches", dispatches)
	}
	if text := p.stderr.String(); strings.Contains(text, "the-token") {
		t.Errorf("the log: %s", text)
	}
}
