package automations

import (
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/runs"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// kinds are the types of automations' events by what happened
// (reference/actions.md §6.1).
var kinds = map[[2]string][]string{
	{"entity", "CREATE"}:              {"ENTITY_CREATED", "ANY_ENTITY_CHANGE"},
	{"entity", "UPDATE"}:              {"ENTITY_UPDATED", "ANY_ENTITY_CHANGE"},
	{"entity", "DELETE"}:              {"ENTITY_DELETED", "ANY_ENTITY_CHANGE"},
	{"entity", catalog.ActionExpired}: {"TIMER_PROPERTY_EXPIRED"},
	{"run", "CREATE"}:                 {"RUN_CREATED", "ANY_RUN_CHANGE"},
	{"run", "UPDATE"}:                 {"RUN_UPDATED", "ANY_RUN_CHANGE"},
}

// kindsOf are the types of an event, nil for one that automations never see.
func kindsOf(e catalog.Event) []string {
	if e.Followed {
		return nil
	}
	return kinds[[2]string{e.Resource, e.Action}]
}

// listens tells whether an automation that listens to the source of an event is
// about events of its type.
func listens(automation store.Doc, kinds []string, e catalog.Event) bool {
	event := jsonv.Map(automation, "trigger", "event")
	if !slices.Contains(kinds, jsonv.String(event, "type")) {
		return false
	}
	property := jsonv.String(event, "propertyIdentifier")
	return property == "" || property == jsonv.String(e.Context, "propertyIdentifier")
}

// changesEntity tells whether an update changed what an entity has of its own:
// values that are computed come along but are no change.
func changesEntity(tx store.Tx, e catalog.Event) (bool, error) {
	for _, key := range []string{"identifier", "title", "icon", "team", "relations"} {
		if !jsonv.Equal(e.Before[key], e.After[key]) {
			return true, nil
		}
	}
	definition, err := catalog.Definition(tx, e.Actor.Org, e.Blueprint)
	if err != nil {
		return false, err
	}
	before, after := jsonv.Map(e.Before, "properties"), jsonv.Map(e.After, "properties")
	for key := range jsonv.Map(definition, "schema", "properties") {
		if !jsonv.Equal(before[key], after[key]) {
			return true, nil
		}
	}
	return false, nil
}

const eventIDLength = 16

// document is the event as automations see it (reference/actions.md §6.2).
func (a *Automations) document(e catalog.Event, told *runs.Told) jsonv.Object {
	out := jsonv.Object{
		"id": "event_" + a.deps.IDs.Alphanumeric(eventIDLength), "action": e.Action, "resourceType": e.Resource, "trigger": triggerOf(e),
	}
	if told != nil {
		out["context"] = jsonv.Object{"action": jsonv.OrNull(told.Action)}
		out["diff"] = jsonv.Object{"before": jsonv.OrNull(told.Before), "after": jsonv.OrNull(told.After)}
		return out
	}
	out["context"] = jsonv.Object{"blueprintIdentifier": e.Blueprint, "entityIdentifier": e.Entity, "propertyIdentifier": e.Context["propertyIdentifier"]}
	out["diff"] = jsonv.Object{"before": snapshot(e.Before), "after": snapshot(e.After)}
	return out
}

// triggerOf says who did it, how and when.
func triggerOf(e catalog.Event) jsonv.Object {
	by, at := jsonv.Object{"orgId": e.Actor.Org}, e.At
	if e.ByPort {
		by["byPort"] = true
	} else {
		by["userId"] = e.Actor.ID
	}
	if e.Job {
		by["byPort"] = false
	}
	if !e.Due.IsZero() {
		at = e.Due
	}
	origin := e.Actor.Origin
	if origin == "" {
		origin = "API"
	}
	return jsonv.Object{"by": by, "origin": origin, "at": clock.Stamp(at)}
}

// snapshot is an entity with the keys that expressions rely on.
func snapshot(entity jsonv.Object) any {
	if entity == nil {
		return nil
	}
	out := jsonv.Object{"icon": nil, "title": nil, "team": []any{}}
	for key, v := range entity {
		out[key] = v
	}
	return out
}
