package provider_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/tfcli"
)

// binary is the built program, once per test run.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "provider")
	if err != nil {
		return "", err
	}
	built = dir
	out := filepath.Join(dir, "terraform-provider-port")
	text, err := exec.Command("go", "build", "-o", out, "../..").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, text)
	}
	return out, nil
})

// built is what [binary] leaves behind.
var built string

// terminal is a folder with a configuration and the Terraform CLI that uses the
// built program, as a user has it.
type terminal struct {
	*tfcli.CLI
	t *testing.T
}

func newTerminal(t *testing.T, config string, env ...string) *terminal {
	t.Helper()
	program, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cli, err := tfcli.Override(t.TempDir(), t.TempDir(), program, "portlens/port", "port-labs/port-labs")
	if err != nil {
		t.Fatal(err)
	}
	cli.Env = append(cli.Env, "TF_ACC=", "PORT_RATE_LIMIT_DISABLED=1")
	cli.Env = append(cli.Env, env...)
	u := &terminal{cli, t}
	u.write("main.tf", config)
	return u
}

// online is the environment of a provider that reaches p over a socket.
func online(p *portaltest.Portal) []string {
	return []string{"PORT_BASE_URL=" + p.URL(), "PORT_CLIENT_ID=" + p.ClientID, "PORT_CLIENT_SECRET=" + p.ClientSecret}
}

func (u *terminal) write(name, text string) {
	u.t.Helper()
	if err := os.WriteFile(filepath.Join(u.Dir, name), []byte(text), 0o600); err != nil {
		u.t.Fatal(err)
	}
}

// must runs a command that has to end with the exit code.
func (u *terminal) must(code int, args ...string) string {
	u.t.Helper()
	out, err := u.Must(u.t.Context(), code, args...)
	if err != nil {
		u.t.Fatal(err)
	}
	return out
}

const source = `terraform {
  required_providers {
    port = { source = "portlens/port" }
  }
}
`

// stateFile is a state as Terraform keeps it, with one resource of many
// instances.
func stateFile(provider, typ, name string, instances ...jsonv.Object) string {
	list := make([]any, len(instances))
	for i, attributes := range instances {
		list[i] = jsonv.Object{"schema_version": jsonv.Int(0), "attributes": attributes, "sensitive_attributes": []any{}}
		if len(instances) > 1 {
			list[i].(jsonv.Object)["index_key"] = jsonv.Int(i) //nolint:forcetypeassert // made above
		}
	}
	resource := jsonv.Object{"mode": "managed", "type": typ, "name": name, "provider": fmt.Sprintf("provider[%q]", "registry.terraform.io/"+provider), "instances": list}
	if len(instances) > 1 {
		resource["each"] = "list"
	}
	return string(jsonv.Encode(jsonv.Object{
		"version": jsonv.Int(4), "terraform_version": "1.11.4", "serial": jsonv.Int(1), "lineage": "3f8a1c1e-0000-0000-0000-000000000000",
		"outputs": jsonv.Object{}, "resources": []any{resource}, "check_results": nil,
	}))
}

// Fifteen hundred entities are refreshed in at most twenty requests, by the real
// program over a socket.
func TestManyEntitiesRefreshInFewRequests(t *testing.T) {
	t.Parallel()
	const many = 1500
	p := portaltest.Start(t)
	config, state, entities := crowd(many)
	p.Seed(catalogSeed)
	p.Seed(entities)
	u := newTerminal(t, source+config, online(p)...)
	u.write("terraform.tfstate", state)
	p.Forget()
	// Exit code 0: no changes.
	u.must(0, "plan", "-detailed-exitcode", "-input=false", "-no-color")
	var got []string
	for _, r := range p.Requests() {
		got = append(got, r.Method+" "+r.Path)
	}
	if len(got) == 0 || len(got) > 20 {
		t.Errorf("%d requests: %.1000s", len(got), strings.Join(got, ", "))
	}
	p.Must(http.MethodPatch, "/v1/blueprints/service/entities/s8", jsonv.Object{"properties": jsonv.Object{"lang": "rust"}})
	out := u.must(2, "plan", "-detailed-exitcode", "-input=false", "-no-color")
	if !strings.Contains(out, "0 to add, 1 to change, 0 to destroy") || !strings.Contains(out, `"rust" -> "go"`) {
		t.Errorf("plan after a change by hand:\n%s", out)
	}
}
