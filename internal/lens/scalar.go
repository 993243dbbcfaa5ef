package lens

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// Scalars.
var (
	// String is text.
	String Kind = stringKind{}
	// Bool is true or false.
	Bool Kind = boolKind{}
	// Int is a whole number of 64 bits; fractions are errors both ways.
	Int Kind = numberKind{Int64}
	// Float is a number a double can hold, kept exactly as written.
	Float Kind = numberKind{Float64}
	// Decimal is any number, kept exactly.
	Decimal Kind = numberKind{AnyNumber}
	// Stamp is a time, in the form states have always held it:
	// 2024-01-02 03:04:05.678 +0000 UTC (reference/provider-catalog.md §0).
	Stamp Kind = stampKind{}
)

type stringKind struct{}

func (stringKind) Type() tftypes.Type { return tftypes.String }
func (stringKind) Shape(*Attr)        {}

func (stringKind) Put(r *Run, v tftypes.Value) (any, error) {
	s, ok := r.text(v)
	if !ok {
		return nil, notKnown(v, "a string")
	}
	return r.texts.box(s), nil
}

func (stringKind) Get(_ *Run, j any, prior tftypes.Value) (tftypes.Value, error) {
	s, ok := j.(string)
	if !ok {
		return tftypes.Value{}, wrongKind("a string", j)
	}
	return Str(s), nil
}

type boolKind struct{}

func (boolKind) Type() tftypes.Type { return tftypes.Bool }
func (boolKind) Shape(*Attr)        {}

func (boolKind) Put(r *Run, v tftypes.Value) (any, error) {
	b, ok := r.flag(v)
	if !ok {
		return nil, notKnown(v, "a boolean")
	}
	return b, nil
}

func (boolKind) Get(_ *Run, j any, _ tftypes.Value) (tftypes.Value, error) {
	b, ok := j.(bool)
	if !ok {
		return tftypes.Value{}, wrongKind("a boolean", j)
	}
	return Flag(b), nil
}

type numberKind struct{ form Number }

func (numberKind) Type() tftypes.Type { return tftypes.Number }
func (k numberKind) Shape(a *Attr)    { a.Number = k.form }

func (k numberKind) Put(r *Run, v tftypes.Value) (any, error) {
	f, ok := r.float(v)
	if !ok {
		return nil, notKnown(v, "a number")
	}
	if i, ok := smallNumber(f); ok {
		return smallNumbers[i].boxed, nil
	}
	if err := k.fits(f); err != nil {
		return nil, err
	}
	return numberText(f), nil
}

func (k numberKind) Get(_ *Run, j any, _ tftypes.Value) (tftypes.Value, error) {
	n, ok := j.(json.Number)
	if !ok {
		return tftypes.Value{}, wrongKind("a number", j)
	}
	f, err := parseNumber(n)
	if err != nil {
		return tftypes.Value{}, err
	}
	if err := k.fits(f); err != nil {
		return tftypes.Value{}, err
	}
	return tftypes.NewValue(tftypes.Number, f), nil
}

func (k numberKind) fits(f *big.Float) error {
	if f.IsInf() {
		return fmt.Errorf("want a finite number")
	}
	switch k.form {
	case Int64:
		if _, acc := f.Int64(); acc != big.Exact {
			return fmt.Errorf("want a whole number of 64 bits, got %s", clip(f.Text('g', 20)))
		}
	case Float64:
		g, acc := f.Float64()
		if math.IsInf(g, 0) || g == 0 && acc != big.Exact {
			return fmt.Errorf("number %s is out of range", clip(f.Text('g', 20)))
		}
	}
	return nil
}

// Problems refuses fractions in whole numbers at plan time.
func (k numberKind) Problems(at Path, v tftypes.Value) []Problem {
	f, ok := asFloat(v)
	if !ok {
		return nil
	}
	if err := k.fits(f); err != nil {
		return []Problem{at.problem(titleValue, err.Error())}
	}
	return nil
}

// Enum is text out of a closed list. Reading takes any text, since the server
// may know more than this declaration.
func Enum(texts ...string) Kind { return checked{String, []Check{OneOf(texts...)}} }

// Checked is a kind with conditions that come along wherever it is used.
func Checked(k Kind, checks ...Check) Kind { return checked{k, checks} }

type checked struct {
	Kind
	checks []Check
}

func (c checked) elem() Kind { return c.Kind }

func (c checked) Shape(a *Attr) {
	c.Kind.Shape(a)
	a.Checks = append(a.Checks, c.checks...)
}

type stampKind struct{ stringKind }

const stampLayout = "2006-01-02 15:04:05.999999999 -0700 MST"

func (stampKind) Get(_ *Run, j any, _ tftypes.Value) (tftypes.Value, error) {
	s, ok := j.(string)
	if !ok {
		return tftypes.Value{}, wrongKind("a time", j)
	}
	return Str(restamp(s, time.RFC3339Nano, stampLayout)), nil
}

func (stampKind) Put(_ *Run, v tftypes.Value) (any, error) {
	s, ok := asString(v)
	if !ok {
		return nil, notKnown(v, "a time")
	}
	return restamp(s, stampLayout, time.RFC3339Nano), nil
}

// restamp writes a time in another layout. Text that is no time stays as it is:
// an odd stamp must not stop a refresh.
func restamp(s, from, to string) string {
	if t, err := time.Parse(from, s); err == nil {
		return t.UTC().Format(to)
	}
	return s
}

func notKnown(v tftypes.Value, want string) error {
	if v.Type() != nil && !v.IsKnown() {
		return ErrUnknown
	}
	return fmt.Errorf("want %s, got %s", want, v.Type())
}

// Spelling pairs a text in Terraform with a JSON value.
type Spelling struct {
	Text string
	JSON any
}

// Spelled is a string attribute whose texts stand for JSON values, such as "true"
// for true and "ANY" for {"type":"ANY"}. Text that matches others is a plain
// JSON string; with others nil there is none.
func Spelled(others *regexp.Regexp, table ...Spelling) Kind { return spelledKind{others, table} }

type spelledKind struct {
	others *regexp.Regexp
	table  []Spelling
}

func (spelledKind) Type() tftypes.Type { return tftypes.String }

func (k spelledKind) Shape(a *Attr) {
	texts := make([]string, len(k.table))
	for i, s := range k.table {
		texts[i] = s.Text
	}
	c := OneOf(texts...)
	c.Pattern = nil
	if k.others != nil {
		c.Doc += ", or text that matches `" + strings.TrimSpace(k.others.String()) + "`"
	}
	c.Test = func(v tftypes.Value) string {
		if s, plain := asString(v); plain && k.others != nil && k.others.MatchString(s) {
			return ""
		}
		for _, e := range k.table {
			if e.Text == AsText(v) {
				return ""
			}
		}
		return fmt.Sprintf("want %s, got %q", c.Doc, clip(AsText(v)))
	}
	a.Checks = append(a.Checks, c)
}

func (k spelledKind) Put(_ *Run, v tftypes.Value) (any, error) {
	s, ok := asString(v)
	if !ok {
		return nil, notKnown(v, "a string")
	}
	for _, e := range k.table {
		if e.Text == s {
			return jsonv.Clone(e.JSON), nil
		}
	}
	if k.others != nil {
		return s, nil // what does not match came from the server
	}
	texts := make([]string, len(k.table))
	for i, e := range k.table {
		texts[i] = e.Text
	}
	return nil, fmt.Errorf("want one of %q, got %q", texts, clip(s))
}

func (k spelledKind) Get(_ *Run, j any, _ tftypes.Value) (tftypes.Value, error) {
	for _, e := range k.table {
		if jsonv.Equal(e.JSON, j) {
			return Str(e.Text), nil
		}
	}
	if s, ok := j.(string); ok && k.others != nil {
		return Str(s), nil
	}
	return tftypes.Value{}, fmt.Errorf("got %s, which has no spelling", describe(j))
}

// goValue makes a value of a declaration out of plain Go.
func goValue(t tftypes.Type, v any) (tftypes.Value, error) {
	switch x := v.(type) {
	case tftypes.Value:
		if !x.Type().Equal(t) {
			return x, fmt.Errorf("%s is no %s", x.Type(), t)
		}
		return x, nil
	case []string:
		vs := make([]tftypes.Value, len(x))
		for i := range x {
			vs[i] = Str(x[i])
		}
		return newValue(t, vs)
	case int:
		return newValue(t, new(big.Float).SetPrec(precision).SetInt64(int64(x)))
	}
	return newValue(t, v)
}
