package lensfw

import (
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/lens"
)

// DataSourceSchema renders attributes as the schema of a data source: keys are
// required, everything else is computed. Settings and what the server does not say
// are left out; [lens.Project] fits a decoded object to what remains. Blocks become
// nested attributes, since nobody writes them.
func DataSourceSchema(attrs []lens.Attr, doc string, keys ...string) schema.Schema {
	as := map[string]schema.Attribute{}
	for _, a := range attrs {
		if !shown(a) && !slices.Contains(keys, a.Name) {
			continue
		}
		as[a.Name] = dataAttribute(a, key(slices.Contains(keys, a.Name)))
	}
	return schema.Schema{MarkdownDescription: doc, Attributes: as}
}

// QuerySchema renders the schema of a data source that asks instead of naming:
// arguments are required or optional as declared, results are computed. With
// loose, results that are not declared computed are optional as well, as the
// schemas of older providers have it.
func QuerySchema(arguments, results []lens.Attr, doc string, loose bool) schema.Schema {
	as := dataAttributes(arguments, argument)
	for name, a := range dataAttributes(results, result(loose)) {
		as[name] = a
	}
	return schema.Schema{MarkdownDescription: doc, Attributes: as}
}

// role says who gives an attribute of a data source its value.
type role func(a lens.Attr) (required, optional, computed bool)

// key is the role of a data source's key, if it is one, or of anything else.
func key(is bool) role {
	return func(lens.Attr) (required, optional, computed bool) { return is, false, !is }
}

func argument(a lens.Attr) (required, optional, computed bool) {
	return a.Mode == lens.Req, a.Mode != lens.Req, false
}

func result(loose bool) role {
	return func(a lens.Attr) (required, optional, computed bool) {
		return false, loose && a.Mode != lens.Computed, true
	}
}

func dataAttributes(attrs []lens.Attr, of role) map[string]schema.Attribute {
	out := make(map[string]schema.Attribute, len(attrs))
	for _, a := range attrs {
		if shown(a) {
			out[a.Name] = dataAttribute(a, of)
		}
	}
	return out
}

// shown reports whether data sources have an attribute: it has to be the server's
// to say.
func shown(a lens.Attr) bool { return !a.Client && !a.WriteOnly && !a.Unread && !a.Unshown }

func dataAttribute(a lens.Attr, of role) schema.Attribute {
	required, optional, computed := of(a)
	read := a
	read.Default = nil
	if computed {
		read.Checks, read.ElemChecks, read.Mode = nil, nil, lens.Computed
	}
	doc := read.Documentation()
	object := schema.NestedAttributeObject{Attributes: dataAttributes(a.Nested, of)}
	switch a.Nesting {
	case lens.Single:
		return schema.SingleNestedAttribute{Attributes: dataAttributes(a.Nested, of), Required: required, Optional: optional, Computed: computed, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case lens.InList:
		return schema.ListNestedAttribute{NestedObject: object, Required: required, Optional: optional, Computed: computed, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case lens.InSet:
		return schema.SetNestedAttribute{NestedObject: object, Required: required, Optional: optional, Computed: computed, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case lens.InMap:
		return schema.MapNestedAttribute{NestedObject: object, Required: required, Optional: optional, Computed: computed, Sensitive: a.Sensitive, MarkdownDescription: doc}
	}
	switch t := a.Type.(type) {
	case tftypes.List:
		return schema.ListAttribute{ElementType: typeOf(t.ElementType), Required: required, Optional: optional, Computed: computed, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case tftypes.Set:
		return schema.SetAttribute{ElementType: typeOf(t.ElementType), Required: required, Optional: optional, Computed: computed, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case tftypes.Map:
		return schema.MapAttribute{ElementType: typeOf(t.ElementType), Required: required, Optional: optional, Computed: computed, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case tftypes.Object:
		return schema.ObjectAttribute{AttributeTypes: typesOf(t), Required: required, Optional: optional, Computed: computed, Sensitive: a.Sensitive, MarkdownDescription: doc}
	}
	switch {
	case a.Type.Is(tftypes.String):
		return schema.StringAttribute{Required: required, Optional: optional, Computed: computed, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case a.Type.Is(tftypes.Bool):
		return schema.BoolAttribute{Required: required, Optional: optional, Computed: computed, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case a.Number == lens.Int64:
		return schema.Int64Attribute{Required: required, Optional: optional, Computed: computed, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case a.Number == lens.Float64:
		return schema.Float64Attribute{Required: required, Optional: optional, Computed: computed, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case a.Type.Is(tftypes.Number):
		return schema.NumberAttribute{Required: required, Optional: optional, Computed: computed, Sensitive: a.Sensitive, MarkdownDescription: doc}
	}
	panic(fmt.Sprintf("lensfw: %q has the unknown type %s", a.Name, a.Type))
}
