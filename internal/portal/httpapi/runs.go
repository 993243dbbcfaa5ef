package httpapi

import (
	"net/http"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/runs"
)

// Deliveries sends what runs have written down.
type Deliveries interface {
	// Wake says that something may be due; it is called after the transaction.
	Wake()
}

// runner is who calls, in the words of runs.
func (c *Call) runner() runs.Caller {
	source := "API"
	if c.Actor.Origin == "UI" {
		source = "UI"
	}
	return runs.Caller{
		Subject: access.Subject{Org: c.Who.Org, ID: c.Who.ID, User: c.Who.User}, Source: source,
		Origin: c.Actor.Origin, Installation: c.Actor.Installation, UserAgent: c.Actor.UserAgent, Cause: c.Actor.Cause,
	}
}

// deliver has the outbox looked at once the transaction is committed.
func (c *Call) deliver() {
	if c.api.deliveries != nil {
		c.after = c.api.deliveries.Wake
	}
}

func run(o jsonv.Object, err error) (any, error) { return jsonv.Object{"run": o}, err }

func (c *Call) executeAction() (any, error) {
	c.deliver()
	c.status = http.StatusAccepted
	return run(c.api.runs.Execute(c.ctx, c.Tx, runs.Order{Caller: c.runner(), Action: c.params[0], Body: c.Body, RunAs: c.text("run_as"), Draft: c.draft}))
}

func (c *Call) listRuns() (any, error) {
	list, next, err := c.api.runs.List(c.ctx, c.Tx, c.runner(), runs.Filter{
		Entity: c.text("entity"), Blueprint: c.text("blueprint"), Action: c.text("action"), Active: c.flag("active"),
		UserEmail: c.text("user_email"), UserID: c.text("user_id"), Sources: c.list("source"), Exclude: c.list("exclude"),
		External: c.text("external_run_id"), Limit: c.text("limit"), Next: c.text("next"), Version: c.text("version"),
	})
	out := jsonv.Object{"runs": list}
	if next != "" {
		out["next"] = next
	}
	return out, err
}

func (c *Call) readRun() (any, error) {
	return run(c.api.runs.Read(c.ctx, c.Tx, c.runner(), c.params[0], c.text("version")))
}

func (c *Call) patchRun() (any, error) {
	return run(c.api.runs.Patch(c.ctx, c.Tx, c.runner(), c.params[0], c.Body, c.text("version")))
}

func (c *Call) approveRun() (any, error) {
	c.deliver()
	c.status = http.StatusCreated
	return run(c.api.runs.Vote(c.ctx, c.Tx, c.runner(), c.params[0], c.Body, c.text("version")))
}

func (c *Call) listApprovers() (any, error) {
	approvers, err := c.api.runs.Approvers(c.ctx, c.Tx, c.runner(), c.params[0], c.flag("include_pending_approvers"))
	return jsonv.Object{"approvers": approvers}, err
}

func (c *Call) listRunLogs() (any, error) {
	logs, err := c.api.runs.Logs(c.ctx, c.Tx, c.runner(), c.params[0], c.text("limit"), c.text("offset"))
	return jsonv.Object{"runLogs": logs}, err
}

func (c *Call) createRunLog() (any, error) {
	c.status = http.StatusCreated
	log, err := c.api.runs.Log(c.ctx, c.Tx, c.runner(), c.params[0], c.Body)
	return jsonv.Object{"runLog": log}, err
}

func (c *Call) claimRuns() (any, error) {
	claimed, err := c.api.runs.Claim(c.ctx, c.Tx, c.runner(), c.Body)
	return jsonv.Object{"runs": claimed}, err
}

// claimNodeRuns answers relays and integrations, which ask for nodes of workflows as
// often as for runs and treat any error as an outage of everything
// (reference/clients.md §6, §11 C30).
func (c *Call) claimNodeRuns() (any, error) {
	claimed, err := c.api.runs.ClaimNodes(c.runner(), c.Body)
	return jsonv.Object{"nodeRuns": claimed}, err
}

// listNodeRuns answers integrations, which look for the end of a job among the nodes of
// workflows and among runs alike: no workflow has been run.
func (c *Call) listNodeRuns() (any, error) {
	return jsonv.Object{"nodeRuns": []any{}}, nil
}

func (c *Call) ackRuns() (any, error) {
	n, err := c.api.runs.Ack(c.ctx, c.Tx, c.runner(), c.Body)
	return jsonv.Object{"ackedCount": jsonv.Int(n)}, err
}

func (c *Call) answerRun() (any, error) {
	return run(c.api.runs.Answer(c.ctx, c.Tx, c.runner(), c.params[0], c.Body))
}

// kafkaCredentials tells a relay where its messages are (reference/actions.md §3.10).
// The cluster is the operator's: the portal knows no user of it.
func (c *Call) kafkaCredentials() (any, error) {
	switch {
	case c.Who.User != nil:
		return nil, fault.NotPermitted("read the credentials of the message broker: only machine credentials may")
	case len(c.api.brokers) == 0:
		return nil, fault.New(http.StatusNotImplemented, "not_implemented", "This server has no message broker: start it with --kafka")
	}
	return jsonv.Object{"credentials": jsonv.Object{
		"brokers": jsonv.FromStrings(c.api.brokers), "username": c.Who.Org, "password": "",
	}}, nil
}
