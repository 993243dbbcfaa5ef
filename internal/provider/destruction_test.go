package provider_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// used is a blueprint that entities, relations and aggregations lead to.
const used = `{"blueprints": [
  {"identifier": "svc", "title": "Service", "schema": {"properties": {}}, "relations": {"self": {"target": "svc", "required": true}}},
  {"identifier": "dep", "title": "Deployment", "schema": {"properties": {}}, "relations": {"svc": {"target": "svc", "required": true}, "also": {"target": "svc"}}},
  {"identifier": "team", "title": "Team", "schema": {"properties": {}}, "aggregationProperties": {"n": {"title": "N", "target": "svc", "calculationSpec": {"calculationBy": "entities", "func": "count"}}}}],
  "entities": [
  {"blueprint": "svc", "identifier": "e", "title": "E", "relations": {"self": "e"}}, {"blueprint": "svc", "identifier": "f", "title": "F", "relations": {"self": "e"}},
  {"blueprint": "dep", "identifier": "d1", "title": "D", "relations": {"svc": "e"}}, {"blueprint": "dep", "identifier": "d2", "title": "D", "relations": {"svc": "e", "also": "f"}}]}`

func usedConfig(body string) string {
	return source + `
import {
  to = port_blueprint.svc
  id = "svc"
}
resource "port_blueprint" "svc" {
  identifier = "svc"
  title      = "Service"
  relations  = { self = { target = "svc", required = true } }
` + body + `
}
`
}

// The plan of a destroy says on the command line what goes and what is in the way.
func TestDestroySaysWhatItTakes(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	p.Seed(used)
	u := newTerminal(t, usedConfig(""), online(p)...)
	u.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	says := func(out string, want ...string) {
		t.Helper()
		out = strings.Join(strings.Fields(strings.ReplaceAll(out, "│", " ")), " ")
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("want %q in:\n%s", w, out)
			}
		}
	}
	says(u.must(0, "plan", "-destroy", "-input=false", "-no-color"),
		"Warning: Blueprint svc is in use", "2 entities of the blueprint; to delete all of them", "relations of other blueprints: dep.also, dep.svc",
		"Warning: Destroying blueprint svc takes more along", "aggregation properties of other blueprints count: team.n")
	// A replacement is a destruction too.
	u.must(0, "taint", "port_blueprint.svc")
	says(u.must(0, "plan", "-input=false", "-no-color"), "Warning: Blueprint svc is in use")
	u.must(0, "untaint", "port_blueprint.svc")
	u.write("main.tf", usedConfig("  force_delete_entities = true"))
	u.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	says(u.must(0, "plan", "-destroy", "-input=false", "-no-color"), "2 entities of the blueprint, which force_delete_entities deletes")

	e := newTerminal(t, source+`
import {
  to = port_entity.e
  id = "svc:e"
}
resource "port_entity" "e" {
  blueprint  = "svc"
  identifier = "e"
  title      = "E"
  relations  = { single_relations = { self = "e" } }
}
`, online(p)...)
	e.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	says(e.must(0, "plan", "-destroy", "-input=false", "-no-color"),
		"Warning: Entity svc:e is needed by others", "2 entities of blueprint dep, by the required relation svc", "1 entity of blueprint svc, by the required relation self")
}

// What nothing depends on goes without a word.
func TestDestroyOfWhatNobodyNeedsIsQuiet(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	u := newTerminal(t, source+`resource "port_blueprint" "this" {
  identifier = "a"
  title      = "A"
  relations  = { self = { target = "a" } }
}`, online(p)...)
	u.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	if out := u.must(0, "destroy", "-auto-approve", "-input=false", "-no-color"); strings.Contains(out, "blueprint a") || strings.Contains(out, "Blueprint a") {
		t.Errorf("destroy:\n%s", out)
	}
}

func TestDeletionProtectionRefusesToDestroyAndReplaceLong(t *testing.T) {
	t.Parallel()
	long(t)
	config := func(block, own string) string {
		return `provider "port" {
` + block + `
}
resource "port_blueprint" "this" {
  identifier = "a"
  title      = "A"
` + own + `
}`
	}
	for name, c := range map[string]struct{ block, on, off string }{
		"of the blueprint":          {"", "deletion_protection = true", "deletion_protection = false"},
		"of the provider":           {"deletion_protection = true", "", "deletion_protection = false"},
		"of the blueprint, dropped": {"", "deletion_protection = true", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := open(t)
			refusal := match("Blueprint a is protected from deletion")
			a.run(
				resource.TestStep{Config: config(c.block, c.on)},
				resource.TestStep{Config: config(c.block, c.on), PlanOnly: true},
				resource.TestStep{Config: config(c.block, c.on), Destroy: true, ExpectError: refusal},
				resource.TestStep{Config: config(c.block, c.on), Taint: []string{"port_blueprint.this"}, ExpectError: refusal},
				// By hand it can be deleted; making it again is no replacement.
				resource.TestStep{PreConfig: func() { a.Must(http.MethodDelete, "/v1/blueprints/a", nil) }, Config: config(c.block, c.on)},
				// A setting of the provider: turning it off makes no call.
				resource.TestStep{PreConfig: a.Forget, Config: config(c.block, c.off), Check: a.sent()},
				resource.TestStep{Config: config(c.block, c.off), Destroy: true},
			)
			if got := a.Call(http.MethodGet, "/v1/blueprints/a", nil).Status; got != http.StatusNotFound {
				t.Errorf("in the end the blueprint answers %d", got)
			}
		})
	}
}

// The apply refuses too: a plan made without a refresh does not see everything.
func TestDeletionProtectionHoldsInTheApply(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	u := newTerminal(t, source+`resource "port_blueprint" "this" {
  identifier          = "a"
  title               = "A"
  deletion_protection = true
}`, online(p)...)
	u.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	u.must(1, "plan", "-replace=port_blueprint.this", "-input=false", "-no-color")
	u.must(0, "taint", "port_blueprint.this")
	u.must(0, "plan", "-refresh=false", "-out=replace", "-input=false", "-no-color")
	if out := u.must(1, "apply", "-input=false", "-no-color", "replace"); !strings.Contains(out, "protected from deletion") {
		t.Errorf("apply:\n%s", out)
	}
	if got := jsonv.String(p.Must(http.MethodGet, "/v1/blueprints/a", nil), "blueprint", "title"); got != "A" {
		t.Errorf("the blueprint's title is %q", got)
	}
}

// What stops an apply says how to go on.
func TestRefusalsSayHowToGoOn(t *testing.T) {
	t.Parallel()
	a := open(t)
	target := func(meta string) string {
		return "resource \"port_blueprint\" \"a\" {\n  identifier = \"a\"\n  title = \"A\"\n" + meta + "}\n"
	}
	source := func(format, relations string) string {
		return fmt.Sprintf(`resource "port_blueprint" "b" {
  identifier = "b"
  title      = "B"
  properties = { object_props = { o = { %s } } }
  relations  = { %s }
}
`, format, relations)
	}
	const labeled, leads = `format = "labeled-url"`, `a = { target = port_blueprint.a.identifier }`
	first := "  lifecycle {\n    create_before_destroy = true\n  }\n"
	a.run(
		resource.TestStep{Config: target("") + source(labeled, leads)},
		resource.TestStep{Config: target("") + source("", leads), ExpectError: match("leave the property out, apply, and add it again")},
		resource.TestStep{Config: source(labeled, ""), ExpectError: match("set lifecycle { create_before_destroy = true } on the blueprint")},
		// The advice works.
		resource.TestStep{Config: target(first) + source(labeled, leads)},
		resource.TestStep{Config: source(labeled, "")},
		resource.TestStep{Config: source(labeled, ""), ConfigPlanChecks: emptyPlan},
	)
}
