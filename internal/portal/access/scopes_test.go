package access_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/portal/access"
)

// The rows of reference/identity.md §7.2: scope, and whether members, moderators and
// administrators have it.
const scopeTable = `
read:blueprints yyy
read:entities yyy
read:scorecards yyy
read:actions yyy
read:runs yyy
read:users yyy
read:teams yyy
read:audit-log yyy
read:integrations yyy
create:actions nyy
update:actions nyy
delete:actions nyy
create:blueprints nny
create:integrations nny
update:integrations nny
delete:integrations nny
delete:pages nny
create:users nny
update:users nny
delete:users nny
create:teams nny
update:teams nny
delete:teams nny
read:apps nny
update:apps nny
read:secrets nny
create:secrets nny
update:secrets nny
delete:secrets nny
update:organization nny
`

// rows: id §7.2 1-9
func TestRolesHaveTheScopesOfTheTable(t *testing.T) {
	t.Parallel()
	var machine *access.User
	for name, c := range map[string]struct {
		user   *access.User
		column int
	}{
		"member":                           {&access.User{Role: access.RoleMember}, 0},
		"nobody in particular":             {&access.User{}, 0},
		"moderator of nothing":             {&access.User{Role: access.RoleModerator}, 0},
		"member with moderated blueprints": {&access.User{Role: access.RoleMember, Moderates: []string{"b"}}, 0},
		"moderator":                        {&access.User{Role: access.RoleModerator, Moderates: []string{"b"}}, 1},
		"administrator":                    {&access.User{Role: access.RoleAdmin}, 2},
		"service account":                  {&access.User{Role: access.RoleAdmin, ServiceAccount: true}, 2},
		"machine":                          {machine, 2},
	} {
		var want, got []string
		for row := range strings.Lines(strings.TrimSpace(scopeTable)) {
			scope, marks, _ := strings.Cut(strings.TrimSpace(row), " ")
			has := marks[c.column] == 'y'
			if has {
				want = append(want, scope)
			}
			if c.user.Holds(access.Scope(scope)) != has {
				t.Errorf("%s: %s", name, scope)
			}
		}
		for _, scope := range c.user.Scopes() {
			got = append(got, string(scope))
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if !c.user.Holds("") {
			t.Errorf("%s lacks no scope at all", name)
		}
	}
	if (&access.User{Role: access.RoleMember}).Holds("write:everything") {
		t.Error("a scope that does not exist is held")
	}
}
