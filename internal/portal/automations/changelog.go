package automations

import (
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// tell writes down what the change log of a blueprint is told of an event, if it
// goes anywhere (reference/actions.md §6.6): every change of its entities and of
// itself, timers that expire, and runs that are made on it.
func (a *Automations) tell(tx store.Tx, e catalog.Event) error {
	destination := e.Changelog
	if e.Resource == "run" && e.Action == "CREATE" && e.Blueprint != "" {
		definition, err := catalog.Definition(tx, e.Actor.Org, e.Blueprint)
		if err != nil {
			return err
		}
		destination = jsonv.Map(definition, "changelogDestination")
	}
	if destination == nil {
		return nil
	}
	message, err := a.message(tx, e)
	if err != nil {
		return err
	}
	if jsonv.Bool(destination, "agent") {
		message["changelogDestination"] = destination
	}
	a.written.Add(1)
	return a.deps.Runs.Change(tx, e.Actor.Org, e.Blueprint, destination, message)
}

func (a *Automations) message(tx store.Tx, e catalog.Event) (jsonv.Object, error) {
	if e.Resource == "run" {
		told, err := a.deps.Runs.Tell(tx, e, "v1")
		return jsonv.Object{
			"action": told.Name, "resourceType": "run", "status": "TRIGGERED", "trigger": jsonv.OrNull(runTrigger(told.Trigger)),
			"context": jsonv.Object{"entity": nameOrNull(e.Entity), "blueprint": e.Blueprint, "runId": e.RunID},
			"diff":    jsonv.Object{"before": nil, "after": jsonv.OrNull(told.After)},
		}, err
	}
	context := jsonv.Object{"blueprint": e.Blueprint}
	if e.Resource == "entity" {
		context["entity"] = e.Entity
	}
	if e.RunID != "" {
		context["runId"] = e.RunID
	}
	out := jsonv.Object{"action": e.Action, "resourceType": e.Resource, "status": "SUCCESS", "trigger": triggerOf(e), "context": context}
	if e.Action != catalog.ActionExpired {
		out["diff"] = jsonv.Object{"before": jsonv.OrNull(e.Before), "after": jsonv.OrNull(e.After)}
	}
	return out, nil
}

// runTrigger is who made a run: by, origin and at.
func runTrigger(trigger jsonv.Object) jsonv.Object {
	out := make(jsonv.Object, len(trigger))
	for key, v := range trigger {
		if key != "operation" {
			out[key] = v
		}
	}
	return out
}

func nameOrNull(name string) any {
	if name == "" {
		return nil
	}
	return name
}
