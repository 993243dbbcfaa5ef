package provider

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/datasource"

	"github.com/portlens/terraform-provider-port/internal/lens"
)

// lookup is the data source of every declaration: the object that a key finds, or
// the only one there is, with every other attribute computed.
type lookup struct {
	kind    *kind
	session *session
}

var _ datasource.DataSourceWithConfigure = (*lookup)(nil)

func (d *lookup) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = d.kind.decl.typeName()
}

func (d *lookup) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = d.kind.dataSchema
}

func (d *lookup) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	if s, ok := req.ProviderData.(*session); ok {
		d.session = s
	}
}

func (d *lookup) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	key, ok := d.kind.key(req.Config.Raw)
	if !ok && !d.kind.decl.Singleton {
		resp.Diagnostics.AddError("Could not read "+d.kind.decl.noun(), "Want a value for each of its key attributes, got an empty one.")
		return
	}
	state, diags := d.kind.show(ctx, d.session, key)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if state.IsNull() {
		resp.Diagnostics.AddError(strings.TrimSpace("Could not find "+d.kind.decl.noun()+" "+joinID(key)),
			"Port has no "+d.kind.decl.noun()+" with this key; check its spelling and the account the provider uses.")
		return
	}
	narrow, err := lens.Project(state, d.kind.dataType)
	if err != nil {
		resp.Diagnostics.Append(d.kind.failure("read", key, err, d.kind.null)...)
		return
	}
	resp.State.Raw = narrow
}
