package provider

import (
	"regexp"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/lens"
)

// actionDeclaration is port_action, reference/provider-actions.md §2.
func actionDeclaration() *Declaration {
	return &Declaration{
		Name: "action",
		Doc: "Self-service action or automation: what starts it (`self_service_trigger`, with the form that people fill in, or `automation_trigger`, with an event of the catalog), " +
			"and what it then does (exactly one of the methods).\n\n" +
			"Texts in a method are templates: whatever stands between `{{` and `}}` is a jq expression over the run, such as `{{ .inputs.replicas }}` or `{{ .entity.identifier }}`. " +
			"Expressions of the form (`…_jq_query`) are plain jq over `.form`, `.entity` and `.user`.",
		DataDoc: "Self-service action or automation that exists in the account, found by its identifier. " +
			"What the attributes have no place for is in the `document` that `port_actions` shows.",
		Key: []string{"identifier"},
		API: API{
			Read: readAction, Refresh: refreshAction, Peek: peekAction,
			Create: createAction, Update: updateAction, Delete: deleteAction, Plan: planAction, Check: checkAction, Notice: noticeAction,
		},
		Parts: []lens.Part{
			lens.Field("identifier", lens.String, lens.Req, "Identifier, unique among the actions and automations of the account. Changing it renames the action.").
				Check(actionIdentifier()),
			formerBlueprint("blueprint", "Identifier of the blueprint, in the states of provider versions before 2."),
			lens.Field("title", lens.String, lens.Opt, "Title shown to people."),
			lens.Field("icon", lens.String, lens.Opt, "Icon of the action."),
			lens.Field("description", lens.String, lens.Opt, "Description of what the action does."),
			lens.Union("type",
				lens.Case("self_service_trigger", "self-service", "People run the action from a form.", selfServiceTrigger()...),
				lens.Case("automation_trigger", "automation", "An event runs the action.", automationTrigger()...),
			).In("trigger").Required(),
			actionMethods(),
			lens.Field("required_approval", lens.Spelled(nil,
				lens.Spelling{Text: "true", JSON: true}, lens.Spelling{Text: "false", JSON: false},
				lens.Spelling{Text: "ANY", JSON: lens.Body{"type": "ANY"}}, lens.Spelling{Text: "ALL", JSON: lens.Body{"type": "ALL"}}),
				lens.Opt, "Whether a run waits for approval: of one approver (`true`, `ANY`) or of every one (`ALL`).").AbsentMeans(false),
			lens.Union("type",
				lens.Case("approval_webhook_notification", "webhook", "Approvers hear of runs through a webhook.",
					lens.Field("url", lens.String, lens.Req, "URL that is called.").Check(notEmpty()),
					lens.Field("format", lens.Enum("json", "slack"), lens.Opt, "Format of the message: `json`, or `slack` for an incoming webhook of Slack."),
				),
				lens.EmptyCase("approval_email_notification", "email", "Approvers hear of runs by e-mail. Write `{}`.").When(byEmail),
			).In("approvalNotification"),
			lens.Field("publish", lens.Bool, lens.Opt, "Whether the action is offered, or the automation runs.").Default(true),
			lens.Field("allow_anyone_to_view_runs", lens.Bool, lens.Opt, "Whether everybody may see the runs, and not only those who may run or approve the action. Left out, everybody may.").AbsentMeans(true),
		},
	}
}

// byEmail recognises the notification that needs no word about its type.
func byEmail(notification lens.Body) bool {
	kind, said := notification["type"]
	return !said || kind == nil || kind == "email"
}

// formerBlueprint is an attribute of states before identifiers were unique in the
// account (reference/provider-actions.md §2.9). It is neither sent nor read.
func formerBlueprint(name, doc string) lens.Part {
	return lens.Field(name, lens.String, lens.Opt, doc).At("formerBlueprint").OmitEmpty().Unshown().
		Deprecated("Actions belong to the account: leave it out, and name the blueprint in self_service_trigger.blueprint_identifier.").Check(lens.OneOf(""))
}

// formerID is the identifier that a state's action has in Port by now.
func formerID(state lens.Obj, blueprint, identifier string) string {
	id := lens.AsText(state[identifier])
	if of := lens.AsText(state[blueprint]); of != "" {
		return of + "_" + id
	}
	return id
}

// actionIdentifier is the grammar of identifiers of actions
// (reference/actions.md §1.1).
func actionIdentifier() lens.Check {
	grammar := regexp.MustCompile(`^[\p{L}0-9@_.+:=-]+$`)
	say := "letters, digits and any of `@ _ . + : = -`, and none of `.`, `..` and `runs`"
	return lens.Test("Invalid identifier", say, func(v tftypes.Value) string {
		if s := lens.AsText(v); s == "." || s == ".." || s == "runs" || !grammar.MatchString(s) {
			return "want " + say + "; got \"" + s + "\""
		}
		return ""
	})
}

// automationTrigger is the codec of an automation's trigger,
// reference/provider-actions.md §2.5.
func automationTrigger() []lens.Part {
	blueprint := func() lens.Part {
		return lens.Field("blueprint_identifier", lens.String, lens.Req, "Identifier of the blueprint.").Check(notEmpty())
	}
	action := func() lens.Part {
		return lens.Field("action_identifier", lens.String, lens.Req, "Identifier of the action or automation.").Check(notEmpty())
	}
	return []lens.Part{
		lens.Union("type",
			lens.Case("entity_created_event", "ENTITY_CREATED", "An entity of the blueprint is created.", blueprint()),
			lens.Case("entity_updated_event", "ENTITY_UPDATED", "An entity of the blueprint changes.", blueprint()),
			lens.Case("entity_deleted_event", "ENTITY_DELETED", "An entity of the blueprint is deleted.", blueprint()),
			lens.Case("any_entity_change_event", "ANY_ENTITY_CHANGE", "An entity of the blueprint is created, changes or is deleted.", blueprint()),
			lens.Case("timer_property_expired_event", "TIMER_PROPERTY_EXPIRED", "The time in a timer property is over.", blueprint(),
				lens.Field("property_identifier", lens.String, lens.Req, "Key of the timer property.").Check(notEmpty())),
			lens.Case("run_created_event", "RUN_CREATED", "A run of the action begins.", action()),
			lens.Case("run_updated_event", "RUN_UPDATED", "A run of the action changes.", action()),
			lens.Case("any_run_change_event", "ANY_RUN_CHANGE", "A run of the action begins or changes.", action()),
		).In("event").Required(),
		jqCondition{lens.Field("jq_condition", lens.Object(
			lens.Field("expressions", lens.List(lens.String), lens.Opt, "Expressions in jq that are true or false of the event, such as `.diff.after.properties.tier == \"1\"`.").
				CheckEach(formulaCheck()),
			lens.Field("combinator", lens.Enum("and", "or"), lens.Opt, "Whether all expressions have to hold, or one.").Default("and"),
			lens.Const("type", "JQ"),
		), lens.Opt, "Condition on the event. Without expressions there is none.").At("condition")},
	}
}

// template is text that a run evaluates; anything else is text as it stands.
var template = regexp.MustCompile(`^[\n\r\s]*{{.*}}[\n\r\s]*$`)

// boolOrTemplate is true, false, or a template that gives one of them
// (reference/provider-actions.md §2.6 BOOLJQ).
func boolOrTemplate(name, doc string) *lens.FieldPart {
	return templated(name, lens.Spelled(template, lens.Spelling{Text: "true", JSON: true}, lens.Spelling{Text: "false", JSON: false}), lens.Opt, doc)
}

// templated is a field of a method: the braces and the jq in it must be right.
func templated(name string, kind lens.Kind, mode lens.Mode, doc string) *lens.FieldPart {
	f := lens.Field(name, kind, mode, doc)
	switch kind.(type) {
	case lens.JSONKind:
		return f.Check(templateChecks(jsonTexts)...)
	default:
		return f.Check(templateChecks(plainTexts)...)
	}
}

// actionMethods is the codec of what an action does,
// reference/provider-actions.md §2.6.
func actionMethods() lens.Part {
	text := func(name, doc string) lens.Part { return templated(name, lens.String, lens.Req, doc).Check(notEmpty()) }
	payload := func() lens.Part {
		return templated("payload", lens.JSON, lens.Opt, "Message that is sent. Left out, it is Port's standard message.").Check(documentCheck())
	}
	return lens.Union("type",
		lens.Case("kafka_method", "KAFKA", "The run is a message on the account's Kafka topic.", payload()),
		lens.Case("webhook_method", "WEBHOOK", "The run calls a URL.",
			text("url", "URL that is called."),
			boolOrTemplate("agent", "Whether the call goes through the agent in your network."),
			boolOrTemplate("synchronized", "Whether the answer of the call ends the run: 2xx is success, anything else failure."),
			templated("method", lens.String, lens.Opt, "HTTP method of the call. Left out, it is `POST`.").Check(methodCheck()),
			templated("headers", lens.Map(lens.String), lens.Opt, "Headers of the call.").OmitEmpty(),
			templated("body", lens.JSON, lens.Opt, "Body of the call. Left out, it is Port's standard message."),
		),
		lens.Case("github_method", "GITHUB", "The run dispatches a workflow of GitHub, through Port's app.", githubWorkflow()...),
		lens.Case("gitlab_method", "GITLAB", "The run triggers a pipeline of GitLab.",
			text("project_name", "Name of the project."),
			text("group_name", "Name of the group that the project is in, with slashes for subgroups."),
			templated("default_ref", lens.String, lens.Opt, "Branch that runs where the inputs name none. Left out, it is `main`."),
			variables("pipeline_variables", "Variables of the pipeline."),
		),
		lens.Case("azure_method", "AZURE_DEVOPS", "The run calls an incoming webhook of Azure DevOps.",
			text("org", "Organization in Azure DevOps."),
			text("webhook", "Name of the incoming webhook's service connection."),
			payload(),
		),
		lens.Case("upsert_entity_method", "UPSERT_ENTITY", "The run creates or changes an entity, and ends.",
			templated("title", lens.String, lens.Opt, "Title of the entity.").At("mapping.title"),
			text("blueprint_identifier", "Identifier of the entity's blueprint."),
			entityMapping{lens.Inline("mapping", lens.Opt, "The entity.",
				templated("identifier", lens.String, lens.Opt, "Identifier of the entity.").At("mapping.identifier"),
				lens.Alternates("mapping.team",
					lens.Alt{Name: "teams", Kind: lens.Set(lens.String), Doc: "Teams that own the entity.", Checks: templateChecks(plainTexts), Accepts: isList},
					lens.Alt{Name: "teams_jq", Kind: lens.String, Doc: "Template that gives the teams that own the entity; excludes `teams`.", Checks: templateChecks(plainTexts), Accepts: isText}),
				templated("icon", lens.String, lens.Opt, "Icon of the entity.").At("mapping.icon"),
				templated("properties", lens.JSONObject.BlankOmits().EmptyOmits(), lens.Opt, "Properties of the entity.").At("mapping.properties").OmitEmpty(),
				templated("relations", lens.JSONObject.BlankOmits().EmptyOmits(), lens.Opt, "Relations of the entity.").At("mapping.relations").OmitEmpty().Check(targetsCheck()),
			)},
		),
		lens.Case("integration_method", "INTEGRATION_ACTION", "The run is carried out by an integration.",
			text("installation_id", "Identifier of the integration's installation."),
			text("integration_action_type", "What the integration does, such as `dispatch_workflow`."),
			lens.Field("integration_action_execution_properties", lens.Object(githubWorkflow()...), lens.Req, "The workflow that the integration dispatches."),
		),
	).In("invocationMethod").Required()
}

// githubWorkflow says which workflow runs and what it is given.
func githubWorkflow() []lens.Part {
	text := func(name, doc string) lens.Part { return templated(name, lens.String, lens.Req, doc).Check(notEmpty()) }
	return []lens.Part{
		text("org", "Organization or user that the repository belongs to."),
		text("repo", "Name of the repository."),
		text("workflow", "File name or id of the workflow."),
		variables("workflow_inputs", "Inputs of the workflow."),
		boolOrTemplate("report_workflow_status", "Whether the end of the workflow ends the run. Left out, it does."),
	}
}

// variables are an object of JSON text; an empty one is not sent.
func variables(name, doc string) lens.Part {
	return templated(name, lens.JSON.EmptyOmits(), lens.Opt, doc).Check(objectCheck())
}

func isList(j any) bool { _, ok := j.([]any); return ok }
func isText(j any) bool { _, ok := j.(string); return ok }
func isFlag(j any) bool { _, ok := j.(bool); return ok }
