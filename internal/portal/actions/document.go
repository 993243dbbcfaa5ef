package actions

import (
	"maps"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/legacy"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
	"github.com/portlens/terraform-provider-port/internal/portal/template"
)

// read checks a body and returns the document to store: what was sent, and what
// every answer has (reference/actions.md §1.5). Which format it is in the type of its
// trigger says alone (§1.6). What replaces an action may keep the identifier that it is
// kept under, whichever format that is from.
func read(in Document, kept string) (store.Doc, error) {
	if err := (Filter{Version: in.Version}).check(); err != nil {
		return nil, err
	}
	if legacy.Is(in.Body) {
		return readOlder(in.Body, "", false)
	}
	body := writable(in.Body)
	c := &shape.Checker{}
	document(c, body, kept)
	if err := c.Problems.Invalid(); err != nil {
		return nil, err
	}
	sent, _ := body.(jsonv.Object)
	doc := maps.Clone(sent)
	for _, key := range []string{"title", "icon", "description"} {
		if doc[key] == nil {
			delete(doc, key)
		}
	}
	if _, ok := doc["publish"]; !ok {
		doc["publish"] = true
	}
	if order := storedOrder(in.Order); order != nil {
		doc[orderKey] = order
	}
	return doc, nil
}

// readOnly are the keys of answers that bodies may hold and that say nothing there:
// what was read can be written back (reference/clients.md §11 C36, which
// reference/actions.md §1.1 contradicts).
var readOnly = []string{"id", "_id", "createdAt", "createdBy", "updatedAt", "updatedBy"}

// writable is a body without the keys that are only read.
func writable(body any) any {
	o, ok := body.(jsonv.Object)
	if !ok {
		return body
	}
	o = maps.Clone(o)
	for _, key := range readOnly {
		delete(o, key)
	}
	return o
}

func storedOrder(order template.Order) jsonv.Object {
	if len(order) == 0 {
		return nil
	}
	out := jsonv.Object{}
	for pointer, keys := range order {
		out[pointer] = jsonv.FromStrings(keys)
	}
	return out
}

// public is a stored action as callers see it; nil stays nil.
func public(doc store.Doc) jsonv.Object {
	if doc == nil {
		return nil
	}
	out := maps.Clone(doc)
	for _, key := range []string{orderKey, renamedKey, olderKey, authorKey} {
		delete(out, key)
	}
	return out
}
