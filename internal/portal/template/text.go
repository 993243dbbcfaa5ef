package template

import (
	"context"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jq"
	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// expression is what stands between two pairs of braces. program is nil when the
// text is no jq: its value is null (T8).
type expression struct{ program *jq.Program }

// compile reads an expression, whose strings may stand in single quotes (T9, T9a).
func compile(text string) expression {
	p, err := jq.CompileQuoted(text)
	if err != nil {
		return expression{}
	}
	return expression{p}
}

// eval is the first output; whatever goes wrong in the program is null. An error
// is the end of the evaluation.
func (x expression) eval(e *evaluation) (any, bool, error) {
	if x.program == nil {
		return nil, true, nil
	}
	value, some, err := x.program.First(e.ctx, e.document, e.limits)
	if err != nil {
		return nil, true, context.Cause(e.ctx)
	}
	return value, some, nil
}

// whole is a string that is one expression: it takes the expression's value (T5).
type whole struct{ expression }

func (n whole) eval(e *evaluation) (any, bool, error) {
	value, some, err := n.expression.eval(e)
	if err == nil {
		err = e.spend(len(jsonv.Encode(value)))
	}
	return value, some, err
}

// mixed is a string with expressions in it, each of them after its text; one more
// text ends it.
type mixed struct {
	texts       []string
	expressions []expression
}

func (n mixed) eval(e *evaluation) (any, bool, error) {
	var out strings.Builder
	for i, x := range n.expressions {
		value, _, err := x.eval(e)
		if err != nil {
			return nil, false, err
		}
		text, ok := value.(string)
		if !ok {
			text = string(jsonv.Encode(value))
		}
		if err := e.spend(len(n.texts[i]) + len(text)); err != nil {
			return nil, false, err
		}
		out.WriteString(n.texts[i])
		out.WriteString(text)
	}
	out.WriteString(n.texts[len(n.expressions)])
	return out.String(), true, nil
}

// text compiles a string.
func (c *compiler) text(s string) node {
	spans, problem := jq.Embedded(s)
	if problem != "" {
		c.faults = append(c.faults, &Error{jsonv.Pointer(c.path...), problem})
		return fixed{s}
	}
	if len(spans) == 0 {
		return fixed{s}
	}
	trimmed := strings.TrimSpace(s)
	if len(spans) == 1 && strings.HasPrefix(trimmed, "{{") && strings.HasSuffix(trimmed, "}}") {
		return whole{compile(s[spans[0].From:spans[0].To])}
	}
	n := mixed{}
	at := 0
	for _, x := range spans {
		n.texts = append(n.texts, s[at:x.From-2])
		n.expressions = append(n.expressions, compile(s[x.From:x.To]))
		at = x.To + 2
	}
	n.texts = append(n.texts, s[at:])
	return n
}

// Has tells whether a string has templates in it, or braces that do not fit.
func Has(s string) bool {
	spans, problem := jq.Embedded(s)
	return len(spans) > 0 || problem != ""
}
