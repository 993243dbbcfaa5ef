package store

import (
	"maps"
	"slices"
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

// walks are whole walks at one revision of the file, all of whose documents were
// in the cache: at the same revision the same walk would find the same. They are
// at most maxWalks, the longest ones.
type walks struct {
	revision int64
	found    map[string][]stub
}

const maxWalks = 8

// before returns what the same walk has found before.
func (w *walk) before() ([]stub, bool) {
	last := w.scan.tx.store.walks.Load()
	if !w.cached || last == nil || last.revision != w.scan.tx.base {
		return nil, false
	}
	found, ok := last.found[nameOf(Kind(w.kind), w.prefix)]
	return found, ok
}

// keep offers what was passed to later walks. Two that end at once may lose one.
func (w *walk) keep() {
	tx := w.scan.tx
	next := &walks{tx.base, map[string][]stub{}}
	if last := tx.store.walks.Load(); last != nil && last.revision == tx.base {
		maps.Copy(next.found, last.found)
	}
	next.found[nameOf(Kind(w.kind), w.prefix)] = w.passed
	if len(next.found) > maxWalks {
		shortest, length := "", -1
		for name, found := range next.found {
			if length < 0 || len(found) < length {
				shortest, length = name, len(found)
			}
		}
		delete(next.found, shortest)
	}
	tx.store.walks.Store(next)
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
			w.keep()
		}
	}
	return next, true, err
}
