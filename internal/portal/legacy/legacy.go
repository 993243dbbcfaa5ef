// Package legacy knows the older format of actions (reference/actions.md §1.6): what
// a document in it may be, what it means in the current one (§1.7), and how a
// current document reads in it (§1.8). The conversion keeps the message that the
// backends of such actions have always received. It is pure: it neither stores
// documents nor looks anything up.
package legacy

import (
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/inputs"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
)

// Is tells whether a body is in the older format: its trigger is a string.
func Is(body any) bool {
	o, _ := body.(jsonv.Object)
	_, ok := o["trigger"].(string)
	return ok
}

// method is one kind of backend: what the current format calls it, the keys that it
// takes and those that it needs.
type method struct {
	name  string // in the current format
	takes shape.Takes
	needs []string
}

var (
	optionalText = shape.OrNull(shape.Text)
	optionalFlag = shape.OrNull(shape.Boolean)

	methods = map[string]method{
		"WEBHOOK": {"WEBHOOK", shape.Takes{
			"type": shape.Anything, "url": shape.URI, "agent": optionalFlag, "synchronized": optionalFlag,
			"method": shape.OrNull(shape.OneOf("POST", "DELETE", "PATCH", "PUT")),
		}, []string{"url"}},
		"KAFKA": {"KAFKA", shape.Takes{"type": shape.Anything}, nil},
		"GITHUB": {"GITHUB", shape.Takes{
			"type": shape.Anything, "org": shape.Text, "repo": shape.Text, "workflow": shape.Text,
			"omitPayload": optionalFlag, "omitUserInputs": optionalFlag, "reportWorkflowStatus": optionalFlag,
		}, []string{"org", "repo", "workflow"}},
		"GITLAB": {"GITLAB", shape.Takes{
			"type": shape.Anything, "projectName": shape.Text, "groupName": shape.Text, "defaultRef": optionalText, "agent": yes,
			"omitPayload": optionalFlag, "omitUserInputs": optionalFlag,
		}, []string{"projectName", "groupName", "agent"}},
		"AZURE-DEVOPS": {"AZURE_DEVOPS", shape.Takes{"type": shape.Anything, "org": shape.Text, "webhook": shape.Text}, []string{"org", "webhook"}},
	}
)

// Check looks at a document. More are the keys whose rules are those of the current
// format or of the route.
func Check(c *shape.Checker, body any, at []string, more shape.Takes) {
	takes := shape.Takes{
		"identifier": identifier, "title": optionalText, "icon": optionalText, "description": optionalText,
		"trigger": shape.OneOf("CREATE", "DAY-2", "DELETE"), "userInputs": form, "invocationMethod": backend,
	}
	maps.Copy(takes, more)
	c.Closed(body, at, takes, "identifier", "userInputs", "trigger", "invocationMethod")
}

var identifierForm = regexp.MustCompile(`^[A-Za-z0-9@_.+:\\/=-]+$`)

func identifier(c *shape.Checker, v any, at []string) {
	switch id, ok := v.(string); {
	case !ok:
		c.Wrong(at, "string", v)
	case !identifierForm.MatchString(id):
		c.Add("pattern", at, "must match pattern %q", identifierForm)
	}
}

// form is a form without steps, titles, and what came later.
func form(c *shape.Checker, v any, at []string) {
	o := c.Closed(v, at, shape.Takes{"properties": shape.Anything, "required": shape.Anything, "order": shape.Anything})
	if o == nil {
		return
	}
	o = maps.Clone(o)
	maps.DeleteFunc(o, func(key string, _ any) bool {
		return !slices.Contains([]string{"properties", "required", "order"}, key)
	})
	_, problems := inputs.Compile(o, at...)
	c.Take(problems)
	properties := jsonv.Map(o, "properties")
	for _, id := range shape.Keys(properties) {
		here := shape.Below(at, "properties", id)
		input(c, properties[id], here)
		input(c, jsonv.Map(properties[id], "items"), shape.Below(here, "items"))
	}
}

// input refuses what inputs and their items had not yet.
func input(c *shape.Checker, v any, at []string) {
	if f := jsonv.String(v, "format"); f == "multi-line" || f == "labeled-url" {
		c.Add("enum", shape.Below(at, "format"), "must be one of the formats of the older format of actions, which has no %q", f)
	}
	rules, ok := jsonv.Map(v, "dataset")["rules"].([]any)
	if !ok {
		return
	}
	at = shape.Below(at, "dataset", "rules")
	if len(rules) == 0 {
		c.Add("minItems", at, "must NOT have fewer than 1 items")
	}
	for i, r := range rules {
		if o, ok := r.(jsonv.Object); ok && o["rules"] != nil {
			c.Add("additionalProperties", shape.Below(at, strconv.Itoa(i), "rules"), "the older format of actions has no nested groups of rules")
		}
	}
}

func backend(c *shape.Checker, v any, at []string) {
	kind := c.Open(v, at, shape.Takes{"type": shape.OneOf(shape.Keys(methods)...)}, "type")["type"]
	name, _ := kind.(string)
	if m, ok := methods[name]; ok {
		c.Closed(v, at, m.takes, m.needs...)
	}
}

// yes takes true alone.
func yes(c *shape.Checker, v any, at []string) {
	if v != true {
		c.Add("enum", at, "must be equal to one of the allowed values: true")
	}
}
