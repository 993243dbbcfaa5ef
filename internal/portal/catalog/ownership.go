package catalog

import (
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

type ownershipKind int

const (
	noOwnership ownershipKind = iota
	directOwnership
	inheritedOwnership
	// legacyInheritance is teamInheritance without ownership; it has an effect
	// only while its path resolves (reference/catalog.md §2.10).
	legacyInheritance
)

type ownership struct {
	kind ownershipKind
	path []string
}

func parseOwnership(doc store.Doc) ownership {
	switch jsonv.String(doc, "ownership", "type") {
	case "Direct":
		return ownership{kind: directOwnership}
	case "Inherited":
		return ownership{kind: inheritedOwnership, path: strings.Split(jsonv.String(doc, "ownership", "path"), ".")}
	}
	if path := jsonv.String(doc, "teamInheritance", "path"); path != "" {
		return ownership{kind: legacyInheritance, path: strings.Split(strings.TrimSuffix(path, ".$team"), ".")}
	}
	return ownership{}
}

// inherits tells whether the teams of b's entities are computed.
func (s *session) inherits(b *blueprint) (bool, error) {
	switch b.ownership.kind {
	case inheritedOwnership:
		return true, nil
	case legacyInheritance:
		end, _, err := s.walkBlueprints(s.blueprint, b, b.ownership.path)
		return err == nil && end != nil && end.ownership.kind != noOwnership, err
	case noOwnership, directOwnership:
	}
	return false, nil
}

// team returns the identifiers of the teams that own the entity, never nil.
func (v *view) team() ([]any, error) {
	if v.teams != nil {
		v.s.trace.absorb(v.teamsOn)
		return v.teams, nil
	}
	inherits, err := v.s.inherits(v.bp)
	if err != nil {
		return nil, err
	}
	teams := jsonv.List(v.doc, "team")
	var on *trace
	switch {
	case inherits && v.s.whole != nil:
		// Who owns an entity is shown to whoever may read it, whatever lies on the
		// way to the owner (reference/identity.md §6.3).
		if teams, err = v.behind().team(); err != nil {
			return nil, err
		}
	case inherits:
		on, err = v.s.traced(func() (err error) {
			teams, err = v.inheritedTeam()
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if teams == nil {
		teams = []any{}
	}
	v.teams, v.teamsOn = teams, on
	if on != nil {
		v.s.unwind(place{v: v}, on)
	}
	return teams, nil
}

// inheritedTeam unites the teams at the end of the ownership path, in order of
// first appearance. Blueprints that inherit from each other end in no team.
func (v *view) inheritedTeam() ([]any, error) {
	busy := busyKey{v.key, "$team"}
	if v.s.busy[busy] {
		v.s.trace.cut()
		return nil, nil
	}
	v.s.busy[busy] = true
	defer delete(v.s.busy, busy)
	ends, _, _, err := v.walk(v.bp.ownership.path)
	if err != nil {
		return nil, err
	}
	var out []any
	seen := map[any]bool{}
	for _, e := range ends {
		teams, err := e.team()
		if err != nil {
			return nil, err
		}
		for _, t := range teams {
			if !seen[t] {
				seen[t] = true
				out = append(out, t)
			}
		}
	}
	return out, nil
}

// walkBlueprints follows relation keys from one definition to the next and
// returns where they end. When a step does not resolve, end is nil and missing
// the first such step.
func (s *session) walkBlueprints(find func(string) (*blueprint, error), from *blueprint, steps []string) (end *blueprint, missing string, err error) {
	end = from
	for _, step := range steps {
		target := "_team"
		if step != "$team" {
			r, ok := end.relations[step]
			if !ok {
				return nil, step, nil
			}
			target = r.target
		}
		next, err := find(target)
		if err != nil {
			return nil, "", err
		}
		if next == nil {
			return nil, step, nil
		}
		end = next
	}
	return end, "", nil
}
