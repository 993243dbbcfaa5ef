// Package portal puts the reference backend together: a store, the catalog over
// it, the identity of one organization, and the HTTP API in front. A portal is
// served by any HTTP server ([Portal.Handler], [Serve]) or called without a socket
// ([Portal.Transport]). It holds no rule itself.
package portal

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/actions"
	"github.com/portlens/terraform-provider-port/internal/portal/automations"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/events"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/httpapi"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
	"github.com/portlens/terraform-provider-port/internal/portal/invoke"
	"github.com/portlens/terraform-provider-port/internal/portal/outbound"
	"github.com/portlens/terraform-provider-port/internal/portal/runs"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Limits bound what callers may send; see [httpapi.Limits].
type Limits = httpapi.Limits

// DefaultAutomationDepth is the depth of automations of a portal that is given none.
const DefaultAutomationDepth = automations.DefaultDepth

// Credentials are a client id and its secret.
type Credentials = identity.Credentials

// Options decide what a portal is made of. The zero value is a portal in memory
// with the machine's clock, secure identifiers, and no log.
type Options struct {
	Clock clock.Clock
	IDs   ident.Source
	// Out makes outgoing calls: webhooks and invocations. Without it they are made
	// with care (see [outbound]), to private addresses only with PrivateCalls.
	Out          *http.Client
	PrivateCalls bool
	// PublicURL is where people and programs reach the portal, such as
	// "https://portal.example.com": calls to it stay inside, and links in
	// notifications lead there. Without it they lead to Port's own pages.
	PublicURL string
	// AzureURL is the root of Azure DevOps; "" is https://dev.azure.com.
	AzureURL string
	// GitHubURL is the root of GitHub's API, "" is https://api.github.com; whatever its
	// address is, it may be called, but for link-local ones. GitHubToken is what the
	// portal dispatches workflows with there and asks about them; without it there is
	// no GitHub.
	GitHubURL, GitHubToken string
	// Kafka are the brokers that messages go to, "host:port" separated by commas; ""
	// is none: then logs tell of what could not be sent.
	Kafka string
	// Version is told to those who are called.
	Version string
	// Store keeps the documents and stays the caller's to close; nil opens
	// DataFile (SQLite) or DatabaseURL (PostgreSQL), of which one may be given, or
	// memory.
	Store       store.Store
	DataFile    string
	DatabaseURL string
	Limits      Limits
	// AllowedFrom are the addresses that requests may come from; none is all.
	AllowedFrom []netip.Prefix
	// Seed is JSON of the form {"blueprints": [...], "entities": [...]}, written
	// when the portal starts; what exists already is overridden.
	Seed io.Reader
	Log  *slog.Logger
	// ClientID and ClientSecret are given to the organization at the first start;
	// without them a pair is made up (see [Portal.Announce]).
	ClientID, ClientSecret string
	// SecretKey is what the secrets of the organization are sealed with. Without it
	// a portal with a DataFile keeps a key in a file beside it, named as the data
	// file and ".key".
	SecretKey string
	// DefaultUserStatus is the status of users who are created without one:
	// "Disabled", which is also what "" stands for, or "Staged".
	DefaultUserStatus string
	// ListAllFields and StrictPermissions are about the permission documents of
	// blueprints; see [access.Deps].
	ListAllFields, StrictPermissions bool
	// LegacyActionRoutes says what becomes of the routes of a blueprint's actions
	// (reference/actions.md §9.1): "served", which is also what "" stands for, or
	// "gone".
	LegacyActionRoutes string
	// AutomaticUserAccess lets everybody in who logs in with the organization's
	// identity provider ([Portal.Login]), as a Member; without it users have to be there
	// before.
	AutomaticUserAccess bool
	// RunTimeout fails runs that have been in progress, or have waited for their
	// approval, for so long; 0 lets them go on for ever (reference/actions.md §4.4).
	RunTimeout time.Duration
	// AllowUnknownInputs accepts runs with values that are no inputs of the action
	// (reference/actions.md §2.5).
	AllowUnknownInputs bool
	// AutomationDepth is how long a chain of events and automations may become before
	// it is stopped; 0 is [DefaultAutomationDepth].
	AutomationDepth int
	// Mail sends mail, each at least once; nil writes a line to Log instead. It is
	// called between a change and the answer to it.
	Mail func(context.Context, Mail) error

	// look is [timers.look].
	look time.Duration
}

// Portal is a running reference backend.
type Portal struct {
	store    store.Store
	ownStore bool
	catalog  *catalog.Catalog
	access   *access.Access
	identity *identity.Identity
	actions  *actions.Actions
	runs     *runs.Runs
	api      *httpapi.API
	// migrations and timers are nil until the portal is put together.
	migrations *migrations
	timers     *timers
	// timeouts is nil without a timeout of runs.
	timeouts   *timers
	deliveries *deliveries
	// kafka is nil without brokers.
	kafka     *invoke.Kafka
	automator *automator
	out       *http.Client
	// ownOut says that nobody else has given out.
	ownOut bool
	held   holding

	mu     sync.Mutex
	closed bool
	calls  sync.WaitGroup
}

// New starts a portal.
func New(o Options) (*Portal, error) { return Open(context.Background(), o) }

// Open is [New] with a context for opening and seeding the store.
func Open(ctx context.Context, o Options) (*Portal, error) {
	if o.Clock == nil {
		o.Clock = clock.Real()
		if o.DatabaseURL != "" {
			o.look = timerLook
		}
	}
	if o.IDs == nil {
		o.IDs = ident.Random()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Mail == nil {
		o.Mail = logged(o.Log)
	}
	ownOut := o.Out == nil
	if ownOut {
		o.Out = &http.Client{Transport: outbound.Transport(outbound.Limits{Private: o.PrivateCalls})}
	}
	p := &Portal{store: o.Store, ownStore: o.Store == nil, out: o.Out, ownOut: ownOut}
	if p.ownStore {
		s, err := openStore(ctx, o)
		if err != nil {
			return nil, err
		}
		p.store = s
	}
	if err := p.connect(o.Kafka); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	if err := p.assemble(ctx, o); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func openStore(ctx context.Context, o Options) (store.Store, error) {
	switch {
	case o.DataFile != "" && o.DatabaseURL != "":
		return nil, errors.New("a portal keeps its data in a file or in a database, not in both")
	case o.DatabaseURL != "":
		return store.OpenPostgres(ctx, o.DatabaseURL, store.PostgresOptions{Indexes: Indexes(), IndexVersion: indexVersion})
	case o.DataFile != "":
		private(o.DataFile)
		return store.OpenSQLite(ctx, o.DataFile, store.SQLiteOptions{Indexes: Indexes(), IndexVersion: indexVersion})
	}
	return store.NewMemory(Indexes()), nil
}

// indexVersion changes whenever [Indexes] computes other entries.
const indexVersion = "9"

// Indexes are what a portal needs a store to index.
func Indexes() store.Indexes {
	all := catalog.Indexes()
	maps.Copy(all, identity.Indexes())
	maps.Copy(all, actions.Indexes())
	maps.Copy(all, runs.Indexes())
	maps.Copy(all, events.Indexes())
	return all
}

// private makes a data file that does not exist yet, for its owner only: it holds
// the key that signs tokens. What stands in the way is for the store to say.
func private(file string) {
	if f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err == nil {
		_ = f.Close()
	}
}

func (p *Portal) assemble(ctx context.Context, o Options) (err error) {
	key, err := secretKey(o)
	if err != nil {
		return err
	}
	p.identity, err = identity.Open(ctx, identity.Options{
		Store: p.store, Clock: o.Clock, IDs: o.IDs, Key: key,
		FailedLogins:      o.Limits.FailedLogins,
		Given:             identity.Credentials{ClientID: o.ClientID, ClientSecret: o.ClientSecret},
		InitialUserStatus: o.DefaultUserStatus, AutomaticAccess: o.AutomaticUserAccess,
	})
	if err != nil {
		return err
	}
	mail := &posting{Store: p.store, identity: p.identity, send: o.Mail, log: o.Log}
	reacting := &reacting{Store: mail}
	p.store = reacting
	log, err := events.Open(ctx, events.Options{Store: p.store, Clock: o.Clock, IDs: o.IDs, Org: p.identity.Org()})
	if err != nil {
		return err
	}
	p.timers = &timers{store: p.store, clock: o.Clock, log: o.Log, org: p.identity.Org(), look: o.look}
	timeouts := &timers{store: p.store, clock: o.Clock, log: o.Log, org: p.identity.Org(), look: o.look}
	p.access = access.New(access.Deps{Clock: o.Clock, IDs: o.IDs, ListAllFields: o.ListAllFields, Strict: o.StrictPermissions})
	reactions := automations.New(automations.Deps{Clock: o.Clock, IDs: o.IDs, Log: log, Machine: p.identity.Machine().ID, Depth: o.AutomationDepth})
	p.actions = actions.New(actions.Deps{Clock: o.Clock, IDs: o.IDs, Access: p.access, Recorder: reactions})
	p.runs = runs.New(runs.Deps{
		Clock: o.Clock, IDs: o.IDs, Access: p.access, People: people{p}, Vault: vault{p}, Recorder: reactions,
		Portal: o.IDs.Alphanumeric(16), PageURL: cmp.Or(strings.TrimSuffix(o.PublicURL, "/"), portPages),
		Streamer: p.identity.Streamer, Broker: p.kafka != nil,
		Timeout: o.RunTimeout, Wake: timeouts.wake, AllowUnknownInputs: o.AllowUnknownInputs, Depth: cmp.Or(o.AutomationDepth, DefaultAutomationDepth),
		Mail: func(tx store.Tx, to, subject, text string) error {
			return p.identity.Post(tx, to, mailApproval, subject, text)
		},
	})
	p.catalog = catalog.New(catalog.Deps{
		Clock: o.Clock, IDs: o.IDs, Recorder: reactions, Accounts: p.identity, Runs: p.runs, Actions: p.actions, Follower: p.access, Wake: p.timers.wake,
	})
	p.runs.Join(p.catalog, p.actions)
	reactions.Join(p.actions, p.runs)
	p.access.Join(p.catalog, p.identity)
	p.identity.Serve(p.catalog, p.access)
	p.timers.due, timeouts.due = p.catalog.ExpireTimers, p.runs.Expire
	p.migrations = &migrations{store: p.store, catalog: p.catalog, clock: o.Clock, log: o.Log, jobs: map[string]*migrationJob{}}
	hub, err := p.github(o)
	if err != nil {
		return err
	}
	p.deliveries = (&deliveries{
		store: p.store, runs: p.runs, outbox: p.runs.Outbox(p.identity.Org()), clock: o.Clock, log: o.Log, org: p.identity.Org(), secret: p.identity.ClientSecret,
		sender: invoke.New(invoke.Options{
			Clock: o.Clock, HTTP: outbound.New(p.out.Transport, outbound.Limits{Private: o.PrivateCalls}), Hosts: hostsOf(o.PublicURL),
			Self: selfCalls{transport{handler: p.Handler(), portal: p}}, Asked: selfCalls{transport{handler: p.Handler(), portal: p, token: true}},
			Azure: o.AzureURL, Version: cmp.Or(o.Version, "dev"), Org: p.identity.Org(), Messages: messages(p.kafka),
			GitHub: hub, Note: p.note, Rivals: p.rivals,
		}),
	}).ready()
	p.automator = (&automator{
		store: p.store, automations: reactions, deliveries: p.deliveries, clock: o.Clock, log: o.Log, org: p.identity.Org(), watch: o.look,
	}).ready()
	reacting.written, reacting.wake = reactions.Written, p.automator.wake
	p.api = httpapi.New(httpapi.Options{
		Store: p.store, Catalog: p.catalog, Events: log, Identity: p.identity,
		Clock: o.Clock, IDs: o.IDs, Log: o.Log, Limits: o.Limits, Migrations: p.migrations,
		Access: p.access, Actions: p.actions, Runs: p.runs, Deliveries: p.deliveries, Brokers: p.brokers(), AllowedFrom: o.AllowedFrom,
		OlderActionsGone: o.LegacyActionRoutes == "gone",
	})
	if o.Seed != nil {
		if err := p.Seed(ctx, o.Seed); err != nil {
			return err
		}
	}
	if err := p.identity.FindMail(ctx); err != nil {
		return err
	}
	mail.post(ctx)
	p.timers.begin()
	if o.RunTimeout > 0 {
		p.timeouts = timeouts
		if err := p.watchRuns(ctx); err != nil {
			return err
		}
		p.timeouts.begin()
	}
	if err := p.inherit(ctx, o); err != nil {
		return err
	}
	if p.kafka != nil {
		p.kafka.Prepare(o.Log, invoke.Topics(p.identity.Org())...)
	}
	p.deliveries.begin()
	p.automator.begin()
	return p.migrations.resume(ctx, p.identity.Org())
}

// watchRuns lets the timeout apply to the runs of before.
func (p *Portal) watchRuns(ctx context.Context) error {
	for more := true; more; {
		err := p.store.Update(ctx, func(tx store.Tx) (err error) {
			more, err = p.runs.Watch(tx, p.identity.Org())
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// portPages is where Port's own pages are.
const portPages = "https://app.getport.io"

// hostsOf is the host of a URL, if there is one.
func hostsOf(public string) []string {
	if u, err := url.Parse(public); err == nil && u.Host != "" {
		return []string{strings.ToLower(u.Host)}
	}
	return nil
}

// ErrClosed is what a closed portal answers with.
var ErrClosed = errors.New("the portal is closed")

// Handler answers HTTP requests for as long as the portal is open.
func (p *Portal) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !p.enter() {
			p.api.Refuse(w, r, fault.New(http.StatusServiceUnavailable, "unavailable", "The server is shutting down"))
			return
		}
		defer p.calls.Done()
		p.api.ServeHTTP(w, r)
	})
}

// enter reports whether a call may begin; it ends with calls.Done.
func (p *Portal) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.calls.Add(1)
	return true
}

// Transport carries requests to the portal without a socket, as the
// organization's machine principal and without credentials: what a request says
// in Authorization is not looked at. Scheme and host of its URL do not matter.
func (p *Portal) Transport() http.RoundTripper { return p.TransportTo(p.Handler()) }

// TransportTo is [Portal.Transport] by way of a handler that wraps the portal's own.
func (p *Portal) TransportTo(h http.Handler) http.RoundTripper {
	return transport{handler: h, portal: p}
}

// Refuse answers a request with a fault as if the API had found it, for test
// portals that make requests fail.
func (p *Portal) Refuse(w http.ResponseWriter, r *http.Request, f *fault.Fault) {
	p.api.Refuse(w, r, f)
}

// Store is where the portal keeps its documents, for tests that look at all of them.
func (p *Portal) Store() store.Store { return p.store }

// Credentials returns the organization's machine credentials.
func (p *Portal) Credentials(ctx context.Context) (Credentials, error) {
	return p.identity.Credentials(ctx)
}

// Announce returns the machine credentials that were made up at the first start,
// once over the life of the data file, for printing.
func (p *Portal) Announce(ctx context.Context) (Credentials, bool, error) {
	return p.identity.Announce(ctx)
}

// Accepts reports whether credentials are exchanged for a token.
func (p *Portal) Accepts(ctx context.Context, c Credentials) (bool, error) {
	return p.identity.Accepts(ctx, c)
}

// Login lets somebody in as the organization's identity provider would and returns an
// access token such as a browser gets. There is no such provider here: it is for tests
// and for programs that play one.
func (p *Portal) Login(ctx context.Context, l identity.Login) (token string, err error) {
	return p.identity.Login(ctx, l)
}

// Organization is the id of the portal's organization.
func (p *Portal) Organization() string { return p.identity.Org() }

// Close waits for requests in flight and releases the store if the portal opened
// it. Deliveries come first: one that asks the portal itself must not find it closed.
func (p *Portal) Close() error {
	if p.deliveries != nil {
		p.deliveries.close()
	}
	p.mu.Lock()
	was := p.closed
	p.closed = true
	p.mu.Unlock()
	p.calls.Wait()
	if p.migrations != nil {
		p.migrations.close()
	}
	if p.timers != nil {
		p.timers.close()
	}
	if p.timeouts != nil {
		p.timeouts.close()
	}
	if p.automator != nil {
		p.automator.close()
	}
	p.held.release()
	if p.kafka != nil && !was {
		p.kafka.Close()
	}
	if was || !p.ownStore || p.store == nil {
		return nil
	}
	return p.store.Close()
}
