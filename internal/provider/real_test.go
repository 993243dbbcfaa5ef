package provider_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

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
	// Terraform looks for a program named after the last part of the source.
	return out, os.Symlink(out, filepath.Join(dir, "terraform-provider-port-labs"))
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
		instance := jsonv.Object{"schema_version": jsonv.Int(0), "attributes": attributes, "sensitive_attributes": []any{}}
		if len(instances) > 1 {
			instance["index_key"] = jsonv.Int(i)
		}
		list[i] = instance
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
func TestManyEntitiesRefreshInFewRequestsLong(t *testing.T) {
	t.Parallel()
	long(t)
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

// Configurations and states of the official provider work unchanged: its source
// address, and what it wrote into the state.
func TestOfficialConfigurationAndStatePlanEmpty(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	p.Seed(`{"blueprints": [{"identifier": "a", "title": "A", "schema": {"properties": {"l": {"type": "array", "items": {"type": "string"}}, "o": {"type": "object", "default": {"b": 1, "a": "<"}}}},
	  "relations": {"r": {"target": "a"}}, "changelogDestination": {"type": "KAFKA"}}],
	  "entities": [{"blueprint": "a", "identifier": "e", "title": "E", "team": ["x"], "properties": {"l": ["y"], "o": {"k": [1, 2.5]}}, "relations": {"r": null}}]}`)
	stamps := func(path, name string) jsonv.Object {
		document := jsonv.Map(p.Must(http.MethodGet, path, nil), name)
		out := jsonv.Object{}
		for key, at := range map[string]string{"created_at": "createdAt", "updated_at": "updatedAt"} {
			when, err := time.Parse(time.RFC3339Nano, jsonv.String(document, at))
			if err != nil {
				t.Fatal(err)
			}
			out[key] = when.Format("2006-01-02 15:04:05.999999999 -0700 MST")
		}
		out["created_by"], out["updated_by"] = document["createdBy"], document["updatedBy"]
		return out
	}
	props := jsonv.Object{"title": nil, "icon": nil, "description": nil, "required": false}
	blueprint := merged(stamps("/v1/blueprints/a", "blueprint"), jsonv.Object{
		"id": "a", "identifier": "a", "title": "A", "icon": nil, "description": nil, "kafka_changelog_destination": jsonv.Object{}, "webhook_changelog_destination": nil,
		"relations":         jsonv.Object{"r": jsonv.Object{"target": "a", "many": false, "required": false, "title": nil, "description": nil}},
		"mirror_properties": nil, "calculation_properties": nil, "ownership": nil, "team_inheritance": nil, "include_in_global_search": nil,
		"properties": jsonv.Object{
			"array_props": jsonv.Object{"l": merged(props, jsonv.Object{
				"min_items": nil, "max_items": nil, "number_items": nil, "boolean_items": nil, "object_items": nil,
				"string_items": jsonv.Object{"default": nil, "enum": nil, "enum_colors": nil, "format": nil, "pattern": nil},
			})},
			"object_props": jsonv.Object{"o": merged(props, jsonv.Object{"default": "{\"a\":\"\\u003c\",\"b\":1}", "spec": nil, "format": nil})},
			"string_props": nil, "number_props": nil, "boolean_props": nil,
		},
		"force_delete_entities": false, "create_catalog_page": true,
	})
	entity := merged(stamps("/v1/blueprints/a/entities/e", "entity"), jsonv.Object{
		"id": "a:e", "identifier": "e", "blueprint": "a", "title": "E", "icon": nil, "run_id": nil, "teams": []any{"x"}, "create_missing_related_entities": false,
		"properties": jsonv.Object{
			"string_props": nil, "number_props": nil, "boolean_props": nil, "object_props": jsonv.Object{"o": "{\"k\":[1,2.5]}"},
			"array_props": jsonv.Object{"string_items": jsonv.Object{"l": []any{"y"}}, "number_items": nil, "boolean_items": nil, "object_items": nil},
		},
		"relations": jsonv.Object{"single_relations": jsonv.Object{"r": nil}, "many_relations": nil},
	})
	for name, c := range map[string]struct{ config, state string }{
		"blueprint": {`resource "port_blueprint" "this" {
  identifier = "a"
  title      = "A"
  properties = {
    array_props  = { l = { string_items = {}, type = "array" } }
    object_props = { o = { default = jsonencode({ b = 1, a = "<" }) } }
  }
  relations                   = { r = { target = "a", many = false } }
  kafka_changelog_destination = {}
}`, stateFile("port-labs/port-labs", "port_blueprint", "this", blueprint)},
		"entity": {`resource "port_entity" "this" {
  blueprint  = "a"
  identifier = "e"
  title      = "E"
  teams      = ["x"]
  properties = {
    object_props = { o = jsonencode({ k = [1, 2.5] }) }
    array_props  = { string_items = { l = ["y"] } }
  }
  relations = { single_relations = { r = null } }
}`, stateFile("port-labs/port-labs", "port_entity", "this", entity)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newTerminal(t, strings.Replace(source, "portlens/port", "port-labs/port-labs", 1)+c.config, online(p)...)
			u.write("terraform.tfstate", c.state)
			if out := u.must(0, "plan", "-detailed-exitcode", "-input=false", "-no-color"); strings.Contains(out, "Objects have changed") {
				t.Errorf("the refresh changes the official state:\n%s", out)
			}
		})
	}
}

func merged(objects ...jsonv.Object) jsonv.Object {
	out := jsonv.Object{}
	for _, o := range objects {
		maps.Copy(out, o)
	}
	return out
}

// Two provider processes work on one embedded file at once and lose nothing.
func TestTwoProcessesShareOneEmbeddedFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "portal.db")
	env := "PORT_BASE_URL=embedded:" + file
	base := newTerminal(t, source+`resource "port_blueprint" "service" {
  identifier = "service"
  title      = "Service"
}`, env)
	base.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	const each = 40
	var wait sync.WaitGroup
	var users []*terminal
	for n := range 2 {
		u := newTerminal(t, source+fmt.Sprintf(`resource "port_entity" "many" {
  count      = %d
  blueprint  = "service"
  identifier = "p%d-${count.index}"
  title      = "Entity"
}`, each, n), env)
		users = append(users, u)
		wait.Go(func() {
			if _, err := u.Must(t.Context(), 0, "apply", "-auto-approve", "-input=false", "-no-color"); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for _, u := range users {
		// Every entity that was acknowledged is there.
		u.must(0, "plan", "-detailed-exitcode", "-input=false", "-no-color")
	}
	p := portaltest.Start(t, portaltest.Options{DataFile: file, RealClock: true})
	if got := fmt.Sprint(p.Must(http.MethodGet, "/v1/blueprints/service/entities-count", nil)["count"]); got != fmt.Sprint(2*each) {
		t.Errorf("%s entities, want %d", got, 2*each)
	}
}

// The debug log shows requests, and no secret; the state holds none either.
func TestSecretsStayOutOfLogAndState(t *testing.T) {
	t.Parallel()
	const secret = "very-secret-7f3a9b"
	p := portaltest.Start(t, portaltest.Options{ClientID: "client-7f3a9b", ClientSecret: secret})
	log := filepath.Join(t.TempDir(), "log")
	u := newTerminal(t, source+`resource "port_blueprint" "this" {
  identifier = "a"
  title      = "A"
}`, append(online(p), "TF_LOG=TRACE", "TF_LOG_PATH="+log)...)
	u.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	token := p.Token()
	for _, file := range []string{log, filepath.Join(u.Dir, "terraform.tfstate")} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if file == log && !bytes.Contains(text, []byte("/v1/blueprints")) {
			t.Error("the log shows no request")
		}
		for _, s := range []string{secret, token, "Bearer ey"} {
			if bytes.Contains(text, []byte(s)) {
				t.Errorf("%s holds a secret", filepath.Base(file))
			}
		}
	}
}
