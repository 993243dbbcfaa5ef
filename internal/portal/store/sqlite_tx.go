package store

import (
	"context"
	"errors"
	"slices"

	lib "modernc.org/sqlite/lib"
)

var fileTroubles = map[int]string{
	lib.SQLITE_CANTOPEN: "cannot be opened",
	lib.SQLITE_READONLY: "is read-only",
	lib.SQLITE_PERM:     "access is not permitted",
	lib.SQLITE_AUTH:     "access is not permitted",
	lib.SQLITE_FULL:     "the disk is full",
	lib.SQLITE_IOERR:    "the disk reports an error",
	lib.SQLITE_NOTADB:   "is no SQLite database any more",
	lib.SQLITE_CORRUPT:  "is damaged",
}

// sqliteTx is a transaction on one connection; group is nil in a view.
type sqliteTx struct {
	store *SQLite
	ctx   context.Context
	conn  *conn
	group *group
	over  bool
	scans []*scan
	// before counts the changes of the group that were there when an update began.
	before int
	// base is the revision that a view is of.
	base int64
	// absent names the document that was last found not to be there.
	absent string
	// spoiled is the first error of SQLite in an update. It may have cost the
	// whole transaction, so nothing more may happen in it, whatever the
	// function makes of the error.
	spoiled error
	// indexed says whether the entries in the file are those of our indexes:
	// while we run, another version of the program may write them anew.
	indexed bool
}

// end closes the scans that were left open and makes every later use an error.
func (tx *sqliteTx) end() {
	for _, s := range slices.Clone(tx.scans) {
		s.close()
	}
	tx.over = true
}

func (tx *sqliteTx) check() error {
	switch {
	case tx.over:
		return ErrDone
	case tx.spoiled != nil:
		return tx.spoiled
	}
	return tx.ctx.Err()
}

// trouble explains an error of SQLite and remembers it.
func (tx *sqliteTx) trouble(err error) error {
	if err == nil {
		return nil
	}
	err = tx.store.explain(err)
	if tx.group != nil && tx.spoiled == nil {
		tx.spoiled = err
	}
	return err
}

// first runs the query for its first row.
func (tx *sqliteTx) first(text string, values ...any) (r *rows, found bool, err error) {
	r, found, err = tx.conn.row(text, values...)
	if err != nil {
		return nil, false, tx.trouble(err)
	}
	return r, found, nil
}

// document is the decoded form of a stored text.
func (tx *sqliteTx) document(revision int64, body string) (Doc, error) {
	return tx.decoded(revision, body, (*cache).get, (*cache).put)
}

func (tx *sqliteTx) scanned(revision int64, body string) (Doc, error) {
	return tx.decoded(revision, body, (*cache).peek, (*cache).offer)
}

func (tx *sqliteTx) decoded(revision int64, body string, get func(*cache, int64) (Doc, bool), put func(*cache, int64, Doc, int)) (Doc, error) {
	if tx.group != nil && revision > tx.group.base {
		if w, ok := tx.group.written[revision]; ok {
			return w.doc, nil
		}
	}
	if d, ok := get(tx.store.cache, revision); ok {
		return d, nil
	}
	d, err := decodeBody(body)
	if err != nil {
		return nil, err
	}
	put(tx.store.cache, revision, d, len(body))
	return d, nil
}

// Wrote is what [Wrote] asks for.
func (tx *sqliteTx) Wrote() bool { return tx.group != nil && len(tx.group.changes) > tx.before }

// Get implements [Tx].
func (tx *sqliteTx) Get(k Kind, key ...string) (Doc, error) {
	if err := tx.check(); err != nil {
		return nil, err
	}
	text, err := lookupKey(key)
	if err != nil {
		return nil, err
	}
	name, base := nameOf(k, text), tx.base
	if tx.group != nil {
		base = tx.group.base
		if c, ok := tx.group.latest[name]; ok {
			if c.doc == nil {
				return nil, ErrNotFound
			}
			return c.doc, nil
		}
	}
	if d, ok := tx.store.recent.get(base, name); ok {
		return d, nil
	}
	r, found, err := tx.first("SELECT revision, body FROM doc WHERE kind = ? AND key = ?", string(k), text)
	if err != nil {
		return nil, err
	}
	if !found {
		tx.absent = name
		return nil, ErrNotFound
	}
	d, err := tx.document(r.num(0), r.str(1))
	if err == nil {
		tx.store.recent.put(base, name, d, len(r.str(1)))
	}
	return d, err
}

// stored is what a write has to know about the document it replaces.
type stored struct {
	id      int64
	at      position
	entries []Entry
}

func (tx *sqliteTx) stored(k Kind, key string) (stored, bool, error) {
	const columns = "SELECT id, created, revision"
	text := columns + " FROM doc WHERE kind = ? AND key = ?"
	indexed := tx.store.options.Indexes[k] != nil
	if indexed {
		text = columns + ", body FROM doc WHERE kind = ? AND key = ?"
	}
	r, found, err := tx.first(text, string(k), key)
	if err != nil || !found {
		return stored{}, false, err
	}
	old := stored{id: r.num(0), at: position{r.str(1), key}}
	if indexed {
		d, err := tx.document(r.num(2), r.str(3))
		if err != nil {
			return stored{}, false, err
		}
		old.entries = tx.store.options.Indexes.entriesOf(k, d)
	}
	return old, true, nil
}

// writable tells whether a write may happen.
func (tx *sqliteTx) writable() error {
	if err := tx.check(); err != nil {
		return err
	}
	if tx.group == nil {
		return ErrView
	}
	return nil
}

// Put implements [Tx].
func (tx *sqliteTx) Put(k Kind, d Doc, key ...string) error {
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
	name := nameOf(k, text)
	absent := tx.absent == name
	tx.absent = ""
	return tx.wait(waiting{kind: k, key: text, name: name, doc: d, body: encodeBody(d), looked: absent})
}

func (tx *sqliteTx) add(k Kind, at position, entries []Entry, revision int64, body string) error {
	c, kind := tx.conn, string(k)
	id, err := c.insert("INSERT INTO doc (kind, key, created, revision, body) VALUES (?, ?, ?, ?, ?)",
		kind, at.key, at.created, revision, body)
	if err != nil {
		return err
	}
	if err := c.addPositions(id, kind, at); err != nil {
		return err
	}
	return c.addEntries(id, kind, at, entries)
}

func (tx *sqliteTx) replace(k Kind, old stored, at position, entries []Entry, revision int64, body string) error {
	c, kind := tx.conn, string(k)
	err := c.run("UPDATE doc SET created = ?, revision = ?, body = ? WHERE id = ?", at.created, revision, body, old.id)
	if err != nil {
		return err
	}
	gone, come := old.entries, entries
	if at == old.at {
		gone, come = without(old.entries, entries), without(entries, old.entries)
	} else {
		if err := errors.Join(c.dropPositions(kind, old.at), c.addPositions(old.id, kind, at)); err != nil {
			return err
		}
	}
	if err := c.dropEntries(kind, old.at, gone); err != nil {
		return err
	}
	return c.addEntries(old.id, kind, at, come)
}

func without(all, some []Entry) []Entry {
	var out []Entry
	for _, e := range all {
		if !slices.Contains(some, e) {
			out = append(out, e)
		}
	}
	return out
}

// Delete implements [Tx].
func (tx *sqliteTx) Delete(k Kind, key ...string) error {
	text, err := lookupKey(key)
	if err != nil {
		return err
	}
	if err := tx.writable(); err != nil {
		return err
	}
	w := waiting{kind: k, key: text, name: nameOf(k, text)}
	if c, ok := tx.group.latest[w.name]; ok {
		if c.doc == nil {
			return ErrNotFound
		}
	} else {
		if w.old, w.looked, err = tx.stored(k, text); err != nil {
			return err
		}
		if w.found = w.looked; !w.found {
			return ErrNotFound
		}
	}
	return tx.wait(w)
}

func (tx *sqliteTx) remove(k Kind, old stored) error {
	c, kind := tx.conn, string(k)
	return errors.Join(
		c.run("DELETE FROM doc WHERE id = ?", old.id),
		c.dropPositions(kind, old.at),
		c.dropEntries(kind, old.at, old.entries),
	)
}

// Changed implements [Tx].
func (tx *sqliteTx) Changed(since Mark, kinds ...Kind) ([]Change, Mark, bool, error) {
	if err := tx.check(); err != nil {
		return nil, "", false, err
	}
	if tx.group == nil {
		return tx.store.log.since(tx.ctx, since, tx.base, nil, kinds)
	}
	// Of the writes of its group an update sees those of the members before it.
	return tx.store.log.since(tx.ctx, since, tx.group.base, tx.group.changes[:tx.before], kinds)
}
