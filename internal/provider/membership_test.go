package provider_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// A membership is declared at either end; the other one leaves it alone.
func TestMembershipIsDeclaredAtEitherEndLong(t *testing.T) {
	t.Parallel()
	long(t)
	a := open(t)
	member := func(teamBody, userBody string) string {
		return teamWith("name = \"Core\""+teamBody) + userWith("email = \"ann@x.io\""+userBody)
	}
	const byUser, byTeam = `, teams = [port_team.this.identifier]`, `, users = [port_user.this.email]`
	a.run(
		resource.TestStep{Config: member("", byUser), Check: a.peopled("Core", nil, "ann@x.io")},
		resource.TestStep{Config: member("", byUser), ConfigPlanChecks: emptyPlan},
		// Handed over: who lets go is applied first.
		resource.TestStep{Config: member(byTeam, ""), Check: a.peopled("Core", nil, "ann@x.io")},
		resource.TestStep{Config: member(byTeam, ""), ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: member("", byUser), Check: a.peopled("Core", nil, "ann@x.io")},
		resource.TestStep{Config: member("", byUser), ConfigPlanChecks: emptyPlan},
		// Both may say the same.
		resource.TestStep{Config: member(`, users = ["ann@x.io"]`, byUser)},
		resource.TestStep{Config: member(`, users = ["ann@x.io"]`, byUser), ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: member("", ""), Check: a.peopled("Core", nil)},
	)
}

// Who declares both ends and differently is told so, whichever is planned first and
// whether or not it changes.
func TestMembershipsThatDisagreeAreSaid(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	for _, id := range []string{"ann@x.io", "bob@x.io"} {
		p.Must(http.MethodPost, people, map[string]any{"identifier": id, "title": id})
	}
	config := func(users, teams string) string {
		return source + fmt.Sprintf(`
resource "port_team" "this" {
  name  = "Core"
  users = %s
}
resource "port_user" "this" {
  email = "Cat@x.io"
  teams = %s
}
`, users, teams)
	}
	const words = "Two resources disagree about cat@x.io in team Core"
	u := newTerminal(t, config(`["ann@x.io", "CAT@x.io"]`, `[port_team.this.identifier]`), online(p)...)
	plan := func(how string, warned bool, args ...string) {
		t.Helper()
		out := u.must(2, append([]string{"plan", "-detailed-exitcode", "-input=false", "-no-color"}, args...)...)
		if got := strings.Count(out, words); (got == 1) != warned || got > 1 {
			t.Errorf("%s: it is said %d times:\n%s", how, got, out)
		}
	}
	// The first apply has to make the user before the team can name it.
	u.write("main.tf", config(`[]`, `[]`))
	u.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	u.write("main.tf", config(`["ann@x.io", "CAT@x.io"]`, `[port_team.this.identifier]`))
	plan("they agree", false)
	u.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	u.write("main.tf", config(`["ann@x.io"]`, `["core"]`))
	plan("the team lets go of the user", true)
	u.write("main.tf", config(`["ann@x.io", "cat@x.io"]`, `[]`))
	plan("the user lets go of the team", true)
	u.write("main.tf", config(`["ann@x.io"]`, `["core"]`))
	u.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	// One of them changed the other's: it is drift of one and no change of the other.
	plan("after an apply", true)
	u.write("main.tf", strings.Replace(config(`["ann@x.io"]`, `["core"]`), `  users = ["ann@x.io"]`, ``, 1))
	out := u.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	if strings.Contains(out, words) {
		t.Errorf("only one of them declares it by now:\n%s", out)
	}
	// The team has let everybody go whom it named, perhaps after the user was made a
	// member: handing a membership over takes another apply then.
	u.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	u.must(0, "plan", "-detailed-exitcode", "-input=false", "-no-color")
}
