package provider

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// choices are the ways to write an attribute, as JSON text; "" leaves it out.
type choices map[string][]string

// formula, as an alternative to each attribute that has one, is added by [alternatives].
const someJQ = `".form.x | length > 0"`

var (
	everyInput = choices{
		"title": {`""`, `"T"`}, "icon": {`"Box"`}, "description": {`"d"`, `""`}, "required": {`true`}, "depends_on": {`[]`, `["dep"]`},
		"visible": {`true`, `false`}, "disabled": {`true`, `false`},
	}
	texts = choices{
		"default": {`"aa"`}, "min_length": {`0`, `2`}, "max_length": {`9`}, "pattern": {`"^a"`, `""`}, "enum": {`["aa", "b"]`}, "enum_colors": {`{}`, `{"aa": "red"}`},
		"sort":    {`{"property": "$title"}`, `{"property": "p", "order": "DESC"}`, `{"property": "p", "order": "ASC"}`},
		"format":  {`"multi-line"`, `"markdown"`, `"yaml"`, `"user"`, `"team"`, `"proto"`},
		"dataset": {`{"combinator": "and", "rules": []}`, someDataset, deepDataset(10)},
	}
	numbers = choices{"default": {`2`, `2.5`}, "minimum": {`0`, `-1.5`, `1e-7`}, "maximum": {`9007199254740993`, `10`}, "enum": {`[2, 2.5]`}, "enum_colors": {`{}`, `{"2": "blue"}`}}
	flags   = choices{"default": {`true`, `false`}}
	objects = choices{"default": {`"{}"`, `"{ \"b\": 1.0, \"a\":\"<&>\" }"`, `"{\"n\":12345678901234567890}"`}}
	lists   = choices{"min_items": {`0`, `1`}, "max_items": {`3`}, "sort": {`{"property": "$title"}`}}
	items   = []string{
		``, `"string_items": {}`, `"string_items": {"default": [], "enum": ["a", "b"]}`, `"string_items": {"default": ["a"], "format": "entity", "blueprint": "service", "enum_jq_query": "[1]",
		  "dataset": "{ \"rules\": [{\"value\": 5, \"operator\":\"=\",\"property\":\"p\"}], \"combinator\":\"and\"}"}`,
		`"number_items": {}`, `"number_items": {"default": [1, 2.5], "enum": [1, 2.5]}`, `"number_items": {"enum_jq_query": ".e"}`,
		`"boolean_items": {}`, `"boolean_items": {"default": [true, false]}`, `"object_items": {}`, `"object_items": {"default": [{"a": "b"}, {}]}`, `"default_jq_query": ".d"`,
	}
	withQuery  = []string{"visible", "disabled", "default", "pattern", "enum", "min_items", "max_items"}
	conditions = []string{
		`{"type":"SEARCH","combinator":"and","rules":[]}`, `{ "rules": [ {"operator":"=", "property":"tier", "value":"\u003c"} ], "type": "SEARCH",
		  "combinator": "or" }`,
	}
	payloads = []string{`"{}"`, `"[]"`, `"[ 1, \"{{ .run.id }}\", 1.0 ]"`, `"{\"b\":null,\"a\":12345678901234567890}"`, `"{\"x\": \"\\u003cb\\u003e\"}"`}
	bodies   = append(slices.Clone(payloads), `"\"{{ .inputs }}\""`, `"5"`)
	mappings = []string{`"{}"`, `"{ \"a\": \"{{ .inputs.a }}\" }"`, `"{\"b\":1,\"a\":[1.50]}"`}
	targets  = []string{`"{}"`, `"{ \"r\": \"{{ .inputs.a }}\", \"m\":[\"x\"], \"n\": null }"`}
	switches = []string{`"true"`, `"false"`, `"{{ .inputs.a }}"`, `"\n {{ .inputs.a }} \n"`}
	words    = []string{`"w"`, `"{{ .inputs.a }}"`}
)

const someDataset = `{"combinator": "or", "rules": [{"property": "p", "operator": "=", "value": {"jq_query": ".form.a"}}, {"property": "p", "operator": "=", "value_json": "null"},
  {"property": "p", "operator": "in", "value_json": "[ 1, \"a\"]"}, {"property": "p", "operator": "isEmpty"}, {"blueprint": "service", "operator": "relatedTo", "value": {"jq_query": "\"x\""}},
  {"combinator": "and", "rules": []}, {"combinator": "and", "rules": [{"property": "$team", "operator": "containsAny", "value": {"jq_query": ".user.team"}}]}]}`

func deepDataset(depth int) string {
	rules := `[{"property": "p", "operator": "isEmpty"}]`
	for range depth {
		rules = `[{"combinator": "and", "rules": ` + rules + `}]`
	}
	return `{"combinator": "and", "rules": ` + rules + `}`
}

// draw writes actions at random.
type draw struct{ *rand.Rand }

func (d draw) one(of []string) string { return of[d.IntN(len(of))] }

func (d draw) maybe(of ...string) string {
	if d.IntN(2) == 0 {
		return ""
	}
	return d.one(of)
}

// object writes the attributes of all, or a few; each that has one in jq in either
// way.
func (d draw) object(own string, all ...choices) string {
	var out []string
	if own != "" {
		out = append(out, own)
	}
	density := 1 + d.IntN(4)
	for _, c := range all {
		for _, name := range slices.Sorted(maps.Keys(c)) {
			if d.IntN(density) > 0 {
				continue
			}
			value := d.one(c[name])
			if slices.Contains(withQuery, name) && d.IntN(3) == 0 {
				name, value = name+"_jq_query", someJQ
			}
			if name == "required" && strings.Contains(own, "unrequired") {
				continue
			}
			out = append(out, `"`+name+`": `+value)
		}
	}
	return "{" + strings.Join(out, ", ") + "}"
}

// inputs writes user_properties.
func (d draw) inputs(byQuery bool) string {
	mark := ""
	if byQuery {
		mark = `"unrequired": 1`
	}
	group := func(name string, each func() string) string {
		switch d.IntN(4) {
		case 0:
			return ""
		case 1:
			if d.IntN(3) == 0 {
				return `"` + name + `": {}`
			}
		}
		var all []string
		for i := range 1 + d.IntN(3) {
			all = append(all, fmt.Sprintf(`"%s%d": %s`, name[:1], i, each()))
		}
		return `"` + name + `": {` + strings.Join(all, ", ") + `}`
	}
	secret := choices{"x": {`"encryption": "aes256-gcm"`, `"client_side_encryption": {"algorithm": "client-side", "key": "K"}`}}
	with := func(own string) string { return strings.Trim(mark+", "+own, ", ") }
	groups := []string{
		group("string_props", func() string {
			own := d.maybe(append(secret["x"], `"format": "entity", "blueprint": "service"`)...)
			c := choices{}
			for k, v := range texts {
				if !strings.Contains(own, `"format"`) || k != "format" {
					c[k] = v
				}
			}
			return d.object(with(own), everyInput, c)
		}),
		group("number_props", func() string { return d.object(mark, everyInput, numbers) }),
		group("boolean_props", func() string { return d.object(mark, everyInput, flags) }),
		group("object_props", func() string { return d.object(with(d.maybe(secret["x"]...)), everyInput, objects) }),
		group("array_props", func() string {
			own := d.one(items)
			c := lists
			if strings.Contains(own, `"default": []`) {
				c = choices{"max_items": lists["max_items"]}
			}
			return d.object(with(own), everyInput, c)
		}),
	}
	return joined(groups...)
}

func joined(parts ...string) string {
	return "{" + strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ") + "}"
}

func (d draw) field(name string, of []string) string {
	if v := d.maybe(of...); v != "" {
		return `"` + name + `": ` + v
	}
	return ""
}

func quoted(all []string) []string {
	var out []string
	for _, s := range all {
		out = append(out, string(jsonv.Encode(s)))
	}
	return out
}

func (d draw) trigger() string {
	if d.IntN(4) == 0 {
		event := d.one([]string{"entity_created", "entity_updated", "entity_deleted", "any_entity_change", "timer_property_expired", "run_created", "run_updated", "any_run_change"})
		of := `"blueprint_identifier": "service"`
		if strings.Contains(event, "run") {
			of = `"action_identifier": "other"`
		} else if strings.Contains(event, "timer") {
			of += `, "property_identifier": "expires"`
		}
		return `"automation_trigger": ` + joined(`"`+event+`_event": {`+of+`}`,
			d.field("jq_condition", []string{`{}`, `{"expressions": []}`, `{"expressions": [], "combinator": "or"}`, `{"expressions": [".a", ".b"]}`, `{"expressions": [".a"], "combinator": "or"}`}))
	}
	byQuery := d.IntN(3) == 0
	parts := []string{}
	operation := d.one([]string{"CREATE", "DAY-2", "DELETE"})
	parts = append(parts, `"operation": "`+operation+`"`)
	if operation != "CREATE" {
		parts = append(parts, `"blueprint_identifier": "service"`, d.field("condition", quoted(conditions)))
	}
	if d.IntN(5) > 0 {
		parts = append(parts, `"user_properties": `+d.inputs(byQuery))
	}
	if byQuery {
		parts = append(parts, `"required_jq_query": `+someJQ)
	}
	parts = append(parts, d.field("titles", []string{`{}`, `{"t": {"title": "T"}}`, `{"t": {"title": "T", "description": "", "visible": true}, "u": {"title": "U", "description": "d", "visible_jq_query": ".form.a"}}`}))
	if d.IntN(2) == 0 {
		parts = append(parts, d.field("order_properties", []string{`[]`, `["t", "s0"]`, `["s0", "s0", "nothing"]`}))
	} else {
		parts = append(parts, d.field("steps", []string{`[]`, `[{"title": "", "order": []}]`, `[{"title": "one", "order": ["s0"], "visible": false}, {"title": "two", "order": ["t"], "visible_jq_query": ".form.a"}]`}))
	}
	parts = append(parts, d.field("action_card_button_text", []string{`"Go"`, `"Run  it"`}), d.field("execute_action_button_text", []string{`"éà"`, `"123456789012345"`}))
	return `"self_service_trigger": ` + joined(parts...)
}

func (d draw) method() string {
	workflow := func() string {
		return joined(`"org": "o"`, `"repo": "{{ .inputs.r }}"`, `"workflow": "w.yml"`, d.field("workflow_inputs", mappings), d.field("report_workflow_status", switches))
	}
	switch d.IntN(7) {
	case 0:
		return `"kafka_method": ` + joined(d.field("payload", payloads))
	case 1:
		return `"webhook_method": ` + joined(`"url": "https://x.example.com/{{ .inputs.a }}"`, d.field("agent", switches), d.field("synchronized", switches),
			d.field("method", []string{`"POST"`, `"GET"`, `"{{ .inputs.m }}"`}), d.field("headers", []string{`{}`, `{"A": "", "b-c": "{{ .run.id }}"}`}), d.field("body", bodies))
	case 2:
		return `"github_method": ` + workflow()
	case 3:
		return `"gitlab_method": ` + joined(`"project_name": "p"`, `"group_name": "g/h"`, d.field("default_ref", words), d.field("pipeline_variables", mappings))
	case 4:
		return `"azure_method": ` + joined(`"org": "o"`, `"webhook": "w"`, d.field("payload", payloads))
	case 5:
		mapping := d.maybe(`{}`, joined(d.field("identifier", words), d.maybe(`"teams": []`, `"teams": ["b", "a"]`, `"teams_jq": "{{ .user.team }}"`), d.field("icon", words), d.field("properties", mappings), d.field("relations", targets)))
		if mapping != "" {
			mapping = `"mapping": ` + mapping
		}
		return `"upsert_entity_method": ` + joined(`"blueprint_identifier": "service"`, d.field("title", append(words, `""`)), mapping)
	}
	return `"integration_method": {"installation_id": "i", "integration_action_type": "dispatch_workflow", "integration_action_execution_properties": ` + workflow() + `}`
}

// action writes a whole configuration.
func (d draw) action(identifier string) string {
	return joined(`"identifier": "`+identifier+`"`, d.field("title", []string{`"T"`, `""`}), d.field("icon", words), d.field("description", []string{`""`, `"a <b> & c"`}),
		d.trigger(), d.method(), d.field("required_approval", []string{`"true"`, `"false"`, `"ANY"`, `"ALL"`}),
		d.maybe(`"approval_email_notification": {}`, `"approval_webhook_notification": {"url": "https://x.example.com"}`, `"approval_webhook_notification": {"url": "https://x.example.com", "format": "slack"}`),
		d.field("publish", []string{`true`, `false`}), d.field("allow_anyone_to_view_runs", []string{`true`, `false`}), d.field("blueprint", []string{`""`}))
}
