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

// The primitive types as interfaces: making one of the struct costs an allocation
// each time.
var (
	numberType tftypes.Type = tftypes.Number
	boolType   tftypes.Type = tftypes.Bool
	stringType tftypes.Type = tftypes.String
)

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

// AsText returns the string in v, or "".
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
	if !Known(v) || !v.Type().Is(numberType) || v.As(&r.taken.float) != nil {
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

// anything is a null that may stand in for a value of any type.
var anything = tftypes.NewValue(anyType{stringType}, nil)

type anyType struct{ tftypes.Type }

func (anyType) UsableAs(tftypes.Type) bool { return true }

func primitive(t tftypes.Type) bool {
	return t == nil || t.Is(stringType) || t.Is(numberType) || t.Is(boolType)
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
		return text && t.Is(stringType) && AsText(v) == ""
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
	if len(path) == 1 {
		to[path[0]] = v
		return
	}
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
