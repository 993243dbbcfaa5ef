// Package jsonv works with JSON values as plain Go data: nil, bool, string,
// [json.Number], []any and map[string]any. Numbers keep their text, so 2^53+1
// and 0.1 survive every trip; two numbers are equal when their decimal values
// are ("1", "1.0" and "1e0"). It knows nothing of Port or Terraform.
package jsonv

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"unicode/utf8"
)

// Object is a JSON object.
type Object = map[string]any

// Decode reads exactly one JSON value. Text after it is an error, and so are bytes
// that are not UTF-8, which encoding/json would exchange without a word. An error
// of syntax says at which line and column it stands.
func Decode(text []byte) (any, error) {
	if at := invalid(text); at >= 0 {
		line, col := position(text, int64(at)+1)
		return nil, fmt.Errorf("line %d, column %d: not UTF-8", line, col)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, located(text, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		line, col := position(text, d.InputOffset())
		return nil, fmt.Errorf("line %d, column %d: text after the JSON value", line, col)
	}
	return v, nil
}

// invalid is where the first byte stands that is not UTF-8, -1 when all are.
func invalid(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for at := 0; ; {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size <= 1 {
			return at
		}
		at += size
	}
}

// DecodeObject is [Decode] for text that must hold a JSON object.
func DecodeObject(text []byte) (Object, error) {
	v, err := Decode(text)
	if err != nil {
		return nil, err
	}
	o, ok := v.(Object)
	if !ok {
		return nil, fmt.Errorf("want a JSON object, got %s", KindOf(v))
	}
	return o, nil
}

func located(text []byte, err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		line, col := position(text, syntax.Offset)
		return fmt.Errorf("line %d, column %d: %s", line, col, syntax.Error())
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		line, col := position(text, int64(len(text)))
		return fmt.Errorf("line %d, column %d: unexpected end of JSON", line, col)
	}
	return err
}

func position(text []byte, offset int64) (line, col int) {
	head := text[:min(int(offset), len(text))]
	line = bytes.Count(head, []byte("\n")) + 1
	col = len(head) - bytes.LastIndexByte(head, '\n') - 1
	return line, max(col, 1)
}

// Equal reports whether a and b are the same JSON value. Object keys have no
// order; numbers compare by exact decimal value.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case nil:
		return b == nil
	case bool:
		b, ok := b.(bool)
		return ok && a == b
	case string:
		b, ok := b.(string)
		return ok && a == b
	case json.Number:
		b, ok := b.(json.Number)
		return ok && (a == b || CompareNumbers(a, b) == 0)
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !Equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case Object:
		b, ok := b.(Object)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, av := range a {
			bv, ok := b[k]
			if !ok || !Equal(av, bv) {
				return false
			}
		}
		return true
	}
	return false
}

// MaxDepth bounds the nesting of values that are kept well below what JSON readers
// refuse, 10,000 levels in Go's: one such value would make every list that holds it
// unreadable.
const MaxDepth = 1000

// Shallow tells whether v is nested no deeper than [MaxDepth].
func Shallow(v any) bool { return shallow(v, MaxDepth) }

func shallow(v any, depth int) bool {
	if depth < 0 {
		return false
	}
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if !shallow(e, depth-1) {
				return false
			}
		}
	case Object:
		for _, e := range v {
			if !shallow(e, depth-1) {
				return false
			}
		}
	}
	return true
}

// Clone copies v deeply; the copy shares nothing that can change.
func Clone(v any) any {
	switch v := v.(type) {
	case []any:
		c := make([]any, len(v))
		for i := range v {
			c[i] = Clone(v[i])
		}
		return c
	case Object:
		return CloneObject(v)
	}
	return v
}

// CloneObject is [Clone] for objects; nil stays nil.
func CloneObject(o Object) Object {
	if o == nil {
		return nil
	}
	c := make(Object, len(o))
	for k, v := range o {
		c[k] = Clone(v)
	}
	return c
}

// MergePatch applies an RFC 7396 patch and returns the result; neither argument
// changes.
func MergePatch(target, patch any) any {
	p, ok := patch.(Object)
	if !ok {
		return Clone(patch)
	}
	t, _ := target.(Object)
	out := make(Object, len(t)+len(p))
	maps.Copy(out, t)
	for k, v := range p {
		if v == nil {
			delete(out, k)
			continue
		}
		out[k] = MergePatch(out[k], v)
	}
	return out
}

// KindOf names the JSON kind of v for messages: "null", "boolean", "number",
// "string", "array" or "object".
func KindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case json.Number:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	case Object:
		return "object"
	}
	return fmt.Sprintf("%T", v)
}
