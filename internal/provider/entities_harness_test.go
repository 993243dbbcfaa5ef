package provider_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// elementChanges is a plan check: of the entities of a group exactly these
// change, come or go.
type elementChanges struct {
	at  string
	ids []string
}

// CheckPlan implements plancheck.PlanCheck.
func (c elementChanges) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	for _, r := range req.Plan.ResourceChanges {
		if r.Address != c.at {
			continue
		}
		side := func(v any) map[string]any {
			o, _ := v.(map[string]any)
			m, _ := o["entities"].(map[string]any)
			return m
		}
		before, after := side(r.Change.Before), side(r.Change.After)
		got := []string{}
		for id := range after {
			if !cmp.Equal(before[id], after[id]) {
				got = append(got, id)
			}
		}
		for id := range before {
			if _, stays := after[id]; !stays {
				got = append(got, id)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(c.ids, got); diff != "" {
			resp.Error = fmt.Errorf("%s: other entities change (-want +got):\n%s", c.at, diff)
		}
		return
	}
	resp.Error = fmt.Errorf("%s is not in the plan", c.at)
}

// has checks which entities a blueprint has, in any order.
func (a *account) has(blueprint string, want ...string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		got := []string{}
		for _, e := range jsonv.List(a.Must(http.MethodGet, "/v1/blueprints/"+blueprint+"/entities", nil), "entities") {
			got = append(got, jsonv.String(e, "identifier"))
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
			return fmt.Errorf("entities of blueprint %s (-want +got):\n%s", blueprint, diff)
		}
		return nil
	}
}

// wrote checks which entities bulk upserts sent since the portal forgot.
func (a *account) wrote(want ...string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		got := []string{}
		for _, r := range a.Requests() {
			if r.Method != http.MethodPost || !strings.HasSuffix(r.Path, "/entities/bulk") {
				continue
			}
			body, err := jsonv.DecodeObject([]byte(r.Body))
			if err != nil {
				return err
			}
			for _, e := range jsonv.List(body, "entities") {
				got = append(got, jsonv.String(e, "identifier"))
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(slices.Sorted(slices.Values(want)), got); diff != "" {
			return fmt.Errorf("entities sent (-want +got):\n%s", diff)
		}
		return nil
	}
}
