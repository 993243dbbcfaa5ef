package provider

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// Tokens of other makers say less than those of the portal.
func TestCallersAreToldFromWhateverTheirTokenSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		caller  portapi.Caller
		machine bool
		email   string
	}{
		"machine":                        {portapi.Caller{Claims: jsonv.Object{"isMachine": true, "personalToken": false, "https://a/email": ""}}, true, ""},
		"personal":                       {portapi.Caller{Claims: jsonv.Object{"isMachine": false, "personalToken": true, "https://a/email": "ann@x.io"}}, false, "ann@x.io"},
		"logged in":                      {portapi.Caller{Claims: jsonv.Object{"isMachine": false, "personalToken": false, "https://a/email": "ann@x.io"}}, false, "ann@x.io"},
		"older, of a machine":            {portapi.Caller{Claims: jsonv.Object{"personalToken": false}}, true, ""},
		"older, of a person":             {portapi.Caller{Claims: jsonv.Object{"personalToken": true, "email": "ann@x.io"}}, false, "ann@x.io"},
		"silent, of a machine":           {portapi.Caller{ClientID: "60EsooJtOqimlekxrNh7nfr2iOgTcyLZ"}, true, ""},
		"silent, personal credentials":   {portapi.Caller{ClientID: "ann@x.io"}, false, "ann@x.io"},
		"silent, and nothing else known": {portapi.Caller{}, false, ""},
	} {
		if got := isMachine(c.caller); got != c.machine {
			t.Errorf("%s: machine %v", name, got)
		}
		if got := claimedEmail(c.caller); got != c.email {
			t.Errorf("%s: e-mail address %q", name, got)
		}
	}
}

// canned answers reads by their path and query.
type canned map[string]string

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := http.StatusOK, c[r.URL.RequestURI()]
	if body == "" {
		status, body = http.StatusNotFound, `{"ok":false,"error":"not_found","message":"not canned: `+r.URL.RequestURI()+`"}`
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// A token that says whose it is only by the user's ID is looked up by it.
func TestUsersAreFoundByTheIDInTheirToken(t *testing.T) {
	t.Parallel()
	const users, ann = "/v1/users?fields=id&fields=email", `{"ok":true,"users":[{"id":"auth0|1","email":"bob@x.io"},{"id":"auth0|2","email":"ann@x.io"}]}`
	found := canned{users: ann, "/v1/users/ann@x.io": `{"ok":true,"user":{"id":"auth0|2","email":"ann@x.io","type":"STANDARD",
		"roles":[{"name":"Member"},{"name":"svc-moderator"},{"name":"Admin"}],"teamsIdentifiers":["core"]}}`}
	for name, c := range map[string]struct {
		answers canned
		want    jsonv.Object
		fails   string
	}{
		"found":         {found, jsonv.Object{"principal": "user", "email": "ann@x.io", "userId": "auth0|2", "role": "Admin", "teams": []any{"core"}, "moderatedBlueprints": []any{"svc"}}, ""},
		"nobody has it": {canned{users: `{"ok":true,"users":[]}`}, jsonv.Object{"principal": "user"}, ""},
		"gone since":    {canned{users: ann}, nil, "not canned: /v1/users/ann@x.io"},
		"refused":       {canned{}, nil, "not canned: " + users},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token := "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"auth0|2","personalToken":true}`)) + ".c2ln"
			api, err := portapi.New(portapi.Options{Token: token, Transport: c.answers})
			if err != nil {
				t.Fatal(err)
			}
			got, err := (&session{api: api}).whoami(t.Context())
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
