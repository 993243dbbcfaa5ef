package provider_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
	"github.com/portlens/terraform-provider-port/internal/provider"
)

func TestTheOrganizationIsTakenOverAndLeftBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		t.Helper()
		a := open(t, change)
		const at = "port_organization.this"
		config := func(body string) string { return "resource \"port_organization\" \"this\" {" + body + "}\n" }
		a.run(
			resource.TestStep{Config: config(""), Check: resource.ComposeTestCheckFunc(
				resource.TestCheckResourceAttr(at, "name", "Port"), resource.TestCheckResourceAttr(at, "id", "Port"))},
			resource.TestStep{Config: config(""), ConfigPlanChecks: emptyPlan},
			resource.TestStep{PreConfig: a.Forget, Config: config(`name = "Acme"`), Check: resource.ComposeTestCheckFunc(
				resource.TestCheckResourceAttr(at, "id", "Acme"), a.sent("PATCH /v1/organization"))},
			resource.TestStep{Config: config(`name = "Acme"`), ConfigPlanChecks: emptyPlan},
			resource.TestStep{ResourceName: at, ImportState: true, ImportStateId: "whatever", ImportStateVerify: true},
			resource.TestStep{
				PreConfig: func() { a.Must(http.MethodPatch, "/v1/organization", jsonv.Object{"name": "Renamed"}) },
				Config:    config(`name = "Acme"`), ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectResourceAction(at, plancheck.ResourceActionUpdate)}},
			},
			// Without a name there is nothing to change.
			resource.TestStep{Config: config(""), ConfigPlanChecks: emptyPlan},
			resource.TestStep{Config: config(`name = ""`), ExpectError: match("must not be empty")},
			resource.TestStep{PreConfig: a.Forget, Config: config(""), Destroy: true, Check: a.sent()},
		)
		if name := jsonv.String(a.Must(http.MethodGet, "/v1/organization", nil), "organization", "name"); name != "Acme" {
			t.Errorf("the organization is called %q", name)
		}
	})
}

// value is what the portal keeps of a secret.
func (a *account) value(name string) string {
	a.t.Helper()
	var value string
	i, err := identity.Open(a.t.Context(), identity.Options{Store: a.Store(), Clock: a.Clock()})
	if err != nil {
		a.t.Fatal(err)
	}
	err = a.Store().View(a.t.Context(), func(tx store.Tx) (err error) {
		value, _, err = i.SecretValue(tx, i.Org(), name)
		return err
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return value
}

func (a *account) keeps(name, want string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		if got := a.value(name); got != want {
			return fmt.Errorf("secret %s is %q, want %q", name, got, want)
		}
		return nil
	}
}

func secret(body string) string {
	return "resource \"port_organization_secret\" \"this\" {\n" + lines(body) + "\n}\n"
}

func TestOrganizationSecretLivesAWholeLifeBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		t.Helper()
		a := open(t, change)
		const at, path = "port_organization_secret.this", "/v1/organization/secrets/KEY"
		a.live(life{
			at: at, path: path, importID: "KEY", ignore: []string{"secret_value"},
			created: secret(`secret_name = "KEY", secret_value = "one"`),
			updated: secret(`secret_name = "KEY", secret_value = "two", description = "d"`),
			drift:   func() { a.Must(http.MethodPatch, path, jsonv.Object{"description": ""}) },
			shows:   []string{"description"},
		})
	})
}

func TestOrganizationSecretKeepsWhatIsSaid(t *testing.T) {
	t.Parallel()
	a := open(t)
	const at = "port_organization_secret.this"
	blank := secret(`secret_name = "KEY", secret_value = "one", description = ""`)
	a.run(
		resource.TestStep{Config: secret(`secret_name = "a b", secret_value = "x"`), ExpectError: match("only letters")},
		resource.TestStep{Config: secret(`secret_name = "K"`), ExpectError: match("either secret_value or secret_value_wo")},
		resource.TestStep{Config: secret(`secret_name = "K", secret_value = "x", secret_value_wo = "y"`), ExpectError: match("secret_value_wo")},
		resource.TestStep{Config: secret(`secret_name = "KEY", secret_value = "one", description = "d"`), Check: a.keeps("KEY", "one")},
		resource.TestStep{Config: blank, Check: resource.TestCheckResourceAttr(at, "description", "")},
		resource.TestStep{Config: blank, ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: secret(`secret_name = "KEY", secret_value = ""`), Check: a.keeps("KEY", "")},
		resource.TestStep{
			Config: secret(`secret_name = "OTHER", secret_value = "three"`), Check: a.keeps("OTHER", "three"),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(at, plancheck.ResourceActionReplace)}},
		},
	)
}

// A write-only value is sent with a new version and then only, and stands in no
// state; so does the value that it takes over from.
func TestOrganizationSecretWriteOnlyValuesBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		t.Helper()
		a := open(t, change)
		const at = "port_organization_secret.this"
		inState := func(s *terraform.State) error {
			for name, value := range s.RootModule().Resources[at].Primary.Attributes {
				if strings.HasPrefix(value, "plain-") {
					return fmt.Errorf("the state holds %s = %s", name, value)
				}
			}
			return nil
		}
		a.run(
			resource.TestStep{Config: secret(`secret_name = "KEY", secret_value_wo_version = 3, secret_value = "x"`), ExpectError: match("secret_value_wo_version` needs")},
			resource.TestStep{Config: secret(`secret_name = "KEY", secret_value = "plain-0"`), Check: a.keeps("KEY", "plain-0")},
			resource.TestStep{Config: secret(`secret_name = "KEY", secret_value_wo = "plain-1", secret_value_wo_version = 1`),
				Check: resource.ComposeTestCheckFunc(inState, a.keeps("KEY", "plain-1"))},
			resource.TestStep{Config: secret(`secret_name = "KEY", secret_value_wo = "plain-2", secret_value_wo_version = 1`), ConfigPlanChecks: emptyPlan},
			resource.TestStep{Config: secret(`secret_name = "KEY", secret_value_wo = "plain-2", secret_value_wo_version = 1, description = "d"`),
				Check: resource.ComposeTestCheckFunc(inState, a.keeps("KEY", "plain-1"))},
			resource.TestStep{Config: secret(`secret_name = "KEY", secret_value_wo = "plain-2", secret_value_wo_version = 2, description = "d"`),
				Check: resource.ComposeTestCheckFunc(inState, a.keeps("KEY", "plain-2"))},
		)
	})
}

func TestOrganizationSecretsThatExistAreTakenOverOrRefused(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Must(http.MethodPost, "/v1/organization/secrets", jsonv.Object{"secretName": "KEY", "secretValue": "theirs", "description": "theirs"})
	config := secret(`secret_name = "KEY", secret_value = "mine"`)
	a.run(
		resource.TestStep{Config: "provider \"port\" {\n on_existing = \"fail\"\n}\n" + config, ExpectError: match(`import { to = port_organization_secret.<name>`)},
		resource.TestStep{Config: config, Check: a.keeps("KEY", "mine")},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan},
	)
}

// Official states load and plan empty.
func TestOfficialStatesOfTheOrganizationPlanEmpty(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	p.Must(http.MethodPost, "/v1/organization/secrets", jsonv.Object{"secretName": "KEY", "secretValue": "v"})
	for typ, c := range map[string]struct {
		body  string
		state jsonv.Object
	}{
		"port_organization":        {`name = "Port"`, jsonv.Object{"id": "Port", "name": "Port"}},
		"port_organization_secret": {`secret_name = "KEY", secret_value = "v"`, jsonv.Object{"id": "KEY", "secret_name": "KEY", "secret_value": "v", "description": nil}},
	} {
		t.Run(typ, func(t *testing.T) {
			t.Parallel()
			config := fmt.Sprintf("resource %q \"this\" {\n%s\n}\n", typ, lines(c.body))
			u := newTerminal(t, strings.Replace(source, "portlens/port", "port-labs/port-labs", 1)+config, online(p)...)
			u.write("terraform.tfstate", stateFile("port-labs/port-labs", typ, "this", c.state))
			if out := u.must(0, "plan", "-detailed-exitcode", "-input=false", "-no-color"); strings.Contains(out, "Objects have changed") {
				t.Errorf("the refresh changes the official state:\n%s", out)
			}
		})
	}
}
