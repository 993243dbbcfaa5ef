package crypt

import (
	"strconv"
	"unicode/utf8"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// Body is a value as it is sent and signed: compact JSON in which nothing outside
// ASCII is escaped (reference/actions.md §3.7), so that a receiver that signs what it
// has read and written again comes to the same text.
func Body(v any) []byte {
	text := jsonv.Encode(v)
	out := text[:0]
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			out = append(out, text[i])
			continue
		}
		if r, ok := escaped(text[i:]); ok {
			out = utf8.AppendRune(out, r)
			i += escapeLength - 1
			continue
		}
		out = append(out, text[i], text[i+1])
		i++
	}
	return out
}

const escapeLength = len(`\u2028`)

// escaped reads an escape that stands for something outside ASCII.
func escaped(text []byte) (rune, bool) {
	if len(text) < escapeLength || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[2:escapeLength]), 16, 16)
	return rune(n), err == nil && n >= utf8.RuneSelf
}
