package portaltest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// User is somebody to act as; see [Portal.As].
type User struct {
	Email string
	// Role is Admin, Moderator or Member, which is what it defaults to; Moderates are
	// the blueprints of a moderator, who is one when there are any.
	Role      string
	Moderates []string
	// Teams are identifiers; those that do not exist are created.
	Teams []string
	// Properties are others of the user's entity.
	Properties jsonv.Object
}

// serviceAccounts is the domain of service accounts (reference/identity.md §5 A2).
const serviceAccounts = "@serviceaccounts.getport.io"

// actors are the users that a test acted as.
type actors struct {
	mu    sync.Mutex
	known map[string]*actor
}

type actor struct {
	credentials jsonv.Object
	token       string
}

// As returns an access token of an active user with personal credentials. The user,
// or the service account when the address is one's, is created at the first call;
// from then on only the address counts, and the user is whatever the test has made
// of it since: a token of a disabled user is returned though it is refused.
func (p *Portal) As(u User) string {
	p.t.Helper()
	p.actors.mu.Lock()
	defer p.actors.mu.Unlock()
	a := p.actors.known[u.Email]
	if a == nil {
		a = &actor{credentials: p.createUser(u)}
		if p.actors.known == nil {
			p.actors.known = map[string]*actor{}
		}
		p.actors.known[u.Email] = a
	}
	if answer := p.Call(http.MethodPost, "/v1/auth/access_token", a.credentials); answer.Status == http.StatusOK {
		a.token = jsonv.String(answer.Body, "accessToken")
	}
	return a.token
}

func (p *Portal) createUser(u User) (credentials jsonv.Object) {
	p.t.Helper()
	for _, team := range u.Teams {
		if p.Call(http.MethodGet, "/v1/blueprints/_team/entities/"+url.PathEscape(team), nil).Status == http.StatusNotFound {
			p.Must(http.MethodPost, "/v1/blueprints/_team/entities", jsonv.Object{"identifier": team, "title": team})
		}
	}
	properties := jsonv.Object{"status": "Active", "port_role": u.Role, "port_type": "Standard"}
	if u.Role == "" {
		properties["port_role"] = "Member"
	}
	if len(u.Moderates) > 0 {
		properties["port_role"], properties["moderated_blueprints"] = "Moderator", jsonv.FromStrings(u.Moderates)
	}
	if strings.HasSuffix(u.Email, serviceAccounts) {
		properties["port_type"] = "Service Account"
	}
	for key, value := range u.Properties {
		properties[key] = value
	}
	entity := jsonv.Object{"identifier": u.Email, "title": u.Email, "properties": properties, "team": jsonv.FromStrings(slices.Clone(u.Teams))}
	p.Must(http.MethodPost, "/v1/blueprints/_user/entities?upsert=true", entity)
	answer := p.Must(http.MethodPost, "/v1/rotate-credentials/"+url.PathEscape(u.Email), nil)
	return jsonv.Map(answer, "credentials")
}

// CallAs is [Portal.Call] with an access token, for example one of [Portal.As],
// instead of the organization's machine; "" is no token.
func (p *Portal) CallAs(token, method, path string, body any) Answer {
	p.t.Helper()
	var text io.Reader = http.NoBody
	if body != nil {
		text = bytes.NewReader(jsonv.Encode(body))
	}
	req := httptest.NewRequestWithContext(p.t.Context(), method, path, text)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	p.serve(w, req)
	return read(p, w.Result())
}
