// Package portapi is a client of a Port API: it authenticates, retries, paces
// itself by the server's rate limit, merges reads and turns refusals into typed
// faults. It has no method per endpoint and knows neither Terraform's types nor
// the resources: callers say method, path and body, and get JSON back.
package portapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-resty/resty/v2"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// DefaultBaseURL is where a client without a base URL goes.
const DefaultBaseURL = "https://api.getport.io"

// Options says which API to use and how. Only credentials are obligatory.
type Options struct {
	// BaseURL is the API's root; "" means [DefaultBaseURL]. Trailing slashes
	// and a trailing "/v1" are dropped. The scheme must be http or https, also
	// when Transport never opens a socket.
	BaseURL string

	// ClientID and Secret are machine credentials, exchanged for tokens as
	// needed. Token is a ready bearer token; when it is set the other two are
	// ignored and nothing is ever renewed.
	ClientID, Secret, Token string

	// Anonymous sends no Authorization header and asks for no token: for a
	// Transport that vouches for its caller, as an embedded portal's does.
	Anonymous bool

	// Transport carries requests; nil means a pooled one over the network,
	// with proxies as the environment says.
	Transport http.RoundTripper

	// Version goes into the User-Agent "terraform-provider-port/<version>";
	// UserAgent replaces the whole of it.
	Version, UserAgent string

	// Timeout bounds one attempt, not the retries together. 0 means 60 s, a
	// negative value no bound.
	Timeout time.Duration

	// Attempts is how often one call is sent at most; 0 means 6.
	Attempts int

	// Batch says how [Client.ReadEntity] and [Client.ReadBlueprint] merge.
	Batch BatchMode

	// NoRateLimit turns the pacing off, as PORT_RATE_LIMIT_DISABLED does;
	// RateLimitLog logs its decisions at level info, as PORT_DEBUG_RATE_LIMIT
	// does.
	NoRateLimit, RateLimitLog bool

	// Clock replaces the system's time in tests.
	Clock Clock

	// jitter returns a number in [0, 1); tests replace it.
	jitter func() float64
}

// WithEnvironment fills the rate limit switches from the environment variables
// of reference/provider-catalog.md §1; any text but "" counts. Credentials and
// base URL are left to the caller, who knows which of them were set to nothing
// on purpose.
func (o Options) WithEnvironment(getenv func(string) string) Options {
	o.NoRateLimit = o.NoRateLimit || getenv("PORT_RATE_LIMIT_DISABLED") != ""
	o.RateLimitLog = o.RateLimitLog || getenv("PORT_DEBUG_RATE_LIMIT") != ""
	return o
}

// Repeat says whether a call may be sent again when nobody knows if the first
// one took effect.
type Repeat int

const (
	// RepeatByMethod is right for most calls: GET, PUT and DELETE may be
	// repeated, and so may the POSTs that only read.
	RepeatByMethod Repeat = iota
	// RepeatSafe is for a POST or PATCH that has the same effect when sent
	// twice: an upsert of an object that has an identifier, a merge patch.
	RepeatSafe
	// RepeatNever is for a PUT or DELETE that fails the second time, such as a
	// rename.
	RepeatNever
)

// Op is one call. The zero Query and Body send none.
type Op struct {
	Method string
	// Path holds the segments below /v1, unescaped: {"blueprints", "a/b"} is
	// /v1/blueprints/a%2Fb. [Expand] makes it from a template.
	Path  []string
	Query url.Values
	// Body is a JSON value as package jsonv has it, or whatever encoding/json
	// takes.
	Body   any
	Repeat Repeat
}

// Expand fills a path template such as "/v1/blueprints/{blueprint}/entities/{id}"
// into segments for [Op.Path]; the leading /v1 may be left out. Values are
// taken as they are: slashes in them stay part of their segment.
func Expand(template string, values map[string]string) ([]string, error) {
	trimmed := strings.TrimPrefix(strings.Trim(template, "/")+"/", "v1/")
	segments := strings.Split(strings.TrimSuffix(trimmed, "/"), "/")
	for i, s := range segments {
		name, ok := strings.CutPrefix(s, "{")
		if !ok {
			continue
		}
		name = strings.TrimSuffix(name, "}")
		value, ok := values[name]
		if !ok {
			return nil, fmt.Errorf("path %s: no value for {%s}", template, name)
		}
		segments[i] = value
	}
	return segments, nil
}

// Client talks to one Port API on behalf of one set of credentials. It is made
// for many goroutines at once; its caches live as long as it does.
type Client struct {
	base   string
	http   *resty.Client
	opts   Options
	clock  Clock
	auth   *authority
	limit  *limiter
	reads  *reader
	scopes newScopes

	locksMu sync.Mutex
	locks   map[string]*lock
}

// New checks the options and builds a client. It makes no call.
func New(o Options) (*Client, error) {
	base, err := normalizeBase(o.BaseURL)
	if err != nil {
		return nil, err
	}
	if !o.Anonymous && o.Token == "" && (o.ClientID == "" || o.Secret == "") {
		return nil, errors.New("credentials: want a token, or a client id and a secret")
	}
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	if o.jitter == nil {
		o.jitter = randomFraction
	}
	if o.Timeout == 0 {
		o.Timeout = 60 * time.Second
	}
	if o.Attempts <= 0 {
		o.Attempts = 6
	}
	if o.UserAgent == "" {
		version := o.Version
		if version == "" {
			version = "dev"
		}
		o.UserAgent = "terraform-provider-port/" + version
	}
	c := &Client{
		base:  base,
		http:  newHTTP(o),
		opts:  o,
		clock: o.Clock,
		limit: newLimiter(o),
		locks: map[string]*lock{},
	}
	c.auth = newAuthority(c)
	c.reads = newReader(c)
	return c, nil
}

func normalizeBase(text string) (string, error) {
	if text == "" {
		return DefaultBaseURL, nil
	}
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil && !strings.Contains(text, "://") && !strings.Contains(text, "@") {
		return "", fmt.Errorf("base URL %q: want http:// or https:// and a host", text)
	}
	if err != nil {
		return "", fmt.Errorf("base URL %q: %w", text, errors.Unwrap(err))
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return "", fmt.Errorf("base URL %q: want http:// or https:// and a host", text)
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("base URL %q: want no query and no fragment", text)
	}
	if u.User != nil {
		return "", fmt.Errorf("base URL of host %s: want no user name in it", u.Host)
	}
	base := strings.TrimRight(u.String(), "/")
	if cut, ok := strings.CutSuffix(base, "/v1"); ok {
		base = strings.TrimRight(cut, "/")
	}
	return base, nil
}

// BaseURL returns the normalized API root, without /v1.
func (c *Client) BaseURL() string { return c.base }

// Authenticate obtains a token now, so that wrong credentials are reported
// before the first real call. With a fixed token or none it does nothing.
func (c *Client) Authenticate(ctx context.Context) error {
	ctx = withLog(ctx, c)
	_, err := c.auth.current(ctx)
	return err
}

// Call sends one operation, retrying where that is safe, and returns the
// answer's whole envelope ({"ok":true,"blueprint":{…}}). What the server
// refuses comes back as a *[Fault], what never reached it as a
// *[ConnectionError]. Reads made by Call are never cached; anything that may
// write drops the caches behind [Client.ReadEntity] and [Client.ReadBlueprint].
// When ctx ends, reads and waits end at once; a write on the wire gets a little
// time to finish, so that its effect does not go unheard.
func (c *Client) Call(ctx context.Context, op Op) (jsonv.Object, error) {
	ctx = withLog(ctx, c)
	if op.reads() {
		return c.send(ctx, op)
	}
	out, err := c.write(ctx, op)
	return out.body, err
}

// Create is [Client.Call] for a POST that makes an object or takes over the one
// that is there, and says which: the status is 201 or 200.
func (c *Client) Create(ctx context.Context, op Op) (answer jsonv.Object, made bool, err error) {
	out, err := c.write(withLog(ctx, c), op)
	return out.body, out.status == http.StatusCreated, err
}

func (c *Client) write(ctx context.Context, op Op) (outcome, error) {
	k, err := c.prepare(op)
	if err != nil {
		return outcome{}, err
	}
	// Before and after: a load that overlaps the write must not be served to
	// reads that begin once the write is through.
	c.reads.drop(op.writesEntity())
	defer c.reads.drop(op.writesEntity())
	out, err := c.deliver(ctx, k)
	if err == nil {
		c.scopes.note(op, out.body, c.clock.Now())
	}
	return out, err
}

// Changed drops everything cached about a blueprint and its entities, after a
// change that did not go through [Client.Call].
func (c *Client) Changed(blueprint string) {
	_ = blueprint // Relations carry effects from one blueprint to others: all go.
	c.reads.drop(false)
}

type lock struct {
	sync.Mutex
	users int
}

// Lock serializes a read-modify-write of one blueprint within this client:
// resources that each own a part of it GET and PUT the whole. The function it
// returns gives the lock back; call it exactly once.
func (c *Client) Lock(blueprint string) (unlock func()) {
	c.locksMu.Lock()
	l := c.locks[blueprint]
	if l == nil {
		l = &lock{}
		c.locks[blueprint] = l
	}
	l.users++
	c.locksMu.Unlock()
	l.Lock()
	return func() {
		l.Unlock()
		c.locksMu.Lock()
		defer c.locksMu.Unlock()
		if l.users--; l.users == 0 {
			delete(c.locks, blueprint)
		}
	}
}
