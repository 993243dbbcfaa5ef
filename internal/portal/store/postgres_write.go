package store

import (
	"encoding/json"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// ownWrites are what an update did so far and what it knows of the state before.
type ownWrites struct {
	docs map[Kind]*family
	// writes count the first write of each name; order lists them.
	writes map[string]int
	order  []touched
	// seen are the documents of before by name, nil where there was none.
	seen map[string]Doc
	// kept are the documents of the commit by revision.
	kept map[int64]keptDoc
}

// touched is a document that was put or deleted.
type touched struct {
	kind Kind
	key  string
}

type keptDoc struct {
	doc  Doc
	size int
}

func newOwnWrites() *ownWrites {
	return &ownWrites{docs: map[Kind]*family{}, writes: map[string]int{}, seen: map[string]Doc{}}
}

// get tells what the update knows about a key by itself.
func (o *ownWrites) get(k Kind, key string) (d Doc, known bool) {
	name := nameOf(k, key)
	if _, ok := o.writes[name]; !ok {
		d, known = o.seen[name]
		return d, known
	}
	if f := o.docs[k]; f != nil {
		if i := f.get(key); i != nil {
			return i.doc, true
		}
	}
	return nil, true
}

// saw notes a document of the state before the update, nil for none.
func (o *ownWrites) saw(k Kind, key string, d Doc) { o.seen[nameOf(k, key)] = d }

func (o *ownWrites) note(k Kind, key string) {
	name := nameOf(k, key)
	if _, ok := o.writes[name]; !ok {
		o.order = append(o.order, touched{k, key})
		o.writes[name] = len(o.order)
	}
}

func (o *ownWrites) put(k Kind, i *item, x Indexes) {
	f := o.docs[k]
	if f == nil {
		f = newFamily()
		o.docs[k] = f
	}
	f.put(i, func(d Doc) []Entry { return x.entriesOf(k, d) })
	o.note(k, i.key)
}

func (o *ownWrites) remove(k Kind, key string, x Indexes) {
	if f := o.docs[k]; f != nil {
		if i := f.get(key); i != nil {
			f.remove(i, func(d Doc) []Entry { return x.entriesOf(k, d) })
		}
	}
	o.note(k, key)
}

// hides tells whether a document of the state before had been written to when
// the update had made n first writes.
func (o *ownWrites) hides(k Kind, key string, n int) bool {
	first, ok := o.writes[nameOf(k, key)]
	return ok && first <= n
}

// docRows are rows of portal_doc, column by column.
type docRows struct {
	kinds, names, keys, created, prefix1, prefix2, prefix3, texts []string
	revisions                                                     []int64
	exact                                                         []bool
}

func (r *docRows) add(k Kind, i *item, revision int64) {
	name := short(i.key)
	key := ""
	if name != i.key {
		key = i.key
	}
	r.kinds = append(r.kinds, string(k))
	r.names = append(r.names, name)
	r.keys = append(r.keys, key)
	r.created = append(r.created, createdText(i.created))
	ends := properPrefixes(i.key)
	for n, column := range []*[]string{&r.prefix1, &r.prefix2, &r.prefix3} {
		prefix := ""
		if n < len(ends) {
			prefix = short(i.key[:ends[n]])
		}
		*column = append(*column, prefix)
	}
	r.texts = append(r.texts, encodeBody(i.doc))
	r.revisions = append(r.revisions, revision)
	r.exact = append(r.exact, jsonbKeeps(i.doc, 0))
}

func (r *docRows) upsert(changed string) query {
	return ask(`INSERT INTO portal_doc (kind, name, key, created, prefix1, prefix2, prefix3, revision, changed, body, raw)
		SELECT kind, name, nullif(key, ''), created, nullif(prefix1, ''), nullif(prefix2, ''), nullif(prefix3, ''), revision, `+changed+`,
			CASE WHEN exact THEN body::jsonb END, CASE WHEN NOT exact THEN body END
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::boolean[])
			AS x(kind, name, key, created, prefix1, prefix2, prefix3, revision, body, exact)
		ON CONFLICT (kind, name) DO UPDATE SET created = excluded.created, revision = excluded.revision,
			changed = excluded.changed, body = excluded.body, raw = excluded.raw`,
		nil, r.kinds, r.names, r.keys, r.created, r.prefix1, r.prefix2, r.prefix3, r.revisions, r.texts, r.exact)
}

// deadRows are documents that go.
type deadRows struct{ kinds, names, keys []string }

func (r *deadRows) add(k Kind, key string) {
	r.kinds = append(r.kinds, string(k))
	r.names = append(r.names, short(key))
	r.keys = append(r.keys, key)
}

func (r *deadRows) remove() query {
	return ask(`DELETE FROM portal_doc d USING unnest($1::text[], $2::text[]) AS x(kind, name) WHERE d.kind = x.kind AND d.name = x.name`,
		nil, r.kinds, r.names)
}

// bury notes the deletions for whoever asks what changed.
func (r *deadRows) bury() query {
	return ask(`INSERT INTO portal_deleted (kind, name, key, changed, at)
		SELECT kind, name, key, pg_current_xact_id()::text::bigint, now() FROM unnest($1::text[], $2::text[], $3::text[]) AS x(kind, name, key)
		ON CONFLICT (kind, name) DO UPDATE SET changed = excluded.changed, at = excluded.at`,
		nil, r.kinds, r.names, r.keys)
}

// statements are what the update comes to.
func (tx *postgresTx) statements() (queries []query, err error) {
	if err := tx.started(); err != nil {
		return nil, err
	}
	if err := tx.before(); err != nil {
		return nil, err
	}
	var (
		o          = tx.own
		indexes    = tx.store.options.Indexes
		live       docRows
		dead       deadRows
		gone, come entryRows
	)
	revisions, err := tx.store.reserved.take(len(o.order), tx.reserve)
	if err != nil {
		return nil, err
	}
	o.kept = make(map[int64]keptDoc, len(o.order))
	for n, w := range o.order {
		var i *item
		if f := o.docs[w.kind]; f != nil {
			i = f.get(w.key)
		}
		old := o.seen[nameOf(w.kind, w.key)]
		before := indexes.entriesOf(w.kind, old)
		if i == nil {
			dead.add(w.kind, w.key)
			gone.add(w.kind, short(w.key), "", before)
			continue
		}
		live.add(w.kind, i, revisions[n])
		o.kept[revisions[n]] = keptDoc{i.doc, len(live.texts[len(live.texts)-1])}
		after := indexes.entriesOf(w.kind, i.doc)
		gone.add(w.kind, short(w.key), "", without(before, after))
		if old == nil || createdOf(old) != i.created {
			before = nil // the entries hold the creation too
		}
		come.add(w.kind, short(w.key), createdText(i.created), without(after, before))
	}
	if len(dead.kinds) > 0 {
		queries = append(queries, dead.remove())
		if tx.store.feed {
			queries = append(queries, dead.bury())
			tx.store.buried += len(dead.kinds)
		}
	}
	if len(live.kinds) > 0 {
		changed := "0"
		if tx.store.feed {
			changed = "pg_current_xact_id()::text::bigint"
		}
		queries = append(queries, live.upsert(changed))
	}
	if q, any := gone.remove(); any {
		queries = append(queries, q)
	}
	if q, any := come.insert(); any {
		queries = append(queries, q)
	}
	return queries, nil
}

// before reads the documents that were written without being looked at and whose
// entries have to go.
func (tx *postgresTx) before() error {
	var kinds, names []string
	for _, w := range tx.own.order {
		name := nameOf(w.kind, w.key)
		if _, known := tx.own.seen[name]; known || tx.store.options.Indexes[w.kind] == nil {
			continue
		}
		tx.own.seen[name] = nil
		kinds, names = append(kinds, string(w.kind)), append(names, short(w.key))
	}
	if len(kinds) == 0 {
		return nil
	}
	return tx.ask(ask(`SELECT `+columns+`, d.kind FROM unnest($1::text[], $2::text[]) AS x(kind, name)
		JOIN portal_doc d ON d.kind = x.kind AND d.name = x.name`,
		func(r pgx.Rows) error {
			var kind, name, key, body string
			var revision int64
			if err := r.Scan(&name, &key, &revision, &body, &kind); err != nil {
				return err
			}
			d, err := decodeBody(body)
			tx.own.saw(Kind(kind), key, d)
			return err
		}, kinds, names))
}

func (tx *postgresTx) reserve() (from int64, err error) {
	err = tx.ask(ask("SELECT nextval('portal_revision')", func(r pgx.Rows) error { return r.Scan(&from) }))
	return from, err
}

// keep remembers the decoded documents of a commit.
func (tx *postgresTx) keep() {
	for revision, k := range tx.own.kept {
		tx.store.cache.put(revision, k.doc, k.size)
	}
}

// The numbers that jsonb gives back as they were written have no exponent, no
// sign on a zero and not too many digits; texts have no NUL; and nothing is
// nested so deeply that the server's stack ends.
const (
	maxDigits = 1000
	maxNested = 200
)

// jsonbKeeps reports whether jsonb gives a value back unchanged.
func jsonbKeeps(v any, depth int) bool {
	if depth > maxNested {
		return false
	}
	switch v := v.(type) {
	case string:
		return strings.IndexByte(v, 0) < 0
	case json.Number:
		s := string(v)
		return len(s) <= maxDigits && !strings.ContainsAny(s, "eE") && (s[0] != '-' || strings.ContainsAny(s, "123456789"))
	case []any:
		for _, e := range v {
			if !jsonbKeeps(e, depth+1) {
				return false
			}
		}
	case jsonv.Object:
		for k, e := range v {
			if strings.IndexByte(k, 0) >= 0 || !jsonbKeeps(e, depth+1) {
				return false
			}
		}
	}
	return true
}
