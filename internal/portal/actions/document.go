package actions

import (
	"maps"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/legacy"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
	"github.com/portlens/terraform-provider-port/internal/portal/template"
)

// read checks a body and returns the document to store: what was sent, and what
// every answer has (reference/actions.md §1.5). Which format it is in the type of its
// trigger says alone (§1.6).
func read(in Document) (store.Doc, error) {
	if legacy.Is(in.Body) {
		return readOlder(in.Body, "", false)
	}
	c := &checker{}
	c.document(in.Body)
	if err := c.problems.Invalid(); err != nil {
		return nil, err
	}
	sent, _ := in.Body.(jsonv.Object)
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

// orderOf is the order that [storedOrder] kept, for templates below at.
func orderOf(doc store.Doc) template.Order {
	kept := jsonv.Map(doc, orderKey)
	if kept == nil {
		return nil
	}
	out := template.Order{}
	for pointer, keys := range kept {
		out[pointer] = jsonv.Strings(keys)
	}
	return out
}

// Method compiles how an action is invoked.
func Method(doc store.Doc) *template.Template {
	return template.Compile(jsonv.Map(doc, "invocationMethod"), orderOf(doc))
}

// public is a stored action as callers see it; nil stays nil.
func public(doc store.Doc) jsonv.Object {
	if doc == nil {
		return nil
	}
	out := maps.Clone(doc)
	delete(out, orderKey)
	return out
}
