// Package access decides who may do what (reference/identity.md §7): the roles of
// users, the permission documents of blueprints, actions and pages, and their
// policies. Of entities it does not decide one by one but says which ones a caller
// may see or change, as a query that the catalog adds to its own
// ([catalog.Rights]). It does not know who calls: that is for identity to say.
package access

import "slices"

// The roles of users (reference/identity.md §7.1).
const (
	RoleAdmin     = "Admin"
	RoleModerator = "Moderator"
	RoleMember    = "Member"
)

// User is a caller who is a user, human or service account, as the organization
// knows it now. Machine credentials are no user.
type User struct {
	// ID is what createdBy shows; Email names the user in documents and routes.
	ID, Email string
	// Role is one of the constants; Moderates are the blueprints of a moderator.
	Role      string
	Moderates []string
	// Teams are identifiers.
	Teams          []string
	ServiceAccount bool
}

// Admin tells whether the user may do everything. A nil user is a machine, which
// counts as one (§7.1).
func (u *User) Admin() bool { return u == nil || u.Role == RoleAdmin }

// ModeratesAny tells whether the user is a moderator of some blueprint.
func (u *User) ModeratesAny() bool {
	return u != nil && u.Role == RoleModerator && len(u.Moderates) > 0
}

// Manages tells whether the user may change a blueprint and what belongs to it.
func (u *User) Manages(blueprint string) bool {
	return u.Admin() || u.Role == RoleModerator && slices.Contains(u.Moderates, blueprint)
}
