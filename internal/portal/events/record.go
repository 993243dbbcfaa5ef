package events

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// The defaults of stored records, which are left out: most records are of
// entities, written by callers of the API.
const (
	defaultResource = "entity"
	defaultOrigin   = "API"
)

// listKey is where a document keeps several records, in the order in which they
// happened; without it the document is a record.
const listKey = "records"

// dueKey is where a record keeps the moment that its timer was set for, if that was
// past when it was set: the record stands where it happened and tells that one.
const dueKey = "due"

// records lists what a document holds as records.
func records(d store.Doc) []any {
	if list, ok := d[listKey].([]any); ok {
		return list
	}
	return []any{d}
}

// stored is an event as it is kept: without what its key and place say, without
// defaults, and of an update only the later document and what the earlier one had
// instead.
func stored(e catalog.Event) store.Doc {
	d := store.Doc{"action": e.Action}
	put := func(key, value, ordinary string) {
		if value != ordinary {
			d[key] = value
		}
	}
	put("resource", e.Resource, defaultResource)
	put("entity", named(e.Entity), "")
	put("origin", e.Actor.Origin, "")
	if e.Actor.Origin == defaultOrigin {
		delete(d, "origin")
	}
	put("run", e.RunID, "")
	put("message", e.Message, "")
	if e.ByPort {
		d["byPort"] = true
	} else {
		d["by"] = e.Actor.ID
	}
	if !e.Due.IsZero() && !e.Due.Equal(e.At) {
		d[dueKey] = clock.Stamp(e.Due)
	}
	if e.Job {
		d["job"] = true
	}
	if e.Failed {
		d["failed"] = true
	}
	if len(e.Context) > 0 {
		d["context"] = e.Context
	}
	if additional := additionalOf(e); len(additional) > 0 {
		d["additional"] = additional
	}
	switch {
	case e.Before != nil && e.After != nil:
		d["after"], d["was"] = e.After, difference(e.After, e.Before)
	case e.After != nil:
		d["after"] = e.After
	case e.Before != nil:
		d["before"] = e.Before
	}
	return d
}

func additionalOf(e catalog.Event) jsonv.Object {
	if e.Actor.Installation == "" {
		return e.Additional
	}
	out := jsonv.CloneObject(e.Additional)
	if out == nil {
		out = jsonv.Object{}
	}
	out["installationId"] = e.Actor.Installation
	return out
}

func resourceOf(d store.Doc) string { return cmp.Or(jsonv.String(d, "resource"), defaultResource) }

func originOf(d store.Doc) string { return cmp.Or(jsonv.String(d, "origin"), defaultOrigin) }

func statusOf(d store.Doc) string {
	if jsonv.Bool(d, "failed") {
		return "FAILURE"
	}
	return "SUCCESS"
}

// earlierOf and laterOf are the documents of a record, nil where there is none.
func earlierOf(d store.Doc) jsonv.Object {
	if was, ok := d["was"].(jsonv.Object); ok {
		return undo(jsonv.Map(d, "after"), was)
	}
	return jsonv.Map(d, "before")
}

func laterOf(d store.Doc) jsonv.Object { return jsonv.Map(d, "after") }

// record is a stored record together with what its key and place say.
type record struct {
	doc                store.Doc
	id, org, blueprint string
	place
}

// recordsOf lists the records of a row, newest first.
func recordsOf(row store.Row) []record {
	list, p := records(row.Doc), placeOf(row.Doc)
	id := row.Key[2]
	salt := id[max(len(id)-saltLength, 0):]
	out := make([]record, 0, len(list))
	for i := len(list) - 1; i >= 0; i-- {
		d, _ := list[i].(jsonv.Object)
		this := place{p.at, p.count - int64(len(list)-1-i)}
		out = append(out, record{d, this.identifier(salt), row.Key[0], row.Key[1], this})
	}
	return out
}

// changes tells whether the record is of a change: one that was refused is not, and
// an expired timer changes nothing.
func (r record) changes() bool {
	return jsonv.String(r.doc, "action") != catalog.ActionExpired && (laterOf(r.doc) != nil || earlierOf(r.doc) != nil)
}

// told is the moment that the record tells (reference/catalog.md §7 U4).
func (r record) told() time.Time {
	if due, ok := jsonv.ParseTime(jsonv.String(r.doc, dueKey)); ok {
		return due
	}
	return r.at
}

// visible tells whether a caller may see the record: that of an entity or a run,
// if they may see this one, and what everybody may read anyway.
func (r record) visible(sight *catalog.Sight) (bool, error) {
	if sight == nil {
		return true, nil
	}
	switch resourceOf(r.doc) {
	case "entity":
		since, readable, err := sight.Entity(r.blueprint, jsonv.String(r.doc, "entity"))
		return readable && !r.at.Before(since), err
	case "run":
		return sight.Run(jsonv.String(r.doc, "run"))
	case "blueprint", "scorecard":
		return true, nil
	}
	return false, nil
}

// answer is the record as a caller sees it; includes names the parts wanted, none
// means all.
func (r record) answer(includes []string, sight *catalog.Sight) (jsonv.Object, error) {
	d := r.doc
	wanted := func(part string) bool { return len(includes) == 0 || slices.Contains(includes, part) }
	out := jsonv.Object{
		"identifier": r.id, "action": d["action"], "resourceType": resourceOf(d), "status": statusOf(d),
		"message": jsonv.String(d, "message"),
	}
	if wanted("trigger") {
		by := jsonv.Object{"orgId": r.org}
		if jsonv.Bool(d, "byPort") {
			by["byPort"] = true
		} else {
			by["userId"] = d["by"]
		}
		if jsonv.Bool(d, "job") {
			by["byPort"] = false
		}
		out["trigger"] = jsonv.Object{"at": clock.Stamp(r.told()), "by": by, "origin": originOf(d)}
	}
	if wanted("context") {
		context := jsonv.Object{}
		for name, value := range jsonv.Map(d, "context") {
			context[name] = value
		}
		// The references call these by two names each.
		entity := jsonv.String(d, "entity")
		for name, value := range map[string]string{
			"blueprint": r.blueprint, "blueprintIdentifier": r.blueprint, "entity": entity, "entityIdentifier": entity,
			"runId": jsonv.String(d, "run"),
		} {
			if value != "" {
				context[name] = value
			}
		}
		out["context"] = context
	}
	if wanted("diff") {
		before, after := earlierOf(d), laterOf(d)
		if resourceOf(d) == "entity" {
			var err error
			if before, err = sight.Shown(r.blueprint, before); err != nil {
				return nil, err
			}
			if after, err = sight.Shown(r.blueprint, after); err != nil {
				return nil, err
			}
		}
		out["diff"] = jsonv.Object{"before": jsonv.OrNull(before), "after": jsonv.OrNull(after)}
	}
	if wanted("additionalData") {
		additional := jsonv.Map(d, "additional")
		if additional == nil {
			additional = jsonv.Object{}
		}
		out["additionalData"] = additional
	}
	for part := range out {
		if !wanted(part) {
			delete(out, part)
		}
	}
	return out, nil
}

// maxDifference is how deep two documents are compared: the properties of a
// blueprint's schema stand in the third level.
const maxDifference = 4

// The keys of a difference.
const (
	diffSet  = "set"  // values that the other document has
	diffGone = "gone" // keys that it does not have
	diffIn   = "in"   // differences inside of objects that both have
)

// difference says what is to be changed in from to get to.
func difference(from, to jsonv.Object) jsonv.Object { return differenceIn(from, to, maxDifference) }

func differenceIn(from, to jsonv.Object, depth int) jsonv.Object {
	set, in, gone := jsonv.Object{}, jsonv.Object{}, []any{}
	for key, value := range to {
		has, ok := from[key]
		if ok && jsonv.Equal(has, value) {
			continue
		}
		a, isObject := has.(jsonv.Object)
		b, areObjects := value.(jsonv.Object)
		if depth > 1 && isObject && areObjects {
			in[key] = differenceIn(a, b, depth-1)
		} else {
			set[key] = value
		}
	}
	for key := range from {
		if _, ok := to[key]; !ok {
			gone = append(gone, key)
		}
	}
	slices.SortFunc(gone, func(a, b any) int { return strings.Compare(textOf(a), textOf(b)) })
	out := jsonv.Object{}
	if len(set) > 0 {
		out[diffSet] = set
	}
	if len(in) > 0 {
		out[diffIn] = in
	}
	if len(gone) > 0 {
		out[diffGone] = gone
	}
	return out
}

func textOf(v any) string {
	s, _ := v.(string)
	return s
}

// undo applies a difference; from is shared and stays as it is.
func undo(from, change jsonv.Object) jsonv.Object {
	out := make(jsonv.Object, len(from))
	for key, value := range from {
		out[key] = value
	}
	for _, key := range jsonv.Strings(change[diffGone]) {
		delete(out, key)
	}
	for key, value := range jsonv.Map(change, diffSet) {
		out[key] = value
	}
	for key, value := range jsonv.Map(change, diffIn) {
		inner, _ := value.(jsonv.Object)
		out[key] = undo(jsonv.Map(from, key), inner)
	}
	return out
}
