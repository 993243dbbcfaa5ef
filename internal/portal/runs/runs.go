// Package runs executes self-service actions and keeps what becomes of them
// (reference/actions.md §4): runs, their logs, the votes on them, and who may see
// them. What a run sends out it only writes down, in the transaction that accepts
// the run; whoever reads the outbox sends it (V7). It knows actions, the catalog,
// permissions and secrets through small interfaces, and nothing of HTTP.
package runs

import (
	"cmp"
	"context"
	"sync/atomic"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// The kinds of documents that runs keep.
const (
	KindRun      store.Kind = "run"
	KindLog      store.Kind = "run-log"
	KindDelivery store.Kind = "delivery"
)

// Clock tells the time.
type Clock interface{ Now() time.Time }

// IDs mints identifiers.
type IDs interface {
	Run() string
	Alphanumeric(n int) string
}

// Actions knows the documents of actions in the current format, with the order of
// their keys ([actions.Order]). Those that do not exist are nil.
type Actions interface {
	Action(tx store.Tx, org, identifier string) (jsonv.Object, error)
	// ByID finds an action by what the portal calls it, whatever it is named now.
	ByID(tx store.Tx, org, id string) (jsonv.Object, error)
	// Former is what a deleted action was called last, "" when its runs know.
	Former(tx store.Tx, org, id string) (string, error)
	// FormerlyOf are the ids of those that were called so last.
	FormerlyOf(tx store.Tx, org, name string) ([]string, error)
	// OfBlueprint finds an action by the name that the routes of a blueprint give it.
	// Its errors are for the caller to see.
	OfBlueprint(tx store.Tx, org, blueprint, id string) (jsonv.Object, error)
}

// Catalog is what runs ask of the catalog.
type Catalog interface {
	ReadEntity(ctx context.Context, tx store.Tx, actor catalog.Actor, blueprint, id string, o catalog.ReadOptions) (jsonv.Object, error)
	ReadBlueprint(ctx context.Context, tx store.Tx, actor catalog.Actor, id string) (jsonv.Object, error)
	CreateEntity(ctx context.Context, tx store.Tx, actor catalog.Actor, blueprint string, body any, o catalog.WriteOptions) (entity jsonv.Object, created bool, err error)
	Find(ctx context.Context, tx store.Tx, actor catalog.Actor, body any, limit int) ([]any, error)
}

// Access decides who may do what.
type Access interface {
	MayExecute(ctx context.Context, tx store.Tx, x access.Execution) error
	MayApprove(ctx context.Context, tx store.Tx, voter access.Subject, x access.Execution) error
	Approvers(ctx context.Context, tx store.Tx, x access.Execution) ([]string, error)
	Profile(ctx context.Context, tx store.Tx, who access.Subject) (jsonv.Object, error)
	Trigger(tx store.Tx, x access.Execution) (jsonv.Object, error)
	ActionPermissions(tx store.Tx, org, action string) (jsonv.Object, error)
	Rights(org string, u *access.User) catalog.Rights
}

// People finds users.
type People interface {
	// Subject is a user by e-mail, and whether the status is Active; nil when there
	// is none.
	Subject(tx store.Tx, org, email string) (who *access.Subject, active bool, err error)
}

// Vault holds what is secret.
type Vault interface {
	// Secrets are the organization's secrets by name.
	Secrets(tx store.Tx, org string) (map[string]string, error)
	// ClientSecret signs and encrypts (reference/actions.md §3.7, §3.8).
	ClientSecret(tx store.Tx, org string) (string, error)
	// Seal encrypts what is kept for an owner; Open gives it back.
	Seal(text, owner string) (string, error)
	Open(sealed, owner string) (string, error)
}

// Deps are what runs need.
type Deps struct {
	Clock    Clock
	IDs      IDs
	Actions  Actions
	Catalog  Catalog
	Access   Access
	People   People
	Vault    Vault
	Recorder catalog.Recorder
	// Mail writes a message to the outbox of mail.
	Mail func(tx store.Tx, to, subject, text string) error
	// Portal tells the processes apart that share a store.
	Portal string
	// Streamer is how the relay wants its runs, as it has said itself: "KAFKA",
	// "POLLING", or nothing (reference/actions.md §3.9 C8). Broker tells whether
	// messages can be stored.
	Streamer func(store.Tx) (string, error)
	Broker   bool
	// Timeout fails runs that are open for so long; 0 never does. Wake is told when to
	// look at what falls due ([Runs.Expire]).
	Timeout time.Duration
	Wake    func(time.Time)
	// AllowUnknownInputs accepts values that are no inputs of the action.
	AllowUnknownInputs bool
	// Depth is how many runs may run one another.
	Depth int
	// PageURL is where people find the portal's pages, for links in notifications.
	PageURL string
}

// Runs answers the operations on runs. It is safe for concurrent use; several
// processes may share a store.
type Runs struct {
	deps  Deps
	forms formCache
	// count numbers what is written at one moment.
	count atomic.Int64
	// gone are portals of which is known that they send nothing any more.
	gone atomic.Pointer[map[string]bool]
}

// New makes the runs of a portal.
func New(d Deps) *Runs { return &Runs{deps: d} }

// Join gives the runs what is made after them: the catalog asks them about writes
// that are tied to runs, and they ask it about entities.
func (r *Runs) Join(c Catalog, a Actions) { r.deps.Catalog, r.deps.Actions = c, a }

// Caller is who makes a request about runs.
type Caller struct {
	access.Subject
	// Source is "UI" for interactive logins and "API" for every other token
	// (reference/actions.md §4.2).
	Source string
	// Origin and Installation are what records tell of the caller, beyond the source
	// (reference/identity.md §8.6).
	Origin, Installation string
	// UserAgent becomes the $datasource of entities that the run writes.
	UserAgent string
	// Cause is the run whose backend calls, "" for callers from outside; see
	// [catalog.Actor.Cause].
	Cause string
}

// machine tells that the caller is no user.
func (c Caller) machine() bool { return c.User == nil }

func (c Caller) actor() catalog.Actor {
	a := catalog.Actor{Org: c.Org, ID: c.ID, UserAgent: c.UserAgent, Origin: cmp.Or(c.Origin, c.Source), Installation: c.Installation, Cause: c.Cause}
	if c.User != nil {
		a.User = c.User.Email
	}
	return a
}

// rights are what the caller may do in the catalog.
func (r *Runs) rights(c Caller) catalog.Actor {
	a := c.actor()
	a.Rights = r.deps.Access.Rights(c.Org, c.User)
	return a
}
