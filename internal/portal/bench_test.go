package portal_test

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portal/store/pgtest"
)

// bench is a portal on a socket without the checks of tests.
type bench struct {
	b      *testing.B
	portal *portaltest.Portal
	url    string
	token  string
	client *http.Client
}

const benchBlueprint = `{"blueprints":[
 {"identifier":"team","title":"Team","schema":{"properties":{}}},
 {"identifier":"service","title":"Service",
  "schema":{"properties":{"lang":{"type":"string","enum":["go","rust","java"]},"n":{"type":"number"},"url":{"type":"string","format":"url"},"tags":{"type":"array","items":{"type":"string"}}}},
  "relations":{"team":{"target":"team"}}}],
 "entities":[{"blueprint":"team","identifier":"core"}]}`

func newBench(b *testing.B, storage string) *bench {
	b.Helper()
	o := portaltest.Options{Unchecked: true, RealClock: true, RealCalls: true, Seed: benchBlueprint}
	switch storage {
	case "sqlite":
		o.DataFile = filepath.Join(b.TempDir(), "portal.db")
	case "postgres":
		o.DatabaseURL = pgtest.URL(b)
	}
	p := portaltest.Start(b, o)
	return &bench{b, p, p.Raw(), p.Token(), &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
}

func (x *bench) do(method, path, body string, want int) []byte {
	req, err := http.NewRequestWithContext(x.b.Context(), method, x.url+path, strings.NewReader(body))
	if err != nil {
		x.b.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+x.token)
	resp, err := x.client.Do(req)
	if err != nil {
		x.b.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != want {
		x.b.Fatalf("%v %d %s", err, resp.StatusCode, text)
	}
	return text
}

func entity(n int64) string {
	return fmt.Sprintf(`{"identifier":"s%d","title":"Service %d","properties":{"lang":%q,"n":%d,"url":"https://example.com/%d","tags":["a","b"]},"relations":{"team":"core"}}`,
		n, n, []string{"go", "rust", "java"}[n%3], n, n)
}

// fill writes n entities below HTTP, which would take longer than what is measured.
func (x *bench) fill(n int64) {
	const batch = 1000
	for done := int64(0); done < n; done += batch {
		rows := make([]string, 0, batch)
		for i := done; i < min(done+batch, n); i++ {
			rows = append(rows, `{"blueprint":"service",`+entity(i)[1:])
		}
		x.portal.Seed(`{"entities":[` + strings.Join(rows, ",") + `]}`)
	}
}

func rate(b *testing.B, unit string) {
	b.Helper()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), unit)
}

func BenchmarkHTTPCreate(b *testing.B) {
	for _, storage := range pgtest.Stores() {
		b.Run(storage, func(b *testing.B) {
			x := newBench(b, storage)
			var n atomic.Int64
			b.SetParallelism(4)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					x.do(http.MethodPost, "/v1/blueprints/service/entities", entity(n.Add(1)), http.StatusCreated)
				}
			})
			rate(b, "creates/s")
		})
	}
}

// BenchmarkHTTPBulk writes batches of twenty beside the entities that are there.
// The profile's top entries that are neither I/O nor JSON: in memory, comparing texts
// in the index's trees (cmpbody; half of the request puts documents into them); on
// SQLite the same in its B-trees (sqlite3BtreeIndexMoveto), beside pages and fsync.
func BenchmarkHTTPBulk(b *testing.B) {
	for _, size := range []int64{10_000, 100_000} {
		for _, storage := range []string{"memory", "sqlite"} {
			b.Run(fmt.Sprintf("%d/%s", size, storage), func(b *testing.B) {
				x := newBench(b, storage)
				x.fill(size)
				x.bulk(b, size)
			})
		}
	}
	for _, storage := range pgtest.Stores()[2:] {
		b.Run("0/"+storage, func(b *testing.B) { newBench(b, storage).bulk(b, 0) })
	}
}

func (x *bench) bulk(b *testing.B, first int64) {
	var n atomic.Int64
	n.Store(first)
	b.SetParallelism(4)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			first := n.Add(20)
			rows := make([]string, 20)
			for i := range rows {
				rows[i] = entity(first + int64(i))
			}
			x.do(http.MethodPost, "/v1/blueprints/service/entities/bulk", `{"entities":[`+strings.Join(rows, ",")+`]}`, http.StatusOK)
		}
	})
	rate(b, "batches/s")
}

func BenchmarkHTTPRead(b *testing.B) {
	for _, storage := range pgtest.Stores() {
		b.Run(storage, func(b *testing.B) {
			x := newBench(b, storage)
			x.fill(1000)
			var n atomic.Int64
			b.SetParallelism(4)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					x.do(http.MethodGet, fmt.Sprintf("/v1/blueprints/service/entities/s%d", n.Add(1)%1000), "", http.StatusOK)
				}
			})
			rate(b, "reads/s")
		})
	}
}
