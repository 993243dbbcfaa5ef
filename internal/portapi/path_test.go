package portapi

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

func mustUnescape(s string) string {
	u, err := url.PathUnescape(s)
	if err != nil {
		return "!" + s
	}
	return u
}

func TestBaseURLIsNormalized(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                 "https://api.getport.io",
		"https://api.us.getport.io":        "https://api.us.getport.io",
		"https://api.getport.io/":          "https://api.getport.io",
		"https://api.getport.io///":        "https://api.getport.io",
		"https://api.getport.io/v1":        "https://api.getport.io",
		"https://api.getport.io/v1//":      "https://api.getport.io",
		"http://localhost:3000/port/v1/":   "http://localhost:3000/port",
		"http://localhost:3000/port/xv1":   "http://localhost:3000/port/xv1",
		" https://api.getport.io/v1 ":      "https://api.getport.io",
		"ftp://api.getport.io":             "!want http:// or https://",
		"api.getport.io":                   "!want http:// or https://",
		"https://":                         "!want http:// or https://",
		"https://api.getport.io?x=1":       "!no query",
		"https://user:pass@api.getport.io": "!no user name",
		"http://bad host/":                 "!base URL",
		"127.0.0.1:3000":                   "!want http:// or https:// and a host",
	} {
		got, err := normalizeBase(in)
		if part, bad := strings.CutPrefix(want, "!"); bad {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("normalizeBase(%q): %v, want an error with %q", in, err, part)
			}
			if err != nil && strings.Contains(err.Error(), "user:pass") {
				t.Errorf("normalizeBase(%q) shows a password: %v", in, err)
			}
			continue
		}
		if err != nil || got != want {
			t.Errorf("normalizeBase(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
}

func TestSegmentsAreEscapedOneByOne(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ segment, want string }{
		{"svc", "svc"},
		{"a/b", "a%2Fb"},
		{"a b", "a%20b"},
		{"@:=+$&", "@:=+$&"},
		{`back\slash`, "back%5Cslash"},
		{"ünï", "%C3%BCn%C3%AF"},
		{"100%", "100%25"},
		{"a?b#c", "a%3Fb%23c"},
		{"{id}", "%7Bid%7D"},
		{"a..b", "a..b"},
		{".", "%2E"},
		{"..", "%2E%2E"},
		{"a;b,c", "a%3Bb%2Cc"},
	} {
		s := &script{steps: []step{answered(200, fine)}}
		_, err := client(t, Options{Transport: s}).Call(t.Context(), Op{
			Method: http.MethodGet, Path: []string{"blueprints", c.segment, "entities", c.segment},
			Query: url.Values{"run_id": {""}, "q": {"a b&c"}},
		})
		if err != nil {
			t.Fatalf("%q: %v", c.segment, err)
		}
		want := "/v1/blueprints/" + c.want + "/entities/" + c.want + "?q=a+b%26c&run_id="
		if diff := cmp.Diff(want, s.got[0].path); diff != "" {
			t.Errorf("%q: %s", c.segment, diff)
		}
	}
}

func TestAnEmptyIdentifierIsNotSent(t *testing.T) {
	t.Parallel()
	s := &script{steps: []step{answered(200, fine)}}
	_, err := client(t, Options{Transport: s}).Call(t.Context(), Op{Method: http.MethodDelete, Path: []string{"blueprints", ""}})
	if err == nil || !strings.Contains(err.Error(), "empty identifier") || s.count() != 0 {
		t.Errorf("got %v after %d requests", err, s.count())
	}
}

func TestTemplatesExpandToSegments(t *testing.T) {
	t.Parallel()
	for template, want := range map[string][]string{
		"/v1/blueprints/{bp}/entities/{id}": {"blueprints", "v1/", "entities", "a/b"},
		"blueprints/{bp}":                   {"blueprints", "v1/"},
		"/v1/organization":                  {"organization"},
	} {
		got, err := Expand(template, map[string]string{"bp": "v1/", "id": "a/b"})
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", template, err, diff)
		}
	}
	if _, err := Expand("/v1/x/{other}", nil); err == nil || !strings.Contains(err.Error(), "{other}") {
		t.Errorf("a missing value gives %v", err)
	}
}

func TestRequestsCarryTheAgreedHeaders(t *testing.T) {
	t.Parallel()
	s := &script{steps: []step{answered(200, fine)}}
	c := client(t, Options{Transport: s, Version: "1.2.3"})
	for _, op := range []Op{
		{Method: http.MethodGet, Path: []string{"blueprints"}},
		{Method: http.MethodPost, Path: []string{"blueprints"}, Body: jsonv.Object{"title": "<&>"}},
	} {
		if _, err := c.Call(t.Context(), op); err != nil {
			t.Fatal(err)
		}
	}
	type line struct{ UA, Accept, Type, Auth, Body string }
	of := func(r sent) line {
		h := r.header
		var v any
		if r.body != "" {
			var err error
			if v, err = jsonv.Decode([]byte(r.body)); err != nil {
				t.Error(err)
			}
		}
		return line{h.Get("User-Agent"), h.Get("Accept"), h.Get("Content-Type"), h.Get("Authorization"), string(jsonv.Encode(v))}
	}
	const ua = "terraform-provider-port/1.2.3"
	want := []line{
		{ua, "application/json", "application/json", "", `{"clientId":"the-client","clientSecret":"the-client-secret"}`},
		{ua, "application/json", "", "Bearer token-1", "null"},
		{ua, "application/json", "application/json", "Bearer token-1", `{"title":"<&>"}`},
	}
	if diff := cmp.Diff(want, []line{of(s.auths[0]), of(s.got[0]), of(s.got[1])}); diff != "" {
		t.Error(diff)
	}
}

func TestAnAnonymousClientSendsNoCredentials(t *testing.T) {
	t.Parallel()
	s := &script{steps: []step{answered(200, fine)}}
	c := client(t, Options{Transport: s, Anonymous: true})
	if err := c.Authenticate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Call(t.Context(), Op{Method: http.MethodGet, Path: []string{"blueprints"}}); err != nil {
		t.Fatal(err)
	}
	if len(s.auths) != 0 || s.got[0].header.Get("Authorization") != "" {
		t.Errorf("%d token calls, authorization %q", len(s.auths), s.got[0].header.Get("Authorization"))
	}
}

func TestNewRefusesMissingCredentials(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{}, {ClientID: "a"}, {Secret: "b"}} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), "client id") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestEnvironmentSetsTheRateLimitSwitches(t *testing.T) {
	t.Parallel()
	env := map[string]string{"PORT_RATE_LIMIT_DISABLED": "0", "PORT_DEBUG_RATE_LIMIT": ""}
	got := Options{}.WithEnvironment(func(k string) string { return env[k] })
	if !got.NoRateLimit || got.RateLimitLog {
		t.Errorf("got %+v", got)
	}
}
