package store

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// maxIndexed bounds the stored text of an indexed value. A longer value is
// kept as its start and a digest; that is enough, because [Where.Match] has the
// last word.
const maxIndexed = 160

// maxCandidates is the most index entries that a scan gathers and sorts. A
// condition that admits more is so wide that walking in order is as good.
const maxCandidates = 50_000

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

// equals are the conditions of where that the index of k can answer.
func (x Indexes) equals(k Kind, where Where) []Equal {
	if where == nil || x[k] == nil {
		return nil
	}
	var out []Equal
	for _, e := range where.Equals() {
		values := make([]string, 0, len(e.Values))
		for _, v := range e.Values {
			values = append(values, indexedText(v))
		}
		slices.Sort(values)
		out = append(out, Equal{e.Path, slices.Compact(values)})
	}
	return out
}
