package portal_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
	"github.com/portlens/terraform-provider-port/internal/portal/store/pgtest"
)

// Teams of data files of before have an entity and nothing else.
func TestATeamOfBeforeKeepsItsIDWhenItChanges(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t, portaltest.Options{DataFile: filepath.Join(t.TempDir(), "portal.db")})
	p.Must(http.MethodPost, "/v1/teams", jsonv.Object{"name": "Core"})
	err := p.Store().Update(t.Context(), func(tx store.Tx) error {
		return tx.Delete(identity.KindTeam, p.Organization(), "core")
	})
	if err != nil {
		t.Fatal(err)
	}
	id := func(name string) string {
		team := jsonv.Map(p.Must(http.MethodGet, "/v1/teams/"+name, nil), "team")
		if jsonv.String(team, "provider") != "port" || jsonv.String(team, "id") == "" {
			t.Fatalf("%v", team)
		}
		return jsonv.String(team, "id")
	}
	was := id("Core")
	p.Must(http.MethodPatch, "/v1/teams/Core", jsonv.Object{"name": "Kernel"})
	if is := id("Kernel"); is != was {
		t.Errorf("renamed, it has the id %s instead of %s", is, was)
	}
	p.Must(http.MethodPatch, "/v1/blueprints/_team/entities/core", jsonv.Object{"identifier": "kernel"})
	if is := id("Kernel"); is != was {
		t.Errorf("with another identifier it has the id %s instead of %s", is, was)
	}
}

// rows: id E4
func TestOfSeveralWhoTakeANameAtOnceOneGetsIt(t *testing.T) {
	t.Parallel()
	for _, storage := range pgtest.Stores() {
		t.Run(storage, func(t *testing.T) {
			t.Parallel()
			a, b := twoPortals(t, storage)
			for round := range 5 {
				name := fmt.Sprintf("Team %d", round)
				var mu sync.Mutex
				statuses := map[int]int{}
				var all sync.WaitGroup
				for n := range 6 {
					p := []*portaltest.Portal{a, b}[n%2]
					all.Go(func() {
						path, body, good := "/v1/teams", jsonv.Object{"name": name}, http.StatusOK
						if n >= 3 {
							path, good = "/v1/blueprints/_team/entities", http.StatusCreated
							body = jsonv.Object{"identifier": fmt.Sprintf("own_%d_%d", round, n), "title": name}
						}
						status := p.Call(http.MethodPost, path, body).Status
						if status == good {
							status = http.StatusOK
						}
						mu.Lock()
						defer mu.Unlock()
						statuses[status]++
					})
				}
				all.Wait()
				if diff := cmp.Diff(map[int]int{200: 1, 409: 5}, statuses); diff != "" {
					t.Error(diff)
				}
			}
			if teams := jsonv.List(a.Must(http.MethodGet, "/v1/teams", nil), "teams"); len(teams) != 5 {
				t.Errorf("there are %d teams", len(teams))
			}
		})
	}
}

// Members who join by several ways at once all are members in the end.
func TestMembersWhoJoinAtOnceAllAreMembers(t *testing.T) {
	t.Parallel()
	for _, storage := range pgtest.Stores() {
		t.Run(storage, func(t *testing.T) {
			t.Parallel()
			a, b := twoPortals(t, storage)
			a.Must(http.MethodPost, "/v1/blueprints/_user/entities", jsonv.Object{"identifier": "ann@x.io"})
			for n := range 4 {
				a.Must(http.MethodPost, "/v1/teams", jsonv.Object{"name": fmt.Sprintf("t%d", n)})
			}
			var all sync.WaitGroup
			for n := range 4 {
				p := []*portaltest.Portal{a, b}[n%2]
				all.Go(func() {
					if got := p.Call(http.MethodPatch, fmt.Sprintf("/v1/teams/t%d", n), jsonv.Object{"users": []any{"ann@x.io"}}); got.Status != http.StatusOK {
						t.Errorf("%d %s", got.Status, got.Text)
					}
				})
			}
			all.Wait()
			user := jsonv.Map(b.Must(http.MethodGet, "/v1/users/ann@x.io", nil), "user")
			if got := slices.Sorted(slices.Values(jsonv.Strings(user["teamsIdentifiers"]))); !slices.Equal(got, []string{"t0", "t1", "t2", "t3"}) {
				t.Errorf("the teams are %v", got)
			}
		})
	}
}

// teamModel is what teams are, written down as plainly as can be.
type teamModel struct {
	names    map[string]string              // by identifier
	provided map[string]bool                // by identifier
	members  map[string]map[string]struct{} // of a user, identifiers
}

// rows: id E2, id E4-7, id §3.2 1-6
func TestRandomWritesOfTeamsThroughAllFacesAgreeWithAModel(t *testing.T) {
	t.Parallel()
	seeds, steps := 3, 120
	if os.Getenv("PORT_LONG") != "" {
		seeds, steps = 20, 1500
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(seed), 7))
			p := portaltest.Start(t)
			users := []string{"a@x.io", "b@x.io", "c@x.io", "d@x.io"}
			m := &teamModel{names: map[string]string{}, provided: map[string]bool{}, members: map[string]map[string]struct{}{}}
			for _, email := range users {
				p.Must(http.MethodPost, "/v1/blueprints/_user/entities", jsonv.Object{"identifier": email, "properties": jsonv.Object{"status": "Active"}})
				m.members[email] = map[string]struct{}{}
			}
			for range steps {
				m.step(t, p, r, users)
				m.compare(t, p, users)
				if t.Failed() {
					return
				}
			}
		})
	}
}

// step does one write and says what must come of it.
func (m *teamModel) step(t *testing.T, p *portaltest.Portal, r *rand.Rand, users []string) {
	t.Helper()
	titles := []string{"alpha", "beta", "gamma", "delta", "eps"}
	title := titles[r.IntN(len(titles))]
	some := func(from []string) []string {
		out := slices.DeleteFunc(slices.Clone(from), func(string) bool { return r.IntN(2) == 0 })
		return slices.Compact(out)
	}
	want := func(got portaltest.Answer, status int, what string) {
		t.Helper()
		if got.Status != status {
			t.Errorf("%s: %d, want %d: %s", what, got.Status, status, got.Text)
		}
	}
	ids := slices.Sorted(maps.Keys(m.names))
	team := ""
	if len(ids) > 0 {
		team = ids[r.IntN(len(ids))]
	}
	switch kind := r.IntN(7); {
	case kind == 0:
		m.create(t, p, title, some(users), want)
	case kind == 1:
		email := users[r.IntN(len(users))]
		groups := some([]string{"beta", "sso one", "sso two"})
		if _, err := p.Login(t.Context(), identity.Login{Email: email, Provider: "okta", Groups: append([]string{}, groups...)}); err != nil {
			t.Errorf("login: %v", err)
		}
		m.login(email, groups)
	case team == "":
	case kind == 2:
		status := http.StatusOK
		switch other := m.byName(title); {
		case other == team:
		case m.provided[team]:
			status = http.StatusForbidden
		case other != "":
			status = http.StatusConflict
		}
		path, body := "/v1/teams/"+url.PathEscape(m.names[team]), jsonv.Object{"name": title}
		if r.IntN(2) == 0 {
			path, body = "/v1/blueprints/_team/entities/"+team, jsonv.Object{"title": title}
		}
		want(p.Call(http.MethodPatch, path, body), status, "rename "+path+" to "+title)
		if status == http.StatusOK {
			m.names[team] = title
		}
	case kind == 3:
		status := http.StatusOK
		if m.provided[team] {
			status = http.StatusForbidden
		}
		path := "/v1/teams/" + url.PathEscape(m.names[team])
		if r.IntN(2) == 0 {
			path = "/v1/blueprints/_team/entities/" + team
		}
		want(p.Call(http.MethodDelete, path, nil), status, "delete "+path)
		if status == http.StatusOK {
			delete(m.names, team)
			for _, of := range m.members {
				delete(of, team)
			}
		}
	case kind == 4:
		chosen := some(users)
		status := http.StatusOK
		if m.provided[team] && !slices.Equal(chosen, m.of(team, users)) {
			status = http.StatusForbidden
		}
		want(p.Call(http.MethodPatch, "/v1/teams/"+url.PathEscape(m.names[team]), jsonv.Object{"users": jsonv.FromStrings(chosen)}), status, "members of "+team)
		if status == http.StatusOK {
			m.set(team, users, chosen)
		}
	default:
		m.assign(p, users[r.IntN(len(users))], some(ids), r.IntN(2) == 0, want)
	}
}

func (m *teamModel) create(t *testing.T, p *portaltest.Portal, title string, chosen []string, want func(portaltest.Answer, int, string)) {
	t.Helper()
	status := http.StatusOK
	if m.byName(title) != "" {
		status = http.StatusConflict
	}
	want(p.Call(http.MethodPost, "/v1/teams", jsonv.Object{"name": title, "users": jsonv.FromStrings(chosen)}), status, "create "+title)
	if status != http.StatusOK {
		return
	}
	id := m.free(title)
	m.names[id], m.provided[id] = title, false
	for _, email := range chosen {
		m.members[email][id] = struct{}{}
	}
}

// assign gives a user other teams, by the entity or by the route of users.
func (m *teamModel) assign(p *portaltest.Portal, email string, chosen []string, byEntity bool, want func(portaltest.Answer, int, string)) {
	status := http.StatusOK
	is := map[string]struct{}{}
	for _, id := range chosen {
		is[id] = struct{}{}
	}
	for id := range m.names {
		_, before := m.members[email][id]
		_, after := is[id]
		switch {
		case before == after || !m.provided[id]:
		case len(chosen) == 0:
			is[id] = struct{}{} // an empty list is about Port's own teams
		default:
			status = http.StatusForbidden
		}
	}
	path, body := "/v1/users/"+email, jsonv.Object{"teams": jsonv.FromStrings(chosen)}
	if byEntity {
		path, body = "/v1/blueprints/_user/entities/"+email, jsonv.Object{"team": jsonv.FromStrings(chosen)}
	}
	want(p.Call(http.MethodPatch, path, body), status, fmt.Sprintf("%s: %v", path, chosen))
	if status == http.StatusOK {
		m.members[email] = is
	}
}

func (m *teamModel) login(email string, groups []string) {
	is := map[string]struct{}{}
	for id := range m.members[email] {
		if !m.provided[id] {
			is[id] = struct{}{}
		}
	}
	for _, name := range groups {
		id := m.byName(name)
		if id == "" {
			id = m.free(name)
			m.names[id], m.provided[id] = name, true
		}
		if m.provided[id] {
			is[id] = struct{}{}
		}
	}
	m.members[email] = is
}

func (m *teamModel) byName(name string) string {
	for id, other := range m.names {
		if other == name {
			return id
		}
	}
	return ""
}

// free is the identifier that the next team of a name gets.
func (m *teamModel) free(name string) string {
	base := strings.ReplaceAll(name, " ", "_")
	id := base
	for n := 2; ; n++ {
		if _, taken := m.names[id]; !taken {
			return id
		}
		id = fmt.Sprintf("%s_%d", base, n)
	}
}

func (m *teamModel) of(team string, users []string) (out []string) {
	for _, email := range users {
		if _, ok := m.members[email][team]; ok {
			out = append(out, email)
		}
	}
	return out
}

func (m *teamModel) set(team string, users, chosen []string) {
	for _, email := range users {
		delete(m.members[email], team)
		if slices.Contains(chosen, email) {
			m.members[email][team] = struct{}{}
		}
	}
}

// compare looks at every face of every team.
func (m *teamModel) compare(t *testing.T, p *portaltest.Portal, users []string) {
	t.Helper()
	want, got := map[string]string{}, map[string]string{}
	for id, name := range m.names {
		provider := "port"
		if m.provided[id] {
			provider = "okta"
		}
		members := m.of(id, users)
		want["team "+name] = fmt.Sprint(provider, members)
		want["entity "+id] = fmt.Sprint(name, len(members))
	}
	for _, email := range users {
		want["user "+email] = fmt.Sprint(slices.Sorted(maps.Keys(m.members[email])))
	}
	for _, team := range jsonv.List(p.Must(http.MethodGet, "/v1/teams", nil), "teams") {
		members := []string{}
		for _, user := range jsonv.List(team, "users") {
			members = append(members, jsonv.String(user, "email"))
		}
		got["team "+jsonv.String(team, "name")] = fmt.Sprint(jsonv.String(team, "provider"), members)
	}
	for _, e := range jsonv.List(p.Must(http.MethodGet, "/v1/blueprints/_team/entities", nil), "entities") {
		size, _ := jsonv.Get(e, "properties", "size")
		got["entity "+jsonv.String(e, "identifier")] = fmt.Sprint(jsonv.String(e, "title"), size)
	}
	for _, e := range jsonv.List(p.Must(http.MethodGet, "/v1/blueprints/_user/entities", nil), "entities") {
		got["user "+jsonv.String(e, "identifier")] = fmt.Sprint(slices.Sorted(slices.Values(jsonv.Strings(jsonv.List(e, "team")))))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
