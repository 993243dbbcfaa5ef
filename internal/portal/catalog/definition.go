package catalog

import (
	"net/url"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/propschema"
)

const maxTitle = 100

// The four maps whose keys share one name space (reference/catalog.md §2.1).
var propertyMaps = []string{"mirrorProperties", "calculationProperties", "aggregationProperties"}

// readDefinition checks a full blueprint body and returns the definition to
// store: known keys as they were sent, and what the round-trip rule of
// reference/catalog.md §2.1 adds. needID is set for creation.
func readDefinition(body any, needID bool) (jsonv.Object, fault.Problems) {
	r := &reader{}
	in, ok := body.(jsonv.Object)
	if !ok {
		r.add(nil, "want an object, got %s", jsonv.KindOf(body))
		return nil, r.problems
	}
	in = jsonv.CloneObject(in)
	out := jsonv.Object{}
	keep := func(keys ...string) {
		for _, k := range keys {
			if v, ok := in[k]; ok {
				out[k] = v
			}
		}
	}
	if needID || in["identifier"] != nil {
		if v, ok := in["identifier"]; ok && v != nil {
			if id, ok := r.text(in, "identifier", 0); ok {
				r.name(id, propschema.BlueprintID, "identifier")
			}
		} else {
			r.add([]string{"identifier"}, "is required")
		}
		keep("identifier")
	}
	r.needText(in, "title", maxTitle)
	r.text(in, "description", 200)
	if in["icon"] != nil {
		r.text(in, "icon", 0)
	}
	r.flag(in, "includeInGlobalSearch")
	keep("title", "description", "icon", "includeInGlobalSearch")
	r.ownership(in, out)
	r.teamInheritance(in, out)
	r.changelog(in, out)
	out["schema"] = r.schema(in["schema"])
	out["mirrorProperties"] = r.entries(in, "mirrorProperties", r.mirrorDefinition)
	out["calculationProperties"] = r.entries(in, "calculationProperties", r.calculationDefinition)
	out["aggregationProperties"] = r.entries(in, "aggregationProperties", r.aggregationDefinition)
	out["relations"] = r.entries(in, "relations", r.relationDefinition)
	r.nameSpace(out)
	return out, r.problems
}

// nameSpace refuses a key that is used by two kinds of properties.
func (r *reader) nameSpace(def jsonv.Object) {
	used := map[string]string{}
	for key := range jsonv.Map(def, "schema", "properties") {
		used[key] = "schema.properties"
	}
	for _, m := range propertyMaps {
		for _, key := range sortedKeys(jsonv.Map(def, m)) {
			if other, ok := used[key]; ok {
				r.add([]string{m, key}, "the key is already used in %s", other)
			}
			used[key] = m
		}
	}
}

// schema reads the CLOSED object {properties, required}. Required keys without a
// property are dropped: the provider sends them before a type change (§2.3).
func (r *reader) schema(v any) jsonv.Object {
	at := []string{"schema"}
	if v == nil {
		r.add(at, "is required")
		return jsonv.Object{"properties": jsonv.Object{}, "required": []any{}}
	}
	in := r.object(v, at...)
	r.closed(in, at, "properties", "required")
	props := jsonv.Object{}
	if p, ok := in["properties"]; !ok || p == nil {
		if in != nil {
			r.add(below(at, "properties"), "is required")
		}
	} else {
		props = r.entries(in, "properties", func(def jsonv.Object, where []string) {
			_, problems := propschema.Compile(def, where...)
			r.problems = append(r.problems, problems...)
		}, at...)
	}
	required := []any{}
	switch list := in["required"].(type) {
	case nil:
	case []any:
		for i, e := range list {
			key, ok := e.(string)
			if !ok {
				r.add(below(at, "required", string(jsonv.Int(i))), "want a string, got %s", jsonv.KindOf(e))
				continue
			}
			if _, ok := props[key]; ok && !slices.Contains(required, e) {
				required = append(required, e)
			}
		}
	default:
		r.add(below(at, "required"), "want an array, got %s", jsonv.KindOf(list))
	}
	return jsonv.Object{"properties": props, "required": required}
}

// entries reads one of the maps of a blueprint: keys by the key grammar, values
// objects that check accepts and may complete.
func (r *reader) entries(in jsonv.Object, name string, check func(def jsonv.Object, at []string), at ...string) jsonv.Object {
	out := jsonv.Object{}
	where := below(at, name)
	given := r.object(in[name], where...)
	for _, key := range sortedKeys(given) {
		r.name(key, propschema.Key, below(where, key)...)
		def, ok := given[key].(jsonv.Object)
		if !ok {
			r.add(below(where, key), "want an object, got %s", jsonv.KindOf(given[key]))
			continue
		}
		check(def, below(where, key))
		out[key] = def
	}
	return out
}

func (r *reader) calculationDefinition(def jsonv.Object, at []string) {
	_, problems := propschema.CompileCalculation(def, at...)
	r.problems = append(r.problems, problems...)
}

// mirrorDefinition reads {path, title} (§2.7).
func (r *reader) mirrorDefinition(def jsonv.Object, at []string) {
	r.closed(def, at, "path", "title")
	r.text(def, "title", maxTitle, at...)
	if path := r.needText(def, "path", 0, at...); path != "" {
		r.name(path, propschema.MirrorPath, below(at, "path")...)
		if steps := strings.Split(path, "."); slices.Contains(steps, "") {
			r.add(below(at, "path"), "has an empty step")
		}
	}
}

// relationDefinition reads a relation and completes it (§2.6 R1, R2).
func (r *reader) relationDefinition(def jsonv.Object, at []string) {
	r.closed(def, at, "title", "target", "required", "many", "description", "type")
	r.text(def, "title", maxTitle, at...)
	r.text(def, "description", 0, at...)
	r.text(def, "type", 0, at...)
	r.needText(def, "target", 0, at...)
	required, many := r.flag(def, "required", at...), r.flag(def, "many", at...)
	if required && many {
		r.add(at, "a relation cannot be both required and many")
	}
	for _, key := range []string{"required", "many"} {
		if _, ok := def[key]; !ok {
			def[key] = false
		}
	}
}

// ownership reads one of the two CLOSED shapes of §2.10.
func (r *reader) ownership(in, out jsonv.Object) {
	const key = "ownership"
	if in[key] == nil {
		return
	}
	o := r.object(in[key], key)
	if o == nil {
		return
	}
	r.closed(o, []string{key}, "type", "path", "title")
	r.text(o, "title", maxTitle, key)
	_, hasPath := r.text(o, "path", 0, key)
	switch r.oneOf(o, "type", []string{"Direct", "Inherited"}, key) {
	case "Direct":
		if hasPath {
			r.add([]string{key, "path"}, "is only for Inherited ownership")
		}
	case "Inherited":
		r.needText(o, "path", 0, key)
	}
	out[key] = o
}

func (r *reader) teamInheritance(in, out jsonv.Object) {
	const key = "teamInheritance"
	if in[key] == nil {
		return
	}
	o := r.object(in[key], key)
	if o == nil {
		return
	}
	r.needText(o, "path", 0, key)
	out[key] = o
}

// changelog reads changelogDestination (§2.11).
func (r *reader) changelog(in, out jsonv.Object) {
	const key = "changelogDestination"
	if in[key] == nil {
		return
	}
	o := r.object(in[key], key)
	if o == nil {
		return
	}
	switch r.oneOf(o, "type", []string{"WEBHOOK", "KAFKA"}, key) {
	case "WEBHOOK":
		r.closed(o, []string{key}, "type", "url", "agent")
		r.flag(o, "agent", key)
		if text := r.needText(o, "url", 0, key); text != "" {
			if u, err := url.Parse(text); err != nil || u.Scheme == "" || strings.ContainsAny(text, " \t\n") {
				r.add([]string{key, "url"}, "want an absolute URI, got %q", text)
			}
		}
	case "KAFKA":
		r.closed(o, []string{key}, "type")
	}
	out[key] = o
}
