package query

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// operator is one of the comparisons of §5.4 in its canonical spelling.
type operator string

// operators maps lower case to the canonical spelling: any letter case is
// accepted (§5.4).
var operators = func() map[string]operator {
	m := map[string]operator{}
	for _, list := range [][]operator{textOperators, orderOperators, rangeOperators, emptyOperators, timerOperators, {"relatedTo", "matchAny"}} {
		for _, op := range list {
			m[strings.ToLower(string(op))] = op
		}
	}
	return m
}()

var (
	textOperators  = []operator{"=", "!=", "contains", "doesNotContains", "containsAny", "beginsWith", "doesNotBeginsWith", "endsWith", "doesNotEndsWith", "in", "notIn"}
	orderOperators = []operator{">", ">=", "<", "<="}
	rangeOperators = []operator{"between", "notBetween"}
	emptyOperators = []operator{"isEmpty", "isNotEmpty"}
	timerOperators = []operator{"isExpired", "isNotExpired"}
)

// negations are the operators that are exactly the opposite of another.
var negations = map[operator]operator{
	"!=": "=", "doesNotContains": "contains", "doesNotBeginsWith": "beginsWith",
	"doesNotEndsWith": "endsWith", "notIn": "in", "isNotEmpty": "isEmpty",
}

// wanted is the value of a rule, read once.
type wanted struct {
	raw    any
	text   string // decimal text of numbers, text of strings
	folded string
	time   time.Time
	isTime bool
	list   []wanted // elements when raw is an array
	// truth is the boolean that a text also stands for.
	truth any
	span  *span
}

func want(raw any) wanted {
	w := wanted{raw: raw}
	switch v := raw.(type) {
	case string:
		w.text = v
		w.time, w.isTime = jsonv.ParseTime(v)
	case json.Number:
		w.text = string(jsonv.CanonicalNumber(v))
	case []any:
		w.list = make([]wanted, len(v))
		for i := range v {
			w.list[i] = want(v[i])
		}
	}
	w.folded = strings.ToLower(w.text)
	return w
}

// meanBooleans lets the texts "true" and "false" stand for booleans as well.
func (w *wanted) meanBooleans() {
	if w.raw == "true" || w.raw == "false" {
		w.truth = w.raw == "true"
	}
	for i := range w.list {
		w.list[i].meanBooleans()
	}
}

// elements is the value as a list: a single value is a list of one.
func (w *wanted) elements() []wanted {
	if _, ok := w.raw.([]any); ok {
		return w.list
	}
	return []wanted{*w}
}

// subject is the entity's side of a rule.
type subject struct {
	value any
	// dated says that the value, or each element of it, is a date-time and
	// compares by instant.
	dated bool
	// listed says that an empty array is an empty value: relations and $team.
	listed bool
	now    time.Time
}

// test decides "value op w" as the table of §5.4 says.
func test(op operator, s *subject, w *wanted) bool {
	if positive, ok := negations[op]; ok {
		return !test(positive, s, w)
	}
	switch op {
	case "=":
		if w.span != nil {
			return s.within(w.span)
		}
		return s.equals(w)
	case ">", ">=", "<", "<=":
		order, ok := s.order(w)
		return ok && (order > 0 && op[0] == '>' || order < 0 && op[0] == '<' || order == 0 && len(op) == 2)
	case "contains":
		return s.contains(w)
	case "containsAny", "matchAny":
		return s.value != nil && s.oneOf(w)
	case "in":
		return s.oneOf(w)
	case "beginsWith", "endsWith":
		return s.affix(op, w)
	case "isEmpty":
		list, isList := s.value.([]any)
		return s.value == nil || isList && s.listed && len(list) == 0
	case "between":
		return w.span != nil && s.within(w.span)
	case "notBetween":
		if s.value == nil {
			return true
		}
		_, isDate := s.instant()
		return isDate && w.span != nil && !s.within(w.span)
	case "isExpired", "isNotExpired":
		t, ok := s.instant()
		return ok && t.Before(s.now) == (op == "isExpired")
	}
	return false
}

func (s *subject) equals(w *wanted) bool {
	if w.raw == nil || s.value == nil {
		return w.raw == nil && s.value == nil
	}
	if list, ok := s.value.([]any); ok {
		if _, whole := w.raw.([]any); whole {
			return jsonv.Equal(list, w.raw)
		}
		return slices.ContainsFunc(list, func(v any) bool { return s.same(v, w) })
	}
	return s.same(s.value, w)
}

// same compares two values that are not looked into.
func (s *subject) same(v any, w *wanted) bool {
	switch v := v.(type) {
	case string:
		if x, ok := w.raw.(string); !ok {
			return false
		} else if v == x {
			return true
		}
		if !s.dated || !w.isTime {
			return false
		}
		t, ok := jsonv.ParseTime(v)
		return ok && t.Equal(w.time)
	case bool:
		x, ok := w.raw.(bool)
		return ok && v == x || w.truth == v
	}
	return jsonv.Equal(v, w.raw)
}

func (s *subject) oneOf(w *wanted) bool {
	values, isList := s.value.([]any)
	if !isList {
		values = []any{s.value}
	}
	// A single wanted value is a list of one.
	if _, many := w.raw.([]any); !many {
		return slices.ContainsFunc(values, func(v any) bool { return s.same(v, w) })
	}
	for i := range w.list {
		if slices.ContainsFunc(values, func(v any) bool { return s.same(v, &w.list[i]) }) {
			return true
		}
	}
	return false
}

func (s *subject) order(w *wanted) (int, bool) {
	if n, ok := s.value.(json.Number); ok {
		x, ok := w.raw.(json.Number)
		if !ok {
			return 0, false
		}
		return jsonv.CompareNumbers(n, x), true
	}
	if !w.isTime {
		return 0, false
	}
	t, ok := s.instant()
	return t.Compare(w.time), ok
}

func (s *subject) contains(w *wanted) bool {
	if s.value == nil {
		return false
	}
	list, isList := s.value.([]any)
	all := w.elements()
	for i := range all {
		if isList {
			if !slices.ContainsFunc(list, func(v any) bool { return s.same(v, &all[i]) }) {
				return false
			}
			continue
		}
		text, ok := textOf(s.value)
		if !ok || !all[i].isText() || !strings.Contains(strings.ToLower(text), all[i].folded) {
			return false
		}
	}
	return true
}

func (w *wanted) isText() bool {
	switch w.raw.(type) {
	case string, json.Number:
		return true
	}
	return false
}

// textOf is the text that substring operators look at: a string itself, the
// decimal text of a number.
func textOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return string(jsonv.CanonicalNumber(v)), true
	}
	return "", false
}

func (s *subject) affix(op operator, w *wanted) bool {
	text, ok := s.value.(string)
	if !ok || !w.isText() {
		return false
	}
	text = strings.ToLower(text)
	if op == "beginsWith" {
		return strings.HasPrefix(text, w.folded)
	}
	return strings.HasSuffix(text, w.folded)
}

func (s *subject) instant() (time.Time, bool) {
	text, ok := s.value.(string)
	if !ok {
		return time.Time{}, false
	}
	return jsonv.ParseTime(text)
}

func (s *subject) within(sp *span) bool {
	t, ok := s.instant()
	return ok && sp.holds(t, s.now)
}
