package inputs

import (
	"slices"
	"strconv"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/propschema"
	"github.com/portlens/terraform-provider-port/internal/portal/query"
)

func itoa(n int) string { return strconv.Itoa(n) }

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

// input reads the definition of one input; nil when it is none.
func (c *compiler) input(id string, definition any, at []string) *input {
	o := c.object(definition, at)
	if o == nil {
		return nil
	}
	i := &input{id: id, kind: c.oneOf(o, "type", kinds, at), format: c.oneOf(o, "format", formats, at)}
	switch v, ok := o["type"]; {
	case !ok:
		c.add(below(at, "type"), "is required: one of %s", strings.Join(kinds, ", "))
	case v == nil:
		c.add(below(at, "type"), "must be equal to one of the allowed values: %s", strings.Join(kinds, ", "))
	}
	for _, key := range []string{"title", "description", "icon"} {
		c.text(o, key, 0, 0, at)
	}
	if v, ok := o["jqQuery"]; ok && v != nil {
		c.add(below(at, "jqQuery"), "must be absent here: a computed part stands under its own key, as {\"jqQuery\"}")
	}
	i.blueprint = c.entityOf(o, i.format, at)
	i.visible = c.flag(o, "visible", at)
	c.flag(o, "disabled", at)
	if v, ok := o["dependsOn"]; ok && v != nil {
		i.dependsOn = c.strings(v, below(at, "dependsOn"), "want an array of identifiers")
	}
	i.enum = c.listOrQuery(o, "enum", at)
	c.colours(o, at)
	i.fallback = dynamicOf(o, "default")
	i.minItems, i.maxItems = dynamicOf(o, "minItems"), dynamicOf(o, "maxItems")
	i.pattern = dynamicOf(o, "pattern")
	c.sort(o, at)
	i.encryption = c.encryption(o, i.kind, at)
	c.dataset(o, at)
	items := c.items(i, o, at)
	if !i.fallback.given {
		// One client writes the defaults of some arrays into their items (§2.3).
		if list, ok := items["default"].([]any); ok && i.kind == "array" {
			i.fallback = dynamic{given: true, literal: list}
		}
	}
	c.static(i, o, items, at)
	return i
}

func (c *compiler) oneOf(o jsonv.Object, key string, allowed []string, at []string) string {
	v, ok := o[key]
	if !ok || v == nil {
		return ""
	}
	s, ok := v.(string)
	if !ok || !slices.Contains(allowed, s) {
		c.add(below(at, key), "must be equal to one of the allowed values: %s", strings.Join(allowed, ", "))
	}
	return s
}

// entityOf is the blueprint of an entity input, which needs one.
func (c *compiler) entityOf(o jsonv.Object, format string, at []string) string {
	blueprint := c.text(o, "blueprint", 0, 0, at)
	if v := o["blueprint"]; format == formatEntity && (v == nil || v == "") {
		c.add(below(at, "blueprint"), "is required: an entity input says of which blueprint its entities are")
	}
	return blueprint
}

func (c *compiler) listOrQuery(o jsonv.Object, key string, at []string) dynamic {
	v, ok := o[key]
	if !ok || v == nil {
		return dynamic{}
	}
	_, isList := v.([]any)
	if _, isQuery := asQuery(v); !isList && !isQuery {
		c.add(below(at, key), "want an array or {\"jqQuery\"}, got %s", jsonv.KindOf(v))
	}
	return dynamicOf(o, key)
}

// colours are by value; any name of a colour will do.
func (c *compiler) colours(o jsonv.Object, at []string) {
	v, ok := o["enumColors"]
	if !ok || v == nil {
		return
	}
	at = below(at, "enumColors")
	colours := c.object(v, at)
	for _, value := range sortedKeys(colours) {
		c.text(colours, value, 0, 0, at)
	}
}

func (c *compiler) sort(o jsonv.Object, at []string) {
	v, ok := o["sort"]
	if !ok || v == nil {
		return
	}
	at = below(at, "sort")
	s := c.object(v, at)
	if s == nil {
		return
	}
	c.closed(s, at, "property", "order")
	for _, key := range []string{"property", "order"} {
		if s[key] == nil {
			c.add(below(at, key), "is required")
		}
	}
	c.text(s, "property", 1, 0, at)
	c.oneOf(s, "order", []string{"ASC", "DESC"}, at)
}

// encryption reads who encrypts the value (§2.2, §3.8).
func (c *compiler) encryption(o jsonv.Object, kind string, at []string) encryption {
	v, ok := o["encryption"]
	if !ok || v == nil {
		return plain
	}
	at = below(at, "encryption")
	if kind != "string" && kind != "object" {
		c.add(at, "only string and object inputs are encrypted, not %s", kind)
		return plain
	}
	switch v := v.(type) {
	case string:
		if v == "aes256-gcm" {
			return byServer
		}
	case jsonv.Object:
		c.closed(v, at, "algorithm", "key")
		if v["algorithm"] == "client-side" {
			if key, _ := v["key"].(string); key == "" {
				c.add(below(at, "key"), "is required: the public key, as PEM text")
			}
			return byClient
		}
	}
	c.add(at, "must be \"aes256-gcm\" or {\"algorithm\": \"client-side\", \"key\": <PEM>}")
	return plain
}

func (c *compiler) items(i *input, o jsonv.Object, at []string) jsonv.Object {
	v, ok := o["items"]
	if !ok || v == nil {
		return nil
	}
	at = below(at, "items")
	items := c.object(v, at)
	if items == nil {
		return nil
	}
	c.oneOf(items, "type", []string{"string", "number", "boolean", "object"}, at)
	i.itemFormat = c.oneOf(items, "format", formats, at)
	i.itemBlueprint = c.entityOf(items, i.itemFormat, at)
	i.itemEnum = c.listOrQuery(items, "enum", at)
	c.colours(items, at)
	c.dataset(items, at)
	return items
}

// Of the keywords of an input those that propschema checks, by where they stand.
var (
	staticKeywords = []string{
		"minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
		"minItems", "maxItems", "uniqueItems", "properties", "required", "patternProperties", "additionalProperties",
	}
	itemKeywords = []string{"minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
)

// static compiles what is fixed of an input.
func (c *compiler) static(i *input, o, items jsonv.Object, at []string) {
	if !slices.Contains(kinds, i.kind) || i.format == formatEntity {
		return
	}
	fixed := fixedPart(o, i.kind, i.format, staticKeywords)
	if i.kind == "array" && items != nil {
		kind, _ := items["type"].(string)
		fixed["items"] = fixedPart(items, kind, i.itemFormat, itemKeywords)
	}
	property, problems := propschema.Compile(fixed, at...)
	c.problems = append(c.problems, problems...)
	i.static = property
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

// dataset checks the filter of an entity input (§2.6).
func (c *compiler) dataset(o jsonv.Object, at []string) {
	v, ok := o["dataset"]
	if !ok || v == nil {
		return
	}
	at = below(at, "dataset")
	if _, err := query.Parse(withoutQueries(v), query.Options{Scope: query.CatalogWide, At: at}); err != nil {
		c.problems = append(c.problems, fault.ProblemsOf(err, jsonv.Pointer(at...))...)
	}
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
