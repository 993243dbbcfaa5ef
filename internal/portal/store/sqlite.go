package store

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portlens/terraform-provider-port/internal/portal/clock"
)

// SQLiteOptions says how a data file is opened; the zero value serves.
type SQLiteOptions struct {
	Indexes Indexes
	// IndexVersion names what Indexes computes. The entries in the file are
	// written anew when it differs, so it must change whenever an index does.
	IndexVersion string
	// CacheBytes bounds the text length of the documents that are kept decoded;
	// 0 is 128 MiB.
	CacheBytes int
}

// SQLite keeps documents in one SQLite file that any number of processes may
// use at once. A change is on disk before it is acknowledged. Changes that
// arrive while another one is being written share the next commit.
type SQLite struct {
	path     string
	options  SQLiteOptions
	clock    clock.Clock
	gate     gate
	cache    *cache
	recent   *recent
	log      *changeLog
	walks    atomic.Pointer[walks]
	readers  readers
	writer   *conn
	queue    chan *job
	quit     chan struct{}
	stopped  chan struct{}
	examined atomic.Int64
	// contended is when another process last held the write lock.
	contended time.Time
	// walLimit is the size of the write-ahead log at which views have to wait
	// so that it can be emptied; sinceLook counts commits since it was looked at.
	walLimit  int64
	sinceLook int
}

var (
	_ Store = (*SQLite)(nil)
	_ Stats = (*SQLite)(nil)
)

// OpenSQLite opens the data file at path, creates it when there is none or an
// empty one, and brings an older format up to date. It refuses, untouched, what
// is no data file ([NotDataFileError]) or of a later format
// ([NewerFormatError]); [FileAccessError] tells what else is in the way.
func OpenSQLite(ctx context.Context, path string, options SQLiteOptions) (Store, error) {
	s := &SQLite{
		path: path, options: options, clock: clock.Real(),
		queue: make(chan *job, 256), quit: make(chan struct{}), stopped: make(chan struct{}),
		walLimit: 64 << 20,
	}
	if s.options.CacheBytes == 0 {
		s.options.CacheBytes = 128 << 20
	}
	s.cache = newCache(s.options.CacheBytes)
	s.log = newChangeLog()
	s.recent = newRecent(s.options.CacheBytes / 4)
	s.readers = readers{path: path, clock: s.clock, idle: make(chan *conn, maxIdleReaders)}
	fresh, err := inspect(path)
	if err != nil {
		return nil, err
	}
	if err := s.openWriter(ctx, fresh); err != nil {
		return nil, s.explain(err)
	}
	go s.commitForEver()
	return s, nil
}

// openWriter opens the connection that writes and prepares the tables.
func (s *SQLite) openWriter(ctx context.Context, fresh bool) error {
	mode := "mode=rw"
	if fresh {
		mode = "mode=rwc"
	}
	var c *conn
	err := s.patiently(ctx, func() (err error) {
		// A longer log is copied to the file less often: pages that change all the
		// time are copied once for many commits.
		c, err = openConn(s.path, mode, "synchronous = FULL", "wal_autocheckpoint = 4000", "temp_store = MEMORY", "cache_size = -16000")
		return err
	})
	if err != nil {
		return err
	}
	err = s.transaction(ctx, c, func() error { return c.claim(s.path) })
	if err == nil {
		err = s.patiently(ctx, func() error { return c.run("PRAGMA journal_mode = WAL") })
	}
	if err == nil {
		err = s.transaction(ctx, c, func() error { return c.prepare(s.path, s.options.Indexes, s.options.IndexVersion) })
	}
	if err == nil && fresh {
		err = syncDirectory(s.path)
	}
	if err != nil {
		return errors.Join(err, c.close())
	}
	s.writer = c
	return nil
}

func (s *SQLite) transaction(ctx context.Context, c *conn, f func() error) error {
	if err := s.patiently(ctx, func() error { return c.run("BEGIN IMMEDIATE") }); err != nil {
		return err
	}
	err := f()
	if err == nil {
		err = s.patiently(ctx, func() error { return c.run("COMMIT") })
	}
	if err != nil {
		// After some errors SQLite has rolled back by itself; then this one has
		// nothing to do.
		_ = c.run("ROLLBACK") // see above
	}
	return err
}

// explain turns SQLite's errors about the file as a whole into ours.
func (s *SQLite) explain(err error) error {
	reason, known := fileTroubles[code(err)]
	if explained := (*FileAccessError)(nil); !known || errors.As(err, &explained) {
		return err
	}
	return &FileAccessError{s.path, reason, err}
}

// View implements [Store].
func (s *SQLite) View(ctx context.Context, f func(Tx) error) error {
	if err := s.gate.enter(ctx); err != nil {
		return err
	}
	defer s.gate.leave()
	var c *conn
	err := s.patiently(ctx, func() (err error) {
		c, err = s.readers.take(ctx)
		return err
	})
	if err != nil {
		return s.explain(err)
	}
	snapshot, err := s.snapshot(ctx, c)
	if err != nil {
		s.readers.give(c, err)
		return s.explain(err)
	}
	tx := &sqliteTx{store: s, ctx: ctx, conn: c, base: snapshot.num(0), indexed: snapshot.str(1) == mark(s.options.IndexVersion)}
	defer func() {
		tx.end()
		s.readers.give(c, snapshot.close())
	}()
	return f(tx)
}

// snapshot holds a query open, and with it, as long as it is open, SQLite's view
// of the file for everything that the connection reads. It tells which revision
// that view is of.
func (s *SQLite) snapshot(ctx context.Context, c *conn) (r *rows, err error) {
	err = s.patiently(ctx, func() error {
		if r, err = c.query("SELECT revision, indexes FROM meta"); err != nil {
			return err
		}
		found, err := r.next()
		if err == nil && !found {
			err = errors.New("the data file has lost its revision")
		}
		if err != nil {
			return errors.Join(err, r.close())
		}
		return nil
	})
	return r, err
}

// Close implements [Store].
func (s *SQLite) Close() error {
	if !s.gate.close() {
		<-s.stopped
		return nil
	}
	close(s.quit)
	<-s.stopped
	// The writer goes last: the last connection empties the write-ahead log.
	return errors.Join(s.readers.close(), s.writer.close())
}

// Examined implements [Stats].
func (s *SQLite) Examined() int64 { return s.examined.Load() }

// patiently repeats f while another connection holds the lock it needs.
func (s *SQLite) patiently(ctx context.Context, f func() error) error {
	for {
		err := f()
		if !busy(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.clock.After(pollInterval):
		}
	}
}

// pollInterval is how often a lock of another process is tried. SQLite's own
// waiting grows to 100 ms, which a busy neighbour would win each time.
const pollInterval = 300 * time.Microsecond

// readers are the connections that views use. There may be any number, since a
// view inside a view must not wait for its own end, but beyond maxReaders one
// waits a little for another to become free.
type readers struct {
	path  string
	clock clock.Clock
	idle  chan *conn
	open  atomic.Int64
	// paused is a channel while views have to wait; its closing lets them on.
	mu     sync.Mutex
	paused chan struct{}
}

const (
	maxIdleReaders = 16
	maxReaders     = 32
	readerPatience = 20 * time.Millisecond
)

func (r *readers) take(ctx context.Context) (*conn, error) {
	r.mu.Lock()
	paused := r.paused
	r.mu.Unlock()
	if paused != nil {
		select {
		case <-paused:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	select {
	case c := <-r.idle:
		return c, nil
	default:
	}
	if r.open.Load() >= maxReaders {
		timer := r.clock.NewTimer(readerPatience)
		defer timer.Stop()
		select {
		case c := <-r.idle:
			return c, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-timer.C():
		}
	}
	c, err := openConn(r.path, "mode=rw", "query_only = ON", "temp_store = MEMORY", "cache_size = -8000")
	if err == nil {
		r.open.Add(1)
	}
	return c, err
}

// give takes a connection back, or drops one that did not end its transaction.
func (r *readers) give(c *conn, ended error) {
	if ended == nil {
		select {
		case r.idle <- c:
			return
		default:
		}
	}
	r.open.Add(-1)
	_ = c.close() // nothing was written and nobody waits for it
}

func (r *readers) close() error {
	var errs []error
	for {
		select {
		case c := <-r.idle:
			errs = append(errs, c.close())
		default:
			return errors.Join(errs...)
		}
	}
}

// pause keeps new views waiting until resume.
func (r *readers) pause() (resume func()) {
	wait := make(chan struct{})
	r.mu.Lock()
	r.paused = wait
	r.mu.Unlock()
	return func() {
		r.mu.Lock()
		r.paused = nil
		r.mu.Unlock()
		close(wait)
	}
}
