package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// Statuses of a run, reference/actions.md §4.4.
const (
	runWaiting  = "WAITING_FOR_APPROVAL"
	runGoing    = "IN_PROGRESS"
	runSuccess  = "SUCCESS"
	runFailure  = "FAILURE"
	runDeclined = "DECLINED"
)

// relays is the installation that runs for relays wait for (reference/actions.md
// §3.9 C4).
const relays = "_PORT_EXEC_AGENT"

// runTimeout is how long a wait lasts unless told otherwise.
const runTimeout = "30m"

// actionRunDeclaration is port_action_run, reference/actions.md §4.
func actionRunDeclaration() *Declaration {
	return &Declaration{
		Name: "action_run",
		Doc: "Run of a self-service action. Creating the resource runs the action and, unless told otherwise, waits until the run has succeeded; " +
			"a change of what is run, or of `triggers`, runs it again. While it waits, log lines of the run go to Terraform's log (`TF_LOG=INFO`); a warning shows them at the end.\n\n" +
			"A run that fails or is declined is an error: the resource stays in the state as tainted and the next apply runs the action again. " +
			"A wait that times out or is interrupted is an error too, but the next apply goes on waiting for the same run, unless what is run has changed; " +
			"with `create_before_destroy` it runs the action again. A request whose answer was lost is never sent twice.\n\n" +
			"Destroying the resource forgets the run: what has been done is not undone, and a run that waits for approval or is in progress goes on.",
		DataDoc:  "Run of a self-service action or an automation, with its log lines, the entities it changed and who approves it.",
		Key:      []string{"run_id"},
		ImportID: "<run_id>",
		API: API{
			Read: readActionRun, Create: createActionRun, Update: updateActionRun, Delete: deleteActionRun, Refresh: refreshActionRun,
			Decode: decodeActionRun, Plan: planActionRun, Replaces: actionRunReplaces, Relocate: relocateActionRun,
		},
		Parts: append(runParts(),
			lens.Setting("run_as", email, lens.Opt, "E-mail address of the user on whose behalf the action runs. It needs credentials of the organization.").Check(emailCheck()),
			lens.Setting("triggers", lens.Map(lens.String), lens.Opt, "Any texts: other ones run the action again."),
			lens.WriteOnly("secret_properties_wo", "Inputs that are in no plan and no state, as the text of a JSON object; they are added to `properties`. It needs Terraform 1.11. "+
				"Another `secret_properties_wo_version` runs the action again. What might repeat them, `payload` and `response`, is not kept.").
				At("secretProperties").Check(lens.Test("Invalid inputs", "", func(v tftypes.Value) string {
				if _, err := jsonv.DecodeObject([]byte(lens.AsText(v))); err != nil {
					return "want the text of a JSON object"
				}
				return ""
			})),
			lens.ReadOnly("secret_inputs", lens.Set(lens.String), "Names of the inputs that `secret_properties_wo` gave.").Keep().Unread(),
			waitFor([]string{runSuccess}, "the run", "The default is `[\"SUCCESS\"]`; with `[]` nothing is waited for and no end is an error."),
			waitTimeout(),
			lens.Setting("show_logs", lens.Bool, lens.Opt, "Whether a warning shows the last log lines of a run that was waited for. An error always does.").Default(true),
			lens.ReadOnly("settled", lens.Bool, "Whether the wait came to an end: what `wait_for` asks for was reached or cannot be reached any more.").Keep().Unread(),
			lens.ReadOnly("logs", lens.List(lens.Object(
				lens.ReadOnly("message", lens.String, "Text of the line."),
				lens.ReadOnly("created_at", lens.Stamp, "Time of the line."),
			)), "Log lines of the run, the oldest first."),
			lens.ReadOnly("entities", lens.List(lens.Object(
				lens.ReadOnly("action", lens.String, "What was done: `CREATE`, `UPDATE` or `DELETE`."),
				lens.ReadOnly("blueprint", lens.String, "Identifier of the entity's blueprint."),
				lens.ReadOnly("identifier", lens.String, "Identifier of the entity."),
			)), "Changes of entities that the audit log ties to the run, the oldest first; of very many the last 1,000."),
			lens.ReadOnly("approvers", lens.List(lens.Object(
				lens.ReadOnly("user_id", lens.String, "ID of the user or credentials."),
				lens.ReadOnly("state", lens.String, "`PENDING`, `APPROVED` or `DECLINED`."),
				lens.ReadOnly("description", lens.String, "What the vote says."),
			)), "Who has voted about the run, and who may still do so; nobody for runs that need no approval."),
		),
	}
}

// runParts are what a run says of itself, wherever it is shown.
func runParts() []lens.Part {
	return []lens.Part{
		lens.Field("action", lens.String, lens.Req, "Identifier of the action.").At("action.identifier").Check(notEmpty()),
		lens.Field("properties", lens.JSONObject.EmptyOmits(), lens.Opt, "Inputs of the run, as the text of a JSON object: `jsonencode({ … })`.").At("rawProperties"),
		lens.Field("entity", lens.String, lens.Opt, "Identifier of the entity to run the action on.").At("entity.identifier").Check(notEmpty()),
		lens.ReadOnly("run_id", lens.String, "ID of the run.").At("id").Keep(),
		lens.Derived("blueprint", "Identifier of the action's blueprint.", identifierIn("blueprint", "identifier")),
		lens.ReadOnly("status", lens.String, "Status: `IN_PROGRESS`, `SUCCESS`, `FAILURE`, `WAITING_FOR_APPROVAL` or `DECLINED`."),
		lens.ReadOnly("status_label", lens.String, "What is shown instead of the status."),
		lens.ReadOnly("link", lens.List(lens.String), "Links to where the run can be followed.").EmptyShows(),
		lens.ReadOnly("summary", lens.String, "Summary of the run."),
		lens.ReadOnly("source", lens.String, "Where the run came from: `UI`, `API` or `AUTOMATION`."),
		lens.ReadOnly("external_run_id", lens.String, "ID of the run in the system that does the work."),
		lens.ReadOnly("payload", lens.JSON, "What was sent to the backend, as JSON; null before that and for runs with `secret_properties_wo`.").Sensitive(),
		lens.ReadOnly("response", lens.JSON, "What the backend answered, as JSON; null without an answer and for runs with `secret_properties_wo`."),
		lens.ReadOnly("approval", lens.Object(
			lens.ReadOnly("user_id", lens.String, "ID of the voter."),
			lens.ReadOnly("state", lens.String, "`APPROVED` or `DECLINED`."),
			lens.ReadOnly("description", lens.String, "What the voter said."),
		), "Vote that decided about the run."),
		lens.ReadOnly("created_at", lens.Stamp, "Time the run was made.").Keep(),
		lens.ReadOnly("created_by", lens.String, "ID of the user or credentials that the run was made for.").Keep(),
		lens.ReadOnly("impersonated_by", lens.String, "ID of the credentials that made the run for somebody else.").Keep(),
		lens.ReadOnly("updated_at", lens.Stamp, "Time of the last change."),
		lens.ReadOnly("ended_at", lens.Stamp, "Time the run ended."),
	}
}

// identifierIn reads a text deep in a document.
func identifierIn(path ...string) func(lens.Body) (string, bool) {
	return func(b lens.Body) (string, bool) {
		s := jsonv.String(b, path...)
		return s, s != ""
	}
}

func waitFor(otherwise []string, subject, more string) lens.Part {
	return lens.Setting("wait_for", lens.Set(lens.Enum(runWaiting, runGoing, runSuccess, runFailure, runDeclined)), lens.Opt,
		"Statuses of "+subject+" to wait for; any of them will do. A status that the run has passed on its way to success counts as reached. "+more).Default(otherwise)
}

func waitTimeout() lens.Part {
	return lens.Setting("timeout", lens.String, lens.Opt, "How long to wait at most, such as `90s`, `10m` or `1h30m`. The default is `"+runTimeout+"`.").Default(runTimeout).
		Check(lens.Test("Invalid duration", "", func(v tftypes.Value) string {
			if d, err := time.ParseDuration(lens.AsText(v)); err != nil || d < 0 {
				return "want a duration such as 90s, 10m or 1h30m"
			}
			return ""
		}))
}

// actionRunReplaces names what runs the action again. After an import, which leaves
// settled null, nothing does that only the state could know. An action that the same
// apply renames is the same action.
func actionRunReplaces(s *session, was, now lens.Obj) []string {
	names := []string{"action", "properties", "entity"}
	if !lens.Nothing(was["settled"]) {
		names = append(names, "run_as", "triggers", "secret_properties_wo_version")
	}
	var out []string
	for _, name := range names {
		if !was[name].Equal(now[name]) && (name != "action" || !lens.Known(now[name]) || s.renamedTo("action", lens.AsText(was[name])) != lens.AsText(now[name])) {
			out = append(out, name)
		}
	}
	return out
}

// relocateActionRun leads from what is posted to what a run shows.
func relocateActionRun(pointer []string) []string {
	switch {
	case len(pointer) > 0 && pointer[0] == "properties":
		return append([]string{"rawProperties"}, pointer[1:]...)
	case len(pointer) > 0 && pointer[0] == "entity":
		return []string{"entity", "identifier"}
	}
	return pointer
}
