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
		if team := c.reads.team(ctx, name); team != nil {
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
	list, ok := answer["teams"].([]any)
	if !ok {
		return nil, fmt.Errorf("list of teams: want a list of teams, got %s", jsonv.KindOf(answer["teams"]))
	}
	teams := make([]jsonv.Object, 0, len(list))
	for _, v := range list {
		team, ok := v.(jsonv.Object)
		if !ok {
			return nil, fmt.Errorf("list of teams: want teams, got %s in it", jsonv.KindOf(v))
		}
		teams = append(teams, team)
	}
	return teams, nil
}

// roster is what was learnt of teams since the last write. Like a [shelf] it is
// replaced, never changed back.
type roster struct {
	reads  int
	all    *flight[byID] // by name
	noList bool
}

// team returns a team out of the list, nil while reads are few and when the list
// does not have it: only a GET says that it is gone, or finds it by identifier.
func (r *reader) team(ctx context.Context, name string) jsonv.Object {
	r.mu.Lock()
	x := r.roster
	x.reads++
	list := r.calling(ctx, x)
	r.mu.Unlock()
	if list == nil {
		return nil
	}
	all, err := list.wait(ctx)
	if err != nil {
		return nil
	}
	return jsonv.CloneObject(all[name])
}

// calling returns the list that a read is to wait for, nil for none. The caller
// holds r.mu.
func (r *reader) calling(ctx context.Context, x *roster) *flight[byID] {
	if x.all != nil && x.all.join() {
		return x.all
	}
	after := listAfter
	if r.c.opts.Batch == BatchForced {
		after = 1
	}
	if x.noList || x.reads <= after {
		return nil
	}
	x.all = launch(ctx, func(ctx context.Context) (byID, error) {
		teams, err := r.c.Teams(ctx)
		if err != nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			x.all, x.noList = nil, ctx.Err() == nil
			return nil, err
		}
		all := make(byID, len(teams))
		for _, team := range teams {
			if _, told := team["users"].([]any); told {
				all[text(team, "name")] = team
			}
		}
		return all, nil
	})
	return x.all
}
