package jsonv

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzEncode compares Encode with encoding/json, byte by byte.
func FuzzEncode(f *testing.F) {
	for _, text := range []string{
		`null`, `true`, `0`, `-0`, `-1`, `12`, `1.50`, `1e400`, `9007199254740993`, `[]`, `{}`, `[[],{},null,false]`, `{"b":1,"a":[2,{"d":"x","c":3}],"":0}`,
		`"a\"b\\c\/d\b\f\n\r\t\u0000\u001f\u007f\u00e9\u2028\u2029\ud83d\ude00\ud83d"`, `{"<a&b>":"<>&'"}`,
		`{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":10,"k":11,"l":12,"m":13,"n":14,"o":15,"p":16,"q":17,"r":18}`,
	} {
		f.Add(text, text)
	}
	f.Add(`1`, "\xff\xc0\xaf a \xed\xa0\x80 \xe2\x80 \xe2\x80\xa8")
	f.Fuzz(func(t *testing.T, text, raw string) {
		v, err := Decode([]byte(text))
		if err != nil {
			v = nil
		}
		v = []any{v, raw, Object{raw: raw}}
		if got, want := Encode(v), encode(v, false); !bytes.Equal(got, want) {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	})
}

func TestEncodeWritesWhatEncodingJSONDoes(t *testing.T) {
	t.Parallel()
	for _, v := range []any{
		[]any(nil), Object(nil), json.Number(""), 5, []string{"b", "a"}, map[string]string{"a": "<"}, []any{int64(1), struct{ A any }{nil}},
	} {
		if got, want := Encode(v), encode(v, false); !bytes.Equal(got, want) {
			t.Errorf("%#v: got %s, want %s", v, got, want)
		}
	}
}

func TestEncodeRefusesWhatIsNoNumber(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"x", "01", "1.", "+1", " 1"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was written", text)
				}
			}()
			Encode([]any{json.Number(text)})
		}()
	}
}

func BenchmarkEncode(b *testing.B) {
	v, err := Decode([]byte(`{"ok":true,"entity":{"identifier":"s1","title":"Service 1","blueprint":"service","createdAt":"2024-01-01T00:00:00.000Z","updatedAt":"2024-01-01T00:00:00.000Z",
		"createdBy":"b8b1c1b0","updatedBy":"b8b1c1b0","icon":null,"team":["a","b"],"properties":{"lang":"go","n":7,"url":"https://example.com/7","tags":["a","b"],"x":1.5},"relations":{"team":"core"}}}`))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			Encode(v)
		}
	})
	b.Run("encoding_json", func(b *testing.B) {
		for b.Loop() {
			encode(v, false)
		}
	})
}
