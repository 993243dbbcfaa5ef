package provider_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/provider"
)

// crewed is an account with an Admin, a Moderator, an invited and a disabled Member, a
// service account.
func crewed(t *testing.T, change ...func(*provider.Options)) *account {
	t.Helper()
	a := staffed(t, change...)
	for _, u := range []jsonv.Object{
		{"identifier": "mod@x.io", "title": "Mo D", "team": texts("core"), "properties": jsonv.Object{"status": "Active", "port_role": "Moderator", "moderated_blueprints": texts("svc"), "phone": "+1"}},
		{"identifier": "new@x.io", "title": "New One", "team": texts("core", "ops"), "properties": jsonv.Object{"status": "Invited"}, "relations": jsonv.Object{"office": "rome"}},
		{"identifier": "off@x.io", "title": "Off", "properties": jsonv.Object{"status": "Disabled"}},
		{"identifier": "bot@serviceaccounts.getport.io", "title": "Bot", "team": texts("ops"), "properties": jsonv.Object{"status": "Active", "port_type": "Service Account"}},
	} {
		a.Must(http.MethodPost, people, u)
	}
	return a
}

func TestUsersAreListedAndFilteredLong(t *testing.T) {
	t.Parallel()
	long(t)
	a := crewed(t)
	for name, c := range map[string]struct{ arguments, want string }{
		"all":              {``, "boss@x.io,bot@serviceaccounts.getport.io,mod@x.io,new@x.io,off@x.io"},
		"by address":       {`emails = ["MOD@x.io", "off@x.io", "nobody@x.io"]`, "mod@x.io,off@x.io"},
		"none":             {`emails = []`, ""},
		"of a team":        {`teams = ["core"]`, "mod@x.io,new@x.io"},
		"of several teams": {`teams = ["core", "ops"]`, "bot@serviceaccounts.getport.io,mod@x.io,new@x.io"},
		"of no team":       {`teams = []`, ""},
		"by role":          {`role = "Admin"`, "boss@x.io"},
		"by status":        {`status = "INVITED"`, "new@x.io"},
		"service accounts": {`type = "Service Account"`, "bot@serviceaccounts.getport.io"},
		"all at once":      {"role = \"Member\"\nstatus = \"Active\"\ntype = \"Service Account\"\nteams = [\"ops\"]", "bot@serviceaccounts.getport.io"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := *a
			b.t = t
			b.run(resource.TestStep{
				Config: fmt.Sprintf("data \"port_users\" \"this\" {\n  %s\n}\noutput \"found\" {\n  value = join(\",\", data.port_users.this.identifiers)\n}\noutput \"same\" {\n  value = join(\",\", data.port_users.this.users[*].email)\n}", c.arguments),
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownOutputValue("found", knownvalue.StringExact(c.want)), statecheck.ExpectKnownOutputValue("same", knownvalue.StringExact(c.want)),
				},
			})
		})
	}
}

func TestUsersAndTeamsAreShownWhole(t *testing.T) {
	t.Parallel()
	a := crewed(t)
	a.Must(http.MethodPatch, teams+"/Ops", jsonv.Object{"description": "d"})
	text := knownvalue.StringExact
	set := func(list ...string) knownvalue.Check {
		var checks []knownvalue.Check
		for _, s := range list {
			checks = append(checks, text(s))
		}
		return knownvalue.SetExact(checks)
	}
	output := func(name string, c knownvalue.Check) statecheck.StateCheck {
		return statecheck.ExpectKnownOutputValue(name, c)
	}
	a.run(resource.TestStep{
		Config: `data "port_user" "mod" {
  email = "MOD@x.io"
}
data "port_user" "bot" {
  email = "bot@serviceaccounts.getport.io"
}
data "port_users" "new" {
  status = "Invited"
}
data "port_team" "ops" {
  name = "Ops"
}
data "port_team" "core" {
  name = "core"
}
data "port_teams" "all" {}
data "port_teams" "mods" {
  user = "Mod@x.io"
}
data "port_teams" "named" {
  names         = ["Ops", "Nope"]
  provider_name = "port"
}
data "port_teams" "foreign" {
  provider_name = "okta"
}
output "mod" {
  value = "${data.port_user.mod.id} ${data.port_user.mod.name} ${data.port_user.mod.role} ${data.port_user.mod.status} ${data.port_user.mod.type}"
}
output "moderated" {
  value = data.port_user.mod.moderated_blueprints
}
output "computed" {
  value = data.port_user.mod.properties.string_props
}
output "bot" {
  value = data.port_user.bot.type
}
output "office" {
  value = data.port_users.new.users[0].relations.single_relations
}
output "teams" {
  value = data.port_users.new.users[0].teams
}
output "ops" {
  value = "${data.port_team.ops.id} ${data.port_team.ops.identifier} ${data.port_team.ops.description} ${data.port_team.ops.provider_name}"
}
output "core" {
  value = "${data.port_team.core.name} ${data.port_team.core.identifier}"
}
output "members" {
  value = data.port_team.ops.users
}
output "identifiers" {
  value = join(",", concat(data.port_teams.all.identifiers, ["-"], data.port_teams.mods.identifiers, ["-"], data.port_teams.named.identifiers, ["-"], data.port_teams.foreign.identifiers))
}
output "all" {
  value = { for t in data.port_teams.all.teams : t.name => t.users }["Core Team"]
}
`,
		ConfigStateChecks: []statecheck.StateCheck{
			output("mod", text("mod@x.io Mo D Moderator Active Standard")),
			output("moderated", set("svc")),
			output("computed", knownvalue.MapExact(map[string]knownvalue.Check{"phone": text("+1"), "short": text("mod@x.io"), "tier": text("silver")})),
			output("bot", text("Service Account")),
			output("office", knownvalue.MapPartial(map[string]knownvalue.Check{"office": text("rome")})),
			output("teams", set("core", "ops")),
			output("ops", text("Ops ops d port")),
			output("core", text("Core Team core")), // the route takes identifiers too
			output("members", set("new@x.io", "bot@serviceaccounts.getport.io")),
			output("identifiers", text("core,ops,-,core,-,ops,-")),
			output("all", set("mod@x.io", "new@x.io")),
		},
	})
}

func TestUsersAndTeamsThatAreMissingAreErrors(t *testing.T) {
	t.Parallel()
	a := staffed(t)
	a.run(
		resource.TestStep{Config: "data \"port_user\" \"x\" {\n  email = \"nobody@x.io\"\n}", ExpectError: match("Could not find user nobody@x.io")},
		resource.TestStep{Config: "data \"port_team\" \"x\" {\n  name = \"Nope\"\n}", ExpectError: match("Could not find team Nope")},
	)
}
