package actions

import (
	"regexp"
	"unicode/utf8"

	"github.com/portlens/terraform-provider-port/internal/portal/shape"
)

// boolOrTemplate takes any text: what it evaluates to counts.
func boolOrTemplate(c *shape.Checker, v any, at []string) {
	switch v.(type) {
	case bool, string:
	default:
		c.Wrong(at, "boolean or string", v)
	}
}

var identifierForm = regexp.MustCompile(`^[\p{L}0-9@_.+:=-]+$`)

// identifier is the name of an action. One name would be taken for the route of
// runs.
func identifier(c *shape.Checker, v any, at []string) {
	switch id, ok := v.(string); {
	case !ok:
		c.Wrong(at, "string", v)
	case id == "." || id == ".." || !identifierForm.MatchString(id):
		c.Add("pattern", at, `must match pattern "^(?!\.{1,2}$)[\p{L}0-9@_.+:=-]+$"`)
	case id == "runs":
		c.Add("pattern", at, `must NOT be "runs", which is a route of its own`)
	}
}

// White space is what ECMAScript takes for it.
var buttonForm = regexp.MustCompile(`^[^\s\v\p{Z}\x{FEFF}].*[^\s\v\p{Z}\x{FEFF}]$`)

// buttonMax is the most characters of a button.
const buttonMax = 15

func button(c *shape.Checker, v any, at []string) {
	s, ok := v.(string)
	switch n := utf8.RuneCountInString(s); {
	case !ok:
		c.Wrong(at, "string", v)
	case n < 1:
		c.Add("minLength", at, "must NOT have fewer than 1 characters")
	case n > buttonMax:
		c.Add("maxLength", at, "must NOT have more than %d characters", buttonMax)
	case !buttonForm.MatchString(s):
		c.Add("pattern", at, `must match pattern "^[^\s].*[^\s]$"`)
	}
}
