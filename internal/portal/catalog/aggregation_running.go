package catalog

import (
	"encoding/json"
	"math/big"
	"time"

	"github.com/tidwall/btree"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// share is what one target entity adds to an aggregation.
type share struct {
	// counts tells that the entity is one of those aggregated over: it matches the
	// query and has a measured time where one is needed. Without it the rest is empty.
	counts bool
	number json.Number // "" when the property is no number
	at     time.Time
}

// running is the running result of an aggregation: shares come and go, and the
// value costs no more than a look into a tree, however many there are.
type running struct {
	a       *aggregation
	count   int
	numeric int
	total   *big.Rat
	numbers *btree.BTreeG[ranked]
	moments *btree.BTreeG[moment]
}

// ranked is a number of an entity in order of value; approx orders most pairs
// without a look at the digits.
type ranked struct {
	approx float64
	number json.Number
	id     string
}

func rank(id string, n json.Number) ranked {
	f, _ := n.Float64() // out of range it is infinite, and the digits decide
	return ranked{f, n, id}
}

func (a ranked) compare(b ranked) int {
	switch {
	case a.approx < b.approx:
		return -1
	case a.approx > b.approx:
		return 1
	}
	if c := jsonv.CompareNumbers(a.number, b.number); c != 0 {
		return c
	}
	return compareText(a.id, b.id)
}

// moment is a time that belongs to an entity.
type moment struct {
	at time.Time
	id string
}

func (a moment) less(b moment) bool {
	if c := a.at.Compare(b.at); c != 0 {
		return c < 0
	}
	return a.id < b.id
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func newRunning(a *aggregation) *running {
	t := &running{a: a, total: new(big.Rat)}
	if a.ranks() {
		t.numbers = btree.NewBTreeGOptions(func(a, b ranked) bool { return a.compare(b) < 0 }, btree.Options{NoLocks: true})
	}
	if a.measures() {
		t.moments = newMoments()
	}
	return t
}

func newMoments() *btree.BTreeG[moment] {
	return btree.NewBTreeGOptions(moment.less, btree.Options{NoLocks: true})
}

// ranks tells whether the order of the numbers matters.
func (a *aggregation) ranks() bool {
	return a.byProperty && (a.function == "min" || a.function == "max" || a.function == "median")
}

// measures tells whether the result depends on the time that has passed.
func (a *aggregation) measures() bool { return a.averageOf != "" && a.averageOf != "total" }

func (t *running) add(id string, s share) {
	if !s.counts {
		return
	}
	t.count++
	if t.moments != nil {
		t.moments.Set(moment{s.at, id})
	}
	if s.number == "" {
		return
	}
	t.numeric++
	if t.numbers != nil {
		t.numbers.Set(rank(id, s.number))
		return
	}
	if r := exact(s.number); r != nil {
		t.total.Add(t.total, r)
	}
}

func (t *running) remove(id string, s share) {
	if !s.counts {
		return
	}
	t.count--
	if t.moments != nil {
		t.moments.Delete(moment{s.at, id})
	}
	if s.number == "" {
		return
	}
	t.numeric--
	if t.numbers != nil {
		t.numbers.Delete(rank(id, s.number))
		return
	}
	if r := exact(s.number); r != nil {
		t.total.Sub(t.total, r)
	}
}

// value is the aggregation's value at a moment.
func (t *running) value(now time.Time) any {
	var earliest time.Time
	if t.moments != nil {
		if m, ok := t.moments.Min(); ok {
			earliest = m.at
		}
	}
	switch {
	case !t.a.byProperty && earliest.IsZero():
		return number(big.NewRat(int64(t.count), 1))
	case !t.a.byProperty:
		return perInterval(t.a, now, earliest, big.NewRat(int64(t.count), 1))
	case t.a.function == "sum":
		return number(t.total)
	case t.numeric == 0:
		return nil
	case t.numbers != nil:
		return t.ranked()
	case t.a.averageOf == "total":
		return number(new(big.Rat).Quo(t.total, big.NewRat(int64(t.numeric), 1)))
	}
	return perInterval(t.a, now, earliest, t.total)
}

func (t *running) ranked() any {
	at := func(i int) json.Number {
		r, _ := t.numbers.GetAt(i)
		return r.number
	}
	n := t.numbers.Len()
	switch {
	case t.a.function == "min":
		return at(0)
	case t.a.function == "max":
		return at(n - 1)
	case n%2 == 1:
		return at(n / 2)
	}
	return mean(at(n/2-1), at(n/2))
}
