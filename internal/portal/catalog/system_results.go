package catalog

import (
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/propschema"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// resultTarget marks the relations of _rule_result that scorecards add
// (reference/catalog.md §3.1 Y9): one for every blueprint that has a scorecard.
// They belong to nobody but the scorecards.
const resultTarget = "rule_result_target"

func (r relation) isResultTarget() bool { return r.marker == resultTarget }

// keepResultTargets puts the relations that scorecards added back into the
// relations that are about to replace old's.
func keepResultTargets(old *blueprint, relations jsonv.Object) {
	for key, entry := range jsonv.Map(old.doc, "relations") {
		if jsonv.String(entry, "type") == resultTarget && old.id == ruleResults {
			relations[key] = jsonv.Clone(entry)
		}
	}
}

// hasScorecard tells whether a blueprint has a scorecard.
func (s *session) hasScorecard(blueprint string) (bool, error) {
	ids, err := s.scorecardsOf(blueprint, 1)
	return len(ids) > 0, err
}

// scorecardsOf lists the scorecards of a blueprint, at most limit if that is not 0.
func (s *session) scorecardsOf(blueprint string, limit int) (ids []string, err error) {
	where := indexed{equals: equalTo(indexProperty+"blueprint", blueprint), match: func(d store.Doc) bool {
		return jsonv.String(d, "properties", "blueprint") == blueprint
	}}
	for row, err := range s.entitiesOf(sysScorecard, where, store.Page{Limit: limit}) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, jsonv.String(row.Doc, "identifier"))
	}
	return ids, nil
}

// offerTarget sees to it that _rule_result has a relation to a blueprint that has
// a scorecard. Its key is the blueprint's identifier, as far as that is a key and
// is free.
func (s *session) offerTarget(id string) error {
	results, err := s.needBlueprint(ruleResults)
	if err != nil || s.dry {
		return err
	}
	for _, r := range results.relations {
		if r.isResultTarget() && r.target == id {
			return nil
		}
	}
	target, err := s.needBlueprint(id)
	if err != nil {
		return err
	}
	key := strings.Map(func(r rune) rune {
		if propschema.Key.Fault(string(r)) != "" {
			return '_'
		}
		return r
	}, id)
	for _, taken := results.relations[key]; taken; _, taken = results.relations[key] {
		key = "_" + key
	}
	def := jsonv.CloneObject(results.doc)
	jsonv.Map(def, "relations")[key] = jsonv.Object{
		"target": id, "title": target.doc["title"], "required": false, "many": false, "type": resultTarget,
	}
	return s.putResultTargets(results, def)
}

// withdrawTargets removes the relations of _rule_result to those of the blueprints
// that have no scorecard any more.
func (s *session) withdrawTargets(ids []string) error {
	if s.dry || len(ids) == 0 {
		return nil
	}
	results, err := s.needBlueprint(ruleResults)
	if err != nil {
		return err
	}
	var idle []string
	for _, id := range ids {
		has, err := s.hasScorecard(id)
		if err != nil {
			return err
		}
		if !has {
			idle = append(idle, id)
		}
	}
	def := jsonv.CloneObject(results.doc)
	for _, key := range results.relationKeys {
		if r := results.relations[key]; r.isResultTarget() && slices.Contains(idle, r.target) {
			delete(jsonv.Map(def, "relations"), key)
		}
	}
	return s.putResultTargets(results, def)
}

// putResultTargets stores _rule_result with other relations. It is no update by anybody:
// the stamps stay, and the record says that Port did it.
func (s *session) putResultTargets(results *blueprint, def store.Doc) error {
	if jsonv.Equal(results.doc["relations"], def["relations"]) {
		return nil
	}
	if err := s.evolve(results, compileBlueprint(def)); err != nil {
		return err
	}
	if err := s.putBlueprint(def); err != nil || !s.listening() {
		return err
	}
	return s.record(Event{Action: "UPDATE", Resource: "blueprint", Blueprint: ruleResults, ByPort: true, Before: public(results.doc), After: public(def)})
}

// dropScorecards deletes the scorecards of a blueprint that goes, with their rules
// and results, and the relation that was there for them (§2.15).
func (s *session) dropScorecards(id string) error {
	ids, err := s.scorecardsOf(id, 0)
	if err != nil {
		return err
	}
	d := s.deletion(true)
	for _, scorecard := range ids {
		d.add(entityKey{sysScorecard, scorecard})
	}
	if err := d.run(); err != nil {
		return err
	}
	return s.withdrawTargets([]string{id})
}
