package inputs

import (
	"regexp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
)

// The limits of reference/actions.md §2.1.
const (
	titleMax       = 140
	descriptionMax = 1000
)

// Compile checks a "userInputs" object and prepares it. The pointers of the
// problems stand below at. Programs are not compiled: any text is accepted
// (reference/actions.md §1.4 A6). With problems the form is nil.
func Compile(definition any, at ...string) (*Form, fault.Problems) {
	c, f := &shape.Checker{}, &Form{inputs: map[string]*input{}}
	o := c.Closed(definition, at, shape.Takes{
		"properties": named(f.input), "titles": shape.OrNull(named(title)), "required": shape.OrNull(orQuery("array", shape.Texts)),
		"order": shape.Texts, "steps": shape.ListOf(aStep),
	}, "properties")
	if _, ordered := o["order"]; ordered && o["steps"] != nil {
		c.Add("additionalProperties", shape.Below(at, "steps"), "a form has either an order or steps, not both")
	}
	if len(c.Problems) > 0 {
		return nil, c.Problems
	}
	f.required = dynamicOf(o, "required")
	shown := jsonv.Strings(o["order"])
	for _, s := range jsonv.List(o, "steps") {
		this := step{visible: dynamicOf(jsonv.Map(s), "visible"), inputs: jsonv.Strings(jsonv.List(s, "order"))}
		f.steps = append(f.steps, this)
		shown = append(shown, this.inputs...)
	}
	f.sortInputs(shown)
	return f, nil
}

var (
	title = shape.Open(shape.Takes{
		"title": shape.OrNull(shape.Length(1, titleMax)), "description": shape.OrNull(shape.Length(0, descriptionMax)), "visible": flag,
	})
	aStep = shape.Closed(shape.Takes{"title": shape.Text, "order": shape.Texts, "visible": flag}, "title", "order")

	// flag is an optional boolean that may be computed, list an array.
	flag = shape.OrNull(orQuery("boolean", shape.Boolean))
	list = shape.OrNull(orQuery("array", shape.List))
)

// orQuery takes what is computed as well as what is of one kind.
func orQuery(kind string, look shape.Check) shape.Check {
	return func(c *shape.Checker, v any, at []string) {
		switch _, computed := asQuery(v); {
		case computed:
		case jsonv.KindOf(v) != kind:
			c.Wrong(at, kind+` or {"jqQuery"}`, v)
		default:
			look(c, v, at)
		}
	}
}

var identifier = regexp.MustCompile(`^[A-Za-z0-9@_=\\-]+$`)

// named takes inputs or titles by their identifiers, which may be of any length.
func named(each shape.Check) shape.Check {
	return func(c *shape.Checker, v any, at []string) {
		o := c.Object(v, at)
		for _, id := range shape.Keys(o) {
			here := shape.Below(at, id)
			if !identifier.MatchString(id) {
				c.Add("pattern", here, "an identifier here must match pattern %q", identifier)
			}
			each(c, o[id], here)
		}
	}
}
