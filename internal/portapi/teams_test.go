package portapi

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// rosterScript serves teams t0 to tn-1; list answers for the list.
func rosterScript(n int, list func() step) *script {
	return &script{react: func(r sent) (step, bool) {
		path, _, _ := strings.Cut(r.path, "?")
		if path == "/v1/teams" && r.method == http.MethodGet {
			return list(), true
		}
		name, _ := url.PathUnescape(strings.TrimPrefix(path, "/v1/teams/"))
		for i := range n {
			if name == fmt.Sprintf("t%d", i) {
				return step{status: 200, body: fmt.Sprintf(`{"ok":true,"team":%s}`, teamText(i))}, true
			}
		}
		return step{status: 404, body: `{"ok":false,"error":"not_found","message":"no such team"}`}, true
	}}
}

func teamText(i int) string {
	return fmt.Sprintf(`{"name":"t%d","description":"d%d","users":[{"email":"u%d@x.io"}]}`, i, i, i)
}

func teamList(n int) step {
	var all []string
	for i := range n {
		all = append(all, teamText(i))
	}
	return step{status: 200, body: `{"ok":true,"teams":[` + strings.Join(all, ",") + `]}`}
}

// readTeams reads teams, ten at a time, and returns what each gave.
func readTeams(t *testing.T, c *Client, names []string) map[string]string {
	t.Helper()
	out := map[string]string{}
	var mu sync.Mutex
	for some := range slices.Chunk(names, 10) {
		var wg sync.WaitGroup
		for _, name := range some {
			wg.Go(func() {
				team, err := c.ReadTeam(t.Context(), name)
				got := "missing"
				if !IsNotFound(err) {
					got = fmt.Sprint(team, err)
				}
				mu.Lock()
				defer mu.Unlock()
				out[name] = got
			})
		}
		wg.Wait()
	}
	return out
}

// requested counts requests, all reads of single teams as one kind.
func requested(s *script) map[string]int {
	count := map[string]int{}
	for _, r := range s.got {
		path, _, _ := strings.Cut(r.path, "?")
		if strings.HasPrefix(path, "/v1/teams/") {
			path = "/v1/teams/*"
		}
		count[r.method+" "+path]++
	}
	return count
}

// What reads give does not depend on how they are merged, nor on what the list
// leaves out.
func TestManyTeamsAreReadOutOfTheList(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("t%d", i))
	}
	names = append(names, "gone")
	want := readTeams(t, client(t, Options{Transport: rosterScript(100, func() step { return teamList(100) }), Batch: BatchOff}), names)
	for name, c := range map[string]struct {
		list step
		want map[string]int
	}{
		"whole":         {teamList(100), map[string]int{"GET /v1/teams/*": 11, "GET /v1/teams": 1}},
		"short":         {teamList(60), map[string]int{"GET /v1/teams/*": 51, "GET /v1/teams": 1}},
		"without users": {step{status: 200, body: strings.ReplaceAll(teamList(100).body, `"users"`, `"others"`)}, map[string]int{"GET /v1/teams/*": 101, "GET /v1/teams": 1}},
		"refused":       {step{status: 404, body: `{"ok":false,"error":"not_found","message":"no such route"}`}, map[string]int{"GET /v1/teams/*": 101, "GET /v1/teams": 1}},
		"of no teams":   {step{status: 200, body: `{"ok":true,"teams":[1]}`}, map[string]int{"GET /v1/teams/*": 101, "GET /v1/teams": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := rosterScript(100, func() step { return c.list })
				if diff := cmp.Diff(want, readTeams(t, client(t, Options{Transport: s}), names)); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(c.want, requested(s)); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// A write of whatever kind ends what was known, since members are entities.
func TestTeamsAreReadAnewAfterAWrite(t *testing.T) {
	t.Parallel()
	for name, path := range map[string][]string{"team": {"teams", "x"}, "entity": {"blueprints", "_user", "entities", "u"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := rosterScript(1, func() step { return teamList(1) })
			inner := s.react
			s.react = func(r sent) (step, bool) {
				if r.method == http.MethodPatch {
					return step{status: 200, body: `{"ok":true}`}, true
				}
				return inner(r)
			}
			c := client(t, Options{Transport: s, Batch: BatchForced})
			read := func() {
				t.Helper()
				team, err := c.ReadTeam(t.Context(), "t0")
				if err != nil {
					t.Fatal(err)
				}
				maps.DeleteFunc(team, func(string, any) bool { return true }) // it is the caller's
			}
			for range 3 {
				read()
			}
			if _, err := c.Call(t.Context(), Op{Method: http.MethodPatch, Path: path, Repeat: RepeatSafe}); err != nil {
				t.Fatal(err)
			}
			read()
			read()
			want := map[string]int{"GET /v1/teams/*": 2, "GET /v1/teams": 2}
			got := requested(s)
			for key := range got {
				if strings.HasPrefix(key, http.MethodPatch) {
					delete(got, key)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if team, err := c.ReadTeam(t.Context(), "t0"); err != nil || text(team, "description") != "d0" {
				t.Errorf("got %v, %v", team, err)
			}
		})
	}
}
