package portaltest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/scim"
)

// checker looks at every answer a test portal gives. Some rules hold for all
// answers (reference/catalog.md §1.1, §1.4, §6.1); the others come from the
// published schemas, when those are at hand.
type checker struct{ schemas *schemas }

func newChecker(t testing.TB) *checker {
	t.Helper()
	s, note := published()
	if note != "" {
		noteOnce.Do(func() { t.Log(note) })
	}
	return &checker{schemas: s}
}

func (c *checker) answer(t testing.TB, r *http.Request, route string, w *httptest.ResponseRecorder) {
	t.Helper()
	if c.schemas != nil && r.URL.Query().Get("version") == "v1" {
		c = &checker{} // what is published is the current shape (reference/actions.md §4.2)
	}
	for _, problem := range c.problems(r.Method, route, w) {
		t.Errorf("portal: wrong answer to %s %s (%d): %s\n%.2000s", r.Method, r.URL.RequestURI(), w.Code, problem, w.Body)
	}
}

func (c *checker) problems(method, route string, w *httptest.ResponseRecorder) []string {
	if _, path, _ := strings.Cut(route, " "); strings.HasPrefix(path, scim.Base+"/") {
		return scimProblems(w)
	}
	problems := headerProblems(w)
	if w.Header().Get("Content-Encoding") != "" || method == http.MethodHead {
		return problems
	}
	body, err := jsonv.DecodeObject(w.Body.Bytes())
	if err != nil {
		return append(problems, "the body is no JSON object: "+err.Error())
	}
	problems = append(problems, envelopeProblems(w.Code, body)...)
	problems = append(problems, documentProblems("", body)...)
	if c.schemas != nil {
		problems = append(problems, c.schemas.problems(route, w.Code, body)...)
	}
	return problems
}

var traceID = regexp.MustCompile(`^[0-9a-f]{32}$`)

func headerProblems(w *httptest.ResponseRecorder) (problems []string) {
	h := w.Header()
	if !strings.HasPrefix(h.Get("Content-Type"), "application/json") {
		problems = append(problems, fmt.Sprintf("content type %q", h.Get("Content-Type")))
	}
	if !traceID.MatchString(h.Get("X-Trace-Id")) {
		problems = append(problems, fmt.Sprintf("trace id %q", h.Get("X-Trace-Id")))
	}
	for _, name := range []string{"Limit", "Period", "Remaining", "Reset"} {
		if n, err := strconv.Atoi(h.Get("X-Ratelimit-" + name)); err != nil || n < 0 || n > 1_000_000 {
			problems = append(problems, fmt.Sprintf("x-ratelimit-%s %q is no small integer", name, h.Get("X-Ratelimit-"+name)))
		}
	}
	if w.Code == http.StatusTooManyRequests && h.Get("Retry-After") == "" {
		problems = append(problems, "429 without Retry-After")
	}
	if w.Code == http.StatusNoContent {
		problems = append(problems, "204 has no body")
	}
	return problems
}

func envelopeProblems(status int, body jsonv.Object) (problems []string) {
	ok, isBool := body["ok"].(bool)
	switch success := status >= 200 && status < 300; {
	case !isBool:
		problems = append(problems, "no boolean ok")
	case ok != success:
		problems = append(problems, fmt.Sprintf("ok is %v", ok))
	case !success:
		if jsonv.String(body, "error") == "" || jsonv.String(body, "message") == "" {
			problems = append(problems, "an error needs error and message")
		}
		if details, present := body["details"]; present && details == nil {
			problems = append(problems, "details is null instead of absent")
		}
	}
	return problems
}

var stamp = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)

// documentProblems looks at the parts of documents whose type a client relies on.
func documentProblems(at string, v any) (problems []string) {
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			problems = append(problems, documentProblems(fmt.Sprintf("%s/%d", at, i), e)...)
		}
	case jsonv.Object:
		for _, name := range []string{"createdAt", "updatedAt"} {
			if s, ok := v[name].(string); ok && !stamp.MatchString(s) {
				problems = append(problems, fmt.Sprintf("%s/%s is %q", at, name, s))
			}
		}
		for _, name := range []string{"blueprint", "entity", "blueprints", "entities", "migration", "migrations"} {
			problems = append(problems, documentProblems(at+"/"+name, v[name])...)
		}
		if at != "" {
			problems = append(problems, shapeProblems(at, v)...)
		}
	}
	slices.Sort(problems)
	return problems
}

// shapeProblems: in documents that carry them, properties, relations and
// scorecards are objects and team is an array of strings
// (reference/catalog.md §4.1, reference/clients.md §11 C18).
func shapeProblems(at string, document jsonv.Object) (problems []string) {
	for _, name := range []string{"properties", "relations", "scorecards", "mirrorProperties", "calculationProperties", "aggregationProperties"} {
		if value, present := document[name]; present && jsonv.KindOf(value) != "object" {
			problems = append(problems, fmt.Sprintf("%s/%s is %s", at, name, jsonv.KindOf(value)))
		}
	}
	if team, present := document["team"]; present {
		if l, ok := team.([]any); !ok || len(jsonv.Strings(team)) != len(l) {
			problems = append(problems, at+"/team is no array of strings")
		}
	}
	return problems
}

// scimProblems looks at answers to the identity provider, whose protocol has other
// rules (RFC 7644 §3).
func scimProblems(w *httptest.ResponseRecorder) (problems []string) {
	if media := w.Header().Get("Content-Type"); media != scim.MediaType {
		problems = append(problems, fmt.Sprintf("content type %q", media))
	}
	if w.Code == http.StatusNoContent {
		if w.Body.Len() > 0 {
			problems = append(problems, "204 with a body")
		}
		return problems
	}
	if w.Header().Get("Content-Encoding") != "" {
		return problems
	}
	body, err := jsonv.DecodeObject(w.Body.Bytes())
	if err != nil {
		return append(problems, "the body is no JSON object: "+err.Error())
	}
	if len(jsonv.List(body, "schemas")) == 0 {
		problems = append(problems, "no schemas")
	}
	if w.Code >= http.StatusBadRequest && (jsonv.String(body, "status") != strconv.Itoa(w.Code) || jsonv.String(body, "detail") == "") {
		problems = append(problems, "an error needs its status as a text, and detail")
	}
	return problems
}
