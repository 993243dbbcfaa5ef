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
		entries := []store.Entry{{Path: indexID, Value: jsonv.String(d, "id")}}
		if source := sourceOf(d); source != "" {
			entries = append(entries, store.Entry{Path: indexSource, Value: source})
		}
		return entries
	}}
}

// The paths of index entries.
const (
	indexID     = "id"
	indexSource = "source"
)

// OfBlueprint and OfAction name the sources of events: the entities of a blueprint,
// and the runs of an action.
func OfBlueprint(id string) string { return "blueprint " + id }

// OfAction names the runs of an action; see [OfBlueprint].
func OfAction(id string) string { return "action " + id }

// sourceOf is the source that a published automation listens to, "" for others.
func sourceOf(d store.Doc) string {
	event := jsonv.Map(d, "trigger", "event")
	if event == nil || d["publish"] == false {
		return ""
	}
	if id := jsonv.String(event, "blueprintIdentifier"); id != "" {
		return OfBlueprint(id)
	}
	return OfAction(jsonv.String(event, "actionIdentifier"))
}

// Listening lists the published automations that listen to a source, in the order
// of their creation.
func (a *Actions) Listening(tx store.Tx, org, source string) (out []store.Doc, err error) {
	for row, err := range tx.Scan(KindAction, toSource(source), store.Page{}, org) {
		if err != nil {
			return nil, err
		}
		out = append(out, row.Doc)
	}
	return out, nil
}

type toSource string

func (s toSource) Match(d store.Doc) bool { return sourceOf(d) == string(s) }

func (s toSource) Equals() []store.Equal {
	return []store.Equal{{Path: indexSource, Values: []string{string(s)}}}
}

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

// Former is what a deleted action was called last; "" when its runs know.
func (a *Actions) Former(tx store.Tx, org, id string) (string, error) {
	doc, err := tx.Get(KindFormer, org, id)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return jsonv.String(doc, "identifier"), err
}

type withID string

func (w withID) Match(d store.Doc) bool { return jsonv.String(d, "id") == string(w) }

func (w withID) Equals() []store.Equal {
	return []store.Equal{{Path: indexID, Values: []string{string(w)}}}
}

// Public is a document as callers see it.
func Public(doc store.Doc) jsonv.Object { return public(doc) }

// Author is the e-mail of the moderator who wrote an action last, "" when it was an
// administrator or a machine: it must not get further in the portal itself than who
// wrote it.
func Author(doc store.Doc) string { return jsonv.String(doc, authorKey) }

// Order is the order of the keys that the invocation of an action computes, as it
// is kept; [OrderOf] reads it for templates.
func Order(doc store.Doc) jsonv.Object { return jsonv.Map(doc, orderKey) }

// OrderOf reads what [Order] keeps.
func OrderOf(kept jsonv.Object) template.Order {
	if kept == nil {
		return nil
	}
	out := template.Order{}
	for pointer, keys := range kept {
		out[pointer] = jsonv.Strings(keys)
	}
	return out
}

// FormerlyOf are the ids of deleted actions that were renamed before and were called so
// last.
func (a *Actions) FormerlyOf(tx store.Tx, org, name string) (ids []string, err error) {
	for row, err := range tx.Scan(KindFormer, nil, store.Page{}, org) {
		if err != nil {
			return nil, err
		}
		if jsonv.String(row.Doc, "identifier") == name {
			ids = append(ids, row.Key[len(row.Key)-1])
		}
	}
	return ids, nil
}
