package invoke

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Kafka produces messages on a cluster. It is safe for concurrent use.
type Kafka struct {
	client *kgo.Client
	// Brokers are the addresses that it was given.
	Brokers []string
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
	return &Kafka{client, seeds}, nil
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
func (k *Kafka) Close() { k.client.Close() }
