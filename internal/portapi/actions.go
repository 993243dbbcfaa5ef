package portapi

import (
	"context"
	"fmt"
	"net/http"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// ReadAction returns one action or automation out of its envelope as GET
// /v1/actions/{id} gives it (reference/actions.md §1.4), out of the list of all of
// them once many were read. A missing one is a fault that [IsNotFound]. Use
// [Client.Call] for the read of a read-modify-write. The object is the caller's to
// change.
func (c *Client) ReadAction(ctx context.Context, identifier string) (jsonv.Object, error) {
	ctx = withLog(ctx, c)
	if identifier == "" {
		return nil, fmt.Errorf("read of an action: want an identifier")
	}
	if c.opts.Batch != BatchOff {
		if action := c.reads.listed(ctx, actionRoster, identifier, c.listActions); action != nil {
			return action, nil
		}
	}
	answer, err := c.send(ctx, Op{Method: http.MethodGet, Path: []string{"actions", identifier}})
	if err != nil {
		return nil, err
	}
	action, ok := answer["action"].(jsonv.Object)
	if !ok {
		return nil, fmt.Errorf("GET /v1/actions %q: want %q in the answer, got %s", identifier, "action", jsonv.KindOf(answer["action"]))
	}
	return action, nil
}

// Actions lists all actions and automations that the credentials may see, in the
// server's order.
func (c *Client) Actions(ctx context.Context) ([]jsonv.Object, error) {
	answer, err := c.send(withLog(ctx, c), Op{Method: http.MethodGet, Path: []string{"actions"}})
	if err != nil {
		return nil, err
	}
	return objectsIn(answer, "actions")
}

// listActions returns the actions that a list shows whole, by identifier.
func (c *Client) listActions(ctx context.Context) (byID, error) {
	actions, err := c.Actions(ctx)
	all := make(byID, len(actions))
	for _, action := range actions {
		_, triggered := action["trigger"].(jsonv.Object)
		_, invokes := action["invocationMethod"].(jsonv.Object)
		if triggered && invokes {
			all[text(action, "identifier")] = action
		}
	}
	return all, err
}
