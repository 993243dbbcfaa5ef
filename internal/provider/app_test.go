package provider_test

import (
	"fmt"
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

// app is the document of the credentials with a name.
func (a *account) app(name string) any {
	a.t.Helper()
	apps := jsonv.List(a.Must(http.MethodGet, "/v1/apps", nil), "apps")
	i := slices.IndexFunc(apps, func(app any) bool { return jsonv.String(app, "name") == name })
	if i < 0 {
		return nil
	}
	return apps[i]
}

func TestAppLivesAWholeLifeBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		t.Helper()
		a := open(t, change)
		const at = "port_app.this"
		config := func(body string) string { return "resource \"port_app\" \"this\" {\n" + lines(body) + "\n}\n" }
		var first string
		holds := func(name string) resource.TestCheckFunc {
			return func(s *terraform.State) error {
				got, want := s.RootModule().Resources[at].Primary.Attributes["client_secret"], jsonv.String(a.app(name), "secret")
				if got != want || want == "" {
					return fmt.Errorf("the state holds the secret %q, Port %q", got, want)
				}
				return nil
			}
		}
		gone := func(s *terraform.State) error {
			for name, value := range s.RootModule().Resources[at].Primary.Attributes {
				if secret := jsonv.String(a.app("Deploy"), "secret"); secret == "" || strings.Contains(value, secret) {
					return fmt.Errorf("the state holds %s = %s", name, value)
				}
			}
			return nil
		}
		a.run(
			resource.TestStep{Config: config(`name = "CI"`), Check: holds("CI")},
			resource.TestStep{Config: config(`name = "CI"`), ConfigPlanChecks: emptyPlan},
			resource.TestStep{
				PreConfig: func() { first = jsonv.String(a.app("CI"), "secret"); a.Forget() }, Config: config(`name = "Deploy"`),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{changes{at, []string{"name"}}}},
				Check: func(*terraform.State) error {
					if now := jsonv.String(a.app("Deploy"), "secret"); now != first {
						return fmt.Errorf("the rename changed the secret")
					}
					return nil
				},
			},
			resource.TestStep{
				Config: config(`name = "Deploy", rotation = "1"`), Check: resource.ComposeTestCheckFunc(holds("Deploy"), func(*terraform.State) error {
					if now := jsonv.String(a.app("Deploy"), "secret"); now == first {
						return fmt.Errorf("the secret is the old one")
					}
					return nil
				}),
			},
			resource.TestStep{Config: config(`name = "Deploy", rotation = "1"`), ConfigPlanChecks: emptyPlan},
			// Rotated by hand: the refresh takes the new secret over.
			resource.TestStep{
				PreConfig: func() {
					a.Must(http.MethodPost, "/v1/apps/"+jsonv.String(a.app("Deploy"), "id")+"/rotate-secret", nil)
				}, RefreshState: true, Check: holds("Deploy"),
			},
			resource.TestStep{ResourceName: at, ImportState: true, ImportStateId: "Deploy", ImportStateVerify: true,
				ImportStateVerifyIgnore: []string{"client_secret", "rotation"}},
			resource.TestStep{Config: config(`name = "Deploy", rotation = "1", store_credentials = false`), ConfigPlanChecks: plansNull(at, "client_secret"), Check: gone},
			resource.TestStep{Config: config(`name = "Deploy", rotation = "2", store_credentials = false`), ConfigPlanChecks: plansNull(at, "client_secret"), Check: gone},
			resource.TestStep{Config: config(`name = "Deploy", rotation = "2", store_credentials = false`), ConfigPlanChecks: emptyPlan},
			resource.TestStep{Config: config(`name = "Deploy", rotation = "2"`), Check: holds("Deploy")},
			resource.TestStep{
				PreConfig: func() { a.Must(http.MethodDelete, "/v1/apps/"+jsonv.String(a.app("Deploy"), "id"), nil) }, Config: config(`name = "Deploy"`),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(at, plancheck.ResourceActionCreate)}},
			},
			resource.TestStep{Config: config(`name = "Deploy"`), Destroy: true},
		)
		if a.app("Deploy") != nil {
			t.Error("the credentials are still there")
		}
	})
}
