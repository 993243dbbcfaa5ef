package portal_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// reference/actions.md §3.2 KAFKA, §3.10, §6.6.
// rows: act §10 7-8
func TestRunsAndChangesReachTheTopicsOfTheOrganization(t *testing.T) {
	t.Parallel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.AllowAutoTopicCreation())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	brokers := cluster.ListenAddrs()
	p := portaltest.Start(t, portaltest.Options{Kafka: strings.Join(brokers, ","), Seed: `{"blueprints":[
		{"identifier":"service","title":"Service","schema":{"properties":{}},"changelogDestination":{"type":"KAFKA"}},
		{"identifier":"relayed","title":"Relayed","schema":{"properties":{}},"changelogDestination":{"type":"WEBHOOK","url":"https://x.example","agent":true}}]}`})
	p.Must(http.MethodPost, "/v1/actions", jsonv.Object{
		"identifier": "tell", "trigger": jsonv.Object{"type": "self-service", "operation": "CREATE", "userInputs": jsonv.Object{"properties": jsonv.Object{}}},
		"invocationMethod": jsonv.Object{"type": "KAFKA", "payload": jsonv.Object{"run": "{{ .run.id }}"}},
	})
	run := jsonv.String(p.Must(http.MethodPost, "/v1/actions/tell/runs", jsonv.Object{"properties": jsonv.Object{}}), "run", "id")
	p.Must(http.MethodPost, "/v1/blueprints/service/entities", jsonv.Object{"identifier": "cart"})
	p.Must(http.MethodPost, "/v1/blueprints/relayed/entities", jsonv.Object{"identifier": "far"})
	p.Settle()
	runs, changes := p.Organization()+".runs", p.Organization()+".change.log"
	reader, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(runs, changes))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	got := map[string][]string{}
	for n := 0; n < 5; {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("%v after %v", err, got)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			n++
			said, err := jsonv.DecodeObject(r.Value)
			if err != nil {
				t.Fatal(err)
			}
			got[r.Topic] = append(got[r.Topic], strings.Join([]string{string(r.Key), jsonv.String(said, "run"), jsonv.String(said, "resourceType"), jsonv.String(said, "context", "entity"), jsonv.String(said, "changelogDestination", "url")}, " "))
		})
	}
	for _, list := range got {
		slices.Sort(list) // keys are in partitions of their own
	}
	want := map[string][]string{
		runs:    {"  blueprint  https://x.example", "far  entity far https://x.example", run + " " + run + "   "},
		changes: {"  blueprint  ", "cart  entity cart "},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	credentials := p.Must(http.MethodGet, "/v1/kafka-credentials", nil)
	if diff := cmp.Diff(brokers, jsonv.Strings(jsonv.List(credentials, "credentials", "brokers"))); diff != "" {
		t.Error(diff)
	}
	if a := p.CallAs(p.As(portaltest.User{Email: "m@x.io"}), http.MethodGet, "/v1/kafka-credentials", nil); a.Status != http.StatusForbidden {
		t.Errorf("a person reads them: %d", a.Status)
	}
	without := portaltest.Start(t)
	if a := without.CallAs(without.Token(), http.MethodGet, "/v1/kafka-credentials", nil); a.Status != http.StatusNotImplemented {
		t.Errorf("there is no broker: %d", a.Status)
	}
}
