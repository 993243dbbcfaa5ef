package portal

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// The pace of migrations: a moment between two batches, so that other writers
// come in; the time after which one that does not move is taken over from another
// portal on the same data; and the longest wait after an error.
const (
	migrationPause  = time.Millisecond
	migrationIdle   = 2 * time.Second
	migrationRepeat = time.Minute
)

// migrations does the work of migrations, batch by batch, each in a transaction
// of its own. It keeps nothing that is not in the store: what it has begun, it or
// another portal goes on with.
type migrations struct {
	store   store.Store
	catalog *catalog.Catalog
	clock   clock.Clock
	log     *slog.Logger

	mu     sync.Mutex
	jobs   map[string]*migrationJob
	closed bool
	busy   sync.WaitGroup
}

type migrationJob struct {
	org, id string
	timer   clock.Timer
	// idle is how long the record must not have moved before the job touches it.
	idle time.Duration
	// wait is the pause after the last error.
	wait time.Duration
}

// resume takes over what was left unfinished.
func (m *migrations) resume(ctx context.Context, org string) error {
	return m.store.View(ctx, func(tx store.Tx) error {
		ids, err := m.catalog.UnfinishedMigrations(ctx, tx, org)
		for _, id := range ids {
			m.add(&migrationJob{org: org, id: id, idle: migrationIdle}, migrationPause)
		}
		return err
	})
}

// Start implements [httpapi.Migrations].
func (m *migrations) Start(org, id string) { m.add(&migrationJob{org: org, id: id}, migrationPause) }

// Watch implements [httpapi.Migrations].
func (m *migrations) Watch(org, id string) {
	m.add(&migrationJob{org: org, id: id, idle: migrationIdle}, migrationIdle)
}

func (m *migrations) add(j *migrationJob, after time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || m.jobs[j.org+" "+j.id] != nil {
		return
	}
	m.jobs[j.org+" "+j.id] = j
	j.timer = m.clock.AfterFunc(after, func() { m.run(j) })
}

// run does one batch and arranges for the next one.
func (m *migrations) run(j *migrationJob) {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return
	}
	m.busy.Add(1)
	m.mu.Unlock()
	defer m.busy.Done()
	more, moved, err := m.step(j)
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.jobs, j.org+" "+j.id)
	after := migrationPause
	switch {
	case m.closed || err == nil && !more:
		return
	case err != nil:
		j.wait = min(max(2*j.wait, time.Second), migrationRepeat)
		after = j.wait
		m.log.Error("migration", "id", j.id, "error", err, "again", after)
	case moved:
		j.idle, j.wait = 0, 0
	default:
		after = migrationIdle
	}
	m.jobs[j.org+" "+j.id] = j
	j.timer = m.clock.AfterFunc(after, func() { m.run(j) })
}

// step reports whether there is more to do and whether this step did anything.
func (m *migrations) step(j *migrationJob) (more, moved bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			m.log.Error("panic", "migration", j.id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			more, err = false, nil
		}
	}()
	ctx := context.Background()
	err = m.store.Update(ctx, func(tx store.Tx) error {
		var err error
		more, moved, err = m.catalog.StepMigration(ctx, tx, j.org, j.id, j.idle)
		return err
	})
	return more, moved, err
}

// close waits for the batch at work and begins no other.
func (m *migrations) close() {
	m.mu.Lock()
	m.closed = true
	for _, j := range m.jobs {
		j.timer.Stop()
	}
	m.mu.Unlock()
	m.busy.Wait()
}
