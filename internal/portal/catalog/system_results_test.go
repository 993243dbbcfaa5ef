package catalog_test

import (
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// result stores a rule result, as the evaluation of scorecards does: no caller can.
func (w *world) result(id, rule, outcome, relation, entity string) {
	w.t.Helper()
	w.update(func(tx store.Tx) (any, error) {
		return nil, tx.Put(catalog.KindEntity, store.Doc{
			"identifier": id, "title": "Result " + id, "blueprint": "_rule_result", "team": []any{"core"},
			"properties": jsonv.Object{"result": outcome, "entity": entity, "result_last_change": "2024-01-01T00:00:00.000Z"},
			"relations":  jsonv.Object{"rule": rule, relation: entity},
			"createdAt":  "2024-01-01T00:00:00.000Z", "updatedAt": "2024-01-01T00:00:00.000Z", "createdBy": "port", "updatedBy": "port",
		}, w.actor.Org, "_rule_result", id)
	}).ok()
}

const threeLevels = `"levels":[{"title":"Basic","color":"paleBlue"},{"title":"Bronze","color":"bronze"},{"title":"Gold","color":"gold"}]`

// scored is a catalog with two services, a scorecard of two rules, and their results.
func scored(w *world) {
	w.t.Helper()
	w.createBlueprint(`{"identifier":"service","title":"Service","schema":{"properties":{"tier":{"type":"string"}}}}`).ok()
	w.post("service", `{"identifier":"cart"}`).ok()
	w.post("service", `{"identifier":"shop"}`).ok()
	w.post("_scorecard", `{"identifier":"ready","title":"Readiness","properties":{"blueprint":"service",`+threeLevels+`}}`).ok()
	w.post("_rule", `{"identifier":"r1","title":"One","properties":{"level":"Bronze","query":{}},"relations":{"scorecard":"ready"}}`).ok()
	w.post("_rule", `{"identifier":"r2","title":"Two","properties":{"level":"Gold","query":{}},"relations":{"scorecard":"ready"}}`).ok()
	w.result("x1", "r1", "Passed", "service", "cart")
	w.result("x2", "r2", "Not passed", "service", "cart")
	w.result("x3", "r1", "Passed", "service", "shop")
	w.result("x4", "r2", "Passed", "service", "shop")
}

// rows: §3.2 11-16
func TestDerivedValuesOfScorecardsRulesAndResults(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		scored(w)
		w.get("_scorecard", "ready").is(`4`, "properties", "rules_tested")
	})
	w := memory(t)
	scored(w)
	for at, want := range map[string]string{
		"_scorecard/ready/rules_tested": `4`, "_scorecard/ready/rules_passed": `3`, "_scorecard/ready/of_rules_passed": `75`,
		"_rule/r1/entities_tested": `2`, "_rule/r1/entities_passed": `2`, "_rule/r1/of_entities_passed": `100`,
		"_rule/r2/entities_tested": `2`, "_rule/r2/entities_passed": `1`, "_rule/r2/of_entities_passed": `50`,
		"_rule_result/x2/level": `"Gold"`, "_rule_result/x2/blueprint": `"service"`, "_rule_result/x2/scorecard": `"Readiness"`,
		"_rule_result/x2/result": `"Not passed"`, "_rule_result/x2/entity": `"cart"`, "_rule_result/x2/result_last_change": `"2024-01-01T00:00:00.000Z"`,
		"_rule_result/x2/entity_link": `"https://app.getport.io/serviceEntity?identifier=cart"`,
	} {
		path := jsonv.ParsePointer("/" + at)
		w.get(path[0], path[1]).is(want, "properties", path[2])
	}
}

// rows: §3.3 6, D6
func TestARuleResultTakesOnlyWhatUsersAdded(t *testing.T) {
	t.Parallel()
	w := memory(t)
	scored(w)
	w.patchBlueprint("_rule_result", `{"schema":{"properties":{"note":{"type":"string"},"more":{"type":"string"}}},"relations":{"owner":{"target":"_user"}}}`).ok()
	w.post("_user", `{"identifier":"ann@example.com"}`).ok()
	w.patch("_rule_result", "x1", `{"properties":{"note":"seen","more":"m"},"relations":{"owner":"ann@example.com"}}`).
		is(`"seen"`, "properties", "note").is(`"Passed"`, "properties", "result").is(`"cart"`, "relations", "service").is(`"ann@example.com"`, "relations", "owner")
	same := `"title":"Result x1","team":["core"],"properties":{"note":"again","result":"Passed","entity":"cart","level":"ignored"},"relations":{"rule":"r1","service":"cart"}`
	w.patch("_rule_result", "x1", `{`+same+`}`).is(`"again"`, "properties", "note").is(`"m"`, "properties", "more")
	w.put("_rule_result", "x1", `{`+same+`}`).is(`"again"`, "properties", "note").is("absent", "properties", "more").is("absent", "relations", "owner")
	w.put("_rule_result", "x1", `{"properties":{"note":"alone"}}`).
		is(`"Passed"`, "properties", "result").is(`"r1"`, "relations", "rule").is(`"cart"`, "relations", "service").is(`"Result x1"`, "title").is(`["core"]`, "team")
	for _, body := range []string{
		`{"properties":{"result":"Not passed"}}`, `{"properties":{"entity":null}}`, `{"relations":{"rule":"r2"}}`, `{"relations":{"service":"shop"}}`, `{"relations":{"service":null}}`,
		`{"title":"other"}`, `{"icon":"Cloud"}`, `{"team":[]}`, `{"identifier":"other"}`,
		`{"relations":{"service":{"combinator":"and","rules":[{"property":"$identifier","operator":"=","value":"shop"}]}}}`,
	} {
		w.patch("_rule_result", "x1", body).fails("403 protected_entity")
	}
	w.patch("_rule_result", "x1", `{"properties":{"nope":1}}`).fails("422 blueprint_schema_mismatch")
	w.delete("_rule_result", "x1", catalog.DeleteOptions{Dependents: true}).fails("403 protected_entity")
	w.bulkDelete("_rule_result", `{"entities":["x1"]}`, catalog.DeleteOptions{}).fails("403 protected_entity")
	w.create("_rule_result", `{"identifier":"x1","properties":{"note":"n"}}`, catalog.WriteOptions{Upsert: true, Merge: true}).fails("403 protected_entity")
}

func TestResultsGoWithTheirEntityTheirRuleAndTheirScorecard(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		scored(w)
		gone := func(ids ...string) {
			t.Helper()
			for _, id := range ids {
				w.get("_rule_result", id).fails("404 not_found")
			}
		}
		w.delete("service", "cart", catalog.DeleteOptions{}).ok()
		gone("x1", "x2")
		w.delete("_rule", "r2", catalog.DeleteOptions{}).ok()
		gone("x4")
		w.get("_rule_result", "x3").ok()
		w.deleteAll("service", catalog.DeleteAllOptions{}).ok()
		gone("x3")
		w.post("service", `{"identifier":"cart"}`).ok()
		w.result("x5", "r1", "Passed", "service", "cart")
		w.delete("_scorecard", "ready", catalog.DeleteOptions{}).ok()
		gone("x5")
		w.get("_rule", "r1").fails("404 not_found")
		w.get("service", "cart").ok()
	})
}

// rows: Y9
func TestAScorecardAddsARelationToResultsAndTheLastOneTakesItAway(t *testing.T) {
	t.Parallel()
	w := memory(t)
	w.createBlueprint(`{"identifier":"service","title":"Service","schema":{"properties":{}}}`).ok()
	w.createBlueprint(`{"identifier":"rule","title":"Rule?","schema":{"properties":{}}}`).ok()
	w.createBlueprint(`{"identifier":"größe/x","title":"Size","schema":{"properties":{}}}`).ok()
	card := func(id, blueprint string) {
		t.Helper()
		w.post("_scorecard", `{"identifier":"`+id+`","properties":{"blueprint":"`+blueprint+`"}}`).ok()
	}
	relation := func(key, want string) {
		t.Helper()
		w.blueprint("_rule_result").is(want, "relations", key)
	}
	w.create("_scorecard", `{"identifier":"dry","properties":{"blueprint":"service"}}`, catalog.WriteOptions{ValidationOnly: true}).ok()
	relation("service", "absent")
	card("a", "service")
	relation("service", `{"target":"service","title":"Service","required":false,"many":false,"type":"rule_result_target"}`)
	w.blueprint("_rule_result").is(`"2022-01-01T00:00:00.000Z"`, "updatedAt")
	card("b", "service")
	relation("_service", "absent")
	card("c", "rule")
	relation("_rule", `{"target":"rule","title":"Rule?","required":false,"many":false,"type":"rule_result_target"}`)
	relation("rule", `{"target":"_rule","title":"Rule","required":true,"many":false}`)
	card("d", "größe/x")
	relation("gr__e_x", `{"target":"größe/x","title":"Size","required":false,"many":false,"type":"rule_result_target"}`)

	w.delete("_scorecard", "a", catalog.DeleteOptions{}).ok()
	relation("service", `{"target":"service","title":"Service","required":false,"many":false,"type":"rule_result_target"}`)
	w.delete("_scorecard", "b", catalog.DeleteOptions{}).ok()
	relation("service", "absent")
	w.patch("_scorecard", "c", `{"properties":{"blueprint":"service"}}`).ok()
	relation("_rule", "absent")
	relation("service", `{"target":"service","title":"Service","required":false,"many":false,"type":"rule_result_target"}`)

	// The blueprint's own deletion takes its scorecards along, and its new name is followed.
	w.patchBlueprint("service", `{"identifier":"app"}`).ok()
	relation("service", `{"target":"app","title":"Service","required":false,"many":false,"type":"rule_result_target"}`)
	w.get("_scorecard", "c").is(`"app"`, "properties", "blueprint")
	w.deleteBlueprint("app").ok()
	w.get("_scorecard", "c").fails("404 not_found")
	relation("service", "absent")
	w.deleteAll("größe/x", catalog.DeleteAllOptions{Blueprint: true}).ok()
	w.get("_scorecard", "d").fails("404 not_found")
	w.deleteAll("_scorecard", catalog.DeleteAllOptions{}).ok()
}

// rows: §3.3 3
func TestATeamThatGoesOwnsNothingAnyMore(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		w.createBlueprint(`{"identifier":"a","title":"A","ownership":{"type":"Direct"},"schema":{"properties":{}}}`).ok()
		for _, team := range []string{"core", "shop"} {
			w.post("_team", `{"identifier":"`+team+`","title":"Team"}`).ok()
		}
		w.post("a", `{"identifier":"1","team":["core","shop"]}`).ok()
		w.post("_user", `{"identifier":"ann@example.com","team":["core"]}`).ok()
		stamp := w.get("a", "1").ok().doc
		w.get("_team", "core").is(`1`, "properties", "size")
		w.patch("_team", "core", `{"identifier":"kernel"}`).ok()
		w.get("a", "1").is(`["kernel","shop"]`, "team").is(string(jsonv.Encode(jsonv.String(stamp, "updatedAt"))), "updatedAt")
		w.get("_team", "kernel").is(`1`, "properties", "size")
		w.delete("_team", "kernel", catalog.DeleteOptions{}).ok()
		w.get("a", "1").is(`["shop"]`, "team").is(string(jsonv.Encode(jsonv.String(stamp, "updatedAt"))), "updatedAt")
		w.get("_user", "ann@example.com").is(`[]`, "team")
		w.deleteAll("_team", catalog.DeleteAllOptions{}).ok()
		w.get("a", "1").is(`[]`, "team")
	})
}

func TestADeletedBlueprintIsModeratedByNobody(t *testing.T) {
	t.Parallel()
	w := memory(t)
	w.createBlueprint(`{"identifier":"a","title":"A","schema":{"properties":{}}}`).ok()
	w.createBlueprint(`{"identifier":"b","title":"B","schema":{"properties":{}}}`).ok()
	w.post("_user", `{"identifier":"ann@example.com","properties":{"moderated_blueprints":["a","b"]}}`).ok()
	w.patchBlueprint("b", `{"identifier":"c"}`).ok()
	w.deleteBlueprint("a").ok()
	w.get("_user", "ann@example.com").is(`["c"]`, "properties", "moderated_blueprints")
}
