package outbound

import (
	"net"
	"net/http"
)

// TransportWith is [Transport] with names of the test's own.
func TransportWith(l Limits, names *net.Resolver) *http.Transport { return transport(l, names) }
