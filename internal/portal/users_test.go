package portal_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
	"github.com/portlens/terraform-provider-port/internal/portal/store/pgtest"
)

const userEntities = "/v1/blueprints/_user/entities"

// sameFaces compares what the two faces of every user say.
func sameFaces(t *testing.T, p *portaltest.Portal) {
	t.Helper()
	entities := map[string]jsonv.Object{}
	for _, e := range jsonv.List(p.Must(http.MethodGet, userEntities, nil), "entities") {
		entities[jsonv.String(e, "identifier")] = jsonv.Map(e)
	}
	users := jsonv.List(p.Must(http.MethodGet, "/v1/users", nil), "users")
	if len(users) != len(entities) {
		t.Errorf("%d users, %d entities", len(users), len(entities))
	}
	for _, u := range users {
		email := jsonv.String(u, "email")
		user, entity := jsonv.Map(p.Must(http.MethodGet, "/v1/users/"+email, nil), "user"), entities[email]
		roles := []any{}
		switch role, moderated := jsonv.String(entity, "properties", "port_role"), jsonv.List(entity, "properties", "moderated_blueprints"); {
		case role == "Moderator" && len(moderated) > 0:
			for _, id := range jsonv.Strings(moderated) {
				roles = append(roles, jsonv.Object{"name": id + "-moderator"})
			}
		case role == "Moderator":
			roles = append(roles, jsonv.Object{"name": "Member"})
		default:
			roles = append(roles, jsonv.Object{"name": role})
		}
		want := jsonv.Object{
			"email": email, "roles": roles, "teamsIdentifiers": entity["team"], "createdAt": entity["createdAt"], "updatedAt": entity["updatedAt"],
			"status": strings.ToUpper(jsonv.String(entity, "properties", "status")),
		}
		got := jsonv.Object{}
		for key := range want {
			got[key] = user[key]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-entity +user):\n%s", email, diff)
		}
		listed := jsonv.CloneObject(user)
		delete(listed, "teamsIdentifiers")
		if diff := cmp.Diff(listed, u); diff != "" {
			t.Errorf("%s (-single +listed):\n%s", email, diff)
		}
		title := strings.TrimSpace(jsonv.String(user, "firstName") + " " + jsonv.String(user, "lastName"))
		if title == "" {
			title = email
		}
		if title != jsonv.String(entity, "title") {
			t.Errorf("%s is called %q and %q", email, title, jsonv.String(entity, "title"))
		}
	}
}

func TestWritersOfBothFacesOfAUserLoseNothing(t *testing.T) {
	t.Parallel()
	for _, storage := range pgtest.Stores() {
		t.Run(storage, func(t *testing.T) {
			t.Parallel()
			a, b := twoPortals(t, storage)
			const rounds = 12
			properties := jsonv.Object{}
			for n := range rounds {
				properties[fmt.Sprintf("p%d", n)] = jsonv.Object{"type": "number"}
			}
			a.Must(http.MethodPatch, "/v1/blueprints/_user", jsonv.Object{"schema": jsonv.Object{"properties": properties}})
			for _, team := range []string{"red", "blue"} {
				a.Must(http.MethodPost, "/v1/blueprints/_team/entities", jsonv.Object{"identifier": team})
			}
			a.Must(http.MethodPost, userEntities, jsonv.Object{"identifier": "ann@x.io", "properties": jsonv.Object{"status": "Active"}})
			var writers sync.WaitGroup
			writers.Go(func() {
				for n := range rounds {
					body := jsonv.Object{"properties": jsonv.Object{fmt.Sprintf("p%d", n): jsonv.Int(n)}}
					a.Must(http.MethodPatch, userEntities+"/ann@x.io", body)
				}
			})
			writers.Go(func() {
				for n := range rounds {
					b.Must(http.MethodPatch, "/v1/users/ann@x.io", jsonv.Object{"teams": []any{[]string{"blue", "red"}[n%2]}})
				}
			})
			writers.Go(func() {
				for n := range rounds {
					b.Must(http.MethodPatch, "/v1/users/ann@x.io", jsonv.Object{"roles": []any{[]string{"Member", "Admin"}[n%2]}})
				}
			})
			writers.Wait()
			entity := jsonv.Map(b.Must(http.MethodGet, userEntities+"/ann@x.io", nil), "entity")
			want := jsonv.Object{"status": "Active", "port_role": "Admin", "port_type": "Standard"}
			for n := range rounds {
				want[fmt.Sprintf("p%d", n)] = jsonv.Int(n)
			}
			if diff := cmp.Diff(want, entity["properties"]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]any{"red"}, entity["team"]); diff != "" {
				t.Errorf("team (-want +got):\n%s", diff)
			}
			sameFaces(t, a)
			sameFaces(t, b)
		})
	}
}

func TestOneOfManyInvitationsOfOneAddressMakesTheUser(t *testing.T) {
	t.Parallel()
	for _, storage := range pgtest.Stores() {
		t.Run(storage, func(t *testing.T) {
			t.Parallel()
			a, b := twoPortals(t, storage)
			var mu sync.Mutex
			statuses := map[int]int{}
			var callers sync.WaitGroup
			for n := range 8 {
				callers.Go(func() {
					p := []*portaltest.Portal{a, b}[n%2]
					answer := p.Call(http.MethodPost, userEntities, jsonv.Object{
						"identifier": "Bot@serviceaccounts.getport.io", "properties": jsonv.Object{"port_type": "Service Account", "status": "Active"},
					})
					mu.Lock()
					defer mu.Unlock()
					statuses[answer.Status]++
					if told := jsonv.Map(answer.Body, "additionalData") != nil; told != (answer.Status == http.StatusCreated) {
						t.Errorf("%d tells credentials: %v", answer.Status, told)
					}
				})
			}
			callers.Wait()
			if diff := cmp.Diff(map[int]int{http.StatusCreated: 1, http.StatusConflict: 7}, statuses); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			sameFaces(t, a)
		})
	}
}

func TestUsersOfDataFromBeforeReadAndChangeLikeOthers(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	const email = "old@x.io"
	doc := store.Doc{
		"identifier": email, "blueprint": "_user", "title": "Old Hand", "team": []any{"gone"}, "properties": jsonv.Object{}, "relations": jsonv.Object{},
		"createdAt": "2023-01-01T00:00:00.000Z", "updatedAt": "2023-01-01T00:00:00.000Z", "createdBy": "x", "updatedBy": "x",
	}
	err := p.Store().Update(t.Context(), func(tx store.Tx) error {
		return tx.Put(catalog.KindEntity, doc, p.Organization(), "_user", email)
	})
	if err != nil {
		t.Fatal(err)
	}
	read := func() jsonv.Object {
		t.Helper()
		return jsonv.Map(p.Must(http.MethodGet, "/v1/users/"+email, nil), "user")
	}
	before := read()
	if before["status"] != "DISABLED" || before["type"] != "STANDARD" || before["firstName"] != "Old" || !strings.HasPrefix(jsonv.String(before, "id"), "auth0|") {
		t.Errorf("read as %v", before)
	}
	if got := p.Call(http.MethodPut, userEntities+"/"+email, jsonv.Object{"identifier": email, "properties": jsonv.Object{"status": "Active"}}); got.Status != 200 {
		t.Fatalf("changed: %d %s", got.Status, got.Text)
	}
	after := read()
	if after["status"] != "ACTIVE" || after["id"] != before["id"] {
		t.Errorf("after the change %v, before %v", after, before)
	}
	entity := jsonv.Map(p.Must(http.MethodGet, userEntities+"/"+email, nil), "entity")
	want := jsonv.Object{"status": "Active", "port_role": "Member", "port_type": "Standard"}
	if diff := cmp.Diff(want, entity["properties"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	p.Must(http.MethodDelete, "/v1/users/"+email, nil)
	if strings.Contains(p.Dump(), email) {
		t.Errorf("something of the user is left: %s", p.Dump())
	}
}

func TestADeletedUserLeavesNothingButRecordsBehind(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	const bot = "bot@serviceaccounts.getport.io"
	answer := p.Must(http.MethodPost, userEntities, jsonv.Object{"identifier": bot, "properties": jsonv.Object{"port_type": "Service Account", "status": "Active"}})
	secret := jsonv.String(answer, "additionalData", "credentials", "clientSecret")
	p.Must(http.MethodPost, "/v1/auth/access_token", jsonv.Map(answer, "additionalData", "credentials"))
	if secret == "" || strings.Contains(p.Dump(), secret) {
		t.Errorf("the secret stands in the data")
	}
	p.Must(http.MethodPatch, "/v1/blueprints/_team/permissions", jsonv.Object{"entities": jsonv.Object{"update": jsonv.Object{"users": []any{bot}}}})
	p.Must(http.MethodDelete, "/v1/users/"+bot, nil)
	if dump := p.Dump(); strings.Contains(dump, bot) {
		t.Errorf("something of the account is left: %s", dump)
	}
}

func TestMailThatFailsIsSentLaterAndNothingFailsWithIt(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	sent := func(want ...string) {
		t.Helper()
		var got []string
		for _, m := range p.Mail() {
			got = append(got, m.To)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
	}
	invite := func(email string, body jsonv.Object, status int) {
		t.Helper()
		body["email"] = email
		if got := p.Call(http.MethodPost, "/v1/users/invite", jsonv.Object{"invitee": body}); got.Status != status {
			t.Errorf("%s: %d %s", email, got.Status, got.Text)
		}
	}
	p.FailMail(errors.New("no line"))
	invite("a@x.io", jsonv.Object{}, 200)
	invite("b@x.io", jsonv.Object{}, 200)
	sent()
	invite("c@x.io", jsonv.Object{"teams": []any{"ghost"}}, 404)
	p.FailMail(nil)
	sent()
	p.Must(http.MethodPatch, "/v1/users/a@x.io", jsonv.Object{"roles": []any{"Admin"}})
	sent("a@x.io", "b@x.io")
	p.Must(http.MethodPatch, "/v1/users/a@x.io", jsonv.Object{"roles": []any{"Member"}})
	sent("a@x.io", "b@x.io")
}

func TestMailOfAPortalThatEndedIsSentByTheNext(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "portal.db")
	first := portaltest.Start(t, portaltest.Options{DataFile: file})
	first.FailMail(errors.New("no line"))
	first.Must(http.MethodPost, "/v1/users/invite", jsonv.Object{"invitee": jsonv.Object{"email": "a@x.io"}})
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	for n, want := range []int{1, 0} {
		next := portaltest.Start(t, portaltest.Options{DataFile: file})
		if got := next.Mail(); len(got) != want {
			t.Errorf("start %d sent %v, want %d", n+1, got, want)
		}
		outbox, err := next.Outbox(t.Context())
		if err != nil || len(outbox) != 1 || outbox[0].To != "a@x.io" || outbox[0].Kind != "invite" || outbox[0].Org != next.Organization() {
			t.Errorf("outbox %+v, %v", outbox, err)
		}
		if err := next.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMailIsALineOfTheLogUnlessSomebodySendsIt(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	p, err := portal.Open(t.Context(), portal.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	seed := `{"entities": [{"blueprint": "_user", "identifier": "a@x.io", "properties": {"status": "Invited"}}]}`
	if err := p.Seed(t.Context(), strings.NewReader(seed)); err != nil {
		t.Fatal(err)
	}
	if got := log.String(); strings.Count(got, "msg=mail") != 1 || !strings.Contains(got, "kind=invite to=a@x.io org="+p.Organization()) {
		t.Errorf("log: %s", got)
	}
}

func TestUsersBeginDisabledOrStagedAndNotOtherwise(t *testing.T) {
	t.Parallel()
	_, err := portal.Open(t.Context(), portal.Options{DefaultUserStatus: "Active"})
	if err == nil || !strings.Contains(err.Error(), "Active") {
		t.Errorf("Active: %v", err)
	}
}

// TestNamesOfUsersThatTheIdentityProviderManagesStay is the rule of
// reference/identity.md §8.2 for the one key of _user that it concerns.
func TestNamesOfUsersThatTheIdentityProviderManagesStay(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	const email = "ann@x.io"
	p.Must(http.MethodPost, userEntities, jsonv.Object{"identifier": email, "title": "Ann Bee"})
	err := p.Store().Update(t.Context(), func(tx store.Tx) error {
		doc, err := tx.Get(identity.KindAccount, p.Organization(), email)
		if err != nil {
			return err
		}
		doc = jsonv.CloneObject(doc)
		doc["managedByScim"] = true
		return tx.Put(identity.KindAccount, doc, p.Organization(), email)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, body string
		status     int
	}{
		{"a new name", `{"title": "Cher"}`, 409},
		{"the same name", `{"title": "Ann Bee"}`, 200},
		{"no name", `{"title": ""}`, 200},
		{"the name taken away", `{"title": null}`, 409},
		{"a new name and a new role", `{"title": "Cher", "properties": {"port_role": "Admin"}}`, 200},
		{"a new name and the same role", `{"title": "Cher", "properties": {"port_role": "Admin"}}`, 409},
		{"a new name and an icon", `{"title": "Cher", "icon": "User"}`, 200},
		{"a new name and the same icon", `{"title": "Cher", "icon": "User"}`, 409},
		{"a new name and no teams as before", `{"title": "Cher", "team": []}`, 409},
	} {
		body, err := jsonv.DecodeObject([]byte(c.body))
		if err != nil {
			t.Fatal(err)
		}
		got := p.Call(http.MethodPatch, userEntities+"/"+email, body)
		if got.Status != c.status || c.status == http.StatusConflict && jsonv.String(got.Body, "error") != "SCIM_CONFLICT" {
			t.Errorf("%s: %d %s", c.name, got.Status, got.Text)
		}
		if title := jsonv.String(p.Must(http.MethodGet, userEntities+"/"+email, nil), "entity", "title"); title != "Ann Bee" {
			t.Fatalf("%s: the name is %q", c.name, title)
		}
	}
}

func TestRandomWritesKeepBothFacesOfUsersTheSame(t *testing.T) {
	t.Parallel()
	rounds := 120
	if os.Getenv("PORT_LONG") != "" {
		rounds = 3000
	}
	p := portaltest.Start(t)
	for _, id := range []string{"svc", "job"} {
		p.Must(http.MethodPost, "/v1/blueprints", jsonv.Object{"identifier": id, "title": id, "schema": jsonv.Object{"properties": jsonv.Object{}}})
	}
	for _, id := range []string{"red", "blue"} {
		p.Must(http.MethodPost, "/v1/blueprints/_team/entities", jsonv.Object{"identifier": id})
	}
	r := rand.New(rand.NewPCG(7, 11)) //nolint:gosec // repeatable on purpose
	pick := func(from ...any) any { return from[r.IntN(len(from))] }
	some := func(from ...any) []any {
		return slices.DeleteFunc(slices.Clone(from), func(any) bool { return r.IntN(2) == 0 })
	}
	seen := map[int]int{}
	for n := range rounds {
		email := pick("a@x.io", "b@x.io", "C@x.io", "d@serviceaccounts.getport.io").(string)
		properties := jsonv.Object{}
		for _, key := range some("status", "port_role", "moderated_blueprints", "port_type") {
			switch key {
			case "status":
				properties["status"] = pick("Active", "ACTIVE", "Invited", "staged", "Disabled", "Gone")
			case "port_role":
				properties["port_role"] = pick("Admin", "Moderator", "Member")
			case "moderated_blueprints":
				properties["moderated_blueprints"] = some("svc", "job", "ghost")
			case "port_type":
				properties["port_type"] = pick("Standard", "Standard", "Service Account")
			}
		}
		body := jsonv.Object{"identifier": email, "properties": properties}
		if r.IntN(2) == 0 {
			body["title"] = pick("", "Ann", "Ann Bee", " Ann  Mary Bee ", email)
		}
		if r.IntN(2) == 0 {
			body["team"] = pick([]any{}, []any{"red"}, []any{"blue", "red"}, []any{"ghost"}, nil)
		}
		var answer portaltest.Answer
		switch r.IntN(8) {
		case 0:
			invitee := jsonv.Object{"email": email, "roles": some("Admin", "Member", "svc-moderator"), "teams": some("red", "blue")}
			answer = p.Call(http.MethodPost, "/v1/users/invite?notify="+pick("true", "false").(string), jsonv.Object{"invitee": invitee})
		case 1:
			answer = p.Call(http.MethodPatch, "/v1/users/"+email, jsonv.Object{"roles": some("Admin", "job-moderator", "svc-moderator"), "teams": some("red", "blue")})
		case 2:
			answer = p.Call(http.MethodDelete, pick("/v1/users/", userEntities+"/").(string)+email, nil)
		case 3:
			answer = p.Call(http.MethodPut, userEntities+"/"+email, body)
		case 4:
			answer = p.Call(http.MethodPatch, userEntities+"/"+email, body)
		case 5:
			answer = p.Call(http.MethodPost, userEntities+"/bulk?upsert=true&merge=true", jsonv.Object{"entities": []any{body}})
		default:
			answer = p.Call(http.MethodPost, userEntities+"?upsert=true", body)
		}
		if answer.Status >= 500 {
			t.Fatalf("round %d: %d %s", n, answer.Status, answer.Text)
		}
		seen[answer.Status]++
		if n%20 == 19 || n == rounds-1 {
			sameFaces(t, p)
		}
		if t.Failed() {
			t.Fatalf("round %d: %d %s", n, answer.Status, answer.Text)
		}
	}
	if seen[http.StatusOK] < rounds/8 || seen[http.StatusCreated] == 0 {
		t.Errorf("hardly anything succeeded: %v", seen)
	}
	accounts := 0
	err := p.Store().View(context.Background(), func(tx store.Tx) error {
		for row, err := range tx.Scan(identity.KindAccount, nil, store.Page{}, p.Organization()) {
			if err != nil {
				return err
			}
			accounts++
			if _, err := tx.Get(catalog.KindEntity, p.Organization(), "_user", row.Key[1]); err != nil {
				t.Errorf("%s has an account and no entity: %v", row.Key[1], err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if users := jsonv.List(p.Must(http.MethodGet, "/v1/users", nil), "users"); len(users) != accounts {
		t.Errorf("%d users, %d accounts", len(users), accounts)
	}
}
