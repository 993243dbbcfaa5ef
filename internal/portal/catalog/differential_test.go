package catalog_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

var differentialBlueprints = []string{
	`{"identifier":"root","title":"Root","ownership":{"type":"Direct"},"schema":{"properties":{"s":{"type":"string"},"n":{"type":"number"},"d":{"type":"string","format":"date-time"}}},"relations":{"parent":{"target":"root"}}}`,
	`{"identifier":"node","title":"Node","ownership":{"type":"Direct"},"schema":{"properties":{"s":{"type":"string"},"n":{"type":"number"},"b":{"type":"boolean"},"l":{"type":"array","items":{"type":"string"}},
		"d":{"type":"string","format":"date-time"},"t":{"type":"string","format":"timer"},"o":{"type":"object"},"u":{"type":"string","format":"url"},"root":{"type":"string"}}},
		"relations":{"parent":{"target":"node"},"root":{"target":"root"},"peers":{"target":"node","many":true}},
		"mirrorProperties":{"ms":{"path":"root.s"},"mt":{"path":"root.$title"},"mn":{"path":"peers.n"},"mi":{"path":"peers.$identifier"}}}`,
	`{"identifier":"leaf","title":"Leaf","ownership":{"type":"Inherited","path":"node"},"schema":{"properties":{"s":{"type":"number"},"l":{"type":"array","items":{"type":"number"}}}},
		"relations":{"node":{"target":"node","required":true},"other":{"target":"root"}},"mirrorProperties":{"mb":{"path":"node.b"}}}`,
}

func differentialShapes() map[string]naiveShape {
	return map[string]naiveShape{
		"_team": {properties: map[string]naiveType{"description": {"string", "", ""}}},
		"root": {
			properties: map[string]naiveType{"s": {"string", "", ""}, "n": {"number", "", ""}, "d": {"string", "date-time", ""}},
			relations:  map[string]naiveRelation{"parent": {"root", false, false}},
		},
		"node": {
			properties: map[string]naiveType{
				"s": {"string", "", ""}, "n": {"number", "", ""}, "b": {"boolean", "", ""}, "l": {"array", "", "string"}, "d": {"string", "date-time", ""},
				"t": {"string", "timer", ""}, "o": {"object", "", ""}, "u": {"string", "url", ""}, "root": {"string", "", ""},
			},
			relations: map[string]naiveRelation{"parent": {"node", false, false}, "root": {"root", false, false}, "peers": {"node", false, true}},
			mirrors:   map[string]naiveMirror{"ms": {"root", "s"}, "mt": {"root", "$title"}, "mn": {"peers", "n"}, "mi": {"peers", "$identifier"}},
		},
		"leaf": {
			properties: map[string]naiveType{"s": {"number", "", ""}, "l": {"array", "", "number"}},
			relations:  map[string]naiveRelation{"node": {"node", true, false}, "other": {"root", false, false}},
			mirrors:    map[string]naiveMirror{"mb": {"node", "b"}},
			inherits:   "node",
		},
	}
}

// throws makes random entities and queries over few names and values, so that
// they meet often.
type throws struct {
	*rand.Rand
	ids map[string][]string
}

func pick[T any](r throws, some ...T) T { return some[r.IntN(len(some))] }

var (
	someTexts   = []any{"a", "A", "ab", "b", "", "ünÏ", "2024-01-01T00:00:00Z", "5"}
	someNumbers = []any{jsonv.Int(0), jsonv.Int(1), jsonv.Int(5), jsonv.Int(-2)}
	someMoments = []any{"2024-01-01T00:00:00Z", "2024-01-01T02:00:00+02:00", "2023-12-31T12:00:00.500Z", "2023-06-01T00:00:00Z", "2024-01-20T00:00:00Z", "2020-02-29T23:59:59-05:00"}
)

// property is a value for a type, absent and null included.
func (r throws) property(t naiveType) (v any, written bool) {
	if r.IntN(5) == 0 {
		return nil, r.IntN(2) == 0
	}
	switch {
	case t.format == "date-time" || t.format == "timer":
		return pick(r, someMoments...), true
	case t.format == "url":
		return pick[any](r, "https://x.io/1", "https://x.io/2"), true
	case t.kind == "number":
		return pick(r, someNumbers...), true
	case t.kind == "boolean":
		return r.IntN(2) == 0, true
	case t.kind == "object":
		return pick[any](r, jsonv.Object{}, jsonv.Object{"k": "a"}), true
	case t.kind == "array":
		list := []any{}
		for range r.IntN(3) {
			if t.item == "number" {
				list = append(list, pick(r, someNumbers...))
			} else {
				list = append(list, pick(r, someTexts...))
			}
		}
		return list, true
	}
	return pick(r, someTexts...), true
}

func (r throws) id(blueprint string) any {
	if ids := r.ids[blueprint]; len(ids) > 0 {
		return pick(r, ids...)
	}
	return nil
}

// body is a random entity of a blueprint; relations lead to what is there.
func (r throws) body(blueprint, id string, shape naiveShape) jsonv.Object {
	properties, relations := jsonv.Object{}, jsonv.Object{}
	for _, name := range slices.Sorted(mapKeys(shape.properties)) {
		if v, written := r.property(shape.properties[name]); written {
			properties[name] = v
		}
	}
	for _, name := range slices.Sorted(mapKeys(shape.relations)) {
		relation := shape.relations[name]
		target := r.id(relation.target)
		switch {
		case target == nil || !relation.required && r.IntN(4) == 0:
			if r.IntN(2) == 0 && !relation.required {
				relations[name] = nil
				if relation.many {
					relations[name] = []any{}
				}
			}
		case relation.many:
			list := []any{target}
			if other := r.id(relation.target); other != target {
				list = append(list, other)
			}
			relations[name] = list
		default:
			relations[name] = target
		}
	}
	body := jsonv.Object{"identifier": id, "title": pick(r, someTexts...), "properties": properties, "relations": relations}
	if shape.inherits == "" && blueprint != "_team" {
		body["team"] = pick(r, []any{}, []any{"t1"}, []any{"t2", "t1"})
	}
	return body
}

func mapKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func (r throws) scalar() any {
	switch r.IntN(8) {
	case 0:
		return nil
	case 1, 2:
		return pick(r, someNumbers...)
	case 3:
		return r.IntN(2) == 0
	case 4:
		return pick(r, someMoments...)
	case 5:
		return pick[any](r, "t1", "t2", r.id("root"), r.id("node"))
	}
	return pick(r, someTexts...)
}

func (r throws) list(wide bool) []any {
	out := []any{}
	for range r.IntN(4) {
		v := r.scalar()
		if _, text := v.(string); text || v == nil || wide {
			out = append(out, v)
		}
	}
	return out
}

func (r throws) some(blueprint string) any {
	one, two := r.id(blueprint), r.id(blueprint)
	return pick[any](r, one, []any{one, two}, []any{"nobody", one})
}

var (
	names     = []any{"s", "n", "b", "l", "d", "t", "o", "u", "root", "parent", "peers", "node", "other", "ms", "mt", "mn", "mi", "mb", "none", "$identifier", "$title", "$icon", "$team", "$blueprint", "$createdAt", "$updatedAt", "$createdBy", "$datasource"}
	textOps   = []any{"=", "=", "=", "!=", "in", "in", "notIn", "contains", "doesNotContains", "containsAny", "beginsWith", "doesNotBeginsWith", "endsWith", "doesNotEndsWith"}
	relations = []any{"parent", "root", "peers", "node", "other", "$team", "none"}
)

// text is an operator that compares with a value, and the value.
func (r throws) text(rule jsonv.Object, wide bool) jsonv.Object {
	rule["operator"] = pick(r, textOps...)
	rule["value"] = r.scalar()
	if r.IntN(3) == 0 || rule["operator"] == "in" {
		rule["value"] = r.list(wide)
	}
	switch rule["property"] {
	case "$blueprint":
		rule["value"] = pick[any](r, "node", "leaf", []any{"root", "leaf"})
	case "$identifier":
		rule["value"] = r.some(pick(r, "root", "node", "leaf"))
	}
	return rule
}

func (r throws) hops() []any {
	path, repeated := []any{}, false
	for range 1 + r.IntN(3) {
		hop := pick(r, relations...)
		if !repeated && r.IntN(3) == 0 {
			repeated = true
			hop = jsonv.Object{"relation": pick[any](r, "parent", "peers", "root"), "maxHops": jsonv.Int(1 + r.IntN(3))}
		}
		path = append(path, hop)
	}
	return path
}

func (r throws) rule(wide bool, depth int) any {
	property := func() jsonv.Object { return jsonv.Object{"property": pick(r, names...)} }
	window := func() any {
		if r.IntN(2) == 0 {
			return jsonv.Object{"preset": pick[any](r, "today", "yesterday", "lastWeek", "nextMonth")}
		}
		return jsonv.Object{"from": pick(r, someMoments...), "to": pick(r, someMoments...)}
	}
	with := func(rule jsonv.Object, op, value any) jsonv.Object {
		rule["operator"] = op
		if value != nil {
			rule["value"] = value
		}
		return rule
	}
	switch n := r.IntN(20); {
	case n < 4 && depth > 0:
		return r.group(wide, depth-1)
	case n == 5:
		return with(property(), pick[any](r, ">", ">=", "<", "<="), pick[any](r, pick(r, someNumbers...), pick(r, someMoments...)))
	case n == 6:
		return with(property(), pick[any](r, "isEmpty", "isNotEmpty", "isExpired", "isNotExpired"), nil)
	case n == 7:
		return with(jsonv.Object{"property": pick[any](r, "d", "t", "$createdAt", "s")}, pick[any](r, "between", "notBetween", "="), window())
	case n == 8 || n == 9:
		rule := with(jsonv.Object{}, "relatedTo", nil)
		rule["blueprint"] = pick[any](r, "root", "node", "leaf", "none")
		rule["value"] = r.some(pick(r, "root", "node", "leaf"))
		if r.IntN(2) == 0 {
			rule["direction"] = pick[any](r, "upstream", "downstream")
		}
		if r.IntN(3) == 0 {
			rule["required"] = r.IntN(2) == 0
		}
		return rule
	case n == 10 || n == 11:
		path := jsonv.Object{"path": r.hops()}
		if r.IntN(2) == 0 {
			path["fromBlueprint"] = pick[any](r, "root", "node", "leaf")
		}
		return with(jsonv.Object{"property": path}, "matchAny", pick(r, r.some("root"), r.some("node"), any("t1")))
	case n == 12:
		schema := pick[any](r, jsonv.Object{"type": "string"}, jsonv.Object{"type": "string", "format": "date-time"}, jsonv.Object{"type": "number"}, jsonv.Object{"type": "boolean"}, jsonv.Object{"type": "array", "items": jsonv.Object{"type": "string"}}, jsonv.Object{"type": "array"})
		rule := with(jsonv.Object{"propertySchema": schema}, pick[any](r, "=", "!=", "contains"), nil)
		rule["value"] = r.scalar()
		return rule
	case n == 13 && wide:
		return with(property(), "matchAny", pick[any](r, []any{"a", "5"}, "a", "t1"))
	case n >= 14 && n < 17 && !wide:
		rule := jsonv.Object{"relation": pick(r, relations...)}
		if rule["relation"] == "$team" {
			rule["relation"] = "parent"
		}
		if r.IntN(3) == 0 {
			rule["targetProperty"] = pick[any](r, "$identifier", "$title")
		}
		if r.IntN(5) == 0 {
			return with(rule, pick[any](r, "isEmpty", "isNotEmpty"), nil)
		}
		rule = r.text(rule, wide)
		if r.IntN(2) == 0 {
			rule["value"] = pick(r, r.some("root"), r.some("node"))
		}
		return rule
	}
	return r.text(property(), wide)
}

func (r throws) group(wide bool, depth int) jsonv.Object {
	rules := []any{}
	for range pick(r, 0, 1, 1, 1, 2, 2, 2, 3) {
		rules = append(rules, r.rule(wide, depth))
	}
	g := jsonv.Object{"combinator": pick[any](r, "and", "and", "or"), "rules": rules}
	if r.IntN(10) == 0 {
		g["not"] = r.IntN(2) == 0
	}
	return g
}

// rows: §5.4 1-18, §5.6 1-4, H2-6.
func TestRandomSearchesAgreeWithTheReference(t *testing.T) {
	t.Parallel()
	entities, queries, seeds := 120, 400, uint64(1)
	if os.Getenv("PORT_LONG") != "" {
		entities, queries, seeds = 1000, 1000, 2
	}
	for seed := range seeds {
		everyStore(t, func(t *testing.T, w *world) {
			r := throws{rand.New(rand.NewPCG(seed, 7)), map[string][]string{}}
			n := populate(w, r, entities)
			found := 0
			for i := range queries {
				wide := i%2 == 0
				query := r.group(wide, 3)
				in := ""
				if !wide {
					in = pick(r, "root", "node", "leaf")
				}
				want := n.find(in, query)
				if len(want) > 0 && len(want) < len(n.things)/2 {
					found++
				}
				if diff := cmp.Diff(want, answered(w, in, query, min(1+len(want)/(1+r.IntN(4)), 1000))); diff != "" {
					t.Fatalf("query %d in %q: %s\n(-want +got)\n%s", i, in, jsonv.Encode(query), diff)
				}
			}
			if found < queries/8 {
				t.Errorf("only %d of %d queries found some of the entities", found, queries)
			}
		})
	}
}

// populate writes random entities and changes some of them again, and returns
// what it knows to be there.
func populate(w *world, r throws, size int) *naive {
	n := &naive{shapes: differentialShapes()}
	for _, b := range differentialBlueprints {
		w.createBlueprint(b).ok()
	}
	write := func(blueprint string, count int) {
		for count > 0 {
			// Some entities share a moment, and then identifiers decide.
			batch := min(1+r.IntN(5), count)
			count -= batch
			w.update(func(tx store.Tx) (any, error) {
				for range batch {
					id := fmt.Sprintf("%s%03d", pick(r, "x", "y", "Z"), len(r.ids[blueprint]))
					if blueprint == "_team" {
						id = fmt.Sprintf("t%d", len(r.ids[blueprint])+1)
					}
					body := r.body(blueprint, id, n.shapes[blueprint])
					e, _, err := w.cat.CreateEntity(w.ctx, tx, w.actor, blueprint, jsonv.Clone(body), catalog.WriteOptions{})
					if err != nil {
						return nil, fmt.Errorf("%s: %w", jsonv.Encode(body), err)
					}
					r.ids[blueprint] = append(r.ids[blueprint], id)
					n.things = append(n.things, known(blueprint, id, body, e))
				}
				return nil, nil
			}).ok()
		}
	}
	write("_team", 2)
	write("root", size/10)
	write("node", size*6/10)
	write("leaf", size*3/10)
	n.settle()
	n.closeCycles(w, r)
	slices.SortStableFunc(n.things, func(a, b *naiveThing) int {
		at, bt := jsonv.String(a.meta, "$createdAt"), jsonv.String(b.meta, "$createdAt")
		if at != bt {
			return strings.Compare(at, bt)
		}
		return strings.Compare(a.id, b.id)
	})
	n.edges = nil
	n.settle()
	n.now = w.clock.Now()
	return n
}

// closeCycles lets some parents lead forward.
func (n *naive) closeCycles(w *world, r throws) {
	for _, blueprint := range []string{"root", "node"} {
		for range len(r.ids[blueprint]) / 4 {
			id, parent := pick(r, r.ids[blueprint]...), r.id(blueprint)
			e := w.patch(blueprint, id, string(jsonv.Encode(jsonv.Object{"relations": jsonv.Object{"parent": parent}}))).ok().doc
			t := n.get(blueprint, id)
			t.rels["parent"], t.meta["$updatedAt"] = parent, jsonv.String(e, "updatedAt")
		}
	}
}

func known(blueprint, id string, body, answer jsonv.Object) *naiveThing {
	team := jsonv.List(body, "team")
	if team == nil {
		team = []any{}
	}
	return &naiveThing{blueprint, id, jsonv.Object{
		"$identifier": id, "$blueprint": blueprint, "$title": body["title"], "$team": team, "$datasource": "test/1",
		"$createdAt": answer["createdAt"], "$updatedAt": answer["updatedAt"], "$createdBy": "client", "$updatedBy": "client",
	}, jsonv.Map(body, "properties"), jsonv.Map(body, "relations")}
}

// answered is what the catalog finds, in one blueprint page by page.
func answered(w *world, blueprint string, query jsonv.Object, limit int) (ids []string) {
	w.read = catalog.ReadOptions{Include: []string{"identifier"}}
	note := func(r result) {
		for _, e := range jsonv.List(r.ok().doc, "entities") {
			// System blueprints have entities that the test did not write.
			if bp := jsonv.String(e, "blueprint"); bp == "_team" || !strings.HasPrefix(bp, "_") {
				ids = append(ids, bp+"/"+jsonv.String(e, "identifier"))
			}
		}
	}
	if blueprint == "" {
		note(w.search(string(jsonv.Encode(query))))
		return ids
	}
	body := jsonv.Object{"query": query, "limit": jsonv.Int(limit)}
	for range 10_000 {
		page := w.searchIn(blueprint, string(jsonv.Encode(body)))
		note(page)
		next, more := jsonv.Get(page.doc, "next")
		if !more {
			break
		}
		body["from"] = next
	}
	return ids
}
