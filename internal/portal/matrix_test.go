package portal_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// matrixRow is an operation and who may do it; see testdata/matrix.yaml.
type matrixRow struct {
	Row  int      `yaml:"row"`
	Do   string   `yaml:"do"`
	Body any      `yaml:"body"`
	Want []string `yaml:"want"`
}

const matrixGiven = `{"blueprints":[
 {"identifier":"b","title":"B","schema":{"properties":{"p":{"type":"string"}}},"relations":{"r":{"target":"b"}},"mirrorProperties":{"m":{"path":"r.p"}}},
 {"identifier":"bare","title":"Bare","schema":{"properties":{}}},
 {"identifier":"other","title":"Other","schema":{"properties":{}}}],
 "entities":[
 {"blueprint":"b","identifier":"e","properties":{"p":"x"}},
 {"blueprint":"_team","identifier":"team","title":"Team"},
 {"blueprint":"_team","identifier":"directory","title":"Directory"},
 {"blueprint":"_user","identifier":"you@x.io","title":"You","properties":{"status":"Active"}}]}`

// matrixUsers are the callers: the column of each, and the user, "" for the machine.
// A service account may do what its role may.
var matrixUsers = []struct {
	name   string
	column int
	user   portaltest.User
}{
	{"member", 0, portaltest.User{Email: "member@x.io"}},
	{"member's service account", 0, portaltest.User{Email: "member@serviceaccounts.getport.io"}},
	{"moderator of another", 1, portaltest.User{Email: "mx@x.io", Moderates: []string{"other"}}},
	{"moderator", 2, portaltest.User{Email: "mb@x.io", Moderates: []string{"b", "bare", "_user", "_team"}}},
	{"moderator's service account", 2, portaltest.User{Email: "mb@serviceaccounts.getport.io", Moderates: []string{"b", "bare", "_user", "_team"}}},
	{"administrator", 3, portaltest.User{Email: "admin@x.io", Role: "Admin"}},
	{"administrator's service account", 3, portaltest.User{Email: "admin@serviceaccounts.getport.io", Role: "Admin"}},
	{"machine", 4, portaltest.User{}},
}

// rows: id §7.3 2-37, id §7.3 40-52, id §7.3 62-64
func TestEverybodyMayDoWhatTheMatrixSays(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/matrix.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var rows []matrixRow
	if err := yaml.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		t.Run(fmt.Sprintf("%d %s", row.Row, row.Do), func(t *testing.T) {
			t.Parallel()
			if len(row.Want) != 5 {
				t.Fatal("a row has five cells")
			}
			var world *matrixWorld
			for _, caller := range matrixUsers {
				want := row.Want[caller.column]
				if want == "-" {
					continue
				}
				if world == nil {
					world = newMatrixWorld(t)
				}
				world.check(row, caller.name, caller.user, want)
				if want == "Y" && !strings.HasPrefix(row.Do, "GET ") {
					world = nil // it has changed
				}
			}
		})
	}
}

// matrixWorld is a portal with something to do every operation on.
type matrixWorld struct {
	t      *testing.T
	portal *portaltest.Portal
	saved  map[string]string
}

func newMatrixWorld(t *testing.T) *matrixWorld {
	t.Helper()
	p := portaltest.Start(t, portaltest.Options{Seed: matrixGiven})
	p.Must(http.MethodPost, "/v1/organization/secrets", jsonv.Object{"secretName": "secret", "secretValue": "v"})
	app := p.Must(http.MethodPost, "/v1/apps", jsonv.Object{"name": "CI"})
	mapping := jsonv.Object{"blueprint": "bare", "entity": jsonv.Object{"identifier": ".identifier"}}
	migration := p.Must(http.MethodPost, "/v1/migrations", jsonv.Object{"sourceBlueprint": "b", "mapping": mapping})
	for id, trigger := range map[string]string{
		"act":     `{"type": "self-service", "operation": "CREATE", "blueprintIdentifier": "b", "userInputs": {"properties": {}}}`,
		"hidden":  `{"type": "self-service", "operation": "CREATE", "blueprintIdentifier": "b", "userInputs": {"properties": {}}}`,
		"free":    `{"type": "self-service", "operation": "CREATE", "userInputs": {"properties": {}}}`,
		"careful": `{"type": "self-service", "operation": "CREATE", "blueprintIdentifier": "b", "userInputs": {"properties": {}}}`,
		"auto":    `{"type": "automation", "event": {"type": "ENTITY_CREATED", "blueprintIdentifier": "b"}}`,
	} {
		trigger, err := jsonv.Decode([]byte(trigger))
		if err != nil {
			t.Fatal(err)
		}
		p.Must(http.MethodPost, "/v1/actions", jsonv.Object{"identifier": id, "trigger": trigger, "invocationMethod": jsonv.Object{"type": "KAFKA"}, "requiredApproval": id == "careful"})
	}
	p.Must(http.MethodPatch, "/v1/actions/hidden/permissions", jsonv.Object{"execute": jsonv.Object{"roles": []any{"Admin"}}})
	err := p.Store().Update(context.Background(), func(tx store.Tx) error {
		return tx.Put(identity.KindTeam, store.Doc{"id": "team_sso", "provider": "okta"}, p.Organization(), "directory")
	})
	if err != nil {
		t.Fatal(err)
	}
	run := p.Must(http.MethodPost, "/v1/actions/act/runs", jsonv.Object{"properties": jsonv.Object{}})
	waiting := p.Must(http.MethodPost, "/v1/actions/careful/runs", jsonv.Object{"properties": jsonv.Object{}})
	p.Settle()
	return &matrixWorld{t, p, map[string]string{
		"run": jsonv.String(run, "run", "id"), "waiting": jsonv.String(waiting, "run", "id"),
		"app": jsonv.String(app, "app", "id"), "migration": jsonv.String(migration, "migration", "id"),
	}}
}

func (w *matrixWorld) check(row matrixRow, name string, user portaltest.User, want string) {
	w.t.Helper()
	token := w.portal.Token()
	if user.Email != "" {
		token = w.portal.As(user)
	}
	w.saved["self"] = user.Email
	method, path, _ := strings.Cut(fill(row.Do, w.saved), " ")
	var body any
	if row.Body != nil {
		body = fromYAML(w.t, row.Body)
	}
	before := w.portal.Dump()
	answer := w.portal.CallAs(token, method, path, body)
	if want != "Y" && w.portal.Dump() != before {
		w.t.Errorf("%s: what is refused has an effect", name)
	}
	got := fmt.Sprintf("%d %s", answer.Status, jsonv.String(answer.Body, "error"))
	code, ok := map[string]string{"S": "403 insufficient_scope", "P": "403 missing_permissions", "501": "501 not_implemented"}[want]
	switch {
	case want == "Y" && answer.Status >= 200 && answer.Status < 300:
	case ok && got == code, want == got:
	default:
		w.t.Errorf("%s: %s, want %s: %.300s", name, got, want, answer.Text)
	}
}
