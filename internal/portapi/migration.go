package portapi

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// MigrationError is a migration that ended without success.
type MigrationError struct {
	ID, Status string
	Migration  jsonv.Object
}

// Error says how the migration ended and how much it did.
func (e *MigrationError) Error() string {
	s := fmt.Sprintf("migration %s ended as %s", e.ID, e.Status)
	if n, ok := e.Migration["failureCount"]; ok {
		s += fmt.Sprintf(" (%v failed, %v succeeded)", n, e.Migration["successCount"])
	}
	return s
}

// migrationPatience bounds how long [Client.AwaitMigration] polls.
const migrationPatience = 30 * time.Minute

// AwaitMigration polls a migration until it is COMPLETED and returns its last
// record, whose failureCount may still say that some items were left. FAILURE
// and CANCELLED give a *[MigrationError]. A migration that is unknown at the
// first poll counts as done, with a nil record. It looks at once, then after 1
// s, backing off to 5 s, for 30 minutes at most.
func (c *Client) AwaitMigration(ctx context.Context, id string) (jsonv.Object, error) {
	ctx = withLog(ctx, c)
	defer c.reads.drop(false) // what the migration moved or deleted
	end := c.clock.Now().Add(migrationPatience)
	pause := time.Second
	for first := true; ; first = false {
		answer, err := c.send(ctx, Op{Method: http.MethodGet, Path: []string{"migrations", id}})
		if err != nil {
			if first && IsNotFound(err) {
				return nil, nil
			}
			return nil, err
		}
		migration, ok := answer["migration"].(jsonv.Object)
		if !ok {
			return nil, fmt.Errorf("migration %s: the answer holds no migration", id)
		}
		status := text(migration, "status")
		switch status {
		case "COMPLETED":
			return migration, nil
		case "FAILURE", "CANCELLED":
			return nil, &MigrationError{ID: id, Status: status, Migration: migration}
		}
		if !c.clock.Now().Add(pause).Before(end) {
			return nil, fmt.Errorf("migration %s: still %s after %s", id, status, migrationPatience)
		}
		if err := wait(ctx, c.clock, pause); err != nil {
			return nil, fmt.Errorf("migration %s is %s: %w", id, status, err)
		}
		pause = min(pause*3/2, 5*time.Second)
	}
}
