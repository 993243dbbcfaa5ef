package query

import (
	"time"
)

// span is a window of time: two instants, or a preset around now (§5.5). The
// borders belong to it.
type span struct {
	from, to time.Time
	preset   *preset
	location *time.Location
}

// preset is a window relative to now: whole days, or a length before or after it.
type preset struct {
	day    int
	days   bool
	before time.Duration
	after  time.Duration
	// months is the window as scorecards count it (reference/portal.md §1.4).
	months int
}

const day = 24 * time.Hour

// presets are accepted in every query (§5.5).
var presets = map[string]*preset{
	"today":     {days: true},
	"tomorrow":  {days: true, day: 1},
	"yesterday": {days: true, day: -1},

	"lastDay": {before: day}, "lastWeek": {before: 7 * day}, "last2Weeks": {before: 14 * day},
	"lastMonth": {before: 30 * day, months: 1}, "last3Months": {before: 90 * day, months: 3}, "last6Months": {before: 180 * day, months: 6},
	"last12Months": {before: 365 * day, months: 12}, "last2Years": {before: 730 * day}, "last3Years": {before: 1095 * day},

	"nextDay": {after: day}, "nextWeek": {after: 7 * day}, "next2Weeks": {after: 14 * day},
	"nextMonth": {after: 30 * day}, "next3Months": {after: 90 * day}, "next6Months": {after: 180 * day},
	"next12Months": {after: 365 * day},
}

func (s *span) holds(t, now time.Time) bool {
	from, to := s.window(now)
	return !t.Before(from) && !t.After(to)
}

func (s *span) window(now time.Time) (from, to time.Time) {
	if s.preset != nil {
		return s.preset.window(now, s.location)
	}
	return s.from, s.to
}

func (p *preset) window(now time.Time, location *time.Location) (from, to time.Time) {
	if !p.days {
		return now.Add(-p.before), now.Add(p.after)
	}
	if location == nil {
		location = time.UTC
	}
	from = startOf(now.In(location), "day")
	for range p.day {
		from = nextOf(from, "day")
	}
	for range -p.day {
		from = startOf(from.Add(-time.Nanosecond), "day")
	}
	return from, nextOf(from, "day").Add(-time.Nanosecond)
}

// Window returns the window of a preset around now, false for an unknown preset.
// A nil location is UTC.
func Window(name string, now time.Time, location *time.Location) (from, to time.Time, ok bool) {
	p, ok := presets[name]
	if !ok {
		return from, to, false
	}
	from, to = p.window(now, location)
	return from, to, true
}
