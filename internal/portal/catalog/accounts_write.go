package catalog

import (
	"errors"
	"maps"
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// accounts are who is asked about entities of a blueprint, nil when nobody is.
func (s *session) accounts(blueprint string) Accounts {
	if blueprint != sysUser && blueprint != sysTeam {
		return nil
	}
	return s.cat.deps.Accounts
}

// spelled is how the identifier of an entity is stored: e-mail addresses are
// compared in any letter case and kept in lower case (reference/identity.md §2.1).
// What was stored otherwise before goes by its own spelling.
func (s *session) spelled(blueprint, id string) (string, error) {
	lower := ident.Email(id)
	if blueprint != sysUser || lower == id {
		return id, nil
	}
	d, err := s.entity(entityKey{blueprint, id})
	if err != nil || d != nil {
		return id, err
	}
	return lower, nil
}

// accountInput lets the keeper of accounts look at a write of a user or a team.
func (w *write) accountInput() error {
	accounts := w.s.accounts(w.bp.id)
	if accounts == nil {
		return nil
	}
	if err := w.resolveTeam(); err != nil {
		return err
	}
	if err := w.memberships(); err != nil {
		return err
	}
	a := &AccountWrite{
		Actor: w.s.actor, Blueprint: w.bp.id, ID: w.id, Existing: w.existing, Merge: w.merge,
		HasTitle: w.in.hasTitle, Title: w.in.title, HasTeam: w.in.hasTeam, Team: w.in.team,
		Properties: maps.Clone(w.in.properties), Others: w.changesOthers(),
	}
	if a.Properties == nil {
		a.Properties = jsonv.Object{}
	}
	if err := accounts.Admit(w.s.tx, a); err != nil {
		return err
	}
	w.account, w.id = true, a.ID
	w.in.hasTitle, w.in.title, w.in.hasTeam, w.in.team, w.in.properties = a.HasTitle, a.Title, a.HasTeam, a.Team, a.Properties
	return nil
}

// memberships translates the teams of a user and refuses those that do not exist:
// a membership is a right, no label (reference/identity.md §6.3).
func (w *write) memberships() error {
	if w.bp.id != sysUser || !w.in.hasTeam {
		return nil
	}
	var teams []string
	for _, name := range w.in.team {
		id, err := w.s.teamID(name)
		if err != nil {
			return err
		}
		d, err := w.s.entity(entityKey{sysTeam, id})
		if err != nil {
			return err
		}
		if d == nil && !holds(jsonv.List(w.existing, "team"), id) {
			return fault.NotFound("Team", name)
		}
		if !slices.Contains(teams, id) {
			teams = append(teams, id)
		}
	}
	w.in.team = teams
	return nil
}

// changesOthers tells whether anything would change that accounts know nothing of.
func (w *write) changesOthers() bool {
	if w.in.hasIcon && !jsonv.Equal(w.in.icon, w.existing["icon"]) {
		return true
	}
	if len(w.in.relationQueries) > 0 {
		return true
	}
	for key, value := range w.in.relations {
		if was, _ := jsonv.Get(w.existing, "relations", key); !jsonv.Equal(was, value) {
			return true
		}
	}
	return false
}

// accountWritten tells the keeper of accounts of an entity that was just stored,
// or dropped with after nil.
func (s *session) accountWritten(k entityKey, before, after store.Doc) error {
	accounts := s.accounts(k.blueprint)
	if accounts == nil || s.dry || before == nil && after == nil {
		return nil
	}
	additional, err := accounts.Written(s.tx, s.actor, before, after)
	if err != nil || additional == nil {
		return err
	}
	if s.additional == nil {
		s.additional = map[entityKey]jsonv.Object{}
	}
	s.additional[k] = additional
	return nil
}

// BlueprintExists tells whether an organization has a blueprint.
func BlueprintExists(tx store.Tx, org, id string) (bool, error) {
	_, err := tx.Get(KindBlueprint, org, id)
	if errors.Is(err, store.ErrNotFound) {
		return isSystem(id), nil
	}
	return err == nil, err
}

// BlueprintIDs lists the identifiers of an organization's blueprints.
func BlueprintIDs(tx store.Tx, org string) ([]string, error) {
	ids := systemIdentifiers()
	for row, err := range tx.Scan(KindBlueprint, nil, store.Page{}, org) {
		if err != nil {
			return nil, err
		}
		if id := jsonv.String(row.Doc, "identifier"); !isSystem(id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
