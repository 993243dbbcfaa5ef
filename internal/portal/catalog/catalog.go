// Package catalog holds the rules of the software catalog: blueprints, entities,
// their relations and computed properties, and both searches
// (reference/catalog.md §2–§5). Its methods take a store transaction and plain
// JSON bodies and return JSON documents that only need the envelope around them;
// every error a caller may see is a *fault.Fault. It knows nothing of HTTP, of
// permissions, or of how documents are kept.
package catalog

import (
	"time"

	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Clock tells the time of a request.
type Clock interface{ Now() time.Time }

// IDs mints identifiers.
type IDs interface {
	// Entity is an identifier for an entity that came without one.
	Entity() string
	// Migration is an identifier for a migration record.
	Migration() string
}

// Runs answers for action runs that writes are tied to by run_id
// (reference/catalog.md §1.5).
type Runs interface {
	// Check returns nil when the run may be written to, a 404 not_found fault
	// when there is none, and a 400 run_exhausted fault when it has finished.
	Check(tx store.Tx, org, runID string) error
	// Visible tells whether a caller may see the run (reference/identity.md §7.8);
	// there being none is not seeing it.
	Visible(tx store.Tx, actor Actor, runID string) (bool, error)
}

// Actions lets what becomes of a blueprint reach its self-service actions
// (reference/catalog.md §2.15).
type Actions interface {
	// Of lists the identifiers of the blueprint's actions.
	Of(tx store.Tx, org, blueprint string) ([]string, error)
	// DeleteOf deletes them, and whatever else makes no sense without the blueprint.
	DeleteOf(tx store.Tx, actor Actor, blueprint string) error
	// BlueprintRenamed lets them follow a new identifier.
	BlueprintRenamed(tx store.Tx, org, was, is string) error
}

// Deps are what a catalog needs from outside. Those after IDs may be nil: then
// there are no runs, so that every run_id is unknown, no actions, and nobody who
// is told of changes.
type Deps struct {
	Clock    Clock
	IDs      IDs
	Runs     Runs
	Actions  Actions
	Recorder Recorder
	Accounts Accounts
	Follower Follower
	// Wake asks for a call of [Catalog.ExpireTimers] at a moment. It is called
	// in the transaction that sets a timer, before it is known whether that will
	// be; the call must come after the transaction.
	Wake func(time.Time)
	// Kept bounds what is kept of an organization's aggregations, in entities and
	// what each adds; 0 is a default, and with less than 0 every aggregation is
	// computed from the stored entities whenever it is read.
	Kept int
}

// Actor is who makes a request.
type Actor struct {
	// Org is the organization's key, the first part of every store key.
	Org string
	// ID is what createdBy and updatedBy show.
	ID string
	// UserAgent becomes the $datasource of the entities written
	// (reference/catalog.md §4.13).
	UserAgent string
	// Origin is what records of changes name as the origin; "" is the API.
	// Installation is the identifier of the integration that calls, if one does
	// (reference/identity.md §8.6).
	Origin       string
	Installation string
	// Cause is the run whose backend calls in this process, "" for everybody else: a
	// chain of causes is to end somewhere (reference/actions.md §6.5).
	Cause string
	// User is the e-mail of the user who calls, "" for machine credentials: what
	// contextual values of queries are about.
	User string
	// Rights are what the caller may do; nil is everything.
	Rights Rights
	// Through says by which other way than the routes of entities a user or a team
	// is written, in words that [Accounts] understands; "" is those routes. On other
	// ways nobody can fill what an organization requires of its own
	// (reference/identity.md §4.4), so that it is not asked for.
	Through string
}

// WriteOptions are the query parameters of entity writes (reference/catalog.md §1.5).
type WriteOptions struct {
	Upsert         bool
	Merge          bool
	ValidationOnly bool
	// CreateMissing is create_missing_related_entities.
	CreateMissing bool
	RunID         string
}

// ReadOptions are the query parameters of entity reads and searches.
type ReadOptions struct {
	Include []string
	Exclude []string
	// ExcludeCalculated is exclude_calculated_properties.
	ExcludeCalculated bool
	// AttachTitles is attach_title_to_relation.
	AttachTitles bool
	// AttachMirrorIdentifiers is attach_identifier_to_title_mirror_properties.
	AttachMirrorIdentifiers bool
	// AllowPartial is allow_partial_results.
	AllowPartial bool
}

// DeleteOptions are the query parameters of entity deletion.
type DeleteOptions struct {
	// Dependents is delete_dependents.
	Dependents bool
	RunID      string
}

// DeleteAllOptions are the query parameters of DELETE all-entities.
type DeleteAllOptions struct {
	// Blueprint is delete_blueprint.
	Blueprint bool
	RunID     string
}

// MigrationFilter narrows the list of migrations; empty fields admit everything.
type MigrationFilter struct {
	Status    []string
	Actor     string
	Blueprint string
}

// The kinds of documents that a catalog keeps.
const (
	KindBlueprint store.Kind = "blueprint"
	KindEntity    store.Kind = "entity"
	KindMigration store.Kind = "migration"
)

// Catalog answers the operations on blueprints and entities. It is safe for
// concurrent use. What it keeps beside the store, compiled blueprints and the
// running results of aggregations, follows from what is stored: several catalogs
// may share a store.
type Catalog struct {
	deps  Deps
	cache *compiledCache
	memos *memos
}

// New makes a catalog.
func New(deps Deps) *Catalog {
	return &Catalog{deps: deps, cache: newCompiledCache(512), memos: newMemos(deps.Kept)}
}
