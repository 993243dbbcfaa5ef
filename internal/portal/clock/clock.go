// Package clock is the portal's only source of time. Everything that waits
// (token expiry, timer properties, approvals, retries) takes a [Clock], so a
// test can move time by hand. It does not parse or compute dates.
package clock

import "time"

// Clock tells the time and wakes waiters.
type Clock interface {
	// Now is the current time in UTC.
	Now() time.Time
	// NewTimer fires once on its channel after d; d ≤ 0 fires at once.
	NewTimer(d time.Duration) Timer
	// After is NewTimer for callers that never stop it.
	After(d time.Duration) <-chan time.Time
	// AfterFunc runs f after d. The real clock runs it in a goroutine of its
	// own; the fake one inside Advance, which therefore returns only when f did.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is a pending wake-up.
type Timer interface {
	// C delivers the time of firing; it is nil for a timer made by AfterFunc.
	C() <-chan time.Time
	// Stop cancels and reports whether the timer was still pending.
	Stop() bool
	// Reset starts the timer anew and reports whether it was still pending.
	Reset(d time.Duration) bool
}

// layout is UTC ISO 8601 with milliseconds (reference/catalog.md §1.4).
const layout = "2006-01-02T15:04:05.000Z"

// Stamp writes t as the portal writes every timestamp.
func Stamp(t time.Time) string { return t.UTC().Format(layout) }

// Real is the clock of the machine.
func Real() Clock { return realClock{} }

type realClock struct{}

func (realClock) Now() time.Time                         { return time.Now().UTC() }
func (realClock) NewTimer(d time.Duration) Timer         { return realTimer{time.NewTimer(d)} }
func (realClock) After(d time.Duration) <-chan time.Time { return time.After(d) }
func (realClock) AfterFunc(d time.Duration, f func()) Timer {
	return realTimer{time.AfterFunc(d, f)}
}

type realTimer struct{ *time.Timer }

func (t realTimer) C() <-chan time.Time { return t.Timer.C }
