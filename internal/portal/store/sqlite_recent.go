package store

import "sync"

// recent remembers which documents stand under which keys as of one revision of
// the file, so that a view that begins at that revision reads them without SQL.
// Whatever any process commits gives the file another revision: what is here can
// be useless but never wrong. Our own commits carry it along.
type recent struct {
	mu    sync.RWMutex
	limit int
	// revision is the one that docs belong to.
	revision int64
	docs     map[string]cached
	size     int
	// committing is set while it is open whether our commit succeeds. Until then
	// a later revision may be ours, which is no reason to forget.
	committing bool
}

// change is one write of a transaction; doc is nil after a deletion. name is
// that of [nameOf].
type change struct {
	kind     Kind
	key      string
	name     string
	revision int64
	doc      Doc
	size     int
}

func newRecent(limit int) *recent {
	return &recent{limit: limit, docs: map[string]cached{}}
}

// nameOf joins a kind and the text of a key; neither can hold a NUL.
func nameOf(k Kind, key string) string { return string(k) + "\x00" + key }

func (r *recent) get(revision int64, name string) (Doc, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.revision != revision {
		return nil, false
	}
	e, ok := r.docs[name]
	return e.doc, ok
}

// put notes what a transaction that began at revision has read.
func (r *recent) put(revision int64, name string, d Doc, size int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if revision < r.revision || revision > r.revision && r.committing {
		return
	}
	if revision > r.revision {
		r.forget()
		r.revision = revision
	}
	r.set(name, cached{d, size})
}

func (r *recent) set(name string, e cached) {
	size := e.size + len(name)
	if _, ok := r.docs[name]; ok || size > r.limit/4 {
		r.drop(name)
		if size > r.limit/4 {
			return
		}
	}
	if r.size+size > r.limit {
		r.forget()
	}
	r.docs[name] = e
	r.size += size
}

func (r *recent) drop(name string) {
	if e, ok := r.docs[name]; ok {
		r.size -= e.size + len(name)
		delete(r.docs, name)
	}
}

func (r *recent) forget() {
	clear(r.docs)
	r.size = 0
}

// commit runs a commit that leads from base to revision by changes.
func (r *recent) commit(base, revision int64, changes []change, commit func() error) error {
	r.mu.Lock()
	r.committing = true
	r.mu.Unlock()
	err := commit()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.committing = false
	if err != nil || r.revision != base {
		return err
	}
	r.revision = revision
	for _, c := range changes {
		if c.doc == nil {
			r.drop(c.name)
		} else {
			r.set(c.name, cached{c.doc, c.size})
		}
	}
	return nil
}
