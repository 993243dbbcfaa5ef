package portal

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

func start(t *testing.T, o Options) *Portal {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func request(t *testing.T, method, path string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://embedded.invalid"+path, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

type closing struct {
	io.Reader
	closed chan struct{}
}

func (c closing) Close() error { close(c.closed); return nil }

func TestTheTransportActsAsTheMachineWithoutCredentials(t *testing.T) {
	t.Parallel()
	p := start(t, Options{})
	body := closing{iotest.OneByteReader(strings.NewReader(`{"identifier":"x","title":"X","schema":{"properties":{}}}`)), make(chan struct{})}
	req := request(t, http.MethodPost, "/v1/blueprints", body)
	req.Header.Set("Authorization", "Bearer embedded")
	req.Header.Set("User-Agent", "somebody/1")
	resp, err := p.Transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 201 || resp.ContentLength != int64(len(text)) || resp.Request != req {
		t.Fatalf("%v %d %s", err, resp.StatusCode, text)
	}
	answer, err := jsonv.DecodeObject(text)
	if err != nil {
		t.Fatal(err)
	}
	machine, err := p.Credentials(t.Context())
	if err != nil || jsonv.String(answer, "blueprint", "createdBy") != machine.ClientID {
		t.Errorf("%v: createdBy %s", err, jsonv.String(answer, "blueprint", "createdBy"))
	}
	<-body.closed
}

func TestTheTransportDoesNotWaitForAHandlerWhenTheCallerLeaves(t *testing.T) {
	t.Parallel()
	p := start(t, Options{})
	entered, leave := make(chan struct{}), make(chan struct{})
	slow := p.TransportTo(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(entered); <-leave }))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-entered; cancel() }()
	resp, err := slow.RoundTrip(request(t, http.MethodGet, "/", nil).WithContext(ctx))
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if resp != nil {
		_ = resp.Body.Close()
	}
	close(leave)
}

func TestTheTransportStreamsWhatAHandlerFlushes(t *testing.T) {
	t.Parallel()
	p := start(t, Options{})
	next := make(chan struct{})
	streaming := p.TransportTo(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Kind", "events")
		for _, part := range []string{"one\n", "two\n"} {
			if _, err := io.WriteString(w, part); err != nil {
				t.Error(err)
			}
			if f, ok := w.(http.Flusher); ok {
				f.Flush()
			}
			<-next
		}
	}))
	resp, err := streaming.RoundTrip(request(t, http.MethodGet, "/", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewReader(resp.Body)
	for _, want := range []string{"one\n", "two\n"} {
		if got, err := lines.ReadString('\n'); got != want || err != nil {
			t.Errorf("%q %v", got, err)
		}
		next <- struct{}{}
	}
	if _, err := lines.ReadByte(); !errors.Is(err, io.EOF) || resp.Header.Get("X-Kind") != "events" {
		t.Errorf("%v %v", err, resp.Header)
	}
}

func TestAnAbortedAnswerIsATransportError(t *testing.T) {
	t.Parallel()
	p := start(t, Options{})
	resp, err := p.TransportTo(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })).RoundTrip(request(t, http.MethodGet, "/", nil))
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if resp != nil {
		_ = resp.Body.Close()
	}
}

func TestAClosedPortalAnswersNothing(t *testing.T) {
	t.Parallel()
	p := start(t, Options{})
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	resp, err := p.Transport().RoundTrip(request(t, http.MethodGet, "/v1/blueprints", nil))
	if !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if resp != nil {
		_ = resp.Body.Close()
	}
	if err := p.Close(); err != nil {
		t.Error("closing twice:", err)
	}
}

func TestTwoPortalsOnOneFileSeeEachOthersWrites(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/portal.db"
	a, b := start(t, Options{DataFile: file}), start(t, Options{DataFile: file})
	if a.Organization() != b.Organization() {
		t.Fatal("two organizations in one file")
	}
	for i, p := range []*Portal{a, b, a, b} {
		id := string(jsonv.Int(i))
		resp, err := p.Transport().RoundTrip(request(t, http.MethodPost, "/v1/blueprints", strings.NewReader(`{"identifier":"b`+id+`","title":"X","schema":{"properties":{}}}`)))
		if err != nil || resp.StatusCode != 201 {
			t.Fatal(err, resp)
		}
		_ = resp.Body.Close()
		for _, reader := range []*Portal{a, b} {
			resp, err := reader.Transport().RoundTrip(request(t, http.MethodGet, "/v1/blueprints/b"+id, nil))
			if err != nil || resp.StatusCode != 200 {
				t.Fatal(err, resp)
			}
			_ = resp.Body.Close()
		}
	}
}

func TestSeedingTwiceOverridesAndABadSeedLeavesNothing(t *testing.T) {
	t.Parallel()
	const good = `{"blueprints":[{"identifier":"s","title":"S","schema":{"properties":{}}}],"entities":[{"blueprint":"s","identifier":"e"}]}`
	p := start(t, Options{Seed: strings.NewReader(good)})
	if err := p.Seed(t.Context(), strings.NewReader(good)); err != nil {
		t.Error(err)
	}
	bad := `{"blueprints":[{"identifier":"fresh","title":"S","schema":{"properties":{}}}],"entities":[{"blueprint":"nope","identifier":"e"}]}`
	if err := p.Seed(t.Context(), strings.NewReader(bad)); err == nil || !strings.Contains(err.Error(), "entity 0") {
		t.Error(err)
	}
	resp, err := p.Transport().RoundTrip(request(t, http.MethodGet, "/v1/blueprints/fresh", nil))
	if err != nil || resp.StatusCode != 404 {
		t.Error(err, resp)
	}
	_ = resp.Body.Close()
	if _, err := New(Options{Seed: strings.NewReader("{")}); err == nil {
		t.Error("a seed that is no JSON was taken")
	}
}

// serve starts a server on a socket and returns its address.
func serve(t *testing.T, p *Portal) string {
	t.Helper()
	l, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := NewServer(t.Context(), p.Handler(), slog.New(slog.DiscardHandler))
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return l.Addr().String()
}

func TestRequestsThatNeverReachAHandlerAreAnsweredInJSON(t *testing.T) {
	t.Parallel()
	address := serve(t, start(t, Options{}))
	for name, text := range map[string]string{
		"a broken escape":    "GET /v1/%zz HTTP/1.1\r\nHost: x\r\n\r\n",
		"no host":            "GET /v1/blueprints HTTP/1.1\r\n\r\n",
		"a broken line":      "GET\r\n\r\n",
		"a huge header":      "GET / HTTP/1.1\r\nHost: x\r\nX-Big: " + strings.Repeat("a", 100_000) + "\r\n\r\n",
		"a strange encoding": "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: snail\r\n\r\n",
	} {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(name, err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_ = resp.Body.Close()
		_ = c.Close()
		answer, err := jsonv.DecodeObject(body)
		if err != nil || resp.StatusCode < 400 || answer["ok"] != false || jsonv.String(answer, "error") == "" || jsonv.String(answer, "message") == "" ||
			!strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") || len(resp.Header.Get("X-Trace-Id")) != 32 {
			t.Errorf("%s: %v %v %s", name, err, resp, body)
		}
	}
}

func TestAnOversizedBodyIsAnsweredAndNotReset(t *testing.T) {
	t.Parallel()
	address := serve(t, start(t, Options{}))
	// Chunked and with a length; both clients send everything before they read.
	for name, length := range map[string]int64{"length": 8 << 20, "chunked": -1} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/v1/blueprints", io.LimitReader(zeros{}, 8<<20))
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = length
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if err := req.Write(c); err != nil {
			t.Errorf("%s: the connection broke while sending: %v", name, err)
			continue
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), req)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 413 || !strings.Contains(string(text), "payload_too_large") {
			t.Errorf("%s: %v %d %s", name, err, resp.StatusCode, text)
		}
		_ = resp.Body.Close()
		_ = c.Close()
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
