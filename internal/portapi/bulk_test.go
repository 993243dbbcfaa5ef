package portapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// called are the identifiers of each bulk call, in order.
func called(t testing.TB, s *script) [][]string {
	t.Helper()
	var out [][]string
	for _, r := range s.got {
		out = append(out, listed(t, r))
	}
	return out
}

func listed(t testing.TB, r sent) []string {
	t.Helper()
	body, err := jsonv.DecodeObject([]byte(r.body))
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, e := range jsonv.List(body, "entities") {
		if id, ok := e.(string); ok {
			ids = append(ids, id)
			continue
		}
		ids = append(ids, jsonv.String(e, "identifier"))
	}
	return ids
}

func entitiesNamed(ids ...string) []jsonv.Object {
	var out []jsonv.Object
	for _, id := range ids {
		out = append(out, jsonv.Object{"identifier": id})
	}
	return out
}

func TestABulkUpsertSaysWhatBecameOfEachEntity(t *testing.T) {
	t.Parallel()
	s := &script{steps: []step{answered(207, `{"ok":true,
	  "entities":[{"identifier":"c","index":2,"created":true},{"identifier":"a","created":false}],
	  "errors":[{"identifier":"b","index":1,"statusCode":422,"error":"blueprint_schema_mismatch","message":"/properties/x is wrong"}]}`)}}
	c := client(t, Options{Transport: s})
	items, err := c.UpsertEntities(context.Background(), "a/b", entitiesNamed("a", "b", "c", "d"), url.Values{"upsert": {"true"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.got[0].path; got != "/v1/blueprints/a%2Fb/entities/bulk?upsert=true" {
		t.Errorf("path %s", got)
	}
	want := []BulkItem{
		{Done: true},
		{Done: true, Err: &Fault{
			Status: 422, Code: "blueprint_schema_mismatch", Message: "/properties/x is wrong",
			Method: "POST", Path: "/v1/blueprints/a%2Fb/entities/bulk?upsert=true", RequestID: "trace-1",
		}},
		{Done: true, Created: true},
	}
	if diff := cmp.Diff(want, items[:3], cmp.AllowUnexported(Fault{})); diff != "" {
		t.Error(diff)
	}
	if last := items[3]; !last.Done || last.Err == nil || !strings.Contains(last.Err.Error(), "does not say") {
		t.Errorf("the entity the answer forgot: %+v", last)
	}
}

// A refusal of the whole call for its size or for one entity's shape costs no
// other entity.
func TestARefusedBulkUpsertIsDivided(t *testing.T) {
	t.Parallel()
	refuse := func(status int, bad func(ids []string) string) func(sent) (step, bool) {
		return func(r sent) (step, bool) {
			ids := listed(t, r)
			if body := bad(ids); body != "" {
				return answered(status, body), true
			}
			var done []string
			for i, id := range ids {
				done = append(done, fmt.Sprintf(`{"identifier":%q,"index":%d,"created":true}`, id, i))
			}
			return answered(200, `{"ok":true,"entities":[`+strings.Join(done, ",")+`],"errors":[]}`), true
		}
	}
	for name, c := range map[string]struct {
		react func(sent) (step, bool)
		calls [][]string
		wrong string // the text of b's error, "" for none
	}{
		"too large": {
			refuse(413, func(ids []string) string {
				if len(ids) > 1 {
					return `{"ok":false,"error":"payload_too_large","message":"too large"}`
				}
				return ""
			}), [][]string{{"a", "b", "c", "d"}, {"a", "b"}, {"a"}, {"b"}, {"c", "d"}, {"c"}, {"d"}}, "",
		},
		"one named": {
			refuse(422, func(ids []string) string {
				if i := slices.Index(ids, "b"); i >= 0 {
					return fmt.Sprintf(`{"ok":false,"error":"invalid_request","message":"x","details":{"errors":[{"path":"/entities/%d/title","message":"want a string"}]}}`, i)
				}
				return ""
			}), [][]string{{"a", "b", "c", "d"}, {"a", "c", "d"}}, "/title want a string",
		},
		"one unnamed": {
			refuse(422, func(ids []string) string {
				if slices.Contains(ids, "b") {
					return `{"ok":false,"error":"invalid_request","message":"something is wrong"}`
				}
				return ""
			}), [][]string{{"a", "b", "c", "d"}, {"a", "b"}, {"a"}, {"b"}, {"c", "d"}}, "something is wrong",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &script{react: c.react}
			items, err := client(t, Options{Transport: s}).UpsertEntities(context.Background(), "bp", entitiesNamed("a", "b", "c", "d"), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.calls, called(t, s)); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			for i, item := range items {
				bad := i == 1 && c.wrong != ""
				if !item.Done || (item.Err != nil) != bad {
					t.Errorf("item %d: %+v", i, item)
				}
				if f, ok := AsFault(item.Err); bad && (!ok || f.Message != c.wrong) {
					t.Errorf("item %d: %v, want %q", i, item.Err, c.wrong)
				}
			}
		})
	}
}

// What concerns the whole is one error, and nothing more is sent.
func TestABulkUpsertStopsAtWhatConcernsTheWhole(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403, 404, 400} {
		s := &script{steps: []step{answered(status, `{"ok":false,"error":"e","message":"m"}`)}}
		items, err := client(t, Options{Transport: s, Token: "t"}).UpsertEntities(context.Background(), "bp", entitiesNamed("a", "b"), nil)
		if f, ok := AsFault(err); !ok || f.Status != status || items[0].Done || s.count() != 1 {
			t.Errorf("%d: %v, %+v, %d calls", status, err, items, s.count())
		}
	}
}

// Whether a lost answer may be asked for again depends on what a second call does.
func TestABulkUpsertIsRepeatedOnlyWhereItIsSafe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		query    url.Values
		entities []jsonv.Object
		calls    int
	}{
		"upsert":            {url.Values{"upsert": {"true"}}, entitiesNamed("a"), 2},
		"create":            {nil, entitiesNamed("a"), 1},
		"upsert of no name": {url.Values{"upsert": {"true"}}, []jsonv.Object{{"title": "x"}}, 1},
	} {
		s := &script{steps: []step{answered(500, `{"ok":false,"error":"internal_error","message":"m"}`)}}
		if _, err := client(t, Options{Transport: s, Attempts: 2}).UpsertEntities(context.Background(), "bp", c.entities, c.query); err == nil {
			t.Errorf("%s: no error", name)
		}
		if s.count() != c.calls {
			t.Errorf("%s: %d calls, want %d", name, s.count(), c.calls)
		}
	}
}

// Only what really cannot go stays, at the price of a few calls.
func TestABulkDeletionLeavesOnlyWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		message string // with %s for the blocked identifier
		calls   [][]string
	}{
		"named":   {`entity "%s" is required by someone`, [][]string{{"a", "b", "c", "d"}, {"c"}, {"a", "b", "d"}}},
		"unnamed": {`someone%.0s requires one of them`, [][]string{{"a", "b", "c", "d"}, {"a", "b"}, {"c", "d"}, {"c"}, {"d"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &script{react: func(r sent) (step, bool) {
				if slices.Contains(listed(t, r), "c") {
					return answered(403, string(jsonv.Encode(jsonv.Object{"ok": false, "error": "has_dependents", "message": fmt.Sprintf(c.message, "c")}))), true
				}
				return answered(200, `{"ok":true,"deletedEntities":[]}`), true
			}}
			stay, err := client(t, Options{Transport: s}).DeleteEntities(context.Background(), "bp", []string{"a", "b", "c", "d"}, nil)
			if err != nil || len(stay) != 1 || !HasCode(stay["c"], "has_dependents") {
				t.Errorf("stay %v, error %v", stay, err)
			}
			if diff := cmp.Diff(c.calls, called(t, s)); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}

func TestABulkDeletionOfWhatIsGoneSucceeds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		message string
		calls   int
	}{
		"the blueprint":             {`Blueprint with identifier "bp" was not found`, 1},
		"entities, to some servers": {`Entity with identifier "a" was not found`, 3},
	} {
		body := string(jsonv.Encode(jsonv.Object{"ok": false, "error": "not_found", "message": c.message}))
		s := &script{steps: []step{answered(http.StatusNotFound, body)}}
		stay, err := client(t, Options{Transport: s}).DeleteEntities(context.Background(), "bp", []string{"a", "b"}, nil)
		if err != nil || len(stay) > 0 || s.count() != c.calls {
			t.Errorf("%s: stay %v, error %v, %d calls", name, stay, err, s.count())
		}
	}
	s := &script{steps: []step{answered(http.StatusNotFound, `{"ok":false,"error":"not_found","message":"Run with identifier \"r\" was not found"}`)}}
	if _, err := client(t, Options{Transport: s}).DeleteEntities(context.Background(), "bp", []string{"a"}, nil); !IsNotFound(err) {
		t.Errorf("a run that is missing: %v", err)
	}
}

// Entities are found by their identifiers, a thousand in a request, or page by
// page where the server does not take long lists.
func TestFindEntitiesAsksForAThousandAtATime(t *testing.T) {
	t.Parallel()
	var ids []string
	for i := range 2500 {
		ids = append(ids, fmt.Sprintf("e%04d", i))
	}
	for _, takesLists := range []bool{true, false} {
		s := &script{react: func(r sent) (step, bool) {
			body, err := jsonv.DecodeObject([]byte(r.body))
			if err != nil {
				t.Error(err)
			}
			var wanted []string
			next := ""
			switch rules := jsonv.List(body, "query", "rules"); {
			case len(rules) > 0 && !takesLists:
				return answered(422, `{"ok":false,"error":"invalid_request","message":"too many values"}`), true
			case len(rules) > 0:
				in, _ := jsonv.Get(rules[0], "value")
				wanted = jsonv.Strings(in)
			case jsonv.String(body, "from") == "":
				wanted, next = append([]string{"other"}, ids[:1000]...), "more"
			default:
				wanted = ids[1000:]
			}
			var out []any
			for _, id := range wanted {
				if id != "e0007" {
					out = append(out, jsonv.Object{"identifier": id})
				}
			}
			return answered(200, string(jsonv.Encode(jsonv.Object{"ok": true, "entities": out, "next": next}))), true
		}}
		found, err := client(t, Options{Transport: s}).FindEntities(context.Background(), "bp", ids)
		if err != nil || len(found) != 2499 || found["e0007"] != nil || found["other"] != nil || found["e2499"] == nil {
			t.Errorf("lists %v: found %d, error %v", takesLists, len(found), err)
		}
		if takesLists && s.count() != 3 {
			t.Errorf("%d requests", s.count())
		}
	}
}

func TestFindEntitiesFailsAsItsSearchesDo(t *testing.T) {
	t.Parallel()
	s := &script{steps: []step{answered(404, `{"ok":false,"error":"not_found","message":"Blueprint with identifier \"bp\" was not found"}`)}}
	if _, err := client(t, Options{Transport: s}).FindEntities(context.Background(), "bp", []string{"a"}); !IsNotFound(err) {
		t.Errorf("%v", err)
	}
}
