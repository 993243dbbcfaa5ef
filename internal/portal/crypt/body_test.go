package crypt_test

import (
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/crypt"
)

func TestBodiesEscapeNothingOutsideASCII(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"é\u2028\u2029<&>😀":         "\"é\u2028\u2029<&>😀\"",
		`\u2028 \\u2028`:            `"\\u2028 \\\\u2028"`,
		"\x01\x1f\x7f\b\f\n\r\t\"/": `"\u0001\u001f` + "\x7f" + `\b\f\n\r\t\"/"`,
		"\\\u2028":                  "\"\\\\\u2028\"",
		"":                          `""`,
	} {
		if got := string(crypt.Body(value)); got != want {
			t.Errorf("%q is sent as %s, want %s", value, got, want)
		}
		if back, err := jsonv.Decode(crypt.Body(value)); err != nil || back != value {
			t.Errorf("%q comes back as %q: %v", value, back, err)
		}
	}
	if got := string(crypt.Body(jsonv.Object{"b\u2028": []any{nil, true}, "a": jsonv.Int(1)})); got != "{\"a\":1,\"b\u2028\":[null,true]}" {
		t.Error(got)
	}
}
