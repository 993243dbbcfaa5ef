package portapi

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-log/tflogtest"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

func TestSuccessIsA2xxWhoseOKIsNotFalse(t *testing.T) {
	t.Parallel()
	organization := Op{Method: http.MethodGet, Path: []string{"organization"}}
	for _, c := range []struct {
		name string
		op   Op
		s    step
		want bool
	}{
		{"200 ok", opGet, answered(200, fine), true},
		{"201 ok", opPost, answered(201, fine), true},
		{"207 ok", opPost, answered(207, fine), true},
		{"ok missing", opGet, answered(200, `{"blueprint":{}}`), true},
		{"ok null", opGet, answered(200, `{"ok":null}`), true},
		{"ok false", opGet, answered(200, `{"ok":false,"error":"e"}`), false},
		{"organization ignores ok", organization, answered(200, `{"ok":false,"organization":{}}`), true},
		{"organization 403", organization, answered(403, `{"ok":true}`), false},
		{"PATCH organization does not", opPatch, answered(200, `{"ok":false}`), false},
		{"4xx with ok true", opGet, answered(404, fine), false},
		{"JSON as text", opGet, step{status: 200, body: fine, header: map[string]string{"Content-Type": "text/plain"}}, true},
		{"204", opDelete, answered(204, ""), true},
		{"empty DELETE", opDelete, answered(200, " \n"), true},
		{"empty GET", opGet, answered(200, ""), false},
		{"array", opGet, answered(200, "[]"), false},
		{"HTML", opGet, answered(200, "<html>"), false},
		{"cut JSON", opGet, answered(200, `{"ok":tr`), false},
		{"redirect", opPost, step{status: 302, header: map[string]string{"Location": "https://elsewhere.test/"}}, false},
	} {
		_, err := client(t, Options{Transport: &script{steps: []step{c.s}}}).Call(t.Context(), c.op)
		if got := err == nil; got != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, ok := AsFault(err); err != nil && !ok {
			t.Errorf("%s: want a *Fault, got %T", c.name, err)
		}
	}
}

func TestAnswersKeepNumbersExact(t *testing.T) {
	t.Parallel()
	s := &script{steps: []step{answered(200, `{"ok":true,"n":9007199254740993,"d":0.10}`)}}
	got, err := client(t, Options{Transport: s}).Call(t.Context(), opGet)
	if err != nil || string(jsonv.Encode(got)) != `{"d":0.10,"n":9007199254740993,"ok":true}` {
		t.Errorf("%s %v", jsonv.Encode(got), err)
	}
}

func TestAFaultSaysMessageCodeAndCall(t *testing.T) {
	t.Parallel()
	body := `{"ok":false,"error":"blueprint_schema_mismatch","message":"the entity does not match",
		"details":{"errors":[{"path":"/properties/a~1b/0","message":"want a number"},
		{"path":"","message":"property \"x\" is missing","reason":"missing_required_property","property":"x"},"plain"]}}`
	_, err := client(t, Options{Transport: &script{steps: []step{answered(422, body)}}}).Call(t.Context(), opUpsert)
	f, ok := AsFault(fmt.Errorf("wrapped: %w", err))
	if !ok {
		t.Fatalf("got %T", err)
	}
	want := `the entity does not match
  - /properties/a/b/0: want a number
  - property "x" is missing
  - plain
(blueprint_schema_mismatch, POST /v1/blueprints/svc/entities, status 422, request id trace-1)`
	if diff := cmp.Diff(want, f.Error()); diff != "" {
		t.Error(diff)
	}
	problems := []Problem{
		{Pointer: []string{"properties", "a/b", "0"}, Message: "want a number"},
		{Message: `property "x" is missing`, Reason: "missing_required_property", Property: "x"},
		{Message: "plain"},
	}
	if diff := cmp.Diff(problems, f.Problems()); diff != "" {
		t.Error(diff)
	}
	if !HasCode(err, "blueprint_schema_mismatch") || IsNotFound(err) || IsConflict(err) {
		t.Error("predicates")
	}
}

func TestAFaultDoesNotRepeatWhatTheMessageSays(t *testing.T) {
	t.Parallel()
	f := &Fault{
		Status: 422, Code: "invalid_request", Method: "POST", Path: "/v1/blueprints",
		Message: "/title is required; /a/b want a string, got number",
		Details: jsonv.Object{"errors": []any{
			jsonv.Object{"path": "/title", "message": "is required"},
			jsonv.Object{"path": "/a/b", "message": "want a string, got number"},
			jsonv.Object{"path": "/icon", "message": "is required"},
		}},
	}
	want := "/title is required; /a/b want a string, got number\n  - /icon: is required\n(invalid_request, POST /v1/blueprints, status 422)"
	if diff := cmp.Diff(want, f.Error()); diff != "" {
		t.Error(diff)
	}
}

func TestForeignAnswersAreReportedWithTheirStart(t *testing.T) {
	t.Parallel()
	page := "<html>\n<body>" + strings.Repeat("ü", 4000)
	_, err := client(t, Options{Transport: &script{steps: []step{{status: 403, body: page, header: map[string]string{"Content-Type": "text/html"}}}}}).
		Call(t.Context(), opGet)
	f, ok := AsFault(err)
	if !ok || f.Status != 403 || !strings.Contains(f.Error(), "<html> <body>üü") || !strings.Contains(f.Error(), "Check base_url: requests go to http://port.test/v1.") {
		t.Fatalf("got %v", err)
	}
	if len(f.Excerpt) > 500 || !strings.HasSuffix(f.Excerpt, "ü…") || !utf8.ValidString(f.Excerpt) {
		t.Errorf("an excerpt of %d bytes", len(f.Excerpt))
	}
}

func TestAnHTMLPageDoesNotMakeResourcesVanish(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s    step
		want bool
	}{
		{answered(404, `{"ok":false,"error":"not_found"}`), true},
		{answered(404, `{}`), true},
		{answered(404, ``), true},
		{step{status: 404, body: "404 page not found", header: map[string]string{"Content-Type": "text/plain"}}, true},
		{step{status: 404, body: "<!doctype html>", header: map[string]string{"Content-Type": "text/html; charset=utf-8"}}, false},
		{answered(404, "  <html>"), false},
		{answered(410, `{"ok":false,"error":"not_found"}`), false},
		{answered(403, `{"ok":false,"error":"not_found"}`), false},
	} {
		_, err := client(t, Options{Transport: &script{steps: []step{c.s}}}).Call(t.Context(), opGet)
		if got := IsNotFound(err); err == nil || got != c.want {
			t.Errorf("%d %s: not found is %v: %v", c.s.status, c.s.body, got, err)
		}
	}
	if IsNotFound(errors.New("404")) || IsNotFound(nil) {
		t.Error("other errors count as not found")
	}
}

func TestConnectionErrorsNameTheCallNotTheHostsFrame(t *testing.T) {
	t.Parallel()
	_, err := client(t, Options{Transport: &script{steps: []step{{err: errBroken}}}}).Call(t.Context(), opPost)
	var c *ConnectionError
	if !errors.As(err, &c) || err.Error() != "POST /v1/blueprints: connection reset by peer" || !errors.Is(err, errBroken) {
		t.Errorf("got %T %v", err, err)
	}
}

func TestOnlyReadsFollowRedirectsAndOnlyOnTheirHost(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("another host saw %s %s with %q", r.Method, r.URL, r.Header.Get("Authorization"))
	}))
	defer other.Close()
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/a", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/v1/b", http.StatusFound) })
	mux.HandleFunc("/v1/b", func(w http.ResponseWriter, r *http.Request) {
		if _, err := fmt.Fprintf(w, `{"ok":true,"via":%q}`, r.Method); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("/v1/c", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) })
	server := httptest.NewServer(mux)
	defer server.Close()
	c := client(t, Options{BaseURL: server.URL, Token: "the-fixed-token"})
	if _, err := c.Call(t.Context(), Op{Method: http.MethodGet, Path: []string{"a"}}); err != nil {
		t.Error(err)
	}
	for _, op := range []Op{{Method: http.MethodGet, Path: []string{"c"}}, {Method: http.MethodPost, Path: []string{"a"}}} {
		if _, err := c.Call(t.Context(), op); err == nil || !strings.Contains(err.Error(), "redirects to") {
			t.Errorf("%s %v: %v", op.Method, op.Path, err)
		}
	}
}

const hush = "hush-this-value"

func TestSecretsAreNeitherLoggedNorInErrors(t *testing.T) {
	t.Parallel()
	quoted := `hush"quoted\value`
	echo := func(status int) step {
		return answered(status, `{"ok":false,"error":"invalid_request","message":"bad value `+hush+` with token-1 of the-client-secret",
			"apiToken":"hush-from-server","details":{"errors":[{"path":"/secretValue","message":"`+hush+`"}],"sent":"hush\"quoted\\value"}}`)
	}
	body := jsonv.Object{
		"secretName": "visible-name", "secretValue": hush,
		"security": jsonv.Object{"secret": quoted, "requestIdentifierPath": "visible-path"},
		"config":   jsonv.Object{"db_PASSWORD": "hush-password", "list": []any{jsonv.Object{"accessToken": []any{"hush-element"}}}},
	}
	for _, s := range []step{
		echo(422), echo(500), echo(429), {err: errors.New("broke off after " + hush)}, {hang: true},
		{status: 400, body: "plain " + hush, header: map[string]string{"Content-Type": "text/plain"}},
		answered(200, `{"ok":true,"secret":"`+hush+`"}`),
	} {
		var log bytes.Buffer
		ctx := tflogtest.RootLogger(t.Context(), &log)
		c := client(t, Options{Transport: &script{steps: []step{s}}, Attempts: 2, Timeout: 1, RateLimitLog: true})
		if s.err != nil || s.hang {
			s.status = 0
		} else {
			c = client(t, Options{Transport: &script{steps: []step{s}}, Attempts: 2, RateLimitLog: true})
		}
		_, err := c.Call(ctx, Op{Method: http.MethodPost, Path: []string{"organization", "secrets"}, Body: body, Repeat: RepeatSafe})
		texts := map[string]string{"log": log.String(), "error": fmt.Sprintf("%v %+v", err, err)}
		if f, ok := AsFault(err); ok {
			texts["details"] = string(jsonv.Encode(f.Details)) + fmt.Sprint(f.Problems())
		}
		for where, text := range texts {
			for _, secret := range []string{hush, "hush", "the-client-secret", "token-1"} {
				if strings.Contains(text, secret) {
					t.Errorf("status %d: %s shows %q:\n%s", s.status, where, secret, text)
				}
			}
		}
		if s.status != 0 && (!strings.Contains(log.String(), "visible-path") || !strings.Contains(log.String(), "/v1/organization/secrets")) {
			t.Errorf("the log does not show the call: %s", log.String())
		}
	}
}

func TestLogsShowRequestAndAnswer(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	ctx := tflogtest.RootLogger(t.Context(), &log)
	s := &script{steps: []step{answered(200, `{"ok":true,"big":"`+strings.Repeat("x", 10000)+`"}`)}}
	if _, err := client(t, Options{Transport: s, Anonymous: true}).Call(ctx, opPost); err != nil {
		t.Fatal(err)
	}
	lines, err := tflogtest.MultilineJSONDecode(&log)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range lines {
		got = append(got, fmt.Sprintf("%v %v %v %v", l["@message"], l["method"], l["path"], l["status"]))
		if s, ok := l["body"].(string); !ok || len(s) > bodyLogLimit {
			t.Errorf("body of %d bytes", len(s))
		}
	}
	if diff := cmp.Diff([]string{"request POST /v1/blueprints <nil>", "answer POST /v1/blueprints 200"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheRateLimitIsLoggedWhenAsked(t *testing.T) {
	t.Parallel()
	for _, verbose := range []bool{false, true} {
		var log bytes.Buffer
		ctx := tflogtest.RootLogger(t.Context(), &log)
		s := &script{steps: []step{{status: 200, body: fine, header: headers(100, 42, 7)}}}
		if _, err := client(t, Options{Transport: s, Anonymous: true, RateLimitLog: verbose}).Call(ctx, opGet); err != nil {
			t.Fatal(err)
		}
		lines, err := tflogtest.MultilineJSONDecode(&log)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, l := range lines {
			if l["@message"] == "rate limit" {
				got += fmt.Sprint(l["@level"], l["limit"], l["remaining"], l["reset"])
			}
		}
		if want := map[bool]string{true: "info100427", false: ""}[verbose]; strings.ReplaceAll(got, " ", "") != want {
			t.Errorf("logging is %v: %q", verbose, got)
		}
	}
}
