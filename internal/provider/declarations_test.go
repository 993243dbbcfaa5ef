package provider

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/lens/lenstest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func kindOf(t testing.TB, name string) *kind {
	t.Helper()
	for _, k := range registered {
		if k.decl.Name == name {
			return k
		}
	}
	t.Fatalf("no declaration %q", name)
	return nil
}

const wireBlueprint = `{
  "identifier": "svc", "title": "Service", "icon": "Microservice", "description": "d",
  "schema": {"properties": {
    "s": {"type": "string", "title": "S", "icon": "i", "description": "d", "default": "a", "format": "url", "dateFormat": "relative", "minLength": 0, "maxLength": 9,
          "pattern": "^a", "spec": "embedded-url", "specAuthentication": {"clientId": "c", "tokenUrl": "https://t", "authorizationUrl": "https://a"},
          "enum": ["a", "b"], "enumColors": {"a": "red"}},
    "n": {"type": "number", "title": "N", "icon": "i", "description": "d", "default": 0.1, "minimum": 0, "maximum": 9007199254740993, "enum": [0.1, 2], "enumColors": {"0.1": "blue"}},
    "b": {"type": "boolean", "title": "B", "icon": "i", "description": "d", "default": false},
    "any": {"type": "array", "title": "L", "icon": "i", "description": "d", "minItems": 0, "maxItems": 3},
    "strings": {"type": "array", "items": {"type": "string", "format": "email", "pattern": "^a", "enum": ["a"], "enumColors": {"a": "red"}}, "default": ["a"]},
    "numbers": {"type": "array", "items": {"type": "number"}, "default": [1, 2.5]},
    "booleans": {"type": "array", "items": {"type": "boolean"}, "default": [true]},
    "objects": {"type": "array", "items": {"type": "object", "format": "labeled-url"}, "default": [{"url": "https://x"}]},
    "o": {"type": "object", "title": "O", "icon": "i", "description": "d", "default": {"a": [1, null]}, "spec": "open-api", "format": "labeled-url"}
  }, "required": ["b", "s"]},
  "relations": {"r": {"target": "x", "title": "R", "description": "d", "many": false, "required": true}, "m": {"target": "x", "many": true, "required": false}},
  "mirrorProperties": {"mp": {"path": "r.$title", "title": "M"}},
  "calculationProperties": {"c": {"calculation": ".title", "type": "string", "title": "C", "description": "d", "icon": "i", "format": "url", "dateFormat": "relative",
    "colorized": true, "colors": {"x": "green"}, "spec": "open-api", "specAuthentication": {"clientId": "c", "tokenUrl": "t", "authorizationUrl": "a"}}},
  "aggregationProperties": {"agg": {"title": "A", "type": "number", "target": "x", "calculationSpec": {"calculationBy": "entities", "func": "count"}}},
  "ownership": {"type": "Inherited", "path": "r", "title": "Owners"},
  "teamInheritance": {"path": "r"},
  "changelogDestination": {"type": "WEBHOOK", "url": "https://h", "agent": true},
  "includeInGlobalSearch": true,
  "createdAt": "2024-01-01T00:00:00.000Z", "createdBy": "c", "updatedAt": "2024-01-02T00:00:00.120Z", "updatedBy": "u"
}`

const bareBlueprint = `{"identifier": "svc", "title": "Service", "schema": {"properties": {}, "required": []},
  "relations": {}, "mirrorProperties": {}, "calculationProperties": {}, "aggregationProperties": {}, "ownership": {"type": "Direct"},
  "changelogDestination": {"type": "KAFKA"}, "createdAt": "2024-01-01T00:00:00.000Z", "createdBy": "c", "updatedAt": "2024-01-01T00:00:00.000Z", "updatedBy": "u"}`

const wireBlueprintRelation = `{"blueprint_identifier": "a:b", "identifier": "r", "target": "x", "title": "R", "description": "d", "many": false, "required": true}`

const wireEntity = `{
  "identifier": "a:b", "title": "A", "icon": "i", "blueprint": "svc", "team": ["x", "y"],
  "properties": {"s": "", "n": 9007199254740993, "f": 0.1, "b": false, "o": {"a": [1, null]}, "l": ["b", "a"], "m": [1, 2.5], "t": [true], "j": [{"a": 1}]},
  "relations": {"one": "x", "none": null, "many": ["x", "y"]},
  "createdAt": "2024-01-01T00:00:00.000Z", "createdBy": "c", "updatedAt": "2024-01-02T00:00:00.120Z", "updatedBy": "u"
}`

const wireAggregations = `{"identifier": "svc", "aggregationProperties": {
  "count": {"title": "C", "icon": "i", "description": "d", "target": "x", "calculationSpec": {"calculationBy": "entities", "func": "count"},
    "query": {"combinator": "and", "rules": [{"property": "$title", "operator": "=", "value": "<a>"}]}, "pathFilter": [{"fromBlueprint": "x", "path": ["r", "s"]}]},
  "rate": {"target": "x", "calculationSpec": {"calculationBy": "entities", "func": "average", "averageOf": "week", "measureTimeBy": "$updatedAt"}},
  "mean": {"target": "x", "calculationSpec": {"calculationBy": "property", "func": "average", "averageOf": "total", "measureTimeBy": "since", "property": "n"}},
  "sum": {"target": "x", "calculationSpec": {"calculationBy": "property", "func": "sum", "property": "n"}, "pathFilter": [{"path": ["r"]}]}
}}`

// additionsOf is what port_system_blueprint reads of a document, were nothing of
// it built in.
func additionsOf(t *testing.T, document string) string {
	t.Helper()
	body, err := jsonv.DecodeObject([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return string(jsonv.Encode(additions(body, jsonv.Object{}, tftypes.Value{})))
}

const wireEntities = `{"blueprint": "svc", "entities": {
  "a:b": {"title": "A", "icon": "i", "team": ["x", "y"],
    "properties": {"s": "", "n": 9007199254740993, "f": 0.1, "b": false, "o": {"a": [1, null]}, "l": ["b", "a"], "m": [1, 2.5], "t": [true], "j": [{"a": 1}]},
    "relations": {"one": "x", "none": null, "many": ["x", "y"]}},
  "c": {"title": "", "properties": {}, "relations": {}}
}}`

const wireTeam = `{"name": "Core Team", "identifier": "core_team", "description": "d", "provider": "port", "users": ["a@x.io", "b@x.io"],
  "createdAt": "2024-01-01T00:00:00.000Z", "updatedAt": "2024-01-02T00:00:00.120Z"}`

const wireUser = `{
  "identifier": "ann@x.io", "title": "Ann Bee", "icon": "User", "blueprint": "_user", "team": ["core", "ops"],
  "properties": {"status": "Active", "port_role": "Moderator", "port_type": "Standard", "moderated_blueprints": ["service", "env"],
    "s": "", "n": 9007199254740993, "b": false, "o": {"a": [1, null]}, "l": ["b", "a"]},
  "relations": {"manager": "bob@x.io", "none": null, "reports": ["x", "y"]},
  "createdAt": "2024-01-01T00:00:00.000Z", "createdBy": "c", "updatedAt": "2024-01-02T00:00:00.120Z", "updatedBy": "u"
}`

const bareUser = `{"identifier": "ann@x.io", "title": "ann@x.io", "team": [], "properties": {"status": "Disabled", "port_role": "Member", "port_type": "Standard"}, "relations": {}}`

const wireServiceAccount = `{
  "identifier": "bot@serviceaccounts.getport.io", "title": "Bot", "icon": "User", "team": ["core"],
  "properties": {"status": "Active", "port_role": "Admin", "port_type": "Service Account", "moderated_blueprints": ["service"], "s": "a"}, "relations": {"manager": "bob@x.io"},
  "createdAt": "2024-01-01T00:00:00.000Z", "createdBy": "c", "updatedAt": "2024-01-02T00:00:00.120Z", "updatedBy": "u"
}`

const wireActionRun = `{
  "id": "r_0123456789abcdef", "action": {"identifier": "scale"}, "entity": {"identifier": "cart"},
  "rawProperties": {"n": 9007199254740993, "s": "<a>", "l": []}, "source": "API", "status": "SUCCESS", "statusLabel": "Done", "link": ["https://ci/1"], "summary": "fine",
  "approval": {"userId": "u", "state": "APPROVED", "description": ""}, "payload": {"type": "KAFKA"}, "response": [1], "externalRunId": "7",
  "createdBy": "u", "impersonatedBy": "c", "logs": [{"message": "one\ntwo", "createdAt": "2024-01-01T00:00:00.000Z"}],
  "entities": [{"action": "CREATE", "blueprint": "service", "identifier": "cart"}], "approvers": [{"userId": "u", "state": "PENDING", "description": ""}],
  "createdAt": "2024-01-01T00:00:00.000Z", "updatedAt": "2024-01-02T00:00:00.120Z", "endedAt": "2024-01-02T00:00:00.120Z"
}`

const bareActionRun = `{"id": "r_1", "action": {"identifier": "scale"}, "source": "API", "status": "IN_PROGRESS", "statusLabel": null, "link": [], "summary": "", "payload": null, "approval": null,
  "logs": [], "entities": [], "approvers": []}`

// accountOf is what the codecs of users see of an entity.
func accountOf(t *testing.T, entity string) string {
	t.Helper()
	body, err := jsonv.DecodeObject([]byte(entity))
	if err != nil {
		t.Fatal(err)
	}
	document := accountDocument(body)
	delete(document, "blueprint")
	delete(document, "type") // the resources do not say it
	return string(jsonv.Encode(document))
}

func someName(r *lenstest.Random) string { return fmt.Sprintf("team-%d", r.N(1000)) }

func someDuration(r *lenstest.Random) string { return fmt.Sprintf("%ds", r.N(1000)) }

func someEmail(domain string) func(*lenstest.Random) string {
	return func(r *lenstest.Random) string { return fmt.Sprintf("u%d@%s", r.N(1000), domain) }
}

func TestDeclarationsObeyTheLaws(t *testing.T) {
	t.Parallel()
	t.Run("blueprint", func(t *testing.T) {
		t.Parallel()
		lenstest.Laws(t, kindOf(t, "blueprint").codec, lenstest.Wire(wireBlueprint), lenstest.Wire(bareBlueprint))
	})
	t.Run("blueprint relation", func(t *testing.T) {
		t.Parallel()
		lenstest.Laws(t, kindOf(t, "blueprint_relation").codec, lenstest.Wire(wireBlueprintRelation),
			lenstest.Wire(`{"blueprint_identifier": "a", "identifier": "r", "target": "x", "many": true, "required": false}`))
	})
	t.Run("entity", func(t *testing.T) {
		t.Parallel()
		lenstest.Laws(t, kindOf(t, "entity").codec, lenstest.Wire(wireEntity))
	})
	t.Run("system_blueprint", func(t *testing.T) {
		t.Parallel()
		lenstest.Laws(t, kindOf(t, "system_blueprint").codec, lenstest.Wire(additionsOf(t, wireBlueprint)), lenstest.Wire(additionsOf(t, bareBlueprint)))
	})
	t.Run("aggregation_properties", func(t *testing.T) {
		t.Parallel()
		lenstest.Laws(t, kindOf(t, "aggregation_properties").codec, lenstest.Wire(wireAggregations), lenstest.Wire(`{"identifier": "svc", "aggregationProperties": {}}`))
	})
	t.Run("entities", func(t *testing.T) {
		t.Parallel()
		lenstest.Laws(t, kindOf(t, "entities").codec, lenstest.Wire(wireEntities))
	})
	t.Run("app", func(t *testing.T) {
		t.Parallel()
		lenstest.Laws(t, kindOf(t, "app").codec, lenstest.Wire(`{"id": "c", "name": "CI", "enabled": true, "secret": "s",
			"createdAt": "2024-01-01T00:00:00.000Z", "updatedAt": "2024-01-02T00:00:00.120Z"}`))
	})
	t.Run("action_run", func(t *testing.T) {
		t.Parallel()
		lenstest.Laws(t, kindOf(t, "action_run").codec, lenstest.Wire(wireActionRun), lenstest.Wire(bareActionRun), lenstest.Texts("timeout", someDuration))
	})
	t.Run("action_run_approval", func(t *testing.T) {
		t.Parallel()
		lenstest.Laws(t, kindOf(t, "action_run_approval").codec, lenstest.Wire(`{"id": "r_1", "decision": "APPROVE", "description": "fine", "status": "SUCCESS"}`),
			lenstest.Wire(`{"id": "r_1", "decision": "DECLINE", "status": "DECLINED"}`), lenstest.Texts("timeout", someDuration))
	})
	t.Run("team", func(t *testing.T) {
		t.Parallel()
		lenstest.Laws(t, kindOf(t, "team").codec, lenstest.Wire(wireTeam), lenstest.Wire(`{"name": "ab"}`), lenstest.Texts("name", someName))
	})
	t.Run("user", func(t *testing.T) {
		t.Parallel()
		lenstest.Laws(t, kindOf(t, "user").codec, lenstest.Wire(accountOf(t, wireUser)), lenstest.Wire(accountOf(t, bareUser)), lenstest.Texts("email", someEmail("x.io")))
	})
	t.Run("service_account", func(t *testing.T) {
		t.Parallel()
		lenstest.Laws(t, kindOf(t, "service_account").codec, lenstest.Wire(accountOf(t, wireServiceAccount)), lenstest.Texts("identifier", someName))
	})
	t.Run("organization", func(t *testing.T) {
		t.Parallel()
		lenstest.Laws(t, kindOf(t, "organization").codec, lenstest.Wire(`{"name": "Acme"}`), lenstest.Wire(`{"id": "org_1", "name": "Acme", "featureFlags": ["A"],
			"settings": {"hiddenBlueprints": ["a"], "federatedLogout": true, "portalIcon": "Box", "portalTitle": "T", "supportUserPermission": "OPT_IN", "supportUserTTL": "FOREVER",
			  "supportUserExpiresAt": "2030-01-01T00:00:00.000Z", "portAgentStreamerName": "KAFKA", "include_blueprints_in_global_search_by_default": false},
			"announcement": {"enabled": true, "content": "c", "link": "l", "color": "red"}, "isOnboarded": true}`),
			lenstest.Texts("settings.support_user_expires_at", func(*lenstest.Random) string { return "2031-01-01T00:00:00.000Z" }))
	})
	t.Run("blueprint_permissions", func(t *testing.T) {
		t.Parallel()
		lenstest.Laws(t, kindOf(t, "blueprint_permissions").codec, lenstest.Wire(permissionsDocument(t, wirePermissions)), lenstest.Wire(permissionsDocument(t, barePermissions)))
	})
	t.Run("organization_secret", func(t *testing.T) {
		t.Parallel()
		lenstest.Laws(t, kindOf(t, "organization_secret").codec,
			lenstest.Wire(`{"secretName": "K", "description": "d"}`), lenstest.Wire(`{"secretName": "K-2_b"}`))
	})
}

// What a data source asks is a codec as any other.
func TestQueriesObeyTheLaws(t *testing.T) {
	t.Parallel()
	wires := map[string][]string{
		"search": {`{"query": {"combinator": "and", "rules": [{"property": "$title", "operator": "=", "value": 1.5}]}, "include": ["a"], "exclude": [], "excludeCalculatedProperties": false, "attachTitleToRelation": true}`},
		"entities": {
			`{"blueprint": "svc", "query": {"combinator": "or", "rules": []}, "include": ["$title"], "exclude": ["b", "a"], "excludeCalculatedProperties": true, "limit": 7}`,
			`{"blueprint": "svc", "combinator": "and", "rules": [
				{"property": "lang", "operator": "in", "value": ["a", "b"]}, {"relation": "env", "operator": "=", "value": "x"},
				{"property": "$createdAt", "operator": "between", "value": {"preset": "today"}},
				{"blueprint": "env", "operator": "relatedTo", "value": "x", "direction": "upstream"}, {"property": "lang", "operator": "isEmpty"}]}`,
		},
		"blueprints":  {`{}`},
		"whoami":      {`{}`},
		"users":       {`{"emails": ["a@x.io"], "teams": ["a", "b"], "role": "Admin", "status": "Invited", "type": "Standard"}`},
		"teams":       {`{"names": ["a", "b"], "providerName": "port", "user": "a@x.io"}`},
		"actions":     {`{"identifiers": ["a"], "blueprints": ["svc"], "operations": ["CREATE", "DAY-2"], "published": false, "triggerType": "automation", "triggerEvents": ["RUN_UPDATED"], "eventActions": ["b"]}`},
		"action_runs": {`{"action": "a", "blueprint": "svc", "entity": "x", "active": true, "userEmail": "a@x.io", "userId": "u", "sources": ["API", "UI"], "externalRunId": "7", "limit": 3}`},
	}
	for _, a := range queries {
		t.Run(a.query.Name, func(t *testing.T) {
			t.Parallel()
			var samples []lenstest.Sample
			for _, text := range wires[a.query.Name] {
				samples = append(samples, lenstest.Wire(text))
			}
			if len(samples) == 0 {
				t.Fatal("no sample of what it asks")
			}
			lenstest.Laws(t, a.args, samples...)
		})
	}
}

// config makes a configuration from JSON text with the names of attributes.
func config(t testing.TB, k *kind, text string) tftypes.Value {
	t.Helper()
	given, err := jsonv.DecodeObject([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	v, err := tftypes.ValueFromJSON(jsonv.Encode(filled(k.attrs, given)), k.typ) //nolint:staticcheck // the simplest way to a value
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// filled adds nulls for the attributes left out, which the decoder insists on.
func filled(attrs []lens.Attr, given jsonv.Object) jsonv.Object {
	out := jsonv.Object{}
	for _, a := range attrs {
		v := given[a.Name]
		if o, ok := v.(jsonv.Object); ok && len(a.Nested) > 0 {
			if a.Nesting == lens.Single {
				v = filled(a.Nested, o)
			} else {
				m := jsonv.Object{}
				for key, e := range o {
					m[key] = nil
					if e, ok := e.(jsonv.Object); ok {
						m[key] = filled(a.Nested, e)
					}
				}
				v = m
			}
		}
		if l, ok := v.([]any); ok && len(a.Nested) > 0 {
			all := make([]any, len(l))
			for i, e := range l {
				all[i] = e
				if e, ok := e.(jsonv.Object); ok {
					all[i] = filled(a.Nested, e)
				}
			}
			v = all
		}
		out[a.Name] = v
	}
	return out
}

func TestCalculationsThatDoNotParseAreWarnings(t *testing.T) {
	t.Parallel()
	k := kindOf(t, "blueprint")
	for program, warned := range map[string]bool{
		".a |":                            true,
		"frobnicate(.a)":                  true,
		".properties.a == 'x'":            false, // quotes as Port takes them
		"select(.x=='a')":                 true,  // which it does not rewrite here
		`"it's"`:                          false,
		".properties.tags | map(. + 1)":   false,
		`.properties["my-key"] // "none"`: false,
	} {
		text := string(jsonv.Encode(jsonv.Object{"identifier": "a", "title": "A", "calculation_properties": jsonv.Object{"c": jsonv.Object{"calculation": program, "type": "string"}}}))
		diags := k.validate(config(t, k, text))
		if diags.HasError() || (diags.WarningsCount() > 0) != warned {
			t.Errorf("%s: %v", program, diags)
		}
		for _, d := range diags {
			at, ok := d.(diag.DiagnosticWithPath)
			if !ok || at.Path().String() != `calculation_properties["c"].calculation` {
				t.Errorf("%s: the warning is not at the attribute: %v", program, d)
			}
		}
	}
}

// schemaDump is the provider's schema in the shape of `terraform providers schema
// -json`, without descriptions.
func schemaDump(t *testing.T) jsonv.Object {
	t.Helper()
	factory, _ := NewServer(Options{})
	resp, err := factory().GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil || len(resp.Diagnostics) > 0 {
		t.Fatalf("schema: %v %v", err, resp.Diagnostics)
	}
	all := func(m map[string]*tfprotov6.Schema) jsonv.Object {
		out := jsonv.Object{}
		for name, s := range m {
			out[name] = jsonv.Object{"version": jsonv.Int(s.Version), "block": dumpBlock(t, s.Block)}
		}
		return out
	}
	return jsonv.Object{
		"provider":                   all(map[string]*tfprotov6.Schema{"p": resp.Provider})["p"],
		"resource_schemas":           all(resp.ResourceSchemas),
		"data_source_schemas":        all(resp.DataSourceSchemas),
		"ephemeral_resource_schemas": all(resp.EphemeralResourceSchemas),
	}
}

func dumpBlock(t *testing.T, b *tfprotov6.SchemaBlock) jsonv.Object {
	out := jsonv.Object{"attributes": dumpAttributes(t, b.Attributes)}
	if len(b.BlockTypes) > 0 {
		t.Error("blocks are not dumped yet")
	}
	return out
}

func dumpAttributes(t *testing.T, attributes []*tfprotov6.SchemaAttribute) jsonv.Object {
	t.Helper()
	out := jsonv.Object{}
	for _, a := range attributes {
		d := jsonv.Object{}
		for name, set := range map[string]bool{
			"required": a.Required, "optional": a.Optional, "computed": a.Computed, "sensitive": a.Sensitive, "deprecated": a.Deprecated, "write_only": a.WriteOnly,
		} {
			if set {
				d[name] = true
			}
		}
		switch {
		case a.NestedType != nil:
			d["nested_type"] = jsonv.Object{
				"nesting_mode": strings.ToLower(a.NestedType.Nesting.String()),
				"attributes":   dumpAttributes(t, a.NestedType.Attributes),
			}
		default:
			text, err := json.Marshal(a.Type)
			if err != nil {
				t.Fatal(err)
			}
			if d["type"], err = jsonv.Decode(text); err != nil {
				t.Fatal(err)
			}
		}
		out[a.Name] = d
	}
	return out
}

func TestSchemaIsAsCommitted(t *testing.T) {
	t.Parallel()
	text := indent(t, schemaDump(t))
	file := filepath.Join("testdata", "schema.json")
	if *update {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(text)); diff != "" {
		t.Errorf("the schema changed; run the test with -update if it should:\n%s", diff)
	}
}

func TestEveryAttributeIsDescribed(t *testing.T) {
	t.Parallel()
	factory, _ := NewServer(Options{})
	resp, err := factory().GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var walk func(at string, attributes []*tfprotov6.SchemaAttribute)
	walk = func(at string, attributes []*tfprotov6.SchemaAttribute) {
		for _, a := range attributes {
			if a.Description == "" {
				t.Errorf("%s.%s has no description", at, a.Name)
			}
			if a.NestedType != nil {
				walk(at+"."+a.Name, a.NestedType.Attributes)
			}
		}
	}
	walk("provider", resp.Provider.Block.Attributes)
	for _, m := range []map[string]*tfprotov6.Schema{resp.ResourceSchemas, resp.DataSourceSchemas, resp.EphemeralResourceSchemas} {
		for name, s := range m {
			if s.Block.Description == "" {
				t.Errorf("%s has no description", name)
			}
			walk(name, s.Block.Attributes)
		}
	}
}

func indent(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

// The official provider's schema, where it stands beside the checkout, must be
// contained in ours: same names, types, nesting and flags.
func TestSchemaContainsTheOfficialOne(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "reference", "official-schema.json"))
	if errors.Is(err, fs.ErrNotExist) {
		// The committed dump was checked against it and stands in for it.
		t.Log("the official schema is not at hand")
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	official, err := jsonv.DecodeObject(text)
	if err != nil {
		t.Fatal(err)
	}
	ours := schemaDump(t)
	contains(t, "provider", jsonv.Map(official, "provider"), jsonv.Map(ours, "provider"))
	for name, s := range jsonv.Map(ours, "resource_schemas") {
		theirs := jsonv.Map(official, "resource_schemas", name)
		if theirs == nil {
			continue
		}
		contains(t, name, theirs, s)
	}
	for name, theirs := range jsonv.Map(official, "data_source_schemas") {
		contains(t, "data "+name, theirs, jsonv.Map(ours, "data_source_schemas")[name])
	}
}

// relaxed are flags that say less than the official ones: what was valid stays so,
// and a value may be given in another way instead.
var relaxed = map[string]bool{
	"port_organization_secret.block.attributes.secret_value.required": true,
	"port_organization_secret.block.attributes.secret_value.optional": true,
}

// contains reports what want has and got has not. Flags must agree, absent
// meaning false; only attributes may be added, and only optional or computed
// ones.
func contains(t *testing.T, at string, want, got any) {
	t.Helper()
	w, ok := want.(jsonv.Object)
	if !ok {
		if !jsonv.Equal(want, got) {
			t.Errorf("%s: want %s, got %s", at, jsonv.Encode(want), jsonv.Encode(got))
		}
		return
	}
	g, _ := got.(jsonv.Object)
	for key, v := range w {
		if relaxed[at+"."+key] {
			continue
		}
		contains(t, at+"."+key, v, g[key])
	}
	for key, v := range g {
		if _, theirs := w[key]; theirs {
			continue
		}
		if strings.HasSuffix(at, ".attributes") {
			if jsonv.Bool(v, "required") {
				t.Errorf("%s.%s: an added attribute is required", at, key)
			}
			continue
		}
		if key != "sensitive" && !relaxed[at+"."+key] { // hiding more is allowed
			t.Errorf("%s.%s: added: %s", at, key, jsonv.Encode(v))
		}
	}
}
