package jq

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strings"
	"sync"

	"github.com/itchyny/gojq"
)

// primitive is a function of the prelude that is written in Go. Arguments come
// evaluated, as for a built-in function.
type primitive struct {
	args int
	run  func(m *meter, in any, args []any) any
}

var primitives = map[string]primitive{
	"_p_now": {0, (*meter).now},

	"_p_add": {2, (*meter).add}, "_p_subtract": {2, (*meter).subtract},
	"_p_multiply": {2, (*meter).multiply}, "_p_divide": {2, (*meter).divide},
	"_p_eq": {2, compared(func(c int) bool { return c == 0 })}, "_p_ne": {2, compared(func(c int) bool { return c != 0 })},
	"_p_lt": {2, compared(func(c int) bool { return c < 0 })}, "_p_le": {2, compared(func(c int) bool { return c <= 0 })},
	"_p_gt": {2, compared(func(c int) bool { return c > 0 })}, "_p_ge": {2, compared(func(c int) bool { return c >= 0 })},

	"_p_jn": {2, bessel("jn")}, "_p_yn": {2, bessel("yn")},

	"_p_error": {1, (*meter).raise}, "_p_tostring": {0, (*meter).toString}, "_p_tojson": {0, (*meter).toJSON},
	"_p_fromjson": {0, (*meter).fromJSON}, "_p_tonumber": {0, (*meter).toNumber}, "_p_explode": {0, bulk("explode", 16)}, "_p_keys": {0, (*meter).keys},
	"_p_format": {1, (*meter).format}, "_p_trimstr": {2, (*meter).trim}, "_p_join": {1, (*meter).join},
	"_p_contains": {2, (*meter).contains}, "_p_indices": {1, (*meter).indices}, "_p_addall": {0, (*meter).addAll},
	"_p_flatten": {1, (*meter).flatten}, "_p_reverse": {0, (*meter).reverse}, "_p_transpose": {0, (*meter).transpose},
	"_p_by": {2, (*meter).by}, "_p_bsearch": {1, (*meter).bsearch}, "_p_key": {0, (*meter).key}, "_p_path": {0, (*meter).path},
	"_p_setpath": {3, (*meter).setPath}, "_p_delpaths": {1, (*meter).deletePaths}, "_p_from_entries": {1, (*meter).fromEntries},
	"_p_match": {3, (*meter).match}, "_p_captures": {0, (*meter).captures}, "_p_substitute": {2, (*meter).substitute},
}

// options hands the primitives that a program uses to the interpreter, bound to m.
func (m *meter) options(uses map[string]bool) []gojq.CompilerOption {
	var options []gojq.CompilerOption
	for name, p := range primitives {
		if !uses[signature(name, p.args)] {
			continue
		}
		options = append(options, gojq.WithFunction(name, p.args, p.args, func(in any, args []any) any {
			return p.run(m, in, args)
		}))
	}
	return options
}

// typeError is the error of a function that got the wrong kind of value.
func typeError(what string, values ...any) error {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteString(" and ")
		}
		fmt.Fprintf(&b, "%s (%s)", gojq.TypeOf(v), gojq.Preview(v))
	}
	return fmt.Errorf("%s %s", b.String(), what)
}

var errBig = errors.New("the result is too large")

// native runs a built-in function of the interpreter, unmeasured.
func native(name string, in any, args ...any) any {
	code, err := nativeCode(name, len(args))
	if err != nil {
		return err
	}
	v, ok := code.Run(in, args...).Next()
	if !ok {
		return errors.New(name + " gave nothing")
	}
	return v
}

var nativeCodes sync.Map // of name/arity to *gojq.Code

func nativeCode(name string, args int) (*gojq.Code, error) {
	key := signature(name, args)
	if c, ok := nativeCodes.Load(key); ok {
		if code, ok := c.(*gojq.Code); ok {
			return code, nil
		}
	}
	variables := []string{"$a", "$b", "$c"}[:args]
	src := name
	if args > 0 {
		src += "(" + strings.Join(variables, ";") + ")"
	}
	q, err := gojq.Parse(src)
	if err != nil {
		return nil, err
	}
	code, err := gojq.Compile(q, gojq.WithVariables(variables))
	if err != nil {
		return nil, err
	}
	nativeCodes.Store(key, code)
	return code, nil
}

// bulk is a built-in function whose work is factor times the size of its input.
func bulk(name string, factor int) func(*meter, any, []any) any {
	return func(m *meter, in any, args []any) any {
		if err := m.chargeFor(factor, append([]any{in}, args...)...); err != nil {
			return err
		}
		return native(name, in, args...)
	}
}

// bessel is a function whose work is its order.
func bessel(name string) func(*meter, any, []any) any {
	return func(m *meter, in any, args []any) any {
		if n, ok := double(args[0]); ok {
			if math.Abs(n) > stepWork {
				return errBig
			}
			if err := m.charge(int(math.Abs(n))); err != nil {
				return err
			}
		}
		return native(name, in, args...)
	}
}

func (m *meter) now(any, []any) any {
	if m.limits.Now == nil {
		return errors.New("now is not available here")
	}
	t := m.limits.Now()
	return float64(t.Unix()) + float64(t.Nanosecond()/1000)/1e6
}

func compared(holds func(int) bool) func(*meter, any, []any) any {
	return func(m *meter, _ any, args []any) any {
		a, b := args[0], args[1]
		if s, ok := a.(string); ok {
			if t, ok := b.(string); ok {
				return holds(strings.Compare(s, t))
			}
		}
		if err := m.chargeCompare(1, a, b); err != nil {
			return err
		}
		return holds(gojq.Compare(a, b))
	}
}

// chargeCompare charges for comparing a and b: no more than the smaller is walked.
func (m *meter) chargeCompare(times int, a, b any) error {
	if isScalar(a) || isScalar(b) {
		return m.charge(times)
	}
	if w := weigh(a, stepMax); !w.over {
		return m.chargeFor(times, a)
	}
	return m.chargeFor(times, b)
}

func isScalar(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return false
	}
	return true
}

func (m *meter) raise(_ any, args []any) any {
	if err := m.chargeFor(1, args[0]); err != nil {
		return err
	}
	if w := weigh(args[0], textMax); w.over || w.bytes > textMax {
		return errBig
	}
	return &raised{args[0]}
}

// raised is what error makes; try gives its value to catch.
type raised struct{ value any }

func (r *raised) Value() any { return r.value }

func (r *raised) Error() string {
	switch v := r.value.(type) {
	case string:
		return v
	case nil:
		return "null (null) not a string"
	}
	return gojq.Preview(r.value) + " (not a string)"
}

// text writes v as JSON if that is not too long.
func (m *meter) text(v any) (string, error) {
	if err := m.chargeFor(2, v); err != nil {
		return "", err
	}
	if w := weigh(v, textMax); w.over || w.bytes+w.nodes > textMax {
		return "", errBig
	}
	b, err := gojq.Marshal(v)
	return string(b), err
}

func (m *meter) toString(in any, _ []any) any {
	if s, ok := in.(string); ok {
		if len(s) > textMax {
			return errBig
		}
		return s
	}
	return m.toJSON(in, nil)
}

func (m *meter) toJSON(in any, _ []any) any {
	s, err := m.text(in)
	if err != nil {
		return err
	}
	return s
}

func (m *meter) keys(in any, _ []any) any {
	n := 0
	switch v := in.(type) {
	case []any:
		n = len(v)
	case map[string]any:
		n = len(v)
	}
	if err := m.charge(n * log2(n)); err != nil {
		return err
	}
	return native("keys", in)
}

func log2(n int) int { return max(1, bits.Len(uint(max(n, 0)))) }

// key lets an index pass unless it is an array so long that searching for it
// could take long (the search takes length times length).
func (m *meter) key(in any, _ []any) any {
	const most = 64
	list, ok := in.([]any)
	if !ok {
		return in
	}
	if len(list) > most {
		return errBig
	}
	if err := m.charge(len(list) * 20_000); err != nil {
		return err
	}
	if err := m.chargeFor(1, in); err != nil {
		return err
	}
	return in
}

func (m *meter) path(in any, _ []any) any {
	list, ok := in.([]any)
	if !ok {
		return in
	}
	for _, key := range list {
		if v := m.key(key, nil); isError(v) {
			return v
		}
	}
	return in
}

func isError(v any) bool { _, ok := v.(error); return ok }
