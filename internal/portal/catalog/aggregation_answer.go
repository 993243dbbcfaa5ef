package catalog

import "strings"

// kept answers an aggregation from what the catalog keeps. ok is false when it
// has to be computed anew: the session sees another state than what is kept, or
// the value rests on what cannot be followed.
func (v *view) kept(key string, a *aggregation) (value any, ok bool, err error) {
	s := v.s
	if !a.keepable() {
		return nil, false, nil
	}
	m, err := s.memo()
	if err != nil || m == nil {
		return nil, false, err
	}
	g := m.at(s, keptKey{v.key, strings.Join(append([]string{a.from}, a.path...), "\x00")})
	if g == nil || !s.hold(g) {
		return nil, false, nil
	}
	defer s.release(g)
	err = s.untraced(func() (err error) {
		value, ok, err = g.answer(s, m, key, a)
		return err
	})
	if err != nil {
		m.drop(g)
	}
	return value, ok, err
}

// hold locks g for the session. One that holds another already does not wait:
// two that wait for each other would wait forever.
func (s *session) hold(g *kept) bool {
	if s.tie.holding > 0 {
		if !g.mu.TryLock() {
			return false
		}
	} else {
		g.mu.Lock()
	}
	s.tie.holding++
	return true
}

func (s *session) release(g *kept) {
	s.tie.holding--
	g.mu.Unlock()
}

func (s *session) edition() edition {
	e := edition{seq: s.tie.seq}
	if len(s.writes) > 0 {
		e.writer, e.writes = s.tie.writer, len(s.writes)
	}
	return e
}

// answer brings g to what the session sees and reads the value there.
func (g *kept) answer(s *session, m *memo, key string, a *aggregation) (value any, ok bool, err error) {
	work := m.take(g, s)
	if work.refused {
		return nil, false, nil
	}
	touched := map[entityKey]bool{}
	if err := g.follow(s, &work, touched); err != nil {
		return nil, false, err
	}
	c, err := g.sum(s, key, a, touched)
	if err != nil {
		return nil, false, err
	}
	if ok = !c.unfit; ok && g.reach.known() {
		value = c.running.value(s.now)
	}
	m.settle(g, s, work, touched)
	return value, ok, nil
}

// sum brings the running result of one aggregation to what the session sees. It
// is unfit when it could not be.
func (g *kept) sum(s *session, key string, a *aggregation, touched map[entityKey]bool) (*keptSum, error) {
	c, now := g.sums[key], s.edition()
	if c != nil && !c.opaque && !c.unfit {
		if err := c.follow(s, g.reach, touched); err != nil {
			return nil, err
		}
	}
	if c == nil || c.of != now && (c.opaque || c.unfit) || s.now.Before(c.from) {
		g.discard(key, touched)
		c = newKeptSum(a)
		g.sums[key] = c
		if err := c.fill(s, g.reach, touched); err != nil {
			return nil, err
		}
	}
	c.of = now
	if c.unfit {
		return c, nil
	}
	return c, c.pass(s, g.reach, touched)
}

// discard forgets the running result of one aggregation.
func (g *kept) discard(key string, touched map[entityKey]bool) {
	if c := g.sums[key]; c != nil {
		for k := range c.readers {
			touched[k] = true
		}
		delete(g.sums, key)
	}
}

// follow takes in what has changed since g was last asked.
func (g *kept) follow(s *session, work *work, touched map[entityKey]bool) error {
	now := s.edition()
	was := edition{g.seq, g.writer, g.writes}
	g.seq, g.writer, g.writes = now.seq, now.writer, now.writes
	if g.reach != nil && !work.anew {
		if g.reach.steady() {
			done, err := g.adjust(s, work.changed, touched)
			if err != nil || done {
				return err
			}
		} else if was == now {
			return nil
		}
	}
	work.anew = true
	g.reach, g.sums = newReachOf(g.key), map[string]*keptSum{}
	return g.reach.build(s)
}

func (g *kept) adjust(s *session, changed []entityKey, touched map[entityKey]bool) (done bool, err error) {
	if len(changed) == 0 {
		return true, nil
	}
	moved, done, err := g.reach.adjust(s, changed)
	if err != nil || !done {
		return false, err
	}
	for _, k := range moved {
		touched[k] = true
	}
	moved = append(moved, changed...)
	for key, c := range g.sums {
		for _, k := range moved {
			c.behind[k] = true
		}
		if len(c.behind) > maxMoved && len(c.behind) > len(c.shares) {
			g.discard(key, touched)
		}
	}
	return true, nil
}
