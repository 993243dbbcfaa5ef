package runs

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// A run is kept as {"createdAt": its place, "run": what callers see, "hidden": what
// they do not}. Scans go by the text of "createdAt" (see [store.Tx]); as runs are
// listed newest first, it counts down.

// kept is a run that was read and may be changed.
type kept struct {
	place  string
	run    jsonv.Object // as in reference/actions.md §4.2, without "deleted" marks
	hidden jsonv.Object
}

// The keys of what callers do not see.
const (
	hiddenAction     = "action"     // the action's id
	hiddenInputs     = "inputs"     // as templates see them
	hiddenTrigger    = "trigger"    // as templates see it
	hiddenValues     = "values"     // as policies see them
	hiddenMethod     = "method"     // the invocation, as it was when the run was made
	hiddenOrder      = "order"      // of the method's keys
	hiddenActionDoc  = "document"   // {"identifier", "title", "blueprint", "encryptedProperties"}
	hiddenApprovers  = "approvers"  // e-mails
	hiddenVotes      = "votes"      // [{"userId", "email", "state", "description"}]
	hiddenOpen       = "open"       // allowAnyoneToViewRuns
	hiddenPayload    = "payload"    // sealed, for those who claim the run
	hiddenCreator    = "email"      // of the user who made the run, or for whom
	hiddenAutomation = "automation" // true
	hiddenEvent      = "event"      // of an automation
	hiddenEntities   = "entities"   // the inputs that name entities
	hiddenDepth      = "depth"      // of causes, for loops
	hiddenPolicy     = "policy"     // a policy names the approvers
	hiddenFault      = "fault"      // why the run cannot be started
	hiddenWorkflow   = "workflow"   // the id of the backend's own run
	hiddenSince      = "since"      // when the run was approved
	hiddenTopic      = "topic"      // a message takes the run to the relay
	hiddenAuthor     = "author"     // the moderator who wrote the action
	hiddenChain      = "chain"      // how many runs have run one another
)

// newPlace is where something made now stands: later ones come first.
func (r *Runs) newPlace(at time.Time) string {
	return fmt.Sprintf("%019d.%019d", math.MaxInt64-at.UnixNano(), math.MaxInt64-r.count.Add(1))
}

// newRun is what every run begins as (reference/actions.md §4.2).
func newRun(id string, action jsonv.Object, by, source, at string) jsonv.Object {
	return jsonv.Object{
		"id": id, "action": brief(action), "status": InProgress, "statusLabel": nil, "link": []any{}, "summary": "",
		"properties": jsonv.Object{}, "rawProperties": jsonv.Object{}, "payload": nil, "approval": nil, "requiredApproval": false,
		"source": source, "createdBy": by, "createdAt": at, "updatedBy": by, "updatedAt": at,
	}
}

// get reads a run; a missing one is a 404.
func get(tx store.Tx, org, id string) (*kept, error) {
	doc, err := tx.Get(KindRun, org, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.NotFound("Run", id)
	}
	if err != nil {
		return nil, err
	}
	return keptOf(doc), nil
}

func keptOf(doc store.Doc) *kept {
	return &kept{jsonv.String(doc, "createdAt"), jsonv.CloneObject(jsonv.Map(doc, "run")), jsonv.CloneObject(jsonv.Map(doc, "hidden"))}
}

func (k *kept) id() string     { return jsonv.String(k.run, "id") }
func (k *kept) status() string { return jsonv.String(k.run, "status") }

func put(tx store.Tx, org string, k *kept) error {
	return tx.Put(KindRun, store.Doc{"createdAt": k.place, "run": k.run, "hidden": k.hidden}, org, k.id())
}

// Indexes are what a store needs to find runs, and deliveries that look for something.
func Indexes() store.Indexes {
	return store.Indexes{KindRun: indexRun, KindDelivery: indexDelivery}
}

// The paths of index entries.
const (
	indexEntity   = "entity"
	indexAction   = "action" // its id, and what it was called when the run was made
	indexExternal = "external"
	indexActive   = "active"
	indexPending  = "pending"
	indexWorkflow = "workflow"
	indexSearch   = "search"
)

func indexRun(d store.Doc) []store.Entry {
	var out []store.Entry
	add := func(path, value string) {
		if value != "" {
			out = append(out, store.Entry{Path: path, Value: value})
		}
	}
	run, hidden := jsonv.Map(d, "run"), jsonv.Map(d, "hidden")
	add(indexEntity, jsonv.String(run, "entity", "identifier"))
	add(indexAction, jsonv.String(hidden, hiddenAction))
	add(indexAction, jsonv.String(run, "action", "identifier"))
	add(indexExternal, jsonv.String(run, "externalRunId"))
	add(indexWorkflow, jsonv.String(hidden, hiddenWorkflow))
	if !ended(jsonv.String(run, "status")) {
		add(indexActive, "1")
		if jsonv.Bool(run, "pendingExecution") {
			add(indexPending, jsonv.String(run, "installationId"))
		}
	}
	return out
}

// equal is a [store.Where] that an index answers.
type equal struct {
	conditions []store.Equal
	match      func(store.Doc) bool
}

func (e equal) Equals() []store.Equal { return e.conditions }

func (e equal) Match(d store.Doc) bool { return e.match == nil || e.match(d) }

func is(path string, values ...string) store.Equal { return store.Equal{Path: path, Values: values} }

// touch notes who changes a run and when.
func (r *Runs) touch(k *kept, by string, now time.Time) {
	k.run["updatedAt"], k.run["updatedBy"] = clock.Stamp(now), by
}

// enter makes a move. Ending notes when, and forgets what only a running run needs.
func (r *Runs) enter(k *kept, m move, now time.Time) error {
	to, err := next(k.id(), k.status(), m)
	if err != nil {
		return err
	}
	k.run["status"] = to
	if ended(to) {
		k.run["endedAt"] = clock.Stamp(now)
		acknowledge(k)
	}
	return nil
}

// masked stands for what nobody may read.
const masked = "******"

func mask(values jsonv.Object, encrypted []string) jsonv.Object {
	out := make(jsonv.Object, len(values))
	for id, v := range values {
		if v != nil && slices.Contains(encrypted, id) {
			v = masked
		}
		out[id] = v
	}
	return out
}
