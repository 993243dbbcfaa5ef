package lensfw

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/lens"
)

// EphemeralSchema renders the schema of an ephemeral resource: arguments are
// required or optional as declared, results are computed. What such a resource
// hands over is a few plain values, so there is nothing nested.
func EphemeralSchema(arguments, results []lens.Attr, doc string) schema.Schema {
	as := make(map[string]schema.Attribute, len(arguments)+len(results))
	for _, a := range arguments {
		as[a.Name] = ephemeralAttribute(a, argument)
	}
	for _, a := range results {
		as[a.Name] = ephemeralAttribute(a, result(false))
	}
	return schema.Schema{MarkdownDescription: doc, Attributes: as}
}

func ephemeralAttribute(a lens.Attr, of role) schema.Attribute {
	required, optional, computed := of(a)
	doc := a.Documentation()
	switch {
	case a.Type.Is(tftypes.String):
		return schema.StringAttribute{Required: required, Optional: optional, Computed: computed, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case a.Type.Is(tftypes.Bool):
		return schema.BoolAttribute{Required: required, Optional: optional, Computed: computed, Sensitive: a.Sensitive, MarkdownDescription: doc}
	case a.Number == lens.Int64:
		return schema.Int64Attribute{Required: required, Optional: optional, Computed: computed, Sensitive: a.Sensitive, MarkdownDescription: doc}
	}
	panic(fmt.Sprintf("lensfw: %q of an ephemeral resource has the type %s, which none had before", a.Name, a.Type))
}
