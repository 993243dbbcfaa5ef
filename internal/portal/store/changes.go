package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// changeLog remembers which documents the last changes concerned, for
// [Tx.Changed]. It lives in memory, as long as the handle of the store, and
// holds the newest changes of each kind. A state of the store is a revision; a
// mark names it together with the life of this log.
type changeLog struct {
	limit int // the most changes of one kind

	mu   sync.Mutex
	life string
	// It is whole between the revisions floor and head.
	floor, head int64
	kinds       map[Kind]*kindLog
	pending     *pendingCommit
}

// kindLog holds the changes of one kind behind the revision floor, in order.
type kindLog struct {
	floor   int64
	changes []logged
}

// logged is one change; key is the encoded one.
type logged struct {
	revision int64
	key      string
}

// pendingCommit is a commit of which it is open whether it succeeds.
type pendingCommit struct {
	base, revision int64
	over           chan struct{}
}

// maxLogged bounds the memory of a change log: some 6 MB for each kind.
const maxLogged = 1 << 16

func newChangeLog() *changeLog {
	l := &changeLog{limit: maxLogged}
	l.restart(0)
	return l
}

// restart forgets everything, and that revisions had the meaning they had.
func (l *changeLog) restart(revision int64) {
	l.life = rand.Text()
	l.skip(revision)
}

// skip forgets everything before revision.
func (l *changeLog) skip(revision int64) {
	l.floor, l.head, l.kinds = revision, revision, map[Kind]*kindLog{}
}

// begin announces a commit that leads from base to revision. The caller commits
// and then calls end. What others committed since the last end is unknown.
func (l *changeLog) begin(base, revision int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if base != l.head {
		l.skip(base)
	}
	l.pending = &pendingCommit{base, revision, make(chan struct{})}
}

// end says how the commit went: by which changes, or that it failed, in which
// case its revisions may come to mean something else.
func (l *changeLog) end(committed bool, changes []change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.pending
	l.pending = nil
	close(p.over)
	if !committed {
		l.restart(p.base)
		return
	}
	l.head = p.revision
	for _, c := range changes {
		k := l.kinds[c.kind]
		if k == nil {
			k = &kindLog{floor: l.floor}
			l.kinds[c.kind] = k
		}
		k.add(logged{c.revision, c.key}, l.limit)
	}
}

// add appends one change. When there are twice as many as the limit, the older
// half goes.
func (k *kindLog) add(c logged, limit int) {
	if len(k.changes) >= 2*limit {
		k.floor = k.changes[limit-1].revision
		k.changes = append(make([]logged, 0, 2*limit), k.changes[limit:]...)
	}
	k.changes = append(k.changes, c)
}

// since lists what changed behind the state named from, up to the state that
// began at the revision base plus the uncommitted changes in own.
func (l *changeLog) since(ctx context.Context, from Mark, base int64, own []change, kinds []Kind) (changes []Change, now Mark, known bool, err error) {
	revision := base
	if len(own) > 0 {
		revision = own[len(own)-1].revision
	}
	if err := l.settle(ctx, base); err != nil {
		return nil, "", false, err
	}
	l.mu.Lock()
	now = Mark(l.life + ":" + strconv.FormatInt(revision, 10))
	then, ours := l.parse(from)
	if !ours || then > revision {
		l.mu.Unlock()
		return nil, now, false, nil
	}
	if then == revision {
		l.mu.Unlock()
		return nil, now, true, nil
	}
	found, known := l.between(then, base, kinds)
	l.mu.Unlock()
	if !known {
		return nil, now, false, nil
	}
	for _, c := range own {
		if c.revision > then && (len(kinds) == 0 || slices.Contains(kinds, c.kind)) {
			found[c.kind] = append(found[c.kind], logged{c.revision, c.key})
		}
	}
	changes, err = distinct(found)
	return changes, now, err == nil, err
}

// settle waits until it is decided whether a state that is seen is that of a
// commit of ours under way. It is visible, so the commit is as good as over.
func (l *changeLog) settle(ctx context.Context, base int64) error {
	for {
		l.mu.Lock()
		p := l.pending
		l.mu.Unlock()
		if p == nil || base <= p.base {
			return nil
		}
		select {
		case <-p.over:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// parse reads a mark of this life.
func (l *changeLog) parse(m Mark) (revision int64, ours bool) {
	life, text, _ := strings.Cut(string(m), ":")
	revision, err := strconv.ParseInt(text, 10, 64)
	return revision, err == nil && life == l.life
}

// between copies the changes behind one revision up to another; known is false
// if the log does not hold all of them.
func (l *changeLog) between(then, base int64, kinds []Kind) (found map[Kind][]logged, known bool) {
	found = map[Kind][]logged{}
	if then >= base {
		return found, true
	}
	if then < l.floor || base > l.head {
		return nil, false
	}
	wanted := kinds
	if len(wanted) == 0 {
		for k := range l.kinds {
			wanted = append(wanted, k)
		}
	}
	for _, k := range wanted {
		log := l.kinds[k]
		if log == nil {
			continue
		}
		if then < log.floor {
			return nil, false
		}
		from, to := log.behind(then), log.behind(base)
		if from < to {
			found[k] = slices.Clone(log.changes[from:to])
		}
	}
	return found, true
}

// behind is the index of the first change after a revision.
func (k *kindLog) behind(revision int64) int {
	i, _ := slices.BinarySearchFunc(k.changes, revision, func(c logged, revision int64) int {
		if c.revision > revision {
			return 1
		}
		return -1
	})
	return i
}

// distinct names every document once.
func distinct(found map[Kind][]logged) (out []Change, err error) {
	for k, list := range found {
		slices.SortFunc(list, func(a, b logged) int { return cmp.Compare(a.key, b.key) })
		list = slices.CompactFunc(list, func(a, b logged) bool { return a.key == b.key })
		for _, c := range list {
			parts, err := decodeKey(c.key)
			if err != nil {
				return nil, err
			}
			out = append(out, Change{k, parts})
		}
	}
	return out, nil
}
