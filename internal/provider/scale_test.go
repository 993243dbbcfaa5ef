package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

// Fifteen hundred entities are refreshed in at most twenty requests.
func TestManyEntitiesRefreshInFewRequests(t *testing.T) {
	t.Parallel()
	const many = 1500
	a := open(t)
	a.Seed(catalogSeed)
	config := fmt.Sprintf(`resource "port_entity" "many" {
  count      = %d
  blueprint  = "service"
  identifier = "s${count.index}"
  title      = "Service ${count.index}"
  properties = {
    string_props = { lang = "go" }
    array_props  = { number_items = { ports = [count.index] } }
  }
  relations = { single_relations = { env = "prod" } }
}`, many)
	var planning []string
	a.run(
		resource.TestStep{Config: config},
		resource.TestStep{Config: config, PlanOnly: true, PreConfig: a.Forget},
		resource.TestStep{Config: config, PlanOnly: true, PreConfig: func() {
			for _, r := range a.Requests() {
				planning = append(planning, r.Method+" "+r.Path)
			}
		}},
	)
	// A step plans more than once; each time a provider logs in anew.
	plans := strings.Split(strings.Join(planning, "\n")+"\n", "POST /v1/auth/access_token\n")[1:]
	reading := 0
	for _, p := range plans {
		requests := strings.Count(p, "\n")
		if requests > 20 {
			t.Errorf("%d requests for one plan of %d entities", requests, many)
		}
		if requests > 0 {
			reading++
			t.Logf("%d requests: %.300s", requests, strings.ReplaceAll(p, "\n", ", "))
		}
	}
	if reading == 0 {
		t.Error("no plan read anything")
	}
}
