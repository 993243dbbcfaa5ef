package provider

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// asked reads a data source that finds objects.
func (p protocol) asked(name string, arguments lens.Obj) lens.Obj {
	p.t.Helper()
	for _, a := range queries {
		if a.query.Name != name {
			continue
		}
		m := lens.Obj{}
		for attribute, t := range a.typ.AttributeTypes {
			m[attribute] = lens.Null(t)
			if v, ok := arguments[attribute]; ok {
				m[attribute] = v
			}
		}
		resp, err := p.ReadDataSource(context.Background(), &tfprotov6.ReadDataSourceRequest{TypeName: a.query.typeName(), Config: p.dynamic(a.typ, tftypes.NewValue(a.typ, m))})
		if err != nil || len(resp.Diagnostics) > 0 {
			p.t.Fatalf("%s: %v %s", name, err, say(resp.Diagnostics))
		}
		v, err := resp.State.Unmarshal(a.typ)
		if err != nil {
			p.t.Fatal(err)
		}
		return lens.AsObj(v)
	}
	p.t.Fatal("no data source ", name)
	return nil
}

// More runs than one answer holds are read page by page, as many as are asked for.
func TestRunsAreReadToTheLast(t *testing.T) {
	t.Parallel()
	const many = mostRuns + 5
	p := portaltest.Start(t, portaltest.Options{Unchecked: true})
	p.Must(http.MethodPost, "/v1/actions", jsonv.Object{
		"identifier": "go", "trigger": jsonv.Object{"type": "self-service", "operation": "CREATE", "userInputs": jsonv.Object{"properties": jsonv.Object{}}},
		"invocationMethod": jsonv.Object{"type": "WEBHOOK", "url": "https://x.example.com", "agent": true},
	})
	for range many {
		p.Must(http.MethodPost, "/v1/actions/go/runs", jsonv.Object{"properties": jsonv.Object{}})
	}
	server := connect(t, p)
	for limit, want := range map[string]struct {
		runs int
		asks []string
	}{
		"":     {many, []string{"limit=1000", "limit=1000&next="}},
		"3":    {3, []string{"limit=3"}},
		"1000": {mostRuns, []string{"limit=1000"}},
		"1002": {mostRuns + 2, []string{"limit=1000", "limit=2&next="}},
		"5000": {many, []string{"limit=1000", "limit=1000&next="}},
	} {
		p.Forget()
		arguments := lens.Obj{}
		if limit != "" {
			arguments["limit"] = lens.Num(limit)
		}
		found := server.asked("action_runs", arguments)
		seen := map[string]bool{}
		for _, id := range lens.AsList(found["run_ids"]) {
			seen[lens.AsText(id)] = true
		}
		if len(seen) != want.runs || len(lens.AsList(found["runs"])) != want.runs {
			t.Errorf("limit %q: %d runs, %d shown, want %d", limit, len(seen), len(lens.AsList(found["runs"])), want.runs)
		}
		var asks []string
		for _, r := range p.Requests() {
			if r.Path == "/v1/actions/runs" {
				asks = append(asks, r.Query)
			}
		}
		if len(asks) != len(want.asks) {
			t.Errorf("limit %q: asked %q", limit, asks)
			continue
		}
		for i, ask := range asks {
			if !strings.HasPrefix(ask, want.asks[i]) {
				t.Errorf("limit %q: asked %q", limit, asks)
			}
		}
	}
}
