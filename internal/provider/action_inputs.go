package provider

import (
	"encoding/json"
	"regexp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// datasetDepth is how deep rules may nest, which the schema of the official
// provider fixes.
const datasetDepth = 11

// selfServiceTrigger is the codec of a self-service trigger,
// reference/provider-actions.md §2.2.
func selfServiceTrigger() []lens.Part {
	return []lens.Part{
		lens.Field("blueprint_identifier", lens.String, lens.Opt, "Identifier of the blueprint the action belongs to."),
		lens.Field("operation", lens.Enum("CREATE", "DAY-2", "DELETE"), lens.Req, "What the action does: makes something new, changes an entity of the blueprint, or deletes one."),
		lens.Inline("user_properties", lens.Opt, "Inputs of the form, by type and key.",
			lens.ByType("userInputs.properties",
				lens.Group("string_props", "string", "Text inputs, by key.", textInput()...),
				lens.Group("number_props", "number", "Number inputs, by key.", numberInput()...),
				lens.Group("boolean_props", "boolean", "Inputs that are true or false, by key.", common(orJQ("default", lens.Bool, isFlag, "Value that the form begins with."))...),
				lens.Group("object_props", "object", "JSON object inputs, by key.", common(
					orJQ("default", lens.JSONObject, isObject, "Value that the form begins with."), encryption())...),
				lens.Group("array_props", "array", "List inputs, by key.", listInput()...),
			).RequiredTrue("userInputs.required")),
		lens.Field("titles", lens.Map(lens.Object(
			lens.Field("title", lens.String, lens.Req, "The title.").Check(lens.Length(1, 140)),
			lens.Field("description", lens.String, lens.Opt, "Text below the title.").Check(lens.Length(0, 1000)),
			visibility(),
		)), lens.Opt, "Titles between the inputs, by key. They stand where `order_properties` or a step names them.").At("userInputs.titles").OmitEmpty().Check(inputKeys()),
		lens.Field("required_jq_query", lens.JQ, lens.Opt, "Expression in jq that gives the keys of the inputs that must be filled in; excludes `required` of the inputs.").
			At("userInputs.required").Only(isJQ).Check(formulaCheck()),
		lens.Field("order_properties", lens.List(lens.String), lens.Opt, "Keys of inputs and titles in the order of the form.").At("userInputs.order").OmitEmpty(),
		lens.Field("steps", lens.List(lens.Object(
			lens.Field("title", lens.String, lens.Req, "Title of the step.").Check(lens.Length(0, 25)),
			lens.Field("order", lens.List(lens.String), lens.Req, "Keys of inputs and titles in the order of the step."),
			visibility(),
		)), lens.Opt, "Steps of the form; excludes `order_properties`.").At("userInputs.steps").OmitEmpty(),
		lens.AtMostOne("order_properties", "steps"),
		lens.Field("condition", lens.JSONObject.BlankOmits(), lens.Opt, "Search query (`type = \"SEARCH\"`, `combinator`, `rules`) that entities must match for the action to be offered on them."),
		buttonText("action_card_button_text", "Text of the button on the action's card."),
		buttonText("execute_action_button_text", "Text of the button that runs the action."),
		lens.Rule(requiredTwice),
	}
}

// buttonText is bounded as Port bounds it (reference/actions.md §1.2).
func buttonText(name, doc string) lens.Part {
	return lens.Field(name, lens.String, lens.Opt, doc).
		Check(lens.Length(1, 15), lens.Match(regexp.MustCompile(`^[^\s].*[^\s]$`), "at least two characters, without white space at either end"))
}

// orJQ is a pair of attributes that share a key: a literal value that accepts
// knows, or an expression in jq. What is neither is left as it is in Port.
func orJQ(name string, kind lens.Kind, accepts func(any) bool, doc string, checks ...lens.Check) *lens.AlternatesPart {
	return lens.Alternates(lens.Camel(name),
		lens.Alt{Name: name, Kind: kind, Doc: doc, Checks: checks, Accepts: accepts},
		lens.Alt{Name: name + "_jq_query", Kind: lens.JQ, Doc: "Expression in jq that gives `" + name + "`; excludes `" + name + "`.", Checks: []lens.Check{formulaCheck()}, Accepts: isJQ})
}

// switchOf is a flag with a value that Port takes when nothing is said.
func switchOf(name, doc string, otherwise bool) *lens.AlternatesPart {
	return orJQ(name, lens.Bool, isFlag, doc).Each(func(i int, f *lens.FieldPart) {
		if i == 0 {
			f.AbsentMeans(otherwise)
		}
	})
}

func visibility() lens.Part {
	return switchOf("visible", "Whether it is shown. Left out, it is.", true)
}

// isJQ recognises an expression of the form.
func isJQ(j any) bool {
	text, ok := jsonv.Get(j, "jqQuery")
	return ok && isText(text)
}

func isObject(j any) bool { _, ok := j.(lens.Body); return ok && !lens.IsJQ(j) }
func isNumber(j any) bool { _, ok := j.(json.Number); return ok }

// common adds what every input has to the attributes of its type,
// reference/provider-actions.md §2.3.
func common(own ...lens.Part) []lens.Part {
	return append([]lens.Part{
		lens.Field("title", lens.String, lens.Opt, "Title shown to people."),
		lens.Field("icon", lens.String, lens.Opt, "Icon of the input."),
		lens.Field("description", lens.String, lens.Opt, "Description of the input."),
		lens.Field("depends_on", lens.List(lens.String), lens.Opt, "Keys of inputs that must be filled in before this one.").OmitEmpty(),
		visibility(),
		switchOf("disabled", "Whether it can be seen and not changed. Left out, it can be changed.", false),
	}, own...)
}

func enumOf(of lens.Kind, path string) lens.Part {
	return orJQ("enum", lens.List(of), isList, "Values to choose from, in the order they are shown.", lens.Size(1, -1), lens.Unique()).At(path)
}

func enumColours() lens.Part {
	return lens.Field("enum_colors", lens.Map(lens.String), lens.Opt, "Colour of each value, such as `red` or `turquoise`.").OmitEmpty()
}

// encryption keeps an input's value from everybody but the backend.
func encryption() lens.Part {
	return lens.Alternates("encryption",
		lens.Alt{
			Name: "encryption", Kind: lens.Enum("aes256-gcm"), Accepts: isText,
			Doc: "Algorithm with which Port encrypts the value, with the secret of your account, before it sends it to the backend.",
		},
		lens.Alt{
			Name: "client_side_encryption", Accepts: func(j any) bool { return jsonv.String(j, "algorithm") != "" && jsonv.String(j, "key") != "" },
			Doc: "Encryption in the browser, so that Port never sees the value; excludes `encryption`.",
			Kind: lens.Object(
				lens.Field("algorithm", lens.Enum("client-side"), lens.Req, "Algorithm."),
				lens.Field("key", lens.String, lens.Req, "Public key in PEM form.").Check(notEmpty()),
			),
		})
}

func sorting() lens.Part {
	return lens.Field("sort", lens.Object(
		lens.Field("property", lens.String, lens.Req, "Property of the entities that are offered, or a meta property such as `$updatedAt`."),
		lens.Field("order", lens.Enum("ASC", "DESC"), lens.Opt, "Ascending or descending.").Default("ASC"),
	), lens.Opt, "Order in which entities are offered.")
}

func textInput() []lens.Part {
	return common(
		orJQ("default", lens.String, isText, "Value that the form begins with."),
		lens.Field("blueprint", lens.String, lens.Opt, "Identifier of the blueprint whose entities are offered, with the format `entity`."),
		lens.Field("format", lens.String, lens.Opt, "Format of the text, such as `url`, `email`, `date-time`, `multi-line`, `markdown`, `yaml`, `entity`, `user` or `team`."),
		lens.Field("min_length", lens.Int, lens.Opt, "Least number of characters.").Check(lens.AtLeast(0)),
		lens.Field("max_length", lens.Int, lens.Opt, "Greatest number of characters.").Check(lens.AtLeast(0)),
		orJQ("pattern", lens.String, isText, "Pattern the text must match.", patternCheck()).Each(func(i int, f *lens.FieldPart) {
			if f.OmitEmpty(); i == 1 {
				f.Check(notEmpty())
			}
		}),
		enumOf(lens.String, "enum"),
		enumColours(),
		encryption(),
		lens.Field("dataset", dataset(), lens.Opt, "Which entities are offered, with the format `entity`."),
		sorting(),
		lens.Rule(entityInput),
	)
}

func numberInput() []lens.Part {
	return common(
		orJQ("default", lens.Float, isNumber, "Value that the form begins with."),
		lens.Field("minimum", lens.Float, lens.Opt, "Least value."),
		lens.Field("maximum", lens.Float, lens.Opt, "Greatest value."),
		enumOf(lens.Float, "enum"),
		enumColours(),
	)
}

func listInput() []lens.Part {
	initially := func(of lens.Kind) lens.Part {
		return lens.Field("default", lens.List(of), lens.Opt, "Value that the form begins with.").At("default").Only(isList)
	}
	return common(
		lens.Field("default_jq_query", lens.JQ, lens.Opt, "Expression in jq that gives the value that the form begins with; excludes `default` of the items.").
			At("default").Only(isJQ).Check(formulaCheck()),
		orJQ("min_items", lens.Int, isNumber, "Least number of items.", lens.AtLeast(0)),
		orJQ("max_items", lens.Int, isNumber, "Greatest number of items.", lens.AtLeast(0)),
		lens.Union("items.type",
			lens.Case("string_items", "string", "Items that are text.",
				lens.Field("format", lens.String, lens.Opt, "Format of the items, such as `entity`, `user`, `team` or `url`.").At("items.format"),
				lens.Field("blueprint", lens.String, lens.Opt, "Identifier of the blueprint whose entities are offered, with the format `entity`.").At("items.blueprint"),
				initially(lens.String),
				enumOf(lens.String, "items.enum"),
				lens.Field("dataset", lens.JSONObject.BlankIsNull(), lens.Opt, "Which entities are offered, with the format `entity`: `combinator` and `rules`.").At("items.dataset"),
				lens.Rule(entityInput),
			),
			lens.Case("number_items", "number", "Items that are numbers.", itemDefault{initially(lens.Float)}, enumOf(lens.Float, "items.enum")),
			lens.Case("boolean_items", "boolean", "Items that are true or false.", itemDefault{initially(lens.Bool)}),
			lens.Case("object_items", "object", "Items that are JSON objects.", initially(lens.Map(anyText{lens.String}))),
		),
		sorting(),
		lens.Rule(defaultTwice),
	)
}

// dataset filters the entities that an input offers. Rules nest.
func dataset() lens.Kind {
	rule := lens.Recurse(datasetDepth, func(self lens.Kind) lens.Kind {
		parts := []lens.Part{
			lens.Field("blueprint", lens.String, lens.Opt, "Identifier of the blueprint that the rule is about, with `relatedTo`."),
			lens.Field("property", lens.String, lens.Opt, "Property, or a meta property such as `$identifier`."),
			lens.Field("operator", lens.String, lens.Opt, "Operator, such as `=`, `!=`, `in`, `containsAny`, `isEmpty` or `relatedTo`.").OmitEmpty(),
			newRuleValue(),
			lens.Field("combinator", lens.Enum("and", "or"), lens.Opt, "How the rules of a group combine; a rule with a combinator is a group."),
			lens.Rule(ruleOrGroup),
		}
		if self != nil {
			parts = append(parts, groupRules{lens.Field("rules", lens.List(self), lens.Opt, "Rules of the group.").OmitEmpty()})
		}
		return lens.Object(parts...)
	})
	return lens.Object(
		lens.Field("combinator", lens.Enum("and", "or"), lens.Req, "How the rules combine."),
		lens.Field("rules", lens.List(rule), lens.Req, "Rules that entities must match.").EmptyIsNull(),
	)
}
