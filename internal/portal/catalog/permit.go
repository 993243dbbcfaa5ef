package catalog

import (
	"errors"
	"net/http"
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// rightKey names one answer of the caller's rights; the field is empty when it is
// about whole entities.
type rightKey struct {
	blueprint string
	verb      Verb
	field     Field
}

// right asks the caller's rights once for a session.
func (s *session) right(k rightKey) (Grant, error) {
	if g, ok := s.rights[k]; ok {
		return g, nil
	}
	var g Grant
	var err error
	switch {
	case s.actor.Rights == nil:
		return Grant{All: true}, nil
	case k.field != Field{}:
		g, err = s.actor.Rights.Field(s.tx, k.blueprint, k.field)
	default:
		g, err = s.actor.Rights.Entities(s.tx, k.blueprint, k.verb)
	}
	if err != nil {
		return Grant{}, err
	}
	if s.rights == nil {
		s.rights = map[rightKey]Grant{}
	}
	s.rights[k] = g
	return g, nil
}

// within tells whether an entity is in the set of a grant.
func (s *session) within(g Grant, v *view) (bool, error) {
	if g.All || g.Among == nil {
		return g.All, nil
	}
	return s.policies().match(g.Among, v)
}

// mayManage refuses callers who may not change a blueprint and what belongs to it
// (reference/identity.md §7.3 rows 22–27, 32, 40).
func (s *session) mayManage(blueprints ...string) error {
	if s.actor.Rights == nil {
		return nil
	}
	for _, id := range blueprints {
		if !s.actor.Rights.Manages(id) {
			return fault.MissingPermissions("changing blueprint %q takes one of its moderators or an administrator", id)
		}
	}
	return nil
}

// mayDelete refuses callers who may not delete a stored entity.
func (s *session) mayDelete(k entityKey) error {
	if s.actor.Rights == nil {
		return nil
	}
	v, err := s.view(k)
	if err != nil || v == nil {
		return err
	}
	if managed, err := s.managesScorecard(v.doc); err != nil || managed {
		return err
	}
	g, err := s.right(rightKey{blueprint: k.blueprint, verb: VerbUnregister})
	if err != nil {
		return err
	}
	if ok, err := s.within(g, v); err != nil || ok {
		return err
	}
	return missingPermissions(nil, "entity %q of blueprint %q may not be deleted: you do not have permission to unregister it", k.id, k.blueprint)
}

// managesScorecard tells whether all of the documents are scorecards, or rules of
// scorecards, of blueprints that the caller manages (§7.10).
func (s *session) managesScorecard(docs ...store.Doc) (bool, error) {
	for _, d := range docs {
		if jsonv.String(d, "blueprint") == sysRule {
			scorecard, err := s.entity(entityKey{sysScorecard, jsonv.String(d, "relations", "scorecard")})
			if err != nil || scorecard == nil {
				return false, err
			}
			d = scorecard
		}
		if jsonv.String(d, "blueprint") != sysScorecard || !s.actor.Rights.Manages(jsonv.String(d, "properties", "blueprint")) {
			return false, nil
		}
	}
	return true, nil
}

// missingPermissions is the refusal of a write as a whole; it names the fields that
// the caller may not write (§7.5).
func missingPermissions(refused []Field, format string, args ...any) error {
	properties, relations := []string{}, []string{}
	for _, f := range refused {
		if f.Part == PartRelations {
			relations = append(relations, f.Key)
		} else {
			properties = append(properties, f.Key)
		}
	}
	slices.Sort(properties)
	slices.Sort(relations)
	return fault.MissingPermissions(format, args...).
		With("properties", jsonv.FromStrings(properties)).With("relations", jsonv.FromStrings(slices.Compact(relations)))
}

// permit refuses a write that the caller has no right to, before anything about its
// content is looked at (reference/identity.md §1.4 step 8, §7.5).
func (w *write) permit() error {
	if w.s.actor.Rights == nil {
		return nil
	}
	given := w.in.properties
	if err := w.resolveEarly(); err != nil {
		return err
	}
	if w.existing != nil {
		return w.permitUpdate()
	}
	return w.permitCreate(given)
}

// resolveEarly resolves queries in the body, as far as that goes: what is wrong
// with them is told to those who may write.
func (w *write) resolveEarly() error {
	if w.bp.id == sysScorecard {
		if err := w.scorecardInput(); err != nil {
			return err
		}
	}
	err := w.resolveQueries()
	if f := (*fault.Fault)(nil); errors.As(err, &f) && f.Status < http.StatusInternalServerError {
		return nil
	}
	return err
}

// permitCreate wants the right to register the entity as it would be stored, and
// the right to every field that was given a value.
func (w *write) permitCreate(given jsonv.Object) error {
	doc, err := w.intended()
	if err != nil {
		return err
	}
	defer w.pretend(doc)()
	if managed, err := w.s.managesScorecard(doc); err != nil || managed {
		return err
	}
	v := w.s.viewOf(w.bp, doc)
	g, err := w.s.right(rightKey{blueprint: w.bp.id, verb: VerbRegister})
	if err != nil {
		return err
	}
	registers, err := w.s.within(g, v)
	if err != nil {
		return err
	}
	refused, err := w.refusedFields(w.supplied(given), v, nil)
	if err != nil {
		return err
	}
	if w.bp.id == sysScorecard {
		refused = nil // to register scorecards is to write them (§7.10)
	}
	bare, err := w.refusedTargets(doc, w.in.relations)
	if err != nil {
		return err
	}
	refused = append(refused, bare...)
	switch {
	case !registers:
		return missingPermissions(refused, "an entity of blueprint %q may not be created: you do not have permission to register it", w.bp.id)
	case len(refused) > 0:
		return missingPermissions(refused, "an entity of blueprint %q may not be created: you do not have permission to write %s", w.bp.id, fieldNames(refused))
	}
	return nil
}

// pretend makes a new entity stand there while rights are asked about, which may
// look at what it is related to. What is computed meanwhile is not kept.
func (w *write) pretend(doc store.Doc) (end func()) {
	s, k := w.s, entityKey{w.bp.id, w.id}
	was, off := s.entities[k], s.tie.off
	if was != nil {
		return func() {}
	}
	s.entities[k], s.pretended, s.tie.off = doc, k, true
	s.forget()
	return func() {
		s.entities[k], s.pretended, s.tie.off = nil, entityKey{}, off
		s.forget()
	}
}

// pretends tells whether the entity that is pretended points at another through a
// relation.
func (s *session) pretends(r reference, id string) bool {
	if s.pretended.blueprint != r.blueprint {
		return false
	}
	value, _ := jsonv.Get(s.entities[s.pretended], "relations", r.key)
	return slices.Contains(identifiersOf(value), id)
}

// permitUpdate wants the right to every field that changes, in the entity as it is.
func (w *write) permitUpdate() error {
	doc, err := w.intended()
	if err != nil {
		return err
	}
	if managed, err := w.s.managesScorecard(w.existing, doc); err != nil || managed {
		return err
	}
	before, err := w.s.view(entityKey{w.bp.id, jsonv.String(w.existing, "identifier")})
	if err != nil {
		return err
	}
	changed, err := w.changed(doc)
	if err != nil {
		return err
	}
	seen, err := w.s.sees(before)
	if err != nil {
		return err
	}
	if w.unseen = !seen; w.unseen {
		if changed, err = w.touched(); err != nil {
			return err
		}
	}
	if len(changed) == 0 {
		return w.permitNothing(before)
	}
	refused, err := w.refusedFields(changed, before, w.s.viewOf(w.bp, doc))
	if err != nil {
		return err
	}
	given := jsonv.Object{}
	for _, f := range changed {
		if f.Part == PartRelations {
			given[f.Key] = nil
		}
	}
	bare, err := w.refusedTargets(doc, given)
	if err != nil {
		return err
	}
	if refused = append(refused, bare...); len(refused) == 0 {
		return nil
	}
	return missingPermissions(refused, "entity %q of blueprint %q may not be changed: you do not have permission to write %s",
		before.key.id, w.bp.id, fieldNames(refused))
}

// touched are the fields that the write could change, whatever the entity holds. They
// stand for those that it does change when the caller may not read it: which of the
// values it has already would tell what they are.
func (w *write) touched() (out []Field, err error) {
	inherits, err := w.s.inherits(w.bp)
	if err != nil {
		return nil, err
	}
	if w.id != jsonv.String(w.existing, "identifier") {
		out = append(out, Field{Key: "$identifier"})
	}
	if w.in.hasTitle || !w.merge {
		out = append(out, Field{Key: "$title"})
	}
	if w.in.hasIcon || !w.merge {
		out = append(out, Field{Key: "$icon"})
	}
	if !inherits && (w.in.hasTeam || !w.merge) {
		out = append(out, Field{Key: "$team"})
	}
	for _, key := range sortedKeys(w.bp.props) {
		if _, given := w.in.properties[key]; given || !w.merge {
			out = append(out, Field{PartProperties, key})
		}
	}
	for _, key := range w.bp.relationKeys {
		_, given := w.in.relations[key]
		_, sought := w.in.relationQueries[key]
		if given || sought || !w.merge {
			out = append(out, Field{PartRelations, key})
		}
	}
	return out, nil
}

// permitNothing lets a write that changes nothing pass for those who might have
// changed something: it moves updatedAt.
func (w *write) permitNothing(v *view) error {
	all := []Field{{Key: "$identifier"}, {Key: "$title"}, {Key: "$icon"}, {Key: "$team"}}
	for _, key := range sortedKeys(w.bp.props) {
		all = append(all, Field{PartProperties, key})
	}
	for _, key := range w.bp.relationKeys {
		all = append(all, Field{PartRelations, key})
	}
	for _, f := range all {
		if ok, err := w.mayWrite(f, v, nil); err != nil || ok {
			return err
		}
	}
	return missingPermissions(nil, "entity %q of blueprint %q may not be changed: you do not have permission to update it", v.key.id, w.bp.id)
}

// refusedFields are those that the caller may not write in v. After, if there is
// one, is the entity as it would be.
func (w *write) refusedFields(fields []Field, v, after *view) (refused []Field, err error) {
	for _, f := range fields {
		ok, err := w.mayWrite(f, v, after)
		if err != nil {
			return nil, err
		}
		if !ok {
			refused = append(refused, f)
		}
	}
	return refused, nil
}

// mayWrite is the field check of §7.5: who may update the entity may write all of
// it. What changes the owner must leave the entity in the reach of a right that
// rests on ownership.
func (w *write) mayWrite(f Field, v, after *view) (bool, error) {
	moves, err := w.changesOwner(f, v, after)
	if err != nil {
		return false, err
	}
	for _, k := range []rightKey{{blueprint: w.bp.id, verb: VerbUpdate}, {blueprint: w.bp.id, field: f}} {
		g, err := w.s.right(k)
		if err != nil {
			return false, err
		}
		ok, err := w.s.within(g, v)
		if ok && g.Owned && moves {
			ok, err = w.s.within(g, after)
		}
		if err != nil || ok {
			return ok, err
		}
	}
	return false, nil
}

// changesOwner tells whether writing a field gives the entity to other teams: it is
// the team itself, or the relation by which the entity inherits its owner.
func (w *write) changesOwner(f Field, v, after *view) (bool, error) {
	if after == nil {
		return false, nil
	}
	inherits, err := w.s.inherits(w.bp)
	switch {
	case err != nil:
		return false, err
	case !inherits:
		return f.Key == "$team" && f.Part == "", nil
	case f.Part != PartRelations || f.Key != w.bp.ownership.path[0]:
		return false, nil
	}
	was, err := v.team()
	if err != nil {
		return false, err
	}
	is, err := after.team()
	return !jsonv.Equal(was, is), err
}

// refusedTargets are the given relations for which the write would create targets
// (create_missing_related_entities) that the caller may not register.
func (w *write) refusedTargets(doc store.Doc, given jsonv.Object) (refused []Field, err error) {
	if !w.createMissing {
		return nil, nil
	}
	for _, key := range sortedKeys(given) {
		target, err := w.s.blueprint(w.bp.relations[key].target)
		if err != nil {
			return nil, err
		}
		if target == nil || slices.Contains(neverBare, target.id) {
			continue
		}
		value, _ := jsonv.Get(doc, "relations", key)
		for _, id := range identifiersOf(value) {
			ok, err := w.mayCreateBare(target, entityKey{target.id, id})
			if err != nil {
				return nil, err
			}
			if !ok {
				refused = append(refused, Field{PartRelations, key})
				break
			}
		}
	}
	return refused, nil
}

func (w *write) mayCreateBare(target *blueprint, k entityKey) (bool, error) {
	if d, err := w.s.entity(k); err != nil || d != nil || k == (entityKey{w.bp.id, w.id}) {
		return true, err
	}
	g, err := w.s.right(rightKey{blueprint: k.blueprint, verb: VerbRegister})
	if err != nil {
		return false, err
	}
	return w.s.within(g, w.s.viewOf(target, w.s.bare(target, k)))
}

func fieldNames(fields []Field) string {
	var names []string
	for _, f := range fields {
		if !slices.Contains(names, f.Key) {
			names = append(names, f.Key)
		}
	}
	slices.Sort(names)
	return joined(names)
}
