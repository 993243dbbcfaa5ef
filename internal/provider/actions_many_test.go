package provider

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// actionCalls counts requests of actions, of whichever.
func actionCalls(p *portaltest.Portal) map[string]int {
	count := map[string]int{}
	for _, r := range p.Requests() {
		parts := strings.Split(strings.Trim(r.Path, "/"), "/")
		if len(parts) > 2 {
			parts[2] = "*"
		}
		if len(parts) > 1 && parts[1] == "actions" {
			count[r.Method+" "+strings.Join(parts[1:], "/")]++
		}
	}
	p.Forget()
	return count
}

// A plan of many actions asks for the list of them and not for each; only their
// permissions, of which Port has no list, are read one by one, and not even these
// when the plan is to make their actions.
func TestManyActionsTakeFewRequests(t *testing.T) {
	t.Parallel()
	const many = 40
	p := portaltest.Start(t, portaltest.Options{Unchecked: true})
	p.Must(http.MethodPost, "/v1/actions", decoded(t, `{"identifier": "a39", "title": "Theirs", "invocationMethod": {"type": "KAFKA"}, "trigger": {"type": "self-service", "operation": "CREATE", "userInputs": {"properties": {}}}}`))
	p.Forget()
	action, permissions := kindOf(t, "action"), kindOf(t, "action_permissions")
	configs := func(i int) (tftypes.Value, tftypes.Value) {
		return config(t, action, fmt.Sprintf(`{"identifier": "a%d", "title": "A", "kafka_method": {}, "self_service_trigger": {"operation": "CREATE"}}`, i)),
			config(t, permissions, fmt.Sprintf(`{"action_identifier": "a%d", "permissions": {"execute": {"roles": ["Member"]}, "approve": {}}}`, i))
	}
	counted := func(what string, want map[string]int) {
		t.Helper()
		if diff := cmp.Diff(want, actionCalls(p)); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	planning := connect(t, p)
	for i := range many {
		a, m := configs(i)
		said := planning.planned(action, a, action.null)
		if got := strings.Contains(said, "already exists"); got != (i == many-1) {
			t.Errorf("action %d: announced: %v", i, got)
		}
		planning.planned(permissions, m, permissions.null)
	}
	counted("plan of a creation", map[string]int{"GET actions": 1, "GET actions/*": 4, "GET actions/*/permissions": 3})

	applying := connect(t, p)
	states := [2][]tftypes.Value{}
	for i := range many {
		a, m := configs(i)
		for n, l := range []life{{applying, action}, {applying, permissions}} {
			state, err := l.apply([]tftypes.Value{a, m}[n], l.k.null)
			if err != nil {
				t.Fatal(err)
			}
			states[n] = append(states[n], state)
		}
	}
	made := actionCalls(p)
	if got := made["GET actions"] + made["GET actions/*"]; got > 7 || made["GET actions/*/permissions"] > many+4 {
		t.Errorf("creation: %v", made)
	}

	reading := connect(t, p)
	for n, k := range []*kind{action, permissions} {
		for _, state := range states[n] {
			if again, _ := reading.read(k, state); !lens.Equal(again, state) {
				t.Errorf("the refreshed state differs: %v", again)
			}
		}
	}
	counted("refresh", map[string]int{"GET actions": 1, "GET actions/*": 10, "GET actions/*/permissions": many})
}
