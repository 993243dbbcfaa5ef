// Package template fills a JSON value with what jq expressions in its strings say:
// the invocation of an action, or the queries of a policy (reference/actions.md
// §3.3). It knows nothing of either. A value is compiled once and evaluated as
// often as wanted; what is wrong with an expression is null in its place, what is
// wrong with the braces around it is an [*Error].
package template

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jq"
	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// Error says what makes a value impossible to fill, and where: Path is a JSON
// pointer into the value that was compiled.
type Error struct{ Path, Message string }

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Message
	}
	return e.Path + ": " + e.Message
}

// Order are the keys of objects, each once, in the order in which they were written, by
// JSON pointer: of two keys that come out the same the later wins. Keys of objects that
// are not in it are taken in the order of their text.
type Order map[string][]string

// Options bound an evaluation.
type Options struct {
	// Now is what the expressions' now sees.
	Now func() time.Time
	// Time is the longest that one expression may take; 0 is one second.
	Time time.Duration
	// Total is the longest that all slow ones may take; 0 is five seconds. Beyond
	// that is an [*Error].
	Total time.Duration
	// Budget takes the place of Total where other evaluations share it.
	Budget *jq.Budget
	// Bytes bounds all results together; 0 is 4 MiB. Beyond that is an [*Error].
	Bytes int
}

const (
	defaultTotal = 5 * time.Second
	defaultBytes = 4 << 20
)

// Template is a compiled value, safe for concurrent use.
type Template struct {
	root   node
	faults []*Error
}

// Compile reads a value; it is not to be changed afterwards.
func Compile(value any, order Order) *Template {
	c := &compiler{order: order}
	t := &Template{root: c.value(value)}
	t.faults = c.faults
	return t
}

// Faults lists what is wrong with the braces of the value's strings. As long as
// there is any, the template cannot be evaluated.
func (t *Template) Faults() []*Error { return slices.Clone(t.faults) }

// Eval fills in the value on a document. It reports false when the value is one
// expression without an output. The error is an [*Error], or ctx's.
func (t *Template) Eval(ctx context.Context, document any, o Options) (any, bool, error) {
	if len(t.faults) > 0 {
		return nil, false, t.faults[0]
	}
	if o.Total == 0 {
		o.Total = defaultTotal
	}
	if o.Bytes == 0 {
		o.Bytes = defaultBytes
	}
	if o.Budget == nil {
		o.Budget = jq.NewBudget(o.Total)
	}
	e := &evaluation{
		ctx: ctx, document: document, left: o.Bytes,
		limits: jq.Limits{Time: o.Time, Now: o.Now, Budget: o.Budget},
	}
	value, some, err := t.root.eval(e)
	if err == nil && e.limits.Budget.Exceeded() {
		return nil, false, e.fail("the expressions take too long together")
	}
	return value, some, err
}

// evaluation is one run of a template.
type evaluation struct {
	ctx      context.Context //nolint:containedctx // an evaluation lives exactly as long as the call whose context it is
	document any
	limits   jq.Limits
	left     int
	path     []string
}

func (e *evaluation) fail(message string) error {
	return &Error{jsonv.Pointer(e.path...), message}
}

// spend takes the size of a result off what is left.
func (e *evaluation) spend(bytes int) error {
	if e.left -= bytes; e.left < 0 {
		return e.fail("the results are too large")
	}
	return nil
}

// node is a part of a compiled value. Without an output it reports false.
type node interface {
	eval(e *evaluation) (value any, some bool, err error)
}

// fixed is a part without a template.
type fixed struct{ value any }

func (n fixed) eval(*evaluation) (any, bool, error) { return n.value, true, nil }

type list []node

func (n list) eval(e *evaluation) (any, bool, error) {
	out := make([]any, len(n))
	for i, element := range n {
		e.path = append(e.path, strconv.Itoa(i))
		value, _, err := element.eval(e)
		e.path = e.path[:len(e.path)-1]
		if err != nil {
			return nil, false, err
		}
		out[i] = value // null without an output (T7)
	}
	return out, true, nil
}
