package query

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
)

// depthMax is how deep groups may nest (§5.3).
const depthMax = 32

func parse(raw any, o Options) (*Query, error) {
	p := &parser{scope: o.Scope, truths: o.TextBooleans, at: slices.Clone(o.At)}
	root := p.group(raw, 1)
	if err := p.problems.Invalid(); err != nil {
		return nil, err
	}
	return &Query{root: root}, nil
}

// parser reads one query; at is where it stands in the body.
type parser struct {
	scope    Scope
	truths   bool
	at       []string
	problems fault.Problems
}

func (p *parser) add(message string, below ...string) {
	p.problems.Add(jsonv.Pointer(append(slices.Clone(p.at), below...)...), "%s", message)
}

// in runs f with the place moved to below.
func (p *parser) in(f func(), below ...string) {
	n := len(p.at)
	p.at = append(p.at, below...)
	f()
	p.at = p.at[:n]
}

// closed reports the keys of o that are none of these, and the required ones
// that are missing.
func (p *parser) closed(o jsonv.Object, required []string, optional ...string) {
	for key := range o {
		if !slices.Contains(required, key) && !slices.Contains(optional, key) {
			p.add(fault.UnknownKey(key), key)
		}
	}
	for _, key := range required {
		if _, ok := o[key]; !ok {
			p.add("is required", key)
		}
	}
}

func (p *parser) group(raw any, depth int) *group {
	g := &group{}
	o, ok := raw.(jsonv.Object)
	if !ok {
		p.add("want a query object with combinator and rules, got " + jsonv.KindOf(raw))
		return g
	}
	if depth > depthMax {
		p.add("queries nest at most 32 levels deep")
		return g
	}
	p.closed(o, []string{"combinator", "rules"}, "not")
	if c, there := o["combinator"]; there {
		text, _ := c.(string)
		if text != "and" && text != "or" {
			p.add(`want "and" or "or", got `+show(c), "combinator")
		}
		g.or = text == "or"
	}
	if not, there := o["not"]; there {
		if g.not, ok = not.(bool); !ok {
			p.add("want a boolean, got "+jsonv.KindOf(not), "not")
		}
	}
	raws, there := o["rules"]
	rules, ok := raws.([]any)
	if there && !ok {
		p.add("want an array, got "+jsonv.KindOf(raws), "rules")
	}
	for i, raw := range rules {
		p.in(func() {
			if rule := p.rule(raw, depth); rule != nil {
				g.rules = append(g.rules, rule)
			}
		}, "rules", strconv.Itoa(i))
	}
	return g
}

func (p *parser) rule(raw any, depth int) node {
	o, ok := raw.(jsonv.Object)
	if !ok {
		p.add("want a rule object, got " + jsonv.KindOf(raw))
		return nil
	}
	has := func(key string) bool { _, ok := o[key]; return ok }
	if has("combinator") || has("rules") {
		return p.group(o, depth+1)
	}
	op, ok := p.operator(o)
	if !ok {
		return nil
	}
	switch {
	case op == "relatedTo":
		return p.related(o)
	case has("propertySchema"):
		return p.schema(o, op)
	case has("relation") && !has("property"):
		return p.relation(o, op)
	case has("scorecard") || has("scorecardRule"):
		return p.scorecard(o, op)
	}
	return p.property(o, op)
}

func (p *parser) operator(o jsonv.Object) (operator, bool) {
	raw, there := o["operator"]
	if !there {
		p.add("is required", "operator")
		return "", false
	}
	text, _ := raw.(string)
	op, ok := operators[strings.ToLower(text)]
	if !ok {
		p.add("unknown operator "+show(raw), "operator")
	}
	return op, ok
}

func (p *parser) text(o jsonv.Object, key string) string {
	raw, there := o[key]
	s, ok := raw.(string)
	if there && !ok {
		p.add("want a string, got "+jsonv.KindOf(raw), key)
	}
	return s
}

func (p *parser) property(o jsonv.Object, op operator) node {
	p.forbidInSelector(op)
	r := &propertyRule{op: op}
	switch property := o["property"].(type) {
	case string:
		r.property = property
	case jsonv.Object:
		if _, isPath := property["path"]; isPath {
			return p.path(o, property, op)
		}
		p.in(func() { r.ref = p.reference(property) }, "property")
	default:
		if _, there := o["property"]; there {
			p.add("want a name or a contextual value, got "+show(property), "property")
		}
	}
	if r.ref != nil && p.isSelector() {
		p.add("contextual values cannot be used here", "property")
	}
	if op == "matchAny" && p.scope == OneBlueprint {
		p.add("matchAny needs a path when searching one blueprint", "property")
	}
	p.keys(o, op, "property")
	r.value = p.value(o, op, op == "matchAny", r.property == "$team")
	return r
}

// keys checks the keys of a rule that has a value unless its operator takes none.
func (p *parser) keys(o jsonv.Object, op operator, required ...string) {
	required = append(required, "operator")
	switch {
	case contains(emptyOperators, op):
		p.closed(o, required, append(ruleOptional[required[0]], "value")...)
	case contains(timerOperators, op):
		p.closed(o, required)
	default:
		p.closed(o, append(required, "value"), ruleOptional[required[0]]...)
	}
}

// ruleOptional are the further keys of the rules that begin with a key.
var ruleOptional = map[string][]string{"relation": {"targetProperty"}, "scorecard": {"scorecardRule"}}

func (p *parser) reference(o jsonv.Object) *reference {
	p.closed(o, []string{"context", "property"})
	r := &reference{property: p.text(o, "property")}
	if raw, there := o["context"]; there {
		switch raw {
		case "user":
		case "userTeams":
			r.teams = true
		default:
			p.add(`want "user" or "userTeams", got `+show(raw), "context")
		}
	}
	return r
}

func (p *parser) related(o jsonv.Object) node {
	p.forbidInSelector("relatedTo")
	p.closed(o, []string{"operator", "blueprint", "value"}, "direction", "required")
	r := &relatedRule{blueprint: p.text(o, "blueprint"), upstream: true, down: true}
	if raw, there := o["value"]; there {
		r.sources = p.strings(raw, "value")
	}
	if raw, there := o["direction"]; there {
		switch raw {
		case "upstream":
			r.down = false
		case "downstream":
			r.upstream = false
		default:
			p.add(`want "upstream" or "downstream", got `+show(raw), "direction")
		}
	}
	if raw, there := o["required"]; there {
		required, ok := raw.(bool)
		if !ok {
			p.add("want a boolean, got "+jsonv.KindOf(raw), "required")
		}
		r.required = &required
	}
	return r
}

// strings reads a string or an array of strings.
func (p *parser) strings(raw any, key string) []string {
	switch v := raw.(type) {
	case string:
		return []string{v}
	case []any:
		for i, e := range v {
			if _, ok := e.(string); !ok {
				p.add("want a string, got "+show(e), key, strconv.Itoa(i))
			}
		}
		return jsonv.Strings(v)
	}
	p.add("want a string or an array of strings, got "+show(raw), key)
	return nil
}

func (p *parser) schema(o jsonv.Object, op operator) node {
	p.forbidInSelector(op)
	p.keys(o, op, "propertySchema")
	r := &schemaRule{op: op, anyFormat: true, anyItems: true, anyItem: true}
	if op == "matchAny" {
		p.add("cannot be used with propertySchema: "+string(op), "operator")
	}
	schema, ok := o["propertySchema"].(jsonv.Object)
	if !ok {
		p.add("want an object, got "+jsonv.KindOf(o["propertySchema"]), "propertySchema")
		return r
	}
	p.in(func() {
		p.closed(schema, []string{"type"}, "format", "items")
		r.field.Type = p.kind(schema)
		r.field.Format, r.anyFormat = p.text(schema, "format"), schema["format"] == nil
		raw, there := schema["items"]
		if !there {
			return
		}
		items, ok := raw.(jsonv.Object)
		if !ok {
			p.add("want an object, got "+jsonv.KindOf(raw), "items")
			return
		}
		p.in(func() {
			p.closed(items, []string{"type"}, "format")
			r.anyItems = false
			r.field.ItemType = p.kind(items)
			r.field.ItemFormat, r.anyItem = p.text(items, "format"), items["format"] == nil
		}, "items")
	}, "propertySchema")
	r.value = p.value(o, op, false, false)
	switch op {
	case "=", "!=", "contains":
		if _, list := o["value"].([]any); list {
			p.add("want null, a string, a number or a boolean, got an array", "value")
		}
	}
	return r
}

func (p *parser) kind(o jsonv.Object) string {
	kind := p.text(o, "type")
	if _, there := o["type"]; there && !slices.Contains([]string{"string", "number", "boolean", "object", "array"}, kind) {
		p.add("want string, number, boolean, object or array, got "+show(o["type"]), "type")
	}
	return kind
}

func (p *parser) path(o, property jsonv.Object, op operator) node {
	r := &pathRule{}
	if op != "matchAny" {
		p.add("a path is compared with matchAny, not "+string(op), "operator")
	}
	p.closed(o, []string{"property", "operator", "value"})
	p.in(func() {
		p.closed(property, []string{"path"}, "fromBlueprint")
		r.from = p.text(property, "fromBlueprint")
		r.hops = p.hops(property["path"])
	}, "property")
	r.value = p.value(o, "matchAny", true, false)
	return r
}

func (p *parser) hops(raw any) []hop {
	steps, ok := raw.([]any)
	if !ok || len(steps) == 0 {
		p.add("want an array with at least one relation, got "+show(raw), "path")
		return nil
	}
	var hops []hop
	repeats := 0
	for i, raw := range steps {
		p.in(func() {
			h := p.hop(raw)
			hops = append(hops, h)
			if h.repeat == 0 {
				return
			}
			if repeats++; repeats > 1 {
				p.add("maxHops can be given once in a path")
			}
		}, "path", strconv.Itoa(i))
	}
	return hops
}

const hopsMax = 15

func (p *parser) hop(raw any) hop {
	if relation, ok := raw.(string); ok {
		return hop{relation: relation}
	}
	o, ok := raw.(jsonv.Object)
	if !ok {
		p.add("want a relation or {relation, maxHops}, got " + show(raw))
		return hop{}
	}
	// The published schema requires neither key; without maxHops it is a plain hop.
	p.closed(o, []string{"relation"}, "maxHops")
	h := hop{relation: p.text(o, "relation")}
	if raw, there := o["maxHops"]; there {
		n, ok := raw.(json.Number)
		if !ok || !jsonv.IsInteger(n) || jsonv.CompareNumbers(n, "1") < 0 || jsonv.CompareNumbers(n, jsonv.Int(hopsMax)) > 0 {
			p.add("want an integer from 1 to 15, got "+show(raw), "maxHops")
			return h
		}
		if h.repeat, ok = atoi(n); !ok {
			p.add("want an integer from 1 to 15, got "+show(raw), "maxHops")
		}
	}
	return h
}

func atoi(n json.Number) (int, bool) {
	i, err := strconv.Atoi(string(jsonv.CanonicalNumber(n)))
	return i, err == nil
}

func (p *parser) relation(o jsonv.Object, op operator) node {
	p.onlyOneBlueprint("relation")
	p.keys(o, op, "relation")
	p.textOrEmpty(op)
	r := &relationRule{relation: p.text(o, "relation"), op: op}
	if raw, there := o["targetProperty"]; there {
		switch raw {
		case "$identifier":
		case "$title":
			r.titles = true
		default:
			p.add(`want "$identifier" or "$title", got `+show(raw), "targetProperty")
		}
	}
	r.value = p.value(o, op, false, false)
	return r
}

func (p *parser) scorecard(o jsonv.Object, op operator) node {
	p.onlyOneBlueprint("scorecard")
	p.keys(o, op, "scorecard")
	p.textOrEmpty(op)
	r := &scorecardRule{scorecard: p.text(o, "scorecard"), rule: p.text(o, "scorecardRule"), op: op}
	r.value = p.value(o, op, false, false)
	return r
}

func (p *parser) textOrEmpty(op operator) {
	if !contains(textOperators, op) && !contains(emptyOperators, op) {
		p.add("cannot be used here: "+string(op), "operator")
	}
}

func (p *parser) onlyOneBlueprint(key string) {
	if p.scope != OneBlueprint {
		p.add("can only be used when searching one blueprint", key)
	}
}

func show(v any) string {
	const most = 80
	text := []rune(string(jsonv.Encode(v)))
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}
