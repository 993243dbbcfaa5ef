package store

import (
	"iter"
	"slices"
)

// scan is a running scan: the rows in order, undecoded.
type scan struct {
	tx     *sqliteTx
	source func() (stub, bool, error)
	live   *rows
	buffer []stub
	whole  bool
}

// stub is a stored document before it is decoded. It has no body when doc is set.
type stub struct {
	at       position
	revision int64
	body     string
	doc      Doc
}

// ref points from an index to a document.
type ref struct {
	at position
	id int64
}

// Scan implements [Tx].
func (tx *sqliteTx) Scan(k Kind, where Where, page Page, prefix ...string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		s, err := tx.open(k, where, page, prefix)
		if err != nil {
			yield(Row{}, err)
			return
		}
		defer s.close()
		left := page.Limit
		for {
			row, wanted, more, err := s.next(where)
			if err != nil {
				yield(Row{}, err)
				return
			}
			if !more {
				return
			}
			if !wanted {
				continue
			}
			if !yield(row, nil) {
				return
			}
			if left--; left == 0 {
				return
			}
		}
	}
}

// next gives the next document and whether where admits it.
func (s *scan) next(where Where) (row Row, wanted, more bool, err error) {
	if err := s.tx.check(); err != nil {
		return Row{}, false, false, err
	}
	found, more, err := s.take()
	if err != nil || !more {
		return Row{}, false, more, s.tx.trouble(err)
	}
	s.tx.store.examined.Add(1)
	d := found.doc
	if d == nil {
		if d, err = s.tx.scanned(found.revision, found.body); err != nil {
			return Row{}, false, false, err
		}
	}
	if where != nil && !where.Match(d) {
		return Row{}, false, true, nil
	}
	key, err := decodeKey(found.at.key)
	return Row{key, d}, true, true, err
}

func (s *scan) take() (stub, bool, error) {
	if !s.whole {
		return s.source()
	}
	if len(s.buffer) == 0 {
		return stub{}, false, nil
	}
	first := s.buffer[0]
	s.buffer = s.buffer[1:]
	return first, true, nil
}

// drain reads the rest now, because the documents are about to change.
func (s *scan) drain() error {
	if s.whole {
		return nil
	}
	for {
		next, more, err := s.source()
		if err != nil {
			return err
		}
		if !more {
			s.whole = true
			return nil
		}
		s.buffer = append(s.buffer, next)
	}
}

func (s *scan) close() {
	if s.live != nil {
		_ = s.live.close() // repeats an error that next has told
		s.live = nil
	}
	s.whole, s.buffer = true, nil
	s.tx.scans = slices.DeleteFunc(s.tx.scans, func(other *scan) bool { return other == s })
}

func (tx *sqliteTx) open(k Kind, where Where, page Page, prefix []string) (*scan, error) {
	if err := tx.check(); err != nil {
		return nil, err
	}
	if tx.group != nil && tx.group.queue.kinds[k] {
		if err := tx.flush(); err != nil {
			return nil, err
		}
	}
	after, paged, err := page.after()
	if err != nil {
		return nil, err
	}
	s := &scan{tx: tx}
	text, possible := scanPrefix(prefix)
	if !possible {
		s.whole = true // nothing can be below a prefix that no key can have
		return s, nil
	}
	refs, few, err := tx.candidates(string(k), text, tx.store.options.Indexes.conditions(k, where), page.wide())
	if err == nil && !few && text == "" {
		refs, err = tx.all(string(k))
		few = true
	}
	if err != nil {
		return nil, tx.trouble(err)
	}
	if few {
		s.source = tx.follow(refs, after, paged)
	} else if err := s.ordered(string(k), text, after, paged); err != nil {
		return nil, tx.trouble(err)
	}
	tx.scans = append(tx.scans, s)
	return s, nil
}

// candidates gathers the documents of the most selective condition; ok is false
// when none admits at most so many.
func (tx *sqliteTx) candidates(kind, prefix string, conditions [][]Entry, most int) (best []ref, ok bool, err error) {
	for _, entries := range conditions {
		if !tx.answers(entries) {
			continue
		}
		var found []ref
		for _, e := range entries {
			more, err := tx.having(e, kind, prefix, most-len(found)+1)
			if err != nil {
				return nil, false, err
			}
			if found = append(found, more...); len(found) > most {
				break
			}
		}
		if len(found) <= most {
			best, ok, most = found, true, len(found)
		}
	}
	return best, ok, nil
}

// answers tells whether the entries can be looked up. The committer has made sure
// of the index of updates, and keys need none.
func (tx *sqliteTx) answers(entries []Entry) bool {
	return tx.group != nil || tx.indexed || !slices.ContainsFunc(entries, func(e Entry) bool { return e.Path != KeyPath })
}

// having finds the documents below prefix that have an index entry, at most limit.
func (tx *sqliteTx) having(e Entry, kind, prefix string, limit int) ([]ref, error) {
	if e.Path == KeyPath {
		key, possible := below(prefix, e.Value)
		if !possible {
			return nil, nil
		}
		return tx.refs("SELECT created, key, id FROM doc WHERE kind = ? AND key = ?", kind, key)
	}
	return tx.refs(
		"SELECT created, key, doc FROM entry WHERE kind = ? AND path = ? AND value = ? AND key >= ? AND key < ? LIMIT ?",
		kind, e.Path, e.Value, prefix, behind(prefix), int64(limit))
}

func (tx *sqliteTx) all(kind string) ([]ref, error) {
	return tx.refs("SELECT created, key, id FROM doc WHERE kind = ?", kind)
}

func (tx *sqliteTx) refs(text string, values ...any) (found []ref, err error) {
	r, more, err := tx.firstOf(text, values...)
	if err != nil {
		return nil, err
	}
	for ; more && err == nil; more, err = r.next() {
		found = append(found, ref{position{r.str(0), r.str(1)}, r.num(2)})
	}
	if closing := r.close(); err == nil {
		err = closing
	}
	return found, err
}

// firstOf starts a query and steps to its first row; the rows stay open.
func (tx *sqliteTx) firstOf(text string, values ...any) (r *rows, more bool, err error) {
	if r, err = tx.conn.query(text, values...); err != nil {
		return nil, false, err
	}
	if more, err = r.next(); err != nil {
		_ = r.close() // repeats err
	}
	return r, more, err
}

// follow gives the documents that refs point to, in order.
func (tx *sqliteTx) follow(refs []ref, after position, paged bool) func() (stub, bool, error) {
	slices.SortFunc(refs, func(a, b ref) int { return a.at.compare(b.at) })
	// One document may have several of the wanted values.
	refs = slices.Compact(refs)
	if paged {
		refs = slices.DeleteFunc(refs, func(r ref) bool { return r.at.compare(after) <= 0 })
	}
	return func() (stub, bool, error) {
		if len(refs) == 0 {
			return stub{}, false, nil
		}
		next := refs[0]
		refs = refs[1:]
		r, found, err := tx.conn.row("SELECT revision, body FROM doc WHERE id = ?", next.id)
		if err != nil || !found {
			return stub{}, false, err
		}
		return stub{at: next.at, revision: r.num(0), body: r.str(1)}, true, nil
	}
}

// ordered makes s walk through the positions below prefix.
func (s *scan) ordered(kind, prefix string, after position, paged bool) error {
	r, found, err := s.tx.first("SELECT created, revision, body FROM doc WHERE kind = ? AND key = ?", kind, prefix)
	if err != nil {
		return err
	}
	// A document may stand at the prefix itself; it joins the others in order.
	var exact *stub
	if found {
		exact = &stub{at: position{r.str(0), prefix}, revision: r.num(1), body: r.str(2)}
		if paged && exact.at.compare(after) <= 0 {
			exact = nil
		}
	}
	w := &walk{scan: s, kind: kind, prefix: prefix, cached: s.tx.group == nil}
	w.record = w.cached && !paged
	if found, ok := w.before(); ok {
		w.again(found, after, paged)
	} else if paged {
		err = w.start("AND (p.created, p.key) > (?, ?) ", after.created, after.key)
	} else {
		err = w.start("")
	}
	if err != nil {
		return err
	}
	next, more, err := w.step()
	if err != nil {
		return err
	}
	s.source = func() (stub, bool, error) {
		if exact != nil && (!more || exact.at.compare(next.at) < 0) {
			first := *exact
			exact = nil
			return first, true, nil
		}
		if !more {
			return stub{}, false, nil
		}
		this := next
		var err error
		next, more, err = w.step()
		return this, true, err
	}
	return nil
}
