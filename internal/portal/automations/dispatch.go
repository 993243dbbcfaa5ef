package automations

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jq"
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/runs"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// conditionTime is what all conditions of one event may take together.
const conditionTime = 5 * time.Second

// Occurrence is an event together with the automations that listened to it.
type Occurrence struct {
	org, id string
	doc     store.Doc
	// matched are the automations whose conditions are fulfilled, in their order.
	matched []store.Doc
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
	event, budget := jsonv.Map(o.doc, "event"), jq.NewBudget(conditionTime)
	o.matched = nil
	for _, v := range jsonv.List(o.doc, "automations") {
		automation, _ := v.(jsonv.Object)
		if fulfils(ctx, jsonv.Map(automation, "trigger", "condition"), event, jq.Limits{Now: a.deps.Clock.Now, Budget: budget}) {
			o.matched = append(o.matched, automation)
		}
	}
	return ctx.Err()
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
	if taken, err := a.take(tx, o); err != nil || !taken || len(o.matched) == 0 {
		return err
	}
	depth := depthOf(o.doc)
	if depth > a.deps.Depth {
		return a.refuse(tx, o, "automation loop stopped")
	}
	event := jsonv.Map(o.doc, "event")
	by := jsonv.String(event, "trigger", "by", "userId")
	if by == "" {
		by = a.deps.Machine
	}
	about, err := a.about(tx, o)
	if err != nil {
		return err
	}
	for _, automation := range o.matched {
		gone, err := a.gone(tx, o.org, automation)
		if err != nil {
			return err
		}
		if gone {
			continue
		}
		run := about
		run.Automation, run.By, run.Depth = automation, by, depth+1
		if err := a.deps.Runs.Automate(ctx, tx, run); err != nil {
			return err
		}
	}
	return nil
}

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
