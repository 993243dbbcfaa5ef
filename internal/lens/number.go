package lens

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// Numbers beyond 2^±4096 (float64 ends at 2^1024) or of more digits than that
// are refused: spelling one of a hundred thousand digits takes seconds.
const (
	maxExponent = 4096
	maxDigits   = 4096
)

// numberText spells f with the fewest digits that give f again; whole numbers
// are spelled in full as long as that is short.
func numberText(f *big.Float) json.Number {
	if i, ok := smallNumber(f); ok {
		return smallNumbers[i].text
	}
	if f.IsInt() {
		if i, acc := f.Int64(); acc == big.Exact {
			return jsonv.Int(i)
		}
		if f.MantExp(nil) <= precision { // beyond that, all digits would say more than f holds
			return json.Number(f.Text('f', 0))
		}
	}
	return json.Number(f.Text('g', -1))
}

// smallNumber is f as an index of [smallNumbers], all of which fit every kind.
func smallNumber(f *big.Float) (int64, bool) {
	i, acc := f.Int64()
	return i, acc == big.Exact && i >= 0 && i < int64(len(smallNumbers))
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
	if d := digitsOfExponent(string(n)); d > 6 || len(n) > maxDigits {
		return nil, fmt.Errorf("number %s is out of range", clip(string(n)))
	}
	f, _, err := big.ParseFloat(string(n), 10, precision, big.ToNearestEven)
	if e := f.MantExp(nil); err != nil || f.IsInf() || e > maxExponent || e < -maxExponent {
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
