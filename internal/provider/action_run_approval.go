package provider

import (
	"context"
	"net/http"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// votes are the decisions as they are said and as they are answered.
var votes = map[string]string{"APPROVE": "APPROVED", "DECLINE": runDeclined}

// approvalDeclaration is port_action_run_approval, reference/actions.md §4.7.
func approvalDeclaration() *Declaration {
	return &Declaration{
		Name: "action_run_approval",
		Doc: "Vote about a run that waits for approval, cast as whoever the provider logs in as. Creating the resource votes.\n\n" +
			"Who asks and who decides are different people with different credentials: give the vote a provider configuration of its own (`provider = port.approver`) " +
			"and, where the run is one of this configuration, let that not wait for success (`wait_for = [\"WAITING_FOR_APPROVAL\"]`). " +
			"The vote can wait for the run instead, with a `wait_for` of its own.\n\n" +
			"A vote cannot be taken back: destroying the resource forgets it, and another decision is another vote, which Port refuses unless the run still waits. " +
			"Where somebody else has decided the same already, nothing is left to do and creating succeeds.",
		Key:      []string{"run_id"},
		ImportID: "<run_id>",
		API: API{
			Read: readApproval, Create: createApproval, Update: updateApproval, Delete: forgetApproval, Refresh: refreshApproval,
		},
		Parts: []lens.Part{
			lens.Field("run_id", lens.String, lens.Req, "ID of the run.").At("id").Check(notEmpty()).Replace(),
			lens.Field("decision", lens.Enum("APPROVE", "DECLINE"), lens.Req, "`APPROVE` or `DECLINE`.").Replace(),
			lens.Field("description", lens.String, lens.Opt, "What the vote is to say.").OmitEmpty().Replace(),
			waitFor([]string{}, "the run after the vote", "By default nothing is waited for."),
			waitTimeout(),
			lens.Setting("show_logs", lens.Bool, lens.Opt, "Whether a warning shows the last log lines of a run that was waited for. An error always does.").Default(true),
			lens.ReadOnly("run_status", lens.String, "Status of the run.").At("status"),
			lens.Derived("decided_by", "ID of the voter who decided; null while more votes are needed.", identifierIn("approval", "userId")),
		},
	}
}

// voteOf is a run as the vote of a resource sees it. Without one, on an import, the
// vote that decided is the one.
func voteOf(run, vote jsonv.Object) jsonv.Object {
	out := jsonv.CloneObject(run)
	for _, key := range []string{"decision", "description"} {
		delete(out, key)
		if v, ok := vote[key]; ok {
			out[key] = v
		}
	}
	if vote != nil {
		return out
	}
	for decision, state := range votes {
		if jsonv.String(run, "approval", "state") == state {
			out["decision"] = decision
		}
	}
	if said := jsonv.String(run, "approval", "description"); said != "" {
		out["description"] = said
	}
	return out
}

func readApproval(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
	run, err := s.oneRun(ctx, key[0])
	if err != nil {
		return nil, err
	}
	if jsonv.Map(run, "approval") == nil {
		return nil, portapi.NotFound("Nobody has decided about the run " + key[0])
	}
	return voteOf(run, nil), nil
}

func refreshApproval(ctx context.Context, s *session, prior tftypes.Value) (jsonv.Object, error) {
	held := lens.AsObj(prior)
	id, _ := text(held["run_id"])
	decision, voted := text(held["decision"])
	if !voted {
		return readApproval(ctx, s, []string{id})
	}
	run, err := s.oneRun(ctx, id)
	if err != nil {
		return nil, err
	}
	vote := jsonv.Object{"decision": decision}
	if said, ok := text(held["description"]); ok {
		vote["description"] = said
	}
	return voteOf(run, vote), nil
}

// createApproval votes. A vote that is counted already does no harm: it may be this
// one, whose answer was lost.
func createApproval(ctx context.Context, c *change) (jsonv.Object, error) {
	run, err := c.vote(ctx)
	if err != nil {
		return nil, err
	}
	w := c.watch(run, nil, nil)
	c.save(voteOf(w.run, c.body))
	err = w.wait(ctx)
	c.save(voteOf(w.run, c.body))
	if err != nil {
		return nil, err
	}
	w.show()
	return voteOf(w.run, c.body), nil
}

func (c *change) vote(ctx context.Context) (jsonv.Object, error) {
	id, decision := c.key[0], jsonv.String(c.body, "decision")
	body := jsonv.Object{"status": decision}
	if said := jsonv.String(c.body, "description"); said != "" {
		body["description"] = said
	}
	answer, err := c.api.Call(ctx, portapi.Op{
		Method: http.MethodPatch, Path: []string{"actions", "runs", id, "approval"}, Body: body, Repeat: portapi.RepeatSafe,
	})
	if err == nil {
		return envelope(answer, "run")
	}
	if portapi.HasCode(err, "run_not_waiting_for_approval") {
		if run, e := c.oneRun(ctx, id); e == nil && jsonv.String(run, "approval", "state") == votes[decision] {
			return run, nil
		}
	}
	if portapi.HasCode(err, "missing_permissions") {
		return nil, &advised{"Who is asked for an approval is settled when the run is made. If approvers were added to the action since then, run it again: " +
			"another text in the triggers of its port_action_run does.", err}
	}
	return nil, err
}

// updateApproval changes only what the provider does.
func updateApproval(ctx context.Context, c *change) (jsonv.Object, error) {
	return refreshApproval(ctx, c.session, c.prior)
}

func forgetApproval(context.Context, *change) error { return nil }
