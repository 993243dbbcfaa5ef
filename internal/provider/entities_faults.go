package provider

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// entityErrorsMost is how many entities get an error of their own: whoever made
// the same mistake five thousand times knows after fifty.
const entityErrorsMost = 50

// diagnose says what failed, entity by entity, and what was not sent at all.
func (w *groupWrite) diagnose() diag.Diagnostics {
	var diags diag.Diagnostics
	failed := slices.Sorted(maps.Keys(w.failed))
	for i, id := range failed {
		if i == entityErrorsMost {
			rest := failed[i:]
			diags.AddError(fmt.Sprintf("%d more entities of blueprint %s failed", len(rest), w.blueprint),
				"Their errors are left out here: "+enumerate(rest, entityErrorsMost)+".")
			break
		}
		diags.Append(w.failure(id, w.failed[id])...)
	}
	if w.stop == nil {
		return diags
	}
	detail := w.stop.Error()
	if errors.Is(w.stop, context.Canceled) {
		detail = "Interrupted before Port answered."
	}
	var unsent []string
	for _, id := range w.changed() {
		if w.done[id] == nil && w.failed[id] == nil {
			unsent = append(unsent, id)
		}
	}
	for _, id := range w.removed() {
		if !w.gone[id] && w.failed[id] == nil {
			unsent = append(unsent, id)
		}
	}
	if len(unsent) > 0 {
		detail += fmt.Sprintf("\n\nNot known to be as configured: %d of the entities (%s). What was written before is in the state.", len(unsent), enumerate(unsent, 10))
	}
	diags.AddError("Could not write the entities of blueprint "+w.blueprint, detail)
	return diags
}

// failure is the error of one entity, at the attribute that the server complains
// about.
func (w *groupWrite) failure(id string, err error) diag.Diagnostics {
	verb, v, body := "write", w.plan, jsonv.Map(w.want, id)
	if body == nil {
		verb, v, body = "delete", w.prior, jsonv.Map(w.had, id)
	}
	var diags diag.Diagnostics
	summary := "Could not " + verb + " entity " + joinID([]string{w.blueprint, id})
	at, _ := w.kind.codec.AttrPath([]string{"entities", id}, v)
	f, ok := portapi.AsFault(err)
	if !ok {
		addAt(&diags, diag.SeverityError, at, summary, err.Error())
		return diags
	}
	if f.Status == http.StatusConflict && verb == "write" {
		addAt(&diags, diag.SeverityError, at, existingSummary(w.blueprint, []string{id}), w.existsAdvice([]string{id}))
		return diags
	}
	found := problemsOf(f)
	if len(found) == 0 {
		found = blame(f, body)
	}
	for i := range found {
		found[i].pointer = append([]string{"entities", id}, found[i].pointer...)
	}
	if found = w.kind.place(found, v); len(found) == 0 {
		found = []serverProblem{{at: at, message: f.Message}}
	}
	addProblems(&diags, summary, err.Error(), f, found)
	return diags
}

var (
	saidPointer = regexp.MustCompile(`^/((?:properties|relations|title|icon|team|identifier)(?:/[^\s;,"']+)*)`)
	saidMissing = regexp.MustCompile(`^(\w+) with identifier "([^"]*)"`)
	saidName    = regexp.MustCompile(`"([^"]+)"`)
)

// blame finds the places that the message of an item complains about. Bulk items
// carry no details (reference/catalog.md §4.10 B4), but messages name pointers,
// related entities, or keys.
func blame(f *portapi.Fault, body jsonv.Object) []serverProblem {
	var out []serverProblem
	parts := strings.Split(f.Message, "; ")
	for _, part := range parts {
		m := saidPointer.FindStringSubmatch(part)
		if m == nil {
			out = nil // the separator was part of a text
			break
		}
		out = append(out, serverProblem{pointer: strings.Split(m[1], "/"), message: part})
	}
	if len(out) > 0 {
		return out
	}
	one := func(pointer ...string) []serverProblem {
		return []serverProblem{{pointer: pointer, message: f.Message}}
	}
	relations, properties := jsonv.Map(body, "relations"), jsonv.Map(body, "properties")
	if m := saidMissing.FindStringSubmatch(f.Message); m != nil {
		if m[1] == "Relation" {
			return one("relations", m[2])
		}
		for _, key := range slices.Sorted(maps.Keys(relations)) {
			if relations[key] == m[2] {
				return one("relations", key)
			}
			if i := slices.Index(jsonv.Strings(relations[key]), m[2]); i >= 0 {
				return one("relations", key, fmt.Sprint(i))
			}
		}
	}
	for _, m := range saidName.FindAllStringSubmatch(f.Message, -1) {
		if _, ok := properties[m[1]]; ok {
			return one("properties", m[1])
		}
		if _, ok := relations[m[1]]; ok {
			return one("relations", m[1])
		}
	}
	return nil
}

// existsAdvice tells how to manage entities that stand already, when they are not
// to be taken over.
func (c *change) existsAdvice(ids []string) string {
	blueprint := jsonv.String(c.body, "blueprint")
	advice := "The provider is told not to take over existing objects (on_existing = \"fail\"): " + enumerate(ids, 10) + "."
	if !c.prior.IsNull() {
		return advice + " Take them out of this resource, or set on_existing = \"adopt\" for one apply."
	}
	named := slices.Sorted(slices.Values(ids))
	return advice + fmt.Sprintf(" To manage what exists, import it:\n\n  import {\n    to = %s.<name>\n    id = %q\n  }",
		c.kind.decl.typeName(), blueprint+":"+strings.Join(named, ","))
}
