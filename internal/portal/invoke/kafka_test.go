package invoke_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/portlens/terraform-provider-port/internal/portal/invoke"
)

func TestMessagesReachTheirTopicInOrder(t *testing.T) {
	t.Parallel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "org_1.runs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	k, err := invoke.NewKafka(" " + strings.Join(cluster.ListenAddrs(), ", ") + ",")
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, message := range []string{`{"n":1}`, `{"n":2}`, `{"n":3}`} {
		if err := k.Send(ctx, "org_1.runs", "r_1", []byte(message)); err != nil {
			t.Fatal(err)
		}
	}
	reader, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("org_1.runs"))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var got []string
	for len(got) < 3 {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) { got = append(got, string(r.Key)+string(r.Value)) })
	}
	if text := strings.Join(got, " "); text != `r_1{"n":1} r_1{"n":2} r_1{"n":3}` {
		t.Error(text)
	}
}

func TestAClusterThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := invoke.NewKafka(" , "); err == nil {
		t.Error("no broker is given")
	}
	k, err := invoke.NewKafka("127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := k.Send(ctx, "org_1.runs", "r_1", nil); err == nil || !strings.Contains(err.Error(), "org_1.runs") {
		t.Error(err)
	}
}
