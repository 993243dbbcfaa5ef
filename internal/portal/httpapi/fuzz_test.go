package httpapi_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/httpapi"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/scim"
)

// fuzzed is what a portal holds when it is sent nonsense: every kind of thing that a
// path can name.
const fuzzed = `{"blueprints":[
 {"identifier":"b","title":"B","ownership":{"type":"Direct"},
  "schema":{"properties":{"p":{"type":"string"},"n":{"type":"number"},"o":{"type":"object"},"a":{"type":"array"},"t":{"type":"string","format":"timer"}}},
  "relations":{"r":{"target":"b"},"m":{"target":"b","many":true}},
  "mirrorProperties":{"mp":{"path":"r.p"}},
  "calculationProperties":{"c":{"type":"number","calculation":".properties.n * 2"}},
  "aggregationProperties":{"g":{"title":"G","target":"b","calculationSpec":{"calculationBy":"entities","func":"count"}}}}],
 "entities":[
 {"blueprint":"b","identifier":"e","properties":{"p":"x","n":1,"o":{"k":[1]},"a":[1]},"relations":{"r":"e","m":["e"]}},
 {"blueprint":"_team","identifier":"t","title":"T"},
 {"blueprint":"_user","identifier":"a@x.io","title":"A","properties":{"status":"Active","port_role":"Member"},"team":["t"]},
 {"blueprint":"_user","identifier":"mod@x.io","title":"M","properties":{"status":"Active","port_role":"Moderator","moderated_blueprints":["b"]}}]}`

// target is a portal that is thrown away after one request.
type target struct {
	t      *testing.T
	portal *portal.Portal
	token  string
}

func newTarget(t *testing.T) target {
	t.Helper()
	p, err := portal.New(portal.Options{
		Clock: clock.NewFake(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)), IDs: ident.Seeded(1),
		Out: &http.Client{Transport: nowhere{}}, Seed: strings.NewReader(fuzzed), ClientID: "id", ClientSecret: "secret",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	x := target{t: t, portal: p}
	answer := x.must(http.MethodPost, "/v1/auth/access_token", `{"clientId":"id","clientSecret":"secret"}`)
	x.token = jsonv.String(answer, "accessToken")
	return x
}

// nowhere lets nothing leave a test.
type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

func (x target) must(method, path, body string) jsonv.Object {
	x.t.Helper()
	w := x.send(method, path, "Bearer "+x.token, body)
	answer, err := jsonv.DecodeObject(w.Body.Bytes())
	if err != nil || w.Code != http.StatusOK {
		x.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return answer
}

// as returns the header of a user.
func (x target) as(email string) string {
	x.t.Helper()
	answer := x.must(http.MethodPost, "/v1/rotate-credentials/"+email, "")
	answer = x.must(http.MethodPost, "/v1/auth/access_token", string(jsonv.Encode(jsonv.Map(answer, "credentials"))))
	return "Bearer " + jsonv.String(answer, "accessToken")
}

// send asks the handler and checks what holds of every answer: it is JSON that says
// whether it went well, and nothing went wrong on the server's side.
func (x target) send(method, target, authorization, body string) *httptest.ResponseRecorder {
	x.t.Helper()
	u, err := url.ParseRequestURI(target)
	if err != nil {
		x.t.Skip()
	}
	r := (&http.Request{
		Method: method, URL: u, RequestURI: target, Host: "portal.test", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Authorization": {authorization}}, Body: io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)), RemoteAddr: "192.0.2.1:1234",
	}).WithContext(context.Background())
	w := httptest.NewRecorder()
	x.portal.Handler().ServeHTTP(w, r)
	if method == http.MethodHead || w.Code == http.StatusNoContent && w.Body.Len() == 0 {
		return w
	}
	answer, err := jsonv.DecodeObject(w.Body.Bytes())
	if err != nil {
		x.t.Fatalf("%s %s: %d, no JSON object: %v: %.300s", method, target, w.Code, err, w.Body)
	}
	// Resources of identity providers are written as they are.
	if ok, said := answer["ok"].(bool); (said || w.Header().Get("Content-Type") != scim.MediaType) && (!said || ok != (w.Code < 400)) {
		x.t.Fatalf("%s %s: %d with ok %v: %.300s", method, target, w.Code, answer["ok"], w.Body)
	}
	if w.Code >= 500 && w.Code != http.StatusNotImplemented {
		x.t.Fatalf("%s %s: %d %.300s", method, target, w.Code, w.Body)
	}
	return w
}

func FuzzToken(f *testing.F) {
	for _, header := range []string{
		"", "Bearer", "Bearer ", "bearer x", "Basic eDp5", "Bearer a.b.c", "Bearer ..", "Bearer eyJhbGciOiJub25lIn0.e30.",
		"Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJwb3J0Iiwic3ViIjoiaWQiLCJleHAiOjk5OTk5OTk5OTl9.AAAA",
		"Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJpZCIsImV4cCI6MWUzMDB9.AAAA", "Bearer {token}", "  BEARER   {token}  ", "{token}",
		"{token}{token}", "Bearer {token}.", "Bearer {token}=", "Bearer {header}.{payload}.", "Bearer {payload}.{header}.{signature}",
	} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		x := newTarget(t)
		parts := strings.Split(x.token, ".")
		header = strings.NewReplacer("{token}", x.token, "{header}", parts[0], "{payload}", parts[1], "{signature}", parts[2]).Replace(header)
		w := x.send(http.MethodGet, "/v1/blueprints/b/entities-count", header, "")
		scheme, rest, found := strings.Cut(strings.TrimSpace(header), " ")
		good := scheme == x.token && !found || strings.EqualFold(scheme, "Bearer") && strings.TrimSpace(rest) == x.token
		if good != (w.Code == http.StatusOK) || !good && w.Code != http.StatusUnauthorized {
			t.Errorf("%q: %d %s", header, w.Code, w.Body)
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, path := range []string{
		"/", "//", "/v1", "/v1/blueprints", "//v1/blueprints/", "/v1/blueprints/b", "/v1/blueprints/a%2Fb", "/v1/blueprints/%", "/v1/blueprints/%2",
		"/v1/blueprints/b/entities/e?include=properties.p&exclude=x", "/v1/blueprints/b/entities?from=1&limit=2", "/v1/blueprints/../b", "/v1/blueprints/%00",
		"/v1/blueprints/b/entities/%F0%9F%92%A9", "/v1/search?q=x&size=10&index=_entities", "/v1/audit-log?from=2024-01-01&to=x&limit=-1&includes=a,b",
		"/v1/users/a%40x.io?fields=email", "/v1/teams/T?fields=name", "/v1/migrations?limit=1e9", "/v1/apps?fields=id&fields[]=name", "/v1/actions/runs/x",
		"/v1/blueprints/system/_user/structure", "/v1/blueprints/b/permissions", "/v1/auth/permissions?action_version=v2", "/health?;=%zz&a=b;c",
	} {
		for _, method := range []string{http.MethodGet, http.MethodDelete, http.MethodOptions, http.MethodHead} {
			f.Add(method, path)
		}
	}
	f.Fuzz(func(t *testing.T, method, path string) {
		x := newTarget(t)
		x.send(method, path, "Bearer "+x.token, "")
		// It may have deleted the token's own credentials.
		if again := x.send(http.MethodGet, "/v1/blueprints", "Bearer "+x.token, ""); again.Code != http.StatusOK && again.Code != http.StatusUnauthorized {
			t.Errorf("after %s %s: %d %.300s", method, path, again.Code, again.Body)
		}
	})
}

var parameter = regexp.MustCompile(`\{[a-z]+\}`)

// named are the values of the parameters of paths; the others are "x".
var named = map[string]string{
	"{blueprint}": "b", "{entity}": "e", "{property}": "p", "{relation}": "r", "{user}": "a@x.io", "{team}": "t", "{app}": "id", "{id}": "User",
}

func FuzzBody(f *testing.F) {
	bodies := []string{
		``, `null`, `[]`, `{}`, `"x"`, `1e400`, `{"identifier":null}`, `{"identifier":"e","properties":{"p":"y","n":1e999,"o":{},"t":"2024-01-01T00:00:00Z"},"relations":{"r":"e"},"team":["t"]}`,
		`{"combinator":"and","rules":[{"property":"$identifier","operator":"=","value":"e"}]}`, `{"query":{"combinator":"or","rules":[]},"include":["p"],"limit":1}`,
		`{"identifier":"c","title":"C","schema":{"properties":{"x":{"type":"string","pattern":"(","enum":[1]}}},"relations":{"y":{"target":"b"}}}`,
		`{"entities":[{"identifier":"e"},{"identifier":"f","relations":{"m":["e","g"]}}]}`, `{"entitiesIdentifiers":["e"]}`, `{"name":"x"}`,
		`{"func":"count","query":{"combinator":"and","rules":[{"property":"$blueprint","operator":"=","value":"b"}]},"measureTimeBy":"$createdAt","interval":"day","range":{"preset":"lastWeek"}}`,
		`{"sourceBlueprint":"b","mapping":{"blueprint":"b","entity":{"identifier":".identifier","properties":{"p":".properties.p"}}}}`,
		`{"invitee":{"email":"n@x.io","roles":["Member"],"teams":["t"]}}`, `{"roles":["Admin","b-moderator"],"teams":["T"]}`, `{"name":"T","users":["a@x.io"],"description":""}`,
		`{"identifier":"a@x.io","properties":{"status":"disabled","port_role":"Admin","moderated_blueprints":["b"]}}`, `{"secretName":"s","secretValue":"v"}`,
		`{"entities":{"read":{"roles":["Member"],"users":[],"teams":[],"ownedByTeam":true,"policy":{"combinator":"and","rules":[]}}}}`, `{"clientId":"id","clientSecret":"secret"}`,
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"n@x.io","name":{"givenName":"N"},"active":true}`,
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":"False"},{"op":"add","path":"members[value eq \"x\"]","value":[{"value":"x"}]}]}`,
	}
	operations := httpapi.Operations()
	for n := range operations {
		f.Add(uint16(n), uint8(n), bodies[n%len(bodies)])
		f.Add(uint16(n), uint8(n+1), bodies[(n+7)%len(bodies)])
	}
	for n, body := range bodies {
		f.Add(uint16(7*n), uint8(0), body)
	}
	f.Fuzz(func(t *testing.T, operation uint16, who uint8, body string) {
		o := operations[int(operation)%len(operations)]
		x := newTarget(t)
		path := parameter.ReplaceAllStringFunc(o[1], func(p string) string {
			if value, ok := named[p]; ok {
				return value
			}
			return "x"
		})
		header := "Bearer " + x.token
		if users := []string{"", "a@x.io", "mod@x.io"}; users[int(who)%len(users)] != "" {
			header = x.as(users[int(who)%len(users)])
		}
		x.send(o[0], path, header, body)
		// Whatever it was, the portal still answers.
		again := x.send(http.MethodPost, "/v1/entities/search", "Bearer "+x.token, `{"combinator":"and","rules":[]}`)
		if again.Code != http.StatusOK && again.Code != http.StatusUnauthorized {
			t.Errorf("after %s %s %.300q: %d %.300s", o[0], path, body, again.Code, again.Body)
		}
	})
}
