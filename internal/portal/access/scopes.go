package access

import "slices"

// Scope is a right that a whole route asks for before it looks at anything in
// particular (reference/identity.md §7.2). A route that asks for none decides by
// what it is called on.
type Scope string

// The scopes of the API; there are no others.
const (
	ReadBlueprints   Scope = "read:blueprints"
	ReadEntities     Scope = "read:entities"
	ReadScorecards   Scope = "read:scorecards"
	ReadActions      Scope = "read:actions"
	ReadRuns         Scope = "read:runs"
	ReadUsers        Scope = "read:users"
	ReadTeams        Scope = "read:teams"
	ReadAuditLog     Scope = "read:audit-log"
	ReadIntegrations Scope = "read:integrations"

	CreateActions Scope = "create:actions"
	UpdateActions Scope = "update:actions"
	DeleteActions Scope = "delete:actions"

	CreateBlueprints   Scope = "create:blueprints"
	CreateIntegrations Scope = "create:integrations"
	UpdateIntegrations Scope = "update:integrations"
	DeleteIntegrations Scope = "delete:integrations"
	DeletePages        Scope = "delete:pages"
	CreateUsers        Scope = "create:users"
	UpdateUsers        Scope = "update:users"
	DeleteUsers        Scope = "delete:users"
	CreateTeams        Scope = "create:teams"
	UpdateTeams        Scope = "update:teams"
	DeleteTeams        Scope = "delete:teams"
	ReadApps           Scope = "read:apps"
	UpdateApps         Scope = "update:apps"
	ReadSecrets        Scope = "read:secrets"
	CreateSecrets      Scope = "create:secrets"
	UpdateSecrets      Scope = "update:secrets"
	DeleteSecrets      Scope = "delete:secrets"
	UpdateOrganization Scope = "update:organization"
)

// The table of reference/identity.md §7.2: everybody has the first scopes,
// moderators of some blueprint the second ones too, administrators and machines all.
var (
	memberScopes = []Scope{
		ReadBlueprints, ReadEntities, ReadScorecards, ReadActions, ReadRuns, ReadUsers, ReadTeams, ReadAuditLog, ReadIntegrations,
	}
	moderatorScopes = []Scope{CreateActions, UpdateActions, DeleteActions}
	adminScopes     = []Scope{
		CreateBlueprints, CreateIntegrations, UpdateIntegrations, DeleteIntegrations, DeletePages,
		CreateUsers, UpdateUsers, DeleteUsers, CreateTeams, UpdateTeams, DeleteTeams,
		ReadApps, UpdateApps, ReadSecrets, CreateSecrets, UpdateSecrets, DeleteSecrets, UpdateOrganization,
	}
)

// Scopes are all the scopes that the user has.
func (u *User) Scopes() []Scope {
	scopes := slices.Clone(memberScopes)
	if u.Admin() || u.ModeratesAny() {
		scopes = append(scopes, moderatorScopes...)
	}
	if u.Admin() {
		scopes = append(scopes, adminScopes...)
	}
	return scopes
}

// Holds tells whether the user has a scope; everybody has "", which is none.
func (u *User) Holds(s Scope) bool {
	return s == "" || u.Admin() || slices.Contains(memberScopes, s) || u.ModeratesAny() && slices.Contains(moderatorScopes, s)
}
