package provider_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/provider"
)

func organization(body string) string {
	return "resource \"port_organization\" \"this\" {\n" + lines(body) + "\n}\n"
}

// holds checks one place of the organization as Port has it; nil is absent.
func (a *account) organizationHolds(want any, path ...string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		got, _ := jsonv.Get(jsonv.Map(a.Must(http.MethodGet, "/v1/organization", nil), "organization"), path...)
		if !jsonv.Equal(want, got) {
			return fmt.Errorf("%v is %s, want %s", path, jsonv.Encode(got), jsonv.Encode(want))
		}
		return nil
	}
}

// Settings that the configuration says are kept, shown when they drift, and left
// alone once it stops saying them; those that it never said are nobody's.
func TestOrganizationSettingsLiveAWholeLifeBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		t.Helper()
		a := open(t, change)
		const at = "port_organization.this"
		a.Must(http.MethodPatch, "/v1/organization", jsonv.Object{"settings": jsonv.Object{"portalIcon": "Theirs", "own": jsonv.Int(1)}})
		first := organization(`settings = { portal_title = "One", hidden_blueprints = ["b", "a"] }`)
		second := organization(`name = "Acme", settings = { portal_title = "Two", hidden_blueprints = ["b", "a"], support_user_ttl = "ONE_WEEK" }, announcement = { content = "Hi", enabled = true }`)
		a.run(
			resource.TestStep{Config: first, Check: resource.ComposeTestCheckFunc(
				resource.TestCheckResourceAttr(at, "settings.portal_icon", "Theirs"), resource.TestCheckResourceAttr(at, "name", "Port"),
				resource.TestMatchResourceAttr(at, "organization_id", match("org_")), a.organizationHolds("Theirs", "settings", "portalIcon"))},
			resource.TestStep{Config: first, ConfigPlanChecks: emptyPlan},
			// Changing one of them says nothing of the others.
			resource.TestStep{
				Config: organization(`settings = { portal_title = "Half", hidden_blueprints = ["b", "a"] }`), Check: a.organizationHolds("Half", "settings", "portalTitle"),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{only{at, "settings"}}},
			},
			resource.TestStep{Config: second, Check: resource.ComposeTestCheckFunc(
				a.organizationHolds("ONE_WEEK", "settings", "supportUserTTL"), a.organizationHolds("Hi", "announcement", "content"),
				a.organizationHolds(jsonv.Int(1), "settings", "own"), resource.TestCheckNoResourceAttr(at, "announcement.link"))},
			resource.TestStep{Config: second, ConfigPlanChecks: emptyPlan},
			resource.TestStep{ResourceName: at, ImportState: true, ImportStateId: "x", ImportStateVerify: true},
			resource.TestStep{
				PreConfig: func() {
					a.Must(http.MethodPatch, "/v1/organization", jsonv.Object{"settings": jsonv.Object{"portalTitle": "Drift", "portalIcon": "New"}, "announcement": jsonv.Object{"enabled": false}})
					a.Forget()
				}, Config: second, Check: resource.ComposeTestCheckFunc(a.sent("PATCH /v1/organization"),
					a.organizationHolds("Two", "settings", "portalTitle"), a.organizationHolds(true, "announcement", "enabled"), a.organizationHolds("New", "settings", "portalIcon")),
			},
			// Saying nothing any more changes nothing.
			resource.TestStep{PreConfig: a.Forget, Config: organization(``), ConfigPlanChecks: emptyPlan, Check: a.sent()},
			resource.TestStep{Config: organization(`settings = { federated_logout = false, hidden_blueprints = [], portal_title = "" }`), Check: resource.ComposeTestCheckFunc(
				a.organizationHolds([]any{}, "settings", "hiddenBlueprints"), a.organizationHolds("", "settings", "portalTitle"))},
			resource.TestStep{Config: organization(`settings = { federated_logout = false, hidden_blueprints = [], portal_title = "" }`), ConfigPlanChecks: emptyPlan},
		)
	})
}

func TestOrganizationMistakesAreFoundWhilePlanning(t *testing.T) {
	t.Parallel()
	a := open(t)
	for body, want := range map[string]string{
		`settings = { portal_title = "0123456789012345678901234567890" }`: "at most 30 characters",
		`settings = { support_user_permission = "MAYBE" }`:                "want one of",
		`settings = { support_user_expires_at = "soon" }`:                 "want a time such as",
		`announcement = { enabled = true }`:                               `"content" is required`,
		`announcement = { content = "" }`:                                 "1 to 300 characters",
		`announcement = { content = "c", color = "green" }`:               "want one of",
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			b := *a
			b.t = t
			b.run(resource.TestStep{Config: organization(body), PlanOnly: true, ExpectError: match(want)})
		})
	}
}

func TestTheOrganizationCanBeLookedUp(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Must(http.MethodPatch, "/v1/organization", jsonv.Object{"name": "Acme", "settings": jsonv.Object{"portalTitle": "T"}})
	const at = "data.port_organization.this"
	a.run(resource.TestStep{Config: `data "port_organization" "this" {}`, Check: resource.ComposeTestCheckFunc(
		resource.TestCheckResourceAttr(at, "name", "Acme"), resource.TestCheckResourceAttr(at, "settings.portal_title", "T"),
		resource.TestMatchResourceAttr(at, "organization_id", match("org_")), resource.TestCheckTypeSetElemAttr(at, "feature_flags.*", "USERS_AND_TEAMS_OWNERSHIP_V2"))})
}
