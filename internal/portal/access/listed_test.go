package access_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

const initialAction = `{
	"execute": {"users": [], "roles": ["Admin", "Member"], "teams": [], "ownedByTeam": false, "policy": null},
	"approve": {"users": [], "roles": ["Admin"], "teams": [], "policy": null}}`

const policy = `{"queries": {"q": {"combinator": "and", "rules": []}}, "conditions": ["true"]}`

// actionPermissions reads the document of "scale".
func (w *world) actionPermissions() (doc jsonv.Object) {
	w.t.Helper()
	w.view(func(tx store.Tx) (err error) {
		doc, err = w.access.ActionPermissions(tx, org, "scale")
		return err
	})
	return doc
}

func TestPermissionsOfAnActionChangeByTheKeysThatAreGiven(t *testing.T) {
	t.Parallel()
	// A patch on the initial document, and what is other than initial afterwards.
	for name, c := range map[string]struct{ patch, differs string }{
		"nothing":              {`{}`, `{}`},
		"empty blocks":         {`{"execute": {}, "approve": {}}`, `{}`},
		"one list":             {`{"execute": {"users": ["a@x.io"]}}`, `{"execute": {"users": ["a@x.io"]}}`},
		"a list emptied":       {`{"execute": {"roles": []}}`, `{"execute": {"roles": []}}`},
		"lists are sorted":     {`{"approve": {"teams": ["b", "a", "B", "a"]}}`, `{"approve": {"teams": ["B", "a", "b"]}}`},
		"null keeps a list":    {`{"execute": {"roles": null, "users": ["a@x.io"]}}`, `{"execute": {"users": ["a@x.io"]}}`},
		"null keeps a boolean": {`{"execute": {"ownedByTeam": null}}`, `{}`},
		"owned":                {`{"execute": {"ownedByTeam": true}}`, `{"execute": {"ownedByTeam": true}}`},
		"unknown names":        {`{"execute": {"users": ["nobody"], "roles": ["admin", "x-Moderator"], "teams": ["ghost"]}}`, `{"execute": {"users": ["nobody"], "roles": ["admin", "x-Moderator"], "teams": ["ghost"]}}`},
		"a policy":             {`{"execute": {"policy": ` + policy + `}}`, `{"execute": {"policy": ` + policy + `}}`},
		"policies of both":     {`{"execute": {"policy": ` + policy + `}, "approve": {"policy": ` + policy + `}}`, `{"execute": {"policy": ` + policy + `}, "approve": {"policy": ` + policy + `}}`},
		"a condition that is no jq": {
			`{"execute": {"policy": {"queries": {"q": {"combinator": "or", "rules": [{"property": "x", "operator": "~", "value": 1}]}}, "conditions": [".a |"]}}}`,
			`{"execute": {"policy": {"queries": {"q": {"combinator": "or", "rules": [{"property": "x", "operator": "~", "value": 1}]}}, "conditions": [".a |"]}}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.mustPermit(c.patch)
			want := jsonv.MergePatch(decode(t, initialAction), decode(t, c.differs))
			// A merge patch cannot say null; the document does.
			for _, block := range []string{"execute", "approve"} {
				b := jsonv.Map(want, block)
				if _, ok := b["policy"]; !ok {
					b["policy"] = nil
				}
			}
			if diff := cmp.Diff(want, any(w.actionPermissions())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestANullPolicyTakesThePolicyAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustPermit(`{"execute": {"policy": ` + policy + `}, "approve": {"policy": ` + policy + `, "users": ["a@x.io"]}}`)
	w.mustPermit(`{"execute": {"policy": null}}`)
	doc := w.actionPermissions()
	if jsonv.Map(doc, "execute", "policy") != nil || jsonv.Map(doc, "approve", "policy") == nil {
		t.Errorf("got %s", jsonv.Encode(doc))
	}
	w.mustPermit(`{"approve": {"policy": null}}`)
	if got := w.actionPermissions(); jsonv.Map(got, "approve", "policy") != nil || len(jsonv.List(got, "approve", "users")) != 1 {
		t.Errorf("got %s", jsonv.Encode(got))
	}
}

func TestPermissionsOfAnActionRefuseWhatTheyAreNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for body, paths := range map[string][]string{
		`null`:                                 {""},
		`[]`:                                   {""},
		`{"read": {}}`:                         {"/read"},
		`{"execute": null}`:                    {"/execute"},
		`{"execute": {"x": 1}, "y": 2}`:        {"/execute/x", "/y"},
		`{"approve": {"ownedByTeam": true}}`:   {"/approve/ownedByTeam"},
		`{"execute": {"ownedByTeam": "true"}}`: {"/execute/ownedByTeam"},
		`{"execute": {"users": "a@x.io", "roles": [1], "teams": {}}}`:                                                {"/execute/roles/0", "/execute/teams", "/execute/users"},
		`{"execute": {"policy": {}}}`:                                                                                {"/execute/policy/conditions", "/execute/policy/queries"},
		`{"execute": {"policy": "x"}}`:                                                                               {"/execute/policy"},
		`{"execute": {"policy": {"queries": {}, "conditions": []}}}`:                                                 {"/execute/policy/conditions", "/execute/policy/queries"},
		`{"execute": {"policy": {"queries": [], "conditions": {}}}}`:                                                 {"/execute/policy/conditions", "/execute/policy/queries"},
		`{"execute": {"policy": {"queries": {"q": {}}, "conditions": [""], "z": 1}}}`:                                {"/execute/policy/conditions/0", "/execute/policy/queries/q/combinator", "/execute/policy/queries/q/rules", "/execute/policy/z"},
		`{"approve": {"policy": {"queries": {"q": {"combinator": "xor", "rules": {}, "k": 1}}, "conditions": [1]}}}`: {"/approve/policy/conditions/0", "/approve/policy/queries/q/combinator", "/approve/policy/queries/q/k", "/approve/policy/queries/q/rules"},
		`{"approve": {"policy": {"queries": {"q": {"combinator": "and", "rules": ["x"]}}, "conditions": ["."]}}}`:    {"/approve/policy/queries/q/rules/0"},
	} {
		err := w.permit(body)
		if got := status(t, err); got != 422 {
			t.Errorf("%s: status %d", body, got)
			continue
		}
		if diff := cmp.Diff(paths, pathsOf(t, err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
	if diff := cmp.Diff(decode(t, initialAction), any(w.actionPermissions())); diff != "" {
		t.Errorf("a refused body changed the document (-want +got):\n%s", diff)
	}
}

func TestPermissionsOfAnActionFollowIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustPermit(`{"execute": {"users": ["a@x.io"]}}`)
	w.update(func(tx store.Tx) error { return w.access.ActionRenamed(tx, org, "scale", "grow") })
	w.update(func(tx store.Tx) error { return w.access.ActionRenamed(tx, org, "none", "nothing") })
	w.view(func(tx store.Tx) error {
		doc, err := w.access.ActionPermissions(tx, org, "grow")
		if got := jsonv.Strings(jsonv.List(doc, "execute", "users")); !slices.Equal(got, []string{"a@x.io"}) {
			t.Errorf("after a rename the users are %v", got)
		}
		return err
	})
	if got := jsonv.List(w.actionPermissions(), "execute", "users"); len(got) != 0 {
		t.Errorf("the old name kept users %v", got)
	}
	w.update(func(tx store.Tx) error { return w.access.ActionDeleted(tx, org, "grow") })
	w.update(func(tx store.Tx) error { return w.access.ActionDeleted(tx, org, "grow") })
	w.view(func(tx store.Tx) error {
		doc, err := w.access.ActionPermissions(tx, org, "grow")
		if len(jsonv.List(doc, "execute", "users")) != 0 {
			t.Error("a deleted action left its permissions behind")
		}
		return err
	})
}

func TestWhoIsDeletedLeavesThePermissionsOfActionsAndPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustPermit(`{"execute": {"users": ["Ann@x.io", "b@x.io"], "teams": ["core", "ops"], "roles": ["Service-moderator", "Member"]},
		"approve": {"users": ["ann@x.io"], "policy": {"queries": {"q": {"combinator": "and", "rules": [{"property": "$team", "operator": "in", "value": ["core"]}]}}, "conditions": ["[\"ann@x.io\"]"]}}}`)
	w.update(func(tx store.Tx) error {
		_, err := w.access.PatchPagePermissions(tx, w.actor(), "home", decode(t, `{"read": {"users": ["ann@x.io"], "teams": ["core"], "roles": ["service-moderator"]}}`))
		return err
	})
	w.update(func(tx store.Tx) error { return w.access.Forget(tx, org, access.AssigneeUser, "ann@x.io") })
	w.update(func(tx store.Tx) error { return w.access.Renamed(tx, org, access.AssigneeTeam, "core", "base") })
	w.update(func(tx store.Tx) error { return w.access.Forget(tx, org, access.AssigneeTeam, "ops") })
	w.update(func(tx store.Tx) error { return w.access.BlueprintRenamed(tx, org, "service", "app") })
	want := decode(t, `{"execute": {"users": ["b@x.io"], "teams": ["base"], "roles": ["Member", "app-moderator"], "ownedByTeam": false, "policy": null},
		"approve": {"users": [], "roles": ["Admin"], "teams": [], "policy": {"queries": {"q": {"combinator": "and", "rules": [{"property": "$team", "operator": "in", "value": ["core"]}]}}, "conditions": ["[\"ann@x.io\"]"]}}}`)
	if diff := cmp.Diff(want, any(w.actionPermissions())); diff != "" {
		t.Errorf("action (-want +got):\n%s", diff)
	}
	w.update(func(tx store.Tx) error { return w.access.BlueprintDeleted(tx, org, "app") })
	w.view(func(tx store.Tx) error {
		doc, err := w.access.PagePermissions(tx, org, "home")
		want := decode(t, `{"read": {"users": [], "roles": [], "teams": ["base"]}, "update": {"users": [], "roles": ["Admin"], "teams": []}}`)
		if diff := cmp.Diff(want, any(doc)); diff != "" {
			t.Errorf("page (-want +got):\n%s", diff)
		}
		return err
	})
}

// pathsOf lists the places that a refusal names.
func pathsOf(t *testing.T, err error) []string {
	t.Helper()
	var out []string
	for _, e := range jsonv.List(detailsOf(t, err), "errors") {
		out = append(out, jsonv.String(e, "path"))
	}
	return out
}
