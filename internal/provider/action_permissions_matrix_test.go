package provider

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

const somePolicy = `{"queries":{"q":{"combinator":"and","rules":[{"property":"$blueprint","operator":"=","value":"service"}]}},"conditions":[".results.q.entities | length < 3"]}`

// permissions writes a configuration of permissions.
func (d draw) permissions(action string) string {
	policies := quoted([]string{somePolicy, "", `{ "conditions": [ "true" ], "queries": {"a": {"rules": [ ],"combinator":"or"}} }`})
	block := func(also ...string) string {
		return joined(append(also, d.field("users", []string{`[]`, `["B@x.io", "a@X.io"]`, `["a@x.io", "A@x.io"]`}), d.field("roles", []string{`[]`, `["Member", "Admin"]`, `["service-moderator"]`}),
			d.field("teams", []string{`[]`, `["b", "a"]`}), d.field("policy", policies))...)
	}
	return joined(`"action_identifier": "`+action+`"`, d.field("blueprint_identifier", []string{`""`}), d.field("on_destroy", []string{`"keep"`, `"restore"`}),
		`"permissions": {"execute": `+block(d.field("owned_by_team", []string{`true`, `false`}))+`, "approve": `+block()+`}`)
}

// executable is a portal with an action to permit.
func executable(t *testing.T) (*portaltest.Portal, life) {
	t.Helper()
	p := portaltest.Start(t)
	p.Must(http.MethodPost, "/v1/actions", decoded(t, `{"identifier": "scale", "invocationMethod": {"type": "KAFKA"}, "trigger": {"type": "self-service", "operation": "CREATE", "userInputs": {"properties": {}}}}`))
	return p, life{connect(t, p), kindOf(t, "action_permissions")}
}

const scalePermissions = "/v1/actions/scale/permissions"

// Permissions in any spelling apply, plan empty, refresh to what they were, and
// plan empty after an import; nothing of them is ever sent twice.
func TestRandomActionPermissionsConverge(t *testing.T) {
	t.Parallel()
	p, l := executable(t)
	state := l.k.null
	for seed := range rounds(40, 1000) {
		text := draw{rand.New(rand.NewPCG(uint64(seed), 11))}.permissions("scale") //nolint:gosec // not a secret
		c := config(t, l.k, text)
		var err error
		complain := func(when string, err error) {
			if err != nil {
				t.Fatalf("seed %d: %s: %v\n%s", seed, when, err, text)
			}
		}
		state, err = l.apply(c, state)
		complain("apply", err)
		complain("after the apply", l.settled(c, state))
		fresh, _ := l.read(l.k, state)
		if diffs, err := state.Diff(fresh); err != nil || len(diffs) > 0 {
			t.Fatalf("seed %d: the refresh changes the state: %v %s\n%s", seed, err, innermost(diffs), text)
		}
		imported, _ := l.read(l.k, l.k.stateOf([]string{"scale"}))
		p.Forget()
		filled, err := l.apply(c, imported)
		complain("after an import", err)
		complain("after an import", l.settled(c, filled))
		for _, r := range p.Requests() {
			if r.Method == http.MethodPatch {
				t.Fatalf("seed %d: an import sends permissions again\n%s", seed, text)
			}
		}
	}
}

// Each thing that somebody changes by hand shows, and is put right at once; what
// means the same does not show.
func TestActionPermissionsDriftShows(t *testing.T) {
	t.Parallel()
	p, l := executable(t)
	c := config(t, l.k, `{"action_identifier": "scale", "permissions": {
	  "execute": {"users": ["Ann@x.io"], "roles": ["Admin", "Member"], "teams": ["core"], "owned_by_team": false, "policy": `+string(jsonv.Encode(somePolicy))+`},
	  "approve": {"users": ["bob@x.io"], "roles": ["Admin"], "teams": ["ops"], "policy": `+string(jsonv.Encode(somePolicy))+`}}}`)
	state, err := l.apply(c, l.k.null)
	if err != nil {
		t.Fatal(err)
	}
	held := jsonv.Map(p.Must(http.MethodGet, scalePermissions, nil), "permissions")
	for patch, shows := range map[string]bool{
		`{"execute": {"users": []}}`: true, `{"execute": {"users": ["eve@x.io"]}}`: true, `{"execute": {"users": ["ann@x.io", "eve@x.io"]}}`: true,
		`{"execute": {"roles": ["Admin"]}}`: true, `{"execute": {"teams": []}}`: true, `{"execute": {"ownedByTeam": true}}`: true, `{"execute": {"policy": null}}`: true,
		`{"execute": {"policy": {"queries": {"q": {"combinator": "or", "rules": []}}, "conditions": ["true"]}}}`: true,
		`{"approve": {"users": []}}`: true, `{"approve": {"roles": []}}`: true, `{"approve": {"roles": ["admin"]}}`: true, `{"approve": {"teams": ["core", "ops"]}}`: true, `{"approve": {"policy": null}}`: true,
		`{"execute": {"users": ["ANN@X.IO"], "roles": ["Member", "Admin"]}, "approve": {"users": ["bob@x.io", "Bob@x.io"]}}`: false,
	} {
		p.Must(http.MethodPatch, scalePermissions, decoded(t, patch))
		fresh, _ := l.read(l.k, state)
		if err := l.settled(c, fresh); (err != nil) != shows {
			t.Errorf("%s: shows: %v", patch, err)
		}
		if state, err = l.apply(c, fresh); err != nil {
			t.Fatalf("%s: %v", patch, err)
		}
		if diff := cmp.Diff(held, jsonv.Map(p.Must(http.MethodGet, scalePermissions, nil), "permissions")); shows && diff != "" {
			t.Errorf("%s: is not put right: %s", patch, diff)
		}
		p.Must(http.MethodPatch, scalePermissions, held)
	}
}

// Permissions come a little after their action: writes wait for them, and only
// where the action is new.
func TestActionPermissionsWaitForTheirAction(t *testing.T) {
	t.Parallel()
	p, l := executable(t)
	c := config(t, l.k, `{"action_identifier": "young", "permissions": {"execute": {}, "approve": {}}}`)
	missing := portaltest.Failure{Status: http.StatusNotFound, Code: "not_found", Message: "no permissions yet"}
	match := portaltest.Match{Path: "/v1/actions/young/permissions"}
	action := life{l.protocol, kindOf(t, "action")}
	if _, err := action.apply(config(t, action.k, `{"identifier": "young", "kafka_method": {}, "self_service_trigger": {"operation": "CREATE"}}`), action.k.null); err != nil {
		t.Fatal(err)
	}
	p.Fail(match, 2, missing)
	if _, err := l.apply(c, l.k.null); err != nil {
		t.Errorf("new permissions: %v", err)
	}
	// What is not there, and not about to be, is said at once and in words.
	p.Forget()
	_, err := l.apply(config(t, l.k, `{"action_identifier": "nothing", "permissions": {"execute": {}, "approve": {}}}`), l.k.null)
	if err == nil || !strings.Contains(err.Error(), "There is no action nothing") || !strings.Contains(err.Error(), "port_action.<name>.identifier") {
		t.Errorf("permissions of nothing: %v", err)
	}
	asked := 0
	for _, r := range p.Requests() {
		if strings.HasSuffix(r.Path, "/nothing/permissions") {
			asked++
		}
	}
	if asked > 3 {
		t.Errorf("asked %d times", asked)
	}
}

// States of the official provider, and of before identifiers were unique, plan
// empty.
func TestOfficialStatesOfActionPermissionsPlanEmpty(t *testing.T) {
	t.Parallel()
	p, l := executable(t)
	const empty = `"users": [], "roles": [], "teams": []`
	first := p.Must(http.MethodGet, scalePermissions, nil)
	for name, c := range map[string]struct{ config, state, remote string }{
		"bare": {
			`{"execute": {}, "approve": {}}`, `{"execute": {` + empty + `, "owned_by_team": true, "policy": null}, "approve": {` + empty + `, "policy": null}}`, `{}`,
		},
		"full": {
			`{"execute": {"roles": ["Member", "Admin"], "users": ["A@x.io"], "owned_by_team": false, "policy": ` + string(jsonv.Encode(somePolicy)) + `}, "approve": {"teams": ["b", "a"]}}`,
			`{"execute": {"users": ["A@x.io"], "roles": ["Admin", "Member"], "teams": [], "owned_by_team": false, "policy": "{\"conditions\":[\".results.q.entities | length \\u003c 3\"],\"queries\":{\"q\":{\"combinator\":\"and\",\"rules\":[{\"operator\":\"=\",\"property\":\"$blueprint\",\"value\":\"service\"}]}}}"},
			  "approve": {"users": [], "roles": [], "teams": ["a", "b"], "policy": null}}`,
			`{"execute": {"users": ["A@x.io"], "roles": ["Admin", "Member"], "policy": ` + somePolicy + `, "ownedByTeam": false}, "approve": {"teams": ["a", "b"]}}`,
		},
		"blank policy": {`{"execute": {"policy": ""}, "approve": {}}`, `{"execute": {` + empty + `, "owned_by_team": true, "policy": null}, "approve": {` + empty + `, "policy": null}}`, `{}`},
	} {
		p.Must(http.MethodPatch, scalePermissions, decoded(t, `{"execute": {"users": [], "roles": [], "teams": [], "ownedByTeam": true, "policy": null}, "approve": {"users": [], "roles": [], "teams": [], "policy": null}}`))
		p.Must(http.MethodPatch, scalePermissions, decoded(t, c.remote))
		state := config(t, l.k, `{"id": "scale", "action_identifier": "scale", "blueprint_identifier": null, "permissions": `+c.state+`}`)
		fresh, _ := l.read(l.k, state)
		// on_destroy is this provider's own.
		if diffs, err := with(state, lens.Obj{"on_destroy": lens.Str(onDestroyRestore)}).Diff(fresh); err != nil || len(diffs) > 0 {
			t.Errorf("%s: the refresh changes the official state: %v %s", name, err, innermost(diffs))
		}
		if err := l.settled(config(t, l.k, `{"action_identifier": "scale", "permissions": `+c.config+`}`), fresh); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, said := l.force(l.k.null, fresh, l.k.null); len(said) > 0 {
			t.Errorf("%s: %s", name, say(said))
		}
		// What was there before is not known: it goes back to what a new action has.
		if left := p.Must(http.MethodGet, scalePermissions, nil); !jsonv.Equal(left, first) {
			t.Errorf("%s: destroying leaves %s", name, jsonv.Encode(left))
		}
	}
	p.Must(http.MethodPost, "/v1/actions", decoded(t, `{"identifier": "svc_run", "invocationMethod": {"type": "KAFKA"}, "trigger": {"type": "self-service", "operation": "CREATE", "userInputs": {"properties": {}}}}`))
	old := config(t, l.k, `{"id": "run", "action_identifier": "run", "blueprint_identifier": "svc", "permissions": {"execute": {`+empty+`, "owned_by_team": false}, "approve": {`+empty+`}}}`)
	fresh, _ := l.read(l.k, old)
	m := lens.AsObj(fresh)
	if !m["action_identifier"].Equal(lens.Str("svc_run")) || !m["blueprint_identifier"].IsNull() || !m["id"].Equal(lens.Str("svc_run")) {
		t.Errorf("a state of before: %s %s %s", m["action_identifier"], m["blueprint_identifier"], m["id"])
	}
}

// What Port refuses is said at the attribute, and found before where it can be.
func TestActionPermissionsFaultsPointAtTheAttribute(t *testing.T) {
	t.Parallel()
	_, l := executable(t)
	policy := func(text string) string { return `"policy": ` + string(jsonv.Encode(text)) }
	for name, c := range map[string]struct{ execute, at, says string }{
		"no object":            {policy(`[]`), "policy", "JSON object"},
		"no JSON":              {policy(`{`), "policy", "line 1"},
		"no queries":           {policy(`{"conditions": ["true"]}`), "policy", "at least one query"},
		"no conditions":        {policy(`{"queries": {"q": {"combinator": "and", "rules": []}}, "conditions": []}`), "policy", "at least one condition"},
		"condition of nothing": {policy(`{"queries": {"q": {"combinator": "and", "rules": []}}, "conditions": ["true", ""]}`), "policy", "condition 2"},
		"query without rules":  {policy(`{"queries": {"q": {"combinator": "and"}}, "conditions": ["true"]}`), "policy", `query "q"`},
		"query of a list":      {policy(`{"queries": {"q": []}, "conditions": ["true"]}`), "policy", "want an object"},
		"combinator":           {policy(`{"queries": {"q": {"combinator": "xor", "rules": []}}, "conditions": ["true"]}`), "policy", `"xor"`},
		"another key":          {policy(`{"queries": {"q": {"combinator": "and", "rules": []}}, "conditions": ["true"], "rules": []}`), "policy", `no "rules"`},
	} {
		v := config(t, l.k, `{"action_identifier": "scale", "permissions": {"execute": {`+c.execute+`}, "approve": {}}}`)
		found := l.validate(v)
		if len(found) == 0 || lens.PathString(found[0].Attribute) != "permissions.execute."+c.at || !strings.Contains(found[0].Detail, c.says) {
			t.Errorf("%s: %s", name, say(found))
		}
		// What gets past the plan because it was not known then: Port says the same
		// place.
		if strings.Contains(c.says, "JSON") || c.says == "line 1" {
			continue
		}
		planned := config(t, l.k, `{"id": "scale", "action_identifier": "scale", "on_destroy": "restore", "permissions": {"execute": {"users": [], "roles": [], "teams": [], "owned_by_team": true, `+c.execute+`}, "approve": {"users": [], "roles": [], "teams": []}}}`)
		_, said := l.force(v, l.k.null, planned)
		if len(said) != 1 || lens.PathString(said[0].Attribute) != "permissions.execute."+c.at {
			t.Errorf("%s: Port's fault is not at the attribute: %s", name, say(said))
		}
	}
	for name, c := range map[string]string{
		"role":      `"roles": ["Owner"]`,
		"condition": policy(`{"queries": {"q": {"combinator": "and", "rules": []}}, "conditions": [".a ="]}`),
		"template":  policy(`{"queries": {"q": {"combinator": "and", "rules": [{"value": "{{ .a = }}"}]}}, "conditions": ["true"]}`),
	} {
		found := l.validate(config(t, l.k, `{"action_identifier": "scale", "permissions": {"execute": {`+c+`}, "approve": {}}}`))
		if len(found) != 1 || faultsOf(found) != "" {
			t.Errorf("%s: want one warning: %s", name, say(found))
		}
	}
}
