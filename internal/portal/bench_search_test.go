package portal_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// BenchmarkHTTPSearch measures searches of one blueprint and of the whole catalog,
// as a client sees them. "after a write" changes an entity before every search, so
// that nothing kept from the last one can be used as it is.
//
// What an index answers costs the request around it. A text that must be looked
// for in every entity costs about 1 µs of processor time an entity in memory. The
// top entry of that profile is the look-up of keys in the entities' maps
// (runtime.mapaccess1_faststr): createdAt for the order, then the property; the
// documents are far larger than the caches, so each look-up waits for memory. On
// SQLite a scan after a write carries the last one on over what changed (store.walk)
// and then costs the same.
func BenchmarkHTTPSearch(b *testing.B) {
	const related = `{"operator":"relatedTo","blueprint":"team","value":"few","direction":"downstream"}`
	const contains = `{"property":"$title","operator":"contains","value":"CE 9077"}`
	for _, size := range []int64{10_000, 100_000} {
		for _, storage := range []string{"memory", "sqlite"} {
			b.Run(fmt.Sprintf("%d/%s", size, storage), func(b *testing.B) {
				x := newBench(b, storage)
				x.fill(size)
				x.portal.Seed(`{"entities":[{"blueprint":"team","identifier":"few"},{"blueprint":"service","identifier":"s7","title":"Service 7","properties":{"n":7},"relations":{"team":"few"}}]}`)
				for _, c := range []struct {
					name, rule string
					all, write bool
					found      int
				}{
					{"equality", `{"property":"n","operator":"=","value":77}`, false, false, 1},
					{"either", `{"combinator":"or","rules":[{"property":"n","operator":"=","value":77},{"property":"$identifier","operator":"=","value":"s78"}]}`, false, false, 2},
					{"related", related, false, false, 1},
					{"path", `{"property":{"path":["team"]},"operator":"matchAny","value":"few"}`, false, false, 1},
					{"page of many", `{"property":"lang","operator":"=","value":"go"}`, false, false, 200},
					{"contains", contains + `,{"property":"$title","operator":"endsWith","value":"e 9077"}`, false, false, 1},
					{"contains after a write", contains + `,{"property":"$title","operator":"endsWith","value":"e 9077"}`, false, true, 1},
					{"catalog equality", `{"property":"n","operator":"=","value":77}`, true, false, 1},
					{"catalog related", related, true, false, 1},
				} {
					b.Run(c.name, func(b *testing.B) { x.search(b, c.rule, c.all, c.write, c.found) })
				}
			})
		}
	}
}

// search measures a query that finds so many entities.
func (x *bench) search(b *testing.B, rule string, all, write bool, found int) {
	x.b = b
	query := `{"combinator":"and","rules":[` + rule + `]}`
	path, body := "/v1/blueprints/service/entities/search", `{"query":`+query+`}`
	if all {
		path, body = "/v1/entities/search", query
	}
	for n := range b.N {
		if write {
			b.StopTimer()
			x.do(http.MethodPatch, fmt.Sprintf("/v1/blueprints/service/entities/s%d", 100+n%1000), `{"properties":{"url":"https://example.com/changed"}}`, http.StatusOK)
			b.StartTimer()
		}
		text := x.do(http.MethodPost, path, body, http.StatusOK)
		answer, err := jsonv.DecodeObject(text)
		if err != nil || len(jsonv.List(answer, "entities")) != found {
			b.Fatalf("%v %.300s", err, text)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "ms/search")
}
