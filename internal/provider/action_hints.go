package provider

import (
	"fmt"
	"maps"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// Hints about actions that Port takes, and that then do not do what they seem to
// say. All are warnings: the service may have learned more since.

func hint(at *tftypes.AttributePath, summary, format string, args ...any) lens.Problem {
	return lens.Problem{Path: at, Warning: true, Summary: summary, Detail: fmt.Sprintf(format, args...)}
}

// pending reports whether a value is not known yet, so that nothing can be said.
func pending(v tftypes.Value) bool { return v.Type() != nil && !v.IsKnown() }

// inputFormats are those that Port knows (reference/actions.md §2.2).
var inputFormats = []string{"date-time", "url", "email", "ipv4", "ipv6", "yaml", "entity", "user", "team", "proto", "markdown", "multi-line", "labeled-url"}

// unfit says what is wrong with a default of a format that Port checks when a run
// begins (reference/actions.md §2.3).
func unfit(format, value string) string {
	want := ""
	switch format {
	case "email", "user":
		if a, err := mail.ParseAddress(value); err != nil || a.Address != value {
			want = "an e-mail address"
		}
	case "url":
		if u, err := url.Parse(value); err != nil || u.Scheme == "" {
			want = "a URL with its scheme, such as https://example.com"
		}
	case "ipv4":
		if a, err := netip.ParseAddr(value); err != nil || !a.Is4() {
			want = "an IPv4 address"
		}
	case "ipv6":
		if a, err := netip.ParseAddr(value); err != nil || !a.Is6() {
			want = "an IPv6 address"
		}
	case "date-time":
		if _, err := time.Parse(time.RFC3339, value); err != nil {
			want = "a date and time such as 2024-01-31T12:00:00Z"
		}
	}
	if want == "" {
		return ""
	}
	return fmt.Sprintf("The format %s wants %s, and the default is %q: Port refuses runs that leave it as it is.", format, want, value)
}

// hintInput looks at one input of a form.
func hintInput(at *tftypes.AttributePath, attribute string, input lens.Obj) []lens.Problem {
	var out []lens.Problem
	for _, b := range [][2]string{{"min_length", "max_length"}, {"minimum", "maximum"}, {"min_items", "max_items"}} {
		least, most := input[b[0]], input[b[1]]
		if lens.Known(least) && lens.Known(most) && number(least).Cmp(number(most)) > 0 {
			out = append(out, hint(at.WithAttributeName(b[0]), "Nothing is allowed", "%s is %s and %s is %s, so that no value is both.",
				b[0], number(least).Text('g', -1), b[1], number(most).Text('g', -1)))
		}
	}
	out = append(out, hintColours(at, input)...)
	switch attribute {
	case "string_props":
		return append(out, hintText(at, input, []tftypes.Value{input["default"]}, false)...)
	case "array_props":
		if items := lens.AsObj(input["string_items"]); items != nil {
			return append(out, hintText(at.WithAttributeName("string_items"), items, lens.AsList(items["default"]), true)...)
		}
	}
	return out
}

// hintText looks at a text input, or at the items of a list of texts.
func hintText(at *tftypes.AttributePath, input lens.Obj, initial []tftypes.Value, items bool) []lens.Problem {
	var out []lens.Problem
	if pending(input["format"]) {
		return nil
	}
	format, said := text(input["format"])
	if said && !slices.Contains(inputFormats, format) {
		out = append(out, hint(at.WithAttributeName("format"), "Unknown format", "Port knows no format %q: it knows %s.", format, strings.Join(inputFormats, ", ")))
	}
	for i, v := range initial {
		s, known := text(v)
		if !known {
			continue
		}
		if wrong := unfit(format, s); wrong != "" {
			where := at.WithAttributeName("default")
			if items {
				where = where.WithElementKeyInt(i)
			}
			out = append(out, hint(where, "Default is not allowed", "%s", wrong))
		}
	}
	if format != "entity" {
		for _, name := range []string{"dataset", "blueprint"} {
			if !lens.Nothing(input[name]) {
				out = append(out, hint(at.WithAttributeName(name), "Only entities are filtered", "%s has no effect without format = \"entity\".", name))
			}
		}
	}
	return out
}

// hintColours looks for colours of values that nobody can choose.
func hintColours(at *tftypes.AttributePath, input lens.Obj) []lens.Problem {
	colours := lens.AsObj(input["enum_colors"])
	enum := input["enum"]
	if len(colours) == 0 || !lens.Nothing(input["enum_jq_query"]) || pending(enum) || !lens.Nothing(enum) && !enum.IsFullyKnown() {
		return nil
	}
	allowed := map[string]bool{}
	for _, v := range lens.AsList(enum) {
		if v.Type().Is(tftypes.Number) {
			allowed[number(v).Text('g', -1)], allowed[number(v).Text('f', -1)] = true, true
			continue
		}
		allowed[lens.AsText(v)] = true
	}
	var out []lens.Problem
	for _, key := range slices.Sorted(maps.Keys(colours)) {
		if !allowed[key] {
			out = append(out, hint(at.WithAttributeName("enum_colors").WithElementKeyString(key), "Colour of nothing", "%q is not in enum.", key))
		}
	}
	return out
}

// ruleOperators are those of rules (reference/actions.md §2.6), and whether each
// compares with a value. Letter case does not count.
var ruleOperators = map[string]bool{
	"=": true, "!=": true, ">": true, ">=": true, "<": true, "<=": true, "contains": true, "doesnotcontains": true, "containsany": true,
	"beginswith": true, "doesnotbeginswith": true, "endswith": true, "doesnotendswith": true, "in": true, "notin": true, "between": true, "notbetween": true,
	"relatedto": true, "matchany": true, "isempty": false, "isnotempty": false, "isexpired": false, "isnotexpired": false,
}

// hintRule looks at a rule of a dataset that is no group.
func hintRule(at lens.Path, from lens.Obj) []lens.Problem {
	if pending(from["operator"]) || pending(from["value"]) || pending(from["value_json"]) {
		return nil
	}
	wrong := func(name, detail string) []lens.Problem {
		p := at.Name(name).Finding("Port refuses this rule", detail)
		p.Warning = true
		return []lens.Problem{p}
	}
	operator, _ := text(from["operator"])
	compares, known := ruleOperators[strings.ToLower(operator)]
	query := lens.AsObj(from["value"])["jq_query"]
	valued := lens.Known(from["value_json"]) || lens.Known(from["value"]) && !lens.Nothing(query)
	switch {
	case operator == "":
		return wrong("operator", "A rule needs an operator, such as \"=\"; a group of rules needs a combinator.")
	case !known:
		return wrong("operator", fmt.Sprintf("Port knows no operator %q.", operator))
	case compares && !valued && !pending(query):
		return wrong("operator", fmt.Sprintf("The operator %q needs a value: set value = { jq_query = \"...\" }, or value_json for one that is not computed.", operator))
	}
	return nil
}

// hintDependencies looks for inputs that wait for each other.
func hintDependencies(at *tftypes.AttributePath, trigger lens.Obj) []lens.Problem {
	waits := map[string][]string{}
	place := map[string]*tftypes.AttributePath{}
	eachInput(trigger, func(attribute, key string, input lens.Obj) {
		place[key] = at.WithAttributeName("user_properties").WithAttributeName(attribute).WithElementKeyString(key).WithAttributeName("depends_on")
		for _, v := range lens.AsList(input["depends_on"]) {
			if s, ok := text(v); ok {
				waits[key] = append(waits[key], s)
			}
		}
	})
	var way func(from, to string, seen map[string]bool) []string
	way = func(from, to string, seen map[string]bool) []string {
		for _, next := range waits[from] {
			if next == to {
				return []string{to}
			}
			if !seen[next] {
				seen[next] = true
				if rest := way(next, to, seen); rest != nil {
					return append([]string{next}, rest...)
				}
			}
		}
		return nil
	}
	var out []lens.Problem
	for _, key := range slices.Sorted(maps.Keys(waits)) {
		if circle := way(key, key, map[string]bool{}); circle != nil {
			out = append(out, hint(place[key], "Inputs wait for each other", "%s waits for %s: in the form nobody can fill it in.", key, strings.Join(circle, ", which waits for ")))
		}
	}
	return out
}

// hintCondition looks at the condition of an action, all parts of which Port wants.
func hintCondition(at *tftypes.AttributePath, trigger lens.Obj) []lens.Problem {
	s, _ := text(trigger["condition"])
	condition, err := jsonv.DecodeObject([]byte(s))
	if err != nil {
		return nil
	}
	at = at.WithAttributeName("condition")
	say := func(format string, args ...any) []lens.Problem {
		return []lens.Problem{hint(at, "Port refuses this condition", format, args...)}
	}
	for _, key := range sortedKeysOf(condition) {
		if !slices.Contains([]string{"type", "combinator", "rules", "expressions"}, key) {
			return say("A condition has a type, a combinator and rules, and no %q.", key)
		}
	}
	switch c := condition["combinator"]; {
	case condition["type"] != "SEARCH":
		return say("Its type must be \"SEARCH\": type = \"SEARCH\", combinator = \"and\", rules = [...].")
	case c != "and" && c != "or":
		return say("Its combinator must be \"and\" or \"or\".")
	}
	rules, ok := condition["rules"].([]any)
	if !ok {
		return say("It needs rules, a list.")
	}
	if strings.Contains(string(jsonv.Encode(rules)), `"jqQuery"`) {
		return say("Values in it are literal; only the dataset of an input can compute them ({\"jqQuery\"}).")
	}
	return nil
}

// headerName is the grammar of names of headers.
var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// hintMethod looks at what an action does.
func hintMethod(action lens.Obj) []lens.Problem {
	root := tftypes.NewAttributePath()
	var out []lens.Problem
	if webhook := lens.AsObj(action["webhook_method"]); webhook != nil {
		at := root.WithAttributeName("webhook_method")
		out = append(out, hintURL(at.WithAttributeName("url"), webhook["url"], "every run of it fails")...)
		if method, _ := text(webhook["method"]); method == "GET" && !lens.Nothing(webhook["body"]) {
			out = append(out, hint(at.WithAttributeName("body"), "Body of nothing", "A GET sends no body."))
		}
		for _, name := range slices.Sorted(maps.Keys(lens.AsObj(webhook["headers"]))) {
			here := at.WithAttributeName("headers").WithElementKeyString(name)
			switch {
			case strings.Contains(name, "{{"):
			case !headerName.MatchString(name):
				out = append(out, hint(here, "Invalid header", "%q is no name of a header: every run of the action fails.", name))
			case strings.EqualFold(name, "x-port-signature") || strings.EqualFold(name, "x-port-timestamp"):
				out = append(out, hint(here, "Header without effect", "Port signs each call and sets %s itself.", name))
			}
		}
	}
	out = append(out, hintURL(root.WithAttributeName("approval_webhook_notification").WithAttributeName("url"), lens.AsObj(action["approval_webhook_notification"])["url"], "Port refuses it")...)
	for _, at := range []*tftypes.AttributePath{
		root.WithAttributeName("github_method"),
		root.WithAttributeName("integration_method").WithAttributeName("integration_action_execution_properties"),
	} {
		of := action
		for _, step := range at.Steps() {
			if name, ok := step.(tftypes.AttributeName); ok {
				of = lens.AsObj(of[string(name)])
			}
		}
		s, _ := text(of["workflow_inputs"])
		if given, err := jsonv.DecodeObject([]byte(s)); err == nil && len(given) > maxWorkflowInputs+1 {
			out = append(out, hint(at.WithAttributeName("workflow_inputs"), "Too many inputs", "GitHub takes at most %d inputs of a workflow, beside ref; these are %d.", maxWorkflowInputs, len(given)))
		}
	}
	if approval, said := text(action["required_approval"]); said && approval != "false" && !lens.Nothing(action["automation_trigger"]) {
		out = append(out, hint(root.WithAttributeName("required_approval"), "Approval of nothing", "Runs of an automation wait for nobody: required_approval has no effect."))
	}
	return out
}

// maxWorkflowInputs is GitHub's bound (reference/actions.md §3.2).
const maxWorkflowInputs = 10

// hintURL wants a URL that says where it leads, unless a template does.
func hintURL(at *tftypes.AttributePath, v tftypes.Value, so string) []lens.Problem {
	s, known := text(v)
	if !known || s == "" || strings.Contains(s, "{{") {
		return nil
	}
	if u, err := url.Parse(s); err == nil && u.Scheme != "" && u.Host != "" {
		return nil
	}
	return []lens.Problem{hint(at, "Not a URL", "Want a URL with scheme and host, such as https://example.com/hook; with %q %s.", s, so)}
}
