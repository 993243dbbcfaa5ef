package provider

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// The calls of port_team. The routes of teams know names; the identifier stands in
// the entity of the blueprint _team, which the hosted service makes a little later
// (reference/provider-catalog.md §9).

const (
	teamBlueprint = "_team"

	identifierTries = 10
	identifierPause = time.Second
)

// getTeam reads a team without its identifier.
func getTeam(ctx context.Context, s *session, name string) (jsonv.Object, error) {
	team, err := s.api.ReadTeam(ctx, name)
	if err != nil {
		return nil, err
	}
	return teamDocument(team), nil
}

// teamMembers are the members that a team has at this moment.
func teamMembers(ctx context.Context, s *session, name string) ([]string, error) {
	answer, err := s.api.Call(ctx, portapi.Op{Method: http.MethodGet, Path: []string{"teams", name}, Query: url.Values{"fields": {"name", "users.email"}}})
	if err != nil {
		return nil, err
	}
	team, err := teamOf(answer)
	return jsonv.Strings(team["users"]), err
}

// teamOf is the document of an answer, with users as addresses.
func teamOf(answer jsonv.Object) (jsonv.Object, error) {
	team, err := envelope(answer, "team")
	if err != nil {
		return nil, err
	}
	return teamDocument(team), nil
}

func teamDocument(team jsonv.Object) jsonv.Object {
	users, ok := team["users"].([]any)
	if !ok {
		return team
	}
	addresses := make([]any, 0, len(users))
	for _, u := range users {
		if address := jsonv.String(u, "email"); address != "" {
			addresses = append(addresses, address)
		} else if address, ok := u.(string); ok {
			addresses = append(addresses, address)
		}
	}
	team["users"] = addresses
	return team
}

// teamIdentifiers are the identifiers of the entities with the name of a team as
// title: one, unless the entity is not there yet, or the organization has no
// blueprint of teams.
func teamIdentifiers(ctx context.Context, s *session, name string) ([]string, error) {
	answer, err := s.api.Call(ctx, portapi.Op{
		Method: http.MethodPost, Path: []string{"blueprints", teamBlueprint, "entities", "search"},
		Body: jsonv.Object{
			"query":   jsonv.Object{"combinator": "and", "rules": []any{jsonv.Object{"property": "$title", "operator": "=", "value": name}}},
			"include": []any{"$identifier"}, "limit": jsonv.Int(10),
		},
	})
	if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range jsonv.List(answer, "entities") {
		found = append(found, jsonv.String(e, "identifier"))
	}
	return found, nil
}

// identifyTeam adds the identifier to a team's document. known is the one it had
// when it was last seen, "" for none.
func identifyTeam(ctx context.Context, s *session, team jsonv.Object, known string) error {
	name := jsonv.String(team, "name")
	if known != "" {
		// A read like any other entity's: those of many teams are one request.
		entity, err := s.api.ReadEntity(ctx, teamBlueprint, known)
		if err != nil && !portapi.IsNotFound(err) {
			return err
		}
		if err == nil && jsonv.String(entity, "title") == name {
			team["identifier"] = known
			return nil
		}
	}
	found, err := teamIdentifiers(ctx, s, name)
	switch {
	case portapi.IsNotFound(err):
		return nil // an organization of before teams were entities
	case err != nil:
		return err
	case len(found) == 1:
		team["identifier"] = found[0]
	case len(found) > 1 && slices.Contains(found, known):
		team["identifier"] = known
	case len(found) > 1:
		return fmt.Errorf("several entities of blueprint %s have the title %q: %s; give the others another title", teamBlueprint, name, strings.Join(found, ", "))
	}
	return nil
}

func readTeam(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
	team, err := getTeam(ctx, s, key[0])
	if err != nil {
		return nil, err
	}
	return team, identifyTeam(ctx, s, team, "")
}

// refreshTeam reads the team of a state, also when somebody renamed it: its
// identifier stays.
func refreshTeam(ctx context.Context, s *session, prior tftypes.Value) (jsonv.Object, error) {
	state := lens.AsObj(prior)
	name, known := lens.AsText(state["name"]), lens.AsText(state["identifier"])
	s.claimMembers(known, name, state["users"], false)
	team, err := getTeam(ctx, s, name)
	if known == "" {
		if err != nil {
			return nil, err
		}
		return team, identifyTeam(ctx, s, team, "")
	}
	if err == nil && jsonv.String(team, "name") == name {
		return team, identifyTeam(ctx, s, team, known)
	}
	if err != nil && !portapi.IsNotFound(err) {
		return nil, err
	}
	entity, gone := s.api.ReadEntity(ctx, teamBlueprint, known)
	if gone != nil {
		return nil, gone
	}
	if team, err = getTeam(ctx, s, jsonv.String(entity, "title")); err != nil {
		return nil, err
	}
	team["identifier"] = known
	return team, nil
}

// peekTeam looks for a team that a create would run into. The route also finds
// teams by identifier, which is no obstacle. Where many are made, their names are
// fetched once.
func peekTeam(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
	if !s.teams.mayHold(ctx, key[0], "name", s.api.Teams) {
		return nil, nil
	}
	team, err := getTeam(ctx, s, key[0])
	if portapi.IsNotFound(err) || err == nil && jsonv.String(team, "name") != key[0] {
		return nil, nil
	}
	return team, err
}

func createTeam(ctx context.Context, c *change) (jsonv.Object, error) {
	answer, err := c.api.Call(ctx, portapi.Op{Method: http.MethodPost, Path: []string{"teams"}, Body: c.body})
	if portapi.IsConflict(err) {
		return takeTeam(ctx, c)
	}
	if err != nil {
		return nil, c.explainTeam(err)
	}
	team, err := teamOf(answer)
	if err != nil {
		return nil, err
	}
	if users, ok := c.body["users"]; ok {
		team["users"] = users // answers to writes may leave them out (E1)
	}
	c.save(team)
	c.awaitIdentifier(ctx, team)
	return team, nil
}

// awaitIdentifier waits for the team's entity. That it cannot be seen is a warning:
// an error would make Terraform replace the team that was made.
func (c *change) awaitIdentifier(ctx context.Context, team jsonv.Object) {
	if c.lacksBlueprint(ctx, teamBlueprint) {
		return
	}
	why := "Port made the team, but not its entity so far: the identifier shows with a later refresh."
	for try := 1; ; try++ {
		err := identifyTeam(ctx, c.session, team, "")
		if err == nil && jsonv.String(team, "identifier") != "" {
			return
		}
		if err == nil && try < identifierTries {
			err = c.api.Pause(ctx, identifierPause)
		}
		if err != nil {
			why = "Port made the team, but the identifier could not be read; it shows with a later refresh.\n\n" + err.Error()
		}
		if err != nil || try == identifierTries {
			c.warn("The identifier of team "+c.key[0]+" is not known yet", why)
			return
		}
	}
}

// takeTeam takes over a team that exists.
func takeTeam(ctx context.Context, c *change) (jsonv.Object, error) {
	if !c.adopt {
		return nil, c.kind.errExists(c.key)
	}
	c.warn(c.kind.existsSummary(c.key), "It was taken over and its content replaced.")
	return c.patchTeam(ctx, c.key[0], jsonv.Object{"description": c.description()})
}

// description is the planned description as a PATCH says it: null for none.
func (c *change) description() any {
	if text := jsonv.String(c.body, "description"); text != "" {
		return text
	}
	return nil
}

// updateTeam patches what differs: a PUT that leaves users out would empty the
// team (E6), and they may be somebody else's to declare.
func updateTeam(ctx context.Context, c *change) (jsonv.Object, error) {
	patch := jsonv.Object{}
	if c.key[0] != c.was[0] {
		patch["name"] = c.key[0]
	}
	if !jsonv.Equal(c.body["description"], c.before["description"]) {
		patch["description"] = c.description()
	}
	if _, declared := c.body["users"]; !declared && len(jsonv.List(c.before, "users")) > 0 {
		now, err := teamMembers(ctx, c.session, c.was[0])
		if err != nil {
			return nil, err
		}
		declaredBefore := map[string]bool{}
		for _, user := range jsonv.Strings(c.before["users"]) {
			declaredBefore[user] = true
		}
		patch["users"] = jsonv.FromStrings(except(now, declaredBefore))
	}
	return c.patchTeam(ctx, c.was[0], patch)
}

// patchTeam sends a patch, with the members where the plan names them.
func (c *change) patchTeam(ctx context.Context, name string, patch jsonv.Object) (jsonv.Object, error) {
	if users, declared := c.body["users"]; declared && !jsonv.Equal(users, c.before["users"]) {
		patch["users"] = users
	}
	op := portapi.Op{Method: http.MethodPatch, Path: []string{"teams", name}, Body: patch, Repeat: portapi.RepeatSafe}
	if _, renames := patch["name"]; renames {
		op.Repeat = portapi.RepeatNever // the old name is gone once it worked
	}
	answer, err := c.api.Call(ctx, op)
	if err != nil {
		return nil, c.explainTeam(err)
	}
	team, err := teamOf(answer)
	if err != nil {
		return nil, err
	}
	known, _ := text(lens.AsObj(c.prior)["identifier"])
	return team, identifyTeam(ctx, c.session, team, known)
}

func deleteTeam(ctx context.Context, c *change) error {
	_, err := c.api.Call(ctx, portapi.Op{Method: http.MethodDelete, Path: []string{"teams", c.was[0]}})
	return c.explainTeam(err)
}

// explainTeam says what an identity provider's team does not allow
// (reference/identity.md §3.2).
func (c *change) explainTeam(err error) error {
	if !portapi.HasCode(err, "protected_resource") {
		return err
	}
	advice := "The team is synchronized from the identity provider, which its provider_name says: name and members can be changed there only. Leave users out, or list the members it has."
	if c.plan.IsNull() {
		advice = "The team is synchronized from the identity provider: remove it there. To stop managing it here, use a removed block with destroy = false."
	}
	return &advised{advice, err}
}

// splitTeamID also finds a team by its identifier.
func splitTeamID(ctx context.Context, s *session, id string) ([]string, error) {
	team, err := getTeam(ctx, s, id)
	if portapi.IsNotFound(err) {
		return []string{id}, nil
	}
	if err != nil {
		return nil, err
	}
	return []string{jsonv.String(team, "name")}, nil
}

// siftTeam hides members that the resource never declared.
func siftTeam(_ *kind, document jsonv.Object, held ...tftypes.Value) jsonv.Object {
	if slices.ContainsFunc(held, func(v tftypes.Value) bool { return !lens.Nothing(lens.AsObj(v)["users"]) }) {
		return document
	}
	out := jsonv.CloneObject(document)
	delete(out, "users")
	return out
}

func planTeam(_ context.Context, c *change) diag.Diagnostics {
	identifier, known := text(lens.AsObj(c.plan)["identifier"])
	if c.session == nil || !known {
		return nil
	}
	c.claimMembers(identifier, lens.AsText(lens.AsObj(c.plan)["name"]), lens.AsObj(c.plan)["users"], true)
	return c.contestedTeam(identifier)
}

func foreseeTeam(s *session, key []string) diag.Diagnostics {
	identifier := s.claimedAs(key[0])
	s.keepsMembers(identifier)
	return s.contestedTeam(identifier)
}
