package catalog

import (
	"context"
	"encoding/json"
	"math/big"
	"slices"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// aggregateRequest is the body of POST /v1/entities/aggregate (reference/catalog.md
// §4.12).
type aggregateRequest struct {
	query       *query.Query
	function    string
	averageOf   string
	measureTime string
	// by is what is counted or summed; nil when whole entities are.
	by *by
}

// by names a value of an entity by which others are counted, grouped or sorted.
type by struct {
	property string
	relation string
	// titles says that a relation stands for the titles of its targets.
	titles          bool
	scorecard, rule string
}

// countValues is the function whose result is a count per value.
const countValues = "countValues"

// Aggregate computes one figure, or a count per value, over the entities of all
// blueprints that a query matches; it returns the answer's parts "result",
// "matchingBlueprints" and, for readers of the published schema, empty "entities".
func (c *Catalog) Aggregate(ctx context.Context, tx store.Tx, actor Actor, body any) (jsonv.Object, error) {
	in, err := readAggregateRequest(body)
	if err != nil {
		return nil, err
	}
	s := c.begin(ctx, tx, actor).reader()
	all, err := s.allBlueprints()
	if err != nil {
		return nil, err
	}
	t := &tally{in: in, counts: map[string]int{}}
	type first struct{ id, created, entity string }
	var matching []first
	for _, bp := range all {
		some := false
		err := s.search(bp, in.query, store.Page{}, func(v *view, _ store.Row) (bool, error) {
			if !some {
				some = true
				matching = append(matching, first{bp.id, jsonv.String(v.doc, "createdAt"), v.key.id})
			}
			return true, t.add(v)
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(matching, func(a, b first) int { return compareIn(a.created, a.entity, b.created, b.entity) })
	blueprints := make([]any, len(matching))
	for i, m := range matching {
		blueprints[i] = m.id
	}
	return jsonv.Object{"result": t.result(s.now), "matchingBlueprints": blueprints, "entities": []any{}}, nil
}

var aggregateFunctions = map[string][]string{
	"entities": {"count", "average"},
	"property": {"sum", "average", "min", "max", "median"},
}

func readAggregateRequest(body any) (aggregateRequest, error) {
	r := &reader{}
	in := r.body(body)
	out := aggregateRequest{query: query.All(), function: jsonv.String(in, "func")}
	if raw, ok := in["query"]; ok {
		q, err := query.Parse(raw, query.Options{Scope: query.CatalogWide, At: []string{"query"}})
		if err != nil {
			r.adopt(err, []string{"query"})
		} else {
			out.query = q
		}
	} else if in != nil {
		r.add([]string{"query"}, "is required")
	}
	switch _, byProperty := in["property"]; {
	case in == nil:
	case out.function == countValues:
		r.closed(in, nil, "func", "query", "property", "relation", "scorecard", "rule")
		out.by = r.by(in, "rule", nil)
	case byProperty || slices.Contains(aggregateFunctions["property"][2:], out.function) || out.function == "sum":
		r.oneOf(in, "func", aggregateFunctions["property"])
		r.closed(in, nil, "func", "query", "property", "averageOf", "measureTimeBy", "calculationBy")
		out.by = &by{property: r.needText(in, "property", 0)}
		out.measured(r, in)
	default:
		r.oneOf(in, "func", append(slices.Clone(aggregateFunctions["entities"]), append(slices.Clone(aggregateFunctions["property"]), countValues)...))
		r.closed(in, nil, "func", "query", "averageOf", "measureTimeBy", "calculationBy")
		out.measured(r, in)
	}
	return out, r.problems.Invalid()
}

// measured reads how an average is taken; only averages look at it.
func (a *aggregateRequest) measured(r *reader, in jsonv.Object) {
	if _, ok := in["averageOf"]; ok {
		a.averageOf = r.oneOf(in, "averageOf", aggregationUnits)
	}
	r.mustBeText(in, "calculationBy")
	r.mustBeText(in, "measureTimeBy")
	if a.measureTime = jsonv.String(in, "measureTimeBy"); a.measureTime == "" {
		a.measureTime = "$createdAt"
	}
	if a.function != "average" || a.averageOf == "total" {
		a.averageOf = ""
	}
}

// mustBeText refuses a key that is there and no string, null included.
func (r *reader) mustBeText(in jsonv.Object, key string, at ...string) {
	if v, ok := in[key]; ok {
		if _, text := v.(string); !text {
			r.add(below(at, key), "want a string, got %s", jsonv.KindOf(v))
		}
	}
}

// by reads exactly one of property, relation and scorecard, the last with an
// optional rule.
func (r *reader) by(in jsonv.Object, rule string, at []string) *by {
	out, given := &by{}, 0
	for key, field := range map[string]*string{"property": &out.property, "relation": &out.relation, "scorecard": &out.scorecard} {
		if _, ok := in[key]; ok {
			given++
			*field = r.needText(in, key, 0, at...)
		}
	}
	if given != 1 {
		r.add(at, "want exactly one of property, relation and scorecard")
	}
	if _, ok := in[rule]; ok {
		out.rule = r.needText(in, rule, 0, at...)
		if _, ok := in["scorecard"]; !ok {
			r.add(below(at, rule), "needs scorecard")
		}
	}
	return out
}

// of is the value that an entity has.
func (b *by) of(v *view) (any, error) {
	switch {
	case b.scorecard != "":
		return b.outcome(v)
	case b.relation != "" && b.titles:
		return b.targets(v)
	case b.relation != "":
		return v.relation(b.relation), nil
	}
	return v.leaf(b.property)
}

// outcome is the level of a scorecard, or the status of one of its rules.
func (b *by) outcome(v *view) (any, error) {
	m := v.s.matcher()
	card, ok := (&candidate{m: m, v: v}).Scorecard(b.scorecard)
	switch {
	case m.err != nil || !ok:
		return nil, m.err
	case b.rule != "":
		for _, r := range card.Rules {
			if r.Identifier == b.rule {
				return r.Status, nil
			}
		}
		return nil, nil
	case card.Level == "":
		return nil, nil
	}
	return card.Level, nil
}

// targets are the titles a relation leads to: one, or a list of a many relation.
func (b *by) targets(v *view) (any, error) {
	next, many, _, err := v.hop(b.relation)
	if err != nil {
		return nil, err
	}
	titles := make([]any, len(next))
	for i, w := range next {
		titles[i] = w.doc["title"]
	}
	switch {
	case many:
		return titles, nil
	case len(titles) == 0:
		return nil, nil
	}
	return titles[0], nil
}

// tally takes entities one by one and keeps no more of them than the function
// needs.
type tally struct {
	in       aggregateRequest
	n        int64
	values   []json.Number
	counts   map[string]int
	earliest time.Time
}

func (t *tally) add(v *view) error {
	if t.in.averageOf != "" {
		at, err := v.leaf(t.in.measureTime)
		if err != nil {
			return err
		}
		moment, ok := jsonv.ParseTime(text(at))
		if !ok {
			return nil // it has no time to be measured by (§2.9 A8)
		}
		if t.earliest.IsZero() || moment.Before(t.earliest) {
			t.earliest = moment
		}
	}
	t.n++
	if t.in.by == nil {
		return nil
	}
	value, err := t.in.by.of(v)
	if err != nil {
		return err
	}
	if t.in.function == countValues {
		for _, name := range valueNames(value) {
			t.counts[name]++
		}
	} else if n, ok := value.(json.Number); ok {
		t.values = append(t.values, n)
	}
	return nil
}

// valueNames spells a value as a key: its text, null as "null", and each element of
// an array apart.
func valueNames(value any) []string {
	list, ok := value.([]any)
	if !ok {
		return []string{valueName(value)}
	}
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = valueName(e)
	}
	return out
}

func valueName(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case json.Number:
		return string(jsonv.CanonicalNumber(value))
	}
	return string(jsonv.Encode(value))
}

// result is the figure: of no entities or values as §2.9 A10 says.
func (t *tally) result(now time.Time) any {
	amount := big.NewRat(t.n, 1)
	switch {
	case t.in.function == countValues:
		out := make(jsonv.Object, len(t.counts))
		for name, n := range t.counts {
			out[name] = jsonv.Int(n)
		}
		return out
	case t.in.by == nil:
		return number(t.average(amount, big.NewRat(1, 1), now))
	case t.in.function == "sum":
		return number(sum(t.values))
	case len(t.values) == 0:
		return nil
	case t.in.function == "average":
		return number(t.average(sum(t.values), big.NewRat(int64(len(t.values)), 1), now))
	}
	slices.SortFunc(t.values, jsonv.CompareNumbers)
	middle := len(t.values) / 2
	switch {
	case t.in.function == "min":
		return t.values[0]
	case t.in.function == "max":
		return t.values[len(t.values)-1]
	case len(t.values)%2 == 1:
		return t.values[middle]
	}
	return number(new(big.Rat).Quo(sum(t.values[middle-1:middle+1]), big.NewRat(2, 1)))
}

// average divides by the started intervals since the earliest measured time, at
// least one (§2.9 A9), or by total when no interval is asked for.
func (t *tally) average(amount, total *big.Rat, now time.Time) *big.Rat {
	if t.in.averageOf != "" {
		unit := intervals[t.in.averageOf]
		total = big.NewRat(max(int64((now.Sub(t.earliest)+unit-1)/unit), 1), 1)
		if t.earliest.IsZero() {
			total = big.NewRat(1, 1)
		}
	}
	return new(big.Rat).Quo(amount, total)
}
