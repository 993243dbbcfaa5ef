package invoke

import (
	"context"
	"fmt"
	"net/http"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/crypt"
	"github.com/portlens/terraform-provider-port/internal/portal/runs"
)

type deliveryKey struct{}

// DeliveryOf is the delivery for which a call is made, for [Options.Self].
func DeliveryOf(ctx context.Context) (runs.Delivery, bool) {
	d, ok := ctx.Value(deliveryKey{}).(runs.Delivery)
	return d, ok
}

// change tells the destination of a blueprint's change log of a change
// (reference/actions.md §6.6). What goes wrong is for the log of the portal: the
// change stands.
func (s *Sender) change(ctx context.Context, secret string, _ runs.Delivery, payload jsonv.Object) (runs.Outcome, error) {
	destination := jsonv.Map(payload, "destination")
	switch {
	case jsonv.String(destination, "type") == "KAFKA":
		return s.message(ctx, topicChanges, jsonv.String(payload, "body", "context", "entity"), payload["body"])
	case jsonv.Bool(destination, "agent"):
		// The relay reads the topic of runs, and knows such messages by their
		// destination (M4).
		return s.message(ctx, topicRuns, jsonv.String(payload, "body", "context", "entity"), payload["body"])
	}
	r, err := s.signed(ctx, http.MethodPost, jsonv.String(destination, "url"), secret, crypt.Body(payload["body"]))
	if err != nil {
		return runs.Outcome{Log: "The request cannot be made: " + cause(err)}, nil
	}
	answer, err := s.o.HTTP.Do(ctx, r)
	switch {
	case undecided(ctx, err):
		return runs.Outcome{}, err
	case err != nil:
		return runs.Outcome{Log: "The destination was not reached: " + cause(err)}, nil
	case answer.Status < 200 || answer.Status > 299:
		return runs.Outcome{Log: fmt.Sprintf("The destination answered %d %s", answer.Status, http.StatusText(answer.Status))}, nil
	}
	return runs.Outcome{}, nil
}
