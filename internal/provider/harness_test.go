package provider_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/provider"
)

// TestMain makes the acceptance tests run with the Terraform CLI on the PATH, so
// that none of them is skipped and nothing is downloaded.
func TestMain(m *testing.M) {
	// The CLI is started a thousand times, each time for a moment: collecting its garbage
	// is a fifth of what it does.
	const garbage = 400
	debug.SetGCPercent(garbage)
	for name, value := range map[string]string{"TF_ACC": "1", "CHECKPOINT_DISABLE": "1", "GOGC": strconv.Itoa(garbage)} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	if os.Getenv("TF_ACC_TERRAFORM_PATH") == "" {
		if cli, err := exec.LookPath("terraform"); err == nil {
			_ = os.Setenv("TF_ACC_TERRAFORM_PATH", cli)
		}
	}
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built)
	}
	os.Exit(code)
}

// account is a portal and the way providers reach it.
type account struct {
	*portaltest.Portal
	t       *testing.T
	options provider.Options
}

// open starts an empty account.
func open(t *testing.T, change ...func(*provider.Options)) *account {
	t.Helper()
	a := &account{Portal: portaltest.Start(t), t: t}
	a.options = provider.Options{
		Version:   "test",
		Transport: a.Transport(),
		Getenv: environment(map[string]string{
			"PORT_BASE_URL": portaltest.Embedded, "PORT_CLIENT_ID": a.ClientID, "PORT_CLIENT_SECRET": a.ClientSecret,
			"PORT_RATE_LIMIT_DISABLED": "1",
		}),
	}
	for _, c := range change {
		c(&a.options)
	}
	return a
}

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

// servers are the provider factories of a test case.
func (a *account) servers() map[string]func() (tfprotov6.ProviderServer, error) {
	return servers(a.options)
}

func servers(o provider.Options) map[string]func() (tfprotov6.ProviderServer, error) {
	return map[string]func() (tfprotov6.ProviderServer, error){
		"port": func() (tfprotov6.ProviderServer, error) {
			factory, _ := provider.NewServer(o)
			return factory(), nil
		},
	}
}

// run runs steps with the real Terraform CLI.
func (a *account) run(steps ...resource.TestStep) {
	a.t.Helper()
	resource.Test(a.t, resource.TestCase{ProtoV6ProviderFactories: a.servers(), Steps: steps})
}

// life is one resource from creation to destruction; the steps are the same for
// all.
type life struct {
	// at is the address, "port_blueprint.this".
	at string
	// created and updated are configurations; the second changes the first in
	// place and must change nothing but what it says.
	created, updated string
	// path is where the object can be read and deleted, for the drift steps.
	path string
	// importID finds it; ignore are attributes that no server knows.
	importID string
	ignore   []string
	// drift changes the object behind Terraform's back; the plan must then want
	// to set exactly these attributes.
	drift func()
	shows []string
}

func (a *account) live(l life) {
	a.t.Helper()
	steps := []resource.TestStep{
		{Config: l.created},
		{Config: l.created, PlanOnly: true},
		{Config: l.updated, ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
			plancheck.ExpectResourceAction(l.at, plancheck.ResourceActionUpdate),
		}}},
		{Config: l.updated, PlanOnly: true},
		{
			ResourceName: l.at, ImportState: true, ImportStateId: l.importID,
			ImportStateVerify: true, ImportStateVerifyIgnore: l.ignore,
		},
	}
	if l.drift != nil {
		steps = append(steps,
			resource.TestStep{
				PreConfig: l.drift, Config: l.updated,
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{changes{l.at, l.shows}}},
			},
			resource.TestStep{Config: l.updated, PlanOnly: true},
		)
	}
	steps = append(steps,
		// Deleted by hand: the plan wants it back.
		resource.TestStep{
			PreConfig: func() { a.Must(http.MethodDelete, l.path, nil) }, Config: l.updated,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(l.at, plancheck.ResourceActionCreate),
			}},
		},
		// Deleted by hand once more: destroying what is gone succeeds (O5).
		resource.TestStep{PreConfig: func() { a.Must(http.MethodDelete, l.path, nil) }, Config: l.updated, Destroy: true},
	)
	a.run(steps...)
}

// changes is a plan check: exactly these top-level attributes change, and
// besides them only updated_at and updated_by.
type changes struct {
	at    string
	names []string
}

// CheckPlan implements plancheck.PlanCheck.
func (c changes) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	want := map[string]bool{"updated_at": true, "updated_by": true}
	for _, n := range c.names {
		want[n] = true
	}
	for _, r := range req.Plan.ResourceChanges {
		if r.Address != c.at {
			continue
		}
		before, _ := r.Change.Before.(map[string]any)
		after, _ := r.Change.After.(map[string]any)
		unknown, _ := r.Change.AfterUnknown.(map[string]any)
		seen := map[string]bool{}
		for name := range before {
			unknownNow := unknown[name] == true
			if unknownNow || fmt.Sprint(before[name]) != fmt.Sprint(after[name]) {
				seen[name] = true
			}
		}
		for name := range seen {
			if !want[name] {
				resp.Error = fmt.Errorf("%s: attribute %s changes from %v to %v (unknown: %v) and should not", c.at, name, before[name], after[name], unknown[name])
				return
			}
		}
		for name := range want {
			if !seen[name] && name != "updated_at" && name != "updated_by" {
				resp.Error = fmt.Errorf("%s: attribute %s does not change and should; plan: %v", c.at, name, r.Change.Actions)
				return
			}
		}
		return
	}
	resp.Error = fmt.Errorf("%s is not in the plan", c.at)
}

// emptyPlan is the check of a step that must change nothing.
var emptyPlan = resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}

// match makes a pattern of literal words that may be wrapped over lines.
func match(words string) *regexp.Regexp {
	parts := strings.Fields(words)
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile(strings.Join(parts, `[\s│]+`))
}

// sent checks which writes the portal got since it forgot.
func (a *account) sent(want ...string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		var got []string
		for _, r := range a.Requests() {
			if r.Method != http.MethodGet && !strings.HasSuffix(r.Path, "/access_token") && !strings.HasSuffix(r.Path, "/search") {
				got = append(got, r.Method+" "+r.Path)
			}
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("writes: %q, want %q", got, want)
		}
		return nil
	}
}

// bothWays runs a test with the server's shortcuts in the short run and, in the long
// suites, which find it by its name, without them.
func bothWays(t *testing.T, test func(t *testing.T, change func(*provider.Options))) {
	inLong := os.Getenv("PORT_LONG") != ""
	for name, without := range map[string]bool{"shortcuts": false, "framework": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if without != inLong {
				t.Skip("the shortcuts run in the short suites, the framework's way in the long ones")
			}
			test(t, func(o *provider.Options) { o.WithoutShortcuts = without })
		})
	}
}

// long leaves a test that runs the real CLI very often to the long suites, which
// find it by its name.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv("PORT_LONG") == "" {
		t.Skip("runs in the long suites: it takes the CLI dozens of times")
	}
}

// enough tells in the short run that so many steps with the real CLI will do: of the
// cases of a map it takes a handful, others each time. The long suites, which find
// the test by its name, take all.
func enough(steps []resource.TestStep) bool { return os.Getenv("PORT_LONG") == "" && len(steps) > 6 }

// once selects the requests of one operation.
func once(method, path string) portaltest.Match { return portaltest.Match{Method: method, Path: path} }

// refused is a failure that no client retries.
var refused = portaltest.Failure{Status: http.StatusForbidden, Code: "missing_permissions", Message: "not today"}

// only is a plan check: nothing but these attributes changes, and nothing becomes
// unknown.
type only struct{ at, name string }

// CheckPlan implements plancheck.PlanCheck.
func (o only) CheckPlan(ctx context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	changes{o.at, []string{o.name}}.CheckPlan(ctx, req, resp)
	for _, r := range req.Plan.ResourceChanges {
		if unknown, _ := r.Change.AfterUnknown.(map[string]any); r.Address == o.at && len(trues(unknown)) > 0 {
			resp.Error = fmt.Errorf("%s: unknown after apply: %v", o.at, trues(unknown))
		}
	}
}

func trues(m map[string]any) []string {
	var out []string
	for k, v := range m {
		if v == true {
			out = append(out, k)
		}
	}
	return out
}

// named says which of several cases a failing check belongs to.
type named struct {
	name string
	plancheck.PlanCheck
}

// CheckPlan implements plancheck.PlanCheck.
func (n named) CheckPlan(ctx context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	n.PlanCheck.CheckPlan(ctx, req, resp)
	if resp.Error != nil {
		resp.Error = fmt.Errorf("%s: %w", n.name, resp.Error)
	}
}

func sortedKeys(m jsonv.Object) []string { return slices.Sorted(maps.Keys(m)) }
