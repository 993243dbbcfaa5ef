package identity

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// The keys of a user that can be asked for by themselves, and those of the objects
// within (reference/identity.md §2.2).
var (
	userScalars = []string{
		"id", "email", "firstName", "isInvisible", "lastName", "picture", "status", "supportLevel", "type", "providers", "createdAt", "updatedAt",
	}
	userParts = map[string][]string{
		"teams":      {"name", "provider", "createdAt", "updatedAt"},
		"roles":      {"name", "description", "isAdmin", "protected", "createdAt", "updatedAt"},
		"orgMembers": {"orgId", "status", "lastLoginAt"},
	}
)

// userFields checks the keys that are asked for.
func userFields(fields []string) error {
	all := slices.Clone(userScalars)
	for _, key := range slices.Sorted(maps.Keys(userParts)) {
		for _, part := range userParts[key] {
			all = append(all, key+"."+part)
		}
	}
	return knownFields(fields, all)
}

// ListUsers answers GET /v1/users, by e-mail; fields are the keys wanted, none means
// all but those that only a single user has.
func (i *Identity) ListUsers(tx store.Tx, fields []string) ([]any, error) {
	if err := userFields(fields); err != nil {
		return nil, err
	}
	var docs []store.Doc
	for row, err := range tx.Scan(catalog.KindEntity, nil, store.Page{}, i.org, userBlueprint) {
		if err != nil {
			return nil, err
		}
		docs = append(docs, row.Doc)
	}
	slices.SortFunc(docs, func(a, b store.Doc) int {
		return cmp.Compare(jsonv.String(a, "identifier"), jsonv.String(b, "identifier"))
	})
	show, users := i.shower(tx), make([]any, len(docs))
	for n, doc := range docs {
		user, err := show.fields(doc, fields)
		if err != nil {
			return nil, err
		}
		users[n] = user
	}
	return users, nil
}

// ReadUser answers GET /v1/users/{email}.
func (i *Identity) ReadUser(tx store.Tx, email string) (jsonv.Object, error) {
	user, err := i.needUser(tx, email)
	if err != nil {
		return nil, err
	}
	out, err := i.shower(tx).whole(user)
	if err == nil {
		out["teamsIdentifiers"] = slices.Clone(jsonv.List(user, "team"))
	}
	return out, err
}

// needUser is the entity of a user that a path names.
func (i *Identity) needUser(tx store.Tx, email string) (store.Doc, error) {
	user, err := i.user(tx, email)
	if err == nil && user == nil {
		err = fault.NotFound("User", email)
	}
	return user, err
}

// userShower makes users look as routes show them. It keeps what several of them
// share.
type userShower struct {
	i     *Identity
	tx    store.Tx
	teams map[string]team
	roles map[string]jsonv.Object
}

func (i *Identity) shower(tx store.Tx) *userShower {
	return &userShower{i, tx, map[string]team{}, map[string]jsonv.Object{}}
}

// whole is a user with every key of reference/identity.md §2.1 but those that are
// not shown in lists.
func (s *userShower) whole(user store.Doc) (jsonv.Object, error) {
	out, account, err := s.scalars(user)
	if err != nil {
		return nil, err
	}
	out["managedByScim"] = jsonv.Bool(account, "managedByScim")
	out["termsAccepted"] = account["termsAccepted"]
	out["orgs"] = []any{jsonv.Object{"id": s.i.org}}
	out["orgMembers"] = []any{s.member(out, account)}
	roles, teams := []any{}, []any{}
	for _, name := range rolesOf(s.i.properties(user)) {
		roles = append(roles, jsonv.Object{"name": name})
	}
	for _, id := range jsonv.Strings(user["team"]) {
		t, err := s.team(id)
		if err != nil {
			return nil, err
		}
		teams = append(teams, t.name())
	}
	out["roles"], out["teams"] = roles, teams
	return out, nil
}

func (s *userShower) scalars(user store.Doc) (out jsonv.Object, account store.Doc, err error) {
	email := jsonv.String(user, "identifier")
	if account, err = s.i.account(s.tx, email); err != nil {
		return nil, nil, err
	}
	p := s.i.properties(user)
	first, last := Names(user)
	kind := "STANDARD"
	if jsonv.String(p, "port_type") == typeServiceAccount {
		kind = "SERVICE_ACCOUNT"
	}
	return jsonv.Object{
		"id": account["id"], "email": email, "firstName": first, "lastName": last, "type": kind,
		"status": strings.ToUpper(jsonv.String(p, "status")), "picture": jsonv.String(account, "picture"),
		"providers": append([]any{}, jsonv.List(account, "providers")...), "isInvisible": jsonv.Bool(account, "isInvisible"),
		"supportLevel": jsonv.String(account, "supportLevel"), "createdAt": user["createdAt"], "updatedAt": user["updatedAt"],
	}, account, nil
}

func (s *userShower) member(scalars jsonv.Object, account store.Doc) jsonv.Object {
	return jsonv.Object{"orgId": s.i.org, "status": scalars["status"], "lastLoginAt": account["lastLoginAt"]}
}

// fields is a user with some keys only; none are all. Teams and roles are objects
// when parts of them are asked for (reference/identity.md §2.2).
func (s *userShower) fields(user store.Doc, fields []string) (jsonv.Object, error) {
	if len(fields) == 0 {
		return s.whole(user)
	}
	scalars, account, err := s.scalars(user)
	if err != nil {
		return nil, err
	}
	out, parts := jsonv.Object{}, map[string][]string{}
	for _, field := range fields {
		if key, part, ok := strings.Cut(field, "."); ok {
			parts[key] = append(parts[key], part)
		} else {
			out[field] = scalars[field]
		}
	}
	for key, names := range parts {
		objects, err := s.objects(key, user, scalars, account)
		if err != nil {
			return nil, err
		}
		list := []any{}
		for _, object := range objects {
			some := jsonv.Object{}
			for _, name := range names {
				some[name] = object[name]
			}
			list = append(list, some)
		}
		out[key] = list
	}
	return out, nil
}

// objects are what a user has under a key whose parts can be asked for.
func (s *userShower) objects(key string, user store.Doc, scalars jsonv.Object, account store.Doc) (out []jsonv.Object, err error) {
	switch key {
	case "orgMembers":
		return []jsonv.Object{s.member(scalars, account)}, nil
	case "teams":
		for _, id := range jsonv.Strings(user["team"]) {
			t, err := s.team(id)
			if err != nil {
				return nil, err
			}
			out = append(out, jsonv.Object{
				"name": t.name(), "provider": t.provider, "createdAt": t.entity["createdAt"], "updatedAt": t.entity["updatedAt"],
			})
		}
	case "roles":
		for _, name := range rolesOf(s.i.properties(user)) {
			if s.roles[name] == nil {
				if s.roles[name], err = s.i.roleObject(s.tx, name); err != nil {
					return nil, err
				}
			}
			out = append(out, s.roles[name])
		}
	}
	return out, nil
}

// team is a team that a user names. Entities of before may name teams that do not
// exist; those are called by what they are named by.
func (s *userShower) team(id string) (team, error) {
	if t, ok := s.teams[id]; ok {
		return t, nil
	}
	t, ok, err := s.i.teamByID(s.tx, s.i.org, id)
	if err != nil {
		return t, err
	}
	if !ok {
		t = team{entity: store.Doc{"identifier": id, "title": id}, provider: madeInPort}
	}
	s.teams[id] = t
	return t, nil
}

// Names are the first and the last name of a user: the title of the entity, cut at
// the first blank. Who has no name is called by the e-mail (reference/identity.md §4.2).
func Names(user store.Doc) (first, last string) {
	title := strings.TrimSpace(jsonv.String(user, "title"))
	if title == jsonv.String(user, "identifier") {
		return "", ""
	}
	first, last, _ = strings.Cut(title, " ")
	return first, last
}

// Title is the title of the entity of a user with such names; "" is for the e-mail.
func Title(first, last string) string { return strings.TrimSpace(first + " " + last) }
