package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/portlens/terraform-provider-port/internal/portal/clock"
)

// PostgresOptions says how a database is opened; the zero value serves.
type PostgresOptions struct {
	Indexes Indexes
	// IndexVersion is that of [SQLiteOptions].
	IndexVersion string
	// CacheBytes bounds the text length of the documents that are kept decoded;
	// 0 is 128 MiB.
	CacheBytes int
}

// Postgres keeps documents in the tables of a PostgreSQL database that any
// number of portals may use at once. A change is durable before it is
// acknowledged. The updates of one portal run one after another, those of
// several at once; the database refuses what could not have happened one by one,
// and then it is done again.
type Postgres struct {
	options PostgresOptions
	clock   clock.Clock
	gate    gate
	pool    *pool
	cache   *cache
	writer  chan struct{} // holds one token; who has it may update
	// reserved is the range of revisions that were fetched and not given out.
	reserved revisions
	// feed says whether the server can tell what changed.
	feed     bool
	buried   int // deletions since old ones were last cleaned up
	examined atomic.Int64
}

var (
	_ Store = (*Postgres)(nil)
	_ Stats = (*Postgres)(nil)
)

// OpenPostgres connects to the database at url, creates the tables when they are
// missing and brings an older format up to date. [DatabaseError] tells what is in
// the way; neither it nor any other error repeats the password.
func OpenPostgres(ctx context.Context, url string, options PostgresOptions) (Store, error) {
	config, err := parseDatabaseURL(url)
	if err != nil {
		return nil, err
	}
	if options.CacheBytes == 0 {
		options.CacheBytes = 128 << 20
	}
	s := &Postgres{options: options, clock: clock.Real(), cache: newCache(options.CacheBytes), writer: make(chan struct{}, 1)}
	s.pool = newPool(config, s.clock, s.forget)
	s.writer <- struct{}{}
	if err := s.prepare(ctx); err != nil {
		s.pool.close()
		return nil, s.explain(err)
	}
	return s, nil
}

// forget drops what was remembered of a server that may have been another one.
func (s *Postgres) forget() { s.cache.clear() }

// View implements [Store].
func (s *Postgres) View(ctx context.Context, f func(Tx) error) error {
	if err := s.gate.enter(ctx); err != nil {
		return err
	}
	defer s.gate.leave()
	tx := &postgresTx{store: s, ctx: ctx}
	defer tx.end()
	return f(tx)
}

// Update implements [Store].
func (s *Postgres) Update(ctx context.Context, f func(Tx) error) error {
	if err := s.gate.enter(ctx); err != nil {
		return err
	}
	defer s.gate.leave()
	select {
	case <-s.writer:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { s.writer <- struct{}{} }()
	for attempt := 0; ; attempt++ {
		err := s.attempt(ctx, f, attempt >= alone)
		if !errors.As(err, new(*conflictError)) {
			s.cleanUp(ctx)
			return err
		}
		if err := s.wait(ctx, attempt); err != nil {
			return err
		}
	}
}

// alone is the number of conflicts after which an update asks all others that
// also had as many to stand back.
const alone = 4

// attempt runs f once. A conflict is one that the server found, whatever f made
// of it.
func (s *Postgres) attempt(ctx context.Context, f func(Tx) error, locked bool) error {
	tx := &postgresTx{store: s, ctx: ctx, own: newOwnWrites(), locked: locked}
	defer tx.end()
	err := f(tx)
	if tx.spoiled != nil {
		return s.explain(tx.spoiled)
	}
	if err != nil {
		return err
	}
	return s.explain(tx.commit())
}

// wait lets others finish after a conflict. Portals wait for different times, so
// that they do not meet again.
func (s *Postgres) wait(ctx context.Context, attempt int) error {
	d := time.Millisecond << min(attempt, 5)
	d += d * time.Duration(s.pool.salt%16) / 16
	select {
	case <-s.clock.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close implements [Store].
func (s *Postgres) Close() error {
	if s.gate.close() {
		s.pool.close()
	}
	return nil
}

// Examined implements [Stats].
func (s *Postgres) Examined() int64 { return s.examined.Load() }

// revisions are numbers that no other version of any document has. They are
// fetched in ranges; what is left of one when the program ends is never used.
type revisions struct{ next, end int64 }

// revisionRange is the increment of the sequence.
const revisionRange = 1000

// take gives out n revisions; it is called by the one update that runs.
func (r *revisions) take(n int, fetch func() (int64, error)) ([]int64, error) {
	out := make([]int64, 0, n)
	for len(out) < n {
		if r.next == r.end {
			from, err := fetch()
			if err != nil {
				return nil, err
			}
			r.next, r.end = from, from+revisionRange
		}
		out = append(out, r.next)
		r.next++
	}
	return out, nil
}

// query is one statement of a batch and what becomes of its rows.
type query struct {
	text string
	args []any
	each func(pgx.Rows) error
}

func ask(text string, each func(pgx.Rows) error, args ...any) query { return query{text, args, each} }

// run sends statements at once and reads their results in order.
func run(ctx context.Context, c *pgx.Conn, queries []query) (err error) {
	batch := &pgx.Batch{}
	for _, q := range queries {
		batch.Queue(q.text, q.args...)
	}
	results := c.SendBatch(ctx, batch)
	defer func() {
		if e := results.Close(); err == nil {
			err = e
		}
	}()
	for _, q := range queries {
		if err := readResult(results, q); err != nil {
			return err
		}
	}
	return nil
}

func readResult(results pgx.BatchResults, q query) error {
	if q.each == nil {
		_, err := results.Exec()
		return err
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := q.each(rows); err != nil {
			return fmt.Errorf("reading the answer of the database: %w", err)
		}
	}
	return rows.Err()
}
