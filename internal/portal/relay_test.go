package portal_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// relaySecret is long enough for a key, as secrets of organizations are.
const relaySecret = "port-secret-for-tests-0123456789abcdef"

// ordered is a JSON object that keeps the order of its keys, as the official relay
// does between reading a message and checking its signature.
type ordered struct {
	keys   []string
	values map[string]any
}

func (o *ordered) set(key string, v any) {
	if _, ok := o.values[key]; !ok {
		o.keys = append(o.keys, key)
	}
	o.values[key] = v
}

func (o *ordered) remove(key string) {
	delete(o.values, key)
	for i, k := range o.keys {
		if k == key {
			o.keys = append(append([]string{}, o.keys[:i]...), o.keys[i+1:]...)
		}
	}
}

func (o *ordered) object(key string) *ordered {
	inner, ok := o.values[key].(*ordered)
	if !ok {
		inner = &ordered{values: map[string]any{}}
		o.set(key, inner)
	}
	return inner
}

func (o *ordered) text(path ...string) string {
	for _, key := range path[:len(path)-1] {
		o = o.object(key)
	}
	s, _ := o.values[path[len(path)-1]].(string)
	return s
}

// loads and dumps are json.loads and json.dumps(separators=(",", ":"),
// ensure_ascii=False) of Python.
func loads(text []byte) (*ordered, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := load(d)
	o, ok := v.(*ordered)
	if err == nil && !ok {
		err = fmt.Errorf("%s is no object", text)
	}
	return o, err
}

func load(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		o := &ordered{values: map[string]any{}}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			if o.values[fmt.Sprint(key)], err = load(d); err != nil {
				return nil, err
			}
			o.keys = append(o.keys, fmt.Sprint(key))
		}
		_, err := d.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := load(d)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	return token, nil
}

func dumps(v any) string {
	switch v := v.(type) {
	case *ordered:
		var parts []string
		for _, key := range v.keys {
			parts = append(parts, dumps(key)+":"+dumps(v.values[key]))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case []any:
		var parts []string
		for _, e := range v {
			parts = append(parts, dumps(e))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case json.Number:
		return pythonNumber(string(v))
	case string:
		var b strings.Builder
		for _, r := range v {
			if short := map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\f': `\f`, '\b': `\b`}[r]; short != "" {
				b.WriteString(short)
			} else if r < ' ' {
				fmt.Fprintf(&b, `\u%04x`, r)
			} else {
				b.WriteRune(r)
			}
		}
		return `"` + b.String() + `"`
	case bool:
		return strconv.FormatBool(v)
	}
	return "null"
}

func pythonNumber(text string) string {
	if !strings.ContainsAny(text, ".eE") {
		if text == "-0" {
			return "0"
		}
		return text
	}
	f, _ := strconv.ParseFloat(text, 64)
	digits := strconv.FormatFloat(f, 'e', -1, 64)
	exponent, _ := strconv.Atoi(digits[strings.IndexByte(digits, 'e')+1:])
	if f != 0 && (exponent < -4 || exponent >= 16) {
		return digits
	}
	fixed := strconv.FormatFloat(f, 'f', -1, 64)
	if f == math.Trunc(f) {
		fixed += ".0"
	}
	return fixed
}

func relaySignature(secret, timestamp, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "." + text))
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

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

// rows: act M1-2, act C8
func TestTheRelayVerifiesAndReportsWhatItGetsEitherWay(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"KAFKA", "POLLING"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			o := portaltest.Options{ClientID: portaltest.ClientID, ClientSecret: relaySecret, Kafka: brokersOf(kafkaCluster(t))}
			p := portaltest.Start(t, o)
			url, calls := internalSystem(t)
			body, err := jsonv.Decode([]byte(hostile))
			if err != nil {
				t.Fatal(err)
			}
			relayAction(p, "sync", url+"/ok", jsonv.Object{"synchronized": true, "method": "PUT", "body": body})
			relayAction(p, "async", url+"/ok", jsonv.Object{"headers": jsonv.Object{"A": "1"}})
			relayAction(p, "fail", url+"/fail", nil)
			relay := newRelay(t, p, mode)
			var ids []string
			for _, name := range []string{"sync", "async", "fail"} {
				ids = append(ids, runRelayed(p, name))
				p.Settle() // messages of different actions may overtake one another
			}
			relay.work(3)
			relay.expect("in order", ids...)
			var got []jsonv.Object
			for _, id := range ids {
				run := jsonv.Map(p.Must(http.MethodGet, "/v1/actions/runs/"+id, nil), "run")
				logs := jsonv.List(p.Must(http.MethodGet, "/v1/actions/runs/"+id+"/logs", nil), "runLogs")
				got = append(got, jsonv.Object{"status": run["status"], "response": run["response"], "summary": run["summary"], "pending": run["pendingExecution"], "logs": len(logs)})
			}
			want := []jsonv.Object{
				{"status": "SUCCESS", "response": jsonv.Object{"done": true}, "summary": "", "pending": false, "logs": 1},
				{"status": "IN_PROGRESS", "response": nil, "summary": "", "pending": false, "logs": 1},
				{"status": "FAILURE", "response": nil, "summary": "Failed to invoke the webhook with status code: 500", "pending": false, "logs": 1},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if first := calls()[0]; !jsonv.Bool(first, "payload", "kept") {
				t.Errorf("the internal system got %s", jsonv.Encode(first))
			}
			if second := calls()[1]; jsonv.String(second, "context", "runId") != ids[1] || jsonv.String(second, "payload", "action", "invocationMethod", "headers", "A") != "1" || jsonv.String(second, "resourceType") != "run" {
				t.Errorf("the internal system got %s", jsonv.Encode(second))
			}
		})
	}
}

// rows: act M3
func TestMessagesForGitLabAreSignedWithoutTheirHeaders(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t, portaltest.Options{ClientID: portaltest.ClientID, ClientSecret: relaySecret})
	streamer(p, "KAFKA")
	p.Must(http.MethodPost, "/v1/actions", jsonv.Object{
		"identifier": "a", "trigger": jsonv.Object{"type": "self-service", "operation": "CREATE", "userInputs": jsonv.Object{"properties": jsonv.Object{}}},
		"invocationMethod": jsonv.Object{"type": "GITLAB", "projectName": "p", "groupName": "g", "pipelineVariables": jsonv.Object{"é": json.Number("1.0")}},
	})
	runRelayed(p, "a")
	p.Settle()
	messages := p.Messages()
	if len(messages) != 1 {
		t.Fatalf("%d messages", len(messages))
	}
	message, err := loads(messages[0].Value)
	if err != nil {
		t.Fatal(err)
	}
	(&fakeRelay{t: t, p: p, secret: relaySecret}).verify(message, messages[0].Value)
}

func claimable(p *portaltest.Portal) int {
	answer := p.Must(http.MethodPost, "/v1/actions/runs/claim-pending", jsonv.Object{"installationId": p.Organization(), "limit": json.Number("100"), "visibilityTimeoutMs": json.Number("1")})
	p.Advance(time.Millisecond)
	return len(jsonv.List(answer, "runs"))
}

func TestRunsGoOneWayToTheRelayEvenWhenItChangesItsMind(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t, portaltest.Options{ClientID: portaltest.ClientID, ClientSecret: relaySecret, Kafka: brokersOf(kafkaCluster(t))})
	url, _ := internalSystem(t)
	relayAction(p, "a", url, nil)
	relayAction(p, "b", url, nil)
	claim := func(limit string) {
		t.Helper()
		answer := p.Must(http.MethodPost, "/v1/actions/runs/claim-pending", jsonv.Object{"installationId": "_PORT_EXEC_AGENT", "limit": json.Number(limit), "visibilityTimeoutMs": json.Number("60000")})
		if got := fmt.Sprint(len(jsonv.List(answer, "runs"))); got != limit {
			t.Fatalf("%s runs were claimed, want %s", got, limit)
		}
	}
	// With a broker and no word of the relay, messages are the way.
	silent := runRelayed(p, "a")
	p.Settle()
	if n := claimable(p); n != 0 {
		t.Errorf("%d of what is on the topic can be claimed", n)
	}
	streamer(p, "POLLING")
	acked, lost, waiting := runRelayed(p, "a"), runRelayed(p, "a"), ""
	claim("2")
	waiting = runRelayed(p, "b")
	relay := newRelay(t, p, "KAFKA")
	relay.work(2)
	relay.expect("what waited for nobody", silent, waiting)
	if n := claimable(p); n != 0 {
		t.Errorf("%d can be claimed while messages are the way", n)
	}
	p.Must(http.MethodPatch, "/v1/actions/runs/ack", jsonv.Object{"runId": acked})
	late := runRelayed(p, "a")
	relay.work(1)
	relay.expect("a claimed run holds up nobody", silent, waiting, late)
	p.Advance(time.Minute)
	relay.work(1)
	relay.expect("what was claimed and not acknowledged", silent, waiting, late, lost)
	// And back, with one under a claim of which nothing comes.
	streamer(p, "POLLING")
	last := runRelayed(p, "b")
	claim("1")
	streamer(p, "KAFKA")
	streamer(p, "POLLING")
	p.Advance(time.Minute)
	p.Settle()
	if n := claimable(p); n != 1 {
		t.Errorf("%d runs can be claimed, want only %s", n, last)
	}
	streamer(p, "KAFKA")
	relay.work(1)
	relay.expect("what can no longer be claimed", silent, waiting, late, lost, last)
}

func TestWhatTheBrokerRefusesWaitsForTheRelay(t *testing.T) {
	t.Parallel()
	cluster := kafkaCluster(t)
	p := portaltest.Start(t, portaltest.Options{ClientID: portaltest.ClientID, ClientSecret: relaySecret, Kafka: brokersOf(cluster)})
	url, _ := internalSystem(t)
	relayAction(p, "a", url, nil)
	refuse := func() {
		cluster.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
			asked, ok := request.(*kmsg.ProduceRequest)
			if !ok {
				return nil, nil, false
			}
			answer, _ := asked.ResponseKind().(*kmsg.ProduceResponse)
			for _, topic := range asked.Topics {
				said := kmsg.NewProduceResponseTopic()
				said.Topic, said.TopicID = topic.Topic, topic.TopicID
				for _, partition := range topic.Partitions {
					one := kmsg.NewProduceResponseTopicPartition()
					one.Partition, one.ErrorCode = partition.Partition, kerr.TopicAuthorizationFailed.Code
					said.Partitions = append(said.Partitions, one)
				}
				answer.Topics = append(answer.Topics, said)
			}
			return answer, nil, true
		})
	}
	relay := newRelay(t, p, "KAFKA")
	refuse()
	run := runRelayed(p, "a")
	p.Settle()
	got := jsonv.Map(p.Must(http.MethodGet, "/v1/actions/runs/"+run, nil), "run")
	if got["status"] != "IN_PROGRESS" || got["pendingExecution"] != true {
		t.Errorf("the run is %v, pending %v", got["status"], got["pendingExecution"])
	}
	logs := jsonv.List(p.Must(http.MethodGet, "/v1/actions/runs/"+run+"/logs", nil), "runLogs")
	if len(logs) != 1 || !strings.Contains(jsonv.String(logs[0], "message"), "was not stored") {
		t.Errorf("logs %s", jsonv.Encode(logs))
	}
	if n := claimable(p); n != 0 {
		t.Errorf("%d can be claimed: the message may be on the topic after all", n)
	}
	streamer(p, "KAFKA")
	relay.work(1)
	relay.expect("once the relay starts again", run)
	refuse()
	run = runRelayed(p, "a")
	p.Settle()
	polling := newRelay(t, p, "POLLING")
	polling.work(1)
	polling.expect("polling", run)
}

func TestAMessageOnItsWayCannotBeClaimedToo(t *testing.T) {
	t.Parallel()
	cluster := kafkaCluster(t)
	p := portaltest.Start(t, portaltest.Options{ClientID: portaltest.ClientID, ClientSecret: relaySecret, Kafka: brokersOf(cluster)})
	url, _ := internalSystem(t)
	relayAction(p, "a", url, nil)
	relay := newRelay(t, p, "KAFKA")
	underWay := make(chan int, 1)
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		streamer(p, "POLLING")
		underWay <- claimable(p)
		return nil, nil, false // and now it is stored
	})
	run := runRelayed(p, "a")
	if n := <-underWay; n != 0 {
		t.Error("the run was claimed while its message was under way")
	}
	relay.work(1)
	relay.expect("the message", run)
	if n := claimable(p); n != 0 {
		t.Error("the run can be claimed after its message was stored")
	}
}

func TestAClaimHoldsAcrossARestartThoughMessagesAreTheWay(t *testing.T) {
	t.Parallel()
	o := portaltest.Options{ClientID: portaltest.ClientID, ClientSecret: relaySecret, Kafka: brokersOf(kafkaCluster(t)), DataFile: filepath.Join(t.TempDir(), "portal.db")}
	first := portaltest.Start(t, o)
	url, _ := internalSystem(t)
	relayAction(first, "a", url, nil)
	streamer(first, "POLLING")
	run := runRelayed(first, "a")
	first.Must(http.MethodPost, "/v1/actions/runs/claim-pending", jsonv.Object{"installationId": "_PORT_EXEC_AGENT", "limit": json.Number("1")})
	streamer(first, "KAFKA")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := portaltest.Start(t, o)
	second.Settle()
	pending := func() any {
		return jsonv.Map(second.Must(http.MethodGet, "/v1/actions/runs/"+run, nil), "run")["pendingExecution"]
	}
	if pending() != true {
		t.Error("the message was sent while somebody held the run")
	}
	relay := newRelay(t, second, "KAFKA")
	second.Advance(2 * time.Minute)
	relay.work(1)
	relay.expect("after the claim", run)
	if pending() != false {
		t.Error("the run waits although the relay has it")
	}
}

func TestAMessageThatWasNotSentIsSentByTheNextPortal(t *testing.T) {
	t.Parallel()
	o := portaltest.Options{ClientID: portaltest.ClientID, ClientSecret: relaySecret, Kafka: "127.0.0.1:1", DataFile: filepath.Join(t.TempDir(), "portal.db")}
	first := portaltest.Start(t, o)
	url, _ := internalSystem(t)
	relayAction(first, "a", url, nil)
	streamer(first, "KAFKA")
	one, two := runRelayed(first, "a"), runRelayed(first, "a")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	o.Kafka = brokersOf(kafkaCluster(t))
	second := portaltest.Start(t, o)
	if n := claimable(second); n != 0 {
		t.Errorf("%d can be claimed", n)
	}
	relay := newRelay(t, second, "KAFKA")
	relay.work(2)
	relay.expect("in their order", one, two)
}

func TestARunThatEndsBeforeItsMessageIsSentIsNotSent(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t, portaltest.Options{ClientID: portaltest.ClientID, ClientSecret: relaySecret, Kafka: brokersOf(kafkaCluster(t))})
	url, _ := internalSystem(t)
	relayAction(p, "a", url, nil)
	streamer(p, "POLLING")
	ended, going := runRelayed(p, "a"), runRelayed(p, "a")
	p.Must(http.MethodPost, "/v1/actions/runs/claim-pending", jsonv.Object{"installationId": "_PORT_EXEC_AGENT", "limit": json.Number("2")})
	relay := newRelay(t, p, "KAFKA")
	p.Must(http.MethodPatch, "/v1/actions/runs/"+ended, jsonv.Object{"status": "FAILURE"})
	p.Advance(2 * time.Minute)
	relay.work(1)
	relay.expect("the one that goes on", going)
}

func TestTheTopicsOfTheOrganizationAreThereBeforeTheFirstMessage(t *testing.T) {
	t.Parallel()
	cluster := kafkaCluster(t)
	p := portaltest.Start(t, portaltest.Options{Kafka: brokersOf(cluster)})
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	want := map[string]bool{p.Organization() + ".runs": true, p.Organization() + ".change.log": true, p.Organization() + ".github.runs": true}
	for {
		answer, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, client)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, topic := range answer.Topics {
			got[*topic.Topic] = true
		}
		if cmp.Equal(want, got) {
			return
		}
	}
}
