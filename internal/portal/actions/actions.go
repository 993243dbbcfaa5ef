// Package actions keeps the definitions of self-service actions and automations
// (reference/actions.md §0, §1): what a document may be, who may see and change
// it, and how it follows the blueprints it belongs to. It executes nothing. Its
// methods take a store transaction and plain JSON bodies and return documents that
// only need the envelope around them; every error a caller may see is a
// *fault.Fault.
package actions

import (
	"errors"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
	"github.com/portlens/terraform-provider-port/internal/portal/template"
)

// KindAction are the documents of actions and automations, keyed by organization
// and identifier. They are kept in the current format as they were sent, with what
// the server adds and, under [orderKey], the order in which keys were written that
// templates compute.
const KindAction store.Kind = "action"

const orderKey = "$order"

// KindFormer keeps what deleted actions were called that had been renamed, keyed by
// organization and id: their runs tell it (reference/actions.md §1.4 A3, A4). Others
// are called what their runs say; renamedKey tells them apart.
const KindFormer store.Kind = "action-former"

const renamedKey = "$renamed"

// authorKey is where a stored action keeps the e-mail of who wrote it last, if that is
// nobody who may do everything; see [Author].
const authorKey = "$author"

// Deps are what [New] needs. Recorder may be nil: then nobody is told of changes.
type Deps struct {
	Clock    clock.Clock
	IDs      ident.Source
	Access   *access.Access
	Recorder catalog.Recorder
}

// Actions answers the operations on actions. It is safe for concurrent use and
// keeps nothing beside the store.
type Actions struct{ deps Deps }

// New makes an Actions.
func New(deps Deps) *Actions { return &Actions{deps} }

// Caller is who makes a request: Actor in the words of the catalog, and the user,
// nil for machine credentials.
type Caller struct {
	Actor catalog.Actor
	User  *access.User
}

// Document is the body of a request that writes an action, together with the order
// of its keys and the version that the answer is wanted in.
type Document struct {
	Body    any
	Order   template.Order
	Version string
}

// Read answers GET of one action, in the version asked for.
func (a *Actions) Read(tx store.Tx, who Caller, id, version string) (jsonv.Object, error) {
	if err := (Filter{Version: version}).check(); err != nil {
		return nil, err
	}
	doc, err := a.visible(tx, who, id)
	if err == nil && version == versionOlder && isAutomation(doc) {
		err = fault.NotFound("Action", id) // nor do lists of that version have it
	}
	if err != nil {
		return nil, err
	}
	return inVersion(doc, version), nil
}

// inVersion is a stored action as callers see it in a version of the API, of which ""
// stands for the current one. Automations have only that.
func inVersion(doc store.Doc, version string) jsonv.Object {
	if doc == nil || version != versionOlder || isAutomation(doc) {
		return public(doc)
	}
	return older(doc)
}

// Create answers POST.
func (a *Actions) Create(tx store.Tx, who Caller, in Document) (jsonv.Object, error) {
	doc, err := read(in, "")
	if err != nil {
		return nil, err
	}
	if err := a.admit(tx, who, doc); err != nil {
		return nil, err
	}
	made, err := a.create(tx, who, doc)
	return inVersion(made, in.Version), err
}

// create stores a new action that the caller may have.
func (a *Actions) create(tx store.Tx, who Caller, doc store.Doc) (store.Doc, error) {
	id := jsonv.String(doc, "identifier")
	if err := free(tx, who.Actor.Org, id); err != nil {
		return nil, err
	}
	now := clock.Stamp(a.deps.Clock.Now())
	doc["id"] = "action_" + a.deps.IDs.Alphanumeric(16)
	doc["createdAt"], doc["createdBy"] = now, who.Actor.ID
	doc["updatedAt"], doc["updatedBy"] = now, who.Actor.ID
	sign(doc, who)
	if err := tx.Put(KindAction, doc, who.Actor.Org, id); err != nil {
		return nil, err
	}
	return doc, a.record(tx, who.Actor, "CREATE", nil, doc)
}

// Put answers PUT: it replaces the whole action, which may get another identifier.
// What belongs to it stays (reference/actions.md §1.4 A2, A3).
func (a *Actions) Put(tx store.Tx, who Caller, id string, in Document) (jsonv.Object, error) {
	doc, err := read(in, id)
	if err != nil {
		return nil, err
	}
	made, err := a.replace(tx, who, id, doc)
	return inVersion(made, in.Version), err
}

// replace stores an action in the place of another.
func (a *Actions) replace(tx store.Tx, who Caller, id string, doc store.Doc) (store.Doc, error) {
	old, err := a.managed(tx, who, id)
	if err != nil {
		return nil, err
	}
	if err := a.admit(tx, who, doc); err != nil {
		return nil, err
	}
	for _, key := range []string{"id", "createdAt", "createdBy"} {
		doc[key] = old[key]
	}
	if old[renamedKey] == true || doc["identifier"] != id {
		doc[renamedKey] = true
	}
	keepOlder(old, doc)
	doc["updatedAt"], doc["updatedBy"] = clock.Stamp(a.deps.Clock.Now()), who.Actor.ID
	sign(doc, who)
	if err := a.move(tx, who.Actor.Org, id, doc); err != nil {
		return nil, err
	}
	return doc, a.record(tx, who.Actor, "UPDATE", old, doc)
}

// sign keeps who answers for what the action does.
func sign(doc store.Doc, who Caller) {
	delete(doc, authorKey)
	if !who.User.Admin() {
		doc[authorKey] = who.User.Email
	}
}

// move stores an action that was called otherwise before.
func (a *Actions) move(tx store.Tx, org, was string, doc store.Doc) error {
	is := jsonv.String(doc, "identifier")
	if is != was {
		if err := free(tx, org, is); err != nil {
			return err
		}
		if err := tx.Delete(KindAction, org, was); err != nil {
			return err
		}
		if err := a.deps.Access.ActionRenamed(tx, org, was, is); err != nil {
			return err
		}
	}
	return tx.Put(KindAction, doc, org, is)
}

// Delete answers DELETE.
func (a *Actions) Delete(tx store.Tx, who Caller, id string) error {
	old, err := a.managed(tx, who, id)
	if err != nil {
		return err
	}
	return a.drop(tx, who.Actor, id, old)
}

func (a *Actions) drop(tx store.Tx, actor catalog.Actor, id string, old store.Doc) error {
	if err := tx.Delete(KindAction, actor.Org, id); err != nil {
		return err
	}
	if old[renamedKey] == true {
		if err := tx.Put(KindFormer, store.Doc{"identifier": id}, actor.Org, jsonv.String(old, "id")); err != nil {
			return err
		}
	}
	if err := a.deps.Access.ActionDeleted(tx, actor.Org, id); err != nil {
		return err
	}
	return a.record(tx, actor, "DELETE", old, nil)
}

// Permissions answers GET of the permissions of an action, which are there for
// whoever sees or manages it.
func (a *Actions) Permissions(tx store.Tx, who Caller, id string) (jsonv.Object, error) {
	doc, err := find(tx, who.Actor.Org, id)
	if err != nil {
		return nil, err
	}
	if !access.ManagesAction(who.User, doc) {
		if _, err := a.visible(tx, who, id); err != nil {
			return nil, err
		}
	}
	return a.deps.Access.ActionPermissions(tx, who.Actor.Org, id)
}

// PatchPermissions answers PATCH of the permissions of an action.
func (a *Actions) PatchPermissions(tx store.Tx, who Caller, id string, body any) (jsonv.Object, error) {
	if err := access.CheckActionPermissions(body); err != nil {
		return nil, err
	}
	if _, err := a.managed(tx, who, id); err != nil {
		return nil, err
	}
	return a.deps.Access.PatchActionPermissions(tx, who.Actor, id, body)
}

// find reads an action that a path names.
func find(tx store.Tx, org, id string) (store.Doc, error) {
	doc, err := tx.Get(KindAction, org, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.NotFound("Action", id)
	}
	return doc, err
}

// free refuses an identifier that an action or automation has (A1).
func free(tx store.Tx, org, id string) error {
	_, err := tx.Get(KindAction, org, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return fault.Taken("Action", id)
}

// visible reads an action that the caller may see.
func (a *Actions) visible(tx store.Tx, who Caller, id string) (store.Doc, error) {
	doc, err := find(tx, who.Actor.Org, id)
	if err != nil {
		return nil, err
	}
	sees, err := a.sees(tx, who, doc)
	if err == nil && !sees {
		err = fault.NotFound("Action", id)
	}
	return doc, err
}

// sees tells whether an action is shown: automations (A9) and actions that are not
// published only to administrators and machines, others as their lists say.
func (a *Actions) sees(tx store.Tx, who Caller, doc store.Doc) (bool, error) {
	switch {
	case who.User.Admin():
		return true, nil
	case isAutomation(doc), doc["publish"] == false:
		return false, nil
	}
	return a.deps.Access.SeesAction(tx, who.Actor.Org, who.User, jsonv.String(doc, "identifier"))
}

// managed reads an action that the caller may change or delete.
func (a *Actions) managed(tx store.Tx, who Caller, id string) (store.Doc, error) {
	doc, err := find(tx, who.Actor.Org, id)
	if err == nil && !access.ManagesAction(who.User, doc) {
		err = refused(id)
	}
	return doc, err
}

func refused(id string) error {
	return fault.MissingPermissions("action %q is for administrators to change, and for moderators of its blueprint", id)
}

// admit checks a document against what is stored, in the order of
// reference/identity.md §1.4: what it belongs to must exist (A5), the caller must
// be allowed to have it (A12), and a timer must be one.
func (a *Actions) admit(tx store.Tx, who Caller, doc store.Doc) error {
	blueprint, names := blueprintOf(doc)
	var definition store.Doc
	if names {
		var err error
		if definition, err = catalog.Definition(tx, who.Actor.Org, blueprint); err != nil {
			return err
		}
		if definition == nil {
			return fault.NotFound("Blueprint", blueprint)
		}
	}
	if !access.ManagesAction(who.User, doc) {
		return refused(jsonv.String(doc, "identifier"))
	}
	if target, ok := upserts(doc); ok && !access.MayLetWrite(who.User, target) {
		return fault.MissingPermissions("action %q writes entities of blueprint %q with the rights of the organization: that is for those to order who may do all of it themselves",
			jsonv.String(doc, "identifier"), target)
	}
	if property, ok := jsonv.Get(doc, "trigger", "event", "propertyIdentifier"); ok {
		name, _ := property.(string)
		if jsonv.String(definition, "schema", "properties", name, "format") != "timer" {
			c := &shape.Checker{}
			c.Add("format", []string{"trigger", "event", "propertyIdentifier"}, "blueprint %q has no property %q of format timer", blueprint, name)
			return c.Problems.Invalid()
		}
	}
	return nil
}

// blueprintOf is the blueprint that an action belongs to or an automation listens
// to, if there is one.
func blueprintOf(doc jsonv.Object) (string, bool) {
	v, ok := jsonv.Get(doc, "trigger", "blueprintIdentifier")
	if !ok {
		v, ok = jsonv.Get(doc, "trigger", "event", "blueprintIdentifier")
	}
	id, _ := v.(string)
	return id, ok
}

// upserts is the blueprint, or the template that yields one, whose entities an action
// writes itself.
func upserts(doc jsonv.Object) (string, bool) {
	method := jsonv.Map(doc, "invocationMethod")
	return jsonv.String(method, "blueprintIdentifier"), method["type"] == "UPSERT_ENTITY"
}

func isAutomation(doc jsonv.Object) bool {
	return jsonv.String(doc, "trigger", "type") == triggerAutomation
}

// record tells of a change (A10).
func (a *Actions) record(tx store.Tx, actor catalog.Actor, change string, before, after store.Doc) error {
	if a.deps.Recorder == nil {
		return nil
	}
	e := catalog.Event{
		Action: change, Resource: "action", Actor: actor, At: a.deps.Clock.Now(),
		Before: public(before), After: public(after),
	}
	for _, doc := range []store.Doc{before, after} { // the later one says where it stands now
		if doc != nil {
			e.Blueprint, _ = blueprintOf(doc)
			e.Context = jsonv.Object{"action": doc["identifier"]}
		}
	}
	return a.deps.Recorder.Record(tx, e)
}
