package provider

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

const (
	principalMachine        = "machine"
	principalUser           = "user"
	principalServiceAccount = "service_account"

	// moderatorSuffix ends the names of the roles that moderators have.
	moderatorSuffix = "-moderator"
)

// whoamiQuery is the data source port_whoami.
func whoamiQuery() *Query {
	return &Query{
		Name: "whoami",
		Doc: "Whom the provider acts as, and what they may do: for checks that a configuration is applied to the right organization, by somebody who may. " +
			"It is read when planning, from the access token and the API.",
		IDDoc: "E-mail address of the user or service account, client ID of a machine.",
		Results: []lens.Part{
			lens.ReadOnly("principal", lens.String, "Kind of caller: `"+principalMachine+"` for credentials of the organization and for embedded portals, `"+principalUser+"`, or `"+principalServiceAccount+"`."),
			lens.ReadOnly("client_id", lens.String, "Client ID of the credentials; null for a user's token that does not tell."),
			lens.ReadOnly("email", lens.String, "E-mail address of the user or service account; null for a machine."),
			lens.ReadOnly("user_id", lens.String, "ID of the user, which `created_by` and `updated_by` of what they write show; null for a machine, which is shown by its client ID."),
			lens.ReadOnly("role", lens.String, "Role: `Admin`, `Moderator` or `Member`. A machine may do what an `Admin` may."),
			lens.ReadOnly("moderated_blueprints", lens.Set(lens.String), "Identifiers of the blueprints that the user moderates."),
			lens.ReadOnly("teams", lens.Set(lens.String), "Identifiers of the teams that the user belongs to."),
			lens.ReadOnly("organization_id", lens.String, "ID of the organization."),
			lens.ReadOnly("organization_name", lens.String, "Name of the organization."),
			lens.ReadOnly("scopes", lens.Set(lens.String), "What the caller may do in general, such as `create:blueprints`, and the actions they may execute, such as `execute:actions:deploy`."),
		},
		Run: runWhoami,
	}
}

func runWhoami(ctx context.Context, q *question) (*findings, error) {
	who, err := q.whoami(ctx)
	if err != nil {
		return nil, err
	}
	organization, err := readOrganization(ctx, q.session, nil)
	if err != nil {
		return nil, err
	}
	granted, err := q.api.Call(ctx, portapi.Op{Method: http.MethodGet, Path: []string{"auth", "permissions"}})
	if err != nil {
		return nil, err
	}
	who["organizationId"], who["organizationName"] = organization["id"], organization["name"]
	who["scopes"] = jsonv.List(granted, "permissions")
	found := &findings{document: who, id: jsonv.String(who, "organizationId")}
	for _, key := range []string{"clientId", "email"} {
		if s := jsonv.String(who, key); s != "" {
			found.id = s
		}
	}
	return found, nil
}

// whoami is the part of the answer that is about the caller.
func (s *session) whoami(ctx context.Context) (jsonv.Object, error) {
	caller, err := s.api.Caller(ctx)
	if err != nil {
		return nil, err
	}
	if caller.Anonymous {
		who := machine("")
		app, err := s.firstApp(ctx)
		if app != nil {
			who = machine(jsonv.String(app, "id"))
		}
		return who, err
	}
	client := caller.ClientID
	if isMachine(caller) {
		if client == "" {
			client = jsonv.String(caller.Claims, "sub")
		}
		return machine(client), nil
	}
	email, err := s.emailOf(ctx, caller)
	if err != nil {
		return nil, err
	}
	who := jsonv.Object{"principal": principalUser}
	if client != "" {
		who["clientId"] = client
	}
	if email == "" {
		return who, nil
	}
	return who, s.describe(ctx, who, email)
}

func machine(client string) jsonv.Object {
	who := jsonv.Object{"principal": principalMachine, "role": "Admin", "moderatedBlueprints": []any{}, "teams": []any{}}
	if client != "" {
		who["clientId"] = client
	}
	return who
}

// isMachine reads the claims as all clients do: without isMachine, personalToken
// decides, and is true unless it says otherwise (reference/identity.md §1.3). A
// token that says nothing at all was got with an e-mail address by a person.
func isMachine(caller portapi.Caller) bool {
	if is, said := caller.Claims["isMachine"].(bool); said {
		return is
	}
	if personal, said := caller.Claims["personalToken"].(bool); said {
		return !personal
	}
	return caller.ClientID != "" && !strings.Contains(caller.ClientID, "@")
}

// claimedEmail is the address that a token or a client ID says, "" when neither
// does.
func claimedEmail(caller portapi.Caller) string {
	for name, v := range caller.Claims {
		if s, ok := v.(string); ok && s != "" && (name == "email" || strings.HasSuffix(name, "/email")) {
			return s
		}
	}
	if strings.Contains(caller.ClientID, "@") {
		return caller.ClientID
	}
	return ""
}

// ownEmail is the address of the user that the provider acts as; "" for a machine
// and where it cannot be told.
func (s *session) ownEmail(ctx context.Context) (string, error) {
	caller, err := s.api.Caller(ctx)
	return claimedEmail(caller), err
}

// emailOf finds the address by the user's ID where the token does not say it.
func (s *session) emailOf(ctx context.Context, caller portapi.Caller) (string, error) {
	subject := jsonv.String(caller.Claims, "sub")
	if email := claimedEmail(caller); email != "" || subject == "" {
		return email, nil
	}
	answer, err := s.api.Call(ctx, portapi.Op{Method: http.MethodGet, Path: []string{"users"}, Query: url.Values{"fields": {"id", "email"}}})
	if err != nil {
		return "", err
	}
	for _, u := range jsonv.List(answer, "users") {
		if jsonv.String(u, "id") == subject {
			return jsonv.String(u, "email"), nil
		}
	}
	return "", nil
}

// describe adds what the user's document says.
func (s *session) describe(ctx context.Context, who jsonv.Object, email string) error {
	answer, err := s.api.Call(ctx, portapi.Op{Method: http.MethodGet, Path: []string{"users", email}})
	if err != nil {
		return err
	}
	user, err := envelope(answer, "user")
	if err != nil {
		return err
	}
	who["email"], who["userId"], who["role"] = user["email"], user["id"], "Member"
	if user["type"] == "SERVICE_ACCOUNT" || ofServiceAccount.MatchString(email) {
		who["principal"] = principalServiceAccount
	}
	who["teams"] = jsonv.List(user, "teamsIdentifiers")
	moderated := []any{}
	for _, role := range jsonv.List(user, "roles") {
		if blueprint, ok := strings.CutSuffix(jsonv.String(role, "name"), moderatorSuffix); ok {
			moderated = append(moderated, blueprint)
		}
	}
	who["moderatedBlueprints"] = moderated
	if len(moderated) > 0 {
		who["role"] = roleModerator
	}
	for _, role := range jsonv.List(user, "roles") {
		if jsonv.String(role, "name") == "Admin" {
			who["role"] = "Admin"
		}
	}
	return nil
}
