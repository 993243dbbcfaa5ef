package store

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/tidwall/btree"
)

// Memory keeps documents in copy-on-write trees: a view holds the trees of the
// moment it began and neither waits for writers nor makes them wait.
type Memory struct {
	indexes  Indexes
	current  atomic.Pointer[state]
	log      *changeLog
	writer   chan struct{} // holds one token; who has it may publish
	gate     gate
	examined atomic.Int64
}

var (
	_ Store = (*Memory)(nil)
	_ Stats = (*Memory)(nil)
)

// NewMemory makes an empty store that lives as long as the process.
func NewMemory(indexes Indexes) Store {
	m := &Memory{indexes: indexes, writer: make(chan struct{}, 1), log: newChangeLog()}
	m.writer <- struct{}{}
	m.current.Store(&state{})
	return m
}

// View implements [Store].
func (m *Memory) View(ctx context.Context, f func(Tx) error) error {
	if err := m.gate.enter(ctx); err != nil {
		return err
	}
	defer m.gate.leave()
	tx := &memoryTx{store: m, ctx: ctx, base: m.current.Load()}
	defer tx.end()
	return f(tx)
}

// Update implements [Store].
func (m *Memory) Update(ctx context.Context, f func(Tx) error) error {
	if err := m.gate.enter(ctx); err != nil {
		return err
	}
	defer m.gate.leave()
	select {
	case <-m.writer:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { m.writer <- struct{}{} }()
	base := m.current.Load()
	tx := &memoryTx{store: m, ctx: ctx, base: base, changed: trees{}, writable: true}
	defer tx.end()
	if err := f(tx); err != nil {
		return err
	}
	if len(tx.changes) > 0 {
		next := &state{base.revision + 1, make(trees, len(base.trees)+1)}
		maps.Copy(next.trees, base.trees)
		maps.Copy(next.trees, tx.changed)
		m.log.begin(base.revision, next.revision)
		m.current.Store(next)
		m.log.end(true, tx.changes)
	}
	return nil
}

// Close implements [Store].
func (m *Memory) Close() error {
	m.gate.close()
	return nil
}

// Examined implements [Stats].
func (m *Memory) Examined() int64 { return m.examined.Load() }

// state is what a commit published.
type state struct {
	revision int64
	trees    trees
}

// trees are the documents of every kind. Published trees never change.
type trees map[Kind]*family

// family holds the documents of one kind three times over: by key, in scan
// order below each prefix, and by indexed value.
type family struct {
	byKey   *btree.BTreeG[*item]
	ordered *btree.BTreeG[ordered]
	indexed *btree.BTreeG[indexed]
}

type item struct {
	position
	parts []string
	doc   Doc
}

// ordered is an item as a member of the scan below its first prefix bytes.
type ordered struct {
	prefix int
	item   *item
}

type indexed struct {
	path, value string
	item        *item
}

func newFamily() *family {
	options := btree.Options{NoLocks: true, Degree: 8}
	return &family{
		byKey: btree.NewBTreeGOptions(func(a, b *item) bool { return a.key < b.key }, options),
		ordered: btree.NewBTreeGOptions(func(a, b ordered) bool {
			if c := strings.Compare(a.item.key[:a.prefix], b.item.key[:b.prefix]); c != 0 {
				return c < 0
			}
			return a.item.compare(b.item.position) < 0
		}, options),
		indexed: btree.NewBTreeGOptions(func(a, b indexed) bool {
			if c := strings.Compare(a.path, b.path); c != 0 {
				return c < 0
			}
			if c := strings.Compare(a.value, b.value); c != 0 {
				return c < 0
			}
			return a.item.key < b.item.key
		}, options),
	}
}

func (f *family) copy() *family {
	return &family{f.byKey.Copy(), f.ordered.Copy(), f.indexed.Copy()}
}

func (f *family) get(key string) *item {
	found, _ := f.byKey.Get(&item{position: position{key: key}})
	return found
}

func (f *family) put(next *item, entries func(Doc) []Entry) {
	if old, replaced := f.byKey.Set(next); replaced {
		f.forget(old, entries)
	}
	for _, n := range properPrefixes(next.key) {
		f.ordered.Set(ordered{n, next})
	}
	for _, e := range entries(next.doc) {
		f.indexed.Set(indexed{e.Path, e.Value, next})
	}
}

func (f *family) remove(old *item, entries func(Doc) []Entry) {
	f.byKey.Delete(old)
	f.forget(old, entries)
}

func (f *family) forget(old *item, entries func(Doc) []Entry) {
	for _, n := range properPrefixes(old.key) {
		f.ordered.Delete(ordered{n, old})
	}
	for _, e := range entries(old.doc) {
		f.indexed.Delete(indexed{e.Path, e.Value, old})
	}
}

// memoryTx reads base, or its own copy of a family once it has written to it.
type memoryTx struct {
	store    *Memory
	ctx      context.Context
	base     *state
	changed  trees
	changes  []change
	writable bool
	over     bool
}

func (tx *memoryTx) end() { tx.over = true }

func (tx *memoryTx) check() error {
	if tx.over {
		return ErrDone
	}
	return tx.ctx.Err()
}

func (tx *memoryTx) family(k Kind) *family {
	if f := tx.changed[k]; f != nil {
		return f
	}
	return tx.base.trees[k]
}

func (tx *memoryTx) own(k Kind) (*family, error) {
	if err := tx.check(); err != nil {
		return nil, err
	}
	if !tx.writable {
		return nil, ErrView
	}
	f := tx.changed[k]
	if f == nil {
		if f = tx.base.trees[k]; f == nil {
			f = newFamily()
		} else {
			f = f.copy()
		}
		tx.changed[k] = f
	}
	return f, nil
}

func (tx *memoryTx) entries(k Kind) func(Doc) []Entry {
	return func(d Doc) []Entry { return tx.store.indexes.entriesOf(k, d) }
}

// Get implements [Tx].
func (tx *memoryTx) Get(k Kind, key ...string) (Doc, error) {
	if err := tx.check(); err != nil {
		return nil, err
	}
	text, err := lookupKey(key)
	if err != nil {
		return nil, err
	}
	if f := tx.family(k); f != nil {
		if found := f.get(text); found != nil {
			return found.doc, nil
		}
	}
	return nil, ErrNotFound
}

// Put implements [Tx].
func (tx *memoryTx) Put(k Kind, d Doc, key ...string) error {
	text, err := encodeKey(key)
	if err != nil {
		return err
	}
	if err := checkDocument(d); err != nil {
		return err
	}
	f, err := tx.own(k)
	if err != nil {
		return err
	}
	f.put(&item{position{createdOf(d), text}, slices.Clone(key), d}, tx.entries(k))
	tx.note(k, text)
	return nil
}

// Delete implements [Tx].
func (tx *memoryTx) Delete(k Kind, key ...string) error {
	text, err := lookupKey(key)
	if err != nil {
		return err
	}
	f, err := tx.own(k)
	if err != nil {
		return err
	}
	old := f.get(text)
	if old == nil {
		return ErrNotFound
	}
	f.remove(old, tx.entries(k))
	tx.note(k, text)
	return nil
}

func (tx *memoryTx) note(k Kind, key string) {
	tx.changes = append(tx.changes, change{kind: k, key: key, revision: tx.base.revision + 1})
}

// Changed implements [Tx].
func (tx *memoryTx) Changed(since Mark, kinds ...Kind) ([]Change, Mark, bool, error) {
	if err := tx.check(); err != nil {
		return nil, "", false, err
	}
	return tx.store.log.since(tx.ctx, since, tx.base.revision, nil, kinds)
}

// Wrote is what [Wrote] asks for.
func (tx *memoryTx) Wrote() bool { return len(tx.changed) > 0 }

var errStop = errors.New("stop")

// Scan implements [Tx].
func (tx *memoryTx) Scan(k Kind, where Where, page Page, prefix ...string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		after, paged, err := page.after()
		if err == nil {
			err = tx.check()
		}
		if err != nil {
			yield(Row{}, err)
			return
		}
		text, err := encodePrefix(prefix)
		f := tx.family(k)
		if err != nil || f == nil {
			return // nothing can be below a prefix that no key can have
		}
		if tx.writable {
			f = f.copy()
		}
		left := page.Limit
		err = f.walk(text, after, paged, tx.store.indexes.conditions(k, where), page.wide(), func(i *item) error {
			if err := tx.check(); err != nil {
				return err
			}
			tx.store.examined.Add(1)
			if where != nil && !where.Match(i.doc) {
				return nil
			}
			if !yield(Row{i.parts, i.doc}, nil) {
				return errStop
			}
			if left--; left == 0 {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(Row{}, err)
		}
	}
}

// walk visits the items below prefix and behind after in scan order; conditions
// may spare it some that are not wanted.
func (f *family) walk(prefix string, after position, paged bool, conditions [][]Entry, most int, visit func(*item) error) error {
	behind := after
	wanted := func(i *item) bool { return !paged || i.compare(behind) > 0 }
	if found, ok := f.candidates(prefix, conditions, most); ok {
		return visitSorted(found, wanted, visit)
	}
	if prefix == "" {
		return visitSorted(f.byKey.Items(), wanted, visit)
	}
	// A document may stand at the prefix itself; it joins the others in order.
	exact := f.get(prefix)
	if exact != nil && !wanted(exact) {
		exact = nil
	}
	var err error
	if !strings.HasPrefix(after.key, prefix) {
		after.key = prefix // at or before what is wanted, which decides
	}
	f.ordered.Ascend(ordered{len(prefix), &item{position: after}}, func(o ordered) bool {
		if o.prefix != len(prefix) || o.item.key[:o.prefix] != prefix {
			return false
		}
		if !wanted(o.item) {
			return true
		}
		if exact != nil && exact.compare(o.item.position) < 0 {
			first := exact
			exact = nil
			if err = visit(first); err != nil {
				return false
			}
		}
		err = visit(o.item)
		return err == nil
	})
	if err == nil && exact != nil {
		err = visit(exact)
	}
	return err
}

// candidates gathers the items of the most selective condition; ok is false
// when none admits at most so many.
func (f *family) candidates(prefix string, conditions [][]Entry, most int) (best []*item, ok bool) {
	for _, entries := range conditions {
		var found []*item
		for _, e := range entries {
			if found = f.having(e, prefix, found, most); len(found) > most {
				break
			}
		}
		if len(found) <= most {
			best, ok, most = found, true, len(found)
		}
	}
	return best, ok
}

// having appends the items below prefix that have an index entry to found, until
// those are more than most.
func (f *family) having(e Entry, prefix string, found []*item, most int) []*item {
	if e.Path == KeyPath {
		if key, possible := below(prefix, e.Value); possible {
			if i := f.get(key); i != nil {
				found = append(found, i)
			}
		}
		return found
	}
	from := indexed{e.Path, e.Value, &item{position: position{key: prefix}}}
	f.indexed.Ascend(from, func(x indexed) bool {
		if x.path != e.Path || x.value != e.Value || !strings.HasPrefix(x.item.key, prefix) {
			return false
		}
		found = append(found, x.item)
		return len(found) <= most
	})
	return found
}

func visitSorted(items []*item, wanted func(*item) bool, visit func(*item) error) error {
	slices.SortFunc(items, func(a, b *item) int { return a.compare(b.position) })
	// One document may have several of the wanted values.
	items = slices.Compact(items)
	for _, i := range items {
		if !wanted(i) {
			continue
		}
		if err := visit(i); err != nil {
			return err
		}
	}
	return nil
}
