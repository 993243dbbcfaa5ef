package provider_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// The example is applied by the CLI, its actions are run by the people in it and
// carried out by a backend that Port reaches over the network, and what the runs did
// is no drift. Destroying it leaves the account as it was.
func TestTheExampleOfSelfServiceIsDrivenToItsEnd(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t, portaltest.Options{RealCalls: true})
	w := openWorkshop(t, p)
	empty := w.inventory()
	const folder = "../../examples/self-service"
	main, err := os.ReadFile(filepath.Join(folder, "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	u := newTerminal(t, string(main), append(online(p), "TF_VAR_backend_url="+w.server.URL, "TF_VAR_chat_url="+w.server.URL+"/chat", "TF_VAR_services_per_team=2")...)
	u.write("rest.tf", exampleOf(t, "self-service"))
	u.must(0, "apply", "-auto-approve", "-input=false", "-no-color")

	d := &drive{workshop: w, tokens: map[string]string{"machine": p.Token()}, team: map[string]string{}}
	for _, name := range []string{"ada", "bob", "grace", "linus"} {
		credentials := jsonv.Map(p.Must(http.MethodPost, "/v1/rotate-credentials/"+name+"@example.com", nil), "credentials")
		d.tokens[name] = jsonv.String(p.Must(http.MethodPost, "/v1/auth/access_token", credentials), "accessToken")
	}
	for _, team := range jsonv.List(p.Must(http.MethodGet, "/v1/blueprints/_team/entities", nil), "entities") {
		d.team[jsonv.String(team, "title")] = jsonv.String(team, "identifier")
	}
	d.scaffolding()
	d.scaling()
	d.retiring()

	u.must(0, "plan", "-detailed-exitcode", "-input=false", "-no-color")
	u.must(0, "destroy", "-auto-approve", "-input=false", "-no-color")
	if diff := cmp.Diff(empty, w.inventory()); diff != "" {
		t.Errorf("destroying leaves behind (+), or took (-):\n%s", diff)
	}
}

// inventory names everything in the account that an example could make.
func (w *workshop) inventory() []string {
	var out []string
	for _, list := range []string{"blueprints", "actions", "users", "teams"} {
		for _, one := range jsonv.List(w.Must(http.MethodGet, "/v1/"+list, nil), list) {
			for _, key := range []string{"identifier", "email", "name"} {
				if id := jsonv.String(one, key); id != "" {
					out = append(out, list+" "+id)
					break
				}
			}
		}
	}
	for _, one := range jsonv.List(w.Must(http.MethodGet, "/v1/blueprints/_user", nil), "blueprint", "schema", "properties") {
		out = append(out, fmt.Sprint("property ", one))
	}
	slices.Sort(out)
	return out
}

// drive is what the people of the example do.
type drive struct {
	*workshop
	tokens, team map[string]string
}

// asks runs an action as somebody, wants an answer, and returns the run.
func (d *drive) asks(who, action, entity string, inputs jsonv.Object, status int, code string) string {
	d.t.Helper()
	body := jsonv.Object{"properties": inputs}
	if entity != "" {
		body["entity"] = entity
	}
	answer := d.CallAs(d.tokens[who], http.MethodPost, "/v1/actions/"+action+"/runs", body)
	if answer.Status != status || jsonv.String(answer.Body, "error") != code {
		d.t.Errorf("%s runs %s on %q with %s: %d %s, want %d %s", who, action, entity, jsonv.Encode(inputs), answer.Status, answer.Text, status, code)
	}
	return jsonv.String(answer.Body, "run", "id")
}

// votes decides about a run as somebody.
func (d *drive) votes(who, run, decision string, status int, code string) {
	d.t.Helper()
	answer := d.CallAs(d.tokens[who], http.MethodPatch, "/v1/actions/runs/"+run+"/approval", jsonv.Object{"status": decision, "description": "because"})
	if answer.Status != status || jsonv.String(answer.Body, "error") != code {
		d.t.Errorf("%s votes %s: %d %s, want %d %s", who, decision, answer.Status, answer.Text, status, code)
	}
}

// shows compares a part of what Port answers to somebody with JSON.
func (d *drive) shows(who, path, want string, at ...string) {
	d.t.Helper()
	answer := d.CallAs(d.tokens[who], http.MethodGet, path, nil)
	got, _ := jsonv.Get(answer.Body, at...)
	expected, err := jsonv.Decode([]byte(want))
	if err != nil {
		d.t.Fatal(err)
	}
	if diff := cmp.Diff(expected, pick(expected, got)); diff != "" {
		d.t.Errorf("%s sees at %s %v (%d):\n%s", who, path, at, answer.Status, diff)
	}
}

// pick leaves of got, objects in lists included, the keys that are in want.
func pick(want, got any) any {
	switch want := want.(type) {
	case jsonv.Object:
		object, ok := got.(jsonv.Object)
		if !ok {
			return got
		}
		out := jsonv.Object{}
		for key, value := range object {
			if w, ok := want[key]; ok {
				out[key] = pick(w, value)
			}
		}
		return out
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return got
		}
		out := make([]any, len(list))
		for i := range list {
			out[i] = pick(want[i], list[i])
		}
		return out
	}
	return got
}

// takes wants the backend to have got exactly these messages.
func (d *drive) takes(want ...string) []heard {
	d.t.Helper()
	what, messages := d.got()
	if what != strings.Join(want, ", ") {
		d.t.Errorf("the backend got %q, want %q", what, want)
	}
	return append(messages, make([]heard, len(want))...)
}

// tells wants the audit log of a run to be these entries, oldest first.
func (d *drive) tells(run string, want ...string) {
	d.t.Helper()
	var got []string
	for _, entry := range jsonv.List(d.Must(http.MethodGet, "/v1/audit-log?run_id="+run, nil), "audits") {
		line := jsonv.String(entry, "action") + " " + jsonv.String(entry, "resourceType")
		if entity := jsonv.String(entry, "context", "entity"); jsonv.String(entry, "resourceType") == "entity" {
			line += " " + entity
		}
		got = append(got, line)
	}
	slices.Reverse(got)
	if diff := cmp.Diff(want, got); diff != "" {
		d.t.Errorf("the audit log of the run:\n%s", diff)
	}
}

func (d *drive) scaffolding() {
	d.t.Helper()
	var offered []string
	for _, action := range jsonv.List(d.CallAs(d.tokens["bob"], http.MethodGet, "/v1/actions?blueprint_identifier=service", nil).Body, "actions") {
		offered = append(offered, jsonv.String(action, "identifier"))
	}
	if slices.Sort(offered); !slices.Equal(offered, []string{"retire_service", "scaffold_service"}) {
		d.t.Errorf("the self-service page offers %q for services", offered)
	}
	refused := func(inputs jsonv.Object, status int, code string) {
		d.t.Helper()
		d.asks("bob", "scaffold_service", "", inputs, status, code)
	}
	refused(jsonv.Object{"name": "Wallet", "environment": "test"}, 422, "invalid_request")
	refused(jsonv.Object{"name": "wallet"}, 422, "invalid_request")
	refused(jsonv.Object{"name": "wallet", "environment": "nowhere"}, 422, "invalid_request")
	refused(jsonv.Object{"name": "wallet", "environment": "eu", "tier": "1"}, 422, "invalid_request")
	refused(jsonv.Object{"name": "wallet", "environment": "test", "team": d.team["Platform"]}, 403, "missing_permissions")
	d.takes()

	// While the backend works, people see how far it is.
	d.halfway = func(run string) {
		d.shows("bob", "/v1/actions/runs/"+run, `{"status": "IN_PROGRESS", "statusLabel": "Building", "link": ["https://git.example.com/wallet"], "source": "API"}`, "run")
		d.shows("linus", "/v1/actions/runs/"+run+"/logs", `[{"message": "Making https://git.example.com/wallet"}]`, "runLogs")
	}
	run := d.asks("bob", "scaffold_service", "", jsonv.Object{"name": "wallet", "environment": "test"}, 202, "")
	messages := d.takes("POST /services", "POST /chat")
	d.halfway = nil
	want := jsonv.Object{
		"run": run, "name": "wallet", "language": "go", "tier": "3", "team": d.team["Payments"], "owner": "bob@example.com",
		"environment": "test", "replicas": jsonv.Int(1), "uses": []any{},
	}
	if diff := cmp.Diff(heard{"POST /services", want, "bob@example.com"}, messages[0], cmp.AllowUnexported(heard{})); diff != "" {
		d.t.Error(diff)
	}
	if text := jsonv.String(messages[1].body, "text"); text != "wallet: Running https://git.example.com/wallet" {
		d.t.Errorf("the chat reads %q", text)
	}
	d.shows("bob", "/v1/actions/runs/"+run, `{"status": "SUCCESS", "statusLabel": "Running", "summary": "wallet answers", "externalRunId": "pipeline-wallet", "rawProperties": {"name": "wallet", "environment": "test"}}`, "run")
	d.shows("bob", "/v1/actions/runs/"+run+"/logs", `[{"message": "Making https://git.example.com/wallet"}, {"message": "Up"}]`, "runLogs")
	d.shows("bob", "/v1/blueprints/service/entities/wallet", `{"team": ["`+d.team["Payments"]+`"], "properties": {"tier": "3", "owner": "bob@example.com"}}`, "entity")
	d.shows("bob", "/v1/blueprints/deployment/entities/wallet-test", `{"properties": {"replicas": 1}, "relations": {"service": "wallet", "environment": "test"}}`, "entity")
	d.tells(run, "CREATE run", "UPDATE run", "CREATE entity wallet", "CREATE entity wallet-test", "UPDATE run", "UPDATE run")
	d.automated("announce_services", 1)
	d.shows("bob", "/v1/actions/runs?action=announce_services", `[]`, "runs")

	// Another one, in the first tier; then the team has as many as it may.
	run = d.asks("ada", "scaffold_service", "", jsonv.Object{"name": "shop", "environment": "test", "uses": []any{"wallet"}}, 202, "")
	d.takes("POST /services", "POST /chat")
	d.shows("ada", "/v1/actions/runs/"+run, `{"status": "SUCCESS", "properties": {"uses": [{"identifier": "wallet", "blueprint": "service"}]}}`, "run")
	d.asks("bob", "scaffold_service", "", jsonv.Object{"name": "third", "environment": "test"}, 403, "missing_permissions")
	d.automated("announce_services", 2)
}

// automated wants an automation to have run so many times, always to success.
func (d *drive) automated(action string, times int) {
	d.t.Helper()
	runs := jsonv.List(d.Must(http.MethodGet, "/v1/actions/runs?action="+action, nil), "runs")
	if len(runs) != times {
		d.t.Errorf("%s ran %d times, want %d", action, len(runs), times)
	}
	for _, run := range runs {
		if jsonv.String(run, "status") != "SUCCESS" || jsonv.String(run, "source") != "AUTOMATION" {
			d.t.Errorf("%s: %s", action, jsonv.Encode(run))
		}
	}
}

func (d *drive) scaling() {
	d.t.Helper()
	const at = "/v1/blueprints/deployment/entities/wallet-test"
	three := jsonv.Object{"replicas": jsonv.Int(3)}
	d.asks("linus", "change_replicas", "wallet-test", three, 403, "missing_permissions")
	d.asks("bob", "change_replicas", "wallet-test", jsonv.Object{"replicas": jsonv.Int(21)}, 422, "invalid_request")
	d.asks("bob", "change_replicas", "", three, 422, "missing_self_service_action_entity")

	run := d.asks("bob", "change_replicas", "wallet-test", three, 202, "")
	asked := d.takes("POST /chat")
	if text := jsonv.String(asked[0].body, "text"); !strings.Contains(text, "bob@example.com") || !strings.Contains(text, "Change the replicas") {
		d.t.Errorf("the request in the chat reads %q", text)
	}
	d.shows("bob", "/v1/actions/runs/"+run, `{"status": "WAITING_FOR_APPROVAL", "payload": null}`, "run")
	d.shows("bob", "/v1/actions/runs/"+run+"/approvers?include_pending_approvers=true",
		`[{"userId": "`+d.id("ada")+`", "state": "PENDING"}, {"userId": "`+d.id("grace")+`", "state": "PENDING"}]`, "approvers")
	d.votes("bob", run, "APPROVE", 403, "missing_permissions")
	d.votes("linus", run, "DECLINE", 403, "missing_permissions")
	d.takes()
	d.votes("ada", run, "APPROVE", 201, "")
	messages := d.takes("PATCH /deployments/wallet-test")
	if diff := cmp.Diff(jsonv.Object{"run": run, "from": jsonv.Int(1), "replicas": jsonv.Int(3)}, messages[0].body); diff != "" {
		d.t.Error(diff)
	}
	d.shows("bob", "/v1/actions/runs/"+run, `{"status": "SUCCESS", "approval": {"userId": "`+d.id("ada")+`", "state": "APPROVED", "description": "because"}}`, "run")
	d.shows("bob", at, `{"replicas": 3}`, "entity", "properties")
	d.tells(run, "CREATE run", "UPDATE run", "UPDATE entity wallet-test", "UPDATE run")

	// Nobody decides about what they asked for; what is declined is not sent.
	run = d.asks("ada", "change_replicas", "wallet-test", jsonv.Object{"replicas": jsonv.Int(20)}, 202, "")
	d.takes("POST /chat")
	d.votes("ada", run, "APPROVE", 403, "missing_permissions")
	d.votes("grace", run, "DECLINE", 201, "")
	d.votes("grace", run, "APPROVE", 422, "run_not_waiting_for_approval")
	d.takes()
	d.shows("ada", "/v1/actions/runs/"+run, `{"status": "DECLINED", "payload": null, "approval": {"state": "DECLINED"}}`, "run")
	d.shows("bob", at, `{"replicas": 3}`, "entity", "properties")
	d.tells(run, "CREATE run", "UPDATE run")
}

// id is what runs know somebody by.
func (d *drive) id(who string) string {
	return jsonv.String(d.Must(http.MethodGet, "/v1/users/"+who+"@example.com", nil), "user", "id")
}

func (d *drive) retiring() {
	d.t.Helper()
	confirm := func(name string) jsonv.Object { return jsonv.Object{"confirm": name} }
	// The first tier, by whomever; what others build on; of another team; unconfirmed.
	d.asks("grace", "retire_service", "ledger", confirm("ledger"), 422, "invalid_request")
	d.asks("machine", "retire_service", "ledger", confirm("ledger"), 422, "invalid_request")
	d.asks("bob", "retire_service", "wallet", confirm("wallet"), 403, "missing_permissions")
	d.asks("linus", "retire_service", "shop", confirm("shop"), 403, "missing_permissions")
	d.asks("bob", "retire_service", "shop", confirm("wallet"), 422, "invalid_request")
	d.asks("bob", "retire_service", "shop", jsonv.Object{}, 422, "invalid_request")
	d.takes()
	for i, name := range []string{"shop", "wallet"} {
		run := d.asks("bob", "retire_service", name, confirm(name), 202, "")
		d.takes("DELETE /services/" + name)
		d.shows("bob", "/v1/actions/runs/"+run, `{"status": "SUCCESS", "response": {"retired": "`+name+`"}, "entity": {"identifier": "`+name+`", "deleted": true}}`, "run")
		d.shows("bob", "/v1/blueprints/service/entities/"+name, `"not_found"`, "error")
		d.tells(run, "CREATE run", "DELETE entity "+name+"-test", "DELETE entity "+name, "UPDATE run")
		d.automated("record_retirements", i+1)
		d.shows("bob", "/v1/blueprints/retirement/entities/"+name+"-2024-01-01",
			`{"title": "`+name+`", "properties": {"tier": "3", "at": "2024-01-01T00:00:00.000Z", "last": {"properties": {"owner": "`+map[string]string{"shop": "ada", "wallet": "bob"}[name]+`@example.com"}}}}`, "entity")
	}
}
