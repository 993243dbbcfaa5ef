package actions

import (
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/legacy"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// The routes of a blueprint's actions take and give documents in the older format
// (reference/actions.md §9.1). They and the routes of the current one are two views
// of the same actions: what is created by the one is read by the other.

// readOlder checks a document in the older format and returns it in the current
// one; at is where it stands in the body. On the routes of a blueprint the
// blueprint is given, whatever the document says; elsewhere the document may name it.
func readOlder(body any, blueprint string, prefixed bool, at ...string) (store.Doc, error) {
	body = writable(body)
	o, _ := body.(jsonv.Object)
	c := &shape.Checker{}
	legacy.Check(c, body, at, shape.Takes{
		"requiredApproval": approval, "approvalNotification": notification, "blueprint": shape.OrNull(shape.Text),
	})
	if o["identifier"] == "runs" && !prefixed {
		identifier(c, "runs", shape.Below(at, "identifier"))
	}
	if err := c.Problems.Invalid(); err != nil {
		return nil, err
	}
	if blueprint == "" {
		blueprint = jsonv.String(o, "blueprint")
	}
	o = jsonv.CloneObject(o)
	doc := legacy.Current(o, blueprint, prefixed)
	if method := jsonv.Map(o, "invocationMethod"); jsonv.Bool(method, "omitPayload") {
		doc[olderKey] = method
	}
	for _, key := range []string{"title", "icon", "description"} {
		if doc[key] == nil {
			delete(doc, key)
		}
	}
	return doc, nil
}

// olderKey is where a stored action keeps the method that it was written with in the
// older format when its current form does not carry it: one that omits the message.
const olderKey = "$older"

// keepOlder lets that stay when an action is written whose method is what it was.
func keepOlder(old, doc store.Doc) {
	same := func(at ...string) bool {
		was, _ := jsonv.Get(old, at...)
		is, _ := jsonv.Get(doc, at...)
		return jsonv.Equal(was, is)
	}
	said, ok := old[olderKey]
	if _, given := doc[olderKey]; ok && !given && same("invocationMethod") && same("trigger", "userInputs", "properties") {
		doc[olderKey] = said
	}
}

// older is a stored self-service action as callers of the older format see it.
func older(doc store.Doc) jsonv.Object {
	out := legacy.Older(public(doc))
	if said := jsonv.Map(doc, olderKey); said != nil {
		out["invocationMethod"] = said
	}
	return out
}

// of finds an action of a blueprint by the identifier that its routes give it
// (§1.8); nil when there is none.
func of(tx store.Tx, org, blueprint, id string) (store.Doc, error) {
	for _, kept := range []string{legacy.Identifier(blueprint, id), id} {
		doc, err := tx.Get(KindAction, org, kept)
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return nil, err
		case jsonv.String(doc, "trigger", "blueprintIdentifier") == blueprint && !isAutomation(doc):
			return doc, nil
		}
	}
	return nil, nil
}

// Kept names the action that a route of a blueprint means, as it is kept.
func (a *Actions) Kept(tx store.Tx, who Caller, blueprint, id string) (string, error) {
	doc, err := a.OfBlueprint(tx, who.Actor.Org, blueprint, id)
	return jsonv.String(doc, "identifier"), err
}

// OfBlueprint is the document of the action that a route of a blueprint means,
// whoever asks, as [Actions.Action] gives it.
func (a *Actions) OfBlueprint(tx store.Tx, org, blueprint, id string) (jsonv.Object, error) {
	if err := exists(tx, org, blueprint); err != nil {
		return nil, err
	}
	doc, err := of(tx, org, blueprint, id)
	if err == nil && doc == nil {
		err = fault.NotFound("Action", id)
	}
	return doc, err
}

// PatchPermissionsOf answers PATCH of the permissions of one of a blueprint's actions.
func (a *Actions) PatchPermissionsOf(tx store.Tx, who Caller, blueprint, id string, body any) (jsonv.Object, error) {
	if err := access.CheckActionPermissions(body); err != nil {
		return nil, err
	}
	kept, err := a.Kept(tx, who, blueprint, id)
	if err != nil {
		return nil, err
	}
	return a.PatchPermissions(tx, who, kept, body)
}

func exists(tx store.Tx, org, blueprint string) error {
	definition, err := catalog.Definition(tx, org, blueprint)
	if err == nil && definition == nil {
		err = fault.NotFound("Blueprint", blueprint)
	}
	return err
}

// ListOf answers GET of a blueprint's actions.
func (a *Actions) ListOf(tx store.Tx, who Caller, blueprint string) ([]any, error) {
	if err := exists(tx, who.Actor.Org, blueprint); err != nil {
		return nil, err
	}
	return a.List(tx, who, Filter{Blueprints: []string{blueprint}, Trigger: triggerSelfService, Version: versionOlder})
}

// ReadOf answers GET of one of a blueprint's actions.
func (a *Actions) ReadOf(tx store.Tx, who Caller, blueprint, id string) (jsonv.Object, error) {
	kept, err := a.Kept(tx, who, blueprint, id)
	if err != nil {
		return nil, err
	}
	doc, err := a.visible(tx, who, kept)
	if err != nil {
		return nil, err
	}
	return older(doc), nil
}

// CreateOf answers POST of an action of a blueprint.
func (a *Actions) CreateOf(tx store.Tx, who Caller, blueprint string, body any) (jsonv.Object, error) {
	doc, err := readOlder(body, blueprint, true)
	if err != nil {
		return nil, err
	}
	made, err := a.createOf(tx, who, blueprint, doc)
	if err != nil {
		return nil, err
	}
	return older(made), nil
}

func (a *Actions) createOf(tx store.Tx, who Caller, blueprint string, doc store.Doc) (store.Doc, error) {
	if err := a.admit(tx, who, doc); err != nil {
		return nil, err
	}
	id := legacy.Short(blueprint, jsonv.String(doc, "identifier"))
	if taken, err := of(tx, who.Actor.Org, blueprint, id); err != nil {
		return nil, err
	} else if taken != nil {
		return nil, fault.Taken("Action", id)
	}
	return a.create(tx, who, doc)
}

// PutOf answers PUT of one of a blueprint's actions.
func (a *Actions) PutOf(tx store.Tx, who Caller, blueprint, id string, body any) (jsonv.Object, error) {
	doc, err := readOlder(body, blueprint, true)
	if err != nil {
		return nil, err
	}
	kept, err := a.Kept(tx, who, blueprint, id)
	if err != nil {
		return nil, err
	}
	made, err := a.replaceOf(tx, who, blueprint, kept, doc, body)
	if err != nil {
		return nil, err
	}
	return older(made), nil
}

// replaceOf replaces an action that may be kept under its plain identifier: one that
// does not change stays, and its backend is told all of it. Body is what doc was read
// from.
func (a *Actions) replaceOf(tx store.Tx, who Caller, blueprint, kept string, doc store.Doc, body any) (store.Doc, error) {
	if is := jsonv.String(doc, "identifier"); is != kept && legacy.Short(blueprint, is) == legacy.Short(blueprint, kept) {
		var err error
		if doc, err = readOlder(body, blueprint, false); err != nil {
			return nil, err
		}
		doc["identifier"] = kept
	}
	return a.replace(tx, who, kept, doc)
}

// PutAllOf answers PUT of all actions of a blueprint: those that the array does not
// name, by id or identifier, are deleted.
func (a *Actions) PutAllOf(tx store.Tx, who Caller, blueprint string, body any) ([]any, error) {
	wanted, err := readAllOlder(body, blueprint)
	if err != nil {
		return nil, err
	}
	if err := exists(tx, who.Actor.Org, blueprint); err != nil {
		return nil, err
	}
	if !who.User.Manages(blueprint) {
		return nil, fault.MissingPermissions("the actions of blueprint %q are for its moderators and administrators to change", blueprint)
	}
	surplus, err := match(tx, who.Actor.Org, blueprint, wanted)
	if err != nil {
		return nil, err
	}
	for _, id := range surplus { // first: what stays may take their names
		if err := a.Delete(tx, who, id); err != nil {
			return nil, err
		}
	}
	for _, w := range makingRoom(wanted) {
		if w.kept != "" {
			_, err = a.replaceOf(tx, who, blueprint, w.kept, w.doc, w.body)
		} else {
			_, err = a.createOf(tx, who, blueprint, w.doc)
		}
		if err != nil {
			return nil, err
		}
	}
	out := []any{}
	err = eachOf(tx, who.Actor.Org, blueprint, func(_ string, doc store.Doc) { out = append(out, older(doc)) })
	return out, err
}

// makingRoom puts actions that give a name up before those that take it.
func makingRoom(all []*wanted) []*wanted {
	var out []*wanted
	for left := all; len(left) > 0; {
		var ready, waiting []*wanted
		for _, w := range left {
			is := jsonv.String(w.doc, "identifier")
			if slices.ContainsFunc(left, func(other *wanted) bool { return other != w && other.kept == is }) {
				waiting = append(waiting, w)
			} else {
				ready = append(ready, w)
			}
		}
		if len(ready) == 0 { // a circle
			return append(out, left...)
		}
		out, left = append(out, ready...), waiting
	}
	return out
}

// eachOf goes through the self-service actions of a blueprint, oldest first.
func eachOf(tx store.Tx, org, blueprint string, f func(id string, doc store.Doc)) error {
	return each(tx, org, func(id string, doc store.Doc) {
		if !isAutomation(doc) && belongs(doc, blueprint) {
			f(id, doc)
		}
	})
}

// wanted is one of the actions that a blueprint is to have.
type wanted struct {
	doc  store.Doc
	body any    // as it was sent
	id   string // of an action that there is, "" when the body does not say
	// kept is what the action that it replaces is kept as, "" for a new one.
	kept string
}

func readAllOlder(body any, blueprint string) (all []*wanted, err error) {
	list, ok := body.([]any)
	if !ok {
		c := &shape.Checker{}
		c.Wrong(nil, "array", body)
		return nil, c.Problems.Invalid()
	}
	var problems fault.Problems
	seen := map[string]bool{}
	for i, raw := range list {
		doc, err := readOlder(raw, blueprint, true, strconv.Itoa(i))
		if err != nil {
			problems = append(problems, fault.ProblemsOf(err, "")...)
			continue
		}
		id := jsonv.String(doc, "identifier")
		if seen[id] {
			problems = append(problems, fault.Problem{Path: jsonv.Pointer(strconv.Itoa(i), "identifier"), Keyword: "uniqueItems", Message: "must be unique"})
		}
		seen[id] = true
		all = append(all, &wanted{doc: doc, body: raw, id: jsonv.String(raw, "id")})
	}
	return all, problems.Invalid()
}

// match finds the actions of a blueprint that wanted ones replace, and lists those
// that nothing replaces.
func match(tx store.Tx, org, blueprint string, all []*wanted) (surplus []string, err error) {
	kept := map[string]string{} // by id
	err = eachOf(tx, org, blueprint, func(id string, doc store.Doc) { kept[jsonv.String(doc, "id")] = id })
	if err != nil {
		return nil, err
	}
	for _, w := range all {
		w.kept = kept[w.id]
		delete(kept, w.id)
	}
	for _, w := range all {
		if w.kept != "" {
			continue
		}
		doc, err := of(tx, org, blueprint, legacy.Short(blueprint, jsonv.String(w.doc, "identifier")))
		if err != nil {
			return nil, err
		}
		id := jsonv.String(doc, "id")
		w.kept = kept[id]
		delete(kept, id)
	}
	return slices.Sorted(maps.Values(kept)), nil
}
