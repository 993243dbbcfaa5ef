package portaltest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal"
)

const seed = `{
  "blueprints": [{"identifier": "service", "title": "Service", "schema": {"properties": {"n": {"type": "number"}}}}],
  "entities": [{"blueprint": "service", "identifier": "a", "properties": {"n": 1}}]
}`

// answered is an answer as the portal gives it, for the checker.
func answered(status int, body string, change func(http.Header)) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-Trace-Id", strings.Repeat("0a", 16))
	for _, name := range []string{"Limit", "Period", "Remaining", "Reset"} {
		h.Set("X-Ratelimit-"+name, "1")
	}
	if change != nil {
		change(h)
	}
	w.WriteHeader(status)
	_, _ = w.WriteString(body)
	return w
}

func TestTheCheckerCatchesBrokenAnswers(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	for name, w := range map[string]*httptest.ResponseRecorder{
		"content type":         answered(200, `{"ok":true}`, func(h http.Header) { h.Set("Content-Type", "text/plain") }),
		"trace id":             answered(200, `{"ok":true}`, func(h http.Header) { h.Set("X-Trace-Id", "nope") }),
		"rate header":          answered(200, `{"ok":true}`, func(h http.Header) { h.Set("X-Ratelimit-Reset", "1700000000") }),
		"429 without delay":    answered(429, `{"ok":false,"error":"e","message":"m"}`, nil),
		"no JSON":              answered(200, `fine`, nil),
		"an array":             answered(200, `[]`, nil),
		"no ok":                answered(200, `{}`, nil),
		"ok is text":           answered(200, `{"ok":"true"}`, nil),
		"ok on an error":       answered(404, `{"ok":true,"error":"e","message":"m"}`, nil),
		"not ok on success":    answered(200, `{"ok":false}`, nil),
		"no error name":        answered(404, `{"ok":false,"message":"m"}`, nil),
		"no message":           answered(404, `{"ok":false,"error":"e"}`, nil),
		"null details":         answered(404, `{"ok":false,"error":"e","message":"m","details":null}`, nil),
		"time without millis":  answered(200, `{"ok":true,"entity":{"createdAt":"2024-01-01T00:00:00Z"}}`, nil),
		"time with offset":     answered(200, `{"ok":true,"entities":[{"updatedAt":"2024-01-01T00:00:00.000+01:00"}]}`, nil),
		"team is text":         answered(200, `{"ok":true,"entity":{"team":"x"}}`, nil),
		"properties are null":  answered(200, `{"ok":true,"entities":[{"properties":null}]}`, nil),
		"relations are a list": answered(200, `{"ok":true,"entity":{"relations":[]}}`, nil),
		"no content":           answered(204, `{"ok":true}`, nil),
	} {
		if got := c.problems(http.MethodGet, "", w); len(got) == 0 {
			t.Errorf("%s: nothing was noticed", name)
		}
	}
	if got := c.problems(http.MethodGet, "", answered(200, `{"ok":true,"entity":{"createdAt":"2024-01-01T00:00:00.000Z","team":[]}}`, nil)); got != nil {
		t.Errorf("a good answer was refused: %v", got)
	}
}

func TestTheCheckerComparesWithPublishedSchemas(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	if c.schemas == nil {
		t.Skip("the published schemas do not stand beside the checkout")
	}
	for name, b := range map[string]struct {
		route  string
		status int
		body   string
	}{
		"a count that is text":   {"GET /v1/blueprints/{blueprint}/entities-count", 200, `{"ok":true,"count":"1"}`},
		"a key too many":         {"DELETE /v1/blueprints/{blueprint}", 200, `{"ok":true,"more":1}`},
		"a key too few":          {"POST /v1/blueprints/{blueprint}/entities/bulk", 207, `{"ok":true,"entities":[]}`},
		"a row without an index": {"POST /v1/blueprints/{blueprint}/entities/bulk", 200, `{"ok":true,"errors":[],"entities":[{"identifier":"a","created":true}]}`},
		"a bad identifier":       {"GET /v1/blueprints/{blueprint}/entities/{entity}", 200, `{"ok":true,"entity":{"identifier":"a b"}}`},
		"an error with extras":   {"GET /v1/blueprints/{blueprint}", 404, `{"ok":false,"error":"not_found","message":"m","more":1}`},
	} {
		if got := c.problems(http.MethodGet, b.route, answered(b.status, b.body, nil)); len(got) == 0 {
			t.Errorf("%s: nothing was noticed", name)
		}
	}
}

// failing is a test that notes that it was failed.
type failing struct {
	testing.TB
	errors []string
}

func (f *failing) Errorf(format string, _ ...any) { f.errors = append(f.errors, format) }
func (f *failing) Helper()                        {}

func TestABrokenAnswerFailsTheTest(t *testing.T) {
	t.Parallel()
	f := &failing{TB: t}
	newChecker(t).answer(f, httptest.NewRequest(http.MethodGet, "/v1/x", nil), "", answered(200, "{}", nil))
	if len(f.errors) != 1 {
		t.Errorf("%d errors", len(f.errors))
	}
}

func TestRequestsAreRecordedAsTheyCame(t *testing.T) {
	t.Parallel()
	p := Start(t, Options{Seed: seed})
	p.Call(http.MethodGet, "/v1/blueprints/service/entities/a%2Fb?include=title", nil)
	p.Call(http.MethodPost, "/v1/blueprints/service/entities", jsonv.Object{"identifier": "b"})
	p.Call(http.MethodGet, "/v1/nonsense", nil)
	var got []Request
	for _, r := range p.Requests() {
		r.Header = nil
		got = append(got, r)
	}
	want := []Request{
		{Method: "GET", Path: "/v1/blueprints/service/entities/a%2Fb", Query: "include=title", Route: "GET /v1/blueprints/{blueprint}/entities/{entity}", Principal: ClientID, Status: 404},
		{Method: "POST", Path: "/v1/blueprints/service/entities", Body: `{"identifier":"b"}`, Route: "POST /v1/blueprints/{blueprint}/entities", Principal: ClientID, Status: 201},
		{Method: "GET", Path: "/v1/nonsense", Status: 404},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	p.Forget()
	if len(p.Requests()) != 0 {
		t.Error("not forgotten")
	}
}

func TestOrderedFailuresHappenAsOftenAsOrdered(t *testing.T) {
	t.Parallel()
	p := Start(t, Options{Seed: seed})
	p.Fail(Match{Method: http.MethodGet, Path: "/v1/blueprints/*"}, 2, Failure{Status: 429, Header: http.Header{"Retry-After": {"7"}}})
	for i, want := range []int{429, 429, 200} {
		a := p.Call(http.MethodGet, "/v1/blueprints/service", nil)
		if a.Status != want {
			t.Errorf("call %d: %d, want %d", i, a.Status, want)
		}
		if want == 429 && (jsonv.String(a.Body, "error") != "too_many_requests" || a.Header.Get("Retry-After") == "") {
			t.Errorf("%s %v", a.Text, a.Header)
		}
	}
	p.Fail(Match{Path: "/v1/blueprints"}, Forever, Failure{Status: 500, Code: "x", Message: "m"})
	for range 3 {
		if a := p.Call(http.MethodGet, "/v1/blueprints", nil); a.Status != 500 || jsonv.String(a.Body, "error") != "x" {
			t.Error(a.Text)
		}
	}
}

func TestALostAnswerLeavesTheChange(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"embedded", "socket"} {
		p := Start(t)
		create := func() (*http.Response, error) {
			base, client := Embedded, p.Client()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "", strings.NewReader(`{"identifier":"x","title":"X","schema":{"properties":{}}}`))
			if err != nil {
				t.Fatal(err)
			}
			if transport == "socket" {
				base, client = p.URL(), &http.Client{}
				req.Header.Set("Authorization", "Bearer "+p.Token())
			}
			if req.URL, err = req.URL.Parse(base + "/v1/blueprints"); err != nil {
				t.Fatal(err)
			}
			return client.Do(req)
		}
		p.Fail(Match{Method: http.MethodPost, Path: "/v1/blueprints"}, 1, Failure{Drop: true, After: true})
		if resp, err := create(); err == nil {
			_ = resp.Body.Close()
			t.Errorf("%s: the answer arrived", transport)
		}
		if a := p.Call(http.MethodGet, "/v1/blueprints/x", nil); a.Status != 200 {
			t.Errorf("%s: the change is lost: %s", transport, a.Text)
		}
	}
}

func TestAHangingAnswerEndsWithTheCallersPatience(t *testing.T) {
	t.Parallel()
	p := Start(t)
	p.Fail(Match{}, 1, Failure{Hang: true})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, Embedded+"/v1/blueprints", nil)
	if err != nil {
		t.Fatal(err)
	}
	p.Before(Match{}, cancel)
	resp, err := p.Client().Do(req)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if resp != nil {
		_ = resp.Body.Close()
	}
}

func TestBeforeChangesTheWorldUnderARequest(t *testing.T) {
	t.Parallel()
	p := Start(t, Options{Seed: seed})
	p.Before(Match{Method: http.MethodPut}, func() { p.Must(http.MethodDelete, "/v1/blueprints/service/entities/a", nil) })
	if a := p.Call(http.MethodPut, "/v1/blueprints/service/entities/a", jsonv.Object{"title": "T"}); a.Status != 404 {
		t.Errorf("%d %s", a.Status, a.Text)
	}
}

func TestTwoPortalsWithTheSameHistoryDumpTheSame(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("k", 32) // a portal on a file makes one of its own otherwise
	a, b := Start(t, Options{Seed: seed, SecretKey: key}), Start(t, Options{Seed: seed, SecretKey: key, DataFile: t.TempDir() + "/portal.db"})
	a.Advance(time.Hour)
	b.Advance(time.Hour)
	for _, p := range []*Portal{a, b} {
		p.Must(http.MethodPost, "/v1/blueprints/service/entities", jsonv.Object{"properties": jsonv.Object{"n": jsonv.Int(2)}})
	}
	if diff := cmp.Diff(a.Dump(), b.Dump()); diff != "" {
		t.Error(diff)
	}
	for _, part := range []string{`"entity":`, `"blueprint":`, "2024-01-01T01:00:00.000Z", `\"a\"`} {
		if !strings.Contains(a.Dump(), part) {
			t.Errorf("the dump lacks %s", part)
		}
	}
}

func TestOneHundredConnectionsOfBulkUpsertsStoreEveryRowOnce(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{"memory": "", "sqlite": t.TempDir() + "/portal.db"} {
		p := Start(t, Options{Seed: seed, DataFile: file, Unchecked: true})
		url, token := p.URL()+"/v1/blueprints/service/entities/bulk?upsert=true&merge=true", p.Token()
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100, MaxConnsPerHost: 100}}
		var wg sync.WaitGroup
		for worker := range 100 {
			wg.Go(func() {
				// Half of the rows are this worker's own, half are everybody's.
				var rows []any
				for i := range 10 {
					rows = append(rows, jsonv.Object{"identifier": "own-" + string(jsonv.Int(worker)) + "-" + string(jsonv.Int(i))},
						jsonv.Object{"identifier": "shared-" + string(jsonv.Int(i)), "properties": jsonv.Object{"n": jsonv.Int(worker)}})
				}
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(string(jsonv.Encode(jsonv.Object{"entities": rows}))))
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set("Authorization", "Bearer "+token)
				resp, err := client.Do(req)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				if a := read(p, resp); a.Status != 200 || len(jsonv.List(a.Body, "entities")) != 20 {
					t.Errorf("%s: %d %.300s", name, a.Status, a.Text)
				}
			})
		}
		wg.Wait()
		client.CloseIdleConnections()
		if got := p.Must(http.MethodGet, "/v1/blueprints/service/entities-count", nil)["count"]; got != jsonv.Int(1011) {
			t.Errorf("%s: %v entities, want 1011", name, got)
		}
		seen := map[string]bool{}
		for _, e := range jsonv.List(p.Must(http.MethodGet, "/v1/blueprints/service/entities", nil), "entities") {
			id := jsonv.String(e, "identifier")
			if seen[id] {
				t.Errorf("%s: %s is stored twice", name, id)
			}
			seen[id] = true
		}
	}
}

func TestPatternsOfPathsMatchWholePaths(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"/v1/a", "/v1/a", true}, {"/v1/a", "/v1/ab", false}, {"*", "/anything", true}, {"/v1/*/x", "/v1/a/b/x", true},
		{"/v1/*/x", "/v1/a/y", false}, {"/v1/a*", "/v1/a", true}, {"*a*b", "xxaxxb", true}, {"*a*b", "xxaxxbc", false},
	} {
		if got := glob(c.pattern, c.path); got != c.want {
			t.Errorf("%s on %s: %v", c.pattern, c.path, got)
		}
	}
}

func TestLimitsReachThePortal(t *testing.T) {
	t.Parallel()
	p := Start(t, Options{Limits: portal.Limits{Requests: 1}})
	if a := p.Call(http.MethodGet, "/v1/blueprints", nil); a.Status != 200 {
		t.Error(a.Text)
	}
	if a := p.Call(http.MethodGet, "/v1/blueprints", nil); a.Status != 429 || a.Header.Get("Retry-After") != "300" {
		t.Error(a.Status, a.Header)
	}
}
