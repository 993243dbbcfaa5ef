package portal_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal"
	"github.com/portlens/terraform-provider-port/internal/portal/automations"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// stuck is a store in which events cannot be handled.
type stuck struct{ store.Store }

func (s stuck) Update(ctx context.Context, f func(store.Tx) error) error {
	return s.Store.Update(ctx, func(tx store.Tx) error { return f(stuckTx{tx}) })
}

type stuckTx struct{ store.Tx }

var errStuck = errors.New("nothing goes")

func (t stuckTx) Delete(k store.Kind, key ...string) error {
	if k == automations.KindOccurrence {
		return errStuck
	}
	return t.Tx.Delete(k, key...)
}

const automationOfServices = `{"identifier":%q,"trigger":{"type":"automation","event":{"type":"ENTITY_CREATED","blueprintIdentifier":"service"}},"invocationMethod":{"type":"KAFKA","payload":{"e":"{{ .event.context.entityIdentifier }}"}}}`

func TestEventsThatAPortalLeavesBehindAreHandledByTheNextOnceAndInOrder(t *testing.T) {
	t.Parallel()
	memory := store.NewMemory(portal.Indexes())
	t.Cleanup(func() { _ = memory.Close() })
	p := portaltest.Start(t, portaltest.Options{Store: stuck{memory}, Seed: benchBlueprint})
	p.Must(http.MethodPost, "/v1/actions", decoded(t, fmt.Sprintf(automationOfServices, "early")))
	want := []any{}
	for n := range 30 {
		p.Must(http.MethodPost, "/v1/blueprints/service/entities", jsonv.Object{"identifier": fmt.Sprintf("s%02d", n)})
		want = append([]any{fmt.Sprintf("s%02d", n)}, want...)
	}
	// What was not there when it happened does not see it; what is gone now did.
	p.Must(http.MethodPost, "/v1/actions", decoded(t, fmt.Sprintf(automationOfServices, "late")))
	p.Must(http.MethodDelete, "/v1/actions/early", nil)
	p.Settle()
	if got := jsonv.List(p.Must(http.MethodGet, "/v1/actions/runs", nil), "runs"); len(got) != 0 {
		t.Fatalf("%d runs although nothing could be handled", len(got))
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}

	next := portaltest.Start(t, portaltest.Options{Store: memory})
	next.Settle()
	got := []any{}
	for _, run := range jsonv.List(next.Must(http.MethodGet, "/v1/actions/runs", nil), "runs") {
		if name := jsonv.String(run, "action", "identifier"); name != "early" {
			t.Errorf("a run of %q", name)
		}
		e, _ := jsonv.Get(run, "payload", "payload", "e")
		got = append(got, e)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("runs, newest first (-want +got):\n%s", diff)
	}
}

// BenchmarkHTTPCreateUnderAutomations measures what automations on a blueprint cost
// whoever creates its entities, and, in runs/s, how fast their runs are made, from the
// first write to the last run.
func BenchmarkHTTPCreateUnderAutomations(b *testing.B) {
	for _, storage := range []string{"memory", "sqlite"} {
		for _, automations := range []int{0, 1, 10} {
			b.Run(fmt.Sprintf("%d/%s", automations, storage), func(b *testing.B) {
				x := newBench(b, storage)
				for n := range automations {
					x.do(http.MethodPost, "/v1/actions", fmt.Sprintf(automationOfServices, fmt.Sprintf("a%d", n)), http.StatusCreated)
				}
				b.ResetTimer()
				for n := range b.N {
					x.do(http.MethodPost, "/v1/blueprints/service/entities", entity(int64(n)), http.StatusCreated)
				}
				rate(b, "creates/s")
				x.portal.Settle()
				b.ReportMetric(float64(b.N*automations)/b.Elapsed().Seconds(), "runs/s")
			})
		}
	}
}
