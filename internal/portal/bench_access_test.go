package portal_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// ownedBench is a portal with services of which one team owns a hundred, another
// half of all, and every service inherits its owner a second time as a part.
func ownedBench(b *testing.B, storage string, size int) *bench {
	b.Helper()
	x := newBench(b, storage)
	x.portal.Seed(`{"blueprints":[
	 {"identifier":"owned","title":"Owned","ownership":{"type":"Direct"},"schema":{"properties":{"lang":{"type":"string"},"n":{"type":"number"}}}},
	 {"identifier":"part","title":"Part","ownership":{"type":"Inherited","path":"of"},"schema":{"properties":{"n":{"type":"number"}}},"relations":{"of":{"target":"owned"}}}],
	 "entities":[{"blueprint":"_team","identifier":"few","title":"Few"},{"blueprint":"_team","identifier":"half","title":"Half"}]}`)
	const batch = 1000
	for done := 0; done < size; done += batch {
		var owned, parts []string
		for n := done; n < min(done+batch, size); n++ {
			team := []string{}
			if n%(size/100) == 0 {
				team = append(team, `"few"`)
			}
			if n%2 == 0 {
				team = append(team, `"half"`)
			}
			owned = append(owned, fmt.Sprintf(`{"blueprint":"owned","identifier":"s%d","title":"Service %d","team":[%s],"properties":{"lang":%q,"n":%d}}`,
				n, n, strings.Join(team, ","), []string{"go", "rust", "java"}[n%3], n))
			if n < size/10 {
				parts = append(parts, fmt.Sprintf(`{"blueprint":"part","identifier":"p%d","properties":{"n":%d},"relations":{"of":"s%d"}}`, n, n, n))
			}
		}
		x.portal.Seed(`{"entities":[` + strings.Join(owned, ",") + `]}`)
		if len(parts) > 0 {
			x.portal.Seed(`{"entities":[` + strings.Join(parts, ",") + `]}`)
		}
	}
	for _, blueprint := range []string{"owned", "part"} {
		x.do(http.MethodPatch, "/v1/blueprints/"+blueprint+"/permissions", `{"entities":{"read":{"roles":["Admin"],"ownedByTeam":true}}}`, http.StatusOK)
	}
	return x
}

// callers are an administrator, who sees everything, and members of whom one owns a
// hundred of the services and another half of them.
func (x *bench) callers() map[string]string {
	return map[string]string{
		"admin": x.portal.As(portaltest.User{Email: "admin@x.io", Role: "Admin"}),
		"few":   x.portal.As(portaltest.User{Email: "few@x.io", Teams: []string{"few"}}),
		"half":  x.portal.As(portaltest.User{Email: "half@x.io", Teams: []string{"half"}}),
	}
}

// BenchmarkHTTPOwnedSearch measures searches under an ownership policy against the
// same search by an administrator. The policy is joined to the search: where it is
// the more selective one the index of owners answers, so that a member who owns few
// is answered faster than an administrator; where it is not, each entity that would
// be looked at costs one look at its teams more.
func BenchmarkHTTPOwnedSearch(b *testing.B) {
	const size = 100_000
	for _, storage := range []string{"memory", "sqlite"} {
		b.Run(storage, func(b *testing.B) {
			x := ownedBench(b, storage, size)
			for _, c := range []struct {
				name, path, body string
			}{
				{"page", "/v1/blueprints/owned/entities/search", `{"limit":50}`},
				{"equality", "/v1/blueprints/owned/entities/search", `{"query":{"combinator":"and","rules":[{"property":"n","operator":"=","value":50000}]}}`},
				{"contains", "/v1/blueprints/owned/entities/search", `{"query":{"combinator":"and","rules":[{"property":"$title","operator":"contains","value":"CE 5000"}]}}`},
				{"count", "/v1/blueprints/owned/entities/search/count", `{"query":{"combinator":"and","rules":[{"property":"lang","operator":"=","value":"go"}]}}`},
				{"inherited", "/v1/blueprints/part/entities/search", `{"limit":50}`},
				{"catalog", "/v1/entities/search", `{"combinator":"and","rules":[{"property":"n","operator":"=","value":50000}]}`},
			} {
				for name, token := range x.callers() {
					b.Run(c.name+"/"+name, func(b *testing.B) {
						x.b, x.token = b, token
						for range b.N {
							x.do(http.MethodPost, c.path, c.body, http.StatusOK)
						}
						b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "ms/search")
					})
				}
			}
		})
	}
}

// BenchmarkHTTPPermissionCheck measures what deciding who may read an entity adds to
// reading one: nothing for a machine, for users the look at who they are now, and
// for a member the permission document and, where it says so, the entity's teams.
func BenchmarkHTTPPermissionCheck(b *testing.B) {
	for _, storage := range []string{"memory", "sqlite"} {
		b.Run(storage, func(b *testing.B) {
			x := ownedBench(b, storage, 1000)
			tokens := x.callers()
			tokens["machine"] = x.portal.Token()
			x.token = tokens["machine"]
			x.portal.Seed(`{"blueprints":[{"identifier":"free","title":"Free","schema":{"properties":{}}}],"entities":[{"blueprint":"free","identifier":"s0"}]}`)
			for _, c := range []struct{ name, who, path string }{
				{"machine", "machine", "/v1/blueprints/owned/entities/s0"},
				{"admin", "admin", "/v1/blueprints/owned/entities/s0"},
				{"member by role", "few", "/v1/blueprints/free/entities/s0"},
				{"member by ownership", "few", "/v1/blueprints/owned/entities/s0"},
				{"member by inherited ownership", "few", "/v1/blueprints/part/entities/p0"},
			} {
				b.Run(c.name, func(b *testing.B) {
					x.b, x.token = b, tokens[c.who]
					for range b.N {
						x.do(http.MethodGet, c.path, "", http.StatusOK)
					}
				})
			}
		})
	}
}
