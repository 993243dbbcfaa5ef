package catalog

import (
	"slices"
	"strings"
	"sync"
)

// watchers are those who watch one entity: a few in a list, many in a set.
type watchers struct {
	few  []*kept
	many map[*kept]bool
}

const fewWatchers = 16

func (w *watchers) each(f func(*kept)) {
	if w == nil {
		return
	}
	for _, g := range w.few {
		f(g)
	}
	for g := range w.many {
		f(g)
	}
}

func (w *watchers) add(g *kept) {
	if w.many == nil && len(w.few) < fewWatchers {
		if !slices.Contains(w.few, g) {
			w.few = append(w.few, g)
		}
		return
	}
	if w.many == nil {
		w.many = map[*kept]bool{}
		for _, g := range w.few {
			w.many[g] = true
		}
		w.few = nil
	}
	w.many[g] = true
}

// remove reports whether nobody is left.
func (w *watchers) remove(g *kept) bool {
	if i := slices.Index(w.few, g); i >= 0 {
		w.few = slices.Delete(w.few, i, i+1)
	}
	delete(w.many, g)
	return len(w.few)+len(w.many) == 0
}

// watch makes g watch an entity, or no longer.
func (m *memo) watch(g *kept, k entityKey, kind watchKind) {
	was := g.watched[k]
	if was == kind {
		return
	}
	if all := m.watchersFor(was); all != nil {
		if w := all[k]; w != nil && w.remove(g) {
			delete(all, k)
		}
	}
	if kind == notWatched {
		delete(g.watched, k)
		return
	}
	g.watched[k] = kind
	all := m.watchersFor(kind)
	if all[k] == nil {
		all[k] = &watchers{}
	}
	all[k].add(g)
}

func (m *memo) unwatch(g *kept) {
	for k := range g.watched {
		m.watch(g, k, notWatched)
	}
}

func (m *memo) watchersFor(kind watchKind) map[entityKey]*watchers {
	switch kind {
	case watchEntity:
		return m.entities
	case watchArrivals:
		return m.arrivals
	case notWatched:
	}
	return nil
}

// newReachOf is the reach that a key stands for.
func newReachOf(key keptKey) reach {
	from, path, paths := strings.Cut(key.path, "\x00")
	if !paths {
		return &relatedReach{root: key.root}
	}
	steps := strings.Split(path, "\x00")
	if from == "" {
		return &pathReach{root: key.root, path: steps}
	}
	return &leadingReach{root: key.root, from: from, path: steps}
}

// memos are the memos of the organizations.
type memos struct {
	limit int

	mu    sync.Mutex
	byOrg map[string]*memo
}

// maxMemos bounds the organizations that something is kept for.
const maxMemos = 16

// of is an organization's memo, nil when nothing is to be kept.
func (ms *memos) of(org string) *memo {
	if ms.limit < 0 {
		return nil
	}
	ms.mu.Lock()
	defer ms.mu.Unlock()
	m := ms.byOrg[org]
	if m == nil {
		if len(ms.byOrg) >= maxMemos {
			clear(ms.byOrg)
		}
		m = newMemo(ms.limit)
		ms.byOrg[org] = m
	}
	return m
}

func newMemos(limit int) *memos {
	if limit == 0 {
		limit = defaultKept
	}
	return &memos{limit: limit, byOrg: map[string]*memo{}}
}
