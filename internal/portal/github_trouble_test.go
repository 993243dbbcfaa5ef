package portal_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// posts picks the dispatches out of all requests.
func posts(then func(http.ResponseWriter, *http.Request) bool) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool { return r.Method == http.MethodPost && then(w, r) }
}

func gateway(w http.ResponseWriter, _ *http.Request) bool {
	w.WriteHeader(http.StatusBadGateway)
	return true
}

// A dispatch may have been carried out although the answer is lost: then its run is
// found, and there is no second one.
func TestADispatchWhoseAnswerIsLostIsNotDoubled(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(http.ResponseWriter, *http.Request) bool{"cut": cut, "502": gateway} {
		for _, reports := range []bool{true, false} {
			t.Run(fmt.Sprint(name, reports), func(t *testing.T) {
				t.Parallel()
				h := newHub(t)
				p := h.portal(portaltest.Options{})
				h.after, h.silent = posts(lose), true
				p.action("a", jsonv.Object{"reportWorkflowStatus": reports})
				run := p.start("a")
				p.want(run, "IN_PROGRESS", "", "", "It is not known whether the workflow was dispatched, and looked up: GitHub ")
				p.pass(20 * time.Second)
				h.set(func() { h.silent = false })
				p.pass(10 * time.Second)
				link, id := "", ""
				if reports {
					link, id = page(h.runs[0]), "1000"
				}
				p.want(run, "IN_PROGRESS", link, id, "not known")
				if n := strings.Count(p.log(run), "\n"); n != 0 {
					t.Errorf("the log: %s", p.log(run))
				}
				asked := len(h.asked(""))
				p.pass(5 * time.Minute)
				if h.made() != 1 || !reports && len(h.asked("")) != asked {
					t.Errorf("%d runs, %d more calls", h.made(), len(h.asked(""))-asked)
				}
			})
		}
	}
}

// The next run of an action waits for what became of the one before it.
func TestADispatchThatHasNotHappenedIsMadeAgainBeforeTheNext(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	p := h.portal(portaltest.Options{})
	h.before = posts(gateway)
	p.action("a", jsonv.Object{"workflowInputs": jsonv.Object{"id": "{{ .run.id }}"}})
	one, two := p.start("a"), p.start("a")
	p.pass(30 * time.Second)
	if n := len(h.asked("POST")); n != 1 {
		t.Errorf("%d dispatches", n)
	}
	h.set(func() { h.before = nil })
	p.pass(45 * time.Second)
	if h.made() != 2 || h.runs[0].inputs["id"] != one || h.runs[1].inputs["id"] != two {
		t.Fatalf("%d runs", h.made())
	}
	p.pass(10 * time.Second)
	p.want(one, "IN_PROGRESS", page(h.runs[0]), "1000", "502 Bad Gateway")
	p.want(two, "IN_PROGRESS", page(h.runs[1]), "1001", "")
}

func TestAfterSomeAttemptsADispatchIsGivenUp(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	p := h.portal(portaltest.Options{})
	h.before = posts(cut)
	p.action("a", nil)
	run := p.start("a")
	p.pass(10 * time.Minute)
	p.want(run, "FAILURE", "", "", "GitHub has made no run of it in 3 attempts")
	if n := len(h.asked("POST")); n != 3 {
		t.Errorf("%d attempts", n)
	}
	repository := slices.DeleteFunc(h.asked("GET"), func(c hubCall) bool { return c.path != "/repos/acme/infra" })
	if len(repository) != 1 {
		t.Errorf("the default branch is asked for %d times", len(repository))
	}
	h.set(func() {
		h.before = func(w http.ResponseWriter, r *http.Request) bool {
			return r.URL.Path != "/repos/acme/infra" && gateway(w, r)
		}
	})
	run = p.start("a")
	p.pass(14 * time.Minute)
	p.want(run, "IN_PROGRESS", "", "", "It is not known")
	p.pass(3 * time.Minute)
	p.want(run, "FAILURE", "", "", "It is not known whether the workflow was dispatched: GitHub answered 502 Bad Gateway")
	if n := len(h.asked("POST")); n != 4 {
		t.Errorf("%d attempts while it is not known what became of the first", n-3)
	}
}

func TestARunThatWasEndedIsNotDispatchedAgain(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	p := h.portal(portaltest.Options{})
	h.before = posts(gateway)
	p.action("a", nil)
	run := p.start("a")
	p.Must(http.MethodPatch, "/v1/actions/runs/"+run, jsonv.Object{"status": "FAILURE"})
	p.pass(10 * time.Minute)
	if n := len(h.asked("")); n != 2 { // the default branch, and the dispatch
		t.Errorf("%d calls", n)
	}
}

func TestRateLimitsOfGitHubAreWaitedFor(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]struct {
		answer func(h *hub, w http.ResponseWriter)
		wait   time.Duration
	}{
		"seconds": {func(h *hub, w http.ResponseWriter) {
			w.Header().Set("Retry-After", "90")
			h.say(w, 429, nil)
		}, 90 * time.Second},
		"date": {func(h *hub, w http.ResponseWriter) {
			w.Header().Set("Retry-After", h.now().Add(100*time.Second).UTC().Format(http.TimeFormat))
			h.say(w, 403, jsonv.Object{"message": "wait"})
		}, 100 * time.Second},
		"reset": {func(h *hub, w http.ResponseWriter) {
			w.Header().Set("X-RateLimit-Remaining", "0")
			w.Header().Set("X-RateLimit-Reset", fmt.Sprint(h.now().Add(20*time.Minute).Unix()))
			h.say(w, 403, jsonv.Object{"message": "API rate limit exceeded"})
		}, 20 * time.Minute},
		"secondary": {func(h *hub, w http.ResponseWriter) {
			h.say(w, 403, jsonv.Object{"message": "You have exceeded a secondary rate limit"})
		}, time.Minute},
		"absurd": {func(h *hub, w http.ResponseWriter) {
			w.Header().Set("Retry-After", "1000000000")
			h.say(w, 429, nil)
		}, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			p := h.portal(portaltest.Options{})
			limited := false
			h.before = func(w http.ResponseWriter, _ *http.Request) bool {
				if limited {
					limit.answer(h, w)
				}
				return limited
			}
			p.action("a", jsonv.Object{"workflowInputs": jsonv.Object{"ref": "r"}})
			p.action("b", nil)
			followed := p.start("a")
			p.pass(5 * time.Second)
			h.set(func() { limited = true })
			one := p.start("a")
			before := len(h.asked(""))
			two := p.start("b")
			p.Advance(limit.wait - time.Second)
			p.Settle()
			if n := len(h.asked("")) - before; n != 0 {
				t.Errorf("%d calls in spite of the limit", n)
			}
			for _, run := range []string{one, two} {
				p.want(run, "IN_PROGRESS", "", "", "The workflow is dispatched later: GitHub's rate limit is used up")
			}
			h.set(func() { limited = false })
			p.pass(10 * time.Second)
			if h.made() != 3 {
				t.Errorf("%d runs", h.made())
			}
			h.end(0, "success")
			p.pass(2 * time.Minute)
			p.want(followed, "SUCCESS", page(h.runs[0]), "1000", "")
		})
	}
}

func TestADispatchDoesNotWaitForALimitForEver(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	p := h.portal(portaltest.Options{})
	h.before = func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", "3600")
		h.say(w, 429, nil)
		return true
	}
	p.action("a", nil)
	run := p.start("a")
	for range 8 {
		p.want(run, p.status(run), "", "", "later")
		p.Advance(time.Hour)
		p.Settle()
	}
	p.want(run, "FAILURE", "", "", "The workflow was not dispatched: the rate limit of GitHub is used up until 2024-")
	if n := strings.Count(p.log(run), "later"); n != 1 {
		t.Errorf("it is told %d times", n)
	}
}

// A refusal that is no limit is answered with the same status.
func TestAForbiddenDispatchFailsAtOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	p := h.portal(portaltest.Options{})
	h.before = posts(func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("X-RateLimit-Remaining", "4999")
		h.say(w, 403, jsonv.Object{"message": "Resource not accessible by personal access token"})
		return true
	})
	p.action("a", nil)
	p.want(p.start("a"), "FAILURE", "", "", "403 Forbidden: Resource not accessible")
}

// What a portal is about when it goes is taken up by the next one on the same data.
func TestTheNextPortalGoesOnWithWorkflows(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	o := portaltest.Options{DataFile: filepath.Join(t.TempDir(), "portal.db")}
	p := h.portal(o)
	again := func() {
		t.Helper()
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		o.Start = p.Clock().Now().Add(2 * time.Second)
		p = h.portal(o)
		p.Settle()
	}
	p.action("a", jsonv.Object{"workflowInputs": jsonv.Object{"id": "{{ .run.id }}"}})
	p.action("b", nil)
	followed := p.start("a")
	p.pass(5 * time.Second)
	searched, next := p.start("a"), p.start("a")
	h.set(func() { h.after, h.silent = posts(cut), true })
	lost := p.start("b")
	h.set(func() { h.after, h.silent = nil, false })
	again()
	p.want(followed, "IN_PROGRESS", page(h.runs[0]), "1000", "")
	p.want(searched, "IN_PROGRESS", "", "", "")
	p.pass(10 * time.Second)
	for n, id := range []string{followed, searched, next} {
		p.want(id, "IN_PROGRESS", page(h.runs[n]), fmt.Sprint(1000+n), "")
	}
	p.want(lost, "IN_PROGRESS", page(h.runs[3]), "1003", "not known")
	again()
	for n := range h.runs {
		h.end(n, "success")
	}
	p.pass(30 * time.Second)
	for n, id := range []string{followed, searched, next, lost} {
		if n == 3 {
			p.want(id, "SUCCESS", page(h.runs[n]), fmt.Sprint(1000+n), "not known")
			continue
		}
		p.want(id, "SUCCESS", page(h.runs[n]), fmt.Sprint(1000+n), "")
	}
	if h.made() != 4 {
		t.Errorf("%d runs", h.made())
	}
}

// Other runs do not wait for a GitHub that does not answer.
func TestASilentGitHubHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	p := h.portal(portaltest.Options{})
	p.action("a", nil)
	for n := range 12 {
		p.action(fmt.Sprint("w", n), nil)
		p.start(fmt.Sprint("w", n))
	}
	p.pass(10 * time.Second)
	release, asked := make(chan struct{}), make(chan struct{}, 100)
	var once sync.Once
	free := func() { once.Do(func() { close(release) }) }
	t.Cleanup(free)
	h.set(func() {
		h.before = func(_ http.ResponseWriter, r *http.Request) bool {
			h.mu.Unlock()
			defer h.mu.Lock()
			asked <- struct{}{}
			select {
			case <-release:
			case <-r.Context().Done():
			}
			return false
		}
	})
	p.Advance(time.Minute)
	for range 8 {
		<-asked // as many as go on at a time
	}
	got := make(chan struct{})
	fast := newBackendFor(t, got)
	p.Must(http.MethodPost, "/v1/actions", jsonv.Object{
		"identifier": "fast", "invocationMethod": jsonv.Object{"type": "WEBHOOK", "url": fast},
		"trigger": jsonv.Object{"type": "self-service", "operation": "CREATE", "userInputs": jsonv.Object{"properties": jsonv.Object{}}},
	})
	p.Must(http.MethodPost, "/v1/actions/fast/runs", jsonv.Object{"properties": jsonv.Object{}})
	select {
	case <-got:
	case <-time.After(8 * time.Second):
		t.Error("a webhook waits for GitHub")
	}
	select {
	case <-asked:
		t.Error("GitHub is asked about more than some at a time")
	default:
	}
	free()
	p.Settle()
	if n := len(asked); n != 4 {
		t.Errorf("%d of the others are asked about", n)
	}
}

// newBackendFor is the URL of a backend that says when it is called.
func newBackendFor(t *testing.T, got chan struct{}) string {
	t.Helper()
	h := newHub(t)
	h.before = func(w http.ResponseWriter, _ *http.Request) bool {
		close(got)
		h.say(w, 200, nil)
		return true
	}
	return h.URL
}

func TestTheTokenOfGitHubIsToldToNobodyElse(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var log bytes.Buffer
	dir := t.TempDir()
	p := h.portal(portaltest.Options{
		DataFile: filepath.Join(dir, "portal.db"), Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	p.Must(http.MethodPost, "/v1/organization/secrets", jsonv.Object{"secretName": "K", "secretValue": theSecret})
	p.action("a", jsonv.Object{"workflowInputs": jsonv.Object{"k": "{{ .secrets.K }}", "ref": "r"}})
	// GitHub repeats what it was told, also where that is of no use.
	h.before = func(w http.ResponseWriter, r *http.Request) bool {
		h.say(w, 401, jsonv.Object{
			"message": "no " + r.Header.Get("Authorization"), "errors": []any{jsonv.Object{"inputs": theSecret, "token": hubToken}},
		})
		return true
	}
	refused := p.start("a")
	h.set(func() { h.before = nil })
	run := p.start("a")
	if got := jsonv.String(h.runs[0].inputs, "k"); got != theSecret {
		t.Errorf("GitHub gets %q", got)
	}
	p.pass(time.Minute)
	h.set(func() { h.before = posts(cut) })
	lost := p.start("a")
	texts := log.String() + p.Dump() + p.Call(http.MethodGet, "/v1/audit-log", nil).Text
	for _, id := range []string{refused, run, lost} {
		texts += p.log(id) + string(jsonv.Encode(p.run(id)))
	}
	if strings.Contains(texts, hubToken) || strings.Contains(texts, theSecret) || !strings.Contains(texts, "no Bearer ******") {
		t.Errorf("a secret is told, or nothing: %s", texts)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte(hubToken)) || bytes.Contains(text, []byte(theSecret)) {
			t.Errorf("%s holds a secret", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// reference/actions.md §10: the documents of the requirement, driven to the end.
func TestScaffoldingAndAPullRequestAreWorkflows(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	p := h.portal(portaltest.Options{Seed: `{"blueprints":[{"identifier":"service","title":"Service","schema":{"properties":{}}}]}`})
	p.Must(http.MethodPost, "/v1/blueprints/service/actions", jsonv.Object{
		"identifier": "scaffold", "title": "Scaffold", "trigger": "CREATE",
		"userInputs":       jsonv.Object{"properties": jsonv.Object{"name": jsonv.Object{"type": "string"}, "port": jsonv.Object{"type": "number", "default": jsonv.Int(80)}}},
		"invocationMethod": jsonv.Object{"type": "GITHUB", "org": "acme", "repo": "infra", "workflow": "create.yml"},
	})
	p.Must(http.MethodPost, "/v1/blueprints/service/actions", jsonv.Object{
		"identifier": "pr", "title": "Terraform PR", "trigger": "CREATE", "requiredApproval": true,
		"userInputs":       jsonv.Object{"properties": jsonv.Object{"bucket": jsonv.Object{"type": "string"}}},
		"invocationMethod": jsonv.Object{"type": "GITHUB", "org": "acme", "repo": "infra", "workflow": "create.yml", "omitPayload": true, "reportWorkflowStatus": false},
	})
	runs := map[string]string{}
	for name, properties := range map[string]jsonv.Object{"scaffold": {"name": "wallet"}, "pr": {"bucket": "b"}} {
		runs[name] = jsonv.String(p.Must(http.MethodPost, "/v1/blueprints/service/actions/"+name+"/runs", jsonv.Object{"properties": properties}), "run", "id")
		p.Settle()
	}
	if h.made() != 1 {
		t.Fatalf("%d workflows before the approval", h.made())
	}
	inputs := h.runs[0].inputs
	if inputs["name"] != "wallet" || inputs["port"] != "80" || !strings.Contains(jsonv.String(inputs, "port_payload"), `"runId":"`+runs["scaffold"]+`"`) {
		t.Errorf("the workflow gets %s", jsonv.Encode(inputs))
	}
	p.Must(http.MethodPatch, "/v1/actions/runs/"+runs["pr"]+"/approval", jsonv.Object{"status": "APPROVE"})
	p.Settle()
	if h.made() != 2 || len(h.runs[1].inputs) != 1 || h.runs[1].inputs["bucket"] != "b" {
		t.Fatalf("%d workflows after it", h.made())
	}
	h.end(0, "success")
	h.end(1, "success")
	p.pass(20 * time.Second)
	p.want(runs["scaffold"], "SUCCESS", page(h.runs[0]), "1000", "")
	p.want(runs["pr"], "IN_PROGRESS", "", "", "")
	p.Must(http.MethodPatch, "/v1/actions/runs/"+runs["pr"], jsonv.Object{"status": "SUCCESS", "link": "https://github.example/acme/infra/pull/1"})
}
