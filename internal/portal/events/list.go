package events

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Filter are the parameters of GET /v1/audit-log as they were given
// (reference/catalog.md §7); empty ones admit everything, all together are joined
// by "and".
type Filter struct {
	Identifier, Entity, Blueprint, Run   string
	Webhook, WebhookEvent, Installation  string
	From, To, Action, Status, ActionType string
	Limit                                string
	Origins, Resources, Includes         []string
	// DeletedEntities is include_deleted_entities. Records outlive their entity
	// either way; it only narrows what else must be given.
	DeletedEntities bool
}

// The values that parameters may have.
var (
	resources   = []string{"blueprint", "entity", "run", "webhook", "scorecard", "action", "integration"}
	parts       = []string{"action", "context", "diff", "identifier", "resourceType", "status", "trigger", "additionalData", "message"}
	statuses    = []string{"SUCCESS", "FAILURE"}
	actionTypes = []string{"automation", "self-service"}
)

// maxRecords is the most records of one answer, and what is given without a limit
// (reference/catalog.md §7, which wins on limits).
const maxRecords = 1000

// deletedSpan is the longest span that may be asked for with DeletedEntities.
const deletedSpan = 24 * time.Hour

// wanted is a filter that was understood.
type wanted struct {
	Filter
	// sight is what the caller may see, nil for everything.
	sight *catalog.Sight
	// from and to are where records may stand, since and until what they may tell:
	// with a timer that was set too late the one is not the other.
	from, to     time.Time
	since, until time.Time
	limit        int
	// additional are wanted values of additionalData by the path of their index.
	additional map[string]string
	// due admits only records that tell another moment than they stand at.
	due bool
}

// List returns the records that the filter admits and that the caller may see,
// newest first. Who does not see everything has to say which entity, run or record
// it is about, and is told nothing of what was deleted (reference/identity.md §7.3).
func (l *Log) List(tx store.Tx, org string, sight *catalog.Sight, f Filter) ([]any, error) {
	w, err := l.understand(f)
	if err != nil {
		return nil, err
	}
	if w.sight = sight; sight != nil {
		if err := f.restricted(); err != nil {
			return nil, err
		}
	}
	out := []any{}
	if !w.until.IsZero() && w.Identifier == "" {
		// What tells a moment of the span may stand after it.
		late := *w
		late.due, late.from, late.to = true, w.to.Add(1), endOfTime
		if out, err = late.list(tx, org, out); err != nil {
			return nil, err
		}
	}
	return w.list(tx, org, out)
}

// restricted refuses what only administrators may ask for.
func (f *Filter) restricted() error {
	const forbidden = "missing_permissions"
	switch {
	case f.Identifier == "" && f.Entity == "" && f.Run == "":
		return fault.New(http.StatusForbidden, forbidden, "only administrators may read the audit log without identifier, entity or run_id")
	case f.DeletedEntities:
		return fault.New(http.StatusForbidden, forbidden, "only administrators may read what the audit log tells of deleted entities")
	}
	return nil
}

// list adds the records that stand in the span and are wanted.
func (w *wanted) list(tx store.Tx, org string, out []any) ([]any, error) {
	for row, err := range tx.Scan(KindRecord, w, w.page(org), w.prefix(org)...) {
		if err != nil {
			return nil, err
		}
		if placeOf(row.Doc).at.Before(w.from) {
			break
		}
		for _, r := range recordsOf(row) {
			if len(out) == w.limit || !w.admits(r.doc) || !w.tells(r) || w.Identifier != "" && w.Identifier != r.id {
				continue
			}
			visible, err := r.visible(w.sight)
			if err != nil {
				return nil, err
			}
			if !visible {
				continue
			}
			answer, err := r.answer(w.Includes, w.sight)
			if err != nil {
				return nil, err
			}
			out = append(out, answer)
		}
		if len(out) == w.limit {
			break
		}
	}
	return out, nil
}

// tells looks at the moment that a record tells.
func (w *wanted) tells(r record) bool {
	at := r.told()
	return (w.since.IsZero() || !at.Before(w.since)) && (w.until.IsZero() || !at.After(w.until))
}

func (l *Log) understand(f Filter) (*wanted, error) {
	var problems fault.Problems
	w := &wanted{Filter: f, from: l.oldest(), to: endOfTime, limit: maxRecords, additional: map[string]string{}}
	for path, value := range map[string]string{
		indexInstallation: f.Installation, indexWebhook: f.Webhook, indexWebhookEvent: f.WebhookEvent, indexActionType: f.ActionType,
	} {
		if value != "" {
			w.additional[path] = value
		}
	}
	oneOf := func(name string, allowed []string, values ...string) {
		for _, v := range values {
			if v != "" && !slices.Contains(allowed, v) {
				problems.Add("/"+name, "%q is none of %s", v, strings.Join(allowed, ", "))
			}
		}
	}
	oneOf("resources", resources, f.Resources...)
	oneOf("includes", parts, f.Includes...)
	oneOf("status", statuses, f.Status)
	oneOf("actionType", actionTypes, f.ActionType)
	moment := func(name, text string) (time.Time, bool) {
		if text == "" {
			return time.Time{}, false
		}
		// A "+" that was not escaped arrives as a blank.
		at, ok := jsonv.ParseTime(strings.ReplaceAll(text, " ", "+"))
		if !ok {
			problems.Add("/"+name, "%q is no date-time", text)
		}
		return at, ok
	}
	from, hasFrom := moment("from", f.From)
	to, hasTo := moment("to", f.To)
	if hasFrom {
		w.since = from
		if from.After(w.from) {
			w.from = from
		}
	}
	if hasTo {
		// Both ends belong to the span, and records show no less than milliseconds.
		w.to = to.Truncate(time.Millisecond).Add(time.Millisecond - 1)
		w.until = w.to
	}
	if f.Limit != "" {
		n, err := strconv.Atoi(f.Limit)
		if err != nil || n < 1 {
			problems.Add("/limit", "%q is no number of records", f.Limit)
		}
		w.limit = min(n, maxRecords)
	}
	if f.DeletedEntities {
		for name, value := range map[string]string{"entity": f.Entity, "blueprint": f.Blueprint, "status": f.Status, "from": f.From, "to": f.To} {
			if value == "" {
				problems.Add("/"+name, "is required with include_deleted_entities")
			}
		}
		if hasFrom && hasTo && to.Sub(from) > deletedSpan {
			problems.Add("/to", "must be at most one day after from with include_deleted_entities")
		}
	}
	w.Origins = slices.Clone(f.Origins)
	for i, origin := range w.Origins {
		if known, installation := OriginOf(origin); installation != "" {
			w.Origins[i] = known
		}
	}
	if f.Identifier != "" {
		if at, ok := momentOf(f.Identifier); ok && !at.Before(l.oldest()) {
			w.from, w.to = at, at
		} else {
			w.to = w.from.Add(-1) // nothing is called so
		}
	}
	return w, problems.Invalid()
}

func (w *wanted) page(org string) store.Page {
	return store.Page{After: cursor(org, w.to), Few: w.limit}
}

func (w *wanted) prefix(org string) []string {
	if w.Blueprint == "" {
		return []string{org}
	}
	return []string{org, w.Blueprint}
}

// Match implements [store.Where]: some record of the document is wanted.
func (w *wanted) Match(d store.Doc) bool {
	return slices.ContainsFunc(records(d), func(r any) bool {
		d, ok := r.(jsonv.Object)
		return ok && w.admits(d)
	})
}

// admits looks at a record; what keys and places say is not looked at again.
func (w *wanted) admits(d store.Doc) bool {
	is := func(want, got string) bool { return want == "" || want == got }
	if w.due && jsonv.String(d, dueKey) == "" {
		return false
	}
	if !is(w.Entity, jsonv.String(d, "entity")) || !is(w.Run, jsonv.String(d, "run")) ||
		!is(w.Action, jsonv.String(d, "action")) || !is(w.Status, statusOf(d)) {
		return false
	}
	for path, want := range w.additional {
		if !is(want, jsonv.String(d, "additional", additionalKeys[path])) {
			return false
		}
	}
	if len(w.Resources) > 0 && !slices.Contains(w.Resources, resourceOf(d)) {
		return false
	}
	return len(w.Origins) == 0 || slices.ContainsFunc(origins(d), func(o string) bool { return slices.Contains(w.Origins, o) })
}

// Equals implements [store.Where].
func (w *wanted) Equals() []store.Equal {
	var out []store.Equal
	add := func(path string, values ...string) {
		if len(values) > 0 && values[0] != "" {
			out = append(out, store.Equal{Path: path, Values: values})
		}
	}
	add(indexEntity, w.Entity)
	add(indexRun, w.Run)
	for path, want := range w.additional {
		add(path, want)
	}
	if w.due {
		add(indexDue, dueEntry)
	}
	if w.Status != "SUCCESS" {
		add(indexStatus, w.Status)
	}
	if !slices.Contains(commonActions, w.Action) {
		add(indexAction, w.Action)
	}
	if !slices.Contains(w.Resources, defaultResource) {
		add(indexResource, w.Resources...)
	}
	if !slices.Contains(w.Origins, defaultOrigin) {
		add(indexOrigin, w.Origins...)
	}
	return out
}
