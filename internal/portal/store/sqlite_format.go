package store

import (
	"fmt"
	"strings"
)

// format is the version of the tables below; the file's user_version holds it.
//
//	1: documents and the revision counter.
//	2: positions (scan order below every prefix) and entries (indexed values).
const format = 2

// createDocuments are the tables of format 1. A document's revision is taken
// from meta and belongs to one text of one document for ever.
const createDocuments = `
CREATE TABLE meta (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	revision INTEGER NOT NULL
);
INSERT INTO meta (one, revision) VALUES (1, 0);
CREATE TABLE doc (
	id INTEGER PRIMARY KEY,
	kind TEXT NOT NULL,
	key TEXT NOT NULL,
	created TEXT NOT NULL,
	revision INTEGER NOT NULL,
	body TEXT NOT NULL,
	UNIQUE (kind, key)
)`

// createLookups are what format 2 adds: a document stands in position once for
// every proper prefix of its key and in entry once for every indexed value.
const createLookups = `
ALTER TABLE meta ADD COLUMN indexes TEXT NOT NULL DEFAULT '';
CREATE TABLE position (
	kind TEXT NOT NULL,
	prefix TEXT NOT NULL,
	created TEXT NOT NULL,
	key TEXT NOT NULL,
	doc INTEGER NOT NULL,
	PRIMARY KEY (kind, prefix, created, key)
) WITHOUT ROWID;
CREATE TABLE entry (
	kind TEXT NOT NULL,
	path TEXT NOT NULL,
	value TEXT NOT NULL,
	key TEXT NOT NULL,
	created TEXT NOT NULL,
	doc INTEGER NOT NULL,
	PRIMARY KEY (kind, path, value, key)
) WITHOUT ROWID`

// migrations lead from the format that is their index to the next; 0 is an
// empty file.
var migrations = [format]func(*conn) error{
	func(c *conn) error { return c.script(createDocuments) },
	func(c *conn) error {
		if err := c.script(createLookups); err != nil {
			return err
		}
		return c.each("SELECT id, kind, key, created FROM doc", func(r *rows) error {
			return c.addPositions(r.num(0), r.str(1), position{r.str(3), r.str(2)})
		})
	},
}

// claim marks an empty file as ours. This is a transaction of its own, of one
// page: whenever the process dies, the file is either empty or says whose it
// is. It refuses what another program has put there since it was inspected.
func (c *conn) claim(path string) error {
	id, err := c.number("PRAGMA application_id")
	if err != nil || id == applicationID {
		return err
	}
	empty, err := c.empty()
	if err != nil {
		return err
	}
	if id != 0 || !empty {
		return &NotDataFileError{path, "it is a SQLite database of another program"}
	}
	return c.run(fmt.Sprintf("PRAGMA application_id = %d", applicationID))
}

// empty reports whether the file has neither a format nor tables.
func (c *conn) empty() (bool, error) {
	found, err := c.number("PRAGMA user_version")
	if err != nil || found != 0 {
		return false, err
	}
	tables, err := c.number("SELECT count(*) FROM sqlite_master")
	return tables == 0, err
}

// prepare creates or migrates the tables and brings the entries up to the given
// version of the indexes, all inside the running transaction.
func (c *conn) prepare(path string, indexes Indexes, indexVersion string) error {
	found, err := c.number("PRAGMA user_version")
	if err != nil {
		return err
	}
	if err := c.checkFormat(path, found); err != nil {
		return err
	}
	for ; found < format; found++ {
		if err := migrations[found](c); err != nil {
			return fmt.Errorf("data file %s, from format %d to %d: %w", path, found, found+1, err)
		}
		if err := c.run(fmt.Sprintf("PRAGMA user_version = %d", found+1)); err != nil {
			return err
		}
	}
	r, _, err := c.row("SELECT indexes FROM meta")
	if err != nil {
		return err
	}
	if r.str(0) == mark(indexVersion) {
		return nil
	}
	return c.reindex(indexes, indexVersion)
}

// checkFormat refuses formats that are not ours to read. Format 0 is a file that
// was claimed and has no tables yet.
func (c *conn) checkFormat(path string, found int64) error {
	if found > format {
		return &NewerFormatError{path, int(found), format}
	}
	if found > 0 {
		return nil
	}
	empty, err := c.empty()
	if err == nil && !empty {
		err = &NotDataFileError{path, "it names no data format"}
	}
	return err
}

// mark tells an index version from the empty text of a file without entries.
func mark(indexVersion string) string { return "v:" + indexVersion }

// reindex writes all entries anew.
func (c *conn) reindex(indexes Indexes, indexVersion string) error {
	if err := c.run("DELETE FROM entry"); err != nil {
		return err
	}
	for k := range indexes {
		err := c.each("SELECT id, key, created, body FROM doc WHERE kind = ?", func(r *rows) error {
			d, err := decodeBody(r.str(3))
			if err != nil {
				return err
			}
			return c.addEntries(r.num(0), string(k), position{r.str(2), r.str(1)}, indexes.entriesOf(k, d))
		}, string(k))
		if err != nil {
			return err
		}
	}
	return c.run("UPDATE meta SET indexes = ?", mark(indexVersion))
}

func (c *conn) addPositions(id int64, kind string, at position) error {
	prefixes := properPrefixes(at.key)
	for len(prefixes) > 0 {
		n := min(len(prefixes), maxRows)
		values := append(make([]any, 0, 4+n), kind, at.key, at.created, id)
		for _, end := range prefixes[:n] {
			values = append(values, at.key[:end])
		}
		if err := c.run(insertPositions[n], values...); err != nil {
			return err
		}
		prefixes = prefixes[n:]
	}
	return nil
}

func (c *conn) dropPositions(kind string, at position) error {
	for _, n := range properPrefixes(at.key) {
		err := c.run("DELETE FROM position WHERE kind = ? AND prefix = ? AND created = ? AND key = ?",
			kind, at.key[:n], at.created, at.key)
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) addEntries(id int64, kind string, at position, entries []Entry) error {
	for len(entries) > 0 {
		n := min(len(entries), maxRows)
		values := append(make([]any, 0, 4+2*n), kind, at.key, at.created, id)
		for _, e := range entries[:n] {
			values = append(values, e.Path, e.Value)
		}
		if err := c.run(insertEntries[n], values...); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// maxRows is the most rows of one insertion; a statement for every number of
// rows up to it may be kept prepared.
const maxRows = 16

// The statements that insert a number of rows of one document, whose kind, key,
// creation and id are the first four parameters. Whoever meets an error undoes the
// whole group: "OR FAIL" spares SQLite the journal by which it would undo the
// statement alone.
var (
	insertPositions = insertions("position (kind, key, created, doc, prefix)", 1)
	insertEntries   = insertions("entry (kind, key, created, doc, path, value)", 2)
)

func insertions(into string, own int) (texts [maxRows + 1]string) {
	text, parameter := "INSERT OR FAIL INTO "+into+" VALUES ", 5
	for n := 1; n <= maxRows; n++ {
		if n > 1 {
			text += ", "
		}
		text += "(?1, ?2, ?3, ?4"
		for range own {
			text += fmt.Sprintf(", ?%d", parameter)
			parameter++
		}
		text += ")"
		texts[n] = text
	}
	return texts
}

func (c *conn) dropEntries(kind string, at position, entries []Entry) error {
	for _, e := range entries {
		err := c.run("DELETE FROM entry WHERE kind = ? AND path = ? AND value = ? AND key = ?",
			kind, e.Path, e.Value, at.key)
		if err != nil {
			return err
		}
	}
	return nil
}

// script runs several statements without arguments, one by one.
func (c *conn) script(text string) error {
	for statement := range strings.SplitSeq(text, ";") {
		if err := c.run(statement); err != nil {
			return err
		}
	}
	return nil
}

// each calls f for every row; f must not write to the table that is read.
func (c *conn) each(text string, f func(*rows) error, values ...any) error {
	r, err := c.query(text, values...)
	if err != nil {
		return err
	}
	for {
		found, err := r.next()
		if err == nil && found {
			if err = f(r); err == nil {
				continue
			}
		}
		if closing := r.close(); err == nil {
			err = closing
		}
		return err
	}
}
