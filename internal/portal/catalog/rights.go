package catalog

import (
	"errors"

	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Verb is what somebody wants to do with entities; the names are those of the
// blocks of a permission document (reference/identity.md §7.4).
type Verb string

// The verbs of entities.
const (
	VerbRead       Verb = "read"
	VerbRegister   Verb = "register"
	VerbUpdate     Verb = "update"
	VerbUnregister Verb = "unregister"
)

// Field names a part of an entity that has rights of its own: a property, a
// relation, or, with Part "", one of "$identifier", "$title", "$icon", "$team".
type Field struct{ Part, Key string }

// The parts that a [Field] lies in.
const (
	PartProperties = "properties"
	PartRelations  = "relations"
)

// Rights are what the caller of an operation may do. An [Actor] without rights may
// do everything: machine credentials, administrators, and the portal itself.
type Rights interface {
	// Manages tells whether the caller may change a blueprint and what belongs to
	// it, as its moderators may (reference/identity.md §7.1).
	Manages(blueprint string) bool
	// Entities says with which entities of a blueprint the caller may do something.
	// Reading includes what other verbs imply (§7.5).
	Entities(tx store.Tx, blueprint string, verb Verb) (Grant, error)
	// Field says in which entities the caller may change one field, as a document
	// allows it for that field alone: who may update an entity may change all of it.
	Field(tx store.Tx, blueprint string, field Field) (Grant, error)
}

// Grant is a set of entities of one blueprint: all, or those that Among matches,
// or, when it is nil, none.
type Grant struct {
	All   bool
	Among *query.Query
	// Owned says that Among is about the teams that own an entity, so that a write
	// must not take the entity out of the set (reference/identity.md §7.5).
	Owned bool
}

// None tells that no entity is in the set, whatever it holds.
func (g Grant) None() bool { return !g.All && g.Among == nil }

// Definition returns the document of a blueprint as it is stored, system ones
// included; nil when there is none. It is shared and must not be changed.
func Definition(tx store.Tx, org, blueprint string) (store.Doc, error) {
	doc, err := tx.Get(KindBlueprint, org, blueprint)
	if !errors.Is(err, store.ErrNotFound) {
		return doc, err
	}
	if b := systemBlueprint(blueprint); b != nil {
		return b.doc, nil
	}
	return nil, nil
}
