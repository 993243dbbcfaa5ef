package catalog

import (
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Accounts keeps users and teams in step with the entities that are their other
// face (reference/identity.md §4.3), in the transaction that writes these.
type Accounts interface {
	// Admit looks at a write of an entity of _user or _team before anything else
	// does: it fills in what is not given, and refuses what is protected. It writes
	// nothing: a validation asks too, and so does an item of a bulk that fails later.
	Admit(tx store.Tx, w *AccountWrite) error
	// AdmitDeletion refuses the deletion of an entity that must stay, or that the
	// caller must not delete.
	AdmitDeletion(tx store.Tx, actor Actor, doc store.Doc) error
	// Written is told of an entity that was created (before is nil), changed, by
	// whatever and under whatever name, or deleted (after is nil). It refuses
	// nothing: what it returns as an error ends the whole call. What it returns
	// beside is told to the caller with the entity, once.
	Written(tx store.Tx, actor Actor, before, after store.Doc) (additional jsonv.Object, err error)
}

// AccountWrite is a write of an entity of _user or _team as it was asked for.
// [Accounts.Admit] may change all but Actor, Blueprint, Existing and Merge.
type AccountWrite struct {
	Actor     Actor
	Blueprint string
	ID        string
	// Existing is the stored entity, nil when the write creates one. With Merge
	// what is not given stays.
	Existing store.Doc
	Merge    bool

	HasTitle bool
	Title    any
	HasTeam  bool
	// Team holds identifiers, those of a user's teams; a team may not exist.
	Team       []string
	Properties jsonv.Object
	// Others tells that the icon or a relation would change too.
	Others bool
}

// Follower keeps documents that name blueprints and their fields in step with them.
type Follower interface {
	BlueprintRenamed(tx store.Tx, org, was, is string) error
	BlueprintDeleted(tx store.Tx, org, blueprint string) error
	FieldRenamed(tx store.Tx, org, blueprint string, was Field, is string) error
	FieldDeleted(tx store.Tx, org, blueprint string, field Field) error
}

// WhereTitle selects the entities of one title.
func WhereTitle(title string) store.Where {
	return indexed{equalTo(indexMeta+"$title", title), func(d store.Doc) bool { return d["title"] == title }}
}

// WhereTeam selects the entities whose own team names a team.
func WhereTeam(id string) store.Where {
	return indexed{equalTo(indexMeta+"$team", id), func(d store.Doc) bool { return holds(d["team"], id) }}
}
