package catalog

import (
	"net/http"
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/propschema"
)

// scorecardInput prepares the body of a scorecard: rules sent along with a new one
// are no property, and a scorecard without levels has the default ones
// (reference/portal.md §1.1, §1.7 R1). The body itself is not changed.
func (w *write) scorecardInput() error {
	in := make(jsonv.Object, len(w.in.properties))
	for key, value := range w.in.properties {
		in[key] = value
	}
	if _, own := w.bp.props["rules"]; !own && w.existing == nil {
		if given, ok := in["rules"]; ok {
			w.in.rules = given
			delete(in, "rules")
		}
	}
	given, ok := in["levels"]
	if list, isList := given.([]any); ok && (given == nil || isList && len(list) == 0) || !ok && !w.merge {
		in["levels"] = w.bp.props["levels"].value
	}
	w.in.properties = in
	return nil
}

// scorecardChecks looks at the levels of a scorecard, at its blueprint, and at the
// rules that were sent along.
func (w *write) scorecardChecks() error {
	titles, problems := levelTitles(w.doc)
	if err := problems.Fault(http.StatusUnprocessableEntity, "blueprint_schema_mismatch"); err != nil {
		return err
	}
	if _, err := w.s.needBlueprint(jsonv.String(w.doc, "properties", "blueprint")); err != nil {
		return err
	}
	if w.existing != nil || w.in.rules == nil {
		return nil
	}
	bodies, err := w.readRules(titles)
	if err != nil {
		return err
	}
	bp, err := w.s.needBlueprint(sysRule)
	if err != nil {
		return err
	}
	// The rules are planned before anything is written, with the scorecard they
	// relate to as if it were there.
	k := entityKey{w.bp.id, w.id}
	w.s.entities[k] = w.doc
	defer func() {
		delete(w.s.entities, k)
		delete(w.s.views, k)
	}()
	for _, in := range bodies {
		if err := w.planRule(bp, in); err != nil {
			return err
		}
	}
	return nil
}

// planRule plans a rule that came with its scorecard. Rules of other scorecards
// may have the same identifier; then the scorecard's goes before it.
func (w *write) planRule(bp *blueprint, in entityBody) error {
	for _, id := range []string{in.id, w.id + "_" + in.id} {
		taken, err := w.s.entity(entityKey{bp.id, id})
		if err != nil {
			return err
		}
		if taken == nil {
			rule := &write{s: w.s, bp: bp, in: in, id: id}
			w.rules = append(w.rules, rule)
			return rule.plan()
		}
	}
	return fault.Taken("Entity", w.id+"_"+in.id).With("blueprint", bp.id)
}

// levelTitles lists the titles of a scorecard's levels. What is no level is in
// problems.
func levelTitles(scorecard jsonv.Object) (titles []string, problems fault.Problems) {
	at := []string{"properties", "levels"}
	add := func(i int, key, format string, args ...any) {
		problems.Add(jsonv.Pointer(below(at, string(jsonv.Int(i)), key)...), format, args...)
		problems[len(problems)-1].Property = "levels"
	}
	for i, entry := range jsonv.List(scorecard, at...) {
		title := jsonv.String(entry, "title")
		if title == "" {
			add(i, "title", "want the title of the level")
		} else if slices.Contains(titles, title) {
			add(i, "title", "another level has the title %q", title)
		}
		if !slices.Contains(propschema.Colours, jsonv.String(entry, "color")) {
			add(i, "color", "want a colour: one of %s", joined(propschema.Colours))
		}
		titles = append(titles, title)
	}
	return titles, problems
}

// readRules reads the rules that were sent along with a scorecard, in the shape of
// reference/portal.md §1.1.
func (w *write) readRules(titles []string) ([]entityBody, error) {
	r := &reader{}
	at := []string{"properties", "rules"}
	list, ok := w.in.rules.([]any)
	if !ok {
		r.add(at, "want an array of rules, got %s", jsonv.KindOf(w.in.rules))
	}
	var out []entityBody
	seen := map[string]bool{}
	for i, entry := range list {
		where := below(at, string(jsonv.Int(i)))
		in, ok := entry.(jsonv.Object)
		if !ok {
			r.add(where, "want an object, got %s", jsonv.KindOf(entry))
			continue
		}
		in = jsonv.CloneObject(in)
		id := r.needText(in, "identifier", maxScorecardID, where...)
		if id != "" {
			r.name(id, propschema.EntityID, below(where, "identifier")...)
		}
		if seen[id] {
			r.add(below(where, "identifier"), "another rule has the identifier %q", id)
		}
		seen[id] = true
		title := r.needText(in, "title", 0, where...)
		description, described := r.text(in, "description", 0, where...)
		if name := r.needText(in, "level", 0, where...); name != "" && !slices.Contains(titles, name) {
			r.add(below(where, "level"), "rule %q: the scorecard has no level %q, only %s", id, name, joined(titles))
		}
		if in["query"] == nil {
			r.add(below(where, "query"), "is required")
		}
		properties := jsonv.Object{"level": in["level"], "query": in["query"]}
		if described {
			properties["rule_description"] = description
		}
		out = append(out, entityBody{
			id: id, title: title, hasTitle: true, touchesConstraints: true,
			properties: properties, relations: jsonv.Object{"scorecard": w.id},
		})
	}
	return out, r.problems.Invalid()
}

// ruleLevel checks that a rule's level is one of its scorecard's, whenever one of
// the two is written.
func (w *write) ruleLevel() error {
	_, levelGiven := w.in.properties["level"]
	_, scorecardGiven := w.in.relations["scorecard"]
	if w.merge && !levelGiven && !scorecardGiven {
		return nil
	}
	id := jsonv.String(w.doc, "relations", "scorecard")
	scorecard, err := w.s.entity(entityKey{sysScorecard, id})
	if err != nil {
		return err
	}
	titles, _ := levelTitles(scorecard)
	name := jsonv.String(w.doc, "properties", "level")
	if slices.Contains(titles, name) {
		return nil
	}
	problem := fault.Problem{
		Path: "/properties/level", Property: "level",
		Message: "rule \"" + w.id + "\": scorecard \"" + id + "\" has no level \"" + name + "\", only " + joined(titles),
	}
	return fault.Problems{problem}.Fault(http.StatusUnprocessableEntity, "blueprint_schema_mismatch")
}
