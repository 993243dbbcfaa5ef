package scim

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// filter tells whether a resource, or an element of one of its lists, matches
// (RFC 7644 §3.4.2.2). A nil filter matches everything.
type filter interface{ match(v jsonv.Object) bool }

type (
	both    struct{ a, b filter }
	either  struct{ a, b filter }
	not     struct{ f filter }
	compare struct {
		path  attribute
		op    string
		value any
	}
	// elements matches a list that has an element which matches.
	elements struct {
		path attribute
		f    filter
	}
)

func (f both) match(v jsonv.Object) bool   { return f.a.match(v) && f.b.match(v) }
func (f either) match(v jsonv.Object) bool { return f.a.match(v) || f.b.match(v) }
func (f not) match(v jsonv.Object) bool    { return !f.f.match(v) }

func (f elements) match(v jsonv.Object) bool {
	list, _ := f.path.top(v).([]any)
	return slices.ContainsFunc(list, func(e any) bool {
		o, ok := e.(jsonv.Object)
		return ok && f.f.match(o)
	})
}

func (f compare) match(v jsonv.Object) bool {
	values := f.path.values(v)
	if f.op == "pr" {
		return slices.ContainsFunc(values, func(e any) bool { return e != nil && e != "" })
	}
	if f.op == "ne" {
		return !slices.ContainsFunc(values, func(e any) bool { return f.holds("eq", e) })
	}
	if len(values) == 0 {
		return f.op == "eq" && f.value == nil
	}
	return slices.ContainsFunc(values, func(e any) bool { return f.holds(f.op, e) })
}

// holds compares one value. Texts compare in any letter case but for ids.
func (f compare) holds(op string, have any) bool {
	switch want := f.value.(type) {
	case string:
		have, ok := have.(string)
		if !ok {
			return false
		}
		if name := strings.ToLower(f.path.last()); name != "id" && name != "externalid" {
			have, want = strings.ToLower(have), strings.ToLower(want)
		}
		switch op {
		case "co":
			return strings.Contains(have, want)
		case "sw":
			return strings.HasPrefix(have, want)
		case "ew":
			return strings.HasSuffix(have, want)
		}
		return ordered(op, strings.Compare(have, want))
	case json.Number:
		have, ok := have.(json.Number)
		return ok && ordered(op, jsonv.CompareNumbers(have, want))
	}
	return op == "eq" && jsonv.Equal(have, f.value)
}

func ordered(op string, order int) bool {
	switch op {
	case "eq":
		return order == 0
	case "gt":
		return order > 0
	case "ge":
		return order >= 0
	case "lt":
		return order < 0
	case "le":
		return order <= 0
	}
	return false
}

// equals returns the text that every match has at an attribute; false when the
// filter does not say so.
func equals(f filter, path string) (string, bool) {
	switch f := f.(type) {
	case compare:
		value, ok := f.value.(string)
		return value, ok && f.op == "eq" && strings.EqualFold(f.path.String(), path)
	case both:
		if value, ok := equals(f.a, path); ok {
			return value, true
		}
		return equals(f.b, path)
	}
	return "", false
}

var operators = []string{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"}

// maxFilter bounds filters, whose nesting the parser follows by recursion.
const maxFilter = 4096

// parseFilter reads a filter; "" is none.
func parseFilter(text string) (filter, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	if len(text) > maxFilter {
		return nil, refuse(invalidFilter, "the filter is longer than %d bytes", maxFilter)
	}
	p := &parser{rest: text}
	f, err := p.either()
	if err == nil && p.peek() != "" {
		err = p.wrong()
	}
	return f, err
}

// parser reads a filter by recursive descent.
type parser struct{ rest string }

func (p *parser) wrong() error {
	return refuse(invalidFilter, "the filter cannot be read at %q", cutText(p.rest))
}

func cutText(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

// peek is the next token: a bracket, a quoted text, or a word; "" at the end.
func (p *parser) peek() string {
	p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace)
	if p.rest == "" {
		return ""
	}
	if strings.ContainsRune("()[]", rune(p.rest[0])) {
		return p.rest[:1]
	}
	if p.rest[0] == '"' {
		for i := 1; i < len(p.rest); i++ {
			switch p.rest[i] {
			case '\\':
				i++
			case '"':
				return p.rest[:i+1]
			}
		}
		return p.rest
	}
	end := strings.IndexFunc(p.rest, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`()[]"`, r) })
	if end < 0 {
		return p.rest
	}
	return p.rest[:end]
}

func (p *parser) next() string {
	token := p.peek()
	p.rest = p.rest[len(token):]
	return token
}

// takes reads a token if it comes next.
func (p *parser) takes(token string) bool {
	if !strings.EqualFold(p.peek(), token) {
		return false
	}
	p.next()
	return true
}

func (p *parser) either() (filter, error) {
	f, err := p.both()
	for err == nil && p.takes("or") {
		var g filter
		g, err = p.both()
		f = either{f, g}
	}
	return f, err
}

func (p *parser) both() (filter, error) {
	f, err := p.term()
	for err == nil && p.takes("and") {
		var g filter
		g, err = p.term()
		f = both{f, g}
	}
	return f, err
}

func (p *parser) term() (filter, error) {
	if p.takes("not") {
		if p.peek() != "(" {
			return nil, p.wrong()
		}
		f, err := p.term()
		return not{f}, err
	}
	if p.takes("(") {
		f, err := p.either()
		if err == nil && !p.takes(")") {
			err = p.wrong()
		}
		return f, err
	}
	return p.comparison()
}

func (p *parser) comparison() (filter, error) {
	word := p.peek()
	if word == "" || strings.ContainsAny(word[:1], `()[]"`) {
		return nil, p.wrong()
	}
	path, err := parseAttribute(p.next())
	if err != nil {
		return nil, err
	}
	if p.takes("[") {
		f, err := p.either()
		if err == nil && !p.takes("]") {
			err = p.wrong()
		}
		return elements{path, f}, err
	}
	op := strings.ToLower(p.peek())
	if !slices.Contains(operators, op) {
		return nil, p.wrong()
	}
	p.next()
	if op == "pr" {
		return compare{path, op, nil}, nil
	}
	value, err := jsonv.Decode([]byte(p.peek()))
	if kind := jsonv.KindOf(value); err != nil || kind == "object" || kind == "array" {
		return nil, p.wrong()
	}
	p.next()
	return compare{path, op, value}, nil
}
