package provider

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// Entities, all of which relate to one of them, are planned, created, refreshed and
// found unchanged in one request for twenty and a few more, tokens included; one change
// is one more call, and all are deleted a hundred at a time.
func TestManyEntitiesTakeFewRequests(t *testing.T) {
	t.Parallel()
	entitiesTakeFewRequests(t, 1000)
}

func TestFiveThousandEntitiesTakeFewRequestsLong(t *testing.T) {
	t.Parallel()
	if os.Getenv("PORT_LONG") == "" {
		t.Skip("five thousand are for the long suite; a thousand are in the short one")
	}
	entitiesTakeFewRequests(t, 5000)
}

func entitiesTakeFewRequests(t *testing.T, many int) {
	t.Helper()
	p := portaltest.Start(t, portaltest.Options{Unchecked: true})
	p.Seed(strings.ReplaceAll(crowd, "%s", ""))
	k := kindOf(t, "entities")
	plain := group(t, many, func(int) string { return "go" })
	p.Forget()
	state, said := connect(t, p).applied(k, plain, k.null, nil)
	if said != "" {
		t.Fatal(said)
	}
	again, _ := connect(t, p).read(k, state)
	if !lens.Equal(again, state) {
		t.Error("the refreshed state differs from the applied one")
	}
	counted := func(what string, most int) {
		t.Helper()
		if got := len(p.Requests()); got > most {
			t.Errorf("%s: %d requests, want at most %d", what, got, most)
		}
		p.Forget()
	}
	counted("create and refresh", many/20+10)
	changed := group(t, many, func(i int) string {
		if i == many-679 {
			return "rust"
		}
		return "go"
	})
	if state, said = connect(t, p).applied(k, changed, state, nil); said != "" {
		t.Fatal(said)
	}
	counted("change of one", 6)
	if diags := destroyed(connect(t, p), k, state); diags != "" {
		t.Fatal(diags)
	}
	counted("deletion", many/100+2) // and the token and the blueprint
	if n := len(jsonv.List(p.Must(http.MethodGet, "/v1/blueprints/service/entities", nil), "entities")); n != 0 {
		t.Errorf("%d entities are left", n)
	}
}

// destroyed applies the deletion of a state.
func destroyed(p protocol, k *kind, state tftypes.Value) string {
	p.t.Helper()
	resp, err := p.ApplyResourceChange(context.Background(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: k.decl.typeName(), Config: p.dynamic(k.typ, k.null), PriorState: p.dynamic(k.typ, state), PlannedState: p.dynamic(k.typ, k.null),
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return say(resp.Diagnostics)
}
