package provider

import (
	"context"
	"errors"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// credentialsEphemeral is port_service_account_credentials.
//
// Terraform opens an ephemeral resource in the plan and once more in the apply,
// also when nothing changes, and tells the provider neither which of the two it is
// nor what was before. Only the configuration can know, so rotate is an argument.
// What was not rotated is unknown instead of null: a plan takes it for known after
// apply, and an apply that would store credentials nobody made fails instead of
// emptying the secret store.
func credentialsEphemeral() *Ephemeral {
	return &Ephemeral{
		Name: "service_account_credentials", Verb: "rotate",
		Doc: "**Opening this rotates the credentials of a service account: the old pair, and the tokens got with it, end at once.** " +
			"Terraform opens ephemeral resources in every plan and again in every apply, whether anything changes or not, so that without `rotate` a plan alone already ends the pair in use. " +
			"Give `rotate` the condition of the example, which holds in the one apply that is to rotate.\n\n" +
			"The new pair is in no plan and no state: hand it to the write-only attribute of a secret store. " +
			"To keep it in the state instead, use `rotation` of `port_service_account`. Needs Terraform 1.10 or later.",
		Args: []lens.Part{
			lens.Field("identifier", lens.String, lens.Req,
				"Name of the account: what stands before `"+serviceAccountDomain+"` in its e-mail address, or the whole address.").Check(serviceAccountCheck()),
			lens.Field("rotate", lens.Bool, lens.Opt, "Whether to rotate. With `false` nothing is done, and `client_id` and `client_secret` are not known: "+
				"what would write them in such a run fails with `configuration still contains unknown values during apply` rather than write nothing. "+
				"`terraform.applying` leaves plans alone and rotates in every apply. Left out, every plan and every apply rotates."),
		},
		Results: []lens.Part{
			lens.ReadOnly("client_id", lens.String, "Client ID.").Sensitive(),
			lens.ReadOnly("client_secret", lens.String, "New client secret.").Sensitive(),
		},
		Check: rotateCheck, Open: openCredentials,
	}
}

func rotateCheck(args lens.Obj) diag.Diagnostics {
	var diags diag.Diagnostics
	if args["rotate"].IsNull() {
		addAt(&diags, diag.SeverityWarning, tftypes.NewAttributePath().WithAttributeName("rotate"), "Plans rotate the credentials too",
			"Without rotate, each plan ends the credentials that are in use, and so does each apply. "+
				"Set rotate = terraform.applying to rotate in every apply, or a condition such as the one in the example of the documentation to rotate in the applies that are meant to; "+
				"if every plan is to rotate, set it to true.")
	}
	return diags
}

func openCredentials(ctx context.Context, o *opening) (jsonv.Object, error) {
	name, _ := text(o.args["identifier"])
	email := serviceAccountAddress(name)
	o.key = []string{email}
	if !o.args["rotate"].IsNull() && !lens.AsBool(o.args["rotate"]) {
		o.withheld = true
		return jsonv.Object{}, nil
	}
	own, err := o.ownEmail(ctx)
	if err != nil {
		return nil, err
	}
	if strings.EqualFold(own, email) {
		return nil, errors.New("these are the credentials that the provider works with, and the rest of the run needs them: " +
			"use a provider block with other credentials")
	}
	credentials, err := o.rotateCredentials(ctx, email)
	switch {
	case portapi.IsNotFound(err):
		return nil, &advised{"There is no such service account: check identifier, and the account that the provider works with. " +
			"One that this configuration makes has to be there first: refer to it, with identifier = port_service_account.<name>.email.", err}
	case portapi.HasCode(err, "insufficient_scope"):
		return nil, &advised{"Only administrators and the credentials of the organization may rotate the credentials of others: " +
			"use the provider with credentials of one.", err}
	}
	return credentials, err
}
