package portal_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

func readAll(t *testing.T, r *http.Request) []byte {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Errorf("%s %s: %v", r.Method, r.URL, err)
	}
	return body
}

// reference/actions.md §3.2 GITHUB, §3.6.
// rows: act §10 7, act §10 19
func TestAWorkflowIsDispatchedWithRefAndTexts(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	p := h.portal(portaltest.Options{})
	for name, test := range map[string]struct {
		inputs jsonv.Object // nil is none
		ref    string
		want   jsonv.Object
	}{
		"none":   {nil, "trunk", jsonv.Object{}},
		"ref":    {jsonv.Object{"ref": "release"}, "release", jsonv.Object{}},
		"noref":  {jsonv.Object{"ref": "{{ .inputs.unknown }}"}, "trunk", jsonv.Object{}},
		"number": {jsonv.Object{"ref": "{{ .inputs.n }}"}, "3", jsonv.Object{}},
		"texts": {
			jsonv.Object{"n": "{{ .inputs.n }}", "s": "x", "b": true, "o": jsonv.Object{"b": jsonv.Int(1), "a": []any{"é", nil}}, "f": jsonv.Int(2)}, "trunk",
			jsonv.Object{"n": "3", "s": "x", "b": "true", "o": `{"a":["é",null],"b":1}`, "f": "2"},
		},
	} {
		method := jsonv.Object{"reportWorkflowStatus": false}
		if test.inputs != nil {
			method["workflowInputs"] = test.inputs
		}
		p.action(name, method)
		before := len(h.asked("dispatches"))
		run := p.start(name)
		sent := h.asked("POST /repos/acme/infra/actions/workflows/create.yml/dispatches")
		if len(sent) != before+1 {
			t.Fatalf("%s: %d dispatches: %s", name, len(sent)-before, p.log(run))
		}
		want := jsonv.Object{"ref": test.ref, "inputs": test.want}
		if diff := cmp.Diff(want, sent[before].body); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		// Whoever runs the workflow reports.
		p.want(run, "IN_PROGRESS", "", "", "")
	}
	p.pass(time.Minute)
	if n := len(h.asked("/runs")); n != 0 {
		t.Errorf("GitHub is asked %d times about workflows whose status is not wanted", n)
	}
	call := h.asked("dispatches")[0]
	for name, want := range map[string]string{"Authorization": "Bearer " + hubToken, "Accept": "application/vnd.github+json", "Content-Type": "application/json"} {
		if got := call.header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
}

func TestNamesOfGitHubAreEscaped(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	p := h.portal(portaltest.Options{})
	p.action("odd", jsonv.Object{"org": "a b", "repo": "x/../y?z#", "workflow": ".github/w.yml", "workflowInputs": jsonv.Object{"ref": "r"}})
	p.want(p.start("odd"), "FAILURE", "", "", "404 Not Found: Not Found")
	if n := len(h.asked("POST /repos/a%20b/x%2F..%2Fy%3Fz%23/actions/workflows/.github%2Fw.yml/dispatches")); n != 1 {
		t.Errorf("sent: %v", h.asked(""))
	}
	for name, method := range map[string]jsonv.Object{"up": {"org": ".."}, "here": {"repo": "."}, "empty": {"workflow": "{{ .inputs.none }}"}} {
		p.action(name, method)
		p.want(p.start(name), "FAILURE", "", "", "is no name")
	}
	if n := len(h.asked("")); n != 1 {
		t.Errorf("%d calls", n)
	}
}

// reference/actions.md §11: the repository's default branch, else main.
func TestWithoutADefaultBranchItIsMain(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	p := h.portal(portaltest.Options{})
	h.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet {
			return false
		}
		h.say(w, 403, jsonv.Object{"message": "Resource not accessible by integration"})
		return true
	}
	p.action("a", jsonv.Object{"reportWorkflowStatus": false})
	p.want(p.start("a"), "IN_PROGRESS", "", "", "")
	if got := h.asked("dispatches")[0].body["ref"]; got != "main" {
		t.Errorf("ref %v", got)
	}
}

func TestARefusedDispatchFailsTheRunWithTheReason(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	p := h.portal(portaltest.Options{})
	many := jsonv.Object{}
	for n := range 11 {
		many[string(rune('a'+n))] = "x"
	}
	p.action("many", jsonv.Object{"workflowInputs": many})
	p.want(p.start("many"), "FAILURE", "", "", "GitHub answered 422 Unprocessable Entity: you may only define up to 10 `inputs`")
	p.action("gone", jsonv.Object{"workflowInputs": jsonv.Object{"ref": "gone"}})
	p.want(p.start("gone"), "FAILURE", "", "", "422 Unprocessable Entity: No ref found for: gone")
	p.action("other", jsonv.Object{"workflow": "none.yml"})
	p.want(p.start("other"), "FAILURE", "", "", "404 Not Found: Not Found")
	h.set(func() {
		h.before = func(w http.ResponseWriter, _ *http.Request) bool {
			h.say(w, 401, jsonv.Object{"message": "Bad credentials for " + hubToken})
			return true
		}
	})
	p.action("who", jsonv.Object{"workflowInputs": jsonv.Object{"ref": "r"}})
	run := p.start("who")
	p.want(run, "FAILURE", "", "", "401 Unauthorized: Bad credentials for ******")
	if jsonv.String(p.run(run), "endedAt") == "" || h.made() != 0 {
		t.Error("a refused run has not ended, or something was dispatched")
	}
	h.Close()
	p.action("down", nil)
	p.want(p.start("down"), "FAILURE", "", "", "GitHub was not reached: ")
}

// reference/actions.md §3.2 GITHUB.
func TestTheConclusionOfTheWorkflowEndsTheRun(t *testing.T) {
	t.Parallel()
	for _, details := range []bool{false, true} {
		t.Run(fmt.Sprint("details ", details), func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			h.details = details
			p := h.portal(portaltest.Options{})
			p.action("a", nil)
			for n, test := range []struct{ conclusion, status, log string }{
				{"success", "SUCCESS", ""},
				{"skipped", "SUCCESS", ""},
				{"neutral", "SUCCESS", ""},
				{"failure", "FAILURE", "ended with failure"},
				{"cancelled", "FAILURE", "ended with cancelled"},
				{"timed_out", "FAILURE", "ended with timed_out"},
				{"action_required", "FAILURE", "ended with action_required"},
				{"stale", "FAILURE", "ended with stale"},
				{"startup_failure", "FAILURE", "ended with startup_failure"},
				{"something new", "FAILURE", "ended with something new"},
				{"", "FAILURE", "ended with no conclusion"},
			} {
				run := p.start("a")
				if !details {
					p.want(run, "IN_PROGRESS", "", "", "")
					p.pass(5 * time.Second)
				}
				link, id := page(h.runs[n]), jsonv.Int(h.runs[n].id).String()
				p.want(run, "IN_PROGRESS", link, id, "")
				p.pass(15 * time.Second)
				p.want(run, "IN_PROGRESS", link, id, "")
				h.end(n, test.conclusion)
				p.pass(5 * time.Second)
				p.want(run, test.status, link, id, test.log)
				calls := len(h.asked(""))
				p.pass(2 * time.Minute)
				if now := len(h.asked("")); now != calls {
					t.Errorf("GitHub is asked %d times about what has ended", now-calls)
				}
			}
		})
	}
}

func TestAWorkflowThatHasEndedWhenItIsFoundEndsTheRunAtOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	p := h.portal(portaltest.Options{})
	p.action("a", nil)
	run := p.start("a")
	h.end(0, "failure")
	p.pass(5 * time.Second)
	p.want(run, "FAILURE", page(h.runs[0]), "1000", "ended with failure")
	if n := len(h.asked("/actions/runs/")); n != 0 {
		t.Errorf("it is asked for %d times more", n)
	}
}

func TestRunsOfOneWorkflowAreNotMixedUp(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]struct {
		details bool
		inputs  jsonv.Object
	}{"by their order": {}, "by the answer": {details: true}, "by their titles": {inputs: jsonv.Object{"named": "{{ .run.id }}"}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			h.details = o.details
			p := h.portal(portaltest.Options{})
			inputs := jsonv.Object{"id": "{{ .run.id }}"}
			for key, v := range o.inputs {
				inputs[key] = v
			}
			// Before and among them others run the workflow, too: of another branch, and
			// for a run of another portal.
			h.runs = append(h.runs, &hubRun{id: 900, status: "in_progress", branch: "trunk", created: h.now().Add(-time.Minute)},
				&hubRun{id: 901, status: "in_progress", branch: "other", created: h.now()},
				&hubRun{id: 902, status: "in_progress", branch: "trunk", created: h.now(), title: "Create for r_AAAAAAAAAAAAAAAA"})
			const others = 3
			names := []string{"a", "b", "c"}
			var ids []string
			for _, name := range names {
				p.action(name, jsonv.Object{"workflowInputs": inputs})
			}
			for range 3 {
				for _, name := range names {
					ids = append(ids, p.start(name))
				}
			}
			if name == "by their titles" {
				// The list is of no help where GitHub makes them in another order.
				h.set(func() {
					for n := range h.runs[others:] {
						h.runs[others+n].created = h.now().Add(-time.Duration(n) * time.Millisecond)
					}
				})
			}
			p.pass(30 * time.Second)
			for _, id := range ids {
				var own *hubRun
				for _, r := range h.runs {
					if r.inputs["id"] == id {
						own = r
					}
				}
				p.want(id, "IN_PROGRESS", page(own), jsonv.Int(own.id).String(), "")
			}
			for n := range h.runs[others:] {
				h.end(others+n, []string{"success", "failure"}[n%2])
			}
			p.pass(time.Minute)
			for n, id := range ids {
				if got, want := p.status(id), []string{"SUCCESS", "FAILURE"}[n%2]; got != want {
					t.Errorf("run %d is %s", n, got)
				}
			}
		})
	}
}

func TestNothingIsAskedOnceSomebodyElseHasEndedTheRun(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	p := h.portal(portaltest.Options{})
	p.action("a", nil)
	found, lost := p.start("a"), ""
	p.pass(5 * time.Second)
	h.set(func() { h.silent = true })
	lost = p.start("a")
	p.pass(5 * time.Second)
	for _, id := range []string{found, lost} {
		p.Must(http.MethodPatch, "/v1/actions/runs/"+id, jsonv.Object{"status": "SUCCESS", "summary": "done"})
	}
	calls := len(h.asked(""))
	h.end(0, "failure")
	p.pass(5 * time.Minute)
	if now := len(h.asked("")); now != calls {
		t.Errorf("%d calls", now-calls)
	}
	p.want(found, "SUCCESS", page(h.runs[0]), "1000", "")
}

func TestWhatTheWorkflowReportsItselfStays(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	p := h.portal(portaltest.Options{})
	p.action("a", nil)
	run := p.start("a")
	p.Must(http.MethodPatch, "/v1/actions/runs/"+run, jsonv.Object{"link": "https://ci.example/1", "externalRunId": "mine", "statusLabel": "Building"})
	p.pass(10 * time.Second)
	p.want(run, "IN_PROGRESS", "https://ci.example/1", "mine", "")
	// It is known nevertheless whose workflow it is.
	other := p.start("a")
	p.pass(10 * time.Second)
	p.want(other, "IN_PROGRESS", page(h.runs[1]), "1001", "")
	h.end(0, "success")
	p.pass(10 * time.Second)
	p.want(run, "SUCCESS", "https://ci.example/1", "mine", "")
	audits := p.Must(http.MethodGet, "/v1/audit-log?resources=run&run_id="+other, nil)
	if n := len(jsonv.List(audits, "audits")); n != 2 { // the creation, and link with id
		t.Errorf("%d audit entries: %s", n, jsonv.Encode(audits))
	}
}

func TestQuestionsBecomeRarerAndEnd(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	p := h.portal(portaltest.Options{})
	p.action("a", nil)
	run := p.start("a")
	p.pass(10 * time.Minute)
	if n := len(h.asked("GET /repos/acme/infra/actions/")); n < 10 || n > 45 {
		t.Errorf("%d questions in ten minutes", n)
	}
	polls := h.asked("/actions/runs/")
	if last := polls[len(polls)-1].header.Get("If-None-Match"); last != `W/"1000-0"` {
		t.Errorf("what is known already is asked for without its mark: %q", last)
	}
	before := len(polls)
	p.pass(10 * time.Minute)
	if n := len(h.asked("/actions/runs/")) - before; n < 9 || n > 11 {
		t.Errorf("%d questions in the second ten minutes", n)
	}
	p.Advance(36 * 24 * time.Hour)
	p.Settle()
	p.want(run, "IN_PROGRESS", page(h.runs[0]), "1000", "goes on for too long to be followed")
	before = len(h.asked(""))
	p.pass(5 * time.Minute)
	if n := len(h.asked("")); n != before {
		t.Error("it is followed nevertheless")
	}
	p.Must(http.MethodPatch, "/v1/actions/runs/"+run, jsonv.Object{"status": "SUCCESS"})
}

func TestAWorkflowThatNeverRunsIsGivenUpAndHoldsUpTheNextNoLonger(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.silent = true
	p := h.portal(portaltest.Options{})
	p.action("a", nil)
	run := p.start("a")
	p.pass(9 * time.Minute)
	p.want(run, "IN_PROGRESS", "", "", "")
	p.pass(3 * time.Minute)
	p.want(run, "IN_PROGRESS", "", "", "GitHub lists no run of it after 10m0s")
	h.set(func() { h.silent = false; h.runs[0].created = h.now().Add(-time.Hour) })
	next := p.start("a")
	p.pass(5 * time.Second)
	p.want(next, "IN_PROGRESS", page(h.runs[1]), "1001", "")
}

func TestAWorkflowRunThatIsGoneIsGivenUp(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	p := h.portal(portaltest.Options{})
	p.action("a", nil)
	run := p.start("a")
	p.pass(5 * time.Second)
	link := page(h.runs[0])
	h.set(func() { h.runs = nil })
	p.pass(time.Minute)
	p.want(run, "IN_PROGRESS", link, "1000", "cannot be followed, its status must be reported by itself: GitHub answered 404")
}

func TestTroubleOfGitHubDoesNotEndWhatItRuns(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	p := h.portal(portaltest.Options{})
	p.action("a", nil)
	run := p.start("a")
	for _, trouble := range []func(http.ResponseWriter, *http.Request) bool{
		cut,
		func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(502); return true },
		func(w http.ResponseWriter, _ *http.Request) bool { h.say(w, 200, "no JSON object"); return true },
		func(w http.ResponseWriter, _ *http.Request) bool { h.say(w, 200, jsonv.Object{}); return true },
		func(w http.ResponseWriter, _ *http.Request) bool { h.say(w, 401, nil); return true },
	} {
		h.set(func() { h.before = trouble })
		p.pass(20 * time.Second)
		p.want(run, "IN_PROGRESS", strings.Join(jsonv.Strings(p.run(run)["link"]), ""), jsonv.String(p.run(run), "externalRunId"), "")
		h.set(func() { h.before = nil })
		p.pass(20 * time.Second)
		p.want(run, "IN_PROGRESS", page(h.runs[0]), "1000", "")
	}
	h.end(0, "success")
	p.pass(30 * time.Second)
	p.want(run, "SUCCESS", page(h.runs[0]), "1000", "")
}

func TestARenamedRepositoryIsFollowedOnItsHostOnly(t *testing.T) {
	t.Parallel()
	h, other := newHub(t), newHub(t)
	p := h.portal(portaltest.Options{})
	h.before = func(w http.ResponseWriter, r *http.Request) bool {
		for from, to := range map[string]string{"/repos/old/infra": "/repos/acme/infra", "/repos/away/infra": other.URL + "/repos/acme/infra"} {
			if rest, ok := strings.CutPrefix(r.URL.Path, from); ok {
				w.Header().Set("Location", to+rest)
				w.WriteHeader(map[string]int{http.MethodGet: 301, http.MethodPost: 307}[r.Method])
				return true
			}
		}
		return false
	}
	p.action("moved", jsonv.Object{"org": "old", "reportWorkflowStatus": false})
	p.want(p.start("moved"), "IN_PROGRESS", "", "", "")
	if h.made() != 1 || h.runs[0].branch != "trunk" {
		t.Errorf("%d runs", h.made())
	}
	p.action("away", jsonv.Object{"org": "away"})
	p.want(p.start("away"), "FAILURE", "", "", "307 Temporary Redirect")
	if n := len(other.asked("")); n != 0 {
		t.Error("another host gets the token")
	}
}
