// Package invoke takes what runs have written down to backends: evaluated
// invocation methods, and notices for approvers (reference/actions.md §3.2, §4.7).
// It makes one attempt and says what came of it; whoever calls it decides what that
// means for the run. Where nothing configures a backend it says so.
package invoke

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/crypt"
	"github.com/portlens/terraform-provider-port/internal/portal/outbound"
	"github.com/portlens/terraform-provider-port/internal/portal/runs"
)

// Clock tells the time.
type Clock interface{ Now() time.Time }

// Options are what a [Sender] works with.
type Options struct {
	Clock Clock
	HTTP  *outbound.Client
	// Self carries requests to the portal's own API, with machine rights; Asked
	// those that carry a token of their own (§3.2 "Calls to Port itself").
	Self, Asked http.RoundTripper
	// Hosts are names by which the portal is called itself, beside those of Port.
	Hosts []string
	// Azure is the root of Azure DevOps.
	Azure string
	// Version is told to backends.
	Version string
	// Org is the first part of the names of topics, and Messages where they are; nil
	// is nowhere: then the last ones are remembered ([Sender.Messages]).
	Org      string
	Messages Messages
	// GitHub is where workflows are dispatched.
	GitHub GitHub
	// Note writes down what a delivery is about to do, in place of its payload, and what
	// it will look for. Rivals are the deliveries that look for one of some runs of a
	// workflow, in the order of their dispatches, and which of these are taken. GitHub
	// needs both.
	Note   func(ctx context.Context, d runs.Delivery, payload jsonv.Object, search runs.Search) error
	Rivals func(ctx context.Context, among string, ids []string) (searches []runs.Search, claimed map[string]bool, err error)
}

// Messages stores messages in a topic; those of one key stay in order.
type Messages interface {
	Send(ctx context.Context, topic, key string, value []byte) error
}

// The topics of an organization are named after it (reference/actions.md §3.10).
const (
	topicRuns    = ".runs"
	topicChanges = ".change.log"
)

// Sender sends deliveries. It is safe for concurrent use.
type Sender struct {
	o Options
	// hub is nil where there is no GitHub.
	hub  *hub
	kept memory
}

// New makes a sender.
func New(o Options) *Sender {
	if o.Azure == "" {
		o.Azure = "https://dev.azure.com"
	}
	return &Sender{o: o, hub: newHub(o)}
}

// HeaderRun carries the id of the run. A delivery that is repeated carries the same.
const HeaderRun = "X-Port-Run-Id"

// maxResponse bounds what is kept of a backend's answer, in bytes.
const maxResponse = 64 << 10

// Send makes one attempt. An error says that there was none ([outbound.ErrBusy]) or
// that ctx broke it off: nothing is known of the outcome, it is to be made again.
func (s *Sender) Send(ctx context.Context, secret string, d runs.Delivery, payload jsonv.Object) (runs.Outcome, error) {
	ctx = context.WithValue(ctx, deliveryKey{}, d)
	switch {
	case d.Kind == runs.DeliverNotice:
		return s.notice(ctx, secret, d, payload)
	case d.Kind == runs.DeliverChange:
		return s.change(ctx, secret, d, payload)
	case d.Kind == runs.DeliverRelay:
		return s.relay(ctx, secret, d, payload)
	case d.Method == "WEBHOOK":
		return s.webhook(ctx, secret, d, payload)
	case d.Method == "AZURE_DEVOPS":
		return s.azure(ctx, secret, d, payload)
	case d.Method == "KAFKA":
		return s.message(ctx, topicRuns, d.Run, payload["payload"])
	case d.Method == "GITHUB" && s.hub != nil:
		return s.github(ctx, d, payload)
	}
	return runs.Outcome{Log: fmt.Sprintf("%s backend is not configured", strings.ToLower(d.Method)), Status: runs.Failure}, nil
}

// message stores a message. Nobody answers it: what goes wrong is told, and changes
// nothing.
func (s *Sender) message(ctx context.Context, topic, key string, value any) (runs.Outcome, error) {
	topic, text := s.o.Org+topic, crypt.Body(value)
	if s.o.Messages == nil {
		s.kept.add(Message{topic, key, text})
		return runs.Outcome{Log: "kafka backend is not configured"}, nil
	}
	var o runs.Outcome
	err := s.o.Messages.Send(ctx, topic, key, text)
	switch {
	case undecided(ctx, err):
		return o, err
	case err != nil:
		o.Log = "The message was not stored: " + err.Error()
	}
	return o, nil
}

// signed makes a request with a JSON body and its signature.
func (s *Sender) signed(ctx context.Context, method, address, secret string, body []byte) (*http.Request, error) {
	var reader io.Reader
	if len(body) > 0 {
		reader = bytes.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, address, reader)
	if err != nil {
		return nil, err
	}
	now := s.o.Clock.Now()
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "port-reference-server/"+s.o.Version)
	r.Header.Set(crypt.HeaderTimestamp, crypt.Timestamp(now))
	r.Header.Set(crypt.HeaderSignature, crypt.Sign(secret, now, body))
	return r, nil
}

func (s *Sender) webhook(ctx context.Context, secret string, d runs.Delivery, payload jsonv.Object) (runs.Outcome, error) {
	method := jsonv.String(payload, "method")
	var body []byte
	if v, ok := payload["body"]; ok && method != http.MethodGet {
		body = crypt.Body(v)
	}
	r, err := s.signed(ctx, method, jsonv.String(payload, "url"), secret, body)
	if err != nil {
		return runs.Outcome{Log: "The request cannot be made: " + cause(err), Status: runs.Failure}, nil
	}
	r.Header.Set(HeaderRun, d.Run)
	for name, v := range jsonv.Map(payload, "headers") {
		text, _ := v.(string)
		if strings.EqualFold(name, crypt.HeaderTimestamp) || strings.EqualFold(name, crypt.HeaderSignature) {
			continue
		}
		if strings.EqualFold(name, "Host") {
			r.Host = text
		}
		r.Header.Set(name, text)
	}
	answer, err := s.do(ctx, r, d.Run)
	if undecided(ctx, err) {
		return runs.Outcome{}, err
	}
	return outcome(answer, err, jsonv.Bool(payload, "synchronized")), nil
}

// undecided tells that an error says nothing about the backend: there was no
// attempt, or the portal broke it off.
func undecided(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || errors.Is(err, outbound.ErrBusy))
}

// outcome is what an answer means for the run: only a synchronous one decides about
// it.
func outcome(a outbound.Answer, err error, synchronized bool) runs.Outcome {
	var o runs.Outcome
	switch {
	case err != nil:
		o.Log = "The webhook was not reached: " + cause(err)
		if synchronized {
			o.Status = runs.Failure
		}
		return o
	case a.Status < 200 || a.Status > 299:
		o.Log = fmt.Sprintf("The webhook answered %d %s", a.Status, http.StatusText(a.Status))
	}
	if !synchronized {
		return o
	}
	o.Answered, o.Response, o.Status = true, response(a.Body), runs.Success
	if o.Log != "" {
		o.Status = runs.Failure
	}
	return o
}

// cause is an error without the URL, which may hold secrets.
func cause(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return err.Error()
}

// response is what is kept of an answer: its JSON, or its text.
func response(body []byte) any {
	body = body[:min(len(body), maxResponse)]
	if v, err := jsonv.Decode(body); err == nil && jsonv.Shallow(v) {
		return v
	}
	return strings.ToValidUTF8(string(body), "\uFFFD")
}

// portHosts are where Port's own API is.
var portHosts = []string{"api.getport.io", "api.port.io", "api.us.port.io"}

// do makes a request, in this process when it calls the portal itself.
func (s *Sender) do(ctx context.Context, r *http.Request, run string) (outbound.Answer, error) {
	if !s.isSelf(r.URL) {
		return s.o.HTTP.Do(ctx, r)
	}
	if q := r.URL.Query(); r.Method != http.MethodGet && q.Get("run_id") == "" {
		q.Set("run_id", run) // what the run writes is tied to it
		r.URL.RawQuery = q.Encode()
	}
	via := s.o.Self
	if r.Header.Get("Authorization") != "" && s.o.Asked != nil {
		via = s.o.Asked
	}
	limited, cancel := context.WithTimeout(ctx, selfTime)
	defer cancel()
	answer, err := via.RoundTrip(r.WithContext(limited))
	if err != nil {
		return outbound.Answer{}, err
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxResponse+1))
	if closed := answer.Body.Close(); err == nil {
		err = closed
	}
	return outbound.Answer{Status: answer.StatusCode, Header: answer.Header, Body: body}, err
}

// selfTime bounds a call to the portal itself as others are (§3.2).
const selfTime = 30 * time.Second

func (s *Sender) isSelf(u *url.URL) bool {
	if s.o.Self == nil || u.Path != "/v1" && !strings.HasPrefix(u.Path, "/v1/") {
		return false
	}
	return slices.Contains(portHosts, strings.ToLower(u.Hostname())) || slices.Contains(s.o.Hosts, strings.ToLower(u.Host))
}

func (s *Sender) azure(ctx context.Context, secret string, d runs.Delivery, payload jsonv.Object) (runs.Outcome, error) {
	for _, key := range []string{"org", "webhook"} {
		switch jsonv.String(payload, key) {
		case "", ".", "..":
			return runs.Outcome{Log: "The request cannot be made: " + key + " is no name", Status: runs.Failure}, nil
		}
	}
	address := fmt.Sprintf("%s/%s/_apis/public/distributedtask/webhooks/%s?api-version=6.0-preview",
		strings.TrimSuffix(s.o.Azure, "/"), url.PathEscape(jsonv.String(payload, "org")), url.PathEscape(jsonv.String(payload, "webhook")))
	body := crypt.Body(payload["payload"])
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return runs.Outcome{Log: "The request cannot be made: " + cause(err), Status: runs.Failure}, nil
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "port-reference-server/"+s.o.Version)
	r.Header.Set(crypt.HeaderAzure, crypt.SignAzure(secret, body))
	r.Header.Set(HeaderRun, d.Run)
	answer, err := s.o.HTTP.Do(ctx, r)
	if undecided(ctx, err) {
		return runs.Outcome{}, err
	}
	return outcome(answer, err, false), nil
}

// notice tells approvers. What goes wrong is told in the log of the run and changes
// nothing.
func (s *Sender) notice(ctx context.Context, secret string, d runs.Delivery, notice jsonv.Object) (runs.Outcome, error) {
	r, err := s.signed(ctx, http.MethodPost, jsonv.String(notice, "url"), secret, crypt.Body(notice["body"]))
	if err != nil {
		return runs.Outcome{Log: "Approvers cannot be notified: " + cause(err)}, nil
	}
	r.Header.Set(HeaderRun, d.Run)
	answer, err := s.o.HTTP.Do(ctx, r)
	switch {
	case undecided(ctx, err):
		return runs.Outcome{}, err
	case err != nil:
		return runs.Outcome{Log: "Approvers were not notified: " + cause(err)}, nil
	case answer.Status < 200 || answer.Status > 299:
		return runs.Outcome{Log: fmt.Sprintf("Approvers were not notified: the webhook answered %d", answer.Status)}, nil
	}
	return runs.Outcome{}, nil
}
