package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// accessTokenEphemeral is port_access_token, reference/identity.md §1.1.
func accessTokenEphemeral() *Ephemeral {
	return &Ephemeral{
		Name: "access_token", Verb: "get",
		Doc: "Access token for the API of Port, which neither plan nor state holds: for other providers, provisioners and write-only attributes. " +
			"It is got anew in each plan and each apply.\n\n" +
			"Without `client_id` it is for what the provider itself works with: its credentials, or the very `token` it was configured with. " +
			"With an embedded portal, which asks for no credentials, it is for the first credentials of the portal's organization.\n\n" +
			"Port hands out the same token as long as it lives, three hours at most; it ends early when its credentials are rotated or deleted, or their user is disabled. Needs Terraform 1.10 or later.",
		Args: []lens.Part{
			lens.Field("client_id", lens.String, lens.Opt, "Client ID of the credentials to exchange, with `client_secret`.").Check(notEmpty()),
			lens.Field("client_secret", lens.String, lens.Opt, "Client secret of the credentials to exchange, with `client_id`.").Check(notEmpty()).Sensitive(),
		},
		Results: []lens.Part{
			lens.ReadOnly("token", lens.String, "Access token. Requests send it in the header `Authorization: Bearer TOKEN`.").Sensitive(),
			lens.ReadOnly("token_type", lens.String, "Word before the token in the header, `Bearer`."),
			lens.ReadOnly("expires_at", lens.String, "Time the token ends, in RFC 3339; null when it cannot be told."),
			lens.ReadOnly("expires_in", lens.Int, "Seconds until then; null when it cannot be told."),
		},
		Check: pairCheck, Open: openAccessToken,
	}
}

// pairCheck wants both halves of credentials or none.
func pairCheck(args lens.Obj) diag.Diagnostics {
	var diags diag.Diagnostics
	for given, missing := range map[string]string{"client_id": "client_secret", "client_secret": "client_id"} {
		if !args[given].IsNull() && args[missing].IsNull() {
			addAt(&diags, diag.SeverityError, tftypes.NewAttributePath().WithAttributeName(given), "Missing "+missing,
				fmt.Sprintf("Credentials are a pair: set %s too, or leave %s out for the credentials of the provider.", missing, given))
		}
	}
	return diags
}

func openAccessToken(ctx context.Context, o *opening) (jsonv.Object, error) {
	token, err := o.token(ctx)
	if err != nil {
		return nil, err
	}
	document := jsonv.Object{"token": token.Text, "tokenType": token.Type}
	if !token.Expires.IsZero() {
		document["expiresAt"] = token.Expires.UTC().Format(time.RFC3339)
		document["expiresIn"] = jsonv.Int(int64(token.Life / time.Second))
	}
	return document, nil
}

func (o *opening) token(ctx context.Context) (portapi.AccessToken, error) {
	id, given := text(o.args["client_id"])
	if given {
		secret, _ := text(o.args["client_secret"])
		token, err := o.api.Login(ctx, id, secret)
		if portapi.HasCode(err, "invalid_credentials") {
			err = &advised{fmt.Sprintf("Port did not accept the credentials with the client ID %s: check client_id and client_secret of the ephemeral resource, "+
				"that they were not rotated, that their user is Active, and that they belong to the account that the provider works with.", id), err}
		}
		return token, err
	}
	token, own, err := o.api.OwnToken(ctx)
	if own || err != nil {
		return token, err
	}
	app, err := o.firstApp(ctx)
	if err != nil {
		return token, err
	}
	if app == nil {
		return token, errors.New("the embedded portal has no credentials to make a token for: " +
			"make some with the resource port_app, or give client_id and client_secret")
	}
	return o.api.Login(ctx, jsonv.String(app, "id"), jsonv.String(app, "secret"))
}

// firstApp is the first usable set of the organization's credentials, nil when
// there is none.
func (s *session) firstApp(ctx context.Context) (jsonv.Object, error) {
	apps, err := listApps(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, a := range apps {
		if app, ok := a.(jsonv.Object); ok && jsonv.Bool(app, "enabled") && jsonv.String(app, "secret") != "" {
			return app, nil
		}
	}
	return nil, nil //nolint:nilnil // none is an answer
}
