package access_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

const service = `{"identifier": "svc", "title": "S", "schema": {"properties": {"lang": {"type": "string"}}, "required": []}, "ownership": {"type": "Direct"}}`

func TestAPolicyThatIsNotUnderstoodAdmitsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.blueprint(service)
	member := w.user("m@x.io", access.RoleMember, "")
	w.update(func(tx store.Tx) error {
		// As another version of the server may have written it.
		blocks := jsonv.Object{}
		for _, verb := range []string{"read", "register", "update", "unregister"} {
			blocks[verb] = jsonv.Object{
				"users": []any{}, "roles": []any{}, "teams": []any{}, "ownedByTeam": false,
				"policy": jsonv.Object{"combinator": "and", "rules": []any{jsonv.Object{"property": "lang", "operator": "resembles", "value": "go"}}},
			}
		}
		blocks["updateProperties"], blocks["updateRelations"] = jsonv.Object{}, jsonv.Object{}
		return tx.Put(access.KindBlueprintPermissions, store.Doc{"entities": blocks, "$version": "1"}, org, "svc")
	})
	rights := w.access.Rights(org, member)
	w.view(func(tx store.Tx) error {
		for _, verb := range []catalog.Verb{catalog.VerbRead, catalog.VerbRegister, catalog.VerbUpdate, catalog.VerbUnregister} {
			g, err := rights.Entities(tx, "svc", verb)
			if err != nil {
				return err
			}
			if !g.None() {
				t.Errorf("%s: %v, want nothing", verb, g)
			}
		}
		return nil
	})
}

func TestAdministratorsAndMachinesAreNotAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, u := range []*access.User{nil, {Email: "root@x.io", Role: access.RoleAdmin}} {
		if r := w.access.Rights(org, u); r != nil {
			t.Errorf("the rights of %v are %v, want none to ask", u, r)
		}
	}
}

func TestChangesOfABlueprintsPermissionsAreRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.blueprint(service)
	patch := func(body string) {
		w.update(func(tx store.Tx) error {
			_, err := w.access.PatchBlueprint(tx, w.actor(), "svc", decode(t, body))
			return err
		})
	}
	patch(`{"entities": {"read": {"users": ["a@x.io"]}}}`)
	patch(`{"entities": {"read": {"users": ["a@x.io"]}}}`) // changes nothing
	var got []any
	w.view(func(tx store.Tx) error {
		for row, err := range tx.Scan(access.KindChange, nil, store.Page{}, org) {
			if err != nil {
				return err
			}
			before, _ := jsonv.Get(row.Doc, "before", "read", "users")
			after, _ := jsonv.Get(row.Doc, "after", "read", "users")
			got = append(got, jsonv.Object{
				"action": row.Doc["action"], "identifier": row.Doc["identifier"], "by": row.Doc["by"], "at": row.Doc["createdAt"], "before": before, "after": after,
			})
		}
		return nil
	})
	want := []any{jsonv.Object{
		"action": "UPDATE", "identifier": "svc", "by": "machine", "at": "2024-05-01T10:00:00.000Z", "before": []any{}, "after": []any{"a@x.io"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
