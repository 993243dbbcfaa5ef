package provider

import (
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jq"
	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// Rules of actions that need no server. What Port refuses, and what can never
// work, is an error; what Port takes and ignores is a warning.

const combination = "Invalid Attribute Combination"

// formula says what is wrong with an expression of a form.
func formula(program string) string {
	if err := jq.Check(straightQuotes(program)); err != nil {
		return "the program does not parse here: " + err.Error() + ". If Port does not understand it either, it goes by as if it were left out"
	}
	return ""
}

func formulaCheck() lens.Check {
	return lens.Warn(lens.Test("This jq program may not work", "", func(v tftypes.Value) string { return formula(lens.AsText(v)) }))
}

// templateChecks want templates whose braces fit, and whose programs parse.
// eachText finds the texts of a value.
func templateChecks(eachText func(tftypes.Value, func(string))) []lens.Check {
	return []lens.Check{
		lens.Test("Invalid template", "", func(v tftypes.Value) string {
			var wrong string
			eachText(v, func(s string) {
				if _, fault := jq.Embedded(s); fault != "" && wrong == "" {
					wrong = fmt.Sprintf("in %q %s, so that nothing is sent and every run fails", s, fault)
				}
			})
			return wrong
		}),
		lens.Warn(lens.Test("This template may not work", "", func(v tftypes.Value) string {
			var wrong string
			eachText(v, func(s string) {
				spans, _ := jq.Embedded(s)
				for _, x := range spans {
					p := s[x.From:x.To]
					if err := checkTemplate(p); err != nil && wrong == "" {
						wrong = fmt.Sprintf("{{%s}} does not parse here: %s. If Port does not understand it either, its value is null", p, err)
					}
				}
			})
			return wrong
		})),
	}
}

// checkTemplate parses the program of a template, whose texts may stand in single
// quotes (reference/actions.md §3.3 T9).
func checkTemplate(program string) error {
	if strings.TrimSpace(program) == "spreadValue()" {
		return nil // no jq, but the name of a way to write a key
	}
	_, err := jq.CompileQuoted(program)
	return err
}

// plainTexts visits a text, or the texts of a map or set.
func plainTexts(v tftypes.Value, visit func(string)) {
	if s, ok := text(v); ok {
		visit(s)
		return
	}
	for _, e := range lens.AsList(v) {
		plainTexts(e, visit)
	}
	for _, e := range lens.AsObj(v) {
		plainTexts(e, visit)
	}
}

// jsonTexts visits the texts in a text of JSON, keys included.
func jsonTexts(v tftypes.Value, visit func(string)) {
	if j, err := jsonv.Decode([]byte(lens.AsText(v))); err == nil {
		eachTextIn(j, visit)
	}
}

// eachTextIn visits the texts in a JSON value, keys included.
func eachTextIn(j any, visit func(string)) {
	switch j := j.(type) {
	case string:
		visit(j)
	case []any:
		for _, e := range j {
			eachTextIn(e, visit)
		}
	case jsonv.Object:
		for _, key := range sortedKeysOf(j) {
			visit(key)
			eachTextIn(j[key], visit)
		}
	}
}

// jsonOf wants JSON of certain kinds; null stands for nothing. Text that is no
// JSON is found elsewhere.
func jsonOf(want string, accepts ...string) lens.Check {
	return lens.Test("Invalid JSON", "", func(v tftypes.Value) string {
		j, err := jsonv.Decode([]byte(lens.AsText(v)))
		if err != nil || j == nil || slices.Contains(accepts, jsonv.KindOf(j)) {
			return ""
		}
		return fmt.Sprintf("want the text of %s, got %s", want, jsonv.KindOf(j))
	})
}

func objectCheck() lens.Check   { return jsonOf("a JSON object", "object") }
func documentCheck() lens.Check { return jsonOf("a JSON object or array", "object", "array") }

// targetsCheck wants relations as Port wants them in a mapping
// (reference/actions.md §3.1).
func targetsCheck() lens.Check {
	return lens.Test("Invalid relations", "", func(v tftypes.Value) string {
		relations, err := jsonv.DecodeObject([]byte(lens.AsText(v)))
		if err != nil {
			return "" // found elsewhere
		}
		for _, key := range slices.Sorted(maps.Keys(relations)) {
			wrong := jsonv.KindOf(relations[key])
			switch target := relations[key].(type) {
			case nil, string:
				continue
			case []any:
				other := slices.IndexFunc(target, func(e any) bool { return !isText(e) })
				if other < 0 {
					continue
				}
				wrong = "a list with " + jsonv.KindOf(target[other])
			}
			return fmt.Sprintf("relation %q: want the identifier of an entity, a list of them or null, got %s", key, wrong)
		}
		return ""
	})
}

// methodCheck wants an HTTP method, or a template that gives one.
func methodCheck() lens.Check {
	methods := []string{"POST", "PUT", "PATCH", "DELETE", "GET"}
	say := "`POST`, `PUT`, `PATCH`, `DELETE`, `GET` or a template"
	return lens.Test("Invalid method", say, func(v tftypes.Value) string {
		if s := lens.AsText(v); !slices.Contains(methods, s) && !strings.Contains(s, "{{") {
			return fmt.Sprintf("want %s; got %q", say, s)
		}
		return ""
	})
}

// inputKey is the grammar of the keys of inputs and titles (reference/actions.md
// §2.1).
var inputKey = regexp.MustCompile(`^[A-Za-z0-9@_=\\-]+$`)

func inputKeys() lens.Check {
	return lens.Test("Invalid key", "", func(v tftypes.Value) string {
		for _, key := range slices.Sorted(maps.Keys(lens.AsObj(v))) {
			if !inputKey.MatchString(key) {
				return fmt.Sprintf("key %q: want letters A to Z, digits and any of @ _ = \\ -", key)
			}
		}
		return ""
	})
}

// entityInput wants to know whose entities an input offers (reference/actions.md
// §2.2).
func entityInput(at lens.Path, from lens.Obj) []lens.Problem {
	if format, _ := text(from["format"]); format != "entity" || !lens.Nothing(from["blueprint"]) {
		return nil
	}
	return []lens.Problem{at.Name("format").Finding("Missing blueprint", "An input of the format entity needs the blueprint whose entities it offers: set blueprint beside it.")}
}

// eachInput visits the inputs of a self-service trigger.
func eachInput(trigger lens.Obj, visit func(attribute, key string, input lens.Obj)) {
	groups := lens.AsObj(trigger["user_properties"])
	for _, m := range propertyMaps {
		all := lens.AsObj(groups[m.attribute])
		for _, key := range slices.Sorted(maps.Keys(all)) {
			visit(m.attribute, key, lens.AsObj(all[key]))
		}
	}
}

// requiredTwice refuses required inputs beside an expression that names them.
func requiredTwice(at lens.Path, from lens.Obj) []lens.Problem {
	var out []lens.Problem
	if lens.Nothing(from["required_jq_query"]) {
		return nil
	}
	eachInput(from, func(attribute, key string, input lens.Obj) {
		if !lens.Nothing(input["required"]) {
			out = append(out, at.Name("user_properties").Name(attribute).Key(key).Name("required").
				Finding(combination, "`required` cannot be set where the trigger has `required_jq_query`, which names the inputs that are required"))
		}
	})
	return out
}

// itemMaps are the attributes of the items of a list input.
var itemMaps = []string{"string_items", "number_items", "boolean_items", "object_items"}

// defaultTwice refuses two defaults of a list.
func defaultTwice(at lens.Path, from lens.Obj) []lens.Problem {
	var out []lens.Problem
	for _, items := range itemMaps {
		if !lens.Nothing(from["default_jq_query"]) && !lens.Nothing(lens.AsObj(from[items])["default"]) {
			out = append(out, at.Name("default_jq_query").Finding(combination, fmt.Sprintf("`default_jq_query` excludes `%s.default`", items)))
		}
	}
	return out
}

// ruleOrGroup wants a rule of a dataset to be one or the other: of a group,
// nothing but its rules counts.
func ruleOrGroup(at lens.Path, from lens.Obj) []lens.Problem {
	if v := from["combinator"]; v.Type() != nil && !v.IsKnown() {
		return nil
	}
	if lens.Nothing(from["combinator"]) {
		if len(lens.AsList(from["rules"])) > 0 {
			return []lens.Problem{at.Name("rules").Finding(combination, "A rule with rules of its own is a group and needs a combinator.")}
		}
		return hintRule(at, from)
	}
	var out []lens.Problem
	if _, may := from["rules"]; !may {
		return []lens.Problem{at.Name("combinator").Finding(combination, fmt.Sprintf("Groups nest up to %d levels deep, and this one would be one more.", datasetDepth))}
	}
	for _, name := range []string{"blueprint", "property", "operator", "value", "value_json"} {
		if v := from[name]; !lens.Nothing(v) && (name != "operator" || !v.IsKnown() || lens.AsText(v) != "") {
			out = append(out, at.Name(name).Finding(combination, fmt.Sprintf("A rule with a combinator is a group: it has rules, and no `%s`.", name)))
		}
	}
	return out
}

// checkAction finds what is wrong between the attributes of an action.
func checkAction(config tftypes.Value) []lens.Problem {
	action := lens.AsObj(config)
	trigger := lens.AsObj(action["self_service_trigger"])
	if trigger == nil {
		return hintMethod(action)
	}
	at := tftypes.NewAttributePath().WithAttributeName("self_service_trigger")
	return slices.Concat(hintMethod(action), checkForm(at, trigger), checkNamed(at, trigger), hintDependencies(at, trigger),
		checkCondition(at, trigger), hintCondition(at, trigger))
}

// checkForm finds what is wrong with single inputs.
func checkForm(at *tftypes.AttributePath, trigger lens.Obj) []lens.Problem {
	var out []lens.Problem
	eachInput(trigger, func(attribute, key string, input lens.Obj) {
		here := at.WithAttributeName("user_properties").WithAttributeName(attribute).WithElementKeyString(key)
		if !inputKey.MatchString(key) {
			out = append(out, lens.Problem{Path: here, Summary: "Invalid key", Detail: fmt.Sprintf("key %q: want letters A to Z, digits and any of @ _ = \\ -", key)})
		}
		out = append(out, hintInput(here, attribute, input)...)
		switch attribute {
		case "string_props", "number_props":
			initial := here.WithAttributeName("default")
			out = append(out, checkEnum(initial, input["enum"], input["default"])...)
			out = append(out, checkLimits(initial, input)...)
		case "array_props":
			out = append(out, checkItems(here, input)...)
		}
	})
	return out
}

// checkItems compares the default of a list with what the list allows.
func checkItems(at *tftypes.AttributePath, input lens.Obj) []lens.Problem {
	var out []lens.Problem
	for _, name := range itemMaps {
		items := lens.AsObj(input[name])
		initial := items["default"]
		if !lens.Known(initial) {
			continue
		}
		here := at.WithAttributeName(name).WithAttributeName("default")
		values := lens.AsList(initial)
		for i, v := range values {
			out = append(out, checkEnum(here.WithElementKeyInt(i), items["enum"], v)...)
		}
		size := new(big.Float).SetInt64(int64(len(values)))
		for limit, sign := range map[string]int{"min_items": -1, "max_items": 1} {
			if v := input[limit]; lens.Known(v) && size.Cmp(number(v)) == sign {
				out = append(out, lens.Problem{Path: here, Summary: "Default is not allowed",
					Detail: fmt.Sprintf("The default has %d items, and %s is %s.", len(values), limit, number(v).Text('g', -1))})
			}
		}
	}
	return out
}

// checkNamed warns of keys that name no input, which Port ignores.
func checkNamed(at *tftypes.AttributePath, trigger lens.Obj) []lens.Problem {
	for _, name := range []string{"user_properties", "titles"} {
		if v := trigger[name]; v.Type() != nil && !v.IsKnown() {
			return nil
		}
	}
	inputs := map[string]bool{}
	eachInput(trigger, func(_, key string, _ lens.Obj) { inputs[key] = true })
	for _, v := range lens.AsObj(trigger["user_properties"]) {
		if v.Type() != nil && !v.IsKnown() {
			return nil
		}
	}
	titles := lens.AsObj(trigger["titles"])
	var out []lens.Problem
	look := func(at *tftypes.AttributePath, keys tftypes.Value, titled bool) {
		for i, v := range lens.AsList(keys) {
			key, known := text(v)
			if _, title := titles[key]; !known || inputs[key] || titled && title {
				continue
			}
			out = append(out, lens.Problem{Path: at.WithElementKeyInt(i), Warning: true, Summary: "No such input",
				Detail: fmt.Sprintf("%q is no input of the form, and Port ignores it.", key)})
		}
	}
	look(at.WithAttributeName("order_properties"), trigger["order_properties"], true)
	for i, step := range lens.AsList(trigger["steps"]) {
		look(at.WithAttributeName("steps").WithElementKeyInt(i).WithAttributeName("order"), lens.AsObj(step)["order"], true)
	}
	eachInput(trigger, func(attribute, key string, input lens.Obj) {
		look(at.WithAttributeName("user_properties").WithAttributeName(attribute).WithElementKeyString(key).WithAttributeName("depends_on"), input["depends_on"], false)
	})
	return out
}

// checkCondition warns of a condition where there is no entity to look at
// (reference/actions.md §1.2).
func checkCondition(at *tftypes.AttributePath, trigger lens.Obj) []lens.Problem {
	condition, _ := text(trigger["condition"])
	if strings.TrimSpace(condition) == "" {
		return nil
	}
	why := ""
	if operation, _ := text(trigger["operation"]); operation == "CREATE" {
		why = "An action that creates is not offered on entities"
	} else if lens.Nothing(trigger["blueprint_identifier"]) {
		why = "The action belongs to no blueprint (blueprint_identifier)"
	}
	if why == "" {
		return nil
	}
	return []lens.Problem{{Path: at.WithAttributeName("condition"), Warning: true, Summary: "Condition without entities",
		Detail: why + ", so that Port refuses a condition."}}
}
