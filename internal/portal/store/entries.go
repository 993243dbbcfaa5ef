package store

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// maxIndexed bounds the stored text of an indexed value. A longer value is
// kept as its start and a digest; that is enough, because [Where.Match] has the
// last word.
const maxIndexed = 160

// maxCandidates is the most index entries that a scan gathers and sorts. A
// condition that admits more is so wide that walking in order is as good.
const maxCandidates = 50_000

// How wide a condition a scan for few rows still gathers; see [Page.wide].
const (
	minWide    = 2_000
	wideFactor = 50
)

func indexedText(value string) string {
	if len(value) <= maxIndexed {
		return value
	}
	sum := sha256.Sum256([]byte(value))
	return value[:maxIndexed-2*len(sum)] + hex.EncodeToString(sum[:])
}

// entriesOf lists what the index says about d, each pair once.
func (x Indexes) entriesOf(k Kind, d Doc) []Entry {
	index := x[k]
	if index == nil || d == nil {
		return nil
	}
	raw := index(d)
	out := make([]Entry, 0, len(raw))
	for _, e := range raw {
		e.Value = indexedText(e.Value)
		if !slices.Contains(out, e) {
			out = append(out, e)
		}
	}
	return out
}

// conditions are those of where that can be looked up: a document that where
// admits has at least one entry of each. A condition that needs an index which k
// does not have is left out.
func (x Indexes) conditions(k Kind, where Where) [][]Entry {
	if where == nil {
		return nil
	}
	var out [][]Entry
	for _, e := range where.Equals() {
		if entries, ok := x.alternatives(k, e, nil); ok {
			slices.SortFunc(entries, compareEntries)
			out = append(out, slices.Compact(entries))
		}
	}
	return out
}

func (x Indexes) alternatives(k Kind, e Equal, to []Entry) (entries []Entry, ok bool) {
	if e.Path != KeyPath && x[k] == nil {
		return nil, false
	}
	for _, v := range e.Values {
		if e.Path != KeyPath {
			v = indexedText(v)
		}
		to = append(to, Entry{e.Path, v})
	}
	for _, other := range e.Or {
		if to, ok = x.alternatives(k, other, to); !ok {
			return nil, false
		}
	}
	return to, true
}

func compareEntries(a, b Entry) int {
	return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Value, b.Value))
}

// below is the text of the key that has one part more than an encoded prefix; a
// part that no key can have leads to no document.
func below(prefix, part string) (key string, possible bool) {
	text, possible := scanPrefix([]string{part})
	return prefix + text, possible
}
