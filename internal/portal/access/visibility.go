package access

import (
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// SeesAction tells whether the lists of an action show it to a user
// (reference/actions.md §5.2). A policy has no say in it.
func (a *Access) SeesAction(tx store.Tx, org string, u *User, action string) (bool, error) {
	if u.Admin() {
		return true, nil
	}
	doc, err := a.ActionPermissions(tx, org, action)
	if err != nil {
		return false, err
	}
	b := listsOf(doc, executeKey)
	if b.owned {
		return true, nil
	}
	return b.names(blueprintsOf(tx, org), u)
}

// ActionScopes are the strings by which one client decides which actions it shows
// (reference/actions.md §5.1 D6), in the order of the actions.
func (a *Access) ActionScopes(tx store.Tx, org string, u *User, actions []string) ([]string, error) {
	var out []string
	for _, action := range actions {
		doc, err := a.ActionPermissions(tx, org, action)
		if err != nil {
			return nil, err
		}
		b := listsOf(doc, executeKey)
		named := u.Admin()
		if !named {
			if named, err = b.names(blueprintsOf(tx, org), u); err != nil {
				return nil, err
			}
		}
		if named {
			out = append(out, "execute:actions:"+action)
		}
		if b.owned {
			out = append(out, "execute:team_entities:actions:"+action)
		}
	}
	return out, nil
}

// ManagesAction tells whether a user may create, change or delete an action and its
// permissions: administrators any, moderators of a blueprint the self-service
// actions that belong to it (reference/actions.md §1.4 A12).
func ManagesAction(u *User, action jsonv.Object) bool {
	if u.Admin() {
		return true
	}
	blueprint := jsonv.String(action, "trigger", "blueprintIdentifier")
	return jsonv.String(action, "trigger", "type") == "self-service" && blueprint != "" && u.Manages(blueprint)
}

// MayLetWrite tells whether a user may have an action write entities of a blueprint.
// It does so with the rights of the organization (reference/identity.md §7.7 X8), so
// that who could order it for anything would be an administrator in all but name:
// moderators get no further than to the blueprints they moderate, and to users not
// at all, whose roles are for administrators alone (§2.5 S3, §7.1). A template could
// yield any blueprint and is none that somebody moderates.
func MayLetWrite(u *User, blueprint string) bool {
	return u.Admin() || blueprint != userBlueprint && u.Manages(blueprint)
}

// Run is what decides who sees a run (reference/actions.md §4.6).
type Run struct {
	// Open is allowAnyoneToViewRuns of its action, nil when it does not say.
	Open *bool
	// Automation tells that no person made it.
	Automation bool
	// Creators are the ids of who made it and for whom.
	Creators []string
	// Approvers are the e-mails of those who may approve it.
	Approvers []string
}

// SeesRun tells whether a run is shown to a user.
func SeesRun(u *User, r Run) bool {
	switch {
	case u.Admin():
		return true
	case r.Automation:
		return r.Open != nil && *r.Open
	case r.Open == nil || *r.Open:
		return true
	case slices.Contains(r.Creators, u.ID):
		return true
	}
	return slices.ContainsFunc(r.Approvers, func(email string) bool { return ident.SameEmail(email, u.Email) })
}

// SeesPage tells whether a user may read a page; who may change it may read it
// (reference/identity.md §7.9).
func (a *Access) SeesPage(tx store.Tx, org string, u *User, page string) (bool, error) {
	return a.page(tx, org, u, page, readKey, updateKey)
}

// MayEditPage tells whether a user may change a page and its widgets.
func (a *Access) MayEditPage(tx store.Tx, org string, u *User, page string) (bool, error) {
	return a.page(tx, org, u, page, updateKey)
}

func (a *Access) page(tx store.Tx, org string, u *User, page string, blocks ...string) (bool, error) {
	if u.Admin() {
		return true, nil
	}
	doc, err := a.PagePermissions(tx, org, page)
	if err != nil {
		return false, err
	}
	for _, name := range blocks {
		if named, err := listsOf(doc, name).names(blueprintsOf(tx, org), u); err != nil || named {
			return named, err
		}
	}
	return false, nil
}
