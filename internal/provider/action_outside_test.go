package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// storable are actions that Port takes, which together have every key.
func storable() []string {
	form := strings.NewReplacer(`"blueprintIdentifier": "svc"`, `"blueprintIdentifier": "service"`, `, "extra": []}`, `}`, `"url": "u"`, `"url": "https://x.example.com"`,
		`{"property": "deep", "operator": "isEmpty"}`, `{"property": "deep", "operator": "=", "value": {"jqQuery": ".form.a"}}`).Replace(wireForm)
	out := []string{form}
	for _, m := range wireMethods {
		m = strings.Replace(m, `["b", "a"]`, `["a", "b"]`, 1) // a set, which is written in order
		out = append(out, strings.Replace(strings.Replace(wireSteps, "METHOD", m, 1), `"svc"`, `"service"`, 1))
	}
	for _, e := range wireEvents {
		e = strings.NewReplacer(`"blueprintIdentifier": "b"`, `"blueprintIdentifier": "service"`, `"propertyIdentifier": "p"`, `"propertyIdentifier": "expires"`).Replace(e)
		out = append(out, strings.Replace(wireEvent, "EVENT", e, 1))
	}
	return out
}

// stored makes the action what a document says, and reports whether Port took it.
func stored(p *portaltest.Portal, document jsonv.Object) bool {
	answer := p.Call(http.MethodPut, "/v1/actions/a", document)
	if answer.Status == http.StatusNotFound {
		answer = p.Call(http.MethodPost, "/v1/actions", document)
	}
	return answer.Status < 300
}

// changedLeaves are the documents that differ from one in a single place.
func changedLeaves(document jsonv.Object, visit func(pointer string, other jsonv.Object)) {
	for _, at := range leaves(document, nil) {
		parent, _ := jsonv.Get(document, at[:len(at)-1]...)
		key := at[len(at)-1]
		o, ok := parent.(jsonv.Object)
		if !ok {
			continue
		}
		was := o[key]
		for _, v := range otherLeaves(was) {
			if _, computes := v.(jsonv.Object); computes && (key == "jqQuery" || at[0] != "trigger") {
				continue // only parts of a form are ever computed so
			}
			o[key] = v
			visit(fmt.Sprintf("%s = %s", jsonv.Pointer(at...), jsonv.Encode(v)), jsonv.CloneObject(document))
		}
		delete(o, key)
		visit(jsonv.Pointer(at...)+" taken away", jsonv.CloneObject(document))
		o[key] = was
	}
}

func otherLeaves(v any) []any {
	switch v := v.(type) {
	case bool:
		return []any{!v}
	case string:
		return []any{v + "x", jsonv.Object{"jqQuery": ".other"}}
	case json.Number:
		return []any{jsonv.Int(4)}
	case []any:
		if len(v) > 1 {
			return []any{v[1:]}
		}
	}
	return nil
}

// A whole action is imported as it stands, and every single thing that somebody
// changes in it or takes out of it shows, and is put right by one apply.
func TestActionDriftShowsAndIsPutRight(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	p.Seed(actable)
	l := life{connect(t, p, batch(portapi.BatchOff)), kindOf(t, "action")} // others write, too
	every := rounds(9, 1)
	count, shown := rand.IntN(9), 0 //nolint:gosec // not a secret
	for i, text := range storable() {
		original := decoded(t, text)
		if !stored(p, original) {
			t.Fatalf("document %d is refused: %v", i, p.Call(http.MethodPut, "/v1/actions/a", original))
		}
		held := document(p, "a")
		state, _ := l.read(l.k, l.k.stateOf([]string{"a"}))
		c := with(state, lens.Obj{"id": lens.Null(tftypes.String)})
		if wrong := faultsOf(l.validate(c)); wrong != "" {
			t.Errorf("document %d is imported as what is not valid: %s", i, wrong)
			continue
		}
		if err := l.settled(c, state); err != nil {
			t.Errorf("document %d: an import does not plan empty: %v", i, err)
		}
		changedLeaves(jsonv.CloneObject(held), func(pointer string, other jsonv.Object) {
			if count++; count%every != 0 || pointer == "/identifier = \"ax\"" || !stored(p, other) {
				return
			}
			if cmp.Equal(document(p, "a"), held) {
				return // Port takes it for the same
			}
			fresh, warned := l.refreshed(state)
			err := l.settled(c, fresh)
			if err == nil && !warned && pointer != "/approvalNotification/type taken away" { // without one it is an e-mail
				t.Errorf("document %d: %s: does not show", i, pointer)
			}
			if err == nil {
				stored(p, held)
				return
			}
			shown++
			again, err := l.apply(c, fresh)
			if err == nil {
				err = l.settled(c, again)
			}
			if diff := cmp.Diff(held, document(p, "a")); err != nil || diff != "" {
				t.Errorf("document %d: %s: one apply does not put it right: %v %s", i, pointer, err, diff)
				stored(p, held)
			}
		})
	}
	if shown < 200/every {
		t.Errorf("only %d changes were seen", shown)
	}
}

// refreshed reads a state, and reports whether that warned of what has no place in
// it.
func (l life) refreshed(state tftypes.Value) (tftypes.Value, bool) {
	l.t.Helper()
	resp, err := l.ReadResource(context.Background(), &tfprotov6.ReadResourceRequest{TypeName: l.k.decl.typeName(), CurrentState: l.dynamic(l.k.typ, state)})
	if err != nil || faultsOf(resp.Diagnostics) != "" {
		l.t.Fatalf("read: %v %s", err, faultsOf(resp.Diagnostics))
	}
	v, err := resp.NewState.Unmarshal(l.k.typ)
	if err != nil {
		l.t.Fatal(err)
	}
	return v, len(resp.Diagnostics) > 0
}

// Port's faults about any part of an action are said at the attribute that it is
// written in.
func TestFaultsOfPortAboutActionsPointAtTheAttribute(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	p.Seed(actable)
	l := life{connect(t, p, batch(portapi.BatchOff)), kindOf(t, "action")} // others write, too
	const properties = "self_service_trigger.user_properties."
	ofK := properties + `string_props["k"].`
	method := func(m string) string { return simple(`"steps": []`, m) }
	for config_, want := range map[string]string{
		textIn(`"format": "holiday"`):                                               ofK + "format",
		textIn(`"format": "entity"`):                                                ofK + "blueprint",
		textIn(`"min_length": -1`):                                                  ofK + "min_length",
		textIn(`"pattern": "("`):                                                    ofK + "pattern",
		textIn(`"encryption": "rot13"`):                                             ofK + "encryption",
		textIn(`"sort": {"property": "", "order": "ASC"}`):                          ofK + "sort.property",
		textIn(`"sort": {"property": "p", "order": "UP"}`):                          ofK + "sort.order",
		textIn(`"client_side_encryption": {"algorithm": "client-side", "key": ""}`): ofK + "client_side_encryption.key",
		ruleIn(`{"property": "p", "operator": "equals", "value_json": "1"}`):        ofK + "dataset.rules[0].operator",
		ruleIn(`{"property": "p"}`):                                                 ofK + "dataset.rules[0].operator",
		ruleIn(`{"combinator": "or", "rules": [{"property": "p", "operator": "isEmpty"}, {"property": "p", "operator": ">", "value_json": "[]"}]}`): ofK + "dataset.rules[0].rules[1].value_json",
		ruleIn(`{"property": "p", "operator": "="}`):                                                                      ofK + "dataset.rules[0].value",
		inputs(`"string_props": {"a b": {}}`):                                                                             properties + `string_props["a b"]`,
		inputs(`"array_props": {"k": {"string_items": {"format": "holiday"}}}`):                                           properties + `array_props["k"].string_items.format`,
		inputs(`"array_props": {"k": {"string_items": {"format": "entity"}}}`):                                            properties + `array_props["k"].string_items.blueprint`,
		inputs(`"array_props": {"k": {"min_items": -1}}`):                                                                 properties + `array_props["k"].min_items`,
		inputs(`"array_props": {"k": {"string_items": {"dataset": "{\"combinator\":\"xor\",\"rules\":[]}"}}}`):            properties + `array_props["k"].string_items.dataset`,
		simple(`"titles": {"t": {"title": ""}}`, `"kafka_method": {}`):                                                    `self_service_trigger.titles["t"].title`,
		simple(`"titles": {"a b": {"title": "T"}}`, `"kafka_method": {}`):                                                 `self_service_trigger.titles["a b"]`,
		simple(`"action_card_button_text": " Go"`, `"kafka_method": {}`):                                                  "self_service_trigger.action_card_button_text",
		simple(`"execute_action_button_text": "1234567890123456"`, `"kafka_method": {}`):                                  "self_service_trigger.execute_action_button_text",
		conditionIn(`{"type": "JQ", "combinator": "and", "rules": []}`):                                                   "self_service_trigger.condition",
		conditionIn(`{"type": "SEARCH", "combinator": "and", "rules": [{"property": "p", "operator": "?", "value": 1}]}`): "self_service_trigger.condition",
		strings.Replace(conditionIn(`{"type": "SEARCH", "combinator": "and", "rules": []}`), "DAY-2", "CREATE", 1):        "self_service_trigger.condition",
		strings.Replace(inputs(""), "DAY-2", "DAY2", 1):                                                                   "self_service_trigger.operation",
		strings.Replace(inputs(""), `"service"`, `"nothing"`, 1):                                                          "self_service_trigger.blueprint_identifier",
		strings.Replace(inputs(""), `"a"`, `"a b"`, 1):                                                                    "identifier",
		method(`"webhook_method": {"url": "https://x.io", "method": "FETCH"}`):                                            "webhook_method.method",
		method(`"kafka_method": {"payload": "5"}`):                                                                        "kafka_method.payload",
		method(`"azure_method": {"org": "o", "webhook": "w", "payload": "true"}`):                                         "azure_method.payload",
		method(`"github_method": {"org": "o", "repo": "r", "workflow": "w", "workflow_inputs": "[1]"}`):                   "github_method.workflow_inputs",
		method(`"gitlab_method": {"project_name": "p", "group_name": "g", "pipeline_variables": "[1]"}`):                  "gitlab_method.pipeline_variables",
		method(`"upsert_entity_method": {"blueprint_identifier": "b", "mapping": {"relations": "{\"r\": {}}"}}`):          "upsert_entity_method.mapping.relations",
		method(`"integration_method": {"installation_id": "i", "integration_action_type": "", "integration_action_execution_properties": {"org": "o", "repo": "r", "workflow": "w"}}`):   "integration_method.integration_action_type",
		method(`"kafka_method": {}, "approval_webhook_notification": {"url": "no address"}`):                                                                                             "approval_webhook_notification.url",
		method(`"kafka_method": {}, "approval_webhook_notification": {"url": "https://x.io", "format": "xml"}`):                                                                          "approval_webhook_notification.format",
		`{"identifier": "a", "automation_trigger": {"entity_created_event": {"blueprint_identifier": "nothing"}}, "kafka_method": {}}`:                                                   "automation_trigger.entity_created_event.blueprint_identifier",
		`{"identifier": "a", "automation_trigger": {"timer_property_expired_event": {"blueprint_identifier": "service", "property_identifier": "tier"}}, "kafka_method": {}}`:            "automation_trigger.timer_property_expired_event.property_identifier",
		`{"identifier": "a", "automation_trigger": {"run_created_event": {"action_identifier": "x"}, "jq_condition": {"expressions": [".a"], "combinator": "xor"}}, "kafka_method": {}}`: "automation_trigger.jq_condition.combinator",
	} {
		c := config(t, l.k, config_)
		_, said := l.force(c, l.k.null, with(c, lens.Obj{"id": lens.Str("a"), "publish": lens.Flag(true)}))
		if faultsOf(said) == "" {
			t.Errorf("Port takes it: %s", config_)
			if _, said := l.force(l.k.null, with(c, lens.Obj{"id": lens.Str("a")}), l.k.null); len(said) > 0 {
				t.Fatal(say(said))
			}
			continue
		}
		for _, d := range said {
			if got := lens.PathString(d.Attribute); got != want {
				t.Errorf("%s: at %q, want %q: %s", config_, got, want, d.Detail)
			}
		}
	}
}

// Of several faults in the text of one attribute each says where in it.
func TestFaultsInJSONTextSayWhere(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	p.Seed(actable)
	l := life{connect(t, p, batch(portapi.BatchOff)), kindOf(t, "action")} // others write, too
	c := config(t, l.k, simple(`"steps": []`, `"upsert_entity_method": {"blueprint_identifier": "b", "mapping": {"relations": "{\"r\": 5, \"s\": [{}]}"}}`))
	_, said := l.force(c, l.k.null, with(c, lens.Obj{"id": lens.Str("a"), "publish": lens.Flag(true)}))
	if text := say(said); !strings.Contains(text, "/r: ") || !strings.Contains(text, "/s/0: ") {
		t.Errorf("%s", text)
	}
}

// official is a state as the official provider leaves it after a refresh
// (reference/provider-actions.md §1.1, §1.2, §2.3, §2.6, §2.8).
func official(t *testing.T, state tftypes.Value) tftypes.Value {
	t.Helper()
	texts := map[string]bool{"payload": true, "body": true, "workflow_inputs": true, "pipeline_variables": true, "properties": true, "relations": true, "default": true, "condition": true, "dataset": true}
	out, err := tftypes.Transform(state, func(at *tftypes.AttributePath, v tftypes.Value) (tftypes.Value, error) {
		name := ""
		if steps := at.Steps(); len(steps) > 0 {
			if n, ok := steps[len(steps)-1].(tftypes.AttributeName); ok {
				name = string(n)
			}
		}
		switch v.Type().(type) {
		case tftypes.List, tftypes.Map:
			if !v.IsNull() && len(lens.AsList(v))+len(lens.AsObj(v)) == 0 && name != "order" && name != "default" && name != "expressions" {
				return lens.Null(v.Type()), nil // empty collections are forgotten
			}
		case tftypes.Object:
			m := lens.AsObj(v)
			if _, rule := m["value_json"]; rule && m != nil {
				changes := lens.Obj{"value_json": lens.Null(tftypes.String)}
				if lens.Nothing(m["operator"]) && lens.Nothing(m["combinator"]) {
					changes["operator"] = lens.Str("")
				}
				if s, ok := text(m["value_json"]); ok && s != "null" {
					j, err := jsonv.Decode([]byte(s))
					if err != nil {
						return v, err
					}
					changes["value"] = tftypes.NewValue(m["value"].Type(), lens.Obj{"jq_query": lens.Str(asText(j))}) // literals look like programs
				}
				return with(v, changes), nil
			}
		}
		if s, ok := text(v); ok && texts[name] {
			if j, err := jsonv.Decode([]byte(s)); err == nil && (jsonv.KindOf(j) == "object" || jsonv.KindOf(j) == "array") {
				plain, err := json.Marshal(json.RawMessage(jsonv.Encode(j)))
				return lens.Str(string(plain)), err
			}
		}
		if s, ok := text(v); ok && (name == "agent" || name == "synchronized" || name == "report_workflow_status") && strings.Contains(s, "{{") {
			return lens.Str(string(jsonv.Encode(s))), nil // templates stand in quotes
		}
		return v, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	m := lens.AsObj(out)
	if kafka := m["kafka_method"]; kafka.IsNull() { // a method of before
		payload := lens.Obj{"payload": lens.Null(tftypes.String)}
		out = with(out, lens.Obj{"kafka_method": tftypes.NewValue(kafka.Type(), payload)})
	}
	if entity := lens.AsObj(m["upsert_entity_method"]); entity != nil && entity["mapping"].IsNull() {
		typ, ok := entity["mapping"].Type().(tftypes.Object)
		if !ok {
			t.Fatal("a mapping is no object")
		}
		empty := lens.Obj{}
		for name, of := range typ.AttributeTypes {
			empty[name] = lens.Null(of)
		}
		out = with(out, lens.Obj{"upsert_entity_method": with(m["upsert_entity_method"], lens.Obj{"mapping": tftypes.NewValue(typ, empty)})})
	}
	return out
}

// computed finds literal values of rules, which the official provider cannot write.
var computed = regexp.MustCompile(`"value_json": ("(?:\\.|[^"\\])*")`)

// A state of the official provider is taken over without a change: its
// configuration only fills in what it could not hold.
func TestOfficialStatesOfActionsPlanEmpty(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	p.Seed(actable)
	l := life{connect(t, p, batch(portapi.BatchOff)), kindOf(t, "action")} // others write, too
	state := l.k.null
	for seed := range rounds(12, 300) {
		text := draw{rand.New(rand.NewPCG(uint64(seed), 3))}.action("a") //nolint:gosec // not a secret
		text = computed.ReplaceAllString(text, `"value": {"jq_query": $1}`)
		c := config(t, l.k, text)
		var err error
		if state, err = l.apply(c, state); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		held := document(p, "a")
		fresh, _ := l.read(l.k, official(t, state))
		if err := onlyFills(l, c, fresh); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		if state, err = l.apply(c, fresh); err == nil {
			err = l.settled(c, state)
		}
		if diff := cmp.Diff(held, document(p, "a")); err != nil || diff != "" {
			t.Fatalf("seed %d: %v: the action changes: %s\n%s", seed, err, diff, text)
		}
	}
}
