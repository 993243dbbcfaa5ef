package provider

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/lens"
)

// What destroying permissions does.
const (
	onDestroyRestore = "restore"
	onDestroyKeep    = "keep"
)

// blueprintPermissionsDeclaration is port_blueprint_permissions,
// reference/provider-catalog.md §7. Every blueprint has permissions: to create the
// resource is to take them over, and to destroy it is to give them back.
func blueprintPermissionsDeclaration() *Declaration {
	return &Declaration{
		Name: "blueprint_permissions",
		Doc: "Who may read, create, change and delete the entities of a blueprint. Administrators and machine credentials may always do everything. " +
			"A caller is admitted who has one of the `roles`, is one of the `users`, is in one of the `teams`, is in a team that owns the entity (`owned_by_team`), " +
			"or for whom the entity meets the `policy`.\n\n" +
			"Every blueprint has permissions, and creating the resource takes them over. What it does not declare stays as it is: `read` when it is left out, and " +
			"properties and relations that are not named. What it stops declaring, and on destroy all it declared, goes back to what it was before the resource took over " +
			"(`previous`), so that no right outlives the configuration that granted it; set `on_destroy = \"keep\"` to leave the permissions as they are when the resource is destroyed. " +
			"A resource that was imported, or made by the official provider, goes back to what Port gives a new blueprint.",
		DataDoc: "Who may read, create, change and delete the entities of a blueprint.",
		Key:     []string{"blueprint_identifier"},
		API: API{
			Read: readBlueprintPermissions, Refresh: refreshBlueprintPermissions, Sift: siftBlueprintPermissions,
			Create: createBlueprintPermissions, Update: updateBlueprintPermissions, Delete: deleteBlueprintPermissions,
			Plan: planBlueprintPermissions, Destroy: destroyBlueprintPermissions, Relocate: relocateBlueprintPermissions,
			Replaces: replacesWithBlueprint, Anew: renamedPermissions,
		},
		Parts: []lens.Part{
			lens.Field("blueprint_identifier", lens.String, lens.Req, "Identifier of the blueprint. Changing it gives back the permissions of the one and takes over those of the other, unless the same apply renames the blueprint.").
				Check(notEmpty()),
			lens.Field("entities", lens.Object(
				lens.Field("read", lens.Object(scope()...), lens.Opt, "Who may see entities. Left out, it stays as it is."),
				lens.Field("register", lens.Object(scope()...), lens.Req, "Who may create entities."),
				lens.Field("unregister", lens.Object(scope()...), lens.Req, "Who may delete entities."),
				lens.Field("update", lens.Object(scope()...), lens.Req, "Who may change entities, all of their properties and relations."),
				lens.Field("update_metadata_properties", lens.Object(
					lens.Field("icon", lens.Object(assignees()...), lens.Req, "Who may change icons of entities.").At("$icon"),
					lens.Field("title", lens.Object(assignees()...), lens.Req, "Who may change titles of entities.").At("$title"),
					lens.Field("team", lens.Object(assignees()...), lens.Req, "Who may change the owning teams of entities.").At("$team"),
					lens.Field("identifier", lens.Object(assignees()...), lens.Req, "Who may change identifiers of entities.").At("$identifier"),
				), lens.Req, "Who may change what every entity has, besides those that `update` admits."),
				lens.Field("update_properties", lens.Map(lens.Object(assignees()...)), lens.Opt,
					"Who may change a property, by its key, besides those that `update` admits. Properties that are not named stay as they are.").OmitEmpty().Check(fieldKeys()),
				lens.Field("update_relations", lens.Map(lens.Object(assignees()...)), lens.Opt,
					"Who may change a relation, by its key, besides those that `update` admits. Relations that are not named stay as they are.").OmitEmpty().Check(fieldKeys()),
			), lens.Req, "Permissions on the blueprint's entities."),
			lens.Setting("on_destroy", lens.Enum(onDestroyRestore, onDestroyKeep), lens.Opt,
				"What destroying the resource does: `restore` gives the permissions back as they were before the resource took over, `keep` leaves them as they are.").Default(onDestroyRestore),
			lens.ReadOnly("previous", lens.JSONObject,
				"Permissions as they were before the resource took over, as JSON text. Null when that is not known: of imported resources and those made by the official provider.").Keep().Unread(),
		},
	}
}

// assignees are who a block of permissions admits.
func assignees() []lens.Part {
	list := func(name string, element lens.Kind, doc string) *lens.FieldPart {
		return lens.Field(name, lens.Set(element), lens.Opt, doc).Always().EmptyShows()
	}
	return []lens.Part{
		list("users", email, "E-mail addresses of users, in any letter case."),
		list("roles", lens.String, "Roles: `Admin`, `Member` (every active user), and `<blueprint>-moderator`.").CheckEach(roleCheck()),
		list("teams", lens.String, "Identifiers of teams."),
		lens.Field("owned_by_team", lens.Bool, lens.Opt, "Whether users are admitted to entities that one of their teams owns.").Default(false),
	}
}

// scope is a block that may have a policy.
func scope() []lens.Part {
	return append(assignees(),
		lens.Field("policy", lens.JSONObject.BlankOmits(), lens.Opt,
			"Search query with `combinator` and `rules`. Whom nothing else admits is admitted to entities that match it; "+
				"`{\"context\": \"user\", \"property\": …}` or `\"userTeams\"` in place of a property or a value stands for the caller. Removing it removes it from Port.").Check(queryCheck()),
		lens.Rule(idlePolicy),
	)
}

// idlePolicy warns of a policy that Port does not look at
// (reference/identity.md §7.6).
func idlePolicy(at lens.Path, from lens.Obj) []lens.Problem {
	if !lens.Known(from["policy"]) || !lens.AsBool(from["owned_by_team"]) {
		return nil
	}
	p := at.Name("policy").Finding("Policy without effect", "Port ignores a policy where owned_by_team is true. Express the ownership in the policy instead: "+
		`{"property": "$team", "operator": "containsAny", "value": {"context": "userTeams", "property": "$identifier"}}.`)
	p.Warning = true
	return []lens.Problem{p}
}

// roleCheck warns of names that no user has as a role: Port takes them and admits
// nobody (reference/identity.md §7.1).
func roleCheck() lens.Check {
	return lens.Warn(lens.Test("Unknown role", "", func(v tftypes.Value) string {
		role := strings.ToLower(lens.AsText(v))
		if slices.Contains([]string{"admin", "moderator", "member"}, role) || strings.HasSuffix(role, "-moderator") {
			return ""
		}
		return fmt.Sprintf("nobody has a role %q: roles are Admin, Member and <blueprint>-moderator", lens.AsText(v))
	}))
}

// fieldKeys wants keys of properties or relations; what every entity has, which
// begins with a dollar sign, has an attribute of its own.
func fieldKeys() lens.Check {
	return lens.Test("Invalid key", "", func(v tftypes.Value) string {
		for _, key := range slices.Sorted(maps.Keys(lens.AsObj(v))) {
			if strings.HasPrefix(key, "$") {
				return fmt.Sprintf(`key %q: keys must not begin with $ (^[^\$]); use update_metadata_properties for $icon, $title, $team and $identifier`, key)
			}
			if wrong := wrongKey(key); wrong != "" {
				return wrong
			}
		}
		return ""
	})
}
