package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/lens"
)

func setOf(texts ...string) tftypes.Value {
	var all []tftypes.Value
	for _, s := range texts {
		all = append(all, lens.Str(s))
	}
	return tftypes.NewValue(tftypes.Set{ElementType: tftypes.String}, all)
}

// What a state says is held against nobody before its plan is known: the change
// under way may be what settles the matter.
func TestOnlyPlansDisagreeAboutMembers(t *testing.T) {
	t.Parallel()
	s := &session{}
	s.claimMembers("core", "Core", setOf("ann@x.io"), false)
	s.claimTeams("cat@x.io", setOf("core"), true)
	if got := s.contestedUser("cat@x.io"); len(got) != 0 {
		t.Errorf("a state is held against a plan: %v", got)
	}
	s.keepsMembers("core")
	if got := s.contestedTeam("core"); len(got) != 1 || got[0].Summary() != "Two resources disagree about cat@x.io in team Core" {
		t.Errorf("got %v", got)
	}
	if got := s.contestedUser("cat@x.io"); len(got) != 0 {
		t.Errorf("it is said twice: %v", got)
	}
}

func TestManyDisagreementsAreOneWarning(t *testing.T) {
	t.Parallel()
	s := &session{}
	for _, user := range []string{"ann@x.io", "bob@x.io", "cat@x.io"} {
		s.claimTeams(user, setOf(), true)
	}
	s.claimMembers("core", "Core", setOf("Ann@x.io", "bob@x.io"), true)
	got := s.contestedTeam("core")
	if len(got) != 1 || got[0].Summary() != "Resources disagree about 2 members of team Core" {
		t.Fatalf("got %v", got)
	}
	for _, user := range []string{"ann@x.io", "bob@x.io"} {
		if !strings.Contains(got[0].Detail(), "- The resource of user "+user+" leaves the team out") {
			t.Errorf("%s is not named:\n%s", user, got[0].Detail())
		}
	}
}
