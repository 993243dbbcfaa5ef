package catalog

import (
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// The system blueprints whose entities follow rules of their own
// (reference/catalog.md §3.3). Rule results are generated: nobody creates or
// deletes them by hand.
const (
	sysUser      = "_user"
	sysTeam      = "_team"
	sysScorecard = "_scorecard"
	sysRule      = "_rule"
	ruleResults  = "_rule_result"
)

// maxScorecardID bounds the identifiers of scorecards and rules (§6.2).
const maxScorecardID = 100

// neverBare are the blueprints whose entities are not made on the way as targets
// of relations (§4.6).
var neverBare = []string{sysUser, sysTeam, sysScorecard, sysRule, ruleResults}

func protectedEntity(what string) error {
	return fault.New(http.StatusForbidden, "protected_entity", "protected_entity: entities of blueprint %q are managed and cannot be %s", ruleResults, what)
}

// ownsChildren tells whether deleting an entity of the blueprint takes those that
// require it along (§4.9 D6).
func ownsChildren(blueprint string) bool { return blueprint == sysScorecard || blueprint == sysRule }

// systemInput looks at what is asked of an entity of a system blueprint before
// anything else does.
func (w *write) systemInput() (err error) {
	if w.id, err = w.s.spelled(w.bp.id, w.id); err != nil {
		return err
	}
	if w.existing != nil {
		if err := w.keepIdentifier(); err != nil {
			return err
		}
	}
	switch w.bp.id {
	case sysUser, sysTeam:
		return w.accountInput()
	case ruleResults:
		return w.onlyAdditions()
	case sysScorecard, sysRule:
		if utf8.RuneCountInString(w.id) > maxScorecardID {
			return invalid("/identifier", "must not be longer than %d characters", maxScorecardID)
		}
		if w.bp.id == sysScorecard {
			return w.scorecardInput()
		}
	}
	return nil
}

// keepIdentifier refuses to rename what is known elsewhere by its identifier.
func (w *write) keepIdentifier() error {
	if w.id == jsonv.String(w.existing, "identifier") {
		return nil
	}
	if w.bp.id == sysUser && w.s.actor.Through != "" {
		return nil // [Accounts] knows who gives somebody a new address
	}
	switch w.bp.id {
	case sysUser, ruleResults:
		return fault.New(http.StatusForbidden, "protected_entity", "protected_entity: the identifier of an entity of blueprint %q cannot be changed", w.bp.id)
	case sysScorecard, sysRule:
		return invalid("/identifier", "the identifier of an entity of blueprint %q cannot be changed", w.bp.id)
	}
	return nil
}

// onlyAdditions lets a write of a rule result change nothing but what users added
// to the blueprint. Managed parts may be sent along as they are, and stay when
// they are not.
func (w *write) onlyAdditions() error {
	refuse := func(what string, is any, at ...string) error {
		if was, _ := jsonv.Get(w.existing, at...); jsonv.Equal(was, is) {
			return nil
		}
		return fault.New(http.StatusForbidden, "protected_entity", "protected_entity: %s of a rule result is managed and cannot be changed", what)
	}
	for _, key := range sortedKeys(w.in.properties) {
		if isManaged(ruleResults, propertyKey.at, key) {
			if err := refuse("property "+key, w.in.properties[key], "properties", key); err != nil {
				return err
			}
		}
	}
	given := jsonv.CloneObject(w.in.relations)
	for key := range w.in.relationQueries {
		given[key] = jsonv.Object{} // never equal to what is stored
	}
	for _, key := range sortedKeys(given) {
		if isManaged(ruleResults, relationKey.at, key) || w.bp.relations[key].isResultTarget() {
			if err := refuse("relation "+key, given[key], "relations", key); err != nil {
				return err
			}
		}
	}
	if w.in.hasTitle {
		if err := refuse("the title", w.in.title, "title"); err != nil {
			return err
		}
	}
	if w.in.hasIcon {
		if err := refuse("the icon", w.in.icon, "icon"); err != nil {
			return err
		}
	}
	if w.in.hasTeam {
		if err := refuse("the team", jsonv.FromStrings(w.in.team), "team"); err != nil {
			return err
		}
	}
	if !w.merge {
		w.merge, w.dropAdditions = true, true
	}
	return nil
}

// keeps tells whether a merged write takes over a stored value: a PUT of a rule
// result takes over the managed ones alone.
func (w *write) keeps(part, key string) bool {
	if !w.dropAdditions {
		return true
	}
	if part == "relations" {
		return isManaged(ruleResults, relationKey.at, key) || w.bp.relations[key].isResultTarget()
	}
	return isManaged(ruleResults, propertyKey.at, key)
}

// systemChecks is the last stage of planning.
func (w *write) systemChecks() error {
	switch w.bp.id {
	case sysScorecard:
		return w.scorecardChecks()
	case sysRule:
		return w.ruleLevel()
	}
	return nil
}

// systemEffects changes what follows from a write that was just stored.
func (w *write) systemEffects() error {
	if w.bp.id != sysScorecard {
		return nil
	}
	was, is := jsonv.String(w.existing, "properties", "blueprint"), jsonv.String(w.doc, "properties", "blueprint")
	if err := w.s.offerTarget(is); err != nil {
		return err
	}
	if was != "" && was != is {
		if err := w.s.withdrawTargets([]string{was}); err != nil {
			return err
		}
	}
	for _, r := range w.rules {
		if err := r.apply(); err != nil {
			return err
		}
	}
	return nil
}

// scored lists the blueprints of the scorecards that are going.
func (d *deletion) scored() ([]string, error) {
	var out []string
	for _, k := range d.order {
		if k.blueprint != sysScorecard {
			continue
		}
		doc, err := d.s.entity(k)
		if err != nil {
			return nil, err
		}
		if id := jsonv.String(doc, "properties", "blueprint"); !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out, nil
}

// deletesMore tells whether the entities of a blueprint take others along, or
// their name out of others, so that they cannot simply be dropped.
func (s *session) deletesMore(id string, refs []reference) bool {
	return ownsChildren(id) || id == sysTeam || s.accounts(id) != nil || slices.ContainsFunc(refs, func(r reference) bool { return r.isResultTarget() })
}

// leaveTeams takes the teams that are going out of what they own
// (reference/identity.md §4.3).
func (d *deletion) leaveTeams() error {
	for _, k := range slices.Clone(d.order) {
		if k.blueprint != sysTeam {
			continue
		}
		err := d.s.eachOwned(k.id, func(from entityKey, doc store.Doc) error {
			if d.going[from] {
				return nil
			}
			e := &edit{doc: doc}
			e.set("team", without(jsonv.List(doc, "team"), k.id))
			if err := d.s.follows(from, from); err != nil {
				return err
			}
			return d.s.putEntity(from, e.result)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// renameOwner lets the entities that a team owns follow its new identifier.
func (s *session) renameOwner(was, is string) error {
	return s.eachOwned(was, func(from entityKey, doc store.Doc) error {
		if err := s.follows(from, from); err != nil {
			return err
		}
		e := &edit{doc: doc}
		e.set("team", replaced(jsonv.List(doc, "team"), was, is))
		return s.putEntity(from, e.result)
	})
}

// eachOwned calls f for every entity that names a team as its owner.
func (s *session) eachOwned(team string, f func(entityKey, store.Doc) error) error {
	all, err := s.allBlueprints()
	if err != nil {
		return err
	}
	where := indexed{equals: equalTo(indexMeta+"$team", team), match: func(d store.Doc) bool { return holds(d["team"], team) }}
	for _, b := range all {
		var owned []entityKey
		for row, err := range s.entitiesOf(b.id, where, store.Page{}) {
			if err != nil {
				return err
			}
			owned = append(owned, entityKey{b.id, jsonv.String(row.Doc, "identifier")})
		}
		for _, k := range owned {
			doc, err := s.entity(k)
			if err != nil {
				return err
			}
			if err := f(k, doc); err != nil {
				return err
			}
		}
	}
	return nil
}
