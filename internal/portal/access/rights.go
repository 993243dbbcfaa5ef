package access

import (
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// rights are those of one user, as documents and the user's roles and teams have
// it now (reference/identity.md §7.5).
type rights struct {
	access *Access
	org    string
	user   *User
}

// Manages implements [catalog.Rights].
func (r *rights) Manages(blueprint string) bool { return r.user.Manages(blueprint) }

// Entities implements [catalog.Rights].
func (r *rights) Entities(tx store.Tx, blueprint string, verb catalog.Verb) (catalog.Grant, error) {
	d, err := r.access.document(tx, r.org, blueprint)
	if err != nil {
		return catalog.Grant{}, err
	}
	if verb == catalog.VerbRead {
		return r.readable(tx, d, blueprint)
	}
	return r.grant(tx, d.scopes[verb], blueprint)
}

// Field implements [catalog.Rights].
func (r *rights) Field(tx store.Tx, blueprint string, field catalog.Field) (catalog.Grant, error) {
	d, err := r.access.document(tx, r.org, blueprint)
	if err != nil {
		return catalog.Grant{}, err
	}
	blocks := d.properties
	if field.Part == catalog.PartRelations {
		blocks = d.relations
	}
	b, listed := blocks[field.Key]
	if !listed {
		return catalog.Grant{}, nil
	}
	return r.grant(tx, b, blueprint)
}

// grant is the evaluation of one block. A policy counts only for callers whom no
// other key admits, and not at all beside ownedByTeam (§7.6).
func (r *rights) grant(tx store.Tx, b block, blueprint string) (catalog.Grant, error) {
	named, err := b.names(blueprintsOf(tx, r.org), r.user)
	switch {
	case err != nil || named:
		return catalog.Grant{All: named}, err
	case b.owned:
		owns, err := r.owns(tx, blueprint)
		if err != nil || !owns {
			return catalog.Grant{}, err
		}
		return catalog.Grant{Among: query.OwnedBy(r.user.Teams), Owned: true}, nil
	}
	return catalog.Grant{Among: b.policy}, nil
}

// names tells whether a user is admitted to all entities by one of the lists.
func (b block) names(exists known, u *User) (bool, error) {
	if b.hasTeam(u) || b.hasUser(u) {
		return true, nil
	}
	return b.hasRole(exists, u)
}

func (b block) hasRole(exists known, u *User) (bool, error) {
	for _, role := range b.roles {
		if has, err := u.has(exists, role); err != nil || has {
			return has, err
		}
	}
	return false, nil
}

func (b block) hasTeam(u *User) bool {
	return slices.ContainsFunc(u.Teams, func(team string) bool { return slices.Contains(b.teams, team) })
}

func (b block) hasUser(u *User) bool {
	return slices.ContainsFunc(b.users, func(email string) bool { return ident.SameEmail(email, u.Email) })
}

// owns tells whether the user can own entities of a blueprint at all.
func (r *rights) owns(tx store.Tx, blueprint string) (bool, error) {
	if len(r.user.Teams) == 0 {
		return false, nil
	}
	doc, err := catalog.Definition(tx, r.org, blueprint)
	return jsonv.Map(doc, "ownership") != nil, err
}

// readable also takes in what the other rights imply: who may create, change or
// delete all entities, or change or delete owned ones, may read them.
func (r *rights) readable(tx store.Tx, d *document, blueprint string) (catalog.Grant, error) {
	read := d.scopes[catalog.VerbRead]
	g, err := r.grant(tx, read, blueprint)
	if err != nil || g.All {
		return g, err
	}
	owned := false
	for _, verb := range []catalog.Verb{catalog.VerbRegister, catalog.VerbUpdate, catalog.VerbUnregister} {
		b := d.scopes[verb]
		if named, err := b.names(blueprintsOf(tx, r.org), r.user); err != nil || named {
			return catalog.Grant{All: named}, err
		}
		owned = owned || b.owned && verb != catalog.VerbRegister
	}
	if !owned || g.Owned {
		return g, nil
	}
	owns, err := r.owns(tx, blueprint)
	if err != nil || !owns {
		return g, err
	}
	mine := query.OwnedBy(r.user.Teams)
	if g.Among == nil {
		return catalog.Grant{Among: mine, Owned: true}, nil
	}
	return catalog.Grant{Among: query.Any(mine, g.Among)}, nil
}
