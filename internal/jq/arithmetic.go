package jq

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"

	"github.com/itchyny/gojq"
)

// exactMax is 2^53: C jq counts in doubles, which hold all integers up to here.
const exactMax = 1 << 53

// integer reads a small integer; sums and products of such are checked for size.
func integer(v any) (int, bool) {
	switch v := v.(type) {
	case int:
		return v, v <= exactMax && v >= -exactMax
	case json.Number:
		if len(v) > 17 || strings.ContainsAny(string(v), ".eE") {
			return 0, false
		}
		i, err := v.Int64()
		return int(i), err == nil && i <= exactMax && i >= -exactMax
	}
	return 0, false
}

// double reads a number as C jq does.
func double(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	case *big.Int:
		return gojq.ToFloat64(v)
	case json.Number:
		f, err := v.Float64()
		// Numbers beyond a double are infinite.
		return f, err == nil || errors.Is(err, strconv.ErrRange)
	}
	return 0, false
}

// settle makes whole doubles integers again, so that they index and print alike.
func settle(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) < exactMax && (f != 0 || !math.Signbit(f)) {
		return int(f)
	}
	return f
}

// digitsMax is the longest number that stays exact. Doubles, the numbers of C jq,
// have 309 digits at most; the interpreter's way with longer ones takes the square
// of their length.
const digitsMax = 400

// short replaces numbers of very many digits by their doubles. Values without such
// are returned as they are.
func short(v any) any {
	switch v := v.(type) {
	case json.Number:
		if len(v) > digitsMax {
			f, _ := double(v)
			return settle(f)
		}
	case []any:
		for i, e := range v {
			if s := short(e); changed(e, s) {
				out := append([]any(nil), v...)
				for out[i] = s; i < len(out); i++ {
					out[i] = short(out[i])
				}
				return out
			}
		}
	case map[string]any:
		for _, e := range v {
			if s := short(e); changed(e, s) {
				out := make(map[string]any, len(v))
				for k, e := range v {
					out[k] = short(e)
				}
				return out
			}
		}
	}
	return v
}

// changed tells whether short gave another value for v.
func changed(v, s any) bool {
	switch v := v.(type) {
	case json.Number:
		_, same := s.(json.Number)
		return !same
	case []any:
		t, ok := s.([]any)
		return !ok || len(v) > 0 && &v[0] != &t[0]
	case map[string]any:
		t, ok := s.(map[string]any)
		return !ok || reflect.ValueOf(v).Pointer() != reflect.ValueOf(t).Pointer()
	}
	return false
}

func (m *meter) toNumber(in any, _ []any) any {
	text, ok := in.(string)
	if !ok || len(text) <= digitsMax {
		return native("tonumber", in)
	}
	if err := m.charge(len(text)); err != nil {
		return err
	}
	f, err := strconv.ParseFloat(text, 64)
	if strings.Trim(text, "+-.0123456789eE") != "" || err != nil && !errors.Is(err, strconv.ErrRange) {
		return typeError("cannot be parsed as a number", in)
	}
	return settle(f)
}

func (m *meter) fromJSON(in any, _ []any) any {
	if err := m.chargeFor(4, in); err != nil {
		return err
	}
	return short(native("fromjson", in))
}

func numbers(a, b any) (x, y float64, ok bool) {
	x, okX := double(a)
	y, okY := double(b)
	return x, y, okX && okY
}

func (m *meter) add(_ any, args []any) any {
	a, b := args[0], args[1]
	if x, ok := integer(a); ok {
		if y, ok := integer(b); ok {
			return settle(float64(x) + float64(y))
		}
	}
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	if x, y, ok := numbers(a, b); ok {
		return settle(x + y)
	}
	switch l := a.(type) {
	case string:
		if r, ok := b.(string); ok {
			return m.concat(l, r)
		}
	case []any:
		if r, ok := b.([]any); ok {
			return m.append(l, r)
		}
	case map[string]any:
		if r, ok := b.(map[string]any); ok {
			if err := m.charge(4 * (len(l) + len(r))); err != nil {
				return err
			}
			out := make(map[string]any, len(l)+len(r))
			maps.Copy(out, l)
			maps.Copy(out, r)
			return out
		}
	}
	return typeError("cannot be added", a, b)
}

func (m *meter) concat(l, r string) any {
	if len(l)+len(r) > textMax {
		return errBig
	}
	if err := m.charge((len(l) + len(r)) / 16); err != nil {
		return err
	}
	return l + r
}

func (m *meter) append(l, r []any) any {
	n := len(l) + len(r)
	if n > listMax {
		return errBig
	}
	if err := m.charge(n); err != nil {
		return err
	}
	out := make([]any, 0, n)
	return append(append(out, l...), r...)
}

func (m *meter) subtract(_ any, args []any) any {
	a, b := args[0], args[1]
	if x, y, ok := numbers(a, b); ok {
		return settle(x - y)
	}
	l, okL := a.([]any)
	r, okR := b.([]any)
	if !okL || !okR {
		return typeError("cannot be subtracted", a, b)
	}
	if err := m.chargeFor(len(r)+1, a); err != nil {
		return err
	}
	return native("_subtract", nil, l, r)
}

func (m *meter) multiply(_ any, args []any) any {
	a, b := args[0], args[1]
	if x, y, ok := numbers(a, b); ok {
		return settle(x * y)
	}
	if s, ok := b.(string); ok {
		a, b = s, a
	}
	if s, ok := a.(string); ok {
		if n, ok := double(b); ok {
			return m.repeat(s, n)
		}
	}
	_, okL := a.(map[string]any)
	_, okR := b.(map[string]any)
	if !okL || !okR {
		return typeError("cannot be multiplied", args...)
	}
	if err := m.chargeFor(4, a, b); err != nil {
		return err
	}
	return native("_multiply", nil, a, b)
}

// repeat is null for counts of zero and less, and rounds others up (jq 1.7).
func (m *meter) repeat(s string, n float64) any {
	if math.IsNaN(n) || n <= 0 {
		return nil
	}
	n = math.Ceil(n)
	if n*float64(len(s)) > textMax {
		return errBig
	}
	if err := m.charge(len(s) * int(n) / 16); err != nil {
		return err
	}
	return strings.Repeat(s, int(n))
}

func (m *meter) divide(_ any, args []any) any {
	a, b := args[0], args[1]
	if x, y, ok := numbers(a, b); ok {
		if y == 0 {
			return typeError("cannot be divided because the divisor is zero", a, b)
		}
		return settle(x / y)
	}
	s, okS := a.(string)
	t, okT := b.(string)
	if !okS || !okT {
		return typeError("cannot be divided", a, b)
	}
	if err := m.charge(2 * len(s)); err != nil {
		return err
	}
	if s == "" {
		return []any{}
	}
	parts := strings.Split(s, t)
	out := make([]any, len(parts))
	for i := range parts {
		out[i] = parts[i]
	}
	return out
}

func (m *meter) addAll(in any, _ []any) any {
	var list []any
	switch v := in.(type) {
	case nil:
		return nil
	case []any:
		list = v
	case map[string]any:
		keys, _ := native("keys", v).([]any)
		for _, k := range keys {
			if s, ok := k.(string); ok {
				list = append(list, v[s])
			}
		}
	default:
		return typeError("cannot be added", in)
	}
	size := len(list)
	text := 0
	for _, e := range list {
		switch e := e.(type) {
		case string:
			text += len(e)
		case []any:
			size += len(e)
		case map[string]any:
			size += len(e) * 4
		}
	}
	if text > textMax || size-len(list) > 4*listMax {
		return errBig
	}
	if err := m.charge(size + text/16); err != nil {
		return err
	}
	return m.sum(list)
}

// sum adds from left to right; runs of strings, lists and objects grow in place.
func (m *meter) sum(list []any) any {
	var total any
	for i := 0; i < len(list); i++ {
		var run any
		j := i
		switch first := list[i].(type) {
		case string:
			var b strings.Builder
			for ; j < len(list); j++ {
				s, ok := list[j].(string)
				if !ok {
					break
				}
				b.WriteString(s)
			}
			run = b.String()
		case []any:
			out := make([]any, 0, len(first))
			for ; j < len(list); j++ {
				l, ok := list[j].([]any)
				if !ok {
					break
				}
				out = append(out, l...)
			}
			run = out
		case map[string]any:
			out := maps.Clone(first)
			for j++; j < len(list); j++ {
				o, ok := list[j].(map[string]any)
				if !ok {
					break
				}
				maps.Copy(out, o)
			}
			run = out
		default:
			run, j = first, i+1
		}
		i = j - 1
		total = m.add(nil, []any{total, run})
		if isError(total) {
			return total
		}
	}
	return total
}
