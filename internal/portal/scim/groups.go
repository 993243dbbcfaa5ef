package scim

import (
	"net/url"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
)

type groups struct{ identity *identity.Identity }

func (g groups) all(r *Request, _ filter) ([]jsonv.Object, error) {
	all, err := g.identity.Groups(r.Tx, !hides(r, "members"))
	if err != nil {
		return nil, err
	}
	out := make([]jsonv.Object, len(all))
	for n, group := range all {
		out[n] = groupResource(group)
	}
	return out, nil
}

func (g groups) read(r *Request) (jsonv.Object, error) {
	group, err := g.identity.GroupByID(r.Tx, r.ID)
	if err != nil {
		return nil, err
	}
	return groupResource(group), nil
}

func (g groups) create(r *Request, resource jsonv.Object) (jsonv.Object, error) {
	group, err := groupOf(resource)
	if err != nil {
		return nil, err
	}
	if group, err = g.identity.ProvisionGroup(r.Ctx, r.event(resource), group); err != nil {
		return nil, err
	}
	return groupResource(group), nil
}

func (g groups) replace(r *Request, resource jsonv.Object) (jsonv.Object, error) {
	group, err := groupOf(resource)
	if err != nil {
		return nil, err
	}
	if group, err = g.identity.ReprovisionGroup(r.Ctx, r.event(resource), r.ID, group); err != nil {
		return nil, err
	}
	return groupResource(group), nil
}

func (g groups) remove(r *Request) error {
	return g.identity.RemoveGroup(r.Ctx, r.event(nil), r.ID)
}

func groupOf(resource jsonv.Object) (identity.Group, error) {
	g := identity.Group{Name: textOf(resource, "displayName"), ExternalID: textOf(resource, "externalId")}
	list, isList := member(resource, "members").([]any)
	if given := member(resource, "members"); given != nil && !isList {
		return g, refuse(invalidValue, "members must be an array")
	}
	for _, e := range list {
		element, _ := e.(jsonv.Object)
		id := textOf(element, "value")
		if id == "" {
			return g, refuse(invalidValue, "a member is an object with the id of a user as its value")
		}
		g.Members = append(g.Members, id)
	}
	return g, nil
}

func groupResource(g identity.Group) jsonv.Object {
	out := jsonv.Object{
		"schemas": []any{groupSchema}, "id": g.ID, "displayName": g.Name,
		"meta": metaOf("Group", "Groups", g.ID, g.Created, g.Updated),
	}
	if g.ExternalID != "" {
		out["externalId"] = g.ExternalID
	}
	members := make([]any, len(g.Members))
	for n, id := range g.Members {
		members[n] = jsonv.Object{"value": id, "display": g.MemberNames[n], "$ref": Base + "/Users/" + escape(id), "type": "User"}
	}
	out["members"] = members
	return out
}

func escape(id string) string { return url.PathEscape(id) }
