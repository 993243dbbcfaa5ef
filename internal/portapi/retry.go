package portapi

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

const (
	backoffFirst = 100 * time.Millisecond
	backoffMost  = 2 * time.Second
	// longestWait caps what a server can make a client sleep at once.
	longestWait = 5 * time.Minute
)

// retry says whether attempt n (from 1) is to be followed by another, and how
// long to wait before it. The rules are those of reference/provider-catalog.md
// §2.3 with its "Do better".
func (c *Client) retry(k *call, n int, out outcome) (time.Duration, bool) {
	if n >= c.opts.Attempts {
		return 0, false
	}
	asked, hasAfter := retryAfter(out.header, c.clock.Now())
	var again bool
	switch out.status {
	case 0:
		again = !permanent(out.err) && (k.repeatable() || neverSent(out.err))
	case http.StatusTooManyRequests:
		again = true // answered before anything is done
	case http.StatusServiceUnavailable:
		again = hasAfter || k.repeatable()
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		again = k.repeatable()
	}
	if !again && c.scopes.settling(k.Op, c.clock.Now()) {
		again = out.status == http.StatusNotFound || out.status == http.StatusConflict || out.status >= 500
	}
	if !again {
		return 0, false
	}
	pause := c.backoff(n)
	if hasAfter {
		pause = max(pause, asked+time.Duration(float64(asked)*c.opts.jitter()/10))
	}
	return min(pause, longestWait), true
}

// backoff is a random time in [t/2, t) for a t that doubles, at least 100 ms.
func (c *Client) backoff(n int) time.Duration {
	t := backoffMost
	if n < 6 {
		t = min(t, backoffFirst<<(n-1))
	}
	return max(backoffFirst, t/2+time.Duration(c.opts.jitter()*float64(t/2)))
}

// retryAfter reads the header in either form: seconds or a date.
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	s := strings.TrimSpace(h.Get("Retry-After"))
	if s == "" {
		return 0, false
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		if n < 0 || n != n {
			return 0, false
		}
		return time.Duration(min(n, longestWait.Seconds()) * float64(time.Second)), true
	}
	at, err := http.ParseTime(s)
	if err != nil {
		if at, err = time.Parse(time.RFC3339, s); err != nil {
			return 0, false
		}
	}
	return min(max(0, at.Sub(now)), longestWait), true
}

// permanent reports errors that no repetition heals.
func permanent(err error) bool {
	var verification *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	return errors.As(err, &verification) || errors.As(err, &record) ||
		errors.As(err, &authority) || errors.As(err, &host)
}

// neverSent reports errors that came before the request was on its way.
func neverSent(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect") {
		return true
	}
	var dns *net.DNSError
	return errors.As(err, &dns) || errors.Is(err, syscall.ECONNREFUSED)
}

// settlingTime is how long after its creation an object may lack its
// permission scope, which the API makes asynchronously.
const settlingTime = time.Minute

// newScopes remembers what this client created of the kinds that have
// permissions. Only there a 404 may mean "not yet"; anywhere else it means
// gone, at once. The zero value is ready.
type newScopes struct {
	mu   sync.Mutex
	made map[string]time.Time
}

// note looks for a creation or a rename in a successful write.
func (s *newScopes) note(op Op, answer jsonv.Object, now time.Time) {
	create := op.Method == http.MethodPost && len(op.Path) == 1
	rename := op.Method == http.MethodPut && len(op.Path) == 2
	if !create && !rename {
		return
	}
	kind := op.Path[0]
	switch kind {
	case "blueprints", "actions", "pages", "workflows":
	default:
		return
	}
	object, ok := answer[strings.TrimSuffix(kind, "s")].(jsonv.Object)
	if !ok {
		if object, ok = op.Body.(jsonv.Object); !ok {
			return
		}
	}
	id := text(object, "identifier")
	if id == "" || rename && id == op.Path[1] {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made == nil {
		s.made = map[string]time.Time{}
	}
	s.made[kind+"/"+id] = now
}

// settling reports whether op goes to the permissions of a new object.
func (s *newScopes) settling(op Op, now time.Time) bool {
	if len(op.Path) != 3 || op.Path[2] != "permissions" {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	made, ok := s.made[op.Path[0]+"/"+op.Path[1]]
	return ok && now.Sub(made) < settlingTime
}
