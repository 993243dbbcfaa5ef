package portapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

func newHTTP(o Options) *resty.Client {
	transport := o.Transport
	if transport == nil {
		transport = pooled()
	}
	// A client of our own keeps resty from adding a cookie jar.
	return resty.NewWithClient(&http.Client{Transport: transport}).
		SetHeader("User-Agent", o.UserAgent).
		SetHeader("Accept", "application/json").
		SetRedirectPolicy(resty.RedirectPolicyFunc(sameHostReads)).
		SetDisableWarn(true).
		SetLogger(silent{})
}

// pooled keeps a connection for each of Terraform's parallel operations.
func pooled() http.RoundTripper {
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          100,
		MaxIdleConnsPerHost:   32,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// sameHostReads lets a GET follow a redirect on its own host. A redirected
// write would arrive as a GET, and another host must not see the token: there
// the redirect itself is the answer, and the fault names its target.
func sameHostReads(next *http.Request, via []*http.Request) error {
	first := via[0]
	if first.Method != http.MethodGet || next.URL.Host != first.URL.Host ||
		next.URL.Scheme != first.URL.Scheme || len(via) >= 5 {
		return http.ErrUseLastResponse
	}
	return nil
}

type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}

// reads reports whether the call changes nothing on the server.
func (op Op) reads() bool {
	switch op.Method {
	case http.MethodGet, http.MethodHead:
		return true
	case http.MethodPost:
		if len(op.Path) == 0 {
			return false
		}
		switch last := op.Path[len(op.Path)-1]; last {
		case "search", "aggregate", "aggregate-over-time", "properties-history":
			// A POST that creates never ends in a name, only in a collection.
			return slices.Contains(op.Path, "entities") || last == "search"
		}
	}
	return false
}

// repeatable reports whether the call may be sent again without knowing
// whether it took effect.
func (op Op) repeatable() bool {
	switch op.Repeat {
	case RepeatSafe:
		return true
	case RepeatNever:
		return false
	}
	return op.reads() || op.Method == http.MethodPut || op.Method == http.MethodDelete
}

// writesEntity reports whether a write concerns entities alone, so that
// blueprints may stay cached. Entities of system blueprints are teams, users
// and scorecards: anything may follow from them.
func (op Op) writesEntity() bool {
	return len(op.Path) >= 3 && op.Path[0] == "blueprints" && !strings.HasPrefix(op.Path[1], "_") &&
		(op.Path[2] == "entities" || op.Path[2] == "bulk")
}

// call is an Op ready to be sent any number of times.
type call struct {
	Op
	path    string // escaped, with the query
	body    []byte // nil when there is none
	secrets *redactor
	bare    bool // sent without a token: it is the one that gets the token
}

func (c *Client) prepare(op Op) (*call, error) {
	var path strings.Builder
	path.WriteString("/v1")
	if len(op.Path) == 0 {
		return nil, fmt.Errorf("%s /v1: want a path", op.Method)
	}
	for _, s := range op.Path {
		switch s {
		case "":
			// The route of the whole collection, by accident.
			return nil, fmt.Errorf("%s /v1/%s: empty identifier", op.Method, strings.Join(op.Path, "/"))
		case ".", "..":
			path.WriteString("/" + strings.ReplaceAll(s, ".", "%2E"))
		default:
			path.WriteString("/" + url.PathEscape(s))
		}
	}
	if len(op.Query) > 0 {
		path.WriteString("?" + op.Query.Encode())
	}
	k := &call{Op: op, path: path.String()}
	if op.Body != nil {
		var err error
		if k.body, err = json.Marshal(op.Body); err != nil {
			return nil, fmt.Errorf("%s %s: body: %w", op.Method, k.path, err)
		}
	}
	k.secrets = &redactor{body: k.body, known: c.auth.secrets}
	return k, nil
}

// outcome is what one attempt brought: an envelope, or an error with as much
// as is known about it.
type outcome struct {
	status int
	header http.Header
	body   jsonv.Object
	err    error
}

// send makes the call and repeats it as far as [Client.retry] allows.
func (c *Client) send(ctx context.Context, op Op) (jsonv.Object, error) {
	k, err := c.prepare(op)
	if err != nil {
		return nil, err
	}
	out, err := c.deliver(ctx, k)
	return out.body, err
}

// deliver returns the outcome of a success only.
func (c *Client) deliver(ctx context.Context, k *call) (outcome, error) {
	renewed := false
	for n := 1; ; {
		var token string
		var serial int
		if !k.bare {
			t, err := c.auth.current(ctx)
			if err != nil {
				return outcome{}, err
			}
			token, serial = t.text, t.serial
		}
		if err := c.limit.admit(ctx); err != nil {
			return outcome{}, &ConnectionError{Method: k.Method, Path: k.path, Err: err}
		}
		out := c.attempt(ctx, k, token, n)
		c.limit.land()
		if out.err == nil {
			return out, nil
		}
		if out.status == http.StatusUnauthorized && !k.bare {
			if !renewed && c.auth.renewable() {
				renewed = true // a refused token was not acted upon: any method may follow
				if err := c.auth.renew(ctx, serial); err != nil {
					return outcome{}, err
				}
				continue
			}
			c.auth.explain(out.err)
		}
		pause, again := c.retry(k, n, out)
		if !again || ctx.Err() != nil {
			return outcome{}, out.err
		}
		logRetry(ctx, k, n, pause, out)
		if err := wait(ctx, c.clock, pause); err != nil {
			return outcome{}, &ConnectionError{Method: k.Method, Path: k.path, Err: interrupted{err, out.err}}
		}
		n++
	}
}

// interrupted is a wait that was cancelled; it still says what it waited for.
type interrupted struct{ cause, last error }

func (e interrupted) Error() string {
	return fmt.Sprintf("%s, while retrying after: %s", e.cause, e.last)
}
func (e interrupted) Unwrap() []error { return []error{e.cause} }

func (c *Client) attempt(ctx context.Context, k *call, token string, n int) outcome {
	actx := ctx
	if !k.reads() && !k.bare {
		var release func()
		actx, release = c.patient(ctx)
		defer release()
	}
	if c.opts.Timeout > 0 {
		var cancel context.CancelFunc
		actx, cancel = context.WithTimeoutCause(actx, c.opts.Timeout, timeoutError{c.opts.Timeout})
		defer cancel()
	}
	r := c.http.R().SetContext(actx)
	if token != "" {
		r.SetHeader("Authorization", "Bearer "+token)
	}
	if k.body != nil {
		r.SetHeader("Content-Type", "application/json").SetBody(k.body)
	}
	start := c.clock.Now()
	logRequest(ctx, k, n)
	response, err := r.Execute(k.Method, c.base+k.path)
	if err != nil {
		err = unwrapURL(err)
		if cause := context.Cause(actx); cause != nil {
			err = cause
		}
		logFailure(ctx, k, n, err)
		return outcome{err: &ConnectionError{Method: k.Method, Path: k.path, Err: err}}
	}
	out := outcome{status: response.StatusCode(), header: response.Header()}
	c.limit.observe(ctx, out.status, out.header)
	c.judge(k, response.Body(), &out)
	logAnswer(ctx, k, n, c.clock.Now().Sub(start), response.Body(), out)
	return out
}

// interruptGrace is how long a write may go on after its caller is interrupted.
const interruptGrace = 10 * time.Second

// patient derives the context of a write's round trip. Cutting a write off does
// not undo it, and what the server did would be in no state: it may finish
// within a grace period after ctx ends.
func (c *Client) patient(ctx context.Context) (context.Context, func()) {
	own, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-c.clock.After(interruptGrace):
			cancel(context.Cause(ctx))
		case <-own.Done():
		}
	})
	return own, func() {
		stop()
		cancel(nil)
	}
}

// unwrapURL drops net/http's frame: method and path are said by the caller,
// and the frame repeats the URL with its host and query.
func unwrapURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

type timeoutError struct{ after time.Duration }

func (e timeoutError) Error() string { return fmt.Sprintf("no answer within %s", e.after) }
func (e timeoutError) Timeout() bool { return true }

// judge decides whether an answer is a success: a 2xx whose "ok" is not false.
// A missing "ok" is forgiven, and so is an empty body with 204;
// reference/provider-catalog.md §2.2.
func (c *Client) judge(k *call, body []byte, out *outcome) {
	fine := out.status >= 200 && out.status < 300
	if fine && len(bytes.TrimSpace(body)) == 0 && (out.status == http.StatusNoContent || k.Method == http.MethodDelete) {
		out.body = jsonv.Object{}
		return
	}
	envelope, err := jsonv.DecodeObject(body)
	if err != nil {
		out.err = c.foreign(k, body, out)
		return
	}
	if ok, isBool := envelope["ok"].(bool); fine && (!isBool || ok || k.ignoresOK()) {
		out.body = envelope
		return
	}
	f := &Fault{
		Status: out.status, Method: k.Method, Path: k.path,
		Code:      k.secrets.clean(text(envelope, "error")),
		Message:   k.secrets.clean(text(envelope, "message")),
		RequestID: out.header.Get("X-Trace-Id"),
		gone:      out.status == http.StatusNotFound,
	}
	if details, ok := k.secrets.cleanValue(envelope["details"]).(jsonv.Object); ok {
		f.Details = details
	}
	if f.Code == "" && f.Message == "" {
		f.Excerpt = excerpt([]byte(k.secrets.clean(string(body))), excerptLimit)
	}
	out.err = f
}

// foreign makes the fault for an answer that is not a JSON object: a proxy's
// error page, or a base URL that is not the API's.
func (c *Client) foreign(k *call, body []byte, out *outcome) *Fault {
	f := &Fault{
		Status: out.status, Method: k.Method, Path: k.path,
		Message:   fmt.Sprintf("the answer is not a JSON object (status %d %s)", out.status, http.StatusText(out.status)),
		RequestID: out.header.Get("X-Trace-Id"),
		Excerpt:   excerpt([]byte(k.secrets.clean(string(body))), excerptLimit),
	}
	html := strings.Contains(out.header.Get("Content-Type"), "html") || bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
	f.gone = out.status == http.StatusNotFound && !html
	if target := out.header.Get("Location"); target != "" && out.status >= 300 && out.status < 400 {
		f.Message = fmt.Sprintf("the server redirects to %s, which is not followed", target)
	}
	if out.status < 500 && out.status != http.StatusTooManyRequests {
		f.Hint = fmt.Sprintf("Check base_url: requests go to %s/v1.", c.base)
	}
	return f
}

// ignoresOK is for GET organization, whose body says nothing reliable in "ok";
// reference/provider-catalog.md §2.2.
func (k *call) ignoresOK() bool {
	return k.Method == http.MethodGet && len(k.Path) == 1 && k.Path[0] == "organization"
}
