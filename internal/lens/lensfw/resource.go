package lensfw

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/boolplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/float64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/float64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/numberdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/numberplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/setdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/setplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/lens"
)

// ResourceSchema renders attributes as the schema of a resource, version 0.
func ResourceSchema(attrs []lens.Attr, doc string) schema.Schema {
	as, bs := resourceParts(attrs)
	return schema.Schema{MarkdownDescription: doc, Attributes: as, Blocks: bs}
}

func resourceParts(attrs []lens.Attr) (map[string]schema.Attribute, map[string]schema.Block) {
	as := map[string]schema.Attribute{}
	var bs map[string]schema.Block
	for _, a := range attrs {
		if !a.Block {
			as[a.Name] = resourceAttribute(a)
			continue
		}
		if bs == nil {
			bs = map[string]schema.Block{}
		}
		bs[a.Name] = resourceBlock(a)
	}
	return as, bs
}

func resourceBlock(a lens.Attr) schema.Block {
	as, bs := resourceParts(a.Nested)
	object := schema.NestedBlockObject{Attributes: as, Blocks: bs}
	doc := a.Documentation()
	switch a.Nesting {
	case lens.Single:
		return schema.SingleNestedBlock{Attributes: as, Blocks: bs, MarkdownDescription: doc, DeprecationMessage: a.Deprecated}
	case lens.InList:
		return schema.ListNestedBlock{NestedObject: object, MarkdownDescription: doc, DeprecationMessage: a.Deprecated}
	case lens.InSet:
		return schema.SetNestedBlock{NestedObject: object, MarkdownDescription: doc, DeprecationMessage: a.Deprecated}
	}
	panic(fmt.Sprintf("lensfw: %q cannot be a block", a.Name))
}

func resourceAttribute(a lens.Attr) schema.Attribute {
	if a.Nesting != lens.Flat {
		return nestedAttribute(a)
	}
	if o, ok := a.Type.(tftypes.Object); ok {
		return objectAttribute(a, o)
	}
	switch a.Type.(type) {
	case tftypes.List, tftypes.Set, tftypes.Map:
		return collectionAttribute(a)
	}
	return scalarAttribute(a)
}

// flags are what every attribute has.
type flags struct{ required, optional, computed bool }

func flagsOf(a lens.Attr) flags {
	switch a.Mode {
	case lens.Req:
		return flags{required: true}
	case lens.Computed:
		return flags{computed: true}
	case lens.OptComputed:
		return flags{optional: true, computed: true}
	}
	return flags{optional: true}
}

// modifiers picks the plan modifiers a declaration asks for.
func modifiers[M any](a lens.Attr, keep, replace func() M) []M {
	var out []M
	if a.Plan&lens.Keep != 0 {
		out = append(out, keep())
	}
	if a.Plan&lens.Replace != 0 {
		out = append(out, replace())
	}
	return out
}

func scalarAttribute(a lens.Attr) schema.Attribute {
	f, doc := flagsOf(a), a.Documentation()
	switch {
	case a.Type.Is(tftypes.String):
		s := schema.StringAttribute{
			Required: f.required, Optional: f.optional, Computed: f.computed, Sensitive: a.Sensitive, WriteOnly: a.WriteOnly,
			MarkdownDescription: doc, DeprecationMessage: a.Deprecated,
			PlanModifiers: modifiers(a, stringplanmodifier.UseStateForUnknown, stringplanmodifier.RequiresReplace),
		}
		if a.Default != nil {
			s.Default = stringdefault.StaticString(lens.AsText(*a.Default))
		}
		return s
	case a.Type.Is(tftypes.Bool):
		s := schema.BoolAttribute{
			Required: f.required, Optional: f.optional, Computed: f.computed, Sensitive: a.Sensitive,
			MarkdownDescription: doc, DeprecationMessage: a.Deprecated,
			PlanModifiers: modifiers(a, boolplanmodifier.UseStateForUnknown, boolplanmodifier.RequiresReplace),
		}
		if a.Default != nil {
			s.Default = booldefault.StaticBool(lens.AsBool(*a.Default))
		}
		return s
	}
	return numberAttribute(a)
}

func numberAttribute(a lens.Attr) schema.Attribute {
	f, doc := flagsOf(a), a.Documentation()
	switch a.Number {
	case lens.Int64:
		s := schema.Int64Attribute{
			Required: f.required, Optional: f.optional, Computed: f.computed, Sensitive: a.Sensitive,
			MarkdownDescription: doc, DeprecationMessage: a.Deprecated,
			PlanModifiers: modifiers(a, int64planmodifier.UseStateForUnknown, int64planmodifier.RequiresReplace),
		}
		if a.Default != nil {
			s.Default = int64default.StaticInt64(valueOf[basetypes.Int64Value](basetypes.Int64Type{}, *a.Default).ValueInt64())
		}
		return s
	case lens.Float64:
		s := schema.Float64Attribute{
			Required: f.required, Optional: f.optional, Computed: f.computed, Sensitive: a.Sensitive,
			MarkdownDescription: doc, DeprecationMessage: a.Deprecated,
			PlanModifiers: modifiers(a, float64planmodifier.UseStateForUnknown, float64planmodifier.RequiresReplace),
		}
		if a.Default != nil {
			s.Default = float64default.StaticFloat64(valueOf[basetypes.Float64Value](basetypes.Float64Type{}, *a.Default).ValueFloat64())
		}
		return s
	}
	s := schema.NumberAttribute{
		Required: f.required, Optional: f.optional, Computed: f.computed, Sensitive: a.Sensitive,
		MarkdownDescription: doc, DeprecationMessage: a.Deprecated,
		PlanModifiers: modifiers(a, numberplanmodifier.UseStateForUnknown, numberplanmodifier.RequiresReplace),
	}
	if a.Default != nil {
		s.Default = numberdefault.StaticBigFloat(valueOf[basetypes.NumberValue](basetypes.NumberType{}, *a.Default).ValueBigFloat())
	}
	return s
}

func objectAttribute(a lens.Attr, o tftypes.Object) schema.Attribute {
	f := flagsOf(a)
	s := schema.ObjectAttribute{
		AttributeTypes: typesOf(o),
		Required:       f.required, Optional: f.optional, Computed: f.computed, Sensitive: a.Sensitive,
		MarkdownDescription: a.Documentation(), DeprecationMessage: a.Deprecated,
		PlanModifiers: modifiers(a, objectplanmodifier.UseStateForUnknown, objectplanmodifier.RequiresReplace),
	}
	if a.Default != nil {
		s.Default = objectdefault.StaticValue(valueOf[basetypes.ObjectValue](typeOf(o), *a.Default))
	}
	return s
}

func collectionAttribute(a lens.Attr) schema.Attribute {
	f, doc := flagsOf(a), a.Documentation()
	switch t := a.Type.(type) {
	case tftypes.List:
		s := schema.ListAttribute{
			ElementType: typeOf(t.ElementType),
			Required:    f.required, Optional: f.optional, Computed: f.computed, Sensitive: a.Sensitive,
			MarkdownDescription: doc, DeprecationMessage: a.Deprecated,
			PlanModifiers: modifiers(a, listplanmodifier.UseStateForUnknown, listplanmodifier.RequiresReplace),
		}
		if a.Default != nil {
			s.Default = listdefault.StaticValue(valueOf[basetypes.ListValue](typeOf(t), *a.Default))
		}
		return s
	case tftypes.Set:
		s := schema.SetAttribute{
			ElementType: typeOf(t.ElementType),
			Required:    f.required, Optional: f.optional, Computed: f.computed, Sensitive: a.Sensitive,
			MarkdownDescription: doc, DeprecationMessage: a.Deprecated,
			PlanModifiers: modifiers(a, setplanmodifier.UseStateForUnknown, setplanmodifier.RequiresReplace),
		}
		if a.Default != nil {
			s.Default = setdefault.StaticValue(valueOf[basetypes.SetValue](typeOf(t), *a.Default))
		}
		return s
	case tftypes.Map:
		s := schema.MapAttribute{
			ElementType: typeOf(t.ElementType),
			Required:    f.required, Optional: f.optional, Computed: f.computed, Sensitive: a.Sensitive,
			MarkdownDescription: doc, DeprecationMessage: a.Deprecated,
			PlanModifiers: modifiers(a, mapplanmodifier.UseStateForUnknown, mapplanmodifier.RequiresReplace),
		}
		if a.Default != nil {
			s.Default = mapdefault.StaticValue(valueOf[basetypes.MapValue](typeOf(t), *a.Default))
		}
		return s
	}
	panic(fmt.Sprintf("lensfw: %q is no collection", a.Name))
}

func nestedAttribute(a lens.Attr) schema.Attribute {
	f, doc := flagsOf(a), a.Documentation()
	as, bs := resourceParts(a.Nested)
	if len(bs) > 0 {
		panic(fmt.Sprintf("lensfw: the attribute %q cannot hold blocks", a.Name))
	}
	object := schema.NestedAttributeObject{Attributes: as}
	t := typeOf(a.Type)
	switch a.Nesting {
	case lens.Single:
		s := schema.SingleNestedAttribute{
			Attributes: as, Required: f.required, Optional: f.optional, Computed: f.computed, Sensitive: a.Sensitive,
			MarkdownDescription: doc, DeprecationMessage: a.Deprecated,
			PlanModifiers: modifiers(a, objectplanmodifier.UseStateForUnknown, objectplanmodifier.RequiresReplace),
		}
		if a.Default != nil {
			s.Default = objectdefault.StaticValue(nestedDefault[basetypes.ObjectValue](s.GetType(), *a.Default))
		}
		return s
	case lens.InList:
		s := schema.ListNestedAttribute{
			NestedObject: object, Required: f.required, Optional: f.optional, Computed: f.computed, Sensitive: a.Sensitive,
			MarkdownDescription: doc, DeprecationMessage: a.Deprecated,
			PlanModifiers: modifiers(a, listplanmodifier.UseStateForUnknown, listplanmodifier.RequiresReplace),
		}
		if a.Default != nil {
			s.Default = listdefault.StaticValue(nestedDefault[basetypes.ListValue](s.GetType(), *a.Default))
		}
		return s
	case lens.InSet:
		s := schema.SetNestedAttribute{
			NestedObject: object, Required: f.required, Optional: f.optional, Computed: f.computed, Sensitive: a.Sensitive,
			MarkdownDescription: doc, DeprecationMessage: a.Deprecated,
			PlanModifiers: modifiers(a, setplanmodifier.UseStateForUnknown, setplanmodifier.RequiresReplace),
		}
		if a.Default != nil {
			s.Default = setdefault.StaticValue(nestedDefault[basetypes.SetValue](s.GetType(), *a.Default))
		}
		return s
	case lens.InMap:
		s := schema.MapNestedAttribute{
			NestedObject: object, Required: f.required, Optional: f.optional, Computed: f.computed, Sensitive: a.Sensitive,
			MarkdownDescription: doc, DeprecationMessage: a.Deprecated,
			PlanModifiers: modifiers(a, mapplanmodifier.UseStateForUnknown, mapplanmodifier.RequiresReplace),
		}
		if a.Default != nil {
			s.Default = mapdefault.StaticValue(nestedDefault[basetypes.MapValue](s.GetType(), *a.Default))
		}
		return s
	}
	panic(fmt.Sprintf("lensfw: %q has the unknown nesting %d (%s)", a.Name, a.Nesting, t))
}

// nestedDefault uses the schema's own type, whose numbers may be narrower than
// those of typeOf.
func nestedDefault[T attr.Value](t attr.Type, v tftypes.Value) T { return valueOf[T](t, v) }
