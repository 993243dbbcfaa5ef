// Package propschema knows what a blueprint property may be and which values it
// takes (reference/catalog.md §2.3–2.5, §2.8): types, formats, enums, patterns,
// limits, and JSON Schema for objects. It compiles a definition once and checks
// values without looking at it again. It neither stores definitions nor decides
// which properties are required.
package propschema

import (
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
)

// Compile checks the definition of a property and prepares it for checking
// values. The pointers of the problems stand below at, e.g. "schema",
// "properties", "tier". With problems the property is nil. A definition is open:
// unknown keys are no problem.
func Compile(definition jsonv.Object, at ...string) (*Property, fault.Problems) {
	return compileProperty(definition, at)
}

// CompileCalculation checks the definition of a calculation property, which is
// closed and has formats of its own (§2.8). The program is not compiled: any text
// is accepted (K7). Check of the result answers whether a value has the type (K8);
// formats are not enforced.
func CompileCalculation(definition jsonv.Object, at ...string) (*Property, fault.Problems) {
	return compileCalculation(definition, at)
}

// Default returns the property's default and whether it has one.
func (p *Property) Default() (any, bool) { return p.fallback, p.hasFallback }

// Check reports every way in which value breaks the definition. Path is where the
// value stands in the body, ending in the property's key: "properties", "tier".
// Null is a value like any other here and breaks every type; whether a property
// may be null is the caller's question (§4.5 V5).
func (p *Property) Check(path []string, value any) fault.Problems {
	c := checker{patience: &Patience{}}
	c.check(p, path, value)
	return c.problems
}

// CheckNamed is [Property.Check] with problems that also name the keyword that is
// violated, as answers about the inputs of a run do (reference/actions.md §2.5), and
// with patience for all of them together.
func (p *Property) CheckNamed(patience *Patience, path []string, value any) fault.Problems {
	c := checker{keywords: true, patience: patience}
	c.check(p, path, value)
	return c.problems
}
