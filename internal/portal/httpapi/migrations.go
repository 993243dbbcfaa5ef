package httpapi

import (
	"net/http"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
)

func (c *Call) listMigrations() (any, error) {
	f := catalog.MigrationFilter{Status: c.list("status"), Actor: c.text("actor"), Blueprint: c.text("blueprint")}
	migrations, err := c.api.catalog.ListMigrations(c.ctx, c.Tx, c.Actor, f)
	return jsonv.Object{"migrations": list(migrations)}, err
}

func (c *Call) createMigration() (any, error) {
	c.status = http.StatusCreated
	migration, err := c.api.catalog.CreateMigration(c.ctx, c.Tx, c.Actor, c.Body)
	if m := c.api.migrations; m != nil {
		c.after = func() { m.Start(c.Actor.Org, jsonv.String(migration, "id")) }
	}
	return jsonv.Object{"migration": migration}, err
}

func (c *Call) readMigration() (any, error) {
	migration, err := c.api.catalog.ReadMigration(c.ctx, c.Tx, c.Actor, c.params[0])
	if m := c.api.migrations; m != nil && catalog.Unfinished(migration) {
		c.after = func() { m.Watch(c.Actor.Org, c.params[0]) }
	}
	return jsonv.Object{"migration": migration}, err
}

func (c *Call) cancelMigration() (any, error) {
	migration, err := c.api.catalog.CancelMigration(c.ctx, c.Tx, c.Actor, c.params[0], c.Body)
	if m := c.api.migrations; m != nil {
		c.after = func() { m.Start(c.Actor.Org, c.params[0]) }
	}
	return jsonv.Object{"migration": migration}, err
}
