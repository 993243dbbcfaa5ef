package portal_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// What an aggregation costs must not depend on how many entities it spans: a
// first read walks them all, later ones take in what has changed. The profile's top
// entries that are neither I/O nor JSON: in "first", look-ups in maps
// (runtime.mapaccess2_faststr: keys of documents, and what each share rests on), a
// third of the request, before matching the query and ranking the numbers; in
// "upkeep" and "arrivals" on memory, comparing and copying the nodes of the index's
// trees (cmpbody, memmove), since more than half of the pair is the write.
func BenchmarkAggregation(b *testing.B) {
	for _, size := range []int64{10_000, 100_000} {
		for _, storage := range []string{"memory", "sqlite"} {
			b.Run(fmt.Sprintf("%d/%s", size, storage), func(b *testing.B) {
				fresh := int64(0) // services made beyond the size
				x := newBench(b, storage)
				x.fill(size)
				x.do(http.MethodPatch, "/v1/blueprints/team", aggregations(), http.StatusOK)
				b.Run("first", func(b *testing.B) { x.read(b, x.redefine) })
				x.b = b
				x.aggregated()
				b.Run("unchanged", func(b *testing.B) { x.read(b, func(int64) {}) })
				b.Run("upkeep", func(b *testing.B) {
					x.read(b, func(n int64) {
						x.do(http.MethodPatch, fmt.Sprintf("/v1/blueprints/service/entities/s%d", n*7919%size), fmt.Sprintf(`{"properties":{"n":%d}}`, n), http.StatusOK)
					})
				})
				b.Run("arrivals", func(b *testing.B) {
					x.read(b, func(int64) {
						fresh++
						x.do(http.MethodPost, "/v1/blueprints/service/entities", entity(size+fresh), http.StatusCreated)
					})
				})
				b.Run("write alone", func(b *testing.B) {
					x.b = b
					for n := range int64(b.N) {
						x.do(http.MethodPatch, fmt.Sprintf("/v1/blueprints/service/entities/s%d", n*7919%size), fmt.Sprintf(`{"properties":{"n":%d}}`, n), http.StatusOK)
					}
				})
			})
		}
	}
}

// aggregations span all services, one of each kind of upkeep.
func aggregations() string {
	const head = `"title":"A","target":"service",`
	return `{"aggregationProperties":{
		"count":{` + head + `"calculationSpec":{"calculationBy":"entities","func":"count"}},
		"go":{` + head + `"query":{"combinator":"and","rules":[{"property":"lang","operator":"=","value":"go"}]},"calculationSpec":{"calculationBy":"entities","func":"count"}},
		"median":{` + head + `"calculationSpec":{"calculationBy":"property","func":"median","property":"n"}},
		"weekly":{` + head + `"pathFilter":[{"path":["team"],"fromBlueprint":"service"}],"calculationSpec":{"calculationBy":"property","func":"average","averageOf":"week","property":"n"}}}}`
}

// redefine makes everything that is kept useless.
func (x *bench) redefine(n int64) {
	x.do(http.MethodPatch, "/v1/blueprints/team", fmt.Sprintf(`{"title":"Team %d"}`, n), http.StatusOK)
}

// aggregated reads the team whose aggregations span all services.
func (x *bench) aggregated() {
	text := x.do(http.MethodGet, "/v1/blueprints/team/entities/core", "", http.StatusOK)
	answer, err := jsonv.DecodeObject(text)
	if n, ok := jsonv.Get(answer, "entity", "properties", "count"); err != nil || !ok || len(plain(n)) < 5 {
		x.b.Fatalf("%v %.300s", err, text)
	}
}

func (x *bench) read(b *testing.B, change func(n int64)) {
	x.b = b
	for n := range int64(b.N) {
		change(n)
		x.aggregated()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "ms/read")
}

// Reading one entity with 20 calculations, of which none looks at other entities:
// half of the request is jq (gojq's env.Next on top), some 4 µs a program, and the
// number of entities is nothing.
func BenchmarkReadWithCalculations(b *testing.B) {
	programs := make([]string, 20)
	for i := range programs {
		programs[i] = fmt.Sprintf(`"c%d":{"title":"C","type":"string","calculation":"if .properties.n > %d then .title + \" \" + .properties.lang else .properties.url | ascii_downcase end"}`, i, i)
	}
	for _, size := range []int64{10_000, 100_000} {
		for _, storage := range []string{"memory", "sqlite"} {
			b.Run(fmt.Sprintf("%d/%s", size, storage), func(b *testing.B) {
				x := newBench(b, storage)
				x.fill(size)
				x.do(http.MethodPatch, "/v1/blueprints/service", `{"calculationProperties":{`+strings.Join(programs, ",")+`}}`, http.StatusOK)
				b.ResetTimer()
				for n := range int64(b.N) {
					x.do(http.MethodGet, fmt.Sprintf("/v1/blueprints/service/entities/s%d", n*7919%size), "", http.StatusOK)
				}
				rate(b, "reads/s")
			})
		}
	}
}
