package actions

import (
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

var _ catalog.Actions = (*Actions)(nil)

// Of implements [catalog.Actions]: the self-service actions of a blueprint stand in
// the way of its deletion, automations do not.
func (a *Actions) Of(tx store.Tx, org, blueprint string) (ids []string, err error) {
	err = eachOf(tx, org, blueprint, func(id string, _ store.Doc) { ids = append(ids, id) })
	return ids, err
}

// DeleteOf implements [catalog.Actions]: with a blueprint go its actions and the
// automations that listen to it (reference/actions.md §1.4 A7).
func (a *Actions) DeleteOf(tx store.Tx, actor catalog.Actor, blueprint string) error {
	gone := map[string]store.Doc{}
	err := each(tx, actor.Org, func(id string, doc store.Doc) {
		if belongs(doc, blueprint) {
			gone[id] = doc
		}
	})
	for _, id := range shape.Keys(gone) {
		if err == nil {
			err = a.drop(tx, actor, id, gone[id])
		}
	}
	return err
}

// BlueprintRenamed implements [catalog.Actions]: triggers, inputs and written
// entities name the blueprint as it is called now (A7).
func (a *Actions) BlueprintRenamed(tx store.Tx, org, was, is string) error {
	changed := map[string]store.Doc{}
	err := each(tx, org, func(id string, doc store.Doc) {
		doc = jsonv.CloneObject(doc)
		if renamed(doc, was, is) {
			changed[id] = doc
		}
	})
	for _, id := range shape.Keys(changed) {
		if err == nil {
			err = tx.Put(KindAction, changed[id], org, id)
		}
	}
	return err
}

func belongs(doc store.Doc, blueprint string) bool {
	id, ok := blueprintOf(doc)
	return ok && id == blueprint
}

func each(tx store.Tx, org string, f func(id string, doc store.Doc)) error {
	for row, err := range tx.Scan(KindAction, nil, store.Page{}, org) {
		if err != nil {
			return err
		}
		f(row.Key[len(row.Key)-1], row.Doc)
	}
	return nil
}

// renamed exchanges the name of a blueprint wherever a document holds it, and
// reports whether it did.
func renamed(doc store.Doc, was, is string) bool {
	found := false
	exchange := func(o jsonv.Object, key string) {
		if o != nil && o[key] == was {
			o[key], found = is, true
		}
	}
	trigger := jsonv.Map(doc, "trigger")
	exchange(trigger, "blueprintIdentifier")
	exchange(jsonv.Map(trigger, "event"), "blueprintIdentifier")
	for id := range jsonv.Map(trigger, "userInputs", "properties") {
		input := jsonv.Map(trigger, "userInputs", "properties", id)
		exchange(input, "blueprint")
		exchange(jsonv.Map(input, "items"), "blueprint")
	}
	if method := jsonv.Map(doc, "invocationMethod"); method["type"] == "UPSERT_ENTITY" {
		exchange(method, "blueprintIdentifier")
	}
	return found
}
