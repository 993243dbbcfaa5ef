package access

import (
	"context"
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Judge tells which entities of a blueprint, the first ones in list order, match
// each of some queries, asked by a user. [catalog.Catalog] is one.
type Judge interface {
	Judge(ctx context.Context, tx store.Tx, org, user, blueprint string, limit int, queries ...*query.Query) ([]catalog.Judged, error)
}

// Users finds a user of the organization by e-mail address; one that there is not
// is a 404.
type Users func(tx store.Tx, email string) (*User, error)

// maxSimulated is how many entities a simulation tells about.
const maxSimulated = 100

// why a user may do something, in the order in which it is asked
// (reference/identity.md §7.5).
type why struct {
	reason string
	among  *query.Query
}

// Simulate says what a user might do with the entities of a blueprint and by which
// step, under its document or one that is pending (reference/identity.md §7.6).
func (a *Access) Simulate(ctx context.Context, tx store.Tx, actor catalog.Actor, judge Judge, users Users, blueprint string, body any) ([]any, error) {
	email, verb, patch, err := simulationBody(body)
	if err != nil {
		return nil, err
	}
	definition, entities, err := held(tx, actor.Org, blueprint)
	if err != nil {
		return nil, err
	}
	if err := mayManage(actor, blueprint); err != nil {
		return nil, err
	}
	user, err := users(tx, email)
	if err != nil {
		return nil, err
	}
	if entities, err = a.patched(tx, actor.Org, definition, entities, patch); err != nil {
		return nil, err
	}
	s := &simulation{user: user, d: compile(entities), exists: blueprintsOf(tx, actor.Org)}
	s.owns = len(user.Teams) > 0 && jsonv.Map(definition, "ownership") != nil
	if err := s.ask(verb); err != nil {
		return nil, err
	}
	return s.answer(ctx, tx, actor.Org, judge, blueprint)
}

type simulation struct {
	user   *User
	d      *document
	owns   bool
	steps  []why
	exists known
}

// ask collects the steps that may admit the user, those that a read is implied by
// last.
func (s *simulation) ask(verb catalog.Verb) (err error) {
	if s.user.Admin() {
		s.steps = []why{{"role", query.All()}}
		return nil
	}
	b := s.d.scopes[verb]
	if s.steps, err = s.static(b, true); err != nil {
		return err
	}
	if !b.owned && b.policy != nil {
		s.steps = append(s.steps, why{"policy", b.policy})
	}
	if verb == catalog.VerbRead {
		for _, implied := range scopes[1:] {
			more, err := s.static(s.d.scopes[implied], implied != catalog.VerbRegister)
			if err != nil {
				return err
			}
			s.steps = append(s.steps, more...)
		}
	}
	return nil
}

// static are the steps of a block before its policy.
func (s *simulation) static(b block, owned bool) (steps []why, err error) {
	admitted, err := b.hasRole(s.exists, s.user)
	if err != nil {
		return nil, err
	}
	if admitted {
		steps = append(steps, why{"role", query.All()})
	}
	if b.owned && owned && s.owns {
		steps = append(steps, why{"ownedByTeam", query.OwnedBy(s.user.Teams)})
	}
	if b.hasTeam(s.user) {
		steps = append(steps, why{"team", query.All()})
	}
	if b.hasUser(s.user) {
		steps = append(steps, why{"user", query.All()})
	}
	return steps, nil
}

func (s *simulation) answer(ctx context.Context, tx store.Tx, org string, judge Judge, blueprint string) ([]any, error) {
	queries := make([]*query.Query, len(s.steps))
	for i, step := range s.steps {
		queries[i] = step.among
	}
	judged, err := judge.Judge(ctx, tx, org, s.user.Email, blueprint, maxSimulated, queries...)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(judged))
	for i, j := range judged {
		reason := "none"
		if first := slices.Index(j.Matches, true); first >= 0 {
			reason = s.steps[first].reason
		}
		out[i] = jsonv.Object{"identifier": j.Identifier, "allowed": reason != "none", "reason": reason}
	}
	return out, nil
}
