package catalog_test

import (
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// naive answers searches by reading reference/catalog.md §5 literally, one entity
// and one rule at a time, over what a test knows it has written. It shares no
// code with the query package.
type naive struct {
	now    time.Time
	shapes map[string]naiveShape
	things []*naiveThing // in list order
	// byKey and edges are filled when the first search is answered.
	byKey map[string]*naiveThing
	edges []naiveEdge
	// reached and led remember what a relatedTo rule and a path from a blueprint
	// lead to.
	reached map[string]map[*naiveThing]bool
	led     map[string][]*naiveThing
	// caller is who asks, and hidden what they may not read.
	caller *naiveCaller
	hidden map[*naiveThing]bool
}

// naiveCaller is who asks: their own values and those of each of their teams.
type naiveCaller struct {
	user  jsonv.Object
	teams []jsonv.Object
}

// reference is a contextual value (§5.8); ok is false when v is none.
func (n *naive) reference(v any) (value any, teams, ok bool) {
	context, ok := jsonv.Get(v, "context")
	name := jsonv.String(v, "property")
	switch {
	case !ok || n.caller == nil:
		return nil, false, ok
	case context == "user":
		return n.caller.user[name], name == "$team", true
	}
	all := []any{}
	for _, t := range n.caller.teams {
		if t[name] != nil {
			all = append(all, elements(t[name])...)
		}
	}
	return all, true, true
}

// seen is what a caller finds when only some of it may be read: those that may,
// by blueprint, as a query of the organization decides; without one all are.
func (n *naive) seen(may map[string]jsonv.Object) *naive {
	out := *n
	out.hidden = map[*naiveThing]bool{}
	for _, t := range n.things {
		if q, limited := may[t.blueprint]; limited {
			out.hidden[t] = q == nil || !n.group(t, q)
		}
	}
	out.edges = nil
	out.settle()
	return &out
}

type naiveEdge struct {
	from, to *naiveThing
	required bool
}

// settle notes what follows from all that was written.
func (n *naive) settle() {
	n.byKey, n.reached, n.led = map[string]*naiveThing{}, map[string]map[*naiveThing]bool{}, map[string][]*naiveThing{}
	for _, t := range n.things {
		n.byKey[t.blueprint+"/"+t.id] = t
	}
	for _, from := range n.things {
		for name, relation := range n.shapes[from.blueprint].relations {
			for _, to := range n.leads(from, name) {
				n.edges = append(n.edges, naiveEdge{from, to, relation.required})
			}
		}
	}
}

// naiveShape is what a blueprint says, written down a second time.
type naiveShape struct {
	properties map[string]naiveType
	relations  map[string]naiveRelation
	mirrors    map[string]naiveMirror
	// inherits is the relation that owning teams come through.
	inherits string
}

type (
	naiveType     struct{ kind, format, item string }
	naiveRelation struct {
		target         string
		required, many bool
	}
	naiveMirror struct{ relation, leaf string }
	naiveThing  struct {
		blueprint, id     string
		meta, props, rels jsonv.Object
	}
)

// find lists the identifiers of what matches, in one blueprint or, for "", all.
func (n *naive) find(blueprint string, query jsonv.Object) (ids []string) {
	for _, t := range n.things {
		if (blueprint == "" || t.blueprint == blueprint) && !n.hidden[t] && n.group(t, query) {
			ids = append(ids, t.blueprint+"/"+t.id)
		}
	}
	return ids
}

func (n *naive) get(blueprint, id string) *naiveThing { return n.byKey[blueprint+"/"+id] }

func (n *naive) group(t *naiveThing, g jsonv.Object) bool {
	rules, or := jsonv.List(g, "rules"), g["combinator"] == "or"
	holds := len(rules) == 0 || !or
	for _, r := range rules {
		if rule, _ := r.(jsonv.Object); n.rule(t, rule) == or {
			holds = or
		}
	}
	return holds != (g["not"] == true)
}

func (n *naive) rule(t *naiveThing, r jsonv.Object) bool {
	op, x := jsonv.String(r, "operator"), r["value"]
	if value, _, ok := n.reference(x); ok {
		if n.caller == nil {
			return false
		}
		x = value
	}
	if v, listed, ok := n.reference(r["property"]); ok {
		return n.caller != nil && n.holds(op, v, x, false, listed)
	}
	if name := r["property"]; name == "$team" && (op == "in" || op == "notIn" || op == "containsAny") {
		x = n.myTeams(x)
	}
	switch {
	case r["combinator"] != nil:
		return n.group(t, r)
	case op == "relatedTo":
		return n.related(r)[t]
	case r["propertySchema"] != nil:
		return n.bySchema(t, op, x, jsonv.Map(r, "propertySchema"))
	case r["relation"] != nil:
		return n.holds(op, n.relation(t, jsonv.String(r, "relation"), r["targetProperty"] == "$title"), x, false, true)
	}
	if path, ok := r["property"].(jsonv.Object); ok {
		return n.path(t, path, x)
	}
	name := jsonv.String(r, "property")
	p, own := n.shapes[t.blueprint].properties[name]
	_, mirrored := n.shapes[t.blueprint].mirrors[name]
	dated := name == "$createdAt" || name == "$updatedAt" || own && (p.format == "date-time" || p.format == "timer")
	listed := name == "$team" || !own && !mirrored && n.shapes[t.blueprint].relations[name].target != ""
	return n.holds(op, n.value(t, name), x, dated, listed)
}

// myTeams stands in for "My Teams".
func (n *naive) myTeams(x any) any {
	if !slices.Contains(elements(x), any("My Teams")) {
		return x
	}
	out := []any{}
	for _, e := range elements(x) {
		switch {
		case e != "My Teams":
			out = append(out, e)
		case n.caller != nil:
			out = append(out, jsonv.List(n.caller.user, "$team")...)
		}
	}
	return out
}

// value is what a rule means by a name.
func (n *naive) value(t *naiveThing, name string) any {
	shape := n.shapes[t.blueprint]
	switch {
	case name == "$team":
		if shape.inherits == "" {
			return t.meta[name]
		}
		teams := []any{}
		for _, end := range n.follow(t, shape.inherits) {
			for _, team := range jsonv.List(n.value(end, "$team")) {
				if !slices.Contains(teams, team) {
					teams = append(teams, team)
				}
			}
		}
		return teams
	case strings.HasPrefix(name, "$"):
		return t.meta[name]
	case shape.properties[name].kind != "":
		return t.props[name]
	case shape.mirrors[name].relation != "":
		return n.mirror(t, shape.mirrors[name])
	}
	return t.rels[name]
}

func (n *naive) mirror(t *naiveThing, m naiveMirror) any {
	if !n.shapes[t.blueprint].relations[m.relation].many {
		for _, end := range n.read(t, m.relation) {
			return n.value(end, m.leaf)
		}
		return nil
	}
	out := []any{}
	for _, end := range n.read(t, m.relation) {
		switch v := n.value(end, m.leaf).(type) {
		case nil:
		case []any:
			out = append(out, v...)
		default:
			out = append(out, v)
		}
	}
	return out
}

// read is where a relation leads, without what may not be read.
func (n *naive) read(t *naiveThing, relation string) []*naiveThing {
	return slices.DeleteFunc(n.follow(t, relation), func(end *naiveThing) bool { return n.hidden[end] })
}

// follow is where a relation leads; from what may not be read, nowhere.
func (n *naive) follow(t *naiveThing, relation string) (ends []*naiveThing) {
	if n.hidden[t] {
		return nil
	}
	return n.leads(t, relation)
}

// leads is where a relation leads, whoever asks.
func (n *naive) leads(t *naiveThing, relation string) (ends []*naiveThing) {
	ids, target := t.rels[relation], n.shapes[t.blueprint].relations[relation].target
	if relation == "$team" {
		ids, target = n.value(t, "$team"), "_team"
	}
	for _, id := range elements(ids) {
		text, _ := id.(string)
		if end := n.get(target, text); end != nil {
			ends = append(ends, end)
		}
	}
	return ends
}

func (n *naive) relation(t *naiveThing, relation string, titles bool) any {
	value := t.rels[relation]
	if !titles || value == nil {
		return value
	}
	out := []any{}
	for _, end := range n.follow(t, relation) {
		title := end.meta["$title"]
		if n.hidden[end] {
			title = nil
		}
		out = append(out, title)
	}
	if _, many := value.([]any); many {
		return out
	}
	return out[0]
}

// elements is a value as a list, null as none.
func elements(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// holds is the table of §5.4.
func (n *naive) holds(op string, v, x any, dated, listed bool) bool {
	list, isList := v.([]any)
	same := func(a, b any) bool { return sameValue(a, b, dated) }
	among := func(a any, some []any) bool {
		return slices.ContainsFunc(some, func(b any) bool { return same(a, b) })
	}
	given := elements(x)
	if x == nil {
		given = []any{nil}
	}
	switch op {
	case "!=":
		return !n.holds("=", v, x, dated, listed)
	case "doesNotContains":
		return !n.holds("contains", v, x, dated, listed)
	case "doesNotBeginsWith":
		return !n.holds("beginsWith", v, x, dated, listed)
	case "doesNotEndsWith":
		return !n.holds("endsWith", v, x, dated, listed)
	case "notIn":
		return !n.holds("in", v, x, dated, listed)
	case "isNotEmpty":
		return !n.holds("isEmpty", v, x, dated, listed)
	case "isEmpty":
		return v == nil || listed && isList && len(list) == 0
	case "notBetween":
		_, isDate := moment(v)
		return v == nil || isDate && !n.within(v, x)
	case "between":
		return n.within(v, x)
	case "=":
		if _, window := x.(jsonv.Object); window {
			return n.within(v, x)
		}
		whole, isWhole := x.([]any)
		switch {
		case v == nil || x == nil:
			return v == nil && x == nil
		case isList && isWhole:
			return slices.EqualFunc(list, whole, func(a, b any) bool { return sameValue(a, b, false) })
		case isList:
			return among(x, list)
		}
		return !isWhole && same(v, x)
	case "in":
		if isList {
			return slices.ContainsFunc(list, func(e any) bool { return among(e, given) })
		}
		return among(v, given)
	case "containsAny", "matchAny":
		return v != nil && slices.ContainsFunc(elements(v), func(e any) bool { return among(e, given) })
	case "contains":
		return v != nil && !slices.ContainsFunc(given, func(e any) bool {
			if isList {
				return !among(e, list)
			}
			return !part(strings.Contains, v, e)
		})
	case "beginsWith", "endsWith":
		_, isText := v.(string)
		return isText && part(map[string]func(string, string) bool{"beginsWith": strings.HasPrefix, "endsWith": strings.HasSuffix}[op], v, x)
	case "isExpired", "isNotExpired":
		at, ok := moment(v)
		return ok && at.Before(n.now) == (op == "isExpired")
	}
	c, ok := ordered(v, x)
	return ok && (c < 0 && op[0] == '<' || c > 0 && op[0] == '>' || c == 0 && len(op) == 2)
}

func sameValue(a, b any, dated bool) bool {
	number, isNumber := a.(json.Number)
	other, bothNumbers := b.(json.Number)
	if isNumber && bothNumbers {
		return rational(number).Cmp(rational(other)) == 0
	}
	at, ok := moment(a)
	then, both := moment(b)
	return a == b && !isNumber || dated && ok && both && at.Equal(then)
}

func rational(n json.Number) *big.Rat {
	r, _ := new(big.Rat).SetString(string(n))
	return r
}

func moment(v any) (time.Time, bool) {
	text, _ := v.(string)
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil
}

func ordered(v, x any) (int, bool) {
	a, isNumber := v.(json.Number)
	b, both := x.(json.Number)
	if isNumber || both {
		if !isNumber || !both {
			return 0, false
		}
		return rational(a).Cmp(rational(b)), true
	}
	at, ok := moment(v)
	then, bothDates := moment(x)
	return at.Compare(then), ok && bothDates
}

// part compares texts, and numbers as texts, without regard to case.
func part(is func(string, string) bool, v, x any) bool {
	text := func(v any) (string, bool) {
		switch v := v.(type) {
		case string:
			return strings.ToLower(v), true
		case json.Number:
			return string(v), true
		}
		return "", false
	}
	a, ok := text(v)
	b, both := text(x)
	return ok && both && is(a, b)
}

func (n *naive) within(v, x any) bool {
	at, ok := moment(v)
	from, _ := moment(jsonv.String(x, "from"))
	to, _ := moment(jsonv.String(x, "to"))
	today := n.now.Truncate(24 * time.Hour)
	const day = 24 * time.Hour
	switch jsonv.String(x, "preset") {
	case "today":
		from, to = today, today.Add(day-1)
	case "yesterday":
		from, to = today.Add(-day), today.Add(-1)
	case "lastWeek":
		from, to = n.now.Add(-7*day), n.now
	case "nextMonth":
		from, to = n.now, n.now.Add(30*day)
	}
	return ok && !at.Before(from) && !at.After(to)
}

func (n *naive) bySchema(t *naiveThing, op string, x any, want jsonv.Object) bool {
	negated := map[string]string{"!=": "=", "doesNotContains": "contains", "notIn": "in", "doesNotBeginsWith": "beginsWith", "doesNotEndsWith": "endsWith"}
	if positive, ok := negated[op]; ok {
		return !n.bySchema(t, positive, x, want)
	}
	for name, p := range n.shapes[t.blueprint].properties {
		format, asked := want["format"]
		item, ofItems := jsonv.Get(want, "items", "type")
		if p.kind != want["type"] || asked && p.format != format || ofItems && p.item != item {
			continue
		}
		if n.holds(op, t.props[name], x, p.format == "date-time" || p.format == "timer", false) {
			return true
		}
	}
	return false
}

// related is §5.6, by following everything until nothing new turns up.
func (n *naive) related(r jsonv.Object) map[*naiveThing]bool {
	key := string(jsonv.Encode(r))
	if found, ok := n.reached[key]; ok {
		return found
	}
	found := map[*naiveThing]bool{}
	for _, forward := range []bool{true, false} {
		if forward && r["direction"] == "downstream" || !forward && r["direction"] == "upstream" {
			continue
		}
		here, seen := map[*naiveThing]bool{}, map[*naiveThing]bool{}
		for _, id := range elements(r["value"]) {
			text, _ := id.(string)
			if t := n.get(jsonv.String(r, "blueprint"), text); t != nil {
				here[t] = true
			}
		}
		for len(here) > 0 {
			next := map[*naiveThing]bool{}
			for _, e := range n.edges {
				start, end := e.from, e.to
				if !forward {
					start, end = end, start
				}
				if required, ok := r["required"]; ok && required != e.required {
					continue
				}
				if here[start] && !n.hidden[start] && !seen[end] {
					next[end], seen[end], found[end] = true, true, true
				}
			}
			here = next
		}
	}
	n.reached[key] = found
	return found
}

// path is §5.7: H2 from the candidate, H3 to it.
func (n *naive) path(t *naiveThing, path jsonv.Object, x any) bool {
	from, given := path["fromBlueprint"].(string)
	if !given {
		return slices.ContainsFunc(n.ends([]*naiveThing{t}, jsonv.List(path, "path")), func(end *naiveThing) bool { return slices.Contains(elements(x), any(end.id)) })
	}
	var start []*naiveThing
	for _, id := range elements(x) {
		text, _ := id.(string)
		if s := n.get(from, text); s != nil {
			start = append(start, s)
		}
	}
	key := string(jsonv.Encode([]any{path, x}))
	if _, ok := n.led[key]; !ok {
		n.led[key] = n.ends(start, jsonv.List(path, "path"))
	}
	return slices.Contains(n.led[key], t)
}

func (n *naive) ends(here []*naiveThing, path []any) []*naiveThing {
	for i, hop := range path {
		relation, repeated := hop.(string)
		times := 1
		if repeated = !repeated; repeated {
			hops, _ := jsonv.Get(hop, "maxHops")
			count, _ := hops.(json.Number)
			many, _ := count.Int64()
			relation, times = jsonv.String(hop, "relation"), int(many)
		}
		var all []*naiveThing
		if repeated && i > 0 {
			all = append(all, here...)
		}
		for range times {
			var next []*naiveThing
			for _, t := range here {
				for _, end := range n.follow(t, relation) {
					if !slices.Contains(next, end) {
						next = append(next, end)
					}
				}
			}
			here = next
			all = append(all, here...)
		}
		here = all
	}
	return here
}
