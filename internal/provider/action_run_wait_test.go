package provider

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// hurried is a clock whose waits are over at once.
type hurried struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hurried) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// After implements portapi.Clock.
func (h *hurried) After(d time.Duration) <-chan time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
	out := make(chan time.Time, 1)
	out <- h.now
	return out
}

// However a wait ends that does not bring what was wanted, the error tells all that
// is known of the run, and the state holds it.
func TestAWaitInVainTellsWhatIsKnown(t *testing.T) {
	t.Parallel()
	const inputs, token, key = `{"token": "hush-hush", "key": "hush-hush and more\nits second line\n}"}`, "hush-hush", "hush-hush and more\n+\nits second line }"
	for name, c := range map[string]struct {
		// meanwhile happens during the first look at the run.
		meanwhile func(p *portaltest.Portal, server protocol, run string)
		approval  bool
		status    string
		settled   bool
		// logs, votes are how many the state holds.
		logs, votes int
		want        []string
	}{
		"failed": {
			meanwhile: func(p *portaltest.Portal, _ protocol, run string) {
				for i := range 25 {
					p.Must(http.MethodPost, run+"/logs", jsonv.Object{"message": fmt.Sprintf("line %d %s\nand more", i+1, token)})
				}
				p.Must(http.MethodPatch, run, jsonv.Object{
					"status": "FAILURE", "statusLabel": "Quota", "summary": "no room for " + key, "link": []any{"https://ci/1", "https://ci/2?" + token},
				})
			},
			status: runFailure, settled: true, logs: 25,
			want: []string{
				"ERROR: Run ID of action scale failed: Status: Quota", "Summary: no room for ***", "+", "*** }", "See https://ci/1", "See https://ci/2?***", "The next apply runs the action again.",
				"", "Last 20 of 25 log lines of the run:", "  line 6 ***", "  and more", "  line 7 ***",
			},
		},
		"declined": {
			meanwhile: func(p *portaltest.Portal, _ protocol, run string) {
				p.Must(http.MethodPatch, run+"/approval", jsonv.Object{"status": "DECLINE", "description": "freeze"})
			},
			approval: true, status: runDeclined, settled: true, votes: 1,
			want: []string{"ERROR: Run ID of action scale was declined: Declined by CLIENT.", "Reason: freeze", "The next apply runs the action again."},
		},
		"timed out": {
			meanwhile: func(p *portaltest.Portal, _ protocol, run string) {
				p.Must(http.MethodPost, run+"/logs", jsonv.Object{"message": "one", "statusLabel": "Busy"})
			},
			status: runGoing,
			want: []string{
				"ERROR: Run ID of action scale was not waited for to the end: It is IN_PROGRESS after 2m0s.",
				"The next apply goes on waiting for it and does not run the action again.", "", "Log of the run:", "  one",
			},
		},
		"not approved in time": {
			meanwhile: func(*portaltest.Portal, protocol, string) {}, approval: true, status: runWaiting,
			want: []string{
				"ERROR: Run ID of action scale was not waited for to the end: It is WAITING_FOR_APPROVAL after 2m0s. Somebody has to approve it.",
				"The next apply goes on waiting for it and does not run the action again.",
			},
		},
		"interrupted": {
			meanwhile: func(_ *portaltest.Portal, server protocol, _ string) {
				if _, err := server.StopProvider(context.Background(), &tfprotov6.StopProviderRequest{}); err != nil {
					t.Error(err)
				}
			},
			status: runGoing,
			want: []string{
				"ERROR: Run ID of action scale was not waited for to the end: The wait was interrupted.",
				"The next apply goes on waiting for it and does not run the action again.",
			},
		},
		"out of sight": {
			meanwhile: func(p *portaltest.Portal, _ protocol, run string) {
				p.Fail(portaltest.Match{Method: http.MethodGet, Path: run}, portaltest.Forever, portaltest.Failure{Status: http.StatusForbidden, Code: "missing_permissions", Message: "not today"})
			},
			status: runGoing,
			want: []string{
				"ERROR: Run ID of action scale was not waited for to the end: It could not be looked at.",
				"The next apply goes on waiting for it and does not run the action again.", "", "not today (missing_permissions, GET /v1/actions/runs/ID, status 403, TRACE)",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := portaltest.Start(t)
			p.Must(http.MethodPost, "/v1/actions", jsonv.Object{
				"identifier": "scale", "requiredApproval": c.approval, "invocationMethod": jsonv.Object{"type": "WEBHOOK", "url": "https://ops.example.com"},
				"trigger": jsonv.Object{"type": "self-service", "operation": "CREATE", "userInputs": jsonv.Object{"properties": jsonv.Object{"token": jsonv.Object{"type": "string"}, "key": jsonv.Object{"type": "string"}}}},
			})
			server, k := connect(t, p, func(o *Options) { o.Client = func(c *portapi.Options) { c.Clock = &hurried{now: time.Unix(1e9, 0)} } }), kindOf(t, "action_run")
			p.Before(portaltest.Match{Method: http.MethodGet, Path: "/v1/actions/runs/*/logs"}, func() {
				runs := jsonv.List(p.Must(http.MethodGet, "/v1/actions/runs", nil), "runs")
				if len(runs) != 1 {
					t.Fatalf("%d runs", len(runs))
				}
				c.meanwhile(p, server, "/v1/actions/runs/"+jsonv.String(jsonv.Map(runs[0]), "id"))
			})
			state, said := server.applied(k, config(t, k, `{"action": "scale", "timeout": "2m", "secret_properties_wo": `+string(jsonv.Encode(inputs))+`}`), k.null, nil)
			held := lens.AsObj(state)
			id := lens.AsText(held["run_id"])
			if !regexp.MustCompile(`^r_\w{16}$`).MatchString(id) {
				t.Errorf("the state does not say which run it is: %s", state)
			}
			if got := lens.AsText(held["status"]); got != c.status || lens.AsBool(held["settled"]) != c.settled || lens.Nothing(held["settled"]) {
				t.Errorf("the state holds %s, settled %s; want %s, %v", got, held["settled"], c.status, c.settled)
			}
			if logs, votes := len(lens.AsList(held["logs"])), len(lens.AsList(held["approvers"])); logs != c.logs || votes != c.votes {
				t.Errorf("the state holds %d log lines and %d votes, want %d and %d", logs, votes, c.logs, c.votes)
			}
			said = strings.NewReplacer(id, "ID", p.ClientID, "CLIENT").Replace(said)
			got := strings.Split(regexp.MustCompile(`request id \w+`).ReplaceAllLiteralString(said, "TRACE"), "\n")
			if diff := cmp.Diff(c.want, got[:min(len(got), len(c.want))]); diff != "" {
				t.Errorf("%s\nin\n%s", diff, said)
			}
			if strings.Contains(said, token) || strings.Contains(said, "second line") {
				t.Errorf("the error repeats a secret: %s", said)
			}
		})
	}
}

// A vote stands whatever becomes of the run: who waits in vain for the run looks at it
// again, and does not vote again.
func TestAVoteStandsWhateverBecomesOfTheRun(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	p.Must(http.MethodPost, "/v1/actions", jsonv.Object{
		"identifier": "scale", "requiredApproval": true, "invocationMethod": jsonv.Object{"type": "WEBHOOK", "url": "https://ops.example.com"},
		"trigger": jsonv.Object{"type": "self-service", "operation": "CREATE", "userInputs": jsonv.Object{"properties": jsonv.Object{}}},
	})
	server, k := connect(t, p, func(o *Options) { o.Client = func(c *portapi.Options) { c.Clock = &hurried{now: time.Unix(1e9, 0)} } }), kindOf(t, "action_run_approval")
	for end, want := range map[string]string{"SUCCESS": "", "FAILURE": "of action scale failed: The vote stands; the next apply looks at the run again."} {
		id := jsonv.String(p.Must(http.MethodPost, "/v1/actions/scale/runs", jsonv.Object{"properties": jsonv.Object{}}), "run", "id")
		vote := func(decision string) tftypes.Value {
			return config(t, k, `{"run_id": "`+id+`", "decision": "`+decision+`", "description": "go", "wait_for": ["SUCCESS"], "timeout": "1m", "show_logs": false}`)
		}
		state, said := server.applied(k, vote("APPROVE"), k.null, nil)
		if !strings.Contains(said, "It is IN_PROGRESS after 1m0s.\nThe vote stands; the next apply looks at the run again.") {
			t.Errorf("%s: %s", end, said)
		}
		if held := lens.AsObj(state); lens.AsText(held["run_id"]) != id || lens.AsText(held["decision"]) != "APPROVE" || lens.AsText(held["run_status"]) != runGoing || lens.AsText(held["decided_by"]) != p.ClientID {
			t.Errorf("%s: the state holds %s", end, state)
		}
		p.Must(http.MethodPatch, "/v1/actions/runs/"+id, jsonv.Object{"status": end})
		state, said = server.applied(k, vote("APPROVE"), k.null, nil)
		if want == "" && said != "" || !strings.Contains(said, want) || lens.AsText(lens.AsObj(state)["run_status"]) != end {
			t.Errorf("%s: %s, and the state holds %s", end, said, state)
		}
		if votes := jsonv.List(p.Must(http.MethodGet, "/v1/actions/runs/"+id+"/approvers", nil), "approvers"); len(votes) != 1 {
			t.Errorf("%s: the votes are %v", end, votes)
		}
		if state, said = server.applied(k, vote("DECLINE"), k.null, nil); !strings.Contains(said, "run_not_waiting_for_approval") || !state.IsNull() {
			t.Errorf("%s: another decision: %s", end, said)
		}
	}
}

// A wait in vain says whom the run waits for.
func TestAWaitSaysWhoHasNotBegunTheRun(t *testing.T) {
	t.Parallel()
	for want, method := range map[string]string{
		"It is IN_PROGRESS after 2m0s. Nothing has begun it so far: it waits for a relay.\n":            `{"type": "GITLAB", "projectName": "p", "groupName": "g"}`,
		"It is IN_PROGRESS after 2m0s. Nothing has begun it so far: it waits for the integration ci.\n": `{"type": "INTEGRATION_ACTION", "installationId": "ci", "integrationActionType": "dispatch_workflow", "integrationActionExecutionProperties": {"org": "o", "repo": "r", "workflow": "w"}}`,
		"It is IN_PROGRESS after 2m0s.\n": `{"type": "KAFKA"}`,
	} {
		p := portaltest.Start(t)
		p.Must(http.MethodPost, "/v1/actions", decoded(t, `{"identifier": "a", "invocationMethod": `+method+`, "trigger": {"type": "self-service", "operation": "CREATE", "userInputs": {"properties": {}}}}`))
		server, k := connect(t, p, func(o *Options) { o.Client = func(c *portapi.Options) { c.Clock = &hurried{now: time.Unix(1e9, 0)} } }), kindOf(t, "action_run")
		if _, said := server.applied(k, config(t, k, `{"action": "a", "timeout": "2m"}`), k.null, nil); !strings.Contains(said, want) {
			t.Errorf("%s, want %s", said, want)
		}
	}
}

// Whoever is refused a vote is told that approvers of today are not those of a run of
// yesterday.
func TestARefusedVoteSaysWhoIsAsked(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t)
	p.Must(http.MethodPost, "/v1/actions", decoded(t, `{"identifier": "a", "requiredApproval": true, "invocationMethod": {"type": "KAFKA"}, "trigger": {"type": "self-service", "operation": "CREATE", "userInputs": {"properties": {}}}}`))
	id := jsonv.String(p.Must(http.MethodPost, "/v1/actions/a/runs", jsonv.Object{"properties": jsonv.Object{}}), "run", "id")
	p.Fail(portaltest.Match{Method: http.MethodPatch, Path: "/v1/actions/runs/*/approval"}, 1, portaltest.Failure{Status: http.StatusForbidden, Code: "missing_permissions", Message: "not you"})
	server, k := connect(t, p), kindOf(t, "action_run_approval")
	state, said := server.applied(k, config(t, k, `{"run_id": "`+id+`", "decision": "APPROVE"}`), k.null, nil)
	if !strings.Contains(said, "Who is asked for an approval is settled when the run is made.") || !strings.Contains(said, "not you (missing_permissions") || !state.IsNull() {
		t.Errorf("%s %s", said, state)
	}
}
