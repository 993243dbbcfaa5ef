package identity

import (
	"errors"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// moderatorSuffix makes the name of a role from a blueprint (reference/identity.md §7.1).
const moderatorSuffix = "-moderator"

// rolesOf are the names of a user's roles.
func rolesOf(properties jsonv.Object) []string {
	switch jsonv.String(properties, "port_role") {
	case access.RoleAdmin:
		return []string{access.RoleAdmin}
	case access.RoleModerator:
		var out []string
		for _, id := range jsonv.Strings(jsonv.List(properties, "moderated_blueprints")) {
			out = append(out, id+moderatorSuffix)
		}
		if len(out) > 0 {
			return out
		}
	}
	return []string{access.RoleMember}
}

// roleProperties are the properties that make a user have roles; of several the
// higher one counts (reference/identity.md §7.1).
func (i *Identity) roleProperties(tx store.Tx, roles []string, moderated bool) (jsonv.Object, error) {
	admin := false
	blueprints := []any{}
	for _, role := range roles {
		switch {
		case strings.EqualFold(role, access.RoleAdmin):
			admin = true
		case strings.EqualFold(role, access.RoleMember):
		default:
			id, err := i.moderatorOf(tx, role)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(blueprints, any(id)) {
				blueprints = append(blueprints, id)
			}
		}
	}
	switch {
	case admin:
		return jsonv.Object{"port_role": access.RoleAdmin}, nil
	case len(blueprints) > 0:
		return jsonv.Object{"port_role": access.RoleModerator, "moderated_blueprints": blueprints}, nil
	case moderated:
		return jsonv.Object{"port_role": access.RoleMember, "moderated_blueprints": blueprints}, nil
	}
	return jsonv.Object{"port_role": access.RoleMember}, nil
}

// moderatorOf is the blueprint that a role moderates. Names of roles compare in any
// letter case; a blueprint that is spelled just so goes before others.
func (i *Identity) moderatorOf(tx store.Tx, role string) (string, error) {
	at := len(role) - len(moderatorSuffix)
	if at <= 0 || !strings.EqualFold(role[at:], moderatorSuffix) {
		return "", fault.NotFound("Role", role)
	}
	name := role[:at]
	exists, err := catalog.BlueprintExists(tx, i.org, name)
	if err != nil || exists {
		return name, err
	}
	ids, err := catalog.BlueprintIDs(tx, i.org)
	if err != nil {
		return "", err
	}
	for _, id := range ids {
		if strings.EqualFold(id, name) {
			return id, nil
		}
	}
	return "", fault.NotFound("Role", role)
}

// roleObject is a role with all that callers may ask of it (reference/identity.md
// §2.2). The moderators of a blueprint come and go with it.
func (i *Identity) roleObject(tx store.Tx, name string) (jsonv.Object, error) {
	out := jsonv.Object{"name": name, "isAdmin": name == access.RoleAdmin, "protected": true}
	since, err := tx.Get(KindOrganization, i.org)
	if err != nil {
		return nil, err
	}
	switch name {
	case access.RoleAdmin:
		out["description"] = "May do everything"
	case access.RoleMember:
		out["description"] = "May read the catalog and execute actions"
	default:
		id := strings.TrimSuffix(name, moderatorSuffix)
		out["description"], out["protected"] = "May do everything with blueprint "+id+" and its entities", false
		doc, err := tx.Get(catalog.KindBlueprint, i.org, id)
		if err == nil {
			since = doc
		} else if !errors.Is(err, store.ErrNotFound) { // a system blueprint that nobody has changed
			return nil, err
		}
	}
	out["createdAt"], out["updatedAt"] = since["createdAt"], since["createdAt"]
	return out, nil
}
