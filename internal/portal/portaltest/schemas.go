package portaltest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/dlclark/regexp2"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// schemas are the published response schemas. They are not part of this
// repository: the file is used when it stands beside the checkout.
type schemas struct {
	paths jsonv.Object
	mu    sync.Mutex
	built map[string]*jsonschema.Schema
}

var noteOnce sync.Once

// published loads the schemas once per process; without the file it returns nil
// and a sentence that says so.
var published = sync.OnceValues(func() (*schemas, string) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, "portaltest: answers are not checked against published schemas: " + err.Error()
	}
	for {
		file := filepath.Join(dir, "shared", "reference", "port-openapi.json")
		if text, err := os.ReadFile(file); err == nil {
			return parseSchemas(text)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return nil, "portaltest: answers are not checked against published schemas: shared/reference/port-openapi.json does not stand beside the checkout"
		}
		dir = parent
	}
})

func parseSchemas(text []byte) (*schemas, string) {
	document, err := jsonv.DecodeObject(text)
	if err != nil {
		return nil, "portaltest: the published schemas cannot be read: " + err.Error()
	}
	paths := jsonv.Object{}
	for path, operations := range jsonv.Map(document, "paths") {
		paths[anonymous(path)] = operations
	}
	return &schemas{paths: paths, built: map[string]*jsonschema.Schema{}}, ""
}

var parameter = regexp.MustCompile(`\{[^}]*\}`)

// anonymous drops the names of parameters, which differ between the published
// paths and the routes.
func anonymous(path string) string { return parameter.ReplaceAllString(path, "{}") }

func (s *schemas) problems(route string, status int, body jsonv.Object) []string {
	schema, err := s.schema(route, status)
	if err != nil {
		return []string{"the published schema cannot be used: " + err.Error()}
	}
	if schema == nil {
		return nil
	}
	if err := schema.Validate(body); err != nil {
		return []string{fmt.Sprintf("not as published: %v", err)}
	}
	return nil
}

// schema is nil where nothing is published.
func (s *schemas) schema(route string, status int) (*jsonschema.Schema, error) {
	method, pattern, ok := strings.Cut(route, " ")
	if !ok {
		return nil, nil
	}
	key := fmt.Sprintf("%s %d", route, status)
	s.mu.Lock()
	defer s.mu.Unlock()
	if built, ok := s.built[key]; ok {
		return built, nil
	}
	definition := jsonv.Map(s.paths, anonymous(pattern), strings.ToLower(method), "responses", fmt.Sprint(status), "content", "application/json", "schema")
	if definition == nil {
		s.built[key] = nil
		return nil, nil
	}
	definition = jsonv.CloneObject(definition)
	if required, ok := definition["required"].([]any); ok {
		definition["required"] = jsonv.FromStrings(slices.Compact(slices.Sorted(slices.Values(jsonv.Strings(required)))))
	}
	for _, e := range exceptions {
		if e.applies(route, status) {
			e.edit(definition)
		}
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseRegexpEngine(compileRegexp)
	if err := compiler.AddResource("mem:///schema.json", definition); err != nil {
		return nil, err
	}
	built, err := compiler.Compile("mem:///schema.json")
	if err == nil {
		s.built[key] = built
	}
	return built, err
}

// pattern lets the validator use a regular expression engine with look-ahead,
// which the published identifier patterns need.
type pattern struct{ *regexp2.Regexp }

func (p pattern) MatchString(s string) bool {
	ok, err := p.Regexp.MatchString(s)
	return err == nil && ok
}

func compileRegexp(s string) (jsonschema.Regexp, error) {
	re, err := regexp2.Compile(s, regexp2.ECMAScript|regexp2.Unicode)
	if err != nil {
		return nil, err
	}
	return pattern{re}, nil
}

// exception is a place where the reference wins over the published schema.
type exception struct {
	applies func(route string, status int) bool
	edit    func(schema jsonv.Object)
}

var exceptions = []exception{
	// Errors may carry details (reference/catalog.md §1.2).
	{func(_ string, status int) bool { return status >= 400 }, allow("details")},
	// The Terraform provider sends the display format of calculated dates
	// (reference/catalog.md §2.8).
	{func(route string, status int) bool { return status < 300 && strings.Contains(route, "/v1/blueprints") }, insideCalculations("dateFormat")},
	// Every client polls the migration (reference/catalog.md §2.16 X1).
	{only("DELETE /v1/blueprints/{blueprint}/all-entities"), allow("migrationId")},
	// The published entity is the request body's; answers carry more
	// (reference/catalog.md §4.1).
	{func(route string, status int) bool { return status < 300 && strings.Contains(route, "entities") }, inside([]string{"entity", "entities"}, "blueprint", "createdAt", "createdBy", "updatedAt", "updatedBy", "scorecards")},
	// The published answer is that of a search (reference/catalog.md §4.12).
	{only("POST /v1/entities/aggregate"), allow("result")},
	// Newer servers turn pages (reference/actions.md §4.3).
	{only("GET /v1/actions/runs"), allow("next")},
	// History tells objects, not numbers (reference/catalog.md §4.11).
	{only("POST /v1/entities/properties-history"), allow("result")},
	// A relation may carry titles (reference/catalog.md §4.8 J5).
	{func(route string, status int) bool { return status < 300 && strings.Contains(route, "entities") }, inside([]string{"entity", "entities"}, "relations")},
	// The credentials of a service account stand beside the entity, once
	// (reference/identity.md §5 A1).
	{only("POST /v1/blueprints/{blueprint}/entities"), allow("additionalData")},
	{only("POST /v1/blueprints/{blueprint}/entities/bulk"), inside([]string{"entities"}, "additionalData")},
	// What a webhook sends is any JSON (reference/actions.md §3.1).
	{func(route string, status int) bool { return status < 300 && strings.Contains(route, "/runs") }, anyBody},
	// Users who never logged in have no time of it and have accepted nothing, and parts
	// of teams and roles make objects of them (reference/identity.md §2.1, §2.2).
	{func(route string, status int) bool { return status < 300 && strings.Contains(route, "/v1/users") }, looserUsers},
	// The Terraform provider leaves titles of aggregation properties out
	// (reference/catalog.md §2.9).
	{func(route string, status int) bool { return status < 300 && strings.Contains(route, "/blueprints") }, untitled},
}

// looserUsers lets go of what the published user says about parts and nulls.
func looserUsers(schema jsonv.Object) {
	for _, user := range []jsonv.Object{
		jsonv.Map(schema, "properties"), jsonv.Map(schema, "properties", "user", "properties"),
		jsonv.Map(schema, "properties", "users", "items", "properties"),
	} {
		if user["orgMembers"] == nil {
			continue
		}
		user["termsAccepted"] = jsonv.Object{"type": []any{"boolean", "null"}}
		for _, key := range []string{"teams", "roles", "orgMembers"} {
			user[key] = jsonv.Object{"type": "array", "items": jsonv.Object{"type": []any{"string", "object"}}}
		}
	}
}

// anyBody lets the evaluated body of a run's webhook be of any shape.
func anyBody(schema jsonv.Object) {
	for _, run := range []jsonv.Object{jsonv.Map(schema, "properties", "run"), jsonv.Map(schema, "properties", "runs", "items")} {
		loosen(jsonv.Map(run, "properties")["payload"])
	}
}

func loosen(payload any) {
	for _, key := range []string{"anyOf", "oneOf", "allOf"} {
		for _, part := range jsonv.List(payload, key) {
			loosen(part)
		}
	}
	if properties := jsonv.Map(payload, "properties"); properties["body"] != nil {
		properties["body"] = true
	}
}

// untitled makes the title of aggregation properties optional wherever a schema
// describes them.
func untitled(schema jsonv.Object) { relax(schema, false) }

func relax(v any, within bool) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			relax(e, within)
		}
	case jsonv.Object:
		if required, ok := v["required"].([]any); ok && within {
			v["required"] = jsonv.FromStrings(slices.DeleteFunc(jsonv.Strings(required), func(key string) bool { return key == "title" }))
		}
		for key, e := range v {
			relax(e, within || key == "aggregationProperties")
		}
	}
}

func only(route string) func(string, int) bool {
	return func(r string, _ int) bool { return r == route }
}

// allow adds a property of any shape to an object schema that is closed.
func allow(name string) func(jsonv.Object) {
	return func(schema jsonv.Object) {
		if properties := jsonv.Map(schema, "properties"); properties != nil {
			properties[name] = true
		}
	}
}

// insideCalculations is [allow] for the calculation properties of blueprints.
func insideCalculations(name string) func(jsonv.Object) {
	return func(schema jsonv.Object) {
		for _, key := range []string{"blueprint", "blueprints"} {
			document := jsonv.Map(schema, "properties", key)
			if items := jsonv.Map(document, "items"); items != nil {
				document = items
			}
			calculations := jsonv.Map(document, "properties", "calculationProperties")
			allow(name)(jsonv.Map(calculations, "additionalProperties"))
			for _, entry := range jsonv.Map(calculations, "patternProperties") {
				allow(name)(jsonv.Map(entry))
			}
		}
	}
}

// inside is [allow] for the documents, or lists of documents, under some keys of
// the answer.
func inside(keys []string, names ...string) func(jsonv.Object) {
	return func(schema jsonv.Object) {
		for _, key := range keys {
			document := jsonv.Map(schema, "properties", key)
			if items := jsonv.Map(document, "items"); items != nil {
				document = items
			}
			for _, name := range names {
				allow(name)(document)
			}
		}
	}
}
