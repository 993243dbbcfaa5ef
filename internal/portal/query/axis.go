package query

import (
	"slices"
	"time"
	_ "time/tzdata" // the zones of §4.11, also where the machine has none
)

// Units are the intervals that a span of time is divided into (§4.11).
var Units = []string{"hour", "day", "isoWeek", "month", "quarter"}

// AxisPresets are the spans that can be looked at over time (§4.11). The quarterly
// ones are so long that nothing but quarters makes sense.
var AxisPresets = []string{"today", "yesterday", "lastDay", "lastWeek", "last2Weeks", "lastMonth", "last3Months", "last6Months", "last12Months", "last2Years", "last3Years"}

// Quarterly tells whether a preset can only be divided into quarters.
func Quarterly(preset string) bool { return preset == "last2Years" || preset == "last3Years" }

// Zone finds a time zone by its IANA name.
func Zone(name string) (*time.Location, bool) {
	if name == "" || name == "Local" {
		return nil, false // names of the machine's own zone, not of a zone
	}
	zone, err := time.LoadLocation(name)
	return zone, err == nil
}

// Axis is a span of time divided into intervals. Both ends belong to the span.
type Axis struct {
	From, To time.Time
	// Starts are the intervals' beginnings; the first may lie before From.
	Starts []time.Time
}

// NewAxis divides a span. An interval begins when its hour, day, Monday, month or
// quarter begins in the zone.
func NewAxis(from, to time.Time, unit string, zone *time.Location) Axis {
	a := Axis{From: from, To: to}
	for at := startOf(from.In(zone), unit); !at.After(to); at = nextOf(at, unit) {
		a.Starts = append(a.Starts, at)
	}
	return a
}

// Index is the interval that a moment lies in; false for one outside of the span.
func (a Axis) Index(t time.Time) (int, bool) {
	if t.Before(a.From) || t.After(a.To) {
		return 0, false
	}
	i, exact := slices.BinarySearchFunc(a.Starts, t, time.Time.Compare)
	if !exact {
		i--
	}
	return i, i >= 0
}

// End is the last moment of an interval that belongs to the span.
func (a Axis) End(i int) time.Time {
	if i+1 < len(a.Starts) && !a.Starts[i+1].After(a.To) {
		return a.Starts[i+1].Add(-time.Nanosecond)
	}
	return a.To
}

func startOf(t time.Time, unit string) time.Time {
	y, m, d := t.Date()
	switch unit {
	case "hour":
		return t.Add(-sinceHour(t))
	case "isoWeek":
		return dayStart(y, m, d-(int(t.Weekday())+6)%7, t.Location())
	case "month":
		return dayStart(y, m, 1, t.Location())
	case "quarter":
		return dayStart(y, m-(m-1)%3, 1, t.Location())
	}
	return dayStart(y, m, d, t.Location())
}

// nextOf is the beginning of the interval after the one that begins at t.
func nextOf(t time.Time, unit string) time.Time {
	y, m, d := t.Date()
	switch unit {
	case "hour":
		// A zone that changes by half an hour begins some in the middle of one.
		return t.Add(time.Hour - sinceHour(t))
	case "isoWeek":
		return dayStart(y, m, d+7, t.Location())
	case "month":
		return dayStart(y, m+1, 1, t.Location())
	case "quarter":
		return dayStart(y, m+3, 1, t.Location())
	}
	next := dayStart(y, m, d+1, t.Location())
	if !next.After(t) {
		next = dayStart(y, m, d+2, t.Location()) // a zone left out the day between
	}
	return next
}

func sinceHour(t time.Time) time.Duration {
	return time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
}

// dayStart is the first moment of a day: midnight, or later where the clock skips
// midnight.
func dayStart(y int, m time.Month, d int, zone *time.Location) time.Time {
	noon := time.Date(y, m, d, 12, 0, 0, 0, zone)
	y, m, d = noon.Date()
	t := time.Date(y, m, d, 0, 0, 0, 0, zone)
	on := func(t time.Time) bool {
		ty, tm, td := t.Date()
		return ty == y && tm == m && td == d
	}
	if on(t) && t.Hour() == 0 && !on(t.Add(-time.Second)) {
		return t
	}
	// Half the distance between a moment before the day and one in it.
	before, in := noon.Add(-36*time.Hour), noon
	for in.Sub(before) > time.Second {
		middle := before.Add(in.Sub(before) / 2).Truncate(time.Second)
		if on(middle) {
			in = middle
		} else {
			before = middle
		}
	}
	return in
}
