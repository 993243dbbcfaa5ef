package provider

import (
	"maps"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/lens"
)

// text reads a known, non-null string.
func text(v tftypes.Value) (string, bool) {
	if !lens.Known(v) || !v.Type().Is(tftypes.String) {
		return "", false
	}
	return lens.AsText(v), true
}

// complete replaces the unknown values of a plan by what got has in their place,
// or null. Everything the plan knows stays: Terraform refuses a result that
// differs from the plan, and what the server changed shows at the next refresh.
func complete(plan, got tftypes.Value) tftypes.Value {
	if !plan.IsKnown() {
		if got.Type() == nil || !got.IsFullyKnown() {
			return lens.Null(plan.Type())
		}
		return got
	}
	if plan.IsNull() || plan.IsFullyKnown() {
		return plan
	}
	switch plan.Type().(type) {
	case tftypes.Object, tftypes.Map:
		theirs, out := lens.AsObj(got), lens.Obj{}
		for name, v := range lens.AsObj(plan) {
			out[name] = complete(v, theirs[name])
		}
		return tftypes.NewValue(plan.Type(), out)
	}
	theirs, out := lens.AsList(got), []tftypes.Value{}
	for i, v := range lens.AsList(plan) {
		var other tftypes.Value
		if i < len(theirs) {
			other = theirs[i]
		}
		out = append(out, complete(v, other))
	}
	return tftypes.NewValue(plan.Type(), out)
}

// with returns the object v with some attributes replaced.
func with(v tftypes.Value, changes lens.Obj) tftypes.Value {
	if len(changes) == 0 {
		return v
	}
	m := maps.Clone(lens.AsObj(v))
	maps.Copy(m, changes)
	return tftypes.NewValue(v.Type(), m)
}

// unknownOf is the unknown value of a type.
func unknownOf(t tftypes.Type) tftypes.Value { return tftypes.NewValue(t, tftypes.UnknownValue) }
