package runs

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Filter are the parameters of GET /v1/actions/runs as they were given
// (reference/actions.md §4.3); empty ones admit everything.
type Filter struct {
	Entity, Blueprint, Action string
	Active                    bool
	UserEmail, UserID         string
	Sources, Exclude          []string
	External                  string
	Limit, Next, Version      string
}

const maxRuns = 1000

// wanted is a filter that was understood.
type wanted struct {
	Filter
	older bool
	limit int
}

func understand(f Filter) (wanted, error) {
	c := &shape.Checker{}
	w := wanted{Filter: f, older: olderVersion(c, f.Version), limit: number(c, "limit", f.Limit, maxRuns, 1, maxRuns)}
	for _, s := range f.Sources {
		parameter(c, "source", s, "UI", "API", OriginAutomation)
	}
	return w, c.Problems.Invalid()
}

// parameter checks a parameter of a query that takes some values only.
func parameter(c *shape.Checker, name, value string, allowed ...string) {
	if value != "" {
		shape.OneOf(allowed...)(c, value, []string{"query", name})
	}
}

// number reads a parameter that is a whole number within bounds.
func number(c *shape.Checker, name, value string, otherwise, least, most int) int {
	if value == "" {
		return otherwise
	}
	at := []string{"query", name}
	n, err := strconv.Atoi(value)
	if err != nil {
		c.Wrong(at, "integer", value)
		return otherwise
	}
	shape.Integer(int64(least), int64(most))(c, jsonv.Int(n), at)
	return n
}

// List answers GET /v1/actions/runs: the runs that the caller may see, newest
// first, and where to go on if a limit was asked for and more are there.
func (r *Runs) List(_ context.Context, tx store.Tx, c Caller, f Filter) (runs []any, next string, err error) {
	w, err := understand(f)
	if err != nil {
		return nil, "", err
	}
	where, err := r.where(tx, c, w)
	if err != nil {
		return nil, "", err
	}
	how := shown{older: w.older, exclude: f.Exclude, actions: map[string]jsonv.Object{}}
	runs = []any{}
	var last store.Row
	for row, err := range tx.Scan(KindRun, where, store.Page{After: f.Next, Few: w.limit}, c.Org) {
		if errors.Is(err, store.ErrCursor) {
			c := &shape.Checker{}
			c.Add("format", []string{"query", "next"}, "is not a cursor of this server")
			return nil, "", c.Problems.Invalid()
		}
		if err != nil {
			return nil, "", err
		}
		k := keptOf(row.Doc)
		admitted, err := r.admits(tx, c, w, k, how)
		if err != nil {
			return nil, "", err
		}
		if !admitted || !visible(k, c) {
			continue
		}
		if len(runs) == w.limit {
			if f.Limit != "" {
				next = store.Cursor(last)
			}
			break
		}
		run, err := r.show(tx, c.Org, k, how)
		if err != nil {
			return nil, "", err
		}
		runs, last = append(runs, run), row
	}
	return runs, next, nil
}

// where names what an index can answer.
func (r *Runs) where(tx store.Tx, c Caller, w wanted) (store.Where, error) {
	e := equal{}
	if w.Entity != "" {
		e.conditions = append(e.conditions, is(indexEntity, w.Entity))
	}
	if w.External != "" {
		e.conditions = append(e.conditions, is(indexExternal, w.External))
	}
	if w.Active {
		e.conditions = append(e.conditions, is(indexActive, "1"))
	}
	if w.Action != "" {
		// Of actions that are gone the runs know the name, unless it was another one in
		// the end. It may be that of another action by now.
		names, err := r.deps.Actions.FormerlyOf(tx, c.Org, w.Action)
		if err != nil {
			return nil, err
		}
		names = append(names, w.Action)
		a, err := r.deps.Actions.Action(tx, c.Org, w.Action)
		if err != nil {
			return nil, err
		}
		if a != nil {
			names = append(names, jsonv.String(a, "id"))
		}
		e.conditions = append(e.conditions, is(indexAction, names...))
	}
	if len(e.conditions) == 0 {
		return nil, nil
	}
	return e, nil
}

// admits decides about everything that was asked for.
func (r *Runs) admits(tx store.Tx, c Caller, w wanted, k *kept, how shown) (bool, error) {
	run := k.run
	same := func(want string, at ...string) bool { return want == "" || jsonv.String(run, at...) == want }
	if !same(w.Entity, "entity", "identifier") || !same(w.Blueprint, "blueprint", "identifier") || !same(w.External, "externalRunId") ||
		!same(w.UserID, "createdBy") || w.Active && ended(k.status()) ||
		w.UserEmail != "" && !ident.SameEmail(w.UserEmail, jsonv.String(k.hidden, hiddenCreator)) {
		return false, nil
	}
	if len(w.Sources) > 0 && !slices.Contains(w.Sources, jsonv.String(run, "source")) {
		return false, nil
	}
	if w.Action == "" {
		return true, nil
	}
	now, err := r.actionOf(tx, c.Org, k, how)
	if err != nil {
		return false, err
	}
	name, err := r.called(tx, c.Org, k, now)
	return name == w.Action, err
}
