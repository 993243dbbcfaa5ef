// Package portaltest runs a portal inside a test: with a clock that moves on
// demand, repeatable identifiers, a record of every request, failures on order,
// and a check of every answer against the published shapes (see check.go). It is
// for tests only.
package portaltest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// The credentials every test portal accepts, unless [Options] says otherwise.
const (
	ClientID     = "testClientId00000000000000000000"
	ClientSecret = "test-secret"
)

// Options vary a test portal; the zero value is right for most tests.
type Options struct {
	// Store keeps the data; nil is memory. It stays the caller's to close.
	Store store.Store
	// DataFile opens SQLite, DatabaseURL PostgreSQL.
	DataFile, DatabaseURL string
	Limits                portal.Limits
	// Start is where the clock begins; it defaults to 2024-01-01T00:00:00Z.
	Start time.Time
	// RealClock uses the machine's time; Advance then fails the test.
	RealClock bool
	// Seed is given to [Portal.Seed] first.
	Seed string
	// Log receives the portal's log; nil drops it.
	Log *slog.Logger
	// RealCalls lets the portal call real addresses, also of this machine; otherwise
	// its calls are recorded only ([Portal.Webhooks]).
	RealCalls bool
	// ClientID and ClientSecret replace the constants of the same name.
	ClientID, ClientSecret string
	// Kafka are brokers.
	Kafka string
	// GitHubURL and GitHubToken are the portal's.
	GitHubURL, GitHubToken string
	// SecretKey seals secrets.
	SecretKey string
	// DefaultUserStatus is the status of users who are created without one.
	DefaultUserStatus string
	// ListAllFields and StrictPermissions are the portal's.
	ListAllFields, StrictPermissions bool
	// AutomaticUserAccess lets everybody in who logs in.
	AutomaticUserAccess bool
	// LegacyActionRoutes, RunTimeout, AllowUnknownInputs and AutomationDepth are the
	// portal's.
	LegacyActionRoutes string
	RunTimeout         time.Duration
	AllowUnknownInputs bool
	AutomationDepth    int
	// Unchecked turns the checks of answers off, for benchmarks.
	Unchecked bool
}

// Portal is a portal under test. It is closed when the test ends.
type Portal struct {
	*portal.Portal
	ClientID, ClientSecret string

	t       testing.TB
	clock   *clock.Fake
	check   *checker
	handler http.Handler
	calls   *outgoing
	mailbox mailbox
	actors  actors

	mu       sync.Mutex
	requests []*Request
	failures []*ordered
	befores  []*ordered
	serving  sync.Once
	url      string
}

// Start starts a portal.
func Start(t testing.TB, options ...Options) *Portal {
	t.Helper()
	o := Options{}
	if len(options) > 0 {
		o = options[0]
	}
	if o.Start.IsZero() {
		o.Start = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if o.ClientID == "" {
		o.ClientID, o.ClientSecret = ClientID, ClientSecret
	}
	p := &Portal{ClientID: o.ClientID, ClientSecret: o.ClientSecret, t: t, calls: &outgoing{}}
	now := clock.Real()
	if !o.RealClock {
		p.clock = clock.NewFake(o.Start)
		now = p.clock
	}
	out := &http.Client{Transport: p.calls}
	if o.RealCalls {
		out = nil
	}
	inner, err := portal.Open(context.Background(), portal.Options{
		Kafka: o.Kafka, GitHubURL: o.GitHubURL, GitHubToken: o.GitHubToken,
		Clock: now, IDs: ident.Seeded(1), Out: out, PrivateCalls: o.RealCalls,
		Store: o.Store, DataFile: o.DataFile, DatabaseURL: o.DatabaseURL, Limits: o.Limits, Log: o.Log,
		ClientID: o.ClientID, ClientSecret: o.ClientSecret, SecretKey: o.SecretKey,
		LegacyActionRoutes: o.LegacyActionRoutes, RunTimeout: o.RunTimeout, AllowUnknownInputs: o.AllowUnknownInputs, AutomationDepth: o.AutomationDepth,
		DefaultUserStatus: o.DefaultUserStatus, ListAllFields: o.ListAllFields, StrictPermissions: o.StrictPermissions, AutomaticUserAccess: o.AutomaticUserAccess, Mail: p.mailbox.take,
	})
	if err != nil {
		t.Fatalf("portal: %v", err)
	}
	t.Cleanup(func() {
		if err := inner.Close(); err != nil {
			t.Errorf("portal: close: %v", err)
		}
	})
	p.Portal = inner
	p.handler = inner.Handler()
	if !o.Unchecked {
		p.check = newChecker(t)
	}
	if o.Seed != "" {
		p.Seed(o.Seed)
	}
	return p
}

// Handler is the portal with everything the test ordered in front of it.
func (p *Portal) Handler() http.Handler { return http.HandlerFunc(p.serve) }

// Client calls the portal without a socket, as the organization's machine. Any
// absolute URL reaches it, for example [Embedded] and a path.
func (p *Portal) Client() *http.Client { return &http.Client{Transport: p.Transport()} }

// Embedded is a base URL for [Portal.Client].
const Embedded = "http://portal.test"

// Transport is what [Portal.Client] uses; it passes through everything the test
// ordered.
func (p *Portal) Transport() http.RoundTripper { return p.TransportTo(p.Handler()) }

// URL starts a server on a free port, once, and returns its address without a
// trailing slash. Requests to it need a token.
func (p *Portal) URL() string {
	p.t.Helper()
	p.serving.Do(func() {
		l, err := portal.Listen(context.Background(), "127.0.0.1:0")
		if err != nil {
			p.t.Fatalf("portal: %v", err)
		}
		p.url = "http://" + l.Addr().String()
		p.serveOn(l, p.Handler())
	})
	return p.url
}

func (p *Portal) serveOn(l net.Listener, handler http.Handler) {
	server := portal.NewServer(context.Background(), handler, slog.New(slog.DiscardHandler))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			p.t.Errorf("portal: %v", err)
		}
	}()
	p.t.Cleanup(func() {
		if err := server.Close(); err != nil {
			p.t.Errorf("portal: %v", err)
		}
		<-done
	})
}

// Raw is [Portal.URL] for a server without the record, the orders and the checks
// of the test portal: what a benchmark measures.
func (p *Portal) Raw() string {
	p.t.Helper()
	l, err := portal.Listen(context.Background(), "127.0.0.1:0")
	if err != nil {
		p.t.Fatalf("portal: %v", err)
	}
	p.serveOn(l, p.handler)
	return "http://" + l.Addr().String()
}

// Clock is the portal's clock; nil with [Options.RealClock].
func (p *Portal) Clock() *clock.Fake { return p.clock }

// Advance moves the portal's clock.
func (p *Portal) Advance(d time.Duration) {
	p.t.Helper()
	if p.clock == nil {
		p.t.Fatal("portal: this portal runs on the real clock")
	}
	p.clock.Advance(d)
}

// Seed writes {"blueprints": [...], "entities": [...]}; see [portal.Portal.Seed].
func (p *Portal) Seed(text string) {
	p.t.Helper()
	if err := p.Portal.Seed(context.Background(), strings.NewReader(text)); err != nil {
		p.t.Fatalf("portal: %v", err)
	}
}

// Token is a fresh access token for the portal's credentials.
func (p *Portal) Token() string {
	p.t.Helper()
	answer := p.Call(http.MethodPost, "/v1/auth/access_token", jsonv.Object{"clientId": p.ClientID, "clientSecret": p.ClientSecret})
	token := jsonv.String(answer.Body, "accessToken")
	if token == "" {
		p.t.Fatalf("portal: no token: %s", answer.Text)
	}
	return token
}

// Dump is the canonical JSON of everything the portal keeps: kind, key, document.
func (p *Portal) Dump() string {
	p.t.Helper()
	all := jsonv.Object{}
	kinds := []store.Kind{
		identity.KindAccount, identity.KindTeam, identity.KindMail,
		identity.KindServer, identity.KindOrganization, identity.KindCredentials, identity.KindSecret, identity.KindNote,
		identity.KindAccount, identity.KindHolder, identity.KindLogin,
		catalog.KindBlueprint, catalog.KindEntity, catalog.KindMigration, catalog.KindTimer,
	}
	err := p.Store().View(context.Background(), func(tx store.Tx) error {
		for _, kind := range kinds {
			documents := jsonv.Object{}
			for row, err := range tx.Scan(kind, nil, store.Page{}) {
				if err != nil {
					return err
				}
				documents[string(jsonv.Encode(jsonv.FromStrings(row.Key)))] = row.Doc
			}
			all[string(kind)] = documents
		}
		return nil
	})
	if err != nil {
		p.t.Fatalf("portal: dump: %v", err)
	}
	return string(jsonv.Encode(all))
}

// Settle waits until everything is sent that the portal has to send.
func (p *Portal) Settle() { p.Portal.Settle() }

// Webhooks are the calls the portal made to the outside so far.
func (p *Portal) Webhooks() []Outgoing { return p.calls.all() }
