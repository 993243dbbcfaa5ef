package runs

import (
	"context"
	"fmt"
	"maps"
	"math"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// result is the move that a final status asks for.
var result = map[string]move{Success: succeed, Failure: fail}

// Patch answers PATCH /v1/actions/runs/{run} (reference/actions.md §4.5).
func (r *Runs) Patch(_ context.Context, tx store.Tx, c Caller, id string, body any, version string) (jsonv.Object, error) {
	asked := &shape.Checker{}
	old := olderVersion(asked, version)
	if err := asked.Problems.Invalid(); err != nil {
		return nil, err
	}
	changes, err := patchBody(body)
	if err != nil {
		return nil, err
	}
	k, err := r.see(tx, c, id)
	if err != nil {
		return nil, err
	}
	if !r.mayPatch(k, c, changes) {
		return nil, fault.NotPermitted("change run %q", id)
	}
	if len(changes) > 0 {
		if err := r.change(tx, c, k, changes); err != nil {
			return nil, err
		}
	}
	return r.show(tx, c.Org, k, shown{older: old})
}

// mayPatch is R2: administrators and machines may, and whoever made a run may
// cancel it while it waits.
func (r *Runs) mayPatch(k *kept, c Caller, changes jsonv.Object) bool {
	if c.User.Admin() {
		return true
	}
	cancels := len(changes) == 1 && changes["status"] == Failure
	return cancels && k.status() == Waiting && jsonv.String(k.run, "createdBy") == c.ID
}

// change applies what [patchBody] admits, records it, and stores the run.
func (r *Runs) change(tx store.Tx, c Caller, k *kept, changes jsonv.Object) error {
	before := k.run
	k.run = jsonv.CloneObject(k.run)
	m := edit
	if status := jsonv.String(changes, "status"); status != "" {
		m = result[status]
	} else if _, ok := changes["response"]; ok {
		m = answer
	}
	now := r.deps.Clock.Now().UTC()
	if err := r.enter(k, m, now); err != nil {
		return err
	}
	for key, v := range changes {
		if key != "status" {
			k.run[key] = v
		}
	}
	r.touch(k, c.ID, now)
	if err := put(tx, c.Org, k); err != nil {
		return err
	}
	return r.record(tx, c, "UPDATE", before, k)
}

// patchTakes is the body of a PATCH.
var patchTakes = shape.Takes{
	"status": shape.OneOf(Success, Failure), "statusLabel": shape.Text, "link": shape.TextOrTexts, "summary": shape.Text,
	"message": shape.Mapping, "externalRunId": shape.Text,
}

func patchBody(body any) (jsonv.Object, error) {
	o, err := shape.Body(body, patchTakes)
	changes := maps.Clone(o)
	if one, ok := changes["link"].(string); ok {
		changes["link"] = []any{one}
	}
	return changes, err
}

// record tells what became of a run (§4.9).
func (r *Runs) record(tx store.Tx, c Caller, action string, before jsonv.Object, k *kept) error {
	if _, err := r.watch(tx, c.Org, k); err != nil {
		return err
	}
	if r.deps.Recorder == nil {
		return nil
	}
	kind := "self-service"
	if jsonv.Bool(k.hidden, hiddenAutomation) {
		kind = "automation"
	}
	after, err := r.show(tx, c.Org, k, shown{})
	if err != nil {
		return err
	}
	if before != nil {
		before = jsonv.CloneObject(before)
		for _, key := range []string{"action", "blueprint", "entity"} { // what a run is about never changes
			if v, ok := after[key]; ok {
				before[key] = v
			}
		}
	}
	return r.deps.Recorder.Record(tx, catalog.Event{
		Action: action, Resource: "run", Actor: c.actor(), At: r.deps.Clock.Now().UTC(), RunID: k.id(),
		Blueprint: jsonv.String(k.run, "blueprint", "identifier"), Entity: jsonv.String(k.run, "entity", "identifier"),
		Before: before, After: after,
		Context:    jsonv.Object{"action": jsonv.String(k.run, "action", "identifier")},
		Additional: jsonv.Object{"actionType": kind},
	})
}

// Log answers POST /v1/actions/runs/{run}/logs.
func (r *Runs) Log(_ context.Context, tx store.Tx, c Caller, id string, body any) (jsonv.Object, error) {
	message, changes, err := logBody(body)
	if err != nil {
		return nil, err
	}
	k, err := r.see(tx, c, id)
	if err != nil {
		return nil, err
	}
	if !c.User.Admin() {
		return nil, fault.NotPermitted("write logs of run %q", id)
	}
	if changes["status"] != nil && k.status() == Waiting {
		_, err := next(id, Waiting, succeed) // a log cancels no request for approval
		return nil, err
	}
	entry, err := r.addLog(tx, c.Org, c.ID, id, message)
	if err != nil {
		return nil, err
	}
	switch {
	case changes["status"] != nil:
		err = r.change(tx, c, k, changes)
	case changes["statusLabel"] != nil:
		err = r.label(tx, c, k, changes["statusLabel"])
	}
	return entry, err
}

// label changes what a run in progress shows, without telling anybody (R6, R7).
func (r *Runs) label(tx store.Tx, c Caller, k *kept, label any) error {
	if _, err := next(k.id(), k.status(), edit); err != nil {
		return err
	}
	k.run["statusLabel"] = label
	return put(tx, c.Org, k)
}

// logTakes is a line of a log in a body.
var logTakes = shape.Takes{"message": shape.Text, "terminationStatus": shape.OneOf(Success, Failure), "statusLabel": shape.Text}

func logBody(body any) (message string, changes jsonv.Object, err error) {
	o, err := shape.Body(body, logTakes, "message")
	changes = jsonv.Object{}
	for from, to := range map[string]string{"terminationStatus": "status", "statusLabel": "statusLabel"} {
		if v, ok := o[from]; ok {
			changes[to] = v
		}
	}
	return jsonv.String(o, "message"), changes, err
}

const logIDLength = 16

// addLog writes a line of a run's log. Lines stand in the order of their writing.
func (r *Runs) addLog(tx store.Tx, org, by, run, message string) (jsonv.Object, error) {
	now := r.deps.Clock.Now().UTC()
	entry := jsonv.Object{
		"id": "runlog_" + r.deps.IDs.Alphanumeric(logIDLength), "runId": run, "message": message, "createdBy": by, "createdAt": clock.Stamp(now),
	}
	place := fmt.Sprintf("%s.%019d", clock.Stamp(now), r.count.Add(1))
	doc := store.Doc{"createdAt": place, "log": entry}
	return entry, tx.Put(KindLog, doc, org, run, jsonv.String(entry, "id"))
}

const maxLogs = 50

// Logs answers GET /v1/actions/runs/{run}/logs, oldest first.
func (r *Runs) Logs(_ context.Context, tx store.Tx, c Caller, id, limit, offset string) ([]any, error) {
	asked := &shape.Checker{}
	take, skip := number(asked, "limit", limit, maxLogs, 1, maxLogs), number(asked, "offset", offset, 0, 0, math.MaxInt32)
	if err := asked.Problems.Invalid(); err != nil {
		return nil, err
	}
	if _, err := r.see(tx, c, id); err != nil {
		return nil, err
	}
	out := []any{}
	for row, err := range tx.Scan(KindLog, nil, store.Page{Limit: skip + take}, c.Org, id) {
		if err != nil {
			return nil, err
		}
		if skip > 0 {
			skip--
			continue
		}
		out = append(out, row.Doc["log"])
	}
	return out, nil
}
