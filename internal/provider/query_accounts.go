package provider

import (
	"context"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// usersQuery is the data source port_users: the entities of the blueprint _user,
// filtered by the server.
func usersQuery() *Query {
	return &Query{
		Name: "users",
		Doc:  "Users and service accounts of the organization, all of them or those that match every condition given.",
		Args: []lens.Part{
			lens.Field("emails", lens.Set(email), lens.Opt, "E-mail addresses, in any letter case; those that nobody has are left out."),
			lens.Field("teams", lens.Set(lens.String), lens.Opt, "Identifiers of teams, of which a user belongs to one at least."),
			lens.Field("role", lens.Enum("Admin", roleModerator, "Member"), lens.Opt, "Role that a user has."),
			lens.Field("status", foldedEnum(statusActive, statusInvited, statusStaged, statusDisabled), lens.Opt, "Status that a user has, in any letter case."),
			lens.Field("type", lens.Enum("Standard", typeServiceAccount), lens.Opt, "Type of account."),
		},
		Results: []lens.Part{lens.ReadOnly("identifiers", lens.List(lens.String), "E-mail addresses of the users found, in the same order.")},
		List:    "users", ListDoc: "Users found, the oldest first.",
		Element: append([]lens.Part{lens.ID("ID of the user, the same as the e-mail address.", "identifier")}, userDeclaration().Parts...),
		Run:     runUsers,
	}
}

func runUsers(ctx context.Context, q *question) (*findings, error) {
	definition, err := q.api.ReadBlueprint(ctx, userBlueprint)
	if err != nil {
		return nil, err
	}
	rules := []any{}
	add := func(property, operator, key string) {
		value, asked := q.body[key]
		if asked && !lens.Nothing(q.args[key]) {
			rules = append(rules, jsonv.Object{"property": property, "operator": operator, "value": value})
		}
	}
	add("$identifier", "in", "emails")
	add("$team", "containsAny", "teams")
	for _, key := range []string{"role", "status", "type"} {
		add(builtIn[key], "=", key)
	}
	ask := jsonv.Object{}
	if len(rules) > 0 {
		ask["query"] = jsonv.Object{"combinator": "and", "rules": rules}
	}
	found := &findings{options: entityOptions(valueTypes(definition))}
	for _, key := range []string{"emails", "teams"} {
		if !lens.Nothing(q.args[key]) && len(jsonv.List(q.body, key)) == 0 {
			found.document = jsonv.Object{"identifiers": []any{}}
			return found, nil // nobody is among none
		}
	}
	entities, err := q.searchEntities(ctx, userBlueprint, nil, ask, -1)
	if err != nil {
		return nil, err
	}
	identifiers := []any{}
	for _, e := range entities {
		found.elements = append(found.elements, accountDocument(e))
		identifiers = append(identifiers, e["identifier"])
	}
	found.document = jsonv.Object{"identifiers": identifiers}
	return found, nil
}

// teamsQuery is the data source port_teams.
func teamsQuery() *Query {
	return &Query{
		Name: "teams",
		Doc:  "Teams of the organization, all of them or those that match every condition given.",
		Args: []lens.Part{
			lens.Field("names", lens.Set(lens.String), lens.Opt, "Names of teams; those that do not exist are left out."),
			lens.Field("provider_name", lens.String, lens.Opt, "Where a team comes from: `port`, or a connection to the identity provider."),
			lens.Field("user", email, lens.Opt, "E-mail address of a member, in any letter case."),
		},
		Results: []lens.Part{lens.ReadOnly("identifiers", lens.List(lens.String), "Identifiers of the teams found, in the same order.")},
		List:    "teams", ListDoc: "Teams found, by name.",
		Element: append([]lens.Part{lens.ID("ID of the team, the same as its name.", "name")}, teamDeclaration().Parts...),
		Run:     runTeams,
	}
}

func runTeams(ctx context.Context, q *question) (*findings, error) {
	teams, err := q.api.Teams(ctx)
	if err != nil {
		return nil, err
	}
	identifiers, err := q.teamIdentifiers(ctx)
	if err != nil {
		return nil, err
	}
	found := &findings{}
	for _, team := range teams {
		team = teamDocument(team)
		name := jsonv.String(team, "name")
		if id := identifiers[name]; id != "" {
			team["identifier"] = id
		}
		if q.wantsTeam(name, team) {
			found.elements = append(found.elements, team)
		}
	}
	slices.SortStableFunc(found.elements, func(a, b jsonv.Object) int {
		return strings.Compare(jsonv.String(a, "name"), jsonv.String(b, "name"))
	})
	list := []any{}
	for _, team := range found.elements {
		list = append(list, team["identifier"])
	}
	found.document = jsonv.Object{"identifiers": list}
	return found, nil
}

func (q *question) wantsTeam(name string, team jsonv.Object) bool {
	if !lens.Nothing(q.args["names"]) && !slices.Contains(jsonv.Strings(q.body["names"]), name) {
		return false
	}
	if from := q.body["providerName"]; from != nil && from != team["provider"] {
		return false
	}
	user, asked := q.body["user"].(string)
	return !asked || slices.ContainsFunc(jsonv.Strings(team["users"]), func(s string) bool { return strings.EqualFold(s, user) })
}

// teamIdentifiers are the identifiers of all teams, by name; none where teams are
// no entities.
func (q *question) teamIdentifiers(ctx context.Context) (map[string]string, error) {
	entities, err := q.searchEntities(ctx, teamBlueprint, nil, jsonv.Object{"include": []any{"$identifier", "$title"}}, -1)
	if portapi.IsNotFound(err) {
		return nil, nil
	}
	out := map[string]string{}
	for _, e := range entities {
		out[jsonv.String(e, "title")] = jsonv.String(e, "identifier")
	}
	return out, err
}
