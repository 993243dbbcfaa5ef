package catalog_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// log keeps what it is told, one line an event.
type log struct{ lines []string }

func (l *log) Record(_ store.Tx, events ...catalog.Event) error {
	show := func(o jsonv.Object) string {
		if o == nil {
			return "-"
		}
		return jsonv.String(o, "identifier") + string(jsonv.Encode(jsonv.Map(o, "properties")))
	}
	for _, e := range events {
		l.lines = append(l.lines, e.Action+" "+e.Resource+" "+e.Blueprint+"/"+e.Entity+" "+e.RunID+" "+show(e.Before)+" "+show(e.After))
	}
	return nil
}

// open lets every run but "done" be written to.
type open struct{}

func (open) Check(store.Tx, string, string) error { return nil }

func (open) Visible(store.Tx, catalog.Actor, string) (bool, error) { return true, nil }

func TestChangesAreRecordedWithComputedProperties(t *testing.T) {
	t.Parallel()
	w := memory(t)
	events := &log{}
	w.cat = catalog.New(catalog.Deps{Clock: w.clock, IDs: ident.Seeded(1), Recorder: events, Runs: open{}})
	w.createBlueprint(`{"identifier":"a","title":"A","schema":{"properties":{"n":{"type":"number"}}},"relations":{"up":{"target":"a","required":true}},"calculationProperties":{"c":{"type":"number","calculation":".properties.n+1"}}}`).ok()
	w.create("a", `{"identifier":"1","properties":{"n":1},"relations":{"up":"2"}}`, catalog.WriteOptions{CreateMissing: true, RunID: "r_1"}).ok()
	w.patch("a", "1", `{"identifier":"3","properties":{"n":2}}`).ok()
	w.create("a", `{"identifier":"4","relations":{"up":"3"}}`, catalog.WriteOptions{ValidationOnly: true}).ok()
	w.post("a", `{"identifier":"5"}`).fails("422 required_relation")
	w.delete("a", "2", catalog.DeleteOptions{Dependents: true}).ok()
	w.deleteAll("a", catalog.DeleteAllOptions{Blueprint: true}).ok()
	want := []string{
		`CREATE blueprint a/  - anull`,
		`CREATE entity a/2 r_1 - 2{"c":1}`,
		`CREATE entity a/1 r_1 - 1{"c":2,"n":1}`,
		`UPDATE entity a/3  1{"c":2,"n":1} 3{"c":3,"n":2}`,
		`DELETE entity a/3  3{"c":3,"n":2} -`,
		`DELETE entity a/2  2{"c":1} -`,
		`DELETE blueprint a/  anull -`,
	}
	if diff := cmp.Diff(want, slices.Clone(events.lines)); diff != "" {
		t.Error(diff)
	}
}
