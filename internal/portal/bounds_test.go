package portal_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// endless is the n-th of programs that never end, each another text.
func endless(n int) string { return fmt.Sprintf("%d | last(range(1e12))", n) }

// onStores runs a test with a portal on the machine's clock in memory and on a file.
func onStores(t *testing.T, test func(t *testing.T, p *portaltest.Portal)) {
	t.Helper()
	for _, storage := range []string{"memory", "sqlite"} {
		t.Run(storage, func(t *testing.T) {
			t.Parallel()
			o := portaltest.Options{RealClock: true, Seed: benchBlueprint, ClientID: portaltest.ClientID, ClientSecret: "port-secret-for-tests-0123456789abcdef"}
			if storage == "sqlite" {
				o.DataFile = filepath.Join(t.TempDir(), "portal.db")
			}
			p := portaltest.Start(t, o)
			p.Backend("https://ops.example.com/*", portaltest.Backend{})
			test(t, p)
		})
	}
}

// whileWriting does something that takes long beside somebody who changes an entity, none
// of whose writes may wait for half of it.
func whileWriting(t *testing.T, p *portaltest.Portal, do func()) (took time.Duration) {
	t.Helper()
	var wg sync.WaitGroup
	stop := make(chan struct{})
	longest, writes := time.Duration(0), 0
	wg.Go(func() {
		for ; ; writes++ {
			select {
			case <-stop:
				return
			default:
			}
			began := time.Now()
			if a := p.Call(http.MethodPatch, "/v1/blueprints/team/entities/core", jsonv.Object{"title": fmt.Sprint("t", writes)}); a.Status != http.StatusOK {
				t.Errorf("%d %s", a.Status, a.Text)
			}
			longest = max(longest, time.Since(began))
		}
	})
	began := time.Now()
	do()
	took = time.Since(began)
	close(stop)
	wg.Wait()
	if writes == 0 || took > time.Second && longest > took/2 {
		t.Errorf("%d writes in %s, one of them waited %s", writes, took, longest)
	}
	return took
}

func makeAction(p *portaltest.Portal, id string, more jsonv.Object) {
	action := jsonv.Object{
		"identifier": id, "trigger": jsonv.Object{"type": "self-service", "operation": "CREATE", "userInputs": jsonv.Object{"properties": jsonv.Object{}}},
		"invocationMethod": jsonv.Object{"type": "WEBHOOK", "url": "https://ops.example.com/x"},
	}
	for key, v := range more {
		action[key] = v
	}
	p.Must(http.MethodPost, "/v1/actions", action)
}

func inputsOf(properties jsonv.Object) jsonv.Object {
	return jsonv.Object{"trigger": jsonv.Object{"type": "self-service", "operation": "CREATE", "userInputs": jsonv.Object{"properties": properties}}}
}

func execute(p *portaltest.Portal, action string) portaltest.Answer {
	return p.Call(http.MethodPost, "/v1/actions/"+action+"/runs", jsonv.Object{"properties": jsonv.Object{}})
}

// TestAFormOfProgramsWithoutEndIsRefusedInTimeAndHoldsUpNobody: 200 inputs, each with
// four programs that nobody could wait for.
func TestAFormOfProgramsWithoutEndIsRefusedInTimeAndHoldsUpNobody(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, p *portaltest.Portal) {
		form := jsonv.Object{}
		for n := range 200 {
			q := func(i int) jsonv.Object { return jsonv.Object{"jqQuery": endless(4*n + i)} }
			form[fmt.Sprint("i", n)] = jsonv.Object{"type": "string", "default": q(0), "visible": q(1), "enum": q(2), "pattern": q(3)}
		}
		makeAction(p, "hostile", inputsOf(form))
		var answer portaltest.Answer
		took := whileWriting(t, p, func() { answer = execute(p, "hostile") })
		if answer.Status != http.StatusUnprocessableEntity || !strings.Contains(answer.Text, "the programs of the form take longer than") {
			t.Errorf("%d %s", answer.Status, answer.Text)
		}
		if took > 6*time.Second {
			t.Errorf("the answer took %s", took)
		}
	})
}

// TestSlowProgramsCountAsEverAndHoldUpNobody: what takes longer than an update may is
// worked out beforehand, with the same outcome. The input is computed from a secret one
// and the body from both, so everything of the rehearsal must come again.
func TestSlowProgramsCountAsEverAndHoldUpNobody(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, p *portaltest.Portal) {
		slowly := func(text string) string { return "(reduce range(60000) as $i (0; . + 1)) as $n | " + text }
		more := inputsOf(jsonv.Object{
			"a":      jsonv.Object{"type": "number", "default": jsonv.Object{"jqQuery": slowly("$n + 1")}},
			"b":      jsonv.Object{"type": "number", "default": jsonv.Object{"jqQuery": slowly(".form.a + 1")}, "dependsOn": []any{"a"}},
			"secret": jsonv.Object{"type": "string", "encryption": "aes256-gcm", "default": "hunter2"},
		})
		more["invocationMethod"] = jsonv.Object{"type": "WEBHOOK", "url": "https://ops.example.com/x", "body": jsonv.Object{
			"b": "{{ " + slowly(".inputs.b") + " }}", "run": "{{ " + slowly(".run.id") + " }}", "secret": "{{ " + slowly(".inputs.secret") + " }}", "at": "{{ " + slowly(".trigger.at") + " }}",
		}}
		makeAction(p, "slow", more)
		for range 2 {
			var answer portaltest.Answer
			whileWriting(t, p, func() { answer = execute(p, "slow") })
			if answer.Status != http.StatusAccepted {
				t.Fatalf("%d %s", answer.Status, answer.Text)
			}
			run := jsonv.Map(answer.Body, "run")
			body := jsonv.Map(run, "payload", "body")
			if !jsonv.Equal(body["b"], jsonv.Int(60002)) || body["run"] != run["id"] || jsonv.String(body, "secret") == "" || body["at"] != run["createdAt"] {
				t.Errorf("body %v of run %v created at %v", body, run["id"], run["createdAt"])
			}
		}
	})
}

func TestProgramsOfPoliciesAndTemplatesHoldUpNobodyLong(t *testing.T) {
	t.Parallel()
	if os.Getenv("PORT_LONG") == "" {
		t.Skip("set PORT_LONG=1")
	}
	onStores(t, func(t *testing.T, p *portaltest.Portal) {
		body, conditions, queries := jsonv.Object{}, []any{}, jsonv.Object{}
		for n := range 100 {
			body[fmt.Sprint("b", n)] = "{{ " + endless(1000+n) + " }}"
			conditions = append(conditions, endless(2000+n))
			queries[fmt.Sprint("q", n)] = jsonv.Object{"combinator": "and", "rules": []any{jsonv.Object{"property": "$identifier", "operator": "=", "value": "{{ " + endless(3000+n) + " }}"}}}
		}
		makeAction(p, "template", jsonv.Object{"invocationMethod": jsonv.Object{"type": "WEBHOOK", "url": "https://ops.example.com/x", "body": body}})
		makeAction(p, "policy", jsonv.Object{"requiredApproval": true})
		p.Must(http.MethodPatch, "/v1/actions/policy/permissions", jsonv.Object{"approve": jsonv.Object{"policy": jsonv.Object{"queries": queries, "conditions": conditions}}})

		var answer portaltest.Answer
		if took := whileWriting(t, p, func() { answer = execute(p, "template") }); took > 9*time.Second {
			t.Errorf("the answer took %s", took)
		}
		run := jsonv.Map(answer.Body, "run")
		logs := string(jsonv.Encode(p.Must(http.MethodGet, "/v1/actions/runs/"+jsonv.String(run, "id")+"/logs", nil)))
		if answer.Status != http.StatusAccepted || run["status"] != "FAILURE" || !strings.Contains(logs, "take too long together") {
			t.Errorf("%d %s %s", answer.Status, answer.Text, logs)
		}
		if took := whileWriting(t, p, func() { answer = execute(p, "policy") }); took > 9*time.Second {
			t.Errorf("the answer took %s", took)
		}
		if status := jsonv.String(answer.Body, "run", "status"); answer.Status != http.StatusAccepted || status != "WAITING_FOR_APPROVAL" {
			t.Errorf("%d %s", answer.Status, answer.Text)
		}
	})
}

// TestAHostileAutomationHoldsUpNeitherOthersNorWritersLong: of two automations that
// listen to the same events one has programs without end, in its condition and in what
// it sends.
func TestAHostileAutomationHoldsUpNeitherOthersNorWritersLong(t *testing.T) {
	t.Parallel()
	if os.Getenv("PORT_LONG") == "" {
		t.Skip("set PORT_LONG=1")
	}
	onStores(t, func(t *testing.T, p *portaltest.Portal) {
		body, conditions := jsonv.Object{}, []any{}
		for n := range 100 {
			body[fmt.Sprint("b", n)] = "{{ " + endless(4000+n) + " }}"
			conditions = append(conditions, endless(5000+n))
		}
		react := func(id string, condition []any, body any) {
			trigger := jsonv.Object{"type": "automation", "event": jsonv.Object{"type": "ENTITY_CREATED", "blueprintIdentifier": "service"}}
			if condition != nil {
				trigger["condition"] = jsonv.Object{"type": "JQ", "combinator": "or", "expressions": condition}
			}
			makeAction(p, id, jsonv.Object{"trigger": trigger, "publish": true, "invocationMethod": jsonv.Object{"type": "WEBHOOK", "url": "https://ops.example.com/" + id, "body": body}})
		}
		react("body", nil, body)
		react("condition", conditions, jsonv.Object{})
		react("innocent", nil, jsonv.Object{"e": "{{ .event.diff.after.identifier }}"})
		const many = 40
		took := whileWriting(t, p, func() {
			for n := range many {
				p.Must(http.MethodPost, "/v1/blueprints/service/entities", jsonv.Object{"identifier": fmt.Sprint("s", n)})
			}
			p.Settle()
		})
		if took > 30*time.Second {
			t.Errorf("%d events took %s", many, took)
		}
		for id, want := range map[string]int{"innocent": many, "body": many, "condition": 0} {
			list := jsonv.List(p.Must(http.MethodGet, "/v1/actions/runs?limit=100&action="+id, nil), "runs")
			if len(list) != want {
				t.Errorf("%s: %d runs, want %d", id, len(list), want)
			}
			for _, run := range list {
				if failed := jsonv.String(run, "status") == "FAILURE"; failed != (id == "body") {
					t.Errorf("%s: %v", id, run)
				}
			}
		}
		said := string(jsonv.Encode(p.Must(http.MethodGet, "/v1/audit-log?status=FAILURE", nil)))
		if !strings.Contains(said, `the conditions of automation \"condition\" take too long`) {
			t.Errorf("the audit log does not say why: %.300s", said)
		}
	})
}
