package catalog

import (
	"context"
	"errors"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jq"
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// timeFormat is how every timestamp is written (reference/catalog.md §1.4).
const timeFormat = "2006-01-02T15:04:05.000Z"

// session is one operation: its transaction, its caller and its time, and what
// was already read, so that listing a thousand entities that mirror the same
// target reads that target once.
type session struct {
	cat   *Catalog
	ctx   context.Context //nolint:containedctx // a session lives exactly as long as the call whose context it is
	tx    store.Tx
	actor Actor
	now   time.Time
	stamp string
	// dry keeps writes in the session instead of the transaction (validation_only).
	dry   bool
	runID string
	// job marks what a migration or the deletion of all entities does.
	job bool
	// followers are entities that change along with something else; their
	// changes are recorded when it is done.
	followers []follower
	following map[entityKey]bool
	// gathered are events that wait for those that belong to the same operation.
	gathering bool
	gathered  []Event
	// expired are timers that were due when they were written; carries says that
	// what is written only gets another name.
	expired []expiry
	carries bool

	blueprints map[string]*blueprint
	entities   map[entityKey]store.Doc
	views      map[entityKey]*view
	// busy holds the computed values that are being evaluated, so that cycles of
	// mirrors, inherited ownership or aggregations end in null.
	busy map[busyKey]bool
	// referrers caches which relations point at a blueprint.
	referrers map[string][]reference
	// closures caches what an entity is related to, for aggregations.
	closures map[closureKey][]entityKey
	matching *matcher
	// calculations is the time that is left for them.
	calculations *jq.Budget
	// trace collects what the value being computed rests on; nil when nobody asks.
	trace *trace
	// circular are the values that a cycle cut short since the outermost one began.
	circular []place
	// whole is the session that sees the organization as it is, nil in that one
	// itself; own is the one of its caller ([session.reader]). grants are what the
	// caller may read of the blueprints that were asked about.
	whole, own *session
	grants     map[string]Grant
	policing   *matcher
	// tie is how the session stands to what the catalog has kept.
	tie tie
	// additional is what callers are told beside the entities that they wrote.
	additional map[entityKey]jsonv.Object
	// pretended is an entity that is not stored yet, while rights to it are asked
	// about.
	pretended entityKey
	// rights are what the caller was found to have.
	rights map[rightKey]Grant
	// writes are the entities put or dropped in this session's transaction.
	writes []entityKey
}

type entityKey struct{ blueprint, id string }

type busyKey struct {
	entityKey
	property string
}

func (c *Catalog) begin(ctx context.Context, tx store.Tx, actor Actor) *session {
	now := c.deps.Clock.Now().UTC()
	return &session{
		cat: c, ctx: ctx, tx: tx, actor: actor, now: now, stamp: now.Format(timeFormat),
		blueprints: map[string]*blueprint{},
		entities:   map[entityKey]store.Doc{},
		views:      map[entityKey]*view{},
		busy:       map[busyKey]bool{},
		referrers:  map[string][]reference{},
		closures:   map[closureKey][]entityKey{},

		calculations: jq.NewBudget(calculationTime),

		tie: tie{off: store.Wrote(tx)},
	}
}

// blueprint returns the compiled blueprint, or nil when there is none.
func (s *session) blueprint(id string) (*blueprint, error) {
	if b, ok := s.blueprints[id]; ok {
		return b, nil
	}
	doc, err := s.tx.Get(KindBlueprint, s.actor.Org, id)
	if errors.Is(err, store.ErrNotFound) {
		b := systemBlueprint(id)
		s.blueprints[id] = b
		return b, nil
	}
	if err != nil {
		return nil, err
	}
	b := s.cat.cache.get(s.actor.Org, doc)
	s.blueprints[id] = b
	return b, nil
}

// needBlueprint is [session.blueprint] with a 404 for a missing one.
func (s *session) needBlueprint(id string) (*blueprint, error) {
	b, err := s.blueprint(id)
	if err == nil && b == nil {
		err = fault.NotFound("Blueprint", id)
	}
	return b, err
}

// allBlueprints returns every blueprint in list order.
func (s *session) allBlueprints() ([]*blueprint, error) {
	var all []*blueprint
	seen := map[string]bool{}
	for row, err := range s.tx.Scan(KindBlueprint, nil, store.Page{}, s.actor.Org) {
		if err != nil {
			return nil, err
		}
		b := s.cat.cache.get(s.actor.Org, row.Doc)
		s.blueprints[b.id] = b
		seen[b.id] = true
		all = append(all, b)
	}
	for _, id := range systemIdentifiers() {
		if !seen[id] {
			b := systemBlueprint(id)
			s.blueprints[id] = b
			all = append(all, b)
		}
	}
	sortBlueprints(all)
	return all, nil
}

// entity returns a stored entity, or nil when there is none.
func (s *session) entity(k entityKey) (store.Doc, error) {
	if d, ok := s.entities[k]; ok {
		return d, nil
	}
	d, err := s.tx.Get(KindEntity, s.actor.Org, k.blueprint, k.id)
	if errors.Is(err, store.ErrNotFound) {
		d, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	s.entities[k] = d
	return d, nil
}

// entitiesOf yields a blueprint's stored entities in list order. Entities that
// only a dry session knows are not among them.
func (s *session) entitiesOf(blueprint string, where store.Where, page store.Page) func(func(store.Row, error) bool) {
	return s.tx.Scan(KindEntity, where, page, s.actor.Org, blueprint)
}

func (s *session) putEntity(k entityKey, d store.Doc) error {
	return s.storeEntity(k, d, func() error { return s.tx.Put(KindEntity, d, s.actor.Org, k.blueprint, k.id) })
}

func (s *session) dropEntity(k entityKey) error {
	return s.storeEntity(k, nil, func() error { return s.tx.Delete(KindEntity, s.actor.Org, k.blueprint, k.id) })
}

// storeEntity makes d what is stored of an entity, with all that follows at once.
func (s *session) storeEntity(k entityKey, d store.Doc, do func() error) error {
	if err := s.touch(k); err != nil {
		return err
	}
	if err := s.rewind(k, d); err != nil {
		return err
	}
	var before store.Doc
	if s.accounts(k.blueprint) != nil && !s.carries {
		var err error
		if before, err = s.entity(k); err != nil {
			return err
		}
	}
	s.entities[k] = d
	s.forget()
	if s.dry {
		return nil
	}
	if err := do(); err != nil || s.carries {
		return err
	}
	return s.accountWritten(k, before, d)
}

// putBlueprint stores a definition and forgets whatever was derived from it.
func (s *session) putBlueprint(doc store.Doc) error {
	id := jsonv.String(doc, "identifier")
	doc = sealed(doc)
	if err := s.tx.Put(KindBlueprint, doc, s.actor.Org, id); err != nil {
		return err
	}
	s.tie.off = true
	clear(s.referrers)
	s.forget()
	s.blueprints[id] = s.cat.cache.get(s.actor.Org, doc)
	return nil
}

func (s *session) dropBlueprint(id string) error {
	s.tie.off = true
	clear(s.referrers)
	s.forget()
	s.blueprints[id] = nil
	return s.tx.Delete(KindBlueprint, s.actor.Org, id)
}

// checkRun refuses a run_id that names no open run, or one that the caller may not
// know of.
func (s *session) checkRun(runID string) error {
	s.runID = runID
	if runID == "" {
		return nil
	}
	if s.cat.deps.Runs == nil {
		return fault.NotFound("Run", runID)
	}
	seen, err := s.cat.deps.Runs.Visible(s.tx, s.actor, runID)
	if err != nil {
		return err
	}
	if !seen {
		return fault.NotFound("Run", runID)
	}
	return s.cat.deps.Runs.Check(s.tx, s.actor.Org, runID)
}
