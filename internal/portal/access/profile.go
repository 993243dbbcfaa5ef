package access

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

const (
	userBlueprint = "_user"
	teamBlueprint = "_team"
	// ownProvider is where teams come from that were made in Port.
	ownProvider = "port"
)

// Profile is the user that expressions see as .user: the entity, and what older
// expressions ask for (reference/actions.md §2.4). Machines are no user and have
// nothing but an empty e-mail.
func (a *Access) Profile(ctx context.Context, tx store.Tx, who Subject) (jsonv.Object, error) {
	u := who.User
	if u == nil {
		return jsonv.Object{"email": ""}, nil
	}
	entity, err := a.userEntity(ctx, tx, who)
	if err != nil {
		return nil, err
	}
	account, err := a.account(tx, who.Org, u.Email)
	if err != nil {
		return nil, err
	}
	teams, members, err := a.teams(tx, who.Org, u.Teams)
	if err != nil {
		return nil, err
	}
	out := jsonv.Object{
		"userId": u.ID, "email": u.Email, "name": u.Email, "picture": nil,
		"mainRole": u.Role, "roles": roles(u), "teams": teams, "teamsIdentifiers": jsonv.FromStrings(u.Teams),
		"identifier": u.Email, "title": entity["title"], "team": jsonv.FromStrings(u.Teams),
		"properties": jsonv.Object{}, "relations": jsonv.Object{"teams": members},
	}
	if title := jsonv.String(entity, "title"); title != "" {
		out["name"] = title
	}
	if picture := jsonv.String(account, "picture"); picture != "" {
		out["picture"] = picture
	}
	if properties := jsonv.Map(entity, "properties"); properties != nil {
		out["properties"] = properties
	}
	if relations := jsonv.Map(entity, "relations"); len(relations) > 0 {
		relations = jsonv.CloneObject(relations)
		if _, own := relations["teams"]; !own {
			relations["teams"] = members
		}
		out["relations"] = relations
	}
	return out, nil
}

// userEntity is the other face of a user as its route shows it, empty when there is
// none.
func (a *Access) userEntity(ctx context.Context, tx store.Tx, who Subject) (jsonv.Object, error) {
	if a.catalog == nil {
		return nil, nil
	}
	entity, err := a.catalog.ReadEntity(ctx, tx, catalog.Actor{Org: who.Org, ID: who.ID}, userBlueprint, who.User.Email, catalog.ReadOptions{})
	if fault.IsNotFound(err) {
		return nil, nil
	}
	return entity, err
}

func (a *Access) account(tx store.Tx, org, email string) (jsonv.Object, error) {
	if a.people == nil {
		return nil, nil
	}
	return a.people.Account(tx, org, email)
}

// roles are a user's roles by their names (reference/identity.md §7.1).
func roles(u *User) []any {
	names := []string{u.Role}
	if u.Role == RoleModerator {
		names = nil
		for _, blueprint := range u.Moderates {
			names = append(names, ModeratorOf(blueprint))
		}
	}
	if len(names) == 0 {
		names = []string{RoleMember}
	}
	out := make([]any, len(names))
	for i, name := range names {
		out[i] = jsonv.Object{"name": name}
	}
	return out
}

// teams tells a user's teams by name and by identifier.
func (a *Access) teams(tx store.Tx, org string, ids []string) (named, identified []any, err error) {
	named, identified = []any{}, []any{}
	for _, id := range ids {
		name, provider := id, ownProvider
		entity, err := tx.Get(catalog.KindEntity, org, teamBlueprint, id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, nil, err
		}
		if title := jsonv.String(entity, "title"); title != "" {
			name = title
		}
		if a.people != nil {
			if provider, err = a.people.Provider(tx, org, id); err != nil {
				return nil, nil, err
			}
		}
		named = append(named, jsonv.Object{"name": name, "provider": provider})
		identified = append(identified, jsonv.Object{"identifier": id})
	}
	return named, identified, nil
}

// Trigger tells who asked for a run, whence and when (reference/actions.md §3.4).
func (a *Access) Trigger(tx store.Tx, x Execution) (jsonv.Object, error) {
	user, err := a.triggerUser(tx, x.Executor)
	if err != nil {
		return nil, err
	}
	out := jsonv.Object{
		"by":     jsonv.Object{"orgId": x.Executor.Org, "userId": x.Executor.ID, "user": user},
		"origin": x.Origin, "at": clock.Stamp(x.At),
	}
	if op := x.operation(); op != "" {
		out["operation"] = op
	}
	return out, nil
}

// triggerUser is a user as runs tell of one; machines are none.
func (a *Access) triggerUser(tx store.Tx, who Subject) (jsonv.Object, error) {
	u := who.User
	if u == nil {
		return jsonv.Object{}, nil
	}
	entity, err := tx.Get(catalog.KindEntity, who.Org, userBlueprint, u.Email)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	account, err := a.account(tx, who.Org, u.Email)
	if err != nil {
		return nil, err
	}
	first, last := names(jsonv.String(entity, "title"), u.Email)
	status := strings.ToUpper(jsonv.String(entity, "properties", "status"))
	if status == "" {
		status = "ACTIVE"
	}
	providers := jsonv.List(account, "providers")
	if providers == nil {
		providers = []any{}
	}
	return jsonv.Object{
		"id": u.ID, "email": u.Email, "firstName": first, "lastName": last,
		"phoneNumber": jsonv.String(account, "phoneNumber"), "picture": jsonv.String(account, "picture"),
		"providers": providers, "status": status, "createdAt": entity["createdAt"], "updatedAt": entity["updatedAt"],
	}, nil
}

// names splits a title at its first blank (reference/identity.md §4.2); an e-mail
// that stands for a title that was not given is no name.
func names(title, email string) (first, last string) {
	if ident.SameEmail(title, email) {
		return "", ""
	}
	first, last, _ = strings.Cut(title, " ")
	return first, strings.TrimSpace(last)
}

// activeUsers are the e-mails of the Active users that which admits, in lower case
// and in order.
func activeUsers(tx store.Tx, org string, which func(*User) (bool, error)) ([]string, error) {
	out := []string{}
	for row, err := range tx.Scan(catalog.KindEntity, nil, store.Page{}, org, userBlueprint) {
		if err != nil {
			return nil, err
		}
		if jsonv.String(row.Doc, "properties", "status") != "Active" {
			continue
		}
		u := userOf(row.Doc)
		admitted, err := which(u)
		if err != nil {
			return nil, err
		}
		if admitted {
			out = append(out, ident.Email(u.Email))
		}
	}
	slices.Sort(out)
	return out, nil
}

// userOf reads what decides about rights from a user's entity.
func userOf(entity store.Doc) *User {
	u := &User{
		Email: jsonv.String(entity, "identifier"), Role: jsonv.String(entity, "properties", "port_role"),
		Moderates: jsonv.Strings(jsonv.List(entity, "properties", "moderated_blueprints")),
		Teams:     jsonv.Strings(entity["team"]),
	}
	if u.Role == "" {
		u.Role = RoleMember
	}
	return u
}
