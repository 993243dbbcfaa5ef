package jsonv_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

func TestNumbersCompareByExactValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b json.Number
		want int
	}{
		{"1", "1.0", 0},
		{"1", "1e0", 0},
		{"100", "1E+2", 0},
		{"-0", "0.000", 0},
		{"0.1", "0.10000000000000000001", -1},
		{"9007199254740993", "9007199254740992", 1},
		{"9007199254740993", "9007199254740993.0", 0},
		{"-2", "1", -1},
		{"-2", "-3", 1},
		{"1e99999999999999", "1e99999999999998", 1},
		{"1e-99999999999999", "0", 1},
		{"12345678901234567890", "12345678901234567891", -1},
	} {
		if got := jsonv.CompareNumbers(c.a, c.b); got != c.want {
			t.Errorf("CompareNumbers(%s, %s) = %d, want %d", c.a, c.b, got, c.want)
		}
		if got := jsonv.CompareNumbers(c.b, c.a); got != -c.want {
			t.Errorf("CompareNumbers(%s, %s) = %d, want %d", c.b, c.a, got, -c.want)
		}
		if got := jsonv.CanonicalNumber(c.a) == jsonv.CanonicalNumber(c.b); got != (c.want == 0) {
			t.Errorf("canonical %s and %s: same text is %v", c.a, c.b, got)
		}
	}
}

func TestIntegersAreRecognisedInAnySpelling(t *testing.T) {
	t.Parallel()
	for n, want := range map[json.Number]bool{"3": true, "3.0": true, "30e-1": true, "0.5": false, "1e30": true, "-7.00": true, "5e-1": false, "0.0": true} {
		if got := jsonv.IsInteger(n); got != want {
			t.Errorf("IsInteger(%s) = %v", n, got)
		}
	}
}

func TestDecodeSaysWhereTextIsWrong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{\n  \"a\": x}": "line 2, column 8",
		"{} {}":          "after the JSON value",
		"[1,":            "unexpected end",
		"":               "unexpected end",
	} {
		_, err := jsonv.Decode([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Decode(%q): %v, want %q", text, err, want)
		}
	}
}

func TestEqualIgnoresSpellingOnly(t *testing.T) {
	t.Parallel()
	decode := func(s string) any {
		v, err := jsonv.Decode([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`{"a":1,"b":[true,null]}`, `{ "b" : [true, null], "a" : 1.0 }`, true},
		{`"\u003c"`, `"<"`, true},
		{`[1,2]`, `[2,1]`, false},
		{`{"a":null}`, `{}`, false},
		{`"1"`, `1`, false},
		{`[]`, `{}`, false},
	} {
		if got := jsonv.Equal(decode(c.a), decode(c.b)); got != c.want {
			t.Errorf("Equal(%s, %s) = %v", c.a, c.b, got)
		}
	}
}

func TestMergePatchFollowsRFC7396(t *testing.T) {
	t.Parallel()
	target, _ := jsonv.DecodeObject([]byte(`{"a":{"b":1,"c":2},"d":[1]}`))
	patch, _ := jsonv.DecodeObject([]byte(`{"a":{"b":null,"e":3},"d":"x"}`))
	got := string(jsonv.Encode(jsonv.MergePatch(target, patch)))
	if diff := cmp.Diff(`{"a":{"c":2,"e":3},"d":"x"}`, got); diff != "" {
		t.Error(diff)
	}
	if s := string(jsonv.Encode(target)); s != `{"a":{"b":1,"c":2},"d":[1]}` {
		t.Errorf("target changed: %s", s)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	t.Parallel()
	o, _ := jsonv.DecodeObject([]byte(`{"a":[{"b":1}]}`))
	c := jsonv.CloneObject(o)
	jsonv.List(c, "a")[0].(jsonv.Object)["b"] = "changed"
	if got := string(jsonv.Encode(o)); got != `{"a":[{"b":1}]}` {
		t.Errorf("original changed: %s", got)
	}
}

func TestPointersRoundTrip(t *testing.T) {
	t.Parallel()
	path := []string{"a/b", "c~d", "0"}
	if diff := cmp.Diff(path, jsonv.ParsePointer(jsonv.Pointer(path...))); diff != "" {
		t.Error(diff)
	}
}

func TestTextThatIsNotUTF8IsRefusedWhereItStands(t *testing.T) {
	t.Parallel()
	_, err := jsonv.Decode([]byte("{\n \"ü\": \"\xa8\"}"))
	if err == nil || err.Error() != "line 2, column 9: not UTF-8" {
		t.Error(err)
	}
}
