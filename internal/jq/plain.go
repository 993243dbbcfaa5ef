package jq

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strings"
	"unicode/utf8"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// plain turns a value of the interpreter into a JSON value of package jsonv and
// counts its text. NaN, which JSON does not have, becomes null.
func plain(v any, most int) (any, error) {
	left := most
	return toPlain(v, &left, 0)
}

var errOutput = fmt.Errorf("%w: the result is too large", ErrLimit)

func toPlain(v any, left *int, depth int) (any, error) {
	spend := func(n int) bool { *left -= n; return *left >= 0 && depth <= jsonv.MaxDepth }
	switch v := v.(type) {
	case nil:
		if !spend(4) {
			return nil, errOutput
		}
		return nil, nil
	case bool:
		if !spend(5) {
			return nil, errOutput
		}
		return v, nil
	case string:
		if !spend(len(v) + 2) {
			return nil, errOutput
		}
		if !utf8.ValidString(v) {
			v = strings.ToValidUTF8(v, "\uFFFD")
		}
		return v, nil
	case int, float64, *big.Int, json.Number:
		n := number(v)
		if !spend(len(n) + 1) {
			return nil, errOutput
		}
		if n == "" {
			return nil, nil
		}
		return n, nil
	case []any:
		if !spend(2 + len(v)) {
			return nil, errOutput
		}
		out := make([]any, len(v))
		for i, e := range v {
			p, err := toPlain(e, left, depth+1)
			if err != nil {
				return nil, err
			}
			out[i] = p
		}
		return out, nil
	case map[string]any:
		if !spend(2) {
			return nil, errOutput
		}
		out := make(jsonv.Object, len(v))
		for k, e := range v {
			if !spend(len(k) + 4) {
				return nil, errOutput
			}
			p, err := toPlain(e, left, depth+1)
			if err != nil {
				return nil, err
			}
			out[k] = p
		}
		return out, nil
	}
	return nil, &RunError{fmt.Sprintf("unexpected value %T", v)}
}

// number spells a number, "" when JSON has none for it.
func number(v any) json.Number {
	switch v := v.(type) {
	case int:
		return jsonv.Int(v)
	case float64:
		// jq prints infinities as the largest doubles.
		if math.IsInf(v, 0) {
			v = math.Copysign(math.MaxFloat64, v)
		}
		n, ok := jsonv.Float(v)
		if !ok {
			return ""
		}
		return jsonv.CanonicalNumber(n)
	case *big.Int:
		return json.Number(v.String())
	case json.Number:
		return v
	}
	return ""
}
