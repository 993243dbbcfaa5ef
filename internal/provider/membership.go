package provider

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/lens"
)

// A membership has two ends: the teams of a user and the users of a team. Either
// may be declared, and who declares both ways and differently would have each apply
// undo the other without a word. So the run remembers what states and plans say and
// warns when they disagree. Which end is planned first does not matter: the second
// one sees it.

// memberships are what a run knows of declared memberships.
type memberships struct {
	mu sync.Mutex
	// users holds the teams that a user is declared to be in, teams the members
	// that a team is declared to have, by team identifier.
	users map[string]userClaim
	teams map[string]teamClaim
	said  map[string]bool
}

// A claim that is not planned stands in a state: the plan may say something else.
type userClaim struct {
	teams   map[string]bool
	planned bool
}

type teamClaim struct {
	name    string
	members map[string]bool
	planned bool
}

// claimTeams remembers the teams of a user, or that none are declared.
func (s *session) claimTeams(user string, teams tftypes.Value, planned bool) {
	m := &s.memberships
	m.mu.Lock()
	defer m.mu.Unlock()
	if ids, ok := textSet(teams); ok {
		put(&m.users, user, userClaim{ids, planned})
	} else {
		delete(m.users, user)
	}
}

// claimMembers does the same for a team.
func (s *session) claimMembers(identifier, name string, users tftypes.Value, planned bool) {
	if identifier == "" {
		return // it is about to be made: nobody can have said that it has others
	}
	m := &s.memberships
	m.mu.Lock()
	defer m.mu.Unlock()
	if members, ok := textSet(users); ok {
		put(&m.teams, identifier, teamClaim{name, folded(members), planned})
	} else {
		delete(m.teams, identifier)
	}
}

// claimedAs is the identifier of a team that declares its members, by name.
func (s *session) claimedAs(name string) string {
	m := &s.memberships
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, team := range m.teams {
		if team.name == name {
			return id
		}
	}
	return ""
}

// keepsTeams takes what the state says of a user for what the plan says: nothing
// changes.
func (s *session) keepsTeams(user string) {
	m := &s.memberships
	m.mu.Lock()
	defer m.mu.Unlock()
	if own, declared := m.users[user]; declared {
		own.planned = true
		m.users[user] = own
	}
}

// keepsMembers does the same for a team.
func (s *session) keepsMembers(identifier string) {
	m := &s.memberships
	m.mu.Lock()
	defer m.mu.Unlock()
	if team, declared := m.teams[identifier]; declared {
		team.planned = true
		m.teams[identifier] = team
	}
}

// contestedUser warns of the teams that disagree about a user.
func (s *session) contestedUser(user string) diag.Diagnostics {
	m := &s.memberships
	m.mu.Lock()
	defer m.mu.Unlock()
	own, declared := m.users[user]
	if !declared || !own.planned {
		return nil
	}
	var found []contest
	for id, team := range m.teams {
		found = append(found, m.contest(user, own, id, team)...)
	}
	return contested(found, fmt.Sprintf("%d teams of %s", len(found), user))
}

// contestedTeam warns of the users that disagree about a team.
func (s *session) contestedTeam(identifier string) diag.Diagnostics {
	m := &s.memberships
	m.mu.Lock()
	defer m.mu.Unlock()
	team, declared := m.teams[identifier]
	if !declared || !team.planned {
		return nil
	}
	var found []contest
	for user, own := range m.users {
		found = append(found, m.contest(user, own, identifier, team)...)
	}
	return contested(found, fmt.Sprintf("%d members of team %s", len(found), team.name))
}

// contest is a membership whose two ends are declared differently.
type contest struct{ about, detail string }

// contest finds, once, that the two ends of a membership say different things.
func (m *memberships) contest(user string, own userClaim, id string, team teamClaim) []contest {
	member := own.teams[id]
	if !own.planned || !team.planned || member == team.members[user] || m.said[user+" "+id] {
		return nil
	}
	put(&m.said, user+" "+id, true)
	one, other := "has the team in its teams", "leaves the user out of its users"
	if !member {
		one, other = "leaves the team out of its teams", "has the user in its users"
	}
	return []contest{{
		fmt.Sprintf("%s in team %s", user, team.name),
		fmt.Sprintf("The resource of user %s %s (%s), and the port_team %s %s.", user, one, id, team.name, other),
	}}
}

// contested is one warning, however much is contested.
func contested(found []contest, several string) diag.Diagnostics {
	if len(found) == 0 {
		return nil
	}
	slices.SortFunc(found, func(a, b contest) int { return strings.Compare(a.about, b.about) })
	summary, detail := "Two resources disagree about "+found[0].about, found[0].detail+" "
	if len(found) > 1 {
		summary, detail = "Resources disagree about "+several, ""
		for _, c := range found {
			detail += "- " + c.detail + "\n"
		}
		detail += "\n"
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic(summary,
		detail+"Each apply undoes what the other did. Declare the membership in one place: leave users out of the port_team, or teams out of the user.")}
}

// textSet is the texts of a set; not ok when it is null or not wholly known.
func textSet(v tftypes.Value) (map[string]bool, bool) {
	if !lens.Known(v) || !v.IsFullyKnown() {
		return nil, false
	}
	out := map[string]bool{}
	for _, e := range lens.AsList(v) {
		out[lens.AsText(e)] = true
	}
	return out, true
}

func folded(texts map[string]bool) map[string]bool {
	out := map[string]bool{}
	for s := range texts {
		out[strings.ToLower(s)] = true
	}
	return out
}

// put makes the map it puts into.
func put[V any](m *map[string]V, key string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = v
}

// except is a list without some texts.
func except(list []string, without map[string]bool) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return without[s] })
}
