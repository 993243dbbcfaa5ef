package provider

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// protocol is a configured provider called as Terraform calls it.
type protocol struct {
	t testing.TB
	tfprotov6.ProviderServer
}

func connect(t testing.TB, p *portaltest.Portal, change ...func(*Options)) protocol {
	t.Helper()
	env := map[string]string{
		"PORT_BASE_URL": portaltest.Embedded, "PORT_CLIENT_ID": p.ClientID, "PORT_CLIENT_SECRET": p.ClientSecret, "PORT_RATE_LIMIT_DISABLED": "1",
	}
	o := Options{Version: "test", Transport: p.Transport(), Getenv: func(name string) string { return env[name] }}
	for _, c := range change {
		c(&o)
	}
	factory, _ := NewServer(o)
	s := protocol{t, factory()}
	if diags := s.configure(nil, false); len(diags) > 0 {
		t.Fatalf("configure: %s", say(diags))
	}
	return s
}

// configure sends a provider block; attributes left out are null.
func (p protocol) configure(block lens.Obj, deferral bool) []*tfprotov6.Diagnostic {
	p.t.Helper()
	resp := p.configureFully(block, deferral)
	return resp.Diagnostics
}

func (p protocol) configureFully(block lens.Obj, deferral bool) *tfprotov6.ConfigureProviderResponse {
	p.t.Helper()
	typ, ok := providerSchema.Type().TerraformType(context.Background()).(tftypes.Object)
	if !ok {
		p.t.Fatal("the provider block is no object")
	}
	m := lens.Obj{}
	for name, t := range typ.AttributeTypes {
		m[name] = lens.Null(t)
		if v, ok := block[name]; ok {
			m[name] = v
		}
	}
	resp, err := p.ConfigureProvider(context.Background(), &tfprotov6.ConfigureProviderRequest{
		Config: p.dynamic(typ, tftypes.NewValue(typ, m)), ClientCapabilities: &tfprotov6.ConfigureProviderClientCapabilities{DeferralAllowed: deferral},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return resp
}

func (p protocol) dynamic(t tftypes.Type, v tftypes.Value) *tfprotov6.DynamicValue {
	p.t.Helper()
	d, err := tfprotov6.NewDynamicValue(t, v)
	if err != nil {
		p.t.Fatal(err)
	}
	return &d
}

func say(diags []*tfprotov6.Diagnostic) string {
	var out []string
	for _, d := range diags {
		out = append(out, fmt.Sprintf("%s: %s: %s", d.Severity, d.Summary, d.Detail))
	}
	return strings.Join(out, "\n")
}

// read refreshes a state and returns it with the identity, as text.
func (p protocol) read(k *kind, state tftypes.Value) (tftypes.Value, string) {
	p.t.Helper()
	resp, err := p.ReadResource(context.Background(), &tfprotov6.ReadResourceRequest{TypeName: k.decl.typeName(), CurrentState: p.dynamic(k.typ, state)})
	if err != nil || len(resp.Diagnostics) > 0 {
		p.t.Fatalf("read: %v %s", err, say(resp.Diagnostics))
	}
	v, err := resp.NewState.Unmarshal(k.typ)
	if err != nil {
		p.t.Fatal(err)
	}
	identity := ""
	if resp.NewIdentity != nil {
		i, err := resp.NewIdentity.IdentityData.Unmarshal(k.identityType)
		if err != nil {
			p.t.Fatal(err)
		}
		identity = i.String()
	}
	return v, identity
}

const crowd = `{"blueprints": [{"identifier": "service", "title": "Service", "schema": {"properties": {
  "lang": {"type": "string"}, "load": {"type": "number"}, "live": {"type": "boolean"}, "meta": {"type": "object"}, "tags": {"type": "array"},
  "tier": {"type": "string", "default": "silver"}}}, "relations": {"peer": {"target": "service"}, "peers": {"target": "service", "many": true}},
  "calculationProperties": {"slug": {"calculation": ".identifier", "type": "string"}}}], "entities": [%s]}`

func crowded(t testing.TB, many int) *portaltest.Portal {
	t.Helper()
	var entities []string
	for i := range many {
		entities = append(entities, fmt.Sprintf(`{"blueprint": "service", "identifier": "s/%d:x=@", "title": "S %d", "icon": "i", "team": ["b", "a"],
		  "properties": {"lang": "go<", "load": %d.25, "live": true, "meta": {"b": [1.50, null], "a": "<"}, "tags": []}, "relations": {"peer": null, "peers": []}}`, i, i, i))
	}
	p := portaltest.Start(t)
	p.Seed(fmt.Sprintf(crowd, strings.Join(entities, ",")))
	return p
}

// However reads are merged, and with or without the shortcuts, results are the
// same: unchanged, changed and deleted entities, first reads and refreshes.
func TestReadsAreTheSameHoweverTheyAreMade(t *testing.T) {
	t.Parallel()
	const many = 120
	p := crowded(t, many)
	k := kindOf(t, "entity")
	ways := map[string][]func(*Options){
		"off":       {batch(portapi.BatchOff)},
		"on":        {batch(portapi.BatchOn)},
		"forced":    {batch(portapi.BatchForced)},
		"framework": {batch(portapi.BatchOff), func(o *Options) { o.WithoutShortcuts = true }},
	}
	key := func(i int) []string { return []string{"service", fmt.Sprintf("s/%d:x=@", i)} }
	before := map[string][]string{}
	states := make([]tftypes.Value, many)
	for _, pass := range []string{"import", "refresh", "drift"} {
		if pass == "drift" {
			p.Must(http.MethodDelete, "/v1/blueprints/service/entities/s%2F7:x=@", nil)
			p.Must(http.MethodPatch, "/v1/blueprints/service/entities/s%2F8:x=@", jsonv.Object{"properties": jsonv.Object{"lang": nil, "tags": []any{jsonv.Int(1)}}})
			p.Must(http.MethodPatch, "/v1/blueprints/service/entities/s%2F9:x=@", jsonv.Object{"relations": jsonv.Object{"peer": "s/10:x=@"}})
		}
		for way, change := range ways {
			server := connect(t, p, change...)
			got, texts := make([]tftypes.Value, many), make([]string, many)
			var wait sync.WaitGroup
			work := make(chan int)
			for range 10 {
				wait.Go(func() {
					for i := range work {
						state := k.stateOf(key(i))
						if pass != "import" {
							state = states[i]
						}
						var identity string
						got[i], identity = server.read(k, state)
						texts[i] = identity + got[i].String()
					}
				})
			}
			for i := range many {
				work <- i
			}
			close(work)
			wait.Wait()
			if before[pass] == nil {
				before[pass] = texts
				if pass == "import" {
					copy(states, got)
				}
			}
			if diff := cmp.Diff(before[pass], texts); diff != "" {
				t.Errorf("%s, %s: %s", pass, way, diff)
			}
		}
	}
	if diff := cmp.Diff(before["import"], before["refresh"]); diff != "" {
		t.Errorf("a refresh changes what an import gave: %s", diff)
	}
	changed := 0
	for i := range many {
		if before["refresh"][i] != before["drift"][i] {
			changed++
		}
	}
	if changed != 3 {
		t.Errorf("%d entities changed, want 3", changed)
	}
}

func batch(m portapi.BatchMode) func(*Options) {
	return func(o *Options) { o.Client = func(c *portapi.Options) { c.Batch = m } }
}

func TestEscapingOfJSONTextIsASetting(t *testing.T) {
	t.Parallel()
	p := crowded(t, 1)
	k := kindOf(t, "entity")
	for escape, want := range map[bool]string{true: `"a":"\u003c"`, false: `"a":"<"`} {
		server := connect(t, p)
		if diags := server.configure(lens.Obj{"json_escape_html": lens.Flag(escape)}, false); len(diags) > 0 {
			t.Fatal(say(diags))
		}
		v, _ := server.read(k, k.stateOf([]string{"service", "s/0:x=@"}))
		got := lens.AsText(lens.AsObj(lens.AsObj(lens.AsObj(v)["properties"])["object_props"])["meta"])
		if !strings.Contains(got, want) {
			t.Errorf("escape %v: %s", escape, got)
		}
	}
}

// A data source that reads an object does not make it a managed one.
func TestAdoptionIsAnnouncedThoughADataSourceReadTheObject(t *testing.T) {
	t.Parallel()
	p := crowded(t, 1)
	server, k := connect(t, p), kindOf(t, "blueprint")
	key := tftypes.Object{AttributeTypes: k.dataType.AttributeTypes}
	m := lens.Obj{}
	for name, t := range key.AttributeTypes {
		m[name] = lens.Null(t)
	}
	m["identifier"] = lens.Str("service")
	read, err := server.ReadDataSource(context.Background(), &tfprotov6.ReadDataSourceRequest{TypeName: "port_blueprint", Config: server.dynamic(key, tftypes.NewValue(key, m))})
	if err != nil || len(read.Diagnostics) > 0 {
		t.Fatalf("%v %s", err, say(read.Diagnostics))
	}
	plan := server.planned(k, config(t, k, `{"identifier": "service", "title": "Mine"}`), k.null)
	for _, want := range []string{"WARNING: Blueprint service already exists", "title", "properties", "on_existing"} {
		if !strings.Contains(plan, want) {
			t.Errorf("the plan does not say %q: %.600s", want, plan)
		}
	}
	// The content it has is nothing to warn about in detail.
	same := server.planned(k, config(t, k, `{"identifier": "new", "title": "Mine"}`), k.null)
	if strings.Contains(same, "WARNING") {
		t.Errorf("a plan of something new warns: %.600s", same)
	}
}
