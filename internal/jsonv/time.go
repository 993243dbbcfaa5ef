package jsonv

import (
	"strings"
	"time"
)

// ParseTime reads an RFC 3339 date-time: with Z or an offset, with or without a
// fraction, letters in either case, a leap second where one can be.
func ParseTime(s string) (time.Time, bool) {
	const shape = "dddd-dd-ddTdd:dd:dd"
	if len(s) < len(shape)+1 {
		return time.Time{}, false
	}
	for i := range len(shape) {
		switch c := s[i]; shape[i] {
		case 'd':
			if c < '0' || c > '9' {
				return time.Time{}, false
			}
		case 'T':
			if c != 'T' && c != 't' {
				return time.Time{}, false
			}
		default:
			if c != shape[i] {
				return time.Time{}, false
			}
		}
	}
	nano, rest, ok := fraction(s[len(shape):])
	if !ok {
		return time.Time{}, false
	}
	offset, ok := zone(rest)
	if !ok {
		return time.Time{}, false
	}
	year, month, day := two(s)*100+two(s[2:]), two(s[5:]), two(s[8:])
	hour, minute, second := two(s[11:]), two(s[14:]), two(s[17:])
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, false
	}
	// The offset goes in as seconds, so that no location has to be made.
	t := time.Date(year, time.Month(month), day, hour, minute, second-offset, nano, time.UTC)
	if second == 60 && (t.Hour() != 0 || t.Minute() != 0 || t.Second() != 0) {
		return time.Time{}, false
	}
	return t, true
}

func two(s string) int { return int(s[0]-'0')*10 + int(s[1]-'0') }

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

func fraction(s string) (nano int, rest string, ok bool) {
	if !strings.HasPrefix(s, ".") {
		return 0, s, true
	}
	s = s[1:]
	unit := 100_000_000
	for s != "" && s[0] >= '0' && s[0] <= '9' {
		nano += int(s[0]-'0') * unit
		unit /= 10
		s, ok = s[1:], true
	}
	return nano, s, ok
}

// zone returns the offset from UTC in seconds.
func zone(s string) (int, bool) {
	if s == "Z" || s == "z" {
		return 0, true
	}
	if len(s) != 6 || s[3] != ':' || (s[0] != '+' && s[0] != '-') {
		return 0, false
	}
	for _, i := range []int{1, 2, 4, 5} {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	hours, minutes := two(s[1:]), two(s[4:])
	if hours > 23 || minutes > 59 {
		return 0, false
	}
	offset := hours*3600 + minutes*60
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}
