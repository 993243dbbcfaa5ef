package jq

import (
	"encoding/base32"
	"fmt"
	"strings"
	"unicode/utf8"
)

// format writes a value as the formats of jq do: @html and so on.
func (m *meter) format(in any, args []any) any {
	name, ok := args[0].(string)
	if !ok {
		return typeError("is not a format", args[0])
	}
	if err := m.chargeFor(4, in); err != nil {
		return err
	}
	if w := weigh(in, textMax); w.over || w.bytes+w.nodes > textMax {
		return errBig
	}
	text := func() (string, any) {
		v := m.toString(in, nil)
		s, ok := v.(string)
		if !ok {
			return "", v
		}
		return s, nil
	}
	switch name {
	case "text":
		return m.toString(in, nil)
	case "json":
		return m.toJSON(in, nil)
	case "uri", "urid", "csv", "tsv", "sh", "base64", "base64d":
		out := native("_to"+name, in)
		if s, ok := out.(string); ok {
			return strings.ToValidUTF8(s, string(utf8.RuneError))
		}
		return out
	case "html", "base32", "base32d":
		s, failed := text()
		if failed != nil {
			return failed
		}
		return textFormat(name, s)
	}
	return fmt.Errorf("%s is not a valid format", name)
}

// C jq writes the quote as a decimal entity.
var html = strings.NewReplacer("<", "&lt;", ">", "&gt;", "&", "&amp;", "'", "&#39;", `"`, "&quot;")

func textFormat(name, s string) any {
	switch name {
	case "html":
		return html.Replace(s)
	case "base32":
		return base32.StdEncoding.EncodeToString([]byte(s))
	}
	b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return typeError("is not valid base32 data", s)
	}
	return strings.ToValidUTF8(string(b), string(utf8.RuneError))
}

// trim is ltrimstr and rtrimstr: what is no text is returned as it is.
func (m *meter) trim(in any, args []any) any {
	s, okS := in.(string)
	x, okX := args[0].(string)
	side, okSide := args[1].(string)
	if !okS || !okX || !okSide {
		return in
	}
	if strings.Contains(side, "l") {
		s = strings.TrimPrefix(s, x)
	}
	if strings.Contains(side, "r") {
		s = strings.TrimSuffix(s, x)
	}
	return s
}

func (m *meter) join(in any, args []any) any {
	list, ok := in.([]any)
	if !ok {
		return typeError("cannot be joined, as it is not an array", in)
	}
	if len(list) == 0 {
		return ""
	}
	separator, ok := args[0].(string)
	if !ok {
		if args[0] != nil || len(list) > 1 {
			return typeError("is not a text to join with", args[0])
		}
	}
	size := len(separator) * (len(list) - 1)
	parts := make([]string, len(list))
	for i, e := range list {
		switch e := e.(type) {
		case nil:
		case string:
			parts[i] = e
		case []any, map[string]any:
			return typeError("cannot be joined", e)
		default:
			s, err := m.text(e)
			if err != nil {
				return err
			}
			parts[i] = s
		}
		if size += len(parts[i]); size > textMax {
			return errBig
		}
	}
	if err := m.charge(len(list) + size/16); err != nil {
		return err
	}
	return strings.Join(parts, separator)
}
