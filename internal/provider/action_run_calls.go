package provider

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// logPage is how many log lines one answer holds at most.
const logPage = 50

// mostChanges is how many records of the audit log one answer holds at most
// (reference/catalog.md §7); fewer unless it is asked for.
const mostChanges = 1000

// oneRun is the run as the server shows it.
func (s *session) oneRun(ctx context.Context, id string) (jsonv.Object, error) {
	answer, err := s.api.Call(ctx, portapi.Op{Method: http.MethodGet, Path: []string{"actions", "runs", id}})
	if err != nil {
		return nil, err
	}
	return envelope(answer, "run")
}

// runLogs are the log lines of a run that follow the first seen ones.
func (s *session) runLogs(ctx context.Context, id string, seen int) ([]any, error) {
	var out []any
	for {
		answer, err := s.api.Call(ctx, portapi.Op{
			Method: http.MethodGet, Path: []string{"actions", "runs", id, "logs"},
			Query: url.Values{"limit": {strconv.Itoa(logPage)}, "offset": {strconv.Itoa(seen + len(out))}},
		})
		if err != nil {
			return out, err
		}
		page := jsonv.List(answer, "runLogs")
		out = append(out, page...)
		if len(page) < logPage {
			return out, nil
		}
	}
}

// runEntities are the changes of entities that the audit log ties to a run, the
// oldest first. Who may see a run may not see all of them: a refusal is no entities.
func (s *session) runEntities(ctx context.Context, id string) ([]any, error) {
	answer, err := s.api.Call(ctx, portapi.Op{
		Method: http.MethodGet, Path: []string{"audit-log"},
		Query: url.Values{"run_id": {id}, "resources": {"entity"}, "status": {"SUCCESS"}, "limit": {strconv.Itoa(mostChanges)}},
	})
	if f, ok := portapi.AsFault(err); ok && f.Status >= 400 && f.Status < 500 {
		return nil, nil
	}
	audits := jsonv.List(answer, "audits")
	out := make([]any, 0, len(audits))
	for _, audit := range slices.Backward(audits) {
		entry, ok := audit.(jsonv.Object)
		if !ok || jsonv.String(entry, "resourceType") != "entity" {
			continue
		}
		out = append(out, jsonv.Object{
			"action": jsonv.String(entry, "action"), "blueprint": jsonv.String(entry, "context", "blueprint"), "identifier": jsonv.String(entry, "context", "entity"),
		})
	}
	return out, err
}

// runApprovers are the votes about a run, given and awaited (reference/actions.md
// §4.7).
func (s *session) runApprovers(ctx context.Context, run jsonv.Object) ([]any, error) {
	if needed := run["requiredApproval"]; needed == nil || needed == false {
		return nil, nil
	}
	answer, err := s.api.Call(ctx, portapi.Op{
		Method: http.MethodGet, Path: []string{"actions", "runs", jsonv.String(run, "id"), "approvers"}, Query: url.Values{"include_pending_approvers": {"true"}},
	})
	if f, ok := portapi.AsFault(err); ok && f.Status >= 400 && f.Status < 500 {
		return nil, nil // who may see the run may not see them
	}
	return jsonv.List(answer, "approvers"), err
}

// tell adds log lines, entities and approvers to a run's document.
func (s *session) tell(ctx context.Context, run jsonv.Object) (jsonv.Object, error) {
	id := jsonv.String(run, "id")
	logs, err := s.runLogs(ctx, id, 0)
	if err != nil {
		return nil, err
	}
	entities, err := s.runEntities(ctx, id)
	if err != nil {
		return nil, err
	}
	approvers, err := s.runApprovers(ctx, run)
	if err != nil {
		return nil, err
	}
	out := jsonv.CloneObject(run)
	out["logs"], out["entities"], out["approvers"] = logs, entities, approvers
	return out, nil
}

func readActionRun(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
	run, err := s.oneRun(ctx, key[0])
	if err != nil {
		return nil, err
	}
	return s.tell(ctx, run)
}

// refreshActionRun follows the run. One whose wait was cut short is remembered, so
// that the plan can say that it goes on.
func refreshActionRun(ctx context.Context, s *session, prior tftypes.Value) (jsonv.Object, error) {
	held := lens.AsObj(prior)
	id, _ := text(held["run_id"])
	run, err := readActionRun(ctx, s, []string{id})
	if err == nil && unsettled(held) {
		s.runs.add(&s.runs.cut, held, id)
	}
	return run, err
}

// unsettled reports whether the wait for a run was cut short.
func unsettled(held lens.Obj) bool {
	return lens.Known(held["settled"]) && !lens.AsBool(held["settled"])
}

// decodeActionRun keeps what was asked for as it was asked for: an action may
// ignore its entity. The audit log forgets after a year, the state does not. What
// might repeat secret inputs is left out.
func decodeActionRun(_ context.Context, _ *session, body jsonv.Object, prior tftypes.Value) *decoding {
	if prior.IsNull() {
		return &decoding{}
	}
	run, held := jsonv.CloneObject(body), lens.AsObj(prior)
	delete(run, "entity")
	if entity, ok := text(held["entity"]); ok {
		run["entity"] = jsonv.Object{"identifier": entity}
	}
	delete(run, "rawProperties")
	if given, ok := text(held["properties"]); ok {
		if inputs, err := jsonv.DecodeObject([]byte(given)); err == nil {
			run["rawProperties"] = inputs
		}
	}
	if len(jsonv.List(run, "entities")) == 0 && len(lens.AsList(held["entities"])) > 0 {
		run["entities"] = textObjects(held["entities"])
	}
	if len(lens.AsList(held["secret_inputs"])) > 0 {
		discreet(run)
	}
	return &decoding{document: run}
}

// textObjects is a list of objects of texts as a document has it.
func textObjects(v tftypes.Value) []any {
	var out []any
	for _, e := range lens.AsList(v) {
		one := jsonv.Object{}
		for name, value := range lens.AsObj(e) {
			if s, ok := text(value); ok {
				one[name] = s
			}
		}
		out = append(out, one)
	}
	return out
}

// discreet leaves out of a run what might repeat its inputs.
func discreet(run jsonv.Object) {
	delete(run, "payload")
	delete(run, "response")
}

// inputsOf are the inputs of a planned run, and the names of the secret ones.
func inputsOf(c *change) (inputs jsonv.Object, secret []string, err error) {
	inputs = jsonv.Object{}
	maps.Copy(inputs, jsonv.Map(c.body, "rawProperties"))
	given := jsonv.String(c.body, "secretProperties")
	if given == "" {
		return inputs, nil, nil
	}
	hidden, err := jsonv.DecodeObject([]byte(given))
	if err != nil {
		return nil, nil, errors.New("secret_properties_wo: want the text of a JSON object")
	}
	for name, value := range hidden {
		if _, twice := inputs[name]; twice {
			return nil, nil, fmt.Errorf("the input %s is in properties and in secret_properties_wo: leave it out of one of them", name)
		}
		inputs[name] = value
		secret = append(secret, name)
	}
	slices.Sort(secret)
	return inputs, secret, nil
}

// createActionRun runs the action, or goes on waiting for a run that the resource
// had before.
func createActionRun(ctx context.Context, c *change) (jsonv.Object, error) {
	inputs, secret, err := inputsOf(c)
	if err != nil {
		return nil, err
	}
	run, err := c.takeRun(ctx)
	if run == nil && err == nil {
		run, err = c.startRun(ctx, inputs)
	}
	if err != nil {
		return nil, err
	}
	w := c.watch(run, secret, inputs)
	c.save(w.document(false))
	err = w.wait(ctx)
	c.save(w.document(!w.cut))
	if w.cut {
		return nil, err
	}
	whole, lack := c.tell(ctx, w.document(true))
	if lack != nil {
		whole = w.document(true)
	}
	if err != nil {
		c.save(whole) // what a failed run has done is worth knowing too
		return nil, err
	}
	w.show()
	if lack != nil {
		// The run is over, and the next refresh tells the rest.
		c.warn("Not all of run "+w.id+" is known yet", lack.Error())
	}
	return whole, nil
}

// takeRun is the run that a deletion before this creation handed over; nil when
// there is none any more.
func (c *change) takeRun(ctx context.Context) (jsonv.Object, error) {
	id := c.runs.take(lens.AsObj(c.plan))
	if id == "" {
		return nil, nil
	}
	run, err := c.oneRun(ctx, id)
	if portapi.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		// Still the run to wait for.
		c.save(jsonv.Object{"id": id, "settled": false, "status": runGoing})
	}
	return run, err
}

func (c *change) startRun(ctx context.Context, inputs jsonv.Object) (jsonv.Object, error) {
	action := jsonv.String(c.body, "action", "identifier")
	body := jsonv.Object{"properties": inputs}
	if entity := jsonv.String(c.body, "entity", "identifier"); entity != "" {
		body["entity"] = entity
	}
	op := portapi.Op{Method: http.MethodPost, Path: []string{"actions", action, "runs"}, Body: body, Repeat: portapi.RepeatNever}
	if user, ok := text(lens.AsObj(c.plan)["run_as"]); ok {
		op.Query = url.Values{"run_as": {user}}
	}
	answer, err := c.api.Call(ctx, op)
	var lost *portapi.ConnectionError
	if f, ok := portapi.AsFault(err); errors.As(err, &lost) || ok && f.Status >= http.StatusInternalServerError {
		return nil, fmt.Errorf("nobody knows whether the action runs, and it is not run twice on a guess. Look at the runs of %s; "+
			"if it does run, import its ID as this resource, otherwise apply again\n\n%w", action, err)
	}
	if err != nil {
		return nil, err
	}
	return envelope(answer, "run")
}

// updateActionRun changes only what the provider does.
func updateActionRun(ctx context.Context, c *change) (jsonv.Object, error) {
	return readActionRun(ctx, c.session, c.was)
}

// deleteActionRun forgets the run. One that was waited for in vain is handed over
// to the creation that follows when it replaces a tainted resource.
func deleteActionRun(_ context.Context, c *change) error {
	if held := lens.AsObj(c.prior); unsettled(held) {
		c.runs.add(&c.runs.offered, held, c.was[0])
	}
	return nil
}

func planActionRun(_ context.Context, c *change) diag.Diagnostics {
	if c.session == nil || !c.prior.IsNull() || c.body == nil {
		return nil
	}
	id := c.runs.waiting(lens.AsObj(c.plan))
	if id == "" {
		return nil
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic("Run "+id+" goes on",
		"An earlier apply stopped waiting for it. Applying goes on waiting for it and does not run the action again.")}
}
