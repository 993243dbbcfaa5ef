package portapi

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// actionScript serves actions a0 to an-1, and list for the list of them.
func actionScript(n int, list step) *script {
	return &script{react: func(r sent) (step, bool) {
		switch id, one := strings.CutPrefix(r.path, "/v1/actions/"); {
		case r.method != http.MethodGet:
			return step{status: 200, body: `{"ok":true}`}, true
		case !one:
			return list, true
		default:
			for i := range n {
				if id == fmt.Sprintf("a%d", i) {
					return step{status: 200, body: `{"ok":true,"action":` + actionText(i) + `}`}, true
				}
			}
			return step{status: 404, body: `{"ok":false,"error":"not_found","message":"no such action"}`}, true
		}
	}}
}

func actionText(i int) string {
	return fmt.Sprintf(`{"identifier":"a%d","title":"A%d","trigger":{"type":"self-service"},"invocationMethod":{"type":"KAFKA"}}`, i, i)
}

func actionList(n int) step {
	var all []string
	for i := range n {
		all = append(all, actionText(i))
	}
	return step{status: 200, body: `{"ok":true,"actions":[` + strings.Join(all, ",") + `]}`}
}

// readActions reads actions a0 to an, the last of which is gone, ten at a time.
func readActions(t *testing.T, c *Client, n int) map[string]string {
	t.Helper()
	out := map[string]string{}
	var mu sync.Mutex
	for from := 0; from <= n; from += 10 {
		var wg sync.WaitGroup
		for i := from; i <= min(from+9, n); i++ {
			wg.Go(func() {
				id := fmt.Sprintf("a%d", i)
				action, err := c.ReadAction(t.Context(), id)
				got := "missing"
				if !IsNotFound(err) {
					got = fmt.Sprint(action, err)
				}
				mu.Lock()
				defer mu.Unlock()
				out[id] = got
			})
		}
		wg.Wait()
	}
	return out
}

func actionRequests(s *script) map[string]int {
	count := map[string]int{}
	for _, r := range s.got {
		if r.method != http.MethodGet {
			continue
		}
		if _, one := strings.CutPrefix(r.path, "/v1/actions/"); one {
			count["one"]++
		} else if r.path == "/v1/actions" {
			count["list"]++
		}
	}
	return count
}

// What reads give does not depend on how they are merged, nor on what the list
// leaves out or shows in part.
func TestManyActionsAreReadOutOfTheList(t *testing.T) {
	t.Parallel()
	want := readActions(t, client(t, Options{Transport: actionScript(100, actionList(100)), Batch: BatchOff}), 100)
	for name, c := range map[string]struct {
		list step
		want map[string]int
	}{
		"whole":           {actionList(100), map[string]int{"one": 11, "list": 1}},
		"short":           {actionList(60), map[string]int{"one": 51, "list": 1}},
		"without methods": {step{status: 200, body: strings.ReplaceAll(actionList(100).body, `"invocationMethod"`, `"method"`)}, map[string]int{"one": 101, "list": 1}},
		"refused":         {step{status: 403, body: `{"ok":false,"error":"forbidden","message":"no"}`}, map[string]int{"one": 101, "list": 1}},
		"of no actions":   {step{status: 200, body: `{"ok":true,"actions":[1]}`}, map[string]int{"one": 101, "list": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := actionScript(100, c.list)
				if diff := cmp.Diff(want, readActions(t, client(t, Options{Transport: s}), 100)); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(c.want, actionRequests(s)); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// Actions are read anew after a write that may concern them: those of entities do
// not, those of blueprints may rename what an action is about.
func TestActionsAreReadAnewAfterAWrite(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path []string
		want map[string]int
	}{
		"action":    {[]string{"actions", "x"}, map[string]int{"one": 2, "list": 2}},
		"blueprint": {[]string{"blueprints", "x"}, map[string]int{"one": 2, "list": 2}},
		"entity":    {[]string{"blueprints", "x", "entities", "e"}, map[string]int{"one": 1, "list": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := actionScript(2, actionList(2))
			api := client(t, Options{Transport: s, Batch: BatchForced})
			read := func() {
				t.Helper()
				for range 2 {
					action, err := api.ReadAction(t.Context(), "a1")
					if err != nil || text(action, "title") != "A1" {
						t.Fatalf("got %v, %v", action, err)
					}
					clear(action) // it is the caller's
				}
			}
			read()
			if _, err := api.Call(t.Context(), Op{Method: http.MethodPut, Path: c.path}); err != nil {
				t.Fatal(err)
			}
			read()
			if diff := cmp.Diff(c.want, actionRequests(s)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
