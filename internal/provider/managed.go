package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// managed is the resource of every declaration: it hands raw values to its kind
// and has no rule of its own.
type managed struct {
	kind    *kind
	session *session
}

var (
	_ resource.ResourceWithConfigure      = (*managed)(nil)
	_ resource.ResourceWithModifyPlan     = (*managed)(nil)
	_ resource.ResourceWithImportState    = (*managed)(nil)
	_ resource.ResourceWithIdentity       = (*managed)(nil)
	_ resource.ResourceWithValidateConfig = (*managed)(nil)
)

func (r *managed) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = r.kind.decl.typeName()
	resp.ResourceBehavior.MutableIdentity = true // renaming is an update in place
}

func (r *managed) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = r.kind.resourceSchema
}

func (r *managed) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = r.kind.identitySchema
}

func (r *managed) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if s, ok := req.ProviderData.(*session); ok {
		r.session = s
	}
}

func (r *managed) ValidateConfig(_ context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	resp.Diagnostics.Append(r.kind.validate(req.Config.Raw)...)
}

func (r *managed) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	planned, diags := r.kind.plan(ctx, r.session, req.Config.Raw, req.State.Raw, req.Plan.Raw)
	resp.Diagnostics.Append(diags...)
	resp.Plan.Raw = planned
	r.kind.identifyAs(resp.Identity, planned)
	resp.RequiresReplace = append(resp.RequiresReplace, r.kind.replaces(r.session, req.State.Raw, planned)...)
	if r.kind.decl.API.Succeed == nil {
		return
	}
	// Also cleared, so that a later deletion is not taken for one of two halves.
	successor, err := r.kind.succeed(req.State.Raw, planned)
	if err != nil {
		resp.Diagnostics.AddError("Could not plan "+r.kind.decl.noun(), err.Error())
	}
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, successorKey, successor)...)
}

func (r *managed) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	state, diags := r.kind.create(ctx, r.session, req.Config.Raw, req.Plan.Raw)
	resp.Diagnostics.Append(diags...)
	resp.State.Raw = state
	r.kind.identifyAs(resp.Identity, state)
}

func (r *managed) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	state, diags := r.kind.refresh(ctx, r.session, req.State.Raw)
	resp.Diagnostics.Append(diags...)
	resp.State.Raw = state
	// The framework wants an identity even for what is gone.
	r.kind.identifyAs(resp.Identity, req.State.Raw)
	r.kind.identifyAs(resp.Identity, state)
}

func (r *managed) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	state, diags := r.kind.update(ctx, r.session, req.Config.Raw, req.Plan.Raw, req.State.Raw)
	resp.Diagnostics.Append(diags...)
	resp.State.Raw = state
	r.kind.identifyAs(resp.Identity, state)
}

func (r *managed) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	successor, diags := req.Private.GetKey(ctx, successorKey)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(r.kind.delete(ctx, r.session, req.State.Raw, successor)...)
}

func (r *managed) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	var state tftypes.Value
	var diags diag.Diagnostics
	if req.ID == "" && req.Identity != nil && r.kind.says(req.Identity.Raw) {
		state, diags = r.kind.importIdentity(req.Identity.Raw)
	} else {
		state, diags = r.kind.importState(ctx, r.session, req.ID)
	}
	resp.Diagnostics.Append(diags...)
	resp.State.Raw = state
	r.kind.identifyAs(resp.Identity, state)
}

// identifyAs fills an identity from a state; clients older than Terraform 1.12
// have none.
func (k *kind) identifyAs(identity *tfsdk.ResourceIdentity, state tftypes.Value) {
	if identity == nil {
		return
	}
	if key, ok := k.key(state); ok {
		identity.Raw = k.identity(key)
	}
}
