package catalog

import (
	"net/http"
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// write is one entity on its way into the catalog.
type write struct {
	s             *session
	bp            *blueprint
	in            entityBody
	id            string
	existing      store.Doc
	merge         bool
	createMissing bool

	// account tells that the entity is a user or a team: its name and its memberships
	// stay when they are not given, also where the rest is replaced
	// (reference/identity.md §4.3).
	account bool

	// dropAdditions makes a merge forget what users added to a system blueprint.
	dropAdditions bool

	// unseen tells that the caller may change the entity but not read it.
	unseen bool

	doc     store.Doc
	missing []entityKey
	// rules are made with the scorecard that is written.
	rules []*write
}

// plan validates the write in the order of reference/catalog.md §4.5 and builds
// the document. It writes nothing, so a failed item of a bulk leaves no trace.
func (w *write) plan() error {
	if err := w.systemInput(); err != nil {
		return err
	}
	w.doc = store.Doc{
		"identifier": w.id, "blueprint": w.bp.id, "title": w.title(),
		"properties": w.base("properties"), "relations": w.base("relations"),
		"createdAt": w.s.stamp, "createdBy": w.s.actor.ID, "updatedAt": w.s.stamp, "updatedBy": w.s.actor.ID,
	}
	if w.existing != nil {
		w.doc["createdAt"], w.doc["createdBy"] = w.existing["createdAt"], w.existing["createdBy"]
	}
	if icon := w.icon(); icon != nil {
		w.doc["icon"] = icon
	}
	if w.s.actor.UserAgent != "" {
		w.doc[datasourceKey] = w.s.actor.UserAgent
	}
	if err := w.resolveQueries(); err != nil {
		return err
	}
	for _, stage := range []func() error{w.team, w.properties, w.required, w.relationKeys, w.relations, w.targets, w.systemChecks} {
		if err := stage(); err != nil {
			return err
		}
	}
	return nil
}

func (w *write) title() any {
	switch {
	case w.in.hasTitle && w.in.title != nil:
		return w.in.title
	case (w.merge || w.account && w.existing != nil) && !w.in.hasTitle:
		return w.existing["title"]
	}
	return w.id
}

func (w *write) icon() any {
	if !w.in.hasIcon && w.merge {
		return w.existing["icon"]
	}
	return w.in.icon
}

// base is what the given properties or relations are laid over.
func (w *write) base(part string) jsonv.Object {
	out := jsonv.Object{}
	if w.merge {
		for key, value := range jsonv.Map(w.existing, part) {
			if w.keeps(part, key) {
				out[key] = value
			}
		}
	}
	return out
}

// team is the ownership stage (V13, V14).
func (w *write) team() error {
	stored := []any{}
	switch {
	case w.in.hasTeam:
		stored = jsonv.FromStrings(w.in.team)
	case w.merge, w.account:
		stored = append(stored, jsonv.List(w.existing, "team")...)
	}
	w.doc["team"] = stored
	inherits, err := w.s.inherits(w.bp)
	if err != nil {
		return err
	}
	if inherits {
		return w.inheritedTeam()
	}
	if w.bp.ownership.kind == directOwnership && w.in.hasTeam {
		translated := []any{}
		for _, name := range w.in.team {
			id, err := w.s.teamID(name)
			if err != nil {
				return err
			}
			if !holds(translated, id) {
				translated = append(translated, id)
			}
		}
		w.doc["team"] = translated
	}
	return nil
}

// inheritedTeam tolerates no team but the one that the entity inherits anyway.
func (w *write) inheritedTeam() error {
	given := w.in.team
	w.doc["team"] = []any{}
	if len(given) == 0 {
		return nil
	}
	probe := &edit{doc: w.doc}
	for key, value := range w.in.relations {
		probe.part("relations")[key] = value
	}
	computed, err := w.s.viewOf(w.bp, probe.current()).inheritedTeam()
	if err != nil {
		return err
	}
	same := len(computed) == len(given)
	for _, name := range given {
		same = same && holds(computed, name)
	}
	if same {
		return nil
	}
	code := "inherited_ownership_enabled"
	if w.bp.ownership.kind == legacyInheritance {
		code = "team_inheritance_enabled"
	}
	return fault.New(http.StatusUnprocessableEntity, code, "entities of blueprint %q inherit their team; it cannot be set", w.bp.id)
}

// properties is the stage of property types (V1, V2, V4, V7).
func (w *write) properties() error {
	var problems fault.Problems
	out := jsonv.Map(w.doc, "properties")
	for _, key := range sortedKeys(w.in.properties) {
		value := w.in.properties[key]
		p, own := w.bp.props[key]
		if !own {
			if w.bp.computed(key) == notComputed {
				problems = append(problems, fault.Problem{
					Path: jsonv.Pointer("properties", key), Property: key,
					Message: "blueprint " + w.bp.id + " has no such property",
				})
			}
			continue
		}
		out[key] = value
		if value == nil || p.check == nil {
			continue
		}
		for _, problem := range p.check.Check([]string{"properties", key}, value) {
			problem.Property = key
			problems = append(problems, problem)
		}
	}
	if w.existing == nil {
		w.bp.applyDefaults(out)
	}
	return problems.Fault(http.StatusUnprocessableEntity, "blueprint_schema_mismatch")
}

// applyDefaults fills absent properties of a new entity.
func (b *blueprint) applyDefaults(properties jsonv.Object) {
	for key, p := range b.props {
		if _, given := properties[key]; !given && p.hasDefault {
			properties[key] = p.value
		}
	}
}

// required is the stage of required properties and relations (V5, V6, V8).
func (w *write) required() error {
	if w.merge && !w.in.touchesConstraints || w.s.actor.Through != "" {
		return nil
	}
	const missing = "missing_required_property"
	var problems fault.Problems
	for _, key := range w.bp.required {
		if value, ok := jsonv.Get(w.doc, "properties", key); !ok || value == nil {
			problems = append(problems, fault.Problem{
				Path: jsonv.Pointer("properties", key), Property: key, Reason: missing, Message: "is required",
			})
		}
	}
	if err := problems.Fault(http.StatusUnprocessableEntity, "blueprint_schema_mismatch"); err != nil {
		return with(with(err, "reason", missing), "property", problems[0].Property)
	}
	for _, key := range w.bp.relationKeys {
		if !w.bp.relations[key].required {
			continue
		}
		value, given := w.in.relations[key]
		if w.merge && !given || given && value != nil {
			continue
		}
		if was, _ := jsonv.Get(w.existing, "relations", key); w.merge && was != nil {
			return fault.New(http.StatusForbidden, "required_relation",
				"relation %q of blueprint %q is required and cannot be emptied", key, w.bp.id).With("relation", key)
		}
		problems = append(problems, fault.Problem{Path: jsonv.Pointer("relations", key), Relation: key, Message: "is required"})
	}
	if err := problems.Fault(http.StatusUnprocessableEntity, "required_relation"); err != nil {
		return with(err, "relation", problems[0].Relation)
	}
	return nil
}

// with adds a detail to a fault.
func with(err error, key string, value any) error {
	if f, ok := err.(*fault.Fault); ok { //nolint:errorlint // the fault itself, just made
		return f.With(key, value)
	}
	return err
}

// relationKeys refuses relations that the blueprint does not have (V3).
func (w *write) relationKeys() error {
	for _, key := range sortedKeys(w.in.relations) {
		if _, ok := w.bp.relations[key]; !ok {
			return fault.NotFound("Relation", key).With("blueprint", w.bp.id)
		}
	}
	return nil
}

// relations is the stage of cardinality (V9).
func (w *write) relations() error {
	var problems fault.Problems
	out := jsonv.Map(w.doc, "relations")
	for _, key := range sortedKeys(w.in.relations) {
		r := w.bp.relations[key]
		value := w.in.relations[key]
		list, isList := value.([]any)
		switch {
		case value == nil:
			out[key] = emptyOf(r)
		case isList && !r.many:
			problems = append(problems, fault.Problem{Path: jsonv.Pointer("relations", key), Relation: key, Message: "takes one identifier, got an array"})
		case !isList && r.many:
			problems = append(problems, fault.Problem{Path: jsonv.Pointer("relations", key), Relation: key, Message: "takes an array of identifiers, got one identifier"})
		case isList:
			unique := []any{}
			for _, id := range list {
				if !holds(unique, text(id)) {
					unique = append(unique, id)
				}
			}
			out[key] = unique
		default:
			out[key] = value
		}
	}
	if err := problems.Fault(http.StatusUnprocessableEntity, "relation_many_violation"); err != nil {
		return with(err, "relation", problems[0].Relation)
	}
	return nil
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// targets is the stage of relation targets (V10, V11, §4.6).
func (w *write) targets() error {
	for _, key := range sortedKeys(w.in.relations) {
		target := w.bp.relations[key].target
		value, _ := jsonv.Get(w.doc, "relations", key)
		for _, id := range identifiersOf(value) {
			k := entityKey{target, id}
			if k == (entityKey{w.bp.id, w.id}) {
				continue
			}
			d, err := w.s.entity(k)
			if err != nil {
				return err
			}
			switch {
			case d != nil:
			case w.createMissing && !slices.Contains(neverBare, target):
				w.missing = append(w.missing, k)
			default:
				return fault.NotFound("Entity", id).With("blueprint", target).With("relation", key)
			}
		}
	}
	return nil
}
