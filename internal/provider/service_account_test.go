package provider_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/provider"
)

const (
	bot     = "port_service_account.this"
	botPath = people + "/bot@serviceaccounts.getport.io"
)

func botWith(body string) string {
	return "resource \"port_service_account\" \"this\" {\n" + lines(body) + "\n}\n"
}

// logsIn tries to get a token with the credentials in the state.
func (a *account) logsIn(want int) resource.TestCheckFunc {
	return func(s *terraform.State) error {
		held := s.RootModule().Resources[bot].Primary.Attributes
		got := a.exchange(held["client_id"], held["client_secret"])
		if got != want {
			return fmt.Errorf("logging in answers %d, want %d", got, want)
		}
		return nil
	}
}

func (a *account) exchange(id, secret string) int {
	a.t.Helper()
	return a.Call(http.MethodPost, "/v1/auth/access_token", jsonv.Object{"clientId": id, "clientSecret": secret}).Status
}

// credentials remembers those in the state.
func credentials(id, secret *string) resource.TestCheckFunc {
	return func(s *terraform.State) error {
		held := s.RootModule().Resources[bot].Primary.Attributes
		*id, *secret = held["client_id"], held["client_secret"]
		if *id == "" || *secret == "" {
			return fmt.Errorf("the state holds no credentials")
		}
		return nil
	}
}

// rows: id A1-3
func TestServiceAccountLivesAWholeLifeBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		t.Helper()
		a := staffed(t, change)
		created := botWith(`identifier = "bot", title = "Bot", role = "Moderator", moderated_blueprints = ["svc"], status = "active", teams = ["core"], icon = "Bot",
			properties = { string_props = { phone = "+1", tier = "gold" } }, relations = { single_relations = { manager = "boss@x.io" } }`)
		a.live(life{
			at: bot, path: botPath, importID: "bot@ServiceAccounts.getport.io",
			ignore:  []string{"client_id", "client_secret", "status"},
			created: created,
			updated: strings.NewReplacer(`"Bot"`, `"Robot"`, `"Moderator"`, `"Admin"`, `["svc"]`, `[]`, `["core"]`, `["ops"]`).Replace(created),
			drift:   func() { a.Must(http.MethodPatch, botPath, jsonv.Object{"team": texts()}) },
			shows:   []string{"teams"},
		})
	})
}

// rows: id A4, id A7
func TestServiceAccountCredentialsAreKeptRotatedAndSuspendedBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		t.Helper()
		a := open(t, change)
		var id, secret, id2, secret2 string
		plain := botWith(`identifier = "bot"`)
		a.run(
			resource.TestStep{PreConfig: a.Forget, Config: plain, Check: resource.ComposeTestCheckFunc(
				a.sent("POST "+people), a.logsIn(http.StatusOK), credentials(&id, &secret),
				resource.TestCheckResourceAttr(bot, "identifier", "bot"), resource.TestCheckResourceAttr(bot, "status", "Active"),
				resource.TestCheckResourceAttr(bot, "email", "bot@serviceaccounts.getport.io"), resource.TestCheckResourceAttr(bot, "id", "bot@serviceaccounts.getport.io"),
			)},
			resource.TestStep{RefreshState: true, Check: a.logsIn(http.StatusOK)},
			resource.TestStep{Config: botWith(`identifier = "BOT@serviceaccounts.getport.io"`), ConfigPlanChecks: emptyPlan},
			resource.TestStep{Config: botWith(`identifier = "bot", status = "Disabled"`), Check: a.logsIn(http.StatusUnauthorized),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{changes{bot, []string{"status"}}}}},
			// Nobody says that it is to be enabled again.
			resource.TestStep{Config: plain, ConfigPlanChecks: emptyPlan},
			resource.TestStep{Config: botWith(`identifier = "bot", status = "ACTIVE"`), Check: a.logsIn(http.StatusOK)},
			resource.TestStep{
				PreConfig: a.Forget, Config: botWith(`identifier = "bot", rotation = "1"`),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{changes{bot, []string{"rotation", "client_id", "client_secret"}}}},
				Check: resource.ComposeTestCheckFunc(a.sent("POST /v1/rotate-credentials/bot@serviceaccounts.getport.io"), a.logsIn(http.StatusOK), credentials(&id2, &secret2),
					func(*terraform.State) error {
						if got := a.exchange(id, secret); got != http.StatusUnauthorized || id != id2 || secret == secret2 {
							return fmt.Errorf("the old credentials answer %d; client IDs %s and %s", got, id, id2)
						}
						return nil
					}),
			},
			// A rotation that fails is tried again.
			resource.TestStep{
				PreConfig: func() { a.Fail(once(http.MethodPost, "/v1/rotate-credentials/*"), 1, refused) },
				Config:    botWith(`identifier = "bot", rotation = "2", title = "T"`), ExpectError: match("missing_permissions"),
			},
			resource.TestStep{Config: botWith(`identifier = "bot", rotation = "2", title = "T"`), Check: resource.ComposeTestCheckFunc(a.logsIn(http.StatusOK), func(*terraform.State) error {
				if got := a.exchange(id2, secret2); got != http.StatusUnauthorized {
					return fmt.Errorf("the old credentials answer %d", got)
				}
				return nil
			})},
			// Without a rotation the credentials stay.
			resource.TestStep{Config: botWith(`identifier = "bot", title = "U"`), Check: a.logsIn(http.StatusOK)},
		)
	})
}

// rows: id A1
func TestServiceAccountCredentialsStayOutOfTheStateBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		t.Helper()
		a := open(t, change)
		none := resource.ComposeTestCheckFunc(resource.TestCheckNoResourceAttr(bot, "client_id"), resource.TestCheckNoResourceAttr(bot, "client_secret"))
		off := botWith(`identifier = "bot", store_credentials = false`)
		a.run(
			resource.TestStep{Config: off, ConfigPlanChecks: plansNull(bot, "client_id", "client_secret"), Check: none},
			resource.TestStep{Config: botWith(`identifier = "bot", store_credentials = false, rotation = "1"`), ConfigPlanChecks: plansNull(bot, "client_id", "client_secret"), Check: none},
			// They are not known until they are made anew.
			resource.TestStep{Config: botWith(`identifier = "bot", rotation = "1"`), Check: none},
			resource.TestStep{Config: botWith(`identifier = "bot", rotation = "2"`), Check: a.logsIn(http.StatusOK)},
			resource.TestStep{Config: botWith(`identifier = "bot", rotation = "2", store_credentials = false`), ConfigPlanChecks: plansNull(bot, "client_id", "client_secret"), Check: none},
			resource.TestStep{ResourceName: bot, ImportState: true, ImportStateId: "bot", ImportStateVerify: true, ImportStateVerifyIgnore: []string{"rotation", "store_credentials"}},
		)
	})
}

// plansNull wants attributes known to be null in a plan.
func plansNull(at string, names ...string) resource.ConfigPlanChecks {
	var checks []plancheck.PlanCheck
	for _, name := range names {
		checks = append(checks, plancheck.ExpectKnownValue(at, tfjsonpath.New(name), knownvalue.Null()))
	}
	return resource.ConfigPlanChecks{PreApply: checks}
}

// With store_credentials = false no file of a run holds a secret, nor does its log.
func TestServiceAccountSecretsAreInNoFile(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	url, answered := overheard(t, p)
	u := newTerminal(t, source+botWith(`identifier = "bot", store_credentials = false`),
		"PORT_BASE_URL="+url, "PORT_CLIENT_ID="+p.ClientID, "PORT_CLIENT_SECRET="+p.ClientSecret, "TF_LOG=TRACE", "TF_LOG_PATH=trace.log")
	u.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	u.write("main.tf", source+botWith(`identifier = "bot", store_credentials = false, rotation = "1"`))
	u.must(0, "plan", "-out=plan.bin", "-input=false", "-no-color")
	u.must(0, "apply", "-input=false", "-no-color", "plan.bin")
	secrets := answered("clientSecret")
	if len(secrets) != 2 || secrets[0] == secrets[1] {
		t.Fatalf("the portal answered %d secrets", len(secrets))
	}
	u.nowhere(append(secrets, p.ClientSecret), "terraform.tfstate", "terraform.tfstate.backup", "plan.bin", "trace.log")
}

func TestServiceAccountMistakesAreFoundBeforeAnythingIsDone(t *testing.T) {
	t.Parallel()
	a := staffed(t)
	for name, c := range map[string]struct{ body, want string }{
		"another domain": {`identifier = "bot@x.io"`, "serviceaccounts.getport.io"},
		"no name":        {`identifier = "@serviceaccounts.getport.io"`, "serviceaccounts.getport.io"},
		"nothing":        {`identifier = ""`, "serviceaccounts.getport.io"},
		"grammar":        {`identifier = "a b"`, "letters, digits"},
		"status":         {`identifier = "bot", status = "Invited"`, "want one of"},
		"made disabled":  {`identifier = "bot", status = "disabled"`, "cannot be made disabled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := *a
			b.t = t
			b.run(resource.TestStep{Config: botWith(c.body), PlanOnly: true, ExpectError: match(c.want)})
		})
	}
	a.run(
		resource.TestStep{Config: botWith(`identifier = "bot"`)},
		resource.TestStep{ResourceName: bot, ImportState: true, ImportStateId: "bot@x.io", ExpectError: match("serviceaccounts.getport.io")},
	)
}

func TestServiceAccountsAreNoUsers(t *testing.T) {
	t.Parallel()
	a := staffed(t)
	a.run(
		resource.TestStep{Config: userWith(`email = "ann@x.io"`)},
		resource.TestStep{ResourceName: user, ImportState: true, ImportStateId: "bot@serviceaccounts.getport.io", ExpectError: match("import it as port_service_account")},
	)
}

// One that exists is taken over without its credentials, or refused.
func TestServiceAccountsThatExistAreTakenOverOrRefusedLong(t *testing.T) {
	t.Parallel()
	long(t)
	a := staffed(t)
	a.Must(http.MethodPost, people, jsonv.Object{"identifier": "bot@serviceaccounts.getport.io", "title": "Theirs", "properties": jsonv.Object{"port_type": "Service Account", "status": "Active"}})
	config := botWith(`identifier = "bot", role = "Admin"`)
	a.run(
		resource.TestStep{Config: "provider \"port\" {\n on_existing = \"fail\"\n}\n" + config, ExpectError: match(`import { to = port_service_account.<name>`)},
		resource.TestStep{Config: config, Check: resource.ComposeTestCheckFunc(
			resource.TestCheckNoResourceAttr(bot, "client_secret"), a.stored(botPath, jsonv.Object{"title": "Theirs", "properties.port_role": "Admin"}))},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: botWith(`identifier = "bot", role = "Admin", rotation = "1"`), Check: a.logsIn(http.StatusOK)},
	)
}
