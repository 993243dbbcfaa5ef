package invoke

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

const (
	// listed is how many runs of a workflow a page has, and mostPages how many pages
	// are read.
	listed, mostPages = 100, 3
	// searchBefore is how long before a dispatch the list begins, for clocks that
	// differ and are not known to.
	searchBefore = 10 * time.Minute
)

// find is the run of the workflow that has come of the last dispatch: one whose title
// names the portal's run, else the oldest since then that is nobody's nor of an
// earlier dispatch. A workflow whose run-name holds the id of the run is never
// mistaken. It is nil when there is none yet.
func (t *attempt) find(ctx context.Context) (jsonv.Object, error) {
	var all []jsonv.Object
	since := t.theirs(t.course.since).Add(-searchBefore).UTC().Format(time.RFC3339)
	for page := 1; page <= mostPages; page++ {
		query := url.Values{"event": {"workflow_dispatch"}, "created": {">=" + since}, "per_page": {strconv.Itoa(listed)}}
		if page > 1 {
			query.Set("page", strconv.Itoa(page))
		}
		a, err := t.call(ctx, http.MethodGet, t.workflow+"/runs?"+query.Encode(), nil, "")
		if err != nil {
			return nil, err
		}
		list, complete := a.body["workflow_runs"].([]any)
		if !a.ok() || !complete {
			return nil, &refusedError{a}
		}
		for _, v := range list {
			if run, ok := v.(jsonv.Object); ok && idOf(run) != "" {
				all = append(all, run)
			}
		}
		if len(list) < listed {
			break
		}
	}
	return t.choose(ctx, all)
}

// runID finds ids of runs in the titles of runs of workflows.
var runID = regexp.MustCompile(`\br_[A-Za-z0-9]{16}\b`)

func named(run jsonv.Object) []string {
	return runID.FindAllString(jsonv.String(run, "display_title")+"\n"+jsonv.String(run, "name"), -1)
}

// names tells whether the title of a run of the workflow names the portal's run.
func (t *attempt) names(run jsonv.Object) bool { return slices.Contains(named(run), t.delivery.Run) }

func (t *attempt) choose(ctx context.Context, all []jsonv.Object) (jsonv.Object, error) {
	var ids []string
	var candidates []jsonv.Object
	for _, run := range all {
		if t.names(run) {
			return run, nil
		}
		if len(named(run)) > 0 || !t.ofRef(run) || cmp.Or(jsonv.String(run, "event"), dispatchEvent) != dispatchEvent {
			continue
		}
		ids, candidates = append(ids, idOf(run)), append(candidates, run)
	}
	if len(candidates) == 0 {
		return nil, nil
	}
	searches, claimed, err := t.s.o.Rivals(ctx, t.searching().Among, ids)
	if err != nil {
		return nil, fmt.Errorf("which workflow runs are taken: %w", err)
	}
	slices.SortFunc(candidates, older)
	for _, s := range searches {
		own := slices.IndexFunc(candidates, func(run jsonv.Object) bool { return !claimed[idOf(run)] && t.after(run, s.Since) })
		switch {
		case own < 0:
		case s.ID == t.delivery.ID:
			return candidates[own], nil
		default: // it will be found by whom it belongs to
			candidates = slices.Delete(candidates, own, own+1)
		}
	}
	return nil, nil
}

// after tells whether a run was made after a moment. GitHub tells whole seconds, both
// of its time and of when it made a run.
func (t *attempt) after(run jsonv.Object, since time.Time) bool {
	at, ok := jsonv.ParseTime(jsonv.String(run, "created_at"))
	return ok && !at.Before(t.theirs(since).Truncate(time.Second).Add(-time.Second))
}

const dispatchEvent = "workflow_dispatch"

// ofRef tells whether a run may be of the branch or tag that was asked for.
func (t *attempt) ofRef(run jsonv.Object) bool {
	want := t.course.ref
	for _, prefix := range []string{"refs/heads/", "refs/tags/"} {
		want = strings.TrimPrefix(want, prefix)
	}
	head := jsonv.String(run, "head_branch")
	return head == "" || want == "" || head == want
}

// older orders runs of a workflow by when they were made. Ids grow.
func older(a, b jsonv.Object) int {
	if n := strings.Compare(jsonv.String(a, "created_at"), jsonv.String(b, "created_at")); n != 0 {
		return n
	}
	x, y := idOf(a), idOf(b)
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y))
}

func idOf(run jsonv.Object) string { return identifier(run["id"]) }

// identifier is a whole number as text, "" for anything else.
func identifier(v any) string {
	n, ok := v.(json.Number)
	if !ok || !digits.MatchString(n.String()) {
		return ""
	}
	return n.String()
}

var digits = regexp.MustCompile(`^[0-9]{1,20}$`)

// number is a small whole number that the portal wrote itself.
func number(v any) int {
	n, err := strconv.Atoi(identifier(v))
	if err != nil {
		return 0
	}
	return n
}
