package runs

import (
	"context"
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/actions"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// The states of approvers.
const (
	approved = "APPROVED"
	declined = "DECLINED"
	pending  = "PENDING"
)

// await fixes who may approve a run and writes the notification down
// (reference/actions.md §4.7 P1).
func (x *execution) await(k *kept) error {
	approvers, err := x.r.deps.Access.Approvers(x.ctx, x.tx, x.asked())
	if err != nil {
		return err
	}
	permissions, err := x.r.deps.Access.ActionPermissions(x.tx, x.who.Org, x.order.Action)
	if err != nil {
		return err
	}
	k.hidden[hiddenApprovers], k.hidden[hiddenVotes] = jsonv.FromStrings(approvers), []any{}
	k.hidden[hiddenPolicy] = jsonv.Map(permissions, "approve", "policy") != nil
	return x.r.notify(x.tx, x.who.Org, k, x.action)
}

// Vote answers PATCH /v1/actions/runs/{run}/approval.
func (r *Runs) Vote(ctx context.Context, tx store.Tx, c Caller, id string, body any, version string) (jsonv.Object, error) {
	asked := &shape.Checker{}
	old := olderVersion(asked, version)
	if err := asked.Problems.Invalid(); err != nil {
		return nil, err
	}
	state, description, err := voteBody(body)
	if err != nil {
		return nil, err
	}
	k, err := r.see(tx, c, id)
	if err != nil {
		return nil, err
	}
	if err := r.mayVote(ctx, tx, c, k); err != nil {
		return nil, err
	}
	if _, err := next(id, k.status(), vote); err != nil {
		return nil, err
	}
	if err := r.cast(ctx, tx, c, k, state, description); err != nil {
		return nil, err
	}
	return r.show(tx, c.Org, k, shown{older: old})
}

// votes are what a body may say and what it is kept as.
var votes = map[string]string{"APPROVE": approved, "DECLINE": declined}

var voteTakes = shape.Takes{"status": shape.OneOf("APPROVE", "DECLINE"), "description": shape.Text}

func voteBody(body any) (state, description string, err error) {
	o, err := shape.Body(body, voteTakes, "status")
	return votes[jsonv.String(o, "status")], jsonv.String(o, "description"), err
}

// mayVote is P3, P4 and P6: a machine may; without a policy so may administrators
// and whoever was an approver when the run was made; with one, whom it yields now.
func (r *Runs) mayVote(ctx context.Context, tx store.Tx, c Caller, k *kept) error {
	if c.machine() {
		return nil
	}
	x, err := r.executionOf(ctx, tx, c.Org, k)
	if err != nil {
		return err
	}
	return r.deps.Access.MayApprove(ctx, tx, c.Subject, x)
}

// executionOf is a run as policies see it later.
func (r *Runs) executionOf(ctx context.Context, tx store.Tx, org string, k *kept) (x access.Execution, err error) {
	x = access.Execution{
		Origin: jsonv.String(k.run, "source"), Inputs: jsonv.Map(k.hidden, hiddenValues), Approvers: jsonv.Strings(k.hidden[hiddenApprovers]),
	}
	if at, ok := jsonv.ParseTime(jsonv.String(k.run, "createdAt")); ok {
		x.At = at
	}
	x.Executor = access.Subject{Org: org, ID: jsonv.String(k.run, "createdBy")}
	if email := jsonv.String(k.hidden, hiddenCreator); email != "" {
		who, _, err := r.deps.People.Subject(tx, org, email)
		if err != nil {
			return x, err
		}
		if who != nil {
			x.Executor = *who
		} else {
			x.Executor.User = &access.User{ID: x.Executor.ID, Email: email, Role: access.RoleMember}
		}
	}
	action, err := r.actionOf(tx, org, k, shown{})
	if err != nil {
		return x, err
	}
	x.Action = actions.Public(action)
	if x.Action == nil {
		x.Action = jsonv.Map(k.run, "action") // gone with its permissions: the default ones decide
	}
	blueprint := jsonv.String(k.run, "blueprint", "identifier")
	if blueprint == "" {
		return x, nil
	}
	actor := catalog.Actor{Org: org}
	if x.Blueprint, err = r.deps.Catalog.ReadBlueprint(ctx, tx, actor, blueprint); err != nil && !fault.IsNotFound(err) {
		return x, err
	}
	x.Entity, err = r.entityOf(ctx, tx, org, k)
	return x, err
}

// entityOf is the entity of a run as it is now, nil without one.
func (r *Runs) entityOf(ctx context.Context, tx store.Tx, org string, k *kept) (jsonv.Object, error) {
	id := jsonv.String(k.run, "entity", "identifier")
	if id == "" {
		return nil, nil
	}
	entity, err := r.deps.Catalog.ReadEntity(ctx, tx, catalog.Actor{Org: org}, jsonv.String(k.run, "blueprint", "identifier"), id, catalog.ReadOptions{})
	if fault.IsNotFound(err) {
		return nil, nil
	}
	return seen(entity), err
}

// cast counts a vote. The last one of a person counts while the run waits.
func (r *Runs) cast(ctx context.Context, tx store.Tx, c Caller, k *kept, state, description string) error {
	before := k.run
	k.run = jsonv.CloneObject(k.run)
	now := r.deps.Clock.Now().UTC()
	this := jsonv.Object{"userId": c.ID, "state": state, "description": description}
	m := vote
	switch {
	case state == declined:
		m = decline
	case c.machine(), !all(k):
		m = approve
	}
	email := ""
	if c.User != nil {
		email = ident.Email(c.User.Email)
	}
	k.hidden[hiddenVotes] = append(slices.DeleteFunc(slices.Clone(jsonv.List(k.hidden, hiddenVotes)), func(v any) bool {
		return jsonv.String(v, "vote", "userId") == c.ID
	}), any(jsonv.Object{"email": email, "vote": this}))
	if m == vote {
		agreed, err := r.unanimous(tx, c.Org, k)
		if err != nil {
			return err
		}
		if agreed {
			m = approve
		}
	}
	if err := r.enter(k, m, now); err != nil {
		return err
	}
	r.touch(k, c.ID, now)
	if m != vote {
		k.run["approval"] = this
	}
	if m == approve {
		k.begins(now)
		entity, err := r.entityOf(ctx, tx, c.Org, k)
		if err != nil {
			return err
		}
		return r.start(ctx, tx, c, k, entity, "UPDATE", before)
	}
	if err := put(tx, c.Org, k); err != nil {
		return err
	}
	return r.record(tx, c, "UPDATE", before, k)
}

// all tells whether every approver must approve.
func all(k *kept) bool { return jsonv.String(k.run, "requiredApproval", "type") == "ALL" }

// unanimous tells whether everybody has approved whose approval was asked for, but
// those who were deleted since, as they go from every list then
// (reference/identity.md §2.6). An empty set waits for a machine or an administrator
// (P6), whose vote is the only one that gets here.
func (r *Runs) unanimous(tx store.Tx, org string, k *kept) (bool, error) {
	yes := map[string]bool{}
	for _, v := range jsonv.List(k.hidden, hiddenVotes) {
		yes[jsonv.String(v, "email")] = jsonv.String(v, "vote", "state") == approved
	}
	for _, email := range jsonv.Strings(k.hidden[hiddenApprovers]) {
		if yes[email] {
			continue
		}
		who, _, err := r.deps.People.Subject(tx, org, email)
		if err != nil || who != nil {
			return false, err
		}
	}
	return true, nil
}

// Approvers answers GET /v1/actions/runs/{run}/approvers: who voted, and those who
// have not when all are asked for.
func (r *Runs) Approvers(_ context.Context, tx store.Tx, c Caller, id string, all bool) ([]any, error) {
	k, err := r.see(tx, c, id)
	if err != nil {
		return nil, err
	}
	out, voted := []any{}, map[string]bool{}
	for _, v := range jsonv.List(k.hidden, hiddenVotes) {
		voted[jsonv.String(v, "email")] = true
		out = append(out, jsonv.Map(v, "vote"))
	}
	if !all {
		return out, nil
	}
	for _, email := range jsonv.Strings(k.hidden[hiddenApprovers]) {
		if voted[email] {
			continue
		}
		who, _, err := r.deps.People.Subject(tx, c.Org, email)
		if err != nil {
			return nil, err
		}
		if who != nil {
			out = append(out, jsonv.Object{"userId": who.ID, "state": pending, "description": ""})
		}
	}
	return out, nil
}
