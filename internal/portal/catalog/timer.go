package catalog

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// KindTimer are the values of timer properties that have not expired. Each stands
// under organization, blueprint, entity and property, and where a store keeps the
// time of creation it has the moment it is due: a scan begins with what is due
// first. It is written with the value and goes with it, or when the expiry is
// recorded, in the transaction of the record: so a value expires once, whoever and
// however many look after it (reference/catalog.md §7 U4).
const KindTimer store.Kind = "timer"

// ActionExpired is the action of the record of an expired timer, which changes nothing.
const ActionExpired = "TIMER_EXPIRED"

// dueKey is the key that stores order by, and dueFormat how a moment reads so that
// texts compare as moments do.
const (
	dueKey    = "createdAt"
	dueFormat = "2006-01-02T15:04:05.000000000Z"
)

// The moments that dueFormat can spell. Offsets lead a little beyond them.
var (
	firstDue = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	lastDue  = time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
)

// timersOf lists the properties of format timer, in text order.
func timersOf(props map[string]*property) []string {
	var out []string
	for key, p := range props {
		if f := fieldOf(p.def); f.Type == "string" && f.Format == "timer" {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

// dueOf is when the timer under a key expires, false when nothing runs there.
func dueOf(d store.Doc, key string) (time.Time, bool) {
	at, ok := jsonv.ParseTime(jsonv.String(d, "properties", key))
	switch at = at.UTC(); {
	case !ok:
		return time.Time{}, false
	case at.Before(firstDue):
		return firstDue, true
	case at.After(lastDue):
		return lastDue, true
	}
	return at, true
}

// expiry is a timer that was due when it was written.
type expiry struct {
	entityKey
	property string
	due      time.Time
}

// followTimers starts and stops the timers of an entity that is written; either
// document is nil where there is none. A value that means the same moment as
// before stays what it is, expired or not.
func (s *session) followTimers(k entityKey, before, after store.Doc) error {
	bp, err := s.blueprint(k.blueprint)
	if err != nil || bp == nil || !s.listening() {
		return err
	}
	for _, key := range bp.timers {
		was, ran := dueOf(before, key)
		due, runs := dueOf(after, key)
		if ran == runs && was.Equal(due) {
			continue
		}
		if ran {
			if err := s.stopTimer(k, key); err != nil {
				return err
			}
		}
		if runs {
			if err := s.startTimer(k, key, due); err != nil {
				return err
			}
		}
	}
	return nil
}

// rewind is [session.followTimers] for an entity that is about to be put, or
// dropped with d nil.
func (s *session) rewind(k entityKey, d store.Doc) error {
	if s.carries || !s.listening() {
		return nil
	}
	bp, err := s.blueprint(k.blueprint)
	if err != nil || bp == nil || len(bp.timers) == 0 {
		return err
	}
	before, err := s.entity(k)
	if err != nil {
		return err
	}
	return s.followTimers(k, before, d)
}

func (s *session) stopTimer(k entityKey, property string) error {
	err := s.tx.Delete(KindTimer, s.actor.Org, k.blueprint, k.id, property)
	if errors.Is(err, store.ErrNotFound) {
		return nil // it has expired
	}
	return err
}

// startTimer lets a value expire when it is due: with this very change, if it is
// in the past.
func (s *session) startTimer(k entityKey, property string, due time.Time) error {
	if !due.After(s.now) {
		s.expired = append(s.expired, expiry{k, property, due})
		return nil
	}
	if wake := s.cat.deps.Wake; wake != nil {
		wake(due)
	}
	return s.tx.Put(KindTimer, store.Doc{dueKey: due.Format(dueFormat)}, s.actor.Org, k.blueprint, k.id, property)
}

// expire records the timers that were due when they were written, after the
// change that wrote them.
func (s *session) expire() error {
	expired := s.expired
	s.expired = nil
	for _, x := range expired {
		cause := s.runID
		if cause == "" {
			cause = s.actor.Cause
		}
		if err := s.recordExpiry(x, s.now, cause); err != nil {
			return err
		}
	}
	return nil
}

// recordExpiry records that a timer expired at a moment, unless the entity is gone.
// One that was past when it was written is the doing of whoever wrote it; others
// expire because time goes by.
func (s *session) recordExpiry(x expiry, at time.Time, cause string) error {
	after, err := s.snapshot(x.entityKey)
	if err != nil || after == nil {
		return err
	}
	return s.gather(Event{
		Action: ActionExpired, Resource: "entity", Actor: Actor{Org: s.actor.Org}, At: at, Due: x.due, ByPort: true,
		Blueprint: x.blueprint, Entity: x.id, After: after, Context: jsonv.Object{"propertyIdentifier": x.property}, Cause: cause,
	})
}

// carrying makes writes that only call things by another name: timers are neither
// started nor stopped by it.
func (s *session) carrying(do func() error) error {
	was := s.carries
	s.carries = true
	defer func() { s.carries = was }()
	return do()
}

// carryTimers calls running timers by another name; rename is given the entity
// and the property of each.
func (s *session) carryTimers(rename func(entityKey, string) (entityKey, string), blueprint string, entity ...string) error {
	rows, err := s.timers(append([]string{blueprint}, entity...)...)
	if err != nil {
		return err
	}
	for _, row := range rows {
		was, property := timerKey(row)
		is, renamed := rename(was, property)
		if is == was && renamed == property {
			continue
		}
		if err := s.tx.Delete(KindTimer, row.Key...); err != nil {
			return err
		}
		if err := s.tx.Put(KindTimer, row.Doc, s.actor.Org, is.blueprint, is.id, renamed); err != nil {
			return err
		}
	}
	return nil
}

// retime follows a definition whose properties become timers or are none any
// more. Values that were there before are started as if they were written now.
func (s *session) retime(old, next *blueprint) error {
	if !s.listening() || slices.Equal(old.timers, next.timers) {
		return nil
	}
	if len(old.timers) > 0 {
		rows, err := s.timers(next.id)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if _, property := timerKey(row); !slices.Contains(next.timers, property) {
				if err := s.tx.Delete(KindTimer, row.Key...); err != nil {
					return err
				}
			}
		}
	}
	fresh := slices.DeleteFunc(slices.Clone(next.timers), func(key string) bool {
		return old.props[key] == nil || slices.Contains(old.timers, key)
	})
	if len(fresh) == 0 {
		return nil
	}
	docs, err := s.stored(next.id)
	if err != nil {
		return err
	}
	for _, d := range docs {
		for _, key := range fresh {
			if due, ok := dueOf(d, key); ok {
				if err := s.startTimer(entityKey{next.id, jsonv.String(d, "identifier")}, key, due); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// timers lists the running timers of a blueprint or of one of its entities.
func (s *session) timers(at ...string) (rows []store.Row, err error) {
	for row, err := range s.tx.Scan(KindTimer, nil, store.Page{}, append([]string{s.actor.Org}, at...)...) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func timerKey(row store.Row) (entityKey, string) {
	return entityKey{row.Key[1], row.Key[2]}, row.Key[3]
}

// expiryBatch is the most timers that expire in one transaction, so that others
// get to write between two of them.
const expiryBatch = 100

// ExpireTimers records the timers that are due, earliest first, and reports when
// to come back: now, if there are more, or when the next one is due; zero says
// that none runs.
func (c *Catalog) ExpireTimers(ctx context.Context, tx store.Tx, org string) (next time.Time, err error) {
	s := c.begin(ctx, tx, Actor{Org: org})
	if !s.listening() {
		return next, nil
	}
	var due []store.Row
	for row, err := range tx.Scan(KindTimer, nil, store.Page{Limit: expiryBatch + 1}, org) {
		if err != nil {
			return next, err
		}
		at, err := time.Parse(dueFormat, jsonv.String(row.Doc, dueKey))
		if err != nil {
			return next, err
		}
		if at.After(s.now) || len(due) == expiryBatch {
			next = at
			break
		}
		due = append(due, row)
	}
	return next, s.together(func() error {
		for _, row := range due {
			if err := s.expireTimer(row); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *session) expireTimer(row store.Row) error {
	if err := s.tx.Delete(KindTimer, row.Key...); err != nil {
		return err
	}
	k, property := timerKey(row)
	d, err := s.entity(k)
	if err != nil {
		return err
	}
	at, ok := dueOf(d, property)
	if !ok || at.Format(dueFormat) != jsonv.String(row.Doc, dueKey) {
		return nil // not what was set
	}
	return s.recordExpiry(expiry{k, property, at}, at, "")
}
