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
	"github.com/portlens/terraform-provider-port/internal/provider"
)

// renamedBlueprint is the blueprint svc with more attributes.
func renamedBlueprint(body string) string {
	return "resource \"port_blueprint\" \"this\" {\n  identifier = \"svc\"\n  title = \"Service\"\n" + lines(body) + "\n}"
}

// shows checks an entity's values and relations.
func (a *account) shows(id string, want jsonv.Object) resource.TestCheckFunc {
	return func(*terraform.State) error {
		entity := jsonv.Map(a.Must(http.MethodGet, "/v1/blueprints/svc/entities/"+id, nil), "entity")
		got := jsonv.Object{}
		for key, v := range jsonv.Map(entity, "properties") {
			if v != nil {
				got[key] = v
			}
		}
		for key, v := range jsonv.Map(entity, "relations") {
			if v != nil {
				got["->"+key] = v
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("entity %s: %s", id, diff)
		}
		return nil
	}
}

func TestRenamedFromKeepsTheValuesBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, renamedFromKeepsTheValues)
}

func renamedFromKeepsTheValues(t *testing.T, change func(*provider.Options)) {
	a := open(t, change)
	before := `properties = {
    string_props = { s = { required = true } }, number_props = { n = {} }, boolean_props = { b = {} }, array_props = { l = { string_items = {} } }, object_props = { o = {} }
  }
  relations = { r = { target = "svc" } }
  mirror_properties = { m = { path = "r.s" } }`
	after := `properties = {
    string_props = { s2 = { required = true, renamed_from = "s" } }, number_props = { n2 = { renamed_from = "n", title = "N" } }, boolean_props = { b2 = { renamed_from = "b" } },
    array_props = { l2 = { string_items = {}, renamed_from = "l" } }, object_props = { o2 = { renamed_from = "o" } }
  }
  relations = { r2 = { target = "svc", renamed_from = "r" } }
  mirror_properties = { m2 = { path = "r2.s2", renamed_from = "m" } }`
	left := strings.NewReplacer(`, renamed_from = "s"`, "", `renamed_from = "n", `, "", `renamed_from = "b"`, "", `, renamed_from = "l"`, "", `renamed_from = "o"`, "",
		`, renamed_from = "r"`, "", `, renamed_from = "m"`, "").Replace(after)
	values := func(suffix string) jsonv.Object {
		return jsonv.Object{
			"s" + suffix: "text", "n" + suffix: jsonv.Int(7), "b" + suffix: true, "l" + suffix: []any{"x"}, "o" + suffix: jsonv.Object{"k": jsonv.Int(1)},
			"m" + suffix: "text", "->r" + suffix: "e",
		}
	}
	a.run(
		resource.TestStep{Config: renamedBlueprint(before)},
		resource.TestStep{
			PreConfig: func() {
				a.Must(http.MethodPost, "/v1/blueprints/svc/entities", jsonv.Object{
					"identifier": "e", "title": "E", "relations": jsonv.Object{"r": "e"},
					"properties": jsonv.Object{"s": "text", "n": jsonv.Int(7), "b": true, "l": []any{"x"}, "o": jsonv.Object{"k": jsonv.Int(1)}},
				})
			},
			Config: renamedBlueprint(after),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				changes{"port_blueprint.this", []string{"properties", "relations", "mirror_properties"}},
			}},
			Check: a.shows("e", values("2")),
		},
		resource.TestStep{Config: renamedBlueprint(after), ConfigPlanChecks: emptyPlan},
		// Leaving it out once it is done is no change.
		resource.TestStep{Config: renamedBlueprint(left), ConfigPlanChecks: emptyPlan, Check: a.shows("e", values("2"))},
		// Nor does it run again when something else changes.
		resource.TestStep{
			PreConfig: a.Forget, Config: renamedBlueprint(strings.Replace(left, `title = "N"`, `title = "M"`, 1)),
			Check: resource.ComposeTestCheckFunc(a.sent("PUT /v1/blueprints/svc"), a.shows("e", values("2"))),
		},
		resource.TestStep{
			PreConfig: func() { a.Must(http.MethodDelete, "/v1/blueprints/svc/entities/e", nil) },
			Config:    renamedBlueprint(left),
		},
	)
}

// Names may be handed on, and swapped, in one apply.
func TestRenamedFromHandsNamesOnAndSwapsThemLong(t *testing.T) {
	t.Parallel()
	long(t)
	a := open(t)
	config := func(props string) string {
		return renamedBlueprint("force_delete_entities = true\n  properties = { string_props = { " + props + " } }")
	}
	a.run(
		resource.TestStep{Config: config(`a = {}, b = {}, c = {}`)},
		resource.TestStep{
			PreConfig: func() {
				a.Must(http.MethodPost, "/v1/blueprints/svc/entities", jsonv.Object{
					"identifier": "e", "title": "E", "properties": jsonv.Object{"a": "1", "b": "2", "c": "3"},
				})
			},
			Config: config(`b = { renamed_from = "a" }, c = { renamed_from = "b" }, d = { renamed_from = "c" }`),
			Check:  a.shows("e", jsonv.Object{"b": "1", "c": "2", "d": "3"}),
		},
		resource.TestStep{
			Config: config(`b = { renamed_from = "d" }, c = {}, d = { renamed_from = "b" }`),
			Check:  a.shows("e", jsonv.Object{"b": "3", "c": "2", "d": "1"}),
		},
		resource.TestStep{Config: config(`b = { renamed_from = "d" }, c = {}, d = { renamed_from = "b" }`), ConfigPlanChecks: emptyPlan},
		resource.TestStep{
			Config: config(`b = { renamed_from = "c" }, c = { renamed_from = "d" }, d = { renamed_from = "b", title = "D" }`),
			// What d says is what it said before, so only b and c move; and they cannot.
			ExpectError: match("Both"),
		},
		resource.TestStep{
			Config: config(`d = {}, x = { renamed_from = "c" }, y = { renamed_from = "b" }`),
			Check:  a.shows("e", jsonv.Object{"d": "1", "x": "2", "y": "3"}),
		},
	)
}

// A circle that is interrupted half way is finished by the next apply.
func TestAnInterruptedSwapIsTakenUpAgainLong(t *testing.T) {
	t.Parallel()
	long(t)
	for _, broken := range []string{"/v1/blueprints/svc/properties/a/rename", "/v1/blueprints/svc/properties/b/rename", "renaming-", "PUT"} {
		t.Run(strings.ReplaceAll(broken, "/", " "), func(t *testing.T) {
			t.Parallel()
			a := open(t)
			config := func(props string) string {
				return renamedBlueprint("force_delete_entities = true\n  properties = { string_props = { " + props + " } }")
			}
			swap := config(`a = { renamed_from = "b" }, b = { renamed_from = "a" }`)
			a.run(
				resource.TestStep{Config: config(`a = {}, b = {}`)},
				resource.TestStep{
					PreConfig: func() {
						a.Must(http.MethodPost, "/v1/blueprints/svc/entities", jsonv.Object{
							"identifier": "e", "title": "E", "properties": jsonv.Object{"a": "1", "b": "2"},
						})
						failing := once(http.MethodPatch, broken)
						switch broken {
						case "PUT":
							failing = once(http.MethodPut, "/v1/blueprints/svc")
						case "renaming-":
							failing.Path = "/v1/blueprints/svc/properties/" + provider.AsideOf("b", "a") + "/rename"
						}
						a.Fail(failing, 1, refused)
					},
					Config: swap, ExpectError: match("not today"),
				},
				resource.TestStep{Config: swap, Check: a.shows("e", jsonv.Object{"a": "2", "b": "1"})},
				resource.TestStep{Config: swap, ConfigPlanChecks: emptyPlan},
			)
		})
	}
}

func TestRenamedFromSaysWhatCannotBe(t *testing.T) {
	t.Parallel()
	a := open(t)
	config := func(props string) string {
		return renamedBlueprint("properties = { " + props + " }")
	}
	a.run(
		// A new account has nothing to rename.
		resource.TestStep{Config: config(`string_props = { a = { renamed_from = "older" }, b = {} }`)},
		resource.TestStep{Config: config(`string_props = { a = {}, b = { renamed_from = "a" } }`), PlanOnly: true, ExpectError: match("Both a and b exist")},
		resource.TestStep{Config: config(`string_props = { a = {}, b = {}, c = { renamed_from = "z" } }`), PlanOnly: true, ExpectError: match("Nothing to rename to c")},
		resource.TestStep{Config: config(`string_props = { x = { renamed_from = "a" }, y = { renamed_from = "a" } }`), PlanOnly: true, ExpectError: match("Renamed twice")},
		resource.TestStep{Config: config(`string_props = { a = { renamed_from = "a" } }`), PlanOnly: true, ExpectError: match("Renamed from itself")},
		resource.TestStep{Config: config(`string_props = { b = {} }, number_props = { x = { renamed_from = "a" } }`), PlanOnly: true, ExpectError: match("Property type changed: x of blueprint svc")},
		// Renamed by hand meanwhile: there is nothing left to do.
		resource.TestStep{
			PreConfig: func() {
				a.Must(http.MethodPatch, "/v1/blueprints/svc/properties/a/rename", jsonv.Object{"newPropertyName": "x"})
				a.Forget()
			},
			Config: config(`string_props = { b = {}, x = { renamed_from = "a" } }`),
			Check:  a.sent(),
		},
		resource.TestStep{Config: config(`string_props = { b = {}, x = { renamed_from = "a" } }`), ConfigPlanChecks: emptyPlan},
	)
}
