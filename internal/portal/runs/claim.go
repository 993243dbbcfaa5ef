package runs

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

func sortedKeys(o jsonv.Object) []string { return slices.Sorted(maps.Keys(o)) }

// The bounds of a claim (reference/actions.md §3.9), and how long one holds unless it
// says otherwise (reference/clients.md §11 C28).
const (
	maxClaims         = 1000
	maxVisibility     = 600000
	defaultVisibility = 90000
)

// claim is a request of a relay or an integration.
type claim struct {
	installation string
	limit        int64
	visibility   int64
	exclude      []string
	method       string
}

// Claim answers POST /v1/actions/runs/claim-pending: runs that wait to be fetched,
// oldest first, with what is secret in them. Nobody else gets them before their
// time is over (C2).
func (r *Runs) Claim(_ context.Context, tx store.Tx, c Caller, body any) ([]any, error) {
	w, err := claimOf(c, body)
	if err != nil {
		return nil, err
	}
	if w.installation == agentInstallation {
		if topic, err := r.byTopic(tx); err != nil || topic {
			return []any{}, err
		}
	}
	now := r.deps.Clock.Now().UTC()
	waiting, err := pendingRuns(tx, c.Org, w, clock.Stamp(now))
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, k := range waiting {
		k.run["claimedUntil"] = expiry(now, w.visibility)
		if err := put(tx, c.Org, k); err != nil {
			return nil, err
		}
		run, err := r.show(tx, c.Org, k, shown{})
		if err != nil {
			return nil, err
		}
		if run["payload"], err = r.Payload(Delivery{Run: k.id(), Sealed: jsonv.String(k.hidden, hiddenPayload)}); err != nil {
			return nil, err
		}
		out = append(out, run)
	}
	return out, nil
}

// ClaimNodes answers POST /v1/workflows/runs/claim-pending: nothing waits as long as no
// workflow can be run (reference/actions.md §7.1).
func (r *Runs) ClaimNodes(c Caller, body any) ([]any, error) {
	_, err := claimOf(c, body)
	return []any{}, err
}

// claimOf reads what a caller claims, who has to be a machine (C5).
func claimOf(c Caller, body any) (claim, error) {
	w, err := claimBody(c.Org, body)
	if err == nil && !c.machine() {
		err = fault.NotPermitted("claim runs: only machine credentials may (C5)")
	}
	return w, err
}

// pendingRuns lists the runs that may be claimed at a moment (C1).
func pendingRuns(tx store.Tx, org string, w claim, now string) ([]*kept, error) {
	var all []*kept
	where := equal{conditions: []store.Equal{is(indexPending, w.installation)}}
	for row, err := range tx.Scan(KindRun, where, store.Page{}, org) {
		if err != nil {
			return nil, err
		}
		if k := keptOf(row.Doc); w.takes(k) && jsonv.String(k.run, "claimedUntil") <= now {
			all = append(all, k)
		}
	}
	slices.Reverse(all) // kept newest first
	return all[:min(len(all), int(w.limit))], nil
}

// takes tells whether a run is for whoever claims, unless somebody has claimed it.
// What is called like the relay and is another method's is not for the relay (C4).
func (w claim) takes(k *kept) bool {
	method := jsonv.String(k.run, "payload", "type")
	switch {
	case k.status() != InProgress, !jsonv.Bool(k.run, "pendingExecution"), jsonv.String(k.run, "installationId") != w.installation,
		jsonv.Bool(k.hidden, hiddenTopic), w.method != "" && method != w.method:
		return false
	case w.installation == agentInstallation && method != "WEBHOOK" && method != "GITLAB":
		return false
	}
	return !slices.Contains(w.exclude, jsonv.String(k.run, "action", "identifier")) && !slices.Contains(w.exclude, jsonv.String(k.hidden, hiddenAction))
}

// claimTakes is the body of a claim (reference/actions.md §3.9).
var claimTakes = shape.Takes{
	"installationId": shape.Filled, "limit": shape.Integer(1, maxClaims), "visibilityTimeoutMs": shape.Integer(1, maxVisibility),
	"exclude": shape.Texts, "invocationMethod": shape.OneOf("WEBHOOK"),
}

func claimBody(org string, body any) (claim, error) {
	o, err := shape.Body(body, claimTakes, "installationId", "limit")
	w := claim{
		installation: jsonv.String(o, "installationId"), method: jsonv.String(o, "invocationMethod"), exclude: jsonv.Strings(o["exclude"]),
		limit: whole(o["limit"], 0), visibility: whole(o["visibilityTimeoutMs"], defaultVisibility),
	}
	if w.installation == org { // what older relays call themselves (C4)
		w.installation = agentInstallation
	}
	return w, err
}

// whole is a number of a body that was found to be whole.
func whole(v any, otherwise int64) int64 {
	if n, ok := v.(json.Number); ok {
		if i, err := jsonv.CanonicalNumber(n).Int64(); err == nil {
			return i
		}
	}
	return otherwise
}

// Ack answers PATCH /v1/actions/runs/ack: the runs are with whoever claimed them
// and are never offered again (C3). It says how many. Somebody else was faster with
// those that do not count; asked about a single one, that is a conflict
// (reference/clients.md §6).
func (r *Runs) Ack(_ context.Context, tx store.Tx, c Caller, body any) (n int, err error) {
	ids, single, err := ackBody(body)
	if err != nil {
		return 0, err
	}
	if !c.machine() {
		return 0, fault.NotPermitted("acknowledge runs: only machine credentials may")
	}
	for _, id := range ids {
		k, err := get(tx, c.Org, id)
		if err != nil {
			return 0, err
		}
		if !jsonv.Bool(k.run, "pendingExecution") {
			if single {
				return 0, fault.New(http.StatusConflict, "already_acknowledged", "run %q was already acknowledged", id)
			}
			continue
		}
		n++
		acknowledge(k)
		if err := put(tx, c.Org, k); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// ackTakes is the body of an acknowledgement, which has one of the two.
var ackTakes = shape.Takes{"runId": shape.Filled, "runIds": shape.ListOf(shape.Filled)}

func ackBody(body any) (ids []string, single bool, err error) {
	var c shape.Checker
	o := c.Closed(body, nil, ackTakes)
	if o != nil && len(o) != 1 {
		c.Add("oneOf", nil, "must have exactly one of the properties runId, runIds")
	}
	if id, ok := o["runId"].(string); ok {
		return []string{id}, true, c.Problems.Invalid()
	}
	return jsonv.Strings(o["runIds"]), false, c.Problems.Invalid()
}

// responseTakes is what a backend said.
var responseTakes = shape.Takes{"response": func(c *shape.Checker, v any, at []string) {
	switch v.(type) {
	case string, jsonv.Object, []any:
	default:
		c.Wrong(at, "string, array or object", v)
	}
}}

// Answer answers PATCH /v1/actions/runs/{run}/response: what the backend said to a
// relay.
func (r *Runs) Answer(_ context.Context, tx store.Tx, c Caller, id string, body any) (jsonv.Object, error) {
	o, err := shape.Body(body, responseTakes, "response")
	if err != nil {
		return nil, err
	}
	k, err := r.see(tx, c, id)
	if err != nil {
		return nil, err
	}
	if !c.User.Admin() {
		return nil, fault.NotPermitted("answer run %q", id)
	}
	response, err := r.discreet(tx, c.Org, id, jsonv.String(k.hidden, hiddenPayload), o["response"])
	if err != nil {
		return nil, err
	}
	if err := r.change(tx, c, k, jsonv.Object{"response": response}); err != nil {
		return nil, err
	}
	return r.show(tx, c.Org, k, shown{})
}
