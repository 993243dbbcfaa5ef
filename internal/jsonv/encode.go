package jsonv

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Encode writes v compactly with sorted keys and without HTML escapes: the
// canonical text of a value, apart from the spelling of its numbers. It is what
// encoding/json writes, which for these few types takes several times as long.
func Encode(v any) []byte { return appendValue(make([]byte, 0, 512), v) }

// EncodeHTML is [Encode] with <, > and & escaped, as encoding/json does, which is
// what Terraform's jsonencode gives for ordinary values.
func EncodeHTML(v any) []byte { return encode(v, true) }

func encode(v any, html bool) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(html)
	if err := e.Encode(v); err != nil {
		// Only a value outside the package's closed set can come here.
		panic(fmt.Sprintf("jsonv: %v", err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case string:
		return AppendString(b, v)
	case json.Number:
		if plainInteger(string(v)) {
			return append(b, v...)
		}
	case []any:
		if v == nil {
			return append(b, "null"...)
		}
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, e)
		}
		return append(b, ']')
	case Object:
		if v == nil {
			return append(b, "null"...)
		}
		return appendObject(b, v)
	}
	// A number that has to be looked at, or a value outside the closed set.
	return append(b, encode(v, false)...)
}

func appendObject(b []byte, o Object) []byte {
	var few [16]string
	keys := few[:0]
	for k := range o {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(AppendString(b, k), ':')
		b = appendValue(b, o[k])
	}
	return append(b, '}')
}

// plainInteger tells numbers that are correct at first sight.
func plainInteger(s string) bool {
	if s == "" || s[0] == '0' && len(s) > 1 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// AppendString appends s as JSON text, as [Encode] writes it.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			b = appendEscape(append(b, s[from:i]...), c)
			i++
			from = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(append(b, s[from:i]...), `\ufffd`...)
			from = i + size
		case r == '\u2028':
			b = append(append(b, s[from:i]...), `\u2028`...)
			from = i + size
		case r == '\u2029':
			b = append(append(b, s[from:i]...), `\u2029`...)
			from = i + size
		}
		i += size
	}
	return append(append(b, s[from:]...), '"')
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, '\\', 'b')
	case '\f':
		return append(b, '\\', 'f')
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	const digits = "0123456789abcdef"
	return append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
}
