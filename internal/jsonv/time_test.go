package jsonv_test

import (
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

func TestDateTimesAreReadAsRFC3339SaysAndNoOther(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2024-02-29T23:59:59Z":                "2024-02-29T23:59:59Z",
		"2024-01-01t00:00:00.5z":              "2024-01-01T00:00:00.5Z",
		"2024-01-01T00:30:00+02:00":           "2023-12-31T22:30:00Z",
		"2024-01-01T00:00:00.123456789-01:30": "2024-01-01T01:30:00.123456789Z",
		"2016-12-31T23:59:60Z":                "2017-01-01T00:00:00Z",
		"2024-01-01":                          "",
		"2024-01-01T00:00:00":                 "",
		"2024-13-01T00:00:00Z":                "",
		"2023-02-29T00:00:00Z":                "",
		"2024-01-01T24:00:00Z":                "",
		"2024-01-01T12:00:60Z":                "",
		"2024-01-01T00:00:00.Z":               "",
		"2024-01-01 00:00:00Z":                "",
		"2024-01-01T00:00:00+0200":            "",
		"2024-01-01T00:00:00+24:00":           "",
		"2024-01-01T00:00:00Zz":               "",
		"":                                    "",
	} {
		got, ok := jsonv.ParseTime(text)
		if !ok {
			got = time.Time{}
		}
		if ok != (want != "") || ok && got.Format(time.RFC3339Nano) != want {
			t.Errorf("ParseTime(%q) = %v, %v; want %q", text, got, ok, want)
		}
	}
}
