package invoke

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Kafka produces messages on a cluster. It is safe for concurrent use.
type Kafka struct {
	client *kgo.Client
	// Brokers are the addresses that it was given.
	Brokers []string

	ctx    context.Context //nolint:containedctx // ends what runs beside the calls when the client is closed
	cancel context.CancelFunc
	works  sync.WaitGroup
}

// kafkaTime is how long a message may take to be stored by the cluster.
const kafkaTime = 30 * time.Second

// maxMessage bounds a message, in bytes.
const maxMessage = 1 << 20

// NewKafka connects to brokers, "host:port" separated by commas, when the first
// message is sent. Topics that the cluster does not make by itself must be there.
func NewKafka(brokers string) (*Kafka, error) {
	var seeds []string
	for _, b := range strings.Split(brokers, ",") {
		if b = strings.TrimSpace(b); b != "" {
			seeds = append(seeds, b)
		}
	}
	if len(seeds) == 0 {
		return nil, errors.New("no Kafka broker is given: want host:port, several separated by commas")
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(seeds...), kgo.ClientID("port-reference-server"), kgo.AllowAutoTopicCreation(),
		// A message counts as sent when every in-sync replica has it.
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordDeliveryTimeout(kafkaTime), kgo.ProducerBatchMaxBytes(maxMessage),
	)
	if err != nil {
		return nil, fmt.Errorf("kafka %s: %w", brokers, err)
	}
	k := &Kafka{client: client, Brokers: seeds}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	return k, nil
}

// Topics are those of an organization (reference/actions.md §3.10). Nothing of the
// portal's own goes to the last one.
func Topics(org string) []string {
	return []string{org + topicRuns, org + topicChanges, org + ".github.runs"}
}

// Prepare makes topics that are not there yet, in the background: a reader that
// comes before the first message of a topic could otherwise miss it. Clusters that
// do not permit it must have them.
func (k *Kafka) Prepare(log *slog.Logger, topics ...string) {
	k.works.Go(func() {
		ctx, cancel := context.WithTimeout(k.ctx, kafkaTime)
		defer cancel()
		if err := k.create(ctx, topics); err != nil && k.ctx.Err() == nil {
			log.Warn("kafka topics were not made", "brokers", strings.Join(k.Brokers, ","), "error", err)
		}
	})
}

func (k *Kafka) create(ctx context.Context, topics []string) error {
	request := kmsg.NewPtrCreateTopicsRequest()
	for _, name := range topics {
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, -1, -1 // as the cluster is set up
		request.Topics = append(request.Topics, topic)
	}
	answer, err := request.RequestWith(ctx, k.client)
	if err != nil {
		return err
	}
	for _, topic := range answer.Topics {
		if e := kerr.ErrorForCode(topic.ErrorCode); e != nil && !errors.Is(e, kerr.TopicAlreadyExists) {
			err = errors.Join(err, fmt.Errorf("topic %s: %w", topic.Topic, e))
		}
	}
	return err
}

// Send stores one message. Those of one key stay in order.
func (k *Kafka) Send(ctx context.Context, topic, key string, value []byte) error {
	record := &kgo.Record{Topic: topic, Key: []byte(key), Value: value}
	err := k.client.ProduceSync(ctx, record).FirstErr()
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return fmt.Errorf("topic %s: the cluster has none of that name and does not make it", topic)
	case err != nil:
		return fmt.Errorf("topic %s: %w", topic, err)
	}
	return nil
}

// Close ends the connections.
func (k *Kafka) Close() {
	k.cancel()
	k.works.Wait()
	k.client.Close()
}
