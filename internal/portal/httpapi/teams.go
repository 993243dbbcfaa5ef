package httpapi

import "github.com/portlens/terraform-provider-port/internal/jsonv"

func (c *Call) listTeams() (any, error) {
	teams, err := c.api.identity.ListTeams(c.Tx, c.Actor.Org, c.list("fields"))
	return jsonv.Object{"teams": teams}, err
}

func (c *Call) createTeam() (any, error) {
	team, err := c.api.identity.CreateTeam(c.ctx, c.Tx, c.Actor, c.Body)
	return jsonv.Object{"team": team}, err
}

func (c *Call) readTeam() (any, error) {
	team, err := c.api.identity.ReadTeam(c.Tx, c.Actor.Org, c.params[0], c.list("fields"))
	return jsonv.Object{"team": team}, err
}

func (c *Call) putTeam() (any, error) {
	team, err := c.api.identity.PutTeam(c.ctx, c.Tx, c.Actor, c.params[0], c.Body)
	return jsonv.Object{"team": team}, err
}

func (c *Call) patchTeam() (any, error) {
	team, err := c.api.identity.PatchTeam(c.ctx, c.Tx, c.Actor, c.params[0], c.Body)
	return jsonv.Object{"team": team}, err
}

func (c *Call) deleteTeam() (any, error) {
	return nil, c.api.identity.DeleteTeam(c.ctx, c.Tx, c.Actor, c.params[0])
}
