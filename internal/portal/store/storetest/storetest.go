// Package storetest is the conformance suite of the stores: what every
// implementation of [store.Store] must do, whatever it keeps documents in. It
// knows no implementation.
package storetest

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Indexed is the kind that the suite expects to be indexed by [Indexes]; every
// other kind must have no index.
const Indexed store.Kind = "indexed"

// Indexes must be given to the stores under test. They index the text of "a"
// and every text of the list "tags".
func Indexes() store.Indexes {
	return store.Indexes{Indexed: func(d store.Doc) []store.Entry {
		var out []store.Entry
		if s, ok := d["a"].(string); ok {
			out = append(out, store.Entry{Path: "a", Value: s})
		}
		tags, _ := d["tags"].([]any)
		for _, v := range tags {
			if s, ok := v.(string); ok {
				out = append(out, store.Entry{Path: "tags", Value: s})
			}
		}
		return out
	}}
}

// Open makes an empty store that lives until the test ends.
type Open func(t testing.TB) store.Store

// Run checks one implementation.
func Run(t *testing.T, open Open) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, store.Store){
		"documents come back as they were put":               comesBack,
		"numbers stay exact":                                 exactNumbers,
		"a large document comes back whole":                  largeDocument,
		"what is no JSON document is refused":                refusesOthers,
		"a missing key is ErrNotFound":                       notFound,
		"a put replaces the whole document":                  replaces,
		"keys keep their parts apart":                        keyParts,
		"an error undoes everything":                         errorUndoes,
		"a panic undoes everything and goes on":              panicUndoes,
		"an ended goroutine undoes everything":               goexitUndoes,
		"errors of the function come back unchanged":         errorUnchanged,
		"a transaction tells whether it wrote":               tellsOwnWrites,
		"a view refuses writes":                              viewRefuses,
		"a finished transaction refuses everything":          finishedRefuses,
		"an ended context stops a transaction":               contextStops,
		"a waiting update obeys its context":                 waitingObeys,
		"close waits and then refuses":                       closeWaits,
		"a view sees one moment":                             viewSnapshot,
		"an update sees its own writes":                      ownWrites,
		"nothing shows before the commit":                    invisibleBefore,
		"counters lose no update":                            counters,
		"transfers keep their sum":                           transfers,
		"write skew does not happen":                         writeSkew,
		"a view inside a view and an update works":           nestedViews,
		"many views at once do not wait for ever":            manyViews,
		"scans are ordered by createdAt, then key":           ordering,
		"prefixes are whole parts":                           prefixes,
		"a document at the prefix itself takes part":         exactPrefix,
		"pages join into the whole":                          paging,
		"pages stay stable under writes":                     pagingUnderWrites,
		"a bad cursor is ErrCursor":                          badCursor,
		"a scan does not see writes made during it":          writesDuringScan,
		"scans may be nested and left early":                 nestedScans,
		"a changed createdAt moves the document":             movesInOrder,
		"conditions give the same with and without an index": indexEquivalence,
		"a selective condition looks at few documents":       indexSelective,
		"long indexed values are told apart":                 longValues,
		"changes since a mark are named":                     changesAreNamed,
		"own writes are no change":                           ownWritesAreNoChange,
		"changes since an unknown mark are unknown":          unknownMarks,
		"changes of long ago are exact or unknown":           longAgo,
		"who follows the changes has the whole":              changesMakeAMirror,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

const plain store.Kind = "plain"

func update(t testing.TB, s store.Store, f func(store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func view(t testing.TB, s store.Store, f func(store.Tx) error) {
	t.Helper()
	if err := s.View(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, s store.Store, k store.Kind, d store.Doc, key ...string) {
	t.Helper()
	update(t, s, func(tx store.Tx) error { return tx.Put(k, d, key...) })
}

func get(t testing.TB, s store.Store, k store.Kind, key ...string) (d store.Doc) {
	t.Helper()
	view(t, s, func(tx store.Tx) (err error) {
		d, err = tx.Get(k, key...)
		if errors.Is(err, store.ErrNotFound) {
			d, err = nil, nil
		}
		return err
	})
	return d
}

// collect gathers a scan.
func collect(tx store.Tx, k store.Kind, where store.Where, page store.Page, prefix ...string) ([]store.Row, error) {
	var out []store.Row
	for row, err := range tx.Scan(k, where, page, prefix...) {
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, nil
}

func scan(t testing.TB, s store.Store, k store.Kind, where store.Where, page store.Page, prefix ...string) (out []store.Row) {
	t.Helper()
	view(t, s, func(tx store.Tx) (err error) {
		out, err = collect(tx, k, where, page, prefix...)
		return err
	})
	return out
}

// lastParts are the last key parts of rows, in their order.
func lastParts(rows []store.Row) []string {
	out := []string{}
	for _, r := range rows {
		out = append(out, r.Key[len(r.Key)-1])
	}
	return out
}

func same(t testing.TB, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func number(d store.Doc, name string) int {
	n, _ := d[name].(json.Number)
	i, _ := n.Int64() // a missing number counts as 0
	return int(i)
}

// when admits documents by a function and names conditions for the index.
type when struct {
	match  func(store.Doc) bool
	equals []store.Equal
}

func (w when) Match(d store.Doc) bool { return w.match == nil || w.match(d) }

func (w when) Equals() []store.Equal { return w.equals }

// equal is the condition that the list or text at path holds one of the values.
func equal(path string, values ...string) when {
	index := Indexes()[Indexed]
	return when{
		match: func(d store.Doc) bool {
			for _, e := range index(d) {
				if e.Path == path && slices.Contains(values, e.Value) {
					return true
				}
			}
			return false
		},
		equals: []store.Equal{{Path: path, Values: values}},
	}
}

// keyed is the condition that the last part of the key, which the documents of the
// test repeat under "last", is one of parts.
func keyed(parts ...string) when {
	return when{
		match:  func(d store.Doc) bool { return slices.Contains(parts, jsonv.String(d, "last")) },
		equals: []store.Equal{{Path: store.KeyPath, Values: parts}},
	}
}

// either is the condition that one of two holds.
func either(a, b when) when {
	return when{
		match:  func(d store.Doc) bool { return a.match(d) || b.match(d) },
		equals: []store.Equal{{Or: []store.Equal{a.equals[0], b.equals[0]}}},
	}
}

// dice gives the same throws for the same seed, on every platform (splitmix64).
type dice struct{ state uint64 }

func newDice(seed uint64) *dice { return &dice{seed} }

// IntN is a number from 0 to n-1.
func (d *dice) IntN(n int) int {
	d.state += 0x9e3779b97f4a7c15
	z := d.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int((z ^ z>>31) % uint64(n))
}
