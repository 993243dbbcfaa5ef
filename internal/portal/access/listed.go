package access

import (
	"errors"
	"maps"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// The permission documents of actions and pages, keyed by organization and
// identifier. One that nobody has changed is not kept.
const (
	KindActionPermissions store.Kind = "action-permissions"
	KindPagePermissions   store.Kind = "page-permissions"
)

// family is a kind of permission documents whose blocks have the same keys whatever
// they belong to.
type family struct {
	kind store.Kind
	// blocks are the keys of each block, initial what they hold at first.
	blocks  map[string][]string
	initial func() jsonv.Object
}

// The blocks of actions and of pages.
const (
	executeKey = "execute"
	approveKey = "approve"
	readKey    = "read"
	updateKey  = "update"
	ownedKey   = "ownedByTeam"
)

// actionFamily: everybody may execute an action, and administrators approve it
// (reference/actions.md §5.1).
var actionFamily = family{
	kind: KindActionPermissions,
	blocks: map[string][]string{
		executeKey: {"users", "roles", "teams", ownedKey, policyKey},
		approveKey: {"users", "roles", "teams", policyKey},
	},
	initial: func() jsonv.Object {
		execute, approve := admits(RoleAdmin, RoleMember), admits(RoleAdmin)
		execute[ownedKey], execute[policyKey], approve[policyKey] = false, nil, nil
		return jsonv.Object{executeKey: execute, approveKey: approve}
	},
}

// pageFamily: everybody may read a page, and administrators change it
// (reference/identity.md §7.9).
var pageFamily = family{
	kind:   KindPagePermissions,
	blocks: map[string][]string{readKey: lists, updateKey: lists},
	initial: func() jsonv.Object {
		return jsonv.Object{readKey: admits(RoleAdmin, RoleMember), updateKey: admits(RoleAdmin)}
	},
}

func admits(roles ...string) jsonv.Object {
	return jsonv.Object{"users": []any{}, "roles": jsonv.FromStrings(roles), "teams": []any{}}
}

// read returns a document, which is shared.
func (f family) read(tx store.Tx, org, id string) (jsonv.Object, error) {
	doc, err := tx.Get(f.kind, org, id)
	if errors.Is(err, store.ErrNotFound) {
		return f.initial(), nil
	}
	return doc, err
}

// given checks the body of a PATCH and returns what it says about each block.
func (f family) given(body any) (map[string]jsonv.Object, error) {
	takes := shape.Takes{}
	for name, keys := range f.blocks {
		takes[name] = shape.Closed(blockTakes(actionPolicy, keys))
	}
	o, err := shape.Body(body, takes)
	out := map[string]jsonv.Object{}
	for name := range o {
		out[name] = said(jsonv.Map(o, name), f.blocks[name])
	}
	return out, err
}

// patch takes over what a body says and returns the whole document: keys that are
// given replace, all others stay. What is as it was is not written.
func (a *Access) patch(tx store.Tx, actor catalog.Actor, f family, id string, body any) (jsonv.Object, error) {
	given, err := f.given(body)
	if err != nil {
		return nil, err
	}
	old, err := f.read(tx, actor.Org, id)
	if err != nil {
		return nil, err
	}
	doc := jsonv.CloneObject(old)
	for name, b := range given {
		maps.Copy(jsonv.Map(doc, name), b)
	}
	if jsonv.Equal(old, doc) {
		return doc, nil
	}
	if err := tx.Put(f.kind, doc, actor.Org, id); err != nil {
		return nil, err
	}
	return doc, a.note(tx, actor, f.kind, id, old, doc)
}

// drop deletes a document, if there is one.
func (f family) drop(tx store.Tx, org, id string) error {
	err := tx.Delete(f.kind, org, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// rename lets a document follow what it belongs to.
func (f family) rename(tx store.Tx, org, was, is string) error {
	doc, err := tx.Get(f.kind, org, was)
	if errors.Is(err, store.ErrNotFound) || was == is {
		return nil
	}
	if err != nil {
		return err
	}
	if err := tx.Delete(f.kind, org, was); err != nil {
		return err
	}
	return tx.Put(f.kind, doc, org, is)
}

// listsOf reads the lists of a block.
func listsOf(doc jsonv.Object, name string) block {
	b := jsonv.Map(doc, name)
	return block{
		users: jsonv.Strings(b["users"]), roles: jsonv.Strings(b["roles"]), teams: jsonv.Strings(b["teams"]),
		owned: jsonv.Bool(b, ownedKey),
	}
}

// ActionPermissions is the permission document of an action; it is shared.
func (*Access) ActionPermissions(tx store.Tx, org, action string) (jsonv.Object, error) {
	return actionFamily.read(tx, org, action)
}

// CheckActionPermissions tells what is wrong with the body of a PATCH of the
// permissions of an action.
func CheckActionPermissions(body any) error {
	_, err := actionFamily.given(body)
	return err
}

// PatchActionPermissions changes what a body names (reference/actions.md §5.1 D1–D3).
// That the action exists and who may change it is for the caller to know.
func (a *Access) PatchActionPermissions(tx store.Tx, actor catalog.Actor, action string, body any) (jsonv.Object, error) {
	return a.patch(tx, actor, actionFamily, action, body)
}

// ActionRenamed lets the permissions of an action follow it.
func (*Access) ActionRenamed(tx store.Tx, org, was, is string) error {
	return actionFamily.rename(tx, org, was, is)
}

// ActionDeleted deletes the permissions of an action with it.
func (*Access) ActionDeleted(tx store.Tx, org, action string) error {
	return actionFamily.drop(tx, org, action)
}

// PagePermissions is the permission document of a page; it is shared.
func (*Access) PagePermissions(tx store.Tx, org, page string) (jsonv.Object, error) {
	return pageFamily.read(tx, org, page)
}

// CheckPagePermissions tells what is wrong with the body of a PATCH of the
// permissions of a page.
func CheckPagePermissions(body any) error {
	_, err := pageFamily.given(body)
	return err
}

// PatchPagePermissions changes what a body names (reference/identity.md §7.9). That
// the page exists and who may change it is for the caller to know.
func (a *Access) PatchPagePermissions(tx store.Tx, actor catalog.Actor, page string, body any) (jsonv.Object, error) {
	return a.patch(tx, actor, pageFamily, page, body)
}

// PageRenamed lets the permissions of a page follow it.
func (*Access) PageRenamed(tx store.Tx, org, was, is string) error {
	return pageFamily.rename(tx, org, was, is)
}

// PageDeleted deletes the permissions of a page with it.
func (*Access) PageDeleted(tx store.Tx, org, page string) error {
	return pageFamily.drop(tx, org, page)
}
