package actions

import (
	"net/url"
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/inputs"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/template"
)

// The kinds of triggers and operations.
const (
	triggerSelfService = "self-service"
	triggerAutomation  = "automation"

	operationCreate = "CREATE"
	operationDayTwo = "DAY-2"
	operationDelete = "DELETE"
)

var operations = []string{operationCreate, operationDayTwo, operationDelete}

// document checks a whole body in the current format (reference/actions.md §1.1).
func (c *checker) document(body any) {
	c.closed(body, nil, map[string]check{
		"identifier": identifier, "title": label, "icon": label, "description": label,
		"trigger": (*checker).trigger, "invocationMethod": (*checker).method,
		"requiredApproval": (*checker).approval, "approvalNotification": (*checker).notification,
		"publish": boolean, "allowAnyoneToViewRuns": boolean,
	}, "identifier", "trigger", "invocationMethod")
}

func (c *checker) trigger(v any, at []string) {
	o := c.object(v, at)
	if o == nil {
		return
	}
	switch o["type"] {
	case triggerSelfService:
		c.selfService(o, at)
	case triggerAutomation:
		c.closed(o, at, map[string]check{
			"type": anything, "event": (*checker).event, "condition": (*checker).eventCondition,
		}, "event")
	default:
		c.kind(o, at, triggerSelfService, triggerAutomation)
	}
}

// kind reports a "type" that is missing or none of those that there are.
func (c *checker) kind(o jsonv.Object, at []string, allowed ...string) {
	v, ok := o["type"]
	if !ok {
		c.add("required", below(at, "type"), "must have required property 'type'")
		return
	}
	oneOf(allowed...)(c, v, below(at, "type"))
}

// selfService is the trigger of §1.2.
func (c *checker) selfService(o jsonv.Object, at []string) {
	c.closed(o, at, map[string]check{
		"type": anything, "operation": oneOf(operations...), "userInputs": (*checker).form, "blueprintIdentifier": text,
		"condition": (*checker).entityCondition, "actionCardButtonText": button, "executeActionButtonText": button,
	}, "operation", "userInputs")
	if _, ok := o["condition"]; !ok {
		return
	}
	if o["operation"] == operationCreate {
		c.add("additionalProperties", below(at, "condition"), "there is no entity yet that a condition of %s could look at", operationCreate)
	}
	if _, ok := o["blueprintIdentifier"]; !ok {
		c.add("dependencies", below(at, "condition"), "must have property blueprintIdentifier when property condition is present")
	}
}

func (c *checker) form(v any, at []string) {
	_, problems := inputs.Compile(v, at...)
	c.take(problems)
}

// entityCondition is a query whose values are all literal.
func (c *checker) entityCondition(v any, at []string) {
	n := len(c.problems)
	o := c.closed(v, at, map[string]check{"type": oneOf("SEARCH"), "combinator": oneOf("and", "or"), "rules": list}, "type", "combinator", "rules")
	if o == nil || len(c.problems) > n {
		return
	}
	q := jsonv.Object{"combinator": o["combinator"], "rules": o["rules"]}
	_, err := query.Parse(q, query.Options{Scope: query.CatalogWide, At: at})
	c.take(fault.ProblemsOf(err, jsonv.Pointer(at...)))
}

func list(c *checker, v any, at []string) {
	if _, ok := v.([]any); !ok {
		c.wrong(at, "array", v)
	}
}

// events are the happenings that automations listen to and what else each names
// (§1.3).
var events = map[string][]string{
	"ENTITY_CREATED": {"blueprintIdentifier"}, "ENTITY_UPDATED": {"blueprintIdentifier"},
	"ENTITY_DELETED": {"blueprintIdentifier"}, "ANY_ENTITY_CHANGE": {"blueprintIdentifier"},
	"TIMER_PROPERTY_EXPIRED": {"blueprintIdentifier", "propertyIdentifier"},
	"RUN_CREATED":            {"actionIdentifier"}, "RUN_UPDATED": {"actionIdentifier"}, "ANY_RUN_CHANGE": {"actionIdentifier"},
}

func (c *checker) event(v any, at []string) {
	o := c.object(v, at)
	if o == nil {
		return
	}
	kind, _ := o["type"].(string)
	names, ok := events[kind]
	if !ok {
		c.kind(o, at, keysOf(events)...)
		return
	}
	takes := map[string]check{"type": anything}
	for _, name := range names {
		takes[name] = text
	}
	c.closed(o, at, takes, names...)
}

func (c *checker) eventCondition(v any, at []string) {
	c.closed(v, at, map[string]check{"type": oneOf("JQ"), "expressions": texts, "combinator": oneOf("and", "or")}, "type", "expressions")
}

// approval is requiredApproval.
func (c *checker) approval(v any, at []string) {
	switch v.(type) {
	case bool:
	case jsonv.Object:
		c.closed(v, at, map[string]check{"type": oneOf("ANY", "ALL")}, "type")
	default:
		c.wrong(at, "boolean or object", v)
	}
}

// notification is approvalNotification; without a type it is an e-mail.
func (c *checker) notification(v any, at []string) {
	o := c.object(v, at)
	if o == nil {
		return
	}
	switch kind, given := o["type"]; {
	case !given || kind == "email":
		c.closed(o, at, map[string]check{"type": anything})
	case kind == "webhook":
		c.closed(o, at, map[string]check{"type": anything, "url": uri, "format": oneOf("json", "slack")}, "url")
	default:
		c.kind(o, at, "email", "webhook")
	}
}

func uri(c *checker, v any, at []string) {
	s, ok := v.(string)
	if !ok {
		c.wrong(at, "string", v)
		return
	}
	if u, err := url.Parse(s); err != nil || u.Scheme == "" || u.Host == "" && u.Opaque == "" {
		c.add("format", at, `must match format "uri"`)
	}
}

// method is invocationMethod (§3.1).
func (c *checker) method(v any, at []string) {
	o := c.object(v, at)
	if o == nil {
		return
	}
	kind, _ := o["type"].(string)
	m, ok := methods[kind]
	if !ok {
		c.kind(o, at, keysOf(methods)...)
		return
	}
	c.closed(o, at, m.takes, m.needs...)
}

// backend is what an invocation method of one type holds.
type backend struct {
	takes map[string]check
	needs []string
}

var methods = map[string]backend{
	"WEBHOOK": {map[string]check{
		"type": anything, "url": text, "agent": boolOrTemplate, "synchronized": boolOrTemplate, "method": (*checker).verb,
		"headers": mapOf(text), "body": anything,
	}, []string{"url"}},
	"KAFKA": {map[string]check{"type": anything, "payload": objectOrArray}, nil},
	"GITHUB": {map[string]check{
		"type": anything, "org": text, "repo": text, "workflow": text, "workflowInputs": mapping, "reportWorkflowStatus": boolOrTemplate,
	}, []string{"org", "repo", "workflow"}},
	"GITLAB": {map[string]check{
		"type": anything, "projectName": text, "groupName": text, "defaultRef": text, "pipelineVariables": mapping,
	}, []string{"projectName", "groupName"}},
	"AZURE_DEVOPS": {map[string]check{
		"type": anything, "org": text, "webhook": text, "payload": objectOrArray,
	}, []string{"org", "webhook"}},
	"UPSERT_ENTITY": {map[string]check{
		"type": anything, "blueprintIdentifier": text, "mapping": (*checker).entity,
	}, []string{"blueprintIdentifier", "mapping"}},
	"INTEGRATION_ACTION": {map[string]check{
		"type": anything, "installationId": text, "integrationActionType": filled, "integrationActionExecutionProperties": mapping,
	}, []string{"installationId", "integrationActionType", "integrationActionExecutionProperties"}},
}

// verbs are the methods of HTTP that a webhook may be called with.
var verbs = []string{"POST", "PUT", "PATCH", "DELETE", "GET"}

// verb may also be a template, of which nobody knows yet what it gives.
func (c *checker) verb(v any, at []string) {
	switch s, ok := v.(string); {
	case !ok:
		c.wrong(at, "string", v)
	case !template.Has(s) && !slices.Contains(verbs, s):
		oneOf(verbs...)(c, s, at)
	}
}

// entity is the mapping of an entity to write; further keys are ignored.
func (c *checker) entity(v any, at []string) {
	takes := map[string]check{
		"identifier": text, "title": text, "icon": text, "team": textOrTexts, "properties": mapping,
		"relations": mapOf(func(c *checker, v any, at []string) {
			if v != nil {
				textOrTexts(c, v, at)
			}
		}),
	}
	o := c.object(v, at)
	for _, key := range keysOf(o) {
		if look, ok := takes[key]; ok {
			look(c, o[key], below(at, key))
		}
	}
}
