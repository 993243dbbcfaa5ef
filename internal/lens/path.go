package lens

import (
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Path is an attribute path that is cheap to extend: checks walk thousands of
// values and need the path of the few that are wrong.
type Path struct {
	up   *Path
	step tftypes.AttributePathStep
}

// Name extends the path by an attribute.
func (p Path) Name(name string) Path { return Path{&p, tftypes.AttributeName(name)} }

// Key extends the path by a map key.
func (p Path) Key(key string) Path { return Path{&p, tftypes.ElementKeyString(key)} }

// Index extends the path by a list index.
func (p Path) Index(i int) Path { return Path{&p, tftypes.ElementKeyInt(i)} }

// Elem extends the path by an element of a set.
func (p Path) Elem(v tftypes.Value) Path { return Path{&p, tftypes.ElementKeyValue(v)} }

// Attribute is the path in Terraform's form.
func (p Path) Attribute() *tftypes.AttributePath {
	var steps []tftypes.AttributePathStep
	for q := &p; q != nil && q.step != nil; q = q.up {
		steps = append(steps, q.step)
	}
	for i, j := 0, len(steps)-1; i < j; i, j = i+1, j-1 {
		steps[i], steps[j] = steps[j], steps[i]
	}
	return tftypes.NewAttributePathWithSteps(steps)
}

// problem makes an error at this path.
func (p Path) problem(summary, detail string) Problem {
	return Problem{Path: p.Attribute(), Summary: summary, Detail: detail}
}

// PathString writes a path the way users write it: rules[0].level,
// string_props["lang"].
func PathString(p *tftypes.AttributePath) string {
	if p == nil {
		return ""
	}
	var b strings.Builder
	for _, s := range p.Steps() {
		switch s := s.(type) {
		case tftypes.AttributeName:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(string(s))
		case tftypes.ElementKeyString:
			b.WriteString("[" + strconv.Quote(string(s)) + "]")
		case tftypes.ElementKeyInt:
			b.WriteString("[" + strconv.FormatInt(int64(s), 10) + "]")
		case tftypes.ElementKeyValue:
			b.WriteString("[" + shown(tftypes.Value(s)) + "]")
		}
	}
	return b.String()
}
