package identity

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// teamName is what names on the routes look like (reference/identity.md §3.1 E3).
var teamName = regexp.MustCompile(`^[^;#/?\s][^;#/?]*[^;#/?\s]$`)

// ListTeams answers GET /v1/teams; fields are the keys wanted, none means all.
func (i *Identity) ListTeams(tx store.Tx, org string, fields []string) ([]any, error) {
	wanted, err := teamFields(fields)
	if err != nil {
		return nil, err
	}
	var teams []team
	for row, err := range tx.Scan(catalog.KindEntity, nil, store.Page{}, org, teamBlueprint) {
		if err != nil {
			return nil, err
		}
		t, err := i.teamOf(tx, org, row.Doc)
		if err != nil {
			return nil, err
		}
		teams = append(teams, t)
	}
	slices.SortStableFunc(teams, func(a, b team) int { return strings.Compare(a.name(), b.name()) })
	out := []any{}
	for _, t := range teams {
		shown, err := i.showTeam(tx, org, t, wanted)
		if err != nil {
			return nil, err
		}
		out = append(out, shown)
	}
	return out, nil
}

// ReadTeam answers GET /v1/teams/{name}.
func (i *Identity) ReadTeam(tx store.Tx, org, name string, fields []string) (jsonv.Object, error) {
	wanted, err := teamFields(fields)
	if err != nil {
		return nil, err
	}
	t, err := i.teamOfRoute(tx, org, name)
	if err != nil {
		return nil, err
	}
	return i.showTeam(tx, org, t, wanted)
}

// teamOfRoute finds the team that a path names (reference/identity.md §3.1 E2).
func (i *Identity) teamOfRoute(tx store.Tx, org, name string) (team, error) {
	return i.teamNamed(tx, org, name, i.teamByName, i.teamByID)
}

// teamChange is what a body asks for.
type teamChange struct {
	name string
	// users are nil when none were given.
	users          []string
	hasUsers       bool
	description    string
	hasDescription bool
}

// CreateTeam answers POST /v1/teams.
func (i *Identity) CreateTeam(ctx context.Context, tx store.Tx, actor catalog.Actor, body any) (jsonv.Object, error) {
	in, err := teamBody(body, "name")
	if err != nil {
		return nil, err
	}
	users, err := i.usersNamed(tx, in.users)
	if err != nil {
		return nil, err
	}
	t, err := i.makeTeam(ctx, tx, throughRoute(actor), in)
	if err != nil {
		return nil, err
	}
	if err := i.setMembers(ctx, tx, throughRoute(actor), t, users); err != nil {
		return nil, err
	}
	return i.answerTeam(tx, actor.Org, t.identifier())
}

// makeTeam creates a team and its entity, without members.
func (i *Identity) makeTeam(ctx context.Context, tx store.Tx, actor catalog.Actor, in teamChange) (t team, err error) {
	id, err := i.teamIdentifier(tx, actor.Org, in.name)
	if err != nil {
		return t, err
	}
	properties := jsonv.Object{}
	if in.description != "" {
		properties["description"] = in.description
	}
	entity := jsonv.Object{"identifier": id, "title": in.name, "properties": properties}
	if _, _, err := i.catalog.CreateEntity(ctx, tx, actor, teamBlueprint, entity, catalog.WriteOptions{}); err != nil {
		return t, err
	}
	t, _, err = i.teamByID(tx, actor.Org, id)
	return t, err
}

// PutTeam answers PUT /v1/teams/{name}: what is not given is emptied.
func (i *Identity) PutTeam(ctx context.Context, tx store.Tx, actor catalog.Actor, name string, body any) (jsonv.Object, error) {
	in, err := teamBody(body, "name")
	if err != nil {
		return nil, err
	}
	in.hasUsers, in.hasDescription = true, true
	return i.changeTeam(ctx, tx, actor, name, in)
}

// PatchTeam answers PATCH /v1/teams/{name}: what is not given stays.
func (i *Identity) PatchTeam(ctx context.Context, tx store.Tx, actor catalog.Actor, name string, body any) (jsonv.Object, error) {
	if body == nil {
		body = jsonv.Object{}
	}
	in, err := teamBody(body)
	if err != nil {
		return nil, err
	}
	return i.changeTeam(ctx, tx, actor, name, in)
}

func (i *Identity) changeTeam(ctx context.Context, tx store.Tx, actor catalog.Actor, name string, in teamChange) (jsonv.Object, error) {
	t, err := i.teamOfRoute(tx, actor.Org, name)
	if err != nil {
		return nil, err
	}
	users, err := i.usersNamed(tx, in.users)
	if err != nil {
		return nil, err
	}
	actor = throughRoute(actor)
	if in.hasUsers {
		if err := i.setMembers(ctx, tx, actor, t, users); err != nil {
			return nil, err
		}
	}
	patch := jsonv.Object{}
	if in.name != "" {
		patch["title"] = in.name
	}
	if in.hasDescription {
		patch["properties"] = jsonv.Object{"description": nil}
		if in.description != "" {
			patch["properties"] = jsonv.Object{"description": in.description}
		}
	}
	if len(patch) > 0 || in.hasUsers {
		if _, err := i.catalog.PatchEntity(ctx, tx, actor, teamBlueprint, t.identifier(), patch, catalog.WriteOptions{}); err != nil {
			return nil, err
		}
	}
	return i.answerTeam(tx, actor.Org, t.identifier())
}

// DeleteTeam answers DELETE /v1/teams/{name}.
func (i *Identity) DeleteTeam(ctx context.Context, tx store.Tx, actor catalog.Actor, name string) error {
	t, err := i.teamOfRoute(tx, actor.Org, name)
	if err != nil {
		return err
	}
	return i.catalog.DeleteEntity(ctx, tx, throughRoute(actor), teamBlueprint, t.identifier(), catalog.DeleteOptions{})
}

func throughRoute(actor catalog.Actor) catalog.Actor {
	actor.Through = ThroughTeams
	return actor
}

// answerTeam is the answer to a write. It leaves the users out: one client decodes
// them there as e-mails and elsewhere as objects (reference/identity.md §3.1 E1).
func (i *Identity) answerTeam(tx store.Tx, org, identifier string) (jsonv.Object, error) {
	t, _, err := i.teamByID(tx, org, identifier)
	if err != nil {
		return nil, err
	}
	return i.showTeam(tx, org, t, teamScalars)
}

// The keys of a team and of its users (reference/identity.md §3.1).
var (
	teamScalars = []string{"id", "name", "createdAt", "updatedAt", "provider", "description"}
	teamUsers   = []string{"users.firstName", "users.lastName", "users.email", "users.picture", "users.status"}
)

// teamFields checks the keys that are asked for.
func teamFields(fields []string) ([]string, error) {
	all := slices.Concat(teamScalars, teamUsers)
	if len(fields) == 0 {
		return all, nil
	}
	return fields, knownFields(fields, all)
}

// showTeam is a team as callers see it.
func (i *Identity) showTeam(tx store.Tx, org string, t team, fields []string) (jsonv.Object, error) {
	known := jsonv.Object{
		"id": t.id, "name": t.name(), "provider": t.provider,
		"createdAt": t.entity["createdAt"], "updatedAt": t.entity["updatedAt"],
	}
	if description := jsonv.String(t.entity, "properties", "description"); description != "" {
		known["description"] = description
	}
	out := jsonv.Object{}
	var parts []string
	for _, field := range fields {
		if part, ok := strings.CutPrefix(field, "users."); ok {
			parts = append(parts, part)
		} else if value, ok := known[field]; ok {
			out[field] = value
		}
	}
	if len(parts) == 0 {
		return out, nil
	}
	users, err := i.showMembers(tx, org, t.identifier(), parts)
	out["users"] = users
	return out, err
}

func (i *Identity) showMembers(tx store.Tx, org, team string, parts []string) ([]any, error) {
	docs, err := members(tx, org, team)
	if err != nil {
		return nil, err
	}
	users := []any{}
	for _, doc := range docs {
		known, err := i.memberParts(tx, doc)
		if err != nil {
			return nil, err
		}
		user := jsonv.Object{}
		for _, part := range parts {
			user[part] = known[part]
		}
		users = append(users, user)
	}
	return users, nil
}

// teamBody reads a body; other keys than these are ignored (reference/identity.md
// §3.1 E8).
func teamBody(body any, required ...string) (teamChange, error) {
	description := shape.OrNull(shape.Text)
	if len(required) > 0 {
		description = shape.Text
	}
	var c shape.Checker
	b := c.Open(body, nil, shape.Takes{"name": nameOfTeam, "description": description, "users": shape.Texts}, required...)
	in := teamChange{name: jsonv.String(b, "name"), description: jsonv.String(b, "description"), users: jsonv.Strings(b["users"])}
	_, in.hasDescription = b["description"]
	_, in.hasUsers = b["users"]
	return in, c.Problems.Invalid()
}

func nameOfTeam(c *shape.Checker, v any, at []string) {
	shape.Text(c, v, at)
	if name, ok := v.(string); ok && !teamName.MatchString(name) {
		c.Add("pattern", at, "must match pattern %q", teamName)
	}
}
