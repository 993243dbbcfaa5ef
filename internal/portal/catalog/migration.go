package catalog

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// The states of a migration (reference/catalog.md §2.17). INITIALIZING is a state
// that callers may filter by; no migration of this server is ever in it.
const (
	statePending    = "PENDING"
	stateRunning    = "RUNNING"
	stateCancelling = "PENDING_CANCELLATION"
	stateCompleted  = "COMPLETED"
	stateFailed     = "FAILURE"
	stateCancelled  = "CANCELLED"
)

var migrationStates = []string{statePending, "INITIALIZING", stateRunning, stateCancelling, stateCompleted, stateFailed, stateCancelled}

// The events of a migration's life.
type migrationEvent string

const (
	// started: the first items are done and there are more.
	started migrationEvent = "continue"
	// finished: nothing is left to do.
	finished migrationEvent = "complete"
	// hopeless is finished with every item failed.
	hopeless migrationEvent = "fail"
	// cancelled: somebody asked for its end.
	cancelled migrationEvent = "cancel"
)

// migrationMoves is the life of a migration. Whoever works on one notices between
// two batches that it is to stop: every event of the work ends it then.
var migrationMoves = map[string]map[migrationEvent]string{
	statePending:    {started: stateRunning, finished: stateCompleted, hopeless: stateFailed, cancelled: stateCancelling},
	stateRunning:    {started: stateRunning, finished: stateCompleted, hopeless: stateFailed, cancelled: stateCancelling},
	stateCancelling: {started: stateCancelled, finished: stateCancelled, hopeless: stateCancelled, cancelled: stateCancelling},
}

// move changes the state of a record. Records in a final state refuse.
func move(record store.Doc, event migrationEvent) error {
	was := jsonv.String(record, "status")
	is, ok := migrationMoves[was][event]
	if !ok {
		return fault.New(http.StatusUnprocessableEntity, "invalid_request", "migration %q cannot %s: its status is %s",
			jsonv.String(record, "id"), event, was).With("status", was)
	}
	record["status"] = is
	return nil
}

// Unfinished tells whether there is still something to do for a migration.
func Unfinished(record jsonv.Object) bool {
	return migrationMoves[jsonv.String(record, "status")] != nil
}

// newMigration is a record with all its keys. Readers disagree on the key of the
// identifier, so that it has both.
func (s *session) newMigration(source string, mapping jsonv.Object, status string) store.Doc {
	id := s.cat.deps.IDs.Migration()
	return store.Doc{
		"id": id, "identifier": id, "actor": s.actor.ID, "sourceBlueprint": source,
		"mapping": mapping, "status": status, "deleteBlueprint": false, "deleteEntities": false,
		"successCount": jsonv.Int(0), "failureCount": jsonv.Int(0),
		"createdAt": s.stamp, "updatedAt": s.stamp, "createdBy": s.actor.ID, "updatedBy": s.actor.ID,
	}
}

func (s *session) putMigration(record store.Doc) error {
	return s.tx.Put(KindMigration, record, s.actor.Org, jsonv.String(record, "id"))
}

// migration returns a record that may be changed.
func (s *session) migration(id string) (store.Doc, error) {
	record, err := s.tx.Get(KindMigration, s.actor.Org, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.NotFound("Migration", id)
	}
	if err != nil {
		return nil, err
	}
	return jsonv.CloneObject(record), nil
}

// ReadMigration returns one migration record.
func (c *Catalog) ReadMigration(ctx context.Context, tx store.Tx, actor Actor, id string) (jsonv.Object, error) {
	record, err := c.begin(ctx, tx, actor).migration(id)
	if err != nil {
		return nil, err
	}
	return public(record), nil
}

// ListMigrations returns the migration records that filter admits.
func (c *Catalog) ListMigrations(_ context.Context, tx store.Tx, actor Actor, filter MigrationFilter) ([]any, error) {
	for _, state := range filter.Status {
		if !slices.Contains(migrationStates, state) {
			return nil, fault.New(http.StatusUnprocessableEntity, "invalid_request", "status must be one of %s", joined(migrationStates))
		}
	}
	out := []any{}
	for row, err := range tx.Scan(KindMigration, nil, store.Page{}, actor.Org) {
		if err != nil {
			return nil, err
		}
		if filter.admits(row.Doc) {
			out = append(out, public(row.Doc))
		}
	}
	return out, nil
}

func (f MigrationFilter) admits(d store.Doc) bool {
	if len(f.Status) > 0 && !slices.Contains(f.Status, jsonv.String(d, "status")) {
		return false
	}
	if f.Actor != "" && f.Actor != jsonv.String(d, "actor") {
		return false
	}
	return f.Blueprint == "" || f.Blueprint == jsonv.String(d, "sourceBlueprint") || f.Blueprint == jsonv.String(d, "mapping", "blueprint")
}

// UnfinishedMigrations lists the migrations that [Catalog.StepMigration] has work for.
func (c *Catalog) UnfinishedMigrations(_ context.Context, tx store.Tx, org string) ([]string, error) {
	var out []string
	for row, err := range tx.Scan(KindMigration, nil, store.Page{}, org) {
		if err != nil {
			return nil, err
		}
		if Unfinished(row.Doc) {
			out = append(out, jsonv.String(row.Doc, "id"))
		}
	}
	return out, nil
}

// CancelMigration asks a migration to stop after the batch it is at; what was
// done stays. Asking again changes nothing, and a finished migration refuses.
func (c *Catalog) CancelMigration(ctx context.Context, tx store.Tx, actor Actor, id string, body any) (jsonv.Object, error) {
	r := &reader{}
	in := r.object(body)
	r.closed(in, nil, "reason")
	reason, given := r.text(in, "reason", 0)
	if err := r.problems.Invalid(); err != nil {
		return nil, err
	}
	s := c.begin(ctx, tx, actor)
	record, err := s.migration(id)
	if err != nil {
		return nil, err
	}
	if err := s.mayManage(jsonv.String(record, "sourceBlueprint"), jsonv.String(record, "mapping", "blueprint")); err != nil {
		return nil, err
	}
	again := jsonv.String(record, "status") == stateCancelling
	if err := move(record, cancelled); err != nil || again {
		return public(record), err
	}
	if given {
		record["reason"] = reason
	}
	record["updatedAt"], record["updatedBy"] = s.stamp, actor.ID
	return public(record), s.putMigration(record)
}

// renameInMigrations lets the migrations that still run follow a renamed blueprint.
func (s *session) renameInMigrations(old, next string) error {
	var changed []store.Doc
	for row, err := range s.tx.Scan(KindMigration, nil, store.Page{}, s.actor.Org) {
		if err != nil {
			return err
		}
		source, target := jsonv.String(row.Doc, "sourceBlueprint"), jsonv.String(row.Doc, "mapping", "blueprint")
		if !Unfinished(row.Doc) || (source != old && target != old) {
			continue
		}
		record := jsonv.CloneObject(row.Doc)
		if source == old {
			record["sourceBlueprint"] = next
		}
		if target == old {
			jsonv.Map(record, "mapping")["blueprint"] = next
		}
		changed = append(changed, record)
	}
	for _, record := range changed {
		if err := s.putMigration(record); err != nil {
			return err
		}
	}
	return nil
}
