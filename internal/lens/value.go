package lens

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// Helpers over tftypes values. A value made by its zero value (no type) counts
// as "nothing there", like null.

// precision is that of Terraform's own numbers.
const precision = 512

// Known reports whether v holds something: not null, not unknown, not the zero
// value.
func Known(v tftypes.Value) bool { return v.Type() != nil && !v.IsNull() && v.IsKnown() }

// Nothing reports whether v is null or the zero value.
func Nothing(v tftypes.Value) bool { return v.Type() == nil || v.IsNull() }

// Null is the null of a type.
func Null(t tftypes.Type) tftypes.Value { return tftypes.NewValue(t, nil) }

// Str makes a string value.
func Str(s string) tftypes.Value { return tftypes.NewValue(tftypes.String, s) }

// Flag makes a bool value.
func Flag(b bool) tftypes.Value { return tftypes.NewValue(tftypes.Bool, b) }

// Num makes a number value from decimal text; it panics on anything else, so it
// is for declarations.
func Num(text string) tftypes.Value {
	f, _, err := big.ParseFloat(text, 10, precision, big.ToNearestEven)
	if err != nil {
		panic(fmt.Sprintf("lens: %q is no number: %v", text, err))
	}
	return tftypes.NewValue(tftypes.Number, f)
}

// Strings makes a list of strings.
func Strings(texts ...string) tftypes.Value {
	vs := make([]tftypes.Value, len(texts))
	for i, s := range texts {
		vs[i] = Str(s)
	}
	return tftypes.NewValue(tftypes.List{ElementType: tftypes.String}, vs)
}

// Text returns the string in v, or "".
func AsText(v tftypes.Value) string {
	s, _ := asString(v)
	return s
}

// AsBool returns the bool in v, or false.
func AsBool(v tftypes.Value) bool {
	var b bool
	if !Known(v) || v.As(&b) != nil {
		return false
	}
	return b
}

// AsObj returns the attributes or map elements in v, or nil. The result is the
// value's own storage: read it only.
func AsObj(v tftypes.Value) Obj {
	var m map[string]tftypes.Value
	if !Known(v) || v.As(&m) != nil {
		return nil
	}
	return m
}

// AsList returns the elements of a list or set, or nil. The result is the
// value's own storage: read it only.
func AsList(v tftypes.Value) []tftypes.Value {
	var l []tftypes.Value
	if !Known(v) || v.As(&l) != nil {
		return nil
	}
	return l
}

func asString(v tftypes.Value) (string, bool) {
	var s string
	if !Known(v) || v.As(&s) != nil {
		return "", false
	}
	return s, true
}

func asFloat(v tftypes.Value) (*big.Float, bool) {
	var f *big.Float
	if !Known(v) || v.As(&f) != nil || f == nil {
		return nil, false
	}
	return f, true
}

func (r *Run) text(v tftypes.Value) (string, bool) {
	if !Known(v) || v.As(&r.taken.text) != nil {
		return "", false
	}
	return r.taken.text, true
}

func (r *Run) flag(v tftypes.Value) (value, ok bool) {
	if !Known(v) || v.As(&r.taken.flag) != nil {
		return false, false
	}
	return r.taken.flag, true
}

func (r *Run) obj(v tftypes.Value) Obj {
	if !Known(v) || v.As(&r.taken.obj) != nil {
		return nil
	}
	return r.taken.obj
}

func (r *Run) list(v tftypes.Value) []tftypes.Value {
	if !Known(v) || v.As(&r.taken.list) != nil {
		return nil
	}
	return r.taken.list
}

// float gives the number in v; it is overwritten by the next call.
func (r *Run) float(v tftypes.Value) (*big.Float, bool) {
	if !Known(v) || !v.Type().Is(tftypes.Number) || v.As(&r.taken.float) != nil {
		return nil, false
	}
	return &r.taken.float, true
}

// filledMap makes a map value whose elements fill puts in afterwards. NewValue
// compares the full type of every element; for a map of objects that costs more
// than everything else in a decode, and here all come from one kind.
func filledMap(t tftypes.Map, size int) (tftypes.Value, map[string]tftypes.Value) {
	m := make(map[string]tftypes.Value, size)
	return tftypes.NewValue(t, m), m
}

// hollow reports whether v says nothing: null, an empty collection, an object of
// hollow members, and with text also "".
func hollow(v tftypes.Value, text bool) bool {
	if Nothing(v) {
		return true
	}
	if !v.IsKnown() {
		return false
	}
	switch t := v.Type().(type) {
	case tftypes.List, tftypes.Set:
		return len(AsList(v)) == 0
	case tftypes.Map:
		for _, e := range AsObj(v) {
			if !Nothing(e) {
				return false
			}
		}
		return true
	case tftypes.Object:
		for _, e := range AsObj(v) {
			if !hollow(e, text) {
				return false
			}
		}
		return true
	default:
		return text && t.Is(tftypes.String) && AsText(v) == ""
	}
}

// vacant reports whether j is empty JSON: null, "", [], {}.
func vacant(j any) bool {
	switch j := j.(type) {
	case nil:
		return true
	case string:
		return j == ""
	case []any:
		return len(j) == 0
	case Body:
		return len(j) == 0
	}
	return false
}

// vacantCollection reports whether j is [] or {}.
func vacantCollection(j any) bool {
	switch j := j.(type) {
	case []any:
		return len(j) == 0
	case Body:
		return len(j) == 0
	}
	return false
}

// numberText spells f with the fewest digits that give f again; whole numbers
// are spelled in full as long as that is short.
func numberText(f *big.Float) json.Number {
	if f.IsInt() {
		if i, acc := f.Int64(); acc == big.Exact {
			return jsonv.Int(i)
		}
		if f.MantExp(nil) <= 2*precision {
			return json.Number(f.Text('f', 0))
		}
	}
	return json.Number(f.Text('g', -1))
}

// parseNumber is the other way round. Numbers of more digits than Terraform
// keeps are rounded as Terraform itself would.
func parseNumber(n json.Number) (*big.Float, error) {
	if i, err := strconv.ParseInt(string(n), 10, 64); err == nil {
		return new(big.Float).SetPrec(precision).SetInt64(i), nil
	}
	if !jsonNumber(string(n)) {
		return nil, fmt.Errorf("want a number, got %q", clip(string(n)))
	}
	if d := digitsOfExponent(string(n)); d > 6 {
		return nil, fmt.Errorf("number %s is out of range", clip(string(n)))
	}
	f, _, err := big.ParseFloat(string(n), 10, precision, big.ToNearestEven)
	if err != nil || f.IsInf() {
		return nil, fmt.Errorf("number %s is out of range", clip(string(n)))
	}
	return f, nil
}

// jsonNumber reports whether s is spelled as JSON spells numbers; ParseFloat
// alone would also take 0x10, Inf and 1_000.
func jsonNumber(s string) bool {
	return json.Valid([]byte(s)) && s[0] != '"' && s[0] != '{' && s[0] != '[' && s[0] != 't' && s[0] != 'f' && s[0] != 'n'
}

func digitsOfExponent(s string) int {
	for i := range len(s) {
		if s[i] == 'e' || s[i] == 'E' {
			return len(s) - i - 1
		}
	}
	return 0
}

// clip shortens text for messages.
func clip(s string) string {
	const most = 60
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most]) + "…"
}

// shown is a value as a message shows it.
func shown(v tftypes.Value) string {
	if s, ok := asString(v); ok {
		return strconv.Quote(clip(s))
	}
	s, _ := literal(v)
	return s
}

// literal is v as HCL would write it.
func literal(v tftypes.Value) (string, bool) {
	if Nothing(v) {
		return "null", true
	}
	if s, ok := asString(v); ok {
		return strconv.Quote(s), true
	}
	if f, ok := asFloat(v); ok {
		return string(numberText(f)), true
	}
	var b bool
	if v.IsKnown() && v.As(&b) == nil {
		return strconv.FormatBool(b), true
	}
	switch v.Type().(type) {
	case tftypes.List, tftypes.Set:
		text := ""
		for i, e := range AsList(v) {
			if i > 0 {
				text += ", "
			}
			s, ok := literal(e)
			if !ok {
				return "", false
			}
			text += s
		}
		return "[" + text + "]", true
	}
	return "", false
}

// lookup finds the value at path; a step through something that is no object is
// an error, a missing or null step is absence.
func lookup(from Body, path []string) (any, error) {
	if len(path) == 1 {
		return from[path[0]], nil
	}
	for i, k := range path {
		v := from[k]
		if v == nil || i == len(path)-1 {
			return v, nil
		}
		next, ok := v.(Body)
		if !ok {
			return nil, &Error{Key: path[:i+1], Err: wrongKind("an object", v)}
		}
		from = next
	}
	return from, nil
}

// place sets the value at path, making the objects on the way.
func place(to Body, path []string, v any) {
	for _, k := range path[:len(path)-1] {
		next, ok := to[k].(Body)
		if !ok {
			next = Body{}
			to[k] = next
		}
		to = next
	}
	to[path[len(path)-1]] = v
}

func wrongKind(want string, got any) error {
	return fmt.Errorf("want %s, got %s", want, describe(got))
}

func describe(j any) string {
	switch j := j.(type) {
	case string:
		return strconv.Quote(clip(j))
	case json.Number:
		return clip(string(j))
	case bool:
		return strconv.FormatBool(j)
	}
	return jsonv.KindOf(j)
}

// Equal reports whether two values of one type are the same; sets have no order.
// It is what tftypes' Equal says, without walking by paths.
func Equal(a, b tftypes.Value) bool {
	switch {
	case Nothing(a) || Nothing(b):
		return Nothing(a) && Nothing(b)
	case !a.IsKnown() || !b.IsKnown():
		return a.IsKnown() == b.IsKnown()
	}
	switch t := a.Type().(type) {
	case tftypes.Set:
		return equalSets(AsList(a), AsList(b))
	case tftypes.List, tftypes.Tuple:
		x, y := AsList(a), AsList(b)
		if len(x) != len(y) {
			return false
		}
		for i := range x {
			if !Equal(x[i], y[i]) {
				return false
			}
		}
		return true
	case tftypes.Map, tftypes.Object:
		x, y := AsObj(a), AsObj(b)
		if len(x) != len(y) {
			return false
		}
		for k, v := range x {
			w, ok := y[k]
			if !ok || !Equal(v, w) {
				return false
			}
		}
		return true
	default:
		if t.Is(tftypes.Number) {
			x, okX := asFloat(a)
			y, okY := asFloat(b)
			return okX && okY && x.Cmp(y) == 0
		}
		if t.Is(tftypes.Bool) {
			return AsBool(a) == AsBool(b)
		}
		x, okX := asString(a)
		y, okY := asString(b)
		return okX && okY && x == y
	}
}

func equalSets(x, y []tftypes.Value) bool {
	if len(x) != len(y) {
		return false
	}
	used := make([]bool, len(y))
next:
	for _, v := range x {
		for i, w := range y {
			if !used[i] && Equal(v, w) {
				used[i] = true
				continue next
			}
		}
		return false
	}
	return true
}
