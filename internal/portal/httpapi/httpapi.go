// Package httpapi is the portal's HTTP face: one table of routes, and one adapter
// that finds the route on the escaped path, reads the body, authenticates, limits,
// opens the transaction, calls the handler and writes the envelope
// (reference/catalog.md §1, reference/identity.md §1.4). It holds no rule of the
// catalog: handlers translate query parameters into options and nothing else.
package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/events"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
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
	// Actions tells what actions callers may execute; it may be nil.
	Actions Actions
	// Access may be nil: then everybody may do with entities and blueprints what
	// they like.
	Access Access
}

// Access says what callers may do.
type Access interface {
	// Rights are what a user may do with blueprints and entities, nil when that is
	// everything.
	Rights(org string, u *access.User) catalog.Rights
}

// Actions says which actions callers may execute.
type Actions interface {
	// Scopes are the strings that tell so in GET /v1/auth/permissions
	// (reference/identity.md §1.8).
	Scopes(tx store.Tx, who identity.Principal) ([]string, error)
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
	clock    clock.Clock
	ids      ident.Source
	log      *slog.Logger
	body     int64
	rate     *rate
	routes   *router

	migrations Migrations
	access     Access
	actions    Actions
	allowed    []netip.Prefix
}

// New makes the API.
func New(o Options) *API {
	o.Limits = o.Limits.orDefault()
	return &API{
		store: o.Store, catalog: o.Catalog, events: o.Events, identity: o.Identity, clock: o.Clock, ids: o.IDs, log: o.Log,
		body: o.Limits.Body, rate: newRate(o.Clock, o.Limits), routes: newRouter(table()),
		migrations: o.Migrations, access: o.Access, actions: o.Actions, allowed: o.AllowedFrom,
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

	api      *API
	ctx      context.Context
	params   []string
	query    url.Values
	from     string
	status   int
	rollback bool
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
)

// WithTrail makes the API note in t how it understood the request.
func WithTrail(ctx context.Context, t *Trail) context.Context {
	return context.WithValue(ctx, trailKey, t)
}

// As makes the API take the request as coming from who, without a token. Only
// code in the same process can say so.
func As(ctx context.Context, who identity.Principal) context.Context {
	return context.WithValue(ctx, principalKey, who)
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

// exchange is one request and its answer.
type exchange struct {
	api     *API
	w       http.ResponseWriter
	r       *http.Request
	trace   string
	started time.Time
	route   *route
	call    Call
	status  int
	size    int
	failure error
}

// answer evaluates in the order of reference/identity.md §1.4.
func (x *exchange) answer() (any, error) {
	a, r := x.api, x.r
	body, err := a.readBody(x.w, r)
	if err != nil {
		return nil, err
	}
	path := r.URL.EscapedPath()
	if r.Method == http.MethodOptions {
		return x.options(path)
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	route, params := a.routes.find(method, path)
	if route == nil {
		return nil, fault.New(http.StatusNotFound, "not_found", "Route %s %s was not found", r.Method, path)
	}
	x.route = route
	x.call = Call{api: a, ctx: r.Context(), params: params, from: source(r)}
	if err := x.fromAllowed(); err != nil {
		return nil, err
	}
	claims, err := x.authenticate()
	if err != nil {
		return nil, err
	}
	asked := x.prepare(body)
	admit := func(tx store.Tx) (err error) {
		if claims != nil {
			x.call.Who, err = a.identity.Check(tx, *claims)
		}
		if err != nil {
			return err
		}
		x.act()
		return x.admit(asked)
	}
	if route.tx == reads {
		// The snapshot of what is asked for is that of who asks: it spares a
		// transaction.
		return x.run(admit)
	}
	if claims == nil {
		err = admit(nil)
	} else {
		err = a.store.View(r.Context(), admit)
	}
	if err != nil {
		return nil, err
	}
	result, err := x.run(nil)
	if err != nil {
		x.recordRefusal(err)
	}
	return result, err
}

// prepare reads the query and the body. What is wrong with them is told only to
// those who may use the route at all (reference/identity.md §1.4).
func (x *exchange) prepare(body []byte) (err error) {
	if x.route.handler == nil {
		return fault.New(http.StatusNotImplemented, "not_implemented", "%s is not implemented by this server", x.route.name())
	}
	if x.call.query, err = parseQuery(x.r.URL.RawQuery); err != nil {
		return err
	}
	if x.route.body || x.route.mayBody && len(body) > 0 {
		x.call.Body, err = decodeBody(body)
	}
	return err
}

// admit lets a recognised caller through to the handler, unless they have called
// too often, lack the scope of the route, or have asked for what makes no sense.
func (x *exchange) admit(asked error) error {
	if err := x.api.rate.admit(x.call.Who, x.route); err != nil {
		return err
	}
	who, scope := x.call.Who, x.route.scope
	if own := x.route.own && who.IsUser(x.call.params[0]); !own && !who.User.Holds(scope) {
		return fault.New(http.StatusForbidden, "insufficient_scope", "%s needs the scope %s", x.route.name(), scope).
			With("missingScopes", []any{string(scope)})
	}
	return asked
}

// authenticate reads the token of the caller; without claims there is none to be
// asked about.
func (x *exchange) authenticate() (*identity.Claims, error) {
	if x.route.open {
		return nil, nil
	}
	if who, ok := x.r.Context().Value(principalKey).(identity.Principal); ok {
		x.call.Who = who
		return nil, nil
	}
	claims, err := x.api.identity.Parse(x.r.Header.Get("Authorization"))
	if err != nil {
		return nil, err
	}
	return &claims, nil
}

// act says in the words of the catalog who calls.
func (x *exchange) act() {
	who, agent := x.call.Who, x.r.UserAgent()
	actor := catalog.Actor{Org: who.Org, ID: who.ID, UserAgent: agent}
	actor.Origin, actor.Installation = events.OriginOf(agent)
	if who.Login {
		actor.Origin, actor.Installation = originUI, ""
	}
	if who.User != nil {
		actor.User = who.User.Email
		if x.api.access != nil {
			actor.Rights = x.api.access.Rights(who.Org, who.User)
		}
	}
	x.call.Actor = actor
}

// originUI is what people do in a browser (reference/identity.md §8.6).
const originUI = "UI"

// errRollback ends a transaction whose writes must not stay.
var errRollback = errors.New("validated only")

// run calls the handler in the transaction of the route, after what comes first in it.
func (x *exchange) run(first func(store.Tx) error) (result any, err error) {
	call := func(tx store.Tx) (err error) {
		if first != nil {
			if err := first(tx); err != nil {
				return err
			}
		}
		c := x.call // a retried transaction starts from the same call
		c.Tx = tx
		result, err = x.route.handler(&c)
		x.status, x.call.after = c.status, c.after
		if err == nil && c.rollback {
			return errRollback
		}
		return err
	}
	switch x.route.tx {
	case reads:
		err = x.api.store.View(x.call.ctx, call)
	case writes:
		err = x.api.store.Update(x.call.ctx, call)
	default:
		err = call(nil)
	}
	if errors.Is(err, errRollback) {
		err = nil
	} else if err == nil && x.call.after != nil {
		x.call.after()
	}
	return result, err
}

// options answers CORS preflights and the curious.
func (x *exchange) options(path string) (any, error) {
	methods := x.api.routes.methods(path)
	if len(methods) == 0 {
		return nil, fault.New(http.StatusNotFound, "not_found", "Route %s %s was not found", x.r.Method, path)
	}
	allowed := strings.Join(methods, ", ")
	x.w.Header().Set("Allow", allowed)
	x.w.Header().Set("Access-Control-Allow-Methods", allowed)
	x.w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept, X-Port-Reserved-Usage, X-Skip-Resync")
	x.w.Header().Set("Access-Control-Max-Age", "600")
	return jsonv.Object{}, nil
}

// finish contains a panic and writes the log line.
func (x *exchange) finish() {
	if p := recover(); p != nil {
		x.api.log.Error("panic", "trace", x.trace, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		x.fail(fmt.Errorf("panic: %v", p))
	}
	pattern := ""
	if x.route != nil {
		pattern = x.route.name()
	}
	if t, ok := x.r.Context().Value(trailKey).(*Trail); ok {
		t.Route, t.Principal = pattern, x.call.Who.ID
	}
	// What went well is told only to those who ask for it: a line costs about as
	// much as a read.
	level := slog.LevelDebug
	switch {
	case x.failure == nil:
	case x.status >= http.StatusInternalServerError && x.status != http.StatusNotImplemented:
		level = slog.LevelError
	default:
		level = slog.LevelInfo
	}
	if !x.api.log.Enabled(x.r.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", x.r.Method), slog.String("path", x.r.URL.EscapedPath()), slog.String("route", pattern),
		slog.Int("status", x.status), slog.Int("bytes", x.size), slog.Duration("took", x.api.clock.Now().Sub(x.started)),
		slog.String("principal", x.call.Who.ID), slog.String("trace", x.trace),
	}
	if x.failure != nil {
		attrs = append(attrs, slog.String("error", x.failure.Error()))
	}
	x.api.log.LogAttrs(context.WithoutCancel(x.r.Context()), level, "request", attrs...)
}
