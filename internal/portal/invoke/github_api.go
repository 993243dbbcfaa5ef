package invoke

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/outbound"
)

// GitHub says where GitHub is and who the portal is there.
type GitHub struct {
	// URL is the root of the API: "" is https://api.github.com, and that of GitHub
	// Enterprise is like https://ghe.example.com/api/v3.
	URL string
	// Token authenticates; "" is that there is no GitHub. It goes to the host of URL
	// and nowhere else.
	Token string
	// HTTP makes the calls; see [GitHubLimits].
	HTTP *outbound.Client
}

const githubURL = "https://api.github.com"

// GitHubLimits are right for calls to GitHub: of the several that one delivery makes,
// all are over when the time of the delivery is, and those that wait for a turn come
// back later. A page of runs of a workflow is some megabytes long.
func GitHubLimits(private bool) outbound.Limits {
	return outbound.Limits{Private: private, Timeout: 10 * time.Second, Wait: time.Second, Body: 16 << 20}
}

// hub speaks the REST API of GitHub, with one token.
type hub struct {
	http           *outbound.Client
	root           *url.URL
	token, version string
	clock          Clock

	mu sync.Mutex
	// until is when GitHub takes calls again.
	until time.Time
	// skew is how far GitHub's clock is ahead.
	skew time.Duration
}

// newHub is nil when there is no GitHub.
func newHub(o Options) *hub {
	if o.GitHub.Token == "" {
		return nil
	}
	root := strings.TrimSuffix(o.GitHub.URL, "/")
	if root == "" {
		root = githubURL
	}
	u, err := url.Parse(root)
	if err != nil {
		return nil
	}
	via := o.GitHub.HTTP
	if via == nil {
		via = o.HTTP
	}
	return &hub{http: via, root: u, token: o.GitHub.Token, version: o.Version, clock: o.Clock}
}

// hubAnswer is what GitHub said.
type hubAnswer struct {
	status int
	header http.Header
	body   jsonv.Object // nil when it is no object
}

func (a hubAnswer) ok() bool { return a.status >= 200 && a.status <= 299 }

// unclear tells that a request may have been carried out although the answer does
// not say so: somebody on the way has given up.
func (a hubAnswer) unclear() bool { return a.status >= 500 || a.status == http.StatusRequestTimeout }

// busyError says that GitHub takes no more calls for now. None was made, or it was
// not carried out.
type busyError struct{ until time.Time }

func (b *busyError) Error() string {
	return "the rate limit of GitHub is used up until " + b.until.UTC().Format(time.RFC3339)
}

// unsentError wraps what went wrong before anything of a request was written.
type unsentError struct{ error }

func (u *unsentError) Unwrap() error { return u.error }

// maxRedirects bounds how often GitHub may send elsewhere: a repository has been
// renamed.
const maxRedirects = 3

// call makes a request. An answer of any status but those of rate limits is no error.
func (h *hub) call(ctx context.Context, method, path string, body []byte, etag string) (hubAnswer, error) {
	to := h.root.JoinPath() // a copy
	address, query, _ := strings.Cut(path, "?")
	to.RawPath, to.RawQuery = strings.TrimSuffix(h.root.EscapedPath(), "/")+address, query
	var err error
	if to.Path, err = url.PathUnescape(to.RawPath); err != nil {
		return hubAnswer{}, &unsentError{err}
	}
	for turn := 0; ; turn++ {
		a, err := h.once(ctx, method, to, body, etag)
		if err != nil || turn == maxRedirects || !moved(method, a.status) {
			return a, err
		}
		next, ok := h.elsewhere(to, a)
		if !ok {
			return a, nil
		}
		to = next
	}
}

// elsewhere is where an answer sends to; false is nowhere that the token may go.
func (h *hub) elsewhere(from *url.URL, a hubAnswer) (*url.URL, bool) {
	to, err := from.Parse(a.header.Get("Location"))
	return to, err == nil && a.header.Get("Location") != "" && to.Scheme == h.root.Scheme && to.Host == h.root.Host
}

// moved tells whether a request is to be repeated as it is at another address.
func moved(method string, status int) bool {
	switch status {
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	case http.StatusMovedPermanently, http.StatusFound:
		return method == http.MethodGet
	}
	return false
}

func (h *hub) once(ctx context.Context, method string, to *url.URL, body []byte, etag string) (hubAnswer, error) {
	h.mu.Lock()
	until := h.until
	h.mu.Unlock()
	if until.After(h.clock.Now()) {
		return hubAnswer{}, &busyError{until}
	}
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	var written atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { written.Store(true) }})
	r, err := http.NewRequestWithContext(ctx, method, to.String(), reader)
	if err != nil {
		return hubAnswer{}, &unsentError{err}
	}
	r.Header.Set("Accept", "application/vnd.github+json")
	r.Header.Set("Authorization", "Bearer "+h.token)
	r.Header.Set("User-Agent", "port-reference-server/"+h.version)
	r.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if etag != "" {
		r.Header.Set("If-None-Match", etag)
	}
	raw, err := h.http.Do(ctx, r)
	switch {
	case err != nil && !written.Load():
		return hubAnswer{}, &unsentError{err}
	case err != nil:
		return hubAnswer{}, err
	}
	a := hubAnswer{status: raw.Status, header: raw.Header}
	if v, err := jsonv.Decode(raw.Body); err == nil {
		a.body, _ = v.(jsonv.Object)
	}
	return a, h.note(a)
}

// note remembers what an answer says about GitHub's time and limits.
func (h *hub) note(a hubAnswer) error {
	now := h.clock.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if at, err := http.ParseTime(a.header.Get("Date")); err == nil {
		h.skew = at.Sub(now)
	}
	wait, limited := a.limit(now.Add(h.skew))
	if !limited {
		return nil
	}
	h.until = now.Add(wait)
	return &busyError{h.until}
}

// The waits for a rate limit: what GitHub advises when it names none, and the bounds
// of those that it names.
const (
	limitWait  = time.Minute
	limitLeast = time.Second
	limitMost  = time.Hour
)

// limit is how long a limit forbids further calls. What is forbidden for another
// reason is answered with the same statuses.
func (a hubAnswer) limit(hubNow time.Time) (time.Duration, bool) {
	if a.status != http.StatusForbidden && a.status != http.StatusTooManyRequests {
		return 0, false
	}
	wait := limitWait
	after := a.header.Get("Retry-After")
	seconds, noNumber := strconv.ParseInt(after, 10, 32)
	date, noDate := http.ParseTime(after)
	reset, noReset := strconv.ParseInt(a.header.Get("X-RateLimit-Reset"), 10, 64)
	switch {
	case noNumber == nil:
		wait = time.Duration(seconds) * time.Second
	case noDate == nil:
		wait = date.Sub(hubNow)
	case a.header.Get("X-RateLimit-Remaining") == "0" && noReset == nil:
		wait = time.Unix(reset, 0).Sub(hubNow)
	case a.header.Get("X-RateLimit-Remaining") == "0", a.status == http.StatusTooManyRequests:
	case strings.Contains(strings.ToLower(jsonv.String(a.body, "message")), "rate limit"):
	default:
		return 0, false
	}
	return min(max(wait, limitLeast), limitMost), true
}

// theirs is a moment on GitHub's clock.
func (h *hub) theirs(t time.Time) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return t.Add(h.skew)
}

// maxReason bounds what is quoted of GitHub's answers, in bytes.
const maxReason = 1000

// said is an answer in words.
func (h *hub) said(a hubAnswer) string {
	text := fmt.Sprintf("GitHub answered %d %s", a.status, http.StatusText(a.status))
	if message := jsonv.String(a.body, "message"); message != "" {
		text += ": " + message
	}
	if errs := jsonv.List(a.body, "errors"); len(errs) > 0 {
		text += " " + string(jsonv.Encode(errs))
	}
	return h.clean(text)
}

// why is an error in words.
func (h *hub) why(err error) string {
	var limit *busyError
	if errors.As(err, &limit) {
		return limit.Error()
	}
	return h.clean("GitHub was not reached: " + cause(err))
}

// clean keeps the token out of a text, whoever has put it there, and bounds it.
func (h *hub) clean(text string) string {
	text = strings.ReplaceAll(text, h.token, "******")
	return strings.ToValidUTF8(text[:min(len(text), maxReason)], "")
}
