package portal_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ordered is a JSON object that keeps the order of its keys, as the official relay
// does between reading a message and checking its signature.
type ordered struct {
	keys   []string
	values map[string]any
}

func (o *ordered) set(key string, v any) {
	if _, ok := o.values[key]; !ok {
		o.keys = append(o.keys, key)
	}
	o.values[key] = v
}

func (o *ordered) remove(key string) {
	delete(o.values, key)
	for i, k := range o.keys {
		if k == key {
			o.keys = append(append([]string{}, o.keys[:i]...), o.keys[i+1:]...)
		}
	}
}

func (o *ordered) object(key string) *ordered {
	inner, ok := o.values[key].(*ordered)
	if !ok {
		inner = &ordered{values: map[string]any{}}
		o.set(key, inner)
	}
	return inner
}

func (o *ordered) text(path ...string) string {
	for _, key := range path[:len(path)-1] {
		o = o.object(key)
	}
	s, _ := o.values[path[len(path)-1]].(string)
	return s
}

// loads and dumps are json.loads and json.dumps(separators=(",", ":"),
// ensure_ascii=False) of Python.
func loads(text []byte) (*ordered, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := load(d)
	o, ok := v.(*ordered)
	if err == nil && !ok {
		err = fmt.Errorf("%s is no object", text)
	}
	return o, err
}

func load(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		o := &ordered{values: map[string]any{}}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			if o.values[fmt.Sprint(key)], err = load(d); err != nil {
				return nil, err
			}
			o.keys = append(o.keys, fmt.Sprint(key))
		}
		_, err := d.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := load(d)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	return token, nil
}

func dumps(v any) string {
	switch v := v.(type) {
	case *ordered:
		var parts []string
		for _, key := range v.keys {
			parts = append(parts, dumps(key)+":"+dumps(v.values[key]))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case []any:
		var parts []string
		for _, e := range v {
			parts = append(parts, dumps(e))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case json.Number:
		return pythonNumber(string(v))
	case string:
		var b strings.Builder
		for _, r := range v {
			if short := map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\f': `\f`, '\b': `\b`}[r]; short != "" {
				b.WriteString(short)
			} else if r < ' ' {
				fmt.Fprintf(&b, `\u%04x`, r)
			} else {
				b.WriteRune(r)
			}
		}
		return `"` + b.String() + `"`
	case bool:
		return strconv.FormatBool(v)
	}
	return "null"
}

func pythonNumber(text string) string {
	if !strings.ContainsAny(text, ".eE") {
		if text == "-0" {
			return "0"
		}
		return text
	}
	f, _ := strconv.ParseFloat(text, 64)
	digits := strconv.FormatFloat(f, 'e', -1, 64)
	exponent, _ := strconv.Atoi(digits[strings.IndexByte(digits, 'e')+1:])
	if f != 0 && (exponent < -4 || exponent >= 16) {
		return digits
	}
	fixed := strconv.FormatFloat(f, 'f', -1, 64)
	if f == math.Trunc(f) {
		fixed += ".0"
	}
	return fixed
}

func relaySignature(secret, timestamp, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "." + text))
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
