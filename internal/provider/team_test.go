package provider_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portapi"
	"github.com/portlens/terraform-provider-port/internal/provider"
)

const (
	team  = "port_team.this"
	teams = "/v1/teams"
)

func teamWith(body string) string {
	return "resource \"port_team\" \"this\" {\n" + lines(body) + "\n}\n"
}

// inhabited is an account with three users and no teams.
func inhabited(t *testing.T, change ...func(*provider.Options)) *account {
	t.Helper()
	a := open(t, change...)
	for _, id := range []string{"ann@x.io", "bob@x.io", "eve@x.io"} {
		a.Must(http.MethodPost, people, jsonv.Object{"identifier": id, "title": id, "properties": jsonv.Object{"status": "Active"}})
	}
	return a
}

// peopled checks who is in a team and how it is described.
func (a *account) peopled(name string, description any, members ...string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		got := jsonv.Map(a.Must(http.MethodGet, teams+"/"+name, nil), "team")
		var found []string
		for _, u := range jsonv.List(got, "users") {
			found = append(found, jsonv.String(u, "email"))
		}
		slices.Sort(found)
		if !slices.Equal(found, members) || !jsonv.Equal(got["description"], description) {
			return fmt.Errorf("team %s has %v and description %v, want %v and %v", name, found, got["description"], members, description)
		}
		return nil
	}
}

// rows: id E5, id E7
func TestTeamLivesAWholeLifeBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		t.Helper()
		a := inhabited(t, change)
		const path = teams + "/Core%20Team"
		a.live(life{
			at: team, path: path, importID: "Core Team", ignore: []string{"users"},
			created: teamWith(`name = "Core Team", description = "d", users = ["Bob@X.io", "ann@x.io"]`),
			updated: teamWith(`name = "Core Team", description = "e", users = ["Bob@X.io", "eve@x.io"]`),
			drift:   func() { a.Must(http.MethodPatch, path, jsonv.Object{"users": texts("ann@x.io")}) },
			shows:   []string{"users"},
		})
	})
}

// What is left out, empty or spelled in another way is no change; what is removed
// is taken away, and what was never declared is left alone.
func TestTeamAttributesComeAndGoBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		t.Helper()
		a := inhabited(t, change)
		const path = teams + "/Core"
		plain := teamWith(`name = "Core"`)
		step := func(body string, check resource.TestCheckFunc) []resource.TestStep {
			return []resource.TestStep{{Config: teamWith(body), Check: check}} // followed by an empty plan
		}
		a.run(slices.Concat(
			step(`name = "Core"`, resource.ComposeTestCheckFunc(a.peopled("Core", nil),
				resource.TestCheckResourceAttr(team, "id", "Core"), resource.TestCheckResourceAttr(team, "identifier", "core"),
				resource.TestCheckResourceAttr(team, "provider_name", "port"), resource.TestCheckResourceAttr(team, "created_at", "2024-01-01 00:00:00 +0000 UTC"),
				resource.TestCheckNoResourceAttr(team, "users.#"), resource.TestCheckNoResourceAttr(team, "description"))),
			step(`name = "Core", description = "", users = []`, a.peopled("Core", nil)),
			step(`name = "Core", description = "d", users = ["ann@x.io"]`, a.peopled("Core", "d", "ann@x.io")),
			[]resource.TestStep{{Config: teamWith(`name = "Core", description = "d", users = ["ANN@x.io"]`), ConfigPlanChecks: emptyPlan}},
			step(`name = "Core", users = ["ann@x.io", "bob@x.io"]`, a.peopled("Core", nil, "ann@x.io", "bob@x.io")),
			// The last member removed by hand shows.
			[]resource.TestStep{{
				PreConfig: func() { a.Must(http.MethodPatch, path, jsonv.Object{"users": texts()}) }, Config: teamWith(`name = "Core", users = ["ann@x.io", "bob@x.io"]`),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{changes{team, []string{"users"}}}},
			}},
			step(`name = "Core"`, a.peopled("Core", nil)),
			[]resource.TestStep{
				{PreConfig: func() { a.Must(http.MethodPatch, path, jsonv.Object{"users": texts("eve@x.io")}) }, Config: plain, ConfigPlanChecks: emptyPlan},
				{Config: teamWith(`name = "Core", description = "x"`), Check: a.peopled("Core", "x", "eve@x.io")},
				{PreConfig: func() { a.Must(http.MethodPatch, path, jsonv.Object{"description": "y"}) }, Config: teamWith(`name = "Core", description = "x"`),
					ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{changes{team, []string{"description"}}}}},
				{Config: teamWith(`name = "Core", description = "x", users = []`), Check: a.peopled("Core", "x")},
			},
		)...)
	})
}

// Renaming keeps the team, whoever does it.
func TestTeamIsRenamedInPlace(t *testing.T) {
	t.Parallel()
	a := inhabited(t)
	entity := func(id, title string) resource.TestCheckFunc {
		return a.stored("/v1/blueprints/_team/entities/"+id, jsonv.Object{"title": title})
	}
	renamed := teamWith(`name = "Heart Team", users = ["ann@x.io"]`)
	a.run(
		resource.TestStep{Config: teamWith(`name = "Core Team", users = ["ann@x.io"]`)},
		resource.TestStep{
			Config: renamed, Check: resource.ComposeTestCheckFunc(entity("core_team", "Heart Team"), a.peopled("Heart%20Team", nil, "ann@x.io")),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(team, plancheck.ResourceActionUpdate), changes{team, []string{"id", "name"}},
			}},
		},
		resource.TestStep{
			PreConfig: func() { a.Must(http.MethodPatch, teams+"/Heart%20Team", jsonv.Object{"name": "Soul"}) },
			Config:    renamed, Check: entity("core_team", "Heart Team"),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(team, plancheck.ResourceActionUpdate), changes{team, []string{"id", "name"}},
			}},
		},
		// Gone and replaced by one of the same name: the identifier is the new one's.
		resource.TestStep{
			PreConfig: func() {
				a.Must(http.MethodDelete, teams+"/Heart%20Team", nil)
				a.Must(http.MethodPost, "/v1/blueprints/_team/entities", jsonv.Object{"identifier": "other", "title": "Heart Team"})
			},
			Config: renamed, Check: resource.ComposeTestCheckFunc(resource.TestCheckResourceAttr(team, "identifier", "other"), a.peopled("Heart%20Team", nil, "ann@x.io")),
		},
		// Found by its identifier too.
		resource.TestStep{ResourceName: team, ImportState: true, ImportStateId: "other", ImportStateVerify: true},
	)
}

func TestTeamMistakesAndRefusals(t *testing.T) {
	t.Parallel()
	a := inhabited(t)
	a.Must(http.MethodPost, teams, jsonv.Object{"name": "Core", "description": "theirs", "users": texts("eve@x.io")})
	for name, c := range map[string]struct{ body, want string }{
		"short name": {`name = "C"`, "at least two characters"},
		"slash":      {`name = "a/b"`, "at least two characters"},
		"blank":      {`name = " ab"`, "at least two characters"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := *a
			b.t = t
			b.run(resource.TestStep{Config: teamWith(c.body), PlanOnly: true, ExpectError: match(c.want)})
		})
	}
	taken := teamWith(`name = "Core"`)
	a.run(
		resource.TestStep{Config: teamWith(`name = "Nobody", users = ["nobody@x.io"]`), ExpectError: match("nobody@x.io")},
		resource.TestStep{Config: "provider \"port\" {\n on_existing = \"fail\"\n}\n" + taken, ExpectError: match(`import { to = port_team.<name>`)},
		resource.TestStep{Config: taken, Check: a.peopled("Core", nil, "eve@x.io")},
	)
}

// A team of the identity provider is described here and otherwise left alone.
//
// rows: id §3.2 1-4
func TestTeamsOfTheIdentityProviderAreExplainedLong(t *testing.T) {
	t.Parallel()
	long(t)
	a := inhabited(t)
	a.Must(http.MethodPost, "/scim/v2/Groups", jsonv.Object{"displayName": "Synced"})
	a.run(
		resource.TestStep{Config: teamWith(`name = "Synced", description = "d"`), Check: resource.ComposeTestCheckFunc(
			a.peopled("Synced", "d"), resource.TestCheckResourceAttr(team, "provider_name", "scim"))},
		resource.TestStep{Config: teamWith(`name = "Synced", description = "d", users = []`)},
		resource.TestStep{Config: teamWith(`name = "Synced", description = "d", users = ["ann@x.io"]`), ExpectError: match("synchronized from the identity provider")},
		resource.TestStep{Config: teamWith(`name = "Other", description = "d"`), ExpectError: match("synchronized from the identity provider")},
		resource.TestStep{Config: teamWith(`name = "Synced", description = "d"`), Destroy: true, ExpectError: match("remove it there")},
		resource.TestStep{Config: `removed {
  from = port_team.this
  lifecycle {
    destroy = false
  }
}`},
	)
}

// late hides the entities of teams from a number of searches, as the hosted service
// does for a while.
type late struct {
	http.RoundTripper
	hidden atomic.Int64
}

func (l *late) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.RoundTripper.RoundTrip(r)
	if err != nil || !strings.HasSuffix(r.URL.Path, "/blueprints/_team/entities/search") || l.hidden.Add(-1) < 0 {
		return resp, err
	}
	_ = resp.Body.Close()
	const nothing = `{"ok":true,"entities":[],"matchingBlueprints":[]}`
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewBufferString(nothing)), int64(len(nothing))
	resp.Header.Set("Content-Length", fmt.Sprint(len(nothing)))
	return resp, nil
}

// hasty is a clock on which nobody has to wait.
type hasty struct{}

func (hasty) Now() time.Time { return time.Now() }

func (hasty) After(time.Duration) <-chan time.Time {
	c := make(chan time.Time, 1)
	c <- time.Now()
	return c
}

func TestTeamWaitsForItsIdentifier(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hidden     int64
		identifier string
	}{"soon": {9, "core"}, "not within patience": {10, ""}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			transport := &late{}
			a := open(t, func(o *provider.Options) {
				transport.RoundTripper, o.Transport = o.Transport, transport
				o.Client = func(c *portapi.Options) { c.Clock = hasty{} }
			})
			config := teamWith(`name = "Core"`)
			check := resource.TestCheckResourceAttr(team, "identifier", c.identifier)
			if c.identifier == "" {
				check = resource.TestCheckNoResourceAttr(team, "identifier")
			}
			a.run(
				resource.TestStep{PreConfig: func() { transport.hidden.Store(c.hidden) }, Config: config, Check: check},
				resource.TestStep{RefreshState: true, Check: resource.TestCheckResourceAttr(team, "identifier", "core")},
				resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan},
			)
		})
	}
}

// States of the official provider load and plan empty.
func TestOfficialStatesOfTeamsPlanEmpty(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	p.Must(http.MethodPost, people, jsonv.Object{"identifier": "ann@x.io", "title": "Ann"})
	stamp := "2024-01-01 00:00:00 +0000 UTC"
	for name, c := range map[string]struct {
		body        string
		users, text any
	}{
		"Whole": {`description = "d", users = ["ann@x.io"]`, texts("ann@x.io"), "d"},
		"Bare":  {``, nil, nil},
		"Empty": {`users = []`, texts(), nil},
	} {
		made := jsonv.Object{"name": name, "users": texts()}
		if c.text != nil {
			made["description"], made["users"] = c.text, c.users
		}
		p.Must(http.MethodPost, teams, made)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newTerminal(t, strings.Replace(source, "portlens/port", "port-labs/port-labs", 1)+teamWith(fmt.Sprintf("name = %q,%s", name, c.body)), online(p)...)
			u.write("terraform.tfstate", stateFile("port-labs/port-labs", "port_team", "this", jsonv.Object{
				"id": name, "name": name, "identifier": strings.ToLower(name), "description": c.text, "users": c.users, "provider_name": "port", "created_at": stamp, "updated_at": stamp,
			}))
			if out := u.must(0, "plan", "-detailed-exitcode", "-input=false", "-no-color"); strings.Contains(out, "Objects have changed") {
				t.Errorf("the refresh changes the official state:\n%s", out)
			}
		})
	}
}

// Plans that make or refresh many teams ask for all of them at once.
func TestManyTeamsTakeFewRequests(t *testing.T) {
	t.Parallel()
	a := open(t)
	config := `resource "port_team" "many" {
  count = 40
  name  = "Team ${count.index}"
}
`
	few := func(*terraform.State) error {
		single := 0
		for _, r := range a.Requests() {
			if r.Method == http.MethodGet && strings.HasPrefix(r.Path, teams+"/") {
				single++
			}
		}
		if a.Forget(); single > 25 {
			return fmt.Errorf("%d teams were asked for one by one", single)
		}
		return nil
	}
	a.run(
		resource.TestStep{Config: config, Check: few},
		resource.TestStep{RefreshState: true, Check: few},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan},
	)
}
