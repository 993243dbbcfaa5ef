package access_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

const org = "org_1"

var begin = time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC)

// world is an organization with a catalog, teams and users.
type world struct {
	t       testing.TB
	store   store.Store
	catalog *catalog.Catalog
	access  *access.Access
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, store: store.NewMemory(catalog.Indexes())}
	t.Cleanup(func() { _ = w.store.Close() })
	ids, now := ident.Seeded(1), clock.NewFake(begin)
	w.access = access.New(access.Deps{Clock: now, IDs: ids})
	w.catalog = catalog.New(catalog.Deps{Clock: now, IDs: ids, Follower: w.access})
	w.access.Join(w.catalog, people{})
	return w
}

// people knows one account and one team of a directory.
type people struct{}

func (people) Account(_ store.Tx, _, email string) (jsonv.Object, error) {
	if email != "ann@x.io" {
		return nil, nil
	}
	return jsonv.Object{"picture": "https://x.io/ann.png", "phoneNumber": "1", "providers": []any{"github"}}, nil
}

func (people) Provider(_ store.Tx, _, team string) (string, error) {
	if team == "ops" {
		return "okta", nil
	}
	return "port", nil
}

func (w *world) update(f func(tx store.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) view(f func(tx store.Tx) error) {
	w.t.Helper()
	if err := w.store.View(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) actor() catalog.Actor { return catalog.Actor{Org: org, ID: "machine"} }

func (w *world) blueprint(text string) {
	w.t.Helper()
	w.update(func(tx store.Tx) error {
		_, err := w.catalog.CreateBlueprint(w.t.Context(), tx, w.actor(), decode(w.t, text))
		return err
	})
}

func (w *world) entity(blueprint, text string) {
	w.t.Helper()
	w.update(func(tx store.Tx) error {
		_, _, err := w.catalog.CreateEntity(w.t.Context(), tx, w.actor(), blueprint, decode(w.t, text), catalog.WriteOptions{})
		return err
	})
}

func (w *world) user(email, role, team string) *access.User {
	w.t.Helper()
	w.entity("_user", `{"identifier": "`+email+`", "title": "`+strings.ToUpper(email[:1])+email[1:strings.Index(email, "@")]+` B", "team": [`+team+`],
		"properties": {"status": "Active", "port_role": "`+role+`", "port_type": "Standard"}}`)
	u := &access.User{ID: "auth0|" + email, Email: email, Role: role}
	for id := range strings.SplitSeq(team, ",") {
		if id = strings.Trim(id, `" `); id != "" {
			u.Teams = append(u.Teams, id)
		}
	}
	return u
}

// permit changes the permissions of the action "scale".
func (w *world) permit(body string) error {
	w.t.Helper()
	return w.store.Update(w.t.Context(), func(tx store.Tx) error {
		_, err := w.access.PatchActionPermissions(tx, w.actor(), "scale", decode(w.t, body))
		return err
	})
}

func (w *world) mustPermit(body string) {
	w.t.Helper()
	if err := w.permit(body); err != nil {
		w.t.Fatal(err)
	}
}

func decode(t testing.TB, text string) any {
	t.Helper()
	v, err := jsonv.Decode([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func object(t testing.TB, text string) jsonv.Object {
	t.Helper()
	o, ok := decode(t, text).(jsonv.Object)
	if !ok {
		t.Fatalf("%s is no object", text)
	}
	return o
}

func by(u *access.User) access.Subject {
	if u == nil {
		return access.Subject{Org: org, ID: "client"}
	}
	return access.Subject{Org: org, ID: u.ID, User: u}
}

// run is an execution of "scale" by somebody.
func run(t testing.TB, u *access.User) access.Execution {
	return access.Execution{
		Executor: by(u), Origin: "UI", At: begin,
		Action: object(t, `{"identifier": "scale", "title": "Scale", "trigger": {"type": "self-service", "operation": "DAY-2", "blueprintIdentifier": "service"}}`),
		Inputs: object(t, `{"name": "cart", "n": 3}`),
	}
}

// status is 0 for what is allowed.
func status(t testing.TB, err error) int {
	t.Helper()
	var f *fault.Fault
	switch {
	case err == nil:
		return 0
	case errors.As(err, &f):
		return f.Status
	}
	t.Fatal(err)
	return 0
}

func detailsOf(t *testing.T, err error) jsonv.Object {
	t.Helper()
	var f *fault.Fault
	if !errors.As(err, &f) {
		t.Fatal(err)
	}
	return f.Details
}

var optionsNone catalog.WriteOptions
