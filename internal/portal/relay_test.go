package portal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// relaySecret is long enough for a key, as secrets of organizations are.
const relaySecret = "port-secret-for-tests-0123456789abcdef"

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
