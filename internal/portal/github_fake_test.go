package portal_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

const hubToken = "ghs_0123456789abcdefThePortalsToken"

// hub plays the part of GitHub that the portal knows, for the repository acme/infra
// with the workflow create.yml, as GitHub documents it.
type hub struct {
	*httptest.Server
	t *testing.T

	mu sync.Mutex
	// now is GitHub's time.
	now func() time.Time
	// details says that the answer to a dispatch names the run that comes of it.
	details bool
	// silent keeps dispatched runs out of the list.
	silent bool
	// before may answer a request itself; it then returns true.
	before func(w http.ResponseWriter, r *http.Request) bool
	// after may spoil the answer of a request that was carried out.
	after func(w http.ResponseWriter, r *http.Request) bool
	runs  []*hubRun
	calls []hubCall
}

type hubRun struct {
	id                        int
	status, conclusion, title string
	branch                    string
	created                   time.Time
	inputs                    jsonv.Object
	changed                   int
}

type hubCall struct {
	method, path string
	header       http.Header
	body         jsonv.Object
}

func newHub(t *testing.T) *hub {
	t.Helper()
	h := &hub{t: t, now: func() time.Time { return time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) }}
	h.Server = httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(h.Close)
	return h
}

func (h *hub) serve(w http.ResponseWriter, r *http.Request) {
	body, err := jsonv.DecodeObject(readAll(h.t, r))
	if err != nil {
		body = nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, hubCall{r.Method, r.URL.RequestURI(), r.Header.Clone(), body})
	w.Header().Set("Date", h.now().UTC().Format(http.TimeFormat))
	w.Header().Set("Content-Type", "application/json")
	if h.before != nil && h.before(w, r) {
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+hubToken {
		h.say(w, http.StatusUnauthorized, jsonv.Object{"message": "Bad credentials"})
		return
	}
	status, answer := h.answer(w, r, body)
	if h.after != nil && h.after(w, r) {
		return
	}
	h.say(w, status, answer)
}

func (h *hub) say(w http.ResponseWriter, status int, answer any) {
	w.WriteHeader(status)
	if answer != nil && status != http.StatusNotModified {
		if _, err := w.Write(jsonv.Encode(answer)); err != nil {
			h.t.Log(err)
		}
	}
}

func (h *hub) answer(w http.ResponseWriter, r *http.Request, body jsonv.Object) (int, any) {
	const repo, workflow = "/repos/acme/infra", "/repos/acme/infra/actions/workflows/create.yml"
	path := r.URL.EscapedPath()
	var id int
	switch n, err := fmt.Sscanf(path, repo+"/actions/runs/%d", &id); {
	case r.Method == http.MethodGet && path == repo:
		return 200, jsonv.Object{"default_branch": "trunk"}
	case r.Method == http.MethodPost && path == workflow+"/dispatches":
		return h.dispatch(body)
	case r.Method == http.MethodGet && path == workflow+"/runs":
		return 200, h.list(r)
	case r.Method == http.MethodGet && n == 1 && err == nil:
		for _, run := range h.runs {
			etag := fmt.Sprintf(`W/"%d-%d"`, run.id, run.changed)
			if run.id == id {
				w.Header().Set("ETag", etag)
				if r.Header.Get("If-None-Match") == etag {
					return http.StatusNotModified, nil
				}
				return 200, h.shown(run)
			}
		}
	}
	return 404, jsonv.Object{"message": "Not Found", "documentation_url": "https://docs.github.com"}
}

func (h *hub) dispatch(body jsonv.Object) (int, any) {
	for key := range body {
		if key != "ref" && key != "inputs" {
			return 422, jsonv.Object{"message": fmt.Sprintf("Invalid request.\n\n%q is not a permitted key.", key)}
		}
	}
	inputs := jsonv.Map(body, "inputs")
	if len(inputs) > 10 {
		return 422, jsonv.Object{"message": "you may only define up to 10 `inputs` for a `workflow_dispatch` event"}
	}
	for name, v := range inputs {
		if _, ok := v.(string); !ok {
			return 422, jsonv.Object{"message": "For 'properties/" + name + "', the value is not a string."}
		}
	}
	ref := strings.TrimPrefix(jsonv.String(body, "ref"), "refs/heads/")
	if ref == "gone" || ref == "" {
		return 422, jsonv.Object{"message": "No ref found for: " + ref}
	}
	run := &hubRun{id: 1000 + len(h.runs), status: "queued", branch: ref, created: h.now(), inputs: inputs, title: "Create"}
	if s := jsonv.String(inputs, "named"); s != "" {
		run.title = "Create for " + s
	}
	h.runs = append(h.runs, run)
	if h.details {
		return 200, jsonv.Object{"workflow_run_id": jsonv.Int(run.id), "run_url": h.URL, "html_url": page(run)}
	}
	return 204, nil
}

func page(r *hubRun) string {
	return fmt.Sprintf("https://github.example/acme/infra/actions/runs/%d", r.id)
}

func (h *hub) shown(r *hubRun) jsonv.Object {
	o := jsonv.Object{
		"id": jsonv.Int(r.id), "name": "create", "display_title": r.title, "event": "workflow_dispatch", "head_branch": r.branch, "status": r.status,
		"conclusion": nil, "html_url": page(r), "created_at": r.created.UTC().Format(time.RFC3339),
	}
	if r.conclusion != "" {
		o["conclusion"] = r.conclusion
	}
	return o
}

// list is newest first.
func (h *hub) list(r *http.Request) jsonv.Object {
	out := []any{}
	since, ok := strings.CutPrefix(r.URL.Query().Get("created"), ">=")
	if !ok || r.URL.Query().Get("event") != "workflow_dispatch" {
		h.t.Errorf("the list is asked for with %s", r.URL.RawQuery)
	}
	page := 1
	if s := r.URL.Query().Get("page"); s != "" {
		if _, err := fmt.Sscan(s, &page); err != nil {
			h.t.Error(err)
		}
	}
	for n := len(h.runs) - 1; n >= 0 && !h.silent; n-- {
		if made := h.runs[n].created.UTC().Format(time.RFC3339); made >= since {
			out = append(out, h.shown(h.runs[n]))
		}
	}
	first := min((page-1)*100, len(out))
	return jsonv.Object{"total_count": jsonv.Int(len(out)), "workflow_runs": out[first:min(first+100, len(out))]}
}

// end ends a run of the workflow.
func (h *hub) end(n int, conclusion string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.runs[n].status, h.runs[n].conclusion = "completed", conclusion
	h.runs[n].changed++
}

// set changes how GitHub behaves.
func (h *hub) set(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

// asked are the calls whose path contains a text.
func (h *hub) asked(part string) (out []hubCall) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.calls {
		if strings.Contains(c.method+" "+c.path, part) {
			out = append(out, c)
		}
	}
	return out
}

func (h *hub) made() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.runs)
}

// cut breaks the connection off.
func cut(w http.ResponseWriter, r *http.Request) bool {
	panic(http.ErrAbortHandler)
}

// hubPortal is a portal that works with it, and has an action of the workflow.
type hubPortal struct {
	*portaltest.Portal
	hub *hub
}

func (h *hub) portal(o portaltest.Options) *hubPortal {
	h.t.Helper()
	o.RealCalls, o.GitHubURL, o.GitHubToken = true, h.URL+"/", hubToken
	p := &hubPortal{portaltest.Start(h.t, o), h}
	// GitHub's clock is some minutes ahead of the portal's.
	h.set(func() { h.now = func() time.Time { return p.Clock().Now().Add(7 * time.Minute) } })
	return p
}

func (p *hubPortal) action(name string, method jsonv.Object) {
	full := jsonv.Object{"type": "GITHUB", "org": "acme", "repo": "infra", "workflow": "create.yml"}
	for key, v := range method {
		full[key] = v
	}
	p.Must(http.MethodPost, "/v1/actions", jsonv.Object{
		"identifier": name, "invocationMethod": full,
		"trigger": jsonv.Object{"type": "self-service", "operation": "CREATE", "userInputs": jsonv.Object{"properties": jsonv.Object{"n": jsonv.Object{"type": "number"}}}},
	})
}

// start runs an action and waits until the portal has nothing to do.
func (p *hubPortal) start(action string) string {
	id := jsonv.String(p.Must(http.MethodPost, "/v1/actions/"+action+"/runs", jsonv.Object{"properties": jsonv.Object{"n": jsonv.Int(3)}}), "run", "id")
	p.Settle()
	return id
}

func (p *hubPortal) run(id string) jsonv.Object {
	return jsonv.Map(p.Must(http.MethodGet, "/v1/actions/runs/"+id, nil), "run")
}

func (p *hubPortal) status(id string) string { return jsonv.String(p.run(id), "status") }

// log is what the log of a run says.
func (p *hubPortal) log(id string) string {
	var lines []string
	for _, v := range jsonv.List(p.Must(http.MethodGet, "/v1/actions/runs/"+id+"/logs", nil), "runLogs") {
		lines = append(lines, jsonv.String(v, "message"))
	}
	return strings.Join(lines, "\n")
}

// pass lets time pass in steps as short as the shortest wait of the portal.
func (p *hubPortal) pass(d time.Duration) {
	for ; d > 0; d -= 5 * time.Second {
		p.Advance(min(d, 5*time.Second))
		p.Settle()
	}
}

// want tells what a run should be like.
func (p *hubPortal) want(id, status, link, external, log string) {
	p.hub.t.Helper()
	run := p.run(id)
	links := strings.Join(jsonv.Strings(run["link"]), " ")
	if run["status"] != status || links != link || jsonv.String(run, "externalRunId") != external || !strings.Contains(p.log(id), log) || log == "" && p.log(id) != "" {
		p.hub.t.Errorf("run %s is %v with link %q, external id %q and log %q; want %s, %q, %q and %q",
			id, run["status"], links, jsonv.String(run, "externalRunId"), p.log(id), status, link, external, log)
	}
}
