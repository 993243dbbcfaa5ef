package store

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// Keys are stored as text that sorts like the list of their parts: each part is
// closed by 01, and 00, 01 and 02 inside it are spelled 02 03, 02 04 and 02 05.
// The text of a list of parts is therefore a prefix of the texts of exactly the
// keys that start with these parts, and it is plain text without NUL for any
// database to hold.
const partEnd = "\x01"

var (
	escapePart   = strings.NewReplacer("\x00", "\x02\x03", "\x01", "\x02\x04", "\x02", "\x02\x05")
	unescapePart = strings.NewReplacer("\x02\x03", "\x00", "\x02\x04", "\x01", "\x02\x05", "\x02")
)

// maxPart bounds one part of a key in bytes.
const maxPart = 1 << 16

var errEmptyKey = errors.New("a key has at least one part")

func encodeKey(parts []string) (string, error) {
	if len(parts) == 0 {
		return "", errEmptyKey
	}
	return encodePrefix(parts)
}

// lookupKey is encodeKey for reading: a key that could never be written is one
// that is not there.
func lookupKey(parts []string) (string, error) {
	text, err := encodeKey(parts)
	if err != nil && !errors.Is(err, errEmptyKey) {
		return "", ErrNotFound
	}
	return text, err
}

// scanPrefix is encodePrefix for reading; it reports whether keys can begin so.
func scanPrefix(parts []string) (string, bool) {
	text, err := encodePrefix(parts)
	return text, err == nil
}

func encodePrefix(parts []string) (string, error) {
	size := 0
	for i, p := range parts {
		if len(p) > maxPart {
			return "", fmt.Errorf("key part %d has %d bytes, the most is %d", i+1, len(p), maxPart)
		}
		if !utf8.ValidString(p) {
			return "", fmt.Errorf("key part %d, %q, is not UTF-8", i+1, p)
		}
		size += len(p) + len(partEnd)
	}
	var b strings.Builder
	b.Grow(size)
	for _, p := range parts {
		if strings.ContainsAny(p, "\x00\x01\x02") {
			p = escapePart.Replace(p)
		}
		b.WriteString(p)
		b.WriteString(partEnd)
	}
	return b.String(), nil
}

func decodeKey(text string) ([]string, error) {
	parts := make([]string, 0, strings.Count(text, partEnd))
	for text != "" {
		i := strings.Index(text, partEnd)
		if i < 0 {
			return nil, fmt.Errorf("key text %q has no end", text)
		}
		part := text[:i]
		if strings.IndexByte(part, 2) >= 0 {
			part = unescapePart.Replace(part)
		}
		parts = append(parts, part)
		text = text[i+len(partEnd):]
	}
	return parts, nil
}

// behind is the bound right after all keys that start with an encoded prefix.
func behind(prefix string) string {
	if prefix == "" {
		return "\U0010ffff\U0010ffff" // no organization is called that
	}
	return strings.TrimSuffix(prefix, partEnd) + "\x02"
}

// properPrefixes lists the lengths of the encoded prefixes of key that have at
// least one part and not all of them.
func properPrefixes(key string) []int {
	var ends []int
	for at := 0; ; {
		i := strings.Index(key[at:], partEnd)
		if i < 0 {
			break
		}
		at += i + len(partEnd)
		if at < len(key) {
			ends = append(ends, at)
		}
	}
	return ends
}

// position is where a document stands in a scan.
type position struct{ created, key string }

func (p position) compare(q position) int {
	if c := strings.Compare(p.created, q.created); c != 0 {
		return c
	}
	return strings.Compare(p.key, q.key)
}

func createdOf(d Doc) string { return jsonv.String(d, "createdAt") }

// Cursor is the opaque text that makes a later scan continue behind row.
func Cursor(row Row) string {
	parts := append([]string{createdOf(row.Doc)}, row.Key...)
	text, err := encodePrefix(parts)
	if err != nil {
		// A row that came out of a store has a valid key and document.
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

// after is the position behind which a page starts; ok is false for the start.
func (p Page) after() (pos position, ok bool, err error) {
	if p.After == "" {
		return position{}, false, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(p.After)
	if err != nil {
		return position{}, false, fmt.Errorf("%w: %q", ErrCursor, p.After)
	}
	parts, err := decodeKey(string(text))
	if err != nil || len(parts) < 2 {
		return position{}, false, fmt.Errorf("%w: %q", ErrCursor, p.After)
	}
	key, err := encodeKey(parts[1:])
	if err != nil {
		return position{}, false, fmt.Errorf("%w: %q", ErrCursor, p.After)
	}
	return position{parts[0], key}, true, nil
}

// checkDocument refuses what a store could not give back unchanged.
func checkDocument(d Doc) error {
	if d == nil {
		return errors.New("a document is an object, not null")
	}
	return checkValue(d, nil)
}

func checkValue(v any, path []string) error {
	switch v := v.(type) {
	case nil, bool:
	case string:
		if !utf8.ValidString(v) {
			return fmt.Errorf("document at %q: text is not UTF-8", jsonv.Pointer(path...))
		}
	case json.Number:
		if !validNumber(string(v)) {
			return fmt.Errorf("document at %q: %q is not a JSON number", jsonv.Pointer(path...), string(v))
		}
	case []any:
		for i := range v {
			if err := checkValue(v[i], append(path, "-")); err != nil {
				return err
			}
		}
	case jsonv.Object:
		for k, e := range v {
			if !utf8.ValidString(k) {
				return fmt.Errorf("document at %q: an object key is not UTF-8", jsonv.Pointer(path...))
			}
			if err := checkValue(e, append(path, k)); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("document at %q: %T is not a JSON value", jsonv.Pointer(path...), v)
	}
	return nil
}

// validNumber reports whether s is a number by the grammar of RFC 8259.
func validNumber(s string) bool {
	digits := func() bool {
		n := 0
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		s = s[n:]
		return n > 0
	}
	s = strings.TrimPrefix(s, "-")
	if strings.HasPrefix(s, "0") {
		s = s[1:]
	} else if !digits() {
		return false
	}
	if strings.HasPrefix(s, ".") {
		s = s[1:]
		if !digits() {
			return false
		}
	}
	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		if s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		if !digits() {
			return false
		}
	}
	return s == ""
}
