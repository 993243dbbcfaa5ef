package provider

import (
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// Every problem is said once, in the server's words, with what support needs.
func TestFaultsAreSaidOnce(t *testing.T) {
	t.Parallel()
	k := kindOf(t, "blueprint")
	v := config(t, k, `{"identifier": "a", "title": "A", "properties": {"string_props": {"s": {}, "u": {}}}, "relations": {"r": {"target": "zz"}}, "ownership": {"type": "Inherited", "path": "r.x"}}`)
	for name, c := range map[string]struct {
		fault portapi.Fault
		at    []string
		words []string // one for each, and each once
	}{
		"two problems": {
			portapi.Fault{Code: "invalid_request", Message: "2 problems", Details: details(t, `{"errors": [
				{"path": "/schema/properties/s/default", "message": "first is bad"}, {"path": "/schema/properties/u/default", "message": "second is bad"}]}`)},
			[]string{`properties.string_props["s"].default`, `properties.string_props["u"].default`},
			[]string{"first is bad", "second is bad"},
		},
		"one of two leads nowhere": {
			portapi.Fault{Code: "invalid_request", Message: "2 problems", Details: details(t, `{"errors": [
				{"path": "/schema/properties/s/default", "message": "first is bad"}, {"path": "/nonsense", "message": "second is bad"}]}`)},
			[]string{`properties.string_props["s"].default`, ``},
			[]string{"first is bad", "/nonsense: second is bad"},
		},
		"one problem": {
			portapi.Fault{Code: "invalid_request", Message: "/schema/properties/s is bad", Details: details(t, `{"errors": [{"path": "/schema/properties/s", "message": "is bad"}]}`)},
			[]string{`properties.string_props["s"]`},
			[]string{"is bad"},
		},
		"the older form": {
			portapi.Fault{Code: "not_found", Message: "no zz", Details: details(t, `{"relation": "r"}`)},
			[]string{`relations["r"]`},
			[]string{"no zz"},
		},
		"an ownership path": {
			portapi.Fault{Code: "invalid_inherited_ownership_path", Message: "the path entered", Details: details(t, `{"missingRelation": "r"}`)},
			[]string{`ownership.path`},
			[]string{"the path entered"},
		},
	} {
		f := c.fault
		f.Status, f.Method, f.Path, f.RequestID = 422, "PUT", "/v1/blueprints/a", "trace-7"
		diags := protocolDiagnostics(k.failure("update", []string{"a"}, &f, v))
		if len(diags) != len(c.at) {
			t.Errorf("%s: %s", name, say(diags))
			continue
		}
		for i, d := range diags {
			if got := lens.PathString(d.Attribute); got != c.at[i] {
				t.Errorf("%s: at %q, want %q", name, got, c.at[i])
			}
			where := "(" + f.Code + ", PUT /v1/blueprints/a, status 422, request id trace-7)"
			// Terraform shows the lines of the resource, not those of what is in it.
			if deep := strings.ContainsAny(c.at[i], ".["); strings.HasPrefix(d.Detail, "Attribute "+c.at[i]+": ") != deep {
				t.Errorf("%s: the place is not said: %q", name, d.Detail)
			}
			if strings.Count(d.Detail, where) != 1 || strings.Count(d.Detail, c.words[i]) != 1 {
				t.Errorf("%s: %q", name, d.Detail)
			}
			for j, other := range c.words {
				if j != i && strings.Contains(d.Detail, other) {
					t.Errorf("%s: problem %d says %q too", name, i, other)
				}
			}
		}
	}
}

func details(t *testing.T, text string) jsonv.Object {
	t.Helper()
	d, err := jsonv.DecodeObject([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Terraform shows the line of the resource and nothing finer below a nested
// attribute: the text has to say where the mistake is, once.
func TestMistakesNameTheirPlace(t *testing.T) {
	t.Parallel()
	server := connect(t, portaltest.Start(t))
	for _, c := range []struct{ kind, body, place string }{
		{"blueprint", `"relations": {"a": {"target": "x", "many": true, "required": true}}`, `relations["a"].required`},
		{"blueprint", `"properties": {"array_props": {"l": {"string_items": {}, "number_items": {}}}}`, `properties.array_props["l"]`},
		{"blueprint", `"properties": {"string_props": {"s": {"enum": ["x", null]}}}`, `properties.string_props["s"].enum[1]`},
		{"blueprint", `"properties": {"string_props": {"a b": {}}}`, `properties.string_props`},
		{"blueprint", `"properties": {"string_props": {"s": {"min_length": 1.5}}}`, `properties.string_props["s"].min_length`},
		{"blueprint", `"properties": {"string_props": {"s": {"pattern": "("}}}`, `properties.string_props["s"].pattern`},
		{"entity", `"properties": {"array_props": {"string_items": {"l": ["a", null]}}}`, `properties.array_props.string_items["l"][1]`},
	} {
		k := kindOf(t, c.kind)
		body := `{"identifier": "a", "title": "A", ` + c.body + `}`
		if c.kind == "entity" {
			body = `{"blueprint": "b", ` + body[1:]
		}
		resp, err := server.ValidateResourceConfig(context.Background(), &tfprotov6.ValidateResourceConfigRequest{
			TypeName: k.decl.typeName(), Config: server.dynamic(k.typ, config(t, k, body)),
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(resp.Diagnostics) != 1 || strings.Count(resp.Diagnostics[0].Detail, c.place) != 1 {
			t.Errorf("%s: want one problem at %s, got %s", c.body, c.place, say(resp.Diagnostics))
		}
	}
}
