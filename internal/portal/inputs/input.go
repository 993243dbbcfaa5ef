package inputs

import (
	"slices"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/propschema"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
)

// What an input may be (reference/actions.md §2.2).
var (
	kinds   = []string{"string", "number", "boolean", "object", "array"}
	formats = []string{"date-time", "url", "email", "ipv4", "ipv6", "yaml", "entity", "user", "team", "proto", "markdown", "multi-line", "labeled-url"}
)

// Which formats are checked by propschema under the same name; the text of others
// is taken as it is (§2.3).
var checkedFormats = []string{"date-time", "url", "email", "ipv4", "ipv6"}

const (
	formatEntity  = "entity"
	formatUser    = "user"
	formatTeam    = "team"
	formatLabeled = "labeled-url"
)

// What is checked of every input and of the items of arrays, both of which may have
// further keys.
var (
	inputTakes = shape.Takes{
		"type": shape.OneOf(kinds...), "format": optionalFormat, "title": optionalText, "description": optionalText, "icon": optionalText,
		"jqQuery": shape.OrNull(misplaced), "blueprint": optionalText, "visible": flag, "disabled": flag, "dependsOn": shape.OrNull(shape.Texts),
		"enum": list, "enumColors": colours, "sort": shape.OrNull(sort), "encryption": shape.OrNull(encrypted), "dataset": shape.OrNull(dataset),
		"items": shape.OrNull(shape.Open(itemTakes)),
	}
	itemTakes = shape.Takes{
		"type": shape.OrNull(shape.OneOf("string", "number", "boolean", "object")), "format": optionalFormat, "blueprint": optionalText,
		"enum": list, "enumColors": colours, "dataset": shape.OrNull(dataset),
	}
	optionalText   = shape.OrNull(shape.Text)
	optionalFormat = shape.OrNull(shape.OneOf(formats...))
	// colours are by value; any name of a colour will do.
	colours = shape.OrNull(shape.MapOf(optionalText))
	sort    = shape.Closed(shape.Takes{"property": shape.Filled, "order": shape.OneOf("ASC", "DESC")}, "property", "order")
)

func misplaced(c *shape.Checker, _ any, at []string) {
	c.Add("type", at, "must be absent here: a computed part stands under its own key, as {\"jqQuery\"}")
}

// encrypted says who encrypts the value (§2.2, §3.8).
func encrypted(c *shape.Checker, v any, at []string) {
	switch v := v.(type) {
	case jsonv.Object:
		c.Closed(v, at, shape.Takes{"algorithm": shape.OneOf("client-side"), "key": shape.Filled}, "algorithm", "key")
	default:
		if v != "aes256-gcm" {
			c.Add("enum", at, `must be "aes256-gcm" or {"algorithm": "client-side", "key": <PEM>}`)
		}
	}
}

func encryptionOf(o jsonv.Object) encryption {
	switch o["encryption"].(type) {
	case string:
		return byServer
	case jsonv.Object:
		return byClient
	}
	return plain
}

// input reads the definition of one input into the form.
func (f *Form) input(c *shape.Checker, v any, at []string) {
	o := c.Open(v, at, inputTakes, "type")
	if o == nil {
		return
	}
	items := jsonv.Map(o, "items")
	i := &input{
		id: at[len(at)-1], kind: jsonv.String(o, "type"), format: jsonv.String(o, "format"), itemFormat: jsonv.String(items, "format"),
		blueprint: entityOf(c, o, at), itemBlueprint: entityOf(c, items, shape.Below(at, "items")),
		dependsOn: jsonv.Strings(o["dependsOn"]), encryption: encryptionOf(o),
		visible: dynamicOf(o, "visible"), enum: dynamicOf(o, "enum"), itemEnum: dynamicOf(items, "enum"), pattern: dynamicOf(o, "pattern"),
		minItems: dynamicOf(o, "minItems"), maxItems: dynamicOf(o, "maxItems"), fallback: dynamicOf(o, "default"),
	}
	f.inputs[i.id] = i
	if !slices.Contains(kinds, i.kind) {
		return
	}
	if i.encryption != plain && i.kind != "string" && i.kind != "object" {
		c.Add("additionalProperties", shape.Below(at, "encryption"), "only string and object inputs are encrypted, not %s", i.kind)
	}
	if given, ok := items["default"].([]any); ok && i.kind == "array" && !i.fallback.given {
		// One client writes the defaults of some arrays into their items (§2.3).
		i.fallback = dynamic{given: true, literal: given}
	}
	if i.format != formatEntity {
		i.static = fixed(c, i, o, items, at)
	}
}

// entityOf is the blueprint of an entity input, which needs one.
func entityOf(c *shape.Checker, o jsonv.Object, at []string) string {
	if v := o["blueprint"]; o["format"] == formatEntity && (v == nil || v == "") {
		c.Add("required", shape.Below(at, "blueprint"), "is required: an entity input says of which blueprint its entities are")
	}
	return jsonv.String(o, "blueprint")
}

// Of the keywords of an input those that propschema checks, by where they stand.
var (
	staticKeywords = []string{
		"minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
		"minItems", "maxItems", "uniqueItems", "properties", "required", "patternProperties", "additionalProperties",
	}
	itemKeywords = []string{"minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
)

// fixed compiles what is not computed of an input.
func fixed(c *shape.Checker, i *input, o, items jsonv.Object, at []string) *propschema.Property {
	part := fixedPart(o, i.kind, i.format, staticKeywords)
	if i.kind == "array" && items != nil {
		part["items"] = fixedPart(items, jsonv.String(items, "type"), i.itemFormat, itemKeywords)
	}
	property, problems := propschema.Compile(part, at...)
	c.Take(problems)
	return property
}

// fixedPart is a definition without what is computed and without what is checked
// here: enums, which may hold whole values, and references to entities.
func fixedPart(o jsonv.Object, kind, format string, keywords []string) jsonv.Object {
	out := jsonv.Object{}
	if kind != "" && format != formatEntity {
		out["type"] = kind
	}
	if slices.Contains(checkedFormats, format) && kind == "string" {
		out["format"] = format
	}
	if format == formatUser && kind == "string" {
		out["format"] = "email" // an e-mail, whether or not somebody has it
	}
	for _, key := range keywords {
		v, ok := o[key]
		if _, computed := asQuery(v); ok && v != nil && !computed {
			out[key] = v
		}
	}
	return out
}

// dataset is the filter of an entity input (§2.6).
func dataset(c *shape.Checker, v any, at []string) {
	_, err := query.Parse(withoutQueries(v), query.Options{Scope: query.CatalogWide, At: at})
	c.Take(fault.ProblemsOf(err, jsonv.Pointer(at...)))
}

// withoutQueries puts a value that fits in the place of each that is computed, so
// that the rest of a rule can be checked.
func withoutQueries(rule any) any {
	o, ok := rule.(jsonv.Object)
	if !ok {
		return rule
	}
	out := jsonv.Object{}
	for key, v := range o {
		out[key] = v
	}
	if rules, ok := o["rules"].([]any); ok {
		list := make([]any, len(rules))
		for n, r := range rules {
			list[n] = withoutQueries(r)
		}
		out["rules"] = list
	}
	if _, ok := asQuery(o["value"]); ok {
		out["value"] = fitting(o)
	}
	return out
}

func fitting(rule jsonv.Object) any {
	operator, _ := rule["operator"].(string)
	switch operator {
	case "in", "notIn", "containsAny", "matchAny":
		return []any{"x"}
	case ">", ">=", "<", "<=":
		return jsonv.Int(1)
	case "between", "notBetween":
		return jsonv.Object{"preset": "today"}
	}
	return "x"
}
