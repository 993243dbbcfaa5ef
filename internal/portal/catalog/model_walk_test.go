package catalog_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
)

const modelBlueprints = `[
 {"identifier":"p","title":"P","ownership":{"type":"Direct"},"schema":{"properties":{"num":{"type":"number"},"s":{"type":"string","default":"d"}}}},
 {"identifier":"c","title":"C","ownership":{"type":"Inherited","path":"must"},"schema":{"properties":{"num":{"type":"number"}},"required":["num"]},
  "relations":{"must":{"target":"p","required":true},"may":{"target":"c"},"set":{"target":"p","many":true}},
  "mirrorProperties":{"up":{"path":"must.num"},"ups":{"path":"set.num"}}}]`

// One operation in a hundred changes a blueprint, the others entities; both sides
// must give the same answer to each and hold the same catalog afterwards.
func TestRandomOperationsAgreeWithTheModel(t *testing.T) {
	t.Parallel()
	rounds, seeds := 600, []uint64{1}
	if os.Getenv("PORT_LONG") != "" {
		rounds, seeds = 25_000, []uint64{1, 2}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			everyStore(t, func(t *testing.T, w *world) {
				for _, bp := range jsonv.List(value(t, modelBlueprints)) {
					w.createBlueprint(string(jsonv.Encode(bp))).ok()
				}
				x := &walk{t: t, w: w, m: newModel(), r: rand.New(rand.NewPCG(seed, 2))}
				for x.m.step = range rounds {
					x.operate()
					if x.m.step%20 == 0 {
						x.compare()
					}
				}
				x.compare()
			})
		})
	}
}

// walk does the same to a catalog and to the model.
type walk struct {
	t *testing.T
	w *world
	m *model
	r *rand.Rand
}

func (x *walk) chance(n int) bool { return x.r.IntN(n) == 0 }

func (x *walk) id() string { return fmt.Sprint("e", x.r.IntN(9)) }

func (x *walk) operate() {
	switch op := x.r.IntN(100); {
	case op == 0:
		x.evolve()
	case op == 1:
		x.deleteAll()
	case op < 12:
		x.delete()
	case op < 16:
		x.bulkDelete()
	case op < 24:
		x.bulk()
	default:
		x.write()
	}
}

func (x *walk) write() {
	m := x.random()
	o := catalog.WriteOptions{Upsert: m.upsert, Merge: m.merge, CreateMissing: m.createMissing}
	body := string(jsonv.Encode(m.body))
	if x.chance(20) {
		o.ValidationOnly = true
		dry := m
		dry.post = true
		dry.body = jsonv.CloneObject(m.body)
		dry.body["identifier"] = m.id
		x.same("validation", x.w.create(m.bp, string(jsonv.Encode(dry.body)), o), x.dry(dry), dry)
		return
	}
	switch {
	case m.post:
		x.same("post", x.w.create(m.bp, body, o), x.m.write(m), m)
	case m.put:
		x.same("put", x.w.put(m.bp, m.id, body), x.m.write(m), m)
	default:
		x.same("patch", x.w.patch(m.bp, m.id, body), x.m.write(m), m)
	}
}

// dry asks the model for its answer and leaves it as it was.
func (x *walk) dry(m modelWrite) string {
	copied := *x.m
	copied.entities = map[string]map[string]*modelEntity{}
	for bp, entities := range x.m.entities {
		copied.entities[bp] = map[string]*modelEntity{}
		for id, e := range entities {
			clone := *e
			clone.rels = jsonv.CloneObject(e.rels)
			copied.entities[bp][id] = &clone
		}
	}
	return copied.write(m)
}

// random makes a write that breaks at most one rule of its own.
func (x *walk) random() modelWrite {
	m := modelWrite{bp: []string{"p", "c"}[x.r.IntN(2)], id: x.id(), createMissing: false}
	switch x.r.IntN(8) {
	case 0, 1:
		m.post = true
	case 2, 3:
		m.post, m.upsert = true, true
	case 4:
		m.post, m.upsert, m.merge = true, true, true
	case 5:
		m.put = true
	}
	m.createMissing = m.post && x.chance(4)
	properties, relations := jsonv.Object{}, jsonv.Object{}
	full := m.post && !m.merge || m.put
	if full || x.chance(2) {
		properties[x.m.number(m.bp)] = json.Number(fmt.Sprint(x.r.IntN(5)))
	}
	if m.bp == "p" && x.m.hasText && x.chance(3) {
		properties["s"] = []any{"x", "", nil}[x.r.IntN(3)]
	}
	if m.bp == "c" {
		if full || x.chance(4) {
			relations["must"] = x.id()
		}
		if x.chance(2) {
			relations["may"] = x.target(x.m.mayMany)
		}
		if x.chance(2) {
			relations["set"] = x.target(true)
		}
	}
	x.spoil(m.bp, properties, relations)
	m.body = jsonv.Object{}
	if full || len(properties) > 0 {
		m.body["properties"] = properties
	}
	if full || len(relations) > 0 {
		m.body["relations"] = relations
	}
	if m.post || x.chance(6) {
		m.body["identifier"] = m.id
		if !m.post {
			m.body["identifier"] = x.id()
		}
	}
	if x.chance(3) {
		m.body["title"] = fmt.Sprint("title ", x.r.IntN(3))
	}
	if m.bp == "p" && x.chance(2) {
		m.body["team"] = jsonv.FromStrings([]string{"t1", "t2"}[:x.r.IntN(3)])
	}
	return m
}

// target is a value for an optional relation.
func (x *walk) target(many bool) any {
	if !many && x.chance(3) {
		return nil
	}
	if !many {
		return x.id()
	}
	var ids []string
	for range x.r.IntN(3) {
		ids = append(ids, x.id())
	}
	return jsonv.FromStrings(ids)
}

// spoil breaks one rule, sometimes.
func (x *walk) spoil(bp string, properties, relations jsonv.Object) {
	switch x.r.IntN(30) {
	case 0:
		properties["unheard"] = "of"
	case 1:
		properties[x.m.number(bp)] = "no number"
	case 2:
		properties[x.m.number(bp)] = nil
	case 3:
		relations["unheard"] = x.id()
	case 4:
		relations["set"] = x.id()
	case 5:
		relations["must"] = nil
	case 6:
		properties["up"] = "computed in c, unknown in p"
	}
	if bp == "p" {
		delete(relations, "set")
		delete(relations, "must")
	}
}

func (x *walk) delete() {
	bp, id, dependents := []string{"p", "c"}[x.r.IntN(2)], x.id(), x.chance(2)
	x.same("delete", x.w.delete(bp, id, catalog.DeleteOptions{Dependents: dependents}), x.m.remove(bp, id, dependents), bp, id, dependents)
}

// bulkDelete takes all or nothing; what is not there is skipped.
func (x *walk) bulkDelete() {
	ids := []string{x.id(), x.id(), x.id()}
	got := x.w.bulkDelete("p", `{"entities":`+string(jsonv.Encode(jsonv.FromStrings(ids)))+`}`, catalog.DeleteOptions{})
	want := ""
	for _, e := range x.m.entities["c"] {
		if slices.Contains(ids, jsonv.String(e.rels, "must")) {
			want = "has_dependents"
		}
	}
	if want == "" {
		for _, id := range ids {
			if x.m.has("p", id) {
				x.m.drop("p", id)
			}
		}
	}
	x.same("bulk delete", got, want, ids)
}

// bulk writes several entities, each on its own feet and in order.
func (x *walk) bulk() {
	first := x.random()
	first.post, first.put = true, false
	writes := []modelWrite{first}
	for range 1 + x.r.IntN(4) {
		next := x.random()
		for next.bp != first.bp {
			next = x.random()
		}
		next.post, next.put, next.upsert, next.merge, next.createMissing = true, false, first.upsert, first.merge, first.createMissing
		writes = append(writes, next)
	}
	bodies := []any{}
	want := []string{}
	for _, m := range writes {
		m.body["identifier"] = m.id
		bodies = append(bodies, jsonv.Clone(m.body))
	}
	got := x.w.bulk(first.bp, string(jsonv.Encode(jsonv.Object{"entities": bodies})),
		catalog.WriteOptions{Upsert: first.upsert, Merge: first.merge, CreateMissing: first.createMissing})
	x.same("bulk", got, "", writes)
	for i, m := range writes {
		if code := x.m.write(m); code != "" {
			want = append(want, fmt.Sprint(i, " ", code))
		}
	}
	codes := []string{}
	for _, e := range jsonv.List(got.doc, "errors") {
		index, _ := jsonv.Get(e, "index")
		codes = append(codes, fmt.Sprint(index, " ", jsonv.String(e, "error")))
	}
	if !slices.Equal(codes, want) {
		x.t.Fatalf("step %d: bulk of %s: items fail with %q, the model says %q", x.m.step, jsonv.Encode(bodies), codes, want)
	}
}

// deleteAll empties c; p cannot be emptied while c must have it.
func (x *walk) deleteAll() {
	bp, want := "p", "has_dependents"
	if x.chance(2) {
		bp, want = "c", ""
		clear(x.m.entities["c"])
	}
	x.same("delete all", x.w.deleteAll(bp, catalog.DeleteAllOptions{}), want, bp)
}

// evolve changes a blueprint that has entities.
func (x *walk) evolve() {
	switch x.r.IntN(3) {
	case 0:
		many := !x.m.mayMany
		x.same("c.may", x.w.patchBlueprint("c", fmt.Sprintf(`{"relations":{"may":{"many":%t}}}`, many)), x.m.turnMay(many), many)
	case 1:
		to := map[string]string{"num": "amount", "amount": "num"}[x.m.num]
		x.same("rename", x.w.renameProperty("p", x.m.num, to), "", to)
		x.m.renameNumber(to)
	default:
		definition := "null"
		if !x.m.hasText {
			definition = `{"type":"string","default":"d"}`
		}
		x.same("p.s", x.w.patchBlueprint("p", `{"schema":{"properties":{"s":`+definition+`}}}`), "", definition)
		x.m.turnText(!x.m.hasText)
	}
}

func (x *walk) same(what string, got result, want string, about ...any) {
	x.t.Helper()
	code := ""
	if got.err != nil {
		code = "another error"
		if f := asFault(got.err); f != nil {
			code = f.Code
		}
	}
	if code != want {
		x.t.Fatalf("step %d: %s %+v: %q (%v), the model says %q", x.m.step, what, about, code, got.err, want)
	}
}

// compare reads everything and searches for some values, both ways.
func (x *walk) compare() {
	x.t.Helper()
	for _, bp := range []string{"p", "c"} {
		var want, got []string
		for _, e := range x.m.list(bp) {
			want = append(want, x.m.text(bp, e))
		}
		for _, doc := range jsonv.List(x.w.list(bp).ok().doc, "entities") {
			got = append(got, fmt.Sprintf("%s %q %v %s %s", jsonv.String(doc, "identifier"), jsonv.String(doc, "title"), jsonv.Strings(jsonv.List(doc, "team")),
				jsonv.Encode(jsonv.Map(doc, "properties")), jsonv.Encode(jsonv.Map(doc, "relations"))))
		}
		if !slices.Equal(want, got) {
			x.t.Fatalf("step %d: %s holds\n%s\nthe model\n%s", x.m.step, bp, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	two := func(v any) bool { return v == any(json.Number("2")) }
	for rule, admits := range map[string]func(e *modelEntity) bool{
		`{"property":"num","operator":"=","value":2}`:          func(e *modelEntity) bool { return two(e.props["num"]) },
		`{"property":"num","operator":"in","value":["x","2"]}`: func(*modelEntity) bool { return false },
		`{"property":"must","operator":"=","value":"e3"}`:      func(e *modelEntity) bool { return e.rels["must"] == any("e3") },
		`{"property":"may","operator":"isEmpty"}`:              func(e *modelEntity) bool { return len(identifiers(e.rels["may"])) == 0 },
		`{"property":"set","operator":"in","value":["e1"]}`:    func(e *modelEntity) bool { return slices.Contains(identifiers(e.rels["set"]), "e1") },
		`{"operator":"relatedTo","blueprint":"p","value":"e1","direction":"downstream"}`: func(e *modelEntity) bool {
			return x.m.reaches(e, "e1", map[string]bool{})
		},
		`{"property":"up","operator":"=","value":2}`: func(e *modelEntity) bool {
			p := x.m.entities["p"][jsonv.String(e.rels, "must")]
			return p != nil && two(p.props[x.m.num])
		},
		`{"property":"$team","operator":"containsAny","value":["t2"]}`: func(e *modelEntity) bool {
			p := x.m.entities["p"][jsonv.String(e.rels, "must")]
			return p != nil && slices.Contains(p.team, "t2")
		},
	} {
		var want []string
		for _, e := range x.m.list("c") {
			if admits(e) {
				want = append(want, e.id)
			}
		}
		got := strings.Fields(x.w.searchIn("c", `{"query":{"combinator":"and","rules":[`+rule+`]}}`).found())
		if !slices.Equal(want, got) {
			x.t.Fatalf("step %d: %s finds %v, the model %v", x.m.step, rule, got, want)
		}
	}
}

// reaches tells whether relations lead from e to the entity of p.
func (m *model) reaches(e *modelEntity, id string, seen map[string]bool) bool {
	if seen[e.id] {
		return false
	}
	seen[e.id] = true
	if e.rels["must"] == any(id) || slices.Contains(identifiers(e.rels["set"]), id) {
		return true
	}
	for _, next := range identifiers(e.rels["may"]) {
		if m.reaches(m.entities["c"][next], id, seen) {
			return true
		}
	}
	return false
}
