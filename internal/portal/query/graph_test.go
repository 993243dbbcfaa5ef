package query_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
)

// world is a graph written as lines "blueprint/id relation! blueprint/id", with !
// for required relations.
type world struct {
	edges []struct {
		from, to query.Node
		relation string
		required bool
	}
	calls *int
}

func node(text string) query.Node {
	bp, id, _ := strings.Cut(text, "/")
	return query.Node{Blueprint: bp, Identifier: id}
}

func newWorld(lines string) *world {
	w := &world{calls: new(int)}
	for line := range strings.Lines(lines) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		w.edges = append(w.edges, struct {
			from, to query.Node
			relation string
			required bool
		}{node(f[0]), node(f[2]), strings.TrimSuffix(f[1], "!"), strings.HasSuffix(f[1], "!")})
	}
	return w
}

func (w *world) Follow(n query.Node, relation string) []query.Node {
	var out []query.Node
	for _, e := range w.edges {
		if e.from == n && e.relation == relation {
			out = append(out, e.to)
		}
	}
	return out
}

func (w *world) Edges(n query.Node, forward bool) []query.Edge {
	*w.calls++
	var out []query.Edge
	for _, e := range w.edges {
		switch {
		case e.relation == "$team":
		case forward && e.from == n:
			out = append(out, query.Edge{Relation: e.relation, Required: e.required, Other: e.to})
		case !forward && e.to == n:
			out = append(out, query.Edge{Relation: e.relation, Required: e.required, Other: e.from})
		}
	}
	return out
}

func (w *world) Title(n query.Node) any { return strings.ToUpper(n.Identifier) }

// matches returns which nodes of the world fulfil the rule.
func (w *world) matches(t *testing.T, text string, env *query.Env) []string {
	t.Helper()
	q := parse(t, rule(text), query.CatalogWide)
	env.Graph = w
	seen := map[query.Node]bool{}
	var out []string
	for _, e := range w.edges {
		for _, n := range []query.Node{e.from, e.to} {
			if !seen[n] && q.Match(env, entity{blueprint: n.Blueprint, id: n.Identifier}) {
				out = append(out, n.Blueprint+"/"+n.Identifier)
			}
			seen[n] = true
		}
	}
	slices.Sort(out)
	return out
}

func TestRelatedToFollowsRelations(t *testing.T) {
	t.Parallel()
	w := newWorld(`
		config/order-prod microservice! service/order
		config/order-prod environment   environment/prod
		config/cart-prod  environment   environment/prod
		config/cart-dev   environment   environment/dev
		service/order     domain        domain/shop
		loop/a            next          loop/b
		loop/b            next          loop/a`)
	for text, want := range map[string][]string{
		`"blueprint":"config","value":"order-prod","direction":"upstream"`:                  {"domain/shop", "environment/prod", "service/order"},
		`"blueprint":"environment","value":"prod","direction":"downstream"`:                 {"config/cart-prod", "config/order-prod"},
		`"blueprint":"environment","value":["prod","dev"],"direction":"downstream"`:         {"config/cart-dev", "config/cart-prod", "config/order-prod"},
		`"blueprint":"service","value":"order"`:                                             {"config/order-prod", "domain/shop"},
		`"blueprint":"config","value":"order-prod","direction":"upstream","required":true`:  {"service/order"},
		`"blueprint":"config","value":"order-prod","direction":"upstream","required":false`: {"environment/prod"},
		`"blueprint":"environment","value":"prod","direction":"upstream"`:                   nil,
		`"blueprint":"nosuch","value":"x"`:                                                  nil,
		`"blueprint":"loop","value":"a","direction":"upstream"`:                             {"loop/a", "loop/b"},
	} {
		env := &query.Env{Now: now}
		got := w.matches(t, `{"operator":"relatedTo",`+text+`}`, env)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
	}
}

func TestReachIsComputedOncePerRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(`a/1 r b/1
		b/1 r c/1`)
	w.matches(t, `{"operator":"relatedTo","blueprint":"a","value":"1","direction":"upstream"}`, &query.Env{Now: now})
	if *w.calls != 3 {
		t.Errorf("the graph was asked %d times, want once for each of 3 entities", *w.calls)
	}
}

func TestPathsLeadFromTheCandidateOrFromABlueprint(t *testing.T) {
	t.Parallel()
	w := newWorld(`
		team/squad  parent team/tribe
		team/tribe  parent team/domain
		team/domain parent team/group
		service/a   owner  team/squad
		service/b   owner  team/tribe
		service/a   $team  _team/core
		_team/core  lead   _user/ann`)
	for _, c := range []struct {
		property string
		value    string
		want     []string
	}{
		{`{"path":["owner"]}`, `"squad"`, []string{"service/a"}},
		{`{"path":["owner"]}`, `["squad","tribe"]`, []string{"service/a", "service/b"}},
		{`{"path":["owner","parent"]}`, `"tribe"`, []string{"service/a"}},
		{`{"path":["owner","nosuch"]}`, `"tribe"`, nil},
		{`{"path":["$team"]}`, `"core"`, []string{"service/a"}},
		{`{"path":["$team","lead"]}`, `"ann"`, []string{"service/a"}},
		{`{"path":["owner",{"relation":"parent","maxHops":2}]}`, `"domain"`, []string{"service/a", "service/b"}},
		{`{"path":["owner",{"relation":"parent","maxHops":1}]}`, `"squad"`, []string{"service/a"}},
		{`{"path":["parent","parent"],"fromBlueprint":"team"}`, `"squad"`, []string{"team/domain"}},
		{`{"path":[{"relation":"parent","maxHops":3}],"fromBlueprint":"team"}`, `"squad"`, []string{"team/domain", "team/group", "team/tribe"}},
		{`{"path":["parent","parent",{"relation":"parent","maxHops":3}],"fromBlueprint":"team"}`, `"squad"`, []string{"team/domain", "team/group"}},
		{`{"path":[{"relation":"parent","maxHops":2},"parent"],"fromBlueprint":"team"}`, `"squad"`, []string{"team/domain", "team/group"}},
		{`{"path":["owner"],"fromBlueprint":"service"}`, `["a","b"]`, []string{"team/squad", "team/tribe"}},
		{`{"path":["owner"],"fromBlueprint":"service"}`, `[]`, nil},
		{`{"path":["$team","lead"]}`, `{"context":"user","property":"$identifier"}`, []string{"service/a"}},
		{`{"path":["$team"]}`, `{"context":"userTeams","property":"$identifier"}`, []string{"service/a"}},
	} {
		env := &query.Env{Now: now, Caller: person{}}
		got := w.matches(t, `{"property":`+c.property+`,"operator":"matchAny","value":`+c.value+`}`, env)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s %s\n%s", c.property, c.value, diff)
		}
	}
}

// person is Ann of the teams core and web.
type person struct{}

func (person) User(name string) any {
	return map[string]any{"$identifier": "ann", "age": jsonv.Int(40), "skills": []any{"go", "sql"}}[name]
}

func (person) UserTeams(name string) []any {
	switch name {
	case "$identifier":
		return []any{"core", "web"}
	case "repos":
		return []any{[]any{"r1", "r2"}, []any{"r3"}}
	}
	return nil
}

func (person) Teams() []string { return []string{"core", "web"} }

func TestContextualValuesComeFromTheCaller(t *testing.T) {
	t.Parallel()
	e := entity{blueprint: "service", id: "cart", fields: fieldKinds, values: jsonv.Object{
		"text": "ann", "num": jsonv.Int(41), "list": []any{"r2"}, "$team": []any{"web"},
	}}
	for _, c := range []struct {
		text              string
		person, anonymous bool
	}{
		{`{"property":"text","operator":"=","value":{"context":"user","property":"$identifier"}}`, true, false},
		{`{"property":"none","operator":"=","value":{"context":"user","property":"$identifier"}}`, false, false},
		{`{"property":"none","operator":"!=","value":{"context":"user","property":"$identifier"}}`, true, false},
		{`{"property":"none","operator":"=","value":{"context":"user","property":"nothing"}}`, true, false},
		{`{"property":"num","operator":">","value":{"context":"user","property":"age"}}`, true, false},
		{`{"property":"$team","operator":"containsAny","value":{"context":"userTeams","property":"$identifier"}}`, true, false},
		{`{"property":"list","operator":"containsAny","value":{"context":"userTeams","property":"repos"}}`, true, false},
		{`{"property":"$team","operator":"in","value":["My Teams"]}`, true, false},
		{`{"property":"$team","operator":"in","value":["My Teams","web"]}`, true, true},
		{`{"property":"$team","operator":"notIn","value":["My Teams"]}`, false, true},
		{`{"property":"text","operator":"in","value":["My Teams"]}`, false, false},
		{`{"property":{"context":"user","property":"skills"},"operator":"contains","value":"go"}`, true, false},
		{`{"property":{"context":"userTeams","property":"$identifier"},"operator":"containsAny","value":["core"]}`, true, false},
		{`{"property":{"context":"user","property":"nothing"},"operator":"isEmpty"}`, true, false},
		{`{"property":{"context":"userTeams","property":"nothing"},"operator":"isEmpty"}`, true, false},
		{`{"property":{"context":"userTeams","property":"$identifier"},"operator":"isNotEmpty"}`, true, false},
		{`{"property":{"context":"userTeams","property":"repos"},"operator":"containsAny","value":["r3"]}`, true, false},
		{`{"property":{"context":"user","property":"skills"},"operator":"containsAny","value":{"context":"userTeams","property":"repos"}}`, false, false},
		{`{"property":"text","operator":"matchAny","value":{"context":"user","property":"$identifier"}}`, true, false},
	} {
		q := parse(t, rule(c.text), query.CatalogWide)
		if got := q.Match(&query.Env{Now: now, Caller: person{}}, e); got != c.person {
			t.Errorf("%s for Ann: %v", c.text, got)
		}
		if got := q.Match(&query.Env{Now: now}, e); got != c.anonymous {
			t.Errorf("%s for a machine: %v", c.text, got)
		}
	}
}

func TestRulesOfOneBlueprintSeeRelationsAndScorecards(t *testing.T) {
	t.Parallel()
	w := newWorld(`
		service/cart rel  domain/shop
		service/cart rels team/a
		service/cart rels team/b
		service/cart text domain/other`)
	e := entity{blueprint: "service", id: "cart", fields: fieldKinds,
		values: jsonv.Object{"rel": "shop", "rels": []any{"a", "b"}, "text": "a property of the same key", "related text": "other", "none": nil},
		cards: map[string]query.Scorecard{"ready": {Level: "Gold", Rules: []query.ScorecardRule{
			{Identifier: "owner", Status: "SUCCESS", Level: "Bronze"}, {Identifier: "docs", Status: "FAILURE", Level: "Silver"},
		}}}}
	for text, want := range map[string]bool{
		`{"relation":"rel","operator":"=","value":"shop"}`:                                          true,
		`{"relation":"rel","operator":"contains","value":"HO"}`:                                     true,
		`{"relation":"rels","operator":"contains","value":"a"}`:                                     true,
		`{"relation":"rels","operator":"contains","value":"A"}`:                                     false,
		`{"relation":"rel","targetProperty":"$title","operator":"=","value":"SHOP"}`:                true,
		`{"relation":"rels","targetProperty":"$title","operator":"in","value":["B"]}`:               true,
		`{"relation":"rels","targetProperty":"$identifier","operator":"containsAny","value":["b"]}`: true,
		`{"relation":"text","operator":"=","value":"other"}`:                                        true,
		`{"relation":"rel","operator":"isEmpty"}`:                                                   false,
		`{"relation":"none","targetProperty":"$title","operator":"=","value":null}`:                 true,
		`{"relation":"nosuch","operator":"isEmpty"}`:                                                true,
		`{"relation":"nosuch","operator":"!=","value":"x"}`:                                         true,
		`{"scorecard":"ready","operator":"=","value":"Gold"}`:                                       true,
		`{"scorecard":"ready","operator":"in","value":["Silver"]}`:                                  false,
		`{"scorecard":"ready","operator":"isEmpty"}`:                                                false,
		`{"scorecard":"nosuch","operator":"isEmpty"}`:                                               true,
		`{"scorecard":"nosuch","operator":"=","value":"Gold"}`:                                      false,
		`{"scorecard":"ready","scorecardRule":"owner","operator":"=","value":"SUCCESS"}`:            true,
		`{"scorecard":"ready","scorecardRule":"owner","operator":"=","value":"Bronze"}`:             true,
		`{"scorecard":"ready","scorecardRule":"docs","operator":"=","value":"FAILURE"}`:             true,
		`{"scorecard":"ready","scorecardRule":"docs","operator":"=","value":"Silver"}`:              false,
		`{"scorecard":"ready","scorecardRule":"docs","operator":"!=","value":"SUCCESS"}`:            true,
		`{"scorecard":"ready","scorecardRule":"nosuch","operator":"isEmpty"}`:                       true,
		`{"scorecard":"ready","scorecardRule":"owner","operator":"isNotEmpty"}`:                     true,
	} {
		q := parse(t, rule(text), query.OneBlueprint)
		if got := q.Match(&query.Env{Now: now, Graph: w}, e); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestPropertySchemaAsksAllOwnPropertiesOfTheType(t *testing.T) {
	t.Parallel()
	e := entity{blueprint: "service", id: "cart", fields: fieldKinds, values: jsonv.Object{
		"text": "hello", "url": "https://x", "num": jsonv.Int(5), "list": []any{"a"},
		"dates": []any{"2024-01-01T00:00:00Z"}, "date": "2024-01-01T00:00:00Z", "timer": "2024-01-01T00:00:00Z", "rel": "hidden",
	}}
	for text, want := range map[string]bool{
		`{"propertySchema":{"type":"string","format":"url"},"operator":"=","value":"https://x"}`:                               true,
		`{"propertySchema":{"type":"string","format":"url"},"operator":"=","value":"hello"}`:                                   false,
		`{"propertySchema":{"type":"string"},"operator":"=","value":"hello"}`:                                                  true,
		`{"propertySchema":{"type":"string"},"operator":"=","value":"hidden"}`:                                                 false,
		`{"propertySchema":{"type":"string"},"operator":"contains","value":"ELL"}`:                                             true,
		`{"propertySchema":{"type":"string"},"operator":"!=","value":"hello"}`:                                                 false,
		`{"propertySchema":{"type":"string"},"operator":"!=","value":"nowhere"}`:                                               true,
		`{"propertySchema":{"type":"number"},"operator":"=","value":5.0}`:                                                      true,
		`{"propertySchema":{"type":"number"},"operator":">","value":4}`:                                                        true,
		`{"propertySchema":{"type":"array","items":{"type":"string"}},"operator":"contains","value":"a"}`:                      true,
		`{"propertySchema":{"type":"array","items":{"type":"string","format":"date-time"}},"operator":"contains","value":"a"}`: false,
		`{"propertySchema":{"type":"array","items":{"type":"number"}},"operator":"contains","value":"a"}`:                      false,
		`{"propertySchema":{"type":"boolean"},"operator":"isEmpty"}`:                                                           true,
		`{"propertySchema":{"type":"number"},"operator":"isEmpty"}`:                                                            false,
		`{"propertySchema":{"type":"number"},"operator":"isNotEmpty"}`:                                                         true,
		`{"propertySchema":{"type":"string","format":"date-time"},"operator":"=","value":"2024-01-01T01:00:00+01:00"}`:         true,
		`{"propertySchema":{"type":"string","format":"proto"},"operator":"=","value":null}`:                                    false,
	} {
		q := parse(t, rule(text), query.CatalogWide)
		if got := q.Match(&query.Env{Now: now}, e); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
