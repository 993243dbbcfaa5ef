package catalog_test

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
)

// about is a random rule that looks at the caller.
func (r throws) about() any {
	context := pick[any](r, jsonv.Object{"context": "user", "property": pick[any](r, "$identifier", "$team", "$title", "status", "none")},
		jsonv.Object{"context": "userTeams", "property": pick[any](r, "$identifier", "$title", "description", "none")})
	rule := jsonv.Object{"operator": pick[any](r, "=", "!=", "in", "notIn", "containsAny", "contains", "beginsWith")}
	switch r.IntN(5) {
	case 0:
		rule["property"], rule["value"] = context, pick[any](r, "Active", "t1", ann, []any{"t1", "b"})
	case 1:
		rule["property"], rule["operator"] = context, pick[any](r, "isEmpty", "isNotEmpty")
	case 2:
		rule["property"], rule["value"], rule["operator"] = "$team", []any{"My Teams"}, pick[any](r, "in", "notIn", "containsAny")
	case 3:
		rule["property"], rule["value"], rule["operator"] = jsonv.Object{"path": r.hops()}, context, "matchAny"
	default:
		rule["property"], rule["value"] = pick[any](r, "$team", "s", "l", "$title", "ms"), context
	}
	return rule
}

// beyond is a random rule that looks at what an entity is related to.
func (r throws) beyond(wide bool) any {
	switch n := r.IntN(5); {
	case n == 0 && !wide:
		return jsonv.Object{"relation": pick[any](r, "parent", "root", "peers", "other"), "targetProperty": "$title", "operator": pick[any](r, "=", "in", "containsAny"), "value": pick(r, someTexts...)}
	case n == 1:
		return jsonv.Object{"property": jsonv.Object{"path": []any{pick(r, relations...), pick(r, relations...)}}, "operator": "matchAny", "value": pick(r, r.some("root"), r.some("node"), any("t1"))}
	case n == 2:
		return jsonv.Object{"operator": "relatedTo", "blueprint": "root", "value": r.some("root"), "direction": pick[any](r, "upstream", "downstream")}
	case n == 3:
		return jsonv.Object{"property": pick[any](r, "ms", "mt", "mn", "mi", "mb"), "operator": pick[any](r, "isEmpty", "isNotEmpty")}
	}
	return jsonv.Object{"property": pick[any](r, "ms", "mt"), "operator": pick[any](r, "=", "!="), "value": pick(r, someTexts...)}
}

// policy is a random read policy: some look at the caller, some at the teams that
// own an entity, some at anything.
func (r throws) policy() jsonv.Object {
	rules := []any{}
	for range 1 + r.IntN(2) {
		switch r.IntN(4) {
		case 0:
			rules = append(rules, jsonv.Object{"property": "$team", "operator": "containsAny", "value": jsonv.Object{"context": "userTeams", "property": "$identifier"}})
		case 1:
			rules = append(rules, r.about())
		default:
			rules = append(rules, r.rule(false, 2))
		}
	}
	return jsonv.Object{"combinator": pick[any](r, "and", "or"), "rules": rules}
}

// A search under policies finds what a search without limits finds, and of that
// what the policies admit; the reference evaluator decides both.
func TestRandomSearchesUnderPoliciesAgreeWithTheReference(t *testing.T) {
	t.Parallel()
	entities, callers, queries, seeds := 100, 20, 25, uint64(1)
	if os.Getenv("PORT_LONG") != "" {
		entities, callers, queries, seeds = 300, 60, 40, 2
	}
	for seed := range seeds {
		everyStore(t, func(t *testing.T, w *world) {
			r := throws{rand.New(rand.NewPCG(seed, 11)), map[string][]string{}}
			n := populate(w, r, entities)
			w.post("_user", `{"identifier":"`+ann+`","title":"b","team":["t1"],"properties":{"status":"Active","port_role":"Member","port_type":"Standard"}}`).ok()
			n.now = w.clock.Now()
			team := n.get("_team", "t1")
			asked := *n
			asked.caller = &naiveCaller{
				user:  jsonv.Object{"$identifier": ann, "$title": "b", "$team": []any{"t1"}, "status": "Active"},
				teams: []jsonv.Object{{"$identifier": "t1", "$title": team.meta["$title"], "description": team.props["description"]}},
			}
			partly := 0
			for range callers {
				may, rights := map[string]jsonv.Object{}, readable{}
				for _, blueprint := range []string{"root", "node", "leaf", "_team"} {
					switch r.IntN(7) {
					case 0: // everything
					case 1:
						may[blueprint], rights[blueprint] = nil, nil
					default:
						may[blueprint] = r.policy()
						q, err := query.Parse(may[blueprint], query.Options{Scope: query.OneBlueprint})
						if err != nil {
							t.Fatalf("%s: %v", jsonv.Encode(may[blueprint]), err)
						}
						rights[blueprint] = q
					}
				}
				x := *w
				x.actor.User, x.actor.Rights = ann, rights
				sees := asked.seen(may)
				for _, blueprint := range []string{"root", "node", "leaf"} {
					if diff := cmp.Diff(sees.shown(blueprint), shown(&x, blueprint)); diff != "" {
						t.Fatalf("entities of %s under %s\n(-want +got)\n%s", blueprint, policies(may), diff)
					}
				}
				for i := range queries {
					in, wide := "", i%2 == 0
					if !wide {
						in = pick(r, "root", "node", "leaf")
					}
					q := r.group(wide, 2)
					switch i % 5 {
					case 0:
						q = jsonv.Object{"combinator": "and", "rules": []any{r.about()}}
					case 1, 2, 3:
						q = jsonv.Object{"combinator": pick[any](r, "and", "or"), "rules": []any{r.beyond(wide)}}
					}
					want := sees.find(in, q)
					if len(want) > 0 && len(want) < len(asked.find(in, q)) {
						partly++
					}
					if diff := cmp.Diff(want, answered(&x, in, q, min(1+len(want)/(1+r.IntN(4)), 1000))); diff != "" {
						t.Fatalf("query in %q: %s\nunder %s\n(-want +got)\n%s", in, jsonv.Encode(q), policies(may), diff)
					}
				}
			}
			if partly < callers*queries/10 {
				t.Errorf("only %d of %d searches hid some and not all of the entities", partly, callers*queries)
			}
		})
	}
}

// shown is what a list shows of related entities: mirrors, titles and owners.
func (n *naive) shown(blueprint string) map[string]any {
	out := map[string]any{}
	for _, t := range n.things {
		if t.blueprint != blueprint || n.hidden[t] {
			continue
		}
		e := jsonv.Object{"team": n.value(t, "$team")}
		for name, m := range n.shapes[blueprint].mirrors {
			e[name] = n.mirror(t, m)
		}
		for name, relation := range n.shapes[blueprint].relations {
			titles := []any{}
			for _, end := range n.follow(t, name) {
				title := end.meta["$title"]
				if n.hidden[end] {
					title = nil
				}
				titles = append(titles, jsonv.Object{"identifier": end.id, "title": title})
			}
			switch {
			case relation.many:
				e["to "+name] = titles
			case len(titles) == 1:
				e["to "+name] = titles[0]
			default:
				e["to "+name] = nil
			}
		}
		out[t.id] = e
	}
	return out
}

func shown(w *world, blueprint string) map[string]any {
	w.read = catalog.ReadOptions{AttachTitles: true}
	shape, out := differentialShapes()[blueprint], map[string]any{}
	for _, found := range jsonv.List(w.list(blueprint).ok().doc, "entities") {
		e := jsonv.Object{"team": jsonv.List(found, "team")}
		for name := range shape.mirrors {
			e[name], _ = jsonv.Get(found, "properties", name)
		}
		for name, relation := range shape.relations {
			e["to "+name], _ = jsonv.Get(found, "relations", name)
			if relation.many && e["to "+name] == nil {
				e["to "+name] = []any{}
			}
		}
		out[jsonv.String(found, "identifier")] = e
	}
	return out
}

func policies(may map[string]jsonv.Object) string {
	var out strings.Builder
	for blueprint, q := range may {
		out.WriteString(blueprint + ": " + string(jsonv.Encode(q)) + "\n")
	}
	return out.String()
}
