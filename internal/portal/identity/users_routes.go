package identity

import (
	"context"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// The routes of users change users by way of their entities, so that both ways have
// the same rules and leave the same records (reference/identity.md §4.3).

func throughUsers(actor catalog.Actor) catalog.Actor {
	actor.Through = ThroughUsers
	return actor
}

// invitee is whom an invitation is for; nil lists were not given.
type invitee struct {
	email        string
	roles, teams []string
	hasTeams     bool
}

// InviteUser answers POST /v1/users/invite (reference/identity.md §2.3).
func (i *Identity) InviteUser(ctx context.Context, tx store.Tx, actor catalog.Actor, body any, notify bool) error {
	in, err := inviteBody(body)
	if err != nil {
		return err
	}
	existing, err := i.user(tx, in.email)
	if err != nil {
		return err
	}
	if existing != nil {
		in.email = jsonv.String(existing, "identifier")
		return i.inviteAgain(ctx, tx, actor, existing, in, notify)
	}
	entity, err := i.invitation(tx, in, jsonv.Object{})
	if err != nil {
		return err
	}
	entity["identifier"] = in.email
	if notify {
		properties(entity)["status"] = statusInvited
	}
	_, _, err = i.catalog.CreateEntity(ctx, tx, throughUsers(actor), userBlueprint, entity, catalog.WriteOptions{})
	return err
}

// inviteAgain invites somebody who is a member and has not come yet, or not any
// more (U6). What the invitation does not say stays.
func (i *Identity) inviteAgain(ctx context.Context, tx store.Tx, actor catalog.Actor, user store.Doc, in invitee, notify bool) error {
	p := i.properties(user)
	if !notify || p["status"] == statusActive {
		return fault.Taken("User", in.email)
	}
	patch, err := i.invitation(tx, in, p)
	if err != nil {
		return err
	}
	properties(patch)["status"] = statusInvited
	if _, err := i.catalog.PatchEntity(ctx, tx, throughUsers(actor), userBlueprint, in.email, patch, catalog.WriteOptions{}); err != nil {
		return err
	}
	if p["status"] != statusInvited {
		return nil // the change of status has told them
	}
	return i.mail(tx, in.email, mailInvite)
}

// invitation is the part of an entity that an invitation determines.
func (i *Identity) invitation(tx store.Tx, in invitee, was jsonv.Object) (jsonv.Object, error) {
	entity := jsonv.Object{}
	if in.hasTeams {
		entity["team"] = jsonv.FromStrings(in.teams)
	}
	if len(in.roles) == 0 {
		return entity, nil
	}
	roles, err := i.roleProperties(tx, in.roles, was["moderated_blueprints"] != nil)
	entity["properties"] = roles
	return entity, err
}

// properties are those of a body, which gets some if it has none.
func properties(body jsonv.Object) jsonv.Object {
	if p := jsonv.Map(body, "properties"); p != nil {
		return p
	}
	p := jsonv.Object{}
	body["properties"] = p
	return p
}

// inviteBody reads a body; only its outermost object is closed (U1).
func inviteBody(body any) (invitee, error) {
	o, err := shape.Body(body, shape.Takes{"invitee": shape.Open(shape.Takes{
		"email": newEmail, "roles": shape.Texts, "teams": shape.Texts,
	}, "email")}, "invitee")
	return inviteeOf(jsonv.Map(o, "invitee")), err
}

func inviteeOf(o jsonv.Object) invitee {
	in := invitee{email: jsonv.String(o, "email"), roles: jsonv.Strings(o["roles"]), teams: jsonv.Strings(o["teams"])}
	_, in.hasTeams = o["teams"]
	return in
}

func newEmail(c *shape.Checker, v any, at []string) {
	s, ok := v.(string)
	switch {
	case !ok:
		c.Wrong(at, "string", v)
	case !isEmail(s):
		c.Add("pattern", at, "must be an e-mail address, of the pattern %q", emailForm)
	case ofServiceAccount(s):
		c.Add("pattern", at, "service accounts are not invited: create an entity of blueprint %q", userBlueprint)
	}
}

// PatchUser answers PATCH /v1/users/{email} (reference/identity.md §2.4). The answer
// has the keys that are published and no others.
func (i *Identity) PatchUser(ctx context.Context, tx store.Tx, actor catalog.Actor, email string, body any) (jsonv.Object, error) {
	if body == nil {
		body = jsonv.Object{}
	}
	b, err := shape.Body(body, shape.Takes{"roles": shape.NotEmpty(shape.Texts), "teams": shape.Texts})
	if err != nil {
		return nil, err
	}
	user, err := i.needUser(tx, email)
	if err != nil {
		return nil, err
	}
	email = jsonv.String(user, "identifier")
	if len(b) > 0 {
		patch, err := i.invitation(tx, inviteeOf(b), i.properties(user))
		if err != nil {
			return nil, err
		}
		if _, err := i.catalog.PatchEntity(ctx, tx, throughUsers(actor), userBlueprint, email, patch, catalog.WriteOptions{}); err != nil {
			return nil, err
		}
	}
	if user, err = i.needUser(tx, email); err != nil {
		return nil, err
	}
	out, err := i.shower(tx).whole(user)
	for _, key := range []string{"isInvisible", "supportLevel", "managedByScim"} {
		delete(out, key)
	}
	return out, err
}

// DeleteUser answers DELETE /v1/users/{email} (reference/identity.md §2.6).
func (i *Identity) DeleteUser(ctx context.Context, tx store.Tx, actor catalog.Actor, email string, o catalog.DeleteOptions) error {
	user, err := i.needUser(tx, email)
	if err != nil {
		return err
	}
	return i.catalog.DeleteEntity(ctx, tx, throughUsers(actor), userBlueprint, jsonv.String(user, "identifier"), o)
}
