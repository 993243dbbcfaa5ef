package store

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Every version of a document names the transaction that wrote it, and a mark is
// the server's snapshot of a state: the transactions whose work it shows. What
// changed between two states is what transactions wrote that only the later one
// shows.

// maxChanges is the most changes that are worth listing.
const maxChanges = 1 << 16

// snapshot is the text form of PostgreSQL's pg_snapshot: all transactions below
// xmax are over but those listed, which are at least xmin.
type snapshot struct {
	xmin, xmax uint64
	running    []uint64
}

func parseSnapshot(text string) (s snapshot, ok bool) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return s, false
	}
	numbers := parts[:2]
	if parts[2] != "" {
		numbers = append(numbers, strings.Split(parts[2], ",")...)
	}
	values := make([]uint64, len(numbers))
	for i, n := range numbers {
		var err error
		if values[i], err = strconv.ParseUint(n, 10, 64); err != nil {
			return s, false
		}
	}
	s = snapshot{values[0], values[1], values[2:]}
	return s, s.xmin <= s.xmax && slices.IsSorted(s.running)
}

// shows reports whether the work of a transaction is visible in s.
func (s snapshot) shows(transaction uint64) bool {
	_, running := slices.BinarySearchFunc(s.running, transaction, cmp.Compare[uint64])
	return transaction < s.xmax && !running
}

// within reports whether t shows everything that s shows.
func (s snapshot) within(t snapshot) bool {
	for _, transaction := range t.running {
		if s.shows(transaction) {
			return false
		}
	}
	return s.xmax <= t.xmax
}

// markOf names the state of a snapshot on the server of now.
func (s *Postgres) markOf(snapshot string) Mark { return Mark(s.pool.life() + "|" + snapshot) }

// parseMark is the snapshot of a mark of this server.
func (s *Postgres) parseMark(m Mark) (text string, parsed snapshot, ok bool) {
	life, text, _ := strings.Cut(string(m), "|")
	if life != s.pool.life() {
		return "", snapshot{}, false
	}
	parsed, ok = parseSnapshot(text)
	return text, parsed, ok
}

// Changed implements [Tx].
func (tx *postgresTx) Changed(since Mark, kinds ...Kind) (changes []Change, now Mark, known bool, err error) {
	if err := tx.started(); err != nil {
		return nil, "", false, err
	}
	if !tx.store.feed {
		return nil, tx.store.markOf("unknown"), false, nil
	}
	now = tx.store.markOf(tx.snapshot)
	if since == now {
		return nil, now, true, nil
	}
	text, then, ok := tx.store.parseMark(since)
	seen, _ := parseSnapshot(tx.snapshot)
	if !ok || !then.within(seen) {
		return nil, now, false, nil
	}
	wanted := make([]string, len(kinds))
	for i, k := range kinds {
		wanted[i] = string(k)
	}
	var forgotten int64
	found := map[string]Change{}
	rows := 0
	each := func(r pgx.Rows) error {
		var kind, key string
		if err := r.Scan(&kind, &key); err != nil {
			return err
		}
		rows++
		parts, err := decodeKey(key)
		found[nameOf(Kind(kind), key)] = Change{Kind(kind), parts}
		return err
	}
	const written = ` WHERE changed >= pg_snapshot_xmin($1::text::pg_snapshot)::text::bigint
		AND NOT pg_visible_in_snapshot(changed::text::xid8, $1::text::pg_snapshot)
		AND (cardinality($2::text[]) = 0 OR kind = ANY($2::text[])) LIMIT $3`
	err = tx.ask(
		ask("SELECT forgotten FROM portal_meta", func(r pgx.Rows) error { return r.Scan(&forgotten) }),
		ask("SELECT kind, coalesce(key, name) FROM portal_doc"+written, each, text, wanted, maxChanges),
		ask("SELECT kind, key FROM portal_deleted"+written, each, text, wanted, maxChanges))
	if err != nil {
		return nil, "", false, err
	}
	if rows >= maxChanges || uint64(forgotten) >= then.xmin {
		return nil, now, false, nil
	}
	for _, c := range found {
		changes = append(changes, c)
	}
	return changes, now, true, nil
}

// cleanUpAfter is the number of deletions of this portal after which it looks for
// old ones.
const cleanUpAfter = 10_000

// forgetDeletions cleans up deletions that hardly anybody will ask for. It is no
// part of an update: who began before still sees them, who begins later sees that
// they are forgotten.
const forgetDeletions = `WITH gone AS (DELETE FROM portal_deleted WHERE at < now() - interval '1 hour' RETURNING changed)
	UPDATE portal_meta SET forgotten = greatest(forgotten, (SELECT max(changed) FROM gone)) WHERE EXISTS (SELECT FROM gone)`

// cleanUp runs between two updates. When it does not work now, it will later.
func (s *Postgres) cleanUp(ctx context.Context) {
	if s.buried < cleanUpAfter {
		return
	}
	c, _, err := s.pool.take(ctx)
	if err != nil {
		return
	}
	if _, err = c.Exec(ctx, forgetDeletions); err == nil {
		s.buried = 0
	}
	s.pool.give(c)
}
