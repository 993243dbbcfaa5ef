package identity

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Group is a team that an identity provider manages (reference/identity.md §8.2).
// Teams that were made in Port are no groups.
type Group struct {
	ID, ExternalID, Name string
	// Members are ids of users, MemberNames how they are called, in the same order.
	Members, MemberNames []string
	Created, Updated     string
}

// groupProvider is the provider of teams that came by provisioning, which names no
// connection.
const groupProvider = "scim"

// Groups are all groups in order of their creation; without members they cost less.
func (i *Identity) Groups(tx store.Tx, withMembers bool) ([]Group, error) {
	var groups []Group
	for row, err := range tx.Scan(catalog.KindEntity, nil, store.Page{}, i.org, teamBlueprint) {
		if err != nil {
			return nil, err
		}
		t, err := i.teamOf(tx, i.org, row.Doc)
		if err != nil {
			return nil, err
		}
		if !t.managed() {
			continue
		}
		g, err := i.group(tx, t, withMembers)
		if err != nil {
			return nil, err
		}
		groups = append(groups, g)
	}
	return groups, nil
}

// GroupByID reads one group.
func (i *Identity) GroupByID(tx store.Tx, id string) (Group, error) {
	t, err := i.groupTeamByID(tx, id)
	if err != nil {
		return Group{}, err
	}
	return i.group(tx, t, true)
}

func (i *Identity) groupTeamByID(tx store.Tx, id string) (team, error) {
	for row, err := range tx.Scan(KindTeam, whereIndexed("id", id), store.Page{Few: 1}, i.org) {
		if err != nil {
			return team{}, err
		}
		t, ok, err := i.teamByID(tx, i.org, row.Key[1])
		if err != nil || ok && t.managed() {
			return t, err
		}
	}
	return team{}, fault.NotFound("Group", id)
}

func (i *Identity) group(tx store.Tx, t team, withMembers bool) (Group, error) {
	g := Group{
		ID: t.id, ExternalID: t.externalID, Name: t.name(),
		Created: jsonv.String(t.entity, "createdAt"), Updated: jsonv.String(t.entity, "updatedAt"),
	}
	if !withMembers {
		return g, nil
	}
	users, err := members(tx, i.org, t.identifier())
	if err != nil {
		return g, err
	}
	for _, user := range users {
		account, err := i.account(tx, jsonv.String(user, "identifier"))
		if err != nil {
			return g, err
		}
		g.Members = append(g.Members, jsonv.String(account, "id"))
		g.MemberNames = append(g.MemberNames, jsonv.String(user, "title"))
	}
	return g, nil
}

// ProvisionGroup creates a group with its members.
func (i *Identity) ProvisionGroup(ctx context.Context, e Event, g Group) (Group, error) {
	i.through(&e)
	users, err := i.groupUsers(e.Tx, g)
	if err != nil {
		return g, err
	}
	t, err := i.makeGroup(ctx, e.Tx, e.Actor, groupProvider, g.Name, g.ExternalID)
	if err != nil {
		return g, err
	}
	if err := i.setMembers(ctx, e.Tx, e.Actor, t, users); err != nil {
		return g, err
	}
	return i.GroupByID(e.Tx, t.id)
}

// ReprovisionGroup changes a group and its members.
func (i *Identity) ReprovisionGroup(ctx context.Context, e Event, id string, g Group) (Group, error) {
	i.through(&e)
	t, err := i.groupTeamByID(e.Tx, id)
	if err != nil {
		return g, err
	}
	users, err := i.groupUsers(e.Tx, g)
	if err != nil {
		return g, err
	}
	if err := i.setMembers(ctx, e.Tx, e.Actor, t, users); err != nil {
		return g, err
	}
	if g.Name != t.name() {
		body := jsonv.Object{"title": g.Name}
		if _, err := i.catalog.PatchEntity(ctx, e.Tx, e.Actor, teamBlueprint, t.identifier(), body, catalog.WriteOptions{}); err != nil {
			return g, err
		}
	}
	t.externalID = g.ExternalID
	if err := e.Tx.Put(KindTeam, t.document(), i.org, t.identifier()); err != nil {
		return g, err
	}
	return i.GroupByID(e.Tx, id)
}

// groupUsers are the entities of the members of a group, whose name it checks too.
func (i *Identity) groupUsers(tx store.Tx, g Group) (users []store.Doc, err error) {
	if strings.TrimSpace(g.Name) == "" {
		return nil, invalidAt("/displayName", "must not be empty")
	}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(g.Members))) {
		user, err := i.userByID(tx, id)
		if failed(err, "not_found") {
			return nil, invalidAt("/members", "no user has the id %q", id)
		}
		if err != nil {
			return nil, err
		}
		users = append(users, user)
	}
	return users, nil
}

// RemoveGroup deletes a group; its members stay.
func (i *Identity) RemoveGroup(ctx context.Context, e Event, id string) error {
	i.through(&e)
	t, err := i.groupTeamByID(e.Tx, id)
	if err != nil {
		return err
	}
	return i.catalog.DeleteEntity(ctx, e.Tx, e.Actor, teamBlueprint, t.identifier(), catalog.DeleteOptions{})
}

// failed tells whether an error is a fault of a code.
func failed(err error, code string) bool {
	var f *fault.Fault
	return errors.As(err, &f) && f.Code == code
}
