package catalog

import (
	"container/list"
	"sync"

	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// memo holds what is kept of one organization's aggregations. It knows one state
// of the catalog and moves on with the sessions, by what the store says has
// changed: an entity is looked up once, and those who watch it are told.
type memo struct {
	mu sync.Mutex
	// limit bounds the number of entities and shares kept.
	limit int
	mark  store.Mark
	// seq numbers the states that the memo has seen, epoch the times it began anew.
	seq, epoch uint64
	// doubts counts sessions in a row whose state is neither this one nor, as far
	// as the store can tell, before or after it.
	doubts int
	log    []step
	logged int

	kept   map[keptKey]*list.Element // of *kept, the one asked for last in front
	recent *list.List
	size   int
	// entities and arrivals are who watches an entity, by what for.
	entities, arrivals map[entityKey]*watchers
}

// step is one move of the memo.
type step struct {
	mark store.Mark
	seq  uint64
	keys []entityKey
}

const (
	// defaultKept bounds a memo: a unit is some hundred bytes.
	defaultKept = 2_000_000
	// maxMoved is the most changes that are followed rather than forgotten about.
	maxMoved = 5_000
	// maxSteps and maxLoggedKeys bound the log of moves.
	maxSteps, maxLoggedKeys = 64, 10_000
	// maxDoubts is how many sessions may be of unknown states until the memo
	// starts anew at the state of the next.
	maxDoubts = 2
	// maxOwnWrites bounds what a session takes in of its own.
	maxOwnWrites = 1_000
)

func newMemo(limit int) *memo {
	m := &memo{limit: limit}
	m.reset()
	return m
}

// reset forgets everything kept.
func (m *memo) reset() {
	for e := range m.kept {
		if g, ok := m.kept[e].Value.(*kept); ok {
			g.dropped = true
		}
	}
	m.epoch++
	m.log, m.logged, m.size, m.doubts = nil, 0, 0, 0
	m.kept, m.recent = map[keptKey]*list.Element{}, list.New()
	m.entities, m.arrivals = map[entityKey]*watchers{}, map[entityKey]*watchers{}
}

// tie is how a session stands to the memo.
type tie struct {
	// off is set when the session must not use it: its transaction had written
	// before it began, it has changed definitions, or it only pretends to write.
	off   bool
	tried bool
	memo  *memo
	epoch uint64
	seq   uint64
	// writer stands for the session once it has written.
	writer *writer
	// holding counts what the session has locked.
	holding int
}

// touch notes that an entity is about to be written. The session learns before
// its first write which state it began at.
func (s *session) touch(k entityKey) error {
	if s.dry {
		s.tie.off = true
		return nil
	}
	if len(s.writes) == 0 {
		if _, err := s.memo(); err != nil {
			return err
		}
		s.tie.writer = &writer{}
	}
	s.writes = append(s.writes, k)
	return nil
}

// memo returns the memo if what it keeps can be brought to what the session sees.
func (s *session) memo() (*memo, error) {
	if s.tie.off || len(s.writes) > maxOwnWrites {
		return nil, nil
	}
	if s.tie.tried {
		return s.tie.memo, nil
	}
	s.tie.tried = true
	m := s.cat.memos.of(s.actor.Org)
	if m == nil {
		return nil, nil
	}
	err := s.untraced(func() error { return m.join(s) })
	return s.tie.memo, err
}

// join finds the session's state among those the memo knows, or moves the memo on.
func (m *memo) join(s *session) error {
	for range 3 {
		m.mu.Lock()
		since := m.mark
		m.mu.Unlock()
		changes, now, known, err := s.tx.Changed(since, KindBlueprint, KindEntity)
		if err != nil {
			return err
		}
		m.mu.Lock()
		if m.mark == since {
			defer m.mu.Unlock()
			return m.meet(s, changes, now, known)
		}
		m.mu.Unlock()
	}
	return nil
}

func (m *memo) meet(s *session, changes []store.Change, now store.Mark, known bool) error {
	tied := func(seq uint64) error {
		m.doubts = 0
		s.tie.memo, s.tie.epoch, s.tie.seq = m, m.epoch, seq
		return nil
	}
	if now == m.mark {
		return tied(m.seq)
	}
	if known {
		if err := m.move(s, changes, now); err != nil {
			return err
		}
		return tied(m.seq)
	}
	for i := len(m.log) - 1; i >= 0; i-- {
		if m.log[i].mark == now {
			return tied(m.log[i].seq)
		}
	}
	if n := len(m.log); n > 1 {
		// A state between two that the memo has seen is of no use, and no reason to
		// forget anything.
		_, _, known, err := s.tx.Changed(m.log[n-2].mark, KindBlueprint)
		if err != nil || known {
			return err
		}
	}
	if m.doubts++; m.mark != "" && m.doubts < maxDoubts {
		return nil
	}
	m.reset()
	m.begin(now)
	return tied(m.seq)
}

// begin makes a state the memo's without telling anybody.
func (m *memo) begin(now store.Mark) {
	m.seq++
	m.mark = now
	m.log = append(m.log, step{mark: now, seq: m.seq})
}

// move follows the catalog to a later state.
func (m *memo) move(s *session, changes []store.Change, now store.Mark) error {
	var keys []entityKey
	anew := len(changes) > maxMoved
	for _, c := range changes {
		switch {
		case len(c.Key) == 0 || c.Key[0] != s.actor.Org:
		case c.Kind == KindBlueprint:
			anew = true
		case len(c.Key) == 3:
			keys = append(keys, entityKey{c.Key[1], c.Key[2]})
		}
	}
	if anew {
		m.reset()
		m.begin(now)
		return nil
	}
	m.begin(now)
	m.log[len(m.log)-1].keys = keys
	m.logged += len(keys)
	for len(m.log) > maxSteps || len(m.log) > 1 && m.logged > maxLoggedKeys {
		m.logged -= len(m.log[0].keys)
		m.log = m.log[1:]
	}
	if len(m.kept) == 0 {
		return nil
	}
	for _, k := range keys {
		if err := m.announce(s, k); err != nil {
			m.reset()
			return err
		}
	}
	return nil
}

// announce tells whoever watches an entity, or what it points at, that it has changed.
func (m *memo) announce(s *session, k entityKey) error {
	tell := func(g *kept) { g.note(k, stretch{m.seq, m.seq}) }
	m.entities[k].each(tell)
	m.arrivals[k].each(tell)
	_, targets, err := s.pointing(k)
	if err != nil {
		return err
	}
	for _, t := range targets {
		m.arrivals[t].each(tell)
	}
	doc, err := s.entity(k)
	if err != nil || doc == nil {
		return err
	}
	for _, id := range identifiersOf(doc["team"]) {
		m.arrivals[entityKey{"_team", id}].each(tell)
	}
	return nil
}

// note puts an entity on the list of what g has to look at.
func (g *kept) note(k entityKey, when stretch) {
	if g.overdue {
		return
	}
	if was, ok := g.pending[k]; ok {
		when = stretch{min(was.first, when.first), max(was.last, when.last)}
	}
	if g.pending == nil {
		g.pending = map[entityKey]stretch{}
	}
	if g.pending[k] = when; len(g.pending) > maxMoved && len(g.pending) > g.size/4 {
		g.overdue, g.pending = true, nil
	}
}

// at returns what is kept under a key, making room for it when there is nothing;
// nil when the session is of a time before the memo began anew.
func (m *memo) at(s *session, key keptKey) *kept {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.epoch != s.tie.epoch {
		s.tie.memo = nil
		return nil
	}
	if e, ok := m.kept[key]; ok {
		m.recent.MoveToFront(e)
		g, _ := e.Value.(*kept)
		return g
	}
	g := &kept{key: key, watched: map[entityKey]watchKind{}, size: 1}
	m.kept[key] = m.recent.PushFront(g)
	m.size++
	return g
}

// work is what has to be taken in before g can answer a session.
type work struct {
	refused bool
	anew    bool
	changed []entityKey
}

// take tells what has happened between what g holds for and what the session sees.
func (m *memo) take(g *kept, s *session) work {
	m.mu.Lock()
	defer m.mu.Unlock()
	if g.dropped || g.seq > s.tie.seq {
		return work{refused: true}
	}
	if g.reach == nil || g.overdue {
		return work{anew: true}
	}
	var w work
	own := s.writes
	mine := g.writer != nil && g.writer == s.tie.writer
	if mine {
		own = own[g.writes:]
	}
	for k, when := range g.pending {
		// Own writes are known; they are pending for those who come after.
		if when.first <= s.tie.seq && (when.first > 0 || !mine) {
			w.changed = append(w.changed, k)
		}
	}
	w.changed = append(w.changed, own...)
	w.anew = len(w.changed) > maxMoved
	return w
}

// settle puts down what g now holds for and watches.
func (m *memo) settle(g *kept, s *session, w work, touched map[entityKey]bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if g.dropped {
		return
	}
	if w.anew {
		m.unwatch(g)
		g.reach.eachWatched(func(k entityKey) { touched[k] = true })
		g.overdue = false
	}
	for k := range touched {
		m.watch(g, k, g.watches(k))
	}
	for k, when := range g.pending {
		switch {
		case when.first > s.tie.seq:
		case when.last > s.tie.seq:
			g.pending[k] = stretch{s.tie.seq + 1, when.last}
		default:
			delete(g.pending, k)
		}
	}
	for _, k := range s.writes {
		g.note(k, stretch{0, s.tie.seq})
	}
	m.catchUp(g, s.tie.seq)
	m.resize(g)
}

// catchUp notes whatever has changed since a state that g was brought to while
// the memo is ahead of it: nobody has asked g's new watches then.
func (m *memo) catchUp(g *kept, seq uint64) {
	if seq == m.seq {
		return
	}
	if !m.logReaches(seq) {
		g.overdue, g.pending = true, nil
		return
	}
	for _, step := range m.log {
		if step.seq <= seq {
			continue
		}
		for _, k := range step.keys {
			g.note(k, stretch{step.seq, step.seq})
		}
	}
}

// logReaches tells whether every move since a state is in the log.
func (m *memo) logReaches(seq uint64) bool {
	return len(m.log) > 0 && m.log[0].seq <= seq+1
}

// watches tells what g has to know about an entity.
func (g *kept) watches(k entityKey) watchKind {
	kind := g.reach.watches(k)
	for _, c := range g.sums {
		if kind == notWatched && len(c.readers[k]) > 0 {
			return watchEntity
		}
	}
	return kind
}

// resize takes in how much g holds now and drops what was not asked for longest.
func (m *memo) resize(g *kept) {
	size := 1 + len(g.watched)
	for _, c := range g.sums {
		size += len(c.shares)
	}
	m.size += size - g.size
	g.size = size
	for m.size > m.limit && m.recent.Len() > 0 {
		if oldest, ok := m.recent.Back().Value.(*kept); ok {
			m.forget(oldest)
		}
	}
}

// drop forgets what is kept in g.
func (m *memo) drop(g *kept) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !g.dropped {
		m.forget(g)
	}
}

func (m *memo) forget(g *kept) {
	g.dropped = true
	m.size -= g.size
	m.unwatch(g)
	m.recent.Remove(m.kept[g.key])
	delete(m.kept, g.key)
}
