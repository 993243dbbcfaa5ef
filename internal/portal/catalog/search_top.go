package catalog

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// topRequest is the body of a top-search (reference/catalog.md §4.14).
type topRequest struct {
	pageRequest
	countOnly bool
	sort      []sortKey
	groupBy   *by
	groups    sortKey
}

// sortKey is one key of an order; of groups only descending is used, and byCount.
type sortKey struct {
	by         *by
	descending bool
	byCount    bool
}

// TopSearch is the search in one blueprint that also sorts, counts and groups; it
// returns the answer's parts "entities" and "next", "count", or "groups".
func (c *Catalog) TopSearch(ctx context.Context, tx store.Tx, actor Actor, blueprint string, body any, o ReadOptions) (jsonv.Object, error) {
	in, err := readTopRequest(body, blueprint)
	if err != nil {
		return nil, err
	}
	s := c.begin(ctx, tx, actor).reader()
	bp, err := s.needBlueprint(blueprint)
	if err != nil {
		return nil, err
	}
	switch {
	case in.countOnly:
		n, err := s.count(bp, in.query)
		return jsonv.Object{"count": jsonv.Int(n)}, err
	case in.groupBy != nil:
		groups, err := s.grouped(bp, in)
		return jsonv.Object{"groups": groups}, err
	case len(in.sort) == 0:
		return s.page(bp, in.pageRequest, o)
	}
	return s.sorted(bp, in, o)
}

// sorted answers a page in the order that the request asks for. All matches are
// looked at; only those of the page are kept.
func (s *session) sorted(bp *blueprint, in topRequest, o ReadOptions) (jsonv.Object, error) {
	var after *placed
	if in.after != "" {
		mark, ok := readPlace(in.after, len(in.sort))
		if !ok {
			return nil, invalid("/from", "is not the next of an earlier answer")
		}
		after = &mark
	}
	best := make([]placed, 0, in.limit+2)
	compare := func(a, b placed) int { return in.compare(&a, &b) }
	err := s.search(bp, in.query, store.Page{}, func(v *view, _ store.Row) (bool, error) {
		p, err := in.place(v)
		if err != nil || after != nil && compare(p, *after) <= 0 {
			return true, err
		}
		at, _ := slices.BinarySearchFunc(best, p, compare)
		if at > in.limit {
			return true, nil
		}
		best = slices.Insert(best, at, p)
		best = best[:min(len(best), in.limit+1)]
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	out := jsonv.Object{}
	if len(best) > in.limit {
		best = best[:in.limit]
		out["next"] = sign(in.scope, best[in.limit-1].mark())
	}
	entities := make([]any, len(best))
	for i, p := range best {
		if entities[i], err = s.render(p.view, in.projection(o)); err != nil {
			return nil, err
		}
	}
	out["entities"] = entities
	return out, nil
}

// placed is an entity with its place in an order.
type placed struct {
	values      []any
	created, id string
	view        *view
}

func (in *topRequest) place(v *view) (placed, error) {
	p := placed{created: jsonv.String(v.doc, "createdAt"), id: v.key.id, view: v, values: make([]any, len(in.sort))}
	for i, key := range in.sort {
		value, err := key.by.of(v)
		if err != nil {
			return p, err
		}
		p.values[i] = value
	}
	return p, nil
}

// compare puts entities without a value last, whatever the direction, and equal
// ones in list order.
func (in *topRequest) compare(a, b *placed) int {
	for i, key := range in.sort {
		x, y := a.values[i], b.values[i]
		switch {
		case x == nil && y == nil:
			continue
		case x == nil:
			return 1
		case y == nil:
			return -1
		}
		c := compareValues(x, y)
		if key.descending {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return compareIn(a.created, a.id, b.created, b.id)
}

// compareValues orders values of any type: false before true, then numbers, then
// date-times by instant, then texts without regard to case, then lists by their
// elements.
func compareValues(a, b any) int {
	if c := cmp.Compare(rankOf(a), rankOf(b)); c != 0 {
		return c
	}
	switch x := a.(type) {
	case json.Number:
		if y, ok := b.(json.Number); ok {
			return jsonv.CompareNumbers(x, y)
		}
	case string:
		y, _ := b.(string)
		if at, ok := jsonv.ParseTime(x); ok {
			other, _ := jsonv.ParseTime(y) // of the same rank, so it is a date-time too
			return at.Compare(other)
		}
		return cmp.Or(strings.Compare(strings.ToLower(x), strings.ToLower(y)), strings.Compare(x, y))
	case []any:
		y, _ := b.([]any)
		return slices.CompareFunc(x, y, compareValues)
	}
	return strings.Compare(string(jsonv.Encode(a)), string(jsonv.Encode(b)))
}

func rankOf(v any) int {
	switch v := v.(type) {
	case nil:
		return 0
	case bool:
		if v {
			return 2
		}
		return 1
	case json.Number:
		return 3
	case string:
		if _, ok := jsonv.ParseTime(v); ok {
			return 4
		}
		return 5
	case []any:
		return 6
	}
	return 7
}

// mark spells a place for a cursor: pages go on behind it even when the entity is
// gone or has moved.
func (p *placed) mark() string {
	return base64.RawURLEncoding.EncodeToString(jsonv.Encode([]any{p.values, p.created, p.id}))
}

func readPlace(mark string, keys int) (p placed, ok bool) {
	text, err := base64.RawURLEncoding.DecodeString(mark)
	if err != nil {
		return p, false
	}
	raw, err := jsonv.Decode(text)
	parts, ok := raw.([]any)
	if err != nil || !ok || len(parts) != 3 {
		return p, false
	}
	values, isList := parts[0].([]any)
	created, isText := parts[1].(string)
	id, isID := parts[2].(string)
	return placed{values: values, created: created, id: id}, isList && isText && isID && len(values) == keys
}

// grouped counts the matches by a value, each element of an array apart.
func (s *session) grouped(bp *blueprint, in topRequest) ([]any, error) {
	type group struct {
		value any
		n     int
	}
	var groups []*group
	known := map[string]*group{}
	err := s.search(bp, in.query, store.Page{}, func(v *view, _ store.Row) (bool, error) {
		value, err := in.groupBy.of(v)
		if err != nil {
			return false, err
		}
		values, many := value.([]any)
		if !many {
			values = []any{value}
		}
		for _, value := range values {
			name := string(jsonv.Encode(value))
			if n, ok := value.(json.Number); ok {
				name = string(jsonv.CanonicalNumber(n))
			}
			if known[name] == nil {
				known[name] = &group{value: value}
				groups = append(groups, known[name])
			}
			known[name].n++
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(groups, func(a, b *group) int {
		c := compareGroupValues(a.value, b.value)
		if in.groups.byCount {
			c = cmp.Compare(a.n, b.n)
		}
		if in.groups.descending {
			c = -c
		}
		return cmp.Or(c, compareGroupValues(a.value, b.value))
	})
	out := make([]any, len(groups))
	for i, g := range groups {
		out[i] = jsonv.Object{"value": g.value, "count": jsonv.Int(g.n)}
	}
	return out, nil
}

// compareGroupValues is [compareValues] with null last.
func compareGroupValues(a, b any) int {
	if (a == nil) != (b == nil) {
		if a == nil {
			return 1
		}
		return -1
	}
	return compareValues(a, b)
}

func readTopRequest(body any, blueprint string) (topRequest, error) {
	r := &reader{}
	in := r.body(body)
	r.closed(in, nil, append(slices.Clone(pageKeys), "identifiers", "countOnly", "sort", "groupBy", "groupSort")...)
	var out topRequest
	out.sort = r.sortKeys(in)
	scope := blueprint
	if len(out.sort) > 0 {
		// A cursor is a place in one order and means nothing in another.
		scope = "$top\x00" + blueprint + "\x00" + string(jsonv.Encode(in["sort"]))
	}
	out.pageRequest = r.page(in, scope)
	if _, ok := in["identifiers"]; ok {
		out.query = out.query.Among(r.strings(in, "identifiers"))
	}
	out.countOnly = r.flag(in, "countOnly")
	if raw, ok := in["groupBy"]; ok {
		out.groupBy = r.sortBy(raw, []string{"groupBy"}, false).by
	}
	out.groups = r.groupSort(in)
	return out, r.problems.Invalid()
}

func (r *reader) sortKeys(in jsonv.Object) []sortKey {
	raw, ok := in["sort"]
	if !ok {
		return nil
	}
	list, ok := raw.([]any)
	if !ok {
		r.add([]string{"sort"}, "want an array, got %s", jsonv.KindOf(raw))
	}
	keys := make([]sortKey, len(list))
	for i, e := range list {
		keys[i] = r.sortBy(e, []string{"sort", string(jsonv.Int(i))}, true)
	}
	return keys
}

// sortBy reads {property}, {relation, targetProperty} or {scorecard,
// scorecardRule}, for a sort key with its order.
func (r *reader) sortBy(raw any, at []string, ordered bool) sortKey {
	o, ok := raw.(jsonv.Object)
	if !ok {
		r.add(at, "want an object, got %s", jsonv.KindOf(raw))
		return sortKey{by: &by{}}
	}
	allowed := []string{"property", "relation", "targetProperty", "scorecard", "scorecardRule"}
	if ordered {
		allowed = append(allowed, "order")
	}
	r.closed(o, at, allowed...)
	key := sortKey{by: r.by(o, "scorecardRule", at)}
	if _, ok := o["targetProperty"]; ok {
		key.by.titles = r.oneOf(o, "targetProperty", []string{"$identifier", "$title"}, at...) == "$title"
		if _, ok := o["relation"]; !ok {
			r.add(below(at, "targetProperty"), "needs relation")
		}
	}
	if _, ok := o["order"]; ok && ordered {
		key.descending = r.oneOf(o, "order", orders, at...) == "desc"
	}
	return key
}

var orders = []string{"asc", "desc"}

// groupSort reads the order of groups; without one the largest come first.
func (r *reader) groupSort(in jsonv.Object) sortKey {
	out := sortKey{byCount: true, descending: true}
	raw, ok := in["groupSort"]
	if !ok {
		return out
	}
	at := []string{"groupSort"}
	o, ok := raw.(jsonv.Object)
	if !ok {
		r.add(at, "want an object, got %s", jsonv.KindOf(raw))
		return out
	}
	r.closed(o, at, "by", "order")
	if _, ok := o["by"]; ok {
		out.byCount = r.oneOf(o, "by", []string{"count", "value"}, at...) == "count"
		out.descending = out.byCount
	}
	if _, ok := o["order"]; ok {
		out.descending = r.oneOf(o, "order", orders, at...) == "desc"
	}
	return out
}
