package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/events"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

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
	if x.route.gone {
		return fault.New(http.StatusGone, "gone", "%s is no longer served: use /v1/actions", x.route.name())
	}
	if x.route.handler == nil {
		return fault.New(http.StatusNotImplemented, "not_implemented", "%s is not implemented by this server", x.route.name())
	}
	if x.call.query, err = parseQuery(x.r.URL.RawQuery); err != nil {
		return err
	}
	if x.route.body || x.route.mayBody && len(body) > 0 {
		x.call.sent = body
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
	if may := needs[x.route.name()]; may != nil && !may(who.User, x.call.params) {
		return fault.NotPermitted("use %s", x.route.name())
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
	if cause, ok := x.r.Context().Value(causeKey).(Cause); ok {
		actor.Cause = cause.Run
		if cause.Origin != "" {
			actor.Origin, actor.Installation = cause.Origin, ""
		}
	}
	if who.User != nil {
		actor.User = who.User.Email
		actor.Rights = x.api.access.Rights(who.Org, who.User)
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
		if x.route.programs {
			err = x.rehearsed(call)
		} else {
			err = x.api.store.Update(x.call.ctx, call)
		}
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
