package provider_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

const vote = "port_action_run_approval.this"

func voting(body string) string {
	return running(`action = "ask", entity = "cart", wait_for = ["WAITING_FOR_APPROVAL"]`) +
		"resource \"port_action_run_approval\" \"this\" {\n  run_id = port_action_run.this.run_id\n" + lines(body) + "\n}\n"
}

func TestApprovalsLetRunsGoOn(t *testing.T) {
	t.Parallel()
	y := startYard(t)
	approve := voting(`decision = "APPROVE", description = "go", wait_for = ["SUCCESS"]`)
	y.account.run(
		resource.TestStep{
			PreConfig: y.ends(2, succeeds), Config: approve,
			Check: resource.ComposeTestCheckFunc(
				resource.TestCheckResourceAttr(vote, "run_status", "SUCCESS"), resource.TestCheckResourceAttr(vote, "decided_by", y.ClientID),
				resource.TestCheckResourceAttrPair(vote, "id", scaling, "run_id"), resource.TestCheckResourceAttr(scaling, "settled", "true"),
			),
		},
		resource.TestStep{Config: approve, ConfigPlanChecks: emptyPlan},
		resource.TestStep{
			ResourceName: vote, ImportState: true, ImportStateVerify: true, ImportStateVerifyIgnore: []string{"wait_for"},
		},
		// A decision cannot be taken back.
		resource.TestStep{Config: voting(`decision = "DECLINE"`), ExpectError: match("run_not_waiting_for_approval")},
		// The same once more is none.
		resource.TestStep{Config: voting(`decision = "APPROVE"`), Check: resource.TestCheckResourceAttr(vote, "run_status", "SUCCESS")},
	)
}

func TestApprovalsMayDecline(t *testing.T) {
	t.Parallel()
	y := startYard(t)
	y.account.run(
		resource.TestStep{Config: voting(`decision = "maybe"`), ExpectError: match("APPROVE")},
		resource.TestStep{
			Config: voting(`decision = "DECLINE", description = "freeze"`),
			Check:  resource.TestCheckResourceAttr(vote, "run_status", "DECLINED"),
		},
		resource.TestStep{Config: voting(`decision = "DECLINE", description = "freeze"`), ConfigPlanChecks: emptyPlan},
	)
}

// Who asks, and for whom, and who decides are different people: each provider
// configuration acts as whom it logs in as. They are processes of their own, so the
// test takes the built program.
func TestEachProviderConfigurationActsAsItself(t *testing.T) {
	t.Parallel()
	y := startYard(t)
	var aliases strings.Builder
	userIDs := map[string]string{}
	for _, name := range []string{"ann", "bob"} {
		email := name + "@x.io"
		y.As(portaltest.User{Email: email})
		credentials := jsonv.Map(y.Must(http.MethodPost, "/v1/rotate-credentials/"+email, nil), "credentials")
		fmt.Fprintf(&aliases, "provider \"port\" {\n  alias = %q\n  client_id = %q\n  secret = %q\n}\n", name, jsonv.String(credentials, "clientId"), jsonv.String(credentials, "clientSecret"))
		userIDs[name] = jsonv.String(y.Must(http.MethodGet, "/v1/users/"+email, nil), "user", "id")
	}
	ask := jsonv.Map(y.Must(http.MethodGet, "/v1/actions/ask", nil), "action")
	ask["requiredApproval"] = jsonv.Object{"type": "ALL"}
	y.Must(http.MethodPut, "/v1/actions/ask", withKeys(ask, "identifier", "requiredApproval", "trigger", "invocationMethod"))
	y.Must(http.MethodPatch, "/v1/actions/ask/permissions", jsonv.Object{"approve": jsonv.Object{"roles": []any{}, "users": []any{"ann@x.io", "bob@x.io"}}})

	server := httptest.NewServer(y.Handler())
	t.Cleanup(server.Close)
	vote := func(name, body string) string {
		return "resource \"port_action_run_approval\" \"" + name + "\" {\n  provider = port." + name + "\n  run_id = port_action_run.this.run_id\n  decision = \"APPROVE\"\n" + lines(body) + "\n}\n"
	}
	output := func(name, value string) string { return "output \"" + name + "\" {\n  value = " + value + "\n}\n" }
	u := newTerminal(t, source+aliases.String()+running(`action = "ask", entity = "cart", run_as = "ann@x.io", wait_for = ["WAITING_FOR_APPROVAL"]`)+
		vote("ann", `depends_on = [data.port_action_run.before]`)+vote("bob", `wait_for = ["IN_PROGRESS"], description = "fine", depends_on = [port_action_run_approval.ann]`)+
		"data \"port_action_runs\" \"hers\" {\n  user_email = \"Ann@X.io\"\n  depends_on = [port_action_run_approval.bob]\n}\n"+
		"data \"port_action_run\" \"before\" {\n  run_id = port_action_run.this.run_id\n}\n"+
		"data \"port_action_run\" \"after\" {\n  run_id = port_action_run.this.run_id\n  depends_on = [port_action_run_approval.bob]\n}\n"+
		output("before", "data.port_action_run.before.approvers[*].state")+
		output("after", "[for a in data.port_action_run.after.approvers : \"${a.user_id} ${a.state} ${a.description}\"]")+
		output("asked", "[port_action_run.this.created_by, port_action_run.this.impersonated_by]")+output("hers", "data.port_action_runs.hers.runs[*].created_by")+
		output("voted", "[port_action_run_approval.ann.run_status, port_action_run_approval.ann.decided_by, port_action_run_approval.bob.run_status, port_action_run_approval.bob.decided_by]"),
		"PORT_BASE_URL="+server.URL, "PORT_CLIENT_ID="+y.ClientID, "PORT_CLIENT_SECRET="+y.ClientSecret)
	u.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	told, err := jsonv.DecodeObject([]byte(u.must(0, "output", "-no-color", "-json")))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"before": `["PENDING","PENDING"]`, "after": fmt.Sprintf(`["%s APPROVED ","%s APPROVED fine"]`, userIDs["ann"], userIDs["bob"]),
		"asked": fmt.Sprintf("[%q,%q]", userIDs["ann"], y.ClientID), "hers": fmt.Sprintf("[%q]", userIDs["ann"]),
		"voted": fmt.Sprintf(`["WAITING_FOR_APPROVAL",null,"IN_PROGRESS",%q]`, userIDs["bob"]),
	} {
		if v, _ := jsonv.Get(told, name, "value"); string(jsonv.Encode(v)) != want {
			t.Errorf("%s: %s, want %s", name, jsonv.Encode(v), want)
		}
	}
}

// withKeys is a document with some of its keys.
func withKeys(document jsonv.Object, keys ...string) jsonv.Object {
	out := jsonv.Object{}
	for _, key := range keys {
		out[key] = document[key]
	}
	return out
}

func TestActionRunDataSources(t *testing.T) {
	t.Parallel()
	y := startYard(t)
	run := func(n int) string {
		answer := y.Must(http.MethodPost, "/v1/actions/scale/runs", jsonv.Object{"entity": "cart", "properties": jsonv.Object{"replicas": jsonv.Int(n)}})
		return jsonv.String(answer, "run", "id")
	}
	one, two, three := run(1), run(2), run(3)
	for i := range 120 { // more than two pages
		y.log(two, fmt.Sprintf("line %d", i+1))
	}
	y.Must(http.MethodPatch, "/v1/actions/runs/"+one, jsonv.Object{"status": "FAILURE", "externalRunId": "x1"})
	ids := func(name string, want ...string) resource.TestCheckFunc {
		checks := []resource.TestCheckFunc{
			resource.TestCheckResourceAttr("data.port_action_runs."+name, "runs.#", fmt.Sprint(len(want))),
			resource.TestCheckResourceAttr("data.port_action_runs."+name, "run_ids.#", fmt.Sprint(len(want))),
		}
		for i, id := range want {
			checks = append(checks, resource.TestCheckResourceAttr("data.port_action_runs."+name, fmt.Sprintf("runs.%d.run_id", i), id))
		}
		return resource.ComposeTestCheckFunc(checks...)
	}
	data := func(name, body string) string {
		return fmt.Sprintf("data \"port_action_runs\" %q {\n%s\n}\n", name, lines(body))
	}
	const two2 = "data.port_action_run.two"
	y.account.run(
		resource.TestStep{
			Config: data("all", ``) + data("active", `active = true`) + data("none", `action = "ask"`) + data("limited", `limit = 2, blueprint = "service", entity = "cart", sources = ["API"]`) +
				data("external", `external_run_id = "x1"`) + data("mine", `user_id = "`+y.ClientID+`"`) + data("theirs", `user_email = "nobody@x.io"`) +
				"data \"port_action_run\" \"two\" {\n  run_id = \"" + two + "\"\n}\n",
			Check: resource.ComposeTestCheckFunc(
				ids("all", three, two, one), ids("active", three, two), ids("none"), ids("limited", three, two), ids("external", one), ids("mine", three, two, one), ids("theirs"),
				resource.TestCheckResourceAttr(two2, "logs.#", "120"), resource.TestCheckResourceAttr(two2, "logs.0.message", "line 1"),
				resource.TestCheckResourceAttr(two2, "logs.50.message", "line 51"), resource.TestCheckResourceAttr(two2, "logs.119.message", "line 120"), resource.TestCheckResourceAttr(two2, "action", "scale"),
				resource.TestCheckResourceAttr(two2, "properties", `{"replicas":2}`), resource.TestCheckResourceAttr(two2, "entity", "cart"), resource.TestCheckResourceAttr(two2, "status", "IN_PROGRESS"),
			),
		},
		resource.TestStep{Config: "data \"port_action_run\" \"x\" {\n  run_id = \"r_0000000000000000\"\n}\n", ExpectError: match("Could not find action run r_0000000000000000")},
	)
}
