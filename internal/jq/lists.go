package jq

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"
)

func (m *meter) contains(_ any, args []any) any {
	ok, err := m.has(args[0], args[1])
	if err != nil {
		return err
	}
	return ok
}

// has is contains: every comparison is charged, as lists inside lists multiply.
func (m *meter) has(a, b any) (bool, error) {
	if err := m.charge(1); err != nil {
		return false, err
	}
	switch a := a.(type) {
	case map[string]any:
		o, ok := b.(map[string]any)
		if !ok {
			break
		}
		for k, want := range o {
			got, ok := a[k]
			if !ok {
				return false, nil
			}
			if ok, err := m.has(got, want); err != nil || !ok {
				return false, err
			}
		}
		return true, nil
	case []any:
		l, ok := b.([]any)
		if !ok {
			break
		}
		for _, want := range l {
			found := false
			for _, got := range a {
				// Elements of different kinds do not contain each other.
				if gojq.TypeOf(got) != gojq.TypeOf(want) {
					continue
				}
				ok, err := m.has(got, want)
				if err != nil {
					return false, err
				}
				if found = ok; found {
					break
				}
			}
			if !found {
				return false, nil
			}
		}
		return true, nil
	case string:
		s, ok := b.(string)
		if !ok {
			break
		}
		return strings.Contains(a, s), m.charge((len(a) + len(s)) / 16)
	}
	if gojq.TypeOf(a) != gojq.TypeOf(b) {
		return false, typeError("cannot have their containment checked", a, b)
	}
	return gojq.Compare(a, b) == 0, nil
}

// indices finds a text in a text, counting code points, or a list in a list.
func (m *meter) indices(in any, args []any) any {
	x := args[0]
	switch v := in.(type) {
	case nil:
		return nil
	case string:
		s, ok := x.(string)
		if !ok {
			break
		}
		return m.textIndices(v, s)
	case []any:
		want, ok := x.([]any)
		if !ok {
			want = []any{x}
		}
		return m.listIndices(v, want)
	}
	return typeError("cannot be searched", in, x)
}

func (m *meter) textIndices(text, s string) any {
	if err := m.charge(len(text)); err != nil {
		return err
	}
	if s == "" {
		return nil
	}
	out := []any{}
	points, from := 0, 0
	for at := 0; ; {
		i := strings.Index(text[at:], s)
		if i < 0 {
			return out
		}
		at += i
		points += utf8.RuneCountInString(text[from:at])
		from = at
		out = append(out, points)
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
		if err := m.charge(1 + len(s)/16); err != nil {
			return err
		}
	}
}

func (m *meter) listIndices(list, want []any) any {
	if len(want) == 0 {
		return nil
	}
	out := []any{}
	for i := 0; i+len(want) <= len(list); i++ {
		equal := true
		for j, w := range want {
			if err := m.chargeCompare(1, list[i+j], w); err != nil {
				return err
			}
			if gojq.Compare(list[i+j], w) != 0 {
				equal = false
				break
			}
		}
		if equal {
			out = append(out, i)
		}
	}
	return out
}

func (m *meter) flatten(in any, args []any) any {
	// The walk of the charge sees what flattening sees.
	if err := m.chargeFor(2, in); err != nil {
		return err
	}
	if args[0] == nil {
		return native("flatten", in)
	}
	return native("flatten", in, args[0])
}

func (m *meter) reverse(in any, _ []any) any {
	if l, ok := in.([]any); ok {
		if err := m.charge(len(l)); err != nil {
			return err
		}
	}
	return native("reverse", in)
}

func (m *meter) transpose(in any, _ []any) any {
	rows, _ := in.([]any)
	longest := 0
	for _, r := range rows {
		if l, ok := r.([]any); ok {
			longest = max(longest, len(l))
		}
	}
	if longest*len(rows) > 4*listMax {
		return errBig
	}
	if err := m.charge(longest*len(rows) + len(rows)); err != nil {
		return err
	}
	return native("transpose", in)
}

// by is the family of sorting functions: args are which one and the keys.
func (m *meter) by(in any, args []any) any {
	which, _ := args[0].(string)
	list, ok := in.([]any)
	if !ok {
		return typeError("cannot be sorted, as it is not an array", in)
	}
	if err := m.chargeFor(2*log2(len(list)), args[1]); err != nil {
		return err
	}
	return native("_"+which+"_by", in, args[1])
}

func (m *meter) bsearch(in any, args []any) any {
	list, ok := in.([]any)
	if !ok {
		return typeError("cannot be searched from", in)
	}
	if err := m.chargeFor(log2(len(list)), args[0]); err != nil {
		return err
	}
	return native("bsearch", in, args[0])
}

// fromEntries makes an object of [key, value] pairs; keys that are no text are
// written as JSON (jq 1.7).
func (m *meter) fromEntries(_ any, args []any) any {
	pairs, ok := args[0].([]any)
	if !ok {
		return errors.New("from_entries: not an array")
	}
	if err := m.charge(4 * len(pairs)); err != nil {
		return err
	}
	out := make(map[string]any, len(pairs))
	for _, p := range pairs {
		pair, ok := p.([]any)
		if !ok || len(pair) != 2 {
			return errors.New("from_entries: not a pair")
		}
		key := m.toString(pair[0], nil)
		name, ok := key.(string)
		if !ok {
			return key
		}
		out[name] = pair[1]
	}
	return out
}
