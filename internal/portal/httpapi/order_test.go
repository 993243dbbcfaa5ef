package httpapi

import (
	"crypto/rand"
	"crypto/rsa"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// guarded are the routes that need a token.
func guarded() []route {
	return slices.DeleteFunc(table(), func(r route) bool { return r.open })
}

// concrete is a path of a route: parameters get the value.
func (r *route) concrete(value string) string { return name.ReplaceAllString(r.pattern, value) }

// putUser writes a user as older data files hold one.
func putUser(t testing.TB, a *API, email, role, status string, moderates ...string) {
	t.Helper()
	err := a.store.Update(t.Context(), func(tx store.Tx) error {
		return tx.Put(catalog.KindEntity, store.Doc{
			"identifier": email, "blueprint": "_user", "createdAt": "2024-01-01T00:00:00.000Z", "updatedAt": "2024-01-01T00:00:00.000Z",
			"properties": jsonv.Object{"status": status, "port_role": role, "moderated_blueprints": jsonv.FromStrings(moderates)},
			"relations":  jsonv.Object{}, "team": []any{},
		}, a.identity.Org(), "_user", email)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// login exchanges credentials.
func login(t testing.TB, a *API, id, secret string) string {
	t.Helper()
	w, body := ask(a, httptest.NewRequest(http.MethodPost, "/v1/auth/access_token",
		strings.NewReader(`{"clientId":"`+id+`","clientSecret":"`+secret+`"}`)))
	if w.Code != 200 {
		t.Fatalf("%s: %s", id, w.Body)
	}
	return jsonv.String(body, "accessToken")
}

// rotate gives a user credentials.
func rotate(t testing.TB, a *API, email string) (id, secret string) {
	t.Helper()
	err := a.store.Update(t.Context(), func(tx store.Tx) error {
		answer, err := a.identity.RotateCredentials(tx, a.identity.Machine(), email)
		id, secret = jsonv.String(answer, "clientId"), jsonv.String(answer, "clientSecret")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id, secret
}

func signIn(t testing.TB, a *API, email, role string, moderates ...string) string {
	t.Helper()
	putUser(t, a, email, role, "Active", moderates...)
	id, secret := rotate(t, a, email)
	return login(t, a, id, secret)
}

// badHeaders are values of Authorization that name nobody.
func badHeaders(t *testing.T, a *API) map[string]string {
	t.Helper()
	good := login(t, a, "id", "hidden-secret")
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(good, claims); err != nil {
		t.Fatal(err)
	}
	sign := func(method jwt.SigningMethod, key any, header jwt.MapClaims) string {
		token := jwt.NewWithClaims(method, maps.Clone(claims))
		maps.Copy(token.Header, header)
		text, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + text
	}
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	bad := map[string]string{
		"none":                   "",
		"a scheme alone":         "Bearer ",
		"no token":               "Bearer garbage",
		"three empty parts":      "Bearer ..",
		"another scheme":         "Basic " + good,
		"two tokens":             "Bearer " + good + " " + good,
		"no signature":           "Bearer " + parts[0] + "." + parts[1] + ".",
		"a cut signature":        "Bearer " + good[:len(good)-6],
		"another payload":        "Bearer " + parts[0] + "." + parts[1] + "AA." + parts[2],
		"the algorithm none":     sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil),
		"the algorithm None":     sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, jwt.MapClaims{"alg": "None"}),
		"another key":            sign(jwt.SigningMethodHS256, []byte("another key"), nil),
		"another key by its id":  sign(jwt.SigningMethodHS256, []byte("another key"), jwt.MapClaims{"kid": "../../dev/null", "jku": "https://x.io/keys"}),
		"another HMAC":           sign(jwt.SigningMethodHS512, []byte("another key"), nil),
		"a key of RSA":           sign(jwt.SigningMethodRS256, own, nil),
		"a key of RSA it brings": sign(jwt.SigningMethodRS256, own, jwt.MapClaims{"jwk": map[string]any{"kty": "RSA", "n": "AQAB", "e": "AQAB"}}),
		"RSA called HMAC":        sign(jwt.SigningMethodRS256, own, jwt.MapClaims{"alg": "HS256"}),
	}

	put := func(email string) string { return "Bearer " + signIn(t, a, email, access.RoleAdmin) }
	bad["a deleted user"] = put("deleted@x.io")
	bad["a user without an entity"] = put("gone@x.io")
	bad["a rotated user"] = put("rotated@x.io")
	rotate(t, a, "rotated@x.io")
	for _, status := range []string{"Disabled", "Staged", "Invited"} {
		email := strings.ToLower(status) + "@x.io"
		bad["a user who is "+status] = put(email)
		putUser(t, a, email, access.RoleAdmin, status)
	}
	machine := a.identity.Machine()
	err = a.store.Update(t.Context(), func(tx store.Tx) error {
		if err := a.catalog.DeleteEntity(t.Context(), tx, catalog.Actor{Org: machine.Org, ID: machine.ID}, "_user", "deleted@x.io", catalog.DeleteOptions{}); err != nil {
			return err
		}
		return tx.Delete(catalog.KindEntity, a.identity.Org(), "_user", "gone@x.io")
	})
	if err != nil {
		t.Fatal(err)
	}
	app := func(end func(store.Tx, string) error) string {
		var id, token string
		err := a.store.Update(t.Context(), func(tx store.Tx) error {
			made, err := a.identity.CreateApp(tx, machine, jsonv.Object{"name": "x"})
			id = jsonv.String(made, "id")
			token = jsonv.String(made, "secret")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		token = login(t, a, id, token)
		if err := a.store.Update(t.Context(), func(tx store.Tx) error { return end(tx, id) }); err != nil {
			t.Fatal(err)
		}
		return "Bearer " + token
	}
	bad["a deleted app"] = app(func(tx store.Tx, id string) error { return a.identity.DeleteApp(tx, machine, id) })
	bad["a rotated app"] = app(func(tx store.Tx, id string) error {
		_, err := a.identity.RotateApp(tx, machine, id)
		return err
	})
	return bad
}

func TestNoRouteIsOpenWithoutAValidToken(t *testing.T) {
	t.Parallel()
	a, _ := newAPI(t)
	refuse := func(what, header string) {
		for _, r := range guarded() {
			req := httptest.NewRequest(r.method, r.concrete("x"), strings.NewReader("{ no JSON"))
			if header != "" {
				req.Header.Set("Authorization", header)
			}
			if w, body := ask(a, req); w.Code != 401 || jsonv.String(body, "error") != "unauthorized" || body["ok"] != false || w.Header().Get("X-Trace-Id") == "" {
				t.Errorf("%s with %s: %d %s", r.name(), what, w.Code, w.Body)
			}
		}
	}
	for what, header := range badHeaders(t, a) {
		refuse(what, header)
	}
	good := "Bearer " + login(t, a, "id", "hidden-secret")
	if w, _ := authorized(a, http.MethodGet, "/v1/blueprints", good, ""); w.Code != 200 {
		t.Fatalf("the good token: %s", w.Body)
	}
	advance(t, a, 3*time.Hour+time.Second)
	refuse("an expired token", good)
}

func advance(t *testing.T, a *API, d time.Duration) {
	t.Helper()
	c, ok := a.clock.(*clock.Fake)
	if !ok {
		t.Fatal("the clock is no fake")
	}
	c.Advance(d)
}

func authorized(a *API, method, path, header, body string) (*httptest.ResponseRecorder, jsonv.Object) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", header)
	return ask(a, r)
}

// scoped are the operations that reference/identity.md §7.3 marks S for Members; of
// those of moderators nobody but them and administrators is let through.
var scoped = map[string]access.Scope{
	"PUT /v1/organization":                      access.UpdateOrganization,
	"PATCH /v1/organization":                    access.UpdateOrganization,
	"GET /v1/organization/secrets":              access.ReadSecrets,
	"GET /v1/organization/secrets/{}":           access.ReadSecrets,
	"POST /v1/organization/secrets":             access.CreateSecrets,
	"PATCH /v1/organization/secrets/{}":         access.UpdateSecrets,
	"DELETE /v1/organization/secrets/{}":        access.DeleteSecrets,
	"GET /v1/apps":                              access.ReadApps,
	"POST /v1/apps":                             access.UpdateApps,
	"PUT /v1/apps/{}":                           access.UpdateApps,
	"DELETE /v1/apps/{}":                        access.UpdateApps,
	"POST /v1/apps/{}/rotate-secret":            access.UpdateApps,
	"POST /v1/apps/{}/permissions":              access.UpdateApps,
	"POST /v1/rotate-credentials/{}":            access.UpdateUsers,
	"POST /v1/users/invite":                     access.CreateUsers,
	"PATCH /v1/users/{}":                        access.UpdateUsers,
	"DELETE /v1/users/{}":                       access.DeleteUsers,
	"POST /v1/teams":                            access.CreateTeams,
	"PUT /v1/teams/{}":                          access.UpdateTeams,
	"PATCH /v1/teams/{}":                        access.UpdateTeams,
	"DELETE /v1/teams/{}":                       access.DeleteTeams,
	"POST /v1/blueprints":                       access.CreateBlueprints,
	"POST /v1/actions":                          access.CreateActions,
	"PUT /v1/actions/{}":                        access.UpdateActions,
	"DELETE /v1/actions/{}":                     access.DeleteActions,
	"POST /v1/blueprints/{}/actions":            access.CreateActions,
	"PUT /v1/blueprints/{}/actions":             access.UpdateActions,
	"PUT /v1/blueprints/{}/actions/{}":          access.UpdateActions,
	"DELETE /v1/blueprints/{}/actions/{}":       access.DeleteActions,
	"DELETE /v1/pages/{}":                       access.DeletePages,
	"POST /v1/integration":                      access.CreateIntegrations,
	"PATCH /v1/integration/{}":                  access.UpdateIntegrations,
	"DELETE /v1/integration/{}":                 access.DeleteIntegrations,
	"PATCH /v1/integration/{}/config":           access.UpdateIntegrations,
	"POST /v1/integration/{}/cursor":            access.UpdateIntegrations,
	"PUT /v1/integration/{}/cursor":             access.UpdateIntegrations,
	"POST /v1/integration/{}/kinds/{}/examples": access.UpdateIntegrations,
	"PATCH /v1/integration/{}/resync-state":     access.UpdateIntegrations,
	"POST /v1/webhooks":                         access.CreateIntegrations,
	"PUT /v1/webhooks/{}":                       access.UpdateIntegrations,
	"PATCH /v1/webhooks/{}":                     access.UpdateIntegrations,
	"DELETE /v1/webhooks/{}":                    access.DeleteIntegrations,

	// The identity provider has the token of an administrator.
	"GET /scim/v2/Users":                 access.UpdateUsers,
	"POST /scim/v2/Users":                access.UpdateUsers,
	"GET /scim/v2/Users/{}":              access.UpdateUsers,
	"PUT /scim/v2/Users/{}":              access.UpdateUsers,
	"PATCH /scim/v2/Users/{}":            access.UpdateUsers,
	"DELETE /scim/v2/Users/{}":           access.UpdateUsers,
	"GET /scim/v2/Groups":                access.UpdateTeams,
	"POST /scim/v2/Groups":               access.UpdateTeams,
	"GET /scim/v2/Groups/{}":             access.UpdateTeams,
	"PUT /scim/v2/Groups/{}":             access.UpdateTeams,
	"PATCH /scim/v2/Groups/{}":           access.UpdateTeams,
	"DELETE /scim/v2/Groups/{}":          access.UpdateTeams,
	"GET /scim/v2/ServiceProviderConfig": access.UpdateUsers,
	"GET /scim/v2/ResourceTypes":         access.UpdateUsers,
	"GET /scim/v2/ResourceTypes/{}":      access.UpdateUsers,
	"GET /scim/v2/Schemas":               access.UpdateUsers,
	"GET /scim/v2/Schemas/{}":            access.UpdateUsers,
}

func TestMembersLackTheScopesOfTheMatrixAndNoOthers(t *testing.T) {
	t.Parallel()
	member := &access.User{Role: access.RoleMember}
	got := map[string]access.Scope{}
	for _, r := range guarded() {
		if !member.Holds(r.scope) {
			got[r.method+" "+name.ReplaceAllString(r.pattern, "{}")] = r.scope
		}
	}
	if diff := cmp.Diff(scoped, got); diff != "" {
		t.Error(diff)
	}
}

func TestScopesAreJudgedAfterTheTokenAndBeforeTheBody(t *testing.T) {
	t.Parallel()
	a, _ := newAPI(t)
	callers := map[string]string{
		"member":            signIn(t, a, "member@x.io", access.RoleMember),
		"moderator":         signIn(t, a, "moderator@x.io", access.RoleModerator, "other"),
		"moderator of none": signIn(t, a, "none@x.io", access.RoleModerator),
		"admin":             signIn(t, a, "admin@x.io", access.RoleAdmin),
		"machine":           login(t, a, "id", "hidden-secret"),
	}
	users := map[string]*access.User{
		"member": {Role: access.RoleMember}, "moderator": {Role: access.RoleModerator, Moderates: []string{"other"}},
		"moderator of none": {Role: access.RoleModerator}, "admin": {Role: access.RoleAdmin},
	}
	for who, token := range callers {
		for _, r := range guarded() {
			w, body := authorized(a, r.method, r.concrete("missing"), "Bearer "+token, "{ no JSON")
			missing := jsonv.Strings(jsonv.Map(body, "details")["missingScopes"])
			if users[who].Holds(r.scope) {
				if jsonv.String(body, "error") == "insufficient_scope" || w.Code == 401 || w.Code == 500 {
					t.Errorf("%s: %s: %d %s", who, r.name(), w.Code, w.Body)
				}
				continue
			}
			if w.Code != 403 || jsonv.String(body, "error") != "insufficient_scope" ||
				!slices.Equal(missing, []string{string(r.scope)}) || !strings.Contains(jsonv.String(body, "message"), string(r.scope)) {
				t.Errorf("%s: %s: %d %s", who, r.name(), w.Code, w.Body)
			}
		}
	}
}

func TestTheRateIsJudgedAfterTheTokenAndBeforeTheScope(t *testing.T) {
	t.Parallel()
	a, _ := newAPI(t)
	token := signIn(t, a, "member@x.io", access.RoleMember)
	a.rate = newRate(a.clock, Limits{Requests: 2}.orDefault())
	for n, want := range []string{"insufficient_scope", "insufficient_scope", identity.TooManyRequests} {
		if _, body := authorized(a, http.MethodGet, "/v1/apps", "Bearer "+token, ""); jsonv.String(body, "error") != want {
			t.Errorf("request %d: %v, want %s", n+1, body, want)
		}
	}
	for _, r := range []route{{method: get, pattern: "/v1/apps"}, {method: post, pattern: "/v1/blueprints"}} {
		if w, _ := authorized(a, r.method, r.pattern, "Bearer garbage", "{"); w.Code != 401 {
			t.Errorf("%s: %d", r.name(), w.Code)
		}
		if w, _ := authorized(a, r.method, r.pattern, "Bearer "+token, "{"); w.Code != 429 || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d", r.name(), w.Code)
		}
	}
}

func TestAServiceAccountsRequestsCountOnlyForItself(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
	r := newRate(c, Limits{Requests: 1}.orDefault())
	some := &route{}
	machine, human := identity.Principal{Org: "o", ID: "m"}, identity.Principal{Org: "o", ID: "h", User: &access.User{}}
	bot := func(id string) identity.Principal {
		return identity.Principal{Org: "o", ID: id, User: &access.User{ServiceAccount: true}}
	}
	for _, who := range []identity.Principal{machine, bot("a"), bot("b")} {
		if err := r.admit(who, some); err != nil {
			t.Errorf("%+v: %v", who, err)
		}
	}
	for _, who := range []identity.Principal{machine, human, bot("a"), bot("b")} {
		if r.admit(who, some) == nil {
			t.Errorf("%+v is not limited", who)
		}
	}
	for n := range 2 * manyBuckets {
		c.Advance(time.Second)
		if err := r.admit(bot("more "+strings.Repeat("x", n)), some); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.counts) > manyBuckets {
		t.Errorf("%d buckets are kept", len(r.counts))
	}
}

// rows: id §8.6 1-3
func TestOriginsFollowFromTokenAndAgent(t *testing.T) {
	t.Parallel()
	var got catalog.Actor
	a, _ := newAPI(t, route{method: get, pattern: "/v1/actor", handler: func(c *Call) (any, error) {
		got = c.Actor
		return nil, nil
	}})
	machine := a.identity.Machine()
	user := &access.User{ID: "auth0|1", Email: "a@x.io"}
	for _, c := range []struct {
		who          identity.Principal
		agent        string
		origin, user string
	}{
		{machine, "terraform-provider-port-labs/2", "API", ""},
		{machine, "port-ocean/jira/1.0.0/my-jira/exporter", "jira/my-jira", ""},
		{identity.Principal{Org: machine.Org, ID: user.ID, User: user}, "Mozilla/5.0", "API", "a@x.io"},
		{identity.Principal{Org: machine.Org, ID: user.ID, User: user}, "port-ocean/jira/1.0.0/my-jira", "jira/my-jira", "a@x.io"},
		{identity.Principal{Org: machine.Org, ID: user.ID, User: user, Login: true}, "Mozilla/5.0", "UI", "a@x.io"},
		{identity.Principal{Org: machine.Org, ID: user.ID, User: user, Login: true}, "port-ocean/jira/1.0.0/my-jira", "UI", "a@x.io"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/v1/actor", nil).WithContext(As(t.Context(), c.who))
		r.Header.Set("User-Agent", c.agent)
		if w, _ := ask(a, r); w.Code != 200 {
			t.Fatal(w.Body)
		}
		if got.Origin != c.origin || got.User != c.user || got.ID != c.who.ID || got.UserAgent != c.agent {
			t.Errorf("%+v by %q: %+v", c.who, c.agent, got)
		}
	}
}

func TestPermissionsAreTheScopesAndTheActions(t *testing.T) {
	t.Parallel()
	a, _ := newAPI(t)
	machine := login(t, a, "id", "hidden-secret")
	for _, id := range []string{"restart", "scale"} {
		body := `{"identifier": "` + id + `", "trigger": {"type": "self-service", "operation": "DAY-2", "userInputs": {"properties": {}}}, "invocationMethod": {"type": "KAFKA"}}`
		if w, answer := authorized(a, http.MethodPost, "/v1/actions", machine, body); w.Code != http.StatusCreated {
			t.Fatal(answer)
		}
	}
	if w, answer := authorized(a, http.MethodPatch, "/v1/actions/scale/permissions", machine, `{"execute": {"roles": [], "ownedByTeam": true}}`); w.Code != http.StatusOK {
		t.Fatal(answer)
	}
	for role, c := range map[string]struct {
		header     string
		executable []string
	}{
		access.RoleMember: {signIn(t, a, "member@x.io", access.RoleMember), []string{"execute:actions:restart", "execute:team_entities:actions:scale"}},
		access.RoleAdmin:  {machine, []string{"execute:actions:restart", "execute:actions:scale", "execute:team_entities:actions:scale"}},
	} {
		var want []string
		for _, scope := range (&access.User{Role: role}).Scopes() {
			want = append(want, string(scope))
		}
		want = append(want, c.executable...)
		_, body := authorized(a, http.MethodGet, "/v1/auth/permissions?action_version=v2", c.header, "")
		if diff := cmp.Diff(want, jsonv.Strings(body["permissions"])); diff != "" {
			t.Errorf("%s: %s", role, diff)
		}
	}
}
