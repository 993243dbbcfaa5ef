package lens_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// A server may answer any number. Those whose spelling takes seconds must be an
// error with a path, not a stall (law L5); the others survive exactly.
func TestNumbersOutOfAllProportionAreRefused(t *testing.T) {
	t.Parallel()
	c := lens.MustCompile(lens.Field("n", lens.Decimal, lens.Opt, "N."))
	for n, fine := range map[json.Number]bool{
		"0.1": true, "9007199254740993": true, "1e308": true, "5e-324": true, "-1.5e1000": true, "0e999999": true,
		"1.234567e-99999": false, "1e999999": false, "1e9999999999": false, "1e2000": false,
		json.Number("0." + strings.Repeat("0", 100_000) + "1"): false, json.Number(strings.Repeat("9", 5000)): false,
	} {
		v, err := c.Get(jsonv.Object{"n": n}, lens.Null(c.Type()))
		if (err == nil) != fine {
			t.Errorf("%.20s: error %v", n, err)
			continue
		}
		if !fine {
			continue
		}
		body, err := c.Put(v, lens.Null(c.Type()))
		if got, ok := body["n"].(json.Number); err != nil || !ok || jsonv.CompareNumbers(got, n) != 0 {
			t.Errorf("%s comes back as %v (%v)", n, body["n"], err)
		}
	}
}
