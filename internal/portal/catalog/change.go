package catalog

import (
	"context"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Recorder is told of every change in the transaction that makes it; the audit
// log and everything that reacts to changes hang on it (reference/catalog.md §7).
// Whatever changes things of its own (runs, webhooks, scorecards) tells the same
// recorder.
type Recorder interface {
	// Record is given what happened in its order.
	Record(tx store.Tx, events ...Event) error
}

// Event is one change, or one that was refused. Before is nil for CREATE, After
// for DELETE and for what was refused; both are full documents, entities with
// computed properties (U1). They share values with stored documents and must not
// be changed.
type Event struct {
	Action string
	// Resource is what changed: "blueprint", "entity", "run", "webhook",
	// "scorecard", "action" or "integration".
	Resource string
	Actor    Actor
	At       time.Time
	// Due is the moment that a timer was set for. It lies before At when it was
	// past as it was written; zero for everything else.
	Due       time.Time
	Blueprint string
	// Entity is empty for everything that has to do with no entity.
	Entity string
	RunID  string
	Before jsonv.Object
	After  jsonv.Object
	// Failed says that the change was refused; Message is the text of why (U5).
	Failed  bool
	Message string
	// ByPort marks what nobody asked for, such as a timer that expires (U2).
	ByPort bool
	// Followed marks the change of an entity that only follows something else, such
	// as the deletion of a relation's target: the audit log tells of it, automations
	// do not see it (reference/actions.md §6.1).
	Followed bool
	// Cause is the run that this is the doing of although neither RunID nor Actor
	// says so; see [Actor.Cause].
	Cause string
	// Changelog is where the changes of the blueprint go, as its definition says; nil
	// is nowhere.
	Changelog jsonv.Object
	// Job marks what a migration or the deletion of all entities did (U8).
	Job bool
	// Context are further keys of the record's context, Additional its
	// additionalData.
	Context    jsonv.Object
	Additional jsonv.Object
}

// listening tells whether changes are recorded at all.
func (s *session) listening() bool { return s.cat.deps.Recorder != nil && !s.dry }

// record fills in what all events of the session share.
func (s *session) record(e Event) error {
	e.Actor, e.At, e.RunID, e.Job = s.actor, s.now, s.runID, s.job
	return s.gather(e)
}

// gather passes an event on, together with others where there may be more.
func (s *session) gather(e Event) error {
	if e.Resource == "entity" && !e.Failed {
		bp, err := s.blueprint(e.Blueprint)
		if err != nil {
			return err
		}
		if bp != nil {
			e.Changelog = jsonv.Map(bp.doc, "changelogDestination")
		}
	}
	s.gathered = append(s.gathered, e)
	if s.gathering && len(s.gathered) < maxGathered {
		return nil
	}
	return s.tell()
}

// maxGathered bounds the events that wait.
const maxGathered = 100

// tell passes on what was gathered.
func (s *session) tell() error {
	gathered := s.gathered
	s.gathered = nil
	if len(gathered) == 0 {
		return nil
	}
	return s.cat.deps.Recorder.Record(s.tx, gathered...)
}

// together records what do does in one go, which costs a store much less than one
// by one.
func (s *session) together(do func() error) error {
	if s.gathering {
		return do()
	}
	s.gathering = true
	defer func() { s.gathering = false }()
	if err := do(); err != nil {
		return err
	}
	return s.tell()
}

// change makes one change of an entity and records it. Documents are computed
// only when somebody listens.
func (s *session) change(action string, was, is entityKey, do func() error) error {
	if !s.listening() {
		return do()
	}
	e := Event{Action: action, Resource: "entity", Blueprint: is.blueprint, Entity: is.id}
	var err error
	if action != "CREATE" {
		if e.Before, err = s.snapshot(was); err != nil {
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	if action != "DELETE" {
		if e.After, err = s.snapshot(is); err != nil {
			return err
		}
	}
	if err := s.record(e); err != nil {
		return err
	}
	return s.expire()
}

// changedBlueprint records one change of a blueprint; before or after is nil.
func (s *session) changedBlueprint(action, id string, before, after store.Doc) error {
	if !s.listening() {
		return nil
	}
	e := Event{Action: action, Resource: "blueprint", Blueprint: id}
	if before != nil {
		e.Before, e.Changelog = public(before), jsonv.Map(before, "changelogDestination")
	}
	if after != nil {
		e.After, e.Changelog = public(after), jsonv.Map(after, "changelogDestination")
	}
	return s.record(e)
}

// follower is an entity that changes because something else does: it loses a
// deleted target, or follows a definition or a new identifier.
type follower struct {
	is     entityKey
	before jsonv.Object
}

// follows keeps how an entity reads before it changes along; it may go by another
// key afterwards. Only the first call for an entity counts.
func (s *session) follows(was, is entityKey) error {
	if !s.listening() || s.following[was] {
		return nil
	}
	before, err := s.snapshot(was)
	if err != nil || before == nil {
		return err
	}
	if s.following == nil {
		s.following = map[entityKey]bool{}
	}
	s.following[was] = true
	s.followers = append(s.followers, follower{is, before})
	return nil
}

// allFollow is [session.follows] for stored entities of one blueprint, which may
// go by another identifier afterwards.
func (s *session) allFollow(was, is string, docs []store.Doc) error {
	for _, d := range docs {
		id := jsonv.String(d, "identifier")
		if err := s.follows(entityKey{was, id}, entityKey{is, id}); err != nil {
			return err
		}
	}
	return nil
}

// putFollowers stores entities of one blueprint that change because something
// else does.
func (s *session) putFollowers(blueprint string, docs []store.Doc) error {
	if err := s.allFollow(blueprint, blueprint, docs); err != nil {
		return err
	}
	for _, d := range docs {
		if err := s.putEntity(entityKey{blueprint, jsonv.String(d, "identifier")}, d); err != nil {
			return err
		}
	}
	return nil
}

// settle records the changes of all that followed, now that the rest is done.
func (s *session) settle() error { return s.together(s.recordFollowers) }

func (s *session) recordFollowers() error {
	followers := s.followers
	s.followers, s.following = nil, nil
	for _, f := range followers {
		after, err := s.snapshot(f.is)
		if err != nil {
			return err
		}
		if after == nil {
			continue // deleted meanwhile, which has its own record
		}
		e := Event{Action: "UPDATE", Resource: "entity", Blueprint: f.is.blueprint, Entity: f.is.id, Before: f.before, After: after, Followed: true}
		if err := s.record(e); err != nil {
			return err
		}
	}
	return s.expire()
}

// refused records a write of an entity that did not come about while others of
// the same call did.
func (s *session) refused(bp *blueprint, id string, upsert bool, message string) error {
	if !s.listening() {
		return nil
	}
	e := Event{Action: "CREATE", Resource: "entity", Blueprint: bp.id, Entity: id, Failed: true, Message: message}
	if err := s.changing(&e, upsert); err != nil {
		return err
	}
	return s.record(e)
}

// changing gives a refused event the document that it would have changed; a
// creation that may override is a change when there is something to override.
func (s *session) changing(e *Event, upsert bool) (err error) {
	if e.Action == "CREATE" && !upsert {
		return nil
	}
	switch e.Resource {
	case "entity":
		e.Before, err = s.snapshot(entityKey{e.Blueprint, e.Entity})
	case "blueprint":
		b, missing := s.blueprint(e.Blueprint)
		if b != nil {
			e.Before = public(b.doc)
		}
		err = missing
	}
	if e.Before != nil && e.Action == "CREATE" {
		e.Action = "UPDATE"
	}
	return err
}

// Refused records a write that was refused as a whole (U5). Its own transaction
// is gone with all it did, so tx is another one. Of the event, Action, Resource,
// Blueprint, Entity, RunID and Message are given.
func (c *Catalog) Refused(ctx context.Context, tx store.Tx, actor Actor, e Event, upsert bool) error {
	s := c.begin(ctx, tx, actor)
	if !s.listening() {
		return nil
	}
	s.runID = e.RunID
	e.Failed = true
	if err := s.changing(&e, upsert); err != nil {
		return err
	}
	return s.record(e)
}

// snapshot is the entity as it reads now, nil when there is none. What is stored
// is shared, not copied: most records live as long as the entity.
func (s *session) snapshot(k entityKey) (jsonv.Object, error) {
	v, err := s.view(k)
	if err != nil || v == nil {
		return nil, err
	}
	out, err := s.render(v, projection{exclude: &paths{top: map[string]bool{"properties": true, "relations": true}}})
	if err != nil {
		return nil, err
	}
	out["relations"] = relationsOf(v.doc)
	if own := jsonv.Map(v.doc, "properties"); own != nil && len(v.bp.mirrors)+len(v.bp.calcs)+len(v.bp.aggs) == 0 {
		out["properties"] = own
		return out, nil
	}
	out["properties"], err = s.renderProperties(v, projection{})
	return out, err
}
