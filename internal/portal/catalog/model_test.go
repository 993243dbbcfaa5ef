package catalog_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
)

// model is the catalog as a reader of the reference would keep it on paper: two
// blueprints, p and c; c.must is a required relation to p, c.may an optional one
// to c, c.set a many relation to p; both have a number n.
type model struct {
	entities map[string]map[string]modelEntity
}

type modelEntity struct {
	n         int
	must, may string
	set       []string
}

func (m *model) has(bp, id string) bool { _, ok := m.entities[bp][id]; return ok }

// write is a full write; it reports whether it is allowed.
func (m *model) write(bp, id string, e modelEntity) bool {
	if bp == "c" {
		for _, target := range append(slices.Clone(e.set), e.must) {
			if !m.has("p", target) {
				return false
			}
		}
		if e.may != "" && e.may != id && !m.has("c", e.may) {
			return false
		}
	}
	m.entities[bp][id] = e
	return true
}

func (m *model) remove(bp, id string, dependents bool) bool {
	if !m.has(bp, id) {
		return false
	}
	if bp == "p" {
		for child, e := range m.entities["c"] {
			if e.must == id && !dependents {
				return false
			} else if e.must == id {
				defer m.remove("c", child, true)
			}
		}
	}
	delete(m.entities[bp], id)
	for child, e := range m.entities["c"] {
		if bp == "p" {
			e.set = slices.DeleteFunc(slices.Clone(e.set), func(s string) bool { return s == id })
		} else if e.may == id {
			e.may = ""
		}
		m.entities["c"][child] = e
	}
	return true
}

func (m *model) rename(bp, was, is string) bool {
	if !m.has(bp, was) || was != is && m.has(bp, is) {
		return false
	}
	e := m.entities[bp][was]
	delete(m.entities[bp], was)
	m.entities[bp][is] = e
	swap := func(s string) string {
		if s == was {
			return is
		}
		return s
	}
	for child, e := range m.entities["c"] {
		if bp == "p" {
			e.must, e.set = swap(e.must), slices.Clone(e.set)
			for i := range e.set {
				e.set[i] = swap(e.set[i])
			}
		} else {
			e.may = swap(e.may)
		}
		m.entities["c"][child] = e
	}
	return true
}

func (e modelEntity) body(bp, id string) string {
	if bp == "p" {
		return fmt.Sprintf(`{"identifier":%q,"properties":{"n":%d}}`, id, e.n)
	}
	set := string(jsonv.Encode(jsonv.FromStrings(e.set)))
	may := "null"
	if e.may != "" {
		may = `"` + e.may + `"`
	}
	return fmt.Sprintf(`{"identifier":%q,"properties":{"n":%d},"relations":{"must":%q,"may":%s,"set":%s}}`, id, e.n, e.must, may, set)
}

func (m *model) random(r *rand.Rand) (bp, id string, e modelEntity) {
	pick := func() string { return fmt.Sprint("e", r.IntN(8)) }
	e = modelEntity{n: r.IntN(4), must: pick()}
	if r.IntN(2) == 0 {
		e.may = pick()
	}
	for range r.IntN(3) {
		if id := pick(); !slices.Contains(e.set, id) {
			e.set = append(e.set, id)
		}
	}
	return []string{"p", "c"}[r.IntN(2)], pick(), e
}

func TestRandomOperationsAgreeWithTheModel(t *testing.T) {
	t.Parallel()
	rounds := 300
	if os.Getenv("PORT_LONG") != "" {
		rounds = 10_000
	}
	everyStore(t, func(t *testing.T, w *world) {
		w.createBlueprint(`{"identifier":"p","title":"P","schema":{"properties":{"n":{"type":"number"}}}}`).ok()
		w.createBlueprint(`{"identifier":"c","title":"C","schema":{"properties":{"n":{"type":"number"}}},"relations":{
			"must":{"target":"p","required":true},"may":{"target":"c"},"set":{"target":"p","many":true}}}`).ok()
		m := &model{entities: map[string]map[string]modelEntity{"p": {}, "c": {}}}
		r := rand.New(rand.NewPCG(1, 2))
		for i := range rounds {
			bp, id, e := m.random(r)
			var got result
			want, what := false, ""
			switch op := r.IntN(6); op {
			case 0, 1:
				what, got = "upsert", w.create(bp, e.body(bp, id), catalog.WriteOptions{Upsert: true})
				want = m.write(bp, id, e)
			case 2:
				what, got = "post", w.post(bp, e.body(bp, id))
				want = !m.has(bp, id) && m.write(bp, id, e)
			case 3:
				what, got = "patch", w.patch(bp, id, fmt.Sprintf(`{"properties":{"n":%d}}`, e.n))
				if old, ok := m.entities[bp][id]; ok {
					old.n, want = e.n, true
					m.entities[bp][id] = old
				}
			case 4:
				dependents := r.IntN(2) == 0
				what, got = "delete", w.delete(bp, id, catalog.DeleteOptions{Dependents: dependents})
				want = m.remove(bp, id, dependents)
			default:
				what, got = "rename", w.patch(bp, id, fmt.Sprintf(`{"identifier":%q}`, e.must))
				want = m.rename(bp, id, e.must)
			}
			if (got.err == nil) != want {
				t.Fatalf("step %d: %s %s/%s: %v, the model says %v", i, what, bp, id, got.err, want)
			}
			if i%10 == 0 {
				m.compare(t, w, i)
			}
		}
	})
}

// compare reads everything and searches for each value, both ways.
func (m *model) compare(t *testing.T, w *world, step int) {
	t.Helper()
	for bp, entities := range m.entities {
		var want, got []string
		for id, e := range entities {
			want = append(want, e.body(bp, id))
		}
		for _, doc := range jsonv.List(w.list(bp).ok().doc, "entities") {
			n, _ := jsonv.Get(doc, "properties", "n")
			e := modelEntity{n: int(fmt.Sprint(n)[0] - '0'), must: jsonv.String(doc, "relations", "must"), may: jsonv.String(doc, "relations", "may"), set: jsonv.Strings(jsonv.List(doc, "relations", "set"))}
			got = append(got, e.body(bp, jsonv.String(doc, "identifier")))
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Fatalf("step %d: %s holds\n%s\nthe model\n%s", step, bp, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	for rule, admits := range map[string]func(e modelEntity) bool{
		`{"property":"n","operator":"=","value":2}`:          func(e modelEntity) bool { return e.n == 2 },
		`{"property":"must","operator":"=","value":"e3"}`:    func(e modelEntity) bool { return e.must == "e3" },
		`{"property":"may","operator":"isEmpty"}`:            func(e modelEntity) bool { return e.may == "" },
		`{"property":"set","operator":"in","value":["e1"]}`:  func(e modelEntity) bool { return slices.Contains(e.set, "e1") },
		`{"property":"n","operator":"in","value":["x","2"]}`: func(modelEntity) bool { return false },
	} {
		var want []string
		for id, e := range maps.All(m.entities["c"]) {
			if admits(e) {
				want = append(want, id)
			}
		}
		got := strings.Fields(w.searchIn("c", `{"query":{"combinator":"and","rules":[`+rule+`]}}`).found())
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Fatalf("step %d: %s finds %v, the model %v", step, rule, got, want)
		}
	}
}
