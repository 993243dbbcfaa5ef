package automations

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/portlens/terraform-provider-port/internal/jq"
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/runs"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Occurrence is an event together with the automations that listened to it.
type Occurrence struct {
	org, id string
	doc     store.Doc
	// matched are the automations whose conditions are fulfilled, in their order.
	matched []store.Doc
	// planned are their runs, and stopped the names of automations that had no time
	// left to say whether their conditions are fulfilled.
	planned []*runs.Planned
	stopped []string
}

// Look reads the oldest occurrences.
func (a *Automations) Look(tx store.Tx, org string, limit int) ([]*Occurrence, error) {
	var out []*Occurrence
	for row, err := range tx.Scan(KindOccurrence, nil, store.Page{Limit: limit}, org) {
		if err != nil {
			return nil, err
		}
		out = append(out, &Occurrence{org: row.Key[0], id: row.Key[1], doc: row.Doc})
	}
	return out, nil
}

// Match evaluates the conditions of the automations that listen, which needs no
// transaction. The error is ctx's.
func (a *Automations) Match(ctx context.Context, o *Occurrence) error {
	event := jsonv.Map(o.doc, "event")
	o.matched, o.stopped = nil, nil
	for _, v := range jsonv.List(o.doc, "automations") {
		automation, _ := v.(jsonv.Object)
		a.allowances.with(automation, a.deps.Clock.Now(), func(budget *jq.Budget) {
			if fulfils(ctx, jsonv.Map(automation, "trigger", "condition"), event, jq.Limits{Now: a.deps.Clock.Now, Budget: budget}) {
				o.matched = append(o.matched, automation)
			} else if budget.Exceeded() {
				o.stopped = append(o.stopped, jsonv.String(automation, "identifier"))
			}
		})
	}
	return ctx.Err()
}

// Plan begins the runs of the automations that matched, as things are now.
func (a *Automations) Plan(tx store.Tx, o *Occurrence) error {
	o.planned = nil
	if len(o.matched) == 0 || a.tooDeep(o) {
		return nil
	}
	by := jsonv.String(o.doc, "event", "trigger", "by", "userId")
	if by == "" {
		by = a.deps.Machine
	}
	about, err := a.about(tx, o)
	if err != nil {
		return err
	}
	for _, automation := range o.matched {
		run := about
		run.Automation, run.By, run.Depth = automation, by, depthOf(o.doc)+1
		planned, err := a.deps.Runs.Plan(tx, run)
		if err != nil {
			return err
		}
		o.planned = append(o.planned, planned)
	}
	return nil
}

// Evaluate fills in what the planned runs send, which needs no transaction.
func (a *Automations) Evaluate(ctx context.Context, o *Occurrence) (err error) {
	for n, planned := range o.planned {
		a.allowances.with(o.matched[n], a.deps.Clock.Now(), func(budget *jq.Budget) {
			err = errors.Join(err, planned.Evaluate(ctx, budget))
		})
	}
	return err
}

// fulfils decides about an event: each expression must be exactly true, or one of
// them with the combinator "or" (reference/actions.md §6.3 2).
func fulfils(ctx context.Context, condition, event jsonv.Object, limits jq.Limits) bool {
	expressions := jsonv.Strings(condition["expressions"])
	if len(expressions) == 0 {
		return true
	}
	either := jsonv.String(condition, "combinator") == "or"
	for _, text := range expressions {
		if isTrue(ctx, text, event, limits) == either {
			return either
		}
	}
	return !either
}

func isTrue(ctx context.Context, text string, event jsonv.Object, limits jq.Limits) bool {
	program, err := jq.Compile(text)
	if err != nil {
		return false
	}
	v, some, err := program.First(ctx, event, limits)
	return err == nil && some && v == true
}

// Dispatch makes the runs of an occurrence and takes it away, unless somebody else
// has.
func (a *Automations) Dispatch(ctx context.Context, tx store.Tx, o *Occurrence) error {
	if taken, err := a.take(tx, o); err != nil || !taken {
		return err
	}
	if a.tooDeep(o) && len(o.matched) > 0 {
		return a.refuse(tx, o, "automation loop stopped")
	}
	for _, name := range o.stopped {
		if err := a.refuse(tx, o, fmt.Sprintf("the conditions of automation %q take too long", name)); err != nil {
			return err
		}
	}
	for n, planned := range o.planned {
		gone, err := a.gone(tx, o.org, o.matched[n])
		if err != nil {
			return err
		}
		if gone {
			continue
		}
		if err := planned.Make(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// tooDeep tells that a chain of events has become too long (reference/actions.md §6.5).
func (a *Automations) tooDeep(o *Occurrence) bool { return depthOf(o.doc) > a.deps.Depth }

// gone tells whether an automation went together with its blueprint
// (reference/actions.md §6.4).
func (a *Automations) gone(tx store.Tx, org string, automation store.Doc) (bool, error) {
	blueprint := jsonv.String(automation, "trigger", "event", "blueprintIdentifier")
	if blueprint == "" {
		return false, nil
	}
	doc, err := a.deps.Actions.ByID(tx, org, jsonv.String(automation, "id"))
	if err != nil || doc != nil {
		return false, err
	}
	definition, err := catalog.Definition(tx, org, blueprint)
	return definition == nil, err
}

// Drop takes away an occurrence that cannot be dispatched, and says so in the audit
// log.
func (a *Automations) Drop(tx store.Tx, o *Occurrence, why string) error {
	if taken, err := a.take(tx, o); err != nil || !taken {
		return err
	}
	return a.refuse(tx, o, why)
}

func (a *Automations) take(tx store.Tx, o *Occurrence) (bool, error) {
	err := tx.Delete(KindOccurrence, o.org, o.id)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// refuse records that no automation saw an event.
func (a *Automations) refuse(tx store.Tx, o *Occurrence, why string) error {
	text := func(key string) string { return jsonv.String(o.doc, key) }
	return a.deps.Log.Record(tx, catalog.Event{
		Action: text("action"), Resource: text("resource"), Blueprint: text("blueprint"), Entity: text("entity"), RunID: text("run"),
		Actor: catalog.Actor{Org: o.org, ID: text("by"), Origin: runs.OriginAutomation}, At: a.deps.Clock.Now().UTC(),
		Failed: true, Message: why, Additional: jsonv.Object{"actionType": "automation"},
	})
}

// about is what a run tells of the event's blueprint and entity.
func (a *Automations) about(tx store.Tx, o *Occurrence) (runs.Automated, error) {
	out := runs.Automated{Org: o.org, Event: jsonv.Map(o.doc, "event")}
	if jsonv.String(o.doc, "resource") != "entity" {
		return out, nil
	}
	definition, err := catalog.Definition(tx, o.org, jsonv.String(o.doc, "blueprint"))
	if err != nil {
		return out, err
	}
	out.Blueprint = jsonv.Object{"identifier": o.doc["blueprint"]}
	if definition != nil {
		out.Blueprint = definition
	}
	for _, side := range []string{"after", "before"} {
		if entity := jsonv.Map(out.Event, "diff", side); entity != nil && out.Entity == nil {
			out.Entity = entity
		}
	}
	return out, nil
}

func depthOf(doc store.Doc) int {
	n, _ := doc["depth"].(json.Number)
	depth, _ := n.Int64()
	return int(depth)
}
