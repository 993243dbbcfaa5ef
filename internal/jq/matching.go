package jq

import (
	"errors"
	"strings"
)

// match is the family of match, test, scan and split: args are the expression or
// [expression, flags], the flags, and what to do: "" matches, "all" matches
// whatever the flags, "test", "split".
func (m *meter) match(in any, args []any) any {
	re, flags := args[0], args[1]
	if pair, ok := re.([]any); ok && flags == nil {
		if len(pair) == 0 || len(pair) > 2 {
			return typeError("is not a regular expression", re)
		}
		re = pair[0]
		if len(pair) == 2 {
			flags = pair[1]
		}
	}
	text, ok := in.(string)
	if !ok {
		return typeError("cannot be matched, as it is not a string", in)
	}
	source, ok := re.(string)
	if !ok {
		return typeError("cannot be matched, as it is not a string", re)
	}
	options, ok := flags.(string)
	if !ok && flags != nil {
		return typeError("is not a string", flags)
	}
	x, err := m.matcher(source, options)
	if err != nil {
		return err
	}
	do, _ := args[2].(string)
	all, err := m.all(x, text, do != "test" && (x.global || do != ""))
	if err != nil {
		return err
	}
	switch do {
	case "test":
		return len(all) > 0
	case "split":
		return splitAt(text, all)
	}
	out := make([]any, len(all))
	for i, f := range all {
		if err := m.charge(20 * (1 + len(f.groups))); err != nil {
			return err
		}
		out[i] = f.object()
	}
	return out
}

func (f found) object() map[string]any {
	captures := make([]any, len(f.groups))
	for i, g := range f.groups {
		o := map[string]any{"offset": -1, "length": 0, "string": nil, "name": nil}
		if g.ok {
			o["offset"], o["length"], o["string"] = g.offset, g.length, g.text
		}
		if g.name != "" {
			o["name"] = g.name
		}
		captures[i] = o
	}
	return map[string]any{"offset": f.offset, "length": f.length, "string": f.text, "captures": captures}
}

func splitAt(text string, all []found) any {
	points := []rune(text)
	out := make([]any, 0, len(all)+1)
	at := 0
	for _, f := range all {
		out = append(out, string(points[at:max(at, f.offset)]))
		at = f.offset + f.length
	}
	return append(out, string(points[at:]))
}

// captures makes an object of the named groups.
func (m *meter) captures(in any, _ []any) any {
	list, ok := in.([]any)
	if !ok {
		return typeError("are not captures", in)
	}
	out := make(map[string]any, len(list))
	for _, c := range list {
		o, _ := c.(map[string]any)
		if name, ok := o["name"].(string); ok {
			// Of several groups of one name, the one that matched counts.
			if old, there := out[name]; !there || old == nil {
				out[name] = o["string"]
			}
		}
	}
	return out
}

// substitute replaces matches in the input: args are the matches and for each the
// list of its replacements. The n-th replacements of all matches make the n-th
// result (jq 1.7).
func (m *meter) substitute(in any, args []any) any {
	text, okText := in.(string)
	matches, okMatches := args[0].([]any)
	replacements, okReplacements := args[1].([]any)
	if !okText || !okMatches || !okReplacements || len(matches) != len(replacements) {
		return typeError("cannot be matched, as it is not a string", in)
	}
	results := 0
	for _, r := range replacements {
		if list, ok := r.([]any); ok {
			results = max(results, len(list))
		}
	}
	if results == 0 {
		return []any{text}
	}
	points := []rune(text)
	out := make([]any, results)
	for i := range out {
		s, err := m.replaced(points, matches, replacements, i)
		if err != nil {
			return err
		}
		out[i] = s
	}
	return out
}

func (m *meter) replaced(points []rune, matches, replacements []any, which int) (string, error) {
	var b strings.Builder
	at := 0
	for i, raw := range matches {
		list, ok := replacements[i].([]any)
		if !ok || which >= len(list) {
			continue
		}
		s, ok := list[which].(string)
		if !ok {
			return "", typeError("cannot be added to a string", list[which])
		}
		f, _ := raw.(map[string]any)
		offset, okOffset := f["offset"].(int)
		length, okLength := f["length"].(int)
		if !okOffset || !okLength || offset < at || offset+length > len(points) {
			return "", errors.New("sub: matches out of order")
		}
		b.WriteString(string(points[at:offset]))
		b.WriteString(s)
		at = offset + length
		if b.Len() > textMax {
			return "", errBig
		}
	}
	b.WriteString(string(points[at:]))
	return b.String(), m.charge(len(matches) + b.Len()/16)
}
