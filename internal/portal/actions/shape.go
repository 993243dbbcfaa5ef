package actions

import (
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/inputs"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
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

// document checks a whole body in the current format (reference/actions.md §1.1). Kept
// is the identifier of the action that it replaces, "" of none.
func document(c *shape.Checker, body any, kept string) {
	name := identifier
	if o, ok := body.(jsonv.Object); ok && kept != "" && o["identifier"] == kept {
		name = shape.Anything
	}
	c.Closed(body, nil, shape.Takes{
		"identifier": name, "title": shape.OrNull(shape.Text), "icon": shape.OrNull(shape.Text), "description": shape.OrNull(shape.Text),
		"trigger": trigger, "invocationMethod": method,
		"requiredApproval": approval, "approvalNotification": notification,
		"publish": shape.Boolean, "allowAnyoneToViewRuns": shape.Boolean,
	}, "identifier", "trigger", "invocationMethod")
}

func trigger(c *shape.Checker, v any, at []string) {
	o := c.Object(v, at)
	if o == nil {
		return
	}
	switch o["type"] {
	case triggerSelfService:
		selfService(c, o, at)
	case triggerAutomation:
		c.Closed(o, at, shape.Takes{
			"type": shape.Anything, "event": event, "condition": eventCondition,
		}, "event")
	default:
		wrongKind(c, o, at, triggerSelfService, triggerAutomation)
	}
}

// wrongKind reports a "type" that is missing or none of those that there are.
func wrongKind(c *shape.Checker, o jsonv.Object, at []string, allowed ...string) {
	v, ok := o["type"]
	if !ok {
		c.Add("required", shape.Below(at, "type"), "must have required property 'type'")
		return
	}
	shape.OneOf(allowed...)(c, v, shape.Below(at, "type"))
}

// selfService is the trigger of §1.2.
func selfService(c *shape.Checker, o jsonv.Object, at []string) {
	c.Closed(o, at, shape.Takes{
		"type": shape.Anything, "operation": shape.OneOf(operations...), "userInputs": form, "blueprintIdentifier": shape.Text,
		"condition": entityCondition, "actionCardButtonText": button, "executeActionButtonText": button,
	}, "operation", "userInputs")
	if _, ok := o["condition"]; !ok {
		return
	}
	if o["operation"] == operationCreate {
		c.Add("additionalProperties", shape.Below(at, "condition"), "there is no entity yet that a condition of %s could look at", operationCreate)
	}
	if _, ok := o["blueprintIdentifier"]; !ok {
		c.Add("dependencies", shape.Below(at, "condition"), "must have property blueprintIdentifier when property condition is present")
	}
}

func form(c *shape.Checker, v any, at []string) {
	_, problems := inputs.Compile(v, at...)
	c.Take(problems)
}

// entityCondition is a query whose values are all literal.
func entityCondition(c *shape.Checker, v any, at []string) {
	n := len(c.Problems)
	o := c.Closed(v, at, shape.Takes{"type": shape.OneOf("SEARCH"), "combinator": shape.OneOf("and", "or"), "rules": shape.List}, "type", "combinator", "rules")
	if o == nil || len(c.Problems) > n {
		return
	}
	q := jsonv.Object{"combinator": o["combinator"], "rules": o["rules"]}
	_, err := query.Parse(q, query.Options{Scope: query.CatalogWide, At: at})
	c.Take(fault.ProblemsOf(err, jsonv.Pointer(at...)))
}

// events are the happenings that automations listen to and what else each names
// (§1.3).
var events = map[string][]string{
	"ENTITY_CREATED": {"blueprintIdentifier"}, "ENTITY_UPDATED": {"blueprintIdentifier"},
	"ENTITY_DELETED": {"blueprintIdentifier"}, "ANY_ENTITY_CHANGE": {"blueprintIdentifier"},
	"TIMER_PROPERTY_EXPIRED": {"blueprintIdentifier", "propertyIdentifier"},
	"RUN_CREATED":            {"actionIdentifier"}, "RUN_UPDATED": {"actionIdentifier"}, "ANY_RUN_CHANGE": {"actionIdentifier"},
}

func event(c *shape.Checker, v any, at []string) {
	o := c.Object(v, at)
	if o == nil {
		return
	}
	kind, _ := o["type"].(string)
	names, ok := events[kind]
	if !ok {
		wrongKind(c, o, at, shape.Keys(events)...)
		return
	}
	takes := shape.Takes{"type": shape.Anything}
	for _, name := range names {
		takes[name] = shape.Text
	}
	c.Closed(o, at, takes, names...)
}

func eventCondition(c *shape.Checker, v any, at []string) {
	c.Closed(v, at, shape.Takes{"type": shape.OneOf("JQ"), "expressions": shape.Texts, "combinator": shape.OneOf("and", "or")}, "type", "expressions")
}

// approval is requiredApproval.
func approval(c *shape.Checker, v any, at []string) {
	switch v.(type) {
	case bool:
	case jsonv.Object:
		c.Closed(v, at, shape.Takes{"type": shape.OneOf("ANY", "ALL")}, "type")
	default:
		c.Wrong(at, "boolean or object", v)
	}
}

// notification is approvalNotification; without a type it is an e-mail.
func notification(c *shape.Checker, v any, at []string) {
	o := c.Object(v, at)
	if o == nil {
		return
	}
	switch kind, given := o["type"]; {
	case !given || kind == "email":
		c.Closed(o, at, shape.Takes{"type": shape.Anything})
	case kind == "webhook":
		c.Closed(o, at, shape.Takes{"type": shape.Anything, "url": shape.URI, "format": shape.OneOf("json", "slack")}, "url")
	default:
		wrongKind(c, o, at, "email", "webhook")
	}
}

// method is invocationMethod (§3.1).
func method(c *shape.Checker, v any, at []string) {
	o := c.Object(v, at)
	if o == nil {
		return
	}
	kind, _ := o["type"].(string)
	m, ok := methods[kind]
	if !ok {
		wrongKind(c, o, at, shape.Keys(methods)...)
		return
	}
	c.Closed(o, at, m.takes, m.needs...)
}

// backend is what an invocation method of one type holds.
type backend struct {
	takes shape.Takes
	needs []string
}

var methods = map[string]backend{
	"WEBHOOK": {shape.Takes{
		"type": shape.Anything, "url": shape.Text, "agent": boolOrTemplate, "synchronized": boolOrTemplate, "method": verb,
		"headers": shape.MapOf(shape.Text), "body": shape.Anything,
	}, []string{"url"}},
	"KAFKA": {shape.Takes{"type": shape.Anything, "payload": shape.ObjectOrArray}, nil},
	"GITHUB": {shape.Takes{
		"type": shape.Anything, "org": shape.Text, "repo": shape.Text, "workflow": shape.Text, "workflowInputs": shape.Mapping, "reportWorkflowStatus": boolOrTemplate,
	}, []string{"org", "repo", "workflow"}},
	"GITLAB": {shape.Takes{
		"type": shape.Anything, "projectName": shape.Text, "groupName": shape.Text, "defaultRef": shape.Text, "pipelineVariables": shape.Mapping,
	}, []string{"projectName", "groupName"}},
	"AZURE_DEVOPS": {shape.Takes{
		"type": shape.Anything, "org": shape.Text, "webhook": shape.Text, "payload": shape.ObjectOrArray,
	}, []string{"org", "webhook"}},
	"UPSERT_ENTITY": {shape.Takes{
		"type": shape.Anything, "blueprintIdentifier": shape.Text, "mapping": entity,
	}, []string{"blueprintIdentifier", "mapping"}},
	"INTEGRATION_ACTION": {shape.Takes{
		"type": shape.Anything, "installationId": shape.Text, "integrationActionType": shape.Filled, "integrationActionExecutionProperties": shape.Mapping,
	}, []string{"installationId", "integrationActionType", "integrationActionExecutionProperties"}},
}

// Verbs are the methods of HTTP that a webhook may be called with (§3.1).
var Verbs = []string{"POST", "PUT", "PATCH", "DELETE", "GET"}

// verb may also be a template, of which nobody knows yet what it gives.
func verb(c *shape.Checker, v any, at []string) {
	switch s, ok := v.(string); {
	case !ok:
		c.Wrong(at, "string", v)
	case !template.Has(s) && !slices.Contains(Verbs, s):
		shape.OneOf(Verbs...)(c, s, at)
	}
}

// entity is the mapping of an entity to write; further keys are ignored.
var entity = shape.Open(shape.Takes{
	"identifier": shape.Text, "title": shape.Text, "icon": shape.Text, "team": shape.TextOrTexts, "properties": shape.Mapping,
	"relations": shape.MapOf(shape.OrNull(shape.TextOrTexts)),
})
