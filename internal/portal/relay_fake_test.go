package portal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// fakeRelay does what the official relay does, in both modes, with requests of its
// own to the portal.
type fakeRelay struct {
	t      *testing.T
	p      *portaltest.Portal
	secret string
	mode   string
	read   *kgo.Client
	// handled are the ids of the runs that it was given, in order.
	handled []string
}

// streamer says how the relay wants its runs, as it does at its start.
func streamer(p *portaltest.Portal, mode string) {
	p.Must(http.MethodPatch, "/v1/organization", jsonv.Object{"settings": jsonv.Object{"portAgentStreamerName": mode}})
}

func newRelay(t *testing.T, p *portaltest.Portal, mode string) *fakeRelay {
	t.Helper()
	r := &fakeRelay{t: t, p: p, secret: relaySecret, mode: mode}
	streamer(p, mode)
	if mode != "KAFKA" {
		return r
	}
	credentials := p.Must(http.MethodGet, "/v1/kafka-credentials", nil)
	group := jsonv.String(credentials, "credentials", "username")
	var err error
	r.read, err = kgo.NewClient(
		kgo.SeedBrokers(jsonv.Strings(jsonv.List(credentials, "credentials", "brokers"))...), kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(p.Organization()+".runs"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.read.Close)
	return r
}

// work handles n runs and reports whether it got them in time.
func (r *fakeRelay) work(n int) {
	r.t.Helper()
	r.p.Settle()
	if r.mode != "KAFKA" {
		r.poll()
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	want := len(r.handled) + n
	for r.mode == "KAFKA" && len(r.handled) < want {
		fetches := r.read.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			r.t.Fatalf("%v: got %v", err, r.handled)
		}
		fetches.EachRecord(func(record *kgo.Record) {
			message, err := loads(record.Value)
			if err != nil {
				r.t.Fatal(err)
			}
			if message.values["changelogDestination"] != nil {
				return
			}
			r.verify(message, record.Value)
			r.run(message)
		})
	}
	r.p.Settle()
}

// verify checks the signature of a message from a topic and takes it out.
func (r *fakeRelay) verify(message *ordered, text []byte) {
	r.t.Helper()
	headers := message.object("headers")
	timestamp, number := headers.values["X-Port-Timestamp"].(json.Number)
	signature := headers.text("X-Port-Signature")
	headers.remove("X-Port-Signature")
	headers.remove("X-Port-Timestamp")
	if message.text("payload", "action", "invocationMethod", "type") == "GITLAB" {
		message.remove("headers")
	}
	if !number || signature != relaySignature(r.secret, string(timestamp), dumps(message)) {
		r.t.Errorf("the signature %s at %v is not that of %s as read from %s", signature, timestamp, dumps(message), text)
	}
}

// poll claims, acknowledges and handles.
func (r *fakeRelay) poll() {
	r.t.Helper()
	answer := r.p.Must(http.MethodPost, "/v1/actions/runs/claim-pending", jsonv.Object{"installationId": "_PORT_EXEC_AGENT", "limit": json.Number("100"), "invocationMethod": "WEBHOOK"})
	for _, claimed := range jsonv.List(answer, "runs") {
		id := jsonv.String(claimed, "id")
		if acked := r.p.Must(http.MethodPatch, "/v1/actions/runs/ack", jsonv.Object{"runIds": []any{id}}); acked["ackedCount"] != json.Number("1") {
			r.t.Errorf("run %s: %v", id, acked)
		}
		method := jsonv.Map(claimed, "payload")
		message, err := loads(jsonv.Encode(method["body"]))
		if err != nil {
			r.t.Fatal(err)
		}
		delete(method, "body")
		told, err := loads(jsonv.Encode(method))
		if err != nil {
			r.t.Fatal(err)
		}
		message.object("payload").object("action").set("invocationMethod", told)
		message.object("context").set("runId", id)
		message.object("headers")
		r.run(message)
	}
}

// run sends a message to its URL, signed, and reports what came of it.
func (r *fakeRelay) run(message *ordered) {
	r.t.Helper()
	id := message.text("context", "runId")
	r.handled = append(r.handled, id)
	method := message.object("payload").object("action").object("invocationMethod")
	text := dumps(message)
	request, err := http.NewRequestWithContext(r.t.Context(), method.text("method"), method.text("url"), strings.NewReader(text))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("X-Port-Timestamp", "1704067200")
	request.Header.Set("X-Port-Signature", relaySignature(r.secret, "1704067200", text))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if e := response.Body.Close(); err != nil || e != nil {
		r.t.Fatal(err, e)
	}
	path := "/v1/actions/runs/" + id
	switch {
	case response.StatusCode > 299:
		r.p.Must(http.MethodPatch, path, jsonv.Object{"status": "FAILURE", "summary": fmt.Sprintf("Failed to invoke the webhook with status code: %d", response.StatusCode)})
	case method.values["synchronized"] == true:
		v, err := jsonv.Decode(body)
		if err != nil {
			v = string(body)
		}
		r.p.Must(http.MethodPatch, path+"/response", jsonv.Object{"response": v})
		r.p.Must(http.MethodPatch, path, jsonv.Object{"status": "SUCCESS"})
	}
	r.p.Must(http.MethodPost, path+"/logs", jsonv.Object{"message": "the relay is done"})
}

func (r *fakeRelay) expect(what string, ids ...string) {
	r.t.Helper()
	if diff := cmp.Diff(ids, r.handled); diff != "" {
		r.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func kafkaCluster(t *testing.T) *kfake.Cluster {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.DefaultNumPartitions(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster
}

func brokersOf(c *kfake.Cluster) string { return strings.Join(c.ListenAddrs(), ",") }

// internalSystem is what only the relay reaches. It answers 500 to /fail, and checks
// who calls.
func internalSystem(t *testing.T) (url string, calls func() []jsonv.Object) {
	t.Helper()
	var mu sync.Mutex
	var seen []jsonv.Object
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("X-Port-Signature") != relaySignature(relaySecret, r.Header.Get("X-Port-Timestamp"), string(body)) {
			t.Errorf("who calls %s? %v", r.URL, err)
		}
		message, err := jsonv.DecodeObject(body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		seen = append(seen, message)
		mu.Unlock()
		if r.URL.Path == "/fail" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, `{"done":true}`)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []jsonv.Object {
		mu.Lock()
		defer mu.Unlock()
		return append([]jsonv.Object(nil), seen...)
	}
}

func relayAction(p *portaltest.Portal, id, url string, more jsonv.Object) {
	method := jsonv.Object{"type": "WEBHOOK", "agent": true, "url": url}
	for key, v := range more {
		method[key] = v
	}
	p.Must(http.MethodPost, "/v1/actions", jsonv.Object{
		"identifier": id, "trigger": jsonv.Object{"type": "self-service", "operation": "CREATE", "userInputs": jsonv.Object{"properties": jsonv.Object{}}},
		"invocationMethod": method,
	})
}

func runRelayed(p *portaltest.Portal, action string) string {
	return jsonv.String(p.Must(http.MethodPost, "/v1/actions/"+action+"/runs", jsonv.Object{"properties": jsonv.Object{}}), "run", "id")
}

// hostile is a body whose text changes when it is read and written again, unless
// numbers and text are spelled as it is then.
const hostile = `{"b":1,"a":2,"10":3,"2":4,"é":"é` + "\u2028" + `<>&\u0001\b\f\\u2028\u007f😀","n":[1.0,1.50,1e2,1E-7,0.0001,0.00001,-0,-0.0,1e16,1.5e300,
	123456789012345678901234567890,12345678.9,0.1,1e-400],"o":{"z":{},"y":[]},"payload":{"kept":true},"headers":{"h":1}}`
