package httpapi

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/portal/access"
)

// kind says which transaction a handler runs in.
type kind int

const (
	none   kind = iota // the handler needs no transaction or opens its own
	reads              // one snapshot
	writes             // a serializable transaction, possibly run several times
)

// route is one row of the table.
type route struct {
	method  string
	pattern string
	tx      kind
	// body: the request carries JSON; mayBody: it may.
	body    bool
	mayBody bool
	// programs: the handler runs programs that callers wrote; see [exchange.rehearsed].
	programs bool
	// open: no token is needed.
	open bool
	// probe: it is answered wherever it comes from.
	probe bool
	// scope is what callers must have for the route as a whole; own: they need not
	// when the first parameter is their own e-mail address.
	scope access.Scope
	own   bool
	// scim: the identity provider asks, and answers are as its protocol wants them.
	scim bool
	// older: it can be switched off, and is then gone.
	older, gone bool
	// handler is nil for a route of the API that is not built yet.
	handler func(*Call) (any, error)

	segments []string
}

func (r *route) name() string { return r.method + " " + r.pattern }

func isParam(segment string) bool { return strings.HasPrefix(segment, "{") }

// match returns the values of the parameters, or false.
func (r *route) match(path []string) ([]string, bool) {
	var params []string
	for i, segment := range r.segments {
		switch {
		case isParam(segment):
			if path[i] == "" {
				return nil, false
			}
			params = append(params, path[i])
		case segment != path[i]:
			return nil, false
		}
	}
	return params, true
}

// router finds routes by their number of segments; among candidates the one with
// the leftmost literal wins, so that "system" and "entities" can be both parts of
// paths and names of blueprints (reference/catalog.md §2.2 "Routing trap").
type router struct{ byLength map[int][]*route }

func newRouter(routes []route) *router {
	r := &router{byLength: map[int][]*route{}}
	for i := range routes {
		route := &routes[i]
		route.segments = strings.Split(strings.TrimPrefix(route.pattern, "/"), "/")
		n := len(route.segments)
		r.byLength[n] = append(r.byLength[n], route)
	}
	for _, list := range r.byLength {
		slices.SortStableFunc(list, literalFirst)
	}
	return r
}

func literalFirst(a, b *route) int {
	for i := range a.segments {
		if pa, pb := isParam(a.segments[i]), isParam(b.segments[i]); pa != pb {
			if pb {
				return -1
			}
			return 1
		}
	}
	return cmp.Compare(a.pattern, b.pattern)
}

func (r *router) find(method, escaped string) (*route, []string) {
	path := split(escaped)
	for _, route := range r.byLength[len(path)] {
		if route.method != method {
			continue
		}
		if params, ok := route.match(path); ok {
			return route, params
		}
	}
	return nil, nil
}

// methods lists what a path answers to.
func (r *router) methods(escaped string) []string {
	path := split(escaped)
	var out []string
	for _, route := range r.byLength[len(path)] {
		if _, ok := route.match(path); ok && !slices.Contains(out, route.method) {
			out = append(out, route.method)
		}
	}
	if slices.Contains(out, http.MethodGet) {
		out = append(out, http.MethodHead)
	}
	if len(out) > 0 {
		out = append(out, http.MethodOptions)
	}
	slices.Sort(out)
	return out
}

// split cuts the escaped path and decodes each segment once: an identifier may
// hold a slash, sent as %2F (reference/catalog.md §1.3 P1–P6). Several leading
// slashes count as one and one trailing slash as none; nothing else is cleaned.
func split(escaped string) []string {
	escaped = strings.TrimLeft(escaped, "/")
	escaped = strings.TrimSuffix(escaped, "/")
	path := strings.Split(escaped, "/")
	for i, segment := range path {
		if decoded, err := url.PathUnescape(segment); err == nil {
			path[i] = decoded
		}
	}
	return path
}
