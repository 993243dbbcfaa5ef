package portal

import "github.com/portlens/terraform-provider-port/internal/portal/invoke"

// connect prepares for sending messages to brokers, if there are any.
func (p *Portal) connect(brokers string) (err error) {
	if brokers != "" {
		p.kafka, err = invoke.NewKafka(brokers)
	}
	return err
}

// messages keeps a missing cluster from being one that is there.
func messages(k *invoke.Kafka) invoke.Messages {
	if k == nil {
		return nil
	}
	return k
}

// brokers are the addresses of the cluster, none without one.
func (p *Portal) brokers() []string {
	if p.kafka == nil {
		return nil
	}
	return p.kafka.Brokers
}

// Messages are the last messages of a portal without a broker, oldest first: what
// would be on the topics of its organization. They are lost when it is closed.
func (p *Portal) Messages() []Message { return p.deliveries.sender.Messages() }

// Message is a message for a topic.
type Message = invoke.Message
