package catalog_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// readable are the rights of somebody who may read the entities of a blueprint that
// its query matches, and everything of blueprints without one.
type readable map[string]*query.Query

func (readable) Manages(string) bool { return false }

func (r readable) Entities(_ store.Tx, blueprint string, verb catalog.Verb) (catalog.Grant, error) {
	q, limited := r[blueprint]
	if verb != catalog.VerbRead {
		return catalog.Grant{All: true}, nil
	}
	return catalog.Grant{All: !limited, Among: q}, nil
}

func (readable) Field(store.Tx, string, catalog.Field) (catalog.Grant, error) {
	return catalog.Grant{All: true}, nil
}

// as is the world as a user with rights sees it; rules are by blueprint, and "none"
// is no entity of it.
func (w *world) as(user string, rules map[string]string) *world {
	w.t.Helper()
	out := *w
	r := readable{}
	for blueprint, rule := range rules {
		r[blueprint] = nil
		if rule == "none" {
			continue
		}
		q, err := query.Parse(value(w.t, `{"combinator":"and","rules":[`+rule+`]}`), query.Options{Scope: query.OneBlueprint})
		if err != nil {
			w.t.Fatal(err)
		}
		r[blueprint] = q
	}
	out.actor.User, out.actor.ID, out.actor.Rights = user, user, r
	return &out
}

const ann = "ann@x.io"

// secrets is a small organization: services of two domains, one of which is secret.
func secrets(w *world) {
	w.t.Helper()
	w.post("_team", `{"identifier":"core","title":"Core","properties":{"description":"lang"}}`).ok()
	w.post("_team", `{"identifier":"web","title":"Web","properties":{"description":"go"}}`).ok()
	w.post("_user", `{"identifier":"`+ann+`","title":"Ann","team":["core","web"],"properties":{"status":"Active","port_role":"Member","port_type":"Standard"}}`).ok()
	w.createBlueprint(`{"identifier":"domain","title":"D","ownership":{"type":"Direct"},"schema":{"properties":{"tier":{"type":"string"},"n":{"type":"number"}}},"relations":{"parent":{"target":"domain"}}}`).ok()
	w.createBlueprint(`{"identifier":"service","title":"S","ownership":{"type":"Inherited","path":"domain"},"schema":{"properties":{"owner":{"type":"string"},"n":{"type":"number"}}},
		"relations":{"domain":{"target":"domain"},"also":{"target":"domain","many":true}},
		"mirrorProperties":{"tier":{"path":"domain.tier"},"tiers":{"path":"also.tier"},"domainTitle":{"path":"domain.$title"}},
		"calculationProperties":{"loud":{"type":"string","calculation":".properties.tier | ascii_upcase"}}}`).ok()
	w.patchBlueprint("domain", `{"aggregationProperties":{"sum":{"title":"Sum","target":"service","calculationSpec":{"func":"sum","calculationBy":"property","property":"n"}},
		"mine":{"title":"Mine","target":"service","calculationSpec":{"func":"count","calculationBy":"entities"},"query":{"combinator":"and","rules":[{"property":"owner","operator":"=","value":{"context":"user","property":"$identifier"}}]}}}}`).ok()
	w.post("domain", `{"identifier":"open","title":"Open","team":["core"],"properties":{"tier":"gold","n":1}}`).ok()
	w.post("_team", `{"identifier":"ops","title":"Ops"}`).ok()
	w.post("domain", `{"identifier":"secret","title":"Secret","team":["ops"],"properties":{"tier":"black","n":2},"relations":{"parent":"open"}}`).ok()
	w.post("service", `{"identifier":"a","title":"A","properties":{"owner":"`+ann+`","n":1},"relations":{"domain":"open","also":["open","secret"]}}`).ok()
	w.post("service", `{"identifier":"b","title":"B","properties":{"owner":"bob@x.io","n":10},"relations":{"domain":"secret","also":["secret"]}}`).ok()
	w.post("service", `{"identifier":"c","title":"C","properties":{"n":100}}`).ok()
}

// rows: §5.8 1-2.
func TestContextualValuesAreThoseOfWhoAsks(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		secrets(w)
		admin := *w
		admin.actor.User = ann // an administrator: a user without limits
		member := w.as(ann, nil)
		for rule, want := range map[string]string{
			`{"property":"owner","operator":"=","value":{"context":"user","property":"$identifier"}}`:                                 "a ",
			`{"property":{"context":"user","property":"port_role"},"operator":"=","value":"Member"}`:                                  "a b c ",
			`{"property":{"context":"user","property":"port_role"},"operator":"=","value":"Admin"}`:                                   "",
			`{"property":{"context":"user","property":"$title"},"operator":"beginsWith","value":"An"}`:                                "a b c ",
			`{"property":"$team","operator":"containsAny","value":{"context":"userTeams","property":"$identifier"}}`:                  "a ",
			`{"property":"$team","operator":"containsAny","value":{"context":"user","property":"$team"}}`:                             "a ",
			`{"property":"$team","operator":"in","value":["My Teams"]}`:                                                               "a ",
			`{"property":{"context":"userTeams","property":"$title"},"operator":"containsAny","value":["Web"]}`:                       "a b c ",
			`{"property":{"context":"userTeams","property":"description"},"operator":"contains","value":["go","lang"]}`:               "a b c ",
			`{"property":{"path":["domain","$team"]},"operator":"matchAny","value":{"context":"userTeams","property":"$identifier"}}`: "a ",
		} {
			body := `{"query":{"combinator":"and","rules":[` + rule + `]}}`
			for name, x := range map[string]*world{"member": member, "administrator": &admin} {
				if got := x.searchIn("service", body).found(); got != want {
					t.Errorf("%s for a %s: found %q, want %q", rule, name, got, want)
				}
			}
			if got := w.searchIn("service", body).found(); got != "" {
				t.Errorf("%s without a user: found %q", rule, got)
			}
		}
	})
}

func TestAggregationsAreTheSameWhoeverReadsThem(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		secrets(w)
		member := w.as(ann, map[string]string{"service": `{"property":"n","operator":"<","value":5}`})
		for _, x := range []*world{member, w, member, w} {
			x.get("domain", "open").is("11", "properties", "sum").is("0", "properties", "mine")
		}
		// A change is seen by both, whoever looked last.
		w.patch("service", "a", `{"properties":{"n":2}}`).ok()
		member.get("domain", "open").is("12", "properties", "sum")
		w.get("domain", "open").is("12", "properties", "sum")
	})
}

func TestWhatACallerMayNotReadIsNotThere(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		secrets(w)
		x := w.as(ann, map[string]string{"domain": `{"property":"$team","operator":"containsAny","value":{"context":"userTeams","property":"$identifier"}}`})
		x.get("domain", "open").is(`"gold"`, "properties", "tier")
		hidden := x.get("domain", "secret").fails("404 not_found")
		if nothing := x.get("domain", "nosuch").fails("404 not_found"); len(nothing.Details) != len(hidden.Details) {
			t.Errorf("an entity that is hidden fails with %v, one that is not there with %v", hidden.Details, nothing.Details)
		}
		x.read.AttachTitles = true
		x.get("service", "a").is(`"gold"`, "properties", "tier").is(`"GOLD"`, "properties", "loud").is(`["core"]`, "team").
			is(`[{"identifier":"open","title":"Open"},{"identifier":"secret","title":null}]`, "relations", "also").is(`["gold"]`, "properties", "tiers")
		x.get("service", "b").is("null", "properties", "tier").is("null", "properties", "loud").is("null", "properties", "domainTitle").
			is(`{"identifier":"secret","title":null}`, "relations", "domain").is(`["ops"]`, "team").is("[]", "properties", "tiers")
		w.get("service", "b").is(`"black"`, "properties", "tier").is(`"BLACK"`, "properties", "loud")
		x.read.AttachTitles, x.read.AttachMirrorIdentifiers = false, true
		x.get("service", "b").is("null", "properties", "domainTitle")
		x.get("service", "a").is(`{"identifier":"open","title":"Open"}`, "properties", "domainTitle")

		x = w.as(ann, map[string]string{"domain": "none"})
		x.get("domain", "open").fails("404 not_found")
		x.list("domain").is("[]", "entities")
	})
}

func TestRulesLookNoFurtherThanTheirCaller(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		secrets(w)
		x := w.as(ann, map[string]string{"domain": `{"property":"$identifier","operator":"=","value":"open"}`})
		for _, c := range []struct{ blueprint, rule, whole, want string }{
			// Of the end of a relation the identifier shows, and nothing else.
			{"service", `{"relation":"domain","operator":"=","value":"secret"}`, "b ", "b "},
			{"service", `{"property":"domain","operator":"=","value":"secret"}`, "b ", "b "},
			{"service", `{"property":{"path":["domain"]},"operator":"matchAny","value":"secret"}`, "b ", "b "},
			{"service", `{"relation":"domain","targetProperty":"$title","operator":"=","value":"Secret"}`, "b ", ""},
			{"service", `{"relation":"also","targetProperty":"$title","operator":"containsAny","value":["Secret","Open"]}`, "a b ", "a "},
			{"service", `{"property":"tier","operator":"=","value":"black"}`, "b ", ""},
			{"service", `{"property":"tier","operator":"=","value":"gold"}`, "a ", "a "},
			{"service", `{"property":"tier","operator":"isEmpty"}`, "c ", "b c "},
			{"service", `{"property":"loud","operator":"=","value":"BLACK"}`, "b ", ""},
			{"service", `{"property":"domainTitle","operator":"=","value":"Secret"}`, "b ", ""},
			{"service", `{"property":"$team","operator":"containsAny","value":["ops"]}`, "b ", "b "},
			// No path leads on from what is hidden.
			{"service", `{"property":{"path":["domain","parent"]},"operator":"matchAny","value":"open"}`, "b ", ""},
			{"domain", `{"property":{"path":["parent"],"fromBlueprint":"domain"},"operator":"matchAny","value":"secret"}`, "open ", ""},
			{"domain", `{"property":{"path":["also"],"fromBlueprint":"service"},"operator":"matchAny","value":["b","a"]}`, "open secret ", "open "},
			{"domain", `{"operator":"relatedTo","blueprint":"domain","value":"secret"}`, "open ", ""},
			{"service", `{"operator":"relatedTo","blueprint":"domain","value":"secret","direction":"downstream"}`, "a b ", ""},
			{"service", `{"operator":"relatedTo","blueprint":"domain","value":"open","direction":"downstream"}`, "a b ", "a "},
			{"domain", `{"operator":"relatedTo","blueprint":"service","value":"b","direction":"upstream"}`, "open secret ", ""},
		} {
			body := `{"query":{"combinator":"and","rules":[` + c.rule + `]}}`
			if got := w.searchIn(c.blueprint, body).found(); got != c.whole {
				t.Errorf("%s without limits: found %q, want %q", c.rule, got, c.whole)
			}
			if got := x.searchIn(c.blueprint, body).found(); got != c.want {
				t.Errorf("%s: found %q, want %q", c.rule, got, c.want)
			}
		}
	})
}

func TestAPolicySeesWhatItsCallerDoesNot(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		secrets(w)
		for rule, want := range map[string]string{
			`{"property":"tier","operator":"=","value":"black"}`:                                                     "b ",
			`{"operator":"relatedTo","blueprint":"domain","value":"secret","direction":"downstream"}`:                "a b ",
			`{"property":{"path":["domain","parent"]},"operator":"matchAny","value":"open"}`:                         "b ",
			`{"property":"owner","operator":"=","value":{"context":"user","property":"$identifier"}}`:                "a ",
			`{"property":{"context":"user","property":"status"},"operator":"=","value":"Active"}`:                    "a b c ",
			`{"property":{"context":"user","property":"status"},"operator":"=","value":"Disabled"}`:                  "",
			`{"property":"$team","operator":"containsAny","value":{"context":"userTeams","property":"$identifier"}}`: "a ",
			`{"property":"$createdAt","operator":"<","value":"2023-01-01T00:00:00Z"}`:                                "",
		} {
			x := w.as(ann, map[string]string{"domain": "none", "service": rule})
			if got := x.list("service").found(); got != want {
				t.Errorf("%s: found %q, want %q", rule, got, want)
			}
		}
	})
}

func TestEveryWayToReadLeavesOutWhatIsHidden(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		secrets(w)
		x := w.as(ann, map[string]string{"service": `{"property":"n","operator":"<","value":50}`})
		if got := x.list("service").found(); got != "a b " {
			t.Errorf("the list has %q", got)
		}
		for name, c := range map[string]struct {
			read func(store.Tx) (any, error)
			want string
		}{
			"count": {func(tx store.Tx) (any, error) {
				n, err := w.cat.CountEntities(w.ctx, tx, x.actor, "service")
				return jsonv.Object{"n": jsonv.Int(n)}, err
			}, `{"n":2}`},
			"count of a search": {func(tx store.Tx) (any, error) {
				n, err := w.cat.CountSearch(w.ctx, tx, x.actor, "service", value(t, `{"query":{"combinator":"and","rules":[{"property":"n","operator":">","value":5}]}}`))
				return jsonv.Object{"n": jsonv.Int(n)}, err
			}, `{"n":1}`},
			"catalog": {func(tx store.Tx) (any, error) {
				out, err := w.cat.Search(w.ctx, tx, x.actor, value(t, `{"combinator":"and","rules":[{"property":"n","operator":">","value":50}]}`), catalog.ReadOptions{})
				return out, err
			}, `{"entities":[],"matchingBlueprints":[]}`},
			"top": {func(tx store.Tx) (any, error) {
				return w.cat.TopSearch(w.ctx, tx, x.actor, "service", value(t, `{"groupBy":{"property":"n"},"groupSort":{"by":"value","order":"asc"}}`), catalog.ReadOptions{})
			}, `{"groups":[{"value":1,"count":1},{"value":10,"count":1}]}`},
			"sorted": {func(tx store.Tx) (any, error) {
				return w.cat.TopSearch(w.ctx, tx, x.actor, "service", value(t, `{"sort":[{"property":"n","order":"desc"}],"include":["$identifier"],"limit":1,"countOnly":true}`), catalog.ReadOptions{})
			}, `{"count":2}`},
			"aggregate": {func(tx store.Tx) (any, error) {
				return w.cat.Aggregate(w.ctx, tx, x.actor, value(t, `{"func":"sum","property":"n","query":{"combinator":"and","rules":[{"property":"$blueprint","operator":"=","value":"service"}]}}`))
			}, `{"result":11,"matchingBlueprints":["service"],"entities":[]}`},
			"over time": {func(tx store.Tx) (any, error) {
				out, err := w.cat.AggregateOverTime(w.ctx, tx, x.actor, value(t, `{"blueprint":"service","timeRange":{"preset":"today"},"timeInterval":"day","query":{"combinator":"and","rules":[]},"measureTimeBy":"$createdAt","aggregationType":"countEntities","func":"count"}`))
				n, _ := jsonv.Get(out, "data", "0", "count")
				return jsonv.Object{"n": n}, err
			}, `{"n":2}`},
			"global": {func(tx store.Tx) (any, error) {
				out, err := w.cat.SearchGlobally(w.ctx, tx, x.actor, catalog.GlobalQuery{Text: "100", Included: true})
				return jsonv.Object{"found": jsonv.Int(len(out))}, err
			}, `{"found":0}`},
			"by source": {func(tx store.Tx) (any, error) {
				out, err := w.cat.DatasourceEntities(w.ctx, tx, x.actor, value(t, `{"datasource_prefix":"test","datasource_suffix":"","limit":100}`))
				hidden := false
				for _, e := range jsonv.List(out, "entities") {
					hidden = hidden || jsonv.String(e, "blueprint") == "service" && jsonv.String(e, "identifier") == "c"
				}
				return jsonv.Object{"hidden": hidden, "next": out["next"]}, err
			}, `{"hidden":false,"next":null}`},
		} {
			w.t = t
			if diff := cmp.Diff(value(t, c.want), w.view(c.read).ok().doc); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}

func TestWritesAnswerWithWhatWasWritten(t *testing.T) {
	t.Parallel()
	everyStore(t, func(t *testing.T, w *world) {
		secrets(w)
		x := w.as(ann, map[string]string{"domain": `{"property":"$identifier","operator":"=","value":"open"}`, "service": "none"})
		x.post("service", `{"identifier":"d","properties":{"n":3},"relations":{"domain":"secret","also":["open"]}}`).
			is("3", "properties", "n").is("null", "properties", "tier").is(`["gold"]`, "properties", "tiers").is(`"secret"`, "relations", "domain").is(`["ops"]`, "team")
		x.get("service", "d").fails("404 not_found")
		w.get("service", "d").is(`"black"`, "properties", "tier")
		// What is named by a query is looked for among what the caller may read.
		none := `{"combinator":"and","rules":[{"property":"tier","operator":"=","value":"black"}]}`
		w.post("service", `{"identifier":"e","relations":{"domain":`+none+`}}`).is(`"secret"`, "relations", "domain")
		x.post("service", `{"identifier":"f","relations":{"domain":`+none+`}}`).is("null", "relations", "domain")
		x.bulk("domain", `{"entities":[{"identifier":{"combinator":"and","rules":[{"property":"$identifier","operator":"=","value":"secret"}]},"properties":{"n":9}}]}`, catalog.WriteOptions{Upsert: true, Merge: true}).
			is("404", "errors", "0", "statusCode").is(`[]`, "entities")
		mine := `{"combinator":"and","rules":[{"property":"$identifier","operator":"=","value":"open"}]}`
		x.bulk("domain", `{"entities":[{"identifier":`+mine+`,"properties":{"n":9}}]}`, catalog.WriteOptions{Upsert: true, Merge: true}).is("[]", "errors")
	})
}
