// Package access decides who may do what (reference/identity.md §7): the roles of
// users, the permission documents of blueprints, actions and pages, and their
// policies. Of entities it does not decide one by one but says which ones a caller
// may see or change, as a query that the catalog adds to its own
// ([catalog.Rights]). It does not know who calls: that is for identity to say.
package access

import (
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Deps are what [New] needs.
type Deps struct {
	Clock clock.Clock
	IDs   ident.Source
	// ListAllFields makes permission documents tell of every property and relation
	// of their blueprint (reference/identity.md §7.4 B6).
	ListAllFields bool
	// Strict refuses users and teams in permission documents that do not exist (B8).
	Strict bool
}

// Access answers for the rights of users. It is safe for concurrent use; what it
// keeps beside the store follows from what is stored.
type Access struct {
	deps  Deps
	cache *documentCache
	// catalog and people are nil until [Access.Join].
	catalog Catalog
	people  People
}

// New makes an Access.
func New(deps Deps) *Access { return &Access{deps: deps, cache: newDocumentCache(1024)} }

// Rights are what a user may do in the catalog: nil, which is everything, for
// administrators and for machines, which are no user.
func (a *Access) Rights(org string, u *User) catalog.Rights {
	if u.Admin() {
		return nil
	}
	return &rights{access: a, org: org, user: u}
}

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

// known tells whether there is a blueprint of a name.
type known func(blueprint string) (bool, error)

func blueprintsOf(tx store.Tx, org string) known {
	return func(blueprint string) (bool, error) { return catalog.BlueprintExists(tx, org, blueprint) }
}

// has tells whether a role in a list admits the user (§7.1). Names of roles compare
// in any letter case; one that nobody knows admits nobody, and one that is spelled
// as a blueprint is admits the moderators of that blueprint and of no other.
func (u *User) has(exists known, role string) (bool, error) {
	switch {
	case u.Admin(), strings.EqualFold(role, RoleMember):
		return true, nil
	case u.Role != RoleModerator:
		return false, nil
	case strings.EqualFold(role, RoleModerator):
		return len(u.Moderates) > 0, nil
	}
	at := len(role) - len(moderator)
	if at < 0 || !strings.EqualFold(role[at:], moderator) {
		return false, nil
	}
	blueprint := role[:at]
	switch {
	case slices.Contains(u.Moderates, blueprint):
		return true, nil
	case !slices.ContainsFunc(u.Moderates, func(bp string) bool { return strings.EqualFold(bp, blueprint) }):
		return false, nil
	}
	other, err := exists(blueprint)
	return err == nil && !other, err
}

// moderator is what the name of a moderator's role ends in.
const moderator = "-moderator"

// ModeratorOf names the role of a blueprint's moderators.
func ModeratorOf(blueprint string) string { return blueprint + moderator }

// Manages tells whether the user may change a blueprint and what belongs to it.
func (u *User) Manages(blueprint string) bool {
	return u.Admin() || u.Role == RoleModerator && slices.Contains(u.Moderates, blueprint)
}
