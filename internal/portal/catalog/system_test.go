package catalog_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

func TestManagedPartsSurviveEveryWrite(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		pristine := w.blueprint("_rule").ok()
		w.putBlueprint("_rule", `{"identifier":"_rule","title":"Mine","schema":{"properties":{
			"level":{"type":"string","title":"changed"},"own":{"type":"number"}},"required":["own"]},
			"relations":{"more":{"target":"_user"},"scorecard":{"target":"_user"}},"mirrorProperties":{"m":{"path":"more.$title"}},
			"aggregationProperties":{}}`).is(`"Mine"`, "title").is(`["level","query","own"]`, "schema", "required")
		r := w.blueprint("_rule")
		for _, part := range [][]string{{"schema", "properties"}, {"relations"}, {"calculationProperties"}, {"aggregationProperties"}} {
			for key, want := range jsonv.Map(pristine.doc, part...) {
				r.is(string(jsonv.Encode(want)), append(part, key)...)
			}
		}
		r.is(`"number"`, "schema", "properties", "own", "type").is(`"_user"`, "relations", "more", "target")
		w.patchBlueprint("_rule", `{"schema":{"properties":{"level":{"type":"string"},"own":null}},"mirrorProperties":{"m":null}}`).
			is(`"string"`, "schema", "properties", "level", "type").is("absent", "schema", "properties", "own").is(`{}`, "mirrorProperties")
		for _, patch := range []string{
			`{"schema":{"properties":{"level":{"type":"number"}}}}`, `{"schema":{"properties":{"level":{"title":"changed"}}}}`, `{"schema":{"properties":{"level":null}}}`,
			`{"relations":{"scorecard":null}}`, `{"relations":{"scorecard":{"required":false}}}`, `{"aggregationProperties":{"entities_tested":null}}`, `{"calculationProperties":{"of_entities_passed":{"calculation":"1"}}}`,
		} {
			w.patchBlueprint("_rule", patch).fails("403 protected_resource")
		}
		w.putBlueprint("_rule", `{"title":"R","schema":{"properties":{}},"calculationProperties":{"level":{"type":"string","calculation":"1"}}}`).fails("403 protected_resource")
		w.patchBlueprint("_rule", `{"relations":{"need":{"target":"_user","required":true}}}`).fails("422 invalid_request")
		w.patchBlueprint("_team", `{"ownership":{"type":"Direct"}}`).fails("403 protected_blueprint_violation")
	})
}

func TestRelationsThatScorecardsAddAreKept(t *testing.T) {
	t.Parallel()
	w := memory(t)
	w.createBlueprint(body("")).ok()
	w.patchBlueprint("_rule_result", `{"relations":{"a":{"target":"a","type":"rule_result_target"},"mine":{"target":"a"}}}`).ok()
	w.putBlueprint("_rule_result", `{"title":"Rule Result","schema":{"properties":{}}}`).
		is(`{"target":"a","required":false,"many":false,"type":"rule_result_target"}`, "relations", "a").is("absent", "relations", "mine")
	w.patchBlueprint("_rule_result", `{"relations":{"a":null}}`).fails("403 protected_resource")
	w.deleteBlueprint("a").ok()
	w.blueprint("_rule_result").is("absent", "relations", "a").is(`"_rule"`, "relations", "rule", "target")
}

func TestListsOfBlueprintsHoldEverythingInOrder(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		w.createBlueprint(`{"identifier":"z","title":"Z","schema":{"properties":{}}}`).ok()
		w.createBlueprint(`{"identifier":"b","title":"B","schema":{"properties":{}}}`).ok()
		w.patchBlueprint("_team", `{"description":"Teams"}`).ok()
		got := ""
		list, _ := w.view(w.listBlueprints).ok().doc.([]any)
		for _, b := range list {
			got += jsonv.String(b, "identifier") + " "
			if _, ok := jsonv.Get(b, "$version"); ok || jsonv.String(b, "createdAt") == "" {
				t.Errorf("document %s", jsonv.Encode(b))
			}
		}
		if got != "_ai_agent _ai_conversation _ai_invocations _mcp_server _rule _rule_result _scorecard _team _user z b " {
			t.Errorf("listed %q", got)
		}
	})
}

func TestManyHostileCalculationsTogetherCostASecondOrTwo(t *testing.T) {
	t.Parallel()
	w := memory(t)
	w.createBlueprint(`{"identifier":"a","title":"A","schema":{"properties":{}}}`).ok()
	for range 50 {
		w.post("a", `{}`).ok()
	}
	definitions := `"ok":{"type":"number","calculation":"1+1"}`
	for i := range 20 {
		definitions += fmt.Sprintf(`,"h%d":{"type":"number","calculation":"%d | last(range(1e12))"}`, i, i)
	}
	w.patchBlueprint("a", `{"calculationProperties":{`+definitions+`}}`).ok()
	began := time.Now()
	r := w.list("a")
	for i := range 50 {
		at := string(jsonv.Int(i))
		r.is(`2`, "entities", at, "properties", "ok").is(`null`, "entities", at, "properties", "h19")
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("20 endless programs and 50 entities took %v", took)
	}
}

func TestAHostileCalculationCostsLittleInAList(t *testing.T) {
	t.Parallel()
	w := memory(t)
	w.createBlueprint(`{"identifier":"a","title":"A","schema":{"properties":{}}}`).ok()
	for range 200 {
		w.post("a", `{}`).ok()
	}
	w.patchBlueprint("a", `{"calculationProperties":{"c":{"type":"number","calculation":"def f: f; f"},"d":{"type":"number","calculation":"1"}}}`).ok()
	began := time.Now()
	r := w.list("a")
	for i := range 200 {
		r.is(`{"c":null,"d":1}`, "entities", string(jsonv.Int(i)), "properties")
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("one endless program and 200 entities took %v", took)
	}
}
