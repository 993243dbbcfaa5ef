package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

var bodies = []string{
	`{}`, `{"a":null}`, `{"a":[],"b":{},"c":[{}],"d":[[]]}`, ` { "a" : [ 1 , 2.50 , -0 , 1e400 , 1E-7 ] , "b" : true , "c" : false } `,
	`{"text":"a\"b\\c\/d\b\f\n\r\t\u0000\u001f\u00e9\u2028\ud83d\ude00"}`, `{"lone":"\ud83d","reverse":"\ude00\ud83d","twice":"\ud83d\ud83d\ude00"}`,
	`{"ü":"größe \u00fc 😀"}`, `{"a":1,"a":2}`, `{"":""}`, `{"a":{"b":{"c":[1,[2,[3]]]}}}`, `{"n":9007199254740993}`,
	// Damaged ones.
	``, `null`, `[]`, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{"a" 1}`, `{a:1}`, `{"a":[1,]}`, `{"a":[1 2]}`, `{"a":01}`, `{"a":1.}`, `{"a":.5}`,
	`{"a":+1}`, `{"a":1e}`, `{"a":-}`, `{"a":tru}`, `{"a":nulll}`, `{"a":"\x"}`, `{"a":"\u12"}`, `{"a":"\u+123"}`, `{"a":"` + "\n" + `"}`, `{"a":"x`, `{"a":"\`, `{} {}`, `{"a":"\ud83d\u12"}`,
}

// FuzzBodies compares the codec with encoding/json, by way of jsonv.
func FuzzBodies(f *testing.F) {
	for _, b := range bodies {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		want, wantErr := jsonv.DecodeObject([]byte(text))
		got, err := decodeBody(text)
		if (err == nil) != (wantErr == nil && want != nil) {
			t.Fatalf("%q: got error %v, want %v", text, err, wantErr)
		}
		if err != nil {
			return
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		if err := checkDocument(got); err != nil {
			t.Fatal(err)
		}
		encoded := encodeBody(got)
		if !json.Valid([]byte(encoded)) {
			t.Fatalf("%q is no JSON", encoded)
		}
		again, err := jsonv.DecodeObject([]byte(encoded))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, again); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestDeepDocumentsAreErrorsNotCrashes(t *testing.T) {
	t.Parallel()
	const n = 1_000_000
	if _, err := decodeBody(`{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + "}"); err == nil {
		t.Error("no error")
	}
}

func TestNumbersFollowTheGrammar(t *testing.T) {
	t.Parallel()
	var texts []string
	for _, a := range []string{"", "-", "+", "--"} {
		for _, b := range []string{"", "0", "00", "1", "01", "120"} {
			for _, c := range []string{"", ".", ".0", ".50", ".x"} {
				for _, d := range []string{"", "e", "E5", "e+5", "e-05", "e+", "e5.0"} {
					texts = append(texts, a+b+c+d)
				}
			}
		}
	}
	for _, s := range texts {
		want := s != "" && json.Valid([]byte(s))
		if got := validNumber(s); got != want {
			t.Errorf("validNumber(%q) = %v", s, got)
		}
	}
}

func BenchmarkBody(b *testing.B) {
	d := Doc{"createdAt": "2024-01-01T00:00:00.000Z", "identifier": "service", "relations": Doc{"a": "b", "c": []any{"d", "e"}}}
	properties := Doc{}
	for i := range 15 {
		properties[fmt.Sprintf("property%d", i)] = strings.Repeat("text ", i)
	}
	d["properties"] = properties
	text := encodeBody(d)
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			if _, err := decodeBody(text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode by encoding json", func(b *testing.B) {
		for b.Loop() {
			if _, err := jsonv.DecodeObject([]byte(text)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			encodeBody(d)
		}
	})
	b.Run("encode for the wire", func(b *testing.B) {
		for b.Loop() {
			if bytes.Equal(jsonv.Encode(d), nil) {
				b.Fatal("nothing")
			}
		}
	})
}
