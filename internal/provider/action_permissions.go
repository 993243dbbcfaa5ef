package provider

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jq"
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// actionPermissionsDeclaration is port_action_permissions,
// reference/provider-actions.md §3. Every action has permissions: to create the
// resource is to take them over, and to destroy it is to give them back.
func actionPermissionsDeclaration() *Declaration {
	return &Declaration{
		Name: "action_permissions",
		Doc: "Who may run a self-service action, and who approves its runs. Administrators may always do both. " +
			"A caller is admitted who has one of the `roles`, is one of the `users`, is in one of the `teams`, or is in a team that owns the entity (`owned_by_team`); " +
			"a `policy` decides instead of all of them.\n\n" +
			"Every action has permissions, and creating the resource takes them over. Destroying it gives them back as they were before (`previous`), " +
			"so that no right outlives the configuration that granted it; set `on_destroy = \"keep\"` to leave them as they are, as the official provider does. " +
			"A resource that was imported, or made by the official provider, goes back to what Port gives a new action: everybody may run it, administrators approve.",
		DataDoc: "Who may run a self-service action, and who approves its runs.",
		Key:     []string{"action_identifier"},
		API: API{
			Read: readActionPermissions, Refresh: refreshActionPermissions,
			Create: createActionPermissions, Update: updateActionPermissions, Delete: deleteActionPermissions, Destroy: destroyActionPermissions,
			Plan: planActionPermissions, Anew: movedPermissions, Relocate: func(pointer []string) []string { return append([]string{"permissions"}, pointer...) },
		},
		Parts: []lens.Part{
			lens.Field("action_identifier", lens.String, lens.Req, "Identifier of the action. Changing it takes over the permissions of the other action, and does with those of the one what destroying would, unless the same apply renames it.").
				Check(notEmpty()),
			formerBlueprint("blueprint_identifier", "Identifier of the action's blueprint, in the states of provider versions before 2."),
			lens.Field("permissions", lens.Object(
				lens.Field("execute", lens.Object(append(executors(),
					lens.Field("owned_by_team", lens.Bool, lens.Opt, "Whether users are admitted to run the action on entities that one of their teams owns.").Default(true))...),
					lens.Req, "Who may run the action."),
				lens.Field("approve", lens.Object(executors()...), lens.Req, "Who approves runs of the action."),
			), lens.Req, "Permissions on the action."),
			lens.Setting("on_destroy", lens.Enum(onDestroyRestore, onDestroyKeep), lens.Opt,
				"What destroying the resource does: `restore` gives the permissions back as they were before the resource took over, `keep` leaves them as they are.").Default(onDestroyRestore),
			lens.ReadOnly("previous", lens.JSONObject,
				"Permissions as they were before the resource took over, as JSON text. Null when that is not known: of imported resources and those made by the official provider.").Keep().Unread(),
		},
	}
}

// executors are who a block of permissions admits.
func executors() []lens.Part {
	list := func(name string, of lens.Kind, doc string) *lens.FieldPart {
		return lens.Field(name, lens.Set(of), lens.Opt, doc).Default([]string{})
	}
	return []lens.Part{
		list("users", email, "E-mail addresses of users, in any letter case."),
		list("roles", lens.String, "Roles: `Admin`, `Member` (every active user), and `<blueprint>-moderator`.").CheckEach(roleCheck()),
		list("teams", lens.String, "Identifiers of teams."),
		lens.Field("policy", lens.JSONObject.BlankIsNull(), lens.Opt,
			"Dynamic policy: `queries` search entities by name, and `conditions` are jq expressions over the results. Removing it removes it from Port.").
			NullOnClear().Check(policyCheck(), policyProgramsCheck()),
	}
}

// policyCheck wants what Port wants of a policy (reference/actions.md §5.1 D2).
func policyCheck() lens.Check {
	return lens.Test("Invalid policy", "", func(v tftypes.Value) string {
		policy, err := jsonv.DecodeObject([]byte(lens.AsText(v)))
		if err != nil {
			return "" // found elsewhere
		}
		for _, key := range sortedKeysOf(policy) {
			if key != "queries" && key != "conditions" {
				return fmt.Sprintf("a policy has queries and conditions, and no %q", key)
			}
		}
		queries := jsonv.Map(policy, "queries")
		if len(queries) == 0 {
			return "a policy needs at least one query: queries = { name = { combinator, rules } }"
		}
		for _, name := range sortedKeysOf(queries) {
			if wrong := wrongQuery(queries[name]); wrong != "" {
				return fmt.Sprintf("query %q: %s", name, wrong)
			}
		}
		conditions := jsonv.List(policy, "conditions")
		if len(conditions) == 0 {
			return "a policy needs at least one condition in jq"
		}
		for i, c := range conditions {
			if s, ok := c.(string); !ok || s == "" {
				return fmt.Sprintf("condition %d: want an expression in jq, got %s", i+1, jsonv.Encode(c))
			}
		}
		return ""
	})
}

func wrongQuery(query any) string {
	q, ok := query.(jsonv.Object)
	if !ok {
		return "want an object with combinator and rules, got " + jsonv.KindOf(query)
	}
	for _, key := range sortedKeysOf(q) {
		if key != "combinator" && key != "rules" {
			return fmt.Sprintf("a query has a combinator and rules, and no %q", key)
		}
	}
	if c := q["combinator"]; c != "and" && c != "or" {
		return fmt.Sprintf("want the combinator \"and\" or \"or\", got %s", jsonv.Encode(c))
	}
	rules, ok := q["rules"].([]any)
	if !ok {
		return "want a list of rules, got " + jsonv.KindOf(q["rules"])
	}
	for i, r := range rules {
		if _, ok := r.(jsonv.Object); !ok {
			return fmt.Sprintf("rule %d: want an object, got %s", i+1, jsonv.KindOf(r))
		}
	}
	return ""
}

// policyProgramsCheck warns of conditions and templates that count for nothing,
// since they do not parse (reference/actions.md §5.4).
func policyProgramsCheck() lens.Check {
	return lens.Warn(lens.Test("This policy may not work", "", func(v tftypes.Value) string {
		policy, err := jsonv.DecodeObject([]byte(lens.AsText(v)))
		if err != nil {
			return ""
		}
		for i, c := range jsonv.Strings(jsonv.List(policy, "conditions")) {
			if err := jq.Check(straightQuotes(c)); err != nil {
				return fmt.Sprintf("condition %d does not parse here: %s. If Port does not understand it either, it admits nobody", i+1, err)
			}
		}
		var wrong string
		queries := jsonv.Map(policy, "queries")
		for _, name := range sortedKeysOf(queries) {
			eachTextIn(queries[name], func(s string) {
				spans, fault := jq.Embedded(s)
				if fault == "" {
					for _, x := range spans {
						if err := checkTemplate(s[x.From:x.To]); err != nil && fault == "" {
							fault = err.Error()
						}
					}
				}
				if fault != "" && wrong == "" {
					wrong = fmt.Sprintf("query %q: in %q %s. If Port does not understand it either, the query finds nothing", name, s, fault)
				}
			})
		}
		return wrong
	}))
}

func sortedKeysOf(o jsonv.Object) []string { return slices.Sorted(maps.Keys(o)) }

// getActionPermissions reads the permissions of an action as a document of the
// codec.
func getActionPermissions(ctx context.Context, s *session, id string) (jsonv.Object, error) {
	return callActionPermissions(ctx, s, id, portapi.Op{Method: http.MethodGet})
}

func callActionPermissions(ctx context.Context, s *session, id string, op portapi.Op) (jsonv.Object, error) {
	op.Path = []string{"actions", id, "permissions"}
	answer, err := s.api.Call(ctx, op)
	if err != nil {
		return nil, err
	}
	permissions, err := envelope(answer, "permissions")
	if err != nil {
		return nil, err
	}
	return jsonv.Object{"actionIdentifier": id, "permissions": permissions}, nil
}

// patchActionPermissions sends both blocks whole, so that nothing stays that they
// do not say.
func patchActionPermissions(ctx context.Context, s *session, id string, permissions jsonv.Object) (jsonv.Object, error) {
	return callActionPermissions(ctx, s, id, portapi.Op{Method: http.MethodPatch, Body: permissions, Repeat: portapi.RepeatSafe})
}

func readActionPermissions(ctx context.Context, s *session, key []string) (jsonv.Object, error) {
	return getActionPermissions(ctx, s, key[0])
}

func refreshActionPermissions(ctx context.Context, s *session, prior tftypes.Value) (jsonv.Object, error) {
	return getActionPermissions(ctx, s, formerID(lens.AsObj(prior), "blueprint_identifier", "action_identifier"))
}

// createActionPermissions notes what is there before it replaces it.
func createActionPermissions(ctx context.Context, c *change) (jsonv.Object, error) {
	id := c.key[0]
	former, err := getActionPermissions(ctx, c.session, id)
	if err != nil {
		return nil, lackingAction(id, err)
	}
	document, err := patchActionPermissions(ctx, c.session, id, jsonv.Map(c.body, "permissions"))
	if err != nil {
		return nil, lackingAction(id, err)
	}
	document["previous"] = former["permissions"]
	return document, nil
}

// updateActionPermissions sends all that the plan says. Where it is about another
// action, the one of before gets back what it had, unless it is the same action
// under a new name.
func updateActionPermissions(ctx context.Context, c *change) (jsonv.Object, error) {
	was, id := formerActionID(c), c.key[0]
	if was == id {
		document, err := patchActionPermissions(ctx, c.session, id, jsonv.Map(c.body, "permissions"))
		return document, lackingAction(id, err)
	}
	renamed := false
	if _, err := getActionPermissions(ctx, c.session, was); portapi.IsNotFound(err) {
		renamed = true // or gone, which is the same to us
	} else if err != nil {
		return nil, err
	} else if err := deleteActionPermissions(ctx, c); err != nil {
		return nil, err
	}
	document, err := createActionPermissions(ctx, c)
	if err == nil && renamed {
		delete(document, "previous")
		if former, known := formerPermissions(c); known {
			document["previous"] = former
		}
	}
	return document, err
}

// movedPermissions names what another action changes.
func movedPermissions(prior, planned lens.Obj) []string {
	if prior["action_identifier"].Equal(planned["action_identifier"]) {
		return nil
	}
	return []string{"previous"}
}

func formerActionID(c *change) string {
	return formerID(lens.AsObj(c.prior), "blueprint_identifier", "action_identifier")
}

// formerPermissions are those before the resource took over.
func formerPermissions(c *change) (jsonv.Object, bool) {
	former, err := jsonv.DecodeObject([]byte(lens.AsText(lens.AsObj(c.prior)["previous"])))
	return former, err == nil
}

// deleteActionPermissions gives back what was there before, unless it is to stay.
func deleteActionPermissions(ctx context.Context, c *change) error {
	if lens.AsText(lens.AsObj(c.prior)["on_destroy"]) == onDestroyKeep {
		return nil
	}
	former, known := formerPermissions(c)
	if !known {
		former = newActionPermissions()
	}
	_, err := patchActionPermissions(ctx, c.session, formerActionID(c), former)
	return err // a 404 included: gone with its action
}

// newActionPermissions is what Port gives a new action (reference/actions.md
// §5.1).
func newActionPermissions() jsonv.Object {
	block := func(roles ...string) jsonv.Object {
		return jsonv.Object{"users": []any{}, "roles": jsonv.FromStrings(roles), "teams": []any{}, "policy": nil}
	}
	execute := block("Admin", "Member")
	execute["ownedByTeam"] = false
	return jsonv.Object{"execute": execute, "approve": block("Admin")}
}

func lackingAction(id string, err error) error {
	if !portapi.IsNotFound(err) {
		return err
	}
	return &advised{fmt.Sprintf("There is no action %s. If this configuration makes it, refer to it (action_identifier = port_action.<name>.identifier), "+
		"so that it is made first.", id), err}
}

// planActionPermissions says what is taken over, or refuses to when the provider
// is told to leave existing objects alone. A server that cannot be asked is no
// obstacle.
func planActionPermissions(ctx context.Context, c *change) diag.Diagnostics {
	if c.session == nil || len(c.key) == 0 || !c.prior.IsNull() || c.isManaged(c.kind, c.key) {
		return nil
	}
	id := c.key[0]
	if c.expects("action", id) && !c.mayHoldAction(ctx, id) {
		return nil // made by this run, with the permissions of a new action
	}
	document, err := getActionPermissions(ctx, c.session, id)
	var diags diag.Diagnostics
	switch {
	case portapi.IsNotFound(err) && !c.expects("action", id):
		addAt(&diags, diag.SeverityWarning, tftypes.NewAttributePath().WithAttributeName("action_identifier"), "There is no action "+id,
			"Port has no action "+id+", and applying fails without it. "+strings.Replace(madeFirst("action_identifier"), "port_blueprint", "port_action", 1))
		return diags
	case err != nil:
		return nil
	}
	theirs, mine := jsonv.Map(document, "permissions"), jsonv.Map(c.body, "permissions")
	lost := false
	for name, block := range newActionPermissions() {
		lost = lost || !sameBlock(theirs[name], block) && !sameBlock(theirs[name], mine[name])
	}
	if !lost {
		return nil
	}
	summary, detail := "Permissions of action "+id+" were changed before", "They are not what Port gives a new action, and the configuration says something else. "
	if !c.adopt {
		diags.AddError(summary, detail+c.kind.existsDetail(c.key))
		return diags
	}
	diags.AddWarning(summary, detail+"Creating this resource replaces them; destroying it gives them back. To leave existing objects alone, set on_existing = \"fail\" in the provider block.")
	return diags
}

// destroyActionPermissions reminds of rights that stay. The summary is the same for
// all, so that Terraform can fold many into one.
func destroyActionPermissions(_ context.Context, c *change) diag.Diagnostics {
	if lens.AsText(lens.AsObj(c.prior)["on_destroy"]) != onDestroyKeep {
		return nil
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic("Permissions of actions stay",
		fmt.Sprintf("Those of action %s are left as they are, because of on_destroy = \"keep\".", c.was[0]))}
}
