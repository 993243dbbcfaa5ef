package catalog

import (
	"sync"
	"time"

	"github.com/tidwall/btree"

	"github.com/portlens/terraform-provider-port/internal/portal/query"
)

// kept is what the catalog keeps for the aggregations of one entity that look at
// the same related entities: who they are, and for each aggregation what each of
// them adds. A write to one of them then costs what that one adds, however many
// there are.
//
// It holds for one state of the catalog, which follows the sessions that ask. One
// that has written takes its own writes in as well; they stay on the list of what
// is pending, so that the next session looks at them again, whether or not they
// were committed.
type kept struct {
	key keptKey

	mu sync.Mutex // of the fields up to shares; whoever holds it may wait for the memo's
	// seq is the state of the catalog, together with the writer's first writes
	// if writer is not nil.
	seq    uint64
	writer *writer
	writes int
	reach  reach
	sums   map[string]*keptSum

	// The rest belongs to the memo, under its lock.
	pending map[entityKey]stretch
	// overdue is set when pending would be too long: everything must be built.
	overdue bool
	dropped bool
	watched map[entityKey]watchKind
	size    int
}

// keptKey names a kept: an entity, and which related ones are meant.
type keptKey struct {
	root entityKey
	path string
}

// stretch are the first and the last of the states in which something changed.
type stretch struct{ first, last uint64 }

// keptSum is the running result of one aggregation.
type keptSum struct {
	a       *aggregation
	running *running
	shares  map[string]keptShare
	// readers are the targets whose shares rest on other entities, by those.
	readers map[entityKey]map[string]bool
	// behind are the entities that have changed since the sum was last asked for.
	behind map[entityKey]bool
	// turns are the moments up to which shares hold, for queries that look at the
	// time; all of them hold since from.
	turns *btree.BTreeG[moment]
	from  time.Time
	// opaque is set when shares rest on more than readers tell: then the sum holds
	// for one state of the catalog only. unfit is set when even that is wrong.
	opaque, unfit bool
	of            edition
}

// writer stands for a session that has written, without holding on to it.
type writer struct{ _ byte }

// edition names what a session sees: a state and its own first writes.
type edition struct {
	seq    uint64
	writer *writer
	writes int
}

type keptShare struct {
	share
	reads   []entityKey
	through time.Time
}

func newKeptSum(a *aggregation) *keptSum {
	return &keptSum{a: a, running: newRunning(a), shares: map[string]keptShare{}, readers: map[entityKey]map[string]bool{}, behind: map[entityKey]bool{}, turns: newMoments()}
}

// keepable tells whether the aggregation's shares can be kept at all.
func (a *aggregation) keepable() bool { return a.query == nil || a.query.Steady() }

// weigh finds out what a target adds now.
func (c *keptSum) weigh(s *session, k entityKey) error {
	next := keptShare{}
	var period query.Period
	on, err := s.traced(func() error {
		w, err := s.view(k)
		if err != nil || w == nil {
			return err
		}
		if next.share, err = w.share(c.a); err != nil {
			return err
		}
		if c.a.query != nil && c.a.query.Timed() {
			m := s.matcher()
			period, err = m.lasts(c.a.query, w)
		}
		return err
	})
	if err != nil {
		return err
	}
	c.unfit = c.unfit || on.circular || on.fleeting
	c.opaque = c.opaque || on.opaque
	if period.From.After(c.from) {
		c.from = period.From
	}
	next.through = period.Through
	for _, r := range on.reads {
		if r != k {
			next.reads = append(next.reads, r)
		}
	}
	c.replace(k.id, next)
	return nil
}

// share is what the entity adds to an aggregation.
func (v *view) share(a *aggregation) (share, error) {
	if a.query != nil {
		ok, err := v.s.matcher().match(a.query, v)
		if err != nil || !ok {
			return share{}, err
		}
	}
	out := share{counts: true}
	if a.measures() {
		at, ok, err := v.measured(a)
		if err != nil || !ok {
			return share{}, err
		}
		out.at = at
	}
	if a.byProperty {
		n, err := v.numeric(a)
		if err != nil {
			return share{}, err
		}
		out.number = n
	}
	return out, nil
}

func (c *keptSum) replace(id string, next keptShare) {
	c.drop(id)
	if !next.counts && len(next.reads) == 0 && next.through.IsZero() {
		return
	}
	c.shares[id] = next
	c.running.add(id, next.share)
	for _, r := range next.reads {
		if c.readers[r] == nil {
			c.readers[r] = map[string]bool{}
		}
		c.readers[r][id] = true
	}
	if !next.through.IsZero() {
		c.turns.Set(moment{next.through, id})
	}
}

func (c *keptSum) drop(id string) {
	old, ok := c.shares[id]
	if !ok {
		return
	}
	delete(c.shares, id)
	c.running.remove(id, old.share)
	for _, r := range old.reads {
		delete(c.readers[r], id)
		if len(c.readers[r]) == 0 {
			delete(c.readers, r)
		}
	}
	if !old.through.IsZero() {
		c.turns.Delete(moment{old.through, id})
	}
}

// follow takes in that entities may have changed, come or gone.
func (c *keptSum) follow(s *session, r reach, touched map[entityKey]bool) error {
	if len(c.behind) == 0 {
		return nil
	}
	again := map[string]bool{}
	for k := range c.behind {
		if k.blueprint == c.a.target {
			again[k.id] = true
		}
		for id := range c.readers[k] {
			again[id] = true
		}
	}
	c.behind = map[entityKey]bool{}
	for id := range again {
		if err := c.renew(s, r, id, touched); err != nil {
			return err
		}
	}
	return nil
}

// renew weighs one target again, or drops it when it is none any more.
func (c *keptSum) renew(s *session, r reach, id string, touched map[entityKey]bool) error {
	for _, k := range c.shares[id].reads {
		touched[k] = true
	}
	k := entityKey{c.a.target, id}
	if !r.has(k) {
		c.drop(id)
		return nil
	}
	if err := c.weigh(s, k); err != nil {
		return err
	}
	for _, k := range c.shares[id].reads {
		touched[k] = true
	}
	return nil
}

// pass takes in that time has passed.
func (c *keptSum) pass(s *session, r reach, touched map[entityKey]bool) error {
	for {
		m, ok := c.turns.Min()
		if !ok || !m.at.Before(s.now) {
			return nil
		}
		if err := c.renew(s, r, m.id, touched); err != nil {
			return err
		}
	}
}

// fill weighs every target.
func (c *keptSum) fill(s *session, r reach, touched map[entityKey]bool) error {
	err := r.each(func(k entityKey) error {
		if k.blueprint != c.a.target || c.unfit {
			return nil
		}
		return c.weigh(s, k)
	})
	for k := range c.readers {
		touched[k] = true
	}
	return err
}
