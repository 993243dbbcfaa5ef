package store

// waiting is a write that the file does not hold yet. The writes of a group wait
// in memory until a scan has to see them or the group commits: a member that fails
// then costs nothing to undo, and a document that is written again and again is
// written once.
type waiting struct {
	kind      Kind
	key, name string
	// doc is nil for a deletion.
	doc      Doc
	body     string
	revision int64
	// old is what the file holds, once it was looked for: it is not as long as an
	// earlier write of the document waits too.
	old           stored
	found, looked bool
}

// maxWaiting bounds the text of the documents that wait.
const maxWaiting = 4 << 20

// queue is the writes of a group that wait.
type queue struct {
	list  []waiting
	names map[string]bool
	kinds map[Kind]bool
	size  int
	// own is where those of the running member begin.
	own int
}

func (q *queue) add(w waiting) {
	if q.names == nil {
		q.names, q.kinds = map[string]bool{}, map[Kind]bool{}
	}
	q.list = append(q.list, w)
	q.names[w.name], q.kinds[w.kind] = true, true
	q.size += len(w.body)
}

// cut forgets all writes behind the first n.
func (q *queue) cut(n int) {
	list := q.list[:n]
	clear(q.list[n:])
	clear(q.names)
	clear(q.kinds)
	q.list, q.size, q.own = list[:0], 0, min(q.own, n)
	for _, w := range list {
		q.add(w)
	}
}

// wait puts a write off.
func (tx *sqliteTx) wait(w waiting) error {
	g := tx.group
	if !w.looked && !g.queue.names[w.name] {
		var err error
		if w.old, w.found, err = tx.stored(w.kind, w.key); err != nil {
			return err
		}
		w.looked = true
	}
	g.revision++
	w.revision = g.revision
	if w.doc != nil {
		g.written[w.revision] = written{w.doc, len(w.body)}
	}
	g.changed(change{w.kind, w.key, w.name, w.revision, w.doc, len(w.body)})
	g.queue.add(w)
	if g.queue.size > maxWaiting {
		return tx.flush()
	}
	return nil
}

// flush writes down what waits, in such a way that what the running member has
// written can be undone without the rest. An error is not the member's alone: it
// may be another one's write that does not fit.
func (tx *sqliteTx) flush() error {
	g := tx.group
	// Open scans get hold of what they still have to give, as it was when they began.
	for _, s := range tx.scans {
		if err := s.drain(); err != nil {
			return tx.trouble(err)
		}
	}
	err := tx.writeDown()
	if err != nil {
		g.broken = err
	}
	return tx.trouble(err)
}

func (tx *sqliteTx) writeDown() error {
	g := tx.group
	own := g.queue.own
	// The first member needs no savepoint: undoing it is undoing everything.
	if !g.first && !g.saved {
		if err := tx.write(g.queue.list[:own]); err != nil {
			return err
		}
		if err := tx.conn.run("SAVEPOINT member"); err != nil {
			return err
		}
		g.saved = true
	} else {
		own = 0
	}
	if err := tx.write(g.queue.list[own:]); err != nil {
		return err
	}
	g.flushed = true
	g.queue.cut(0)
	return nil
}

// write brings documents in the file to the last of their waiting states.
func (tx *sqliteTx) write(list []waiting) error {
	last := make(map[string]int, len(list))
	for i := range list {
		last[list[i].name] = i
	}
	for i := range list {
		w := &list[i]
		final, ok := last[w.name]
		if !ok {
			continue // done with the first write of the document
		}
		delete(last, w.name)
		if !w.looked {
			var err error
			if w.old, w.found, err = tx.stored(w.kind, w.key); err != nil {
				return err
			}
		}
		if err := tx.turn(w.old, w.found, &list[final]); err != nil {
			return err
		}
	}
	return nil
}

// turn writes one document.
func (tx *sqliteTx) turn(old stored, found bool, w *waiting) error {
	if w.doc == nil {
		if !found {
			return nil
		}
		return tx.remove(w.kind, old)
	}
	at := position{createdOf(w.doc), w.key}
	entries := tx.store.options.Indexes.entriesOf(w.kind, w.doc)
	if found {
		return tx.replace(w.kind, old, at, entries, w.revision, w.body)
	}
	return tx.add(w.kind, at, entries, w.revision, w.body)
}
