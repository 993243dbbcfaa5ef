package catalog_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// rivals are several catalogs over one store, as several portals would have them,
// and one that computes every aggregation anew.
type rivals struct {
	*world
	r     *rand.Rand
	naive *catalog.Catalog
	cats  []*catalog.Catalog
	step  int
	// did is what happened last.
	did string
}

func newRivals(w *world, seed uint64) *rivals {
	make := func(kept int) *catalog.Catalog {
		return catalog.New(catalog.Deps{Clock: w.clock, IDs: ident.Seeded(seed), Kept: kept, Recorder: listener{}})
	}
	x := &rivals{world: w, r: rand.New(rand.NewPCG(seed, 7)), naive: make(-1), cats: []*catalog.Catalog{make(0), make(0), make(60)}}
	w.cat = x.cats[0]
	return x
}

// listener makes every write read what it writes, before and after.
type listener struct{}

func (listener) Record(store.Tx, ...catalog.Event) error { return nil }

const (
	counts = `"calculationSpec":{"calculationBy":"entities","func":"count"}`
	bound  = `"query":{"combinator":"and","rules":[`
)

func over(function, property string) string {
	return `"calculationSpec":{"calculationBy":"property","func":"` + function + `","property":"` + property + `"}`
}

func average(by, of, more string) string {
	return `"calculationSpec":{"calculationBy":"` + by + `","func":"average","averageOf":"` + of + `"` + more + `}`
}

// prepare makes blueprints whose entities depend on each other in every way that
// an aggregation can look at, cycles included.
func (x *rivals) prepare() {
	for _, b := range []string{
		`{"identifier":"org","title":"Org","schema":{"properties":{"n":{"type":"number"}}},"ownership":{"type":"Direct"},"relations":{"parent":{"target":"org"}}}`,
		`{"identifier":"svc","title":"Service","schema":{"properties":{"n":{"type":"number"},"s":{"type":"string"}}},"relations":{"org":{"target":"org"},"peers":{"target":"svc","many":true}},"ownership":{"type":"Direct"}}`,
		`{"identifier":"bug","title":"Bug","schema":{"properties":{"n":{"type":"number"},"s":{"type":"string"},"at":{"type":"string","format":"date-time"}}},
			"relations":{"svc":{"target":"svc"},"also":{"target":"svc","many":true},"dup":{"target":"bug"}},"ownership":{"type":"Inherited","path":"svc"},
			"mirrorProperties":{"sn":{"path":"svc.n"},"ot":{"path":"svc.org.$title"},"ns":{"path":"also.n"}},
			"calculationProperties":{"double":{"type":"number","calculation":"(.properties.n // 0) * 2 + (.properties.sn // 0)"}}}`,
	} {
		x.createBlueprint(b).ok()
	}
	patch := func(id string, aggregations map[string]string) {
		var all []string
		for key, def := range aggregations {
			all = append(all, `"`+key+`":{`+def+`}`)
		}
		x.patchBlueprint(id, `{"aggregationProperties":{`+strings.Join(all, ",")+`}}`).ok()
	}
	patch("svc", map[string]string{
		"bugs": `"target":"bug",` + counts, "sum": `"target":"bug",` + over("sum", "n"), "min": `"target":"bug",` + over("min", "n"),
		"max": `"target":"bug",` + over("max", "double"), "median": `"target":"bug",` + over("median", "n"),
		"high":    `"target":"bug",` + bound + `{"property":"n","operator":">","value":1}]},` + counts,
		"far":     `"target":"bug",` + bound + `{"property":"ot","operator":"contains","value":"1"}]},` + counts,
		"mirror":  `"target":"bug",` + over("sum", "sn"),
		"direct":  `"target":"bug","pathFilter":[{"path":["svc"],"fromBlueprint":"bug"}],` + over("sum", "n"),
		"twice":   `"target":"bug","pathFilter":[{"path":["dup","also"],"fromBlueprint":"bug"}],` + counts,
		"ahead":   `"target":"org","pathFilter":[{"path":["org","parent"]}],` + over("sum", "n"),
		"peers":   `"target":"svc","pathFilter":[{"path":["peers"]}],` + over("max", "n"),
		"self":    `"target":"svc",` + counts,
		"perday":  `"target":"bug",` + average("entities", "day", `,"measureTimeBy":"at"`),
		"permon":  `"target":"bug",` + average("property", "month", `,"property":"n"`),
		"total":   `"target":"bug",` + average("property", "total", `,"property":"n"`),
		"recent":  `"target":"bug",` + bound + `{"property":"at","operator":"between","value":{"preset":"lastDay"}}]},` + counts,
		"today":   `"target":"bug",` + bound + `{"property":"$updatedAt","operator":"between","value":{"preset":"today"}}]},` + over("median", "n"),
		"expired": `"target":"bug",` + bound + `{"property":"at","operator":"isExpired"}]},` + counts,
		"owned":   `"target":"bug",` + bound + `{"property":"$team","operator":"containsAny","value":["t1"]}]},` + counts,
		"near":    `"target":"bug",` + bound + `{"operator":"relatedTo","blueprint":"org","value":"o1"}]},` + counts,
		"leads":   `"target":"bug",` + bound + `{"property":{"path":["svc","org"]},"operator":"matchAny","value":["o1","o2"]}]},` + counts,
	})
	patch("org", map[string]string{
		"services": `"target":"svc",` + counts, "most": `"target":"svc",` + over("max", "bugs"), "bugs": `"target":"bug",` + over("sum", "n"),
		"path":  `"target":"bug","pathFilter":[{"path":["svc","org"],"fromBlueprint":"bug"}],` + counts,
		"busy":  `"target":"svc",` + bound + `{"property":"bugs","operator":">","value":1}]},` + counts,
		"daily": `"target":"svc",` + over("sum", "perday"),
	})
	patch("bug", map[string]string{
		"up": `"target":"org",` + over("sum", "n"), "others": `"target":"bug",` + counts, "team": `"target":"_team","pathFilter":[{"path":["$team"]}],` + counts,
	})
	x.patchBlueprint("_team", `{"aggregationProperties":{
		"svcs":{"target":"svc","pathFilter":[{"path":["$team"],"fromBlueprint":"svc"}],`+counts+`},
		"bugs":{"target":"bug","pathFilter":[{"path":["$team"],"fromBlueprint":"bug"}],`+over("sum", "n")+`},
		"orgs":{"target":"svc","pathFilter":[{"path":["org","$team"],"fromBlueprint":"svc"}],`+over("min", "n")+`}}}`).ok()
	x.patchBlueprint("org", `{"calculationProperties":{"since":{"type":"number","calculation":"now - 1704067200 | floor"}}}`).ok()
	x.patchBlueprint("svc", `{"aggregationProperties":{"age":{"target":"org",`+over("max", "since")+`},"loop":{"target":"svc",`+over("sum", "self")+`}}}`).ok()
	x.post("_team", `{"identifier":"t1","title":"One"}`).ok()
	x.post("_team", `{"identifier":"t2","title":"Two"}`).ok()
}

func (x *rivals) pick(list ...string) string { return list[x.r.IntN(len(list))] }

// id is one of few identifiers; now and then one that nobody has.
func (x *rivals) id(blueprint string) string { return blueprint[:1] + fmt.Sprint(x.r.IntN(6)) }

func (x *rivals) target(blueprint string) string {
	if x.r.IntN(4) == 0 {
		return "null"
	}
	return `"` + x.id(blueprint) + `"`
}

func (x *rivals) list(blueprint string) string {
	ids := map[string]bool{}
	for range x.r.IntN(3) {
		ids[`"`+x.id(blueprint)+`"`] = true
	}
	var all []string
	for id := range ids {
		all = append(all, id)
	}
	return "[" + strings.Join(all, ",") + "]"
}

func (x *rivals) body(blueprint string) string {
	n := x.pick("null", "0", "1", "1.0", "2", "2.5", "-3", "0.1", "1e3")
	at := x.clock.Now().Add(time.Duration(x.r.IntN(96)-48) * time.Hour).Format(time.RFC3339)
	var properties, relations []string
	add := func(list *[]string, key, value string) {
		if x.r.IntN(3) > 0 {
			*list = append(*list, `"`+key+`":`+value)
		}
	}
	add(&properties, "n", n)
	team := ""
	switch blueprint {
	case "org":
		add(&relations, "parent", x.target("org"))
		team = `,"team":` + x.pick(`["t1"]`, `["t2","t1"]`, `[]`)
	case "svc":
		add(&relations, "org", x.target("org"))
		add(&relations, "peers", x.list("svc"))
		team = `,"team":` + x.pick(`["t1"]`, `["t2","t1"]`, `[]`)
	case "bug":
		add(&properties, "at", `"`+at+`"`)
		add(&relations, "svc", x.target("svc"))
		add(&relations, "also", x.list("svc"))
		add(&relations, "dup", x.target("bug"))
	}
	return fmt.Sprintf(`"title":"%s %d"%s,"properties":{%s},"relations":{%s}`, blueprint, x.r.IntN(3), team, strings.Join(properties, ","), strings.Join(relations, ","))
}

var errUndo = errors.New("undo")

// write makes one random change through one of the catalogs; its answer must be
// what the naive catalog reads in the same transaction.
func (x *rivals) write() {
	cat := x.cats[x.r.IntN(len(x.cats))]
	bp := x.pick("org", "svc", "bug", "bug", "bug", "svc")
	id, o := x.id(bp), catalog.WriteOptions{CreateMissing: x.r.IntN(3) > 0, Upsert: true, Merge: x.r.IntN(2) == 0}
	undo := x.r.IntN(8) == 0
	x.clock.Advance(time.Millisecond)
	decode := func(text string) any { return value(x.t, text) }
	op := x.r.IntN(40)
	body := x.body(bp)
	err := x.store.Update(x.ctx, func(tx store.Tx) error {
		var answer jsonv.Object
		var err error
		switch {
		case op < 18:
			x.did = "upsert " + bp + " " + id + " " + body
			answer, _, err = cat.CreateEntity(x.ctx, tx, x.actor, bp, decode(`{"identifier":"`+id+`",`+body+`}`), o)
		case op < 26:
			x.did = "patch " + bp + " " + id + " " + body
			answer, err = cat.PatchEntity(x.ctx, tx, x.actor, bp, id, decode(`{`+body+`}`), o)
		case op < 29:
			next := x.id(bp)
			x.did = "rename " + bp + " " + id + " " + next
			answer, err = cat.PatchEntity(x.ctx, tx, x.actor, bp, id, decode(`{"identifier":"`+next+`"}`), o)
		case op < 35:
			x.did = "delete " + bp + " " + id
			err = cat.DeleteEntity(x.ctx, tx, x.actor, bp, id, catalog.DeleteOptions{Dependents: true})
		case op < 38:
			other := x.id(bp)
			x.did = "bulk " + bp + " " + id + " " + other
			_, err = cat.BulkUpsert(x.ctx, tx, x.actor, bp, decode(`{"entities":[{"identifier":"`+id+`",`+body+`},{"identifier":"`+other+`",`+x.body(bp)+`}]}`), o)
		case op < 39 && x.r.IntN(4) == 0:
			x.did = "empty " + bp
			_, err = cat.DeleteAllEntities(x.ctx, tx, x.actor, bp, catalog.DeleteAllOptions{})
		default:
			err = x.redefine(cat, tx)
		}
		if err != nil {
			return err
		}
		if answer != nil {
			want, err := x.naive.ReadEntity(x.ctx, tx, x.actor, bp, jsonv.String(answer, "identifier"), catalog.ReadOptions{})
			if err != nil {
				return err
			}
			x.same(want, answer, "the answer to a write")
		}
		if undo {
			return errUndo
		}
		return nil
	})
	if err != nil && !errors.Is(err, errUndo) && asFault(err) == nil {
		x.t.Fatalf("step %d: %s: %v", x.step, x.did, err)
	}
	if undo {
		x.did += " (undone)"
	}
}

// redefine changes definitions in ways that can be taken back by another turn.
func (x *rivals) redefine(cat *catalog.Catalog, tx store.Tx) error {
	type edit struct{ blueprint, body string }
	edits := []edit{
		{"bug", `{"relations":{"extra":{"target":"org"}}}`}, {"bug", `{"relations":{"extra":null}}`},
		{"svc", `{"relations":{"org":{"target":"org","many":true}}}`}, {"svc", `{"relations":{"org":{"many":false}}}`},
		{"bug", `{"ownership":{"type":"Direct"}}`}, {"bug", `{"ownership":{"type":"Inherited","path":"svc"}}`},
		{"svc", `{"aggregationProperties":{"high":{"query":{"combinator":"and","rules":[{"property":"n","operator":"<","value":2}]}}}}`},
		{"svc", `{"aggregationProperties":{"high":{"query":{"combinator":"and","rules":[{"property":"n","operator":">","value":1}]}}}}`},
		{"bug", `{"calculationProperties":{"double":{"calculation":".properties.n"}}}`},
		{"org", `{"title":"Another"}`},
	}
	e := edits[x.r.IntN(len(edits))]
	if x.r.IntN(5) == 0 {
		was, is := "dup", "twin"
		if x.r.IntN(2) == 0 {
			was, is = is, was
		}
		x.did = "rename relation " + was
		_, err := cat.RenameRelation(x.ctx, tx, x.actor, "bug", was, value(x.t, `{"newRelationIdentifier":"`+is+`"}`))
		return err
	}
	x.did = "redefine " + e.blueprint + " " + e.body
	_, err := cat.PatchBlueprint(x.ctx, tx, x.actor, e.blueprint, value(x.t, e.body))
	return err
}

func (x *rivals) same(want, got any, where string) {
	x.t.Helper()
	if diff := cmp.Diff(string(jsonv.Encode(want)), string(jsonv.Encode(got))); diff != "" {
		x.t.Fatalf("step %d, after %s: %s (-computed anew +kept):\n%s", x.step, x.did, where, cmp.Diff(want, got))
	}
}

// compare reads everything through a catalog and anew.
func (x *rivals) compare(tx store.Tx, cat *catalog.Catalog, every int) error {
	for _, bp := range []string{"org", "svc", "bug", "_team"} {
		all, err := x.naive.ListEntities(x.ctx, tx, x.actor, bp, catalog.ReadOptions{ExcludeCalculated: true})
		if err != nil {
			return err
		}
		for _, e := range jsonv.List(all, "entities") {
			if x.r.IntN(every) > 0 {
				continue
			}
			id := jsonv.String(e, "identifier")
			want, err := x.naive.ReadEntity(x.ctx, tx, x.actor, bp, id, catalog.ReadOptions{})
			if err != nil {
				return err
			}
			got, err := cat.ReadEntity(x.ctx, tx, x.actor, bp, id, catalog.ReadOptions{})
			if err != nil {
				return err
			}
			x.same(want, got, bp+" "+id)
		}
	}
	return nil
}

func (x *rivals) check(every int) {
	x.t.Helper()
	err := x.store.View(x.ctx, func(tx store.Tx) error {
		if x.r.IntN(4) == 0 {
			// What is seen stays as it was, while others go on.
			for range x.r.IntN(3) {
				x.write()
				if err := x.store.View(x.ctx, func(tx store.Tx) error { return x.compare(tx, x.cats[0], 2) }); err != nil {
					return err
				}
			}
		}
		return x.compare(tx, x.cats[x.r.IntN(len(x.cats))], every)
	})
	if err != nil {
		x.t.Fatalf("step %d: %v", x.step, err)
	}
}

func (x *rivals) run(steps int) {
	x.prepare()
	for x.step = range steps {
		x.write()
		if x.r.IntN(10) == 0 {
			x.clock.Advance(time.Duration(x.r.IntN(40)) * time.Hour)
		}
		if x.r.IntN(3) == 0 {
			x.check(1 + x.r.IntN(4))
		}
	}
	x.check(1)
}

func TestAggregationsKeptAreThoseComputedAnew(t *testing.T) {
	t.Parallel()
	everyStore(t, func(_ *testing.T, w *world) { newRivals(w, 1).run(150) })
}

func TestRandomAggregationsKeptAreThoseComputedAnewLong(t *testing.T) {
	t.Parallel()
	if os.Getenv("PORT_LONG") == "" {
		t.Skip("set PORT_LONG=1")
	}
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			everyStore(t, func(_ *testing.T, w *world) { newRivals(w, 100+seed).run(1500) })
		})
	}
}

// Many readers and a writer at the same time; each reader compares within the
// state it sees.
func TestAggregationsAreRightWhileOthersWrite(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		x := newRivals(w, 5)
		x.prepare()
		for range 60 {
			x.write()
		}
		var wait sync.WaitGroup
		stop := make(chan struct{})
		for i := range 3 {
			wait.Add(1)
			go func() {
				defer wait.Done()
				mine := &rivals{world: w, r: rand.New(rand.NewPCG(uint64(i), 1)), naive: x.naive, cats: x.cats, did: "a concurrent write"}
				for done := false; !done; {
					select {
					case <-stop:
						done = true
					default:
					}
					err := w.store.View(w.ctx, func(tx store.Tx) error { return mine.compare(tx, x.cats[i%2], 3) })
					if err != nil {
						t.Error(err)
						return
					}
				}
			}()
		}
		for range 60 {
			x.write()
		}
		close(stop)
		wait.Wait()
	})
}
