// Package legacy knows the older format of actions (reference/actions.md §1.6): what
// a document in it may be, what it means in the current one (§1.7), and how a
// current document reads in it (§1.8). The conversion keeps the message that the
// backends of such actions have always received. It is pure: it neither stores
// documents nor looks anything up.
package legacy

import (
	"regexp"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/inputs"
)

// Is tells whether a body is in the older format: its trigger is a string.
func Is(body any) bool {
	o, _ := body.(jsonv.Object)
	_, ok := o["trigger"].(string)
	return ok
}

// keys of a document; blueprint and id only where a route takes them.
var keys = []string{"identifier", "title", "icon", "description", "userInputs", "invocationMethod", "trigger", "requiredApproval", "approvalNotification"}

// method is one kind of backend: the keys that it takes and those that it needs,
// and what the current format calls it.
type method struct {
	name  string // in the current format
	needs []string
	texts []string
	flags []string
}

var methods = map[string]method{
	"WEBHOOK":      {"WEBHOOK", []string{"url"}, []string{"url", "method"}, []string{"agent", "synchronized"}},
	"KAFKA":        {"KAFKA", nil, nil, nil},
	"GITHUB":       {"GITHUB", []string{"org", "repo", "workflow"}, []string{"org", "repo", "workflow"}, []string{"omitPayload", "omitUserInputs", "reportWorkflowStatus"}},
	"GITLAB":       {"GITLAB", []string{"projectName", "groupName", "agent"}, []string{"projectName", "groupName", "defaultRef"}, []string{"agent", "omitPayload", "omitUserInputs"}},
	"AZURE-DEVOPS": {"AZURE_DEVOPS", []string{"org", "webhook"}, []string{"org", "webhook"}, nil},
}

var (
	identifier  = regexp.MustCompile(`^[A-Za-z0-9@_.+:\\/=-]+$`)
	operations  = []string{"CREATE", "DAY-2", "DELETE"}
	httpMethods = []string{"POST", "DELETE", "PATCH", "PUT"}
)

// Check reports everything that is wrong with a document. More are keys that the
// route takes beside those of the format.
func Check(body any, more ...string) fault.Problems {
	c := &checker{}
	o := c.object(body)
	if o == nil {
		return c.problems
	}
	takes := append(slices.Clone(keys), more...)
	c.closed(o, nil, takes)
	for _, key := range []string{"identifier", "userInputs", "trigger", "invocationMethod"} {
		if o[key] == nil {
			c.add([]string{key}, "is required")
		}
	}
	if id, ok := c.text(o, "identifier", nil); ok && !identifier.MatchString(id) {
		c.add([]string{"identifier"}, "must match pattern %q", identifier)
	}
	for _, key := range []string{"title", "icon", "description"} {
		c.text(o, key, nil)
	}
	if t, ok := c.text(o, "trigger", nil); ok && !slices.Contains(operations, t) {
		c.add([]string{"trigger"}, "must be equal to one of the allowed values: %s", strings.Join(operations, ", "))
	}
	c.userInputs(o["userInputs"])
	c.method(o["invocationMethod"])
	return c.problems
}

type checker struct{ problems fault.Problems }

func (c *checker) add(at []string, format string, args ...any) {
	c.problems.Add(jsonv.Pointer(at...), format, args...)
}

func (c *checker) object(v any, at ...string) jsonv.Object {
	o, ok := v.(jsonv.Object)
	if !ok {
		c.add(at, "want an object, got %s", jsonv.KindOf(v))
	}
	return o
}

func (c *checker) closed(o jsonv.Object, at, takes []string) {
	for key := range o {
		if !slices.Contains(takes, key) {
			c.add(append(slices.Clone(at), key), "%s", fault.UnknownKey(key, takes...))
		}
	}
}

func (c *checker) text(o jsonv.Object, key string, at []string) (string, bool) {
	v, ok := o[key]
	if !ok || v == nil {
		return "", false
	}
	s, ok := v.(string)
	if !ok {
		c.add(append(slices.Clone(at), key), "want a string, got %s", jsonv.KindOf(v))
	}
	return s, ok
}

// userInputs is a form without steps, titles, and what came later.
func (c *checker) userInputs(v any) {
	if v == nil {
		return
	}
	o := c.object(v, "userInputs")
	if o == nil {
		return
	}
	c.closed(o, []string{"userInputs"}, []string{"properties", "required", "order"})
	known := jsonv.Object{}
	for _, key := range []string{"properties", "required", "order"} {
		if part, ok := o[key]; ok {
			known[key] = part
		}
	}
	_, problems := inputs.Compile(known, "userInputs")
	c.problems = append(c.problems, problems...)
	for id, v := range jsonv.Map(o, "properties") {
		at := []string{"userInputs", "properties", id}
		items := append(slices.Clone(at), "items")
		c.format(v, at)
		c.dataset(v, at)
		c.format(jsonv.Map(v, "items"), items)
		c.dataset(jsonv.Map(v, "items"), items)
	}
}

// format refuses the formats that inputs had not yet.
func (c *checker) format(v any, at []string) {
	if f := jsonv.String(v, "format"); f == "multi-line" || f == "labeled-url" {
		c.add(append(slices.Clone(at), "format"), "must be one of the formats of the older format of actions, which has no %q", f)
	}
}

func (c *checker) dataset(v any, at []string) {
	dataset := jsonv.Map(v, "dataset")
	if dataset == nil {
		return
	}
	rules := jsonv.List(dataset, "rules")
	at = append(slices.Clone(at), "dataset", "rules")
	if len(rules) == 0 {
		c.add(at, "must NOT have fewer than 1 items")
	}
	for _, r := range rules {
		if o, ok := r.(jsonv.Object); ok && o["rules"] != nil {
			c.add(at, "the older format of actions has no nested groups of rules")
		}
	}
}

func (c *checker) method(v any) {
	if v == nil {
		return
	}
	at := []string{"invocationMethod"}
	o := c.object(v, at...)
	if o == nil {
		return
	}
	if o["type"] == nil {
		c.add(append(at, "type"), "is required")
		return
	}
	kind, _ := c.text(o, "type", at)
	m, ok := methods[kind]
	if !ok {
		c.add(append(at, "type"), "must be one of AZURE-DEVOPS, GITHUB, GITLAB, KAFKA, WEBHOOK")
		return
	}
	c.closed(o, at, slices.Concat([]string{"type"}, m.texts, m.flags))
	for _, key := range m.needs {
		if o[key] == nil {
			c.add(append(slices.Clone(at), key), "is required")
		}
	}
	for _, key := range m.texts {
		c.text(o, key, at)
	}
	for _, key := range m.flags {
		if v := o[key]; v != nil {
			if _, ok := v.(bool); !ok {
				c.add(append(slices.Clone(at), key), "want a boolean, got %s", jsonv.KindOf(v))
			}
		}
	}
	if s := jsonv.String(o, "method"); s != "" && !slices.Contains(httpMethods, s) {
		c.add(append(at, "method"), "must be equal to one of the allowed values: %s", strings.Join(httpMethods, ", "))
	}
	if agent, ok := o["agent"].(bool); kind == "GITLAB" && ok && !agent {
		c.add(append(at, "agent"), "must be equal to one of the allowed values: true")
	}
	if url := jsonv.String(o, "url"); url != "" && !strings.Contains(url, "://") {
		c.add(append(at, "url"), "must be of format \"uri\"")
	}
}
