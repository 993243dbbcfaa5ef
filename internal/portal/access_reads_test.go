package portal_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portal/store/pgtest"
)

// readSeed has four entities of svc whose n are powers of ten, so that a sum tells
// of which ones it is, and a bag that leads to all of them and that everybody reads.
const readSeed = `{"blueprints":[
 {"identifier":"dom","title":"Dom","schema":{"properties":{}}},
 {"identifier":"svc","title":"Svc","ownership":{"type":"Direct"},"includeInGlobalSearch":true,
  "schema":{"properties":{"lang":{"type":"string"},"n":{"type":"number"},"owner":{"type":"string","format":"user"}}}},
 {"identifier":"bag","title":"Bag","schema":{"properties":{}},"relations":{"svcs":{"target":"svc","many":true}},
  "mirrorProperties":{"ns":{"path":"svcs.n"},"names":{"path":"svcs.$title"}},
  "calculationProperties":{"added":{"type":"number","calculation":".properties.ns | add // 0"}},
  "aggregationProperties":{"sum":{"title":"Sum","target":"svc","calculationSpec":{"func":"sum","calculationBy":"property","property":"n"}}}}],
 "entities":[
 {"blueprint":"_team","identifier":"core","title":"Core"},{"blueprint":"_team","identifier":"other","title":"Other"},
 {"blueprint":"svc","identifier":"mine","title":"svc Mine","team":["core"],"properties":{"lang":"go","n":1}},
 {"blueprint":"svc","identifier":"theirs","title":"svc Theirs","team":["other"],"properties":{"lang":"c","n":10}},
 {"blueprint":"svc","identifier":"shared","title":"svc Shared","team":["core","other"],"properties":{"lang":"go","n":100}},
 {"blueprint":"svc","identifier":"free","title":"svc Free","properties":{"lang":"rust","n":1000,"owner":"guest@x.io"}},
 {"blueprint":"bag","identifier":"all","relations":{"svcs":["mine","theirs","shared","free"]}}]}`

var readNames = []string{"mine", "theirs", "shared", "free"}

// readers are the columns of reference/identity.md §7.3, and service accounts,
// which are as their role is.
var readers = map[string]portaltest.User{
	"MEM":   {Email: "mem@x.io", Teams: []string{"core"}},
	"guest": {Email: "guest@x.io"},
	"MX":    {Email: "mx@x.io", Moderates: []string{"dom"}},
	"MB":    {Email: "mb@x.io", Moderates: []string{"svc"}},
	"ADM":   {Email: "adm@x.io", Role: "Admin"},
	"SA":    {Email: "sa@serviceaccounts.getport.io", Teams: []string{"other"}},
	"ASA":   {Email: "root@serviceaccounts.getport.io", Role: "Admin"},
	"MCH":   {},
}

const everybody = "mine theirs shared free"

// readCases are changes of the default permissions of svc, and what each reader
// sees of it; moderators of svc and administrators see everything.
var readCases = []struct{ name, permissions, mem, guest, mx, sa string }{
	{"default", `{}`, everybody, everybody, everybody, everybody},
	{"roles", `{"read":{"roles":["Admin"]}}`, "", "", "", ""},
	{"moderators of another blueprint", `{"read":{"roles":["dom-moderator"]}}`, "", "", everybody, ""},
	{"moderators of any blueprint", `{"read":{"roles":["Moderator"]}}`, "", "", everybody, ""},
	{"roles in any case", `{"read":{"roles":["member"]}}`, everybody, everybody, everybody, everybody},
	{"a team", `{"read":{"roles":[],"teams":["core"]}}`, everybody, "", "", ""},
	{"a user", `{"read":{"roles":[],"users":["guest@x.io","sa@serviceaccounts.getport.io"]}}`, "", everybody, "", everybody},
	{"owned", `{"read":{"roles":[],"ownedByTeam":true}}`, "mine shared", "", "", "theirs shared"},
	{"policy", `{"read":{"roles":[],"policy":{"combinator":"and","rules":[{"property":"lang","operator":"=","value":"go"}]}}}`, "mine shared", "mine shared", "mine shared", "mine shared"},
	{"policy on the caller's teams", `{"read":{"roles":[],"policy":{"combinator":"and","rules":[{"property":"$team","operator":"containsAny","value":{"context":"userTeams","property":"$identifier"}}]}}}`, "mine shared", "", "", "theirs shared"},
	{"policy on the caller", `{"read":{"roles":[],"policy":{"combinator":"or","rules":[{"property":"owner","operator":"=","value":{"context":"user","property":"$identifier"}},{"property":{"context":"user","property":"port_role"},"operator":"=","value":"Moderator"}]}}}`, "", "free", everybody, ""},
	{"a policy counts only for whom nothing else admits", `{"read":{"roles":[],"teams":["core"],"policy":{"combinator":"and","rules":[{"property":"lang","operator":"=","value":"rust"}]}}}`, everybody, "free", "free", "free"},
	{"no policy beside ownership", `{"read":{"roles":[],"ownedByTeam":true,"policy":{"combinator":"and","rules":[]}}}`, "mine shared", "", "", "theirs shared"},
	{"creating is reading", `{"read":{"roles":[]},"register":{"teams":["core"]}}`, everybody, "", "", ""},
	{"changing is reading", `{"read":{"roles":[]},"update":{"users":["guest@x.io"]}}`, "", everybody, "", ""},
	{"deleting is reading", `{"read":{"roles":[]},"unregister":{"roles":["Member"]}}`, everybody, everybody, everybody, everybody},
	{"changing what is owned is reading it", `{"read":{"roles":[]},"update":{"ownedByTeam":true}}`, "mine shared", "", "", "theirs shared"},
	{"deleting what is owned is reading it", `{"read":{"roles":[]},"unregister":{"ownedByTeam":true}}`, "mine shared", "", "", "theirs shared"},
	{"creating what is owned is not reading it", `{"read":{"roles":[]},"register":{"ownedByTeam":true}}`, "", "", "", ""},
	{"policies of other rights are not reading", `{"read":{"roles":[]},"update":{"policy":{"combinator":"and","rules":[]}}}`, "", "", "", ""},
	{"owned, and a policy", `{"read":{"roles":[],"policy":{"combinator":"and","rules":[{"property":"lang","operator":"=","value":"rust"}]}},"unregister":{"ownedByTeam":true}}`, "mine shared free", "free", "free", "theirs shared free"},
}

// readRoutes are the ways to entities of svc; each answers which ones it shows.
var readRoutes = map[string]func(*reading) []string{
	"GET one": func(r *reading) []string {
		return r.each(func(id string) portaltest.Answer { return r.get("/v1/blueprints/svc/entities/" + id) })
	},
	"list":           func(r *reading) []string { return identifiers(r.ok(r.get("/v1/blueprints/svc/entities"))) },
	"catalog search": func(r *reading) []string { return identifiers(r.post("/v1/entities/search", onlySvc)) },
	"blueprint search": func(r *reading) []string {
		return identifiers(r.post("/v1/blueprints/svc/entities/search", `{}`))
	},
	"pages of one": func(r *reading) (out []string) {
		body := `{"limit":1}`
		for range 9 {
			page := r.post("/v1/blueprints/svc/entities/search", body)
			out = append(out, identifiers(page)...)
			next, more := page["next"].(string)
			if !more {
				break
			}
			body = fmt.Sprintf(`{"limit":1,"from":%q}`, next)
		}
		return out
	},
	"top search": func(r *reading) []string {
		return identifiers(r.post("/v1/blueprints/svc/entities/top-search", `{"sort":[{"property":"n","order":"desc"}]}`))
	},
	"groups": func(r *reading) (out []string) {
		for _, g := range jsonv.List(r.post("/v1/blueprints/svc/entities/top-search", `{"groupBy":{"property":"n"}}`), "groups") {
			n, _ := jsonv.Get(g, "value")
			out = append(out, summed(n)...)
		}
		return out
	},
	"aggregate": func(r *reading) []string {
		return summed(r.post("/v1/entities/aggregate", `{"func":"sum","property":"n","query":`+onlySvc+`}`)["result"])
	},
	"aggregate over time": func(r *reading) []string {
		answer := r.post("/v1/entities/aggregate-over-time", `{"blueprint":"svc","timeRange":{"preset":"today"},"timeInterval":"day","query":{"combinator":"and","rules":[]},"measureTimeBy":"$createdAt","aggregationType":"aggregatePropertiesValues","func":"sum","properties":["n"]}`)
		n, _ := jsonv.Get(answer, "result", "data", "0", "n")
		return summed(n)
	},
	"history": func(r *reading) []string {
		return r.each(func(id string) portaltest.Answer {
			return r.portal.CallAs(r.token, http.MethodPost, "/v1/entities/properties-history", decoded(r.t, `{"blueprintIdentifier":"svc","entityIdentifier":"`+id+`","propertyNames":["n"],"timeInterval":"day","timeRange":{"preset":"today","timeZone":"UTC"}}`))
		})
	},
	"by data source": func(r *reading) []string {
		answer := r.post("/v1/blueprints/entities/datasource-entities", `{"datasource_prefix":"exporter/","datasource_suffix":"svc","limit":100}`)
		return identifiers(answer)
	},
	"global search": func(r *reading) (out []string) {
		for _, e := range jsonv.List(r.ok(r.get("/v1/search?index=properties&q=svc")), "results") {
			if jsonv.String(e, "blueprint") == "svc" {
				out = append(out, jsonv.String(e, "identifier"))
			}
		}
		return out
	},
	"related": func(r *reading) []string {
		return identifiers(r.post("/v1/blueprints/svc/entities/search", `{"query":{"combinator":"and","rules":[{"operator":"relatedTo","blueprint":"bag","value":"all","direction":"upstream"}]}}`))
	},
	"path": func(r *reading) []string {
		return identifiers(r.post("/v1/entities/search", `{"combinator":"and","rules":[{"property":{"path":["svcs"],"fromBlueprint":"bag"},"operator":"matchAny","value":"all"}]}`))
	},
	"titles of relations": func(r *reading) (out []string) {
		answer := r.ok(r.get("/v1/blueprints/bag/entities/all?attach_title_to_relation=true"))
		list := jsonv.List(answer, "entity", "relations", "svcs")
		if len(list) != len(readNames) {
			r.t.Errorf("a relation leads to %d entities", len(list))
		}
		for _, e := range list {
			if title, _ := jsonv.Get(e, "title"); title != nil {
				out = append(out, jsonv.String(e, "identifier"))
			}
		}
		return out
	},
	"mirror": func(r *reading) (out []string) {
		for _, n := range jsonv.List(r.ok(r.get("/v1/blueprints/bag/entities/all")), "entity", "properties", "ns") {
			out = append(out, summed(n)...)
		}
		return out
	},
	"calculation over a mirror": func(r *reading) []string {
		n, _ := jsonv.Get(r.ok(r.get("/v1/blueprints/bag/entities/all")), "entity", "properties", "added")
		return summed(n)
	},
	"records": func(r *reading) (out []string) {
		for _, id := range readNames {
			if len(jsonv.List(r.ok(r.get("/v1/audit-log?entity="+id)), "audits")) > 0 {
				out = append(out, id)
			}
		}
		return out
	},
}

const onlySvc = `{"combinator":"and","rules":[{"property":"$blueprint","operator":"=","value":"svc"}]}`

// reading is a portal as one caller reads it.
type reading struct {
	t      *testing.T
	portal *portaltest.Portal
	token  string
}

func (r *reading) get(path string) portaltest.Answer {
	return r.portal.CallAs(r.token, http.MethodGet, path, nil)
}

func (r *reading) ok(a portaltest.Answer) jsonv.Object {
	r.t.Helper()
	if a.Status != http.StatusOK {
		r.t.Errorf("%d %s", a.Status, a.Text)
	}
	return a.Body
}

func (r *reading) post(path, body string) jsonv.Object {
	r.t.Helper()
	return r.ok(r.portal.CallAs(r.token, http.MethodPost, path, decoded(r.t, body)))
}

// each lists the entities that a request finds; others are 404s.
func (r *reading) each(ask func(id string) portaltest.Answer) (out []string) {
	r.t.Helper()
	for _, id := range readNames {
		switch a := ask(id); {
		case a.Status == http.StatusOK:
			out = append(out, id)
		case a.Status != http.StatusNotFound || jsonv.String(a.Body, "error") != "not_found":
			r.t.Errorf("%s: %d %s", id, a.Status, a.Text)
		}
	}
	return out
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	v, err := jsonv.Decode([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func identifiers(answer jsonv.Object) (out []string) {
	for _, e := range jsonv.List(answer, "entities") {
		out = append(out, jsonv.String(e, "identifier"))
	}
	return out
}

// summed names the entities whose n add up to a number.
func summed(n any) (out []string) {
	text := plain(n)
	for i, name := range readNames {
		if at := len(text) - 1 - i; at >= 0 && text[at] == '1' {
			out = append(out, name)
		}
	}
	return out
}

// rows: id §7.3 28.
func TestEveryReadingRouteShowsWhatPermissionsAdmit(t *testing.T) {
	t.Parallel()
	for _, c := range readCases {
		for _, storage := range pgtest.Stores() {
			t.Run(c.name+"/"+storage, func(t *testing.T) {
				t.Parallel()
				p := readPortal(t, storage)
				p.Must(http.MethodPatch, "/v1/blueprints/svc/permissions", decoded(t, `{"entities":`+c.permissions+`}`))
				sees := map[string]string{"MEM": c.mem, "guest": c.guest, "MX": c.mx, "SA": c.sa}
				for name, user := range readers {
					want, ok := sees[name]
					if !ok {
						want = everybody
					}
					r := &reading{t, p, p.Token()}
					if user.Email != "" {
						r.token = p.As(user)
					}
					for route, read := range readRoutes {
						got := read(r)
						slices.SortFunc(got, func(a, b string) int { return slices.Index(readNames, a) - slices.Index(readNames, b) })
						if text := strings.Join(got, " "); text != want {
							t.Errorf("%s by %s: %q, want %q", route, name, text, want)
						}
					}
					for path, body := range map[string]string{"search/count": `{}`, "top-search": `{"countOnly":true}`} {
						if n := plain(r.post("/v1/blueprints/svc/entities/"+path, body)["count"]); n != fmt.Sprint(len(strings.Fields(want))) {
							t.Errorf("%s by %s: %s, want %q", path, name, n, want)
						}
					}
					if n := plain(r.ok(r.get("/v1/blueprints/svc/entities-count"))["count"]); n != fmt.Sprint(len(strings.Fields(want))) {
						t.Errorf("the count by %s is %s, want %q", name, n, want)
					}
					// Of all related entities, whoever reads it.
					if n, _ := jsonv.Get(r.ok(r.get("/v1/blueprints/bag/entities/all")), "entity", "properties", "sum"); plain(n) != "1111" {
						t.Errorf("the aggregation by %s is %s", name, plain(n))
					}
				}
			})
		}
	}
}

func readPortal(t *testing.T, storage string) *portaltest.Portal {
	t.Helper()
	o := portaltest.Options{Seed: readSeed}
	switch storage {
	case "sqlite":
		o.DataFile = filepath.Join(t.TempDir(), "portal.db")
	case "postgres":
		o.DatabaseURL = pgtest.URL(t)
	}
	p := portaltest.Start(t, o)
	p.Advance(time.Minute)
	for i, id := range readNames {
		// Written once more, with the header of an exporter.
		body := strings.NewReader(fmt.Sprintf(`{"properties":{"n":%s}}`, "1"+strings.Repeat("0", i)))
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, portaltest.Embedded+"/v1/blueprints/svc/entities/"+id, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("User-Agent", "exporter/1/svc")
		resp, err := p.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if _ = resp.Body.Close(); resp.StatusCode != http.StatusOK {
			t.Fatal(resp.Status)
		}
	}
	return p
}
