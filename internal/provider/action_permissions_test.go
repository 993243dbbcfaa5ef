package provider_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/provider"
)

const (
	executorsAt = "port_action_permissions.this"
	newAction   = `{"execute": {"users": [], "roles": ["Admin", "Member"], "teams": [], "ownedByTeam": false, "policy": null},
	  "approve": {"users": [], "roles": ["Admin"], "teams": [], "policy": null}}`
)

func executors(of string, blocks string) string {
	return "resource \"port_action_permissions\" \"this\" {\n action_identifier = " + of + "\n " + blocks + "\n}\n"
}

// makeAction makes an action that nobody manages.
func (a *account) makeAction(id string) {
	a.t.Helper()
	a.Must(http.MethodPost, "/v1/actions", jsonv.Object{"identifier": id, "invocationMethod": jsonv.Object{"type": "KAFKA"},
		"trigger": jsonv.Object{"type": "self-service", "operation": "CREATE", "userInputs": jsonv.Object{"properties": jsonv.Object{}}}})
}

// executable checks the permissions of an action as Port holds them.
func (a *account) executable(id, want string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		expected, err := jsonv.Decode([]byte(want))
		if err != nil {
			return err
		}
		if diff := cmp.Diff(expected, any(jsonv.Map(a.Must(http.MethodGet, "/v1/actions/"+id+"/permissions", nil), "permissions"))); diff != "" {
			return fmt.Errorf("%s: %s", id, diff)
		}
		return nil
	}
}

func TestActionPermissionsLiveAWholeLifeBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		t.Helper()
		a := open(t, change)
		a.makeAction("scale")
		const path = "/v1/actions/scale/permissions"
		bare := executors(`"scale"`, "permissions = { execute = {}, approve = {} }")
		policy := "<<-EOT\n  { \"conditions\": [ \".results.q.entities | length < 3\" ],\n \"queries\": { \"q\": {\"rules\": [ {\"operator\":\"=\" , \"property\":\"$blueprint\",\"value\":\"service\"} ], \"combinator\":\"and\"} } }\n  EOT\n"
		full := executors(`"scale"`, "permissions = {\n execute = { users = [\"b@x.io\", \"a@x.io\"], roles = [\"Member\", \"Admin\"], teams = [\"core\"], owned_by_team = false, policy = "+policy+" }\n approve = { roles = [\"Admin\"] }\n}")
		const stored = `{"conditions": [".results.q.entities | length < 3"], "queries": {"q": {"combinator": "and", "rules": [{"property": "$blueprint", "operator": "=", "value": "service"}]}}}`
		a.run(
			resource.TestStep{PreConfig: a.Forget, Config: bare, Check: resource.ComposeTestCheckFunc(a.sent("PATCH "+path), resource.TestCheckResourceAttr(executorsAt, "id", "scale"),
				resource.TestCheckResourceAttr(executorsAt, "permissions.execute.owned_by_team", "true"), resource.TestCheckResourceAttrSet(executorsAt, "previous"),
				a.executable("scale", `{"execute": {"users": [], "roles": [], "teams": [], "ownedByTeam": true, "policy": null}, "approve": {"users": [], "roles": [], "teams": [], "policy": null}}`))},
			resource.TestStep{Config: bare, ConfigPlanChecks: emptyPlan},
			resource.TestStep{ResourceName: executorsAt, ImportState: true, ImportStateId: "scale", ImportStateVerify: true, ImportStateVerifyIgnore: []string{"previous"}},
			resource.TestStep{Config: full, Check: a.executable("scale", `{"execute": {"users": ["a@x.io", "b@x.io"], "roles": ["Admin", "Member"], "teams": ["core"], "ownedByTeam": false, "policy": `+stored+`},
			  "approve": {"users": [], "roles": ["Admin"], "teams": [], "policy": null}}`)},
			resource.TestStep{Config: full, ConfigPlanChecks: emptyPlan},
			resource.TestStep{
				PreConfig: func() {
					a.Must(http.MethodPatch, path, jsonv.Object{"approve": jsonv.Object{"teams": []any{"core"}}, "execute": jsonv.Object{"policy": nil}})
				}, Config: full, ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{only{executorsAt, "permissions"}}},
			},
			// A policy that is taken back, or blank, is gone from Port.
			resource.TestStep{Config: bare, Check: a.executable("scale", `{"execute": {"users": [], "roles": [], "teams": [], "ownedByTeam": true, "policy": null}, "approve": {"users": [], "roles": [], "teams": [], "policy": null}}`)},
			resource.TestStep{Config: strings.ReplaceAll(bare, "{}", `{ policy = "" }`), ConfigPlanChecks: resource.ConfigPlanChecks{PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}},
			resource.TestStep{PreConfig: a.Forget, Config: bare, Destroy: true, Check: a.sent("PATCH " + path)},
		)
		if err := a.executable("scale", newAction)(nil); err != nil {
			t.Error(err)
		}
	})
}

// Whatever was there before comes back; what is to stay stays.
func TestActionPermissionsGiveBackWhatWasThere(t *testing.T) {
	t.Parallel()
	const theirs = `{"execute": {"users": ["x@x.io"], "roles": ["Admin"], "teams": [], "ownedByTeam": true, "policy": null}, "approve": {"users": [], "roles": ["Admin"], "teams": ["ops"], "policy": null}}`
	const mine = `{"execute": {"users": [], "roles": ["Member"], "teams": [], "ownedByTeam": false, "policy": null}, "approve": {"users": [], "roles": [], "teams": [], "policy": null}}`
	for setting, want := range map[string]string{"": theirs, `on_destroy = "keep"`: mine} {
		a := open(t)
		a.makeAction("scale")
		a.makeAction("other")
		a.Must(http.MethodPatch, "/v1/actions/scale/permissions", permissionsText(t, theirs))
		config := func(of string) string {
			return executors(of, "permissions = { execute = { roles = [\"Member\"], owned_by_team = false }, approve = {} }\n"+setting)
		}
		a.run(
			resource.TestStep{Config: "provider \"port\" {\n on_existing = \"fail\"\n}\n" + config(`"scale"`), ExpectError: match("were changed before")},
			resource.TestStep{Config: config(`"scale"`), Check: a.executable("scale", mine)},
			// Another action: the one gets back what it had, the other is taken over.
			resource.TestStep{Config: config(`"other"`), Check: resource.ComposeTestCheckFunc(a.executable("scale", want), a.executable("other", mine))},
			resource.TestStep{Config: config(`"scale"`), Check: a.executable("scale", mine)},
			resource.TestStep{Config: config(`"scale"`), Destroy: true},
		)
		if err := a.executable("scale", want)(nil); err != nil {
			t.Errorf("%s: %v", setting, err)
		}
	}
}

func permissionsText(t *testing.T, text string) jsonv.Object {
	t.Helper()
	o, err := jsonv.DecodeObject([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Permissions follow their action through its renaming, and vanish with it.
func TestActionPermissionsFollowTheirAction(t *testing.T) {
	t.Parallel()
	a := open(t)
	both := func(id string) string {
		return strings.Replace(action(scaled, "kafka_method = {}"), `"scale"`, `"`+id+`"`, 1) +
			executors("port_action.this.identifier", "permissions = { execute = { users = [\"a@x.io\"] }, approve = {} }")
	}
	a.run(
		resource.TestStep{Config: both("scale")},
		resource.TestStep{Config: both("scaled"), Check: resource.ComposeTestCheckFunc(resource.TestCheckResourceAttr(executorsAt, "id", "scaled"),
			a.executable("scaled", `{"execute": {"users": ["a@x.io"], "roles": [], "teams": [], "ownedByTeam": true, "policy": null}, "approve": {"users": [], "roles": [], "teams": [], "policy": null}}`))},
		resource.TestStep{Config: both("scaled"), ConfigPlanChecks: emptyPlan},
		resource.TestStep{
			PreConfig: func() { a.Must(http.MethodDelete, "/v1/actions/scaled", nil) }, Config: both("scaled"),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(executorsAt, plancheck.ResourceActionCreate)}},
		},
		resource.TestStep{Config: both("scaled"), Destroy: true},
	)
}
