package runs

import (
	"context"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// A run for the relay waits, with its evaluated method, for one of two ways to the
// relay: the relay claims it, or a message takes it to the topic of runs
// (reference/actions.md §3.9, §3.10). The relay says at its start which one it
// uses. Nothing goes both ways:
//
//   - While messages are the way, nothing can be claimed.
//   - A run on its way to the topic can neither be claimed; when its message is stored
//     it is with the relay, as if that had acknowledged a claim, and for good.
//   - What did not get there, without a broker or because the broker refused it, waits
//     again: for the next start of a relay, which sends it, or for claiming.
//   - What is claimed but not acknowledged when the way changes stays with who
//     claimed it until the claim's time is over, and then goes the new way.

// The ways to the relay, as the setting portAgentStreamerName has them (C8).
const (
	streamKafka   = "KAFKA"
	streamPolling = "POLLING"
)

// byTopic tells whether the relay reads messages. Unless one has said so, it does
// when there is a broker: relays of old know nothing else.
func (r *Runs) byTopic(tx store.Tx) (bool, error) {
	name, err := r.deps.Streamer(tx)
	switch name {
	case streamKafka:
		return true, err
	case streamPolling:
		return false, err
	}
	return r.deps.Broker, err
}

// relay gives the run to the relay.
func (s *starting) relay() error {
	if err := s.offer(agentInstallation); err != nil {
		return err
	}
	topic, err := s.r.byTopic(s.tx)
	if err != nil || !topic {
		return err
	}
	return s.r.toTopic(s.tx, s.org, s.k, jsonv.String(s.k.hidden, hiddenAction), time.Time{})
}

// toTopic writes a message down that takes a pending run to the relay, not before a
// moment; the caller stores the run.
func (r *Runs) toTopic(tx store.Tx, org string, k *kept, lane string, after time.Time) error {
	k.hidden[hiddenTopic] = true
	return r.send(tx, org, Delivery{
		Kind: DeliverRelay, Run: k.id(), Lane: lane, Method: jsonv.String(k.run, "payload", "type"),
		Sealed: jsonv.String(k.hidden, hiddenPayload), due: after,
	})
}

// Reroute sends what waits for a relay the way that was just chosen. Whoever calls it
// wakes the outbox after the transaction.
func (r *Runs) Reroute(_ context.Context, tx store.Tx, org string) error {
	topic, err := r.byTopic(tx)
	if err != nil || !topic || !r.deps.Broker {
		return err // what waits can be claimed, or nothing can be sent
	}
	waiting, err := pendingRuns(tx, org, claim{installation: agentInstallation, limit: maxWaiting}, lastMoment)
	if err != nil {
		return err
	}
	now := r.deps.Clock.Now().UTC()
	for _, k := range waiting {
		lane, after := jsonv.String(k.hidden, hiddenAction), time.Time{}
		if until, ok := jsonv.ParseTime(jsonv.String(k.run, "claimedUntil")); ok && until.After(now) {
			lane, after = k.id(), until // others need not wait for it
		}
		if err := r.toTopic(tx, org, k, lane, after); err != nil {
			return err
		}
		if err := put(tx, org, k); err != nil {
			return err
		}
	}
	return nil
}

// Every claim is over at lastMoment, and all pending runs are fewer than maxWaiting.
const (
	lastMoment = "9999"
	maxWaiting = 1 << 30
)

// still tells whether a message is to be sent: the run waits for it, and messages are
// the way. Otherwise the delivery goes, and the run waits as it did before.
func (r *Runs) still(tx store.Tx, org string, d Delivery) (bool, error) {
	topic, err := r.byTopic(tx)
	if err != nil {
		return false, err
	}
	k, err := get(tx, org, d.Run)
	gone := fault.IsNotFound(err)
	switch {
	case err != nil && !gone:
		return false, err
	case !gone && topic && jsonv.Bool(k.run, "pendingExecution"):
		return true, nil
	}
	if err := tx.Delete(KindDelivery, org, d.ID); err != nil || gone {
		return false, err
	}
	delete(k.hidden, hiddenTopic)
	return false, put(tx, org, k)
}

// handed notes what became of a message: stored, it is with the relay.
func (r *Runs) handed(tx store.Tx, org string, k *kept, o Outcome) error {
	delete(k.hidden, hiddenTopic)
	if o.Stored {
		acknowledge(k)
	}
	if o.Status == "" || ended(k.status()) {
		return put(tx, org, k)
	}
	return r.change(tx, r.portal(org, k), k, jsonv.Object{"status": o.Status})
}

// acknowledge notes that the run is with who executes it (C3).
func acknowledge(k *kept) {
	k.run["pendingExecution"] = false
	delete(k.run, "claimedUntil")
	delete(k.hidden, hiddenPayload)
}
