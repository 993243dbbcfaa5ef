package provider

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/portlens/terraform-provider-port/internal/portapi"
)

const (
	embeddedScheme  = "embedded:"
	embeddedBaseURL = "http://embedded.invalid"

	onExistingAdopt = "adopt"
	onExistingFail  = "fail"
)

// session is a configured provider: a client and the settings that resources
// obey.
type session struct {
	api            *portapi.Client
	escapeHTML     bool
	typeProtection bool
	adopt          bool
	protects       bool

	mu      sync.Mutex
	managed map[string]bool   // in a state
	planned map[string]intent // in a plan
	known   map[string]*catalogue
	written map[entityAt]bool
	handed  map[entityAt]heirloom
	// renamed and dropped are what plans do to blueprints, their relations, and
	// actions.
	renamed map[string]string
	dropped map[string]bool
	// memberships are what states and plans say of users in teams.
	memberships memberships
	// teams and actions are those there were.
	teams, actions present
	// runs are those whose wait was cut short.
	runs cutRuns
	// lookups counts the searches for entities that need one that goes.
	lookups int
	listing struct {
		mu    sync.Mutex
		asked bool
		all   []any
	}
}

// manages remembers that a state holds the object, so that a replacement is not
// mistaken for an adoption.
func (s *session) manages(k *kind, key []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.managed[k.decl.Name+":"+joinID(key)] = true
}

func (s *session) isManaged(k *kind, key []string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.managed[k.decl.Name+":"+joinID(key)]
}

// entityName is the name of an entity among what is managed.
func entityName(blueprint, id string) string { return "entity:" + joinID([]string{blueprint, id}) }

// managesEntity does the same for one entity, whichever resource manages it.
func (s *session) managesEntity(blueprint, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.managed[entityName(blueprint, id)] = true
}

func (s *session) isManagedEntity(blueprint, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.managed[entityName(blueprint, id)]
}

// renames remembers that the plan gives an object another name.
func (s *session) renames(kind, was, now string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renamed[joinID([]string{kind, was})] = now
}

// renamedTo is the new name of an object, "" when it keeps its own.
func (s *session) renamedTo(kind, was string) string {
	if s == nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.renamed[joinID([]string{kind, was})]
}

// drops remembers that the plan takes relations from a blueprint.
func (s *session) drops(blueprint string, keys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		s.dropped[joinID([]string{blueprint, key})] = true
	}
}

func (s *session) isDropped(blueprint, key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped[joinID([]string{blueprint, key})]
}

// loginAdvice explains a login that failed.
func loginAdvice(err error, baseURL string) string {
	f, ok := portapi.AsFault(err)
	switch {
	case ok && f.Status == http.StatusUnauthorized:
		return "Port did not accept the credentials: check client_id and secret in the provider block and the environment variables " +
			"PORT_CLIENT_ID and PORT_CLIENT_SECRET, and that they belong to the account behind " + baseURL + ".\n\n" + err.Error()
	case ok:
		return err.Error()
	}
	return "No answer from " + baseURL + ": check base_url, the environment variable PORT_BASE_URL and the network.\n\n" + err.Error()
}

// connect resolves the block and the environment into a session, in the order of
// reference/provider-catalog.md §1. It makes no request: the client logs in with
// its first call, so that offline plans of nothing cost nothing.
func (p *portProvider) connect(ctx context.Context, c providerConfig) (*session, diag.Diagnostics) {
	var diags diag.Diagnostics
	o := portapi.Options{Transport: p.options.Transport, Version: p.options.Version}.WithEnvironment(p.options.Getenv)
	baseURL := p.setting(c.BaseURL, "PORT_BASE_URL")
	if baseURL == "" {
		baseURL = portapi.DefaultBaseURL
	}
	if file, ok := strings.CutPrefix(baseURL, embeddedScheme); ok {
		transport, err := p.portals.transport(ctx, file)
		if err != nil {
			detail := "Wanted to open " + file + ": " + err.Error() + "."
			if file == "" {
				detail = "Attribute base_url: " + err.Error() + "."
			}
			diags.AddAttributeError(path.Root("base_url"), "Could not open the embedded portal", detail)
			return nil, diags
		}
		o.BaseURL, o.Transport, o.Anonymous, o.NoRateLimit = embeddedBaseURL, transport, true, true
	} else {
		o.BaseURL = baseURL
		p.credentials(c, &o, &diags)
	}
	if p.options.Client != nil {
		p.options.Client(&o)
	}
	if diags.HasError() {
		return nil, diags
	}
	api, err := portapi.New(o)
	if err != nil {
		diags.AddAttributeError(path.Root("base_url"), "Could not use the provider configuration", err.Error()+".")
		return nil, diags
	}
	// One call now, so that wrong credentials are one error instead of one for
	// each resource.
	if err := api.Authenticate(ctx); err != nil {
		diags.AddError("Could not log in to Port", loginAdvice(err, baseURL))
		return nil, diags
	}
	return &session{
		api:            api,
		managed:        map[string]bool{},
		planned:        map[string]intent{},
		known:          map[string]*catalogue{},
		written:        map[entityAt]bool{},
		handed:         map[entityAt]heirloom{},
		renamed:        map[string]string{},
		dropped:        map[string]bool{},
		escapeHTML:     c.EscapeHTML.IsNull() || c.EscapeHTML.ValueBool(),
		typeProtection: c.TypeProtection.IsNull() || c.TypeProtection.ValueBool(),
		protects:       c.Protection.ValueBool(),
		adopt:          c.OnExisting.IsNull() || c.OnExisting.ValueString() == onExistingAdopt,
	}, diags
}

// setting falls back to the environment only when the attribute is null: an
// explicit "" is an answer (reference/provider-catalog.md §1).
func (p *portProvider) setting(v types.String, variable string) string {
	if v.IsNull() {
		return p.options.Getenv(variable)
	}
	return v.ValueString()
}

func (p *portProvider) credentials(c providerConfig, o *portapi.Options, diags *diag.Diagnostics) {
	if token := c.Token.ValueString(); token != "" {
		o.Token = token
		return
	}
	o.ClientID = p.setting(c.ClientID, "PORT_CLIENT_ID")
	o.Secret = p.setting(c.Secret, "PORT_CLIENT_SECRET")
	for _, m := range []struct{ value, attribute, variable, what string }{
		{o.ClientID, "client_id", "PORT_CLIENT_ID", "client ID"},
		{o.Secret, "secret", "PORT_CLIENT_SECRET", "client secret"},
	} {
		if m.value == "" {
			diags.AddAttributeError(path.Root(m.attribute), "Missing "+m.what,
				"The provider needs a "+m.what+" to log in to Port: set the attribute "+m.attribute+" in the provider block or the environment variable "+m.variable+". "+
					"To work offline, without an account, set base_url (or PORT_BASE_URL) to \"embedded:FILE\" instead.")
		}
	}
}
