package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	ephemeralschema "github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/lens/lensfw"
)

// Ephemeral is all there is to say about an ephemeral resource, whose results are
// in no plan and in no state. Terraform opens it in each plan and again in each
// apply.
type Ephemeral struct {
	// Name is the type name without the provider's prefix: "access_token".
	Name, Doc string
	// Verb is what opening it does to it, as messages say it: "get".
	Verb string
	// Args are what a configuration gives, Results what opening brings.
	Args, Results []lens.Part
	// Check finds what is wrong between arguments, some of which may be unknown;
	// optional.
	Check func(args lens.Obj) diag.Diagnostics
	// Open brings the document that the results are decoded from.
	Open func(ctx context.Context, o *opening) (jsonv.Object, error)
}

// opening is one ephemeral resource being opened.
type opening struct {
	*session
	args lens.Obj
	// key names the object in messages.
	key []string
	// withheld says that the results are not known.
	withheld bool
}

// opener is an ephemeral resource compiled once.
type opener struct {
	decl          *Ephemeral
	args, results *lens.Codec
	schema        ephemeralschema.Schema
	typ           tftypes.Object
}

var ephemerals = []*opener{compileEphemeral(accessTokenEphemeral()), compileEphemeral(credentialsEphemeral())}

// compileEphemeral panics on a broken declaration, as [compile] does.
func compileEphemeral(e *Ephemeral) *opener {
	o := &opener{decl: e, args: lens.MustCompile(e.Args...), results: lens.MustCompile(e.Results...)}
	o.schema = lensfw.EphemeralSchema(o.args.Attrs(), o.results.Attrs(), e.Doc)
	typ, ok := o.schema.Type().TerraformType(context.Background()).(tftypes.Object)
	if !ok {
		panic("provider: the schema of ephemeral resource " + o.typeName() + " is no object")
	}
	o.typ = typ
	return o
}

func (o *opener) typeName() string { return "port_" + o.decl.Name }

// open answers a configuration, whose values Terraform has made sure are known.
func (o *opener) open(ctx context.Context, s *session, config tftypes.Value) (tftypes.Value, diag.Diagnostics) {
	at := &opening{session: s, args: lens.AsObj(config)}
	results, err := o.ask(ctx, at)
	if err != nil {
		failed := &kind{decl: &Declaration{Name: o.decl.Name}, codec: o.args}
		return lens.Null(o.typ), failed.failure(o.decl.Verb, at.key, err, config)
	}
	out := lens.Obj{}
	for name, t := range o.typ.AttributeTypes {
		switch v, computed := results[name]; {
		case !computed:
			out[name] = at.args[name]
		case at.withheld:
			out[name] = tftypes.NewValue(t, tftypes.UnknownValue)
		default:
			out[name] = v
		}
	}
	return tftypes.NewValue(o.typ, out), nil
}

func (o *opener) ask(ctx context.Context, at *opening) (lens.Obj, error) {
	document, err := o.decl.Open(ctx, at)
	if err != nil {
		return nil, err
	}
	v, err := o.results.Get(document, lens.Null(o.results.Type()))
	return lens.AsObj(v), err
}

func (o *opener) validate(config tftypes.Value) diag.Diagnostics {
	diags := problems(o.args.Problems(config))
	if o.decl.Check != nil {
		diags.Append(o.decl.Check(lens.AsObj(config))...)
	}
	return diags
}

// fleeting is the ephemeral resource of every declaration.
type fleeting struct {
	opener  *opener
	session *session
}

var (
	_ ephemeral.EphemeralResourceWithConfigure      = (*fleeting)(nil)
	_ ephemeral.EphemeralResourceWithValidateConfig = (*fleeting)(nil)
)

func (f *fleeting) Metadata(_ context.Context, _ ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = f.opener.typeName()
}

func (f *fleeting) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = f.opener.schema
}

func (f *fleeting) Configure(_ context.Context, req ephemeral.ConfigureRequest, _ *ephemeral.ConfigureResponse) {
	if s, ok := req.ProviderData.(*session); ok {
		f.session = s
	}
}

func (f *fleeting) ValidateConfig(_ context.Context, req ephemeral.ValidateConfigRequest, resp *ephemeral.ValidateConfigResponse) {
	resp.Diagnostics.Append(f.opener.validate(req.Config.Raw)...)
}

func (f *fleeting) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	results, diags := f.opener.open(ctx, f.session, req.Config.Raw)
	resp.Diagnostics.Append(diags...)
	if !diags.HasError() {
		resp.Result.Raw = results
	}
}
