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
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/provider"
)

// circle is three blueprints that need each other, the first with a relation in
// its own map as well.
const circle = `
locals {
  next = { a = "b", b = "c", c = "a" }
}
resource "port_blueprint" "of" {
  for_each   = local.next
  identifier = each.key
  title      = upper(each.key)
  relations  = each.key == "a" ? { own = { target = "a" } } : null
}
resource "port_blueprint_relation" "to" {
  for_each             = local.next
  blueprint_identifier = port_blueprint.of[each.key].identifier
  identifier           = "next"
  target               = port_blueprint.of[each.value].identifier
  title                = "Next"
  required             = each.key == "c"
}
`

// Blueprints in a circle are made in one apply, stay as they are, and go in one
// destroy; each command is a process of its own, as users run them.
func TestBlueprintsInACircleTakeOneRun(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	u := newTerminal(t, source+circle, online(p)...)
	u.must(0, "plan", "-input=false", "-no-color", "-out=first")
	u.must(0, "apply", "-input=false", "-no-color", "first")
	relations := func() jsonv.Object {
		out := jsonv.Object{}
		for _, id := range []string{"a", "b", "c"} {
			out[id] = jsonv.Map(p.Must(http.MethodGet, "/v1/blueprints/"+id, nil), "blueprint", "relations")
		}
		return out
	}
	next := func(target string, required bool) jsonv.Object {
		return jsonv.Object{"target": target, "title": "Next", "many": false, "required": required}
	}
	want := jsonv.Object{
		"a": jsonv.Object{"own": jsonv.Object{"target": "a", "many": false, "required": false}, "next": next("b", false)},
		"b": jsonv.Object{"next": next("c", false)},
		"c": jsonv.Object{"next": next("a", true)},
	}
	if diff := cmp.Diff(want, relations()); diff != "" {
		t.Fatalf("relations after the apply: %s", diff)
	}
	for _, args := range [][]string{nil, {"-refresh=false"}, {"-target=port_blueprint.of"}} {
		out := u.must(0, append([]string{"plan", "-detailed-exitcode", "-input=false", "-no-color"}, args...)...)
		if strings.Contains(out, "Warning: Blueprint") {
			t.Errorf("plan %v:\n%s", args, out)
		}
	}
	// Another change of the blueprints, without the relations in sight, leaves them.
	u.write("main.tf", source+strings.Replace(circle, "upper(each.key)", `"New ${each.key}"`, 1))
	u.must(0, "apply", "-auto-approve", "-input=false", "-no-color", "-target=port_blueprint.of")
	u.must(0, "plan", "-detailed-exitcode", "-input=false", "-no-color")
	if diff := cmp.Diff(want, relations()); diff != "" {
		t.Errorf("relations after the blueprints changed: %s", diff)
	}
	out := u.must(0, "destroy", "-auto-approve", "-input=false", "-no-color")
	if !strings.Contains(out, "6 destroyed") {
		t.Errorf("destroy:\n%s", out)
	}
	for _, id := range []string{"a", "b", "c"} {
		if got := p.Call(http.MethodGet, "/v1/blueprints/"+id, nil).Status; got != http.StatusNotFound {
			t.Errorf("after the destroy blueprint %s answers %d", id, got)
		}
	}
}

// ends are blueprints that relations can be declared between.
const ends = `{"blueprints": [{"identifier": "x:y", "title": "X", "schema": {"properties": {}}, "relations": {"other": {"target": "x:y", "many": true}}},
  {"identifier": "b", "title": "B", "schema": {"properties": {}}}]}`

func relationConfig(body string) string {
	return "\nresource \"port_blueprint_relation\" \"this\" {\n" + lines(body) + "\n}"
}

func TestBlueprintRelationLivesAWholeLifeBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		a := open(t, change)
		a.Seed(ends)
		base := `blueprint_identifier = "x:y", identifier = "r", `
		created := relationConfig(base + `target = "b"`)
		full := relationConfig(base + `target = "b", title = "R", description = "D", required = true`)
		cleared := relationConfig(base + `target = "x:y", description = "", many = true`)
		holds := func(want jsonv.Object) resource.TestCheckFunc {
			return func(*terraform.State) error {
				all := jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/x:y", nil), "blueprint", "relations")
				if diff := cmp.Diff(jsonv.Object{"r": want, "other": jsonv.Object{"target": "x:y", "many": true, "required": false}}, all); diff != "" {
					return fmt.Errorf("relations: %s", diff)
				}
				return nil
			}
		}
		a.run(
			resource.TestStep{PreConfig: a.Forget, Config: created, Check: resource.ComposeTestCheckFunc(
				a.sent("PATCH /v1/blueprints/x:y"), holds(jsonv.Object{"target": "b", "many": false, "required": false}),
				resource.TestCheckResourceAttr("port_blueprint_relation.this", "id", "x:y:r"))},
			resource.TestStep{Config: created, ConfigPlanChecks: emptyPlan},
			resource.TestStep{Config: full, Check: holds(jsonv.Object{"target": "b", "title": "R", "description": "D", "many": false, "required": true})},
			resource.TestStep{Config: full, ConfigPlanChecks: emptyPlan},
			resource.TestStep{ResourceName: "port_blueprint_relation.this", ImportState: true, ImportStateId: "x:y:r", ImportStateVerify: true},
			resource.TestStep{Config: cleared, Check: holds(jsonv.Object{"target": "x:y", "description": "", "many": true, "required": false})},
			resource.TestStep{Config: cleared, ConfigPlanChecks: emptyPlan},
			// Deleted by hand: the plan wants it back; and again before the destroy.
			resource.TestStep{
				PreConfig: func() {
					a.Must(http.MethodPatch, "/v1/blueprints/x:y", jsonv.Object{"relations": jsonv.Object{"r": nil}})
				},
				Config: cleared,
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectResourceAction("port_blueprint_relation.this", plancheck.ResourceActionCreate),
				}},
			},
			resource.TestStep{PreConfig: func() {
				a.Must(http.MethodPatch, "/v1/blueprints/x:y", jsonv.Object{"relations": jsonv.Object{"r": nil}})
			}, Config: cleared, Destroy: true},
			resource.TestStep{Config: cleared},
			resource.TestStep{Config: cleared, Destroy: true},
		)
		all := jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/x:y", nil), "blueprint", "relations")
		if diff := cmp.Diff(jsonv.Object{"other": jsonv.Object{"target": "x:y", "many": true, "required": false}}, all); diff != "" {
			t.Errorf("after the destroy: %s", diff)
		}
	})
}

// Every leaf that is changed or removed by hand shows in the plan.
func TestBlueprintRelationShowsEveryChangeMadeByHandLong(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(ends)
	config := relationConfig(`blueprint_identifier = "x:y", identifier = "r", target = "b", title = "R", description = "D", required = true`)
	steps := []resource.TestStep{{Config: config}}
	for _, c := range []struct {
		name  string
		entry jsonv.Object
	}{
		{"target", jsonv.Object{"target": "x:y"}},
		{"title", jsonv.Object{"title": "S"}},
		{"title", jsonv.Object{"title": nil}},
		{"description", jsonv.Object{"description": "E"}},
		{"description", jsonv.Object{"description": nil}},
		{"required", jsonv.Object{"required": false}},
		{"many", jsonv.Object{"many": true, "required": false}},
	} {
		shows := []string{c.name}
		if c.name == "many" {
			shows = append(shows, "required")
		}
		if enough(steps) {
			break
		}
		steps = append(steps, resource.TestStep{
			PreConfig: func() {
				document := jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/x:y", nil), "blueprint")
				entry := jsonv.Map(document, "relations", "r")
				for key, v := range c.entry {
					entry[key] = v
					if v == nil {
						delete(entry, key)
					}
				}
				a.Must(http.MethodPut, "/v1/blueprints/x:y", document)
			},
			Config:           config,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{changes{"port_blueprint_relation.this", shows}}},
		}, resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan})
	}
	a.run(steps...)
}

// Its own name and that of its blueprint may change, and values stay; in another
// blueprint it is another relation.
func TestBlueprintRelationRenamesWithoutLossLong(t *testing.T) {
	t.Parallel()
	long(t)
	a := open(t)
	config := func(blueprint, key, at string) string {
		return fmt.Sprintf(`resource "port_blueprint" "b" {
  identifier = %q
  title = "B"
  force_delete_entities = true
}
resource "port_blueprint" "other" {
  identifier = "other"
  title = "Other"
}
resource "port_blueprint_relation" "this" {
  blueprint_identifier = port_blueprint.%s.identifier
  identifier = %q
  target = port_blueprint.b.identifier
}`, blueprint, at, key)
	}
	value := func(blueprint, key string) resource.TestCheckFunc {
		return func(*terraform.State) error {
			got := jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/"+blueprint+"/entities/e", nil), "entity", "relations")
			if diff := cmp.Diff(jsonv.Object{key: "e"}, got); diff != "" {
				return fmt.Errorf("relations: %s", diff)
			}
			return nil
		}
	}
	action := func(want plancheck.ResourceActionType) resource.ConfigPlanChecks {
		return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction("port_blueprint_relation.this", want)}}
	}
	a.run(
		resource.TestStep{Config: config("one", "r", "b")},
		resource.TestStep{
			PreConfig: func() {
				a.Must(http.MethodPost, "/v1/blueprints/one/entities", jsonv.Object{"identifier": "e", "title": "E", "relations": jsonv.Object{"r": "e"}})
			},
			Config: config("one", "q", "b"), ConfigPlanChecks: action(plancheck.ResourceActionUpdate), Check: value("one", "q"),
		},
		resource.TestStep{Config: config("two", "p", "b"), ConfigPlanChecks: action(plancheck.ResourceActionUpdate), Check: value("two", "p")},
		resource.TestStep{Config: config("two", "p", "b"), ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: config("two", "p", "other"), ConfigPlanChecks: action(plancheck.ResourceActionReplace)},
		resource.TestStep{Config: config("two", "p", "other"), ConfigPlanChecks: emptyPlan},
	)
}

func TestBlueprintRelationRefusesWhatItShould(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(ends)
	a.run(
		resource.TestStep{
			Config:      relationConfig(`blueprint_identifier = "x:y", identifier = "other", target = "b"`),
			ExpectError: match(`Blueprint relation x:y:other already exists`),
		},
		resource.TestStep{
			Config:      relationConfig(`blueprint_identifier = "x:y", identifier = "other", target = "b"`),
			ExpectError: match(`import { to = port_blueprint_relation.<name> id = "x:y:other"`),
		},
		resource.TestStep{
			Config: relationConfig(`blueprint_identifier = "x:y", identifier = "r", target = "b", many = true, required = true`), PlanOnly: true,
			ExpectError: match(`cannot be required`),
		},
		resource.TestStep{
			Config: relationConfig(`blueprint_identifier = "x:y", identifier = "a b", target = "b"`), PlanOnly: true,
			ExpectError: match(`Invalid key`),
		},
		resource.TestStep{
			Config:      relationConfig(`blueprint_identifier = "zz", identifier = "r", target = "b"`),
			ExpectError: match(`Could not create blueprint relation zz:r`),
		},
		resource.TestStep{
			Config:      relationConfig(`blueprint_identifier = "b", identifier = "r", target = "zz"`),
			ExpectError: match(`Could not create blueprint relation b:r`),
		},
		resource.TestStep{
			Config:       relationConfig(`blueprint_identifier = "x:y", identifier = "other", target = "x:y", many = true`),
			ResourceName: "port_blueprint_relation.this", ImportState: true, ImportStateId: "x:", ExpectError: match("blueprint_identifier"),
		},
		// Appears between plan and apply.
		resource.TestStep{
			PreConfig: func() {
				a.Before(once(http.MethodGet, "/v1/blueprints/b"), func() {
					a.Before(once(http.MethodGet, "/v1/blueprints/b"), func() {
						a.Must(http.MethodPatch, "/v1/blueprints/b", jsonv.Object{"relations": jsonv.Object{"late": jsonv.Object{"target": "b"}}})
					})
				})
			},
			Config:      relationConfig(`blueprint_identifier = "b", identifier = "late", target = "x:y"`),
			ExpectError: match(`already exists`),
		},
	)
	if got := jsonv.String(a.Must(http.MethodGet, "/v1/blueprints/b", nil), "blueprint", "relations", "late", "target"); got != "b" {
		t.Errorf("the relation made meanwhile leads to %q", got)
	}
}

// A relation that something still begins with stays, and so does its state.
func TestBlueprintRelationInUseIsNotForgottenLong(t *testing.T) {
	t.Parallel()
	long(t)
	a := open(t)
	config := func(mirror string) string {
		return `resource "port_blueprint" "b" {
  identifier = "b"
  title = "B"
  undeclared_relations = "keep"
` + mirror + `
}`
	}
	relation := relationConfig(`blueprint_identifier = port_blueprint.b.identifier, identifier = "r", target = "b"`)
	a.run(
		resource.TestStep{Config: config("") + relation},
		resource.TestStep{Config: config(`  mirror_properties = { m = { path = "r.$title" } }`) + relation},
		resource.TestStep{Config: config(`  mirror_properties = { m = { path = "r.$title" } }`) + relation, ConfigPlanChecks: emptyPlan},
		resource.TestStep{Config: config(`  mirror_properties = { m = { path = "r.$title" } }`), ExpectError: match("something still needs the relation")},
		resource.TestStep{Config: config("") + relation},
		resource.TestStep{Config: config("")},
	)
}
