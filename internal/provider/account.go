package provider

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// Users and service accounts are entities of the blueprint _user, and the entity
// is the user (reference/identity.md §4.3): one document holds names, role, status,
// teams and what the organization added to the blueprint. The codecs of both see it
// with what is built in beside the added properties.
//
// What a configuration leaves out of a user is left alone, since others write it
// too: people their names, teams their members, integrations the properties. What
// it did say and says no longer is taken away. Only role and moderated blueprints
// are what the configuration says in any case: a right that nobody wrote down has
// to show.

const (
	userBlueprint        = "_user"
	serviceAccountDomain = "@serviceaccounts.getport.io"

	roleModerator = "Moderator"

	statusActive   = "Active"
	statusInvited  = "Invited"
	statusStaged   = "Staged"
	statusDisabled = "Disabled"
)

// builtIn are the properties that _user begins with, by the key they have in the
// codecs' document.
var builtIn = map[string]string{"role": "port_role", "status": "status", "type": "port_type", "moderatedBlueprints": "moderated_blueprints"}

// leftAlone are the attributes that say nothing when they are left out, with
// their keys.
var leftAlone = map[string]string{"teams": "team", "icon": "icon", "properties": "properties", "relations": "relations"}

// email is an address in any letter case; Port keeps it in lower case.
var email = lens.Folded(strings.ToLower, nil)

// foldedEnum is text out of a closed list in any letter case. Reading takes any.
func foldedEnum(texts ...string) lens.Kind {
	fold := func(s string) string {
		for _, t := range texts {
			if strings.EqualFold(s, t) {
				return t
			}
		}
		return s
	}
	listed := lens.OneOf(texts...)
	listed.Test = func(v tftypes.Value) string {
		if got := lens.AsText(v); !slices.Contains(texts, fold(got)) {
			return fmt.Sprintf("want one of %q, got %q", texts, got)
		}
		return ""
	}
	return lens.Checked(lens.Folded(fold, nil), listed)
}

// accountRights is what a user may do.
func accountRights() lens.Part {
	return lens.Parts(
		lens.Field("role", lens.Enum("Admin", roleModerator, "Member"), lens.Opt,
			"What the user may do: an `Admin` anything; a `Moderator` anything with `moderated_blueprints` and their entities; a `Member` what permissions allow.").Default("Member"),
		lens.Field("moderated_blueprints", lens.Set(lens.String), lens.Opt, "Identifiers of the blueprints that a `Moderator` manages."),
		lens.Rule(func(at lens.Path, from lens.Obj) []lens.Problem {
			role, known := text(from["role"])
			moderated := from["moderated_blueprints"]
			if moderated.Type() == nil || !moderated.IsKnown() || !known && !lens.Nothing(from["role"]) {
				return nil
			}
			switch some := len(lens.AsList(moderated)) > 0; {
			case some && role != roleModerator:
				p := at.Name("moderated_blueprints").Finding("Moderated blueprints without effect", "Only a user with role = \"Moderator\" moderates blueprints.")
				p.Warning = true
				return []lens.Problem{p}
			case !some && role == roleModerator:
				p := at.Name("role").Finding("Moderator of nothing", "Without moderated_blueprints a Moderator may do what a Member may.")
				p.Warning = true
				return []lens.Problem{p}
			}
			return nil
		}),
	)
}

// accountContent is what else the entity holds.
func accountContent(noun string) lens.Part {
	return lens.Parts(
		lens.Field("teams", lens.Set(lens.String), lens.Opt, "Identifiers of the teams that the "+noun+" belongs to; `[]` for none. Left out, the membership is left alone, "+
			"so that `port_team` can manage it by its `users`. Declare a membership in one of the two places only.").At("team"),
		lens.Field("icon", lens.String, lens.Opt, "Icon of the entity. Left out, it is left alone.").OmitEmpty(),
		entityValues("Values of the properties that were added to the blueprint `_user`, by type and key. Left out, they are left alone; otherwise this is all of them.",
			"Entities that relations added to the blueprint `_user` lead to, by relation. Left out, they are left alone; otherwise this is all of them."),
	)
}

// emailCheck is the grammar of e-mail addresses, reference/identity.md §2.3 U1, as
// far as entities can be named by them.
func emailCheck() lens.Check {
	entity := identifierCheck("=", 1000)
	return lens.Test("Invalid e-mail address", "", func(v tftypes.Value) string {
		s := lens.AsText(v)
		local, domain, _ := strings.Cut(s, "@")
		switch {
		case local == "" || domain == "" || strings.Contains(domain, "@"):
			return fmt.Sprintf("want an e-mail address, got %q", s)
		case strings.EqualFold("@"+domain, serviceAccountDomain):
			return "this is the address of a service account: use the resource port_service_account"
		}
		return entity.Test(v)
	})
}

// accountDocument is what the codecs read of an entity.
func accountDocument(entity jsonv.Object) jsonv.Object {
	out := maps.Clone(entity)
	properties := maps.Clone(jsonv.Map(entity, "properties"))
	for key, name := range builtIn {
		if v := properties[name]; v != nil {
			out[key] = v
		}
		delete(properties, name)
	}
	out["properties"], out["blueprint"] = properties, userBlueprint
	return out
}

// accountEntity is the inverse of accountDocument, for what a codec puts.
func accountEntity(document jsonv.Object) jsonv.Object {
	out := maps.Clone(document)
	properties := jsonv.Object{}
	maps.Copy(properties, jsonv.Map(document, "properties"))
	for key, name := range builtIn {
		if v, ok := document[key]; ok {
			properties[name] = v
			delete(out, key)
		}
	}
	out["properties"] = properties
	return out
}

// relocateAccount turns a place in an entity into one in the codecs' document.
func relocateAccount(pointer []string) []string {
	if len(pointer) > 1 && pointer[0] == "properties" {
		for key, name := range builtIn {
			if pointer[1] == name {
				return append([]string{key}, pointer[2:]...)
			}
		}
	}
	return pointer
}

// siftAccount hides what is left alone.
func siftAccount(_ *kind, document jsonv.Object, held ...tftypes.Value) jsonv.Object {
	out := document
	for name, key := range leftAlone {
		if _, there := out[key]; !there || slices.ContainsFunc(held, func(v tftypes.Value) bool { return !lens.Nothing(lens.AsObj(v)[name]) }) {
			continue
		}
		out = maps.Clone(out)
		delete(out, key)
	}
	return out
}

// removal is a property or relation that is to go.
type removal struct{ part, key string }

// accountChange is what a PATCH of the entity has to say to bring a document to
// another, and what no PATCH can: that a key is to be gone.
func accountChange(was, now jsonv.Object) (patch jsonv.Object, gone []removal) {
	patch = jsonv.Object{}
	properties, relations := jsonv.Object{}, jsonv.Object{}
	for key, empty := range map[string]any{"title": nil, "icon": nil, "team": []any{}, "role": nil, "status": nil, "moderatedBlueprints": []any{}} {
		before, had := was[key]
		after, has := now[key]
		switch {
		case has && had && jsonv.Equal(before, after), !has && !had:
			continue
		case !has && (key == "status" || key == "title" || key == "role"):
			continue // there is no user without
		case !has:
			after = empty
		}
		if name, ok := builtIn[key]; ok {
			properties[name] = after
		} else {
			patch[key] = after
		}
	}
	for part, into := range map[string]jsonv.Object{"properties": properties, "relations": relations} {
		before, after := jsonv.Map(was, part), jsonv.Map(now, part)
		for key, v := range after {
			if old, had := before[key]; !had || !jsonv.Equal(old, v) {
				into[key] = v
			}
		}
		for key := range before {
			if _, stays := after[key]; !stays {
				gone = append(gone, removal{part, key})
			}
		}
		if len(into) > 0 {
			patch[part] = into
		}
	}
	return patch, gone
}

// ofServiceAccount matches the addresses that service accounts have.
var ofServiceAccount = regexp.MustCompile(`(?i)^[^@]+` + regexp.QuoteMeta(serviceAccountDomain) + `$`)
