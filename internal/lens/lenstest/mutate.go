package lenstest

import (
	"encoding/json"
	"slices"
	"sort"
	"strconv"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

func sortStrings(s []string) { sort.Strings(s) }

// pointers lists every place in j, the whole apart.
func pointers(j any) [][]string {
	var out [][]string
	var walk func(at []string, v any)
	walk = func(at []string, v any) {
		if len(at) > 0 {
			out = append(out, slices.Clone(at))
		}
		switch v := v.(type) {
		case jsonv.Object:
			keys := make([]string, 0, len(v))
			for k := range v {
				keys = append(keys, k)
			}
			sort.Strings(keys)
			for _, k := range keys {
				walk(append(at, k), v[k])
			}
		case []any:
			for i := range v {
				walk(append(at, strconv.Itoa(i)), v[i])
			}
		}
	}
	walk(nil, j)
	return out
}

// edit returns a copy of j with the value at a place replaced by what change
// gives, or removed when it reports false.
func edit(j any, at []string, change func(any) (any, bool)) any {
	if len(at) == 0 {
		v, _ := change(j)
		return v
	}
	switch v := j.(type) {
	case jsonv.Object:
		out := make(jsonv.Object, len(v))
		for k, e := range v {
			out[k] = e
		}
		if len(at) == 1 {
			if e, keep := change(v[at[0]]); keep {
				out[at[0]] = e
			} else {
				delete(out, at[0])
			}
			return out
		}
		out[at[0]] = edit(v[at[0]], at[1:], change)
		return out
	case []any:
		i, err := strconv.Atoi(at[0])
		if err != nil || i >= len(v) {
			return j
		}
		out := slices.Clone(v)
		if len(at) == 1 {
			e, keep := change(v[i])
			if !keep {
				return slices.Delete(out, i, i+1)
			}
			out[i] = e
			return out
		}
		out[i] = edit(v[i], at[1:], change)
		return out
	}
	return j
}

func removed(j any, at []string) any {
	return edit(j, at, func(any) (any, bool) { return nil, false })
}

func replaced(j any, at []string, by any) any {
	return edit(j, at, func(any) (any, bool) { return by, true })
}

// others are values of the same JSON kind that differ from j; containers have
// none.
func others(j any) []any {
	switch j := j.(type) {
	case bool:
		return []any{!j}
	case string:
		return []any{j + "~", "~"}
	case json.Number:
		return []any{json.Number("1234567"), json.Number("-1")}
	}
	return nil
}

func isContainer(j any) bool {
	switch j.(type) {
	case jsonv.Object, []any:
		return true
	}
	return false
}

func vacant(j any) bool {
	switch j := j.(type) {
	case nil:
		return true
	case string:
		return j == ""
	case jsonv.Object:
		return len(j) == 0
	case []any:
		return len(j) == 0
	}
	return false
}

// saysNothing reports whether j is empty or holds nothing but nulls and empties.
func saysNothing(j any) bool {
	o, ok := j.(jsonv.Object)
	if !ok {
		return vacant(j)
	}
	for _, v := range o {
		if _, text := v.(string); text || !saysNothing(v) {
			return false
		}
	}
	return true
}

// respelledNumbers writes every whole number another way.
func respelledNumbers(j any) any {
	switch j := j.(type) {
	case json.Number:
		if _, err := strconv.ParseInt(string(j), 10, 64); err == nil {
			return j + ".0"
		}
		return j
	case jsonv.Object:
		out := make(jsonv.Object, len(j))
		for k, v := range j {
			out[k] = respelledNumbers(v)
		}
		return out
	case []any:
		out := make([]any, len(j))
		for i, v := range j {
			out[i] = respelledNumbers(v)
		}
		return out
	}
	return j
}

func reversed(l []any) []any {
	out := slices.Clone(l)
	slices.Reverse(out)
	return out
}

// under reports whether a place is at or below one of the paths.
func under(at []string, paths [][]string) bool {
	for _, p := range paths {
		if len(at) >= len(p) && slices.Equal(at[:len(p)], p) {
			return true
		}
	}
	return false
}
