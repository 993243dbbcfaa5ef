package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

// A group is the updates that share one commit: at most maxGroup of them, begun
// within groupTime, so that nobody waits long for the first one's answer and
// other processes get their turn.
const (
	maxGroup  = 64
	groupTime = 5 * time.Millisecond
)

// courtesy is how long the write lock stays free between two groups while
// another process wants it too, and contention how long that is believed.
const (
	courtesy   = time.Millisecond
	contention = time.Second
)

// job is one update on its way through the committer. Its function runs in the
// goroutine of the caller, where a panic belongs; the committer only says when.
type job struct {
	ctx   context.Context
	alone bool
	taken atomic.Bool
	turn  chan *sqliteTx
	ran   chan outcome
	done  chan error
}

// outcome is how a job's function ended; broken when it panicked.
type outcome struct {
	err    error
	broken bool
}

// groupError tells a job that its function succeeded and the commit did not.
type groupError struct{ error }

func (e groupError) Unwrap() error { return e.error }

// Update implements [Store].
func (s *SQLite) Update(ctx context.Context, f func(Tx) error) error {
	if err := s.gate.enter(ctx); err != nil {
		return err
	}
	defer s.gate.leave()
	err := s.submit(ctx, f, false)
	if failed := (groupError{}); errors.As(err, &failed) {
		// The reason may lie with another member of the group.
		if err = s.submit(ctx, f, true); errors.As(err, &failed) {
			return s.explain(failed.error)
		}
	}
	return err
}

func (s *SQLite) submit(ctx context.Context, f func(Tx) error, alone bool) error {
	j := &job{
		ctx: ctx, alone: alone,
		turn: make(chan *sqliteTx, 1), ran: make(chan outcome, 1), done: make(chan error, 1),
	}
	select {
	case s.queue <- j:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case tx := <-j.turn:
		return j.perform(tx, f)
	case err := <-j.done:
		return err
	case <-ctx.Done():
	}
	if j.taken.CompareAndSwap(false, true) {
		return ctx.Err() // the committer has not seen it and never will
	}
	select {
	case tx := <-j.turn:
		return j.perform(tx, f)
	case err := <-j.done:
		return err
	}
}

func (j *job) perform(tx *sqliteTx, f func(Tx) error) error {
	result := outcome{broken: true}
	func() {
		// After a panic the committer undoes the work while the panic goes on.
		defer func() {
			tx.end()
			j.ran <- result
		}()
		result = outcome{err: f(tx)}
		if result.err == nil {
			result.err = tx.spoiled
		}
	}()
	return <-j.done
}

func (s *SQLite) commitForEver() {
	defer close(s.stopped)
	for {
		select {
		case j := <-s.queue:
			for j != nil {
				j = s.commitGroup(j)
			}
		case <-s.quit:
			return
		}
	}
}

// group is the running transaction of the committer.
type group struct {
	// base is the last revision in the file when the group began, revision the
	// last one given out since.
	base, revision int64
	// written are the group's own documents by revision.
	written map[int64]written
	// changes are what members did, in order, and latest the last by name.
	changes []change
	latest  map[string]change
	// queue is what the file does not hold yet; flushed says that it holds
	// something of the group.
	queue   queue
	flushed bool
	// first says that the running member is the first, and saved that a savepoint
	// was made to undo it.
	first, saved bool
	// broken is why the file did not take a write.
	broken error
}

func (g *group) changed(c change) {
	g.changes = append(g.changes, c)
	g.latest[c.name] = c
}

// undo forgets what was done after a moment.
func (g *group) undo(revision int64, changes int) {
	for r := revision + 1; r <= g.revision; r++ {
		delete(g.written, r)
	}
	g.revision, g.changes = revision, g.changes[:changes]
	g.queue.cut(g.queue.own)
	clear(g.latest)
	for _, c := range g.changes {
		g.latest[c.name] = c
	}
}

type written struct {
	doc  Doc
	size int
}

// commitGroup runs first and what else is waiting in one transaction. It
// returns a job that it took from the queue but could not run in this group.
func (s *SQLite) commitGroup(first *job) (next *job) {
	if !s.begin(first) {
		return nil
	}
	g, err := s.newGroup()
	if err != nil {
		s.fail([]*job{first}, nil, err)
		return nil
	}
	var (
		members  []*job
		outcomes []error
		start    = s.clock.Now()
	)
	for j := first; j != nil; {
		ok, alive := true, true
		if j.taken.CompareAndSwap(false, true) {
			ok, alive = s.runMember(j, g, len(members) == 0, &outcomes)
			members = append(members, j)
		}
		if !alive {
			s.fail(members, outcomes, errLostGroup)
			return nil
		}
		if !ok || j.alone || len(members) >= maxGroup || s.clock.Now().Sub(start) > groupTime {
			break
		}
		if j = s.another(); j != nil && j.alone {
			next = j
			break
		}
	}
	s.finish(g, members, outcomes)
	return next
}

var errLostGroup = errors.New("the transaction was lost")

// begin takes the write lock. It gives up when first was abandoned meanwhile.
func (s *SQLite) begin(first *job) bool {
	if !s.contended.IsZero() && s.clock.Now().Sub(s.contended) < contention {
		<-s.clock.After(courtesy)
	}
	for !first.taken.Load() {
		err := s.writer.run("BEGIN IMMEDIATE")
		if err == nil {
			return true
		}
		if !busy(err) {
			first.done <- groupError{err}
			return false
		}
		s.contended = s.clock.Now()
		<-s.clock.After(pollInterval)
	}
	return false
}

func (s *SQLite) newGroup() (*group, error) {
	found, err := s.writer.number("PRAGMA user_version")
	if err != nil {
		return nil, err
	}
	if found != format {
		return nil, &NewerFormatError{s.path, int(found), format}
	}
	r, _, err := s.writer.row("SELECT revision, indexes FROM meta")
	if err != nil {
		return nil, err
	}
	if r.str(1) != mark(s.options.IndexVersion) {
		return nil, fmt.Errorf("data file %s: another version of the program took it over", s.path)
	}
	return &group{base: r.num(0), revision: r.num(0), written: map[int64]written{}, latest: map[string]change{}}, nil
}

// another takes the next job from the queue. Callers that were just answered
// get a moment to come back, so that groups stay large under load.
func (s *SQLite) another() *job {
	for range 3 {
		select {
		case j := <-s.queue:
			return j
		default:
			runtime.Gosched()
		}
	}
	return nil
}

// runMember lets one job run. It reports whether the group may go on with
// another member, and whether the transaction is still there.
func (s *SQLite) runMember(j *job, g *group, first bool, outcomes *[]error) (more, alive bool) {
	before, changes := g.revision, len(g.changes)
	g.first, g.saved, g.queue.own = first, false, len(g.queue.list)
	j.turn <- &sqliteTx{store: s, ctx: j.ctx, conn: s.writer, group: g, before: changes}
	result := <-j.ran
	if g.broken != nil {
		*outcomes = append(*outcomes, groupError{g.broken})
		return false, false
	}
	*outcomes = append(*outcomes, result.err)
	failed := result.err != nil || result.broken
	if failed {
		g.undo(before, changes)
	}
	switch {
	case failed && g.saved:
		err := errors.Join(s.writer.run("ROLLBACK TO member"), s.writer.run("RELEASE member"))
		return true, err == nil
	case g.saved:
		return true, s.writer.run("RELEASE member") == nil
	}
	// After the first has failed that has written to the file, nothing is left to
	// commit; the next job begins anew.
	return !failed || !first || !g.flushed, true
}

// finish commits and tells every member how its update ended. Errors of members
// wait for the commit too: they may rest on what another member wrote.
func (s *SQLite) finish(g *group, members []*job, outcomes []error) {
	var err error
	if g.revision == g.base {
		err = s.writer.run("ROLLBACK")
	} else {
		rest := &sqliteTx{store: s, ctx: context.Background(), conn: s.writer, group: g}
		if err = rest.write(g.queue.list); err == nil {
			err = s.writer.run("UPDATE meta SET revision = ?", g.revision)
		}
		if err == nil {
			s.log.begin(g.base, g.revision)
			err = s.recent.commit(g.base, g.revision, g.changes, func() error { return s.writer.run("COMMIT") })
			s.log.end(err == nil, g.changes)
		}
	}
	if err != nil {
		s.fail(members, outcomes, err)
		return
	}
	for revision, w := range g.written {
		s.cache.put(revision, w.doc, w.size)
	}
	for i, j := range members {
		j.done <- outcomes[i]
	}
	if g.revision != g.base {
		s.lookAtLog()
	}
}

// fail undoes the transaction and answers all members; those whose function
// failed by itself get their own error.
func (s *SQLite) fail(members []*job, outcomes []error, err error) {
	// SQLite may have rolled back already; then this one has nothing to do.
	_ = s.writer.run("ROLLBACK") // see above
	for i, j := range members {
		own := error(groupError{err})
		if i < len(outcomes) && outcomes[i] != nil {
			own = outcomes[i]
		}
		j.done <- own
	}
}

// lookAtLog empties the write-ahead log when it has grown far beyond the size
// at which SQLite starts it over. That happens when there is always some view
// that still reads from it, so views have to wait a moment.
func (s *SQLite) lookAtLog() {
	if s.sinceLook++; s.sinceLook < 64 {
		return
	}
	s.sinceLook = 0
	info, err := os.Stat(s.path + "-wal")
	if err != nil || info.Size() < s.walLimit {
		return
	}
	resume := s.readers.pause()
	defer resume()
	for range 100 {
		r, found, err := s.writer.row("PRAGMA wal_checkpoint(TRUNCATE)")
		if err != nil && !busy(err) || err == nil && found && r.num(0) == 0 {
			return
		}
		<-s.clock.After(pollInterval)
	}
}
