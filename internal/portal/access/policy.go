package access

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jq"
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
	"github.com/portlens/terraform-provider-port/internal/portal/template"
)

const (
	// maxResults is how many entities a query of a policy yields at most.
	maxResults = 1000
	// policyTime is what all queries of a policy may take together, beyond which it
	// admits nobody, and what all slow conditions may: those that come after count for
	// nothing. Nobody can write meanwhile.
	policyTime = 5 * time.Second
)

// conditions evaluates a policy and hands on what its conditions yield, their first
// outputs only. A condition that fails yields nothing.
func (a *Access) conditions(ctx context.Context, tx store.Tx, x Execution, who Subject, policy jsonv.Object, yield func(any)) error {
	document, err := a.policyDocument(ctx, tx, x, who)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, policyTime)
	defer cancel()
	results, err := a.results(limited, tx, x, jsonv.Map(policy, queriesKey), document)
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if limited.Err() != nil {
		return nil // of what is not known, nothing is concluded: nobody is admitted
	}
	if err != nil {
		return err
	}
	document["results"] = results
	budget := jq.NewBudget(policyTime)
	for _, text := range jsonv.Strings(policy[conditionsKey]) {
		program, err := jq.Compile(text)
		if err != nil {
			continue
		}
		value, some, err := program.First(ctx, document, jq.Limits{Now: a.deps.Clock.Now, Budget: budget})
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err == nil && some {
			yield(value)
		}
	}
	return nil
}

// policyApprovers are the e-mails that a policy yields, in lower case.
func (a *Access) policyApprovers(ctx context.Context, tx store.Tx, x Execution, who Subject, policy jsonv.Object) ([]string, error) {
	var emails []string
	err := a.conditions(ctx, tx, x, who, policy, func(value any) {
		for _, email := range jsonv.Strings(value) {
			emails = append(emails, ident.Email(email))
		}
	})
	return emails, err
}

// policyDocument is what a policy looks at, but for the results of its queries
// (reference/identity.md §7.7). who is the user before it: the one who executes, or
// who wants to approve.
func (a *Access) policyDocument(ctx context.Context, tx store.Tx, x Execution, who Subject) (jsonv.Object, error) {
	user, err := a.Profile(ctx, tx, who)
	if err != nil {
		return nil, err
	}
	trigger, err := a.Trigger(tx, x)
	if err != nil {
		return nil, err
	}
	executor := jsonv.Map(trigger, "by", "user")
	brief := jsonv.Object{}
	for _, key := range []string{"email", "id", "firstName", "lastName"} {
		if value, ok := executor[key]; ok {
			brief[key] = value
		}
	}
	if x.Executor.User == nil {
		brief["email"] = ""
	}
	trigger["user"] = brief
	inputs := x.Inputs
	if inputs == nil {
		inputs = jsonv.Object{}
	}
	return jsonv.Object{
		"action": jsonv.OrNull(x.Action), "blueprint": jsonv.OrNull(x.Blueprint), "entity": jsonv.OrNull(x.Entity),
		"inputs": inputs, "user": user, "trigger": trigger,
	}, nil
}

// results runs the queries of a policy over the whole catalog, whatever the
// executor may read. One that cannot be evaluated has no entities.
func (a *Access) results(ctx context.Context, tx store.Tx, x Execution, queries, document jsonv.Object) (jsonv.Object, error) {
	actor := catalog.Actor{Org: x.Executor.Org, ID: x.Executor.ID}
	if x.Executor.User != nil {
		actor.User = x.Executor.User.Email
	}
	out := jsonv.Object{}
	for _, name := range slices.Sorted(maps.Keys(queries)) {
		found, err := a.query(ctx, tx, actor, queries[name], document)
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return nil, err
		}
		out[name] = jsonv.Object{"entities": found}
	}
	return out, nil
}

func (a *Access) query(ctx context.Context, tx store.Tx, actor catalog.Actor, raw any, document jsonv.Object) ([]any, error) {
	nothing := []any{}
	body, some, err := template.Compile(raw, nil).Eval(ctx, document, template.Options{Now: a.deps.Clock.Now, Total: policyTime})
	var wrong *template.Error
	switch {
	case errors.As(err, &wrong), err == nil && !some:
		return nothing, nil
	case err != nil:
		return nil, err
	}
	found, err := a.catalog.Find(ctx, tx, actor, body, maxResults)
	var refused *fault.Fault
	if errors.As(err, &refused) || found == nil && err == nil {
		return nothing, nil
	}
	return found, err
}
