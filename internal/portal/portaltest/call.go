package portaltest

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// Answer is what the portal said.
type Answer struct {
	Status int
	Header http.Header
	// Body is the decoded JSON object; nil when it is not one.
	Body jsonv.Object
	Text string
}

// Call sends a request as the organization's machine, without a socket. A body
// that is not nil is sent as JSON. It fails the test only when there is no answer.
func (p *Portal) Call(method, path string, body any) Answer {
	p.t.Helper()
	var text io.Reader
	if body != nil {
		text = bytes.NewReader(jsonv.Encode(body))
	}
	req, err := http.NewRequestWithContext(context.Background(), method, Embedded+path, text)
	if err != nil {
		p.t.Fatalf("portal: %v", err)
	}
	resp, err := p.Client().Do(req)
	if err != nil {
		p.t.Fatalf("portal: %s %s: %v", method, path, err)
	}
	return read(p, resp)
}

// Must is [Portal.Call] that fails the test unless the status is 2xx; it returns
// the body.
func (p *Portal) Must(method, path string, body any) jsonv.Object {
	p.t.Helper()
	a := p.Call(method, path, body)
	if a.Status < 200 || a.Status > 299 {
		p.t.Fatalf("portal: %s %s: %d %s", method, path, a.Status, a.Text)
	}
	return a.Body
}

func read(p *Portal, resp *http.Response) Answer {
	p.t.Helper()
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatalf("portal: %v", err)
	}
	body, err := jsonv.DecodeObject(text)
	if err != nil {
		body = nil
	}
	return Answer{resp.StatusCode, resp.Header, body, string(text)}
}
