package scim

import (
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// The schemas of resources (RFC 7643 §8.7).
const (
	schemas          = "urn:ietf:params:scim:schemas:"
	userSchema       = schemas + "core:2.0:User"
	groupSchema      = schemas + "core:2.0:Group"
	enterpriseSchema = schemas + "extension:enterprise:2.0:User"
)

// attribute names an attribute of a resource and perhaps one inside it.
type attribute struct {
	// extension is the schema of an attribute that is none of the core ones.
	extension, name, sub string
}

// parseAttribute reads "name", "name.sub" or either behind the name of a schema.
func parseAttribute(text string) (attribute, error) {
	var a attribute
	rest := text
	for _, schema := range []string{userSchema, groupSchema, enterpriseSchema} {
		if len(rest) < len(schema) || !strings.EqualFold(rest[:len(schema)], schema) {
			continue
		}
		rest = strings.TrimPrefix(rest[len(schema):], ":")
		if schema == enterpriseSchema {
			a.extension = schema
		}
		break
	}
	a.name, a.sub, _ = strings.Cut(rest, ".")
	if a.name == "" && a.extension == "" || strings.ContainsAny(a.name+a.sub, ".[]()\": ") {
		return a, refuse(invalidPath, "%q names no attribute", cutText(text))
	}
	return a, nil
}

func (a attribute) String() string {
	name := a.name
	if a.sub != "" {
		name += "." + a.sub
	}
	return name
}

// last is the name of what the attribute finally is.
func (a attribute) last() string {
	if a.sub != "" {
		return a.sub
	}
	return a.name
}

// holder is the object that has the attribute; nil when there is none.
func (a attribute) holder(v jsonv.Object) jsonv.Object {
	if a.extension == "" {
		return v
	}
	inner, _ := member(v, a.extension).(jsonv.Object)
	return inner
}

// top is the value of the attribute without its inner one.
func (a attribute) top(v jsonv.Object) any { return member(a.holder(v), a.name) }

// values are what a filter compares: of a list each element, of an object the inner
// attribute, which is "value" when none is named.
func (a attribute) values(v jsonv.Object) []any {
	top := a.top(v)
	list, ok := top.([]any)
	if !ok {
		list = []any{top}
	}
	var out []any
	for _, e := range list {
		switch o, ok := e.(jsonv.Object); {
		case ok && a.sub == "":
			e = member(o, "value")
		case ok:
			e = member(o, a.sub)
		case a.sub != "":
			continue
		}
		if e != nil {
			out = append(out, e)
		}
	}
	return out
}

// spelled is the key by which an object has an attribute: names are compared in any
// letter case (RFC 7643 §2.1).
func spelled(o jsonv.Object, name string) string {
	if _, ok := o[name]; ok {
		return name
	}
	for key := range o {
		if strings.EqualFold(key, name) {
			return key
		}
	}
	for _, known := range multiValued {
		if strings.EqualFold(known, name) {
			return known
		}
	}
	return name
}

func member(o jsonv.Object, name string) any { return o[spelled(o, name)] }

// multiValued are the attributes that hold lists.
var multiValued = []string{"emails", "phoneNumbers", "photos", "members", "groups", "schemas"}

// textOf is an attribute that is a text, "" when it is absent.
func textOf(o jsonv.Object, name string) string {
	s, _ := member(o, name).(string)
	return s
}

// primary is the value of the first or of the primary element of a list.
func primary(o jsonv.Object, name string) string {
	list, _ := member(o, name).([]any)
	value := ""
	for _, e := range list {
		element, _ := e.(jsonv.Object)
		is, _ := member(element, "primary").(bool)
		if v := textOf(element, "value"); v != "" && (value == "" || is) {
			value = v
		}
	}
	return value
}
