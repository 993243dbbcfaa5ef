package jq_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jq"
	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

func TestNumbersOfVeryManyDigitsAreDoubles(t *testing.T) {
	t.Parallel()
	long := json.Number(strings.Repeat("7", 900_000))
	in := jsonv.Object{"list": []any{"a", jsonv.Object{"n": long, "m": jsonv.Int(1)}}, "n": long, "small": json.Number("0." + strings.Repeat("5", 900_000))}
	for src, want := range map[string]any{
		`.n % 7 | type`:                  "number",
		`.list[1].n == .n`:               true,
		`.list[1].m`:                     jsonv.Int(1),
		`.small | . * 9 | floor`:         jsonv.Int(5),
		`.n > 1e308`:                     true,
		`"-" + "1" * 500 | tonumber < 0`: true,
		`try ("1" * 500 + "x" | tonumber) catch "no"`: "no",
	} {
		p, err := jq.Compile(src)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		start := time.Now()
		got, _, err := p.First(t.Context(), in, jq.Limits{})
		if err != nil || got != want {
			t.Errorf("%s = %v, %v, want %v", src, got, err, want)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s took %s", src, took)
		}
	}
	if in["n"] != any(long) {
		t.Error("the input was changed")
	}
}
