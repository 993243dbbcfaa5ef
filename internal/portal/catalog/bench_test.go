package catalog_test

import (
	"fmt"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

const benchBlueprint = `{"identifier":"svc","title":"S","schema":{"required":["tier"],"properties":{
	"tier":{"type":"string","enum":["gold","silver"]},"n":{"type":"number"},"s1":{"type":"string"},"s2":{"type":"string","format":"url"},"s3":{"type":"string","format":"email"},
	"b":{"type":"boolean"},"at":{"type":"string","format":"date-time"},"l":{"type":"array","items":{"type":"string"}},"o":{"type":"object"},"p":{"type":"string","pattern":"^[a-z]+$"}}},
	"relations":{"domain":{"target":"domain","required":true}},
	"mirrorProperties":{"m1":{"path":"domain.$title"},"m2":{"path":"domain.area"}},
	"calculationProperties":{"c":{"type":"string","calculation":".identifier + \"-\" + .properties.tier"}}}`

func benchBody(i int) jsonv.Object {
	return jsonv.Object{
		"identifier": fmt.Sprint("e", i), "title": "Entity",
		"properties": jsonv.Object{
			"tier": "gold", "n": jsonv.Int(i), "s1": "text", "s2": "https://x.io/a", "s3": "a@b.c", "b": true,
			"at": "2024-01-01T00:00:00Z", "l": []any{"x", "y"}, "o": jsonv.Object{"k": "v"}, "p": "abc",
		},
		"relations": jsonv.Object{"domain": fmt.Sprint("d", i%10)},
	}
}

// filled has n entities of a realistic blueprint.
func filled(b *testing.B, n int) *world {
	b.Helper()
	w := memory(b)
	w.createBlueprint(`{"identifier":"domain","title":"D","schema":{"properties":{"area":{"type":"string"}}}}`).ok()
	w.createBlueprint(benchBlueprint).ok()
	for i := range 10 {
		w.post("domain", fmt.Sprintf(`{"identifier":"d%d","properties":{"area":"x"}}`, i)).ok()
	}
	for i := 0; i < n; i += 1000 {
		err := w.store.Update(w.ctx, func(tx store.Tx) error {
			for j := i; j < min(i+1000, n); j++ {
				if _, _, err := w.cat.CreateEntity(w.ctx, tx, w.actor, "svc", benchBody(j), catalog.WriteOptions{}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return w
}

func BenchmarkCreate(b *testing.B) {
	w := filled(b, 0)
	i := 0
	for b.Loop() {
		i++
		err := w.store.Update(w.ctx, func(tx store.Tx) error {
			_, _, err := w.cat.CreateEntity(w.ctx, tx, w.actor, "svc", benchBody(i), catalog.WriteOptions{})
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	w := filled(b, 1000)
	for b.Loop() {
		w.get("svc", "e500").ok()
	}
}

func BenchmarkListThousand(b *testing.B) {
	w := filled(b, 1000)
	for b.Loop() {
		w.list("svc").ok()
	}
}

func BenchmarkSearch(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		for name, rule := range map[string]string{
			"indexed":    `{"property":"n","operator":"=","value":77}`,
			"identifier": `{"property":"$identifier","operator":"in","value":["e1","e2","e3"]}`,
			"scan":       `{"property":"s2","operator":"contains","value":"nowhere"}`,
		} {
			b.Run(fmt.Sprint(name, "/", n), func(b *testing.B) {
				w := filled(b, n)
				for b.Loop() {
					w.search(`{"combinator":"and","rules":[` + rule + `]}`).ok()
				}
			})
		}
	}
}
