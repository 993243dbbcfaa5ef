package store

import (
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// postgresScan joins two sources in order: the documents of the state in which
// the transaction began, less those that it wrote to, and its own.
type postgresScan struct {
	tx     *postgresTx
	kind   Kind
	prefix string
	where  Where
	// writes is the number of first writes when the scan began.
	writes int
	stored source
	mine   source
}

// source gives rows chunk by chunk; an empty chunk is the end.
type source struct {
	next  func() ([]*item, error)
	ready []*item
	ended bool
}

func (s *source) peek() (*item, error) {
	if len(s.ready) == 0 && !s.ended {
		var err error
		if s.ready, err = s.next(); err != nil {
			return nil, err
		}
		s.ended = len(s.ready) == 0
	}
	if len(s.ready) == 0 {
		return nil, nil
	}
	return s.ready[0], nil
}

// The first chunk of a scan that may end early, and the largest of any.
const (
	firstChunk = 50
	maxChunk   = 2000
)

// Scan implements [Tx].
func (tx *postgresTx) Scan(k Kind, where Where, page Page, prefix ...string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		s, err := tx.open(k, where, page, prefix)
		if err != nil {
			yield(Row{}, err)
			return
		}
		if s == nil {
			return // nothing can be below a prefix that no key can have
		}
		left := page.Limit
		for {
			if err := tx.check(); err != nil {
				yield(Row{}, err)
				return
			}
			i, err := s.next()
			if err != nil {
				yield(Row{}, err)
				return
			}
			if i == nil {
				return
			}
			tx.store.examined.Add(1)
			if where != nil && !where.Match(i.doc) {
				continue
			}
			if i.parts == nil {
				if i.parts, err = decodeKey(i.key); err != nil {
					yield(Row{}, err)
					return
				}
			}
			if !yield(Row{i.parts, i.doc}, nil) {
				return
			}
			if left--; left == 0 {
				return
			}
		}
	}
}

// next takes the lesser of the two heads.
func (s *postgresScan) next() (*item, error) {
	for {
		stored, err := s.stored.peek()
		if err != nil {
			return nil, err
		}
		mine, err := s.mine.peek()
		if err != nil {
			return nil, err
		}
		if mine != nil && (stored == nil || mine.compare(stored.position) <= 0) {
			s.mine.ready = s.mine.ready[1:]
			return mine, nil
		}
		if stored == nil {
			return nil, nil
		}
		s.stored.ready = s.stored.ready[1:]
		if s.tx.own == nil || !s.tx.own.hides(s.kind, stored.key, s.writes) {
			return stored, nil
		}
	}
}

func (tx *postgresTx) open(k Kind, where Where, page Page, prefix []string) (*postgresScan, error) {
	if err := tx.check(); err != nil {
		return nil, err
	}
	after, paged, err := page.after()
	if err != nil {
		return nil, err
	}
	text, possible := scanPrefix(prefix)
	if !possible {
		return nil, nil
	}
	s := &postgresScan{tx: tx, kind: k, prefix: text, where: where}
	s.mine.ended = true
	conditions := tx.store.options.Indexes.conditions(k, where)
	if tx.own != nil {
		s.writes = len(tx.own.order)
		if f := tx.own.docs[k]; f != nil {
			s.mine = source{next: ownChunks(f.copy(), text, after, paged, conditions)}
		}
	}
	found, few, err := tx.candidates(string(k), text, conditions, page.wide())
	switch {
	case err != nil:
		return nil, err
	case few:
		s.stored.next = s.follow(found, after, paged)
	default:
		s.stored.next, err = s.ordered(after, paged, page)
	}
	return s, err
}

// ownChunks walks the update's own documents.
func ownChunks(f *family, prefix string, after position, paged bool, conditions [][]Entry) func() ([]*item, error) {
	return func() (chunk []*item, err error) {
		err = f.walk(prefix, after, paged, conditions, maxCandidates, func(i *item) error {
			if chunk = append(chunk, i); len(chunk) == firstChunk {
				return errStop
			}
			return nil
		})
		if len(chunk) > 0 {
			after, paged = chunk[len(chunk)-1].position, true
		}
		if errors.Is(err, errStop) {
			err = nil
		}
		return chunk, err
	}
}

// named is a document that an index named: its place, not its content.
type named struct{ created, name string }

// candidates gathers the documents of the most selective condition; ok is false
// when none admits at most so many.
func (tx *postgresTx) candidates(kind, prefix string, conditions [][]Entry, most int) (best []named, ok bool, err error) {
	if len(conditions) == 0 {
		return nil, false, nil
	}
	if err := tx.started(); err != nil {
		return nil, false, err
	}
	for _, entries := range conditions {
		if !tx.indexed && slices.ContainsFunc(entries, func(e Entry) bool { return e.Path != KeyPath }) {
			continue
		}
		found, err := tx.having(entries, kind, prefix, most+1)
		if err != nil {
			return nil, false, err
		}
		if len(found) <= most {
			best, ok, most = found, true, len(found)
		}
	}
	// One document may have several of the wanted values.
	slices.SortFunc(best, func(a, b named) int {
		if c := strings.Compare(a.created, b.created); c != 0 {
			return c
		}
		return strings.Compare(a.name, b.name)
	})
	return slices.Compact(best), ok, nil
}

// having finds the documents below prefix that have one of the entries, once for
// each and no more than limit by the index.
func (tx *postgresTx) having(entries []Entry, kind, prefix string, limit int) (found []named, err error) {
	var paths, values, names []string
	for _, e := range entries {
		if e.Path != KeyPath {
			paths, values = append(paths, sqlText(e.Path)), append(values, sqlText(e.Value))
		} else if key, possible := below(prefix, e.Value); possible {
			names = append(names, short(key))
		}
	}
	each := func(r pgx.Rows) error {
		var n named
		err := r.Scan(&n.created, &n.name)
		found = append(found, n)
		return err
	}
	var queries []query
	if len(paths) > 0 {
		// A long prefix is cut: what else begins so is sorted out later.
		start := cut(prefix, maxName/2)
		end := behind(start)
		if start != prefix {
			end = start + "\U0010ffff"
		}
		queries = append(queries, ask(`SELECT e.created, e.name FROM unnest($2::text[], $3::text[]) AS x(path, value)
			JOIN portal_entry e ON e.kind = $1 AND e.path = x.path AND e.value = x.value AND e.name >= $4 AND e.name < $5 LIMIT $6`,
			each, kind, paths, values, start, end, limit))
	}
	if len(names) > 0 {
		queries = append(queries, ask("SELECT created, name FROM portal_doc WHERE kind = $1 AND name = ANY($2)", each, kind, names))
	}
	if len(queries) == 0 {
		return nil, nil
	}
	if err := tx.ask(queries...); err != nil {
		return nil, err
	}
	return found, nil
}

// follow gives the documents that were named, in order.
func (s *postgresScan) follow(names []named, after position, paged bool) func() ([]*item, error) {
	if paged {
		last := named{createdText(after.created), short(after.key)}
		names = slices.DeleteFunc(names, func(n named) bool {
			return n.created < last.created || n.created == last.created && n.name <= last.name
		})
	}
	size := firstChunk
	return func() ([]*item, error) {
		for len(names) > 0 {
			n := min(size, len(names))
			size = min(2*size, maxChunk)
			wanted := make([]string, n)
			place := make(map[string]int, n)
			for i := range wanted {
				wanted[i] = names[i].name
				place[wanted[i]] = i
			}
			names = names[n:]
			rows := make([]*item, n)
			err := s.tx.ask(ask("SELECT "+columns+" FROM portal_doc d WHERE d.kind = $1 AND d.name = ANY($2)", func(r pgx.Rows) error {
				v, err := s.tx.read(r)
				if err == nil && strings.HasPrefix(v.key, s.prefix) {
					rows[place[v.name]] = v.item()
				}
				return err
			}, string(s.kind), wanted))
			if err != nil {
				return nil, err
			}
			rows = slices.DeleteFunc(rows, func(i *item) bool { return i == nil })
			if len(rows) > 0 {
				return rows, nil
			}
		}
		return nil, nil
	}
}

func (v version) item() *item {
	return &item{position: position{createdOf(v.doc), v.key}, doc: v.doc}
}

// ordered gives the documents below the prefix in order.
func (s *postgresScan) ordered(after position, paged bool, page Page) (func() ([]*item, error), error) {
	size := firstChunk
	if n := max(page.Limit, page.Few); n > 0 {
		size = min(n, maxChunk)
	}
	text, args := s.statement()
	last := named{createdText(after.created), short(after.key)}
	var exact *item
	if s.prefix != "" {
		// A document may stand at the prefix itself; it joins the others in order.
		err := s.tx.ask(ask("SELECT "+columns+" FROM portal_doc d WHERE d.kind = $1 AND d.name = $2", func(r pgx.Rows) error {
			v, err := s.tx.read(r)
			if i := v.item(); err == nil && v.key == s.prefix && (!paged || i.compare(after) > 0) {
				exact = i
			}
			return err
		}, string(s.kind), short(s.prefix)))
		if err != nil {
			return nil, err
		}
	}
	ended := false
	return func() (rows []*item, err error) {
		for len(rows) == 0 && !ended {
			bound := ""
			values := append(slices.Clone(args), size)
			if paged {
				bound = " AND (d.created, d.name) > ($4, $5)"
				values = append(values, last.created, last.name)
			}
			n := 0
			err := s.tx.ask(ask("SELECT d.created, "+columns+text+bound+" ORDER BY d.created, d.name LIMIT $3", func(r pgx.Rows) error {
				n++
				v, err := s.tx.readOrdered(r, &last)
				if err == nil && strings.HasPrefix(v.key, s.prefix) && v.key != s.prefix {
					rows = append(rows, v.item())
				}
				return err
			}, values...))
			if err != nil {
				return nil, err
			}
			paged, ended = true, n < size
			size = min(4*size, maxChunk)
			if exact != nil {
				at, _ := slices.BinarySearchFunc(rows, exact, func(a, b *item) int { return a.compare(b.position) })
				if at < len(rows) || ended {
					rows = slices.Insert(rows, at, exact)
					exact = nil
				}
			}
		}
		return rows, nil
	}, nil
}

// statement selects what is below the prefix by the longest prefix that a column
// holds.
func (s *postgresScan) statement() (text string, args []any) {
	ends := properPrefixes(s.prefix + partEnd) // of a key with one part more
	if len(ends) == 0 {
		return " FROM portal_doc d WHERE d.kind = $1 AND $2 = ''", []any{string(s.kind), ""}
	}
	n := min(len(ends), 3)
	return " FROM portal_doc d WHERE d.kind = $1 AND d.prefix" + string(rune('0'+n)) + " = $2", []any{string(s.kind), short(s.prefix[:ends[n-1]])}
}

// readOrdered is read with the place of the row in front.
func (tx *postgresTx) readOrdered(r pgx.Rows, at *named) (v version, err error) {
	var body string
	if err := r.Scan(&at.created, &v.name, &v.key, &v.revision, &body); err != nil {
		return v, err
	}
	at.name = v.name
	v.doc, err = tx.decoded(v.revision, body, true)
	return v, err
}
