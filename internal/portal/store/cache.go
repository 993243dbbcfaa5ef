package store

import "sync"

// cache keeps decoded documents by their revision. A revision is never used
// twice in a file, so an entry can be useless but never wrong, whichever
// process wrote the document. It holds two generations: what was not asked for
// while the younger one filled up goes away with the older one.
type cache struct {
	mu sync.Mutex
	// limit bounds each generation; size and oldSize are what they hold.
	limit   int
	size    int
	oldSize int
	young   map[int64]cached
	old     map[int64]cached
}

type cached struct {
	doc  Doc
	size int
}

// newCache bounds the text length of the documents it holds.
func newCache(limit int) *cache {
	return &cache{limit: limit / 2, young: map[int64]cached{}, old: map[int64]cached{}}
}

func (c *cache) get(revision int64) (Doc, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.young[revision]; ok {
		return e.doc, true
	}
	e, ok := c.old[revision]
	if ok {
		delete(c.old, revision)
		c.oldSize -= e.size
		c.add(revision, e)
	}
	return e.doc, ok
}

// peek is get for scans: they do not decide what is worth keeping.
func (c *cache) peek(revision int64) (Doc, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.young[revision]
	if !ok {
		e, ok = c.old[revision]
	}
	return e.doc, ok
}

// offer is put for scans: it takes a document while there is room, so that a
// scan of more than fits leaves something for the next one. The place that goes
// away first is filled first.
func (c *cache) offer(revision int64, d Doc, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.oldSize+size <= c.limit:
		if _, ok := c.young[revision]; ok {
			return
		}
		if _, ok := c.old[revision]; !ok {
			c.old[revision] = cached{d, size}
			c.oldSize += size
		}
	case c.size+size <= c.limit:
		c.add(revision, cached{d, size})
	}
}

func (c *cache) put(revision int64, d Doc, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(revision, cached{d, size})
}

func (c *cache) add(revision int64, e cached) {
	if e.size > c.limit {
		return
	}
	if _, ok := c.young[revision]; ok {
		return
	}
	if c.size += e.size; c.size > c.limit {
		c.old, c.oldSize = c.young, c.size-e.size
		c.young, c.size = map[int64]cached{}, e.size
	}
	c.young[revision] = e
}

// clear forgets everything.
func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.young, c.old = map[int64]cached{}, map[int64]cached{}
	c.size, c.oldSize = 0, 0
}
