package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// postgresFormat is the version of the tables; portal_meta holds it.
//
//	1: documents, entries (indexed values), and what was deleted lately.
const postgresFormat = 1

// application stands in portal_meta, so that tables of the same names that belong
// to another program are told apart.
const application = "port portal"

// createTables are the tables of format 1.
//
// name is the key, or where that is long a start of it with a digest: an index
// holds no more than some 2,700 bytes. prefix1 to prefix3 begin the key and order
// scans below them. body holds the document, or raw its text when jsonb would
// change it. revision belongs to one version of one document for ever; changed is
// the transaction that wrote it.
const createTables = `
CREATE TABLE portal_meta (
	one integer PRIMARY KEY CHECK (one = 1),
	application text NOT NULL,
	format integer NOT NULL,
	indexes text NOT NULL,
	forgotten bigint NOT NULL
);
INSERT INTO portal_meta VALUES (1, 'port portal', 1, '', 0);
CREATE SEQUENCE portal_revision INCREMENT 1000 START 1;
CREATE TABLE portal_doc (
	kind text COLLATE "C" NOT NULL,
	name text COLLATE "C" NOT NULL,
	key text COLLATE "C",
	created text COLLATE "C" NOT NULL,
	prefix1 text COLLATE "C",
	prefix2 text COLLATE "C",
	prefix3 text COLLATE "C",
	revision bigint NOT NULL,
	changed bigint NOT NULL,
	body jsonb,
	raw text,
	PRIMARY KEY (kind, name)
);
CREATE INDEX portal_doc_prefix1 ON portal_doc (kind, prefix1, created, name) WHERE prefix1 IS NOT NULL;
CREATE INDEX portal_doc_prefix2 ON portal_doc (kind, prefix2, created, name) WHERE prefix2 IS NOT NULL;
CREATE INDEX portal_doc_prefix3 ON portal_doc (kind, prefix3, created, name) WHERE prefix3 IS NOT NULL;
CREATE INDEX portal_doc_changed ON portal_doc (changed);
CREATE TABLE portal_entry (
	kind text COLLATE "C" NOT NULL,
	path text COLLATE "C" NOT NULL,
	value text COLLATE "C" NOT NULL,
	name text COLLATE "C" NOT NULL,
	created text COLLATE "C" NOT NULL,
	PRIMARY KEY (kind, path, value, name)
);
CREATE TABLE portal_deleted (
	kind text COLLATE "C" NOT NULL,
	name text COLLATE "C" NOT NULL,
	key text COLLATE "C" NOT NULL,
	changed bigint NOT NULL,
	at timestamptz NOT NULL,
	PRIMARY KEY (kind, name)
);
CREATE INDEX portal_deleted_changed ON portal_deleted (changed);
CREATE INDEX portal_deleted_at ON portal_deleted (at)`

// portalTables are the names that must be free or ours.
var portalTables = []string{"portal_meta", "portal_doc", "portal_entry", "portal_deleted", "portal_revision"}

// prepare creates or checks the tables. Several portals may do so at once.
func (s *Postgres) prepare(ctx context.Context) error {
	for attempt := 0; ; attempt++ {
		err := s.prepareOnce(ctx)
		// Where advisory locks do nothing, two that create the same table meet here.
		if state := sqlState(err); !conflict(err) && state != "42P07" && state != "42710" || attempt > 20 {
			return err
		}
		if err := s.wait(ctx, attempt); err != nil {
			return err
		}
	}
}

func (s *Postgres) prepareOnce(ctx context.Context) (err error) {
	c, _, err := s.pool.take(ctx)
	if err != nil {
		return err
	}
	defer s.pool.give(c)
	if s.feed, err = s.tellsChanges(ctx, c); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", lockPrepare); err != nil {
			return err
		}
		if err := s.createOrCheck(ctx, tx); err != nil {
			return err
		}
		if s.feed {
			// Numbers from another life of the data, from before it was restored on
			// this server, would look like the future.
			for _, text := range []string{
				"UPDATE portal_doc SET changed = 0 WHERE changed >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint",
				"DELETE FROM portal_deleted WHERE changed >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint",
				"UPDATE portal_meta SET forgotten = 0 WHERE forgotten >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint",
				forgetDeletions,
			} {
				if _, err := tx.Exec(ctx, text); err != nil {
					return err
				}
			}
		}
		return s.reindex(ctx, tx)
	})
}

// The keys of advisory locks ("PLpo" and a number).
const (
	lockPrepare int64 = 0x504c706f<<8 + 1
	lockUpdate  int64 = 0x504c706f<<8 + 2
)

// tellsChanges reports whether the server numbers transactions as PostgreSQL does
// since version 13.
func (s *Postgres) tellsChanges(ctx context.Context, c *pgx.Conn) (bool, error) {
	var found int
	err := c.QueryRow(ctx, "SELECT count(DISTINCT proname) FROM pg_proc WHERE proname IN ('pg_current_snapshot', 'pg_visible_in_snapshot', 'pg_current_xact_id', 'pg_snapshot_xmin', 'pg_snapshot_xmax')").Scan(&found)
	if err != nil || found < 5 {
		return false, err
	}
	var text string
	err = c.QueryRow(ctx, "SELECT pg_current_snapshot()::text").Scan(&text)
	if sqlState(err) != "" {
		return false, nil // named, but not there
	}
	_, ok := parseSnapshot(text)
	return ok, err
}

func (s *Postgres) createOrCheck(ctx context.Context, tx pgx.Tx) error {
	var present []string
	err := tx.QueryRow(ctx, `SELECT coalesce(array_agg(c.relname::text ORDER BY c.relname), '{}') FROM pg_class c
		JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relname = ANY($1)`, portalTables).Scan(&present)
	if err != nil {
		return err
	}
	if len(present) == 0 {
		_, err := tx.Exec(ctx, createTables, pgx.QueryExecModeSimpleProtocol)
		return err
	}
	foreign := &DatabaseError{Name: s.pool.name(), Reason: fmt.Sprintf("%s is there already and belongs to another program", strings.Join(present, ", "))}
	if len(present) < len(portalTables) {
		return foreign
	}
	var owner string
	var found int
	var columns int
	err = tx.QueryRow(ctx, `SELECT count(*) FROM information_schema.columns WHERE table_schema = current_schema()
		AND table_name = 'portal_meta' AND column_name IN ('one', 'application', 'format')`).Scan(&columns)
	if err != nil {
		return err
	}
	if columns < 3 {
		return foreign
	}
	err = tx.QueryRow(ctx, "SELECT application::text, format::integer FROM portal_meta").Scan(&owner, &found)
	switch {
	case errors.Is(err, pgx.ErrNoRows) || err == nil && owner != application:
		return foreign
	case err != nil:
		return err
	case found != postgresFormat:
		return s.otherFormat(found)
	}
	return nil
}

// otherFormat refuses tables of a version that is not ours to read.
func (s *Postgres) otherFormat(found int) error {
	return &NewerFormatError{"database " + s.pool.name(), found, postgresFormat}
}

// reindex writes all entries anew when they are those of other indexes.
func (s *Postgres) reindex(ctx context.Context, tx pgx.Tx) error {
	var found string
	err := tx.QueryRow(ctx, "SELECT indexes FROM portal_meta").Scan(&found)
	if err != nil || found == mark(s.options.IndexVersion) {
		return err
	}
	if _, err := tx.Exec(ctx, "LOCK TABLE portal_doc, portal_entry IN EXCLUSIVE MODE"); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM portal_entry"); err != nil {
		return err
	}
	for k := range s.options.Indexes {
		if err := s.reindexKind(ctx, tx, k); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, "UPDATE portal_meta SET indexes = $1", mark(s.options.IndexVersion))
	return err
}

func (s *Postgres) reindexKind(ctx context.Context, tx pgx.Tx, k Kind) error {
	for last := ""; ; {
		var e entryRows
		rows, err := tx.Query(ctx, "SELECT name, created, coalesce(raw, body::text) FROM portal_doc WHERE kind = $1 AND name > $2 ORDER BY name LIMIT 1000", string(k), last)
		if err != nil {
			return err
		}
		n := 0
		for ; rows.Next(); n++ {
			var created, body string
			if err := rows.Scan(&last, &created, &body); err != nil {
				return err
			}
			d, err := decodeBody(body)
			if err != nil {
				return err
			}
			e.add(k, last, created, s.options.Indexes.entriesOf(k, d))
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		if q, any := e.insert(); any {
			if _, err := tx.Exec(ctx, q.text, q.args...); err != nil {
				return err
			}
		}
	}
}

// entryRows are rows of portal_entry, column by column.
type entryRows struct{ kinds, paths, values, names, created []string }

func (e *entryRows) add(k Kind, name, created string, entries []Entry) {
	for _, x := range entries {
		e.kinds = append(e.kinds, string(k))
		e.paths = append(e.paths, sqlText(x.Path))
		e.values = append(e.values, sqlText(x.Value))
		e.names = append(e.names, name)
		e.created = append(e.created, created)
	}
}

func (e *entryRows) insert() (q query, any bool) {
	return ask(`INSERT INTO portal_entry (kind, path, value, name, created)
		SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
		ON CONFLICT (kind, path, value, name) DO UPDATE SET created = excluded.created`,
		nil, e.kinds, e.paths, e.values, e.names, e.created), len(e.kinds) > 0
}

func (e *entryRows) remove() (q query, any bool) {
	return ask(`DELETE FROM portal_entry e USING unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS x(kind, path, value, name)
		WHERE e.kind = x.kind AND e.path = x.path AND e.value = x.value AND e.name = x.name`,
		nil, e.kinds, e.paths, e.values, e.names), len(e.kinds) > 0
}

// sqlText spells a text without NUL, which no text of PostgreSQL holds; the order
// of texts stays.
func sqlText(s string) string {
	if strings.ContainsAny(s, "\x00\x01\x02") {
		return escapePart.Replace(s)
	}
	return s
}

// The longest texts that stand in an index as they are.
const (
	maxName    = 600
	maxCreated = 120
)

// short bounds a text for an index: a long one is kept as its start and a digest.
func short(text string) string {
	if len(text) <= maxName {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return cut(text, maxName-2*len(sum)) + hex.EncodeToString(sum[:])
}

// cut is the start of a text, at most n bytes of whole characters.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// createdText is the column that orders scans. No timestamp is as long as to be cut.
func createdText(created string) string { return cut(sqlText(created), maxCreated) }
