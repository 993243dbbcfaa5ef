package actions

import (
	"errors"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
	"github.com/portlens/terraform-provider-port/internal/portal/template"
)

// Indexes are what a store needs to find actions by what the portal calls them.
func Indexes() store.Indexes {
	return store.Indexes{KindAction: func(d store.Doc) []store.Entry {
		return []store.Entry{{Path: indexID, Value: jsonv.String(d, "id")}}
	}}
}

const indexID = "id"

// Action is the document of an action whoever asks, nil when there is none. Under
// a key of its own, which callers do not see, it holds the [Order] of its keys.
func (a *Actions) Action(tx store.Tx, org, identifier string) (jsonv.Object, error) {
	doc, err := tx.Get(KindAction, org, identifier)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return doc, err
}

// ByID finds an action by its id, whatever it is named now; nil when there is none.
func (a *Actions) ByID(tx store.Tx, org, id string) (jsonv.Object, error) {
	for row, err := range tx.Scan(KindAction, withID(id), store.Page{Limit: 1}, org) {
		return row.Doc, err
	}
	return nil, nil
}

type withID string

func (w withID) Match(d store.Doc) bool { return jsonv.String(d, "id") == string(w) }

func (w withID) Equals() []store.Equal {
	return []store.Equal{{Path: indexID, Values: []string{string(w)}}}
}

// Public is a document as callers see it.
func Public(doc store.Doc) jsonv.Object { return public(doc) }

// Order is the order of the keys that the invocation of an action computes, as it
// is kept; [OrderOf] reads it for templates.
func Order(doc store.Doc) jsonv.Object { return jsonv.Map(doc, orderKey) }

// OrderOf reads what [Order] keeps.
func OrderOf(kept jsonv.Object) template.Order { return orderOf(store.Doc{orderKey: kept}) }
