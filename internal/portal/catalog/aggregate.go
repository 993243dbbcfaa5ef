package catalog

import (
	"encoding/json"
	"math/big"
	"slices"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

type closureKey struct {
	entityKey
	forward bool
}

// aggregate evaluates an aggregation property on the entity (reference/catalog.md
// §2.9), from what the catalog has kept where it can.
func (v *view) aggregate(key string, a *aggregation) (any, error) {
	target, err := v.s.blueprint(a.target)
	if err != nil || target == nil || a.broken || !a.readable(target) {
		return nil, err
	}
	v.s.trace.beyond()
	if a.timed() {
		v.s.trace.passing()
	}
	if value, ok, err := v.kept(key, a); ok || err != nil {
		return value, err
	}
	return v.aggregateAnew(a)
}

// readable tells whether the target still has what the aggregation reads; after
// that has gone the value is null, not that of no numbers (§2.13).
func (a *aggregation) readable(target *blueprint) bool {
	return (!a.byProperty || target.has(a.property)) && (!a.measures() || target.has(a.measureTime))
}

// timed tells whether the value can change by the passing of time alone.
func (a *aggregation) timed() bool { return a.measures() || a.query != nil && a.query.Timed() }

// aggregateAnew evaluates an aggregation from the stored entities alone.
func (v *view) aggregateAnew(a *aggregation) (any, error) {
	keys, known, err := v.aggregated(a)
	if err != nil || !known {
		return nil, err
	}
	var set []*view
	m := v.s.matcher()
	for _, k := range keys {
		if k.blueprint != a.target {
			continue
		}
		w, err := v.s.view(k)
		if err != nil {
			return nil, err
		}
		if w == nil {
			continue
		}
		if a.query != nil {
			ok, err := m.match(a.query, w)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
		}
		set = append(set, w)
	}
	var earliest time.Time
	if a.measures() {
		if set, earliest, err = measured(a, set); err != nil {
			return nil, err
		}
	}
	if a.byProperty {
		return v.overProperty(a, set, earliest)
	}
	count := big.NewRat(int64(len(set)), 1)
	if earliest.IsZero() {
		return number(count), nil
	}
	return perInterval(a, v.s.now, earliest, count), nil
}

// measured keeps the entities that have a time where the aggregation looks for
// it, and finds the earliest one (A8).
func measured(a *aggregation, set []*view) (kept []*view, earliest time.Time, err error) {
	for _, w := range set {
		at, ok, err := w.measured(a)
		if err != nil {
			return nil, earliest, err
		}
		if !ok {
			continue
		}
		kept = append(kept, w)
		if earliest.IsZero() || at.Before(earliest) {
			earliest = at
		}
	}
	return kept, earliest, nil
}

// measured is the entity's time for an aggregation; ok is false when there is
// none that can be read.
func (v *view) measured(a *aggregation) (at time.Time, ok bool, err error) {
	value, err := v.leaf(a.measureTime)
	if err != nil {
		return at, false, err
	}
	text, _ := value.(string)
	at, ok = jsonv.ParseTime(text)
	return at, ok, nil
}

// numeric is the entity's number for an aggregation, "" when there is none.
func (v *view) numeric(a *aggregation) (json.Number, error) {
	value, err := v.leaf(a.property)
	if err != nil {
		return "", err
	}
	n, _ := value.(json.Number)
	return n, nil
}

// aggregated lists the entities an aggregation looks at. known is false when its
// path no longer resolves.
func (v *view) aggregated(a *aggregation) (keys []entityKey, known bool, err error) {
	switch {
	case len(a.path) == 0:
		keys, err = v.s.relatedTo(v.key)
		return keys, true, err
	case a.from == "":
		ends, _, known, err := v.walk(a.path)
		for _, e := range ends {
			if !slices.Contains(keys, e.key) {
				keys = append(keys, e.key)
			}
		}
		return keys, known, err
	}
	return v.s.leadingTo(v.key, a.from, a.path)
}

// leadingTo lists the entities of blueprint from whose path ends at k, by walking
// the path backward.
func (s *session) leadingTo(k entityKey, from string, path []string) (keys []entityKey, known bool, err error) {
	chain, err := s.chain(k.blueprint, from, path)
	if err != nil || chain == nil {
		return nil, false, err
	}
	current := []entityKey{k}
	for i := len(path) - 1; i >= 0; i-- {
		seen := map[entityKey]bool{}
		var previous []entityKey
		for _, to := range current {
			holders, err := s.steppingTo(chain[i], path[i], to.id)
			if err != nil {
				return nil, false, err
			}
			for _, h := range holders {
				if !seen[h] {
					seen[h] = true
					previous = append(previous, h)
				}
			}
		}
		current = previous
	}
	return current, true, nil
}

// chain lists the blueprints along a path that begins at the blueprint from and
// must end at the blueprint to; it is nil when the path does not resolve.
func (s *session) chain(to, from string, path []string) ([]*blueprint, error) {
	start, err := s.blueprint(from)
	if err != nil || start == nil {
		return nil, err
	}
	chain := []*blueprint{start}
	for _, step := range path {
		next, _, err := s.walkBlueprints(s.blueprint, chain[len(chain)-1], []string{step})
		if err != nil || next == nil {
			return nil, err
		}
		chain = append(chain, next)
	}
	if chain[len(path)].id != to {
		return nil, nil
	}
	return chain, nil
}

// steppingTo lists the entities of bp that one step leads from to id.
func (s *session) steppingTo(bp *blueprint, step, id string) ([]entityKey, error) {
	if step != "$team" {
		return s.holders(reference{blueprint: bp.id, key: step, relation: bp.relations[step]}, id)
	}
	inherits, err := s.inherits(bp)
	if err != nil {
		return nil, err
	}
	var where store.Where
	if !inherits {
		where = indexed{equals: equalTo(indexMeta+"$team", id)}
	}
	var out []entityKey
	for row, err := range s.entitiesOf(bp.id, where, store.Page{}) {
		if err != nil {
			return nil, err
		}
		w := s.viewOf(bp, row.Doc)
		team, err := w.team()
		if err != nil {
			return nil, err
		}
		if holds(team, id) {
			out = append(out, w.key)
		}
	}
	return out, nil
}

// relatedTo unites what k depends on and what depends on it, through any number
// of relations; chains do not change direction (A2).
func (s *session) relatedTo(k entityKey) ([]entityKey, error) {
	out, err := s.closure(k, true)
	if err != nil {
		return nil, err
	}
	down, err := s.closure(k, false)
	if err != nil {
		return nil, err
	}
	out = slices.Clone(out)
	seen := make(map[entityKey]bool, len(out))
	for _, e := range out {
		seen[e] = true
	}
	for _, e := range down {
		if !seen[e] {
			out = append(out, e)
		}
	}
	return out, nil
}

// closure follows relations from k in one direction, without k itself unless a
// cycle leads back.
func (s *session) closure(k entityKey, forward bool) ([]entityKey, error) {
	key := closureKey{k, forward}
	if out, ok := s.closures[key]; ok {
		return out, nil
	}
	m := s.matcher()
	g := &graph{m}
	var out []entityKey
	seen := map[entityKey]bool{}
	queue := []entityKey{k}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, edge := range g.Edges(nodeOf(at), forward) {
			next := entityKey{edge.Other.Blueprint, edge.Other.Identifier}
			if !seen[next] {
				seen[next] = true
				out = append(out, next)
				queue = append(queue, next)
			}
		}
	}
	if m.err != nil {
		return nil, m.err
	}
	s.closures[key] = out
	return out, nil
}

// overProperty is sum, min, max, median and average over a number property (A10).
func (v *view) overProperty(a *aggregation, set []*view, earliest time.Time) (any, error) {
	var values []ranked
	for _, w := range set {
		n, err := w.numeric(a)
		if err != nil {
			return nil, err
		}
		if n != "" {
			values = append(values, rank(w.key.id, n))
		}
	}
	slices.SortFunc(values, ranked.compare)
	total := func() *big.Rat {
		numbers := make([]json.Number, len(values))
		for i, v := range values {
			numbers[i] = v.number
		}
		return sum(numbers)
	}
	switch {
	case a.function == "sum":
		return number(total()), nil
	case len(values) == 0:
		return nil, nil
	case a.function == "min":
		return values[0].number, nil
	case a.function == "max":
		return values[len(values)-1].number, nil
	case a.function == "median":
		middle := len(values) / 2
		if len(values)%2 == 1 {
			return values[middle].number, nil
		}
		return mean(values[middle-1].number, values[middle].number), nil
	case a.averageOf == "total":
		return number(new(big.Rat).Quo(total(), big.NewRat(int64(len(values)), 1))), nil
	}
	return perInterval(a, v.s.now, earliest, total()), nil
}

var intervals = map[string]time.Duration{
	"hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour, "month": 30 * 24 * time.Hour,
}

// perInterval divides an amount by the intervals since the earliest measured
// time, each started one counting as a whole (A9).
func perInterval(a *aggregation, now, earliest time.Time, amount *big.Rat) any {
	unit := intervals[a.averageOf]
	n := int64((now.Sub(earliest) + unit - 1) / unit)
	return number(new(big.Rat).Quo(amount, big.NewRat(max(n, 1), 1)))
}

// maxExact is the longest number text whose decimal value is summed exactly; a
// longer one, or one with a huge exponent, counts by its nearest float.
const maxExact = 64

func sum(values []json.Number) *big.Rat {
	total := new(big.Rat)
	for _, n := range values {
		if r := exact(n); r != nil {
			total.Add(total, r)
		}
	}
	return total
}

// exact is what a number adds to a sum, nil when it is out of any range that a
// result could have.
func exact(n json.Number) *big.Rat {
	text := string(jsonv.CanonicalNumber(n))
	f, err := n.Float64()
	if err != nil {
		return nil
	}
	if len(text) <= maxExact {
		if r, ok := new(big.Rat).SetString(text); ok {
			return r
		}
	}
	return new(big.Rat).SetFloat64(f)
}

// mean is the median of an even set: the middle of its two middle values.
func mean(a, b json.Number) any {
	total := sum([]json.Number{a, b})
	return number(total.Quo(total, big.NewRat(2, 1)))
}

// number spells r: exactly when it is an integer, otherwise by the nearest float.
func number(r *big.Rat) any {
	if r.IsInt() {
		return jsonv.CanonicalNumber(json.Number(r.Num().String()))
	}
	f, _ := r.Float64()
	n, ok := jsonv.Float(f)
	if !ok {
		return nil
	}
	return n
}
