package template

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// OrderOf reads from JSON text in which order the keys of objects were written,
// below a place and for those objects only of whose keys a template computes one.
// Pointers are relative to the place. Text that is no JSON has no order; it must not
// be nested deeper than the stack is.
func OrderOf(text []byte, at ...string) Order {
	if !bytes.Contains(text, []byte("{{")) {
		return nil
	}
	r := &orderReader{decoder: json.NewDecoder(bytes.NewReader(text)), at: at, order: Order{}}
	r.decoder.UseNumber()
	if !r.value() || len(r.order) == 0 {
		return nil
	}
	return r.order
}

// orderReader walks over JSON text; its methods report false at the end of what can
// be read.
type orderReader struct {
	decoder *json.Decoder
	at      []string
	path    []string
	order   Order
}

func (r *orderReader) value() bool {
	token, err := r.decoder.Token()
	if err != nil {
		return false
	}
	switch token {
	case json.Delim('{'):
		return r.object()
	case json.Delim('['):
		return r.array()
	}
	return true
}

func (r *orderReader) array() bool {
	for i := 0; r.decoder.More(); i++ {
		if !r.below(strconv.Itoa(i)) {
			return false
		}
	}
	_, err := r.decoder.Token()
	return err == nil
}

func (r *orderReader) object() bool {
	var keys []string
	computed := false
	for r.decoder.More() {
		token, err := r.decoder.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			return false
		}
		keys = append(keys, key)
		computed = computed || Has(key)
		if !r.below(key) {
			return false
		}
	}
	if _, err := r.decoder.Token(); err != nil {
		return false
	}
	if n := len(r.at); computed && len(r.path) >= n && slices.Equal(r.path[:n], r.at) {
		r.order[jsonv.Pointer(r.path[n:]...)] = once(keys)
	}
	return true
}

// once leaves out the earlier ones of keys that stand there twice, as their values
// do not count either.
func once(keys []string) []string {
	last := make(map[string]int, len(keys))
	for i, key := range keys {
		last[key] = i
	}
	out := make([]string, 0, len(last))
	for i, key := range keys {
		if last[key] == i {
			out = append(out, key)
		}
	}
	return out
}

func (r *orderReader) below(step string) bool {
	r.path = append(r.path, step)
	ok := r.value()
	r.path = r.path[:len(r.path)-1]
	return ok
}
