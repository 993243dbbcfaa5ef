package runs

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
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
	w, err := r.claimBody(c.Org, body)
	if err != nil {
		return nil, err
	}
	if !c.machine() {
		return nil, fault.NotPermitted("claim runs: only machine credentials may (C5)")
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

// pendingRuns lists the runs that may be claimed at a moment (C1).
func pendingRuns(tx store.Tx, org string, w claim, now string) ([]*kept, error) {
	var all []*kept
	where := equal{conditions: []store.Equal{is(indexPending, w.installation)}}
	for row, err := range tx.Scan(KindRun, where, store.Page{}, org) {
		if err != nil {
			return nil, err
		}
		k := keptOf(row.Doc)
		if k.status() != InProgress || !jsonv.Bool(k.run, "pendingExecution") || jsonv.String(k.run, "installationId") != w.installation ||
			jsonv.String(k.run, "claimedUntil") > now || w.method != "" && jsonv.String(k.run, "payload", "type") != w.method ||
			slices.Contains(w.exclude, jsonv.String(k.run, "action", "identifier")) {
			continue
		}
		all = append(all, k)
	}
	slices.Reverse(all) // kept newest first
	return all[:min(len(all), int(w.limit))], nil
}

func (r *Runs) claimBody(org string, body any) (claim, error) {
	w := claim{visibility: defaultVisibility}
	var p fault.Problems
	o, ok := body.(jsonv.Object)
	if !ok {
		p.Add("", "must be object, got %s", jsonv.KindOf(body))
		return w, p.Invalid()
	}
	for _, key := range []string{"installationId", "limit"} {
		if _, ok := o[key]; !ok {
			p.Add("", "must have required property '%s'", key)
		}
	}
	for key, v := range o {
		switch key {
		case "installationId":
			w.installation = textAt(&p, "/"+key, v)
		case "invocationMethod":
			if w.method = textAt(&p, "/"+key, v); w.method != "WEBHOOK" && w.method != "" {
				p.Add("/invocationMethod", "must be equal to one of the allowed values: WEBHOOK")
			}
		case "limit":
			w.limit = numberAt(&p, "/"+key, v, maxClaims)
		case "visibilityTimeoutMs":
			w.visibility = numberAt(&p, "/"+key, v, maxVisibility)
		case "exclude":
			list, ok := v.([]any)
			if w.exclude = jsonv.Strings(v); !ok || len(w.exclude) != len(list) {
				p.Add("/exclude", "must be an array of strings")
			}
		default:
			p.Add("", "%s", fault.UnknownKey(key, "installationId", "limit", "visibilityTimeoutMs", "exclude", "invocationMethod"))
		}
	}
	if w.installation == org { // what older relays call themselves (C4)
		w.installation = agentInstallation
	}
	return w, p.Invalid()
}

func textAt(p *fault.Problems, at string, v any) string {
	s, ok := v.(string)
	if !ok || s == "" {
		p.Add(at, "must be a string that is not empty")
	}
	return s
}

func numberAt(p *fault.Problems, at string, v any, most int64) int64 {
	n, _ := v.(json.Number)
	i, err := n.Int64()
	if err != nil || i < 1 || i > most {
		p.Add(at, "must be a number from 1 to %d", most)
	}
	return i
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
		k.run["pendingExecution"] = false
		delete(k.run, "claimedUntil")
		delete(k.hidden, hiddenPayload)
		if err := put(tx, c.Org, k); err != nil {
			return 0, err
		}
	}
	return n, nil
}

func ackBody(body any) (ids []string, single bool, err error) {
	var p fault.Problems
	o, ok := body.(jsonv.Object)
	if !ok {
		p.Add("", "must be object, got %s", jsonv.KindOf(body))
		return nil, false, p.Invalid()
	}
	for key, v := range o {
		switch key {
		case "runId":
			single = true
			ids = append(ids, textAt(&p, "/runId", v))
		case "runIds":
			list, ok := v.([]any)
			if !ok {
				p.Add("/runIds", "must be an array of strings")
			}
			for n, e := range list {
				ids = append(ids, textAt(&p, fmt.Sprintf("/runIds/%d", n), e))
			}
		default:
			p.Add("", "%s", fault.UnknownKey(key, "runId", "runIds"))
		}
	}
	if len(o) != 1 {
		p.Add("", "must have exactly one of the properties runId, runIds")
	}
	return ids, single, p.Invalid()
}

// Answer answers PATCH /v1/actions/runs/{run}/response: what the backend said to a
// relay.
func (r *Runs) Answer(_ context.Context, tx store.Tx, c Caller, id string, body any) (jsonv.Object, error) {
	var p fault.Problems
	o, _ := body.(jsonv.Object)
	response, given := o["response"]
	switch response.(type) {
	case string, []any, jsonv.Object:
	default:
		if given {
			p.Add("/response", "must be string, array or object, got %s", jsonv.KindOf(response))
		} else {
			p.Add("", "must have required property 'response'")
		}
	}
	for key := range o {
		if key != "response" {
			p.Add("", "%s", fault.UnknownKey(key, "response"))
		}
	}
	if err := p.Invalid(); err != nil {
		return nil, err
	}
	k, err := r.see(tx, c, id)
	if err != nil {
		return nil, err
	}
	if !c.User.Admin() {
		return nil, fault.NotPermitted("answer run %q", id)
	}
	if err := r.change(tx, c, k, jsonv.Object{"response": response}); err != nil {
		return nil, err
	}
	return r.show(tx, c.Org, k, shown{})
}
