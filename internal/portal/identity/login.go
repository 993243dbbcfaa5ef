package identity

import (
	"context"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Login is what an identity provider tells of somebody who has just proved who they
// are (reference/identity.md §8.1).
type Login struct {
	Email               string
	FirstName, LastName string
	// Unverified says that the provider did not verify the address.
	Unverified bool
	// Groups replace the memberships of teams that a provider brought along; nil
	// leaves them as they are.
	Groups []string
	// Provider is the name of the connection.
	Provider string
}

// providedBy is who is told to have written what no caller of the API has.
const providedBy = "port"

// Login lets somebody in and returns an access token like that of a browser. It
// creates users where the organization lets everybody of its provider in
// ([Options.AutomaticAccess]); others must have been there before. The organization
// has no provider here: this is for whoever plays one.
func (i *Identity) Login(ctx context.Context, l Login) (token string, err error) {
	l.Email = ident.Email(strings.TrimSpace(l.Email))
	var p fault.Problems
	if !isEmail(l.Email) {
		p.Add("/email", "must be an e-mail address")
	}
	if l.Provider == "" || l.Provider == madeInPort {
		p.Add("/provider", "must be the name of a connection")
	}
	if err := p.Invalid(); err != nil {
		return "", err
	}
	if l.Unverified {
		return "", fault.Unauthorized("%s is not verified by %s", l.Email, l.Provider)
	}
	err = i.store.Update(ctx, func(tx store.Tx) (err error) {
		token, err = i.login(ctx, tx, l)
		return err
	})
	return token, err
}

func (i *Identity) login(ctx context.Context, tx store.Tx, l Login) (string, error) {
	user, err := i.user(tx, l.Email)
	if err != nil {
		return "", err
	}
	account, err := i.account(tx, l.Email)
	if err != nil {
		return "", err
	}
	if err := i.letsIn(user, account, l.Email); err != nil {
		return "", err
	}
	actor := catalog.Actor{Org: i.org, ID: providedBy, Origin: "UI", User: l.Email, Through: ThroughLogin}
	if user != nil {
		actor.ID = jsonv.String(account, "id")
	}
	body, err := i.loggedIn(ctx, tx, actor, l, user, jsonv.Bool(account, "managedByScim"))
	if err != nil {
		return "", err
	}
	if user == nil {
		body["identifier"] = l.Email
		_, _, err = i.catalog.CreateEntity(ctx, tx, actor, userBlueprint, body, catalog.WriteOptions{})
	} else if len(body) > 0 {
		_, err = i.catalog.PatchEntity(ctx, tx, actor, userBlueprint, l.Email, body, catalog.WriteOptions{})
	}
	if err != nil {
		return "", err
	}
	err = i.putAccount(tx, l.Email, func(doc store.Doc) {
		delete(doc, "initial")
		doc["lastLoginAt"] = clock.Stamp(i.clock.Now())
		if providers := jsonv.List(doc, "providers"); !slices.Contains(providers, any(l.Provider)) {
			doc["providers"] = append(slices.Clone(providers), l.Provider)
		}
	})
	if err != nil {
		return "", err
	}
	return i.startLogin(tx, l.Email)
}

// letsIn refuses who may not log in (reference/identity.md §2.5, §8.1). Who was never
// let in is so on the first login if the organization lets everybody in; who was
// shut out by somebody stays out.
func (i *Identity) letsIn(user, account store.Doc, email string) error {
	switch {
	case user == nil && i.automaticAccess:
	case user == nil:
		return fault.Unauthorized("%s was not invited to the organization", email)
	case isServiceAccount(user):
		return fault.Unauthorized("%s is a service account, which cannot log in", email)
	case jsonv.String(i.properties(user), "status") != statusDisabled:
	case !jsonv.Bool(account, "initial") || !i.automaticAccess:
		return fault.Unauthorized("%s is disabled in the organization", email)
	}
	return nil
}

// loggedIn is what a login changes of the user's entity.
func (i *Identity) loggedIn(ctx context.Context, tx store.Tx, actor catalog.Actor, l Login, user store.Doc, provisioned bool) (jsonv.Object, error) {
	body := jsonv.Object{}
	if name := Title(l.FirstName, l.LastName); name != "" && name != jsonv.String(user, "title") && !provisioned {
		body["title"] = name
	}
	if !active(user) {
		body["properties"] = jsonv.Object{"status": statusActive}
	}
	if user == nil {
		body["properties"] = jsonv.Object{"status": statusActive, "port_role": access.RoleMember}
	}
	if l.Groups == nil {
		return body, nil
	}
	was := jsonv.List(user, "team")
	is, err := i.regrouped(ctx, tx, actor, l, was)
	if err == nil && !slices.Equal(was, is) {
		body["team"] = is
	}
	return body, err
}

// regrouped are the teams of a user of these groups: Port's own as they were, those
// of providers as the login says (reference/identity.md §8.1).
func (i *Identity) regrouped(ctx context.Context, tx store.Tx, actor catalog.Actor, l Login, was []any) ([]any, error) {
	groups := []any{}
	for _, name := range l.Groups {
		t, err := i.groupTeam(ctx, tx, actor, l.Provider, strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		if id := t.identifier(); t.managed() && !slices.Contains(groups, any(id)) {
			groups = append(groups, id)
		}
	}
	is := []any{}
	for _, id := range was {
		t, known, err := i.teamByID(tx, i.org, jsonv.String(id))
		if err != nil {
			return nil, err
		}
		if !known || !t.managed() || slices.Contains(groups, id) {
			is = append(is, id)
		}
	}
	for _, id := range groups {
		if !slices.Contains(is, id) {
			is = append(is, id)
		}
	}
	return is, nil
}

// groupTeam is the team of a group, made if there is none. A team that was made in
// Port and has the group's name stays Port's: names are unique, and who made it
// decides who is in it.
func (i *Identity) groupTeam(ctx context.Context, tx store.Tx, actor catalog.Actor, provider, name string) (team, error) {
	if name == "" {
		return team{provider: madeInPort}, nil
	}
	t, ok, err := i.teamByName(tx, i.org, name)
	if err != nil || ok {
		return t, err
	}
	return i.makeGroup(ctx, tx, actor, provider, name, "")
}

// makeGroup makes the team of a group.
func (i *Identity) makeGroup(ctx context.Context, tx store.Tx, actor catalog.Actor, provider, name, externalID string) (team, error) {
	t, err := i.makeTeam(ctx, tx, actor, teamChange{name: name})
	if err != nil {
		return t, err
	}
	t.provider, t.externalID = provider, externalID
	return t, tx.Put(KindTeam, t.document(), i.org, t.identifier())
}
