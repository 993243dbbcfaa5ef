package access

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Catalog is what policies ask of the catalog.
type Catalog interface {
	// ReadEntity is the entity as its route shows it.
	ReadEntity(ctx context.Context, tx store.Tx, actor catalog.Actor, blueprint, id string, o catalog.ReadOptions) (jsonv.Object, error)
	// Find lists the first entities of the whole catalog that a query matches.
	Find(ctx context.Context, tx store.Tx, actor catalog.Actor, body any, limit int) ([]any, error)
}

// People knows what users and teams are beyond their entities.
type People interface {
	// Account may hold "picture", "phoneNumber" and "providers" of a user.
	Account(tx store.Tx, org, email string) (jsonv.Object, error)
	// Provider names where a team comes from.
	Provider(tx store.Tx, org, team string) (string, error)
}

// Join tells a where policies look things up. It belongs to putting the portal
// together: the catalog itself asks a.
func (a *Access) Join(c Catalog, p People) { a.catalog, a.people = c, p }

// Subject is who wants to execute or approve something.
type Subject struct {
	Org string
	// ID is what createdBy shows.
	ID string
	// User is nil for machine credentials.
	User *User
}

// Execution is a run as policies see it (reference/actions.md §5.4). The documents
// are shared and not changed.
type Execution struct {
	// Executor is who asked for the run, or for whom it was asked for.
	Executor Subject
	Origin   string
	At       time.Time
	// Action, Blueprint and Entity are as their routes show them; the latter two
	// are nil when the run has none.
	Action, Blueprint, Entity jsonv.Object
	// Inputs are resolved, with entities by their identifiers.
	Inputs jsonv.Object
	// Approvers are those that [Access.Approvers] named when the run was made.
	Approvers []string
}

func (x Execution) action() string { return jsonv.String(x.Action, "identifier") }

func (x Execution) operation() string { return jsonv.String(x.Action, "trigger", "operation") }

// MayExecute returns nil when the executor may execute the action, and otherwise
// why not: without a policy the lists decide, with one the policy alone, for
// administrators and machines as well (reference/identity.md §7.7 X5, X6).
func (a *Access) MayExecute(ctx context.Context, tx store.Tx, x Execution) error {
	doc, err := a.ActionPermissions(tx, x.Executor.Org, x.action())
	if err != nil {
		return err
	}
	policy := jsonv.Map(doc, executeKey, policyKey)
	if policy == nil {
		admitted, err := x.admitted(blueprintsOf(tx, x.Executor.Org), listsOf(doc, executeKey))
		if err == nil && !admitted {
			err = fault.NotPermitted("execute the action %q", x.action())
		}
		return err
	}
	allowed := false
	err = a.conditions(ctx, tx, x, x.Executor, policy, func(value any) {
		allowed = allowed || value == true
	})
	if err == nil && !allowed {
		err = fault.NotPermitted("execute the action %q: its policy does not allow it", x.action())
	}
	return err
}

// admitted is the evaluation of lists. Owning counts for what is done to an entity
// (X4).
func (x Execution) admitted(exists known, b block) (bool, error) {
	u := x.Executor.User
	if u.Admin() {
		return true, nil
	}
	if named, err := b.names(exists, u); err != nil || named {
		return named, err
	}
	if op := x.operation(); !b.owned || op != "DAY-2" && op != "DELETE" {
		return false, nil
	}
	owners := jsonv.Strings(x.Entity["team"])
	return slices.ContainsFunc(u.Teams, func(team string) bool { return slices.Contains(owners, team) }), nil
}

// MayApprove returns nil when somebody may approve or decline a run. Machines may
// (reference/actions.md §4.7 P3); administrators only without a policy, and with
// them those who were approvers when the run was made: whoever is asked for an
// approval can give it (§4.4).
func (a *Access) MayApprove(ctx context.Context, tx store.Tx, voter Subject, x Execution) error {
	if voter.User == nil {
		return nil
	}
	doc, err := a.ActionPermissions(tx, x.Executor.Org, x.action())
	if err != nil {
		return err
	}
	allowed := false
	if policy := jsonv.Map(doc, approveKey, policyKey); policy != nil {
		emails, err := a.policyApprovers(ctx, tx, x, voter, policy)
		if err != nil {
			return err
		}
		allowed = slices.Contains(emails, ident.Email(voter.User.Email))
	} else {
		allowed = voter.User.Admin() || slices.Contains(x.Approvers, ident.Email(voter.User.Email))
	}
	if !allowed {
		return fault.NotPermitted("approve runs of the action %q", x.action())
	}
	return nil
}

// Approvers are the e-mails of those who may approve a run while nobody has voted:
// the Active users that the lists name, by themselves, a team or a role, or those
// whom the policy yields (P1). They are in lower case and in order.
func (a *Access) Approvers(ctx context.Context, tx store.Tx, x Execution) ([]string, error) {
	doc, err := a.ActionPermissions(tx, x.Executor.Org, x.action())
	if err != nil {
		return nil, err
	}
	exists := blueprintsOf(tx, x.Executor.Org)
	named := func(u *User) (bool, error) { return listsOf(doc, approveKey).lists(exists, u) }
	if policy := jsonv.Map(doc, approveKey, policyKey); policy != nil {
		emails, err := a.policyApprovers(ctx, tx, x, x.Executor, policy)
		if err != nil {
			return nil, err
		}
		named = func(u *User) (bool, error) { return slices.Contains(emails, ident.Email(u.Email)), nil }
	}
	return activeUsers(tx, x.Executor.Org, named)
}

// lists tells whether a block names a user. Unlike [block.names] it takes
// administrators for holders of their own roles only: those of others admit them,
// but nobody waits for them.
func (b block) lists(exists known, u *User) (bool, error) {
	if u.Admin() {
		b.roles = slices.DeleteFunc(slices.Clone(b.roles), func(role string) bool {
			return !strings.EqualFold(role, RoleAdmin) && !strings.EqualFold(role, RoleMember)
		})
	}
	return b.names(exists, u)
}
