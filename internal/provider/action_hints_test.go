package provider

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// simple is the configuration of an action with a form, and with what it does.
func simple(form, method string) string {
	return `{"identifier": "a", "self_service_trigger": {"operation": "DAY-2", "blueprint_identifier": "service", ` + form + `}, ` + method + `}`
}

func inputs(of string) string { return simple(`"user_properties": {`+of+`}`, `"kafka_method": {}`) }

func textIn(of string) string { return inputs(`"string_props": {"k": {` + of + `}}`) }

func ruleIn(rule string) string {
	return textIn(`"format": "entity", "blueprint": "b", "dataset": {"combinator": "and", "rules": [` + rule + `]}`)
}

func conditionIn(text string) string {
	return simple(`"condition": `+string(jsonv.Encode(text)), `"kafka_method": {}`)
}

// What cannot do what it seems to say is announced: once, at the attribute, with
// what is wrong and what would be right. None of it stops an apply.
func TestActionHints(t *testing.T) {
	t.Parallel()
	k := kindOf(t, "action")
	const ofK = `self_service_trigger.user_properties.string_props["k"].`
	for name, c := range map[string]struct{ config, at, says string }{
		"format":                  {textIn(`"format": "holiday"`), ofK + "format", `no format "holiday"`},
		"default of a user":       {textIn(`"format": "user", "default": "ann"`), ofK + "default", "an e-mail address"},
		"default of a link":       {textIn(`"format": "url", "default": "example.com"`), ofK + "default", "https://"},
		"default of an address":   {textIn(`"format": "ipv4", "default": "::1"`), ofK + "default", "IPv4"},
		"default of another":      {textIn(`"format": "ipv6", "default": "10.0.0.1"`), ofK + "default", "IPv6"},
		"default of a date":       {textIn(`"format": "date-time", "default": "tomorrow"`), ofK + "default", "2024-01-31T12:00:00Z"},
		"default of items":        {inputs(`"array_props": {"k": {"string_items": {"format": "email", "default": ["a@x.io", "b"]}}}`), `self_service_trigger.user_properties.array_props["k"].string_items.default[1]`, `"b"`},
		"lengths":                 {textIn(`"min_length": 3, "max_length": 2`), ofK + "min_length", "min_length is 3 and max_length is 2"},
		"numbers":                 {inputs(`"number_props": {"k": {"minimum": 3.5, "maximum": 2}}`), `self_service_trigger.user_properties.number_props["k"].minimum`, "minimum is 3.5"},
		"items":                   {inputs(`"array_props": {"k": {"min_items": 3, "max_items": 2}}`), `self_service_trigger.user_properties.array_props["k"].min_items`, "max_items is 2"},
		"colour":                  {textIn(`"enum": ["a"], "enum_colors": {"a": "red", "b": "blue"}`), ofK + `enum_colors["b"]`, `"b" is not in enum`},
		"dataset of text":         {textIn(`"dataset": {"combinator": "and", "rules": []}`), ofK + "dataset", `format = "entity"`},
		"blueprint of text":       {textIn(`"blueprint": "b", "format": "team"`), ofK + "blueprint", `format = "entity"`},
		"waits for itself":        {textIn(`"depends_on": ["k"]`), ofK + "depends_on", "k waits for k"},
		"waits for nobody":        {textIn(`"depends_on": ["x"]`), ofK + "depends_on[0]", `"x" is no input`},
		"jq":                      {textIn(`"visible_jq_query": ".form.a =="`), ofK + "visible_jq_query", "does not parse"},
		"jq in braces":            {textIn(`"default_jq_query": "{{ .form.a }}"`), ofK + "default_jq_query", "does not parse"},
		"jq of items":             {inputs(`"array_props": {"k": {"string_items": {"enum_jq_query": "["}}}`), `self_service_trigger.user_properties.array_props["k"].string_items.enum_jq_query`, "does not parse"},
		"jq of a rule":            {ruleIn(`{"property": "p", "operator": "=", "value": {"jq_query": ".a ="}}`), ofK + "dataset.rules[0].value.jq_query", "does not parse"},
		"jq of a step":            {simple(`"steps": [{"title": "one", "order": [], "visible_jq_query": "("}]`, `"kafka_method": {}`), "self_service_trigger.steps[0].visible_jq_query", "does not parse"},
		"rule without operator":   {ruleIn(`{"property": "p"}`), ofK + "dataset.rules[0].operator", "needs an operator"},
		"rule with another":       {ruleIn(`{"property": "p", "operator": "equals", "value_json": "1"}`), ofK + "dataset.rules[0].operator", `no operator "equals"`},
		"rule without value":      {ruleIn(`{"property": "p", "operator": "="}`), ofK + "dataset.rules[0].operator", "value_json"},
		"order":                   {simple(`"order_properties": ["x"]`, `"kafka_method": {}`), "self_service_trigger.order_properties[0]", `"x" is no input`},
		"order of a step":         {simple(`"steps": [{"title": "one", "order": ["x"]}]`, `"kafka_method": {}`), "self_service_trigger.steps[0].order[0]", `"x" is no input`},
		"condition of a creation": {`{"identifier": "a", "self_service_trigger": {"operation": "CREATE", "condition": "{\"type\":\"SEARCH\",\"combinator\":\"and\",\"rules\":[]}"}, "kafka_method": {}}`, "self_service_trigger.condition", "not offered on entities"},
		"condition of no type":    {conditionIn(`{"combinator": "and", "rules": []}`), "self_service_trigger.condition", `"SEARCH"`},
		"condition of jq":         {conditionIn(`{"type": "JQ", "expressions": []}`), "self_service_trigger.condition", `"SEARCH"`},
		"condition of no rules":   {conditionIn(`{"type": "SEARCH", "combinator": "and"}`), "self_service_trigger.condition", "needs rules"},
		"condition of a xor":      {conditionIn(`{"type": "SEARCH", "combinator": "xor", "rules": []}`), "self_service_trigger.condition", `"or"`},
		"condition that computes": {conditionIn(`{"type": "SEARCH", "combinator": "and", "rules": [{"property": "p", "operator": "=", "value": {"jqQuery": "."}}]}`), "self_service_trigger.condition", "literal"},
		"URL":                     {simple(`"steps": []`, `"webhook_method": {"url": "example.com/hook"}`), "webhook_method.url", "scheme and host"},
		"URL of notifications":    {simple(`"steps": []`, `"kafka_method": {}, "approval_webhook_notification": {"url": "chat"}`), "approval_webhook_notification.url", "scheme and host"},
		"body of a GET":           {simple(`"steps": []`, `"webhook_method": {"url": "https://x.io", "method": "GET", "body": "{}"}`), "webhook_method.body", "sends no body"},
		"header":                  {simple(`"steps": []`, `"webhook_method": {"url": "https://x.io", "headers": {"a b": "c"}}`), `webhook_method.headers["a b"]`, "no name of a header"},
		"signature":               {simple(`"steps": []`, `"webhook_method": {"url": "https://x.io", "headers": {"X-Port-Signature": "c"}}`), `webhook_method.headers["X-Port-Signature"]`, "itself"},
		"template":                {simple(`"steps": []`, `"webhook_method": {"url": "https://x.io/{{ .a = }}"}`), "webhook_method.url", "does not parse"},
		"eleven inputs":           {simple(`"steps": []`, `"github_method": {"org": "o", "repo": "r", "workflow": "w", "workflow_inputs": "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,\"l\":1}"}`), "github_method.workflow_inputs", "at most 10"},
		"approval of automation":  {`{"identifier": "a", "required_approval": "ANY", "automation_trigger": {"run_created_event": {"action_identifier": "x"}}, "kafka_method": {}}`, "required_approval", "no effect"},
		"jq of an event":          {`{"identifier": "a", "automation_trigger": {"run_created_event": {"action_identifier": "x"}, "jq_condition": {"expressions": ["true", ".a ="]}}, "kafka_method": {}}`, "automation_trigger.jq_condition.expressions[1]", "does not parse"},
	} {
		found := protocolDiagnostics(k.validate(config(t, k, c.config)))
		if len(found) != 1 || faultsOf(found) != "" {
			t.Errorf("%s: want one warning: %s", name, say(found))
			continue
		}
		if at := lens.PathString(found[0].Attribute); at != c.at || !strings.Contains(found[0].Detail, c.says) {
			t.Errorf("%s: at %s: %s", name, at, found[0].Detail)
		}
	}
}

// Mistakes that Port would refuse, or that can never work, are errors.
func TestActionErrorsPointAtTheAttribute(t *testing.T) {
	t.Parallel()
	k := kindOf(t, "action")
	deep := strings.Replace(deepDataset(10), `[{"property": "p", "operator": "isEmpty"}]`, `[{"combinator": "and"}]`, 1)
	for name, c := range map[string]struct{ config, at, says string }{
		"name of a route":     {strings.Replace(inputs(""), `"a"`, `"runs"`, 1), "identifier", "runs"},
		"targets":             {simple(`"steps": []`, `"upsert_entity_method": {"blueprint_identifier": "b", "mapping": {"relations": "{\"r\": 5}"}}`), "upsert_entity_method.mapping.relations", `relation "r"`},
		"many targets":        {simple(`"steps": []`, `"upsert_entity_method": {"blueprint_identifier": "b", "mapping": {"relations": "{\"r\": [\"a\", {}]}"}}`), "upsert_entity_method.mapping.relations", "a list with object"},
		"innermost group":     {textIn(`"format": "entity", "blueprint": "b", "dataset": ` + deep), "", "one more"},
		"key of a title":      {simple(`"titles": {"a b": {"title": "T"}}`, `"kafka_method": {}`), "self_service_trigger.titles", `"a b"`},
		"blank title":         {simple(`"titles": {"t": {"title": ""}}`, `"kafka_method": {}`), `self_service_trigger.titles["t"].title`, "1 to 140"},
		"button with a blank": {simple(`"action_card_button_text": "Go "`, `"kafka_method": {}`), "self_service_trigger.action_card_button_text", "white space"},
		"long button":         {simple(`"execute_action_button_text": "1234567890123456"`, `"kafka_method": {}`), "self_service_trigger.execute_action_button_text", "15"},
		"minimum of nothing":  {textIn(`"min_length": -1`), `self_service_trigger.user_properties.string_props["k"].min_length`, "at least 0"},
		"key without a PEM":   {textIn(`"client_side_encryption": {"algorithm": "client-side", "key": ""}`), `self_service_trigger.user_properties.string_props["k"].client_side_encryption.key`, "empty"},
		"default of an enum":  {textIn(`"enum": ["a"], "default": "b"`), `self_service_trigger.user_properties.string_props["k"].default`, `"b" is not`},
		"number of an enum":   {inputs(`"number_props": {"k": {"enum": [1], "default": 2.5}}`), `self_service_trigger.user_properties.number_props["k"].default`, "2.5 is not"},
		"another algorithm":   {textIn(`"encryption": "rot13"`), `self_service_trigger.user_properties.string_props["k"].encryption`, "aes256-gcm"},
		"order of a sort":     {textIn(`"sort": {"property": "p", "order": "UP"}`), `self_service_trigger.user_properties.string_props["k"].sort.order`, "DESC"},
	} {
		found := protocolDiagnostics(k.validate(config(t, k, c.config)))
		if faultsOf(found) == "" {
			t.Errorf("%s: passes: %s", name, say(found))
			continue
		}
		if at := lens.PathString(found[0].Attribute); c.at != "" && at != c.at || !strings.Contains(found[0].Detail, c.says) {
			t.Errorf("%s: at %s: %s", name, at, found[0].Detail)
		}
	}
}

// Whatever is right passes without a word: what Port's documentation shows, and
// what means something only to Port.
func TestRightActionsPassWithoutAWord(t *testing.T) {
	t.Parallel()
	k := kindOf(t, "action")
	for name, text := range map[string]string{
		"text inputs":         textIn(`"default": "a", "min_length": 0, "max_length": 5, "pattern": "^[a-z]+$", "enum": ["a", "b"], "enum_colors": {"a": "lightGray"}`),
		"defaults of formats": inputs(`"string_props": {"a": {"format": "url", "default": "https://x.io"}, "b": {"format": "email", "default": "a@x.io"}, "c": {"format": "ipv4", "default": "10.0.0.1"}, "d": {"format": "ipv6", "default": "::1"}, "e": {"format": "date-time", "default": "2024-01-31T12:00:00.5+02:00"}, "f": {"format": "user", "default": "a@x.io"}, "g": {"format": "team", "default": "core"}, "h": {"format": "url", "default_jq_query": ".entity.properties.url"}, "i": {"format": "yaml", "default": "a: 1"}}`),
		"colours of computed": textIn(`"enum_jq_query": ".form.a", "enum_colors": {"x": "red"}`),
		"colours of numbers":  inputs(`"number_props": {"n": {"enum": [1, 2.5, 1000000], "enum_colors": {"1": "red", "2.5": "blue", "1000000": "green"}}}`),
		"quotes as Port has":  textIn(`"visible_jq_query": ".form.lang == 'go'"`),
		"jq of many kinds":    textIn(`"default_jq_query": "[.user.teams[] | select(.name | test(\"^a\"; \"i\"))] | map(.name) | first // \"none\""`),
		"dependencies":        inputs(`"string_props": {"a": {}, "b": {"depends_on": ["a"]}, "c": {"depends_on": ["a", "b"]}}`),
		"rules": ruleIn(`{"property": "$identifier", "operator": "in", "value": {"jq_query": "[.form.domain.relations.systems]"}}, {"property": "p", "operator": "isnotempty"}, {"property": "p", "operator": "=", "value_json": "null"},
		  {"property": "$createdAt", "operator": "between", "value_json": "{\"preset\":\"today\"}"}, {"blueprint": "b", "operator": "relatedTo", "value": {"jq_query": ".user.email"}}, {"combinator": "or", "rules": [{"property": "p", "operator": "doesNotBeginsWith", "value_json": "\"x\""}]}`),
		"deep rules":        textIn(`"format": "entity", "blueprint": "b", "dataset": ` + deepDataset(10)),
		"entities":          inputs(`"array_props": {"e": {"sort": {"property": "$updatedAt"}, "string_items": {"format": "entity", "blueprint": "b", "dataset": "{\"combinator\":\"and\",\"rules\":[]}"}}}`),
		"condition":         conditionIn(`{"type": "SEARCH", "combinator": "and", "rules": [{"property": "tier", "operator": "=", "value": "1"}, {"combinator": "or", "rules": []}]}`),
		"titles and steps":  simple(`"titles": {"t": {"title": "T"}}, "user_properties": {"string_props": {"s": {}}}, "steps": [{"title": "A step of twenty-five ch.", "order": ["t", "s"], "visible_jq_query": ".form.s != null"}]`, `"kafka_method": {}`),
		"template of a URL": simple(`"steps": []`, `"webhook_method": {"url": "{{ .inputs.url }}", "method": "{{ .inputs.method }}", "headers": {"{{ .inputs.h }}": "x", "X-Request-Id": "{{ .run.id }}"}, "agent": "{{ .inputs.a }}", "body": "\"{{ .inputs }}\""}`),
		"templates": simple(`"steps": []`, `"webhook_method": {"url": "https://x.io", "body": `+string(jsonv.Encode(`{"{{ if (.inputs | has(\"p1\")) then \"p1\" else null end }}": "{{ .inputs.\"p1\" }}", "{{ spreadValue() }}": "{{ .inputs }}",
		  "trigger": "{{ .trigger | {by, origin, at} }}", "quoted": "{{ .inputs.a == 'x' }}", "one": "{{ [.inputs.a[]? | {a: .}] }}"}`))+`}`),
		"ten inputs and a ref": simple(`"steps": []`, `"github_method": {"org": "o", "repo": "r", "workflow": "w", "workflow_inputs": "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"ref\":1}"}`),
		"automation":           `{"identifier": "a", "automation_trigger": {"entity_updated_event": {"blueprint_identifier": "b"}, "jq_condition": {"expressions": [".diff.before.properties.x == \"a\" and .diff.after.properties.x != \"a\""]}}, "kafka_method": {}, "publish": true}`,
		"any letters":          strings.Replace(inputs(""), `"a"`, `"größe_1@a.b+c:d=e-f"`, 1),
		"relations":            simple(`"steps": []`, `"upsert_entity_method": {"blueprint_identifier": "b", "title": "{{ .inputs.t }}", "mapping": {"identifier": "{{ .inputs.t | gsub(\" \"; \"-\") }}", "relations": "{\"a\": \"x\", \"b\": [\"y\"], \"c\": null, \"{{ .inputs.r }}\": \"{{ .entity.identifier }}\"}"}}`),
	} {
		if found := protocolDiagnostics(k.validate(config(t, k, text))); len(found) > 0 {
			t.Errorf("%s: %s", name, say(found))
		}
	}
}

// Whatever is not known yet stops no plan, and stays unknown in it: every value of
// a configuration, one after the other.
func TestUnknownValuesOfActionsAreTaken(t *testing.T) {
	t.Parallel()
	p := connect(t, crowded(t, 0))
	l := life{p, kindOf(t, "action")}
	tried := 0
	for seed := range rounds(25, 200) {
		text := draw{rand.New(rand.NewPCG(uint64(seed), 5))}.action("a") //nolint:gosec // not a secret
		c := config(t, l.k, text)
		var places []*tftypes.AttributePath
		if err := tftypes.Walk(c, func(at *tftypes.AttributePath, v tftypes.Value) (bool, error) {
			if steps := at.Steps(); len(steps) > 0 && !v.IsNull() {
				if _, element := steps[len(steps)-1].(tftypes.ElementKeyValue); !element {
					places = append(places, at)
				}
			}
			return true, nil
		}); err != nil {
			t.Fatal(err)
		}
		for i, at := range places {
			unknown, err := tftypes.Transform(c, func(here *tftypes.AttributePath, v tftypes.Value) (tftypes.Value, error) {
				if here.Equal(at) {
					return tftypes.NewValue(v.Type(), tftypes.UnknownValue), nil
				}
				return v, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			tried++
			if wrong := faultsOf(protocolDiagnostics(l.k.validate(unknown))); wrong != "" {
				t.Fatalf("seed %d: with %s unknown: %s\n%s", seed, lens.PathString(at), wrong, text)
			}
			if i%17 != seed%17 {
				continue
			}
			_, planned, wrong := l.plan(unknown, l.k.null)
			if wrong != "" {
				t.Fatalf("seed %d: planned with %s unknown: %s\n%s", seed, lens.PathString(at), wrong, text)
			}
			got, _, err := tftypes.WalkAttributePath(planned, at)
			if v, ok := got.(tftypes.Value); err != nil || !ok || v.IsKnown() {
				t.Fatalf("seed %d: %s was not known and is planned as %v (%v)\n%s", seed, lens.PathString(at), got, err, text)
			}
		}
	}
	if tried < 500 {
		t.Errorf("only %d values were tried", tried)
	}
}

// A place in the document leads to the attribute that shows it: whatever changes
// there changes that attribute, and no other.
func TestPlacesOfActionsLeadToWhatShowsThem(t *testing.T) {
	t.Parallel()
	k := kindOf(t, "action")
	documents := []string{wireForm}
	for _, m := range wireMethods {
		documents = append(documents, strings.Replace(wireSteps, "METHOD", m, 1))
	}
	for _, e := range wireEvents {
		documents = append(documents, strings.Replace(wireEvent, "EVENT", e, 1))
	}
	led := 0
	tag := regexp.MustCompile(`/(type|items)$`)
	for _, text := range documents {
		document := decoded(t, text)
		v, err := k.codec.Get(document, k.null)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range leaves(document, nil) {
			pointer := jsonv.Pointer(at...)
			path, ok := k.codec.AttrPath(at, v)
			if !ok {
				t.Errorf("%s leads nowhere", pointer)
				continue
			}
			if tag.MatchString(pointer) || strings.HasSuffix(pointer, "/required") {
				continue // says which attribute it is, and is none itself
			}
			other := decoded(t, text)
			parent, _ := jsonv.Get(other, at[:len(at)-1]...)
			o, isObject := parent.(jsonv.Object)
			if !isObject {
				continue // elements shift
			}
			delete(o, at[len(at)-1])
			now, err := k.codec.Get(other, k.null)
			if err != nil {
				t.Errorf("without %s: %v", pointer, err)
				continue
			}
			diffs, err := v.Diff(now)
			if err != nil || len(diffs) == 0 {
				continue // absent means the same
			}
			led++
			found := false
			for _, d := range diffs {
				found = found || d.Path.Equal(path)
			}
			if !found {
				t.Errorf("%s leads to %s, and without it changes: %s", pointer, lens.PathString(path), innermost(diffs))
			}
		}
	}
	v, err := k.codec.Get(decoded(t, wireForm), k.null)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{`number_props["n"]`, `string_props["s"]`} {
		path, _ := k.codec.AttrPath([]string{"trigger", "userInputs", "required", fmt.Sprint(i)}, v)
		if got := lens.PathString(path); got != "self_service_trigger.user_properties."+want+".required" {
			t.Errorf("the required input %d is shown by %s", i, got)
		}
	}
	if led < 100 {
		t.Errorf("only %d places were followed", led)
	}
}

// leaves are the pointers of all values that hold no others.
func leaves(j any, at []string) [][]string {
	o, ok := j.(jsonv.Object)
	if !ok || len(o) == 0 {
		return [][]string{at}
	}
	var out [][]string
	for _, key := range sortedKeysOf(o) {
		out = append(out, leaves(o[key], append(append([]string{}, at...), key))...)
	}
	return out
}
