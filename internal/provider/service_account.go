package provider

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

const typeServiceAccount = "Service Account"

// serviceAccountID is the whole address.
func serviceAccountID(key []string) string { return serviceAccountAddress(key[0]) }

func serviceAccountAddress(s string) string {
	s = strings.ToLower(s)
	if !strings.Contains(s, "@") {
		s += serviceAccountDomain
	}
	return s
}

// serviceAccountDeclaration is port_service_account, reference/identity.md §5.
func serviceAccountDeclaration() *Declaration {
	return &Declaration{
		Name: "service_account",
		Doc: "Service account: a user for programs, with a role, teams and permissions of its own, and credentials for access tokens. " +
			"Port shows the credentials once, when the account is made, and then keeps no readable copy: the state holds them unless `store_credentials` is `false`. " +
			"Those of an account that was imported or taken over are not known; another `rotation` makes new ones. " +
			"An account is always made active; set `status` to `Disabled` in a later apply. Destroying it ends its credentials and tokens.",
		Key:      []string{"identifier"},
		ID:       serviceAccountID,
		ImportID: "<identifier>",
		API: API{
			Read: readAccount(serviceAccountID), Peek: peekAccount(serviceAccountID), Create: createServiceAccount, Update: updateServiceAccount, Delete: deleteAccount,
			Decode: decodeAccount, Plan: planServiceAccount, Foresee: foreseeServiceAccount, Sift: siftAccount, Relocate: relocateAccount,
			Amend: amendServiceAccount, Anew: serviceAccountAnew, SplitID: splitServiceAccountID, Destroy: destroyAccount,
		},
		Parts: []lens.Part{
			lens.Field("identifier", lens.Folded(serviceAccountAddress, func(s string) string { return strings.TrimSuffix(s, serviceAccountDomain) }), lens.Req,
				"Name of the account: what stands before `"+serviceAccountDomain+"` in its e-mail address, or the whole address. Changing it makes the account anew.").
				Check(serviceAccountCheck()).Replace(),
			lens.Field("title", lens.String, lens.OptComputed, "Title shown to people. Left out, it is left alone.").Check(notEmpty()),
			accountRights(),
			lens.Field("status", foldedEnum(statusActive, statusDisabled), lens.OptComputed,
				"Status, in any letter case. A `Disabled` account gets no tokens and those it has end at once; made `Active` again, its credentials work as before. "+
					"Left out, the account is made active and its status is left alone afterwards."),
			accountContent("account"),
			lens.Setting("rotation", lens.String, lens.Opt, "Any text, such as a date: another one makes new credentials. The old ones and the tokens got with them end at once.").Trigger(),
			lens.Setting("store_credentials", lens.Bool, lens.Opt, "Whether the state holds `client_id` and `client_secret`. If not, they are not known to anybody until the ephemeral resource `port_service_account_credentials` rotates them.").
				Default(true).Trigger(),
			lens.ReadOnly("client_id", lens.String, "Client ID; null with `store_credentials = false` and after an import.").Sensitive().Keep().Unread(),
			lens.ReadOnly("client_secret", lens.String, "Client secret; null with `store_credentials = false` and after an import.").Sensitive().Keep().Unread(),
			lens.Derived("email", "E-mail address of the account, which permissions name it by.", func(b lens.Body) (string, bool) {
				s, ok := b["identifier"].(string)
				return s, ok
			}),
			lens.Audit(),
		},
	}
}

// serviceAccountCheck wants a name that gives an address of the one domain service
// accounts have (A2).
func serviceAccountCheck() lens.Check {
	entity := identifierCheck("=", 1000)
	return lens.Test("Invalid name of a service account", "", func(v tftypes.Value) string {
		s := lens.AsText(v)
		if address := serviceAccountAddress(s); !ofServiceAccount.MatchString(address) {
			return fmt.Sprintf("want what stands before %s in the address, or the whole address; got %q", serviceAccountDomain, s)
		}
		return entity.Test(v)
	})
}

func splitServiceAccountID(_ context.Context, _ *session, id string) ([]string, error) {
	if !ofServiceAccount.MatchString(serviceAccountAddress(id)) {
		return nil, fmt.Errorf("want what stands before %s in the address, or the whole address; got %q", serviceAccountDomain, id)
	}
	return []string{strings.TrimSuffix(strings.ToLower(id), serviceAccountDomain)}, nil
}

func createServiceAccount(ctx context.Context, c *change) (jsonv.Object, error) {
	// A3: it has to be Active at first.
	account, answer, err := c.makeAccount(ctx, c.body, jsonv.Object{"port_type": typeServiceAccount, "status": statusActive})
	if err != nil {
		return nil, err
	}
	if answer == nil {
		c.warn("The credentials of "+c.kind.decl.id(c.key)+" are not known",
			"Port shows them only when it makes the account. To get some, set rotation to another text: the old ones end then.")
		return account, nil
	}
	return credentialed(account, jsonv.Map(answer, "additionalData", "credentials"), c.plan), nil
}

// updateServiceAccount rotates last: new credentials that a later failure loses
// are worse than an old title.
func updateServiceAccount(ctx context.Context, c *change) (jsonv.Object, error) {
	was, now := lens.AsObj(c.prior), lens.AsObj(c.plan)
	account, err := c.updateAccount(ctx, c.body)
	if err != nil {
		return nil, err
	}
	if !rotates(was, now) {
		if stores := lens.AsBool(now["store_credentials"]); stores && !lens.AsBool(was["store_credentials"]) {
			c.warn("The credentials of "+c.kind.decl.id(c.key)+" are not known", "The state begins to hold them with the next rotation: set rotation to another text.")
		}
		return account, nil
	}
	credentials, err := c.rotateCredentials(ctx, c.kind.decl.id(c.key))
	if err != nil {
		return nil, err
	}
	return credentialed(account, credentials, c.plan), nil
}

// rotateCredentials makes new credentials of a user (reference/identity.md §1.7).
func (s *session) rotateCredentials(ctx context.Context, email string) (jsonv.Object, error) {
	answer, err := s.api.Call(ctx, portapi.Op{Method: http.MethodPost, Path: []string{"rotate-credentials", email}, Repeat: portapi.RepeatNever})
	if err != nil {
		return nil, err
	}
	credentials := jsonv.Map(answer, "credentials")
	if credentials == nil {
		credentials = answer
	}
	if jsonv.String(credentials, "clientSecret") == "" {
		return nil, fmt.Errorf("the credentials were rotated, but the answer holds no new ones: rotate once more")
	}
	return credentials, nil
}

// credentialed is the document with credentials, unless the state is not to hold
// them.
func credentialed(account, credentials jsonv.Object, state tftypes.Value) jsonv.Object {
	if !lens.AsBool(lens.AsObj(state)["store_credentials"]) {
		return account
	}
	out := jsonv.CloneObject(account)
	for _, key := range []string{"clientId", "clientSecret"} {
		if s := jsonv.String(credentials, key); s != "" {
			out[key] = s
		}
	}
	return out
}

// serviceAccountAnew names what an update gives a new value besides what always
// changes.
func serviceAccountAnew(was, now lens.Obj) []string {
	if withholds(now) {
		return nil
	}
	if rotates(was, now) || !was["store_credentials"].Equal(now["store_credentials"]) {
		return []string{"client_id", "client_secret"}
	}
	return nil
}

// amendServiceAccount plans the address, which permissions elsewhere are made of,
// and no credentials for a state that is not to hold them.
func amendServiceAccount(_, _, planned tftypes.Value) tftypes.Value {
	planned = withheld(planned, "client_id", "client_secret")
	if name, known := text(lens.AsObj(planned)["identifier"]); known {
		return with(planned, lens.Obj{"email": lens.Str(serviceAccountAddress(name))})
	}
	return planned
}

func planServiceAccount(ctx context.Context, c *change) diag.Diagnostics {
	diags := planAccount(ctx, c)
	if status, _ := text(lens.AsObj(c.plan)["status"]); c.prior.IsNull() && strings.EqualFold(status, statusDisabled) {
		addAt(&diags, diag.SeverityError, tftypes.NewAttributePath().WithAttributeName("status"), "A service account cannot be made disabled",
			"Port makes service accounts active: leave status out or set it to Active, apply, and set it to Disabled then.")
	}
	return diags
}

func foreseeServiceAccount(s *session, key []string) diag.Diagnostics {
	s.keepsTeams(serviceAccountID(key))
	return s.contestedUser(serviceAccountID(key))
}
