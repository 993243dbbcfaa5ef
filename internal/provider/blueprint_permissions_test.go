package provider_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/provider"
)

const (
	permissionsPath = "/v1/blueprints/service/permissions"
	permissionsAt   = "port_blueprint_permissions.this"
	// owned is a blueprint whose permissions are managed.
	owned = `{"blueprints": [
	  {"identifier": "env", "title": "Env", "schema": {"properties": {}}},
	  {"identifier": "service", "title": "Service", "ownership": {"type": "Direct"},
	   "schema": {"properties": {"lang": {"type": "string"}, "tier": {"type": "string"}}}, "relations": {"env": {"target": "env"}},
	   "calculationProperties": {"shout": {"calculation": ".title", "type": "string"}}}]}`
	teamPolicy = `{"combinator": "and", "rules": [{"property": "$team", "operator": "containsAny", "value": {"context": "userTeams", "property": "$identifier"}}]}`
)

// block writes permissions over the least that is required.
func permissions(blocks string, more ...string) string {
	said := map[string]string{"register": "roles = [\"Admin\"]", "unregister": "roles = [\"Admin\"]", "update": "roles = [\"Admin\"]"}
	metadata := "icon = {}, title = {}, team = { owned_by_team = true }, identifier = {}"
	text := "resource \"port_blueprint_permissions\" \"this\" {\n blueprint_identifier = \"service\"\n entities = {\n"
	for _, name := range []string{"register", "unregister", "update"} {
		if !strings.Contains(blocks, "\n"+name+" =") {
			text += name + " = { " + said[name] + " }\n"
		}
	}
	return text + "update_metadata_properties = { " + metadata + " }\n" + blocks + "\n}\n" + strings.Join(more, "\n") + "\n}\n"
}

// allowed is what Port holds under entities.
func (a *account) allowed(path ...string) any {
	a.t.Helper()
	v, _ := jsonv.Get(jsonv.Map(a.Must(http.MethodGet, permissionsPath, nil), "permissions", "entities"), path...)
	return v
}

// admits checks one block as Port holds it, written as JSON without what is empty.
func (a *account) admits(want string, path ...string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		got, _ := a.allowed(path...).(jsonv.Object)
		full := jsonv.Object{"users": []any{}, "roles": []any{}, "teams": []any{}, "ownedByTeam": false}
		given, err := jsonv.DecodeObject([]byte(want))
		if err != nil {
			return err
		}
		for key, v := range given {
			full[key] = v
		}
		if diff := cmp.Diff(any(full), any(got)); diff != "" {
			return fmt.Errorf("%v: %s", path, diff)
		}
		return nil
	}
}

const (
	byDefault     = `{"roles": ["Admin", "service-moderator"]}`
	readByDefault = `{"roles": ["Admin", "Member", "service-moderator"]}`
)

func TestBlueprintPermissionsLiveAWholeLifeBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		t.Helper()
		a := open(t, change)
		a.Seed(owned)
		first := permissions("\nupdate = { roles = [\"Member\", \"Admin\"], users = [\"b@x.io\", \"a@x.io\"] }\nupdate_properties = { lang = { roles = [\"Member\"] } }")
		// Spelled as no encoder would.
		second := permissions("\nupdate = { roles = [\"Member\", \"Admin\"], users = [\"b@x.io\", \"a@x.io\"], policy = <<-EOT\n  {\n    \"rules\": [ {\"operator\":\"=\" , \"property\": \"lang\", \"value\": \"go\"} ], \"combinator\": \"and\" }\n  EOT\n}\n" +
			"read = { roles = [\"Member\"], teams = [] }\nupdate_properties = { lang = { roles = [\"Member\"] } }\nupdate_relations = { env = { owned_by_team = true } }")
		a.run(
			resource.TestStep{PreConfig: a.Forget, Config: first, Check: resource.ComposeTestCheckFunc(
				a.sent("PATCH "+permissionsPath), resource.TestCheckResourceAttr(permissionsAt, "id", "service"), resource.TestCheckResourceAttrSet(permissionsAt, "previous"),
				a.admits(`{"roles": ["Admin", "Member"], "users": ["a@x.io", "b@x.io"]}`, "update"), a.admits(`{"roles": ["Member"]}`, "updateProperties", "lang"),
				a.admits(`{"ownedByTeam": true}`, "updateProperties", "$team"), a.admits(`{}`, "updateProperties", "$icon"), a.admits(readByDefault, "read"))},
			resource.TestStep{Config: first, ConfigPlanChecks: emptyPlan},
			resource.TestStep{Config: second, Check: resource.ComposeTestCheckFunc(a.admits(`{"roles": ["Member"]}`, "read"), a.admits(`{"ownedByTeam": true}`, "updateRelations", "env"),
				a.admits(`{"roles": ["Admin", "Member"], "users": ["a@x.io", "b@x.io"], "policy": {"combinator": "and", "rules": [{"property": "lang", "operator": "=", "value": "go"}]}}`, "update"))},
			resource.TestStep{Config: second, ConfigPlanChecks: emptyPlan},
			resource.TestStep{
				PreConfig: func() {
					a.Must(http.MethodPatch, permissionsPath, jsonv.Object{"entities": jsonv.Object{"read": jsonv.Object{"ownedByTeam": true}}})
				}, Config: second, ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{only{permissionsAt, "entities"}}},
				Check: a.admits(`{"roles": ["Member"]}`, "read"),
			},
			// Released piece by piece: the policy, a relation, who reads.
			resource.TestStep{PreConfig: a.Forget, Config: first, Check: resource.ComposeTestCheckFunc(a.sent("PATCH "+permissionsPath),
				a.admits(`{"roles": ["Admin", "Member"], "users": ["a@x.io", "b@x.io"]}`, "update"), a.admits(readByDefault, "read"), a.admits(byDefault, "updateRelations", "env"))},
			resource.TestStep{Config: first, ConfigPlanChecks: emptyPlan},
			resource.TestStep{PreConfig: a.Forget, Config: first, Destroy: true, Check: a.sent("PATCH " + permissionsPath)},
		)
		for _, name := range []string{"register", "unregister", "update"} {
			if err := a.admits(byDefault, name)(nil); err != nil {
				t.Error(err)
			}
		}
		for _, key := range []string{"$icon", "$title", "$team", "$identifier", "lang"} {
			if err := a.admits(byDefault, "updateProperties", key)(nil); err != nil {
				t.Error(err)
			}
		}
	})
}

// An import finds everything that is not as Port has it by default, and a
// configuration that says the same plans empty.
func TestBlueprintPermissionsAreImportedWhole(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(owned)
	full := `users = [], roles = ["Admin"], teams = []`
	config := "resource \"port_blueprint_permissions\" \"this\" {\n blueprint_identifier = \"service\"\n entities = {\n"
	for _, name := range []string{"register", "unregister", "update"} {
		config += name + " = { " + full + ", policy = jsonencode(" + teamPolicy + ") }\n"
	}
	config += "update_metadata_properties = { icon = {" + full + "}, title = {" + full + "}, team = {" + full + "}, identifier = {" + full + "} }\n" +
		"update_properties = { tier = {" + full + "} }\n update_relations = { env = {" + full + "} }\n READ }\n}\n"
	without, with := strings.Replace(config, "READ", "", 1), strings.Replace(config, "READ", "read = { "+full+" }", 1)
	for _, c := range []string{without, with} {
		a.run(
			resource.TestStep{Config: c},
			resource.TestStep{ResourceName: permissionsAt, ImportState: true, ImportStateId: "service", ImportStateVerify: true, ImportStateVerifyIgnore: []string{"previous"}},
			resource.TestStep{Config: strings.Replace(c, "}\n}\n", "}\n}\nimport {\n to = "+permissionsAt+"\n id = \"service\"\n}\n", 1), ConfigPlanChecks: emptyPlan},
		)
	}
	a.run(resource.TestStep{Config: without + "import {\n to = " + permissionsAt + "\n id = \"none\"\n}\n", ExpectError: match("non-existent remote object")})
}

// What nobody declares is nobody's: other keys may come and go.
func TestBlueprintPermissionsLeaveOtherKeysAlone(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(owned)
	config := permissions("\nupdate_properties = { lang = {} }")
	theirs := jsonv.Object{"roles": []any{"Member"}}
	a.run(
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig: func() {
				a.Must(http.MethodPatch, permissionsPath, jsonv.Object{"entities": jsonv.Object{"read": theirs, "updateProperties": jsonv.Object{"tier": theirs}, "updateRelations": jsonv.Object{"env": theirs}}})
			}, Config: config, ConfigPlanChecks: emptyPlan,
		},
		resource.TestStep{Config: permissions("\nupdate_properties = { lang = { users = [\"a@x.io\"] } }"), Check: resource.ComposeTestCheckFunc(
			a.admits(`{"roles": ["Member"]}`, "updateProperties", "tier"), a.admits(`{"roles": ["Member"]}`, "updateRelations", "env"), a.admits(`{"roles": ["Member"]}`, "read"))},
		resource.TestStep{Config: config, Destroy: true},
	)
	for _, path := range [][]string{{"read"}, {"updateProperties", "tier"}, {"updateRelations", "env"}} {
		if err := a.admits(`{"roles": ["Member"]}`, path...)(nil); err != nil {
			t.Error(err)
		}
	}
}

// E-mail addresses are the same in any letter case, in the configuration and in Port.
func TestUsersInBlueprintPermissionsHaveNoLetterCase(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(owned)
	config := permissions("\nupdate = { users = [\"Ann@X.io\", \"bob@x.io\"] }")
	a.run(
		resource.TestStep{Config: config, Check: a.admits(`{"users": ["ann@x.io", "bob@x.io"]}`, "update")},
		resource.TestStep{
			PreConfig: func() {
				a.Must(http.MethodPatch, permissionsPath, jsonv.Object{"entities": jsonv.Object{"update": jsonv.Object{"users": []any{"BOB@x.io", "ANN@x.io"}}}})
			}, Config: config, ConfigPlanChecks: emptyPlan,
		},
		resource.TestStep{Config: strings.Replace(config, "Ann@X.io", "eve@x.io", 1), Check: a.admits(`{"users": ["bob@x.io", "eve@x.io"]}`, "update")},
	)
}

// A property that goes takes its block along: there is nothing to give back.
func TestBlueprintPermissionsFollowTheirBlueprint(t *testing.T) {
	t.Parallel()
	a := open(t)
	blueprint := func(properties string) string {
		return "resource \"port_blueprint\" \"service\" {\n identifier = \"service\"\n title = \"Service\"\n ownership = { type = \"Direct\" }\n properties = { string_props = {" + properties + "} }\n}\n"
	}
	of := func(blocks string) string {
		return strings.Replace(permissions(blocks), `"service"`, "port_blueprint.service.identifier", 1)
	}
	a.run(
		resource.TestStep{Config: blueprint("lang = {}, tier = {}") + of("\nupdate_properties = { lang = {}, tier = {} }")},
		resource.TestStep{Config: blueprint("lang = {}, tier = {}") + of("\nupdate_properties = { lang = {}, tier = {} }"), ConfigPlanChecks: emptyPlan},
		resource.TestStep{PreConfig: a.Forget, Config: blueprint("lang = {}") + of("\nupdate_properties = { lang = {} }"),
			Check: a.sent("PUT /v1/blueprints/service", "PATCH "+permissionsPath)},
		resource.TestStep{Config: blueprint("lang = {}") + of("\nupdate_properties = { lang = {} }"), ConfigPlanChecks: emptyPlan},
		// Gone by hand: both are planned again.
		resource.TestStep{
			PreConfig: func() { a.Must(http.MethodDelete, "/v1/blueprints/service", nil) }, Config: blueprint("lang = {}") + of("\nupdate_properties = { lang = {} }"),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(permissionsAt, plancheck.ResourceActionCreate)}},
		},
	)
}

// Destroying gives back what was there, or leaves what is there when told to.
func TestDestroyedBlueprintPermissionsAreGivenBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		more string
		want string
	}{
		"given back": {"", `{"roles": ["Admin", "Member"], "policy": ` + teamPolicy + `}`},
		"kept":       {`on_destroy = "keep"`, `{"roles": ["Admin"]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := open(t)
			a.Seed(owned)
			theirs, err := jsonv.DecodeObject([]byte(`{"entities": {"update": {"roles": ["Admin", "Member"], "policy": ` + teamPolicy + `}, "updateRelations": {"env": {"users": ["x@x.io"]}}}}`))
			if err != nil {
				t.Fatal(err)
			}
			a.Must(http.MethodPatch, permissionsPath, theirs)
			config := permissions("\nupdate_relations = { env = {} }", c.more)
			a.run(
				resource.TestStep{Config: config, Check: resource.ComposeTestCheckFunc(a.admits(`{"roles": ["Admin"]}`, "update"), a.admits(`{"roles": ["Admin"]}`, "register"))},
				resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan},
				resource.TestStep{Config: config, Destroy: true},
			)
			if err := a.admits(c.want, "update")(nil); err != nil {
				t.Error(err)
			}
			users := jsonv.Strings(jsonv.List(a.allowed("updateRelations", "env"), "users"))
			if want := c.more == ""; slices.Contains(users, "x@x.io") != want {
				t.Errorf("users of the relation are %v", users)
			}
		})
	}
}

// Permissions that somebody set by hand are not replaced without a word.
func TestBlueprintPermissionsThatWereChangedAreTakenOverOrRefused(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	p.Seed(owned)
	u := newTerminal(t, source+permissions(""), online(p)...)
	if out := u.must(0, "plan", "-input=false", "-no-color"); strings.Contains(out, "were changed before") {
		t.Errorf("the default is taken for somebody's:\n%s", out)
	}
	p.Must(http.MethodPatch, permissionsPath, jsonv.Object{"entities": jsonv.Object{"update": jsonv.Object{"roles": []any{"Member"}}, "read": jsonv.Object{"roles": []any{}}}})
	out := u.must(0, "plan", "-input=false", "-no-color")
	for _, want := range []string{"Permissions of blueprint service were changed before", "something else of update."} {
		if !strings.Contains(strings.Join(strings.Fields(strings.ReplaceAll(out, "│", "")), " "), want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	u.write("main.tf", source+"provider \"port\" {\n  on_existing = \"fail\"\n}\n"+permissions(""))
	if out := u.must(1, "plan", "-input=false", "-no-color"); !strings.Contains(out, "import {") {
		t.Errorf("no import block in:\n%s", out)
	}
	u.write("main.tf", source+permissions("\nupdate = { roles = [\"Member\"] }"))
	if out := u.must(0, "plan", "-input=false", "-no-color"); strings.Contains(out, "were changed before") {
		t.Errorf("nothing changes:\n%s", out)
	}
}

func TestBlueprintPermissionsMistakesAreFoundWhilePlanning(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(owned)
	for blocks, want := range map[string]string{
		"\nupdate_properties = { \"$title\" = {} }":             "keys must not begin with $",
		"\nupdate_relations = { \"$team\" = {} }":               "keys must not begin with $",
		"\nupdate_properties = { \"a b\" = {} }":                `key "a b"`,
		"\nupdate = { policy = \"nope\" }":                      "invalid JSON",
		"\nread = { policy = \"[]\" }":                          "want the text of a JSON object",
		"\nupdate_properties = { lang = { policy = \"{}\" } }":  "", // no such attribute: Terraform drops it
		"\nregister = { policy = \"\", owned_by_team = true } ": "",
	} {
		t.Run(blocks, func(t *testing.T) {
			t.Parallel()
			b := *a
			b.t = t
			step := resource.TestStep{Config: permissions(blocks), PlanOnly: true, ExpectNonEmptyPlan: true}
			if want != "" {
				step = resource.TestStep{Config: permissions(blocks), PlanOnly: true, ExpectError: match(want)}
			}
			b.run(step)
		})
	}
}

// Port's refusal of unknown keys points at each of them, and nothing is applied.
func TestUnknownFieldsInBlueprintPermissionsArePointedAt(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(owned)
	config := permissions("\nupdate_properties = { nope = {}, lang = {} }\nupdate_relations = { neither = {} }")
	a.run(
		resource.TestStep{Config: config, ExpectError: match(`entities.update_properties["nope"]`)},
		resource.TestStep{Config: config, ExpectError: match(`entities.update_relations["neither"]`)},
	)
	if err := a.admits(byDefault, "update")(nil); err != nil {
		t.Error(err)
	}
}

func TestBlueprintPermissionsOfTheOfficialProviderPlanEmpty(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	p.Seed(owned)
	none := func(roles ...string) jsonv.Object {
		return jsonv.Object{"users": []any{}, "roles": jsonv.FromStrings(roles), "teams": []any{}, "owned_by_team": false}
	}
	scope := func(roles ...string) jsonv.Object {
		o := none(roles...)
		o["policy"] = nil
		return o
	}
	state := jsonv.Object{"id": "service", "blueprint_identifier": "service", "entities": jsonv.Object{
		"read": nil, "register": scope("Admin", "service-moderator"), "unregister": scope("Admin", "service-moderator"), "update": scope("Admin", "service-moderator"),
		"update_metadata_properties": jsonv.Object{"icon": none("Admin", "service-moderator"), "title": none("Admin", "service-moderator"), "team": none("Admin", "service-moderator"), "identifier": none("Admin", "service-moderator")},
		"update_properties":          nil, "update_relations": nil,
	}}
	full := `{ users = [], teams = [], roles = ["service-moderator", "Admin"] }`
	config := "resource \"port_blueprint_permissions\" \"this\" {\n  blueprint_identifier = \"service\"\n  entities = {\n    register = " + full + "\n    unregister = " + full + "\n    update = " + full +
		"\n    update_metadata_properties = {\n      icon = " + full + "\n      title = " + full + "\n      team = " + full + "\n      identifier = " + full + "\n    }\n  }\n}\n"
	u := newTerminal(t, strings.Replace(source, "portlens/port", "port-labs/port-labs", 1)+config, online(p)...)
	u.write("terraform.tfstate", stateFile("port-labs/port-labs", "port_blueprint_permissions", "this", state))
	if out := u.must(0, "plan", "-detailed-exitcode", "-input=false", "-no-color"); strings.Contains(out, "Objects have changed") {
		t.Errorf("the refresh changes the official state:\n%s", out)
	}
}

func TestBlueprintPermissionsCanBeLookedUp(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(owned)
	const at = "data.port_blueprint_permissions.this"
	a.run(resource.TestStep{Config: "data \"port_blueprint_permissions\" \"this\" {\n blueprint_identifier = \"service\"\n}", Check: resource.ComposeTestCheckFunc(
		resource.TestCheckTypeSetElemAttr(at, "entities.read.roles.*", "Member"), resource.TestCheckResourceAttr(at, "entities.update_metadata_properties.team.roles.#", "2"))})
}

// A renamed blueprint keeps its permissions, and its moderators their name in what
// is given back.
func TestBlueprintPermissionsFollowARenamedBlueprint(t *testing.T) {
	t.Parallel()
	a := open(t)
	config := func(id, more string) string {
		return "resource \"port_blueprint\" \"service\" {\n identifier = \"" + id + "\"\n title = \"Service\"\n}\n" +
			strings.Replace(permissions("\nupdate = { users = [\"a@x.io\"] }", more), `"service"`, "port_blueprint.service.identifier", 1)
	}
	a.run(
		resource.TestStep{Config: config("one", "")},
		resource.TestStep{
			Config: config("service", ""), Check: a.admits(`{"users": ["a@x.io"]}`, "update"),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(permissionsAt, plancheck.ResourceActionUpdate)}},
		},
		resource.TestStep{Config: config("service", ""), ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: strings.Split(config("service", ""), "resource \"port_blueprint_permissions\"")[0], Check: a.admits(byDefault, "update")},
	)
}

// A policy that appears while the permissions are written goes too.
func TestPoliciesThatNobodyKnewOfAreRemoved(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(owned)
	policy, err := jsonv.DecodeObject([]byte(teamPolicy))
	if err != nil {
		t.Fatal(err)
	}
	a.run(
		resource.TestStep{Config: permissions("")},
		resource.TestStep{
			PreConfig: func() {
				a.Before(once(http.MethodPatch, permissionsPath), func() {
					a.Must(http.MethodPatch, permissionsPath, jsonv.Object{"entities": jsonv.Object{"update": jsonv.Object{"policy": policy}}})
				})
			}, Config: permissions("\nupdate = { roles = [\"Member\"] }"), Check: a.admits(`{"roles": ["Member"]}`, "update"),
		},
	)
}

// deaf is a server that does not take null for the end of a policy.
type deaf struct{ http.RoundTripper }

func (d deaf) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPatch {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = bytes.ReplaceAll(bytes.ReplaceAll(body, []byte(`"policy":null,`), nil), []byte(`"policy":null`), nil)
		r = r.Clone(r.Context())
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return d.RoundTripper.RoundTrip(r)
}

// A policy that cannot be removed is an error, not a silent difference.
func TestPoliciesThatStayAreAnError(t *testing.T) {
	t.Parallel()
	a := open(t, func(o *provider.Options) { o.Transport = deaf{o.Transport} })
	a.Seed(owned)
	a.run(
		resource.TestStep{Config: permissions("\nupdate = { policy = jsonencode(" + teamPolicy + ") }")},
		resource.TestStep{Config: permissions("\nupdate = { roles = [\"Member\"] }"), ExpectError: match("keeps the policy of update")},
	)
}
