package portapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// teamFields is what is asked of teams: users come as objects, of which the
// address is enough.
var teamFields = url.Values{"fields": {"name", "provider", "description", "createdAt", "updatedAt", "users.email"}}

// ReadTeam returns one team out of its envelope as GET /v1/teams/{name} gives it
// (reference/identity.md §3.1), out of the list of all of them once many were
// read. A missing one is a fault that [IsNotFound]. Use [Client.Call] for the read
// of a read-modify-write. The object is the caller's to change.
func (c *Client) ReadTeam(ctx context.Context, name string) (jsonv.Object, error) {
	ctx = withLog(ctx, c)
	if name == "" {
		return nil, fmt.Errorf("read of a team: want a name")
	}
	if c.opts.Batch != BatchOff {
		if team := c.reads.listed(ctx, teamRoster, name, c.listTeams); team != nil {
			return team, nil
		}
	}
	answer, err := c.send(ctx, Op{Method: http.MethodGet, Path: []string{"teams", name}, Query: teamFields})
	if err != nil {
		return nil, err
	}
	team, ok := answer["team"].(jsonv.Object)
	if !ok {
		return nil, fmt.Errorf("GET /v1/teams %q: want %q in the answer, got %s", name, "team", jsonv.KindOf(answer["team"]))
	}
	return team, nil
}

// Teams lists all teams, in the server's order.
func (c *Client) Teams(ctx context.Context) ([]jsonv.Object, error) {
	answer, err := c.send(withLog(ctx, c), Op{Method: http.MethodGet, Path: []string{"teams"}, Query: teamFields})
	if err != nil {
		return nil, err
	}
	return objectsIn(answer, "teams")
}

// listTeams returns the teams that a list shows whole, by name.
func (c *Client) listTeams(ctx context.Context) (byID, error) {
	teams, err := c.Teams(ctx)
	all := make(byID, len(teams))
	for _, team := range teams {
		if _, told := team["users"].([]any); told {
			all[text(team, "name")] = team
		}
	}
	return all, err
}
