package provider_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portapi"
	"github.com/portlens/terraform-provider-port/internal/provider"
)

const (
	scaling  = "port_action_run.this"
	runPosts = "POST /v1/actions/scale/runs"
)

// flying is a clock whose waits are over at once; look sees each wait for a run.
type flying struct {
	mu   sync.Mutex
	now  time.Time
	look func()
}

func (h *flying) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// After implements portapi.Clock.
func (h *flying) After(d time.Duration) <-chan time.Time {
	h.mu.Lock()
	h.now = h.now.Add(d)
	now, look := h.now, h.look
	h.mu.Unlock()
	if look != nil && d >= time.Second {
		look()
	}
	out := make(chan time.Time, 1)
	out <- now
	return out
}

func (h *flying) set(look func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.look = look
}

// yard is an account with actions to run, and a clock whose waits do not last.
type yard struct {
	*account
	clock *flying
	// run is the ID of the run last seen in a state.
	run string
}

func startYard(t *testing.T, change ...func(*provider.Options)) *yard {
	t.Helper()
	y := &yard{account: open(t, change...), clock: &flying{now: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}}
	y.options.Client = func(o *portapi.Options) { o.Clock = y.clock }
	y.Must(http.MethodPost, "/v1/blueprints", jsonv.Object{
		"identifier": "service", "title": "Service", "schema": jsonv.Object{"properties": jsonv.Object{"tier": jsonv.Object{"type": "string"}}, "required": []any{}},
	})
	y.Must(http.MethodPost, "/v1/blueprints/service/entities", jsonv.Object{"identifier": "cart", "title": "Cart"})
	inputs := jsonv.Object{"replicas": jsonv.Object{"type": "number"}, "token": jsonv.Object{"type": "string"}}
	for name, approval := range map[string]bool{"scale": false, "ask": true} {
		y.Must(http.MethodPost, "/v1/actions", jsonv.Object{
			"identifier": name, "requiredApproval": approval,
			"trigger":          jsonv.Object{"type": "self-service", "operation": "DAY-2", "blueprintIdentifier": "service", "userInputs": jsonv.Object{"properties": inputs}},
			"invocationMethod": jsonv.Object{"type": "WEBHOOK", "url": "https://ops.example.com/", "body": jsonv.Object{"n": "{{ .inputs.replicas }}", "t": "{{ .inputs.token }}"}},
		})
	}
	return y
}

func running(body string) string {
	return "resource \"port_action_run\" \"this\" {\n" + lines(body) + "\n}\n"
}

// latest is the newest run.
func (y *yard) latest() string {
	y.t.Helper()
	runs := jsonv.List(y.Must(http.MethodGet, "/v1/actions/runs?limit=1", nil), "runs")
	if len(runs) == 0 {
		y.t.Error("there is no run")
		return ""
	}
	run, _ := runs[0].(jsonv.Object)
	return jsonv.String(run, "id")
}

func (y *yard) log(id, message string) {
	y.Must(http.MethodPost, "/v1/actions/runs/"+id+"/logs", jsonv.Object{"message": message})
}

// ends makes the backend report at the n-th look, and end the run.
func (y *yard) ends(n int, change jsonv.Object) func() {
	return func() {
		looks := 0
		y.clock.set(func() {
			id := y.latest()
			if looks++; looks < n {
				y.log(id, fmt.Sprintf("step %d", looks))
			}
			if looks == n {
				y.Must(http.MethodPost, "/v1/blueprints/service/entities?upsert=true&merge=true&run_id="+id, jsonv.Object{"identifier": "cart", "properties": jsonv.Object{"tier": "1"}})
				y.Must(http.MethodPatch, "/v1/actions/runs/"+id, change)
			}
		})
	}
}

// posted wants so many runs to be asked for since the portal forgot.
func (y *yard) posted(want int) resource.TestCheckFunc {
	return func(*terraform.State) error {
		got := 0
		for _, r := range y.Requests() {
			if r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/runs") {
				got++
			}
		}
		if got != want {
			return fmt.Errorf("%d runs were asked for, want %d", got, want)
		}
		return nil
	}
}

// seen remembers the run and wants it to be the same as before, or another one.
func (y *yard) seen(same bool) resource.TestCheckFunc {
	return func(s *terraform.State) error {
		id, was := s.RootModule().Resources[scaling].Primary.Attributes["run_id"], y.run
		y.run = id
		if id == "" || (id == was) != same {
			return fmt.Errorf("run %q after %q", id, was)
		}
		return nil
	}
}

var succeeds = jsonv.Object{"status": "SUCCESS", "statusLabel": "Scaled", "summary": "3 replicas", "link": []any{"https://ci/1"}}

func TestActionRunsAreFollowedToTheirEndBothWays(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, change func(*provider.Options)) {
		t.Helper()
		y := startYard(t, change)
		config := func(n int, more string) string {
			return running(fmt.Sprintf("action = \"scale\", entity = \"cart\", properties = jsonencode({ replicas = %d }), %s", n, more))
		}
		y.run = "none"
		y.account.run(
			resource.TestStep{
				PreConfig: func() { y.Forget(); y.ends(3, succeeds)() }, Config: config(3, `triggers = { day = "1" }`),
				Check: resource.ComposeTestCheckFunc(
					y.posted(1), y.seen(false),
					resource.TestCheckResourceAttrPair(scaling, "id", scaling, "run_id"),
					resource.TestCheckResourceAttr(scaling, "status", "SUCCESS"), resource.TestCheckResourceAttr(scaling, "status_label", "Scaled"),
					resource.TestCheckResourceAttr(scaling, "summary", "3 replicas"), resource.TestCheckResourceAttr(scaling, "link.0", "https://ci/1"),
					resource.TestCheckResourceAttr(scaling, "logs.#", "2"), resource.TestCheckResourceAttr(scaling, "logs.0.message", "step 1"),
					resource.TestCheckResourceAttr(scaling, "entities.#", "1"), resource.TestCheckResourceAttr(scaling, "entities.0.identifier", "cart"),
					resource.TestCheckResourceAttr(scaling, "entities.0.blueprint", "service"), resource.TestCheckResourceAttr(scaling, "entities.0.action", "UPDATE"),
					resource.TestCheckResourceAttr(scaling, "settled", "true"), resource.TestCheckResourceAttr(scaling, "blueprint", "service"),
					resource.TestCheckResourceAttrSet(scaling, "ended_at"), resource.TestCheckResourceAttrSet(scaling, "payload"),
				),
			},
			resource.TestStep{Config: config(3, `triggers = { day = "1" }`), ConfigPlanChecks: emptyPlan},
			// How it is waited for runs nothing.
			resource.TestStep{PreConfig: y.Forget, Config: config(3, `triggers = { day = "1" }, timeout = "1m"`), Check: resource.ComposeTestCheckFunc(y.sent(), y.seen(true))},
			resource.TestStep{
				ResourceName: scaling, ImportState: true, ImportStateVerify: true, ImportStateIdFunc: func(*terraform.State) (string, error) { return y.run, nil },
				ImportStateVerifyIgnore: []string{"triggers", "timeout", "settled", "secret_inputs"},
			},
			// Another trigger does, and so do other inputs.
			resource.TestStep{PreConfig: y.ends(1, succeeds), Config: config(3, `triggers = { day = "2" }, show_logs = false`), Check: y.seen(false)},
			resource.TestStep{
				PreConfig: y.ends(1, succeeds), Config: config(4, `triggers = { day = "2" }`), Check: y.seen(false),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(scaling, plancheck.ResourceActionReplace)}},
			},
			// An action that is gone leaves its runs alone.
			resource.TestStep{
				PreConfig: func() { y.Must(http.MethodDelete, "/v1/actions/scale", nil) }, Config: config(4, `triggers = { day = "2" }`), ConfigPlanChecks: emptyPlan,
			},
		)
	})
}

func TestActionRunsThatFailAreTaintedAndRunAgain(t *testing.T) {
	t.Parallel()
	y := startYard(t)
	config := running(`action = "scale", entity = "cart"`)
	y.run = "none"
	y.account.run(
		resource.TestStep{
			PreConfig: y.ends(2, jsonv.Object{"status": "FAILURE", "summary": "quota exceeded"}), Config: config,
			ExpectError: match(`of action scale failed`),
		},
		resource.TestStep{
			PreConfig: y.ends(2, jsonv.Object{"status": "FAILURE", "summary": "quota exceeded"}), Config: config,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(scaling, plancheck.ResourceActionReplace)}},
			ExpectError:      match(`Summary: quota exceeded`),
		},
		resource.TestStep{PreConfig: y.ends(2, jsonv.Object{"status": "FAILURE"}), Config: config, ExpectError: match(`Log of the run: step 1`)},
		// Who wants to know of failures, not to fail, says so.
		resource.TestStep{
			PreConfig: y.ends(2, jsonv.Object{"status": "FAILURE"}), Config: running(`action = "scale", entity = "cart", wait_for = ["SUCCESS", "FAILURE"]`),
			Check: resource.ComposeTestCheckFunc(y.seen(false), resource.TestCheckResourceAttr(scaling, "status", "FAILURE")),
		},
	)
	if runs := jsonv.List(y.Must(http.MethodGet, "/v1/actions/runs", nil), "runs"); len(runs) != 4 {
		t.Errorf("%d runs, want 4", len(runs))
	}
}

func TestActionRunsThatWaitedTooLongAreWaitedForAgain(t *testing.T) {
	t.Parallel()
	y := startYard(t)
	config := running(`action = "ask", entity = "cart", timeout = "3m"`)
	y.account.run(
		resource.TestStep{PreConfig: y.Forget, Config: config, ExpectError: match("It is WAITING_FOR_APPROVAL after 3m0s. Somebody has to approve it.")},
		resource.TestStep{
			PreConfig: func() { y.run = y.latest() }, Config: config,
			ExpectError: match("The next apply goes on waiting for it and does not run the action again."),
		},
		// It is approved between two looks, and succeeds then.
		resource.TestStep{
			PreConfig: func() {
				looks := 0
				y.clock.set(func() {
					switch looks++; looks {
					case 2:
						y.Must(http.MethodPatch, "/v1/actions/runs/"+y.run+"/approval", jsonv.Object{"status": "APPROVE", "description": "go"})
					case 4:
						y.Must(http.MethodPatch, "/v1/actions/runs/"+y.run, succeeds)
					}
				})
			},
			Config: config,
			Check: resource.ComposeTestCheckFunc(y.seen(true), resource.TestCheckResourceAttr(scaling, "status", "SUCCESS"), resource.TestCheckResourceAttr(scaling, "settled", "true"),
				resource.TestCheckResourceAttr(scaling, "approval.state", "APPROVED"), resource.TestCheckResourceAttr(scaling, "approval.description", "go")),
		},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan},
		// Asking something else asks anew; a declined run says why.
		resource.TestStep{
			PreConfig: func() {
				y.clock.set(func() {
					y.Call(http.MethodPatch, "/v1/actions/runs/"+y.latest()+"/approval", jsonv.Object{"status": "DECLINE", "description": "freeze"})
				})
			},
			Config: running(`action = "ask", entity = "cart", timeout = "3m", properties = jsonencode({ replicas = 2 })`), ExpectError: match("Reason: freeze"),
		},
	)
	if err := y.posted(2)(nil); err != nil {
		t.Error(err)
	}
}

func TestActionRunsAreNeverRunTwiceOnAGuess(t *testing.T) {
	t.Parallel()
	y := startYard(t)
	post := once(http.MethodPost, "/v1/actions/*/runs")
	config := running(`action = "scale", entity = "cart", wait_for = []`)
	y.account.run(
		resource.TestStep{
			PreConfig: func() {
				y.Fail(post, 1, portaltest.Failure{Status: http.StatusBadGateway, Message: "lost"})
				y.Forget()
			},
			Config: config, ExpectError: match("it is not run twice on a guess"),
		},
		resource.TestStep{
			PreConfig: y.Forget, Config: config,
			Check: resource.ComposeTestCheckFunc(y.sent(runPosts), resource.TestCheckResourceAttr(scaling, "status", "IN_PROGRESS")),
		},
		// Refreshing follows the run.
		resource.TestStep{
			PreConfig: func() { y.Must(http.MethodPatch, "/v1/actions/runs/"+y.latest(), succeeds) }, RefreshState: true,
			Check: resource.TestCheckResourceAttr(scaling, "status", "SUCCESS"),
		},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan},
		// What is wrong with a request is told where it is written.
		resource.TestStep{Config: running(`action = "scale", entity = "gone"`), ExpectError: match("not_found")},
		resource.TestStep{Config: running(`action = "scale", entity = "cart", properties = jsonencode({ replicas = "x" })`), ExpectError: match(`properties = jsonencode({ replicas = "x" })`)},
		resource.TestStep{Config: running(`action = "nothing"`), ExpectError: match("not_found")},
	)
}

func TestActionRunMistakesAreFoundBeforeAnythingIsDone(t *testing.T) {
	t.Parallel()
	y := startYard(t)
	for name, c := range map[string]struct{ body, want string }{
		"timeout":  {`action = "scale", timeout = "soon"`, "want a duration"},
		"statuses": {`action = "scale", wait_for = ["DONE"]`, "SUCCESS"},
		"inputs":   {`action = "scale", properties = "[]"`, "object"},
		"secrets":  {`action = "scale", secret_properties_wo = "x"`, "want the text of a JSON object"},
		"run_as":   {`action = "scale", run_as = "nobody"`, "e-mail"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := *y.account
			b.t = t
			b.run(resource.TestStep{Config: running(c.body), PlanOnly: true, ExpectError: match(c.want)})
		})
	}
}

// Secret inputs reach the backend and no file.
func TestActionRunSecretInputsAreInNoFile(t *testing.T) {
	t.Parallel()
	y := startYard(t)
	server := httptest.NewServer(y.Handler())
	t.Cleanup(server.Close)
	const secret = "hush-hush-42"
	body := `action = "scale", entity = "cart", wait_for = [], secret_properties_wo = jsonencode({ token = var.token }), secret_properties_wo_version = 1`
	u := newTerminal(t, source+"variable \"token\" {\n  type = string\n  ephemeral = true\n}\n"+running(body),
		"PORT_BASE_URL="+server.URL, "PORT_CLIENT_ID="+y.ClientID, "PORT_CLIENT_SECRET="+y.ClientSecret, "TF_VAR_token="+secret)
	u.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	y.Settle()
	id := y.latest()
	sent := y.Webhooks()
	if len(sent) != 1 || !strings.Contains(fmt.Sprint(sent), secret) {
		t.Errorf("the backend got %v", sent)
	}
	u.must(0, "apply", "-auto-approve", "-input=false", "-no-color", "-refresh-only")
	u.must(0, "plan", "-out=plan.bin", "-input=false", "-no-color", "-detailed-exitcode")
	u.write("main.tf", source+"variable \"token\" {\n  type = string\n  ephemeral = true\n}\n"+running(strings.ReplaceAll(body, "= 1", "= 2")))
	u.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	if y.latest() == id {
		t.Error("another version of the secret inputs did not run the action again")
	}
	for _, name := range []string{"terraform.tfstate", "terraform.tfstate.backup", "plan.bin"} {
		text, err := os.ReadFile(filepath.Join(u.Dir, name))
		if err != nil || len(text) == 0 {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(string(text), secret) {
			t.Errorf("%s holds the secret", name)
		}
	}
}

// Ctrl-C while a run is waited for loses nothing: the state holds the run, and the
// next apply goes on waiting for it. Until then its log is told as it comes.
func TestInterruptedWaitsGoOnWithTheSameRun(t *testing.T) {
	t.Parallel()
	y := startYard(t)
	server := httptest.NewServer(y.Handler())
	t.Cleanup(server.Close)
	u := newTerminal(t, source+running(`action = "scale", entity = "cart"`),
		"PORT_BASE_URL="+server.URL, "PORT_CLIENT_ID="+y.ClientID, "PORT_CLIENT_SECRET="+y.ClientSecret, "TF_LOG_PROVIDER=INFO")
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	look := portaltest.Match{Method: http.MethodGet, Path: "/v1/actions/runs/*/logs"}
	y.Before(look, func() { y.log(y.latest(), "step 1") })
	y.Before(look, interrupt)
	out, _, err := u.Run(ctx, "apply", "-auto-approve", "-input=false", "-no-color")
	if err == nil || !match("The wait was interrupted.").MatchString(out) {
		t.Fatalf("%v\n%s", err, out)
	}
	told := strings.Index(out, `message="step 1"`)
	if told < 0 || told > strings.Index(out, "was not waited for to the end") {
		t.Errorf("the log was not told before the end:\n%s", out)
	}
	id := y.latest()
	if shown := u.must(0, "state", "show", "-no-color", scaling); !strings.Contains(shown, "(tainted)") || !strings.Contains(shown, id) {
		t.Errorf("the state holds\n%s", shown)
	}
	y.Must(http.MethodPatch, "/v1/actions/runs/"+id, succeeds)
	out = u.must(0, "apply", "-auto-approve", "-input=false", "-no-color")
	if !strings.Contains(out, "Run "+id+" goes on") {
		t.Errorf("the plan does not say what goes on:\n%s", out)
	}
	if shown := u.must(0, "state", "show", "-no-color", scaling); strings.Contains(shown, "(tainted)") || !strings.Contains(shown, id) || !strings.Contains(shown, "3 replicas") {
		t.Errorf("the state holds\n%s", shown)
	}
	if err := y.posted(1)(nil); err != nil {
		t.Error(err)
	}
}

func TestActionRunsFollowTheNameOfTheirAction(t *testing.T) {
	t.Parallel()
	y := startYard(t)
	config := func(name string) string {
		return "resource \"port_action\" \"go\" {\n  identifier = \"" + name + "\"\n  self_service_trigger = { operation = \"CREATE\" }\n  kafka_method = {}\n}\n" +
			running(`action = port_action.go.identifier, wait_for = []`)
	}
	y.run = "none"
	y.account.run(
		resource.TestStep{PreConfig: y.Forget, Config: config("go"), Check: y.seen(false)},
		resource.TestStep{
			Config: config("went"), Check: resource.ComposeTestCheckFunc(y.seen(true), y.posted(1), resource.TestCheckResourceAttr(scaling, "action", "went")),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(scaling, plancheck.ResourceActionUpdate)}},
		},
	)
}
