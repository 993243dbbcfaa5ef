package portaltest

import (
	"bytes"
	"cmp"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"

	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/httpapi"
)

// Request is a request the portal got.
type Request struct {
	Method string
	// Path is escaped, as it came.
	Path  string
	Query string
	Body  string
	// Route is the method and pattern that matched, for example
	// "GET /v1/blueprints/{blueprint}".
	Route     string
	Principal string
	Header    http.Header
	// Status is what was answered; 0 when nothing was.
	Status int
}

// Match selects requests. Empty fields match everything. Path matches a whole
// escaped path; a "*" in it stands for any text.
type Match struct {
	Method string
	Path   string
}

func (m Match) matches(r *http.Request) bool {
	if m.Method != "" && m.Method != r.Method {
		return false
	}
	return m.Path == "" || glob(m.Path, r.URL.EscapedPath())
}

func glob(pattern, text string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == text
	}
	if !strings.HasPrefix(text, first) {
		return false
	}
	for text = text[len(first):]; ; text = text[1:] {
		if glob(rest, text) {
			return true
		}
		if text == "" {
			return false
		}
	}
}

// Failure is what happens to a request instead of an answer. Set one of Status,
// Drop and Hang.
type Failure struct {
	// Status, Code and Message make an error answer.
	Status        int
	Code, Message string
	// Header is added to the answer, for example Retry-After.
	Header http.Header
	// Drop ends the connection without an answer.
	Drop bool
	// Hang gives no answer until the caller gives up.
	Hang bool
	// After lets the request take effect first: the answer is lost, the change is not.
	After bool
}

// Forever as a number of times never runs out.
const Forever = -1

type ordered struct {
	match   Match
	times   int
	failure Failure
	run     func()
}

// Fail makes the next times matching requests fail. Orders are used up in the
// order they were given.
func (p *Portal) Fail(m Match, times int, f Failure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures = append(p.failures, &ordered{match: m, times: times, failure: f})
}

// Before runs f once, before the next matching request is looked at: it changes
// the world while a client believes it knows it. f may call the portal.
func (p *Portal) Before(m Match, f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.befores = append(p.befores, &ordered{match: m, times: 1, run: f})
}

// take uses up one matching order.
func (p *Portal) take(orders *[]*ordered, r *http.Request) *ordered {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range *orders {
		if o.times == 0 || !o.match.matches(r) {
			continue
		}
		if o.times > 0 {
			o.times--
		}
		return o
	}
	return nil
}

// Requests are the requests so far, in order of arrival.
func (p *Portal) Requests() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Request, len(p.requests))
	for i, r := range p.requests {
		out[i] = *r
	}
	return out
}

// Forget empties the record of requests.
func (p *Portal) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = nil
}

func (p *Portal) note(r *Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, r)
}

// answered completes the record of a request.
func (p *Portal) answered(r *Request, t *httpapi.Trail, status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.Route, r.Principal, r.Status = t.Route, t.Principal, status
}

// serve is the handler in front of the portal's own.
func (p *Portal) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 4*httpapi.MaxBody))
	if err != nil {
		body = nil
	}
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), r.Body))
	seen := &Request{
		Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Body: string(body), Header: r.Header.Clone(),
	}
	p.note(seen)
	if b := p.take(&p.befores, r); b != nil {
		b.run()
	}
	failure := p.take(&p.failures, r)
	trail := &httpapi.Trail{}
	r = r.WithContext(httpapi.WithTrail(r.Context(), trail))
	recorded := httptest.NewRecorder()
	if failure == nil || failure.failure.After {
		p.handler.ServeHTTP(recorded, r)
		p.answered(seen, trail, recorded.Code)
		if p.check != nil {
			p.check.answer(p.t, r, trail.Route, recorded)
		}
	}
	if failure != nil {
		p.fail(w, r, failure.failure)
		return
	}
	for name, values := range recorded.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(recorded.Code)
	_, _ = w.Write(recorded.Body.Bytes())
}

func (p *Portal) fail(w http.ResponseWriter, r *http.Request, f Failure) {
	switch {
	case f.Hang:
		<-r.Context().Done()
	case f.Drop:
	default:
		for name, values := range f.Header {
			w.Header()[http.CanonicalHeaderKey(name)] = values
		}
		code, message := f.Code, f.Message
		if code == "" {
			code = strings.ReplaceAll(strings.ToLower(http.StatusText(f.Status)), " ", "_")
		}
		if message == "" {
			message = "ordered by the test"
		}
		p.Refuse(w, r, fault.New(f.Status, code, "%s", message))
		return
	}
	panic(http.ErrAbortHandler)
}

// Outgoing is a call the portal made.
type Outgoing struct {
	Method, URL, Body string
	Header            http.Header
}

// Backend is what somebody whom the portal calls does. The zero value answers 200.
type Backend struct {
	Status int
	Body   string
	Header map[string]string
	// Refuse answers nothing: the connection is refused.
	Refuse bool
}

// Backend orders what a URL does whenever the portal calls it.
func (p *Portal) Backend(url string, b Backend) {
	p.calls.mu.Lock()
	defer p.calls.mu.Unlock()
	if p.calls.backends == nil {
		p.calls.backends = map[string]Backend{}
	}
	p.calls.backends[url] = b
}

// outgoing is the transport of the portal's outgoing client: it answers as was
// ordered and remembers.
type outgoing struct {
	mu       sync.Mutex
	calls    []Outgoing
	backends map[string]Backend
}

// RoundTrip implements [http.RoundTripper].
func (o *outgoing) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		if err := r.Body.Close(); err != nil {
			return nil, err
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls = append(o.calls, Outgoing{r.Method, r.URL.String(), string(body), r.Header.Clone()})
	b := o.backends[r.URL.String()]
	if b.Refuse {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	w := httptest.NewRecorder()
	for name, value := range b.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(cmp.Or(b.Status, http.StatusOK))
	if b.Body != "" { // some statuses permit none
		if _, err := w.WriteString(b.Body); err != nil {
			return nil, err
		}
	}
	return w.Result(), nil
}

func (o *outgoing) all() []Outgoing {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]Outgoing(nil), o.calls...)
}
