package catalog_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// onlyActions are the self-service actions of a catalog, by blueprint.
type onlyActions map[string][]string

func (a onlyActions) Of(_ store.Tx, _, blueprint string) ([]string, error) { return a[blueprint], nil }

func (a onlyActions) DeleteOf(_ store.Tx, _ catalog.Actor, blueprint string) error {
	delete(a, blueprint)
	return nil
}

func (a onlyActions) BlueprintRenamed(_ store.Tx, _, was, is string) error {
	a[is] = a[was]
	delete(a, was)
	return nil
}

// rows: §2.15 4, §1.5 7
func TestABlueprintWithActionsGoesOnlyWithThem(t *testing.T) {
	t.Parallel()
	w := memory(t)
	actions := onlyActions{"a": {"deploy"}, "b": {"scale"}}
	w.cat = catalog.New(catalog.Deps{Clock: w.clock, IDs: ident.Seeded(1), Actions: actions})
	remove := func(id string, withActions bool) result {
		return w.update(func(tx store.Tx) (any, error) { return nil, w.cat.DeleteBlueprint(w.ctx, tx, w.actor, id, withActions) })
	}
	for _, id := range []string{"a", "b"} {
		w.createBlueprint(`{"identifier":"` + id + `","title":"T","schema":{"properties":{}}}`).ok()
	}
	remove("a", false).fails("403 has_dependents")
	remove("a", true).ok()
	w.deleteAll("b", catalog.DeleteAllOptions{Blueprint: true}).ok()
	if len(actions) != 0 {
		t.Errorf("left: %v", actions)
	}
}

// someRuns knows a run that is open and one that is over.
type someRuns struct{}

func (someRuns) Visible(store.Tx, catalog.Actor, string) (bool, error) { return true, nil }

func (someRuns) Check(_ store.Tx, _, id string) error {
	switch id {
	case "r_open":
		return nil
	case "r_over":
		return fault.New(400, "run_exhausted", "run %q is over", id)
	}
	return fault.NotFound("Run", id)
}

// rows: §1.2 6, §1.5 5
func TestEveryWriteOfAnEntityAsksAboutItsRun(t *testing.T) {
	t.Parallel()
	w := memory(t)
	w.cat = catalog.New(catalog.Deps{Clock: w.clock, IDs: ident.Seeded(1), Runs: someRuns{}})
	w.createBlueprint(`{"identifier":"a","title":"A","schema":{"properties":{}}}`).ok()
	w.post("a", `{"identifier":"x"}`).ok()
	for run, want := range map[string]string{"r_over": "400 run_exhausted", "r_none": "404 not_found"} {
		o := catalog.WriteOptions{RunID: run, Upsert: true}
		w.create("a", `{"identifier":"y"}`, o).fails(want)
		w.bulk("a", `{"entities":[{"identifier":"y"}]}`, o).fails(want)
		w.update(func(tx store.Tx) (any, error) {
			return w.cat.PutEntity(w.ctx, tx, w.actor, "a", "x", value(t, `{}`), o)
		}).fails(want)
		w.update(func(tx store.Tx) (any, error) {
			return w.cat.PatchEntity(w.ctx, tx, w.actor, "a", "x", value(t, `{}`), o)
		}).fails(want)
		w.delete("a", "x", catalog.DeleteOptions{RunID: run}).fails(want)
		w.bulkDelete("a", `{"entities":["x"]}`, catalog.DeleteOptions{RunID: run}).fails(want)
		w.deleteAll("a", catalog.DeleteAllOptions{RunID: run}).fails(want)
	}
	w.create("a", `{"identifier":"y"}`, catalog.WriteOptions{RunID: "r_open"}).ok()
}

// rows: §6.2 7
func TestAQueryNamesAtMostAHundredTargets(t *testing.T) {
	t.Parallel()
	w := memory(t)
	w.createBlueprint(`{"identifier":"d","title":"D","schema":{"properties":{"k":{"type":"string"}}}}`).ok()
	w.createBlueprint(`{"identifier":"a","title":"A","schema":{"properties":{}},"relations":{"all":{"target":"d","many":true}}}`).ok()
	var want []any
	for i := range 105 {
		id := fmt.Sprintf("d%03d", i)
		w.post("d", `{"identifier":"`+id+`","properties":{"k":"v"}}`).ok()
		if i < 100 {
			want = append(want, id)
		}
	}
	r := w.post("a", `{"relations":{"all":{"combinator":"and","rules":[{"property":"k","operator":"=","value":"v"}]}}}`).ok()
	if diff := cmp.Diff(want, related(r.doc, "all")); diff != "" {
		t.Error(diff)
	}
}

func related(doc any, key string) []any {
	entity, _ := doc.(map[string]any)
	relations, _ := entity["relations"].(map[string]any)
	list, _ := relations[key].([]any)
	return list
}
