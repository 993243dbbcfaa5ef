package provider_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// workshop is a backend of self-service actions as a platform team would run one: a
// web server that checks signatures, does the work after it has answered, and reports
// through the API with credentials of its own.
type workshop struct {
	*portaltest.Portal
	t      *testing.T
	server *httptest.Server
	token  string
	// halfway is called while a service is being made.
	halfway func(run string)

	mu    sync.Mutex
	heard []heard
	jobs  sync.WaitGroup
}

// heard is a message that the backend took for genuine.
type heard struct {
	what string
	body jsonv.Object
	by   string
}

func openWorkshop(t *testing.T, p *portaltest.Portal) *workshop {
	t.Helper()
	w := &workshop{Portal: p, t: t, token: p.Token()}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /services", w.later(w.scaffold))
	mux.HandleFunc("PATCH /deployments/{deployment}", w.later(w.scale))
	mux.HandleFunc("DELETE /services/{service}", w.signed(w.retire))
	mux.HandleFunc("POST /chat", w.signed(func(rw http.ResponseWriter, _ *http.Request, _ jsonv.Object) {
		rw.WriteHeader(http.StatusOK)
	}))
	w.server = httptest.NewServer(mux)
	t.Cleanup(w.server.Close)
	return w
}

// signed refuses what does not come from the organization's portal, or comes late
// (reference/actions.md §3.7).
func (w *workshop) signed(serve func(http.ResponseWriter, *http.Request, jsonv.Object)) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.t.Errorf("backend: %v", err)
		}
		stamp := r.Header.Get("X-Port-Timestamp")
		mac := hmac.New(sha256.New, []byte(w.ClientSecret))
		mac.Write(append([]byte(stamp+"."), body...))
		want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		seconds, err := strconv.ParseInt(stamp, 10, 64)
		late := w.Clock().Now().Sub(time.Unix(seconds, 0)).Abs() > 5*time.Minute
		if err != nil || late || !hmac.Equal([]byte(r.Header.Get("X-Port-Signature")), []byte(want)) {
			w.t.Errorf("backend: %s %s is not genuine: timestamp %q, signature %q", r.Method, r.URL, stamp, r.Header.Get("X-Port-Signature"))
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		message, err := jsonv.DecodeObject(body)
		if err != nil {
			w.t.Errorf("backend: %s %s: %v", r.Method, r.URL, err)
		}
		w.mu.Lock()
		w.heard = append(w.heard, heard{r.Method + " " + r.URL.Path, message, r.Header.Get("X-Requested-By")})
		w.mu.Unlock()
		serve(rw, r, message)
	}
}

// later answers at once and does the work afterwards.
func (w *workshop) later(work func(r *http.Request, message jsonv.Object)) http.HandlerFunc {
	return w.signed(func(rw http.ResponseWriter, r *http.Request, message jsonv.Object) {
		w.jobs.Add(1)
		go func() {
			defer w.jobs.Done()
			work(r, message)
		}()
		rw.WriteHeader(http.StatusAccepted)
	})
}

// api calls Port over the network.
func (w *workshop) api(method, path string, body jsonv.Object) {
	req, err := http.NewRequest(method, w.URL()+path, bytes.NewReader(jsonv.Encode(body)))
	if err != nil {
		w.t.Errorf("backend: %v", err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	req.Header.Set("Content-Type", "application/json")
	answer, err := w.server.Client().Do(req)
	if err != nil {
		w.t.Errorf("backend: %v", err)
		return
	}
	text, err := io.ReadAll(answer.Body)
	if closing := answer.Body.Close(); err != nil || closing != nil || answer.StatusCode > 299 {
		w.t.Errorf("backend: %s %s: %d %s (%v, %v)", method, path, answer.StatusCode, text, err, closing)
	}
}

func (w *workshop) scaffold(_ *http.Request, m jsonv.Object) {
	run, name := jsonv.String(m, "run"), jsonv.String(m, "name")
	repository := "https://git.example.com/" + name
	w.api(http.MethodPost, "/v1/actions/runs/"+run+"/logs", jsonv.Object{"message": "Making " + repository})
	w.api(http.MethodPatch, "/v1/actions/runs/"+run, jsonv.Object{"link": repository, "statusLabel": "Building"})
	if w.halfway != nil {
		w.halfway(run)
	}
	w.api(http.MethodPost, "/v1/blueprints/service/entities?run_id="+run, jsonv.Object{
		"identifier": name, "title": name, "team": []any{m["team"]},
		"properties": jsonv.Object{"tier": m["tier"], "language": m["language"], "owner": m["owner"], "repository": repository},
		"relations":  jsonv.Object{"depends_on": m["uses"]},
	})
	w.api(http.MethodPost, "/v1/blueprints/deployment/entities?run_id="+run, jsonv.Object{
		"identifier": name + "-" + jsonv.String(m, "environment"), "title": name,
		"properties": jsonv.Object{"replicas": m["replicas"]},
		"relations":  jsonv.Object{"service": name, "environment": m["environment"]},
	})
	w.api(http.MethodPatch, "/v1/actions/runs/"+run, jsonv.Object{"summary": name + " answers", "externalRunId": "pipeline-" + name})
	w.api(http.MethodPost, "/v1/actions/runs/"+run+"/logs", jsonv.Object{"message": "Up", "terminationStatus": "SUCCESS", "statusLabel": "Running"})
}

func (w *workshop) scale(r *http.Request, m jsonv.Object) {
	run := jsonv.String(m, "run")
	w.api(http.MethodPatch, "/v1/blueprints/deployment/entities/"+r.PathValue("deployment")+"?run_id="+run,
		jsonv.Object{"properties": jsonv.Object{"replicas": m["replicas"]}})
	w.api(http.MethodPatch, "/v1/actions/runs/"+run, jsonv.Object{"status": "SUCCESS"})
}

// retire does its work before it answers, and the answer ends the run.
func (w *workshop) retire(rw http.ResponseWriter, r *http.Request, m jsonv.Object) {
	service, run := r.PathValue("service"), jsonv.String(m, "run")
	w.api(http.MethodDelete, "/v1/blueprints/deployment/entities/"+service+"-test?run_id="+run, nil)
	w.api(http.MethodDelete, "/v1/blueprints/service/entities/"+service+"?run_id="+run, nil)
	if _, err := io.WriteString(rw, `{"retired":"`+service+`"}`); err != nil {
		w.t.Errorf("backend: %v", err)
	}
}

// rest waits until nothing is left to do: what Port sends, what the backend makes of
// it, and what automations make of that.
func (w *workshop) rest() {
	for range 3 {
		w.Settle()
		w.jobs.Wait()
	}
	w.Settle()
}

// got are the messages since the last call, without the bodies.
func (w *workshop) got() (what string, messages []heard) {
	w.rest()
	w.mu.Lock()
	defer w.mu.Unlock()
	messages, w.heard = w.heard, nil
	var list []string
	for _, h := range messages {
		list = append(list, h.what)
	}
	return strings.Join(list, ", "), messages
}
