// Package provider is Terraform's view of Port: the provider block, one generic
// resource, data source and ephemeral resource driven by declarations, and the
// declarations themselves. How attributes become JSON is internal/lens; how
// requests travel is internal/portapi. It never sees the portal: whoever builds the
// binary hands in a function that opens an embedded one.
package provider

import (
	"context"
	"io"
	"net/http"
	"os"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// OpenEmbedded opens the embedded portal that keeps its data in file and returns
// a transport that reaches it without a socket and without credentials. Closing
// ends it once nothing is in flight.
type OpenEmbedded func(ctx context.Context, file string) (http.RoundTripper, io.Closer, error)

// Options are what a process decides about the provider; the zero value is a
// development build for the hosted service.
type Options struct {
	Version  string
	Embedded OpenEmbedded
	// Getenv reads the environment; nil is os.Getenv.
	Getenv func(string) string
	// Transport carries the requests; nil is the network.
	Transport http.RoundTripper
	// Client may change how the client of the API is made; tests compare ways of
	// reading and shorten waits.
	Client func(*portapi.Options)
	// WithoutShortcuts sends every call through the framework, for tests that
	// compare; see [NewServer].
	WithoutShortcuts bool
}

// New returns the factory of providers that share one set of embedded portals.
func New(version string, embedded OpenEmbedded) func() provider.Provider {
	return newFactory(Options{Version: version, Embedded: embedded}, newPortals(embedded))
}

func newFactory(o Options, portals *portals) func() provider.Provider {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	return func() provider.Provider { return &portProvider{options: o, portals: portals} }
}

var _ provider.ProviderWithEphemeralResources = (*portProvider)(nil)

type portProvider struct {
	options Options
	portals *portals
	// configured tells the protocol-level server which session is in force.
	configured func(*session)
}

func (p *portProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "port"
	resp.Version = p.options.Version
}

func (p *portProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = providerSchema
}

// providerSchema is the block of reference/provider-catalog.md §1 and our own
// on_existing. Every attribute is optional, so that an empty block works.
var providerSchema = schema.Schema{
	MarkdownDescription: "Manages a [Port](https://www.port.io) account as code: blueprints, entities and what builds on them. " +
		"With a `base_url` of `embedded:FILE` everything runs against a portal inside the provider, without an account and without a network.",
	Attributes: map[string]schema.Attribute{
		"client_id": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "Client ID of the credentials to use. Falls back to the environment variable `PORT_CLIENT_ID`.",
		},
		"secret": schema.StringAttribute{
			Optional:            true,
			Sensitive:           true,
			MarkdownDescription: "Client secret of the credentials to use. Falls back to the environment variable `PORT_CLIENT_SECRET`.",
		},
		"token": schema.StringAttribute{
			Optional:            true,
			Sensitive:           true,
			MarkdownDescription: "Access token to use as it is. When set, `client_id` and `secret` are ignored and the token is never renewed.",
		},
		"base_url": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Root of the API, with or without `/v1`. Falls back to the environment variable `PORT_BASE_URL`, then to `" + portapi.DefaultBaseURL + "`. " +
				"`embedded:FILE` opens a portal in the provider's own process that keeps its data in that SQLite file; it needs no credentials.",
		},
		"json_escape_html": schema.BoolAttribute{
			Optional: true,
			MarkdownDescription: "Whether JSON text that comes from the API spells `<`, `>` and `&` as `\\u003c`, `\\u003e` and `\\u0026`, as `jsonencode` does. " +
				"Only text without an earlier spelling is concerned: imports, changes made outside and data sources. Defaults to `true`.",
		},
		"blueprint_property_type_change_protection": schema.BoolAttribute{
			Optional: true,
			MarkdownDescription: "Whether changing the type of a blueprint property is refused. Without the protection the property is removed and added again, " +
				"which loses its value in every entity. Defaults to `true`.",
		},
		"deletion_protection": schema.BoolAttribute{
			Optional:            true,
			MarkdownDescription: "Whether destroying or replacing a `port_blueprint` is refused, unless the blueprint has a `deletion_protection` of its own. Defaults to `false`.",
		},
		"on_existing": schema.StringAttribute{
			Optional:   true,
			Validators: []validator.String{stringvalidator.OneOf(onExistingAdopt, onExistingFail)},
			MarkdownDescription: "What creating an object that already exists does: `adopt` takes it over, replacing its content, and says so in the plan; " +
				"`fail` refuses and prints the import block to use instead. Defaults to `adopt`.",
		},
	},
}

func (p *portProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var c providerConfig
	resp.Diagnostics.Append(req.Config.Get(ctx, &c)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if unknown := c.unknown(); len(unknown) > 0 {
		if req.ClientCapabilities.DeferralAllowed {
			resp.Deferred = &provider.Deferred{Reason: provider.DeferredReasonProviderConfigUnknown}
			return
		}
		for _, name := range unknown {
			resp.Diagnostics.AddAttributeError(path.Root(name), "Provider configuration is not known yet",
				"The value of "+name+" comes from something that is not created yet, so nothing can be planned with it. "+
					"Apply that part first (terraform apply -target=…), or give the value another way.")
		}
		return
	}
	s, diags := p.connect(ctx, c)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.ResourceData = s
	resp.DataSourceData = s
	resp.EphemeralResourceData = s
	if p.configured != nil {
		p.configured(s)
	}
}

func (p *portProvider) Resources(context.Context) []func() resource.Resource {
	out := make([]func() resource.Resource, 0, len(registered))
	for _, k := range registered {
		out = append(out, func() resource.Resource { return &managed{kind: k} })
	}
	return out
}

func (p *portProvider) DataSources(context.Context) []func() datasource.DataSource {
	out := make([]func() datasource.DataSource, 0, len(registered)+len(queries))
	for _, a := range queries {
		out = append(out, func() datasource.DataSource { return &search{asker: a} })
	}
	for _, k := range registered {
		if k.decl.DataDoc == "" {
			continue
		}
		out = append(out, func() datasource.DataSource { return &lookup{kind: k} })
	}
	return out
}

// EphemeralResources implements [provider.ProviderWithEphemeralResources].
func (p *portProvider) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	out := make([]func() ephemeral.EphemeralResource, 0, len(ephemerals))
	for _, o := range ephemerals {
		out = append(out, func() ephemeral.EphemeralResource { return &fleeting{opener: o} })
	}
	return out
}

// providerConfig is the block as written.
type providerConfig struct {
	ClientID       types.String `tfsdk:"client_id"`
	Secret         types.String `tfsdk:"secret"`
	Token          types.String `tfsdk:"token"`
	BaseURL        types.String `tfsdk:"base_url"`
	EscapeHTML     types.Bool   `tfsdk:"json_escape_html"`
	TypeProtection types.Bool   `tfsdk:"blueprint_property_type_change_protection"`
	Protection     types.Bool   `tfsdk:"deletion_protection"`
	OnExisting     types.String `tfsdk:"on_existing"`
}

func (c providerConfig) unknown() []string {
	var out []string
	for _, a := range []struct {
		name    string
		unknown bool
	}{
		{"client_id", c.ClientID.IsUnknown()},
		{"secret", c.Secret.IsUnknown()},
		{"token", c.Token.IsUnknown()},
		{"base_url", c.BaseURL.IsUnknown()},
		{"json_escape_html", c.EscapeHTML.IsUnknown()},
		{"blueprint_property_type_change_protection", c.TypeProtection.IsUnknown()},
		{"deletion_protection", c.Protection.IsUnknown()},
		{"on_existing", c.OnExisting.IsUnknown()},
	} {
		if a.unknown {
			out = append(out, a.name)
		}
	}
	return out
}
