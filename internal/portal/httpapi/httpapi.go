// Package httpapi is the portal's HTTP face: one table of routes, and one adapter
// that finds the route on the escaped path, reads the body, authenticates, limits,
// opens the transaction, calls the handler and writes the envelope
// (reference/catalog.md §1, reference/identity.md §1.4). It holds no rule of the
// catalog: handlers translate query parameters into options and nothing else.
package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/actions"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/events"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
	"github.com/portlens/terraform-provider-port/internal/portal/runs"
	"github.com/portlens/terraform-provider-port/internal/portal/scim"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Options are what an [API] works with; all but Limits are needed.
type Options struct {
	Store    store.Store
	Catalog  *catalog.Catalog
	Events   *events.Log
	Identity *identity.Identity
	Clock    clock.Clock
	IDs      ident.Source
	Log      *slog.Logger
	Limits   Limits
	// Migrations may be nil: then migrations stay where they are.
	Migrations Migrations
	// AllowedFrom are the addresses that may call; none is all. Calls within the
	// process may always be made.
	AllowedFrom []netip.Prefix
	Actions     *actions.Actions
	Runs        *runs.Runs
	// Deliveries may be nil: then nothing is sent.
	Deliveries Deliveries
	// Brokers are the addresses of the message broker, none without one.
	Brokers []string
	Access  *access.Access
	// OlderActionsGone answers 410 on the older routes of actions.
	OlderActionsGone bool
}

// Migrations is told which migrations there is work for, after the transaction
// that says so.
type Migrations interface {
	// Start works on a migration that was just ordered or cancelled.
	Start(org, id string)
	// Watch sees to it that an unfinished migration gets on, wherever it was ordered.
	Watch(org, id string)
}

// API answers HTTP requests. It is safe for concurrent use.
type API struct {
	store    store.Store
	catalog  *catalog.Catalog
	events   *events.Log
	identity *identity.Identity
	scim     *scim.Server
	clock    clock.Clock
	ids      ident.Source
	log      *slog.Logger
	body     int64
	rate     *rate
	routes   *router

	migrations Migrations
	access     *access.Access
	actions    *actions.Actions
	runs       *runs.Runs
	deliveries Deliveries
	brokers    []string
	allowed    []netip.Prefix
}

// New makes the API.
func New(o Options) *API {
	o.Limits = o.Limits.orDefault()
	routes := table()
	if o.OlderActionsGone {
		routes = withoutOlder(routes)
	}
	return &API{
		store: o.Store, catalog: o.Catalog, events: o.Events, identity: o.Identity, scim: scim.New(o.Identity), clock: o.Clock, ids: o.IDs, log: o.Log,
		body: o.Limits.Body, rate: newRate(o.Clock, o.Limits), routes: newRouter(routes),
		migrations: o.Migrations, access: o.Access, actions: o.Actions, runs: o.Runs, deliveries: o.Deliveries, brokers: o.Brokers, allowed: o.AllowedFrom,
	}
}

// Call is one request on its way to a handler.
type Call struct {
	// Tx is the transaction of the route's kind; nil on routes without one.
	Tx store.Tx
	// Actor is who calls, in the words of the catalog.
	Actor catalog.Actor
	// Who is the same in the words of identity.
	Who identity.Principal
	// Body is the decoded JSON body of routes that take one.
	Body any

	// sent is the text of the body.
	sent     []byte
	api      *API
	ctx      context.Context
	params   []string
	query    url.Values
	from     string
	status   int
	rollback bool
	// draft is that of the run which a route with programs makes.
	draft *runs.Draft
	// after is called once the transaction is committed.
	after func()
}

// Trail tells an observer of the handler chain how a request was understood.
type Trail struct {
	// Route is the method and pattern that matched, "" when none did.
	Route string
	// Principal is the id of the caller, "" when nobody was recognised.
	Principal string
}

type contextKey int

const (
	trailKey contextKey = iota
	principalKey
	insideKey
	causeKey
)

// Cause is what makes a request in the same process: the run whose backend it is, and
// the origin of what is changed, "" for that of the caller.
type Cause struct{ Run, Origin string }

// Caused makes the API take the request as the doing of a run.
func Caused(ctx context.Context, c Cause) context.Context {
	return context.WithValue(ctx, causeKey, c)
}

// WithTrail makes the API note in t how it understood the request.
func WithTrail(ctx context.Context, t *Trail) context.Context {
	return context.WithValue(ctx, trailKey, t)
}

// As makes the API take the request as coming from who, without a token. Only
// code in the same process can say so.
func As(ctx context.Context, who identity.Principal) context.Context {
	return context.WithValue(ctx, principalKey, who)
}

// Inside makes the API take the request as coming from this process, whatever
// addresses are allowed; who asks is for the token to say.
func Inside(ctx context.Context) context.Context {
	return context.WithValue(ctx, insideKey, true)
}

// ServeHTTP answers one request. Nothing leaves it but a JSON object with "ok"
// (reference/catalog.md §1.1 T2).
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{api: a, w: w, r: r, trace: a.ids.Trace(), started: a.clock.Now()}
	defer x.finish()
	result, err := x.answer()
	if err != nil {
		x.fail(err)
		return
	}
	x.succeed(result)
}

// Refuse answers with f whatever the request is.
func (a *API) Refuse(w http.ResponseWriter, r *http.Request, f *fault.Fault) {
	x := &exchange{api: a, w: w, r: r, trace: a.ids.Trace(), started: a.clock.Now()}
	defer x.finish()
	x.fail(f)
}
