package store

// walk reads the positions below a prefix. Fetching the texts of documents costs
// more than finding them, so a view begins without and asks for texts from the
// first document on that is not in the cache.
type walk struct {
	scan         *scan
	kind, prefix string
	cached       bool
	more         bool
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
	live := w.scan.live
	next := stub{at: position{live.str(0), live.str(1)}, revision: live.num(2)}
	if w.cached {
		if d, ok := w.scan.tx.store.cache.peek(next.revision); ok {
			next.doc = d
		} else {
			w.scan.live, w.cached = nil, false
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
	return next, true, err
}
