package provider

import (
	"regexp"

	"github.com/portlens/terraform-provider-port/internal/lens"
)

// teamName is the pattern of reference/identity.md §3.1 E3.
var teamName = regexp.MustCompile(`^[^;#/?\s][^;#/?]*[^;#/?\s]$`)

// teamDeclaration is port_team, reference/provider-catalog.md §9.
func teamDeclaration() *Declaration {
	return &Declaration{
		Name: "team",
		Doc: "Team of users, which owns entities and holds permissions. A team that is synchronized from the identity provider can be imported and described, " +
			"but gets its name and members from there. Destroying a team takes it out of every entity that it owns and of every permission.",
		DataDoc: "Team of the organization, found by name.",
		Key:     []string{"name"},
		API: API{
			Read: readTeam, Refresh: refreshTeam, Peek: peekTeam, Create: createTeam, Update: updateTeam, Delete: deleteTeam,
			SplitID: splitTeamID, Sift: siftTeam, Plan: planTeam, Foresee: foreseeTeam,
		},
		Parts: []lens.Part{
			lens.Field("name", lens.String, lens.Req, "Name of the team, unique in the organization. Changing it renames the team, which keeps its `identifier` and what it owns.").
				Check(lens.Match(teamName, "at least two characters, none of them `;`, `#`, `/` or `?`, and no blank at either end")),
			lens.Field("description", lens.String, lens.Opt, "Description of the team.").OmitEmpty(),
			lens.Field("users", lens.Set(email), lens.Opt, "E-mail addresses of all the members, in any letter case; `[]` for none. Left out, the members are left alone, "+
				"so that `port_user` can manage them by its `teams`; those that were declared before are removed. Declare a membership in one of the two places only."),
			lens.ReadOnly("identifier", lens.String, "Identifier of the team, which ownership, permissions and the `teams` of users and entities name it by.").Keep(),
			lens.ReadOnly("provider_name", lens.String, "Where the team comes from: `port`, or the connection to the identity provider.").At("provider").Keep(),
			lens.ReadOnly("created_at", lens.Stamp, "Time the team was made.").Keep(),
			lens.ReadOnly("updated_at", lens.Stamp, "Time of the last change.").Volatile(),
		},
	}
}
