package actions

import (
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Filter narrows a list of actions: what is given must hold, and of several values
// one. Empty fields admit everything (reference/actions.md §1.4).
type Filter struct {
	Identifiers []string
	// Blueprints are those that actions belong to or automations listen to.
	Blueprints []string
	Operations []string
	// Published is "true", "false", or "" for no matter. It is about automations and
	// leaves everything else out.
	Published string
	Trigger   string
	Events    []string
	// EventActions are the actions whose runs automations listen to.
	EventActions []string
	// Version is that of the answer.
	Version string
}

// check refuses values that there are not.
func (f Filter) check() error {
	c := &shape.Checker{}
	among := func(name string, values, allowed []string) {
		for _, v := range values {
			if v != "" {
				shape.OneOf(allowed...)(c, v, []string{"query", name})
			}
		}
	}
	among("operation", f.Operations, operations)
	among("trigger_type", []string{f.Trigger}, []string{triggerSelfService, triggerAutomation})
	among("trigger_event", f.Events, shape.Keys(events))
	among("version", []string{f.Version}, []string{versionOlder, versionCurrent})
	return c.Problems.Invalid()
}

// The formats of actions in answers.
const (
	versionOlder   = "v1"
	versionCurrent = "v2"
)

func (f Filter) admits(doc store.Doc) bool {
	trigger := jsonv.Map(doc, "trigger")
	among := func(values []string, v string) bool { return len(values) == 0 || slices.Contains(values, v) }
	blueprint, _ := blueprintOf(doc)
	switch {
	case !among(f.Identifiers, jsonv.String(doc, "identifier")),
		!among(f.Blueprints, blueprint),
		!among(f.Operations, jsonv.String(trigger, "operation")),
		!among(f.Events, jsonv.String(trigger, "event", "type")),
		!among(f.EventActions, jsonv.String(trigger, "event", "actionIdentifier")),
		f.Trigger != "" && f.Trigger != jsonv.String(trigger, "type"):
		return false
	}
	return f.Published == "" || isAutomation(doc) && jsonv.Bool(doc, "publish") == (f.Published == "true")
}

// hasOlder tells whether an action reads in the older format: only those of a
// blueprint do.
func hasOlder(doc store.Doc) bool {
	_, ok := jsonv.Get(doc, "trigger", "blueprintIdentifier")
	return ok && !isAutomation(doc)
}

// List answers GET of all actions that the caller sees, oldest first.
func (a *Actions) List(tx store.Tx, who Caller, f Filter) ([]any, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	out := []any{}
	for row, err := range tx.Scan(KindAction, nil, store.Page{}, who.Actor.Org) {
		if err != nil {
			return nil, err
		}
		if !f.admits(row.Doc) || f.Version == versionOlder && !hasOlder(row.Doc) {
			continue
		}
		sees, err := a.sees(tx, who, row.Doc)
		if err != nil {
			return nil, err
		}
		if sees {
			out = append(out, inVersion(row.Doc, f.Version))
		}
	}
	return out, nil
}

// Scopes are the strings by which one client decides which actions it shows
// (reference/actions.md §5.1 D6).
func (a *Actions) Scopes(tx store.Tx, who Caller) ([]string, error) {
	var ids []string
	for row, err := range tx.Scan(KindAction, nil, store.Page{}, who.Actor.Org) {
		if err != nil {
			return nil, err
		}
		if !isAutomation(row.Doc) && (who.User.Admin() || row.Doc["publish"] != false) {
			ids = append(ids, jsonv.String(row.Doc, "identifier"))
		}
	}
	return a.deps.Access.ActionScopes(tx, who.Actor.Org, who.User, ids)
}
