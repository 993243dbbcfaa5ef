package httpapi

import (
	"net/http"
	"net/netip"

	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
)

// codeAddress refuses callers from elsewhere; the reference names no code.
const codeAddress = "ip_not_allowed"

// source is the address a request comes from, "" when it is not known. Headers that
// name another one are not believed: anybody can send them.
func source(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return at.Addr().Unmap().WithZone("").String()
}

// fromAllowed refuses callers from addresses that the organization does not allow
// (reference/identity.md §1.4). Tokens are not given to them either; only the question
// whether the server lives is answered.
func (x *exchange) fromAllowed() error {
	if len(x.api.allowed) == 0 || x.route.probe {
		return nil
	}
	if _, ok := x.r.Context().Value(principalKey).(identity.Principal); ok || x.r.Context().Value(insideKey) != nil {
		return nil
	}
	if from, err := netip.ParseAddr(x.call.from); err == nil {
		for _, prefix := range x.api.allowed {
			if prefix.Contains(from) {
				return nil
			}
		}
	}
	return fault.New(http.StatusForbidden, codeAddress, "The organization %s does not allow requests from the address %s",
		x.api.identity.Org(), x.call.from)
}
