package provider

import (
	"errors"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// Parts of an action whose meaning is no plain mapping.

// jqCondition is a condition that is not sent without expressions: then the
// absence of one reads as what the state holds.
type jqCondition struct{ of *lens.FieldPart }

func (c jqCondition) Attrs() []lens.Attr { return c.of.Attrs() }
func (c jqCondition) Keys() [][]string   { return c.of.Keys() }

// idle reports whether a condition has no expressions; one that is not known may
// have some.
func (jqCondition) idle(v tftypes.Value) bool {
	said := lens.AsObj(v)["expressions"]
	return lens.Known(v) && (lens.Nothing(said) || said.IsKnown() && len(lens.AsList(said)) == 0)
}

func (c jqCondition) Put(r *lens.Run, from lens.Obj, to lens.Body) error {
	if c.idle(from["jq_condition"]) {
		return nil
	}
	return c.of.Put(r, from, to)
}

func (c jqCondition) Get(r *lens.Run, from lens.Body, prior, to lens.Obj) error {
	was, known := prior["jq_condition"]
	if len(jsonv.List(from, "condition", "expressions")) > 0 {
		return c.of.Get(r, from, prior, to)
	}
	to["jq_condition"] = lens.Null(c.Attrs()[0].Type)
	if known && c.idle(was) {
		to["jq_condition"] = was
	}
	return nil
}

func (c jqCondition) Problems(at lens.Path, from lens.Obj) []lens.Problem {
	return c.of.Problems(at, from)
}
func (c jqCondition) Settle(r *lens.Run, plan, prior, to lens.Obj) { c.of.Settle(r, plan, prior, to) }
func (c jqCondition) Locate(pointer []string, v lens.Obj) ([]tftypes.AttributePathStep, bool) {
	return c.of.Locate(pointer, v)
}

// entityMapping is a mapping that is sent even when nothing is mapped.
type entityMapping struct{ of *lens.InlinePart }

func (m entityMapping) Attrs() []lens.Attr { return m.of.Attrs() }
func (m entityMapping) Keys() [][]string   { return m.of.Keys() }

func (m entityMapping) Put(r *lens.Run, from lens.Obj, to lens.Body) error {
	if to["mapping"] == nil {
		to["mapping"] = lens.Body{}
	}
	return m.of.Put(r, from, to)
}

func (m entityMapping) Get(r *lens.Run, from lens.Body, prior, to lens.Obj) error {
	return m.of.Get(r, from, prior, to)
}

func (m entityMapping) Problems(at lens.Path, from lens.Obj) []lens.Problem {
	return m.of.Problems(at, from)
}
func (m entityMapping) Settle(r *lens.Run, plan, prior, to lens.Obj) { m.of.Settle(r, plan, prior, to) }
func (m entityMapping) Locate(pointer []string, v lens.Obj) ([]tftypes.AttributePathStep, bool) {
	return m.of.Locate(pointer, v)
}

func (m entityMapping) Unmodelled(at lens.Path, from lens.Body) []lens.Problem {
	return m.of.Unmodelled(at, from)
}

// itemDefault is the default of a list of numbers or flags. The official provider
// sends it along with the items, where Port honours it: it is read there too
// (reference/provider-actions.md §2.8, 6).
type itemDefault struct{ of lens.Part }

func (d itemDefault) Attrs() []lens.Attr { return d.of.Attrs() }

// Keys has both places, so that a default that goes is gone from both.
func (d itemDefault) Keys() [][]string { return [][]string{{"default"}, {"items", "default"}} }

func (d itemDefault) Put(r *lens.Run, from lens.Obj, to lens.Body) error {
	return d.of.Put(r, from, to)
}

func (d itemDefault) Get(r *lens.Run, from lens.Body, prior, to lens.Obj) error {
	if other, ok := jsonv.Get(from, "items", "default"); ok && isList(other) && from["default"] == nil {
		from = lens.Body{"default": other}
	}
	return d.of.Get(r, from, prior, to)
}

func (d itemDefault) Problems(at lens.Path, from lens.Obj) []lens.Problem {
	if c, ok := d.of.(lens.Checker); ok {
		return c.Problems(at, from)
	}
	return nil
}

func (d itemDefault) Locate(pointer []string, v lens.Obj) ([]tftypes.AttributePathStep, bool) {
	if l, ok := d.of.(lens.Locator); ok {
		return l.Locate(pointer, v)
	}
	return nil, false
}

// groupRules are the rules of a group in a dataset, which Port insists on even where
// there are none; a rule that is no group has no such key.
type groupRules struct{ *lens.FieldPart }

// Put implements [lens.Part].
func (g groupRules) Put(r *lens.Run, from lens.Obj, to lens.Body) error {
	if err := g.FieldPart.Put(r, from, to); err != nil {
		return err
	}
	if to["rules"] == nil && lens.Known(from["combinator"]) {
		to["rules"] = []any{}
	}
	return nil
}

// anyText is text that may be any JSON value in Port, which is then shown as
// text: numbers and flags as they are written, null as nothing.
type anyText struct{ lens.Kind }

func (anyText) Get(_ *lens.Run, j any, _ tftypes.Value) (tftypes.Value, error) {
	return lens.Str(asText(j)), nil
}

// asText is a JSON value as the official provider writes it into a string.
func asText(j any) string {
	switch j := j.(type) {
	case nil:
		return ""
	case string:
		return j
	}
	return string(jsonv.Encode(j))
}

// ruleValue is the value of a dataset's rule: an expression in jq, or any JSON
// value beside it. The official provider knows the former only and shows the text
// of any other value as if it were one; a state that does so stays as it is.
type ruleValue struct{ jq, json *lens.FieldPart }

func newRuleValue() lens.Part {
	return ruleValue{
		jq: lens.Field("value", lens.Object(
			lens.Field("jq_query", lens.String, lens.Opt, "Expression in jq; a text is one in quotes of its own, `\"\\\"text\\\"\"`."),
		).Plain(), lens.Opt, "Value to compare with, as an expression in jq over the form."),
		json: lens.Field("value_json", lens.JSON, lens.Opt, "Value to compare with, as it stands; excludes `value`.").At("value"),
	}
}

func (v ruleValue) Attrs() []lens.Attr { return append(v.jq.Attrs(), v.json.Attrs()...) }
func (ruleValue) Keys() [][]string     { return [][]string{{"value"}} }

func (v ruleValue) Put(_ *lens.Run, from lens.Obj, to lens.Body) error {
	query := from["value"]
	if !lens.Nothing(query) {
		text := lens.AsObj(query)["jq_query"]
		switch {
		case !query.IsKnown() || text.Type() != nil && !text.IsKnown():
			return lens.ErrUnknown
		case lens.Nothing(text):
		case lens.AsText(text) == "":
			to["value"] = nil
		default:
			to["value"] = lens.Body{"jqQuery": lens.AsText(text)}
		}
		return nil
	}
	literal := from["value_json"]
	switch {
	case lens.Nothing(literal):
		return nil
	case !literal.IsKnown():
		return lens.ErrUnknown
	}
	j, err := jsonv.Decode([]byte(lens.AsText(literal)))
	if err != nil {
		return errors.New("value_json: " + err.Error())
	}
	to["value"] = j
	return nil
}

func (v ruleValue) Get(r *lens.Run, from lens.Body, prior, to lens.Obj) error {
	j, said := from["value"]
	to["value"], to["value_json"] = lens.Null(v.jq.Attrs()[0].Type), lens.Null(tftypes.String)
	query, literal := prior["value"], prior["value_json"]
	if v.holds(r, prior, j, said) {
		if !lens.Nothing(query) {
			to["value"] = query
		}
		if !lens.Nothing(literal) {
			to["value_json"] = literal
		}
		return nil
	}
	switch {
	case !said:
	case isJQ(j):
		to["value"] = tftypes.NewValue(v.jq.Attrs()[0].Type, lens.Obj{"jq_query": lens.Str(jsonv.String(j, "jqQuery"))})
	case j == nil:
		to["value_json"] = lens.Str("null")
	default:
		return v.json.Get(r, from, prior, to)
	}
	return nil
}

// holds reports whether the state says what Port holds, in its own way.
func (v ruleValue) holds(r *lens.Run, prior lens.Obj, j any, said bool) bool {
	if lens.Nothing(prior["value"]) && lens.Nothing(prior["value_json"]) {
		return false
	}
	mine := lens.Body{}
	if err := v.Put(r, prior, mine); err != nil {
		return false
	}
	sent, sends := mine["value"]
	if sends == said && jsonv.Equal(sent, j) || sent == nil && j == nil {
		return true
	}
	return said && standsFor(sent, j)
}

// standsFor reports whether an expression is how the official provider shows a
// value that is none.
func standsFor(sent, j any) bool {
	return j != nil && isJQ(sent) && !lens.IsJQ(j) && jsonv.String(sent, "jqQuery") == asText(j)
}

func (v ruleValue) Problems(at lens.Path, from lens.Obj) []lens.Problem {
	out := v.json.Problems(at, from)
	query := lens.AsObj(from["value"])["jq_query"]
	if !lens.Nothing(from["value"]) && !lens.Nothing(from["value_json"]) {
		out = append(out, at.Name("value_json").Finding("Invalid Attribute Combination", "`value_json` excludes `value`"))
	}
	if lens.Known(query) {
		if wrong := formula(lens.AsText(query)); wrong != "" {
			p := at.Name("value").Name("jq_query").Finding("This jq program may not work", wrong)
			p.Warning = true
			out = append(out, p)
		}
	}
	return out
}

func (v ruleValue) Locate(pointer []string, from lens.Obj) ([]tftypes.AttributePathStep, bool) {
	if len(pointer) == 0 || pointer[0] != "value" {
		return nil, false
	}
	if lens.Known(from["value_json"]) {
		return []tftypes.AttributePathStep{tftypes.AttributeName("value_json")}, true
	}
	steps := []tftypes.AttributePathStep{tftypes.AttributeName("value")}
	if strings.Join(pointer[1:], "/") == "jqQuery" {
		steps = append(steps, tftypes.AttributeName("jq_query"))
	}
	return steps, true
}
