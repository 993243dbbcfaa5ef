package provider

import (
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// Relations that appear with a change by somebody else are named, those that the
// run manages and those that came with the last apply are not.
func TestRelationsOfSomebodyElseAreNamed(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	p.Seed(`{"blueprints": [{"identifier": "b", "title": "B", "schema": {"properties": {}},
	  "relations": {"own": {"target": "b"}, "hand": {"target": "b"}, "managed": {"target": "b"}}}]}`)
	blueprint, relation := kindOf(t, "blueprint"), kindOf(t, "blueprint_relation")
	for name, c := range map[string]struct {
		change  lens.Obj
		managed bool
		want    []string
		silent  bool
	}{
		"another hand":        {change: lens.Obj{"updated_by": lens.Str("jane")}, want: []string{"hand, managed", "left alone"}},
		"one is managed here": {change: lens.Obj{"updated_by": lens.Str("jane")}, managed: true, want: []string{"relations hand are"}},
		"the same hand":       {silent: true},
		"kept on purpose":     {change: lens.Obj{"updated_by": lens.Str("jane"), "undeclared_relations": lens.Str("keep")}, silent: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, without := range []bool{false, true} {
				server := connect(t, p, func(o *Options) { o.WithoutShortcuts = without })
				if c.managed {
					server.read(relation, relation.stateOf([]string{"b", "managed"}))
				}
				state, _ := server.read(blueprint, blueprint.stateOf([]string{"b"}))
				held := lens.AsObj(lens.AsObj(state)["relations"])
				own := tftypes.NewValue(lens.AsObj(state)["relations"].Type(), lens.Obj{"own": held["own"]})
				state = with(with(state, lens.Obj{"relations": own}), c.change)
				resp, err := server.ReadResource(context.Background(), &tfprotov6.ReadResourceRequest{TypeName: "port_blueprint", CurrentState: server.dynamic(blueprint.typ, state)})
				if err != nil {
					t.Fatal(err)
				}
				said := say(resp.Diagnostics)
				if c.silent != (said == "") {
					t.Errorf("said %q", said)
				}
				for _, want := range c.want {
					if !strings.Contains(said, want) {
						t.Errorf("said %q, want %q in it", said, want)
					}
				}
				got, err := resp.NewState.Unmarshal(blueprint.typ)
				if err != nil || len(lens.AsObj(lens.AsObj(got)["relations"])) != 1 {
					t.Errorf("%v; the state holds %v", err, lens.AsObj(got)["relations"])
				}
			}
		})
	}
}
