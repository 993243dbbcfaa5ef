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
)

func undeclaredBlueprint(body string) string {
	return "resource \"port_blueprint\" \"b\" {\n  identifier = \"b\"\n  title = \"B\"\n  force_delete_entities = true\n" + lines(body) + "\n}\n"
}

const (
	relationOfB = `
resource "port_blueprint_relation" "r" {
  blueprint_identifier = port_blueprint.b.identifier
  identifier           = "r"
  target               = "b"
}
`
	importOfB = `
import {
  to = port_blueprint_relation.r
  id = "b:r"
}
` + relationOfB
	releaseOfB = `
removed {
  from = port_blueprint_relation.r
  lifecycle {
    destroy = false
  }
}
`
)

// valueOfR checks that the entity still has its value of r.
func (a *account) valueOfR(*terraform.State) error {
	got := jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/b/entities/e", nil), "entity", "relations")
	if diff := cmp.Diff("e", got["r"]); diff != "" {
		return fmt.Errorf("the value of r: %s", diff)
	}
	return nil
}

func (a *account) addEntityOfB() {
	a.Must(http.MethodPost, "/v1/blueprints/b/entities", jsonv.Object{"identifier": "e", "title": "E", "relations": jsonv.Object{"r": "e"}})
}

// A relation moves from the blueprint's map to a resource of its own and back,
// and keeps its values.
func TestARelationMovesWithoutLossLong(t *testing.T) {
	t.Parallel()
	long(t)
	a := open(t)
	a.run(
		resource.TestStep{Config: undeclaredBlueprint(`relations = { r = { target = "b" } }`)},
		// Without a word on the blueprint the plan would lose the values: refused.
		resource.TestStep{PreConfig: a.addEntityOfB, Config: undeclaredBlueprint(``) + importOfB, ExpectError: match(`undeclared_relations = "keep"`)},
		resource.TestStep{Config: undeclaredBlueprint(`undeclared_relations = "keep"`) + importOfB, Check: a.valueOfR},
		resource.TestStep{Config: undeclaredBlueprint(`undeclared_relations = "keep"`) + relationOfB, ConfigPlanChecks: emptyPlan},
		// From here on the blueprint's state does not hold it: the default leaves it alone.
		resource.TestStep{Config: undeclaredBlueprint(``) + relationOfB, Check: a.valueOfR},
		resource.TestStep{Config: undeclaredBlueprint(``) + relationOfB, ConfigPlanChecks: emptyPlan},
		// And back.
		resource.TestStep{Config: undeclaredBlueprint(`relations = { r = { target = "b" } }`) + releaseOfB, Check: a.valueOfR},
		resource.TestStep{Config: undeclaredBlueprint(`relations = { r = { target = "b" } }`), ConfigPlanChecks: emptyPlan, Check: a.valueOfR},
		// What the blueprint declared itself and drops is removed, as always.
		resource.TestStep{Config: undeclaredBlueprint(``), Check: func(*terraform.State) error {
			if all := jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/b", nil), "blueprint", "relations"); len(all) > 0 {
				return fmt.Errorf("relations: %s", jsonv.Encode(all))
			}
			return nil
		}},
	)
}

// The same guard works without a refresh, where the relation is not read.
func TestAPlanThatDropsAManagedRelationIsRefusedWithoutARefresh(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	u := newTerminal(t, source+undeclaredBlueprint(`undeclared_relations = "remove", relations = { r = { target = "b" } }`)+importOfB, online(p)...)
	p.Seed(`{"blueprints": [{"identifier": "b", "title": "B", "schema": {"properties": {}}, "relations": {"r": {"target": "b"}}}]}`)
	u.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	u.write("main.tf", source+undeclaredBlueprint(`undeclared_relations = "remove"`)+relationOfB)
	out := u.must(1, "plan", "-refresh=false", "-input=false", "-no-color")
	if !strings.Contains(out, "Relation r of blueprint b would lose its values") {
		t.Errorf("plan:\n%s", out)
	}
}

// A relation that somebody adds in Port is left alone and, unless it came from the
// same credentials, named; "remove" shows it as drift and takes it away.
func TestARelationAddedByHand(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	add := func(key string) {
		p.Must(http.MethodPatch, "/v1/blueprints/b", jsonv.Object{"relations": jsonv.Object{key: jsonv.Object{"target": "b"}}})
	}
	holds := func() string {
		return strings.Join(sortedKeys(jsonv.Map(p.Must(http.MethodGet, "/v1/blueprints/b", nil), "blueprint", "relations")), " ")
	}
	body := `relations = { r = { target = "b" } }`
	u := newTerminal(t, source+undeclaredBlueprint(body), append(online(p), "PORT_CLIENT_ID="+p.ClientID)...)
	u.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	add("hand")
	u.must(0, "plan", "-detailed-exitcode", "-input=false", "-no-color")
	u.write("main.tf", source+undeclaredBlueprint(body+`, description = "D"`))
	u.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	if got := holds(); got != "hand r" {
		t.Errorf("after an update the relations are %q", got)
	}
	u.write("main.tf", source+undeclaredBlueprint(body+`, description = "D", undeclared_relations = "remove"`))
	out := u.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	if got := holds(); got != "r" || !strings.Contains(out, "takes away hand") {
		t.Errorf("after the removal the relations are %q; apply:\n%s", got, out)
	}
	add("again")
	if out := u.must(2, "plan", "-detailed-exitcode", "-input=false", "-no-color"); !strings.Contains(out, `- "again" = {`) {
		t.Errorf("plan:\n%s", out)
	}
}

// An imported blueprint has all its relations, declared or not: until the
// configuration says what to do, dropping one is in the plan.
func TestAnImportedBlueprintHasItsRelations(t *testing.T) {
	t.Parallel()
	a := open(t)
	a.Seed(`{"blueprints": [{"identifier": "b", "title": "B", "schema": {"properties": {}}, "relations": {"r": {"target": "b"}, "s": {"target": "b"}}}]}`)
	config := func(body string) string {
		return "import {\n  to = port_blueprint.b\n  id = \"b\"\n}\n" + undeclaredBlueprint(body)
	}
	a.run(
		resource.TestStep{Config: config(`relations = { r = { target = "b" }, s = { target = "b" } }`), ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
			only{"port_blueprint.b", "force_delete_entities"},
		}}},
		resource.TestStep{Config: config(`relations = { s = { target = "b" } }`), Check: func(*terraform.State) error {
			if got := sortedKeys(jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/b", nil), "blueprint", "relations")); len(got) != 1 || got[0] != "s" {
				return fmt.Errorf("relations: %v", got)
			}
			return nil
		}},
	)
}

func undeclaredUser(body string) string {
	return "resource \"port_system_blueprint\" \"u\" {\n  identifier = \"_user\"\n" + lines(body) + "\n}\n"
}

const relationOfUser = `
resource "port_blueprint_relation" "r" {
  blueprint_identifier = port_system_blueprint.u.identifier
  identifier           = "r"
  target               = "_team"
}
`

// A system blueprint's relations are its own, unless it is told to keep those that
// are declared elsewhere: then port_blueprint_relation adds to it in peace.
func TestASystemBlueprintKeepsRelationsDeclaredElsewhereLong(t *testing.T) {
	t.Parallel()
	long(t)
	a := open(t)
	own := `, relations = { s = { target = "_team" } }`
	relations := func(want ...string) resource.TestCheckFunc {
		return func(*terraform.State) error {
			got := sortedKeys(jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/_user", nil), "blueprint", "relations"))
			if diff := cmp.Diff(want, got); diff != "" {
				return fmt.Errorf("relations (-want +got):\n%s", diff)
			}
			return nil
		}
	}
	shipped := sortedKeys(jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/_user", nil), "blueprint", "relations"))
	if len(shipped) > 0 {
		t.Fatalf("_user ships relations: %v", shipped)
	}
	a.run(
		resource.TestStep{Config: undeclaredUser(own) + relationOfUser, ExpectNonEmptyPlan: true, ExpectError: match(`set undeclared_relations = "keep" in the port_system_blueprint`)},
		resource.TestStep{Config: undeclaredUser(`undeclared_relations = "keep"`+own) + relationOfUser, Check: relations("r", "s")},
		resource.TestStep{Config: undeclaredUser(`undeclared_relations = "keep"`+own) + relationOfUser, ConfigPlanChecks: emptyPlan},
		// An update, and a relation that is declared no more, leave it alone.
		resource.TestStep{Config: undeclaredUser(`undeclared_relations = "keep", properties = { string_props = { p = {} } }`+own) + relationOfUser, Check: relations("r", "s")},
		resource.TestStep{Config: undeclaredUser(`undeclared_relations = "keep"`) + relationOfUser, Check: relations("r", "s")},
		resource.TestStep{Config: undeclaredUser(`undeclared_relations = "keep"`) + relationOfUser, ConfigPlanChecks: emptyPlan},
		// Not to keep them any more is refused while somebody manages one, and removes the rest.
		resource.TestStep{Config: undeclaredUser(``) + relationOfUser, ExpectError: match(`Relation r of blueprint _user would lose its values`)},
		resource.TestStep{Config: undeclaredUser(``), Check: relations()},
		resource.TestStep{Config: undeclaredUser(``), ConfigPlanChecks: emptyPlan},
	)
}
