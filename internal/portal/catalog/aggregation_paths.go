package catalog

import "slices"

// leadingReach holds the entities of blueprint from whose path ends at root.
type leadingReach struct {
	root entityKey
	from string
	path []string
	// chain are the blueprints along the path, the last one that of root; nil when
	// the path does not resolve.
	chain []*blueprint
	// levels are the identifiers of chain[i]'s entities from which the rest of the
	// path leads to root.
	levels []map[string]bool
	// moving is set when a step depends on more than the entity it starts at.
	moving bool
}

func (r *leadingReach) steady() bool { return !r.moving }
func (r *leadingReach) known() bool  { return r.chain != nil }

func (r *leadingReach) has(k entityKey) bool {
	return r.chain != nil && k.blueprint == r.from && r.levels[0][k.id]
}

func (r *leadingReach) each(f func(entityKey) error) error {
	if r.chain == nil {
		return nil
	}
	for id := range r.levels[0] {
		if err := f(entityKey{r.from, id}); err != nil {
			return err
		}
	}
	return nil
}

func (r *leadingReach) watches(k entityKey) watchKind {
	kind := notWatched
	for i, b := range r.chain {
		if b.id != k.blueprint || !r.levels[i][k.id] {
			continue
		}
		if i > 0 {
			return watchArrivals
		}
		kind = watchEntity
	}
	return kind
}

func (r *leadingReach) eachWatched(f func(entityKey)) {
	seen := map[entityKey]bool{}
	for i, level := range r.levels {
		for id := range level {
			k := entityKey{r.chain[i].id, id}
			if !seen[k] {
				seen[k] = true
				f(k)
			}
		}
	}
}

func (r *leadingReach) build(s *session) (err error) {
	r.levels, r.moving = nil, false
	r.chain, err = s.chain(r.root.blueprint, r.from, r.path)
	if err != nil || r.chain == nil {
		return err
	}
	r.levels = make([]map[string]bool, len(r.chain))
	last := len(r.path)
	r.levels[last] = map[string]bool{r.root.id: true}
	for i := last - 1; i >= 0; i-- {
		if r.path[i] == "$team" {
			inherits, err := s.inherits(r.chain[i])
			if err != nil {
				return err
			}
			r.moving = r.moving || inherits
		}
		r.levels[i] = map[string]bool{}
		for to := range r.levels[i+1] {
			holders, err := s.steppingTo(r.chain[i], r.path[i], to)
			if err != nil {
				return err
			}
			for _, h := range holders {
				r.levels[i][h.id] = true
			}
		}
	}
	return nil
}

func (r *leadingReach) adjust(s *session, changed []entityKey) (touched []entityKey, done bool, err error) {
	if r.chain == nil {
		return nil, true, nil
	}
	var flipped []string // at the level behind
	for i := len(r.path) - 1; i >= 0; i-- {
		bp := r.chain[i]
		candidates := map[string]bool{}
		for _, k := range changed {
			if k.blueprint == bp.id {
				candidates[k.id] = true
			}
		}
		for _, to := range flipped {
			holders, err := s.steppingTo(bp, r.path[i], to)
			if err != nil {
				return nil, false, err
			}
			for _, h := range holders {
				candidates[h.id] = true
			}
		}
		flipped = nil
		for id := range candidates {
			leads, err := r.leads(s, i, id)
			if err != nil {
				return nil, false, err
			}
			if leads == r.levels[i][id] {
				continue
			}
			if leads {
				r.levels[i][id] = true
			} else {
				delete(r.levels[i], id)
			}
			flipped = append(flipped, id)
			touched = append(touched, entityKey{bp.id, id})
		}
	}
	return touched, true, nil
}

// leads tells whether the step at a level leads from an entity to the next level.
func (r *leadingReach) leads(s *session, level int, id string) (bool, error) {
	doc, err := s.entity(entityKey{r.chain[level].id, id})
	if err != nil || doc == nil {
		return false, err
	}
	v := s.viewOf(r.chain[level], doc)
	ids := v.related(r.path[level])
	if r.path[level] == "$team" {
		team, err := v.team()
		if err != nil {
			return false, err
		}
		ids = identifiersOf(team)
	}
	return slices.ContainsFunc(ids, func(id string) bool { return r.levels[level+1][id] }), nil
}

// pathReach holds the ends of a path that starts at root.
type pathReach struct {
	root entityKey
	path []string
	ends map[entityKey]bool
	// on is what the walk looked at; it is walked again when any of that changes.
	on       *trace
	resolves bool
}

func (r *pathReach) steady() bool { return !r.on.opaque && !r.on.fleeting && !r.on.circular }
func (r *pathReach) known() bool  { return r.resolves }

func (r *pathReach) has(k entityKey) bool { return r.ends[k] }

func (r *pathReach) each(f func(entityKey) error) error {
	for k := range r.ends {
		if err := f(k); err != nil {
			return err
		}
	}
	return nil
}

func (r *pathReach) watches(k entityKey) watchKind {
	if k == r.root || slices.Contains(r.on.reads, k) {
		return watchEntity
	}
	return notWatched
}

func (r *pathReach) eachWatched(f func(entityKey)) {
	for _, k := range r.on.reads {
		f(k)
	}
}

func (r *pathReach) build(s *session) (err error) {
	r.ends, r.resolves = map[entityKey]bool{}, true
	r.on, err = s.traced(func() error {
		v, err := s.view(r.root)
		if err != nil || v == nil {
			return err
		}
		ends, _, known, err := v.walk(r.path)
		for _, e := range ends {
			r.ends[e.key] = true
		}
		r.resolves = known
		return err
	})
	return err
}

func (r *pathReach) adjust(s *session, _ []entityKey) (touched []entityKey, done bool, err error) {
	ends, reads := r.ends, r.on.reads
	if err := r.build(s); err != nil {
		return nil, false, err
	}
	for k := range ends {
		touched = append(touched, k)
	}
	for k := range r.ends {
		touched = append(touched, k)
	}
	return append(append(touched, reads...), r.on.reads...), true, nil
}
