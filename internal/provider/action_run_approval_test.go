package provider_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
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

func TestActionRunDataSources(t *testing.T) {
	t.Parallel()
	y := startYard(t)
	run := func(n int) string {
		answer := y.Must(http.MethodPost, "/v1/actions/scale/runs", jsonv.Object{"entity": "cart", "properties": jsonv.Object{"replicas": jsonv.Int(n)}})
		return jsonv.String(answer, "run", "id")
	}
	one, two, three := run(1), run(2), run(3)
	y.log(two, "hello")
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
				resource.TestCheckResourceAttr(two2, "logs.#", "1"), resource.TestCheckResourceAttr(two2, "logs.0.message", "hello"), resource.TestCheckResourceAttr(two2, "action", "scale"),
				resource.TestCheckResourceAttr(two2, "properties", `{"replicas":2}`), resource.TestCheckResourceAttr(two2, "entity", "cart"), resource.TestCheckResourceAttr(two2, "status", "IN_PROGRESS"),
			),
		},
		resource.TestStep{Config: "data \"port_action_run\" \"x\" {\n  run_id = \"r_0000000000000000\"\n}\n", ExpectError: match("Could not find action run r_0000000000000000")},
	)
}
