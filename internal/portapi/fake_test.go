package portapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// step is one answer of a [script]; hang makes it wait for the request's end.
type step struct {
	status int
	header map[string]string
	body   string
	err    error
	hang   bool
}

type sent struct {
	method, path, body string
	header             http.Header
	at                 time.Time
}

// script is a transport that answers from a list, the last step again and
// again, and records what it was asked. Token calls are answered aside.
type script struct {
	mu    sync.Mutex
	steps []step
	got   []sent
	auth  func(n int) step // nil: a token without an end
	auths []sent
	react func(sent) (step, bool) // comes before steps
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	record := sent{r.Method, r.URL.EscapedPath(), string(body), r.Header.Clone(), time.Now()}
	if r.URL.RawQuery != "" {
		record.path += "?" + r.URL.RawQuery
	}
	s.mu.Lock()
	var now step
	if r.URL.Path == "/v1/auth/access_token" {
		s.auths = append(s.auths, record)
		now = step{status: 200, body: fmt.Sprintf(`{"ok":true,"accessToken":"token-%d"}`, len(s.auths))}
		if s.auth != nil {
			now = s.auth(len(s.auths))
		}
	} else if reaction, ok := s.reaction(record); ok {
		now = reaction
		s.got = append(s.got, record)
	} else {
		now = s.steps[min(len(s.got), len(s.steps)-1)]
		s.got = append(s.got, record)
	}
	s.mu.Unlock()
	if now.hang {
		<-r.Context().Done()
		return nil, context.Cause(r.Context())
	}
	if now.err != nil {
		return nil, now.err
	}
	h := http.Header{"Content-Type": {"application/json"}, "X-Trace-Id": {"trace-1"}}
	for k, v := range now.header {
		h.Set(k, v)
	}
	return &http.Response{
		StatusCode: now.status, Header: h, Request: r, ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(strings.NewReader(now.body)), ContentLength: -1,
	}, nil
}

func (s *script) reaction(r sent) (step, bool) {
	if s.react == nil {
		return step{}, false
	}
	return s.react(r)
}

func (s *script) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.got)
}

func client(t testing.TB, o Options) *Client {
	t.Helper()
	if o.BaseURL == "" {
		o.BaseURL = "http://port.test"
	}
	if o.ClientID == "" && o.Token == "" && !o.Anonymous {
		o.ClientID, o.Secret = "the-client", "the-client-secret"
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func answered(status int, body string) step { return step{status: status, body: body} }

const fine = `{"ok":true}`

// fakePort is as much of a Port API as reads and writes of entities need, kept
// apart from the portal so that the two cannot share a mistake.
type fakePort struct {
	mu         sync.Mutex
	blueprints map[string]jsonv.Object
	entities   map[string]map[string]jsonv.Object
	order      map[string][]string
	log        []string
	largest    int
	// literal follows the published schema of the scoped search, which has no
	// exclude_calculated_properties.
	literal bool
	// refuse answers instead of the API when it returns a status.
	refuse func(route string) int
}

func newFakePort() *fakePort {
	return &fakePort{
		blueprints: map[string]jsonv.Object{}, entities: map[string]map[string]jsonv.Object{}, order: map[string][]string{},
	}
}

func (p *fakePort) blueprint(id string) {
	p.blueprints[id] = jsonv.Object{
		"identifier":             id,
		"schema":                 jsonv.Object{"properties": jsonv.Object{"n": jsonv.Object{"type": "number"}}},
		"calculationProperties":  jsonv.Object{"double": jsonv.Object{"type": "number"}},
		"mirrorProperties":       jsonv.Object{"mirrored": jsonv.Object{"path": "r.$title"}},
		"aggregationProperties":  jsonv.Object{"total": jsonv.Object{"type": "number"}},
		"relations":              jsonv.Object{"double": jsonv.Object{"target": id}},
		"includeInGlobalSearch":  true,
		"changelogDestination":   nil,
		"teamInheritance":        nil,
		"createdAt":              "2024-01-01T00:00:00.000Z",
		"additionalUnknownField": "kept",
	}
	p.entities[id] = map[string]jsonv.Object{}
}

func (p *fakePort) put(bp, id string, n int) {
	if _, ok := p.entities[bp][id]; !ok {
		p.order[bp] = append(p.order[bp], id)
	}
	p.entities[bp][id] = jsonv.Object{
		"identifier": id, "title": "T " + id, "blueprint": bp, "team": []any{},
		"properties": jsonv.Object{"n": json.Number(fmt.Sprint(n)), "nothing": nil, "list": []any{"a", json.Number("9007199254740993")}},
		"relations":  jsonv.Object{"double": nil},
		"scorecards": jsonv.Object{},
	}
}

func (p *fakePort) remove(bp, id string) {
	delete(p.entities[bp], id)
	p.order[bp] = slices.DeleteFunc(p.order[bp], func(o string) bool { return o == id })
}

func (p *fakePort) requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.log)
}

func (p *fakePort) show(e jsonv.Object, plain bool) jsonv.Object {
	e = jsonv.CloneObject(e)
	if plain {
		return e
	}
	if props, ok := e["properties"].(jsonv.Object); ok {
		props["double"], props["mirrored"], props["total"] = json.Number("2"), nil, json.Number("7")
	}
	return e
}

func (p *fakePort) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	status, answer := p.answer(r)
	answer["ok"] = status < 300
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if _, err := w.Write(jsonv.Encode(answer)); err != nil {
		return
	}
}

func (p *fakePort) answer(r *http.Request) (int, jsonv.Object) {
	gone := jsonv.Object{"error": "not_found", "message": "it was not found"}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return 400, jsonv.Object{"error": err.Error()}
	}
	p.largest = max(p.largest, len(text))
	segments := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/v1/"), "/")
	for i, s := range segments {
		segments[i] = mustUnescape(s)
	}
	shape := slices.Clone(segments)
	for i := 1; i < len(shape); i += 2 {
		if i == 1 || r.Method != http.MethodPost || shape[i] != "search" {
			shape[i] = "*"
		}
	}
	route := r.Method + " " + strings.Join(shape, "/")
	p.log = append(p.log, route)
	if p.refuse != nil {
		if status := p.refuse(route); status != 0 {
			return status, jsonv.Object{"error": "refused", "message": "refused by the test"}
		}
	}
	if segments[0] == "auth" {
		return 200, jsonv.Object{"accessToken": "t", "expiresIn": json.Number("10800")}
	}
	if len(segments) == 1 && segments[0] == "blueprints" {
		list := []any{}
		for _, b := range p.blueprints {
			list = append(list, jsonv.Clone(b))
		}
		return 200, jsonv.Object{"blueprints": list}
	}
	if len(segments) < 2 {
		return 404, gone
	}
	bp, known := p.blueprints[segments[1]]
	if !known {
		return 404, gone
	}
	plain := r.URL.Query().Get("exclude_calculated_properties") == "true"
	id := segments[1]
	switch {
	case len(segments) == 2 && r.Method == http.MethodGet:
		return 200, jsonv.Object{"blueprint": jsonv.Clone(bp)}
	case len(segments) == 3 && segments[2] == "entities-count":
		return 200, jsonv.Object{"count": json.Number(fmt.Sprint(len(p.entities[id])))}
	case len(segments) == 4 && segments[3] == "search" && r.Method == http.MethodPost:
		return p.search(id, text, plain && !p.literal)
	case len(segments) == 4 && r.Method == http.MethodGet:
		e, ok := p.entities[id][segments[3]]
		if !ok {
			return 404, gone
		}
		return 200, jsonv.Object{"entity": p.show(e, plain)}
	case len(segments) == 4 && r.Method == http.MethodPut:
		p.put(id, segments[3], 999)
		return 200, jsonv.Object{"entity": p.show(p.entities[id][segments[3]], false)}
	case len(segments) == 4 && r.Method == http.MethodDelete:
		if _, ok := p.entities[id][segments[3]]; !ok {
			return 404, gone
		}
		p.remove(id, segments[3])
		return 200, jsonv.Object{}
	}
	return 404, gone
}

func (p *fakePort) search(bp string, text []byte, plain bool) (int, jsonv.Object) {
	var q struct {
		Query *struct {
			Combinator string
			Rules      []struct {
				Property, Operator string
				Value              []string
			}
		}
		Limit int
		From  string
	}
	q.Limit = 200
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&q); err != nil || q.Limit < 1 || q.Limit > 1000 {
		return 422, jsonv.Object{"error": "invalid_request", "message": fmt.Sprint("bad search: ", err, q.Limit)}
	}
	start := 0
	if q.From != "" {
		start = slices.Index(p.order[bp], q.From) + 1
	}
	list := []any{}
	next := ""
	for _, id := range p.order[bp][start:] {
		if q.Query != nil {
			rule := q.Query.Rules[0]
			if rule.Property != "$identifier" || rule.Operator != "in" || q.Query.Combinator != "and" {
				return 422, jsonv.Object{"error": "invalid_request", "message": "unexpected rule"}
			}
			if !slices.Contains(rule.Value, id) {
				continue
			}
		}
		if len(list) == q.Limit {
			break
		}
		list = append(list, p.show(p.entities[bp][id], plain))
		next = id
	}
	answer := jsonv.Object{"entities": list}
	if len(list) == q.Limit && next != p.order[bp][len(p.order[bp])-1] {
		answer["next"] = next
	}
	return 200, answer
}

// RoundTrip serves the fake without a socket, so that it works in a bubble.
func (p *fakePort) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Result(), nil
}

var errBroken = errors.New("connection reset by peer")
