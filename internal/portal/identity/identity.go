// Package identity knows who calls: the organization, its machine credentials, its
// users, and the access tokens that credentials are exchanged for
// (reference/identity.md §1). It does not decide what a caller may do.
//
// Secrets: the organization's credentials must stay readable, because the API
// lists them (reference/identity.md §1.6), and so must its secrets, because
// invocations carry them. So neither can be kept as hashes. They are sealed with
// AES-GCM under a key that the data does not hold ([Key]): it was given, or stands
// in a file beside the data file. Where there is neither, as in memory, the key is
// derived from the signing key, which keeps secrets out of dumps and greps and is no
// protection against somebody who holds the data and means harm.
package identity

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// The kinds of documents that identity keeps.
const (
	KindServer       store.Kind = "server"
	KindOrganization store.Kind = "organization"
	KindCredentials  store.Kind = "credentials"
)

// serverKey is where a data file says which organization it holds.
const serverKey = "server"

// firstApp names the set of credentials that an organization begins with
// (reference/identity.md §1.6).
const firstApp = "default"

// Credentials are a client id and its secret.
type Credentials struct{ ClientID, ClientSecret string }

// Options are what [Open] needs. Given credentials are added to the organization
// unless that client id was there before: a secret that was rotated and a set
// that was deleted stay so.
type Options struct {
	Store store.Store
	Clock clock.Clock
	IDs   ident.Source
	Given Credentials
	Key   Key
	// FailedLogins is how often a client id may be used with a wrong secret in a
	// minute, from one address; 0 is no limit.
	FailedLogins int
	// InitialUserStatus is the status of users who are created without one:
	// "Disabled", which is the default, or "Staged" (reference/identity.md §0.1).
	InitialUserStatus string
	// AutomaticAccess lets everybody in who logs in with the organization's identity
	// provider, as a Member; others must have been invited (reference/identity.md §8.1).
	AutomaticAccess bool
}

// Identity answers for one organization. It is safe for concurrent use.
type Identity struct {
	store   store.Store
	clock   clock.Clock
	ids     ident.Source
	org     string
	machine string
	signing []byte
	sealing []byte
	decoy   string
	key     Key
	catalog *catalog.Catalog
	access  *access.Access

	initialStatus   string
	automaticAccess bool
	verified        verified
	attempts        *attempts
	outgoing        outgoing
}

// Open reads the organization of a store and creates it in an empty one. Several
// processes may open one store at the same time.
func Open(ctx context.Context, o Options) (*Identity, error) {
	if (o.Given.ClientID == "") != (o.Given.ClientSecret == "") {
		return nil, errors.New("a client id and a client secret belong together: only one of them is given")
	}
	i := &Identity{
		store: o.Store, clock: o.Clock, ids: o.IDs, key: o.Key, attempts: newAttempts(o.Clock, o.FailedLogins),
		initialStatus: o.InitialUserStatus, automaticAccess: o.AutomaticAccess,
	}
	switch i.initialStatus {
	case "":
		i.initialStatus = statusDisabled
	case statusDisabled, statusStaged:
	default:
		return nil, fmt.Errorf("users begin as %s or %s, not as %q", statusDisabled, statusStaged, o.InitialUserStatus)
	}
	ready := errors.New("ready")
	err := o.Store.View(ctx, func(tx store.Tx) error {
		doc, err := i.load(tx)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return nil
		case err == nil && !i.wantsKey(doc) && (o.Given.ClientID == "" || known(doc, o.Given.ClientID)):
			return ready
		}
		return err
	})
	if errors.Is(err, ready) {
		return i, nil
	}
	if err != nil {
		return nil, err
	}
	if err := o.Store.Update(ctx, func(tx store.Tx) error { return i.bootstrap(tx, o.Given) }); err != nil {
		return nil, fmt.Errorf("organization: %w", err)
	}
	return i, nil
}

// load takes over what the server document says.
func (i *Identity) load(tx store.Tx) (store.Doc, error) {
	doc, err := tx.Get(KindServer, serverKey)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(jsonv.String(doc, "signingKey"))
	if err != nil || len(key) == 0 {
		return nil, errors.New("the data file holds no usable signing key")
	}
	i.org, i.machine, i.signing = jsonv.String(doc, "organization"), jsonv.String(doc, "machine"), key
	return doc, i.useKey(jsonv.String(doc, "sealedBy"))
}

func known(server store.Doc, clientID string) bool {
	return slices.Contains(jsonv.Strings(server["bootstrapped"]), clientID)
}

func (i *Identity) bootstrap(tx store.Tx, given Credentials) error {
	doc, err := i.load(tx)
	if errors.Is(err, store.ErrNotFound) {
		doc, err = i.establish(tx, given)
	}
	if err == nil && i.wantsKey(doc) {
		doc, err = i.adoptKey(tx, doc)
	}
	if err != nil {
		return err
	}
	if given.ClientID == "" || known(doc, given.ClientID) {
		return nil
	}
	if _, err := i.addCredentials(tx, firstApp, given); err != nil {
		return err
	}
	doc = jsonv.CloneObject(doc)
	doc["bootstrapped"] = append(slices.Clone(jsonv.List(doc, "bootstrapped")), given.ClientID)
	return tx.Put(KindServer, doc, serverKey)
}

// establish creates the organization with one set of credentials.
func (i *Identity) establish(tx store.Tx, given Credentials) (store.Doc, error) {
	first, announced := given, true
	if first.ClientID == "" {
		first, announced = i.newCredentials(), false
	}
	now := clock.Stamp(i.clock.Now())
	doc := store.Doc{
		"organization": "org_" + i.ids.Alphanumeric(16),
		"machine":      first.ClientID,
		"signingKey":   hex.EncodeToString([]byte(i.ids.Trace() + i.ids.Trace())),
		"announced":    announced,
		"bootstrapped": []any{first.ClientID},
		"createdAt":    now,
	}
	if i.wantsKey(doc) {
		id, err := i.takeKey()
		if err != nil {
			return nil, err
		}
		doc["sealedBy"] = id
	}
	if err := tx.Put(KindServer, doc, serverKey); err != nil {
		return nil, err
	}
	if _, err := i.load(tx); err != nil {
		return nil, err
	}
	organization := store.Doc{
		"id": i.org, "name": "Port", "featureFlags": []any{ownershipFlag},
		"createdAt": now, "updatedAt": now, "createdBy": i.machine, "updatedBy": i.machine,
	}
	if err := tx.Put(KindOrganization, organization, i.org); err != nil {
		return nil, err
	}
	_, err := i.addCredentials(tx, firstApp, first)
	return doc, err
}

// Org is the organization's id.
func (i *Identity) Org() string { return i.org }

// Machine is the principal of whoever holds the data file: the organization's
// first machine credentials.
func (i *Identity) Machine() Principal { return Principal{Org: i.org, ID: i.machine} }

// Announce returns the credentials that were made up at the first start, once:
// whoever is told first keeps them. Credentials that were given are not told.
func (i *Identity) Announce(ctx context.Context) (Credentials, bool, error) {
	var c Credentials
	var first bool
	err := i.store.Update(ctx, func(tx store.Tx) error {
		c, first = Credentials{}, false
		doc, err := tx.Get(KindServer, serverKey)
		if err != nil || jsonv.Bool(doc, "announced") {
			return err
		}
		c, err = i.credentials(tx, i.machine)
		if errors.Is(err, store.ErrNotFound) {
			return nil // deleted before anybody was told
		}
		if err != nil {
			return err
		}
		first = true
		doc = jsonv.CloneObject(doc)
		doc["announced"] = true
		return tx.Put(KindServer, doc, serverKey)
	})
	return c, first && err == nil, err
}

// Credentials returns the machine credentials of [Identity.Machine].
func (i *Identity) Credentials(ctx context.Context) (Credentials, error) {
	var c Credentials
	err := i.store.View(ctx, func(tx store.Tx) (err error) {
		c, err = i.credentials(tx, i.machine)
		return err
	})
	return c, err
}

// Accepts reports whether credentials would be given a token.
func (i *Identity) Accepts(ctx context.Context, c Credentials) (bool, error) {
	err := i.store.View(ctx, func(tx store.Tx) error {
		_, err := i.verify(tx, c)
		return err
	})
	var refused *fault.Fault
	if errors.As(err, &refused) {
		return false, nil
	}
	return err == nil, err
}
