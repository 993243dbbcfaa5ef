package provider_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/echoprovider"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

const botEmail = "bot@serviceaccounts.getport.io"

// overheard serves a portal and keeps what it answers: the second result gives the
// different values of a key in all answers, in the order they came.
func overheard(t *testing.T, p *portaltest.Portal) (url string, answered func(key string) []string) {
	t.Helper()
	var mu sync.Mutex
	var answers strings.Builder
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		p.Handler().ServeHTTP(recorded, r)
		mu.Lock()
		answers.Write(recorded.Body.Bytes())
		mu.Unlock()
		maps.Copy(w.Header(), recorded.Header())
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(recorded.Body.Bytes())
	}))
	t.Cleanup(server.Close)
	return server.URL, func(key string) []string {
		mu.Lock()
		defer mu.Unlock()
		var out []string
		for _, m := range regexp.MustCompile(`"`+key+`":"([^"]+)"`).FindAllStringSubmatch(answers.String(), -1) {
			if !slices.Contains(out, m[1]) {
				out = append(out, m[1])
			}
		}
		return out
	}
}

// nowhere fails when a file of the terminal's folder holds a secret. Plan files are
// archives, whose members count.
func (u *terminal) nowhere(secrets []string, files ...string) {
	u.t.Helper()
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join(u.Dir, name))
		if err != nil || len(text) == 0 {
			u.t.Errorf("%s: %d bytes, %v", name, len(text), err)
		}
		if archive, err := zip.NewReader(bytes.NewReader(text), int64(len(text))); err == nil {
			for _, member := range archive.File {
				r, err := member.Open()
				if err != nil {
					u.t.Fatal(err)
				}
				content, err := io.ReadAll(r)
				if err != nil {
					u.t.Fatal(err)
				}
				text = append(text, content...)
			}
		}
		for _, secret := range secrets {
			if secret == "" || bytes.Contains(text, []byte(secret)) {
				u.t.Errorf("%s holds a secret", name)
			}
		}
	}
}

// echoes runs a configuration whose ephemeral value is copied into a state, where
// check sees it.
func (a *account) echoes(config, value string, check func(got map[string]string) error) {
	a.t.Helper()
	factories := a.servers()
	factories["echo"] = echoprovider.NewProviderServer()
	resource.Test(a.t, resource.TestCase{ProtoV6ProviderFactories: factories, Steps: []resource.TestStep{{
		Config: fmt.Sprintf("%s\nprovider \"echo\" {\n  data = %s\n}\nresource \"echo\" \"this\" {}\n", config, value),
		Check: func(s *terraform.State) error {
			got := map[string]string{}
			for name, v := range s.RootModule().Resources["echo.this"].Primary.Attributes {
				got[strings.TrimPrefix(name, "data.")] = v
			}
			return check(got)
		},
	}}})
}

// reached makes the provider reach the portal over a socket, where its token counts.
func reached(a *account, block map[string]string) *account {
	b := *a
	b.options.Transport = nil
	environ := map[string]string{"PORT_BASE_URL": a.URL(), "PORT_CLIENT_ID": a.ClientID, "PORT_CLIENT_SECRET": a.ClientSecret, "PORT_RATE_LIMIT_DISABLED": "1"}
	maps.Copy(environ, block)
	b.options.Getenv = environment(environ)
	return &b
}

// embedded makes the provider open the portal as an embedded one.
func embedded(a *account) *account {
	b := *a
	b.options.Transport = nil
	b.options.Embedded = func(context.Context, string) (http.RoundTripper, io.Closer, error) { return a.Transport(), nil, nil }
	b.options.Getenv = environment(map[string]string{"PORT_BASE_URL": "embedded:portal.db"})
	return &b
}

// credentialsOf makes new credentials of a user.
func (a *account) credentialsOf(email string) (id, secret string) {
	a.t.Helper()
	c := jsonv.Map(a.Must(http.MethodPost, "/v1/rotate-credentials/"+email, nil), "credentials")
	return jsonv.String(c, "clientId"), jsonv.String(c, "clientSecret")
}

func tokenBlock(id, secret string) string {
	return fmt.Sprintf("ephemeral \"port_access_token\" \"this\" {\n  client_id = %q\n  client_secret = %q\n}", id, secret)
}

const (
	ownToken  = `ephemeral "port_access_token" "this" {}`
	tokenData = "ephemeral.port_access_token.this"
)

func TestAccessTokensAreForTheProvidersOwnCredentialsAndForOthers(t *testing.T) {
	t.Parallel()
	a := crewed(t)
	id, secret := a.credentialsOf(botEmail)
	given := a.As(portaltest.User{Email: "tok@x.io"})
	for name, c := range map[string]struct {
		account   *account
		config    string
		principal string
	}{
		"own":                        {reached(a, nil), ownToken, a.ClientID},
		"of a service account":       {reached(a, nil), tokenBlock(id, secret), botEmail},
		"embedded":                   {embedded(a), ownToken, a.ClientID},
		"embedded, of others":        {embedded(a), tokenBlock(id, secret), botEmail},
		"the token that was given":   {reached(a, nil), fmt.Sprintf("provider \"port\" {\n  token = %q\n}\n%s", given, ownToken), "tok@x.io"},
		"of others, beside a token":  {reached(a, nil), fmt.Sprintf("provider \"port\" {\n  token = %q\n}\n%s", given, tokenBlock(id, secret)), botEmail},
		"of a service account's own": {reached(a, map[string]string{"PORT_CLIENT_ID": id, "PORT_CLIENT_SECRET": secret}), ownToken, botEmail},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := *c.account
			b.t = t
			b.echoes(c.config, tokenData, func(got map[string]string) error {
				answer := a.CallAs(got["token"], http.MethodGet, "/v1/auth/permissions", nil)
				if answer.Status != http.StatusOK || got["token_type"] != "Bearer" {
					return fmt.Errorf("the token is answered %d, its type is %q", answer.Status, got["token_type"])
				}
				if who := claimedBy(t, got["token"]); who != c.principal {
					return fmt.Errorf("the token is of %s, want %s", who, c.principal)
				}
				end, err := time.Parse(time.RFC3339, got["expires_at"])
				if left := end.Sub(a.Clock().Now()); err != nil || left <= 0 || left > 3*time.Hour+time.Second {
					return fmt.Errorf("it ends at %s, in %s: %w", got["expires_at"], left, err)
				}
				if name != "the token that was given" && got["expires_in"] != "10800" {
					return fmt.Errorf("it ends in %s seconds", got["expires_in"])
				}
				return nil
			})
		})
	}
}

// claimedBy is the address in a token of the portal, or its subject.
func claimedBy(t *testing.T, token string) string {
	t.Helper()
	c, err := portapi.New(portapi.Options{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	caller, err := c.Caller(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if email := jsonv.String(caller.Claims, "https://api.getport.io/email"); email != "" {
		return email
	}
	return jsonv.String(caller.Claims, "sub")
}

func TestAccessTokensThatCannotBeAreExplained(t *testing.T) {
	t.Parallel()
	a := crewed(t)
	wrong := func(secret, words string) resource.TestStep {
		return resource.TestStep{Config: tokenBlock("nobody", secret), ExpectError: match(words)}
	}
	a.run(
		wrong("wrong-secret", "Port did not accept the credentials with the client ID nobody: check client_id and client_secret"),
		resource.TestStep{Config: `ephemeral "port_access_token" "this" { client_id = "x" }`, ExpectError: match("Credentials are a pair: set client_secret too")},
		resource.TestStep{Config: `ephemeral "port_access_token" "this" { client_secret = "x" }`, ExpectError: match("Credentials are a pair: set client_id too")},
		wrong("", "client_secret"),
	)
	b := embedded(a)
	for _, app := range jsonv.List(a.Must(http.MethodGet, "/v1/apps", nil), "apps") {
		a.Must(http.MethodDelete, "/v1/apps/"+jsonv.String(app, "id"), nil)
	}
	b.run(resource.TestStep{Config: ownToken, ExpectError: match("the embedded portal has no credentials to make a token for: make some with the resource port_app")})
}

func rotations(p *portaltest.Portal) (n int) {
	for _, r := range p.Requests() {
		if strings.HasPrefix(r.Path, "/v1/rotate-credentials/") && r.Status == http.StatusOK {
			n++
		}
	}
	return n
}

const rotating = `
variable "rotation" {
  default = 1
}
resource "port_service_account" "bot" {
  identifier        = "bot"
  store_credentials = false
}
resource "terraform_data" "rotation" {
  input            = plantimestamp()
  triggers_replace = var.rotation
  lifecycle {
    ignore_changes = [input]
  }
}
ephemeral "port_service_account_credentials" "bot" {
  identifier = port_service_account.bot.email
  %s
}
resource "port_organization_secret" "bot" {
  secret_name             = "BOT"
  secret_value_wo         = ephemeral.port_service_account_credentials.bot.client_secret
  secret_value_wo_version = var.rotation
}
ephemeral "port_access_token" "own" {}
provider "port" {
  alias = "again"
  token = ephemeral.port_access_token.own.token
}
data "port_whoami" "again" {
  provider = port.again
}
`

// nextSecond waits for it. A plan is told from another by plantimestamp, which counts
// whole seconds: of two in one second Terraform itself makes one.
func nextSecond() {
	now := time.Now()
	<-time.After(now.Truncate(time.Second).Add(time.Second).Sub(now))
}

// rows: id A4
func TestServiceAccountCredentialsAreRotatedByTheRunThatIsToAndAreInNoFile(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	url, answered := overheard(t, p)
	a := &account{Portal: p, t: t}
	u := newTerminal(t, source+fmt.Sprintf(rotating, "rotate = terraform_data.rotation.output == plantimestamp()"),
		"PORT_BASE_URL="+url, "PORT_CLIENT_ID="+p.ClientID, "PORT_CLIENT_SECRET="+p.ClientSecret, "TF_LOG=TRACE", "TF_LOG_PATH=trace.log")
	step := func(want int, args ...string) {
		t.Helper()
		nextSecond()
		p.Forget()
		u.must(0, append([]string{args[0], "-input=false", "-no-color"}, args[1:]...)...)
		if got := rotations(p); got != want {
			t.Errorf("%s rotates %d times, want %d", strings.Join(args, " "), got, want)
		}
	}
	// works checks that the last pair is the one that logs in, which is what the
	// secret store was given.
	works := func() {
		t.Helper()
		ids, secrets := answered("clientId"), answered("clientSecret")
		for i, secret := range secrets {
			want := http.StatusUnauthorized
			if i == len(secrets)-1 {
				want = http.StatusOK
			}
			if got := a.exchange(ids[len(ids)-1], secret); got != want {
				t.Errorf("pair %d of %d answers %d, want %d", i+1, len(secrets), got, want)
			}
		}
		stored := ""
		for _, r := range p.Requests() {
			if strings.Contains(r.Body, "secretValue") {
				stored = r.Body
			}
		}
		if !strings.Contains(stored, secrets[len(secrets)-1]) {
			t.Error("the secret store has another secret")
		}
	}
	step(0, "plan", "-out=first.bin")
	step(1, "apply", "first.bin")
	works()
	step(0, "plan", "-detailed-exitcode")
	step(0, "apply", "-auto-approve")
	step(0, "plan", "-var=rotation=2", "-out=second.bin")
	step(1, "apply", "second.bin")
	works()
	step(0, "apply", "-auto-approve", "-var=rotation=2")
	step(0, "apply", "-auto-approve", "-var=rotation=2", "-refresh-only")

	secrets := append(answered("clientSecret"), answered("accessToken")...)
	if len(secrets) < 4 { // of the creation, of two rotations, and a token
		t.Fatalf("the portal answered %d secrets", len(secrets))
	}
	u.nowhere(append(secrets, p.ClientSecret), "terraform.tfstate", "terraform.tfstate.backup", "first.bin", "second.bin", "trace.log")
}

// How often Terraform opens, which the documentation of rotate rests on.
func TestServiceAccountCredentialsAreRotatedInPlansUnlessToldNotTo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rotate      string
		plan, apply int
		warns       bool
	}{
		"left out": {"", 1, 2, true},
		"always":   {"rotate = true", 1, 2, false},
		"applying": {"rotate = terraform.applying", 0, 1, false},
		"never":    {"rotate = false", 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := portaltest.Start(t)
			a := &account{Portal: p, t: t}
			a.Must(http.MethodPost, people, jsonv.Object{"identifier": botEmail, "properties": jsonv.Object{"port_type": "Service Account", "status": "Active"}})
			u := newTerminal(t, source+"ephemeral \"port_service_account_credentials\" \"bot\" {\n  identifier = \"BOT\"\n  "+c.rotate+"\n}\n", online(p)...)
			p.Forget()
			out := u.must(0, "plan", "-input=false", "-no-color")
			if got := rotations(p); got != c.plan {
				t.Errorf("a plan rotates %d times, want %d", got, c.plan)
			}
			if got := strings.Contains(out, "Plans rotate the credentials too"); got != c.warns {
				t.Errorf("it warns: %v\n%s", got, out)
			}
			p.Forget()
			u.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
			if got := rotations(p); got != c.apply {
				t.Errorf("an apply rotates %d times, want %d", got, c.apply)
			}
		})
	}
}

// Whatever would be written of a pair that nobody made is not.
func TestCredentialsThatWereNotRotatedAreNotStored(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	u := newTerminal(t, source+fmt.Sprintf(rotating, "rotate = false"), online(p)...)
	u.must(0, "plan", "-input=false", "-no-color")
	out := u.must(1, "apply", "-auto-approve", "-input=false", "-no-color")
	if !match("contains unknown values during apply").MatchString(out) {
		t.Errorf("another error than the documentation says:\n%s", out)
	}
	if got := p.Call(http.MethodGet, "/v1/organization/secrets/BOT", nil).Status; got != http.StatusNotFound {
		t.Errorf("reading the secret answers %d", got)
	}
}

func TestServiceAccountCredentialsHandOverBothHalves(t *testing.T) {
	t.Parallel()
	a := crewed(t)
	a.echoes("ephemeral \"port_service_account_credentials\" \"this\" {\n  identifier = \"bot\"\n  rotate = true\n}", "ephemeral.port_service_account_credentials.this", func(got map[string]string) error {
		want := map[string]string{"identifier": "bot", "rotate": "true"}
		id, secret := got["client_id"], got["client_secret"]
		rest := maps.Clone(got)
		maps.DeleteFunc(rest, func(name, _ string) bool { return want[name] == "" })
		if diff := cmp.Diff(want, rest); diff != "" {
			return fmt.Errorf("the result: %s", diff)
		}
		if id == "" || secret == "" {
			return fmt.Errorf("half a pair")
		}
		return nil
	})
}

func TestServiceAccountCredentialsThatCannotBeRotatedAreExplained(t *testing.T) {
	t.Parallel()
	a := crewed(t)
	id, secret := a.credentialsOf(botEmail)
	of := func(name string) string {
		return fmt.Sprintf("ephemeral \"port_service_account_credentials\" \"this\" {\n  identifier = %q\n  rotate = true\n}", name)
	}
	own := fmt.Sprintf("provider \"port\" {\n  client_id = %q\n  secret = %q\n}\n", id, secret)
	a.Must(http.MethodPost, people, jsonv.Object{"identifier": "other@serviceaccounts.getport.io", "properties": jsonv.Object{"port_type": "Service Account", "status": "Active"}})
	b := reached(a, nil)
	a.Forget()
	b.run(
		resource.TestStep{Config: of("nobody"), ExpectError: regexp.MustCompile(`(?s)Could not rotate service account credentials nobody@serviceaccounts\.getport\.io.*There is no such service account`)},
		resource.TestStep{Config: of("ann@x.io"), ExpectError: match("Invalid name of a service account")},
		resource.TestStep{Config: own + of("bot"), ExpectError: match("these are the credentials that the provider works with")},
		resource.TestStep{Config: own + of("other"), ExpectError: match("Only administrators and the credentials of the organization may rotate")},
	)
	if n := rotations(a.Portal); n != 0 {
		t.Errorf("%d rotations", n)
	}
}

func TestWhoamiTellsWhomTheProviderActsAs(t *testing.T) {
	t.Parallel()
	a := crewed(t)
	id, secret := a.credentialsOf(botEmail)
	modID, modSecret := a.credentialsOf("mod@x.io")
	boss := a.As(portaltest.User{Email: "chief@x.io", Role: "Admin"})
	organization := jsonv.Map(a.Must(http.MethodGet, "/v1/organization", nil), "organization")
	null, none := knownvalue.Null(), knownvalue.SetExact(nil)
	exactly := knownvalue.StringExact
	machine := map[string]knownvalue.Check{
		"id": exactly(a.ClientID), "principal": exactly("machine"), "client_id": exactly(a.ClientID), "email": null, "user_id": null, "role": exactly("Admin"),
		"moderated_blueprints": none, "teams": none,
	}
	userID := func(email string) knownvalue.Check {
		return exactly(jsonv.String(jsonv.Map(a.Must(http.MethodGet, "/v1/users/"+email, nil), "user"), "id"))
	}
	for name, c := range map[string]struct {
		account *account
		block   string
		want    map[string]knownvalue.Check
		scope   bool
	}{
		"machine":              {reached(a, nil), "", machine, true},
		"embedded":             {embedded(a), "", machine, true},
		"machine, by token":    {reached(a, nil), fmt.Sprintf("token = %q", a.Token()), machine, true},
		"moderator":            {reached(a, nil), fmt.Sprintf("client_id = %q\nsecret = %q", modID, modSecret), map[string]knownvalue.Check{"id": exactly("mod@x.io"), "principal": exactly("user"), "client_id": exactly(modID), "email": exactly("mod@x.io"), "user_id": userID("mod@x.io"), "role": exactly("Moderator"), "moderated_blueprints": knownvalue.SetExact([]knownvalue.Check{exactly("svc")}), "teams": knownvalue.SetExact([]knownvalue.Check{exactly("core")})}, false},
		"administrator, token": {reached(a, nil), fmt.Sprintf("token = %q", boss), map[string]knownvalue.Check{"id": exactly("chief@x.io"), "principal": exactly("user"), "client_id": null, "email": exactly("chief@x.io"), "role": exactly("Admin"), "moderated_blueprints": none, "teams": none}, true},
		"service account":      {reached(a, nil), fmt.Sprintf("client_id = %q\nsecret = %q", id, secret), map[string]knownvalue.Check{"id": exactly(botEmail), "principal": exactly("service_account"), "client_id": exactly(id), "email": exactly(botEmail), "user_id": userID(botEmail), "role": exactly("Member"), "moderated_blueprints": none, "teams": knownvalue.SetExact([]knownvalue.Check{exactly("ops")})}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := *c.account
			b.t = t
			const at = "data.port_whoami.this"
			checks := []statecheck.StateCheck{
				statecheck.ExpectKnownOutputValue("may", knownvalue.Bool(c.scope)), statecheck.ExpectKnownOutputValue("reads", knownvalue.Bool(true)),
				statecheck.ExpectKnownValue(at, tfjsonpath.New("organization_id"), exactly(jsonv.String(organization, "id"))),
				statecheck.ExpectKnownValue(at, tfjsonpath.New("organization_name"), exactly(jsonv.String(organization, "name"))),
			}
			for attribute, want := range c.want {
				checks = append(checks, statecheck.ExpectKnownValue(at, tfjsonpath.New(attribute), want))
			}
			b.run(resource.TestStep{
				Config: "provider \"port\" {\n" + c.block + "\n}\ndata \"port_whoami\" \"this\" {}\noutput \"may\" {\n  value = contains(data.port_whoami.this.scopes, \"create:blueprints\")\n}\n" +
					"output \"reads\" {\n  value = contains(data.port_whoami.this.scopes, \"read:entities\")\n}\n",
				ConfigStateChecks: checks,
			})
		})
	}
}
