package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// The blueprints whose entities are users and teams. An entity and what the routes
// of users and teams show are one record: the entity holds role, status, names and
// memberships, and a document of its own ([KindAccount], [KindTeam]) what has no
// place there (reference/identity.md §4.3).
const (
	userBlueprint = "_user"
	teamBlueprint = "_team"
)

// KindAccount is what a user is beyond the entity, under organization and e-mail:
// {"id", "clientId"?, "providers", "picture", "phoneNumber", "managedByScim",
// "scimUpdatedAt", "termsAccepted", "isInvisible", "supportLevel", "lastLoginAt",
// "initial", "createdAt"}. "initial" is true while a user who was created Disabled
// was neither enabled nor disabled by anybody.
const KindAccount store.Kind = "account"

// By which other ways than the routes of entities users and teams are written; see
// [catalog.Actor.Through].
const (
	ThroughUsers = "users"
	ThroughTeams = "teams"
	ThroughLogin = "login"
	ThroughSCIM  = "scim"
)

// Serve makes the routes of users and teams work on a catalog, to which i is the
// keeper of accounts ([catalog.Deps]), and on the documents that name them. It is
// called once, before anybody calls.
func (i *Identity) Serve(c *catalog.Catalog, a *access.Access) { i.catalog, i.access = c, a }

// Admit implements [catalog.Accounts].
func (i *Identity) Admit(tx store.Tx, w *catalog.AccountWrite) error {
	if w.Blueprint == teamBlueprint {
		return i.admitTeam(tx, w)
	}
	return i.admitUser(tx, w)
}

// AdmitDeletion implements [catalog.Accounts].
func (i *Identity) AdmitDeletion(tx store.Tx, actor catalog.Actor, doc store.Doc) error {
	if jsonv.String(doc, "blueprint") == teamBlueprint {
		return i.admitTeamDeletion(tx, actor, doc)
	}
	return i.admitUserDeletion(actor, doc)
}

// Written implements [catalog.Accounts].
func (i *Identity) Written(tx store.Tx, actor catalog.Actor, before, after store.Doc) (jsonv.Object, error) {
	doc := after
	if doc == nil {
		doc = before
	}
	if jsonv.String(doc, "blueprint") == teamBlueprint {
		return nil, i.teamWritten(tx, actor, before, after)
	}
	was, is := jsonv.String(before, "identifier"), jsonv.String(after, "identifier")
	if before != nil && after != nil && was != is {
		if err := i.userRenamed(tx, was, is); err != nil {
			return nil, err
		}
	}
	return i.userWritten(tx, before, after)
}

// account is a user's document beyond the entity. Users of data files that have
// none read as if nobody had ever changed it; their id follows from their e-mail.
func (i *Identity) account(tx store.Tx, email string) (store.Doc, error) {
	doc, err := tx.Get(KindAccount, i.org, email)
	if errors.Is(err, store.ErrNotFound) {
		sum := sha256.Sum256([]byte(i.org + " " + email))
		return store.Doc{"id": userID(hex.EncodeToString(sum[:]))}, nil
	}
	return doc, err
}

// putAccount stores what change makes of a user's document.
func (i *Identity) putAccount(tx store.Tx, email string, change func(store.Doc)) error {
	doc, err := i.account(tx, email)
	if err != nil {
		return err
	}
	doc = jsonv.CloneObject(doc)
	change(doc)
	return tx.Put(KindAccount, doc, i.org, email)
}

// userID makes an opaque, stable id of at least 24 hex digits (reference/identity.md §2.1).
func userID(digits string) string { return "auth0|" + digits[:24] }

// user is the entity of a user, nil when there is none.
func (i *Identity) user(tx store.Tx, email string) (store.Doc, error) {
	return entity(tx, i.org, userBlueprint, ident.Email(email))
}

func entity(tx store.Tx, org, blueprint, id string) (store.Doc, error) {
	doc, err := tx.Get(catalog.KindEntity, org, blueprint, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return doc, err
}

// byPerson tells whether a write comes from the UI or the API, as invitations and
// changes of status must (reference/identity.md §2.5 S1, §8.6).
func byPerson(a catalog.Actor) bool { return a.Origin == "" || a.Origin == "API" || a.Origin == "UI" }
