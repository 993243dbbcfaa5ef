package provider

import (
	"context"
	"net/http"
	"regexp"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// port_organization_secret, reference/provider-catalog.md §13.

// secretName is how Port takes names of secrets.
var secretName = regexp.MustCompile(`^[A-Za-z0-9_-]*$`)

func organizationSecretDeclaration() *Declaration {
	return &Declaration{
		Name: "organization_secret",
		Doc: "Secret of the organization, for the invocations of actions and automations: `{{ .secrets.NAME }}`. Port never gives the value back, " +
			"so a value that was changed outside of Terraform goes unnoticed, and an import does not know it. " +
			"With `secret_value_wo` it is in no plan and no state either.",
		Key: []string{"secret_name"},
		API: API{Read: readSecret, Create: createSecret, Update: updateSecret, Delete: deleteSecret, Peek: peekSecret, Check: checkSecret},
		Parts: []lens.Part{
			lens.Field("secret_name", lens.String, lens.Req, "Name of the secret: up to 100 letters of the Latin alphabet, digits, `-` and `_`. Changing it makes the secret anew.").
				Check(lens.Length(1, 100), lens.Test("Invalid name", "", func(v tftypes.Value) string {
					if secretName.MatchString(lens.AsText(v)) {
						return ""
					}
					return "it may hold only letters of the Latin alphabet, digits, - and _"
				})).Replace(),
			lens.Field("secret_value", lens.String, lens.Opt, "Value of the secret, which the state then holds. Either this or `secret_value_wo`.").Sensitive().Unread(),
			lens.WriteOnly("secret_value_wo", "Value of the secret, which is in no plan and no state. It needs Terraform 1.11. "+
				"It is sent when the secret is made and whenever `secret_value_wo_version` changes.").At("secretValue").Beside(),
			lens.Field("description", lens.String, lens.Opt, "Description of the secret, up to 200 characters.").Check(lens.Length(0, 200)).OmitEmpty(),
			lens.AtMostOne("secret_value", "secret_value_wo"),
		},
	}
}

func readSecret(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
	return callSecret(ctx, s, portapi.Op{Method: http.MethodGet, Path: []string{"organization", "secrets", key[0]}})
}

func callSecret(ctx context.Context, s *session, op portapi.Op) (jsonv.Object, error) {
	answer, err := s.api.Call(ctx, op)
	if err != nil {
		return nil, err
	}
	return envelope(answer, "secret")
}

func peekSecret(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
	found, err := readSecret(ctx, s, key)
	if portapi.IsNotFound(err) {
		return nil, nil
	}
	return found, err
}

func createSecret(ctx context.Context, c *change) (jsonv.Object, error) {
	secret, err := callSecret(ctx, c.session, portapi.Op{Method: http.MethodPost, Path: []string{"organization", "secrets"}, Body: c.body})
	switch {
	case !portapi.IsConflict(err):
		return secret, err
	case !c.adopt:
		return nil, c.kind.errExists(c.key)
	}
	c.warn(c.kind.existsSummary(c.key), "It was taken over and its content replaced.")
	return patchSecret(ctx, c, true)
}

// updateSecret sends a write-only value only when its version says so: it may be
// another one in each run.
func updateSecret(ctx context.Context, c *change) (jsonv.Object, error) {
	was, now := lens.AsObj(c.prior), lens.AsObj(c.plan)
	kept := now["secret_value"].IsNull() && was["secret_value"].IsNull() &&
		was["secret_value_wo_version"].Equal(now["secret_value_wo_version"])
	return patchSecret(ctx, c, !kept)
}

func patchSecret(ctx context.Context, c *change, withValue bool) (jsonv.Object, error) {
	body := jsonv.Object{"description": jsonv.String(c.body, "description")} // "" clears it
	if value, ok := c.body["secretValue"]; ok && withValue {
		body["secretValue"] = value
	}
	return callSecret(ctx, c.session, portapi.Op{
		Method: http.MethodPatch, Path: []string{"organization", "secrets", c.key[0]}, Body: body, Repeat: portapi.RepeatSafe,
	})
}

func deleteSecret(ctx context.Context, c *change) error {
	_, err := c.api.Call(ctx, portapi.Op{Method: http.MethodDelete, Path: []string{"organization", "secrets", c.was[0]}})
	return err
}

// checkSecret wants a value in one of the two ways. It is no condition of the codec
// since a state has neither after an import, or with the write-only one.
func checkSecret(config tftypes.Value) []lens.Problem {
	secret := lens.AsObj(config)
	if !lens.Nothing(secret["secret_value"]) || !lens.Nothing(secret["secret_value_wo"]) {
		return nil
	}
	return []lens.Problem{{
		Path: tftypes.NewAttributePath().WithAttributeName("secret_value"), Summary: "Missing value",
		Detail: "A secret needs a value: set either secret_value or secret_value_wo.",
	}}
}
