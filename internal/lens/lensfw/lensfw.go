// Package lensfw renders lens declarations as schemas of the plugin framework,
// for resources and data sources. Attribute types come out exactly as declared:
// whole numbers as Int64, doubles as Float64, nested objects as nested
// attributes or blocks.
//
// It attaches no validators: every check of a declaration, on one attribute or
// on several, is in [lens.Codec.Problems], which a resource runs once over the
// raw configuration. [Diagnostics] turns the findings into the framework's.
package lensfw

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/lens"
)

// Diagnostics turns findings into the framework's diagnostics.
func Diagnostics(problems []lens.Problem) diag.Diagnostics {
	var out diag.Diagnostics
	for _, p := range problems {
		at := Path(p.Path)
		if p.Warning {
			out.AddAttributeWarning(at, p.Summary, p.Detail)
			continue
		}
		out.AddAttributeError(at, p.Summary, p.Detail)
	}
	return out
}

// Path turns an attribute path into the framework's. It ends before the first
// step the framework cannot name without its schema, an element of a set that
// is not a string.
func Path(p *tftypes.AttributePath) path.Path {
	out := path.Empty()
	if p == nil {
		return out
	}
	for _, s := range p.Steps() {
		switch s := s.(type) {
		case tftypes.AttributeName:
			out = out.AtName(string(s))
		case tftypes.ElementKeyString:
			out = out.AtMapKey(string(s))
		case tftypes.ElementKeyInt:
			out = out.AtListIndex(int(s))
		case tftypes.ElementKeyValue:
			v := tftypes.Value(s)
			if !v.Type().Is(tftypes.String) || !lens.Known(v) {
				return out
			}
			out = out.AtSetValue(types.StringValue(lens.AsText(v)))
		default:
			return out
		}
	}
	return out
}

// typeOf is the framework's type for a tftypes type; numbers inside flat
// collections and objects keep full precision.
func typeOf(t tftypes.Type) attr.Type {
	switch t := t.(type) {
	case tftypes.List:
		return basetypes.ListType{ElemType: typeOf(t.ElementType)}
	case tftypes.Set:
		return basetypes.SetType{ElemType: typeOf(t.ElementType)}
	case tftypes.Map:
		return basetypes.MapType{ElemType: typeOf(t.ElementType)}
	case tftypes.Object:
		return basetypes.ObjectType{AttrTypes: typesOf(t)}
	}
	switch {
	case t.Is(tftypes.String):
		return basetypes.StringType{}
	case t.Is(tftypes.Bool):
		return basetypes.BoolType{}
	case t.Is(tftypes.Number):
		return basetypes.NumberType{}
	}
	panic(fmt.Sprintf("lensfw: no framework type for %s", t))
}

func typesOf(o tftypes.Object) map[string]attr.Type {
	out := make(map[string]attr.Type, len(o.AttributeTypes))
	for name, t := range o.AttributeTypes {
		out[name] = typeOf(t)
	}
	return out
}

// valueOf is the framework's value for the default of an attribute; a default
// that does not fit its attribute is a broken declaration.
func valueOf[T attr.Value](t attr.Type, v tftypes.Value) T {
	got, err := t.ValueFromTerraform(context.Background(), v)
	if err != nil {
		panic(fmt.Sprintf("lensfw: default %s: %v", v, err))
	}
	out, ok := got.(T)
	if !ok {
		panic(fmt.Sprintf("lensfw: default %s is a %T", v, got))
	}
	return out
}
