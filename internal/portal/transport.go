package portal

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"

	"github.com/portlens/terraform-provider-port/internal/portal/httpapi"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
)

// transport is an [http.RoundTripper] that calls the handler in this process.
type transport struct {
	handler http.Handler
	portal  *Portal
	// token leaves it to the requests' own tokens who asks.
	token bool
	// user is who asks, nil for a machine.
	user *identity.Principal
}

// RoundTrip implements [http.RoundTripper]. The handler runs until it is done or
// notices that the context ended; RoundTrip itself returns at once then.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.portal.mu.Lock()
	closed := t.portal.closed
	t.portal.mu.Unlock()
	if closed {
		return nil, refuse(req, ErrClosed)
	}
	ctx := req.Context()
	if err := ctx.Err(); err != nil {
		return nil, refuse(req, err)
	}
	within := httpapi.As(ctx, t.portal.identity.Machine())
	switch {
	case t.token:
		within = httpapi.Inside(ctx)
	case t.user != nil:
		within = httpapi.As(ctx, *t.user)
	}
	resp, err := call(t.handler, req.WithContext(within))
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

// refuse closes the request body, as a RoundTripper must also when it fails.
func refuse(req *http.Request, err error) error {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return err
}

// call passes req to a handler in this process and returns its answer as a
// client would see it: as soon as the handler flushes or returns. A handler that
// flushes is read as it writes; one that panics with [http.ErrAbortHandler] gives
// an error, as a connection that breaks does.
func call(handler http.Handler, req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	in := req.Clone(ctx)
	in.RequestURI = req.URL.RequestURI()
	in.RemoteAddr = "embedded"
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := &answer{request: req, header: http.Header{}, ready: make(chan struct{})}
	go func() {
		defer func() { _ = in.Body.Close() }()
		defer w.end()
		defer w.contain()
		handler.ServeHTTP(w, in)
	}()
	select {
	case <-w.ready:
		return w.response(ctx)
	case <-ctx.Done():
		w.abandon(ctx.Err())
		return nil, ctx.Err()
	}
}

// answer is the [http.ResponseWriter] of a call. It keeps everything in memory
// until the handler flushes; from then on the body goes through a pipe.
type answer struct {
	request *http.Request
	header  http.Header
	ready   chan struct{}
	once    sync.Once

	mu       sync.Mutex
	status   int
	sent     http.Header
	buffer   bytes.Buffer
	stream   *io.PipeWriter
	body     io.ReadCloser
	finished bool
	aborted  bool
}

func (w *answer) Header() http.Header { return w.header }

func (w *answer) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begin(status)
}

func (w *answer) begin(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *answer) Write(p []byte) (int, error) {
	w.mu.Lock()
	w.begin(http.StatusOK)
	stream := w.stream
	if stream == nil {
		defer w.mu.Unlock()
		return w.buffer.Write(p)
	}
	w.mu.Unlock()
	return stream.Write(p)
}

// Flush implements [http.Flusher].
func (w *answer) Flush() {
	w.mu.Lock()
	w.begin(http.StatusOK)
	if w.stream == nil && !w.finished {
		r, stream := io.Pipe()
		w.stream = stream
		w.body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(bytes.Clone(w.buffer.Bytes())), r), r}
	}
	w.mu.Unlock()
	w.once.Do(func() { close(w.ready) })
}

// contain turns an aborted answer into an error of the caller.
func (w *answer) contain() {
	switch p := recover(); p {
	case nil:
	case http.ErrAbortHandler:
		w.mu.Lock()
		defer w.mu.Unlock()
		w.aborted = true
		if w.stream != nil {
			_ = w.stream.CloseWithError(io.ErrUnexpectedEOF)
		}
	default:
		panic(p)
	}
}

func (w *answer) end() {
	w.mu.Lock()
	w.begin(http.StatusOK)
	w.finished = true
	if w.stream != nil {
		_ = w.stream.Close()
	} else {
		w.body = io.NopCloser(bytes.NewReader(w.buffer.Bytes()))
	}
	w.mu.Unlock()
	w.once.Do(func() { close(w.ready) })
}

// abandon makes later writes of a stream fail.
func (w *answer) abandon(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stream != nil {
		_ = w.stream.CloseWithError(err)
	}
}

func (w *answer) response(ctx context.Context) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.aborted && w.stream == nil {
		return nil, io.ErrUnexpectedEOF
	}
	length := int64(w.buffer.Len())
	if w.stream != nil {
		length = -1
		stream := w.stream
		context.AfterFunc(ctx, func() { _ = stream.CloseWithError(ctx.Err()) })
	}
	body := w.body
	if w.request.Method == http.MethodHead {
		body = http.NoBody
	}
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: body, ContentLength: length, Request: w.request,
	}, nil
}
