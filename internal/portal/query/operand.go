package query

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// selectorOperators are those of §4.7.
var selectorOperators = map[Scope][]operator{
	Selector:           {"=", "in", "containsAny", "contains"},
	IdentifierSelector: {"=", "in"},
}

func (p *parser) isSelector() bool { return selectorOperators[p.scope] != nil }

func (p *parser) forbidInSelector(op operator) {
	if p.isSelector() && !contains(selectorOperators[p.scope], op) {
		p.add("cannot be used here: "+string(op), "operator")
	}
}

// value reads the value of a rule as its operator asks. Strings says that only
// strings will do, as for matchAny; team that "My Teams" has its meaning.
func (p *parser) value(o jsonv.Object, op operator, strings, team bool) side {
	raw, there := o["value"]
	if !there || contains(emptyOperators, op) || contains(timerOperators, op) {
		return side{}
	}
	var s side
	p.in(func() {
		switch {
		case p.isSelector() && contains(selectorOperators[p.scope], op):
			s.fixed = want(p.selectorValue(raw, op))
		case isObject(raw):
			s = p.objectValue(raw, op)
		case strings:
			s.fixed = want(p.stringsValue(raw))
		case contains(orderOperators, op):
			s.fixed = want(p.orderValue(raw))
		case contains(rangeOperators, op):
			p.add("want {from, to}, {preset} or a contextual value, got " + show(raw))
		default:
			s.fixed = want(p.textValue(raw))
		}
	}, "value")
	if p.truths {
		s.fixed.meanBooleans()
	}
	s.mine = team && (op == "in" || op == "notIn" || op == "containsAny") &&
		slices.ContainsFunc(s.fixed.elements(), func(w wanted) bool { return w.raw == callersTeams })
	return s
}

func isObject(v any) bool { _, ok := v.(jsonv.Object); return ok }

func (p *parser) stringsValue(raw any) any {
	// The place is already the value, so the problems go to its elements.
	switch v := raw.(type) {
	case string:
		return v
	case []any:
		for i, e := range v {
			if _, ok := e.(string); !ok {
				p.add("want a string, got "+show(e), strconv.Itoa(i))
			}
		}
		return v
	}
	p.add("want a string, an array of strings or a contextual value, got " + show(raw))
	return nil
}

func (p *parser) orderValue(raw any) any {
	w := want(raw)
	if _, ok := raw.(json.Number); !ok && !w.isTime {
		p.add("want a number, a date-time or a contextual value, got " + show(raw))
	}
	return raw
}

// textValue reads null, a string, a number, a boolean or an array. Arrays hold
// strings; in the catalog-wide search numbers and booleans as well (§5.3). Null
// in an array is how a rule asks for missing values (§5.4, in).
func (p *parser) textValue(raw any) any {
	list, ok := raw.([]any)
	if !ok {
		return raw
	}
	for i, e := range list {
		switch e.(type) {
		case nil, string:
		case json.Number, bool:
			if p.scope != CatalogWide {
				p.add("want a string, got "+show(e), strconv.Itoa(i))
			}
		default:
			p.add("want a string, a number or a boolean, got "+show(e), strconv.Itoa(i))
		}
	}
	return list
}

// objectValue reads a contextual value or a window of time.
func (p *parser) objectValue(raw any, op operator) side {
	o, _ := raw.(jsonv.Object)
	has := func(key string) bool { _, ok := o[key]; return ok }
	if has("context") {
		return side{ref: p.reference(o)}
	}
	if op != "=" && !contains(rangeOperators, op) || !has("from") && !has("to") && !has("preset") {
		p.add("does not fit the operator: " + show(raw))
		return side{}
	}
	if has("preset") {
		p.closed(o, []string{"preset"})
		name, _ := o["preset"].(string)
		window, ok := presets[name]
		if !ok {
			p.add("unknown preset "+show(o["preset"]), "preset")
		}
		return side{fixed: wanted{raw: raw, span: &span{preset: window}}}
	}
	p.closed(o, []string{"from", "to"})
	s := &span{}
	for _, border := range []string{"from", "to"} {
		if !has(border) {
			continue
		}
		text, _ := o[border].(string)
		t, ok := jsonv.ParseTime(text)
		if !ok {
			p.add("want a date-time, got "+show(o[border]), border)
		}
		if border == "from" {
			s.from = t
		} else {
			s.to = t
		}
	}
	return side{fixed: wanted{raw: raw, span: s}}
}

// selectorValue reads the values of §4.7.
func (p *parser) selectorValue(raw any, op operator) any {
	switch v := raw.(type) {
	case string:
		if op == "=" || op == "contains" {
			return v
		}
	case json.Number:
		if op == "=" {
			return v
		}
	case nil:
		if op == "=" || op == "contains" {
			return nil
		}
	case []any:
		if op == "=" {
			break
		}
		for i, e := range v {
			if _, ok := e.(string); !ok {
				p.add("want a string, got "+show(e), strconv.Itoa(i))
			}
		}
		return v
	}
	p.add("does not fit the operator " + string(op) + ": " + show(raw))
	return nil
}
