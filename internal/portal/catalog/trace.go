package catalog

import "slices"

// trace lists what a computed value rests on, so that one who keeps the value
// knows when it no longer holds. Definitions are not in it: whoever keeps values
// drops them all when a definition changes.
type trace struct {
	// reads are the entities that were looked at, whether or not they exist.
	reads []entityKey
	// opaque is set when reads do not tell everything: it was asked who points at
	// an entity, or what another aggregation says.
	opaque bool
	// fleeting is set when the value holds for this moment only: a program asked
	// for the time or went over its limits.
	fleeting bool
	// circular is set when a cycle was cut short, so that the value depends on
	// where the evaluation began.
	circular bool
}

// maxReads bounds the reads of one value; one that looks at more is opaque.
const maxReads = 64

func (t *trace) read(k entityKey) {
	switch {
	case t == nil || t.opaque || slices.Contains(t.reads, k):
	case len(t.reads) == maxReads:
		t.beyond()
	default:
		t.reads = append(t.reads, k)
	}
}

func (t *trace) beyond() {
	if t != nil {
		t.opaque, t.reads = true, nil
	}
}

func (t *trace) passing() {
	if t != nil {
		t.fleeting = true
	}
}

func (t *trace) cut() {
	if t != nil {
		t.circular = true
	}
}

// absorb adds what another value rests on.
func (t *trace) absorb(o *trace) {
	if t == nil || o == nil {
		return
	}
	t.fleeting = t.fleeting || o.fleeting
	t.circular = t.circular || o.circular
	if o.opaque {
		t.beyond()
	}
	for _, k := range o.reads {
		t.read(k)
	}
}

// traced runs f and tells what it rested on. Whatever is being evaluated around
// it rests on the same.
func (s *session) traced(f func() error) (*trace, error) {
	outer, mine := s.trace, &trace{}
	s.trace = mine
	err := f()
	s.trace = outer
	outer.absorb(mine)
	return mine, err
}

// untraced runs f without anybody noticing what it looks at.
func (s *session) untraced(f func() error) error {
	outer := s.trace
	s.trace = nil
	defer func() { s.trace = outer }()
	return f()
}

// cell is a computed value of a view together with what it rests on.
type cell struct {
	value any
	on    *trace
}

// place is where a view keeps a value: under key, or its teams when key is empty.
type place struct {
	v   *view
	key string
}

// unwind ends an evaluation. Values that were cut short by a cycle are kept until
// the outermost evaluation ends, which bounds its work, and no longer: another
// evaluation would find others, and answers must not depend on what was asked
// before.
func (s *session) unwind(at place, on *trace) {
	if on.circular {
		s.circular = append(s.circular, at)
	}
	if len(s.busy) > 0 {
		return
	}
	for _, p := range s.circular {
		if p.key == "" {
			p.v.teams, p.v.teamsOn = nil, nil
			continue
		}
		delete(p.v.memo, p.key)
	}
	s.circular = nil
}
