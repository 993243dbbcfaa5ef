package query

import "time"

// Steady reports whether the outcome for a candidate follows from the values of
// the candidate, what its own relations lead to, and the time. It is false when
// the outcome rests on the caller or on what was found out for all candidates at
// once; then whoever keeps outcomes cannot know when they change.
func (q *Query) Steady() bool { return steady(q.root) }

func steady(n node) bool {
	switch n := n.(type) {
	case *group:
		for _, rule := range n.rules {
			if !steady(rule) {
				return false
			}
		}
		return true
	case *propertyRule:
		return n.ref == nil && n.value.ref == nil && !n.value.mine
	case *schemaRule:
		return n.value.ref == nil && !n.value.mine
	case *relationRule:
		return n.value.ref == nil && !n.value.mine && n.value.fixed.span == nil
	case *pathRule:
		return n.from == "" && n.value.ref == nil
	}
	return false
}

// Timed reports whether the outcome can change by the passing of time alone.
func (q *Query) Timed() bool { return timed(q.root) }

func timed(n node) bool {
	switch n := n.(type) {
	case *group:
		for _, rule := range n.rules {
			if timed(rule) {
				return true
			}
		}
	case *propertyRule:
		return passing(n.op, &n.value)
	case *schemaRule:
		return passing(n.op, &n.value)
	}
	return false
}

func passing(op operator, s *side) bool {
	return contains(timerOperators, op) || s.fixed.span != nil && s.fixed.span.preset != nil
}

// Period is a stretch of time, both ends included; a zero end is open.
type Period struct{ From, Through time.Time }

// within narrows p to the part that o covers as well.
func (p Period) within(o Period) Period {
	if o.From.After(p.From) {
		p.From = o.From
	}
	if !o.Through.IsZero() && (p.Through.IsZero() || o.Through.Before(p.Through)) {
		p.Through = o.Through
	}
	return p
}

// Lasts tells for which moments around env.Now the outcome for e is what it is
// now, if nothing but time passes. The period may be too short, never too long.
func (q *Query) Lasts(env *Env, e Entity) Period { return lasts(q.root, env, e) }

func lasts(n node, env *Env, e Entity) (p Period) {
	switch n := n.(type) {
	case *group:
		for _, rule := range n.rules {
			p = p.within(lasts(rule, env, e))
		}
	case *propertyRule:
		if passing(n.op, &n.value) {
			p = n.value.lasts(env, e.Value(n.property))
		}
	case *schemaRule:
		if !passing(n.op, &n.value) {
			return p
		}
		for key, field := range e.Own() {
			if n.fits(field) {
				p = p.within(n.value.lasts(env, e.Value(key)))
			}
		}
	}
	return p
}

// lasts tells how long what is said about a value stays true.
func (s *side) lasts(env *Env, value any) Period {
	t, ok := (&subject{value: value}).instant()
	if !ok {
		return Period{}
	}
	if s.fixed.span == nil || s.fixed.span.preset == nil {
		return around(env.Now, t.Add(time.Nanosecond)) // a timer: it expires right after its time
	}
	// The moments at which a window begins and ceases to hold t.
	enters, leaves := s.fixed.span.preset.moments(t, env.Location)
	return around(env.Now, enters, leaves)
}

// around is the period between the turns on either side of now; at a turn, what
// holds from then on begins.
func around(now time.Time, turns ...time.Time) (p Period) {
	for _, t := range turns {
		if t.After(now) {
			p = p.within(Period{Through: t.Add(-time.Nanosecond)})
		} else {
			p = p.within(Period{From: t})
		}
	}
	return p
}

// moments tells when, as time passes, the window begins to hold t and when it has
// just ceased to.
func (p *preset) moments(t time.Time, location *time.Location) (enters, leaves time.Time) {
	if !p.days {
		return t.Add(-p.after), t.Add(p.before + time.Nanosecond)
	}
	if location == nil {
		location = time.UTC
	}
	y, m, d := t.In(location).Date()
	return time.Date(y, m, d-p.day, 0, 0, 0, 0, location), time.Date(y, m, d-p.day+1, 0, 0, 0, 0, location)
}
