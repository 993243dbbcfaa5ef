package catalog

import (
	"net/http"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/propschema"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// evolution is what a change of a definition asks of the existing entities
// (reference/catalog.md §2.13).
type evolution struct {
	s         *session
	old, next *blueprint
	// dropped are the properties and relations whose values go.
	droppedProperties []string
	droppedRelations  []string
	// retyped are array properties with a new item type: no entity may hold one.
	retyped []string
	// reformatted are the checks that stored values must pass.
	reformatted map[string]*propschema.Property
	retargeted  []string
	widened     []string
	narrowed    []string
	dropTeams   bool
}

// evolve refuses changes that entities cannot follow and makes them follow the others.
func (s *session) evolve(old, next *blueprint) error {
	e := &evolution{s: s, old: old, next: next, reformatted: map[string]*propschema.Property{}}
	if err := e.properties(); err != nil {
		return err
	}
	e.relations()
	if err := e.forgetFields(); err != nil {
		return err
	}
	e.dropTeams = old.ownership.kind != inheritedOwnership && next.ownership.kind == inheritedOwnership
	if e.idle() {
		return nil
	}
	var changed []store.Doc
	for row, err := range s.entitiesOf(old.id, nil, store.Page{}) {
		if err != nil {
			return err
		}
		doc, err := e.entity(row.Doc)
		if err != nil {
			return err
		}
		if doc != nil {
			changed = append(changed, doc)
		}
	}
	return s.putFollowers(old.id, changed)
}

// forgetFields tells that the rights to what is dropped mean nothing any more.
func (e *evolution) forgetFields() error {
	f := e.s.cat.deps.Follower
	if f == nil {
		return nil
	}
	for part, keys := range map[string][]string{PartProperties: e.droppedProperties, PartRelations: e.droppedRelations} {
		for _, key := range keys {
			if err := f.FieldDeleted(e.s.tx, e.s.actor.Org, e.old.id, Field{part, key}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *evolution) idle() bool {
	return len(e.droppedProperties)+len(e.droppedRelations)+len(e.retyped)+len(e.reformatted)+
		len(e.retargeted)+len(e.widened)+len(e.narrowed) == 0 && !e.dropTeams
}

func (e *evolution) properties() error {
	for _, key := range sortedKeys(e.old.props) {
		was, is := e.old.props[key], e.next.props[key]
		if is == nil {
			e.droppedProperties = append(e.droppedProperties, key)
			continue
		}
		a, b := fieldOf(was.def), fieldOf(is.def)
		if a.Type != b.Type {
			return fault.New(http.StatusUnprocessableEntity, "forbidden_type_change",
				"the type of property %q cannot be changed from %s to %s", key, a.Type, b.Type).With("property", key)
		}
		if a.ItemType != b.ItemType {
			e.retyped = append(e.retyped, key)
		}
		if a.Format == b.Format && a.ItemFormat == b.ItemFormat {
			continue
		}
		if was, is := a.Format+a.ItemFormat, b.Format+b.ItemFormat; was == "labeled-url" || is == "labeled-url" {
			return forbiddenFormat(key, was, is)
		}
		def := jsonv.Object{"type": b.Type}
		if b.Format != "" {
			def["format"] = b.Format
		}
		if b.ItemFormat != "" {
			def["items"] = jsonv.Object{"type": b.ItemType, "format": b.ItemFormat}
		}
		if check, problems := propschema.Compile(def); len(problems) == 0 {
			e.reformatted[key] = check
		}
	}
	return nil
}

func forbiddenFormat(key, was, is string) error {
	return fault.New(http.StatusUnprocessableEntity, "forbidden_format_change",
		"the format of property %q cannot be changed from %q to %q", key, was, is).With("property", key)
}

func (e *evolution) relations() {
	for _, key := range e.old.relationKeys {
		was := e.old.relations[key]
		is, ok := e.next.relations[key]
		if !ok {
			e.droppedRelations = append(e.droppedRelations, key)
			continue
		}
		// A relation to itself keeps its target when the blueprint is renamed.
		if was.target != is.target && (was.target != e.old.id || is.target != e.next.id) {
			e.retargeted = append(e.retargeted, key)
		}
		switch {
		case !was.many && is.many:
			e.widened = append(e.widened, key)
		case was.many && !is.many:
			e.narrowed = append(e.narrowed, key)
		}
	}
}

// entity returns the changed entity, or nil when it stays as it is.
func (e *evolution) entity(d store.Doc) (store.Doc, error) {
	id := jsonv.String(d, "identifier")
	properties, relations := jsonv.Map(d, "properties"), jsonv.Map(d, "relations")
	for _, key := range e.retyped {
		if list, _ := properties[key].([]any); len(list) > 0 {
			return nil, fault.New(http.StatusUnprocessableEntity, "forbidden_type_change",
				"the item type of property %q cannot be changed while entities such as %q hold values", key, id).With("property", key)
		}
	}
	for _, key := range sortedKeys(e.reformatted) {
		if value := properties[key]; value != nil && len(e.reformatted[key].Check(nil, value)) > 0 {
			return nil, forbiddenFormat(key, fieldOf(e.old.props[key].def).Format, fieldOf(e.next.props[key].def).Format)
		}
	}
	edit := &edit{doc: d}
	for _, key := range e.droppedProperties {
		if _, ok := properties[key]; ok {
			delete(edit.part("properties"), key)
		}
	}
	for _, key := range e.droppedRelations {
		if _, ok := relations[key]; ok {
			delete(edit.part("relations"), key)
		}
	}
	for _, key := range e.retargeted {
		if err := e.retarget(edit, key); err != nil {
			return nil, err
		}
	}
	for _, key := range e.widened {
		if value, ok := jsonv.Get(edit.current(), "relations", key); ok {
			edit.part("relations")[key] = jsonv.FromStrings(identifiersOf(value))
		}
	}
	for _, key := range e.narrowed {
		value, ok := jsonv.Get(edit.current(), "relations", key)
		if !ok {
			continue
		}
		var single any
		ids := identifiersOf(value)
		if len(ids) > 1 {
			return nil, fault.New(http.StatusUnprocessableEntity, "relation_many_violation",
				"relation %q cannot become single: entity %q has %d values", key, id, len(ids)).With("relation", key)
		}
		if len(ids) == 1 {
			single = ids[0]
		}
		edit.part("relations")[key] = single
	}
	if e.dropTeams && len(jsonv.List(d, "team")) > 0 {
		edit.set("team", []any{})
	}
	return edit.result, nil
}

// retarget drops the values that do not exist in the new target.
func (e *evolution) retarget(edit *edit, key string) error {
	value, ok := jsonv.Get(edit.current(), "relations", key)
	if !ok || value == nil {
		return nil
	}
	target := e.next.relations[key].target
	if target == e.next.id {
		target = e.old.id
	}
	var kept []string
	ids := identifiersOf(value)
	for _, id := range ids {
		d, err := e.s.entity(entityKey{target, id})
		if err != nil {
			return err
		}
		if d != nil {
			kept = append(kept, id)
		}
	}
	if len(kept) == len(ids) {
		return nil
	}
	if _, many := value.([]any); many {
		edit.part("relations")[key] = jsonv.FromStrings(kept)
	} else {
		edit.part("relations")[key] = nil
	}
	return nil
}

// edit copies a stored document as far as it is changed.
type edit struct {
	doc    store.Doc
	result store.Doc
	parts  []string
}

func (e *edit) current() store.Doc {
	if e.result != nil {
		return e.result
	}
	return e.doc
}

func (e *edit) set(key string, value any) {
	if e.result == nil {
		e.result = make(store.Doc, len(e.doc))
		for k, v := range e.doc {
			e.result[k] = v
		}
	}
	e.result[key] = value
}

// part returns an object below the document's top, ready to be changed.
func (e *edit) part(key string) jsonv.Object {
	if !slices.Contains(e.parts, key) {
		was := jsonv.Map(e.doc, key)
		own := make(jsonv.Object, len(was))
		for k, v := range was {
			own[k] = v
		}
		e.set(key, own)
		e.parts = append(e.parts, key)
	}
	return jsonv.Map(e.result, key)
}

func joined(names []string) string { return strings.Join(names, ", ") }
