package provider_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/provider"
)

const (
	user   = "port_user.this"
	people = "/v1/blueprints/_user/entities"
	ann    = people + "/ann@x.io"
)

// staffed is an account whose users have properties and relations of every kind,
// with two teams, two offices and a user.
func staffed(t *testing.T, change ...func(*provider.Options)) *account {
	t.Helper()
	a := open(t, change...)
	a.Seed(`{"blueprints": [{"identifier": "office", "title": "Office", "schema": {"properties": {}}}, {"identifier": "svc", "title": "Svc", "schema": {"properties": {}}}],
	  "entities": [{"blueprint": "office", "identifier": "rome", "title": "Rome"}, {"blueprint": "office", "identifier": "oslo", "title": "Oslo"}]}`)
	users := jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/_user", nil), "blueprint")
	for key, definition := range map[string]jsonv.Object{
		"phone": {"type": "string"}, "level": {"type": "number"}, "remote": {"type": "boolean"}, "prefs": {"type": "object"},
		"skills": {"type": "array", "items": jsonv.Object{"type": "string"}}, "tier": {"type": "string", "default": "silver"},
	} {
		set(definition, "schema", "properties", key)(users)
	}
	set(jsonv.Object{"target": "office"}, "relations", "office")(users)
	set(jsonv.Object{"target": "office", "many": true}, "relations", "visits")(users)
	set(jsonv.Object{"target": "_user"}, "relations", "manager")(users)
	set(jsonv.Object{"calculation": ".identifier", "type": "string"}, "calculationProperties", "short")(users)
	a.Must(http.MethodPut, "/v1/blueprints/_user", users)
	for id, title := range map[string]string{"core": "Core Team", "ops": "Ops"} {
		a.Must(http.MethodPost, "/v1/blueprints/_team/entities", jsonv.Object{"identifier": id, "title": title})
	}
	a.Must(http.MethodPost, people, jsonv.Object{"identifier": "boss@x.io", "title": "The Boss", "properties": jsonv.Object{"status": "Active", "port_role": "Admin"}})
	return a
}

const wholeUser = `resource "port_user" "this" {
  email                = "Ann@X.io"
  name                 = "Ann Bee"
  role                 = "Moderator"
  moderated_blueprints = ["svc", "office"]
  status               = "ACTIVE"
  teams                = ["ops", "core"]
  icon                 = "User"
  properties = {
    string_props  = { phone = "+1", tier = "gold" }
    number_props  = { level = 0.1 }
    boolean_props = { remote = false }
    object_props  = { prefs = "{\"b\": 1.0, \"a\":\"<\"}" }
    array_props   = { string_items = { skills = ["go", "c"] } }
  }
  relations = {
    single_relations = { office = "rome", manager = "boss@x.io" }
    many_relations   = { visits = ["rome", "oslo"] }
  }
}
`

func userWith(body string) string {
	return "resource \"port_user\" \"this\" {\n" + lines(body) + "\n}\n"
}

// entity reads an entity as it is stored.
func (a *account) entity(path string) jsonv.Object {
	a.t.Helper()
	return jsonv.Map(a.Must(http.MethodGet, path+"?exclude_calculated_properties=true", nil), "entity")
}

// stored checks values of an entity, given as paths joined by dots.
func (a *account) stored(path string, want jsonv.Object) resource.TestCheckFunc {
	return func(*terraform.State) error {
		entity := a.entity(path)
		for at, v := range want {
			got, _ := jsonv.Get(entity, strings.Split(at, ".")...)
			if !jsonv.Equal(got, v) {
				return fmt.Errorf("%s is %s, want %s", at, jsonv.Encode(got), jsonv.Encode(v))
			}
		}
		return nil
	}
}

func texts(list ...string) []any { return jsonv.FromStrings(list) }

// rows: id §4.3 1, id §4.3 3, id §4.3 5
func TestUserLivesAWholeLifeBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		t.Helper()
		a := staffed(t, change)
		a.live(life{
			at: user, path: ann, importID: "ANN@x.io",
			ignore:  []string{"email", "status", "properties.object_props.prefs"},
			created: wholeUser,
			updated: strings.NewReplacer(`"Ann Bee"`, `"Ann Cee"`, `"Moderator"`, `"Admin"`, `["svc", "office"]`, `[]`, `["ops", "core"]`, `["core"]`, `"rome", manager`, `"oslo", manager`).Replace(wholeUser),
			drift: func() {
				a.Must(http.MethodPatch, ann, jsonv.Object{"properties": jsonv.Object{"port_role": "Member"}})
			},
			shows: []string{"role"},
		})
	})
}

func TestUserIsOneRecordWithItsEntity(t *testing.T) {
	t.Parallel()
	a := staffed(t)
	a.run(
		resource.TestStep{PreConfig: a.Forget, Config: wholeUser, Check: resource.ComposeTestCheckFunc(
			a.sent("POST "+people),
			resource.TestCheckResourceAttr(user, "id", "ann@x.io"),
			resource.TestCheckResourceAttr(user, "email", "Ann@X.io"),
			resource.TestCheckResourceAttr(user, "type", "Standard"),
			a.stored(ann, jsonv.Object{"title": "Ann Bee", "properties.status": "Active", "properties.port_role": "Moderator", "properties.phone": "+1", "relations.office": "rome"}),
			func(*terraform.State) error {
				got := jsonv.Map(a.Must(http.MethodGet, "/v1/users/ann@x.io", nil), "user")
				teams := jsonv.Strings(got["teamsIdentifiers"])
				slices.Sort(teams)
				if s := fmt.Sprintf("%s %s %s %s %v", got["firstName"], got["lastName"], got["status"], got["type"], teams); s != "Ann Bee ACTIVE STANDARD [core ops]" {
					return fmt.Errorf("the user is %s", s)
				}
				return nil
			},
		)},
		resource.TestStep{Config: wholeUser, ConfigPlanChecks: emptyPlan},
		// Another spelling is no change.
		resource.TestStep{Config: strings.NewReplacer("Ann@X.io", "ann@x.IO", "ACTIVE", "Active").Replace(wholeUser), ConfigPlanChecks: emptyPlan},
		// One request that says what changes and nothing else.
		resource.TestStep{PreConfig: a.Forget, Config: strings.Replace(wholeUser, `"+1"`, `"+2"`, 1), Check: resource.ComposeTestCheckFunc(a.sent("PATCH "+ann), func(*terraform.State) error {
			for _, r := range a.Requests() {
				if r.Method == http.MethodPatch && r.Body != `{"properties":{"phone":"+2"}}` {
					return fmt.Errorf("sent %s", r.Body)
				}
			}
			return nil
		})},
		resource.TestStep{Config: strings.Replace(wholeUser, "Ann@X.io", "bea@x.io", 1), ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
			plancheck.ExpectResourceAction(user, plancheck.ResourceActionReplace)}}},
	)
}

func TestUserShowsEveryChangeMadeByHandLong(t *testing.T) {
	t.Parallel()
	a := staffed(t)
	steps := []resource.TestStep{{Config: wholeUser}}
	cases := map[string]struct {
		edit  func(jsonv.Object)
		shows string
	}{
		"name":             {set("Ann Dee", "title"), "name"},
		"icon gone":        {drop("icon"), "icon"},
		"teams gone":       {set(texts(), "team"), "teams"},
		"a team less":      {set(texts("ops"), "team"), "teams"},
		"role":             {set("Admin", "properties", "port_role"), "role"},
		"disabled":         {set("Disabled", "properties", "status"), "status"},
		"moderates less":   {set(texts("svc"), "properties", "moderated_blueprints"), "moderated_blueprints"},
		"moderates none":   {set(texts(), "properties", "moderated_blueprints"), "moderated_blueprints"},
		"text":             {set("+9", "properties", "phone"), "properties"},
		"text gone":        {drop("properties", "phone"), "properties"},
		"number":           {set(jsonv.Int(1), "properties", "level"), "properties"},
		"flag gone":        {drop("properties", "remote"), "properties"},
		"object":           {set(jsonv.Object{"a": "<"}, "properties", "prefs"), "properties"},
		"list order":       {set(texts("c", "go"), "properties", "skills"), "properties"},
		"relation":         {set("oslo", "relations", "office"), "relations"},
		"relation gone":    {drop("relations", "manager"), "relations"},
		"relation order":   {set(texts("oslo", "rome"), "relations", "visits"), "relations"},
		"all that is ours": {set(jsonv.Object{}, "relations"), "relations"},
	}
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		c := cases[name]
		if enough(steps) {
			break
		}
		steps = append(steps, resource.TestStep{
			PreConfig: func() {
				document := a.entity(ann)
				delete(document, "scorecards")
				c.edit(document)
				a.Must(http.MethodPut, ann, document)
			},
			Config:           wholeUser,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{named{name, changes{user, []string{c.shows}}}}},
		})
	}
	steps = append(steps, resource.TestStep{Config: wholeUser, PlanOnly: true})
	a.run(steps...)
}

// What a configuration no longer says is taken away, except what there is no user
// without; what it never said is left alone.
func TestUserAttributesAreRemovedOneByOneBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		t.Helper()
		a := staffed(t, change)
		const minimal = `email = "ann@x.io", name = "Ann"`
		plain := userWith(minimal)
		var steps []resource.TestStep
		for _, c := range []struct {
			name, more    string
			there, leaves jsonv.Object
		}{
			{"role", `role = "Admin"`, jsonv.Object{"properties.port_role": "Admin"}, jsonv.Object{"properties.port_role": "Member"}},
			{"moderated", `role = "Moderator", moderated_blueprints = ["svc"]`, jsonv.Object{"properties.moderated_blueprints": texts("svc")},
				jsonv.Object{"properties.moderated_blueprints": texts(), "properties.port_role": "Member"}},
			{"teams", `teams = ["core"]`, jsonv.Object{"team": texts("core")}, jsonv.Object{"team": texts()}},
			{"icon", `icon = "User"`, jsonv.Object{"icon": "User"}, jsonv.Object{"icon": nil}},
			{"properties", `properties = { string_props = { phone = "+1" } }`, jsonv.Object{"properties.phone": "+1"}, jsonv.Object{"properties.phone": nil, "properties.tier": "silver"}},
			{"one property", `properties = { string_props = { phone = "+1" }, boolean_props = { remote = true } }`, jsonv.Object{"properties.remote": true}, jsonv.Object{"properties.remote": nil}},
			{"relations", `relations = { single_relations = { office = "rome" } }`, jsonv.Object{"relations.office": "rome"}, jsonv.Object{"relations.office": nil}},
			{"status", `status = "Disabled"`, jsonv.Object{"properties.status": "Disabled"}, jsonv.Object{"properties.status": "Disabled"}},
		} {
			with := userWith(minimal + ", " + c.more)
			steps = append(steps,
				resource.TestStep{Config: with, Check: a.stored(ann, c.there)}, // followed by an empty plan
				resource.TestStep{Config: plain, Check: a.stored(ann, c.leaves)},
			)
		}
		steps = append(steps,
			resource.TestStep{PreConfig: func() {
				a.Must(http.MethodPatch, ann, jsonv.Object{
					"icon": "Theirs", "team": texts("ops"), "properties": jsonv.Object{"phone": "+9", "status": "Active"}, "relations": jsonv.Object{"office": "oslo"},
				})
			}, Config: plain, ConfigPlanChecks: emptyPlan},
			resource.TestStep{Config: userWith(`email = "ann@x.io", name = "Ann Other"`), Check: a.stored(ann, jsonv.Object{
				"icon": "Theirs", "team": texts("ops"), "properties.phone": "+9", "properties.status": "Active", "relations.office": "oslo",
			})},
			// A name may be left out: it stays.
			resource.TestStep{Config: userWith(`email = "ann@x.io"`), ConfigPlanChecks: emptyPlan, Check: resource.TestCheckResourceAttr(user, "name", "Ann Other")},
			// What is declared anew is taken over, and nothing else is.
			resource.TestStep{Config: userWith(`email = "ann@x.io", relations = {}, teams = []`), Check: a.stored(ann, jsonv.Object{
				"icon": "Theirs", "team": texts(), "properties.phone": "+9", "relations.office": nil,
			})},
		)
		a.run(steps...)
	})
}

func TestUserAloneHasWhatPortGives(t *testing.T) {
	t.Parallel()
	a := staffed(t)
	config := userWith(`email = "ann@x.io"`)
	a.run(
		resource.TestStep{Config: config, Check: resource.ComposeTestCheckFunc(
			resource.TestCheckResourceAttr(user, "name", "ann@x.io"), resource.TestCheckResourceAttr(user, "role", "Member"),
			resource.TestCheckResourceAttr(user, "status", "Disabled"), resource.TestCheckNoResourceAttr(user, "teams.#"),
			a.stored(ann, jsonv.Object{"properties.tier": "silver"}),
		)},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan},
		resource.TestStep{ResourceName: user, ImportState: true, ImportStateId: "ann@x.io", ImportStateVerify: true,
			ImportStateVerifyIgnore: []string{"properties", "teams"}},
	)
}

// rows: id §2.5 2
func TestUserInvitationsBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		t.Helper()
		a := staffed(t, change)
		status := func(want string) resource.TestCheckFunc {
			return resource.ComposeTestCheckFunc(resource.TestCheckResourceAttr(user, "status", want), a.stored(ann, jsonv.Object{"properties.status": want}))
		}
		becomes := func(s string) func() {
			return func() { a.Must(http.MethodPatch, ann, jsonv.Object{"properties": jsonv.Object{"status": s}}) }
		}
		invited, silent, explicit := userWith(`email = "ann@x.io", invite = true`), userWith(`email = "ann@x.io"`), userWith(`email = "ann@x.io", invite = true, status = "invited"`)
		a.run(
			resource.TestStep{Config: invited, Check: status("Invited")},
			// Accepted: nothing to do, also without the wish.
			resource.TestStep{PreConfig: becomes("Active"), Config: invited, ConfigPlanChecks: emptyPlan},
			resource.TestStep{Config: silent, Check: status("Active")},
			resource.TestStep{PreConfig: a.Forget, Config: invited, Check: resource.ComposeTestCheckFunc(status("Active"), a.sent())},
			// The status that an invitation gives can be wished for as well.
			resource.TestStep{Config: explicit, ConfigPlanChecks: emptyPlan},
			resource.TestStep{Config: silent, Destroy: true},
			resource.TestStep{Config: silent, Check: status("Disabled")},
			resource.TestStep{Config: invited, Check: status("Invited")},
			resource.TestStep{Config: silent, Destroy: true},
			resource.TestStep{Config: explicit, Check: resource.TestCheckResourceAttr(user, "status", "invited")},
			resource.TestStep{PreConfig: becomes("Active"), Config: explicit, ConfigPlanChecks: emptyPlan},
			resource.TestStep{Config: userWith(`email = "ann@x.io", status = "disabled"`), Check: a.stored(ann, jsonv.Object{"properties.status": "Disabled"})},
			resource.TestStep{Config: userWith(`email = "ann@x.io", status = "Active"`), Check: status("Active")},
		)
	})
}

func TestUserMistakesAreFoundBeforeAnythingIsDone(t *testing.T) {
	t.Parallel()
	a := staffed(t)
	for name, c := range map[string]struct{ body, want string }{
		"no address":        {`email = "ann"`, "want an e-mail address"},
		"two of them":       {`email = "a@b@c"`, "want an e-mail address"},
		"blank":             {`email = ""`, "want an e-mail address"},
		"grammar":           {`email = "a b@c.d"`, "letters, digits"},
		"service account":   {`email = "bot@ServiceAccounts.getport.io"`, "use the resource port_service_account"},
		"role":              {`email = "a@b.c", role = "Owner"`, "want one of"},
		"status":            {`email = "a@b.c", status = "Gone"`, "want one of"},
		"no name":           {`email = "a@b.c", name = ""`, "must not be empty"},
		"invite and active": {`email = "a@b.c", status = "Active", invite = true`, "has the status Invited"},
		"invite or not":     {`email = "a@b.c", status = "INVITED", invite = false`, "what an invitation gives"},
		"two types":         {`email = "a@b.c", properties = { string_props = { phone = "1" }, number_props = { phone = 1 } }`, "it can have one value"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := *a
			b.t = t
			b.run(resource.TestStep{Config: userWith(c.body), PlanOnly: true, ExpectError: match(c.want)})
		})
	}
}

func TestUserRefusalsLeadToTheAttribute(t *testing.T) {
	t.Parallel()
	a := staffed(t)
	a.run(
		resource.TestStep{Config: userWith(`email = "ann@x.io", teams = ["nobody"]`), ExpectError: match("nobody")},
		resource.TestStep{Config: userWith(`email = "ann@x.io", role = "Moderator", moderated_blueprints = ["nothing"]`), ExpectError: match("nothing")},
		resource.TestStep{Config: userWith(`email = "ann@x.io", properties = { number_props = { phone = 1 } }`), ExpectError: match("properties.number_props")},
		resource.TestStep{Config: userWith(`email = "ann@x.io"`), ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
			plancheck.ExpectResourceAction(user, plancheck.ResourceActionCreate)}}},
	)
}

// Who may do everything may not do everything to themselves, and nobody changes
// what the identity provider says.
//
// rows: id S2, id §3.2 1
func TestUserRulesOfPortAreExplained(t *testing.T) {
	t.Parallel()
	a := staffed(t)
	made := a.Must(http.MethodPost, people, jsonv.Object{"identifier": "root@serviceaccounts.getport.io", "title": "Root",
		"properties": jsonv.Object{"port_type": "Service Account", "port_role": "Admin", "status": "Active"}})
	member := a.Must(http.MethodPost, people, jsonv.Object{"identifier": "member@serviceaccounts.getport.io", "title": "Member",
		"properties": jsonv.Object{"port_type": "Service Account", "status": "Active"}})
	a.Must(http.MethodPost, "/scim/v2/Groups", jsonv.Object{"displayName": "Synced"})
	// Over a socket, where tokens count.
	a.options.Transport, a.options.Getenv = nil, environment(map[string]string{
		"PORT_BASE_URL": a.URL(), "PORT_CLIENT_ID": a.ClientID, "PORT_CLIENT_SECRET": a.ClientSecret, "PORT_RATE_LIMIT_DISABLED": "1",
	})
	as := func(made jsonv.Object) string {
		keys := jsonv.Map(made, "additionalData", "credentials")
		return fmt.Sprintf("provider \"port\" {\n  client_id = %q\n  secret = %q\n}\n", keys["clientId"], keys["clientSecret"])
	}
	root := func(body string) string {
		return as(made) + "resource \"port_service_account\" \"root\" {\n" + lines(`identifier = "root", role = "Admin"`+body) + "\n}\n"
	}
	a.run(
		resource.TestStep{Config: root("")},
		resource.TestStep{Config: root(`, status = "Disabled"`), ExpectError: match("nobody may change their own status")},
		resource.TestStep{Config: root(""), Destroy: true, ExpectError: match("nobody may delete themselves")},
		resource.TestStep{Config: as(made) + `removed {
  from = port_service_account.root
  lifecycle {
    destroy = false
  }
}`},
		resource.TestStep{Config: as(member) + userWith(`email = "ann@x.io"`), ExpectError: match("Only administrators and the credentials of the organization")},
		resource.TestStep{Config: userWith(`email = "ann@x.io", teams = ["synced"]`), ExpectError: match("synchronized from the identity provider")},
	)
}

func TestUsersThatExistAreTakenOverOrRefused(t *testing.T) {
	t.Parallel()
	a := staffed(t)
	a.Must(http.MethodPost, people, jsonv.Object{"identifier": "ann@x.io", "title": "Theirs", "icon": "Old", "team": "ops", "properties": jsonv.Object{"status": "Active", "phone": "+9", "remote": true}})
	config := userWith(`email = "Ann@x.io", invite = true, role = "Admin", properties = { string_props = { phone = "+1" } }`)
	a.run(
		resource.TestStep{Config: "provider \"port\" {\n on_existing = \"fail\"\n}\n" + config, ExpectError: match(`import { to = port_user.<name>`)},
		resource.TestStep{Config: config, Check: a.stored(ann, jsonv.Object{
			"title": "Theirs", "icon": "Old", "team": texts("ops"), "properties.status": "Active", "properties.phone": "+1", "properties.remote": nil, "properties.port_role": "Admin",
		})},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan},
	)
}

// One who appears between plan and apply is noticed as well.
func TestUsersThatAppearAreRefused(t *testing.T) {
	t.Parallel()
	a := staffed(t)
	a.Before(once(http.MethodPost, people), func() { a.Must(http.MethodPost, people, jsonv.Object{"identifier": "ann@x.io", "title": "Theirs"}) })
	a.run(resource.TestStep{
		Config:      "provider \"port\" {\n on_existing = \"fail\"\n}\n" + userWith(`email = "ann@x.io", name = "Mine"`),
		ExpectError: match("already exists"),
	})
	if got := a.entity(ann)["title"]; got != "Theirs" {
		t.Errorf("the name is %v", got)
	}
}
