package lens_test

import (
	"regexp"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/lens/lenstest"
)

// Declarations of shapes no registered resource may have yet, as small as shows
// the oddity (reference/provider-actions.md §2, §5, §6, §7).

// dataset has rules inside rules, eleven deep (§2.3 A.rule).
func dataset() lens.Kind {
	rule := lens.Recurse(11, func(self lens.Kind) lens.Kind {
		parts := []lens.Part{
			lens.Field("property", lens.String, lens.Opt, "Property."),
			lens.Field("operator", lens.String, lens.Opt, "Operator.").OmitEmpty(),
			lens.Alternates("value",
				lens.Alt{Name: "value", Doc: "jq.", Kind: lens.Object(lens.Field("jq_query", lens.String, lens.Opt, "jq.")).Plain(),
					Accepts: func(j any) bool { o, ok := j.(lens.Body); return ok && o["jqQuery"] != nil }},
				lens.Alt{Name: "value_json", Doc: "JSON.", Kind: lens.JSON}),
			lens.Field("combinator", lens.Enum("and", "or"), lens.Opt, "Combinator."),
		}
		if self != nil {
			parts = append(parts, lens.Field("rules", lens.List(self), lens.Opt, "Rules.").EmptyIsNull())
		}
		return lens.Object(parts...)
	})
	return lens.Object(
		lens.Field("combinator", lens.Enum("and", "or"), lens.Req, "Combinator."),
		lens.Field("rules", lens.List(rule), lens.Req, "Rules."))
}

var boolOrTemplate = lens.Spelled(regexp.MustCompile(`^\s*{{.*}}\s*$`), lens.Spelling{Text: "true", JSON: true}, lens.Spelling{Text: "false", JSON: false})

var action = lens.MustCompile(
	lens.ID("Identifier.", "identifier"),
	lens.Field("identifier", lens.String, lens.Req, "Identifier."),

	lens.Union("type",
		lens.Case("self_service_trigger", "self-service", "By hand.",
			lens.Field("operation", lens.Enum("CREATE", "DAY-2", "DELETE"), lens.Req, "Operation."),
			lens.Inline("user_properties", lens.Opt, "Inputs.",
				lens.ByType("userInputs.properties",
					lens.Group("string_props", "string", "Texts.",
						lens.OrJQ("default", lens.String, "Default."),
						lens.OrJQ("visible", lens.Bool, "Visible."),
						lens.OrJQ("enum", lens.List(lens.String), "Values.", lens.Size(1, -1), lens.Unique()),
						lens.Field("depends_on", lens.List(lens.String), lens.Opt, "Depends.").OmitEmpty(),
						lens.Alternates("encryption",
							lens.Alt{Name: "encryption", Kind: lens.Enum("aes256-gcm"), Doc: "Server side.", Accepts: func(j any) bool { _, ok := j.(string); return ok }},
							lens.Alt{Name: "client_side_encryption", Doc: "Client side.", Kind: lens.Object(
								lens.Field("algorithm", lens.Enum("client-side"), lens.Req, "Algorithm."),
								lens.Field("key", lens.String, lens.Req, "Key."))}),
						lens.Field("dataset", dataset(), lens.Opt, "Dataset."),
						lens.Field("sort", lens.Object(
							lens.Field("property", lens.String, lens.Req, "Property."),
							lens.Field("order", lens.Enum("ASC", "DESC"), lens.Opt, "Order.").Default("ASC")), lens.Opt, "Sort.")),
					lens.Group("object_props", "object", "Objects.",
						lens.OrJQ("default", lens.JSONObject, "Default.")),
				).RequiredTrue("userInputs.required")),
			lens.Field("required_jq_query", lens.JQ, lens.Opt, "Required.").At("userInputs.required").Only(lens.IsJQ),
			lens.Field("titles", lens.Map(lens.Object(
				lens.Field("title", lens.String, lens.Req, "Title."),
				lens.OrJQ("visible", lens.Bool, "Visible."))), lens.Opt, "Titles.").At("userInputs.titles").OmitEmpty(),
			lens.Field("steps", lens.List(lens.Object(
				lens.Field("title", lens.String, lens.Req, "Title.").Check(lens.Length(0, 25)),
				lens.Field("order", lens.List(lens.String), lens.Req, "Order."))), lens.Opt, "Steps.").At("userInputs.steps").OmitEmpty(),
			lens.Field("order_properties", lens.List(lens.String), lens.Opt, "Order.").At("userInputs.order").EmptyIsNull().OmitEmpty(),
			lens.AtMostOne("order_properties", "steps"),
			lens.Rule(func(at lens.Path, from lens.Obj) []lens.Problem {
				if !lens.Known(from["required_jq_query"]) {
					return nil
				}
				for id, p := range lens.AsObj(lens.AsObj(from["user_properties"])["string_props"]) {
					if lens.AsBool(lens.AsObj(p)["required"]) {
						return []lens.Problem{at.Name("user_properties").Name("string_props").Key(id).Name("required").
							Finding("Invalid Attribute Combination", "required excludes required_jq_query")}
					}
				}
				for id, p := range lens.AsObj(lens.AsObj(from["user_properties"])["object_props"]) {
					if lens.AsBool(lens.AsObj(p)["required"]) {
						return []lens.Problem{at.Name("user_properties").Name("object_props").Key(id).Name("required").
							Finding("Invalid Attribute Combination", "required excludes required_jq_query")}
					}
				}
				return nil
			})),
		lens.Case("automation_trigger", "automation", "By event.",
			lens.Union("type",
				lens.Case("entity_created_event", "ENTITY_CREATED", "Created.", lens.Field("blueprint_identifier", lens.String, lens.Req, "Blueprint.")),
				lens.Case("run_created_event", "RUN_CREATED", "Run.", lens.Field("action_identifier", lens.String, lens.Req, "Action.")),
			).In("event").Required()),
	).In("trigger").Required(),
	lens.Union("type",
		lens.Case("kafka_method", "KAFKA", "Kafka.", lens.Field("payload", lens.JSON, lens.Opt, "Payload.")),
		lens.Case("webhook_method", "WEBHOOK", "Webhook.",
			lens.Field("url", lens.String, lens.Req, "URL."),
			lens.Field("agent", boolOrTemplate, lens.Opt, "Agent."),
			lens.Field("headers", lens.Map(lens.String), lens.Opt, "Headers.").OmitEmpty(),
			lens.Field("body", lens.JSON, lens.Opt, "Body.")),
		lens.Case("upsert_entity_method", "UPSERT_ENTITY", "Upsert.",
			lens.Field("title", lens.String, lens.Opt, "Title.").At("mapping.title"),
			lens.Inline("mapping", lens.Opt, "Mapping.",
				lens.Alternates("mapping.team",
					lens.Alt{Name: "teams", Kind: lens.Set(lens.String), Doc: "Teams.", Accepts: func(j any) bool { _, ok := j.([]any); return ok }},
					lens.Alt{Name: "teams_jq", Kind: lens.String, Doc: "jq."}),
				lens.Field("properties", lens.JSONObject.BlankOmits().EmptyOmits(), lens.Opt, "Properties.").At("mapping.properties"))),
	).In("invocationMethod").Required(),
	lens.Field("required_approval", lens.Spelled(nil,
		lens.Spelling{Text: "true", JSON: true}, lens.Spelling{Text: "false", JSON: false},
		lens.Spelling{Text: "ANY", JSON: lens.Body{"type": "ANY"}}), lens.Opt, "Approval.").AbsentMeans(false),
	lens.Field("allow_anyone_to_view_runs", lens.Bool, lens.Opt, "View.").AbsentMeans(true),
	lens.Field("publish", lens.Bool, lens.Opt, "Publish.").Default(true),
)

func TestActionObeysTheLaws(t *testing.T) {
	t.Parallel()
	lenstest.Laws(t, action,
		lenstest.Wire(`{"identifier":"a","trigger":{"type":"self-service","operation":"CREATE","userInputs":{"properties":{
		  "s":{"type":"string","default":"x","visible":{"jqQuery":".a"},"enum":["a","b"],"dependsOn":["o"],"encryption":"aes256-gcm",
		    "dataset":{"combinator":"and","rules":[{"property":"p","operator":"=","value":{"jqQuery":".x"}},{"property":"q","operator":"=","value":5},
		      {"combinator":"or","rules":[{"combinator":"and","rules":[{"property":"deep","operator":"!="}]}]}]},"sort":{"property":"p","order":"DESC"}},
		  "t":{"type":"string","default":{"jqQuery":".y"},"visible":false,"enum":{"jqQuery":"[1]"},"encryption":{"algorithm":"client-side","key":"k"}},
		  "o":{"type":"object","default":{"a":[1]}}},
		  "required":["s"],"titles":{"t":{"title":"T","visible":true}},"order":["o","s"]}},
		 "invocationMethod":{"type":"WEBHOOK","url":"u","agent":true,"headers":{"a":"b"},"body":{"x":"<"}},
		 "requiredApproval":{"type":"ANY"},"allowAnyoneToViewRuns":false,"publish":false}`),
		lenstest.Wire(`{"identifier":"a","trigger":{"type":"self-service","operation":"DELETE","userInputs":{"properties":{},"required":{"jqQuery":"[]"},
		  "steps":[{"title":"T","order":[]},{"title":"U","order":["x"]}]}},
		 "invocationMethod":{"type":"UPSERT_ENTITY","mapping":{"title":"t","team":["b","a"],"properties":{"x":1}}},"requiredApproval":true,"allowAnyoneToViewRuns":true,"publish":true}`),
		lenstest.Wire(`{"identifier":"a","trigger":{"type":"automation","event":{"type":"RUN_CREATED","actionIdentifier":"x"}},
		 "invocationMethod":{"type":"UPSERT_ENTITY","mapping":{"team":".x"}},"publish":true}`),
		lenstest.Wire(`{"identifier":"a","trigger":{"type":"automation","event":{"type":"ENTITY_CREATED","blueprintIdentifier":"x"}},
		 "invocationMethod":{"type":"KAFKA","payload":[1,"{{ .x }}"]},"publish":true}`),
		lenstest.Texts("webhook_method.agent", func(r *lenstest.Random) string { return []string{"true", "false", "{{ .a }}"}[r.N(3)] }),
		lenstest.Texts("required_approval", func(r *lenstest.Random) string { return []string{"true", "false", "ANY"}[r.N(3)] }))
}

var workflow = lens.MustCompile(
	lens.Field("identifier", lens.String, lens.Req, "Identifier."),
	lens.Field("node", lens.Keyed(lens.Object(
		lens.Field("identifier", lens.String, lens.Req, "Identifier."),
		lens.Field("verbose", lens.Bool, lens.Opt, "Verbose.").Default(false),
		lens.Field("links", lens.List(lens.String), lens.Opt, "Links.").Check(lens.Size(0, 3)).OmitEmpty(),
		lens.Union("config.type",
			lens.Case("schedule_trigger", "SCHEDULE_TRIGGER", "Schedule.",
				lens.Field("cron", lens.String, lens.Opt, "Cron.").At("config.cron"),
				lens.Field("published", lens.Bool, lens.Opt, "Published.").At("config.published").Default(true)),
			lens.Case("condition", "CONDITION", "Condition.",
				lens.Field("outlets", lens.List(lens.Object(
					lens.Field("identifier", lens.String, lens.Req, "Identifier."),
					lens.Field("title", lens.String, lens.Opt, "Title.").Default(""),
					lens.Const("evaluationMethod", "button"),
					lens.Field("status_label", lens.Object(
						lens.Field("text", lens.String, lens.Opt, "Text.").ReadsAs(""),
						lens.Field("variant", lens.Enum("success", "alert"), lens.Opt, "Variant.")), lens.Opt, "Label.").Block())),
					lens.Opt, "Outlets.").At("config.outlets").Always().Block()),
		).Required().Block(),
	), "identifier"), lens.Opt, "Nodes.").At("nodes").Always().Block(),
	lens.Field("connections", lens.Keyed(lens.Object(
		lens.Field("source_identifier", lens.String, lens.Req, "From."),
		lens.Field("target_identifier", lens.String, lens.Req, "To."),
		lens.Field("fallback", lens.Bool, lens.Opt, "Fallback.").AbsentMeans(false),
	), "sourceIdentifier", "targetIdentifier"), lens.Opt, "Connections.").Always().Block(),
)

func TestWorkflowBlocksObeyTheLaws(t *testing.T) {
	t.Parallel()
	lenstest.Laws(t, workflow,
		lenstest.Wire(`{"identifier":"w","nodes":[
		 {"identifier":"b","verbose":true,"links":["x","y"],"config":{"type":"SCHEDULE_TRIGGER","cron":"@daily","published":false}},
		 {"identifier":"a","verbose":false,"config":{"type":"CONDITION","outlets":[{"identifier":"o","title":"T","evaluationMethod":"button","statusLabel":{"text":"x","variant":"alert"}}]}}],
		 "connections":[{"sourceIdentifier":"a","targetIdentifier":"b","fallback":true},{"sourceIdentifier":"b","targetIdentifier":"a"}]}`),
		lenstest.Except("/nodes/*/config/outlets/*/evaluationMethod", "it is the same for every outlet"))
}

var scorecard = lens.MustCompile(
	lens.ID("Identifier.", "blueprint", "identifier"),
	lens.Field("identifier", lens.String, lens.Req, "Identifier.").Replace(),
	lens.Field("levels", lens.List(lens.Object(
		lens.Field("color", lens.String, lens.Req, "Colour."),
		lens.Field("title", lens.String, lens.Req, "Title."))), lens.Opt, "Levels.").OmitEmpty().
		AbsentMeans([]any{lens.Body{"color": "paleBlue", "title": "Basic"}, lens.Body{"color": "gold", "title": "Gold"}}),
	lens.Field("filter", lens.Object(
		lens.Field("combinator", lens.Enum("and", "or"), lens.Req, "Combinator."),
		lens.Field("conditions", lens.List(lens.JSONObject).SkipNulls(), lens.Req, "Conditions.").Check(lens.Size(1, -1))), lens.Opt, "Filter."),
	lens.Field("rules", lens.Keyed(lens.Object(
		lens.Field("identifier", lens.String, lens.Req, "Identifier."),
		lens.Field("level", lens.String, lens.Req, "Level."),
		lens.Field("description", lens.String, lens.Opt, "Description.").OmitEmpty()), "identifier"), lens.Req, "Rules."),
)

func TestScorecardObeysTheLaws(t *testing.T) {
	t.Parallel()
	lenstest.Laws(t, scorecard,
		lenstest.Wire(`{"identifier":"s","levels":[{"color":"red","title":"Low"}],"filter":{"combinator":"and","conditions":[{"property":"x","operator":"=","value":1}]},
		  "rules":[{"identifier":"b","level":"Low","description":"d"},{"identifier":"a","level":"Low"}]}`),
		lenstest.Wire(`{"identifier":"s","levels":[{"color":"paleBlue","title":"Basic"},{"color":"gold","title":"Gold"}],"rules":[]}`))
}

var assorted = lens.MustCompile(
	lens.Field("name", lens.String, lens.Req, "Name."),
	lens.Field("description", lens.String, lens.Opt, "Description.").NullOnClear(),
	lens.Field("secret_value", lens.String, lens.Opt, "Secret.").Sensitive().Unread(),
	lens.WriteOnly("secret_value_wo", "Secret.").At("secretValue").Beside(),
	lens.AtMostOne("secret_value", "secret_value_wo"),
	lens.Field("policy", lens.JSONObject.BlankIsNull(), lens.Opt, "Policy.").NullOnClear(),
	lens.Field("users", lens.Unordered(lens.String), lens.Opt, "Users.").Always(),
	lens.Field("roles", lens.Set(lens.String), lens.Opt, "Roles.").Default([]string{}),
	lens.Field("groups", lens.Set(lens.String), lens.Opt, "Groups.").Always().EmptyShows(),
	lens.ReadOnly("once", lens.JSON, "What only a write answers.").Keep().Unread(),
	lens.Field("widgets", lens.List(lens.JSONObject), lens.Opt, "Widgets."),
	lens.Field("weights", lens.Map(lens.Decimal), lens.Opt, "Weights."),
	lens.Field("relations", lens.Map(lens.TextOrJSON("combinator", "rules")), lens.Opt, "Relations."),
	lens.Field("security", lens.Object(
		lens.Field("secret", lens.String, lens.Opt, "Secret."),
		lens.Field("algorithm", lens.String, lens.Opt, "Algorithm.")), lens.Opt, "Security.").Always(),
	lens.Field("teams", lens.Set(lens.Object(
		lens.Field("name", lens.String, lens.Req, "Name."),
		lens.Field("lead", lens.String, lens.Opt, "Lead."))), lens.Opt, "Teams."),
	lens.Union("func",
		lens.FlagCase("count_entities", "count", "Count.").And("calculationBy", "entities"),
		lens.Case("average_entities", "average", "Average.",
			lens.Field("average_of", lens.Enum("hour", "day"), lens.Opt, "Of.").Default("day")).And("calculationBy", "entities"),
		lens.Case("average_by_property", "average", "Average.",
			lens.Field("property", lens.String, lens.Req, "Property.")).And("calculationBy", "property"),
		lens.Case("aggregate_by_property", nil, "Aggregate.",
			lens.Field("func", lens.Enum("sum", "min"), lens.Req, "Func."),
			lens.Field("property", lens.String, lens.Req, "Property.")).And("calculationBy", "property").
			When(func(b lens.Body) bool { return b["calculationBy"] == "property" && b["func"] != "average" }),
	).In("calculationSpec").Required(),
	lens.Derived("url", "URL.", func(b lens.Body) (string, bool) { s, ok := b["name"].(string); return "https://x/" + s, ok }),
)

func TestAssortedShapesObeyTheLaws(t *testing.T) {
	t.Parallel()
	lenstest.Laws(t, assorted,
		lenstest.Wire(`{"name":"n","description":"d","policy":{"a":1},"users":["b","a"],"roles":["y","x"],"widgets":[{"id":1},{"id":2}],"weights":{"a":0.1,"b":9007199254740993},
		 "relations":{"a":"plain","b":{"combinator":"and","rules":[]}},"security":{"secret":"s","algorithm":"a"},"teams":[{"name":"b","lead":"l"},{"name":"a"}],
		 "calculationSpec":{"func":"average","calculationBy":"entities","averageOf":"hour"}}`),
		lenstest.Wire(`{"name":"n","users":[],"roles":[],"security":{},"calculationSpec":{"func":"sum","calculationBy":"property","property":"p"}}`),
		lenstest.Wire(`{"name":"n","description":null,"policy":null,"users":[],"roles":[],"security":{},"calculationSpec":{"func":"count","calculationBy":"entities"}}`))
}
