package lens

import (
	"encoding/json"
	"slices"
	"sync"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// canonical is the text a JSON value gets when no prior text says the same:
// compact, keys sorted, numbers as they came.
func canonical(r *Run, j any) string {
	buf := appendCanonical(nil, j, r.EscapeHTML)
	return string(buf)
}

// appendCanonical writes what jsonv.Encode and jsonv.EncodeHTML write. It exists
// because it runs for every JSON attribute of every read.
func appendCanonical(b []byte, j any, html bool) []byte {
	switch j := j.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		if j {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	case string:
		return appendText(b, j, html)
	case json.Number:
		return append(b, j...)
	case []any:
		b = append(b, '[')
		for i, e := range j {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendCanonical(b, e, html)
		}
		return append(b, ']')
	case Body:
		keys := make([]string, 0, len(j))
		for k := range j {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		b = append(b, '{')
		for i, k := range keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendText(b, k, html)
			b = append(b, ':')
			b = appendCanonical(b, j[k], html)
		}
		return append(b, '}')
	}
	return b
}

func appendText(b []byte, s string, html bool) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			if html {
				return append(b, jsonv.EncodeHTML(s)...)
			}
			return append(b, jsonv.Encode(s)...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 512); return &b }}

// same compares with the canonical text first: that is what states hold unless
// somebody wrote the text by hand.
func (k JSONKind) same(r *Run, v tftypes.Value, j any) bool {
	text, ok := r.text(v)
	if !ok {
		return false
	}
	if buf, pooled := buffers.Get().(*[]byte); pooled {
		*buf = appendCanonical((*buf)[:0], j, r.EscapeHTML)
		equal := string(*buf) == text
		buffers.Put(buf)
		if equal {
			_, object := j.(Body)
			return object || !k.object || k.lenient
		}
	}
	got, err := k.Put(r, v)
	return err == nil && jsonv.Equal(got, j)
}
