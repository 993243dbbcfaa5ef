package provider

import (
	"context"
	"errors"
	"maps"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// userID is the address as Port keeps it.
func userID(key []string) string { return strings.ToLower(key[0]) }

// userDeclaration is port_user, reference/identity.md §2 and §4.
func userDeclaration() *Declaration {
	return &Declaration{
		Name: "user",
		Doc: "User of the organization, by e-mail address, with the entity of the blueprint `_user` that belongs to them. " +
			"Creating a user who exists takes them over; destroying removes them from the organization, with their credentials and permissions. " +
			"What the configuration leaves out is left alone, except `role` and `moderated_blueprints`; what it no longer says is taken away.",
		DataDoc: "User or service account of the organization, found by e-mail address.",
		Key:     []string{"email"},
		ID:      userID,
		API: API{
			Read: readAccount(userID), Show: showAccount(userID), Peek: peekAccount(userID), Create: createUser, Update: updateUser, Delete: deleteAccount,
			SplitID: splitUserID, Decode: decodeAccount, Plan: planAccount, Foresee: foreseeUser, Sift: siftAccount, Relocate: relocateAccount,
			Amend: amendUser, Anew: userAnew, Destroy: destroyAccount,
		},
		Parts: []lens.Part{
			lens.Field("email", email, lens.Req, "E-mail address, in any letter case. Changing it removes the user and makes another.").At("identifier").Check(emailCheck()).Replace(),
			lens.Field("name", lens.String, lens.OptComputed, "First and last name. Left out, it is left alone: the address at first, later what the user or the identity provider says.").
				At("title").Check(notEmpty()),
			accountRights(),
			lens.Field("status", foldedEnum(statusActive, statusInvited, statusStaged, statusDisabled), lens.OptComputed,
				"Status, in any letter case. `Active` users may use Port and `Disabled` ones may not; `Invited` mails an invitation; `Staged` users become active when they first log in. "+
					"`Invited` and `Staged` are satisfied once the user is active. Left out, a new user gets the organization's default and no mail, and a status is left alone."),
			lens.Setting("invite", lens.Bool, lens.Opt, "Whether an invitation is mailed: when the user is made, and to one who was never active when this becomes `true`.").Trigger(),
			lens.Rule(checkInvitation),
			accountContent("user"),
			lens.ReadOnly("type", lens.String, "Type of the account: `Standard` or `Service Account`.").Keep(),
			lens.Audit(),
		},
	}
}

func checkInvitation(at lens.Path, from lens.Obj) []lens.Problem {
	status, known := text(from["status"])
	if invite := from["invite"]; !known || !lens.Known(invite) || strings.EqualFold(status, statusInvited) == lens.AsBool(invite) {
		return nil
	} else if !lens.AsBool(invite) {
		return []lens.Problem{at.Name("invite").Finding("Invalid Attribute Combination", "The status Invited is what an invitation gives: leave `invite` out or set it to true, or leave `status` out.")}
	}
	return []lens.Problem{at.Name("invite").Finding("Invalid Attribute Combination", "An invited user has the status Invited: leave `status` out, or `invite`.")}
}

// invites reports whether a change sends an invitation.
func invites(was, now lens.Obj) bool {
	status, _ := text(was["status"])
	return lens.AsBool(now["invite"]) && !lens.AsBool(was["invite"]) && status != statusActive && status != statusInvited
}

func createUser(ctx context.Context, c *change) (jsonv.Object, error) {
	user, _, err := c.makeAccount(ctx, c.invited(), nil)
	return user, err
}

func updateUser(ctx context.Context, c *change) (jsonv.Object, error) {
	return c.updateAccount(ctx, c.invited())
}

// invited is the document to bring about, with the status that an invitation gives.
func (c *change) invited() jsonv.Object {
	if !invites(lens.AsObj(c.prior), lens.AsObj(c.plan)) {
		return c.body
	}
	out := maps.Clone(c.body)
	out["status"] = statusInvited
	return out
}

// userAnew names what an update gives a new value: an invitation another status.
func userAnew(was, now lens.Obj) []string {
	if invites(was, now) {
		return []string{"status"}
	}
	return nil
}

// amendUser takes an active user for one whose invitation was accepted: there is
// no way back, so that the difference could never be applied.
func amendUser(_, prior, planned tftypes.Value) tftypes.Value {
	was, _ := text(lens.AsObj(prior)["status"])
	wanted, _ := text(lens.AsObj(planned)["status"])
	if strings.EqualFold(was, statusActive) && neverAfterActive(wanted) {
		return with(planned, lens.Obj{"status": lens.AsObj(prior)["status"]})
	}
	return planned
}

func foreseeUser(s *session, key []string) diag.Diagnostics {
	s.keepsTeams(userID(key))
	return s.contestedUser(userID(key))
}

func splitUserID(_ context.Context, _ *session, id string) ([]string, error) {
	if ofServiceAccount.MatchString(id) {
		return nil, errors.New("this is a service account: import it as port_service_account")
	}
	return []string{id}, nil
}
