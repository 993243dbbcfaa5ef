package lens

import (
	"errors"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// ErrUnknown is the reason Put gives when a value it needs is not known yet.
var ErrUnknown = errors.New("value is not known yet")

// Error says what is wrong with a value, and where in both worlds: the attribute
// and the JSON keys.
type Error struct {
	Attr *tftypes.AttributePath
	Key  []string
	Err  error
}

func (e *Error) Error() string {
	where := PathString(e.Attr)
	if p := jsonv.Pointer(e.Key...); p != "" {
		if where != "" {
			where += " "
		}
		where += "(" + p + ")"
	}
	if where == "" {
		return e.Err.Error()
	}
	return where + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// Errors are all that is wrong with one value.
type Errors []*Error

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i := range e {
		lines[i] = e[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.Is and errors.As look at each of them.
func (e Errors) Unwrap() []error {
	out := make([]error, len(e))
	for i := range e {
		out[i] = e[i]
	}
	return out
}

// AllErrors lists the errors inside err, one for each place.
func AllErrors(err error) []*Error {
	if err == nil {
		return nil
	}
	if many, ok := errors.AsType[Errors](err); ok {
		return many
	}
	if one, ok := errors.AsType[*Error](err); ok {
		return []*Error{one}
	}
	return []*Error{{Err: err}}
}

// collected gathers errors; its zero value is no error.
type collected struct{ all Errors }

// add notes err below the given step and keys.
func (c *collected) add(err error, step tftypes.AttributePathStep, keys ...string) {
	if err == nil {
		return
	}
	for _, e := range AllErrors(err) {
		var steps []tftypes.AttributePathStep
		if step != nil {
			steps = append(steps, step)
		}
		if e.Attr != nil {
			steps = append(steps, e.Attr.Steps()...)
		}
		c.all = append(c.all, &Error{
			Attr: tftypes.NewAttributePathWithSteps(steps),
			Key:  append(append([]string(nil), keys...), e.Key...),
			Err:  e.Err,
		})
	}
}

func (c *collected) err() error {
	if len(c.all) == 0 {
		return nil
	}
	return c.all
}

// at places err below an attribute step and wire keys.
func at(err error, step tftypes.AttributePathStep, keys ...string) error {
	var c collected
	c.add(err, step, keys...)
	return c.err()
}
