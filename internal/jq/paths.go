package jq

import (
	"fmt"
	"slices"

	"github.com/itchyny/gojq"
)

// setPath is setpath for (value, path, new).
func (m *meter) setPath(_ any, args []any) any {
	v, rawPath, x := args[0], args[1], args[2]
	path, ok := rawPath.([]any)
	if !ok {
		return typeError("is not a path", rawPath)
	}
	if err := m.chargePath(v, path); err != nil {
		return err
	}
	return native("setpath", v, rawPath, x)
}

// chargePath charges for the containers along a path, which are copied, and
// refuses indexes far behind the end of an array, which would be filled up.
func (m *meter) chargePath(v any, path []any) error {
	cost := len(path)
	for _, step := range path {
		next := any(nil)
		switch c := v.(type) {
		case map[string]any:
			cost += 2 * len(c)
			if key, ok := step.(string); ok {
				next = c[key]
			}
		case []any:
			cost += len(c)
			if i, ok := gojq.ToInt(step); ok && i >= -len(c) && i < len(c) {
				if i < 0 {
					i += len(c)
				}
				next = c[i]
			}
		}
		if i, ok := gojq.ToInt(step); ok {
			if i > listMax {
				return errBig
			}
			cost += max(0, i)
		}
		if o, ok := step.(map[string]any); ok {
			// A slice is replaced as a whole; the elements inside cost as well.
			if err := m.chargeFor(1, o); err != nil {
				return err
			}
			next = v
		}
		v = next
	}
	return m.charge(cost)
}

// deletePaths is delpaths. Unlike the interpreter's it leaves everything outside
// the paths untouched: values are shared between runs.
func (m *meter) deletePaths(in any, args []any) any {
	raw, ok := args[0].([]any)
	if !ok {
		return typeError("is not a list of paths", args[0])
	}
	if len(raw) == 0 {
		return in
	}
	if err := m.chargeFor(log2(len(raw)), args[0]); err != nil {
		return err
	}
	paths := slices.Clone(raw)
	slices.SortFunc(paths, func(a, b any) int { return gojq.Compare(b, a) })
	v := in
	// From the last to the first, so that indexes stay right.
	for _, p := range paths {
		path, ok := p.([]any)
		if !ok {
			return typeError("is not a path", p)
		}
		if err := m.chargePath(v, path); err != nil {
			return err
		}
		next, err := deletePath(v, path)
		if err != nil {
			return err
		}
		v = next
	}
	return v
}

func deletePath(v any, path []any) (any, error) {
	if len(path) == 0 || v == nil {
		return nil, nil
	}
	switch c := v.(type) {
	case map[string]any:
		key, ok := path[0].(string)
		if !ok {
			return nil, typeError("cannot be deleted from an object", path[0])
		}
		inner, there := c[key]
		if !there {
			return v, nil
		}
		out := make(map[string]any, len(c))
		for k, e := range c {
			if k != key {
				out[k] = e
			}
		}
		if len(path) > 1 {
			rest, err := deletePath(inner, path[1:])
			if err != nil {
				return nil, err
			}
			out[key] = rest
		}
		return out, nil
	case []any:
		return deleteFromList(c, path)
	}
	return nil, fmt.Errorf("cannot delete from %s (%s)", gojq.TypeOf(v), gojq.Preview(v))
}

func deleteFromList(c, path []any) (any, error) {
	from, to, err := bounds(c, path[0])
	if err != nil || from >= to {
		return c, err
	}
	if len(path) == 1 {
		out := make([]any, 0, len(c)-(to-from))
		return append(append(out, c[:from]...), c[to:]...), nil
	}
	if _, isSlice := path[0].(map[string]any); isSlice {
		rest, err := deletePath(slices.Clone(c[from:to]), path[1:])
		if err != nil {
			return nil, err
		}
		inner, ok := rest.([]any)
		if !ok {
			return nil, typeError("cannot replace a slice", rest)
		}
		return slices.Concat(c[:from], inner, c[to:]), nil
	}
	rest, err := deletePath(c[from], path[1:])
	if err != nil {
		return nil, err
	}
	out := slices.Clone(c)
	out[from] = rest
	return out, nil
}

// bounds returns which elements a step of a path names; none when it is outside.
func bounds(c []any, step any) (from, to int, err error) {
	if s, ok := step.(map[string]any); ok {
		// The interpreter slices positions, so its rounding is ours.
		positions := make([]any, len(c))
		for i := range positions {
			positions[i] = i
		}
		cut, ok := native("_slice", nil, positions, s["end"], s["start"]).([]any)
		if !ok {
			return 0, 0, typeError("is not a slice", step)
		}
		if len(cut) == 0 {
			return 0, 0, nil
		}
		first, _ := gojq.ToInt(cut[0])
		return first, first + len(cut), nil
	}
	if _, ok := double(step); !ok {
		return 0, 0, typeError("cannot be deleted from an array", step)
	}
	i, _ := gojq.ToInt(step)
	if i < 0 {
		i += len(c)
	}
	if i < 0 || i >= len(c) {
		return 0, 0, nil
	}
	return i, i + 1, nil
}
