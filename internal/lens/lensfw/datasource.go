package lensfw

import (
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/lens"
)

// DataSourceSchema renders attributes as the schema of a data source: keys are
// required, everything else is computed. Settings and write-only attributes are
// left out; [lens.Project] fits a decoded object to what remains. Blocks become
// nested attributes, since nobody writes them.
func DataSourceSchema(attrs []lens.Attr, doc string, keys ...string) schema.Schema {
	as := map[string]schema.Attribute{}
	for _, a := range attrs {
		if a.Client && !slices.Contains(keys, a.Name) || a.WriteOnly || a.Unread {
			continue
		}
		as[a.Name] = dataAttribute(a, slices.Contains(keys, a.Name))
	}
	return schema.Schema{MarkdownDescription: doc, Attributes: as}
}

func dataAttributes(attrs []lens.Attr) map[string]schema.Attribute {
	out := make(map[string]schema.Attribute, len(attrs))
	for _, a := range attrs {
		if !a.Client && !a.WriteOnly {
			out[a.Name] = dataAttribute(a, false)
		}
	}
	return out
}

func dataAttribute(a lens.Attr, key bool) schema.Attribute {
	read := a
	read.Default = nil
	if !key {
		read.Checks, read.ElemChecks = nil, nil
	}
	doc := read.Documentation()
	object := schema.NestedAttributeObject{Attributes: dataAttributes(a.Nested)}
	switch a.Nesting {
	case lens.Single:
		return schema.SingleNestedAttribute{Attributes: dataAttributes(a.Nested), Required: key, Computed: !key, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case lens.InList:
		return schema.ListNestedAttribute{NestedObject: object, Required: key, Computed: !key, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case lens.InSet:
		return schema.SetNestedAttribute{NestedObject: object, Required: key, Computed: !key, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case lens.InMap:
		return schema.MapNestedAttribute{NestedObject: object, Required: key, Computed: !key, Sensitive: a.Sensitive, MarkdownDescription: doc}
	}
	switch t := a.Type.(type) {
	case tftypes.List:
		return schema.ListAttribute{ElementType: typeOf(t.ElementType), Required: key, Computed: !key, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case tftypes.Set:
		return schema.SetAttribute{ElementType: typeOf(t.ElementType), Required: key, Computed: !key, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case tftypes.Map:
		return schema.MapAttribute{ElementType: typeOf(t.ElementType), Required: key, Computed: !key, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case tftypes.Object:
		return schema.ObjectAttribute{AttributeTypes: typesOf(t), Required: key, Computed: !key, Sensitive: a.Sensitive, MarkdownDescription: doc}
	}
	switch {
	case a.Type.Is(tftypes.String):
		return schema.StringAttribute{Required: key, Computed: !key, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case a.Type.Is(tftypes.Bool):
		return schema.BoolAttribute{Required: key, Computed: !key, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case a.Number == lens.Int64:
		return schema.Int64Attribute{Required: key, Computed: !key, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case a.Number == lens.Float64:
		return schema.Float64Attribute{Required: key, Computed: !key, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case a.Type.Is(tftypes.Number):
		return schema.NumberAttribute{Required: key, Computed: !key, Sensitive: a.Sensitive, MarkdownDescription: doc}
	}
	panic(fmt.Sprintf("lensfw: %q has the unknown type %s", a.Name, a.Type))
}
