package events

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// place is where a record stands in time: the moment of the event, and its number
// among the records of the process.
type place struct {
	at    time.Time
	count int64
}

// before tells whether p is the earlier one.
func (p place) before(q place) bool {
	return p.at.Before(q.at) || p.at.Equal(q.at) && p.count < q.count
}

// placeKey is the key that stores order by. Its text counts down, so that scans
// start with what is newest.
const placeKey = "createdAt"

// text spells the place so that later ones come first.
func (p place) text() string {
	return down(p.at) + "." + fmt.Sprintf("%019d", math.MaxInt64-p.count)
}

func down(at time.Time) string { return fmt.Sprintf("%019d", math.MaxInt64-nanos(at)) }

// endOfTime is the last moment that counts in nanoseconds.
var endOfTime = time.Unix(0, math.MaxInt64).UTC()

// nanos counts from 1970 to the end of time and no further.
func nanos(at time.Time) int64 {
	switch {
	case at.Before(time.Unix(0, 0)):
		return 0
	case at.After(endOfTime):
		return math.MaxInt64
	}
	return at.UnixNano()
}

// placeOf reads the place of a stored record.
func placeOf(d store.Doc) place {
	at, count, _ := strings.Cut(jsonv.String(d, placeKey), ".")
	ns, err1 := strconv.ParseInt(at, 10, 64)
	n, err2 := strconv.ParseInt(count, 10, 64)
	if err1 != nil || err2 != nil {
		return place{} // nobody but this package writes records
	}
	return place{time.Unix(0, math.MaxInt64-ns).UTC(), math.MaxInt64 - n}
}

// cursor starts a scan with the first record at or before a moment.
func cursor(org string, at time.Time) string {
	return store.Cursor(store.Row{Key: []string{org}, Doc: store.Doc{placeKey: down(at)}})
}

// An identifier is "event_" and alphanumerics: the moment, the count, and what
// tells processes apart. It finds its record without an index.
const (
	idPrefix    = "event_"
	momentWidth = 11
	countWidth  = 5
	saltLength  = 4
)

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func (p place) identifier(salt string) string {
	return idPrefix + base62(nanos(p.at), momentWidth) + base62(p.count, countWidth) + salt
}

// base62 spells the last digits of n.
func base62(n int64, width int) string {
	out := make([]byte, width)
	for i := width - 1; i >= 0; i-- {
		out[i] = digits[n%int64(len(digits))]
		n /= int64(len(digits))
	}
	return string(out)
}

// momentOf is the moment that an identifier tells, false for what is none.
func momentOf(id string) (time.Time, bool) {
	rest, ok := strings.CutPrefix(id, idPrefix)
	if !ok || len(rest) != momentWidth+countWidth+saltLength {
		return time.Time{}, false
	}
	var n int64
	for i := range momentWidth {
		digit := strings.IndexByte(digits, rest[i])
		if digit < 0 || n > (math.MaxInt64-int64(digit))/int64(len(digits)) {
			return time.Time{}, false
		}
		n = n*int64(len(digits)) + int64(digit)
	}
	return time.Unix(0, n).UTC(), true
}
