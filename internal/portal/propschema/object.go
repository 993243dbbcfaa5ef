package propschema

import (
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// objectSchema applies the JSON Schema keywords of an object property to values.
type objectSchema struct{ schema *jsonschema.Schema }

// objectKeywords are the ones of §2.3; other keywords are stored and do nothing.
var objectKeywords = []string{"properties", "patternProperties", "additionalProperties", "required", "minProperties", "maxProperties", "propertyNames"}

const schemaURL = "mem:///property.json"

func (c *compiler) objectSchema(string) *objectSchema {
	schema := jsonv.Object{}
	for _, key := range objectKeywords {
		if v, ok := c.definition[key]; ok {
			schema[key] = v
		}
	}
	if len(schema) == 0 {
		return nil
	}
	before := len(c.problems)
	c.inspect(schema, nil, 0)
	c.numbers(schema, nil)
	if len(c.problems) > before {
		return nil
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(noLoader{})
	compiler.UseRegexpEngine(func(s string) (jsonschema.Regexp, error) {
		re, err := CompileRegexp(s)
		if err != nil {
			return nil, err
		}
		return re, nil
	})
	err := compiler.AddResource(schemaURL, schema)
	var compiled *jsonschema.Schema
	if err == nil {
		compiled, err = compiler.Compile(schemaURL)
	}
	if err != nil {
		c.schemaProblem(err)
		return nil
	}
	return &objectSchema{compiled}
}

type noLoader struct{}

func (noLoader) Load(string) (any, error) { return nil, errors.New("schemas are not loaded") }

func (c *compiler) schemaProblem(err error) {
	var invalid *jsonschema.SchemaValidationError
	var cause *jsonschema.ValidationError
	if errors.As(err, &invalid) && errors.As(invalid.Err, &cause) {
		seen := map[string]bool{}
		leaves(cause, func(e *jsonschema.ValidationError) {
			// Of the alternatives at one place the first says enough.
			at := jsonv.Pointer(e.InstanceLocation...)
			if seen[at] {
				return
			}
			seen[at] = true
			c.add(e.ErrorKind.LocalizedString(printer()), e.InstanceLocation...)
		})
		return
	}
	c.add("is not a JSON Schema: " + err.Error())
}

// schemaDepth bounds nesting, as checking recurses with it.
const schemaDepth = 64

// inspect finds $ref and its kin, which are refused (§2.3), and broken patterns
// wherever a schema can stand; a property that is called "$ref" is no reference.
func (c *compiler) inspect(schema any, at []string, depth int) {
	o, ok := schema.(jsonv.Object)
	if !ok {
		return
	}
	if depth > schemaDepth {
		c.add("is nested too deeply", at...)
		return
	}
	below := func(v any, steps ...string) { c.inspect(v, append(slices.Clone(at), steps...), depth+1) }
	for key, v := range o {
		switch key {
		case "pattern":
			if source, ok := v.(string); ok {
				c.pattern(source, append(slices.Clone(at), key))
			}
		case "$ref", "$dynamicRef", "$recursiveRef", "$id", "$schema", "$anchor", "$dynamicAnchor":
			if _, ok := v.(string); ok {
				c.add("references are not supported", append(slices.Clone(at), key)...)
			}
		case "properties", "patternProperties", "$defs", "definitions", "dependentSchemas":
			m, _ := v.(jsonv.Object)
			for name, s := range m {
				if key == "patternProperties" {
					c.pattern(name, append(slices.Clone(at), key, name))
				}
				below(s, key, name)
			}
		case "allOf", "anyOf", "oneOf", "prefixItems":
			l, _ := v.([]any)
			for i, s := range l {
				below(s, key, strconv.Itoa(i))
			}
		case "additionalProperties", "propertyNames", "items", "contains", "not", "if", "then", "else", "unevaluatedItems", "unevaluatedProperties":
			below(v, key)
		}
	}
}

func (c *compiler) pattern(source string, at []string) {
	if _, err := CompileRegexp(source); err != nil {
		c.add("is not a regular expression: "+err.Error(), at...)
	}
}

// numbers refuses numbers that would need huge memory as fractions.
func (c *compiler) numbers(v any, at []string) {
	hugeNumbers(v, at, func(path []string, n json.Number) {
		c.add("is out of range: "+show(n), path...)
	})
}

func hugeNumbers(v any, at []string, found func([]string, json.Number)) {
	switch v := v.(type) {
	case json.Number:
		if i := strings.IndexAny(string(v), "eE"); i >= 0 {
			exponent, ok := new(big.Int).SetString(strings.TrimPrefix(string(v[i+1:]), "+"), 10)
			if !ok || exponent.CmpAbs(big.NewInt(1000)) > 0 {
				found(at, v)
			}
		}
	case []any:
		for i, e := range v {
			hugeNumbers(e, append(at[:len(at):len(at)], strconv.Itoa(i)), found)
		}
	case jsonv.Object:
		for k, e := range v {
			hugeNumbers(e, append(at[:len(at):len(at)], k), found)
		}
	}
}

func (s *objectSchema) check(o jsonv.Object, add func(below []string, keyword, message string)) {
	huge := false
	hugeNumbers(o, nil, func(at []string, n json.Number) {
		huge = true
		add(at, "type", "is out of range: "+show(n))
	})
	if huge {
		return
	}
	err := s.schema.Validate(o)
	var invalid *jsonschema.ValidationError
	switch {
	case err == nil:
	case errors.As(err, &invalid):
		p := printer()
		leaves(invalid, func(e *jsonschema.ValidationError) {
			keyword := ""
			if at := e.ErrorKind.KeywordPath(); len(at) > 0 {
				keyword = at[0]
			}
			add(e.InstanceLocation, keyword, e.ErrorKind.LocalizedString(p))
		})
	default:
		add(nil, "type", err.Error())
	}
}

// leaves visits the errors that have no further cause.
func leaves(e *jsonschema.ValidationError, visit func(*jsonschema.ValidationError)) {
	if len(e.Causes) == 0 {
		visit(e)
	}
	for _, cause := range e.Causes {
		leaves(cause, visit)
	}
}

func printer() *message.Printer { return message.NewPrinter(language.English) }
