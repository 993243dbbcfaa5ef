package catalog

import (
	"hash/fnv"
	"io"
)

// A reach is the set of entities that an aggregation of one entity looks at,
// with what it takes to follow changes of the catalog without walking it again
// (reference/catalog.md §2.9 A2, A5). It holds for the state of the catalog that
// the session of its last build or adjust saw.
type reach interface {
	// build walks the catalog.
	build(s *session) error
	// adjust takes in that some entities may have changed, and names those that it
	// now holds or watches otherwise. done is false when it is cheaper to build.
	adjust(s *session, changed []entityKey) (touched []entityKey, done bool, err error)
	has(k entityKey) bool
	each(func(entityKey) error) error
	// watches tells which changes concern the reach.
	watches(k entityKey) watchKind
	eachWatched(func(entityKey))
	// steady is false when adjust cannot tell what changes: then the reach must be
	// built for every state of the catalog.
	steady() bool
	// known is false when the path does not resolve; then the value is null.
	known() bool
}

// watchKind says which changes concern whoever watches an entity.
type watchKind uint8

const (
	notWatched watchKind = iota
	// watchEntity: changes of the entity itself.
	watchEntity
	// watchArrivals: also changes of entities that point at it, or come to do so.
	watchArrivals
)

// relatedReach unites what root depends on and what depends on it (A2).
type relatedReach struct {
	root entityKey
	// up is what root depends on, and root itself; down is what depends on it. The
	// values are prints of their relations, so that other changes cost nothing.
	up, down map[entityKey]uint64
	// upRoot is set when a cycle leads from root back to it.
	upRoot bool
}

func (*relatedReach) steady() bool { return true }
func (*relatedReach) known() bool  { return true }

func (r *relatedReach) has(k entityKey) bool {
	if _, ok := r.down[k]; ok {
		return true
	}
	_, ok := r.up[k]
	return ok && (k != r.root || r.upRoot)
}

func (r *relatedReach) each(f func(entityKey) error) error {
	for k := range r.down {
		if err := f(k); err != nil {
			return err
		}
	}
	for k := range r.up {
		if _, both := r.down[k]; both || k == r.root && !r.upRoot {
			continue
		}
		if err := f(k); err != nil {
			return err
		}
	}
	return nil
}

func (r *relatedReach) watches(k entityKey) watchKind {
	if k == r.root {
		return watchArrivals
	}
	if _, ok := r.down[k]; ok {
		return watchArrivals
	}
	if _, ok := r.up[k]; ok {
		return watchEntity
	}
	return notWatched
}

func (r *relatedReach) eachWatched(f func(entityKey)) {
	for k := range r.down {
		f(k)
	}
	for k := range r.up {
		if _, both := r.down[k]; !both {
			f(k)
		}
	}
}

func (r *relatedReach) build(s *session) error {
	if err := r.climb(s); err != nil {
		return err
	}
	r.down = map[entityKey]uint64{}
	_, err := r.join(s, []entityKey{r.root})
	return err
}

// climb walks up anew.
func (r *relatedReach) climb(s *session) error {
	r.up, r.upRoot = map[entityKey]uint64{}, false
	queue := []entityKey{r.root}
	for len(queue) > 0 {
		k := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if _, seen := r.up[k]; seen {
			continue
		}
		print, targets, err := s.pointing(k)
		if err != nil {
			return err
		}
		r.up[k] = print
		for _, t := range targets {
			r.upRoot = r.upRoot || t == r.root
			queue = append(queue, t)
		}
	}
	return nil
}

// join takes in whatever points at the entities of queue, and what points at
// that; it returns what was not there before.
func (r *relatedReach) join(s *session, queue []entityKey) (joined []entityKey, err error) {
	for len(queue) > 0 {
		k := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		err := s.eachReferrer(k, func(_ reference, from entityKey) error {
			if _, ok := r.down[from]; ok {
				return nil
			}
			print, _, err := s.pointing(from)
			if err != nil {
				return err
			}
			r.down[from] = print
			joined, queue = append(joined, from), append(queue, from)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return joined, nil
}

func (r *relatedReach) adjust(s *session, changed []entityKey) (touched []entityKey, done bool, err error) {
	touched, err = r.adjustUp(s, changed)
	if err != nil {
		return nil, false, err
	}
	removed, err := r.release(s, changed)
	if err != nil || removed == nil {
		return nil, false, err
	}
	joined, err := r.admit(s, changed, removed)
	if err != nil {
		return nil, false, err
	}
	for k := range removed {
		touched = append(touched, k)
	}
	return append(touched, joined...), true, nil
}

// adjustUp walks up anew if the relations of something there have changed.
func (r *relatedReach) adjustUp(s *session, changed []entityKey) (touched []entityKey, err error) {
	for _, k := range changed {
		was, ok := r.up[k]
		if !ok {
			continue
		}
		print, _, err := s.pointing(k)
		if err != nil {
			return nil, err
		}
		if print == was {
			continue
		}
		old := r.up
		if err := r.climb(s); err != nil {
			return nil, err
		}
		for k := range old {
			if _, ok := r.up[k]; !ok {
				touched = append(touched, k)
			}
		}
		for k := range r.up {
			if _, ok := old[k]; !ok {
				touched = append(touched, k)
			}
		}
		return append(touched, r.root), nil
	}
	return nil, nil
}

// release takes out what may have lost its way to root: entities whose relations
// changed, and whatever depended on them. Some of it finds another way again,
// see admit; in a cycle nobody can tell before all of it is out. It returns nil
// when that is so much that building is cheaper.
func (r *relatedReach) release(s *session, changed []entityKey) (removed map[entityKey]bool, err error) {
	removed = map[entityKey]bool{}
	var queue []entityKey
	drop := func(k entityKey, unless func(was, is uint64) bool) error {
		was, ok := r.down[k]
		if !ok {
			return nil
		}
		print, targets, err := s.pointing(k)
		if err != nil || unless(was, print) {
			return err
		}
		for _, t := range targets {
			if t == r.root {
				r.down[k] = print // it needs nobody else
				return nil
			}
		}
		delete(r.down, k)
		removed[k] = true
		queue = append(queue, k)
		return nil
	}
	for _, k := range changed {
		if err := drop(k, func(was, is uint64) bool { return was == is }); err != nil {
			return nil, err
		}
	}
	for len(queue) > 0 {
		k := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if len(removed) > maxReleased && len(removed) > len(r.down) {
			return nil, nil
		}
		err := s.eachReferrer(k, func(_ reference, from entityKey) error {
			return drop(from, func(uint64, uint64) bool { return false })
		})
		if err != nil {
			return nil, err
		}
	}
	return removed, nil
}

// maxReleased is how much is always taken out and in again rather than walked anew.
const maxReleased = 500

// admit takes in what has a way to root now, among the changed and the released.
func (r *relatedReach) admit(s *session, changed []entityKey, removed map[entityKey]bool) (joined []entityKey, err error) {
	try := func(k entityKey) error {
		if _, ok := r.down[k]; ok {
			return nil
		}
		print, targets, err := s.pointing(k)
		if err != nil {
			return err
		}
		for _, t := range targets {
			if _, ok := r.down[t]; !ok && t != r.root {
				continue
			}
			r.down[k] = print
			more, err := r.join(s, []entityKey{k})
			joined = append(append(joined, k), more...)
			return err
		}
		return nil
	}
	for k := range removed {
		if err := try(k); err != nil {
			return nil, err
		}
	}
	for _, k := range changed {
		if err := try(k); err != nil {
			return nil, err
		}
	}
	return joined, nil
}

// pointing lists what an entity's relations lead to, with a print of them: equal
// prints mean the same targets. Without the entity there is neither.
func (s *session) pointing(k entityKey) (print uint64, targets []entityKey, err error) {
	doc, err := s.entity(k)
	if err != nil || doc == nil {
		return 0, nil, err
	}
	bp, err := s.blueprint(k.blueprint)
	if err != nil || bp == nil {
		return 0, nil, err
	}
	h := fnv.New64a()
	v := view{doc: doc}
	for _, key := range bp.relationKeys {
		target := bp.relations[key].target
		for _, id := range v.related(key) {
			targets = append(targets, entityKey{target, id})
			for _, part := range []string{key, "\x00", id, "\x01"} {
				_, _ = io.WriteString(h, part) // a hash never fails
			}
		}
	}
	return h.Sum64(), targets, nil
}
