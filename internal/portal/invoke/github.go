package invoke

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/outbound"
	"github.com/portlens/terraform-provider-port/internal/portal/runs"
)

// The course of a run whose backend is a workflow of GitHub (reference/actions.md
// §3.2). What a dispatch is about to do is written down before; whether one that got
// no answer has happened is looked up among the runs of the workflow, and only when
// none came of it, it is made again. After it, if the action reports the status of
// the workflow, the delivery goes on: as one that looks for the run of the workflow,
// unless GitHub's answer names it, and then as one that asks for its end.
const (
	// hubTime bounds the calls of one attempt.
	hubTime = 35 * time.Second
	// sureAfter is when a run of the workflow that is not listed has not come of a
	// dispatch, and unsureUntil when to give up where the list cannot be had.
	sureAfter   = time.Minute
	unsureUntil = 15 * time.Minute
	// mostDispatches is how often a dispatch is made that may not have happened.
	mostDispatches = 3
	// limitUntil is how long a dispatch waits for the rate limit of GitHub.
	limitUntil = 6 * time.Hour
	// foundUntil is how long the run of the workflow is looked for.
	foundUntil = 10 * time.Minute
	// followUntil is how long its end is awaited: GitHub itself ends what takes longer.
	followUntil = 35 * 24 * time.Hour
	// mostMissing is how many answers in a row may say that there is no such run.
	mostMissing = 3
	// The wait between two questions grows with the age of what is asked about.
	pollLeast, pollMost, pollShare = 5 * time.Second, time.Minute, 10
)

// courseKey is where the payload of a delivery keeps a [course].
const courseKey = "course"

// course is how far a delivery has come.
type course struct {
	// first is when it was begun. since and begun are when the first and the last
	// dispatch were of which it is not known that nothing came of them.
	first, since, begun time.Time
	dispatches          int
	ref                 string
	// id is that of the run of the workflow.
	id      string
	etag    string
	missing int
	told    string // the last line of the log, so that it is told once
}

func courseOf(payload jsonv.Object) course {
	o := jsonv.Map(payload, courseKey)
	c := course{ref: jsonv.String(o, "ref"), id: jsonv.String(o, "id"), etag: jsonv.String(o, "etag"), told: jsonv.String(o, "told")}
	c.first, _ = jsonv.ParseTime(jsonv.String(o, "first"))
	c.since, _ = jsonv.ParseTime(jsonv.String(o, "since"))
	c.begun, _ = jsonv.ParseTime(jsonv.String(o, "begun"))
	c.dispatches, c.missing = number(o["dispatches"]), number(o["missing"])
	return c
}

// in is the payload with the course.
func (c course) in(payload jsonv.Object) jsonv.Object {
	o := jsonv.Object{"ref": c.ref, "id": c.id, "etag": c.etag, "told": c.told, "dispatches": jsonv.Int(c.dispatches), "missing": jsonv.Int(c.missing)}
	for name, at := range map[string]time.Time{"first": c.first, "since": c.since, "begun": c.begun} {
		if !at.IsZero() {
			o[name] = clock.Stamp(at)
		}
	}
	out := jsonv.CloneObject(payload)
	out[courseKey] = o
	return out
}

// tell is a line for the log unless it was the last one.
func (c *course) tell(line string) string {
	if c.told == line {
		return ""
	}
	c.told = line
	return line
}

// attempt is one turn of a delivery to GitHub.
type attempt struct {
	*hub
	s        *Sender
	delivery runs.Delivery
	payload  jsonv.Object
	course   course
	now      time.Time
	repo     string // /repos/{org}/{repo}
	workflow string
}

// github takes a delivery on.
func (s *Sender) github(ctx context.Context, d runs.Delivery, payload jsonv.Object) (runs.Outcome, error) {
	t := &attempt{hub: s.hub, s: s, delivery: d, payload: payload, course: courseOf(payload), now: s.o.Clock.Now().UTC()}
	for _, key := range []string{"org", "repo", "workflow"} {
		switch jsonv.String(payload, key) {
		case "", ".", "..":
			return failed("The workflow cannot be dispatched: %s is no name", key), nil
		}
	}
	t.repo = "/repos/" + url.PathEscape(jsonv.String(payload, "org")) + "/" + url.PathEscape(jsonv.String(payload, "repo"))
	t.workflow = t.repo + "/actions/workflows/" + url.PathEscape(jsonv.String(payload, "workflow"))
	if t.course.first.IsZero() {
		t.course.first = t.now
	}
	limited, cancel := context.WithTimeout(ctx, hubTime)
	defer cancel()
	o, err := t.turn(limited)
	if ctx.Err() != nil {
		return runs.Outcome{}, ctx.Err() // the portal broke it off: what is written down stands
	}
	return o, err
}

func failed(format string, args ...any) runs.Outcome {
	return runs.Outcome{Log: fmt.Sprintf(format, args...), Status: runs.Failure}
}

// turn does what comes next. Its errors are those of the portal; what GitHub does is
// an outcome.
func (t *attempt) turn(ctx context.Context) (runs.Outcome, error) {
	switch {
	case t.delivery.Kind == runs.DeliverFollow && t.course.id != "":
		return t.follow(ctx)
	case t.delivery.Kind == runs.DeliverFollow:
		return t.search(ctx)
	case !t.course.begun.IsZero():
		return t.clear(ctx)
	}
	return t.dispatch(ctx)
}

// later goes on after a while.
func (t *attempt) later(after time.Duration, line string) runs.Outcome {
	return t.laterAt(t.now.Add(after), line)
}

func (t *attempt) laterAt(due time.Time, line string) runs.Outcome {
	if line != "" {
		line = t.course.tell(line)
	}
	return runs.Outcome{Log: line, Again: &runs.Again{Due: due, Payload: t.course.in(t.payload), Search: t.searching()}}
}

// searching is what this delivery looks for, from the dispatch until it is known.
// Dispatches of one workflow are all that can be mistaken for each other.
func (t *attempt) searching() runs.Search {
	if t.course.begun.IsZero() || t.course.id != "" {
		return runs.Search{}
	}
	sum := sha256.Sum256([]byte(t.root.String() + strings.ToLower(t.workflow) + "\n" + t.course.ref))
	return runs.Search{Among: hex.EncodeToString(sum[:]), Since: t.course.since, ID: t.delivery.ID}
}

// pause is the wait before the next question about something of an age.
func pause(age time.Duration) time.Duration { return min(max(age/pollShare, pollLeast), pollMost) }

// dispatch asks for a run of the workflow.
func (t *attempt) dispatch(ctx context.Context) (runs.Outcome, error) {
	ref, inputs := split(jsonv.Map(t.payload, "workflowInputs"))
	if ref == "" {
		ref = t.course.ref // of the attempt before: it is one dispatch
	}
	if ref == "" {
		var err error
		if ref, err = t.defaultBranch(ctx); err != nil {
			return t.undone(err)
		}
	}
	t.course.ref, t.course.begun = ref, t.now
	if t.course.dispatches++; t.course.since.IsZero() {
		t.course.since = t.now
	}
	if err := t.s.o.Note(ctx, t.delivery, t.course.in(t.payload), t.searching()); err != nil {
		return runs.Outcome{}, err
	}
	a, err := t.call(ctx, http.MethodPost, t.workflow+"/dispatches", jsonv.Encode(jsonv.Object{"ref": ref, "inputs": inputs}), "")
	switch {
	case err != nil:
		return t.undone(err)
	case a.ok() && !jsonv.Bool(t.payload, "reportWorkflowStatus"):
		return runs.Outcome{}, nil // whoever runs it reports
	case a.ok():
		return t.taken(a), nil
	case a.unclear():
		return t.unclear(t.said(a)), nil
	}
	return failed("The workflow was not dispatched: %s", t.said(a)), nil
}

// undone is what follows from an error before the answer to a dispatch.
func (t *attempt) undone(err error) (runs.Outcome, error) {
	var limit *busyError
	var unsent *unsentError
	switch {
	case errors.Is(err, outbound.ErrBusy):
		t.forget()
		return t.later(pollLeast, ""), nil
	case errors.As(err, &limit) && t.now.Sub(t.course.first) > limitUntil:
		return failed("The workflow was not dispatched: %s", t.why(err)), nil
	case errors.As(err, &limit):
		t.forget()
		return t.laterAt(limit.until, "The workflow is dispatched later: GitHub's rate limit is used up"), nil
	case errors.As(err, &unsent), t.course.begun.IsZero():
		return failed("The workflow was not dispatched: %s", t.why(err)), nil
	}
	return t.unclear(t.why(err)), nil
}

// forget notes that the last dispatch has not happened.
func (t *attempt) forget() {
	if t.course.begun.IsZero() {
		return
	}
	t.course.begun = time.Time{}
	if t.course.dispatches--; t.course.dispatches == 0 {
		t.course.since = time.Time{}
	}
}

// unclear goes on with the question whether a dispatch has happened.
func (t *attempt) unclear(why string) runs.Outcome {
	return t.later(pollLeast, "It is not known whether the workflow was dispatched, and looked up: "+why)
}

// clear finds out whether a dispatch has happened of which no answer came, to this
// portal or to one that was killed.
func (t *attempt) clear(ctx context.Context) (runs.Outcome, error) {
	age := t.now.Sub(t.course.begun)
	found, err := t.find(ctx)
	var limit *busyError
	switch {
	case err == nil && found != nil && !jsonv.Bool(t.payload, "reportWorkflowStatus"):
		return runs.Outcome{Workflow: idOf(found)}, nil
	case err == nil && found != nil:
		return t.found(found, false), nil
	case err == nil && age < sureAfter:
		return t.later(pollLeast, ""), nil
	case err == nil && t.course.dispatches < mostDispatches:
		return t.dispatch(ctx)
	case err == nil:
		return failed("The workflow was not dispatched: GitHub has made no run of it in %d attempts", t.course.dispatches), nil
	case errors.As(err, &limit) && age < limitUntil:
		return t.laterAt(limit.until, ""), nil
	case age > unsureUntil:
		return failed("It is not known whether the workflow was dispatched: %s", t.reason(err)), nil
	}
	return t.later(pause(age), ""), nil
}

// taken follows a dispatch that GitHub has taken. Newer versions of its API name the
// run of the workflow.
func (t *attempt) taken(a hubAnswer) runs.Outcome {
	if id := identifier(a.body["workflow_run_id"]); id != "" {
		return t.found(jsonv.Object{"id": a.body["workflow_run_id"], "html_url": a.body["html_url"]}, true)
	}
	t.course.told = ""
	o := t.later(pollLeast, "")
	// Those who look for a run of one workflow do so one after the other.
	o.Again.Kind, o.Again.Lane = runs.DeliverFollow, "follow/"+o.Again.Search.Among
	return o
}

// found notes the run of the workflow, and goes on to its end unless it has ended.
// Sure is that GitHub itself has named it.
func (t *attempt) found(run jsonv.Object, sure bool) runs.Outcome {
	id := idOf(run)
	t.course.id, t.course.told, t.course.missing = id, "", 0
	o := runs.Outcome{}
	if jsonv.String(run, "status") == "completed" {
		o = t.ended(run)
	} else {
		o = t.later(pollLeast, "")
		o.Again.Kind, o.Again.Lane = runs.DeliverFollow, "follow/"+t.delivery.Run
	}
	o.Workflow, o.Sure, o.ExternalRunID, o.Link = id, sure || t.names(run), id, link(run)
	return o
}

// link is where people see a run of a workflow.
func link(run jsonv.Object) string {
	text := jsonv.String(run, "html_url")
	if u, err := url.Parse(text); err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return text
}

// fine are the conclusions of a workflow that has done what it should.
var fine = []string{"success", "skipped", "neutral"}

// ended is the end of a run of the workflow.
func (t *attempt) ended(run jsonv.Object) runs.Outcome {
	conclusion := jsonv.String(run, "conclusion")
	if slices.Contains(fine, conclusion) {
		return runs.Outcome{Status: runs.Success}
	}
	if conclusion == "" {
		conclusion = "no conclusion"
	}
	return failed("%s", t.clean("The workflow run ended with "+conclusion))
}

// search looks for the run that has come of a dispatch.
func (t *attempt) search(ctx context.Context) (runs.Outcome, error) {
	age := t.now.Sub(t.course.begun)
	found, err := t.find(ctx)
	if err != nil {
		return t.astray(err, age, foundUntil)
	}
	if found != nil {
		return t.found(found, false), nil
	}
	if age > foundUntil {
		return runs.Outcome{Log: fmt.Sprintf("The workflow was dispatched, but GitHub lists no run of it after %s: its status must be reported by itself", foundUntil)}, nil
	}
	return t.later(pause(age), ""), nil
}

// follow asks for the end of the run of the workflow.
func (t *attempt) follow(ctx context.Context) (runs.Outcome, error) {
	age := t.now.Sub(t.course.begun)
	a, err := t.call(ctx, http.MethodGet, t.repo+"/actions/runs/"+t.course.id, nil, t.course.etag)
	switch {
	case err != nil:
		return t.astray(err, age, followUntil)
	case a.status == http.StatusNotModified:
		t.course.missing = 0
	case a.ok() && jsonv.String(a.body, "status") == "completed":
		o := t.ended(a.body)
		o.Link = link(a.body)
		return o, nil
	case a.ok():
		t.course.missing, t.course.etag = 0, a.header.Get("ETag")
	case a.status == http.StatusNotFound || a.status == http.StatusGone:
		if t.course.missing++; t.course.missing >= mostMissing {
			return t.lost(&refusedError{a}), nil
		}
	default:
		return t.astray(&refusedError{a}, age, followUntil)
	}
	if age > followUntil {
		return runs.Outcome{Log: "The workflow run goes on for too long to be followed: its status must be reported by itself"}, nil
	}
	o := t.later(pause(age), "")
	o.Link = link(a.body)
	return o, nil
}

// lost gives a workflow run up. What became of it is not known, so the run of the
// action stays in progress until somebody reports.
func (t *attempt) lost(err error) runs.Outcome {
	return runs.Outcome{Log: "The workflow run cannot be followed, its status must be reported by itself: " + t.reason(err)}
}

// astray goes on after an answer that says nothing, until it is too late.
func (t *attempt) astray(err error, age, until time.Duration) (runs.Outcome, error) {
	var limit *busyError
	switch {
	case age > until:
		return t.lost(err), nil
	case errors.As(err, &limit):
		return t.laterAt(limit.until, ""), nil
	}
	return t.later(pause(age), ""), nil
}

// refusedError is an answer that was not hoped for.
type refusedError struct{ hubAnswer }

func (r *refusedError) Error() string { return fmt.Sprintf("GitHub answered %d", r.status) }

func (t *attempt) reason(err error) string {
	var refused *refusedError
	if errors.As(err, &refused) {
		return t.said(refused.hubAnswer)
	}
	return t.why(err)
}

// split takes the ref out of the inputs, and makes texts of them.
func split(given jsonv.Object) (ref string, inputs jsonv.Object) {
	inputs = jsonv.Object{}
	for name, v := range given {
		text, ok := v.(string)
		switch {
		case !ok && v == nil && name == "ref": // none after all
		case !ok:
			text = string(jsonv.Encode(v))
		}
		if name == "ref" {
			ref = text
			continue
		}
		inputs[name] = text
	}
	return ref, inputs
}

// defaultBranch is what the repository says it is. Where it cannot be read, the
// dispatch will tell.
func (t *attempt) defaultBranch(ctx context.Context) (string, error) {
	a, err := t.call(ctx, http.MethodGet, t.repo, nil, "")
	if err != nil {
		return "", err
	}
	if branch := jsonv.String(a.body, "default_branch"); a.ok() && branch != "" {
		return branch, nil
	}
	return "main", nil
}
