// Package outbound makes the calls that leave the portal: webhooks and invocations.
// Whoever may write an action chooses where these go, so they are safe by default:
// addresses of cloud metadata services are never dialled, those of the machine and
// of private networks only when allowed, redirects are not followed, and time and
// size are bounded. The address is checked when it is dialled, after its name was
// resolved, so a name that points elsewhere the second time gains nothing.
package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Limits bound calls. The zero value is right for a portal that others can reach.
type Limits struct {
	// Private allows loopback and private addresses.
	Private bool
	// Timeout bounds a call from the dialling to the last byte; it defaults to 30
	// seconds (reference/actions.md §3.2).
	Timeout time.Duration
	// Body is the most that is read of an answer, in bytes; it defaults to 1 MiB.
	Body int64
	// PerHost is the most calls to one host at a time; it defaults to 16.
	PerHost int
	// Wait is the longest that a call waits for its turn; it defaults to 5 seconds.
	Wait time.Duration
	// Waiting is how many calls wait for their turn at one host; it defaults to 64.
	// Others are told at once that it is busy.
	Waiting int
}

func (l Limits) orDefault() Limits {
	if l.Timeout <= 0 {
		l.Timeout = 30 * time.Second
	}
	if l.Body <= 0 {
		l.Body = 1 << 20
	}
	if l.PerHost <= 0 {
		l.PerHost = 16
	}
	if l.Wait <= 0 {
		l.Wait = 5 * time.Second
	}
	if l.Waiting <= 0 {
		l.Waiting = 64
	}
	return l
}

// ErrRefused says that an address must not be called.
var ErrRefused = errors.New("this address must not be called by the portal")

// ErrBusy says that a call was not made: others to the same host went on for too long.
var ErrBusy = errors.New("too many calls to this host are under way")

// Transport is an [http.RoundTripper] that keeps to the limits of addresses. It
// takes no proxy from the environment: what a proxy connects to cannot be checked.
func Transport(l Limits) *http.Transport { return transport(l, nil) }

func transport(l Limits, names *net.Resolver) *http.Transport {
	l = l.orDefault()
	dialer := &net.Dialer{Timeout: l.Timeout, Resolver: names, Control: func(_, address string, _ syscall.RawConn) error {
		return check(address, l.Private)
	}}
	return &http.Transport{
		DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: l.Timeout,
		MaxIdleConns: 128, MaxIdleConnsPerHost: l.PerHost, IdleConnTimeout: 90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// metadata are addresses at which clouds hand out credentials. The link-local ones
// are refused as such.
var metadata = []netip.Addr{
	netip.MustParseAddr("fd20:ce::254"),    // Google Cloud
	netip.MustParseAddr("100.100.100.200"), // Alibaba Cloud
	netip.MustParseAddr("192.0.0.192"),     // Oracle Cloud
	netip.MustParseAddr("168.63.129.16"),   // Azure
}

// Ranges that reach an IPv4 address by another spelling.
var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96")
	sixTo4 = netip.MustParsePrefix("2002::/16")
)

// never are ranges that are no place to call, whatever is allowed: the services of
// clouds for their own machines, what may translate to an IPv4 address that cannot be
// told, and what is reserved.
var never = prefixes("0.0.0.0/8", "240.0.0.0/4", "fd00:ec2::/32", "::/96", "64:ff9b:1::/48", "2001::/32", "::ffff:0:0:0/96")

// near are ranges of private networks beside those that [netip.Addr.IsPrivate] knows.
var near = prefixes("100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "fec0::/10")

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for n, text := range list {
		out[n] = netip.MustParsePrefix(text)
	}
	return out
}

func within(list []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}

// check refuses "address:port" unless it may be dialled.
func check(address string, private bool) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %q is no address", ErrRefused, address)
	}
	return checkAddr(at.Addr(), private)
}

func checkAddr(a netip.Addr, private bool) error {
	a = a.WithZone("").Unmap()
	switch {
	case nat64.Contains(a):
		b := a.As16()
		return checkAddr(netip.AddrFrom4([4]byte(b[12:])), private)
	case sixTo4.Contains(a):
		b := a.As16()
		return checkAddr(netip.AddrFrom4([4]byte(b[2:6])), private)
	case slices.Contains(metadata, a):
		return fmt.Errorf("%w: %s is a metadata service", ErrRefused, a)
	case a.IsLinkLocalUnicast(), a.IsMulticast(), a.IsUnspecified(), !a.IsLoopback() && within(never, a):
		return fmt.Errorf("%w: %s is link-local, multicast, reserved or no address of its own", ErrRefused, a)
	}
	if !private && (a.IsLoopback() || a.IsPrivate() || within(near, a)) {
		return fmt.Errorf("%w: %s is private; a portal calls private addresses when it listens on loopback, or with --allow-private-calls", ErrRefused, a)
	}
	return nil
}

// Client makes calls. It is safe for concurrent use.
type Client struct {
	http   *http.Client
	limits Limits
	mu     sync.Mutex
	hosts  map[string]*host
}

// host counts who uses or waits for the slots of a host, so that hosts nobody
// calls any more are forgotten.
type host struct {
	slots chan struct{}
	users int
}

// New makes a client that calls by way of a transport.
func New(via http.RoundTripper, l Limits) *Client {
	l = l.orDefault()
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{http: &http.Client{Transport: via, CheckRedirect: stay}, limits: l, hosts: map[string]*host{}}
}

// Answer is what a host said. Body is cut, and Cut set, where it exceeds the limit.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Cut    bool
}

// Do makes a call, in its turn among those to the same host. An answer of any
// status is no error.
func (c *Client) Do(ctx context.Context, r *http.Request) (Answer, error) {
	leave, err := c.enter(ctx, hostOf(r.URL))
	if err != nil {
		return Answer{}, err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, c.limits.Timeout)
	defer cancel()
	answer, err := c.http.Do(r.WithContext(ctx))
	if err != nil {
		return Answer{}, err
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, c.limits.Body+1))
	if closed := answer.Body.Close(); err == nil {
		err = closed
	}
	cut := int64(len(body)) > c.limits.Body
	if cut {
		body = body[:c.limits.Body]
	}
	return Answer{answer.StatusCode, answer.Header, body, cut}, err
}

// hostOf is a host by one name, however it is spelled.
func hostOf(u *url.URL) string {
	port := u.Port()
	if port == "" && u.Scheme == "http" {
		port = "80"
	} else if port == "" {
		port = "443"
	}
	return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".") + ":" + port
}

// enter waits for a slot of a host.
func (c *Client) enter(ctx context.Context, name string) (leave func(), err error) {
	c.mu.Lock()
	h := c.hosts[name]
	if h == nil {
		h = &host{slots: make(chan struct{}, c.limits.PerHost)}
		c.hosts[name] = h
	}
	if h.users >= c.limits.PerHost+c.limits.Waiting {
		c.mu.Unlock()
		return nil, ErrBusy
	}
	h.users++
	c.mu.Unlock()
	gone := func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if h.users--; h.users == 0 {
			delete(c.hosts, name)
		}
	}
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots; gone() }, nil
	default:
	}
	patience, cancel := context.WithTimeout(ctx, c.limits.Wait)
	defer cancel()
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots; gone() }, nil
	case <-patience.Done():
		gone()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return nil, ErrBusy
	}
}
