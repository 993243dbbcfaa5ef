package inputs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/crypt"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/propschema"
	"github.com/portlens/terraform-provider-port/internal/portal/shape"
)

// Check reports every way in which the values break the form: steps 4 and 5 of
// reference/actions.md §2.5. Paths begin with /properties; each problem names its
// keyword. A single program that takes too long restricts nothing; where they take
// too long together, nothing is known to be valid.
func (r *Resolved) Check() fault.Problems {
	c := &shape.Checker{}
	r.patience = propschema.Patience{}
	if r.exceeded {
		c.Add("timeout", nil, "the programs of the form take longer than %s together", programTime)
	}
	if !r.asked.AllowUnknown {
		for _, id := range shape.Keys(r.Values) {
			if r.form.inputs[id] == nil {
				c.Add("additionalProperties", []string{"properties", id}, "%s", fault.UnknownKey(id))
			}
		}
	}
	for _, id := range r.form.order {
		i := r.form.inputs[id]
		at := []string{"properties", id}
		v, given := r.Values[id]
		if r.excessive[id] {
			c.Add("size", at, "the inputs name more than %d entities, or such as take more than %d bytes together", mostLookups, mostBytes)
		}
		switch {
		case given && v != nil:
			c.Problems = append(c.Problems, discreet(i, r.value(i, at, v))...)
		case r.required[id] && !r.hidden[id]:
			c.Add("required", at, "is required")
		}
	}
	return c.Problems
}

// discreet keeps the value of a secret out of what is said about it: refusals are
// answered, logged and recorded.
func discreet(i *input, problems fault.Problems) fault.Problems {
	if i.encryption != byServer {
		return problems
	}
	for n, p := range problems {
		problems[n].Message = fmt.Sprintf("is refused by %q; the value, a secret, is not shown", p.Keyword)
	}
	return problems
}

// value checks a value that is not null.
func (r *Resolved) value(i *input, at []string, v any) fault.Problems {
	c := &shape.Checker{}
	if i.encryption == byClient {
		if s, ok := v.(string); !ok || !crypt.ClientSide(s) {
			c.Add("format", at, "must be encrypted: the base64 text of vector, wrapped key, ciphertext and tag")
		}
		return c.Problems
	}
	if i.static != nil {
		c.Problems = outermost(i, at, i.static.CheckNamed(&r.patience, at, v))
	}
	r.references(i, at, v, c)
	l := r.limits[i.id]
	among(c, at, l.enum, listing(l.enum), v)
	r.pattern(c, at, l.pattern, v)
	if list, ok := v.([]any); ok && i.kind == "array" {
		sized(c, at, l, len(list))
		listed := listing(l.itemEnum)
		for n, e := range list {
			among(c, shape.Below(at, strconv.Itoa(n)), l.itemEnum, listed, e)
		}
	}
	return c.Problems
}

// outermost tells of what is wrong inside an object at the value itself, or at the
// item (§2.5 step 5).
func outermost(i *input, at []string, problems fault.Problems) fault.Problems {
	deepest := len(at)
	if i.kind == "array" {
		deepest++
	}
	for n, p := range problems {
		if steps := jsonv.ParsePointer(p.Path); len(steps) > deepest {
			problems[n].Path = jsonv.Pointer(steps[:deepest]...)
			problems[n].Message = jsonv.Pointer(steps[deepest:]...) + " " + p.Message
		}
	}
	return problems
}

// references checks entities, teams and labelled links, of the value or of its items.
func (r *Resolved) references(i *input, at []string, v any, c *shape.Checker) {
	each := func(format string, at []string, v any) {
		switch format {
		case formatEntity:
			if _, ok := identifierOf(v); !ok {
				c.Add("type", at, "want an entity's identifier, got %s", jsonv.KindOf(v))
			}
		case formatTeam:
			if s, ok := v.(string); ok && s == "" {
				c.Add("format", at, "must name a team")
			}
		case formatLabeled:
			labeled(c, at, v)
		}
	}
	if i.kind != "array" {
		each(i.format, at, v)
	} else if list, ok := v.([]any); ok {
		format := i.itemFormat
		if format == "" {
			format = i.format
		}
		for n, e := range list {
			each(format, shape.Below(at, strconv.Itoa(n)), e)
		}
	} else if i.format == formatEntity {
		c.Add("type", at, "want an array, got %s", jsonv.KindOf(v))
	}
	seen := map[int]bool{}
	for _, m := range r.missing[i.id] {
		where := at
		if m.item >= 0 {
			where = shape.Below(at, strconv.Itoa(m.item))
		}
		if !seen[m.item] {
			c.Add("notFound", where, "entity %q was not found", m.id)
		}
		seen[m.item] = true
	}
}

// labeled checks a link: whatever its text is, it is one.
func labeled(c *shape.Checker, at []string, v any) {
	o, ok := v.(jsonv.Object)
	if !ok {
		return // of another type, which is reported
	}
	if _, ok := o["url"]; !ok {
		c.Add("required", at, "a labeled url needs a \"url\"")
	}
	for _, key := range []string{"url", "displayText"} {
		if part, ok := o[key]; ok {
			if _, ok := part.(string); !ok {
				c.Add("type", at, "want a string under %q, got %s", key, jsonv.KindOf(part))
			}
		}
	}
}

// listing spells allowed values for messages, shortened and once: many items may be none
// of many values.
func listing(allowed []any) func() string {
	return sync.OnceValue(func() string {
		const most = 1000
		text := jsonv.Encode(allowed)
		if len(text) > most {
			return strings.ToValidUTF8(string(text[:most]), "") + "…"
		}
		return string(text)
	})
}

func among(c *shape.Checker, at []string, allowed []any, listed func() string, v any) {
	if allowed != nil && !slices.ContainsFunc(allowed, func(a any) bool { return jsonv.Equal(a, v) }) {
		c.Add("enum", at, "must be equal to one of the allowed values: %s", listed())
	}
}

// pattern checks a computed pattern: a regular expression, or the values allowed.
func (r *Resolved) pattern(c *shape.Checker, at []string, rule, v any) {
	s, isText := v.(string)
	switch rule := rule.(type) {
	case string:
		re, err := propschema.CompileRegexp(rule)
		if err == nil && isText && !r.patience.Match(re, s) {
			c.Add("pattern", at, "must match pattern %q", rule)
		}
	case []any:
		if !slices.ContainsFunc(rule, func(a any) bool { return jsonv.Equal(a, v) }) {
			c.Add("pattern", at, "must be equal to one of the allowed values: %s", jsonv.Encode(rule))
		}
	}
}

func sized(c *shape.Checker, at []string, l limits, n int) {
	if l.minItems != nil && n < *l.minItems {
		c.Add("minItems", at, "must have at least %d items, has %d", *l.minItems, n)
	}
	if l.maxItems != nil && n > *l.maxItems {
		c.Add("maxItems", at, "must have at most %d items, has %d", *l.maxItems, n)
	}
}
