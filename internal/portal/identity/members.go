package identity

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// members are the entities of the users whose team names a team, by e-mail. That
// is the one place where membership is kept (reference/identity.md §4.2).
func members(tx store.Tx, org, team string) ([]store.Doc, error) {
	var out []store.Doc
	for row, err := range tx.Scan(catalog.KindEntity, catalog.WhereTeam(team), store.Page{}, org, userBlueprint) {
		if err != nil {
			return nil, err
		}
		out = append(out, row.Doc)
	}
	slices.SortFunc(out, func(a, b store.Doc) int {
		return strings.Compare(jsonv.String(a, "identifier"), jsonv.String(b, "identifier"))
	})
	return out, nil
}

// usersNamed finds the users of a list of e-mails, each once (reference/identity.md
// §3.1 E5).
func (i *Identity) usersNamed(tx store.Tx, emails []string) ([]store.Doc, error) {
	var out []store.Doc
	seen := map[string]bool{}
	for _, email := range emails {
		key := ident.Email(email)
		if seen[key] {
			continue
		}
		seen[key] = true
		user, err := i.needUser(tx, email)
		if err != nil {
			return nil, err
		}
		out = append(out, user)
	}
	return out, nil
}

// setMembers makes users, and nobody else, the members of a team.
func (i *Identity) setMembers(ctx context.Context, tx store.Tx, actor catalog.Actor, t team, users []store.Doc) error {
	id := t.identifier()
	now, err := members(tx, actor.Org, id)
	if err != nil {
		return err
	}
	stay := map[string]bool{}
	for _, user := range users {
		stay[jsonv.String(user, "identifier")] = true
	}
	changed := map[string][]any{}
	for _, user := range now {
		if email := jsonv.String(user, "identifier"); stay[email] {
			delete(stay, email)
		} else {
			changed[email] = slices.DeleteFunc(slices.Clone(jsonv.List(user, "team")), func(e any) bool { return e == id })
		}
	}
	for _, user := range users {
		if email := jsonv.String(user, "identifier"); stay[email] {
			changed[email] = append(slices.Clone(jsonv.List(user, "team")), id)
		}
	}
	if len(changed) > 0 && t.managed() && !provided(actor) {
		return managedTeam(t.name())
	}
	for _, email := range slices.Sorted(maps.Keys(changed)) {
		body := jsonv.Object{"team": changed[email]}
		if _, err := i.catalog.PatchEntity(ctx, tx, actor, userBlueprint, email, body, catalog.WriteOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// provided tells whether a write comes from the identity provider, which alone
// changes who is in the teams it brought along (reference/identity.md §3.2).
func provided(actor catalog.Actor) bool {
	return actor.Through == ThroughLogin || actor.Through == ThroughSCIM
}

// admitMembership looks at the teams that a user is to have. Those of the identity
// provider cannot be given or taken, but an empty list only stands for Port's own
// (reference/identity.md §3.2, §4.3).
func (i *Identity) admitMembership(tx store.Tx, w *catalog.AccountWrite) error {
	if !w.HasTeam || provided(w.Actor) {
		return nil
	}
	kept, err := i.keptMemberships(tx, w.Actor.Org, jsonv.Strings(jsonv.List(w.Existing, "team")), w.Team)
	w.Team = kept
	return err
}

// keptMemberships compares the teams a user has with those asked for.
func (i *Identity) keptMemberships(tx store.Tx, org string, was, given []string) ([]string, error) {
	clears := len(given) == 0
	for _, id := range slices.Concat(was, given) {
		if slices.Contains(was, id) == slices.Contains(given, id) {
			continue
		}
		t, ok, err := i.teamByID(tx, org, id)
		switch {
		case err != nil:
			return nil, err
		case !ok || !t.managed():
		case clears:
			given = append(given, id)
		default:
			return nil, managedTeam(t.name())
		}
	}
	return given, nil
}

// finding looks a team up by one of its keys.
type finding func(tx store.Tx, org, key string) (team, bool, error)

// teamNamed finds a team in one way or another.
func (i *Identity) teamNamed(tx store.Tx, org, key string, ways ...finding) (team, error) {
	for _, find := range ways {
		if t, ok, err := find(tx, org, key); ok || err != nil {
			return t, err
		}
	}
	return team{}, fault.NotFound("Team", key)
}

// memberParts are a user's keys among the users of a team (reference/identity.md §3.1).
func (i *Identity) memberParts(tx store.Tx, entity store.Doc) (jsonv.Object, error) {
	email := jsonv.String(entity, "identifier")
	account, err := i.account(tx, email)
	if err != nil {
		return nil, err
	}
	first, last := Names(entity)
	return jsonv.Object{
		"email": email, "firstName": first, "lastName": last, "picture": jsonv.String(account, "picture"),
		"status": strings.ToUpper(jsonv.String(entity, "properties", "status")),
	}, nil
}
