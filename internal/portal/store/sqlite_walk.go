package store

import (
	"maps"
	"slices"
	"strings"
)

// walk reads the positions below a prefix. Fetching the texts of documents costs
// more than finding them, so a view begins without and asks for texts from the
// first document on that is not in the cache.
type walk struct {
	scan         *scan
	kind, prefix string
	cached       bool
	more         bool
	// ready are the documents of an earlier walk, instead of a query.
	ready []stub
	// record says that passed may be kept for later walks.
	record bool
	passed []stub
}

// walks are earlier walks from one end to the other, all of whose documents were in
// the cache: at most maxWalks, the longest ones.
type walks struct{ found map[string]wholeWalk }

// wholeWalk is what a walk has found at a revision of the file, and the mark of
// that state, from which it can be carried on to a later one.
type wholeWalk struct {
	revision int64
	mark     Mark
	stubs    []stub
}

const maxWalks = 8

// maxCarried is how many changes a walk is carried over; beyond them it is done
// anew.
const maxCarried = 5_000

// before returns what the same walk has found before: at this revision the same
// walk would find the same, and after a few changes almost the same.
func (w *walk) before() ([]stub, bool) {
	tx := w.scan.tx
	last := tx.store.walks.Load()
	if !w.cached || last == nil {
		return nil, false
	}
	found, ok := last.found[w.name()]
	if !ok || found.revision > tx.base {
		return nil, false
	}
	if found.revision == tx.base {
		return found.stubs, true
	}
	changes, now, known, err := tx.Changed(found.mark, Kind(w.kind))
	if err != nil || !known || len(changes) > maxCarried {
		return nil, false // the walk itself meets the error again
	}
	if found.stubs, err = w.carry(found.stubs, changes); err != nil {
		return nil, false
	}
	found.revision, found.mark = tx.base, now
	w.keep(found)
	return found.stubs, true
}

func (w *walk) name() string { return nameOf(Kind(w.kind), w.prefix) }

// carry applies changes to what an earlier walk found.
func (w *walk) carry(old []stub, changes []Change) ([]stub, error) {
	gone := map[string]bool{}
	var come []stub
	for _, c := range changes {
		key, err := encodeKey(c.Key)
		if err != nil || key == w.prefix || !strings.HasPrefix(key, w.prefix) {
			continue // a key that was written has a text
		}
		gone[key] = true
		r, found, err := w.scan.tx.conn.row("SELECT created, revision, body FROM doc WHERE kind = ? AND key = ?", w.kind, key)
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		next := stub{at: position{r.str(0), key}, revision: r.num(1)}
		if next.doc, err = w.scan.tx.scanned(next.revision, r.str(2)); err != nil {
			return nil, err
		}
		come = append(come, next)
	}
	if len(gone) == 0 {
		return old, nil
	}
	slices.SortFunc(come, func(a, b stub) int { return a.at.compare(b.at) })
	out := make([]stub, 0, len(old)+len(come))
	for _, s := range old {
		for len(come) > 0 && come[0].at.compare(s.at) <= 0 {
			out, come = append(out, come[0]), come[1:]
		}
		if !gone[s.at.key] {
			out = append(out, s)
		}
	}
	return append(out, come...), nil
}

// keep offers a walk to later ones. Two that end at once may lose one.
func (w *walk) keep(found wholeWalk) {
	store := w.scan.tx.store
	next := &walks{map[string]wholeWalk{}}
	if last := store.walks.Load(); last != nil {
		maps.Copy(next.found, last.found)
	}
	next.found[w.name()] = found
	if len(next.found) > maxWalks {
		shortest, length := "", -1
		for name, found := range next.found {
			if length < 0 || len(found.stubs) < length {
				shortest, length = name, len(found.stubs)
			}
		}
		delete(next.found, shortest)
	}
	store.walks.Store(next)
}

// again makes w go over what an earlier walk has found.
func (w *walk) again(found []stub, after position, paged bool) {
	if paged {
		i, _ := slices.BinarySearchFunc(found, after, func(s stub, after position) int {
			if s.at.compare(after) > 0 {
				return 1
			}
			return -1
		})
		found = found[i:]
	}
	w.ready, w.more, w.record = found, len(found) > 0, false
}

// start begins to read behind a bound.
func (w *walk) start(bound string, values ...any) (err error) {
	text := "SELECT p.created, p.key, d.revision, d.body "
	if w.cached {
		text = "SELECT p.created, p.key, d.revision "
	}
	text += "FROM position p CROSS JOIN doc d ON d.id = p.doc WHERE p.kind = ? AND p.prefix = ? " + bound + "ORDER BY p.created, p.key"
	w.scan.live, w.more, err = w.scan.tx.firstOf(text, append([]any{w.kind, w.prefix}, values...)...)
	if err != nil {
		w.scan.live = nil
	}
	return err
}

// step takes the row that stands ready and moves on to the next.
func (w *walk) step() (stub, bool, error) {
	if !w.more {
		return stub{}, false, nil
	}
	if w.ready != nil {
		next := w.ready[0]
		w.ready = w.ready[1:]
		w.more = len(w.ready) > 0
		return next, true, nil
	}
	live := w.scan.live
	next := stub{at: position{live.str(0), live.str(1)}, revision: live.num(2)}
	if w.cached {
		if d, ok := w.scan.tx.store.cache.peek(next.revision); ok {
			next.doc = d
		} else {
			w.scan.live, w.cached = nil, false
			w.record, w.passed = false, nil
			if err := live.close(); err != nil {
				return stub{}, false, err
			}
			if err := w.start("AND (p.created, p.key) >= (?, ?) ", next.at.created, next.at.key); err != nil {
				return stub{}, false, err
			}
			return w.step()
		}
	} else {
		next.body = live.str(3)
	}
	var err error
	w.more, err = live.next()
	if w.record && err == nil {
		w.passed = append(w.passed, next)
		if !w.more {
			if _, now, _, failed := w.scan.tx.Changed("", Kind(w.kind)); failed == nil {
				w.keep(wholeWalk{w.scan.tx.base, now, w.passed})
			}
		}
	}
	return next, true, err
}
