package jsonv

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
)

// decimal is a number as sign × 0.digits × 10^exp, digits without leading or
// trailing zeros, so equal numbers have equal decimals. Exponents are big: text
// such as 1e99999999999 must compare without being expanded.
type decimal struct {
	sign   int
	digits string
	exp    *big.Int
}

func toDecimal(n json.Number) decimal {
	s := string(n)
	sign := 1
	if strings.HasPrefix(s, "-") {
		sign, s = -1, s[1:]
	}
	exp := new(big.Int)
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		exp.SetString(strings.TrimPrefix(s[i+1:], "+"), 10)
		s = s[:i]
	}
	whole, frac, _ := strings.Cut(s, ".")
	digits := whole + frac
	exp.Add(exp, big.NewInt(int64(len(whole))))
	trimmed := strings.TrimLeft(digits, "0")
	exp.Sub(exp, big.NewInt(int64(len(digits)-len(trimmed))))
	trimmed = strings.TrimRight(trimmed, "0")
	if trimmed == "" {
		return decimal{exp: new(big.Int)}
	}
	return decimal{sign, trimmed, exp}
}

// CompareNumbers orders two JSON numbers by exact decimal value: -1, 0 or 1.
func CompareNumbers(a, b json.Number) int {
	if x, ok := smallInt(a); ok {
		if y, ok := smallInt(b); ok {
			switch {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		}
	}
	x, y := toDecimal(a), toDecimal(b)
	if x.sign != y.sign {
		if x.sign < y.sign {
			return -1
		}
		return 1
	}
	if c := x.exp.Cmp(y.exp); c != 0 {
		return c * x.sign
	}
	return strings.Compare(x.digits, y.digits) * x.sign
}

// smallInt is the fast path: plain integers of up to 18 digits.
func smallInt(n json.Number) (int64, bool) {
	if len(n) > 18 {
		return 0, false
	}
	i, err := strconv.ParseInt(string(n), 10, 64)
	return i, err == nil
}

// IsInteger reports whether n has no fractional part, however it is spelled
// (3, 3.0 and 30e-1 are integers).
func IsInteger(n json.Number) bool {
	if _, ok := smallInt(n); ok {
		return true
	}
	d := toDecimal(n)
	return d.sign == 0 || d.exp.Cmp(big.NewInt(int64(len(d.digits)))) >= 0
}

// CanonicalNumber spells n the one way all equal numbers share: integers below
// 10^21 in full, other numbers with an exponent only outside 1e-7 … 1e21.
func CanonicalNumber(n json.Number) json.Number {
	d := toDecimal(n)
	if d.sign == 0 {
		return "0"
	}
	sign := ""
	if d.sign < 0 {
		sign = "-"
	}
	if !d.exp.IsInt64() || d.exp.Int64() > 21 || d.exp.Int64() < -6 {
		e := new(big.Int).Sub(d.exp, big.NewInt(1))
		mantissa := d.digits[:1]
		if len(d.digits) > 1 {
			mantissa += "." + d.digits[1:]
		}
		return json.Number(sign + mantissa + "e" + e.String())
	}
	e := int(d.exp.Int64())
	switch {
	case e <= 0:
		return json.Number(sign + "0." + strings.Repeat("0", -e) + d.digits)
	case e >= len(d.digits):
		return json.Number(sign + d.digits + strings.Repeat("0", e-len(d.digits)))
	}
	return json.Number(sign + d.digits[:e] + "." + d.digits[e:])
}

// Int makes the JSON number i.
func Int[T ~int | ~int64](i T) json.Number { return json.Number(strconv.FormatInt(int64(i), 10)) }

// Float makes the JSON number nearest to f; NaN and infinities, which JSON does
// not have, give false.
func Float(f float64) (json.Number, bool) {
	if f != f || f > maxFloat || f < -maxFloat {
		return "", false
	}
	return json.Number(strconv.FormatFloat(f, 'g', -1, 64)), true
}

const maxFloat = 0x1p1023 * (1 + (1 - 0x1p-52))

// MapNumbers returns v with each number in it spelled by another; v stays as it is.
func MapNumbers(v any, spell func(json.Number) json.Number) any {
	switch v := v.(type) {
	case json.Number:
		return spell(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = MapNumbers(e, spell)
		}
		return out
	case Object:
		out := make(Object, len(v))
		for key, e := range v {
			out[key] = MapNumbers(e, spell)
		}
		return out
	}
	return v
}
