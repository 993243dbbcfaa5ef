package access_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// staffed is a world with people, teams and two services; ann is an administrator,
// mod moderates service, bob is in core, cid in nothing.
type staffed struct {
	*world
	ann, mod, bob, cid *access.User
}

func newStaffed(t *testing.T) staffed {
	t.Helper()
	w := newWorld(t)
	w.entity("_team", `{"identifier": "core", "title": "Core"}`)
	w.entity("_team", `{"identifier": "ops", "title": "Ops"}`)
	s := staffed{world: w}
	s.ann = w.user("ann@x.io", "Admin", `"ops"`)
	s.mod = w.user("mod@x.io", "Moderator", ``)
	s.mod.Moderates = []string{"service"}
	s.bob = w.user("bob@x.io", "Member", `"core"`)
	s.cid = w.user("cid@x.io", "Member", ``)
	w.blueprint(`{"identifier": "service", "title": "Service", "ownership": {"type": "Direct"}, "schema": {"properties": {
		"tier": {"type": "string"}, "n": {"type": "number"}, "owner": {"type": "string", "format": "user"}}}}`)
	w.entity("service", `{"identifier": "cart", "title": "Cart", "team": ["core"], "properties": {"tier": "1", "n": 3, "owner": "bob@x.io"}}`)
	w.entity("service", `{"identifier": "shop", "title": "Shop", "team": ["ops"], "properties": {"tier": "2", "n": 7}}`)
	return s
}

func (s staffed) entityDoc(id string) (doc jsonv.Object) {
	s.t.Helper()
	s.view(func(tx store.Tx) (err error) {
		found, err := s.catalog.Find(s.t.Context(), tx, s.actor(), decode(s.t, `{"combinator": "and", "rules": [{"property": "$identifier", "operator": "=", "value": "`+id+`"}]}`), 1)
		if err == nil {
			doc, _ = found[0].(jsonv.Object)
		}
		return err
	})
	return doc
}

func (s staffed) execute(x access.Execution) int {
	s.t.Helper()
	got := 0
	s.view(func(tx store.Tx) error {
		got = status(s.t, s.access.MayExecute(s.t.Context(), tx, x))
		return nil
	})
	return got
}

func (s staffed) approve(voter *access.User, x access.Execution) int {
	s.t.Helper()
	got := 0
	x.Approvers = s.approvers(x)
	s.view(func(tx store.Tx) error {
		got = status(s.t, s.access.MayApprove(s.t.Context(), tx, by(voter), x))
		return nil
	})
	return got
}

func (s staffed) approvers(x access.Execution) (emails []string) {
	s.t.Helper()
	s.view(func(tx store.Tx) (err error) {
		emails, err = s.access.Approvers(s.t.Context(), tx, x)
		return err
	})
	return emails
}

// rows: id X4, id X5
func TestListsDecideWhoExecutesWithoutAPolicy(t *testing.T) {
	t.Parallel()
	s := newStaffed(t)
	machine, ann, mod, bob, cid := (*access.User)(nil), s.ann, s.mod, s.bob, s.cid
	all := map[string]*access.User{"machine": machine, "ann": ann, "mod": mod, "bob": bob, "cid": cid}
	cart, shop := s.entityDoc("cart"), s.entityDoc("shop")
	for _, c := range []struct {
		name, permissions, operation string
		entity                       jsonv.Object
		allowed                      string
	}{
		{"as it is at first", `{}`, "CREATE", nil, "machine ann mod bob cid"},
		{"nobody", `{"execute": {"roles": []}}`, "CREATE", nil, "machine ann"},
		{"administrators", `{"execute": {"roles": ["admin"]}}`, "CREATE", nil, "machine ann"},
		{"moderators of the blueprint", `{"execute": {"roles": ["Service-Moderator"]}}`, "CREATE", nil, "machine ann mod"},
		{"moderators of another", `{"execute": {"roles": ["other-moderator"]}}`, "CREATE", nil, "machine ann"},
		{"moderators of any", `{"execute": {"roles": ["Moderator"]}}`, "CREATE", nil, "machine ann mod"},
		{"a user", `{"execute": {"roles": [], "users": ["CID@x.io"]}}`, "CREATE", nil, "machine ann cid"},
		{"a team", `{"execute": {"roles": [], "teams": ["core"]}}`, "CREATE", nil, "machine ann bob"},
		{"owners of an entity", `{"execute": {"roles": [], "ownedByTeam": true}}`, "DAY-2", cart, "machine ann bob"},
		{"owners who delete", `{"execute": {"roles": [], "ownedByTeam": true}}`, "DELETE", cart, "machine ann bob"},
		{"owners of another", `{"execute": {"roles": [], "ownedByTeam": true}}`, "DAY-2", shop, "machine ann"},
		{"owners of nothing", `{"execute": {"roles": [], "ownedByTeam": true}}`, "DAY-2", nil, "machine ann"},
		{"owners who create", `{"execute": {"roles": [], "ownedByTeam": true}}`, "CREATE", cart, "machine ann"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := staffed{world: newWorld(t)}
			w.mustPermit(c.permissions)
			got := ""
			for _, name := range []string{"machine", "ann", "mod", "bob", "cid"} {
				x := run(t, all[name])
				jsonv.Map(x.Action, "trigger")["operation"] = c.operation
				x.Entity = c.entity
				switch w.execute(x) {
				case 0:
					got += " " + name
				case 403:
				default:
					t.Errorf("%s: not a refusal", name)
				}
			}
			if got != " "+c.allowed {
				t.Errorf("allowed are%s, want %s", got, c.allowed)
			}
		})
	}
}

// queries that the policies of the tests share.
const queries = `{"services": {"combinator": "and", "rules": [{"property": "$blueprint", "operator": "=", "value": "service"}]},
	"mine": {"combinator": "and", "rules": [{"property": "owner", "operator": "=", "value": "{{ .user.email }}"}]},
	"named": {"combinator": "and", "rules": [{"property": "$identifier", "operator": "=", "value": "{{ .inputs.name }}"}]},
	"text": {"combinator": "and", "rules": [{"property": "$title", "operator": "=", "value": "C{{ .inputs.name[1:] }}"}]},
	"typed": {"combinator": "and", "rules": [{"property": "n", "operator": ">", "value": "{{ .inputs.n }}"}]},
	"listed": {"combinator": "and", "rules": [{"property": "$identifier", "operator": "in", "value": "{{ [.inputs.name, \"shop\"] }}"}]},
	"ours": {"combinator": "and", "rules": [{"property": "$blueprint", "operator": "=", "value": "service"}, {"property": "$team", "operator": "containsAny", "value": {"context": "userTeams", "property": "$identifier"}}]},
	"broken": {"combinator": "and", "rules": [{"property": "x", "operator": "like", "value": 1}]},
	"braces": {"combinator": "and", "rules": [{"property": "x", "operator": "=", "value": "{{ .inputs"}]},
	"wrong": {"combinator": "and", "rules": [{"property": "n", "operator": ">", "value": "{{ .inputs.name }}"}]}}`

func TestAConditionOfAPolicyDecidesAlone(t *testing.T) {
	t.Parallel()
	s := newStaffed(t)
	for _, c := range []struct {
		name, condition string
		want            bool
	}{
		{"true", `true`, true},
		{"false", `false`, false},
		{"null", `null`, false},
		{"text", `"true"`, false},
		{"a number", `1`, false},
		{"a list", `[true]`, false},
		{"nothing", `empty`, false},
		{"an error", `error("x")`, false},
		{"no jq", `.a |`, false},
		{"the first output is true", `true, false`, true},
		{"the first output is false", `false, true`, false},

		{"a query", `.results.services.entities | length == 2`, true},
		{"full entities", `.results.named.entities == [.results.services.entities[] | select(.identifier == "cart")] and .results.named.entities[0].properties.n == 3 and .results.named.entities[0].createdAt != null`, true},
		{"a template keeps its type", `.results.typed.entities | map(.identifier) == ["shop"]`, true},
		{"a template in a text", `.results.text.entities | map(.identifier) == ["cart"]`, true},
		{"a list from a template", `.results.listed.entities | length == 2`, true},
		{"the user in a query", `.results.mine.entities | map(.identifier) == ["cart"]`, true},
		{"the user's teams in a query", `.results.ours.entities | map(.identifier) == ["cart"]`, true},
		{"a query that fails has nothing", `.results.broken == {"entities": []} and .results.braces == {"entities": []} and .results.wrong == {"entities": []}`, true},

		{"the action", `.action.identifier == "scale" and .action.trigger.operation == "DAY-2"`, true},
		{"no blueprint", `has("blueprint") and .blueprint == null`, true},
		{"no entity", `has("entity") and .entity == null`, true},
		{"the inputs", `.inputs == {"name": "cart", "n": 3}`, true},
		{"what a document holds", `keys == ["action", "blueprint", "entity", "inputs", "results", "trigger", "user"]`, true},
		{"the user", `.user | .userId == "auth0|bob@x.io" and .email == "bob@x.io" and .name == "Bob B" and .mainRole == "Member" and .identifier == .email and .title == "Bob B"`, true},
		{"the user's roles and teams", `.user | .roles == [{"name": "Member"}] and .teams == [{"name": "Core", "provider": "port"}] and .teamsIdentifiers == ["core"] and .team == ["core"]`, true},
		{"the user's properties", `.user.properties | .status == "Active" and .port_role == "Member"`, true},
		{"the user's relations", `.user.relations.teams == [{"identifier": "core"}]`, true},
		{"the trigger", `.trigger | .at == "2024-05-01T10:00:00.000Z" and .origin == "UI" and .operation == "DAY-2"`, true},
		{"the trigger's user", `.trigger.user == {"email": "bob@x.io", "id": "auth0|bob@x.io", "firstName": "Bob", "lastName": "B"}`, true},
		{"who triggered", `.trigger.by | .orgId == "org_1" and .userId == "auth0|bob@x.io" and (.user | .status == "ACTIVE" and .phoneNumber == "" and .picture == "" and .providers == [] and .createdAt != null)`, true},
		{"no secrets", `has("secrets")`, false},
		{"now", `now == ("2024-05-01T10:00:00Z" | fromdate)`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := run(t, s.bob)
			w := staffed{world: &world{t: t, store: s.store, catalog: s.catalog, access: s.access}}
			x.Action["identifier"] = "scale-" + c.name
			w.update(func(tx store.Tx) error {
				_, err := w.access.PatchActionPermissions(tx, w.actor(), "scale-"+c.name, jsonv.Object{"execute": jsonv.Object{
					"policy": jsonv.Object{"queries": decode(t, queries), "conditions": []any{c.condition}}}})
				return err
			})
			if c.name == "the action" {
				x.Action["identifier"] = "scale"
				w.mustPermit(`{"execute": {"policy": ` + string(jsonv.Encode(jsonv.Object{"queries": decode(t, queries), "conditions": []any{c.condition}})) + `}}`)
			}
			if got := w.execute(x) == 0; got != c.want {
				t.Errorf("%s allows: %v", c.condition, got)
			}
		})
	}
}

// rows: id X6, id X10
func TestAPolicyStopsAdministratorsAndMachines(t *testing.T) {
	t.Parallel()
	s := newStaffed(t)
	s.mustPermit(`{"execute": {"roles": [], "policy": {"queries": {"q": {"combinator": "and", "rules": []}}, "conditions": [".user.email == \"cid@x.io\"", ".user == {\"email\": \"\"} and .trigger.user == {\"email\": \"\"} and .trigger.by.user == {} and .inputs.n == 1"]}}}`)
	for name, c := range map[string]struct {
		who  *access.User
		n    string
		want int
	}{
		"an administrator":                       {s.ann, "1", 403},
		"a machine that a condition allows":      {nil, "1", 0},
		"a machine that none allows":             {nil, "2", 403},
		"a user outside of the lists":            {s.cid, "2", 0},
		"a user whom the conditions do not name": {s.bob, "1", 403},
	} {
		x := run(t, c.who)
		x.Inputs = object(t, `{"n": `+c.n+`}`)
		if got := s.execute(x); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestAccountsAreToldOfInPolicies(t *testing.T) {
	t.Parallel()
	s := newStaffed(t)
	s.mustPermit(`{"execute": {"policy": {"queries": {"q": {"combinator": "and", "rules": []}}, "conditions": [
		".user.picture == \"https://x.io/ann.png\" and .user.teams == [{\"name\": \"Ops\", \"provider\": \"okta\"}] and .trigger.by.user.phoneNumber == \"1\" and .trigger.by.user.providers == [\"github\"] and .user.roles == [{\"name\": \"Admin\"}]"]}}}`)
	if got := s.execute(run(t, s.ann)); got != 0 {
		t.Error("the account is not what it is")
	}
	s.mustPermit(`{"execute": {"policy": {"queries": {"q": {"combinator": "and", "rules": []}}, "conditions": [
		".user.roles == [{\"name\": \"service-moderator\"}] and .user.mainRole == \"Moderator\" and .user.picture == null"]}}}`)
	if got := s.execute(run(t, s.mod)); got != 0 {
		t.Error("the moderator is not what it is")
	}
}

func TestListsDecideWhoApprovesWithoutAPolicy(t *testing.T) {
	t.Parallel()
	s := newStaffed(t)
	s.entity("_user", `{"identifier": "gone@x.io", "title": "Gone", "team": ["core"], "properties": {"status": "Disabled", "port_role": "Admin", "port_type": "Standard"}}`)
	s.update(func(tx store.Tx) error {
		_, err := s.catalog.PatchEntity(t.Context(), tx, s.actor(), "_user", "mod@x.io", decode(t, `{"properties": {"moderated_blueprints": ["service"]}}`), optionsNone)
		return err
	})
	for _, c := range []struct {
		name, permissions string
		approvers         []string
		refused           []*access.User
	}{
		{"as it is at first", `{}`, []string{"ann@x.io"}, []*access.User{s.mod, s.bob, s.cid}},
		{"nobody", `{"roles": []}`, []string{}, []*access.User{s.mod, s.bob, s.cid}},
		{"members are all", `{"roles": ["member"]}`, []string{"ann@x.io", "bob@x.io", "cid@x.io", "mod@x.io"}, nil},
		{"moderators", `{"roles": ["service-moderator"]}`, []string{"mod@x.io"}, []*access.User{s.bob, s.cid}},
		{"a union", `{"roles": ["service-moderator"], "users": ["Cid@x.io", "ghost@x.io"], "teams": ["core"]}`, []string{"bob@x.io", "cid@x.io", "mod@x.io"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.mustPermit(`{"approve": {"users": [], "roles": ["Admin"], "teams": []}}`)
			s.mustPermit(`{"approve": ` + c.permissions + `}`)
			if diff := cmp.Diff(c.approvers, s.approvers(run(t, s.bob))); diff != "" {
				t.Errorf("approvers (-want +got):\n%s", diff)
			}
			for _, u := range c.refused {
				if got := s.approve(u, run(t, s.bob)); got != 403 {
					t.Errorf("%s: %d", u.Email, got)
				}
			}
			for _, u := range []*access.User{nil, s.ann} {
				if got := s.approve(u, run(t, s.bob)); got != 0 {
					t.Errorf("machines and administrators: %d", got)
				}
			}
		})
	}
}

func TestAPolicyDecidesWhoApproves(t *testing.T) {
	t.Parallel()
	s := newStaffed(t)
	policy := func(conditions string) {
		s.mustPermit(`{"approve": {"users": ["cid@x.io"], "policy": {"queries": {"services": {"combinator": "and", "rules": [{"property": "$blueprint", "operator": "=", "value": "service"}]},
			"ours": {"combinator": "and", "rules": [{"property": "$team", "operator": "containsAny", "value": {"context": "userTeams", "property": "$identifier"}}, {"property": "$blueprint", "operator": "=", "value": "service"}]}}, "conditions": ` + conditions + `}}}`)
	}
	for _, c := range []struct {
		name, conditions string
		approvers        []string
	}{
		{"a list of e-mails in any letter case", `["[\"BOB@x.io\", \"mod@x.io\"]"]`, []string{"bob@x.io", "mod@x.io"}},
		{"a union of lists", `["[\"bob@x.io\"]", "[\"ann@x.io\"]", "[\"bob@x.io\"]"]`, []string{"ann@x.io", "bob@x.io"}},
		{"results", `["[.results.services.entities[].properties.owner]"]`, []string{"bob@x.io"}},
		{"contextual values are about who executes", `["[.results.ours.entities[].properties.owner]"]`, []string{"bob@x.io"}},
		{"an empty list", `["[]"]`, []string{}},
		{"a boolean", `["true"]`, []string{}},
		{"a text", `["\"bob@x.io\""]`, []string{}},
		{"ids match nobody", `[".results.services.entities | map(.createdBy)", "[\"auth0|bob@x.io\"]"]`, []string{}},
		{"what is no text is left out", `["[1, null, \"bob@x.io\", {}]"]`, []string{"bob@x.io"}},
		{"an error beside a list", `["error", ".a |", "[\"bob@x.io\"]"]`, []string{"bob@x.io"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			policy(c.conditions)
			x := run(t, s.bob)
			if diff := cmp.Diff(c.approvers, s.approvers(x)); diff != "" {
				t.Errorf("approvers (-want +got):\n%s", diff)
			}
			for _, u := range []*access.User{s.ann, s.mod, s.bob, s.cid} {
				want := 403
				for _, email := range c.approvers {
					if email == u.Email {
						want = 0
					}
				}
				if got := s.approve(u, x); got != want {
					t.Errorf("%s: %d, want %d", u.Email, got, want)
				}
			}
			if got := s.approve(nil, x); got != 0 {
				t.Errorf("a machine: %d", got)
			}
		})
	}
	policy(`["if .user.email != .trigger.user.email then [.user.email] else [] end"]`)
	if got := s.approve(s.bob, run(t, s.bob)); got != 403 {
		t.Errorf("a policy without self-approval: %d", got)
	}
	if got := s.approve(s.cid, run(t, s.bob)); got != 0 {
		t.Errorf("anybody else: %d", got)
	}
}

func TestListsDecideWhoSeesAnAction(t *testing.T) {
	t.Parallel()
	s := newStaffed(t)
	const never = `"policy": {"queries": {"q": {"combinator": "and", "rules": []}}, "conditions": ["false"]}`
	for _, c := range []struct {
		name, permissions string
		seen              bool
		scopes            []string
	}{
		{"as it is at first", `{}`, true, []string{"execute:actions:scale"}},
		{"other users", `{"roles": [], "users": ["ann@x.io"]}`, false, nil},
		{"the user", `{"roles": [], "users": ["bob@x.io"]}`, true, []string{"execute:actions:scale"}},
		{"owners", `{"roles": [], "ownedByTeam": true}`, true, []string{"execute:team_entities:actions:scale"}},
		{"both", `{"ownedByTeam": true}`, true, []string{"execute:actions:scale", "execute:team_entities:actions:scale"}},
		{"a policy has no say", `{` + never + `}`, true, []string{"execute:actions:scale"}},
		{"nor does it show", `{"roles": [], ` + never + `}`, false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.mustPermit(`{"execute": ` + c.permissions + `}`)
			w.view(func(tx store.Tx) error {
				seen, err := w.access.SeesAction(tx, org, s.bob, "scale")
				if err != nil || seen != c.seen {
					t.Errorf("seen: %v, %v", seen, err)
				}
				scopes, err := w.access.ActionScopes(tx, org, s.bob, []string{"scale"})
				if diff := cmp.Diff(c.scopes, scopes); diff != "" {
					t.Errorf("scopes (-want +got):\n%s", diff)
				}
				for _, u := range []*access.User{nil, s.ann} {
					if seen, err := w.access.SeesAction(tx, org, u, "scale"); err != nil || !seen {
						t.Errorf("machines and administrators: %v, %v", seen, err)
					}
				}
				return err
			})
		})
	}
}

func TestWhoManagesAnAction(t *testing.T) {
	t.Parallel()
	mod := &access.User{Role: access.RoleModerator, Moderates: []string{"service"}}
	for text, want := range map[string]bool{
		`{"trigger": {"type": "self-service", "blueprintIdentifier": "service"}}`:                         true,
		`{"trigger": {"type": "self-service", "blueprintIdentifier": "other"}}`:                           false,
		`{"trigger": {"type": "self-service"}}`:                                                           false,
		`{"trigger": {"type": "automation", "event": {"blueprintIdentifier": "service"}}}`:                false,
		`{"trigger": {"type": "automation", "blueprintIdentifier": "service", "event": {"type": "any"}}}`: false,
	} {
		if got := access.ManagesAction(mod, object(t, text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
		if !access.ManagesAction(nil, object(t, text)) || !access.ManagesAction(&access.User{Role: access.RoleAdmin}, object(t, text)) {
			t.Errorf("%s: not for machines and administrators", text)
		}
		if access.ManagesAction(&access.User{Role: access.RoleMember, Moderates: []string{"service"}}, object(t, text)) {
			t.Errorf("%s: for members", text)
		}
	}
}

func TestWhoSeesARun(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	bob := &access.User{ID: "u_bob", Email: "Bob@x.io", Role: access.RoleMember}
	for name, c := range map[string]struct {
		run  access.Run
		want bool
	}{
		"a run":                              {access.Run{}, true},
		"an open run":                        {access.Run{Open: &yes}, true},
		"a closed run":                       {access.Run{Open: &no, Creators: []string{"u_ann"}, Approvers: []string{"ann@x.io"}}, false},
		"a closed run of theirs":             {access.Run{Open: &no, Creators: []string{"client", "u_bob"}}, true},
		"a closed run to approve":            {access.Run{Open: &no, Approvers: []string{"ann@x.io", "bob@x.io"}}, true},
		"a run of an automation":             {access.Run{Automation: true, Creators: []string{"u_bob"}}, false},
		"an open run of an automation":       {access.Run{Automation: true, Open: &yes}, true},
		"a closed run of an automation":      {access.Run{Automation: true, Open: &no, Creators: []string{"u_bob"}}, false},
		"a closed run of an automation ours": {access.Run{Automation: true, Open: &no, Approvers: []string{"bob@x.io"}}, false},
	} {
		if got := access.SeesRun(bob, c.run); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		if !access.SeesRun(nil, c.run) || !access.SeesRun(&access.User{Role: access.RoleAdmin}, c.run) {
			t.Errorf("%s: not for machines and administrators", name)
		}
	}
}

func TestWhoSeesAndEditsAPage(t *testing.T) {
	t.Parallel()
	s := newStaffed(t)
	for _, c := range []struct {
		name, permissions string
		reads, edits      string
	}{
		{"as it is at first", `{}`, "machine ann mod bob cid", "machine ann"},
		{"nobody", `{"read": {"roles": []}, "update": {"roles": []}}`, "machine ann", "machine ann"},
		{"a team reads", `{"read": {"roles": [], "teams": ["core"]}}`, "machine ann bob", "machine ann"},
		{"who edits reads", `{"read": {"roles": []}, "update": {"users": ["cid@x.io"], "roles": ["service-moderator"]}}`, "machine ann mod cid", "machine ann mod cid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.update(func(tx store.Tx) error {
				_, err := w.access.PatchPagePermissions(tx, w.actor(), "home", decode(t, c.permissions))
				return err
			})
			reads, edits := "", ""
			for _, who := range []struct {
				name string
				user *access.User
			}{{"machine", nil}, {"ann", s.ann}, {"mod", s.mod}, {"bob", s.bob}, {"cid", s.cid}} {
				w.view(func(tx store.Tx) error {
					sees, err := w.access.SeesPage(tx, org, who.user, "home")
					if err != nil {
						return err
					}
					if sees {
						reads += " " + who.name
					}
					may, err := w.access.MayEditPage(tx, org, who.user, "home")
					if may {
						edits += " " + who.name
					}
					return err
				})
			}
			if reads != " "+c.reads || edits != " "+c.edits {
				t.Errorf("read by%s, edited by%s; want %s and %s", reads, edits, c.reads, c.edits)
			}
		})
	}
}

func TestPermissionsOfAPageRefuseWhatTheyAreNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, body := range []string{`[]`, `{"execute": {}}`, `{"read": {"ownedByTeam": false}}`, `{"update": {"policy": null}}`, `{"read": {"users": [1]}}`, `{"read": []}`} {
		err := w.store.Update(t.Context(), func(tx store.Tx) error {
			_, err := w.access.PatchPagePermissions(tx, w.actor(), "home", decode(t, body))
			return err
		})
		if got := status(t, err); got != 422 {
			t.Errorf("%s: %d", body, got)
		}
	}
}

// endless is a catalog whose queries go on until nobody waits for them any more.
type endless struct{ access.Catalog }

func (endless) Find(ctx context.Context, _ store.Tx, _ catalog.Actor, _ any, _ int) ([]any, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestAPolicyWhoseQueriesTakeTooLongAdmitsNobody: others cannot write meanwhile, and of
// results that are missing nothing may be concluded.
func TestAPolicyWhoseQueriesTakeTooLongAdmitsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStaffed(t)
		s.mustPermit(`{"execute": {"policy": {"queries": {"q": {"combinator": "and", "rules": []}}, "conditions": [".results.q.entities | length == 0", "true"]}},
			"approve": {"policy": {"queries": {"q": {"combinator": "and", "rules": []}}, "conditions": ["[\"ann@x.io\"]"]}}}`)
		x := run(t, s.ann)
		if got := s.execute(x); got != 0 {
			t.Fatalf("with quick queries: %d", got)
		}
		s.access.Join(endless{s.catalog}, people{})
		began := time.Now()
		if got := s.execute(x); got != 403 {
			t.Errorf("executing: %d", got)
		}
		if emails := s.approvers(x); len(emails) > 0 {
			t.Errorf("approvers: %v", emails)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}
