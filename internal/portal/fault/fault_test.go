package fault_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/portal/fault"
)

func TestProblemsAreReportedTogetherAndSorted(t *testing.T) {
	t.Parallel()
	var p fault.Problems
	p.Add("/title", "must not be empty")
	p.Add("/identifier", "has a space")
	p = append(p, fault.Problem{Path: "/properties/tier", Message: "missing", Property: "tier", Reason: "missing_required_property"})
	var f *fault.Fault
	if err := p.Invalid(); !errors.As(err, &f) {
		t.Fatalf("want a fault, got %v", err)
	}
	want := []any{
		map[string]any{"path": "/identifier", "message": "has a space"},
		map[string]any{"path": "/properties/tier", "message": "missing", "property": "tier", "reason": "missing_required_property"},
		map[string]any{"path": "/title", "message": "must not be empty"},
	}
	if diff := cmp.Diff(want, f.Details["errors"]); diff != "" {
		t.Error(diff)
	}
	if f.Status != 422 || f.Code != "invalid_request" {
		t.Errorf("got %d %s", f.Status, f.Code)
	}
}

func TestNoProblemsAreNoFault(t *testing.T) {
	t.Parallel()
	if err := (fault.Problems{}).Invalid(); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestMessagesHoldTheWordsThatClientsMatch(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]*fault.Fault{
		`Blueprint with identifier "svc" was not found`: fault.NotFound("Blueprint", "svc"),
		`Entity with identifier "a\b" was not found`:    fault.NotFound("Entity", `a\b`),
		`Entity with identifier "a\b" already exists`:   fault.Taken("Entity", `a\b`),
		"taken":          fault.Taken("Blueprint", "svc"),
		"has_dependents": fault.HasDependents("2 entities"),
	} {
		if !strings.Contains(f.Error(), want) {
			t.Errorf("%q does not hold %q", f.Error(), want)
		}
	}
}

func TestWithLeavesTheOriginalAlone(t *testing.T) {
	t.Parallel()
	base := fault.NotFound("Entity", "x")
	if more := base.With("relation", "domain"); len(more.Details) != 3 || len(base.Details) != 2 {
		t.Errorf("details: %v and %v", base.Details, more.Details)
	}
}
