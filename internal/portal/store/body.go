package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// Documents are stored as plain JSON text. The reader does for jsonv's closed set
// of values what encoding/json does for every Go type, several times faster; a
// scan that cannot use an index spends its time here.

// encodeBody writes a checked document compactly and with sorted keys. Unlike
// [jsonv.Encode], which writes what encoding/json does, it keeps every number's
// text as it is and lets a nil list come back as a list.
func encodeBody(d Doc) string { return string(appendObject(make([]byte, 0, 512), d)) }

func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		return strconv.AppendBool(b, v)
	case string:
		return jsonv.AppendString(b, v)
	case json.Number:
		return append(b, v...)
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, e)
		}
		return append(b, ']')
	case jsonv.Object:
		return appendObject(b, v)
	}
	return append(b, "null"...)
}

func appendObject(b []byte, o jsonv.Object) []byte {
	if o == nil {
		return append(b, "null"...)
	}
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
		b = append(jsonv.AppendString(b, k), ':')
		b = appendValue(b, o[k])
	}
	return append(b, '}')
}

// decodeBody reads what encodeBody wrote, or what somebody put there by hand.
// Strings without escapes and numbers are parts of text, not copies.
func decodeBody(text string) (Doc, error) {
	r := bodyReader{text: text}
	r.space()
	v, err := r.value()
	if err == nil {
		if r.space(); r.at != len(text) {
			err = errors.New("text after the document")
		}
	}
	d, ok := v.(Doc)
	if err == nil && !ok {
		err = fmt.Errorf("want an object, got %s", jsonv.KindOf(v))
	}
	if err != nil {
		return nil, fmt.Errorf("the data file holds a damaged document: at byte %d: %w", r.at, err)
	}
	return d, nil
}

type bodyReader struct {
	text  string
	at    int
	depth int
}

// maxDepth bounds the nesting of a stored document, as encoding/json does.
const maxDepth = 10_000

var (
	errEnd    = errors.New("unexpected end")
	errSyntax = errors.New("unexpected character")
)

func (r *bodyReader) space() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return
		}
	}
}

// is steps over c if it comes next.
func (r *bodyReader) is(c byte) bool {
	if r.at < len(r.text) && r.text[r.at] == c {
		r.at++
		return true
	}
	return false
}

func (r *bodyReader) unexpected() error {
	if r.at >= len(r.text) {
		return errEnd
	}
	return errSyntax
}

func (r *bodyReader) value() (any, error) {
	if r.at >= len(r.text) {
		return nil, errEnd
	}
	switch c := r.text[r.at]; c {
	case '{':
		return r.nested(r.object)
	case '[':
		return r.nested(r.array)
	case '"':
		return r.str()
	case 't':
		return true, r.word("true")
	case 'f':
		return false, r.word("false")
	case 'n':
		return nil, r.word("null")
	}
	return r.number()
}

func (r *bodyReader) nested(read func() (any, error)) (any, error) {
	if r.depth++; r.depth > maxDepth {
		return nil, errors.New("nested too deeply")
	}
	r.at++
	r.space()
	v, err := read()
	r.depth--
	return v, err
}

func (r *bodyReader) word(w string) error {
	if !strings.HasPrefix(r.text[r.at:], w) {
		return errSyntax
	}
	r.at += len(w)
	return nil
}

func (r *bodyReader) number() (any, error) {
	end := r.at
	for end < len(r.text) && strings.IndexByte("+-.0123456789eE", r.text[end]) >= 0 {
		end++
	}
	n := r.text[r.at:end]
	if !validNumber(n) {
		return nil, r.unexpected()
	}
	r.at = end
	return json.Number(n), nil
}

func (r *bodyReader) array() (any, error) {
	list := []any{}
	if r.is(']') {
		return list, nil
	}
	for {
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		r.space()
		if r.is(']') {
			return list, nil
		}
		if !r.is(',') {
			return nil, r.unexpected()
		}
		r.space()
	}
}

func (r *bodyReader) object() (any, error) {
	o := jsonv.Object{}
	if r.is('}') {
		return o, nil
	}
	for {
		k, err := r.str()
		if err != nil {
			return nil, err
		}
		r.space()
		if !r.is(':') {
			return nil, r.unexpected()
		}
		r.space()
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		o[k] = v
		r.space()
		if r.is('}') {
			return o, nil
		}
		if !r.is(',') {
			return nil, r.unexpected()
		}
		r.space()
	}
}

func (r *bodyReader) str() (string, error) {
	if !r.is('"') {
		return "", r.unexpected()
	}
	start := r.at
	for ; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; {
		case c == '"':
			s := r.text[start:r.at]
			r.at++
			return s, nil
		case c == '\\':
			return r.escaped(start)
		case c < ' ':
			return "", errSyntax
		}
	}
	return "", errEnd
}

// escaped reads the rest of a string that has an escape in it.
func (r *bodyReader) escaped(start int) (string, error) {
	b := append(make([]byte, 0, r.at-start+32), r.text[start:r.at]...)
	for r.at < len(r.text) {
		c := r.text[r.at]
		r.at++
		switch {
		case c == '"':
			return string(b), nil
		case c < ' ':
			return "", errSyntax
		case c != '\\':
			b = append(b, c)
			continue
		}
		if r.at >= len(r.text) {
			return "", errEnd
		}
		c = r.text[r.at]
		r.at++
		if c != 'u' {
			i := strings.IndexByte(`"\/bfnrt`, c)
			if i < 0 {
				return "", errSyntax
			}
			b = append(b, "\"\\/\b\f\n\r\t"[i])
			continue
		}
		first, err := r.unit()
		if err != nil {
			return "", err
		}
		if utf16.IsSurrogate(first) && strings.HasPrefix(r.text[r.at:], `\u`) {
			back := r.at
			r.at += 2
			second, err := r.unit()
			if err != nil {
				return "", err
			}
			if first = utf16.DecodeRune(first, second); first == utf8.RuneError {
				r.at = back // the second stands for itself
			}
		}
		b = utf8.AppendRune(b, first)
	}
	return "", errEnd
}

// unit reads the four digits of a \u escape.
func (r *bodyReader) unit() (rune, error) {
	if r.at+4 > len(r.text) {
		return 0, errEnd
	}
	n, err := strconv.ParseUint(r.text[r.at:r.at+4], 16, 16)
	if err != nil || strings.ContainsAny(r.text[r.at:r.at+4], "+_") {
		return 0, errSyntax
	}
	r.at += 4
	return rune(n), nil
}
