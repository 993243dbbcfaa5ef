package provider

import (
	"context"
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// group is the configuration of a group of the crowd's blueprint.
func group(tb testing.TB, many int, lang func(i int) string) tftypes.Value {
	tb.Helper()
	entities := jsonv.Object{}
	for i := range many {
		entities[fmt.Sprintf("s%04d", i)] = jsonv.Object{
			"title": fmt.Sprintf("S %d", i), "icon": "i", "teams": []any{"a", "b"},
			"properties": jsonv.Object{
				"string_props": jsonv.Object{"lang": lang(i), "tier": "gold"}, "number_props": jsonv.Object{"load": jsonv.Int(i)},
				"boolean_props": jsonv.Object{"live": true}, "object_props": jsonv.Object{"meta": `{"a":1}`},
				"array_props": jsonv.Object{"string_items": jsonv.Object{"tags": []any{"x", "y"}}},
			},
			"relations": jsonv.Object{"single_relations": jsonv.Object{"peer": "s0000"}, "many_relations": jsonv.Object{"peers": []any{"s0000"}}},
		}
	}
	return config(tb, kindOf(tb, "entities"), string(jsonv.Encode(jsonv.Object{"blueprint": "service", "entities": entities})))
}

// BenchmarkEntities measures the calls of one plan and apply for a group of 5,000
// entities at the protocol's level, the embedded server's work included where a
// call makes requests. Growth must be linear: nothing here may look at the whole
// group for each entity.
func BenchmarkEntities(b *testing.B) {
	for _, many := range []int{1000, 5000} {
		b.Run(fmt.Sprintf("entities=%d", many), func(b *testing.B) { benchmarkEntities(b, many) })
	}
}

func benchmarkEntities(b *testing.B, many int) {
	p := portaltest.Start(b, portaltest.Options{Unchecked: true})
	p.Seed(fmt.Sprintf(crowd, ""))
	server, k := connect(b, p), kindOf(b, "entities")
	ctx := context.Background()
	plain := group(b, many, func(int) string { return "go" })
	state, said := server.applied(k, plain, k.null, nil)
	if said != "" {
		b.Fatal(said)
	}
	changed := group(b, many, func(i int) string {
		if i == many/2 {
			return "rust"
		}
		return "go"
	})
	plan := func(b *testing.B, config, prior tftypes.Value) {
		req := &tfprotov6.PlanResourceChangeRequest{
			TypeName: k.decl.typeName(), Config: server.dynamic(k.typ, config), PriorState: server.dynamic(k.typ, prior),
			ProposedNewState: server.dynamic(k.typ, proposed(k, config, prior)),
		}
		for b.Loop() {
			resp, err := server.PlanResourceChange(ctx, req)
			if err != nil || len(resp.Diagnostics) > 0 {
				b.Fatal(err, say(resp.Diagnostics))
			}
		}
	}
	b.Run("validate", func(b *testing.B) {
		req := &tfprotov6.ValidateResourceConfigRequest{TypeName: k.decl.typeName(), Config: server.dynamic(k.typ, plain)}
		for b.Loop() {
			if resp, err := server.ValidateResourceConfig(ctx, req); err != nil || len(resp.Diagnostics) > 0 {
				b.Fatal(err, say(resp.Diagnostics))
			}
		}
	})
	b.Run("refresh", func(b *testing.B) {
		req := &tfprotov6.ReadResourceRequest{TypeName: k.decl.typeName(), CurrentState: server.dynamic(k.typ, state)}
		for b.Loop() {
			resp, err := server.ReadResource(ctx, req)
			if err != nil || len(resp.Diagnostics) > 0 {
				b.Fatal(err, say(resp.Diagnostics))
			}
			if resp.NewState != req.CurrentState {
				b.Fatal("the state changed")
			}
		}
	})
	b.Run("plan unchanged", func(b *testing.B) { plan(b, plain, state) })
	b.Run("plan one changed", func(b *testing.B) { plan(b, changed, state) })
	// The entities exist, but this server refreshed them and knows that.
	b.Run("plan creation", func(b *testing.B) { plan(b, plain, k.null) })
}
