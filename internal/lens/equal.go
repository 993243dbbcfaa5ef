package lens

import "github.com/hashicorp/terraform-plugin-go/tftypes"

// Equal reports whether two values of one type are the same; sets have no order.
// It is what tftypes' Equal says, without walking by paths.
func Equal(a, b tftypes.Value) bool {
	switch {
	case Nothing(a) || Nothing(b):
		return Nothing(a) && Nothing(b)
	case !a.IsKnown() || !b.IsKnown():
		return a.IsKnown() == b.IsKnown()
	}
	switch t := a.Type().(type) {
	case tftypes.Set:
		return equalSets(AsList(a), AsList(b))
	case tftypes.List, tftypes.Tuple:
		x, y := AsList(a), AsList(b)
		if len(x) != len(y) {
			return false
		}
		for i := range x {
			if !Equal(x[i], y[i]) {
				return false
			}
		}
		return true
	case tftypes.Map, tftypes.Object:
		x, y := AsObj(a), AsObj(b)
		if len(x) != len(y) {
			return false
		}
		for k, v := range x {
			w, ok := y[k]
			if !ok || !Equal(v, w) {
				return false
			}
		}
		return true
	default:
		if t.Is(numberType) {
			x, okX := asFloat(a)
			y, okY := asFloat(b)
			return okX && okY && x.Cmp(y) == 0
		}
		if t.Is(boolType) {
			return AsBool(a) == AsBool(b)
		}
		x, okX := asString(a)
		y, okY := asString(b)
		return okX && okY && x == y
	}
}

func equalSets(x, y []tftypes.Value) bool {
	if len(x) != len(y) {
		return false
	}
	used := make([]bool, len(y))
next:
	for _, v := range x {
		for i, w := range y {
			if !used[i] && Equal(v, w) {
				used[i] = true
				continue next
			}
		}
		return false
	}
	return true
}
