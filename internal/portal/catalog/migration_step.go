package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// A batch ends after so many items or so much time, so that others get to write
// between two of them.
const (
	migrationBatch     = 100
	migrationBatchTime = 250 * time.Millisecond
)

// maxFailures is how many failed items a record describes; it counts all.
const maxFailures = 10

// Where a record keeps what only the work needs: the last source entity that is
// done, and of the next one the identifier and how many of its parts are done.
const (
	cursorKey = "$cursor"
	partsKey  = "$parts"
	callerKey = "$caller"
)

// CreateMigration orders a migration. It is done by [Catalog.StepMigration], which
// somebody has to call until it says that there is no more.
func (c *Catalog) CreateMigration(ctx context.Context, tx store.Tx, actor Actor, body any) (jsonv.Object, error) {
	r := &reader{}
	in := r.body(body)
	r.closed(in, nil, "sourceBlueprint", "mapping")
	source := r.needText(in, "sourceBlueprint", 0)
	m := r.mapping(in["mapping"], source, "mapping")
	if err := r.problems.Invalid(); err != nil {
		return nil, err
	}
	s := c.begin(ctx, tx, actor)
	for _, id := range []string{source, m.target} {
		if _, err := s.needBlueprint(id); err != nil {
			return nil, err
		}
	}
	if err := s.mayManage(source, m.target); err != nil {
		return nil, err
	}
	record := s.newMigration(source, jsonv.CloneObject(jsonv.Map(in, "mapping")), statePending)
	record[callerKey] = jsonv.Object{
		"agent": actor.UserAgent, "origin": actor.Origin, "installation": actor.Installation,
		"user": actor.User, "limited": actor.Rights != nil,
	}
	return public(record), s.putMigration(record)
}

// StepMigration does the next part of a migration in the given transaction and
// reports whether there is more to do and whether anything was done. Everything it needs to know stands in the
// record, which moves on in the same transaction: a migration goes on where it
// was after a crash, and several workers on one migration only take turns. A
// record that moved less than idle ago is left to whoever moves it.
func (c *Catalog) StepMigration(ctx context.Context, tx store.Tx, org, id string, idle time.Duration) (more, moved bool, err error) {
	s := c.begin(ctx, tx, Actor{Org: org})
	record, err := s.migration(id)
	var gone *fault.Fault
	if errors.As(err, &gone) {
		return false, false, nil
	}
	if err != nil || !Unfinished(record) {
		return false, false, err
	}
	if at, err := time.Parse(time.RFC3339, jsonv.String(record, "updatedAt")); err == nil && s.now.Sub(at) < idle {
		return true, false, nil
	}
	caller := jsonv.Map(record, callerKey)
	s.job = true
	s.actor = Actor{
		Org: org, ID: jsonv.String(record, "actor"), UserAgent: jsonv.String(caller, "agent"),
		Origin: jsonv.String(caller, "origin"), Installation: jsonv.String(caller, "installation"),
		User: jsonv.String(caller, "user"),
	}
	if jsonv.Bool(caller, "limited") {
		s.actor.Rights = moderator{}
	}
	event := finished
	if jsonv.String(record, "status") != stateCancelling {
		err = s.together(func() (err error) {
			event, err = (&migrator{session: s, record: record}).batch()
			return err
		})
		if err != nil {
			return false, false, err
		}
	}
	if err := move(record, event); err != nil {
		return false, false, err
	}
	record["updatedAt"] = s.stamp
	return Unfinished(record), true, s.putMigration(record)
}

// moderator has the rights of somebody who may migrate and is no administrator: all
// rights to the entities of both blueprints, which were asked about when the
// migration was ordered, but none to what only administrators change of users
// (reference/identity.md §7.3 rows 35, 40).
type moderator struct{}

func (moderator) Manages(string) bool { return true }

func (moderator) Entities(store.Tx, string, Verb) (Grant, error) { return Grant{All: true}, nil }

func (moderator) Field(store.Tx, string, Field) (Grant, error) { return Grant{All: true}, nil }

// migrator does one batch.
type migrator struct {
	*session
	record  store.Doc
	mapping mapping
	source  *blueprint
	target  *blueprint
	items   int
}

// errBatch ends a batch in the middle of an entity's parts.
var errBatch = errors.New("the batch is full")

func (m *migrator) batch() (migrationEvent, error) {
	r := &reader{}
	id := jsonv.String(m.record, "sourceBlueprint")
	m.mapping = r.mapping(m.record["mapping"], id, "mapping")
	if err := r.problems.Invalid(); err != nil {
		// Another version of the server took it; nothing of it can be done here.
		return hopeless, m.note("", err)
	}
	var err error
	if m.source, err = m.blueprint(id); err != nil {
		return "", err
	}
	// The target may have gone since; then every item fails.
	if m.target, err = m.blueprint(m.mapping.target); err != nil {
		return "", err
	}
	if m.source == nil {
		return m.end(), nil
	}
	seen := 0
	for row, err := range m.entitiesOf(id, nil, m.page()) {
		if err != nil {
			return "", err
		}
		seen++
		// What the migration itself has made is not migrated again.
		if jsonv.String(row.Doc, "createdAt") > jsonv.String(m.record, "createdAt") {
			return m.end(), nil
		}
		err := m.migrate(row)
		if errors.Is(err, errBatch) {
			return started, nil
		}
		if err != nil {
			return "", err
		}
		delete(m.record, partsKey)
		m.record[cursorKey] = jsonv.Object{"createdAt": row.Doc["createdAt"], "identifier": row.Doc["identifier"]}
		if m.full() {
			return started, nil
		}
	}
	if seen == migrationBatch {
		return started, nil
	}
	return m.end(), nil
}

// page is the next part of the source. The cursor is built anew each time, since
// the blueprint may have been renamed.
func (m *migrator) page() store.Page {
	page := store.Page{Limit: migrationBatch}
	if done := jsonv.Map(m.record, cursorKey); done != nil {
		page.After = store.Cursor(store.Row{Key: []string{m.actor.Org, m.source.id, jsonv.String(done, "identifier")}, Doc: done})
	}
	return page
}

func (m *migrator) end() migrationEvent {
	if jsonv.Equal(m.record["successCount"], jsonv.Int(0)) && !jsonv.Equal(m.record["failureCount"], jsonv.Int(0)) {
		return hopeless
	}
	return finished
}

func (m *migrator) full() bool {
	return m.items >= migrationBatch || m.cat.deps.Clock.Now().Sub(m.now) >= migrationBatchTime
}

// migrate migrates one source entity, from the part on where an earlier batch
// stopped. A batch does at least one part, however slow.
func (m *migrator) migrate(row store.Row) error {
	id := jsonv.String(row.Doc, "identifier")
	d, err := m.entity(entityKey{m.source.id, id})
	if err != nil || d == nil {
		return err
	}
	done := 0
	if jsonv.String(m.record, partsKey, "identifier") == id {
		done = count(m.record[partsKey], "done")
	}
	e, err := m.evaluation(d, m.source)
	if err != nil {
		return err
	}
	if done == 0 {
		if passes, err := m.mapping.passes(e); err != nil || !passes {
			return m.note(id, err)
		}
	}
	parts, err := m.mapping.parts(e)
	if err != nil {
		return m.note(id, err)
	}
	for i := done; i < len(parts); i++ {
		if i > done && m.full() {
			m.record[partsKey] = jsonv.Object{"identifier": id, "done": jsonv.Int(i)}
			return errBatch
		}
		m.items++
		one := e
		if m.mapping.items != nil {
			one = e.with(parts[i])
		}
		if err := m.write(one); err != nil {
			if err := m.note(id, err); err != nil {
				return err
			}
			continue
		}
		m.record["successCount"] = jsonv.Int(count(m.record, "successCount") + 1)
	}
	return nil
}

// write upserts one item with merge.
func (m *migrator) write(e evaluation) error {
	body, err := m.mapping.body(e)
	if err != nil {
		return err
	}
	if m.target == nil {
		return fault.NotFound("Blueprint", m.mapping.target)
	}
	r := &reader{}
	in := r.entityBody(body, false)
	if err := r.problems.Invalid(); err != nil {
		return err
	}
	_, err = m.upsert(m.target, in, WriteOptions{Upsert: true, Merge: true})
	var f *fault.Fault
	if !errors.As(err, &f) {
		return err
	}
	if broken := m.refused(m.target, in.id, true, f.Message); broken != nil {
		return broken
	}
	return err
}

// note counts an item that failed by its own fault and says why in the record;
// nil is no failure, and any other error ends the batch.
func (m *migrator) note(source string, err error) error {
	var f *fault.Fault
	if !errors.As(err, &f) || f.Status >= http.StatusInternalServerError {
		return err
	}
	m.record["failureCount"] = jsonv.Int(count(m.record, "failureCount") + 1)
	if failures := jsonv.List(m.record, "failures"); len(failures) < maxFailures {
		m.record["failures"] = append(failures, jsonv.Object{
			"identifier": source, "statusCode": jsonv.Int(f.Status), "error": f.Code, "message": f.Message,
		})
	}
	return nil
}

// count reads a whole number that was written here.
func count(v any, key string) int {
	value, _ := jsonv.Get(v, key)
	number, ok := value.(json.Number)
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(number.String())
	if err != nil {
		return 0
	}
	return n
}
