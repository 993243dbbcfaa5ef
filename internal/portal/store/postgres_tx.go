package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgresTx is a transaction, begun with the first statement that it needs; own
// is nil in a view. What an update writes stays here until the commit, so every
// statement before sees the state in which the transaction began.
type postgresTx struct {
	store *Postgres
	ctx   context.Context
	conn  *pgx.Conn
	own   *ownWrites
	over  bool
	// locked asks all others that came to the same point to wait.
	locked bool
	// indexed says whether the entries are those of our indexes.
	indexed bool
	// snapshot is the state that is seen, in PostgreSQL's words.
	snapshot string
	// spoiled is the first error of the server in an update: nothing more may
	// happen in it, whatever the function makes of the error.
	spoiled error
}

const (
	beginView   = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	beginUpdate = "BEGIN ISOLATION LEVEL SERIALIZABLE"
)

func (tx *postgresTx) check() error {
	switch {
	case tx.over:
		return ErrDone
	case tx.spoiled != nil:
		return tx.spoiled
	}
	return tx.ctx.Err()
}

// end gives the connection back.
func (tx *postgresTx) end() {
	tx.over = true
	c := tx.conn
	if c == nil {
		return
	}
	tx.conn = nil
	pool := tx.store.pool
	if c.IsClosed() {
		pool.drop(c)
		return
	}
	text := ""
	if c.PgConn().TxStatus() != 'I' {
		text = "ROLLBACK;"
	}
	if tx.locked {
		text += fmt.Sprintf("SELECT pg_advisory_unlock(%d)", lockUpdate)
	}
	if text != "" {
		// The caller's context may have ended, the server may hang.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(tx.ctx), farewell)
		defer cancel()
		if _, err := c.PgConn().Exec(ctx, text).ReadAll(); err != nil {
			pool.drop(c)
			return
		}
	}
	pool.give(c)
}

// farewell bounds the end of a transaction that did not commit, and commitTimeout
// the answer to a commit.
const (
	farewell      = 5 * time.Second
	commitTimeout = 60 * time.Second
)

// trouble explains an error of the server and remembers it.
func (tx *postgresTx) trouble(err error) error {
	if err == nil {
		return nil
	}
	if tx.ctx.Err() != nil {
		err = tx.ctx.Err()
	} else if conflict(err) {
		err = &conflictError{err}
	} else {
		err = tx.store.explain(err)
	}
	if tx.own != nil && tx.spoiled == nil {
		tx.spoiled = err
	}
	return err
}

// ask runs statements in the transaction, which begins with the first of them. A
// connection that turns out to be broken then is replaced: nothing was seen yet.
func (tx *postgresTx) ask(queries ...query) error {
	if err := tx.check(); err != nil {
		return err
	}
	if tx.conn != nil {
		return tx.trouble(run(tx.ctx, tx.conn, queries))
	}
	for {
		c, fresh, err := tx.store.pool.take(tx.ctx)
		if err != nil {
			return tx.trouble(err)
		}
		tx.conn = c
		if err = tx.begin(queries); err == nil {
			return nil
		}
		if fresh || !broken(err) || tx.ctx.Err() != nil {
			return tx.trouble(err)
		}
		tx.conn = nil
		tx.store.pool.drop(c)
	}
}

func (tx *postgresTx) begin(queries []query) error {
	text := beginView
	if tx.own != nil {
		text = beginUpdate
	}
	if tx.locked {
		if _, err := tx.conn.Exec(tx.ctx, "SELECT pg_advisory_lock($1)", lockUpdate); err != nil {
			return err
		}
	}
	var format int
	var indexes string
	about := "SELECT format, indexes, '' FROM portal_meta"
	if tx.store.feed {
		about = "SELECT format, indexes, pg_current_snapshot()::text FROM portal_meta"
	}
	first := []query{ask(text, nil), ask(about, func(r pgx.Rows) error { return r.Scan(&format, &indexes, &tx.snapshot) })}
	if err := run(tx.ctx, tx.conn, append(first, queries...)); err != nil {
		return err
	}
	tx.indexed = indexes == mark(tx.store.options.IndexVersion)
	switch {
	case format != postgresFormat:
		return tx.store.otherFormat(format)
	case tx.own != nil && !tx.indexed:
		return &DatabaseError{Name: tx.store.pool.name(), Reason: "another version of the program took it over"}
	}
	return nil
}

// started begins the transaction if no statement did.
func (tx *postgresTx) started() error {
	if tx.conn != nil {
		return tx.check()
	}
	return tx.ask()
}

// version is a document as the database has it.
type version struct {
	name, key string
	revision  int64
	doc       Doc
}

// columns are what read scans.
const columns = "d.name, coalesce(d.key, d.name), d.revision, coalesce(d.raw, d.body::text)"

func (tx *postgresTx) read(r pgx.Rows) (v version, err error) {
	var body string
	if err := r.Scan(&v.name, &v.key, &v.revision, &body); err != nil {
		return v, err
	}
	v.doc, err = tx.decoded(v.revision, body, false)
	return v, err
}

// decoded is the document of a revision; what a walk passes is kept only while
// there is room.
func (tx *postgresTx) decoded(revision int64, body string, passing bool) (Doc, error) {
	get, put := (*cache).get, (*cache).put
	if passing {
		get, put = (*cache).peek, (*cache).offer
	}
	if d, ok := get(tx.store.cache, revision); ok {
		return d, nil
	}
	d, err := decodeBody(body)
	if err == nil {
		put(tx.store.cache, revision, d, len(body))
	}
	return d, err
}

// Get implements [Tx].
func (tx *postgresTx) Get(k Kind, key ...string) (Doc, error) {
	if err := tx.check(); err != nil {
		return nil, err
	}
	text, err := lookupKey(key)
	if err != nil {
		return nil, err
	}
	d, err := tx.find(k, text)
	if err == nil && d == nil {
		err = ErrNotFound
	}
	return d, err
}

// find is the document under an encoded key, nil when there is none.
func (tx *postgresTx) find(k Kind, key string) (Doc, error) {
	if tx.own != nil {
		if d, known := tx.own.get(k, key); known {
			return d, nil
		}
	}
	var found version
	err := tx.ask(ask("SELECT "+columns+" FROM portal_doc d WHERE d.kind = $1 AND d.name = $2",
		func(r pgx.Rows) (err error) {
			found, err = tx.read(r)
			return err
		}, string(k), short(key)))
	if err != nil {
		return nil, err
	}
	if found.key != key {
		found.doc = nil
	}
	if tx.own != nil {
		tx.own.saw(k, key, found.doc)
	}
	return found.doc, nil
}

func (tx *postgresTx) writable() error {
	if err := tx.check(); err != nil {
		return err
	}
	if tx.own == nil {
		return ErrView
	}
	return nil
}

// Put implements [Tx].
func (tx *postgresTx) Put(k Kind, d Doc, key ...string) error {
	text, err := encodeKey(key)
	if err != nil {
		return err
	}
	if err := checkDocument(d); err != nil {
		return err
	}
	if err := tx.writable(); err != nil {
		return err
	}
	tx.own.put(k, &item{position{createdOf(d), text}, append([]string(nil), key...), d}, tx.store.options.Indexes)
	return nil
}

// Delete implements [Tx].
func (tx *postgresTx) Delete(k Kind, key ...string) error {
	text, err := lookupKey(key)
	if err != nil {
		return err
	}
	if err := tx.writable(); err != nil {
		return err
	}
	d, err := tx.find(k, text)
	if err == nil && d == nil {
		err = ErrNotFound
	}
	if err != nil {
		return err
	}
	tx.own.remove(k, text, tx.store.options.Indexes)
	return nil
}

// Wrote is what [Wrote] asks for.
func (tx *postgresTx) Wrote() bool { return tx.own != nil && len(tx.own.order) > 0 }

// commit writes what the update did and ends it.
func (tx *postgresTx) commit() error {
	if err := tx.check(); err != nil {
		return err
	}
	if tx.conn == nil && len(tx.own.writes) == 0 {
		return nil
	}
	var queries []query
	if len(tx.own.writes) > 0 {
		var err error
		if queries, err = tx.statements(); err != nil {
			return err
		}
	}
	// Whoever stops waiting now would not learn whether the change was kept.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tx.ctx), commitTimeout)
	defer cancel()
	c := tx.conn
	err := run(ctx, c, append(queries, ask("COMMIT", nil)))
	switch {
	case err == nil:
		tx.keep()
		return nil
	case conflict(err):
		return &conflictError{err}
	case c.IsClosed() || errors.Is(err, context.DeadlineExceeded):
		return &UncertainError{err}
	}
	return err
}
